//! Experiments as data: what a TOML file says, and the files that ship with the tool.
//!
//! An experiment has sweeps. Each asks one question, says what its author expects, and varies one axis;
//! the other axes are held at the values given (several values make a grid).

use serde::{Deserialize, Serialize};

use offerbench_algos::{did_you_mean, suggest};
use offerbench_reports::record::Axis;

use crate::attack;
use crate::error::Failure;
use crate::group::sweep::GroupSweep;

/// Name and text of every experiment that ships.
pub const PRESETS: &[(&str, &str)] = &[
    ("quick", include_str!("../experiments/quick.toml")),
    ("m-growth", include_str!("../experiments/m-growth.toml")),
    ("difference", include_str!("../experiments/difference.toml")),
    ("similarity", include_str!("../experiments/similarity.toml")),
    ("decide", include_str!("../experiments/decide.toml")),
    ("window", include_str!("../experiments/window.toml")),
    ("sizing", include_str!("../experiments/sizing.toml")),
    ("trace", include_str!("../experiments/trace.toml")),
    ("chat-group", include_str!("../experiments/chat-group.toml")),
    ("n-size", include_str!("../experiments/n-size.toml")),
    ("k-factor", include_str!("../experiments/k-factor.toml")),
    ("offline", include_str!("../experiments/offline.toml")),
    ("catch-up", include_str!("../experiments/catch-up.toml")),
    ("duplicates", include_str!("../experiments/duplicates.toml")),
    ("acks", include_str!("../experiments/acks.toml")),
    ("relays", include_str!("../experiments/relays.toml")),
    ("idle", include_str!("../experiments/idle.toml")),
    ("links", include_str!("../experiments/links.toml")),
    ("join-storm", include_str!("../experiments/join-storm.toml")),
    ("store-sync", include_str!("../experiments/store-sync.toml")),
    ("radio", include_str!("../experiments/radio.toml")),
    ("replay", include_str!("../experiments/replay.toml")),
    ("dag", include_str!("../experiments/dag.toml")),
    ("hostile", include_str!("../experiments/hostile.toml")),
    ("salts", include_str!("../experiments/salts.toml")),
    ("smoke", include_str!("../experiments/smoke.toml")),
];

/// One experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Its name: the file's, without `.toml`.
    pub name: String,
    /// What it is for, in one line.
    pub about: String,
    /// Its parts: sessions of two members.
    #[serde(default, rename = "sweep", skip_serializing_if = "Vec::is_empty")]
    pub sweeps: Vec<Sweep>,
    /// Its parts: groups.
    #[serde(default, rename = "group", skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupSweep>,
}

/// Where the sets come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Workload {
    /// Made up, by pattern.
    #[default]
    Synthetic,
    /// A chat or git trace, cut at real absences of members.
    Trace,
}

/// One sweep, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Unique in the experiment.
    pub name: String,
    /// What it answers.
    pub question: String,
    /// What was expected before it ran.
    pub expectation: String,
    /// The x of its charts.
    pub axis: Axis,
    /// Specs (`riblt:bits=64`), or globs over preset specs (`iblt*`, `*`).
    #[serde(default = "everything")]
    pub strategies: Vec<String>,
    /// Where the sets come from.
    #[serde(default)]
    pub workload: Workload,
    /// Sizes of the union.
    #[serde(default)]
    pub m: Vec<u64>,
    /// Sizes of the symmetric difference.
    #[serde(default)]
    pub d: Vec<u64>,
    /// Shares of the union that both hold, instead of `d`.
    #[serde(default)]
    pub similarity: Vec<f64>,
    /// Difference patterns.
    #[serde(default = "scattered")]
    pub pattern: Vec<String>,
    /// Frames that an end may send without hearing from the other.
    #[serde(default = "lockstep")]
    pub window: Vec<u32>,
    /// Factors by which the hint of d is wrong; empty: the hint is right.
    #[serde(default)]
    pub guess: Vec<f64>,
    /// What a bad peer or author does; empty: everybody is honest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attack: Vec<attack::Kind>,
    /// Whether the victims of the attacks have their limits: a value, or both.
    #[serde(default = "capped", skip_serializing_if = "is_capped")]
    pub capped: Vec<bool>,
    /// How many absences of a trace are cut, spread over the quantiles of what was missed.
    #[serde(default)]
    pub absences: u32,
    /// Repetitions of each point with other sets.
    #[serde(default = "once")]
    pub replicates: u32,
    /// Whether its verified trials are timed too.
    #[serde(default)]
    pub timed: bool,
    /// What one trial may cost.
    #[serde(default)]
    pub budget: Budget,
}

/// What one trial may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Nominal CPU of a step, in milliseconds.
    pub cpu_ms: u64,
    /// Heap of a session, in MiB.
    pub heap_mib: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { cpu_ms: 2_000, heap_mib: 512 }
    }
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

fn scattered() -> Vec<String> {
    vec!["scattered".to_owned()]
}

fn lockstep() -> Vec<u32> {
    vec![1]
}

fn capped() -> Vec<bool> {
    vec![true]
}

fn is_capped(capped: &[bool]) -> bool {
    capped == [true]
}

fn once() -> u32 {
    1
}

impl Experiment {
    /// The shipped experiment of this name, or the file at this path.
    ///
    /// # Errors
    ///
    /// An unknown name, an unreadable file, or TOML that is no experiment: file, line, what was expected.
    pub fn load(name_or_path: &str) -> Result<Self, Failure> {
        if let Some((name, text)) = PRESETS.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(&format!("{name}.toml (built in)"), text);
        }
        let path = std::path::Path::new(name_or_path);
        if !name_or_path.ends_with(".toml") && !path.exists() {
            let names = || PRESETS.iter().map(|(name, _)| *name);
            let near = did_you_mean(&suggest(name_or_path, names()));
            return Err(Failure::usage(format!(
                "no experiment `{name_or_path}`{near}; shipped: {}; or give the path of a .toml file",
                names().collect::<Vec<_>>().join(", ")
            )));
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::io("read the experiment", path, &error))?;
        Self::parse(name_or_path, &text)
    }

    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// Names `file`, the line, and what was expected.
    pub fn parse(file: &str, text: &str) -> Result<Self, Failure> {
        let experiment: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let line = line.map_or_else(String::new, |line| format!(":{line}"));
            Failure::usage(format!("{file}{line}: {error}"))
        })?;
        experiment.check().map_err(|why| Failure::usage(format!("{file}: {why}")))?;
        Ok(experiment)
    }

    /// Names of all its sweeps.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let of_two = self.sweeps.iter().map(|sweep| sweep.name.as_str());
        of_two.chain(self.groups.iter().map(|sweep| sweep.name.as_str()))
    }

    /// The rules that the types cannot express.
    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(format!("name = {:?}: expected letters, digits and `-`", self.name));
        }
        if self.sweeps.is_empty() && self.groups.is_empty() {
            return Err("expected at least one [[sweep]] or [[group]]".to_owned());
        }
        let names: Vec<&str> = self.names().collect();
        if let Some((_, twice)) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            return Err(format!("two sweeps are named `{twice}`"));
        }
        for sweep in &self.sweeps {
            sweep.check().map_err(|why| format!("sweep `{}`: {why}", sweep.name))?;
        }
        for sweep in &self.groups {
            sweep.check().map_err(|why| format!("sweep `{}`: {why}", sweep.name))?;
        }
        Ok(())
    }
}

impl Sweep {
    fn check(&self) -> Result<(), String> {
        for (field, text) in [("question", &self.question), ("expectation", &self.expectation)] {
            if text.trim().is_empty() {
                return Err(format!("{field}: expected a sentence: a sweep without one answers nothing"));
            }
        }
        if self.replicates == 0 || self.window.contains(&0) {
            return Err("replicates and window: expected at least 1".to_owned());
        }
        let trace = self.workload == Workload::Trace;
        if trace != (self.axis == Axis::Absence) {
            return Err("axis = \"absence\" and workload = \"trace\" go together".to_owned());
        }
        if trace {
            if !(self.m.is_empty() && self.d.is_empty() && self.similarity.is_empty()) {
                return Err("m, d and similarity come from the trace: leave them out".to_owned());
            }
            return if self.absences == 0 { Err("absences: expected at least 1".to_owned()) } else { Ok(()) };
        }
        if self.m.is_empty() || self.pattern.is_empty() || self.window.is_empty() {
            return Err("m, pattern and window: expected at least one value each".to_owned());
        }
        if self.d.is_empty() == self.similarity.is_empty() {
            return Err("expected either d or similarity".to_owned());
        }
        if (self.axis == Axis::Similarity) == self.similarity.is_empty() {
            return Err("axis = \"similarity\" goes with similarity = [...]".to_owned());
        }
        if let Some(bad) = self.similarity.iter().find(|s| !(0.0..=1.0).contains(*s)) {
            return Err(format!("similarity {bad}: expected 0 to 1"));
        }
        if let Some(bad) = self.guess.iter().find(|g| !(g.is_finite() && **g > 0.0)) {
            return Err(format!("guess {bad}: expected a factor above 0"));
        }
        if (self.axis == Axis::Guess) == self.guess.is_empty() {
            return Err("axis = \"guess\" goes with guess = [...]".to_owned());
        }
        if (self.axis == Axis::Attack) == self.attack.is_empty() {
            return Err("axis = \"attack\" goes with attack = [...]".to_owned());
        }
        if self.attack.is_empty() && !is_capped(&self.capped) || self.capped.is_empty() {
            return Err("capped: goes with attack = [...], at least one value".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Overrides, Plan};
    use offerbench_algos::Seed;

    /// What ships parses, is named like its file, and lays out.
    #[test]
    fn shipped_experiments_are_sound() {
        for (name, _) in PRESETS {
            let experiment = Experiment::load(name).unwrap();
            assert_eq!(experiment.name, *name);
            let plan = Plan::new(&experiment, name, Seed::new(1), &Overrides::default()).unwrap();
            assert_eq!(plan.sweeps.len(), experiment.sweeps.len(), "{name}");
            // What replays a presence waits for one.
            assert_eq!(plan.groups.len() + plan.left_out.len(), experiment.groups.len(), "{name}");
            let expected: &[&str] = if *name == "replay" { &["recorded"] } else { &[] };
            assert_eq!(plan.left_out, expected, "{name}");
            assert!(plan.sweeps.iter().all(|sweep| !sweep.points.is_empty()), "{name}");
            assert!(plan.groups.iter().all(|sweep| !sweep.points.is_empty()), "{name}");
        }
    }

    /// A sweep of everything but one thing that is wrong.
    fn sweep(change: &str) -> Result<Experiment, String> {
        let mut text = String::from(
            "name = \"x\"\nabout = \"y\"\n[[sweep]]\nname = \"s\"\nquestion = \"Q?\"\nexpectation = \"E.\"\n",
        );
        text += change;
        Experiment::parse("x.toml", &text).map_err(|failure| failure.to_string())
    }

    #[test]
    fn contradictions_are_named() {
        assert!(sweep("axis = \"d\"\nm = [10]\nd = [1]").is_ok());
        for (text, part) in [
            ("axis = \"d\"\nm = [10]", "either d or similarity"),
            ("axis = \"d\"\nd = [1]", "at least one value"),
            ("axis = \"d\"\nm = [10]\nd = [1]\nwindow = [0]", "at least 1"),
            ("axis = \"similarity\"\nm = [10]\nd = [1]", "similarity"),
            ("axis = \"similarity\"\nm = [10]\nsimilarity = [1.5]", "0 to 1"),
            ("axis = \"guess\"\nm = [10]\nd = [1]", "guess"),
            ("axis = \"attack\"\nm = [10]\nd = [1]", "attack"),
            ("axis = \"d\"\nm = [10]\nd = [1]\nattack = [\"flood\"]", "attack"),
            ("axis = \"d\"\nm = [10]\nd = [1]\ncapped = [false]", "capped"),
            ("axis = \"attack\"\nm = [10]\nd = [1]\nattack = [\"rumour\"]", "x.toml:10"),
            ("axis = \"absence\"\nabsences = 1", "go together"),
            ("axis = \"absence\"\nworkload = \"trace\"\nabsences = 1\nm = [1]", "come from the trace"),
            ("axis = \"depth\"\nm = [10]\nd = [1]", "x.toml:7"),
            ("axis = \"d\"\nm = [10]\nd = [1]\ncolour = 3", "x.toml:10"),
        ] {
            let error = sweep(text).unwrap_err();
            assert!(error.contains(part), "{text:?} should say {part:?}: {error}");
        }
    }
}
