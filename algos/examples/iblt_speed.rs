//! Tables and estimators in lanes beside what one id at a time takes, in one run on the same sets, and beside a copy of
//! memory as long as what they read.
//!
//! Every cell is verified first (equal tables, the difference comes back). Then both are timed in turn, in CPU time of
//! the thread, and medians and their ratio are printed; of what has only one form, its median. One at a time is the
//! portable code; lanes are what this machine's longest registers hold. Run with
//! `cargo run --release -p offerbench-algos --example iblt_speed [samples]`.

#[path = "support/clock.rs"]
mod clock;

use clock::{cpu_ns, median, medians};
use offerbench_algos::kernels::estimate::{Counters, Estimator};
use offerbench_algos::kernels::iblt::Tables;
use offerbench_algos::{ItemId, Seed};

/// Items of every set.
const N: usize = 1_000_000;

/// What is timed: a name, how many of what, and the bytes that each of them reads.
struct Work<'a> {
    name: &'a str,
    of: usize,
    bytes: usize,
}

impl Work<'_> {
    fn gigabytes(&self, ns: f64) -> String {
        if self.bytes == 0 { String::new() } else { format!("{:.2}", self.bytes as f64 / ns) }
    }

    /// Medians of both, in ns for each, and how many times as long the second takes.
    fn row<A, B>(&self, samples: usize, lanes: impl FnMut() -> A, single: impl FnMut() -> B) {
        let [a, b] = medians(samples, 1, lanes, single).map(|ns| ns / self.of as f64);
        println!("| {} | {} | {a:.1} | {b:.1} | {:.1} | {} |", self.name, self.of, b / a, self.gigabytes(a));
    }

    /// The median of what has only one form.
    fn alone<A>(&self, samples: usize, work: impl Fn() -> A) {
        let ns = median((0..samples).map(|_| cpu_ns(&work)).collect()) / self.of as f64;
        println!("| {} | {} | {ns:.2} | | | {} |", self.name, self.of, self.gigabytes(ns));
    }
}

fn main() {
    let samples = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(7);
    println!("| what | n | lanes, ns each | one at a time, ns each | ratio | GB/s read in lanes |");
    println!("|---|---|---|---|---|---|");
    let mut rng = Seed::new(1).rng();
    let ids: Vec<ItemId> = (0..N).map(|_| ItemId::new(rng.bytes())).collect();
    let mut copy = ids.clone();
    // What nothing that reads every id can beat; into memory that is there already.
    let ns = median((0..samples).map(|_| cpu_ns(|| copy.copy_from_slice(&ids))).collect()) / N as f64;
    println!("| copy of 32-byte ids | {N} | {ns:.2} | | | {:.2} |", 32.0 / ns);
    for d in [100_usize, 1000, 10_000] {
        let ids: Vec<u64> = (0..N).map(|_| rng.next_u64() | 1).collect();
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
        let encode = Work { name: &format!("table for d = {d}, 8-byte ids"), of: N, bytes: 8 };
        encode.row(samples, || tables.encode(&ids), one_by_one);
        let peel = Work { name: &format!("peeling d = {d}"), of: d, bytes: 0 };
        peel.alone(samples, || tables.decode(&difference));
    }
    let words: Vec<[u128; 8]> = (0..N / 8)
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
    Work { name: "128 counters of hashes", of: N, bytes: 16 }.row(samples, eights, ones);
    let estimator = Estimator::new(Seed::new(3));
    let tow = Work { name: "Tug-of-War of 32-byte ids, hashed", of: N, bytes: 32 };
    tow.alone(samples, || estimator.tow(&ids));
    let strata = Work { name: "strata of 32-byte ids, hashed", of: N, bytes: 32 };
    strata.alone(samples, || estimator.strata(&ids));
}
