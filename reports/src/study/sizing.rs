//! Questions 5 and 6: how often a sketch of a size fails and what that costs, and how well d is found out.
//!
//! | type | answers |
//! | --- | --- |
//! | [`Provision`] | failure and mean bytes against cells a difference, from sweeps over the hint of d |
//! | [`Needed`] | cells a difference for a failure rate, as far as the trials tell |
//! | [`Band`] | quantiles of estimate / d, from every session that made an estimate |
//! | [`Regret`] | bytes of a way to size / bytes of its oracle on the same sets |
//!
//! Bytes are means here, not medians: retries are rare and dear, and a median does not see them.

use std::collections::BTreeMap;

use super::{Cell, Panel, Study};
use crate::record::{Axis, ExactRow};
use crate::stats::{Interval, mean_interval, quantile, trials_to_exclude, wilson};
use crate::study::cell::BOOTSTRAP_SEED;
use crate::theory::Params;
use crate::theory::sketches::Placing;

/// A contender that sizes a sketch by a hint, at one M and d.
#[derive(Clone, Debug)]
pub struct Provision {
    /// Contender.
    pub index: usize,
    /// By growing ratio.
    pub sizes: Vec<Size>,
}

/// Sketches of one size.
#[derive(Clone, Debug)]
pub struct Size {
    /// Cells or syndromes a difference.
    pub ratio: f64,
    /// Sessions.
    pub trials: u64,
    /// Sessions whose first sketch did not decode.
    pub failed: u64,
    /// Their share, with Wilson's interval.
    pub rate: Interval,
    /// Mean bytes of all sessions, retries included.
    pub bytes: Interval,
    /// Sessions that never ended well: their bytes bought nothing.
    pub lost: u64,
}

impl Size {
    fn new(cell: &Cell<'_>) -> Option<Self> {
        let ratios: Option<Vec<f64>> = cell
            .rows
            .iter()
            .map(|row| row.capacity.filter(|_| row.d > 0).map(|cells| cells as f64 / row.d as f64))
            .collect();
        let ratios = ratios?;
        let trials = cell.rows.len() as u64;
        let failed = cell.rows.iter().filter(|row| row.decode_failures > 0).count() as u64;
        let bytes: Vec<f64> = cell.rows.iter().map(|row| row.bytes_total() as f64).collect();
        Some(Self {
            ratio: ratios.iter().sum::<f64>() / ratios.len() as f64,
            trials,
            failed,
            rate: wilson(failed, trials),
            bytes: mean_interval(&bytes, BOOTSTRAP_SEED)?,
            lost: cell.outcomes.failures(),
        })
    }
}

impl Provision {
    /// The size with the fewest mean bytes of which every session ended well.
    pub fn cheapest(&self) -> Option<usize> {
        let safe = self.sizes.iter().enumerate().filter(|(_, size)| size.lost == 0);
        safe.min_by(|a, b| a.1.bytes.mid.total_cmp(&b.1.bytes.mid)).map(|(place, _)| place)
    }

    /// Whether some size was tried often enough to speak of rare failures at all.
    pub fn tells(&self, spec: &str) -> bool {
        let most = self.sizes.iter().map(|size| size.trials).max().unwrap_or_default();
        most >= trials_to_exclude(1e-2) || Params::of(spec).family == "pinsketch"
    }

    /// What a failure rate takes.
    pub fn needed(&self, rate: f64, d: u64, spec: &str) -> Needed {
        let enough = self.sizes.iter().filter(|size| size.rate.high <= rate).map(|size| size.ratio);
        let short = self.sizes.iter().filter(|size| size.rate.low > rate).map(|size| size.ratio);
        Needed {
            rate,
            short: short.reduce(f64::max),
            enough: enough.reduce(f64::min),
            trials: trials_to_exclude(rate),
            sure: (Params::of(spec).family == "pinsketch").then_some(1.0),
            floor: Placing::of(spec)
                .map(|placing| placing.cells_at_least(rate, d) as f64 / d.max(1) as f64)
                .filter(|_| d > 1),
        }
    }
}

/// Cells a difference that a failure rate takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Needed {
    /// The rate.
    pub rate: f64,
    /// The largest measured ratio that surely fails more often.
    pub short: Option<f64>,
    /// The smallest measured ratio that surely fails no more often.
    pub enough: Option<f64>,
    /// Trials without a failure that could show a ratio to be enough.
    pub trials: u64,
    /// Theory: a ratio from which nothing fails at all, as of power sums.
    pub sure: Option<f64>,
    /// Theory: below this ratio pairs of ids that share all cells alone fail more often.
    pub floor: Option<f64>,
}

/// Sketches sized by hints, at one M and d.
#[derive(Clone, Debug)]
pub struct Provisioned {
    /// Messages.
    pub m: u64,
    /// Differences.
    pub d: u64,
    /// By contender.
    pub contenders: Vec<Provision>,
}

/// All that a book says of provisioning, by M and d. Sweeps of one M and d share a chart.
pub fn provisioned(study: &Study<'_>) -> Vec<Provisioned> {
    let mut groups: BTreeMap<(u64, u64), BTreeMap<usize, Vec<Size>>> = BTreeMap::new();
    for (_, sweep) in study.sweeps().filter(|(_, sweep)| sweep.sweep.axis == Axis::Guess) {
        for point in sweep.points() {
            for (index, cell) in &point.cells {
                if let Some(size) = Size::new(cell).filter(|_| study.roster.oracle(*index)) {
                    let place = (point.place.sides.m, point.place.d);
                    groups.entry(place).or_default().entry(*index).or_default().push(size);
                }
            }
        }
    }
    let mut all: Vec<Provisioned> = Vec::new();
    for ((m, d), contenders) in groups {
        let contenders = contenders.into_iter().map(|(index, mut sizes)| {
            sizes.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
            Provision { index, sizes }
        });
        all.push(Provisioned { m, d, contenders: contenders.collect() });
    }
    all
}

/// First passes of one filter at one d.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirstPass {
    /// Contender.
    pub index: usize,
    /// Messages.
    pub m: u64,
    /// Differences.
    pub d: u64,
    /// Sessions.
    pub trials: u64,
    /// Sessions in which the filters hid something.
    pub failed: u64,
    /// Theory: 1 − (1 − ε)^d.
    pub forecast: f64,
}

impl FirstPass {
    /// Share of sessions.
    pub fn rate(&self) -> Interval {
        wilson(self.failed, self.trials)
    }

    /// Whether theory lies outside of what was measured. Three deviations, not two: many are compared.
    pub fn beyond(&self) -> bool {
        let n = self.trials as f64;
        let deviation = (self.forecast * (1.0 - self.forecast) / n).sqrt();
        (self.failed as f64 / n - self.forecast).abs() > 3.0 * deviation + 1.0 / n
    }
}

/// First passes of all filters, in sweeps over d.
pub fn first_passes(study: &Study<'_>) -> Vec<FirstPass> {
    let mut all = Vec::new();
    for (_, sweep) in study.sweeps().filter(|(_, sweep)| sweep.sweep.axis == Axis::D) {
        for point in sweep.points().filter(|point| point.place.d > 0) {
            for (index, cell) in &point.cells {
                let d = point.place.d;
                let forecast =
                    crate::theory::filters::first_pass_failure(study.roster.spec(*index), d as f64);
                let Some(forecast) = forecast else { continue };
                let failed = |row: &&&ExactRow| row.decode_failures > 0 || row.missed > 0;
                all.push(FirstPass {
                    index: *index,
                    m: point.place.sides.m,
                    d,
                    trials: cell.rows.len() as u64,
                    failed: cell.rows.iter().filter(failed).count() as u64,
                    forecast,
                });
            }
        }
    }
    all
}

/// Shares at which bands are cut.
pub const SHARES: [f64; 5] = [0.01, 0.10, 0.50, 0.90, 0.99];

/// Quantiles of estimate / d.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Differences.
    pub d: u64,
    /// Estimates.
    pub count: u64,
    /// At [`SHARES`].
    pub cuts: [f64; 5],
}

/// One estimator in one panel.
#[derive(Clone, Debug)]
pub struct Estimator<'p> {
    /// The value of `size`: `tow`, `strata`, `self`.
    pub name: String,
    /// A contender that uses it, the one with the most sessions: others on the same sets estimate the same.
    pub index: usize,
    /// What the panel's points share.
    pub label: &'p str,
    /// By growing d.
    pub bands: Vec<Band>,
}

/// Every estimator of a book, in sweeps over d.
pub fn estimators<'p>(study: &'p Study<'_>) -> Vec<Estimator<'p>> {
    let mut all = Vec::new();
    for (_, sweep) in study.sweeps().filter(|(_, sweep)| sweep.sweep.axis == Axis::D) {
        for panel in &sweep.panels {
            let mut best: BTreeMap<String, (u64, Estimator<'p>)> = BTreeMap::new();
            for index in &sweep.contenders {
                let Some(name) = Params::of(study.roster.spec(*index)).get("size") else { continue };
                let bands = bands(panel, *index);
                let count = bands.iter().map(|band| band.count).sum();
                let estimator = Estimator { name: name.into(), index: *index, label: &panel.label, bands };
                if count > best.get(name).map_or(0, |(most, _)| *most) {
                    best.insert(name.into(), (count, estimator));
                }
            }
            all.extend(best.into_values().map(|(_, estimator)| estimator));
        }
    }
    all
}

fn bands(panel: &Panel<'_>, index: usize) -> Vec<Band> {
    let band = |cell: &Cell<'_>, d: u64| {
        let share = |row: &&ExactRow| Some(row.estimate? as f64 / row.d as f64);
        let mut shares: Vec<f64> = cell.rows.iter().filter(|row| row.d > 0).filter_map(share).collect();
        shares.sort_by(f64::total_cmp);
        let cuts = SHARES.map(|cut| quantile(&shares, cut));
        cuts.iter().all(Option::is_some).then(|| Band {
            d,
            count: shares.len() as u64,
            cuts: cuts.map(Option::unwrap_or_default),
        })
    };
    panel.positive().filter_map(|point| band(point.cells.get(&index)?, point.place.d)).collect()
}

/// Bytes of a way to size against its oracle, on the same sets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regret {
    /// The way to size.
    pub index: usize,
    /// The oracle.
    pub oracle: usize,
    /// Differences.
    pub d: u64,
    /// Pairs of sessions.
    pub pairs: u64,
    /// Pairs that are left out, because one of both did not end well.
    pub lost: u64,
    /// Mean of the ratios.
    pub mean: Interval,
    /// Median, 99th percentile, and worst.
    pub tail: [f64; 3],
}

/// The oracle that a contender is held against among those of a panel: the same strategy with the same other
/// parameters; for what has no size (a rateless stream) a table of the same ids.
fn oracle_of(index: usize, contenders: &[usize], study: &Study<'_>) -> Option<usize> {
    let params = Params::of(study.roster.spec(index));
    let mut oracles = contenders.iter().copied().filter(|at| study.roster.oracle(*at));
    if study.roster.oracle(index) {
        return None;
    }
    if params.get("size").is_some() {
        return oracles.find(|at| {
            let other = Params::of(study.roster.spec(*at));
            other.family == params.family && other.without("size") == params.without("size")
        });
    }
    (params.family == "riblt").then_some(())?;
    oracles.find(|at| {
        let other = Params::of(study.roster.spec(*at));
        other.family == "iblt" && ["bits", "check"].iter().all(|key| other.get(key) == params.get(key))
    })
}

/// Regret in one panel.
#[derive(Clone, Debug)]
pub struct Regrets<'p> {
    /// What the panel's points share.
    pub label: &'p str,
    /// By contender, then d.
    pub lines: Vec<Regret>,
}

/// Regret of every way to size, in sweeps over d.
pub fn regrets<'p>(study: &'p Study<'_>) -> Vec<Regrets<'p>> {
    let mut all = Vec::new();
    for (_, sweep) in study.sweeps().filter(|(_, sweep)| sweep.sweep.axis == Axis::D) {
        for panel in &sweep.panels {
            let mut lines = Vec::new();
            for index in &sweep.contenders {
                if let Some(oracle) = oracle_of(*index, &sweep.contenders, study) {
                    lines.extend(panel.positive().filter_map(|point| {
                        regret(
                            *index,
                            oracle,
                            point.place.d,
                            point.cells.get(index)?,
                            point.cells.get(&oracle)?,
                        )
                    }));
                }
            }
            if !lines.is_empty() {
                all.push(Regrets { label: &panel.label, lines });
            }
        }
    }
    all
}

/// Ratios of sessions on the same sets, and how many pairs did not end well.
fn ratios(cell: &Cell<'_>, bound: &Cell<'_>) -> (Vec<f64>, u64) {
    let by_replicate: BTreeMap<u32, &ExactRow> = bound.rows.iter().map(|row| (row.replicate, *row)).collect();
    let mut ratios = Vec::new();
    let mut lost = 0;
    for row in &cell.rows {
        // Equal seeds mean equal sets; another seed would be another question.
        let other = by_replicate.get(&row.replicate).filter(|other| other.seed == row.seed);
        match other {
            Some(other) if row.succeeded() && other.succeeded() && other.bytes_total() > 0 => {
                ratios.push(row.bytes_total() as f64 / other.bytes_total() as f64);
            }
            Some(_) => lost += 1,
            None => {}
        }
    }
    (ratios, lost)
}

fn regret(index: usize, oracle: usize, d: u64, cell: &Cell<'_>, bound: &Cell<'_>) -> Option<Regret> {
    let (mut ratios, lost) = ratios(cell, bound);
    let mean = mean_interval(&ratios, BOOTSTRAP_SEED)?;
    ratios.sort_by(f64::total_cmp);
    let tail = [quantile(&ratios, 0.5)?, quantile(&ratios, 0.99)?, quantile(&ratios, 1.0)?];
    Some(Regret { index, oracle, d, pairs: ratios.len() as u64, lost, mean, tail })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(ratio: f64, failed: u64, trials: u64, bytes: f64, lost: u64) -> Size {
        let bytes = Interval { low: bytes, mid: bytes, high: bytes };
        Size { ratio, trials, failed, rate: wilson(failed, trials), bytes, lost }
    }

    #[test]
    fn a_rate_is_told_as_far_as_trials_reach() {
        let sizes =
            vec![size(1.2, 900, 2000, 90.0, 0), size(1.5, 9, 2000, 100.0, 0), size(2.0, 0, 2000, 120.0, 0)];
        let one = Provision { index: 0, sizes };
        let spec = "iblt:bits=48,k=4,place=free";
        let needed = one.needed(1e-2, 100, spec);
        assert_eq!((needed.short, needed.enough), (Some(1.2), Some(1.5)));
        // Nobody failed in 2,000, which does not exclude one in 1,000.
        let needed = one.needed(1e-3, 100, spec);
        assert_eq!((needed.short, needed.enough, needed.trials), (Some(1.5), None, 3838));
        assert!(needed.floor.unwrap() > 1.0 && one.tells(spec));
        assert_eq!(one.needed(1e-6, 100, "pinsketch:bits=48,size=oracle").sure, Some(1.0));
    }

    #[test]
    fn who_gives_up_is_not_cheapest() {
        let one = Provision {
            index: 0,
            sizes: vec![size(0.5, 10, 10, 50.0, 1), size(1.0, 1, 10, 80.0, 0), size(2.0, 0, 10, 90.0, 0)],
        };
        assert_eq!(one.cheapest(), Some(1));
        assert!(!one.tells("iblt:k=4"));
    }

    #[test]
    fn theory_is_doubted_beyond_three_deviations() {
        let pass = |failed| FirstPass { index: 0, m: 1000, d: 100, trials: 100, failed, forecast: 0.634 };
        assert!(!pass(63).beyond() && !pass(75).beyond());
        assert!(pass(85).beyond() && pass(40).beyond());
    }
}
