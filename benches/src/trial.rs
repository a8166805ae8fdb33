//! One trial: one contender on one scenario, counted and judged.

use std::panic::{AssertUnwindSafe, catch_unwind};

use offerbench_algos::wire::{FRAME_LEN_DEFAULT, Purpose, Spent};
use offerbench_algos::{
    Budget, Burst, DiffHint, DuelError, DuelLimits, Ending, Flow, Index, Role, Session, Setup, Transcript,
    duel_traced, judge,
};
use offerbench_reports::record::{self, Bytes, ExactRow, Outcome};

use crate::attack;
use crate::meter::heap_peak;
use crate::plan::{Contender, Plan, Task};
use crate::scenario::Scenario;

/// The two indexes of a contender, initiator first.
pub type Indexes = [Box<dyn Index>; 2];

/// Builds both indexes.
pub fn index(contender: &Contender, scenario: &Scenario) -> Indexes {
    [contender.strategy.index(&scenario.initiator), contender.strategy.index(&scenario.responder)]
}

/// Opens both sessions.
pub fn open(indexes: &Indexes, setup: &Setup) -> [Box<dyn Session>; 2] {
    [indexes[0].open(Role::Initiator, setup), indexes[1].open(Role::Responder, setup)]
}

/// What both sessions of a trial are told.
pub fn setup(plan: &Plan, task: Task, scenario: &Scenario) -> (Setup, DuelLimits) {
    let planned = &plan.sweeps[task.sweep];
    let point = &planned.points[task.point];
    let hint = (scenario.truth.d() as f64 * point.guess.unwrap_or(1.0)).round() as u64;
    let mut setup = Setup {
        seed: scenario.seed.child("session"),
        lasting: scenario.lasting(),
        frame_len_max: FRAME_LEN_DEFAULT,
        diff: DiffHint::Oracle(hint),
        budget: Budget {
            cpu_ns_max: planned.sweep.budget.cpu_ms * 1_000_000,
            heap_bytes_max: planned.sweep.budget.heap_mib << 20,
        },
    };
    if point.attack.is_some_and(|attack| !attack.capped) {
        setup.budget = attack::uncapped();
    }
    (setup, DuelLimits { window: point.window, ..DuelLimits::default() })
}

/// Runs `contender` on `scenario` and writes the row.
pub fn run(plan: &Plan, task: Task, scenario: &Scenario, contender: &Contender) -> ExactRow {
    let (setup, limits) = setup(plan, task, scenario);
    let mut row = blank_row(plan, task, scenario, contender);
    let attack = plan.sweeps[task.sweep].points[task.point].attack;
    if let Some(attack) = attack.filter(|attack| attack.kind.by_peer()) {
        let sound = catch_unwind(AssertUnwindSafe(|| {
            let indexes = index(contender, scenario);
            attack::fill(&mut row, attack, &indexes, scenario, contender, (setup, limits));
        }));
        if sound.is_err() {
            row.outcome = Outcome::Wrong;
            row.reason = Some("it panicked".to_owned());
        }
        return row;
    }
    // A panic is a bug of ours, and must not take the other rows with it.
    let result = catch_unwind(AssertUnwindSafe(|| {
        let indexes = index(contender, scenario);
        let mut flow = Flow::with_room();
        let (result, peak) = heap_peak(|| duel_traced(&mut open(&indexes, &setup), &limits, &mut flow));
        // With what it keeps for the next session.
        let index_heap = indexes[0].heap_bytes() as u64;
        (result, peak, index_heap, flow)
    }));
    match result {
        Err(_) => {
            row.outcome = Outcome::Wrong;
            row.reason = Some("it panicked".to_owned());
        }
        Ok((Err(error), peak, index_heap, _)) => {
            row.heap_peak_bytes = peak;
            row.index_heap_bytes = index_heap;
            // Two honest ends that do not understand each other are as bad as a wrong answer.
            let over = matches!(error, DuelError::OverLimit { .. });
            row.outcome = if over { Outcome::GaveUp } else { Outcome::Wrong };
            row.reason = Some(error.to_string());
            row.missed = scenario.truth.d();
        }
        Ok((Ok(transcript), peak, index_heap, flow)) => {
            row.heap_peak_bytes = peak;
            row.index_heap_bytes = index_heap;
            [row.flow_up, row.flow_down] = flow.0.map(|bursts| bursts.iter().map(burst).collect());
            fill(&mut row, scenario, contender, &transcript);
            if peak > setup.budget.heap_bytes_max && row.succeeded() {
                row.outcome = Outcome::GaveUp;
                row.reason = Some(format!(
                    "it took {peak} bytes of heap, and the budget is {}",
                    setup.budget.heap_bytes_max
                ));
            }
        }
    }
    row
}

fn fill(row: &mut ExactRow, scenario: &Scenario, contender: &Contender, transcript: &Transcript) {
    let judgement = judge(&scenario.truth, contender.profile().guarantee, transcript);
    (row.outcome, row.reason) = match judgement.ending {
        Ending::Exact => (Outcome::Exact, None),
        Ending::Recovered => (Outcome::Recovered, Some("after retries or a fall-back".to_owned())),
        Ending::GaveUp(reason) => (Outcome::GaveUp, Some(reason.as_str().to_owned())),
        Ending::Incomplete => (Outcome::GaveUp, Some("it missed items, as it declares it may".to_owned())),
        Ending::Wrong(why) => (Outcome::Wrong, Some(why.to_owned())),
    };
    row.missed = judgement.missed;
    row.invented = judgement.invented;
    row.tries = match transcript.verdicts[0] {
        offerbench_algos::Verdict::Recovered { retries } => 1 + retries,
        _ => 1,
    };
    let [up, down] = &transcript.traffic;
    (row.up, row.down) = (bytes(&up.spent, up.overshoot_bytes), bytes(&down.spent, down.overshoot_bytes));
    (row.frames_up, row.frames_down) = (up.frames, down.frames);
    row.frames_overshoot = up.overshoot_frames + down.overshoot_frames;
    row.flights = transcript.flights;
    row.decode_attempts = transcript.tallies.iter().map(|tally| tally.attempts).sum();
    row.decode_failures = transcript.tallies.iter().map(|tally| tally.failures).sum();
    row.estimate = transcript.tallies.iter().find_map(|tally| tally.estimate);
    row.capacity = transcript.tallies.iter().find_map(|tally| tally.capacity);
}

/// The record's form of what was spent, and of what arrived too late to be wanted.
pub fn bytes(spent: &Spent, overshoot: u64) -> Bytes {
    let on = |purpose| Spent::on(spent, purpose);
    Bytes {
        salt: on(Purpose::Salt),
        estimator: on(Purpose::Estimator),
        sketch: on(Purpose::Sketch),
        ids: on(Purpose::Ids),
        request: on(Purpose::Request),
        control: on(Purpose::Control),
        retry: on(Purpose::Retry),
        overshoot,
    }
}

fn burst(burst: &Burst) -> record::Burst {
    let Burst { after, frames, bytes, vain } = *burst;
    record::Burst { after, frames, bytes, vain }
}

fn blank_row(plan: &Plan, task: Task, scenario: &Scenario, contender: &Contender) -> ExactRow {
    let planned = &plan.sweeps[task.sweep];
    let point = &planned.points[task.point];
    ExactRow {
        sweep: planned.sweep.name.clone(),
        point: task.point as u32,
        replicate: task.replicate,
        seed: scenario.seed.value(),
        spec: contender.spec.clone(),
        workload: scenario.workload.clone(),
        pattern: scenario.pattern.clone(),
        m: scenario.m(),
        n: 2,
        k: 1,
        d: scenario.truth.d(),
        d_initiator: scenario.truth.only(0).len() as u64,
        d_responder: scenario.truth.only(1).len() as u64,
        stretches: scenario.stretches,
        window: point.window,
        guess: point.guess,
        absence_ms: scenario.absence_ms,
        attack: point.attack.map(|attack| record::Attack {
            name: attack.kind.name().to_owned(),
            capped: attack.capped,
            attacker: attack.kind.attacker(),
            crafted: scenario.ground.items,
            hashes: scenario.ground.hashes,
        }),
        outcome: Outcome::GaveUp,
        reason: None,
        tries: 1,
        missed: 0,
        invented: 0,
        up: Bytes::default(),
        down: Bytes::default(),
        frames_up: 0,
        frames_down: 0,
        frames_overshoot: 0,
        flights: 0,
        flow_up: Vec::new(),
        flow_down: Vec::new(),
        decode_attempts: 0,
        decode_failures: 0,
        estimate: None,
        capacity: None,
        heap_peak_bytes: 0,
        index_heap_bytes: 0,
    }
}
