//! The few statistics the report needs, each small enough to be checked by hand.
//!
//! Failed trials enter as `+∞`: a session that did not reach the truth cost more than any that did. So a
//! median over trials is infinite as soon as half of them fail, and a strategy cannot look cheap by
//! giving up early. All functions therefore accept infinities; none accepts NaN.

/// Number of resamples of a bootstrap interval.
pub const RESAMPLES: u32 = 1000;

/// z of a two-sided 95% interval.
const Z: f64 = 1.959_963_984_540_054;

/// A deterministic generator for resampling (splitmix64). Not for anything a peer may guess.
#[derive(Clone, Debug)]
pub struct Splitmix(u64);

impl Splitmix {
    /// Equal seeds give equal streams.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `len`, which must not be 0. Multiply-shift; its bias of `len / 2^64` does not matter here.
    pub fn below(&mut self, len: usize) -> usize {
        ((u128::from(self.next()) * len as u128) >> 64) as usize
    }
}

/// A middle value with its 95% interval. With one observation the interval is that observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// The estimate.
    pub mid: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether two intervals share a value: then their order is not settled.
    pub fn overlaps(&self, other: &Interval) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// Quantile of type 7 (linear between order statistics, as in R and NumPy) of sorted values.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let fraction = place - below as f64;
    // Equal ends are answered without arithmetic: ∞ − ∞ is not a number.
    Some(if fraction == 0.0 || low == high { low } else { low + (high - low) * fraction })
}

/// Median of values in any order.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// Median with the percentile interval of [`RESAMPLES`] bootstrap resamples.
///
/// `seed` makes it repeatable. Values are sorted once and resamples draw ranks, so no float is compared twice.
pub fn median_interval(values: &[f64], seed: u64) -> Option<Interval> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mid = quantile(&sorted, 0.5)?;
    let (first, last) = (sorted[0], sorted[sorted.len() - 1]);
    if first == last {
        return Some(Interval { low: mid, mid, high: mid });
    }
    let mut rng = Splitmix::new(seed);
    let mut counts = vec![0u32; sorted.len()];
    let mut medians: Vec<f64> =
        (0..RESAMPLES).map(|_| resampled_median(&sorted, &mut counts, &mut rng)).collect();
    medians.sort_by(f64::total_cmp);
    let low = quantile(&medians, 0.025)?;
    let high = quantile(&medians, 0.975)?;
    // A percentile interval may miss its own estimate on tiny samples; ours never claims that.
    Some(Interval { low: low.min(mid), mid, high: high.max(mid) })
}

/// Median of one resample of `sorted`; `counts`, of the same length, which must not be 0, is where it is tallied how often
/// each value was drawn: the ranks are their own order, and nothing need be sorted.
fn resampled_median(sorted: &[f64], counts: &mut [u32], rng: &mut Splitmix) -> f64 {
    counts.fill(0);
    for _ in 0..sorted.len() {
        counts[rng.below(sorted.len())] += 1;
    }
    let half = sorted.len() as u32 / 2;
    let (mut rank, mut drawn) = (0, counts[0]);
    // The value with so many drawn ones below it, of equals any.
    let mut after = |below: u32| {
        while drawn <= below {
            rank += 1;
            drawn += counts[rank];
        }
        sorted[rank]
    };
    if !sorted.len().is_multiple_of(2) {
        return after(half);
    }
    let (low, high) = (after(half - 1), after(half));
    if low == high { low } else { low + (high - low) * 0.5 }
}

/// Mean with the percentile interval of [`RESAMPLES`] bootstrap resamples: for costs whose tail counts, as that of
/// sessions that sometimes have to try again. Values must be finite.
pub fn mean_interval(values: &[f64], seed: u64) -> Option<Interval> {
    let mean = |sum: f64| sum / values.len() as f64;
    let first = values.first()?;
    let mid = mean(values.iter().sum());
    if values.iter().all(|value| value == first) {
        return Some(Interval { low: *first, mid: *first, high: *first });
    }
    let mut rng = Splitmix::new(seed);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| mean((0..values.len()).map(|_| values[rng.below(values.len())]).sum()))
        .collect();
    means.sort_by(f64::total_cmp);
    let (low, high) = (quantile(&means, 0.025)?, quantile(&means, 0.975)?);
    Some(Interval { low: low.min(mid), mid, high: high.max(mid) })
}

/// Trials without a failure after which Wilson's interval excludes `rate`: z²·(1 − p)/p.
pub fn trials_to_exclude(rate: f64) -> u64 {
    (Z * Z * (1.0 - rate) / rate).ceil() as u64
}

/// Wilson's 95% interval of a rate. Without a single hit the lower end is 0 and the upper end says what
/// the trials cannot exclude. Without trials it is 0 to 1.
pub fn wilson(hits: u64, trials: u64) -> Interval {
    if trials == 0 {
        return Interval { low: 0.0, mid: 0.0, high: 1.0 };
    }
    let n = trials as f64;
    let rate = hits as f64 / n;
    let z2 = Z * Z;
    let centre = rate + z2 / (2.0 * n);
    let spread = Z * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the ends the formula is exact in theory and off by a rounding in floats.
    let low = if hits == 0 { 0.0 } else { (centre - spread) / scale };
    let high = if hits == trials { 1.0 } else { (centre + spread) / scale };
    Interval { low, mid: rate, high }
}

/// Geometric mean of positive values; `None` when empty or when a value is not positive.
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() || values.iter().any(|value| *value <= 0.0) {
        return None;
    }
    Some((values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn quantiles_are_type_7() {
        // R: quantile(c(1, 2, 3, 4, 10), c(.1, .25, .5, .9)) = 1.4 2.0 3.0 7.6
        let sorted = [1.0, 2.0, 3.0, 4.0, 10.0];
        for (share, expected) in [(0.1, 1.4), (0.25, 2.0), (0.5, 3.0), (0.9, 7.6), (1.0, 10.0)] {
            let got = quantile(&sorted, share).unwrap();
            assert!((got - expected).abs() < 1e-12, "{share}: {got}");
        }
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn failed_trials_are_dear() {
        assert_eq!(median(&[10.0, INF, 30.0]), Some(30.0));
        assert_eq!(median(&[10.0, INF, INF]), Some(INF));
        assert_eq!(median(&[10.0, INF]), Some(INF));
        let interval = median_interval(&[10.0, 11.0, 12.0, 13.0, INF], 1).unwrap();
        assert_eq!(interval.mid, 12.0);
        assert!(interval.low.is_finite());
    }

    #[test]
    fn bootstrap_is_repeatable_and_of_the_right_width() {
        let values: Vec<f64> = (1..=99).map(f64::from).collect();
        let interval = median_interval(&values, 7).unwrap();
        assert_eq!(Some(interval), median_interval(&values, 7));
        assert_eq!(interval.mid, 50.0);
        // Order statistics 40 and 60 enclose the median of 99 values with 95%.
        assert!((37.0..=43.0).contains(&interval.low), "{interval:?}");
        assert!((57.0..=63.0).contains(&interval.high), "{interval:?}");
        let one = median_interval(&[5.0], 7).unwrap();
        assert_eq!((one.low, one.high), (5.0, 5.0));
        assert_eq!(median_interval(&[], 7), None);
    }

    #[test]
    fn a_resample_has_the_median_of_its_values() {
        let mut rng = Splitmix::new(3);
        for len in 1..40usize {
            let sorted: Vec<f64> = (0..len).map(|value| (value * value) as f64).collect();
            let mut counts = vec![0; len];
            let fast = resampled_median(&sorted, &mut counts, &mut rng);
            let drawn = sorted.iter().zip(&counts).flat_map(|(value, count)| vec![*value; *count as usize]);
            let values: Vec<f64> = drawn.collect();
            assert_eq!(values.len(), len);
            assert_eq!(Some(fast), median(&values));
        }
    }

    #[test]
    fn wilson_matches_published_values() {
        // Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
        let middle = wilson(81, 263);
        assert!((middle.low - 0.2553).abs() < 1e-4, "{middle:?}");
        assert!((middle.high - 0.3662).abs() < 1e-4, "{middle:?}");
        let zero = wilson(0, 20);
        assert_eq!(zero.low, 0.0);
        assert!((zero.high - 0.1611).abs() < 1e-4, "{zero:?}");
        assert_eq!(wilson(5, 5).high, 1.0);
        assert_eq!(wilson(0, 0).high, 1.0);
    }

    #[test]
    fn a_mean_feels_its_tail() {
        // One in ten costs ten times as much: the median does not see it.
        let values: Vec<f64> = (0..200).map(|at| if at % 10 == 0 { 100.0 } else { 10.0 }).collect();
        let interval = mean_interval(&values, 7).unwrap();
        assert!((interval.mid - 19.0).abs() < 1e-9, "{interval:?}");
        // Two deviations of 27 over the root of 200.
        assert!(
            (14.5..16.0).contains(&interval.low) && (22.0..23.5).contains(&interval.high),
            "{interval:?}"
        );
        assert_eq!(mean_interval(&[5.0, 5.0], 7).map(|one| (one.low, one.high)), Some((5.0, 5.0)));
        assert_eq!(mean_interval(&[], 7), None);
    }

    #[test]
    fn so_many_trials_exclude_a_rate() {
        for rate in [1e-2, 1e-3, 1e-6] {
            let trials = trials_to_exclude(rate);
            assert!(wilson(0, trials).high <= rate && wilson(0, trials - 2).high > rate, "{rate}: {trials}");
        }
    }

    #[test]
    fn geometric_mean_of_ratios() {
        let mean = geometric_mean(&[1.0, 4.0, 16.0]).unwrap();
        assert!((mean - 4.0).abs() < 1e-12);
        assert_eq!(geometric_mean(&[1.0, 0.0]), None);
        assert_eq!(geometric_mean(&[]), None);
    }

    #[test]
    fn intervals_overlap_when_they_touch() {
        let a = Interval { low: 1.0, mid: 2.0, high: 3.0 };
        let b = Interval { low: 3.0, mid: 4.0, high: 5.0 };
        let c = Interval { low: 3.1, mid: 4.0, high: 5.0 };
        assert!(a.overlaps(&b));
        assert!(!a.overlaps(&c));
    }
}
