//! One line of an IRC log: what common clients write.
//!
//! | example | written by |
//! | --- | --- |
//! | `[12:34] <nick> text`, `[12:34] * nick waves`, `=== nick has joined` | the Ubuntu logs, mIRC |
//! | `12:34 <@nick> text`, `12:34:56 -!- nick has joined`, `--- Day changed Tue Jun 02 2009` | irssi |
//! | `2009-06-02 12:34:56`⇥`nick`⇥`text` | weechat |
//! | `2009-06-02T12:34:56 <nick> text`, `[2009-06-02 12:34:56] <nick> text` | ZNC, bots |
//! | `[01:34:56 PM] <nick> text` | clients with a 12 hour clock |

use jiff::civil::Date;

use super::irc::Clock;
use super::irc_event::{Event, bare, event, without_host};

/// What the clock of a line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Seconds after midnight, or after midnight or noon if that is not known.
    pub clock_s: u32,
    /// Whether the clock has seconds.
    pub has_seconds: bool,
    /// Whether the half of the day is known.
    pub is_full: bool,
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Somebody wrote.
    Message {
        /// The date, if the line has one, in days since 1970.
        day: Option<i64>,
        /// The clock.
        stamp: Stamp,
        /// Who.
        nick: &'a str,
        /// Bytes of the text.
        size: usize,
    },
    /// Somebody came, went, or took another name.
    Event {
        /// The date, if the line has one, in days since 1970.
        day: Option<i64>,
        /// The clock; the Ubuntu logs have none here.
        stamp: Option<Stamp>,
        /// What happened.
        event: Event<'a>,
    },
    /// A new day begins, in days since 1970.
    Day(i64),
    /// The log was opened on this day.
    Opened(i64),
    /// The log was closed.
    Closed,
    /// Something that is no message: a topic, a mode, an empty line.
    Notice,
    /// None of the known forms.
    Unknown,
}

/// Texts after `* nick` that clients write for events, not people for actions.
const EVENTS: &[&str] = &[
    "has joined",
    "has left",
    "has quit",
    "is now known as",
    "sets mode",
    "was kicked",
    "changes topic",
    "has changed the topic",
    "has been kicked",
    "joined",
    "left",
    "quit",
];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) fn parse(line: &str, clock: Clock) -> Line<'_> {
    if line.trim().is_empty() {
        return Line::Notice;
    }
    if let Some(rest) = line.strip_prefix("===") {
        return event(rest).map_or(Line::Notice, |event| Line::Event { day: None, stamp: None, event });
    }
    if let Some(rest) = line.strip_prefix("--- ") {
        return match rest.split_once(' ') {
            Some(("Day", date)) => {
                date.strip_prefix("changed ").and_then(named_day).map_or(Line::Notice, Line::Day)
            }
            Some(("Log", date)) if !date.starts_with("closed") => {
                date.strip_prefix("opened ").and_then(named_day).map_or(Line::Notice, Line::Opened)
            }
            _ if rest.starts_with("Log closed") => Line::Closed,
            _ => Line::Notice,
        };
    }
    let Some((day, stamp, rest)) = stamp(line, clock) else {
        return Line::Unknown;
    };
    match said(rest) {
        Some(Said::Text { nick, text }) => Line::Message { day, stamp, nick, size: text.len() },
        Some(Said::Event(Some(event))) => Line::Event { day, stamp: Some(stamp), event },
        Some(Said::Event(None)) => Line::Notice,
        None => Line::Unknown,
    }
}

/// A day as irssi writes it: `Tue Jun 02 2009`, or with a clock before the year.
fn named_day(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let month = MONTHS.iter().position(|month| words.get(1) == Some(month))? as i8 + 1;
    let day = words.get(2)?.parse().ok()?;
    let year = words.last()?.parse().ok()?;
    Date::new(year, month, day).ok().map(days)
}

/// Days since 1970.
fn days(date: Date) -> i64 {
    date.duration_since(Date::constant(1970, 1, 1)).as_secs() / 86_400
}

/// The date and clock at the start of a line, and what follows them.
fn stamp(line: &str, clock: Clock) -> Option<(Option<i64>, Stamp, &str)> {
    let (text, rest) = match line.strip_prefix('[') {
        Some(inside) => inside.split_once(']')?,
        None => split_bare(line)?,
    };
    let text = text.trim();
    let (day, time) = match text.get(..10).and_then(|date| date.parse::<Date>().ok()) {
        Some(date) => (Some(days(date)), text.get(11..)?.trim_start()),
        None => (None, text),
    };
    Some((day, read_clock(time, clock)?, rest))
}

/// Splits after the last digit (or am, pm) of a time without brackets.
fn split_bare(line: &str) -> Option<(&str, &str)> {
    let is_dated = line.get(..10).is_some_and(|date| date.parse::<Date>().is_ok());
    let from = if is_dated { 11 } else { 0 };
    let time = line.get(from..)?;
    let len = time.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.')?;
    let (_, after) = time.split_at(len);
    // `Z` of a time in UTC, or am and pm with or without a blank.
    let suffix = ["Z", " AM", " PM", " am", " pm", "AM", "PM", "am", "pm"]
        .into_iter()
        .find(|suffix| after.strip_prefix(suffix).is_some_and(|rest| rest.starts_with([' ', '\t'])));
    Some(line.split_at(from + len + suffix.map_or(0, str::len)))
}

/// `12:34`, `12:34:56`, `12:34:56.789`, `1:34 pm`.
fn read_clock(text: &str, clock: Clock) -> Option<Stamp> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let lower = text.to_ascii_lowercase();
    let (digits, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(digits), _) => (digits.trim_end(), Some(0)),
        (_, Some(digits)) => (digits.trim_end(), Some(12)),
        _ => (lower.as_str(), None),
    };
    let mut parts = digits.split(':');
    let hour = number(parts.next()?)?;
    let minute = number(parts.next()?)?;
    let second =
        parts.next().map(|second| number(second.split('.').next()?)).map_or(Some(None), |s| s.map(Some))?;
    if parts.next().is_some() || minute > 59 || second.is_some_and(|second| second > 60) {
        return None;
    }
    let of_twelve = half.is_some() || clock == Clock::Hours12;
    let hour = match half {
        _ if of_twelve && hour > 12 => return None,
        Some(half) => hour % 12 + half,
        None if of_twelve => hour % 12,
        None => hour,
    };
    if hour > 23 {
        return None;
    }
    let second_of_day = (hour * 60 + minute) * 60 + second.unwrap_or(0).min(59);
    Some(Stamp {
        clock_s: second_of_day,
        has_seconds: second.is_some(),
        is_full: half.is_some() || clock == Clock::Hours24,
    })
}

/// A number of one or two digits.
fn number(text: &str) -> Option<u32> {
    let fits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

enum Said<'a> {
    Text {
        nick: &'a str,
        text: &'a str,
    },
    /// No text of a person, and who came or went if it tells that.
    Event(Option<Event<'a>>),
}

/// What follows the time.
fn said(rest: &str) -> Option<Said<'_>> {
    if let Some(columns) = rest.strip_prefix('\t') {
        return weechat(columns);
    }
    let rest = rest.trim_start();
    if let Some(quoted) = rest.strip_prefix('<') {
        let (nick, text) = quoted.split_once('>')?;
        let nick = bare(nick);
        return (!nick.is_empty()).then(|| Said::Text { nick, text: text.strip_prefix(' ').unwrap_or(text) });
    }
    if let Some(action) = rest.strip_prefix("* ") {
        return Some(acted(action));
    }
    for mark in ["-!-", "***", "==="] {
        if let Some(rest) = rest.strip_prefix(mark) {
            return Some(Said::Event(event(rest)));
        }
    }
    rest.starts_with(['-', '!']).then_some(Said::Event(None))
}

/// Columns between tabs: the nick, then the text. Joins and the like have an arrow for a nick.
fn weechat(columns: &str) -> Option<Said<'_>> {
    let (nick, text) = columns.split_once('\t')?;
    match nick.trim() {
        "*" => Some(acted(text)),
        "-->" | "<--" | "--" => Some(Said::Event(event(text))),
        "=!=" | "" => Some(Said::Event(None)),
        nick => Some(Said::Text { nick: bare(nick), text }),
    }
}

/// `nick does something`.
fn acted(action: &str) -> Said<'_> {
    let (nick, text) = action.trim_start().split_once(' ').unwrap_or((action, ""));
    // A host in brackets before the event: `nick (user@host) has joined`.
    let phrase = text.starts_with('(').then(|| without_host(text)).flatten().unwrap_or(text);
    if bare(nick).is_empty() || EVENTS.iter().any(|known| phrase.starts_with(known)) {
        return Said::Event(event(action));
    }
    Said::Text { nick: bare(nick), text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(line: &str) -> (Option<i64>, u32, bool, String, usize) {
        match parse(line, Clock::Hours24) {
            Line::Message { day, stamp, nick, size } => {
                (day, stamp.clock_s, stamp.has_seconds, nick.to_owned(), size)
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_form_in_the_table_is_read() {
        let noon34 = (12 * 60 + 34) * 60;
        // 2009-06-02 is day 14397 since 1970.
        let day = Some(14_397);
        let nick = || "nick".to_owned();
        assert_eq!(message("[12:34] <nick> text"), (None, noon34, false, nick(), 4));
        assert_eq!(message("[12:34] <nick>"), (None, noon34, false, nick(), 0));
        assert_eq!(message("[12:34] * nick waves"), (None, noon34, false, nick(), 5));
        assert_eq!(message("12:34 <@nick> text"), (None, noon34, false, nick(), 4));
        assert_eq!(message("12:34 < nick> tëxt"), (None, noon34, false, nick(), 5));
        assert_eq!(message("12:34:56 <+nick> a > b"), (None, noon34 + 56, true, nick(), 5));
        assert_eq!(message("2009-06-02 12:34:56\tnick\ttext"), (day, noon34 + 56, true, nick(), 4));
        assert_eq!(message("2009-06-02 12:34:56\t *\tnick waves"), (day, noon34 + 56, true, nick(), 5));
        assert_eq!(message("2009-06-02T12:34:56 <nick> text"), (day, noon34 + 56, true, nick(), 4));
        assert_eq!(message("2009-06-02T12:34:56.789Z <nick> text"), (day, noon34 + 56, true, nick(), 4));
        assert_eq!(message("[2009-06-02 12:34:56] <nick> text"), (day, noon34 + 56, true, nick(), 4));
    }

    #[test]
    fn twelve_hour_clocks() {
        assert_eq!(message("[01:34 PM] <nick> text").1, (13 * 60 + 34) * 60);
        assert_eq!(message("12:00 am <nick> text").1, 0);
        assert_eq!(message("12:00pm <nick> text").1, 12 * 3600);
        assert_eq!(parse("[13:00 pm] <nick> text", Clock::Hours24), Line::Unknown);
        assert_eq!(parse("[13:00] <nick> text", Clock::Hours12), Line::Unknown);
        assert!(matches!(
            parse("[12:05] <nick> text", Clock::Hours12),
            Line::Message { stamp: Stamp { clock_s: 300, is_full: false, .. }, .. }
        ));
    }

    #[test]
    fn what_is_no_message_is_told_from_what_is_not_understood() {
        for line in [
            "",
            "=== topic",
            "[12:34] -Serv- hi",
            "12:34 -!- mode/#room [+o nick] by op",
            "[12:34] *** nick sets mode: +o op",
            "[12:34] * nick has left the building",
            "2009-06-02 12:34:56\t--\tTopic for #room",
        ] {
            assert_eq!(parse(line, Clock::Hours24), Line::Notice, "{line}");
        }
        let at = |day, clock_s, has_seconds| (day, Some(Stamp { clock_s, has_seconds, is_full: true }));
        let noon34 = (12 * 60 + 34) * 60;
        let (bare, minute) = ((None, None), at(None, noon34, false));
        for (line, (day, stamp), event) in [
            ("=== nick has joined", bare, Event::Join("nick")),
            ("[12:34] === nick has left", minute, Event::Leave("nick")),
            ("12:34 -!- nick has quit", minute, Event::Leave("nick")),
            ("[12:34] *** Joins: nick (u@host)", minute, Event::Join("nick")),
            ("[12:34] * nick has joined #room", minute, Event::Join("nick")),
            ("[12:34] * nick (u@host) has quit (bye)", minute, Event::Leave("nick")),
            (
                "2009-06-02 12:34:56\t--\tnick is now known as kcin",
                at(Some(14_397), noon34 + 56, true),
                Event::Rename { from: "nick", to: "kcin" },
            ),
        ] {
            assert_eq!(parse(line, Clock::Hours24), Line::Event { day, stamp, event }, "{line}");
        }
        assert_eq!(parse("--- Log closed Tue Jun 02 12:34:56 2009", Clock::Hours24), Line::Closed);
        for line in
            ["text", "[12:34 <nick> text", "[25:00] <nick> text", "[12:60] <nick> t", "12:34", "[12:34] text"]
        {
            assert_eq!(parse(line, Clock::Hours24), Line::Unknown, "{line}");
        }
        assert_eq!(parse("--- Day changed Tue Jun 02 2009", Clock::Hours24), Line::Day(14_397));
        assert_eq!(parse("--- Log opened Tue Jun 02 12:34:56 2009", Clock::Hours24), Line::Opened(14_397));
    }
}
