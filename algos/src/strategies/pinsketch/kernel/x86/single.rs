//! One element: the same powers, where a register's 128-bit parts are consecutive babies, each in its first word.
//!
//! A product that stays in its own 128 bits is reduced by two more carry-less products with the modulus and needs no
//! shuffle: four instructions for as many products as a register has parts. Chains are short: in four
//! parts x² · (x², x) = (x⁴, x³), then x⁴ · (x⁴, x, x³) = (x⁸, x⁵, x⁷).

/// The kernels of this file for the registers that are in scope where it is used.
macro_rules! single {
    ($features:literal) => {
        /// Products of the first words of every two, in the first words.
        #[inline]
        #[target_feature(enable = $features)]
        fn mul_firsts<const BITS: u32>(a: V, b: V) -> V {
            // At the upper end of the word, so that what is above the product's low word is what is over.
            let spare = const { 64 - BITS };
            let modulus = set1(const { spread_one(shifts(BITS)) << (64 - BITS) });
            let product = clmul::<0x00>(a, if BITS == 64 { b } else { shl(b, spare) });
            let once = clmul::<0x01>(product, modulus);
            let sum = xor3(product, once, clmul::<0x01>(once, modulus));
            if BITS == 64 { sum } else { shr(sum, spare) }
        }

        #[target_feature(enable = $features)]
        pub fn add<const BITS: u32>(babies: &mut [u64], sums: &mut [u64], x: &u64) {
            let x = set1(*x);
            let (first, step) = first_babies::<BITS>(x);
            if babies.len() == 2 * LANES {
                let babies = [first, mul_firsts::<BITS>(first, step)];
                return rows::<BITS>(2 * LANES, sums, mul_firsts::<BITS>(step, step), |sums, giant| {
                    for (baby, sums) in babies.iter().zip(sums.chunks_exact_mut(LANES)) {
                        let sum = xor(load(sums), giant.map_or(*baby, |giant| clmul::<0x00>(*baby, giant)));
                        store(sums, sum);
                    }
                });
            }
            let mut last = first;
            for (i, babies) in babies.chunks_exact_mut(LANES).enumerate() {
                if i > 0 {
                    last = mul_firsts::<BITS>(last, step);
                }
                store(babies, last);
            }
            let step = mul_firsts::<BITS>(last_part(last), x);
            rows::<BITS>(babies.len(), sums, step, |sums, giant| {
                for (babies, sums) in babies.chunks_exact(LANES).zip(sums.chunks_exact_mut(LANES)) {
                    let baby = load(babies);
                    let sum = xor(load(sums), giant.map_or(baby, |giant| clmul::<0x00>(baby, giant)));
                    store(sums, sum);
                }
            });
        }

        /// Gives each row of `len` words of sums its giant; the first row, of babies themselves, none.
        #[inline]
        #[target_feature(enable = $features)]
        fn rows<const BITS: u32>(len: usize, sums: &mut [u64], step: V, add: impl Fn(&mut [u64], Option<V>)) {
            let (row, mut rest) = sums.split_at_mut(len);
            add(row, None);
            // Two chains, so that one giant need not wait for the one before.
            let double = if rest.len() > len { mul_firsts::<BITS>(step, step) } else { step };
            let (mut giant, mut next) = (step, double);
            while let Some((row, after)) = rest.split_at_mut_checked(len) {
                add(row, Some(giant));
                let new = if after.len() > len { mul_firsts::<BITS>(giant, double) } else { next };
                (giant, next, rest) = (next, new, after);
            }
        }

        #[target_feature(enable = $features)]
        pub fn total_all<const BITS: u32>(sums: &[u64], out: &mut [u64]) {
            for (sums, out) in sums.chunks_exact(LANES).zip(out.chunks_exact_mut(LANES / 2)) {
                let sum = load(sums);
                let mut words = [0; LANES];
                store(&mut words, reduce::<BITS>(sum, sum));
                out.iter_mut().zip(words.chunks_exact(2)).for_each(|(out, words)| *out = words[0]);
            }
        }
    };
}
pub(super) use single;
