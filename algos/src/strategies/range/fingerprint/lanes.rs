//! Sixteen blocks of SHA-256 in the lanes of AVX-512 registers.
//!
//! An instruction does a step of a round for all of them: rotations and functions of three words are one each, and 32
//! registers hold the state and the sixteen words that are in use.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::x86::ROUNDS;
use super::{Fingerprint, IdSum, SHA256_START, block};

/// Blocks at a time.
pub const LANES: usize = 16;

/// Whether the processor has the instructions.
pub fn is_detected() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
}

/// Fingerprints of as many sums and counts.
///
/// # Panics
///
/// Unless [`is_detected`].
pub fn sixteen(of: &[(IdSum, u64); LANES]) -> [Fingerprint; LANES] {
    assert!(is_detected());
    // Words of all blocks side by side.
    let mut words = [[0_u32; LANES]; 16];
    for (lane, (sum, count)) in of.iter().enumerate() {
        for (i, pair) in block(sum, *count).iter().enumerate() {
            words[2 * i][lane] = *pair as u32;
            words[2 * i + 1][lane] = (*pair >> 32) as u32;
        }
    }
    // SAFETY: the processor has been asked.
    let state = unsafe { compress_detected(&words) };
    std::array::from_fn(|lane| {
        let mut short = [0; _];
        for (bytes, words) in short.as_chunks_mut().0.iter_mut().zip(&state) {
            *bytes = words[lane].to_be_bytes();
        }
        short
    })
}

/// The first half of the state after one block each.
#[target_feature(enable = "avx512f,avx512bw")]
fn compress_detected(words: &[[u32; LANES]; 16]) -> [[u32; LANES]; 4] {
    let big_endian = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    let mut words = words.each_ref().map(|words| {
        // SAFETY: sixteen words.
        _mm512_shuffle_epi8(unsafe { _mm512_loadu_epi32(words.as_ptr().cast()) }, big_endian)
    });
    let start = SHA256_START.map(|word| _mm512_set1_epi32(word as i32));
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = start;
    // FIPS 180-4, 6.2.2. What moves along the state are the names.
    macro_rules! round {
        ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $word:expr, $constant:expr) => {
            let choice = _mm512_ternarylogic_epi32::<0xca>($e, $f, $g);
            let majority = _mm512_ternarylogic_epi32::<0xe8>($a, $b, $c);
            let said = add($h, add($word, _mm512_set1_epi32($constant as i32)));
            let first = add(add(said, choice), rotations::<6, 11, 25>($e));
            $d = add($d, first);
            $h = add(first, add(majority, rotations::<2, 13, 22>($a)));
        };
    }
    macro_rules! rounds {
        ($constants:expr, $($i:literal)*) => {$(
            round!(a b c d e f g h, words[$i], $constants[$i]);
            round!(h a b c d e f g, words[$i + 1], $constants[$i + 1]);
            round!(g h a b c d e f, words[$i + 2], $constants[$i + 2]);
            round!(f g h a b c d e, words[$i + 3], $constants[$i + 3]);
            round!(e f g h a b c d, words[$i + 4], $constants[$i + 4]);
            round!(d e f g h a b c, words[$i + 5], $constants[$i + 5]);
            round!(c d e f g h a b, words[$i + 6], $constants[$i + 6]);
            round!(b c d e f g h a, words[$i + 7], $constants[$i + 7]);
        )*};
    }
    let (constants, _) = ROUNDS.as_chunks::<16>();
    rounds!(constants[0], 0 8);
    for constants in &constants[1..] {
        for i in 0..16 {
            words[i] = add(
                add(words[i], rotations_and_shift::<7, 18, 3>(words[(i + 1) % 16])),
                add(words[(i + 9) % 16], rotations_and_shift::<17, 19, 10>(words[(i + 14) % 16])),
            );
        }
        rounds!(constants, 0 8);
    }
    let mut state = [[0; LANES]; 4];
    for ((state, start), end) in state.iter_mut().zip(start).zip([a, b, c, d]) {
        // SAFETY: sixteen words.
        unsafe { _mm512_storeu_epi32(state.as_mut_ptr().cast(), add(start, end)) };
    }
    state
}

#[target_feature(enable = "avx512f")]
fn add(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(a, b)
}

/// Exclusive or of three.
#[target_feature(enable = "avx512f")]
fn xor(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

/// Three rotations (the functions that FIPS 180-4 writes with capitals).
#[target_feature(enable = "avx512f")]
fn rotations<const I: i32, const J: i32, const K: i32>(word: __m512i) -> __m512i {
    xor(_mm512_ror_epi32::<I>(word), _mm512_ror_epi32::<J>(word), _mm512_ror_epi32::<K>(word))
}

/// Two rotations and a shift.
#[target_feature(enable = "avx512f")]
fn rotations_and_shift<const I: i32, const J: i32, const K: u32>(word: __m512i) -> __m512i {
    xor(_mm512_ror_epi32::<I>(word), _mm512_ror_epi32::<J>(word), _mm512_srli_epi32::<K>(word))
}
