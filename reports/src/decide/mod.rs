//! From numbers to a decision: which contender to use where, in a few rules, and what following them costs.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `objective` | what is to be small: bytes, CPU, time to completion on a link |
//! | `cell` | a place, who was measured there, the cheapest and who ties with it |
//! | `search` | the shortest ordered list of rules of least worst regret |
//! | `cross` | where two contenders cost the same, with an interval |
//! | `words` | conditions and the first sentence |
//!
//! The *regret* of a choice at a cell is what it costs more than the cell's cheapest, as a share of that; where the
//! cheapest sends next to nothing, of what the packets around it take ([`Objective::floor`]): nobody needs a rule
//! that saves ten bytes of a session. Whoever fails any trial of a cell costs infinitely much there; no finite
//! penalty stands for a failure.
//!
//! **What was not used to choose checks.** Rules are chosen on the even replicates of synthetic workloads. Their
//! regret on the odd replicates, and on all trials of recorded traces within the tested M and d, is printed beside. There
//! it is taken against the cell's winner on the map, of all its trials: the cheapest of 25 contenders in two held-back
//! trials is whoever was lucky twice, and a rule that names the winner everywhere would regret that, too. If either mean
//! is above [`HELD_MAX`], there is no short rule, and [`Rules::refusal`] says so.

pub mod cell;
pub mod cross;
pub mod objective;
pub mod search;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};

pub use cell::{Cell, Half, Place, Priced, cells};
pub use objective::Objective;
use search::{Condition, Feature, List, RULES_MAX, Side, Spot, search};

use crate::record::Link;
use crate::stats::{Interval, median};
use crate::study::Study;
use cross::Pair;

/// Mean regret on data that did not choose, above which rules do not hold.
pub const HELD_MAX: f64 = 0.1;

/// Each further rule must take this share off what the worst cell costs.
pub const RULE_WORTH: f64 = 0.1;

/// Regret over some cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regret {
    /// Cells.
    pub cells: usize,
    /// Of the worst.
    pub worst: f64,
    /// On average.
    pub mean: f64,
}

impl Regret {
    /// Sums up the regrets of cells; `None` without any.
    fn of(regrets: &[f64]) -> Option<Self> {
        let worst = regrets.iter().copied().reduce(f64::max)?;
        let mean = regrets.iter().sum::<f64>() / regrets.len() as f64;
        Some(Self { cells: regrets.len(), worst, mean })
    }
}

/// When a rule applies.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// A feature is on one side of a threshold.
    Beside {
        /// Which.
        feature: Feature,
        /// Which side.
        side: Side,
        /// Where the two contenders cross, if that is between the tested values on both sides; else the geometric
        /// middle of these.
        threshold: f64,
        /// Crossing of the two neighbouring contenders.
        crossing: Option<Interval>,
        /// Tested values on both sides.
        tested: (f64, f64),
    },
    /// The difference has a pattern.
    Pattern(String),
    /// Nothing before it did.
    Else,
}

/// One rule of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// When.
    pub when: When,
    /// Contender.
    pub pick: usize,
    /// Regret over the cells it decides, on the trials that chose it.
    pub regret: Option<Regret>,
    /// Regret over the same cells on held-back replicates.
    pub held: Option<Regret>,
    /// Median flights of a session there.
    pub flights: f64,
}

/// A list of rules, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// In order; the last is the else.
    pub rules: Vec<Rule>,
    /// Worst and mean regret of the best list of 0, 1, 2, … rules before the else.
    pub lengths: Vec<Option<(f64, f64)>>,
    /// On the trials that chose.
    pub chosen: Regret,
    /// On held-back replicates; `None` with one replicate only.
    pub held: Option<Regret>,
    /// On recorded traces within the tested M and d; `None` without any.
    pub traces: Option<Regret>,
    /// Cells of traces outside, for which the rules say nothing.
    pub beyond: usize,
    /// Whether the mean is proven to be the least for this worst regret.
    pub exact: bool,
}

impl Rules {
    /// Mean regret above [`HELD_MAX`] on data that did not choose, and which data.
    pub fn refusal(&self) -> Option<(&'static str, Regret)> {
        let held = self.held.map(|one| ("seeds that did not choose", one));
        let traces = self.traces.map(|one| ("recorded traces", one));
        held.into_iter().chain(traces).find(|(_, one)| one.mean > HELD_MAX)
    }
}

/// Cells and rules under one objective.
#[derive(Debug)]
pub struct Decision<'a> {
    /// What is small.
    pub objective: Objective<'a>,
    /// Every cell of the objective, those of traces included.
    pub cells: Vec<Priced>,
    /// Rules for those who know d. `None` if whatever a short list picks, some session fails.
    pub informed: Option<Rules>,
    /// Rules that ask for M and the pattern only.
    pub blind: Option<Rules>,
}

/// Every decision the records allow.
#[derive(Debug)]
pub struct Decided<'a> {
    /// For bytes first, and where times were taken for CPU and each link.
    pub decisions: Vec<Decision<'a>>,
    /// Points that are in no cell: others at their place have more contenders, or the same seeds.
    pub left_out: usize,
}

impl<'a> Decided<'a> {
    /// Decides for every objective.
    pub fn new(study: &Study<'a>) -> Self {
        let (cells, left_out) = cells(study);
        let links = links(study).into_iter().map(Objective::Link);
        let objectives = [Objective::Bytes, Objective::Cpu].into_iter().chain(links);
        let decisions = objectives.filter_map(|objective| Decision::new(objective, &cells)).collect();
        Self { decisions, left_out }
    }
}

/// Links that the headers declare, each once.
fn links<'a>(study: &Study<'a>) -> Vec<&'a Link> {
    let mut links: Vec<&Link> = Vec::new();
    for link in study.book.experiments().iter().flat_map(|one| &one.header().links) {
        if links.iter().all(|known| known.name != link.name) {
            links.push(link);
        }
    }
    links
}

impl<'a> Decision<'a> {
    /// Decides. `None` if no generated cell was measured under the objective or nobody finished anywhere.
    pub fn new(objective: Objective<'a>, cells: &[Cell<'a>]) -> Option<Self> {
        let cells: Vec<Priced> = cells.iter().filter_map(|cell| cell.priced(&objective)).collect();
        let table = Table::new(&cells, objective.floor())?;
        let informed = table.rules(&[Feature::D, Feature::Ratio, Feature::M, table.shape()]);
        let blind = table.rules(&[Feature::M, Feature::Pattern]);
        Some(Self { objective, informed, blind, cells })
    }

    /// Cells that were generated.
    pub fn synthetic(&self) -> impl Iterator<Item = &Priced> {
        self.cells.iter().filter(|cell| cell.place.synthetic())
    }
}

/// Cells as the search sees them.
struct Table<'c> {
    /// Those that choose, with their spots.
    chosen: Vec<(&'c Priced, Spot)>,
    /// Cells of traces within the M and d of those.
    traces: Vec<&'c Priced>,
    /// How many are not.
    beyond: usize,
    /// Contender of each column of regrets.
    field: Vec<usize>,
    patterns: Vec<&'c str>,
    /// See [`Objective::floor`].
    floor: f64,
}

/// What a cost is above the least one, as a share of that or of the floor, whichever is more.
fn regret(cost: f64, least: f64, floor: f64) -> f64 {
    if cost == least { 0.0 } else { (cost - least) / least.max(floor) }
}

fn spot(cell: &Priced, field: &[usize], patterns: &[&str], floor: f64, half: Half) -> Option<Spot> {
    // Whoever chooses sees the trials that choose; what checks is held to the winner on the map.
    let (best, _) = cell.cheapest(if half == Half::Chosen { half } else { Half::All })?;
    let least = cell.cost(best, half)?;
    let regret = |index: &usize| Some(regret(cell.cost(*index, half)?, least, floor));
    let place = &cell.place;
    Some(Spot {
        d: place.d as f64,
        m: place.m as f64,
        // A pattern that no generated cell has meets no rule on patterns.
        pattern: patterns.iter().position(|one| *one == place.pattern).unwrap_or(patterns.len()),
        stretches: cell.stretches.unwrap_or(0.0),
        regrets: field.iter().map(regret).collect::<Option<_>>()?,
    })
}

impl<'c> Table<'c> {
    fn new(cells: &'c [Priced], floor: f64) -> Option<Self> {
        let synthetic = || cells.iter().filter(|cell| cell.place.synthetic());
        let all: BTreeSet<usize> = synthetic().flat_map(|cell| cell.costs.keys().copied()).collect();
        let field: Vec<usize> = all.into_iter().collect();
        let all: BTreeSet<&str> = synthetic().map(|cell| cell.place.pattern.as_str()).collect();
        let patterns: Vec<&str> = all.into_iter().collect();
        let chosen: Vec<(&Priced, Spot)> = synthetic()
            .filter_map(|cell| Some((cell, spot(cell, &field, &patterns, floor, Half::Chosen)?)))
            .collect();
        let tested = |value: fn(&Spot) -> f64| {
            let values = || chosen.iter().map(|(_, spot)| value(spot));
            values().fold(f64::INFINITY, f64::min)..=values().fold(0.0, f64::max)
        };
        let (m, d) = (tested(|spot| spot.m), tested(|spot| spot.d));
        let inside =
            |cell: &&Priced| m.contains(&(cell.place.m as f64)) && d.contains(&(cell.place.d as f64));
        let (traces, beyond): (Vec<_>, Vec<_>) =
            cells.iter().filter(|cell| !cell.place.synthetic()).partition(inside);
        (!chosen.is_empty()).then_some(Self { chosen, traces, beyond: beyond.len(), field, patterns, floor })
    }

    /// How rules may ask where a difference lies: by the count of stretches where all records have it, for a recorded
    /// difference has no pattern.
    fn shape(&self) -> Feature {
        let mut cells = self.chosen.iter().map(|(cell, _)| *cell).chain(self.traces.iter().copied());
        if cells.all(|cell| cell.stretches.is_some()) { Feature::Stretches } else { Feature::Pattern }
    }

    fn rules(&self, features: &[Feature]) -> Option<Rules> {
        let spots: Vec<Spot> = self.chosen.iter().map(|(_, spot)| spot.clone()).collect();
        let lists: Vec<Option<List>> = (0..=RULES_MAX).map(|rules| search(&spots, features, rules)).collect();
        let list = shortest(&lists)?;
        let over = |cells: &[&Priced], half: Half| -> Vec<(usize, f64)> {
            let spots =
                cells.iter().filter_map(|cell| spot(cell, &self.field, &self.patterns, self.floor, half));
            spots.map(|spot| (list.rule_at(&spot), spot.regrets[list.pick(list.rule_at(&spot))])).collect()
        };
        let cells: Vec<&Priced> = self.chosen.iter().map(|(cell, _)| *cell).collect();
        let (chosen, held, traces) =
            (over(&cells, Half::Chosen), over(&cells, Half::Held), over(&self.traces, Half::All));
        let of =
            |all: &[(usize, f64)]| Regret::of(&all.iter().map(|(_, regret)| *regret).collect::<Vec<_>>());
        let at = |all: &[(usize, f64)], rule: usize| {
            of(&all.iter().copied().filter(|(one, _)| *one == rule).collect::<Vec<_>>())
        };
        let rules = (0..=list.rules.len())
            .map(|rule| Rule {
                when: self.when(list, rule),
                pick: self.field[list.pick(rule)],
                regret: at(&chosen, rule),
                held: at(&held, rule),
                flights: self.flights(list, rule),
            })
            .collect();
        let lengths = lists.iter().map(|list| list.as_ref().map(|list| (list.worst, list.mean))).collect();
        Some(Rules {
            rules,
            lengths,
            chosen: of(&chosen)?,
            held: of(&held),
            traces: of(&traces),
            beyond: self.beyond,
            exact: list.exact,
        })
    }

    fn when(&self, list: &List, rule: usize) -> When {
        let Some((condition, _)) = list.rules.get(rule) else { return When::Else };
        let Condition { feature, side, at } = *condition;
        if side == Side::Is {
            return When::Pattern(self.patterns.get(at as usize).copied().unwrap_or_default().to_owned());
        }
        let values = || self.chosen.iter().map(|(_, spot)| spot.value(feature));
        let low = values().filter(|value| *value <= at).fold(0.0, f64::max);
        let high = values().filter(|value| *value > at).fold(f64::INFINITY, f64::min);
        let crossing = self.crossing(list, rule, condition);
        // Only between the tested values on both sides do threshold and list decide alike.
        let threshold = match crossing {
            Some(crossing) if at > 0.0 && crossing.mid >= low && crossing.mid < high => crossing.mid,
            _ => at,
        };
        When::Beside { feature, side, threshold, crossing, tested: (low, high) }
    }

    /// Where a rule's contender and the one that takes over beyond its threshold cross, over all columns in which
    /// both rules speak on either side.
    fn crossing(&self, list: &List, rule: usize, condition: &Condition) -> Option<Interval> {
        let Condition { feature, side, at } = *condition;
        // Only the feature may vary within a column, and of the others what follows from it.
        type Column<'c> = (Option<u64>, Option<u64>, Option<&'c str>, u32, u32);
        let mut columns: BTreeMap<Column<'_>, Vec<&(&Priced, Spot)>> = BTreeMap::new();
        for one in &self.chosen {
            let place = &one.0.place;
            let (m, d, pattern) = (Some(place.m), Some(place.d), Some(place.pattern.as_str()));
            let (m, d, pattern) = match feature {
                Feature::M => (None, d, pattern),
                Feature::Stretches | Feature::Pattern => (m, d, None),
                Feature::D | Feature::Ratio => (m, None, pattern),
            };
            columns.entry((m, d, pattern, place.n, place.k)).or_default().push(one);
        }
        let mut pairs: Vec<(usize, Vec<Pair>)> = Vec::new();
        for mut column in columns.into_values() {
            column.sort_by(|a, b| a.1.value(feature).total_cmp(&b.1.value(feature)));
            let beyond = column.partition_point(|(_, spot)| spot.value(feature) <= at);
            let (Some(low), Some(high)) = (column[..beyond].last(), column.get(beyond)) else { continue };
            let (below, above) = (list.rule_at(&low.1), list.rule_at(&high.1));
            let (lower, upper) = (list.pick(below), list.pick(above));
            let (here, next) = if side == Side::Upto { (below, upper) } else { (above, lower) };
            if here != rule || lower == upper {
                continue;
            }
            let pair = |(cell, spot): &&(&Priced, Spot)| {
                Pair::new(cell, spot.value(feature), self.field[lower], self.field[upper])
            };
            pairs.push((next, column.iter().filter_map(pair).collect()));
        }
        // Several may take over; the one that does in most columns is the neighbour.
        let mut count: BTreeMap<usize, usize> = BTreeMap::new();
        pairs.iter().for_each(|(next, _)| *count.entry(*next).or_default() += 1);
        let (next, _) = count.into_iter().max_by_key(|(next, count)| (*count, std::cmp::Reverse(*next)))?;
        let columns: Vec<Vec<Pair>> =
            pairs.into_iter().filter(|(one, _)| *one == next).map(|(_, column)| column).collect();
        cross::crossing(&columns, at)
    }

    fn flights(&self, list: &List, rule: usize) -> f64 {
        let pick = self.field[list.pick(rule)];
        let here = self.chosen.iter().filter(|(_, spot)| list.rule_at(spot) == rule);
        let flights: Vec<f64> = here.filter_map(|(cell, _)| cell.flights.get(&pick).copied()).collect();
        median(&flights).unwrap_or(f64::NAN)
    }
}

/// The list whose every further rule takes at least [`RULE_WORTH`] off what the worst cell costs. Lists that are
/// unlikely to hold on other seeds stand back where another one is likelier: those with a mean regret above half of
/// [`HELD_MAX`] on the seeds that chose them, or above all of it where none is below the half.
fn shortest(lists: &[Option<List>]) -> Option<&List> {
    let kept = [HELD_MAX / 2.0, HELD_MAX, f64::INFINITY]
        .into_iter()
        .find(|bound| lists.iter().flatten().any(|list| list.mean <= *bound))?;
    let price = |(rules, list): &(usize, &List)| {
        ((1.0 + list.worst) * 100.0).round() / (1.0 - RULE_WORTH).powi(*rules as i32)
    };
    lists
        .iter()
        .enumerate()
        .filter_map(|(rules, list)| Some((rules, list.as_ref()?)))
        .filter(|(_, list)| list.mean <= kept)
        .min_by(|a, b| price(a).total_cmp(&price(b)))
        .map(|(_, list)| list)
}

#[cfg(test)]
mod tests;
