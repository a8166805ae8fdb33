//! One contender at one point of a sweep over groups: its replicates, and what they amount to.
//!
//! Replicates are few and each is a whole group's life, so a cell shows the middle one and the least and the
//! most of them, and claims no confidence. A trial in which something did not arrive in time is no failure:
//! its bytes count, and the share that was delivered stands beside them.

use crate::record::{GroupOutcome, GroupRow, Hist, Kinds};
use crate::stats::{Interval, median};

/// Median of replicates, with the least and the most of them.
pub fn spread(values: &[f64]) -> Option<Interval> {
    let mid = median(values)?;
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(Interval { low, mid, high })
}

/// The replicates of one contender at one point.
#[derive(Debug)]
pub struct GroupCell<'a> {
    /// By replicate.
    pub rows: Vec<&'a GroupRow>,
    /// Bytes that a member sends and receives in a day.
    pub member_day: Interval,
    /// CPU time of a member in a day, in nanoseconds, where it was measured.
    pub cpu_day: Option<Interval>,
    /// CPU time of each replicate's whole trial, in nanoseconds, where it was measured.
    pub cpu_ns: Vec<Option<u64>>,
    /// Trials in which something happened that must not.
    pub wrong: u64,
}

impl<'a> GroupCell<'a> {
    /// Sums up replicates, each with its CPU time. None without any.
    pub fn new(mut rows: Vec<(&'a GroupRow, Option<u64>)>) -> Option<Self> {
        rows.sort_by_key(|(row, _)| row.replicate);
        let days: Vec<f64> = rows.iter().map(|(row, _)| row.member_day_bytes()).collect();
        let cpu: Vec<f64> = rows
            .iter()
            .filter_map(|(row, cpu)| cpu.map(|ns| ns as f64 / f64::from(row.n.max(1)) / row.days()))
            .collect();
        Some(Self {
            member_day: spread(&days)?,
            cpu_day: spread(&cpu),
            wrong: rows.iter().filter(|(row, _)| row.outcome == GroupOutcome::Wrong).count() as u64,
            cpu_ns: rows.iter().map(|(_, cpu)| *cpu).collect(),
            rows: rows.into_iter().map(|(row, _)| row).collect(),
        })
    }

    /// A sum over the replicates.
    pub fn sum(&self, value: impl Fn(&GroupRow) -> u64) -> u64 {
        self.rows.iter().fold(0, |sum, row| sum.saturating_add(value(row)))
    }

    /// Share of the deliveries due that took place, of all replicates together; 1 where nothing was due.
    pub fn delivered(&self) -> f64 {
        ratio(self.sum(|row| row.delivered), self.sum(|row| row.needed)).unwrap_or(1.0)
    }

    /// Deliveries due of messages that were written: those whose time from writing can be told.
    pub fn due_since_writing(&self) -> u64 {
        self.sum(|row| row.needed.saturating_sub(row.lacked))
    }

    /// Share of the deliveries due that could have taken place at all, given who was online when.
    pub fn possible(&self) -> f64 {
        let sum = self.rows.iter().map(|row| f64::from(row.possible_ppm)).sum::<f64>();
        sum / 1e6 / self.rows.len().max(1) as f64
    }

    /// Share of the bytes that are no bodies; 0 where nothing was sent.
    pub fn overhead(&self) -> f64 {
        let all = self.sum(|row| row.sent_bytes.total());
        ratio(self.sum(|row| row.sent_bytes.overhead()), all).unwrap_or(0.0)
    }

    /// Messages that arrived where they were held already, for each that was delivered.
    pub fn duplicates(&self) -> Option<f64> {
        ratio(self.sum(|row| row.redundant), self.sum(|row| row.delivered))
    }

    /// Bytes of their bodies that a member receives in a day for nothing.
    pub fn duplicate_day(&self) -> Option<Interval> {
        let each = |row: &&GroupRow| row.redundant_bytes as f64 / f64::from(row.n.max(1)) / row.days();
        spread(&self.rows.iter().map(each).collect::<Vec<_>>())
    }

    /// Times from writing to delivery, of all replicates together.
    pub fn delivery(&self) -> Hist {
        self.merged(|row| &row.delivery_ms)
    }

    /// Times from coming online to holding all that was missed.
    pub fn catch_up(&self) -> Hist {
        self.merged(|row| &row.catch_up_ms)
    }

    /// Messages missed, a value a return.
    pub fn missed(&self) -> Hist {
        self.merged(|row| &row.missed)
    }

    fn merged(&self, part: impl Fn(&'a GroupRow) -> &'a Hist) -> Hist {
        let mut all = Hist::default();
        for row in &self.rows {
            all.merge(part(row));
        }
        all
    }

    /// Mean bytes by kind of record that all members together send in a day. Means, because parts of means
    /// sum up and parts of medians do not.
    pub fn kinds_day(&self) -> Vec<(&'static str, f64)> {
        let names = Kinds::default().parts();
        let mean = |place: usize| {
            let each = self.rows.iter().map(|row| row.sent_bytes.parts()[place].1 as f64 / row.days());
            each.sum::<f64>() / self.rows.len().max(1) as f64
        };
        names.iter().enumerate().map(|(place, (name, _))| (*name, mean(place))).collect()
    }
}

/// `part` of `whole`, if there is a whole.
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
