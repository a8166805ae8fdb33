//! The rules as Markdown: which contender to use where, and what following them costs.

use super::markdown::{Table, escaped};
use crate::decide::words::{condition, shown};
use crate::decide::{Decision, HELD_MAX, Regret, Rules, When, cells, decisions};
use crate::format;
use crate::study::Study;

/// A section for every objective that was measured; empty where nothing can be decided.
pub fn rules(study: &Study<'_>) -> String {
    let (cells, _) = cells(study);
    decisions(study, &cells).iter().map(|decision| objective(study, decision)).collect()
}

fn objective(study: &Study<'_>, decision: &Decision<'_>) -> String {
    let mut text = format!("\n## Rules for the smallest {}\n", escaped(&decision.objective.words()));
    for (known, rules) in [("", &decision.informed), (" without d", &decision.blind)] {
        match rules {
            Some(rules) => text += &list(study, rules, known),
            None => text += &format!("\nNo short rule{known}: whatever it picks, some session fails.\n"),
        }
    }
    text
}

fn list(study: &Study<'_>, rules: &Rules, known: &str) -> String {
    let mut text = String::new();
    if let Some((name, regret)) = rules.refusal() {
        text += &format!(
            "\nNo short rule{known} holds: on {name} the rules below cost {} more than each cell's cheapest on average; \
             at most {} would do.\n",
            format::percent(regret.mean),
            format::percent(HELD_MAX)
        );
    }
    let share = |regret: Option<Regret>, value: fn(Regret) -> f64| {
        regret.map_or_else(|| "–".to_owned(), |one| format::percent(value(one)))
    };
    let mut table = Table::new(&[
        &format!("if{known}"),
        "use",
        "crossing (95%)",
        "cells",
        "worst regret",
        "mean",
        "held-back mean",
        "flights",
    ]);
    for rule in &rules.rules {
        let crossing = match &rule.when {
            When::Upto { feature, crossing: Some(at), .. } => {
                let show = shown(*feature);
                let range = format::range(at.low, at.high, show);
                format!("{}{}", show(at.mid), range.map_or_else(String::new, |range| format!(" ({range})")))
            }
            When::Upto { feature, tested, .. } => {
                let show = shown(*feature);
                format!("between {} and {}", show(tested.0), show(tested.1))
            }
            When::Pattern(_) | When::Else => "–".to_owned(),
        };
        let cells = [
            condition(&rule.when),
            study.roster.marked(rule.pick),
            crossing,
            format::count(rule.regret.map_or(0, |one| one.cells as u64)),
            share(rule.regret, |one| one.worst),
            share(rule.regret, |one| one.mean),
            share(rule.held, |one| one.mean),
            format::figure(rule.flights),
        ];
        table.row(&cells.map(|cell| escaped(&cell)));
    }
    text += &format!("\n{}", table.finish());
    let checks = [
        Some(("on the replicates that chose them", rules.chosen)),
        rules.held.map(|one| ("on those that did not", one)),
        rules.traces.map(|one| ("on recorded traces", one)),
    ];
    let checks: Vec<String> = checks
        .into_iter()
        .flatten()
        .map(|(name, one)| {
            let (mean, worst) = (format::percent(one.mean), format::percent(one.worst));
            let cells = format::counted(one.cells as u64, "cell", "cells");
            format!("{mean} on average and {worst} at worst {name} ({cells})")
        })
        .collect();
    text + &format!(
        "\nRegret, the cost above that of each cell's cheapest: {}.\n",
        escaped(&checks.join("; "))
    )
}
