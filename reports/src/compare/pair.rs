//! Which rows belong together, and what became of each measure of a pair of counts.

use std::collections::BTreeMap;

use super::measure::{self, Good, Measure, Parts};
use super::{Change, Comparison, Lack, Place, Tally, Verdict};
use crate::book::{Experiment, Run};
use crate::record::{self, ExactRow, GroupRow};
use crate::study::again;

/// Verdicts by lane and place of the measure within it.
pub type Tallies = BTreeMap<(record::Lane, usize), (&'static str, Tally)>;

/// Name of the rows that compare the parts of sums.
pub const PARTS: &str = "parts of sums";

/// A lane of counts: how its rows are named, and what is compared of them.
struct Lane<R: 'static> {
    lane: record::Lane,
    name: &'static str,
    measures: &'static [Measure<R>],
    key: fn(&R) -> Key<'_>,
    one_scenario: fn(&R, &R) -> bool,
    sums_equal: fn(&R, &R) -> bool,
    parts: fn(&R) -> Parts,
}

const EXACT: Lane<ExactRow> = Lane {
    lane: record::Lane::Exact,
    name: "exact",
    measures: measure::SESSION,
    key: |row| (&row.sweep, row.point, row.replicate, &row.spec),
    one_scenario: measure::one_session,
    sums_equal: measure::session_sums_equal,
    parts: measure::session_parts,
};

const GROUP: Lane<GroupRow> = Lane {
    lane: record::Lane::Group,
    name: "group",
    measures: measure::GROUP,
    key: |row| (&row.sweep, row.point, row.replicate, &row.spec),
    one_scenario: measure::one_life,
    sums_equal: measure::group_sums_equal,
    parts: measure::group_parts,
};

/// Compares the counts of an experiment that both sides hold.
pub fn counts(base: &Experiment, new: &Experiment, found: &mut Comparison, tallies: &mut Tallies) {
    lane(
        &EXACT,
        (base, base.exact(), base.exact_rows()),
        (new, new.exact(), new.exact_rows()),
        found,
        tallies,
    );
    lane(
        &GROUP,
        (base, base.group(), base.group_rows()),
        (new, new.group(), new.group_rows()),
        found,
        tallies,
    );
}

type Side<'s, R> = (&'s Experiment, Option<&'s Run>, &'s [R]);

/// Says which side lacks a lane; true if both have it.
pub fn both_have(name: &str, lane: &str, base: bool, new: bool, found: &mut Comparison) -> bool {
    let who = match (base, new) {
        (true, true) => return true,
        (false, false) => return false,
        (true, false) => "BASE",
        (false, true) => "NEW",
    };
    let text = format!("lane {lane} of experiment {name}: only {who} has it");
    found.lacks.push(Lack { text, first: None });
    false
}

/// Names rows that could not be paired.
pub fn lack(found: &mut Comparison, experiment: &str, lane: &str, rows: &[String], why: &str) {
    if let Some(first) = rows.first() {
        let noun = if rows.len() == 1 { "row" } else { "rows" };
        let text = format!("{} {noun} of lane {lane} of experiment {experiment}: {why}", rows.len());
        found.lacks.push(Lack { text, first: Some(first.clone()) });
    }
}

fn lane<R>(
    lane: &Lane<R>,
    (experiment, base_run, base): Side<'_, R>,
    (_, new_run, new): Side<'_, R>,
    found: &mut Comparison,
    tallies: &mut Tallies,
) {
    let name = experiment.name();
    if !both_have(name, lane.name, base_run.is_some(), new_run.is_some(), found) {
        return;
    }
    let command = new_run.map_or("", |run| run.header().command.as_str());
    let mut theirs: BTreeMap<Key<'_>, &R> = new.iter().map(|row| ((lane.key)(row), row)).collect();
    let (mut gone, mut other) = (Vec::new(), Vec::new());
    for row in base {
        let key = (lane.key)(row);
        match theirs.remove(&key) {
            None => gone.push(place(name, key).words()),
            Some(partner) if !(lane.one_scenario)(row, partner) => other.push(place(name, key).words()),
            Some(partner) => pair(lane, (name, key, command), row, partner, found, tallies),
        }
    }
    let came: Vec<String> = theirs.into_keys().map(|key| place(name, key).words()).collect();
    lack(found, name, lane.name, &gone, "only BASE has them");
    lack(found, name, lane.name, &came, "only NEW has them");
    lack(found, name, lane.name, &other, "the two sides met other sets, so the scenario itself changed");
}

/// Sweep, point, replicate, spec.
type Key<'r> = (&'r str, u32, u32, &'r str);

fn place(experiment: &str, (sweep, point, replicate, spec): Key<'_>) -> Place {
    let (experiment, sweep, spec) = (experiment.to_owned(), sweep.to_owned(), spec.to_owned());
    Place { experiment, sweep, point, replicate, spec }
}

fn pair<R>(
    lane: &Lane<R>,
    (name, key, command): (&str, Key<'_>, &str),
    base: &R,
    new: &R,
    found: &mut Comparison,
    tallies: &mut Tallies,
) {
    let mut note = |at: usize, name: &'static str, verdict: Verdict| {
        tallies.entry((lane.lane, at)).or_insert((name, Tally::default())).1.add(verdict);
    };
    let change = |measure: String, verdict, values: [String; 2], ratio| {
        let [base, new] = values;
        let place = place(name, key);
        let command = again::command(command, &place.sweep, place.point, &place.spec);
        Change { place, measure, verdict, base, new, ratio, interval: None, command }
    };
    for (at, measure) in lane.measures.iter().enumerate() {
        let (verdict, values, ratio) = match ((measure.value)(base), (measure.value)(new)) {
            (None, None) => continue,
            (Some(one), Some(other)) => {
                let (verdict, ratio) = judge(measure, one, other);
                (verdict, [one, other].map(|value| measure.unit.show(value)), ratio)
            }
            // A value that appeared or went away is neither more nor less.
            (one, other) => {
                let show = |value: Option<f64>| value.map_or("none".into(), |value| measure.unit.show(value));
                (Verdict::Inconclusive, [show(one), show(other)], 1.0)
            }
        };
        note(at, measure.name, verdict);
        if verdict != Verdict::Same {
            found.changes.push(change(measure.name.to_owned(), verdict, values, ratio));
        }
    }
    if !(lane.sums_equal)(base, new) {
        return;
    }
    let parts = (lane.parts)(base).into_iter().zip((lane.parts)(new));
    let moved: Vec<_> = parts.filter(|((_, one), (_, other))| one != other).collect();
    note(lane.measures.len(), PARTS, if moved.is_empty() { Verdict::Same } else { Verdict::Inconclusive });
    if let Some(((name, one), (_, other))) = moved.first() {
        let values = [*one, *other].map(|value| measure::Unit::Count.show(value as f64));
        let more = if moved.len() > 1 { format!(" (and {} more)", moved.len() - 1) } else { String::new() };
        found.changes.push(change(format!("{name}{more}"), Verdict::Inconclusive, values, 1.0));
    }
}

/// The verdict on a count, and how many times worse it got.
fn judge<R>(measure: &Measure<R>, base: f64, new: f64) -> (Verdict, f64) {
    if measure.unit.same(base, new) {
        return (Verdict::Same, 1.0);
    }
    let (before, after) = if measure.good == Good::Less { (base, new) } else { (new, base) };
    let verdict = if after > before { Verdict::Worse } else { Verdict::Better };
    let ratio = match verdict {
        Verdict::Worse if measure.unit.ranks() => f64::INFINITY,
        _ if measure.unit.ranks() => 0.0,
        // Both zero or both infinite were the same.
        _ => after / before,
    };
    (verdict, ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_better_only_where_it_says_so() {
        let of = |name: &str| measure::GROUP.iter().find(|one| one.name == name).unwrap();
        assert_eq!(judge(of("delivered"), 10.0, 5.0), (Verdict::Worse, 2.0));
        assert_eq!(judge(of("delivered"), 5.0, 10.0), (Verdict::Better, 0.5));
        assert_eq!(judge(of("bytes sent"), 100.0, 102.0), (Verdict::Worse, 1.02));
        assert_eq!(judge(of("bytes sent"), 0.0, 1.0), (Verdict::Worse, f64::INFINITY));
        assert_eq!(judge(of("delivery P99"), f64::INFINITY, 7.0), (Verdict::Better, 0.0));
        assert_eq!(judge(of("outcome"), 0.0, 1.0), (Verdict::Worse, f64::INFINITY));
        assert_eq!(judge(of("payloads"), 0.0, 0.0), (Verdict::Same, 1.0));
    }
}
