//! Who writes how much.

use std::ops::Range;

use serde::Serialize;

use super::Dist;
use super::dist::{at_once, steps};
use crate::Trace;
use crate::life::replay::written;

/// Ranks that are summed one by one in a Zipf law; beyond, the sum is an integral.
const RANKS_SUMMED: usize = 10_000;

/// Who writes how much.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Authorship {
    /// 0 if all write the same, near 1 if one writes all.
    pub gini: f64,
    /// Share of the messages by the author who writes most.
    pub top1: f64,
    /// By the ten who write most.
    pub top10: f64,
    /// Exponent s of the most likely Zipf law: the author of rank r writes in proportion to r^-s.
    pub zipf: f64,
    /// Share of the authors who wrote a single message.
    pub once: f64,
    /// Share of messages by the author of the message before.
    pub repeats: f64,
    /// Authors between their first and their last message, at the median moment: how many belong to the group at once.
    /// Of those who wrote more than once.
    pub alive: Option<f64>,
    /// Authors, Gini and Zipf exponent of the median window, for a trace stitched together from several.
    pub in_window: Option<[f64; 3]>,
}

pub(super) fn authorship(trace: &Trace, windows: &[Range<usize>]) -> Option<Authorship> {
    let author = |index: usize| trace.get(index).map(|record| record.author);
    let (mut repeats, mut pairs) = (0_u64, 0_u64);
    let mut in_window: [Vec<f64>; 3] = Default::default();
    for window in windows {
        for index in window.clone().skip(1) {
            repeats += u64::from(author(index) == author(index - 1));
            pairs += 1;
        }
        if windows.len() > 1 {
            let counts = counts(trace, window.clone());
            let values = [counts.len() as f64, gini(&counts), zipf(&counts)];
            in_window.iter_mut().zip(values).for_each(|(all, value)| all.push(value));
        }
    }
    let medians = in_window.map(|values| Dist::of(values).map(|dist| dist.p50));
    let counts = counts(trace, 0..trace.len());
    let total = counts.iter().sum::<u64>() as f64;
    let share = |ranks: usize| counts.iter().take(ranks).sum::<u64>() as f64 / total;
    (!counts.is_empty()).then(|| Authorship {
        gini: gini(&counts),
        top1: share(1),
        top10: share(10),
        zipf: zipf(&counts),
        once: counts.iter().filter(|count| **count == 1).count() as f64 / counts.len() as f64,
        repeats: repeats as f64 / pairs.max(1) as f64,
        alive: alive(trace),
        in_window: match medians {
            [Some(authors), Some(gini), Some(zipf)] => Some([authors, gini, zipf]),
            _ => None,
        },
    })
}

fn alive(trace: &Trace) -> Option<f64> {
    let mut spans: Vec<Option<(f64, f64)>> = vec![None; trace.header().authors as usize];
    for (record, at_ms, _) in written(trace) {
        let t = at_ms as f64 / 1000.0;
        spans[record.author as usize].get_or_insert((t, t)).1 = t;
    }
    let spans = spans.into_iter().flatten().filter(|(first, last)| first < last);
    at_once(&steps(spans)).map(|dist| dist.p50)
}

/// Messages of every author in a stretch of the trace, the most first.
fn counts(trace: &Trace, indexes: Range<usize>) -> Vec<u64> {
    let mut authors: Vec<u32> =
        indexes.filter_map(|index| trace.get(index)).map(|record| record.author).collect();
    authors.sort_unstable();
    let mut counts: Vec<u64> = authors.chunk_by(|a, b| a == b).map(|own| own.len() as u64).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts
}

/// Of counts, the most first.
fn gini(counts: &[u64]) -> f64 {
    let n = counts.len() as f64;
    let total = counts.iter().sum::<u64>() as f64;
    let ranked = counts.iter().rev().zip(1_u64..);
    ranked.map(|(count, rank)| (2.0 * rank as f64 - n - 1.0) * *count as f64).sum::<f64>() / (n * total)
}

/// The exponent under which counts, the most first, are likeliest: the least of s Σ c ln r + Σ c · ln Σ r^-s, which
/// has one valley, by golden section.
fn zipf(counts: &[u64]) -> f64 {
    let logs: Vec<f64> = (1..=counts.len().min(RANKS_SUMMED)).map(|rank| libm::log(rank as f64)).collect();
    let total = counts.iter().sum::<u64>() as f64;
    let weighted: f64 =
        counts.iter().zip(1_u64..).map(|(count, rank)| *count as f64 * libm::log(rank as f64)).sum();
    let cost = |s: f64| {
        let head: f64 = logs.iter().map(|log| libm::exp(-s * log)).sum();
        s * weighted + total * libm::log(head + tail(counts.len(), s))
    };
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.0, 8.0);
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut cost_a, mut cost_b) = (cost(a), cost(b));
    for _ in 0..45 {
        if cost_a < cost_b {
            (high, b, cost_b) = (b, a, cost_a);
            a = high - golden * (high - low);
            cost_a = cost(a);
        } else {
            (low, a, cost_a) = (a, b, cost_b);
            b = low + golden * (high - low);
            cost_b = cost(b);
        }
    }
    (low + high) / 2.0
}

/// Σ r^-s over the ranks beyond [`RANKS_SUMMED`]: the integral, and half of the difference of its ends.
fn tail(ranks: usize, s: f64) -> f64 {
    if ranks <= RANKS_SUMMED {
        return 0.0;
    }
    let (from, to) = (RANKS_SUMMED as f64, ranks as f64);
    let (log, rest) = (libm::log(to / from), 1.0 - s);
    let stretch = if rest.abs() < 1e-9 { log } else { libm::expm1(rest * log) / rest };
    let ends = (libm::pow(to, -s) - libm::pow(from, -s)) / 2.0;
    stretch * libm::pow(from, rest) + ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_authors_and_a_single_one() {
        assert_eq!(gini(&[5, 5, 5, 5]), 0.0);
        assert_eq!(gini(&[7]), 0.0);
        assert!((gini(&[97, 1, 1, 1]) - 0.72).abs() < 1e-12);
        assert!(zipf(&[5, 5, 5, 5]) < 1e-6);
    }

    #[test]
    fn a_zipf_law_is_found_again() {
        for s in [0.7, 1.0, 1.3] {
            let counts: Vec<u64> =
                (1..=500).map(|rank| (1e9 * libm::pow(f64::from(rank), -s)) as u64).collect();
            assert!((zipf(&counts) - s).abs() < 1e-4, "{s}: {}", zipf(&counts));
        }
    }

    #[test]
    fn the_tail_is_the_sum_that_it_stands_for() {
        for s in [0.5, 1.0, 1.3, 3.0] {
            let exact: f64 = (RANKS_SUMMED + 1..=50_000).map(|rank| libm::pow(rank as f64, -s)).sum();
            assert!((tail(50_000, s) / exact - 1.0).abs() < 1e-6, "{s}");
        }
    }
}
