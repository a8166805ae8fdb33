//! Questions to a binary fuse filter, many at once.
//!
//! **Idea.** A question reads three cells in three segments, which for a large filter are three misses. `xorf` asks one
//! after the other and leaves it to the processor to look ahead. Here the places of [`QUERIES_MAX`] keys are computed first
//! and their lines asked for, and then all cells are read: as many misses are under way as the processor can hold. A
//! filter that fits into the second-level cache misses nothing, and is asked key by key (batches took 1.4 times as long
//! at 10^5 keys, and 0.87 times at 10^6: `cargo bench -p offerbench-peers -- fuse`).
//! Places and fingerprints are those of Graf and Lemire's reference code, which `xorf` follows. All that is the portable
//! path; with AVX-512 cells are gathered (`gather.rs`).

use std::ops::BitXor;

use xorf::Descriptor;

use crate::prefetch::prefetch;

/// Questions answered at once.
pub const QUERIES_MAX: usize = 64;

/// Bytes of cells that stay in a usual second-level cache.
const CACHED_BYTES: usize = 1 << 19;

/// A cell: 8 or 16 bits of fingerprint.
pub trait Cell: Copy + Default + BitXor<Output = Self> {
    /// The fingerprint of a key with this hash.
    fn fingerprint(hash: u64) -> Self;

    /// Whether three cells xor to this fingerprint.
    fn closes(self, cells: [Self; 3]) -> bool;
}

macro_rules! cell {
    ($($word:ty),*) => {$(
        impl Cell for $word {
            fn fingerprint(hash: u64) -> Self {
                (hash ^ (hash >> 32)) as Self
            }

            fn closes(self, [a, b, c]: [Self; 3]) -> bool {
                a ^ b ^ c == self
            }
        }
    )*};
}

cell!(u8, u16);

/// The hash of a key: MurmurHash3's finaliser of key and seed.
#[inline(always)]
pub(super) fn mix(key: u64, seed: u64) -> u64 {
    let mut hash = key.wrapping_add(seed);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The cells of a hash: one in a segment drawn at random, and one in each of the next two.
#[inline(always)]
pub(super) fn places(filter: &Descriptor, hash: u64) -> [u32; 3] {
    let first = ((u128::from(hash) * u128::from(filter.segment_count_length)) >> 64) as u32;
    let second = first + filter.segment_length;
    let third = second + filter.segment_length;
    let mask = filter.segment_length_mask;
    [first, second ^ ((hash >> 18) as u32 & mask), third ^ (hash as u32 & mask)]
}

/// Of up to [`QUERIES_MAX`] keys, in bit i whether the filter affirms the i-th.
///
/// # Panics
///
/// When there are more, or the descriptor is not that of so many cells.
pub fn affirms_all<C: Cell>(filter: &Descriptor, cells: &[C], keys: &[u64]) -> u64 {
    assert!(keys.len() <= QUERIES_MAX, "{} queries at once", keys.len());
    #[cfg(target_arch = "x86_64")]
    if let Some(cells) = super::gather::Cells::new(filter, cells) {
        let mut all = [0; QUERIES_MAX];
        all[..keys.len()].copy_from_slice(keys);
        return cells.affirm(&all) & u64::MAX.checked_shr((QUERIES_MAX - keys.len()) as u32).unwrap_or(0);
    }
    affirms_portable(filter, cells, keys)
}

/// How this machine asks, as results record it.
pub fn path() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if super::gather::Cells::new(&EMPTY, &[0_u8; 12]).is_some() {
        return "gathers, avx512";
    }
    "batch"
}

/// Of no keys, in three segments of four cells.
#[cfg(target_arch = "x86_64")]
const EMPTY: Descriptor =
    Descriptor { seed: 0, segment_length: 4, segment_length_mask: 3, segment_count_length: 4 };

fn affirms_portable<C: Cell>(filter: &Descriptor, cells: &[C], keys: &[u64]) -> u64 {
    let affirms =
        |hash: u64, places: [u32; 3]| C::fingerprint(hash).closes(places.map(|place| cells[place as usize]));
    let mut hits = 0;
    if size_of_val(cells) <= CACHED_BYTES {
        for (i, key) in keys.iter().enumerate() {
            let hash = mix(*key, filter.seed);
            hits |= u64::from(affirms(hash, places(filter, hash))) << i;
        }
        return hits;
    }
    let mut asked = [(0, [0; 3]); QUERIES_MAX];
    for (asked, key) in asked.iter_mut().zip(keys) {
        let hash = mix(*key, filter.seed);
        *asked = (hash, places(filter, hash));
        asked.1.iter().filter_map(|place| cells.get(*place as usize)).for_each(prefetch);
    }
    for (i, (hash, places)) in asked[..keys.len()].iter().enumerate() {
        hits |= u64::from(affirms(*hash, *places)) << i;
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use xorf::{BinaryFuse8, BinaryFuse16, Filter as _};

    /// Batches answer as `xorf` does one by one, for keys in the filter and others, whatever the number; the filter of
    /// most is beyond the cache, with cells of either width.
    #[test]
    fn batches_answer_as_single_questions_do() {
        for n in [1, 2, 63, 64, 65, 1000, 20_000, CACHED_BYTES as u64] {
            let mut rng = Seed::new(50).nth(n).rng();
            let held: Vec<u64> = (0..n).map(|_| rng.next_u64()).collect();
            let narrow = BinaryFuse8::try_from(&held[..]).unwrap();
            let wide = BinaryFuse16::try_from(&held[..]).unwrap();
            let others: Vec<u64> = (0..n + 5000).map(|_| rng.next_u64()).collect();
            for some in held.chunks(64).chain(others.chunks(61)) {
                let bits = affirms_all(&narrow.descriptor, &narrow.fingerprints, some);
                let wide_bits = affirms_all(&wide.descriptor, &wide.fingerprints, some);
                assert_eq!(bits, affirms_portable(&narrow.descriptor, &narrow.fingerprints, some));
                assert_eq!(wide_bits, affirms_portable(&wide.descriptor, &wide.fingerprints, some));
                for (i, key) in some.iter().enumerate() {
                    assert_eq!(bits >> i & 1 == 1, narrow.contains(key));
                    assert_eq!(wide_bits >> i & 1 == 1, wide.contains(key));
                }
                assert_eq!((bits | wide_bits).checked_shr(some.len() as u32).unwrap_or(0), 0);
            }
        }
    }
}
