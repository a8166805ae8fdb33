//! What can be wrong with a trace: always the file, the line, what was expected, and what to do.

use std::io;

use thiserror::Error;

use crate::lines::LineError;

/// Why a trace was not read.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The file cannot be opened.
    #[error("{file}: cannot be opened: {source}")]
    Open {
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// A line breaks a rule of the format.
    #[error("{file}, line {line}: {fault}")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The rule.
        fault: Fault,
    },
}

/// Which rule of the format a line breaks.
#[derive(Debug, Error)]
pub enum Fault {
    /// The line itself cannot be read.
    #[error(transparent)]
    Unreadable(#[from] LineError),
    /// There is no line at all.
    #[error("the file is empty: expected a header of format {expected}")]
    Empty {
        /// The format.
        expected: &'static str,
    },
    /// Line 1 is no header.
    #[error(
        "no header of format {expected} ({why}): line 1 of a trace is one JSON object with the fields of the format"
    )]
    Header {
        /// The format.
        expected: &'static str,
        /// What the parser found.
        why: String,
    },
    /// Line 1 is the header of another format.
    #[error("the header says format `{found}`: expected `{expected}`")]
    Format {
        /// The format.
        expected: &'static str,
        /// What the header says.
        found: String,
    },
    /// The line is no record.
    #[error("no record ({why}): expected {expected}")]
    Record {
        /// An example of a record.
        expected: &'static str,
        /// What the parser found.
        why: String,
    },
    /// The record breaks a rule.
    #[error(transparent)]
    Rule(#[from] Rule),
    /// The header's count is not the number of what follows.
    #[error(
        "the header says {field} = {header}, the records have {actual}: the file is cut off or was edited; fetch it again or correct the header"
    )]
    Count {
        /// The header's field.
        field: &'static str,
        /// What it says.
        header: u64,
        /// What there is.
        actual: u64,
    },
}

/// Which rule the values of a record break.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Rule {
    /// A time that is no time.
    #[error("t = {t}: expected seconds between -{max:e} and {max:e}", max = super::SECONDS_MAX)]
    Time {
        /// The time.
        t: f64,
    },
    /// A step back in a trace whose header promises none.
    #[error(
        "t = {t} after t = {before}, but the header says `monotone`: true: sort the records or say false"
    )]
    Backwards {
        /// The time.
        t: f64,
        /// The time of the record before.
        before: f64,
    },
    /// A time after the trace's end.
    #[error(
        "t = {t} is after the end of the trace, duration_s = {duration_s} in the header: correct the header"
    )]
    AfterEnd {
        /// The time.
        t: f64,
        /// What the header says.
        duration_s: f64,
    },
    /// An author number that skips one.
    #[error("author {author}: authors are numbered by first appearance, so at most {next} is expected here")]
    Author {
        /// The author.
        author: u32,
        /// The number of the next new author.
        next: u32,
    },
    /// A parent that is no earlier message.
    #[error(
        "parent {parent} of message {index}: parents are indexes of earlier messages (line number minus 2)"
    )]
    Parent {
        /// The parent.
        parent: u32,
        /// The message.
        index: u32,
    },
    /// Parents that are not in ascending order, or repeat.
    #[error("parent {parent} after parent {before}: expected ascending order without repetition")]
    ParentOrder {
        /// The parent.
        parent: u32,
        /// The one before.
        before: u32,
    },
    /// A size in a trace whose header says that sizes are unknown.
    #[error("size {size}, but the header says `sizes`: false: sizes that are unknown are written as 0")]
    Size {
        /// The size.
        size: u32,
    },
    /// An edge in a trace whose header says that there are none.
    #[error("parents {parent}…, but the header says `annotated`: `none`")]
    NotAnnotated {
        /// The first parent.
        parent: u32,
    },
    /// An interval of presence that ends before it starts.
    #[error("on = {on}, off = {off}: expected on ≤ off, in seconds between -{max:e} and {max:e}", max = super::SECONDS_MAX)]
    Interval {
        /// Start.
        on: f64,
        /// End.
        off: f64,
    },
    /// Intervals that are not sorted by their start.
    #[error("on = {on} after on = {before}: expected intervals sorted by `on`")]
    IntervalOrder {
        /// Start.
        on: f64,
        /// Start of the interval before.
        before: f64,
    },
    /// Two intervals of one peer overlap.
    #[error("peer {peer} comes on at {on} but was on until {until}: intervals of one peer must not overlap")]
    Overlap {
        /// The peer.
        peer: u32,
        /// Start.
        on: f64,
        /// End of its interval before.
        until: f64,
    },
    /// A censoring code that is none.
    #[error("c = {c}: expected 0 (exact), 1 (start unknown), 2 (end unknown) or 3 (both)")]
    Censoring {
        /// The code.
        c: u8,
    },
    /// More than can be numbered.
    #[error("more than {max} {what}: cut the trace", max = crate::MESSAGES_MAX)]
    TooMany {
        /// Of what.
        what: &'static str,
    },
}
