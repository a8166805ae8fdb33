//! Invertible Bloom lookup tables: cells, subtraction, and peeling several tables as one.
//!
//! A cell holds the count, the XOR of the short ids and the XOR of their checksums of all ids that were put
//! into it; an id is put into `hashes` cells. The difference of two ends' tables is the table of the
//! symmetric difference, with counts of +1 for what the minuend holds and −1 for what the subtrahend
//! holds. A cell with one id left (*pure*) gives it away; taking it out of its other cells makes more of them
//! pure. That is peeling a hypergraph to its 2-core, and it succeeds when the core is empty.
//!
//! **Pure or not.** A count of ±1 is no proof: two ids of one side and one of the other look like that. We
//! believe a cell when the checksum of its sum agrees *and* its sum has this cell among its places. The
//! second test costs no byte and lets a wrong sum through with probability hashes / cells only, so that 16
//! bits of checksum do what 32 do elsewhere.
//!
//! **Where ids go.** [`Place::Split`] takes one cell of each of `hashes` equal parts, as Graphene and most
//! others do, and as in our oracles. [`Place::Free`] takes any distinct cells. The peeling threshold
//! is the same, but two ids share all their cells with probability 1 / C(m, k) instead of (k / m)^k: about a
//! tenth for k = 4. Below d = 50, where that is what failures come from, tables get a third smaller.

use super::places::Placer;
use crate::salt::Key;
use crate::session::SessionError;
use crate::siphash::LANES;
use crate::wire::{Reader, WireError, put_varint, unzigzag, zigzag};

/// Most places of an id in one table.
pub const HASHES_MAX: usize = 5;

/// How the places of an id are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Distinct cells of the whole table.
    Free,
    /// One cell of each of `hashes` equal parts.
    Split,
}

/// What both ends must agree on to subtract their tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of cells; more than `hashes`, or 0.
    pub cells: u32,
    /// Places of an id; at most [`HASHES_MAX`].
    pub hashes: u32,
    /// How places are drawn.
    pub place: Place,
    /// Tables with different numbers put the same id into unrelated places.
    pub number: u32,
}

impl Shape {
    /// Mean number of ids a cell, for a set of `len`.
    fn mean(&self, len: u64) -> i64 {
        ((len * u64::from(self.hashes) + u64::from(self.cells / 2)) / u64::from(self.cells.max(1))) as i64
    }
}

/// How ids are written into cells.
#[derive(Clone, Copy, Debug)]
pub struct Coding {
    /// Makes checksums and places.
    pub key: Key,
    /// Length of short ids, a multiple of 8.
    pub id_bits: u32,
    /// Length of checksums: 16 or 32.
    pub check_bits: u32,
}

impl Coding {
    /// The hash of an id, from which places are drawn, and its checksum.
    fn hash(&self, id: u64) -> (u64, u32) {
        let hash = self.key.check(id);
        (hash, self.check_of(hash))
    }

    /// The hashes of some ids.
    pub fn hash_lanes(&self, mut ids: [u64; LANES]) -> [u64; LANES] {
        self.key.check_all(&mut ids);
        ids
    }

    /// The checksum in a hash.
    pub fn check_of(&self, hash: u64) -> u32 {
        (hash & ((1 << self.check_bits) - 1)) as u32
    }

    /// Bytes of a cell without its count.
    fn fixed_len(&self) -> usize {
        (self.id_bits / 8 + self.check_bits / 8) as usize
    }
}

/// One cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// XOR of short ids.
    pub sum: u64,
    /// XOR of checksums.
    pub check: u32,
    /// Ids of the minuend less ids of the subtrahend.
    pub count: i32,
}

impl Cell {
    /// Adds an id, or with a `sign` of −1 takes it out.
    fn change(&mut self, id: u64, check: u32, sign: i32) {
        self.sum ^= id;
        self.check ^= check;
        self.count = self.count.wrapping_add(sign);
    }
}

/// A table, or the difference of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    shape: Shape,
    cells: Vec<Cell>,
}

impl Table {
    /// A table without ids.
    pub fn empty(shape: Shape) -> Self {
        assert!(shape.cells == 0 || shape.cells > shape.hashes, "{shape:?} has too few cells");
        Self { shape, cells: vec![Cell::default(); shape.cells as usize] }
    }

    /// The table of a set; a short id that comes twice in a row is put in once.
    ///
    /// Once, because two items of one short id would cancel in the sums but not in the count, and block the
    /// peeling for good. As one id they either cancel against the peer's, or come out as that id, which
    /// stands for both; where that is not the truth the end check says so.
    pub fn of(shape: Shape, sorted: impl Iterator<Item = u64>, coding: &Coding) -> Self {
        let mut table = Self::empty(shape);
        let mut last = None;
        let mut some = [0; 16 * LANES];
        let mut held = 0;
        for id in sorted.filter(|_| shape.cells > 0) {
            if last.replace(id) != Some(id) {
                some[held] = id;
                held += 1;
                if held == some.len() {
                    table.put_all(&some, coding);
                    held = 0;
                }
            }
        }
        table.put_all(&some[..held], coding);
        table
    }

    /// Puts an id in.
    pub fn put(&mut self, id: u64, coding: &Coding) {
        self.change(id, coding, 1);
    }

    /// Puts an id in, or with a `sign` of −1 takes it out.
    pub fn change(&mut self, id: u64, coding: &Coding, sign: i32) {
        let (hash, check) = coding.hash(id);
        for place in Placer::new(&self.shape).places(hash, self.shape.number) {
            self.cells[place as usize].change(id, check, sign);
        }
    }

    /// Puts an id in, of which lane `lane` of `places` says where.
    pub fn put_at(&mut self, id: u64, check: u32, places: &[[u32; LANES]; HASHES_MAX], lane: usize) {
        for place in &places[..self.shape.hashes as usize] {
            self.cells[place[lane] as usize].change(id, check, 1);
        }
    }

    /// Puts ids in, several at once.
    pub fn put_all(&mut self, ids: &[u64], coding: &Coding) {
        if self.shape.cells == 0 {
            return;
        }
        let placer = Placer::new(&self.shape);
        for some in ids.chunks(LANES) {
            let mut lanes = [0; LANES];
            lanes[..some.len()].copy_from_slice(some);
            let hashes = coding.hash_lanes(lanes);
            let places = placer.places_lanes(&hashes, &[self.shape.number; LANES]);
            for (lane, id) in some.iter().enumerate() {
                self.put_at(*id, coding.check_of(hashes[lane]), &places, lane);
            }
        }
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>()
    }

    /// The cells.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The cells, to be filled by who reads another wire form.
    pub fn cells_mut(&mut self) -> &mut [Cell] {
        &mut self.cells
    }

    /// Appends the cells of a set of `len`: each its sum, its checksum, and the deviation of its count from
    /// the mean, as a zigzag varint. One byte holds ±63, which is four deviations up to 250 ids a cell.
    pub fn write(&self, bytes: &mut Vec<u8>, len: u64, coding: &Coding) {
        let mean = self.shape.mean(len);
        for cell in &self.cells {
            bytes.extend_from_slice(&cell.sum.to_le_bytes()[..(coding.id_bits / 8) as usize]);
            bytes.extend_from_slice(&cell.check.to_le_bytes()[..(coding.check_bits / 8) as usize]);
            put_varint(bytes, zigzag(i64::from(cell.count) - mean));
        }
    }

    /// Fewest bytes that a table of `cells` cells takes on the wire.
    pub fn len_min(cells: u64, coding: &Coding) -> u64 {
        cells.saturating_mul(coding.fixed_len() as u64 + 1)
    }

    /// Reads the cells of a set of `len`.
    ///
    /// # Errors
    ///
    /// When they end early (before anything is allocated), or a count is impossible in such a set.
    pub fn read(
        reader: &mut Reader<'_>,
        shape: Shape,
        len: u64,
        coding: &Coding,
    ) -> Result<Self, SessionError> {
        let (claimed, max) = (u64::from(shape.cells), (reader.left() / (coding.fixed_len() + 1)) as u64);
        if claimed > max {
            return Err(WireError::TooMany { what: "cells", claimed, max }.into());
        }
        let mean = shape.mean(len);
        let mut table = Self::empty(shape);
        for cell in &mut table.cells {
            cell.sum = uint(reader.bytes("sum", (coding.id_bits / 8) as usize)?);
            cell.check = uint(reader.bytes("checksum", (coding.check_bits / 8) as usize)?) as u32;
            let deviation = reader.varint("count")?;
            let count =
                mean.checked_add(unzigzag(deviation)).filter(|count| (0..=len as i64).contains(count));
            cell.count = count
                .and_then(|count| i32::try_from(count).ok())
                .ok_or(WireError::BadValue { what: "count", value: deviation })?;
        }
        Ok(table)
    }

    /// Takes the cells of `other` out of these.
    ///
    /// # Panics
    ///
    /// When they do not have the same shape.
    pub fn subtract(&mut self, other: &Self) {
        assert_eq!(self.shape, other.shape, "tables of different shapes");
        for (cell, other) in self.cells.iter_mut().zip(&other.cells) {
            cell.sum ^= other.sum;
            cell.check ^= other.check;
            cell.count -= other.count;
        }
    }
}

fn uint(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// What came out of a difference of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peeled {
    /// Ids of the minuend, sorted.
    pub plus: Vec<u64>,
    /// Ids of the subtrahend, sorted.
    pub minus: Vec<u64>,
    /// Whether all cells ended empty, and every id came once.
    pub complete: bool,
}

impl Peeled {
    /// How many ids came out.
    pub fn count(&self) -> usize {
        self.plus.len() + self.minus.len()
    }
}

/// Peels differences of tables of the same two sets as one table.
///
/// Each id that comes out empties the cell it was found in, so there are no more of them than cells; from
/// a table that a hostile peer made, where that need not hold, we stop there.
pub fn peel(tables: &[Table], coding: &Coding) -> Peeled {
    let mut tables = tables.to_vec();
    let budget: usize = tables.iter().map(|table| table.cells.len()).sum();
    let mut peeled = Peeled::default();
    let mut suspects: Vec<(u32, u32)> = Vec::new();
    for (t, table) in (0..).zip(&tables) {
        let single = |cell: &Cell| cell.count.unsigned_abs() == 1;
        suspects.extend((0..).zip(&table.cells).filter(|(_, cell)| single(cell)).map(|(i, _)| (t, i)));
    }
    while let Some((t, place)) = suspects.pop() {
        let table = &tables[t as usize];
        let Cell { sum: id, check, count } = table.cells[place as usize];
        if count.unsigned_abs() != 1 || id == 0 {
            continue;
        }
        let (hash, own_check) = coding.hash(id);
        if check != own_check {
            continue;
        }
        let here = Placer::new(&table.shape).all_places(hash, table.shape.number);
        let hashes = table.shape.hashes as usize;
        if !here[..hashes].contains(&place) {
            continue;
        }
        if peeled.count() == budget {
            break;
        }
        let side = if count > 0 { &mut peeled.plus } else { &mut peeled.minus };
        side.push(id);
        for (other, table) in (0..).zip(&mut tables).filter(|(_, table)| table.shape.cells > 0) {
            // Its places in the table that gave it away are known.
            let shape = &table.shape;
            let places = if other == t { here } else { Placer::new(shape).all_places(hash, shape.number) };
            for place in &places[..table.shape.hashes as usize] {
                let cell = &mut table.cells[*place as usize];
                cell.change(id, check, -count);
                if cell.count.unsigned_abs() == 1 {
                    suspects.push((other, *place));
                }
            }
        }
    }
    peeled.plus.sort_unstable();
    peeled.minus.sort_unstable();
    let twice = |ids: &[u64]| ids.windows(2).any(|pair| pair[0] == pair[1]);
    let emptied = tables.iter().all(|table| table.cells.iter().all(|cell| *cell == Cell::default()));
    let both = peeled.plus.iter().any(|id| peeled.minus.binary_search(id).is_ok());
    peeled.complete = emptied && !twice(&peeled.plus) && !twice(&peeled.minus) && !both;
    peeled
}

/// An unbiased estimate of d from the counts of differences of tables, before peeling.
///
/// With S the sum of all signs, a table of m cells and k hashes has Σc = k·S and in the mean
/// Σc² = k·d + (k²/m)·(S² − d), so that d̂ = (Σc² − (Σc)²/m) / (k·(1 − k/m)). It deviates by about √(2/m) of d
/// where tables are full; several tables count by their cells.
pub fn estimate(tables: &[Table]) -> u64 {
    let (mut weighted, mut weight) = (0_u128, 0_u128);
    for table in tables.iter().filter(|table| table.shape.cells > 0) {
        let (m, k) = (u128::from(table.shape.cells), u128::from(table.shape.hashes));
        let sum: i128 = table.cells.iter().map(|cell| i128::from(cell.count)).sum();
        let squares: u128 = table.cells.iter().map(|cell| u128::from(cell.count.unsigned_abs()).pow(2)).sum();
        let spread = (m * squares).saturating_sub(sum.unsigned_abs().pow(2));
        // Times m, its weight. `Table::empty` sees to it that m > k.
        weighted += m * spread / (k * (m - k));
        weight += m;
    }
    ((weighted + weight / 2) / weight.max(1)).min(u128::from(u64::MAX)) as u64
}
