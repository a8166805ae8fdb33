//! Ranges of which few items differ, as sketches of what they hold in place of a list of it.
//!
//! ```text
//! leaf     gamma code of the number of items, plus one; as many syndromes of short ids as the capacity says; 16 bits of a
//!          keyed hash of the sum of all short ids
//! ```
//!
//! A range that differs where its neighbours agree mostly differs in one item: the sketch that tells which (see
//! `pinsketch`) takes as many bytes as one listed id, whatever the range holds. Whoever hears it adds the sketch of its own
//! and decodes. More differences than the capacity are no set of so many elements, or nonsense; the number and the hash
//! tell, but for one in 65,536, which the seal finds. Elements that are its own the other lacks; the others are of the other,
//! which is told their ranks among all its short ids of the range, since these are known by then.

use crate::bits::{BitReader, BitWriter};
use crate::salt::Key;
use crate::strategies::pinsketch::{SketchField as Field, merge};
use crate::wire::WireError;

use super::point::{put_gamma, take_gamma};

/// Bits of the hash.
const CHECK_BITS: u32 = 16;
/// Largest capacity that a peer may ask for.
pub const CAPACITY_MAX: u8 = 8;

/// How leaves are sketched in an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Leaves {
    field: Field,
    capacity: u64,
}

/// What a peer says of a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    count: u64,
    sketch: Vec<u8>,
    check: u64,
}

/// What differs in a leaf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Numbers of own items that the peer lacks, in order.
    pub extras: Vec<u32>,
    /// Ranks of what this end lacks among the peer's short ids, in order, and these ids.
    pub lacked: Vec<(u64, u64)>,
}

impl Leaves {
    /// Of short ids of `bits` bits: 32, 48 or 64.
    pub fn new(bits: u32, capacity: u8) -> Self {
        Self { field: Field::new(bits), capacity: u64::from(capacity) }
    }

    /// Most items of which a list is no longer than a sketch.
    pub fn listed_max(&self) -> usize {
        self.capacity as usize + 1
    }

    fn sketch(&self, shorts: &[u64]) -> Vec<u8> {
        if self.capacity == 1 {
            // The only syndrome is the sum, and needs no field.
            let sum = shorts.iter().fold(0, |sum, short| sum ^ short);
            return sum.to_le_bytes()[..self.field.len(1)].to_vec();
        }
        self.field.sketch(self.capacity, shorts.iter().copied()).expect("our own engine")
    }

    /// Appends the leaf of these items.
    pub fn put(&self, writer: &mut BitWriter<'_>, key: &Key, shorts: &[u64]) {
        put_gamma(writer, shorts.len() as u64 + 1);
        self.sketch(shorts).iter().for_each(|byte| writer.put(u64::from(*byte), 8));
        writer.put(check(key, sum(shorts)), CHECK_BITS);
    }

    /// Takes [`Self::put`].
    ///
    /// # Errors
    ///
    /// When the bits end early.
    pub fn take(&self, reader: &mut BitReader<'_>) -> Result<Leaf, WireError> {
        let what = "sketch of a leaf";
        let count = take_gamma(reader, what)? - 1;
        let bytes = 0..self.field.len(self.capacity);
        let sketch = bytes.map(|_| Ok(reader.take(what, 8)? as u8)).collect::<Result<_, WireError>>()?;
        Ok(Leaf { count, sketch, check: reader.take(what, CHECK_BITS)? })
    }

    /// What differs between own items and a peer's leaf; nothing when that is more than the sketch can hold.
    pub fn difference(&self, key: &Key, mine: &[u64], leaf: &Leaf) -> Option<Difference> {
        if leaf.count.abs_diff(mine.len() as u64) > self.capacity {
            return None;
        }
        let mut sketch = self.sketch(mine);
        merge(&mut sketch, &leaf.sketch);
        // Of so few roots the search is short whatever the peer does.
        let elements = self.field.decode(&sketch, self.capacity, 0)?;
        let extras: Vec<u32> = mine
            .iter()
            .zip(0..)
            .filter(|(short, _)| elements.contains(short))
            .map(|(_, number)| number)
            .collect();
        let lacked: Vec<u64> = elements.iter().filter(|element| !mine.contains(element)).copied().collect();
        let missing = extras.iter().fold(0, |sum: u64, number| sum.wrapping_add(mine[*number as usize]));
        let theirs = sum(mine).wrapping_sub(missing).wrapping_add(sum(&lacked));
        let count = (mine.len() - extras.len() + lacked.len()) as u64;
        if count != leaf.count || check(key, theirs) != leaf.check {
            return None;
        }
        let rank = |(before, short): (usize, &u64)| {
            let shared = mine.iter().filter(|other| *other < short && !elements.contains(other));
            ((before + shared.count()) as u64, *short)
        };
        let lacked = lacked.iter().enumerate().map(rank).collect();
        Some(Difference { extras, lacked })
    }

    /// Appends the ranks of what is lacked of a leaf of `count` items.
    pub fn put_lacked(writer: &mut BitWriter<'_>, leaf: &Leaf, lacked: &[(u64, u64)]) {
        put_gamma(writer, lacked.len() as u64 + 1);
        lacked.iter().for_each(|(rank, _)| writer.put(*rank, rank_bits(leaf.count)));
    }

    /// Takes [`Self::put_lacked`].
    ///
    /// # Errors
    ///
    /// When the bits end early, or for ranks that cannot be.
    pub fn take_lacked(&self, reader: &mut BitReader<'_>, count: usize) -> Result<Vec<u64>, WireError> {
        let what = "ranks in a leaf";
        let claimed = take_gamma(reader, what)? - 1;
        if claimed > self.capacity {
            return Err(WireError::TooMany { what, claimed, max: self.capacity });
        }
        let mut ranks: Vec<u64> = Vec::new();
        for _ in 0..claimed {
            let rank = reader.take(what, rank_bits(count as u64))?;
            if rank >= count as u64 || ranks.last().is_some_and(|last| *last >= rank) {
                return Err(WireError::BadValue { what, value: rank });
            }
            ranks.push(rank);
        }
        Ok(ranks)
    }
}

/// Bits of a number below `count`.
fn rank_bits(count: u64) -> u32 {
    u64::BITS - count.saturating_sub(1).leading_zeros()
}

fn sum(shorts: &[u64]) -> u64 {
    shorts.iter().fold(0, |sum, short| sum.wrapping_add(*short))
}

fn check(key: &Key, sum: u64) -> u64 {
    key.check_bytes(&sum.to_le_bytes()) >> (64 - CHECK_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salt::Salt;
    use crate::seed::Seed;
    use crate::session::Role;
    use proptest::prelude::*;

    fn key() -> Key {
        Key::one_party(Salt::of(Seed::new(1), Role::Initiator))
    }

    proptest! {
        /// What is within the capacity is found, and what is not is no difference rather than a false one.
        #[test]
        fn leaves_tell_what_differs(
            all in proptest::collection::btree_set(1_u64..1 << 32, 1..80), who: Vec<u8>, capacity in 1_u8..=4,
        ) {
            let (leaves, key) = (Leaves::new(32, capacity), key());
            let holds = |end: u8, i: usize| who.get(i).is_none_or(|who| who & 7 != end);
            let held = |end| -> Vec<u64> {
                all.iter().enumerate().filter(|(i, _)| holds(end, *i)).map(|(_, short)| *short).rev().collect()
            };
            let (mine, theirs) = (held(0), held(1));
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            leaves.put(&mut writer, &key, &theirs);
            writer.finish();
            let leaf = leaves.take(&mut BitReader::new(&bytes)).unwrap();
            let extras: Vec<u64> = mine.iter().filter(|short| !theirs.contains(short)).copied().collect();
            let mut lacked: Vec<u64> = theirs.iter().filter(|short| !mine.contains(short)).copied().collect();
            lacked.sort_unstable();
            match leaves.difference(&key, &mine, &leaf) {
                None => prop_assert!(extras.len() + lacked.len() > usize::from(capacity)),
                Some(found) => {
                    prop_assert!(found.extras.iter().map(|i| mine[*i as usize]).eq(extras));
                    prop_assert!(found.lacked.iter().map(|(_, short)| *short).eq(lacked));
                    let mut sorted = theirs.clone();
                    sorted.sort_unstable();
                    let mut bytes = Vec::new();
                    let mut writer = BitWriter::new(&mut bytes);
                    Leaves::put_lacked(&mut writer, &leaf, &found.lacked);
                    writer.finish();
                    let ranks = leaves.take_lacked(&mut BitReader::new(&bytes), theirs.len()).unwrap();
                    let shorts = found.lacked.iter().map(|(_, short)| *short);
                    prop_assert!(ranks.iter().map(|rank| sorted[*rank as usize]).eq(shorts));
                }
            }
        }

        #[test]
        fn any_bits_are_refused_or_taken(bytes: Vec<u8>, mine in proptest::collection::vec(1_u64..1 << 32, 0..9)) {
            let (leaves, key) = (Leaves::new(32, 2), key());
            if let Ok(leaf) = leaves.take(&mut BitReader::new(&bytes)) {
                let _ = leaves.difference(&key, &mine, &leaf);
            }
            let _ = leaves.take_lacked(&mut BitReader::new(&bytes), mine.len());
        }
    }
}
