//! Leaves of the tree: up to 128 items in order, with a sum before every fourth.
//!
//! What costs time in large sets is waiting for memory, so a leaf is made for few cache lines. It is one block, so
//! that the way from a parent to an item is one step whose address is known before anything of the leaf is
//! read. Times stand apart from ids, eight to a line: bounds are looked for among times, and ids are read where
//! times are equal, where they are listed, and at most three of them for a sum.

use super::fingerprint::IdSum;
use crate::item::{Item, ItemId};
use crate::prefetch::prefetch;

/// Items of a leaf.
pub const LEAF_MAX: usize = 128;
/// Items between two sums.
const GROUP_LEN: usize = 4;
const GROUPS: usize = LEAF_MAX / GROUP_LEN;

/// Items in order.
#[derive(Clone, Debug)]
pub struct Leaf {
    len: usize,
    times: [u64; LEAF_MAX],
    /// Sum of the items before each group, right up to the group in which the next item would go.
    sums: [IdSum; GROUPS],
    ids: [ItemId; LEAF_MAX],
}

impl Leaf {
    /// No items.
    pub const EMPTY: Self = Self {
        len: 0,
        times: [0; LEAF_MAX],
        sums: [IdSum::ZERO; GROUPS],
        ids: [ItemId::new([0; ItemId::LEN]); LEAF_MAX],
    };

    /// Items in order, at most [`LEAF_MAX`].
    pub fn new(items: impl Iterator<Item = Item>) -> Self {
        let mut leaf = Self::EMPTY;
        for item in items {
            leaf.times[leaf.len] = item.at;
            leaf.ids[leaf.len] = item.id;
            leaf.len += 1;
        }
        leaf.sum_from(0);
        leaf
    }

    /// How many items.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The item at a place.
    pub fn item(&self, place: usize) -> Item {
        Item { at: self.times[place], id: self.ids[place] }
    }

    /// Whether the item at a place is below `bound`.
    pub fn is_below(&self, place: usize, bound: &Item) -> bool {
        let at = self.times[place];
        at < bound.at || at == bound.at && self.ids[place] < bound.id
    }

    /// Ids, by place.
    pub fn ids(&self) -> &[ItemId] {
        &self.ids[..self.len]
    }

    /// Sum of the first `count` items.
    pub fn sum_below(&self, count: usize) -> IdSum {
        let group = (count / GROUP_LEN).min(GROUPS - 1);
        let mut sum = self.sums[group];
        for id in &self.ids[group * GROUP_LEN..count] {
            sum.add(id);
        }
        sum
    }

    /// Has the memory around an item fetched, for somebody who will ask for its time and the sum below it.
    pub fn prefetch(&self, place: usize) {
        let place = place.min(LEAF_MAX - 1);
        prefetch(&self.times[place]);
        prefetch(&self.sums[place / GROUP_LEN]);
        prefetch(&self.ids[place / GROUP_LEN * GROUP_LEN]);
    }

    /// Adds an item that is not there yet. Returns what must stand to the right of this leaf now.
    pub fn insert(&mut self, item: Item) -> Option<Self> {
        if self.len < LEAF_MAX {
            self.put(item);
            return None;
        }
        if self.is_below(LEAF_MAX - 1, &item) {
            return Some(Self::new(std::iter::once(item)));
        }
        let mut right = Self::new((LEAF_MAX / 2..LEAF_MAX).map(|place| self.item(place)));
        self.len = LEAF_MAX / 2;
        if right.is_below(0, &item) {
            right.put(item);
        } else {
            self.put(item);
        }
        Some(right)
    }

    /// Adds an item where there is room.
    fn put(&mut self, item: Item) {
        let (mut place, mut end) = (0, self.len);
        if end > 0 && self.is_below(end - 1, &item) {
            place = end;
        }
        while place < end {
            let middle = place.midpoint(end);
            if self.is_below(middle, &item) { place = middle + 1 } else { end = middle }
        }
        self.times.copy_within(place..self.len, place + 1);
        self.ids.copy_within(place..self.len, place + 1);
        (self.times[place], self.ids[place]) = (item.at, item.id);
        self.len += 1;
        self.sum_from(place / GROUP_LEN);
    }

    /// Makes the sums after a group.
    fn sum_from(&mut self, group: usize) {
        let mut sum = self.sums[group];
        for after in group + 1..=(self.len / GROUP_LEN).min(GROUPS - 1) {
            for id in &self.ids[(after - 1) * GROUP_LEN..after * GROUP_LEN] {
                sum.add(id);
            }
            self.sums[after] = sum;
        }
    }
}
