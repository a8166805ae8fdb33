//! How much is written when, and what lies between.

use std::ops::Range;

use serde::Serialize;

use super::{DAY_S, Dist, times};
use crate::Trace;

/// Days that can be counted one by one: some five thousand years.
const DAYS_MAX: f64 = 2e6;

/// How much is written when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// Messages an hour in each window that lasts: one value for a trace that was not stitched.
    pub hourly: Option<Dist>,
    /// Share of hours without a message, within windows.
    pub silent_hours: f64,
    /// Authors in a full hour with messages.
    pub authors_an_hour: Option<Dist>,
    /// Days, for a trace of several that was not stitched.
    pub daily: Option<Daily>,
}

/// Messages a day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Daily {
    /// From midnight to midnight where the clock is known, else from the start of the trace.
    pub messages: Dist,
    /// Share of days without any.
    pub zero: f64,
    /// Variance over mean: 1 if messages came independently of each other.
    pub fano: f64,
    /// Mean of each day of the week, Monday first; only where it is known.
    pub weekdays: Option<[f64; 7]>,
}

/// What lies between two messages, within windows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gaps {
    /// In seconds.
    pub seconds: Dist,
    /// (σ − μ) / (σ + μ): −1 for a clockwork, 0 for messages independent of each other, 1 for bursts.
    pub burstiness: f64,
    /// Correlation of a gap with the next: 0 if they know nothing of each other.
    pub memory: f64,
}

pub(super) fn rate(trace: &Trace, windows: &[Range<usize>]) -> Option<Rate> {
    let times = times(trace);
    let (first, last) = (times.first()?, times.last()?);
    let mut hourly = Vec::new();
    let (mut hours, mut hours_with) = (0.0, 0_u64);
    let mut authors_an_hour = Vec::new();
    for window in windows {
        let (start, end) = (times[window.start], times[window.end - 1]);
        let full = ((end - start) / 3600.0).floor();
        if end > start {
            hourly.push(window.len() as f64 * 3600.0 / (end - start));
        }
        hours += full.max(1.0);
        let hour = |t: f64| ((t - start) / 3600.0).floor();
        let mut from = window.start;
        // Hours that end within the window, or the one hour of a short one.
        while from < window.end && hour(times[from]) < full.max(1.0) {
            let this = hour(times[from]);
            let until = from + times[from..window.end].partition_point(|t| hour(*t) == this);
            let mut authors: Vec<u32> =
                (from..until).filter_map(|index| trace.get(index)).map(|record| record.author).collect();
            authors.sort_unstable();
            authors.dedup();
            hours_with += 1;
            if full >= 1.0 {
                authors_an_hour.push(authors.len() as f64);
            }
            from = until;
        }
    }
    let silent_hours = 1.0 - hours_with as f64 / hours;
    let daily = (windows.len() == 1 && last - first >= 2.0 * DAY_S).then(|| daily(trace)).flatten();
    Some(Rate { hourly: Dist::of(hourly), silent_hours, authors_an_hour: Dist::of(authors_an_hour), daily })
}

fn daily(trace: &Trace) -> Option<Daily> {
    let header = trace.header();
    // From midnight before t = 0, if that is known; the axis of `times` begins with the first message.
    let offset_s = match header.t0_clock_s {
        Some(clock_s) => trace.get(0)?.t + clock_s,
        None => 0.0,
    };
    let days: Vec<f64> = times(trace).into_iter().map(|t| ((t + offset_s) / DAY_S).floor()).collect();
    let (first, last) = (*days.first()?, *days.last()?);
    if last - first >= DAYS_MAX {
        return None;
    }
    let mut counts = vec![0.0; (last - first) as usize + 1];
    for day in &days {
        counts[(day - first) as usize] += 1.0;
    }
    let count = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / count;
    let variance = counts.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / count;
    let weekdays = header.t0_weekday.zip(header.t0_clock_s).map(|(weekday, _)| {
        let mut sums = [(0.0, 0.0); 7];
        for (n, day) in counts.iter().zip(first as i64..) {
            let (sum, days) = &mut sums[(day + i64::from(weekday)).rem_euclid(7) as usize];
            *sum += n;
            *days += 1.0;
        }
        sums.map(|(sum, days)| if days > 0.0 { sum / days } else { 0.0 })
    });
    let zero = counts.iter().filter(|n| **n == 0.0).count() as f64 / count;
    Some(Daily { messages: Dist::of(counts)?, zero, fano: variance / mean, weekdays })
}

pub(super) fn gaps(trace: &Trace, windows: &[Range<usize>]) -> Option<Gaps> {
    let times = times(trace);
    let mut pairs = Correlation::default();
    let mut gaps = Vec::new();
    for window in windows {
        let own = &times[window.clone()];
        own.windows(3).for_each(|three| pairs.add(three[1] - three[0], three[2] - three[1]));
        gaps.extend(own.windows(2).map(|two| two[1] - two[0]));
    }
    drop(times);
    let mean = gaps.iter().sum::<f64>() / gaps.len().max(1) as f64;
    let squares: f64 = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum();
    let seconds = Dist::of(gaps)?;
    let deviation = (squares / seconds.count as f64).sqrt();
    // All messages at one moment: neither clockwork nor bursts.
    let burstiness = if mean > 0.0 { (deviation - mean) / (deviation + mean) } else { 0.0 };
    Some(Gaps { seconds, burstiness, memory: pairs.value() })
}

/// Correlation of two series, in one pass (Welford).
#[derive(Default)]
struct Correlation {
    count: f64,
    mean: (f64, f64),
    squares: (f64, f64),
    products: f64,
}

impl Correlation {
    fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        let before = (x - self.mean.0, y - self.mean.1);
        self.mean.0 += before.0 / self.count;
        self.mean.1 += before.1 / self.count;
        self.squares.0 += before.0 * (x - self.mean.0);
        self.squares.1 += before.1 * (y - self.mean.1);
        self.products += before.0 * (y - self.mean.1);
    }

    fn value(&self) -> f64 {
        let scale = (self.squares.0 * self.squares.1).sqrt();
        if scale > 0.0 { self.products / scale } else { 0.0 }
    }
}
