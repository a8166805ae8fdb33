//! The shortest ordered list of rules that costs little more than the winner of every cell.
//!
//! A *list* is "if c1 then x1, else if c2 then x2, …, else x": a decision list in the sense of Rivest
//! (Learning decision lists, 1987), whose conditions are thresholds from below (`d ≤ t`, `d/M ≤ t`, `M ≤ t`) or one
//! pattern. Among lists of at most r rules before the else, [`search`] finds one of least worst regret, and
//! of those one of least mean regret. Worst regrets within one part in [`STEPS`] count as equal, so that noise
//! in one cell does not choose a threshold.
//!
//! **Worst regret is exact.** Fix a bound W. A rule fits if one contender keeps W on all cells that reach it. Taking
//! a fitting rule never hurts, as fewer cells are left, and of nested conditions the widest that fits is the
//! best. So at every step only one threshold a feature and one rule a pattern need be tried, and what was taken
//! matters only through the set of cells that is left. The least W is found by bisection over all regrets.
//!
//! **Mean regret** is minimised over all fitting rules, not only the widest, level by level over sets of remaining
//! cells: exact as long as a level has at most [`BEAM`] sets that can still beat the best list known, else the
//! most promising are kept.

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
    /// Shape of the difference.
    Pattern,
}

/// A condition: a feature's value is at most `upto`, or, for patterns, equal to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// What it looks at.
    pub feature: Feature,
    /// Threshold, or number of the pattern.
    pub upto: f64,
}

/// A cell as the search sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// Items in the difference.
    pub d: f64,
    /// Items in the union.
    pub m: f64,
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
            Feature::Pattern => self.pattern as f64,
        }
    }

    /// Whether a condition holds here.
    pub fn meets(&self, condition: &Condition) -> bool {
        let value = self.value(condition.feature);
        match condition.feature {
            Feature::Pattern => value == condition.upto,
            _ => value <= condition.upto,
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
    /// Nested cuts by growing threshold, a chain a feature; each pattern is a chain of one.
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
        let mut chains = Vec::new();
        for feature in features {
            let mut by_value: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
            for (cell, spot) in spots.iter().enumerate() {
                // Floats that are not negative order like their bits.
                by_value.entry(spot.value(*feature).to_bits()).or_default().push(cell);
            }
            let values: Vec<f64> = by_value.keys().map(|bits| f64::from_bits(*bits)).collect();
            let cut = |(place, cells): (usize, Vec<usize>)| {
                let upto = match (feature, values.get(place + 1)) {
                    (Feature::Pattern, _) | (_, None) => values[place],
                    (_, Some(next)) => middle(values[place], *next),
                };
                Cut { condition: Condition { feature: *feature, upto }, cells }
            };
            let mut cuts: Vec<Cut> = by_value.into_values().enumerate().map(cut).collect();
            if *feature == Feature::Pattern {
                if cuts.len() > 1 {
                    chains.extend(cuts.into_iter().map(|cut| vec![cut]));
                }
            } else {
                // The last takes all that is left, which is what the else is for.
                cuts.pop();
                chains.push(cuts);
            }
        }
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
            level = next;
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
            // Of equal sums the shorter list, then the one whose else decides most: it stands for whatever was not
            // tested, and should not be the special case.
            let better = |best: &Best| {
                let rank = (partial.rules.len(), std::cmp::Reverse(rest));
                sum < best.sum - EQUAL
                    || (sum < best.sum + EQUAL && rank < (best.rules.len(), std::cmp::Reverse(best.rest)))
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Feature; 4] = [Feature::D, Feature::Ratio, Feature::M, Feature::Pattern];

    fn spot(d: f64, m: f64, pattern: usize, regrets: &[f64]) -> Spot {
        Spot { d, m, pattern, regrets: regrets.to_vec() }
    }

    /// Every list of at most `rules` rules, one by one: least worst step, then least sum.
    fn brute(spots: &[Spot], rules: usize) -> Option<(u64, f64)> {
        let field = Field::new(spots, &ALL);
        let conditions: Vec<Condition> = field.chains.iter().flatten().map(|cut| cut.condition).collect();
        let mut best: Option<(u64, f64)> = None;
        let mut stack: Vec<Vec<Condition>> = vec![Vec::new()];
        while let Some(list) = stack.pop() {
            if list.len() < rules {
                stack.extend(conditions.iter().map(|one| [list.clone(), vec![*one]].concat()));
            }
            let count = spots[0].regrets.len();
            // Each region picks on its own, so every choice of contenders is tried region by region, once for
            // every bound on the worst.
            let bounds: Vec<u64> = field.steps.iter().flatten().copied().filter(|s| *s < u64::MAX).collect();
            for bound in bounds {
                let sum: Option<f64> = (0..=list.len())
                    .map(|rule| {
                        let here: Vec<usize> = (0..spots.len())
                            .filter(|cell| {
                                let speaks = list.iter().position(|one| spots[*cell].meets(one));
                                speaks.unwrap_or(list.len()) == rule
                            })
                            .collect();
                        (0..count)
                            .filter(|pick| here.iter().all(|cell| field.steps[*cell][*pick] <= bound))
                            .map(|pick| here.iter().map(|cell| spots[*cell].regrets[pick]).sum::<f64>())
                            .min_by(f64::total_cmp)
                    })
                    .sum();
                if let Some(sum) = sum
                    && best.is_none_or(|(least, known)| (bound, sum) < (least, known))
                {
                    best = Some((bound, sum));
                }
            }
        }
        best
    }

    fn spots() -> impl Strategy<Value = Vec<Spot>> {
        let regret = prop_oneof![8 => (0u32..40).prop_map(|r| f64::from(r) / 20.0), 1 => Just(f64::INFINITY)];
        let one = (0u32..4, 1u32..4, 0usize..3, prop::collection::vec(regret, 3));
        prop::collection::vec(one, 1..8).prop_map(|all| {
            let place = |(d, m, pattern, mut regrets): (u32, u32, usize, Vec<f64>)| {
                // As in real cells, the cheapest has no regret.
                let least = regrets.iter().copied().fold(f64::INFINITY, f64::min);
                if least.is_infinite() {
                    regrets[0] = 0.0;
                } else {
                    regrets.iter_mut().for_each(|regret| *regret -= least);
                }
                spot(f64::from(d * d * 10), f64::from(m) * 100.0, pattern, &regrets)
            };
            all.into_iter().map(place).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_search_equals_trying_every_list(spots in spots(), rules in 0usize..3) {
            let found = search(&spots, &ALL, rules);
            match brute(&spots, rules) {
                None => prop_assert!(found.is_none()),
                Some((worst, sum)) => {
                    let found = found.unwrap();
                    prop_assert!(found.exact);
                    prop_assert_eq!(step(found.worst), worst);
                    prop_assert!((found.mean * spots.len() as f64 - sum).abs() < 1e-9, "{:?} {}", found, sum);
                    let mean = spots.iter().map(|spot| spot.regrets[found.pick(found.rule_at(spot))]).sum::<f64>();
                    prop_assert!((mean - sum).abs() < 1e-9);
                }
            }
        }

        #[test]
        fn one_more_rule_never_costs(spots in spots()) {
            let lists: Vec<Option<List>> = (0..=4).map(|rules| search(&spots, &ALL, rules)).collect();
            for pair in lists.windows(2) {
                if let Some(shorter) = &pair[0] {
                    let longer = pair[1].as_ref().unwrap();
                    prop_assert!(step(longer.worst) <= step(shorter.worst));
                }
            }
            prop_assert_eq!(search(&spots, &ALL, 2), search(&spots, &ALL, 2));
        }
    }

    #[test]
    fn planted_rules_are_found() {
        // Contender 2 where the pattern is 1; else 0 up to d = 30, 1 above.
        let mut spots = Vec::new();
        for m in [100.0, 1000.0, 10_000.0] {
            for d in [1.0, 3.0, 10.0, 30.0, 100.0, 300.0] {
                for pattern in [0, 1] {
                    let winner = if pattern == 1 { 2 } else { usize::from(d > 30.0) };
                    let regret = |at: usize| if at == winner { 0.0 } else { 1.0 + at as f64 };
                    spots.push(spot(d, m, pattern, &[regret(0), regret(1), regret(2)]));
                }
            }
        }
        let list = search(&spots, &ALL, 2).unwrap();
        assert_eq!((list.worst, list.mean, list.exact), (0.0, 0.0, true));
        for spot in &spots {
            assert_eq!(spot.regrets[list.pick(list.rule_at(spot))], 0.0);
        }
        // One rule cannot tell three contenders apart.
        assert!(search(&spots, &ALL, 1).unwrap().worst > 0.0);
        // Thresholds lie halfway on paper.
        let upto = list.rules.iter().find(|(one, _)| one.feature == Feature::D).map(|(one, _)| one.upto);
        assert!((upto.unwrap() - (30.0f64 * 100.0).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn whoever_fails_is_not_chosen_and_no_list_is_no_list() {
        const INF: f64 = f64::INFINITY;
        // By hand: 0 is free at d = 1 and fails at d = 9; 1 costs half more and never fails.
        let spots = [spot(1.0, 10.0, 0, &[0.0, 0.5]), spot(9.0, 10.0, 0, &[INF, 0.0])];
        let list = search(&spots, &ALL, 0).unwrap();
        assert_eq!((list.otherwise, list.worst, list.mean), (1, 0.5, 0.25));
        let list = search(&spots, &ALL, 1).unwrap();
        assert_eq!(
            (list.rules.as_slice(), list.otherwise),
            (&[(Condition { feature: Feature::D, upto: 3.0 }, 0)][..], 1)
        );
        assert_eq!(list.worst, 0.0);
        // Nobody finishes both, and no condition on M or pattern parts them.
        let spots = [spot(1.0, 10.0, 0, &[0.0, INF]), spot(9.0, 10.0, 0, &[INF, 0.0])];
        assert_eq!(search(&spots, &[Feature::M, Feature::Pattern], 5), None);
    }

    #[test]
    fn the_else_is_the_rule_and_not_the_exception() {
        // One odd cell of largest d and of its own pattern: a rule on the pattern leaves the else to the many.
        let mut spots: Vec<Spot> = (1..6).map(|d| spot(f64::from(d), 1e4, 0, &[0.0, 2.0])).collect();
        spots.push(spot(5000.0, 1e4, 1, &[2.0, 0.0]));
        let list = search(&spots, &ALL, 1).unwrap();
        assert_eq!(list.rules, [(Condition { feature: Feature::Pattern, upto: 1.0 }, 1)]);
        assert_eq!(list.otherwise, 0);
    }

    #[test]
    fn three_hundred_cells_of_twenty_five_contenders_take_no_second() {
        let mut state = 7u64;
        let mut noise = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / (1u64 << 24) as f64
        };
        let spots: Vec<Spot> = (0..300)
            .map(|cell| {
                let regrets: Vec<f64> = (0..25).map(|_| 3.0 * noise()).collect();
                let (m, d) = (10f64.powi(2 + cell / 60), 10f64.powf(f64::from(cell % 20) / 5.0));
                spot(d, m, (cell / 20 % 3) as usize, &regrets)
            })
            .collect();
        // Time is not asserted, which would fail on a busy machine; the work is bounded by the beam.
        for rules in 0..=RULES_MAX {
            let list = search(&spots, &ALL, rules).unwrap();
            assert!(list.rules.len() <= rules);
        }
    }
}
