//! What one end says in its turn: sections of bits that the other can only read with what it said before.
//!
//! ```text
//! parts    varint   into how many a range is cut in this message
//! control  a bit for each fingerprint of the message before, then for each of its leaves: differs? (or, of leaves: undecoded?)
//!          if so another: not cut? if so, and where there are sketches, another: sketched, not listed?
//! sketch   for each range that is cut: where (see `point`), then the keyed fingerprint of each part
//! ids      for each range that is listed: how many (gamma code, plus one), then their short ids
//! leaves   for each range that is sketched: see `leaf`
//! extras   from the responder, for each list of the message before, then for each leaf that was decoded: as `ids`, what it
//!          holds beyond that
//! missing  for each list of the message before a bit for each of its ids: lacked? Then for each leaf that was
//!          decoded: how many are lacked (gamma code, plus one), and their ranks
//! seal     8 bytes when nothing is cut, listed or sketched: keyed hash of all items but those that the other lacks
//! ```
//!
//! Each section starts at a byte. Nothing says which range is meant: both know the ranges that are open, in order.

use std::ops::Range;

use super::point::{Point, put_gamma, take_gamma};
use crate::bits::{BitReader, BitWriter};
use crate::session::SessionError;
use crate::wire::{Draft, Purpose, put_varint};

/// Bytes of the seal.
pub const SEAL_LEN: usize = 8;

/// A range of which this end has sent a fingerprint, or a sketch.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Its first point and its last.
    pub points: (Point, Point),
    /// The own items in it.
    pub places: Range<u32>,
}

impl Piece {
    /// Its places.
    pub fn span(&self) -> Range<usize> {
        self.places.start as usize..self.places.end as usize
    }
}

/// A turn that is being made.
#[derive(Debug, Default)]
pub struct Turn {
    /// One for each fingerprint and leaf heard.
    pub control: Bits,
    /// Cuts and fingerprints.
    pub sketch: Bits,
    /// Listed ids.
    pub ids: Bits,
    /// Sketches.
    pub leaves: Bits,
    /// Ids beyond the peer's lists.
    pub extras: Bits,
    /// Which of the peer's listed ids are lacked.
    pub missing: Bits,
    /// What the fingerprints in it stand for.
    pub pieces: Vec<Piece>,
    /// What the lists in it hold.
    pub lists: Vec<Range<u32>>,
    /// What the sketches in it stand for.
    pub sketched: Vec<Piece>,
}

/// Bits that are being written.
#[derive(Debug, Default)]
pub struct Bits {
    bytes: Vec<u8>,
    /// Bits that do not fill a byte yet.
    rest: (u64, u32),
}

impl Bits {
    /// Has `write` append bits.
    pub fn write(&mut self, write: impl FnOnce(&mut BitWriter<'_>)) {
        let mut writer = BitWriter::resumed(&mut self.bytes, self.rest);
        write(&mut writer);
        self.rest = writer.pause();
    }

    fn finish(mut self) -> Vec<u8> {
        BitWriter::resumed(&mut self.bytes, self.rest).finish();
        self.bytes
    }
}

impl Turn {
    /// Bytes of the message so far, and what must be remembered of it.
    pub fn heap_bytes(&self) -> usize {
        [&self.control, &self.sketch, &self.ids, &self.leaves, &self.extras, &self.missing]
            .iter()
            .map(|bits| bits.bytes.len())
            .sum::<usize>()
            + (self.pieces.len() + self.sketched.len()) * size_of::<Piece>()
            + self.lists.len() * size_of::<Range<u32>>()
    }

    /// Appends it to a message.
    pub fn put(self, parts: usize, seal: Option<[u8; SEAL_LEN]>, draft: &mut Draft) {
        draft.put(Purpose::Control, |body| put_varint(body, parts as u64));
        for (bits, purpose) in [
            (self.control, Purpose::Control),
            (self.sketch, Purpose::Sketch),
            (self.ids, Purpose::Ids),
            (self.leaves, Purpose::Sketch),
            (self.extras, Purpose::Ids),
            (self.missing, Purpose::Request),
        ] {
            draft.bytes(purpose, &bits.finish());
        }
        if let Some(seal) = seal {
            draft.bytes(Purpose::Control, &seal);
        }
    }
}

/// What the peer says of a range of which it heard a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It holds the same.
    Same,
    /// It cuts the range.
    Cut,
    /// It lists what it holds there.
    Listed,
    /// It sketches what it holds there.
    Sketched,
}

/// Takes what is said of each of `count` ranges, with sketches or without, and the bytes after that.
///
/// # Errors
///
/// When the bits end early.
pub fn take_control(bytes: &[u8], count: usize, sketches: bool) -> Result<(Vec<Said>, &[u8]), SessionError> {
    let what = "answers to fingerprints";
    let mut reader = BitReader::new(bytes);
    let mut said = Vec::with_capacity(count.min(8 * bytes.len()));
    for _ in 0..count {
        said.push(match reader.take(what, 1)? {
            0 => Said::Same,
            _ if reader.take(what, 1)? == 0 => Said::Cut,
            _ if sketches && reader.take(what, 1)? == 1 => Said::Sketched,
            _ => Said::Listed,
        });
    }
    Ok((said, reader.finish()?))
}

/// Appends a list of short ids.
pub fn put_ids(writer: &mut BitWriter<'_>, ids: impl ExactSizeIterator<Item = u64>, bits: u32) {
    put_gamma(writer, ids.len() as u64 + 1);
    ids.for_each(|id| writer.put(id, bits));
}

/// Takes a list of short ids into `ids`.
///
/// # Errors
///
/// When the bits end early.
pub fn take_ids(reader: &mut BitReader<'_>, bits: u32, ids: &mut Vec<u64>) -> Result<(), SessionError> {
    ids.clear();
    // Nothing is set aside for what is only claimed.
    for _ in 1..take_gamma(reader, "listed ids")? {
        ids.push(reader.take("listed ids", bits)?);
    }
    Ok(())
}
