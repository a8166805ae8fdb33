//! The commands, one file each.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use offerbench_reports::{Book, summary_legend, summary_table};

use crate::error::Failure;

pub mod cmp;
pub mod demo;
pub mod import;
pub mod inspect;
pub mod list;
pub mod report;
pub mod run;
pub mod soak;
pub mod verify;

/// Prints a line for people on standard output. A reader who has gone away (`| head`) is no error.
pub fn say(line: impl fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Lays rows out in columns, the first row as a heading. The last column is not padded.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line += &format!("{cell:<width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Prints a book's summary with its legend, unless the terminal is too narrow for columns to be read.
pub fn say_summary(book: &Book) {
    let text = table(&summary_table(book)) + &summary_legend(book).join("\n");
    let width = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    match terminal_size::terminal_size_of(std::io::stdout()) {
        Some((columns, _)) if usize::from(columns.0) < width => {
            say(format_args!("(the table is {width} columns wide; it is in the report, too)"));
        }
        _ => say(text),
    }
}

/// Threads to use: those that were asked for, or one a core.
fn thread_count(asked: Option<usize>) -> Result<usize, Failure> {
    match asked {
        Some(0) => Err(Failure::usage("--threads 0: expected at least 1")),
        Some(threads) => Ok(threads),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
}

/// A flag that Ctrl-C sets. A second Ctrl-C ends the process at once.
fn on_ctrl_c(what: &'static str) -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nending after the {what} under way (Ctrl-C again: at once) ...");
    })
    .map_err(|error| Failure::Io(format!("cannot catch Ctrl-C: {error}")))?;
    Ok(flag)
}
