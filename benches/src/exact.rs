//! The exact lane: all trials in parallel, counted and judged, rows in one fixed order.
//!
//! Workers take scenarios in order and run all contenders of one on one thread (so that heap counts are
//! exact and the sets are made once); the main thread puts the rows back into order before it writes them.
//! So the file's bytes do not depend on the number of threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use offerbench_reports::record::{ExactRow, Outcome};

use crate::error::Failure;
use crate::plan::{Plan, Task};
use crate::progress::Progress;
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

/// What a worker sends: the rows of one scenario, or why there are none.
type Done = (usize, Result<Vec<ExactRow>, Failure>);

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

    let mut progress = Progress::new("counting", (tasks.len() - first) as u64);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Failure::Io(format!("cannot start {threads} threads: {error}")))?;
    let claimed = AtomicUsize::new(first);
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel::<Done>();
    let result = pool.in_place_scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            let (claimed, stop, tasks) = (&claimed, &stop, &tasks);
            scope.spawn(move |_| {
                loop {
                    let index = claimed.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(index) else { break };
                    let skip = if index == first { skip } else { 0 };
                    let halt = || stop.load(Ordering::Relaxed) || interrupted.load(Ordering::Relaxed);
                    let rows = scenario_rows(plan, *task, skip, &halt);
                    if halt() || sender.send((index, rows)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let written =
            write_in_order(plan, &tasks, first, skip, &receiver, sink, &mut outcomes, &mut progress);
        stop.store(true, Ordering::Relaxed);
        written
    });
    progress.finish();
    result?;
    if interrupted.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted("interrupted".to_owned()));
    }
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

#[expect(clippy::too_many_arguments, reason = "one caller, and each is another thing")]
fn write_in_order(
    plan: &Plan,
    tasks: &[Task],
    first: usize,
    skip: usize,
    receiver: &mpsc::Receiver<Done>,
    sink: &mut Sink,
    outcomes: &mut Outcomes,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let mut waiting = BTreeMap::new();
    let mut next = first;
    for (index, rows) in receiver {
        progress.advance(1);
        waiting.insert(index, rows);
        while let Some(rows) = waiting.remove(&next) {
            let task = tasks[next];
            let skip = if next == first { skip } else { 0 };
            for (row, contender) in rows?.iter().zip(&plan.sweeps[task.sweep].contenders[skip..]) {
                sink.append(row)?;
                outcomes.rows.push((task, *contender, row.outcome));
            }
            next += 1;
        }
    }
    Ok(())
}
