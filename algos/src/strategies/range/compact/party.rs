//! One end of the recursion in one attempt: answers turns, and keeps what it has found.

use std::collections::VecDeque;
use std::ops::Range;

use super::Params;
use super::leaf::Leaves;
use super::point::{Cut, Point, put_cuts, take_cuts};
use super::turn::{Piece, SEAL_LEN, Said, Turn, put_ids, take_control, take_ids};
use crate::bits::BitReader;
use crate::item::ItemId;
use crate::salt::{Key, short_of};
use crate::session::{Budget, Reason, Role, SessionError};
use crate::strategies::range::fingerprint::IdSum;
use crate::strategies::range::lists::Pairing;
use crate::strategies::range::party::{COMPARE_NS, Stop, part_ends};
use crate::strategies::range::tree::{Cursor, RangeSet};
use crate::wire::{Draft, MESSAGE_LEN_MAX, Reader, WireError};

/// Most parts into which a peer may cut a range.
const PARTS_MAX: u64 = 64;
/// Nominal nanoseconds of cutting off one part of a range: its sum, its fingerprint, its bound.
const PART_NS: u64 = 150;
/// The same of sketching a leaf and decoding it, and of each item and syndrome of it.
const LEAF_NS: u64 = 4000;
const SYNDROME_NS: u64 = 15;
/// Ranges of which memory is being fetched before the first of them is cut.
const AHEAD: usize = 8;

/// What is found when everything is settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Places of own items that the peer lacks.
    pub haves: Vec<u32>,
    /// Initiator: short ids of items that this end lacks.
    pub needs: Vec<u64>,
}

/// What became of a turn.
#[derive(Debug)]
pub enum Heard {
    /// There is an answer to it.
    Answer(Box<Turn>),
    /// Nothing is open any more, and whether both ends now agree.
    End(bool),
}

/// One end under one key.
pub struct Party {
    set: RangeSet,
    params: Params,
    role: Role,
    budget: Budget,
    key: Key,
    leaves: Option<Leaves>,
    /// Fingerprints, lists and leaves that the peer has to answer.
    pieces: Vec<Piece>,
    lists: Vec<Range<u32>>,
    sketched: Vec<Piece>,
    /// What was found so far.
    pub found: Found,
}

/// What an end needs while it makes a turn.
struct Making<'a> {
    cursor: Cursor<'a>,
    /// Goes ahead and has memory fetched.
    scout: Cursor<'a>,
    turn: Turn,
    /// Ranges to be cut, of which memory is on its way.
    to_cut: VecDeque<Piece>,
    cuts: Vec<Cut>,
    parts_made: u64,
}

impl Party {
    /// An end that holds `set`. `params` are the initiator's but for how ranges are cut.
    pub fn new(set: RangeSet, params: Params, role: Role, budget: Budget, key: Key) -> Self {
        let whole = Piece { points: (Point::FIRST, Point::LAST), places: 0..set.len() as u32 };
        let leaves = (params.sketch > 0).then(|| Leaves::new(params.id_bits, params.sketch));
        Self {
            set,
            params,
            role,
            budget,
            key,
            leaves,
            pieces: vec![whole],
            lists: Vec::new(),
            sketched: Vec::new(),
            found: Found::default(),
        }
    }

    fn fingerprint(&self, sum: &IdSum, count: usize) -> u64 {
        self.keyed(sum, count) >> (64 - self.params.fp_bits)
    }

    fn keyed(&self, sum: &IdSum, count: usize) -> u64 {
        let mut bytes = [0; ItemId::LEN + 8];
        bytes[..ItemId::LEN].copy_from_slice(&sum.to_bytes());
        bytes[ItemId::LEN..].copy_from_slice(&(count as u64).to_le_bytes());
        self.key.check_bytes(&bytes)
    }

    /// The keyed hash of all items but those that the peer lacks.
    fn seal(&self) -> [u8; SEAL_LEN] {
        let mut haves = IdSum::default();
        let mut cursor = self.set.cursor();
        for place in &self.found.haves {
            haves.add(&cursor.item(*place as usize).id);
        }
        let count = self.set.len() - self.found.haves.len();
        self.keyed(&(self.set.sum() - haves), count).to_le_bytes()
    }

    fn making<'a>(&self, set: &'a RangeSet) -> Making<'a> {
        Making {
            cursor: set.cursor(),
            scout: set.cursor(),
            turn: Turn::default(),
            to_cut: VecDeque::new(),
            cuts: Vec::new(),
            parts_made: 0,
        }
    }

    /// The initiator's first turn: as if it had been told that the whole set differs.
    pub fn first(&mut self) -> Result<Turn, Stop> {
        let set = self.set.clone();
        let mut making = self.making(&set);
        let whole = self.pieces[0].clone();
        self.differ(&mut making, whole, false)?;
        self.finish(&mut making)?;
        Ok(making.turn)
    }

    /// Finishes an own turn, and remembers what is open after it.
    pub fn put(&mut self, mut turn: Turn, draft: &mut Draft) {
        self.pieces = std::mem::take(&mut turn.pieces);
        self.lists = std::mem::take(&mut turn.lists);
        self.sketched = std::mem::take(&mut turn.sketched);
        let seal = self.is_settled().then(|| self.seal());
        turn.put(self.params.split, seal, draft);
    }

    /// Whether the peer has nothing to answer.
    pub fn is_settled(&self) -> bool {
        self.pieces.is_empty() && self.lists.is_empty() && self.sketched.is_empty()
    }

    fn afford(&self, heap_bytes: usize) -> Result<(), Stop> {
        let max = usize::try_from(self.budget.heap_bytes_max).unwrap_or(usize::MAX).min(MESSAGE_LEN_MAX);
        if heap_bytes > max { Err(Stop::GiveUp(Reason::HeapBudget)) } else { Ok(()) }
    }

    fn afford_ns(&self, ns: u64) -> Result<(), Stop> {
        if ns > self.budget.cpu_ns_max { Err(Stop::GiveUp(Reason::CpuBudget)) } else { Ok(()) }
    }

    /// Hears the peer's turn. O(ranges·log n + bytes).
    pub fn hear(&mut self, body: &[u8]) -> Result<Heard, Stop> {
        let set = self.set.clone();
        let mut making = self.making(&set);
        let mut reader = Reader::new(body);
        let parts = reader.varint_max("parts of a range", PARTS_MAX).map_err(SessionError::from)?;
        if parts < 2 {
            return Err(broken(WireError::BadValue { what: "parts of a range", value: parts }));
        }
        let fingerprints = self.pieces.len();
        let mut pieces = std::mem::take(&mut self.pieces);
        pieces.append(&mut self.sketched);
        let (said, rest) = take_control(reader.rest(), pieces.len(), self.leaves.is_some())?;
        let of = |wanted: Said| {
            pieces.iter().zip(&said).filter(move |(_, said)| **said == wanted).map(|(piece, _)| piece)
        };

        let mut sketch = BitReader::new(rest);
        let mut cuts = Vec::new();
        let mut is_last = true;
        let parts = parts as usize;
        let mut next = of(Said::Cut).skip(2);
        for piece in of(Said::Cut) {
            is_last = false;
            if let Some(next) = next.next() {
                fetch_cuts(&mut making.scout, next, parts);
            }
            take_cuts(&mut sketch, &piece.points.0, &piece.points.1, parts - 1, &mut cuts)?;
            self.hear_parts(&mut making, piece, &cuts, &mut sketch)?;
        }
        let mut ids = BitReader::new(sketch.finish().map_err(broken)?);
        let mine = self.short_ids(&mut making.cursor, of(Said::Listed).map(|piece| &piece.places));
        let (mut mine, mut lists) = (&mine[..], Lists::default());
        for piece in of(Said::Listed) {
            is_last = false;
            let here;
            (here, mine) = mine.split_at(piece.places.len());
            take_ids(&mut ids, self.params.id_bits, &mut lists.theirs)?;
            self.compare(&mut making, piece.places.start, here, &mut lists)?;
        }
        let mut rest = ids.finish().map_err(broken)?;
        if let Some(leaves) = self.leaves {
            let sketched: Vec<&Piece> = of(Said::Sketched).collect();
            is_last &= sketched.is_empty();
            rest = self.hear_leaves(&mut making, leaves, &sketched, rest)?;
        }
        let answered = pieces.iter().zip(&said).skip(fingerprints).filter(|(_, said)| **said == Said::Same);
        let rest = self.hear_answers(&mut making.cursor, answered.map(|(piece, _)| &piece.places), rest)?;
        if !is_last {
            Reader::new(rest).finish().map_err(broken)?;
            self.finish(&mut making)?;
            return Ok(Heard::Answer(Box::new(making.turn)));
        }
        let mut reader = Reader::new(rest);
        let theirs = reader.array("seal").map_err(broken)?;
        reader.finish().map_err(broken)?;
        Ok(Heard::End(self.seal() == theirs))
    }

    /// The parts of a range that the peer has cut: those that differ are answered.
    fn hear_parts(
        &mut self,
        making: &mut Making<'_>,
        piece: &Piece,
        cuts: &[Point],
        sketch: &mut BitReader<'_>,
    ) -> Result<(), Stop> {
        let end = piece.places.end as usize;
        let (mut at, mut len) = (piece.places.start as usize, piece.places.len() / (cuts.len() + 1));
        let mut first = piece.points.0;
        let mut sum_before = making.cursor.sum_below(at);
        let lasts = cuts.iter().map(|cut| cut.before()).chain([piece.points.1]);
        let mut parts = Vec::with_capacity(cuts.len() + 1);
        for (i, last) in lasts.enumerate() {
            let next = match cuts.get(i) {
                Some(cut) => making.cursor.seek_bound(at..end, Some(at + len), &cut.item()),
                None => end,
            };
            let sum = making.cursor.sum_below(next);
            let theirs = sketch.take("fingerprints", self.params.fp_bits).map_err(broken)?;
            let differs = theirs != self.fingerprint(&(sum - sum_before), next - at);
            parts.push((differs, Piece { points: (first, last), places: at as u32..next as u32 }));
            (len, at, sum_before) = (next - at, next, sum);
            if let Some(cut) = cuts.get(i) {
                first = *cut;
            }
        }
        // Where most parts differ, each will differ in several items, more than a sketch can tell.
        let sparse = 2 * parts.iter().filter(|(differs, _)| *differs).count() <= parts.len();
        for (differs, part) in parts {
            if differs {
                self.differ(making, part, sparse)?;
            } else {
                making.turn.control.write(|bits| bits.put(0, 1));
            }
        }
        Ok(())
    }

    /// A range differs: it will be sketched or listed if it is short, and cut otherwise.
    fn differ(&self, making: &mut Making<'_>, piece: Piece, sparse: bool) -> Result<(), Stop> {
        let (len, sketches) = (piece.places.len(), self.leaves.is_some());
        if let Some(leaves) = self.leaves
            && sparse
            && (leaves.listed_max() + 1..self.params.list).contains(&len)
        {
            making.turn.control.write(|bits| bits.put(7, 3));
            making.turn.sketched.push(piece);
            return Ok(());
        }
        if len < if sketches { self.params.list.min(2 * self.params.split) } else { self.params.list } {
            making.turn.control.write(|bits| bits.put(3, if sketches { 3 } else { 2 }));
            making.turn.lists.push(piece.places);
            return Ok(());
        }
        making.turn.control.write(|bits| bits.put(1, 2));
        making.parts_made += self.params.split as u64;
        self.afford_ns(making.parts_made * PART_NS)?;
        fetch_cuts(&mut making.scout, &piece, self.params.split);
        making.to_cut.push_back(piece);
        if making.to_cut.len() > AHEAD { self.cut(making) } else { Ok(()) }
    }

    /// Cuts and lists what was put off.
    fn finish(&self, making: &mut Making<'_>) -> Result<(), Stop> {
        while !making.to_cut.is_empty() {
            self.cut(making)?;
        }
        let listed = making.turn.lists.iter().map(ExactSizeIterator::len).sum::<usize>();
        self.afford(making.turn.heap_bytes() + listed * size_of::<u64>())?;
        let ids = self.short_ids(&mut making.cursor, making.turn.lists.iter());
        let mut ids = &ids[..];
        making.turn.ids.write(|bits| {
            for places in &making.turn.lists {
                let here;
                (here, ids) = ids.split_at(places.len());
                put_ids(bits, here.iter().copied(), self.params.id_bits);
            }
        });
        if let Some(leaves) = self.leaves {
            let sketched = std::mem::take(&mut making.turn.sketched);
            self.afford_leaves(making, &sketched)?;
            let ids = self.short_ids(&mut making.cursor, sketched.iter().map(|piece| &piece.places));
            let mut ids = &ids[..];
            making.turn.leaves.write(|bits| {
                for piece in &sketched {
                    let here;
                    (here, ids) = ids.split_at(piece.places.len());
                    leaves.put(bits, &self.key, here);
                }
            });
            making.turn.sketched = sketched;
        }
        self.afford(making.turn.heap_bytes())
    }

    /// Whether there is time and memory to sketch what lies in these ranges.
    fn afford_leaves<'p>(
        &self,
        making: &Making<'_>,
        pieces: impl IntoIterator<Item = &'p Piece>,
    ) -> Result<(), Stop> {
        let lens = pieces.into_iter().map(|piece| piece.places.len() as u64);
        let (count, items) = lens.fold((0, 0), |(count, items), len| (count + 1, items + len));
        self.afford_ns(count * LEAF_NS + items * u64::from(self.params.sketch) * SYNDROME_NS)?;
        self.afford(making.turn.heap_bytes() + items as usize * size_of::<u64>())
    }

    /// Decodes the peer's leaves; what cannot be decoded differs.
    fn hear_leaves<'b>(
        &mut self,
        making: &mut Making<'_>,
        leaves: Leaves,
        pieces: &[&Piece],
        bytes: &'b [u8],
    ) -> Result<&'b [u8], Stop> {
        self.afford_leaves(making, pieces.iter().copied())?;
        let mut reader = BitReader::new(bytes);
        let ids = self.short_ids(&mut making.cursor, pieces.iter().map(|piece| &piece.places));
        let mut ids = &ids[..];
        for piece in pieces {
            let mine;
            (mine, ids) = ids.split_at(piece.places.len());
            let leaf = leaves.take(&mut reader).map_err(broken)?;
            let Some(found) = leaves.difference(&self.key, mine, &leaf) else {
                self.differ(making, (*piece).clone(), false)?;
                continue;
            };
            making.turn.control.write(|bits| bits.put(0, 1));
            making.turn.missing.write(|bits| Leaves::put_lacked(bits, &leaf, &found.lacked));
            self.found.haves.extend(found.extras.iter().map(|i| piece.places.start + i));
            if self.role == Role::Initiator {
                self.found.needs.extend(found.lacked.iter().map(|(_, short)| *short));
            } else {
                let extras = found.extras.iter().map(|i| mine[*i as usize]);
                making.turn.extras.write(|bits| put_ids(bits, extras, self.params.id_bits));
            }
        }
        reader.finish().map_err(broken)
    }

    /// The short ids of all items at some places.
    fn short_ids<'p>(
        &self,
        cursor: &mut Cursor<'_>,
        ranges: impl Iterator<Item = &'p Range<u32>>,
    ) -> Vec<u64> {
        let mut shorts = Vec::new();
        let places = ranges.flat_map(|places| places.start as usize..places.end as usize);
        let ids = places.map(|place| cursor.item(place).id);
        self.key.hash_all(ids, |hashed| shorts.push(short_of(hashed.short, self.params.id_bits)));
        shorts
    }

    /// Cuts the first of the ranges to be cut.
    fn cut(&self, making: &mut Making<'_>) -> Result<(), Stop> {
        let Some(piece) = making.to_cut.pop_front() else { return Ok(()) };
        let (cursor, turn) = (&mut making.cursor, &mut making.turn);
        let ends = part_ends(piece.span(), self.params.split);
        making.cuts.clear();
        let inner = ends.clone().take(self.params.split - 1);
        making.cuts.extend(inner.map(|end| Cut::between(&cursor.item(end - 1), &cursor.item(end))));
        let (mut first, mut at) = (piece.points.0, piece.places.start as usize);
        let mut sum_before = cursor.sum_below(at);
        turn.sketch.write(|bits| {
            put_cuts(bits, &piece.points.0, &piece.points.1, &making.cuts);
            for (end, i) in ends.zip(0..) {
                let sum = cursor.sum_below(end);
                bits.put(self.fingerprint(&(sum - sum_before), end - at), self.params.fp_bits);
                let cut = making.cuts.get(i).map(|cut| cut.point);
                let last = cut.map_or(piece.points.1, Point::before);
                turn.pieces.push(Piece { points: (first, last), places: at as u32..end as u32 });
                (at, sum_before) = (end, sum);
                first = cut.unwrap_or(first);
            }
        });
        self.afford(turn.heap_bytes())
    }

    /// Compares the own ids from a place on with the peer's list, and answers with what differs.
    fn compare(
        &mut self,
        making: &mut Making<'_>,
        start: u32,
        mine: &[u64],
        lists: &mut Lists,
    ) -> Result<(), Stop> {
        let Lists { theirs, lacked, extras, pairing } = lists;
        let len = theirs.len() + mine.len();
        self.afford_ns(len as u64 * u64::from((len + 1).ilog2() + 1) * COMPARE_NS)?;
        lacked.clear();
        lacked.resize(theirs.len(), false);
        extras.clear();
        pairing.differences(
            mine.iter().copied().zip(0..mine.len() as u32),
            theirs.iter().copied().zip(0..theirs.len() as u32),
            |i| extras.push(i),
            |i| lacked[i as usize] = true,
        );
        extras.sort_unstable();
        self.found.haves.extend(extras.iter().map(|i| start + i));
        making.turn.missing.write(|bits| lacked.iter().for_each(|lacked| bits.put(u64::from(*lacked), 1)));
        if self.role == Role::Initiator {
            let needs = theirs.iter().zip(lacked).filter(|(_, lacked)| **lacked);
            self.found.needs.extend(needs.map(|(id, _)| *id));
        } else {
            let extras = extras.iter().map(|i| mine[*i as usize]);
            making.turn.extras.write(|bits| put_ids(bits, extras, self.params.id_bits));
        }
        self.afford(making.turn.heap_bytes() + self.found.needs.len() * size_of::<u64>())
    }

    /// What the peer says of the lists sent to it, and of the leaves that it has decoded. Returns the bytes after that.
    fn hear_answers<'b, 'p>(
        &mut self,
        cursor: &mut Cursor<'_>,
        decoded: impl Iterator<Item = &'p Range<u32>> + Clone,
        bytes: &'b [u8],
    ) -> Result<&'b [u8], Stop> {
        let mut rest = bytes;
        if self.role == Role::Initiator {
            let mut reader = BitReader::new(rest);
            let mut extras = Vec::new();
            for _ in 0..self.lists.len() + decoded.clone().count() {
                take_ids(&mut reader, self.params.id_bits, &mut extras)?;
                self.found.needs.append(&mut extras);
                self.afford(self.found.needs.len() * size_of::<u64>())?;
            }
            rest = reader.finish().map_err(broken)?;
        }
        let mut reader = BitReader::new(rest);
        for places in std::mem::take(&mut self.lists) {
            for place in places {
                if reader.take("missing ids", 1).map_err(broken)? == 1 {
                    self.found.haves.push(place);
                }
            }
        }
        let Some(leaves) = self.leaves else { return reader.finish().map_err(broken) };
        for places in decoded {
            let ranks = leaves.take_lacked(&mut reader, places.len()).map_err(broken)?;
            if ranks.is_empty() {
                continue;
            }
            let mut by_rank: Vec<(u64, u32)> =
                self.short_ids(cursor, [places].into_iter()).into_iter().zip(places.clone()).collect();
            by_rank.sort_unstable();
            self.found.haves.extend(ranks.iter().map(|rank| by_rank[*rank as usize].1));
        }
        reader.finish().map_err(broken)
    }
}

/// What is kept from one list to the next for its memory.
#[derive(Debug, Default)]
struct Lists {
    theirs: Vec<u64>,
    lacked: Vec<bool>,
    extras: Vec<u32>,
    pairing: Pairing<u64>,
}

/// Has the memory fetched that cutting a range will ask for.
fn fetch_cuts(scout: &mut Cursor<'_>, piece: &Piece, parts: usize) {
    part_ends(piece.span(), parts).for_each(|end| scout.prefetch(end));
}

fn broken(error: WireError) -> Stop {
    SessionError::from(error).into()
}
