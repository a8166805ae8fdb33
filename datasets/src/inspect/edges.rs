//! What messages refer to: replies in a chat, parents in a git history.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Dist, times};
use crate::{Annotated, Kind, Trace};

/// How many messages back the nearest parent is looked for.
pub const WITHIN: [u32; 6] = [1, 3, 5, 10, 50, 100];

/// What messages reply to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replies {
    /// Messages whose replies were annotated.
    pub annotated: u64,
    /// Share of these with 0, 1, 2, and 3 parents or more.
    pub parents: [f64; 4],
    /// Share of those that reply whose nearest parent is among the last so many messages: see [`WITHIN`].
    pub within: [f64; 6],
    /// From a parent to its reply, in seconds.
    pub lag_s: Dist,
}

/// The graph of a git history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Graph {
    /// Commits without parents.
    pub roots: u64,
    /// Share of commits with several parents.
    pub merges: f64,
    /// Commits that nothing builds upon yet, after each commit: how many ends the history has at once.
    pub heads: Dist,
    /// Share of commits with a parent whose nearest parent is among the last so many: see [`WITHIN`].
    pub within: [f64; 6],
}

/// For whole numbers of which most are small: how often each occurs.
type Counts = BTreeMap<u32, u64>;

fn within(distances: &Counts) -> [f64; 6] {
    let total = distances.values().sum::<u64>().max(1) as f64;
    WITHIN.map(|k| distances.range(..=k).map(|(_, count)| count).sum::<u64>() as f64 / total)
}

/// For each message whether its replies were annotated. A header may name many segments that overlap: each costs the
/// same, however long it is.
fn annotated(trace: &Trace) -> Vec<bool> {
    let header = trace.header();
    if header.annotated != Annotated::Partial {
        return vec![header.annotated == Annotated::All; trace.len()];
    }
    let mut changes = vec![0_i32; trace.len() + 1];
    for segment in &header.segments {
        let (first, end) =
            (segment.annotated_from.unwrap_or(u64::MAX).max(segment.first), segment.first + segment.n);
        if first < end {
            changes[first as usize] += 1;
            changes[end as usize] -= 1;
        }
    }
    let inside = changes.iter().scan(0, |depth, change| {
        *depth += change;
        Some(*depth > 0)
    });
    inside.take(trace.len()).collect()
}

/// Of a chat; none if no reply is annotated.
pub(super) fn replies(trace: &Trace) -> Option<Replies> {
    if trace.header().kind != Kind::Chat {
        return None;
    }
    let is_annotated = annotated(trace);
    let times = times(trace);
    let (mut parents, mut distances, mut lags) = ([0_u64; 4], Counts::new(), Vec::new());
    for (index, record) in trace.records().enumerate().filter(|(index, _)| is_annotated[*index]) {
        parents[record.parents.len().min(3)] += 1;
        if let Some(nearest) = record.parents.last() {
            *distances.entry(index as u32 - nearest).or_default() += 1;
        }
        lags.extend(record.parents.iter().map(|parent| times[index] - times[*parent as usize]));
    }
    let annotated = parents.iter().sum::<u64>();
    let parents = parents.map(|count| count as f64 / annotated.max(1) as f64);
    Some(Replies { annotated, parents, within: within(&distances), lag_s: Dist::of(lags)? })
}

/// Of a history with one commit at least.
pub(super) fn graph(trace: &Trace) -> Graph {
    let (mut roots, mut merges, mut distances) = (0_u64, 0_u64, Counts::new());
    let (mut is_head, mut heads) = (vec![true; trace.len()], 0_u64);
    let mut heads_after = Vec::new();
    for (index, record) in trace.records().enumerate() {
        roots += u64::from(record.parents.is_empty());
        merges += u64::from(record.parents.len() > 1);
        if let Some(nearest) = record.parents.last() {
            *distances.entry(index as u32 - nearest).or_default() += 1;
        }
        heads += 1;
        for parent in record.parents {
            heads -= u64::from(std::mem::replace(&mut is_head[*parent as usize], false));
        }
        heads_after.push(heads as f64);
    }
    Graph {
        roots,
        merges: merges as f64 / trace.len() as f64,
        heads: Dist::of(heads_after).expect("a history with one commit at least"),
        within: within(&distances),
    }
}
