//! Set-reconciliation strategies as sans-IO sessions, behind one registry.
//!
//! Two members of a group hold sets of messages that are mostly equal. A *strategy* finds out which
//! messages each lacks. All strategies here implement one interface, so that they can be simulated, fuzzed,
//! counted and timed alike. There is no clock, socket, thread, file or global randomness in this crate.
//!
//! Start with [`Session`] (the contract), then [`duel()`] (which runs two of them), then any file of
//! `strategies/`.
//!
//! ```
//! use offerbench_algos::{DuelLimits, Guarantee, Item, ItemId, Role, Seed, Setup, Truth, build, duel, judge};
//!
//! let item = |n: u8| Item { at: u64::from(n), id: ItemId::new([n; 32]) };
//! let alice: Vec<Item> = (1..=9).map(item).collect();
//! let bob: Vec<Item> = (2..=10).map(item).collect();
//!
//! let strategy = build("offers:bits=40")?.strategy;
//! let setup = Setup::new(Seed::new(1));
//! let mut ends = [
//!     strategy.index(&alice).open(Role::Initiator, &setup),
//!     strategy.index(&bob).open(Role::Responder, &setup),
//! ];
//! let transcript = duel(&mut ends, &DuelLimits::default())?;
//! let judgement = judge(&Truth::of(&alice, &bob), Guarantee::Exact, &transcript);
//! assert_eq!((judgement.missed, judgement.invented), (0, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bits;
mod close;
mod dialog;
mod duel;
mod estimate;
mod greeting;
mod item;
mod judge;
mod kept;
pub mod kernels;
mod name;
mod pages;
mod prefetch;
mod radix;
mod salt;
mod seed;
mod session;
mod siphash;
mod sorted;
mod spec;
mod strategies;
#[cfg(test)]
mod testing;
pub mod wire;

pub use duel::{Burst, DuelError, DuelLimits, Flow, Traffic, Transcript, duel, duel_traced};
pub use item::{Item, ItemId};
pub use judge::{Ending, Judgement, Truth, judge};
pub use name::{UnknownName, did_you_mean, suggest};
pub use salt::Salting;
pub use seed::{Rng, Seed};
pub use session::{
    Budget, DiffHint, Finding, Guarantee, Index, Lasting, NeedRef, Profile, Reason, Role, Session,
    SessionError, Setup, Step, Strategy, Tally, Verdict,
};
pub use spec::{Param, Spec, SpecError};
pub use strategies::{About, Built, Entry, Places, REGISTRY, SPECIMENS, automerge_places, build, entry};
pub use strategies::{SketchField, SketchPath, sketch_engine};
