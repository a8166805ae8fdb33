//! An experiment made ready to run: strategies resolved, the grid laid out, the trace read.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use offerbench_algos::{Built, Profile, REGISTRY, Seed, Strategy, build, entry};
use offerbench_datasets::Pattern;
use offerbench_reports::record::{self, Header, Lane, SCHEMA};
use sha2::{Digest, Sha256};

use crate::error::Failure;
use crate::experiment::{Experiment, Sweep, Workload};
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
}

/// What the user may change about an experiment.
#[derive(Clone, Debug, Default)]
pub struct Overrides<'a> {
    /// A trace for the sweeps that replay one.
    pub trace: Option<&'a Path>,
    /// Globs over specs, or full specs.
    pub strategies: &'a [String],
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
        let wanted = resolve(overrides.strategies)?;
        let replays = experiment.sweeps.iter().any(|sweep| sweep.workload == Workload::Trace);
        let trace = match overrides.trace {
            Some(_) if !replays => {
                return Err(Failure::usage(format!(
                    "experiment `{}` replays no trace; try `offerbench run trace --trace FILE`",
                    experiment.name
                )));
            }
            Some(path) => Some(scenario::Replay::read(path)?),
            None if replays => Some(scenario::Replay::built_in()?),
            None => None,
        };
        let mut all: BTreeMap<String, usize> = BTreeMap::new();
        let mut contenders: Vec<Contender> = Vec::new();
        let mut sweeps = Vec::new();
        for sweep in &experiment.sweeps {
            let mut takes_part = resolve(&sweep.strategies)?;
            if !wanted.is_empty() {
                // A sweep that asks everybody takes whoever is wanted; one that asks some, those of them.
                takes_part = if sweep.strategies == ["*"] {
                    wanted.clone()
                } else {
                    takes_part.retain(|c| wanted.iter().any(|w| w.spec == c.spec));
                    takes_part
                };
            }
            if takes_part.is_empty() {
                continue;
            }
            let indices = takes_part
                .into_iter()
                .map(|contender| {
                    *all.entry(contender.spec.clone()).or_insert_with(|| {
                        contenders.push(contender);
                        contenders.len() - 1
                    })
                })
                .collect();
            let points = points(sweep, trace.as_ref())
                .map_err(|why| Failure::usage(format!("sweep `{}`: {why}", sweep.name)))?;
            sweeps.push(PlannedSweep { sweep: sweep.clone(), contenders: indices, points });
        }
        if sweeps.is_empty() {
            return Err(Failure::usage("no sweep of this experiment has any of these strategies"));
        }
        let mut plan = Self {
            name: experiment.name.clone(),
            seed,
            contenders,
            sweeps,
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
            for point in 0..planned.points.len() {
                tasks.extend((0..planned.sweep.replicates).map(|replicate| Task { sweep, point, replicate }));
            }
        }
        tasks
    }

    /// Line 1 of the exact lane's file.
    pub fn exact_header(&self) -> Header {
        let rows = self.tasks().iter().map(|task| self.sweeps[task.sweep].contenders.len() as u64).sum();
        self.header(Lane::Exact, rows)
    }

    /// Line 1 of a file with `rows` rows.
    pub fn header(&self, lane: Lane, rows: u64) -> Header {
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
            sweeps: self.sweeps.iter().map(|planned| describe(&planned.sweep)).collect(),
            groups: Vec::new(),
            contenders: self.contenders.iter().map(describe_contender).collect(),
            machine: (lane == Lane::Timed).then(provenance::machine),
        }
    }
}

/// The command without what changes nothing in the counts.
fn command(source: &str, seed: Seed, overrides: &Overrides<'_>, trace: Option<&scenario::Replay>) -> String {
    let mut command = format!("offerbench run {source}");
    if let (Some(_), Some(trace)) = (overrides.trace, trace) {
        command += &format!(" --trace {}", trace.file_name);
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

fn describe_contender(contender: &Contender) -> record::Contender {
    let profile = contender.profile();
    record::Contender {
        spec: contender.spec.clone(),
        strategy: contender.id.clone(),
        id_bits: profile.id_bits,
        keyed: profile.keyed,
        guarantee: profile.guarantee.as_str().to_owned(),
        oracle: profile.oracle,
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
    let mut points = Vec::new();
    for sets in &sets {
        for &window in &sweep.window {
            for &guess in &guesses {
                let point = Point { sets: sets.clone(), window, guess };
                if points.contains(&point) {
                    return Err(format!("the point {point:?} stands in the grid twice"));
                }
                points.push(point);
            }
        }
    }
    Ok(points)
}
