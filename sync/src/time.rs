//! Virtual time: microseconds since a driver's own beginning. "Never" is `None`.
//!
//! `std::time::Instant` can only be born from the real clock, so a node that is told the time needs a type of
//! its own.

use std::fmt;
use std::ops::{Add, Sub};

/// A point in time, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

/// A length of time, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Time {
    /// The beginning.
    pub const ZERO: Self = Self(0);

    /// A point in time from microseconds.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// Microseconds since the beginning.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the beginning.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1000
    }

    /// What has passed since `earlier`; nothing if that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A length of time in microseconds.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// A length of time in milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1000))
    }

    /// A length of time in seconds.
    pub const fn from_s(s: u64) -> Self {
        Self(s.saturating_mul(1_000_000))
    }

    /// Its microseconds.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// Its whole milliseconds.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1000
    }

    /// `n` times as long, at most as long as can be said.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }
}

impl Add<Span> for Time {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Time {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for Time {
    /// `h:mm:ss.mmm`, for stories.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.as_ms();
        write!(f, "{}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_reads_like_a_clock_and_does_not_overflow() {
        assert_eq!((Time::ZERO + Span::from_ms(3_723_004)).to_string(), "1:02:03.004");
        assert_eq!(Time::from_us(u64::MAX) + Span::from_s(1), Time::from_us(u64::MAX));
        assert_eq!(Time::ZERO.since(Time::from_us(1)), Span::ZERO);
    }
}
