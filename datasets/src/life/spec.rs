//! What life to make up, and the making.

use offerbench_algos::Seed;
use thiserror::Error;

use super::laws::DAY_MS;
use super::place::Draft;
use super::{Clocks, Life, Online, Stay, Traffic, Write, alternating, even, place};
use crate::MESSAGES_MAX;

/// Members at most: one list of stays each.
pub const MEMBERS_MAX: u32 = 1 << 20;

/// How long a life may last: a hundred years, in milliseconds.
pub const DURATION_MS_MAX: u64 = 36_525 * DAY_MS;

/// Bytes of every message of even traffic: the mean in a small group (DuraSpace: 86.4).
const EVEN_SIZE: u32 = 86;

/// What life to make up.
///
/// Messages and presence come from streams of their own: two specs that differ in [`online`](Self::online) alone have
/// the same messages, as far as presence does not move them.
#[derive(Clone, Debug, PartialEq)]
pub struct LifeSpec {
    /// Members, also those who never write. From 1 to [`MEMBERS_MAX`].
    pub members: u32,
    /// How long it lasts, in milliseconds. From 1 to [`DURATION_MS_MAX`].
    pub duration_ms: u64,
    /// When who writes.
    pub traffic: Traffic,
    /// Expected messages a day in the whole group; 0 for a group with nothing to say. The number that is written in a
    /// bursty life is far from this on most days.
    pub messages_day: f64,
    /// When who is online.
    pub online: Online,
    /// Whether members also write while they are offline, where traffic and presence know nothing of each other
    /// ([`Online::Alternating`]). If not, such a message is moved to its author's next stay, or its last one.
    pub writes_offline: bool,
    /// What is wrong with timestamps.
    pub clocks: Clocks,
}

/// Why there is no such life.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum LifeError {
    /// Nobody, or too many.
    #[error("{members} members: expected 1 to {MEMBERS_MAX}")]
    Members {
        /// What was asked for.
        members: u32,
    },
    /// No time, or too much.
    #[error("a life of {duration_ms} ms: expected 1 to {DURATION_MS_MAX}, which is a hundred years")]
    Duration {
        /// What was asked for.
        duration_ms: u64,
    },
    /// Not a rate.
    #[error("{messages_day} messages a day: expected a number, 0 or more")]
    Rate {
        /// What was asked for.
        messages_day: f64,
    },
    /// More messages than a trace may have.
    #[error(
        "about {expected:.0} messages: the limit is {MESSAGES_MAX}; take a shorter life or fewer messages a day"
    )]
    TooManyMessages {
        /// How many there would be.
        expected: f64,
    },
    /// More stays than messages are allowed.
    #[error(
        "about {expected:.0} stays online: the limit is {MESSAGES_MAX}; take a shorter life, fewer members or longer stays"
    )]
    TooManyStays {
        /// How many there would be.
        expected: f64,
    },
    /// Values that [`Online`]'s text form does not allow either.
    #[error("`{online}`: expected a share of at most 1, and a second at least")]
    Online {
        /// What was asked for.
        online: Online,
    },
    /// Everything is to be written online, and nobody ever is.
    #[error(
        "nobody is ever online with `{online}`, but all messages are to be written online: allow writing offline, or take a longer life or a higher uptime"
    )]
    NeverOnline {
        /// What was asked for.
        online: Online,
    },
    /// A clock that is off by more than can be.
    #[error("clocks: {what} = {value}: expected at most {max}")]
    Clock {
        /// The field of [`Clocks`].
        what: &'static str,
        /// What was asked for.
        value: u32,
        /// What is allowed.
        max: u32,
    },
}

impl LifeSpec {
    /// How many messages to expect.
    pub fn messages_expected(&self) -> f64 {
        self.messages_day * (self.duration_ms as f64 / DAY_MS as f64)
    }

    /// Makes the life up. The same spec and seed give the same life, on every machine.
    ///
    /// Time and memory are in proportion to messages and stays; a million messages take about a second.
    ///
    /// # Errors
    ///
    /// A spec that describes no life, or one above the limits.
    ///
    /// ```
    /// use offerbench_algos::Seed;
    /// use offerbench_datasets::life::{Clocks, LifeSpec, Online, Traffic};
    ///
    /// let spec = LifeSpec {
    ///     members: 10,
    ///     duration_ms: 24 * 3_600_000,
    ///     traffic: Traffic::Even,
    ///     messages_day: 240.0,
    ///     online: "alternating:uptime=0.5,stay=3600".parse()?,
    ///     writes_offline: false,
    ///     clocks: Clocks::default(),
    /// };
    /// let life = spec.draw(Seed::new(1))?;
    /// assert_eq!((life.writes.len(), life.stays.len()), (240, 10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn draw(&self, seed: Seed) -> Result<Life, LifeError> {
        self.check()?;
        let seed = seed.child("life");
        let mut drafts = self.drafts(seed);
        if drafts.len() as u64 > MESSAGES_MAX {
            return Err(LifeError::TooManyMessages { expected: drafts.len() as f64 });
        }
        let stays = self.stays(seed);
        if self.online.knows_nothing_of_traffic()
            && !self.writes_offline
            && !place::online(&mut drafts, &stays, &mut seed.child("place").rng())
        {
            return Err(LifeError::NeverOnline { online: self.online });
        }
        let skews_ms = self.clocks.skews_ms(&drafts, seed.child("clocks"));
        let write = |(draft, skew_ms): (&Draft, i64)| Write {
            at_ms: draft.at_ms,
            author: draft.author,
            size: EVEN_SIZE,
            skew_ms,
            parents: Vec::new(),
        };
        let writes = drafts.iter().zip(skews_ms).map(write).collect();
        Ok(Life { members: self.members, end_ms: self.duration_ms, writes, stays })
    }

    fn check(&self) -> Result<(), LifeError> {
        if self.members == 0 || self.members > MEMBERS_MAX {
            return Err(LifeError::Members { members: self.members });
        }
        if self.duration_ms == 0 || self.duration_ms > DURATION_MS_MAX {
            return Err(LifeError::Duration { duration_ms: self.duration_ms });
        }
        if !self.messages_day.is_finite() || self.messages_day < 0.0 {
            return Err(LifeError::Rate { messages_day: self.messages_day });
        }
        let expected = self.messages_expected();
        if expected > MESSAGES_MAX as f64 {
            return Err(LifeError::TooManyMessages { expected });
        }
        self.online.check()?;
        let expected = self.online.stays_expected(self.duration_ms) * f64::from(self.members);
        if expected > MESSAGES_MAX as f64 {
            return Err(LifeError::TooManyStays { expected });
        }
        self.clocks.check()
    }

    /// Who writes when, sorted.
    fn drafts(&self, seed: Seed) -> Vec<Draft> {
        // Ranks are dealt to members by chance, so that a low number says nothing about a member.
        let mut by_rank: Vec<u32> = (0..self.members).collect();
        seed.child("ranks").rng().shuffle(&mut by_rank);
        match self.traffic {
            Traffic::Even => {
                even::drafts((self.messages_expected() + 0.5) as u64, self.duration_ms, &by_rank)
            }
        }
    }

    /// Who is online when.
    fn stays(&self, seed: Seed) -> Vec<Vec<Stay>> {
        let seed = seed.child("presence");
        match self.online {
            Online::Always => vec![vec![Stay { on_ms: 0, off_ms: self.duration_ms }]; self.members as usize],
            Online::Alternating { uptime_ppm, stay_s } => {
                alternating::stays(self.members, uptime_ppm, stay_s, self.duration_ms, seed)
            }
        }
    }
}
