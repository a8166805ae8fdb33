//! One end of the recursion: answers a message range by range, and keeps what it has settled.

use std::collections::VecDeque;
use std::ops::Range;

use super::fingerprint::{IdSum, fingerprints};
use super::lists::Pairing;
use super::message::{Bound, Content, Reading, Writer};
use super::scout::Scout;
use super::tree::{Cursor, RangeSet};
use super::{Params, TAG_NEEDS, TAG_RANGES};
use crate::bits::{put_ranks, take_ranks};
use crate::item::ItemId;
use crate::session::{Budget, Reason, Role, SessionError};
use crate::wire::{Draft, MESSAGE_LEN_MAX, Purpose, Reader};

/// Why a message is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The peer broke the protocol.
    Broken(SessionError),
    /// It would cost too much.
    GiveUp(Reason),
}

impl From<SessionError> for Stop {
    fn from(error: SessionError) -> Self {
        Self::Broken(error)
    }
}

/// Nominal nanoseconds of one comparison in sorting or searching 32-byte ids.
pub const COMPARE_NS: u64 = 8;

/// Fingerprints of a message that are answered together.
const BATCH: usize = 32;
/// Ranges that are read before, so that memory is fetched meanwhile, and how many of them stay for the next time.
const AHEAD: usize = 2 * BATCH;
const STAY: usize = BATCH / 2;

/// Where the parts of a range end that is cut into parts of one length, the first ones longer by one.
pub fn part_ends(range: Range<usize>, parts: usize) -> impl Iterator<Item = usize> + Clone {
    let (len, longer) = (range.len() / parts, range.len() % parts);
    (0..parts).scan(range.start, move |end, part| {
        *end += len + usize::from(part < longer);
        Some(*end)
    })
}

/// What the initiator has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Places of own items that the peer lacks.
    pub haves: Vec<u32>,
    /// Ids of the peer's items that this end lacks, with their rank among all that the peer listed.
    pub needs: Vec<(u64, ItemId)>,
    /// How many ids the peer listed.
    pub heard: u64,
}

impl Found {
    /// The request for what is needed: ranks in the order in which the peer listed its items.
    pub fn request(&self) -> Draft {
        let ranks: Vec<u64> = self.needs.iter().map(|(rank, _)| *rank).collect();
        let mut draft = Draft::new(TAG_NEEDS);
        draft.varint(Purpose::Control, ranks.len() as u64);
        draft.put(Purpose::Request, |body| put_ranks(body, &ranks, self.heard));
        draft
    }
}

/// One end.
pub struct Party {
    set: RangeSet,
    params: Params,
    role: Role,
    budget: Budget,
    /// Initiator: what the peer's lists said.
    found: Found,
    /// Responder: places that it has listed, in that order. An honest peer lets it list nothing twice, so
    /// all of them together are no more than the set.
    listed: Vec<Range<usize>>,
    listed_count: usize,
    /// Bounds of the last message: their times, and their places here.
    sent: Vec<(u64, u32)>,
}

impl Party {
    /// An end that holds `set`.
    pub fn new(set: RangeSet, params: Params, role: Role, budget: Budget) -> Self {
        Self {
            set,
            params,
            role,
            budget,
            found: Found::default(),
            listed: Vec::new(),
            listed_count: 0,
            sent: Vec::new(),
        }
    }

    /// Items that this end holds.
    pub fn set(&self) -> &RangeSet {
        &self.set
    }

    fn heap_max(&self) -> usize {
        usize::try_from(self.budget.heap_bytes_max).unwrap_or(usize::MAX)
    }

    fn afford(&self, heap_bytes: usize) -> Result<(), Stop> {
        if heap_bytes > self.heap_max() { Err(Stop::GiveUp(Reason::HeapBudget)) } else { Ok(()) }
    }

    fn writer(&self) -> Writer {
        Writer::new(TAG_RANGES, MESSAGE_LEN_MAX.min(self.heap_max()))
    }

    /// The initiator's first message.
    pub fn first(&mut self) -> Result<Draft, Stop> {
        let set = self.set.clone();
        let mut writer = self.writer();
        self.split(&mut set.cursor(), 0..set.len(), &Bound::INFINITY, &mut writer)?;
        Ok(writer.finish())
    }

    /// Answers a message. O(ranges·log n + bytes): no item is looked at that is not listed.
    pub fn answer(&mut self, body: &[u8]) -> Result<Writer, Stop> {
        let set = self.set.clone();
        let mut reading = Reading::new(body)?;
        let sent = std::mem::take(&mut self.sent);
        let mut scout = Scout::new(&sent, set.len(), self.params.buckets);
        // One reader looks for bounds and one makes lists and cuts: both go forward.
        let (mut bounds, mut cursor) = (set.cursor(), set.cursor());
        let mut pairing = Pairing::default();
        let mut writer = self.writer();
        let (mut start, mut len) = (0, 0);
        let mut last = Bound::START;
        // A run of settled ranges is skipped in one, and only when something follows it.
        let mut skipped = false;
        let mut ahead = VecDeque::new();
        let mut ranges = Vec::new();
        let (mut sums, mut ours) = (Vec::new(), Vec::new());
        loop {
            while ahead.len() < AHEAD
                && let Some((bound, content)) = reading.next()?
            {
                let guess = scout.expect(bound.item.at);
                match content {
                    Content::List(ids) => {
                        cursor.prefetch_items(guess.place.saturating_sub(ids.len())..guess.place);
                    }
                    _ => cursor.prefetch(guess.place),
                }
                ahead.push_back((bound, content, guess));
            }
            if ahead.is_empty() {
                break;
            }
            ranges.clear();
            sums.clear();
            for (bound, content, guess) in &ahead {
                if sums.len() == BATCH || ranges.len() == AHEAD - STAY {
                    break;
                }
                // Ranges that were cut from one are of one length, there and mostly here.
                let guess = if guess.follows { start + len } else { guess.place };
                let range = start..bounds.seek_bound(start..set.len(), Some(guess), &bound.item);
                (start, len) = (range.end, range.len());
                if let Content::Fingerprint(_) = content {
                    let sum = bounds.sum_below(range.end) - bounds.sum_below(range.start);
                    sums.push((sum, range.len() as u64));
                }
                ranges.push(range);
            }
            ours.clear();
            fingerprints(&sums, &mut ours);
            let said = ahead.iter().map(|(_, content, _)| content).zip(&ranges);
            let made = said.filter(|(content, _)| matches!(content, Content::Fingerprint(_))).zip(&ours);
            for ((content, range), ours) in made {
                // What differs will be cut.
                if *content != Content::Fingerprint(*ours) {
                    self.parts(range).for_each(|end| cursor.prefetch(end));
                }
            }
            let mut ours = ours.iter();
            for ((bound, content, _), range) in ahead.drain(..ranges.len()).zip(ranges.drain(..)) {
                let settled = match content {
                    Content::Skip => true,
                    Content::Fingerprint(theirs) => ours.next() == Some(&theirs),
                    Content::List(theirs) if self.role == Role::Initiator => {
                        self.compare(&mut cursor, &mut pairing, range.clone(), theirs)?;
                        true
                    }
                    Content::List(_) => false,
                };
                if settled {
                    skipped = true;
                } else {
                    if std::mem::take(&mut skipped) {
                        writer.skip(&last)?;
                        self.sent.push((last.item.at, range.start as u32));
                    }
                    match content {
                        Content::List(_) => self.list(&mut cursor, range, &bound, &mut writer)?,
                        _ => self.split(&mut cursor, range, &bound, &mut writer)?,
                    }
                }
                last = bound;
            }
        }
        Ok(writer)
    }

    /// Where the parts of a range end that is cut.
    fn parts(&self, range: &Range<usize>) -> impl Iterator<Item = usize> + Clone + use<> {
        // With `list` below `buckets` a range may have fewer items than that.
        part_ends(range.clone(), self.params.buckets.min(range.len()).max(1))
    }

    /// Cuts a range into buckets of equal size, the first ones longer by one, and says their fingerprints;
    /// lists it if it is short.
    fn split(
        &mut self,
        cursor: &mut Cursor<'_>,
        range: Range<usize>,
        end: &Bound,
        writer: &mut Writer,
    ) -> Result<(), Stop> {
        if range.len() < self.params.list {
            return self.list(cursor, range, end, writer);
        }
        let ends = self.parts(&range);
        let mut at = range.start;
        let mut sum_before = cursor.sum_below(at);
        let sums: Vec<(IdSum, u64)> = ends
            .clone()
            .map(|next| {
                let (sum, count) = (cursor.sum_below(next), (next - at) as u64);
                at = next;
                (sum - std::mem::replace(&mut sum_before, sum), count)
            })
            .collect();
        let mut ours = Vec::with_capacity(sums.len());
        fingerprints(&sums, &mut ours);
        for (next, fingerprint) in ends.zip(&ours) {
            let bound = if next == range.end { *end } else { Bound::at(cursor, next) };
            writer.fingerprint(&bound, fingerprint)?;
            self.sent.push((bound.item.at, next as u32));
        }
        Ok(())
    }

    fn list(
        &mut self,
        cursor: &mut Cursor<'_>,
        range: Range<usize>,
        end: &Bound,
        writer: &mut Writer,
    ) -> Result<(), Stop> {
        if self.role == Role::Responder && !range.is_empty() {
            self.listed_count += range.len();
            if self.listed_count > self.set.len() {
                return Err(SessionError::Protocol("items must be listed twice").into());
            }
            // The end of the session looks ranks up in all that was listed; refuse now, while the initiator
            // can still be told.
            self.afford(self.listed_count * size_of::<u32>())?;
            self.listed.push(range.clone());
        }
        self.sent.push((end.item.at, range.end as u32));
        writer.list(end, cursor.ids(range))
    }

    /// Compares a range with the peer's list of it.
    fn compare(
        &mut self,
        cursor: &mut Cursor<'_>,
        pairing: &mut Pairing<[u8; ItemId::LEN]>,
        range: Range<usize>,
        theirs: &[[u8; ItemId::LEN]],
    ) -> Result<(), Stop> {
        let compares = (theirs.len() + range.len()) as u64 * u64::from((theirs.len() + 1).ilog2() + 1);
        if compares * COMPARE_NS > self.budget.cpu_ns_max {
            return Err(Stop::GiveUp(Reason::CpuBudget));
        }
        let needs_max = self.found.needs.len() + theirs.len();
        self.afford((needs_max + theirs.len()) * size_of::<(u64, ItemId)>())?;
        let base = self.found.heard;
        self.found.heard += theirs.len() as u64;
        let (haves, needs) = (&mut self.found.haves, &mut self.found.needs);
        pairing.differences(
            cursor.ids(range.clone()).map(|id| *id.bytes()).zip(range.start as u32..range.end as u32),
            theirs.iter().copied().zip(0..theirs.len() as u32),
            |place| haves.push(place),
            |rank| needs.push((base + u64::from(rank), ItemId::new(theirs[rank as usize]))),
        );
        if self.found.haves.len() > self.set.len() {
            return Err(SessionError::Protocol("a range is listed twice").into());
        }
        Ok(())
    }

    /// The initiator's findings, when nothing is open any more.
    pub fn settle(&mut self) -> Result<Found, Stop> {
        let mut found = std::mem::take(&mut self.found);
        found.haves.sort_unstable();
        found.needs.sort_unstable();
        if found.haves.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(SessionError::Protocol("a range is listed twice").into());
        }
        let mut ids: Vec<ItemId> = found.needs.iter().map(|(_, id)| *id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(SessionError::Protocol("an id is listed twice").into());
        }
        Ok(found)
    }

    /// The places of what the initiator asks for in [`Found::request`].
    pub fn look_up(&self, body: &[u8]) -> Result<Vec<u32>, SessionError> {
        let mut reader = Reader::new(body);
        let count = reader.varint_max("needed ranks", self.listed_count as u64)? as usize;
        let (ranks, rest) = take_ranks("needed ranks", reader.rest(), count, self.listed_count as u64)?;
        Reader::new(rest).finish()?;
        let mut by_place = self.listed.clone();
        by_place.sort_unstable_by_key(|range| range.start);
        if by_place.windows(2).any(|pair| pair[0].end > pair[1].start) {
            return Err(SessionError::Protocol("items were asked for twice"));
        }
        let places: Vec<u32> = self.listed.iter().cloned().flatten().map(|place| place as u32).collect();
        Ok(ranks.into_iter().map(|rank| places[rank as usize]).collect())
    }
}
