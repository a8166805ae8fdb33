//! The first line of a trace of format `chat-trace/1`.

use serde::{Deserialize, Serialize};

/// The name of the format, as headers write it.
pub const FORMAT: &str = "chat-trace/1";

/// Where the messages come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Messages of a conversation; times do not decrease.
    Chat,
    /// Commits of a repository; parents come first, times are each committer's own.
    Git,
}

/// For which records `parents` mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Annotated {
    /// All.
    All,
    /// Those that `segments` tell.
    Partial,
    /// None: parents are empty.
    None,
}

/// One of the windows from which a trace was stitched together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Index of its first message.
    pub first: u64,
    /// How many messages it has.
    pub n: u64,
    /// Index of its first message with annotated parents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotated_from: Option<u64>,
    /// Its date or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Hours on the clock of its source: 12 or 24.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<u8>,
}

/// What a trace says of itself. Fields that it does not know are ignored and not written again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub(crate) format: String,
    /// Name of the trace: the file name without its ending.
    pub name: String,
    /// Where the messages come from.
    pub kind: Kind,
    /// Where the trace was taken from.
    pub source: String,
    /// Under what terms.
    pub license: String,
    /// Whom to credit, kept with every copy.
    pub attribution: String,
    /// What a reader of the trace should know.
    pub note: String,
    /// How many authors.
    pub authors: u64,
    /// How many messages.
    pub messages: u64,
    /// How many parents in all records together.
    pub edges: u64,
    /// Sum of all sizes.
    pub bytes: u64,
    /// Time of the last message, in seconds since the start.
    pub duration_s: f64,
    /// Resolution of the source's clock: 60 if it has no seconds.
    pub time_resolution_s: f64,
    /// Whether times never decrease from record to record.
    pub monotone: bool,
    /// For which records parents mean something.
    pub annotated: Annotated,
    /// The windows from which the trace was stitched, if it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
    /// Clock of t = 0, in seconds after midnight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t0_clock_s: Option<f64>,
    /// Day of t = 0, Monday is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t0_weekday: Option<u8>,
    /// How many annotated edges were left out because they left the trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges_dropped: Option<u64>,
    /// Whether sizes are known; if not, all are 0.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub sizes: bool,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_yes(known: &bool) -> bool {
    *known
}

/// What the maker of a trace must say of it; everything else in a [`Header`] is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// See [`Header::name`].
    pub name: String,
    /// See [`Header::kind`].
    pub kind: Kind,
    /// See [`Header::source`].
    pub source: String,
    /// See [`Header::license`].
    pub license: String,
    /// See [`Header::attribution`].
    pub attribution: String,
    /// See [`Header::note`].
    pub note: String,
    /// See [`Header::time_resolution_s`].
    pub time_resolution_s: f64,
    /// See [`Header::sizes`].
    pub sizes: bool,
    /// See [`Header::annotated`]. Without any edge the header says `none`, whatever is said here.
    pub annotated: Annotated,
}
