//! What two lists of ids differ in.

use crate::item::ItemId;

/// An id by which lists are compared.
pub trait ListedId: Ord + Copy {
    /// A number that orders ids as far as it tells them apart.
    fn head(self) -> u64;
}

impl ListedId for &[u8; ItemId::LEN] {
    fn head(self) -> u64 {
        let (words, _) = self.as_chunks();
        u64::from_be_bytes(words[0])
    }
}

impl ListedId for u64 {
    fn head(self) -> u64 {
        self
    }
}

/// Finds what is in one list and not in the other, by sorting both. Ids are compared by their first 8 bytes, which
/// tell honest ones apart, and by all of them where these are equal. Keeps its memory from one pair of lists to the next.
#[derive(Clone, Debug)]
pub struct Pairing<I> {
    mine: Vec<(u64, I, u32)>,
    theirs: Vec<(u64, I, u32)>,
}

impl<I> Default for Pairing<I> {
    fn default() -> Self {
        Self { mine: Vec::new(), theirs: Vec::new() }
    }
}

impl<I: ListedId> Pairing<I> {
    /// Calls `only_mine` and `only_theirs` with the number of each entry that has no partner in the other list, in
    /// the order of ids. An id that stands several times finds as many partners as there are.
    pub fn differences(
        &mut self,
        mine: impl Iterator<Item = (I, u32)>,
        theirs: impl Iterator<Item = (I, u32)>,
        mut only_mine: impl FnMut(u32),
        mut only_theirs: impl FnMut(u32),
    ) {
        let fill = |list: &mut Vec<(u64, I, u32)>, entries: &mut dyn Iterator<Item = (I, u32)>| {
            list.clear();
            list.extend(entries.map(|(id, number)| (id.head(), id, number)));
            list.sort_unstable();
        };
        fill(&mut self.mine, &mut { mine });
        fill(&mut self.theirs, &mut { theirs });
        let mut theirs = self.theirs.iter().peekable();
        for (head, id, number) in &self.mine {
            while let Some((_, _, other)) = theirs.next_if(|(h, other, _)| (*h, *other) < (*head, *id)) {
                only_theirs(*other);
            }
            if theirs.next_if(|(_, other, _)| other == id).is_none() {
                only_mine(*number);
            }
        }
        theirs.for_each(|(_, _, other)| only_theirs(*other));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Ids of two bytes that matter, one of them behind the first 8.
        #[test]
        fn differences_are_those_of_multisets(
            lists in proptest::array::uniform2(proptest::collection::vec((0_u8..6, 0_u8..3), 0..20)),
        ) {
            let ids = lists.map(|list| {
                list.into_iter().map(|(a, b)| {
                    let mut id = [0; 32];
                    (id[3], id[20]) = (a, b);
                    id
                }).collect::<Vec<_>>()
            });
            let [mut left, mut right] = ids.clone();
            left.retain(|id| {
                let partner = right.iter().position(|other| other == id);
                if let Some(i) = partner { right.remove(i); }
                partner.is_none()
            });
            let mut left = [left, right];
            let mut found = [Vec::new(), Vec::new()];
            let [only_mine, only_theirs] = &mut found;
            let mut pairing = Pairing::default();
            for _ in 0..2 {
                only_mine.clear();
                only_theirs.clear();
                pairing.differences(
                    ids[0].iter().zip(0..), ids[1].iter().zip(0..),
                    |i| only_mine.push(ids[0][i as usize]), |i| only_theirs.push(ids[1][i as usize]),
                );
            }
            found.iter_mut().for_each(|list| list.sort_unstable());
            left.iter_mut().for_each(|list| list.sort_unstable());
            prop_assert_eq!(found, left);
        }
    }
}
