//! Two or more nodes in virtual time, with a wire that the test holds in its hands.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::VecDeque;
use std::sync::Arc;

use offerbench_algos::Seed;
use offerbench_sync::{
    Backoff, Config, Datagram, GroupId, Kind, Library, MsgNo, Node, NodeEvent, Offer, Payload, PeerId,
    Reconcile, Span, Stats, Time,
};

pub const GROUP: GroupId = GroupId([7; 32]);

/// A payload on its way.
pub struct Flying {
    pub at: Time,
    pub from: PeerId,
    pub to: PeerId,
    pub bytes: Vec<u8>,
}

impl Flying {
    pub fn sync(&self) -> Payload {
        match Datagram::decode(&self.bytes, 1 << 20) {
            Ok(Datagram::Sync(payload)) => payload,
            other => panic!("not a sync payload: {other:?}"),
        }
    }
}

/// Nodes 0, 1, … of one group, all linked, and what is on the wire between them.
pub struct Story {
    pub now: Time,
    pub latency: Span,
    pub library: Library,
    pub nodes: Vec<Node>,
    pub wire: VecDeque<Flying>,
    pub events: Vec<(PeerId, NodeEvent)>,
    pub sent: u64,
}

/// A configuration with an epoch of 100 ms and a quick first resend.
pub fn config(offer: Offer) -> Config {
    Config { offer, backoff: Backoff { first: 8, longest: 256, again: 64 }, ..Config::default() }
}

pub fn reconcile(spec: &str) -> Offer {
    Offer::Reconcile(Reconcile::new(spec).unwrap())
}

impl Story {
    /// `n` nodes, all online, 50 ms apart.
    pub fn new(n: u32, config: Config) -> Self {
        Self::of(vec![config; n as usize], |_, _| true)
    }

    /// One node for each configuration; `linked` says who shares with whom.
    pub fn of(configs: Vec<Config>, linked: impl Fn(u32, u32) -> bool) -> Self {
        let n = configs.len() as u32;
        let nodes = configs
            .into_iter()
            .zip(0..)
            .map(|(config, me)| {
                let mut node = Node::new(PeerId(me), Arc::new(config), Seed::new(1));
                let peers: Vec<PeerId> =
                    (0..n).filter(|other| linked(me.min(*other), me.max(*other))).map(PeerId).collect();
                node.join(GROUP, &peers);
                node.handle_online(Time::ZERO);
                node
            })
            .collect();
        let mut story = Self {
            now: Time::ZERO,
            latency: Span::from_ms(50),
            library: Library::new(Seed::new(1)),
            nodes,
            wire: VecDeque::new(),
            events: Vec::new(),
            sent: 0,
        };
        story.collect();
        story
    }

    /// Somebody writes.
    pub fn write(&mut self, node: usize, text: &str) -> MsgNo {
        let at_ms = 1_700_000_000_000 + self.now.as_ms();
        let no = self.nodes[node]
            .append(&mut self.library, self.now, GROUP, at_ms, text.as_bytes(), None)
            .unwrap();
        self.collect();
        no
    }

    /// Takes payloads and events out of all nodes.
    pub fn collect(&mut self) {
        for node in &mut self.nodes {
            let mut bytes = Vec::new();
            while let Some(to) = node.poll_transmit(&self.library, self.now, &mut bytes) {
                self.sent += 1;
                let at = self.now + self.latency;
                self.wire.push_back(Flying { at, from: node.id(), to, bytes: bytes.clone() });
            }
            while let Some(event) = node.poll_event() {
                self.events.push((node.id(), event));
            }
        }
    }

    /// Everything on the wire is lost.
    pub fn lose_all(&mut self) -> usize {
        self.wire.drain(..).count()
    }

    /// When something happens next.
    pub fn next(&self) -> Option<Time> {
        let wire = self.wire.iter().map(|flying| flying.at).min();
        let timers = self.nodes.iter().filter_map(Node::poll_timeout).min();
        [wire, timers].into_iter().flatten().min()
    }

    /// Goes on to the next thing that happens. False if nothing ever will.
    pub fn step(&mut self) -> bool {
        let Some(next) = self.next() else { return false };
        self.now = self.now.max(next);
        while let Some(place) = self.wire.iter().position(|flying| flying.at <= self.now) {
            let flying = self.wire.remove(place).unwrap();
            let node = &mut self.nodes[flying.to.0 as usize];
            node.handle_payload(&mut self.library, self.now, flying.from, &flying.bytes).unwrap();
        }
        for node in &mut self.nodes {
            node.handle_timeout(self.now);
        }
        self.collect();
        true
    }

    /// Goes on until the time comes or nothing happens any more.
    pub fn until(&mut self, time: Time) {
        while self.next().is_some_and(|next| next <= time) {
            self.step();
        }
        self.now = self.now.max(time);
    }

    /// Goes on until nothing waits at any node; at most for an hour.
    pub fn settle(&mut self) {
        let deadline = self.now + Span::from_s(3600);
        let rests = |node: &Node| node.is_settled() && node.pending().2 == 0;
        while !(self.wire.is_empty() && self.nodes.iter().all(rests)) {
            assert!(self.step() && self.now < deadline, "not settled at {}", self.now);
        }
    }

    /// How often a node delivered a message.
    pub fn delivered(&self, node: u32, no: MsgNo) -> usize {
        let event = NodeEvent::Delivered { group: GROUP, message: no };
        self.events.iter().filter(|entry| **entry == (PeerId(node), event.clone())).count()
    }

    /// Counters of all nodes together.
    pub fn stats(&self) -> Stats {
        let mut all = Stats::default();
        self.nodes.iter().for_each(|node| all.merge(node.stats()));
        all
    }

    /// Control bytes of MVDS: OFFER, REQUEST and ACK.
    pub fn control_bytes(&self) -> u64 {
        let stats = self.stats();
        [Kind::Offer, Kind::Request, Kind::Ack].map(|kind| stats.sent(kind).bytes).iter().sum()
    }
}
