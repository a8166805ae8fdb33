//! Options as text: how experiments name links and ack policies.
//!
//! ```
//! use offerbench_sync::sim::LinkProfile;
//! use offerbench_sync::{Acks, Span};
//!
//! assert_eq!("delayed:after=2s".parse(), Ok(Acks::Delayed { after: Span::from_s(2) }));
//! assert_eq!("4g".parse(), Ok(LinkProfile::MOBILE_4G));
//! let error = "delyed:after=2s".parse::<Acks>().unwrap_err();
//! assert!(error.to_string().contains("did you mean `delayed`?"));
//! ```

use std::fmt;
use std::str::FromStr;

use offerbench_algos::{UnknownName, suggest};
use thiserror::Error;

use crate::config::Acks;
use crate::sim::LinkProfile;
use crate::time::Span;

/// Why a text names no option.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing has this name.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// The ack policy needs to be told how long an ack may wait.
    #[error("ack policy `{name}` needs how long an ack may wait, as in `{name}:after=1000ms`")]
    NeedsAfter {
        /// The policy.
        name: String,
    },
    /// The ack policy takes one parameter or none, and something else was found.
    #[error("ack policy `{name}`: found `{found}`; it is written {as_in}")]
    Malformed {
        /// The policy.
        name: String,
        /// What stands behind the colon.
        found: String,
        /// How it is written.
        as_in: String,
    },
    /// A length of time that is none.
    #[error("`{text}` is no length of time: a whole number and `us`, `ms` or `s`, as in `1000ms`")]
    BadSpan {
        /// What was given.
        text: String,
    },
}

/// One of [`LinkProfile::NAMED`].
impl FromStr for LinkProfile {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::NAMED.iter().find(|(name, _)| *name == text);
        let names = Self::NAMED.map(|(name, _)| name);
        found.map(|(_, profile)| *profile).ok_or_else(|| UnknownName::among("link", text, names))
    }
}

const ACKS: [&str; 4] = ["immediate", "delayed", "ancestors", "set-hash"];

impl fmt::Display for Acks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, after) = match self {
            Self::Immediate => return f.write_str(ACKS[0]),
            Self::Delayed { after } => (ACKS[1], after),
            Self::Ancestors { after } => (ACKS[2], after),
            Self::SetHash { after } => (ACKS[3], after),
        };
        match after.as_us().is_multiple_of(1000) {
            true => write!(f, "{name}:after={}ms", after.as_ms()),
            false => write!(f, "{name}:after={}us", after.as_us()),
        }
    }
}

impl FromStr for Acks {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (name, rest) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        if !ACKS.contains(&name) {
            let known = ACKS.map(|name| if name == ACKS[0] { name.to_owned() } else { as_in(name) });
            let (near, known) = (suggest(name, ACKS), known.join(", "));
            return Err(UnknownName { what: "ack policy", name: name.to_owned(), near, known }.into());
        }
        let malformed = |found: &str, as_in: String| NameError::Malformed {
            name: name.to_owned(),
            found: found.to_owned(),
            as_in: format!("`{as_in}`"),
        };
        if name == ACKS[0] {
            return match rest {
                None => Ok(Self::Immediate),
                Some(found) => Err(malformed(found, name.to_owned())),
            };
        }
        let rest = rest.ok_or_else(|| NameError::NeedsAfter { name: name.to_owned() })?;
        let value = rest.strip_prefix("after=").ok_or_else(|| malformed(rest, as_in(name)))?;
        let after = parse_span(value)?;
        Ok(match name {
            "delayed" => Self::Delayed { after },
            "ancestors" => Self::Ancestors { after },
            _ => Self::SetHash { after },
        })
    }
}

fn as_in(name: &str) -> String {
    format!("{name}:after=1000ms")
}

fn parse_span(text: &str) -> Result<Span, NameError> {
    let bad = || NameError::BadSpan { text: text.to_owned() };
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| bad())?;
    let unit_us = match unit {
        "us" => 1,
        "ms" => 1000,
        "s" => 1_000_000,
        _ => return Err(bad()),
    };
    number.checked_mul(unit_us).map(Span::from_us).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_read_as_it_is_written() {
        let after = Span::from_ms(1500);
        let all =
            [Acks::Immediate, Acks::Delayed { after }, Acks::Ancestors { after }, Acks::SetHash { after }];
        for (acks, name) in all.into_iter().zip(ACKS) {
            assert_eq!(acks.to_string().parse(), Ok(acks));
            assert!(acks.to_string().starts_with(name));
        }
        let odd = Acks::Delayed { after: Span::from_us(1_000_001) };
        assert_eq!((odd.to_string().as_str(), odd.to_string().parse()), ("delayed:after=1000001us", Ok(odd)));
        assert_eq!("set-hash:after=0s".parse(), Ok(Acks::SetHash { after: Span::ZERO }));
        for (name, profile) in LinkProfile::NAMED {
            assert_eq!(name.parse(), Ok(profile));
        }
    }

    #[test]
    fn errors_name_what_is_near_and_how_it_is_written() {
        let acks = |text: &str| text.parse::<Acks>().unwrap_err().to_string();
        assert!(acks("imediate").contains("unknown ack policy `imediate` (did you mean `immediate`?)"));
        assert!(acks("").ends_with(
            "known: immediate, delayed:after=1000ms, ancestors:after=1000ms, set-hash:after=1000ms"
        ));
        assert!(acks("delayed").contains("needs how long an ack may wait, as in `delayed:after=1000ms`"));
        assert!(acks("immediate:after=1s").contains("found `after=1s`; it is written `immediate`"));
        for text in ["delayed:", "delayed:1s", "ancestors:before=1s", "set-hash:after"] {
            assert!(acks(text).contains("it is written"), "{text}: {}", acks(text));
        }
        for span in [
            "",
            "1",
            "s",
            "+1s",
            "-1s",
            "1.5s",
            "1h",
            "1s,after=2s",
            "99999999999999999999s",
            "18446744073709551615s",
        ] {
            let text = format!("delayed:after={span}");
            assert!(acks(&text).contains("is no length of time"), "{text}: {}", acks(&text));
        }
        let link = "5g".parse::<LinkProfile>().unwrap_err().to_string();
        assert_eq!(link, "unknown link `5g` (did you mean `4g`?); known: ideal, lan, 4g, tor, ble, lora");
    }
}
