//! Groups that live for a while in the simulated world, and what is counted of them.
//!
//! A [`sweep`] is data; its points become [`scenario`]s: a life (who writes, who is online), whom each shares with,
//! links. A [`trial`] lets one live under one OFFER [`path`], with a [`meter`] and the checker looking on, and
//! makes a row of it. The [`lane`] runs all trials in parallel.

pub mod lane;
pub mod meter;
pub mod path;
pub mod scenario;
pub mod sweep;
pub mod trial;
