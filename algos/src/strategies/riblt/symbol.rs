//! Coded symbols: what they add up, and how they cross the wire.

use std::fmt::Debug;

use super::mapping::Walk;
use super::tally::{Singles, Tally};
use super::walkers::Walkers;
use super::wave::{Path, WAVE};
use crate::item::{Item, ItemId};
use crate::salt::{Key, short_of};
use crate::session::NeedRef;
use crate::sorted::ShortIds;
use crate::wire::{Reader, WireError};

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
    /// Words of a name.
    const WORDS: usize;
    /// The words, of which each is a group under XOR.
    fn words(&self) -> &[u64];
    /// The words, to be changed.
    fn words_mut(&mut self) -> &mut [u64];
    /// Adds a name, or takes it out again.
    fn xor(&mut self, other: &Self);
    /// Bytes that [`Self::put`] appends.
    fn wire_len(short_len: usize) -> usize;
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

    const WORDS: usize = 1;

    fn words(&self) -> &[u64] {
        std::slice::from_ref(self)
    }

    fn words_mut(&mut self) -> &mut [u64] {
        std::slice::from_mut(self)
    }

    fn xor(&mut self, other: &Self) {
        *self ^= other;
    }

    fn wire_len(short_len: usize) -> usize {
        short_len
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

    const WORDS: usize = 4;

    fn words(&self) -> &[u64] {
        self
    }

    fn words_mut(&mut self) -> &mut [u64] {
        self
    }

    fn xor(&mut self, other: &Self) {
        for (word, other) in self.iter_mut().zip(other) {
            *word ^= other;
        }
    }

    fn wire_len(_short_len: usize) -> usize {
        ItemId::LEN
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
    /// Bits of the checksum: 16, 32 or 48.
    pub check_bits: u32,
    /// Bits of counts that are worth looking at: [`COUNT_BITS`] of what was sent, [`Tally::COUNT_BITS`] where nothing
    /// was cut.
    pub count_bits: u32,
}

/// Bits of a count on the wire: it is sent modulo 2^4.
///
/// Counts of the own set are known, so only the count of the difference is news, and of that only whether it is 1, -1,
/// 0 or something else. Modulo 16 it is taken for 1 or -1 in an eighth of the symbols that hold many items, hardly
/// more often than a count of both signs is that by itself; the checksum tells, at the price of one more hash. A
/// varint of the deviation from the mean takes 1.0 B at n = 10^4 and 1.3 B at n = 10^6, this takes half a byte at
/// any n.
pub const COUNT_BITS: u32 = 4;

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

    /// Bytes of a symbol without its count.
    fn sum_len(&self, name_len: usize) -> usize {
        name_len + self.check_bits as usize / 8
    }

    /// Most symbols that fit into `room` bytes.
    pub fn fitting<N: Name>(&self, room: usize) -> u64 {
        let sum_len = self.sum_len(N::wire_len(self.short_bits as usize / 8));
        let pair_len = 2 * sum_len + 1;
        2 * (room / pair_len) as u64 + u64::from(room % pair_len > sum_len)
    }

    /// Appends symbols: after every second, and after the last, a byte with the counts of one or two.
    pub fn put<N: Name>(&self, symbols: &[Symbol<N>], bytes: &mut Vec<u8>) {
        for pair in symbols.chunks(2) {
            let mut counts = 0;
            for (place, symbol) in pair.iter().enumerate() {
                symbol.sum.put(self.short_bits as usize / 8, bytes);
                let check = symbol.tally.check().to_le_bytes();
                bytes.extend_from_slice(&check[..self.check_bits as usize / 8]);
                counts |= (symbol.tally.count() as u8 & COUNT_MASK) << (COUNT_BITS * place as u32);
            }
            bytes.push(counts);
        }
    }

    /// Reads the next one or two symbols that [`Self::put`] wrote; two where there are two.
    ///
    /// # Errors
    ///
    /// When the bytes end early, or count what is not there.
    pub fn take<N: Name>(
        &self,
        reader: &mut Reader<'_>,
    ) -> Result<impl Iterator<Item = Symbol<N>> + use<N>, WireError> {
        let one = self.take_sum(reader)?;
        let other = if reader.left() > 1 { Some(self.take_sum(reader)?) } else { None };
        let counts = reader.u8("counts")?;
        if other.is_none() && counts > COUNT_MASK {
            return Err(WireError::BadValue { what: "counts", value: u64::from(counts) });
        }
        let all = [(Some(one), counts & COUNT_MASK), (other, counts >> COUNT_BITS)];
        Ok(all.into_iter().filter_map(|(sum, count)| {
            sum.map(|(sum, check)| Symbol { sum, tally: Tally::new(check, i64::from(count)) })
        }))
    }

    fn take_sum<N: Name>(&self, reader: &mut Reader<'_>) -> Result<(N, u64), WireError> {
        let sum = N::take(self.short_bits as usize / 8, reader)?;
        let mut check = [0; 8];
        let check_len = self.check_bits as usize / 8;
        check[..check_len].copy_from_slice(reader.bytes("checksum", check_len)?);
        Ok((sum, u64::from_le_bytes(check)))
    }

    /// A count as far as it is known: the least in size that it may be.
    pub fn least(&self, count: i64) -> i64 {
        let unknown = 64 - self.count_bits;
        count << unknown >> unknown
    }

    /// What tells single items.
    pub fn singles(&self) -> Singles {
        Singles::new(self.count_bits)
    }

    /// Whether all symbols hold nothing, or only what cancels.
    pub fn are_zero<N: Name>(&self, symbols: &[Symbol<N>]) -> bool {
        // All bits of all, without a branch for each.
        let rest = |symbol: &Symbol<N>| {
            symbol.sum.words().iter().fold(symbol.tally.known(self.count_bits), |rest, word| rest | word)
        };
        symbols.iter().fold(0, |all, symbol| all | rest(symbol)) == 0
    }
}

/// A count on the wire.
const COUNT_MASK: u8 = (1 << COUNT_BITS) - 1;

/// Sum of items: one coded symbol, or the difference of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Symbol<N> {
    /// XOR of their names.
    pub sum: N,
    /// Their checksums, and how many they are: of the peer less own ones.
    pub tally: Tally,
}

impl<N: Name> Symbol<N> {
    /// Adds an item `times` 1, or takes it out with -1.
    pub fn apply(&mut self, part: &Part<N>, times: i64) {
        self.sum.xor(&part.name);
        self.tally = self.tally.with(part.check, times);
    }

    /// Whether it names nothing, whatever it counts.
    pub fn is_silent(&self) -> bool {
        self.sum == N::default() && self.tally.check() == 0
    }

    /// Adds another symbol.
    pub fn add(&mut self, other: &Self) {
        self.sum.xor(&other.sum);
        self.tally = self.tally.with(other.tally.check(), other.tally.count());
    }

    /// What is to be added where this is to be taken out.
    pub fn negated(&self) -> Self {
        Self { sum: self.sum, tally: self.tally.negated() }
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
        Scheme { key, short_bits: 64, check_bits, count_bits: COUNT_BITS }
    }

    #[test]
    fn counts_are_known_as_far_as_they_are_sent() {
        let scheme = scheme(16);
        assert_eq!(
            [-17, -9, -8, -1, 0, 1, 7, 8, 15, 17].map(|n| scheme.least(n)),
            [-1, 7, -8, -1, 0, 1, 7, -8, -1, 1]
        );
        let exact = Scheme { count_bits: Tally::COUNT_BITS, ..scheme };
        assert_eq!([-17, 0, 32_767, 32_768].map(|n| exact.least(n)), [-17, 0, 32_767, -32_768]);
        for scheme in [scheme, exact] {
            for count in (-40..40).chain([-32_768, 32_767, 65_535, 65_537]) {
                let tally = Tally::new(scheme.cut(u64::MAX), count);
                assert_eq!(scheme.singles().has(tally), matches!(scheme.least(count), 1 | -1), "{count}");
            }
        }
    }

    fn come_back<N: Name>(scheme: Scheme, symbols: &[Symbol<N>], other: usize) -> Result<(), TestCaseError> {
        let mut bytes = Vec::new();
        scheme.put(symbols, &mut bytes);
        prop_assert_eq!(scheme.fitting::<N>(bytes.len()), symbols.len() as u64);
        prop_assert!(bytes.is_empty() || scheme.fitting::<N>(bytes.len() - 1) < symbols.len() as u64);
        prop_assert!(
            scheme.fitting::<N>(other) * scheme.sum_len(N::wire_len(scheme.short_bits as usize / 8)) as u64
                <= other as u64
        );
        let mut reader = Reader::new(&bytes);
        let mut back = Vec::new();
        while reader.left() > 0 {
            back.extend(scheme.take::<N>(&mut reader)?);
        }
        prop_assert_eq!(back.len(), symbols.len());
        for (back, sent) in back.iter().zip(symbols) {
            prop_assert_eq!((back.sum, back.tally.check()), (sent.sum, sent.tally.check()));
            prop_assert_eq!(scheme.least(back.tally.count()), scheme.least(sent.tally.count()));
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn symbols_come_back(drawn: Vec<([u64; 4], u64, i64)>, other in 0_usize..1000) {
            for check_bits in [16, 32, 48] {
                let scheme = scheme(check_bits);
                let symbols = |cut: u32| {
                    let symbol = move |(sum, check, count): &([u64; 4], u64, i64)| {
                        Symbol { sum: sum[0] >> cut, tally: Tally::new(scheme.cut(*check), *count) }
                    };
                    drawn.iter().map(symbol).collect::<Vec<_>>()
                };
                come_back(scheme, &symbols(0), other)?;
                come_back(Scheme { short_bits: 40, ..scheme }, &symbols(24), other)?;
                let full = |(sum, check, count): &([u64; 4], u64, i64)| {
                    Symbol { sum: *sum, tally: Tally::new(scheme.cut(*check), *count) }
                };
                come_back(scheme, &drawn.iter().map(full).collect::<Vec<_>>(), other)?;
            }
        }

        #[test]
        fn hostile_symbols_do_not_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.left() > 0 {
                let Ok(symbols) = scheme(32).take::<u64>(&mut reader) else { break };
                prop_assert!(symbols.into_iter().all(|symbol| (0..16).contains(&symbol.tally.count())));
            }
        }
    }

    #[test]
    fn a_count_of_no_symbol_is_refused() {
        let mut bytes = Vec::new();
        scheme(32).put(&[Symbol { sum: 5_u64, tally: Tally::new(6, 7) }], &mut bytes);
        assert_eq!(bytes.len(), 13);
        assert!(scheme(32).take::<u64>(&mut Reader::new(&bytes)).is_ok());
        bytes[12] |= 0x10;
        assert!(scheme(32).take::<u64>(&mut Reader::new(&bytes)).is_err());
    }

    #[test]
    fn full_ids_keep_their_bytes() {
        let id = ItemId::new(std::array::from_fn(|i| i as u8));
        let name = <[u64; 4]>::of(&id, 0);
        assert_eq!(name.need(), NeedRef::Id(id));
        let mut bytes = Vec::new();
        name.put(8, &mut bytes);
        assert_eq!(bytes, id.bytes());
        let key = scheme(48).key;
        assert_eq!(name.short(&key), short_of(key.hash(&id).short, 64));
    }
}
