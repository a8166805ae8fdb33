//! The real traces: every one is read, and its counts are those that the traces' own README tells.
//!
//! The traces are not part of this repository. Where they are absent, these tests say so and pass.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

mod common;

use common::shared;
use offerbench_algos::Seed;
use offerbench_datasets::{
    By, Pattern, Presence, Trace, absences, at_quantiles, pair_at, pair_from_messages,
};

/// File, records, authors, edges: the table in the README of the traces.
const TRACES: [(&str, usize, u64, u64); 8] = [
    ("git-git.jsonl.gz", 81_966, 2_669, 103_233),
    ("git-tigerbeetle.jsonl.gz", 12_540, 157, 15_440),
    ("irc-duraspace-2009-2013.jsonl.gz", 56_611, 197, 0),
    ("irc-mediawiki.jsonl.gz", 3_600, 234, 540),
    ("irc-stripe.jsonl.gz", 3_600, 296, 541),
    ("irc-ubuntu-large.jsonl.gz", 156_755, 12_258, 41_616),
    ("irc-ubuntu-medium.jsonl.gz", 9_045, 1_108, 7_728),
    ("irc-ubuntu-small.jsonl", 961, 129, 858),
];

#[test]
fn every_trace_has_the_counts_that_its_readme_tells() {
    for (file, records, authors, edges) in TRACES {
        let Some(path) = shared(file) else { continue };
        let trace = Trace::read(&path).unwrap();
        assert_eq!(trace.len(), records, "{file}");
        assert_eq!((trace.header().authors, trace.header().edges), (authors, edges), "{file}");
        assert_eq!(trace.records().map(|record| record.parents.len() as u64).sum::<u64>(), edges);
    }
}

#[test]
fn what_is_written_is_read_back() {
    for (file, ..) in TRACES {
        let Some(path) = shared(file) else { continue };
        let trace = Trace::read(&path).unwrap();
        let mut bytes = Vec::new();
        trace.write_gz(&mut bytes).unwrap();
        assert_eq!(Trace::from_reader(bytes.as_slice(), file).unwrap(), trace, "{file}");
    }
}

#[test]
fn every_pattern_splits_every_trace() {
    for (file, records, ..) in TRACES {
        let Some(path) = shared(file) else { continue };
        let messages = Trace::read(&path).unwrap().messages(Seed::new(1));
        for pattern in Pattern::ALL {
            let d = pattern.forced_d(records as u64).unwrap_or(137);
            let pair = pair_from_messages(&messages, d, *pattern, Seed::new(1)).unwrap();
            assert_eq!((pair.m(), pair.d()), (records as u64, d), "{file} {pattern}");
        }
    }
}

/// The numbers are those of a count in Python over the same file: for each author, the messages between two
/// of its own.
#[test]
fn absences_in_the_smallest_trace() {
    let Some(path) = shared("irc-ubuntu-small.jsonl") else { return };
    let trace = Trace::read(&path).unwrap();
    let found = absences(&trace);
    assert_eq!(found.len(), 961 - 129);
    assert_eq!(found.iter().map(|absence| u64::from(absence.missed)).sum::<u64>(), SMALL_MISSED);
    let messages = trace.messages(Seed::new(1));
    for absence in &found {
        let pair = pair_at(&messages, absence, 1).unwrap();
        assert_eq!((pair.initiator_only, pair.responder_only), (1, u64::from(absence.missed)));
        assert_eq!(pair.m(), u64::from(absence.end_index) + 1);
    }
}

const SMALL_MISSED: u64 = 23_492;

/// Exact values: a count in Python over the same files. Beside them, to what is published: the statistics that come with the traces, "missing messages when somebody returns, after a gap of more
/// than 5 minutes".
#[test]
fn presence_gives_the_published_statistics_of_missed_messages() {
    let (Some(chat), Some(presence)) =
        (shared("irc-duraspace-2009-2013.jsonl.gz"), shared("presence-duraspace-2009-2013.jsonl.gz"))
    else {
        return;
    };
    let trace = Trace::read(&chat).unwrap();
    let presence = Presence::read(&presence).unwrap();
    assert_eq!(presence.header().peers, 474);
    assert_eq!(presence.header().speakers, 197);
    assert_eq!(presence.intervals().len(), 15_018);
    assert_eq!(presence.header().censored, 267);

    let mut found = presence.absences(&trace).unwrap();
    found.retain(|absence| absence.length_ms() > 5 * 60 * 1000);
    let zero = found.iter().filter(|absence| absence.missed == 0).count();
    let at: Vec<u32> = at_quantiles(&found, By::Missed, &[0.5, 0.75, 0.9, 0.99, 1.0])
        .unwrap()
        .iter()
        .map(|absence| absence.missed)
        .collect();
    let mean = found.iter().map(|absence| u64::from(absence.missed)).sum::<u64>() / found.len() as u64;
    // Published: zero 66%, mean 158, quantiles 0, 13, 263, 2395 (interpolated there), 46562.
    assert_eq!((found.len(), zero, mean), (11_728, 7_715, 158));
    assert_eq!(at, [0, 13, 263, 2_401, 46_562]);
}
