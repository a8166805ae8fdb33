//! What can go wrong in an import: the file, the line, what was expected, and what to do.

use std::io;

use offerbench_algos::did_you_mean;
use thiserror::Error;

use crate::{LineError, Rule};

/// Why there is no trace.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file cannot be opened.
    #[error("{file}: cannot be opened: {source}")]
    Open {
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// A line or row cannot be used, and leaving it out would falsify the trace.
    #[error("{file}, line {line}: {fault}")]
    Row {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        fault: RowFault,
    },
    /// Not one message was found.
    #[error("{file}: none of its {lines} lines is a message: expected {expected}")]
    Nothing {
        /// The file.
        file: String,
        /// How many lines it has.
        lines: u64,
        /// What a message looks like.
        expected: &'static str,
    },
    /// Nobody is told to come or go.
    #[error(
        "{file}: none of its {lines} lines tells a join, part, quit, kick or change of nick, so who was online cannot be known: leave out the presence trace, or take a log that has these lines"
    )]
    NoPresence {
        /// The file.
        file: String,
        /// How many lines it has.
        lines: u64,
    },
    /// There is no column of this name.
    #[error("{file}: no column `{column}`{}; it has: {known}", did_you_mean(near))]
    UnknownColumn {
        /// The file.
        file: String,
        /// The column asked for.
        column: String,
        /// The nearest column, if any is near.
        near: Option<String>,
        /// All columns.
        known: String,
    },
    /// The program `git` cannot be run.
    #[error("`git` cannot be run ({0}): install it, or put it on the PATH")]
    NoGit(io::Error),
    /// The directory is no repository, or has no such revision.
    #[error("{repository}: no repository with a commit `{revision}`; git says: {said}")]
    NoCommit {
        /// The directory.
        repository: String,
        /// The revision asked for.
        revision: String,
        /// The first line of git's complaint.
        said: String,
    },
    /// A command of git failed, or answered what it should not.
    #[error("{repository}: `git {command}` {what}: run it there by hand to see why")]
    Git {
        /// The directory.
        repository: String,
        /// The command.
        command: &'static str,
        /// What happened.
        what: String,
    },
    /// The trace cannot be written.
    #[error("the trace cannot be written: {0}")]
    Write(io::Error),
}

/// What is wrong with one line or row.
#[derive(Debug, Error)]
pub enum RowFault {
    /// The line cannot be read.
    #[error(transparent)]
    Unreadable(#[from] LineError),
    /// The line is not JSON.
    #[error("no JSON object ({0}): expected one object a line")]
    Json(String),
    /// The row is not CSV.
    #[error("no row of the table ({0}): is the delimiter right, are quotes closed?")]
    Csv(String),
    /// A time that is not of the declared format.
    #[error("time `{value}`: expected {expected}")]
    Time {
        /// The value.
        value: String,
        /// The declared format.
        expected: &'static str,
    },
    /// A size that is no whole number.
    #[error("size `{0}`: expected a whole number of bytes")]
    Size(String),
    /// An id that another message has: parents would be ambiguous.
    #[error("id `{0}` was given to an earlier message too: ids must differ, or leave out the id column")]
    RepeatedId(String),
    /// The first date of a log comes after messages.
    #[error(
        "the first date of the log, but messages without a date came before: put their date before them, as in `--- Log opened Tue Jun 02 00:00:00 2009`"
    )]
    LateDate,
    /// A record that the format does not allow.
    #[error(transparent)]
    Rule(#[from] Rule),
}
