//! What a chart says, in sentences computed from its cells: never stale, never hoped for.

use std::collections::BTreeMap;

use super::panel::{Panel, Point};
use super::prose::Prose;
use super::winner::{Crossing, Region, regions, winner};
use super::{Outcomes, Roster, SweepStudy};
use crate::format;
use crate::record::Axis;
use crate::stats::Interval;

/// The letter of an axis of numbers.
fn symbol(axis: Axis) -> Option<&'static str> {
    match axis {
        Axis::M => Some("M"),
        Axis::D => Some("d"),
        _ => None,
    }
}

/// An axis in words.
pub fn axis_name(axis: Axis) -> &'static str {
    match axis {
        Axis::M => "messages M",
        Axis::D => "difference d",
        Axis::Similarity => "similarity",
        Axis::Window => "window",
        Axis::Guess => "error of the hint",
        Axis::Pattern => "pattern",
        Axis::Absence => "absence",
        Axis::Attack => "attack",
    }
}

/// Points that a sentence on a panel speaks of: equal sets are no small difference, but none.
fn compared<'p, 'a>(axis: Axis, panel: &'p Panel<'a>) -> Vec<&'p Point<'a>> {
    if axis == Axis::D { panel.positive().collect() } else { panel.points.iter().collect() }
}

/// Which contender needs the fewest bytes in which region of a panel.
pub fn cheapest(axis: Axis, panel: &Panel<'_>, roster: &Roster<'_>) -> Prose {
    let points = compared(axis, panel);
    let regions = regions(axis, &points, roster);
    if !points.iter().flat_map(|point| point.cells.keys()).any(|index| roster.eligible(*index)) {
        return Prose::new("nobody who may win took part");
    }
    if regions.is_empty() {
        return Prose::new("no deployable contender finished every session of any point");
    }
    let parts = match symbol(axis) {
        Some(symbol) => along_numbers(symbol, axis, &points, &regions, roster),
        None => along_names(&points, &regions, roster),
    };
    let mut prose = Prose::joined(parts, "; ");
    let points_tied: usize = regions.iter().map(|region| region.tied).sum();
    if points_tied > 0 {
        let all = format::counted(points.len() as u64, "point", "points");
        prose.text(format!(" (tied at {points_tied} of {all})"));
    }
    prose
}

fn along_numbers(
    symbol: &str,
    axis: Axis,
    points: &[&Point<'_>],
    regions: &[Region],
    roster: &Roster<'_>,
) -> Vec<Prose> {
    let mut parts = Vec::new();
    let mut start: Option<Crossing> = None;
    for (place, region) in regions.iter().enumerate() {
        let mut part = Prose::default();
        part.contender(roster, region.index);
        let only = regions.len() == 1;
        let (first, last) = (points[region.first], points[region.last]);
        if only {
            let all = format!(" at every tested {symbol}, {} to {}", first.x_label, last.x_label);
            part.text(if points.len() == 1 { format!(" at {symbol} = {}", first.x_label) } else { all });
        } else if place + 1 == regions.len() {
            part.text(format!(" above (tested to {symbol} = {})", last.x_label));
        } else if let Some(crossing) = region.crossing {
            let from = if start.is_some() { " from there" } else { "" };
            part.text(format!("{from} {}", until(symbol, axis, crossing, last)));
        }
        start = region.crossing;
        parts.push(part);
    }
    parts
}

fn until(symbol: &str, axis: Axis, crossing: Crossing, last: &Point<'_>) -> String {
    let ratio = |d: f64| match axis {
        Axis::D if last.place.sides.m > 0 => {
            format!(", d/M ≈ {}", format::percent(d / last.place.sides.m as f64))
        }
        _ => String::new(),
    };
    match crossing.at {
        Some(Interval { low, mid, high }) => format!(
            "up to {symbol} ≈ {} (95% {}–{}{})",
            format::figure(mid),
            format::figure(low),
            format::figure(high),
            ratio(mid)
        ),
        None => format!(
            "up to {symbol} = {} (the next tested is {}{})",
            format::figure(crossing.below),
            format::figure(crossing.above),
            ratio(crossing.below)
        ),
    }
}

fn along_names(points: &[&Point<'_>], regions: &[Region], roster: &Roster<'_>) -> Vec<Prose> {
    let mut places: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut order: Vec<usize> = Vec::new();
    for region in regions {
        if !order.contains(&region.index) {
            order.push(region.index);
        }
        let labels = points[region.first..=region.last].iter().map(|point| point.x_label.clone());
        places.entry(region.index).or_default().extend(labels);
    }
    order
        .into_iter()
        .map(|index| {
            let labels = places.remove(&index).unwrap_or_default();
            let mut part = Prose::default();
            part.contender(roster, index);
            let all = labels.len() == points.len() && labels.len() > 1;
            part.text(if all { " everywhere".into() } else { format!(" at {}", format::list(&labels)) });
            part
        })
        .collect()
}

/// How often each contender is cheapest, most often first.
pub fn tally<'p, 'a: 'p>(
    points: impl Iterator<Item = &'p Point<'a>>,
    roster: &Roster<'_>,
) -> (Vec<(usize, u64)>, u64) {
    let mut wins: BTreeMap<usize, u64> = BTreeMap::new();
    let mut count = 0;
    for point in points {
        count += 1;
        if let Some(winner) = winner(point, roster) {
            *wins.entry(winner.index).or_default() += 1;
        }
    }
    let mut wins: Vec<(usize, u64)> = wins.into_iter().collect();
    wins.sort_by_key(|(index, wins)| (std::cmp::Reverse(*wins), *index));
    (wins, count)
}

/// The two sentences below a sweep: who is cheapest where, and how far the leader's price moves.
pub fn reading(study: &SweepStudy<'_>, roster: &Roster<'_>) -> Prose {
    let axis = study.sweep.axis;
    let mut prose = Prose::default();
    let Some(panel) = study.panels.last() else { return prose };
    prose.text(format!("At {}, the fewest bytes are needed by ", panel.label));
    prose.append(cheapest(axis, panel, roster));
    if study.panels.len() > 1 {
        prose.text(" (other panels: table below)");
    }
    prose.text(". ");
    let points = compared(axis, panel);
    let (wins, _) = tally(points.iter().copied(), roster);
    if let Some((leader, _)) = wins.first() {
        let mut prices: Vec<(f64, &Point<'_>)> = points
            .iter()
            .filter_map(|point| Some((point.cells.get(leader)?.bytes.mid, *point)))
            .filter(|(bytes, _)| bytes.is_finite())
            .collect();
        prices.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        if let (Some((low, at_low)), Some((high, at_high))) = (prices.first(), prices.last()) {
            prose.text("Along the axis, ").contender(roster, *leader);
            prose.text(if low == high {
                format!(" stays at {} a session", format::bytes(*low))
            } else {
                let name = axis_name(axis);
                let (at_low, at_high) = (&at_low.x_label, &at_high.x_label);
                let (low, high) = (format::bytes(*low), format::bytes(*high));
                format!(" moves from {low} ({name} {at_low}) to {high} ({name} {at_high})")
            });
            prose.text("; ");
        }
    }
    let all = study.outcomes.values().fold(Outcomes::default(), |sum, one| sum.merged(*one));
    prose.text(format!(
        "{} of {} in this sweep did not reach the truth.",
        format::count(all.failures()),
        format::counted(all.trials(), "session", "sessions")
    ));
    prose
}
