//! The record schema: what one line of `exact.jsonl` or `timed.jsonl` says.
//!
//! A file is JSON lines. Line 1 is a [`Header`], every further line one row. Counts (the same bytes on every
//! machine and with any number of threads) and CPU times (of one machine, which the header names) stand apart:
//!
//! | lane | row | a row is |
//! | --- | --- | --- |
//! | `exact` | [`ExactRow`] | a session of two members, counted |
//! | `timed` | [`TimedRow`] | the same, timed |
//! | `group` | [`GroupRow`] | a stretch of a group's life, counted |
//! | `cpu` | [`CpuRow`] | the same, timed |
//! | `peers` | [`PeerRow`] | a kernel beside another implementation of the same |
//!
//! Failed trials are rows like any other.
//!
//! Unknown fields are refused: a file of a later schema must not be read as if it were an older one.
//! Strategies are strings here, so that old files still render after a strategy is gone.

mod flow;
mod group;
mod hist;
mod peer;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use flow::{Burst, Link};
pub use group::{CpuRow, GroupAxis, GroupOutcome, GroupRow, GroupSweep, Kinds, Spread};
pub use hist::{Hist, VALUE_MAX};
pub use peer::{Asked, Manner, PeerRow, SizeOf, State, Unit};

/// The version of this schema. It rises with every change that an older reader would misread.
pub const SCHEMA: u32 = 1;

/// Which of the files this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Counts, verified against the truth, run in parallel.
    Exact,
    /// CPU times, one scenario at a time, only of scenarios that the exact lane verified.
    Timed,
    /// Counts of group trials, checked while they ran, run in parallel.
    Group,
    /// CPU times of the same trials, taken while they ran.
    Cpu,
    /// Kernels beside other implementations of the same, timed in turns.
    Peers,
}

/// Line 1 of a file: all that its rows have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The lane, and the mark by which a record file is known.
    pub offerbench: Lane,
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// Hash of the experiment as it ran, overrides included: equal hashes mean equal questions.
    pub spec_hash: String,
    /// The root seed.
    pub seed: u64,
    /// Commit of the tool's sources, or `unknown` outside a checkout.
    pub commit: String,
    /// Whether the sources differed from that commit.
    pub dirty: bool,
    /// The command that makes this file again (without threads and paths, which change nothing in it).
    pub command: String,
    /// How many rows a complete file holds.
    pub rows: u64,
    /// The parts of the experiment that run sessions of two members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sweeps: Vec<Sweep>,
    /// The parts of the experiment that run groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupSweep>,
    /// What the contenders are, one entry for each distinct `spec` of the rows.
    pub contenders: Vec<Contender>,
    /// Links on which the sessions' completion is computed. Lanes of sessions only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The machine. Lanes of CPU times and of peers only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
}

impl Header {
    /// In what two headers of one experiment ask another question: `spec_hash`, `seed`, or nothing.
    pub fn other_question(&self, other: &Self) -> Option<&'static str> {
        match () {
            () if self.spec_hash != other.spec_hash => Some("spec_hash"),
            () if self.seed != other.seed => Some("seed"),
            () => None,
        }
    }
}

/// One sweep of an experiment: a question, and the axis along which it is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Unique within the experiment.
    pub name: String,
    /// What the sweep answers.
    pub question: String,
    /// What its author expected before it ran.
    pub expectation: String,
    /// The axis that varies.
    pub axis: Axis,
    /// Nominal CPU that one trial may use, in milliseconds; above, the strategy gives up.
    pub cpu_ms_max: u64,
    /// Heap that one trial may use, in bytes; above, the strategy gives up.
    pub heap_bytes_max: u64,
}

/// What varies along a sweep; the x of its charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Axis {
    /// Messages in the group's set: `m`.
    M,
    /// Size of the symmetric difference: `d`.
    D,
    /// Share of the union that both hold: 1 - d/m, drawn from `m` and `d`.
    Similarity,
    /// Frames a sender may have under way: `window`.
    Window,
    /// Factor by which the hint of d is wrong: `guess`.
    Guess,
    /// Shape of the difference: `pattern`.
    Pattern,
    /// Length of an absence in a trace: `absence_ms`.
    Absence,
    /// What a bad peer or author does: `attack`.
    Attack,
}

/// A strategy with its parameters, described for the reader of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contender {
    /// Strategy with all its parameters, as in the rows: `iblt:bits=64,check=32,k=4,size=tow`.
    pub spec: String,
    /// Registry id of the strategy: `iblt`.
    pub strategy: String,
    /// Bits of the id by which an item is named in sketches and lists; 0 when it depends on the sets' sizes.
    pub id_bits: u32,
    /// Whether ids are hashed with a key that is fresh for the session.
    pub keyed: bool,
    /// What a finished session promises: `exact`, or what it may miss.
    pub guarantee: String,
    /// True when it is told d: a bound to compare with, not something that can be deployed.
    pub oracle: bool,
    /// How many parameters a specification must fix for it; 0 when unknown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parameters: u32,
    /// Lines of code of the strategy's own sources, without tests, comments and blank lines, and without what
    /// it shares with other strategies; 0 when unknown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub code_lines: u32,
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// The machine that timed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Processor model.
    pub cpu: String,
    /// Logical processors that the process may use.
    pub cores: u32,
    /// Frequency governor, or `unknown`.
    pub governor: String,
    /// Operating system and architecture.
    pub os: String,
    /// Compiler.
    pub rustc: String,
    /// Build profile and target features that matter for kernels.
    pub flags: String,
    /// How strategies with kernels of several forms computed, by strategy; empty in files from before it was noted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kernels: BTreeMap<String, String>,
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Findings equal the truth, at the first try.
    Exact,
    /// Findings equal the truth, after a counted number of retries or a fall-back.
    Recovered,
    /// The strategy says itself that it did not finish, or missed what it declares that it may miss.
    GaveUp,
    /// An invented item, or a missed one that the strategy claims it cannot miss. Fails the run.
    Wrong,
}

/// Who attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attacker {
    /// The end that opens the session: its bytes are `up`.
    Initiator,
    /// The end that answers: its bytes are `down`.
    Responder,
    /// Somebody who wrote messages; both ends are honest.
    Author,
}

/// What a bad peer or author does in a trial.
///
/// Where a peer attacks, the row's bytes are those until it fell silent, of all its sessions together, its heap is
/// the victim's alone, and m and d are of the victim's set and the one that the attacker claims to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// Name of the attack.
    pub name: String,
    /// Whether the victim had its budget and a window; otherwise nothing stopped it.
    pub capped: bool,
    /// Who attacks.
    pub attacker: Attacker,
    /// Messages that an author crafted.
    #[serde(default, skip_serializing_if = "is_nil")]
    pub crafted: u64,
    /// Hashes that it tried for them.
    #[serde(default, skip_serializing_if = "is_nil")]
    pub hashes: u64,
}

fn is_nil(value: &u64) -> bool {
    *value == 0
}

/// Bytes of one direction, by purpose. Their sum is every byte that crossed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bytes {
    /// Salts.
    pub salt: u64,
    /// Estimators of d.
    pub estimator: u64,
    /// Filters, tables, sketches, coded symbols, fingerprints with their bounds.
    pub sketch: u64,
    /// Ids in lists that advertise items.
    pub ids: u64,
    /// Ids or ranks that ask for items.
    pub request: u64,
    /// Tags, lengths, counts, end checks, verdicts.
    pub control: u64,
    /// Everything that was sent after the first failed decode or end check.
    pub retry: u64,
    /// Frames that arrived after their receiver was done.
    pub overshoot: u64,
}

impl Bytes {
    /// Name and value of each purpose, in the order in which charts stack them.
    pub fn parts(&self) -> [(&'static str, u64); 8] {
        [
            ("salt", self.salt),
            ("estimator", self.estimator),
            ("sketch", self.sketch),
            ("ids", self.ids),
            ("request", self.request),
            ("control", self.control),
            ("retry", self.retry),
            ("overshoot", self.overshoot),
        ]
    }

    /// Every byte of this direction.
    pub fn total(&self) -> u64 {
        self.parts().iter().fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }
}

/// One trial of the exact lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExactRow {
    /// Name of the sweep.
    pub sweep: String,
    /// Index of the point in its sweep's grid.
    pub point: u32,
    /// Index of the repetition of this point.
    pub replicate: u32,
    /// Seed of the scenario. It leaves out the strategy: all contenders meet the same sets.
    pub seed: u64,
    /// Strategy with all its parameters; described in [`Header::contenders`].
    pub spec: String,
    /// `synthetic`, or the name of a trace.
    pub workload: String,
    /// Difference pattern: `scattered`, `recent`, …, or `absence` for a cut trace.
    pub pattern: String,
    /// Items in the union of both sets.
    pub m: u64,
    /// Members in the group; 2 in two-party experiments.
    pub n: u32,
    /// Other members each shares with; 1 in two-party experiments.
    pub k: u32,
    /// Items in the symmetric difference.
    pub d: u64,
    /// Items that only the initiator holds.
    pub d_initiator: u64,
    /// Items that only the responder holds.
    pub d_responder: u64,
    /// At how many places of the union, in order of time, the sets differ; none in files from before this was counted,
    /// and of sets that an author prepared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stretches: Option<u64>,
    /// Frames that an end may send without hearing from the other.
    pub window: u32,
    /// Factor by which the hint of d was wrong; only where the sweep gives hints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guess: Option<f64>,
    /// How long the initiator was away, in milliseconds of the trace's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absence_ms: Option<u64>,
    /// What a bad peer or author did; only in sweeps over attacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<Attack>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, when it did not end `exact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Attempts at the whole reconciliation: 1 plus retries and fall-backs.
    pub tries: u32,
    /// Differing items that nobody found.
    pub missed: u64,
    /// Found items that do not differ.
    pub invented: u64,
    /// Bytes from initiator to responder.
    pub up: Bytes,
    /// Bytes from responder to initiator.
    pub down: Bytes,
    /// Frames from initiator to responder.
    pub frames_up: u64,
    /// Frames from responder to initiator.
    pub frames_down: u64,
    /// Frames of both directions that arrived after their receiver was done.
    pub frames_overshoot: u64,
    /// Depth of the longest causal chain of frames; two flights are a round trip.
    pub flights: u32,
    /// What the initiator sent and waited for; none in files from before this was counted, and of sessions that broke
    /// off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flow_up: Vec<Burst>,
    /// What the responder sent and waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flow_down: Vec<Burst>,
    /// Sketches, tables or streams that an end tried to decode.
    pub decode_attempts: u64,
    /// Attempts that did not decode.
    pub decode_failures: u64,
    /// The strategy's own estimate of d, before inflation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<u64>,
    /// Cells of the first table, or capacity of the first sketch, where the strategy had to choose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
    /// Peak heap of both sessions together beyond the indexes, in bytes.
    pub heap_peak_bytes: u64,
    /// Heap of the initiator's index, in bytes.
    pub index_heap_bytes: u64,
}

impl ExactRow {
    /// Every byte both ways.
    pub fn bytes_total(&self) -> u64 {
        self.up.total().saturating_add(self.down.total())
    }

    /// Whether both ends ended with the truth.
    pub fn succeeded(&self) -> bool {
        matches!(self.outcome, Outcome::Exact | Outcome::Recovered)
    }
}

/// What a timed row timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Timed {
    /// Building the initiator's index from its whole set.
    Build,
    /// Inserting one item into a built index.
    Insert,
    /// A whole session, both ends together, from built indexes.
    Session,
    /// What a victim does in all sessions of an attack, from built indexes; the attacker's part is not in it.
    Victim,
    /// A session that sends one empty frame: what the harness itself costs. `spec` is `empty`.
    Empty,
}

/// One timed scenario: all its samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimedRow {
    /// Name of the sweep.
    pub sweep: String,
    /// Index of the point in its sweep's grid.
    pub point: u32,
    /// Seed of the scenario, that of the exact lane's replicate 0.
    pub seed: u64,
    /// Strategy with all its parameters.
    pub spec: String,
    /// What was timed.
    pub timed: Timed,
    /// Items in the union of both sets.
    pub m: u64,
    /// Items in the set that was indexed.
    pub n_items: u64,
    /// Items in the symmetric difference.
    pub d: u64,
    /// How often the timed thing ran within one sample.
    pub batch: u32,
    /// Thread CPU time of each sample, in nanoseconds, for `batch` runs together.
    pub samples_ns: Vec<u64>,
}
