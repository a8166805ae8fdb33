//! Kernels beside other implementations: medians, ratios by rounds, and whether what was asked is reached.
//!
//! Both ran in turns, so a round's two figures saw the same machine: the ratio is taken in each round and then the
//! median of the ratios, which a slow stretch of the machine does not move as it moves either figure.

use super::prose::Prose;
use crate::format;
use crate::record::{Asked, Machine, Manner, PeerRow, SizeOf, State, Unit};
use crate::stats::{Interval, median_interval};

/// Names of cells that a sentence lists; the rest is counted.
const NAMED: usize = 6;

/// Whether a cell reaches what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The whole interval does.
    Yes,
    /// None of it does.
    No,
    /// The interval holds the figure.
    Open,
}

impl Reached {
    /// For tables.
    pub fn words(self) -> &'static str {
        match self {
            Self::Yes => "reached",
            Self::No => "not reached",
            Self::Open => "open: within the interval",
        }
    }
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// As it was recorded.
    pub row: &'a PeerRow,
    /// Median of ours.
    pub ours: Interval,
    /// Median of the peer's.
    pub theirs: Interval,
    /// Median of theirs over ours, round by round.
    pub ratio: Interval,
}

impl<'a> Line<'a> {
    fn new(row: &'a PeerRow, seed: u64) -> Option<Self> {
        let ratios: Vec<f64> = row.ours.iter().zip(&row.theirs).map(|(ours, theirs)| theirs / ours).collect();
        Some(Self {
            row,
            ours: median_interval(&row.ours, seed)?,
            theirs: median_interval(&row.theirs, seed)?,
            ratio: median_interval(&ratios, seed)?,
        })
    }

    /// Whether it reaches what was asked, if anything was.
    pub fn reached(&self) -> Option<Reached> {
        let (least, most) = match self.row.asked? {
            Asked::RatioAtLeast(asked) => (self.ratio.low / asked, self.ratio.high / asked),
            Asked::OursAtMost(asked) => (asked / self.ours.high, asked / self.ours.low),
        };
        Some(match () {
            () if least >= 1.0 => Reached::Yes,
            () if most < 1.0 => Reached::No,
            () => Reached::Open,
        })
    }

    /// `at least 8 ×`, `at most 17.5 B`.
    pub fn asked(&self) -> Option<String> {
        self.row.asked.map(|asked| match asked {
            Asked::RatioAtLeast(ratio) => format!("at least {}", times(ratio)),
            Asked::OursAtMost(figure) => format!("at most {}", self.figure(figure)),
        })
    }

    /// A figure in the row's unit.
    pub fn figure(&self, value: f64) -> String {
        match self.row.unit {
            Unit::Ns => format::nanos(value),
            Unit::Bytes => format::bytes(value),
        }
    }

    /// `pinsketch encode`.
    pub fn name(&self) -> String {
        format!("{} {}", self.row.kernel, self.row.operation)
    }

    /// `minisketch-rs 0.1.9`.
    pub fn peer(&self) -> String {
        format!("{} {}", self.row.peer, self.row.peer_version).trim_end().to_owned()
    }

    /// `n = 1000, c = 16`.
    pub fn place(&self) -> String {
        let letter = match self.row.size_of {
            None => return format!("n = {}", format::count(self.row.n)),
            Some(SizeOf::Capacity) => "c",
            Some(SizeOf::Symbols) => "m",
            Some(SizeOf::Difference) => "d",
        };
        format!("n = {}, {letter} = {}", format::count(self.row.n), format::count(self.row.size))
    }

    /// `6.1 ×` with what it was asked for.
    fn short(&self) -> String {
        let what = match self.row.asked {
            Some(Asked::OursAtMost(_)) => self.figure(self.ours.mid),
            _ => times(self.ratio.mid),
        };
        let asked = self.asked().map(|asked| format!(", {asked} asked")).unwrap_or_default();
        format!("{} at {} ({what}{asked})", self.name(), self.place())
    }
}

/// `8 ×`.
pub fn times(ratio: f64) -> String {
    format!("{}{}×", format::figure(ratio), format::THIN)
}

/// Whose time it is.
pub fn on(machine: &Machine) -> String {
    let Machine { cpu, os, rustc, flags, .. } = machine;
    format!("Times are CPU time of one thread on {cpu}; {os}; {rustc}; {flags}.")
}

/// Every cell, in the order of the file.
pub fn lines(rows: &[PeerRow]) -> Vec<Line<'_>> {
    rows.iter().zip(1..).filter_map(|(row, seed)| Line::new(row, seed)).collect()
}

/// Cells that may be compared with each other: the same unit, state and manner.
pub struct Shelf<'l, 'a> {
    /// `CPU time from a set, in batches`.
    pub title: String,
    /// Its cells.
    pub lines: Vec<&'l Line<'a>>,
}

/// Cells by what they have in common.
pub fn shelves<'l, 'a>(lines: &'l [Line<'a>]) -> Vec<Shelf<'l, 'a>> {
    let mut kinds: Vec<(Unit, State, Manner)> =
        lines.iter().map(|line| (line.row.unit, line.row.state, line.row.manner)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of = |kind: (Unit, State, Manner)| {
        lines.iter().filter(move |line| (line.row.unit, line.row.state, line.row.manner) == kind).collect()
    };
    kinds.into_iter().map(|kind| Shelf { title: title(kind), lines: of(kind) }).collect()
}

fn title((unit, state, manner): (Unit, State, Manner)) -> String {
    let unit = match unit {
        Unit::Ns => "CPU time",
        Unit::Bytes => "Bytes",
    };
    let manner = match manner {
        Manner::Batch => "all items at once",
        Manner::Single => "one item at a time",
        Manner::Session => "whole sessions, both ends",
    };
    let state = match state {
        State::Cold => "cold: from the sets alone",
        State::Warm => "warm: on what an index maintains",
    };
    format!("{unit}, {manner}, {state}")
}

/// What the cells say together.
pub fn reading(lines: &[Line<'_>]) -> Vec<Prose> {
    let mut all = Vec::new();
    let with = |what: Reached| lines.iter().filter(|line| line.reached() == Some(what)).collect::<Vec<_>>();
    let [yes, no, open] = [Reached::Yes, Reached::No, Reached::Open].map(with);
    let asked = yes.len() + no.len() + open.len();
    if asked > 0 {
        let figures = format::counted(asked as u64, "figure", "figures");
        let mut prose = Prose::new(format!("Of {figures} asked for, {} reached", are(yes.len())));
        prose.text(format!(", {} not", are(no.len())));
        if !open.is_empty() {
            prose.text(format!(", {} open, since the interval holds what was asked", are(open.len())));
        }
        prose.text(".");
        all.push(prose);
    }
    all.extend(list("Not reached: ", &no));
    all.extend(list("Open: ", &open));
    let slower: Vec<&Line<'_>> = lines.iter().filter(|line| line.ratio.high < 1.0).collect();
    all.extend(list("The peer is the cheaper: ", &slower));
    all.extend(growth(lines));
    all
}

fn are(count: usize) -> String {
    format!("{count} {}", if count == 1 { "is" } else { "are" })
}

fn list(head: &str, lines: &[&Line<'_>]) -> Option<Prose> {
    if lines.is_empty() {
        return None;
    }
    let named: Vec<String> = lines.iter().take(NAMED).map(|line| line.short()).collect();
    let more = match lines.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; {more} more"),
    };
    Some(Prose::new(format!("{head}{}{more}.", named.join("; "))))
}

/// How operations are named that put one item into what an index maintains.
const INSERT: &str = "insert";

/// How an insert grows with the set, beside rebuilding: one sentence for each kind with two sizes or more.
fn growth(lines: &[Line<'_>]) -> Vec<Prose> {
    let mut names: Vec<String> = Vec::new();
    let inserts =
        || lines.iter().filter(|line| line.row.operation.starts_with(INSERT) && line.row.unit == Unit::Ns);
    for name in inserts().map(Line::name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let sentence = |name: String| {
        let mut of: Vec<&Line<'_>> = inserts().filter(|line| line.name() == name).collect();
        of.sort_by_key(|line| line.row.n);
        let (first, last) = (of.first()?, of.last()?);
        (first.row.n < last.row.n).then(|| {
            Prose::new(format!(
                "From n = {} to {} one {name} into a maintained index comes to cost {} as much ({} to {}), rebuilding \
                 the index {}.",
                format::count(first.row.n),
                format::count(last.row.n),
                times(last.ours.mid / first.ours.mid),
                first.figure(first.ours.mid),
                last.figure(last.ours.mid),
                times(last.theirs.mid / first.theirs.mid),
            ))
        })
    };
    names.into_iter().filter_map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: &[f64], theirs: &[f64], asked: Option<Asked>) -> PeerRow {
        PeerRow {
            kernel: "pinsketch".into(),
            operation: "encode".into(),
            peer: "minisketch-rs".into(),
            peer_version: "0.1.9".into(),
            n: 1000,
            size_of: Some(SizeOf::Capacity),
            size: 16,
            manner: Manner::Batch,
            state: State::Cold,
            path: "portable".into(),
            unit: Unit::Ns,
            per: "item".into(),
            asked,
            ours: ours.to_vec(),
            theirs: theirs.to_vec(),
        }
    }

    fn reached(ours: &[f64], theirs: &[f64], asked: Asked) -> Option<Reached> {
        let row = row(ours, theirs, Some(asked));
        lines(std::slice::from_ref(&row))[0].reached()
    }

    #[test]
    fn ratios_are_of_rounds_and_not_of_medians() {
        // A machine that slows down to a tenth from round to round moves both figures and no ratio.
        let row = row(&[1.0, 10.0, 100.0], &[5.0, 50.0, 500.0], None);
        let rows = [row];
        let line = &lines(&rows)[0];
        assert_eq!((line.ratio.low, line.ratio.mid, line.ratio.high), (5.0, 5.0, 5.0));
        assert!(line.ours.low < line.ours.high);
        assert_eq!(line.reached(), None);
    }

    #[test]
    fn what_was_asked_is_reached_by_the_whole_interval_or_not() {
        let (ours, theirs) = ([1.0; 5], [7.0, 7.5, 8.0, 8.5, 9.0]);
        assert_eq!(reached(&ours, &theirs, Asked::RatioAtLeast(6.5)), Some(Reached::Yes));
        assert_eq!(reached(&ours, &theirs, Asked::RatioAtLeast(8.1)), Some(Reached::Open));
        assert_eq!(reached(&ours, &theirs, Asked::RatioAtLeast(9.5)), Some(Reached::No));
        assert_eq!(reached(&theirs, &ours, Asked::OursAtMost(9.5)), Some(Reached::Yes));
        assert_eq!(reached(&theirs, &ours, Asked::OursAtMost(8.1)), Some(Reached::Open));
        assert_eq!(reached(&theirs, &ours, Asked::OursAtMost(6.5)), Some(Reached::No));
    }

    #[test]
    fn sentences_count_and_name() {
        let asked = |ratio| Some(Asked::RatioAtLeast(ratio));
        let rows =
            [row(&[1.0], &[8.0], asked(4.0)), row(&[1.0], &[8.0], asked(20.0)), row(&[2.0], &[1.0], None)];
        let words: Vec<String> =
            reading(&lines(&rows)).iter().map(|one| one.plain().replace(format::THIN, " ")).collect();
        assert_eq!(words[0], "Of 2 figures asked for, 1 is reached, 1 is not.");
        assert_eq!(words[1], "Not reached: pinsketch encode at n = 1000, c = 16 (8 ×, at least 20 × asked).");
        assert_eq!(words[2], "The peer is the cheaper: pinsketch encode at n = 1000, c = 16 (0.5 ×).");
    }

    #[test]
    fn an_insert_is_held_against_its_own_growth() {
        let insert = |n: u64, ours: f64, theirs: f64| PeerRow {
            operation: INSERT.into(),
            n,
            size_of: None,
            size: 0,
            ..row(&[ours], &[theirs], None)
        };
        let rows = [insert(1_000_000, 20.0, 1e8), insert(1000, 10.0, 1e5)];
        let words = growth(&lines(&rows))[0].plain().replace(format::THIN, " ");
        let expected = "From n = 1000 to 1 000 000 one pinsketch insert into a maintained index comes to cost 2 × as \
                        much (10 ns to 20 ns), rebuilding the index 1000 ×.";
        assert_eq!(words, expected);
    }
}
