//! Sketches as bytes: the one place that touches minisketch.
//!
//! A sketch of capacity c over GF(2^b) is c syndromes of b bits: the sums of x, x³, x⁵, … over all x in the
//! set. Sums in such a field are XOR, so the XOR of two sketches is the sketch of the symmetric difference,
//! and the first syndromes of a long sketch are the short sketch. Both hold for the serialized bytes, which
//! is why no C++ object outlives a call here: it is built, written out and dropped.

use minisketch_rs::Minisketch;

/// minisketch's table-driven arithmetic; there for every field on every machine.
const GENERIC: u32 = 0;
/// From this capacity on tables beat carry-less multiplication at encoding into fields of at most 40 bits (5.0
/// against 6.7 ns an element and syndrome at 32 bits; below it is the other way round, 7.2 against 4.6).
const TABLES_FROM: u64 = 64;

/// A field, and what of minisketch works in it on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    bits: u32,
    /// The fastest implementation for decoding.
    fast: u32,
}

impl Field {
    /// The field of 2^`bits` elements, `bits` from 2 to 64.
    pub fn new(bits: u32) -> Self {
        // 1 multiplies without carries, 2 does so modulo a trinomial. No field of ours has an irreducible
        // trinomial (no degree divisible by 8 has), so 2 is there for completeness.
        let there = |which: &u32| Minisketch::try_new(bits, *which, 1).is_ok();
        let most = Minisketch::implementation_max();
        let fast = [1, 2].into_iter().filter(|which| *which <= most).find(there).unwrap_or(GENERIC);
        Self { bits, fast }
    }

    /// Bits of an element.
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// Name of the arithmetic that decodes.
    pub fn name(self) -> &'static str {
        if self.fast == GENERIC { "minisketch, generic" } else { "minisketch, CLMUL" }
    }

    /// Bytes of a sketch: exactly `bits`·`capacity` bits, filled up to a byte.
    pub fn len(self, capacity: u64) -> usize {
        (capacity as usize * self.bits as usize).div_ceil(8)
    }

    /// The sketch of `ids`, of which none may be 0; what is there twice cancels. Nothing when memory is short.
    pub fn sketch(self, capacity: u64, ids: impl Iterator<Item = u64>) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.len(capacity)];
        if capacity == 0 {
            return Some(bytes);
        }
        let tables = self.bits <= 40 && capacity >= TABLES_FROM;
        let mut sketch =
            Minisketch::try_new(self.bits, if tables { GENERIC } else { self.fast }, capacity as usize)
                .ok()?;
        for id in ids {
            sketch.add(id);
        }
        // minisketch takes its own 64-bit carry-less field for one of 63 bits when it is asked for the
        // size, and writes 64 bits an element all the same; the crate refuses a slice above that size. So
        // it is shown a slice of the size that it believes in, of a buffer that holds what it writes.
        let believed = sketch.serialized_size().min(bytes.len());
        sketch.serialize(&mut bytes[..believed]).ok()?;
        Some(bytes)
    }

    /// The elements of a sketch, sorted; nothing when there are more than its capacity (or, seldom, nonsense:
    /// see `sizing`). The seed randomises the search for roots. It does not change the result, but a peer who
    /// knows it can make the search slow.
    pub fn decode(self, sketch: &[u8], capacity: u64, seed: u64) -> Option<Vec<u64>> {
        // The C++ side reads as many bytes as the capacity says.
        if sketch.len() != self.len(capacity) {
            return None;
        }
        if sketch.iter().all(|byte| *byte == 0) {
            return Some(Vec::new());
        }
        let mut object = Minisketch::try_new(self.bits, self.fast, capacity as usize).ok()?;
        object.set_seed(seed);
        object.deserialize(sketch);
        let mut elements = vec![0; capacity as usize];
        let count = object.decode(&mut elements).ok()?;
        elements.truncate(count);
        elements.sort_unstable();
        Some(elements)
    }
}

/// `a` becomes the sketch of the difference; both have one length.
pub fn merge(a: &mut [u8], b: &[u8]) {
    debug_assert_eq!(a.len(), b.len());
    for (a, b) in a.iter_mut().zip(b) {
        *a ^= b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    const FIELDS: [u32; 4] = [32, 40, 48, 64];

    fn ids(n: usize, bits: u32, seed: u64) -> Vec<u64> {
        let mut rng = Seed::new(seed).rng();
        let mut ids: Vec<u64> = (0..n).map(|_| (rng.next_u64() >> (64 - bits)).max(1)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn sketch(field: Field, capacity: u64, ids: &[u64]) -> Vec<u8> {
        field.sketch(capacity, ids.iter().copied()).unwrap()
    }

    /// Oracle, from minisketch's README: 6 bytes tell {3000..3009} from {3002..3011}.
    #[test]
    fn the_example_of_the_readme() {
        let field = Field::new(12);
        let mut a = field.sketch(4, 3000..3010).unwrap();
        let b = field.sketch(4, 3002..3012).unwrap();
        assert_eq!(b.len(), 6);
        merge(&mut a, &b);
        assert_eq!(field.decode(&a, 4, 1), Some(vec![3000, 3001, 3010, 3011]));
    }

    /// The repository's `.cargo/config.toml` switches carry-less multiplication on; a CPU without it, or a
    /// build elsewhere, is told apart by the name.
    #[test]
    fn the_engine_has_a_name() {
        let clmul = Minisketch::implementation_max() > 0 && Minisketch::try_new(64, 1, 1).is_ok();
        let name = if clmul { "minisketch, CLMUL" } else { "minisketch, generic" };
        for bits in FIELDS {
            assert_eq!(Field::new(bits).name(), name);
        }
    }

    /// Bytes on the wire may not depend on the machine: every implementation writes the same. Capacities
    /// from 8 on would show the wrong size of the 64-bit field.
    #[test]
    fn implementations_write_the_same_bytes() {
        for bits in FIELDS {
            for capacity in [1, 7, 8, 9, 63, 64, 200] {
                let ids = ids(300, bits, 1);
                let fast = sketch(Field::new(bits), capacity, &ids);
                assert_eq!(fast.len() as u64 * 8, capacity * u64::from(bits));
                assert_eq!(fast, sketch(Field { bits, fast: GENERIC }, capacity, &ids), "{bits} {capacity}");
                assert_ne!(fast.last(), Some(&0), "the last byte is written");
            }
        }
    }

    #[test]
    fn a_short_sketch_is_a_prefix_and_halves_add_up() {
        for bits in FIELDS {
            let field = Field::new(bits);
            let ids = ids(100, bits, 2);
            let long = sketch(field, 70, &ids);
            for capacity in [1, 8, 35, 69] {
                assert_eq!(sketch(field, capacity, &ids), long[..field.len(capacity)]);
            }
            let (left, right) = ids.split_at(40);
            let mut sum = sketch(field, 70, left);
            merge(&mut sum, &sketch(field, 70, right));
            assert_eq!(sum, long);
        }
    }

    /// Oracle: decodes always when d ≤ c.
    #[test]
    fn a_sketch_holds_what_its_capacity_says() {
        for bits in FIELDS {
            let field = Field::new(bits);
            for capacity in [1, 2, 3, 8, 16, 33, 100] {
                for d in [0, 1, capacity / 2, capacity - 1, capacity] {
                    let ids = ids(d, bits, 3 + d as u64);
                    let bytes = sketch(field, capacity as u64, &ids);
                    assert_eq!(field.decode(&bytes, capacity as u64, 9), Some(ids), "b={bits} c={capacity}");
                }
            }
        }
    }

    /// Oracle: above the capacity c, plausible nonsense with probability about 1/c!. Within five
    /// deviations of the binomial.
    #[test]
    fn nonsense_decodes_one_time_in_c_factorial() {
        for bits in FIELDS {
            let field = Field::new(bits);
            for (capacity, factorial) in [(1_u64, 1.0), (2, 2.0), (3, 6.0), (4, 24.0), (5, 120.0)] {
                let trials = 800;
                let nonsense = (0..trials)
                    .filter(|trial| {
                        let ids = ids(capacity as usize + 5, bits, 1000 + trial);
                        field.decode(&sketch(field, capacity, &ids), capacity, 9).is_some()
                    })
                    .count() as f64;
                let (n, p) = (trials as f64, 1.0 / factorial);
                let deviation = (n * p * (1.0 - p)).sqrt();
                assert!((nonsense - n * p).abs() <= 5.0 * deviation, "b={bits} c={capacity}: {nonsense}");
            }
        }
    }

    #[test]
    fn the_seed_changes_nothing_but_time() {
        let field = Field::new(48);
        let ids = ids(40, 48, 5);
        let bytes = sketch(field, 40, &ids);
        for seed in [0, 1, 2, u64::MAX] {
            assert_eq!(field.decode(&bytes, 40, seed), Some(ids.clone()));
        }
    }

    #[test]
    fn a_sketch_of_another_length_is_refused() {
        let field = Field::new(32);
        assert_eq!(field.decode(&[1; 15], 4, 0), None);
        assert_eq!(field.decode(&[], 0, 0), Some(Vec::new()));
    }
}
