//! Kernels beside other implementations, as Markdown and as CSV.

use super::markdown::{Table, escaped};
use crate::book::Book;
use crate::record::Asked;
use crate::study::peers::{Line, lines, on, reading, times};
use crate::study::summary::with_interval;

/// A section; empty where no file of peers was given.
pub fn section(book: &Book) -> String {
    let lines = lines(book.peer_rows());
    if lines.is_empty() {
        return String::new();
    }
    let mut text = "\n## Our kernels beside other implementations\n".to_owned();
    for sentence in reading(&lines) {
        text += &format!("\n{}\n", escaped(&sentence.plain()));
    }
    if let Some(machine) = book.peers().and_then(|run| run.header().machine.as_ref()) {
        text += &format!("\n{}\n", escaped(&on(machine)));
    }
    let heads = ["kernel", "at", "how", "our path", "beside", "for one", "ours", "theirs", "ratio (95%)"];
    let mut table = Table::new(&[&heads[..], &["asked", "reached"]].concat());
    for line in &lines {
        let how = [name(line.row.manner), name(line.row.state)].join(", ");
        let cells = [
            line.name(),
            line.place(),
            how,
            line.row.path.clone(),
            line.peer(),
            line.row.per.clone(),
            line.figure(line.ours.mid),
            line.figure(line.theirs.mid),
            with_interval(line.ratio, times),
            line.asked().unwrap_or_default(),
            line.reached().map_or_else(String::new, |reached| reached.words().to_owned()),
        ];
        table.row(&cells.map(|cell| escaped(&cell)));
    }
    text + "\n" + &table.finish()
}

/// Names of the columns.
const HEADS: [&str; 25] = [
    "kernel",
    "operation",
    "peer",
    "peer_version",
    "n",
    "size_of",
    "size",
    "manner",
    "state",
    "path",
    "unit",
    "per",
    "rounds",
    "ours_low",
    "ours_median",
    "ours_high",
    "theirs_low",
    "theirs_median",
    "theirs_high",
    "ratio_low",
    "ratio_median",
    "ratio_high",
    "asked_ratio_min",
    "asked_ours_max",
    "reached",
];

/// The table alone: its columns have nothing in common with those of contenders.
pub fn csv(book: &Book) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADS).expect("a vector takes every record");
    for line in lines(book.peer_rows()) {
        writer.write_record(record(&line)).expect("a vector takes every record of one length");
    }
    let bytes = writer.into_inner().expect("a vector takes every byte");
    String::from_utf8(bytes).expect("all cells are text")
}

fn record(line: &Line<'_>) -> [String; HEADS.len()] {
    let row = line.row;
    let asked = match row.asked {
        None => [String::new(), String::new()],
        Some(Asked::RatioAtLeast(figure)) => [figure.to_string(), String::new()],
        Some(Asked::OursAtMost(figure)) => [String::new(), figure.to_string()],
    };
    let mut cells = vec![
        row.kernel.clone(),
        row.operation.clone(),
        row.peer.clone(),
        row.peer_version.clone(),
        row.n.to_string(),
        row.size_of.map_or_else(String::new, name),
        row.size_of.map_or_else(String::new, |_| row.size.to_string()),
        name(row.manner),
        name(row.state),
        row.path.clone(),
        name(row.unit),
        row.per.clone(),
        row.ours.len().to_string(),
    ];
    for one in [line.ours, line.theirs, line.ratio] {
        cells.extend([one.low, one.mid, one.high].map(|value| value.to_string()));
    }
    cells.extend(asked);
    cells.push(line.reached().map_or_else(String::new, |reached| reached.words().to_owned()));
    cells.try_into().expect("a cell for every head")
}

/// The name of a unit, manner or state as the file spells it.
fn name(value: impl serde::Serialize) -> String {
    let name = serde_json::to_value(value).ok().and_then(|name| name.as_str().map(str::to_owned));
    name.expect("variants without fields are written as their names")
}
