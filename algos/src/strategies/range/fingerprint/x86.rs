//! Two blocks of SHA-256 in turns, with the processor's instructions for it (Intel, "SHA Extensions", 2013).
//!
//! An instruction does two rounds and takes four cycles, of which the next two rounds of the same block wait for all, and
//! those of another block for none.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::SHA256_START;

/// Constants of the rounds (FIPS 180-4, 4.2.2).
#[rustfmt::skip]
pub static ROUNDS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// Whether the processor has the instructions.
pub fn is_detected() -> bool {
    is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("ssse3")
}

/// The states after one block each.
///
/// # Panics
///
/// Unless [`is_detected`].
pub fn compress_two(blocks: &[[u64; 8]; 2]) -> [[u32; 8]; 2] {
    assert!(is_detected());
    // SAFETY: the processor has been asked.
    unsafe { compress_detected(blocks) }
}

/// [`compress_two`], one step of four rounds of either block after the other.
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn compress_detected(blocks: &[[u64; 8]; 2]) -> [[u32; 8]; 2] {
    let [a, b, c, d, e, f, g, h] = SHA256_START.map(|word| word as i32);
    // The instructions want words in this order.
    let start = (_mm_set_epi32(a, b, e, f), _mm_set_epi32(c, d, g, h));
    let mut states = [start; 2];
    let big_endian = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let mut words = blocks.each_ref().map(|block| {
        let pairs = block.as_chunks::<2>().0;
        std::array::from_fn::<_, 4, _>(|i| {
            _mm_shuffle_epi8(_mm_set_epi64x(pairs[i][1] as i64, pairs[i][0] as i64), big_endian)
        })
    });
    for step in 0..16 {
        // SAFETY: four constants from 4·step on.
        let constants = unsafe { _mm_loadu_si128(ROUNDS.as_ptr().add(4 * step).cast()) };
        for ((low, high), words) in states.iter_mut().zip(&mut words) {
            let sum = _mm_add_epi32(words[0], constants);
            *high = _mm_sha256rnds2_epu32(*high, *low, sum);
            *low = _mm_sha256rnds2_epu32(*low, *high, _mm_shuffle_epi32::<0x0e>(sum));
            // Words for the rounds after the next three steps; the last four are never read.
            let next = _mm_add_epi32(
                _mm_sha256msg1_epu32(words[0], words[1]),
                _mm_alignr_epi8::<4>(words[3], words[2]),
            );
            *words = [words[1], words[2], words[3], _mm_sha256msg2_epu32(next, words[3])];
        }
    }
    states.map(|(low, high)| {
        let (low, high) = (_mm_add_epi32(low, start.0), _mm_add_epi32(high, start.1));
        let [mut abef, mut cdgh] = [[0_u32; 4]; 2];
        // SAFETY: four words each.
        unsafe {
            _mm_storeu_si128(abef.as_mut_ptr().cast(), low);
            _mm_storeu_si128(cdgh.as_mut_ptr().cast(), high);
        }
        let ([f, e, b, a], [h, g, d, c]) = (abef, cdgh);
        [a, b, c, d, e, f, g, h]
    })
}
