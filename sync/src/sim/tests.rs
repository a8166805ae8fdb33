//! Worlds as stories: what is written, what goes wrong, what must be true in the end.

use std::sync::Arc;

use offerbench_algos::Seed;

use super::*;
use crate::{
    Config, Delivery, GroupId, Limits, MsgNo, NodeEvent, Offer, PeerId, Plant, Reconcile, Span, Time,
};

mod parents;

const GROUP: GroupId = GroupId([7; 32]);

fn s(s: u64) -> Time {
    Time::ZERO + Span::from_s(s)
}

fn ms(ms: u64) -> Time {
    Time::ZERO + Span::from_ms(ms)
}

fn says(at: Time, node: u32, text: &str) -> Append {
    Append { at, node: PeerId(node), group: GROUP, skew_ms: 0, parents: None, text: Text::Says(text.into()) }
}

fn batch() -> Arc<Config> {
    Arc::new(Config { offer: Offer::Batch, ..Config::default() })
}

fn causal() -> Arc<Config> {
    Arc::new(Config { delivery: Delivery::Causal, ..Config::default() })
}

fn reconcile(spec: &str) -> Arc<Config> {
    let offer = Offer::Reconcile(Reconcile::new(spec).unwrap());
    Arc::new(Config { offer, ..Config::default() })
}

fn group(config: &Arc<Config>, pairs: &[(u32, u32)], profile: LinkProfile) -> WorldConfig {
    let node_count = pairs.iter().map(|(a, b)| a.max(b) + 1).max().unwrap_or(1);
    WorldConfig::group(Seed::new(1), config, GROUP, node_count as usize, pairs, profile)
}

/// A ring with chords: every node shares with four others.
fn ring(node_count: u32) -> Vec<(u32, u32)> {
    let far = node_count / 3;
    let pair = |a: u32, b: u32| (a.min(b), a.max(b));
    let mut pairs: Vec<_> = (0..node_count)
        .flat_map(|a| [pair(a, (a + 1) % node_count), pair(a, (a + far) % node_count)])
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn checked(config: WorldConfig) -> World<Checker> {
    let checker = Checker::new(&config);
    World::observed(config, checker).unwrap()
}

/// What everybody does in a world with everything in it that can go wrong, a message every 20 s.
fn rough(seed: u64, config: &Arc<Config>) -> WorldConfig {
    let seed = Seed::new(seed);
    let profile = LinkProfile {
        loss_ppm: 50_000,
        duplicate_ppm: 50_000,
        reorder_ppm: 50_000,
        reorder_us: 3_000_000,
        ..LinkProfile::MOBILE_4G
    };
    let mut world = WorldConfig::group(seed, config, GROUP, 12, &ring(12), profile);
    let hour = s(3600);
    world.presence = Presence::alternating(12, 400_000, Span::from_s(300), hour, seed.child("presence"));
    world.presence.never_together(0, 1);
    let side = |from| (from..from + 6).map(PeerId).collect();
    world.faults = vec![
        Fault::during(s(600), s(1800), FaultKind::Partition(vec![side(0), side(6)])),
        Fault::always(FaultKind::OneWay(PeerId(2), PeerId(3))),
        Fault::always(FaultKind::Delay { ppm: 100_000, by: Span::from_s(20) }),
    ];
    let crash = |n: u32| Crash {
        at: s(u64::from(n) * 400 + 37),
        node: PeerId(n % 12),
        down_for: Span::from_s(90),
        forgets_peers: n % 3 == 2,
    };
    world.crashes = (0..9).map(crash).collect();
    world.appends = (0..100)
        .map(|n: u32| Append {
            at: s(u64::from(n) * 20),
            node: PeerId(n * 7 % 12),
            group: GROUP,
            skew_ms: i64::from(n % 5) * 1000 - 2000,
            parents: None,
            text: Text::Random(40),
        })
        .collect();
    world
}

/// In interactive mode a message takes an offer, a request, the message and its ack.
#[test]
fn two_nodes_and_one_message() {
    let mut config =
        group(&Arc::default(), &[(0, 1)], LinkProfile { latency_us: 20_000, ..LinkProfile::IDEAL });
    config.appends = vec![says(s(1), 0, "hello")];
    let mut story = Vec::new();
    let mut world = World::observed(config, |stage: &Stage<'_>, event: &Event<'_>| match event {
        Event::Sent { from, .. } => story.push((stage.now.as_ms(), from.0, "sends")),
        Event::Node { node, event: NodeEvent::Delivered { .. } } => {
            story.push((stage.now.as_ms(), node.0, "delivers"));
        }
        _ => {}
    })
    .unwrap();
    assert!(world.run_until_idle(s(60)));
    assert_eq!(world.owed(), 0);
    assert_eq!(world.totals().payloads, 4);
    assert_eq!(world.totals().arrived, 4);
    assert_eq!(world.totals().lost, [0; 6]);
    let life = *world.life(MsgNo(0)).unwrap();
    assert_eq!(life, Life { written_at: s(1), author: PeerId(0), owed_to: 1, delivered_to: 1 });
    drop(world);
    let what: Vec<_> = story.iter().map(|(_, node, what)| (*node, *what)).collect();
    assert_eq!(
        what,
        [(0, "delivers"), (0, "sends"), (1, "sends"), (0, "sends"), (1, "delivers"), (1, "sends")]
    );
    let delivered_at = story[4].0;
    // Three flights of 20 ms, each behind at most one epoch of 100 ms.
    assert!((1060..1360).contains(&delivered_at), "{delivered_at}");
}

/// The first payload is lost; the offer comes again after the back-off of 32 epochs.
#[test]
fn what_is_lost_is_sent_again_after_the_back_off() {
    let mut config = group(&batch(), &[(0, 1)], LinkProfile::IDEAL);
    config.appends = vec![says(s(1), 0, "hello")];
    let mut world = World::new(config).unwrap();
    let mut lost = 0;
    world.add_rule(move |_: &Passing<'_>| {
        lost += 1;
        if lost == 1 { Verdict::Drop } else { Verdict::Pass }
    });
    world.run_until(s(3));
    assert_eq!(world.totals().lost(LossCause::Rule), 1);
    assert_eq!(world.owed(), 1);
    assert!(world.run_until_idle(s(10)));
    assert_eq!(world.owed(), 0);
    assert!((s(4)..s(6)).contains(&world.now()), "{}", world.now());
    assert_eq!(world.totals().payloads, 3, "a message twice and an ack");
}

/// What reached a node before it crashed is not delivered again; what did not, is.
#[test]
fn a_crash_loses_what_was_not_stored_and_nothing_else() {
    let mut config = group(&batch(), &[(0, 1)], LinkProfile { latency_us: 10_000, ..LinkProfile::IDEAL });
    config.appends =
        vec![says(s(1), 0, "before"), says(s(20), 0, "while down"), says(s(21), 1, "written down")];
    config.crashes =
        vec![Crash { at: s(10), node: PeerId(1), down_for: Span::from_s(15), forgets_peers: false }];
    let mut world = checked(config);
    world.run_until(s(12));
    assert!(world.node(PeerId(1)).is_none());
    assert!(!world.is_online(PeerId(1)));
    world.run_until(s(24));
    assert_eq!(world.totals().appended, 2, "who is down writes later");
    assert!(world.totals().lost(LossCause::Offline) > 0);
    assert!(world.run_until_idle(s(120)));
    assert_eq!(world.owed(), 0);
    assert_eq!(world.totals().delivered, 3);
    assert_eq!(world.life(MsgNo(2)).map(|life| (life.author, life.written_at)), Some((PeerId(1), s(25))));
    assert_eq!(world.observer().verdict(), Ok(()));
}

#[test]
fn a_partition_holds_and_heals() {
    let mut config = group(&causal(), &ring(8), LinkProfile::LAN);
    let side = |from| (from..from + 4).map(PeerId).collect();
    config.faults = vec![Fault::always(FaultKind::Partition(vec![side(0), side(4)]))];
    config.appends = vec![says(s(1), 0, "left"), says(s(1), 5, "right"), says(s(2), 1, "left again")];
    let mut world = checked(config);
    world.run_until(s(60));
    for no in 0..world.library().len() as u32 {
        let author = world.life(MsgNo(no)).unwrap().author;
        for node in (0..8).map(PeerId) {
            let together = (author.0 < 4) == (node.0 < 4);
            assert_eq!(world.node(node).unwrap().has_delivered(MsgNo(no)), together);
        }
    }
    world.heal();
    let took = world.run_until_settled(Span::from_s(300)).unwrap();
    assert!(took > Span::ZERO);
    assert_eq!(world.owed(), 0);
    assert_eq!(world.totals().delivered, 21);
    assert_eq!(world.observer().verdict(), Ok(()));
}

#[test]
fn a_hundred_members_all_get_everything() {
    for config in [batch(), Arc::default(), causal(), reconcile("range")] {
        let mut config = group(&config, &ring(100), LinkProfile::MOBILE_4G);
        config.appends =
            (0..20).map(|n| says(s(u64::from(n)), n * 31 % 100, &format!("message {n}"))).collect();
        let mut world = checked(config);
        assert_eq!(world.appends_planned(), 20);
        world.run_until_settled(Span::from_s(600)).unwrap();
        assert_eq!(world.totals().delivered, 20 * 99);
        assert_eq!(world.observer().verdict(), Ok(()));
        for node in (0..100).map(PeerId) {
            assert!((0..20).all(|no| world.node(node).unwrap().has_delivered(MsgNo(no))));
        }
    }
}

/// The same description, the same bytes; another seed, others.
#[test]
fn one_seed_replays_everything() {
    for config in [batch(), causal(), reconcile("range")] {
        let run = |seed| {
            let mut world = World::observed(rough(seed, &config), Digest::default()).unwrap();
            world.run_until(s(3600));
            world.heal();
            let took =
                world.run_until_settled(Span::from_s(4 * 3600)).unwrap_or_else(|stuck| panic!("{stuck}"));
            (world.observer().value(), *world.totals(), took)
        };
        let first = run(1);
        assert_eq!(first, run(1));
        assert_ne!(first.0, run(2).0);
    }
}

/// Safety in a world where everything goes wrong, and liveness once nothing does.
#[test]
fn rough_worlds_are_safe_and_heal() {
    for (seed, config) in (0..12).zip([batch(), Arc::default(), causal(), reconcile("range")].iter().cycle())
    {
        let mut world = checked(rough(seed, config));
        world.run_until(s(3600));
        let totals = *world.totals();
        let seen = [LossCause::Offline, LossCause::Loss, LossCause::Rule].map(|cause| totals.lost(cause) > 0);
        assert_eq!(seen, [true; 3], "{totals:?}");
        assert_eq!(totals.appended, 100);
        world.heal();
        world
            .run_until_settled(Span::from_s(4 * 3600))
            .unwrap_or_else(|stuck| panic!("seed {seed}: {stuck}"));
        assert_eq!(world.totals().delivered, 1100, "seed {seed}");
        assert_eq!(world.observer().verdict(), Ok(()), "seed {seed}");
    }
}

/// The first of some seeds in which a planted bug shows, by safety or by liveness.
fn found(plant: Plant, config: &Arc<Config>) -> Option<u64> {
    (0..20).find(|seed| {
        let mut world = checked(rough(*seed, config));
        world.plant(plant);
        world.run_until(s(3600));
        world.heal();
        let settled = world.run_until_settled(Span::from_s(4 * 3600));
        settled.is_err() || world.observer().verdict().is_err()
    })
}

#[test]
fn planted_bugs_are_found() {
    let small = Limits { waiting_max: 2, ..Limits::default() };
    let small = Arc::new(Config { delivery: Delivery::Causal, limits: small, ..Config::default() });
    assert!(found(Plant::SkippedParent, &causal()).is_some());
    assert!(found(Plant::UnboundedBuffer, &small).is_some());
    assert!(found(Plant::DroppedAck, &batch()).is_some());
    assert!(found(Plant::LostFrame, &reconcile("range")).is_some());
    assert_eq!(found(Plant::Nothing, &small), None);
}

/// Sums that must agree: what is sent, and copied, arrives or is lost.
#[test]
fn no_payload_is_unaccounted_for() {
    let mut world = World::new(rough(3, &batch())).unwrap();
    world.run_until(s(3600));
    world.heal();
    assert!(world.run_until_idle(s(6 * 3600)));
    let totals = world.totals();
    assert!(totals.duplicates > 0);
    assert_eq!(totals.payloads + totals.duplicates, totals.arrived + totals.lost.iter().sum::<u64>());
    assert!(
        totals.wire_bytes >= totals.payload_bytes + 28 * (totals.payloads - totals.lost(LossCause::NoLink))
    );
}

/// Changed bytes are refused or are messages that nobody wrote; nobody falls over.
#[test]
fn corruption_is_never_fatal() {
    for seed in 0..4 {
        let mut config = rough(seed, &[batch(), Arc::default()][seed as usize % 2]);
        config.faults.push(Fault::always(FaultKind::Corrupt { ppm: 200_000 }));
        let mut world = checked(config);
        world.run_until(s(3600));
        assert!(world.totals().corrupted > 100);
        assert!(world.totals().refused > 0);
        assert_eq!(world.observer().verdict(), Ok(()));
    }
}

#[test]
fn who_is_offline_gets_nothing_and_may_write() {
    let mut config = group(&batch(), &[(0, 1)], LinkProfile::LAN);
    config.presence.set(0, vec![(s(100), s(200))]).unwrap();
    config.presence.set(1, vec![(s(10), s(20)), (s(150), s(160))]).unwrap();
    config.appends = vec![says(s(5), 0, "written offline"), says(s(12), 1, "to nobody yet")];
    let mut world = checked(config);
    world.run_until(s(99));
    assert_eq!(world.totals().appended, 2);
    assert_eq!(world.totals().arrived, 0);
    assert_eq!(world.totals().delivered, 0);
    world.run_until(s(300));
    assert_eq!(world.owed(), 0, "they met");
    assert_eq!(world.observer().verdict(), Ok(()));
}

/// A link so slow that its sender has gone before the payload has left.
#[test]
fn what_has_not_left_when_its_sender_goes_is_lost() {
    let profile = LinkProfile { rate_bps: 80, ..LinkProfile::IDEAL };
    let mut config = group(&batch(), &[(0, 1)], profile);
    config.presence.set(0, vec![(s(0), s(4))]).unwrap();
    config.appends = vec![says(s(1), 0, "a text of some hundred bytes would take some ten seconds")];
    let mut world = World::new(config).unwrap();
    world.run_until(s(100));
    assert_eq!(world.totals().lost(LossCause::Cut), world.totals().payloads);
    assert_eq!(world.totals().payloads, 1);
}

#[test]
fn a_world_that_cannot_heal_says_why() {
    // Two pairs without a link between them: nobody can bring the message across.
    let mut config = group(&batch(), &[(0, 1), (2, 3)], LinkProfile::LAN);
    config.appends = vec![says(s(1), 0, "hello")];
    let mut world = checked(config);
    world.heal();
    let stuck = world.run_until_settled(Span::from_s(60)).unwrap_err();
    assert_eq!((stuck.owed, stuck.appends_planned, stuck.restless_count), (2, 0, 0));
    let lacks = |node| Missing { node: PeerId(node), message: MsgNo(0), why: Why::HeldByNobodyNear };
    assert_eq!(stuck.missing, [lacks(2), lacks(3)]);
    assert!(stuck.to_string().contains("node 2 lacks message 0"));
}

/// Each rule of the checker finds what it is for. The events are made up: no node does these things.
#[test]
fn the_checker_finds_what_it_is_for() {
    let mut config = group(&causal(), &[(0, 1)], LinkProfile::LAN);
    config.appends = vec![says(s(1), 0, "parent"), says(s(2), 0, "child")];
    let mut world = World::new(config.clone()).unwrap();
    world.run_until(s(10));
    let child = world.library().find(world.library().message(MsgNo(1)).item.id).unwrap();
    let parent = world.library().message(MsgNo(0)).item.id;
    let stage = Stage { now: s(11), library: world.library(), slots: world.slots(), lives: world.lives() };
    let deliver = |checker: &mut Checker, node, message, group| {
        let event = NodeEvent::Delivered { group, message };
        checker.on(&stage, &Event::Node { node: PeerId(node), event: &event });
    };
    let mut checker = Checker::new(&config);
    deliver(&mut checker, 1, child, GROUP);
    deliver(&mut checker, 1, MsgNo(0), GROUP);
    deliver(&mut checker, 1, MsgNo(0), GROUP);
    deliver(&mut checker, 0, MsgNo(0), GroupId([8; 32]));
    checker
        .on(&stage, &Event::Lost { from: PeerId(0), to: PeerId(9), payload: &[], cause: LossCause::NoLink });
    let found: Vec<_> = checker.violations().iter().map(|(_, violation)| violation.clone()).collect();
    let node = PeerId(1);
    assert_eq!(
        found,
        [
            Violation::OutOfOrder { node, message: child, parent },
            Violation::Twice { node, message: MsgNo(0) },
            Violation::NotAMember { node: PeerId(0), message: MsgNo(0) },
            Violation::Stranger { from: PeerId(0), to: PeerId(9) },
        ]
    );
    assert_eq!(checker.violation_count(), 4);
    // The same library in a world where nobody wrote anything.
    let stage = Stage { now: s(11), library: world.library(), slots: world.slots(), lives: &[] };
    let mut checker = Checker::new(&config);
    let event = NodeEvent::Delivered { group: GROUP, message: MsgNo(0) };
    checker.on(&stage, &Event::Node { node, event: &event });
    assert_eq!(checker.verdict(), Err(&(s(11), Violation::Invented { node, message: MsgNo(0) })));
}

#[test]
fn a_description_that_cannot_be_is_refused() {
    let good = group(&batch(), &[(0, 1), (1, 2)], LinkProfile::LAN);
    let error = |change: &dyn Fn(&mut WorldConfig)| {
        let mut config = good.clone();
        change(&mut config);
        World::new(config).err()
    };
    let (a, b) = (PeerId(0), PeerId(1));
    assert_eq!(error(&|_| ()), None);
    assert_eq!(error(&|config| config.links[0].profiles[1] = 1), Some(WorldError::NoSuchProfile(1)));
    assert_eq!(error(&|config| config.links[1] = config.links[0]), Some(WorldError::BadLink(a, b)));
    assert_eq!(error(&|config| config.links.truncate(0)), Some(WorldError::NoLink(a, b)));
    assert_eq!(error(&|config| config.nodes[1].shares.clear()), Some(WorldError::NotMutual(a, b)));
    assert_eq!(
        error(&|config| config.presence = Presence::always(2)),
        Some(WorldError::Presence { given: 2, node_count: 3 })
    );
    assert_eq!(
        error(&|config| config.appends.push(says(s(1), 3, "x"))),
        Some(WorldError::NoSuchNode { what: "an append", node: PeerId(3), node_count: 3 })
    );
    let stranger = Append { group: GroupId([1; 32]), ..says(s(1), 2, "x") };
    assert_eq!(
        error(&|config| config.appends.push(stranger.clone())),
        Some(WorldError::NotAMember(PeerId(2)))
    );
    let mut world = World::new(good).unwrap();
    assert_eq!(world.append_at(stranger), Err(WorldError::NotAMember(PeerId(2))));
    let crash = Crash { at: ms(1), node: PeerId(7), down_for: Span::ZERO, forgets_peers: false };
    assert!(world.crash_at(crash).is_err());
}

/// Nothing is scanned per event: ten times the nodes, at the same number of payloads each, make an event no dearer in
/// polls. Counted, not timed: events grow as payloads do.
#[test]
fn events_grow_as_payloads_do() {
    let mut ratios = Vec::new();
    for node_count in [30, 300] {
        let mut config = group(&batch(), &ring(node_count), LinkProfile::LAN);
        config.appends = (0..10).map(|n| says(s(u64::from(n)), n, "x")).collect();
        let mut world = World::new(config).unwrap();
        world.run_until_settled(Span::from_s(600)).unwrap();
        let totals = world.totals();
        ratios.push(totals.events as f64 / totals.payloads as f64);
    }
    assert!(ratios[1] < ratios[0] * 1.2, "{ratios:?}");
    assert!(ratios[1] < 3.0, "an arrival, and a wake-up for each payload at most: {ratios:?}");
}
