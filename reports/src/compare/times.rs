//! CPU times of two sides: when may a time be called worse?
//!
//! A shared machine drifts: its clock rate, its neighbours and its caches move all times of a minute together by
//! a tenth and more, while the samples of one row, taken within 30 ms, agree to a hundredth. An interval over
//! samples would therefore call half of all rows worse at every second run. So:
//!
//! 1. The unit of repetition is the **round**: a whole run. A row's value in a round is the median of its samples.
//! 2. A time is better or worse only with at least [`ROUNDS_MIN`] rounds on each side. The interval of the ratio is
//!    the 95% bootstrap interval over rounds, and it must lie beyond 1 by more than [`MARGIN`]. Since a run has
//!    hundreds of rows and 95% would be wrong at some of them each time, every round of the one
//!    side must also lie above every round of the other: of five rounds each, that happens by chance once in 252
//!    rows a direction, before the margin.
//! 3. With fewer rounds the interval is over samples, or there is none, and a time is at most the same, else
//!    inconclusive.
//! 4. Every interval is widened by the drift of the harness: by how much the empty session, which runs no
//!    strategy, changed between the sides where it changed most.
//!
//! Rounds of the two sides are best run in turn (base, new, base, new), so that drift meets both.

use std::collections::BTreeMap;

use super::pair::{Tallies, both_have, lack};
use super::{Change, Comparison, Lack, Place, Tally, Verdict};
use crate::book::{Book, Experiment, Run};
use crate::format;
use crate::record::{Lane, Machine, Timed};
use crate::stats::{RESAMPLES, Splitmix, median, quantile};
use crate::study::again;
use crate::study::cell::BOOTSTRAP_SEED;

/// Rounds that each side needs before a time can be better or worse.
pub const ROUNDS_MIN: usize = 5;

/// Ratio by which a time must differ at least: a twentieth. Less is nothing that a user notices, and the layout
/// of code in memory moves times by a few hundredths.
pub const MARGIN: f64 = 0.05;

/// What is timed, as tables name it, by its place in [`Tallies`].
const NAMES: [&str; 5] =
    ["CPU of build", "CPU of insert", "CPU of session", "CPU of harness", "CPU of group"];

/// Sweep, point, replicate, what (place in [`NAMES`]), spec.
type Key<'b> = (&'b str, u32, u32, usize, &'b str);

/// By row: the samples of each round, in ns.
type Clock<'b> = BTreeMap<Key<'b>, Vec<Vec<f64>>>;

/// Compares the times of all rounds.
pub fn compare(base: &[Book], new: &[Book], found: &mut Comparison, tallies: &mut Tallies) {
    let Some((first, their)) = base.first().zip(new.first()) else { return };
    for one in first.experiments() {
        let Some(other) = their.experiment(one.name()) else {
            continue;
        };
        for lane in [Lane::Timed, Lane::Cpu] {
            experiment(one.name(), lane, [(base, one), (new, other)], found, tallies);
        }
    }
}

fn run_of(experiment: &Experiment, lane: Lane) -> Option<&Run> {
    if lane == Lane::Cpu { experiment.cpu() } else { experiment.timed() }
}

fn experiment(
    name: &str,
    lane: Lane,
    sides: [(&[Book], &Experiment); 2],
    found: &mut Comparison,
    tallies: &mut Tallies,
) {
    let [base, new] = sides.map(|(_, first)| run_of(first, lane));
    let lane_name = if lane == Lane::Cpu { "cpu" } else { "timed" };
    if !both_have(name, lane_name, base.is_some(), new.is_some(), found) {
        return;
    }
    let runs = |side: usize| {
        sides[side].0.iter().filter_map(|book| book.experiment(name)).filter_map(|one| run_of(one, lane))
    };
    let machines: Vec<&Machine> =
        runs(0).chain(runs(1)).filter_map(|run| run.header().machine.as_ref()).collect();
    if let Some((one, other)) = differ(&machines) {
        let text = format!(
            "times of lane {lane_name} of experiment {name}: not of one machine ({} with {} cores, {} with {} cores), \
             so they are not compared",
            one.cpu, one.cores, other.cpu, other.cores
        );
        found.lacks.push(Lack { text, first: None });
        return;
    }
    if let Some(other) =
        machines.iter().find(|other| (&other.rustc, &other.flags) != (&machines[0].rustc, &machines[0].flags))
    {
        let builds = [machines[0], other].map(|one| format!("{}, {}", one.rustc, one.flags));
        let note = format!(
            "the tool was built in two ways ({}; {}): times compare builds, too",
            builds[0], builds[1]
        );
        if !found.notes.contains(&note) {
            found.notes.push(note);
        }
    }
    let clocks = [0, 1].map(|side| clock(sides[side].0, name, lane));
    // Trials of groups run no empty session; that of the same run's sessions says what the machine did.
    let drift = drift(&[0, 1].map(|side| clock(sides[side].0, name, Lane::Timed)));
    let rounds = [0, 1].map(|side| runs(side).count());
    found.notes.push(note(name, lane_name, rounds, drift));
    let command = new.map_or("", |run| run.header().command.as_str());
    let words = |key: &Key<'_>| format!("{}, point {}, {} of {}", key.0, key.1, NAMES[key.3], key.4);
    let alone = |one: &Clock<'_>, other: &Clock<'_>| -> Vec<String> {
        one.keys().filter(|key| !other.contains_key(*key)).map(words).collect()
    };
    lack(found, name, lane_name, &alone(&clocks[0], &clocks[1]), "only BASE has them");
    lack(found, name, lane_name, &alone(&clocks[1], &clocks[0]), "only NEW has them");
    for (key, base) in &clocks[0] {
        let Some(new) = clocks[1].get(key) else { continue };
        let judged = judge(base, new, drift);
        let tally = tallies.entry((lane, key.3)).or_insert((NAMES[key.3], Tally::default()));
        tally.1.add(judged.verdict);
        if judged.verdict == Verdict::Same {
            continue;
        }
        let (sweep, point, replicate, what, spec) = *key;
        found.changes.push(Change {
            place: Place {
                experiment: name.to_owned(),
                sweep: sweep.to_owned(),
                point,
                replicate,
                spec: spec.to_owned(),
            },
            measure: NAMES[what].to_owned(),
            verdict: judged.verdict,
            base: format::nanos(judged.base),
            new: format::nanos(judged.new),
            ratio: judged.new / judged.base,
            interval: judged.interval,
            command: again::command(command, sweep, point, spec),
        });
    }
}

/// Two machines of a list that are not the same one. Compiler and flags do not make another machine.
fn differ<'m>(machines: &[&'m Machine]) -> Option<(&'m Machine, &'m Machine)> {
    let identity = |one: &'m Machine| (&one.cpu, one.cores, &one.governor, &one.os);
    let first = *machines.first()?;
    machines.iter().find(|other| identity(other) != identity(first)).map(|other| (first, *other))
}

fn note(name: &str, lane: &str, [base, new]: [usize; 2], drift: f64) -> String {
    let mut note = format!(
        "{name}, {lane}: {} of BASE and {} of NEW; the empty harness differs by up to {}, by which intervals are widened",
        format::counted(base as u64, "round", "rounds"),
        format::counted(new as u64, "round", "rounds"),
        format::percent(drift.exp() - 1.0)
    );
    if base.min(new) < ROUNDS_MIN {
        note += &format!("; below {ROUNDS_MIN} rounds a side no time is called better or worse");
    }
    note
}

fn clock<'b>(rounds: &'b [Book], name: &str, lane: Lane) -> Clock<'b> {
    let mut clock = Clock::new();
    for experiment in rounds.iter().filter_map(|book| book.experiment(name)) {
        if lane == Lane::Cpu {
            for row in experiment.cpu_rows() {
                let key = (row.sweep.as_str(), row.point, row.replicate, 4, row.spec.as_str());
                clock.entry(key).or_default().push(vec![row.cpu_ns as f64]);
            }
            continue;
        }
        for row in experiment.timed_rows() {
            let what = match row.timed {
                Timed::Build => 0,
                Timed::Insert => 1,
                Timed::Session => 2,
                Timed::Empty => 3,
                Timed::Victim => 5,
            };
            let each = row.samples_ns.iter().map(|sample| *sample as f64 / f64::from(row.batch.max(1)));
            let key = (row.sweep.as_str(), row.point, 0, what, row.spec.as_str());
            clock.entry(key).or_default().push(each.collect());
        }
    }
    clock
}

/// By how much the empty session changed between the sides where it changed most, as a logarithm. Without any: 0.
fn drift([base, new]: &[Clock<'_>; 2]) -> f64 {
    let empty = base.iter().filter(|(key, _)| key.3 == 3);
    let changes = empty.filter_map(|(key, rounds)| {
        let (one, other) = (middle(&medians(rounds))?, middle(&medians(new.get(key)?))?);
        Some((other / one).ln().abs())
    });
    changes.filter(|change| change.is_finite()).fold(0.0, f64::max)
}

fn medians(rounds: &[Vec<f64>]) -> Vec<f64> {
    rounds.iter().filter_map(|samples| median(samples)).collect()
}

fn middle(values: &[f64]) -> Option<f64> {
    // A clock that read 0 has no ratio.
    median(values).filter(|value| *value > 0.0)
}

struct Judged {
    verdict: Verdict,
    base: f64,
    new: f64,
    interval: Option<(f64, f64)>,
}

/// The verdict on one time: samples of each round of either side.
fn judge(base: &[Vec<f64>], new: &[Vec<f64>], drift: f64) -> Judged {
    let (ours, theirs) = (medians(base), medians(new));
    let (Some(one), Some(other)) = (middle(&ours), middle(&theirs)) else {
        return Judged { verdict: Verdict::Inconclusive, base: f64::NAN, new: f64::NAN, interval: None };
    };
    let repeated = ours.len().min(theirs.len()) >= ROUNDS_MIN;
    let interval = match (base, new) {
        _ if ours.len().min(theirs.len()) > 1 => bootstrap(&ours, &theirs),
        ([one], [other]) => bootstrap(one, other),
        _ => None,
    };
    let interval = interval.map(|(low, high)| (low * (-drift).exp(), high * drift.exp()));
    let all_above = |low: &[f64], high: &[f64]| {
        low.iter().copied().fold(0.0, f64::max) < high.iter().copied().fold(f64::INFINITY, f64::min)
    };
    let verdict = match interval {
        Some((low, _)) if repeated && low > 1.0 + MARGIN && all_above(&ours, &theirs) => Verdict::Worse,
        Some((_, high)) if repeated && high < 1.0 / (1.0 + MARGIN) && all_above(&theirs, &ours) => {
            Verdict::Better
        }
        Some((low, high)) if low >= 1.0 / (1.0 + MARGIN) && high <= 1.0 + MARGIN => Verdict::Same,
        _ => Verdict::Inconclusive,
    };
    Judged { verdict, base: one, new: other, interval }
}

/// 95% bootstrap interval of the ratio of medians; none of fewer than two values a side.
fn bootstrap(base: &[f64], new: &[f64]) -> Option<(f64, f64)> {
    if base.len().min(new.len()) < 2 {
        return None;
    }
    let mut rng = Splitmix::new(BOOTSTRAP_SEED);
    let mut resampled = |values: &[f64]| {
        let drawn: Vec<f64> = values.iter().map(|_| values[rng.below(values.len())]).collect();
        middle(&drawn)
    };
    let mut ratios: Vec<f64> =
        (0..RESAMPLES).filter_map(|_| Some((1.0 / resampled(base)?) * resampled(new)?)).collect();
    ratios.sort_by(f64::total_cmp);
    Some((quantile(&ratios, 0.025)?, quantile(&ratios, 0.975)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(values: &[f64]) -> Vec<Vec<f64>> {
        values.iter().map(|value| vec![*value, *value * 1.01, *value * 0.99]).collect()
    }

    #[test]
    fn a_time_is_worse_only_over_rounds() {
        let base = rounds(&[100.0, 101.0, 99.0, 102.0, 98.0]);
        let slow = rounds(&[120.0, 121.0, 119.0, 125.0, 118.0]);
        assert_eq!(judge(&base, &slow, 0.0).verdict, Verdict::Worse);
        assert_eq!(judge(&slow, &base, 0.0).verdict, Verdict::Better);
        assert_eq!(judge(&base, &base, 0.0).verdict, Verdict::Same);
        // The same on four rounds, or on one, says nothing, however narrow the samples are.
        assert_eq!(judge(&base[..4], &slow, 0.0).verdict, Verdict::Inconclusive);
        assert_eq!(judge(&base[..1], &slow[..1], 0.0).verdict, Verdict::Inconclusive);
        assert_eq!(judge(&base[..1], &base[..1], 0.0).verdict, Verdict::Same);
        // Nor if the harness itself became slower by as much, nor if one round reaches into the other side.
        assert_eq!(judge(&base, &slow, 0.2).verdict, Verdict::Inconclusive);
        let mut reaching = slow;
        reaching[0] = vec![101.5];
        assert_eq!(judge(&base, &reaching, 0.0).verdict, Verdict::Inconclusive);
        // Within the margin it is no news.
        let little = rounds(&[103.0, 104.0, 102.5, 105.0, 102.6]);
        assert_ne!(judge(&base, &little, 0.0).verdict, Verdict::Worse);
    }

    #[test]
    fn one_value_has_no_interval() {
        let judged = judge(&[vec![5.0]], &[vec![50.0]], 0.0);
        assert_eq!((judged.verdict, judged.interval), (Verdict::Inconclusive, None));
        assert_eq!(judge(&[vec![0.0]], &[vec![50.0]], 0.0).verdict, Verdict::Inconclusive);
    }
}
