//! When who is online.

use std::fmt;
use std::str::FromStr;

use offerbench_algos::{Seed, UnknownName, suggest};
use thiserror::Error;

use super::laws::DAY_MS;
use super::place::Draft;
use super::{Life, LifeError, LifeSpec, Stay, alternating, phones, talking};
use crate::MESSAGES_MAX;

/// When who is online. As text `always`, `alternating:uptime=0.1,stay=600`; what is left out has its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Online {
    /// Everybody, all the time.
    Always,
    /// Everybody comes and goes on its own, without habits and whatever is written.
    Alternating {
        /// For how many millionths of the time each is online. As text a share from 0 to 1.
        uptime_ppm: u32,
        /// How long one stays on average, in seconds.
        stay_s: u32,
    },
    /// As people with phones: few are always there, some on workdays, most come when there is talk.
    Phones,
    /// From each own message on for so long. Who never writes is never online.
    Talking {
        /// For how long, in seconds.
        timeout_s: u32,
    },
}

impl Online {
    /// A million: shares are whole numbers of millionths.
    pub const PPM: u32 = 1_000_000;

    /// One of every kind, with its defaults, in the order in which they are listed.
    pub const ALL: &'static [Self] = &[
        Self::Always,
        Self::Alternating { uptime_ppm: 100_000, stay_s: 600 },
        Self::Phones,
        Self::Talking { timeout_s: 900 },
    ];

    /// The name, without parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Alternating { .. } => "alternating",
            Self::Phones => "phones",
            Self::Talking { .. } => "talking",
        }
    }

    /// What it is, in one line.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Always => "everybody, all the time: servers, and a bound for all others",
            Self::Alternating { .. } => {
                "everybody for a share `uptime` of the time, `stay` seconds at a time, without habits"
            }
            Self::Phones => {
                "people: few always, some on workdays, most when there is talk; measured, half below 2.7%"
            }
            Self::Talking { .. } => "from each own message on for `timeout` seconds, and at no other time",
        }
    }

    /// Whether it is drawn without a look at who writes when.
    pub(super) const fn knows_nothing_of_traffic(self) -> bool {
        matches!(self, Self::Alternating { .. })
    }

    /// Refuses what the text form would refuse.
    pub(super) fn check(self) -> Result<(), LifeError> {
        let fits = match self {
            Self::Always | Self::Phones => true,
            Self::Talking { timeout_s } => timeout_s > 0,
            Self::Alternating { uptime_ppm, stay_s } => uptime_ppm <= Self::PPM && stay_s > 0,
        };
        if fits { Ok(()) } else { Err(LifeError::Online { online: self }) }
    }

    /// Who is online in a life whose messages are given, as recorded. What the life says of it is not looked at. O((messages
    /// + stays) · log messages).
    ///
    /// # Errors
    ///
    /// Parameters out of their range, or more stays than fit in memory.
    pub fn stays_of(self, life: &Life, seed: Seed) -> Result<Vec<Vec<Stay>>, LifeError> {
        self.check()?;
        let expected = self.stays_expected(life.end_ms) * f64::from(life.members);
        if expected > MESSAGES_MAX as f64 {
            return Err(LifeError::TooManyStays { expected });
        }
        let drafts: Vec<Draft> =
            life.writes.iter().map(|write| Draft { at_ms: write.at_ms, author: write.author }).collect();
        Ok(self.stays(life.members, &drafts, life.end_ms, LifeSpec::begins_ms(seed), seed))
    }

    /// Who is online when, given who writes when; the life begins `begins_ms` after a Monday's midnight.
    pub(super) fn stays(
        self,
        members: u32,
        drafts: &[Draft],
        end_ms: u64,
        begins_ms: u64,
        seed: Seed,
    ) -> Vec<Vec<Stay>> {
        let seed = seed.child("presence");
        match self {
            Self::Always => vec![vec![Stay { on_ms: 0, off_ms: end_ms }]; members as usize],
            Self::Alternating { uptime_ppm, stay_s } => {
                alternating::stays(members, uptime_ppm, stay_s, end_ms, seed)
            }
            Self::Phones => phones::stays(members, drafts, end_ms, begins_ms, seed),
            Self::Talking { timeout_s } => {
                talking::stays(members, drafts, u64::from(timeout_s) * 1000, end_ms)
            }
        }
    }

    /// How many stays to expect of a member. Talking makes no more stays than there are messages.
    pub(super) fn stays_expected(self, duration_ms: u64) -> f64 {
        match self {
            Self::Always | Self::Talking { .. } => 1.0,
            // Measured at most, in 90 regulars: 1.1 a day.
            Self::Phones => 1.0 + duration_ms as f64 / DAY_MS as f64,
            Self::Alternating { uptime_ppm, stay_s } => {
                let up = f64::from(uptime_ppm) / f64::from(Self::PPM);
                1.0 + duration_ms as f64 * up / (f64::from(stay_s) * 1000.0)
            }
        }
    }

    /// The parameters with their values, as they are written.
    fn params(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Always | Self::Phones => Vec::new(),
            Self::Talking { timeout_s } => vec![("timeout", timeout_s.to_string())],
            Self::Alternating { uptime_ppm, stay_s } => vec![
                ("uptime", (f64::from(uptime_ppm) / f64::from(Self::PPM)).to_string()),
                ("stay", stay_s.to_string()),
            ],
        }
    }

    /// Sets one parameter from text; what it expects instead, if that cannot be.
    fn set(&mut self, param: &str, value: &str) -> Result<(), &'static str> {
        match (self, param) {
            (Self::Alternating { uptime_ppm, .. }, "uptime") => {
                let share: f64 = value
                    .parse()
                    .ok()
                    .filter(|share| (0.0..=1.0).contains(share))
                    .ok_or("a share from 0 to 1")?;
                *uptime_ppm = (share * f64::from(Self::PPM) + 0.5) as u32;
            }
            (Self::Alternating { stay_s, .. }, "stay") => *stay_s = seconds(value)?,
            (Self::Talking { timeout_s }, "timeout") => *timeout_s = seconds(value)?,
            _ => return Err("no value, for there is no such parameter"),
        }
        Ok(())
    }
}

fn seconds(value: &str) -> Result<u32, &'static str> {
    value.parse().ok().filter(|seconds| *seconds > 0).ok_or("whole seconds, 1 at least")
}

/// The canonical form: every parameter with its value. Equal values are equal texts.
impl fmt::Display for Online {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.name().to_owned();
        for (index, (param, value)) in self.params().into_iter().enumerate() {
            text.push(if index == 0 { ':' } else { ',' });
            text.push_str(param);
            text.push('=');
            text.push_str(&value);
        }
        f.pad(&text)
    }
}

/// A text that says nothing about who is online when.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OnlineError {
    /// The name before the `:`.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// A parameter that this kind does not have, one without a value, or one that is given twice.
    #[error("`{text}`: `{part}` is no parameter here; expected a form like `{example}`")]
    Param {
        /// The whole text.
        text: String,
        /// The part that does not fit.
        part: String,
        /// What would fit.
        example: String,
    },
    /// A value that its parameter does not take.
    #[error("`{text}`: `{part}`: expected {expected}")]
    Value {
        /// The whole text.
        text: String,
        /// The part that does not fit.
        part: String,
        /// What would fit.
        expected: &'static str,
    },
}

impl FromStr for Online {
    type Err = OnlineError;

    fn from_str(text: &str) -> Result<Self, OnlineError> {
        let (name, rest) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let mut online =
            Self::ALL.iter().copied().find(|online| online.name() == name).ok_or_else(|| UnknownName {
                what: "presence",
                name: name.to_owned(),
                near: suggest(name, Self::ALL.iter().map(|online| online.name())),
                known: Self::ALL.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            })?;
        let example = online.to_string();
        let mut left: Vec<&str> = online.params().into_iter().map(|(param, _)| param).collect();
        for part in rest.into_iter().flat_map(|rest| rest.split(',')) {
            let known = part
                .split_once('=')
                .and_then(|(param, value)| Some((left.iter().position(|left| *left == param)?, value)));
            let Some((index, value)) = known else {
                return Err(OnlineError::Param { text: text.to_owned(), part: part.to_owned(), example });
            };
            let param = left.remove(index);
            online.set(param, value).map_err(|expected| OnlineError::Value {
                text: text.to_owned(),
                part: part.to_owned(),
                expected,
            })?;
        }
        Ok(online)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_back() {
        for online in Online::ALL {
            assert_eq!(online.to_string().parse::<Online>().unwrap(), *online);
            assert_eq!(online.name().parse::<Online>().unwrap(), *online, "defaults");
            assert!(!online.doc().is_empty());
        }
        let online: Online = "alternating:stay=60,uptime=0.05".parse().unwrap();
        assert_eq!(online, Online::Alternating { uptime_ppm: 50_000, stay_s: 60 });
        assert_eq!(online.to_string(), "alternating:uptime=0.05,stay=60");
    }

    #[test]
    fn errors_name_the_part_and_what_would_fit() {
        let error = |text: &str| text.parse::<Online>().unwrap_err().to_string();
        let text = error("alternate:stay=1");
        assert!(
            text.contains("`alternate` (did you mean `alternating`?); known: always, alternating:uptime="),
            "{text}"
        );
        for text in ["alternating:up=0.1", "alternating:", "alternating:stay=1,stay=2", "always:stay=1"] {
            assert!(error(text).contains("is no parameter here; expected a form like"), "{text}");
        }
        for text in ["alternating:uptime=1.5", "alternating:uptime=NaN", "alternating:uptime=-1"] {
            assert!(error(text).contains("a share from 0 to 1"), "{text}");
        }
        for text in ["alternating:stay=0", "alternating:stay=1.5", "alternating:stay="] {
            assert!(error(text).contains("whole seconds"), "{text}");
        }
    }
}
