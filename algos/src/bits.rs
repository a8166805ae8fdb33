//! Bit strings, and sorted lists of ids as Rice-coded gaps.
//!
//! The gap between neighbours in a sorted list of n uniform b-bit ids is geometric with mean g = 2^b / n.
//! Rice coding (R. F. Rice, "Some practical universal noiseless coding techniques", JPL 79-22, 1979) writes
//! the low ⌊log2 g⌋ bits as they are and the rest in unary: about b − log2 n + 1.5 bits an id, which is
//! within 0.05 bits of what Golomb's best parameter gives.

use crate::wire::WireError;

/// Appends bits to bytes, lowest bit first.
#[derive(Debug)]
pub struct BitWriter<'a> {
    bytes: &'a mut Vec<u8>,
    pending: u64,
    pending_len: u32,
}

impl<'a> BitWriter<'a> {
    /// Appends to `bytes`, from a byte boundary on.
    pub fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self { bytes, pending: 0, pending_len: 0 }
    }

    /// Goes on where [`Self::pause`] left off.
    pub fn resumed(bytes: &'a mut Vec<u8>, (pending, pending_len): (u64, u32)) -> Self {
        Self { bytes, pending, pending_len }
    }

    /// Stops, and returns the bits that do not fill a byte.
    pub fn pause(self) -> (u64, u32) {
        (self.pending, self.pending_len)
    }

    /// Appends the low `len` bits of `value`, at most 64.
    pub fn put(&mut self, value: u64, len: u32) {
        let (low, high_len) = if len > 32 { (32, len - 32) } else { (len, 0) };
        self.put_few(value & ((1 << low) - 1), low);
        if high_len > 0 {
            self.put_few((value >> 32) & ((1 << high_len) - 1), high_len);
        }
    }

    /// At most 32 bits: with under 8 pending they fit.
    fn put_few(&mut self, value: u64, len: u32) {
        self.pending |= value << self.pending_len;
        self.pending_len += len;
        while self.pending_len >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.pending_len -= 8;
        }
    }

    /// Fills the last byte with zeros.
    pub fn finish(self) {
        if self.pending_len > 0 {
            self.bytes.push(self.pending as u8);
        }
    }
}

/// Takes bits from bytes, lowest bit first.
#[derive(Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: u64,
}

impl<'a> BitReader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn left(&self) -> u64 {
        self.bytes.len() as u64 * 8 - self.at
    }

    /// The 56 or more bits from here on, zeros after the end.
    fn peek(&self) -> u64 {
        let start = (self.at / 8) as usize;
        let tail = &self.bytes[start.min(self.bytes.len())..];
        let word = match tail.first_chunk::<8>() {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => tail.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        word >> (self.at % 8)
    }

    /// The next `len` bits, at most 64.
    ///
    /// # Errors
    ///
    /// [`WireError::Truncated`].
    pub fn take(&mut self, what: &'static str, len: u32) -> Result<u64, WireError> {
        if self.left() < u64::from(len) {
            return Err(WireError::Truncated { what });
        }
        let low = len.min(32);
        let mut value = self.peek() & ((1 << low) - 1);
        self.at += u64::from(low);
        if len > 32 {
            value |= (self.peek() & ((1 << (len - 32)) - 1)) << 32;
            self.at += u64::from(len - 32);
        }
        Ok(value)
    }

    /// The number of ones before the next zero, which is taken too.
    ///
    /// # Errors
    ///
    /// [`WireError::Truncated`].
    pub fn unary(&mut self, what: &'static str) -> Result<u64, WireError> {
        let mut ones = 0;
        loop {
            if self.left() == 0 {
                return Err(WireError::Truncated { what });
            }
            let valid = self.left().min(56) as u32;
            let run = self.peek().trailing_ones().min(valid);
            ones += u64::from(run);
            self.at += u64::from(run);
            if run < valid {
                self.at += 1;
                return Ok(ones);
            }
        }
    }

    /// Ends at the next byte boundary: the bytes after it.
    ///
    /// # Errors
    ///
    /// [`WireError::BadValue`] when the rest of the last byte is not zero.
    pub fn finish(self) -> Result<&'a [u8], WireError> {
        let rest = &self.bytes[self.at.div_ceil(8) as usize..];
        let pad = if self.at.is_multiple_of(8) { 0 } else { self.peek() & ((1 << (8 - self.at % 8)) - 1) };
        if pad == 0 { Ok(rest) } else { Err(WireError::BadValue { what: "padding bits", value: pad }) }
    }
}

/// Low bits of a gap that are written as they are, for `count` ids below 2^`bits`.
fn rice_bits(count: usize, bits: u32) -> u32 {
    if count == 0 {
        return 0;
    }
    let universe = 1_u128 << bits;
    (universe / count as u128).max(1).ilog2().min(63)
}

/// Fewest bits that an id takes in a list of `count`: for [`crate::wire::Reader::count`].
pub fn sorted_entry_bits_min(count: usize, bits: u32) -> u64 {
    u64::from(rice_bits(count, bits)) + 1
}

/// Appends sorted ids below 2^`bits`; equal neighbours are allowed. The reader must know their count.
///
/// # Panics
///
/// When they are not sorted.
pub fn put_sorted(bytes: &mut Vec<u8>, ids: impl ExactSizeIterator<Item = u64>, bits: u32) {
    let low_len = rice_bits(ids.len(), bits);
    let mut writer = BitWriter::new(bytes);
    let mut last = 0;
    for id in ids {
        assert!(id >= last, "ids must be sorted");
        let gap = id - last;
        last = id;
        let mut high = gap.checked_shr(low_len).unwrap_or(0);
        while high >= 32 {
            writer.put(0xffff_ffff, 32);
            high -= 32;
        }
        writer.put((1 << high) - 1, high as u32 + 1);
        writer.put(gap, low_len);
    }
    writer.finish();
}

/// Takes `count` sorted ids below 2^`bits`, and the bytes after them.
///
/// # Errors
///
/// When `bytes` cannot hold that many (before anything is allocated), end early, or an id is too large.
pub fn take_sorted<'a>(
    what: &'static str,
    bytes: &'a [u8],
    count: usize,
    bits: u32,
) -> Result<(Vec<u64>, &'a [u8]), WireError> {
    let max = bytes.len() as u64 * 8 / sorted_entry_bits_min(count, bits);
    if count as u64 > max {
        return Err(WireError::TooMany { what, claimed: count as u64, max });
    }
    let low_len = rice_bits(count, bits);
    let mut reader = BitReader::new(bytes);
    let mut ids = Vec::with_capacity(count);
    let mut last = 0_u128;
    for _ in 0..count {
        let high = reader.unary(what)?;
        let low = reader.take(what, low_len)?;
        last += u128::from(high) << low_len | u128::from(low);
        if last >> bits != 0 {
            return Err(WireError::BadValue { what, value: last as u64 });
        }
        ids.push(last as u64);
    }
    Ok((ids, reader.finish()?))
}

/// Appends rising ranks in a list of `len` entries. The reader must know their count and `len`.
///
/// The i-th rank is at least i, so what is coded is the rank less i: a run of neighbours costs a bit each.
pub fn put_ranks(bytes: &mut Vec<u8>, ranks: &[u64], len: u64) {
    let gaps: Vec<u64> = ranks.iter().zip(0..).map(|(rank, i)| rank - i).collect();
    put_sorted(bytes, gaps.into_iter(), rank_bits(len));
}

/// Takes `count` rising ranks in a list of `len` entries, and the bytes after them.
///
/// # Errors
///
/// As [`take_sorted`], and when a rank is not below `len`.
pub fn take_ranks<'a>(
    what: &'static str,
    bytes: &'a [u8],
    count: usize,
    len: u64,
) -> Result<(Vec<u64>, &'a [u8]), WireError> {
    let (mut ranks, rest) = take_sorted(what, bytes, count, rank_bits(len))?;
    for (rank, i) in ranks.iter_mut().zip(0..) {
        *rank += i;
    }
    // They rise, so the last is the largest.
    match ranks.last() {
        Some(&value) if value >= len => Err(WireError::BadValue { what, value }),
        _ => Ok((ranks, rest)),
    }
}

/// Bits that hold any rank in a list of `len` entries.
fn rank_bits(len: u64) -> u32 {
    len.max(2).ilog2() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_come_back(fields in proptest::collection::vec((any::<u64>(), 0_u32..=64), 0..50)) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            let masked = |value: u64, len: u32| if len == 64 { value } else { value & ((1 << len) - 1) };
            for (value, len) in &fields {
                writer.put(*value, *len);
            }
            writer.finish();
            let mut reader = BitReader::new(&bytes);
            for (value, len) in &fields {
                prop_assert_eq!(reader.take("bits", *len), Ok(masked(*value, *len)));
            }
            prop_assert_eq!(reader.finish(), Ok(&[][..]));
        }

        #[test]
        fn sorted_lists_come_back(mut ids: Vec<u64>, bits in 1_u32..=64, tail: Vec<u8>) {
            for id in &mut ids {
                *id &= u64::MAX >> (64 - bits);
            }
            ids.sort_unstable();
            let mut bytes = Vec::new();
            put_sorted(&mut bytes, ids.iter().copied(), bits);
            bytes.extend_from_slice(&tail);
            prop_assert_eq!(take_sorted("ids", &bytes, ids.len(), bits), Ok((ids, &tail[..])));
        }

        #[test]
        fn ranks_come_back(mut ranks: Vec<u16>, more in 0_u64..100_000) {
            ranks.sort_unstable();
            ranks.dedup();
            let ranks: Vec<u64> = ranks.into_iter().map(u64::from).collect();
            let len = ranks.last().map_or(0, |last| last + 1) + more;
            let mut bytes = Vec::new();
            put_ranks(&mut bytes, &ranks, len);
            prop_assert_eq!(take_ranks("ranks", &bytes, ranks.len(), len), Ok((ranks.clone(), &[][..])));
            // The same in a list that ends before the last of them.
            if let Some(last) = ranks.last().filter(|last| rank_bits(**last) == rank_bits(len)) {
                prop_assert!(take_ranks("ranks", &bytes, ranks.len(), *last).is_err());
            }
        }

        #[test]
        fn hostile_lists_do_not_panic(bytes: Vec<u8>, count in 0_usize..1_000_000, bits in 1_u32..=64) {
            if let Ok((ids, _)) = take_sorted("ids", &bytes, count, bits) {
                prop_assert_eq!(ids.len(), count);
            }
        }
    }

    /// Oracle: n·(b − log2 n + 1.5) bits, here within 3%.
    #[test]
    fn a_sorted_list_takes_what_theory_says() {
        let mut rng = Seed::new(3).rng();
        for (n, bits) in [(1000_usize, 32), (10_000, 40), (10_000, 64)] {
            let mut ids: Vec<u64> = (0..n).map(|_| rng.next_u64() >> (64 - bits)).collect();
            ids.sort_unstable();
            let mut bytes = Vec::new();
            put_sorted(&mut bytes, ids.iter().copied(), bits);
            let theory = n as f64 * (f64::from(bits) - (n as f64).log2() + 1.5) / 8.0;
            let ratio = bytes.len() as f64 / theory;
            assert!((0.97..1.03).contains(&ratio), "n={n} bits={bits}: {ratio}");
        }
    }
}
