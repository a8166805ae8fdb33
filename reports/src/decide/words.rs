//! A decision in words: conditions for tables, and the first sentence of the page.

use super::search::{Feature, Side};
use super::{Decision, Objective, Regret, Rule, Rules, When};
use crate::format;
use crate::study::prose::Prose;
use crate::study::summary::with_interval;
use crate::study::{Roster, Study};

/// A feature as formulas name it.
fn symbol(feature: Feature) -> &'static str {
    match feature {
        Feature::D => "d",
        Feature::Ratio => "d/M",
        Feature::M => "M",
        Feature::Stretches => "stretches",
        Feature::Pattern => "pattern",
    }
}

/// How a feature's values are shown.
pub fn shown(feature: Feature) -> fn(f64) -> String {
    if feature == Feature::Ratio { format::percent } else { format::figure }
}

/// When a rule applies: `d ≤ 12.6`, `d/M > 30 %`, `pattern recent`, `else`.
pub fn condition(when: &When) -> String {
    match when {
        When::Beside { side: Side::Upto, threshold, .. } if *threshold == 0.0 => "equal sets".into(),
        When::Beside { feature, side, threshold, .. } => {
            let sign = if *side == Side::Upto { '≤' } else { '>' };
            format!("{} {sign} {}", symbol(*feature), shown(*feature)(*threshold))
        }
        When::Pattern(name) => format!("pattern {name}"),
        When::Else => "else".into(),
    }
}

/// What rules mean by stretches, if they ask for them.
pub fn stretches(rules: &Rules) -> Option<&'static str> {
    let asks = |rule: &Rule| matches!(rule.when, When::Beside { feature: Feature::Stretches, .. });
    let told = "Stretches: at how many places of the history, in order of time, the two sets differ; one absence leaves one or two.";
    rules.rules.iter().any(asks).then_some(told)
}

/// Where the contenders on both sides of a rule's threshold cost the same, with its interval; if they cross nowhere,
/// between which tested values the threshold lies.
pub fn crossing(when: &When) -> String {
    match when {
        When::Beside { feature, crossing: Some(at), .. } => with_interval(*at, shown(*feature)),
        When::Beside { feature, tested, .. } => {
            let show = shown(*feature);
            format!("between {} and {}", show(tested.0), show(tested.1))
        }
        When::Pattern(_) | When::Else => "–".into(),
    }
}

/// What following the rules costs where they were chosen, and where they were not; `trials` names what the two halves
/// are of.
pub fn checks(rules: &Rules, trials: &str) -> String {
    let over = |name: &str, one: &Regret| {
        format!(
            "{name}: {} on average, {} at worst, over {}",
            format::percent(one.mean),
            format::percent(one.worst),
            format::counted(one.cells as u64, "cell", "cells")
        )
    };
    let mut parts = vec![over(&format!("on the even {trials} that chose them"), &rules.chosen)];
    match &rules.held {
        Some(held) => parts.push(over(&format!("on the odd {trials}, against the map's winners"), held)),
        None => parts.push(format!("not checked on other {trials}, since no cell has two")),
    }
    match &rules.traces {
        Some(traces) => parts.push(over("on recorded traces", traces)),
        None if rules.beyond == 0 => {
            parts.push("not checked on recorded traces, since there are none".into());
        }
        None => {}
    }
    if rules.beyond > 0 {
        let cells = format::counted(rules.beyond as u64, "cell", "cells");
        parts.push(format!("{cells} of recorded traces outside the tested M and d do not count"));
    }
    format!("Regret, the cost above that of each cell's cheapest: {}.", parts.join("; "))
}

/// The interval of a threshold. None where the two cross elsewhere than at the threshold: that says nothing of it.
pub fn range(when: &When) -> Option<String> {
    let When::Beside { feature, threshold, crossing: Some(at), .. } = when else { return None };
    let tells = *threshold > 0.0 && (at.low..=at.high).contains(threshold);
    format::range(at.low, at.high, shown(*feature)).filter(|_| tells)
}

/// Rules as a clause: `d ≤ 12.6 (9.1–14) use X; else Y`.
fn clause(rules: &Rules, roster: &Roster<'_>) -> Prose {
    let parts = rules.rules.iter().map(|rule| {
        let mut part = Prose::default();
        if rules.rules.len() > 1 {
            part.text(condition(&rule.when));
            if let Some(range) = range(&rule.when) {
                part.text(format!(" ({range})"));
            }
            part.text(" use ");
        } else {
            part.text("use ");
        }
        part.contender(roster, rule.pick);
        part
    });
    Prose::joined(parts.collect(), "; ")
}

/// The tested region: `100 ≤ M ≤ 100 000, 0 ≤ d ≤ 5000, patterns …`.
fn region(decision: &Decision<'_>) -> String {
    let span = |name: &str, value: fn(&super::Priced) -> u64| {
        let low = decision.synthetic().map(value).min().unwrap_or(0);
        let high = decision.synthetic().map(value).max().unwrap_or(0);
        let (low_text, high_text) = (format::count(low), format::count(high));
        if low == high {
            format!("{name} = {low_text}")
        } else {
            format!("{low_text} ≤ {name} ≤ {high_text}")
        }
    };
    let mut patterns: Vec<String> = decision.synthetic().map(|cell| cell.place.pattern.clone()).collect();
    patterns.sort();
    patterns.dedup();
    let m = span("M", |cell| cell.place.m);
    let d = span("d", |cell| cell.place.d);
    format!("{m} and {d} ({})", format::list(&patterns))
}

/// The first sentence, from the rules for bytes: which contender where, and what following them costs. `None`
/// where nothing can be decided; `false` beside a sentence that only says that no short rule holds.
pub fn first(study: &Study<'_>) -> Option<(Prose, bool)> {
    let decision = study.decided().decisions.iter().find(|one| one.objective == Objective::Bytes)?;
    let rules = decision.informed.as_ref()?;
    let mut prose = Prose::default();
    if let Some((name, regret)) = rules.refusal() {
        prose.text(format!(
            "No short rule holds for {}: on {name} the best found costs {} more than each cell's cheapest on average. ",
            region(decision),
            format::percent(regret.mean)
        ));
        return Some((prose, false));
    }
    prose.text(format!("For fewest bytes at {}: ", region(decision)));
    prose.append(clause(rules, &study.roster));
    prose.text(format!(
        ". That costs {} more than the cheapest of each of {} on average, {} at worst",
        format::percent(rules.chosen.mean),
        format::counted(rules.chosen.cells as u64, "cell", "cells"),
        format::percent(rules.chosen.worst)
    ));
    let held = rules.held.map(|one| ("seeds that did not choose", one));
    let traces = rules.traces.map(|one| ("recorded traces", one));
    let checks: Vec<String> = held
        .into_iter()
        .chain(traces)
        .map(|(name, one)| format!("{} on {name}", format::percent(one.mean)))
        .collect();
    if checks.is_empty() {
        prose.text("; not checked on other seeds.");
    } else {
        prose.text(format!("; on average {}.", format::list(&checks)));
    }
    if let Some(told) = stretches(rules) {
        prose.text(format!(" {told}"));
    }
    Some((prose, true))
}
