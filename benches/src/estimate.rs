//! What an experiment will take, before it runs: time and disk.
//!
//! Sessions are estimated from *probes*: every contender runs a few small trials on this machine, which give the cost
//! of a trial as `a + b·M + c·d^p`. A group's life is estimated from what happens in it (sessions tried, items they are
//! over, deliveries), with constants that were fitted to 1,093 trials of nine experiments on one machine, and the
//! probe's cost of a session. Nothing of it enters a record.
//!
//! How good it is: `quick` was estimated at 1.9 minutes and took 1.7; of six group experiments (`chat-group`, `offline`,
//! `acks`, `idle`, `catch-up`, `n-size`) each within a factor of three of its CPU. Of sessions, the clock's and those that
//! news begin, 0.94 to 1.27 times as many were tried as counted here in groups of 5 to 40 that are there a third of the
//! time or always (`quick`, `store-sync`); phones, who give up on peers that do not answer, try about a third.

use offerbench_algos::Seed;
use offerbench_reports::record::Timed;

use crate::error::Failure;
use crate::experiment::Experiment;
use crate::group::scenario::Scenario as GroupScenario;
use crate::meter::thread_cpu_ns;
use crate::plan::{Overrides, Plan, PlannedGroup, PlannedSweep, Sets, Task};
use crate::scenario::Scenario;
use crate::timed;
use crate::trial;

/// Bytes of a row, on average over `quick` (3,730 rows of sessions, 1,159 of times) and over the group experiments.
const EXACT_ROW_BYTES: u64 = 660;
const TIMED_ROW_BYTES: u64 = 340;
const GROUP_ROW_BYTES: u64 = 3_400;
const CPU_ROW_BYTES: u64 = 115;
/// The page's script, and what it holds besides.
const REPORT_BYTES: u64 = 5_500_000;

/// Samples of a timed row last about so long, however short the thing that is timed.
const TIMED_ROW_S: f64 = 0.045;
/// A long one is run so often: once to warm up, then three times.
const TIMED_RUNS: f64 = 4.0;
/// Rows of a contender at a timed point: build, insert, session.
const TIMED_ROWS: u64 = 3;

/// Seconds that the simulator takes for a session that is tried, whether or not the peer is there.
const ATTEMPT_S: f64 = 9e-6;
/// For a message delivered by a session.
const DELIVERY_S: f64 = 5e-6;
/// For a message delivered by plain MVDS, and neighbour: it is offered to each until acknowledged.
const OFFERED_S: f64 = 3.8e-6;
/// For a message held.
const HELD_S: f64 = 0.3e-6;
/// A member tries a session with each neighbour once in so long, in milliseconds.
const SESSION_EVERY_MS: f64 = 300_000.0;

/// What one part of an experiment will take.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Name of the sweep.
    pub name: String,
    /// Rows.
    pub trials: u64,
    /// CPU of what runs on all threads, in seconds.
    pub counted_s: f64,
    /// CPU of what runs on one, in seconds.
    pub timed_s: f64,
    /// Of its records.
    pub disk_bytes: u64,
}

impl Part {
    /// How long it takes on so many threads, in seconds.
    pub fn wall_s(&self, threads: usize) -> f64 {
        self.counted_s / threads.max(1) as f64 + self.timed_s
    }
}

/// What a whole experiment will take.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// By sweep, in their order.
    pub parts: Vec<Part>,
}

impl Estimate {
    /// Probes the plan's contenders, a second or so, and draws its groups.
    ///
    /// # Errors
    ///
    /// A group's life that cannot be.
    pub fn new(plan: &Plan) -> Result<Self, Failure> {
        let probes = Probes::new(plan)?;
        let mut parts: Vec<Part> = Vec::new();
        for planned in &plan.sweeps {
            parts.push(sessions(plan, parts.len(), planned, &probes)?);
        }
        for (sweep, planned) in plan.groups.iter().enumerate() {
            parts.push(groups(plan, sweep, planned, &probes)?);
        }
        Ok(Self { parts })
    }

    /// How long it takes on so many threads, in seconds.
    pub fn wall_s(&self, threads: usize) -> f64 {
        self.parts.iter().map(|part| part.wall_s(threads)).sum()
    }

    /// Of all files, in bytes.
    pub fn disk_bytes(&self) -> u64 {
        REPORT_BYTES + self.parts.iter().map(|part| part.disk_bytes).sum::<u64>()
    }
}

fn sessions(plan: &Plan, sweep_at: usize, planned: &PlannedSweep, probes: &Probes) -> Result<Part, Failure> {
    let sweep = &planned.sweep;
    let cpu_s_max = sweep.budget.cpu_ms as f64 / 1e3;
    let (mut counted_s, mut timed_s, mut points) = (0.0, 0.0, 0);
    for (index, point) in planned.points.iter().enumerate() {
        if planned.only.is_some_and(|only| only != index) {
            continue;
        }
        points += 1;
        let (m, d) = match &point.sets {
            Sets::Synthetic { m, d, .. } => (*m as f64, *d as f64),
            Sets::Absence(cut) => (f64::from(cut.end_index), f64::from(cut.missed)),
        };
        counted_s += match point.attack {
            None => probes.scenario_s * m * f64::from(sweep.replicates),
            Some(_) => prepared_s(plan, sweep_at, index, sweep.replicates)?,
        };
        for contender in &planned.contenders {
            let trial_s = probes.of(&plan.contenders[*contender].spec).trial_s(m, d).min(cpu_s_max);
            counted_s += trial_s * f64::from(sweep.replicates);
            if sweep.timed {
                timed_s += TIMED_ROWS as f64 * TIMED_ROW_S.max(0.5 * TIMED_RUNS * trial_s);
            }
        }
    }
    let cells = points * planned.contenders.len() as u64;
    let trials = cells * u64::from(sweep.replicates);
    let timed_rows = if sweep.timed { cells * TIMED_ROWS + points } else { 0 };
    let disk_bytes = trials * EXACT_ROW_BYTES + timed_rows * TIMED_ROW_BYTES;
    Ok(Part { name: sweep.name.clone(), trials, counted_s, timed_s, disk_bytes })
}

/// Making the sets of an attack, for all replicates: an author may try many hashes for them, and keep what it found for
/// the next time. Two are made to see.
fn prepared_s(plan: &Plan, sweep: usize, point: usize, replicates: u32) -> Result<f64, Failure> {
    let once = |replicate: u32| {
        let started = thread_cpu_ns();
        Scenario::new(plan, Task { sweep, point, replicate })?;
        Ok(seconds_since(started))
    };
    let first = once(0)?;
    Ok(if replicates > 1 { first + once(1)? * f64::from(replicates - 1) } else { first })
}

fn groups(plan: &Plan, sweep: usize, planned: &PlannedGroup, probes: &Probes) -> Result<Part, Failure> {
    let (mut counted_s, mut trials) = (0.0, 0);
    for index in 0..planned.points.len() {
        if planned.only.is_some_and(|only| only != index) {
            continue;
        }
        let busy = Busy::of(&plan.group_scenario(sweep, index, 0)?);
        for path in &planned.paths {
            let spec = plan.paths[*path].about.spec.as_str();
            let trial_s = match crate::group::path::is_plain(spec) {
                true => busy.plain_s(),
                false => busy.sessions_s(probes.of(spec)),
            };
            counted_s += trial_s * f64::from(planned.sweep.replicates);
            trials += u64::from(planned.sweep.replicates);
        }
    }
    let disk_bytes = trials * (GROUP_ROW_BYTES + CPU_ROW_BYTES);
    Ok(Part { name: planned.sweep.name.clone(), trials, counted_s, timed_s: 0.0, disk_bytes })
}

/// What happens in a group's life.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Busy {
    /// Sessions that members try.
    attempts: f64,
    /// Of these, the share that finds its peer.
    met: f64,
    /// Messages that a member holds, on average over the time.
    held: f64,
    /// Messages times members who get them.
    deliveries: f64,
    /// The same, times those who offer them.
    offers: f64,
}

impl Busy {
    fn of(scenario: &GroupScenario) -> Self {
        let life = &scenario.life;
        let end_ms = life.end_ms.max(1) as f64;
        let nodes = scenario.nodes();
        let mut attempts = 0.0;
        let mut online_ms = 0.0;
        for node in 0..nodes {
            // Relays, and members of whom nothing is known, are always there.
            let here_ms = life.stays.get(node).map_or(end_ms, |stays| {
                stays.iter().map(|stay| stay.off_ms.saturating_sub(stay.on_ms)).sum::<u64>() as f64
            });
            online_ms += here_ms;
            attempts += here_ms / SESSION_EVERY_MS * scenario.links.neighbours(node as u32).len() as f64;
        }
        let written = life.writes.len() as f64;
        let deliveries = written * nodes as f64;
        let met = online_ms / (end_ms * nodes as f64);
        // News: over each link a message begins a session, from whichever end holds it first, if both are there.
        attempts += written * scenario.links.count() as f64 * met * met;
        Self {
            attempts,
            met,
            held: scenario.history as f64 + written / 2.0,
            deliveries,
            offers: written * 2.0 * scenario.links.count() as f64,
        }
    }

    fn plain_s(&self) -> f64 {
        OFFERED_S * self.offers + HELD_S * self.held
    }

    fn sessions_s(&self, probe: &Probe) -> f64 {
        let session_s = ATTEMPT_S + self.met * probe.session_item_s * self.held;
        self.attempts * session_s + self.deliveries * (DELIVERY_S + probe.found_s())
    }
}

/// Sizes of the probes: M and d.
const PROBES: [(u64, u64); 4] = [(400, 4), (4_000, 4), (4_000, 100), (4_000, 400)];

/// What a contender's trials cost on this machine: `fixed + item·M + diff·d^power`, in seconds.
#[derive(Clone, Debug, PartialEq)]
struct Probe {
    spec: String,
    fixed_s: f64,
    item_s: f64,
    diff_s: f64,
    power: f64,
    /// Of a session between members who keep their indexes, for an item.
    session_item_s: f64,
}

impl Probe {
    fn trial_s(&self, m: f64, d: f64) -> f64 {
        self.fixed_s + self.item_s * m + self.diff_s * d.powf(self.power)
    }

    /// A difference found, where a hundred are.
    fn found_s(&self) -> f64 {
        self.diff_s * 100f64.powf(self.power) / 100.0
    }

    /// From the times of trials at [`PROBES`] and of a session at the second.
    fn fit(spec: String, times_s: [f64; 4], session_s: f64) -> Self {
        let [small, large, some, many] = times_s;
        let item_s = ((large - small) / (PROBES[1].0 - PROBES[0].0) as f64).max(0.0);
        let fixed_s = (small - item_s * PROBES[0].0 as f64).max(0.0);
        let (some, many) = ((some - large).max(1e-9), (many - large).max(1e-9));
        let ratio = PROBES[3].1 as f64 / PROBES[2].1 as f64;
        // Between linear and quadratic; what is faster than linear is noise.
        let power = ((many / some).ln() / ratio.ln()).clamp(1.0, 2.0);
        let diff_s = many / (PROBES[3].1 as f64).powf(power);
        Self { spec, fixed_s, item_s, diff_s, power, session_item_s: session_s / PROBES[1].0 as f64 }
    }
}

struct Probes {
    probes: Vec<Probe>,
    /// Making the two sets, an item.
    scenario_s: f64,
}

impl Probes {
    fn new(plan: &Plan) -> Result<Self, Failure> {
        let of_paths = plan.paths.iter().map(|path| path.about.spec.clone());
        let grouped: Vec<String> = of_paths.filter(|spec| !crate::group::path::is_plain(spec)).collect();
        let mut specs: Vec<String> = plan.contenders.iter().map(|one| one.spec.clone()).collect();
        specs.extend(grouped.iter().cloned());
        specs.sort();
        specs.dedup();
        if specs.is_empty() {
            return Ok(Self { probes: Vec::new(), scenario_s: 0.0 });
        }
        let (ms, ds) = (PROBES.map(|(m, _)| m.to_string()), PROBES.map(|(_, d)| d.to_string()));
        let sweep = |at: usize| {
            format!(
                "[[sweep]]\nname = \"p{at}\"\nquestion = \"?\"\nexpectation = \"?\"\naxis = \"d\"\nm = [{}]\nd = [{}]\n",
                ms[at], ds[at]
            )
        };
        let text = format!(
            "name = \"probe\"\nabout = \"\"\n{}",
            (0..PROBES.len()).map(sweep).collect::<Vec<_>>().concat()
        );
        let experiment = Experiment::parse("probe", &text)?;
        let overrides = Overrides { strategies: &specs, ..Overrides::default() };
        let probe_plan = Plan::new(&experiment, "probe", Seed::new(1), &overrides)?;
        let tasks = [0, 1, 2, 3].map(|sweep| Task { sweep, point: 0, replicate: 0 });
        let started = thread_cpu_ns();
        let scenarios: Vec<Scenario> =
            tasks.iter().map(|task| Scenario::new(&probe_plan, *task)).collect::<Result<_, _>>()?;
        let items: u64 = PROBES.iter().map(|(m, _)| m).sum();
        let scenario_s = seconds_since(started) / items as f64;
        let mut probes = Vec::new();
        for (index, contender) in probe_plan.contenders.iter().enumerate() {
            let mut times_s = [0.0; 4];
            for (at, scenario) in scenarios.iter().enumerate() {
                // The faster of two: the first one pays for cold caches.
                let run = || {
                    let started = thread_cpu_ns();
                    trial::run(&probe_plan, tasks[at], scenario, contender);
                    seconds_since(started)
                };
                times_s[at] = run().min(run());
            }
            let session_s = if grouped.contains(&contender.spec) {
                let (batch, mut samples_ns) =
                    timed::time(&probe_plan, tasks[1], &scenarios[1], Some(index), Timed::Session);
                samples_ns.sort_unstable();
                samples_ns[samples_ns.len() / 2] as f64 / f64::from(batch) / 1e9
            } else {
                0.0
            };
            probes.push(Probe::fit(contender.spec.clone(), times_s, session_s));
        }
        Ok(Self { probes, scenario_s })
    }

    fn of(&self, spec: &str) -> &Probe {
        self.probes.iter().find(|probe| probe.spec == spec).expect("everybody who takes part is probed")
    }
}

fn seconds_since(started_ns: u64) -> f64 {
    thread_cpu_ns().saturating_sub(started_ns) as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_finds_the_law_that_made_its_times() {
        for power in [1.0, 1.5, 2.0] {
            let law = Probe {
                spec: "x".to_owned(),
                fixed_s: 2e-5,
                item_s: 3e-8,
                diff_s: 1e-7,
                power,
                session_item_s: 1e-8,
            };
            let d0 = |m: u64| law.fixed_s + law.item_s * m as f64;
            // The probes of small d stand for d = 0.
            let times =
                PROBES.map(|(m, d)| d0(m) + if d > 4 { law.diff_s * (d as f64).powf(power) } else { 0.0 });
            let fitted = Probe::fit("x".to_owned(), times, 4_000.0 * 1e-8);
            for (m, d) in [(1e5, 1e4), (1e3, 10.0)] {
                let ratio = fitted.trial_s(m, d) / law.trial_s(m, d);
                assert!((ratio - 1.0).abs() < 1e-6, "power {power}: {ratio}");
            }
        }
    }

    #[test]
    fn noise_makes_no_cost_negative() {
        let probe = Probe::fit("x".to_owned(), [3e-3, 1e-3, 0.5e-3, 0.9e-3], 0.0);
        for (m, d) in [(0.0, 0.0), (1e6, 0.0), (1e6, 1e6)] {
            let cost = probe.trial_s(m, d);
            assert!(cost.is_finite() && cost >= 0.0, "{cost}");
        }
    }

    #[test]
    fn more_of_anything_takes_no_less() {
        let estimate = |change: &str| {
            let text = format!(
                "name = \"x\"\nabout = \"y\"\n[[group]]\nname = \"g\"\nquestion = \"Q?\"\nexpectation = \"E.\"\n\
                 axis = \"n\"\nstrategies = [\"interactive\", \"riblt\"]\nonline = [\"always\"]\n{change}"
            );
            let experiment = Experiment::parse("x.toml", &text).unwrap();
            let plan = Plan::new(&experiment, "x.toml", Seed::new(1), &Overrides::default()).unwrap();
            let scenario = plan.group_scenario(0, 0, 0).unwrap();
            Busy::of(&scenario)
        };
        let base = estimate("members = [10]\nmessages_day = [100]");
        assert!((base.met - 1.0).abs() < 1e-9);
        // K = 3 both ways: about six neighbours, 288 times a day, for each of ten members.
        assert!((10_000.0..=20_000.0).contains(&base.attempts), "{base:?}");
        assert_eq!((base.deliveries, base.held), (1000.0, 50.0));
        let more = estimate("members = [20]\nmessages_day = [100]\nhistory = [1000]");
        assert!(more.attempts > base.attempts && more.plain_s() > base.plain_s());
        assert_eq!(more.held, 1050.0);
    }
}
