//! Traffic of a small group: long silences, meetings, and now and then a few words.
//!
//! Parameters are those of DuraSpace, 56,611 messages in four and a half years, cut into bursts wherever
//! nobody wrote for 30 minutes:
//!
//! - *Meetings*: .917 a week, all on one weekday, of LN(5.385, .372) messages (median 218) with Lomax(3.98,
//!   82 s) between two.
//! - *Casual* bursts: 2.49 a week, of 1 or 2 messages (44%) or of LN(2.35, 1.12), with Lomax(1.20, 46 s)
//!   between two.
//! - Speakers in a burst of n messages: 1.11 n^.37 on average, drawn by their weight.
//!
//! Counted in the same trace for what those leave open: casual bursts stand together on few days, 371 days
//! with 1, 2, 3, 4, 5 or more bursts 227, 90, 35, 13 and 6 times, which is geometric with mean 1.6; on
//! [`CASUAL_WEEKDAYS`]; mostly in the afternoon. Of a meeting's messages .345, .219, .142, .100, .075 … are
//! by its first, second … speaker. Two messages of a meeting are by the same author in .229 of all cases if
//! they follow on each other, .275 with two others between them, .257 with nine, .212 with 49: people take
//! turns, and talk for a while. Speakers' shares that fall by [`SPEAKER_RATIO`], and [`AGAIN`], [`RECALL`]
//! and [`TURN`] were chosen by trial to give these (.24, .25, .25, .20) and the published share of all
//! messages by the author of the one before, .256.
//!
//! A fit of self-exciting traffic to the same messages is nearly critical (.969), and what it generates has
//! days of 4,000 messages; hence bursts. More messages a day are more meetings and bursts, never longer ones.

use offerbench_algos::{Rng, Seed};

use super::authors::{Authors, SMALL};
use super::laws::{
    DAY_MS, HOUR_MS, SECOND_MS, WEEK_MS, exponential, happens, log_normal, lomax, normal, rounded,
};
use super::place::Draft;

/// Messages in a week of the group that was measured: the numbers above, multiplied.
const MESSAGES_WEEK: f64 = MEETINGS_WEEK * MEETING_MEAN + CASUAL_WEEK * CASUAL_MEAN;

const MEETINGS_WEEK: f64 = 0.917;

/// Of the first series of meetings; Monday is 0. A second one would be on Thursday.
const MEETING_WEEKDAY: u64 = 2;

/// On the clock of the trace.
const MEETING_HOUR: f64 = 20.0;

/// LN(5.385, .372).
const MEETING: (f64, f64) = (5.385, 0.372);

/// What that gives on average, as a whole number: summed over its distribution.
const MEETING_MEAN: f64 = 233.74;

const CASUAL_WEEK: f64 = 2.49;

/// The share of the short ones.
const CASUAL_SHORT: f64 = 0.443;

/// LN(.29, .55), and LN(2.35, 1.12).
const CASUAL: [(f64, f64); 2] = [(0.29, 0.55), (2.35, 1.12)];

/// What the two give on average, as whole numbers of 1 at least: .443 · 1.61 + .557 · 19.64.
const CASUAL_MEAN: f64 = 11.65;

/// Bursts on a day that has any.
const CASUAL_DAY_MEAN: f64 = 1.606;

/// Casual bursts in the trace by weekday, from Monday on.
const CASUAL_WEEKDAYS: [f64; 7] = [44.0, 213.0, 97.0, 159.0, 69.0, 6.0, 8.0];

/// When the first casual burst of a day begins, on the clock of the trace: mean and deviation in hours.
const CASUAL_HOUR: (f64, f64) = (14.3, 4.3);

/// Who is silent for longer has ended the burst.
const SILENCE_MS: f64 = 1800.0 * SECOND_MS;

/// What each speaker of a burst has of the share of the one before.
const SPEAKER_RATIO: f64 = 0.7;

/// The share of messages by somebody who has written one of the last [`RECALL`] of the burst.
const AGAIN: f64 = 0.6;
const RECALL: u64 = 20;

/// How often somebody who would write twice in a row gives others a turn.
const TURN: f64 = 0.12;

/// A burst: when it begins, how many messages it has, and how far apart (Lomax, in seconds).
struct Burst {
    start_ms: f64,
    size: u64,
    lomax: (f64, f64),
}

/// The messages of a small group, sorted. The life begins `begins_ms` after a Monday's midnight.
pub(super) fn drafts(
    messages_day: f64,
    end_ms: u64,
    begins_ms: u64,
    by_rank: Vec<u32>,
    seed: Seed,
) -> Vec<Draft> {
    let scale = messages_day * 7.0 / MESSAGES_WEEK;
    let until_ms = begins_ms + end_ms;
    let mut bursts = Vec::new();
    if scale > 0.0 {
        meetings(scale, until_ms.div_ceil(WEEK_MS), &mut bursts, &mut seed.child("meetings").rng());
        casual(scale, until_ms.div_ceil(DAY_MS), &mut bursts, &mut seed.child("casual").rng());
    }
    // What began more than a day before has ended.
    let reach = (begins_ms as f64 - DAY_MS as f64)..until_ms as f64;
    bursts.retain(|burst| reach.contains(&burst.start_ms));
    bursts.sort_by(|a, b| a.start_ms.total_cmp(&b.start_ms));

    let begins = begins_ms as f64;
    let inside = |burst: &&Burst| (begins..until_ms as f64).contains(&burst.start_ms);
    let total = bursts.iter().filter(inside).map(|burst| burst.size).sum::<u64>() as f64;
    let mut authors = Authors::new(SMALL, by_rank, total, seed.child("newcomers"));
    let mut rng = seed.child("bursts").rng();
    let mut recent = Vec::new();
    let (mut drafts, mut written) = (Vec::with_capacity(total as usize), 0_u64);
    for burst in &bursts {
        let speakers = 1.11 * libm::pow(burst.size as f64, 0.37);
        let speakers = rounded(&mut rng, speakers).clamp(1, burst.size) as usize;
        authors.advance(written as f64 / total.max(1.0));
        let speakers = authors.several(speakers, &mut rng);
        let mut at_ms = burst.start_ms;
        recent.clear();
        for _ in 0..burst.size {
            if at_ms >= until_ms as f64 {
                break;
            }
            let author = next(&recent, &speakers, &mut rng);
            recent.push(author);
            if at_ms >= begins {
                drafts.push(Draft { at_ms: at_ms as u64 - begins_ms, author });
                written += 1;
            }
            at_ms += gap_ms(burst.lomax, &mut rng);
        }
    }
    drafts.sort();
    drafts
}

/// Series of weekly meetings, as many as it takes for none to meet more often than the one that was measured,
/// over the weekdays in turns. All series beyond the first hold theirs at hours of their own.
fn meetings(scale: f64, weeks: u64, bursts: &mut Vec<Burst>, rng: &mut Rng) {
    let series = libm::ceil(scale).max(1.0) as u64;
    let held = MEETINGS_WEEK * scale / series as f64;
    let hours: Vec<f64> =
        (0..series).map(|series| if series == 0 { MEETING_HOUR } else { 8.0 + 12.0 * rng.unit() }).collect();
    for week in 0..weeks {
        for (index, hour) in (0_u64..).zip(&hours) {
            if !happens(rng, held) {
                continue;
            }
            let weekday = (MEETING_WEEKDAY + index) % 5;
            let day_ms = (week * WEEK_MS + weekday * DAY_MS) as f64;
            // People are a few minutes early or late.
            let start_ms = day_ms + (hour + normal(rng, 0.0, 0.1)) * HOUR_MS as f64;
            bursts.push(Burst { start_ms, size: size(MEETING, rng), lomax: (3.98, 82.0) });
        }
    }
}

fn casual(scale: f64, days: u64, bursts: &mut Vec<Burst>, rng: &mut Rng) {
    let sum: f64 = CASUAL_WEEKDAYS.iter().sum();
    for day in 0..days {
        let spells = CASUAL_WEEK * scale / CASUAL_DAY_MEAN * CASUAL_WEEKDAYS[(day % 7) as usize] / sum;
        for _ in 0..rounded(rng, spells) {
            let hour = normal(rng, CASUAL_HOUR.0, CASUAL_HOUR.1).clamp(0.0, 23.0);
            let mut start_ms = (day * DAY_MS) as f64 + hour * HOUR_MS as f64;
            loop {
                let law = CASUAL[usize::from(!happens(rng, CASUAL_SHORT))];
                bursts.push(Burst { start_ms, size: size(law, rng), lomax: (1.20, 46.0) });
                if happens(rng, 1.0 / CASUAL_DAY_MEAN) {
                    break;
                }
                start_ms += SILENCE_MS + exponential(rng, HOUR_MS as f64);
            }
        }
    }
}

fn size(law: (f64, f64), rng: &mut Rng) -> u64 {
    ((log_normal(rng, law.0, law.1) + 0.5) as u64).max(1)
}

/// The gap to the next message of a burst: one of 30 minutes or more would have ended it.
fn gap_ms(law: (f64, f64), rng: &mut Rng) -> f64 {
    loop {
        let gap_ms = lomax(rng, law.0, law.1) * SECOND_MS;
        if gap_ms < SILENCE_MS {
            return gap_ms;
        }
    }
}

/// Who writes next in a burst, after those of `recent`.
fn next(recent: &[u32], speakers: &[u32], rng: &mut Rng) -> u32 {
    let mut draw = || {
        if !recent.is_empty() && happens(rng, AGAIN) {
            recent[recent.len() - 1 - rng.below(RECALL.min(recent.len() as u64)) as usize]
        } else {
            speakers[speaker(speakers.len(), rng)]
        }
    };
    let first = draw();
    let again = draw();
    if recent.last() == Some(&first) && happens(rng, TURN) { again } else { first }
}

/// Which of `count` speakers: the first with the largest share.
fn speaker(count: usize, rng: &mut Rng) -> usize {
    // Geometric, cut off at `count`, by inversion.
    let cut = 1.0 - libm::pow(SPEAKER_RATIO, count as f64);
    let rank = libm::log(1.0 - rng.unit() * cut) / libm::log(SPEAKER_RATIO);
    (rank as usize).min(count - 1)
}
