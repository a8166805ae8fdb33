//! Bytes on the wire: a reader that believes nothing, a writer that knows what each byte is for, and every
//! limit that a decoder enforces.
//!
//! Integers are unsigned LEB128 varints unless a method says otherwise. A decoder must take every length
//! and count through [`Reader::count`] or [`Reader::bytes`], which compare it with the bytes at hand before
//! anybody allocates.

use std::collections::VecDeque;

use thiserror::Error;

/// Smallest frame that a driver may ask for, in bytes. A BLE packet or a LoRa payload is larger.
pub const FRAME_LEN_MIN: u32 = 64;
/// Frame length that a driver takes if it has no reason for another, in bytes.
pub const FRAME_LEN_DEFAULT: u32 = 64 * 1024;
/// Longest message that is put together from frames, in bytes. A receiver holds at most one at a time.
pub const MESSAGE_LEN_MAX: usize = 64 << 20;
/// Largest set size that a peer may claim.
pub const SET_LEN_MAX: u64 = 1 << 28;
/// Most coded symbols, cells or sketch elements that a decoder keeps from one peer in a session.
pub const SYMBOLS_MAX: u64 = 1 << 22;
/// Retries with a fresh key, after which a session gives up.
pub const RETRIES_MAX: u32 = 8;
/// Messages that an end of a session of many rounds hears. Splitting 2^28 items by 4 takes 15.
pub const ROUNDS_MAX: u32 = 32;

/// What a byte was spent on. The order is that of [`Spent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Salts.
    Salt,
    /// Estimators of d.
    Estimator,
    /// Filters, tables, sketches, coded symbols, fingerprints with their bounds.
    Sketch,
    /// Ids in lists that advertise items.
    Ids,
    /// Ids or ranks that ask for items.
    Request,
    /// Tags, lengths, counts, end checks, verdicts.
    Control,
    /// Anything sent after the first failed decode or end check.
    Retry,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 7] =
        [Self::Salt, Self::Estimator, Self::Sketch, Self::Ids, Self::Request, Self::Control, Self::Retry];
}

/// Bytes by purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent([u64; 7]);

impl Spent {
    /// Bytes spent on `purpose`.
    pub fn on(&self, purpose: Purpose) -> u64 {
        self.0[purpose as usize]
    }

    /// Adds bytes.
    pub fn add(&mut self, purpose: Purpose, bytes: u64) {
        self.0[purpose as usize] += bytes;
    }

    /// All bytes.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// What was spent between `earlier` and now.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - earlier.0[i]))
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WireError {
    /// The bytes end before the field does.
    #[error("{what}: the bytes end early")]
    Truncated {
        /// The field.
        what: &'static str,
    },
    /// A varint longer than 64 bits, or with needless leading zeros.
    #[error("{what}: not a canonical varint")]
    BadVarint {
        /// The field.
        what: &'static str,
    },
    /// More than the limit, or more than the bytes at hand can hold.
    #[error("{what}: {claimed} claimed, {max} possible")]
    TooMany {
        /// The field.
        what: &'static str,
        /// What the peer claims.
        claimed: u64,
        /// The most that is accepted here.
        max: u64,
    },
    /// A value that the field cannot have.
    #[error("{what}: value {value} is not possible")]
    BadValue {
        /// The field.
        what: &'static str,
        /// The value.
        value: u64,
    },
    /// Bytes after the end.
    #[error("{left} bytes after the end of the message")]
    Trailing {
        /// How many.
        left: usize,
    },
}

/// Reads fields from bytes that a peer sent.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    ///
    /// [`WireError::Truncated`].
    pub fn bytes(&mut self, what: &'static str, len: usize) -> Result<&'a [u8], WireError> {
        let (head, tail) = self.rest.split_at_checked(len).ok_or(WireError::Truncated { what })?;
        self.rest = tail;
        Ok(head)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    ///
    /// [`WireError::Truncated`].
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], WireError> {
        let (head, tail) = self.rest.split_first_chunk().ok_or(WireError::Truncated { what })?;
        self.rest = tail;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    ///
    /// [`WireError::Truncated`].
    pub fn u8(&mut self, what: &'static str) -> Result<u8, WireError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// A varint.
    ///
    /// # Errors
    ///
    /// [`WireError::Truncated`], and [`WireError::BadVarint`] for over 64 bits or needless zeros.
    pub fn varint(&mut self, what: &'static str) -> Result<u64, WireError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8(what)?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits || (byte == 0 && shift > 0) {
                return Err(WireError::BadVarint { what });
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::BadVarint { what })
    }

    /// A varint that may not be above `max`.
    ///
    /// # Errors
    ///
    /// As [`Reader::varint`], and [`WireError::TooMany`].
    pub fn varint_max(&mut self, what: &'static str, max: u64) -> Result<u64, WireError> {
        let claimed = self.varint(what)?;
        if claimed > max { Err(WireError::TooMany { what, claimed, max }) } else { Ok(claimed) }
    }

    /// A count of entries of which each takes at least `entry_bits_min` of the bits that follow.
    ///
    /// # Errors
    ///
    /// As [`Reader::varint`], and [`WireError::TooMany`] when the rest cannot hold that many.
    pub fn count(&mut self, what: &'static str, entry_bits_min: u64) -> Result<usize, WireError> {
        let claimed = self.varint(what)?;
        let max = (self.rest.len() as u64).saturating_mul(8) / entry_bits_min.max(1);
        if claimed > max { Err(WireError::TooMany { what, claimed, max }) } else { Ok(claimed as usize) }
    }

    /// The next `N` bytes, which are not taken yet, if there are as many.
    pub fn peek<const N: usize>(&self) -> Option<[u8; N]> {
        self.rest.first_chunk().copied()
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// That nothing is left.
    ///
    /// # Errors
    ///
    /// [`WireError::Trailing`].
    pub fn finish(self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::Trailing { left: self.rest.len() }) }
    }
}

/// Appends a varint.
pub fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Maps small positive and negative numbers to small unsigned ones: 0, -1, 1, -2, …
pub fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag`].
pub fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Bytes after which a message goes on in another block of memory: what has been written is never moved, and what
/// was sent is free for the frames that follow.
const BLOCK_LEN: usize = 32 << 10;

/// A message that is being written: its bytes, and what each of them is for.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(crate) tag: u8,
    /// Full blocks of the body, and the one that is being written.
    blocks: VecDeque<Vec<u8>>,
    last: Vec<u8>,
    /// Bytes of the body, taken ones included, and how many of them are taken.
    len: usize,
    taken: usize,
    /// Those of them that were in the block that is now the first.
    taken_of_first: usize,
    /// Runs of bytes with one purpose, in the order of the body. Frames take them from the front; a message may
    /// have hundreds of thousands.
    spans: VecDeque<Span>,
}

/// Bytes with one purpose: their number, and the purpose in the lowest three bits.
#[derive(Clone, Copy, Debug)]
struct Span(u32);

impl Span {
    /// Most bytes of a span.
    const LEN_MAX: usize = (u32::MAX >> 3) as usize;

    fn new(purpose: Purpose, len: usize) -> Self {
        Self((len as u32) << 3 | purpose as u32)
    }

    fn purpose(self) -> Purpose {
        Purpose::ALL[(self.0 & 7) as usize]
    }

    fn len(self) -> usize {
        (self.0 >> 3) as usize
    }
}

impl Draft {
    /// An empty message. Tags are below 128: the eighth bit says that more frames follow.
    pub fn new(tag: u8) -> Self {
        assert!(tag < 0x80, "tag {tag} needs the bit of the frame header");
        Self {
            tag,
            blocks: VecDeque::new(),
            last: Vec::new(),
            len: 0,
            taken: 0,
            taken_of_first: 0,
            spans: VecDeque::new(),
        }
    }

    /// Bytes of the body.
    pub fn body_len(&self) -> usize {
        self.len
    }

    /// Whether some of it is in a frame.
    pub(crate) fn is_begun(&self) -> bool {
        self.taken > 0
    }

    /// Bytes that are in no frame yet.
    pub(crate) fn left(&self) -> usize {
        self.len - self.taken
    }

    /// Appends what `write` appends, all of it for `purpose`.
    pub fn put(&mut self, purpose: Purpose, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        let before = self.last.len();
        write(&mut self.last);
        self.account(purpose, self.last.len() - before);
        self.wrap();
        self
    }

    /// Appends bytes.
    pub fn bytes(&mut self, purpose: Purpose, bytes: &[u8]) -> &mut Self {
        self.put(purpose, |body| body.extend_from_slice(bytes))
    }

    /// Appends bytes of which runs have purposes of their own: as many of what `write` writes over zeros as the runs have
    /// together.
    pub(crate) fn runs<const N: usize>(
        &mut self,
        runs: &[(Purpose, usize)],
        write: impl FnOnce(&mut [u8; N]),
    ) {
        let before = self.last.len();
        // A copy whose length is known is a few instructions.
        self.last.extend_from_slice(&[0; N]);
        write(self.last.last_chunk_mut().expect("as many were appended"));
        let len: usize = runs.iter().map(|(_, len)| len).sum();
        self.last.truncate(before + len);
        for (purpose, len) in runs {
            self.account(*purpose, *len);
        }
        self.wrap();
    }

    /// Appends a varint.
    pub fn varint(&mut self, purpose: Purpose, value: u64) -> &mut Self {
        self.put(purpose, |body| put_varint(body, value))
    }

    fn account(&mut self, purpose: Purpose, mut len: usize) {
        self.len += len;
        if let Some(last) = self.spans.back_mut()
            && last.purpose() == purpose
            && last.len() + len <= Span::LEN_MAX
        {
            *last = Span::new(purpose, last.len() + len);
            return;
        }
        while len > 0 {
            let part = len.min(Span::LEN_MAX);
            self.spans.push_back(Span::new(purpose, part));
            len -= part;
        }
    }

    /// Begins another block where one is full.
    fn wrap(&mut self) {
        if self.last.len() >= BLOCK_LEN {
            // A little longer, for what goes beyond.
            let next = Vec::with_capacity(BLOCK_LEN + BLOCK_LEN / 32);
            self.blocks.push_back(std::mem::replace(&mut self.last, next));
        }
    }

    /// Moves the next `len` bytes of the body to a frame, and tells `spend` what they are for.
    pub(crate) fn take(&mut self, len: usize, frame: &mut Vec<u8>, mut spend: impl FnMut(Purpose, usize)) {
        let mut left = len;
        while left > 0 {
            let block = self.blocks.front().unwrap_or(&self.last);
            let part = left.min(block.len() - self.taken_of_first);
            frame.extend_from_slice(&block[self.taken_of_first..][..part]);
            self.taken_of_first += part;
            left -= part;
            if self.taken_of_first == block.len() && self.blocks.pop_front().is_some() {
                self.taken_of_first = 0;
            }
        }
        self.taken += len;
        let mut unspent = len;
        while unspent > 0 {
            let span = self.spans.front_mut().expect("every byte of a body is in a span");
            let part = unspent.min(span.len());
            spend(span.purpose(), part);
            *span = Span::new(span.purpose(), span.len() - part);
            unspent -= part;
            if span.len() == 0 {
                self.spans.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_come_back(value: u64) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.varint("v"), Ok(value));
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn zigzag_comes_back(value: i64) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }

        /// What a varint reads as is written as the same bytes: one value has one encoding.
        #[test]
        fn varints_are_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.varint("v") {
                let mut again = Vec::new();
                put_varint(&mut again, value);
                prop_assert_eq!(&bytes[..bytes.len() - reader.left()], &again[..]);
            }
        }
    }

    #[test]
    fn what_is_put_is_taken_with_its_purposes() {
        let mut draft = Draft::new(1);
        let (mut expected, mut expected_spent) = (Vec::new(), Spent::default());
        for i in 0..5000_usize {
            let (purpose, bytes) = (Purpose::ALL[i / 3 % 7], vec![i as u8; i * i % 97]);
            expected.extend_from_slice(&bytes);
            expected_spent.add(purpose, bytes.len() as u64);
            if i % 5 == 0 {
                let write = |to: &mut [u8; 100]| to[..bytes.len()].copy_from_slice(&bytes);
                draft.runs(&[(purpose, bytes.len())], write);
            } else {
                draft.bytes(purpose, &bytes);
            }
        }
        assert_eq!(draft.body_len(), expected.len());
        let (mut taken, mut spent) = (Vec::new(), Spent::default());
        for i in 1.. {
            let len = (i * 37).min(draft.left());
            if len == 0 {
                break;
            }
            draft.take(len, &mut taken, |purpose, bytes| spent.add(purpose, bytes as u64));
            assert_eq!(spent.total(), taken.len() as u64);
        }
        assert_eq!(taken, expected);
        assert_eq!(spent, expected_spent);
    }

    #[test]
    fn a_count_is_checked_against_the_bytes_at_hand() {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, 5);
        bytes.extend_from_slice(&[0; 4]);
        assert_eq!(
            Reader::new(&bytes).count("n", 8),
            Err(WireError::TooMany { what: "n", claimed: 5, max: 4 })
        );
        assert_eq!(Reader::new(&bytes).count("n", 6), Ok(5));
    }
}
