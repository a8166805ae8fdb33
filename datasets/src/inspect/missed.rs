//! What somebody lacks at a return: messages that others wrote in the meantime.
//!
//! It depends on whose return: all returns count alike in a mean over absences, where short ones are many;
//! somebody who looks up at a random moment is in a long absence more likely than in a short one.

use std::ops::Range;

use serde::Serialize;

use super::presence::regulars;
use super::{Dist, times};
use crate::{Presence, Trace};

/// Absences that are no longer than this are connections lost and found again.
const SHORT_S: u64 = 5 * 60;

/// How long a phone stays online after its owner wrote.
pub const PHONE_TIMEOUT_S: f64 = 15.0 * 60.0;

/// How long before and after its messages a phone is online.
const PHONE_MARGIN_S: f64 = 60.0;

/// Messages of an author whose phone is looked at, at least.
const PHONE_MESSAGES_MIN: usize = 50;

/// Moments at which regulars are looked at: each at this many, unless they are too many together.
const MOMENTS: usize = 1_000;

/// Moments of all of them together, at most.
const MOMENTS_MAX: usize = 4_000_000;

/// A row of the table: what is lacked at a return.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missed {
    /// Whose return.
    pub who: &'static str,
    /// Share of returns that miss nothing.
    pub zero: f64,
    /// Messages missed.
    pub messages: Dist,
}

impl Missed {
    fn of(who: &'static str, counts: Vec<f64>) -> Option<Self> {
        let zero = counts.iter().filter(|count| **count == 0.0).count() as f64 / counts.len().max(1) as f64;
        Some(Self { who, zero, messages: Dist::of(counts)? })
    }
}

/// After every absence of more than five minutes that was seen from end to end.
pub(super) fn after_gaps(trace: &Trace, presence: &Presence) -> Option<Missed> {
    let mut absences = presence.absences(trace).ok()?;
    absences.retain(|absence| absence.length_ms() > SHORT_S * 1000);
    Missed::of("after a gap > 5 min", absences.iter().map(|absence| f64::from(absence.missed)).collect())
}

/// Any regular at any moment between its first and its last time online, if it is offline then: what it lacks if it
/// returns at that moment. Moments are spread evenly.
pub(super) fn offline_regular(trace: &Trace, presence: &Presence) -> Option<Missed> {
    let times: Vec<f64> = trace.records().map(|record| record.t).collect();
    let mut own_times: Vec<Vec<f64>> = vec![Vec::new(); trace.header().authors as usize];
    for record in trace.records() {
        own_times[record.author as usize].push(record.t);
    }
    let by_peer = presence.by_peer();
    let regulars = regulars(presence, &by_peer);
    let moments = (MOMENTS_MAX / regulars.len().max(1)).clamp(1, MOMENTS);
    let mut counts = Vec::new();
    for stays in regulars {
        let own = own_times.get(stays[0].peer as usize).map_or(&[][..], Vec::as_slice);
        let (first, last) = (stays[0].on, stays[stays.len() - 1].off);
        for moment in 0..moments {
            let at = first + (moment as f64 + 0.5) / moments as f64 * (last - first);
            let begun = stays.partition_point(|stay| stay.on <= at);
            let off = stays[..begun].last().map_or(at, |stay| stay.off);
            if off <= at {
                let since =
                    |times: &[f64]| times.partition_point(|t| *t < at) - times.partition_point(|t| *t < off);
                counts.push((since(&times) - since(own)) as f64);
            }
        }
    }
    Missed::of("an offline regular", counts)
}

/// Authors as if they were online only while they talk: from a minute before a message to a minute after, and
/// between two messages less than [`PHONE_TIMEOUT_S`] apart. Of those who wrote 50 messages at least, within windows.
pub(super) fn phone(trace: &Trace, windows: &[Range<usize>]) -> Option<Missed> {
    let times = times(trace);
    let mut written = vec![0_usize; trace.header().authors as usize];
    trace.records().for_each(|record| written[record.author as usize] += 1);
    let mut last: Vec<Option<usize>> = vec![None; written.len()];
    let mut counts = Vec::new();
    for window in windows {
        for index in window.clone() {
            let author = trace.get(index).map_or(0, |record| record.author as usize);
            let before = last[author].replace(index).filter(|before| *before >= window.start);
            let Some(before) = before.filter(|_| written[author] >= PHONE_MESSAGES_MIN) else { continue };
            if times[index] - times[before] <= PHONE_TIMEOUT_S {
                continue;
            }
            // Between these two messages nothing is the author's own.
            let (off, on) = (times[before] + PHONE_MARGIN_S, times[index] - PHONE_MARGIN_S);
            let between = &times[before..index];
            let missed = between.partition_point(|t| *t < on) - between.partition_point(|t| *t < off);
            counts.push(missed as f64);
        }
    }
    Missed::of("a phone, on to talk", counts)
}
