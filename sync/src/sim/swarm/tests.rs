//! The soak itself is soaked: sound cores pass, each planted bug is found.

use std::collections::BTreeSet;

use offerbench_algos::Seed;

use super::*;
use crate::{Offer, Plant};

/// Seeds within which each planted bug must be found.
const SEEDS: u64 = 200;

fn first_find(plant: Plant) -> Option<u64> {
    (0..SEEDS).find(|seed| soak_planted(&Swarm::draw(Seed::new(*seed)), plant).is_err())
}

#[test]
fn sound_worlds_pass() {
    for seed in 0..SEEDS {
        if let Err(failure) = soak_one(Seed::new(seed)) {
            panic!("seed {seed}: {failure}\n{}", Swarm::draw(Seed::new(seed)));
        }
    }
}

#[test]
fn each_planted_bug_is_found() {
    for plant in [Plant::DroppedAck, Plant::SkippedParent, Plant::LostFrame, Plant::UnboundedBuffer] {
        let found = first_find(plant);
        println!("{plant:?}: seed {found:?}");
        assert!(found.is_some(), "{plant:?} is not found");
    }
}

#[test]
fn a_seed_is_a_world() {
    for seed in (0..SEEDS).step_by(10).map(Seed::new) {
        assert_eq!(Swarm::draw(seed).to_string(), Swarm::draw(seed).to_string());
        assert_eq!(soak_one(seed), soak_one(seed));
    }
}

/// Everything that can be drawn is drawn: a swarm that never meets a strategy checks nothing of it.
#[test]
fn everything_is_drawn() {
    let (mut strategies, mut shapes, mut demands, mut faults) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut calm = 0;
    for seed in 0..2000 {
        let swarm = Swarm::draw(Seed::new(seed));
        shapes.insert(swarm.shape);
        demands.insert(format!("{:?}", swarm.demand));
        strategies.insert(match &swarm.world.nodes[0].config.offer {
            Offer::Reconcile(options) => options.strategy.spec.to_string(),
            offer => format!("{offer:?}"),
        });
        calm += u32::from(swarm.world.faults.is_empty() && swarm.world.crashes.is_empty());
        for fault in &swarm.world.faults {
            faults.insert(kind(fault));
        }
    }
    let presets = offerbench_algos::REGISTRY.iter().flat_map(|entry| entry.presets);
    let presets = presets.filter(|preset| !preset.contains("oracle")).count();
    assert_eq!(strategies.len(), presets + 2, "{strategies:?}");
    assert_eq!((shapes.len(), demands.len(), faults.len()), (9, 4, 8));
    assert!((200..1000).contains(&calm), "{calm} of 2000");
}

fn kind(fault: &crate::sim::Fault) -> usize {
    use crate::sim::FaultKind as Kind;
    match fault.what {
        Kind::Partition(_) => 0,
        Kind::Outage(..) => 1,
        Kind::OneWay(..) => 2,
        Kind::Isolate(_) => 3,
        Kind::DropEveryNth(_) => 4,
        Kind::Drop { .. } => 5,
        Kind::Corrupt { .. } => 6,
        Kind::Delay { .. } => 7,
    }
}
