//! The sweeps over groups in one matrix: a row a contender, a column a sweep. The page and the terminal print it.

use std::collections::BTreeMap;

use super::cell::ratio;
use super::winner::winner;
use crate::stats::Interval;
use crate::study::Study;

/// A sweep, seen from its reference point.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupColumn {
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the sweep.
    pub name: String,
    /// The reference point in words.
    pub at: String,
    /// Its sizes alone.
    pub brief: String,
    /// Its number in the grid.
    pub point: u32,
}

/// What a member pays at a reference point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupPrice {
    /// Bytes a member and day.
    pub bytes: Interval,
    /// Share of deliveries that took place.
    pub delivered: f64,
    /// Whether nobody who delivers as much pays less.
    pub best: bool,
}

/// A contender.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupEntry {
    /// Which.
    pub index: usize,
    /// Under [`GroupDigest::columns`].
    pub prices: Vec<Option<GroupPrice>>,
    /// Share of all deliveries due that took place, over all sweeps.
    pub delivered: Option<f64>,
    /// Trials.
    pub trials: u64,
    /// Of these, wrong.
    pub wrong: u64,
}

/// The matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupDigest {
    /// By experiment, as the header orders them.
    pub columns: Vec<GroupColumn>,
    /// By family.
    pub entries: Vec<GroupEntry>,
}

impl GroupDigest {
    /// Reads it off a study.
    pub fn new(study: &Study<'_>) -> Self {
        let mut columns = Vec::new();
        let mut prices: BTreeMap<usize, BTreeMap<usize, GroupPrice>> = BTreeMap::new();
        for (part, sweep) in study.groups() {
            let Some((_, point)) = sweep.reference() else { continue };
            let best = winner(point, &study.roster).map(|best| best.index);
            for (index, cell) in &point.cells {
                let price = GroupPrice {
                    bytes: cell.member_day,
                    delivered: cell.delivered(),
                    best: best == Some(*index),
                };
                prices.entry(*index).or_default().insert(columns.len(), price);
            }
            columns.push(GroupColumn {
                experiment: part.experiment.name().to_owned(),
                name: sweep.sweep.name.clone(),
                at: point.place.words(),
                brief: point.place.brief(),
                point: point.number,
            });
        }
        // Trials, wrong ones, deliveries, and those due.
        let mut sums: BTreeMap<usize, [u64; 4]> = BTreeMap::new();
        for (index, cell) in
            study.groups().flat_map(|(_, sweep)| sweep.points()).flat_map(|point| &point.cells)
        {
            let sum = sums.entry(*index).or_default();
            let more = [
                cell.rows.len() as u64,
                cell.wrong,
                cell.sum(|row| row.delivered),
                cell.sum(|row| row.needed),
            ];
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(more));
        }
        let entries = sums.into_iter().map(|(index, [trials, wrong, delivered, needed])| GroupEntry {
            index,
            prices: (0..columns.len()).map(|at| prices.get(&index)?.get(&at).copied()).collect(),
            delivered: ratio(delivered, needed),
            trials,
            wrong,
        });
        Self { entries: entries.collect(), columns }
    }
}
