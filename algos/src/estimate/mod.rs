//! Estimators of d: what an end sends so that the other can size a sketch before it knows the difference.

pub mod counters;
pub mod kernel;
pub mod strata;
pub mod tow;
