//! One root seed, and a named stream for every consumer.
//!
//! A consumer asks for `seed.child("churn")` and draws from that stream alone, so that a new consumer
//! shifts nobody else's draws. Streams are ChaCha8 (crate `rand_chacha`), whose output is part of its
//! definition, and every draw below is integer arithmetic or one IEEE division: the same seed gives the
//! same numbers on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use siphasher::sip::SipHasher24;

/// The origin of every random draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(u64);

impl Seed {
    /// A root seed.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The seed as a number, to be stored and given to [`Seed::new`] again.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The seed of the consumer `label`: SipHash-2-4 of the label, keyed by this seed.
    #[must_use]
    pub fn child(self, label: &str) -> Self {
        // The constant is the ASCII of "offerben": any fixed second half of the key would do.
        Self(SipHasher24::new_with_keys(self.0, 0x6f66_6665_7262_656e).hash(label.as_bytes()))
    }

    /// The seed of the `n`-th repetition of this consumer.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        Self(SipHasher24::new_with_keys(self.0, n).hash(b"nth"))
    }

    /// The stream of this seed, from its start.
    pub fn rng(self) -> Rng {
        Rng(ChaCha8Rng::seed_from_u64(self.0))
    }
}

/// A stream of random draws.
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, without bias (Lemire's multiplication with rejection).
    ///
    /// # Panics
    ///
    /// When `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below 0");
        let reject_below = bound.wrapping_neg() % bound;
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(bound);
            if wide as u64 >= reject_below {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A number in [0, 1) with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// Shuffles in place (Fisher-Yates).
    pub fn shuffle<T>(&mut self, slice: &mut [T]) {
        for i in (1..slice.len()).rev() {
            slice.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pinned: a change here changes every recorded run.
    #[test]
    fn streams_are_pinned() {
        let seed = Seed::new(1);
        assert_eq!(seed.child("salt").value(), 2_600_354_015_320_443_544);
        assert_eq!(seed.nth(3).value(), 9014703322993613635);
        assert_eq!(seed.rng().next_u64(), 7424550030962593201);
    }

    #[test]
    fn children_differ_from_each_other_and_from_the_parent() {
        let seed = Seed::new(1);
        let all = [seed, seed.child("a"), seed.child("b"), seed.nth(0), seed.nth(1)];
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn below_is_uniform_and_in_bounds() {
        let mut rng = Seed::new(7).rng();
        let mut seen = [0_u32; 3];
        for _ in 0..30_000 {
            seen[rng.below(3) as usize] += 1;
        }
        // Binomial(30000, 1/3) has a deviation of 82; five of them.
        for count in seen {
            assert!((9_590..10_410).contains(&count), "{seen:?}");
        }
    }
}
