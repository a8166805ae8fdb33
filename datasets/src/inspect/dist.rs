//! How values are spread, in a few numbers, and the Weibull law of sizes.

use serde::Serialize;

/// How values are spread.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dist {
    /// How many values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// A tenth of them are below.
    pub p10: f64,
    /// A quarter.
    pub p25: f64,
    /// Half.
    pub p50: f64,
    /// Three quarters.
    pub p75: f64,
    /// Nine tenths.
    pub p90: f64,
    /// 99 of a hundred.
    pub p99: f64,
    /// The greatest.
    pub max: f64,
}

impl Dist {
    /// Of these values; none if there are none.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        let max = {
            values.sort_unstable_by(f64::total_cmp);
            *values.last()?
        };
        // In the order of size: the same sum whatever the order given.
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let at = |quantile: f64| {
            let rank = quantile * (values.len() - 1) as f64;
            let (below, above) = (rank.floor() as usize, rank.ceil() as usize);
            values[below] + (rank - rank.floor()) * (values[above] - values[below])
        };
        Some(Self {
            count: values.len() as u64,
            mean,
            p10: at(0.1),
            p25: at(0.25),
            p50: at(0.5),
            p75: at(0.75),
            p90: at(0.9),
            p99: at(0.99),
            max,
        })
    }

    /// Of values that each hold for a while: the quantile is the least value that holds for this share of the
    /// time or is above those that do.
    pub(super) fn weighted(mut values: Vec<(f64, f64)>) -> Option<Self> {
        values.retain(|(_, weight)| *weight > 0.0);
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let max = values.last()?.0;
        let total: f64 = values.iter().map(|(_, weight)| weight).sum();
        let at = |quantile: f64| {
            let mut sum = 0.0;
            let reached = values.iter().find(|(_, weight)| {
                sum += weight;
                sum >= quantile * total
            });
            reached.map_or(max, |(value, _)| *value)
        };
        Some(Self {
            count: values.len() as u64,
            mean: values.iter().map(|(value, weight)| value * weight).sum::<f64>() / total,
            p10: at(0.1),
            p25: at(0.25),
            p50: at(0.5),
            p75: at(0.75),
            p90: at(0.9),
            p99: at(0.99),
            max,
        })
    }
}

/// How many stretches, each a begin and an end, hold from when on: at every change of that number.
pub(super) fn steps(stretches: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, i64)> {
    let mut changes: Vec<(f64, i64)> = stretches.flat_map(|(on, off)| [(on, 1), (off, -1)]).collect();
    changes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut count = 0;
    for (_, change) in &mut changes {
        count += *change;
        *change = count;
    }
    // Of changes at one moment the last tells.
    changes.reverse();
    changes.dedup_by(|before, kept| before.0 == kept.0);
    changes.reverse();
    changes
}

/// How many hold at once, over the time from the first step to the last.
pub(super) fn at_once(steps: &[(f64, i64)]) -> Option<Dist> {
    Dist::weighted(steps.windows(2).map(|two| (two[0].1 as f64, two[1].0 - two[0].0)).collect())
}

/// A Weibull law: the share of values above x is exp(-(x / scale)^k).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Weibull {
    /// Its shape.
    pub k: f64,
    /// Its scale.
    pub scale: f64,
}

impl Weibull {
    /// The most likely one for these values, all above 0; none if they do not differ.
    ///
    /// The likelihood is greatest where Σ x^k ln x / Σ x^k − 1/k = mean of ln x: the left side rises with k, so
    /// halving finds it.
    pub fn fit(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        if least <= 0.0 || least == most {
            return None;
        }
        // Sizes are few different numbers: each is looked at once, as a share of the greatest, so that no power
        // overflows.
        let logs: Vec<(f64, f64)> = values
            .chunk_by(|a, b| a == b)
            .map(|equal| (libm::log(equal[0] / most), equal.len() as f64))
            .collect();
        let count = values.len() as f64;
        let mean_log = logs.iter().map(|(log, n)| log * n).sum::<f64>() / count;
        let sums = |k: f64| {
            logs.iter().fold((0.0, 0.0), |(powers, weighted), (log, n)| {
                let power = n * libm::exp(k * log);
                (powers + power, weighted + power * log)
            })
        };
        let (mut low, mut high) = (1e-3, 1e3);
        for _ in 0..60 {
            let k = (low + high) / 2.0;
            let (powers, weighted) = sums(k);
            if weighted / powers - 1.0 / k > mean_log { high = k } else { low = k }
        }
        let k = (low + high) / 2.0;
        Some(Self { k, scale: most * libm::pow(sums(k).0 / count, 1.0 / k) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_values() {
        let dist = Dist::of(vec![4.0, 1.0, 2.0]).unwrap();
        assert_eq!((dist.count, dist.p25, dist.p50, dist.p75, dist.max), (3, 1.5, 2.0, 3.0, 4.0));
        assert_eq!(Dist::of(Vec::new()), None);
        assert_eq!(Dist::of(vec![7.0]).unwrap().p99, 7.0);
    }

    #[test]
    fn weights_are_times() {
        let dist = Dist::weighted(vec![(5.0, 1.0), (1.0, 8.0), (9.0, 0.0), (2.0, 1.0)]).unwrap();
        assert_eq!((dist.p75, dist.p90, dist.p99, dist.max), (1.0, 2.0, 5.0, 5.0));
        assert_eq!(dist.mean, 1.5);
    }

    #[test]
    fn steps_count_what_holds_at_once() {
        let steps = steps([(0.0, 5.0), (2.0, 2.0), (2.0, 5.0), (5.0, 8.0)].into_iter());
        assert_eq!(steps, [(0.0, 1), (2.0, 2), (5.0, 1), (8.0, 0)]);
        let dist = at_once(&steps).unwrap();
        assert_eq!((dist.p50, dist.p75, dist.mean), (1.0, 2.0, 11.0 / 8.0));
        assert_eq!(at_once(&[]), None);
    }

    /// Values at the quantiles (i + 1/2) / n of a known law give that law back.
    #[test]
    fn a_weibull_law_is_found_again() {
        for (k, scale) in [(0.5, 10.0), (1.27, 93.0), (8.0, 1e6)] {
            let value = |i: u32| {
                let above = 1.0 - (f64::from(i) + 0.5) / 4000.0;
                scale * libm::pow(-libm::log(above), 1.0 / k)
            };
            let found = Weibull::fit((0..4000).map(value).collect()).unwrap();
            assert!((found.k / k - 1.0).abs() < 0.01, "{k}: {found:?}");
            assert!((found.scale / scale - 1.0).abs() < 0.01, "{scale}: {found:?}");
        }
        assert_eq!(Weibull::fit(vec![3.0, 3.0]), None);
        assert_eq!(Weibull::fit(Vec::new()), None);
    }
}
