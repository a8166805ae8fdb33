//! The shortest ordered list of rules that costs little more than the winner of every cell.
//!
//! A *list* is "if c1 then x1, else if c2 then x2, …, else x": a decision list in the sense of Rivest
//! (Learning decision lists, 1987), whose conditions are thresholds from either side (`d ≤ t`, `d/M > t`, and likewise
//! of M and stretches) or one pattern. Among lists of at most r rules before the else, [`search`] finds one of least worst regret, and
//! of those one of least mean regret. Worst regrets within one part in [`STEPS`] count as equal, so that noise
//! in one cell does not choose a threshold.
//!
//! **Worst regret is exact.** Fix a bound W. A rule fits if one contender keeps W on all cells that reach it. Taking
//! a fitting rule never hurts, as fewer cells are left, and of nested conditions the widest that fits is the
//! best. So at every step only one threshold a feature and side and one rule a pattern need be tried, and what was taken
//! matters only through the set of cells that is left: of two such sets one of which holds the other, the smaller
//! is no worse. The least W is found by bisection over all regrets.
//!
//! **Mean regret** is minimised over all fitting rules, not only the widest, level by level over sets of remaining
//! cells: exact as long as a level has at most [`BEAM`] sets that can still beat the best list known, else the
//! most promising are kept.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Worst regrets are compared in steps of a hundredth.
pub const STEPS: f64 = 100.0;

/// Most rules before the else.
pub const RULES_MAX: usize = 5;

/// Sets of remaining cells followed at each level.
pub const BEAM: usize = 256;

/// Contenders that a search compares: bits of a mask.
const FIELD_MAX: usize = 128;

/// What a condition looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Size of the difference.
    D,
    /// Its share of M.
    Ratio,
    /// Size of the union.
    M,
    /// At how many places of the history the sets differ: the shape of a difference as a number, which recorded
    /// differences have, too.
    Stretches,
    /// Shape of the difference, by name.
    Pattern,
}

/// Which values of a feature meet a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Those of at most the threshold.
    Upto,
    /// Those above it.
    Above,
    /// That one alone: for patterns.
    Is,
}

/// A condition on one feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// What it looks at.
    pub feature: Feature,
    /// Which values meet it.
    pub side: Side,
    /// Threshold, or number of the pattern.
    pub at: f64,
}

/// A cell as the search sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// Items in the difference.
    pub d: f64,
    /// Items in the union.
    pub m: f64,
    /// Places of the union at which the sets differ; 0 where it was not counted.
    pub stretches: f64,
    /// Number of the pattern.
    pub pattern: usize,
    /// Regret of each contender; infinite where it fails.
    pub regrets: Vec<f64>,
}

impl Spot {
    /// Its value of a feature.
    pub fn value(&self, feature: Feature) -> f64 {
        match feature {
            Feature::D => self.d,
            Feature::M => self.m,
            Feature::Ratio if self.m == 0.0 => 0.0,
            Feature::Ratio => self.d / self.m,
            Feature::Stretches => self.stretches,
            Feature::Pattern => self.pattern as f64,
        }
    }

    /// Whether a condition holds here.
    pub fn meets(&self, condition: &Condition) -> bool {
        let value = self.value(condition.feature);
        match condition.side {
            Side::Upto => value <= condition.at,
            Side::Above => value > condition.at,
            Side::Is => value == condition.at,
        }
    }
}

/// An ordered list of rules.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// Conditions with the contender each picks, in order.
    pub rules: Vec<(Condition, usize)>,
    /// Whom all other cells get.
    pub otherwise: usize,
    /// Worst regret over the cells.
    pub worst: f64,
    /// Mean regret.
    pub mean: f64,
    /// Whether no list of as many rules has a smaller mean at the same worst regret, by proof.
    pub exact: bool,
}

impl List {
    /// Which rule speaks for a spot; `rules.len()` is the else.
    pub fn rule_at(&self, spot: &Spot) -> usize {
        self.rules.iter().position(|(condition, _)| spot.meets(condition)).unwrap_or(self.rules.len())
    }

    /// The contender that a rule picks.
    pub fn pick(&self, rule: usize) -> usize {
        self.rules.get(rule).map_or(self.otherwise, |(_, pick)| *pick)
    }
}

/// Worst regret in steps, rounded up; infinite regrets are the last step of all.
fn step(regret: f64) -> u64 {
    // A regret that is 0.3 up to a rounding is no 0.31.
    if regret.is_finite() { (regret * STEPS - 1e-9).ceil().max(0.0) as u64 } else { u64::MAX }
}

/// Cells as bits.
type Set = Vec<u64>;

fn has(set: &Set, cell: usize) -> bool {
    set[cell / 64] >> (cell % 64) & 1 == 1
}

/// One cut of a feature: the cells it newly takes in, and its condition.
struct Cut {
    condition: Condition,
    cells: Vec<usize>,
}

/// The cells and everything derived from them once.
struct Field<'s> {
    spots: &'s [Spot],
    /// Nested cuts from narrow to wide, a chain a feature and side; each pattern is a chain of one.
    chains: Vec<Vec<Cut>>,
    contenders: Vec<usize>,
    steps: Vec<Vec<u64>>,
    regrets: Vec<Vec<f64>>,
}

/// Geometric middle; a threshold above zero itself is zero, since nothing is halfway to it on a log axis.
pub fn middle(low: f64, high: f64) -> f64 {
    if low <= 0.0 { 0.0 } else { (low * high).sqrt() }
}

impl<'s> Field<'s> {
    fn new(spots: &'s [Spot], features: &[Feature]) -> Self {
        // Thresholds from above come last: of equal lists that is the one to read less easily.
        let (mut chains, mut from_above) = (Vec::new(), Vec::new());
        for feature in features {
            let mut by_value: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
            for (cell, spot) in spots.iter().enumerate() {
                // Floats that are not negative order like their bits.
                by_value.entry(spot.value(*feature).to_bits()).or_default().push(cell);
            }
            let (values, cells): (Vec<f64>, Vec<Vec<usize>>) =
                by_value.into_iter().map(|(bits, cells)| (f64::from_bits(bits), cells)).unzip();
            let cut = |side: Side, at: f64, cells: &Vec<usize>| Cut {
                condition: Condition { feature: *feature, side, at },
                cells: cells.clone(),
            };
            if values.len() < 2 {
                // It takes all that is left, which is what the else is for.
                continue;
            }
            if *feature == Feature::Pattern {
                chains.extend(values.iter().zip(&cells).map(|(at, cells)| vec![cut(Side::Is, *at, cells)]));
                continue;
            }
            let between: Vec<f64> = values.windows(2).map(|two| middle(two[0], two[1])).collect();
            let low = between.iter().zip(&cells).map(|(at, cells)| cut(Side::Upto, *at, cells));
            let high = between.iter().zip(&cells[1..]).map(|(at, cells)| cut(Side::Above, *at, cells));
            chains.push(low.collect());
            from_above.push(high.rev().collect());
        }
        chains.append(&mut from_above);
        let count = spots.iter().map(|spot| spot.regrets.len()).max().unwrap_or(0);
        let mut contenders: Vec<usize> = (0..count).collect();
        if count > FIELD_MAX {
            let sum = |at: usize| spots.iter().map(|spot| spot.regrets[at].min(10.0)).sum::<f64>();
            contenders.sort_by(|a, b| sum(*a).total_cmp(&sum(*b)).then(a.cmp(b)));
            contenders.truncate(FIELD_MAX);
            contenders.sort_unstable();
        }
        let regrets: Vec<Vec<f64>> =
            spots.iter().map(|spot| contenders.iter().map(|at| spot.regrets[*at]).collect()).collect();
        let steps = regrets.iter().map(|row| row.iter().map(|one| step(*one)).collect()).collect();
        Self { spots, chains, contenders, steps, regrets }
    }

    fn all(&self) -> Set {
        let mut set = vec![0; self.spots.len().div_ceil(64)];
        for cell in 0..self.spots.len() {
            set[cell / 64] |= 1 << (cell % 64);
        }
        set
    }

    /// Contenders that keep a bound in each cell, as bits.
    fn masks(&self, bound: u64) -> Vec<u128> {
        let mask = |row: &Vec<u64>| {
            row.iter().enumerate().fold(0u128, |mask, (at, step)| mask | (u128::from(*step <= bound) << at))
        };
        self.steps.iter().map(mask).collect()
    }

    /// Whether some list of at most `rules` rules keeps the bound everywhere.
    fn feasible(&self, bound: u64, rules: usize) -> bool {
        let masks = self.masks(bound);
        let together = |set: &Set| {
            (0..self.spots.len())
                .filter(|cell| has(set, *cell))
                .fold(u128::MAX, |all, cell| all & masks[cell])
        };
        let mut level: BTreeSet<Set> = BTreeSet::from([self.all()]);
        for left in (0..=rules).rev() {
            if level.iter().any(|set| together(set) != 0) {
                return true;
            }
            if left == 0 {
                break;
            }
            let mut next = BTreeSet::new();
            for set in &level {
                for chain in &self.chains {
                    let (mut rest, mut kept) = (set.clone(), u128::MAX);
                    for cut in chain {
                        kept =
                            cut.cells.iter().filter(|c| has(set, **c)).fold(kept, |all, c| all & masks[*c]);
                        if kept == 0 {
                            break;
                        }
                        cut.cells.iter().for_each(|cell| rest[cell / 64] &= !(1 << (cell % 64)));
                    }
                    if rest != *set {
                        next.insert(rest);
                    }
                }
            }
            level = least_sets(next);
        }
        false
    }

    /// The least bound that some list of at most `rules` rules keeps.
    fn bound(&self, rules: usize) -> Option<u64> {
        let mut bounds: Vec<u64> = self.steps.iter().flatten().copied().filter(|s| *s < u64::MAX).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let place = bounds.partition_point(|bound| !self.feasible(*bound, rules));
        bounds.get(place).copied()
    }
}

/// Those sets that hold none of the others.
fn least_sets(sets: BTreeSet<Set>) -> BTreeSet<Set> {
    let mut by_len: Vec<Set> = sets.into_iter().collect();
    by_len.sort_by_key(|set| set.iter().map(|word| word.count_ones()).sum::<u32>());
    let mut least: Vec<Set> = Vec::new();
    for set in by_len {
        let holds = |one: &Set| one.iter().zip(&set).all(|(one, set)| one & !set == 0);
        if !least.iter().any(holds) {
            least.push(set);
        }
    }
    least.into_iter().collect()
}

/// A partial list: what it took so far.
struct Partial {
    rules: Vec<(Condition, usize)>,
    sum: f64,
    /// What the rest would add if one contender took it, bound or not: how promising this is.
    promise: f64,
}

/// The contender of least sum among those of a mask; the first of equals.
fn least(sums: &[f64], mask: u128) -> Option<(usize, f64)> {
    let mut best: Option<(usize, f64)> = None;
    for (at, sum) in sums.iter().enumerate() {
        if mask >> at & 1 == 1 && best.is_none_or(|(_, least)| *sum < least) {
            best = Some((at, *sum));
        }
    }
    best
}

/// The best list of at most `rules` rules over `features`. `None` without cells, or if whatever such a list picks,
/// some session fails.
pub fn search(spots: &[Spot], features: &[Feature], rules: usize) -> Option<List> {
    if spots.is_empty() {
        return None;
    }
    let field = Field::new(spots, features);
    let bound = field.bound(rules)?;
    let mut descent = Descent { masks: field.masks(bound), field: &field, best: None, exact: true };
    // The widest cuts alone find some list that keeps the bound; then all cuts look for a smaller mean.
    descent.run(rules, true);
    descent.run(rules, false);
    let Best { sum, rules, otherwise, .. } = descent.best?;
    let mut list = List {
        rules: rules.into_iter().map(|(condition, at)| (condition, field.contenders[at])).collect(),
        otherwise: field.contenders[otherwise],
        worst: 0.0,
        mean: sum / spots.len() as f64,
        exact: descent.exact,
    };
    list.worst = spots.iter().map(|spot| spot.regrets[list.pick(list.rule_at(spot))]).fold(0.0, f64::max);
    Some(list)
}

/// The best whole list so far.
struct Best {
    sum: f64,
    rules: Vec<(Condition, usize)>,
    otherwise: usize,
    /// Cells that the else decides.
    rest: usize,
}

/// The search for the least mean under a bound on the worst.
struct Descent<'f, 's> {
    field: &'f Field<'s>,
    masks: Vec<u128>,
    best: Option<Best>,
    exact: bool,
}

/// Sums that differ by less are equal: the order of additions is no reason to prefer a list.
const EQUAL: f64 = 1e-9;

impl Descent<'_, '_> {
    fn run(&mut self, rules: usize, widest: bool) {
        let start = Partial { rules: Vec::new(), sum: 0.0, promise: 0.0 };
        let mut level: BTreeMap<Set, Partial> = BTreeMap::from([(self.field.all(), start)]);
        for left in (0..=rules).rev() {
            let mut next: BTreeMap<Set, Partial> = BTreeMap::new();
            for (set, partial) in &level {
                let totals = self.close(set, partial);
                if left > 0 {
                    for chain in &self.field.chains {
                        self.take(chain, set, partial, &totals, widest, &mut next);
                    }
                }
            }
            if next.len() > BEAM && !widest {
                self.exact = false;
                let mut order: Vec<(Set, Partial)> = next.into_iter().collect();
                order.sort_by(|a, b| a.1.promise.total_cmp(&b.1.promise).then_with(|| a.0.cmp(&b.0)));
                order.truncate(BEAM);
                next = order.into_iter().collect();
            }
            level = next;
        }
    }

    /// Ends a partial list with its else, if some contender keeps the bound on all that is left. Sums of the rest.
    fn close(&mut self, set: &Set, partial: &Partial) -> Vec<f64> {
        let mut totals = vec![0.0; self.field.contenders.len()];
        let (mut together, mut rest) = (u128::MAX, 0);
        for cell in (0..self.field.spots.len()).filter(|cell| has(set, *cell)) {
            add(&mut totals, &self.field.regrets[cell]);
            together &= self.masks[cell];
            rest += 1;
        }
        if let Some((otherwise, sum)) = least(&totals, together) {
            let sum = partial.sum + sum;
            // Of equal sums the shorter list, then the one with fewer thresholds from above, then the one whose else
            // decides most: it stands for whatever was not tested, and should not be the special case.
            let above = |rules: &[(Condition, usize)]| {
                rules.iter().filter(|(condition, _)| condition.side == Side::Above).count()
            };
            let rank = |rules: &[(Condition, usize)], rest| (rules.len(), above(rules), Reverse(rest));
            let better = |best: &Best| {
                sum < best.sum - EQUAL
                    || (sum < best.sum + EQUAL && rank(&partial.rules, rest) < rank(&best.rules, best.rest))
            };
            if self.best.as_ref().is_none_or(better) {
                self.best = Some(Best { sum, rules: partial.rules.clone(), otherwise, rest });
            }
        }
        totals
    }

    /// Follows a partial list by every rule of a chain that fits, or by the widest only.
    fn take(
        &self,
        chain: &[Cut],
        set: &Set,
        partial: &Partial,
        totals: &[f64],
        widest: bool,
        next: &mut BTreeMap<Set, Partial>,
    ) {
        let (mut rest, mut kept, mut sums) = (set.clone(), u128::MAX, vec![0.0; totals.len()]);
        let mut last: Option<(Set, Partial)> = None;
        for cut in chain {
            let cells: Vec<usize> = cut.cells.iter().copied().filter(|cell| has(set, *cell)).collect();
            if cells.is_empty() {
                continue;
            }
            for cell in cells {
                kept &= self.masks[cell];
                add(&mut sums, &self.field.regrets[cell]);
                rest[cell / 64] &= !(1 << (cell % 64));
            }
            let Some((pick, sum)) = least(&sums, kept) else { break };
            let sum = partial.sum + sum;
            if !widest && self.best.as_ref().is_some_and(|best| sum >= best.sum + EQUAL) {
                continue;
            }
            let remaining = (0..sums.len()).map(|at| totals[at] - sums[at]).filter(|sum| !sum.is_nan());
            let promise = sum + remaining.fold(f64::INFINITY, f64::min).max(0.0);
            let mut rules = partial.rules.clone();
            rules.push((cut.condition, pick));
            if let Some((set, partial)) = last.replace((rest.clone(), Partial { rules, sum, promise }))
                && !widest
            {
                keep(next, set, partial);
            }
        }
        if let Some((set, partial)) = last {
            keep(next, set, partial);
        }
    }
}

/// Of two ways to one set, the cheaper; of equals, the first.
fn keep(next: &mut BTreeMap<Set, Partial>, set: Set, partial: Partial) {
    if next.get(&set).is_none_or(|known| partial.sum < known.sum - EQUAL) {
        next.insert(set, partial);
    }
}

fn add(sums: &mut [f64], regrets: &[f64]) {
    for (sum, regret) in sums.iter_mut().zip(regrets) {
        *sum += regret;
    }
}

#[cfg(test)]
mod tests;
