//! The set as ranges need it: in order, with counts and sums at every branch.
//!
//! A B+-tree whose leaves hold up to 256 items and whose inner nodes hold up to 64 children. A leaf keeps the sum
//! of ids before every eighth of its items, an inner node the count and the sum of all items before each child.
//! So the count and the sum of everything below a place are picked up on the way down to it, and those of a
//! range are the difference of two such walks: O(log n) with a base of 64, which for a million items means two
//! inner nodes, a leaf, and at most seven additions. A [`Cursor`] stays in its leaf: places and bounds that
//! follow each other closely, as they do in a message, cost no walk at all.
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

use std::ops::Range;
use std::sync::Arc;

use super::fingerprint::IdSum;
use super::seal;
use crate::item::Item;

/// Items of a leaf: 10 KiB, which an insertion may have to move or copy.
const LEAF_MAX: usize = 256;
/// Children of an inner node.
const FAN_MAX: usize = 64;
/// Items between two sums of a leaf.
const STRIDE: usize = 8;

#[derive(Clone, Debug)]
enum Node {
    Leaf(Leaf),
    Inner(Inner),
}

/// Items in order.
#[derive(Clone, Debug, Default)]
struct Leaf {
    items: Vec<Item>,
    /// The sum of the first 8, 16, 24, … items.
    sums: Vec<IdSum>,
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
    node: Arc<Node>,
}

impl Leaf {
    fn new(items: Vec<Item>) -> Self {
        let mut leaf = Self { items, sums: Vec::new() };
        leaf.sum_from(0);
        leaf
    }

    /// Makes the sums from item `place` on.
    fn sum_from(&mut self, place: usize) {
        self.sums.truncate(place / STRIDE);
        let mut sum = self.sums.last().copied().unwrap_or_default();
        let (groups, _) = self.items[self.sums.len() * STRIDE..].as_chunks::<STRIDE>();
        self.sums.reserve_exact(groups.len());
        for group in groups {
            for item in group {
                sum.add(&item.id);
            }
            self.sums.push(sum);
        }
    }

    /// Sum of the first `count` items.
    fn sum_below(&self, count: usize) -> IdSum {
        let groups = count / STRIDE;
        let mut sum = if groups > 0 { self.sums[groups - 1] } else { IdSum::default() };
        for item in &self.items[groups * STRIDE..count] {
            sum.add(&item.id);
        }
        sum
    }
}

impl Node {
    fn count(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.items.len(),
            Self::Inner(inner) => inner.count,
        }
    }

    fn sum(&self) -> IdSum {
        match self {
            Self::Leaf(leaf) => leaf.sum_below(leaf.items.len()),
            Self::Inner(inner) => inner.sum,
        }
    }

    fn first(&self) -> Item {
        match self {
            Self::Leaf(leaf) => leaf.items[0],
            Self::Inner(inner) => inner.children[0].first,
        }
    }

    /// Adds an item that is not there yet. Returns what must stand to the right of this node now.
    fn insert(&mut self, item: Item) -> Option<Self> {
        match self {
            Self::Leaf(leaf) => leaf.insert(item).map(Self::Leaf),
            Self::Inner(inner) => inner.insert(item).map(Self::Inner),
        }
    }

    fn heap_bytes(&self) -> usize {
        // What `Arc` allocates: two counters before the node.
        2 * size_of::<usize>()
            + size_of::<Self>()
            + match self {
                Self::Leaf(leaf) => {
                    leaf.items.capacity() * size_of::<Item>() + leaf.sums.capacity() * size_of::<IdSum>()
                }
                Self::Inner(inner) => {
                    inner.children.capacity() * size_of::<Child>()
                        + inner.children.iter().map(|child| child.node.heap_bytes()).sum::<usize>()
                }
            }
    }
}

impl Leaf {
    fn insert(&mut self, item: Item) -> Option<Self> {
        let place = self.items.partition_point(|other| *other < item);
        if self.items.len() < LEAF_MAX {
            self.items.insert(place, item);
            self.sum_from(place);
            return None;
        }
        if place == LEAF_MAX {
            return Some(Self::new(vec![item]));
        }
        let mut right = Self::new(self.items.split_off(LEAF_MAX / 2));
        self.sums.truncate(LEAF_MAX / 2 / STRIDE);
        if place <= LEAF_MAX / 2 {
            self.insert(item)
        } else {
            right.insert(item)
        };
        Some(right)
    }
}

impl Inner {
    /// A node with these children, in order.
    fn new(nodes: impl Iterator<Item = Arc<Node>>) -> Self {
        let mut inner = Self::default();
        inner.children.reserve_exact(nodes.size_hint().0);
        for node in nodes {
            inner.push(node);
        }
        inner
    }

    fn push(&mut self, node: Arc<Node>) {
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
        let i = self.child_of(|child| child.first <= item);
        let child = &mut self.children[i];
        child.first = child.first.min(item);
        let right = Arc::make_mut(&mut child.node).insert(item);
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
        self.children.insert(i, Child { first, count_before, sum_before, node: Arc::new(node) });
        if self.children.len() <= FAN_MAX {
            return None;
        }
        // As in leaves: what grows at the end leaves full nodes behind.
        let at = if i == FAN_MAX { FAN_MAX } else { FAN_MAX.div_ceil(2) };
        let right = Self::new(self.children.drain(at..).map(|child| child.node));
        self.count -= right.count;
        self.sum = self.sum - right.sum;
        Some(right)
    }

    /// The last child for which `holds` is true, given that it is for none after one for which it is not; the
    /// first when there is none.
    fn child_of(&self, holds: impl Fn(&Child) -> bool) -> usize {
        self.children.partition_point(holds).saturating_sub(1)
    }
}

/// Items in order of (time, id), each once. Cloning is O(1), and clones do not see each other's insertions.
///
/// Heap: 44 bytes an item when sealed at once, 40 of them the item; up to twice that after insertions all over.
#[derive(Clone, Debug)]
pub struct RangeSet {
    root: Arc<Node>,
}

impl Default for RangeSet {
    fn default() -> Self {
        Self { root: Arc::new(Node::Leaf(Leaf::default())) }
    }
}

impl RangeSet {
    /// Sorts, dedups and sums items; see [`seal`]. O(n) for times that are spread about evenly.
    pub fn seal(items: &[Item]) -> Self {
        let leaf = |items: Vec<Item>| Arc::new(Node::Leaf(Leaf::new(items)));
        let mut nodes: Vec<Arc<Node>> = match seal::order(items) {
            None => items.chunks(LEAF_MAX).map(|items| leaf(items.to_vec())).collect(),
            Some(places) => {
                let gather = |places: &[u32]| places.iter().map(|place| items[*place as usize]).collect();
                places.chunks(LEAF_MAX).map(|places| leaf(gather(places))).collect()
            }
        };
        while nodes.len() > 1 {
            nodes = nodes
                .chunks(FAN_MAX)
                .map(|some| Arc::new(Node::Inner(Inner::new(some.iter().cloned()))))
                .collect();
        }
        nodes.pop().map_or_else(Self::default, |root| Self { root })
    }

    /// Adds an item; false when it is there already. O(log n), also while clones are alive.
    pub fn insert(&mut self, item: Item) -> bool {
        if !self.is_empty() {
            let mut cursor = self.cursor();
            let place = cursor.seek_bound(0..self.len(), &item);
            if place < self.len() && *cursor.item(place) == item {
                return false;
            }
        }
        if let Some(right) = Arc::make_mut(&mut self.root).insert(item) {
            let left = std::mem::take(self).root;
            self.root = Arc::new(Node::Inner(Inner::new([left, Arc::new(right)].into_iter())));
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
        let mut cursor = Cursor { root: &self.root, leaf: &EMPTY, start: 0, sum_before: IdSum::default() };
        cursor.descend(|child| child.count_before == 0);
        cursor
    }

    /// Bytes on the heap, shared ones included. O(nodes).
    pub fn heap_bytes(&self) -> usize {
        self.root.heap_bytes()
    }
}

static EMPTY: Leaf = Leaf { items: Vec::new(), sums: Vec::new() };

/// Reads a set by place. It stays in a leaf as long as what is asked for lies there.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    root: &'a Node,
    leaf: &'a Leaf,
    /// Place of the leaf's first item.
    start: usize,
    /// Sum of all items before the leaf.
    sum_before: IdSum,
}

impl<'a> Cursor<'a> {
    /// Goes to the leaf that lies under the last child of each node for which `holds` is true.
    fn descend(&mut self, holds: impl Fn(&Child) -> bool + Copy) {
        self.descend_by(|inner, _| inner.child_of(holds));
    }

    /// Goes to a leaf; `child` chooses the way from a node and the number of items before it.
    fn descend_by(&mut self, child: impl Fn(&Inner, usize) -> usize) {
        let mut node = self.root;
        (self.start, self.sum_before) = (0, IdSum::default());
        loop {
            match node {
                Node::Leaf(leaf) => {
                    self.leaf = leaf;
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

    /// Goes to the leaf in which `place` lies, or to which it is the end.
    fn seek(&mut self, place: usize) {
        if place < self.start || place > self.start + self.leaf.items.len() {
            self.descend_by(|inner, before| inner.child_of(|child| before + child.count_before <= place));
        }
    }

    /// The item at a place, which must be below the number of items.
    pub fn item(&mut self, place: usize) -> &'a Item {
        self.slice(place..place + 1).first().expect("the place is below the number of items")
    }

    /// Sum of the first `count` items.
    pub fn sum_below(&mut self, count: usize) -> IdSum {
        self.seek(count);
        let mut sum = self.sum_before;
        sum.add_sum(&self.leaf.sum_below(count - self.start));
        sum
    }

    /// The first place in `range` whose item is not below `bound`, or the end of `range`.
    pub fn seek_bound(&mut self, range: Range<usize>, bound: &Item) -> usize {
        let items = self.slice(range.clone());
        if items.first().is_none_or(|first| first >= bound) {
            return range.start;
        }
        if items.last().is_some_and(|last| last >= bound) || items.len() == range.len() {
            return range.start + items.partition_point(|item| item < bound);
        }
        self.descend(|child| child.first < *bound);
        let place = self.start + self.leaf.items.partition_point(|item| item < bound);
        place.min(range.end)
    }

    /// The items of `range` as far as they lie in one leaf; at least one of a range that is not empty.
    pub fn slice(&mut self, range: Range<usize>) -> &'a [Item] {
        self.seek(range.start);
        if range.start == self.start + self.leaf.items.len() && !range.is_empty() {
            // The end of this leaf is the start of the next.
            let place = range.start;
            self.descend_by(|inner, before| inner.child_of(|child| before + child.count_before <= place));
        }
        let end = range.end.min(self.start + self.leaf.items.len());
        &self.leaf.items[range.start - self.start..end - self.start]
    }

    /// All items of `range`, leaf by leaf.
    pub fn slices(&mut self, mut range: Range<usize>) -> impl Iterator<Item = &'a [Item]> {
        std::iter::from_fn(move || {
            let slice = self.slice(range.clone());
            range.start += slice.len();
            (!slice.is_empty()).then_some(slice)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ItemId;
    use crate::seed::{Rng, Seed};
    use proptest::prelude::*;

    fn random_item(rng: &mut Rng, times: u64) -> Item {
        Item { at: rng.below(times), id: ItemId::new(rng.bytes()) }
    }

    /// Every question, beside a sorted list.
    fn check(set: &RangeSet, sorted: &[Item], rng: &mut Rng) {
        assert_eq!(set.len(), sorted.len());
        let mut cursor = set.cursor();
        let all: Vec<Item> = cursor.slices(0..sorted.len()).flatten().copied().collect();
        assert_eq!(all, sorted);
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
            assert_eq!(cursor.seek_bound(start..end, &bound), start + below);
            assert!(cursor.slices(start..end).flatten().eq(&sorted[start..end]));
            if start < end {
                assert_eq!(cursor.item(start), &sorted[start]);
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
            assert!(set.heap_bytes() > n * 44);
            assert!(set.heap_bytes() < n * 96, "{}", set.heap_bytes() / n);
        }
        assert!(log.heap_bytes() < n * 46, "a log's nodes are full: {}", log.heap_bytes() / n);
    }
}
