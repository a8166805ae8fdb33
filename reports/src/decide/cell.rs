//! One place of the map: who was measured there, and what each session cost.
//!
//! Sweeps ask different questions, yet often meet at one place: the same M, d, pattern, workload, N and K.
//! Their points are pooled there. Two kinds of sweep stay out, since their points are no places: those over
//! the window and those that hint at d; of the others, points of the commonest window enter.

use std::collections::BTreeMap;

use super::objective::Objective;
use crate::record::{Axis, ExactRow, Timed, TimedRow};
use crate::stats::{Splitmix, median, quantile};
use crate::study::cell::BOOTSTRAP_SEED;
use crate::study::{Point, Study};

/// Resamples of a ratio of two medians.
const TIE_RESAMPLES: usize = 400;

/// Where a cell lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Workload; [`SYNTHETIC`] or a trace.
    pub workload: String,
    /// Members of the group.
    pub n: u32,
    /// Members that each shares with.
    pub k: u32,
    /// Pattern of the difference.
    pub pattern: String,
    /// Items in the union.
    pub m: u64,
    /// Items in the difference.
    pub d: u64,
}

/// The workload that is no trace.
pub const SYNTHETIC: &str = "synthetic";

impl Place {
    /// d/M; 0 for empty sets.
    pub fn ratio(&self) -> f64 {
        if self.m == 0 { 0.0 } else { self.d as f64 / self.m as f64 }
    }

    /// Whether it was generated; a trace was recorded.
    pub fn synthetic(&self) -> bool {
        self.workload == SYNTHETIC
    }
}

/// All that was measured of one contender at one place, by growing (replicate, seed).
#[derive(Clone, Debug, Default)]
pub struct Trials<'a> {
    /// Sessions.
    pub rows: Vec<&'a ExactRow>,
    /// Samples of building the index, in ns of CPU.
    pub build_ns: Vec<f64>,
    /// Samples of a session, in ns of CPU.
    pub session_ns: Vec<f64>,
}

/// A place with its contenders: only those that may win, and that ran the same trials as the others.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    /// Where.
    pub place: Place,
    /// By contender.
    pub trials: BTreeMap<usize, Trials<'a>>,
}

/// Which trials count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Every one.
    All,
    /// Even replicates: they choose.
    Chosen,
    /// Odd replicates: they check.
    Held,
}

/// A cell under one objective.
#[derive(Clone, Debug)]
pub struct Priced {
    /// Where.
    pub place: Place,
    /// Cost of each contender's trials, a failed one infinite; the same replicate at the same index.
    pub costs: BTreeMap<usize, Vec<f64>>,
    /// Replicate of each index.
    pub replicates: Vec<u32>,
    /// Median flights of each contender's sessions.
    pub flights: BTreeMap<usize, f64>,
    /// Median number of places at which the sets differ; none if that was not counted.
    pub stretches: Option<f64>,
}

/// The cheapest at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Winner {
    /// Contender.
    pub index: usize,
    /// Its median cost.
    pub cost: f64,
    /// Those whose cost may as well be the winner's: the 95% interval of the paired ratio includes 1.
    pub ties: Vec<usize>,
    /// The second, and how many times the winner's cost it takes.
    pub runner_up: Option<(usize, f64)>,
}

impl Priced {
    /// Median cost of a contender; infinite if any of its trials failed or if it did not run here. `None`
    /// if the half holds no trial of this place.
    pub fn cost(&self, index: usize, half: Half) -> Option<f64> {
        let picked = self.picked(half);
        if picked.is_empty() {
            return None;
        }
        let Some(costs) = self.costs.get(&index) else { return Some(f64::INFINITY) };
        let values: Vec<f64> = picked.into_iter().map(|at| costs[at]).collect();
        if values.iter().any(|value| value.is_infinite()) {
            return Some(f64::INFINITY);
        }
        median(&values)
    }

    fn picked(&self, half: Half) -> Vec<usize> {
        let wanted = |replicate: u32| match half {
            Half::All => true,
            Half::Chosen => replicate.is_multiple_of(2),
            Half::Held => !replicate.is_multiple_of(2),
        };
        (0..self.replicates.len()).filter(|at| wanted(self.replicates[*at])).collect()
    }

    /// The cheapest of a half; `None` if nobody finished every trial.
    pub fn cheapest(&self, half: Half) -> Option<(usize, f64)> {
        self.field(half).first().copied()
    }

    fn field(&self, half: Half) -> Vec<(usize, f64)> {
        let mut field: Vec<(usize, f64)> = self
            .costs
            .keys()
            .filter_map(|index| Some((*index, self.cost(*index, half)?)))
            .filter(|(_, cost)| cost.is_finite())
            .collect();
        field.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        field
    }

    /// The cheapest with those who tie with it, over all trials.
    pub fn winner(&self) -> Option<Winner> {
        let field = self.field(Half::All);
        let (index, cost) = *field.first()?;
        let ties = field
            .iter()
            .skip(1)
            .filter(|(other, _)| self.tied(index, *other))
            .map(|(other, _)| *other)
            .collect();
        let runner_up = field.get(1).map(|(other, second)| (*other, ratio(*second, cost)));
        Some(Winner { index, cost, ties, runner_up })
    }

    /// Whether the 95% bootstrap interval of `other`'s cost over `best`'s, of the same replicates, includes 1.
    fn tied(&self, best: usize, other: usize) -> bool {
        let (Some(best), Some(other)) = (self.costs.get(&best), self.costs.get(&other)) else { return false };
        // Cheaper in no pair and dearer in all: no resample can bring the ratio to 1.
        if best.iter().zip(other).all(|(best, other)| best < other) {
            return false;
        }
        let mut rng = Splitmix::new(BOOTSTRAP_SEED);
        let mut ratios = Vec::with_capacity(TIE_RESAMPLES);
        let (mut one, mut two) = (vec![0.0; best.len()], vec![0.0; best.len()]);
        for _ in 0..TIE_RESAMPLES {
            for at in 0..best.len() {
                let drawn = rng.below(best.len());
                (one[at], two[at]) = (best[drawn], other[drawn]);
            }
            if let (Some(one), Some(two)) = (median(&one), median(&two)) {
                ratios.push(ratio(two, one));
            }
        }
        ratios.sort_by(f64::total_cmp);
        quantile(&ratios, 0.025).is_some_and(|low| low <= 1.0)
    }
}

/// `dear / cheap`, 1 where both cost nothing.
pub fn ratio(dear: f64, cheap: f64) -> f64 {
    if dear == cheap { 1.0 } else { dear / cheap }
}

impl Cell<'_> {
    /// Its costs under an objective; `None` where the objective was not measured.
    pub fn priced(&self, objective: &Objective<'_>) -> Option<Priced> {
        let mut costs: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for (index, trials) in &self.trials {
            if let Some(values) = objective.costs(trials) {
                costs.insert(*index, values);
            }
        }
        // Samples of times may differ in number; those that all have are compared.
        let len = costs.values().map(Vec::len).min().filter(|len| *len > 0)?;
        for values in costs.values_mut() {
            values.truncate(len);
        }
        let replicates = if objective.sampled() {
            (0..len as u32).collect()
        } else {
            self.trials.values().next()?.rows.iter().map(|row| row.replicate).take(len).collect()
        };
        let flights = |(index, trials): (&usize, &Trials<'_>)| {
            let all: Vec<f64> = trials.rows.iter().map(|row| f64::from(row.flights)).collect();
            Some((*index, median(&all)?))
        };
        let flights = self.trials.iter().filter_map(flights).collect();
        Some(Priced { place: self.place.clone(), costs, replicates, flights, stretches: self.stretches() })
    }

    /// All contenders met the same sets, so any of them tells.
    fn stretches(&self) -> Option<f64> {
        let rows = &self.trials.values().next()?.rows;
        let all: Option<Vec<f64>> = rows.iter().map(|row| row.stretches.map(|count| count as f64)).collect();
        median(&all?)
    }
}

/// Trials of one point, ready to be pooled.
struct Pool<'a> {
    seeds: Vec<(u32, u64)>,
    trials: BTreeMap<usize, Trials<'a>>,
}

/// All cells of a study by place, and how many points were left out because another at the same place had
/// more contenders.
pub fn cells<'a>(study: &Study<'a>) -> (Vec<Cell<'a>>, usize) {
    let mut points: Vec<(usize, &Point<'a>)> = Vec::new();
    for (number, (_, sweep)) in study.sweeps().enumerate() {
        if !matches!(sweep.sweep.axis, Axis::Window | Axis::Guess) {
            points.extend(sweep.points().filter(|one| one.place.guess.is_none()).map(|one| (number, one)));
        }
    }
    let mut windows: BTreeMap<u32, usize> = BTreeMap::new();
    for (_, point) in &points {
        *windows.entry(point.place.window).or_default() += 1;
    }
    let Some(window) = windows.iter().max_by_key(|(window, count)| (**count, std::cmp::Reverse(**window)))
    else {
        return (Vec::new(), 0);
    };
    let window = *window.0;
    let times = times(study);
    let mut places: BTreeMap<Place, Vec<Pool<'a>>> = BTreeMap::new();
    for (number, point) in points.into_iter().filter(|(_, point)| point.place.window == window) {
        let Some(pool) = pool(study, number, point, &times) else { continue };
        let place = Place {
            workload: point.place.workload.clone(),
            n: point.place.n,
            k: point.place.k,
            pattern: point.place.pattern.clone(),
            m: point.place.sides.m,
            d: point.place.d,
        };
        places.entry(place).or_default().push(pool);
    }
    let mut left_out = 0;
    let cells = places.into_iter().map(|(place, pools)| united(place, pools, &mut left_out)).collect();
    (cells, left_out)
}

/// Timed rows by sweep, point and contender.
type TimesBy<'a> = BTreeMap<(usize, u32, usize), Vec<&'a TimedRow>>;

fn times<'a>(study: &Study<'a>) -> TimesBy<'a> {
    let mut all = TimesBy::new();
    let mut first = 0;
    for part in &study.parts {
        let numbers: BTreeMap<&str, usize> =
            (first..).zip(&part.sweeps).map(|(number, one)| (one.sweep.name.as_str(), number)).collect();
        first += part.sweeps.len();
        for row in part.experiment.timed_rows() {
            let at = numbers.get(row.sweep.as_str()).zip(study.roster.index(&row.spec));
            if let Some((number, index)) = at {
                all.entry((*number, row.point, index)).or_default().push(row);
            }
        }
    }
    all
}

fn pool<'a>(study: &Study<'a>, number: usize, point: &Point<'a>, times: &TimesBy<'a>) -> Option<Pool<'a>> {
    let mut trials: BTreeMap<usize, Trials<'a>> = BTreeMap::new();
    for (index, cell) in &point.cells {
        if !study.roster.eligible(*index) {
            continue;
        }
        let mut one = Trials { rows: cell.rows.clone(), ..Trials::default() };
        let at = cell.rows.first()?.point;
        for row in times.get(&(number, at, *index)).into_iter().flatten() {
            let samples = row.samples_ns.iter().map(|ns| *ns as f64 / f64::from(row.batch.max(1)));
            match row.timed {
                Timed::Build => one.build_ns.extend(samples),
                Timed::Session => one.session_ns.extend(samples),
                Timed::Insert | Timed::Victim | Timed::Empty => {}
            }
        }
        trials.insert(*index, one);
    }
    let seeds_of =
        |one: &Trials<'_>| one.rows.iter().map(|row| (row.replicate, row.seed)).collect::<Vec<_>>();
    // Whoever lacks a trial that others ran cannot be paired with them.
    let seeds = trials.values().map(seeds_of).max_by_key(Vec::len)?;
    trials.retain(|_, one| seeds_of(one) == seeds);
    Some(Pool { seeds, trials })
}

/// Unites points at one place: those with as many contenders as any.
fn united<'a>(place: Place, pools: Vec<Pool<'a>>, left_out: &mut usize) -> Cell<'a> {
    let mut chosen: Option<Pool<'a>> = None;
    let mut rest = Vec::new();
    for pool in pools {
        match &chosen {
            Some(best) if best.trials.len() >= pool.trials.len() => rest.push(pool),
            _ => rest.extend(chosen.replace(pool)),
        }
    }
    let mut all = chosen.map_or_else(BTreeMap::new, |pool| {
        let mut seeds = pool.seeds;
        let mut trials = pool.trials;
        for other in rest {
            let same = other.trials.keys().eq(trials.keys());
            if !same || other.seeds.iter().any(|seed| seeds.contains(seed)) {
                *left_out += 1;
                continue;
            }
            seeds.extend(other.seeds);
            for (index, more) in other.trials {
                let one = trials.entry(index).or_default();
                one.rows.extend(more.rows);
                // Times of two sweeps were taken apart; the first stands.
                if one.session_ns.is_empty() {
                    (one.build_ns, one.session_ns) = (more.build_ns, more.session_ns);
                }
            }
        }
        trials
    });
    for one in all.values_mut() {
        one.rows.sort_by_key(|row| (row.replicate, row.seed));
    }
    Cell { place, trials: all }
}
