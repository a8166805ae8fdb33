//! `automerge`: Automerge's Bloom filter, which has no key. A specimen: it is here to be attacked.
//!
//! **Source.** M. Kleppmann, H. Howard, "Byzantine Eventual Consistency and the Fundamental Limits of Peer-to-Peer
//! Databases", 2020, and Automerge's sync protocol: 10 bits an item, 7 places by triple hashing of the first
//! three words of the id. The attack: D. Hoyte, "Automerge Poison", 2023.
//!
//! **Idea.** An id is a hash already, so its own words can be the places: x, x + y, x + 2y + z, … modulo the
//! number of bits. No item is ever hashed again. But everybody knows every id's places.
//!
//! **What an attacker can do.** *Poison:* the table's length is a multiple of 8 bits. An id whose three words are
//! multiples of 8 (512 hashes to find one) has only places that are, whatever the length. 10,000 such ids fill
//! these places up, and the filter affirms 97% of all such ids instead of 0.82%. *Target:* who knows the length of
//! the filter and the ids to hide posts messages that set these ids' bits: 7 messages an id, n·10/7 hashes for the
//! first and fewer for all of many. `key=fresh` is the same filter on ids hashed with a key of the session.
//!
//! **What we do differently.** The conversation is [`super::filter`]'s: an end check, and a tail. So what is hidden
//! is found at the price of a tail; with `tail=none` it stays hidden. Automerge finds a hidden change when
//! one that depends on it arrives; that is not built here.

use super::filter::{self, Filter, Kind, tail, unkeyed};
use super::{About, Entry};
use crate::item::ItemId;
use crate::salt::Hashed;
use crate::session::SessionError;
use crate::spec::Param;
use crate::wire::Reader;

pub(super) static ENTRY: Entry = Entry {
    about: About {
        id: "automerge",
        what: "a Bloom filter in Automerge's form, without a key or with one: a specimen for attacks",
        source: "Automerge's sync protocol; Hoyte, Automerge Poison (2023)",
        shape: "one-shot filters, then the tail's",
        guarantee: "exact with a tail; with tail=none misses each difference with probability 0.82%, and what is ground",
        params: &[
            Param {
                name: "key",
                default: "none",
                values: &["none", "fresh"],
                doc: "places from the id itself, as in Automerge; or from its hash under a key of the session",
            },
            filter::WAYS,
            tail::PARAM,
        ],
    },
    presets: &["automerge:key=none", "automerge:key=fresh"],
    build: |spec| filter::build(spec, Tripled { keyed: spec.get("key") == "fresh" }),
};

/// Bits that an item sets.
const PROBES: usize = 7;

/// The bits of an item.
pub type Places = [u32; PROBES];

/// A filter with triple hashing.
#[derive(Clone, Copy, Debug)]
struct Tripled {
    keyed: bool,
}

/// Bytes of the table of `n` items: 10 bits an item.
fn table_len(n: u64) -> u64 {
    n.saturating_mul(10).div_ceil(8)
}

/// The places of an id in a filter without a key of `n` items, and the number of bits of that filter: what an
/// attacker computes. None for no items.
pub fn places(id: &ItemId, n: u64) -> Option<(Places, u32)> {
    let bits = u32::try_from(table_len(n) * 8).ok().filter(|bits| *bits > 0)?;
    Some((tripled(unkeyed(id), bits), bits))
}

/// x, x + y, x + 2y + z, …: each step grows by z.
fn tripled(item: Hashed, bits: u32) -> Places {
    let bits = u64::from(bits);
    let mut x = (item.short & 0xffff_ffff) % bits;
    let mut y = (item.short >> 32) % bits;
    let z = (item.set & 0xffff_ffff) % bits;
    std::array::from_fn(|i| {
        if i > 0 {
            x = (x + y) % bits;
            y = (y + z) % bits;
        }
        // Below `bits`, which is a u32.
        x as u32
    })
}

/// A table of the peer.
struct Table<'a>(&'a [u8]);

impl Table<'_> {
    fn bits(&self) -> u32 {
        // `read` refuses tables of 2^29 bytes and more.
        self.0.len() as u32 * 8
    }
}

impl Filter for Table<'_> {
    fn affirms(&self, item: Hashed) -> bool {
        // No table is the filter of no items.
        !self.0.is_empty()
            && tripled(item, self.bits()).iter().all(|at| self.0[*at as usize / 8] & (1 << (at % 8)) != 0)
    }
}

impl Kind for Tripled {
    type Filter<'a> = Table<'a>;

    /// Three words.
    const HASH_BITS: u32 = 96;

    fn keyed(&self) -> bool {
        self.keyed
    }

    fn build_bytes(&self, n: u64) -> u64 {
        n.saturating_mul(size_of::<Hashed>() as u64).saturating_add(table_len(n))
    }

    fn wire_bytes(&self, n: u64) -> u64 {
        table_len(n)
    }

    fn write(&self, items: &[Hashed], body: &mut Vec<u8>) -> bool {
        let start = body.len();
        body.resize(start + table_len(items.len() as u64) as usize, 0);
        let table = &mut body[start..];
        // As below: the message that holds it is far shorter than 2^29 bytes.
        let bits = table.len() as u32 * 8;
        for item in items {
            for at in tripled(*item, bits) {
                table[at as usize / 8] |= 1 << (at % 8);
            }
        }
        true
    }

    fn read<'a>(&self, n: u64, reader: &mut Reader<'a>) -> Result<Table<'a>, SessionError> {
        Ok(Table(reader.bytes("Bloom filter", table_len(n).min(1 << 28) as usize)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duel::{DuelLimits, duel};
    use crate::judge::{Ending, Truth, judge};
    use crate::seed::Seed;
    use crate::session::{Role, Setup};
    use crate::strategies::build;
    use crate::testing::two_sets;

    /// x = 3, y = 10, z = 90, 80 bits (8 items): 3, 13, 33 (10 + 90 = 20), 63 (30), 103 = 23 (40), 73 (50), 133 = 53.
    #[test]
    fn places_are_tripled_by_hand() {
        let mut id = [0; 32];
        (id[0], id[4], id[8]) = (3, 10, 90);
        assert_eq!(places(&ItemId::new(id), 8), Some(([3, 13, 33, 63, 23, 73, 53], 80)));
        assert_eq!(places(&ItemId::new(id), 0), None);
    }

    /// Every difference is found with a tail, keyed or not, and nothing is invented without one.
    #[test]
    fn what_a_filter_hides_the_tail_finds() {
        for (spec, ending) in [
            ("automerge:key=none", Ending::Recovered),
            ("automerge:key=fresh", Ending::Recovered),
            ("automerge:key=none,tail=none", Ending::Incomplete),
            ("automerge:key=fresh,tail=none", Ending::Incomplete),
        ] {
            let strategy = build(spec).unwrap().strategy;
            let guarantee = strategy.profile().guarantee;
            let sets = two_sets(400, [900, 1100], Seed::new(7));
            let setup = Setup::new(Seed::new(3));
            let mut ends = [
                strategy.index(&sets[0]).open(Role::Initiator, &setup),
                strategy.index(&sets[1]).open(Role::Responder, &setup),
            ];
            let transcript = duel(&mut ends, &DuelLimits::default()).unwrap();
            let judgement = judge(&Truth::of(&sets[0], &sets[1]), guarantee, &transcript);
            // 2,000 at 0.82%: 16 in the mean; two deviations are 8.
            assert_eq!(judgement.ending, ending, "{spec}");
            assert_eq!(judgement.invented, 0, "{spec}");
            let expected = if ending == Ending::Incomplete { 5..32 } else { 0..1 };
            assert!(expected.contains(&judgement.missed), "{spec}: {}", judgement.missed);
        }
    }
}
