//! What is wrong with timestamps: clocks that are off, messages stamped long before they come, ties.
//!
//! A message is ordered by the time that its author claims, and strategies that go by time ranges or by
//! "since when" believe it. The defaults are true clocks with full milliseconds.

use offerbench_algos::Seed;

use super::laws::exponential;
use super::place::Draft;
use super::{LifeError, Online};

/// What is wrong with the timestamps of a life. The default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// Each member's clock is off by an amount that stays the same, drawn uniformly from minus to plus so
    /// many seconds.
    pub skew_max_s: u32,
    /// How many messages in a million are stamped before they are written into the group: composed offline,
    /// or held back.
    pub late_ppm: u32,
    /// How long before, on average, in seconds. The lateness is exponential.
    pub late_mean_s: u32,
    /// Stamps are rounded down to a multiple of so many seconds, counted from the beginning of the life:
    /// ties. 0: not rounded. One second gives the ties of commits, 60 those of chat logs without seconds.
    pub tie_s: u32,
}

impl Clocks {
    /// No clock is off, and no message late, by more than this on average: a year, in seconds. A single
    /// message is at most 37 times as late (the logarithm of 2^53), so that stamps stay after 1970 if the
    /// life starts today.
    pub const OFF_S_MAX: u32 = 366 * 86_400;

    pub(super) fn check(&self) -> Result<(), LifeError> {
        let within = |what, value: u32, max: u32| {
            if value > max { Err(LifeError::Clock { what, value, max }) } else { Ok(()) }
        };
        within("skew_max_s", self.skew_max_s, Self::OFF_S_MAX)?;
        within("late_mean_s", self.late_mean_s, Self::OFF_S_MAX)?;
        within("tie_s", self.tie_s, Self::OFF_S_MAX)?;
        within("late_ppm", self.late_ppm, Online::PPM)
    }

    /// How far the stamp of each draft is ahead of its time, in milliseconds.
    pub(super) fn skews_ms(&self, drafts: &[Draft], seed: Seed) -> Vec<i64> {
        let skew_ms = i64::from(self.skew_max_s) * 1000;
        let tie_ms = i64::from(self.tie_s) * 1000;
        let skews = seed.child("skews");
        let mut late = seed.child("late").rng();
        let skew = |draft: &Draft| {
            let mut stamp_ms = draft.at_ms as i64;
            if skew_ms > 0 {
                // By hand of the seed alone, without the set-up of a stream: the bias is below 2^-20.
                let point = skews.nth(u64::from(draft.author)).value() % (2 * skew_ms + 1) as u64;
                stamp_ms += point as i64 - skew_ms;
            }
            if self.late_ppm > 0 && late.below(u64::from(Online::PPM)) < u64::from(self.late_ppm) {
                stamp_ms -= exponential(&mut late, f64::from(self.late_mean_s) * 1000.0) as i64;
            }
            if tie_ms > 0 {
                stamp_ms = stamp_ms.div_euclid(tie_ms) * tie_ms;
            }
            stamp_ms - draft.at_ms as i64
        };
        drafts.iter().map(skew).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafts() -> Vec<Draft> {
        (0..20_000).map(|n| Draft { at_ms: 1_000_000_000 + n * 977, author: (n % 100) as u32 }).collect()
    }

    #[test]
    fn true_clocks_are_true() {
        assert!(Clocks::default().skews_ms(&drafts(), Seed::new(1)).iter().all(|skew| *skew == 0));
    }

    #[test]
    fn a_member_s_clock_is_off_by_the_same_all_the_time_and_members_differ() {
        let clocks = Clocks { skew_max_s: 120, ..Clocks::default() };
        let skews = clocks.skews_ms(&drafts(), Seed::new(1));
        for member in 0..100 {
            assert!(skews.iter().skip(member).step_by(100).all(|skew| *skew == skews[member]));
        }
        let (min, max) = (skews.iter().min().unwrap(), skews.iter().max().unwrap());
        // The extremes of 100 uniform draws: outside with a chance of .9^100 each.
        assert!((-120_000..-96_000).contains(min) && (96_000..=120_000).contains(max), "{min} {max}");
    }

    #[test]
    fn some_are_late_by_the_mean_and_nobody_is_early() {
        let clocks = Clocks { late_ppm: 250_000, late_mean_s: 3_600, ..Clocks::default() };
        let skews = clocks.skews_ms(&drafts(), Seed::new(1));
        let late: Vec<i64> = skews.into_iter().filter(|skew| *skew != 0).collect();
        // Binomial(20,000, 1/4) deviates by 61, the mean of 5,000 exponential lengths by 1.4%.
        assert!((4_700..5_300).contains(&late.len()), "{}", late.len());
        let mean_s = -late.iter().sum::<i64>() as f64 / 1000.0 / late.len() as f64;
        assert!((3_350.0..3_850.0).contains(&mean_s), "{mean_s}");
        assert!(late.iter().all(|skew| *skew < 0));
    }

    #[test]
    fn stamps_are_rounded_down() {
        let clocks = Clocks { skew_max_s: 7, tie_s: 60, ..Clocks::default() };
        let drafts = drafts();
        let skews = clocks.skews_ms(&drafts, Seed::new(1));
        assert!(drafts.iter().zip(&skews).all(|(draft, skew)| (draft.at_ms as i64 + skew) % 60_000 == 0));
        assert!(skews.iter().all(|skew| (-67_000..=7_000).contains(skew)));
    }
}
