//! Two runs held against each other: what is the same, what is worse, and what is refused.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use common::{Recipe, file, header, rows, run};
use offerbench_reports::compare::{Comparison, Look, Verdict, compare};
use offerbench_reports::record::{Bytes, ExactRow, Header, Lane, TimedRow};
use offerbench_reports::{Book, CompareError};
use proptest::prelude::*;

/// A book of counts, after an edit of its header and rows.
fn counts(edit: impl FnOnce(&mut Header, &mut Vec<ExactRow>)) -> Book {
    let recipe = Recipe::small();
    let (mut exact, _) = rows(&recipe);
    let mut head = header(Lane::Exact, &recipe, exact.len() as u64);
    edit(&mut head, &mut exact);
    Book::unite(vec![run("exact.jsonl", &file(&head, &exact))]).unwrap()
}

/// A book of counts and times, after an edit of the times.
fn times(edit: impl FnOnce(&mut Header, &mut Vec<TimedRow>)) -> Book {
    let recipe = Recipe::small();
    let (exact, mut timed) = rows(&recipe);
    let mut head = header(Lane::Timed, &recipe, timed.len() as u64);
    edit(&mut head, &mut timed);
    let counts = file(&header(Lane::Exact, &recipe, exact.len() as u64), &exact);
    Book::unite(vec![run("exact.jsonl", &counts), run("timed.jsonl", &file(&head, &timed))]).unwrap()
}

fn plain() -> Book {
    counts(|_, _| ())
}

fn held(base: &Book, new: &Book) -> Comparison {
    compare(std::slice::from_ref(base), std::slice::from_ref(new)).unwrap()
}

/// Nothing but the same.
fn all_same(found: &Comparison) -> bool {
    let total = found.total();
    total.rows() > 0 && total.same == total.rows() && found.changes.is_empty() && found.lacks.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_run_equals_itself_in_whatever_order_its_rows_come(keys in any::<u64>()) {
        let shuffled = counts(|_, rows| {
            let mut rng = common::Rng(keys);
            for at in (1..rows.len()).rev() {
                let other = (rng.next() % (at as u64 + 1)) as usize;
                rows.swap(at, other);
            }
        });
        prop_assert!(all_same(&held(&plain(), &shuffled)));
        prop_assert!(all_same(&held(&shuffled, &plain())));
    }

    #[test]
    fn whatever_one_trial_sends_more_is_worse_in_one_direction_and_better_in_the_other(
        at in any::<prop::sample::Index>(), more in 1_u64..1_000_000,
    ) {
        let changed = counts(|_, rows| {
            let at = at.index(rows.len());
            rows[at].up.ids += more;
        });
        let (there, back) = (held(&plain(), &changed), held(&changed, &plain()));
        prop_assert_eq!((there.total().worse, there.total().better), (1, 0));
        prop_assert_eq!((back.total().worse, back.total().better), (0, 1));
        prop_assert_eq!(&there.changes[0].measure, "bytes");
        prop_assert!(there.changes[0].ratio > 1.0);
    }
}

#[test]
fn a_planted_rise_of_two_percent_is_worse_in_every_trial_that_it_meets() {
    let mut met = 0;
    let risen = counts(|_, rows| {
        for row in rows.iter_mut().filter(|row| row.spec.starts_with("riblt")) {
            row.up.sketch += row.bytes_total().div_ceil(50);
            met += 1;
        }
    });
    let found = held(&plain(), &risen);
    assert!(met > 50);
    assert_eq!(found.total().worse, met);
    assert_eq!(found.total().better + found.total().inconclusive, 0);
    for change in found.of(Verdict::Worse) {
        assert!(change.ratio >= 1.02, "{change:?}");
        assert!(change.command.contains("--only ") && change.command.contains("riblt"), "{change:?}");
    }
    for look in [Look::Text, Look::Markdown] {
        let said = found.show(look, "a", "b");
        assert!(
            said.contains("Worse: of ") && said.contains(&format!("The worst 5 of {met} worse")),
            "{said}"
        );
    }
}

#[test]
fn the_worst_comes_first() {
    let changed = counts(|_, rows| {
        rows[3].up.ids += rows[3].bytes_total();
        rows[9].up.ids += 4 * rows[9].bytes_total();
        (rows[5].up, rows[5].down) = (Bytes { ids: 1, ..Bytes::default() }, Bytes::default());
    });
    let found = held(&plain(), &changed);
    let ratios: Vec<f64> = found.of(Verdict::Worse).map(|change| change.ratio.round()).collect();
    assert_eq!(ratios, [5.0, 2.0]);
    assert_eq!(found.of(Verdict::Better).count(), 1);
    assert_eq!(found.changes[2].verdict, Verdict::Better);
}

#[test]
fn a_worse_outcome_is_worse_and_bytes_that_only_moved_are_not() {
    let failed = counts(|_, rows| {
        rows[0].outcome = offerbench_reports::record::Outcome::GaveUp;
        rows[0].missed = 1;
    });
    let found = held(&plain(), &failed);
    assert_eq!(found.total().worse, 2, "the outcome and what was missed");
    let moved = counts(|_, rows| {
        rows[0].up.ids -= 10;
        rows[0].up.control += 10;
    });
    let found = held(&plain(), &moved);
    assert_eq!((found.total().worse, found.total().better, found.counts().inconclusive), (0, 0, 1));
}

#[test]
fn another_question_is_refused() {
    type Edit = fn(&mut Header);
    let cases: [(Edit, &str); 2] =
        [(|head| head.spec_hash = "0ther".repeat(6) + "00", "spec_hash"), (|head| head.seed += 1, "seed")];
    for (edit, expected) in cases {
        let other = counts(|head, _| edit(head));
        let error = compare(&[plain()], &[other]).unwrap_err();
        assert!(matches!(&error, CompareError::Question { what, .. } if *what == expected), "{error}");
    }
    let stranger = counts(|head, _| head.experiment = "another".into());
    assert!(matches!(compare(&[plain()], &[stranger]), Err(CompareError::Nothing)));
    assert!(matches!(compare(&[], &[plain()]), Err(CompareError::Nothing)));
}

#[test]
fn rounds_of_one_side_are_repetitions() {
    type Edit = fn(&mut Header, &mut Vec<ExactRow>);
    let cases: [(Edit, &str); 3] = [
        (|head, _| head.commit = "f".repeat(40), "commit"),
        (|head, _| head.dirty = true, "commit"),
        (|_, rows| rows[0].flights += 1, "counts"),
    ];
    for (edit, expected) in cases {
        let error = compare(&[plain(), counts(edit)], &[plain()]).unwrap_err();
        assert!(matches!(&error, CompareError::Rounds { what, .. } if *what == expected), "{error}");
    }
}

#[test]
fn what_only_one_side_has_is_named_with_its_number() {
    let fewer = counts(|head, rows| {
        rows.truncate(rows.len() - 7);
        head.rows = rows.len() as u64;
    });
    let found = held(&plain(), &fewer);
    assert_eq!(found.lacks.len(), 1);
    assert!(found.lacks[0].text.starts_with("7 rows of lane exact"), "{:?}", found.lacks);
    assert!(found.lacks[0].text.ends_with("only BASE has them") && found.lacks[0].first.is_some());
    assert!(held(&fewer, &plain()).lacks[0].text.ends_with("only NEW has them"));

    // A file that was cut off says itself that it has gaps.
    let cut = counts(|_, rows| rows.truncate(rows.len() - 7));
    let found = held(&plain(), &cut);
    assert_eq!(found.lacks.len(), 2, "{:?}", found.lacks);

    // Other sets under the same name are no pair.
    let other = counts(|_, rows| rows[4].seed += 1);
    let found = held(&plain(), &other);
    assert!(found.lacks[0].text.contains("met other sets"), "{:?}", found.lacks);

    // A whole lane.
    let found = held(&times(|_, _| ()), &plain());
    assert!(found.lacks[0].text.contains("lane timed") && found.lacks[0].text.ends_with("only BASE has it"));
}

#[test]
fn times_of_two_machines_are_not_compared_but_counts_are() {
    let here = times(|_, _| ());
    let there = times(|head, rows| {
        head.machine.as_mut().unwrap().cpu = "Another".into();
        rows.iter_mut().for_each(|row| row.samples_ns.iter_mut().for_each(|sample| *sample *= 3));
    });
    let found = held(&here, &there);
    assert!(found.lacks[0].text.contains("not of one machine"), "{:?}", found.lacks);
    assert_eq!(found.total(), found.counts());
    assert!(found.counts().rows() > 100);
    // On one machine the times are rows, too.
    let same = held(&here, &times(|_, _| ()));
    assert!(same.lacks.is_empty() && same.total().rows() > same.counts().rows());
}

#[test]
fn a_time_is_worse_only_if_five_rounds_agree() {
    let round = |slow: u64, salt: u64| {
        times(move |_, rows| {
            let mut rng = common::Rng(salt);
            for row in rows {
                let slow = if row.spec.starts_with("riblt") { slow } else { 100 };
                let drift = 98 + rng.next() % 5;
                row.samples_ns.iter_mut().for_each(|sample| *sample = *sample * slow * drift / 10_000);
            }
        })
    };
    let base: Vec<Book> = (0..5).map(|salt| round(100, salt)).collect();
    let slow: Vec<Book> = (5..10).map(|salt| round(150, salt)).collect();
    let quiet: Vec<Book> = (5..10).map(|salt| round(100, salt)).collect();
    let found = compare(&base, &slow).unwrap();
    assert!(found.total().worse > 10, "{:?}", found.total());
    assert!(found.of(Verdict::Worse).all(|change| change.place.spec.starts_with("riblt")));
    assert_eq!(found.counts().worse, 0);
    assert_eq!(compare(&base, &quiet).unwrap().total().worse, 0);
    // One round a side never fails anybody.
    assert_eq!(compare(&base[..1], &slow[..1]).unwrap().total().worse, 0);
}

#[test]
fn a_comparison_is_no_markup_whatever_names_a_file_holds() {
    let evil = |more: u64| {
        counts(move |head, rows| {
            let spec = "offers:x=|<b>*`";
            head.contenders[0].spec = spec.into();
            for row in rows.iter_mut().filter(|row| row.spec == common::FIELD[0].0) {
                row.spec = spec.into();
                row.up.ids += more;
            }
        })
    };
    let said = held(&evil(0), &evil(9)).show(Look::Markdown, "a|b", "<i>");
    assert!(said.contains("a\\|b") && said.contains("\\<i\\>"), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("\\<b\\>")).collect();
    assert_eq!(lines.len(), 5, "{said}");
}
