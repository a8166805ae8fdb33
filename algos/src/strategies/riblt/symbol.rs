//! Coded symbols: what they add up, and how they cross the wire.

use std::fmt::Debug;

use super::mapping::Walk;
use super::walkers::Walkers;
use super::wave::{Path, WAVE};
use crate::item::{Item, ItemId};
use crate::salt::{Key, short_of};
use crate::session::NeedRef;
use crate::sorted::ShortIds;
use crate::wire::{Reader, WireError, put_varint, unzigzag, zigzag};

/// Length of the short ids by which items are named in claims where symbols add up full ids.
pub const FULL_SHORT_BITS: u32 = 64;

/// What stands for an item in a sum: a group under XOR.
pub trait Name: Copy + Default + Ord + Send + Debug + 'static {
    /// The name of an item whose short id is known already.
    fn of(id: &ItemId, short: u64) -> Self;
    /// The short id of the item with this name.
    fn short(&self, key: &Key) -> u64;
    /// How an item with this name is asked for.
    fn need(&self) -> NeedRef;
    /// Adds a name, or takes it out again.
    fn xor(&mut self, other: &Self);
    /// Appends it; short ids in `short_len` bytes.
    fn put(&self, short_len: usize, bytes: &mut Vec<u8>);
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When the bytes end early.
    fn take(short_len: usize, reader: &mut Reader<'_>) -> Result<Self, WireError>;
}

/// `bits=32` to `64`: the short id itself.
impl Name for u64 {
    fn of(_id: &ItemId, short: u64) -> Self {
        short
    }

    fn short(&self, _key: &Key) -> u64 {
        *self
    }

    fn need(&self) -> NeedRef {
        NeedRef::Short(*self)
    }

    fn xor(&mut self, other: &Self) {
        *self ^= other;
    }

    fn put(&self, short_len: usize, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes()[..short_len]);
    }

    fn take(short_len: usize, reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut bytes = [0; 8];
        bytes[..short_len].copy_from_slice(reader.bytes("sum", short_len)?);
        Ok(Self::from_le_bytes(bytes))
    }
}

/// `bits=256`: the id, in words that XOR at once.
impl Name for [u64; 4] {
    fn of(id: &ItemId, _short: u64) -> Self {
        let (words, _) = id.bytes().as_chunks::<8>();
        std::array::from_fn(|i| u64::from_le_bytes(words[i]))
    }

    fn short(&self, key: &Key) -> u64 {
        short_of(key.hash(&id_of(self)).short, FULL_SHORT_BITS)
    }

    fn need(&self) -> NeedRef {
        NeedRef::Id(id_of(self))
    }

    fn xor(&mut self, other: &Self) {
        for (word, other) in self.iter_mut().zip(other) {
            *word ^= other;
        }
    }

    fn put(&self, _short_len: usize, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(id_of(self).bytes());
    }

    fn take(_short_len: usize, reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut words = [0; 4];
        for word in &mut words {
            *word = u64::take(8, reader)?;
        }
        Ok(words)
    }
}

fn id_of(words: &[u64; 4]) -> ItemId {
    let mut bytes = [0; ItemId::LEN];
    for (piece, word) in bytes.chunks_exact_mut(8).zip(words) {
        piece.copy_from_slice(&word.to_le_bytes());
    }
    ItemId::new(bytes)
}

/// How items become parts of symbols in one attempt: the key, and how much of a checksum is sent.
#[derive(Clone, Copy, Debug)]
pub struct Scheme {
    /// The key of this attempt.
    pub key: Key,
    /// Bits of short ids: whole bytes, up to 64.
    pub short_bits: u32,
    /// Bits of the checksum: 16, 32 or 64.
    pub check_bits: u32,
}

impl Scheme {
    /// An item at the start of its walk.
    pub fn part<N: Name>(&self, name: N, short: u64) -> Part<N> {
        let hash = self.key.check(short);
        Part { name, check: self.cut(hash), walk: Walk::new(hash) }
    }

    /// The part of a hash that is the checksum.
    pub fn cut(&self, hash: u64) -> u64 {
        hash & (u64::MAX >> (64 - self.check_bits))
    }

    /// Items at the start of their walks, of the names and short ids of `items`.
    ///
    /// One keyed hash is both the checksum and the origin of the walk, as in the reference.
    pub fn walkers<N: Name>(&self, items: impl ExactSizeIterator<Item = (N, u64)>) -> Walkers<N> {
        let mut walkers = Walkers::new(Path::best());
        walkers.reserve(items.len());
        let mut items = items;
        let mut names = Vec::with_capacity(WAVE);
        let mut hashes = Vec::with_capacity(WAVE);
        loop {
            names.clear();
            hashes.clear();
            for (name, short) in items.by_ref().take(WAVE) {
                names.push(name);
                hashes.push(short);
            }
            if names.is_empty() {
                return walkers;
            }
            self.key.check_all(&mut hashes);
            for (name, hash) in names.iter().zip(&hashes) {
                walkers.push(&Part { name: *name, check: self.cut(*hash), walk: Walk::new(*hash) });
            }
        }
    }

    /// All items of a set, each at the start of its walk.
    pub fn set<N: Name>(&self, items: &[Item], ids: &ShortIds) -> Walkers<N> {
        ids.in_any_order(|pairs| {
            self.walkers(
                pairs.iter().map(|(short, place)| (N::of(&items[*place as usize].id, *short), *short)),
            )
        })
    }

    /// Appends a symbol of a set of `len` items.
    pub fn put<N: Name>(&self, symbol: &Symbol<N>, index: u64, len: u64, bytes: &mut Vec<u8>) {
        symbol.sum.put(self.short_bits as usize / 8, bytes);
        bytes.extend_from_slice(&symbol.check.to_le_bytes()[..self.check_bits as usize / 8]);
        put_varint(bytes, zigzag(symbol.count - expected_count(len, index)));
    }

    /// Reads what [`Self::put`] wrote.
    ///
    /// # Errors
    ///
    /// When the bytes end early, or the symbol holds less than nothing or more than the set.
    pub fn take<N: Name>(
        &self,
        reader: &mut Reader<'_>,
        index: u64,
        len: u64,
    ) -> Result<Symbol<N>, WireError> {
        let sum = N::take(self.short_bits as usize / 8, reader)?;
        let mut check = [0; 8];
        let check_len = self.check_bits as usize / 8;
        check[..check_len].copy_from_slice(reader.bytes("checksum", check_len)?);
        let coded = reader.varint("count")?;
        let count = expected_count(len, index)
            .checked_add(unzigzag(coded))
            .filter(|count| (0..=len as i64).contains(count))
            .ok_or(WireError::BadValue { what: "count", value: coded })?;
        Ok(Symbol { sum, check: u64::from_le_bytes(check), count })
    }
}

/// Items that symbol `index` of a set of `len` holds in the mean, rounded to nearest.
///
/// Not len/(1 + index/2), which the paper's mapping would give: the reference approximates the gap, and that
/// makes symbol i ≥ 1 thinner by a share of 1/(2i + 3)^2, symbol 1 by 4%. Its walk has P(next > j | at i) = ((i + 1.5)/(j + 1.5))^2, and by
/// induction visits j with probability 1 − ((j + 0.5)/(j + 1.5))^2 = 8(j + 1)/(2j + 3)^2 for j ≥ 1. Counts
/// around this take 1.015 B at len = 10^4 over 146 symbols, around len/(1 + index/2) 1.025 B.
pub fn expected_count(len: u64, index: u64) -> i64 {
    if index == 0 {
        return len as i64;
    }
    let below = (2 * index + 3) * (2 * index + 3);
    ((16 * len * (index + 1) + below) / (2 * below)) as i64
}

/// Sum of items: one coded symbol, or the difference of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Symbol<N> {
    /// XOR of their names.
    pub sum: N,
    /// XOR of their checksums.
    pub check: u64,
    /// How many: of the peer less own ones.
    pub count: i64,
}

impl<N: Name> Symbol<N> {
    /// Adds an item `times` 1, or takes it out with -1.
    pub fn apply(&mut self, part: &Part<N>, times: i64) {
        self.sum.xor(&part.name);
        self.check ^= part.check;
        self.count += times;
    }

    /// Adds another symbol.
    pub fn add(&mut self, other: &Self) {
        self.sum.xor(&other.sum);
        self.check ^= other.check;
        self.count += other.count;
    }

    /// Whether it holds nothing, or only what cancels.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

/// An item on its walk.
#[derive(Clone, Copy, Debug)]
pub struct Part<N> {
    /// What is added up.
    pub name: N,
    /// Its checksum.
    pub check: u64,
    /// The next symbol that it is part of.
    pub walk: Walk,
}

impl<N: Name> Part<N> {
    /// Goes on to the first symbol from `start` on, adding itself to none.
    pub fn skip_to(&mut self, start: u64) {
        while self.walk.index() < start {
            self.walk.advance();
        }
    }

    /// Walks through `symbols`, of which the first has index `start`, adding itself to all it meets. It must
    /// have passed all symbols before.
    pub fn pass(&mut self, symbols: &mut [Symbol<N>], start: u64, times: i64) {
        let end = start + symbols.len() as u64;
        while self.walk.index() < end {
            symbols[(self.walk.index() - start) as usize].apply(self, times);
            self.walk.advance();
        }
    }
}

/// Where the block of symbols ends that begins at `start`: 8, 64, 128, 256, …
///
/// Both ends make symbols in blocks that double: an end scans its items once a block, so O(log m) times for
/// m symbols, and needs no queue of who comes next. The first is short, since between equal sets the first symbol
/// says it all, and that is the most frequent case.
pub fn block_end(start: u64) -> u64 {
    if start == 0 { 8 } else { (2 * start).max(64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salt::Salt;
    use crate::seed::Seed;
    use crate::session::Role;
    use proptest::prelude::*;

    fn scheme(check_bits: u32) -> Scheme {
        let key = Key::one_party(Salt::of(Seed::new(1), Role::Initiator));
        Scheme { key, short_bits: 64, check_bits }
    }

    #[test]
    fn expected_counts_are_rounded_to_nearest() {
        for len in [0, 1, 7, 1000, 12_345] {
            for index in [1, 2, 3, 100, 1 << 22] {
                let density = 1.0 - ((index as f64 + 0.5) / (index as f64 + 1.5)).powi(2);
                assert!((expected_count(len, index) as f64 - len as f64 * density).abs() <= 0.501);
            }
        }
        let largest = crate::wire::SET_LEN_MAX;
        assert_eq!(expected_count(largest, 0), largest as i64);
        assert_eq!(expected_count(largest, crate::wire::SYMBOLS_MAX), 128);
    }

    proptest! {
        #[test]
        fn symbols_come_back(sum: [u64; 4], check: u64, index in 0_u64..1 << 22, len in 1_u64..1 << 28, n: u64) {
            for check_bits in [32, 64] {
                let scheme = scheme(check_bits);
                let count = (n % (len + 1)) as i64;
                let full = Symbol { sum, check: scheme.cut(check), count };
                let short = Symbol { sum: sum[0], check: scheme.cut(check), count };
                let mut bytes = Vec::new();
                scheme.put(&full, index, len, &mut bytes);
                scheme.put(&short, index, len, &mut bytes);
                let mut reader = Reader::new(&bytes);
                prop_assert_eq!(scheme.take(&mut reader, index, len), Ok(full));
                prop_assert_eq!(scheme.take(&mut reader, index, len), Ok(short));
                prop_assert_eq!(reader.finish(), Ok(()));
            }
            let scheme = Scheme { short_bits: 40, ..scheme(16) };
            let symbol = Symbol { sum: sum[0] >> 24, check: scheme.cut(check), count: (n % (len + 1)) as i64 };
            let mut bytes = Vec::new();
            scheme.put(&symbol, index, len, &mut bytes);
            prop_assert_eq!(scheme.take(&mut Reader::new(&bytes), index, len), Ok(symbol));
        }

        #[test]
        fn hostile_symbols_do_not_panic(bytes: Vec<u8>, index in 0_u64..1 << 22, len in 0_u64..1 << 28) {
            if let Ok(symbol) = scheme(32).take::<u64>(&mut Reader::new(&bytes), index, len) {
                prop_assert!((0..=len as i64).contains(&symbol.count));
            }
        }
    }

    #[test]
    fn full_ids_keep_their_bytes() {
        let id = ItemId::new(std::array::from_fn(|i| i as u8));
        let name = <[u64; 4]>::of(&id, 0);
        assert_eq!(name.need(), NeedRef::Id(id));
        let mut bytes = Vec::new();
        name.put(8, &mut bytes);
        assert_eq!(bytes, id.bytes());
        let key = scheme(64).key;
        assert_eq!(name.short(&key), short_of(key.hash(&id).short, 64));
    }
}
