//! What an index keeps under keys that outlive sessions.
//!
//! Items are logged in the order in which they came, so the set as it was at some time is the first so many of them,
//! and a session needs no copy of anything: it remembers how many there were when it was opened. Under each key are
//! kept the sum for the end check, a tree from short ids to places, and whatever the strategy adds up ([`Sums`]): coded
//! symbols, cells, power sums. All of these are sums, so what came after a session was opened is taken out of what the
//! session copies, and what came after the sums were last read may be added when they are read next.
//!
//! **Cost.** The first session under a key hashes the whole set, as every session with a fresh key does; later ones
//! cost what they send and find, and an insert a hash and a step into the tree for each key. What strategies add to
//! that their own modules say. The log takes 40 B an item and what tells new items from old about 60; under each key short
//! ids take 8 B an item, and the tree 24 once somebody looked something up.
//!
//! **Bounds.** At most [`keys_max`] keys are kept, those used last. What a strategy keeps under each it must bound by
//! itself, whatever a peer asks for.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::close::{ByPlace, ByShort, Keyed};
use crate::dialog::{Dialog, Out, Talk};
use crate::estimate::tow::{Growing, Tow};
use crate::item::{Item, ItemId};
use crate::salt::{Hashed, Key, Salting, SetHash, short_of};
use crate::session::{Index, Role, Session, Setup};
use crate::sorted::{ShortIds, SortedSet};

/// Keys of links that an index keeps something under: as many as a member has links in use, and a few.
const LINKS_KEPT_MAX: usize = 8;
/// Keys of a group: this epoch's, and the last one's while some have not heard of this.
const EPOCHS_KEPT_MAX: usize = 2;

/// How many keys an index keeps something under.
fn keys_max(salting: Salting) -> usize {
    match salting {
        Salting::Link => LINKS_KEPT_MAX,
        Salting::Group => EPOCHS_KEPT_MAX,
        Salting::Session | Salting::None => 1,
    }
}

/// Short ids, and the places in the log of the items that have them.
pub type Places = BTreeSet<(u64, u32)>;

/// What a strategy adds up over a set under one key.
pub trait Sums: Debug + Send + 'static {
    /// The key, and what else says how to add up.
    type Scheme: Copy + Debug + Send;

    /// The key of a scheme, and the length of short ids under it.
    fn key(scheme: &Self::Scheme) -> (Key, u32);

    /// Of logged items and their hashes.
    fn new(scheme: Self::Scheme, log: &[Item], hashed: &[Hashed]) -> Self;

    /// The scheme.
    fn scheme(&self) -> &Self::Scheme;

    /// Takes an item that is not in the set.
    fn insert(&mut self, id: &ItemId, hashed: Hashed);

    /// Short ids in the order in which their items came.
    fn shorts(&self) -> impl Iterator<Item = u64> + '_;

    /// Bytes on the heap.
    fn heap_bytes(&self) -> usize;
}

/// What sums over short ids start from: those, in the order in which their items came, and Tug-of-War counters.
#[derive(Debug)]
pub struct Listed {
    bits: u32,
    /// The short ids.
    pub shorts: Vec<u64>,
    tow: Growing,
}

impl Listed {
    /// Of items with these hashes.
    pub fn new(bits: u32, hashed: &[Hashed]) -> Self {
        let shorts = hashed.iter().map(|one| short_of(one.short, bits)).collect();
        Self { bits, shorts, tow: Growing::of(hashed) }
    }

    /// Takes one more.
    pub fn insert(&mut self, hashed: Hashed) {
        self.shorts.push(short_of(hashed.short, self.bits));
        self.tow.add(hashed);
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.shorts.capacity() * size_of::<u64>() + self.tow.heap_bytes()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic in another session leaves behind is whole: nothing below stops half-way but by a bug.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A set and what is kept of it.
#[derive(Debug)]
struct Store<S> {
    /// In the order in which they came.
    log: Vec<Item>,
    known: BTreeSet<Item>,
    /// Used last at the end.
    kept: Vec<Arc<Mutex<Kept<S>>>>,
    keys_max: usize,
}

/// What is kept under one key.
#[derive(Debug)]
struct Kept<S> {
    sums: S,
    len: u32,
    whole: SetHash,
    /// None until somebody looks something up.
    places: Option<Places>,
}

impl<S: Sums> Kept<S> {
    fn new(scheme: S::Scheme, log: &[Item]) -> Self {
        let mut whole = SetHash::default();
        let mut hashed = Vec::with_capacity(log.len());
        S::key(&scheme).0.hash_all(log.iter().map(|item| &item.id), |one| {
            whole.add(one);
            hashed.push(one);
        });
        Self { sums: S::new(scheme, log, &hashed), len: log.len() as u32, whole, places: None }
    }

    fn key(&self) -> (Key, u32) {
        S::key(self.sums.scheme())
    }

    fn insert(&mut self, id: &ItemId) {
        let (key, bits) = self.key();
        let hashed = key.hash(id);
        self.whole.add(hashed);
        if let Some(places) = &mut self.places {
            places.insert((short_of(hashed.short, bits), self.len));
        }
        self.len += 1;
        self.sums.insert(id, hashed);
    }

    /// With the places of short ids: O(n log n) when first asked for.
    fn both(&mut self) -> (&mut S, &Places) {
        if self.places.is_none() {
            self.places = Some(self.sums.shorts().zip(0..).collect());
        }
        (&mut self.sums, self.places.get_or_insert_with(Places::new))
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
struct Shared<S>(Arc<Mutex<Store<S>>>);

impl<S: Sums> Shared<S> {
    /// Of these items, with nothing kept yet.
    fn new(items: &[Item], keys_max: usize) -> Self {
        let mut log = items.to_vec();
        log.sort_unstable();
        log.dedup();
        let known = log.iter().copied().collect();
        Self(Arc::new(Mutex::new(Store { log, known, kept: Vec::new(), keys_max })))
    }

    /// Adds an item, to what is kept too. One that is there already changes nothing.
    fn insert(&mut self, item: &Item) {
        let mut store = lock(&self.0);
        if store.known.insert(*item) {
            store.log.push(*item);
            store.kept.iter().for_each(|kept| lock(kept).insert(&item.id));
        }
    }

    /// The set as it is now.
    fn handle(&self) -> Handle<S> {
        let len = lock(&self.0).log.len();
        Handle { store: Arc::clone(&self.0), len }
    }

    fn heap_bytes(&self) -> usize {
        let store = lock(&self.0);
        let kept: usize = store.kept.iter().map(|kept| lock(kept).heap_bytes()).sum();
        store.log.capacity() * size_of::<Item>() + tree_bytes(&store.known) + kept
    }
}

/// The index of a strategy whose key outlives sessions, with what opens a dialog on the set as it is.
pub struct KeptIndex<S, F> {
    store: Shared<S>,
    open: F,
}

impl<S, F> KeptIndex<S, F>
where
    S: Sums,
    F: Fn(Own<S>, Role, &Setup) -> Box<dyn Dialog> + Send + 'static,
{
    /// Indexes `items`.
    pub fn boxed(items: &[Item], salting: Salting, open: F) -> Box<dyn Index> {
        Box::new(Self { store: Shared::new(items, keys_max(salting)), open })
    }
}

impl<S, F> Index for KeptIndex<S, F>
where
    S: Sums,
    F: Fn(Own<S>, Role, &Setup) -> Box<dyn Dialog> + Send + 'static,
{
    fn insert(&mut self, item: Item) {
        self.store.insert(&item);
    }

    fn open(&self, role: Role, setup: &Setup) -> Box<dyn Session> {
        let dialog = (self.open)(Own::Log(self.store.handle()), role, setup);
        Box::new(Talk::new(dialog, role, setup))
    }

    fn heap_bytes(&self) -> usize {
        self.store.heap_bytes()
    }
}

/// The set as it was when a session was opened.
#[derive(Debug)]
pub struct Handle<S> {
    store: Arc<Mutex<Store<S>>>,
    len: usize,
}

impl<S> Clone for Handle<S> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), len: self.len }
    }
}

impl<S: Sums> Handle<S> {
    /// The items at these places, in the order of their places.
    fn at(&self, places: &[u32]) -> Vec<Item> {
        let store = lock(&self.store);
        places.iter().map(|place| store.log[*place as usize]).collect()
    }

    /// All items, in order.
    fn items(&self) -> Vec<Item> {
        let mut items = lock(&self.store).log[..self.len].to_vec();
        items.sort_unstable();
        items
    }

    /// What is kept under a key, and the hashes of the items that came later; O(n) if nothing is kept yet.
    fn look<R>(
        &self,
        scheme: S::Scheme,
        look: impl FnOnce(&Arc<Mutex<Kept<S>>>, &mut dyn Iterator<Item = Hashed>) -> R,
    ) -> R {
        let mut store = lock(&self.store);
        let (key, _) = S::key(&scheme);
        let used = store.kept.iter().position(|kept| lock(kept).key().0 == key);
        let kept = match used {
            Some(place) => store.kept.remove(place),
            None => Arc::new(Mutex::new(Kept::new(scheme, &store.log))),
        };
        store.kept.push(Arc::clone(&kept));
        if store.kept.len() > store.keys_max {
            store.kept.remove(0);
        }
        look(&kept, &mut store.log[self.len..].iter().map(|item| key.hash(&item.id)))
    }

    /// What is kept under a key.
    fn snapshot(&self, scheme: S::Scheme) -> Snapshot<S> {
        self.look(scheme, |kept, later| {
            let mut whole = lock(kept).whole;
            later.for_each(|hashed| whole.remove(hashed));
            Snapshot { kept: Arc::clone(kept), len: self.len, whole }
        })
    }
}

/// What is kept under one key of a set as it was when a session was opened.
#[derive(Debug)]
pub struct Snapshot<S> {
    kept: Arc<Mutex<Kept<S>>>,
    len: usize,
    whole: SetHash,
}

impl<S> Clone for Snapshot<S> {
    fn clone(&self) -> Self {
        Self { kept: Arc::clone(&self.kept), len: self.len, whole: self.whole }
    }
}

impl<S: Sums> Snapshot<S> {
    /// Reads or brings up to date what is kept of the whole log. Of that the first `len`, told too, are the set.
    pub fn sums<R>(&self, use_sums: impl FnOnce(&mut S, usize) -> R) -> R {
        use_sums(&mut lock(&self.kept).sums, self.len)
    }

    /// Likewise with the places of all short ids of the log.
    pub fn sums_and_places<R>(&self, use_both: impl FnOnce(&mut S, &Places, usize) -> R) -> R {
        let mut kept = lock(&self.kept);
        let (sums, places) = kept.both();
        use_both(sums, places, self.len)
    }
}

/// The own set.
#[derive(Debug)]
pub enum Own<S> {
    /// In order.
    Set(SortedSet),
    /// As an index with lasting keys has it.
    Log(Handle<S>),
}

impl<S> Clone for Own<S> {
    fn clone(&self) -> Self {
        match self {
            Self::Set(set) => Self::Set(set.clone()),
            Self::Log(handle) => Self::Log(handle.clone()),
        }
    }
}

impl<S: Sums> Own<S> {
    /// How many items.
    pub fn len(&self) -> usize {
        match self {
            Self::Set(set) => set.items().len(),
            Self::Log(handle) => handle.len,
        }
    }

    /// All items in order.
    pub fn sorted(&self) -> SortedSet {
        match self {
            Self::Set(set) => set.clone(),
            Self::Log(handle) => SortedSet::new(&handle.items()),
        }
    }

    /// Reports all of it as lacked by the peer, in order.
    pub fn report_all(&self, out: &mut Out) {
        self.sorted().items().iter().for_each(|item| out.have(item.id));
    }

    /// The Tug-of-War counters of the set under a key: O(1) as the index keeps them, if the key `lasts`.
    pub fn tow(&self, scheme: S::Scheme, lasts: bool) -> Tow
    where
        S: AsRef<Listed>,
    {
        match self {
            Self::Log(handle) if lasts => {
                handle.look(scheme, |kept, later| lock(kept).sums.as_ref().tow.without(later))
            }
            _ => {
                let set = self.sorted();
                Tow::new(set.items().iter().map(|item| &item.id), &S::key(&scheme).0)
            }
        }
    }

    /// The set under a key: as the index keeps it, if the key `lasts`, or else hashed, which takes O(n).
    pub fn keyed(&self, scheme: S::Scheme, lasts: bool) -> Keyed<Ids<S>, Self> {
        let (key, bits) = S::key(&scheme);
        match self {
            Self::Log(handle) if lasts => {
                Keyed { set: self.clone(), key, bits, ids: Ids::Kept(handle.snapshot(scheme)) }
            }
            _ => {
                let set = self.sorted();
                let ids = Ids::Fresh(ShortIds::new(set.items(), &key, bits));
                Keyed { set: Self::Set(set), key, bits, ids }
            }
        }
    }
}

impl<S: Sums> ByPlace for Own<S> {
    fn each_id(&self, places: &[u32], mut each: impl FnMut(ItemId)) {
        match self {
            Self::Set(set) => set.each_id(places, each),
            Self::Log(handle) => {
                // When an item came is nobody's business: the same set says the same.
                let mut items = handle.at(places);
                items.sort_unstable();
                items.iter().for_each(|item| each(item.id));
            }
        }
    }
}

/// Short ids of the own set.
#[derive(Debug)]
pub enum Ids<S> {
    /// Hashed for this attempt.
    Fresh(ShortIds),
    /// Kept by the index.
    Kept(Snapshot<S>),
}

impl<S: Sums> Ids<S> {
    /// Hands all of them over, in some order.
    pub fn each(&self, mut each: impl FnMut(u64)) {
        match self {
            Self::Fresh(ids) => ids.pairs().iter().for_each(|(short, _)| each(*short)),
            Self::Kept(snapshot) => snapshot.sums(|sums, len| sums.shorts().take(len).for_each(each)),
        }
    }

    /// All of them.
    pub fn shorts(&self) -> Vec<u64> {
        let mut shorts = Vec::with_capacity(self.len());
        self.each(|short| shorts.push(short));
        shorts
    }

    /// How many items have this short id.
    pub fn count(&self, short: u64) -> usize {
        match self {
            Self::Fresh(ids) => ids.places(short).count(),
            Self::Kept(_) => {
                let mut places = Vec::new();
                self.find(short, &mut places);
                places.len()
            }
        }
    }
}

impl<S: Sums> ByShort for Ids<S> {
    fn len(&self) -> usize {
        match self {
            Self::Fresh(ids) => ids.len(),
            Self::Kept(snapshot) => snapshot.len,
        }
    }

    fn whole(&self) -> SetHash {
        match self {
            Self::Fresh(ids) => ids.whole,
            Self::Kept(snapshot) => snapshot.whole,
        }
    }

    /// Where it is kept: O(log n), and O(n log n) when first asked for.
    fn find(&self, short: u64, found: &mut Vec<u32>) {
        match self {
            Self::Fresh(ids) => ids.find(short, found),
            Self::Kept(snapshot) => snapshot.sums_and_places(|_, places, len| {
                let same = places.range((short, 0)..=(short, u32::MAX)).map(|(_, place)| *place);
                found.extend(same.filter(|place| (*place as usize) < len));
            }),
        }
    }
}

/// The next of the sizes that are kept, four between a number and its double: whoever needs a size takes the next of
/// these, a tenth more in the mean, and finds it made where the last session needed a little less or more.
pub fn next_size(size: u64) -> u64 {
    match size {
        0..8 => size,
        _ => size.next_multiple_of(1 << (size.ilog2() - 2)),
    }
}

#[cfg(test)]
pub mod tests;
