//! Rows of group trials: what a whole group paid and waited for, in a stretch of simulated life.
//!
//! A group file is a file of records like the others, of lane `group`; the CPU times of its trials stand in a
//! file of lane `cpu`, since they are not the same on every machine.

use serde::{Deserialize, Serialize};

use super::{Bytes, Hist};

/// One sweep over groups: a question, and the axis along which it is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSweep {
    /// Unique within the experiment.
    pub name: String,
    /// What the sweep answers.
    pub question: String,
    /// What its author expected before it ran.
    pub expectation: String,
    /// The axis that varies.
    pub axis: GroupAxis,
}

/// What varies along a sweep over groups; the x of its charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupAxis {
    /// Members: `n`.
    N,
    /// Other members that each shares with: `k`.
    K,
    /// Messages in the group's set at the end: `m`.
    M,
    /// Messages that everybody held at the beginning: `history`.
    History,
    /// Share of the time that members are online: `uptime_ppm`.
    Uptime,
    /// How long the members who return were away: `away_ms`.
    Away,
    /// Rule by which members choose whom to share with: `sharing`.
    Sharing,
    /// What becomes of what the peer lacks, and whether asking is coordinated: `mode`.
    Mode,
    /// How receipt is confirmed: `acks`.
    Acks,
    /// What links are like: `link`.
    Link,
    /// Who writes and who is online: `workload` and `presence`.
    Life,
}

/// How a group trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupOutcome {
    /// Everybody has every message.
    Complete,
    /// When the time was over, somebody lacked something: as is usual where members are offline.
    Partial,
    /// Something happened that must never happen: a message invented, delivered twice, out of causal order, a
    /// byte not accounted for. Fails the run.
    Wrong,
}

/// Numbers by kind of record, of everything that all members sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kinds {
    /// Headers, one a payload.
    pub header: u64,
    /// ACKs of all forms.
    pub ack: u64,
    /// OFFERs.
    pub offer: u64,
    /// REQUESTs.
    pub request: u64,
    /// MESSAGEs: what they take beside their bodies.
    pub message: u64,
    /// Bodies of messages.
    pub body: u64,
    /// Frames of reconciliation sessions.
    pub frame: u64,
    /// What carries the frames: numbers, acknowledgements, ends.
    pub channel: u64,
}

impl Kinds {
    /// Name and value of each kind, in the order in which charts stack them.
    pub fn parts(&self) -> [(&'static str, u64); 8] {
        [
            ("header", self.header),
            ("ack", self.ack),
            ("offer", self.offer),
            ("request", self.request),
            ("message", self.message),
            ("body", self.body),
            ("frame", self.frame),
            ("channel", self.channel),
        ]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.parts().iter().fold(0, |sum, (_, value)| sum.saturating_add(*value))
    }

    /// All but the bodies: what finding out and confirming costs.
    pub fn overhead(&self) -> u64 {
        self.total() - self.body
    }
}

/// How something is spread over the members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The least.
    pub min: u64,
    /// The median.
    pub p50: u64,
    /// Nine tenths have at most this.
    pub p90: u64,
    /// The most.
    pub max: u64,
    /// All of them together.
    pub sum: u64,
}

/// One group trial of the exact lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRow {
    /// Name of the sweep.
    pub sweep: String,
    /// Index of the point in its sweep's grid.
    pub point: u32,
    /// Index of the repetition of this point.
    pub replicate: u32,
    /// Seed of the scenario. It leaves out the OFFER path: all contenders live the same life.
    pub seed: u64,
    /// The OFFER path: `batch`, `interactive`, or a strategy with all its parameters; described in
    /// [`Header::contenders`](super::Header::contenders).
    pub spec: String,
    /// Who writes when: `even`, `busy`, `small`, or the name of a trace.
    pub workload: String,
    /// Who is online when: `always`, `alternating`, `phones`, …, or the name of a presence trace.
    pub presence: String,
    /// Rule by which members choose whom to share with: `random:k=3`.
    pub sharing: String,
    /// What becomes of what the peer lacks (`offer`, `push`), and `-uncoordinated` if a message that was asked of
    /// one peer is asked of others too.
    pub mode: String,
    /// How receipt is confirmed.
    pub acks: String,
    /// Profile of the links.
    pub link: String,
    /// Members.
    pub n: u32,
    /// Nodes beside them that are always online and hold ids and sealed bodies for them.
    pub relays: u32,
    /// Others, relays among them, that each member chooses to share with; all of them where all share with all.
    pub k: u32,
    /// Pairs that share. Sharing is mutual, so there may be up to n·k.
    pub links: u64,
    /// Whether these pairs connect everybody.
    pub connected: bool,
    /// Members, in millionths, from whom everybody would be reached if each passed on only to those it chose
    /// itself. None where members do not choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_way_reach_ppm: Option<u32>,
    /// Messages that everybody held at the beginning.
    pub history: u64,
    /// Messages that were written.
    pub written: u64,
    /// Messages in the group's set at the end: both of these.
    pub m: u64,
    /// Virtual time that the trial took, in milliseconds.
    pub duration_ms: u64,
    /// Share of the time that members were online, in millionths.
    pub uptime_ppm: u32,
    /// How long the members who return were away, in milliseconds; only where the sweep sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away_ms: Option<u64>,
    /// How it ended.
    pub outcome: GroupOutcome,
    /// What went wrong, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Deliveries that were due: of each message written, to each member but its author; and of the history, to those
    /// who lacked it.
    pub needed: u64,
    /// Those of the history among them.
    pub lacked: u64,
    /// Deliveries that took place.
    pub delivered: u64,
    /// Deliveries that could have taken place at all, in millionths of those due: if whoever shares and is online
    /// together had passed everything on at once. By a sample of the messages written.
    pub possible_ppm: u32,
    /// Messages that every member has.
    pub reached_all: u64,
    /// Messages that arrived where they were held already.
    pub redundant: u64,
    /// Bytes of their bodies.
    pub redundant_bytes: u64,
    /// Records sent for the second time or later.
    pub resends: u64,
    /// Bytes that all members sent, by kind of record. Their sum is every byte of every payload.
    pub sent_bytes: Kinds,
    /// Records that all members sent, by kind; `body` is 0, and `frame` counts frames.
    pub sent_count: Kinds,
    /// Bytes of frames by their purpose, each frame once: what the channel sent again is in
    /// [`GroupRow::sent_bytes`] only.
    pub frames: Bytes,
    /// Payloads sent.
    pub payloads: u64,
    /// Payloads that did not arrive.
    pub lost: u64,
    /// Bytes of payloads with the packet overhead of the links.
    pub wire_bytes: u64,
    /// Bytes of payloads that each member sent and received.
    pub member_bytes: Spread,
    /// The same, of each relay.
    pub relay_bytes: Spread,
    /// Sessions begun.
    pub sessions_opened: u64,
    /// Sessions that ended with a result, each counted at the end that began it.
    pub sessions_done: u64,
    /// Sessions that ended without one, likewise.
    pub sessions_failed: u64,
    /// Flights of the sessions with a result, as the end that began them saw them.
    pub flights: u64,
    /// The most of one session.
    pub flights_max: u64,
    /// Milliseconds from writing to delivery; one value a delivery of what was written, none for history.
    pub delivery_ms: Hist,
    /// Messages that a member lacked when it came online, of those that its online peers held; one value a return,
    /// zeros included. Where the sweep says how long members were away ([`GroupRow::away_ms`]): of their returns
    /// alone.
    pub missed: Hist,
    /// Milliseconds from coming online until it held all of these; one value a return with something missed.
    pub catch_up_ms: Hist,
    /// Returns with something missed that ended before it was all there.
    pub catch_ups_cut: u64,
    /// Peak heap of the whole simulated group, in bytes.
    pub heap_peak_bytes: u64,
    /// What a node keeps of its peers and of its set, the strategy's index included and bodies left out, in bytes, at
    /// the end.
    pub state_bytes: Spread,
}

impl GroupRow {
    /// Bytes that a member sends and receives in a day, on average.
    pub fn member_day_bytes(&self) -> f64 {
        self.member_bytes.sum as f64 / f64::from(self.n.max(1)) / self.days()
    }

    /// Days of virtual time.
    pub fn days(&self) -> f64 {
        self.duration_ms.max(1) as f64 / 86_400_000.0
    }
}

/// The CPU time of one group trial: nodes and the world around them, on one thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CpuRow {
    /// Name of the sweep.
    pub sweep: String,
    /// Index of the point in its sweep's grid.
    pub point: u32,
    /// Index of the repetition of this point.
    pub replicate: u32,
    /// The OFFER path.
    pub spec: String,
    /// Thread CPU time of the whole trial, in nanoseconds, while other trials may have run beside it.
    pub cpu_ns: u64,
}
