//! The book in one matrix: a row a contender, a column a sweep. The page and the terminal print it.

use super::cell::Outcomes;
use super::group::digest::GroupDigest;
use super::panel::Point;
use super::winner::winner;
use super::{Roster, Study};
use crate::book::Book;
use crate::format;
use crate::stats::median;

/// A sweep, seen from its reference point.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the sweep.
    pub name: String,
    /// The reference point in words.
    pub at: String,
}

/// What a contender pays at a reference point.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// Median bytes; infinite where half of the sessions or more failed.
    pub bytes: f64,
    /// Median bytes spent, failed sessions included.
    pub spent: f64,
    /// How the sessions ended.
    pub outcomes: Outcomes,
    /// Whether nobody who may win pays less.
    pub best: bool,
}

/// A contender.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Which.
    pub index: usize,
    /// Under [`Digest::columns`].
    pub prices: Vec<Option<Price>>,
    /// Over the whole book.
    pub outcomes: Outcomes,
    /// Median over the reference points of the median flights.
    pub flights: Option<f64>,
    /// CPU of building the index, in ns, at [`Digest::timed_at`].
    pub build: Option<f64>,
    /// CPU of a session, in ns, at the same point.
    pub session: Option<f64>,
}

/// The matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Digest {
    /// By experiment, as the header orders them.
    pub columns: Vec<Column>,
    /// By family, bounds last.
    pub entries: Vec<Entry>,
    /// The timed point with the most messages: M and d.
    pub timed_at: Option<(u64, u64)>,
}

impl Digest {
    /// Reads it off a study.
    pub fn new(study: &Study<'_>) -> Self {
        let roster = &study.roster;
        let mut columns = Vec::new();
        let mut points: Vec<(&Point<'_>, Option<usize>)> = Vec::new();
        for (part, sweep) in study.sweeps() {
            let Some((_, point)) = sweep.reference() else { continue };
            columns.push(Column {
                experiment: part.experiment.header().experiment.clone(),
                name: sweep.sweep.name.clone(),
                at: point.place.words(),
            });
            points.push((point, winner(point, roster).map(|best| best.index)));
        }
        let timed = timed_point(study);
        let mut order: Vec<usize> = (0..roster.contenders.len()).collect();
        order.sort_by_key(|index| (roster.oracle(*index), *index));
        let all = study.outcomes();
        let entries = order.into_iter().map(|index| Entry {
            index,
            prices: points.iter().map(|(point, best)| price(point, *best, index)).collect(),
            outcomes: all.get(&index).copied().unwrap_or_default(),
            flights: flights(&points, index),
            build: timed.and_then(|point| Some(point.cells.get(&index)?.times.build?.mid)),
            session: timed.and_then(|point| Some(point.cells.get(&index)?.times.session?.mid)),
        });
        Self {
            columns,
            entries: entries.filter(|entry| entry.outcomes.trials() > 0).collect(),
            timed_at: timed.map(|point| (point.place.sides.m, point.place.d)),
        }
    }
}

fn price(point: &Point<'_>, best: Option<usize>, index: usize) -> Option<Price> {
    let cell = point.cells.get(&index)?;
    Some(Price {
        bytes: cell.bytes.mid,
        spent: cell.bytes_spent,
        outcomes: cell.outcomes,
        best: best == Some(index),
    })
}

fn flights(points: &[(&Point<'_>, Option<usize>)], index: usize) -> Option<f64> {
    let medians: Vec<f64> =
        points.iter().filter_map(|(point, _)| Some(point.cells.get(&index)?.flights.mid)).collect();
    median(&medians).filter(|flights| flights.is_finite())
}

/// The timed point with the most messages; of several, that at which the most contenders were timed, and
/// of those the first.
fn timed_point<'s, 'a>(study: &'s Study<'a>) -> Option<&'s Point<'a>> {
    let mut best: Option<((u64, usize), &Point<'_>)> = None;
    for point in study.sweeps().flat_map(|(_, sweep)| sweep.points()) {
        let timed = point.cells.values().filter(|cell| cell.times.session.is_some()).count();
        let rank = (point.place.sides.m, timed);
        if timed > 0 && best.is_none_or(|(most, _)| rank > most) {
            best = Some((rank, point));
        }
    }
    best.map(|(_, point)| point)
}

/// Bytes in five characters: `912`, `45.1k`, `1.2M`.
fn terse(bytes: f64) -> String {
    format::bytes(bytes).replace([format::THIN, 'B'], "")
}

/// Longest title of a sweep's column in the terminal.
const TITLE_LEN: usize = 8;

/// The matrix for a terminal of about 100 columns: contender, median bytes at each sweep's reference
/// point, sessions that gave up and that were wrong. Every row has as many cells.
///
/// Contenders stand in groups: a row names strategy and parameters, the rows below it give their values.
/// [`summary_legend`] says what the marks mean and where the reference points lie.
///
/// Sweeps over groups follow in a second block, with a header of its own: bytes a member and day.
pub fn summary_table(book: &Book) -> Vec<Vec<String>> {
    let study = Study::new(book);
    let mut table =
        if study.has_sessions() || !study.has_groups() { session_table(&study) } else { Vec::new() };
    if study.has_groups() {
        table.extend(group_table(&study));
    }
    let width = table.iter().map(Vec::len).max().unwrap_or(0);
    for row in &mut table {
        row.resize(width, String::new());
    }
    table
}

fn group_table(study: &Study<'_>) -> Vec<Vec<String>> {
    let digest = GroupDigest::new(study);
    let mut table = vec![vec!["Bytes a member+day".to_owned()]];
    table[0].extend(digest.columns.iter().map(|column| crate::charts::cut(&column.name, TITLE_LEN)));
    table[0].extend(["arrived".into(), "wrong".into()]);
    for entry in &digest.entries {
        let mut row = vec![study.roster.marked(entry.index)];
        row.extend(entry.prices.iter().map(|price| {
            let Some(price) = price else { return "-".to_owned() };
            let mark = if price.best { "*" } else { "" };
            let partial = if price.delivered < 1.0 { "°" } else { "" };
            format!("{}{mark}{partial}", terse(price.bytes.mid))
        }));
        row.push(entry.delivered.map_or_else(|| "-".to_owned(), floored_percent));
        row.push(entry.wrong.to_string());
        table.push(row);
    }
    table
}

/// A share in percent that says 100 only if it is all.
fn floored_percent(share: f64) -> String {
    format!("{}%", (share * 1000.0).floor() / 10.0)
}

fn session_table(study: &Study<'_>) -> Vec<Vec<String>> {
    let digest = Digest::new(study);
    let mut table = vec![vec!["Median bytes".to_owned()]];
    table[0].extend(digest.columns.iter().map(|column| crate::charts::cut(&column.name, TITLE_LEN)));
    table[0].extend(["gave up".into(), "wrong".into()]);
    let width = table[0].len();
    let mut group = String::new();
    for entry in &digest.entries {
        let (title, name) = names(&study.roster, entry.index);
        if title != group && title != name {
            let mut row = vec![String::new(); width];
            row[0].clone_from(&title);
            table.push(row);
        }
        let mut row = vec![if title == name { name } else { format!("  {name}") }];
        row.extend(entry.prices.iter().map(|price| price.as_ref().map_or_else(|| "-".into(), terse_price)));
        row.extend([entry.outcomes.gave_up, entry.outcomes.wrong].map(|count| count.to_string()));
        table.push(row);
        group = title;
    }
    table
}

/// The group and the name within it.
fn names(roster: &Roster<'_>, index: usize) -> (String, String) {
    let label = roster.short(index);
    let tail =
        |name: &str| roster.mark(index).map_or_else(|| name.to_owned(), |mark| format!("{name} {mark}"));
    if roster.oracle(index) {
        return ("told d".into(), format!("{} {}", label.family, label.values).trim_end().to_owned());
    }
    if label.values.is_empty() && roster.family(index).count() == 1 {
        return (tail(&label.family), tail(&label.family));
    }
    let values = if label.values.is_empty() { "(no parameters)" } else { &label.values };
    (format!("{} {}", label.family, label.keys).trim_end().to_owned(), tail(values))
}

fn terse_price(price: &Price) -> String {
    let (failures, trials) = (price.outcomes.failures(), price.outcomes.trials());
    match failures {
        0 => format!("{}{}", terse(price.bytes), if price.best { "*" } else { "" }),
        _ => format!("✗{failures}/{trials}"),
    }
}

/// What [`summary_table`] needs to be understood, a line each: its marks, then its reference points.
pub fn summary_legend(book: &Book) -> Vec<String> {
    let study = Study::new(book);
    let mut lines = Vec::new();
    if study.has_sessions() || !study.has_groups() {
        lines.extend(session_legend(&study));
    }
    if study.has_groups() {
        lines.push(
            "* cheapest a member and day of those that deliver as much (to 1%); ° something due had not arrived; \
             arrived: of all that was due; k = kB, M = MB"
                .to_owned(),
        );
        let digest = GroupDigest::new(&study);
        lines.extend(digest.columns.iter().map(|column| format!("{}: {}", column.name, column.at)));
    }
    lines
}

fn session_legend(study: &Study<'_>) -> Vec<String> {
    let digest = Digest::new(study);
    let mut lines = vec![
        "* cheapest of those that promise exactness, are not told d, were never wrong and did not fail there; \
         ✗k/n: k of n sessions failed; k = kB, M = MB"
            .to_owned(),
    ];
    lines.extend(digest.columns.iter().map(|column| format!("{}: {}", column.name, column.at)));
    lines
}
