//! Encoding a set: a product of two matrices, with half of the multiplications.
//!
//! The sum Σ_k g_k·b_k of products of a giant's and a baby's words is taken two elements at a time, as
//! g₁b₁ + g₂b₂ = (g₁ + b₂)(g₂ + b₁) + g₁g₂ + b₁b₂ (S. Winograd, "A new algorithm for inner product", 1968). The last two
//! terms belong to the giant alone and to the baby alone: there are as many of them as powers, not as many as
//! syndromes. So two elements and a syndrome cost one carry-less product and two or three XORs.
//!
//! An element stays in its lane from its first power to the last product, and each lane of a syndrome's sum has its own
//! elements; lanes are added up when a block of them is in (`gather`). Until then nothing is shuffled but within pairs, and
//! powers go through memory only because there are more of them than registers.

/// The kernel of this file for the registers that are in scope where it is used.
macro_rules! encode {
    ($features:literal) => {
        /// Registers of elements whose powers are made side by side, and giants whose sums are held at once: as many as
        /// there are registers for.
        const TALL: usize = if LANES == 8 { 4 } else { 2 };
        /// Babies whose sums are held at once.
        const WIDE: usize = 4;

        #[target_feature(enable = $features)]
        pub fn add_block<const BITS: u32>(capacity: usize, grid: &mut Grid, block: &[u64]) {
            let babies_len = grid.babies.len() / BLOCK;
            let giants_len = capacity.div_ceil(babies_len) - 1;
            let giants = &mut grid.giants[..giants_len * BLOCK];
            for (k, some) in block.chunks(TALL * LANES).enumerate() {
                powers::<BITS>(&mut grid.babies, giants, k * TALL * LANES, some);
            }
            let len = block.len().next_multiple_of(TALL * LANES);
            let (first, sums) = grid.sums.split_at_mut(babies_len);
            add_own(&grid.babies, len, first, |sum, a, b| xor3(sum, a, b));
            if giants_len == 0 {
                return;
            }
            for (powers, own) in [(&grid.babies[..], &mut grid.babies_own), (giants, &mut grid.giants_own)] {
                add_own(powers, len, own, |sum, a, b| xor3(sum, clmul::<0x01>(a, a), clmul::<0x01>(b, b)));
            }
            for (column, babies) in grid.babies.chunks_exact(WIDE * BLOCK).enumerate() {
                for (giants, sums) in giants.chunks(TALL * BLOCK).zip(sums.chunks_mut(TALL * babies_len)) {
                    let sums = &mut sums[column * WIDE..];
                    match giants.len() / BLOCK {
                        4 => tile::<4>(len, babies, giants, sums, babies_len),
                        3 => tile::<3>(len, babies, giants, sums, babies_len),
                        2 => tile::<2>(len, babies, giants, sums, babies_len),
                        _ => tile::<1>(len, babies, giants, sums, babies_len),
                    }
                }
            }
        }

        /// Writes the powers of some elements, from `at` on in each row; giants with the two words of each pair swapped.
        #[inline]
        #[target_feature(enable = $features)]
        fn powers<const BITS: u32>(babies: &mut [u64], giants: &mut [u64], at: usize, some: &[u64]) {
            // A missing element is 0, whose powers are 0.
            let mut elements = [0; TALL * LANES];
            elements[..some.len()].copy_from_slice(some);
            let x: [V; TALL] = std::array::from_fn(|group| load(&elements[group * LANES..]));
            let product = |a: [V; TALL], b: [V; TALL]| -> [V; TALL] {
                std::array::from_fn(|group| mul::<BITS>(a[group], b[group]))
            };
            let put = |row: &mut [u64], powers: [V; TALL]| {
                for (to, power) in row[at..][..TALL * LANES].chunks_exact_mut(LANES).zip(powers) {
                    store(to, power);
                }
            };
            let square = product(x, x);
            let mut baby = x;
            for (i, row) in babies.chunks_exact_mut(BLOCK).enumerate() {
                if i > 0 {
                    baby = product(baby, square);
                }
                put(row, baby);
            }
            if giants.is_empty() {
                return;
            }
            let step = product(baby, x).map(|step| swap(step));
            let mut giant = step;
            for (j, row) in giants.chunks_exact_mut(BLOCK).enumerate() {
                if j > 0 {
                    giant = product(giant, step);
                }
                put(row, giant);
            }
        }

        /// Adds up something of each power alone, which is done to two registers of elements at a time.
        #[inline]
        #[target_feature(enable = $features)]
        fn add_own(powers: &[u64], len: usize, own: &mut [[u64; 2]], add: impl Fn(V, V, V) -> V) {
            for (powers, own) in powers.chunks(WIDE * BLOCK).zip(own.chunks_mut(WIDE)) {
                let mut sums = [zero(); WIDE];
                for (sum, row) in sums.iter_mut().zip(block_rows(powers, len)) {
                    let pairs = row.chunks_exact(2 * LANES);
                    *sum = pairs.fold(zero(), |sum, two| add(sum, load(two), load(&two[LANES..])));
                }
                add_up(own, sums);
            }
        }

        /// Adds the products of `GIANTS` giants and `WIDE` babies, but for what belongs to either alone.
        #[inline]
        #[target_feature(enable = $features)]
        fn tile<const GIANTS: usize>(
            len: usize,
            babies: &[u64],
            giants: &[u64],
            sums: &mut [[u64; 2]],
            babies_len: usize,
        ) {
            let mut tile = [[zero(); WIDE]; GIANTS];
            for at in (0..len).step_by(2 * LANES) {
                let pair = |powers: &[u64], row: usize| {
                    let two = &powers[row * BLOCK + at..][..2 * LANES];
                    [load(two), load(&two[LANES..])]
                };
                let babies: [[V; 2]; WIDE] = std::array::from_fn(|i| pair(babies, i));
                for (j, sums) in tile.iter_mut().enumerate() {
                    let [g, h] = pair(giants, j);
                    for (sum, [a, b]) in sums.iter_mut().zip(babies) {
                        let (a, b) = (xor(a, g), xor(b, h));
                        *sum = xor3(*sum, clmul::<0x01>(a, a), clmul::<0x01>(b, b));
                    }
                }
            }
            for (j, tile) in tile.into_iter().enumerate() {
                add_up(&mut sums[j * babies_len..][..WIDE], tile);
            }
        }

        /// Adds the lanes of each to a sum.
        #[inline]
        #[target_feature(enable = $features)]
        fn add_up(sums: &mut [[u64; 2]], lanes: [V; WIDE]) {
            for (k, lanes) in gather(lanes).into_iter().enumerate() {
                let sums = sums[k * LANES / 2..][..LANES / 2].as_flattened_mut();
                let sum = xor(load(sums), lanes);
                store(sums, sum);
            }
        }
    };
}
pub(super) use encode;
