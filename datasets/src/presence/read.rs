//! Reads a presence trace line by line, believing nothing.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::{FORMAT, Interval, Presence, PresenceBuilder, PresenceHeader};
use crate::lines::{Lines, json_fault};
use crate::trace::{read_header, read_lines};
use crate::{Fault, Rule, TraceError};

/// What a record looks like, for the error that says so.
const EXAMPLE: &str = r#"a JSON object like {"peer":4,"on":360,"off":5400,"c":0}"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    peer: u32,
    on: f64,
    off: f64,
    c: u8,
}

impl Presence {
    /// Reads a file, plain or in gzip.
    ///
    /// # Errors
    ///
    /// [`TraceError`] names the file, the line and the rule that it breaks.
    pub fn read(path: &Path) -> Result<Self, TraceError> {
        read_lines(Lines::open(path), path.display().to_string(), read_all)
    }

    /// Reads a text, plain or in gzip. `file` is its name in errors.
    ///
    /// # Errors
    ///
    /// [`TraceError`] names the file, the line and the rule that it breaks.
    pub fn from_reader(reader: impl Read, file: &str) -> Result<Self, TraceError> {
        read_lines(Lines::new(reader), file.to_owned(), read_all)
    }
}

fn read_all(lines: &mut Lines<'_>) -> Result<Presence, Fault> {
    let header: PresenceHeader = read_header(lines, FORMAT)?;
    let mut builder = PresenceBuilder::default();
    while let Some(line) = lines.next()? {
        let Line { peer, on, off, c } = serde_json::from_slice(line)
            .map_err(|error| Fault::Record { expected: EXAMPLE, why: json_fault(&error) })?;
        if c > 3 {
            return Err(Rule::Censoring { c }.into());
        }
        let interval = Interval { peer, on, off, on_known: c & 1 == 0, off_known: c & 2 == 0 };
        builder.push(interval, header.duration_s)?;
    }
    let told = [header.intervals, header.censored, header.peers];
    let fields = ["intervals", "censored", "peers"];
    for ((field, header), actual) in fields.into_iter().zip(told).zip(builder.counts()) {
        if header != actual {
            return Err(Fault::Count { field, header, actual });
        }
    }
    Ok(builder.finish(header))
}
