//! Two implementations that do the same work in turns.

use crate::clock::thread_cpu_ns;

/// Shortest time of our side in a round, as far as repeating it can help: the clock costs a system call.
const OURS_NS_MIN: f64 = 300_000.0;
/// Most repetitions of our side for one of the peer's.
const REPEAT_MAX: f64 = 4096.0;
/// Share of the peer's time that repetitions of ours may take.
const OURS_SHARE: f64 = 0.5;

/// Runs of our side more from which its time is guessed, unless it takes so long that it will hardly be repeated.
const OURS_TRIES: u32 = 3;
const OURS_TRIED_NS_MAX: f64 = 30_000_000.0;

/// One side of a contest.
pub trait Side {
    /// The work whose time counts. Results go through `black_box`.
    fn run(&mut self);

    /// Makes ready, off the clock, for a `run` that uses something up. False where a run uses up nothing.
    fn refresh(&mut self) -> bool {
        false
    }
}

impl<F: FnMut()> Side for F {
    fn run(&mut self) {
        self();
    }
}

/// Both sides with their sets, checked against each other.
pub struct Contest {
    path: &'static str,
    ours: Box<dyn Side>,
    theirs: Box<dyn Side>,
    /// How many of what figures are for one run handles, ours and theirs.
    units: [f64; 2],
    /// Runs of ours for each of theirs.
    repeat: u64,
    /// Bytes on the wire, where that is a figure of the cell: one for each set that was tried.
    pub bytes: Option<[Vec<f64>; 2]>,
}

impl Contest {
    /// Of sides whose results agree; a run of either handles `units` items (or whatever figures are for).
    pub fn new(
        path: &'static str,
        units: f64,
        ours: impl Side + 'static,
        theirs: impl Side + 'static,
    ) -> Self {
        let (ours, theirs): (Box<dyn Side>, Box<dyn Side>) = (Box::new(ours), Box::new(theirs));
        let mut contest = Self { path, ours, theirs, units: [units; 2], repeat: 1, bytes: None };
        // The first round warms caches, the second says how the sides compare. The first run of ours after theirs finds
        // caches cold, and whatever else the machine does may hit it too: the least of a few says how often it can run.
        contest.round(1);
        let [ours, theirs] = contest.round(1);
        let tries = if ours < OURS_TRIED_NS_MAX { OURS_TRIES } else { 0 };
        let ours = (0..tries).map(|_| single(&mut *contest.ours, 1)).fold(ours, f64::min);
        let room = (theirs * OURS_SHARE / ours).min(OURS_NS_MIN / ours);
        contest.repeat = room.clamp(1.0, REPEAT_MAX) as u64;
        contest
    }

    /// The same where a run of theirs handles another number than one of ours.
    #[must_use]
    pub fn their_units(mut self, units: f64) -> Self {
        self.units[1] = units;
        self
    }

    /// The same with bytes.
    #[must_use]
    pub fn with_bytes(mut self, ours: Vec<f64>, theirs: Vec<f64>) -> Self {
        self.bytes = Some([ours, theirs]);
        self
    }

    /// The path on which ours runs.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Nanoseconds for one of the units, of times of single runs.
    pub fn each(&self, [ours, theirs]: [f64; 2]) -> [f64; 2] {
        [ours / self.units[0], theirs / self.units[1]]
    }

    /// Ours, then theirs, `runs` times each (ours more often where that is short): ns of a single run of either.
    pub fn round(&mut self, runs: u64) -> [f64; 2] {
        [single(&mut *self.ours, runs * self.repeat), single(&mut *self.theirs, runs)]
    }
}

/// Mean CPU time of a run.
fn single(side: &mut dyn Side, runs: u64) -> f64 {
    let mut spent = 0;
    let mut left = runs;
    while left > 0 {
        // What uses something up is timed run by run, else all in one stretch.
        let stretch = if side.refresh() { 1 } else { left };
        let start = thread_cpu_ns();
        for _ in 0..stretch {
            side.run();
        }
        spent += thread_cpu_ns() - start;
        left -= stretch;
    }
    spent as f64 / runs as f64
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    fn spin(turns: u64) -> impl FnMut() {
        move || (0..turns).for_each(|turn| _ = std::hint::black_box(turn))
    }

    #[test]
    fn the_slower_side_takes_longer_whatever_the_repetitions() {
        let mut contest = Contest::new("test", 1.0, spin(1_000), spin(1_000_000));
        assert!(contest.repeat > 1);
        let [ours, theirs] = contest.round(2);
        assert!(theirs > 20.0 * ours, "{ours} {theirs}");
    }

    /// A side that must be refreshed before each run.
    struct Fresh(Rc<Cell<i32>>);

    impl Side for Fresh {
        fn run(&mut self) {
            self.0.set(self.0.get() - 1);
        }

        fn refresh(&mut self) -> bool {
            self.0.set(1);
            true
        }
    }

    #[test]
    fn what_a_run_uses_up_is_there_again_for_the_next() {
        let left = Rc::new(Cell::new(1));
        let mut contest = Contest::new("test", 1.0, Fresh(Rc::clone(&left)), spin(1_000_000));
        contest.round(3);
        assert_eq!(left.get(), 0);
    }
}
