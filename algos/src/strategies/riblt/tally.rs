//! A checksum and a count in one word.
//!
//! So a symbol of short ids is 16 bytes, which are read, added to and written at once, and a cache holds half as many
//! again as of three words. The count is above the checksum: what it carries leaves the word.

/// The XOR of checksums and, above it, a count modulo 2^16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally(u64);

/// One more.
const ONE: u64 = 1 << Tally::CHECK_BITS;

impl Tally {
    /// Bits of a checksum at most.
    pub const CHECK_BITS: u32 = 48;
    /// Bits of a count.
    pub const COUNT_BITS: u32 = 64 - Self::CHECK_BITS;

    /// Of a checksum and a count.
    pub fn new(check: u64, count: i64) -> Self {
        debug_assert!(check < ONE);
        Self(check | (count as u64) << Self::CHECK_BITS)
    }

    /// The checksum.
    pub fn check(self) -> u64 {
        self.0 & (ONE - 1)
    }

    /// The count: of those that it may be, the one next to 0.
    pub fn count(self) -> i64 {
        self.0 as i64 >> Self::CHECK_BITS
    }

    /// The count modulo 2^8.
    #[inline(always)]
    pub fn low_count(self) -> u8 {
        (self.0 >> Self::CHECK_BITS) as u8
    }

    /// The checksum, and of the count what is in the lowest `count_bits` bits.
    pub fn known(self, count_bits: u32) -> u64 {
        self.0 & u64::MAX >> (Self::COUNT_BITS - count_bits)
    }

    /// With a checksum added or taken out, and a count added.
    #[inline(always)]
    pub fn with(self, check: u64, count: i64) -> Self {
        Self((self.0 ^ check).wrapping_add((count as u64) << Self::CHECK_BITS))
    }

    /// The same checksum, and as many less.
    pub fn negated(self) -> Self {
        Self(self.check() | (self.0 & !(ONE - 1)).wrapping_neg())
    }
}

/// How often an item is added to a symbol: what is added to the two words that end with the tally.
///
/// Nothing to the first. Where the compiler does not know, it adds both at once, and a symbol of 16 bytes takes a load,
/// an XOR, an addition and a store. Where it knows, it takes the symbol apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times([u64; 2]);

impl Times {
    /// Added for 1, taken out for -1.
    pub fn new(times: i64) -> Self {
        Self([0, (times as u64) << Tally::CHECK_BITS])
    }

    /// 1 or -1.
    pub fn get(self) -> i64 {
        self.0[1] as i64 >> Tally::CHECK_BITS
    }

    /// Adds it to a word and a tally.
    #[inline(always)]
    pub fn add_to(self, word: &mut u64, tally: &mut Tally) {
        *word = word.wrapping_add(self.0[0]);
        tally.0 = tally.0.wrapping_add(self.0[1]);
    }
}

/// Counts modulo 2^8 that are looked at together.
pub const MARKS: usize = 64;

/// Tells the counts of single items from others.
#[derive(Clone, Copy, Debug)]
pub struct Singles {
    mask: u64,
}

impl Singles {
    /// Where the lowest `count_bits` bits of counts are known.
    pub fn new(count_bits: u32) -> Self {
        Self { mask: (u64::MAX >> (64 - count_bits) & !0b10) << Tally::CHECK_BITS }
    }

    /// Whether a count, as far as it is known, is 1 or -1: whether it is 0 or 2 once 1 is added.
    #[inline(always)]
    pub fn has(self, tally: Tally) -> bool {
        tally.0.wrapping_add(ONE) & self.mask == 0
    }

    fn low_mask(self) -> u8 {
        (self.mask >> Tally::CHECK_BITS) as u8
    }

    /// Of counts modulo 2^8, those that may be 1 or -1, as bits.
    #[inline]
    pub fn which_of(self, low_counts: &[u8; MARKS]) -> u64 {
        #[cfg(target_arch = "x86_64")]
        return self.which_of_sse2(low_counts);
        #[cfg(not(target_arch = "x86_64"))]
        self.which_of_portable(low_counts)
    }

    #[cfg(any(test, not(target_arch = "x86_64")))]
    fn which_of_portable(self, low_counts: &[u8; MARKS]) -> u64 {
        let mask = self.low_mask();
        low_counts.iter().rev().fold(0, |all, count| all << 1 | u64::from(count.wrapping_add(1) & mask == 0))
    }

    /// The same by comparisons of bytes, which every processor of this architecture has.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn which_of_sse2(self, low_counts: &[u8; MARKS]) -> u64 {
        use std::arch::x86_64::*;
        let mask = self.low_mask();
        let sixteen = |counts: &[u8; 16]| {
            // SAFETY: the array is as long as the vector, and the processor has SSE2.
            #[allow(unsafe_code)]
            unsafe {
                let more = _mm_add_epi8(_mm_loadu_si128(counts.as_ptr().cast()), _mm_set1_epi8(1));
                let rest = _mm_and_si128(more, _mm_set1_epi8(mask as i8));
                _mm_movemask_epi8(_mm_cmpeq_epi8(rest, _mm_setzero_si128())) as u64
            }
        };
        low_counts.as_chunks::<16>().0.iter().rev().fold(0, |all, counts| all << 16 | sixteen(counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_and_counts_do_not_meet() {
        let full = ONE - 1;
        for count in [-32_768, -2, -1, 0, 1, 32_767] {
            for check in [0, 1, full] {
                let tally = Tally::new(check, count);
                assert_eq!((tally.check(), tally.count()), (check, count));
                assert_eq!(tally.low_count(), count as u8);
                assert_eq!(tally.negated(), Tally::new(check, -count));
                assert_eq!(tally.known(4), check | (count as u64 & 15) << 48);
                for times in [-1, 1] {
                    let more = tally.with(full, times);
                    assert_eq!(
                        (more.check(), more.count()),
                        (check ^ full, i64::from((count + times) as i16))
                    );
                    let (mut word, mut added) = (5, tally);
                    Times::new(times).add_to(&mut word, &mut added);
                    assert_eq!((word, added, Times::new(times).get()), (5, tally.with(0, times), times));
                }
            }
        }
    }

    #[test]
    fn low_counts_tell_singles_as_far_as_they_go() {
        for (count_bits, ones) in [(4, &[1, 15][..]), (16, &[1, 255])] {
            let singles = Singles::new(count_bits);
            for first in 0..=255_u8 {
                let counts: [u8; MARKS] =
                    std::array::from_fn(|i| first.wrapping_add(37_u8.wrapping_mul(i as u8)));
                let which = singles.which_of(&counts);
                assert_eq!(which, singles.which_of_portable(&counts));
                for (bit, count) in counts.iter().enumerate() {
                    let known = count & (255 >> 8_u32.saturating_sub(count_bits));
                    assert_eq!(which >> bit & 1 == 1, ones.contains(&known), "{count}");
                }
            }
        }
    }
}
