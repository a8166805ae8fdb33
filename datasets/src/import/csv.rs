//! Imports an export as a table of comma-separated values whose first row names the columns.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::rc::Rc;

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use offerbench_algos::suggest;

use super::error::{ImportError, RowFault};
use super::rows::{Columns, Rows, Size, Values};
use super::{Imported, Origin};
use crate::LINE_LEN_MAX;

/// What to take from which column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// What goes into the header.
    pub origin: Origin,
    /// Names of the columns.
    pub columns: Columns,
    /// What separates columns: `b','`, `b';'`, `b'\t'`.
    pub delimiter: u8,
}

/// Reads a table and writes a trace.
///
/// Rows without a time or an author are counted as skipped. Rows are sorted by time. Texts may be quoted and
/// then hold line ends.
///
/// # Errors
///
/// A column that is not there, a row with another number of columns than the first, a time or size that is
/// not what was declared, a repeated id, or no message at all.
pub fn import_csv(source: &Path, options: &CsvOptions, out: &mut dyn Write) -> Result<Imported, ImportError> {
    let file = source.display().to_string();
    let opened = File::open(source).map_err(|source| ImportError::Open { file: file.clone(), source })?;
    let left = Rc::new(Cell::new(0));
    let limited = Limited { inner: opened, left: Rc::clone(&left) };
    let mut reader = ReaderBuilder::new().delimiter(options.delimiter).from_reader(limited);
    let failed = |error: csv::Error, after: u64| {
        let line = error.position().map_or(after, csv::Position::line);
        let fault = match error.into_kind() {
            ErrorKind::Io(error) => RowFault::Unreadable(error.into()),
            ErrorKind::UnequalLengths { expected_len, len, .. } => {
                RowFault::Csv(format!("{len} columns, the first row has {expected_len}"))
            }
            ErrorKind::Utf8 { err, .. } => RowFault::Csv(format!("not UTF-8: {err}")),
            other => RowFault::Csv(format!("{other:?}")),
        };
        ImportError::Row { file: file.clone(), line, fault }
    };

    left.set(ROW_LEN_MAX);
    let names = reader.headers().map_err(|error| failed(error, 1))?.clone();
    let places = Places::find(&options.columns, &names, &file)?;
    let mut rows = Rows::new(&options.columns);
    let mut row = StringRecord::new();
    let mut line = 1;
    loop {
        left.set(ROW_LEN_MAX);
        if !reader.read_record(&mut row).map_err(|error| failed(error, line + 1))? {
            break;
        }
        line = row.position().map_or(line + 1, csv::Position::line);
        let pushed = rows.push(line, places.values(&row));
        pushed.map_err(|fault| ImportError::Row { file: file.clone(), line, fault })?;
    }
    rows.finish(file, line, &options.origin, out)
}

/// A row may be as long as a line, and what the parser reads ahead.
const ROW_LEN_MAX: u64 = LINE_LEN_MAX as u64;

/// Where the columns are.
struct Places {
    time: usize,
    author: usize,
    size: Option<usize>,
    id: Option<usize>,
    parents: Option<usize>,
}

impl Places {
    fn find(columns: &Columns, names: &StringRecord, file: &str) -> Result<Self, ImportError> {
        let place = |name: &String| {
            names.iter().position(|known| known == name).ok_or_else(|| ImportError::UnknownColumn {
                file: file.to_owned(),
                column: name.clone(),
                near: suggest(name, names.iter()),
                known: names.iter().collect::<Vec<_>>().join(", "),
            })
        };
        let size = match &columns.size {
            Size::Column(name) | Size::TextOf(name) => Some(name),
            Size::Unknown => None,
        };
        Ok(Self {
            time: place(&columns.time)?,
            author: place(&columns.author)?,
            size: size.map(place).transpose()?,
            id: columns.id.as_ref().map(place).transpose()?,
            parents: columns.parents.as_ref().map(place).transpose()?,
        })
    }

    fn values(&self, row: &StringRecord) -> Values {
        let text = |place: Option<usize>| place.and_then(|place| row.get(place)).unwrap_or_default();
        Values {
            time: text(Some(self.time)).to_owned(),
            author: text(Some(self.author)).to_owned(),
            size: text(self.size).to_owned(),
            id: text(self.id).to_owned(),
            parents: text(self.parents).split_whitespace().map(str::to_owned).collect(),
        }
    }
}

/// Fails instead of reading a row beyond all bounds: a quote that is never closed makes one of a whole file.
struct Limited {
    inner: File,
    left: Rc<Cell<u64>>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.get().checked_sub(count as u64) {
            Some(left) => self.left.set(left),
            None => {
                let why = format!("a row is longer than {ROW_LEN_MAX} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        }
        Ok(count)
    }
}
