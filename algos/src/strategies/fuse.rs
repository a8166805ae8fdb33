//! `fuse`: as `bloom`, with a binary fuse filter: fewer bits for the same rate, all at once or not at all.
//!
//! **Source.** T. M. Graf, D. Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters", ACM Journal of
//! Experimental Algorithmics 27 (2022), built segment by segment ([`mod@build`]) and asked in batches ([`batch`]); the crate `xorf`
//! asks single questions, and its filters and ours answer each other. To reconcile two sets with filters: Byers et al., as in
//! [`super::bloom`].
//!
//! **Idea.** An array of b-bit cells in which the three cells of every item xor to the item's b-bit fingerprint;
//! those of anything else do so with ε = 2^−b. Solving for the array takes 1.125 cells an item when it has
//! many: 9 bits for ε = 0.39%, where a Bloom filter takes 11.5. The conversation is [`super::filter`]'s.
//!
//! **Bytes.** b/8 · (c·n_A + c·n_AB) + 40, with n_AB the common items and c cells an item: 1.13 at 10^6 items, 1.19
//! at 10^5, 1.28 at 10^4, 1.41 at 10^3, 1.91 at 100, 4.7 at 10. At ε = 0.39% a Bloom filter is the smaller one below some
//! hundred items. The rest as in [`super::bloom`].
//! **Flights.** 1 with `ways=one`, 2 with `tail=none`, 3 with an end check. **CPU.** One keyed hash of every item for
//! each filter built or asked; building deals the hashes out to segments and then peels, in two or three of these at a time.
//!
//! **How it fails.** As `bloom`, with ε = 2^−b. Building fails for 1000 seeds in a row with a
//! probability that nobody has observed, and is then tried with the other half of the hashes.
//!
//! **What an attacker can do.** As with `bloom`. Without a salt ids could be ground that no seed can peel. A hostile
//! descriptor could make a careless reader index out of the array: here a segment is a power of two, the array a
//! whole number of segments, and its length bounded by the number of items, or the filter is refused.
//!
//! **What we do differently.** `xorf` serialises seed, segment length, its mask and the length of the array in 20
//! bytes. The seeds are a fixed sequence, so its index will do; the mask is implied: 4 bytes instead.
//!
//! ```
//! use offerbench_algos::{DuelLimits, Finding, Item, ItemId, Role, Seed, Setup, build, duel};
//! let item = |n: u8| Item { at: u64::from(n), id: ItemId::new([n; 32]) };
//! let strategy = build("fuse:bits=16")?.strategy;
//! let setup = Setup::new(Seed::new(1));
//! let mut ends = [
//!     strategy.index(&[item(1), item(2), item(4)]).open(Role::Initiator, &setup),
//!     strategy.index(&[item(2), item(3)]).open(Role::Responder, &setup),
//! ];
//! let transcript = duel(&mut ends, &DuelLimits::default())?;
//! assert_eq!(transcript.findings[0], [Finding::Have(item(1).id), Finding::Have(item(4).id)]);
//! assert_eq!(transcript.findings[1], [Finding::Have(item(3).id)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use xorf::{BinaryFuse8, BinaryFuse16, Descriptor, Filter as _};

use self::batch::Cell;
use self::build::{Built, SEGMENT_LOG_MAX, TRIES, build, seed_of};
use super::filter::{self, Filter, Kind, tail};
use super::{About, Entry};
use crate::salt::Hashed;
use crate::session::SessionError;
use crate::spec::Param;
use crate::wire::{Reader, WireError, put_varint};

pub(crate) mod batch;
pub(crate) mod build;
#[cfg(target_arch = "x86_64")]
mod gather;

pub(super) static ENTRY: Entry = Entry {
    about: About {
        id: "fuse",
        what: "as bloom, with binary fuse filters: 9 bits an item for 0.4%, 18 for 0.0015%",
        source: "Graf and Lemire, Binary Fuse Filters, ACM JEA 27 (2022)",
        shape: "one-shot filters, then the tail's",
        guarantee: "exact with a tail; with tail=none misses each difference with probability 2^-bits",
        params: &[
            Param {
                name: "bits",
                default: "8",
                values: &["8", "16"],
                doc: "length of fingerprints: false positives are 2^-bits",
            },
            filter::WAYS,
            tail::PARAM,
        ],
    },
    presets: &["fuse:bits=8", "fuse:bits=16", "fuse:bits=8,tail=none"],
    build: |spec| match spec.get("bits") {
        "16" => filter::build(spec, Fuse { wide: true }),
        _ => filter::build(spec, Fuse { wide: false }),
    },
};

/// Most cells an item that are made; it does so for a single item, which gets three segments of four.
const CELLS_PER_ITEM_MAX: u64 = 12;

/// Length of the fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fuse {
    /// 16 bits, or else 8.
    wide: bool,
}

/// Keys, from one half of the hashes or the other.
fn keys(items: &[Hashed], second: bool) -> Vec<u64> {
    items.iter().map(|item| key_of(*item, second)).collect()
}

fn key_of(item: Hashed, second: bool) -> u64 {
    if second { item.set } else { item.short }
}

/// Appends a descriptor: which half and seed (1 or 2 bytes), log2 of the segment length (1), number of segments.
fn put_descriptor<C>(built: &Built<C>, second: bool, body: &mut Vec<u8>) {
    let log = built.descriptor.segment_length.ilog2();
    put_varint(body, built.index + if second { TRIES } else { 0 });
    body.push(log as u8);
    put_varint(body, built.cells.len() as u64 >> log);
}

/// Reads a descriptor of a filter of `n` items: with the number of cells, and which half of the hashes.
///
/// The first cell of an item is below the length without the last two segments; the second and third
/// are one and two segments on, and change places within their segment. So with a power of two for a segment,
/// and three or more of them, every cell is in the array.
fn read_descriptor(n: u64, reader: &mut Reader<'_>) -> Result<(Descriptor, usize, bool), WireError> {
    let seed = reader.varint_max("seed of the filter", 2 * TRIES - 1)?;
    let log = reader.u8("segment length")?;
    if !(1..=SEGMENT_LOG_MAX).contains(&u32::from(log)) {
        return Err(WireError::BadValue { what: "segment length", value: u64::from(log) });
    }
    let max = u64::from(u32::MAX).min(n.saturating_mul(CELLS_PER_ITEM_MAX)) >> log;
    let segments = reader.varint_max("segments", max)?;
    let cells = segments << log;
    if segments < 3 || cells < n {
        return Err(WireError::BadValue { what: "segments", value: segments });
    }
    let segment_length = 1_u32 << log;
    let descriptor = Descriptor {
        seed: seed_of(seed % TRIES),
        segment_length,
        segment_length_mask: segment_length - 1,
        segment_count_length: ((segments - 2) << log) as u32,
    };
    Ok((descriptor, cells as usize, seed >= TRIES))
}

/// A filter of the peer.
enum Cells {
    /// Of no items.
    None,
    Narrow(BinaryFuse8, bool),
    Wide(BinaryFuse16, bool),
}

impl Filter for Cells {
    fn affirms(&self, item: Hashed) -> bool {
        match self {
            Self::None => false,
            Self::Narrow(filter, second) => filter.contains(&key_of(item, *second)),
            Self::Wide(filter, second) => filter.contains(&key_of(item, *second)),
        }
    }

    fn affirms_some(&self, items: &[Hashed]) -> u64 {
        let keys = |second| {
            let mut keys = [0; batch::QUERIES_MAX];
            for (key, item) in keys.iter_mut().zip(items) {
                *key = key_of(*item, second);
            }
            keys
        };
        let len = items.len();
        match self {
            Self::None => 0,
            Self::Narrow(filter, second) => {
                batch::affirms_all(&filter.descriptor, &filter.fingerprints, &keys(*second)[..len])
            }
            Self::Wide(filter, second) => {
                batch::affirms_all(&filter.descriptor, &filter.fingerprints, &keys(*second)[..len])
            }
        }
    }
}

impl Fuse {
    fn try_write(self, items: &[Hashed], second: bool, body: &mut Vec<u8>) -> Option<()> {
        fn built<C: Cell>(items: &[Hashed], second: bool, body: &mut Vec<u8>) -> Option<Vec<C>> {
            let built = build(keys(items, second))?;
            put_descriptor(&built, second, body);
            Some(built.cells)
        }
        if self.wide {
            let cells = built::<u16>(items, second, body)?;
            body.extend(cells.iter().flat_map(|cell| cell.to_le_bytes()));
        } else {
            let cells = built::<u8>(items, second, body)?;
            body.extend_from_slice(&cells);
        }
        Some(())
    }
}

impl Kind for Fuse {
    type Filter<'a> = Cells;

    const HASH_BITS: u32 = 64;

    /// Hash (16), key (8) and mixed key (8) of each item, and for up to 1.25 cells (large sets) the list of lonely cells
    /// (4), count (1), xor of hashes (8) and fingerprint (1 or 2).
    fn build_bytes(&self, n: u64) -> u64 {
        n.saturating_mul(16 + 8 + 8 + 19)
    }

    fn wire_bytes(&self, n: u64) -> u64 {
        // Sets for which this matters are large, and take 1.125 cells an item and up to a segment more.
        n.saturating_mul(9) / 8 * if self.wide { 2 } else { 1 } + (2_u64 << SEGMENT_LOG_MAX)
    }

    fn write(&self, items: &[Hashed], body: &mut Vec<u8>) -> bool {
        items.is_empty() || [false, true].iter().any(|second| self.try_write(items, *second, body).is_some())
    }

    fn read<'a>(&self, n: u64, reader: &mut Reader<'a>) -> Result<Cells, SessionError> {
        if n == 0 {
            return Ok(Cells::None);
        }
        let (descriptor, cells, second) = read_descriptor(n, reader)?;
        Ok(if self.wide {
            let bytes = reader.bytes("fuse filter", cells * 2)?;
            let fingerprints =
                bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            Cells::Wide(BinaryFuse16 { descriptor, fingerprints }, second)
        } else {
            let fingerprints = reader.bytes("fuse filter", cells)?.into();
            Cells::Narrow(BinaryFuse8 { descriptor, fingerprints }, second)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::strategies::filter::tests::{hashes, share_affirmed};
    use proptest::prelude::*;

    const NARROW: Fuse = Fuse { wide: false };
    const WIDE: Fuse = Fuse { wide: true };

    fn random(n: usize, seed: Seed) -> Vec<Hashed> {
        let mut rng = seed.rng();
        (0..n).map(|_| Hashed { short: rng.next_u64(), set: rng.next_u64() }).collect()
    }

    fn written(kind: Fuse, items: &[Hashed]) -> Vec<u8> {
        let mut body = Vec::new();
        assert!(kind.write(items, &mut body));
        body
    }

    /// Oracle: about 9 bits an item at 10^6 and 9.5 at 10^5 (`xorf` 0.13; 18 and 19 with 16 bits).
    #[test]
    fn lengths_are_those_of_the_paper() {
        for (kind, n, max) in
            [(NARROW, 1_000_000, 9.1), (NARROW, 100_000, 9.6), (WIDE, 100_000, 19.1), (NARROW, 1000, 11.5)]
        {
            let bits = written(kind, &random(n, Seed::new(31))).len() as f64 * 8.0 / n as f64;
            assert!((max - 0.7..max).contains(&bits), "{n}: {bits}");
        }
    }

    /// Oracle: 2^-8 = 0.39% and 2^-16 = 0.0015%. Two million queries hit 7,812 times, deviation 1.1%, and
    /// 30 times, deviation 18%.
    #[test]
    fn rates_are_powers_of_two() {
        let queries = random(2_000_000, Seed::new(32));
        let found = share_affirmed(NARROW, &hashes(50_000, Seed::new(33)), &queries);
        assert!((found * 256.0 - 1.0).abs() < 0.06, "{found}");
        let found = share_affirmed(WIDE, &hashes(50_000, Seed::new(34)), &queries);
        assert!((3..63).contains(&((found * 2e6) as u32)), "{found}");
        // Small filters are mostly unused cells, and keep the rate all the same.
        for n in [1, 2, 5, 30] {
            let sum: f64 = (0..200)
                .map(|i| share_affirmed(NARROW, &hashes(n, Seed::new(35).nth(i)), &queries[..5000]))
                .sum();
            let found = sum / 200.0;
            assert!((found * 256.0 - 1.0).abs() < 0.1, "{n}: {found}");
        }
    }

    /// Every small size builds, and its descriptor is within what a reader accepts; so do the sizes just
    /// below and above where segments double, and the one that no seed could peel before `xorf` 0.13.
    #[test]
    fn every_size_is_built_and_read() {
        let doubling = (5..19).flat_map(|log| {
            let n = 3.33_f64.powf(f64::from(log) - 2.25) as usize;
            [n - 1, n, n + 1, n + 2]
        });
        for n in (0..300).chain(doubling.filter(|n| *n < 60_000)).chain([11_515]) {
            for kind in [NARROW, WIDE] {
                let items = random(n, Seed::new(36).nth(n as u64));
                assert!(share_affirmed(kind, &items, &items) == 1.0 || n == 0, "{n}");
                assert!((written(kind, &items).len() as u64) < kind.wire_bytes(n as u64));
            }
        }
    }

    /// What was built and what is read from the wire are one, seed and descriptor included.
    #[test]
    fn a_filter_comes_back_as_it_was_built() {
        for n in [1, 10, 1000, 20_000] {
            let items = random(n, Seed::new(37));
            let built = build::<u8>(keys(&items, false)).unwrap();
            let body = written(NARROW, &items);
            let Cells::Narrow(read, false) = NARROW.read(n as u64, &mut Reader::new(&body)).unwrap() else {
                panic!("a narrow filter of the first half")
            };
            assert_eq!(read.descriptor, built.descriptor);
            assert_eq!(read.fingerprints[..], built.cells);
        }
    }

    /// Equal first halves leave one key; equal items are affirmed all the same.
    #[test]
    fn colliding_hashes_are_survived() {
        let mut items = random(100, Seed::new(39));
        for i in 0..3 {
            items[i + 50].short = items[i].short;
        }
        assert_eq!(share_affirmed(NARROW, &items, &items), 1.0);
    }

    /// The second half of the hashes serves where the first cannot be built.
    #[test]
    fn the_second_half_is_read_as_written() {
        let items = random(500, Seed::new(40));
        let mut body = Vec::new();
        NARROW.try_write(&items, true, &mut body).unwrap();
        let filter = NARROW.read(500, &mut Reader::new(&body)).unwrap();
        assert!(matches!(filter, Cells::Narrow(_, true)));
        assert!(items.iter().all(|item| filter.affirms(*item)));
    }

    proptest! {
        /// Any descriptor that is accepted can be asked anything.
        #[test]
        fn hostile_descriptors_do_not_panic(
            n in 1_u64..2000,
            seed in 0_u64..2100,
            log in 0_u8..20,
            segments in 0_u64..600,
            wide: bool,
            queries: Vec<(u64, u64)>,
        ) {
            let mut body = Vec::new();
            put_varint(&mut body, seed);
            body.push(log);
            put_varint(&mut body, segments);
            body.resize(body.len() + 60_000, 0xa5);
            if let Ok(filter) = (Fuse { wide }).read(n, &mut Reader::new(&body)) {
                let edges = [(0, 0), (u64::MAX, u64::MAX), (1 << 63, 1)];
                for (short, set) in queries.into_iter().chain(edges) {
                    let item = Hashed { short, set };
                    assert_eq!(filter.affirms_some(&[item]) == 1, filter.affirms(item));
                }
            }
        }

        #[test]
        fn random_bytes_do_not_panic(bytes: Vec<u8>, n in 0_u64..100, short: u64, set: u64) {
            if let Ok(filter) = NARROW.read(n, &mut Reader::new(&bytes)) {
                filter.affirms(Hashed { short, set });
            }
        }
    }

    /// Whatever the number of items, more cells than bytes are refused before anything is allocated.
    #[test]
    fn claims_are_checked_against_the_bytes_at_hand() {
        for n in [1, 1000, 1 << 28, u64::MAX] {
            let mut body = Vec::new();
            put_varint(&mut body, 0);
            body.push(SEGMENT_LOG_MAX as u8);
            put_varint(&mut body, 1 << 13);
            assert!(NARROW.read(n, &mut Reader::new(&body)).is_err(), "{n}");
        }
    }
}
