//! The topology that the project began with: phones A and B, desktops C and D that relay for them; edges A-B, A-C, B-D,
//! C-D. A and B are never online together, so all that they say to each other goes by way of C and D, who see ids and
//! sealed bodies only.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

use std::sync::Arc;

use offerbench_algos::{REGISTRY, Seed};
use offerbench_sync::sim::{Append, Checker, LinkProfile, Presence, Text, World, WorldConfig};
use offerbench_sync::{
    Acks, Config, Delivery, FOUR_MEMBERS, GroupId, Kind, MsgNo, Offer, OnHave, Part, PeerId, Reconcile, Span,
    Time,
};

const GROUP: GroupId = GroupId([4; 32]);
const A: PeerId = PeerId(0);
const B: PeerId = PeerId(1);

fn s(s: u64) -> Time {
    Time::ZERO + Span::from_s(s)
}

/// Three hours in which A and B take turns of ten minutes, and write four messages each.
fn world(member: &Config) -> World<Checker> {
    let member = Arc::new(member.clone());
    let relay = Arc::new(Config { part: Part::Relay, ..(*member).clone() });
    let mut config =
        WorldConfig::group(Seed::new(1), &member, GROUP, 4, &FOUR_MEMBERS, LinkProfile::MOBILE_4G);
    for relays in &mut config.nodes[2..] {
        relays.config = Arc::clone(&relay);
    }
    let turn = |from: u64| (s(from), s(from + 600));
    config.presence = Presence::always(4);
    config.presence.set(0, (0..9).map(|n| turn(1200 * n)).collect()).unwrap();
    config.presence.set(1, (0..9).map(|n| turn(1200 * n + 600)).collect()).unwrap();
    assert!(
        (0..10_800).all(|at| !(config.presence.is_online(0, s(at)) && config.presence.is_online(1, s(at))))
    );
    config.appends = (0..8)
        .map(|n| Append {
            at: s(600 * n + 50),
            node: if n % 2 == 0 { A } else { B },
            group: GROUP,
            skew_ms: 0,
            parents: None,
            text: Text::Says(format!("message {n}")),
        })
        .collect();
    let checker = Checker::new(&config);
    World::observed(config, checker).unwrap()
}

fn everybody_has_everything(member: &Config, name: &str) {
    let mut world = world(member);
    world.run_until(s(10_800));
    assert_eq!(world.owed(), 0, "{name}: {:?}", world.totals());
    assert_eq!(world.observer().verdict(), Ok(()), "{name}");
    for no in (0..8).map(MsgNo) {
        for phone in [A, B] {
            assert!(world.node(phone).unwrap().has_delivered(no), "{name}");
        }
        for desktop in [PeerId(2), PeerId(3)] {
            let node = world.node(desktop).unwrap();
            assert!(node.holds(no) && !node.has_delivered(no), "{name}");
        }
    }
}

#[test]
fn phones_that_never_meet_get_everything_by_way_of_relays() {
    for delivery in [Delivery::Eventual, Delivery::Causal] {
        for offer in [Offer::Batch, Offer::Interactive] {
            let name = format!("{offer:?} {delivery:?}");
            everybody_has_everything(&Config { offer, delivery, ..Config::default() }, &name);
        }
        for entry in REGISTRY {
            for on_have in [OnHave::Push, OnHave::Offer] {
                let options = Reconcile { on_have, ..Reconcile::new(entry.presets[0]).unwrap() };
                let config = Config { offer: Offer::Reconcile(options), delivery, ..Config::default() };
                everybody_has_everything(&config, entry.presets[0]);
            }
        }
    }
}

/// A sender gets its ACK from the relay that took the message; the relay answers for it from there on.
#[test]
fn the_sender_waits_for_the_relay_and_not_for_the_reader() {
    let config = Config { offer: Offer::Batch, acks: Acks::Immediate, ..Config::default() };
    let mut world = world(&config);
    world.run_until(s(60));
    let phone = world.node(A).unwrap();
    // One message, to B (who is away) and to C (who has acked it).
    assert!(phone.stats().sent(Kind::Message).count > 1);
    assert_eq!(phone.pending().0, 1);
    assert!(world.node(PeerId(3)).unwrap().holds(MsgNo(0)));
    assert!(!world.node(B).unwrap().holds(MsgNo(0)));
}
