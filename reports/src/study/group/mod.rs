//! What the rows of group trials say: the same tree as for sessions, with a group's quantities in its cells.

pub mod bands;
pub mod cell;
pub mod claims;
pub mod coverage;
pub mod digest;
pub mod exponents;
pub mod panel;
pub mod place;
pub mod predict;
pub mod reading;
pub mod winner;

use std::collections::{BTreeMap, BTreeSet};

use super::Roster;
use crate::book::Experiment;
use crate::record::{GroupAxis, GroupRow, GroupSweep};
pub use cell::GroupCell;
pub use panel::{GroupPanel, GroupPoint};

/// One sweep over groups with all its points.
#[derive(Debug)]
pub struct GroupStudy<'a> {
    /// As the header describes it.
    pub sweep: &'a GroupSweep,
    /// Contenders that appear in it.
    pub contenders: Vec<usize>,
    /// Its charts, in the order of the grid.
    pub panels: Vec<GroupPanel<'a>>,
    /// Trials that some contender ran and others lack, by contender.
    pub missing: BTreeMap<usize, u64>,
}

impl<'a> GroupStudy<'a> {
    /// The panel and point by which contenders are compared in summaries: the last point of an axis that
    /// grows, the middle of any other; in the last panel that has something written.
    pub fn reference(&self) -> Option<(&GroupPanel<'a>, &GroupPoint<'a>)> {
        let busy = self.panels.iter().rev().find(|panel| !panel.idle());
        let panel = busy.or(self.panels.last())?;
        Some((panel, self.middle(panel)?))
    }

    /// The point of a panel by which its contenders are compared in detail.
    pub fn middle<'p>(&self, panel: &'p GroupPanel<'a>) -> Option<&'p GroupPoint<'a>> {
        match self.sweep.axis {
            GroupAxis::N | GroupAxis::M | GroupAxis::History | GroupAxis::Away => panel.points.last(),
            _ => panel.points.get(panel.points.len() / 2),
        }
    }

    /// All points of all panels.
    pub fn points(&self) -> impl Iterator<Item = &GroupPoint<'a>> {
        self.panels.iter().flat_map(|panel| &panel.points)
    }
}

/// The sweeps over groups of one experiment, in the header's order, and the names of those without rows.
pub fn groups<'a>(experiment: &'a Experiment, roster: &Roster<'a>) -> (Vec<GroupStudy<'a>>, Vec<&'a str>) {
    let mut times: BTreeMap<(&str, u32, u32, &str), u64> = BTreeMap::new();
    for row in experiment.cpu_rows() {
        times.insert((&row.sweep, row.point, row.replicate, &row.spec), row.cpu_ns);
    }
    let mut rows: BTreeMap<&str, Vec<(&GroupRow, Option<u64>)>> = BTreeMap::new();
    for row in experiment.group_rows() {
        let trial = (row.sweep.as_str(), row.point, row.replicate, row.spec.as_str());
        rows.entry(&row.sweep).or_default().push((row, times.get(&trial).copied()));
    }
    let (mut studies, mut empty) = (Vec::new(), Vec::new());
    for sweep in experiment.groups() {
        match rows.remove(sweep.name.as_str()) {
            Some(rows) => studies.push(study(sweep, &rows, roster)),
            None => empty.push(sweep.name.as_str()),
        }
    }
    (studies, empty)
}

fn study<'a>(
    sweep: &'a GroupSweep,
    rows: &[(&'a GroupRow, Option<u64>)],
    roster: &Roster<'a>,
) -> GroupStudy<'a> {
    // A contender may be left out of large points on purpose; what it lacks of a point that it ran is missing.
    let mut replicates: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut ran: BTreeMap<(usize, u32), u64> = BTreeMap::new();
    for (row, _) in rows {
        replicates.entry(row.point).or_default().insert(row.replicate);
        if let Some(index) = roster.index(&row.spec) {
            *ran.entry((index, row.point)).or_default() += 1;
        }
    }
    let mut missing: BTreeMap<usize, u64> = BTreeMap::new();
    for ((index, point), count) in &ran {
        let lacking = replicates.get(point).map_or(0, |all| all.len() as u64).saturating_sub(*count);
        if lacking > 0 {
            *missing.entry(*index).or_default() += lacking;
        }
    }
    let contenders: BTreeSet<usize> = ran.keys().map(|(index, _)| *index).collect();
    GroupStudy {
        sweep,
        contenders: contenders.into_iter().collect(),
        panels: panel::panels(sweep.axis, panel::points(sweep.axis, rows, roster)),
        missing,
    }
}
