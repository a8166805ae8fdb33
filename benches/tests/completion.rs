//! What the report computes for a session on a link, against two nodes of the sync core over the simulator's link.
//!
//! Both nodes are real: channel, windows, acknowledgements, payload framing. Of their payloads the test carries what
//! belongs to the first session; offers and messages, which follow from it, would share the link. CPU takes no time there,
//! so wire and wait are compared alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use offerbench::link::{PAYLOAD_LEN_MAX, declared};
use offerbench_algos::wire::FRAME_LEN_DEFAULT;
use offerbench_algos::{
    Budget, Built, DiffHint, DuelLimits, Flow, Item, Lasting, REGISTRY, Role, Seed, Setup, Transcript,
    Verdict, build, duel_traced,
};
use offerbench_reports::link::completion;
use offerbench_reports::record::{self, Burst, ExactRow};
use offerbench_sync::sim::{Carried, Dice, Link, LinkProfile, Up};
use offerbench_sync::{
    ChannelConfig, Config, Datagram, GroupId, Library, MsgNo, Node, Offer, Payload, PeerId, Reconcile,
    Segment, Span, Time,
};

const GROUP: GroupId = GroupId([7; 32]);
const NEVER: Span = Span::from_s(1 << 30);

/// Who holds what: of `m` messages the initiator lacks those of which `lacks` says 0, the responder those with 1.
struct Sets {
    name: &'static str,
    m: u64,
    window: u32,
    lacks: fn(u64) -> Option<usize>,
}

const SETS: [Sets; 4] = [
    Sets {
        name: "M 2000, d 40, scattered, window 1",
        m: 2000,
        window: 1,
        lacks: |i| (i % 50 == 7).then_some(i as usize / 50 % 2),
    },
    Sets {
        name: "M 2000, d 40, recent, window 4",
        m: 2000,
        window: 4,
        lacks: |i| (i >= 1960).then_some(i as usize % 2),
    },
    Sets { name: "M 400, equal, window 4", m: 400, window: 4, lacks: |_| None },
    Sets { name: "M 3000, d 600, gap, window 4", m: 3000, window: 4, lacks: |i| (i >= 2400).then_some(0) },
];

/// What a node of the test is told: nothing is sent again, and a payload may leave whenever something is due.
fn config(spec: &str, window: u32) -> Config {
    let mut options = Reconcile::new(spec).expect("a preset builds");
    (options.knock, options.silence, options.every) = (false, NEVER, NEVER);
    options.channel = ChannelConfig {
        window,
        frame_len_max: FRAME_LEN_DEFAULT,
        window_bytes: window as usize * FRAME_LEN_DEFAULT as usize,
        rto_first: NEVER,
        rto_max: NEVER,
        ..ChannelConfig::default()
    };
    let mut config =
        Config { offer: Offer::Reconcile(options), epoch: Span::from_us(1), ..Config::default() };
    config.limits.payload_len_max = PAYLOAD_LEN_MAX as usize;
    config.backoff.first = 1 << 30;
    config.backoff.longest = 1 << 30;
    config
}

struct Pair {
    library: Library,
    nodes: [Node; 2],
    items: [Vec<Item>; 2],
}

impl Pair {
    fn new(spec: &str, sets: &Sets) -> Self {
        let mut library = Library::new(Seed::new(1));
        let config = Arc::new(config(spec, sets.window));
        let mut nodes = [0, 1].map(|me| Node::new(PeerId(me), Arc::clone(&config), Seed::new(1)));
        nodes[0].join(GROUP, &[PeerId(1)]);
        nodes[1].join(GROUP, &[PeerId(0)]);
        let mut items = [Vec::new(), Vec::new()];
        for i in 0..sets.m {
            for (holder, node) in nodes.iter_mut().enumerate() {
                if (sets.lacks)(i) == Some(holder) {
                    continue;
                }
                let at = 1_700_000_000_000 + i * 60_000;
                let no: MsgNo = node
                    .append(&mut library, Time::ZERO, GROUP, at, &i.to_le_bytes(), Some(&[]))
                    .expect("a small message is taken");
                items[holder].push(library.message(no).item);
            }
        }
        Self { library, nodes, items }
    }

    /// The same session as a duel: seeds, limits and budget are those that the nodes draw and give.
    fn duel(&self, built: &Built, window: u32) -> (Transcript, Flow) {
        let mut ends = [Role::Initiator, Role::Responder].map(|role| {
            let me = role as usize;
            let setup = Setup {
                seed: Seed::new(1).child("node").nth(me as u64).child("session").nth(0),
                lasting: Lasting::of(Seed::new(1)),
                frame_len_max: FRAME_LEN_DEFAULT,
                diff: DiffHint::Unknown,
                budget: Budget { cpu_ns_max: 2_000_000_000, heap_bytes_max: 64 << 20 },
            };
            built.strategy.index(&self.items[me]).open(role, &setup)
        });
        let mut flow = Flow::default();
        let limits = DuelLimits { window, ..DuelLimits::default() };
        (duel_traced(&mut ends, &limits, &mut flow).expect("a duel ends"), flow)
    }

    /// Seconds from the first payload until frame number `last[i]` of each end i has arrived.
    fn simulate(mut self, profile: &LinkProfile, seed: u64, last: [u64; 2]) -> f64 {
        let seed = Seed::new(seed);
        let mut links = [Link::new(Dice::new(seed.nth(0))), Link::new(Dice::new(seed.nth(1)))];
        let began = Time::from_us(1_000_000);
        let mut now = began;
        let mut wire: BTreeMap<(Time, u64), (usize, Payload)> = BTreeMap::new();
        let (mut sent, mut session, mut online) = (0, None, false);
        let mut done = [last[0] == 0, last[1] == 0];
        self.nodes[0].handle_online(now);
        for _ in 0..1_000_000 {
            for (from, link) in links.iter_mut().enumerate() {
                let mut bytes = Vec::new();
                while self.nodes[from].poll_transmit(&self.library, now, &mut bytes).is_some() {
                    let Ok(Datagram::Sync(payload)) = Datagram::decode(&bytes, 1 << 20) else { continue };
                    let number = *session.get_or_insert_with(|| payload.segments[0].session);
                    let segments: Vec<Segment> =
                        payload.segments.into_iter().filter(|s| s.session == number).collect();
                    if segments.is_empty() {
                        continue;
                    }
                    let payload = Payload { segments, ..Payload::default() };
                    let mut bytes = Vec::new();
                    Datagram::Sync(payload.clone()).encode(&mut bytes);
                    let Carried::Arrives { at, .. } =
                        link.carry(profile, now, Up::ALWAYS, bytes.len(), Span::ZERO)
                    else {
                        panic!("a healed link loses nothing");
                    };
                    wire.insert((at, sent), (1 - from, payload));
                    sent += 1;
                }
            }
            let timers = self.nodes.iter().filter_map(Node::poll_timeout).min();
            let arrives = wire.keys().next().map(|(at, _)| *at);
            now = now.max(
                [timers, arrives].into_iter().flatten().min().expect("a session goes on until it is done"),
            );
            while let Some(entry) = wire.first_entry().filter(|entry| entry.key().0 <= now) {
                let (to, payload) = entry.remove();
                done[1 - to] |= payload.segments.iter().any(|segment| u64::from(segment.seq) == last[1 - to]);
                if done == [true, true] {
                    return now.since(began).as_us() as f64 / 1e6;
                }
                let mut bytes = Vec::new();
                Datagram::Sync(payload).encode(&mut bytes);
                self.nodes[to]
                    .handle_payload(&mut self.library, now, PeerId(1 - to as u32), &bytes)
                    .expect("a node reads what a node wrote");
                if !online {
                    // Earlier it would begin a session of its own.
                    online = true;
                    self.nodes[1].handle_online(now);
                }
            }
            self.nodes.iter_mut().for_each(|node| node.handle_timeout(now));
        }
        panic!("the session does not end");
    }
}

/// Number of the last frame that the other end needs.
fn last_needed(bursts: &[offerbench_algos::Burst]) -> u64 {
    let (mut number, mut last) = (0, 0);
    for burst in bursts {
        if burst.vain < burst.frames {
            last = number + burst.frames - burst.vain;
        }
        number += burst.frames;
    }
    last
}

fn row(flow: &Flow, window: u32) -> ExactRow {
    let row = serde_json::json!({
        "sweep": "s", "point": 0, "replicate": 0, "seed": 1, "spec": "x", "workload": "w", "pattern": "p", "m": 1, "n": 2,
        "k": 1, "d": 1, "d_initiator": 1, "d_responder": 0, "window": window, "outcome": "exact", "tries": 1, "missed": 0,
        "invented": 0, "up": record::Bytes::default(), "down": record::Bytes::default(), "frames_up": 1, "frames_down": 1,
        "frames_overshoot": 0, "flights": 1, "decode_attempts": 1, "decode_failures": 0, "heap_peak_bytes": 1,
        "index_heap_bytes": 1,
    });
    let mut row: ExactRow = serde_json::from_value(row).expect("the fields of a row");
    let [up, down] = flow.0.clone().map(|bursts| {
        bursts
            .iter()
            .map(|burst| Burst {
                after: burst.after,
                frames: burst.frames,
                bytes: burst.bytes,
                vain: burst.vain,
            })
            .collect()
    });
    (row.flow_up, row.flow_down) = (up, down);
    row
}

/// All strategies on all links: within 5% of what the simulator takes. With jitter folded into the latency, since the
/// computation knows its mean alone.
#[test]
fn the_computed_time_is_the_simulated_one() {
    let mut worst: Vec<(f64, String)> = Vec::new();
    for spec in REGISTRY.iter().flat_map(|entry| entry.presets) {
        let built = build(spec).unwrap();
        if built.strategy.profile().oracle {
            continue; // Nodes tell nobody d.
        }
        for sets in &SETS {
            let (transcript, flow) = Pair::new(spec, sets).duel(&built, sets.window);
            if transcript.verdicts.iter().any(|verdict| matches!(verdict, Verdict::GaveUp(_))) {
                continue;
            }
            let last = [last_needed(&flow.0[0]), last_needed(&flow.0[1])];
            for (name, profile) in LinkProfile::NAMED.iter().filter(|(name, _)| *name != "ideal") {
                let mut profile = profile.healed();
                profile.latency_us += profile.jitter_us / 2;
                profile.jitter_us = 0;
                let simulated_s = Pair::new(spec, sets).simulate(&profile, 1, last);
                let link = declared(name, &profile, "");
                let computed = completion(&row(&flow, sets.window), 0.0, 0.0, &link).unwrap();
                let ratio = computed.total_s() / simulated_s;
                worst.push((
                    ratio,
                    format!(
                        "{spec}, {}, {name}: {:.4} s, simulated {simulated_s:.4} s, {flow:?}",
                        sets.name,
                        computed.total_s()
                    ),
                ));
            }
        }
    }
    worst.sort_by(|a, b| (b.0 - 1.0).abs().total_cmp(&(a.0 - 1.0).abs()));
    let count = worst.len();
    let outside = worst.iter().filter(|(ratio, _)| (ratio - 1.0).abs() > 0.05).count();
    for (ratio, what) in worst.iter().take(12) {
        println!("{ratio:.4} {}", &what[..what.len().min(700)]);
    }
    println!("{count} compared, {outside} outside");
    assert!(count >= 4 * 5 * 20, "{count} compared");
    assert_eq!(outside, 0);
}
