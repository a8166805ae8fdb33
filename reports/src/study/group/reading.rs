//! What the group part says, in sentences computed from its cells.

use std::collections::{BTreeMap, BTreeSet};

use super::bands::{Band, Focus, Site, bands, focus};
use super::claims::{Answer, Claim, Verdict};
use super::exponents::Payer;
use super::place::Dim;
use super::winner::winner;
use super::{GroupPoint, GroupStudy};
use crate::format;
use crate::record::{GroupAxis, GroupOutcome};
use crate::stats::{Interval, wilson};
use crate::study::prose::Prose;
use crate::study::summary::with_interval;
use crate::study::{Roster, Study};

/// An axis in a word.
pub fn axis_name(axis: GroupAxis) -> &'static str {
    match axis {
        GroupAxis::N => "N",
        GroupAxis::K => "K",
        GroupAxis::M => "M",
        GroupAxis::History => "history",
        GroupAxis::Uptime => "time online",
        GroupAxis::Away => "time away",
        GroupAxis::Sharing => "sharing",
        GroupAxis::Mode => "mode",
        GroupAxis::Acks => "acks",
        GroupAxis::Link => "links",
        GroupAxis::Life => "life",
    }
}

/// An exponent: two decimals, a minus that is one.
pub fn power(value: f64) -> String {
    let text = format!("{value:.2}");
    match text.strip_prefix('-') {
        Some("0.00") => "0.00".to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// An exponent with its interval.
pub fn power_interval(value: Interval) -> String {
    format!("{} ({} to {})", power(value.mid), power(value.low), power(value.high))
}

fn names(indices: &[usize], roster: &Roster<'_>) -> Prose {
    const NAMED: usize = 3;
    let named = indices.iter().take(NAMED).map(|index| {
        let mut part = Prose::default();
        part.contender(roster, *index);
        part
    });
    let mut prose = Prose::joined(named.collect(), ", ");
    if indices.len() > NAMED {
        prose.text(format!(" and {} more", indices.len() - NAMED));
    }
    prose
}

/// Who is cheapest at a point: with the price, the share delivered, the ties.
pub fn cheapest(point: &GroupPoint<'_>, roster: &Roster<'_>) -> Prose {
    let Some(best) = winner(point, roster) else { return Prose::new("nobody who may win took part") };
    let cell = &point.cells[&best.index];
    let mut prose = Prose::default();
    prose.contender(roster, best.index);
    prose.text(format!(" with {}", with_interval(cell.member_day, format::bytes)));
    if !best.ties.is_empty() {
        prose.text(", tied with ").append(names(&best.ties, roster));
    }
    prose
}

/// Sizes and conditions of the point that the first screen is about, and why it is that one.
fn where_(site: &Site<'_, '_>, band: &Band<'_, '_>) -> String {
    let place = &site.point.place;
    let history = match place.history {
        0 => String::new(),
        held => format!(" ({} of them history)", format::count(held)),
    };
    format!("{}, M = {}{history}, {}", place.text(Dim::N), format::count(place.m), band.label)
}

/// Which strategy at the point that stands for the book, and what it costs a member a day.
pub fn first(study: &Study<'_>) -> Prose {
    let bands = bands(study);
    let Some((band, site, why)) = focus(&bands) else { return Prose::new("No rows of groups, no answer.") };
    let roster = &study.roster;
    let mut prose = Prose::new(format!("At {}: ", where_(site, band)));
    let (Some(best), Some(cell)) = (&site.best, site.cell()) else {
        prose.text("nobody who may win took part.");
        return prose;
    };
    prose.text("use ").contender(roster, best.index);
    prose.text(format!(": {} a member and day", with_interval(cell.member_day, format::bytes)));
    if cell.sum(|row| row.needed) > 0 {
        prose.text(format!(" for {} of what was due", format::percent(cell.delivered())));
    }
    prose.text(match (best.field, best.rivals) {
        (1, _) => ", the only contender there".to_owned(),
        (field, rivals) if field == rivals => {
            format!(", the cheapest of {field} contenders, which deliver alike")
        }
        (field, 1) => format!(", the only one of {field} contenders that delivers as much"),
        (field, rivals) => {
            format!(", the cheapest of the {rivals} (of {field} contenders) that deliver as much")
        }
    });
    if !best.ties.is_empty() {
        prose.text("; tied with ").append(names(&best.ties, roster));
    }
    if best.dearest != best.index {
        let dearest = &site.point.cells[&best.dearest];
        prose.text("; the dearest of them is ").contender(roster, best.dearest);
        prose.text(format!(" with {}", format::bytes(dearest.member_day.mid)));
    }
    if let Some(lesser) = best.lesser {
        let cell = &site.point.cells[&lesser];
        prose.text("; cheaper, delivering less: ").contender(roster, lesser).text(format!(
            " with {} for {}",
            format::bytes(cell.member_day.mid),
            format::percent(cell.delivered())
        ));
    }
    prose.text(match why {
        Focus::Middle => ". (The middle of the group sizes with the most messages.)",
        Focus::Alone => ". (The group with the most messages.)",
        Focus::First => {
            ". (Sizes do not vary: the first sweep's point of comparison; the others are in the map.)"
        }
        Focus::Only => ". (The only point.)",
    });
    prose
}

/// How long deliveries took there, and whether anything was wrong.
pub fn second(study: &Study<'_>) -> Prose {
    let mut prose = Prose::default();
    let bands = bands(study);
    let cell = focus(&bands).and_then(|(_, site, _)| Some((site.best.as_ref()?, site.cell()?)));
    if let Some((best, cell)) = cell {
        let delivery = cell.delivery();
        if let (Some(half), Some(most)) = (delivery.quantile(0.5), delivery.quantile(0.99)) {
            prose.text("Of what arrived there with ").contender(&study.roster, best.index).text(format!(
                ", half took at most {}, 99% (P99) at most {}; ",
                format::span_ms(half),
                format::span_ms(most)
            ));
        }
    }
    let (mut trials, mut wrong, mut partial) = (0u64, 0u64, 0u64);
    for row in study.group_rows() {
        trials += 1;
        wrong += u64::from(row.outcome == GroupOutcome::Wrong);
        partial += u64::from(row.outcome == GroupOutcome::Partial);
    }
    prose.text(format!(
        "wrong results: {} of {} (95% upper bound {})",
        format::count(wrong),
        format::counted(trials, "group trial", "group trials"),
        format::percent(wilson(wrong, trials).high),
    ));
    prose.text(match partial {
        0 => ".".to_owned(),
        1 => "; 1 ended before everybody had everything, and its bytes stand beside what it delivered."
            .to_owned(),
        _ => format!(
            "; {} ended before everybody had everything, and their bytes stand beside what they delivered.",
            format::count(partial)
        ),
    });
    prose
}

/// What the group part does not cover: parts of a sentence.
pub fn assumptions(study: &Study<'_>) -> Vec<String> {
    let mut sets: [BTreeSet<&str>; 4] = Default::default();
    for row in study.group_rows() {
        for (set, name) in sets.iter_mut().zip([&row.workload, &row.presence, &row.link, &row.acks]) {
            set.insert(name);
        }
    }
    if sets[0].is_empty() {
        return Vec::new();
    }
    let other = |what: &str, set: &BTreeSet<&str>| {
        let names: Vec<String> = set.iter().map(ToString::to_string).collect();
        format!("{what} other than {}", format::list(&names))
    };
    let [workload, presence, link, acks] = &sets;
    vec![
        other("groups that write", workload),
        other("presence", presence),
        other("links", link),
        other("acks", acks),
    ]
}

/// The sentences below a sweep.
pub fn reading(study: &GroupStudy<'_>, roster: &Roster<'_>) -> Prose {
    let mut prose = Prose::default();
    let name = axis_name(study.sweep.axis);
    for panel in &study.panels {
        let (Some(first), Some(last)) = (panel.points.first(), panel.points.last()) else { continue };
        let idle = if panel.idle() { " idling" } else { "" };
        prose.text(format!("{}: a member and day cost least{idle} at {name} ", panel.label));
        prose.text(format!("{} by ", first.x_label)).append(cheapest(first, roster));
        if panel.points.len() > 1 {
            prose.text(format!(", at {} by ", last.x_label)).append(cheapest(last, roster));
        }
        let shares = panel.points.iter().flat_map(|point| point.cells.values()).map(|cell| cell.delivered());
        if !panel.idle() {
            prose.text(format!("; {}", delivered_from(shares.fold(1.0, f64::min))));
        }
        prose.text(". ");
    }
    prose
}

fn verdict_word(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Confirmed => 0,
        Verdict::Below(_) => 1,
        Verdict::Refuted(_) => 2,
        Verdict::Open(_) => 3,
    }
}

/// A verdict in words.
pub fn verdict(answer: &Answer, axis: &str) -> String {
    match answer.verdict {
        Verdict::Confirmed => "confirmed".to_owned(),
        Verdict::Below(law) => format!("holds as a bound: grows more slowly, nearest {}", law.name(axis)),
        Verdict::Refuted(law) => format!("refuted: grows faster, nearest {}", law.name(axis)),
        Verdict::Open(law) => format!("not settled: {} fits too", law.name(axis)),
    }
}

/// The least share that was delivered, as a condition.
pub fn delivered_from(least: f64) -> String {
    if least < 1.0 {
        format!("delivered: {} or more", format::percent(least))
    } else {
        "all delivered".to_owned()
    }
}

/// A claim in sentences: for each chart that speaks of it, who confirms and who refutes it.
pub fn claim(claim: &Claim<'_>, study: &Study<'_>) -> Vec<Prose> {
    let mut sentences = Vec::new();
    for evidence in &claim.evidence {
        // Payer, cost and law: contenders by verdict, with what was measured.
        type Groups = BTreeMap<u8, Vec<(usize, Answer)>>;
        let mut groups: Vec<((Payer, &str, String), Groups)> = Vec::new();
        let mut unanswered = 0usize;
        for finding in &evidence.findings {
            let key = (finding.payer, finding.cost.name(), finding.claimed.name(claim.axis));
            let Ok(answer) = finding.answer else {
                unanswered += 1;
                continue;
            };
            let place = groups.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
                groups.push((key, Groups::new()));
                groups.len() - 1
            });
            groups[place].1.entry(verdict_word(answer.verdict)).or_default().push((finding.index, answer));
        }
        for ((payer, cost, law), verdicts) in groups {
            let mut prose = Prose::new(format!("{law} for {}, {cost}: ", payer.name()));
            let parts = verdicts.into_iter().map(|(word, answers)| {
                let word = [
                    "confirmed with",
                    "stays below (the bound holds) with",
                    "refuted by",
                    "not settled with",
                ][usize::from(word)];
                let low = answers.iter().map(|(_, answer)| answer.exponent.mid).fold(f64::INFINITY, f64::min);
                let high =
                    answers.iter().map(|(_, answer)| answer.exponent.mid).fold(f64::NEG_INFINITY, f64::max);
                let indices: Vec<usize> = answers.iter().map(|(index, _)| *index).collect();
                let mut part = Prose::new(format!("{word} "));
                part.append(names(&indices, &study.roster));
                let measured = match answers.as_slice() {
                    [(_, only)] => power_interval(only.exponent),
                    _ => format!("{} to {}", power(low), power(high)),
                };
                let expected = power(answers.first().map_or(f64::NAN, |(_, answer)| answer.expected));
                part.text(format!(": exponent {measured}, expected {expected}"));
                part
            });
            prose.append(Prose::joined(parts.collect(), "; ")).text(".");
            sentences.push(prose);
        }
        if unanswered > 0 {
            sentences.push(Prose::new(format!(
                "{unanswered} of {} fits have too few points to say anything; three with a cost above zero are needed.",
                evidence.findings.len()
            )));
        }
    }
    sentences
}
