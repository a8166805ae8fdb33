//! Where two contenders cost the same: the threshold of a rule, with its interval.
//!
//! A *column* is a run of cells along which one quantity grows and nothing else changes. In each column the medians
//! of both contenders are drawn as lines on log-log paper; they cross between two cells. Columns differ, so the
//! threshold is the median over columns. Its interval resamples columns, and within a cell replicates: both
//! contenders met the same sets, so one draw of replicates serves both. (Drawing them apart would widen the interval by
//! the spread of the sets, which both share.)

use super::cell::Priced;
use crate::stats::{Interval, Splitmix, median, quantile};
use crate::study::cell::BOOTSTRAP_SEED;

/// Resamples of a crossing.
pub const RESAMPLES: usize = 400;

/// Costs of both contenders at one x, paired by index.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Along the column.
    pub x: f64,
    /// Of the contender that is cheaper below.
    pub below: Vec<f64>,
    /// Of the one that is cheaper above.
    pub above: Vec<f64>,
}

impl Pair {
    /// Both contenders at a cell.
    pub fn new(cell: &Priced, x: f64, below: usize, above: usize) -> Option<Self> {
        Some(Self { x, below: cell.costs.get(&below)?.clone(), above: cell.costs.get(&above)?.clone() })
    }

    /// ln(above / below) of the medians: positive where the lower contender leads.
    fn lead(&self) -> Option<f64> {
        lead(median(&self.below)?, median(&self.above)?)
    }

    /// The same of one resample of pairs.
    fn drawn(&self, rng: &mut Splitmix) -> Option<f64> {
        let len = self.below.len().min(self.above.len());
        let ranks: Vec<usize> = (0..len).map(|_| rng.below(len)).collect();
        let of = |values: &[f64]| median(&ranks.iter().map(|rank| values[*rank]).collect::<Vec<_>>());
        lead(of(&self.below)?, of(&self.above)?)
    }
}

fn lead(below: f64, above: f64) -> Option<f64> {
    let lead = (above / below).ln();
    lead.is_finite().then_some(lead)
}

/// Where the lines through two cells meet, as ln x. A resample may not cross between them; the nearer end is then
/// all that can be said.
fn meet(span: (f64, f64), leads: (f64, f64)) -> Option<f64> {
    if leads.0 == leads.1 {
        return None;
    }
    let share = (leads.0 / (leads.0 - leads.1)).clamp(0.0, 1.0);
    Some(span.0 + (span.1 - span.0) * share)
}

/// The two cells between which a column crosses: of several such places the one nearest to `near`.
fn bracket(column: &[Pair], near: f64) -> Option<(&Pair, &Pair)> {
    let distance = |pair: &(&Pair, &Pair)| ((pair.0.x * pair.1.x).sqrt() / near).ln().abs();
    column
        .windows(2)
        .map(|pair| (&pair[0], &pair[1]))
        .filter(|(low, high)| {
            low.x > 0.0
                && low.lead().is_some_and(|one| one >= 0.0)
                && high.lead().is_some_and(|one| one < 0.0)
        })
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// Where the lead changes hands, nearest to `near`, over columns whose x grow. `None` if no column crosses.
pub fn crossing(columns: &[Vec<Pair>], near: f64) -> Option<Interval> {
    let brackets: Vec<(&Pair, &Pair)> = columns.iter().filter_map(|column| bracket(column, near)).collect();
    between(&brackets)
}

/// The same for brackets that are known.
pub fn between(brackets: &[(&Pair, &Pair)]) -> Option<Interval> {
    let span = |(low, high): &(&Pair, &Pair)| (low.x.ln(), high.x.ln());
    let found: Vec<f64> =
        brackets.iter().filter_map(|one| meet(span(one), (one.0.lead()?, one.1.lead()?))).collect();
    let mid = median(&found)?.exp();
    let mut rng = Splitmix::new(BOOTSTRAP_SEED);
    let mut all: Vec<f64> = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let drawn: Vec<f64> = (0..brackets.len())
            .filter_map(|_| {
                let one = &brackets[rng.below(brackets.len())];
                meet(span(one), (one.0.drawn(&mut rng)?, one.1.drawn(&mut rng)?))
            })
            .collect();
        all.extend(median(&drawn).map(f64::exp));
    }
    all.sort_by(f64::total_cmp);
    let low = quantile(&all, 0.025).unwrap_or(mid);
    let high = quantile(&all, 0.975).unwrap_or(mid);
    Some(Interval { low: low.min(mid), mid, high: high.max(mid) })
}
