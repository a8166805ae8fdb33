//! Reduction, and sums of products that are reduced once.

/// The kernels of this file for the registers that are in scope where it is used.
macro_rules! sums {
    ($features:literal) => {
        /// What [`Gf::reduce`] does, for the products of the first words of every two and those of the second.
        ///
        /// What is above bit b is spread by the modulus, twice; for b = 64 the second time concerns four bits, for
        /// which a table says it.
        #[inline]
        #[target_feature(enable = $features)]
        pub fn reduce<const BITS: u32>(even: V, odd: V) -> V {
            let [s1, s2, s3] = const { shifts(BITS) };
            let (low, high) = (firsts(even, odd), seconds(even, odd));
            let spread = |rest: V, over: V| {
                if s1 + s2 == s3 {
                    // 1 + x^s1 + x^s2 + x^s3 is a product.
                    let twice = xor(over, shl(over, s1));
                    return xor3(rest, twice, shl(twice, s2));
                }
                xor3(xor3(rest, over, shl(over, s1)), shl(over, s2), shl(over, s3))
            };
            if BITS == 64 {
                return xor(spread(low, high), look_up(const { overflow(shifts(64)) }, shr(high, 64 - s3)));
            }
            let over = xor(shl(high, 64 - BITS), shr(low, BITS));
            let mask = set1(u64::MAX >> (64 - BITS));
            let spread = |rest: V, over: V| spread(and(rest, mask), over);
            let once = spread(low, over);
            spread(once, shr(once, BITS))
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn mul<const BITS: u32>(a: V, b: V) -> V {
            reduce::<BITS>(clmul::<0x00>(a, b), clmul::<0x11>(a, b))
        }

        /// The sum of the 128-bit parts, reduced.
        #[inline]
        #[target_feature(enable = $features)]
        fn total<const BITS: u32>(sum: V) -> u64 {
            let mut words = [0; LANES];
            store(&mut words, sum);
            let pairs = words.as_chunks::<2>().0.iter();
            let sum = pairs.fold(v128::zero(), |sum, pair| v128::xor(sum, v128::load(pair)));
            lanes128::first(lanes128::reduce::<BITS>(sum, sum))
        }

        #[target_feature(enable = $features)]
        pub fn dot<const BITS: u32>(a: &[u64], b: &[u64]) -> u64 {
            let mut sums = [zero(); 2];
            let (chunks_a, chunks_b) = (a.chunks_exact(2 * LANES), b.chunks_exact(2 * LANES));
            let (rest_a, rest_b) = (chunks_a.remainder(), chunks_b.remainder());
            for (a, b) in chunks_a.zip(chunks_b) {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let (a, b) = (load(&a[i * LANES..]), load(&b[i * LANES..]));
                    *sum = xor3(*sum, clmul::<0x00>(a, b), clmul::<0x11>(a, b));
                }
            }
            let (mut last_a, mut last_b) = ([0; 2 * LANES], [0; 2 * LANES]);
            last_a[..rest_a.len()].copy_from_slice(rest_a);
            last_b[..rest_b.len()].copy_from_slice(rest_b);
            for (i, sum) in sums.iter_mut().enumerate().take(rest_a.len().div_ceil(LANES)) {
                let (a, b) = (load(&last_a[i * LANES..]), load(&last_b[i * LANES..]));
                *sum = xor3(*sum, clmul::<0x00>(a, b), clmul::<0x11>(a, b));
            }
            total::<BITS>(xor(sums[0], sums[1]))
        }

        #[target_feature(enable = $features)]
        pub fn combine<const BITS: u32>(scales: &[u64], rows: &[u64], step: usize) -> [u64; TILE] {
            // At most eight registers at a time, so that sums, a row and its scale fit sixteen.
            const PARTS: usize = if TILE / LANES < 4 { TILE / LANES } else { 4 };
            let mut out = [0; TILE];
            for column in (0..TILE).step_by(PARTS * LANES) {
                let mut sums = [[zero(); 2]; PARTS];
                let row = |r: usize| &rows[r * step + column..][..PARTS * LANES];
                // From the last row to the first, as the first may just have been made; see `Gf::divide`.
                let (pairs, last) = scales.as_chunks::<2>();
                if let [scale] = last {
                    let (row, scale) = (row(scales.len() - 1), set1(*scale));
                    for (i, [even, odd]) in sums.iter_mut().enumerate() {
                        let x = load(&row[i * LANES..]);
                        (*even, *odd) = (clmul::<0x00>(x, scale), clmul::<0x01>(x, scale));
                    }
                }
                for (r, [first_scale, scale]) in pairs.iter().enumerate().rev() {
                    let (first, row) = (row(2 * r), row(2 * r + 1));
                    let (first_scale, scale) = (set1(*first_scale), set1(*scale));
                    for (i, [even, odd]) in sums.iter_mut().enumerate() {
                        let (x, y) = (load(&first[i * LANES..]), load(&row[i * LANES..]));
                        *even = xor3(*even, clmul::<0x00>(x, first_scale), clmul::<0x00>(y, scale));
                        *odd = xor3(*odd, clmul::<0x01>(x, first_scale), clmul::<0x01>(y, scale));
                    }
                }
                for (i, [even, odd]) in sums.into_iter().enumerate() {
                    store(&mut out[column + i * LANES..], reduce::<BITS>(even, odd));
                }
            }
            out
        }

        #[target_feature(enable = $features)]
        pub fn dots<const BITS: u32>(a: &[u64], b: &[u64]) -> [u64; TILE] {
            const PARTS: usize = if TILE / LANES < 4 { TILE / LANES } else { 4 };
            let (a, b) = (a.as_chunks::<TILE>().0, b.as_chunks::<TILE>().0);
            let mut out = [0; TILE];
            for column in (0..TILE).step_by(PARTS * LANES) {
                let mut sums = [[zero(); 2]; PARTS];
                for (a, b) in a.iter().zip(b) {
                    for (i, [even, odd]) in sums.iter_mut().enumerate() {
                        let at = column + i * LANES;
                        let (a, b) = (load(&a[at..]), load(&b[at..]));
                        *even = xor(*even, clmul::<0x00>(a, b));
                        *odd = xor(*odd, clmul::<0x11>(a, b));
                    }
                }
                for (i, [even, odd]) in sums.into_iter().enumerate() {
                    store(&mut out[column + i * LANES..], reduce::<BITS>(even, odd));
                }
            }
            out
        }

        #[target_feature(enable = $features)]
        pub fn cross<const BITS: u32>(p: &mut [u64], q: &[u64], [a, b]: [u64; 2]) {
            let (a, b) = (set1(a), set1(b));
            for (p, q) in p.chunks_exact_mut(LANES).zip(q.chunks_exact(LANES)) {
                let (x, y) = (load(p), load(q));
                let even = xor(clmul::<0x00>(x, a), clmul::<0x00>(y, b));
                let odd = xor(clmul::<0x01>(x, a), clmul::<0x01>(y, b));
                store(p, reduce::<BITS>(even, odd));
            }
        }

        #[target_feature(enable = $features)]
        pub fn advance<const BITS: u32>(
            p: &mut [u64],
            q: &mut [u64],
            [a, b]: [&[u64; TILE]; 2],
            grown: &[u64; TILE],
        ) {
            for at in (0..TILE).step_by(LANES) {
                let (a, b, grown) = (load(&a[at..]), load(&b[at..]), load(&grown[at..]));
                for (p, q) in p.chunks_exact_mut(TILE).zip(q.chunks_exact_mut(TILE)) {
                    let (p, q) = (&mut p[at..], &mut q[at..]);
                    let (x, y) = (load(p), load(q));
                    let even = xor(clmul::<0x00>(x, a), clmul::<0x00>(y, b));
                    let odd = xor(clmul::<0x11>(x, a), clmul::<0x11>(y, b));
                    store(p, reduce::<BITS>(even, odd));
                    store(q, xor(y, and(xor(x, y), grown)));
                }
            }
        }

        #[target_feature(enable = $features)]
        pub fn cross_linear<const BITS: u32>(p: &mut [u64], q: &[u64], scales: [u64; 3]) {
            let [a, b, c] = scales.map(|scale| set1(scale));
            let last = p.len();
            let shifted = q[1..=last].chunks_exact(LANES);
            for ((p, q), shifted) in p.chunks_exact_mut(LANES).zip(q.chunks_exact(LANES)).zip(shifted) {
                let (x, y, z) = (load(p), load(q), load(shifted));
                let even = xor3(clmul::<0x00>(x, a), clmul::<0x00>(y, b), clmul::<0x00>(z, c));
                let odd = xor3(clmul::<0x01>(x, a), clmul::<0x01>(y, b), clmul::<0x01>(z, c));
                store(p, reduce::<BITS>(even, odd));
            }
        }
    };
}
pub(super) use sums;
