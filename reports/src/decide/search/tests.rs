//! The search against trying every list, and against planted rules.

use proptest::prelude::*;

use super::*;

const ALL: [Feature; 4] = [Feature::D, Feature::Ratio, Feature::M, Feature::Pattern];

fn spot(d: f64, m: f64, pattern: usize, regrets: &[f64]) -> Spot {
    Spot { d, m, stretches: d.min(1.0 + pattern as f64), pattern, regrets: regrets.to_vec() }
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
    let upto = list.rules.iter().find(|(one, _)| one.feature == Feature::D).map(|(one, _)| one.at);
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
        (&[(Condition { feature: Feature::D, side: Side::Upto, at: 3.0 }, 0)][..], 1)
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
    assert_eq!(list.rules, [(Condition { feature: Feature::Pattern, side: Side::Is, at: 1.0 }, 1)]);
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
