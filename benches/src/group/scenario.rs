//! A point of a group sweep made into a world: a life, links, history. The same for every OFFER path.

use std::ops::Range;
use std::sync::Arc;

use offerbench_algos::Seed;
use offerbench_datasets::life::{Life, LifeSpec, Stay};
use offerbench_sync::sim::{Append, Behind, Interval, LinkProfile, Past, Presence, Text, WorldConfig};
use offerbench_sync::{
    Backoff, Config, Delivery, Device, GroupId, Links, Member, Offer, PARENTS_MAX, Part, PeerId, Policy,
    SharingError, Span, Time, choices,
};

use super::sweep::{Point, Presence as Online, Writes};
use crate::error::Failure;
use crate::scenario::Replay;

/// The one group that there is.
pub const GROUP: GroupId = GroupId([7; 32]);

/// When the members return who were away: by then whoever has something for them has tried often enough to be in
/// the cycle of its back-off.
pub const RETURN_AT_MS: u64 = 3_600_000;

/// Bytes of a text of the history: about the median of chats (43 and 71 in the traces).
const HISTORY_TEXT_LEN: u32 = 60;

/// The longest text that is written, in bytes: what nodes take, without room for what a message names.
const TEXT_LEN_MAX: u32 = 60 << 10;

/// The prime step by which the history's authors take turns.
const AUTHOR_STEP: u64 = 7919;

/// Work that finding the one-way reach may take; above, it is left out.
const REACH_WORK_MAX: u64 = 200_000_000;

/// A group, ready to be given an OFFER path.
pub struct Scenario {
    /// Seed of everything that is drawn in it.
    pub seed: Seed,
    /// What happens in it.
    pub life: Life,
    /// Name of who writes when.
    pub workload: String,
    /// Name of who is online when.
    pub presence: String,
    /// Whom each shares with.
    pub links: Links,
    /// Share of members from whom one-way sharing reaches everybody, in millionths.
    pub one_way_reach_ppm: Option<u32>,
    /// Messages that everybody holds at the beginning, but who is away.
    pub history: u64,
    /// How many of them, the newest, those lack who were away.
    pub lacking: u64,
    point: Point,
}

impl Scenario {
    /// Draws it.
    ///
    /// # Errors
    ///
    /// A life that cannot be, a sharing rule that does not fit the members.
    pub fn new(point: &Point, replay: Option<&Replay>, root: Seed, replicate: u32) -> Result<Self, Failure> {
        // Neither OFFER path nor sharing, links, acks or mode: whoever is compared lives the same life.
        let key = format!(
            "{:?}/{:?}/{}/{:?}/{}/{:?}/{:?}/{}/{:?}/{:?}",
            point.members,
            point.traffic,
            point.messages_day,
            point.online,
            point.duration_ms,
            point.history,
            point.away_ms,
            point.writes_offline,
            point.clocks,
            point.from_ms,
        );
        let seed = root.child("group").child(&key).nth(replicate.into());
        let (mut life, history, workload) = life(point, replay, seed.child("life"))?;
        let presence = match (point.online, replay.and_then(|replay| replay.presence.as_ref())) {
            (Online::Drawn(law), _) => law.to_string(),
            (Online::Trace, Some((_, presence))) => presence.header().name.clone(),
            (Online::Trace, None) => {
                return Err(Failure::usage(
                    "online = \"trace\" needs the group's presence: give --presence FILE",
                ));
            }
        };
        let lacking = away(point, &mut life, history)?;
        let (links, one_way_reach_ppm) = links(point, &life, seed.child("sharing"))?;
        Ok(Self {
            seed,
            life,
            workload,
            presence,
            links,
            one_way_reach_ppm,
            history,
            lacking,
            point: point.clone(),
        })
    }

    /// Members and relays.
    pub fn nodes(&self) -> usize {
        (self.life.members + self.point.relays) as usize
    }

    /// The members whose returns are looked at: those who were away, where some were.
    pub fn returning(&self) -> Range<usize> {
        let members = self.life.members as usize;
        if self.point.returning > 0 { members - self.point.returning as usize..members } else { 0..members }
    }

    /// The end of it.
    pub fn end(&self) -> Time {
        Time::ZERO + Span::from_ms(self.life.end_ms)
    }

    /// The K of the sharing rule: how many others a member chooses.
    pub fn k(&self) -> u32 {
        let others = (self.nodes() as u32).saturating_sub(1);
        match self.point.sharing {
            Policy::AllToAll => others,
            Policy::LogN => (self.nodes() as u32).next_power_of_two().ilog2().min(others),
            Policy::Mailserver => 1.min(others),
            Policy::Relays { k } => k.min(self.point.relays),
            policy => policy.k().unwrap_or(others).min(others),
        }
    }

    /// The world under an OFFER path.
    pub fn world(&self, offer: &Offer) -> WorldConfig {
        let config = Arc::new(self.config(offer, Part::Member));
        let relay = Arc::new(self.config(offer, Part::Relay));
        let pairs: Vec<(u32, u32)> = self.links.pairs().collect();
        let mut world =
            WorldConfig::group(self.seed, &config, GROUP, self.nodes(), &pairs, self.point.link.1);
        for node in &mut world.nodes[self.life.members as usize..] {
            node.config = Arc::clone(&relay);
        }
        let at = |ms| Time::ZERO + Span::from_ms(ms);
        let mut intervals: Vec<Vec<Interval>> = self
            .life
            .stays
            .iter()
            .map(|stays| stays.iter().map(|stay| (at(stay.on_ms), at(stay.off_ms))).collect())
            .collect();
        intervals.resize(self.nodes(), vec![(Time::ZERO, self.end() + Span::from_us(1))]);
        world.presence = Presence::from_intervals(intervals).expect("a life's stays are apart");
        world.appends = self
            .life
            .writes
            .iter()
            .map(|write| Append {
                at: at(write.at_ms),
                node: PeerId(write.author),
                group: GROUP,
                skew_ms: write.skew_ms,
                parents: (!write.parents.is_empty()).then(|| write.parents.clone()),
                text: Text::Random(write.size),
            })
            .collect();
        self.add_history(&mut world);
        world
    }

    /// Why this group cannot work at all, if it cannot.
    pub fn cannot_connect(&self) -> Option<&'static str> {
        if self.nodes() < 2 {
            return Some("there is nobody to share with");
        }
        if self.links.pairs().next().is_none() {
            return Some("nobody shares with anybody");
        }
        let meetings = self.world(&Offer::Interactive).meetings(self.end());
        (meetings.meeting == 0).then_some("no two who share are ever online together")
    }

    fn add_history(&self, world: &mut WorldConfig) {
        // Spread over the time that it took at the rate of the life; a message a minute where there is none.
        let rate = if self.point.messages_day > 0.0 { self.point.messages_day } else { 1440.0 };
        let gap_ms = (86_400_000.0 / rate) as u64;
        // At a rate so low that it would begin before all clocks, stamps crowd together rather than being all the same.
        let gap_ms = gap_ms.clamp(1, (world.start_ms / self.history.max(1)).max(1));
        // Who was away has not written while it was.
        let authors = u64::from(self.life.members - self.point.returning);
        world.history = (0..self.history)
            .map(|n| Past {
                stamp_ms: world.start_ms.saturating_sub((self.history - n) * gap_ms),
                author: PeerId((n * AUTHOR_STEP % authors.max(1)) as u32),
                group: GROUP,
                text: Text::Random(HISTORY_TEXT_LEN),
            })
            .collect();
        let lacks = |node| Behind { node: PeerId(node), lacks: self.lacking as u32 };
        world.behind = (authors as u32..self.life.members).map(lacks).collect();
    }

    /// What nodes are told. Sizes and times follow the link, as whoever deploys would choose them: a payload is what
    /// leaves in two seconds, and nobody is given up or sent to again within a few round trips of such payloads.
    fn config(&self, offer: &Offer, part: Part) -> Config {
        let LinkProfile { latency_us, jitter_us, rate_bps, .. } = self.point.link.1;
        let mut config = Config { offer: offer.clone(), part, ..Config::default() };
        let mut round_trip_us = 2 * (latency_us + jitter_us);
        if rate_bps > 0 {
            let len = (rate_bps / 4) as usize;
            config.limits.payload_len_max = len.clamp(1 << 10, config.limits.payload_len_max);
            round_trip_us += 2 * (config.limits.payload_len_max as u64 * 8_000_000 / rate_bps);
        }
        let epochs = (2 * round_trip_us).div_ceil(config.epoch.as_us()) as u32;
        let usual = Backoff::default();
        config.backoff = Backoff { first: usual.first.max(epochs), ..usual };
        if let Offer::Reconcile(options) = &mut config.offer {
            options.silence = options.silence.max(Span::from_us(6 * round_trip_us));
            let frame_len_max = config.limits.payload_len_max / 2;
            options.channel.frame_len_max = options.channel.frame_len_max.min(frame_len_max as u32);
        }
        config.acks = self.point.acks;
        config.delivery = self.point.delivery;
        self.point.mode.apply(&mut config);
        config
    }
}

/// The life, the messages before it, and the name of who writes when.
fn life(point: &Point, replay: Option<&Replay>, seed: Seed) -> Result<(Life, u64, String), Failure> {
    match (point.traffic, point.online) {
        (Writes::Drawn(traffic), Online::Drawn(online)) => {
            let spec = LifeSpec {
                members: point.members.unwrap_or(0),
                duration_ms: point.duration_ms,
                traffic,
                messages_day: point.messages_day,
                online,
                writes_offline: point.writes_offline,
                clocks: point.clocks,
                replies: false,
            };
            let life = spec.draw(seed).map_err(Failure::usage)?;
            Ok((life, point.history.unwrap_or(0), traffic.to_string()))
        }
        (Writes::Drawn(_), Online::Trace) => {
            Err(Failure::usage("online = \"trace\" goes with traffic = \"trace\""))
        }
        (Writes::Trace, online) => {
            let replay = replay.expect("a plan that replays has a trace");
            let causal = point.delivery == Delivery::Causal;
            let mut replayed =
                replay.stretch(point.from_ms, point.duration_ms, online == Online::Trace, causal)?;
            if let Online::Drawn(law) = online {
                let life = &mut replayed.life;
                life.stays = law.stays_of(life, seed).map_err(Failure::usage)?;
            }
            takes(&replayed.life)?;
            let history = point.history.unwrap_or(replayed.history);
            Ok((replayed.life, history, replay.trace.header().name.clone()))
        }
    }
}

/// Refuses what nodes would: made-up lives have none of it, recordings may.
fn takes(life: &Life) -> Result<(), Failure> {
    let no = |what: String| Failure::usage(format!("{what}: choose another stretch of the trace, or cut it"));
    for write in &life.writes {
        let at_s = write.at_ms as f64 / 1000.0;
        if write.size > TEXT_LEN_MAX {
            let len = write.size;
            return Err(no(format!(
                "{at_s} s into it a message of {len} bytes is written, and nodes take {TEXT_LEN_MAX}"
            )));
        }
        if write.parents.len() > PARENTS_MAX {
            let count = write.parents.len();
            return Err(no(format!(
                "{at_s} s into it a message names {count} parents, and nodes take {PARENTS_MAX}"
            )));
        }
    }
    Ok(())
}

/// Keeps those offline who are away, and says how many messages they lack.
fn away(point: &Point, life: &mut Life, history: u64) -> Result<u64, Failure> {
    let Some(away_ms) = point.away_ms else { return Ok(0) };
    let lacking = (point.messages_day * away_ms as f64 / 86_400_000.0).round() as u64;
    if lacking > history {
        return Err(Failure::usage(format!(
            "after {:.1} hours away {lacking} messages are missing, and the history has {history}: give it a \
             longer history or fewer messages a day",
            away_ms as f64 / 3.6e6
        )));
    }
    if life.end_ms <= RETURN_AT_MS || point.returning >= life.members {
        return Err(Failure::usage(
            "members return an hour after the beginning, to others: hours above 1, returning below members",
        ));
    }
    let first = life.members - point.returning;
    life.writes.retain(|write| write.author < first || write.at_ms >= RETURN_AT_MS);
    for stays in &mut life.stays[first as usize..] {
        *stays = vec![Stay { on_ms: RETURN_AT_MS, off_ms: life.end_ms }];
    }
    Ok(lacking)
}

/// Whom each shares with, and the share of members from whom one-way sharing would reach everybody.
fn links(point: &Point, life: &Life, seed: Seed) -> Result<(Links, Option<u32>), Failure> {
    let relay = if point.sharing == Policy::Mailserver { Device::Mailserver } else { Device::Relay };
    // How long somebody was seen is how long it will be: presence is as steady as habits are.
    let seen_ms = |stays: &[Stay]| stays.iter().map(|stay| stay.off_ms - stay.on_ms).sum::<u64>();
    let phones = (0..).zip(&life.stays).map(|(identity, stays)| Member {
        identity,
        kind: Device::Phone,
        seen_ms: seen_ms(stays),
    });
    let relays = (0..point.relays).map(|relay_no| Member {
        identity: life.members + relay_no,
        kind: relay,
        seen_ms: life.end_ms,
    });
    let members: Vec<Member> = phones.chain(relays).collect();
    let chosen = match choices(&members, &point.sharing, seed) {
        Ok(chosen) => chosen,
        Err(SharingError::NobodyToShareWith { .. }) => {
            let nobody = Links::from_pairs(members.len(), []).map_err(Failure::usage)?;
            return Ok((nobody, Some(0)));
        }
        Err(error) => return Err(Failure::usage(error)),
    };
    let work = members.len() as u64 * chosen.count() as u64;
    let by_choice =
        matches!(point.sharing, Policy::Random { .. } | Policy::ProvenUseful { .. } | Policy::LogN);
    let one_way = (by_choice && work <= REACH_WORK_MAX).then(|| {
        let all = members.len();
        let reaching = (0..all as u32).filter(|from| chosen.reachable(*from).len() == all).count();
        (reaching as u64 * 1_000_000 / all as u64) as u32
    });
    Ok((chosen.into_links(), one_way))
}
