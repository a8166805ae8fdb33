//! The same in vectors, with carry-less multiplication.
//!
//! **Encoding.** The syndromes of one element are a chain of c dependent products; minisketch walks it. But
//! x^(2(jB+i)+1) = x^(2jB) · x^(2i+1): B "babies" and c/B "giants" are some 2√c reduced products, and all
//! else is a product of a giant and a baby, summed over the elements. The sum of 128-bit products is
//! reduced once, when all elements are in it. So a block of elements becomes two small matrices, and the
//! syndromes a product of matrices over the ring of polynomials: per element and syndrome one carry-less
//! product and one XOR, all independent. The inner tile holds 4 babies by 2 giants in registers.
//!
//! **Columns.** [`combine128`] and [`combine256`] keep sixteen sums in registers while all rows pass by.
//!
//! The macro writes each kernel once for every register width; a 512-bit one is one more use of it.

#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::{BLOCK, Gf, Grid, TILE};

/// A carry-less product.
pub fn product(a: u64, b: u64) -> u128 {
    #[target_feature(enable = "pclmulqdq,sse2")]
    fn inner(a: u64, b: u64) -> u128 {
        let p = _mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(a as i64), _mm_cvtsi64_si128(b as i64));
        let [low, high] = [p, _mm_unpackhi_epi64(p, p)].map(|half| _mm_cvtsi128_si64(half) as u64);
        u128::from(high) << 64 | u128::from(low)
    }
    // SAFETY: `Path::all` names the paths that lead here only where both features are detected.
    unsafe { inner(a, b) }
}

macro_rules! kernels {
    (
        $features:literal, $lanes:literal, $V:ty,
        $dot:ident, $dots:ident, $combine:ident, $syndromes:ident, $add:ident, $total_all:ident, $inner:ident,
        $loadu:ident, $storeu:ident, $zero:ident, $set1:ident, $xor:ident, $and:ident, $clmul:ident,
        $unpacklo:ident, $unpackhi:ident, $srl:ident, $sll:ident
    ) => {
        mod $inner {
            use super::*;

            const LANES: usize = $lanes;

            #[inline]
            #[target_feature(enable = $features)]
            fn load(from: &[u64]) -> $V {
                let from: &[u64; LANES] = from[..LANES].try_into().expect("that many");
                // SAFETY: an array of that many words is readable; the load needs no alignment.
                unsafe { $loadu(from.as_ptr().cast()) }
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn store(to: &mut [u64], value: $V) {
                let to: &mut [u64; LANES] = (&mut to[..LANES]).try_into().expect("that many");
                // SAFETY: an array of that many words is writable; the store needs no alignment.
                unsafe { $storeu(to.as_mut_ptr().cast(), value) }
            }

            /// What [`Gf::reduce`] does, for the products of the even lanes and those of the odd lanes.
            #[inline]
            #[target_feature(enable = $features)]
            fn reduce(gf: Gf, even: $V, odd: $V) -> $V {
                let [s1, s2, s3] = gf.shifts.map(|s| _mm_cvtsi32_si128(s as i32));
                // Times the modulus without its first term.
                let spread =
                    |over: $V| $xor($xor(over, $sll(over, s1)), $xor($sll(over, s2), $sll(over, s3)));
                let (mut low, mut high) = ($unpacklo(even, odd), $unpackhi(even, odd));
                if gf.bits != 32 {
                    // x^64, modulo the modulus: what is above is at most 63 bits, and afterwards at most 4.
                    let [a, b, c] = gf.shifts;
                    let fold = (1 | 1_u64 << a | 1 << b | 1 << c) << (64 - gf.bits);
                    let fold = $set1(fold as i64);
                    let (even, odd) = ($clmul::<0x00>(high, fold), $clmul::<0x01>(high, fold));
                    low = $xor(low, $unpacklo(even, odd));
                    high = $unpackhi(even, odd);
                }
                if gf.bits == 64 {
                    return $xor(low, spread(high));
                }
                let (bits, mask) = (_mm_cvtsi32_si128(gf.bits as i32), $set1(gf.mask() as i64));
                let once = $xor($and(low, mask), spread($srl(low, bits)));
                $xor($and(once, mask), spread($srl(once, bits)))
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn mul(gf: Gf, a: $V, b: $V) -> $V {
                reduce(gf, $clmul::<0x00>(a, b), $clmul::<0x11>(a, b))
            }

            /// The sum of the 128-bit parts, reduced.
            #[inline]
            #[target_feature(enable = $features)]
            fn total(gf: Gf, sum: $V) -> u64 {
                let mut words = [0; LANES];
                store(&mut words, sum);
                let wide = |pair: &[u64]| u128::from(pair[1]) << 64 | u128::from(pair[0]);
                gf.reduce(words.chunks_exact(2).map(wide).fold(0, |sum, part| sum ^ part))
            }

            #[target_feature(enable = $features)]
            pub(super) fn dot(gf: Gf, a: &[u64], b: &[u64]) -> u64 {
                let mut sums = [$zero(); 4];
                let (chunks_a, chunks_b) = (a.chunks_exact(4 * LANES), b.chunks_exact(4 * LANES));
                let (rest_a, rest_b) = (chunks_a.remainder(), chunks_b.remainder());
                for (a, b) in chunks_a.zip(chunks_b) {
                    for (i, sum) in sums.iter_mut().enumerate() {
                        let (a, b) = (load(&a[i * LANES..]), load(&b[i * LANES..]));
                        *sum = $xor(*sum, $xor($clmul::<0x00>(a, b), $clmul::<0x11>(a, b)));
                    }
                }
                let (mut last_a, mut last_b) = ([0; 4 * LANES], [0; 4 * LANES]);
                last_a[..rest_a.len()].copy_from_slice(rest_a);
                last_b[..rest_b.len()].copy_from_slice(rest_b);
                for (i, sum) in sums.iter_mut().enumerate().take(rest_a.len().div_ceil(LANES)) {
                    let (a, b) = (load(&last_a[i * LANES..]), load(&last_b[i * LANES..]));
                    *sum = $xor(*sum, $xor($clmul::<0x00>(a, b), $clmul::<0x11>(a, b)));
                }
                total(gf, $xor($xor(sums[0], sums[1]), $xor(sums[2], sums[3])))
            }

            #[target_feature(enable = $features)]
            pub(super) fn combine(gf: Gf, scales: &[u64], rows: &[u64], step: usize) -> [u64; TILE] {
                // Eight registers at a time, so that sums, a row and its scale fit sixteen.
                const COLUMNS: usize = 4 * LANES;
                let mut out = [0; TILE];
                for column in (0..TILE).step_by(COLUMNS) {
                    let mut sums = [[$zero(); 2]; 4];
                    for (r, scale) in scales.iter().enumerate() {
                        let row = &rows[r * step + column..][..COLUMNS];
                        let scale = $set1(*scale as i64);
                        for (i, [even, odd]) in sums.iter_mut().enumerate() {
                            let x = load(&row[i * LANES..]);
                            *even = $xor(*even, $clmul::<0x00>(x, scale));
                            *odd = $xor(*odd, $clmul::<0x01>(x, scale));
                        }
                    }
                    for (i, [even, odd]) in sums.into_iter().enumerate() {
                        store(&mut out[column + i * LANES..], reduce(gf, even, odd));
                    }
                }
                out
            }

            #[target_feature(enable = $features)]
            pub(super) fn dots(gf: Gf, a: &[u64], b: &[u64]) -> [u64; TILE] {
                const COLUMNS: usize = 4 * LANES;
                let (a, b) = (a.as_chunks::<TILE>().0, b.as_chunks::<TILE>().0);
                let mut out = [0; TILE];
                for column in (0..TILE).step_by(COLUMNS) {
                    let mut sums = [[$zero(); 2]; 4];
                    for (a, b) in a.iter().zip(b) {
                        for (i, [even, odd]) in sums.iter_mut().enumerate() {
                            let at = column + i * LANES;
                            let (a, b) = (load(&a[at..]), load(&b[at..]));
                            *even = $xor(*even, $clmul::<0x00>(a, b));
                            *odd = $xor(*odd, $clmul::<0x11>(a, b));
                        }
                    }
                    for (i, [even, odd]) in sums.into_iter().enumerate() {
                        store(&mut out[column + i * LANES..], reduce(gf, even, odd));
                    }
                }
                out
            }

            #[target_feature(enable = $features)]
            pub(super) fn add(gf: Gf, babies: &mut [u64], sums: &mut [u64], x: u64) {
                let len = babies.len();
                let x = $set1(x as i64);
                let square = mul(gf, x, x);
                let pair = $unpacklo(x, mul(gf, x, square));
                let fourth = mul(gf, square, square);
                let eighth = mul(gf, fourth, fourth);
                // x, x³, x⁵, x⁷; what a wide register writes beyond is overwritten, or the spare end.
                let mut first = [0; 2 + 4];
                store(&mut first, pair);
                store(&mut first[2..], mul(gf, pair, fourth));
                babies[..4].copy_from_slice(&first[..4]);
                for i in (4..len).step_by(LANES) {
                    let next = mul(gf, load(&babies[i - 4..]), eighth);
                    store(&mut babies[i..], next);
                }
                let step = mul(gf, $set1(babies[len - 1] as i64), x);
                let mut giant = $set1(1);
                for (j, sums) in sums.chunks_exact_mut(2 * len).enumerate() {
                    if j > 0 {
                        giant = mul(gf, giant, step);
                    }
                    for (i, sums) in sums.chunks_exact_mut(2 * LANES).enumerate() {
                        let baby = load(&babies[i * LANES..]);
                        let (even, odd) = ($clmul::<0x00>(baby, giant), $clmul::<0x01>(baby, giant));
                        let (even, odd) = ($xor(even, load(sums)), $xor(odd, load(&sums[LANES..])));
                        store(sums, even);
                        store(&mut sums[LANES..], odd);
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub(super) fn total_all(gf: Gf, sums: &[u64], out: &mut [u64]) {
                for (sums, out) in sums.chunks_exact(2 * LANES).zip(out.chunks_exact_mut(LANES)) {
                    store(out, reduce(gf, load(sums), load(&sums[LANES..])));
                }
            }

            /// Adds Σ giant·baby over a block: `sums[j·babies + i]` for two giants and four babies.
            #[inline]
            #[target_feature(enable = $features)]
            fn tile(giants: &[u64], babies: &[u64], sums: &mut [[u64; 2]], stride: usize) {
                let (giants, babies) = (&giants[..2 * BLOCK], &babies[..4 * BLOCK]);
                let mut tile = [[$zero(); 4]; 2];
                for k in (0..BLOCK).step_by(LANES) {
                    let pair = [load(&giants[k..]), load(&giants[BLOCK + k..])];
                    for i in 0..4 {
                        let baby = load(&babies[i * BLOCK + k..]);
                        for j in 0..2 {
                            let products = $xor($clmul::<0x00>(pair[j], baby), $clmul::<0x11>(pair[j], baby));
                            tile[j][i] = $xor(tile[j][i], products);
                        }
                    }
                }
                for j in 0..2 {
                    for i in 0..4 {
                        let mut words = [0; LANES];
                        store(&mut words, tile[j][i]);
                        let [low, high] = &mut sums[j * stride + i];
                        for pair in words.chunks_exact(2) {
                            *low ^= pair[0];
                            *high ^= pair[1];
                        }
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub(super) fn syndromes(gf: Gf, grid: &mut Grid, elements: &[u64]) {
                let Grid { babies, giants, sums } = grid;
                let (babies_len, giants_len) = (babies.len() / BLOCK, giants.len() / BLOCK);
                for block in elements.chunks(BLOCK) {
                    // A missing element is 0, whose babies are 0.
                    babies[..BLOCK].fill(0);
                    babies[..block.len()].copy_from_slice(block);
                    for k in (0..BLOCK).step_by(LANES) {
                        let x = load(&babies[k..]);
                        let square = mul(gf, x, x);
                        store(&mut giants[BLOCK + k..], square);
                    }
                    for i in 1..babies_len {
                        for k in (0..BLOCK).step_by(LANES) {
                            let last = load(&babies[(i - 1) * BLOCK + k..]);
                            let next = mul(gf, last, load(&giants[BLOCK + k..]));
                            store(&mut babies[i * BLOCK + k..], next);
                        }
                    }
                    giants[..BLOCK].fill(1);
                    for k in (0..BLOCK).step_by(LANES) {
                        let last = load(&babies[(babies_len - 1) * BLOCK + k..]);
                        store(&mut giants[BLOCK + k..], mul(gf, last, load(&babies[k..])));
                    }
                    for j in 2..giants_len {
                        for k in (0..BLOCK).step_by(LANES) {
                            let last = load(&giants[(j - 1) * BLOCK + k..]);
                            let next = mul(gf, last, load(&giants[BLOCK + k..]));
                            store(&mut giants[j * BLOCK + k..], next);
                        }
                    }
                    for j in (0..giants_len).step_by(2) {
                        for i in (0..babies_len).step_by(4) {
                            let sums = &mut sums[j * babies_len + i..];
                            tile(&giants[j * BLOCK..], &babies[i * BLOCK..], sums, babies_len);
                        }
                    }
                }
            }
        }

        /// See [`Gf::dot`].
        pub fn $dot(gf: Gf, a: &[u64], b: &[u64]) -> u64 {
            // SAFETY: `Path::all` names this path only where its features are detected.
            unsafe { $inner::dot(gf, a, b) }
        }

        /// See [`Gf::combine`].
        pub fn $combine(gf: Gf, scales: &[u64], rows: &[u64], step: usize) -> [u64; TILE] {
            // SAFETY: as above.
            unsafe { $inner::combine(gf, scales, rows, step) }
        }

        /// See [`Gf::dots`].
        pub fn $dots(gf: Gf, a: &[u64], b: &[u64]) -> [u64; TILE] {
            // SAFETY: as above.
            unsafe { $inner::dots(gf, a, b) }
        }

        /// Adds the unreduced products of the babies and giants of one element; see `single`.
        pub fn $add(gf: Gf, babies: &mut [u64], sums: &mut [u64], x: u64) {
            // SAFETY: as above.
            unsafe { $inner::add(gf, babies, sums, x) }
        }

        /// Reduces the sums of the function before.
        pub fn $total_all(gf: Gf, sums: &[u64], out: &mut [u64]) {
            // SAFETY: as above.
            unsafe { $inner::total_all(gf, sums, out) }
        }

        /// Adds the products of all elements to the sums, see [`Grid`].
        pub fn $syndromes(gf: Gf, grid: &mut Grid, elements: &[u64]) {
            // SAFETY: as above.
            unsafe { $inner::syndromes(gf, grid, elements) }
        }
    };
}

kernels!(
    "pclmulqdq,sse2",
    2,
    __m128i,
    dot128,
    dots128,
    combine128,
    syndromes128,
    add128,
    total_all128,
    lanes128,
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
    _mm_sll_epi64
);

kernels!(
    "vpclmulqdq,pclmulqdq,avx2",
    4,
    __m256i,
    dot256,
    dots256,
    combine256,
    syndromes256,
    add256,
    total_all256,
    lanes256,
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
    _mm256_sll_epi64
);
