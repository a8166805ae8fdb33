//! A file of records that holds whole rows only, in their order, whatever happens to the process.
//!
//! Rows come in one fixed order, so a file that was cut off is a prefix of the complete one: resuming means
//! to keep the whole rows that are there and to go on with the next. A row is one `write` of one line; what
//! a full disk or a kill leaves of a line is cut off again.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use offerbench_reports::record::Header;
use serde::Serialize;

use crate::error::Failure;

/// Longest line that is read back, in bytes. A row with thirty samples has about a thousand.
const LINE_LEN_MAX: u64 = 1 << 20;

/// What to do when the file is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Refuse,
    /// Keep its whole rows and go on.
    Resume,
    /// Begin anew.
    Force,
}

/// An open file of records.
#[derive(Debug)]
pub struct Sink {
    path: PathBuf,
    file: File,
    /// End of the last whole row, in bytes.
    end: u64,
    /// Rows of an earlier run that were kept.
    kept: Vec<String>,
}

impl Sink {
    /// Opens `path` and writes the header, or finds the same header there.
    ///
    /// # Errors
    ///
    /// The file is there and may not be; it cannot be written; or it belongs to another run.
    pub fn open(path: &Path, header: &Header, existing: Existing) -> Result<Self, Failure> {
        let there = path.exists();
        if there && existing == Existing::Refuse {
            return Err(Failure::usage(format!(
                "{} is there already; use --resume to go on with it, --force to replace it, or another --out",
                path.display()
            )));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(existing == Existing::Force);
        let file = options.open(path).map_err(|error| Failure::io("write", path, &error))?;
        let mut sink = Self { path: path.to_owned(), file, end: 0, kept: Vec::new() };
        if there && existing == Existing::Resume {
            sink.keep_whole_rows(header)?;
        }
        if sink.end == 0 {
            sink.append(header)?;
        }
        Ok(sink)
    }

    fn keep_whole_rows(&mut self, header: &Header) -> Result<(), Failure> {
        let mut reader = BufReader::new(&self.file);
        let mut bytes = Vec::new();
        let mut number = 0;
        let mut end = 0;
        loop {
            bytes.clear();
            let len = (&mut reader)
                .take(LINE_LEN_MAX)
                .read_until(b'\n', &mut bytes)
                .map_err(|error| Failure::io("read", &self.path, &error))?;
            if len as u64 == LINE_LEN_MAX {
                return Err(Failure::usage(format!(
                    "{}: line {} is too long for a row: this is no file of records",
                    self.path.display(),
                    number + 1
                )));
            }
            if !bytes.ends_with(b"\n") {
                break;
            }
            number += 1;
            let line = String::from_utf8_lossy(&bytes);
            if number == 1 {
                let found: Header = serde_json::from_str(&line).map_err(|error| {
                    Failure::usage(format!(
                        "{}:1: expected a header of offerbench: {error}",
                        self.path.display()
                    ))
                })?;
                if let Some(what) = difference(&found, header) {
                    return Err(Failure::usage(format!(
                        "{}: cannot resume, its {what} is not that of this run; use --force or another --out",
                        self.path.display()
                    )));
                }
            } else if serde_json::from_str::<serde_json::Value>(&line).is_err() {
                return Err(Failure::usage(format!(
                    "{}:{number}: damaged row; delete it and what follows, then --resume, or use --force",
                    self.path.display()
                )));
            } else {
                self.kept.push(line.trim_end_matches('\n').to_owned());
            }
            end += len as u64;
        }
        self.end = end;
        self.cut_off_at_end()
    }

    fn cut_off_at_end(&mut self) -> Result<(), Failure> {
        let cut = self.file.set_len(self.end).and_then(|()| self.file.seek(SeekFrom::Start(self.end)));
        cut.map(|_| ()).map_err(|error| Failure::io("cut off a partial row of", &self.path, &error))
    }

    /// Rows that an earlier run left, as text.
    pub fn kept(&self) -> &[String] {
        &self.kept
    }

    /// Forgets all rows but the first `rows`: of two files that are written side by side, one may be ahead.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn cut_off_after(&mut self, rows: usize) -> Result<(), Failure> {
        let forgotten = self.kept.drain(rows.min(self.kept.len())..);
        self.end -= forgotten.map(|line| line.len() as u64 + 1).sum::<u64>();
        self.cut_off_at_end()
    }

    /// Appends one row.
    ///
    /// # Errors
    ///
    /// When the disk refuses; the file then ends with the last whole row.
    pub fn append(&mut self, row: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_string(row).expect("rows are plain data");
        line.push('\n');
        match self.file.write_all(line.as_bytes()) {
            Ok(()) => {
                self.end += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.cut_off_at_end()?;
                let mut failure = Failure::io("write", &self.path, &error).to_string();
                failure += "; the file holds whole rows only: make room and go on with --resume";
                Err(Failure::Io(failure))
            }
        }
    }
}

/// The first field in which two headers differ.
fn difference(a: &Header, b: &Header) -> Option<&'static str> {
    let pairs = [
        (a.offerbench == b.offerbench, "lane"),
        (a.schema == b.schema, "schema version"),
        (a.experiment == b.experiment, "experiment"),
        (a.spec_hash == b.spec_hash, "specification (strategies, sweeps, trace)"),
        (a.seed == b.seed, "seed"),
        (a.commit == b.commit && a.dirty == b.dirty, "version of the tool"),
        (a.machine == b.machine, "machine"),
        (a == b, "header"),
    ];
    pairs.into_iter().find(|(same, _)| !same).map(|(_, what)| what)
}
