//! Facts that outrank every chart: wrong results, impossible byte counts, failures, and what the harness costs.

use std::collections::BTreeMap;

use super::{Outcomes, Part, Study};
use crate::book::Run;
use crate::bounds::{Sides, interactive_bits};
use crate::read::EMPTY_SPEC;
use crate::record::{ExactRow, Outcome, Timed, TimedRow};
use crate::stats::median;

/// A row with the file it stands in.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// The file.
    pub file: &'a str,
    /// Its line, from 1.
    pub line: u64,
    /// The row.
    pub row: &'a ExactRow,
}

fn placed<'a>(study: &Study<'a>) -> impl Iterator<Item = Placed<'a>> {
    study.book.experiments().iter().flat_map(|one| {
        one.exact_rows().iter().enumerate().map(|(index, row)| Placed {
            file: one.exact().map_or("", Run::name),
            line: index as u64 + 2,
            row,
        })
    })
}

/// Rows that invented or missed an item against their promise.
pub fn wrong<'a>(study: &Study<'a>) -> Vec<Placed<'a>> {
    placed(study).filter(|one| one.row.outcome == Outcome::Wrong).collect()
}

/// The floor of a row in bytes, where it applies.
pub fn floor_bytes(row: &ExactRow) -> Option<f64> {
    let sides = Sides { m: row.m, d_initiator: row.d_initiator, d_responder: row.d_responder };
    let uniform = row.pattern == "scattered" && row.workload == "synthetic";
    uniform.then(|| interactive_bits(sides) / 8.0)
}

/// Sessions that reached the truth with fewer bytes than any scheme can on a random difference. Not a
/// triumph but a fault of the accounting; contenders that are told d are no exception, since the floor
/// grants that both know d.
pub fn below_floor<'a>(study: &Study<'a>) -> Vec<Placed<'a>> {
    placed(study)
        .filter(|one| one.row.succeeded())
        .filter(|one| {
            // A thousandth covers the rounding of the floor itself.
            floor_bytes(one.row).is_some_and(|floor| (one.row.bytes_total() as f64) < floor * 0.999)
        })
        .collect()
}

/// Failures of one contender in one sweep for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Sweep.
    pub sweep: String,
    /// Contender.
    pub index: usize,
    /// `GaveUp` or `Wrong`.
    pub outcome: Outcome,
    /// As the row says.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// Of how many sessions.
    pub trials: u64,
    /// Smallest and largest d among them.
    pub d: (u64, u64),
}

/// Every failure of an experiment, grouped.
pub fn failures(part: &Part<'_>, study: &Study<'_>) -> Vec<Failure> {
    // By sweep, contender, outcome and reason: how many, and the smallest and largest d.
    type Reasons<'r> = BTreeMap<(usize, usize, Outcome, &'r str), (u64, u64, u64)>;
    let mut groups: Reasons<'_> = BTreeMap::new();
    let sweep_place: BTreeMap<&str, usize> =
        part.sweeps.iter().enumerate().map(|(place, one)| (one.sweep.name.as_str(), place)).collect();
    for row in part.experiment.exact_rows().iter().filter(|row| !row.succeeded()) {
        let (Some(place), Some(index)) = (sweep_place.get(row.sweep.as_str()), study.roster.index(&row.spec))
        else {
            continue;
        };
        let reason = row.reason.as_deref().unwrap_or("no reason given");
        let group = groups.entry((*place, index, row.outcome, reason)).or_insert((0, row.d, row.d));
        *group = (group.0 + 1, group.1.min(row.d), group.2.max(row.d));
    }
    groups
        .into_iter()
        .map(|((place, index, outcome, reason), (count, low, high))| Failure {
            sweep: part.sweeps[place].sweep.name.clone(),
            index,
            outcome,
            reason: reason.to_owned(),
            count,
            trials: part.sweeps[place].outcomes.get(&index).map_or(0, Outcomes::trials),
            d: (low, high),
        })
        .collect()
}

/// What the harness itself costs, beside what it measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overhead {
    /// Median of a session that sends one empty frame, in ns.
    pub empty_ns: f64,
    /// Median over the measured sessions' medians, in ns.
    pub session_ns: f64,
    /// The shortest of the measured sessions' medians, in ns: where the harness weighs most.
    pub session_ns_min: f64,
}

/// The overhead of an experiment, if it timed empty sessions and others.
pub fn overhead(part: &Part<'_>) -> Option<Overhead> {
    let per_run = |row: &TimedRow| {
        let samples: Vec<f64> =
            row.samples_ns.iter().map(|ns| *ns as f64 / f64::from(row.batch.max(1))).collect();
        median(&samples)
    };
    let medians = |empty: bool| -> Vec<f64> {
        let rows = part.experiment.timed_rows().iter();
        rows.filter(|row| match row.timed {
            Timed::Empty => empty,
            Timed::Session => !empty && row.spec != EMPTY_SPEC,
            Timed::Build | Timed::Insert | Timed::Victim => false,
        })
        .filter_map(per_run)
        .collect()
    };
    let sessions = medians(false);
    Some(Overhead {
        empty_ns: median(&medians(true))?,
        session_ns: median(&sessions)?,
        session_ns_min: sessions.iter().copied().fold(f64::INFINITY, f64::min),
    })
}
