//! The table of rules, what it costs to follow them, and how that was checked.

use crate::decide::words::{checks, condition, crossing, stretches};
use crate::decide::{Decision, HELD_MAX, Objective, RULE_WORTH, Regret, Rules};
use crate::format;
use crate::html::Page;
use crate::html::tag::{Table, Td, contender, escaped};
use crate::study::Study;

fn share(regret: Option<Regret>) -> [String; 2] {
    regret.map_or_else(
        || ["–".into(), "–".into()],
        |one| [format::percent(one.worst), format::percent(one.mean)],
    )
}

/// The rules of a decision, with those for an unknown d.
pub fn rules(page: &mut Page, study: &Study<'_>, decision: &Decision<'_>) {
    let what = decision.objective.words();
    match &decision.informed {
        Some(rules) => {
            checked(page, rules, &decision.objective);
            page.push(&table(study, rules, &format!("Rules for the smallest {what}, first that applies")));
            if let Some(told) = stretches(rules) {
                page.paragraph("note", told);
            }
            lengths(page, rules);
        }
        None => page.paragraph(
            "refused",
            "No short rule: whatever a list of at most five rules picks, some session fails. The map shows who \
             finished where.",
        ),
    }
    page.push("<details><summary>Rules without d</summary>\n");
    page.paragraph(
        "note",
        "A peer knows its own M, and a member who joins knows that it holds nothing. It learns d only by an estimator \
         (whose bytes and round trip are not in these figures), by its experience with this peer, or from the \
         time since their last session. These rules ask for M and the kind of difference only.",
    );
    match &decision.blind {
        Some(rules) => {
            checked(page, rules, &decision.objective);
            page.push(&table(study, rules, &format!("Rules for the smallest {what} with d unknown")));
        }
        None => page.paragraph("", "No short rule without d: whatever it picks, some session fails."),
    }
    page.push("</details>\n");
}

/// How the rules were checked, and whether they hold.
fn checked(page: &mut Page, rules: &Rules, objective: &Objective<'_>) {
    page.paragraph("note", &escaped(&checks(rules, objective.trials())));
    if let Some((name, regret)) = rules.refusal() {
        let words = format!(
            "No short rule holds here: on {name} the rules below cost {} more than each cell's cheapest on average; at \
             most {} would do. Read the map instead.",
            format::percent(regret.mean),
            format::percent(HELD_MAX)
        );
        page.paragraph("refused", &escaped(&words));
    }
}

fn table(study: &Study<'_>, rules: &Rules, caption: &str) -> String {
    let mut table = Table::new(
        caption,
        ["If", "Use", "Crossing (95%)", "Cells", "Worst regret", "Mean", "Held-back mean", "Flights"]
            .into_iter()
            .chain(["Parameters", "Lines of code"]),
    );
    for rule in &rules.rules {
        let known = study.roster.contenders.get(rule.pick);
        let count = |value: Option<u32>| match value {
            Some(value) if value > 0 => format::count(u64::from(value)),
            _ => "–".into(),
        };
        let [worst, mean] = share(rule.regret);
        let [_, held] = share(rule.held);
        let pick = contender(&study.roster, rule.pick);
        table.row(
            &escaped(&condition(&rule.when)),
            "",
            &[
                Td::html(pick),
                Td::number(&crossing(&rule.when)),
                Td::number(&rule.regret.map_or_else(|| "0".into(), |one| format::count(one.cells as u64))),
                Td::number(&worst),
                Td::number(&mean),
                Td::number(&held),
                Td::number(&format::figure(rule.flights)),
                Td::number(&count(known.map(|one| one.parameters))),
                Td::number(&count(known.map(|one| one.code_lines))),
            ],
        );
    }
    table.finish()
}

/// What each further rule would buy.
fn lengths(page: &mut Page, rules: &Rules) {
    let parts: Vec<String> = rules
        .lengths
        .iter()
        .enumerate()
        .map(|(count, one)| match one {
            Some((worst, mean)) => {
                format!("{count}: {} ({})", format::percent(*worst), format::percent(*mean))
            }
            None => format!("{count}: some session fails"),
        })
        .collect();
    let proof = if rules.exact {
        ""
    } else {
        " The worst regret is the least possible; the mean is the least found, without proof."
    };
    let words = format!(
        "Worst (mean) regret of the best list, by rules before the else: {}. A further rule is taken if it cuts what \
         the worst cell costs by {}, or brings the mean below {}, or, where no list does that, below {}.{proof}",
        parts.join("; "),
        format::percent(RULE_WORTH),
        format::percent(HELD_MAX / 2.0),
        format::percent(HELD_MAX)
    );
    page.paragraph("note", &escaped(&words));
}
