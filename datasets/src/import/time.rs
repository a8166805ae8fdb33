//! Times in exports: seconds, milliseconds or ISO 8601, as the caller declares. Nothing is guessed: a guess
//! between seconds and milliseconds is wrong by a factor of a thousand, silently.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use offerbench_algos::UnknownName;

/// How the times of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since 1970, also with a fraction.
    Seconds,
    /// Milliseconds since 1970, also with a fraction.
    Milliseconds,
    /// ISO 8601 as in `2024-03-01T12:30:00+01:00`. Without an offset it is taken for UTC.
    Iso8601,
}

impl TimeFormat {
    /// Every format with its name.
    pub const ALL: &'static [(&'static str, Self)] =
        &[("seconds", Self::Seconds), ("milliseconds", Self::Milliseconds), ("iso8601", Self::Iso8601)];

    /// What is expected, for errors.
    pub(super) const fn expected(self) -> &'static str {
        match self {
            Self::Seconds => "seconds since 1970, such as 1700000000 or 1700000000.25",
            Self::Milliseconds => "milliseconds since 1970, such as 1700000000250",
            Self::Iso8601 => "ISO 8601, such as 2024-03-01T12:30:00Z or 2024-03-01 12:30:00 (UTC)",
        }
    }

    /// The time in microseconds since 1970. Digits beyond these are dropped.
    pub(super) fn parse_us(self, text: &str) -> Option<i64> {
        match self {
            Self::Seconds => decimal(text, 6),
            Self::Milliseconds => decimal(text, 3),
            Self::Iso8601 => iso(text),
        }
    }
}

impl FromStr for TimeFormat {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let names = || Self::ALL.iter().map(|(name, _)| *name);
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, format)| *format).ok_or_else(|| UnknownName::among("format of times", text, names()))
    }
}

/// A decimal number times ten to the `places`, without going through a float.
fn decimal(text: &str, places: usize) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(places)];
    let value: i64 = format!("{whole}{fraction:0<places$}").parse().ok()?;
    Some(if negative { -value } else { value })
}

fn iso(text: &str) -> Option<i64> {
    // An offset that jiff cannot read must not be ignored: after the date, these characters begin one.
    let has_offset = text.get(10..).is_some_and(|rest| rest.contains(['+', '-', 'Z', 'z', '[']));
    let time: Timestamp = if has_offset {
        text.parse().ok()?
    } else {
        text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp()
    };
    Some(time.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_milliseconds_are_exact() {
        assert_eq!(TimeFormat::Seconds.parse_us("1700000000.123456789"), Some(1_700_000_000_123_456));
        assert_eq!(TimeFormat::Seconds.parse_us("-1.5"), Some(-1_500_000));
        assert_eq!(TimeFormat::Milliseconds.parse_us("1700000000250"), Some(1_700_000_000_250_000));
        for text in ["", "-", ".5", "1e9", "+1", " 1", "1,5", "99999999999999999999", "NaN"] {
            assert_eq!(TimeFormat::Seconds.parse_us(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_count_and_none_is_utc() {
        let us = |text: &str| TimeFormat::Iso8601.parse_us(text);
        // 2024-03-01 is day 19783 since 1970.
        let midnight = 19_783 * 86_400_000_000;
        assert_eq!(us("2024-03-01T00:00:00Z"), Some(midnight));
        assert_eq!(us("2024-03-01 00:00:00"), Some(midnight));
        assert_eq!(us("2024-03-01T01:00:00.25+01:00"), Some(midnight + 250_000));
        assert_eq!(us("2024-02-29T19:00:00-05:00"), Some(midnight));
        for text in ["", "2024-03-01T00:00:00+99:99", "2024-02-30T00:00:00", "yesterday", "1700000000"] {
            assert_eq!(us(text), None, "{text}");
        }
    }

    #[test]
    fn a_mistyped_format_is_answered_with_the_nearest() {
        let text = "second".parse::<TimeFormat>().unwrap_err().to_string();
        assert!(text.contains("did you mean `seconds`"), "{text}");
    }
}
