//! The messages of negentropy protocol v1: a version byte, then ranges in order.
//!
//! ```text
//! range  = bound, mode, content        up to the bound, from where the range before ended
//! bound  = time, id length, id prefix  time: 0 = infinity, else 1 + distance to the bound before
//! content: nothing (mode 0, skip) | 16 bytes (mode 1, fingerprint) | count, ids (mode 2, list)
//! ```
//!
//! Numbers are base 128 with the *most* significant digit first, unlike the rest of this crate. Where the
//! last range does not end at infinity, the remainder is skipped.

use super::fingerprint::FINGERPRINT_LEN;
use super::party::Stop;
use super::tree::Cursor;
use crate::item::{Item, ItemId};
use crate::session::{Reason, SessionError};
use crate::wire::{Draft, Purpose, Reader, WireError};

/// Protocol v1.
pub const VERSION: u8 = 0x61;
const MODE_SKIP: u8 = 0;
const MODE_FINGERPRINT: u8 = 1;
const MODE_LIST: u8 = 2;
/// Room for a bound, a mode and a fingerprint.
const HEAD_LEN_MAX: usize = 64;

/// Digits of a number that are moved about together in one word.
const WORD_DIGITS: usize = 8;

/// A number, most significant digit first: its bytes as a little-endian number, and how many there are.
pub fn varint_digits(value: u64) -> (u128, usize) {
    let len = (64 - value.leading_zeros()).div_ceil(7).max(1) as usize;
    if len > WORD_DIGITS {
        let digit = |i: usize| u128::from(value >> (7 * (len - 1 - i)) & 0x7f | u64::from(i + 1 < len) << 7);
        return ((0..len).fold(0, |digits, i| digits | digit(i) << (8 * i)), len);
    }
    // Groups of seven bits are moved apart by halves.
    let word = value & 0x0fff_ffff | (value & 0x00ff_ffff_f000_0000) << 4;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x0fff_c000_0fff_c000) << 2;
    let word = word & 0x007f_007f_007f_007f | (word & 0x3f80_3f80_3f80_3f80) << 1;
    // All but the lowest say that more follow.
    let digits = (word | 0x8080_8080_8080_8000).swap_bytes() >> (64 - 8 * len);
    (u128::from(digits), len)
}

/// Appends a number.
fn push_varint(bytes: &mut Vec<u8>, value: u64) {
    let (digits, len) = varint_digits(value);
    bytes.extend_from_slice(&digits.to_le_bytes()[..len]);
}

/// Reads [`varint_digits`]; refuses leading zeros and over 64 bits.
fn varint(reader: &mut Reader<'_>, what: &'static str) -> Result<u64, WireError> {
    if let Some(bytes) = reader.peek() {
        let bytes = u64::from_le_bytes(bytes);
        let ends = !bytes & 0x8080_8080_8080_8080;
        if ends != 0 && bytes as u8 != 0x80 {
            let len = ends.trailing_zeros() as usize / 8 + 1;
            reader.bytes(what, len)?;
            let word = (bytes << (64 - 8 * len)).swap_bytes() & 0x7f7f_7f7f_7f7f_7f7f;
            let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
            let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
            return Ok(word & 0x0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4);
        }
    }
    let mut value = 0_u64;
    for first in std::iter::once(true).chain(std::iter::repeat(false)) {
        let byte = reader.u8(what)?;
        if (first && byte == 0x80) || value >> 57 != 0 {
            break;
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(WireError::BadVarint { what })
}

/// Where a range ends: before the first item that is not below `item`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Time, and the id prefix filled up with zeros.
    pub item: Item,
    /// Length of the id prefix on the wire.
    id_len: usize,
}

impl Bound {
    /// Below every item.
    pub const START: Self = Self::of_time(0);
    /// Above every item; so no item may have this time.
    pub const INFINITY: Self = Self::of_time(u64::MAX);

    /// Below every item from this time on.
    pub const fn of_time(at: u64) -> Self {
        Self { item: Item { at, id: ItemId::new([0; 32]) }, id_len: 0 }
    }

    /// The shortest bound between the items before a place and those from there on, of which there must be both.
    pub fn at(cursor: &mut Cursor<'_>, place: usize) -> Self {
        // Times nearly always differ, and an id is work.
        let at = cursor.time(place);
        if cursor.time(place - 1) != at {
            return Self::of_time(at);
        }
        Self::between(&cursor.item(place - 1), &cursor.item(place))
    }

    /// The shortest bound above `last` and not above `next`, which come in this order.
    fn between(last: &Item, next: &Item) -> Self {
        if last.at != next.at {
            return Self::of_time(next.at);
        }
        let shared = last.id.bytes().iter().zip(next.id.bytes()).take_while(|(a, b)| a == b).count();
        let id_len = (shared + 1).min(ItemId::LEN);
        let mut id = [0; 32];
        id[..id_len].copy_from_slice(&next.id.bytes()[..id_len]);
        Self { item: Item { at: next.at, id: ItemId::new(id) }, id_len }
    }
}

/// Writes a message, and refuses to write more than `len_max` bytes.
///
/// Accounts: bounds (those of skips and lists too) and fingerprints are `Sketch`, ids are `Ids`, version,
/// modes and counts are `Control`.
#[derive(Debug)]
pub struct Writer {
    draft: Draft,
    last_at: u64,
    len_max: usize,
}

impl Writer {
    /// A message without ranges.
    pub fn new(tag: u8, len_max: usize) -> Self {
        let mut draft = Draft::new(tag);
        draft.bytes(Purpose::Control, &[VERSION]);
        Self { draft, last_at: 0, len_max }
    }

    /// Whether it has no ranges: nothing is open any more.
    pub fn is_empty(&self) -> bool {
        self.draft.body_len() == 1
    }

    /// The message.
    pub fn finish(self) -> Draft {
        self.draft
    }

    /// Appends a bound, a mode, and what follows it at once; `content_len` bytes more are to come.
    fn head(
        &mut self,
        bound: &Bound,
        mode: u8,
        fingerprint: Option<&[u8; FINGERPRINT_LEN]>,
        content_len: usize,
    ) -> Result<(), Stop> {
        // Of them 54 without the fingerprint: at most 10 + 1 + 32 of the bound, 1 of mode, at most 10 of a count.
        let fingerprint_len = fingerprint.map_or(0, |bytes| bytes.len());
        if self.draft.body_len() + 54 + fingerprint_len + content_len > self.len_max {
            return Err(Stop::GiveUp(Reason::HeapBudget));
        }
        let at = bound.item.at;
        let time = if at == u64::MAX { 0 } else { at.saturating_sub(self.last_at) + 1 };
        self.last_at = at;
        let (digits, digits_len) = varint_digits(time);
        let id_at = digits_len + 1;
        let mode_at = id_at + bound.id_len;
        let runs = [(Purpose::Sketch, mode_at), (Purpose::Control, 1), (Purpose::Sketch, fingerprint_len)];
        self.draft.runs(&runs, |bytes: &mut [u8; HEAD_LEN_MAX]| {
            // What comes later covers what was too much.
            bytes[..16].copy_from_slice(&digits.to_le_bytes());
            bytes[digits_len] = bound.id_len as u8;
            if bound.id_len > 0 {
                bytes[id_at..][..ItemId::LEN].copy_from_slice(bound.item.id.bytes());
            }
            bytes[mode_at] = mode;
            if let Some(fingerprint) = fingerprint {
                bytes[mode_at + 1..][..FINGERPRINT_LEN].copy_from_slice(fingerprint);
            }
        });
        Ok(())
    }

    /// Everything up to `bound` is settled.
    pub fn skip(&mut self, bound: &Bound) -> Result<(), Stop> {
        self.head(bound, MODE_SKIP, None, 0)
    }

    /// Up to `bound` I hold what has this fingerprint.
    pub fn fingerprint(&mut self, bound: &Bound, bytes: &[u8; FINGERPRINT_LEN]) -> Result<(), Stop> {
        self.head(bound, MODE_FINGERPRINT, Some(bytes), 0)
    }

    /// Up to `bound` I hold these.
    pub fn list(&mut self, bound: &Bound, ids: impl ExactSizeIterator<Item = ItemId>) -> Result<(), Stop> {
        let count = ids.len();
        self.head(bound, MODE_LIST, None, count * ItemId::LEN)?;
        self.draft.put(Purpose::Control, |body| push_varint(body, count as u64));
        self.draft.put(Purpose::Ids, |body| {
            body.reserve(count * ItemId::LEN);
            for id in ids {
                body.extend_from_slice(id.bytes());
            }
        });
        Ok(())
    }
}

/// What a peer says of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// It is settled.
    Skip,
    /// Fingerprint of what it holds there.
    Fingerprint([u8; FINGERPRINT_LEN]),
    /// Ids of what it holds there.
    List(&'a [[u8; ItemId::LEN]]),
}

/// Reads a message range by range. Nothing is copied, and bounds rise strictly.
#[derive(Debug)]
pub struct Reading<'a> {
    reader: Reader<'a>,
    last: Bound,
}

impl<'a> Reading<'a> {
    /// Reads `body` from its version byte on.
    ///
    /// # Errors
    ///
    /// When the version is not ours.
    pub fn new(body: &'a [u8]) -> Result<Self, SessionError> {
        let mut reader = Reader::new(body);
        let version = reader.u8("protocol version")?;
        if version != VERSION {
            let value = u64::from(version);
            return Err(WireError::BadValue { what: "protocol version", value }.into());
        }
        Ok(Self { reader, last: Bound::START })
    }

    fn bound(&mut self) -> Result<Bound, SessionError> {
        let code = varint(&mut self.reader, "time of a bound")?;
        let at = match code {
            0 => u64::MAX,
            _ => (self.last.item.at.checked_add(code - 1))
                .filter(|at| *at != u64::MAX)
                .ok_or(WireError::BadValue { what: "time of a bound", value: code })?,
        };
        let claimed = varint(&mut self.reader, "id length of a bound")?;
        let max = if at == u64::MAX { 0 } else { ItemId::LEN as u64 };
        if claimed > max {
            return Err(WireError::TooMany { what: "id length of a bound", claimed, max }.into());
        }
        let id_len = claimed as usize;
        let mut id = [0; ItemId::LEN];
        if id_len > 0 {
            id[..id_len].copy_from_slice(self.reader.bytes("id of a bound", id_len)?);
        }
        let bound = Bound { item: Item { at, id: ItemId::new(id) }, id_len };
        if bound.item <= self.last.item {
            return Err(SessionError::Protocol("bounds do not rise"));
        }
        self.last = bound;
        Ok(bound)
    }

    /// The next range, or none at the end.
    ///
    /// # Errors
    ///
    /// When the bytes are no range, or one that does not lie after the one before.
    pub fn next(&mut self) -> Result<Option<(Bound, Content<'a>)>, SessionError> {
        if self.reader.left() == 0 {
            return Ok(None);
        }
        let bound = self.bound()?;
        let mode = varint(&mut self.reader, "mode of a range")?;
        let content = match u8::try_from(mode).unwrap_or(u8::MAX) {
            MODE_SKIP => Content::Skip,
            MODE_FINGERPRINT => Content::Fingerprint(self.reader.array("fingerprint")?),
            MODE_LIST => {
                let claimed = varint(&mut self.reader, "listed ids")?;
                let max = (self.reader.left() / ItemId::LEN) as u64;
                if claimed > max {
                    return Err(WireError::TooMany { what: "listed ids", claimed, max }.into());
                }
                let ids = self.reader.bytes("listed ids", claimed as usize * ItemId::LEN)?;
                Content::List(ids.as_chunks().0)
            }
            _ => return Err(WireError::BadValue { what: "mode of a range", value: mode }.into()),
        };
        Ok(Some((bound, content)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back_and_have_one_form(value: u64, bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut written = Vec::new();
            push_varint(&mut written, value);
            prop_assert_eq!(varint(&mut Reader::new(&written), "v"), Ok(value));
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = varint(&mut reader, "v") {
                written.clear();
                push_varint(&mut written, value);
                prop_assert_eq!(&bytes[..bytes.len() - reader.left()], &written[..]);
            }
        }
    }

    #[test]
    fn numbers_have_the_most_significant_digit_first() {
        for (value, expected) in [(0, &[0_u8][..]), (127, &[0x7f]), (128, &[0x81, 0]), (300, &[0x82, 0x2c])] {
            let mut bytes = Vec::new();
            push_varint(&mut bytes, value);
            assert_eq!(bytes, expected);
        }
    }

    #[test]
    fn a_bound_is_as_short_as_it_can_be() {
        let item = |at, head: &[u8]| {
            let mut id = [9; 32];
            id[..head.len()].copy_from_slice(head);
            Item { at, id: ItemId::new(id) }
        };
        let bound = Bound::between(&item(1, &[5]), &item(2, &[0]));
        assert_eq!((bound.item.at, bound.id_len), (2, 0));
        let bound = Bound::between(&item(2, &[5, 1]), &item(2, &[5, 2]));
        assert_eq!((bound.item.at, bound.id_len), (2, 2));
        assert_eq!(&bound.item.id.bytes()[..3], &[5, 2, 0]);
    }

    /// Each line breaks one rule.
    #[test]
    fn messages_that_break_a_rule_are_refused() {
        let refused = |body: &[u8]| {
            let mut reading = match Reading::new(body) {
                Ok(reading) => reading,
                Err(error) => return error.to_string(),
            };
            loop {
                match reading.next() {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("{body:?} is accepted"),
                    Err(error) => return error.to_string(),
                }
            }
        };
        assert!(refused(&[]).contains("protocol version"));
        assert!(refused(&[0x62]).contains("protocol version"));
        assert!(refused(&[VERSION, 0]).contains("id length"));
        assert!(refused(&[VERSION, 0, 1, 7, 0]).contains("id length"), "infinity has no id");
        assert!(refused(&[VERSION, 2, 33]).contains("id length"));
        assert!(refused(&[VERSION, 0, 0, 3]).contains("mode"));
        assert!(refused(&[VERSION, 0, 0, 1, 1, 2, 3]).contains("fingerprint"));
        assert!(refused(&[VERSION, 1, 0, 0]).contains("rise"), "the first range is empty");
        assert!(refused(&[VERSION, 9, 0, 0, 1, 0, 0]).contains("rise"));
        assert!(refused(&[VERSION, 9, 1, 5, 0, 1, 1, 4, 0]).contains("rise"));
        assert!(refused(&[VERSION, 0, 0, 0, 0, 0, 0]).contains("rise"), "after infinity");
        assert!(refused(&[VERSION, 0, 0, 0, 1, 0, 0]).contains("time"), "after infinity");
        assert!(refused(&[VERSION, 0x80, 1, 0, 0]).contains("varint"));
        let huge = [VERSION, 0, 0, 2, 0xc0, 0x80, 0x80, 0x80, 0];
        assert!(refused(&huge).contains("0 possible"), "2^34 ids claimed, none follow");
        let infinity_by_distance = [VERSION, 0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        let mut twice = infinity_by_distance.to_vec();
        twice.extend([0, 0]);
        twice.extend(&infinity_by_distance[1..]);
        assert!(refused(&twice).contains("time"), "sum of two distances overflows");
    }
}
