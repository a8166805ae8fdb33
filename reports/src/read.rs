//! Reads one file, line by line, and believes nothing: every line is bounded, parsed strictly, and held
//! against its header before the next is looked at.
//!
//! The order of the checks decides which error a reader sees, and so what he is told to do. A cut last
//! line is named as such before anybody tries to parse it; the schema version is compared before the
//! fields, because a later schema has other fields for good reasons.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::book::{Rows, Run};
use crate::error::BookError;
use crate::record::{
    Asked, Axis, CpuRow, ExactRow, GroupAxis, GroupOutcome, GroupRow, Header, Lane, PeerRow, SCHEMA, Timed,
    TimedRow,
};

/// Bytes that a line may have, its end included. A header with hundreds of contenders or a row with
/// thousands of samples stays far below.
pub const LINE_LEN_MAX: u64 = 4 << 20;

/// Spec of the rows that time the harness itself; no contender bears it.
pub const EMPTY_SPEC: &str = "empty";

/// Reads one file of records, `name` being how errors and the report call it.
///
/// A file with fewer rows than its header announces is read, and is a [`Gap`](crate::Gap) in the book.
///
/// # Errors
///
/// Every damage, mixture or contradiction within the file is a [`BookError`] that names the line.
pub fn read(name: &str, lines: &mut dyn BufRead) -> Result<Run, BookError> {
    let mut lines = Lines { file: name, lines, number: 0, bytes: Vec::new() };
    let header = header(&mut lines)?;
    let mut desk = Desk::new(name, &header)?;
    let rows = match header.offerbench {
        Lane::Exact => Rows::Exact(desk.exact_rows(&mut lines)?),
        Lane::Timed => Rows::Timed(desk.timed_rows(&mut lines)?),
        Lane::Group => Rows::Group(desk.group_rows(&mut lines)?),
        Lane::Cpu => Rows::Cpu(desk.cpu_rows(&mut lines)?),
        Lane::Peers => Rows::Peers(desk.peer_rows(&mut lines)?),
    };
    Ok(Run::new(name.to_owned(), header, rows))
}

/// The lines of a file, one at a time, into one buffer.
struct Lines<'a> {
    file: &'a str,
    lines: &'a mut dyn BufRead,
    /// Number of the line in `bytes`, from 1.
    number: u64,
    bytes: Vec<u8>,
}

impl Lines<'_> {
    /// The next line without its end, or `None` after the last.
    fn next(&mut self) -> Result<Option<&[u8]>, BookError> {
        self.number += 1;
        self.bytes.clear();
        let (file, line) = (|| self.file.to_owned(), self.number);
        match (&mut *self.lines).take(LINE_LEN_MAX).read_until(b'\n', &mut self.bytes) {
            Err(source) => Err(BookError::Io { file: file(), line, source }),
            Ok(0) => Ok(None),
            Ok(_) if self.bytes.last() == Some(&b'\n') => Ok(Some(&self.bytes[..self.bytes.len() - 1])),
            Ok(len) if len as u64 == LINE_LEN_MAX => {
                Err(BookError::LineTooLong { file: file(), line, limit: LINE_LEN_MAX })
            }
            // A first line without an end is more often no record file at all; the header check says so.
            Ok(_) if line == 1 && !self.bytes.starts_with(b"{\"offerbench\"") => Ok(Some(&self.bytes)),
            Ok(_) => Err(BookError::Truncated { file: file(), line }),
        }
    }
}

/// What the parser said, without its own line number, which is always 1.
fn message(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", ", at column ")
}

fn parse<T: DeserializeOwned>(
    bytes: &[u8],
    file: &str,
    line: u64,
    what: &'static str,
) -> Result<T, BookError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (file, message) = (file.to_owned(), message(&error));
        if error.is_data() {
            BookError::Field { file, line, what, message }
        } else {
            BookError::Damaged { file, line, message }
        }
    })
}

fn header(lines: &mut Lines<'_>) -> Result<Header, BookError> {
    let file = lines.file;
    let not_records = |found: &str| BookError::NotRecords { file: file.to_owned(), found: found.to_owned() };
    let Some(bytes) = lines.next()? else { return Err(not_records("an empty file")) };
    let value: Value =
        serde_json::from_slice(bytes).map_err(|_| not_records("something that is not JSON"))?;
    let Value::Object(fields) = value else { return Err(not_records("JSON that is no object")) };
    if !fields.contains_key("offerbench") {
        return Err(not_records("a JSON object without it"));
    }
    let schema = fields.get("schema");
    if schema.and_then(Value::as_u64) != Some(u64::from(SCHEMA)) {
        let found = schema.map_or_else(|| "none".to_owned(), Value::to_string);
        return Err(BookError::Schema { file: file.to_owned(), found });
    }
    parse(bytes, file, 1, "header")
}

/// The axis of a sweep of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnyAxis {
    Sessions(Axis),
    Groups(GroupAxis),
}

/// What rows are checked against: the header's names, and the rows seen so far.
struct Desk<'a> {
    file: &'a str,
    rows_max: u64,
    /// Sweeps over sessions, or over groups: whichever the lane is about.
    sweeps: BTreeMap<String, (usize, AnyAxis)>,
    specs: BTreeMap<String, usize>,
}

impl<'a> Desk<'a> {
    fn new(file: &'a str, header: &Header) -> Result<Self, BookError> {
        let mut desk = Self { file, rows_max: header.rows, sweeps: BTreeMap::new(), specs: BTreeMap::new() };
        let of_groups = matches!(header.offerbench, Lane::Group | Lane::Cpu);
        if of_groups && !header.sweeps.is_empty() {
            return Err(desk.headless("`sweeps` stands in a file of group trials, which has `groups`"));
        }
        if !of_groups && !header.groups.is_empty() {
            return Err(desk.headless("`groups` stands in a file of sessions, which has `sweeps`"));
        }
        let sessions = header.sweeps.iter().map(|one| (&one.name, AnyAxis::Sessions(one.axis)));
        let groups = header.groups.iter().map(|one| (&one.name, AnyAxis::Groups(one.axis)));
        for (index, (name, axis)) in sessions.chain(groups).enumerate() {
            if desk.sweeps.insert(name.clone(), (index, axis)).is_some() {
                return Err(desk.undescribed(1, "sweep", name));
            }
        }
        for (index, contender) in header.contenders.iter().enumerate() {
            if desk.specs.insert(contender.spec.clone(), index).is_some() {
                return Err(desk.undescribed(1, "spec", &contender.spec));
            }
        }
        if matches!(header.offerbench, Lane::Timed | Lane::Cpu | Lane::Peers) && header.machine.is_none() {
            return Err(desk.headless("missing field `machine`"));
        }
        Ok(desk)
    }

    fn headless(&self, message: &str) -> BookError {
        let (file, message) = (self.file.to_owned(), message.to_owned());
        BookError::Field { file, line: 1, what: "header", message }
    }

    fn undescribed(&self, line: u64, what: &'static str, name: &str) -> BookError {
        BookError::Undescribed { file: self.file.to_owned(), line, what, name: name.to_owned() }
    }

    fn sweep(&self, line: u64, name: &str) -> Result<(usize, AnyAxis), BookError> {
        self.sweeps.get(name).copied().ok_or_else(|| self.undescribed(line, "sweep", name))
    }

    fn spec(&self, line: u64, name: &str) -> Result<usize, BookError> {
        self.specs.get(name).copied().ok_or_else(|| self.undescribed(line, "spec", name))
    }

    /// Refuses a row more than announced. `held` is the number of rows so far.
    fn room(&self, line: u64, held: usize) -> Result<(), BookError> {
        if held as u64 >= self.rows_max {
            return Err(BookError::TooManyRows { file: self.file.to_owned(), line, rows: self.rows_max });
        }
        Ok(())
    }

    fn possible(&self, line: u64, holds: bool, expected: &'static str) -> Result<(), BookError> {
        if holds { Ok(()) } else { Err(BookError::Impossible { file: self.file.to_owned(), line, expected }) }
    }

    fn exact_rows(&mut self, lines: &mut Lines<'_>) -> Result<Vec<ExactRow>, BookError> {
        let mut rows = Vec::new();
        let mut seen = BTreeMap::new();
        while let Some(bytes) = lines.next()? {
            let row: ExactRow = parse(bytes, self.file, lines_number(&rows), "row of counts")?;
            let line = lines_number(&rows);
            self.room(line, rows.len())?;
            let (sweep, axis) = self.sweep(line, &row.sweep)?;
            let spec = self.spec(line, &row.spec)?;
            let sum = row.d_initiator.checked_add(row.d_responder);
            self.possible(line, sum == Some(row.d), "`d` to be the sum of its two sides")?;
            self.possible(line, row.d <= row.m, "`d` to be at most `m`")?;
            let stretches = |count: u64| count <= row.d && (count > 0) == (row.d > 0);
            self.possible(
                line,
                row.stretches.is_none_or(stretches),
                "`stretches` of 1 to `d`, 0 without a difference",
            )?;
            let guess_needed = axis == AnyAxis::Sessions(Axis::Guess);
            self.possible(line, row.guess.is_some() || !guess_needed, "`guess` in a sweep over guesses")?;
            self.possible(line, row.guess.is_none_or(|guess| guess > 0.0), "`guess` above 0")?;
            let attacked = axis == AnyAxis::Sessions(Axis::Attack);
            self.possible(
                line,
                row.attack.is_some() == attacked,
                "`attack` in a sweep over attacks, and only there",
            )?;
            let absence_needed = axis == AnyAxis::Sessions(Axis::Absence);
            self.possible(
                line,
                row.absence_ms.is_some() || !absence_needed,
                "`absence_ms` in a sweep over absences",
            )?;
            if let Some(first) = seen.insert((sweep, row.point, row.replicate, spec), line) {
                return Err(self.twice(line, first, (&row.sweep, row.point, row.replicate, &row.spec)));
            }
            rows.push(row);
        }
        Ok(rows)
    }

    fn timed_rows(&mut self, lines: &mut Lines<'_>) -> Result<Vec<TimedRow>, BookError> {
        let mut rows = Vec::new();
        let mut seen = BTreeMap::new();
        while let Some(bytes) = lines.next()? {
            let row: TimedRow = parse(bytes, self.file, lines_number(&rows), "row of times")?;
            let line = lines_number(&rows);
            self.room(line, rows.len())?;
            let (sweep, _) = self.sweep(line, &row.sweep)?;
            // The harness row belongs to no contender, so the header need not describe it.
            let spec = match row.timed {
                Timed::Empty if row.spec == EMPTY_SPEC => None,
                _ => Some(self.spec(line, &row.spec)?),
            };
            self.possible(line, row.batch > 0, "`batch` above 0")?;
            self.possible(line, !row.samples_ns.is_empty(), "at least one sample")?;
            if let Some(first) = seen.insert((sweep, row.point, row.timed as u8, spec), line) {
                let name =
                    format!("sweep {}, point {}, {:?} of {}", row.sweep, row.point, row.timed, row.spec);
                return Err(BookError::Duplicate { file: self.file.to_owned(), line, first, row: name });
            }
            rows.push(row);
        }
        Ok(rows)
    }

    fn group_rows(&mut self, lines: &mut Lines<'_>) -> Result<Vec<GroupRow>, BookError> {
        let mut rows = Vec::new();
        let mut seen = BTreeMap::new();
        while let Some(bytes) = lines.next()? {
            let row: GroupRow = parse(bytes, self.file, lines_number(&rows), "row of a group's counts")?;
            let line = lines_number(&rows);
            self.room(line, rows.len())?;
            let (sweep, axis) = self.sweep(line, &row.sweep)?;
            let spec = self.spec(line, &row.spec)?;
            self.lives(line, &row, axis)?;
            self.accounts(line, &row)?;
            if let Some(first) = seen.insert((sweep, row.point, row.replicate, spec), line) {
                return Err(self.twice(line, first, (&row.sweep, row.point, row.replicate, &row.spec)));
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// What holds of the life that a group led, whatever became of it.
    fn lives(&self, line: u64, row: &GroupRow, axis: AnyAxis) -> Result<(), BookError> {
        self.possible(line, row.n >= 1, "`n` to be at least 1")?;
        let nodes = u128::from(row.n) + u128::from(row.relays);
        self.possible(line, u128::from(row.k) < nodes, "`k`, others, to be below `n` and `relays` together")?;
        let pairs = nodes * (nodes - 1) / 2;
        self.possible(line, u128::from(row.links) <= pairs, "`links` to be at most the pairs of members")?;
        let sum = row.history.checked_add(row.written);
        self.possible(line, sum == Some(row.m), "`m` to be the sum of `history` and `written`")?;
        self.possible(line, row.duration_ms > 0, "`duration_ms` above 0")?;
        let shares = [Some(row.uptime_ppm), Some(row.possible_ppm), row.one_way_reach_ppm];
        let whole = shares.into_iter().flatten().all(|share| share <= 1_000_000);
        self.possible(line, whole, "shares in millionths to be at most 1000000")?;
        let away_needed = axis == AnyAxis::Groups(GroupAxis::Away);
        self.possible(line, row.away_ms.is_some() || !away_needed, "`away_ms` in a sweep over `away`")
    }

    /// What holds of the books of a sound trial. One that is `wrong` may say so just because its books do
    /// not agree; it must be read, since the report has to name it.
    fn accounts(&self, line: u64, row: &GroupRow) -> Result<(), BookError> {
        if row.outcome == GroupOutcome::Wrong {
            return Ok(());
        }
        let due = row.written.checked_mul(u64::from(row.n - 1)).and_then(|due| due.checked_add(row.lacked));
        let expected = "`needed` to be `written` times the other members, and `lacked`";
        self.possible(line, due == Some(row.needed), expected)?;
        self.possible(line, row.delivered <= row.needed, "`delivered` to be at most `needed`")?;
        let complete = row.outcome == GroupOutcome::Complete;
        self.possible(
            line,
            !complete || row.delivered == row.needed,
            "a complete trial to have delivered all",
        )?;
        let past = row.delivered.checked_sub(row.delivery_ms.count());
        let timed = past.is_some_and(|past| past <= row.lacked);
        self.possible(line, timed, "`delivery_ms` to hold a value a delivery, but of history")?;
        self.possible(line, row.reached_all <= row.m, "`reached_all` to be at most `m`")?;
        let ended = row.sessions_done.checked_add(row.sessions_failed);
        let begun = ended.is_some_and(|ended| ended <= row.sessions_opened);
        self.possible(line, begun, "sessions that ended to have been opened")?;
        let returns = row.catch_up_ms.count().checked_add(row.catch_ups_cut);
        let returned = returns.is_some_and(|returns| returns <= row.missed.count());
        self.possible(line, returned, "catch-ups to belong to returns that `missed` holds")?;
        let sent = row.sent_bytes.total();
        // Each payload is counted at its sender, and at its receiver if it arrived: of some links it arrives twice.
        let moved = row.member_bytes.sum.saturating_add(row.relay_bytes.sum);
        let both = (sent..=sent.saturating_mul(3)).contains(&moved);
        let expected = "`member_bytes` and `relay_bytes` to sum up to between once and thrice `sent_bytes`";
        self.possible(line, both, expected)?;
        self.possible(line, row.wire_bytes >= sent, "`wire_bytes` to hold all of `sent_bytes`")
    }

    fn cpu_rows(&mut self, lines: &mut Lines<'_>) -> Result<Vec<CpuRow>, BookError> {
        let mut rows = Vec::new();
        let mut seen = BTreeMap::new();
        while let Some(bytes) = lines.next()? {
            let row: CpuRow = parse(bytes, self.file, lines_number(&rows), "row of a group's times")?;
            let line = lines_number(&rows);
            self.room(line, rows.len())?;
            let (sweep, _) = self.sweep(line, &row.sweep)?;
            let spec = self.spec(line, &row.spec)?;
            if let Some(first) = seen.insert((sweep, row.point, row.replicate, spec), line) {
                return Err(self.twice(line, first, (&row.sweep, row.point, row.replicate, &row.spec)));
            }
            rows.push(row);
        }
        Ok(rows)
    }

    fn peer_rows(&mut self, lines: &mut Lines<'_>) -> Result<Vec<PeerRow>, BookError> {
        let mut rows = Vec::new();
        let mut seen = BTreeMap::new();
        while let Some(bytes) = lines.next()? {
            let row: PeerRow = parse(bytes, self.file, lines_number(&rows), "row of a peer")?;
            let line = lines_number(&rows);
            self.room(line, rows.len())?;
            let rounds = row.ours.len() == row.theirs.len() && !row.ours.is_empty();
            self.possible(line, rounds, "as many figures of `ours` as of `theirs`, and at least one")?;
            let mut figures = row.ours.iter().chain(&row.theirs);
            self.possible(line, figures.all(|figure| *figure > 0.0), "figures above 0")?;
            let asked = row.asked.is_none_or(|asked| match asked {
                Asked::RatioAtLeast(figure) | Asked::OursAtMost(figure) => figure > 0.0,
            });
            self.possible(line, asked, "`asked` above 0")?;
            self.possible(line, row.size_of.is_some() || row.size == 0, "`size_of` where there is a `size`")?;
            if let Some(first) = seen.insert(row.cell(), line) {
                let name = format!("{} {} beside {}, n = {}", row.kernel, row.operation, row.peer, row.n);
                let file = self.file.to_owned();
                return Err(BookError::Duplicate { file, line, first, row: name });
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// The same trial on two lines.
    fn twice(
        &self,
        line: u64,
        first: u64,
        (sweep, point, replicate, spec): (&str, u32, u32, &str),
    ) -> BookError {
        let row = format!("sweep {sweep}, point {point}, replicate {replicate}, {spec}");
        BookError::Duplicate { file: self.file.to_owned(), line, first, row }
    }
}

/// Line of the row that follows `rows`: line 1 is the header, and no line is blank.
fn lines_number<T>(rows: &[T]) -> u64 {
    rows.len() as u64 + 2
}
