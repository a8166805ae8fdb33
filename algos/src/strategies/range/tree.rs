//! The set as ranges need it: in order, with counts and sums at every branch.
//!
//! A B+-tree whose leaves are pieces of runs (see `piece`) and whose inner nodes hold up to 96 children. A run keeps the sum
//! of ids up to each of its items, an inner node the count and the sum of all items before each child. So the count and the
//! sum of everything below a place are picked up on the way down to it, and those of a range are the difference of
//! two such walks: O(log n) in a set that has grown. A set that was sealed at once is one piece, and has no inner
//! nodes: prefix sums in a flat array, a fingerprint in O(1). A [`Cursor`] stays in its piece. Nobody halves intervals from
//! their middle: places and times are interpolated, and searched for around there.
//!
//! Nodes are shared by reference counts, and copied when one that is shared must change. Cloning a set is one
//! increment; an insertion while sessions hold clones copies the nodes on its way, O(log n) of them. An insertion
//! changes the sums after it in each node on its way, which is bounded by the sizes of the nodes; at the newest
//! end there are none after it. A short run that overflows at its end (as a log's does) stays full, and a new one
//! begins; otherwise halves remain.
//!
//! Other known ways: the C++ negentropy keeps a B-tree with sums of subtrees, which must add up siblings on its way and
//! starts from the root each time, also for sets that never change.

use std::ops::Range;
use std::sync::Arc;

use super::fingerprint::IdSum;
use super::piece::{Entry, Piece, item_of, place_near, place_of, sum_of};
use super::seal;
use super::search::{interpolate, search_near};
use crate::item::{Item, ItemId};
use crate::prefetch::prefetch;

/// Children of an inner node: with runs of 128 items, two levels of inner nodes hold a million.
const FAN_MAX: usize = 96;

#[derive(Clone, Debug)]
enum Node {
    Piece(Piece),
    Inner(Arc<Inner>),
}

/// What lies below a branch.
#[derive(Clone, Debug, Default)]
struct Inner {
    children: Vec<Child>,
    count: usize,
    sum: IdSum,
}

#[derive(Clone, Debug)]
struct Child {
    /// Not above any item of the node. Everything before the node is below it.
    first: Item,
    /// Items of the children before this one.
    count_before: usize,
    /// Their sum.
    sum_before: IdSum,
    node: Node,
}

impl Node {
    fn count(&self) -> usize {
        match self {
            Self::Piece(piece) => piece.len(),
            Self::Inner(inner) => inner.count,
        }
    }

    fn sum(&self) -> IdSum {
        match self {
            Self::Piece(piece) => piece.sum(),
            Self::Inner(inner) => inner.sum,
        }
    }

    fn first(&self) -> Item {
        match self {
            Self::Piece(piece) => piece.first(),
            Self::Inner(inner) => inner.children[0].first,
        }
    }

    /// Adds an item that is not there yet. Returns what must stand to the right of this node now.
    fn insert(&mut self, item: Item) -> Vec<Self> {
        match self {
            Self::Piece(piece) => piece.insert(item).into_iter().map(Self::Piece).collect(),
            Self::Inner(inner) => {
                let right = Arc::make_mut(inner).insert(item);
                right.into_iter().map(|right| Self::Inner(Arc::new(right))).collect()
            }
        }
    }

    /// Bytes on the heap; a long run counts with the first of its pieces.
    fn heap_bytes(&self, seen: &mut Vec<*const Entry>) -> usize {
        match self {
            Self::Piece(piece) => {
                let (long, bytes) = piece.heap();
                if long.is_some_and(|long| seen.contains(&long)) {
                    return 0;
                }
                seen.extend(long);
                bytes
            }
            // `Arc` keeps two counters before the node.
            Self::Inner(inner) => {
                2 * size_of::<usize>()
                    + size_of::<Inner>()
                    + inner.children.capacity() * size_of::<Child>()
                    + inner.children.iter().map(|child| child.node.heap_bytes(seen)).sum::<usize>()
            }
        }
    }
}

impl Inner {
    /// A node with these children, in order.
    fn new(nodes: impl Iterator<Item = Node>) -> Self {
        let mut inner = Self::default();
        inner.children.reserve_exact(nodes.size_hint().0);
        for node in nodes {
            inner.push(node);
        }
        inner
    }

    fn push(&mut self, node: Node) {
        let (count, sum) = (node.count(), node.sum());
        self.children.push(Child {
            first: node.first(),
            count_before: self.count,
            sum_before: self.sum,
            node,
        });
        self.count += count;
        self.sum.add_sum(&sum);
    }

    fn insert(&mut self, item: Item) -> Option<Self> {
        let i = self.child_at(&item);
        let child = &mut self.children[i];
        child.first = child.first.min(item);
        let right = child.node.insert(item);
        self.count += 1;
        self.sum.add(&item.id);
        for later in &mut self.children[i + 1..] {
            later.count_before += 1;
            later.sum_before.add(&item.id);
        }
        if right.is_empty() { None } else { self.place(i + 1, right) }
    }

    /// Puts nodes between others. Returns what must stand to the right of this node now.
    fn place(&mut self, at: usize, nodes: Vec<Node>) -> Option<Self> {
        let left = &self.children[at - 1];
        let (mut count_before, mut sum_before) = (left.count_before + left.node.count(), left.sum_before);
        sum_before.add_sum(&left.node.sum());
        let added = nodes.len();
        let children = nodes.into_iter().map(|node| {
            let child = Child { first: node.first(), count_before, sum_before, node };
            count_before += child.node.count();
            sum_before.add_sum(&child.node.sum());
            child
        });
        self.children.splice(at..at, children);
        if self.children.len() <= FAN_MAX {
            return None;
        }
        // As in runs: what grows at the end leaves full nodes behind.
        let keep = if at + added == self.children.len() { FAN_MAX } else { FAN_MAX / 2 };
        let right = Self::new(self.children.drain(keep..).map(|child| child.node));
        self.count -= right.count;
        self.sum = self.sum - right.sum;
        Some(right)
    }

    /// The last child whose first item is not above `bound`; the first child when there is none.
    fn child_at(&self, bound: &Item) -> usize {
        let (first, last) = (&self.children[0].first, &self.children[self.children.len() - 1].first);
        let guess = interpolate(first.at, last.at, bound.at, self.children.len());
        search_near(self.children.len(), guess, |i| self.children[i].first <= *bound).saturating_sub(1)
    }

    /// The child in which the item lies that has `place` items of this node before it; the last child for larger
    /// places.
    fn child_of(&self, place: usize) -> usize {
        let guess = place * self.children.len() / self.count.max(1);
        search_near(self.children.len(), guess, |i| self.children[i].count_before <= place) - 1
    }
}

/// Items in order of (time, id), each once. Cloning is O(1), and clones do not see each other's insertions.
///
/// Heap: 40 bytes an item when sealed at once or grown as a log. Insertions all over a sealed set come to up to thrice that for
/// a time: while a piece of a long run is left, all of it stays.
#[derive(Clone, Debug)]
pub struct RangeSet {
    root: Node,
}

impl Default for RangeSet {
    fn default() -> Self {
        Self::seal(&[])
    }
}

impl RangeSet {
    /// Sorts, dedups and sums items; see `seal`. O(n) for times that are spread about evenly.
    pub fn seal(items: &[Item]) -> Self {
        Self { root: Node::Piece(Piece::whole(seal::run(items))) }
    }

    /// Adds an item; false when it is there already. O(log n), also while clones are alive.
    pub fn insert(&mut self, item: Item) -> bool {
        let mut cursor = self.cursor();
        let place = cursor.seek_bound(0..self.len(), Some(self.len()), &item);
        if place < self.len() && cursor.item(place) == item {
            return false;
        }
        let right = self.root.insert(item);
        if !right.is_empty() {
            let left = std::mem::replace(&mut self.root, Node::Inner(Arc::default()));
            self.root = Node::Inner(Arc::new(Inner::new([left].into_iter().chain(right))));
        }
        true
    }

    /// How many items.
    pub fn len(&self) -> usize {
        self.root.count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of all ids; O(1).
    pub fn sum(&self) -> IdSum {
        self.root.sum()
    }

    /// A reader, at the first item.
    pub fn cursor(&self) -> Cursor<'_> {
        let mut cursor = Cursor { root: &self.root, entries: &[], start: 0, end: 0, sum_before: IdSum::ZERO };
        cursor.descend_to(0);
        cursor
    }

    /// Bytes on the heap, shared ones included. O(nodes).
    pub fn heap_bytes(&self) -> usize {
        self.root.heap_bytes(&mut Vec::new())
    }
}

/// Reads a set by place. It stays in a piece as long as what is asked for lies there.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    root: &'a Node,
    /// Of the piece.
    entries: &'a [Entry],
    /// Places of the piece's items.
    start: usize,
    end: usize,
    /// What to add to a sum of an entry, which counts from the start of its run.
    sum_before: IdSum,
}

impl<'a> Cursor<'a> {
    /// Goes to a piece; `child` chooses the way from a node and the number of items before it.
    fn descend(&mut self, child: impl Fn(&Inner, usize) -> usize) {
        let mut node = self.root;
        (self.start, self.sum_before) = (0, IdSum::ZERO);
        loop {
            match node {
                Node::Piece(piece) => {
                    self.entries = piece.entries();
                    self.end = self.start + piece.len();
                    self.sum_before = self.sum_before - sum_of(&self.entries[0]);
                    return;
                }
                Node::Inner(inner) => {
                    let chosen = &inner.children[child(inner, self.start)];
                    self.start += chosen.count_before;
                    self.sum_before.add_sum(&chosen.sum_before);
                    node = &chosen.node;
                }
            }
        }
    }

    /// Goes to the piece in which the item at `place` lies; to the last one if there is none.
    fn descend_to(&mut self, place: usize) {
        self.descend(|inner, before| inner.child_of(place - before));
    }

    /// Goes to the piece in which `place` lies, or to which it is the end.
    fn seek(&mut self, place: usize) {
        if place < self.start || place > self.end {
            self.descend_to(place);
        }
    }

    /// The item at a place.
    ///
    /// # Panics
    ///
    /// Or nonsense, unless `place` is below the number of items.
    pub fn item(&mut self, place: usize) -> Item {
        if place < self.start || place >= self.end {
            self.descend_to(place);
        }
        item_of(self.entries, place - self.start)
    }

    /// The time of the item at a place, as [`Self::item`].
    pub fn time(&mut self, place: usize) -> u64 {
        if place < self.start || place >= self.end {
            self.descend_to(place);
        }
        self.entries[place - self.start + 1][0]
    }

    /// Sum of the first `count` items.
    pub fn sum_below(&mut self, count: usize) -> IdSum {
        self.seek(count);
        let mut sum = self.sum_before;
        sum.add_sum(&sum_of(&self.entries[count - self.start]));
        sum
    }

    /// Has the memory around a place fetched, which somebody will ask for soon: the sum below it, and the times on
    /// either side.
    pub fn prefetch(&mut self, place: usize) {
        self.seek(place);
        let place = (place - self.start).min(self.entries.len() - 1);
        prefetch(&self.entries[place][0]);
        prefetch(&self.entries[(place + 1).min(self.entries.len() - 1)][0]);
    }

    /// Has the items of a range fetched, which somebody will ask for soon.
    pub fn prefetch_items(&mut self, range: Range<usize>) {
        // An entry begins in every line of memory.
        for place in range.start..=range.end {
            self.seek(place);
            prefetch(&self.entries[(place - self.start).min(self.entries.len() - 1)][0]);
        }
    }

    /// The first place in `range` whose item is not below `bound`, or the end of `range`. Looks near `guess` first,
    /// if there is one.
    pub fn seek_bound(&mut self, range: Range<usize>, guess: Option<usize>, bound: &Item) -> usize {
        if let Some(guess) = guess {
            let guess = guess.clamp(range.start, range.end);
            self.seek(guess);
            // What this piece holds of the range.
            let (start, end) = (self.start.max(range.start), self.end.min(range.end));
            let entries = &self.entries[start - self.start..=end - self.start];
            let place = start + place_near(entries, guess - start, bound);
            if (place > start || start == range.start) && (place < end || end == range.end) {
                return place;
            }
        }
        self.descend(|inner, _| inner.child_at(bound));
        (self.start + place_of(self.entries, bound)).clamp(range.start, range.end)
    }

    /// The ids of all items in `range`.
    pub fn ids(
        &mut self,
        range: Range<usize>,
    ) -> impl ExactSizeIterator<Item = ItemId> + DoubleEndedIterator {
        range.map(|place| self.item(place).id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Rng, Seed};
    use crate::strategies::range::piece::RUN_MAX;
    use proptest::prelude::*;

    fn random_item(rng: &mut Rng, times: u64) -> Item {
        Item { at: rng.below(times), id: ItemId::new(rng.bytes()) }
    }

    /// Every question, beside a sorted list.
    fn check(set: &RangeSet, sorted: &[Item], rng: &mut Rng) {
        assert_eq!(set.len(), sorted.len());
        let mut cursor = set.cursor();
        assert!((0..sorted.len()).map(|place| cursor.item(place)).eq(sorted.iter().copied()));
        let scan = |range: Range<usize>| {
            let mut sum = IdSum::default();
            sorted[range].iter().for_each(|item| sum.add(&item.id));
            sum
        };
        assert_eq!(set.sum(), scan(0..sorted.len()));
        for _ in 0..50 {
            let end = rng.below(sorted.len() as u64 + 1) as usize;
            let start = rng.below(end as u64 + 1) as usize;
            assert_eq!(cursor.sum_below(end), scan(0..end));
            assert_eq!(cursor.sum_below(end) - cursor.sum_below(start), scan(start..end));
            let bound = match sorted.get(rng.below(sorted.len() as u64 + 3) as usize) {
                Some(item) => *item,
                None => random_item(rng, 1 << 20),
            };
            let below = sorted[start..end].partition_point(|item| *item < bound);
            let guess = Some(rng.below(sorted.len() as u64 + 2) as usize).filter(|guess| guess % 3 > 0);
            cursor.prefetch(start);
            assert_eq!(cursor.seek_bound(start..end, guess, &bound), start + below);
            let ids = sorted[start..end].iter().map(|item| item.id);
            cursor.prefetch_items(start..end);
            assert!(cursor.ids(start..end).eq(ids));
            if start < end {
                assert_eq!(cursor.item(start), sorted[start]);
                assert_eq!(cursor.time(start), sorted[start].at);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

        /// Sealed at once, then grown in random places and at the end, with clones kept alive now and then.
        #[test]
        fn a_tree_answers_as_a_sorted_list_does(seed: u64, n in 0_usize..2000, more in 0_usize..2000, times in 1_u64..5000) {
            let mut rng = Seed::new(seed).rng();
            let mut items: Vec<Item> = (0..n).map(|_| random_item(&mut rng, times)).collect();
            let mut set = RangeSet::seal(&[&items[..], &items[..n / 3]].concat());
            items.sort_unstable();
            items.dedup();
            check(&set, &items, &mut rng);
            let (before, sorted_before) = (set.clone(), items.clone());
            let mut held = Vec::new();
            for i in 0..more {
                let mut item = random_item(&mut rng, times);
                if i % 3 == 0 {
                    item.at = times + i as u64;
                }
                prop_assert!(set.insert(item));
                prop_assert!(!set.insert(item));
                items.push(item);
                if rng.below(20) == 0 {
                    held.push(set.clone());
                    held.truncate(3);
                }
            }
            items.sort_unstable();
            check(&set, &items, &mut rng);
            check(&before, &sorted_before, &mut rng);
        }
    }

    /// Three levels of nodes, by either way to make them.
    #[test]
    fn large_sets_have_inner_nodes_of_inner_nodes() {
        let mut rng = Seed::new(2).rng();
        let n = 2 * RUN_MAX * FAN_MAX;
        let mut items: Vec<Item> = (0..n).map(|_| random_item(&mut rng, 1 << 30)).collect();
        let sealed = RangeSet::seal(&items);
        let mut grown = RangeSet::default();
        for item in &items {
            grown.insert(*item);
        }
        items.sort_unstable();
        let mut log = RangeSet::default();
        for item in &items {
            log.insert(*item);
        }
        for set in [&sealed, &grown, &log] {
            check(set, &items, &mut rng);
            assert!(set.heap_bytes() >= n * 40);
            assert!(set.heap_bytes() < n * 100, "{}", set.heap_bytes() / n);
        }
        assert!(log.heap_bytes() < n * 42, "a log's nodes are full: {}", log.heap_bytes() / n);
    }
}
