//! Registers of three widths under the same names, so that a kernel is written once and used with each.

use core::arch::x86_64::*;

macro_rules! registers {
    (
        $name:ident, $features:literal, $V:ty, $lanes:literal,
        $loadu:ident, $storeu:ident, $zero:ident, $set1:ident, $xor:ident, $and:ident, $clmul:ident,
        $unpacklo:ident, $unpackhi:ident, $srl:ident, $sll:ident, $shuffle32:ident, $shuffle8:ident,
        | $pair:ident | $from_pair:expr, | $a:ident, $b:ident, $c:ident | $xor3:expr
    ) => {
        pub mod $name {
            use super::*;

            pub type V = $V;
            /// Words in a register.
            pub const LANES: usize = $lanes;

            #[inline]
            #[target_feature(enable = $features)]
            pub fn load(from: &[u64]) -> V {
                let from: &[u64; LANES] = from[..LANES].try_into().expect("that many");
                // SAFETY: an array of that many words is readable; the load needs no alignment.
                unsafe { $loadu(from.as_ptr().cast()) }
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub fn store(to: &mut [u64], value: V) {
                let to: &mut [u64; LANES] = (&mut to[..LANES]).try_into().expect("that many");
                // SAFETY: an array of that many words is writable; the store needs no alignment.
                unsafe { $storeu(to.as_mut_ptr().cast(), value) }
            }

            /// Two words, again and again.
            #[inline]
            #[target_feature(enable = $features)]
            pub fn load_pair(from: &[u64]) -> V {
                let from: &[u64; 2] = from[..2].try_into().expect("two");
                // SAFETY: an array of two words is readable; the load needs no alignment.
                let $pair = unsafe { _mm_loadu_si128(from.as_ptr().cast()) };
                $from_pair
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub fn zero() -> V {
                $zero()
            }

            /// One word, again and again.
            #[inline]
            #[target_feature(enable = $features)]
            pub fn set1(word: u64) -> V {
                $set1(word as i64)
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub fn xor(a: V, b: V) -> V {
                $xor(a, b)
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub fn xor3($a: V, $b: V, $c: V) -> V {
                $xor3
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub fn and(a: V, b: V) -> V {
                $and(a, b)
            }

            /// Carry-less products of one word each of every two: of `a` the second if `CHOICE & 1`, of `b` if
            /// `CHOICE & 16`.
            #[inline]
            #[target_feature(enable = $features)]
            pub fn clmul<const CHOICE: i32>(a: V, b: V) -> V {
                $clmul::<CHOICE>(a, b)
            }

            /// The first words of every two, of `a` and `b` in turn.
            #[inline]
            #[target_feature(enable = $features)]
            pub fn firsts(a: V, b: V) -> V {
                $unpacklo(a, b)
            }

            /// The second ones.
            #[inline]
            #[target_feature(enable = $features)]
            pub fn seconds(a: V, b: V) -> V {
                $unpackhi(a, b)
            }

            /// Words shifted to the right; by a count that is known when this is compiled, or it takes longer.
            #[inline]
            #[target_feature(enable = $features)]
            pub fn shr(a: V, count: u32) -> V {
                $srl(a, _mm_cvtsi32_si128(count as i32))
            }

            /// To the left.
            #[inline]
            #[target_feature(enable = $features)]
            pub fn shl(a: V, count: u32) -> V {
                $sll(a, _mm_cvtsi32_si128(count as i32))
            }

            /// Every two words change places.
            #[inline]
            #[target_feature(enable = $features)]
            pub fn swap(a: V) -> V {
                $shuffle32::<0b01_00_11_10>(a)
            }

            /// Bytes below 16 replaced by what a table says.
            #[inline]
            #[target_feature(enable = $features)]
            pub fn look_up(table: [u8; 16], bytes: V) -> V {
                let table = u128::from_le_bytes(table);
                let table = load_pair(&[table as u64, (table >> 64) as u64]);
                $shuffle8(table, bytes)
            }
        }
    };
}

registers!(
    v128,
    "pclmulqdq,ssse3",
    __m128i,
    2,
    _mm_loadu_si128,
    _mm_storeu_si128,
    _mm_setzero_si128,
    _mm_set1_epi64x,
    _mm_xor_si128,
    _mm_and_si128,
    _mm_clmulepi64_si128,
    _mm_unpacklo_epi64,
    _mm_unpackhi_epi64,
    _mm_srl_epi64,
    _mm_sll_epi64,
    _mm_shuffle_epi32,
    _mm_shuffle_epi8,
    |pair| pair,
    |a, b, c| _mm_xor_si128(a, _mm_xor_si128(b, c))
);

registers!(
    v256,
    "vpclmulqdq,pclmulqdq,avx2",
    __m256i,
    4,
    _mm256_loadu_si256,
    _mm256_storeu_si256,
    _mm256_setzero_si256,
    _mm256_set1_epi64x,
    _mm256_xor_si256,
    _mm256_and_si256,
    _mm256_clmulepi64_epi128,
    _mm256_unpacklo_epi64,
    _mm256_unpackhi_epi64,
    _mm256_srl_epi64,
    _mm256_sll_epi64,
    _mm256_shuffle_epi32,
    _mm256_shuffle_epi8,
    |pair| _mm256_broadcastsi128_si256(pair),
    |a, b, c| _mm256_xor_si256(a, _mm256_xor_si256(b, c))
);

registers!(
    v512,
    "vpclmulqdq,pclmulqdq,avx512f,avx512bw,avx512dq",
    __m512i,
    8,
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_setzero_si512,
    _mm512_set1_epi64,
    _mm512_xor_si512,
    _mm512_and_si512,
    _mm512_clmulepi64_epi128,
    _mm512_unpacklo_epi64,
    _mm512_unpackhi_epi64,
    _mm512_srl_epi64,
    _mm512_sll_epi64,
    _mm512_shuffle_epi32,
    _mm512_shuffle_epi8,
    |pair| _mm512_broadcast_i64x2(pair),
    |a, b, c| _mm512_ternarylogic_epi64::<0x96>(a, b, c)
);
