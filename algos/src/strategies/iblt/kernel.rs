//! The tables alone, without sessions and wire: what benches set beside other implementations.

use super::table::{Coding, Peeled, Place, Shape, Table, peel};
use crate::salt::{Key, Salt};
use crate::seed::Seed;
use crate::session::Role;

/// Encodes sets of 8-byte ids into tables of one shape and decodes differences, under one key.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    shape: Shape,
    coding: Coding,
}

impl Tables {
    /// Of `cells` cells, each id in `hashes` of them, with checksums of `check_bits` bits, under a key drawn from
    /// `seed`.
    ///
    /// # Panics
    ///
    /// Unless `hashes` is 3, 4 or 5, `check_bits` is 16 or 32, and there are more cells than hashes.
    pub fn new(seed: Seed, cells: u32, hashes: u32, check_bits: u32) -> Self {
        assert!((3..=5).contains(&hashes) && matches!(check_bits, 16 | 32) && cells > hashes);
        let key = Key::one_party(Salt::of(seed, Role::Initiator));
        Self {
            shape: Shape { cells, hashes, place: Place::Free, number: 0 },
            coding: Coding { key, id_bits: 64, check_bits },
        }
    }

    /// The table of a set, O(n). The ids must differ from each other, and none may be 0.
    pub fn encode(&self, ids: &[u64]) -> Table {
        let mut table = Table::empty(self.shape);
        table.put_all(ids, &self.coding);
        table
    }

    /// Puts one more id into a table of this shape, O(1).
    pub fn insert(&self, table: &mut Table, id: u64) {
        table.put(id, &self.coding);
    }

    /// What peels off a difference of tables of this shape.
    pub fn decode(&self, difference: &Table) -> Peeled {
        peel(std::slice::from_ref(difference), &self.coding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A batch is what single insertions are, whatever is left over for the last lanes; and what differs
        /// comes back.
        #[test]
        fn batches_are_single_insertions(n in 0_usize..300, lost in 0_usize..10, k in 3_u32..=5, seed: u64) {
            let mut rng = Seed::new(seed).rng();
            let ids: Vec<u64> = (0..n + lost).map(|_| rng.next_u64() | 1).collect();
            let tables = Tables::new(Seed::new(seed), 60, k, 32);
            let mut single = Table::empty(tables.shape);
            for id in &ids {
                tables.insert(&mut single, *id);
            }
            prop_assert_eq!(&single, &tables.encode(&ids));
            single.subtract(&tables.encode(&ids[lost..]));
            let peeled = tables.decode(&single);
            let mut expected = ids[..lost].to_vec();
            expected.sort_unstable();
            // Ten ids in sixty cells seldom share all their cells; one id always comes out.
            prop_assert!(!peeled.complete || (peeled.plus == expected && peeled.minus.is_empty()));
            prop_assert!(peeled.complete || lost > 1);
        }
    }
}
