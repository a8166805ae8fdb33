//! What the exponents of a group's costs are, over all sweeps of an experiment that vary its size.

use std::collections::BTreeMap;

use super::place::{Dim, GroupPlace};
use super::{GroupCell, GroupPoint};
use crate::fit::{Fit, NoFit, Observation, power_law};
use crate::format;
use crate::record::{GroupAxis, GroupRow};
use crate::study::Part;

/// What is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// All bytes.
    All,
    /// Bytes beside bodies.
    Overhead,
    /// Bodies of messages.
    Bodies,
    /// Bodies that arrived where they were held already.
    Redundant,
    /// CPU time.
    Cpu,
}

/// All of them, as tables come.
pub const COSTS: [Cost; 5] = [Cost::All, Cost::Overhead, Cost::Bodies, Cost::Redundant, Cost::Cpu];

impl Cost {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all bytes",
            Self::Overhead => "bytes beside bodies",
            Self::Bodies => "bodies",
            Self::Redundant => "bodies received for nothing",
            Self::Cpu => "CPU time",
        }
    }
}

/// Who pays it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payer {
    /// A member, on average: sent and received.
    Member,
    /// All members together: sent.
    Network,
}

/// Both.
pub const PAYERS: [Payer; 2] = [Payer::Member, Payer::Network];

impl Payer {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Member => "a member",
            Self::Network => "the network",
        }
    }
}

/// Cost of a day. Records tell kinds apart where bytes are sent; a member's part of what it sends and
/// receives is taken in proportion.
pub fn day(row: &GroupRow, cpu_ns: Option<u64>, cost: Cost, payer: Payer) -> Option<f64> {
    let members = f64::from(row.n.max(1));
    let sent = row.sent_bytes;
    let part = match cost {
        Cost::All => sent.total(),
        Cost::Overhead => sent.overhead(),
        Cost::Bodies => sent.body,
        Cost::Redundant => {
            let all = row.redundant_bytes as f64 / row.days();
            return Some(if payer == Payer::Member { all / members } else { all });
        }
        Cost::Cpu => {
            let all = cpu_ns? as f64 / row.days();
            return Some(if payer == Payer::Member { all / members } else { all });
        }
    };
    Some(match payer {
        Payer::Network => part as f64 / row.days(),
        Payer::Member if sent.total() == 0 => 0.0,
        Payer::Member => row.member_day_bytes() * (part as f64 / sent.total() as f64),
    })
}

/// The cost at every replicate of a cell; none where it was not measured.
pub fn costs(cell: &GroupCell<'_>, cost: Cost, payer: Payer) -> Vec<f64> {
    let rows = cell.rows.iter().zip(&cell.cpu_ns);
    rows.filter_map(|(row, cpu)| day(row, *cpu, cost, payer)).collect()
}

/// Mean of a count over the replicates of a cell.
pub fn mean(cell: &GroupCell<'_>, count: impl Fn(&GroupRow) -> u64) -> f64 {
    cell.rows.iter().map(|row| count(row) as f64).sum::<f64>() / cell.rows.len().max(1) as f64
}

/// Axes of the law, in the order in which they are taken; of two that move together, the later goes.
pub const AXES: [&str; 3] = ["N", "K", "M"];

/// A point takes part in a law if it delivers at least this part of what the best point does.
pub const PART: f64 = 0.5;

/// A law of one contender, or why there is none.
pub type Law = Result<Fit<3>, NoFit>;

/// The laws under one set of conditions.
#[derive(Debug)]
pub struct Exponents {
    /// Workload, presence and everything else that is no axis of the law.
    pub conditions: String,
    /// Least and most of N, K and M.
    pub ranges: [(u64, u64); 3],
    /// Least share of deliveries, of any point and contender.
    pub delivered_min: f64,
    /// Points that take no part, since even who delivered most there delivered less than [`PART`] of what was
    /// delivered elsewhere: a group that falls apart is cheap by not doing its work.
    pub left_out: Vec<String>,
    /// By contender, cost and payer. Costs that were not measured have none.
    pub laws: BTreeMap<(usize, Cost, Payer), Law>,
}

/// Conditions that are no axis of the law. Points at which nothing is written are a law of their own.
fn conditions(place: &GroupPlace<'_>) -> Vec<String> {
    let mut words: Vec<String> = [Dim::Workload, Dim::Presence, Dim::Mode, Dim::Acks, Dim::Link, Dim::Relays]
        .map(|dim| place.text(dim))
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    words.push(format!("sharing {}", place.text(Dim::Policy)));
    if place.sharing.starts_with("random") || matches!(place.sharing.as_str(), "all" | "log2") {
        words.pop();
        words.push("members choose at random, or all share with all".to_owned());
    }
    if place.written == 0 {
        words.push("nothing written".to_owned());
    }
    words
}

/// The laws of an experiment, one set for each set of conditions under which at least two axes' worth of
/// points were measured. Only sweeps over N, K, M and history: others vary what is no axis of the law.
pub fn exponents(part: &Part<'_>) -> Vec<Exponents> {
    let sizes = [GroupAxis::N, GroupAxis::K, GroupAxis::M, GroupAxis::History];
    let mut sets: Vec<(Vec<String>, Vec<&GroupPoint<'_>>)> = Vec::new();
    for study in part.groups.iter().filter(|study| sizes.contains(&study.sweep.axis)) {
        for point in study.points() {
            let words = conditions(&point.place);
            match sets.iter_mut().find(|(known, _)| *known == words) {
                Some((_, points)) => points.push(point),
                None => sets.push((words, vec![point])),
            }
        }
    }
    let studied = sets.into_iter().map(|(words, points)| set(&words, &points));
    studied.filter(|set| set.laws.values().any(Result::is_ok)).collect()
}

/// The share that was delivered at a point by who delivered most.
fn best(point: &GroupPoint<'_>) -> f64 {
    point.cells.values().map(GroupCell::delivered).fold(0.0, f64::max)
}

fn set(words: &[String], points: &[&GroupPoint<'_>]) -> Exponents {
    let most = points.iter().map(|point| best(point)).fold(0.0, f64::max);
    let (points, poor): (Vec<&GroupPoint<'_>>, Vec<_>) =
        points.iter().copied().partition(|point| best(point) >= PART * most);
    let left_out = poor.iter().map(|point| {
        let GroupRow { n, k, m, .. } = *point.place;
        let share = format::percent(best(point));
        format!("N = {}, K = {k}, M = {} ({share} delivered)", format::count(n.into()), format::count(m))
    });
    let left_out = left_out.collect();
    let points = &points[..];
    let mut laws = BTreeMap::new();
    let mut contenders: Vec<usize> = points.iter().flat_map(|point| point.cells.keys().copied()).collect();
    contenders.sort_unstable();
    contenders.dedup();
    for index in contenders {
        for cost in COSTS {
            for payer in PAYERS {
                let observed = observations(points, index, cost, payer);
                if observed.iter().any(|one| one.costs.iter().any(|cost| *cost > 0.0)) {
                    laws.insert((index, cost, payer), power_law(&observed));
                }
            }
        }
    }
    let range = |value: fn(&GroupPlace<'_>) -> u64| {
        let values = points.iter().map(|point| value(&point.place));
        values.fold((u64::MAX, 0), |(low, high), value| (low.min(value), high.max(value)))
    };
    Exponents {
        conditions: words.join(", "),
        ranges: [
            range(|place| u64::from(place.n)),
            range(|place| u64::from(place.k)),
            range(|place| place.m),
        ],
        delivered_min: points
            .iter()
            .flat_map(|point| point.cells.values())
            .map(GroupCell::delivered)
            .fold(1.0, f64::min),
        left_out,
        laws,
    }
}

fn observations(points: &[&GroupPoint<'_>], index: usize, cost: Cost, payer: Payer) -> Vec<Observation<3>> {
    let cells = points.iter().filter_map(|point| Some((point, point.cells.get(&index)?)));
    cells
        .map(|(point, cell)| Observation {
            costs: costs(cell, cost, payer),
            at: [f64::from(point.place.n), f64::from(point.place.k), mean(cell, |row| row.m)],
        })
        .collect()
}
