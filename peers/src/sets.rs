//! The sets that both sides of a contest get.

use offerbench_algos::{Item, ItemId, Rng, Seed};

/// Random ids that differ from each other and of which none is 0: field elements, filter keys and short ids alike.
pub fn ids(count: u64, label: &str) -> Vec<u64> {
    let mut rng = rng(label);
    let mut ids: Vec<u64> = (0..count).map(|_| rng.next_u64().max(1)).collect();
    let drawn = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), drawn, "ids of 64 bits met: take another label");
    // Sorted input would flatter whoever sorts.
    rng.shuffle(&mut ids);
    ids
}

/// Two sets of `n` ids that differ in `d`, half of them at either side.
pub struct TwoSets {
    /// The one, and the other.
    pub sets: [Vec<u64>; 2],
    /// What only the one has, and only the other. Sorted.
    pub only: [Vec<u64>; 2],
}

impl TwoSets {
    /// `d` must be even.
    pub fn new(n: u64, d: u64, label: &str) -> Self {
        assert!(d.is_multiple_of(2) && d <= 2 * n);
        let (n, half) = (n as usize, (d / 2) as usize);
        let all = ids((n + half) as u64, label);
        let mut only = [all[..half].to_vec(), all[n..].to_vec()];
        only.iter_mut().for_each(|ids| ids.sort_unstable());
        Self { sets: [all[..n].to_vec(), all[half..].to_vec()], only }
    }
}

/// A message whose id starts with these 8 bytes.
pub fn item(short: u64) -> Item {
    let mut id: [u8; ItemId::LEN] = rng("tails").bytes();
    id[..8].copy_from_slice(&short.to_le_bytes());
    Item { at: short % 1_000_000, id: ItemId::new(id) }
}

/// Draws of this label.
pub fn rng(label: &str) -> Rng {
    Seed::new(1).child("peers").child(label).rng()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_differ_in_what_they_say() {
        let two = TwoSets::new(100, 10, "test");
        for (end, other) in [(0, 1), (1, 0)] {
            assert_eq!(two.sets[end].len(), 100);
            let mut only = two.sets[end].clone();
            only.retain(|id| !two.sets[other].contains(id));
            only.sort_unstable();
            assert_eq!(only, two.only[end]);
            assert_eq!(only.len(), 5);
        }
    }
}
