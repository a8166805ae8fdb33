//! Who holds which messages when: the sets that two members bring to a reconciliation.
//!
//! Differences between two members are not uniformly random. A phone was off for a night, a relay lost one
//! author, the two newest messages crossed on the wire; and most often there is no difference at all. What
//! a strategy costs depends on which of these it meets, so this crate makes all of them, from made-up
//! messages or from the traces of real groups, always with an exactly known difference.
//!
//! - [`Pattern`] and [`Pair`] (start here): how two sets differ, and the two sets.
//! - [`synthetic`]: messages made up from a seed.
//! - [`Trace`]: the messages of a real group, read from a file; [`pair_from_messages`] applies the patterns to
//!   them.
//! - [`Absence`] and [`pair_at`]: a trace cut where a member was really away; [`Presence`] knows who was online.
//! - [`life`]: who writes what and who is online when, recorded or made up.
//! - [`inspect()`](inspect::inspect): what kind of group a trace is of.
//! - [`import`]: makes traces from a repository, an IRC log, a table.
//! - [`WORKLOADS`]: all of this as a list with one line each.
//!
//! There is no clock, no network and no randomness but the [`Seed`](offerbench_algos::Seed) given: the same
//! arguments give the same bytes on every machine.
//!
//! ```
//! use offerbench_algos::Seed;
//! use offerbench_datasets::{Pattern, synthetic};
//!
//! let pair = synthetic::pair(1_000, 30, Pattern::Gap, Seed::new(1))?;
//! assert_eq!((pair.initiator.len(), pair.responder.len()), (970, 1_000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod absence;
pub mod import;
pub mod inspect;
pub mod life;
mod lines;
mod pattern;
mod presence;
mod registry;
mod split;
pub mod synthetic;
mod trace;

pub use absence::{Absence, AbsenceError, By, absences, at_quantiles, pair_at, sampled};
pub use lines::{LINE_LEN_MAX, LineError};
pub use pattern::Pattern;
pub use presence::{Agreement, Clash, Contradiction, Files, Interval, Presence, PresenceHeader};
pub use registry::{WORKLOADS, Workload, workload};
pub use split::{MESSAGES_MAX, Message, Pair, PairError, pair_from_messages};
pub use trace::{
    About, Annotated, Fault, Header, Kind, Record, Rule, SECONDS_MAX, Segment, Trace, TraceBuilder,
    TraceError,
};
