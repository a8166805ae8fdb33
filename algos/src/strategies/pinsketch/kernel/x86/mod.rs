//! The same in vectors, with carry-less multiplication.
//!
//! **Encoding.** The syndromes of one element are a chain of c dependent products; minisketch walks it. But
//! x^(2(jB+i)+1) = x^(2jB) · x^(2i+1): B "babies" and c/B "giants" are some 2√c reduced products, and all
//! else is a product of a giant and a baby, summed over the elements. The sum of 128-bit products is
//! reduced once, when all elements are in it. So a block of elements becomes two small matrices, and the
//! syndromes a product of matrices over the ring of polynomials, which `encode` takes with half a carry-less
//! product for each element and syndrome.
//!
//! **Columns.** [`combine`] and [`dots`] keep sixteen sums in registers while all rows pass by (`sums`).
//!
//! Macros write each kernel once for every register width; `registers` gives the widths' intrinsics common names.
//! All kernels are generic over the field's bits, so that shifts are by constants.

#![allow(unsafe_code)]

mod convolve;
mod encode;
mod registers;
mod sums;

use core::arch::x86_64::*;

use super::{BLOCK, Gf, Grid, Path, TILE, Window, block_rows, invert, shifts};
use convolve::convolve;
use encode::encode;
use registers::{v128, v256, v512};
use sums::sums;

/// For b = 64: what the four highest bits of a product's high word are worth beyond their shifts.
const fn overflow(shifts: [u32; 3]) -> [u8; 16] {
    let mut table = [0; 16];
    let mut top = 0;
    while top < 16 {
        let (mut over, mut i) = (0, 0);
        while i < 3 {
            over ^= top >> (4 - shifts[i]);
            i += 1;
        }
        let (mut worth, mut i) = (over, 0);
        while i < 3 {
            worth ^= over << shifts[i];
            i += 1;
        }
        table[top] = worth as u8;
        top += 1;
    }
    table
}

mod lanes128 {
    use super::v128::*;
    use super::*;

    sums!("pclmulqdq,ssse3");
    convolve!("pclmulqdq,ssse3");
    encode!("pclmulqdq,ssse3");

    /// The first word.
    #[inline]
    #[target_feature(enable = "sse2")]
    pub fn first(a: V) -> u64 {
        _mm_cvtsi128_si64(a) as u64
    }

    /// A product of the first words, in the first word. Chains of these wait for each other, and reduction by shifts
    /// is done sooner than by two more products with the modulus.
    #[inline]
    #[target_feature(enable = "pclmulqdq,ssse3")]
    fn mul_firsts<const BITS: u32>(a: V, b: V) -> V {
        let product = clmul::<0x00>(a, b);
        reduce::<BITS>(product, product)
    }

    /// A product.
    #[target_feature(enable = "pclmulqdq,ssse3")]
    pub fn product<const BITS: u32>(a: u64, b: u64) -> u64 {
        first(mul_firsts::<BITS>(set1(a), set1(b)))
    }

    /// See [`invert`].
    #[target_feature(enable = "pclmulqdq,ssse3")]
    pub fn inverse<const BITS: u32>(a: u64) -> u64 {
        first(invert(BITS, set1(a), |a, b| mul_firsts::<BITS>(a, b)))
    }

    /// The sum of the parts of each.
    #[inline]
    #[target_feature(enable = "pclmulqdq,ssse3")]
    fn gather(sums: [V; 4]) -> [V; 4] {
        sums
    }
}

mod lanes256 {
    use super::v256::*;
    use super::*;

    sums!("vpclmulqdq,pclmulqdq,avx2");
    convolve!("vpclmulqdq,pclmulqdq,avx2");
    encode!("vpclmulqdq,pclmulqdq,avx2");

    #[inline]
    #[target_feature(enable = "vpclmulqdq,pclmulqdq,avx2")]
    fn gather([a, b, c, d]: [V; 4]) -> [V; 2] {
        let two = |a: V, b: V| {
            xor(_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b))
        };
        [two(a, b), two(c, d)]
    }
}

mod lanes512 {
    use super::v512::*;
    use super::*;

    sums!("vpclmulqdq,pclmulqdq,avx512f,avx512bw,avx512dq");
    convolve!("vpclmulqdq,pclmulqdq,avx512f,avx512bw,avx512dq");
    encode!("vpclmulqdq,pclmulqdq,avx512f,avx512bw,avx512dq");

    #[inline]
    #[target_feature(enable = "vpclmulqdq,pclmulqdq,avx512f,avx512bw,avx512dq")]
    fn gather([a, b, c, d]: [V; 4]) -> [V; 1] {
        let halves = |a: V, b: V| xor(_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0xee>(a, b));
        let (a, b) = (halves(a, b), halves(c, d));
        [xor(_mm512_shuffle_i64x2::<0x88>(a, b), _mm512_shuffle_i64x2::<0xdd>(a, b))]
    }
}

/// Calls a kernel for a field.
macro_rules! on_field {
    ($gf:ident, $lanes:ident::$name:ident($($argument:expr),*)) => {
        // SAFETY: `Path::all` names a path only where its features are detected, and those of wider registers only
        // where those of narrower ones are.
        unsafe {
            match $gf.bits {
                32 => $lanes::$name::<32>($($argument),*),
                40 => $lanes::$name::<40>($($argument),*),
                48 => $lanes::$name::<48>($($argument),*),
                _ => $lanes::$name::<64>($($argument),*),
            }
        }
    };
}

/// Calls a kernel for a field and a path.
macro_rules! run {
    ($gf:ident, $name:ident($($argument:expr),*)) => {
        match $gf.path {
            Path::Clmul512 => on_field!($gf, lanes512::$name($($argument),*)),
            Path::Clmul256 => on_field!($gf, lanes256::$name($($argument),*)),
            _ => on_field!($gf, lanes128::$name($($argument),*)),
        }
    };
}

/// See [`Gf::mul`].
pub fn mul(gf: Gf, a: u64, b: u64) -> u64 {
    on_field!(gf, lanes128::product(a, b))
}

/// See [`Gf::inverse`].
pub fn inverse(gf: Gf, a: u64) -> u64 {
    on_field!(gf, lanes128::inverse(a))
}

/// See [`Gf::dot`].
pub fn dot(gf: Gf, a: &[u64], b: &[u64]) -> u64 {
    run!(gf, dot(a, b))
}

/// See [`Gf::combine`].
pub fn combine(gf: Gf, scales: &[u64], rows: &[u64], step: usize) -> [u64; TILE] {
    run!(gf, combine(scales, rows, step))
}

/// See [`Gf::dots`].
pub fn dots(gf: Gf, a: &[u64], b: &[u64]) -> [u64; TILE] {
    run!(gf, dots(a, b))
}

/// See [`Gf::cross`].
pub fn cross(gf: Gf, p: &mut [u64], q: &[u64], scales: [u64; 2]) {
    run!(gf, cross(p, q, scales));
}

/// See [`Gf::cross_linear`].
pub fn cross_linear(gf: Gf, p: &mut [u64], q: &[u64], scales: [u64; 3]) {
    run!(gf, cross_linear(p, q, scales));
}

/// See [`Gf::advance`].
pub fn advance(gf: Gf, p: &mut [u64], q: &mut [u64], scales: [&[u64; TILE]; 2], grown: &[u64; TILE]) {
    run!(gf, advance(p, q, scales, grown));
}

/// See [`Gf::convolve`].
pub fn convolve(gf: Gf, a: &[u64], window: &Window, out: &mut [u64]) {
    run!(gf, convolve(a, window, out));
}

/// See [`Gf::add_block`].
pub fn add_block(gf: Gf, capacity: usize, grid: &mut Grid, block: &[u64]) {
    run!(gf, add_block(capacity, grid, block));
}
