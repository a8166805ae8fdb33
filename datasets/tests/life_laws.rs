//! What is drawn against what was measured: the acceptance of the generators of group lives.
//!
//! Method: lives as long and as busy as the recorded channels, on three seeds, and of each the statistics
//! that were published with the recordings. The published figures are repeated here as constants (from
//! `STATS.json` of the shared traces; its keys are named), for that file is not at a user's. Where the
//! recordings themselves are at hand, day counts and gaps are compared with these, too.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::PathBuf;

use offerbench_algos::Seed;
use offerbench_datasets::Trace;
use offerbench_datasets::life::{Clocks, Life, LifeSpec, Online, Traffic};

const DAY_MS: u64 = 86_400_000;
const SEEDS: [u64; 3] = [1, 2, 3];

/// A group like DuraSpace: its 90 regulars, 1,633 days, 34.67 messages a day.
fn small() -> LifeSpec {
    LifeSpec {
        members: 90,
        duration_ms: 1_633 * DAY_MS,
        traffic: Traffic::Small,
        messages_day: 34.67,
        online: Online::Phones,
        writes_offline: false,
        clocks: Clocks::default(),
        replies: false,
    }
}

/// A channel as busy as Ubuntu in the median window, 355 messages an hour, for 20 days: 170,000 messages.
fn busy() -> LifeSpec {
    LifeSpec {
        members: 12_258,
        duration_ms: 20 * DAY_MS,
        traffic: Traffic::Busy,
        messages_day: 355.0 * 24.0,
        online: Online::Always,
        replies: true,
        ..small()
    }
}

fn lives(spec: &LifeSpec) -> impl Iterator<Item = (Seed, Life)> {
    SEEDS.into_iter().map(Seed::new).map(|seed| (seed, spec.draw(seed).unwrap()))
}

/// Messages on each day of the calendar, in order of size.
fn days(life: &Life, seed: Seed) -> Vec<f64> {
    let begins_ms = LifeSpec::begins_ms(seed) % DAY_MS;
    let mut days = vec![0.0; (begins_ms + life.end_ms).div_ceil(DAY_MS) as usize];
    life.writes.iter().for_each(|write| days[((begins_ms + write.at_ms) / DAY_MS) as usize] += 1.0);
    days.sort_by(f64::total_cmp);
    days
}

/// Seconds between two messages, in order of size.
fn gaps_s(life: &Life) -> Vec<f64> {
    let gap = |two: &[_]| -> f64 {
        let [a, b]: &[offerbench_datasets::life::Write; 2] = two.try_into().unwrap();
        (b.at_ms - a.at_ms) as f64 / 1000.0
    };
    let mut gaps: Vec<f64> = life.writes.windows(2).map(gap).collect();
    gaps.sort_by(f64::total_cmp);
    gaps
}

/// What each returning member lacks, by others, after a gap of more than `gap_ms`, in order of size.
fn missed(life: &Life, gap_ms: u64) -> Vec<f64> {
    let mut own: Vec<Vec<usize>> = vec![Vec::new(); life.members as usize];
    (0..).zip(&life.writes).for_each(|(index, write)| own[write.author as usize].push(index));
    let index_at = |ms: u64| life.writes.partition_point(|write| write.at_ms < ms);
    let mut missed = Vec::new();
    for (stays, own) in life.stays.iter().zip(&own) {
        for two in stays.windows(2).filter(|two| two[1].on_ms - two[0].off_ms > gap_ms) {
            let (first, end) = (index_at(two[0].off_ms), index_at(two[1].on_ms));
            let own_until = |end: usize| own.partition_point(|index| *index < end);
            missed.push((end - first - (own_until(end) - own_until(first))) as f64);
        }
    }
    missed.sort_by(f64::total_cmp);
    missed
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((share * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len()) - 1]
}

fn share_up_to(sorted: &[f64], x: f64) -> f64 {
    sorted.partition_point(|value| *value <= x) as f64 / sorted.len() as f64
}

/// The Kolmogorov-Smirnov distance from a table of quantiles, at these. Values that are a whole bunch (the
/// days without a message) stand there with the share up to them.
fn ks_table(sorted: &[f64], table: &[(f64, f64)]) -> f64 {
    table.iter().map(|(share, x)| (share_up_to(sorted, *x) - share).abs()).fold(0.0, f64::max)
}

/// The Kolmogorov-Smirnov distance of two samples.
fn ks_samples(a: &[f64], b: &[f64]) -> f64 {
    let at = |x: &f64| (share_up_to(a, *x) - share_up_to(b, *x)).abs();
    a.iter().chain(b).map(at).fold(0.0, f64::max)
}

/// The Kolmogorov-Smirnov distance from a continuous distribution.
fn ks_law(sorted: &[f64], law: impl Fn(f64) -> f64) -> f64 {
    let n = sorted.len() as f64;
    let at = |(index, x): (f64, &f64)| (law(*x) - index / n).abs().max((law(*x) - (index + 1.0) / n).abs());
    (0..sorted.len()).map(|index| index as f64).zip(sorted).map(at).fold(0.0, f64::max)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64
}

/// K.-I. Goh's and A.-L. Barabási's burstiness of gaps: 0 by chance, 1 in bursts.
fn burstiness(gaps: &[f64]) -> f64 {
    let variation = variance(gaps).sqrt() / mean(gaps);
    (variation - 1.0) / (variation + 1.0)
}

/// The share of messages by the most active authors.
fn top(life: &Life, authors: usize) -> f64 {
    let mut counts = vec![0_u32; life.members as usize];
    life.writes.iter().for_each(|write| counts[write.author as usize] += 1);
    counts.sort_unstable_by(|a, b| b.cmp(a));
    f64::from(counts[..authors].iter().sum::<u32>()) / life.writes.len() as f64
}

/// The share of messages by the author of the message before.
fn repeated(life: &Life) -> f64 {
    let same = life.writes.windows(2).filter(|two| two[0].author == two[1].author).count();
    same as f64 / (life.writes.len() - 1) as f64
}

fn sizes(life: &Life) -> Vec<f64> {
    let mut sizes: Vec<f64> = life.writes.iter().map(|write| f64::from(write.size)).collect();
    sizes.sort_by(f64::total_cmp);
    sizes
}

/// Asserts, and says by how much it failed.
#[track_caller]
fn within(what: &str, value: f64, low: f64, high: f64) {
    assert!((low..=high).contains(&value), "{what}: {value:.4} is not within {low:.4} and {high:.4}");
}

// `traces.irc-duraspace-2009-2013.per_day`: a share of .6828 is 0, then p75, p90, p95, p99.
const DAYS: [(f64, f64); 5] = [(0.6828, 0.0), (0.75, 4.0), (0.9, 177.0), (0.95, 252.0), (0.99, 367.0)];

// `extra.duraspace.iat_jittered.q`, in seconds.
const GAPS_S: [(f64, f64); 9] = [
    (0.01, 0.22),
    (0.05, 1.21),
    (0.1, 2.49),
    (0.25, 6.99),
    (0.5, 17.81),
    (0.75, 38.52),
    (0.9, 74.79),
    (0.95, 134.68),
    (0.99, 13_692.98),
];

// `traces.irc-duraspace-2009-2013.size.q`.
const SIZES: [(f64, f64); 5] = [(0.1, 15.0), (0.25, 36.0), (0.5, 71.0), (0.75, 122.0), (0.9, 178.0)];

#[test]
fn a_small_group_writes_as_duraspace_did() {
    for (seed, life) in lives(&small()) {
        let (days, gaps_s) = (days(&life, seed), gaps_s(&life));
        // 56,611 were written; weeks with fewer or larger meetings move the sum by some 3%.
        within("messages", life.writes.len() as f64, 51_000.0, 62_000.0);
        within("KS of messages a day", ks_table(&days, &DAYS), 0.0, 0.05);
        within("days without a message", share_up_to(&days, 0.0), 0.633, 0.733);
        within("KS of gaps", ks_table(&gaps_s, &GAPS_S), 0.0, 0.05);
        within("burstiness", burstiness(&gaps_s), 0.83, 0.89);
        // Self-exciting traffic fails here: 717 to 1,356, and days of 2,194 and more.
        within("variance to mean of messages a day", variance(&days) / mean(&days), 223.0 / 1.5, 223.0 * 1.5);
        within("most messages a day", days[days.len() - 1], 738.0 / 2.0, 738.0 * 2.0);
        within("KS of sizes", ks_table(&sizes(&life), &SIZES), 0.0, 0.05);
        within("top 10 authors", top(&life, 10), 0.63, 0.83);
        within("top author", top(&life, 1), 0.12, 0.32);
        within("same author as before", repeated(&life), 0.206, 0.306);
    }
}

/// `presence-duraspace-2009-2013.missed_gap_gt5min`: 65.5% miss nothing; p75, p90, p99 are 13, 263, 2,395.
#[test]
fn who_returns_misses_nothing_mostly_and_sometimes_very_much() {
    for (_, life) in lives(&small()) {
        let d = missed(&life, 300_000);
        within("returns without a missing message", share_up_to(&d, 0.0), 0.605, 0.705);
        for (share, expected) in [(0.75, 13.0), (0.9, 263.0), (0.99, 2_395.0)] {
            within(&format!("d at {share}"), quantile(&d, share), expected / 2.0, expected * 2.0);
        }
    }
}

/// `presence-duraspace-2009-2013.availability_q`: p25 .006, p50 .027, p75 .182, p90 .523, mean .155; and of
/// all stretches, also those too short to be told apart, a median of 3.15 h and a p90 of 23 h online.
#[test]
fn people_are_online_for_as_long_as_they_were() {
    for (_, life) in lives(&small()) {
        let length = |stays: &[offerbench_datasets::life::Stay]| -> u64 {
            stays.iter().map(|stay| stay.off_ms - stay.on_ms).sum()
        };
        let mut shares: Vec<f64> =
            life.stays.iter().map(|stays| length(stays) as f64 / life.end_ms as f64).collect();
        shares.sort_by(f64::total_cmp);
        within("mean availability", mean(&shares), 0.125, 0.185);
        for (share, low, high) in
            [(0.25, 0.003, 0.014), (0.5, 0.015, 0.06), (0.75, 0.11, 0.26), (0.9, 0.4, 0.7)]
        {
            within(&format!("availability at {share}"), quantile(&shares, share), low, high);
        }
        let mut hours: Vec<f64> =
            life.stays.iter().flatten().map(|stay| length(&[*stay]) as f64 / 3.6e6).collect();
        hours.sort_by(f64::total_cmp);
        within("median stay, hours", quantile(&hours, 0.5), 3.15 / 2.0, 3.15 * 2.0);
        within("p90 of stays, hours", quantile(&hours, 0.9), 23.4 / 2.0, 23.4 * 2.0);
        // The peaks of gaps: a night, a weekend, a week between two meetings. A uniform spread over the
        // logarithm of the length would put .03, .01 and .004 there.
        let mut away: Vec<f64> = life
            .stays
            .iter()
            .flat_map(|stays| stays.windows(2))
            .map(|two| (two[1].on_ms - two[0].off_ms) as f64 / 3.6e6)
            .collect();
        away.sort_by(f64::total_cmp);
        let between = |low: f64, high: f64| share_up_to(&away, high) - share_up_to(&away, low);
        within("gaps of 5 min or less", share_up_to(&away, 1.0 / 12.0), 0.13, 0.23);
        within("gaps of a night", between(14.0, 17.0), 0.08, 0.3);
        within("gaps of a weekend", between(61.0, 67.0), 0.015, 0.1);
        within("gaps of a week", between(163.0, 173.0), 0.008, 0.06);
    }
}

/// Who is online only while talking, with a timeout of 15 minutes. Published (`phone`) are 6% that miss
/// nothing and a p50 to p99 of 47, 170, 529, 3,468. A recount over the same file, from the timeout on as here
/// and over all 197 authors, gives 8.2% and 28, 166, 577, 4,389: these are held against.
#[test]
fn who_is_online_only_while_talking_misses_more() {
    let spec = LifeSpec { online: "talking".parse().unwrap(), ..small() };
    for (_, life) in lives(&spec) {
        let d = missed(&life, 0);
        within("returns without a missing message", share_up_to(&d, 0.0), 0.032, 0.132);
        for (share, expected) in [(0.5, 28.0), (0.75, 166.0), (0.9, 577.0), (0.99, 4_389.0)] {
            within(&format!("d at {share}"), quantile(&d, share), expected / 2.0, expected * 2.0);
        }
    }
}

#[test]
fn a_busy_channel_excites_itself_as_ubuntu_did() {
    for (_, life) in lives(&busy()) {
        // 170,400 messages; a Poisson number deviates by 413, this one by 1 / (1 - .754) times as much.
        within("messages", life.writes.len() as f64, 170_400.0 - 8_400.0, 170_400.0 + 8_400.0);
        // Over windows much longer than its memory of 337 s: 1 / (1 - .754)^2 = 16.5. Of 480 windows the
        // estimate deviates by sqrt(2 / 480), 6.5%.
        let mut hours = vec![0.0; 480];
        life.writes.iter().for_each(|write| hours[(write.at_ms / 3_600_000) as usize] += 1.0);
        let fano = variance(&hours) / mean(&hours);
        within("variance to mean of messages an hour", fano, 16.5 * 0.72, 16.5 * 1.25);
        let branching = 1.0 - 1.0 / fano.sqrt();
        within("branching by that", branching, 0.70, 0.79);
        // `extra.ubuntu_large.norm_iat.fits.lomax_pareto2`.
        let gaps_s = gaps_s(&life);
        let gap_s = mean(&gaps_s);
        let normalised: Vec<f64> = gaps_s.iter().map(|gap| gap / gap_s).collect();
        let lomax = |x: f64| 1.0 - (1.0 + x / 3.05).powf(-4.092);
        within("KS of normalised gaps", ks_law(&normalised, lomax), 0.0, 0.05);
        // `extra.ubuntu_large.author_repeat.same_as_prev`; `per_window_authors.n` p50 is 128. Authors in an hour
        // (`authors_per_hour` p50: 25) come out at 48: hours of the recording are cut off by its windows, and 128 in
        // 1,285 messages are not to be had with so few.
        within("same author as before", repeated(&life), 0.121, 0.161);
        let distinct = |size: usize| {
            let windows = life.writes.chunks_exact(size);
            let mut counts: Vec<f64> = windows
                .map(|window| window.iter().map(|write| write.author).collect::<BTreeSet<_>>().len() as f64)
                .collect();
            counts.sort_by(f64::total_cmp);
            quantile(&counts, 0.5)
        };
        within("authors in 355 messages", distinct(355), 25.0, 60.0);
        within("authors in 1,285 messages", distinct(1_285), 108.0, 148.0);
        let ubuntu = [(0.1, 9.0), (0.25, 22.0), (0.5, 43.0), (0.75, 76.0), (0.9, 125.0), (0.99, 274.0)];
        within("KS of sizes", ks_table(&sizes(&life), &ubuntu), 0.0, 0.05);
    }
}

/// `traces.irc-ubuntu-large.reply`: parents, and the nearest within the last so many.
#[test]
fn answers_are_as_near_as_in_ubuntu() {
    for (_, life) in lives(&busy()) {
        let n = life.writes.len() as f64;
        for (count, expected) in [(0, 0.149), (1, 0.822), (2, 0.027)] {
            let share = life.writes.iter().filter(|write| write.parents.len() == count).count() as f64 / n;
            within(&format!("{count} parents"), share, expected - 0.005, expected + 0.005);
        }
        let lags: Vec<u64> = (0..)
            .zip(&life.writes)
            .filter_map(|(index, write)| Some(index - u64::from(*write.parents.last()?)))
            .collect();
        let near = [(1, 0.274), (3, 0.574), (5, 0.724), (10, 0.877), (50, 0.984), (100, 0.992)];
        for (last, expected) in near {
            let share = lags.iter().filter(|lag| **lag <= last).count() as f64 / lags.len() as f64;
            within(&format!("nearest parent within {last}"), share, expected - 0.01, expected + 0.01);
        }
    }
}

/// Against the recording itself. It has a clock of minutes, so its messages are strewn over their minutes
/// first.
#[test]
fn a_small_group_writes_as_the_recording_says() {
    let path = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/traces/irc-duraspace-2009-2013.jsonl.gz"
    ));
    if !path.exists() {
        // Not `println`: the harness hides what a passing test prints.
        let _ = writeln!(io::stderr(), "skipped: the shared trace {} is absent", path.display());
        return;
    }
    let trace = Trace::read(&path).unwrap();
    let mut rng = Seed::new(1).rng();
    let mut times: Vec<f64> =
        trace.records().map(|record| (record.t / 60.0).floor() * 60.0 + 60.0 * rng.unit()).collect();
    times.sort_by(f64::total_cmp);
    let mut gaps: Vec<f64> = times.windows(2).map(|two| two[1] - two[0]).collect();
    gaps.sort_by(f64::total_cmp);
    let mut per_day = vec![0.0; 1_633];
    trace.records().for_each(|record| per_day[(record.t / 86_400.0) as usize] += 1.0);
    per_day.sort_by(f64::total_cmp);
    for (seed, life) in lives(&small()) {
        within("KS of messages a day", ks_samples(&days(&life, seed), &per_day), 0.0, 0.05);
        within("KS of gaps", ks_samples(&gaps_s(&life), &gaps), 0.0, 0.05);
    }
}
