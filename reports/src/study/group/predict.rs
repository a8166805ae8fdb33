//! What a member pays at sizes that nobody measured, from those around them.
//!
//! Two laws are tried on the points of one contender under one set of conditions:
//!
//! - a **sum**: sessions a member and day, times what one costs (a fixed part, and a part for each message held), and a price for each
//!   message written. It says that finding out that nothing is missing and delivering what was written are different
//!   things. None of its terms is negative; how often sessions are begun follows a power of N;
//! - a **power**: `M^a N^c`, straight on logarithmic axes.
//!
//! Each is put to the test by leaving out one measured point after the other and predicting it from the rest. The
//! law with the smaller error (root mean square, on logarithms) is used, and its interval is that error times
//! Student's t: what happened when points that are known were predicted is what is to be expected of those that are not.
//! Laws are not stretched beyond [`REACH`] times the measured range, on either side.

use crate::fit::{least_squares, student};
use crate::stats::Interval;

/// How far beyond the measured sizes a law is believed: a factor.
pub const REACH: f64 = 3.0;

/// Points that a law needs: three unknowns, and two by which it can be tested.
pub const POINTS_MIN: usize = 5;

/// A measured point, replicates averaged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Members.
    pub n: f64,
    /// Messages in the set at the end.
    pub m: f64,
    /// Messages written in a day by all members together.
    pub written_day: f64,
    /// Sessions that a member begins in a day.
    pub sessions_day: f64,
    /// Bytes that a member sends and receives in a day; above 0.
    pub cost: f64,
}

/// Which law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Sessions and deliveries.
    Sum,
    /// A power of M and N.
    Power,
}

impl Form {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum of idle sessions and deliveries",
            Self::Power => "power law",
        }
    }
}

/// A law with the error by which it was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    /// Which.
    pub form: Form,
    /// Points that it rests on.
    pub points: usize,
    /// Root mean square of the errors on logarithms, each point predicted from the others.
    pub error: f64,
    /// The largest of them.
    pub error_max: f64,
    terms: Terms,
    ranges: [(f64, f64); 2],
}

/// Coefficients.
#[derive(Clone, Debug, PartialEq)]
enum Terms {
    /// Of a session, of a session and message held, of a message written; constant and exponent of sessions in N.
    Sum([f64; 3], [f64; 2]),
    /// Constant, exponents of M and N.
    Power([f64; 3]),
}

/// Columns of which less than this share is their own depend on those before them.
const OWN_MIN: f64 = 1e-9;

/// Least squares for those of three unknowns that are used; the others are 0. `None` where columns depend on each other.
fn solve(rows: &[([f64; 3], f64)], used: [bool; 3]) -> Option<[f64; 3]> {
    let places: Vec<usize> = (0..3).filter(|place| used[*place]).collect();
    let column = |place: &usize| rows.iter().map(|(x, _)| x[*place]).collect();
    let columns: Vec<Vec<f64>> = places.iter().map(column).collect();
    let costs: Vec<f64> = rows.iter().map(|(_, y)| *y).collect();
    let mut answer = [0.0; 3];
    for (place, value) in places.iter().zip(least_squares(&columns, &costs, OWN_MIN)?) {
        answer[*place] = value;
    }
    Some(answer)
}

/// What the sum is a sum of, at a point.
fn parts(m: f64, sessions: f64, written: f64) -> [f64; 3] {
    [sessions, sessions * m, written]
}

/// Constant and exponent of the sessions in N; nobody begins any: zero.
fn sessions(seen: &[Seen]) -> [f64; 2] {
    let rows: Vec<([f64; 3], f64)> = seen
        .iter()
        .filter(|one| one.sessions_day > 0.0)
        .map(|one| ([1.0, libm::log(one.n), 0.0], libm::log(one.sessions_day)))
        .collect();
    if rows.is_empty() {
        return [f64::NEG_INFINITY, 0.0];
    }
    let [constant, exponent, _] =
        solve(&rows, [true, true, false]).or_else(|| solve(&rows, [true, false, false])).unwrap_or_default();
    [constant, exponent]
}

impl Terms {
    fn fit(form: Form, seen: &[Seen]) -> Option<Self> {
        match form {
            Form::Sum => {
                // Relative errors count: a point that costs a kilobyte weighs as much as one that costs a megabyte.
                let rows: Vec<([f64; 3], f64)> = seen
                    .iter()
                    .map(|one| {
                        (parts(one.m, one.sessions_day, one.written_day).map(|part| part / one.cost), 1.0)
                    })
                    .collect();
                let missed = |terms: &[f64; 3]| {
                    let each =
                        rows.iter().map(|(x, y)| y - x.iter().zip(terms).map(|(x, t)| x * t).sum::<f64>());
                    each.map(|rest| rest * rest).sum::<f64>()
                };
                let choices = (1..8u32).map(|bits| [bits & 1 > 0, bits & 2 > 0, bits & 4 > 0]);
                let fitted = choices.filter_map(|used| solve(&rows, used));
                let sound = fitted.filter(|terms| terms.iter().all(|term| *term >= 0.0));
                let best = sound.min_by(|a, b| missed(a).total_cmp(&missed(b)))?;
                Some(Self::Sum(best, sessions(seen)))
            }
            Form::Power => {
                let rows: Vec<([f64; 3], f64)> = seen
                    .iter()
                    .map(|one| ([1.0, libm::log(one.m.max(1.0)), libm::log(one.n)], libm::log(one.cost)))
                    .collect();
                let choices = [[true, true, true], [true, true, false], [true, false, true]];
                choices.into_iter().find_map(|used| solve(&rows, used)).map(Self::Power)
            }
        }
    }

    fn at(&self, n: f64, m: f64, written_day: f64) -> f64 {
        match self {
            Self::Sum(terms, [constant, exponent]) => {
                let sessions = libm::exp(constant + exponent * libm::log(n));
                parts(m, sessions, written_day).iter().zip(terms).map(|(part, term)| part * term).sum()
            }
            Self::Power([constant, of_m, of_n]) => {
                libm::exp(constant + of_m * libm::log(m.max(1.0)) + of_n * libm::log(n))
            }
        }
    }
}

/// Errors on logarithms, each point predicted from the others; none where some rest gives no law.
fn errors(form: Form, seen: &[Seen]) -> Option<Vec<f64>> {
    (0..seen.len())
        .map(|left| {
            let others: Vec<Seen> =
                seen.iter().enumerate().filter(|(place, _)| *place != left).map(|(_, one)| *one).collect();
            let one = seen[left];
            let guess = Terms::fit(form, &others)?.at(one.n, one.m, one.written_day);
            (guess > 0.0).then(|| libm::log(guess / one.cost))
        })
        .collect()
}

impl Law {
    /// The law that predicts left-out points best; none of fewer than [`POINTS_MIN`] points with a cost.
    pub fn fit(seen: &[Seen]) -> Option<Self> {
        let seen: Vec<Seen> = seen.iter().copied().filter(|one| one.cost > 0.0).collect();
        if seen.len() < POINTS_MIN {
            return None;
        }
        let range = |value: fn(&Seen) -> f64| {
            let values = seen.iter().map(value);
            values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)))
        };
        let ranges = [range(|one| one.n), range(|one| one.m)];
        let laws = [Form::Sum, Form::Power].into_iter().filter_map(|form| {
            let errors = errors(form, &seen)?;
            let mean = errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64;
            Some(Self {
                form,
                points: seen.len(),
                error: mean.sqrt(),
                error_max: errors.iter().map(|error| error.abs()).fold(0.0, f64::max),
                terms: Terms::fit(form, &seen)?,
                ranges,
            })
        });
        laws.min_by(|a, b| a.error.total_cmp(&b.error))
    }

    /// What a member pays in a day at this size, with the 95% prediction interval; none beyond [`REACH`].
    pub fn at(&self, n: f64, m: f64, written_day: f64) -> Option<Interval> {
        let near = |value: f64, (low, high): (f64, f64)| low / REACH <= value && value <= high * REACH;
        if !near(n, self.ranges[0]) || !near(m, self.ranges[1]) {
            return None;
        }
        let mid = self.terms.at(n, m, written_day);
        let factor = libm::exp(student(self.points - 1) * self.error);
        Some(Interval { low: mid / factor, mid, high: mid * factor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Splitmix;

    /// About normal, of variance 1: twelve uniform draws.
    fn noise(rng: &mut Splitmix) -> f64 {
        (0..12).map(|_| rng.below(1 << 20) as f64 / f64::from(1u32 << 20)).sum::<f64>() - 6.0
    }

    fn grid(cost: impl Fn(f64, f64, f64, f64) -> f64, sigma: f64, rng: &mut Splitmix) -> Vec<Seen> {
        let mut seen = Vec::new();
        for n in [10.0, 50.0, 200.0] {
            for held in [1e3, 1e4, 1e5] {
                let (written_day, sessions_day) = (3.0 * n, 40.0 * f64::powf(n, 0.3));
                let m = held + written_day;
                let cost = cost(n, m, written_day, sessions_day) * (sigma * noise(rng)).exp();
                seen.push(Seen { n, m, written_day, sessions_day, cost });
            }
        }
        seen
    }

    fn sum(_: f64, m: f64, written: f64, sessions: f64) -> f64 {
        sessions * (300.0 + 0.4 * m) + 700.0 * written
    }

    fn power(n: f64, m: f64, _: f64, _: f64) -> f64 {
        2_000.0 * m.powf(0.5) * n.powf(0.7)
    }

    #[test]
    fn planted_laws_are_told_apart_and_recovered() {
        let mut rng = Splitmix::new(1);
        let law = Law::fit(&grid(sum, 0.0, &mut rng)).unwrap();
        assert_eq!((law.form, law.points), (Form::Sum, 9));
        assert!(law.error < 1e-6, "{law:?}");
        let at = law.at(100.0, 30_000.0, 300.0).unwrap();
        let truth = sum(100.0, 30_000.0, 300.0, 40.0 * 100f64.powf(0.3));
        assert!((at.mid / truth - 1.0).abs() < 1e-6, "{at:?} {truth}");
        let law = Law::fit(&grid(power, 0.0, &mut rng)).unwrap();
        assert_eq!(law.form, Form::Power);
        assert!((law.at(20.0, 1e4, 60.0).unwrap().mid / power(20.0, 1e4, 0.0, 0.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn intervals_hold_the_truth_and_are_not_wide() {
        for cost in [sum, power] {
            let (mut inside, mut width, draws) = (0u32, 0.0, 300);
            for seed in 0..draws {
                let mut rng = Splitmix::new(seed);
                let law = Law::fit(&grid(cost, 0.05, &mut rng)).unwrap();
                let truth = cost(100.0, 30_000.0, 300.0, 40.0 * 100f64.powf(0.3));
                let truth = truth * (0.05 * noise(&mut rng)).exp();
                let at = law.at(100.0, 30_000.0, 300.0).unwrap();
                inside += u32::from(at.low <= truth && truth <= at.high);
                width += libm::log(at.high / at.low);
            }
            let share = f64::from(inside) / draws as f64;
            assert!(share >= 0.93, "{share}");
            // Four and a half standard deviations of the noise would be the least; lost points cost some more.
            assert!(width / (draws as f64) < 12.0 * 0.05, "{}", width / draws as f64);
        }
    }

    #[test]
    fn leaving_one_out_is_done_by_hand() {
        // On 8 points of a power law one is doubled: its own error is log 2 at least, since the others lie on their law.
        let mut seen = grid(power, 0.0, &mut Splitmix::new(1));
        seen[4].cost *= 2.0;
        let found = errors(Form::Power, &seen).unwrap();
        assert!((found[4] + 2f64.ln()).abs() < 1e-9, "{found:?}");
        let law = Law::fit(&seen).unwrap();
        assert!((law.error_max - 2f64.ln()).abs() < 0.2, "{law:?}");
    }

    #[test]
    fn nothing_is_said_far_away_or_from_too_little() {
        let seen = grid(sum, 0.0, &mut Splitmix::new(1));
        let law = Law::fit(&seen).unwrap();
        assert!(law.at(599.0, 1e5, 1_800.0).is_some());
        assert_eq!(law.at(1_000.0, 1e5, 3_000.0), None);
        assert_eq!(law.at(50.0, 1e6, 150.0), None);
        assert_eq!(law.at(50.0, 300.0, 150.0), None);
        assert_eq!(Law::fit(&seen[..4]), None);
        let free: Vec<Seen> = seen.iter().map(|one| Seen { cost: 0.0, ..*one }).collect();
        assert_eq!(Law::fit(&free), None);
    }

    #[test]
    fn who_begins_no_session_pays_for_messages_only() {
        let mut seen = grid(|_, _, written, _| 900.0 * written, 0.0, &mut Splitmix::new(1));
        seen.iter_mut().for_each(|one| one.sessions_day = 0.0);
        let law = Law::fit(&seen).unwrap();
        assert!((law.at(100.0, 1e4, 300.0).unwrap().mid / 270_000.0 - 1.0).abs() < 1e-6);
    }
}
