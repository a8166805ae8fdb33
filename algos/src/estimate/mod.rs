//! Estimators of d: what an end sends so that the other can size a sketch before it knows the difference.

pub mod strata;
pub mod tow;
