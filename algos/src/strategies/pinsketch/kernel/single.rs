//! Elements one at a time, as a set grows: a sketch that takes them as they come.
//!
//! The same powers as in batches (see `x86`), of one element: x^(2jB) · x^(2i+1), where the parts of a register are
//! consecutive i. Products are added unreduced and reduced when the sketch is read, so each register of
//! syndromes costs one multiplication and no chain from one to the next. An element is in all sums when
//! [`Adder::add`] returns: nothing is kept for a batch.

#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Gf, Path, portable};

/// A sketch to which elements are added, or taken out, one by one.
#[derive(Clone, Debug)]
pub struct Adder {
    gf: Gf,
    capacity: usize,
    /// x, x³, x⁵, …, of each two words of which the first counts.
    babies: Vec<u64>,
    /// Unreduced, two words each; of the first row, which are sums of babies, the second word is whatever.
    /// Portable: reduced, in the first words.
    sums: Vec<u64>,
}

impl Adder {
    /// An empty sketch of `capacity` syndromes.
    pub fn new(gf: Gf, capacity: usize) -> Self {
        // Babies cost a quarter of what giants do, as they are made several at a time.
        let babies = (2 * capacity.isqrt()).next_power_of_two().max(8);
        let giants = capacity.div_ceil(babies).max(1);
        Self { gf, capacity, babies: vec![0; 2 * babies], sums: vec![0; 2 * babies * giants] }
    }

    /// Adds an element, or takes it out again; `x` may not be 0. O(capacity).
    pub fn add(&mut self, x: u64) {
        let (gf, babies, sums) = (self.gf, &mut self.babies, &mut self.sums);
        match gf.path {
            Path::Portable => portable::add(gf, sums.as_chunks_mut().0, x),
            #[cfg(target_arch = "x86_64")]
            _ => x86::add(gf, babies, sums, &x),
        }
    }

    /// The sketch as bytes.
    pub fn sketch(&self) -> Vec<u8> {
        self.gf.write(&self.syndromes())
    }

    /// The syndromes of what is in it.
    pub(super) fn syndromes(&self) -> Vec<u64> {
        let mut out: Vec<u64> = self.sums.as_chunks::<2>().0.iter().map(|sum| sum[0]).collect();
        #[cfg(target_arch = "x86_64")]
        if self.gf.path != Path::Portable {
            // The first row are babies themselves.
            let first = self.babies.len() / 2;
            x86::total_all(self.gf, &self.sums[2 * first..], &mut out[first..]);
        }
        out.truncate(self.capacity);
        out
    }
}
