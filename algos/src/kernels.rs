//! Kernels of strategies on their own: no session, no wire, no budget.
//!
//! For benches, which set them beside other implementations, and for whoever wants the coding without the
//! dialogue. What they compute is what sessions send.

/// Rateless invertible Bloom lookup tables; see the module of the strategy for the idea.
///
/// ```
/// use offerbench_algos::{Seed, kernels::riblt::{Coder, subtract}};
/// let coder = Coder::new(Seed::new(1), 32);
/// let (ours, theirs) = (coder.encode(&[1, 2, 3], 10), coder.encode(&[2, 3, 4], 10));
/// let mut found = coder.decode(&subtract(&ours, &theirs)).expect("enough symbols");
/// found.sort_unstable();
/// assert_eq!(found, [(1, 1), (4, -1)]);
/// ```
pub mod riblt {
    pub use crate::strategies::riblt::kernel::{Cell, Coder, subtract};
    pub use crate::strategies::riblt::prefix::Prefix;
}

/// Blocked Bloom filters; see the module for the idea.
///
/// ```
/// use offerbench_algos::kernels::bloom::{Blocked, Probes, rate};
/// let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
/// let mut filter = Blocked::new(Probes::Eight, 20);
/// filter.insert_all(&[hash(1), hash(2)]);
/// filter.insert(hash(3));
/// assert_eq!(filter.affirms_all(&[hash(1), hash(4), hash(3)]), 0b101);
/// assert!(rate(Probes::Eight, 1000, 20) < 0.01);
/// ```
pub mod bloom {
    pub use crate::strategies::bloom::blocked::{BLOCK_BITS, Blocked, Path, Probes, QUERIES_MAX, rate};
}
