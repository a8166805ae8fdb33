//! Recorded stretches of life: who is in them, when they write, what they name, and what is counted.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

mod common;

use common::shared;
use offerbench_datasets::life::replay::ASSUMED_SIZE;
use offerbench_datasets::life::{Replay, ReplayError, Stay, Window, Write, replay};
use offerbench_datasets::{About, Annotated, Kind, Presence, Trace, TraceBuilder};
use proptest::prelude::*;

/// A trace of these records, each a time, an author and parents.
fn trace(kind: Kind, records: &[(f64, u32, &[u32])]) -> Trace {
    let mut builder = TraceBuilder::new();
    for (size, (t, author, parents)) in (10..).zip(records) {
        builder.push(*t, *author, size, parents).unwrap();
    }
    builder.finish(About {
        name: "t".to_owned(),
        kind,
        source: String::new(),
        license: String::new(),
        attribution: String::new(),
        note: String::new(),
        time_resolution_s: 1.0,
        sizes: true,
        annotated: Annotated::All,
    })
}

/// A presence trace for one with this many authors.
fn presence(speakers: u32, duration_s: f64, intervals: &[(u32, f64, f64)]) -> Presence {
    let peers: std::collections::BTreeSet<u32> = intervals.iter().map(|interval| interval.0).collect();
    let mut text = format!(
        r#"{{"format":"presence-trace/1","name":"p","peers":{},"speakers":{speakers},"intervals":{},"censored":0,"duration_s":{duration_s}}}"#,
        peers.len(),
        intervals.len()
    );
    for (peer, on, off) in intervals {
        text += &format!("\n{{\"peer\":{peer},\"on\":{on},\"off\":{off},\"c\":0}}");
    }
    Presence::from_reader(text.as_bytes(), "p.jsonl").unwrap()
}

const WHOLE: Window = Window { from_ms: 0, duration_ms: None };

fn window(from_ms: u64, duration_ms: u64) -> Window {
    Window { from_ms, duration_ms: Some(duration_ms) }
}

fn write(at_ms: u64, author: u32, size: u32, parents: &[u32]) -> Write {
    Write { at_ms, author, size, skew_ms: 0, parents: parents.to_vec() }
}

/// Writes whose author is offline by its stays; none where presence is not modelled.
fn written_offline(lived: &Replay) -> usize {
    let is_offline = |write: &&Write| {
        let stays = lived.life.stays.get(write.author as usize);
        stays.is_some_and(|stays| !stays.iter().any(|stay| (stay.on_ms..stay.off_ms).contains(&write.at_ms)))
    };
    lived.life.writes.iter().filter(is_offline).count()
}

/// How many stamps are not the times of writing, and by how much at most.
fn skewed(lived: &Replay) -> (usize, u64) {
    let skews = lived.life.writes.iter().map(|write| write.skew_ms.unsigned_abs()).filter(|skew| *skew > 0);
    (skews.clone().count(), skews.max().unwrap_or(0))
}

/// Parents that the trace names and the life does not.
fn parents_outside(trace: &Trace, lived: &Replay) -> usize {
    let named = |(index, write): (usize, &Write)| {
        trace.get(lived.history as usize + index).unwrap().parents.len() - write.parents.len()
    };
    lived.life.writes.iter().enumerate().map(named).sum()
}

/// Four messages from 100 s on, the second and third in the window, and five members of whom one (peer 4)
/// never speaks.
fn small() -> (Trace, Presence) {
    let trace =
        trace(Kind::Chat, &[(100.0, 0, &[]), (110.0, 1, &[0]), (120.5, 2, &[0, 1]), (200.0, 3, &[2])]);
    let presence = presence(
        4,
        300.0,
        &[
            (0, 90.0, 105.0),
            (4, 95.0, 112.0),
            (2, 100.0, 110.0),
            (2, 110.0, 115.0),
            (0, 118.0, 119.0),
            (2, 119.0, 119.0),
            (2, 120.0, 250.0),
            (3, 199.0, 201.0),
        ],
    );
    (trace, presence)
}

#[test]
fn a_window_holds_its_writers_its_listeners_and_their_stays() {
    let (trace, presence) = small();
    let lived = replay(&trace, Some(&presence), &window(10_000, 15_000), true).unwrap();
    let counts = (written_offline(&lived), parents_outside(&trace, &lived));
    let Replay { life, history, names } = lived;
    // Author 3 neither writes nor is online; peer 0 is online for a second, peer 4 for two.
    assert_eq!(names, [0, 1, 2, 4]);
    assert_eq!((life.members, life.end_ms, history), (4, 15_000, 1));
    assert_eq!(life.writes, [write(0, 1, 11, &[]), write(10_500, 2, 12, &[0])]);
    let stay = |on_ms, off_ms| Stay { on_ms, off_ms };
    // Stays that touch are one; empty ones are none.
    assert_eq!(
        life.stays,
        [vec![stay(8_000, 9_000)], vec![], vec![stay(0, 5_000), stay(10_000, 15_000)], vec![stay(0, 2_000)]]
    );
    // Author 1 was never seen online. Messages 1 and 2 name message 0, which is before the window.
    assert_eq!(counts, (1, 2));
}

#[test]
fn without_presence_nobody_is_online_or_offline() {
    let (trace, presence) = small();
    let lived = replay(&trace, None, &WHOLE, false).unwrap();
    assert_eq!(lived.life.stays, Vec::<Vec<Stay>>::new());
    assert_eq!((lived.life.members, lived.history, written_offline(&lived)), (4, 0, 0));
    assert_eq!(lived.names, [0, 1, 2, 3]);
    assert!(lived.life.writes.iter().all(|write| write.parents.is_empty() && write.skew_ms == 0));
    // The last message is within; with presence the life goes on until observation ends.
    assert_eq!(lived.life.end_ms, 100_001);
    assert_eq!(replay(&trace, Some(&presence), &WHOLE, false).unwrap().life.end_ms, 200_000);
    assert_eq!(replay(&trace, None, &window(0, u64::MAX), false).unwrap().life.end_ms, 100_001);
}

/// Clocks of committers: one runs ahead and holds up the two after it, one lies before the first.
#[test]
fn clocks_that_run_backwards_are_skewed_and_parents_still_come_first() {
    let records: [(f64, u32, &[u32]); 5] =
        [(50.0, 0, &[]), (90.0, 1, &[0]), (60.0, 0, &[0]), (-10.0, 2, &[1]), (95.0, 0, &[2, 3])];
    let trace = trace(Kind::Git, &records);
    assert!(!trace.header().monotone);
    let lived = replay(&trace, None, &WHOLE, true).unwrap();
    let at: Vec<(u64, i64)> = lived.life.writes.iter().map(|write| (write.at_ms, write.skew_ms)).collect();
    assert_eq!(at, [(0, 0), (40_000, 0), (40_000, -30_000), (40_000, -100_000), (45_000, 0)]);
    assert_eq!(lived.life.writes[4].parents, [2, 3]);
    assert_eq!(skewed(&lived), (2, 100_000));
    let text =
        replay(&trace, Some(&presence(3, 99.0, &[(0, 0.0, 99.0)])), &WHOLE, true).unwrap_err().to_string();
    assert!(text.contains("p, line 1: trace `t` says `monotone`: false"), "{text}");
}

#[test]
fn sizes_that_are_unknown_are_assumed() {
    let text = r#"{"format":"chat-trace/1","name":"s","kind":"chat","source":"","license":"","attribution":"","note":"","authors":1,"messages":1,"edges":0,"bytes":0,"duration_s":0,"time_resolution_s":1,"monotone":true,"annotated":"none","sizes":false}
{"t":0,"author":0,"size":0,"parents":[]}
"#;
    let lived = replay(&Trace::from_reader(text.as_bytes(), "s").unwrap(), None, &WHOLE, true).unwrap();
    assert_eq!(lived.life.writes, [write(0, 0, ASSUMED_SIZE, &[])]);
}

#[test]
fn a_window_without_messages_is_refused() {
    let (trace, presence) = small();
    for (window, presence) in [
        (window(30_000, 60_000), Some(&presence)),
        (window(0, 0), None),
        (window(100_001, 1), None),
        (Window { from_ms: u64::MAX, duration_ms: None }, None),
    ] {
        let error = replay(&trace, presence, &window, false).unwrap_err();
        assert!(matches!(error, ReplayError::EmptyWindow { .. }), "{window:?}: {error}");
        assert!(error.to_string().contains("it has 4 from 0 s to 100 s"), "{error}");
    }
    let empty = TraceBuilder::new().finish(About {
        name: "e".to_owned(),
        kind: Kind::Chat,
        source: String::new(),
        license: String::new(),
        attribution: String::new(),
        note: String::new(),
        time_resolution_s: 1.0,
        sizes: true,
        annotated: Annotated::All,
    });
    let error = replay(&empty, None, &Window::busiest(&empty, 5), false).unwrap_err();
    assert_eq!(error, ReplayError::NoMessages { trace: "e".to_owned() });
}

#[test]
fn the_busiest_stretch_is_the_earliest_with_most_messages() {
    let times = [0.0, 10.0, 11.0, 12.0, 50.0, 51.0, 52.0, 99.0].map(|t| (t, 0, [].as_slice()));
    let trace = trace(Kind::Chat, &times);
    assert_eq!(Window::busiest(&trace, 3_000), window(10_000, 3_000));
    // Two seconds hold two messages: the end is not in it.
    assert_eq!(Window::busiest(&trace, 2_000).from_ms, 10_000);
    assert_eq!(Window::busiest(&trace, 1_000).from_ms, 0);
    assert_eq!(Window::busiest(&trace, 0).from_ms, 0);
    assert_eq!(Window::busiest(&trace, 1_000_000).from_ms, 0);
}

proptest! {
    /// Against counting every window that begins with a message; and the replay of it has that many writes.
    #[test]
    fn the_busiest_stretch_by_brute_force(
        gaps in prop::collection::vec(-3_i32..20, 1..40), duration_ms in 1_u64..60_000,
    ) {
        let mut t = 0.0;
        let records: Vec<(f64, u32, &[u32])> = gaps.iter().map(|gap| { t += f64::from(*gap); (t, 0, [].as_slice()) }).collect();
        let trace = trace(Kind::Git, &records);
        let lived = replay(&trace, None, &WHOLE, false).unwrap();
        let at: Vec<u64> = lived.life.writes.iter().map(|write| write.at_ms).collect();
        prop_assert!(at.is_sorted());
        let count = |from: &u64| at.iter().filter(|at| (*from..from + duration_ms).contains(at)).count();
        let most = at.iter().map(count).max().unwrap();
        let earliest = *at.iter().find(|from| count(from) == most).unwrap();
        let found = Window::busiest(&trace, duration_ms);
        prop_assert_eq!(found, window(earliest, duration_ms));
        prop_assert_eq!(replay(&trace, None, &found, false).unwrap().life.writes.len(), most);
    }
}

/// The numbers are those of a count in Python over the same files.
#[test]
fn the_small_groups_busiest_week_is_lived_with_its_presence() {
    let (Some(chat), Some(online)) =
        (shared("irc-duraspace-2009-2013.jsonl.gz"), shared("presence-duraspace-2009-2013.jsonl.gz"))
    else {
        return;
    };
    let (trace, presence) = (Trace::read(&chat).unwrap(), Presence::read(&online).unwrap());
    let whole = replay(&trace, Some(&presence), &WHOLE, true).unwrap();
    // Of 474 peers 25 who never write were online for less than the minute of the log's clock.
    assert_eq!((whole.life.members, whole.life.writes.len(), written_offline(&whole)), (449, 56_611, 547));
    let week = Window::busiest(&trace, 7 * 86_400_000);
    let lived = replay(&trace, Some(&presence), &week, false).unwrap();
    assert_eq!(week.from_ms, 134_969_685_000);
    assert_eq!((lived.life.members, lived.life.writes.len(), written_offline(&lived)), (29, 990, 2));
    assert_eq!(lived.life.stays.len(), lived.names.len());
    for stays in &lived.life.stays {
        assert!(stays.iter().all(|stay| stay.on_ms < stay.off_ms && stay.off_ms <= lived.life.end_ms));
        assert!(stays.windows(2).all(|two| two[0].off_ms < two[1].on_ms));
    }
}

#[test]
fn a_history_names_its_parents() {
    let Some(path) = shared("git-tigerbeetle.jsonl.gz") else { return };
    let trace = Trace::read(&path).unwrap();
    let whole = replay(&trace, None, &WHOLE, true).unwrap();
    assert_eq!(whole.life.writes.iter().map(|write| write.parents.len()).sum::<usize>(), 15_440);
    assert_eq!((whole.life.members, parents_outside(&trace, &whole)), (157, 0));
    assert_eq!(skewed(&whole), (1, 1_465_000));
    let half = replay(&trace, None, &window(whole.life.end_ms / 2, u64::MAX), true).unwrap();
    assert_eq!(half.history as usize + half.life.writes.len(), 12_540);
    for (index, write) in half.life.writes.iter().enumerate() {
        assert!(write.parents.iter().all(|parent| (*parent as usize) < index));
    }
}
