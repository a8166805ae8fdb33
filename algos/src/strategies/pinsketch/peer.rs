//! `engine=minisketch`: the one place that touches minisketch. No C++ object outlives a call here: it is
//! built, written out and dropped.

use minisketch_rs::Minisketch;

/// minisketch's table-driven arithmetic; there for every field on every machine.
const GENERIC: u32 = 0;
/// From this capacity on tables beat carry-less multiplication at encoding into fields of at most 40 bits (5.0
/// against 6.7 ns an element and syndrome at 32 bits; below it is the other way round, 7.2 against 4.6).
const TABLES_FROM: u64 = 64;

/// A field, and what of minisketch works in it on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    bits: u32,
    /// The fastest implementation for decoding.
    fast: u32,
}

impl Peer {
    /// The field of 2^`bits` elements, `bits` from 2 to 64.
    pub fn new(bits: u32) -> Self {
        // 1 multiplies without carries, 2 does so modulo a trinomial. No field of ours has an irreducible
        // trinomial (no degree divisible by 8 has), so 2 is there for completeness.
        let there = |which: &u32| Minisketch::try_new(bits, *which, 1).is_ok();
        let most = Minisketch::implementation_max();
        let fast = [1, 2].into_iter().filter(|which| *which <= most).find(there).unwrap_or(GENERIC);
        Self { bits, fast }
    }

    /// Name of the arithmetic that decodes.
    pub fn name(self) -> &'static str {
        if self.fast == GENERIC { "minisketch, generic" } else { "minisketch, CLMUL" }
    }

    fn len(self, capacity: u64) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    /// Oracle, from minisketch's README: 6 bytes tell {3000..3009} from {3002..3011}.
    #[test]
    fn the_example_of_the_readme() {
        let field = Peer::new(12);
        let mut a = field.sketch(4, 3000..3010).unwrap();
        let b = field.sketch(4, 3002..3012).unwrap();
        assert_eq!(b.len(), 6);
        super::super::engine::merge(&mut a, &b);
        assert_eq!(field.decode(&a, 4, 1), Some(vec![3000, 3001, 3010, 3011]));
    }

    /// The repository's `.cargo/config.toml` switches carry-less multiplication on; a CPU without it, or a
    /// build elsewhere, is told apart by the name.
    #[test]
    fn the_engine_has_a_name() {
        let clmul = Minisketch::implementation_max() > 0 && Minisketch::try_new(64, 1, 1).is_ok();
        let name = if clmul { "minisketch, CLMUL" } else { "minisketch, generic" };
        for bits in [32, 40, 48, 64] {
            assert_eq!(Peer::new(bits).name(), name);
        }
    }

    /// Bytes on the wire may not depend on the machine: every implementation writes the same. Capacities
    /// from 8 on would show the wrong size of the 64-bit field.
    #[test]
    fn implementations_write_the_same_bytes() {
        for bits in [32, 40, 48, 64] {
            let mut rng = Seed::new(1).rng();
            let ids: Vec<u64> = (0..300).map(|_| (rng.next_u64() >> (64 - bits)).max(1)).collect();
            let sketch = |peer: Peer, capacity| peer.sketch(capacity, ids.iter().copied()).unwrap();
            for capacity in [1, 7, 8, 9, 63, 64, 200] {
                let fast = sketch(Peer::new(bits), capacity);
                assert_eq!(fast.len() as u64 * 8, capacity * u64::from(bits));
                assert_eq!(fast, sketch(Peer { bits, fast: GENERIC }, capacity), "{bits} {capacity}");
                assert_ne!(fast.last(), Some(&0), "the last byte is written");
            }
        }
    }
}
