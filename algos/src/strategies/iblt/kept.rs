//! Tables that an index keeps under a lasting key.
//!
//! A table serves sessions of its own size only, and how large a table should be an estimate says anew each time. So
//! with a lasting key sizes are those of `kept::next_size`, four in each octave, and the tables used last are kept:
//! a tenth more bytes in the mean, and differences that waver by a third find a table made. What came since a table
//! was last read is put in when it is next read, k cells for each item; what a session must not see yet is taken out
//! of its copy.
//!
//! Two items of one short id are in a table once. It is the one that came first that is in it, so that what a table
//! of the first so many items holds does not depend on what came later.
//!
//! **Cost.** The set for the first table of each size under a key; then k cells for each item that came since, and the
//! table. **Bounds.** [`TABLES_KEPT_MAX`] tables of at most [`CELLS_KEPT_MAX`] cells under each key, whatever a peer
//! asks for; others are made for the session.

use super::table::{Coding, Shape, Table};
use crate::item::{Item, ItemId};
use crate::kept::{Listed, Places, Sums, next_size};
use crate::salt::{Hashed, Key};

/// Tables kept under a key.
pub const TABLES_KEPT_MAX: usize = 4;

/// Cells of the largest that is kept: 256 kB.
pub const CELLS_KEPT_MAX: u32 = 1 << 14;

/// A set under one key.
#[derive(Debug)]
pub struct Tables {
    coding: Coding,
    listed: Listed,
    /// Each of the first so many items; used last at the end.
    tables: Vec<(Table, usize)>,
}

impl Sums for Tables {
    type Scheme = Coding;

    fn key(scheme: &Coding) -> (Key, u32) {
        (scheme.key, scheme.id_bits)
    }

    fn new(scheme: Coding, _log: &[Item], hashed: &[Hashed]) -> Self {
        Self { coding: scheme, listed: Listed::new(scheme.id_bits, hashed), tables: Vec::new() }
    }

    fn scheme(&self) -> &Coding {
        &self.coding
    }

    fn insert(&mut self, _id: &ItemId, hashed: Hashed) {
        self.listed.insert(hashed);
    }

    fn shorts(&self) -> impl Iterator<Item = u64> + '_ {
        self.listed.shorts.iter().copied()
    }

    fn heap_bytes(&self) -> usize {
        let tables: usize = self.tables.iter().map(|(table, _)| table.heap_bytes()).sum();
        self.listed.heap_bytes() + tables
    }
}

impl AsRef<Listed> for Tables {
    fn as_ref(&self) -> &Listed {
        &self.listed
    }
}

impl Tables {
    /// The table of the first `len` items.
    pub fn table(&mut self, shape: Shape, places: &Places, len: usize) -> Table {
        let (coding, shorts) = (&self.coding, &self.listed.shorts);
        let of_first = |len: usize| {
            let held = places.iter().filter(|(_, place)| (*place as usize) < len);
            Table::of(shape, held.map(|(short, _)| *short), coding)
        };
        if shape.cells > CELLS_KEPT_MAX || next_size(u64::from(shape.cells)) != u64::from(shape.cells) {
            return of_first(len);
        }
        let used = self.tables.iter().position(|(table, _)| table.shape() == shape);
        let (mut table, held) = match used {
            Some(at) => self.tables.remove(at),
            None => (of_first(shorts.len()), shorts.len()),
        };
        let first_of_their_ids = |from: usize| {
            let is_first = |place: &usize| {
                let short = shorts[*place];
                places.range((short, 0)..(short, *place as u32)).next().is_none()
            };
            (from..shorts.len()).filter(is_first).map(|place| shorts[place])
        };
        first_of_their_ids(held).for_each(|short| table.change(short, coding, 1));
        if self.tables.len() == TABLES_KEPT_MAX {
            self.tables.remove(0);
        }
        self.tables.push((table.clone(), shorts.len()));
        first_of_their_ids(len).for_each(|short| table.change(short, coding, -1));
        table
    }
}
