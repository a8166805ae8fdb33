//! Whether a machine bears it (question Q7): what an insert, an index and a session take, and how much CPU somebody
//! spends who answers many peers.
//!
//! A responder that keeps its index pays for the sessions only; one that has none at hand builds it for each of them.
//! Sessions were timed with both ends together, so an end is taken to pay half: which end does more differs from
//! strategy to strategy, by less than strategies differ.

use std::collections::BTreeMap;

use super::prose::Prose;
use super::{Cell, Point, Roster, Study};
use crate::format;

/// A session with each peer every five minutes: the schedule of a node that hears no news.
pub const SESSIONS_HOUR: f64 = 12.0;

/// More CPU in an hour than that takes a second core.
pub const HOUR_S: f64 = 3600.0;

/// Peers of a relay that the question asks about.
pub const PEERS: [u64; 4] = [1, 10, 100, 1000];

/// Tables of this many sizes are enough to see growth.
const POINTS_MAX: usize = 3;

/// What one contender takes at one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Contender.
    pub index: usize,
    /// CPU of an insert into the index, in ns.
    pub insert_ns: Option<f64>,
    /// CPU of building the index, in ns.
    pub build_ns: f64,
    /// CPU of a session, both ends, in ns.
    pub session_ns: f64,
    /// Peak heap of both ends' sessions, in bytes.
    pub heap_peak_bytes: f64,
    /// Heap of an index, in bytes.
    pub index_bytes: f64,
}

impl Load {
    fn new(index: usize, cell: &Cell<'_>) -> Option<Self> {
        let index_bytes = cell.rows.iter().map(|row| row.index_heap_bytes).max()?;
        Some(Self {
            index,
            insert_ns: cell.times.insert.map(|insert| insert.mid),
            build_ns: cell.times.build?.mid,
            session_ns: cell.times.session?.mid,
            heap_peak_bytes: cell.heap_peak,
            index_bytes: index_bytes as f64,
        })
    }

    /// CPU seconds an hour of one end that answers so many peers and keeps its index.
    pub fn cached_s(&self, peers: u64) -> f64 {
        peers as f64 * SESSIONS_HOUR * self.session_ns / 2.0 / 1e9
    }

    /// The same, building the index for each session.
    pub fn rebuilt_s(&self, peers: u64) -> f64 {
        self.cached_s(peers) + peers as f64 * SESSIONS_HOUR * self.build_ns / 1e9
    }
}

/// All loads at one point.
#[derive(Debug)]
pub struct Place<'s, 'a> {
    /// Where.
    pub point: &'s Point<'a>,
    /// By contender.
    pub loads: Vec<Load>,
}

/// The timed points to show: of each M the one at which most contenders were timed, of those the smallest difference;
/// the smallest, a middle and the largest M.
pub fn places<'s, 'a>(study: &'s Study<'a>) -> Vec<Place<'s, 'a>> {
    let mut by_m: BTreeMap<u64, Place<'s, 'a>> = BTreeMap::new();
    for point in study.sweeps().flat_map(|(_, sweep)| sweep.points()) {
        let loads: Vec<Load> =
            point.cells.iter().filter_map(|(index, cell)| Load::new(*index, cell)).collect();
        // Equal sets are asked about elsewhere: idle sessions are cheaper than any other.
        if loads.is_empty() || point.place.d == 0 {
            continue;
        }
        let rank = |loads: &[Load], point: &Point<'_>| (loads.len(), std::cmp::Reverse(point.place.d));
        let better = by_m
            .get(&point.place.sides.m)
            .is_none_or(|best| rank(&loads, point) > rank(&best.loads, best.point));
        if better {
            by_m.insert(point.place.sides.m, Place { point, loads });
        }
    }
    let mut places: Vec<Place<'s, 'a>> = by_m.into_values().collect();
    if places.len() > POINTS_MAX {
        let middle = places.len() / 2;
        let last = places.len() - 1;
        let mut at = 0..;
        places.retain(|_| at.next().is_some_and(|at| at == 0 || at == middle || at == last));
    }
    places
}

/// Two sentences: who answers a thousand peers at the least and the most, and what a kept index saves.
pub fn reading(place: &Place<'_, '_>, roster: &Roster<'_>) -> Option<Prose> {
    let peers = PEERS[PEERS.len() - 1];
    let field: Vec<&Load> = place.loads.iter().filter(|load| roster.eligible(load.index)).collect();
    let by_cached = |a: &&&Load, b: &&&Load| a.cached_s(peers).total_cmp(&b.cached_s(peers));
    let least = field.iter().min_by(by_cached)?;
    let most = field.iter().max_by(by_cached)?;
    let seconds = |value: f64| format::nanos(value * 1e9);
    let mut prose = Prose::new(format!(
        "At {} a responder with {} peers, each with a session every five minutes, spends ",
        place.point.place.words(),
        format::count(peers)
    ));
    prose.text(format!("{} of CPU an hour with ", seconds(least.cached_s(peers))));
    prose.contender(roster, least.index);
    if least.index != most.index {
        prose.text(format!(" and {} with ", seconds(most.cached_s(peers))));
        prose.contender(roster, most.index);
    }
    prose.text(", if it keeps its index. ");
    let ratio = |load: &&&Load| load.rebuilt_s(peers) / load.cached_s(peers);
    let saves = field.iter().max_by(|a, b| ratio(a).total_cmp(&ratio(b)))?;
    prose.text(format!(
        "Building it anew for each session costs between {} and {} times as much, the most with ",
        format::figure(field.iter().map(|load| ratio(&load)).fold(f64::INFINITY, f64::min)),
        format::figure(ratio(&saves))
    ));
    prose.contender(roster, saves.index);
    let over = field.iter().filter(|load| load.rebuilt_s(peers) > HOUR_S).count();
    prose.text(match over {
        0 => "; no contender then needs more than one core.".to_owned(),
        _ => format!(
            "; {} of {} contenders then need more than one core.",
            format::count(over as u64),
            format::count(field.len() as u64)
        ),
    });
    Some(prose)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_a_relay_is_counted_by_hand() {
        // 10 ms a session of two ends, 40 ms a build: 1,000 peers × 12 × 5 ms = 60 s, and 480 s for builds.
        let load = Load {
            index: 0,
            insert_ns: None,
            build_ns: 40e6,
            session_ns: 10e6,
            heap_peak_bytes: 0.0,
            index_bytes: 0.0,
        };
        assert!((load.cached_s(1000) - 60.0).abs() < 1e-9);
        assert!((load.rebuilt_s(1000) - 540.0).abs() < 1e-9);
        assert!((load.rebuilt_s(1) - 0.54).abs() < 1e-12);
    }
}
