//! How large a sketch to send, and what it costs: integer arithmetic throughout, so that the bytes on the
//! wire and the decision to give up are the same on every machine.
//!
//! **Nonsense.** A sketch of capacity c that holds more than c elements decodes all the same where its bits
//! happen to be those of some smaller set. There are Σ_{k≤c} C(2^b − 1, k) such sets among 2^(bc) sketches:
//! one in c!, nearly. minisketch pads by the same count (`minisketch_compute_capacity`, not in the version
//! that the crate wraps).

use super::engine::Field;
use super::parts;
use crate::estimate::tow;
use crate::session::{Budget, Reason};
use crate::wire::SYMBOLS_MAX;

/// First capacity of `size=double`. One round trip more costs a chat more than 8 syndromes do, and 16! keeps
/// nonsense at 2^-44.
pub const START: u64 = 16;

/// From this capacity on a sketch that does not decode is halved instead of doubled.
///
/// Decoding costs c², encoding n·c, so they are equal at c = n/40: a session over 10,000 items that stops
/// doubling here never spends more on decoding than on encoding. Both ways of going on cost the same
/// bytes, c syndromes; but doubling makes every item be encoded into 2c syndromes and squares on, while
/// halving encodes half of the items into c and decodes twice c². What speaks for doubling below is the
/// spread: a half of d differences deviates by √d/2, and of 16 that is an eighth, of 256 a thirty-second.
/// With 512 the 10 s of the usual budget would end at some 70,000 differences, with 256 at 140,000.
pub const HALVE_FROM: u64 = 256;

/// The capacity for an estimate of d, between sets of `lens` items: large enough in 99% of all cases.
///
/// Whatever the estimate says, d is at least the difference of the sizes and at most their sum; and it is
/// odd or even as that difference is, so a last syndrome that only an impossible d needs is left out. Both
/// are free, and make differences that lie at one end only come out right always.
pub fn from_estimate(estimate: u64, lens: [u64; 2], bits: u32, pad_bits: u32) -> u64 {
    let (least, most) = (lens[0].abs_diff(lens[1]), lens[0] + lens[1]);
    let inflated = estimate.min(most) * tow::INFLATION_PERCENT;
    let capacity = inflated.div_ceil(100).clamp(least, most);
    padded(capacity - ((capacity ^ least) & 1), bits, pad_bits)
}

/// Differences to make parts for, by an estimate: see `parts`.
pub fn differences(estimate: u64, lens: [u64; 2]) -> u64 {
    let (least, most) = (lens[0].abs_diff(lens[1]), lens[0] + lens[1]);
    (estimate.min(most) * parts::INFLATION_PERCENT).div_ceil(100).clamp(least, most)
}

/// The first capacity without an estimate.
pub fn without_estimate(lens: [u64; 2]) -> u64 {
    START.max(lens[0].abs_diff(lens[1])).min(HALVE_FROM).min(lens[0] + lens[1])
}

/// The capacity at which up to `max` elements decode and more decode as nonsense with probability at most
/// 2^-`pad_bits`: every syndrome above `max` takes `bits` off.
///
/// Exact for `bits` from 32 to 64, `pad_bits` up to 64: there the fraction above is ⌊log2 c!⌋ bits.
pub fn padded(max: u64, bits: u32, pad_bits: u32) -> u64 {
    let mut factorial = 1_u128;
    for k in 1..=max {
        factorial *= u128::from(k);
        if factorial >> pad_bits != 0 {
            return max;
        }
    }
    // An empty sketch is not decoded but compared.
    if max == 0 { 0 } else { max + u64::from((pad_bits - factorial.ilog2()).div_ceil(bits)) }
}

/// Nominal picoseconds to add one item to one syndrome, and to decode at capacity 1 (it grows with c²).
///
/// Measured on an AMD EPYC of family 25, model 1 (Zen 3), at capacities from 128 on, our own engine on its path of 256 bits,
/// minisketch with carry-less multiplication (encoding into 32 and 40 bits by tables, which is faster). They are
/// constants, so that a session gives up at the same point everywhere: the path of 128 bits takes up to 2 times
/// as long, the portable one some 20 to 30 times; minisketch without carry-less multiplication decodes in
/// 1.3 to 3 times the time.
fn rates(field: Field) -> (u128, u128) {
    match (field.is_own(), field.bits()) {
        (true, ..=32) => (600, 58_000),
        (true, 33..=48) => (800, 59_000),
        (true, _) => (600, 63_000),
        (false, ..=32) => (4_000, 94_000),
        (false, 33..=40) => (4_600, 136_000),
        (false, 41..=48) => (6_300, 160_000),
        (false, _) => (5_500, 219_000),
    }
}

/// Work on sketches that is about to be done.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// The field, and who computes in it.
    pub field: Field,
    /// Capacity of each sketch.
    pub capacity: u64,
    /// Items to add, all sketches together.
    pub encode: u64,
    /// Sketches to decode.
    pub decode: u64,
}

impl Work {
    /// Nominal CPU nanoseconds of encoding and of decoding.
    pub fn nominal_ns(self) -> [u64; 2] {
        let (add, decode) = rates(self.field);
        let c = u128::from(self.capacity);
        let ns = |ps: u128| u64::try_from(ps / 1000).unwrap_or(u64::MAX);
        let squares = c.saturating_mul(c).saturating_mul(u128::from(self.decode));
        [
            ns(c.saturating_mul(u128::from(self.encode)).saturating_mul(add)),
            ns(squares.saturating_mul(decode)),
        ]
    }

    /// Nominal bytes: the sketches of both ends, and while one is decoded 128 words a syndrome and the matrix of
    /// the Frobenius map (`kernel`). That matrix is now given up above 256 syndromes; the allowance up to 1,024 stays,
    /// so that no session gives up elsewhere than before.
    pub fn nominal_heap_bytes(self) -> u64 {
        let sketch = self.capacity.saturating_mul(u64::from(self.field.bits())) / 8;
        let matrix = 4 * self.capacity.min(1024).pow(2);
        // Several beside each other: sixteen matrices, and of each sketch its syndromes, locator and traces.
        let side = self.capacity.min(128);
        let lanes = if self.decode > 1 { 64 * side * (side + 144) } else { 0 };
        let words = self.capacity.saturating_mul(self.decode.saturating_sub(1)).saturating_mul(128);
        sketch
            .saturating_mul(self.decode)
            .saturating_mul(2)
            .saturating_add(lanes.saturating_add(words))
            .saturating_add(self.capacity.saturating_mul(1024))
            .saturating_add(matrix)
    }

    /// Why it may not be done.
    pub fn refusal(self, budget: &Budget) -> Option<Reason> {
        if self.capacity.saturating_mul(self.decode) > SYMBOLS_MAX
            || self.nominal_heap_bytes() > budget.heap_bytes_max
        {
            Some(Reason::HeapBudget)
        } else if self.nominal_ns().into_iter().any(|ns| ns > budget.cpu_ns_max) {
            Some(Reason::CpuBudget)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::session::Setup;

    /// Oracle: minisketch's capacities for b=32.
    #[test]
    fn padding_is_that_of_minisketch() {
        assert_eq!(padded(8, 32, 16), 9);
        assert_eq!([1, 4, 16].map(|max| padded(max, 32, 64)), [3, 6, 17]);
        assert_eq!(padded(9, 32, 16), 9);
        assert_eq!([0, 1, 5].map(|max| padded(max, 48, 0)), [0, 1, 5]);
        assert_eq!(padded(u64::MAX, 64, 64), u64::MAX);
    }

    #[test]
    fn capacities_hold_the_estimate_and_keep_the_parity() {
        let capacity = |estimate, lens| from_estimate(estimate, lens, 48, 0);
        assert_eq!(capacity(0, [10, 10]), 0);
        assert_eq!(capacity(1, [10, 11]), 1);
        assert_eq!(capacity(2, [10, 10]), 2);
        assert_eq!(capacity(100, [1000, 1000]), 138);
        assert_eq!(capacity(100, [1000, 1001]), 137);
        // One end lacks a hundred, the other nothing: the sizes say so, whatever the estimate.
        assert_eq!(capacity(60, [1000, 900]), 100);
        // No more than all of both.
        assert_eq!(capacity(u64::MAX, [3, 4]), 7);
        assert_eq!(from_estimate(1, [10, 11], 48, 16), 2);
        assert_eq!(without_estimate([1000, 1000]), START);
        assert_eq!(without_estimate([1000, 900]), 100);
        assert_eq!(without_estimate([1, 2]), 3);
        assert_eq!(without_estimate([0, 1 << 20]), HALVE_FROM);
    }

    /// The figures that the module's documents quote, and no overflow where a peer picks the numbers.
    #[test]
    fn work_has_a_price() {
        let budget = Setup::new(Seed::new(0)).budget;
        let work = |bits, capacity, encode, decode| {
            let field = Field::new(bits);
            Work { field, capacity, encode, decode }
        };
        assert_eq!(work(64, 1024, 1_000_000, 1).nominal_ns(), [614_400_000, 66_060_288]);
        assert_eq!(work(64, 12_598, 10_000, 1).refusal(&budget), None);
        assert_eq!(work(64, 12_599, 10_000, 1).refusal(&budget), Some(Reason::CpuBudget));
        assert_eq!(work(32, 16_667, 1_000_000, 0).refusal(&budget), Some(Reason::CpuBudget));
        assert_eq!(work(32, 1, 1, SYMBOLS_MAX + 1).refusal(&budget), Some(Reason::HeapBudget));
        let hostile = work(64, u64::MAX, u64::MAX, u64::MAX);
        assert_eq!(hostile.refusal(&budget), Some(Reason::HeapBudget));
        assert_eq!(hostile.nominal_ns(), [u64::MAX; 2]);
        #[cfg(target_arch = "x86_64")]
        {
            let field = Field::of_minisketch(64);
            let slower = Work { field, capacity: 1024, encode: 1_000_000, decode: 1 };
            assert_eq!(slower.nominal_ns(), [5_632_000_000, 229_638_144]);
        }
    }
}
