//! The lane of group trials: all of them in parallel, rows in one fixed order, counts and CPU times apart.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use offerbench_reports::record::{GroupOutcome, GroupRow};

use super::scenario::Scenario;
use super::trial::{self, Place};
use crate::error::Failure;
use crate::parallel;
use crate::plan::Plan;
use crate::sink::Sink;

/// One trial: a point, a repetition, an OFFER path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Index of the sweep.
    pub sweep: usize,
    /// Index of the point in the sweep.
    pub point: usize,
    /// Repetition.
    pub replicate: u32,
    /// Index in [`Plan::paths`].
    pub path: usize,
}

impl Job {
    /// Whether both are of one group, and differ in the OFFER path.
    fn is_beside(&self, other: &Self) -> bool {
        (self.sweep, self.point, self.replicate) == (other.sweep, other.point, other.replicate)
    }
}

/// A group that several trials live, drawn by the first of them and dropped after the last.
#[derive(Default)]
struct Shared {
    scenario: Option<Arc<Scenario>>,
    taken: usize,
}

impl Shared {
    /// For one of so many trials.
    fn take(
        &mut self,
        trials: usize,
        draw: impl FnOnce() -> Result<Scenario, Failure>,
    ) -> Result<Arc<Scenario>, Failure> {
        self.taken += 1;
        let scenario = match self.scenario.take() {
            Some(scenario) => scenario,
            None => Arc::new(draw()?),
        };
        self.scenario = (self.taken < trials).then(|| Arc::clone(&scenario));
        Ok(scenario)
    }
}

/// Refuses lives that cannot be and groups that cannot connect, before anything runs.
///
/// # Errors
///
/// Names the sweep, the point, and why.
pub fn check(plan: &Plan) -> Result<(), Failure> {
    let mut groups: Vec<Job> = plan.jobs();
    groups.dedup_by(|one, before| one.is_beside(before));
    for job in groups {
        let scenario = plan.group_scenario(job.sweep, job.point, job.replicate)?;
        if plan.allow_partial {
            continue;
        }
        if let Some(why) = scenario.cannot_connect() {
            let planned = &plan.groups[job.sweep];
            return Err(Failure::usage(format!(
                "sweep `{name}`, point {no} ({members}, sharing {sharing}), repetition {replicate}: {why}, so nothing \
                 can be delivered; --allow-partial runs it all the same",
                name = planned.sweep.name,
                no = job.point,
                members = planned.points[job.point].members.map_or_else(
                    || "members of the trace".to_owned(),
                    |members| format!("{members} members")
                ),
                sharing = planned.points[job.point].sharing,
                replicate = job.replicate,
            )));
        }
    }
    Ok(())
}

/// Runs what the sinks do not hold yet, and answers how many rows are wrong.
///
/// A trial's CPU time is written before its counts. Of two files that were cut off, the shorter one decides where to
/// go on: after a kill that is the one with the counts.
///
/// # Errors
///
/// When the disk refuses, a scenario cannot be made, or `interrupted` was set.
pub fn run(
    plan: &Plan,
    counts: &mut Sink,
    cpu: &mut Sink,
    threads: usize,
    interrupted: &AtomicBool,
) -> Result<usize, Failure> {
    let jobs = plan.jobs();
    let done = counts.kept().len().min(cpu.kept().len()).min(jobs.len());
    if counts.kept().len() > done {
        eprintln!(
            "offerbench: {} trials that were counted have no CPU time on file and run again",
            counts.kept().len() - done
        );
    }
    counts.cut_off_after(done)?;
    cpu.cut_off_after(done)?;
    let mut wrong = 0;
    for (line, job) in counts.kept().iter().zip(&jobs) {
        let row: GroupRow = serde_json::from_str(line)
            .map_err(|error| Failure::usage(format!("cannot resume: a row does not read: {error}")))?;
        let is_there = (row.point as usize, row.replicate) == (job.point, job.replicate)
            && plan.groups[job.sweep].sweep.name == row.sweep
            && plan.paths[job.path].about.spec == row.spec;
        if !is_there {
            return Err(Failure::usage(
                "cannot resume: the rows are not in the order of this run; use --force",
            ));
        }
        wrong += usize::from(row.outcome == GroupOutcome::Wrong);
    }
    // Of each group, from where its trials begin in `jobs`.
    let firsts: Vec<usize> =
        (0..jobs.len()).filter(|&at| at == 0 || !jobs[at].is_beside(&jobs[at - 1])).collect();
    let groups: Vec<Mutex<Shared>> = firsts.iter().map(|_| Mutex::default()).collect();
    parallel::in_order(
        "living",
        done..jobs.len(),
        threads,
        interrupted,
        |index, halt| {
            let job = jobs[index];
            let planned = &plan.groups[job.sweep];
            let point = &planned.points[job.point];
            let group = firsts.partition_point(|first| *first <= index) - 1;
            let trials = firsts.get(group + 1).map_or(jobs.len(), |next| *next) - firsts[group].max(done);
            let scenario = groups[group]
                .lock()
                .expect("a scenario is drawn or refused")
                .take(trials, || plan.group_scenario(job.sweep, job.point, job.replicate))?;
            let place =
                Place { sweep: &planned.sweep.name, point: job.point as u32, replicate: job.replicate };
            Ok(trial::run(place, point, &scenario, &plan.paths[job.path], halt))
        },
        |_, rows| {
            let Some((row, time)) = rows else { return Ok(()) };
            wrong += usize::from(row.outcome == GroupOutcome::Wrong);
            cpu.append(&time)?;
            counts.append(&row)
        },
    )?;
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use offerbench_algos::Seed;

    use super::*;
    use crate::experiment::{Experiment, PRESETS};
    use crate::plan::Overrides;

    /// What ships runs on any seed, or so it seems: no life of theirs is one in which nobody ever meets. The largest
    /// groups meet all the more, and are left out for the time they take.
    #[test]
    fn shipped_groups_can_connect() {
        for (name, _) in PRESETS {
            let experiment = Experiment::load(name).unwrap();
            for seed in 1..=3 {
                let plan = Plan::new(&experiment, name, Seed::new(seed), &Overrides::default()).unwrap();
                let mut groups = plan.jobs();
                groups.dedup_by_key(|job| (job.sweep, job.point, job.replicate));
                for Job { sweep, point, replicate, .. } in groups {
                    let axes = &plan.groups[sweep].points[point];
                    if axes.members.is_some_and(|n| n > 100) || axes.history.is_some_and(|m| m > 10_000) {
                        continue;
                    }
                    let scenario = plan.group_scenario(sweep, point, replicate).unwrap();
                    assert_eq!(
                        scenario.cannot_connect(),
                        None,
                        "{name}, seed {seed}, sweep {sweep}, point {point}"
                    );
                }
            }
        }
    }
}
