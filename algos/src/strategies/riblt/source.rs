//! Where an end's own symbols come from: made for the session, or kept by the index.
//!
//! **Cost of what is kept.** A session walks nothing: both ends together take 20 to 45 us of CPU for d = 20 at any n from
//! 10^3 to 10^6, where a cold session takes 0.24 ms to 390 ms, and 0.7 to 2 ms for d = 1000 instead of 4 to 500 ms. An
//! insert adds itself to O(log m) symbols under each key that is kept: 0.4 us at n = 10^3, 1 us at 10^5, and amortised
//! growth of the arrays. A key takes 28 B an item (60 with full ids) before somebody looks something up, and 16 B a
//! symbol (40).
//!
//! **Bounds.** Symbols after the first [`SYMBOLS_KEPT_MAX`] are made for the session that wants them: a peer that
//! asks for an endless stream leaves nothing behind.

use super::prefix::Sums;
use super::symbol::{Name, Scheme, Symbol};
use super::walkers::Walkers;
use crate::item::{Item, ItemId};
use crate::kept::{self, Snapshot};
use crate::salt::{Hashed, Key, short_of};

/// Symbols that are kept: 1 MiB of short ids. The end of a block (`symbol.rs`).
pub const SYMBOLS_KEPT_MAX: usize = 1 << 16;

impl<N: Name> kept::Sums for Sums<N> {
    type Scheme = Scheme;

    fn key(scheme: &Scheme) -> (Key, u32) {
        (scheme.key, scheme.short_bits)
    }

    fn new(scheme: Scheme, log: &[Item], hashed: &[Hashed]) -> Self {
        let named = log.iter().zip(hashed).map(|(item, hashed)| {
            let short = short_of(hashed.short, scheme.short_bits);
            (N::of(&item.id, short), short)
        });
        Self::new(scheme, scheme.walkers(named))
    }

    fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    fn insert(&mut self, id: &ItemId, hashed: Hashed) {
        let short = short_of(hashed.short, self.scheme.short_bits);
        self.insert(N::of(id, short), short);
    }

    fn shorts(&self) -> impl Iterator<Item = u64> + '_ {
        self.items().names_from(0).map(|name| name.short(&self.scheme.key))
    }

    fn heap_bytes(&self) -> usize {
        self.heap_bytes()
    }
}

/// Symbols of the own set.
#[derive(Clone, Debug)]
pub enum Source<N> {
    /// Made in this session, of all items on their walks.
    Fresh(Walkers<N>),
    /// Kept by the index.
    Kept(Snapshot<Sums<N>>),
}

impl<N: Name> Source<N> {
    /// Adds its symbols to `block`, of which the first has index `start`. All before must have been taken.
    pub fn add_to(&mut self, block: &mut [Symbol<N>], start: u64) {
        if let Self::Kept(snapshot) = self {
            let (start, end) = (start as usize, start as usize + block.len());
            if end <= SYMBOLS_KEPT_MAX {
                return snapshot.sums(|sums, len| {
                    sums.extend(end);
                    sums.add_to(block, start, len);
                });
            }
            // What goes on where no more are kept.
            *self = Self::Fresh(snapshot.sums(|sums, len| {
                sums.extend(start);
                assert_eq!(sums.symbols().len(), start, "blocks end where symbols cease to be kept");
                sums.items().first(len)
            }));
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
