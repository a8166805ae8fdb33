//! Kernels of strategies on their own: no session, no wire, no budget.
//!
//! For benches, which set them beside other implementations, and for whoever wants the coding without the
//! dialogue. What they compute is what sessions send.

/// PinSketch, byte-compatible with minisketch; see the module of the strategy for the idea.
///
/// ```
/// use offerbench_algos::kernels::pinsketch::{Field, merge};
/// let field = Field::new(64);
/// let mut sketch = field.sketch(2, [1, 2, 3].into_iter()).expect("memory");
/// let mut adder = field.adder(2).expect("our own engine");
/// [2, 3, 4].into_iter().for_each(|id| adder.add(id));
/// merge(&mut sketch, &adder.sketch());
/// assert_eq!(field.decode(&sketch, 2, 0), Some(vec![1, 4]));
/// ```
pub mod pinsketch {
    pub use crate::strategies::pinsketch::{Adder, SketchField as Field, SketchPath as Path, merge};
}

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
