//! The coding alone, without sessions and wire: what benches set beside other implementations.

use super::decoder::{Decoder, Progress};
use super::symbol::{Scheme, Symbol};
use super::tally::Tally;
use super::walkers::{Addend, add_wave};
use super::wave::{Path, WAVE, Wave};
use crate::pages::prefer_huge;
use crate::salt::{Key, Salt};
use crate::seed::Seed;
use crate::session::Role;
use crate::wire::SYMBOLS_MAX;

/// One coded symbol over 8-byte ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell(Symbol<u64>);

impl Cell {
    /// XOR of the ids.
    pub fn sum(&self) -> u64 {
        self.0.sum
    }

    /// XOR of their keyed checksums.
    pub fn check(&self) -> u64 {
        self.0.tally.check()
    }

    /// How many ids, modulo 2^16; of one set less those of the other once two cells are subtracted.
    pub fn count(&self) -> i64 {
        self.0.tally.count()
    }
}

impl From<Symbol<u64>> for Cell {
    fn from(symbol: Symbol<u64>) -> Self {
        Self(symbol)
    }
}

/// Encodes sets of 8-byte ids and decodes differences under one key.
#[derive(Clone, Copy, Debug)]
pub struct Coder {
    pub(super) scheme: Scheme,
}

impl Coder {
    /// Under a key drawn from `seed`, with checksums of `check_bits` bits.
    ///
    /// # Panics
    ///
    /// Unless `check_bits` is 16, 32 or 48.
    pub fn new(seed: Seed, check_bits: u32) -> Self {
        assert!(matches!(check_bits, 16 | 32 | 48), "checksums of {check_bits} bits");
        let key = Key::one_party(Salt::of(seed, Role::Initiator));
        Self { scheme: Scheme { key, short_bits: 64, check_bits, count_bits: Tally::COUNT_BITS } }
    }

    /// The first `len` symbols of a set; O(n·log `len`). The ids must differ from each other.
    ///
    /// # Panics
    ///
    /// When `len` is above [`SYMBOLS_MAX`].
    pub fn encode(&self, ids: &[u64], len: usize) -> Vec<Cell> {
        assert!(len as u64 <= SYMBOLS_MAX, "{len} symbols");
        let path = Path::best();
        let mut symbols = Vec::with_capacity(len);
        prefer_huge(symbols.spare_capacity_mut());
        symbols.resize(len, Symbol::default());
        let mut wave = Wave::forgetful(path);
        let mut addends = [Addend::default(); WAVE];
        let mut states = Vec::with_capacity(WAVE);
        // One pass, since the number of symbols is known, and nothing of the walks is kept.
        for some in ids.chunks(WAVE) {
            states.clear();
            states.extend_from_slice(some);
            self.scheme.key.check_all(&mut states);
            for ((addend, id), hash) in addends.iter_mut().zip(some).zip(&states) {
                *addend = Addend { name: *id, check: self.scheme.cut(*hash) };
            }
            wave.load(&states, &[0; WAVE][..some.len()], [0, len as u32]);
            add_wave(&addends, &mut wave, &mut symbols, 0);
        }
        symbols.into_iter().map(Cell::from).collect()
    }

    /// How walks are advanced on this machine, as results record it.
    pub fn path() -> &'static str {
        Path::best().name()
    }

    /// The ids of which a difference of two encodings consists, with 1 for those of the minuend and -1 for those of
    /// the subtrahend; none when the symbols are too few.
    pub fn decode(&self, difference: &[Cell]) -> Option<Vec<(u64, i64)>> {
        let symbols = difference.iter().map(|cell| cell.0).collect();
        let mut decoder = Decoder::of_difference(self.scheme, symbols);
        (decoder.peel() == Progress::Decoded).then(|| decoder.into_found())
    }
}

/// What is in `ours` and not in `theirs` and the other way round, symbol by symbol.
///
/// # Panics
///
/// When they are not equally many.
pub fn subtract(ours: &[Cell], theirs: &[Cell]) -> Vec<Cell> {
    assert_eq!(ours.len(), theirs.len(), "symbols of both");
    let less = |(ours, theirs): (&Cell, &Cell)| {
        let mut less = ours.0;
        less.add(&theirs.0.negated());
        Cell(less)
    };
    ours.iter().zip(theirs).map(less).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_comes_back_with_its_sides() {
        let mut rng = Seed::new(3).rng();
        let ids: Vec<u64> = (0..1100).map(|_| rng.next_u64()).collect();
        let coder = Coder::new(Seed::new(4), 32);
        let difference = subtract(&coder.encode(&ids[..1060], 200), &coder.encode(&ids[30..], 200));
        let mut found = coder.decode(&difference).unwrap();
        let mut expected: Vec<(u64, i64)> = ids[..30].iter().map(|id| (*id, 1)).collect();
        expected.extend(ids[1060..].iter().map(|id| (*id, -1)));
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(coder.decode(&difference[..50]), None);
    }
}
