//! Our `range` beside the crate `negentropy`, in one run on the same sets; and what an insertion costs.
//!
//! Every session is verified first: both implementations must find the same. Then both are timed in turn, in CPU
//! time of the thread, and the medians and their ratio are printed. A session is all of both ends: opening them on
//! indexes that stand, every message, every finding. Run with
//! `cargo run --release -p offerbench-algos --example range_speed [samples [sessions|parameters|seals|insertions [n]]]`.

use std::hint::black_box;

#[path = "support/clock.rs"]
mod clock;

use clock::{cpu_ns, median, medians};
use negentropy::{Id, Negentropy, NegentropyStorageVector};
use offerbench_algos::kernels::range::{RangeSet, fingerprint};
use offerbench_algos::{Finding, Index, Item, ItemId, Role, Seed, Session, Setup, Step, build};

fn random_items(n: usize, seed: Seed) -> Vec<Item> {
    let mut rng = seed.rng();
    (0..n).map(|_| Item { at: rng.below(100_000_000_000), id: ItemId::new(rng.bytes()) }).collect()
}

/// Two sets of about `n` that differ in `d` items, anywhere or later than all others.
fn pair(n: usize, d: usize, newest: bool) -> [Vec<Item>; 2] {
    let mut sets = [random_items(n - d / 2, Seed::new(1)), Vec::new()];
    sets[1] = sets[0].clone();
    for (i, mut item) in random_items(d, Seed::new(2)).into_iter().enumerate() {
        item.at += if newest { 100_000_000_000 } else { 0 };
        sets[i % 2].push(item);
    }
    sets
}

fn storage(items: &[Item]) -> NegentropyStorageVector {
    let mut storage = NegentropyStorageVector::with_capacity(items.len());
    for item in items {
        storage.insert(item.at, Id::from_byte_array(*item.id.bytes())).expect("not sealed");
    }
    storage.seal().expect("not sealed");
    storage
}

/// Have and need at the initiator, and bytes.
type Found = (Vec<ItemId>, Vec<ItemId>, usize);

fn ours(indexes: &[Box<dyn Index>; 2]) -> (Vec<Finding>, usize, u32) {
    let setup = Setup { frame_len_max: u32::MAX, ..Setup::new(Seed::new(3)) };
    let mut ends = [indexes[0].open(Role::Initiator, &setup), indexes[1].open(Role::Responder, &setup)];
    let (mut frame, mut findings, mut bytes, mut frames) = (Vec::new(), Vec::new(), 0, 0);
    let mut to = 1;
    while ends[1 - to].poll_frame(&mut frame) == Step::Frame {
        bytes += frame.len();
        frames += 1;
        ends[to].handle_frame(&frame).expect("an honest peer");
        to = 1 - to;
    }
    let mut drain = |end: &mut Box<dyn Session>| findings.extend(std::iter::from_fn(|| end.poll_finding()));
    drain(&mut ends[0]);
    // What the responder has the initiator needs, or will be sent.
    let mut theirs: Vec<Finding> = std::iter::from_fn(|| ends[1].poll_finding()).collect();
    findings.retain(|finding| matches!(finding, Finding::Have(_)));
    findings.append(&mut theirs);
    (findings, bytes, frames)
}

fn peers(stores: &[NegentropyStorageVector; 2]) -> Found {
    let mut client = Negentropy::borrowed(&stores[0], 0).expect("no limit");
    let mut relay = Negentropy::borrowed(&stores[1], 0).expect("no limit");
    let (mut haves, mut needs) = (Vec::new(), Vec::new());
    let mut query = client.initiate().expect("fresh");
    let mut bytes = 0;
    loop {
        let answer = relay.reconcile(&query).expect("an honest peer");
        bytes += query.len() + answer.len();
        match client.reconcile_with_ids(&answer, &mut haves, &mut needs).expect("an honest peer") {
            Some(next) => query = next,
            None => break,
        }
    }
    let ids = |ids: Vec<Id>| ids.into_iter().map(|id| ItemId::new(id.to_bytes())).collect();
    (ids(haves), ids(needs), bytes)
}

fn sessions(samples: usize) {
    println!(
        "| session | strategy | ours, µs | negentropy, µs | ratio | B/d ours | B/d negentropy | frames |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let differences = [(0, false), (100, true), (100, false), (1000, false)];
    let only: Option<usize> = std::env::args().nth(3).and_then(|arg| arg.parse().ok());
    for (n, (d, newest)) in [10_000, 100_000, 1_000_000].into_iter().flat_map(|n| differences.map(|d| (n, d)))
    {
        if only.is_some_and(|only| only != n) {
            continue;
        }
        let sets = pair(n, d, newest);
        let stores = [storage(&sets[0]), storage(&sets[1])];
        let (haves, needs, peer_bytes) = peers(&stores);
        let mut expected: Vec<Finding> = haves.into_iter().chain(needs).map(Finding::Have).collect();
        expected.sort_unstable();
        for spec in ["range", "range-compact"] {
            let Ok(built) = build(spec) else { continue };
            let indexes = [built.strategy.index(&sets[0]), built.strategy.index(&sets[1])];
            let (mut found, bytes, frames) = ours(&indexes);
            found.sort_unstable();
            assert!(found == expected, "{spec} and negentropy must find the same");
            let [mine, theirs] =
                medians(samples, 20, || ours(&indexes), || peers(&stores)).map(|ns| ns / 1e3);
            println!(
                "| n = {n}, d = {d} {} | {spec} | {mine:.1} | {theirs:.0} | {:.0} | {} | {} | {frames} |",
                if newest { "newest" } else { "scattered" },
                theirs / mine,
                bytes / d.max(1),
                peer_bytes / d.max(1),
            );
        }
    }
}

/// Bytes and frames of `range-compact` over its parameters: what the presets were chosen by.
fn parameters(_: usize) {
    let n = std::env::args().nth(3).and_then(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    println!(
        "\n| n = {n}, B/d and frames | d = 1 | d = 10 | d = 100 | d = 1000 | d = 10^4 | d = 1000 newest |"
    );
    println!("|---|---|---|---|---|---|---|");
    let pairs = [(1, false), (10, false), (100, false), (1000, false), (10_000, false), (1000, true)]
        .map(|(d, newest)| (d, pair(n, d, newest)));
    for spec in [
        "range",
        "range-compact:split=4,list=4",
        "range-compact:split=4,list=8",
        "range-compact:split=4,list=16",
        "range-compact:split=8,list=8",
        "range-compact:split=8,list=16",
        "range-compact:split=16,list=16",
        "range-compact:split=16,list=32",
        "range-compact:split=32,list=32",
        "range-compact:split=4,list=8,fp=24,bits=24",
        "range-compact:split=4,list=8,fp=64,bits=64",
        "range-compact:split=4,list=32,sketch=1",
        "range-compact:split=4,list=64,sketch=1",
        "range-compact:split=4,list=128,sketch=1",
        "range-compact:split=4,list=64,sketch=2",
        "range-compact:split=4,list=128,sketch=2",
        "range-compact:split=4,list=128,sketch=3",
        "range-compact:split=16,list=128,sketch=1",
        "range-compact:split=16,list=128,sketch=2",
    ] {
        let strategy = build(spec).expect("these exist").strategy;
        print!("| {spec} |");
        for (d, sets) in &pairs {
            let (found, bytes, frames) = ours(&sets.each_ref().map(|set| strategy.index(set)));
            assert_eq!(found.len(), *d);
            print!(" {}, {frames} |", bytes / d);
        }
        println!();
    }
}

fn seals(samples: usize) {
    println!("\n| seal, ns an item | ours | negentropy | ratio |\n|---|---|---|---|");
    for n in [1000, 10_000, 100_000, 1_000_000] {
        let items = random_items(n, Seed::new(4));
        let times = (1_000_000 / n as u32).max(1);
        let theirs = || (0..times).for_each(|_| drop(black_box(storage(&items))));
        let [mine, theirs] = medians(samples, times, || RangeSet::seal(&items), theirs);
        let (mine, theirs) = (mine / n as f64, theirs / f64::from(times) / n as f64);
        println!("| n = {n}, any order | {mine:.1} | {theirs:.1} | {:.1} |", theirs / mine);
        let mut sorted = items;
        sorted.sort_unstable();
        let mine = median((0..samples).map(|_| cpu_ns(|| RangeSet::seal(&sorted))).collect()) / n as f64;
        println!("| n = {n}, in order | {mine:.1} | | |");
    }
}

fn insertions(samples: usize) {
    println!(
        "\n| one of 1000 insertions, ns | anywhere | anywhere, shared | newest | seal anew | fingerprint |"
    );
    println!("|---|---|---|---|---|---|");
    for n in [1000, 10_000, 100_000, 1_000_000] {
        let items = random_items(n, Seed::new(5));
        let set = RangeSet::seal(&items);
        let late = random_items(1000, Seed::new(6));
        let newest: Vec<Item> =
            (late.iter().zip(0..)).map(|(item, i)| Item { at: 100_000_000_000 + i, ..*item }).collect();
        let grow = |more: &[Item], hold: bool| {
            let times = (0..samples).map(|_| {
                // A set of its own, of which nothing is shared.
                let mut set = RangeSet::seal(&items);
                cpu_ns(|| {
                    for item in more {
                        let _held = hold.then(|| set.clone());
                        set.insert(*item);
                    }
                }) / more.len() as f64
            });
            median(times.collect())
        };
        let anew = median((0..samples).map(|_| cpu_ns(|| RangeSet::seal(&items))).collect());
        let ends: Vec<usize> = (1..1000).map(|i| i * n / 1000).collect();
        let one = |_| cpu_ns(|| ends.iter().map(|end| fingerprint(&set, end / 2..*end)[0]).max()) / 999.0;
        println!(
            "| n = {n} | {:.0} | {:.0} | {:.0} | {anew:.0} | {:.0} |",
            grow(&late, false),
            grow(&late, true),
            grow(&newest, false),
            median((0..samples).map(one).collect()),
        );
    }
}

fn main() {
    let samples = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(7);
    for (name, part) in [
        ("sessions", sessions as fn(usize)),
        ("parameters", parameters),
        ("seals", seals),
        ("insertions", insertions),
    ] {
        if std::env::args().nth(2).is_none_or(|only| only == name) {
            part(samples);
        }
    }
}
