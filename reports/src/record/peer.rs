//! Rows of a file `peers.jsonl`: a kernel of ours beside somebody else's, on the same sets in the same run.

use serde::{Deserialize, Serialize};

/// One cell: what both did, verified first, then measured in turns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerRow {
    /// Family of kernels: `pinsketch`, `riblt`, …
    pub kernel: String,
    /// What both did: `encode`, `decode`, `session`, …, with what sets it apart from others of that name.
    pub operation: String,
    /// Who stands beside ours: a crate, or another way of our own.
    pub peer: String,
    /// Its version; empty where it is our own code.
    pub peer_version: String,
    /// Items of one set.
    pub n: u64,
    /// What else sizes the work; absent where `n` says it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_of: Option<SizeOf>,
    /// How large that is; 0 without it.
    #[serde(default, skip_serializing_if = "is_nil")]
    pub size: u64,
    /// How the work is handed over.
    pub manner: Manner,
    /// What stood ready beforehand.
    pub state: State,
    /// The path on which ours ran, by the name that it gives itself: `avx2`, `portable`, …
    pub path: String,
    /// Of what the figures are.
    pub unit: Unit,
    /// Figures are for one of these: `item`, `session`, `difference`.
    pub per: String,
    /// What was asked of this cell, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Ours, one figure a round.
    pub ours: Vec<f64>,
    /// The peer's in the same rounds.
    pub theirs: Vec<f64>,
}

impl PeerRow {
    /// What tells this cell from all others.
    pub fn cell(&self) -> impl Ord + use<> {
        let names = [&self.kernel, &self.operation, &self.peer, &self.per].map(String::clone);
        (names, self.n, self.size_of, self.size, self.manner, self.state, self.unit)
    }
}

fn is_nil(value: &u64) -> bool {
    *value == 0
}

/// What [`PeerRow::size`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SizeOf {
    /// Differences that a sketch can hold.
    Capacity,
    /// Coded symbols.
    Symbols,
    /// Items in the symmetric difference.
    Difference,
}

/// How the work is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manner {
    /// All items in one call, where the implementation has one.
    Batch,
    /// One item a call.
    Single,
    /// Both ends of a session, message by message.
    Session,
}

/// What stood ready before the clock ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The sets alone.
    Cold,
    /// What an index maintains between sessions.
    Warm,
}

/// Of what a row's figures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Nanoseconds of the thread's CPU time.
    Ns,
    /// Bytes on the wire.
    Bytes,
}

/// A figure to reach. Ratios are theirs over ours: above 1 ours is the cheaper.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// The ratio.
    RatioAtLeast(f64),
    /// Our figure, whatever theirs is.
    OursAtMost(f64),
}
