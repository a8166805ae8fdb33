//! Power laws: which exponents of `cost = c · M^a · K^b · N^c` the measured costs follow, and how surely.
//!
//! Ordinary least squares on logarithms. An observation is a point of a grid, its replicates averaged on the
//! log scale: whatever a power law misses at a point, it misses in all of its replicates alike, so rows would
//! count one and the same misfit several times and make the interval too narrow. Intervals come from the
//! residuals with Student's t, so a law that does not fit has wide ones.
//!
//! An axis that does not vary, or that moves with axes before it, has no exponent of its own; it is left out
//! and named, and its effect stands in the constant or in the exponent of the axis that it moves with.
//!
//! Sums run in the order of the observations, logarithms are those of `libm`: the same figures everywhere.

use crate::stats::Interval;

/// Share of an axis' variance that the axes before it must leave unexplained. Below, two axes are one: at a
/// hundredth, the interval is already ten times as wide as it would be alone.
const OWN_VARIANCE_MIN: f64 = 0.01;

/// Spread of logarithms below which a quantity does not vary: a thousandth.
const SPREAD_MIN: f64 = 0.001;

/// One observation: what it cost, and where it stood.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation<const AXES: usize> {
    /// The cost at each replicate. Zeros have no logarithm and are left out, as the fit says.
    pub costs: Vec<f64>,
    /// The place along each axis.
    pub at: [f64; AXES],
}

/// What a fit says of one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exponent {
    /// The exponent with its 95% interval.
    Fitted(Interval),
    /// The axis does not vary.
    Constant,
    /// The axis moves with this one, given by its place, so that the two cannot be told apart.
    MovesWith(usize),
}

impl Exponent {
    /// The exponent, if the axis has one.
    pub fn fitted(self) -> Option<Interval> {
        match self {
            Self::Fitted(interval) => Some(interval),
            Self::Constant | Self::MovesWith(_) => None,
        }
    }
}

/// A fitted power law.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit<const AXES: usize> {
    /// One an axis.
    pub exponents: [Exponent; AXES],
    /// Share of the variance of log cost that the law explains; none where the cost does not vary.
    pub r2: Option<f64>,
    /// Observations used.
    pub points: usize,
    /// Their replicates.
    pub rows: usize,
    /// Replicates that cost nothing, or stood at zero, and are left out.
    pub rows_left_out: usize,
}

/// Why there is no fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFit {
    /// No axis varies.
    NothingVaries,
    /// Fewer observations than the law has unknowns, and one for the residual.
    TooFew {
        /// Observations with a cost above zero.
        points: usize,
        /// How many it takes.
        needed: usize,
    },
}

/// Fits a power law.
///
/// Axes are taken in their order: of two that move together, the later is left out.
///
/// # Errors
///
/// See [`NoFit`].
pub fn power_law<const AXES: usize>(observations: &[Observation<AXES>]) -> Result<Fit<AXES>, NoFit> {
    let mut logs: Vec<(f64, [f64; AXES])> = Vec::new();
    let (mut rows, mut rows_left_out) = (0, 0);
    for one in observations {
        let positive: Vec<f64> = one.costs.iter().copied().filter(|cost| *cost > 0.0).collect();
        if positive.is_empty() || one.at.iter().any(|at| *at <= 0.0) {
            rows_left_out += one.costs.len();
            continue;
        }
        rows += positive.len();
        rows_left_out += one.costs.len() - positive.len();
        let mean = positive.iter().map(|cost| libm::log(*cost)).sum::<f64>() / positive.len() as f64;
        logs.push((mean, one.at.map(libm::log)));
    }
    let points = logs.len();
    let mut basis = Basis::new(OWN_VARIANCE_MIN);
    let mut exponents = [Exponent::Constant; AXES];
    let mut columns: Vec<(usize, Vec<f64>)> = Vec::new();
    for axis in 0..AXES {
        let column = centred(logs.iter().map(|(_, at)| at[axis]));
        if spread(&column) < SPREAD_MIN {
            continue;
        }
        if basis.takes(&column) {
            columns.push((axis, column));
        } else {
            let kin = columns.iter().map(|(other, values)| (*other, correlation(values, &column).abs()));
            let kin = kin.max_by(|(_, a), (_, b)| a.total_cmp(b));
            exponents[axis] = kin.map_or(Exponent::Constant, |(other, _)| Exponent::MovesWith(other));
        }
    }
    if columns.is_empty() && points > 1 {
        return Err(NoFit::NothingVaries);
    }
    let unknowns = columns.len() + 1;
    if points <= unknowns || columns.is_empty() {
        return Err(NoFit::TooFew { points, needed: unknowns.max(2) + 1 });
    }
    let costs = centred(logs.iter().map(|(cost, _)| *cost));
    let all = dot(&costs, &costs);
    let solved = basis.solve(&costs);
    let freedom = points - unknowns;
    let sigma = (solved.residual / freedom as f64).sqrt();
    let width = student(freedom);
    for ((axis, _), (mid, error)) in columns.iter().zip(solved.coefficients) {
        let reach = width * sigma * error;
        exponents[*axis] = Exponent::Fitted(Interval { low: mid - reach, mid, high: mid + reach });
    }
    let r2 = (spread(&costs) >= SPREAD_MIN).then(|| (1.0 - solved.residual / all).clamp(0.0, 1.0));
    Ok(Fit { exponents, r2, points, rows, rows_left_out })
}

/// The exponent along one axis.
///
/// # Errors
///
/// See [`NoFit`].
pub fn slope(observations: &[Observation<1>]) -> Result<(Interval, Fit<1>), NoFit> {
    let fit = power_law(observations)?;
    fit.exponents[0].fitted().map(|exponent| (exponent, fit)).ok_or(NoFit::NothingVaries)
}

/// Least squares without a constant: a coefficient a column. `None` where a column is zero, or the columns before it
/// leave less than the share `own_min` of it unexplained.
pub(crate) fn least_squares(columns: &[Vec<f64>], costs: &[f64], own_min: f64) -> Option<Vec<f64>> {
    let mut basis = Basis::new(own_min);
    let independent = columns.iter().all(|column| basis.takes(column));
    independent.then(|| basis.solve(costs).coefficients.into_iter().map(|(value, _)| value).collect())
}

/// Values less their mean.
fn centred(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.into_iter().map(|value| value - mean).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// Root mean square of centred values.
fn spread(centred: &[f64]) -> f64 {
    (dot(centred, centred) / centred.len().max(1) as f64).sqrt()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Columns made orthonormal one after the other (modified Gram-Schmidt): column j is the sum of
/// `steps[j][i]` times `units[i]`.
struct Basis {
    units: Vec<Vec<f64>>,
    steps: Vec<Vec<f64>>,
    /// Share of a column's variance that those before it may leave unexplained at least.
    own_min: f64,
}

/// Coefficients with their standard errors for a residual deviation of 1, and the residual sum of squares.
struct Solved {
    coefficients: Vec<(f64, f64)>,
    residual: f64,
}

impl Basis {
    fn new(own_min: f64) -> Self {
        Self { units: Vec::new(), steps: Vec::new(), own_min }
    }

    /// Adds a column, unless the columns before it explain it.
    fn takes(&mut self, column: &[f64]) -> bool {
        let mut rest = column.to_vec();
        let mut steps = Vec::new();
        for unit in &self.units {
            let step = dot(&rest, unit);
            rest.iter_mut().zip(unit).for_each(|(value, unit)| *value -= step * unit);
            steps.push(step);
        }
        let own = dot(&rest, &rest);
        if own <= 0.0 || own < self.own_min * dot(column, column) {
            return false;
        }
        let length = own.sqrt();
        steps.push(length);
        self.units.push(rest.into_iter().map(|value| value / length).collect());
        self.steps.push(steps);
        true
    }

    fn solve(&self, costs: &[f64]) -> Solved {
        let mut rest = costs.to_vec();
        let mut shares = Vec::new();
        for unit in &self.units {
            let share = dot(&rest, unit);
            rest.iter_mut().zip(unit).for_each(|(value, unit)| *value -= share * unit);
            shares.push(share);
        }
        let size = self.units.len();
        // Back substitution, once for the coefficients and once for each column of the inverse, whose rows'
        // lengths are the standard errors.
        let back = |right: &[f64]| {
            let mut answer = vec![0.0; size];
            for i in (0..size).rev() {
                let known: f64 = (i + 1..size).fold(0.0, |sum, j| sum + self.steps[j][i] * answer[j]);
                answer[i] = (right[i] - known) / self.steps[i][i];
            }
            answer
        };
        let coefficients = back(&shares);
        let mut squares = vec![0.0; size];
        for unit in 0..size {
            let right: Vec<f64> = (0..size).map(|i| f64::from(u8::from(i == unit))).collect();
            squares.iter_mut().zip(back(&right)).for_each(|(sum, value)| *sum += value * value);
        }
        let coefficients =
            coefficients.into_iter().zip(squares).map(|(value, square)| (value, square.sqrt())).collect();
        Solved { coefficients, residual: dot(&rest, &rest) }
    }
}

/// Two-sided 95% quantiles of Student's t for 1 to 30 degrees of freedom.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The quantile for any number of degrees of freedom; above 30 by the first terms of its expansion around
/// the normal one (Abramowitz and Stegun 26.7.5), good to a thousandth.
pub(crate) fn student(freedom: usize) -> f64 {
    match freedom.checked_sub(1).and_then(|place| STUDENT.get(place)) {
        Some(quantile) => *quantile,
        None => 1.959_964 + 2.372_3 / freedom as f64 + 2.823 / (freedom * freedom) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Splitmix;

    /// Normal noise: twelve uniform draws, less six.
    fn normal(rng: &mut Splitmix) -> f64 {
        (0..12).map(|_| rng.below(1 << 40) as f64 / (1u64 << 40) as f64).sum::<f64>() - 6.0
    }

    const PLACES: [[f64; 3]; 10] = [
        [10.0, 100.0, 3.0],
        [30.0, 100.0, 3.0],
        [100.0, 100.0, 3.0],
        [300.0, 100.0, 3.0],
        [50.0, 100.0, 1.0],
        [50.0, 100.0, 2.0],
        [50.0, 100.0, 8.0],
        [50.0, 1_000.0, 3.0],
        [50.0, 10_000.0, 3.0],
        [50.0, 100_000.0, 3.0],
    ];

    fn planted(truth: [f64; 3], noise: f64, rng: &mut Splitmix) -> Vec<Observation<3>> {
        let law = |at: &[f64; 3]| at.iter().zip(truth).map(|(at, power)| power * at.ln()).sum::<f64>();
        let mut cost = |at: &[f64; 3]| (5.0 + law(at) + noise * normal(rng)).exp();
        PLACES.iter().map(|at| Observation { costs: (0..3).map(|_| cost(at)).collect(), at: *at }).collect()
    }

    #[test]
    fn planted_exponents_lie_in_19_of_20_intervals() {
        let truth = [1.0, 0.1, 0.7];
        let (mut inside, mut width, draws) = ([0u32; 3], 0.0, 500);
        for seed in 0..draws {
            let mut rng = Splitmix::new(seed);
            let fit = power_law(&planted(truth, 0.1, &mut rng)).unwrap();
            assert_eq!((fit.points, fit.rows, fit.rows_left_out), (10, 30, 0));
            for (axis, truth) in truth.iter().enumerate() {
                let exponent = fit.exponents[axis].fitted().unwrap();
                inside[axis] += u32::from(exponent.low <= *truth && *truth <= exponent.high);
                width += exponent.high - exponent.low;
            }
        }
        for (axis, inside) in inside.into_iter().enumerate() {
            let share = f64::from(inside) / draws as f64;
            assert!((0.92..=0.98).contains(&share), "axis {axis}: {share}");
        }
        // Not by being wide.
        assert!(width / 1_500.0 < 0.2, "{width}");
    }

    #[test]
    fn exact_laws_are_found_exactly() {
        let fit = power_law(&planted([2.0, 0.0, 1.0], 0.0, &mut Splitmix::new(1))).unwrap();
        for (exponent, truth) in fit.exponents.iter().zip([2.0, 0.0, 1.0]) {
            let Exponent::Fitted(Interval { low, mid, high }) = exponent else { panic!("{exponent:?}") };
            assert!((mid - truth).abs() < 1e-9 && high - low < 1e-6, "{exponent:?}");
        }
        assert!(fit.r2.unwrap() > 0.999_999);
    }

    #[test]
    fn slopes_are_those_of_a_textbook() {
        // log-log: x = 0, 1, 2, 3 and y = 1, 3, 2, 5 give slope 1.1, residual sum 2.7, so the standard error is
        // sqrt(2.7 / 2 / 5) = 0.5196 and the interval 1.1 ± 4.303 · 0.5196; R² = 1 - 2.7 / 8.75.
        let observations: Vec<Observation<1>> = [1.0, 3.0, 2.0, 5.0]
            .iter()
            .enumerate()
            .map(|(x, y)| Observation { costs: vec![f64::exp(*y)], at: [(x as f64).exp()] })
            .collect();
        let (exponent, fit) = slope(&observations).unwrap();
        assert!((exponent.mid - 1.1).abs() < 1e-9, "{exponent:?}");
        assert!((exponent.high - exponent.mid - 4.303 * 0.519_615).abs() < 1e-4, "{exponent:?}");
        assert!((fit.r2.unwrap() - (1.0 - 2.7 / 8.75)).abs() < 1e-9);
    }

    #[test]
    fn what_does_not_vary_or_moves_along_is_left_out_by_name() {
        let at = |n: f64| Observation { costs: vec![n * n], at: [n, n - 1.0, 7.0] };
        let fit = power_law(&[10.0, 30.0, 100.0, 300.0].map(at)).unwrap();
        assert_eq!(fit.exponents[1..], [Exponent::MovesWith(0), Exponent::Constant]);
        assert!((fit.exponents[0].fitted().unwrap().mid - 2.0).abs() < 1e-9);
        let flat = |n: f64| Observation { costs: vec![5.0], at: [n] };
        let fit = power_law(&[1.0, 10.0, 100.0].map(flat)).unwrap();
        assert_eq!((fit.r2, fit.exponents[0].fitted().unwrap().mid), (None, 0.0));
    }

    #[test]
    fn too_few_points_give_no_fit() {
        let at = |n: f64| Observation { costs: vec![n, n], at: [n] };
        assert_eq!(slope(&[]), Err(NoFit::TooFew { points: 0, needed: 3 }));
        assert_eq!(slope(&[2.0, 4.0].map(at)), Err(NoFit::TooFew { points: 2, needed: 3 }));
        assert_eq!(slope(&[3.0, 3.0, 3.0].map(at)), Err(NoFit::NothingVaries));
        assert!(slope(&[2.0, 4.0, 9.0].map(at)).is_ok());
        // Zeros have no logarithm; they are left out and counted.
        let mut some = [2.0, 4.0, 9.0, 20.0].map(at);
        some[3].costs = vec![0.0, 20.0];
        let (_, fit) = slope(&some).unwrap();
        assert_eq!((fit.points, fit.rows, fit.rows_left_out), (4, 7, 1));
        some[3].at = [0.0];
        assert_eq!(slope(&some).unwrap().1.rows_left_out, 2);
    }

    #[test]
    fn lack_of_fit_widens_the_interval() {
        // The square of a logarithm is no power; replicates that agree do not hide it.
        let at = |n: f64| Observation { costs: vec![n.ln().powi(2); 50], at: [n] };
        let (exponent, _) = slope(&[4.0, 10.0, 100.0, 1_000.0, 10_000.0].map(at)).unwrap();
        assert!(exponent.high - exponent.low > 0.2, "{exponent:?}");
    }

    #[test]
    fn student_is_continuous_and_ends_normal() {
        assert!((student(31) - 2.0395).abs() < 1e-3 && student(31) < student(30));
        assert!((student(60) - 2.0003).abs() < 1e-3 && (student(1_000_000) - 1.96).abs() < 1e-3);
    }
}
