//! `cargo bench --bench session`: what each end of a session computes, against M and against d.
//!
//! In every strategy that sends a sketch or a stream, the responder encodes it and the initiator decodes it;
//! so `encode` times the responder's calls and `decode` the initiator's.

mod support;

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use offerbench_algos::{
    DiffHint, DuelLimits, Finding, Index, Role, Seed, Session, SessionError, Setup, Step, Tally, duel,
};
use std::cell::Cell;

thread_local! {
    /// Time spent inside the sessions of each role, since it was last taken.
    static SPENT: [Cell<Duration>; 2] = const { [Cell::new(Duration::ZERO), Cell::new(Duration::ZERO)] };
}

/// A session whose calls are timed.
struct Clocked {
    inner: Box<dyn Session>,
    role: Role,
}

impl Clocked {
    fn clock<T>(&mut self, call: impl FnOnce(&mut dyn Session) -> T) -> T {
        let start = Instant::now();
        let result = call(&mut *self.inner);
        let took = start.elapsed();
        SPENT.with(|spent| {
            let cell = &spent[self.role as usize];
            cell.set(cell.get() + took);
        });
        result
    }
}

impl Session for Clocked {
    fn handle_frame(&mut self, frame: &[u8]) -> Result<(), SessionError> {
        self.clock(|inner| inner.handle_frame(frame))
    }

    fn poll_frame(&mut self, frame: &mut Vec<u8>) -> Step {
        self.clock(|inner| inner.poll_frame(frame))
    }

    fn poll_finding(&mut self) -> Option<Finding> {
        self.inner.poll_finding()
    }

    fn tally(&self) -> Tally {
        self.inner.tally()
    }
}

/// Time inside the session of `role` over `runs` duels.
fn run(indexes: &[Box<dyn Index>; 2], setup: &Setup, role: Role, runs: u64) -> Duration {
    SPENT.with(|spent| spent.iter().for_each(|cell| cell.set(Duration::ZERO)));
    for _ in 0..runs {
        let mut ends = [Role::Initiator, Role::Responder].map(|role| {
            let start = Instant::now();
            let inner = indexes[role as usize].open(role, setup);
            let took = start.elapsed();
            SPENT.with(|spent| spent[role as usize].set(spent[role as usize].get() + took));
            Box::new(Clocked { inner, role }) as Box<dyn Session>
        });
        duel(&mut ends, &DuelLimits::default()).expect("verified by the conformance suite");
    }
    SPENT.with(|spent| spent[role as usize].get())
}

fn sweep(c: &mut Criterion, axis: &str, points: &[(u64, u64)]) {
    for (name, role) in [("encode", Role::Responder), ("decode", Role::Initiator)] {
        let mut group = c.benchmark_group(format!("session-{name}-{axis}"));
        for &(m, d) in points {
            let pair = support::pair(m, d);
            let setup = Setup { diff: DiffHint::Oracle(d), ..Setup::new(Seed::new(1)) };
            let x = if axis == "m" { m } else { d };
            for contender in support::contenders() {
                let indexes =
                    [contender.strategy.index(&pair.initiator), contender.strategy.index(&pair.responder)];
                group.bench_function(BenchmarkId::new(&contender.spec, x), |b| {
                    b.iter_custom(|runs| run(&indexes, &setup, role, runs));
                });
            }
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = support::criterion();
    sweep(&mut criterion, "m", &[(1_000, 20), (30_000, 20)]);
    sweep(&mut criterion, "d", &[(10_000, 1), (10_000, 100), (10_000, 500)]);
    criterion.final_summary();
}
