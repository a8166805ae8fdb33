//! What is compared of a row of counts, and which way is better.
//!
//! Adding a measure is one line of [`SESSION`] or [`GROUP`]. What must be equal for two rows to be of one scenario
//! stands beside them: a changed generator of sets would else look like a changed strategy.

use crate::format;
use crate::record::{Bytes, ExactRow, GroupOutcome, GroupRow, Hist, Outcome};

/// Heaps this close, relative to the larger, count as the same: a field more in a type moves every heap a little, and
/// so does another compiler. No other count has slack.
pub const HEAP_SLACK: f64 = 0.01;

/// The same in bytes, for heaps of a few kilobytes.
pub const HEAP_SLACK_BYTES: f64 = 256.0;

/// What something is counted in: how it is shown, and what counts as equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number.
    Count,
    /// Bytes that were sent.
    Bytes,
    /// Bytes of heap, with slack.
    Heap,
    /// Milliseconds.
    Millis,
    /// Rank of a session's outcome.
    Outcome,
    /// Rank of a group's outcome.
    GroupOutcome,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Good {
    /// Less is.
    Less,
    /// More is.
    More,
}

/// Something that is compared.
#[derive(Debug)]
pub struct Measure<R> {
    /// For people.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Its direction.
    pub good: Good,
    /// Its value in a row; none where it does not apply, infinite where it never came about.
    pub value: fn(&R) -> Option<f64>,
}

const fn less<R>(name: &'static str, unit: Unit, value: fn(&R) -> Option<f64>) -> Measure<R> {
    Measure { name, unit, good: Good::Less, value }
}

const fn more<R>(name: &'static str, unit: Unit, value: fn(&R) -> Option<f64>) -> Measure<R> {
    Measure { name, unit, good: Good::More, value }
}

fn whole(value: u64) -> Option<f64> {
    Some(value as f64)
}

/// Of a session.
pub const SESSION: &[Measure<ExactRow>] = &[
    less("outcome", Unit::Outcome, |row| Some(f64::from(row.outcome as u8))),
    less("missed", Unit::Count, |row| whole(row.missed)),
    less("invented", Unit::Count, |row| whole(row.invented)),
    less("bytes", Unit::Bytes, |row| whole(row.bytes_total())),
    less("flights", Unit::Count, |row| whole(row.flights.into())),
    less("frames", Unit::Count, |row| whole(row.frames_up.saturating_add(row.frames_down))),
    less("tries", Unit::Count, |row| whole(row.tries.into())),
    less("decode failures", Unit::Count, |row| whole(row.decode_failures)),
    less("decode attempts", Unit::Count, |row| whole(row.decode_attempts)),
    less("error of estimate", Unit::Count, |row| Some(row.estimate?.abs_diff(row.d) as f64)),
    less("peak heap", Unit::Heap, |row| whole(row.heap_peak_bytes)),
    less("heap of index", Unit::Heap, |row| whole(row.index_heap_bytes)),
];

/// Of a group's life.
pub const GROUP: &[Measure<GroupRow>] = &[
    less("outcome", Unit::GroupOutcome, |row| Some(f64::from(row.outcome as u8))),
    more("delivered", Unit::Count, |row| whole(row.delivered)),
    more("reached all", Unit::Count, |row| whole(row.reached_all)),
    less("bytes sent", Unit::Bytes, |row| whole(row.sent_bytes.total())),
    less("bytes on the wire", Unit::Bytes, |row| whole(row.wire_bytes)),
    less("bytes of members", Unit::Bytes, |row| whole(row.member_bytes.sum)),
    less("most of a member", Unit::Bytes, |row| whole(row.member_bytes.max)),
    less("bytes of relays", Unit::Bytes, |row| whole(row.relay_bytes.sum)),
    less("payloads", Unit::Count, |row| whole(row.payloads)),
    less("redundant", Unit::Count, |row| whole(row.redundant)),
    less("redundant bytes", Unit::Bytes, |row| whole(row.redundant_bytes)),
    less("resends", Unit::Count, |row| whole(row.resends)),
    less("sessions", Unit::Count, |row| whole(row.sessions_opened)),
    less("sessions failed", Unit::Count, |row| whole(row.sessions_failed)),
    less("flights", Unit::Count, |row| whole(row.flights)),
    less("most flights", Unit::Count, |row| whole(row.flights_max)),
    less("delivery P50", Unit::Millis, |row| delivery(row, 0.5)),
    less("delivery P90", Unit::Millis, |row| delivery(row, 0.9)),
    less("delivery P99", Unit::Millis, |row| delivery(row, 0.99)),
    less("catch-up P50", Unit::Millis, |row| catch_up(row, 0.5)),
    less("catch-up P99", Unit::Millis, |row| catch_up(row, 0.99)),
    less("catch-ups cut", Unit::Count, |row| whole(row.catch_ups_cut)),
    less("peak heap", Unit::Heap, |row| whole(row.heap_peak_bytes)),
    less("state of nodes", Unit::Heap, |row| whole(row.state_bytes.sum)),
    less("most state of a node", Unit::Heap, |row| whole(row.state_bytes.max)),
];

/// Quantile of `due` values, of which those that never came count as infinite; none where nothing was due.
fn of_due(hist: &Hist, quantile: f64, due: u64) -> Option<f64> {
    (due > 0).then(|| hist.quantile_of_due(quantile, due).map_or(f64::INFINITY, |value| value as f64))
}

fn delivery(row: &GroupRow, quantile: f64) -> Option<f64> {
    of_due(&row.delivery_ms, quantile, row.needed.saturating_sub(row.lacked))
}

fn catch_up(row: &GroupRow, quantile: f64) -> Option<f64> {
    of_due(&row.catch_up_ms, quantile, row.catch_up_ms.count().saturating_add(row.catch_ups_cut))
}

/// Parts of sums: name of the part, value. They are looked at only where the sums are equal.
pub type Parts = Vec<(String, u64)>;

fn named(parts: &mut Parts, prefix: &str, values: &[(&str, u64)]) {
    parts.extend(values.iter().map(|(name, value)| (format!("{prefix} {name}"), *value)));
}

/// What the bytes and frames of a session consist of.
pub fn session_parts(row: &ExactRow) -> Parts {
    let mut parts = Vec::new();
    let purposes = |bytes: &Bytes| bytes.parts();
    named(&mut parts, "bytes up:", &purposes(&row.up));
    named(&mut parts, "bytes down:", &purposes(&row.down));
    named(
        &mut parts,
        "frames:",
        &[("up", row.frames_up), ("down", row.frames_down), ("overshoot", row.frames_overshoot)],
    );
    parts
}

/// What the bytes of a group consist of.
pub fn group_parts(row: &GroupRow) -> Parts {
    let mut parts = Vec::new();
    named(&mut parts, "bytes sent:", &row.sent_bytes.parts());
    named(&mut parts, "records sent:", &row.sent_count.parts());
    named(&mut parts, "bytes of frames:", &row.frames.parts());
    parts
}

/// Whether the parts' sums are equal, so that a part that differs has moved.
pub fn session_sums_equal(base: &ExactRow, new: &ExactRow) -> bool {
    let frames = |row: &ExactRow| row.frames_up.saturating_add(row.frames_down);
    base.bytes_total() == new.bytes_total() && frames(base) == frames(new)
}

/// The same of a group.
pub fn group_sums_equal(base: &GroupRow, new: &GroupRow) -> bool {
    base.sent_bytes.total() == new.sent_bytes.total()
}

/// Whether two sessions reconciled the same sets under the same conditions.
pub fn one_session(base: &ExactRow, new: &ExactRow) -> bool {
    let scenario = |row: &ExactRow| {
        let sets = (row.seed, row.m, row.d, row.d_initiator, row.d_responder);
        let rest = (row.n, row.k, row.window, row.guess.map(f64::to_bits), row.absence_ms);
        (sets, rest, row.workload.clone(), row.pattern.clone())
    };
    scenario(base) == scenario(new)
}

/// Whether two groups lived the same life.
pub fn one_life(base: &GroupRow, new: &GroupRow) -> bool {
    let life = |row: &GroupRow| {
        let sizes = (row.seed, row.n, row.relays, row.k, row.links, row.history, row.written, row.m);
        let time = (row.duration_ms, row.uptime_ppm, row.away_ms, row.needed, row.lacked);
        let names = [&row.workload, &row.presence, &row.sharing, &row.mode, &row.acks, &row.link];
        (sizes, time, names.map(String::clone))
    };
    life(base) == life(new)
}

impl Unit {
    /// A value for people.
    pub fn show(self, value: f64) -> String {
        match self {
            _ if value.is_infinite() => "never".to_owned(),
            Self::Count => format::count(value as u64),
            // Exact, not rounded: a difference of one byte must be seen.
            Self::Bytes | Self::Heap => format!("{}{}B", format::count(value as u64), format::THIN),
            Self::Millis => format!("{}{}ms", format::count(value as u64), format::THIN),
            Self::Outcome => {
                SESSION_OUTCOMES.iter().find(|one| one.0 as u8 == value as u8).map_or("?", |one| one.1).into()
            }
            Self::GroupOutcome => {
                GROUP_OUTCOMES.iter().find(|one| one.0 as u8 == value as u8).map_or("?", |one| one.1).into()
            }
        }
    }

    /// Whether two values count as the same.
    pub fn same(self, base: f64, new: f64) -> bool {
        base == new
            || (self == Self::Heap
                && (base - new).abs() <= (HEAP_SLACK * base.max(new)).max(HEAP_SLACK_BYTES))
    }

    /// Whether its values are ranks, of which no ratio can be taken.
    pub fn ranks(self) -> bool {
        matches!(self, Self::Outcome | Self::GroupOutcome)
    }
}

const SESSION_OUTCOMES: [(Outcome, &str); 4] = [
    (Outcome::Exact, "exact"),
    (Outcome::Recovered, "recovered"),
    (Outcome::GaveUp, "gave up"),
    (Outcome::Wrong, "wrong"),
];

const GROUP_OUTCOMES: [(GroupOutcome, &str); 3] = [
    (GroupOutcome::Complete, "complete"),
    (GroupOutcome::Partial, "partial"),
    (GroupOutcome::Wrong, "wrong"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_ranked_from_good_to_bad() {
        let ranks: Vec<u8> = SESSION_OUTCOMES.iter().map(|(outcome, _)| *outcome as u8).collect();
        assert_eq!(ranks, [0, 1, 2, 3]);
        let ranks: Vec<u8> = GROUP_OUTCOMES.iter().map(|(outcome, _)| *outcome as u8).collect();
        assert_eq!(ranks, [0, 1, 2]);
        assert_eq!(Unit::Outcome.show(3.0), "wrong");
        assert_eq!(Unit::GroupOutcome.show(1.0), "partial");
    }

    #[test]
    fn only_heaps_have_slack() {
        assert!(Unit::Heap.same(26_850.0, 26_882.0));
        assert!(Unit::Heap.same(1_000_000.0, 1_009_000.0));
        assert!(!Unit::Heap.same(1_000_000.0, 1_011_000.0));
        assert!(!Unit::Heap.same(1_000.0, 1_257.0));
        assert!(!Unit::Bytes.same(1_000_000.0, 1_000_001.0));
    }

    #[test]
    fn what_never_came_is_later_than_anything_that_did() {
        let mut hist = Hist::default();
        (0..90).for_each(|value| hist.record(value));
        assert_eq!(of_due(&hist, 0.5, 100), Some(49.0));
        assert_eq!(of_due(&hist, 0.99, 100), Some(f64::INFINITY));
        assert_eq!(of_due(&hist, 0.99, 0), None);
    }
}
