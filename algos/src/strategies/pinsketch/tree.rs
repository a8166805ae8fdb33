//! Halving: an overfull sketch is taken apart by the bits of a keyed hash until the parts decode.
//!
//! After [minisketch's tips](https://github.com/bitcoin-core/minisketch/blob/master/doc/protocoltips.md): the
//! sender sketches one half of the set only, because the other half is the XOR of that and of the whole,
//! which the receiver has. Both ends walk the tree level by level; what a level consists of follows from
//! which sketches of the level above failed, one bit each.

use crate::close::ByShort;
use crate::kept::{Ids, Sums};
use crate::salt::Key;
use crate::session::SessionError;

/// Deepest level. Honest parts shrink by half a level; a part that still overflows here was made to.
pub const DEPTH_MAX: u32 = 24;

/// The current level: some of the 2^depth parts of the set.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Hash of each short id, and the short id, in order of the hash: a part is a range.
    hashed: Vec<(u64, u64)>,
    depth: u32,
    /// The parts of this level that are looked at: the first `depth` bits of their hashes, ascending.
    parts: Vec<u64>,
    /// Hashes short ids.
    key: Key,
}

impl Tree {
    /// The whole set as the only part.
    pub fn new<S: Sums>(key: Key, ids: &Ids<S>) -> Self {
        let mut hashed = Vec::with_capacity(ids.len());
        ids.each(|short| hashed.push((key.check(short), short)));
        hashed.sort_unstable();
        Self { hashed, depth: 0, parts: vec![0], key }
    }

    /// Number of parts.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is a level below.
    pub fn is_deepest(&self) -> bool {
        self.depth >= DEPTH_MAX
    }

    /// Goes down a level: the halves of the parts that `failed`, left before right.
    pub fn descend(&mut self, failed: &[bool]) {
        let overfull = self.parts.iter().zip(failed).filter(|(_, failed)| **failed);
        self.parts = overfull.flat_map(|(part, _)| [part << 1, part << 1 | 1]).collect();
        self.depth += 1;
    }

    fn part_of(&self, hash: u64) -> u64 {
        if self.depth == 0 { 0 } else { hash >> (u64::BITS - self.depth) }
    }

    /// Own short ids in a part.
    pub fn ids(&self, part: usize) -> impl ExactSizeIterator<Item = u64> + '_ {
        let part = self.parts[part];
        let start = self.hashed.partition_point(|(hash, _)| self.part_of(*hash) < part);
        let end = self.hashed.partition_point(|(hash, _)| self.part_of(*hash) <= part);
        self.hashed[start..end].iter().map(|(_, short)| *short)
    }

    /// Whether a short id belongs in a part, at whichever end.
    pub fn is_in(&self, part: usize, short: u64) -> bool {
        self.part_of(self.key.check(short)) == self.parts[part]
    }
}

/// One bit for each part of a level, lowest first, filled up with zeros.
pub fn put_failed(bytes: &mut Vec<u8>, failed: &[bool]) {
    for eight in failed.chunks(8) {
        bytes.push(eight.iter().enumerate().fold(0, |byte, (i, failed)| byte | u8::from(*failed) << i));
    }
}

/// Reads [`put_failed`] of `len` parts.
///
/// # Errors
///
/// When it has another length, names a part that is not there, or none.
pub fn take_failed(bytes: &[u8], len: usize) -> Result<Vec<bool>, SessionError> {
    if bytes.len() != len.div_ceil(8) {
        return Err(SessionError::Protocol("not one bit for each part"));
    }
    let mut failed: Vec<bool> =
        bytes.iter().flat_map(|byte| (0..8).map(move |i| byte >> i & 1 == 1)).collect();
    let beyond = failed.split_off(len);
    if beyond.contains(&true) || !failed.contains(&true) {
        return Err(SessionError::Protocol("no part failed, or one that is not there"));
    }
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salt::Salt;
    use crate::seed::Seed;
    use crate::session::Role;
    use crate::sorted::ShortIds;
    use crate::strategies::pinsketch::kept::Syndromes;
    use crate::testing::random_items;

    fn tree(n: usize) -> (Tree, Vec<u64>) {
        let key = Key::one_party(Salt::of(Seed::new(1), Role::Initiator));
        let ids: Ids<Syndromes> = Ids::Fresh(ShortIds::new(&random_items(n, Seed::new(2)), &key, 48));
        (Tree::new(key, &ids), ids.shorts())
    }

    #[test]
    fn every_level_holds_every_id_once() {
        let (mut tree, mut all) = tree(1000);
        all.sort_unstable();
        for _ in 0..4 {
            let mut held = Vec::new();
            for part in 0..tree.len() {
                assert!(tree.ids(part).all(|short| tree.is_in(part, short)));
                held.extend(tree.ids(part));
            }
            held.sort_unstable();
            assert_eq!(held, all);
            tree.descend(&vec![true; tree.len()]);
        }
        assert_eq!(tree.len(), 16);
    }

    #[test]
    fn only_what_failed_is_halved() {
        let (mut tree, _) = tree(1000);
        tree.descend(&[true]);
        let right: Vec<u64> = tree.ids(1).collect();
        tree.descend(&[false, true]);
        let halves: Vec<u64> = tree.ids(0).chain(tree.ids(1)).collect();
        assert_eq!(halves, right);
        // Binomial(1000, 1/4) has a deviation of 14.
        assert!((180..=320).contains(&tree.ids(0).len()));
    }

    #[test]
    fn bits_come_back_in_one_form_only() {
        let failed = [true, false, false, true, false, false, false, false, true];
        let mut bytes = Vec::new();
        put_failed(&mut bytes, &failed);
        assert_eq!(bytes, [0b1001, 1]);
        assert_eq!(take_failed(&bytes, 9), Ok(failed.to_vec()));
        assert!(take_failed(&bytes, 8).is_err());
        assert!(take_failed(&[0b1001, 2], 9).is_err());
        assert!(take_failed(&[0, 0], 9).is_err());
        assert!(take_failed(&[], 0).is_err());
    }
}
