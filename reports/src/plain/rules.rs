//! The rules as Markdown: which contender to use where, and what following them costs.

use super::markdown::{Table, escaped};
use crate::decide::words::{checks, condition, crossing, stretches};
use crate::decide::{Decision, HELD_MAX, Objective, Regret, Rules};
use crate::format;
use crate::study::Study;

/// A section for every objective that was measured; empty where nothing can be decided.
pub fn rules(study: &Study<'_>) -> String {
    study.decided().decisions.iter().map(|decision| objective(study, decision)).collect()
}

fn objective(study: &Study<'_>, decision: &Decision<'_>) -> String {
    let mut text = format!("\n## Rules for the smallest {}\n", escaped(&decision.objective.words()));
    for (known, rules) in [("", &decision.informed), (" without d", &decision.blind)] {
        match rules {
            Some(rules) => text += &list(study, rules, known, &decision.objective),
            None => text += &format!("\nNo short rule{known}: whatever it picks, some session fails.\n"),
        }
    }
    text
}

fn list(study: &Study<'_>, rules: &Rules, known: &str, objective: &Objective<'_>) -> String {
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
        let cells = [
            condition(&rule.when),
            study.roster.marked(rule.pick),
            crossing(&rule.when),
            format::count(rule.regret.map_or(0, |one| one.cells as u64)),
            share(rule.regret, |one| one.worst),
            share(rule.regret, |one| one.mean),
            share(rule.held, |one| one.mean),
            format::figure(rule.flights),
        ];
        table.row(&cells.map(|cell| escaped(&cell)));
    }
    text += &format!("\n{}", table.finish());
    if let Some(told) = stretches(rules) {
        text += &format!("\n{told}\n");
    }
    text + &format!("\n{}\n", escaped(&checks(rules, objective.trials())))
}
