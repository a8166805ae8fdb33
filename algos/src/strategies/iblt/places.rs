//! The cells of an id, for one id and for several at once.
//!
//! Each place is a draw from a SplitMix64 stream that starts at the keyed hash of the id. Draws of one id hardly wait for each
//! other and those of several not at all: [`Placer::places_lanes`] draws for [`LANES`] ids in step, as plain
//! arithmetic on arrays, which is compiled again for AVX2 and for AVX-512, whose one register holds all lanes and which
//! multiplies words of 64 bits. [`Placer::places`] is the specification. Where
//! parts of a table begin is a division, made once for a table and not for every draw.

use super::table::{HASHES_MAX, Place, Shape};
use crate::siphash::LANES;

/// Draws places in tables of one shape, whatever their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placer {
    place: Place,
    hashes: usize,
    /// Added to each draw: where the part begins.
    starts: [u32; HASHES_MAX],
    /// Draws are below these.
    bounds: [u32; HASHES_MAX],
}

impl Placer {
    /// For tables of this shape.
    pub fn new(shape: &Shape) -> Self {
        let hashes = (shape.hashes as usize).min(HASHES_MAX);
        let (mut starts, mut bounds) = ([0; HASHES_MAX], [0; HASHES_MAX]);
        for i in 0..hashes {
            let part = |i: usize| (i as u64 * u64::from(shape.cells) / u64::from(shape.hashes)) as u32;
            (starts[i], bounds[i]) = match shape.place {
                Place::Split => (part(i), part(i + 1) - part(i)),
                // Of no cells nothing is drawn.
                Place::Free => (0, (shape.cells + 1 + i as u32).saturating_sub(shape.hashes)),
            };
        }
        Self { place: shape.place, hashes, starts, bounds }
    }

    /// The places of an id with the keyed hash `hash` in the table `number`.
    pub fn places(&self, hash: u64, number: u32) -> impl Iterator<Item = u32> + use<> {
        self.all_places(hash, number).into_iter().take(self.hashes)
    }

    /// Likewise, of which the first `hashes` count.
    pub fn all_places(&self, hash: u64, number: u32) -> [u32; HASHES_MAX] {
        let mut state = start(hash, number);
        let mut places = [0; HASHES_MAX];
        for i in 0..self.hashes {
            state = state.wrapping_add(STEP);
            let drawn = below(state, self.bounds[i]);
            places[i] = match self.place {
                Place::Split => self.starts[i] + drawn,
                // Floyd's sampling: a uniform set of distinct cells with exactly `hashes` draws.
                Place::Free if places[..i].contains(&drawn) => self.bounds[i] - 1,
                Place::Free => drawn,
            };
        }
        places
    }

    /// The places of several ids, by hash function and then by lane.
    pub fn places_lanes(&self, hashes: &[u64; LANES], numbers: &[u32; LANES]) -> [[u32; LANES]; HASHES_MAX] {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
            // SAFETY: the processor has both.
            #[allow(unsafe_code)]
            return unsafe { x86::places512(self, hashes, numbers) };
        }
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has it.
            #[allow(unsafe_code)]
            return unsafe { x86::places256(self, hashes, numbers) };
        }
        self.places_portable(hashes, numbers)
    }

    #[inline(always)]
    fn places_portable(&self, hashes: &[u64; LANES], numbers: &[u32; LANES]) -> [[u32; LANES]; HASHES_MAX] {
        let mut states: [u64; LANES] = std::array::from_fn(|lane| start(hashes[lane], numbers[lane]));
        let mut places = [[0; LANES]; HASHES_MAX];
        for i in 0..self.hashes {
            let mut drawn = [0; LANES];
            for (drawn, state) in drawn.iter_mut().zip(&mut states) {
                *state = state.wrapping_add(STEP);
                *drawn = below(*state, self.bounds[i]);
            }
            match self.place {
                Place::Split => {
                    for drawn in &mut drawn {
                        *drawn += self.starts[i];
                    }
                }
                Place::Free => {
                    let mut seen = [false; LANES];
                    for earlier in &places[..i] {
                        for lane in 0..LANES {
                            seen[lane] |= earlier[lane] == drawn[lane];
                        }
                    }
                    for (drawn, seen) in drawn.iter_mut().zip(seen) {
                        *drawn = if seen { self.bounds[i] - 1 } else { *drawn };
                    }
                }
            }
            places[i] = drawn;
        }
        places
    }
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Where the draws of a hash start. The key is in the hash; here it only has to be spread.
#[inline(always)]
fn start(hash: u64, number: u32) -> u64 {
    // Not a multiple of the step, or one table's draws would be the next one's, shifted.
    hash ^ (u64::from(number) + 1).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// A number below `bound` made of a state (SplitMix64).
#[inline(always)]
fn below(mut z: u64, bound: u32) -> u32 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((((z ^ (z >> 31)) >> 32) * u64::from(bound)) >> 32) as u32
}

/// The same code, compiled for longer registers.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{HASHES_MAX, LANES, Placer};

    #[target_feature(enable = "avx512f,avx512dq")]
    pub fn places512(
        placer: &Placer,
        hashes: &[u64; LANES],
        numbers: &[u32; LANES],
    ) -> [[u32; LANES]; HASHES_MAX] {
        placer.places_portable(hashes, numbers)
    }

    #[target_feature(enable = "avx2")]
    pub fn places256(
        placer: &Placer,
        hashes: &[u64; LANES],
        numbers: &[u32; LANES],
    ) -> [[u32; LANES]; HASHES_MAX] {
        placer.places_portable(hashes, numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Lanes, on every path, draw what single ids draw; places are distinct and in the table.
        #[test]
        fn lanes_draw_what_single_ids_draw(
            hashes: [u64; LANES],
            numbers: [u32; LANES],
            k in 3_u32..=5,
            more in 1_u32..70_000,
            free: bool,
        ) {
            let place = if free { Place::Free } else { Place::Split };
            let placer = Placer::new(&Shape { cells: k + more, hashes: k, place, number: 0 });
            let lanes = placer.places_lanes(&hashes, &numbers);
            prop_assert_eq!(lanes, placer.places_portable(&hashes, &numbers));
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has it.
                #[allow(unsafe_code)]
                let shorter = unsafe { x86::places256(&placer, &hashes, &numbers) };
                prop_assert_eq!(lanes, shorter);
            }
            for lane in 0..LANES {
                let single = placer.all_places(hashes[lane], numbers[lane]);
                prop_assert_eq!(lanes.map(|row| row[lane]), single);
                for (i, place) in single[..k as usize].iter().enumerate() {
                    prop_assert!(*place < k + more && !single[..i].contains(place));
                }
            }
        }
    }

    /// The places that tables of earlier versions had: they go over the wire.
    #[test]
    fn places_stay_where_they_were() {
        let shape = |place| Shape { cells: 103, hashes: 4, place, number: 2 };
        let places = |place| Placer::new(&shape(place)).places(0x0123_4567_89ab_cdef, 2).collect::<Vec<_>>();
        assert_eq!(places(Place::Split), [7, 26, 63, 80]);
        assert_eq!(places(Place::Free), [31, 6, 47, 15]);
    }
}
