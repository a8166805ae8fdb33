//! Many small sketches in place of a large one.
//!
//! Decoding costs c² and encoding n·c, so d differences in parts of some 30 each cost d·30 and n·48 where one
//! sketch costs d² and n·d; and sixteen sketches decode side by side (`kernel::lanes`). Short ids are keyed and
//! uniform, so equal ranges of them are as good as the buckets of any other hash, and the sorted table of short ids
//! has the parts as runs.
//!
//! **Sizes.** The differences in a part are Poisson with mean λ. A part holds λ + √(10λ) + 1: 3.2 deviations and the
//! half that the continuous law lacks. So about one part in a thousand is overfull. Those, and only those, are sent as
//! many syndromes again: the expected bytes of the second round are a thousandth of the first's. With `parts=auto` λ
//! is 30 and the capacity 48: 1.6 syndromes a difference.
//!
//! The estimate is inflated by 25% (two of its deviations, 2·√(2/128)), not by 38% as for a single sketch: what is
//! too small there is sent twice, here a few more parts overflow. That makes 2.0 syndromes a difference where
//! the single sketch has 1.38.

use super::engine::Field;
use super::sizing::Work;
use crate::sorted::ShortIds;

/// Differences expected in a part by `parts=auto`.
pub const MEAN: u64 = 30;
/// Fewer parts than this are not worth their tails: one sketch is sent.
const PARTS_MIN: u64 = 8;
/// Percentage of an estimate that the parts are made for.
pub const INFLATION_PERCENT: u64 = 125;

/// Values of `parts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// By the number of differences.
    Auto,
    /// As many, or one for equal sets.
    Fixed(u64),
}

impl Choice {
    /// Whether there can be more than one part, so that their number is sent.
    pub fn is_plural(self) -> bool {
        self != Self::Fixed(1)
    }

    /// Parts for up to about `differences`.
    pub fn count(self, differences: u64) -> u64 {
        match self {
            _ if differences == 0 => 1,
            Self::Fixed(count) => count,
            Self::Auto if differences < PARTS_MIN * MEAN => 1,
            Self::Auto => differences.div_ceil(MEAN),
        }
    }
}

/// Capacity of each of `count` parts that hold `differences` together.
pub fn capacity(differences: u64, count: u64) -> u64 {
    let mean = differences.div_ceil(count);
    mean + (10 * mean).isqrt() + 1
}

/// A set in parts, and which of them have not been decoded yet.
pub struct Parts {
    field: Field,
    count: u64,
    capacity: u64,
    /// Own short ids, sorted.
    shorts: Vec<u64>,
    /// What has not been decoded yet, ascending.
    pending: Vec<u64>,
}

impl Parts {
    /// All parts of a set.
    pub fn new(field: Field, count: u64, capacity: u64, ids: &ShortIds) -> Self {
        let shorts = ids.pairs().iter().map(|(short, _)| *short).collect();
        Self { field, count, capacity, shorts, pending: (0..count).collect() }
    }

    /// Number of those not decoded yet.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Capacity of each.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// The part of a short id; those are 1 to 2^bits - 1.
    fn part_of(&self, short: u64) -> u64 {
        ((u128::from(short - 1) * u128::from(self.count)) >> self.field.bits()) as u64
    }

    /// Own short ids in each part not decoded yet.
    pub fn own(&self) -> Vec<&[u64]> {
        let range = |part: &u64| {
            let start = self.shorts.partition_point(|short| self.part_of(*short) < *part);
            let len = self.shorts[start..].partition_point(|short| self.part_of(*short) == *part);
            &self.shorts[start..start + len]
        };
        self.pending.iter().map(range).collect()
    }

    /// Whether a short id of whichever end belongs in the part at a place among those not decoded yet.
    pub fn is_in(&self, place: usize, short: u64) -> bool {
        self.part_of(short) == self.pending[place]
    }

    /// The syndromes above the first `known` of each, one part after the other.
    pub fn sketches(&self, known: u64) -> Option<Vec<u8>> {
        let (known, len) = (self.field.len(known), self.field.len(self.capacity));
        let mut all = Vec::with_capacity((len - known) * self.pending.len());
        for own in self.own() {
            all.extend_from_slice(&self.field.sketch(self.capacity, own.iter().copied())?[known..]);
        }
        Some(all)
    }

    /// What it takes to make those sketches, and to decode them.
    pub fn work(&self) -> Work {
        let encode = self.own().iter().map(|own| own.len() as u64).sum();
        Work { field: self.field, capacity: self.capacity, encode, decode: self.pending.len() as u64 }
    }

    /// Goes on with those that `failed`, at twice the capacity.
    pub fn grow(&mut self, failed: &[bool]) {
        let mut failed = failed.iter();
        self.pending.retain(|_| failed.next() == Some(&true));
        self.capacity *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chance that a Poisson variable of this mean is above `capacity`.
    fn tail(mean: f64, capacity: u64) -> f64 {
        let mut term = (-mean).exp();
        let mut below = 0.0;
        for k in 0..=capacity {
            below += term;
            term *= mean / (k + 1) as f64;
        }
        1.0 - below
    }

    /// The figures of the module's documents.
    #[test]
    fn one_part_in_a_thousand_is_overfull() {
        assert_eq!((capacity(MEAN, 1), capacity(1, 1), capacity(0, 16)), (48, 5, 1));
        for mean in 1..=500 {
            let overfull = tail(mean as f64, capacity(mean, 1));
            assert!((2e-4..1.7e-3).contains(&overfull), "{mean}: {overfull}");
        }
        // Whatever the estimate within one of its deviations: a hundredth of the bytes.
        let estimated = MEAN as f64 * 100.0 / INFLATION_PERCENT as f64;
        assert!(tail(estimated * (1.0 + 0.125), capacity(MEAN, 1)) < 1e-3);
        assert!(tail(estimated * (1.0 + 2.0 * 0.125), capacity(MEAN, 1)) < 1.7e-3);
        assert!(tail(estimated * (1.0 + 3.0 * 0.125), capacity(MEAN, 1)) < 1e-2);
    }

    #[test]
    fn auto_makes_parts_of_large_differences_only() {
        let counts = [0, 1, 239, 240, 241, 1000].map(|differences| Choice::Auto.count(differences));
        assert_eq!(counts, [1, 1, 1, 8, 9, 34]);
        assert_eq!([0, 1, 1000].map(|differences| Choice::Fixed(16).count(differences)), [1, 16, 16]);
        assert!(Choice::Auto.is_plural() && Choice::Fixed(16).is_plural() && !Choice::Fixed(1).is_plural());
    }
}
