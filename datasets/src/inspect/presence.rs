//! Who is online when.

use serde::Serialize;

use super::dist::{at_once, steps};
use super::{DAY_S, Dist};
use crate::presence::ByPeer;
use crate::{Agreement, Interval, Presence, Trace};

/// Stays of a regular at least.
const STAYS_MIN: usize = 10;

/// Days over which they must be spread, or half of the observation if that is less.
const SPREAD_DAYS_MIN: f64 = 60.0;

/// Who is online when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Online {
    /// Members seen online.
    pub peers: u64,
    /// Members who never wrote.
    pub listeners: u64,
    /// Authors who were never seen online.
    pub speakers_unseen: u64,
    /// Messages written while their author was offline.
    pub written_offline: u64,
    /// Length of a stay, in seconds, of those seen from end to end.
    pub stays_s: Option<Dist>,
    /// Length of a pause, in seconds, of those seen from end to end.
    pub pauses_s: Option<Dist>,
    /// Share of the time between its first and its last moment online for which a regular is online. Regulars are
    /// those with 10 stays at least, over at least 60 days or half of the observation.
    pub availability: Option<Dist>,
    /// Regulars between their first and their last moment online, over time: how large the group is.
    pub regulars_alive: Option<Dist>,
    /// Members online at once, over time.
    pub at_once: Option<Dist>,
    /// Others online when somebody writes.
    pub others_at_post: Option<Dist>,
}

/// The members who come often and for long. Each with its intervals.
pub(super) fn regulars<'a>(presence: &Presence, by_peer: &'a ByPeer) -> Vec<&'a [Interval]> {
    let spread_s = (SPREAD_DAYS_MIN * DAY_S).min(presence.header().duration_s / 2.0);
    let peers = by_peer.all().chunk_by(|a, b| a.peer == b.peer);
    peers.filter(|own| own.len() >= STAYS_MIN && own[own.len() - 1].off - own[0].on >= spread_s).collect()
}

pub(super) fn online(trace: &Trace, presence: &Presence, agreement: Agreement) -> Online {
    let header = presence.header();
    let by_peer = presence.by_peer();
    let all = by_peer.all();
    let seen_from_end_to_end = all.iter().filter(|own| own.on_known && own.off_known);
    let pauses =
        all.windows(2).filter(|two| two[0].peer == two[1].peer && two[0].off_known && two[1].on_known);
    let regulars = regulars(presence, &by_peer);
    let availability = regulars.iter().map(|own| {
        let span = own[own.len() - 1].off - own[0].on;
        if span > 0.0 { own.iter().map(|stay| stay.off - stay.on).sum::<f64>() / span } else { 1.0 }
    });
    let alive = steps(regulars.iter().map(|own| (own[0].on, own[own.len() - 1].off)));
    let steps = steps(presence.intervals().iter().map(|own| (own.on, own.off)));
    let mut cursor = 0;
    let others = trace.records().map(|record| {
        while steps.get(cursor).is_some_and(|(t, _)| *t <= record.t) {
            cursor += 1;
        }
        let online = cursor.checked_sub(1).map_or(0, |last| steps[last].1);
        // The author is one of them, unless the recording says that it was offline.
        (online - i64::from(by_peer.is_online(record.author, record.t))) as f64
    });
    Online {
        peers: header.peers,
        listeners: all
            .chunk_by(|a, b| a.peer == b.peer)
            .filter(|own| u64::from(own[0].peer) >= header.speakers)
            .count() as u64,
        speakers_unseen: agreement.speakers_unseen,
        written_offline: agreement.written_offline,
        stays_s: Dist::of(seen_from_end_to_end.map(|own| own.off - own.on).collect()),
        pauses_s: Dist::of(pauses.map(|two| two[1].on - two[0].off).collect()),
        availability: Dist::of(availability.collect()),
        regulars_alive: at_once(&alive),
        at_once: at_once(&steps),
        others_at_post: Dist::of(others.collect()),
    }
}
