//! All items of a set on their walks.
//!
//! What is added up, the states of the walks and their next indices are kept apart, so that vector units find
//! them side by side, and the look for who is due reads 4 bytes an item. The set is taken in waves that fit into the
//! first-level cache with room for symbols: all walks of a wave add themselves to the symbol they stand at, then all
//! take a step (`wave.rs`). The additions of a step are independent, so that many can be under way where
//! symbols lie outside the cache; item by item each would wait for the walk.

use std::hint::black_box;

use super::symbol::{Name, Part, Symbol};
use super::tally::Times;
use super::wave::{FAR, Path, WAVE, Wave};

/// What an item adds to its symbols.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Addend<N> {
    /// What stands for it.
    pub name: N,
    /// Its checksum.
    pub check: u64,
}

impl<N: Name> Addend<N> {
    /// Adds it, or takes it out.
    #[inline(always)]
    pub fn apply(&self, symbol: &mut Symbol<N>, times: Times) {
        // All is read before any is written: so the compiler makes vectors of it.
        let Symbol { mut sum, tally } = *symbol;
        sum.xor(&self.name);
        let mut tally = tally.with(self.check, 0);
        times.add_to(&mut sum.words_mut()[N::WORDS - 1], &mut tally);
        *symbol = Symbol { sum, tally };
    }
}

/// Items on their walks.
#[derive(Clone, Debug)]
pub struct Walkers<N> {
    path: Path,
    addends: Vec<Addend<N>>,
    states: Vec<u64>,
    nexts: Vec<u32>,
}

impl<N: Name> Walkers<N> {
    /// None yet.
    pub fn new(path: Path) -> Self {
        Self { path, addends: Vec::new(), states: Vec::new(), nexts: Vec::new() }
    }

    /// Takes an item where it stands.
    pub fn push(&mut self, part: &Part<N>) {
        self.addends.push(Addend { name: part.name, check: part.check });
        self.states.push(part.walk.state());
        self.nexts.push(part.walk.index().min(u64::from(FAR)) as u32);
    }

    /// Makes room.
    pub fn reserve(&mut self, more: usize) {
        self.addends.reserve_exact(more);
        self.states.reserve_exact(more);
        self.nexts.reserve_exact(more);
    }

    /// How many.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.nexts.len()
    }

    /// What stands for each from number `start` on, in the order in which they came.
    pub fn names_from(&self, start: usize) -> impl ExactSizeIterator<Item = N> + '_ {
        self.addends[start..].iter().map(|addend| addend.name)
    }

    /// A copy of the first `len` of them.
    pub fn first(&self, len: usize) -> Self {
        Self {
            path: self.path,
            addends: self.addends[..len].to_vec(),
            states: self.states[..len].to_vec(),
            nexts: self.nexts[..len].to_vec(),
        }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.addends.capacity() * size_of::<Addend<N>>()
            + self.states.capacity() * size_of::<u64>()
            + self.nexts.capacity() * size_of::<u32>()
    }

    /// All walk through `symbols`, of which the first has index `start`, adding themselves to all they meet. They
    /// must have passed all symbols before, and there are at most `SYMBOLS_MAX` with these.
    pub fn pass(&mut self, symbols: &mut [Symbol<N>], start: u64) {
        let end = (start as usize + symbols.len()) as u32;
        let mut wave = Wave::new(self.path);
        let homes = self.states.chunks_mut(WAVE).zip(self.nexts.chunks_mut(WAVE));
        let mut last = [Addend::default(); WAVE];
        for (addends, (states, nexts)) in self.addends.chunks(WAVE).zip(homes) {
            wave.load(states, nexts, [start as u32, end]);
            let addends = addends.try_into().unwrap_or_else(|_| {
                last[..addends.len()].copy_from_slice(addends);
                &last
            });
            add_wave(addends, &mut wave, symbols, start as u32);
            wave.unload(states, nexts);
        }
    }
}

impl<N: Name> FromIterator<Part<N>> for Walkers<N> {
    fn from_iter<T: IntoIterator<Item = Part<N>>>(parts: T) -> Self {
        let mut walkers = Self::new(Path::best());
        parts.into_iter().for_each(|part| walkers.push(&part));
        walkers
    }
}

/// A wave walks through `symbols`, of which the first has index `start`.
pub fn add_wave<N: Name>(
    addends: &[Addend<N>; WAVE],
    wave: &mut Wave,
    symbols: &mut [Symbol<N>],
    start: u32,
) {
    #[cfg(target_arch = "x86_64")]
    super::head::add_head(addends, wave, symbols, start);
    // What the compiler does not know, it adds to name and tally at once.
    let once = black_box(Times::new(1));
    // Nobody asks which have changed.
    let mut marks = vec![(); symbols.len()];
    if start == 0 && wave.places().iter().all(|place| place.index() == 0) {
        // Fresh walks all stand at symbol 0: added up in registers, not one after the other in memory.
        let mut all = Symbol::default();
        wave.places()
            .iter()
            .for_each(|place| addends[usize::from(place.number())].apply(&mut all, Times::new(1)));
        wave.step((addends, &[(); WAVE]), (symbols, &mut marks), |_, _| ());
        if let Some(first) = symbols.first_mut() {
            first.add(&all);
        }
    }
    while !wave.places().is_empty() {
        wave.step((addends, &[(); WAVE]), (symbols, &mut marks), |(addend, ()), (symbol, ())| {
            addend.apply(symbol, once);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::strategies::riblt::mapping::Walk;

    fn parts<N: Name>(n: usize, name: impl Fn(u64) -> N) -> Vec<Part<N>> {
        let mut rng = Seed::new(31).nth(n as u64).rng();
        let mut part = || {
            let hash = rng.next_u64();
            Part { name: name(hash >> 3), check: hash & 0xffff, walk: Walk::new(hash) }
        };
        (0..n).map(|_| part()).collect()
    }

    fn blocks_are_what_items_add_alone<N: Name + std::fmt::Debug>(name: impl Fn(u64) -> N) {
        for n in [0, 1, 2, 3, 5, 255, 256, 257, 1000] {
            let parts = parts(n, &name);
            for ends in [vec![1, 2, 3, 70], vec![8, 64, 128, 1000], vec![5000]] {
                for path in Path::all() {
                    let (mut alone, mut walkers) = (parts.clone(), Walkers::new(path));
                    parts.iter().for_each(|part| walkers.push(part));
                    let mut start = 0_u64;
                    for end in &ends {
                        let fresh = vec![Symbol::default(); (end - start) as usize];
                        let (mut expected, mut symbols) = (fresh.clone(), fresh);
                        alone.iter_mut().for_each(|part| part.pass(&mut expected, start, 1));
                        walkers.pass(&mut symbols, start);
                        assert!(symbols == expected, "{n} items, symbols {start} to {end}, {}", path.name());
                        start = *end;
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_of_short_ids() {
        blocks_are_what_items_add_alone(|hash| hash);
    }

    #[test]
    fn blocks_of_full_ids() {
        blocks_are_what_items_add_alone(|hash| [hash, !hash, hash << 7, 5]);
    }
}
