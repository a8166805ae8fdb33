//! The endless sequence of coded symbols of a set.

use super::source::Source;
use super::symbol::{Name, Symbol, block_end};

/// Makes the symbols of a set in order.
///
/// The reference keeps a heap of items by their next symbol, so each symbol costs cache misses all over
/// it. Here a block of symbols is made at once by one scan over the items: the same additions, no heap.
#[derive(Clone, Debug)]
pub struct Encoder<N> {
    items: Source<N>,
    block: Vec<Symbol<N>>,
    /// Index of the first symbol of `block`.
    start: u64,
    /// Symbols handed out.
    sent: u64,
}

impl<N: Name> Encoder<N> {
    /// At symbol 0, with no block made yet.
    pub fn new(items: impl Into<Source<N>>) -> Self {
        Self { items: items.into(), block: Vec::new(), start: 0, sent: 0 }
    }

    /// Index of the next symbol: how many were handed out.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Where the block ends that must be made before the next symbol, if one must.
    pub fn due(&self) -> Option<u64> {
        let end = self.start + self.block.len() as u64;
        (self.sent == end).then(|| block_end(end))
    }

    /// The next symbol. Makes its block first if that is due: O(n) and the block's additions, unless it is kept.
    pub fn peek(&mut self) -> &Symbol<N> {
        if let Some(end) = self.due() {
            self.start = self.sent;
            self.block.clear();
            self.block.resize((end - self.start) as usize, Symbol::default());
            self.items.add_to(&mut self.block, self.start);
        }
        &self.block[(self.sent - self.start) as usize]
    }

    /// Goes on to the symbol after.
    pub fn advance(&mut self) {
        self.sent += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salt::{Key, Salt};
    use crate::seed::Seed;
    use crate::session::Role;
    use crate::strategies::riblt::symbol::{Part, Scheme};
    use crate::strategies::riblt::tally::Tally;
    use crate::strategies::riblt::walkers::Walkers;

    fn parts(n: usize, seed: u64) -> Vec<Part<u64>> {
        let seed = Seed::new(seed);
        let key = Key::one_party(Salt::of(seed, Role::Initiator));
        let scheme = Scheme { key, short_bits: 64, check_bits: 32, count_bits: Tally::COUNT_BITS };
        let mut rng = seed.rng();
        (0..n).map(|_| rng.next_u64()).map(|short| scheme.part(short, short)).collect()
    }

    /// Blocks give what the definition gives, symbol by symbol.
    #[test]
    fn blocks_are_the_sequence() {
        let parts = parts(300, 1);
        let mut naive = vec![Symbol::default(); 700];
        for part in &parts {
            let mut walk = part.walk;
            while walk.index() < 700 {
                naive[walk.index() as usize].apply(part, 1);
                walk.advance();
            }
        }
        let mut encoder = Encoder::new(parts.into_iter().collect::<Walkers<u64>>());
        for (i, expected) in naive.iter().enumerate() {
            assert_eq!(encoder.sent(), i as u64);
            assert_eq!(encoder.peek(), expected);
            encoder.advance();
        }
    }
}
