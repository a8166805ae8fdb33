//! A sweep over groups, as a TOML file says it, and the grid of its points.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use offerbench_algos::UnknownName;
use offerbench_datasets::life::{Clocks, Online, OnlineError, Traffic};
use offerbench_reports::record::GroupAxis;
use offerbench_sync::sim::LinkProfile;
use offerbench_sync::{Acks, Config, Delivery, Offer, OnHave, Policy};

/// One sweep over groups, as written. Lists are axes: their product is the grid, the last list fastest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSweep {
    /// Unique in the experiment.
    pub name: String,
    /// What it answers.
    pub question: String,
    /// What was expected before it ran.
    pub expectation: String,
    /// The x of its charts.
    pub axis: GroupAxis,
    /// OFFER paths: `batch`, `interactive`, specs, or globs over preset specs. `*`: both paths of MVDS and the first
    /// preset of every strategy.
    #[serde(default = "everything")]
    pub strategies: Vec<String>,
    /// Members.
    #[serde(default)]
    pub members: Vec<u32>,
    /// By what rule they choose whom to share with.
    #[serde(default = "three")]
    pub sharing: Vec<Said<Policy>>,
    /// Relays beside the members, always online.
    #[serde(default)]
    pub relays: u32,
    /// Who writes when: `even`, `busy`, `small`, or `trace`.
    #[serde(default = "even")]
    pub traffic: Vec<Said<Writes>>,
    /// Messages a day in the whole group, on average.
    #[serde(default)]
    pub messages_day: Vec<f64>,
    /// Messages a day and member, on average; instead of `messages_day`.
    #[serde(default)]
    pub messages_member_day: Vec<f64>,
    /// Who is online when: `always`, `alternating:uptime=0.1,stay=600`, `phones`, `talking:timeout=900`, or `trace`.
    #[serde(default = "tenth")]
    pub online: Vec<Said<Presence>>,
    /// How long it lasts, in hours.
    #[serde(default = "day")]
    pub hours: f64,
    /// Messages that everybody holds at the beginning. By default none; of a trace, what was written before.
    #[serde(default)]
    pub history: Vec<u64>,
    /// How long the members who return were away, in hours: they lack the history of that time.
    #[serde(default)]
    pub away_hours: Vec<f64>,
    /// How many return, an hour after the beginning.
    #[serde(default = "one")]
    pub returning: u32,
    /// Profiles of links.
    #[serde(default = "mobile")]
    pub link: Vec<Said<LinkProfile>>,
    /// How receipt is confirmed.
    #[serde(default = "immediate")]
    pub acks: Vec<Said<Acks>>,
    /// What becomes of what the peer lacks: see [`Mode`].
    #[serde(default = "offer")]
    pub mode: Vec<Mode>,
    /// Whether a message waits for its parents. With a trace, its edges are the parents then.
    #[serde(default)]
    pub causal: bool,
    /// Whether members also write while they are offline.
    #[serde(default)]
    pub writes_offline: bool,
    /// Each clock is wrong by up to this many seconds.
    #[serde(default)]
    pub skew_s: u32,
    /// Share of the messages that are stamped long before they are written.
    #[serde(default)]
    pub late_share: f64,
    /// How long before, on average, in seconds.
    #[serde(default)]
    pub late_mean_s: u32,
    /// Stamps are rounded down to this many seconds: ties.
    #[serde(default)]
    pub tie_s: u32,
    /// Where a stretch of the trace begins, in days since its first message; none: the busiest stretch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_day: Option<f64>,
    /// Repetitions of each point with other lives.
    #[serde(default = "once")]
    pub replicates: u32,
}

/// What becomes of an item that a peer lacks, and whether a message that was asked of one peer is asked of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// OFFER, and REQUESTs are coordinated.
    Offer,
    /// MESSAGE at once.
    Push,
    /// MESSAGE at once, and who comes online asks one peer after the other.
    PushOne,
    /// OFFER, and everybody who offers is asked.
    OfferUncoordinated,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Offer, Self::Push, Self::PushOne, Self::OfferUncoordinated];

    /// What it is, in one line.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Offer => "what a session finds is offered, and asked of one peer at a time",
            Self::Push => "what a session finds is sent at once; three peers are asked at a time",
            Self::PushOne => "what a session finds is sent at once; one peer is asked after the other",
            Self::OfferUncoordinated => {
                "what a session finds is offered, and asked of everybody who offers it"
            }
        }
    }

    /// As in a TOML file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Push => "push",
            Self::PushOne => "push-one",
            Self::OfferUncoordinated => "offer-uncoordinated",
        }
    }

    /// Tells it to the nodes' configuration.
    pub fn apply(self, config: &mut Config) {
        config.coordinate = self != Self::OfferUncoordinated;
        if let Offer::Reconcile(options) = &mut config.offer {
            options.on_have = match self {
                Self::Push | Self::PushOne => OnHave::Push,
                Self::Offer | Self::OfferUncoordinated => OnHave::Offer,
            };
            if self == Self::PushOne {
                options.ask = 1;
            }
        }
    }
}

/// A text, and what it says. Read at once, so that a mistake is found at its line; written as it stood.
#[derive(Clone, Debug, PartialEq)]
pub struct Said<T> {
    /// As it stands in the file.
    pub text: String,
    /// What it means.
    pub value: T,
}

impl<T: FromStr> FromStr for Said<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        Ok(Self { text: text.to_owned(), value: text.parse()? })
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        String::deserialize(de)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<T> Serialize for Said<T> {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(&self.text)
    }
}

/// One value, as if a file said it.
fn said<T: FromStr<Err: Debug>>(text: &str) -> Vec<Said<T>> {
    vec![text.parse().expect("defaults are well-formed")]
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}
fn three() -> Vec<Said<Policy>> {
    said("random:k=3")
}
fn even() -> Vec<Said<Writes>> {
    said("even")
}
fn tenth() -> Vec<Said<Presence>> {
    said("alternating:uptime=0.1,stay=600")
}
fn day() -> f64 {
    24.0
}
fn mobile() -> Vec<Said<LinkProfile>> {
    said("4g")
}
fn immediate() -> Vec<Said<Acks>> {
    said("immediate")
}
fn offer() -> Vec<Mode> {
    vec![Mode::Offer]
}
fn one() -> u32 {
    1
}
fn once() -> u32 {
    1
}

/// Who writes when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Writes {
    /// Drawn by a law.
    Drawn(Traffic),
    /// As recorded.
    Trace,
}

/// Who is online when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Presence {
    /// Drawn by a law.
    Drawn(Online),
    /// As recorded.
    Trace,
}

/// One point of the grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Members; those of the trace if they are not chosen.
    pub members: Option<u32>,
    /// By what rule they share.
    pub sharing: Policy,
    /// Relays.
    pub relays: u32,
    /// Who writes when.
    pub traffic: Writes,
    /// Messages a day in the whole group.
    pub messages_day: f64,
    /// Who is online when.
    pub online: Presence,
    /// How long it lasts, in milliseconds.
    pub duration_ms: u64,
    /// Messages that everybody holds at the beginning, where the sweep says.
    pub history: Option<u64>,
    /// How long the members who return were away, in milliseconds.
    pub away_ms: Option<u64>,
    /// How many return.
    pub returning: u32,
    /// The links.
    pub link: Said<LinkProfile>,
    /// How receipt is confirmed.
    pub acks: Acks,
    /// What becomes of what a peer lacks.
    pub mode: Mode,
    /// When a message is handed to the application.
    pub delivery: Delivery,
    /// Whether members also write while offline.
    pub writes_offline: bool,
    /// How wrong clocks are.
    pub clocks: Clocks,
    /// Where a stretch of a trace begins, in milliseconds.
    pub from_ms: Option<u64>,
}

impl Point {
    /// A day of phones at 10% uptime in stays of ten minutes, K = 3, over mobile links, with nothing to say yet.
    pub fn phones(members: u32) -> Self {
        Self {
            members: Some(members),
            sharing: Policy::Random { k: 3 },
            relays: 0,
            traffic: Writes::Drawn(Traffic::Even),
            messages_day: 0.0,
            online: Presence::Drawn(Online::Alternating { uptime_ppm: 100_000, stay_s: 600 }),
            duration_ms: 24 * HOUR_MS as u64,
            history: None,
            away_ms: None,
            returning: 0,
            link: Said { text: "4g".to_owned(), value: LinkProfile::MOBILE_4G },
            acks: Acks::Immediate,
            mode: Mode::Offer,
            delivery: Delivery::Eventual,
            writes_offline: false,
            clocks: Clocks::default(),
            from_ms: None,
        }
    }
}

/// Milliseconds of an hour.
const HOUR_MS: f64 = 3_600_000.0;

/// The longest history: what nodes keep at most.
const HISTORY_MAX: u64 = 1 << 24;

/// The longest life, in hours: ten years.
const HOURS_MAX: f64 = 87_600.0;

impl GroupSweep {
    /// Whether it replays a trace.
    pub fn replays(&self) -> bool {
        self.of_trace() || self.replays_presence()
    }

    /// Whether it replays who was online, too.
    pub fn replays_presence(&self) -> bool {
        self.online.iter().any(|online| online.value == Presence::Trace)
    }

    /// Whether it replays who wrote.
    fn of_trace(&self) -> bool {
        self.traffic.iter().any(|traffic| traffic.value == Writes::Trace)
    }

    /// The rules that the types cannot express.
    ///
    /// # Errors
    ///
    /// Says which field, and what was expected.
    pub fn check(&self) -> Result<(), String> {
        for (field, text) in [("question", &self.question), ("expectation", &self.expectation)] {
            if text.trim().is_empty() {
                return Err(format!("{field}: expected a sentence: a sweep without one answers nothing"));
            }
        }
        if self.replicates == 0 {
            return Err("replicates: expected at least 1".to_owned());
        }
        let hours = |field: &str, hours: f64| {
            if hours > 0.0 && hours <= HOURS_MAX {
                Ok(())
            } else {
                Err(format!("{field} {hours}: expected more than 0 and at most {HOURS_MAX} (ten years)"))
            }
        };
        hours("hours", self.hours)?;
        self.away_hours.iter().try_for_each(|away| hours("away_hours", *away))?;
        if (self.axis == GroupAxis::Away) == self.away_hours.is_empty() {
            return Err("axis = \"away\" goes with away_hours = [...]".to_owned());
        }
        if !(0.0..=1.0).contains(&self.late_share) {
            return Err(format!("late_share {}: expected 0 to 1", self.late_share));
        }
        if !self.away_hours.is_empty() && (self.returning == 0 || self.replays()) {
            return Err(
                "away_hours: expected returning above 0, and a life that is not of a trace".to_owned()
            );
        }
        if let Some(bad) = self.history.iter().find(|history| **history > HISTORY_MAX) {
            return Err(format!("history {bad}: expected at most {HISTORY_MAX}"));
        }
        let of_trace = self.of_trace();
        if of_trace && self.traffic.iter().any(|traffic| traffic.value != Writes::Trace) {
            return Err(
                "traffic = \"trace\" has members and messages of its own: give it a sweep of its own"
                    .to_owned(),
            );
        }
        if self.replays_presence() && !of_trace {
            return Err("online = \"trace\" goes with traffic = \"trace\"".to_owned());
        }
        if !of_trace && self.members.is_empty() {
            return Err("members: expected at least one value".to_owned());
        }
        if of_trace && !(self.members.is_empty() && self.rates().is_empty()) {
            return Err("members and messages come from the trace: leave them out".to_owned());
        }
        if !of_trace && self.rates().is_empty() {
            return Err("expected messages_day or messages_member_day".to_owned());
        }
        if !self.messages_day.is_empty() && !self.messages_member_day.is_empty() {
            return Err("expected either messages_day or messages_member_day".to_owned());
        }
        if let Some(bad) = self.rates().iter().find(|rate| !(rate.is_finite() && **rate >= 0.0)) {
            return Err(format!("messages {bad}: expected 0 or more"));
        }
        for (field, is_empty) in [
            ("sharing", self.sharing.is_empty()),
            ("traffic", self.traffic.is_empty()),
            ("online", self.online.is_empty()),
            ("link", self.link.is_empty()),
            ("acks", self.acks.is_empty()),
            ("mode", self.mode.is_empty()),
        ] {
            if is_empty {
                return Err(format!("{field}: expected at least one value"));
            }
        }
        self.points().map(|_| ())
    }

    fn rates(&self) -> &[f64] {
        if self.messages_day.is_empty() { &self.messages_member_day } else { &self.messages_day }
    }

    /// The grid, the last axis fastest.
    ///
    /// # Errors
    ///
    /// A point that stands in the grid twice.
    pub fn points(&self) -> Result<Vec<Point>, String> {
        let members = or_none(&self.members);
        let rates = if self.of_trace() { vec![0.0] } else { self.rates().to_vec() };
        let away_ms: Vec<u64> = self.away_hours.iter().map(|hours| (hours * HOUR_MS) as u64).collect();
        let per_member = self.messages_day.is_empty();

        let mut points = vec![self.origin()];
        vary(&mut points, &self.traffic, |point, said| point.traffic = said.value);
        vary(&mut points, &members, |point, value| point.members = *value);
        vary(&mut points, &self.sharing, |point, said| point.sharing = said.value);
        vary(&mut points, &rates, |point, rate| {
            let members = if per_member { f64::from(point.members.unwrap_or(1)) } else { 1.0 };
            point.messages_day = rate * members;
        });
        vary(&mut points, &self.online, |point, said| point.online = said.value);
        vary(&mut points, &or_none(&self.history), |point, value| point.history = *value);
        vary(&mut points, &or_none(&away_ms), |point, value| point.away_ms = *value);
        vary(&mut points, &self.link, |point, said| point.link.clone_from(said));
        vary(&mut points, &self.acks, |point, said| point.acks = said.value);
        vary(&mut points, &self.mode, |point, value| point.mode = *value);

        match points.iter().enumerate().find(|(index, point)| points[..*index].contains(point)) {
            Some((_, point)) => Err(format!("the point {point:?} stands in the grid twice")),
            None => Ok(points),
        }
    }

    /// A point with what does not vary; every axis overwrites its own.
    fn origin(&self) -> Point {
        Point {
            relays: self.relays,
            duration_ms: (self.hours * HOUR_MS) as u64,
            returning: if self.away_hours.is_empty() { 0 } else { self.returning },
            delivery: if self.causal { Delivery::Causal } else { Delivery::Eventual },
            writes_offline: self.writes_offline,
            clocks: Clocks {
                skew_max_s: self.skew_s,
                late_ppm: (self.late_share * 1e6).round() as u32,
                late_mean_s: self.late_mean_s,
                tie_s: self.tie_s,
            },
            from_ms: self.from_day.map(|day| (day * 24.0 * HOUR_MS) as u64),
            ..Point::phones(0)
        }
    }
}

/// Each point once for every value.
fn vary<T>(points: &mut Vec<Point>, values: &[T], set: impl Fn(&mut Point, &T)) {
    *points = points
        .iter()
        .flat_map(|point| {
            values.iter().map(|value| {
                let mut point = point.clone();
                set(&mut point, value);
                point
            })
        })
        .collect();
}

/// The values of an axis that need not be given.
fn or_none<T: Copy>(values: &[T]) -> Vec<Option<T>> {
    if values.is_empty() { vec![None] } else { values.iter().copied().map(Some).collect() }
}

impl FromStr for Writes {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        if text == "trace" { Ok(Self::Trace) } else { text.parse().map(Self::Drawn) }
    }
}

impl FromStr for Presence {
    type Err = OnlineError;

    fn from_str(text: &str) -> Result<Self, OnlineError> {
        if text == "trace" { Ok(Self::Trace) } else { text.parse().map(Self::Drawn) }
    }
}
