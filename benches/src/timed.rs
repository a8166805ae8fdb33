//! The timed lane: CPU of what the exact lane verified, one thing at a time on one thread.
//!
//! A *sample* is the thread's CPU time for `batch` runs of the same thing, the batch chosen so that a sample
//! is long against the clock's own cost. All samples are kept. Building, inserting and a session of both
//! ends are timed apart; sets, indexes and the check of the result are outside the timed region. An
//! *empty* session (one frame that ends it) is timed the same way: it is what the harness itself costs.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use offerbench_algos::{Finding, Item, ItemId, Session, SessionError, Step, Tally, Verdict, duel};
use offerbench_reports::record::{Timed, TimedRow};

use crate::attack::Siege;
use crate::error::Failure;
use crate::exact::Outcomes;
use crate::meter::thread_cpu_ns;
use crate::plan::{Plan, Point, Task};
use crate::progress::Progress;
use crate::scenario::Scenario;
use crate::sink::Sink;
use crate::trial;

/// A sample shorter than this is too near to the clock's own cost.
const SAMPLE_NS_MIN: u64 = 500_000;
/// Time after which no further sample of a row is begun, once there are enough.
const ROW_TIME: Duration = Duration::from_millis(30);
/// Samples that every row has, unless a single one is [`LONG_NS`] or more.
const SAMPLES_MIN: usize = 3;
/// A sample that is enough by itself.
const LONG_NS: u64 = 1_000_000_000;
/// Samples that are always enough.
const SAMPLES_MAX: usize = 30;

/// The name of the empty session in rows.
pub const EMPTY_SPEC: &str = "empty";

/// Repeats `work`: (batch, samples).
fn samples(mut work: impl FnMut()) -> (u32, Vec<u64>) {
    // The first run warms caches and tells how many make a sample.
    let mut batch = 1_u32;
    let mut samples = Vec::new();
    loop {
        let start = thread_cpu_ns();
        for _ in 0..batch {
            work();
        }
        let took = thread_cpu_ns() - start;
        if took >= LONG_NS {
            // Cold caches are nothing beside this, and three more would take a minute for no more insight.
            samples.push(took);
        }
        if took >= SAMPLE_NS_MIN || batch >= 1 << 20 {
            break;
        }
        batch = (batch * 2).max((u64::from(batch) * SAMPLE_NS_MIN / took.max(1)) as u32).min(batch * 16);
    }
    let began = Instant::now();
    let enough = if samples.is_empty() { SAMPLES_MIN } else { 1 };
    while samples.len() < SAMPLES_MAX && (samples.len() < enough || began.elapsed() < ROW_TIME) {
        let start = thread_cpu_ns();
        for _ in 0..batch {
            work();
        }
        samples.push(thread_cpu_ns() - start);
    }
    (batch, samples)
}

/// What one contender at one point is timed at.
const TIMED: [Timed; 3] = [Timed::Build, Timed::Insert, Timed::Session];

/// How many rows the lane will have.
pub fn row_count(plan: &Plan, outcomes: &Outcomes) -> u64 {
    jobs(plan, outcomes).len() as u64
}

/// Everything to time, in the order of the rows. No contender: the empty session.
fn jobs(plan: &Plan, outcomes: &Outcomes) -> Vec<(Task, Option<usize>, Timed)> {
    let mut points: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (task, contender) in outcomes.verified() {
        if plan.sweeps[task.sweep].sweep.timed && point(plan, task).attack.is_none() {
            points.entry((task.sweep, task.point)).or_default().push(contender);
        }
    }
    let mut jobs = Vec::new();
    for ((sweep, point), contenders) in points {
        let task = Task { sweep, point, replicate: 0 };
        jobs.push((task, None, Timed::Empty));
        for contender in contenders {
            jobs.extend(TIMED.map(|timed| (task, Some(contender), timed)));
        }
    }
    // A victim's time counts whatever became of it.
    for task in plan.tasks().into_iter().filter(|task| task.replicate == 0) {
        let besieged = point(plan, task).attack.is_some_and(|attack| attack.kind.by_peer());
        let planned = &plan.sweeps[task.sweep];
        if planned.sweep.timed && besieged {
            jobs.extend(planned.contenders.iter().map(|contender| (task, Some(*contender), Timed::Victim)));
        }
    }
    jobs
}

fn point(plan: &Plan, task: Task) -> &Point {
    &plan.sweeps[task.sweep].points[task.point]
}

/// Times what the sink does not hold yet.
///
/// # Errors
///
/// When the disk refuses, a scenario cannot be made, or `interrupted` was set.
pub fn run(
    plan: &Plan,
    outcomes: &Outcomes,
    sink: &mut Sink,
    interrupted: &AtomicBool,
) -> Result<(), Failure> {
    let jobs = jobs(plan, outcomes);
    let done = sink.kept().len().min(jobs.len());
    let mut progress = Progress::new("timing", (jobs.len() - done) as u64);
    let mut scenario: Option<(Task, Scenario)> = None;
    for (task, contender, timed) in &jobs[done..] {
        if interrupted.load(Ordering::Relaxed) {
            progress.finish();
            return Err(Failure::Interrupted("interrupted".to_owned()));
        }
        let scenario = match &mut scenario {
            Some((of, scenario)) if of == task => scenario,
            stale => &mut stale.insert((*task, Scenario::new(plan, *task)?)).1,
        };
        let (batch, samples_ns) = time(plan, *task, scenario, *contender, *timed);
        sink.append(&TimedRow {
            sweep: plan.sweeps[task.sweep].sweep.name.clone(),
            point: task.point as u32,
            seed: scenario.seed.value(),
            spec: contender.map_or(EMPTY_SPEC, |c| plan.contenders[c].spec.as_str()).to_owned(),
            timed: *timed,
            m: scenario.m(),
            n_items: scenario.initiator.len() as u64,
            d: scenario.truth.d(),
            batch,
            samples_ns,
        })?;
        progress.advance(1);
    }
    progress.finish();
    Ok(())
}

/// Times one thing: how often it ran within a sample, and the samples in nanoseconds.
pub fn time(
    plan: &Plan,
    task: Task,
    scenario: &Scenario,
    contender: Option<usize>,
    timed: Timed,
) -> (u32, Vec<u64>) {
    let (setup, limits) = trial::setup(plan, task, scenario);
    let Some(contender) = contender.map(|index| &plan.contenders[index]) else {
        return samples(|| {
            let mut ends = empty_session();
            black_box(duel(&mut ends, &limits).is_ok());
        });
    };
    match timed {
        Timed::Build => samples(|| {
            black_box(contender.strategy.index(&scenario.initiator));
        }),
        Timed::Insert => {
            let mut indexes = trial::index(contender, scenario);
            // What an index keeps from session to session is there to be kept up to date.
            black_box(duel(&mut trial::open(&indexes, &setup), &limits).is_ok());
            let [index, _] = &mut indexes;
            // A chat grows at its new end.
            let mut at = scenario.initiator.iter().map(|item| item.at).max().unwrap_or(0);
            samples(|| {
                at += 1;
                let id = ItemId::of_message(&[0; 32], at, b"");
                index.insert(Item { at, id });
            })
        }
        Timed::Victim => {
            let attack = point(plan, task).attack.expect("only the attacked are victims");
            let indexes = trial::index(contender, scenario);
            let siege = Siege::new(attack, &indexes, setup, &limits);
            samples(|| {
                black_box(siege.suffer());
            })
        }
        Timed::Session | Timed::Empty => {
            let indexes = trial::index(contender, scenario);
            samples(|| {
                let mut ends = trial::open(&indexes, &setup);
                black_box(duel(&mut ends, &limits).is_ok());
            })
        }
    }
}

/// A session of which the initiator sends one empty frame and both are done.
struct Empty {
    speaks: bool,
    heard: bool,
}

fn empty_session() -> [Box<dyn Session>; 2] {
    [Box::new(Empty { speaks: true, heard: true }), Box::new(Empty { speaks: false, heard: false })]
}

impl Session for Empty {
    fn handle_frame(&mut self, _frame: &[u8]) -> Result<(), SessionError> {
        self.heard = true;
        Ok(())
    }

    fn poll_frame(&mut self, frame: &mut Vec<u8>) -> Step {
        frame.clear();
        match (self.speaks, self.heard) {
            (true, _) => {
                self.speaks = false;
                Step::Frame
            }
            (false, true) => Step::Done(Verdict::Exact),
            (false, false) => Step::Waiting,
        }
    }

    fn poll_finding(&mut self) -> Option<Finding> {
        None
    }

    fn tally(&self) -> Tally {
        Tally::default()
    }
}
