//! Who was connected when: a file of format `presence-trace/1` beside a chat trace.
//!
//! A record is one stretch of one member online. Peers whose number is below `speakers` are the authors of
//! the chat trace of the same name; the others never wrote. What lies between two stretches of a peer is an
//! [`Absence`](crate::Absence), unless the logger itself was away at one of its ends.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::lines::{Lines, json_fault};
use crate::trace::read_header;
use crate::{Fault, Rule, SECONDS_MAX, TraceError};

/// The name of the format, as headers write it.
const FORMAT: &str = "presence-trace/1";

/// What a record looks like, for the error that says so.
const EXAMPLE: &str = r#"a JSON object like {"peer":4,"on":360,"off":5400,"c":0}"#;

/// What a presence file says of itself, as far as it is used here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PresenceHeader {
    /// Name of the file without its ending.
    pub name: String,
    /// How many members were seen. Their numbers may have holes.
    pub peers: u64,
    /// How many authors the chat trace has: theirs are the numbers below this.
    pub speakers: u64,
    /// How many intervals.
    pub intervals: u64,
    /// How many of them have an end that is not known.
    pub censored: u64,
    /// End of observation, in seconds since the start.
    pub duration_s: f64,
}

/// One stretch of one member online.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Who.
    pub peer: u32,
    /// From when, in seconds on the chat trace's axis.
    pub on: f64,
    /// Until when.
    pub off: f64,
    /// Whether `on` was seen: the logger may have come later than the member.
    pub on_known: bool,
    /// Whether `off` was seen.
    pub off_known: bool,
}

/// The presence of a group, in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Presence {
    header: PresenceHeader,
    intervals: Vec<Interval>,
}

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
        let file = path.display().to_string();
        match Lines::open(path) {
            Ok(lines) => read(lines, file),
            Err(source) => Err(TraceError::Open { file, source }),
        }
    }

    /// Reads a text, plain or in gzip. `file` is its name in errors.
    ///
    /// # Errors
    ///
    /// [`TraceError`] names the file, the line and the rule that it breaks.
    pub fn from_reader(reader: impl Read, file: &str) -> Result<Self, TraceError> {
        match Lines::new(reader) {
            Ok(lines) => read(lines, file.to_owned()),
            Err(source) => Err(TraceError::Open { file: file.to_owned(), source }),
        }
    }

    /// What the file says of itself; its counts were checked.
    pub fn header(&self) -> &PresenceHeader {
        &self.header
    }

    /// All intervals, sorted by their start. Those of one peer do not overlap.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }
}

fn read(mut lines: Lines<'_>, file: String) -> Result<Presence, TraceError> {
    match read_all(&mut lines) {
        Ok(presence) => Ok(presence),
        Err(fault @ Fault::Count { .. }) => Err(TraceError::Line { file, line: 1, fault }),
        Err(fault) => Err(TraceError::Line { file, line: lines.number(), fault }),
    }
}

fn read_all(lines: &mut Lines<'_>) -> Result<Presence, Fault> {
    let header: PresenceHeader = read_header(lines, FORMAT)?;
    let mut intervals: Vec<Interval> = Vec::new();
    let mut on_until: BTreeMap<u32, f64> = BTreeMap::new();
    while let Some(line) = lines.next()? {
        let Line { peer, on, off, c } = serde_json::from_slice(line)
            .map_err(|error| Fault::Record { expected: EXAMPLE, why: json_fault(&error) })?;
        let before = intervals.last().map_or(-SECONDS_MAX, |interval| interval.on);
        let until = on_until.insert(peer, off).unwrap_or(-SECONDS_MAX);
        if !(-SECONDS_MAX..=SECONDS_MAX).contains(&on) || !(on..=SECONDS_MAX).contains(&off) {
            return Err(Rule::Interval { on, off }.into());
        }
        if on < before {
            return Err(Rule::IntervalOrder { on, before }.into());
        }
        if on < until {
            return Err(Rule::Overlap { peer, on, until }.into());
        }
        if off > header.duration_s {
            return Err(Rule::AfterEnd { t: off, duration_s: header.duration_s }.into());
        }
        if c > 3 {
            return Err(Rule::Censoring { c }.into());
        }
        if intervals.len() as u64 >= crate::MESSAGES_MAX {
            return Err(Rule::TooMany { what: "intervals" }.into());
        }
        intervals.push(Interval { peer, on, off, on_known: c & 1 == 0, off_known: c & 2 == 0 });
    }
    let censored = intervals.iter().filter(|interval| !(interval.on_known && interval.off_known)).count();
    for (field, header, actual) in [
        ("intervals", header.intervals, intervals.len()),
        ("censored", header.censored, censored),
        ("peers", header.peers, on_until.len()),
    ] {
        if header != actual as u64 {
            return Err(Fault::Count { field, header, actual: actual as u64 });
        }
    }
    Ok(Presence { header, intervals })
}
