//! Worlds that begin with a past.

use std::sync::Arc;

use offerbench_algos::{REGISTRY, Seed, build};

use super::*;
use crate::sim::{Append, Checker, Crash, LinkProfile, World};
use crate::{Acks, Config, Delivery, Kind, Offer, OnHave, Reconcile, Span, Stats};

const GROUP: GroupId = GroupId([7; 32]);
const OTHER: GroupId = GroupId([8; 32]);
const ALL: [(u32, u32); 3] = [(0, 1), (0, 2), (1, 2)];
const HOUR: Time = Time::from_us(3_600_000_000);

fn past(n: u64, author: u32, group: GroupId) -> Past {
    Past { stamp_ms: 1_600_000_000_000 + n * 1000, author: PeerId(author), group, text: Text::Random(20) }
}

/// Three who share with each other, with so many messages behind them.
fn world(config: &Arc<Config>, count: u64, behind: &[(u32, u32)]) -> WorldConfig {
    let mut world = WorldConfig::group(Seed::new(1), config, GROUP, 3, &ALL, LinkProfile::IDEAL);
    world.history = (0..count).map(|n| past(n, 0, GROUP)).collect();
    world.behind = behind.iter().map(|&(node, lacks)| Behind { node: PeerId(node), lacks }).collect();
    world
}

fn checked(config: WorldConfig) -> World<Checker> {
    let checker = Checker::new(&config);
    World::observed(config, checker).unwrap()
}

fn stats(world: &World<Checker>) -> Stats {
    let mut all = Stats::default();
    (0..3).for_each(|no| all.merge(world.node(PeerId(no)).unwrap().stats()));
    all
}

fn paths() -> Vec<Offer> {
    let mut paths = vec![Offer::Batch, Offer::Interactive];
    for entry in REGISTRY {
        let preset = entry.presets.iter().find(|preset| !build(preset).unwrap().strategy.profile().oracle);
        let options = Reconcile::new(preset.unwrap()).unwrap();
        let options = Reconcile { every: Span::from_s(60), ask: 1, on_have: OnHave::Push, ..options };
        paths.push(Offer::Reconcile(options));
    }
    paths
}

/// What everybody holds is not due to anybody, in either mode of MVDS.
#[test]
fn nothing_is_said_about_what_everybody_holds() {
    for offer in [Offer::Batch, Offer::Interactive] {
        let config = Arc::new(Config { offer, ..Config::default() });
        let mut world = checked(world(&config, 1000, &[]));
        world.run_until(HOUR);
        assert_eq!((world.totals().payloads, world.totals().delivered, world.owed()), (0, 0, 0));
        for no in (0..3).map(PeerId) {
            let node = world.node(no).unwrap();
            assert_eq!(node.held(), 1000);
            assert!((0..1000).map(MsgNo).all(|no| node.holds(no) && node.has_delivered(no)));
        }
        let life = *world.life(MsgNo(999)).unwrap();
        assert_eq!(life, Life { written_at: Time::ZERO, author: PeerId(0), owed_to: 0, delivered_to: 0 });
    }
}

/// Whoever comes back gets what it lacks, once, whatever the path; the others get nothing.
#[test]
fn who_was_away_gets_what_it_lacks() {
    for offer in paths() {
        for delivery in [Delivery::Eventual, Delivery::Causal] {
            let config = Arc::new(Config { offer: offer.clone(), delivery, ..Config::default() });
            let mut world = checked(world(&config, 500, &[(2, 57)]));
            assert_eq!((world.owed(), world.totals().delivered), (57, 0));
            world.run_until_settled(Span::from_s(3600)).unwrap_or_else(|stuck| panic!("{offer:?}: {stuck}"));
            world.observer().verdict().unwrap();
            assert_eq!(world.totals().delivered, 57, "{offer:?}");
            assert_eq!(world.node(PeerId(2)).unwrap().held(), 500);
            // In batch mode both peers send it, and who has it from one sends it to the other.
            let messages = stats(&world).sent(Kind::Message).count;
            assert!((57..=3 * 57).contains(&messages), "{offer:?}: {messages}");
            let life = *world.life(MsgNo(450)).unwrap();
            assert_eq!((life.written_at, life.owed_to, life.delivered_to), (Time::ZERO, 1, 1));
        }
    }
}

/// Acks for ancestors, a crash, a loss of all that was known of peers: everything is delivered once.
#[test]
fn the_past_survives_crashes() {
    for offer in paths() {
        for forgets_peers in [false, true] {
            let acks = Acks::Ancestors { after: Span::from_ms(500) };
            let config =
                Config { offer: offer.clone(), acks, delivery: Delivery::Causal, ..Config::default() };
            let mut config = world(&Arc::new(config), 200, &[(1, 200), (2, 20)]);
            let at = Time::ZERO + Span::from_ms(150);
            config.crashes = (0..3)
                .map(|no| Crash { at, node: PeerId(no), down_for: Span::from_s(5), forgets_peers })
                .collect();
            let mut world = checked(config);
            world.run_until(Time::ZERO + Span::from_s(6));
            world.heal();
            world.run_until_settled(Span::from_s(3600)).unwrap_or_else(|stuck| panic!("{offer:?}: {stuck}"));
            world.observer().verdict().unwrap();
            assert_eq!(world.totals().delivered, 220);
        }
    }
}

/// What is written next names the last message of the past; a relay holds, and delivers nothing.
#[test]
fn the_conversation_goes_on() {
    let config = Arc::new(Config { delivery: Delivery::Causal, ..Config::default() });
    let mut config = world(&config, 50, &[(2, 50)]);
    config.nodes[2].config = Arc::new(Config { part: Part::Relay, ..Config::default() });
    config.appends = vec![Append {
        at: Time::ZERO + Span::from_s(1),
        node: PeerId(1),
        group: GROUP,
        skew_ms: 0,
        parents: None,
        text: Text::Says("on".into()),
    }];
    let mut world = checked(config);
    assert_eq!(world.owed(), 0, "a relay is owed nothing");
    assert!(world.run_until_idle(HOUR));
    world.observer().verdict().unwrap();
    assert_eq!(world.totals().delivered, 1);
    assert_eq!(world.node(PeerId(2)).unwrap().held(), 51);
    let (new, last) = (MsgNo(50), MsgNo(49));
    assert_eq!(world.library().message(new).parents.as_deref(), Some(&[*world.library().id(last)][..]));
}

/// Groups of one world have pasts of their own.
#[test]
fn each_group_has_its_past() {
    let mut config = world(&Arc::default(), 0, &[(1, 3)]);
    config.nodes[0].shares.push((OTHER, vec![PeerId(1)]));
    config.nodes[1].shares.push((OTHER, vec![PeerId(0)]));
    config.history = (0..10).map(|n| past(n, 0, if n % 2 == 0 { GROUP } else { OTHER })).collect();
    let mut world = checked(config);
    // Of the last three two are of the other group, one of the group of all three.
    assert_eq!(world.owed(), 3);
    assert_eq!([0, 1, 2].map(|no| world.node(PeerId(no)).unwrap().held()), [10, 7, 5]);
    let parents = |no| world.library().message(MsgNo(no)).parents.clone().unwrap();
    assert_eq!((parents(1), parents(3)), (vec![], vec![*world.library().id(MsgNo(1))]));
    assert!(world.run_until_idle(HOUR));
    world.observer().verdict().unwrap();
    assert_eq!((world.owed(), world.totals().delivered), (0, 3));
    assert_eq!([0, 1, 2].map(|no| world.node(PeerId(no)).unwrap().held()), [10, 10, 5]);
}

#[test]
fn a_past_that_cannot_be_is_refused() {
    let refused = |change: fn(&mut WorldConfig)| {
        let mut config = world(&Arc::default(), 5, &[(2, 2)]);
        change(&mut config);
        World::new(config).err()
    };
    assert_eq!(refused(|_| {}), None);
    assert_eq!(
        refused(|config| config.behind.push(Behind { node: PeerId(2), lacks: 1 })),
        Some(WorldError::BehindTwice(PeerId(2)))
    );
    assert_eq!(
        refused(|config| config.behind[0].node = PeerId(3)),
        Some(WorldError::NoSuchNode { what: "`behind`", node: PeerId(3), node_count: 3 })
    );
    assert_eq!(
        refused(|config| config.behind[0].node = PeerId(0)),
        Some(WorldError::LacksOwn { index: 3, author: PeerId(0) })
    );
    assert_eq!(
        refused(|config| config.history = [past(0, 1, OTHER)].into()),
        Some(WorldError::NotAMember(PeerId(1)))
    );
    let late = |config: &mut WorldConfig| {
        config.history = [Past { stamp_ms: config.start_ms, ..past(0, 0, GROUP) }].into();
    };
    let start_ms = 1_700_000_000_000;
    assert_eq!(refused(late), Some(WorldError::NotPast { index: 0, stamp_ms: start_ms, start_ms }));
    let limit = |config: &mut WorldConfig, max| {
        let limits = crate::Limits { messages_max: max, body_len_max: 10 * max, ..crate::Limits::default() };
        config.nodes[1].config = Arc::new(Config { limits, ..Config::default() });
    };
    let mut config = world(&Arc::default(), 5, &[]);
    limit(&mut config, 4);
    assert_eq!(
        World::new(config.clone()).err(),
        Some(WorldError::HistoryTooLong { node: PeerId(1), count: 5, max: 4 })
    );
    limit(&mut config, 5);
    assert_eq!(World::new(config).err(), Some(WorldError::PastTooLong { index: 1, len: 56, max: 50 }));
}
