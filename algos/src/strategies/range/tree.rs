//! The set as ranges need it: in order, with counts and sums at every branch.
//!
//! A B+-tree whose leaves hold up to 128 items and whose inner nodes hold up to 96 children. A leaf keeps the sum
//! of ids before every fourth of its items, an inner node the count and the sum of all items before each child.
//! So the count and the sum of everything below a place are picked up on the way down to it, and those of a
//! range are the difference of two such walks: O(log n) with a base of 96, which for a million items means two
//! inner nodes, a leaf, and at most six additions. A [`Cursor`] stays in its leaf: places and bounds that
//! follow each other closely, as they do in a message, cost no walk at all. Within a node nobody halves intervals
//! from its middle: places and times are interpolated, and searched for around there.
//!
//! Nodes are shared by reference counts, and copied when one that is shared must change. Cloning a set is one
//! increment; an insertion while sessions hold clones copies the nodes on its way, O(log n) of them. An insertion
//! changes the sums after it in each node on its way, which is bounded by the sizes of the nodes; at the newest
//! end there are none after it. A leaf that overflows at its end (as a log's does) stays full, and a new one
//! begins; otherwise halves remain.
//!
//! Other known ways: sums over a flat array are a little faster to read, but every insertion that is not the
//! newest costs O(n); the C++ negentropy keeps a B-tree with sums of subtrees, which must add up siblings on its
//! way and starts from the root each time.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use super::fingerprint::IdSum;
use super::leaf::{LEAF_MAX, Leaf};
use super::seal;
use crate::item::{Item, ItemId};

/// Children of an inner node: with leaves of 128, two levels of inner nodes hold a million items.
const FAN_MAX: usize = 96;

#[derive(Clone, Debug)]
enum Node {
    Leaf(Arc<Leaf>),
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
            Self::Leaf(leaf) => leaf.len(),
            Self::Inner(inner) => inner.count,
        }
    }

    fn sum(&self) -> IdSum {
        match self {
            Self::Leaf(leaf) => leaf.sum_below(leaf.len()),
            Self::Inner(inner) => inner.sum,
        }
    }

    fn first(&self) -> Item {
        match self {
            Self::Leaf(leaf) => leaf.item(0),
            Self::Inner(inner) => inner.children[0].first,
        }
    }

    /// Adds an item that is not there yet. Returns what must stand to the right of this node now.
    fn insert(&mut self, item: Item) -> Option<Self> {
        match self {
            Self::Leaf(leaf) => Arc::make_mut(leaf).insert(item).map(|right| Self::Leaf(Arc::new(right))),
            Self::Inner(inner) => Arc::make_mut(inner).insert(item).map(|right| Self::Inner(Arc::new(right))),
        }
    }

    fn heap_bytes(&self) -> usize {
        // `Arc` keeps two counters before the node.
        2 * size_of::<usize>()
            + match self {
                Self::Leaf(_) => size_of::<Leaf>(),
                Self::Inner(inner) => {
                    size_of::<Inner>()
                        + inner.children.capacity() * size_of::<Child>()
                        + inner.children.iter().map(|child| child.node.heap_bytes()).sum::<usize>()
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
        self.place(i + 1, right?)
    }

    /// Puts a node between others. Returns what must stand to the right of this node now.
    fn place(&mut self, i: usize, node: Node) -> Option<Self> {
        let left = &self.children[i - 1];
        let mut sum_before = left.sum_before;
        sum_before.add_sum(&left.node.sum());
        let count_before = left.count_before + left.node.count();
        let first = node.first();
        self.children.insert(i, Child { first, count_before, sum_before, node });
        if self.children.len() <= FAN_MAX {
            return None;
        }
        // As in leaves: what grows at the end leaves full nodes behind.
        let at = if i == FAN_MAX { FAN_MAX } else { FAN_MAX / 2 };
        let right = Self::new(self.children.drain(at..).map(|child| child.node));
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

/// Where among `len` values from `first` to `last` one should find `value`, if they were spread evenly.
fn interpolate(first: u64, last: u64, value: u64, len: usize) -> usize {
    let (above, spread) = (value.saturating_sub(first), last - first);
    if above >= spread { len } else { (u128::from(above) * len as u128 / u128::from(spread)) as usize }
}

/// How many of `len` entries are `below`, which holds for some first ones only. Steps that double lead away from
/// `guess`, halves back: O(log of the error), and what is touched lies near the result.
fn search_near(len: usize, guess: usize, mut below: impl FnMut(usize) -> bool) -> usize {
    let guess = guess.min(len);
    let (mut low, mut high, mut step) = (guess, guess, 1);
    // Everything before `low` is below, everything from `high` on is not.
    if guess < len && below(guess) {
        low += 1;
        loop {
            high = (low + step).min(len);
            if high == len || !below(high) {
                break;
            }
            (low, step) = (high + 1, 2 * step);
        }
    } else {
        while low > 0 {
            low = low.saturating_sub(step);
            if below(low) {
                low += 1;
                break;
            }
            (high, step) = (low, 2 * step);
        }
    }
    while low < high {
        let middle = low.midpoint(high);
        if below(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// Items in order of (time, id), each once. Cloning is O(1), and clones do not see each other's insertions.
///
/// Heap: 49 bytes an item when sealed at once, 40 of them the item; up to twice that after insertions all over.
#[derive(Clone, Debug)]
pub struct RangeSet {
    root: Node,
}

impl Default for RangeSet {
    fn default() -> Self {
        Self { root: Node::Leaf(Arc::new(Leaf::EMPTY)) }
    }
}

impl RangeSet {
    /// Sorts, dedups and sums items; see [`seal`]. O(n) for times that are spread about evenly.
    pub fn seal(items: &[Item]) -> Self {
        let mut nodes: Vec<Node> = match seal::order(items) {
            None => items.chunks(LEAF_MAX).map(|items| leaf(items.iter().copied())).collect(),
            Some(places) => {
                let mut items = seal::gather(items, &places);
                let leaves = places.len().div_ceil(LEAF_MAX);
                (0..leaves).map(|_| leaf(items.by_ref().take(LEAF_MAX))).collect()
            }
        };
        while nodes.len() > 1 {
            let inner = |nodes: &[Node]| Node::Inner(Arc::new(Inner::new(nodes.iter().cloned())));
            nodes = nodes.chunks(FAN_MAX).map(inner).collect();
        }
        nodes.pop().map_or_else(Self::default, |root| Self { root })
    }

    /// Adds an item; false when it is there already. O(log n), also while clones are alive.
    pub fn insert(&mut self, item: Item) -> bool {
        if !self.is_empty() {
            let mut cursor = self.cursor();
            let place = cursor.seek_bound(0..self.len(), Some(self.len()), &item);
            if place < self.len() && cursor.item(place) == item {
                return false;
            }
        }
        if let Some(right) = self.root.insert(item) {
            let root = Inner::new([self.root.clone(), right].into_iter());
            self.root = Node::Inner(Arc::new(root));
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
        let mut cursor =
            Cursor { root: &self.root, leaf: &EMPTY, start: 0, end: 0, sum_before: IdSum::default() };
        cursor.descend_to(0);
        cursor
    }

    /// Bytes on the heap, shared ones included. O(nodes).
    pub fn heap_bytes(&self) -> usize {
        self.root.heap_bytes()
    }
}

/// A leaf of these items.
fn leaf(items: impl Iterator<Item = Item>) -> Node {
    Node::Leaf(Arc::new(Leaf::new(items)))
}

/// Where cursors are before they are anywhere.
static EMPTY: Leaf = Leaf::EMPTY;

/// Reads a set by place. It stays in a leaf as long as what is asked for lies there.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    root: &'a Node,
    leaf: &'a Leaf,
    /// Places of the leaf's items.
    start: usize,
    end: usize,
    /// Sum of all items before the leaf.
    sum_before: IdSum,
}

impl<'a> Cursor<'a> {
    /// Goes to a leaf; `child` chooses the way from a node and the number of items before it. Nothing of the leaf
    /// itself is read.
    fn descend(&mut self, child: impl Fn(&Inner, usize) -> usize) {
        let mut node = self.root;
        (self.start, self.end, self.sum_before) = (0, 0, IdSum::default());
        loop {
            match node {
                Node::Leaf(leaf) => {
                    self.leaf = leaf;
                    if self.end == 0 {
                        self.end = leaf.len();
                    }
                    return;
                }
                Node::Inner(inner) => {
                    let number = child(inner, self.start);
                    let chosen = &inner.children[number];
                    let count_end =
                        inner.children.get(number + 1).map_or(inner.count, |next| next.count_before);
                    self.end = self.start + count_end;
                    self.start += chosen.count_before;
                    self.sum_before.add_sum(&chosen.sum_before);
                    node = &chosen.node;
                }
            }
        }
    }

    /// Goes to the leaf in which the item at `place` lies; to the last one if there is none.
    fn descend_to(&mut self, place: usize) {
        self.descend(|inner, before| inner.child_of(place - before));
    }

    /// Goes to the leaf in which `place` lies, or to which it is the end.
    fn seek(&mut self, place: usize) {
        if place < self.start || place > self.end {
            self.descend_to(place);
        }
    }

    /// Goes to the leaf in which the item at `place` lies.
    fn seek_item(&mut self, place: usize) {
        if place < self.start || place >= self.end {
            self.descend_to(place);
        }
    }

    /// The item at a place.
    ///
    /// # Panics
    ///
    /// Or nonsense, unless `place` is below the number of items.
    pub fn item(&mut self, place: usize) -> Item {
        self.seek_item(place);
        self.leaf.item(place - self.start)
    }

    /// Sum of the first `count` items.
    pub fn sum_below(&mut self, count: usize) -> IdSum {
        self.seek(count);
        let mut sum = self.sum_before;
        sum.add_sum(&self.leaf.sum_below(count - self.start));
        sum
    }

    /// Has the memory around a place fetched, which somebody will ask for soon.
    pub fn prefetch(&mut self, place: usize) {
        self.seek(place);
        self.leaf.prefetch(place - self.start);
    }

    /// Has the memory around a bound fetched, which somebody will ask for soon.
    pub fn prefetch_bound(&mut self, bound: &Item) {
        let guess = self.descend_by_time(bound);
        for place in [guess.saturating_sub(8), guess, guess + 8] {
            self.leaf.prefetch(place);
        }
    }

    /// Goes to the leaf in which items stop being below `bound`, or to the one before. Returns where in it that may
    /// be, by what its parents say.
    fn descend_by_time(&mut self, bound: &Item) -> usize {
        let times = Cell::new((0, u64::MAX));
        self.descend(|inner, _| {
            let i = inner.child_at(bound);
            let next = inner.children.get(i + 1).map_or(times.get().1, |next| next.first.at);
            times.set((inner.children[i].first.at, next));
            i
        });
        let (first, next) = times.get();
        interpolate(first, next, bound.at, self.end - self.start)
    }

    /// The first place in `range` whose item is not below `bound`, or the end of `range`. Looks near `guess` first,
    /// if there is one.
    pub fn seek_bound(&mut self, range: Range<usize>, guess: Option<usize>, bound: &Item) -> usize {
        if let Some(guess) = guess {
            let guess = guess.clamp(range.start, range.end);
            self.seek(guess);
            // What this leaf holds of the range.
            let (start, end) = (self.start.max(range.start), self.end.min(range.end));
            let first = start - self.start;
            let below = |i| self.leaf.is_below(first + i, bound);
            let place = start + search_near(end - start, guess - start, below);
            if (place > start || start == range.start) && (place < end || end == range.end) {
                return place;
            }
        }
        let guess = self.descend_by_time(bound);
        let place = self.start + search_near(self.end - self.start, guess, |i| self.leaf.is_below(i, bound));
        place.clamp(range.start, range.end)
    }

    /// The ids of all items in `range`, some at a time.
    pub fn ids(&mut self, mut range: Range<usize>) -> impl Iterator<Item = &'a [ItemId]> {
        std::iter::from_fn(move || {
            if range.is_empty() {
                return None;
            }
            self.seek_item(range.start);
            let ids = &self.leaf.ids()[range.start - self.start..range.end.min(self.end) - self.start];
            range.start += ids.len();
            (!ids.is_empty()).then_some(ids)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Rng, Seed};
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
            cursor.prefetch_bound(&bound);
            assert_eq!(cursor.seek_bound(start..end, guess, &bound), start + below);
            let ids = sorted[start..end].iter().map(|item| &item.id);
            assert!(cursor.ids(start..end).flatten().eq(ids));
            if start < end {
                assert_eq!(cursor.item(start), sorted[start]);
            }
        }
    }

    proptest! {
        #[test]
        fn a_search_finds_the_same_from_anywhere(len in 0_usize..300, below in 0_usize..300, guess in 0_usize..400) {
            let below = below.min(len);
            prop_assert_eq!(search_near(len, guess, |i| { assert!(i < len); i < below }), below);
        }

        #[test]
        fn interpolation_stays_in_range(first: u64, spread: u64, value: u64, len in 0_usize..300) {
            prop_assert!(interpolate(first, first.saturating_add(spread), value, len) <= len);
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
        let n = 2 * LEAF_MAX * FAN_MAX;
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
            assert!(set.heap_bytes() >= n * 44);
            assert!(set.heap_bytes() < n * 100, "{}", set.heap_bytes() / n);
        }
        assert!(log.heap_bytes() < n * 51, "a log's nodes are full: {}", log.heap_bytes() / n);
    }
}
