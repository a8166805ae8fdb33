//! How the nodes of a drawn world behave, and how long such a world may take once nothing goes wrong.
//!
//! Options that make no sense together are not drawn: who sends everything again faster than the link carries it
//! never comes to rest, and that says nothing about the core. So times are drawn from what the links need
//! ([`Pace`]); what is promised whatever the options is demanded whatever the options.

use std::sync::Arc;

use offerbench_algos::{Guarantee, REGISTRY, Seed};

use super::luck::Luck;
use super::setting::{Crowd, Lot, UNAIDED_SHIFTS};
use super::yore::Yore;
use crate::sim::LinkProfile;
use crate::{
    Acks, Backoff, ChannelConfig, Config, Delivery, Limits, Offer, OnHave, PARENTS_MAX, Part, Reconcile,
    Requests, Span,
};

/// Bytes that a text takes in a payload beside itself: content, group, timestamp, tags.
const MESSAGE_OVERHEAD: u64 = 80;
/// Bytes of a parent in a body.
const PARENT_LEN: u64 = 34;
/// Bytes that a segment takes beside its frame, and more.
const SEGMENT_OVERHEAD: u64 = 128;

/// Times that follow from the world.
pub(super) struct Pace {
    /// How long things go wrong.
    trouble: Span,
    /// For a payload of no great length to arrive.
    flight: Span,
    /// For everything that was written to cross the slowest link.
    carry: Span,
    /// Bytes a second of the slowest link; 0 is without limit.
    rate_bps: u64,
    unaided: bool,
    /// Sessions that the busiest node has.
    load: u64,
}

impl Pace {
    pub(super) fn new(
        crowd: &Crowd,
        lot: &Lot,
        yore: &Yore,
        slowest: &LinkProfile,
        trouble: Span,
        unaided: bool,
    ) -> Self {
        let message = u64::from(lot.text_len_max) + MESSAGE_OVERHEAD + 8 * PARENT_LEN;
        // Of the past, what somebody lacks; and a session may name all of it.
        let past = yore.lacking * 400 + yore.history.len() as u64 * 40;
        let all = lot.appends.len() as u64 * (message + 200) + past + 2000;
        // Every payload takes its headers, and each shares its last packet with nobody.
        let wire = |len: u64| slowest.wire_len(len as usize) * 5 / 4;
        let flight = slowest.latency_us + slowest.jitter_us + slowest.leaving_us(wire(message + 1000));
        Self {
            trouble,
            flight: Span::from_us(flight.max(1000)),
            carry: Span::from_us(slowest.leaving_us(wire(all))) + Span::from_us(flight.max(1000)),
            rate_bps: slowest.rate_bps,
            unaided,
            load: crowd.load(),
        }
    }

    /// The longest epoch.
    fn epoch_max(&self) -> Span {
        // A phone that is online for two fifths of a shift must get some dozen words in.
        let parts = if self.unaided { UNAIDED_SHIFTS * 100 } else { 60 };
        self.share(parts).min(Span::from_s(5))
    }

    fn share(&self, parts: u64) -> Span {
        Span::from_us(self.trouble.as_us() / parts)
    }
}

/// The configurations, one a node.
pub(super) struct Manners {
    pub configs: Vec<Arc<Config>>,
    /// Some store is too small for everything.
    pub store_may_fill: bool,
}

impl Manners {
    pub(super) fn draw(seed: Seed, crowd: &Crowd, lot: &Lot, pace: &Pace) -> Self {
        let mut luck = Luck::new(seed);
        let store_may_fill = !pace.unaided && luck.one_in(32);
        let tight_waiting = luck.one_in(2);
        let mut limits = draw_limits(&mut luck, lot, tight_waiting);
        if store_may_fill {
            limits.messages_max = luck.skewed(1, 40) as usize;
        }
        let offer = draw_offer(&mut luck, pace, &limits);
        // What both ends of a link need alike is alike in the whole world; the rest may differ from node to node.
        let mixed = luck.one_in(3);
        let base = draw_config(&mut luck, pace, limits, offer);
        let mut last = base.clone();
        let configs = crowd.parts.iter().map(|&part| {
            if mixed {
                let other = draw_limits(&mut luck, lot, tight_waiting);
                let limits = Limits {
                    payload_len_max: limits.payload_len_max,
                    body_len_max: limits.body_len_max,
                    messages_max: limits.messages_max,
                    parents_max: limits.parents_max,
                    ..other
                };
                let offer = match &base.offer {
                    Offer::Reconcile(options) => {
                        let on_have = luck.of(&[OnHave::Push, OnHave::Offer]);
                        Offer::Reconcile(Reconcile {
                            on_have,
                            ask: luck.skewed(1, 8) as u32,
                            ..options.clone()
                        })
                    }
                    _ => luck.of(&[Offer::Batch, Offer::Interactive]),
                };
                last = draw_config(&mut luck, pace, limits, offer);
            }
            Arc::new(Config { part, ..last.clone() })
        });
        Self { configs: configs.collect(), store_may_fill }
    }
}

fn draw_config(luck: &mut Luck, pace: &Pace, limits: Limits, offer: Offer) -> Config {
    let epochs = [10, 100, 100, 1000, 5000].map(Span::from_ms);
    let epoch = luck.of(&epochs).min(pace.epoch_max());
    let after = luck.span(Span::from_ms(1), Span::from_s(20).min(pace.share(20)));
    let acks = match luck.below(6) {
        0 | 1 => Acks::Immediate,
        2 => Acks::Delayed { after },
        3 | 4 => Acks::Ancestors { after },
        _ => Acks::SetHash { after },
    };
    Config {
        epoch,
        backoff: draw_backoff(luck, pace, epoch, acks),
        offer,
        acks,
        requests: luck.of(&[Requests::ById, Requests::ByRank]),
        delivery: luck.of(&[Delivery::Eventual, Delivery::Causal]),
        coordinate: !luck.one_in(3),
        part: Part::Member,
        limits,
    }
}

fn draw_backoff(luck: &mut Luck, pace: &Pace, epoch: Span, acks: Acks) -> Backoff {
    let epochs = |span: Span| (span.as_us() / epoch.as_us()).max(1);
    // Less often than a hundred times in all, and never faster than the link carries what waits.
    let patience = match acks {
        Acks::Immediate => Span::ZERO,
        Acks::Delayed { after } | Acks::Ancestors { after } | Acks::SetHash { after } => after,
    };
    let least = epochs(pace.share(100).max(pace.carry.times(4))).max(epochs(patience));
    let longest = match pace.unaided {
        true => least,
        false => luck.skewed(least, least.max(epochs(pace.share(4)))),
    };
    let first = luck.skewed(1, longest.min(64));
    let again = luck.of(&[longest, longest / 2, longest / 8, first]).max(longest / 8).max(1);
    let number = |epochs: u64| u32::try_from(epochs).unwrap_or(u32::MAX);
    Backoff { first: number(first), longest: number(longest), again: number(again) }
}

fn draw_offer(luck: &mut Luck, pace: &Pace, limits: &Limits) -> Offer {
    match luck.below(8) {
        0 => return Offer::Batch,
        1 => return Offer::Interactive,
        _ => {}
    }
    // A strategy first, then a preset: ten forms of one idea are no more than two of another.
    let options = loop {
        let entry = REGISTRY[luck.below(REGISTRY.len())];
        let options = Reconcile::new(luck.of(entry.presets)).expect("presets are well-formed");
        // Who is not helped has no time for what may miss something.
        let profile = options.strategy.strategy.profile();
        if !profile.oracle && (!pace.unaided || profile.guarantee == Guarantee::Exact) {
            break options;
        }
    };
    // An estimator of strata is some 20 kB whatever the difference. Frame by frame over a narrow channel it takes longer
    // than the pause between two sessions, and a node that is always in some session is never at rest.
    let heavy = options.strategy.spec.to_string().contains("size=strata");
    let frame_room = limits.payload_len_max as u64 - SEGMENT_OVERHEAD;
    let frame_wish = luck.of(if pace.unaided { &[4096] } else { &[64, 300, 1024, 16 << 10] });
    let frame_len_max = if heavy { 4096 } else { frame_wish }.min(frame_room) as u32;
    let frame_takes = match pace.rate_bps {
        0 => Span::ZERO,
        rate => Span::from_us(u64::from(frame_len_max) * 10_000_000 / rate),
    };
    let round_trip = (pace.flight + frame_takes + pace.epoch_max()).times(2);
    let rto_first = round_trip.times(if pace.unaided { 1 } else { luck.between(1, 3) });
    let rto_max = rto_first.times(if pace.unaided { 1 } else { luck.skewed(2, 16) });
    let window = luck.of(if pace.unaided { &[16] } else { &[1, 2, 16, 64] }).max(if heavy { 64 } else { 1 });
    let channel = ChannelConfig {
        window,
        frame_len_max,
        window_bytes: luck.skewed(u64::from(frame_len_max), 1 << 20).max(if heavy { 1 << 16 } else { 0 })
            as usize,
        rto_first,
        rto_max,
        resends_max: luck.skewed(3, 15) as u32,
        ack_delay: Span::from_us(luck.skewed(1, rto_first.as_us() / 4)),
    };
    // What waits on the link may be before the frame.
    let silence = rto_max.times(2).max(pace.carry.times(2));
    let every = match pace.unaided {
        true => pace.share(UNAIDED_SHIFTS * 4),
        false => luck.span(pace.share(60), pace.share(4)),
    };
    // For the same reason: six flights make most sessions, and few may run at a
    // time somewhere.
    let sessions = round_trip.times(3 * pace.load);
    let every = if pace.unaided { every } else { every.max(silence).max(sessions.times(2)) };
    Offer::Reconcile(Reconcile {
        every,
        news_after: Span::from_us(luck.skewed(1, every.as_us() / 2)),
        on_have: luck.of(&[OnHave::Push, OnHave::Offer]),
        ask: luck.skewed(1, 8) as u32,
        away_after: luck.span(Span::from_us(every.as_us() / 8), every.times(2)),
        silence,
        channel,
        ..options
    })
}

fn draw_limits(luck: &mut Luck, lot: &Lot, tight_waiting: bool) -> Limits {
    let mut limits = Limits { messages_max: 10_000, ..Limits::default() };
    let parents_max = luck.of(&[1, 2, 8, 8]);
    limits.parents_max = parents_max;
    let body_len = u64::from(lot.text_len_max) + PARENT_LEN * parents_max as u64 + 16;
    debug_assert!(parents_max <= PARENTS_MAX);
    if luck.one_in(24) {
        // Some texts are too long, and refused where they are written.
        limits.body_len_max = luck.between(8, body_len) as usize;
    }
    // One world of two is tight, in some respects.
    if luck.one_in(2) {
        let tight = |luck: &mut Luck, slot: &mut usize, low: u64, high: u64| {
            if luck.one_in(2) {
                *slot = luck.skewed(low, high) as usize;
            }
        };
        // Not both in one world: a receiver that has room for a few children of missing parents only, and a sender or
        // a list of requests with room for a few others only, may fill each other's last places for days. The core
        // does not promise otherwise: see `Limits::waiting_max`.
        if tight_waiting {
            limits.waiting_max = luck.skewed(1, 8) as usize;
        } else {
            tight(luck, &mut limits.backlog_max, 1, 16);
            tight(luck, &mut limits.requests_max, 1, 16);
        }
        tight(luck, &mut limits.sessions_max, 1, 4);
        let least = body_len + MESSAGE_OVERHEAD + SEGMENT_OVERHEAD;
        tight(luck, &mut limits.payload_len_max, least, least * 8);
        let mut sends_max = limits.request_sends_max as usize;
        tight(luck, &mut sends_max, 1, 4);
        limits.request_sends_max = sends_max as u32;
    }
    limits
}

/// How long a healed world may take. Everything below is a sum of worst cases, so that what is over it is stuck or
/// as good as stuck; a sound world takes a small part of it.
pub(super) fn bound(crowd: &Crowd, lot: &Lot, yore: &Yore, pace: &Pace, configs: &[Arc<Config>]) -> Span {
    let messages = lot.appends.len() as u64 + yore.lacking;
    let mut hop = Span::ZERO;
    for config in configs {
        // What was sent just before is sent again after this: a record is dated up to a quarter later.
        let longest = u64::from(config.backoff.longest.max(config.backoff.first));
        let retry = config.epoch.times(longest + longest / 4 + 2);
        let limits = &config.limits;
        // An OFFER, a REQUEST, a MESSAGE and an ACK, each perhaps one back-off late; one round more for whatever a small
        // buffer makes wait.
        let small = messages / (limits.backlog_max as u64 / 2).max(1)
            + messages / (limits.requests_max as u64).max(1)
            + if config.delivery == Delivery::Causal {
                messages / (limits.waiting_max as u64).max(1)
            } else {
                0
            };
        let payloads = messages * 4000 / limits.payload_len_max as u64;
        let ack = match config.acks {
            Acks::Immediate => Span::ZERO,
            Acks::Delayed { after } | Acks::Ancestors { after } | Acks::SetHash { after } => after,
        };
        let mut takes = retry.times(4 + small + payloads) + ack.times(2);
        if let Offer::Reconcile(options) = &config.offer {
            // A peer that did not answer is left alone for up to 64 times `every`; then come sessions, one after
            // another where few may run, and more of them where a strategy may miss something.
            let sessions = match options.strategy.strategy.profile().guarantee {
                Guarantee::Exact => 2,
                Guarantee::MayMiss | Guarantee::MayMissOneWay => 16,
            };
            let contention = 1 + (crowd.parts.len() / limits.sessions_max.max(1)) as u64;
            takes = takes + options.every.times(80 + sessions * contention * (2 + small));
            takes = takes + options.silence.times(4) + options.news_after;
        }
        hop = hop.max(takes);
    }
    let late = lot.last_at.since(crate::Time::ZERO + pace.trouble);
    late + (hop + pace.carry.times(4)).times(crowd.diameter() + 1) + Span::from_s(60)
}
