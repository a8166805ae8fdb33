//! How often each of 128 bits is set in many words.
//!
//! **Source.** Positional population counts with carry-save adders: R. Seal's circuit of 1961, as in W. Muła, N. Kurz,
//! D. Lemire, "Faster population counts using AVX2 instructions", The Computer Journal 61 (2018).
//!
//! **Idea.** Counts are held in *planes*: plane i holds bit i of all 128 counts. To add one word is to ripple
//! its carries through the planes, two operations on words for each. A carry-save adder makes of three words of equal
//! weight one of that weight and one of the double, in five operations; seven of them add eight words to the planes
//! of weight 1, 2 and 4 with a single carry of weight 8, and only that one ripples on.

/// Number of counts.
pub const COUNTERS: usize = 128;
/// Words added at once.
pub const EIGHT: usize = 8;
/// Planes: counts up to 4,095 between two times that they are emptied.
const PLANES: usize = 12;

/// Counts in planes.
#[derive(Clone, Debug)]
pub struct Counters {
    planes: [u128; PLANES],
    /// Words in the planes.
    held: usize,
    sums: Vec<u32>,
}

impl Default for Counters {
    fn default() -> Self {
        Self { planes: [0; PLANES], held: 0, sums: vec![0; COUNTERS] }
    }
}

/// Sum and carry of three words.
#[inline(always)]
fn adder(a: u128, b: u128, c: u128) -> (u128, u128) {
    let half = a ^ b;
    (half ^ c, a & b | half & c)
}

impl Counters {
    /// Adds one word.
    pub fn add(&mut self, word: u128) {
        self.make_room(1);
        self.ripple(word, 0);
    }

    /// Adds eight words.
    #[inline]
    pub fn add_eight(&mut self, words: &[u128; EIGHT]) {
        self.make_room(EIGHT);
        let [ones, twos, fours, ..] = self.planes;
        let (ones, two_a) = adder(ones, words[0], words[1]);
        let (ones, two_b) = adder(ones, words[2], words[3]);
        let (twos, four_a) = adder(twos, two_a, two_b);
        let (ones, two_a) = adder(ones, words[4], words[5]);
        let (ones, two_b) = adder(ones, words[6], words[7]);
        let (twos, four_b) = adder(twos, two_a, two_b);
        let (fours, eight) = adder(fours, four_a, four_b);
        self.planes[..3].copy_from_slice(&[ones, twos, fours]);
        self.ripple(eight, 3);
    }

    /// The counts.
    pub fn finish(mut self) -> Vec<u32> {
        self.drain();
        self.sums
    }

    #[inline(always)]
    fn ripple(&mut self, mut carry: u128, from: usize) {
        for plane in &mut self.planes[from..] {
            (*plane, carry) = (*plane ^ carry, *plane & carry);
        }
    }

    #[inline(always)]
    fn make_room(&mut self, words: usize) {
        if self.held + words >= 1 << PLANES {
            self.drain();
        }
        self.held += words;
    }

    #[cold]
    fn drain(&mut self) {
        for (weight, plane) in self.planes.iter_mut().enumerate() {
            for (lane, sum) in self.sums.iter_mut().enumerate() {
                *sum += ((*plane >> lane) as u32 & 1) << weight;
            }
            *plane = 0;
        }
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Words one by one, in eights and mixed are counted as a loop over bits counts them.
        #[test]
        fn planes_count_what_a_loop_counts(words: Vec<u128>, split in 0_usize..100) {
            let mut slow = vec![0_u32; COUNTERS];
            for word in &words {
                for (lane, sum) in slow.iter_mut().enumerate() {
                    *sum += (word >> lane) as u32 & 1;
                }
            }
            let (single, rest) = words.split_at(split.min(words.len()));
            let (eights, last) = rest.as_chunks();
            let mut counters = Counters::default();
            for word in single {
                counters.add(*word);
            }
            for eight in eights {
                counters.add_eight(eight);
            }
            for word in last {
                counters.add(*word);
            }
            prop_assert_eq!(counters.finish(), slow);
        }
    }

    /// Planes are emptied before they overflow.
    #[test]
    fn many_words_do_not_overflow() {
        for single in [0, 1, 7, 4095, 4096] {
            let mut counters = Counters::default();
            for _ in 0..single {
                counters.add(u128::MAX);
            }
            for _ in 0..5000 {
                counters.add_eight(&[u128::MAX; EIGHT]);
            }
            assert_eq!(counters.finish(), vec![40_000 + single; COUNTERS]);
        }
    }
}
