//! Filters beside the crates `fastbloom` and `xorf`, over hashes of 64 bits that are the keys themselves.
//!
//! No hash is in any figure: ids are salted hashes already, so `fastbloom` is given them as such (`insert_hash`), which
//! is the fastest hasher that it can have, and `xorf` mixes its keys by itself, as ours does. Bloom filters are held to the
//! same rate of false positives, counted on [`STRANGERS`] keys that are in neither; what that takes in bytes is a figure
//! too. Fuse filters have the same
//! lengths, seeds and places; queries are compared on one and the same filter.

use std::hint::black_box;

use fastbloom::BloomFilter;
use offerbench_algos::kernels::bloom::{BLOCK_BITS, Blocked, Probes, rate};
use offerbench_algos::kernels::fuse::{Built, QUERIES_MAX, affirms_all, build, path};
use xorf::{BinaryFuse8, Filter as _};

use crate::contest::Contest;
use crate::sets::ids;
use crate::table::Row;

/// Keys in no filter by which rates are counted: at a rate of 1/256 they tell it to 1.6% (two deviations).
const STRANGERS: u64 = 4_000_000;
/// By how much counted rates may differ.
const RATES_APART: f64 = 0.04;
/// The rate that Bloom filters are made for.
const RATE: f64 = 1.0 / 256.0;

/// Both Bloom filters of a set, and the set.
struct Blooms {
    set: Vec<u64>,
    ours: Blocked,
    theirs: BloomFilter,
}

const PROBES: Probes = Probes::Eight;

fn insert_ours(blocks: usize, set: &[u64]) -> Blocked {
    let mut filter = Blocked::new(PROBES, blocks);
    filter.insert_all(set);
    filter
}

fn insert_theirs(bits: usize, probes: u32, set: &[u64]) -> BloomFilter {
    let mut filter = BloomFilter::with_num_bits(bits).hashes(probes);
    set.iter().for_each(|hash| _ = filter.insert_hash(*hash));
    filter
}

fn blooms(row: &Row) -> Blooms {
    let (set, strangers) = (ids(row.n, "bloom"), ids(STRANGERS, "strangers"));
    // From what a filter without blocks takes, upwards until the rate is kept.
    let bits = (row.n as f64 * RATE.log2().abs() / std::f64::consts::LN_2) as u64;
    let mut blocks = bits / BLOCK_BITS;
    while rate(PROBES, row.n, blocks) > RATE {
        blocks += blocks / 200 + 1;
    }
    let ours = insert_ours(blocks as usize, &set);
    assert_eq!(ours.count(&set), set.len(), "ours denies a member");
    let share = |hits: usize| hits as f64 / STRANGERS as f64;
    let our_rate = share(ours.count(&strangers));
    let sized = BloomFilter::with_false_pos(our_rate).expected_items(set.len());
    let theirs = insert_theirs(sized.num_bits(), sized.num_hashes(), &set);
    assert!(set.iter().all(|hash| theirs.contains_hash(*hash)), "fastbloom denies a member");
    let their_rate = share(strangers.iter().filter(|hash| theirs.contains_hash(**hash)).count());
    let apart = (our_rate / their_rate - 1.0).abs();
    assert!(apart < RATES_APART, "rates of {our_rate} and {their_rate}");
    Blooms { set, ours, theirs }
}

/// Making a filter of a set.
pub fn bloom_build(row: &Row) -> Contest {
    let Blooms { set, ours, theirs } = blooms(row);
    let n = row.n as f64;
    let bytes =
        [(ours.blocks() as u64 * BLOCK_BITS) as f64, theirs.num_bits() as f64].map(|bits| bits / 8.0 / n);
    let (blocks, bits, probes) = (ours.blocks(), theirs.num_bits(), theirs.num_hashes());
    let same = set.clone();
    Contest::new(
        ours.path(),
        n,
        move || _ = black_box(insert_ours(blocks, &set)),
        move || _ = black_box(insert_theirs(bits, probes, &same)),
    )
    .with_bytes(vec![bytes[0]], vec![bytes[1]])
}

/// Asking for members and as many strangers, in no order.
pub fn bloom_query(row: &Row) -> Contest {
    let Blooms { mut set, ours, theirs } = blooms(row);
    set.extend(ids(row.n, "bloom, asked for"));
    crate::sets::rng("bloom query").shuffle(&mut set);
    let same = set.clone();
    Contest::new(
        ours.path(),
        2.0 * row.n as f64,
        move || _ = black_box(ours.count(&set)),
        move || _ = black_box(same.iter().filter(|hash| theirs.contains_hash(**hash)).count()),
    )
}

/// Making a binary fuse filter of one byte a cell.
pub fn fuse_build(row: &Row) -> Contest {
    let set = ids(row.n, "fuse");
    let Built { descriptor, cells, .. } = build::<u8>(set.clone()).expect("keys are built");
    let theirs = BinaryFuse8::try_from(&set[..]).expect("distinct keys are built");
    assert_eq!((&descriptor, cells.len()), (&theirs.descriptor, theirs.fingerprints.len()), "filters differ");
    let ours = BinaryFuse8 { descriptor, fingerprints: cells.into() };
    assert!(set.iter().all(|key| ours.contains(key)), "ours denies a member");
    let same = set.clone();
    Contest::new(
        "segments",
        row.n as f64,
        // Theirs does not take its keys away.
        move || _ = black_box(build::<u8>(set.clone())),
        move || _ = black_box(BinaryFuse8::try_from(&same[..])),
    )
}

/// Asking a binary fuse filter of one byte a cell for members and as many strangers, in no order.
pub fn fuse_query(row: &Row) -> Contest {
    let mut set = ids(row.n, "fuse");
    let filter = BinaryFuse8::try_from(&set[..]).expect("distinct keys are built");
    let count = |filter: &BinaryFuse8, keys: &[u64]| -> u32 {
        let answers = keys.chunks(QUERIES_MAX);
        answers.map(|keys| affirms_all(&filter.descriptor, &filter.fingerprints, keys).count_ones()).sum()
    };
    assert_eq!(u64::from(count(&filter, &set)), row.n, "ours denies a member");
    set.extend(ids(row.n, "fuse, asked for"));
    crate::sets::rng("fuse query").shuffle(&mut set);
    let theirs = |filter: &BinaryFuse8, keys: &[u64]| keys.iter().filter(|key| filter.contains(key)).count();
    assert_eq!(count(&filter, &set) as usize, theirs(&filter, &set), "answers differ");
    let (same, other) = (set.clone(), filter.clone());
    Contest::new(
        path(),
        2.0 * row.n as f64,
        move || _ = black_box(count(&filter, &set)),
        move || _ = black_box(theirs(&other, &same)),
    )
}
