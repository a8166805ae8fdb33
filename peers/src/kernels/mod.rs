//! How each contest is set up: sets made, both sides run once, results compared, closures handed over.

pub mod filters;
#[cfg(target_arch = "x86_64")]
pub mod pinsketch;
pub mod range;
pub mod riblt;
pub mod upkeep;
