//! The conversation, with either kind of filter.

use proptest::prelude::*;

use crate::duel::{DuelLimits, Transcript, duel};
use crate::item::Item;
use crate::judge::{Ending, Truth, judge};
use crate::salt::{Hashed, Key, Salt};
use crate::seed::Seed;
use crate::session::{Guarantee, Reason, Role, Session, SessionError, Setup, Step, Verdict};
use crate::spec::SpecError;
use crate::strategies::build;
use crate::strategies::filter::{Filter as _, Kind};
use crate::testing::{random_items, run, two_sets};
use crate::wire::{Purpose, RETRIES_MAX, Reader};

const EXACT: [&str; 8] = [
    "bloom:fpr=0.1,tail=again",
    "bloom:fpr=0.1,blocks=512,tail=again",
    "bloom:fpr=0.001,blocks=512",
    "bloom:fpr=0.1",
    "bloom:fpr=0.001",
    "fuse:bits=8,tail=again",
    "fuse:bits=8",
    "fuse:bits=16",
];

/// Hashes of `n` random ids under the key of one salt, for tests of filters alone.
pub fn hashes(n: usize, seed: Seed) -> Vec<Hashed> {
    let key = Key::one_party(Salt::of(seed, Role::Initiator));
    random_items(n, seed).iter().map(|item| key.hash(&item.id)).collect()
}

/// The share of `queries` that a filter of `items` affirms.
pub fn share_affirmed<K: Kind>(kind: K, items: &[Hashed], queries: &[Hashed]) -> f64 {
    let mut body = Vec::new();
    assert!(kind.write(items, &mut body));
    let mut reader = Reader::new(&body);
    let filter = kind.read(items.len() as u64, &mut reader).unwrap();
    reader.finish().unwrap();
    assert!(items.iter().all(|item| filter.affirms(*item)), "a filter affirms its own items");
    queries.iter().filter(|query| filter.affirms(**query)).count() as f64 / queries.len() as f64
}

fn open(spec: &str, items: &[Item], role: Role, seed: u64) -> Box<dyn Session> {
    build(spec).unwrap().strategy.index(items).open(role, &Setup::new(Seed::new(seed)))
}

/// As `run`, with frames of at most `frame_len_max` bytes.
fn run_framed(spec: &str, sets: &[Vec<Item>; 2], window: u32, frame_len_max: u32) -> Transcript {
    let strategy = build(spec).unwrap().strategy;
    let setup = Setup { frame_len_max, ..Setup::new(Seed::new(1)) };
    let mut ends = [
        strategy.index(&sets[0]).open(Role::Initiator, &setup),
        strategy.index(&sets[1]).open(Role::Responder, &setup),
    ];
    duel(&mut ends, &DuelLimits { window, ..DuelLimits::default() }).unwrap()
}

/// Frames after which a conversation of these sets must have ended: a stream that nobody stops any more runs to
/// its own cap of 256 + 4·100 symbols, at times in frames of its least size.
const FRAMES_MAX: usize = 1000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any sets, any window, any frame length: the whole difference, each item once, and equal verdicts.
    #[test]
    fn with_a_tail_they_are_exact(
        common in 0_usize..300,
        mine in 0_usize..100,
        theirs in 0_usize..100,
        seed: u64,
        spec in proptest::sample::select(&EXACT),
        window in proptest::sample::select(&[1_u32, 4, 64]),
        frame_len_max in proptest::sample::select(&[64_u32, 65, 1000, 65_536]),
    ) {
        let sets = two_sets(common, [mine, theirs], Seed::new(seed));
        let transcript = run_framed(spec, &sets, window, frame_len_max);
        let judgement = judge(&Truth::of(&sets[0], &sets[1]), Guarantee::Exact, &transcript);
        prop_assert!(matches!(judgement.ending, Ending::Exact | Ending::Recovered), "{:?}", judgement);
        prop_assert_eq!((judgement.missed, judgement.invented), (0, 0));
        // Only the stream of the tail runs on: with a window, or while a claim of several frames is under way.
        if window == 1 && frame_len_max == 65_536 {
            prop_assert_eq!(transcript.traffic.map(|sent| sent.overshoot_frames), [0, 0]);
        }
    }

    /// Random bytes for frames: an error or nothing, never a panic.
    #[test]
    fn random_frames_are_survived(
        frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..6),
        tag in proptest::sample::select(&[1_u8, 2, 0x71]),
        spec in proptest::sample::select(&EXACT),
    ) {
        let items = random_items(20, Seed::new(1));
        for role in [Role::Initiator, Role::Responder] {
            let mut session = open(spec, &items, role, 1);
            for frame in &frames {
                let mut frame = frame.clone();
                if let Some(header) = frame.first_mut().filter(|header| **header % 2 == 0) {
                    *header = tag;
                }
                let _ = drain(&mut *session);
                let _ = session.handle_frame(&frame);
            }
        }
    }

    /// Frames of a real conversation, one of them changed, repeated or left out: an error, a stall, a
    /// verdict, never a panic.
    #[test]
    fn mutated_conversations_are_survived(
        victim in 0_usize..8,
        position: usize,
        flip in 1_u8..=255,
        how in 0_u8..4,
        spec in proptest::sample::select(&EXACT),
    ) {
        let sets = two_sets(30, [20, 20], Seed::new(3));
        let mut ends =
            [open(spec, &sets[0], Role::Initiator, 3), open(spec, &sets[1], Role::Responder, 3)];
        let (mut turn, mut count, mut quiet) = (0, 0, 0);
        while count < FRAMES_MAX && quiet < 2 {
            let frames = drain(&mut *ends[turn]);
            quiet = if frames.is_empty() { quiet + 1 } else { 0 };
            turn = 1 - turn;
            for mut frame in frames {
                let struck = count == victim;
                count += 1;
                match how {
                    0 | 1 if struck => {
                        let at = position % frame.len();
                        frame[at] ^= flip;
                    }
                    2 if struck => frame.truncate(position % frame.len()),
                    3 if struck => {
                        let _ = ends[turn].handle_frame(&frame);
                    }
                    _ => {}
                }
                let _ = ends[turn].handle_frame(&frame);
            }
        }
        prop_assert!(count < FRAMES_MAX, "a conversation has an end");
    }
}

fn drain(session: &mut dyn Session) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut frame = Vec::new();
    while session.poll_frame(&mut frame) == Step::Frame && frames.len() < 100 {
        frames.push(frame.clone());
    }
    while session.poll_finding().is_some() {}
    frames
}

/// Empty, equal, disjoint, subset, one missing; small and large.
#[test]
fn shapes_of_sets() {
    let shapes =
        [(0, [0, 0]), (0, [0, 50]), (0, [50, 0]), (50, [0, 0]), (0, [40, 60]), (50, [30, 0]), (50, [0, 30])];
    let large = [(10_000, [1, 0]), (10_000, [0, 1]), (100_000, [30, 20]), (10_000, [0, 3000])];
    for spec in EXACT {
        for (common, only) in shapes.into_iter().chain(large) {
            let sets = two_sets(common, only, Seed::new(5));
            let (transcript, judgement) = run(spec, &sets, Seed::new(6), &DuelLimits::default());
            assert!(matches!(judgement.ending, Ending::Exact | Ending::Recovered), "{spec}: {judgement:?}");
            if only == [0, 0] {
                assert_eq!(transcript.verdicts[0], Verdict::Exact, "{spec}");
                assert_eq!(transcript.flights, 3, "{spec}");
            }
        }
    }
}

/// Flights: 1 one way, 2 without an end check, 3 with; and nothing is invented or comes twice.
#[test]
fn flights_are_as_few_as_promised() {
    let sets = two_sets(500, [20, 20], Seed::new(7));
    for (spec, flights) in [
        ("bloom:fpr=0.0001,ways=one,tail=none", 1),
        ("fuse:bits=16,ways=one,tail=none", 1),
        ("bloom:fpr=0.0001,tail=none", 2),
        ("fuse:bits=16,tail=none", 2),
        ("bloom:fpr=0.0001", 3),
        ("fuse:bits=16", 3),
    ] {
        let (transcript, judgement) = run(spec, &sets, Seed::new(8), &DuelLimits::default());
        assert_eq!(transcript.flights, flights, "{spec}");
        assert_eq!(judgement.ending, Ending::Exact, "{spec}");
    }
}

/// One way finds only what the initiator lacks, and says so.
#[test]
fn one_way_is_one_way() {
    let sets = two_sets(500, [200, 300], Seed::new(9));
    let (transcript, judgement) =
        run("bloom:fpr=0.1,ways=one,tail=none", &sets, Seed::new(9), &DuelLimits::default());
    assert!(transcript.findings[0].is_empty());
    assert_eq!(transcript.findings[1].len() as u64 + judgement.missed, 300);
    assert_eq!(judgement.invented, 0);
    let error = build("bloom:ways=one,tail=again").err().unwrap();
    assert!(matches!(&error, SpecError::Conflict { why, .. } if why.contains("tail=none")), "{error}");
    assert!(build("fuse:ways=one").is_err());
}

/// Oracle: without a tail d·ε are missed. 60 trials of d = 1000 at ε = 0.1: 6,000, deviation of drawing 73,
/// and of the filters' own rates (2% each for 1,000 items) about 15: 5%.
#[test]
fn without_a_tail_the_false_positives_are_missed() {
    let mut missed = 0;
    for trial in 0..60 {
        let seed = Seed::new(10).nth(trial);
        let sets = two_sets(500, [500, 500], seed);
        let (_, judgement) = run("bloom:fpr=0.1,tail=none", &sets, seed, &DuelLimits::default());
        assert_eq!(judgement.invented, 0);
        missed += judgement.missed;
    }
    assert!((5700..6300).contains(&missed), "{missed}");
}

/// Oracle: the end check agrees at once with probability (1 − ε)^d, here 0.99^40 = 0.669. 600 trials deviate by
/// 0.019; five of them.
#[test]
fn the_first_pass_suffices_as_often_as_theory_says() {
    let mut exact = 0;
    for trial in 0..600 {
        let seed = Seed::new(11).nth(trial);
        let sets = two_sets(200, [20, 20], seed);
        let (_, judgement) = run("bloom:fpr=0.01,tail=again", &sets, seed, &DuelLimits::default());
        assert!(matches!(judgement.ending, Ending::Exact | Ending::Recovered));
        exact += u32::from(judgement.ending == Ending::Exact);
    }
    let share = f64::from(exact) / 600.0;
    assert!((share - 0.669).abs() < 0.1, "{share}");
}

/// A tail is a retry: both ends say so, its bytes are counted as such, and those of the first pass are not.
#[test]
fn a_tail_is_accounted_as_a_retry() {
    let sets = two_sets(1000, [200, 200], Seed::new(12));
    for spec in ["bloom:fpr=0.1", "bloom:fpr=0.1,tail=again", "fuse:bits=8"] {
        let (transcript, judgement) = run(spec, &sets, Seed::new(12), &DuelLimits::default());
        assert_eq!(judgement.ending, Ending::Recovered, "{spec}");
        let [a, b] = transcript.verdicts;
        assert_eq!(a, b);
        if spec != "bloom:fpr=0.1,tail=again" {
            assert_eq!(a, Verdict::Recovered { retries: 1 });
        }
        for tally in transcript.tallies {
            assert!(tally.spent.on(Purpose::Retry) > 0, "{spec}");
            assert!(tally.spent.on(Purpose::Sketch) > 400, "{spec}");
            assert_eq!(tally.spent.on(Purpose::Salt), 8, "{spec}");
            assert_eq!(tally.spent.on(Purpose::Ids), 0, "{spec}");
        }
    }
}

/// The second filter is left out when the responder is left with as many items as the initiator has.
#[test]
fn an_equal_set_is_not_sent_twice() {
    for (spec, filter_len) in [("bloom:fpr=0.01", 1200), ("bloom:fpr=0.01,tail=none", 1200)] {
        let sets = two_sets(1000, [0, 0], Seed::new(13));
        let (transcript, judgement) = run(spec, &sets, Seed::new(13), &DuelLimits::default());
        assert_eq!(judgement.ending, Ending::Exact);
        let ask = 1 + 8 + 2 + filter_len;
        let answer = if spec.ends_with("none") { 1 + 8 + 2 + filter_len } else { 1 + 8 + 2 + 8 + 2 };
        assert_eq!(transcript.bytes(), ask + answer, "{spec}");
    }
}

/// A peer that never agrees is given up, after a bounded number of rounds.
#[test]
fn endless_disagreement_is_given_up() {
    let items = random_items(10, Seed::new(14));
    let mut session = open("bloom:tail=again", &items, Role::Initiator, 14);
    let mut frame = Vec::new();
    for round in 0..=RETRIES_MAX {
        assert_eq!(session.poll_frame(&mut frame), Step::Frame);
        let mut answer = vec![2];
        if round == 0 {
            answer.extend([7; 8]);
        }
        // As many as the initiator has, so no filter, and a wrong hash.
        answer.push(10);
        answer.extend([9; 8]);
        session.handle_frame(&answer).unwrap();
    }
    assert_eq!(session.poll_frame(&mut frame), Step::Frame);
    assert_eq!(session.poll_frame(&mut frame), Step::Done(Verdict::GaveUp(Reason::Undecodable)));
    assert_eq!(session.poll_finding(), None);

    // And a peer that goes on asking is refused.
    let mut session = open("bloom:tail=again", &items, Role::Responder, 14);
    let mut refused = None;
    for round in 0..=RETRIES_MAX + 1 {
        let mut ask = vec![1];
        if round == 0 {
            ask.extend([7; 8]);
        }
        ask.push(0);
        refused = session.handle_frame(&ask).err();
        while session.poll_frame(&mut frame) == Step::Frame {}
        assert_eq!(refused.is_some(), round > RETRIES_MAX);
    }
    assert!(matches!(refused, Some(SessionError::Protocol(_))));
}

/// More than the budget allows is not built.
#[test]
fn the_heap_budget_is_kept() {
    let sets = two_sets(1000, [1, 1], Seed::new(15));
    for spec in ["bloom", "fuse", "bloom:ways=one,tail=none"] {
        let strategy = build(spec).unwrap().strategy;
        let mut setup = Setup::new(Seed::new(15));
        setup.budget.heap_bytes_max = 10_000;
        let mut ends = [
            strategy.index(&sets[0]).open(Role::Initiator, &setup),
            strategy.index(&sets[1]).open(Role::Responder, &setup),
        ];
        let transcript = duel(&mut ends, &DuelLimits::default()).unwrap();
        assert_eq!(transcript.verdicts, [Verdict::GaveUp(Reason::HeapBudget); 2], "{spec}");
        assert!(transcript.findings.iter().all(Vec::is_empty));
    }
}

/// Two sessions of equal seeds say the same bytes.
#[test]
fn equal_seeds_give_equal_runs() {
    let sets = two_sets(300, [30, 30], Seed::new(16));
    for spec in EXACT {
        assert_eq!(run_framed(spec, &sets, 1, 64), run_framed(spec, &sets, 1, 64), "{spec}");
    }
}
