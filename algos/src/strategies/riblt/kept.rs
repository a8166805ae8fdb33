//! What an index keeps under keys that outlive sessions.
//!
//! Items are logged in the order in which they came, so the set as it was at some time is the first so many of them,
//! and a session needs no copy of anything: it remembers how many there were when it was opened. Under each key are
//! kept the first symbols (`prefix.rs`), the sum for the end check, and a tree from short ids to places. What came
//! after a session was opened is taken out of what the session copies: O(log m) for each such item.
//!
//! **Cost.** The first session under a key hashes and walks the whole set, as every session with a fresh key does.
//! Later ones cost what they send and find; an insert costs O(log m + log n) for each key that is kept. A key takes
//! 28 B an item (60 with full ids), about 20 more once somebody looked something up, and 24 B a symbol (48). The
//! log takes 40 B an item and what tells new items from old about 60.
//!
//! **Bounds.** Symbols after the first [`SYMBOLS_KEPT_MAX`] are made for the session that wants them: a peer that
//! asks for an endless stream leaves nothing behind. At most `keys_max` keys are kept, those used last.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::prefix::Sums;
use super::symbol::{Name, Scheme, Symbol};
use super::walkers::Walkers;
use crate::item::{Item, ItemId};
use crate::salt::{SetHash, short_of};

/// Symbols that are kept: 1.5 MiB of short ids. The end of a block (`symbol.rs`).
pub const SYMBOLS_KEPT_MAX: usize = 1 << 16;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic in another session leaves behind is whole: nothing below stops half-way but by a bug.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A set and what is kept of it.
#[derive(Debug)]
pub struct Store<N> {
    /// In the order in which they came.
    log: Vec<Item>,
    known: BTreeSet<Item>,
    /// Used last at the end.
    kept: Vec<Arc<Mutex<Kept<N>>>>,
    keys_max: usize,
}

/// What is kept under one key.
#[derive(Debug)]
struct Kept<N> {
    sums: Sums<N>,
    whole: SetHash,
    /// Short ids and places; none until somebody looks something up.
    places: Option<BTreeSet<(u64, u32)>>,
}

impl<N: Name> Kept<N> {
    fn new(scheme: Scheme, log: &[Item]) -> Self {
        let mut whole = SetHash::default();
        let mut shorts = Vec::with_capacity(log.len());
        scheme.key.hash_all(log.iter().map(|item| &item.id), |hashed| {
            whole.add(hashed);
            shorts.push(short_of(hashed.short, scheme.short_bits));
        });
        let named = log.iter().zip(&shorts).map(|(item, short)| (N::of(&item.id, *short), *short));
        let items = scheme.walkers(named);
        Self { sums: Sums::new(scheme, items), whole, places: None }
    }

    fn insert(&mut self, id: &ItemId) {
        let scheme = self.sums.scheme;
        let hashed = scheme.key.hash(id);
        self.whole.add(hashed);
        let short = short_of(hashed.short, scheme.short_bits);
        if let Some(places) = &mut self.places {
            places.insert((short, self.sums.items().len() as u32));
        }
        self.sums.insert(N::of(id, short), short);
    }

    fn places(&mut self) -> &BTreeSet<(u64, u32)> {
        let key = self.sums.scheme.key;
        let names = self.sums.items().names();
        self.places.get_or_insert_with(|| names.map(|name| name.short(&key)).zip(0..).collect())
    }

    fn heap_bytes(&self) -> usize {
        self.sums.heap_bytes() + self.places.as_ref().map_or(0, tree_bytes)
    }
}

/// About what a tree takes: nodes of eleven are two thirds full, and point at each other.
fn tree_bytes<T>(tree: &BTreeSet<T>) -> usize {
    tree.len() * size_of::<T>() * 3 / 2
}

/// The store, shared by an index and its sessions.
#[derive(Debug)]
pub struct Shared<N>(Arc<Mutex<Store<N>>>);

impl<N: Name> Shared<N> {
    /// Of these items, with nothing kept yet.
    pub fn new(items: &[Item], keys_max: usize) -> Self {
        let mut log = items.to_vec();
        log.sort_unstable();
        log.dedup();
        let known = log.iter().copied().collect();
        Self(Arc::new(Mutex::new(Store { log, known, kept: Vec::new(), keys_max })))
    }

    /// Adds an item, to what is kept too. One that is there already changes nothing.
    pub fn insert(&mut self, item: &Item) {
        let mut store = lock(&self.0);
        if store.known.insert(*item) {
            store.log.push(*item);
            store.kept.iter().for_each(|kept| lock(kept).insert(&item.id));
        }
    }

    /// The set as it is now.
    pub fn handle(&self) -> Handle<N> {
        let len = lock(&self.0).log.len();
        Handle { store: Arc::clone(&self.0), len }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let store = lock(&self.0);
        let kept: usize = store.kept.iter().map(|kept| lock(kept).heap_bytes()).sum();
        store.log.capacity() * size_of::<Item>() + tree_bytes(&store.known) + kept
    }
}

/// The set as it was when a session was opened.
#[derive(Clone, Debug)]
pub struct Handle<N> {
    store: Arc<Mutex<Store<N>>>,
    len: usize,
}

impl<N: Name> Handle<N> {
    /// How many items.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The items at these places, in the order of their places.
    pub fn at(&self, places: &[u32]) -> Vec<Item> {
        let store = lock(&self.store);
        places.iter().map(|place| store.log[*place as usize]).collect()
    }

    /// All items, in order.
    pub fn items(&self) -> Vec<Item> {
        let mut items = lock(&self.store).log[..self.len].to_vec();
        items.sort_unstable();
        items
    }

    /// What is kept of it under a key; O(n) if nothing is yet.
    pub fn snapshot(&self, scheme: Scheme) -> Snapshot<N> {
        let mut store = lock(&self.store);
        let used = store.kept.iter().position(|kept| lock(kept).sums.scheme.key == scheme.key);
        let kept = match used {
            Some(place) => store.kept.remove(place),
            None => Arc::new(Mutex::new(Kept::new(scheme, &store.log))),
        };
        store.kept.push(Arc::clone(&kept));
        if store.kept.len() > store.keys_max {
            store.kept.remove(0);
        }
        let mut whole = lock(&kept).whole;
        for item in &store.log[self.len..] {
            whole.remove(scheme.key.hash(&item.id));
        }
        Snapshot { kept, len: self.len, whole }
    }
}

/// What is kept under one key of a set as it was when a session was opened.
#[derive(Clone, Debug)]
pub struct Snapshot<N> {
    kept: Arc<Mutex<Kept<N>>>,
    len: usize,
    whole: SetHash,
}

impl<N: Name> Snapshot<N> {
    /// How many items.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Set hash of all items.
    pub fn whole(&self) -> SetHash {
        self.whole
    }

    /// Appends the places of all items with this short id: O(log n), and O(n log n) when first asked for.
    pub fn find(&self, short: u64, places: &mut Vec<u32>) {
        let mut kept = lock(&self.kept);
        let found = kept.places().range((short, 0)..=(short, u32::MAX));
        places.extend(found.map(|(_, place)| *place).filter(|place| (*place as usize) < self.len));
    }

    /// Adds the set's symbols to `block`, of which the first has index `start`. False where so many are not kept.
    pub fn add_to(&self, block: &mut [Symbol<N>], start: usize) -> bool {
        let end = start + block.len();
        if end > SYMBOLS_KEPT_MAX {
            return false;
        }
        let mut kept = lock(&self.kept);
        kept.sums.extend(end);
        kept.sums.add_to(block, start, self.len);
        true
    }

    /// All items, where their walks stand after `start` symbols: what goes on where no more are kept.
    pub fn walkers(&self, start: usize) -> Walkers<N> {
        let mut kept = lock(&self.kept);
        kept.sums.extend(start);
        assert_eq!(kept.sums.symbols().len(), start, "blocks end where symbols cease to be kept");
        kept.sums.items().first(self.len)
    }
}
