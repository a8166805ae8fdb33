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
