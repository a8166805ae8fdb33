//! Encoding a set: a product of two matrices, with half of the multiplications.
//!
//! The sum Σ_k g_k·b_k of products of a giant's and a baby's words is taken two elements at a time, as
//! g₁b₁ + g₂b₂ = (g₁ + b₂)(g₂ + b₁) + g₁g₂ + b₁b₂ (S. Winograd, "A new algorithm for inner product", 1968). The last two
//! terms belong to the giant alone and to the baby alone: there are as many of them as powers, not as many as
//! syndromes. So two elements and a syndrome cost one carry-less product and two or three XORs.
//!
//! A register's 128-bit parts are different babies of the same two elements, and the giant is the same in all
//! parts: each part sums up one syndrome, and nothing has to be added across.

/// The kernel of this file for the registers that are in scope where it is used.
macro_rules! encode {
    ($features:literal) => {
        /// Babies in a register.
        const PARTS: usize = LANES / 2;
        /// Registers of babies whose own products are held at once.
        const CHUNK: usize = 16;

        #[target_feature(enable = $features)]
        pub fn syndromes<const BITS: u32>(capacity: usize, grid: &mut Grid, elements: &[u64]) {
            let Grid { babies, giants, sums } = grid;
            let babies_len = babies.len() / BLOCK;
            let giants_len = capacity.div_ceil(babies_len);
            for block in elements.chunks(BLOCK) {
                powers::<BITS>(babies, &mut giants[..giants_len * BLOCK], block);
                for first in (0..babies_len / PARTS).step_by(CHUNK) {
                    let columns = first..(first + CHUNK).min(babies_len / PARTS);
                    let mut own = [zero(); CHUNK];
                    for (own, column) in own.iter_mut().zip(columns.clone()) {
                        for k in 0..BLOCK / 2 {
                            let baby = load(&babies[2 * (k * babies_len + column * PARTS)..]);
                            *own = xor(*own, clmul::<0x01>(baby, baby));
                        }
                    }
                    let mut rows =
                        giants[..giants_len * BLOCK].chunks(4 * BLOCK).zip(sums.chunks_mut(4 * babies_len));
                    for (giants, sums) in &mut rows {
                        let mut tile = Tile { babies, babies_len, giants, sums };
                        match giants.len() / BLOCK {
                            4 => tile.add::<4>(columns.clone(), &own),
                            3 => tile.add::<3>(columns.clone(), &own),
                            2 => tile.add::<2>(columns.clone(), &own),
                            _ => tile.add::<1>(columns.clone(), &own),
                        }
                    }
                }
            }
        }

        /// Writes babies by pair of elements, then by baby, the two elements swapped; and giants by giant, then by element.
        #[inline]
        #[target_feature(enable = $features)]
        fn powers<const BITS: u32>(babies: &mut [u64], giants: &mut [u64], block: &[u64]) {
            const GROUPS: usize = BLOCK / LANES;
            let babies_len = babies.len() / BLOCK;
            // A missing element is 0, whose babies are 0.
            let mut elements = [0; BLOCK];
            elements[..block.len()].copy_from_slice(block);
            let x: [V; GROUPS] = std::array::from_fn(|group| swap(load(&elements[group * LANES..])));
            let square = x.map(|x| mul::<BITS>(x, x));
            let mut baby = x;
            for i in 0..babies_len {
                for group in 0..GROUPS {
                    if i > 0 {
                        baby[group] = mul::<BITS>(baby[group], square[group]);
                    }
                    let mut words = [0; LANES];
                    store(&mut words, baby[group]);
                    for (k, pair) in words.as_chunks::<2>().0.iter().enumerate() {
                        babies[2 * ((group * PARTS + k) * babies_len + i)..][..2].copy_from_slice(pair);
                    }
                }
            }
            let step: [V; GROUPS] = std::array::from_fn(|group| swap(mul::<BITS>(baby[group], x[group])));
            let mut giant = [set1(1); GROUPS];
            for (j, giants) in giants.chunks_exact_mut(BLOCK).enumerate() {
                for group in 0..GROUPS {
                    if j > 0 {
                        giant[group] =
                            if j == 1 { step[group] } else { mul::<BITS>(giant[group], step[group]) };
                    }
                    store(&mut giants[group * LANES..], giant[group]);
                }
            }
        }

        /// Some giants with all babies, of one block.
        struct Tile<'a> {
            babies: &'a [u64],
            babies_len: usize,
            giants: &'a [u64],
            sums: &'a mut [[u64; 2]],
        }

        impl Tile<'_> {
            /// Adds the products of `GIANTS` giants and those registers of babies, of whose own products the sums are given.
            #[inline]
            #[target_feature(enable = $features)]
            fn add<const GIANTS: usize>(&mut self, columns: std::ops::Range<usize>, own: &[V; CHUNK]) {
                let Self { babies, babies_len, giants, sums } = self;
                let giants = &giants[..GIANTS * BLOCK];
                let giants_own: [V; GIANTS] = std::array::from_fn(|j| {
                    let products = (0..BLOCK).step_by(LANES).fold(zero(), |sum, k| {
                        let giant = load(&giants[j * BLOCK + k..]);
                        xor(sum, clmul::<0x01>(giant, giant))
                    });
                    let mut words = [0; LANES];
                    store(&mut words, products);
                    let pairs = words.as_chunks::<2>().0.iter();
                    let [low, high] = pairs.fold([0; 2], |[low, high], [a, b]| [low ^ a, high ^ b]);
                    load_pair(&[low, high])
                });
                for (column, own) in columns.zip(own) {
                    let mut tile = giants_own.map(|giant| xor(giant, *own));
                    for k in (0..BLOCK / 2).step_by(2) {
                        let [a, b] =
                            [k, k + 1].map(|k| load(&babies[2 * (k * *babies_len + column * PARTS)..]));
                        for (j, sum) in tile.iter_mut().enumerate() {
                            let giants = &giants[j * BLOCK + 2 * k..][..4];
                            let (a, b) = (xor(a, load_pair(giants)), xor(b, load_pair(&giants[2..])));
                            *sum = xor3(*sum, clmul::<0x01>(a, a), clmul::<0x01>(b, b));
                        }
                    }
                    for (j, tile) in tile.into_iter().enumerate() {
                        let sums = sums[j * *babies_len + column * PARTS..][..PARTS].as_flattened_mut();
                        let sum = xor(load(sums), tile);
                        store(sums, sum);
                    }
                }
            }
        }
    };
}
pub(super) use encode;
