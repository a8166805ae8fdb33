//! `cargo bench --bench salts`: sessions on an index that was just made, on one that has served, and what keeping it
//! up to date costs, for every lifetime of keys. Before it is timed every session is checked; the heap that a key
//! takes is printed.

mod support;

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion};
use offerbench_algos::{
    DuelLimits, Guarantee, Index, Item, ItemId, Role, Seed, Setup, Transcript, Truth, build, duel, judge,
};

/// Differing items, half at either end.
const D: u64 = 100;

const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];

const STRATEGIES: [&str; 3] = ["riblt:bits=64,check=32", "iblt:bits=64,check=32", "pinsketch:bits=64"];

/// The strategies, and the size of sets: that of power sums, which take n·c when cold, only up to 10^5.
fn cells() -> impl Iterator<Item = (&'static str, u64)> {
    let fits = |(strategy, m): &(&str, u64)| !strategy.starts_with("pinsketch") || *m <= 100_000;
    STRATEGIES.into_iter().flat_map(|strategy| SIZES.map(|m| (strategy, m))).filter(fits)
}

fn name(strategy: &str) -> &str {
    strategy.split(':').next().unwrap_or(strategy)
}

fn spec(strategy: &str, salt: &str) -> String {
    format!("{strategy},salt={salt}")
}

fn indexes(spec: &str, m: u64) -> [Box<dyn Index>; 2] {
    let strategy = build(spec).expect("a spec").strategy;
    let pair = support::pair(m, D);
    [strategy.index(&pair.initiator), strategy.index(&pair.responder)]
}

fn session(indexes: &[Box<dyn Index>; 2], setup: &Setup) -> Transcript {
    let mut ends = [Role::Initiator, Role::Responder].map(|role| indexes[role as usize].open(role, setup));
    duel(&mut ends, &DuelLimits::default()).expect("two honest ends understand each other")
}

/// A session of both ends, cold and warm.
fn sessions(c: &mut Criterion) {
    let mut group = c.benchmark_group("salts-session");
    let setup = Setup::new(Seed::new(1));
    for (strategy, m) in cells() {
        let pair = support::pair(m, D);
        let truth = Truth::of(&pair.initiator, &pair.responder);
        for salt in ["session", "link", "none"] {
            let made = indexes(&spec(strategy, salt), m);
            let before = made[0].heap_bytes();
            let first = session(&made, &setup);
            assert_eq!(judge(&truth, Guarantee::Exact, &first).missed, 0);
            assert_eq!(first, session(&made, &setup));
            println!(
                "{strategy}, n = {m}, salt={salt}: {} B of a session; heap of the index {before} B, and {} B for the key",
                first.bytes(),
                made[0].heap_bytes() - before
            );
            group.bench_function(BenchmarkId::new(format!("{}/warm/{salt}", name(strategy)), m), |b| {
                b.iter(|| black_box(session(&made, &setup)));
            });
        }
        // Under a key that no session has used, what is kept under others is of no use: as on a new index.
        let made = indexes(&spec(strategy, "link"), m);
        let mut link = 0;
        group.bench_function(BenchmarkId::new(format!("{}/cold/link", name(strategy)), m), |b| {
            b.iter(|| {
                link += 1;
                let lasting = offerbench_algos::Lasting::of(Seed::new(link));
                black_box(session(&made, &Setup { lasting, ..setup }))
            });
        });
    }
    group.finish();
}

/// An insert into an index that has served, and a session after each.
fn inserts(c: &mut Criterion) {
    let setup = Setup::new(Seed::new(1));
    let mut group = c.benchmark_group("salts-insert");
    for (strategy, m) in cells() {
        for salt in ["session", "none"] {
            let mut made = indexes(&spec(strategy, salt), m);
            session(&made, &setup);
            let mut at = 0;
            let mut item = move || {
                at += 1;
                Item { at: u64::MAX / 2 + at, id: ItemId::of_message(&[0; 32], at, b"") }
            };
            group.bench_function(BenchmarkId::new(format!("{}/{salt}", name(strategy)), m), |b| {
                b.iter_batched(&mut item, |item| made[0].insert(item), BatchSize::SmallInput);
            });
        }
    }
    group.finish();
}

fn main() {
    let mut criterion = support::criterion();
    sessions(&mut criterion);
    inserts(&mut criterion);
    criterion.final_summary();
}
