//! Operations on a node between an honest peer and a hostile one: payloads good and bad, time, crashes.
//!
//! Run with `cargo +nightly fuzz run node` in `sync/`. The checks are those of `tests/hostile.rs`, which says
//! more of what they are for.

#![no_main]

use std::collections::BTreeSet;
use std::sync::Arc;

use arbitrary::Arbitrary;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use offerbench_algos::{REGISTRY, Seed};
use offerbench_sync::{
    Acks, Config, Content, Datagram, Delivery, GroupId, Library, Limits, MsgNo, Node, NodeEvent, Offer,
    Payload, PeerId, Reconcile, Requests, Segment, Span, Time, WireMessage,
};

const GROUP: GroupId = GroupId([7; 32]);

#[derive(Arbitrary, Debug)]
enum Op {
    Append {
        honest: bool,
    },
    /// The oldest payload on the wire arrives, perhaps with a byte changed, then as the hostile peer's.
    Deliver {
        flip: Option<(u16, u8)>,
        lose: bool,
    },
    Raw(Vec<u8>),
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
        parents: Vec<u8>,
        malformed: bool,
    },
    Segment {
        opens: bool,
        session: u32,
        seq: u32,
        ack: u32,
        end: u32,
        strategy: u32,
        frame: Vec<u8>,
    },
    Wait {
        ms: u32,
    },
    Offline,
    Online,
    Crash {
        forget: bool,
    },
}

#[derive(Arbitrary, Debug)]
struct Input {
    preset: u8,
    offer: u8,
    acks: u8,
    by_rank: bool,
    causal: bool,
    coordinate: bool,
    ops: Vec<Op>,
}

fn config(input: &Input) -> Config {
    let presets: Vec<&str> = REGISTRY.iter().flat_map(|entry| entry.presets).copied().collect();
    let preset = presets[usize::from(input.preset) % presets.len()];
    let after = Span::from_ms(450);
    let limits = Limits {
        payload_len_max: 40 << 10,
        body_len_max: 2000,
        backlog_max: 12,
        requests_max: 7,
        waiting_max: 5,
        messages_max: 200,
        sessions_max: 3,
        aside_max: 4,
        ..Limits::default()
    };
    Config {
        offer: match input.offer % 3 {
            0 => Offer::Batch,
            1 => Offer::Interactive,
            _ => Offer::Reconcile(Reconcile::new(preset).expect("presets build")),
        },
        acks: match input.acks % 4 {
            0 => Acks::Immediate,
            1 => Acks::Delayed { after },
            2 => Acks::Ancestors { after },
            _ => Acks::SetHash { after },
        },
        requests: if input.by_rank { Requests::ByRank } else { Requests::ById },
        delivery: if input.causal { Delivery::Causal } else { Delivery::Eventual },
        coordinate: input.coordinate,
        limits,
        ..Config::default()
    }
}

struct Play {
    now: Time,
    config: Arc<Config>,
    library: Library,
    nodes: Vec<Node>,
    wire: Vec<(u32, usize, Vec<u8>)>,
    bytes_sent: [u64; 2],
    delivered: [BTreeSet<MsgNo>; 2],
    restarts: u64,
}

impl Play {
    fn collect(&mut self) {
        for (i, node) in self.nodes.iter_mut().enumerate() {
            let (mut bytes, mut burst) = (Vec::new(), 0);
            while let Some(to) = node.poll_transmit(&self.library, self.now, &mut bytes) {
                burst += 1;
                assert!(burst < 200, "it sends without end in one instant");
                assert!(bytes.len() <= self.config.limits.payload_len_max);
                self.bytes_sent[i] += bytes.len() as u64;
                if to != PeerId(2) {
                    self.wire.push((i as u32, 1 - i, bytes.clone()));
                }
            }
            assert_eq!(node.stats().sent_bytes(), self.bytes_sent[i]);
            assert!(node.poll_timeout().is_none_or(|time| time > self.now));
            assert_eq!(node.over_bounds(), None);
            while let Some(event) = node.poll_event() {
                if let NodeEvent::Delivered { message, .. } = event {
                    assert!(self.delivered[i].insert(message), "delivered twice");
                }
            }
        }
    }

    fn give(&mut self, from: u32, to: usize, bytes: &[u8]) {
        let _ = self.nodes[to].handle_payload(&mut self.library, self.now, PeerId(from), bytes);
        self.collect();
    }

    fn forge(&mut self, payload: Payload) {
        let mut bytes = Vec::new();
        Datagram::Sync(payload).encode(&mut bytes);
        self.give(2, 0, &bytes);
    }

    fn ids(&self, picks: &[u8]) -> Vec<Bytes> {
        let id = |pick: &u8| match usize::from(*pick) {
            pick if pick < self.library.len() => {
                Bytes::copy_from_slice(self.library.id(MsgNo(pick as u32)).bytes())
            }
            pick if pick % 5 == 0 => Bytes::from(vec![7; pick % 40]),
            pick => Bytes::from(vec![pick as u8; 32]),
        };
        picks.iter().map(id).collect()
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Append { honest } => {
                let at = self.now.as_ms();
                let node = &mut self.nodes[usize::from(honest)];
                let _ = node.append(&mut self.library, self.now, GROUP, at, b"honest");
            }
            Op::Deliver { flip, lose } => {
                if self.wire.is_empty() {
                    return;
                }
                let (from, to, mut bytes) = self.wire.remove(0);
                if let Some((place, bits)) = flip {
                    let len = bytes.len();
                    bytes[usize::from(place) % len] ^= bits;
                    self.give(2, 0, &bytes);
                } else if !lose {
                    self.give(from, to, &bytes);
                }
            }
            Op::Raw(bytes) => self.give(2, 0, &bytes),
            Op::Forged { acks, offers, requests, past, sets, ranks } => {
                let payload = Payload {
                    acks: self.ids(&acks),
                    offers: self.ids(&offers),
                    requests: self.ids(&requests),
                    past_acks: self.ids(&past),
                    set_acks: sets,
                    ranks: ranks.into_iter().map(Bytes::from).collect(),
                    ..Payload::default()
                };
                self.forge(payload);
            }
            Op::Message { at, parents, malformed } => {
                let body = Content::to_body(self.ids(&parents), b"hostile");
                let message = WireMessage {
                    group_id: Bytes::copy_from_slice(&GROUP.0),
                    timestamp: at,
                    body: if malformed { Bytes::from_static(b"\xff\xff") } else { body },
                };
                self.forge(Payload { messages: vec![message], ..Payload::default() });
            }
            Op::Segment { opens, session, seq, ack, end, strategy, frame } => {
                let group = if opens { Bytes::copy_from_slice(&GROUP.0) } else { Bytes::new() };
                let segment = Segment { group, session, seq, ack, frame: frame.into(), strategy, end };
                self.forge(Payload { segments: vec![segment], ..Payload::default() });
            }
            Op::Wait { ms } => {
                self.now = self.now + Span::from_ms(u64::from(ms));
                for node in &mut self.nodes {
                    node.handle_timeout(self.now);
                }
            }
            Op::Offline => self.nodes[0].handle_offline(self.now),
            Op::Online => self.nodes[0].handle_online(self.now),
            Op::Crash { forget } => {
                let honest = self.nodes.pop().expect("two nodes");
                let mut disk = self.nodes.pop().expect("two nodes").crash();
                if forget {
                    disk.forget_peers();
                }
                self.restarts += 1;
                let seed = Seed::new(100 + self.restarts);
                let mut node = Node::restart(disk, Arc::clone(&self.config), &self.library, seed);
                node.handle_online(self.now);
                self.nodes = vec![node, honest];
            }
        }
        self.collect();
    }
}

fuzz_target!(|input: Input| {
    let config = Arc::new(config(&input));
    let nodes = (0..2).map(|me| {
        let mut node = Node::new(PeerId(me), Arc::clone(&config), Seed::new(3));
        node.join(GROUP, &[PeerId(1 - me), PeerId(2)]);
        node.handle_online(Time::ZERO);
        node
    });
    let mut play = Play {
        now: Time::ZERO,
        nodes: nodes.collect(),
        config,
        library: Library::new(Seed::new(4)),
        wire: Vec::new(),
        bytes_sent: [0; 2],
        delivered: Default::default(),
        restarts: 0,
    };
    play.collect();
    for op in input.ops {
        play.run(op);
    }
});
