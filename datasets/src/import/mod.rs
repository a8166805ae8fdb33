//! Makes traces from what is at hand: a repository's history, an IRC log, an export of messages.
//!
//! Every importer reads a local file, keeps times, sizes and edges, replaces authors by numbers in the order
//! of their first appearance, and forgets their names and texts. What it could not use it counts: look at
//! [`Imported::skipped`] before you believe a trace.

mod csv;
mod error;
mod git;
mod irc;
mod irc_event;
mod irc_line;
mod jsonl;
mod presence;
mod rows;
mod time;

use std::collections::BTreeMap;
use std::io::Write;

pub use csv::{CsvOptions, import_csv};
pub use error::{ImportError, RowFault};
pub use git::{GitOptions, GitTime, import_git};
pub use irc::{Clock, IrcOptions, import_irc};
pub use jsonl::{JsonlOptions, import_jsonl};
pub use rows::{Columns, Size};
pub use time::TimeFormat;

use crate::{About, Annotated, Kind, Trace, TraceBuilder};

/// What an importer cannot know and writes into the header, and how it writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Name of the trace: its file name without the ending. It is part of what item ids are made from.
    pub name: String,
    /// Where the messages were taken from, such as an address.
    pub source: String,
    /// Under what terms.
    pub license: String,
    /// Whom to credit.
    pub attribution: String,
    /// Whether to compress the trace.
    pub gzip: bool,
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Messages in the trace.
    pub messages: u64,
    /// Authors in the trace.
    pub authors: u64,
    /// Edges in the trace.
    pub edges: u64,
    /// Lines or rows that could not be understood, or that have no time or no author.
    pub skipped: u64,
    /// Number of the first of these in the file, from 1.
    pub skipped_first: Option<u64>,
    /// Lines that were understood and are no messages, such as joins.
    pub notices: u64,
    /// Edges left out because their end is not in the trace, or is later than their start.
    pub edges_dropped: u64,
    /// Stretches of members online, in the presence trace beside the trace.
    pub intervals: u64,
    /// Members in it.
    pub peers: u64,
    /// Days begun because a clock without a date went back. Compare with the days that the log spans.
    pub rollovers: u64,
}

impl Imported {
    fn skip(&mut self, line: u64) {
        self.skipped += 1;
        self.skipped_first.get_or_insert(line);
    }
}

/// Numbers for names, by first appearance.
#[derive(Default)]
struct Authors(BTreeMap<String, u32>);

impl Authors {
    fn number(&mut self, name: &str) -> u32 {
        let next = self.0.len() as u32;
        match self.0.get(name) {
            Some(number) => *number,
            None => *self.0.entry(name.to_owned()).or_insert(next),
        }
    }
}

/// What the source, not its owner, says of a trace.
struct Nature {
    kind: Kind,
    note: &'static str,
    time_resolution_s: f64,
    sizes: bool,
    t0: T0,
}

/// What is known of the moment t = 0.
#[derive(Clone, Copy, Default)]
struct T0 {
    /// Seconds after midnight.
    clock_s: Option<f64>,
    /// Monday is 0.
    weekday: Option<u8>,
}

/// Ends an import: header, counts, writing.
fn finish(
    builder: TraceBuilder,
    origin: &Origin,
    nature: &Nature,
    mut imported: Imported,
    out: &mut dyn Write,
) -> Result<Imported, ImportError> {
    let mut trace: Trace = builder.finish(About {
        name: origin.name.clone(),
        kind: nature.kind,
        source: origin.source.clone(),
        license: origin.license.clone(),
        attribution: origin.attribution.clone(),
        note: nature.note.to_owned(),
        time_resolution_s: nature.time_resolution_s,
        sizes: nature.sizes,
        annotated: Annotated::All,
    });
    trace.set_edges_dropped(imported.edges_dropped);
    trace.set_t0(nature.t0.clock_s, nature.t0.weekday);
    let header = trace.header();
    imported.messages = header.messages;
    imported.authors = header.authors;
    imported.edges = header.edges;
    if origin.gzip { trace.write_gz(out) } else { trace.write(out) }.map_err(ImportError::Write)?;
    Ok(imported)
}
