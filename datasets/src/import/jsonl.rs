//! Imports an export in which every line is a JSON object.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use super::error::{ImportError, RowFault};
use super::rows::{Columns, Rows, Size, Values};
use super::{Imported, Origin};
use crate::lines::{Lines, json_fault};

/// What to take from which field. A field inside an object is written with a dot: `message.author`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonlOptions {
    /// What goes into the header.
    pub origin: Origin,
    /// Names of the fields.
    pub columns: Columns,
}

/// Reads a file of JSON objects, plain or in gzip, and writes a trace.
///
/// Objects without a time or an author are counted as skipped. Objects are sorted by time.
///
/// # Errors
///
/// A line that is not an object, a time or size that is not what was declared, a repeated id, or no message
/// at all.
pub fn import_jsonl(
    source: &Path,
    options: &JsonlOptions,
    out: &mut dyn Write,
) -> Result<Imported, ImportError> {
    let file = source.display().to_string();
    let open = |source| ImportError::Open { file: file.clone(), source };
    let mut lines = Lines::open(source).map_err(open)?;
    let mut rows = Rows::new(&options.columns);
    if let Err(fault) = read(&mut lines, &options.columns, &mut rows) {
        return Err(ImportError::Row { file, line: lines.number(), fault });
    }
    let count = lines.number() - 1;
    rows.finish(file, count, &options.origin, out)
}

fn read(lines: &mut Lines<'_>, columns: &Columns, rows: &mut Rows<'_>) -> Result<(), RowFault> {
    let mut number = 0;
    while let Some(line) = lines.next()? {
        number += 1;
        if line.is_empty() {
            continue;
        }
        let object: Value =
            serde_json::from_slice(line).map_err(|error| RowFault::Json(json_fault(&error)))?;
        if !object.is_object() {
            return Err(RowFault::Json("another value".to_owned()));
        }
        let one = |name: &str| find(&object, name).map(text).unwrap_or_default();
        let size = match &columns.size {
            Size::Column(name) | Size::TextOf(name) => one(name),
            Size::Unknown => String::new(),
        };
        let parents = match columns.parents.as_ref().and_then(|name| find(&object, name)) {
            Some(Value::Array(parents)) => parents.iter().map(text).collect(),
            Some(parent) => vec![text(parent)],
            None => Vec::new(),
        };
        rows.push(
            number,
            Values {
                time: one(&columns.time),
                author: one(&columns.author),
                size,
                id: columns.id.as_ref().map(|name| one(name)).unwrap_or_default(),
                parents: parents.into_iter().filter(|parent| !parent.is_empty()).collect(),
            },
        )?;
    }
    Ok(())
}

/// The field of this name, or the one to which the name's dots lead.
fn find<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| name.split('.').try_fold(object, |inside, part| inside.get(part)))
}

/// A value as text: a string without its quotes, nothing for null.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
