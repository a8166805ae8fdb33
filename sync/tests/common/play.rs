//! Any operations on a node: what an honest peer sends, bent and whole, what nobody sends, time in jumps, crashes.
//! It never panics, stays within its bounds, delivers nothing twice, counts each byte that it sends, never spins
//! within an instant; and when the hostile peer has had its say, the honest one's messages arrive.
//!
//! The property test `hostile.rs` draws what is done from random numbers, the fuzz target `node` from the fuzzer's bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use offerbench_algos::Seed;
use offerbench_sync::{
    Acks, Backoff, Config, Content, Datagram, Delivery, GroupId, Library, Limits, MsgNo, Node, NodeEvent,
    Offer, Payload, PeerId, Requests, Segment, Span, Time, WireMessage,
};

const GROUP: GroupId = GroupId([7; 32]);
/// Payloads that a node may send in one instant: one to each peer, answers to pings.
const BURST_MAX: usize = 200;
const LIMITS: Limits = Limits {
    payload_len_max: 40 << 10,
    body_len_max: 2000,
    backlog_max: 12,
    requests_max: 7,
    request_sends_max: 5,
    waiting_max: 5,
    messages_max: 400,
    parents_max: 3,
    sessions_max: 3,
    aside_max: 4,
};

#[derive(Clone, Debug)]
pub enum Op {
    /// Node 0 (the victim) or 1 (honest) writes.
    Append {
        honest: bool,
    },
    /// Everything on the wire arrives, some of it twice, some of it lost, in either order.
    Deliver {
        lose: u8,
        double: u8,
        reverse: bool,
    },
    /// The honest peer's next payload arrives bent, as the hostile one's.
    Bent {
        place: u16,
        bits: u8,
        cut: Option<u16>,
    },
    Random {
        mode: u8,
        bytes: Vec<u8>,
    },
    Forged {
        acks: Vec<u8>,
        offers: Vec<u8>,
        requests: Vec<u8>,
        past: Vec<u8>,
        sets: Vec<u64>,
        ranks: Vec<Vec<u8>>,
    },
    Message {
        at: i64,
        foreign: bool,
        parents: Vec<u8>,
        malformed: bool,
    },
    Segments(Vec<(u32, u32, u32, u32, bool, Vec<u8>)>),
    Wait {
        ms: u32,
    },
    Offline,
    Online,
    Crash {
        forget: bool,
    },
}

/// A node's behaviour within tight limits. `acks` picks a policy; the flags are requests by rank, causal delivery and
/// coordination.
pub fn config(offer: Offer, acks: usize, [by_rank, causal, coordinate]: [bool; 3]) -> Config {
    let after = Span::from_ms(450);
    let policies =
        [Acks::Immediate, Acks::Delayed { after }, Acks::Ancestors { after }, Acks::SetHash { after }];
    Config {
        offer,
        acks: policies[acks % policies.len()],
        requests: if by_rank { Requests::ByRank } else { Requests::ById },
        delivery: if causal { Delivery::Causal } else { Delivery::Eventual },
        coordinate,
        backoff: Backoff { first: 8, longest: 64, again: 16 },
        limits: LIMITS,
        ..Config::default()
    }
}

/// Does all of it, and then lets the hostile peer be silent: every honest message must arrive.
pub fn play(config: Config, ops: Vec<Op>) {
    let mut play = Play::new(config);
    play.collect();
    for op in ops {
        play.run(op);
    }
    play.heal();
}

/// Node 0 is the victim, 1 its honest peer, 2 is hostile and not there.
struct Play {
    now: Time,
    config: Arc<Config>,
    library: Library,
    nodes: Vec<Option<Node>>,
    wire: Vec<(u32, u32, Vec<u8>)>,
    bytes_sent: [u64; 2],
    delivered: [BTreeSet<MsgNo>; 2],
    written: Vec<MsgNo>,
    restarts: u64,
}

impl Play {
    fn new(config: Config) -> Self {
        let config = Arc::new(config);
        let nodes = (0..2)
            .map(|me| {
                let mut node = Node::new(PeerId(me), Arc::clone(&config), Seed::new(3));
                node.join(GROUP, &[PeerId(1 - me), PeerId(2)]);
                node.handle_online(Time::ZERO);
                Some(node)
            })
            .collect();
        Self {
            now: Time::ZERO,
            config,
            library: Library::new(Seed::new(4)),
            nodes,
            wire: Vec::new(),
            bytes_sent: [0; 2],
            delivered: Default::default(),
            written: Vec::new(),
            restarts: 0,
        }
    }

    fn node(&mut self, i: usize) -> &mut Node {
        self.nodes[i].as_mut().unwrap()
    }

    fn collect(&mut self) {
        for i in 0..2 {
            let node = self.nodes[i].as_mut().unwrap();
            let (mut bytes, mut burst) = (Vec::new(), 0);
            while let Some(to) = node.poll_transmit(&self.library, self.now, &mut bytes) {
                burst += 1;
                assert!(burst < BURST_MAX, "it sends without end in one instant");
                assert!(bytes.len() <= LIMITS.payload_len_max, "a payload of {} bytes", bytes.len());
                self.bytes_sent[i] += bytes.len() as u64;
                if to != PeerId(2) {
                    self.wire.push((i as u32, to.0, bytes.clone()));
                }
            }
            assert_eq!(node.stats().sent_bytes(), self.bytes_sent[i], "bytes counted and sent");
            assert!(
                node.poll_timeout().is_none_or(|time| time > self.now),
                "it wants to be called again at once"
            );
            while let Some(event) = node.poll_event() {
                if let NodeEvent::Delivered { message, .. } = event {
                    assert!(self.delivered[i].insert(message), "delivered twice");
                    if self.config.delivery == Delivery::Causal {
                        for parent in self.library.message(message).parents.iter().flatten() {
                            let parent = self.library.find(*parent).expect("a parent is there");
                            assert!(self.delivered[i].contains(&parent), "a parent comes first");
                        }
                    }
                }
            }
            assert_eq!(node.over_bounds(), None);
            let sessions = LIMITS.sessions_max * (4 << 20);
            let waiting = 96 * 70 * LIMITS.messages_max;
            assert!(node.state_bytes() < sessions + waiting + 100_000, "{} bytes", node.state_bytes());
        }
    }

    fn give(&mut self, from: u32, to: u32, bytes: &[u8]) {
        let (now, node) = (self.now, self.nodes[to as usize].as_mut().unwrap());
        let _ = node.handle_payload(&mut self.library, now, PeerId(from), bytes);
        self.collect();
    }

    fn forge(&mut self, payload: Payload) {
        let mut bytes = Vec::new();
        Datagram::Sync(payload).encode(&mut bytes);
        self.give(2, 0, &bytes);
    }

    /// Ids of messages, ids of none, and what is no id.
    fn id(&self, pick: u8) -> Bytes {
        match usize::from(pick) {
            pick if pick < self.library.len() => {
                Bytes::copy_from_slice(self.library.id(MsgNo(pick as u32)).bytes())
            }
            pick if pick % 5 == 0 => Bytes::from(vec![7; pick % 40]),
            pick => Bytes::from(vec![pick as u8; 32]),
        }
    }

    fn run(&mut self, op: Op) {
        let ids =
            |play: &Self, picks: Vec<u8>| picks.into_iter().map(|pick| play.id(pick)).collect::<Vec<_>>();
        match op {
            Op::Append { honest } => {
                let (now, i) = (self.now, usize::from(honest));
                let node = self.nodes[i].as_mut().unwrap();
                let at = now.as_ms() + self.written.len() as u64;
                if let Ok(no) = node.append(&mut self.library, now, GROUP, at, b"honest", None) {
                    self.written.push(no);
                }
                self.collect();
            }
            Op::Deliver { lose, double, reverse } => {
                let mut wire = std::mem::take(&mut self.wire);
                if reverse {
                    wire.reverse();
                }
                for (n, (from, to, bytes)) in wire.into_iter().enumerate() {
                    if lose >> (n % 8) & 1 == 0 {
                        self.give(from, to, &bytes);
                    }
                    if double >> (n % 8) & 1 == 1 {
                        self.give(from, to, &bytes);
                    }
                }
            }
            Op::Bent { place, bits, cut } => {
                let Some((_, _, mut bytes)) = self.wire.last().cloned() else { return };
                let len = bytes.len();
                bytes[usize::from(place) % len] ^= bits;
                bytes.truncate(cut.map_or(len, |cut| usize::from(cut) % len));
                self.give(2, 0, &bytes);
            }
            Op::Random { mode, mut bytes } => {
                bytes.insert(0, mode);
                self.give(2, 0, &bytes);
            }
            Op::Forged { acks, offers, requests, past, sets, ranks } => {
                let payload = Payload {
                    acks: ids(self, acks),
                    offers: ids(self, offers),
                    requests: ids(self, requests),
                    past_acks: ids(self, past),
                    set_acks: sets,
                    ranks: ranks.into_iter().map(Bytes::from).collect(),
                    ..Payload::default()
                };
                self.forge(payload);
            }
            Op::Message { at, foreign, parents, malformed } => {
                let parents = ids(self, parents);
                let body = Content::to_body(parents, b"hostile");
                let message = WireMessage {
                    group_id: Bytes::from(vec![if foreign { 1 } else { GROUP.0[0] }; 32]),
                    timestamp: at,
                    body: if malformed { Bytes::from_static(b"\xff\xff") } else { body },
                };
                self.forge(Payload { messages: vec![message], ..Payload::default() });
            }
            Op::Segments(all) => {
                // The name of the strategy as a session of an honest peer said it, if one is on the wire.
                let strategy =
                    self.wire.iter().find_map(|(_, _, bytes)| match Datagram::decode(bytes, 1 << 20) {
                        Ok(Datagram::Sync(payload)) => {
                            payload.segments.iter().map(|s| s.strategy).find(|s| *s != 0)
                        }
                        _ => None,
                    });
                let make =
                    |(session, seq, ack, end, opens, frame): (u32, u32, u32, u32, bool, Vec<u8>)| Segment {
                        group: if opens { Bytes::copy_from_slice(&GROUP.0) } else { Bytes::new() },
                        session,
                        seq,
                        ack,
                        end,
                        strategy: strategy.unwrap_or_default(),
                        frame: frame.into(),
                    };
                self.forge(Payload { segments: all.into_iter().map(make).collect(), ..Payload::default() });
            }
            Op::Wait { ms } => {
                let end = self.now + Span::from_ms(u64::from(ms));
                // What is due on the way, but not for ever.
                for _ in 0..20 {
                    let next = self.nodes.iter().flatten().filter_map(Node::poll_timeout).min();
                    let Some(next) = next.filter(|next| *next <= end) else { break };
                    self.tick(next);
                }
                self.tick(end);
            }
            Op::Offline => {
                let now = self.now;
                self.node(0).handle_offline(now);
                self.collect();
            }
            Op::Online => {
                let now = self.now;
                self.node(0).handle_online(now);
                self.collect();
            }
            Op::Crash { forget } => {
                let mut disk = self.nodes[0].take().unwrap().crash();
                if forget {
                    disk.forget_peers();
                }
                self.restarts += 1;
                let seed = Seed::new(100 + self.restarts);
                let mut node = Node::restart(disk, Arc::clone(&self.config), &self.library, seed);
                node.handle_online(self.now);
                self.nodes[0] = Some(node);
                self.collect();
            }
        }
    }

    fn tick(&mut self, time: Time) {
        self.now = self.now.max(time);
        let now = self.now;
        for i in 0..2 {
            self.node(i).handle_timeout(now);
        }
        self.collect();
    }

    /// The hostile peer is silent from here on, and the wire is whole.
    fn heal(&mut self) {
        let now = self.now;
        self.node(0).handle_online(now);
        self.collect();
        let end = self.now + Span::from_s(4 * 3600);
        let missing = |play: &Self| {
            play.written
                .iter()
                .find(|no| play.delivered.iter().any(|delivered| !delivered.contains(no)))
                .copied()
        };
        while let Some(no) = missing(self) {
            for (from, to, bytes) in std::mem::take(&mut self.wire) {
                self.give(from, to, &bytes);
            }
            let next = self.nodes.iter().flatten().filter_map(Node::poll_timeout).min();
            assert!(
                self.now < end,
                "{no:?} never arrives: {:?}",
                self.nodes.iter().flatten().map(Node::pending).collect::<Vec<_>>()
            );
            let next = next.unwrap_or(end).min(end);
            self.tick(if self.wire.is_empty() { next } else { self.now + Span::from_ms(1) });
        }
    }
}
