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
//! Nicks are compared without case. A member with two nicks is two authors. Joins, parts, quits, kicks and
//! changes of nick also move the clock, and become a presence trace on request: see the table of the forms that
//! are understood in `irc_event` and the rules in `presence`, beside this file. In a minute of n messages what
//! happens after k of them is placed at k · 60/n seconds, so that nobody writes before coming or after going.

use std::io::Write;
use std::path::Path;

use super::error::{ImportError, RowFault};
use super::irc_event::Event;
use super::irc_line::{Line, Stamp, parse};
use super::presence::{Seen, Sign, presence, stays};
use super::{Authors, Imported, Nature, Origin, T0, finish};
use crate::lines::Lines;
use crate::presence::PresenceHeader;
use crate::{Kind, Presence, TraceBuilder};

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

const PRESENCE_NOTE: &str = "Imported from joins, parts, quits, kicks and changes of nick in an IRC log; t = 0 is its first message. c: 1 start unknown (there before the logger), 2 end unknown (there when the log ends or breaks), 3 both. A change of nick ends one peer's interval and begins another's.";

/// In a log with dates, a clock that goes back by less was set back.
const SET_BACK_S_MAX: i64 = 2 * 3600;

const DAY_S: i64 = 86_400;

/// Reads a log, plain or in gzip, and writes a trace; and the presence trace beside it, if it is told what goes into
/// its header and where it is written.
///
/// # Errors
///
/// The file cannot be read, or none of its lines is a message, or presence is asked of a log that tells nobody's
/// coming and going.
pub fn import_irc(
    source: &Path,
    options: &IrcOptions,
    out: &mut dyn Write,
    presence_out: Option<(&Origin, &mut dyn Write)>,
) -> Result<Imported, ImportError> {
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
    if presence_out.is_some() && log.events.is_empty() {
        return Err(ImportError::NoPresence { file, lines: lines.number() - 1 });
    }
    let time_resolution_s = if log.has_seconds { 1.0 } else { 60.0 };
    let mut imported = std::mem::take(&mut log.imported);
    let row = |(line, fault)| ImportError::Row { file: file.clone(), line, fault };
    let Built { builder, start_ms, numbers, signs, t0 } = log.build(presence_out.is_some()).map_err(row)?;
    if let Some((origin, out)) = presence_out {
        let stays = stays(&signs);
        let end_ms = stays.iter().map(|stay| stay.off_ms).chain(signs.iter().map(|sign| sign.at_ms)).max();
        let header = PresenceHeader {
            name: origin.name.clone(),
            trace: Some(options.origin.name.clone()),
            source: origin.source.clone(),
            license: origin.license.clone(),
            attribution: origin.attribution.clone(),
            note: PRESENCE_NOTE.to_owned(),
            time_resolution_s: Some(time_resolution_s),
            speakers: u64::from(builder.authors()),
            duration_s: (end_ms.unwrap_or(start_ms) - start_ms) as f64 / 1000.0,
            t0_clock_s: t0.clock_s,
            t0_weekday: t0.weekday,
            ..PresenceHeader::default()
        };
        // The line is that of the log's end: an interval is of no line.
        let fault = |rule: crate::Rule| row((lines.number() - 1, rule.into()));
        let presence: Presence = presence(&stays, numbers, start_ms, header).map_err(fault)?;
        imported.intervals = presence.header().intervals;
        imported.peers = presence.header().peers;
        if origin.gzip { presence.write_gz(out) } else { presence.write(out) }.map_err(ImportError::Write)?;
    }
    let nature = Nature { kind: Kind::Chat, note: NOTE, time_resolution_s, sizes: true, t0 };
    finish(builder, &options.origin, &nature, imported, out)
}

/// A log on its way to a trace.
#[derive(Default)]
struct Log {
    clock: Clock,
    messages: Vec<Message>,
    events: Vec<Happened>,
    names: Authors,
    /// Second of the line before, or of the midnight that a date line told: since 1970 if the log is dated,
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

/// A coming or going, by the number of its name for now.
struct Happened {
    line: u64,
    second: i64,
    name: u32,
    sign: Sign,
}

/// A log in the order of time.
struct Built {
    builder: TraceBuilder,
    /// Time of the first message.
    start_ms: i64,
    /// By the number of a name while reading, that of its author.
    numbers: Vec<Option<u32>>,
    signs: Vec<Seen>,
    t0: T0,
}

impl Log {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<(), RowFault> {
        let mut number = 0;
        while let Some(line) = lines.next()? {
            number += 1;
            match parse(&String::from_utf8_lossy(line), self.clock) {
                Line::Message { day, stamp, nick, size } => {
                    let second = self.moment(day, stamp)?;
                    // Numbers in the order of the log for now: `build` numbers anew in the order of time.
                    let author = self.names.number(&nick.to_lowercase());
                    let size = u32::try_from(size).unwrap_or(u32::MAX);
                    self.messages.push(Message { line: number, second, author, size });
                }
                Line::Event { day, stamp, event } => {
                    self.imported.notices += 1;
                    let second = match stamp {
                        Some(stamp) => Some(self.moment(day, stamp)?),
                        None => self.last,
                    };
                    // Before the first clock nothing is known of the time.
                    if let Some(second) = second {
                        self.happen(number, second, event);
                    }
                }
                Line::Day(day) => {
                    if self.is_dated && self.day().is_some_and(|before| day > before + 1) {
                        self.interrupt(number);
                    }
                    self.begin(day, true)?;
                }
                Line::Opened(day) => {
                    self.interrupt(number);
                    self.begin(day, false)?;
                }
                Line::Closed => self.interrupt(number),
                Line::Notice => self.imported.notices += 1,
                Line::Unknown => self.imported.skip(number),
            }
        }
        Ok(())
    }

    /// The second of a line with this date and clock, which is then the last.
    fn moment(&mut self, day: Option<i64>, stamp: Stamp) -> Result<i64, RowFault> {
        if let Some(day) = day.filter(|day| self.day() != Some(*day) || !self.is_dated) {
            self.begin(day, false)?;
        }
        let second = self.second(stamp);
        self.last = Some(second);
        self.has_seconds |= stamp.has_seconds;
        Ok(second)
    }

    fn happen(&mut self, line: u64, second: i64, event: Event<'_>) {
        let mut push = |nick: &str, sign| {
            let name = self.names.number(&nick.to_lowercase());
            self.events.push(Happened { line, second, name, sign });
        };
        match event {
            Event::Join(nick) => push(nick, Sign::Comes),
            Event::Leave(nick) => push(nick, Sign::Goes),
            // Another way of writing the same name.
            Event::Rename { from, to } if from.to_lowercase() == to.to_lowercase() => {}
            Event::Rename { from, to } => {
                push(from, Sign::Goes);
                push(to, Sign::Comes);
            }
        }
    }

    /// The logger was away, if it was here before.
    fn interrupt(&mut self, line: u64) {
        if let Some(second) = self.last {
            self.events.push(Happened { line, second, name: 0, sign: Sign::Break });
        }
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
            self.events.iter_mut().for_each(|event| event.second += shift);
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

    /// The records, and signs if they are wanted; or the line and what is wrong with it.
    fn build(mut self, with_signs: bool) -> Result<Built, (u64, RowFault)> {
        self.messages.sort_by_key(|message| message.second);
        self.events.sort_by_key(|event| event.second);
        let times_ms: Vec<i64> = if self.has_seconds {
            self.messages.iter().map(|message| message.second * 1000).collect()
        } else {
            spread(&self.messages)
        };
        let start_ms = times_ms.first().copied().unwrap_or_default();
        let mut builder = TraceBuilder::new();
        let mut numbers: Vec<Option<u32>> = vec![None; self.names.0.len()];
        for (message, at_ms) in self.messages.iter().zip(&times_ms) {
            let author = *numbers[message.author as usize].get_or_insert(builder.authors());
            let t = (at_ms - start_ms) as f64 / 1000.0;
            builder.push(t, author, message.size, &[]).map_err(|rule| (message.line, rule.into()))?;
        }
        let signs = if with_signs { self.signs(&times_ms) } else { Vec::new() };
        let t0 = T0 {
            // The hour of a clock that may be twelve off is not known.
            clock_s: (self.clock == Clock::Hours24)
                .then_some(start_ms.rem_euclid(DAY_S * 1000) as f64 / 1000.0),
            // 1970 began on a Thursday.
            weekday: self.is_dated.then_some((start_ms.div_euclid(DAY_S * 1000) + 3).rem_euclid(7) as u8),
        };
        Ok(Built { builder, start_ms, numbers, signs, t0 })
    }

    /// Messages and events in one order: of time, and of the log where the clock shows the same.
    fn signs(&self, times_ms: &[i64]) -> Vec<Seen> {
        let mut said_ms: Vec<Option<i64>> = vec![None; self.names.0.len()];
        let mut signs = Vec::with_capacity(self.messages.len() + self.events.len());
        let mut messages = self.messages.iter().zip(times_ms).peekable();
        // How many messages there were in the minute of the last one.
        let (mut minute, mut count) = (None, 0);
        for event in &self.events {
            while let Some((message, at_ms)) =
                messages.next_if(|(message, _)| (message.second, message.line) < (event.second, event.line))
            {
                let this = message.second.div_euclid(60);
                count = if minute == Some(this) { count + 1 } else { 1 };
                minute = Some(this);
                said_ms[message.author as usize] = Some(*at_ms);
                signs.push(Seen { at_ms: *at_ms, name: message.author, sign: Sign::IsThere });
            }
            let this = event.second.div_euclid(60);
            let before = if minute == Some(this) { count } else { 0 };
            let mut at_ms = if self.has_seconds {
                event.second * 1000
            } else {
                let all = self.messages_in(this).max(1);
                this * 60_000 + before * 60_000 / all
            };
            // Whoever writes and goes within one second goes after it has written.
            if event.sign == Sign::Goes && said_ms[event.name as usize] == Some(at_ms) {
                at_ms += 1;
            }
            signs.push(Seen { at_ms, name: event.name, sign: event.sign });
        }
        signs.extend(messages.map(|(message, at_ms)| Seen {
            at_ms: *at_ms,
            name: message.author,
            sign: Sign::IsThere,
        }));
        signs
    }

    /// How many messages were written in a minute.
    fn messages_in(&self, minute: i64) -> i64 {
        let until =
            |minute: i64| self.messages.partition_point(|message| message.second.div_euclid(60) < minute);
        (until(minute + 1) - until(minute)) as i64
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
