//! Elements one at a time, as a set grows: a sketch that takes them as they come.
//!
//! What has come is kept until there is a block of it or somebody reads the sketch, and goes through the kernel for
//! batches then: several elements in the lanes of a register take a fraction of what one takes by itself, whose powers
//! are a chain of products and leave most of a register empty. An insert between two reads costs as much as a batch
//! makes of it; whoever reads after every insert fills a round of lanes for one element each time. Indexes keep power
//! sums in the same way (`pinsketch::kept`), and a set that is encoded at once is a sketch that is read once.

use super::{BLOCK, Gf, Grid};

/// A sketch to which elements are added, or taken out, one by one.
#[derive(Clone, Debug)]
pub struct Adder {
    gf: Gf,
    capacity: usize,
    /// Less than a block of elements that are not in the sums yet.
    pending: Vec<u64>,
    grid: Grid,
}

impl Adder {
    /// An empty sketch of `capacity` syndromes.
    pub fn new(gf: Gf, capacity: usize) -> Self {
        Self { gf, capacity, pending: Vec::new(), grid: Grid::new(capacity) }
    }

    /// Adds an element, or takes it out again; `x` may not be 0. O(capacity), though not at every time.
    #[inline]
    pub fn add(&mut self, x: u64) {
        self.pending.push(x);
        if self.pending.len() == BLOCK {
            self.settle();
        }
    }

    /// Adds many, block by block as they come.
    pub(super) fn add_all(&mut self, elements: impl IntoIterator<Item = u64>) {
        let mut elements = elements.into_iter();
        loop {
            let (mut block, mut len) = ([0; BLOCK], 0);
            for (place, element) in block.iter_mut().zip(&mut elements) {
                *place = element;
                len += 1;
            }
            self.gf.add_block(self.capacity, &mut self.grid, &block[..len]);
            if len < BLOCK {
                break;
            }
        }
    }

    /// Puts into the sums what is not in them yet.
    fn settle(&mut self) {
        self.gf.add_block(self.capacity, &mut self.grid, &self.pending);
        self.pending.clear();
    }

    /// The sketch as bytes, of all that was added.
    pub fn sketch(&mut self) -> Vec<u8> {
        let syndromes = self.syndromes();
        self.gf.write(&syndromes)
    }

    /// The syndromes of what is in it.
    pub(super) fn syndromes(&mut self) -> Vec<u64> {
        self.settle();
        (0..self.capacity).map(|place| self.gf.reduce(self.grid.syndrome(place))).collect()
    }
}
