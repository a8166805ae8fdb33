//! The policies, and how they are written: `random:k=3`.

use std::fmt;
use std::str::FromStr;

use offerbench_algos::{did_you_mean, suggest};
use thiserror::Error;

/// By what rule members choose whom to share with. K counts *others*; a K that exceeds them means all of them.
///
/// Written and read as `random:k=3`, `useful:k=3`, `identities:k=3`, `relays:k=2`, `mailserver`, `all`, `log2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// Each member shares with `k` others, drawn uniformly.
    Random {
        /// Others to choose.
        k: u32,
    },
    /// Each member shares with `k` others, drawn one after another without replacement, each with a
    /// probability proportional to how long it was seen online (`seen_ms`; at least 1, at most 278 years).
    ///
    /// Why not simply the `k` seen longest: everybody would choose the same few, who would carry the links of
    /// the whole group and, by leaving together, tear it apart; and nobody would ever choose anybody else. The
    /// draw keeps most of the gain, since who is online ten times as long is ten times as likely to be drawn.
    ProvenUseful {
        /// Others to choose.
        k: u32,
    },
    /// Each *person* shares with `k` other people, drawn uniformly, and reaches each by one device, the one
    /// seen longest (at a tie the first). All devices of a person share with those, and with each other.
    Identities {
        /// Other people to choose.
        k: u32,
    },
    /// Everybody who is not a relay shares with `k` relays, drawn uniformly, and with nobody else; relays
    /// share with all other relays. A mailserver is no relay.
    Relays {
        /// Relays to choose.
        k: u32,
    },
    /// A star: everybody, relays too, shares with the one mailserver only.
    Mailserver,
    /// Everybody shares with everybody: K = N − 1. O(N²).
    AllToAll,
    /// [`Policy::Random`] with k = ⌈log2 N⌉.
    LogN,
}

/// Why a text names no policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// No policy has this name.
    #[error("unknown sharing policy `{name}`{}; known: {KNOWN}", did_you_mean(.near))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest name, if any is near.
        near: Option<String>,
    },
    /// The policy needs its K.
    #[error("sharing policy `{name}` needs a k, as in `{name}:k=3`")]
    NeedsK {
        /// The policy.
        name: String,
    },
    /// The policy takes no parameters.
    #[error("sharing policy `{name}` takes no parameters, found `{found}`")]
    TakesNone {
        /// The policy.
        name: String,
        /// What stands behind the colon.
        found: String,
    },
    /// The policy takes a K and nothing else.
    #[error("sharing policy `{name}` takes one parameter, as in `{name}:k=3`, found `{found}`")]
    Malformed {
        /// The policy.
        name: String,
        /// What stands behind the colon.
        found: String,
    },
    /// K is not a whole number. K = 0 can be read, for [`choices`](super::choices()) to refuse it among several.
    #[error("sharing policy `{name}`: k is a whole number from 1 to {}, found `{value}`", u32::MAX)]
    BadK {
        /// The policy.
        name: String,
        /// What was given.
        value: String,
    },
}

const KNOWN: &str = "random:k=K, useful:k=K, identities:k=K, relays:k=K, mailserver, all, log2";
const NAMES: [&str; 7] = ["random", "useful", "identities", "relays", "mailserver", "all", "log2"];

impl Policy {
    /// How each is written, and what it is, in one line.
    pub const WRITTEN: [(&str, &str); 7] = [
        ("random:k=3", "each member shares with k others, drawn evenly"),
        ("useful:k=3", "drawn in proportion to how long they were seen online"),
        ("identities:k=3", "k people, each by the device seen longest; a person's devices among each other"),
        ("relays:k=2", "with k relays and nobody else"),
        ("mailserver", "a star around one mailserver"),
        ("all", "everybody with everybody: k = N - 1"),
        ("log2", "random, with k = ⌈log2 N⌉"),
    ];

    /// The K that it was given; `None` where K follows from the members.
    pub const fn k(&self) -> Option<u32> {
        match *self {
            Self::Random { k } | Self::ProvenUseful { k } | Self::Identities { k } | Self::Relays { k } => {
                Some(k)
            }
            Self::Mailserver | Self::AllToAll | Self::LogN => None,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Random { .. } => "random",
            Self::ProvenUseful { .. } => "useful",
            Self::Identities { .. } => "identities",
            Self::Relays { .. } => "relays",
            Self::Mailserver => "mailserver",
            Self::AllToAll => "all",
            Self::LogN => "log2",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.k().map_or(Ok(()), |k| write!(f, ":k={k}"))
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let (name, rest) = match text.split_once(':') {
            Some((name, rest)) => (name, Some(rest)),
            None => (text, None),
        };
        let k = || parse_k(name, rest);
        let none = |policy| match rest {
            None => Ok(policy),
            Some(found) => Err(PolicyError::TakesNone { name: name.to_owned(), found: found.to_owned() }),
        };
        match name {
            "random" => Ok(Self::Random { k: k()? }),
            "useful" => Ok(Self::ProvenUseful { k: k()? }),
            "identities" => Ok(Self::Identities { k: k()? }),
            "relays" => Ok(Self::Relays { k: k()? }),
            "mailserver" => none(Self::Mailserver),
            "all" => none(Self::AllToAll),
            "log2" => none(Self::LogN),
            _ => Err(PolicyError::Unknown { name: name.to_owned(), near: suggest(name, NAMES) }),
        }
    }
}

fn parse_k(name: &str, rest: Option<&str>) -> Result<u32, PolicyError> {
    let name = name.to_owned();
    let Some(rest) = rest else {
        return Err(PolicyError::NeedsK { name });
    };
    let value = match rest.split_once('=') {
        Some(("k", value)) if !value.contains(',') => value,
        _ => return Err(PolicyError::Malformed { name, found: rest.to_owned() }),
    };
    // `u32::from_str` alone would take `+3`.
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(k) if digits => Ok(k),
        _ => Err(PolicyError::BadK { name, value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        text.parse::<Policy>().unwrap_err().to_string()
    }

    #[test]
    fn every_policy_is_read_as_it_is_written() {
        let texts = ["random:k=3", "useful:k=3", "identities:k=1", "relays:k=2", "mailserver", "all", "log2"];
        for (text, name) in texts.into_iter().zip(NAMES) {
            let policy: Policy = text.parse().unwrap();
            assert_eq!(policy.to_string(), text);
            assert_eq!(policy.name(), name);
            assert!(KNOWN.contains(name));
        }
        assert_eq!("useful:k=3".parse(), Ok(Policy::ProvenUseful { k: 3 }));
        assert_eq!("random:k=007".parse(), Ok(Policy::Random { k: 7 }));
        assert_eq!("random:k=0".parse(), Ok(Policy::Random { k: 0 }));
    }

    #[test]
    fn errors_name_the_part_and_how_to_write_it() {
        assert!(error("randon:k=3").contains("`randon` (did you mean `random`?)"), "{}", error("randon:k=3"));
        assert!(error("mailsever").contains("did you mean `mailserver`?"));
        assert!(error("").contains("known: random:k=K"));
        assert!(!error("xyzzyxyzzy").contains("did you mean"));
        assert!(error("random").contains("needs a k, as in `random:k=3`"));
        assert!(error("all:k=3").contains("takes no parameters, found `k=3`"));
        for text in ["random:", "random:n=3", "random:k", "random:k=3,k=4", "relays:k=2,x=1"] {
            assert!(error(text).contains("takes one parameter"), "{text}: {}", error(text));
        }
        for text in ["random:k=", "random:k=-1", "random:k=+3", "random:k=4294967296", "random:k=2.5"] {
            assert!(error(text).contains("k is a whole number from 1"), "{text}: {}", error(text));
        }
    }
}
