//! The life of a group: who writes what when, and who is online when.
//!
//! Everything is in whole milliseconds from the beginning of the life, so that it can be handed to a
//! simulated world as it is. Members are numbered from 0.
//!
//! - [`LifeSpec`] (start here): what life to make up, and [`LifeSpec::draw`], which makes it.
//! - [`Traffic`]: when who writes: evenly, as in a busy channel, as in a small group.
//! - [`Online`]: when who is online: always, in turns, as people with phones, only while talking.
//! - [`Clocks`]: what is wrong with the timestamps.
//!
//! The laws behind `busy`, `small` and `phones` were fitted to real channels; each is told with its
//! parameters, and where they come from, in the module that draws from it. `tests/life_laws.rs` holds what is
//! drawn against what was measured.

mod alternating;
mod authors;
mod bursts;
mod clocks;
mod even;
mod hawkes;
mod laws;
mod online;
mod phones;
mod place;
mod replies;
mod spec;
mod stays;
mod talking;
mod traffic;

pub use clocks::Clocks;
pub use online::{Online, OnlineError};
pub use spec::{DURATION_MS_MAX, LifeError, LifeSpec, MEMBERS_MAX};
pub use traffic::Traffic;

pub mod replay;

pub use replay::{Replay, ReplayError, Window, replay};

/// A group over a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// Members.
    pub members: u32,
    /// How long it lasts, in milliseconds.
    pub end_ms: u64,
    /// What is written, in the order of time.
    pub writes: Vec<Write>,
    /// When each member is online: an entry a member, its stays in order and apart; no entry at all if it is not
    /// known.
    pub stays: Vec<Vec<Stay>>,
}

/// A message that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// When.
    pub at_ms: u64,
    /// By whom.
    pub author: u32,
    /// Bytes of its text.
    pub size: u32,
    /// What its timestamp is ahead of the time of writing, in milliseconds: skewed clocks, late messages,
    /// ties.
    pub skew_ms: i64,
    /// Earlier writes that it names as its parents, ascending; none: whatever its author sees as the newest.
    pub parents: Vec<u32>,
}

/// A stretch of a member online: from the first millisecond, until the second, which is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// From when.
    pub on_ms: u64,
    /// Until when.
    pub off_ms: u64,
}
