//! Points of a sweep, and how they fall into charts.
//!
//! A record does not say which chart it belongs to, and need not: a chart shows points that differ
//! along the sweep's axis only. Whatever else varies (M in a sweep over d, the pattern, the window) splits
//! a sweep into panels. In a sweep over M, d may stay or grow with M; [`panels`] takes the coarsest
//! split in which no panel holds two points with the same x.

use std::collections::{BTreeMap, BTreeSet};

use super::Roster;
use super::cell::{Cell, Times};
use crate::bounds::{Sides, interactive_bits};
use crate::format;
use crate::record::{Axis, ExactRow, TimedRow};

/// Where a point lies. Of the replicate with the middle d, where replicates differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Workload.
    pub workload: String,
    /// Pattern of the difference.
    pub pattern: String,
    /// Items in the union, and the sides of the difference.
    pub sides: Sides,
    /// Items in the difference.
    pub d: u64,
    /// Members of the group.
    pub n: u32,
    /// Members that each shares with.
    pub k: u32,
    /// Window.
    pub window: u32,
    /// Factor of the hint.
    pub guess: Option<f64>,
    /// Absence.
    pub absence_ms: Option<u64>,
}

impl Place {
    /// Whether the interactive floor applies: it is a statement on uniformly random differences.
    pub fn uniform(&self) -> bool {
        self.pattern == "scattered" && self.workload == "synthetic"
    }

    /// The floor in bytes, where it applies.
    pub fn floor_bytes(&self) -> Option<f64> {
        self.uniform().then(|| interactive_bits(self.sides) / 8.0)
    }

    /// d/M; 0 for empty sets.
    pub fn ratio(&self) -> f64 {
        if self.sides.m == 0 { 0.0 } else { self.d as f64 / self.sides.m as f64 }
    }

    /// All of it in words, for captions.
    pub fn words(&self) -> String {
        let mut words =
            format!("M = {}, d = {}, {}", format::count(self.sides.m), format::count(self.d), self.pattern);
        if self.workload != "synthetic" {
            words += &format!(", {}", self.workload);
        }
        words += &format!(", window {}", self.window);
        if let Some(guess) = self.guess {
            words += &format!(", guess × {}", format::figure(guess));
        }
        if let Some(absence) = self.absence_ms {
            words += &format!(", away {}", format::span_ms(absence));
        }
        words
    }
}

/// One point of a sweep with all its contenders.
#[derive(Debug)]
pub struct Point<'a> {
    /// Where it lies.
    pub place: Place,
    /// Position along the axis.
    pub x: f64,
    /// The same for people.
    pub x_label: String,
    /// By contender.
    pub cells: BTreeMap<usize, Cell<'a>>,
}

/// The points of one chart, by growing x.
#[derive(Debug)]
pub struct Panel<'a> {
    /// What sets it apart from the other panels: `M = 10 000, scattered`.
    pub label: String,
    /// At least one.
    pub points: Vec<Point<'a>>,
}

impl<'a> Panel<'a> {
    /// Points with a difference; on a log axis the others have no place.
    pub fn positive(&self) -> impl Iterator<Item = &Point<'a>> {
        self.points.iter().filter(|point| point.place.d > 0)
    }

    /// The point in the middle, of those with a difference if there are any.
    pub fn middle(&self) -> Option<&Point<'a>> {
        let positive: Vec<&Point<'a>> = self.positive().collect();
        positive.get(positive.len() / 2).copied().or_else(|| self.points.get(self.points.len() / 2))
    }
}

/// Sorts the rows of one sweep into points and cells.
pub fn points<'a>(
    axis: Axis,
    rows: &[&'a ExactRow],
    times: &[&'a TimedRow],
    roster: &Roster<'a>,
) -> Vec<Point<'a>> {
    let mut grid: BTreeMap<u32, BTreeMap<usize, Vec<&ExactRow>>> = BTreeMap::new();
    for row in rows {
        if let Some(index) = roster.index(&row.spec) {
            grid.entry(row.point).or_default().entry(index).or_default().push(row);
        }
    }
    let mut clock: BTreeMap<(u32, usize), Times> = BTreeMap::new();
    for row in times {
        if let Some(index) = roster.index(&row.spec) {
            clock.entry((row.point, index)).or_default().add(row);
        }
    }
    let mut patterns: Vec<String> = Vec::new();
    let mut points = Vec::new();
    for (number, cells) in grid {
        let Some(place) = place(cells.values().flatten().copied()) else { continue };
        if !patterns.contains(&place.pattern) {
            patterns.push(place.pattern.clone());
        }
        let cells = cells
            .into_iter()
            .map(|(index, rows)| (index, Cell::new(rows, clock.remove(&(number, index)).unwrap_or_default())))
            .collect();
        let (x, x_label) = position(axis, &place, &patterns);
        points.push(Point { place, x, x_label, cells });
    }
    points
}

fn place<'a>(rows: impl Iterator<Item = &'a ExactRow>) -> Option<Place> {
    let mut replicates: BTreeMap<u32, &ExactRow> = BTreeMap::new();
    for row in rows {
        replicates.entry(row.replicate).or_insert(row);
    }
    let mut by_d: Vec<&ExactRow> = replicates.into_values().collect();
    by_d.sort_by_key(|row| (row.d, row.replicate));
    let row = by_d.get(by_d.len() / 2)?;
    Some(Place {
        workload: row.workload.clone(),
        pattern: row.pattern.clone(),
        sides: Sides { m: row.m, d_initiator: row.d_initiator, d_responder: row.d_responder },
        d: row.d,
        n: row.n,
        k: row.k,
        window: row.window,
        guess: row.guess,
        absence_ms: row.absence_ms,
    })
}

fn position(axis: Axis, place: &Place, patterns: &[String]) -> (f64, String) {
    match axis {
        Axis::M => (place.sides.m as f64, format::count(place.sides.m)),
        Axis::D => (place.d as f64, format::count(place.d)),
        // Negative, so that x grows with similarity.
        Axis::Similarity => (-place.ratio(), format::similarity(place.sides.m as f64, place.d as f64)),
        Axis::Window => (f64::from(place.window), format::count(u64::from(place.window))),
        Axis::Guess => {
            let guess = place.guess.unwrap_or(1.0);
            (guess, format!("× {}", format::figure(guess)))
        }
        Axis::Pattern => {
            let place_of = patterns.iter().position(|pattern| *pattern == place.pattern);
            (place_of.unwrap_or_default() as f64, place.pattern.clone())
        }
        Axis::Absence => {
            let absence = place.absence_ms.unwrap_or_default();
            (absence as f64, format::span_ms(absence))
        }
        // Sweeps over attacks have a study of their own.
        Axis::Attack => (0.0, "attack".to_owned()),
    }
}

/// What a panel has in common. Ordered, so that panels come by growing M, then d.
type Key = (u64, u64, u64, String, String, u32, u64, u32, u32);

/// Which of M, d and d/M a split looks at.
#[derive(Clone, Copy)]
struct Split {
    m: bool,
    d: bool,
    ratio: bool,
}

fn key(axis: Axis, place: &Place, split: Split) -> Key {
    (
        if split.m { place.sides.m } else { 0 },
        if split.d { place.d } else { 0 },
        if split.ratio { (place.ratio() * 1e6).round() as u64 } else { 0 },
        place.workload.clone(),
        if axis == Axis::Pattern { String::new() } else { place.pattern.clone() },
        if axis == Axis::Window { 0 } else { place.window },
        // Positive floats order like their bits.
        if axis == Axis::Guess { 0 } else { place.guess.unwrap_or(0.0).to_bits() },
        place.n,
        place.k,
    )
}

/// Splits points into panels.
pub fn panels(axis: Axis, points: Vec<Point<'_>>) -> Vec<Panel<'_>> {
    let along_d = matches!(axis, Axis::D | Axis::Similarity);
    let splits = [(false, false, false), (false, false, true), (false, true, false), (true, false, false)]
        .into_iter()
        .chain([(true, false, true), (true, true, false)])
        .map(|(m, d, ratio)| Split { m: m || along_d, d: d && !along_d, ratio: ratio && !along_d });
    let mut best: Option<(usize, Split)> = None;
    for split in splits {
        let mut xs: BTreeSet<(Key, u64)> = BTreeSet::new();
        let unique =
            points.iter().all(|point| xs.insert((key(axis, &point.place, split), point.x.to_bits())));
        let count = xs.iter().map(|(key, _)| key).collect::<BTreeSet<_>>().len();
        if unique && best.is_none_or(|(fewest, _)| count < fewest) {
            best = Some((count, split));
        }
    }
    // Points that even the finest split cannot tell apart share a panel; their tables name each.
    let split = best.map_or(Split { m: true, d: !along_d, ratio: false }, |(_, split)| split);
    let mut grouped: BTreeMap<Key, Vec<Point<'_>>> = BTreeMap::new();
    for point in points {
        grouped.entry(key(axis, &point.place, split)).or_default().push(point);
    }
    let mut panels: Vec<Panel<'_>> = grouped
        .into_values()
        .map(|mut points| {
            points.sort_by(|a, b| a.x.total_cmp(&b.x));
            Panel { label: String::new(), points }
        })
        .collect();
    label(axis, &mut panels);
    panels
}

/// Names each panel by what all its points share.
fn label(axis: Axis, panels: &mut [Panel<'_>]) {
    for panel in panels.iter_mut() {
        let places: Vec<&Place> = panel.points.iter().map(|point| &point.place).collect();
        let Some(first) = places.first() else { continue };
        let mut parts: Vec<String> = Vec::new();
        if axis != Axis::M && places.iter().all(|place| place.sides.m == first.sides.m) {
            parts.push(format!("M = {}", format::count(first.sides.m)));
        }
        let same_d = places.iter().all(|place| place.d == first.d);
        let same_ratio = places.iter().all(|place| (place.ratio() - first.ratio()).abs() < 1e-6);
        if axis != Axis::D && same_d {
            parts.push(format!("d = {}", format::count(first.d)));
        } else if axis == Axis::M && same_ratio {
            parts.push(format!("d/M = {}", format::percent(first.ratio())));
        }
        if axis != Axis::Pattern {
            parts.push(first.pattern.clone());
        }
        if first.workload != "synthetic" {
            parts.push(first.workload.clone());
        }
        if axis != Axis::Window {
            parts.push(format!("window {}", first.window));
        }
        if let (true, Some(guess)) = (axis != Axis::Guess, first.guess) {
            parts.push(format!("guess × {}", format::figure(guess)));
        }
        if (first.n, first.k) != (2, 1) {
            parts.push(format!("N = {}, K = {}", first.n, first.k));
        }
        panel.label = parts.join(", ");
    }
}
