//! Who was connected when: a file of format `presence-trace/1` beside a chat trace.
//!
//! A record is one stretch of one member online: `{"peer":4,"on":360,"off":5400,"c":0}`, from `on` until before
//! `off`, in seconds on the chat trace's axis. Peers whose number is below `speakers` are the authors of that
//! trace; the others never wrote. What lies between two stretches of a peer is an
//! [`Absence`](crate::Absence), unless the logger itself was away at one of its ends.
//!
//! Two files that are not of one recording give numbers that look fine and mean nothing: see
//! [`Presence::check`].

mod check;
mod read;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use check::{Agreement, Clash, Contradiction, Files};

use crate::{Rule, SECONDS_MAX};

/// The name of the format, as headers write it.
const FORMAT: &str = "presence-trace/1";

/// What a presence file says of itself. Fields that it does not know are ignored and not written again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PresenceHeader {
    pub(crate) format: String,
    /// Name of the file without its ending.
    pub name: String,
    /// Name of the chat trace that it stands beside, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Where it was taken from.
    #[serde(default)]
    pub source: String,
    /// Under what terms.
    #[serde(default)]
    pub license: String,
    /// Whom to credit, kept with every copy.
    #[serde(default)]
    pub attribution: String,
    /// What a reader should know.
    #[serde(default)]
    pub note: String,
    /// Resolution of the source's clock: 60 if it has no seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_resolution_s: Option<f64>,
    /// How many members were seen. Their numbers may have holes.
    pub peers: u64,
    /// How many authors the chat trace has: theirs are the numbers below this.
    pub speakers: u64,
    /// How many intervals.
    pub intervals: u64,
    /// How many of them have an end that is not known.
    pub censored: u64,
    /// End of observation, in seconds since the start.
    pub duration_s: f64,
    /// Clock of t = 0, in seconds after midnight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t0_clock_s: Option<f64>,
    /// Day of t = 0, Monday is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t0_weekday: Option<u8>,
}

/// One stretch of one member online.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Who.
    pub peer: u32,
    /// From when, in seconds on the chat trace's axis.
    pub on: f64,
    /// Until when.
    pub off: f64,
    /// Whether `on` was seen: the logger may have come later than the member.
    pub on_known: bool,
    /// Whether `off` was seen.
    pub off_known: bool,
}

/// The presence of a group, in memory: 32 bytes an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Presence {
    header: PresenceHeader,
    intervals: Vec<Interval>,
}

impl Presence {
    /// What the file says of itself; its counts were checked.
    pub fn header(&self) -> &PresenceHeader {
        &self.header
    }

    /// All intervals, sorted by their start. Those of one peer do not overlap.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// The intervals of every peer one after the other, in the order of time.
    pub(crate) fn by_peer(&self) -> ByPeer {
        let mut intervals = self.intervals.clone();
        // Stable: they are sorted by their start already.
        intervals.sort_by_key(|interval| interval.peer);
        ByPeer(intervals)
    }
}

/// Intervals sorted by peer, then by start.
pub(crate) struct ByPeer(Vec<Interval>);

impl ByPeer {
    /// All of them.
    pub(crate) fn all(&self) -> &[Interval] {
        &self.0
    }

    /// Those of one peer.
    pub(crate) fn of(&self, peer: u32) -> &[Interval] {
        let first = self.0.partition_point(|interval| interval.peer < peer);
        let end = self.0.partition_point(|interval| interval.peer <= peer);
        &self.0[first..end]
    }

    /// Whether a peer is online.
    pub(crate) fn is_online(&self, peer: u32, t: f64) -> bool {
        let own = self.of(peer);
        let next = own.partition_point(|interval| interval.on <= t);
        next.checked_sub(1).is_some_and(|last| t < own[last].off)
    }
}

/// A presence to which intervals are added. Here, once, are the rules that every interval keeps, whether it was
/// read from a file or made by an importer.
#[derive(Clone, Debug, Default)]
pub(crate) struct PresenceBuilder {
    intervals: Vec<Interval>,
    on_until: BTreeMap<u32, f64>,
    censored: u64,
}

impl PresenceBuilder {
    /// Adds an interval of a presence that ends at `duration_s`.
    pub(crate) fn push(&mut self, interval: Interval, duration_s: f64) -> Result<(), Rule> {
        let Interval { peer, on, off, on_known, off_known } = interval;
        let before = self.intervals.last().map_or(-SECONDS_MAX, |interval| interval.on);
        let until = self.on_until.insert(peer, off).unwrap_or(-SECONDS_MAX);
        if !(-SECONDS_MAX..=SECONDS_MAX).contains(&on) || !(on..=SECONDS_MAX).contains(&off) {
            return Err(Rule::Interval { on, off });
        }
        if on < before {
            return Err(Rule::IntervalOrder { on, before });
        }
        if on < until {
            return Err(Rule::Overlap { peer, on, until });
        }
        if off > duration_s {
            return Err(Rule::AfterEnd { t: off, duration_s });
        }
        if self.intervals.len() as u64 >= crate::MESSAGES_MAX {
            return Err(Rule::TooMany { what: "intervals" });
        }
        self.censored += u64::from(!(on_known && off_known));
        self.intervals.push(interval);
        Ok(())
    }

    /// The counts that a header tells: intervals, censored ones, peers.
    pub(crate) fn counts(&self) -> [u64; 3] {
        [self.intervals.len() as u64, self.censored, self.on_until.len() as u64]
    }

    /// The presence, its header's counts set to what there is.
    pub(crate) fn finish(self, header: PresenceHeader) -> Presence {
        let [intervals, censored, peers] = self.counts();
        let header = PresenceHeader { format: FORMAT.to_owned(), peers, intervals, censored, ..header };
        Presence { header, intervals: self.intervals }
    }
}
