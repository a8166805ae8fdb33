//! A deterministic world in which groups of nodes live, hour after virtual hour.
//!
//! ```text
//!   spec      WorldConfig: a world as data, printable whole
//!   link      latency, jitter, rate, queue, packets, loss; named profiles
//!   rules     faults: partitions, outages, one-way links, corruption
//!   presence  who is online when
//!   past      what members hold when the world begins
//!   meet      who can ever talk to whom, before anything runs
//!   world     World: the event queue, the nodes, the links. Start here
//!   observe   what happens, for a story, a checker or a meter
//!   check     safety, and liveness after healing
//!   swarm     random worlds, and what is demanded of them
//! ```
//!
//! Everything random comes from one seed by named streams, and ties between events are settled by the order in
//! which they were planned: the same [`WorldConfig`] gives the same run, byte for byte, on every machine.
//!
//! ```
//! use offerbench_algos::Seed;
//! use offerbench_sync::sim::{Append, LinkProfile, Text, World, WorldConfig};
//! use offerbench_sync::{GroupId, PeerId, Span, Time};
//!
//! let group = GroupId([7; 32]);
//! let config = Default::default();
//! // Three in a row: what the first writes, the last reads by way of the second.
//! let pairs = [(0, 1), (1, 2)];
//! let mut world = WorldConfig::group(Seed::new(1), &config, group, 3, &pairs, LinkProfile::MOBILE_4G);
//! world.appends.push(Append {
//!     at: Time::ZERO + Span::from_s(1),
//!     node: PeerId(0),
//!     group,
//!     skew_ms: 0,
//!     parents: None,
//!     text: Text::Says("hello".into()),
//! });
//! let mut world = World::new(world)?;
//! world.heal();
//! let took = world.run_until_settled(Span::from_s(60))?;
//! assert_eq!(world.totals().delivered, 2);
//! assert!(took > Span::from_s(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod dice;
mod link;
mod meet;
mod observe;
mod past;
mod presence;
mod queue;
mod rules;
mod spec;
mod swarm;
mod world;

#[cfg(test)]
mod tests;

pub use check::{Checker, Missing, Restless, Stuck, Violation, Why};
pub use dice::{Dice, PPM};
pub use link::{Carried, Link, LinkProfile, Up};
pub use meet::{Meetings, Reach};
pub use observe::{Digest, Event, LossCause, Observer, Stage};
pub use past::{Behind, Past};
pub use presence::{Interval, Presence, PresenceError};
pub use rules::{During, Fault, FaultKind, Passing, Rule, Rules, Verdict};
pub use spec::{Append, Crash, LinkSpec, NodeSpec, Text, WorldConfig, WorldError};
#[cfg(any(test, feature = "plant"))]
pub use swarm::soak_planted;
pub use swarm::{Demand, Failure, Report, Swarm, soak, soak_one};
pub use world::{Life, Totals, World};
