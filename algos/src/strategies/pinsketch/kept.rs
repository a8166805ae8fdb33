//! Power sums that an index keeps under a lasting key.
//!
//! A small sketch is a prefix of a larger one, so one is kept, of the largest capacity that was asked for (or the next
//! of `kept::next_size`, so that an estimate that wavers does not encode the set each time), and read from
//! the front. Sums commute, so what came since is not added item by item but when a sketch is next read, all at once:
//! in a batch an element costs a fraction of what it does alone (`kernel::single`), and keys that nobody uses any more
//! cost an insert nothing but its hash. Items that a session must not see yet are summed up likewise and taken out of its copy.
//!
//! **Cost.** n·c for the first session under a key, as always; then k·c for the k items that came since the last one,
//! and the sketch itself. **Bounds.** Sketches above [`CAPACITY_KEPT_MAX`] are made for the session: a peer that
//! says it differs in everything leaves 32 kB behind, and no more.

use super::engine::{Field, merge};
use crate::item::{Item, ItemId};
use crate::kept::{Listed, Places, Sums, next_size};
use crate::salt::{Hashed, Key};

/// Largest capacity that is kept.
pub const CAPACITY_KEPT_MAX: u64 = 4096;

/// What sums are made of.
#[derive(Clone, Copy, Debug)]
pub struct Scheme {
    /// The key of short ids.
    pub key: Key,
    /// Where they are added up.
    pub field: Field,
}

/// A set under one key.
#[derive(Debug)]
pub struct Syndromes {
    scheme: Scheme,
    listed: Listed,
    capacity: u64,
    /// Of the first so many items.
    sketched: usize,
    sketch: Vec<u8>,
    /// Ids that are left in a sketch of the first so many items: two with the same short id cancel.
    counted: usize,
    odd: u64,
}

impl Sums for Syndromes {
    type Scheme = Scheme;

    fn key(scheme: &Scheme) -> (Key, u32) {
        (scheme.key, scheme.field.bits())
    }

    fn new(scheme: Scheme, _log: &[Item], hashed: &[Hashed]) -> Self {
        let listed = Listed::new(scheme.field.bits(), hashed);
        Self { scheme, listed, capacity: 0, sketched: 0, sketch: Vec::new(), counted: 0, odd: 0 }
    }

    fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    fn insert(&mut self, _id: &ItemId, hashed: Hashed) {
        self.listed.insert(hashed);
    }

    fn shorts(&self) -> impl Iterator<Item = u64> + '_ {
        self.listed.shorts.iter().copied()
    }

    fn heap_bytes(&self) -> usize {
        self.listed.heap_bytes() + self.sketch.capacity()
    }
}

impl AsRef<Listed> for Syndromes {
    fn as_ref(&self) -> &Listed {
        &self.listed
    }
}

impl Syndromes {
    /// The sketch of the first `len` items. Nothing when memory is short.
    pub fn sketch(&mut self, capacity: u64, len: usize) -> Option<Vec<u8>> {
        let field = self.scheme.field;
        let of = |capacity, ids: &[u64]| field.sketch(capacity, ids.iter().copied());
        let shorts = &self.listed.shorts;
        if capacity > CAPACITY_KEPT_MAX {
            return of(capacity, &shorts[..len]);
        }
        if capacity > self.capacity {
            let most = next_size(capacity);
            self.sketch = of(most, shorts)?;
            (self.capacity, self.sketched) = (most, shorts.len());
        } else if self.sketched < shorts.len() {
            merge(&mut self.sketch, &of(self.capacity, &shorts[self.sketched..])?);
            self.sketched = shorts.len();
        }
        let mut sketch = self.sketch[..field.len(capacity)].to_vec();
        if len < shorts.len() {
            merge(&mut sketch, &of(capacity, &shorts[len..])?);
        }
        Some(sketch)
    }

    /// How many of the first `len` ids are left in their sketch.
    pub fn odd_count(&mut self, places: &Places, len: usize) -> u64 {
        if self.counted == 0 {
            let mut last = (0, 0);
            for (short, _) in places {
                last = if last.0 == *short { (*short, last.1 + 1) } else { (*short, 1) };
                self.odd = if last.1 % 2 == 1 { self.odd + 1 } else { self.odd - 1 };
            }
            self.counted = places.len();
        }
        let shorts = &self.listed.shorts;
        // Whether the item at a place cancels one that came before.
        let cancels = |place: usize| {
            let short = shorts[place];
            places.range((short, 0)..(short, place as u32)).count() % 2 == 1
        };
        for place in self.counted..shorts.len() {
            self.odd = if cancels(place) { self.odd - 1 } else { self.odd + 1 };
        }
        self.counted = shorts.len();
        (len..shorts.len()).rev().fold(self.odd, |odd, place| if cancels(place) { odd + 1 } else { odd - 1 })
    }
}
