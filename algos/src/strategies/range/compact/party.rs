//! One end of the recursion in one attempt: answers turns, and keeps what it has found.

use std::ops::Range;

use super::Params;
use super::point::{Cut, Point, put_cuts, put_gamma, take_cuts};
use super::turn::{Piece, SEAL_LEN, Said, Turn, take_control, take_ids};
use crate::bits::BitReader;
use crate::item::ItemId;
use crate::salt::{Key, short_of};
use crate::session::{Budget, Reason, Role, SessionError};
use crate::strategies::range::fingerprint::IdSum;
use crate::strategies::range::lists::Pairing;
use crate::strategies::range::party::{COMPARE_NS, Stop};
use crate::strategies::range::tree::{Cursor, RangeSet};
use crate::wire::{Draft, MESSAGE_LEN_MAX, Reader, WireError};

/// Most parts into which a peer may cut a range.
const PARTS_MAX: u64 = 64;
/// Nominal nanoseconds of cutting off one part of a range: its sum, its fingerprint, its bound.
const PART_NS: u64 = 150;

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
    Answer(Turn),
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
    /// Fingerprints and lists that the peer has to answer.
    pieces: Vec<Piece>,
    lists: Vec<Range<u32>>,
    /// What was found so far.
    pub found: Found,
}

/// What an end needs while it makes a turn.
struct Making<'a> {
    cursor: Cursor<'a>,
    turn: Turn,
    cuts: Vec<Cut>,
    parts_made: u64,
}

impl Party {
    /// An end that holds `set`. `params` are the initiator's but for how ranges are cut.
    pub fn new(set: RangeSet, params: Params, role: Role, budget: Budget, key: Key) -> Self {
        let whole = Piece { points: (Point::FIRST, Point::LAST), places: 0..set.len() as u32 };
        Self {
            set,
            params,
            role,
            budget,
            key,
            pieces: vec![whole],
            lists: Vec::new(),
            found: Found::default(),
        }
    }

    fn fingerprint(&self, sum: &IdSum, count: usize) -> u64 {
        let hashed = self.key.hash(&ItemId::new(sum.to_bytes()));
        self.key.check(hashed.short ^ count as u64) >> (64 - self.params.fp_bits)
    }

    /// The keyed hash of all items but those that the peer lacks.
    fn seal(&self) -> [u8; SEAL_LEN] {
        let mut haves = IdSum::default();
        let mut cursor = self.set.cursor();
        for place in &self.found.haves {
            haves.add(&cursor.item(*place as usize).id);
        }
        let count = self.set.len() - self.found.haves.len();
        let hashed = self.key.hash(&ItemId::new((self.set.sum() - haves).to_bytes()));
        self.key.check(hashed.set ^ count as u64).to_le_bytes()
    }

    fn making<'a>(&self, set: &'a RangeSet) -> Making<'a> {
        Making { cursor: set.cursor(), turn: Turn::default(), cuts: Vec::new(), parts_made: 0 }
    }

    /// The initiator's first turn: as if it had been told that the whole set differs.
    pub fn first(&mut self) -> Result<Turn, Stop> {
        let set = self.set.clone();
        let mut making = self.making(&set);
        let whole = self.pieces[0].clone();
        self.differ(&mut making, whole)?;
        Ok(making.turn)
    }

    /// Finishes an own turn, and remembers what is open after it.
    pub fn put(&mut self, mut turn: Turn, draft: &mut Draft) {
        self.pieces = std::mem::take(&mut turn.pieces);
        self.lists = std::mem::take(&mut turn.lists);
        let seal = self.is_settled().then(|| self.seal());
        turn.put(self.params.split, seal, draft);
    }

    /// Whether the peer has nothing to answer.
    pub fn is_settled(&self) -> bool {
        self.pieces.is_empty() && self.lists.is_empty()
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
        let pieces = std::mem::take(&mut self.pieces);
        let (said, rest) = take_control(reader.rest(), pieces.len())?;
        let of = |wanted: Said| {
            pieces.iter().zip(&said).filter(move |(_, said)| **said == wanted).map(|(piece, _)| piece)
        };

        let mut sketch = BitReader::new(rest);
        let mut cuts = Vec::new();
        let mut is_last = true;
        for piece in of(Said::Cut) {
            is_last = false;
            take_cuts(&mut sketch, &piece.points.0, &piece.points.1, parts as usize - 1, &mut cuts)?;
            self.hear_parts(&mut making, piece, &cuts, &mut sketch)?;
        }
        let mut ids = BitReader::new(sketch.finish().map_err(broken)?);
        let (mut theirs, mut pairing) = (Vec::new(), Pairing::default());
        for piece in of(Said::Listed) {
            is_last = false;
            take_ids(&mut ids, self.params.id_bits, &mut theirs)?;
            self.compare(&mut making, &piece.places, &theirs, &mut pairing)?;
        }
        let rest = self.hear_answers(ids.finish().map_err(broken)?)?;
        if !is_last {
            return if rest.is_empty() {
                Ok(Heard::Answer(making.turn))
            } else {
                Err(broken(WireError::Trailing { left: rest.len() }))
            };
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
        for (i, last) in lasts.enumerate() {
            let next = match cuts.get(i) {
                Some(cut) => making.cursor.seek_bound(at..end, at + len, &cut.item()),
                None => end,
            };
            let sum = making.cursor.sum_below(next);
            let theirs = sketch.take("fingerprints", self.params.fp_bits).map_err(broken)?;
            if theirs == self.fingerprint(&(sum - sum_before), next - at) {
                making.turn.control.write(|bits| bits.put(0, 1));
            } else {
                let part = Piece { points: (first, last), places: at as u32..next as u32 };
                self.differ(making, part)?;
            }
            (len, at, sum_before) = (next - at, next, sum);
            if let Some(cut) = cuts.get(i) {
                first = *cut;
            }
        }
        Ok(())
    }

    /// A range differs: lists it if it is short, cuts it otherwise.
    fn differ(&mut self, making: &mut Making<'_>, piece: Piece) -> Result<(), Stop> {
        let turn = &mut making.turn;
        let places = piece.places.start as usize..piece.places.end as usize;
        if places.len() < self.params.list {
            turn.control.write(|bits| bits.put(3, 2));
            let ids = making.cursor.ids(places).flatten();
            turn.ids.write(|bits| {
                put_gamma(bits, piece.places.len() as u64 + 1);
                self.key.hash_all(ids, |hashed| {
                    bits.put(short_of(hashed.short, self.params.id_bits), self.params.id_bits);
                });
            });
            turn.lists.push(piece.places);
            return self.afford(turn.heap_bytes());
        }
        turn.control.write(|bits| bits.put(1, 2));
        let parts = self.params.split;
        making.parts_made += parts as u64;
        self.afford_ns(making.parts_made * PART_NS)?;
        let (len, longer) = (places.len() / parts, places.len() % parts);
        let ends = (0..parts).scan(places.start, |end, part| {
            *end += len + usize::from(part < longer);
            Some(*end)
        });
        let cursor = &mut making.cursor;
        ends.clone().for_each(|end| cursor.prefetch(end));
        making.cuts.clear();
        let inner = ends.clone().take(parts - 1);
        making.cuts.extend(inner.map(|end| Cut::between(&cursor.item(end - 1), &cursor.item(end))));
        let (mut first, mut at) = (piece.points.0, places.start);
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

    /// Compares a range with the peer's list of it, and answers with what differs.
    fn compare(
        &mut self,
        making: &mut Making<'_>,
        places: &Range<u32>,
        theirs: &[u64],
        pairing: &mut Pairing<u64>,
    ) -> Result<(), Stop> {
        let compares =
            (theirs.len() + places.len()) as u64 * u64::from((theirs.len() + places.len() + 1).ilog2() + 1);
        self.afford_ns(compares * COMPARE_NS)?;
        let mut mine = Vec::with_capacity(places.len());
        let ids = making.cursor.ids(places.start as usize..places.end as usize).flatten();
        self.key.hash_all(ids, |hashed| mine.push(short_of(hashed.short, self.params.id_bits)));
        let mut lacked = vec![false; theirs.len()];
        let mut extras = Vec::new();
        pairing.differences(
            mine.iter().copied().zip(0..),
            theirs.iter().copied().zip(0..),
            |i| extras.push(i),
            |i| lacked[i as usize] = true,
        );
        extras.sort_unstable();
        self.found.haves.extend(extras.iter().map(|i| places.start + i));
        making.turn.missing.write(|bits| lacked.iter().for_each(|lacked| bits.put(u64::from(*lacked), 1)));
        if self.role == Role::Initiator {
            self.found
                .needs
                .extend(theirs.iter().zip(lacked).filter(|(_, lacked)| *lacked).map(|(id, _)| *id));
        } else {
            making.turn.extras.write(|bits| {
                put_gamma(bits, extras.len() as u64 + 1);
                for i in extras {
                    bits.put(mine[i as usize], self.params.id_bits);
                }
            });
        }
        self.afford(making.turn.heap_bytes() + self.found.needs.len() * size_of::<u64>())
    }

    /// What the peer says of the lists sent to it. Returns the bytes after that.
    fn hear_answers<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Stop> {
        let mut rest = bytes;
        if self.role == Role::Initiator {
            let mut reader = BitReader::new(rest);
            let mut extras = Vec::new();
            for _ in &self.lists {
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
        reader.finish().map_err(broken)
    }
}

fn broken(error: WireError) -> Stop {
    SessionError::from(error).into()
}
