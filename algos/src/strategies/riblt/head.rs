//! The first symbols of a wave, as products of bit matrices.
//!
//! More than half of all additions go to the first 64 symbols, and those of a wave to the same few: one after the other
//! waits until the one before has left the processor's store buffer. But which of 64 symbols an item is part of is a
//! word, and a symbol's sum is the XOR of the items that have its bit: the product of a matrix of bits, symbols by
//! items, with the matrix that has the items' names and checksums as rows.
//!
//! **AVX-512 with GFNI.** One operation multiplies eight 8 × 8 matrices of bits. So eight items are taken at a time. A
//! permutation of bytes and a multiplication with the identity transpose their words, and their names into 64 bytes
//! that each hold one bit of eight names. Eight multiplications then take these to eight symbols each, for what would
//! be 64 masked XORs. How many items a symbol has is the population count of a byte of the transposed words. For each
//! word of name and checksum that is two operations an item, whatever number of the 64 symbols it is in.
//!
//! Small waves, and processors without these operations, add up one by one.

use std::arch::x86_64::*;

use super::symbol::{Name, Symbol};
use super::tally::Times;
use super::walkers::Addend;
use super::wave::{Crossed, Place, WAVE, Wave};

/// Symbols in a head.
const HEAD: usize = 64;
/// Walks in a wave that are worth it.
const WORTH: usize = 24;

/// Takes a wave through the first of `symbols`, which begin with index `start`, where that is faster than one by one.
pub fn add_head<N: Name>(
    addends: &[Addend<N>; WAVE],
    wave: &mut Wave,
    symbols: &mut [Symbol<N>],
    start: u32,
) {
    change_head(addends, wave, symbols, start, |crossed, met, _| counts_of(crossed, met).map(i64::from));
}

/// The same for a wave of finds, which are taken out of symbols from index 0 on. The symbols that any was taken out of,
/// as bits.
pub fn take_out_head<N: Name>(
    addends: &[Addend<N>; WAVE],
    less: &[Times; WAVE],
    wave: &mut Wave,
    symbols: &mut [Symbol<N>],
) -> u64 {
    let mut touched = 0;
    change_head(addends, wave, symbols, 0, |crossed, met, places| {
        touched = met.iter().fold(0, |all, met| all | met);
        let all = counts_of(crossed, met);
        for (met, place) in met.iter_mut().zip(places) {
            *met &= !(less[usize::from(place.number())].get() >> 1) as u64;
        }
        let put_back = counts_of(crossed, met);
        std::array::from_fn(|symbol| 2 * i64::from(put_back[symbol]) - i64::from(all[symbol]))
    });
    touched
}

/// Changes the sums of the first symbols, and their counts by what `counts` makes of which lanes met which, and of the
/// places in the lanes.
#[inline]
fn change_head<N: Name>(
    addends: &[Addend<N>; WAVE],
    wave: &mut Wave,
    symbols: &mut [Symbol<N>],
    start: u32,
    counts: impl FnOnce(Crossed, &mut [u64; WAVE], &[Place]) -> [i64; HEAD],
) {
    let len = symbols.len().min(HEAD.saturating_sub(start as usize));
    let mut met = [0; WAVE];
    if len == 0 || wave.places().len() < WORTH {
        return;
    }
    let Some(crossed) = wave.cross(start, start + len as u32, &mut met) else { return };
    let symbols = &mut symbols[..len];
    for word in 0..N::WORDS {
        let sums = sums(crossed, wave.lanes(crossed), len, &met, |number| addends[number].name.words()[word]);
        for (symbol, sum) in symbols.iter_mut().zip(sums) {
            symbol.sum.words_mut()[word] ^= sum;
        }
    }
    let sums = sums(crossed, wave.lanes(crossed), len, &met, |number| addends[number].check);
    let counts = counts(crossed, &mut met, wave.lanes(crossed));
    for ((symbol, sum), count) in symbols.iter_mut().zip(sums).zip(counts) {
        symbol.tally = symbol.tally.with(sum, count);
    }
    wave.settle(crossed);
}

/// For each of the first `len` bits, the XOR of the words of those lanes whose word of `met` has it.
#[inline]
fn sums(
    _: Crossed,
    places: &[Place],
    len: usize,
    met: &[u64; WAVE],
    word: impl Fn(usize) -> u64,
) -> [u64; HEAD] {
    let mut column = [0; WAVE];
    for (to, place) in column.iter_mut().zip(places) {
        *to = word(usize::from(place.number()));
    }
    let lanes = places.len();
    #[allow(unsafe_code)]
    // SAFETY: a wave has crossed, so the processor has what this takes.
    unsafe {
        if len <= 8 { sums_of::<1>(&column, met, lanes) } else { sums_of::<8>(&column, met, lanes) }
    }
}

/// Byte 8·a + b comes from byte 8·b + a.
const ACROSS: [u8; 64] = {
    let mut order = [0; 64];
    let mut to = 0;
    while to < 64 {
        order[to] = (8 * (to % 8) + to / 8) as u8;
        to += 1;
    }
    order
};

/// The rows of the identity, so that what is multiplied with it is transposed: byte k of the product is column k.
const COLUMNS: i64 = 0x8040_2010_0804_0201_u64 as i64;
/// The same with the columns in the reverse order, as a factor on the left holds its rows.
const ROWS: i64 = 0x0102_0408_1020_4080;

/// Bit j of eight words, for each j in a byte of its own, in groups of eight in the order of `identity`.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
#[allow(unsafe_code)]
#[inline]
fn transposed(words: &[u64; 8], identity: i64) -> __m512i {
    // SAFETY: both arrays are as long as a vector.
    let (words, order) =
        unsafe { (_mm512_loadu_si512(words.as_ptr().cast()), _mm512_loadu_si512(ACROSS.as_ptr().cast())) };
    _mm512_gf2p8affine_epi64_epi8::<0>(_mm512_set1_epi64(identity), _mm512_permutexvar_epi8(order, words))
}

/// For each bit of `met`, of the first 8·`GROUPS`, the XOR of the words whose bit is set.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
#[allow(unsafe_code)]
fn sums_of<const GROUPS: usize>(words: &[u64; WAVE], met: &[u64; WAVE], lanes: usize) -> [u64; HEAD] {
    let (words, met) =
        (words.as_chunks::<8>().0.as_chunks::<2>().0, met.as_chunks::<8>().0.as_chunks::<2>().0);
    let mut sums = [_mm512_setzero_si512(); GROUPS];
    for (words, met) in words.iter().zip(met).take(lanes.div_ceil(16)) {
        let [one, two] = [transposed(&words[0], COLUMNS), transposed(&words[1], COLUMNS)];
        let mut factors = [[0_i64; 8]; 2];
        for (factors, met) in factors.iter_mut().zip(met) {
            // SAFETY: the array is as long as the vector.
            unsafe { _mm512_storeu_si512(factors.as_mut_ptr().cast(), transposed(met, ROWS)) };
        }
        for (group, sum) in sums.iter_mut().enumerate() {
            let one = _mm512_gf2p8affine_epi64_epi8::<0>(one, _mm512_set1_epi64(factors[0][group]));
            let two = _mm512_gf2p8affine_epi64_epi8::<0>(two, _mm512_set1_epi64(factors[1][group]));
            *sum = _mm512_ternarylogic_epi64::<0x96>(*sum, one, two);
        }
    }
    std::array::from_fn(|symbol| {
        let group = sums.get(symbol / 8).copied().unwrap_or(_mm512_setzero_si512());
        _mm512_test_epi8_mask(group, _mm512_set1_epi8(1 << (symbol % 8)))
    })
}

/// For each bit, how many words of `met` have it.
fn counts_of(_: Crossed, met: &[u64; WAVE]) -> [u16; HEAD] {
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe {
        counts_in_lanes(met)
    }
}

/// [`counts_of`] by population counts of bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512bitalg,gfni")]
#[allow(unsafe_code)]
fn counts_in_lanes(met: &[u64; WAVE]) -> [u16; HEAD] {
    // Two sums, since 256 would not fit into a byte.
    let mut counts = [_mm512_setzero_si512(); 2];
    for met in met.as_chunks::<8>().0.as_chunks::<2>().0 {
        for (counts, met) in counts.iter_mut().zip(met) {
            *counts = _mm512_add_epi8(*counts, _mm512_popcnt_epi8(transposed(met, COLUMNS)));
        }
    }
    let mut bytes = [[0_u8; HEAD]; 2];
    for (bytes, counts) in bytes.iter_mut().zip(counts) {
        // SAFETY: the array is as long as the vector.
        unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), counts) };
    }
    std::array::from_fn(|symbol| u16::from(bytes[0][symbol]) + u16::from(bytes[1][symbol]))
}
