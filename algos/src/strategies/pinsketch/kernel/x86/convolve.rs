//! Part of a product of polynomials, with half of the multiplications.
//!
//! As in `encode` two terms at a time: a₁w₂ + a₂w₁ = (a₁ + w₁)(a₂ + w₂) + a₁a₂ + w₁w₂. The products of the window's own words
//! come with it (`Window`); those of `a` are one more sum beside the eight of a tile.

/// The kernel of this file for the registers that are in scope where it is used.
macro_rules! convolve {
    ($features:literal) => {
        #[target_feature(enable = $features)]
        pub fn convolve<const BITS: u32>(a: &[u64], window: &Window, out: &mut [u64]) {
            /// Registers of sums of even places, and as many of odd ones.
            const REGISTERS: usize = 4;
            let Window { words, own, filled } = window;
            let pairs = a.as_chunks::<2>().0;
            for (tile, out) in out.chunks_exact_mut(REGISTERS * LANES).enumerate() {
                let k = tile * REGISTERS * LANES;
                // Pair p meets the words from k + len - 2 - 2p on: those that are all 0 are left out.
                let last = k + a.len() - 2;
                let from = (last + 1).saturating_sub(filled.end).div_ceil(2).min(pairs.len());
                let to = (last + REGISTERS * LANES + 1).saturating_sub(filled.start) / 2 + 1;
                let to = to.clamp(from, pairs.len());
                let mut sums = [[zero(); 2]; REGISTERS];
                let mut own_a = zero();
                // Two pairs at a time, so that one instruction adds both products.
                let (twos, one) = pairs[from..to].as_chunks::<2>();
                for (n, [p, q]) in twos.iter().enumerate() {
                    let words = &words[last - 2 * (from + 2 * n + 1)..][..REGISTERS * LANES + 3];
                    let (p, q) = (load_pair(p), load_pair(q));
                    own_a = xor3(own_a, clmul::<0x01>(p, p), clmul::<0x01>(q, q));
                    for (i, sums) in sums.iter_mut().enumerate() {
                        for (odd, sum) in sums.iter_mut().enumerate() {
                            let at = i * LANES + odd;
                            let (x, y) = (xor(p, load(&words[at + 2..])), xor(q, load(&words[at..])));
                            *sum = xor3(*sum, clmul::<0x01>(x, x), clmul::<0x01>(y, y));
                        }
                    }
                }
                if let [p] = one {
                    let at = last - 2 * (to - 1);
                    let p = load_pair(p);
                    own_a = xor(own_a, clmul::<0x01>(p, p));
                    for (i, sums) in sums.iter_mut().enumerate() {
                        for (odd, sum) in sums.iter_mut().enumerate() {
                            let x = xor(p, load(&words[at + i * LANES + odd..]));
                            *sum = xor(*sum, clmul::<0x01>(x, x));
                        }
                    }
                }
                for (i, [even, odd]) in sums.into_iter().enumerate() {
                    let sum = reduce::<BITS>(xor(even, own_a), xor(odd, own_a));
                    let out = &mut out[i * LANES..];
                    let sum = xor3(sum, load(out), load(&own[k + i * LANES..]));
                    store(out, sum);
                }
            }
        }
    };
}
pub(super) use convolve;
