//! Scenarios: the two sets that meet, and the truth about them.
//!
//! The seed of a scenario leaves out the strategy, and the sets leave out window and guess: every contender
//! at every point meets the same sets (paired comparison).

use std::fs;
use std::path::Path;

use offerbench_algos::{Item, Lasting, Seed, Truth};
use offerbench_datasets::life::{Replay as Stretch, Window, replay};
use offerbench_datasets::{
    Absence, By, Files, Message, Pair, Presence, Trace, absences, at_quantiles, pair_at, synthetic,
};
use sha2::{Digest, Sha256};

use crate::attack::Ground;
use crate::error::Failure;
use crate::plan::{Plan, Point, Sets, Task};

/// A member's absence that a trace is cut at.
pub type Cut = Absence;

/// The trace that is replayed when the user names none.
const BUILT_IN: (&str, &[u8]) =
    ("irc-ubuntu-medium", include_bytes!("../../datasets/traces/irc-ubuntu-medium.jsonl.gz"));

/// A trace, ready to be cut.
pub struct Replay {
    /// Name of the file, without its folder: what a command line can repeat elsewhere.
    pub file_name: String,
    /// SHA-256 of the file.
    pub hash: [u8; 32],
    /// The trace.
    pub trace: Trace,
    /// Who was online in it, and the name of that file.
    pub presence: Option<(String, Presence)>,
}

impl Replay {
    /// Reads a trace file, and perhaps the presence of its group.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is no trace, or two that are not of one group: file, line, what was expected.
    pub fn read(path: &Path, presence: Option<&Path>) -> Result<Self, Failure> {
        let bytes = fs::read(path).map_err(|error| Failure::io("read the trace", path, &error))?;
        let file = path.display().to_string();
        let mut replay = Self::parse(&file, &file_name(path), &bytes)?;
        if let Some(path) = presence {
            let bytes = fs::read(path).map_err(|error| Failure::io("read the presence", path, &error))?;
            let (presence_file, trace_file) = (path.display().to_string(), file.clone());
            let presence = Presence::from_reader(&bytes[..], &presence_file).map_err(Failure::usage)?;
            let files = Files { trace: &trace_file, presence: &presence_file };
            presence.check(&replay.trace, files).map_err(Failure::usage)?;
            let mut hash = Sha256::new_with_prefix(replay.hash);
            hash.update(&bytes);
            replay.hash = hash.finalize().into();
            replay.presence = Some((file_name(path), presence));
        }
        Ok(replay)
    }

    /// The trace that ships with the tool.
    ///
    /// # Errors
    ///
    /// None in practice: a test reads it.
    pub fn built_in() -> Result<Self, Failure> {
        Self::parse(BUILT_IN.0, BUILT_IN.0, BUILT_IN.1)
    }

    fn parse(file: &str, file_name: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let trace = Trace::from_reader(bytes, file).map_err(Failure::usage)?;
        Ok(Self {
            file_name: file_name.to_owned(),
            hash: Sha256::digest(bytes).into(),
            trace,
            presence: None,
        })
    }

    /// A stretch of the trace as a life, from this moment of its axis on, or the busiest of this length. Who is
    /// online is taken from the presence file, or left open.
    ///
    /// # Errors
    ///
    /// A stretch without a message.
    pub fn stretch(
        &self,
        from_ms: Option<u64>,
        duration_ms: u64,
        presence: bool,
        causal: bool,
    ) -> Result<Stretch, Failure> {
        let window = match from_ms {
            Some(from_ms) => Window { from_ms, duration_ms: Some(duration_ms) },
            None => Window::busiest(&self.trace, duration_ms),
        };
        let presence = self.presence.as_ref().filter(|_| presence).map(|(_, presence)| presence);
        replay(&self.trace, presence, &window, causal).map_err(Failure::usage)
    }

    /// Up to `count` absences, spread over the quantiles of what was missed, the largest last.
    ///
    /// Most absences miss little and few miss very much, so the quantiles crowd towards the top: each step
    /// leaves two thirds of what is above, and the last is the maximum. Ties are taken once.
    ///
    /// # Errors
    ///
    /// When nobody in the trace was ever away while others wrote.
    pub fn cuts(&self, count: u32) -> Result<Vec<Cut>, String> {
        let mut away = absences(&self.trace);
        away.retain(|absence| absence.missed > 0);
        let mut above = 1.0;
        let mut quantiles = Vec::new();
        for _ in 1..count {
            quantiles.push(1.0 - above);
            above *= 2.0 / 3.0;
        }
        quantiles.push(1.0);
        let mut cuts = at_quantiles(&away, By::Missed, &quantiles)
            .map_err(|error| format!("trace {}: {error}", self.file_name))?;
        cuts.dedup();
        Ok(cuts)
    }

    fn messages(&self, seed: Seed) -> Vec<Message> {
        self.trace.messages(seed.child("trace"))
    }
}

/// The name of a file without its folder.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Two sets that meet.
pub struct Scenario {
    /// Seed of everything that is drawn in it.
    pub seed: Seed,
    /// `synthetic`, or the name of a trace.
    pub workload: String,
    /// Name of the pattern, or `absence`.
    pub pattern: String,
    /// What the initiator holds.
    pub initiator: Vec<Item>,
    /// What the responder holds.
    pub responder: Vec<Item>,
    /// What differs.
    pub truth: Truth,
    /// At how many places of the union, in order of time, the sets differ; none once an author prepared them.
    pub stretches: Option<u64>,
    /// How long the initiator was away.
    pub absence_ms: Option<u64>,
    /// What an attacking author did for it.
    pub ground: Ground,
}

impl Scenario {
    /// Makes the sets of a task.
    ///
    /// # Errors
    ///
    /// A point that contradicts itself, or a trace that holds a message twice.
    pub fn new(plan: &Plan, task: Task) -> Result<Self, Failure> {
        let point = &plan.sweeps[task.sweep].points[task.point];
        let root = plan.seed.child("scenario");
        let honest = Self::honest(plan, task, point, root)?;
        let Some(attack) = point.attack else { return Ok(honest) };
        let (mut scenario, ground) = attack.kind.arrange(honest);
        scenario.ground = ground;
        scenario.stretches = None;
        Ok(scenario)
    }

    fn honest(plan: &Plan, task: Task, point: &Point, root: Seed) -> Result<Self, Failure> {
        match (&point.sets, &plan.trace) {
            (Sets::Synthetic { m, d, pattern }, _) => {
                let seed = root.child(&format!("{m}/{d}/{pattern}")).nth(task.replicate.into());
                let pair = synthetic::pair(*m, *d, *pattern, seed.child("sets")).map_err(Failure::usage)?;
                Ok(Self::of(pair, seed, "synthetic", &pattern.to_string(), None))
            }
            (Sets::Absence(cut), Some(replay)) => {
                let name = &replay.trace.header().name;
                let seed = root.child(name).nth(cut.end_index.into()).nth(task.replicate.into());
                // Whoever returns to a chat usually has something to say.
                let pair = pair_at(&replay.messages(plan.seed), cut, 1).map_err(Failure::usage)?;
                Ok(Self::of(pair, seed, name, "absence", Some(cut.length_ms())))
            }
            (Sets::Absence(_), None) => unreachable!("a plan with absences has a trace"),
        }
    }

    fn of(pair: Pair, seed: Seed, workload: &str, pattern: &str, absence_ms: Option<u64>) -> Self {
        let truth = Truth::of(&pair.initiator, &pair.responder);
        assert_eq!(truth.d(), pair.d(), "the workload's own count of d is wrong");
        Self {
            seed,
            workload: workload.to_owned(),
            pattern: pattern.to_owned(),
            initiator: pair.initiator,
            responder: pair.responder,
            truth,
            stretches: Some(pair.stretches),
            absence_ms,
            ground: Ground::default(),
        }
    }

    /// What the two ends agreed on before they met, whatever the strategy.
    pub fn lasting(&self) -> Lasting {
        Lasting::of(self.seed)
    }

    /// Items in the union.
    pub fn m(&self) -> u64 {
        (self.initiator.len() + self.truth.only(1).len()) as u64
    }
}
