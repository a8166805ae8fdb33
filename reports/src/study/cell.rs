//! One contender at one point: its replicates, and what they amount to.

use crate::record::{Bytes, ExactRow, Outcome, Timed, TimedRow};
use crate::stats::{Interval, median, median_interval};

/// Seed of all bootstrap resampling. The same in every cell, so that contenders with equally many
/// replicates are resampled alike, as they met the same sets.
pub const BOOTSTRAP_SEED: u64 = 0x0ffe_7be2_c400_0001;

/// How trials ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// At the first try.
    pub exact: u64,
    /// After retries or a fall-back.
    pub recovered: u64,
    /// Did not finish, or missed what may be missed.
    pub gave_up: u64,
    /// Invented or missed an item.
    pub wrong: u64,
}

impl Outcomes {
    /// Counts one trial.
    pub fn add(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Exact => &mut self.exact,
            Outcome::Recovered => &mut self.recovered,
            Outcome::GaveUp => &mut self.gave_up,
            Outcome::Wrong => &mut self.wrong,
        } += 1;
    }

    /// All of them.
    pub fn trials(&self) -> u64 {
        self.exact + self.recovered + self.failures()
    }

    /// Those that did not reach the truth.
    pub fn failures(&self) -> u64 {
        self.gave_up + self.wrong
    }

    /// Sums two counts.
    pub fn merged(self, other: Self) -> Self {
        Self {
            exact: self.exact + other.exact,
            recovered: self.recovered + other.recovered,
            gave_up: self.gave_up + other.gave_up,
            wrong: self.wrong + other.wrong,
        }
    }
}

/// What was timed in a cell, per run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// Building the index, in ns.
    pub build: Option<Interval>,
    /// One insert, in ns.
    pub insert: Option<Interval>,
    /// A whole session, in ns.
    pub session: Option<Interval>,
    /// Items in the timed index.
    pub items: u64,
}

impl Times {
    /// Takes the samples of one row.
    pub fn add(&mut self, row: &TimedRow) {
        let samples: Vec<f64> =
            row.samples_ns.iter().map(|sample| *sample as f64 / f64::from(row.batch.max(1))).collect();
        let interval = median_interval(&samples, BOOTSTRAP_SEED);
        match row.timed {
            Timed::Build => self.build = interval,
            Timed::Insert => self.insert = interval,
            Timed::Session => self.session = interval,
            Timed::Victim | Timed::Empty => return,
        }
        self.items = row.n_items;
    }
}

/// The replicates of one contender at one point.
#[derive(Debug)]
pub struct Cell<'a> {
    /// By replicate.
    pub rows: Vec<&'a ExactRow>,
    /// How they ended.
    pub outcomes: Outcomes,
    /// Bytes of a session, a failed one counting as infinitely dear.
    pub bytes: Interval,
    /// Bytes that were spent, the failed sessions' included: where a cell without a median is drawn.
    pub bytes_spent: f64,
    /// Flights of a session, a failed one counting as infinitely many.
    pub flights: Interval,
    /// Median of peak heap, of all trials.
    pub heap_peak: f64,
    /// CPU times, where they were measured.
    pub times: Times,
}

/// A measured quantity of a trial that fails with it.
fn measured(rows: &[&ExactRow], value: impl Fn(&ExactRow) -> f64) -> Interval {
    let values: Vec<f64> =
        rows.iter().map(|row| if row.succeeded() { value(row) } else { f64::INFINITY }).collect();
    median_interval(&values, BOOTSTRAP_SEED).unwrap_or(Interval {
        low: f64::INFINITY,
        mid: f64::INFINITY,
        high: f64::INFINITY,
    })
}

impl<'a> Cell<'a> {
    /// Sums up replicates.
    pub fn new(mut rows: Vec<&'a ExactRow>, times: Times) -> Self {
        rows.sort_by_key(|row| row.replicate);
        let mut outcomes = Outcomes::default();
        for row in &rows {
            outcomes.add(row.outcome);
        }
        let spent: Vec<f64> = rows.iter().map(|row| row.bytes_total() as f64).collect();
        let heap: Vec<f64> = rows.iter().map(|row| row.heap_peak_bytes as f64).collect();
        Self {
            bytes: measured(&rows, |row| row.bytes_total() as f64),
            flights: measured(&rows, |row| f64::from(row.flights)),
            bytes_spent: median(&spent).unwrap_or(0.0),
            heap_peak: median(&heap).unwrap_or(0.0),
            outcomes,
            times,
            rows,
        }
    }

    /// Mean bytes of each purpose and direction (up, down), over all trials. Means, because parts of
    /// means sum up and parts of medians do not.
    pub fn purposes(&self) -> Vec<(&'static str, f64, f64)> {
        let trials = self.rows.len().max(1) as f64;
        Bytes::default()
            .parts()
            .iter()
            .enumerate()
            .map(|(place, (name, _))| {
                let mean = |bytes: fn(&ExactRow) -> &Bytes| {
                    self.rows.iter().map(|row| bytes(row).parts()[place].1 as f64).sum::<f64>() / trials
                };
                (*name, mean(|row| &row.up), mean(|row| &row.down))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_counted_apart() {
        let mut outcomes = Outcomes::default();
        for outcome in [Outcome::Exact, Outcome::Recovered, Outcome::GaveUp, Outcome::GaveUp, Outcome::Wrong]
        {
            outcomes.add(outcome);
        }
        assert_eq!(outcomes.trials(), 5);
        assert_eq!(outcomes.failures(), 3);
        assert_eq!(outcomes.merged(outcomes).gave_up, 4);
    }

    #[test]
    fn times_are_per_run() {
        let row = TimedRow {
            sweep: String::new(),
            point: 0,
            seed: 0,
            spec: String::new(),
            timed: Timed::Build,
            m: 10,
            n_items: 9,
            d: 1,
            batch: 10,
            samples_ns: vec![1000, 2000, 3000],
        };
        let mut times = Times::default();
        times.add(&row);
        assert_eq!(times.build.map(|interval| interval.mid), Some(200.0));
        assert_eq!(times.items, 9);
    }
}
