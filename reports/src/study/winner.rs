//! Who is cheapest where, and where the lead changes hands.
//!
//! A contender may win a point only if it promises the whole difference (one that may miss items did less),
//! if it can be deployed (it is not told d), if it was never wrong in the whole book, and if none of its
//! sessions at the point failed: bytes of a strategy that sometimes does not finish are no price. Ties are named: whoever's interval meets the winner's may as well have
//! won.

use std::collections::BTreeMap;

use super::panel::{Panel, Point};
use super::{Cell, Roster};
use crate::decide::cross::{Pair, between};
use crate::record::{Axis, ExactRow};
use crate::stats::Interval;

/// The cheapest at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Winner {
    /// Contender.
    pub index: usize,
    /// Those whose intervals meet the winner's.
    pub ties: Vec<usize>,
    /// The second, and how many times the winner's bytes it takes.
    pub runner_up: Option<(usize, f64)>,
}

/// A run of neighbouring points with one winner.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Contender.
    pub index: usize,
    /// First point, as an index into the points given.
    pub first: usize,
    /// Last point.
    pub last: usize,
    /// Points at which somebody else's interval meets the winner's.
    pub tied: usize,
    /// Where the next region takes over.
    pub crossing: Option<Crossing>,
}

/// Between which x the lead changes, and where if the lines can be interpolated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// Last x of the old winner.
    pub below: f64,
    /// First x of the new one.
    pub above: f64,
    /// Crossing of the log-log lines through the medians, with a bootstrap interval. `None` on axes that
    /// are not of numbers, or where one of the two failed.
    pub at: Option<Interval>,
}

/// The cheapest contender at a point.
pub fn winner(point: &Point<'_>, roster: &Roster<'_>) -> Option<Winner> {
    let mut field: Vec<(usize, &Cell<'_>)> = point
        .cells
        .iter()
        .filter(|(index, cell)| roster.eligible(**index) && cell.outcomes.failures() == 0)
        .map(|(index, cell)| (*index, cell))
        .collect();
    field.sort_by(|(_, a), (_, b)| a.bytes.mid.total_cmp(&b.bytes.mid));
    let (index, best) = *field.first()?;
    let ties = field
        .iter()
        .skip(1)
        .filter(|(_, cell)| cell.bytes.overlaps(&best.bytes))
        .map(|(index, _)| *index)
        .collect();
    let runner_up = field.get(1).map(|(second, cell)| (*second, cell.bytes.mid / best.bytes.mid));
    Some(Winner { index, ties, runner_up })
}

/// Splits points, by growing x, into regions of one winner. Points without a winner end a region.
pub fn regions(axis: Axis, points: &[&Point<'_>], roster: &Roster<'_>) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    for (place, point) in points.iter().enumerate() {
        let Some(best) = winner(point, roster) else { continue };
        let tied = usize::from(!best.ties.is_empty());
        match regions.last_mut() {
            // A lead within the interval does not end a region, else noise would cut it into shreds.
            Some(region)
                if region.last + 1 == place
                    && (region.index == best.index || best.ties.contains(&region.index)) =>
            {
                region.last = place;
                region.tied += tied;
            }
            previous => {
                if let Some(region) = previous {
                    region.crossing =
                        Some(crossing(axis, points[region.last], point, region.index, best.index));
                }
                regions.push(Region { index: best.index, first: place, last: place, tied, crossing: None });
            }
        }
    }
    regions
}

fn crossing(axis: Axis, left: &Point<'_>, right: &Point<'_>, old: usize, new: usize) -> Crossing {
    let at = if matches!(axis, Axis::M | Axis::D) && left.x > 0.0 {
        interpolated(left, right, old, new)
    } else {
        None
    };
    Crossing { below: left.x, above: right.x, at }
}

fn interpolated(left: &Point<'_>, right: &Point<'_>, old: usize, new: usize) -> Option<Interval> {
    let pair = |point: &Point<'_>| {
        let (below, above) = paired(point.cells.get(&old)?, point.cells.get(&new)?);
        Some(Pair { x: point.x, below, above })
    };
    between(&[(&pair(left)?, &pair(right)?)])
}

/// Bytes of the replicates that both ran, failed ones infinite.
fn paired(old: &Cell<'_>, new: &Cell<'_>) -> (Vec<f64>, Vec<f64>) {
    let bytes = |row: &ExactRow| if row.succeeded() { row.bytes_total() as f64 } else { f64::INFINITY };
    let theirs: BTreeMap<(u32, u64), f64> =
        new.rows.iter().map(|row| ((row.replicate, row.seed), bytes(row))).collect();
    let both = |row: &&ExactRow| Some((bytes(row), *theirs.get(&(row.replicate, row.seed))?));
    old.rows.iter().filter_map(both).unzip()
}

/// The panel from which the first sentence is read: over d before other axes, random differences before
/// others, then the most messages.
pub fn rank(axis: Axis, panel: &Panel<'_>) -> (u8, bool, u64, usize) {
    let axis = match axis {
        Axis::D => 6,
        Axis::Similarity => 5,
        Axis::M => 4,
        Axis::Absence => 3,
        Axis::Pattern => 2,
        Axis::Window | Axis::Guess | Axis::Attack => 1,
    };
    let uniform = panel.points.iter().all(|point| point.place.uniform());
    let m = panel.points.iter().map(|point| point.place.sides.m).max().unwrap_or(0);
    (axis, uniform, m, panel.points.len())
}
