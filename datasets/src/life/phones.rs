//! Presence of people: few are always there, some come on workdays, most come when there is talk.
//!
//! Each member's *availability* (the share of time online) comes first: logit-normal(-3.026, 2.611), a fit to the 90
//! regulars of DuraSpace, of whom half are there for less than 2.7% of the time. It decides the habits:
//!
//! - *Visitors*, below 9%, come when there is talk: at the beginning of a meeting that draws them, where a meeting draws in proportion
//!   to its messages, or, the more often the more available they are, at any hour of a day. They stay the longer the more available they
//!   are.
//! - *Workers*, from 9% to 40%, come on workdays, each at its own hour, for LN(10.335, .066): 8.6 h. That leaves gaps of 15.3 h at
//!   night and of 64 h over a weekend. The less available, the more days they leave out; some nights they stay connected.
//! - *Residents*, above, stay for LN(·, 2.14), as long as makes their availability come out, and are away for the measured mixture .329
//!   LN(5.71, 1.39) + .111 LN(10.914, .03) + .560 LN(·, 2.10), its last part shortened to gaps of 18 h in the median.
//!
//! Everybody is interrupted now and then, by breaks of LN(5.714, 1.387): 5 minutes in the median. And everybody is online
//! around its own messages.
//!
//! What the page of measured facts leaves open (where one habit ends, how long visits are, how often breaks
//! come) was read off the presence of DuraSpace's regulars, grouped by availability; each constant says what it is held against.
//! The point of it all is how much is missed at a return: nothing, mostly, and sometimes very much.

use offerbench_algos::{Rng, Seed};

use super::Stay;
use super::laws::{DAY_MS, HOUR_MS, SECOND_MS, exponential, happens, log_normal, normal, poisson};
use super::place::Draft;
use super::stays::{interrupt, push, unite};

/// Logit-normal(-3.026, 2.611), KS .116, and the ends of what was seen.
const AVAILABILITY: (f64, f64) = (-3.026, 2.611);
const AVAILABILITY_MIN: f64 = 0.0005;
const AVAILABILITY_MAX: f64 = 0.975;

/// Below, a visitor.
const WORKER_MIN: f64 = 0.09;

/// Above, a resident.
const WORKER_MAX: f64 = 0.4;

/// Breaks, in seconds: the first part of the measured mixture of gaps.
const BREAK: (f64, f64) = (5.714, 1.387);

/// Time online between two breaks. A third of all gaps are breaks.
const BREAK_EVERY_MS: f64 = 14.0 * HOUR_MS as f64;

/// A workday, in seconds.
const WORKDAY: (f64, f64) = (10.335, 0.066);

/// e^(10.335 + .066² / 2), in hours.
const WORKDAY_MEAN_H: f64 = 8.57;

/// When workers arrive, on the clock of the trace, on two continents: mean and deviation in hours, and the share of the
/// second.
const ARRIVAL_H: [(f64, f64); 2] = [(12.9, 0.8), (8.7, 0.8)];
const ARRIVAL_SECOND: f64 = 0.25;

/// A day of the weekend, as a share of a workday: 406 arrivals against 1,581.
const WEEKEND: f64 = 0.25;

/// How often a worker stays connected over night. The p90 of their stays is 12.5 h, the p95 21 h.
const OVERNIGHT: f64 = 0.07;

/// Visits: mean length in hours at an availability of .003, and the power with which it grows. Against means of 1.4, 2.2,
/// 5.3 and 9 h at .003, .0075, .02 and .06.
const VISIT_H: f64 = 1.4;
const VISIT_POWER: f64 = 0.62;
const VISIT_SIGMA: f64 = 1.1;

/// The share of visits that a talk draws.
const DRAWN: f64 = 0.6;

/// Who writes comes so long before its first message and leaves so long after its last one, on average.
const BEFORE_MS: f64 = 600.0 * SECOND_MS;
const AFTER_MS: f64 = 1200.0 * SECOND_MS;

/// Silence that ends a talk, as it ends a burst of a small group.
const SILENCE_MS: u64 = 30 * 60 * 1000;

/// A talk as long as this has no beginning that anybody comes for.
const TALK_MS_MAX: u64 = 4 * HOUR_MS;

/// The stays of `members`, given who writes when; the life begins `begins_ms` after a Monday's midnight.
/// O((messages + stays) · log messages).
pub(super) fn stays(
    members: u32,
    drafts: &[Draft],
    end_ms: u64,
    begins_ms: u64,
    seed: Seed,
) -> Vec<Vec<Stay>> {
    let talks = Talks::new(drafts);
    let mut own_ms: Vec<Vec<u64>> = vec![Vec::new(); members as usize];
    for draft in drafts {
        own_ms[draft.author as usize].push(draft.at_ms);
    }
    let member = |(member, own_ms): (u64, Vec<u64>)| {
        let mut rng = seed.nth(member).rng();
        let logit = normal(&mut rng, AVAILABILITY.0, AVAILABILITY.1);
        let availability = (1.0 / (1.0 + libm::exp(-logit))).clamp(AVAILABILITY_MIN, AVAILABILITY_MAX);
        let mut own = around(&own_ms, end_ms, &mut rng);
        unite(&mut own);
        let mut habits = match availability {
            ..WORKER_MIN => visits(availability, &own, &talks, end_ms, begins_ms, &mut rng),
            WORKER_MIN..WORKER_MAX => workdays(availability, end_ms, begins_ms, &mut rng),
            _ => residence(availability, end_ms, &mut rng),
        };
        unite(&mut habits);
        let length_ms = |rng: &mut Rng| SECOND_MS * log_normal(rng, BREAK.0, BREAK.1);
        let mut stays = interrupt(&habits, BREAK_EVERY_MS, length_ms, &mut rng);
        stays.append(&mut own);
        unite(&mut stays);
        stays
    };
    (0..).zip(own_ms).map(member).collect()
}

/// When messages come in a row.
struct Talks<'a> {
    drafts: &'a [Draft],
    /// The index of each talk's first message.
    first: Vec<usize>,
}

impl<'a> Talks<'a> {
    fn new(drafts: &'a [Draft]) -> Self {
        let begins =
            |index: &usize| *index == 0 || drafts[*index].at_ms - drafts[index - 1].at_ms > SILENCE_MS;
        Self { drafts, first: (0..drafts.len()).filter(begins).collect() }
    }

    /// A moment worth coming for: some message's, or that of the first one of its talk.
    fn draw_ms(&self, rng: &mut Rng) -> Option<u64> {
        if self.drafts.is_empty() {
            return None;
        }
        let index = rng.below(self.drafts.len() as u64) as usize;
        let talk = self.first.partition_point(|first| *first <= index) - 1;
        let (start_ms, at_ms) = (self.drafts[self.first[talk]].at_ms, self.drafts[index].at_ms);
        Some(if at_ms - start_ms < TALK_MS_MAX { start_ms } else { at_ms })
    }
}

/// Around own messages, one stretch for all that are no silence apart.
fn around(own_ms: &[u64], end_ms: u64, rng: &mut Rng) -> Vec<Stay> {
    let mut stays = Vec::new();
    for talk in own_ms.chunk_by(|before, after| after - before <= SILENCE_MS) {
        let on_ms = talk[0] as f64 - exponential(rng, BEFORE_MS);
        // The message itself is online even if its author leaves at once.
        let off_ms = talk[talk.len() - 1] as f64 + 1.0 + exponential(rng, AFTER_MS);
        push(&mut stays, on_ms, off_ms, end_ms);
    }
    stays
}

fn visits(
    availability: f64,
    own: &[Stay],
    talks: &Talks<'_>,
    end_ms: u64,
    begins_ms: u64,
    rng: &mut Rng,
) -> Vec<Stay> {
    let own_ms = own.iter().map(|stay| stay.off_ms - stay.on_ms).sum::<u64>() as f64;
    let left_ms = (availability * end_ms as f64 - own_ms).max(0.0);
    let mean_ms = VISIT_H * libm::pow(availability / 0.003, VISIT_POWER) * HOUR_MS as f64;
    let mu = libm::log(mean_ms) - VISIT_SIGMA * VISIT_SIGMA / 2.0;
    let mut stays = Vec::new();
    for _ in 0..poisson(rng, left_ms / mean_ms) {
        let drawn = if happens(rng, DRAWN) { talks.draw_ms(rng) } else { None };
        let on_ms = match drawn {
            Some(start_ms) => start_ms as f64 - exponential(rng, BEFORE_MS),
            None => at_work(rng.below(end_ms), begins_ms, rng),
        };
        let off_ms = on_ms + log_normal(rng, mu, VISIT_SIGMA);
        push(&mut stays, on_ms, off_ms, end_ms);
    }
    stays
}

/// Moves a moment, most often, to the afternoon of its day.
fn at_work(at_ms: u64, begins_ms: u64, rng: &mut Rng) -> f64 {
    let day_ms = (begins_ms + at_ms) / DAY_MS * DAY_MS;
    day_ms as f64 + normal(rng, 14.5, 3.5) * HOUR_MS as f64 - begins_ms as f64
}

fn workdays(availability: f64, end_ms: u64, begins_ms: u64, rng: &mut Rng) -> Vec<Stay> {
    let second = usize::from(happens(rng, ARRIVAL_SECOND));
    let hour = normal(rng, ARRIVAL_H[second].0, ARRIVAL_H[second].1);
    // Five workdays, two days of a weekend, and what nights add.
    let week_h = WORKDAY_MEAN_H * (5.0 + 2.0 * WEEKEND) * (1.0 + OVERNIGHT * 24.0 / WORKDAY_MEAN_H);
    let comes = (availability * 168.0 / week_h).min(1.0);
    let mut stays = Vec::new();
    for day in 0..(begins_ms + end_ms).div_ceil(DAY_MS) {
        let today = if day % 7 < 5 { comes } else { comes * WEEKEND };
        if !happens(rng, today) {
            continue;
        }
        let on_ms = (day * DAY_MS) as f64 - begins_ms as f64 + normal(rng, hour, 0.4) * HOUR_MS as f64;
        let mut length_ms = log_normal(rng, WORKDAY.0, WORKDAY.1) * SECOND_MS;
        if happens(rng, OVERNIGHT) {
            length_ms += DAY_MS as f64;
        }
        push(&mut stays, on_ms, on_ms + length_ms, end_ms);
    }
    stays
}

fn residence(availability: f64, end_ms: u64, rng: &mut Rng) -> Vec<Stay> {
    const SIGMA_ON: f64 = 2.14;
    // LN(5.71, 1.39), LN(10.914, .03) and LN(11.1, 2.1) with their weights, in seconds.
    const OFF_MEAN_MS: f64 = SECOND_MS * (0.329 * 792.0 + 0.111 * 54_960.0 + 0.56 * OFF_LONG_MEAN_S);
    const OFF_LONG_MEAN_S: f64 = 589_000.0;
    let on_mean_ms = OFF_MEAN_MS * availability / (1.0 - availability);
    let mu_on = libm::log(on_mean_ms) - SIGMA_ON * SIGMA_ON / 2.0;
    let mut online = happens(rng, availability);
    let mut now_ms = 0.0;
    let mut stays = Vec::new();
    while now_ms < end_ms as f64 {
        let length_ms = if online {
            log_normal(rng, mu_on, SIGMA_ON)
        } else {
            let part = rng.unit();
            let (mu, sigma) = match part {
                ..0.329 => (5.714, 1.387),
                ..0.44 => (10.914, 0.03),
                _ => (11.1, 2.1),
            };
            SECOND_MS * log_normal(rng, mu, sigma)
        };
        if online {
            push(&mut stays, now_ms, now_ms + length_ms, end_ms);
        }
        online = !online;
        now_ms += length_ms.max(1.0);
    }
    stays
}
