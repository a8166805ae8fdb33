//! Messages that name their parents: a graph that is replayed, not grown.

use offerbench_algos::ItemId;

use super::*;
use crate::{AppendError, PARENTS_MAX, Refusal};

fn after(at: Time, node: u32, parents: &[u32]) -> Append {
    let text = format!("{at} by {node} after {parents:?}");
    Append { parents: Some(parents.to_vec()), ..says(at, node, &text) }
}

fn parents_of(world: &World<Checker>, no: u32) -> Vec<ItemId> {
    world.library().message(MsgNo(no)).parents.clone().unwrap()
}

fn ids(world: &World<Checker>, nos: &[u32]) -> Vec<ItemId> {
    let mut ids: Vec<ItemId> = nos.iter().map(|no| *world.library().id(MsgNo(*no))).collect();
    ids.sort_unstable();
    ids
}

/// One root, two answers to it, one that names both; a heads-taker would name others.
#[test]
fn a_diamond() {
    let mut config = group(&causal(), &[(0, 1), (1, 2), (0, 2)], LinkProfile::IDEAL);
    let list = [after(s(1), 0, &[]), after(s(5), 1, &[0]), after(s(9), 2, &[0]), after(s(13), 0, &[1, 2, 1])];
    config.appends = list.into();
    config.appends.push(says(s(17), 1, "the head is one"));
    let mut world = checked(config);
    assert!(world.run_until_idle(s(600)));
    world.observer().verdict().unwrap();
    assert_eq!((world.totals().delivered, world.owed()), (10, 0));
    for (no, expected) in [(0, &[][..]), (1, &[0]), (2, &[0]), (3, &[1, 2]), (4, &[3])] {
        assert_eq!(parents_of(&world, no), ids(&world, expected), "{no}");
    }
}

/// Node 2 names a message that it has not got. It delivers its own when that has come, and asks for it.
#[test]
fn a_merge_by_somebody_who_lacks_a_parent() {
    let config = causal();
    let mut config =
        group(&config, &[(0, 1), (1, 2)], LinkProfile { latency_us: 50_000, ..LinkProfile::IDEAL });
    config.appends = vec![after(s(1), 0, &[]), after(s(60), 0, &[0]), after(s(60), 2, &[0, 1])];
    let mut world = checked(config);
    world.run_until(Time::ZERO + Span::from_ms(60_001));
    let author = world.node(PeerId(2)).unwrap();
    assert!(author.holds(MsgNo(2)) && !author.has_delivered(MsgNo(2)));
    assert_eq!(author.pending().1, 1, "the parent is asked for");
    assert!(world.run_until_idle(s(600)));
    world.observer().verdict().unwrap();
    assert!((0..3).all(|node| world.node(PeerId(node)).unwrap().has_delivered(MsgNo(2))));
    assert_eq!((world.totals().delivered, world.owed()), (6, 0));
    assert_eq!(parents_of(&world, 2), ids(&world, &[0, 1]));
}

/// A parent whose author is down when its turn comes is left out.
#[test]
fn a_parent_that_is_not_written_is_left_out() {
    let mut config = group(&causal(), &[(0, 1)], LinkProfile::IDEAL);
    config.crashes =
        vec![Crash { at: s(1), node: PeerId(0), down_for: Span::from_s(100), forgets_peers: false }];
    config.appends = vec![after(s(2), 0, &[]), after(s(3), 1, &[0]), after(s(200), 1, &[0, 1])];
    let mut world = checked(config);
    assert!(world.run_until_idle(s(600)));
    // The second was written first.
    assert_eq!(parents_of(&world, 0), []);
    assert_eq!(parents_of(&world, 2), ids(&world, &[0, 1]));
}

/// Random graphs, authors that lack what they name, rough links: delivered in order everywhere, all of it.
#[test]
fn random_graphs_are_delivered_in_order() {
    for (seed, offer) in [(1, Offer::Batch), (2, Offer::Interactive), (3, reconcile("riblt").offer.clone())] {
        let config = Arc::new(Config { offer, delivery: Delivery::Causal, ..Config::default() });
        let mut config = rough(seed, &config);
        let mut rng = Seed::new(seed).rng();
        for (place, append) in config.appends.iter_mut().enumerate() {
            let of = |rng: &mut offerbench_algos::Rng| {
                let back = rng.below(8) + 1;
                (place as u64).checked_sub(back).map(|place| place as u32)
            };
            append.parents = Some((0..rng.below(4)).filter_map(|_| of(&mut rng)).collect());
        }
        let mut world = checked(config);
        world.run_until(s(2400));
        world.heal();
        world.run_until_settled(Span::from_s(7200)).unwrap_or_else(|stuck| panic!("{stuck}"));
        world.observer().verdict().unwrap();
        assert_eq!(world.totals().delivered, 1100);
        let merges = (0..100).filter(|no| parents_of(&world, *no).len() > 1).count();
        assert!(merges > 20, "{merges}");
    }
}

#[test]
fn parents_that_cannot_be_are_refused() {
    let other = GroupId([1; 32]);
    let mut base = group(&causal(), &[(0, 1)], LinkProfile::IDEAL);
    for (node, peer) in [(0, 1), (1, 0)] {
        base.nodes[node].shares.push((other, vec![PeerId(peer)]));
    }
    let refused = |appends: Vec<Append>| World::new(WorldConfig { appends, ..base.clone() }).err();
    let not_earlier = |append, parent| Some(WorldError::ParentNotEarlier { append, parent });
    assert_eq!(refused(vec![after(s(1), 0, &[]), after(s(1), 1, &[0])]), None);
    assert_eq!(refused(vec![after(s(1), 0, &[0])]), not_earlier(0, 0));
    assert_eq!(refused(vec![after(s(1), 0, &[1]), after(s(1), 1, &[])]), not_earlier(0, 1));
    assert_eq!(refused(vec![after(s(2), 0, &[]), after(s(1), 1, &[0])]), not_earlier(1, 0));
    assert_eq!(refused(vec![after(s(1), 0, &[7])]), not_earlier(0, 7));
    let foreign = Append { group: other, ..after(s(1), 0, &[]) };
    assert_eq!(
        refused(vec![foreign, after(s(2), 0, &[0])]),
        Some(WorldError::ParentOfOtherGroup { append: 1, parent: 0 })
    );
    let many = after(s(2), 0, &[0; PARENTS_MAX + 1]);
    assert_eq!(
        refused(vec![after(s(1), 0, &[]), many]),
        Some(WorldError::TooManyParents { append: 1, given: PARENTS_MAX + 1 })
    );
    let mut world = World::new(base.clone()).unwrap();
    world.append_at(after(s(5), 0, &[])).unwrap();
    assert_eq!(
        world.append_at(after(s(4), 1, &[0])),
        Err(WorldError::ParentNotEarlier { append: 1, parent: 0 })
    );
    assert_eq!(world.append_at(after(s(5), 1, &[0])), Ok(()));
}

/// What a node says itself: too many parents, and no room to wait for one.
#[test]
fn a_node_has_its_limits() {
    let mut library = crate::Library::new(Seed::new(1));
    let limits = Limits { waiting_max: 1, ..Limits::default() };
    let config = Config { delivery: Delivery::Causal, limits, ..Config::default() };
    let mut node = crate::Node::new(PeerId(0), Arc::new(config), Seed::new(1));
    node.join(GROUP, &[PeerId(1)]);
    let absent = |n: u8| ItemId::new([n; 32]);
    let mut append = |parents: &[ItemId]| node.append(&mut library, s(1), GROUP, 5, b"x", Some(parents));
    let many: Vec<ItemId> = (0..=PARENTS_MAX as u8).map(absent).collect();
    let given = PARENTS_MAX + 1;
    assert_eq!(append(&many), Err(AppendError::TooManyParents { given, max: PARENTS_MAX }));
    assert!(append(&[absent(1), absent(1)]).is_ok());
    assert_eq!(append(&[absent(2)]), Err(AppendError::WaitingFull { max: 1 }));
    let root = append(&[]).unwrap();
    assert!(node.has_delivered(root) && node.over_bounds().is_none());
    assert_eq!(node.stats().refused(Refusal::WaitingFull), 0, "that is for what peers send");
}
