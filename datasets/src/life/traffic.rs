//! When who writes.

use std::fmt;
use std::str::FromStr;

use offerbench_algos::UnknownName;

/// When who writes. What it is scaled by, in every case, is the expected number of messages a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Traffic {
    /// Messages equally far apart, all of one size, authors in turns.
    Even,
    /// A busy channel: messages that call forth messages, many authors, each for a while.
    Busy,
    /// A small group: weekly meetings, now and then a few words, silence between.
    Small,
}

impl Traffic {
    /// Every kind of traffic, in the order in which they are listed.
    pub const ALL: &'static [Self] = &[Self::Even, Self::Busy, Self::Small];

    /// The name, as written in an experiment.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Even => "even",
            Self::Busy => "busy",
            Self::Small => "small",
        }
    }

    /// What it is, in one line.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Even => "messages equally far apart, authors in turns: for sweeps that vary one thing",
            Self::Busy => {
                "a busy channel: messages that call forth messages (Hawkes), authors in conversations"
            }
            Self::Small => "a small group: weekly meetings, now and then a few words, silence between",
        }
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Traffic {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let names = || Self::ALL.iter().map(|traffic| traffic.name());
        Self::ALL
            .iter()
            .copied()
            .find(|traffic| traffic.name() == text)
            .ok_or_else(|| UnknownName::among("traffic", text, names()))
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
