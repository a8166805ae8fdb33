//! The first symbols of a set that grows, kept up to date.
//!
//! A symbol is a sum, so a new item is added to the 2·ln m symbols of the first m on its walk, and a session that
//! finds them made costs what it sends, not what the set holds. That needs a key that outlives the session: under
//! sessions' fresh keys nothing can be kept. Whoever learns a lasting key can craft items that cancel in sums, and
//! so make the first attempt of sessions fail; see [`crate::salt`].

use super::kernel::{Cell, Coder};
use super::symbol::{Name, Scheme, Symbol};
use super::walkers::Walkers;
use crate::wire::SYMBOLS_MAX;

/// The first symbols of a set under one key, and its items where their walks stand after these.
#[derive(Clone, Debug)]
pub struct Sums<N> {
    /// The key.
    pub scheme: Scheme,
    items: Walkers<N>,
    symbols: Vec<Symbol<N>>,
}

impl<N: Name> Sums<N> {
    /// Of items at the start of their walks, with no symbols yet.
    pub fn new(scheme: Scheme, items: Walkers<N>) -> Self {
        Self { scheme, items, symbols: Vec::new() }
    }

    /// The items in the order in which they came.
    pub fn items(&self) -> &Walkers<N> {
        &self.items
    }

    /// The symbols.
    pub fn symbols(&self) -> &[Symbol<N>] {
        &self.symbols
    }

    /// Makes sure that there are `len` symbols: O(n) for those that are missing, nothing if there are.
    pub fn extend(&mut self, len: usize) {
        let start = self.symbols.len();
        if len > start {
            self.symbols.resize(len, Symbol::default());
            self.items.pass(&mut self.symbols[start..], start as u64);
        }
    }

    /// Adds an item that is not in the set: O(log m) additions for m symbols.
    pub fn insert(&mut self, name: N, short: u64) {
        let mut part = self.scheme.part(name, short);
        part.pass(&mut self.symbols, 0, 1);
        self.items.push(&part);
    }

    /// Adds to `symbols`, of which the first has index `start`, those of the first `len` items alone. They must have
    /// been made. O(log m) for each item that came later.
    pub fn add_to(&self, symbols: &mut [Symbol<N>], start: usize, len: usize) {
        for (symbol, kept) in symbols.iter_mut().zip(&self.symbols[start..]) {
            symbol.add(kept);
        }
        for name in self.items.names_from(len) {
            let mut part = self.scheme.part(name, name.short(&self.scheme.key));
            part.skip_to(start as u64);
            part.pass(symbols, start as u64, -1);
        }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.items.heap_bytes() + self.symbols.capacity() * size_of::<Symbol<N>>()
    }
}

/// The first symbols of a set of 8-byte ids under one key.
#[derive(Clone, Debug)]
pub struct Prefix(Sums<u64>);

impl Prefix {
    /// Of `ids`, which must differ from each other, with no symbols yet; O(n).
    pub fn new(coder: Coder, ids: &[u64]) -> Self {
        let items = coder.scheme.walkers(ids.iter().map(|id| (*id, *id)));
        Self(Sums::new(coder.scheme, items))
    }

    /// Makes sure that there are `len` symbols: O(n) for those that are missing, nothing if there are.
    ///
    /// # Panics
    ///
    /// When `len` is above [`SYMBOLS_MAX`].
    pub fn extend(&mut self, len: usize) {
        assert!(len as u64 <= SYMBOLS_MAX, "{len} symbols");
        self.0.extend(len);
    }

    /// Adds an id that is not in the set: O(log m) additions for m symbols.
    pub fn insert(&mut self, id: u64) {
        self.0.insert(id, id);
    }

    /// The symbols.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell> + '_ {
        self.0.symbols.iter().map(|symbol| Cell::from(*symbol))
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
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
            for id in &ids[prefix.0.items.len()..inserted] {
                prefix.insert(*id);
            }
            let cells: Vec<Cell> = prefix.cells().collect();
            assert_eq!(cells, coder.encode(&ids[..inserted], cells.len()));
        }
        assert_eq!(prefix.cells().len(), 1000);
        // As they were before the last hundred came.
        for (start, end) in [(0, 8), (3, 700), (999, 1000)] {
            let mut symbols = vec![Symbol::default(); end - start];
            prefix.0.add_to(&mut symbols, start, 800);
            let expected = coder.encode(&ids[..800], end);
            assert!(symbols.into_iter().map(Cell::from).eq(expected[start..].iter().copied()));
        }
    }
}
