//! Presence of people: few are always there, some come on workdays, most come when there is talk.
//!
//! Each member's *availability* (the share of time online) comes first: logit-normal(-3.026, 2.611), a fit to
//! the 90 regulars of DuraSpace, of whom half are there for less than 2.7% of the time. It decides the
//! habits:
//!
//! - *Visitors*, below 9%, come when there is talk: most visits begin with a conversation, which draws in
//!   proportion to its messages, the others some time in the afternoon. The more available they are, the more
//!   often they come and the longer they stay.
//! - *Workers*, from 9% to 40%, come on workdays, each at its own hour, for LN(10.335, .066): 8.6 h. That
//!   leaves gaps of 15.3 h at night and of 64 h over a weekend. The less available leave out more days, the
//!   more available stay connected on more nights.
//! - *Residents*, above, stay for LN(·, 2.14) and are away for breaks or for LN(·, 2.1), as long as makes
//!   their availability come out.
//!
//! Visitors and workers also leave for months, and are interrupted now and then by breaks of LN(5.714,
//! 1.387), 5 minutes in the median. And everybody is online around its own messages: who writes much is
//! online for longer than was drawn, and in a channel that never falls silent so is everybody who writes.
//!
//! What the page of measured facts leaves open (where one habit ends, how long visits are, how often breaks
//! come) was read off the presence of DuraSpace's regulars, those seen for 60 days or more with 10 stays or
//! more, grouped by availability; each constant says what it is held against. Those that say "by trial" were
//! chosen so that the messages missed at a return come out: nothing, mostly, and sometimes very much.

use offerbench_algos::{Rng, Seed};

use super::Stay;
use super::laws::{
    DAY_MS, HOUR_MS, SECOND_MS, exponential, happens, log_normal, normal, normal_quantile, poisson,
};
use super::place::Draft;
use super::stays::{interrupt, push, unite};

/// Logit-normal(-3.026, 2.611), KS .116, and the ends of what was seen.
const AVAILABILITY: (f64, f64) = (-3.026, 2.611);
const AVAILABILITY_MIN: f64 = 0.0005;
const AVAILABILITY_MAX: f64 = 0.975;

/// Below, a visitor, who came .05 to .16 times a day; above, .66 times.
const WORKER_MIN: f64 = 0.09;

/// Above, a resident, who came .24 times a day or less often.
const WORKER_MAX: f64 = 0.4;

/// Breaks, in seconds: the first part of the measured mixture of gaps.
const BREAK: (f64, f64) = (5.714, 1.387);

/// Time online between two breaks, of visitors and of workers. By trial; 6% to 9% of visitors' gaps were of 5
/// minutes or less, and 18% of workers'.
const BREAK_EVERY_MS: [f64; 2] = [30.0 * HOUR_MS as f64, 11.0 * HOUR_MS as f64];

/// A workday, in seconds.
const WORKDAY: (f64, f64) = (10.335, 0.066);

/// e^(10.335 + .066² / 2), in hours.
const WORKDAY_MEAN_H: f64 = 8.57;

/// When workers arrive, on the clock of the trace, on two continents: mean and deviation in hours, and the
/// share of the second.
const ARRIVAL_H: [(f64, f64); 2] = [(12.9, 0.8), (8.7, 0.8)];
const ARRIVAL_SECOND: f64 = 0.18;

/// A day of the weekend, as a share of a workday: 406 arrivals against 1,581.
const WEEKEND: f64 = 0.25;

/// How often a worker stays connected over night, at least. The p90 of their stays was 12.5 h, the p95 21 h.
const OVERNIGHT: f64 = 0.12;

/// How long residents are away, on average: 87 h (1 - availability)^.774, against 55 h, 27 h and 8.6 h at
/// .45, .75 and .95. A third of that are breaks.
const AWAY_H: f64 = 87.0;
const AWAY_POWER: f64 = 0.774;
const AWAY_SIGMA: f64 = 2.1;
const STAY_SIGMA: f64 = 2.14;
const BREAK_SHARE: f64 = 0.329;
const BREAK_MEAN_MS: f64 = 793.0 * SECOND_MS;

/// Visits: mean length in hours at an availability of .003, and the power with which it grows. Against means
/// of 1.4, 2.2, 5.3 and 9 h at .003, .0075, .02 and .06.
const VISIT_H: f64 = 1.4;
const VISIT_POWER: f64 = 0.62;
const VISIT_SIGMA: f64 = 1.1;

/// Members also leave for months: a life is phases of presence of this mean, in days, exponential, and
/// hiatuses of LN, in days, with a median of 60. By trial; of the gaps of those who rarely come 5% were of 84
/// days or more and 1% of a year, and at any time only 45 of the 90 regulars were between their first and
/// their last stay.
const PHASE_MEAN_D: f64 = 150.0;
const HIATUS_D: (f64, f64) = (4.094, 1.2);

/// The share of time in phases of presence: 150 of 150 + e^(4.094 + 1.2² / 2).
const PRESENT: f64 = 0.549;

/// Who writes is there for so many times as long as it is writing, at least.
const OWN_TIMES: f64 = 6.0;

/// The share of visits that a talk draws: of 786 stays of the rarest visitors 415 began on the day of the
/// meeting.
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
    let availabilities = availabilities(members, &mut seed.child("availability").rng());
    let member = |(member, (own_ms, drawn)): (u64, (Vec<u64>, f64))| {
        let mut rng = seed.nth(member).rng();
        let mut own = around(&own_ms, end_ms, &mut rng);
        unite(&mut own);
        let own_share = length_ms(&own) / end_ms as f64;
        let availability = drawn.max(own_share * OWN_TIMES).min(AVAILABILITY_MAX);
        let mut stays = if availability < WORKER_MAX {
            let mut stays = Vec::new();
            for phase in &phases(end_ms, &mut rng) {
                if availability < WORKER_MIN {
                    let more = (availability - own_share).max(0.0) / PRESENT;
                    visits(availability, more, phase, &talks, begins_ms, &mut stays, &mut rng);
                } else {
                    workdays(availability / PRESENT, phase, begins_ms, &mut stays, &mut rng);
                }
            }
            unite(&mut stays);
            let length_ms = |rng: &mut Rng| SECOND_MS * log_normal(rng, BREAK.0, BREAK.1);
            let run_ms = BREAK_EVERY_MS[usize::from(availability >= WORKER_MIN)];
            interrupt(&stays, run_ms, length_ms, &mut rng)
        } else {
            residence(availability, end_ms, &mut rng)
        };
        stays.append(&mut own);
        unite(&mut stays);
        stays
    };
    (0..).zip(own_ms.into_iter().zip(availabilities)).map(member).collect()
}

fn length_ms(stays: &[Stay]) -> f64 {
    stays.iter().map(|stay| stay.off_ms - stay.on_ms).sum::<u64>() as f64
}

/// An availability for each member. Stratified: of a hundred members one is in each hundredth of the law, so
/// that even small groups have their share of every kind.
fn availabilities(members: u32, rng: &mut Rng) -> Vec<f64> {
    let mut strata: Vec<u32> = (0..members).collect();
    rng.shuffle(&mut strata);
    let draw = |stratum| {
        let normal = normal_quantile((f64::from(stratum) + rng.unit()) / f64::from(members));
        let odds = libm::exp(AVAILABILITY.0 + AVAILABILITY.1 * normal);
        (odds / (1.0 + odds)).clamp(AVAILABILITY_MIN, AVAILABILITY_MAX)
    };
    strata.into_iter().map(draw).collect()
}

/// The stretches of the life in which a member comes at all.
fn phases(end_ms: u64, rng: &mut Rng) -> Vec<Stay> {
    let mut phases = Vec::new();
    let mut here = happens(rng, PRESENT);
    let mut now_ms = 0.0;
    while now_ms < end_ms as f64 {
        let length_ms = DAY_MS as f64
            * if here { exponential(rng, PHASE_MEAN_D) } else { log_normal(rng, HIATUS_D.0, HIATUS_D.1) };
        if here {
            push(&mut phases, now_ms, now_ms + length_ms, end_ms);
        }
        here = !here;
        now_ms += length_ms;
    }
    phases
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

    /// A moment of this phase worth coming for: some message's, or that of the first one of its talk.
    fn draw_ms(&self, phase: &Stay, rng: &mut Rng) -> Option<u64> {
        let at = |at_ms| self.drafts.partition_point(|draft| draft.at_ms < at_ms);
        let (first, end) = (at(phase.on_ms), at(phase.off_ms));
        if first == end {
            return None;
        }
        let index = first + rng.below((end - first) as u64) as usize;
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

/// Visits of a member of this availability in a phase, for `more` of its time beyond that around own
/// messages.
fn visits(
    availability: f64,
    more: f64,
    phase: &Stay,
    talks: &Talks<'_>,
    begins_ms: u64,
    stays: &mut Vec<Stay>,
    rng: &mut Rng,
) {
    let mean_ms = VISIT_H * libm::pow(availability / 0.003, VISIT_POWER) * HOUR_MS as f64;
    let mu = libm::log(mean_ms) - VISIT_SIGMA * VISIT_SIGMA / 2.0;
    let phase_ms = phase.off_ms - phase.on_ms;
    for _ in 0..poisson(rng, more * phase_ms as f64 / mean_ms) {
        let drawn = if happens(rng, DRAWN) { talks.draw_ms(phase, rng) } else { None };
        let on_ms = match drawn {
            Some(start_ms) => start_ms as f64 - exponential(rng, BEFORE_MS),
            None => at_work(phase.on_ms + rng.below(phase_ms), begins_ms, rng),
        };
        push(stays, on_ms, on_ms + log_normal(rng, mu, VISIT_SIGMA), phase.off_ms);
    }
}

/// Moves a moment, most often, to the afternoon of its day.
fn at_work(at_ms: u64, begins_ms: u64, rng: &mut Rng) -> f64 {
    let day_ms = (begins_ms + at_ms) / DAY_MS * DAY_MS;
    day_ms as f64 + normal(rng, 14.5, 3.5) * HOUR_MS as f64 - begins_ms as f64
}

/// Workdays of a member of this availability in a phase.
fn workdays(availability: f64, phase: &Stay, begins_ms: u64, stays: &mut Vec<Stay>, rng: &mut Rng) {
    let second = usize::from(happens(rng, ARRIVAL_SECOND));
    let hour = normal(rng, ARRIVAL_H[second].0, ARRIVAL_H[second].1);
    // So many hours online a day that counts as a workday, were it to come on all of them.
    let day_h = availability * 168.0 / (5.0 + 2.0 * WEEKEND);
    let overnight = ((day_h - WORKDAY_MEAN_H) / 24.0).clamp(OVERNIGHT, 1.0);
    let comes = (day_h / (WORKDAY_MEAN_H + 24.0 * overnight)).min(1.0);
    // From the day before: it may have stayed over night.
    let first = ((begins_ms + phase.on_ms) / DAY_MS).saturating_sub(1);
    for day in first..(begins_ms + phase.off_ms).div_ceil(DAY_MS) {
        let today = if day % 7 < 5 { comes } else { comes * WEEKEND };
        if !happens(rng, today) {
            continue;
        }
        let on_ms = (day * DAY_MS) as f64 - begins_ms as f64 + normal(rng, hour, 0.4) * HOUR_MS as f64;
        let mut length_ms = log_normal(rng, WORKDAY.0, WORKDAY.1) * SECOND_MS;
        if happens(rng, overnight) {
            length_ms += DAY_MS as f64;
        }
        push(stays, on_ms, on_ms + length_ms, phase.off_ms);
    }
}

/// Stays of a member of this availability, above all others.
fn residence(availability: f64, end_ms: u64, rng: &mut Rng) -> Vec<Stay> {
    let away_mean_ms = AWAY_H * libm::pow(1.0 - availability, AWAY_POWER) * HOUR_MS as f64;
    let long_mean_ms = (away_mean_ms - BREAK_SHARE * BREAK_MEAN_MS) / (1.0 - BREAK_SHARE);
    let mu = |mean_ms: f64, sigma: f64| libm::log(mean_ms) - sigma * sigma / 2.0;
    let mu_away = mu(long_mean_ms, AWAY_SIGMA);
    let mu_stay = mu(away_mean_ms * availability / (1.0 - availability), STAY_SIGMA);
    let mut online = happens(rng, availability);
    let mut now_ms = 0.0;
    let mut stays = Vec::new();
    while now_ms < end_ms as f64 {
        let length_ms = if online {
            log_normal(rng, mu_stay, STAY_SIGMA)
        } else if happens(rng, BREAK_SHARE) {
            SECOND_MS * log_normal(rng, BREAK.0, BREAK.1)
        } else {
            log_normal(rng, mu_away, AWAY_SIGMA)
        };
        // Of length 1 at least: time goes on.
        let until_ms = now_ms + length_ms.max(1.0);
        if online {
            push(&mut stays, now_ms, until_ms, end_ms);
        }
        online = !online;
        now_ms = until_ms;
    }
    stays
}
