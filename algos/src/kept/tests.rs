//! Sessions under keys that outlive them, whatever the strategy keeps.

use proptest::prelude::*;

use super::*;
use crate::duel::{DuelLimits, Transcript, duel};
use crate::judge::{Ending, Judgement, Truth, judge};
use crate::salt::Salting;
use crate::seed::Seed;
use crate::session::{Finding, Guarantee, Lasting, Step, Verdict};
use crate::strategies::build;
use crate::testing::{random_items, two_sets};

const SPECS: [&str; 9] = [
    "riblt:salt=link",
    "riblt:salt=none",
    "riblt:bits=256,check=32,salt=group",
    "iblt:salt=link",
    "iblt:bits=32,size=self,salt=group",
    "iblt:place=split,check=32,salt=none",
    "pinsketch:salt=link",
    "pinsketch:bits=64,size=double,salt=group",
    "pinsketch:bits=40,salt=none",
];

/// Indexes of both sets.
pub fn indexes(spec: &str, sets: &[Vec<Item>; 2]) -> [Box<dyn Index>; 2] {
    let strategy = build(spec).unwrap().strategy;
    [strategy.index(&sets[0]), strategy.index(&sets[1])]
}

/// A session on them.
pub fn duel_of(
    indexes: &[Box<dyn Index>; 2],
    setups: [&Setup; 2],
    window: u32,
    sets: &[Vec<Item>; 2],
) -> (Transcript, Judgement) {
    let mut ends = [indexes[0].open(Role::Initiator, setups[0]), indexes[1].open(Role::Responder, setups[1])];
    let transcript = duel(&mut ends, &DuelLimits { window, ..DuelLimits::default() }).unwrap();
    let judgement = judge(&Truth::of(&sets[0], &sets[1]), Guarantee::Exact, &transcript);
    (transcript, judgement)
}

fn assert_found_all(spec: &str, judgement: &Judgement) {
    assert!(matches!(judgement.ending, Ending::Exact | Ending::Recovered), "{spec}: {judgement:?}");
    assert_eq!((judgement.missed, judgement.invented), (0, 0), "{spec}");
}

#[test]
fn sizes_that_are_kept_are_four_in_each_octave() {
    let sizes: BTreeSet<u64> = (0..=128).map(next_size).collect();
    let expected: [u64; 25] =
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128];
    assert!(sizes.iter().eq(&expected), "{sizes:?}");
    for size in 1..5000 {
        let next = next_size(size);
        assert!(next >= size && next_size(next) == next && next * 4 <= size * 5, "{size}: {next}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A warm index says what one that was just made says, byte by byte, after whatever inserts, and differences that
    /// are now larger and now smaller.
    #[test]
    fn warm_and_cold_are_one(
        spec in prop::sample::select(SPECS.to_vec()),
        common in 0_usize..400,
        window in prop::sample::select(vec![1_u32, 64]),
        // How many items come before a session, and to which ends.
        comes in prop::collection::vec((0_usize..60, 1_usize..4), 1..6),
        seed: u64,
    ) {
        let mut sets = two_sets(common, [20, 10], Seed::new(seed));
        let all: usize = comes.iter().map(|(count, _)| count).sum();
        let more = random_items(all, Seed::new(seed).child("more"));
        let mut more = more.iter();
        let warm = &mut indexes(spec, &sets);
        let lasting = Lasting::of(Seed::new(seed));
        for (n, (count, ends)) in comes.into_iter().enumerate() {
            let setup = Setup { lasting, ..Setup::new(Seed::new(seed).nth(n as u64)) };
            let (transcript, judgement) = duel_of(warm, [&setup; 2], window, &sets);
            assert_found_all(spec, &judgement);
            prop_assert_eq!(&transcript, &duel_of(&indexes(spec, &sets), [&setup; 2], window, &sets).0);
            for item in more.by_ref().take(count) {
                for end in (0..2).filter(|end| ends >> end & 1 == 1) {
                    sets[end].push(*item);
                    warm[end].insert(*item);
                    warm[end].insert(*item);
                }
            }
        }
    }
}

/// What comes while a session runs is no part of it, whether it opens before or after anything is kept.
#[test]
fn inserts_do_not_reach_open_sessions() {
    let sets = two_sets(500, [30, 20], Seed::new(41));
    let later = random_items(90, Seed::new(42));
    for spec in SPECS {
        for is_warm in [false, true] {
            let setup = Setup::new(Seed::new(43));
            let mut indexes = indexes(spec, &sets);
            if is_warm {
                duel_of(&indexes, [&setup; 2], 1, &sets);
            }
            let mut ends =
                [indexes[0].open(Role::Initiator, &setup), indexes[1].open(Role::Responder, &setup)];
            // One that grows between any two frames.
            let mut coming = later.iter();
            let mut frame = Vec::new();
            let mut findings = [Vec::new(), Vec::new()];
            let mut done = 0;
            while done < 2 {
                done = 0;
                for from in 0..2 {
                    match ends[from].poll_frame(&mut frame) {
                        Step::Frame => ends[1 - from].handle_frame(&frame).unwrap(),
                        Step::Waiting => {}
                        Step::Done(verdict) => {
                            assert!(!matches!(verdict, Verdict::GaveUp(_)), "{spec}");
                            done += 1;
                        }
                    }
                    findings[from].extend(std::iter::from_fn(|| ends[from].poll_finding()));
                    if let Some(item) = coming.next() {
                        indexes[from].insert(*item);
                    }
                }
            }
            let truth = Truth::of(&sets[0], &sets[1]);
            for (end, found) in findings.iter().enumerate() {
                let haves: BTreeSet<_> = found
                    .iter()
                    .filter_map(|finding| match finding {
                        Finding::Have(id) => Some(*id),
                        Finding::Need(_) => None,
                    })
                    .collect();
                assert_eq!(&haves, truth.only(end), "{spec}");
            }
        }
    }
}

/// Ends that do not share the key of the day notice, and use one of the session.
#[test]
fn ends_of_different_days_still_agree() {
    let sets = two_sets(600, [20, 25], Seed::new(51));
    for spec in SPECS.into_iter().filter(|spec| !spec.contains("salt=none")) {
        for window in [1, 4, 64] {
            let setup = |day| Setup { lasting: Lasting::of(Seed::new(day)), ..Setup::new(Seed::new(52)) };
            let (transcript, judgement) =
                duel_of(&indexes(spec, &sets), [&setup(1), &setup(2)], window, &sets);
            assert_found_all(spec, &judgement);
            assert_eq!(transcript.traffic[0].spent.on(crate::wire::Purpose::Salt), 2, "{spec}");
            assert_eq!(transcript.traffic[1].spent.on(crate::wire::Purpose::Salt), 8, "{spec}");
        }
    }
}

/// Two new items with one short id under the lasting key, for whoever knows it: 2^16 hashes. `salt` is what their
/// author takes the key for.
fn twins(salt: &str, lasting: &Lasting) -> [Item; 2] {
    let salting = match salt {
        "link" => Salting::Link,
        "group" => Salting::Group,
        _ => Salting::None,
    };
    let mut seen = std::collections::BTreeMap::new();
    for at in 0.. {
        let id = ItemId::of_message(&[7; 32], at, b"twin");
        let short = salting.short_id(lasting, &id, 32).unwrap();
        if let Some(first) = seen.insert(short, Item { at, id }) {
            return [first, Item { at, id }];
        }
    }
    unreachable!()
}

/// Whoever knows the key makes the first attempt of every session between others fail that is to carry its pair, or one
/// of it where both ends have the other, and no more than that: retries go under a fresh salt. Whoever does not know it
/// does nothing. A whole pair does nothing to tables either: it is in them once, comes out, and names both.
#[test]
fn ground_pairs_cost_one_retry_and_only_where_the_key_is_known() {
    let lasting = Lasting::of(Seed::new(61));
    for (known, half_is_common) in [("link", true), ("group", false), ("none", false), ("none", true)] {
        let pair = twins(known, &lasting);
        let mut sets = two_sets(300, [5, 5], Seed::new(62));
        sets[1].extend(pair);
        sets[0].extend(&pair[..usize::from(half_is_common)]);
        for salt in ["session", "link", "group", "none"] {
            for strategy in ["riblt:bits=32", "iblt:bits=32,size=self", "pinsketch:bits=32,size=double"] {
                let spec = format!("{strategy},salt={salt}");
                let setup = Setup { lasting, ..Setup::new(Seed::new(63)) };
                for window in [1, 16] {
                    let (transcript, judgement) = duel_of(&indexes(&spec, &sets), [&setup; 2], window, &sets);
                    assert_found_all(&spec, &judgement);
                    let hurts = salt == known && (half_is_common || !strategy.starts_with("iblt"));
                    let failures = transcript.tallies[0].failures;
                    assert_eq!(failures > 0, hurts, "{spec}, pair for {known}: {failures}");
                    assert!(transcript.bytes() < 2000, "{spec}, pair for {known}: {}", transcript.bytes());
                }
            }
        }
    }
}

/// An index keeps what it needs for as many keys as it may, and no more.
#[test]
fn keys_used_long_ago_are_forgotten() {
    let sets = two_sets(2000, [3, 4], Seed::new(81));
    for strategy in ["riblt", "iblt:size=self", "pinsketch:size=double"] {
        for (salt, keys) in [("link", 8), ("group", 2), ("none", 1)] {
            let comma = if strategy.contains(':') { "," } else { ":" };
            let spec = format!("{strategy}{comma}salt={salt}");
            let indexes = indexes(&spec, &sets);
            let heap = |links: u64| {
                for link in 0..links {
                    let setup = Setup { lasting: Lasting::of(Seed::new(link)), ..Setup::new(Seed::new(82)) };
                    duel_of(&indexes, [&setup; 2], 1, &sets);
                }
                indexes[0].heap_bytes()
            };
            let none = heap(0);
            let one = heap(1) - none;
            assert_eq!(heap(20) - none, keys * one, "{spec}");
            assert!((28..60).contains(&(one / 2000)), "{spec}: {one}");
        }
    }
}
