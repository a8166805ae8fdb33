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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use offerbench_algos::Seed;
    use offerbench_sync::sim::{
        Append, Behind, Interval, LinkProfile, Past, Presence, Text, World, WorldConfig,
    };
    use offerbench_sync::{Config, GroupId, Offer, Span};

    use super::*;

    const GROUP: GroupId = GroupId([7; 32]);
    const LATENCY_MS: u64 = 250;

    fn s(s: u64) -> Time {
        Time::ZERO + Span::from_s(s)
    }

    /// Three nodes in batch mode that share along these pairs; a quarter of a second each way, nothing is lost.
    fn three(pairs: &[(u32, u32)], presence: [&[(u64, u64)]; 3], writes: &[(u64, u32)]) -> WorldConfig {
        let config = Arc::new(Config { offer: Offer::Batch, ..Config::default() });
        let link = LinkProfile { latency_us: 1_000 * LATENCY_MS, ..LinkProfile::IDEAL };
        let mut world = WorldConfig::group(Seed::new(1), &config, GROUP, 3, pairs, link);
        let lists = presence.map(|list| list.iter().map(|&(a, b)| (s(a), s(b))).collect::<Vec<Interval>>());
        world.presence = Presence::from_intervals(lists.to_vec()).unwrap();
        world.appends = writes
            .iter()
            .map(|&(at, node)| Append {
                at: s(at),
                node: PeerId(node),
                group: GROUP,
                skew_ms: 0,
                parents: None,
                text: Text::Random(100),
            })
            .collect();
        world
    }

    /// What the meter says, bytes sent by all, bytes arrived at all, and when what was delivered to whom.
    struct Told {
        meter: Meter,
        sent: u64,
        arrived: u64,
        delivered: Vec<(Time, PeerId, MsgNo)>,
    }

    impl Told {
        fn bytes(&self) -> [u64; 3] {
            [0, 1, 2].map(|no| self.meter.bytes(no..no + 1).sum)
        }
    }

    fn told(config: WorldConfig, returning: Range<usize>, until: Time) -> Told {
        let peers: Vec<Vec<PeerId>> = config.nodes.iter().map(|node| node.shares[0].1.clone()).collect();
        let meter = Meter::new(peers.into_iter(), config.history.len() as u32, returning);
        let mut delivered = Vec::new();
        let log = |stage: &Stage<'_>, event: &Event<'_>| {
            if let Event::Node { node, event: NodeEvent::Delivered { message, .. } } = event {
                delivered.push((stage.now, *node, *message));
            }
        };
        let mut world = World::observed(config, (meter, log)).unwrap();
        world.run_until(until);
        let (sent, arrived) = (world.totals().payload_bytes, world.totals().arrived_bytes);
        let (mut meter, _) = world.into_observer();
        meter.end();
        Told { meter, sent, arrived, delivered }
    }

    fn values(hist: &Hist) -> Vec<(u64, u64)> {
        hist.classes().collect()
    }

    /// 0 writes, 1 passes it on: a message and its ack cross each link once.
    #[test]
    fn in_a_row_the_middle_pays_twice() {
        let always: &[(u64, u64)] = &[(0, 1000)];
        let told = told(three(&[(0, 1), (1, 2)], [always; 3], &[(10, 0)]), 0..3, s(500));
        let [first, middle, last] = told.bytes();
        // Message and ack, once more for the other link.
        assert_eq!((first, middle, last), (told.sent / 2, told.sent, told.sent / 2));
        assert_eq!(told.arrived, told.sent);
        assert!(first > 100 + 32, "a text and an id");
        let all = told.meter.bytes(0..3);
        assert_eq!(
            (all.min, all.p50, all.p90, all.max, all.sum),
            (first, first, middle, middle, 2 * told.sent)
        );
        // One link and two links after it was written; nothing for the author.
        let mut expected = Hist::default();
        expected.record(LATENCY_MS);
        expected.record(2 * LATENCY_MS);
        assert_eq!(told.meter.delivery_ms, expected);
        assert_eq!(told.delivered.len(), 3, "the author has it, too");
        // Nobody came: all were there from the beginning.
        assert!(told.meter.missed.is_empty() && told.meter.catch_up_ms.is_empty());
        assert_eq!((told.meter.catch_ups_cut, told.meter.sessions_done, told.meter.flights), (0, 0, 0));
    }

    /// What is sent to who is not there counts at its sender alone.
    #[test]
    fn what_does_not_arrive_is_paid_by_its_sender() {
        let always: &[(u64, u64)] = &[(0, 1000)];
        let told = told(three(&[(0, 1)], [always, &[], always], &[(10, 0)]), 0..3, s(11));
        assert_eq!((told.bytes(), told.arrived), ([told.sent, 0, 0], 0));
        assert!(told.sent > 100 && told.meter.delivery_ms.is_empty());
    }

    /// 2 comes back at 100 s to two peers who hold the same three messages, which count once each, and the member
    /// has caught up with the last of them. At 400 s it has missed nothing, at 500 s nobody is there to have missed
    /// anything of.
    #[test]
    fn a_return_misses_what_is_held_by_who_is_there() {
        let others: &[(u64, u64)] = &[(0, 450)];
        let mine: &[(u64, u64)] = &[(100, 300), (400, 410), (500, 600)];
        let pairs = [(0, 1), (0, 2), (1, 2)];
        let writes = [(10, 0), (20, 1), (30, 0), (420, 0)];
        let told = told(three(&pairs, [others, others, mine], &writes), 0..3, s(700));
        assert_eq!(values(&told.meter.missed), [(0, 2), (3, 1)]);
        let mut caught_up = Hist::default();
        let mine: Vec<Time> =
            told.delivered.iter().filter(|(_, node, _)| *node == PeerId(2)).map(|(at, ..)| *at).collect();
        assert_eq!(mine.len(), 3, "the fourth was written while it was away for good");
        caught_up.record(mine[2].since(s(100)).as_ms());
        assert_eq!(told.meter.catch_up_ms, caught_up);
        assert_eq!(told.meter.catch_ups_cut, 0);
        // Three to 2, and four between 0 and 1.
        assert_eq!(told.meter.delivery_ms.count(), 7);
        assert!(told.meter.delivery_ms.max() >= Some(70_000), "it was away when they were written");
    }

    /// A stay of a tenth of a second is too short for a link of a quarter: cut. So is one that lasts when the time is
    /// over. Coming at the very beginning is no return.
    #[test]
    fn returns_that_end_too_early_are_cut() {
        let always: &[(u64, u64)] = &[(0, 1000)];
        let mut config = three(&[(0, 2)], [always, always, &[]], &[(10, 0)]);
        let ms = |ms| Time::ZERO + Span::from_ms(ms);
        config.presence.set(2, vec![(s(0), s(1)), (ms(50_000), ms(50_100)), (s(60), s(1000))]).unwrap();
        let told = told(config, 0..3, ms(60_100));
        assert_eq!(values(&told.meter.missed), [(1, 2)]);
        assert_eq!((told.meter.catch_up_ms.count(), told.meter.catch_ups_cut), (0, 2));
        assert!(told.meter.delivery_ms.is_empty());
    }

    /// History has no time of writing: it is caught up with, and not in the delivery latency. Only the returns that
    /// are asked for are looked at.
    #[test]
    fn history_is_caught_up_with_and_others_returns_are_not_looked_at() {
        let others: &[(u64, u64)] = &[(0, 10), (50, 1000)];
        let config = || {
            let mine: &[(u64, u64)] = &[(100, 1000)];
            let mut config = three(&[(0, 1), (0, 2), (1, 2)], [&[(0, 1000)], others, mine], &[(20, 0)]);
            config.history = (1..=5)
                .map(|n| Past {
                    stamp_ms: config.start_ms - 1_000 * (6 - n),
                    author: PeerId(0),
                    group: GROUP,
                    text: Text::Random(60),
                })
                .collect();
            config.behind = vec![Behind { node: PeerId(2), lacks: 2 }];
            config
        };
        let all = told(config(), 0..3, s(900));
        assert_eq!(
            values(&all.meter.missed),
            [(1, 1), (3, 1)],
            "1 missed what was written, 2 of the history, too"
        );
        assert_eq!((all.meter.catch_up_ms.count(), all.meter.delivery_ms.count()), (2, 2));
        let one = told(config(), 2..3, s(900));
        assert_eq!(values(&one.meter.missed), [(3, 1)]);
        assert_eq!((one.meter.catch_up_ms.count(), one.meter.delivery_ms.count()), (1, 2));
        assert_eq!(one.bytes(), all.bytes());
    }

    #[test]
    fn spreads_are_values_that_are_there() {
        let of = |values: &[u64]| {
            let Spread { min, p50, p90, max, sum } = spread(values.to_vec());
            [min, p50, p90, max, sum]
        };
        assert_eq!(of(&[]), [0; 5]);
        assert_eq!(of(&[7]), [7, 7, 7, 7, 7]);
        assert_eq!(of(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]), [1, 5, 9, 10, 55]);
        assert_eq!(of(&[3, 1, 2]), [1, 2, 3, 3, 6]);
    }
}
