//! An experiment made ready to run: strategies resolved, the grid laid out, the trace read.

use std::path::Path;
use std::sync::Arc;

use offerbench_algos::{Built, Profile, REGISTRY, Seed, Strategy, build, entry};
use offerbench_datasets::Pattern;
use offerbench_reports::record::{self, Header, Lane, SCHEMA};
use sha2::{Digest, Sha256};

use crate::attack::{Attack, Kind};
use crate::choice::{self, Known, Only, Roster};
use crate::error::Failure;
use crate::experiment::{Experiment, Sweep, Workload};
use crate::group::lane::Job;
use crate::group::path::{self, is_plain};
use crate::group::scenario::Scenario as GroupScenario;
use crate::group::sweep::{self, GroupSweep};
use crate::link;
use crate::provenance;
use crate::scenario::{self, Cut};

/// A strategy that takes part.
#[derive(Clone)]
pub struct Contender {
    /// Canonical spec.
    pub spec: String,
    /// Registry id.
    pub id: String,
    /// The strategy.
    pub strategy: Arc<dyn Strategy>,
}

impl Contender {
    /// What it is.
    pub fn profile(&self) -> Profile {
        self.strategy.profile()
    }
}

impl Known for Contender {
    fn spec(&self) -> &str {
        &self.spec
    }
}

impl From<Built> for Contender {
    fn from(built: Built) -> Self {
        Self {
            spec: built.spec.to_string(),
            id: built.spec.id().to_owned(),
            strategy: Arc::from(built.strategy),
        }
    }
}

/// One point of a sweep's grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Where the two sets come from.
    pub sets: Sets,
    /// Frames that an end may send without hearing from the other.
    pub window: u32,
    /// Factor by which the hint of d is wrong.
    pub guess: Option<f64>,
    /// What a bad peer or author does.
    pub attack: Option<Attack>,
}

/// Where the two sets of a point come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Sets {
    /// Made up.
    Synthetic {
        /// Items in the union.
        m: u64,
        /// Items in the symmetric difference.
        d: u64,
        /// Shape of the difference.
        pattern: Pattern,
    },
    /// A trace at the end of an absence.
    Absence(Cut),
}

/// A sweep with its contenders (indices into [`Plan::contenders`]) and points.
#[derive(Clone, Debug)]
pub struct PlannedSweep {
    /// As written.
    pub sweep: Sweep,
    /// Who takes part.
    pub contenders: Vec<usize>,
    /// The grid.
    pub points: Vec<Point>,
    /// The one point that is asked for, if not all are.
    pub only: Option<usize>,
}

/// A sweep over groups with its OFFER paths (indices into [`Plan::paths`]) and points.
#[derive(Clone, Debug)]
pub struct PlannedGroup {
    /// As written.
    pub sweep: GroupSweep,
    /// Who takes part.
    pub paths: Vec<usize>,
    /// The grid.
    pub points: Vec<sweep::Point>,
    /// The one point that is asked for, if not all are.
    pub only: Option<usize>,
}

/// What the user may change about an experiment.
#[derive(Clone, Debug, Default)]
pub struct Overrides<'a> {
    /// A trace for the sweeps that replay one.
    pub trace: Option<&'a Path>,
    /// Who was online in it.
    pub presence: Option<&'a Path>,
    /// Globs over specs, or full specs.
    pub strategies: &'a [String],
    /// The one sweep that is asked for, or one point of it: `SWEEP`, `SWEEP/POINT`.
    pub only: Option<&'a str>,
    /// Whether groups that cannot connect are run, too.
    pub allow_partial: bool,
}

/// Everything a run needs.
pub struct Plan {
    /// Name of the experiment.
    pub name: String,
    /// The root seed.
    pub seed: Seed,
    /// All contenders of all sweeps.
    pub contenders: Vec<Contender>,
    /// The sweeps.
    pub sweeps: Vec<PlannedSweep>,
    /// All OFFER paths of all sweeps over groups.
    pub paths: Vec<path::Path>,
    /// The sweeps over groups.
    pub groups: Vec<PlannedGroup>,
    /// Names of sweeps that are left out, since they replay a recorded presence and none is given.
    pub left_out: Vec<String>,
    /// Whether groups that cannot connect are run, too.
    pub allow_partial: bool,
    /// The trace that trace sweeps replay, with its name.
    pub trace: Option<scenario::Replay>,
    /// Hash of everything above but the seed.
    pub spec_hash: String,
    /// The command that repeats the run.
    pub command: String,
}

/// One scenario: a point with one repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Index of the sweep.
    pub sweep: usize,
    /// Index of the point in the sweep.
    pub point: usize,
    /// Repetition.
    pub replicate: u32,
}

/// Resolves globs over preset specs (`iblt*`, `*`), ids (`iblt`: its first preset) and full specs.
///
/// # Errors
///
/// An unknown name or parameter, or a glob that matches nothing.
pub fn resolve(patterns: &[String]) -> Result<Vec<Contender>, Failure> {
    let mut contenders: Vec<Contender> = Vec::new();
    for pattern in patterns {
        let texts: Vec<&str> = if pattern.contains(['*', '?', '[']) {
            let glob = glob::Pattern::new(pattern)
                .map_err(|error| Failure::usage(format!("strategies `{pattern}`: {error}")))?;
            let presets = REGISTRY.iter().flat_map(|entry| entry.presets.iter().map(move |p| (entry, *p)));
            let matching: Vec<&str> = presets
                .filter(|(entry, preset)| glob.matches(preset) || glob.matches(entry.about.id))
                .map(|(_, preset)| preset)
                .collect();
            if matching.is_empty() {
                return Err(Failure::usage(format!(
                    "strategies `{pattern}` match no preset; see `offerbench list`"
                )));
            }
            matching
        } else if !pattern.contains(':') {
            vec![entry(pattern).map_err(Failure::usage)?.presets[0]]
        } else {
            vec![pattern]
        };
        for text in texts {
            let contender = Contender::from(build(text).map_err(Failure::usage)?);
            if contenders.iter().all(|earlier| earlier.spec != contender.spec) {
                contenders.push(contender);
            }
        }
    }
    Ok(contenders)
}

impl Plan {
    /// Lays an experiment out.
    ///
    /// # Errors
    ///
    /// Unknown strategies, a trace that cannot be read, points that contradict themselves.
    pub fn new(
        experiment: &Experiment,
        source: &str,
        seed: Seed,
        overrides: &Overrides<'_>,
    ) -> Result<Self, Failure> {
        let only = Only::parse(overrides.only)?;
        let trace = replay(experiment, overrides)?;
        // The plain paths are no strategies: sessions of two know nothing of them.
        let wanted: Vec<String> =
            overrides.strategies.iter().filter(|name| !is_plain(name)).cloned().collect();
        let wanted = resolve(&wanted)?;
        let mut roster = Roster::new((!overrides.strategies.is_empty()).then_some(wanted));
        let mut sweeps = Vec::new();
        for sweep in experiment.sweeps.iter().filter(|sweep| only.takes(&sweep.name)) {
            let takes_part = roster.choose(&sweep.strategies, resolve(&sweep.strategies)?);
            if takes_part.is_empty() {
                continue;
            }
            let points = points(sweep, trace.as_ref())
                .map_err(|why| Failure::usage(format!("sweep `{}`: {why}", sweep.name)))?;
            let only = only.point(&sweep.name, points.len())?;
            let contenders = roster.enter(takes_part);
            sweeps.push(PlannedSweep { sweep: sweep.clone(), contenders, points, only });
        }
        let has_presence = trace.as_ref().is_some_and(|trace| trace.presence.is_some());
        let Groups { groups, paths, left_out } = groups(experiment, overrides, &only, has_presence)?;
        if sweeps.is_empty() && groups.is_empty() {
            return Err(match &only.0 {
                _ if !left_out.is_empty() => Failure::usage(format!(
                    "sweep `{}` {NEEDS_PRESENCE}; without it nothing is left to run",
                    left_out.join("`, `")
                )),
                Some((name, _)) if experiment.names().all(|known| known != name) => Failure::usage(format!(
                    "--only: experiment `{}` has no sweep `{name}`; it has {}",
                    experiment.name,
                    experiment.names().collect::<Vec<_>>().join(", ")
                )),
                _ => Failure::usage("no sweep of this experiment has any of these strategies"),
            });
        }
        let mut plan = Self {
            name: experiment.name.clone(),
            seed,
            contenders: roster.into_all(),
            sweeps,
            paths,
            groups,
            left_out,
            allow_partial: overrides.allow_partial,
            command: command(source, seed, overrides, trace.as_ref()),
            trace,
            spec_hash: String::new(),
        };
        plan.spec_hash = plan.hash();
        Ok(plan)
    }

    fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for planned in &self.sweeps {
            let specs: Vec<&str> =
                planned.contenders.iter().map(|i| self.contenders[*i].spec.as_str()).collect();
            hash.update(serde_json::to_string(&planned.sweep).expect("a sweep is plain data"));
            hash.update(specs.join(" "));
            hash.update(format!("{:?}", planned.only));
        }
        for planned in &self.groups {
            let specs: Vec<&str> = planned.paths.iter().map(|i| self.paths[*i].about.spec.as_str()).collect();
            hash.update(serde_json::to_string(&planned.sweep).expect("a sweep is plain data"));
            hash.update(specs.join(" "));
            hash.update(format!("{:?}", planned.only));
        }
        if let Some(trace) = &self.trace {
            hash.update(trace.hash);
        }
        hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// All scenarios, in the order of the rows.
    pub fn tasks(&self) -> Vec<Task> {
        let mut tasks = Vec::new();
        for (sweep, planned) in self.sweeps.iter().enumerate() {
            for point in choice::points(planned.only, planned.points.len()) {
                tasks.extend((0..planned.sweep.replicates).map(|replicate| Task { sweep, point, replicate }));
            }
        }
        tasks
    }

    /// All group trials, in the order of the rows.
    pub fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (sweep, planned) in self.groups.iter().enumerate() {
            for point in choice::points(planned.only, planned.points.len()) {
                for replicate in 0..planned.sweep.replicates {
                    jobs.extend(planned.paths.iter().map(|&path| Job { sweep, point, replicate, path }));
                }
            }
        }
        jobs
    }

    /// Draws the group of a point.
    ///
    /// # Errors
    ///
    /// A life that cannot be: which sweep, which point, why.
    pub fn group_scenario(
        &self,
        sweep: usize,
        point: usize,
        replicate: u32,
    ) -> Result<GroupScenario, Failure> {
        let planned = &self.groups[sweep];
        let root = self.seed.child("scenario");
        GroupScenario::new(&planned.points[point], self.trace.as_ref(), root, replicate)
            .map_err(|failure| failure.within(&format!("sweep `{}`, point {point}", planned.sweep.name)))
    }

    /// Line 1 of the exact lane's file.
    pub fn exact_header(&self) -> Header {
        let rows = self.tasks().iter().map(|task| self.sweeps[task.sweep].contenders.len() as u64).sum();
        self.header(Lane::Exact, rows)
    }

    /// Line 1 of a file with `rows` rows.
    pub fn header(&self, lane: Lane, rows: u64) -> Header {
        let of_two = matches!(lane, Lane::Exact | Lane::Timed);
        let (mut sweeps, mut groups) = (Vec::new(), Vec::new());
        let contenders = if of_two {
            sweeps = self.sweeps.iter().map(|planned| describe(&planned.sweep)).collect();
            self.contenders.iter().map(describe_contender).collect()
        } else {
            groups = self.groups.iter().map(|planned| describe_group(&planned.sweep)).collect();
            self.paths.iter().map(|path| path.about.clone()).collect()
        };
        Header {
            offerbench: lane,
            schema: SCHEMA,
            experiment: self.name.clone(),
            spec_hash: self.spec_hash.clone(),
            seed: self.seed.value(),
            commit: provenance::COMMIT.to_owned(),
            dirty: provenance::dirty(),
            command: self.command.clone(),
            rows,
            sweeps,
            groups,
            contenders,
            links: if of_two { link::links() } else { Vec::new() },
            machine: matches!(lane, Lane::Timed | Lane::Cpu).then(provenance::machine),
        }
    }
}

/// The trace that the sweeps replay, if any does.
fn replay(experiment: &Experiment, overrides: &Overrides<'_>) -> Result<Option<scenario::Replay>, Failure> {
    let of_two = experiment.sweeps.iter().any(|sweep| sweep.workload == Workload::Trace);
    let replays = of_two || experiment.groups.iter().any(GroupSweep::replays);
    let given = overrides.trace.is_some() || overrides.presence.is_some();
    if given && !replays {
        return Err(Failure::usage(format!(
            "experiment `{}` replays no trace; try `offerbench run trace --trace FILE` or `offerbench run replay \
             --trace FILE`",
            experiment.name
        )));
    }
    if !replays {
        return Ok(None);
    }
    match (overrides.trace, overrides.presence) {
        (None, Some(_)) => {
            Err(Failure::usage("--presence FILE goes with the --trace FILE of the same group"))
        }
        (None, None) => scenario::Replay::built_in().map(Some),
        (Some(trace), presence) => scenario::Replay::read(trace, presence).map(Some),
    }
}

/// What a sweep needs that replays who was online.
pub const NEEDS_PRESENCE: &str =
    "replays who was online: give it the group's recording, --trace FILE --presence FILE";

/// The sweeps over groups, their OFFER paths, and which sweeps are left out for want of a presence.
struct Groups {
    groups: Vec<PlannedGroup>,
    paths: Vec<path::Path>,
    left_out: Vec<String>,
}

fn groups(
    experiment: &Experiment,
    overrides: &Overrides<'_>,
    only: &Only,
    has_presence: bool,
) -> Result<Groups, Failure> {
    let wanted = path::resolve(overrides.strategies)?;
    let mut roster = Roster::new((!overrides.strategies.is_empty()).then_some(wanted));
    let (mut groups, mut left_out) = (Vec::new(), Vec::new());
    for sweep in experiment.groups.iter().filter(|sweep| only.takes(&sweep.name)) {
        let takes_part = roster.choose(&sweep.strategies, path::resolve(&sweep.strategies)?);
        if takes_part.is_empty() {
            continue;
        }
        if sweep.replays_presence() && !has_presence {
            left_out.push(sweep.name.clone());
            continue;
        }
        let points =
            sweep.points().map_err(|why| Failure::usage(format!("sweep `{}`: {why}", sweep.name)))?;
        let only = only.point(&sweep.name, points.len())?;
        let paths = roster.enter(takes_part);
        groups.push(PlannedGroup { sweep: sweep.clone(), paths, points, only });
    }
    Ok(Groups { groups, paths: roster.into_all(), left_out })
}

/// The command without what changes nothing in the counts.
fn command(source: &str, seed: Seed, overrides: &Overrides<'_>, trace: Option<&scenario::Replay>) -> String {
    let mut command = format!("offerbench run {source}");
    if let (Some(_), Some(trace)) = (overrides.trace, trace) {
        command += &format!(" --trace {}", trace.file_name);
        if let Some((file_name, _)) = &trace.presence {
            command += &format!(" --presence {file_name}");
        }
    }
    if let Some(only) = overrides.only {
        command += &format!(" --only {only}");
    }
    if overrides.allow_partial {
        command += " --allow-partial";
    }
    for pattern in overrides.strategies {
        command += &format!(" --strategies '{pattern}'");
    }
    format!("{command} --seed {}", seed.value())
}

fn describe(sweep: &Sweep) -> record::Sweep {
    record::Sweep {
        name: sweep.name.clone(),
        question: sweep.question.clone(),
        expectation: sweep.expectation.clone(),
        axis: sweep.axis,
        cpu_ms_max: sweep.budget.cpu_ms,
        heap_bytes_max: sweep.budget.heap_mib << 20,
    }
}

fn describe_group(sweep: &GroupSweep) -> record::GroupSweep {
    record::GroupSweep {
        name: sweep.name.clone(),
        question: sweep.question.clone(),
        expectation: sweep.expectation.clone(),
        axis: sweep.axis,
    }
}

/// What the record says of a contender.
pub fn describe_contender(contender: &Contender) -> record::Contender {
    let profile = contender.profile();
    let entry = entry(&contender.id).ok();
    record::Contender {
        spec: contender.spec.clone(),
        strategy: contender.id.clone(),
        id_bits: profile.id_bits,
        keyed: profile.keyed,
        guarantee: profile.guarantee.as_str().to_owned(),
        oracle: profile.oracle,
        parameters: entry.map_or(0, |entry| entry.about.params.len() as u32),
        code_lines: entry.map_or(0, |entry| entry.code_lines()),
    }
}

/// The grid of a sweep, the last axis fastest.
fn points(sweep: &Sweep, trace: Option<&scenario::Replay>) -> Result<Vec<Point>, String> {
    let mut sets = Vec::new();
    if let (Workload::Trace, Some(trace)) = (sweep.workload, trace) {
        sets.extend(trace.cuts(sweep.absences)?.into_iter().map(Sets::Absence));
    }
    for &m in &sweep.m {
        let from_similarity = sweep.similarity.iter().map(|s| ((1.0 - s) * m as f64).round() as u64);
        let ds: Vec<u64> = sweep.d.iter().copied().chain(from_similarity).collect();
        for d in ds {
            if d > m {
                return Err(format!("d = {d} is more than m = {m}"));
            }
            for name in &sweep.pattern {
                let pattern: Pattern = name.parse().map_err(|error| format!("pattern: {error}"))?;
                // These two patterns fix d themselves.
                let d = match pattern {
                    Pattern::Equal => 0,
                    Pattern::Empty => m,
                    _ => d,
                };
                sets.push(Sets::Synthetic { m, d, pattern });
            }
        }
    }
    let guesses: Vec<Option<f64>> =
        if sweep.guess.is_empty() { vec![None] } else { sweep.guess.iter().copied().map(Some).collect() };
    let caps = sweep.capped.iter();
    let attacks = |kind: Kind| caps.clone().map(move |capped| Some(Attack { kind, capped: *capped }));
    let mut attacks: Vec<Option<Attack>> = sweep.attack.iter().flat_map(|kind| attacks(*kind)).collect();
    if attacks.is_empty() {
        attacks.push(None);
    }
    let mut points = Vec::new();
    for sets in &sets {
        for &window in &sweep.window {
            for &guess in &guesses {
                for &attack in &attacks {
                    let point = Point { sets: sets.clone(), window, guess, attack };
                    if points.contains(&point) {
                        return Err(format!("the point {point:?} stands in the grid twice"));
                    }
                    points.push(point);
                }
            }
        }
    }
    Ok(points)
}
