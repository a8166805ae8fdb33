//! What the examples that compare speeds share: the thread's CPU time, and medians of work done in turns.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

/// CPU time of one call, in ns.
pub fn cpu_ns<R>(work: impl FnOnce() -> R) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    };
    let start = now();
    let result = work();
    let spent = now() - start;
    drop(black_box(result));
    spent
}

/// The one in the middle.
pub fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Medians of two kinds of work, done in turns, the first `times` times a sample: ns of one call of either.
pub fn medians<A, B>(
    samples: usize,
    times: u32,
    mut ours: impl FnMut() -> A,
    mut theirs: impl FnMut() -> B,
) -> [f64; 2] {
    let mut all = [const { Vec::new() }; 2];
    for _ in 0..samples {
        all[0].push(cpu_ns(|| (0..times).for_each(|_| drop(black_box(ours())))) / f64::from(times));
        all[1].push(cpu_ns(&mut theirs));
    }
    all.map(median)
}
