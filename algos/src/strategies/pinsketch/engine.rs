//! Sketches as bytes, by the engine that was asked for.
//!
//! A sketch of capacity c over GF(2^b) is c syndromes of b bits: the sums of x, x³, x⁵, … over all x in the
//! set. Sums in such a field are XOR, so the XOR of two sketches is the sketch of the symmetric difference,
//! and the first syndromes of a long sketch are the short sketch. Both hold for the serialized bytes, which
//! are the same whichever engine wrote them.

use super::kernel::{Adder, Gf, Path};
#[cfg(target_arch = "x86_64")]
use super::peer::Peer;

/// Who computes.
#[derive(Clone, Copy, Debug)]
enum Engine {
    Own(Gf),
    #[cfg(target_arch = "x86_64")]
    Minisketch(Peer),
}

/// A field, and what computes in it on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    bits: u32,
    engine: Engine,
}

impl Field {
    /// The field of 2^`bits` elements (32, 40, 48, 64), on the fastest path of this machine.
    pub fn new(bits: u32) -> Self {
        Self::on(bits, Path::best())
    }

    /// The same on a chosen path.
    pub fn on(bits: u32, path: Path) -> Self {
        let gf = Gf::new(bits, path).expect("32, 40, 48 or 64 bits");
        Self { bits, engine: Engine::Own(gf) }
    }

    /// The field of 2^`bits` elements in minisketch.
    #[cfg(target_arch = "x86_64")]
    pub fn of_minisketch(bits: u32) -> Self {
        Self { bits, engine: Engine::Minisketch(Peer::new(bits)) }
    }

    /// Bits of an element.
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// Whether it is our own engine, whatever its path.
    pub fn is_own(self) -> bool {
        matches!(self.engine, Engine::Own(_))
    }

    /// Name of the arithmetic.
    pub fn name(self) -> &'static str {
        match self.engine {
            Engine::Own(gf) => gf.path().name(),
            #[cfg(target_arch = "x86_64")]
            Engine::Minisketch(peer) => peer.name(),
        }
    }

    /// Bytes of a sketch: exactly `bits`·`capacity` bits.
    pub fn len(self, capacity: u64) -> usize {
        (capacity as usize * self.bits as usize).div_ceil(8)
    }

    /// The sketch of `ids`, of which none may be 0; what is there twice cancels. Nothing when memory is short.
    pub fn sketch(self, capacity: u64, ids: impl Iterator<Item = u64>) -> Option<Vec<u8>> {
        match self.engine {
            Engine::Own(gf) => Some(gf.write(&gf.syndromes(capacity as usize, ids))),
            #[cfg(target_arch = "x86_64")]
            Engine::Minisketch(peer) => peer.sketch(capacity, ids),
        }
    }

    /// An empty sketch that takes ids one at a time; our own engine only.
    pub fn adder(self, capacity: u64) -> Option<Adder> {
        match self.engine {
            Engine::Own(gf) => Some(Adder::new(gf, capacity as usize)),
            #[cfg(target_arch = "x86_64")]
            Engine::Minisketch(_) => None,
        }
    }

    /// The elements of a sketch, sorted; nothing when there are more than its capacity (or, seldom, nonsense:
    /// see `sizing`). The seed randomises the search for roots. It does not change the result, but a peer who
    /// knows it can make the search slow.
    pub fn decode(self, sketch: &[u8], capacity: u64, seed: u64) -> Option<Vec<u64>> {
        if sketch.len() != self.len(capacity) {
            return None;
        }
        match self.engine {
            Engine::Own(gf) => gf.decode(&gf.read(sketch), seed),
            #[cfg(target_arch = "x86_64")]
            Engine::Minisketch(peer) => peer.decode(sketch, capacity, seed),
        }
    }
}

impl Field {
    /// [`Field::decode`] for whoever knows a set of `own_len` ids that holds some of the elements: so many of them as
    /// `expected` says for a number of elements. Our own engine looks for those first where that is
    /// cheaper. The result is the same.
    pub fn decode_with(
        self,
        sketch: &[u8],
        capacity: u64,
        own_len: usize,
        own: impl Fn() -> Vec<u64>,
        expected: impl Fn(usize) -> usize,
        seed: u64,
    ) -> Option<Vec<u64>> {
        match self.engine {
            Engine::Own(gf) if sketch.len() == self.len(capacity) => {
                gf.decode_with(&gf.read(sketch), own_len, own, expected, seed)
            }
            _ => self.decode(sketch, capacity, seed),
        }
    }

    /// Many sketches of one capacity, one after the other, each with the part of the decoder's ids that belongs to it.
    pub fn decode_many(
        self,
        sketches: &[u8],
        capacity: u64,
        own: &[&[u64]],
        seed: u64,
    ) -> Vec<Option<Vec<u64>>> {
        match self.engine {
            Engine::Own(gf) if sketches.len() == self.len(capacity) * own.len() => {
                gf.decode_many(capacity as usize, &gf.read(sketches), own, seed)
            }
            _ => {
                let sketches = sketches.chunks_exact(self.len(capacity).max(1));
                sketches.map(|sketch| self.decode(sketch, capacity, seed)).collect()
            }
        }
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

    #[test]
    fn engines_have_names() {
        for bits in FIELDS {
            assert_eq!(Field::new(bits).name(), Path::best().name());
            assert_eq!(Field::on(bits, Path::Portable).name(), "own, portable");
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
