//! Experiments and the command line: what is run, against whom, and what it costs.
//!
//! An [`experiment`] is data (TOML). A [`plan`] is an experiment with its strategies resolved and its grid
//! laid out, as far as it was asked for ([`choice`]); a [`trial`] runs one contender on one [`scenario`], a
//! [`group`] trial one OFFER path in a whole group. [`exact`] and the group's lane run all trials in [`parallel`] and
//! count, [`timed`] repeats the verified ones alone and takes CPU time; all write through a [`sink`] that
//! keeps files whole. [`run`] ties these together for the command `offerbench run`; an [`estimate`] says beforehand what
//! that takes.
//!
//! [`story`] prints what happens in a simulated world, for the commands `soak` and `demo`.
//!
//! There is no algorithm and no protocol here: those are in `offerbench-algos`.

pub mod attack;
pub mod choice;
pub mod cmd;
pub mod error;
pub mod estimate;
pub mod exact;
pub mod experiment;
pub mod group;
pub mod link;
pub mod meter;
pub mod parallel;
pub mod plan;
pub mod progress;
pub mod provenance;
pub mod run;
pub mod scenario;
pub mod sink;
pub mod story;
pub mod timed;
pub mod trial;
pub mod twins;
