//! What life to make up, and the making.

use offerbench_algos::{Rng, Seed};
use thiserror::Error;

use super::laws::{DAY_MS, HOUR_MS, WEEK_MS, weibull};
use super::place::Draft;
use super::{Clocks, Life, Online, Traffic, Write, bursts, even, hawkes, place, replies};
use crate::MESSAGES_MAX;

/// Members at most: one list of stays each.
pub const MEMBERS_MAX: u32 = 1 << 20;

/// How long a life may last: a hundred years, in milliseconds.
pub const DURATION_MS_MAX: u64 = 36_525 * DAY_MS;

/// Bytes of every message of even traffic: the mean in a small group (DuraSpace: 86.4).
const EVEN_SIZE: u32 = 86;

/// What life to make up.
///
/// Messages and presence come from streams of their own: two specs that differ in [`online`](Self::online)
/// alone have the same messages, as far as presence does not move them.
#[derive(Clone, Debug, PartialEq)]
pub struct LifeSpec {
    /// Members, also those who never write. From 1 to [`MEMBERS_MAX`].
    pub members: u32,
    /// How long it lasts, in milliseconds. From 1 to [`DURATION_MS_MAX`].
    pub duration_ms: u64,
    /// When who writes.
    pub traffic: Traffic,
    /// Expected messages a day in the whole group; 0 for a group with nothing to say. What is written on one
    /// day of a bursty life is far from this, most often.
    pub messages_day: f64,
    /// When who is online.
    pub online: Online,
    /// Whether members also write while they are offline. It matters where traffic and presence know nothing
    /// of each other ([`Online::Alternating`]); with the others everybody is online around its own messages.
    /// If not, such a message is moved into its author's next stay, or into the last one if there is no next.
    pub writes_offline: bool,
    /// What is wrong with timestamps.
    pub clocks: Clocks,
    /// Whether messages name those that they answer as their parents, with the locality that was measured in
    /// a busy channel. These are links between texts. For a causal graph leave this off: its parents are what
    /// an author has seen, which presence decides.
    pub replies: bool,
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
    /// More messages than a trace may have, together with those that are drawn around a life to see what
    /// reaches into it: two hours before a busy one, up to two weeks around that of a small group.
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

    /// How long after a Monday's midnight every life of this seed begins, in milliseconds: a whole hour of a
    /// week.
    ///
    /// Meetings and workdays have their hours. The beginning is drawn so that short lives see all hours of a
    /// week, and the number of messages comes out on average however long a life is.
    pub fn begins_ms(seed: Seed) -> u64 {
        seed.child("life begins").rng().below(WEEK_MS / HOUR_MS) * HOUR_MS
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
    ///     replies: false,
    /// };
    /// let life = spec.draw(Seed::new(1))?;
    /// assert_eq!((life.writes.len(), life.stays.len()), (240, 10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn draw(&self, seed: Seed) -> Result<Life, LifeError> {
        self.check()?;
        let begins_ms = Self::begins_ms(seed);
        let seed = seed.child("life");
        let mut drafts = self.drafts(begins_ms, seed);
        if drafts.len() as u64 > MESSAGES_MAX {
            return Err(LifeError::TooManyMessages { expected: drafts.len() as f64 });
        }
        let stays = self.online.stays(self.members, &drafts, self.duration_ms, begins_ms, seed);
        if self.online.knows_nothing_of_traffic()
            && !self.writes_offline
            && !place::online(&mut drafts, &stays, &mut seed.child("place").rng())
        {
            return Err(LifeError::NeverOnline { online: self.online });
        }
        let skews_ms = self.clocks.skews_ms(&drafts, seed.child("clocks"));
        let mut sizes = seed.child("sizes").rng();
        let mut answers = seed.child("replies").rng();
        let write = |(index, (draft, skew_ms)): (u32, (&Draft, i64))| Write {
            at_ms: draft.at_ms,
            author: draft.author,
            size: self.size(&mut sizes),
            skew_ms,
            parents: if self.replies { replies::parents(index, &mut answers) } else { Vec::new() },
        };
        let writes = (0..).zip(drafts.iter().zip(skews_ms)).map(write).collect();
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
        // Also what is drawn before the life begins, and up to the end of its last week.
        let around_ms = match self.traffic {
            Traffic::Even => 0,
            Traffic::Busy => hawkes::BEFORE_MS,
            Traffic::Small => 2 * WEEK_MS,
        };
        let expected = self.messages_day * ((self.duration_ms + around_ms) as f64 / DAY_MS as f64);
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
    fn drafts(&self, begins_ms: u64, seed: Seed) -> Vec<Draft> {
        // Ranks are dealt to members by chance, so that a low number says nothing about a member.
        let mut by_rank: Vec<u32> = (0..self.members).collect();
        seed.child("ranks").rng().shuffle(&mut by_rank);
        match self.traffic {
            Traffic::Even => {
                even::drafts((self.messages_expected() + 0.5) as u64, self.duration_ms, &by_rank)
            }
            Traffic::Busy => hawkes::drafts(self.messages_day, self.duration_ms, by_rank, seed.child("busy")),
            Traffic::Small => {
                bursts::drafts(self.messages_day, self.duration_ms, begins_ms, by_rank, seed.child("small"))
            }
        }
    }

    /// Bytes of a message's text.
    fn size(&self, rng: &mut Rng) -> u32 {
        // Fits to Ubuntu (KS .031) and DuraSpace (KS .015); log-normal fits come out at .07 to .09.
        let (k, scale) = match self.traffic {
            Traffic::Even => return EVEN_SIZE,
            Traffic::Busy => (1.125, 61.16),
            Traffic::Small => (1.269, 92.91),
        };
        ((weibull(rng, k, scale) + 0.5) as u32).max(1)
    }
}
