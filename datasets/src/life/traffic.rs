//! When who writes.

use std::fmt;
use std::str::FromStr;

use offerbench_algos::suggest;
use thiserror::Error;

/// When who writes. What it is scaled by, in every case, is the expected number of messages a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Traffic {
    /// Messages equally far apart, all of one size, authors in turns.
    Even,
}

impl Traffic {
    /// Every kind of traffic, in the order in which they are listed.
    pub const ALL: &'static [Self] = &[Self::Even];

    /// The name, as written in an experiment.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Even => "even",
        }
    }

    /// What it is, in one line.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Even => "messages equally far apart, authors in turns: for sweeps that vary one thing",
        }
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no traffic.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown traffic `{text}`{}; known: {known}", near.as_ref().map_or_else(String::new, |n| format!(" (did you mean `{n}`?)")))]
pub struct UnknownTraffic {
    /// What was asked for.
    pub text: String,
    /// The nearest name, if any is near.
    pub near: Option<String>,
    /// All names.
    pub known: String,
}

impl FromStr for Traffic {
    type Err = UnknownTraffic;

    fn from_str(text: &str) -> Result<Self, UnknownTraffic> {
        let names = || Self::ALL.iter().map(|traffic| traffic.name());
        Self::ALL.iter().copied().find(|traffic| traffic.name() == text).ok_or_else(|| UnknownTraffic {
            text: text.to_owned(),
            near: suggest(text, names()),
            known: names().collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for traffic in Traffic::ALL {
            assert_eq!(traffic.to_string().parse::<Traffic>().unwrap(), *traffic);
            assert!(!traffic.doc().is_empty());
        }
    }

    #[test]
    fn a_mistyped_name_is_answered_with_the_nearest_and_all() {
        let text = "evn".parse::<Traffic>().unwrap_err().to_string();
        assert!(text.contains("unknown traffic `evn` (did you mean `even`?); known: even"), "{text}");
    }
}
