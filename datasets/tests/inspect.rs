//! What `inspect` finds in traces whose figures are known: small ones by hand, the shared ones by what is
//! published beside them.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

mod common;

use common::shared;
use offerbench_datasets::inspect::{Dist, Missed, Portrait, inspect};
use offerbench_datasets::{Files, Presence, Trace};
use proptest::prelude::*;

const FILES: Files<'_> = Files { trace: "chat", presence: "online" };

fn portrait(chat: &str, presence: Option<&str>) -> Option<Portrait> {
    let trace = Trace::read(&shared(chat)?).unwrap();
    let presence = match presence {
        Some(file) => Some(Presence::read(&shared(file)?).unwrap()),
        None => None,
    };
    Some(inspect(&trace, presence.as_ref(), FILES).unwrap())
}

/// The value as published, with the digits published there.
#[track_caller]
fn is(what: &str, found: f64, published: f64, digits: i32) {
    let half = 0.5 * 10_f64.powi(-digits);
    assert!((found - published).abs() <= half * 1.001, "{what}: {found}, published {published}");
}

fn missed<'a>(portrait: &'a Portrait, who: &str) -> &'a Missed {
    portrait.missed.iter().find(|row| row.who.contains(who)).unwrap()
}

/// p50, p75, p90, p99 and max.
fn upper(dist: &Dist) -> [f64; 5] {
    [dist.p50, dist.p75, dist.p90, dist.p99, dist.max]
}

/// STATISTICS.md beside the traces. What does not come out to the digit is said where it is compared.
#[test]
fn the_small_group_has_the_figures_that_are_published() {
    let Some(found) =
        portrait("irc-duraspace-2009-2013.jsonl.gz", Some("presence-duraspace-2009-2013.jsonl.gz"))
    else {
        return;
    };
    let rate = found.rate.as_ref().unwrap();
    let daily = rate.daily.as_ref().unwrap();
    is("messages a day", daily.messages.mean, 34.7, 1);
    is("zero days", daily.zero, 0.68, 2);
    // Published as 176, and as 177 in the tables behind that page.
    assert_eq!(upper(&daily.messages).map(f64::round), [0.0, 4.0, 177.0, 367.0, 738.0]);
    is("Fano", daily.fano, 223.0, 0);
    for (found, published) in
        daily.weekdays.unwrap().iter().zip([1.77, 14.50, 204.12, 15.59, 5.93, 0.05, 0.07])
    {
        is("weekday", *found, published, 2);
    }
    let gaps = found.gaps.as_ref().unwrap();
    is("burstiness", gaps.burstiness, 0.86, 2);
    is("memory", gaps.memory, 0.033, 3);

    let (sizes, law) = (found.sizes.as_ref().unwrap(), found.sizes_weibull.unwrap());
    assert_eq!([sizes.p10, sizes.p50, sizes.p90, sizes.p99], [15.0, 71.0, 178.0, 299.0]);
    is("Weibull k", law.k, 1.27, 2);
    is("Weibull scale", law.scale, 93.0, 0);

    let authors = found.authorship.as_ref().unwrap();
    is("Gini", authors.gini, 0.898, 3);
    is("Zipf", authors.zipf, 1.30, 2);
    is("top 1", authors.top1, 0.22, 2);
    is("top 10", authors.top10, 0.73, 2);
    // Published as .256: one pair of messages in 4,000 more.
    is("same author as before", authors.repeats, 0.2555, 4);

    let online = found.online.as_ref().unwrap();
    let (stays, pauses) = (online.stays_s.as_ref().unwrap(), online.pauses_s.as_ref().unwrap());
    assert_eq!([stays.p50, stays.p90], [3.15 * 3600.0, 84_300.0]);
    is("pause p50, hours", pauses.p50 / 3600.0, 9.2, 1);
    is("pause p90, days", pauses.p90 / 86_400.0, 6.9, 1);
    let at_once = online.at_once.as_ref().unwrap();
    assert_eq!((at_once.p50, online.regulars_alive.as_ref().unwrap().p50), (7.0, 45.0));
    assert_eq!(online.others_at_post.as_ref().unwrap().p50, 13.0);
    let availability = online.availability.as_ref().unwrap();
    assert_eq!(availability.count, 90);
    is("availability p25", availability.p25, 0.006, 3);
    is("availability p50", availability.p50, 0.027, 3);
    // Does not come out: published are a p75 of .18, a p90 of .52 and a mean of .155 of 90 regulars, but not who
    // counts as one. The upper end depends on it.
    is("availability p75", availability.p75, 0.167, 3);
    is("availability p90", availability.p90, 0.667, 3);
    is("availability, mean", availability.mean, 0.159, 3);
    assert_eq!((online.written_offline, online.speakers_unseen, online.listeners), (547, 1, 278));

    let row = missed(&found, "gap");
    is("zero", row.zero, 0.66, 2);
    is("mean", row.messages.mean, 158.0, 0);
    assert_eq!(upper(&row.messages).map(f64::round), [0.0, 13.0, 263.0, 2_395.0, 46_562.0]);
    let row = missed(&found, "phone");
    is("zero", row.zero, 0.06, 2);
    is("mean", row.messages.mean, 284.0, 0);
    // Published p75: 170.
    assert_eq!(upper(&row.messages).map(f64::round), [47.0, 171.0, 529.0, 3_468.0, 49_365.0]);
    // Drawn at random there, spread evenly here: within a twentieth.
    let row = missed(&found, "regular");
    let published = [354.0, 1_924.0, 6_771.0, 25_526.0, 46_562.0];
    for (found, published) in upper(&row.messages).into_iter().zip(published) {
        assert!((found / published - 1.0).abs() < 0.05, "{found}, published {published}");
    }
    assert!((row.messages.mean / 2_281.0 - 1.0).abs() < 0.05);
    assert_eq!(found.nearest.unwrap().traffic, "small");
}

#[test]
fn the_busy_channel_has_the_figures_that_are_published() {
    let Some(found) = portrait("irc-ubuntu-large.jsonl.gz", None) else { return };
    assert_eq!(found.windows, 122);
    let rate = found.rate.as_ref().unwrap();
    let (hourly, authors) = (rate.hourly.as_ref().unwrap(), rate.authors_an_hour.as_ref().unwrap());
    assert_eq!([hourly.p10, hourly.p90].map(f64::round), [111.0, 591.0]);
    // Published as 355: cut off, not rounded.
    is("messages an hour", hourly.p50, 355.8, 1);
    assert_eq!([authors.p50, authors.p90], [25.0, 61.0]);
    assert_eq!(rate.daily, None);
    let (sizes, law) = (found.sizes.as_ref().unwrap(), found.sizes_weibull.unwrap());
    assert_eq!([sizes.p10, sizes.p50, sizes.p90, sizes.p99], [9.0, 43.0, 125.0, 274.0]);
    is("Weibull k", law.k, 1.125, 3);
    is("Weibull scale", law.scale, 61.0, 0);
    let authors = found.authorship.as_ref().unwrap();
    let [_, gini, zipf] = authors.in_window.unwrap();
    // Published as .631: the median of 122 windows lies between two of them.
    is("Gini", gini, 0.630, 3);
    is("Zipf", zipf, 0.857, 3);
    is("same author as before", authors.repeats, 0.141, 3);
    let replies = found.replies.as_ref().unwrap();
    for (found, published) in replies.within.iter().zip([0.274, 0.574, 0.724, 0.877, 0.984, 0.992]) {
        is("nearest parent", *found, published, 3);
    }
    for (found, published) in replies.parents.iter().zip([0.149, 0.822, 0.027, 0.002]) {
        is("parents", *found, published, 3);
    }
    assert_eq!([replies.lag_s.p50, replies.lag_s.p99].map(f64::round), [26.0, 787.0]);
    assert_eq!(found.nearest.unwrap().traffic, "busy");
}

#[test]
fn the_histories_have_the_figures_that_are_published() {
    for (file, merges, heads, ties) in [
        ("git-git.jsonl.gz", 0.26, [27.0, 95.0], 0.31),
        ("git-tigerbeetle.jsonl.gz", 0.23, [4.0, 10.0], 0.19),
    ] {
        let Some(found) = portrait(file, None) else { return };
        let graph = found.graph.as_ref().unwrap();
        is("merges", graph.merges, merges, 2);
        assert_eq!([graph.heads.p50, graph.heads.max], heads, "{file}");
        is("ties", found.clocks.ties, ties, 2);
        if file == "git-git.jsonl.gz" {
            for (found, published) in graph.within.iter().zip([0.704, 0.739, 0.758, 0.788, 0.869, 0.900]) {
                assert!((found - published).abs() <= 0.001, "{found}, published {published}");
            }
            let authors = found.authorship.as_ref().unwrap();
            is("Gini", authors.gini, 0.922, 3);
            is("Zipf", authors.zipf, 1.25, 2);
            let sizes = found.sizes.as_ref().unwrap();
            assert_eq!(
                [sizes.p10, sizes.p50, sizes.p90, sizes.p99].map(f64::floor),
                [366.0, 585.0, 1272.0, 2829.0]
            );
        }
    }
}

fn header(more: &str) -> String {
    format!(
        r#"{{"format":"chat-trace/1","name":"chat","kind":"chat","source":"","license":"","attribution":"","note":"","edges":0,"duration_s":1e9,"time_resolution_s":1,"monotone":true,"annotated":"none",{more}}}"#
    )
}

/// Two messages late on a Tuesday and one on Thursday, by the header's clock.
#[test]
fn a_day_begins_at_midnight_where_the_clock_is_known() {
    let records = "\n{\"t\":10,\"author\":0,\"size\":4,\"parents\":[]}\n{\"t\":20,\"author\":1,\"size\":0,\"parents\":[]}\n{\"t\":180000,\"author\":1,\"size\":8,\"parents\":[]}\n";
    let counts = r#""authors":2,"messages":3,"bytes":12"#;
    let text = header(&format!(r#"{counts},"t0_clock_s":82800,"t0_weekday":1"#)) + records;
    let found = inspect(&Trace::from_reader(text.as_bytes(), "chat").unwrap(), None, FILES).unwrap();
    let daily = found.rate.as_ref().unwrap().daily.clone().unwrap();
    // 82,800 s is 23 o'clock; 180,000 s later it is one o'clock of the day after the next but one: Friday.
    assert_eq!(daily.weekdays, Some([0.0, 2.0, 0.0, 0.0, 1.0, 0.0, 0.0]));
    assert_eq!((daily.zero, daily.messages.mean, daily.messages.max), (0.5, 0.75, 2.0));
    // Without it days count from the first message, and none has a name.
    let text = header(counts) + records;
    let found = inspect(&Trace::from_reader(text.as_bytes(), "chat").unwrap(), None, FILES).unwrap();
    let daily = found.rate.as_ref().unwrap().daily.clone().unwrap();
    assert_eq!((daily.weekdays, daily.messages.count, daily.zero), (None, 3, 1.0 / 3.0));
    // Empty texts are in the quantiles and not in the law.
    assert_eq!(found.sizes.unwrap().p50, 4.0);
    assert!(found.sizes_weibull.unwrap().scale > 4.0);
    // 2 messages in the first of 49 full hours; the third is in the fiftieth, which does not end.
    assert_eq!(found.rate.unwrap().silent_hours, 48.0 / 49.0);
}

/// Gaps between windows are no gaps, and nobody is away from one to the next.
#[test]
fn nothing_is_measured_across_windows() {
    let mut text = header(
        r#""authors":1,"messages":120,"bytes":0,"sizes":false,"segments":[{"first":0,"n":60},{"first":60,"n":60}]"#,
    );
    for index in 0..120 {
        let t = index * 10 + index / 60 * 1_000_000;
        text += &format!("\n{{\"t\":{t},\"author\":0,\"size\":0,\"parents\":[]}}");
    }
    let found = inspect(&Trace::from_reader(text.as_bytes(), "chat").unwrap(), None, FILES).unwrap();
    let gaps = found.gaps.as_ref().unwrap();
    assert_eq!((gaps.seconds.max, gaps.seconds.count, gaps.burstiness), (10.0, 118, -1.0));
    assert_eq!((found.windows, found.missed, found.sizes), (2, vec![], None));
    assert_eq!(found.nearest.unwrap().traffic, "even");
}

#[test]
fn a_trace_without_messages_has_a_portrait_without_figures() {
    let text = header(r#""authors":0,"messages":0,"bytes":0"#);
    let silent = Trace::from_reader(text.as_bytes(), "chat").unwrap();
    let online = r#"{"format":"presence-trace/1","name":"p","peers":1,"speakers":0,"intervals":1,"censored":0,"duration_s":9}
{"peer":3,"on":0,"off":5,"c":0}"#;
    let online = Presence::from_reader(online.as_bytes(), "online").unwrap();
    for presence in [None, Some(&online)] {
        let found = inspect(&silent, presence, FILES).unwrap();
        assert_eq!((found.messages, found.span_s, found.windows), (0, 0.0, 1));
        assert!(found.rate.is_none() && found.gaps.is_none() && found.authorship.is_none());
        assert!(found.missed.is_empty() && found.nearest.is_none());
        assert_eq!(found.online.map(|online| online.peers), presence.map(|_| 1));
    }
}

proptest! {
    /// Whatever a trace and its presence hold, every figure is a number.
    #[test]
    fn every_figure_is_a_number(
        records in prop::collection::vec((-50.0..5e5_f64, 0_u8..4, 0_u32..500), 0..80),
        stays in prop::collection::vec((0_u32..6, 0_u32..400_000, 0_u32..90_000), 0..60),
        in_order in any::<bool>(),
        cuts in prop::collection::vec((0_u64..80, 0_u64..80), 0..3),
    ) {
        let mut times: Vec<f64> = records.iter().map(|record| record.0.round()).collect();
        if in_order {
            times.sort_by(f64::total_cmp);
        }
        let (mut authors, mut bytes, mut lines) = (0, 0, String::new());
        for ((_, author, size), t) in records.iter().zip(times) {
            let author = u64::from(*author).min(authors);
            authors = authors.max(author + 1);
            bytes += u64::from(*size);
            lines += &format!("\n{{\"t\":{t},\"author\":{author},\"size\":{size},\"parents\":[]}}");
        }
        let n = records.len() as u64;
        let segments: Vec<String> = cuts.iter().map(|(first, len)| format!(r#"{{"first":{},"n":{}}}"#, (*first).min(n), (*len).min(n.saturating_sub(*first)))).collect();
        let head = header(&format!(r#""authors":{authors},"messages":{n},"bytes":{bytes},"segments":[{}]"#, segments.join(",")));
        let head = if in_order { head } else { head.replace("\"monotone\":true", "\"monotone\":false") };
        let trace = Trace::from_reader((head + &lines).as_bytes(), "chat").unwrap();

        let mut until = [0; 6];
        let mut stays = stays;
        stays.sort_by_key(|stay| stay.1);
        stays.retain(|(peer, on, len)| {
            let is_apart = *on >= until[*peer as usize];
            if is_apart { until[*peer as usize] = on + len }
            is_apart
        });
        let peers: std::collections::BTreeSet<u32> = stays.iter().map(|stay| stay.0).collect();
        let mut text = format!(r#"{{"format":"presence-trace/1","name":"p","peers":{},"speakers":{authors},"intervals":{},"censored":0,"duration_s":490000}}"#, peers.len(), stays.len());
        for (peer, on, len) in &stays {
            text += &format!("\n{{\"peer\":{peer},\"on\":{on},\"off\":{},\"c\":0}}", on + len);
        }
        let online = Presence::from_reader(text.as_bytes(), "online").unwrap();
        for presence in [None, Some(&online)] {
            // A contradiction is an answer, too.
            let Ok(found) = inspect(&trace, presence, FILES) else { continue };
            let json = serde_json::to_string(&found).unwrap();
            // What is not a number is written as null, and so is what is absent.
            let absent = format!("{found:?}").matches("None").count();
            prop_assert_eq!(json.matches("null").count(), absent, "{}", json);
        }
    }
}
