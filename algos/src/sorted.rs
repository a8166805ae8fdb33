//! Sets in order: the shared form in which indexes keep their items, and tables of short ids.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use crate::dialog::{Dialog, Talk};
use crate::item::Item;
use crate::radix::{self, ByTime};
use crate::salt::{Key, SetHash, short_of};
use crate::session::{Index, Role, Session, Setup};

/// Items in order of (time, id), each once. Cloning is O(1): sessions share the items with the index.
#[derive(Clone, Debug, Default)]
pub struct SortedSet(Arc<Vec<Item>>);

impl SortedSet {
    /// Sorts and dedups: see `radix`.
    pub fn new(items: &[Item]) -> Self {
        if items.is_sorted_by(|a, b| a < b) {
            return Self(Arc::new(items.to_vec()));
        }
        let mut sorted = Vec::with_capacity(items.len());
        ByTime::default().each_in_order(items, |item| item.at, |item| *item, |item| sorted.push(*item));
        Self(Arc::new(sorted))
    }

    /// Adds an item: O(log n) at the newest end, O(n) elsewhere or while a session still shares the items.
    pub fn insert(&mut self, item: Item) {
        if self.0.last().is_none_or(|last| *last < item) {
            Arc::make_mut(&mut self.0).push(item);
        } else if let Err(place) = self.0.binary_search(&item) {
            Arc::make_mut(&mut self.0).insert(place, item);
        }
    }

    /// The items.
    pub fn items(&self) -> &[Item] {
        &self.0
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Item>()
    }
}

/// How a strategy opens a dialog on a set. Implemented by the parameters of strategies that keep nothing
/// but the set itself between sessions (a fresh key for each session makes anything else worthless).
pub trait OpenOnSet: Clone + Send + Sync + 'static {
    /// One end of a dialog of this strategy.
    fn open(&self, set: SortedSet, role: Role, setup: &Setup) -> Box<dyn Dialog>;
}

/// The index of strategies that keep only the set.
#[derive(Clone, Debug)]
pub struct SetIndex<P> {
    set: SortedSet,
    params: P,
}

impl<P: OpenOnSet> SetIndex<P> {
    /// Indexes `items`.
    pub fn boxed(items: &[Item], params: &P) -> Box<dyn Index> {
        Box::new(Self { set: SortedSet::new(items), params: params.clone() })
    }
}

impl<P: OpenOnSet> Index for SetIndex<P> {
    fn insert(&mut self, item: Item) {
        self.set.insert(item);
    }

    fn open(&self, role: Role, setup: &Setup) -> Box<dyn Session> {
        Box::new(Talk::new(self.params.open(self.set.clone(), role, setup), role, setup))
    }

    fn heap_bytes(&self) -> usize {
        self.set.heap_bytes()
    }
}

/// The keyed short ids of a set, each with the place of its item, sorted by short id when that is first asked for:
/// between equal sets nobody looks anything up, and sorting takes as long as hashing.
#[derive(Clone, Debug)]
pub struct ShortIds {
    /// In the order of the items; empty once they are sorted.
    raw: RefCell<Vec<(u64, u32)>>,
    sorted: OnceCell<Sorted>,
    len: usize,
    bits: u32,
    /// Set hash of all items under the same key.
    pub whole: SetHash,
}

impl ShortIds {
    /// Hashes every item of `items` once; O(n).
    pub fn new(items: &[Item], key: &Key, bits: u32) -> Self {
        let mut whole = SetHash::default();
        let mut pairs = Vec::with_capacity(items.len());
        key.hash_all(items.iter().map(|item| &item.id), |hashed| {
            whole.add(hashed);
            pairs.push((short_of(hashed.short, bits), pairs.len() as u32));
        });
        let len = pairs.len();
        Self { raw: RefCell::new(pairs), sorted: OnceCell::new(), len, bits, whole }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Short ids in order, with the place of their item. Two items may share one. O(n) the first time, as they are keyed.
    pub fn pairs(&self) -> &[(u64, u32)] {
        &self.sorted().pairs
    }

    fn sorted(&self) -> &Sorted {
        self.sorted.get_or_init(|| Sorted::new(&self.raw.take(), self.bits.min(64)))
    }

    /// Short ids with the place of their item in whatever order they are in, for sums that have none.
    pub fn in_any_order<R>(&self, use_pairs: impl FnOnce(&[(u64, u32)]) -> R) -> R {
        match self.sorted.get() {
            Some(sorted) => use_pairs(&sorted.pairs),
            None => use_pairs(&self.raw.borrow()),
        }
    }

    /// Places of all items with this short id.
    pub fn places(&self, short: u64) -> impl Iterator<Item = u32> + '_ {
        let found = self.sorted().at_or_after(short).iter();
        found.take_while(move |(s, _)| *s == short).map(|(_, place)| *place)
    }
}

/// Short ids in order, in about as many buckets as there are of them: whoever looks one up goes to its bucket.
#[derive(Clone, Debug)]
struct Sorted {
    pairs: Vec<(u64, u32)>,
    /// Where each bucket ends.
    ends: Vec<u32>,
    /// A bucket is a short id's upper bits, without so many lower ones.
    shift: u32,
}

impl Sorted {
    fn new(raw: &[(u64, u32)], bits: u32) -> Self {
        let bucket_bits = (usize::BITS - raw.len().leading_zeros()).clamp(1, bits);
        let shift = bits - bucket_bits;
        let (mut pairs, mut ends) = (Vec::new(), Vec::new());
        radix::sort(raw, &mut pairs, &mut ends, bucket_bits, |(short, _)| (short >> shift) as usize);
        Self { pairs, ends, shift }
    }

    /// From the first that is not below a short id on.
    fn at_or_after(&self, short: u64) -> &[(u64, u32)] {
        let bucket = (short >> self.shift) as usize;
        let start =
            bucket.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        let end = self.ends.get(bucket).map_or(self.pairs.len(), |end| *end as usize);
        let start = start + self.pairs[start..end].partition_point(|(s, _)| *s < short);
        &self.pairs[start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ItemId;

    fn item(at: u64, n: u8) -> Item {
        Item { at, id: ItemId::new([n; 32]) }
    }

    #[test]
    fn a_set_holds_each_item_once_in_order() {
        let mut set = SortedSet::new(&[item(2, 1), item(1, 1), item(2, 1)]);
        set.insert(item(1, 1));
        set.insert(item(1, 2));
        set.insert(item(3, 0));
        assert_eq!(set.items(), [item(1, 1), item(1, 2), item(2, 1), item(3, 0)]);
    }

    #[test]
    fn short_ids_are_sorted_when_asked_for() {
        let items: Vec<Item> = (0..50).map(|n| item(u64::from(n), n)).collect();
        let key = Key::one_party(crate::salt::Salt::of(crate::seed::Seed::new(1), Role::Initiator));
        let ids = ShortIds::new(&items, &key, 48);
        let places = ids.in_any_order(|pairs| pairs.iter().map(|(_, place)| *place).collect::<Vec<_>>());
        assert!(places.into_iter().eq(0..50));
        let copy = ids.clone();
        assert!(ids.pairs().is_sorted());
        assert_eq!((ids.pairs().len(), ids.len()), (50, 50));
        assert_eq!(ids.in_any_order(<[_]>::to_vec), copy.pairs());
        let (short, place) = copy.pairs()[7];
        assert!(copy.places(short).eq([place]));
    }

    #[test]
    fn a_shared_set_does_not_see_later_inserts() {
        let mut set = SortedSet::new(&[item(1, 1)]);
        let snapshot = set.clone();
        set.insert(item(2, 2));
        assert_eq!((snapshot.items().len(), set.items().len()), (1, 2));
    }
}
