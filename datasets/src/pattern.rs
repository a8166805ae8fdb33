//! The ways in which two members' sets differ.
//!
//! A benchmark that scatters its differences uniformly flatters some strategies and wrongs others: a
//! range-based strategy pays for every *place* where the sets differ, a sketch only for every *item*. The
//! patterns here are the shapes that differences have in groups of people; [`Pattern::doc`] says which
//! everyday event each one stands for.

use std::fmt;
use std::str::FromStr;

use offerbench_algos::UnknownName;

/// How the sets of two members differ. The *initiator* is the one who opens the session: where only one
/// side lacks something, it is the initiator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// Each differing message is anywhere in time and missing on either side, half of them on each.
    Scattered,
    /// The newest messages are missing, alternately on either side.
    Recent,
    /// One contiguous stretch of time is missing at the initiator.
    Gap,
    /// All messages by one author, or by few, are missing at the initiator.
    Author,
    /// The initiator lacks messages anywhere in time, the responder lacks none.
    Superset,
    /// The initiator holds nothing.
    Empty,
    /// Both hold the same.
    Equal,
}

impl Pattern {
    /// Every pattern, in the order in which they are listed.
    pub const ALL: &'static [Self] =
        &[Self::Scattered, Self::Recent, Self::Gap, Self::Author, Self::Superset, Self::Empty, Self::Equal];

    /// The name, as written in an experiment.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scattered => "scattered",
            Self::Recent => "recent",
            Self::Gap => "gap",
            Self::Author => "author",
            Self::Superset => "superset",
            Self::Empty => "empty",
            Self::Equal => "equal",
        }
    }

    /// What it is, in one line.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Scattered => "d messages anywhere in time, half missing on each side: lossy links",
            Self::Recent => {
                "the newest d messages alternately missing on either side: both were just talking"
            }
            Self::Gap => "one contiguous stretch of d messages missing at the initiator: it was offline",
            Self::Author => {
                "everything by one or few authors missing at the initiator: a blocked or unseen peer"
            }
            Self::Superset => "the initiator lacks d messages anywhere in time, the responder none: a relay",
            Self::Empty => "the initiator holds nothing, d = m: a new device",
            Self::Equal => "both hold the same, d = 0: the most frequent session of all, what idling costs",
        }
    }

    /// The only difference that this pattern can have between sets whose union has `m` messages, if it
    /// cannot be chosen: 0 for [`Equal`](Self::Equal), `m` for [`Empty`](Self::Empty).
    ///
    /// ```
    /// use offerbench_datasets::Pattern;
    /// assert_eq!(Pattern::Empty.forced_d(50), Some(50));
    /// assert_eq!(Pattern::Gap.forced_d(50), None);
    /// ```
    pub const fn forced_d(self, m: u64) -> Option<u64> {
        match self {
            Self::Equal => Some(0),
            Self::Empty => Some(m),
            _ => None,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Pattern {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let names = || Self::ALL.iter().map(|pattern| pattern.name());
        Self::ALL
            .iter()
            .copied()
            .find(|pattern| pattern.name() == text)
            .ok_or_else(|| UnknownName::among("pattern", text, names()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for pattern in Pattern::ALL {
            assert_eq!(pattern.to_string().parse::<Pattern>().unwrap(), *pattern);
            assert!(!pattern.doc().is_empty());
        }
    }

    #[test]
    fn a_mistyped_name_is_answered_with_the_nearest_and_all() {
        let text = "scatered".parse::<Pattern>().unwrap_err().to_string();
        assert!(text.contains("unknown pattern `scatered` (did you mean `scattered`?)"), "{text}");
        assert!(text.contains("author, superset, empty, equal"), "{text}");
    }
}
