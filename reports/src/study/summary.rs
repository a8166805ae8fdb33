//! A sweep's reference point in detail: every contender with intervals, failures, heap and CPU.

use super::cell::{Cell, Outcomes};
use super::prose::Prose;
use super::{Point, Roster, Study, SweepStudy};
use crate::book::Book;
use crate::format;
use crate::stats::{Interval, wilson};

/// Columns of a [`Line`] behind the contender's name, in order.
pub const COLUMNS: [&str; 8] = [
    "Bytes per session, median (95%)",
    "Bytes per difference",
    "Flights",
    "Failures (95%)",
    "Exact / recovered / gave up / wrong",
    "Peak heap",
    "CPU build",
    "CPU session",
];

/// One contender at a reference point.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Contender.
    pub index: usize,
    /// Under [`COLUMNS`].
    pub texts: [String; 8],
    /// What each text is sorted by; infinite where there is no price.
    pub values: [Option<f64>; 8],
}

/// An estimate with its interval, the interval left out where it adds nothing.
pub fn with_interval(value: Interval, show: fn(f64) -> String) -> String {
    match format::range(value.low, value.high, show) {
        Some(range) => format!("{} ({range})", show(value.mid)),
        None => show(value.mid),
    }
}

/// Failures of trials: zero is shown as what the trials cannot exclude.
pub fn failures(outcomes: Outcomes) -> String {
    let (hits, trials) = (outcomes.failures(), outcomes.trials());
    let rate = wilson(hits, trials);
    let counts = format!("{} of {}", format::count(hits), format::count(trials));
    if hits == 0 {
        return format!("{counts} (≤ {})", format::percent(rate.high));
    }
    format!("{counts} ({})", format::range(rate.low, rate.high, format::percent).unwrap_or_default())
}

/// Bytes of a cell; more failed than not means that there is no price.
pub fn bytes(cell: &Cell<'_>) -> String {
    if cell.bytes.mid.is_infinite() {
        return format!("failed (spent {})", format::bytes(cell.bytes_spent));
    }
    with_interval(cell.bytes, format::bytes)
}

fn optional(value: Option<Interval>) -> String {
    value.map_or_else(|| "–".into(), |interval| format::nanos(interval.mid))
}

fn line(index: usize, point: &Point<'_>) -> Line {
    let Some(cell) = point.cells.get(&index) else {
        let mut texts: [String; 8] = std::array::from_fn(|_| "–".into());
        texts[0] = "no rows".into();
        return Line { index, texts, values: [None; 8] };
    };
    let Outcomes { exact, recovered, gave_up, wrong } = cell.outcomes;
    let each = match point.place.d {
        0 => "–".into(),
        d if cell.bytes.mid.is_finite() => format::bytes(cell.bytes.mid / d as f64),
        _ => "–".into(),
    };
    Line {
        index,
        texts: [
            bytes(cell),
            each,
            if cell.flights.mid.is_finite() { format::figure(cell.flights.mid) } else { "–".into() },
            failures(cell.outcomes),
            format!("{exact} / {recovered} / {gave_up} / {wrong}"),
            format::bytes(cell.heap_peak),
            optional(cell.times.build),
            optional(cell.times.session),
        ],
        values: [
            Some(cell.bytes.mid),
            (point.place.d > 0).then(|| cell.bytes.mid / point.place.d as f64),
            Some(cell.flights.mid),
            Some(cell.outcomes.failures() as f64),
            Some(exact as f64),
            Some(cell.heap_peak),
            cell.times.build.map(|time| time.mid),
            cell.times.session.map(|time| time.mid),
        ],
    }
}

/// The lines of one sweep at its reference point: cheapest first, bounds last.
pub fn lines(sweep: &SweepStudy<'_>, roster: &Roster<'_>) -> Vec<Line> {
    let Some((_, point)) = sweep.reference() else { return Vec::new() };
    let mut order = sweep.contenders.clone();
    let price = |index: &usize| point.cells.get(index).map_or(f64::INFINITY, |cell| cell.bytes.mid);
    order.sort_by(|a, b| {
        roster.oracle(*a).cmp(&roster.oracle(*b)).then(price(a).total_cmp(&price(b))).then(a.cmp(b))
    });
    order.into_iter().map(|index| line(index, point)).collect()
}

/// The claims about growth that these files speak of, each with what was measured, for a terminal.
pub fn claims(book: &Book) -> Vec<String> {
    let study = Study::new(book);
    let mut lines = Vec::new();
    for claim in super::group::claims::claims(&study) {
        let sentences = super::group::reading::claim(&claim, &study);
        // The page says which claims have too few points; here only what was measured is told.
        let mut findings = claim.evidence.iter().flat_map(|evidence| &evidence.findings);
        if findings.any(|finding| finding.answer.is_ok()) {
            lines.push(format!("{}:", claim.words));
            lines.extend(sentences.iter().map(|sentence| format!("  {}", sentence.plain())));
        }
    }
    lines
}

/// The sentences of the report's first screen, for a terminal: three, or four where sessions and groups were run; of a
/// book of nothing but peers what their cells say together.
pub fn sentences(book: &Book) -> Vec<String> {
    if book.experiments().is_empty() {
        return super::peers::reading(&super::peers::lines(book.peer_rows()))
            .iter()
            .map(Prose::plain)
            .collect();
    }
    let study = Study::new(book);
    super::verdict::sentences(&study).iter().map(Prose::plain).collect()
}
