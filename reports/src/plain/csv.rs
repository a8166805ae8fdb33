//! One flat table: a row for each contender at each point, of sessions and of groups.
//!
//! Columns that do not apply are empty; a median that half of the trials did not reach is `inf`, as R and pandas
//! read it; the trials behind it and how they ended stand beside it. Times are in nanoseconds, sizes in bytes.

use crate::book::Book;
use crate::stats::Interval;
use crate::study::group::GroupPoint;
use crate::study::{Cell, Place, Point, Roster, Study};

/// Names of the columns.
const HEADS: [&str; 60] = [
    "experiment",
    "sweep",
    "kind",
    "point",
    "contender",
    "guarantee",
    "told_d",
    "workload",
    "pattern",
    "m",
    "n",
    "k",
    "d",
    "window",
    "guess",
    "absence_ms",
    "presence",
    "sharing",
    "mode",
    "acks",
    "link",
    "relays",
    "history",
    "written",
    "duration_ms",
    "uptime_ppm",
    "away_ms",
    "trials",
    "exact",
    "recovered",
    "gave_up",
    "wrong",
    "bytes_low",
    "bytes_median",
    "bytes_high",
    "bytes_spent_median",
    "flights_low",
    "flights_median",
    "flights_high",
    "heap_peak_bytes",
    "build_ns_low",
    "build_ns_median",
    "build_ns_high",
    "insert_ns_low",
    "insert_ns_median",
    "insert_ns_high",
    "session_ns_low",
    "session_ns_median",
    "session_ns_high",
    "member_day_bytes_min",
    "member_day_bytes_median",
    "member_day_bytes_max",
    "member_day_cpu_ns_median",
    "delivered_share",
    "possible_share",
    "overhead_share",
    "delivery_ms_p50",
    "delivery_ms_p99",
    "redundant_per_delivered",
    "complete",
];

/// A row under construction: values by column.
struct Row(Vec<String>);

impl Row {
    fn new() -> Self {
        Self(vec![String::new(); HEADS.len()])
    }

    fn set(&mut self, column: &str, value: impl ToString) {
        let at = HEADS.iter().position(|head| *head == column).expect("only columns of HEADS are set");
        self.0[at] = value.to_string();
    }

    fn set_some(&mut self, column: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.set(column, value);
        }
    }

    /// The three columns of an interval.
    fn interval(&mut self, stem: &str, ends: [&str; 3], value: Option<Interval>) {
        if let Some(Interval { low, mid, high }) = value {
            for (end, value) in ends.iter().zip([low, mid, high]) {
                self.set(&format!("{stem}_{end}"), value);
            }
        }
    }

    fn contender(&mut self, roster: &Roster<'_>, index: usize) {
        let contender = roster.contenders[index];
        self.set("contender", &contender.spec);
        self.set("guarantee", &contender.guarantee);
        self.set("told_d", contender.oracle);
    }
}

/// Ends of a 95% interval.
const CONFIDENCE: [&str; 3] = ["low", "median", "high"];

/// Writes the table of a book.
///
/// Sessions come first; both in the order of the headers. Lines end with a line feed. A book of nothing but peers has
/// a table of its own; beside experiments they are left out, since no column would fit.
pub fn csv(book: &Book) -> String {
    if book.experiments().is_empty() {
        return super::peers::csv(book);
    }
    let study = Study::new(book);
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let mut put =
        |row: &[String]| writer.write_record(row).expect("a vector takes every record of one length");
    put(&HEADS.map(str::to_owned));
    for (part, sweep) in study.sweeps() {
        for point in sweep.points() {
            for (index, cell) in &point.cells {
                let mut row = Row::new();
                row.set("experiment", part.experiment.name());
                row.set("sweep", &sweep.sweep.name);
                row.contender(&study.roster, *index);
                session(&mut row, point, cell);
                put(&row.0);
            }
        }
    }
    for (part, sweep) in study.groups() {
        for point in sweep.points() {
            for index in point.cells.keys() {
                let mut row = Row::new();
                row.set("experiment", part.experiment.name());
                row.set("sweep", &sweep.sweep.name);
                row.contender(&study.roster, *index);
                group(&mut row, point, *index);
                put(&row.0);
            }
        }
    }
    let bytes = writer.into_inner().expect("a vector takes every byte");
    String::from_utf8(bytes).expect("all cells are text")
}

fn session(row: &mut Row, point: &Point<'_>, cell: &Cell<'_>) {
    row.set("kind", "session");
    row.set_some("point", cell.rows.first().map(|row| row.point));
    let Place { workload, pattern, sides, d, n, k, window, guess, absence_ms } = &point.place;
    row.set("workload", workload);
    row.set("pattern", pattern);
    row.set("m", sides.m);
    row.set("n", n);
    row.set("k", k);
    row.set("d", d);
    row.set("window", window);
    row.set_some("guess", *guess);
    row.set_some("absence_ms", *absence_ms);
    row.set("trials", cell.outcomes.trials());
    row.set("exact", cell.outcomes.exact);
    row.set("recovered", cell.outcomes.recovered);
    row.set("gave_up", cell.outcomes.gave_up);
    row.set("wrong", cell.outcomes.wrong);
    row.interval("bytes", CONFIDENCE, Some(cell.bytes));
    row.set("bytes_spent_median", cell.bytes_spent);
    row.interval("flights", CONFIDENCE, Some(cell.flights));
    row.set("heap_peak_bytes", cell.heap_peak);
    row.interval("build_ns", CONFIDENCE, cell.times.build);
    row.interval("insert_ns", CONFIDENCE, cell.times.insert);
    row.interval("session_ns", CONFIDENCE, cell.times.session);
}

fn group(row: &mut Row, point: &GroupPoint<'_>, index: usize) {
    let cell = &point.cells[&index];
    let place = &point.place;
    row.set("kind", "group");
    row.set("point", point.number);
    for (column, text) in [
        ("workload", &place.workload),
        ("presence", &place.presence),
        ("sharing", &place.sharing),
        ("mode", &place.mode),
        ("acks", &place.acks),
        ("link", &place.link),
    ] {
        row.set(column, text);
    }
    row.set("m", place.m);
    row.set("n", place.n);
    row.set("k", place.k);
    row.set("relays", place.relays);
    row.set("history", place.history);
    row.set("written", place.written);
    row.set("duration_ms", place.duration_ms);
    row.set("uptime_ppm", place.uptime_ppm);
    row.set_some("away_ms", place.away_ms);
    row.set("trials", cell.rows.len());
    row.set("wrong", cell.wrong);
    let complete =
        cell.rows.iter().filter(|row| row.outcome == crate::record::GroupOutcome::Complete).count();
    row.set("complete", complete);
    let heap: Vec<f64> = cell.rows.iter().map(|row| row.heap_peak_bytes as f64).collect();
    row.set_some("heap_peak_bytes", crate::stats::median(&heap));
    // Replicates of groups are few: least and most, no interval.
    row.interval("member_day_bytes", ["min", "median", "max"], Some(cell.member_day));
    row.set_some("member_day_cpu_ns_median", cell.cpu_day.map(|cpu| cpu.mid));
    row.set("delivered_share", cell.delivered());
    row.set("possible_share", cell.possible());
    row.set("overhead_share", cell.overhead());
    row.set_some("redundant_per_delivered", cell.duplicates());
    let (delivery, due) = (cell.delivery(), cell.due_since_writing());
    if due > 0 {
        for (column, quantile) in [("delivery_ms_p50", 0.5), ("delivery_ms_p99", 0.99)] {
            let value = delivery.quantile_of_due(quantile, due);
            row.set(column, value.map_or_else(|| "inf".to_owned(), |ms| ms.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_name_of_its_own() {
        let mut heads = HEADS.to_vec();
        heads.sort_unstable();
        heads.dedup();
        assert_eq!(heads.len(), HEADS.len());
    }

    #[test]
    fn an_unreached_median_reads_as_a_number_does() {
        let mut row = Row::new();
        let never = f64::INFINITY;
        row.interval("bytes", CONFIDENCE, Some(Interval { low: 1.5, mid: never, high: never }));
        assert_eq!(row.0.join(",").trim_matches(','), "1.5,inf,inf");
    }
}
