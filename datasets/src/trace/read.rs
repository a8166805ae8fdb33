//! Reads a trace of format `chat-trace/1`, line by line, believing nothing.

use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;

use super::{Annotated, FORMAT, Fault, Header, Rule, Trace, TraceBuilder, TraceError};
use crate::lines::{Lines, json_fault};

/// What a record looks like, for the error that says so.
const EXAMPLE: &str = r#"a JSON object like {"t":12.5,"author":0,"size":57,"parents":[3,7]}"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    t: f64,
    author: u32,
    size: u32,
    parents: Vec<u32>,
}

impl Trace {
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

/// What `read_all` makes of a file; its faults with the file's name and their line.
pub(crate) fn read_lines<T>(
    lines: io::Result<Lines<'_>>,
    file: String,
    read_all: impl FnOnce(&mut Lines<'_>) -> Result<T, Fault>,
) -> Result<T, TraceError> {
    let mut lines = match lines {
        Ok(lines) => lines,
        Err(source) => return Err(TraceError::Open { file, source }),
    };
    read_all(&mut lines).map_err(|fault| {
        // A count is the header's word, wherever the end of the file is.
        let line = if matches!(fault, Fault::Count { .. }) { 1 } else { lines.number() };
        TraceError::Line { file, line, fault }
    })
}

fn read_all(lines: &mut Lines<'_>) -> Result<Trace, Fault> {
    let header: Header = read_header(lines, FORMAT)?;
    let mut builder = TraceBuilder::new();
    while let Some(line) = lines.next()? {
        let line: Line = serde_json::from_slice(line)
            .map_err(|error| Fault::Record { expected: EXAMPLE, why: json_fault(&error) })?;
        obey(&header, &builder, &line)?;
        builder.push(line.t, line.author, line.size, &line.parents)?;
    }
    for (field, header, actual) in [
        ("messages", header.messages, builder.count_messages()),
        ("authors", header.authors, builder.count_authors()),
        ("edges", header.edges, builder.count_edges()),
        ("bytes", header.bytes, builder.count_bytes()),
    ] {
        if header != actual {
            return Err(Fault::Count { field, header, actual });
        }
    }
    for segment in &header.segments {
        let end = segment.first.saturating_add(segment.n);
        if end > header.messages {
            return Err(Fault::Count { field: "segments, end", header: end, actual: header.messages });
        }
    }
    Ok(builder.finish_with(header))
}

/// Line 1, whose format must be `expected`.
pub(crate) fn read_header<T: for<'de> Deserialize<'de>>(
    lines: &mut Lines<'_>,
    expected: &'static str,
) -> Result<T, Fault> {
    #[derive(Deserialize)]
    struct Format {
        format: String,
    }
    let Some(line) = lines.next()? else {
        return Err(Fault::Empty { expected });
    };
    let no_header = |error: serde_json::Error| Fault::Header { expected, why: json_fault(&error) };
    let Format { format } = serde_json::from_slice(line).map_err(no_header)?;
    if format != expected {
        return Err(Fault::Format { expected, found: format });
    }
    serde_json::from_slice(line).map_err(no_header)
}

/// The promises of this header that go beyond what every record must keep.
fn obey(header: &Header, builder: &TraceBuilder, line: &Line) -> Result<(), Rule> {
    if let Some(before) = builder.t_last().filter(|before| header.monotone && line.t < *before) {
        return Err(Rule::Backwards { t: line.t, before });
    }
    if line.t > header.duration_s {
        return Err(Rule::AfterEnd { t: line.t, duration_s: header.duration_s });
    }
    if !header.sizes && line.size != 0 {
        return Err(Rule::Size { size: line.size });
    }
    match line.parents.first() {
        Some(parent) if header.annotated == Annotated::None => Err(Rule::NotAnnotated { parent: *parent }),
        _ => Ok(()),
    }
}
