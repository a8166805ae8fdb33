//! Elements one at a time, as a set grows: a sketch that takes them as they come.
//!
//! The same powers as in batches (see `x86`), of one element: x^(2jB) · x^(2i+1), where the lanes of a register are
//! consecutive i. Products are added unreduced and reduced when the sketch is read, so each register of
//! syndromes costs two multiplications and no chain from one to the next.

#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Gf, Path, portable};

/// A sketch to which elements are added, or taken out, one by one.
#[derive(Clone, Debug)]
pub struct Adder {
    gf: Gf,
    capacity: usize,
    /// x, x³, x⁵, …, a multiple of four of them.
    babies: Vec<u64>,
    /// Unreduced, in the order of the registers: products of lanes with even places, then with odd ones.
    /// Portable: low words of reduced sums.
    sums: Vec<u64>,
}

impl Adder {
    /// An empty sketch of `capacity` syndromes.
    pub fn new(gf: Gf, capacity: usize) -> Self {
        let babies = capacity.isqrt().next_multiple_of(4).max(4);
        let giants = capacity.div_ceil(babies);
        Self { gf, capacity, babies: vec![0; babies], sums: vec![0; 2 * babies * giants] }
    }

    /// Adds an element, or takes it out again; `x` may not be 0. O(capacity).
    pub fn add(&mut self, x: u64) {
        let (gf, babies, sums) = (self.gf, &mut self.babies, &mut self.sums);
        match gf.path {
            Path::Portable => portable::add(gf, sums.as_chunks_mut().0, x),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul128 => x86::add128(gf, babies, sums, x),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul256 => x86::add256(gf, babies, sums, x),
        }
    }

    /// The sketch as bytes.
    pub fn sketch(&self) -> Vec<u8> {
        self.gf.write(&self.syndromes())
    }

    /// The syndromes of what is in it.
    pub(super) fn syndromes(&self) -> Vec<u64> {
        let mut out = vec![0; self.sums.len() / 2];
        match self.gf.path {
            Path::Portable => {
                out.iter_mut().zip(self.sums.as_chunks::<2>().0).for_each(|(x, sum)| *x = sum[0]);
            }
            #[cfg(target_arch = "x86_64")]
            Path::Clmul128 => x86::total_all128(self.gf, &self.sums, &mut out),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul256 => x86::total_all256(self.gf, &self.sums, &mut out),
        }
        out.truncate(self.capacity);
        out
    }
}
