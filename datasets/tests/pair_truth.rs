//! The difference of a pair is exactly what was asked for, whatever the pattern, size and seed.
//!
//! Method: the symmetric difference is counted again here from the two sets alone, by set operations that
//! share nothing with the code under test, and compared with the request and with the pair's own counts.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

use std::collections::{BTreeMap, BTreeSet};

use offerbench_algos::{Item, ItemId, Seed};
use offerbench_datasets::{Message, Pair, PairError, Pattern, pair_from_messages, synthetic};
use proptest::prelude::*;

/// The two sets, after checking all that must hold of every pair.
fn sets(pair: &Pair, m: u64, d: u64) -> (BTreeSet<Item>, BTreeSet<Item>) {
    let initiator: BTreeSet<Item> = pair.initiator.iter().copied().collect();
    let responder: BTreeSet<Item> = pair.responder.iter().copied().collect();
    assert_eq!(initiator.len(), pair.initiator.len(), "no item twice");
    assert_eq!(responder.len(), pair.responder.len(), "no item twice");
    assert!(pair.initiator.is_sorted());
    assert!(pair.responder.is_sorted());
    assert_eq!(initiator.union(&responder).count() as u64, m);
    assert_eq!(initiator.symmetric_difference(&responder).count() as u64, d);
    assert_eq!(initiator.difference(&responder).count() as u64, pair.initiator_only);
    assert_eq!(responder.difference(&initiator).count() as u64, pair.responder_only);
    assert_eq!((pair.m(), pair.d(), pair.common()), (m, d, m - d));
    (initiator, responder)
}

/// Checks the shape that the pattern promises.
fn shape(messages: &[Message], pair: &Pair, d: u64, pattern: Pattern) {
    let (initiator, responder) = sets(pair, messages.len() as u64, d);
    let mut sorted = messages.to_vec();
    sorted.sort();
    let missing: Vec<usize> = (0..sorted.len())
        .filter(|i| initiator.contains(&sorted[*i].item) != responder.contains(&sorted[*i].item))
        .collect();
    let starts = missing.iter().filter(|i| **i == 0 || missing.binary_search(&(**i - 1)).is_err());
    assert_eq!(pair.stretches, starts.count() as u64);
    match pattern {
        Pattern::Scattered => assert!(pair.initiator_only.abs_diff(pair.responder_only) <= 1),
        Pattern::Recent => {
            assert_eq!(missing, (sorted.len() - d as usize..sorted.len()).collect::<Vec<_>>());
            let at_initiator = |i: usize| initiator.contains(&sorted[i].item);
            for two in missing.windows(2) {
                assert_ne!(at_initiator(two[0]), at_initiator(two[1]), "sides alternate");
            }
        }
        Pattern::Gap => {
            assert_eq!(pair.initiator_only, 0);
            assert!(missing.windows(2).all(|two| two[0] + 1 == two[1]), "contiguous");
            assert_eq!(pair.stretches, u64::from(d > 0));
        }
        Pattern::Superset | Pattern::Empty => assert_eq!(pair.initiator_only, 0),
        Pattern::Equal => assert_eq!(pair.initiator, pair.responder),
        Pattern::Author => {
            assert_eq!(pair.initiator_only, 0);
            // Of at most one author is something missing and something held, and it is the newest part.
            let mut by_author: BTreeMap<u32, Vec<bool>> = BTreeMap::new();
            for message in &sorted {
                by_author.entry(message.author).or_default().push(initiator.contains(&message.item));
            }
            let partly: Vec<_> =
                by_author.values().filter(|held| held.contains(&true) && held.contains(&false)).collect();
            assert!(partly.len() <= 1, "{partly:?}");
            assert!(partly.iter().all(|held| held.is_sorted_by(|a, b| a >= b)), "{partly:?}");
        }
    }
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    prop::sample::select(Pattern::ALL)
}

/// Messages with many ties and few authors, in no order.
fn any_history() -> impl Strategy<Value = Vec<Message>> {
    prop::collection::vec((0_u64..40, 0_u32..6), 0..120).prop_map(|drawn| {
        let message = |(index, (at, author)): (usize, (u64, u32))| Message {
            item: Item { at, id: ItemId::of_message(&[0; 32], at, &index.to_le_bytes()) },
            author,
        };
        drawn.into_iter().enumerate().map(message).collect()
    })
}

proptest! {
    #[test]
    fn synthetic_pairs_differ_by_d(
        m in 0_u64..400, share in 0_u64..=100, pattern in any_pattern(), seed in any::<u64>(),
    ) {
        let d = pattern.forced_d(m).unwrap_or(m * share / 100);
        let pair = synthetic::pair(m, d, pattern, Seed::new(seed)).unwrap();
        let messages = synthetic::messages(m, Seed::new(seed)).unwrap();
        shape(&messages, &pair, d, pattern);
        prop_assert_eq!(&pair, &synthetic::pair(m, d, pattern, Seed::new(seed)).unwrap());
        prop_assert_eq!(&pair, &pair_from_messages(&messages, d, pattern, Seed::new(seed)).unwrap());
    }

    #[test]
    fn pairs_of_any_history_differ_by_d(
        messages in any_history(), share in 0_u64..=100, pattern in any_pattern(), seed in any::<u64>(),
    ) {
        let m = messages.len() as u64;
        let d = pattern.forced_d(m).unwrap_or(m * share / 100);
        let pair = pair_from_messages(&messages, d, pattern, Seed::new(seed)).unwrap();
        shape(&messages, &pair, d, pattern);
    }
}

#[test]
fn every_d_of_a_small_history_is_exact() {
    for pattern in Pattern::ALL {
        for m in 0..=24 {
            for d in (0..=m).filter(|d| pattern.forced_d(m).unwrap_or(*d) == *d) {
                let pair = synthetic::pair(m, d, *pattern, Seed::new(m * 100 + d)).unwrap();
                let messages = synthetic::messages(m, Seed::new(m * 100 + d)).unwrap();
                shape(&messages, &pair, d, *pattern);
            }
        }
    }
}

#[test]
fn one_author_suffices_when_one_has_exactly_d() {
    let messages = synthetic::messages(5_000, Seed::new(4)).unwrap();
    let by = |author: u32| messages.iter().filter(|message| message.author == author).count() as u64;
    let pair = pair_from_messages(&messages, by(17), Pattern::Author, Seed::new(4)).unwrap();
    let held: BTreeSet<Item> = pair.initiator.iter().copied().collect();
    let absent: BTreeSet<u32> = messages
        .iter()
        .filter(|message| !held.contains(&message.item))
        .map(|message| message.author)
        .collect();
    assert_eq!(absent.len(), 1);
}

/// Each of 40 messages is among the 10 missing ones in a quarter of all seeds, and on each side as often.
#[test]
fn scattered_differences_are_uniform_over_time_and_sides() {
    let messages = synthetic::messages(40, Seed::new(1)).unwrap();
    let mut missing_at = [[0_u32; 40]; 2];
    for seed in 0..4_000 {
        let pair = pair_from_messages(&messages, 10, Pattern::Scattered, Seed::new(seed)).unwrap();
        let mut sorted = messages.clone();
        sorted.sort();
        for (i, message) in sorted.iter().enumerate() {
            missing_at[0][i] += u32::from(!pair.initiator.contains(&message.item));
            missing_at[1][i] += u32::from(!pair.responder.contains(&message.item));
        }
    }
    // Binomial(4000, 1/8) has mean 500 and deviation 21; five of them.
    for count in missing_at.as_flattened() {
        assert!((395..605).contains(count), "{missing_at:?}");
    }
}

#[test]
fn impossible_requests_say_what_is_possible() {
    let error = |m, d, pattern| synthetic::pair(m, d, pattern, Seed::new(1)).unwrap_err().to_string();
    assert!(error(5, 6, Pattern::Gap).contains("take d of at most 5"));
    assert!(error(5, 1, Pattern::Equal).contains("take d = 0 or another pattern"));
    assert!(error(5, 4, Pattern::Empty).contains("take d = 5 or another pattern"));
    assert!(error(u64::MAX, 1, Pattern::Gap).contains("above the limit"));

    let twice = [
        Message { item: Item { at: 1, id: ItemId::new([3; 32]) }, author: 0 },
        Message { item: Item { at: 2, id: ItemId::new([3; 32]) }, author: 1 },
    ];
    let repeated = pair_from_messages(&twice, 1, Pattern::Gap, Seed::new(1)).unwrap_err();
    assert!(matches!(repeated, PairError::RepeatedId { .. }), "{repeated}");
}
