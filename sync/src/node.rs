//! A member's device, or a relay: MVDS as a state machine without clock, socket or thread.
//!
//! **Contract for drivers: after every `append`, `handle_*` or `send_*`, drain `poll_transmit` until `None` and
//! `poll_event` until `None`; then call again at `poll_timeout`, or earlier if something arrives.** Time never
//! runs backwards. A payload that `poll_transmit` hands out may be lost, delayed, doubled or overtaken.
//!
//! Source: [2/MVDS](https://rfc.vac.dev/spec/2/). What it leaves open, or we do differently:
//! - An OFFER of a message that is held is answered with an ACK (2/MVDS would request it again).
//! - A message is asked of one peer at a time ([`crate::Config::coordinate`]), and a REQUEST that nobody answers
//!   is given up after a number of sendings.
//! - A payload has a greatest length; what does not fit waits for the next epoch.
//! - Records exist for at most [`crate::Limits::backlog_max`] messages a peer. What a peer lacks is always what
//!   is held less what it is known to hold, so the others are found again when records drain; a new link
//!   and a restart are the same case.
//! - Epochs are those of the driver's time: a device that was off has missed them, and sends what is due when it
//!   is on again.

mod append;
mod intake;
mod memory;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use fixedbitset::FixedBitSet;
use offerbench_algos::{Index, Item, Seed};

pub use append::AppendError;
pub(crate) use memory::Memory;

use crate::config::{Config, Delivery, Offer, Part};
use crate::dag::Dag;
use crate::desk::Desk;
use crate::exchange::{Exchange, Outcome, Run};
use crate::library::{GroupId, Library, MsgNo, PeerId};
use crate::payload::{Datagram, PayloadError};
use crate::peer::{Moved, Peer};
use crate::plant::Plant;
use crate::stats::{Kind, Refusal, Stats};
use crate::time::Time;
use crate::wants::Wants;

/// What happened inside a node, for the application and for those who measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeEvent {
    /// A message is handed to the application: once, ever. Own messages are, too.
    Delivered {
        /// Its group.
        group: GroupId,
        /// The message.
        message: MsgNo,
    },
    /// A message arrived that was held already.
    Redundant {
        /// Who sent it.
        from: PeerId,
        /// The message.
        message: MsgNo,
    },
    /// An ephemeral message arrived.
    Ephemeral {
        /// Who sent it.
        from: PeerId,
        /// Its group.
        group: GroupId,
        /// Its body.
        body: Bytes,
    },
    /// A ping was answered.
    Pong {
        /// Who answered.
        from: PeerId,
        /// The number of the ping.
        number: u64,
    },
    /// A reconciliation session ended at this node.
    Reconciled {
        /// With whom.
        peer: PeerId,
        /// How.
        outcome: Outcome,
    },
}

/// What survives a crash: what a device writes to its disk before it acks.
#[derive(Clone, Debug)]
pub struct Disk {
    me: PeerId,
    groups: BTreeMap<GroupId, BTreeSet<PeerId>>,
    held: FixedBitSet,
    delivered: FixedBitSet,
    /// By peer, what it is known to hold. May be lost without harm.
    known: BTreeMap<PeerId, FixedBitSet>,
    stats: Stats,
}

impl Disk {
    /// Loses what was known of peers: everything is offered to them again.
    pub fn forget_peers(&mut self) {
        self.known.clear();
    }
}

pub(crate) struct Group {
    /// Who shares it with this node.
    pub peers: BTreeSet<PeerId>,
    /// The strategy's index of what is held, if there is a strategy.
    pub index: Option<Box<dyn Index>>,
    /// What of this group is held.
    pub held: FixedBitSet,
}

/// See the module.
pub struct Node {
    pub(crate) me: PeerId,
    pub(crate) config: Arc<Config>,
    pub(crate) seed: Seed,
    pub(crate) online: bool,
    pub(crate) groups: BTreeMap<GroupId, Group>,
    pub(crate) peers: BTreeMap<PeerId, Peer>,
    /// When each peer wants a payload made.
    agenda: BTreeSet<(Time, PeerId)>,
    pub(crate) held: FixedBitSet,
    held_count: usize,
    delivered: FixedBitSet,
    dag: Dag,
    wants: Wants,
    /// Ephemeral and control datagrams to be sent.
    aside: VecDeque<(PeerId, Kind, Vec<u8>)>,
    pub(crate) events: VecDeque<NodeEvent>,
    pub(crate) stats: Stats,
    pub(crate) desk: Desk,
    pub(crate) plant: Plant,
}

impl Node {
    /// A node without groups, offline.
    pub fn new(me: PeerId, config: Arc<Config>, seed: Seed) -> Self {
        Self {
            me,
            config,
            seed: seed.child("node").nth(u64::from(me.0)),
            online: false,
            groups: BTreeMap::new(),
            peers: BTreeMap::new(),
            agenda: BTreeSet::new(),
            held: FixedBitSet::new(),
            held_count: 0,
            delivered: FixedBitSet::new(),
            dag: Dag::default(),
            wants: Wants::default(),
            aside: VecDeque::new(),
            events: VecDeque::new(),
            stats: Stats::default(),
            desk: Desk::default(),
            plant: Plant::default(),
        }
    }

    /// Plants a deliberate bug, for tests of the tests.
    #[cfg(any(test, feature = "plant"))]
    pub fn plant(&mut self, plant: Plant) {
        self.plant = plant;
    }

    /// Shares a group with these peers, as well as with those of earlier calls.
    pub fn join(&mut self, group: GroupId, peers: &[PeerId]) {
        let index = || match &self.config.offer {
            Offer::Reconcile(options) => Some(options.strategy.strategy.index(&[])),
            Offer::Batch | Offer::Interactive => None,
        };
        let members = self.groups.entry(group).or_insert_with(|| Group {
            peers: BTreeSet::new(),
            index: index(),
            held: FixedBitSet::new(),
        });
        for &id in peers.iter().filter(|id| **id != self.me) {
            members.peers.insert(id);
            let peer = self.peers.entry(id).or_insert_with(|| Peer::new(id));
            peer.groups.insert(group);
            peer.overflow = self.held_count > 0;
        }
    }

    /// The device has a network now.
    pub fn handle_online(&mut self, now: Time) {
        self.online = true;
        self.refill_all(now);
        self.desk_online(now);
    }

    /// The device has no network any more. Sessions end; they leave nothing behind.
    pub fn handle_offline(&mut self, now: Time) {
        self.online = false;
        self.aside.clear();
        self.desk_offline(now);
    }

    /// Sends an ephemeral message to all peers of a group: no state, no ack, no resend. Nothing while offline.
    pub fn send_ephemeral(&mut self, group: GroupId, body: &[u8]) {
        let peers: Vec<PeerId> =
            self.groups.get(&group).map(|group| group.peers.iter().copied().collect()).unwrap_or_default();
        for peer in peers {
            self.put_aside(
                peer,
                Kind::NoSync,
                &Datagram::NoSync { group, body: Bytes::copy_from_slice(body) },
            );
        }
    }

    /// Asks a peer for a sign of life; `number` comes back in [`NodeEvent::Pong`]. Nothing while offline.
    pub fn send_ping(&mut self, peer: PeerId, number: u64) {
        self.put_aside(peer, Kind::Control, &Datagram::Ping(number));
    }

    fn put_aside(&mut self, to: PeerId, kind: Kind, datagram: &Datagram) {
        if !self.online {
            return;
        }
        if self.aside.len() >= self.config.limits.aside_max {
            return self.stats.refuse(Refusal::AsideFull);
        }
        let mut bytes = Vec::new();
        datagram.encode(&mut bytes);
        self.aside.push_back((to, kind, bytes));
    }

    /// Takes what a peer sent. Parts of it that are refused are counted; the rest is used.
    ///
    /// # Errors
    ///
    /// When nothing of it can be used. The node is as before.
    pub fn handle_payload(
        &mut self,
        library: &mut Library,
        now: Time,
        from: PeerId,
        payload: &[u8],
    ) -> Result<(), PayloadError> {
        if !self.peers.contains_key(&from) {
            self.stats.refuse(Refusal::UnknownPeer);
            return Err(PayloadError::UnknownPeer(from.0));
        }
        let datagram = Datagram::decode(payload, self.config.limits.payload_len_max)
            .inspect_err(|_| self.stats.refuse(Refusal::BadPayload))?;
        self.desk_heard(now, from);
        match datagram {
            Datagram::Sync(payload) => self.handle_records(library, now, from, payload),
            Datagram::NoSync { group, body } => {
                if self.peers[&from].groups.contains(&group) {
                    self.events.push_back(NodeEvent::Ephemeral { from, group, body });
                } else {
                    self.stats.refuse(Refusal::UnknownGroup);
                }
            }
            Datagram::Ping(number) => self.put_aside(from, Kind::Control, &Datagram::Pong(number)),
            Datagram::Pong(number) => self.events.push_back(NodeEvent::Pong { from, number }),
        }
        self.reschedule(from);
        Ok(())
    }

    /// Time has passed: sessions that nobody answers end, wanted ones begin. Call it at [`Node::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Time) {
        if self.online {
            self.desk_tick(now);
        }
    }

    /// The next datagram to send, into `payload`, and to whom.
    pub fn poll_transmit(&mut self, library: &Library, now: Time, payload: &mut Vec<u8>) -> Option<PeerId> {
        payload.clear();
        if !self.online {
            return None;
        }
        if let Some((to, kind, bytes)) = self.aside.pop_front() {
            self.stats.send(Kind::Header, 1, 1);
            self.stats.send(kind, 1, bytes.len() - 1);
            self.stats.payloads += 1;
            payload.extend_from_slice(&bytes);
            return Some(to);
        }
        self.desk_tick(now);
        let mut moved = Vec::new();
        while let Some(&(time, id)) = self.agenda.first().filter(|(time, _)| *time <= now) {
            self.agenda.remove(&(time, id));
            let peer = self.peers.get_mut(&id).expect("the agenda names peers");
            peer.wake = None;
            let made = peer.compose(library, &self.config, now, &mut self.wants, &mut moved, &mut self.stats);
            // What was sent may have been the last ack that a session owed.
            let over = |exchange: &Exchange| exchange.run.as_ref().is_some_and(Run::is_over);
            let over: Vec<GroupId> = peer
                .exchanges
                .iter()
                .filter(|(_, exchange)| over(exchange))
                .map(|(group, _)| *group)
                .collect();
            for group in over {
                self.finish_if_over(now, id, group);
            }
            for Moved { id, to } in moved.drain(..) {
                self.request(now, to, id, None);
            }
            self.reschedule(id);
            if let Some(made) = made {
                made.encode(payload);
                return Some(id);
            }
        }
        None
    }

    /// When to call [`Node::handle_timeout`] and [`Node::poll_transmit`] again. `None`: not before something else
    /// happens.
    pub fn poll_timeout(&self) -> Option<Time> {
        if !self.online {
            return None;
        }
        let payload = self.agenda.first().map(|(time, _)| *time);
        [payload, self.desk_timeout()].into_iter().flatten().min()
    }

    /// The next event that was not handed out yet.
    pub fn poll_event(&mut self) -> Option<NodeEvent> {
        self.events.pop_front()
    }

    /// The power fails. What was handed to `poll_event` or acked is on the disk.
    pub fn crash(self) -> Disk {
        Disk {
            me: self.me,
            groups: self.groups.into_iter().map(|(id, group)| (id, group.peers)).collect(),
            held: self.held,
            delivered: self.delivered,
            known: self.peers.into_iter().map(|(id, peer)| (id, peer.known)).collect(),
            stats: self.stats,
        }
    }

    /// Starts again from the disk, offline. `seed` must not be one that was used before: sessions draw from it.
    pub fn restart(disk: Disk, config: Arc<Config>, library: &Library, seed: Seed) -> Self {
        let Disk { me, groups, held, delivered, mut known, stats } = disk;
        let mut node = Self::new(me, config, seed);
        node.stats = stats;
        node.held_count = held.count_ones(..);
        node.held = held;
        node.delivered = delivered;
        for (id, peers) in groups {
            node.join(id, &peers.into_iter().collect::<Vec<_>>());
        }
        for peer in node.peers.values_mut() {
            peer.known = known.remove(&peer.id).unwrap_or_default();
        }
        let mut completed = Vec::new();
        let mut items: BTreeMap<GroupId, Vec<Item>> = BTreeMap::new();
        let held: Vec<MsgNo> = node.held.ones().map(|place| MsgNo(place as u32)).collect();
        for no in held {
            let message = library.message(no);
            if let Some(group) = node.groups.get_mut(&message.group) {
                group.held.grow_and_insert(no.place());
                items.entry(message.group).or_default().push(message.item);
            }
            if node.config.part == Part::Member && message.parents.is_some() {
                node.dag.add(library, no, &mut completed);
            }
        }
        // All at once: one by one costs as much as the set is large, each.
        for (group, items) in items {
            node.reindex(group, &items);
        }
        node
    }

    /// Counters.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Who it is.
    pub fn id(&self) -> PeerId {
        self.me
    }

    /// Whether a message is stored.
    pub fn holds(&self, no: MsgNo) -> bool {
        self.held.contains(no.place())
    }

    /// What the other node holds and this one does not, in order. O(messages / 64), and what is answered.
    pub fn lacks_of<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = MsgNo> + 'a {
        other.held.difference(&self.held).map(|place| MsgNo(place as u32))
    }

    /// Whether a message was handed to the application.
    pub fn has_delivered(&self, no: MsgNo) -> bool {
        self.delivered.contains(no.place())
    }

    /// Messages stored.
    pub fn held(&self) -> usize {
        self.held_count
    }

    /// Whether no record waits to be sent, answered or asked, and no session runs or is wanted for news.
    pub fn is_settled(&self) -> bool {
        self.aside.is_empty() && self.peers.values().all(Peer::is_settled)
    }

    /// What waits, for stories and failure reports: records, requests, running sessions.
    pub fn pending(&self) -> (usize, usize, usize) {
        let sum = |count: fn(&Peer) -> usize| self.peers.values().map(count).sum();
        (sum(|peer| peer.records.len()), sum(|peer| peer.requests.len()), self.desk.running)
    }

    /// Bytes on the heap for peers and graph, roughly; without indexes and the library.
    pub fn state_bytes(&self) -> usize {
        self.peers.values().map(Peer::heap_bytes).sum::<usize>()
            + self.dag.heap_bytes()
            + self.wants.len() * 96
    }

    /// A bound of [`crate::Limits`] that is exceeded: a bug, whatever peers do.
    pub fn over_bounds(&self) -> Option<String> {
        let limits = &self.config.limits;
        let over =
            |what: &str, is: usize, max: usize| (is > max).then(|| format!("{what}: {is}, at most {max}"));
        let of_peer = |peer: &Peer| {
            over("records for a peer", peer.records.len(), limits.backlog_max)
                .or_else(|| over("requests to a peer", peer.requests.len(), limits.requests_max))
        };
        over("messages held", self.held_count, limits.messages_max)
            .or_else(|| match self.config.delivery {
                Delivery::Causal => {
                    over("messages that wait for parents", self.dag.waiting(), limits.waiting_max)
                }
                Delivery::Eventual => None,
            })
            .or_else(|| over("sessions", self.desk.running, limits.sessions_max))
            .or_else(|| over("datagrams aside", self.aside.len(), limits.aside_max))
            .or_else(|| self.peers.values().find_map(of_peer))
    }

    pub(crate) fn epoch(&self, now: Time) -> u64 {
        now.as_us() / self.config.epoch.as_us().max(1)
    }

    /// Enters into the agenda when a peer wants a payload made.
    pub(crate) fn reschedule(&mut self, id: PeerId) {
        let epoch = self.config.epoch;
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let due = peer.due(epoch);
        if due == peer.wake {
            return;
        }
        if let Some(wake) = peer.wake {
            self.agenda.remove(&(wake, id));
        }
        if let Some(due) = due {
            self.agenda.insert((due, id));
        }
        peer.wake = due;
    }
}
