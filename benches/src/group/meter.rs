//! What is counted while a group lives: an observer of its world.

use std::collections::BTreeSet;
use std::ops::Range;

use offerbench_reports::record::{Hist, Spread};
use offerbench_sync::sim::{Event, Observer, Stage};
use offerbench_sync::{MsgNo, NodeEvent, PeerId, Time};

/// Counts what a row says and the nodes' own counters do not know.
#[derive(Debug)]
pub struct Meter {
    /// By node.
    members: Vec<Seen>,
    /// Messages from here on were written while the group was watched; those before are its history.
    first_written: u32,
    /// The nodes whose returns are looked at.
    returning: Range<usize>,
    /// Milliseconds from writing to delivery.
    pub delivery_ms: Hist,
    /// Messages that a member lacked when it came online and its online peers held.
    pub missed: Hist,
    /// Milliseconds from coming online until it held them.
    pub catch_up_ms: Hist,
    /// Returns that ended before.
    pub catch_ups_cut: u64,
    /// Sessions with and without a result, at the end that began them.
    pub sessions_done: u64,
    /// See [`Self::sessions_done`].
    pub sessions_failed: u64,
    /// Flights of those with a result.
    pub flights: u64,
    /// The most of one.
    pub flights_max: u64,
}

/// What is known of a node.
#[derive(Debug, Default)]
struct Seen {
    peers: Vec<PeerId>,
    online: bool,
    /// Bytes of payloads sent and received.
    bytes: u64,
    catching_up: Option<CatchUp>,
}

/// A return with something missed.
#[derive(Debug)]
struct CatchUp {
    since: Time,
    /// What was missed and is not there yet.
    missed: BTreeSet<MsgNo>,
}

impl Meter {
    /// A meter of nodes with these peers, in a world whose history has so many messages, that looks at the returns
    /// of these nodes.
    pub fn new(peers: impl Iterator<Item = Vec<PeerId>>, history: u32, returning: Range<usize>) -> Self {
        Self {
            members: peers.map(|peers| Seen { peers, ..Seen::default() }).collect(),
            first_written: history,
            returning,
            delivery_ms: Hist::default(),
            missed: Hist::default(),
            catch_up_ms: Hist::default(),
            catch_ups_cut: 0,
            sessions_done: 0,
            sessions_failed: 0,
            flights: 0,
            flights_max: 0,
        }
    }

    /// Bytes that the nodes with these numbers sent and received.
    pub fn bytes(&self, nodes: Range<usize>) -> Spread {
        spread(self.members[nodes].iter().map(|seen| seen.bytes).collect())
    }

    /// The life is over: who is still catching up will not.
    pub fn end(&mut self) {
        let cut = self.members.iter_mut().filter_map(|seen| seen.catching_up.take()).count();
        self.catch_ups_cut += cut as u64;
    }

    fn came(&mut self, stage: &Stage<'_>, no: PeerId) {
        let place = no.0 as usize;
        self.members[place].online = true;
        // Who is online from the beginning has not returned from anywhere.
        if stage.now == Time::ZERO || !self.returning.contains(&place) {
            return;
        }
        let Some(node) = stage.node(no) else { return };
        let others = self.members[place].peers.iter().filter(|peer| self.members[peer.0 as usize].online);
        let missed: BTreeSet<MsgNo> =
            others.filter_map(|peer| stage.node(*peer)).flat_map(|peer| node.lacks_of(peer)).collect();
        self.missed.record(missed.len() as u64);
        self.members[place].catching_up =
            (!missed.is_empty()).then_some(CatchUp { since: stage.now, missed });
    }

    fn went(&mut self, no: PeerId) {
        let seen = &mut self.members[no.0 as usize];
        seen.online = false;
        self.catch_ups_cut += u64::from(seen.catching_up.take().is_some());
    }

    fn delivered(&mut self, stage: &Stage<'_>, no: PeerId, message: MsgNo) {
        let Some(life) = stage.life(message).filter(|life| life.author != no) else { return };
        if message.0 >= self.first_written {
            self.delivery_ms.record(stage.now.since(life.written_at).as_ms());
        }
        let seen = &mut self.members[no.0 as usize];
        if let Some(catching_up) = &mut seen.catching_up {
            catching_up.missed.remove(&message);
            if catching_up.missed.is_empty() {
                self.catch_up_ms.record(stage.now.since(catching_up.since).as_ms());
                seen.catching_up = None;
            }
        }
    }
}

impl Observer for Meter {
    fn on(&mut self, stage: &Stage<'_>, event: &Event<'_>) {
        match *event {
            Event::Sent { from, payload, .. } => self.members[from.0 as usize].bytes += payload.len() as u64,
            Event::Arrived { to, payload, .. } => self.members[to.0 as usize].bytes += payload.len() as u64,
            Event::Online(node) => self.came(stage, node),
            Event::Offline(node) => self.went(node),
            Event::Node { node, event: NodeEvent::Delivered { message, .. } } => {
                self.delivered(stage, node, *message);
            }
            Event::Node { event: NodeEvent::Reconciled { outcome, .. }, .. } if outcome.initiator => {
                if outcome.is_done() {
                    self.sessions_done += 1;
                    self.flights += u64::from(outcome.flights);
                    self.flights_max = self.flights_max.max(u64::from(outcome.flights));
                } else {
                    self.sessions_failed += 1;
                }
            }
            _ => {}
        }
    }
}

/// How values are spread.
pub fn spread(mut values: Vec<u64>) -> Spread {
    values.sort_unstable();
    let at = |share: f64| {
        let rank = (share * values.len() as f64).ceil() as usize;
        values.get(rank.clamp(1, values.len().max(1)) - 1).copied().unwrap_or(0)
    };
    Spread { min: at(0.0), p50: at(0.5), p90: at(0.9), max: at(1.0), sum: values.iter().sum() }
}
