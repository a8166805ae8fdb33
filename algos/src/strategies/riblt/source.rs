//! Where an end's own symbols and short ids come from: made for the session, or kept by the index.

use super::kept::{Handle, Snapshot};
use super::symbol::{Name, Symbol};
use super::walkers::Walkers;
use crate::close::{ByPlace, ByShort};
use crate::item::{Item, ItemId};
use crate::salt::SetHash;
use crate::sorted::{ShortIds, SortedSet};

/// Symbols of the own set.
#[derive(Clone, Debug)]
pub enum Source<N> {
    /// Made in this session, of all items on their walks.
    Fresh(Walkers<N>),
    /// Kept by the index.
    Kept(Snapshot<N>),
}

impl<N: Name> Source<N> {
    /// Adds its symbols to `block`, of which the first has index `start`. All before must have been taken.
    pub fn add_to(&mut self, block: &mut [Symbol<N>], start: u64) {
        if let Self::Kept(snapshot) = self {
            if snapshot.add_to(block, start as usize) {
                return;
            }
            *self = Self::Fresh(snapshot.walkers(start as usize));
        }
        if let Self::Fresh(walkers) = self {
            walkers.pass(block, start);
        }
    }
}

impl<N> From<Walkers<N>> for Source<N> {
    fn from(walkers: Walkers<N>) -> Self {
        Self::Fresh(walkers)
    }
}

/// The own set.
#[derive(Clone, Debug)]
pub enum Own<N> {
    /// In order.
    Set(SortedSet),
    /// As an index with lasting keys has it.
    Log(Handle<N>),
}

impl<N: Name> Own<N> {
    /// How many items.
    pub fn len(&self) -> usize {
        match self {
            Self::Set(set) => set.items().len(),
            Self::Log(handle) => handle.len(),
        }
    }

    /// All ids, in the order of their items.
    pub fn ids(&self) -> Vec<ItemId> {
        let ids = |items: &[Item]| items.iter().map(|item| item.id).collect();
        match self {
            Self::Set(set) => ids(set.items()),
            Self::Log(handle) => ids(&handle.items()),
        }
    }
}

impl<N: Name> ByPlace for Own<N> {
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
#[derive(Clone, Debug)]
pub enum Ids<N> {
    /// Hashed for this attempt.
    Fresh(ShortIds),
    /// Kept by the index.
    Kept(Snapshot<N>),
}

impl<N: Name> ByShort for Ids<N> {
    fn len(&self) -> usize {
        match self {
            Self::Fresh(ids) => ids.len(),
            Self::Kept(snapshot) => snapshot.len(),
        }
    }

    fn whole(&self) -> SetHash {
        match self {
            Self::Fresh(ids) => ids.whole,
            Self::Kept(snapshot) => snapshot.whole(),
        }
    }

    fn find(&self, short: u64, places: &mut Vec<u32>) {
        match self {
            Self::Fresh(ids) => ids.find(short, places),
            Self::Kept(snapshot) => snapshot.find(short, places),
        }
    }
}
