//! Decisions over cells whose costs are planted.

use super::*;

/// A cell whose contender `at` costs `cost(at, replicate)` in each of `replicates`.
fn cell(m: u64, d: u64, pattern: &str, replicates: u32, cost: impl Fn(usize, u32) -> f64) -> Priced {
    let place = Place { workload: "synthetic".into(), n: 2, k: 1, pattern: pattern.into(), m, d };
    let costs = (0..3).map(|at| (at, (0..replicates).map(|one| cost(at, one)).collect())).collect();
    let flights = (0..3).map(|at| (at, 2.0 + at as f64)).collect();
    Priced { place, costs, replicates: (0..replicates).collect(), flights, stretches: None }
}

/// A table of contenders 0 (flat at 1000) and 1 (10 a difference), which cross at d = 100, and 2 (far dearer).
fn crossing(replicates: u32) -> Vec<Priced> {
    let mut cells = Vec::new();
    for m in [1000, 10_000] {
        for d in [10, 30, 200, 500] {
            cells.push(cell(m, d, "scattered", replicates, |at, one| {
                let noise = 1.0 + f64::from(one) / 1000.0;
                noise * [1000.0, 10.0 * d as f64, 90_000.0][at]
            }));
        }
    }
    cells
}

const ALL: [Feature; 4] = [Feature::D, Feature::Ratio, Feature::M, Feature::Pattern];

#[test]
fn a_planted_crossing_is_found_with_its_interval() {
    let cells = crossing(4);
    let rules = Table::new(&cells, 0.0).unwrap().rules(&ALL).unwrap();
    assert_eq!(rules.rules.len(), 2);
    assert_eq!((rules.rules[0].pick, rules.rules[1].pick), (1, 0));
    let When::Beside { feature, side: Side::Upto, threshold, crossing: Some(at), tested } =
        &rules.rules[0].when
    else {
        panic!("{:?}", rules.rules[0])
    };
    assert_eq!((*feature, *tested), (Feature::D, (30.0, 200.0)));
    assert!((threshold - 100.0).abs() < 1.0, "{threshold}");
    // Noise that both contenders share shifts no crossing: pairs keep the interval narrow.
    assert!(at.low > 99.9 && at.high < 100.1, "{at:?}");
    assert_eq!(rules.chosen, Regret { cells: 8, worst: 0.0, mean: 0.0 });
    assert_eq!(rules.held.unwrap().mean, 0.0);
    assert_eq!(rules.refusal(), None);
    assert_eq!((rules.rules[0].flights, rules.rules[1].flights), (3.0, 2.0));
    // Without d nobody is right everywhere: 0 pays 10 times at d = 10, 1 pays 5 times at d = 500.
    let blind = Table::new(&cells, 0.0).unwrap().rules(&[Feature::M, Feature::Pattern]).unwrap();
    assert_eq!(blind.rules[0].pick, 1);
    assert!((blind.chosen.worst - 4.0).abs() < 1e-9, "{blind:?}");
}

#[test]
fn one_replicate_cannot_be_checked() {
    let cells = crossing(1);
    let rules = Table::new(&cells, 0.0).unwrap().rules(&ALL).unwrap();
    assert_eq!((rules.held, rules.traces), (None, None));
    assert_eq!(rules.refusal(), None);
}

#[test]
fn rules_that_fit_noise_are_refused() {
    // Contender 0 is cheap at even replicates and dear at odd ones, contender 1 always in between.
    let cells: Vec<Priced> = [10, 30, 100, 300]
        .into_iter()
        .map(|d| {
            cell(1000, d, "scattered", 4, |at, one| match at {
                0 if one.is_multiple_of(2) => 100.0,
                0 => 300.0,
                _ => 150.0,
            })
        })
        .collect();
    let rules = Table::new(&cells, 0.0).unwrap().rules(&ALL).unwrap();
    assert_eq!(rules.chosen.mean, 0.0);
    let (name, regret) = rules.refusal().unwrap();
    assert_eq!((name, regret.mean), ("seeds that did not choose", 1.0));
}

#[test]
fn traces_check_and_never_choose() {
    let mut cells = crossing(2);
    let mut trace = cell(5000, 20, "absence", 1, |at, _| [100.0, 400.0, 300.0][at]);
    trace.place.workload = "a-channel".into();
    let mut beyond = trace.clone();
    beyond.place.m = 1_000_000;
    cells.extend([trace, beyond]);
    let rules = Table::new(&cells, 0.0).unwrap().rules(&ALL).unwrap();
    assert_eq!(rules.chosen.cells, 8);
    // d = 20 is below the threshold: contender 1, at four times the trace's cheapest.
    assert_eq!(rules.traces, Some(Regret { cells: 1, worst: 3.0, mean: 3.0 }));
    assert_eq!(rules.beyond, 1);
    assert_eq!(rules.refusal().map(|(name, _)| name), Some("recorded traces"));
}

#[test]
fn a_failure_is_infinitely_dear() {
    let one = cell(1000, 10, "scattered", 3, |at, one| {
        if at == 0 && one == 2 { f64::INFINITY } else { [1.0, 50.0, 60.0][at] }
    });
    assert_eq!(one.cost(0, Half::All), Some(f64::INFINITY));
    assert_eq!(one.cost(0, Half::Held), Some(1.0));
    let best = one.winner().unwrap();
    assert_eq!((best.index, best.cost), (1, 50.0));
    assert_eq!(best.runner_up, Some((2, 1.2)));
    // Who did not run at a place is nobody's choice there.
    assert_eq!(one.cost(9, Half::All), Some(f64::INFINITY));
}

#[test]
fn ten_bytes_more_than_two_are_no_regret_worth_a_rule() {
    let cells = [cell(5000, 5000, "empty", 2, |at, _| [12.0, 2.0, 400.0][at])];
    let of = |floor: f64| Table::new(&cells, floor).unwrap().chosen[0].1.regrets.clone();
    assert_eq!(of(0.0), [5.0, 0.0, 199.0]);
    assert_eq!(of(50.0), [0.2, 0.0, 7.96]);
    assert_eq!(Objective::Bytes.floor(), 56.0);
}

#[test]
fn a_recorded_difference_meets_a_rule_on_stretches() {
    // Contender 2 where the difference lies at one place, contender 0 where it is scattered.
    let one = |d: u64, pattern: &str, stretches: f64| {
        let scattered = stretches > 1.0;
        let costs = move |at: usize, _| if (at == 0) == scattered && at != 1 { 100.0 } else { 500.0 };
        Priced { stretches: Some(stretches), ..cell(1000, d, pattern, 2, costs) }
    };
    let mut cells = vec![one(50, "gap", 1.0), one(50, "scattered", 48.0), one(90, "recent", 1.0)];
    let mut trace = one(60, "absence", 2.0);
    trace.costs.values_mut().zip([500.0, 500.0, 100.0]).for_each(|(costs, cost)| costs.fill(cost));
    trace.place.workload = "a-channel".into();
    cells.push(trace);
    let table = Table::new(&cells, 0.0).unwrap();
    assert_eq!(table.shape(), Feature::Stretches);
    let rules = table.rules(&[Feature::D, Feature::Ratio, Feature::M, table.shape()]).unwrap();
    assert_eq!(rules.traces, Some(Regret { cells: 1, worst: 0.0, mean: 0.0 }));
    let When::Beside { feature: Feature::Stretches, tested, .. } = rules.rules[0].when else {
        panic!("{:?}", rules.rules[0])
    };
    assert_eq!(tested, (1.0, 48.0));
    // Where one cell does not tell, patterns are all there is.
    cells[0].stretches = None;
    assert_eq!(Table::new(&cells, 0.0).unwrap().shape(), Feature::Pattern);
}

#[test]
fn ties_are_judged_on_pairs() {
    // The spread over replicates is tenfold, and yet 1 is always one percent dearer: no tie.
    let spread = |one: u32| 10f64.powf(f64::from(one % 5) / 4.0);
    let one = cell(1000, 10, "scattered", 10, |at, one| spread(one) * [100.0, 101.0, 900.0][at]);
    assert!(one.winner().unwrap().ties.is_empty());
    // 1 is cheaper in two of five.
    let one = cell(1000, 10, "scattered", 10, |at, one| match at {
        1 if one % 5 < 2 => 90.0,
        1 => 104.0,
        at => [100.0, 0.0, 900.0][at],
    });
    assert_eq!(one.winner().unwrap().ties, [1]);
}

#[test]
fn a_further_rule_must_pay_for_itself() {
    let list = |worst: f64| Some(List { rules: Vec::new(), otherwise: 0, worst, mean: 0.0, exact: true });
    // From 1.50 to 1.40 is less than a tenth off; from 1.50 to 1.30 is more.
    assert_eq!(shortest(&[list(0.5), list(0.4)]).unwrap().worst, 0.5);
    assert_eq!(shortest(&[list(0.5), list(0.3)]).unwrap().worst, 0.3);
    assert_eq!(shortest(&[None, list(0.3)]).unwrap().worst, 0.3);
    assert!(shortest(&[None, None]).is_none());
    // A list that costs a fifth more on average stands back where a longer one does not, though its worst cell is as bad.
    let costly = |mean: f64| list(0.5).map(|list| List { mean, ..list });
    assert_eq!(shortest(&[costly(0.2), costly(0.04)]).unwrap().mean, 0.04);
    assert_eq!(shortest(&[costly(0.05), costly(0.04)]).unwrap().mean, 0.05);
    // Where none is far below what holds, one that just does is better than a shorter one that does not.
    assert_eq!(shortest(&[costly(0.2), costly(0.1)]).unwrap().mean, 0.1);
    assert_eq!(shortest(&[costly(0.2), costly(0.15)]).unwrap().mean, 0.2);
}

#[test]
fn a_threshold_shows_its_interval_only_where_it_lies_in_it() {
    let when = |low: f64, mid: f64, high: f64| When::Beside {
        feature: Feature::D,
        side: Side::Upto,
        threshold: 40.0,
        crossing: Some(Interval { low, mid, high }),
        tested: (30.0, 100.0),
    };
    assert_eq!(words::range(&when(35.0, 40.0, 50.0)).as_deref(), Some("35–50"));
    assert_eq!(words::range(&when(20.0, 22.0, 25.0)), None);
    assert_eq!(words::range(&When::Else), None);
}
