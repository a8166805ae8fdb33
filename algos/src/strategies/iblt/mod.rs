//! `iblt`: subtract two small tables that were made of large sets, and peel the difference.
//!
//! **Source.** M. T. Goodrich, M. Mitzenmacher, "Invertible Bloom lookup tables", Allerton 2011, arXiv:1101.2245; for
//! reconciliation D. Eppstein, M. T. Goodrich, F. Uyeda, G. Varghese, "What's the Difference? Efficient Set
//! Reconciliation without Prior Context", SIGCOMM 2011. Sizes at a given failure rate after Graphene
//! (A. P. Ozisik et al., SIGCOMM 2019; <https://github.com/umass-forensics/IBLT-optimization>). Tables that extend
//! each other are the idea of F. Lázaro, B. Matuz, "A rate-compatible solution to the set reconciliation
//! problem", 2023, arXiv:2211.05472.
//!
//! **Idea.** The responder puts all its short ids into a table of about 1.3 to 3 cells a *difference*; the initiator
//! subtracts its own table of the same shape, whereby all that is common cancels, and peels what is left
//! (see `table.rs`). It then *claims* the result, and the end check (see `close.rs`) decides.
//!
//! A table is useless when it is much too small, so somebody has to say how large d is (`size`):
//! `tow` and `strata` send an estimator first, and inflate what it says by 1.38 and 1.40 for 99% of all cases.
//! `self` sends no estimator but a first table of 40 cells: it decodes small differences, and larger ones are
//! estimated from its counts. `oracle` is told d: a bound, not a strategy; without a hint it does what
//! `self` does. In all of them |n_A − n_B| and n_A + n_B bound d from both sides for free.
//!
//! A table that does not peel is never thrown away. The initiator estimates d from all tables so far, asks for
//! one more with other places and fewer hashes (see `sizing.rs` for which and why), and peels all as one.
//!
//! **Bytes.** A cell takes (bits + check)/8 and the deviation of its count from n·k/m as a varint: 1 byte up to
//! some 250 ids a cell, then 2. Salts and the end check add some 40, `tow` 16·log2(n), `strata` 30,720.
//! **Flights.** 4: hello, table, claim, verdict; 2 more for each further table. **CPU.** One hash and one sort of the
//! set, one more hash and k cells an item for each table. **Heap.** 16 bytes a cell, three times over.
//! With a key that outlives sessions (`salt=link`, `group`, `none`; see `salt.rs`) an index keeps Tug-of-War counters and
//! the tables used last (`kept`): a session costs what differs, and up to a quarter more cells.
//!
//! **How it fails.** By an estimate below d (1% after inflation), by sets that share cells (one in 240 at the
//! sizes used): both cost another table. By short ids that collide, about n·d/2^bits, or sums taken for an id: the
//! end check sees it, and the whole is repeated under a fresh key. After 8 retries it gives up.
//!
//! **What an attacker can do.** Nothing with ground ids: places, checksums and short ids are keyed by both
//! salts. (With public hashes one makes a few dozen ordinary items that cancel a victim, or block every peeling.)
//! Under a key that outlives the session whoever knows it can post an item with the short id of another one that all
//! have: it cancels, and the first attempt of every session that is to carry it fails at the end check; the retry goes
//! under a fresh salt. (Two of one short id that one end lacks are in its table once, come out, and name both.) It can
//! also grind items that all pull the estimator's counters one way, so that tables are too large.
//! The peer itself knows the key; it can waste our time up to the limits, ask for tables as large as both
//! sets as it claims them, and lie about what it holds.
//!
//! **What we do differently.** Ids go into distinct cells of the whole table (`place=free`) instead of one
//! cell of each of k parts (`place=split`, as in Graphene): small tables are a third smaller. A cell must also be
//! among the places of its own sum, so 16 bits of checksum suffice. Short ids that collide within a set are
//! put in once.
//!
//! ```
//! use offerbench_algos::{DuelLimits, Finding, Item, ItemId, Role, Seed, Setup, build, duel};
//! let item = |n: u8| Item { at: u64::from(n), id: ItemId::new([n; 32]) };
//! let strategy = build("iblt:size=self")?.strategy;
//! let setup = Setup::new(Seed::new(1));
//! let mut ends = [
//!     strategy.index(&[item(1), item(2)]).open(Role::Initiator, &setup),
//!     strategy.index(&[item(2), item(3)]).open(Role::Responder, &setup),
//! ];
//! let transcript = duel(&mut ends, &DuelLimits::default())?;
//! assert_eq!(transcript.findings[0][0], Finding::Have(item(1).id));
//! assert_eq!(transcript.findings[1], [Finding::Have(item(3).id)]);
//! // 40 cells of 6 + 2 + 1 bytes; salts, sizes, one needed id, end check and frame headers add 40.
//! assert_eq!(transcript.bytes(), 40 * 9 + 40);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::{About, Entry};
use crate::dialog::Dialog;
use crate::estimate::tow::Tow;
use crate::greeting::{Chosen, Greeting, Keys};
use crate::item::Item;
use crate::kept::{Ids, KeptIndex, next_size};
use crate::salt::{Key, Salting};
use crate::session::{DiffHint, Guarantee, Index, Profile, Role, SessionError, Setup, Strategy};
use crate::sorted::{OpenOnSet, SetIndex, SortedSet};
use crate::spec::Param;

mod answering;
mod asking;
mod kept;
pub(crate) mod kernel;
pub(crate) mod places;
mod sizing;
pub(crate) mod table;
#[cfg(test)]
mod tests;

use answering::Answering;
use asking::Asking;
use kept::Tables;
use table::{Cell, Coding, Place, Shape, Table};

pub(super) static ENTRY: Entry = Entry {
    about: About {
        id: "iblt",
        what: "an invertible Bloom lookup table of the size of the difference",
        source: "Eppstein, Goodrich, Uyeda, Varghese, SIGCOMM 2011; sizes as in Graphene",
        shape: "estimator, one table, claim; more tables if it does not peel",
        guarantee: "exact",
        params: &[
            Param {
                name: "size",
                default: "tow",
                values: &["tow", "strata", "self", "oracle"],
                doc: "who tells d: Tug-of-War or strata estimator, a first small table, or the truth",
            },
            Param { name: "k", default: "4", values: &["3", "4", "5"], doc: "cells an id is put into" },
            Param {
                name: "bits",
                default: "48",
                values: &["32", "40", "48", "64"],
                doc: "length of short ids, and of a cell's sum",
            },
            Param {
                name: "check",
                default: "16",
                values: &["16", "32"],
                doc: "bits of keyed checksum in a cell",
            },
            Param {
                name: "place",
                default: "free",
                values: &["free", "split"],
                doc: "any distinct cells, or one of each of k parts as in Graphene",
            },
            Salting::PARAM,
        ],
    },
    presets: &[
        "iblt:size=tow",
        "iblt:size=self",
        "iblt:size=strata",
        "iblt:size=oracle",
        "iblt:bits=32,size=tow",
        "iblt:bits=64,check=32,size=tow",
        "iblt:check=32,place=split,size=tow",
    ],
    build: |spec| {
        let salting = Salting::of(spec);
        if salting != Salting::Session && spec.get("size") == "strata" {
            return Err(spec.conflict(
                "the strata of a set are made for each session, so that a lasting key would save nothing: use \
                 another size, or salt=session",
            ));
        }
        Ok(Box::new(Params {
            salting,
            size: match spec.get("size") {
                "tow" => Size::Tow,
                "strata" => Size::Strata,
                "self" => Size::Own,
                _ => Size::Oracle,
            },
            hashes: spec.number("k"),
            id_bits: spec.number("bits"),
            check_bits: spec.number("check"),
            place: if spec.get("place") == "split" { Place::Split } else { Place::Free },
        }))
    },
};

/// Who tells d.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Tow,
    Strata,
    Own,
    Oracle,
}

#[derive(Clone, Copy, Debug)]
struct Params {
    salting: Salting,
    size: Size,
    hashes: u32,
    id_bits: u32,
    check_bits: u32,
    place: Place,
}

impl Strategy for Params {
    fn index(&self, items: &[Item]) -> Box<dyn Index> {
        let params = *self;
        match self.salting {
            Salting::Session => SetIndex::boxed(items, self),
            salting => {
                KeptIndex::boxed(items, salting, move |own, role, setup| params.dialog(own, role, setup))
            }
        }
    }

    fn profile(&self) -> Profile {
        Profile {
            id_bits: self.id_bits,
            keyed: self.salting != Salting::None,
            guarantee: Guarantee::Exact,
            oracle: self.size == Size::Oracle,
        }
    }
}

impl OpenOnSet for Params {
    fn open(&self, set: SortedSet, role: Role, setup: &Setup) -> Box<dyn Dialog> {
        self.dialog(Own::Set(set), role, setup)
    }
}

impl Params {
    fn dialog(&self, own: Own, role: Role, setup: &Setup) -> Box<dyn Dialog> {
        let mut params = *self;
        if setup.diff == DiffHint::Unknown && params.size == Size::Oracle {
            params.size = Size::Own;
        }
        let end = End {
            params,
            heap_bytes_max: setup.budget.heap_bytes_max,
            own,
            keys: Keys::new(self.salting, role, setup),
            peer_len: 0,
            mine: None,
            attempt: 0,
            cells: 0,
            tables: 0,
        };
        match role {
            Role::Initiator => Box::new(Asking::new(end)),
            Role::Responder => Box::new(Answering::new(end, setup.diff)),
        }
    }
}

/// Initiator: its salt, or a mark of the lasting key; the size of its set, and its estimator under a key of its own.
const TAG_HELLO: u8 = 1;
/// Responder, whose set is empty: all of yours.
const TAG_ALL: u8 = 2;
/// Responder: the first table of an attempt. In the first attempt its salt (unless the key lasts) and set size stand
/// in front.
const TAG_TABLE: u8 = 3;
/// Initiator: one more table, of so many cells and hashes.
const TAG_MORE: u8 = 4;
/// Responder: the cells that were asked for.
const TAG_CELLS: u8 = 5;
/// Responder, where keys outlive sessions: a salt, and the first table of an attempt under a key of it. After the
/// claim on one under the lasting key did not hold, or at once where the ends do not share one.
const TAG_FRESH: u8 = 6;

/// The own set.
type Own = crate::kept::Own<Tables>;
/// The own set under the key of one attempt.
type Keyed = crate::close::Keyed<Ids<Tables>, Own>;

/// Bytes of heap for each cell: a table of each end, and the copy that is peeled.
const CELL_HEAP_BYTES: u64 = 3 * size_of::<Cell>() as u64;

/// What both roles have.
struct End {
    params: Params,
    heap_bytes_max: u64,
    own: Own,
    keys: Keys,
    /// The size of the peer's set.
    peer_len: u64,
    mine: Option<Keyed>,
    /// Keys used before this one.
    attempt: u32,
    /// Cells of this attempt's tables.
    cells: u64,
    /// Tables of this attempt.
    tables: u32,
}

impl End {
    fn len(&self) -> u64 {
        self.own.len() as u64
    }

    fn keyed(&self) -> Result<&Keyed, SessionError> {
        self.mine.as_ref().ok_or(SessionError::Protocol("no salts were exchanged"))
    }

    fn coding(&self, key: Key) -> Coding {
        Coding { key, id_bits: self.params.id_bits, check_bits: self.params.check_bits }
    }

    /// Forgets earlier tables, and hashes the set under the key of the next attempt, unless the index keeps it.
    fn rekey(&mut self, key: Key) {
        self.cells = 0;
        self.tables = 0;
        self.mine = Some(self.own.keyed(self.coding(key), self.keys.lasts(&key)));
    }

    /// The Tug-of-War counters of the set.
    fn tow(&self, key: Key) -> Tow {
        self.own.tow(self.coding(key), self.keys.lasts(&key))
    }

    /// The own table of a shape.
    fn table(&self, shape: Shape) -> Result<Table, SessionError> {
        // Between equal sets nothing is put in, so nothing need be sorted either.
        if shape.cells == 0 {
            return Ok(Table::empty(shape));
        }
        let mine = self.keyed()?;
        Ok(match &mine.ids {
            Ids::Fresh(ids) => {
                let shorts = ids.pairs().iter().map(|(short, _)| *short);
                Table::of(shape, shorts, &self.coding(mine.key))
            }
            Ids::Kept(snapshot) => {
                snapshot.sums_and_places(|tables, places, len| tables.table(shape, places, len))
            }
        })
    }

    /// As many cells, or the next size that an index keeps.
    fn cells_kept(&self, cells: u64) -> u64 {
        match &self.mine {
            Some(mine) if self.keys.lasts(&mine.key) => next_size(cells),
            _ => cells,
        }
    }

    /// The shape of this attempt's next table, or none when it is over a limit. Counts it.
    fn shape(&mut self, cells: u64, hashes: u32) -> Option<Shape> {
        let shape = sizing::shape(cells, hashes, self.params.place, self.tables, self.cells)?;
        let cells = self.cells + u64::from(shape.cells);
        if cells.saturating_mul(CELL_HEAP_BYTES) > self.heap_bytes_max {
            return None;
        }
        self.cells = cells;
        self.tables += 1;
        Some(shape)
    }

    /// d as far as the sizes of the sets tell: `d` moved between the two bounds.
    fn bounded(&self, d: u64) -> u64 {
        d.clamp(self.len().abs_diff(self.peer_len), self.len() + self.peer_len)
    }
}
