//! Keys that are fresh for the session, and the short ids made with them.
//!
//! A filter or sketch over unsalted ids can be poisoned: somebody grinds message bodies until the ids fall
//! where they hurt (an Automerge-style Bloom filter goes from 0.82% to 97% false positives with 512 hashes
//! an item). Against that each end contributes a salt, sent in clear, and ids are hashed with a key of
//! both; short ids of one session mean nothing in another. BIP330 derives its short ids the same way
//! (SipHash-2-4 with salts from both peers); we use the 128-bit variant of SipHash-2-4, whose first half
//! makes the short id and whose second half makes the end check, so that one pass over an id serves both.
//!
//! What it costs: 8 bytes each way and one hash of every item for every session (nothing can be
//! precomputed). What it does not defend against: the peer itself, who knows the key.
//!
//! **Lasting keys.** An index may keep what it made under a key that outlives the session, so that the next session
//! costs what differs and not what the set holds. [`Salting`] says how long a key lives, and that is also who may
//! use it to craft items that hurt others: with `none` everybody, with `group` every member, with `link` the two
//! who share the link and nobody whom they could not hurt anyway. Drivers agree on the secrets ([`Lasting`]), at
//! a price that no session sees: two salts of 8 bytes once a day and link, or nothing where the transport's key
//! exchange gives a secret anyway; for a group, 8 bytes an epoch to every member in what distributes its keys.
//! A session then begins with [`Key::mark`], by which both ends notice that they are not of the same day. Whatever
//! happens, **a retry uses a salt that is fresh**: else somebody who knows the key would craft one pair of items
//! for each attempt (2^(bits/2) hashes a pair), and no session that carries them would ever end well.

use std::borrow::Borrow;
use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::item::ItemId;
use crate::seed::Seed;
use crate::session::{Lasting, Role};
use crate::siphash::{self, LANES};
use crate::spec::{Param, Spec};
use crate::wire::{Reader, WireError};

/// One end's contribution to the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt(u64);

impl Salt {
    /// Length on the wire, in bytes.
    pub const LEN: usize = 8;

    /// The salt of one end of a session.
    pub fn of(seed: Seed, role: Role) -> Self {
        let label = match role {
            Role::Initiator => "salt of the initiator",
            Role::Responder => "salt of the responder",
        };
        Self(seed.child(label).value())
    }

    /// As it goes over the wire.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        self.0.to_le_bytes()
    }

    /// From the wire.
    ///
    /// # Errors
    ///
    /// When fewer than 8 bytes are left.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        reader.array("salt").map(|bytes| Self(u64::from_le_bytes(bytes)))
    }
}

/// How long a key lives: the parameter `salt` of strategies that can keep what they made under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Salting {
    /// For one session, made of both ends' salts.
    Session,
    /// As long as two members keep a salt of their link, for instance a day.
    Link,
    /// For an epoch of the group.
    Group,
    /// For ever, and known to everybody.
    None,
}

impl Salting {
    /// The parameter.
    pub(crate) const PARAM: Param = Param {
        name: "salt",
        default: "session",
        values: &["session", "link", "group", "none"],
        doc: "how long a key lives, and what an index keeps under it: a session, a day of the link, the group's epoch, ever",
    };

    /// The one that a spec names.
    pub(crate) fn of(spec: &Spec) -> Self {
        match spec.get(Self::PARAM.name) {
            "link" => Self::Link,
            "group" => Self::Group,
            "none" => Self::None,
            _ => Self::Session,
        }
    }

    /// The key that outlives sessions, if one does.
    pub(crate) fn key(self, lasting: &Lasting) -> Option<Key> {
        match self {
            Self::Session => None,
            Self::Link => Some(Key::lasting("link", lasting.link.value())),
            Self::Group => Some(Key::lasting("group", lasting.group.value())),
            Self::None => Some(Key::lasting("none", 0)),
        }
    }

    /// The short id that an item has in every session under these secrets, for whoever knows them: what somebody
    /// computes who crafts items that collide. None where each session has a key of its own.
    pub fn short_id(self, lasting: &Lasting, id: &ItemId, bits: u32) -> Option<u64> {
        self.key(lasting).map(|key| short_of(key.hash(id).short, bits))
    }
}

/// The two halves of a keyed hash of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// Makes the short id.
    pub short: u64,
    /// Makes the set hash.
    pub set: u64,
}

/// The key of one attempt of one session, or of many.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    ids: SipHasher24,
    cells: SipHasher13,
    /// Of `ids`, and the other way round of `cells`.
    halves: (u64, u64),
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.halves == other.halves
    }
}

impl Key {
    /// A key of both ends' salts. Attempts count from 0; each has a key of its own, so that what collided
    /// in one does not collide in the next.
    pub fn two_party(initiator: Salt, responder: Salt, attempt: u32) -> Self {
        let mut kdf = SipHasher24::new_with_keys(initiator.0, responder.0);
        kdf.write(b"offerbench key");
        kdf.write(&attempt.to_le_bytes());
        Self::of_halves(kdf.finish128().as_u64())
    }

    /// A key of a secret that outlives sessions. `what` keeps secrets apart that happen to be equal.
    fn lasting(what: &str, secret: u64) -> Self {
        let mut kdf = SipHasher24::new_with_keys(secret, 0);
        kdf.write(b"offerbench lasting key of ");
        kdf.write(what.as_bytes());
        Self::of_halves(kdf.finish128().as_u64())
    }

    /// A key of the responder's salt alone, for an attempt after one under a lasting key failed, or where the ends
    /// do not share one. No author of items knows it before it is used.
    pub fn fallback(responder: Salt, attempt: u32) -> Self {
        Self::two_party(Salt(0), responder, attempt)
    }

    fn of_halves((k0, k1): (u64, u64)) -> Self {
        Self {
            ids: SipHasher24::new_with_keys(k0, k1),
            cells: SipHasher13::new_with_keys(k1, k0),
            halves: (k0, k1),
        }
    }

    /// Two bytes that ends compare to see that they share this key; they say nothing else about it.
    pub fn mark(&self) -> [u8; 2] {
        let [a, b, ..] = self.cells.hash(b"offerbench mark").to_le_bytes();
        [a, b]
    }

    /// A key of the initiator's salt alone, for what it must send before it hears from the peer. Safe
    /// against ground ids, because nobody knows the salt before it is sent.
    pub fn one_party(initiator: Salt) -> Self {
        Self::two_party(initiator, Salt(0), u32::MAX)
    }

    /// Both halves of the hash of an id.
    pub fn hash(&self, id: &ItemId) -> Hashed {
        let (short, set) = self.ids.hash(id.bytes()).as_u64();
        Hashed { short, set }
    }

    /// [`Self::hash`] of many ids in their order, several at once.
    pub fn hash_all(&self, ids: impl IntoIterator<Item = impl Borrow<ItemId>>, mut each: impl FnMut(Hashed)) {
        let mut ids = ids.into_iter();
        loop {
            let mut words = [[0; LANES]; 4];
            let mut len = 0;
            for id in ids.by_ref().take(LANES) {
                let (pieces, _) = id.borrow().bytes().as_chunks::<8>();
                for (word, piece) in words.iter_mut().zip(pieces) {
                    word[len] = u64::from_le_bytes(*piece);
                }
                len += 1;
            }
            let [short, set] = siphash::sip24_128(self.halves, &words);
            for (short, set) in short.into_iter().zip(set).take(len) {
                each(Hashed { short, set });
            }
            if len < LANES {
                return;
            }
        }
    }

    /// [`Self::check`] of each of some short ids, in their place.
    pub fn check_all(&self, shorts: &mut [u64]) {
        let keys = (self.halves.1, self.halves.0);
        let (groups, rest) = shorts.as_chunks_mut::<LANES>();
        siphash::sip13(keys, groups);
        if !rest.is_empty() {
            let mut group = [0; LANES];
            group[..rest.len()].copy_from_slice(rest);
            siphash::sip13(keys, std::slice::from_mut(&mut group));
            rest.copy_from_slice(&group[..rest.len()]);
        }
    }

    /// A keyed checksum of bytes, for sums that have no key.
    pub fn check_bytes(&self, bytes: &[u8]) -> u64 {
        self.cells.hash(bytes)
    }

    /// A keyed checksum of a short id, for cells and symbols.
    pub fn check(&self, short: u64) -> u64 {
        self.cells.hash(&short.to_le_bytes())
    }
}

/// The short id of `bits` bits made of a hash; never 0, which sketches cannot hold.
///
/// As in BIP330: 1 + (hash mod (2^bits − 1)).
pub fn short_of(hash: u64, bits: u32) -> u64 {
    let modulus = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
    // 2^bits is worth 1, so that what is above moves down: no division for lengths that are usual.
    let folded = |x: u64| if bits >= 64 { x } else { (x & modulus) + (x >> bits) };
    let rest = if bits >= 32 { folded(folded(hash)) } else { hash % modulus };
    1 + if rest == modulus { 0 } else { rest }
}

/// An order-free hash of a set: count and sum of keyed hashes, modulo 2^64.
///
/// Two different sets agree with probability 2^-64 for anybody without the key. Sums can be taken apart, so
/// the hash of "my set without what I found" costs only the findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetHash {
    sum: u64,
    count: u64,
}

impl SetHash {
    /// Adds an item.
    pub fn add(&mut self, hashed: Hashed) {
        self.sum = self.sum.wrapping_add(hashed.set);
        self.count += 1;
    }

    /// Takes an item out again.
    pub fn remove(&mut self, hashed: Hashed) {
        self.sum = self.sum.wrapping_sub(hashed.set);
        self.count -= 1;
    }

    /// The 8 bytes that cross the wire: a keyed hash of sum and count.
    pub fn seal(&self, key: &Key) -> [u8; 8] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.sum.to_le_bytes());
        bytes[8..].copy_from_slice(&self.count.to_le_bytes());
        key.cells.hash(&bytes).to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attempt_and_either_salt_changes_the_key() {
        let id = ItemId::new([5; 32]);
        let key = |a, b, n| Key::two_party(Salt(a), Salt(b), n).hash(&id).short;
        let all = [key(1, 2, 0), key(1, 2, 1), key(2, 1, 0), key(1, 3, 0)];
        for (i, a) in all.iter().enumerate() {
            assert!(!all[i + 1..].contains(a));
        }
    }

    #[test]
    fn lasting_keys_are_apart_and_the_same_at_both_ends() {
        let id = ItemId::new([5; 32]);
        let short = |salting: Salting, seed| salting.short_id(&Lasting::of(Seed::new(seed)), &id, 64);
        assert_eq!(short(Salting::Session, 1), None);
        assert_eq!(short(Salting::None, 1), short(Salting::None, 2));
        assert_eq!(short(Salting::Link, 1), short(Salting::Link, 1));
        let same = Lasting { link: Seed::new(0), group: Seed::new(0) };
        let all = [
            short(Salting::Link, 1),
            short(Salting::Link, 2),
            short(Salting::Group, 1),
            short(Salting::Group, 2),
            Salting::Link.short_id(&same, &id, 64),
            Salting::Group.short_id(&same, &id, 64),
            Salting::None.short_id(&same, &id, 64),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(!all[i + 1..].contains(a), "{i}");
        }
    }

    #[test]
    fn many_are_hashed_as_each() {
        let key = Key::one_party(Salt(3));
        for len in [0_u8, 1, 7, 8, 9, 40] {
            let ids: Vec<ItemId> = (0..len).map(|n| ItemId::new([n; 32])).collect();
            let mut hashed = Vec::new();
            key.hash_all(&ids, |one| hashed.push(one));
            assert!(hashed.iter().copied().eq(ids.iter().map(|id| key.hash(id))));
            let shorts: Vec<u64> = hashed.iter().map(|one| one.short).collect();
            let mut checks = shorts.clone();
            key.check_all(&mut checks);
            assert!(checks.into_iter().eq(shorts.into_iter().map(|short| key.check(short))));
        }
    }

    #[test]
    fn short_ids_are_in_range_and_never_zero() {
        assert_eq!(short_of(0, 32), 1);
        assert_eq!(short_of(0xffff_fffe, 32), 0xffff_ffff);
        assert_eq!(short_of(0xffff_ffff, 32), 1);
        assert_eq!(short_of(u64::MAX, 64), 1);
        assert_eq!(short_of(u64::MAX - 1, 64), u64::MAX);
        let mut rng = Seed::new(1).rng();
        for bits in [1, 20, 31, 32, 33, 40, 48, 63] {
            let modulus = (1 << bits) - 1;
            for hash in
                [0, modulus, modulus + 1, !modulus, u64::MAX - 1, u64::MAX, rng.next_u64(), rng.next_u64()]
            {
                assert_eq!(short_of(hash, bits), 1 + hash % modulus, "{hash} {bits}");
            }
        }
    }

    #[test]
    fn set_hash_forgets_order_and_what_was_removed() {
        let key = Key::one_party(Salt(9));
        let hash = |n| key.hash(&ItemId::new([n; 32]));
        let mut a = SetHash::default();
        let mut b = SetHash::default();
        for n in [1, 2, 3] {
            a.add(hash(n));
        }
        for n in [3, 4, 1, 2] {
            b.add(hash(n));
        }
        assert_ne!(a.seal(&key), b.seal(&key));
        b.remove(hash(4));
        assert_eq!(a.seal(&key), b.seal(&key));
    }
}
