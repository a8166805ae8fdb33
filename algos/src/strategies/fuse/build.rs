//! Making a binary fuse filter, segment by segment.
//!
//! **Source.** Graf and Lemire's reference code, which `xorf` follows: sizes, seeds and the places of keys are theirs, so
//! that a filter has the same length and descriptor whoever makes it. Only the contents of cells depend on the order of
//! peeling; any order answers alike.
//!
//! **Idea.** Three cells of a key must xor to its fingerprint. A cell that only one key uses can be left to that key:
//! take the key away, which leaves other cells to one key, and go on. Backwards in this order every key finds its cell
//! free, and is given what is missing. All that is random access, to 9 bytes a cell and more. But the cells of a key lie
//! in three segments that follow each other, and the first of them is the key's hash times the number of segments:
//! keys that are dealt out by it (one pass of a radix sort) come to their cells in order. Counting is then at work in
//! three segments only, and so is peeling: the lonely cells of one segment are followed as far as they lead, first come
//! first served, before the next segment is looked at. What this leads to is near, since each step leads two segments
//! on at most, and what waits in the queue does not depend on what comes before, so that the processor works at several
//! keys at once (last come first served each would wait for the one before).
//!
//! **What we do differently.** `xorf` deals keys out too, but peels from the last cell of all and last come first
//! served; it also keeps which of its three cells a key was found in, and branches on it. Here all three are treated
//! alike: they lose the key, of which the cell it was found in then is told again, and in the end all three are xored,
//! since the free one is zero. Keys need not be distinct: equal ones never peel, and are looked for only when a first
//! try has failed.

use xorf::Descriptor;

use super::batch::{Cell, mix, places};

/// Seeds that are tried before one gives up.
pub const TRIES: u64 = 1000;
/// Longest segment: 2^18 cells.
pub const SEGMENT_LOG_MAX: u32 = 18;

/// The seed that is tried after `index` others: drawn from SplitMix64 with the state 1.
pub fn seed_of(index: u64) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    xorf::splitmix64(&mut STEP.wrapping_mul(index).wrapping_add(1))
}

/// Segments of a filter: the logarithm of their length, and in how many of them keys have their first cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    log: u32,
    firsts: u32,
}

impl Layout {
    /// For `n` keys, by the formulas of the paper.
    fn of(n: usize) -> Self {
        let size = n as f64;
        let log = libm::floor(libm::log(size) / libm::log(3.33) + 2.25) as u32;
        let log = log.min(SEGMENT_LOG_MAX);
        let cells_per_key = libm::fmax(1.125, 0.875 + 0.25 * libm::log(1e6) / libm::log(size));
        let cells = if n > 1 { libm::round(size * cells_per_key) as u32 } else { 0 };
        Self { log, firsts: cells.div_ceil(1 << log).saturating_sub(2).max(1) }
    }

    fn cells(self) -> usize {
        (self.firsts as usize + 2) << self.log
    }

    /// For the try with this number. Segments are somewhat too long where the formula has just doubled them, so that
    /// every fourth try makes twice as many of half the length in the same array, as `xorf` does.
    fn at_try(self, index: u64, n: usize) -> Self {
        if index % 4 == 1 && n > 4 && n < 1_000_000 {
            Self { log: self.log - 1, firsts: 2 * self.firsts + 2 }
        } else {
            self
        }
    }

    fn descriptor(self, seed: u64) -> Descriptor {
        let segment_length = 1 << self.log;
        Descriptor {
            seed,
            segment_length,
            segment_length_mask: segment_length - 1,
            segment_count_length: self.firsts << self.log,
        }
    }
}

/// A filter that was made.
#[derive(Clone, Debug)]
pub struct Built<C> {
    /// Number of its seed.
    pub index: u64,
    /// How to find cells.
    pub descriptor: Descriptor,
    /// The cells.
    pub cells: Vec<C>,
}

/// The filter of some keys, of which there is at least one. Nothing when no seed will do, which nobody has observed.
pub fn build<C: Cell>(mut keys: Vec<u64>) -> Option<Built<C>> {
    let mut layout = Layout::of(keys.len());
    let mut graph = Graph::new(layout.cells(), keys.len());
    let mut index = 0;
    while index < TRIES {
        let now = layout.at_try(index, keys.len());
        let descriptor = now.descriptor(seed_of(index));
        graph.link(&keys, now, &descriptor);
        if graph.peel(now, &descriptor) == keys.len() {
            let cells = graph.assign(&descriptor);
            return Some(Built { index, descriptor, cells });
        }
        let len = keys.len();
        if index == 0 {
            keys.sort_unstable();
            keys.dedup();
        }
        if keys.len() < len {
            layout = Layout::of(keys.len());
            graph = Graph::new(layout.cells(), keys.len());
        } else {
            graph.clear();
            index += 1;
        }
    }
    None
}

/// Which keys use which cells.
struct Graph {
    /// Of keys, in the order of their first segments.
    hashes: Vec<u64>,
    /// Of each cell: how many keys use it, and the xor of their hashes.
    counts: Vec<u8>,
    links: Vec<u64>,
    /// Cells that one key alone uses, or did when they were written down. Those to which a key was left come first.
    lonely: Vec<u32>,
}

impl Graph {
    fn new(cells: usize, keys: usize) -> Self {
        Self {
            hashes: vec![0; keys],
            counts: vec![0; cells],
            links: vec![0; cells],
            // Each cell comes to be lonely once; what is written and not kept needs a place too.
            lonely: vec![0; cells + 1],
        }
    }

    fn clear(&mut self) {
        self.counts.fill(0);
        self.links.fill(0);
    }

    /// Deals keys out and links them to their cells.
    fn link(&mut self, keys: &[u64], layout: Layout, descriptor: &Descriptor) {
        let segment = |hash: u64| ((u128::from(hash) * u128::from(layout.firsts)) >> 64) as usize;
        // Where the next key of a segment goes; the number of keys of the segment before at first.
        let mut nexts = vec![0_u32; layout.firsts as usize + 1];
        for key in keys {
            nexts[segment(mix(*key, descriptor.seed)) + 1] += 1;
        }
        let mut sum = 0;
        for next in &mut nexts {
            sum += *next;
            *next = sum;
        }
        for key in keys {
            let hash = mix(*key, descriptor.seed);
            let next = &mut nexts[segment(hash)];
            self.hashes[*next as usize] = hash;
            *next += 1;
        }
        for hash in &self.hashes {
            for place in places(descriptor, *hash) {
                let count = &mut self.counts[place as usize];
                *count = count.wrapping_add(1);
                self.links[place as usize] ^= hash;
            }
        }
    }

    /// Leaves as many keys to cells as can be: how many.
    fn peel(&mut self, layout: Layout, descriptor: &Descriptor) -> usize {
        let Self { counts, links, lonely, .. } = self;
        let (mut head, mut tail, mut peeled) = (0, 0, 0);
        for segment in 0..layout.firsts as usize + 2 {
            let (start, end) = (segment << layout.log, (segment + 1) << layout.log);
            for (cell, count) in (start as u32..).zip(&counts[start..end]) {
                lonely[tail] = cell;
                tail += usize::from(*count == 1);
            }
            while head < tail {
                let cell = lonely[head];
                head += 1;
                if counts[cell as usize] != 1 {
                    continue;
                }
                let hash = links[cell as usize];
                for place in places(descriptor, hash) {
                    let count = &mut counts[place as usize];
                    *count = count.wrapping_sub(1);
                    links[place as usize] ^= hash;
                    lonely[tail] = place;
                    tail += usize::from(*count == 1);
                }
                links[cell as usize] = hash;
                lonely[peeled] = cell;
                peeled += 1;
            }
        }
        peeled
    }

    /// Gives every cell that a key was left to what is missing there.
    fn assign<C: Cell>(&self, descriptor: &Descriptor) -> Vec<C> {
        let mut cells = vec![C::default(); self.counts.len()];
        for cell in self.lonely[..self.hashes.len()].iter().rev() {
            let hash = self.links[*cell as usize];
            let [a, b, c] = places(descriptor, hash).map(|place| cells[place as usize]);
            cells[*cell as usize] = C::fingerprint(hash) ^ a ^ b ^ c;
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use xorf::{BinaryFuse8, BinaryFuse16, Filter as _};

    /// A filter is as long as `xorf`'s, with the same seed and segments, and `xorf` affirms by it what was put in and
    /// hardly anything else. Sizes just below and above where segments double, where first tries fail.
    #[test]
    fn filters_are_those_of_xorf_but_for_the_order_of_peeling() {
        let doubling = (5..12).flat_map(|log| {
            let n = 3.33_f64.powf(f64::from(log) - 2.25) as usize;
            [n - 1, n, n + 1, n + 2]
        });
        let mut retried = 0;
        for n in (1..200).chain(doubling).chain([11_515, 100_000]) {
            let mut rng = Seed::new(1).nth(n as u64).rng();
            let keys: Vec<u64> = (0..n).map(|_| rng.next_u64()).collect();
            let theirs = BinaryFuse8::try_from(&keys[..]).unwrap();
            let ours = build::<u8>(keys.clone()).unwrap();
            assert_eq!(ours.descriptor, theirs.descriptor, "{n}");
            assert_eq!(ours.cells.len(), theirs.fingerprints.len(), "{n}");
            assert_eq!(seed_of(ours.index), theirs.descriptor.seed);
            retried += u64::from(ours.index > 0);
            let narrow = BinaryFuse8 { descriptor: ours.descriptor, fingerprints: ours.cells.into() };
            let wide = build::<u16>(keys.clone()).unwrap();
            let wide = BinaryFuse16 { descriptor: wide.descriptor, fingerprints: wide.cells.into() };
            assert!(keys.iter().all(|key| narrow.contains(key) && wide.contains(key)), "{n}");
            let strangers: Vec<u64> = (0..2000).map(|_| rng.next_u64()).collect();
            let hits = strangers.iter().filter(|key| narrow.contains(key)).count();
            assert!(hits < 40, "{n}: {hits} of 2000 strangers, 8 expected");
        }
        assert!(retried > 0, "no first try failed");
    }

    #[test]
    fn equal_keys_are_put_in_once() {
        let mut rng = Seed::new(2).rng();
        let keys: Vec<u64> = (0..3000).map(|_| rng.next_u64()).collect();
        let more = [&keys[..], &keys[..70], &[keys[5]; 300]].concat();
        let built = build::<u8>(more).unwrap();
        let theirs = BinaryFuse8::try_from(&keys[..]).unwrap();
        assert_eq!((built.descriptor, built.cells.len()), (theirs.descriptor, theirs.fingerprints.len()));
    }
}
