//! What a node holds, has delivered and knows of its peers from before its first moment.

use fixedbitset::FixedBitSet;
use offerbench_algos::Item;

use super::Node;
use crate::config::{Offer, Part};
use crate::library::{GroupId, MsgNo, PeerId};

/// Messages of one group that somebody holds from before: with each all its ancestors, and all of them the
/// ancestors of the last.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Their numbers.
    pub set: FixedBitSet,
    /// How many.
    pub count: usize,
    /// The last.
    pub head: Option<MsgNo>,
}

impl Node {
    /// Holds these messages of a group that it has joined; a member has delivered them. `items` are theirs. Once for a
    /// group, before anything else. O(messages), sorted by the index.
    pub(crate) fn remember(&mut self, group: GroupId, memory: &Memory, items: &[Item]) {
        self.held.union_with(&memory.set);
        self.held_count += memory.count;
        if self.config.part == Part::Member {
            self.delivered.union_with(&memory.set);
            self.dag.preset(group, &memory.set, memory.head);
        }
        self.groups.get_mut(&group).expect("it has joined").held.clone_from(&memory.set);
        self.reindex(group, items);
    }

    /// A peer holds these, with all their ancestors. O(messages / 64).
    pub(crate) fn remember_of(&mut self, peer: PeerId, memory: &Memory) {
        self.peer(peer).remember(&memory.set);
    }

    /// All of it is known now: what a peer lacks is found when the device comes online.
    pub(crate) fn remembered(&mut self) {
        for peer in self.peers.values_mut() {
            let lacks = |group: &GroupId| self.groups[group].held.difference(&peer.known).next().is_some();
            peer.overflow = peer.groups.iter().any(lacks);
        }
    }

    /// Bytes on the heap for the strategy's indexes of what is held, as it counts them itself.
    pub fn index_bytes(&self) -> usize {
        self.groups.values().filter_map(|group| group.index.as_ref()).map(|index| index.heap_bytes()).sum()
    }

    /// Indexes these items of a group instead of what was.
    pub(super) fn reindex(&mut self, group: GroupId, items: &[Item]) {
        let Offer::Reconcile(options) = &self.config.offer else { return };
        let index = options.strategy.strategy.index(items);
        self.groups.get_mut(&group).expect("it has joined").index = Some(index);
    }
}
