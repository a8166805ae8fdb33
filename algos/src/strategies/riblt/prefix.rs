//! The first symbols of a set that grows, kept up to date.
//!
//! A symbol is a sum, so a new item is added to the 2·ln m symbols of the first m on its walk, and a session that
//! finds them made costs what it sends, not what the set holds. That needs a key that outlives the session: under
//! sessions' fresh keys nothing can be kept. Whoever learns a lasting key can craft items that cancel in sums and
//! that never reconcile while it is in use; see [`crate::salt`].

use super::kernel::{Cell, Coder};
use super::symbol::Symbol;
use super::walkers::Walkers;
use crate::wire::SYMBOLS_MAX;

/// The first symbols of a set of 8-byte ids under one key.
#[derive(Clone, Debug)]
pub struct Prefix {
    coder: Coder,
    items: Walkers<u64>,
    symbols: Vec<Symbol<u64>>,
}

impl Prefix {
    /// Of `ids`, which must differ from each other, with no symbols yet; O(n).
    pub fn new(coder: Coder, ids: &[u64]) -> Self {
        let items = coder.scheme.walkers(ids.iter().map(|id| (*id, *id)));
        Self { coder, items, symbols: Vec::new() }
    }

    /// Makes sure that there are `len` symbols: O(n) for those that are missing, nothing if there are.
    ///
    /// # Panics
    ///
    /// When `len` is above [`SYMBOLS_MAX`].
    pub fn extend(&mut self, len: usize) {
        assert!(len as u64 <= SYMBOLS_MAX, "{len} symbols");
        let start = self.symbols.len();
        if len > start {
            self.symbols.resize(len, Symbol::default());
            self.items.pass(&mut self.symbols[start..], start as u64);
        }
    }

    /// Adds an id that is not in the set: O(log m) additions for m symbols.
    pub fn insert(&mut self, id: u64) {
        let mut part = self.coder.scheme.part(id, id);
        part.pass(&mut self.symbols, 0, 1);
        self.items.push(&part);
    }

    /// The symbols.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell> + '_ {
        self.symbols.iter().map(|symbol| Cell::from(*symbol))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn inserts_and_extensions_in_any_order_give_the_symbols_of_the_set() {
        let mut rng = Seed::new(6).rng();
        let ids: Vec<u64> = (0..900).map(|_| rng.next_u64()).collect();
        let coder = Coder::new(Seed::new(7), 32);
        let mut prefix = Prefix::new(coder, &ids[..500]);
        for (len, inserted) in [(0, 501), (10, 520), (10, 600), (300, 601), (7, 899), (1000, 900)] {
            prefix.extend(len);
            for id in &ids[prefix.items.len()..inserted] {
                prefix.insert(*id);
            }
            let cells: Vec<Cell> = prefix.cells().collect();
            assert_eq!(cells, coder.encode(&ids[..inserted], cells.len()));
        }
        assert_eq!(prefix.cells().len(), 1000);
    }
}
