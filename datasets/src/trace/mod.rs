//! Traces: the messages of a real group, without their texts and names.
//!
//! A trace of format `chat-trace/1` is JSON Lines, plain or in gzip: a header, then one record a message
//! with its time, a number for its author, its size in bytes and the earlier messages it refers to. The index
//! of a record (its line number minus 2) is the message's number.
//!
//! ```
//! use offerbench_algos::Seed;
//! use offerbench_datasets::Trace;
//!
//! let text = r#"{"format":"chat-trace/1","name":"two","kind":"chat","source":"","license":"","attribution":"","note":"","authors":1,"messages":2,"edges":1,"bytes":9,"duration_s":7.5,"time_resolution_s":1,"monotone":true,"annotated":"all"}
//! {"t":0,"author":0,"size":5,"parents":[]}
//! {"t":7.5,"author":0,"size":4,"parents":[0]}
//! "#;
//! let trace = Trace::from_reader(text.as_bytes(), "two.jsonl")?;
//! let items = trace.items(Seed::new(1));
//! assert_eq!(items[1].at - items[0].at, 7_500);
//! # Ok::<(), offerbench_datasets::TraceError>(())
//! ```
//!
//! **Times.** An item's timestamp is `START_MS + round(1000 · (t - t_least))`, where `t_least` is the least
//! time of the trace, or 0 if none is negative. Commits carry their committer's clock, which may run
//! backwards and start before 0: their order in time then differs from their order in the trace, as in
//! life. Messages with equal times keep them; times less than a millisecond apart may become equal.
//!
//! **Ids.** An item's id is the MVDS id of a message with that timestamp, a group drawn from the seed and the
//! trace's name, and a body made of the record's index and size.

mod build;
mod error;
mod header;
mod read;
mod write;

use offerbench_algos::{Item, ItemId, Seed};

use crate::Message;
use crate::synthetic::START_MS;

pub use build::TraceBuilder;
pub use error::{Fault, Rule, TraceError};
use header::FORMAT;
pub use header::{About, Annotated, Header, Kind, Segment};
pub(crate) use read::{read_header, read_lines};
pub(crate) use write::gz;

/// Times are at most this far from the start of a trace, in seconds: three thousand years. Milliseconds then
/// are whole numbers in a 64-bit float.
pub const SECONDS_MAX: f64 = 1e11;

/// A trace in memory: 20 bytes a message and 4 an edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    header: Header,
    rows: Vec<Row>,
    /// For every message, where its parents end in `parents`; they start where those of the one before end.
    parents_end: Vec<u32>,
    parents: Vec<u32>,
    /// The least time, at most 0.
    t_least: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Row {
    t: f64,
    author: u32,
    size: u32,
}

/// One message of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// Seconds since the start of the trace.
    pub t: f64,
    /// Who wrote it.
    pub author: u32,
    /// Its size in bytes.
    pub size: u32,
    /// Indexes of earlier messages, ascending.
    pub parents: &'a [u32],
}

impl Trace {
    /// What the trace says of itself; its counts were checked.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Notes in the header that an importer left out edges.
    pub(crate) fn set_edges_dropped(&mut self, count: u64) {
        self.header.edges_dropped = (count > 0).then_some(count);
    }

    /// Notes in the header what an importer knows of t = 0.
    pub(crate) fn set_t0(&mut self, clock_s: Option<f64>, weekday: Option<u8>) {
        (self.header.t0_clock_s, self.header.t0_weekday) = (clock_s, weekday);
    }

    /// How many messages.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The message with this index, if there is one.
    pub fn get(&self, index: usize) -> Option<Record<'_>> {
        let row = self.rows.get(index)?;
        let first = index.checked_sub(1).map_or(0, |before| self.parents_end[before] as usize);
        let parents = &self.parents[first..self.parents_end[index] as usize];
        Some(Record { t: row.t, author: row.author, size: row.size, parents })
    }

    /// All messages, in the order of the trace.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The timestamp that an item at `t` seconds carries: see the module's text.
    pub fn at_ms(&self, t: f64) -> u64 {
        // Both are within SECONDS_MAX, so the difference is neither negative nor beyond 2^53 ms.
        START_MS + ((t - self.t_least).max(0.0) * 1000.0).round() as u64
    }

    /// The messages as items with their authors, in the order of the trace.
    pub fn messages(&self, seed: Seed) -> Vec<Message> {
        let group: [u8; 32] = seed.child("trace").child(&self.header.name).rng().bytes();
        let message = |(index, row): (usize, &Row)| {
            let at = self.at_ms(row.t);
            let mut body = [0; 8];
            body[..4].copy_from_slice(&(index as u32).to_le_bytes());
            body[4..].copy_from_slice(&row.size.to_le_bytes());
            Message { item: Item { at, id: ItemId::of_message(&group, at, &body) }, author: row.author }
        };
        self.rows.iter().enumerate().map(message).collect()
    }

    /// The messages as items, in the order of the trace.
    pub fn items(&self, seed: Seed) -> Vec<Item> {
        self.messages(seed).into_iter().map(|message| message.item).collect()
    }
}
