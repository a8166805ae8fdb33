//! Tables and estimators in lanes beside what one id at a time takes, in one run on the same sets.
//!
//! Every cell is verified first (equal tables, the difference comes back). Then both are timed in turn, in CPU time of
//! the thread, and medians and their ratio are printed; of what has only one form, its median. Run with
//! `cargo run --release -p offerbench-algos --example iblt_speed [samples]`.

#[path = "support/clock.rs"]
mod clock;

use clock::{cpu_ns, median, medians};
use offerbench_algos::kernels::estimate::{Counters, Estimator};
use offerbench_algos::kernels::iblt::Tables;
use offerbench_algos::{ItemId, Seed};

/// Medians of both, in ns for each of `per`, and how many times as long the second takes.
fn row<A, B>(name: &str, samples: usize, per: usize, lanes: impl FnMut() -> A, single: impl FnMut() -> B) {
    let [a, b] = medians(samples, 1, lanes, single).map(|ns| ns / per as f64);
    println!("| {name} | {per} | {a:.1} | {b:.1} | {:.1} |", b / a);
}

/// The median of what has only one form.
fn alone<A>(name: &str, samples: usize, per: usize, work: impl Fn() -> A) {
    let ns = median((0..samples).map(|_| cpu_ns(&work)).collect()) / per as f64;
    println!("| {name} | {per} | {ns:.1} | | |");
}

fn main() {
    let samples = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(7);
    println!("| what | n | lanes, ns each | one at a time, ns each | ratio |\n|---|---|---|---|---|");
    let mut rng = Seed::new(1).rng();
    for d in [100_usize, 1000, 10_000] {
        let ids: Vec<u64> = (0..1_000_000).map(|_| rng.next_u64() | 1).collect();
        let tables = Tables::new(Seed::new(2), (d * 3 / 2 + 10) as u32, 4, 32);
        let theirs = tables.encode(&ids[d..]);
        let one_by_one = || {
            let mut table = tables.encode(&[]);
            for id in &ids {
                tables.insert(&mut table, *id);
            }
            table
        };
        assert_eq!(one_by_one(), tables.encode(&ids));
        let mut difference = one_by_one();
        difference.subtract(&theirs);
        assert_eq!(tables.decode(&difference).plus.len(), d);
        row(&format!("table for d = {d}"), samples, ids.len(), || tables.encode(&ids), one_by_one);
        alone(&format!("peeling d = {d}"), samples, d, || tables.decode(&difference));
    }
    let words: Vec<[u128; 8]> = (0..125_000)
        .map(|_| std::array::from_fn(|_| u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())))
        .collect();
    let eights = || {
        let mut counters = Counters::default();
        words.iter().for_each(|eight| counters.add_eight(eight));
        counters.finish()
    };
    let ones = || {
        let mut counters = Counters::default();
        words.iter().flatten().for_each(|word| counters.add(*word));
        counters.finish()
    };
    assert_eq!(eights(), ones());
    row("128 counters", samples, 1_000_000, eights, ones);
    let ids: Vec<ItemId> = (0..1_000_000).map(|_| ItemId::new(rng.bytes())).collect();
    let estimator = Estimator::new(Seed::new(3));
    alone("Tug-of-War of 32-byte ids, hashed", samples, ids.len(), || estimator.tow(&ids));
    alone("strata of 32-byte ids, hashed", samples, ids.len(), || estimator.strata(&ids));
}
