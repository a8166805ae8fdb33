//! Imports an IRC log.
//!
//! **Days.** A line may carry its date, or lines between may (`--- Day changed …`). Where neither does, a
//! clock that goes back has passed midnight; a day of silence then cannot be seen, so compare
//! [`Imported::rollovers`] with the days that the log spans. In a log with dates a clock that goes back by
//! up to two hours was set back, and its messages are sorted in.
//!
//! **Minutes.** Where no clock has seconds, the n messages of one minute are placed at (k + ½) · 60/n seconds,
//! k = 0 … n-1: even and repeatable, though real messages within a minute are burstier.
//!
//! **What counts.** Texts and actions (`* nick waves`) are messages; joins, modes, topics and notices are not.
//! Nicks are compared without case. A member with two nicks is two authors.

use std::io::Write;
use std::path::Path;

use super::error::{ImportError, RowFault};
use super::irc_line::{Line, Stamp, parse};
use super::{Authors, Imported, Nature, Origin, finish};
use crate::lines::Lines;
use crate::{Kind, TraceBuilder};

/// How to read a clock that says neither am nor pm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// It has 24 hours.
    #[default]
    Hours24,
    /// It has 12, and each is the next one of that name: the Ubuntu logs before October 2007.
    Hours12,
}

/// How to read a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IrcOptions {
    /// What goes into the header.
    pub origin: Origin,
    /// How many hours its clock has.
    pub clock: Clock,
}

const NOTE: &str = "Imported from an IRC log. t = 0 is the first message. Clocks without seconds: the n messages of one minute are placed evenly at (k+0.5)*60/n.";

/// In a log with dates, a clock that goes back by less was set back.
const SET_BACK_S_MAX: i64 = 2 * 3600;

const DAY_S: i64 = 86_400;

/// Reads a log, plain or in gzip, and writes a trace.
///
/// # Errors
///
/// The file cannot be read, or none of its lines is a message.
pub fn import_irc(source: &Path, options: &IrcOptions, out: &mut dyn Write) -> Result<Imported, ImportError> {
    let file = source.display().to_string();
    let open = |source| ImportError::Open { file: file.clone(), source };
    let mut lines = Lines::open(source).map_err(open)?;
    let mut log = Log { clock: options.clock, ..Log::default() };
    if let Err(fault) = log.read(&mut lines) {
        return Err(ImportError::Row { file, line: lines.number(), fault });
    }
    if log.messages.is_empty() {
        let expected =
            "`[12:34] <nick> text`, `12:34 <nick> text`, `2009-06-02 12:34:56 <nick> text` or tabs";
        return Err(ImportError::Nothing { file, lines: lines.number() - 1, expected });
    }
    let has_seconds = log.has_seconds;
    let imported = std::mem::take(&mut log.imported);
    let row = |(line, fault)| ImportError::Row { file, line, fault };
    let builder = log.build().map_err(row)?;
    let time_resolution_s = if has_seconds { 1.0 } else { 60.0 };
    let nature = Nature { kind: Kind::Chat, note: NOTE, time_resolution_s, sizes: true };
    finish(builder, &options.origin, &nature, imported, out)
}

/// A log on its way to a trace.
#[derive(Default)]
struct Log {
    clock: Clock,
    messages: Vec<Message>,
    names: Authors,
    /// Second of the message before, or of the midnight that a date line told: since 1970 if the log is dated,
    /// else since the midnight before its first message.
    last: Option<i64>,
    is_dated: bool,
    has_seconds: bool,
    imported: Imported,
}

struct Message {
    line: u64,
    second: i64,
    author: u32,
    size: u32,
}

impl Log {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<(), RowFault> {
        let mut number = 0;
        while let Some(line) = lines.next()? {
            number += 1;
            match parse(&String::from_utf8_lossy(line), self.clock) {
                Line::Message { day, stamp, nick, size } => {
                    if let Some(day) = day.filter(|day| self.day() != Some(*day) || !self.is_dated) {
                        self.begin(day, false)?;
                    }
                    let second = self.second(stamp);
                    self.last = Some(second);
                    self.has_seconds |= stamp.has_seconds;
                    // Numbers in the order of the log for now: `build` numbers anew in the order of time.
                    let author = self.names.number(&nick.to_lowercase());
                    let size = u32::try_from(size).unwrap_or(u32::MAX);
                    self.messages.push(Message { line: number, second, author, size });
                }
                Line::Day(day) => self.begin(day, true)?,
                Line::Opened(day) => self.begin(day, false)?,
                Line::Notice => self.imported.notices += 1,
                Line::Unknown => self.imported.skip(number),
            }
        }
        Ok(())
    }

    fn day(&self) -> Option<i64> {
        self.last.map(|second| second.div_euclid(DAY_S))
    }

    /// A date was told. If it is the first and messages came before, the line must say that a day has
    /// changed: then they end on the day before.
    fn begin(&mut self, day: i64, has_changed: bool) -> Result<(), RowFault> {
        if let Some(before) = self.day().filter(|_| !self.is_dated) {
            if !has_changed {
                return Err(RowFault::LateDate);
            }
            let shift = (day - 1 - before) * DAY_S;
            self.messages.iter_mut().for_each(|message| message.second += shift);
        }
        self.is_dated = true;
        self.last = Some(day * DAY_S);
        Ok(())
    }

    /// The second that a clock means after what came before.
    fn second(&mut self, stamp: Stamp) -> i64 {
        let clock_s = i64::from(stamp.clock_s);
        let Some(last) = self.last else { return clock_s };
        let period = if stamp.is_full { DAY_S } else { DAY_S / 2 };
        let second = last.div_euclid(period) * period + clock_s;
        if !stamp.has_seconds && second.div_euclid(60) == last.div_euclid(60) {
            return last;
        }
        let was_set_back = self.is_dated && last - second <= SET_BACK_S_MAX;
        if second >= last || was_set_back {
            return second;
        }
        let second = second + period;
        self.imported.rollovers += u64::from(second.div_euclid(DAY_S) > last.div_euclid(DAY_S));
        second
    }

    /// The records, or the line and what is wrong with it.
    fn build(mut self) -> Result<TraceBuilder, (u64, RowFault)> {
        self.messages.sort_by_key(|message| message.second);
        let times_ms: Vec<i64> = if self.has_seconds {
            self.messages.iter().map(|message| message.second * 1000).collect()
        } else {
            spread(&self.messages)
        };
        let start_ms = times_ms.first().copied().unwrap_or_default();
        let mut builder = TraceBuilder::new();
        let mut numbers: Vec<Option<u32>> = vec![None; self.names.0.len()];
        for (message, at_ms) in self.messages.iter().zip(times_ms) {
            let author = *numbers[message.author as usize].get_or_insert(builder.authors());
            let t = (at_ms - start_ms) as f64 / 1000.0;
            builder.push(t, author, message.size, &[]).map_err(|rule| (message.line, rule.into()))?;
        }
        Ok(builder)
    }
}

/// Places the n messages of a minute at (k + 1/2) / n of it, rounded to milliseconds.
fn spread(messages: &[Message]) -> Vec<i64> {
    let minutes = messages.chunk_by(|a, b| a.second.div_euclid(60) == b.second.div_euclid(60));
    let place = |minute: &[Message]| {
        let (start_ms, n) = (minute[0].second.div_euclid(60) * 60_000, minute.len() as i64);
        (0..n).map(move |k| start_ms + ((2 * k + 1) * 30_000 + n / 2) / n).collect::<Vec<_>>()
    };
    minutes.flat_map(place).collect()
}
