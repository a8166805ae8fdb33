//! The table of rules, what it costs to follow them, and how that was checked.

use super::Letters;
use crate::decide::words::{condition, shown};
use crate::decide::{Decision, HELD_MAX, RULE_WORTH, Regret, Rules, When};
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
pub fn rules(page: &mut Page, study: &Study<'_>, decision: &Decision<'_>, letters: &Letters) {
    let what = decision.objective.words();
    match &decision.informed {
        Some(rules) => {
            checked(page, rules);
            page.push(&table(study, rules, letters, &format!("Rules for the smallest {what}, first that applies")));
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
            checked(page, rules);
            page.push(&table(
                study,
                rules,
                letters,
                &format!("Rules for the smallest {what} with d unknown"),
            ));
        }
        None => page.paragraph("", "No short rule without d: whatever it picks, some session fails."),
    }
    page.push("</details>\n");
}

/// What following the rules costs where they were chosen, and where they were not.
fn checked(page: &mut Page, rules: &Rules) {
    let over = |name: &str, one: &Regret| {
        format!(
            "{name}: {} on average, {} at worst, over {}",
            format::percent(one.mean),
            format::percent(one.worst),
            format::counted(one.cells as u64, "cell", "cells")
        )
    };
    let mut parts = vec![over("on the even replicates that chose them", &rules.chosen)];
    match &rules.held {
        Some(held) => parts.push(over("on the odd replicates", held)),
        None => parts.push("not checked on other replicates, since no cell has two".into()),
    }
    match &rules.traces {
        Some(traces) => parts.push(over("on recorded traces", traces)),
        None => parts.push("not checked on recorded traces, since there are none".into()),
    }
    let words = format!("Regret, the cost above that of each cell's cheapest: {}.", parts.join("; "));
    page.paragraph("note", &escaped(&words));
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

fn table(study: &Study<'_>, rules: &Rules, letters: &Letters, caption: &str) -> String {
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
        let crossing = match &rule.when {
            When::Upto { feature, crossing: Some(at), .. } => {
                let show = shown(*feature);
                let range =
                    format::range(at.low, at.high, show).map_or_else(String::new, |r| format!(" ({r})"));
                format!("{}{range}", show(at.mid))
            }
            When::Upto { feature, tested, .. } => {
                let show = shown(*feature);
                format!("between {} and {}", show(tested.0), show(tested.1))
            }
            _ => "–".into(),
        };
        let [worst, mean] = share(rule.regret);
        let [_, held] = share(rule.held);
        let pick =
            format!("{} {}", letters.badge(&study.roster, rule.pick), contender(&study.roster, rule.pick));
        table.row(
            &escaped(&condition(&rule.when)),
            "",
            &[
                Td::html(pick),
                Td::number(&crossing),
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
         the worst cell costs by {}.{proof}",
        parts.join("; "),
        format::percent(RULE_WORTH)
    );
    page.paragraph("note", &escaped(&words));
}
