//! Draws for swarms: uneven ones.

use offerbench_algos::Seed;

use crate::Span;
use crate::sim::Dice;

/// A stream of draws.
pub(super) struct Luck(Dice);

impl Luck {
    pub(super) fn new(seed: Seed) -> Self {
        Self(Dice::new(seed))
    }

    /// Whether something happens that happens once in `n` times.
    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.0.below(n) == 0
    }

    /// Below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound as u64) as usize
    }

    /// From `low` to `high`, both included, all alike.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high.saturating_sub(low).saturating_add(1))
    }

    /// From `low` to `high`, all orders of magnitude (of two) alike: small values are as likely as large ones.
    pub(super) fn skewed(&mut self, low: u64, high: u64) -> u64 {
        let low = low.max(1);
        let steps = (high / low).max(1).ilog2();
        let floor = low << self.0.below(u64::from(steps) + 1);
        self.between(floor, floor.saturating_mul(2).saturating_sub(1).max(floor)).clamp(low, high.max(low))
    }

    /// As [`Self::skewed`], of lengths of time.
    pub(super) fn span(&mut self, low: Span, high: Span) -> Span {
        Span::from_us(self.skewed(low.as_us(), high.as_us()))
    }

    /// One of these.
    pub(super) fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// Which of `N` classes of faults are on: none in one world of eight, all in another, else each with a
    /// chance that is itself drawn.
    pub(super) fn classes<const N: usize>(&mut self) -> [bool; N] {
        match self.below(8) {
            0 => [false; N],
            1 => [true; N],
            _ => {
                let percent = self.of(&[10, 25, 50, 75]);
                std::array::from_fn(|_| self.0.below(100) < percent)
            }
        }
    }

    /// A chance in a million, over orders of magnitude, up to `high`.
    pub(super) fn ppm(&mut self, high: u32) -> u32 {
        self.skewed(500, u64::from(high)) as u32
    }
}
