//! The three sentences at which a reviewer may stop.

use std::collections::{BTreeMap, BTreeSet};

use super::group::reading;
use super::panel::{Panel, Point};
use super::prose::Prose;
use super::reading::{cheapest, tally};
use super::summary::with_interval;
use super::winner::{rank, winner};
use super::{Outcomes, Study};
use crate::book::Experiment;
use crate::decide::words;
use crate::format;
use crate::record::Axis;
use crate::stats::wilson;

/// The panel that the sentences are about, with its axis.
fn main_panel<'s, 'a>(study: &'s Study<'a>) -> Option<(Axis, &'s Panel<'a>)> {
    study
        .sweeps()
        .flat_map(|(_, sweep)| sweep.panels.iter().map(|panel| (sweep.sweep.axis, panel)))
        // `max_by_key` takes the last of equals; reversed, the first sweep of the file leads.
        .rev_ties()
        .max_by_key(|(axis, panel)| rank(*axis, panel))
}

/// Which contender to use where: by rules if there are any that hold, else point by point.
pub fn first(study: &Study<'_>) -> Prose {
    let Some((axis, panel)) = main_panel(study) else { return Prose::new("No rows, no answer.") };
    let mut prose = match words::first(study) {
        Some((prose, true)) => return prose,
        Some((refusal, false)) => refusal,
        None => Prose::default(),
    };
    prose.text(format!("At {}, fewest bytes: ", panel.label));
    prose.append(cheapest(axis, panel, &study.roster));
    let (wins, count) = tally(study.sweeps().flat_map(|(_, sweep)| sweep.points()), &study.roster);
    if !wins.is_empty() {
        prose.text(format!(". Over all {}: ", format::counted(count, "point", "points")));
        prose.append(shortlist(&wins, study));
    }
    prose.text(".");
    prose
}

/// Contenders that a list names; the rest is counted.
const NAMED: usize = 3;

/// `riblt:bits=64 20×, offers 3×, iblt 2×, 4 more`, of counts that fall.
fn shortlist(counts: &[(usize, u64)], study: &Study<'_>) -> Prose {
    let named = counts.iter().take(NAMED).map(|(index, count)| {
        let mut part = Prose::default();
        part.contender(&study.roster, *index).text(format!(" {}×", format::count(*count)));
        part
    });
    let mut prose = Prose::joined(named.collect(), ", ");
    if counts.len() > NAMED {
        prose.text(format!(", {} more", counts.len() - NAMED));
    }
    prose
}

/// Lets `max_by_key` answer with the first of equal items.
trait RevTies: Iterator + Sized {
    fn rev_ties(self) -> std::iter::Rev<std::vec::IntoIter<Self::Item>> {
        self.collect::<Vec<_>>().into_iter().rev()
    }
}

impl<I: Iterator> RevTies for I {}

/// What it costs at the largest point, and how often anything was wrong.
pub fn second(study: &Study<'_>) -> Prose {
    let largest: Option<&Point<'_>> = study
        .sweeps()
        .flat_map(|(_, sweep)| sweep.points())
        .rev_ties()
        .max_by_key(|point| (point.place.sides.m, point.place.d, point.place.uniform()));
    let mut prose = Prose::default();
    if let Some(point) = largest {
        prose.text(format!("At the largest tested point ({}) ", point.place.words()));
        match winner(point, &study.roster).and_then(|best| Some((best.index, point.cells.get(&best.index)?)))
        {
            Some((index, cell)) => {
                prose.contender(&study.roster, index);
                prose.text(format!(" is cheapest: {} a session", with_interval(cell.bytes, format::bytes)));
                if point.place.d > 0 {
                    let each = cell.bytes.mid / point.place.d as f64;
                    prose.text(format!(", {} per difference", format::bytes(each)));
                }
                prose.text(format!(", {} flights", format::figure(cell.flights.mid)));
            }
            None => {
                prose.text("no deployable contender finished every session");
            }
        }
        prose.text("; ");
    }
    let equal = main_panel(study).and_then(|(_, panel)| panel.points.iter().find(|point| point.place.d == 0));
    if let Some((point, best)) = equal.and_then(|point| Some((point, winner(point, &study.roster)?))) {
        let idle = point.cells.get(&best.index).map_or(0.0, |cell| cell.bytes.mid);
        prose.text("equal sets cost least with ").contender(&study.roster, best.index);
        prose.text(format!(", {}; ", format::bytes(idle)));
    }
    let all = study.outcomes().values().fold(Outcomes::default(), |sum, one| sum.merged(*one));
    let rate = wilson(all.wrong, all.trials());
    prose.text(format!(
        "wrong results: {} of {} (95% upper bound {}).",
        format::count(all.wrong),
        format::counted(all.trials(), "session", "sessions"),
        format::percent(rate.high)
    ));
    prose
}

/// The sentences of the first screen: what sessions cost, what groups cost, and what nobody should read into it.
pub fn sentences(study: &Study<'_>) -> Vec<Prose> {
    let mut all = Vec::new();
    if study.has_sessions() || !study.has_groups() {
        all.extend([first(study), second(study)]);
    }
    if study.has_groups() {
        let (mut cost, time) = (reading::first(study), reading::second(study));
        if study.has_sessions() {
            // The whole screen stays at four.
            cost.text(" ").append(time);
            all.push(cost);
        } else {
            all.extend([cost, time]);
        }
    }
    all.push(third(study));
    all
}

/// What nobody should read into the report.
pub fn third(study: &Study<'_>) -> Prose {
    let mut parts: Vec<Prose> = Vec::new();
    for gap in study.book.gaps() {
        let mut part = Prose::new("rows missing from ");
        part.name(gap.file);
        part.text(format!(" ({} of {})", format::count(gap.rows), format::count(gap.rows_expected)));
        parts.push(part);
    }
    for (part, name) in study.parts.iter().flat_map(|part| part.sweeps_empty.iter().map(move |n| (part, n))) {
        let mut prose = Prose::new("sweep ");
        prose.name(*name).text(" of ").name(&part.experiment.header().experiment).text(" (no rows)");
        parts.push(prose);
    }
    let mut missing: BTreeMap<usize, u64> = BTreeMap::new();
    let groups = study.groups().flat_map(|(_, sweep)| &sweep.missing);
    for (index, count) in study.sweeps().flat_map(|(_, sweep)| &sweep.missing).chain(groups) {
        *missing.entry(*index).or_default() += count;
    }
    push_counts(
        &mut parts,
        ("trial that others ran", "trials that others ran"),
        missing.into_iter().collect(),
        study,
    );
    let gave_up: Vec<(usize, u64)> = study
        .outcomes()
        .into_iter()
        .map(|(index, one)| (index, one.gave_up))
        .filter(|(_, count)| *count > 0)
        .collect();
    push_counts(&mut parts, ("session that gave up", "sessions that gave up"), gave_up, study);
    let counted: Vec<&Experiment> =
        study.book.experiments().iter().filter(|one| one.exact().is_some()).collect();
    let untimed = counted.iter().filter(|one| one.timed().is_none()).count();
    if untimed > 0 {
        let all = untimed == counted.len();
        parts.push(Prose::new(if all { "CPU time" } else { "CPU time of some experiments" }));
    }
    if study.book.experiments().iter().any(|one| one.group().is_some() && one.cpu().is_none()) {
        parts.push(Prose::new("CPU time of groups"));
    }
    if study.has_sessions() {
        parts.push(Prose::new(assumptions(study)));
    }
    parts.extend(reading::assumptions(study).into_iter().map(Prose::new));
    let mut prose = Prose::new("Not covered: ");
    prose.append(Prose::joined(parts, "; ")).text(".");
    prose
}

fn push_counts(
    parts: &mut Vec<Prose>,
    title: (&str, &str),
    mut counts: Vec<(usize, u64)>,
    study: &Study<'_>,
) {
    if counts.is_empty() {
        return;
    }
    counts.sort_by_key(|(index, count)| (std::cmp::Reverse(*count), *index));
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let mut part = Prose::new(format!("{} ", format::counted(all, title.0, title.1)));
    part.text("(").append(shortlist(&counts, study)).text(")");
    parts.push(part);
}

fn assumptions(study: &Study<'_>) -> String {
    let mut groups: BTreeSet<(u32, u32)> = BTreeSet::new();
    let mut patterns: BTreeSet<&str> = BTreeSet::new();
    let mut workloads: BTreeSet<&str> = BTreeSet::new();
    for row in study.exact_rows().filter(|row| row.attack.is_none()) {
        groups.insert((row.n, row.k));
        patterns.insert(&row.pattern);
        workloads.insert(&row.workload);
    }
    let mut parts = Vec::new();
    let pairs = groups.iter().all(|group| *group == (2, 1));
    if pairs && study.has_groups() {
        parts.push("sessions of more than 2 members apart from their groups".to_owned());
    } else if pairs {
        parts.push("groups (every session has 2 members)".to_owned());
    } else {
        let names: Vec<String> = groups.iter().map(|(n, k)| format!("N = {n}, K = {k}")).collect();
        parts.push(format!("groups other than {}", format::list(&names)));
    }
    let lossless = if study.has_groups() {
        "loss, reordering and delay in sessions"
    } else {
        "loss, reordering and delay"
    };
    parts.push(lossless.to_owned());
    let names: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    if !names.is_empty() {
        parts.push(format!("patterns other than {}", format::list(&names)));
    }
    if workloads.iter().all(|workload| *workload == "synthetic") {
        parts.push("recorded traces".to_owned());
    }
    parts.join("; ")
}
