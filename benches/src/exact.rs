//! The exact lane: all trials in parallel, counted and judged, rows in one fixed order.
//!
//! A job is a scenario with all its contenders, so that the sets are made once.

use std::sync::atomic::AtomicBool;

use offerbench_reports::record::{ExactRow, Outcome};

use crate::error::Failure;
use crate::parallel;
use crate::plan::{Plan, Task};
use crate::scenario::Scenario;
use crate::sink::Sink;
use crate::trial;

/// What the rows of a complete exact lane say, in their order.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    rows: Vec<(Task, usize, Outcome)>,
}

impl Outcomes {
    /// How many rows ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.rows.iter().filter(|(_, _, o)| *o == outcome).count()
    }

    /// Scenario and contender of the first repetitions that were verified, in the order of the rows.
    pub fn verified(&self) -> impl Iterator<Item = (Task, usize)> + '_ {
        self.rows
            .iter()
            .filter(|(task, _, outcome)| {
                task.replicate == 0 && matches!(outcome, Outcome::Exact | Outcome::Recovered)
            })
            .map(|(task, contender, _)| (*task, *contender))
    }
}

/// Runs what the sink does not hold yet.
///
/// # Errors
///
/// When the disk refuses, a scenario cannot be made, or `interrupted` was set.
pub fn run(
    plan: &Plan,
    sink: &mut Sink,
    threads: usize,
    interrupted: &AtomicBool,
) -> Result<Outcomes, Failure> {
    let tasks = plan.tasks();
    let mut outcomes = Outcomes::default();
    let mut expected = tasks
        .iter()
        .flat_map(|task| plan.sweeps[task.sweep].contenders.iter().map(move |contender| (*task, *contender)));
    for line in sink.kept() {
        let row: ExactRow = serde_json::from_str(line)
            .map_err(|error| Failure::usage(format!("cannot resume: a row does not read: {error}")))?;
        let place = expected.next().filter(|(task, contender)| {
            (task.point as u32, task.replicate) == (row.point, row.replicate)
                && plan.sweeps[task.sweep].sweep.name == row.sweep
                && plan.contenders[*contender].spec == row.spec
        });
        let Some((task, contender)) = place else {
            return Err(Failure::usage(
                "cannot resume: the rows are not in the order of this run; use --force",
            ));
        };
        outcomes.rows.push((task, contender, row.outcome));
    }
    let mut skip = outcomes.rows.len();
    // The first scenario that is not complete, and how many of its contenders are done.
    let mut first = 0;
    while first < tasks.len() && skip >= plan.sweeps[tasks[first].sweep].contenders.len() {
        skip -= plan.sweeps[tasks[first].sweep].contenders.len();
        first += 1;
    }

    parallel::in_order(
        "counting",
        first..tasks.len(),
        threads,
        interrupted,
        |index, halt| scenario_rows(plan, tasks[index], if index == first { skip } else { 0 }, halt),
        |index, rows| {
            let task = tasks[index];
            let skip = if index == first { skip } else { 0 };
            for (row, contender) in rows.iter().zip(&plan.sweeps[task.sweep].contenders[skip..]) {
                sink.append(row)?;
                outcomes.rows.push((task, *contender, row.outcome));
            }
            Ok(())
        },
    )?;
    Ok(outcomes)
}

fn scenario_rows(
    plan: &Plan,
    task: Task,
    skip: usize,
    halt: &dyn Fn() -> bool,
) -> Result<Vec<ExactRow>, Failure> {
    let scenario = Scenario::new(plan, task)?;
    let mut rows = Vec::new();
    for contender in &plan.sweeps[task.sweep].contenders[skip..] {
        if halt() {
            break;
        }
        rows.push(trial::run(plan, task, &scenario, &plan.contenders[*contender]));
    }
    Ok(rows)
}
