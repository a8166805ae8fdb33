//! What exports as CSV and as JSON Lines have in common: named columns, and rows that become records.

use std::collections::BTreeMap;
use std::io::Write;

use super::error::{ImportError, RowFault};
use super::{Authors, Imported, Nature, Origin, T0, TimeFormat, finish};
use crate::{Kind, TraceBuilder};

/// Which column holds what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// When the message was written.
    pub time: String,
    /// How that is written.
    pub time_format: TimeFormat,
    /// Who wrote it. Names are replaced by numbers.
    pub author: String,
    /// How large it is.
    pub size: Size,
    /// What identifies it, if parents refer to it.
    pub id: Option<String>,
    /// Ids of the messages it refers to: in CSV separated by blanks, in JSON one value or an array.
    pub parents: Option<String>,
}

/// Where a message's size comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// From a column with a number of bytes.
    Column(String),
    /// From the length of a text, in bytes of UTF-8. The text is not kept.
    TextOf(String),
    /// Nowhere: the trace says that sizes are unknown.
    Unknown,
}

/// One row's values, as text. Empty is the same as absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    pub time: String,
    pub author: String,
    pub size: String,
    pub id: String,
    pub parents: Vec<String>,
}

/// Rows on their way to a trace.
pub(super) struct Rows<'a> {
    columns: &'a Columns,
    rows: Vec<Row>,
    names: Authors,
    by_id: BTreeMap<String, u32>,
    pub imported: Imported,
}

struct Row {
    line: u64,
    us: i64,
    author: u32,
    size: u32,
    parents: Vec<String>,
}

const NOTE: &str = "Imported from a table of messages. t = 0 is the first message. Records are sorted by time, equal times as in the table.";

impl<'a> Rows<'a> {
    pub fn new(columns: &'a Columns) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            names: Authors::default(),
            by_id: BTreeMap::new(),
            imported: Imported::default(),
        }
    }

    /// Takes a row. One without a time or an author, such as a system message, is counted and left out.
    pub fn push(&mut self, line: u64, values: Values) -> Result<(), RowFault> {
        if values.time.is_empty() || values.author.is_empty() {
            self.imported.skip(line);
            return Ok(());
        }
        let format = self.columns.time_format;
        let Some(us) = format.parse_us(&values.time) else {
            return Err(RowFault::Time { value: values.time, expected: format.expected() });
        };
        let size = match &self.columns.size {
            Size::Column(_) => values.size.parse().map_err(|_| RowFault::Size(values.size))?,
            Size::TextOf(_) => u32::try_from(values.size.len()).unwrap_or(u32::MAX),
            Size::Unknown => 0,
        };
        if !values.id.is_empty() {
            let row = self.rows.len() as u32;
            if self.by_id.insert(values.id.clone(), row).is_some() {
                return Err(RowFault::RepeatedId(values.id));
            }
        }
        // Numbers in the order of the table for now: `finish` numbers anew in the order of time.
        let author = self.names.number(&values.author);
        self.rows.push(Row { line, us, author, size, parents: values.parents });
        Ok(())
    }

    /// Sorts, resolves parents and writes.
    pub fn finish(
        mut self,
        file: String,
        lines: u64,
        origin: &Origin,
        out: &mut dyn Write,
    ) -> Result<Imported, ImportError> {
        if self.rows.is_empty() {
            return Err(ImportError::Nothing { file, lines, expected: "rows with a time and an author" });
        }
        let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
        order.sort_by_key(|row| self.rows[*row as usize].us);
        let mut index_of_row = vec![0_u32; order.len()];
        for (index, row) in (0_u32..).zip(&order) {
            index_of_row[*row as usize] = index;
        }
        let start = self.rows[order[0] as usize].us;
        let mut builder = TraceBuilder::new();
        let mut numbers: Vec<Option<u32>> = vec![None; self.names.0.len()];
        for (index, row) in (0_u32..).zip(&order) {
            let row = &self.rows[*row as usize];
            let given = row.parents.len();
            let known = row.parents.iter().filter_map(|id| self.by_id.get(id));
            let mut parents: Vec<u32> =
                known.map(|row| index_of_row[*row as usize]).filter(|parent| *parent < index).collect();
            self.imported.edges_dropped += (given - parents.len()) as u64;
            parents.sort_unstable();
            parents.dedup();
            let author = *numbers[row.author as usize].get_or_insert(builder.authors());
            // Microseconds as a decimal fraction of a second, correctly rounded by one division.
            let t = row.us.abs_diff(start) as f64 / 1e6;
            let pushed = builder.push(t, author, row.size, &parents);
            pushed.map_err(|rule| ImportError::Row {
                file: file.clone(),
                line: row.line,
                fault: rule.into(),
            })?;
        }
        let nature = Nature {
            kind: Kind::Chat,
            note: NOTE,
            time_resolution_s: resolution_s(&self.rows),
            sizes: self.columns.size != Size::Unknown,
            t0: T0::default(),
        };
        finish(builder, origin, &nature, self.imported, out)
    }
}

/// The coarsest of a minute, a second, a millisecond and a microsecond whose multiples all times are.
fn resolution_s(rows: &[Row]) -> f64 {
    let all = |unit: i64| rows.iter().all(|row| row.us % unit == 0);
    match () {
        () if all(60_000_000) => 60.0,
        () if all(1_000_000) => 1.0,
        () if all(1_000) => 1e-3,
        () => 1e-6,
    }
}
