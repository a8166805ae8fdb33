//! A point of a group sweep made into a world: a life, links, history. The same for every OFFER path.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use offerbench_algos::Seed;
use offerbench_datasets::life::{Life, LifeSpec, Stay};
use offerbench_sync::sim::{Append, Behind, Interval, LinkProfile, PPM, Past, Presence, Text, WorldConfig};
use offerbench_sync::{
    Backoff, Config, Delivery, Device, GroupId, Limits, Links, Member, Offer, PARENTS_MAX, Part, PeerId,
    Policy, SharingError, Span, Time, choices,
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

/// What a body and its payload may take beside the text and the parents, in bytes.
const AROUND_LEN: usize = 128;

/// What a body takes for a parent, in bytes.
const PARENT_LEN: usize = 40;

/// The prime step by which the history's authors take turns.
const AUTHOR_STEP: u64 = 7919;

/// Work that finding the one-way reach may take; above, it is left out.
const REACH_WORK_MAX: u64 = 200_000_000;

/// Messages of which it is found out whom they could have reached.
const SAMPLE: usize = 64;

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
    possible_ppm: OnceLock<u32>,
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
        fits(point, &life)?;
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
            possible_ppm: OnceLock::new(),
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
        let mut world = self.society(offer);
        self.add_writes(&mut world);
        self.add_history(&mut world);
        world
    }

    /// Who shares with whom over what, and who is online when; nothing is written yet.
    fn society(&self, offer: &Offer) -> WorldConfig {
        let config = Arc::new(self.config(offer, Part::Member));
        let relay = Arc::new(self.config(offer, Part::Relay));
        let pairs: Vec<(u32, u32)> = self.links.pairs().collect();
        let mut world =
            WorldConfig::group(self.seed, &config, GROUP, self.nodes(), &pairs, self.point.link.value);
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
        world
    }

    fn add_writes(&self, world: &mut WorldConfig) {
        world.appends = self
            .life
            .writes
            .iter()
            .map(|write| Append {
                at: Time::ZERO + Span::from_ms(write.at_ms),
                node: PeerId(write.author),
                group: GROUP,
                skew_ms: write.skew_ms,
                parents: (!write.parents.is_empty()).then(|| write.parents.clone()),
                text: Text::Random(write.size),
            })
            .collect();
    }

    /// The share of deliveries due that no presence forbids, in millionths, by a sample of the messages, evenly
    /// spread. Found out once.
    pub fn possible_ppm(&self) -> u32 {
        *self.possible_ppm.get_or_init(|| {
            let society = self.society(&Offer::Interactive);
            let reach = society.reach();
            let (members, end) = (self.life.members, self.end());
            let step = self.life.writes.len().div_ceil(SAMPLE).max(1);
            let (mut due, mut possible) = (0, 0);
            for write in self.life.writes.iter().step_by(step) {
                let at = Time::ZERO + Span::from_ms(write.at_ms);
                let reached = reach.from(PeerId(write.author), at, end);
                // Its author is among them.
                possible += reached[..members as usize].iter().flatten().count() as u64 - 1;
                due += u64::from(members) - 1;
            }
            (possible * u64::from(PPM)).checked_div(due).map_or(PPM, |share| share as u32)
        })
    }

    /// Why this group cannot work at all, if it cannot.
    pub fn cannot_connect(&self) -> Option<&'static str> {
        if self.nodes() < 2 {
            return Some("there is nobody to share with");
        }
        if self.links.pairs().next().is_none() {
            return Some("nobody shares with anybody");
        }
        let meetings = self.society(&Offer::Interactive).meetings(self.end());
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
        let LinkProfile { latency_us, jitter_us, rate_bps, .. } = self.point.link.value;
        let mut config = Config { offer: offer.clone(), part, ..Config::default() };
        config.limits.payload_len_max = payload_len_max(rate_bps);
        let payload_us =
            (config.limits.payload_len_max as u64 * 8_000_000).checked_div(rate_bps).unwrap_or(0);
        let round_trip_us = 2 * (latency_us + jitter_us + payload_us);
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
            let history = point.history.unwrap_or(replayed.history);
            Ok((replayed.life, history, replay.trace.header().name.clone()))
        }
    }
}

/// The longest payload: what leaves in two seconds.
fn payload_len_max(rate_bps: u64) -> usize {
    let usual = Limits::default().payload_len_max;
    if rate_bps == 0 { usual } else { ((rate_bps / 4) as usize).clamp(1 << 10, usual) }
}

/// Refuses messages that nodes would not take, or could never send over these links.
fn fits(point: &Point, life: &Life) -> Result<(), Failure> {
    let usual = Limits::default();
    let len_max = payload_len_max(point.link.value.rate_bps).min(usual.body_len_max) - AROUND_LEN;
    for write in &life.writes {
        let parents = write.parents.len();
        let len = write.size as usize + PARENT_LEN * parents.max(usual.parents_max);
        if parents > PARENTS_MAX || len > len_max {
            return Err(Failure::usage(format!(
                "{at_s} s after the beginning a message of {size} bytes that names {parents} parents is written; nodes \
                 take {PARENTS_MAX} parents, and over links of the kind `{link}` {len_max} bytes together with \
                 {PARENT_LEN} a parent, of which there may be {own}",
                at_s = write.at_ms as f64 / 1000.0,
                size = write.size,
                link = point.link.text,
                own = usual.parents_max,
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

#[cfg(test)]
mod tests {
    use offerbench_datasets::life::{Online as Law, Traffic, Write};
    use offerbench_sync::{Acks, OnHave};

    use super::*;
    use crate::group::path::offer_path;
    use crate::group::sweep::Mode;

    fn point(members: u32) -> Point {
        Point {
            messages_day: 100.0,
            online: Online::Drawn(Law::Alternating { uptime_ppm: 500_000, stay_s: 600 }),
            ..Point::phones(members)
        }
    }

    fn drawn(point: &Point) -> Scenario {
        Scenario::new(point, None, Seed::new(1), 0).unwrap()
    }

    fn refused(point: &Point) -> String {
        Scenario::new(point, None, Seed::new(1), 0).err().unwrap().to_string()
    }

    /// K is how many others each chooses, as the links show.
    #[test]
    fn k_is_what_each_chooses() {
        for (members, relays, sharing, k, links) in [
            (10, 0, "random:k=3", 3, None),
            (10, 0, "random:k=99", 9, Some(45)),
            (10, 2, "all", 11, Some(66)),
            // 12 nodes: log2 is 3.6.
            (10, 2, "log2", 4, None),
            (16, 0, "log2", 4, None),
            (17, 0, "log2", 5, None),
            // Ten members with one of two relays, and the relays with each other.
            (10, 2, "relays:k=1", 1, Some(11)),
            (10, 2, "relays:k=5", 2, Some(21)),
            (10, 1, "mailserver", 1, Some(10)),
            (1, 0, "random:k=3", 0, Some(0)),
            (1, 0, "all", 0, Some(0)),
            (3, 0, "random:k=0", 0, Some(0)),
        ] {
            let scenario = drawn(&Point { relays, sharing: sharing.parse().unwrap(), ..point(members) });
            let pairs = scenario.links.pairs().count();
            assert_eq!(scenario.k(), k, "{sharing}, {members} and {relays}");
            assert!(links.is_none_or(|links| links == pairs), "{sharing}: {pairs} links");
            // Each of n chooses k: between half of n·k links, where all choices are mutual, and n·k.
            let most = scenario.nodes() * k as usize;
            assert!(sharing.starts_with("relays") || (most.div_ceil(2)..=most).contains(&pairs), "{sharing}");
        }
    }

    /// Whoever is compared lives the same life; a larger K only adds links.
    #[test]
    fn what_is_compared_has_one_seed_and_one_life() {
        let base = drawn(&point(8));
        type Change = fn(&mut Point);
        let compared: &[Change] = &[
            |point| point.sharing = Policy::AllToAll,
            |point| point.relays = 2,
            |point| point.link = "lora".parse().unwrap(),
            |point| point.acks = Acks::SetHash { after: Span::from_s(1) },
            |point| point.mode = Mode::Push,
            |point| point.delivery = Delivery::Causal,
        ];
        for (no, change) in compared.iter().enumerate() {
            let mut point = point(8);
            change(&mut point);
            let other = drawn(&point);
            assert_eq!((other.seed, &other.life), (base.seed, &base.life), "change {no}");
        }
        let apart: &[Change] = &[
            |point| point.members = Some(9),
            |point| point.messages_day = 101.0,
            |point| point.online = Online::Drawn(Law::Always),
            |point| point.traffic = Writes::Drawn(Traffic::Busy),
            |point| point.duration_ms += 1,
            |point| point.history = Some(5),
            |point| point.writes_offline = true,
            |point| point.clocks.skew_max_s = 5,
        ];
        for (no, change) in apart.iter().enumerate() {
            let mut point = point(8);
            change(&mut point);
            assert_ne!(drawn(&point).seed, base.seed, "change {no}");
        }
        assert_ne!(Scenario::new(&point(8), None, Seed::new(1), 1).unwrap().life, base.life);
        assert_ne!(Scenario::new(&point(8), None, Seed::new(2), 0).unwrap().life, base.life);
        let more = drawn(&Point { sharing: Policy::Random { k: 4 }, ..point(8) });
        let has: Vec<(u32, u32)> = more.links.pairs().collect();
        assert!(base.links.pairs().all(|pair| has.contains(&pair)));
    }

    /// Two of five are away until an hour after the beginning: they write nothing before, lack a day of a hundred
    /// messages, and none of these is theirs.
    #[test]
    fn who_is_away_returns_once_and_lacks_the_newest() {
        let hour: fn(u64) -> Option<u64> = |hours| Some(hours * RETURN_AT_MS);
        let away = Point { returning: 2, away_ms: hour(24), history: Some(1000), ..point(5) };
        let scenario = drawn(&away);
        assert_eq!((scenario.history, scenario.lacking, scenario.returning()), (1000, 100, 3..5));
        let end = scenario.life.end_ms;
        for member in 3..5 {
            assert_eq!(scenario.life.stays[member], [Stay { on_ms: RETURN_AT_MS, off_ms: end }]);
        }
        let mut writes = scenario.life.writes.iter();
        assert!(writes.all(|write| write.author < 3 || write.at_ms >= RETURN_AT_MS));
        let world = scenario.world(&Offer::Interactive);
        let lacks = |node| Behind { node: PeerId(node), lacks: 100 };
        assert_eq!(world.behind, [lacks(3), lacks(4)]);
        assert_eq!(world.history.len(), 1000);
        assert!(world.history.iter().all(|past| past.author.0 < 3));
        // A hundred a day: 864 s apart, the newest the last before the beginning.
        let stamps: Vec<u64> = world.history.iter().map(|past| world.start_ms - past.stamp_ms).collect();
        assert!((1..=1000).rev().map(|n| n * 864_000).eq(stamps));
        assert_eq!(drawn(&point(5)).returning(), 0..5);

        let error = refused(&Point { history: Some(99), ..away.clone() });
        assert!(
            error.contains("after 24.0 hours away 100 messages are missing, and the history has 99"),
            "{error}"
        );
        for point in [Point { duration_ms: RETURN_AT_MS, ..away.clone() }, Point { returning: 5, ..away }] {
            let error = refused(&point);
            assert!(error.contains("hours above 1, returning below members"), "{error}");
        }
    }

    /// A past of a million messages at one a day would begin before all clocks.
    #[test]
    fn a_long_slow_past_keeps_its_order() {
        let slow = Point { messages_day: 0.001, history: Some(1000), ..point(3) };
        let world = drawn(&slow).world(&Offer::Batch);
        let stamps: Vec<u64> = world.history.iter().map(|past| past.stamp_ms).collect();
        assert!(stamps.is_sorted_by(|a, b| a < b));
        assert!(stamps.last() < Some(&world.start_ms));
    }

    #[test]
    fn nodes_are_told_what_fits_the_link() {
        let riblt = offer_path("riblt").unwrap();
        let config = |link: &str, mode| {
            let point = Point { link: link.parse().unwrap(), mode, ..point(3) };
            let config = drawn(&point).config(&riblt, Part::Member);
            let Offer::Reconcile(options) = config.offer.clone() else { panic!("a strategy") };
            (config, options)
        };
        // 5,470 bit/s: 1,367 bytes leave in two seconds, and take two each way, with 30 ms at most of latency and
        // jitter. Twice that round trip is 81.2 epochs of 100 ms; silence is six of them.
        let (lora, options) = config("lora", Mode::Offer);
        assert_eq!((lora.limits.payload_len_max, options.channel.frame_len_max), (1_367, 683));
        let round_trip_us = 2 * 30_000 + 2 * (1_367 * 8_000_000 / 5_470);
        assert_eq!(lora.backoff.first, 82);
        assert_eq!(options.silence, Span::from_us(6 * round_trip_us).max(Span::from_s(30)));
        assert_eq!((options.on_have, lora.coordinate), (OnHave::Offer, true));
        // Fast links leave the usual, and modes say what they are.
        let usual = Config::default();
        let (lan, options) = config("lan", Mode::PushOne);
        assert_eq!((lan.limits, lan.backoff), (usual.limits, usual.backoff));
        assert_eq!((options.on_have, options.ask, lan.coordinate), (OnHave::Push, 1, true));
        let (ideal, options) = config("ideal", Mode::OfferUncoordinated);
        assert_eq!((ideal.limits, ideal.coordinate), (usual.limits, false));
        assert_eq!(options.on_have, OnHave::Offer);
    }

    #[test]
    fn who_cannot_connect_is_told_apart() {
        let why = |members, sharing: &str, stays: Option<Vec<Vec<Stay>>>| {
            let mut scenario = drawn(&Point { sharing: sharing.parse().unwrap(), ..point(members) });
            scenario.life.stays = stays.unwrap_or(scenario.life.stays);
            scenario.cannot_connect()
        };
        let stay = |on_ms, off_ms| vec![Stay { on_ms, off_ms }];
        assert_eq!(why(1, "all", None), Some("there is nobody to share with"));
        assert_eq!(why(3, "random:k=0", None), Some("nobody shares with anybody"));
        // One goes at the moment when the other comes.
        let apart = vec![stay(0, 1000), stay(1000, 2000)];
        assert_eq!(why(2, "all", Some(apart)), Some("no two who share are ever online together"));
        assert_eq!(why(2, "all", Some(vec![stay(0, 1001), stay(1000, 2000)])), None);
        assert!(why(2, "all", Some(vec![Vec::new(), stay(0, 2000)])).is_some());
    }

    /// What a node would refuse, or what no payload of the link could carry, is refused before anything runs.
    #[test]
    fn messages_must_fit() {
        let at = |link: &str, size, parents: usize| {
            let write = Write { at_ms: 1_500, author: 0, size, skew_ms: 0, parents: vec![0; parents] };
            let life = Life { members: 2, end_ms: 2_000, writes: vec![write], stays: Vec::new() };
            fits(&Point { link: link.parse().unwrap(), ..point(2) }, &life).map_err(|error| error.to_string())
        };
        let (ideal, lora) = ("ideal", "lora");
        assert_eq!(at(ideal, 60_000, 64), Ok(()));
        assert!(at(ideal, 1, 65).unwrap_err().starts_with("1.5 s after the beginning"));
        assert!(at(ideal, 65_400, 0).unwrap_err().contains("a message of 65400 bytes"));
        assert!(at(ideal, u32::MAX, 0).is_err());
        assert_eq!(at(lora, 900, 0), Ok(()));
        assert!(at(lora, 1_000, 0).unwrap_err().contains("of the kind `lora` 1239 bytes"));
    }
}
