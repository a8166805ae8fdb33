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

/// Sets in order whose ranges have fingerprints in O(log n); see the module of the tree for the idea.
///
/// ```
/// use offerbench_algos::{Item, ItemId, kernels::range::{RangeSet, fingerprint}};
/// let item = |n: u8| Item { at: u64::from(n), id: ItemId::new([n; 32]) };
/// let (mut ours, theirs) = (RangeSet::seal(&[item(3), item(1)]), RangeSet::seal(&[item(1), item(2), item(3)]));
/// let snapshot = ours.clone();
/// assert!(ours.insert(item(2)));
/// assert_eq!(fingerprint(&ours, 0..3), fingerprint(&theirs, 0..3));
/// assert_eq!(fingerprint(&snapshot, 1..2), fingerprint(&theirs, 2..3));
/// ```
pub mod range {
    use std::ops::Range;

    use crate::strategies::range::fingerprint;
    pub use crate::strategies::range::fingerprint::{FINGERPRINT_LEN, IdSum, path};
    pub use crate::strategies::range::tree::{Cursor, RangeSet};

    /// The fingerprint of negentropy v1 of the items at these places; O(log n).
    ///
    /// # Panics
    ///
    /// When `places` ends behind the set or before it starts.
    pub fn fingerprint(set: &RangeSet, places: Range<usize>) -> [u8; FINGERPRINT_LEN] {
        let mut cursor = set.cursor();
        let before = cursor.sum_below(places.start);
        fingerprint::fingerprint(&(cursor.sum_below(places.end) - before), (places.end - places.start) as u64)
    }
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

/// Invertible Bloom lookup tables; see the module of the strategy for the idea.
///
/// ```
/// use offerbench_algos::{Seed, kernels::iblt::Tables};
/// // 20 cells, 4 hashes, checksums of 16 bits.
/// let tables = Tables::new(Seed::new(1), 20, 4, 16);
/// let (mut ours, theirs) = (tables.encode(&[1, 2, 3]), tables.encode(&[2, 3, 4]));
/// ours.subtract(&theirs);
/// let peeled = tables.decode(&ours);
/// assert!(peeled.complete);
/// assert_eq!((peeled.plus, peeled.minus), (vec![1], vec![4]));
/// ```
pub mod iblt {
    pub use crate::strategies::iblt::kernel::Tables;
    pub use crate::strategies::iblt::table::{Cell, Peeled, Table};
}

/// Estimators of d, and what they count with; see the modules for the ideas.
///
/// ```
/// use offerbench_algos::{ItemId, Seed, kernels::estimate::{Counters, Estimator}};
/// let (estimator, ids) = (Estimator::new(Seed::new(1)), [[1; 32], [2; 32], [3; 32]].map(ItemId::new));
/// assert_eq!(estimator.between(estimator.strata(&ids), &estimator.strata(&ids[1..])), 1);
/// assert_eq!(estimator.tow(&ids).estimate(&estimator.tow(&ids)), 0);
/// let mut counters = Counters::default();
/// counters.add(0b101);
/// counters.add_eight(&[1; 8]);
/// assert_eq!(counters.finish()[..3], [9, 0, 1]);
/// ```
pub mod estimate {
    pub use crate::estimate::counters::{COUNTERS, Counters, EIGHT};
    pub use crate::estimate::kernel::Estimator;
    pub use crate::estimate::strata::Strata;
    pub use crate::estimate::tow::Tow;
}

/// Binary fuse filters: built segment by segment, asked in batches; see the modules for the ideas.
///
/// ```
/// use offerbench_algos::kernels::fuse::{affirms_all, build};
/// let filter = build::<u16>(vec![1, 2, 3]).expect("three keys are built");
/// assert_eq!(affirms_all(&filter.descriptor, &filter.cells, &[1, 2, 3]), 0b111);
/// ```
pub mod fuse {
    pub use crate::strategies::fuse::batch::{Cell, QUERIES_MAX, affirms_all, path};
    pub use crate::strategies::fuse::build::{Built, build};
}
