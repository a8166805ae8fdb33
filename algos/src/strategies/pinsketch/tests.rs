//! Whole sessions: exactness over all shapes of sets, sizes, growth, collisions, and hostile frames.

use proptest::prelude::*;

use super::sizing::START;
use crate::duel::{DuelLimits, Transcript, duel};
use crate::item::Item;
use crate::judge::{Ending, Judgement, Truth, judge};
use crate::salt::{Key, Salt, short_of};
use crate::seed::Seed;
use crate::session::{Budget, DiffHint, Guarantee, Reason, Role, Session, Setup, Step, Verdict};
use crate::strategies::build;
use crate::testing::{random_items, run, two_sets};
use crate::wire::{Purpose, Spent};

const SPECS: [&str; 10] = [
    "pinsketch",
    "pinsketch:size=double",
    "pinsketch:size=oracle",
    "pinsketch:bits=32",
    "pinsketch:bits=40,pad=0",
    "pinsketch:bits=64,pad=32",
    "pinsketch:bits=32,size=double",
    "pinsketch:parts=auto",
    "pinsketch:bits=32,parts=16",
    "pinsketch:bits=40,parts=16,size=double",
];

fn ends(spec: &str, sets: &[Vec<Item>; 2], setup: &Setup) -> [Box<dyn Session>; 2] {
    let strategy = build(spec).unwrap().strategy;
    [(0, Role::Initiator), (1, Role::Responder)].map(|(i, role)| strategy.index(&sets[i]).open(role, setup))
}

fn run_with(spec: &str, sets: &[Vec<Item>; 2], setup: &Setup) -> (Transcript, Judgement) {
    let transcript = duel(&mut ends(spec, sets, setup), &DuelLimits::default()).unwrap();
    let judgement = judge(&Truth::of(&sets[0], &sets[1]), Guarantee::Exact, &transcript);
    (transcript, judgement)
}

fn spent(transcript: &Transcript) -> Spent {
    let mut spent = Spent::default();
    for traffic in &transcript.traffic {
        spent.merge(&traffic.spent);
    }
    spent
}

fn assert_all_found(spec: &str, judgement: &Judgement) {
    assert_eq!((judgement.missed, judgement.invented), (0, 0), "{spec}");
    assert!(matches!(judgement.ending, Ending::Exact | Ending::Recovered), "{spec}: {judgement:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_two_sets(
        common in 0_usize..300, mine in 0_usize..60, theirs in 0_usize..60, seed: u64,
        window in prop::sample::select(vec![1_u32, 4, 64]), frame_len_max in prop::sample::select(vec![64_u32, 65536]),
    ) {
        let sets = two_sets(common, [mine, theirs], Seed::new(seed));
        for spec in SPECS {
            let diff = DiffHint::Oracle((mine + theirs) as u64);
            let setup = Setup { diff, frame_len_max, ..Setup::new(Seed::new(seed)) };
            let limits = DuelLimits { window, ..DuelLimits::default() };
            let transcript = duel(&mut ends(spec, &sets, &setup), &limits).unwrap();
            let judgement = judge(&Truth::of(&sets[0], &sets[1]), Guarantee::Exact, &transcript);
            assert_all_found(spec, &judgement);
        }
    }
}

#[test]
fn empty_equal_disjoint_subset() {
    for spec in SPECS {
        for (common, only) in
            [(0, [0, 0]), (0, [9, 0]), (0, [0, 9]), (50, [0, 0]), (50, [1, 0]), (50, [0, 1]), (0, [30, 30])]
        {
            let sets = two_sets(common, only, Seed::new(5));
            let (transcript, judgement) = run(spec, &sets, Seed::new(6), &DuelLimits::default());
            assert_all_found(spec, &judgement);
            let flights = match (common + only[0], common + only[1], only) {
                (0, ..) | (_, 0, _) => 2,
                // An empty estimate is answered with the set hash, and that by a word.
                (.., [0, 0]) if !spec.contains("double") => 3,
                _ => 4,
            };
            if judgement.ending == Ending::Exact {
                assert_eq!(transcript.flights, flights, "{spec} {common} {only:?}");
            }
        }
    }
}

#[test]
fn large_sets() {
    for spec in ["pinsketch", "pinsketch:size=double", "pinsketch:size=oracle", "pinsketch:bits=64"] {
        for (common, only) in [(10_000, [60, 40]), (10_000, [0, 100]), (100_000, [1, 0]), (100_000, [30, 0])]
        {
            let sets = two_sets(common, only, Seed::new(7));
            let (_, judgement) = run(spec, &sets, Seed::new(8), &DuelLimits::default());
            assert_all_found(spec, &judgement);
        }
    }
}

/// Who computes changes no frame.
#[test]
#[cfg(target_arch = "x86_64")]
fn engines_speak_alike() {
    let sets = two_sets(500, [70, 90], Seed::new(30));
    for spec in ["pinsketch:bits=32", "pinsketch:bits=40", "pinsketch:size=double", "pinsketch:bits=64"] {
        let theirs = format!("{spec},engine=minisketch");
        let [own, theirs] =
            [spec, &theirs].map(|spec| run(spec, &sets, Seed::new(31), &DuelLimits::default()).0);
        assert_eq!(own.traffic, theirs.traffic);
        assert_eq!(own.findings, theirs.findings);
    }
}

/// Oracle: exactly b·c bits, and with the true d nothing is wasted: c = d.
#[test]
fn a_sketch_is_bits_times_capacity() {
    for (spec, bits) in [
        ("pinsketch:size=oracle", 48),
        ("pinsketch:bits=32,size=oracle", 32),
        ("pinsketch:bits=64,size=oracle", 64),
    ] {
        for d in [1, 2, 7, 100] {
            let sets = two_sets(500, [d / 2, d - d / 2], Seed::new(9));
            let (transcript, judgement) = run(spec, &sets, Seed::new(10), &DuelLimits::default());
            assert_eq!(judgement.ending, Ending::Exact);
            let spent = spent(&transcript);
            assert_eq!(spent.on(Purpose::Sketch), (bits * d / 8) as u64);
            assert_eq!(spent.on(Purpose::Salt), 16);
            assert_eq!(spent.on(Purpose::Retry), 0);
            // Sizes 2 + 2, needed 1, end check 8, verdict 1, headers 4, capacity 1.
            assert_eq!(spent.on(Purpose::Control), 19);
        }
    }
}

/// The bytes of the default, spelt out: with 1,000 items a counter takes ½·log2 1000 + 1.5 = 6.5 bits, give or
/// take two deviations (8 B).
#[test]
fn equal_sets_cost_an_estimator_and_a_hash() {
    let sets = two_sets(1000, [0, 0], Seed::new(11));
    let (transcript, judgement) = run("pinsketch", &sets, Seed::new(12), &DuelLimits::default());
    assert_eq!(judgement.ending, Ending::Exact);
    assert_eq!(transcript.tallies[1].estimate, Some(0));
    // Salt, size, counters; salt, size, capacity, set hash; verdict; three headers.
    let estimator = transcript.traffic[0].spent.on(Purpose::Estimator);
    assert!((96..=112).contains(&estimator), "{estimator}");
    assert_eq!(transcript.bytes() - estimator, (8 + 2) + (8 + 2 + 1 + 8) + 1 + 3);
}

/// Oracle (PBS): the estimate of 128 counters times 1.38 suffices in 99% of all cases. 400 trials: 4
/// expected, five deviations are 10.
#[test]
fn the_estimate_suffices_as_often_as_it_should() {
    let (trials, d) = (400, 40);
    let mut retried = 0;
    for trial in 0..trials {
        let seed = Seed::new(13).nth(trial);
        let sets = two_sets(60, [d / 2, d / 2], seed);
        let (transcript, judgement) = run("pinsketch", &sets, seed, &DuelLimits::default());
        assert_all_found("pinsketch", &judgement);
        let estimate = transcript.tallies[1].estimate.unwrap();
        let enough = (estimate * 138).div_ceil(100) >= d as u64;
        assert_eq!(enough, judgement.ending == Ending::Exact, "estimate {estimate}");
        retried += u32::from(!enough);
    }
    assert!(retried <= 14, "{retried} of {trials}");
}

/// Every doubling is a retry at both ends, and only what is new is sent.
#[test]
fn a_sketch_that_is_too_small_grows() {
    let sets = two_sets(300, [40, 60], Seed::new(14));
    let hint = |d| Setup { diff: DiffHint::Oracle(d), ..Setup::new(Seed::new(15)) };
    for (guess, capacity, retries) in [(13, 104, 3), (50, 100, 1), (0, 128, 4), (99, 198, 1)] {
        let (transcript, judgement) = run_with("pinsketch:size=oracle", &sets, &hint(guess));
        assert_all_found("oracle", &judgement);
        assert_eq!(transcript.verdicts, [Verdict::Recovered { retries }; 2], "guess {guess}");
        let first = guess * 6;
        let spent = spent(&transcript);
        assert_eq!(spent.on(Purpose::Sketch), first);
        // After the first failure: the rest of the sketch, a header for each of its pieces and requests, and
        // the claim of 60 needed ids.
        let rest = capacity * 6 - first;
        let claim = spent.on(Purpose::Retry) - rest - 2 * u64::from(retries);
        assert!((9 + 60 * 5..9 + 60 * 7).contains(&claim), "{claim}");
        assert_eq!(transcript.flights, 4 + 2 * retries);
    }
    let (transcript, judgement) = run_with("pinsketch:size=double", &sets, &Setup::new(Seed::new(15)));
    assert_all_found("double", &judgement);
    // Sizes differ by 20: 20, 40, 80, 160.
    assert_eq!(transcript.verdicts, [Verdict::Recovered { retries: 3 }; 2]);
    assert_eq!(spent(&transcript).on(Purpose::Sketch), 20 * 6);
    assert_eq!(transcript.tallies[0].attempts, 4);
    assert_eq!(transcript.tallies[0].failures, 3);
}

/// Parts cost at most half as many bytes again as a single sketch, and one round trip.
#[test]
fn parts_are_nearly_as_small() {
    for trial in 0..5 {
        let sets = two_sets(2000, [500, 500], Seed::new(40).nth(trial));
        let run = |spec| run(spec, &sets, Seed::new(41).nth(trial), &DuelLimits::default());
        let (whole, _) = run("pinsketch");
        let (parts, judgement) = run("pinsketch:parts=auto");
        assert_all_found("parts", &judgement);
        assert!(parts.tallies[0].attempts >= 25);
        let limit = whole.bytes() * 3 / 2;
        assert!(parts.bytes() <= limit, "{} of {limit}", parts.bytes());
    }
    // Too few for parts: one byte says so.
    let sets = two_sets(2000, [50, 50], Seed::new(42));
    let run = |spec| run(spec, &sets, Seed::new(43), &DuelLimits::default()).0;
    assert_eq!(run("pinsketch:parts=auto").bytes(), run("pinsketch").bytes() + 1);
}

/// Made for 660 differences of 1,000: 22 parts of 48 syndromes hold 45 or 46 each, so that 3 or 4 in ten are overfull.
#[test]
fn only_overfull_parts_are_sent_again() {
    let sets = two_sets(1000, [400, 600], Seed::new(44));
    for engine in ["own", "minisketch"] {
        if cfg!(not(target_arch = "x86_64")) && engine != "own" {
            continue;
        }
        let spec = format!("pinsketch:parts=auto,size=oracle,engine={engine}");
        let setup = Setup { diff: DiffHint::Oracle(660), ..Setup::new(Seed::new(45)) };
        let (transcript, judgement) = run_with(&spec, &sets, &setup);
        assert_all_found(&spec, &judgement);
        assert_eq!(transcript.verdicts, [Verdict::Recovered { retries: 1 }; 2]);
        assert_eq!(transcript.flights, 6);
        let overfull = transcript.tallies[0].failures;
        assert!((1..=18).contains(&overfull), "{overfull}");
        assert_eq!(transcript.tallies[0].attempts, 22 + overfull);
        assert_eq!(spent(&transcript).on(Purpose::Sketch), 22 * 48 * 6);
        // Headers, one bit for each part, the further syndromes, and the claim as ever.
        let again = transcript.traffic[1].spent.on(Purpose::Retry);
        assert_eq!(again, overfull * 48 * 6 + 1 + 2);
    }
}

/// Above `HALVE_FROM` a sketch is taken apart. Its bytes are leaves times capacity, and it is worth
/// the name when they are not much more than the doubling would have cost.
#[test]
fn a_large_sketch_is_halved() {
    let d = 2000;
    let sets = two_sets(2000, [d / 2, d / 2], Seed::new(16));
    for (spec, guess) in
        [("pinsketch:size=oracle", 256), ("pinsketch:bits=32,size=oracle", 300), ("pinsketch:size=double", 0)]
    {
        let setup = Setup { diff: DiffHint::Oracle(guess), ..Setup::new(Seed::new(17)) };
        let (transcript, judgement) = run_with(spec, &sets, &setup);
        assert_all_found(spec, &judgement);
        assert!(matches!(transcript.verdicts[0], Verdict::Recovered { .. }));
        let bits = if spec.contains("32") { 32 } else { 48 };
        let sketched: u64 = transcript.traffic[1].spent.total() * 8 / bits;
        assert!((d as u64..2 * d as u64 + START).contains(&sketched), "{spec}: {sketched} syndromes");
    }
}

/// A capacity of 1 decodes any two differences to nonsense, of 2 every second three: the sizes, or the
/// peer, see through it, and it grows instead of asking for a fresh key.
#[test]
fn nonsense_is_found_out() {
    let mut claims_refused = 0;
    for trial in 0..200 {
        let seed = Seed::new(18).nth(trial);
        for (only, guess) in [([1, 1], 1), ([2, 2], 2), ([0, 3], 1), ([0, 5], 3), ([3, 4], 3)] {
            let sets = two_sets(20, only, seed);
            let setup = Setup { diff: DiffHint::Oracle(guess), ..Setup::new(seed) };
            let (transcript, judgement) = run_with("pinsketch:size=oracle", &sets, &setup);
            assert_all_found("oracle", &judgement);
            let mut capacity = guess;
            let mut retries = 0;
            while capacity < (only[0] + only[1]) as u64 {
                capacity *= 2;
                retries += 1;
            }
            assert_eq!(transcript.verdicts, [Verdict::Recovered { retries }; 2]);
            // A refused claim takes no flight more than a refused sketch.
            claims_refused += u32::from(transcript.traffic[0].frames as u32 != 2 + retries);
            assert_eq!(transcript.flights, 4 + 2 * retries);
        }
    }
    assert_eq!(claims_refused, 0);
}

/// Items whose 32-bit short ids collide under the first key of a session.
fn colliding(setup: &Setup) -> [Item; 2] {
    let key = Key::two_party(Salt::of(setup.seed, Role::Initiator), Salt::of(setup.seed, Role::Responder), 0);
    let mut shorts: Vec<(u64, Item)> = random_items(300_000, Seed::new(19))
        .into_iter()
        .map(|item| (short_of(key.hash(&item.id).short, 32), item))
        .collect();
    shorts.sort_unstable();
    let pair = shorts.windows(2).find(|pair| pair[0].0 == pair[1].0).expect("10 are expected");
    [pair[0].1, pair[1].1]
}

/// Two of one set cancel in its sketch; one of each cancels in the difference; a third case finds one of
/// two. Each is exact under the second key.
#[test]
fn collisions_of_short_ids_are_repeated_under_a_fresh_key() {
    let setup = Setup { diff: DiffHint::Oracle(6), ..Setup::new(Seed::new(20)) };
    let [x, y] = colliding(&setup);
    let [mine, theirs] = two_sets(100, [2, 2], Seed::new(21));
    let with = |set: &[Item], more: &[Item]| [set, more].concat();
    let cases = [
        [with(&mine, &[x, y]), theirs.clone()],
        [mine.clone(), with(&theirs, &[x, y])],
        [with(&mine, &[x]), with(&theirs, &[y])],
        [with(&mine, &[x, y]), with(&theirs, &[y])],
        [with(&mine, &[x]), with(&theirs, &[x, y])],
    ];
    for (n, sets) in cases.iter().enumerate() {
        for spec in ["pinsketch:bits=32", "pinsketch:bits=32,size=double", "pinsketch:bits=32,size=oracle"] {
            let (transcript, judgement) = run_with(spec, sets, &setup);
            assert_all_found(spec, &judgement);
            assert_eq!(transcript.verdicts, [Verdict::Recovered { retries: 1 }; 2], "{spec}, case {n}");
            assert_eq!(transcript.flights, 6, "{spec}, case {n}");
        }
    }
    // In both sets they differ in nothing.
    let sets = [with(&mine, &[x, y]), with(&theirs, &[x, y])];
    let (transcript, _) = run_with("pinsketch:bits=32", &sets, &setup);
    assert_eq!(transcript.verdicts, [Verdict::Exact; 2]);
}

#[test]
fn what_the_budget_does_not_allow_is_not_begun() {
    let sets = two_sets(100, [500, 500], Seed::new(22));
    let give_up = |budget| {
        let setup = Setup { budget, diff: DiffHint::Oracle(1000), ..Setup::new(Seed::new(23)) };
        run_with("pinsketch:size=oracle", &sets, &setup).0
    };
    let generous = Setup::new(Seed::new(0)).budget;
    // 59 ns · 1000².
    let transcript = give_up(Budget { cpu_ns_max: 58_999_999, ..generous });
    assert_eq!(transcript.verdicts, [Verdict::GaveUp(Reason::CpuBudget); 2]);
    assert!(transcript.findings.iter().all(Vec::is_empty));
    let transcript = give_up(Budget { heap_bytes_max: 100_000, ..generous });
    assert_eq!(transcript.verdicts, [Verdict::GaveUp(Reason::HeapBudget); 2]);
    assert_eq!(give_up(Budget { cpu_ns_max: 59_000_000, ..generous }).verdicts, [Verdict::Exact; 2]);
}

/// Plays a session in which `tamper` changes frames on their way. Neither end may panic or go on for ever.
fn play(spec: &str, sets: &[Vec<Item>; 2], setup: &Setup, mut tamper: impl FnMut(usize, &mut Vec<u8>)) {
    let mut ends = ends(spec, sets, setup);
    let mut waits = 0;
    for turn in 0..2000 {
        let (from, to) = (turn % 2, 1 - turn % 2);
        let mut frame = Vec::new();
        match ends[from].poll_frame(&mut frame) {
            Step::Frame => {
                waits = 0;
                tamper(from, &mut frame);
                let _ = ends[to].handle_frame(&frame);
                while ends[to].poll_finding().is_some() {}
            }
            Step::Waiting | Step::Done(_) => waits += 1,
        }
        if waits == 3 {
            return;
        }
    }
    panic!("{spec}: still talking");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn changed_frames_do_no_harm(
        seed: u64, one_in in 1_u64..6, guess in prop::sample::select(vec![0_u64, 1, 3, 30, 260]),
        d in 0_usize..40, small in any::<bool>(),
    ) {
        let sets = two_sets(if small { 30 } else { 400 }, [d, d / 2], Seed::new(seed));
        let setup = Setup {
            diff: DiffHint::Oracle(guess),
            frame_len_max: if small { 64 } else { 4096 },
            budget: Budget { cpu_ns_max: 20_000_000, heap_bytes_max: 1 << 20 },
            ..Setup::new(Seed::new(seed))
        };
        let mut rng = Seed::new(seed).child("tampering").rng();
        for spec in SPECS {
            play(spec, &sets, &setup, |_, frame| {
                if rng.below(one_in) == 0 {
                    match rng.below(4) {
                        0 => frame.truncate(rng.below(frame.len() as u64) as usize),
                        1 => frame.push(rng.next_u64() as u8),
                        2 => frame[0] = [1, 2, 3, 4, 5, 0x70, 0x71, 0x7f][rng.below(8) as usize],
                        _ => {
                            let place = rng.below(frame.len() as u64) as usize;
                            frame[place] = rng.next_u64() as u8;
                        }
                    }
                }
            });
        }
    }

    #[test]
    fn any_frames_in_any_order(
        frames in prop::collection::vec(
            (prop::sample::select(vec![1_u8, 2, 3, 4, 5, 0x70, 0x71, 0x7f, 0x84]), prop::collection::vec(any::<u8>(), 0..80)),
            0..12),
        seed: u64,
    ) {
        let sets = two_sets(20, [3, 3], Seed::new(seed));
        let setup = Setup { budget: Budget { cpu_ns_max: 20_000_000, heap_bytes_max: 1 << 20 }, ..Setup::new(Seed::new(seed)) };
        for spec in SPECS {
            for mut end in ends(spec, &sets, &setup) {
                let mut sent = Vec::new();
                let _ = end.poll_frame(&mut sent);
                for (tag, body) in &frames {
                    let _ = end.handle_frame(&[&[*tag], &body[..]].concat());
                    while end.poll_frame(&mut sent) == Step::Frame {}
                }
            }
        }
    }
}

/// A responder that only ever sends noise: the initiator asks for more until it may not, and gives up.
#[test]
fn noise_without_end_ends() {
    for spec in ["pinsketch:size=double", "pinsketch:size=oracle", "pinsketch"] {
        let sets = two_sets(3000, [20, 20], Seed::new(24));
        let setup = Setup {
            diff: DiffHint::Oracle(20),
            budget: Budget { cpu_ns_max: 50_000_000, heap_bytes_max: 1 << 24 },
            ..Setup::new(Seed::new(25))
        };
        let mut rng = Seed::new(26).rng();
        play(spec, &sets, &setup, |from, frame| {
            if from == 1 && frame.len() > 40 {
                for byte in &mut frame[30..] {
                    *byte = rng.next_u64() as u8;
                }
            }
        });
    }
}
