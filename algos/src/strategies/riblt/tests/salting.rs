//! Sessions under keys that outlive them.

use super::*;
use crate::item::ItemId;
use crate::salt::Salting;
use crate::session::{Index, Lasting};
use crate::wire::put_varint;

const LASTING: [&str; 3] = ["riblt:salt=link", "riblt:salt=group", "riblt:salt=none"];

fn duel_of(
    indexes: &[Box<dyn Index>; 2],
    setups: [&Setup; 2],
    window: u32,
    sets: &[Vec<Item>; 2],
) -> (Transcript, Judgement) {
    let mut ends = [indexes[0].open(Role::Initiator, setups[0]), indexes[1].open(Role::Responder, setups[1])];
    let transcript = duel(&mut ends, &limits(window)).unwrap();
    let judgement = judge(&Truth::of(&sets[0], &sets[1]), Guarantee::Exact, &transcript);
    (transcript, judgement)
}

fn indexes(spec: &str, sets: &[Vec<Item>; 2]) -> [Box<dyn Index>; 2] {
    let strategy = build(spec).unwrap().strategy;
    [strategy.index(&sets[0]), strategy.index(&sets[1])]
}

/// What is saved: 8 bytes each way, less 2 by which the ends see that they share a key.
#[test]
fn salts_do_not_cross_the_wire() {
    let sets = two_sets(1000, [0, 0], Seed::new(3));
    for (spec, greeting) in
        [("riblt", 16), ("riblt:salt=link", 2), ("riblt:salt=group", 2), ("riblt:salt=none", 0)]
    {
        let (transcript, judgement) = run(spec, &sets, Seed::new(3), &limits(1));
        assert_eq!(judgement.ending, Ending::Exact);
        let salts = transcript.traffic.iter().map(|sent| sent.spent.on(Purpose::Salt)).sum::<u64>();
        let rest = run("riblt", &sets, Seed::new(3), &limits(1)).0.bytes() - 16;
        assert_eq!((salts, transcript.bytes()), (greeting, rest + greeting), "{spec}");
    }
}

/// A warm index says what one that was just made says, byte by byte, after whatever inserts.
#[test]
fn warm_and_cold_are_one() {
    for spec in LASTING.into_iter().chain(["riblt:bits=256,check=32,salt=group"]) {
        for window in [1, 64] {
            let mut sets = two_sets(700, [40, 30], Seed::new(31));
            let more = crate::testing::random_items(200, Seed::new(32));
            let mut warm = indexes(spec, &sets);
            for (n, some) in more.chunks(20).enumerate() {
                let seed = Seed::new(33).nth(n as u64);
                let setup = Setup { lasting: Lasting::of(Seed::new(34)), ..Setup::new(seed) };
                let (transcript, judgement) = duel_of(&warm, [&setup; 2], window, &sets);
                assert_eq!(judgement.ending, Ending::Exact, "{spec}");
                assert_eq!(
                    transcript,
                    duel_of(&indexes(spec, &sets), [&setup; 2], window, &sets).0,
                    "{spec}"
                );
                // Some to either end, some to both.
                for (k, item) in some.iter().enumerate() {
                    for end in 0..2 {
                        if k % 3 == 0 || k % 2 == end {
                            sets[end].push(*item);
                            warm[end].insert(*item);
                            warm[end].insert(*item);
                        }
                    }
                }
            }
        }
    }
}

/// What comes while a session runs is no part of it, whether it opens before or after its symbols are made.
#[test]
fn inserts_do_not_reach_open_sessions() {
    let sets = two_sets(500, [30, 20], Seed::new(41));
    let later = crate::testing::random_items(90, Seed::new(42));
    for spec in LASTING {
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
                            assert_eq!(verdict, Verdict::Exact, "{spec}");
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
                let haves: std::collections::BTreeSet<_> = found
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
    for spec in ["riblt:salt=link", "riblt:salt=group,bits=256,check=32"] {
        for window in [1, 4, 64] {
            let setup = |day| Setup { lasting: Lasting::of(Seed::new(day)), ..Setup::new(Seed::new(52)) };
            let (transcript, judgement) =
                duel_of(&indexes(spec, &sets), [&setup(1), &setup(2)], window, &sets);
            assert_eq!(judgement.ending, Ending::Exact, "{spec}");
            assert_eq!(transcript.traffic[0].spent.on(Purpose::Salt), 2);
            assert_eq!(transcript.traffic[1].spent.on(Purpose::Salt), 8);
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

/// Whoever knows the key makes the first attempt of every session between others fail that is to carry its pair,
/// and no more than that: retries go under a fresh salt. Whoever does not know it does nothing.
#[test]
fn ground_pairs_cost_one_retry_and_only_where_the_key_is_known() {
    let lasting = Lasting::of(Seed::new(61));
    for known in ["link", "group", "none"] {
        let pair = twins(known, &lasting);
        let mut sets = two_sets(300, [5, 5], Seed::new(62));
        sets[1].extend(pair);
        for salt in ["session", "link", "group", "none"] {
            let spec = format!("riblt:bits=32,salt={salt}");
            let setup = Setup { lasting, ..Setup::new(Seed::new(63)) };
            for window in [1, 16] {
                let (transcript, judgement) = duel_of(&indexes(&spec, &sets), [&setup; 2], window, &sets);
                assert_found_all(&spec, &transcript, &judgement);
                let retries = if salt == known { 1 } else { 0 };
                assert_eq!(transcript.tallies[0].failures, retries, "{spec}, pair for {known}");
                assert!(transcript.bytes() < 2000, "{spec}, pair for {known}: {}", transcript.bytes());
            }
        }
    }
}

/// A stream beyond what an index keeps goes on with symbols made for the session.
#[test]
fn streams_longer_than_what_is_kept() {
    let sets = two_sets(1000, [30_000, 25_000], Seed::new(71));
    let setup = Setup::new(Seed::new(72));
    let indexes = indexes("riblt:salt=group", &sets);
    for round in 0..2 {
        let (transcript, judgement) = duel_of(&indexes, [&setup; 2], 64, &sets);
        assert_eq!(judgement.ending, Ending::Exact, "round {round}");
        assert!(transcript.traffic[1].spent.on(Purpose::Sketch) > 8 * 65_536);
    }
    let kept = indexes[0].heap_bytes();
    assert!(kept < 31_000 * 220 + 65_536 * 24, "{kept}");
}

/// An index keeps what it needs for as many keys as it may, and no more.
#[test]
fn keys_used_long_ago_are_forgotten() {
    let sets = two_sets(2000, [3, 4], Seed::new(81));
    for (spec, keys) in [("riblt:salt=link", 8), ("riblt:salt=group", 2), ("riblt:salt=none", 1)] {
        let indexes = indexes(spec, &sets);
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
        assert!((28..60).contains(&(one / 2000)), "{one}");
    }
}

/// Symbols under a fresh salt where keys are of the session anyway, or before any was announced.
#[test]
fn fresh_streams_out_of_place_are_refused() {
    let sets = two_sets(10, [1, 1], Seed::new(17));
    let setup = Setup::new(Seed::new(17));
    let mut frame = vec![super::super::TAG_FRESH];
    frame.extend_from_slice(&[5; 8]);
    put_varint(&mut frame, 11);
    frame.extend_from_slice(&[0; 9]);
    for (spec, refused) in [("riblt", true), ("riblt:salt=group", false)] {
        let mut initiator = ends(spec, &sets, &setup).into_iter().next().unwrap();
        initiator.poll_frame(&mut Vec::new());
        assert_eq!(initiator.handle_frame(&frame).is_err(), refused, "{spec}");
    }
    let mut responder = ends("riblt:salt=group", &sets, &setup).into_iter().nth(1).unwrap();
    assert!(responder.handle_frame(&frame).is_err());
}
