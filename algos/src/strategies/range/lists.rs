//! What two lists of ids differ in.

use crate::item::ItemId;

/// An id by which lists are compared.
pub trait ListedId: Ord + Copy {
    /// A number that orders ids as far as it tells them apart.
    fn head(self) -> u64;
}

impl ListedId for [u8; ItemId::LEN] {
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

/// How far ahead a partner is looked for, while lists are in one order.
const NEAR: usize = 4;

/// Finds what is in one list and not in the other. Honest lists are in the order of the set, so they begin alike and end
/// alike, and one walk along both pairs nearly everything between; what is left is sorted and paired, in whatever order
/// it came. Ids are compared by their first 8 bytes, which tell honest ones apart, and by all of them where these are
/// equal. Keeps its memory from one pair of lists to the next. O(n) in one order, O(n log n) at worst.
#[derive(Clone, Debug)]
pub struct Pairing<I> {
    mine: Vec<(u64, I, u32)>,
    theirs: Vec<(u64, I, u32)>,
    /// What the walk has left.
    left: [Vec<(u64, I, u32)>; 2],
}

impl<I> Default for Pairing<I> {
    fn default() -> Self {
        Self { mine: Vec::new(), theirs: Vec::new(), left: [Vec::new(), Vec::new()] }
    }
}

impl<I: ListedId> Pairing<I> {
    /// Calls `only_mine` and `only_theirs` with the number of each entry that has no partner in the other list, in
    /// the order of ids. An id that stands several times finds as many partners as there are.
    pub fn differences(
        &mut self,
        mut mine: impl DoubleEndedIterator<Item = (I, u32)>,
        mut theirs: impl DoubleEndedIterator<Item = (I, u32)>,
        mut only_mine: impl FnMut(u32),
        mut only_theirs: impl FnMut(u32),
    ) {
        self.mine.clear();
        self.theirs.clear();
        let with_head = |(id, number): (I, u32)| (id.head(), id, number);
        // What both begin with and what both end with is paired; one that has no partner there is kept.
        let [mine_first, theirs_first] = unlike(|| mine.next(), || theirs.next());
        let [mine_last, theirs_last] = unlike(|| mine.next_back(), || theirs.next_back());
        self.mine.extend(mine_first.into_iter().chain(mine).chain(mine_last).map(with_head));
        self.theirs.extend(theirs_first.into_iter().chain(theirs).chain(theirs_last).map(with_head));
        self.walk();
        let [mine, theirs] = &mut self.left;
        mine.sort_unstable();
        theirs.sort_unstable();
        let mut theirs = theirs.iter().peekable();
        for (head, id, number) in mine {
            while let Some((_, _, other)) = theirs.next_if(|(h, other, _)| (*h, *other) < (*head, *id)) {
                only_theirs(*other);
            }
            if theirs.next_if(|(_, other, _)| *other == *id).is_none() {
                only_mine(*number);
            }
        }
        theirs.for_each(|(_, _, other)| only_theirs(*other));
    }

    /// Pairs what stands in one order, and puts the rest aside.
    fn walk(&mut self) {
        let (mut mine, mut theirs) = (&self.mine[..], &self.theirs[..]);
        let [left_mine, left_theirs] = &mut self.left;
        left_mine.clear();
        left_theirs.clear();
        let place_in = |list: &[(u64, I, u32)], entry: &(u64, I, u32)| {
            list.iter().take(NEAR).position(|other| other.0 == entry.0 && other.1 == entry.1)
        };
        while let (Some(first), Some(other)) = (mine.first(), theirs.first()) {
            if let Some(before) = place_in(theirs, first) {
                left_theirs.extend_from_slice(&theirs[..before]);
                (mine, theirs) = (&mine[1..], &theirs[before + 1..]);
            } else if let Some(before) = place_in(mine, other) {
                left_mine.extend_from_slice(&mine[..before]);
                (mine, theirs) = (&mine[before + 1..], &theirs[1..]);
            } else {
                left_mine.push(*first);
                left_theirs.push(*other);
                (mine, theirs) = (&mine[1..], &theirs[1..]);
            }
        }
        left_mine.extend_from_slice(mine);
        left_theirs.extend_from_slice(theirs);
    }
}

/// The next entries of two lists that differ, or whatever is left of one when the other has ended.
fn unlike<I: ListedId>(
    mut mine: impl FnMut() -> Option<(I, u32)>,
    mut theirs: impl FnMut() -> Option<(I, u32)>,
) -> [Option<(I, u32)>; 2] {
    loop {
        match (mine(), theirs()) {
            (Some((id, _)), Some((other, _))) if id == other => {}
            (mine, theirs) => return [mine, theirs],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Ids of two bytes that matter, one of them behind the first 8; in any order, or in one.
        #[test]
        fn differences_are_those_of_multisets(
            sorted: bool,
            mut lists in proptest::array::uniform2(proptest::collection::vec((0_u8..6, 0_u8..3), 0..20)),
        ) {
            if sorted {
                lists.iter_mut().for_each(|list| list.sort_unstable());
            }
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
                    ids[0].iter().copied().zip(0..ids[0].len() as u32), ids[1].iter().copied().zip(0..ids[1].len() as u32),
                    |i| only_mine.push(ids[0][i as usize]), |i| only_theirs.push(ids[1][i as usize]),
                );
            }
            found.iter_mut().for_each(|list| list.sort_unstable());
            left.iter_mut().for_each(|list| list.sort_unstable());
            prop_assert_eq!(found, left);
        }
    }
}
