//! Draws from the distributions that the laws of groups name.
//!
//! By inversion, from one or two uniform draws each, with the exponential functions of `libm`: pure Rust, the
//! same on every machine, which those of the platform are not.

use offerbench_algos::Rng;

/// Milliseconds in a day.
pub(super) const DAY_MS: u64 = 86_400_000;

/// A uniform draw that is never 0, so that it has a logarithm.
fn positive(rng: &mut Rng) -> f64 {
    1.0 - rng.unit()
}

/// Exponential: a length that forgets its past.
pub(super) fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    -mean * libm::log(positive(rng))
}
