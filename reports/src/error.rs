//! Every reason to refuse a file or a set of files. Each says where, what was expected, and what to do.

use crate::record::SCHEMA;

/// Why a file cannot be read, or files cannot be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// The file could not be read at all.
    #[error("{file}: line {line}: cannot be read: {source}")]
    Io {
        /// File.
        file: String,
        /// Line, from 1.
        line: u64,
        /// What the reader said.
        source: std::io::Error,
    },
    /// Line 1 is not a header.
    #[error(
        "{file}: line 1: expected a header with the field `offerbench`, found {found}. \
         This is no file of records; give a .jsonl file that `offerbench run` or `time` wrote"
    )]
    NotRecords {
        /// File.
        file: String,
        /// What stands there.
        found: String,
    },
    /// Another version of the schema.
    #[error(
        "{file}: line 1: expected schema {SCHEMA}, found {found}. \
         Run the experiment again with this version, or report with the version that wrote the file"
    )]
    Schema {
        /// File.
        file: String,
        /// Version in the file.
        found: String,
    },
    /// A field is missing, unknown, or of the wrong type.
    #[error(
        "{file}: line {line}: expected a {what} of schema {SCHEMA}: {message}. \
         The line was edited or written by another version; run the experiment again"
    )]
    Field {
        /// File.
        file: String,
        /// Line, from 1.
        line: u64,
        /// `header`, `row of counts`, …
        what: &'static str,
        /// What the parser said.
        message: String,
    },
    /// A line is not JSON.
    #[error(
        "{file}: line {line}: expected one JSON object: {message}. \
         The line is damaged; restore the file or run the experiment again"
    )]
    Damaged {
        /// File.
        file: String,
        /// Line, from 1.
        line: u64,
        /// What the parser said.
        message: String,
    },
    /// The last line does not end: the writer was interrupted.
    #[error(
        "{file}: line {line}: expected a line end, found the end of the file. \
         The run was cut off while it wrote this line; run it again with --resume"
    )]
    Truncated {
        /// File.
        file: String,
        /// Line, from 1.
        line: u64,
    },
    /// A line is longer than any record.
    #[error("{file}: line {line}: expected at most {limit} bytes in a line. This is no file of records")]
    LineTooLong {
        /// File.
        file: String,
        /// Line, from 1.
        line: u64,
        /// The limit.
        limit: u64,
    },
    /// The same trial twice.
    #[error(
        "{file}: line {line}: expected every trial once, but {row} stands on line {first} already. \
         Was a file appended to itself? Remove one of the two, or run again"
    )]
    Duplicate {
        /// File.
        file: String,
        /// Line of the second, from 1.
        line: u64,
        /// Line of the first, from 1.
        first: u64,
        /// Sweep, point, replicate and spec.
        row: String,
    },
    /// A row names a sweep or spec that the header does not describe, or the header names one twice.
    #[error(
        "{file}: line {line}: expected the header to describe {what} `{name}` exactly once. \
         Were lines of another file pasted in? Keep one run to a file"
    )]
    Undescribed {
        /// File.
        file: String,
        /// Line, from 1.
        line: u64,
        /// `sweep` or `spec`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A row's figures contradict one another.
    #[error(
        "{file}: line {line}: expected {expected}. \
         The row contradicts itself: a fault of the writer; run again, and report the fault if it returns"
    )]
    Impossible {
        /// File.
        file: String,
        /// Line, from 1.
        line: u64,
        /// The rule that it breaks.
        expected: &'static str,
    },
    /// More rows than the header announces.
    #[error(
        "{file}: line {line}: expected {rows} rows, as the header says, found more. \
         Was a file appended to? Run the experiment again into a new file"
    )]
    TooManyRows {
        /// File.
        file: String,
        /// Line of the first row too many, from 1.
        line: u64,
        /// Rows announced.
        rows: u64,
    },
    /// Two files of one lane of one experiment.
    #[error(
        "{second}: line 1: expected one {lane} file for experiment `{experiment}`, but {first} is one too. \
         Give one of them; `offerbench cmp` compares two runs"
    )]
    Twice {
        /// File that came first.
        first: String,
        /// File that came second.
        second: String,
        /// `exact`, `timed`, `group`, `cpu` or `peers`.
        lane: &'static str,
        /// Experiment.
        experiment: String,
    },
    /// Files of different sources of the tool.
    #[error(
        "{second}: line 1: expected commit {expected} as in {first}, found {found}. \
         Figures of two versions do not compare; run all experiments at one commit"
    )]
    Commit {
        /// File that came first.
        first: String,
        /// Its commit.
        expected: String,
        /// File that differs.
        second: String,
        /// Its commit.
        found: String,
    },
    /// Two lanes or parts of one experiment that ran differently.
    #[error(
        "{second}: line 1: expected the {what} of experiment `{experiment}` as in {first}, found another. \
         The two files answer different questions; run all of the experiment again"
    )]
    Question {
        /// File that came first.
        first: String,
        /// File that differs.
        second: String,
        /// Experiment.
        experiment: String,
        /// `spec_hash`, `seed`, `machine`, …
        what: &'static str,
    },
    /// A sweep in two parts of one experiment.
    #[error(
        "{second}: line 1: expected sweep `{sweep}` once, but {first} holds it too. \
         Nobody could say which of the two to believe; give one of them"
    )]
    Overlap {
        /// File that came first.
        first: String,
        /// File that came second.
        second: String,
        /// The sweep.
        sweep: String,
    },
    /// Times without the counts that verify them.
    #[error(
        "{file}: line 1: expected {counts} file with the same experiment `{experiment}`, spec_hash and seed{near}. \
         Times count only where that lane verified the result; give that file too"
    )]
    TimedAlone {
        /// The file of times.
        file: String,
        /// Lane that should be there: `an exact` or `a group`.
        counts: &'static str,
        /// Experiment.
        experiment: String,
        /// What comes close, or nothing.
        near: String,
    },
    /// A timed session that the exact lane did not verify.
    #[error(
        "{file}: line {line}: expected the exact lane to have verified {row}. \
         Finish the exact run, then time again"
    )]
    Unverified {
        /// The timed file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Sweep, point and spec.
        row: String,
    },
    /// The CPU time of a group trial that the group file does not hold.
    #[error(
        "{file}: line {line}: expected the group file to hold {row}. \
         Finish the run, or give the group file that was written beside this one"
    )]
    Uncounted {
        /// The file of CPU times.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Sweep, point, replicate and spec.
        row: String,
    },
    /// Nothing to report on.
    #[error(
        "expected at least one exact or group file, or one of peers, found none. Give the file that `offerbench run` wrote"
    )]
    Empty,
}

/// Why two runs cannot be compared at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// Another question.
    #[error(
        "{new}: line 1: expected the {what} of experiment `{experiment}` as in {base}, found another. \
         The two runs answer different questions; run the same experiment with the same seed and overrides"
    )]
    Question {
        /// File of the one side.
        base: String,
        /// File of the other.
        new: String,
        /// Experiment.
        experiment: String,
        /// `spec_hash` or `seed`.
        what: &'static str,
    },
    /// Rounds of one side that are no repetitions of one another.
    #[error(
        "{file}: expected the {what} of the first round of {side}, found others. \
         Rounds repeat one run at one commit; give runs of another commit as the other side"
    )]
    Rounds {
        /// `BASE` or `NEW`.
        side: &'static str,
        /// First file of the round that differs.
        file: String,
        /// In what.
        what: &'static str,
    },
    /// Nothing that both sides hold.
    #[error("expected an experiment that both sides hold, found none. Give two runs of one experiment")]
    Nothing,
}
