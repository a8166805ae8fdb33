//! Draws from the distributions that the laws of groups name.
//!
//! By inversion, from one or two uniform draws each, with the exponential functions of `libm`: pure Rust, the
//! same on every machine, which those of the platform are not.

use offerbench_algos::Rng;

/// Milliseconds in a second.
pub(super) const SECOND_MS: f64 = 1000.0;

/// Milliseconds in an hour.
pub(super) const HOUR_MS: u64 = 3_600_000;

/// Milliseconds in a day.
pub(super) const DAY_MS: u64 = 24 * HOUR_MS;

/// Milliseconds in a week.
pub(super) const WEEK_MS: u64 = 7 * DAY_MS;

/// A uniform draw that is never 0, so that it has a logarithm.
fn positive(rng: &mut Rng) -> f64 {
    1.0 - rng.unit()
}

/// Exponential: a length that forgets its past.
pub(super) fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    -mean * libm::log(positive(rng))
}

/// Normal, by G. Box's and M. Muller's "A note on the generation of random normal deviates" (1958).
pub(super) fn normal(rng: &mut Rng, mean: f64, deviation: f64) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(positive(rng)));
    mean + deviation * radius * libm::cos(2.0 * std::f64::consts::PI * rng.unit())
}

/// The standard normal value below which a share of the draws lies. By bisection, to 2^-48: it is asked for
/// once a member.
pub(super) fn normal_quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..52 {
        let middle = 0.5 * (low + high);
        if libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2) < 2.0 * share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Log-normal: e to a normal draw.
pub(super) fn log_normal(rng: &mut Rng, mu: f64, sigma: f64) -> f64 {
    libm::exp(normal(rng, mu, sigma))
}

/// Weibull of shape `k`.
pub(super) fn weibull(rng: &mut Rng, k: f64, scale: f64) -> f64 {
    scale * libm::pow(-libm::log(positive(rng)), 1.0 / k)
}

/// Lomax (Pareto of the second kind): P(X > x) = (1 + x / scale)^-alpha.
pub(super) fn lomax(rng: &mut Rng, alpha: f64, scale: f64) -> f64 {
    scale * (libm::pow(positive(rng), -1.0 / alpha) - 1.0)
}

/// Poisson: how many gaps of mean 1 fit into `mean`. O(mean).
pub(super) fn poisson(rng: &mut Rng, mean: f64) -> u64 {
    let (mut count, mut reached) = (0, exponential(rng, 1.0));
    while reached < mean {
        count += 1;
        reached += exponential(rng, 1.0);
    }
    count
}

/// Whether something happens that happens with this probability.
pub(super) fn happens(rng: &mut Rng, probability: f64) -> bool {
    rng.unit() < probability
}

/// A whole number whose mean is `mean`, and which differs from it by less than 1.
pub(super) fn rounded(rng: &mut Rng, mean: f64) -> u64 {
    let whole = libm::floor(mean);
    whole as u64 + u64::from(happens(rng, mean - whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use offerbench_algos::Seed;

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        for (share, expected) in [(0.5, 0.0), (0.975, 1.959_964), (0.01, -2.326_348), (1e-9, -5.997_807)] {
            assert!((normal_quantile(share) - expected).abs() < 1e-6, "{share}");
        }
    }

    /// Quantiles of 40,000 draws against the closed forms. A quantile's rank deviates by sqrt(p(1-p)/40,000),
    /// at most .0025; five of them.
    #[test]
    fn quantiles_are_those_of_the_closed_forms() {
        let mut rng = Seed::new(1).rng();
        let mut check = |draw: &mut dyn FnMut(&mut Rng) -> f64, points: [(f64, f64); 3]| {
            let draws: Vec<f64> = (0..40_000).map(|_| draw(&mut rng)).collect();
            for (x, expected) in points {
                let share = draws.iter().filter(|draw| **draw <= x).count() as f64 / 40_000.0;
                assert!((share - expected).abs() < 0.0125, "{x}: {share} for {expected}");
            }
        };
        check(&mut |rng| exponential(rng, 3.0), [(1.0, 0.2835), (3.0, 0.6321), (9.0, 0.9502)]);
        check(&mut |rng| normal(rng, 1.0, 2.0), [(-1.0, 0.1587), (1.0, 0.5), (5.0, 0.9772)]);
        check(
            &mut |rng| log_normal(rng, 1.0, 2.0),
            [(0.3679, 0.1587), (std::f64::consts::E, 0.5), (148.4, 0.9772)],
        );
        check(&mut |rng| weibull(rng, 2.0, 3.0), [(1.0, 0.1052), (3.0, 0.6321), (6.0, 0.9817)]);
        check(&mut |rng| lomax(rng, 2.0, 3.0), [(1.0, 0.4375), (3.0, 0.75), (27.0, 0.99)]);
        check(&mut |rng| poisson(rng, 2.0) as f64, [(0.0, 0.1353), (2.0, 0.6767), (4.0, 0.9473)]);
        check(&mut |rng| rounded(rng, 1.25) as f64, [(0.5, 0.0), (1.0, 0.75), (2.0, 1.0)]);
    }
}
