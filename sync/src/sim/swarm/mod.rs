//! Random worlds: everything that can be chosen is drawn from one seed, and the world is checked while it lives.
//!
//! A [`Swarm`] is a world and what is demanded of it. [`soak_one`] draws one and runs it: first safety, while
//! things go wrong, with a [`super::Checker`]; then [`super::World::heal`], and liveness within a bound that
//! follows from what was drawn (`soak`).
//!
//! **Swarm testing** (A. Groce and others, ISSTA 2012; TigerBeetle's `fuzz.zig`): a world in which everything is a
//! little wrong is one and the same world at every seed. So whole classes of faults are off in most worlds, the
//! rest are weighed over orders of magnitude, and options are often alike at all nodes and sometimes different at
//! each. See `luck`.
//!
//! Three things are left out, since they would demand what nobody promises. A strategy that must be told the size of the
//! difference (`oracle`) has nobody to tell it. A receive buffer of a few places is not drawn together with a backlog or
//! a list of requests of a few ([`crate::Limits::waiting_max`] says why). And where payloads are corrupted, or stores are full, liveness is not
//! demanded: a changed byte may turn an OFFER into an ACK of what is not held ([`Demand::Safety`]). Strategies that
//! may miss differences are in: each session draws a fresh salt, so what one misses a later one finds, and they
//! are given time for so many that a miss in all of them does not happen by chance.

mod behaviour;
mod luck;
mod setting;
mod show;
mod soak;
mod yore;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use offerbench_algos::Seed;

#[cfg(any(test, feature = "plant"))]
pub use soak::soak_planted;
pub use soak::{Failure, Report, soak, soak_one};

use super::spec::WorldConfig;
use crate::{Config, Span};
use behaviour::Manners;
use luck::Luck;
use setting::Crowd;
use yore::Yore;

/// What all clocks show at the beginning, in milliseconds.
const START_MS: u64 = 1_700_000_000_000;

/// What is demanded of a world beside safety.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Once healed, everybody gets everything and comes to rest.
    Rest,
    /// The same; and everybody has everything before anything is healed: who is offline half of the time is
    /// enough of a network if relays are there.
    Unaided,
    /// Nothing, for this reason.
    Safety(&'static str),
}

/// A world drawn from a seed.
#[derive(Clone, Debug)]
pub struct Swarm {
    /// The seed.
    pub seed: Seed,
    /// The world.
    pub world: WorldConfig,
    /// How long things go wrong before the world is healed.
    pub trouble: Span,
    /// What is demanded.
    pub demand: Demand,
    /// How long a healed world may take.
    pub bound: Span,
    /// The kind of group, for people.
    pub shape: &'static str,
}

impl Swarm {
    /// Draws a world. Cheap: O(nodes² + messages).
    pub fn draw(seed: Seed) -> Self {
        let mut luck = Luck::new(seed.child("plan"));
        let unaided = luck.one_in(16);
        // Half an hour makes shifts of some seconds many times as long as a round trip.
        let trouble = Span::from_s(luck.skewed(if unaided { 1800 } else { 120 }, 7200));
        let mut crowd = Crowd::draw(seed.child("crowd"), unaided);
        let lot = setting::Lot::draw(seed.child("messages"), &crowd, trouble, unaided);
        let slowest = setting::draw_links(seed.child("links"), &mut crowd, unaided);
        let mut yore = Yore::draw(seed.child("history"), &crowd, START_MS);
        let pace = behaviour::Pace::new(&crowd, &lot, &yore, &slowest, trouble, unaided);
        let manners = Manners::draw(seed.child("behaviour"), &crowd, &lot, &pace);
        yore.fit(&manners.configs);
        let misfortune = setting::Misfortune::draw(seed.child("misfortune"), &crowd, trouble, unaided);

        let demand = match (manners.store_may_fill, misfortune.corrupts, unaided) {
            (_, true, _) => Demand::Safety("payloads are corrupted: a changed byte can say what nobody said"),
            (true, ..) => Demand::Safety("stores are too small for all messages"),
            (_, _, true) => Demand::Unaided,
            _ => Demand::Rest,
        };
        let bound = behaviour::bound(&crowd, &lot, &yore, &pace, &manners.configs);
        let mut world = WorldConfig {
            seed: seed.child("world"),
            start_ms: START_MS,
            nodes: crowd.nodes(&manners.configs),
            profiles: crowd.profiles,
            links: crowd.links,
            faults: misfortune.faults,
            presence: misfortune.presence,
            crashes: misfortune.crashes,
            history: yore.history.into(),
            behind: yore.behind,
            appends: lot.appends,
        };
        for profile in &mut world.profiles {
            misfortune.roughness.apply(profile);
        }
        Self { seed, world, trouble, demand, bound, shape: crowd.shape }
    }

    /// The configurations of the nodes, each once with those who have it.
    fn configs(&self) -> Vec<(String, Vec<usize>)> {
        let mut found: Vec<(String, Vec<usize>)> = Vec::new();
        for (no, node) in self.world.nodes.iter().enumerate() {
            let config: &Arc<Config> = &node.config;
            let text = format!("{config:?}");
            match found.iter_mut().find(|(known, _)| *known == text) {
                Some((_, nodes)) => nodes.push(no),
                None => found.push((text, vec![no])),
            }
        }
        found
    }
}
