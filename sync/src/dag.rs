//! The graph of a group's messages as one member sees it: what is complete, what waits for whom, the heads.
//!
//! A message is *complete* when it and all its ancestors are here. Ids are hashes over the parents, so there are
//! no cycles; but anybody may name parents that do not exist, and such a message waits for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use fixedbitset::FixedBitSet;
use offerbench_algos::ItemId;

use crate::library::{GroupId, Library, MsgNo};

/// Messages that [`Dag::some_absent`] names at a time.
const ABSENT_MAX: usize = 8;

/// See the module.
#[derive(Debug, Default)]
pub struct Dag {
    complete: FixedBitSet,
    /// Messages here that are not complete, with the number of parents that are not.
    waiting: BTreeMap<MsgNo, usize>,
    /// The waiting children of a message that is not complete.
    children: BTreeMap<ItemId, Vec<MsgNo>>,
    heads: BTreeMap<GroupId, BTreeSet<MsgNo>>,
    /// Messages for which others wait and which are not here at all.
    absent: BTreeSet<ItemId>,
    /// Where [`Dag::some_absent`] goes on.
    turn: Option<ItemId>,
}

impl Dag {
    /// Whether a message and all its ancestors are here.
    pub fn is_complete(&self, no: MsgNo) -> bool {
        self.complete.contains(no.place())
    }

    /// Messages that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Complete messages without a complete child.
    pub fn heads(&self, group: GroupId) -> impl DoubleEndedIterator<Item = MsgNo> + '_ {
        self.heads.get(&group).into_iter().flatten().copied()
    }

    /// Parents of a message that are not complete; those that are not even here are to be fetched.
    pub fn missing(&self, library: &Library, no: MsgNo) -> Vec<ItemId> {
        let message = library.message(no);
        self.missing_of(library, message.group, message.parents.as_deref().unwrap_or_default())
    }

    /// As [`Dag::missing`], for a message that is not here yet.
    pub fn missing_of(&self, library: &Library, group: GroupId, parents: &[ItemId]) -> Vec<ItemId> {
        let is_complete = |id: &ItemId| {
            // A parent in another group is none.
            let found = library.find(*id).filter(|found| library.message(*found).group == group);
            found.is_some_and(|found| self.is_complete(found))
        };
        parents.iter().filter(|id| !is_complete(id)).copied().collect()
    }

    /// A few of the messages for which others wait and which are not here, each time others in turn.
    pub fn some_absent(&mut self) -> Vec<ItemId> {
        let after = self.turn.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.absent.range((after, Bound::Unbounded));
        let some: Vec<ItemId> =
            later.chain(&self.absent).take(ABSENT_MAX.min(self.absent.len())).copied().collect();
        self.turn = some.last().copied();
        some
    }

    /// A message is here. Adds to `completed` what is complete now, parents before children.
    pub fn add(&mut self, library: &Library, no: MsgNo, completed: &mut Vec<MsgNo>) {
        if self.is_complete(no) || self.waiting.contains_key(&no) {
            return;
        }
        self.absent.remove(library.id(no));
        let missing = self.missing(library, no);
        if !missing.is_empty() {
            self.waiting.insert(no, missing.len());
            for id in missing {
                let is_here = library.find(id).is_some_and(|found| self.waiting.contains_key(&found));
                if !is_here {
                    self.absent.insert(id);
                }
                self.children.entry(id).or_default().push(no);
            }
            return;
        }
        let mut ready = vec![no];
        while let Some(no) = ready.pop() {
            self.complete.grow_and_insert(no.place());
            let message = library.message(no);
            let heads = self.heads.entry(message.group).or_default();
            for parent in message.parents.iter().flatten().filter_map(|id| library.find(*id)) {
                heads.remove(&parent);
            }
            heads.insert(no);
            completed.push(no);
            for child in self.children.remove(&message.item.id).unwrap_or_default() {
                // A parent in another group completes nobody; its children there still wait.
                if library.message(child).group != message.group {
                    self.children.entry(message.item.id).or_default().push(child);
                    continue;
                }
                let left = self.waiting.get_mut(&child).expect("children wait");
                *left -= 1;
                if *left == 0 {
                    self.waiting.remove(&child);
                    ready.push(child);
                }
            }
        }
    }

    /// These messages of a group are complete, and all but the last have a child among them. O(messages / 64).
    pub fn preset(&mut self, group: GroupId, complete: &FixedBitSet, head: Option<MsgNo>) {
        self.complete.union_with(complete);
        self.heads.entry(group).or_default().extend(head);
    }

    /// Bytes on the heap, roughly.
    pub fn heap_bytes(&self) -> usize {
        self.complete.len() / 8 + self.waiting.len() * 32 + self.children.len() * 80 + self.absent.len() * 40
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Content;
    use offerbench_algos::Seed;
    use proptest::prelude::*;

    const GROUP: GroupId = GroupId([1; 32]);

    fn write(library: &mut Library, n: usize, parents: &[MsgNo]) -> MsgNo {
        let parents =
            parents.iter().map(|no| bytes::Bytes::copy_from_slice(library.id(*no).bytes())).collect();
        keep(library, GROUP, n as u64, parents)
    }

    fn keep(library: &mut Library, group: GroupId, at: u64, parents: Vec<bytes::Bytes>) -> MsgNo {
        let candidate = library.read(group, at, &Content::to_body(parents, b"x"));
        library.keep(candidate)
    }

    proptest! {
        /// Any graph, in any order of arrival: all complete in the end, each once, parents first; the heads are
        /// the messages without a child.
        #[test]
        fn any_order_completes(
            parents in proptest::collection::vec(proptest::collection::vec(any::<u16>(), 0..4), 1..40),
            order: u64,
        ) {
            let mut library = Library::new(Seed::new(1));
            let mut all: Vec<MsgNo> = Vec::new();
            let mut childless = BTreeSet::new();
            for (n, picks) in parents.iter().enumerate() {
                let picks: BTreeSet<MsgNo> =
                    picks.iter().filter(|_| n > 0).map(|pick| all[usize::from(*pick) % n]).collect();
                let picks: Vec<MsgNo> = picks.into_iter().collect();
                let no = write(&mut library, n, &picks);
                picks.iter().for_each(|parent| { childless.remove(parent); });
                childless.insert(no);
                all.push(no);
            }
            let mut arrivals = all.clone();
            Seed::new(order).rng().shuffle(&mut arrivals);
            let (mut dag, mut completed) = (Dag::default(), Vec::new());
            for no in arrivals {
                dag.add(&library, no, &mut completed);
                dag.add(&library, no, &mut completed);
            }
            prop_assert_eq!((dag.waiting(), dag.absent.len()), (0, 0));
            let place = |no: MsgNo| completed.iter().position(|other| *other == no).unwrap();
            for no in &all {
                for parent in library.message(*no).parents.iter().flatten() {
                    prop_assert!(place(library.find(*parent).unwrap()) < place(*no));
                }
            }
            completed.sort_unstable();
            prop_assert_eq!(completed, all);
            prop_assert!(dag.heads(GROUP).eq(childless));
        }
    }

    #[test]
    fn a_parent_that_does_not_exist_is_waited_for() {
        let mut library = Library::new(Seed::new(1));
        let parent = bytes::Bytes::from_static(&[9; 32]);
        let child = keep(&mut library, GROUP, 1, vec![parent]);
        let (mut dag, mut completed) = (Dag::default(), Vec::new());
        dag.add(&library, child, &mut completed);
        assert_eq!((completed.len(), dag.waiting()), (0, 1));
        assert_eq!(dag.missing(&library, child), [ItemId::new([9; 32])]);
        assert_eq!(dag.some_absent(), [ItemId::new([9; 32])]);
    }

    #[test]
    fn all_that_is_absent_has_its_turn() {
        let mut library = Library::new(Seed::new(1));
        let (mut dag, mut completed) = (Dag::default(), Vec::new());
        for n in 0..20_u8 {
            let parent = bytes::Bytes::copy_from_slice(&[n; 32]);
            let child = keep(&mut library, GROUP, u64::from(n), vec![parent]);
            dag.add(&library, child, &mut completed);
        }
        let named: BTreeSet<ItemId> = (0..3).flat_map(|_| dag.some_absent()).collect();
        assert_eq!(named.len(), 20);
    }

    #[test]
    fn a_parent_in_another_group_completes_nobody() {
        let mut library = Library::new(Seed::new(1));
        let foreign = keep(&mut library, GroupId([2; 32]), 1, Vec::new());
        let child = write(&mut library, 2, &[foreign]);
        for order in [[foreign, child], [child, foreign]] {
            let (mut dag, mut completed) = (Dag::default(), Vec::new());
            order.iter().for_each(|no| dag.add(&library, *no, &mut completed));
            assert_eq!((completed, dag.waiting()), (vec![foreign], 1));
        }
    }
}
