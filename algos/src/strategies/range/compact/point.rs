//! Where ranges begin and end: times and ids as one number, cut as short as the items around allow.
//!
//! A bound must only separate two neighbouring items. Both ends know the range that is cut, so what is sent of
//! a bound is what the range's first and last point do not share, down to the bit in which the two neighbours part. That
//! bit is a one and everything below it is zero, so it is not sent either. Evenly spread items take about
//! log2(items in the range) bits a bound, whatever the unit of time.

use crate::bits::{BitReader, BitWriter};
use crate::item::{Item, ItemId};
use crate::session::SessionError;
use crate::wire::WireError;

/// Bits of a point.
const BITS: u32 = 320;

/// A time and an id as one number, most significant word first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point([u64; 5]);

impl Point {
    /// Not above any item.
    pub const FIRST: Self = Self([0; 5]);
    /// Not below any item.
    pub const LAST: Self = Self([u64::MAX; 5]);

    /// Where an item lies.
    pub fn of(item: &Item) -> Self {
        let mut words = [item.at, 0, 0, 0, 0];
        for (word, bytes) in words[1..].iter_mut().zip(item.id.bytes().as_chunks().0) {
            *word = u64::from_be_bytes(*bytes);
        }
        Self(words)
    }

    /// The item that would lie here.
    pub fn item(&self) -> Item {
        let mut id = [0; ItemId::LEN];
        for (bytes, word) in id.as_chunks_mut().0.iter_mut().zip(&self.0[1..]) {
            *bytes = word.to_be_bytes();
        }
        Item { at: self.0[0], id: ItemId::new(id) }
    }

    /// The point before this one, which is not the first.
    pub fn before(mut self) -> Self {
        for word in self.0.iter_mut().rev() {
            let (less, borrow) = word.overflowing_sub(1);
            *word = less;
            if !borrow {
                break;
            }
        }
        self
    }

    /// Leading bits that two points have in common.
    pub fn shared_bits(&self, other: &Self) -> u32 {
        match (0..5).find(|i| self.0[*i] != other.0[*i]) {
            Some(i) => 64 * i as u32 + (self.0[i] ^ other.0[i]).leading_zeros(),
            None => BITS,
        }
    }

    /// Bits from number `from` on, counted from the most significant one, `len` of them, at most 32.
    fn bits(&self, from: u32, len: u32) -> u64 {
        let (word, shift) = ((from / 64) as usize, from % 64);
        let next = self.0.get(word + 1).copied().unwrap_or(0);
        let window = u128::from(self.0[word]) << 64 | u128::from(next);
        ((window << shift) >> (127 - len) >> 1) as u64
    }

    /// Sets bits that were zero, as [`Self::bits`] reads them.
    fn set_bits(&mut self, from: u32, len: u32, value: u64) {
        let (word, shift) = ((from / 64) as usize, from % 64);
        let window = u128::from(value) << (127 - len) << 1 >> shift;
        self.0[word] |= (window >> 64) as u64;
        if let Some(next) = self.0.get_mut(word + 1) {
            *next |= window as u64;
        }
    }

    /// The point with only its first `len` bits.
    fn truncated(mut self, len: u32) -> Self {
        for (word, before) in self.0.iter_mut().zip((0..).step_by(64)) {
            let kept = len.saturating_sub(before).min(64);
            *word &= u64::MAX.checked_shl(64 - kept).unwrap_or(0);
        }
        self
    }
}

/// A bound: the point with the fewest bits that is above one item and not above the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where.
    pub point: Point,
    /// Bits down to the last that is not zero.
    len: u32,
}

impl Cut {
    /// Between two items in this order.
    pub fn between(last: &Item, next: &Item) -> Self {
        let next = Point::of(next);
        let len = Point::of(last).shared_bits(&next) + 1;
        Self { point: next.truncated(len), len }
    }
}

/// Appends the cuts of the range from `first` to `last`, in order, at least one.
///
/// The shortest of them as a gamma code, then for each how much longer it is in unary, and its bits but the last.
pub fn put_cuts(writer: &mut BitWriter<'_>, first: &Point, last: &Point, cuts: &[Cut]) {
    let shared = first.shared_bits(last);
    let shortest = cuts.iter().map(|cut| cut.len).min().unwrap_or(BITS);
    put_gamma(writer, u64::from(shortest - shared));
    for cut in cuts {
        put_unary(writer, cut.len - shortest);
        for from in (shared..cut.len - 1).step_by(32) {
            let len = (cut.len - 1 - from).min(32);
            writer.put(cut.point.bits(from, len), len);
        }
    }
}

/// Takes `count` cuts of the range from `first` to `last`, at least one, into `cuts`.
///
/// # Errors
///
/// When the bits end early, or a point is not above the one before and within the range.
pub fn take_cuts(
    reader: &mut BitReader<'_>,
    first: &Point,
    last: &Point,
    count: usize,
    cuts: &mut Vec<Point>,
) -> Result<(), SessionError> {
    cuts.clear();
    let shared = first.shared_bits(last);
    let shortest = take_gamma(reader, "length of a bound")?;
    let mut before = *first;
    for _ in 0..count {
        let value = shortest.saturating_add(reader.unary("length of a bound")?);
        if value > u64::from(BITS - shared) {
            return Err(WireError::BadValue { what: "length of a bound", value }.into());
        }
        let end = shared + value as u32;
        let mut point = first.truncated(shared);
        for from in (shared..end - 1).step_by(32) {
            let len = (end - 1 - from).min(32);
            point.set_bits(from, len, reader.take("bound", len)?);
        }
        point.set_bits(end - 1, 1, 1);
        if point <= before || point > *last {
            return Err(SessionError::Protocol("bounds do not rise"));
        }
        cuts.push(point);
        before = point;
    }
    Ok(())
}

/// Appends as many ones and a zero.
fn put_unary(writer: &mut BitWriter<'_>, mut ones: u32) {
    while ones >= 32 {
        writer.put(u64::from(u32::MAX), 32);
        ones -= 32;
    }
    writer.put((1 << ones) - 1, ones + 1);
}

/// Appends a number from 1 on, short if small (P. Elias, "Universal codeword sets and representations of the
/// integers", 1975).
pub fn put_gamma(writer: &mut BitWriter<'_>, value: u64) {
    let low_len = value.ilog2();
    put_unary(writer, low_len);
    writer.put(value & !(1 << low_len), low_len);
}

/// Takes [`put_gamma`].
///
/// # Errors
///
/// When the bits end early, or for more than 64 bits.
pub fn take_gamma(reader: &mut BitReader<'_>, what: &'static str) -> Result<u64, WireError> {
    match reader.unary(what)? {
        low_len @ 0..64 => Ok(1 << low_len | reader.take(what, low_len as u32)?),
        value => Err(WireError::BadValue { what, value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Rng, Seed};
    use proptest::prelude::*;

    /// Items in order; with few times ids decide, with few leading bytes of ids late ones do.
    fn items(rng: &mut Rng, count: usize, times: u64, same: usize) -> Vec<Item> {
        let mut items: Vec<Item> = (0..count)
            .map(|_| {
                let mut id: [u8; 32] = rng.bytes();
                id[..same].fill(7);
                Item { at: rng.below(times), id: ItemId::new(id) }
            })
            .collect();
        items.sort_unstable();
        items.dedup();
        items
    }

    proptest! {
        #[test]
        fn points_are_in_the_order_of_items(seed: u64, times in 1_u64..5, same in 0_usize..32) {
            let items = items(&mut Seed::new(seed).rng(), 20, times, same);
            for (a, b) in items.iter().zip(&items[1..]) {
                prop_assert!(Point::of(a) < Point::of(b));
                prop_assert!(Point::of(b).before() >= Point::of(a));
                prop_assert_eq!(Point::of(a).item(), *a);
                let cut = Cut::between(a, b).point;
                prop_assert!(Point::of(a) < cut && cut <= Point::of(b));
            }
        }

        #[test]
        fn cuts_come_back(seed: u64, count in 4_usize..40, times in 1_u64..=u64::MAX, same in 0_usize..31) {
            let items = items(&mut Seed::new(seed).rng(), count, times, same);
            // The range is what lies between two cuts, so that its ends are not those of everything.
            let first = Cut::between(&items[0], &items[1]).point;
            let last = Point::of(&items[items.len() - 1]).before();
            let cuts: Vec<Cut> = items[1..items.len() - 1].windows(2).map(|pair| Cut::between(&pair[0], &pair[1])).collect();
            if !cuts.is_empty() {
                let mut bytes = Vec::new();
                let mut writer = BitWriter::new(&mut bytes);
                put_cuts(&mut writer, &first, &last, &cuts);
                writer.finish();
                let mut taken = Vec::new();
                let mut reader = BitReader::new(&bytes);
                take_cuts(&mut reader, &first, &last, cuts.len(), &mut taken).unwrap();
                prop_assert!(taken.iter().eq(cuts.iter().map(|cut| &cut.point)));
                prop_assert_eq!(reader.finish(), Ok(&[][..]));
            }
        }

        #[test]
        fn any_bits_are_refused_or_rise(bytes: Vec<u8>, count in 1_usize..20, same in 0_u32..320) {
            let last = Point::LAST;
            let first = last.truncated(same);
            let mut cuts = Vec::new();
            if take_cuts(&mut BitReader::new(&bytes), &first, &last, count, &mut cuts).is_ok() {
                prop_assert!(cuts[0] > first && cuts.is_sorted_by(|a, b| a < b));
            }
        }

        #[test]
        fn gamma_codes_come_back(value in 1_u64..) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            put_gamma(&mut writer, value);
            writer.finish();
            prop_assert_eq!(take_gamma(&mut BitReader::new(&bytes), "v"), Ok(value));
        }
    }
}
