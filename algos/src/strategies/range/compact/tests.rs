//! Every parameter, every shape of difference, retries, and what it costs.

use proptest::prelude::*;

use super::ENTRY;
use crate::judge::Ending;
use crate::seed::Seed;
use crate::session::{Budget, Reason, Role, SessionError, Setup};
use crate::strategies::range::tests::{
    SHAPES, Shape, ending_of, ends_though_flipped, open, poll, run, setup_strategy, shaped, whole_messages,
};
use crate::testing::two_sets;
use crate::wire::{Purpose, RETRIES_MAX, ROUNDS_MAX};

fn all_specs() -> Vec<String> {
    let values = |name| ENTRY.about.params.iter().find(|p| p.name == name).unwrap().values.iter();
    let mut specs = Vec::new();
    for split in values("split") {
        for list in values("list") {
            for bits in values("bits") {
                for sketch in ["0", "1", "3"] {
                    let lengths = format!("fp={bits},bits={bits},sketch={sketch}");
                    specs.push(format!("range-compact:split={split},list={list},{lengths}"));
                }
            }
        }
    }
    specs.retain(|spec| crate::build(spec).is_ok());
    specs
}

#[test]
fn lists_shorter_than_parts_are_refused() {
    assert!(crate::build("range-compact:split=16,list=8").is_err());
    assert_eq!(all_specs().len(), (4 + 2 * 3) * (6 + 5 + 4 + 3));
    assert!(crate::build("range-compact:bits=24,sketch=1").is_err(), "there is no such field");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn all_parameters_find_every_difference(
        (n, d, seed, shape, frame_len_max, window) in setup_strategy(),
        spec in proptest::sample::select(all_specs()),
    ) {
        let sets = shaped(n, d.min(n), SHAPES[shape], &mut Seed::new(seed).rng());
        let setup = Setup { frame_len_max, ..Setup::new(Seed::new(seed)) };
        let (_, judgement) = run(&spec, &sets, &setup, window);
        prop_assert!(matches!(judgement.ending, Ending::Exact | Ending::Recovered), "{judgement:?}");
    }

    /// The responder takes the lengths from the initiator; the rest need not agree.
    #[test]
    fn parameters_need_not_agree(
        specs in proptest::array::uniform2(proptest::sample::select(all_specs())),
        (n, d, seed, shape, _, _) in setup_strategy(),
    ) {
        let sets = shaped(n, d.min(n), SHAPES[shape], &mut Seed::new(seed).rng());
        let ending = ending_of(&specs, &sets, &Setup::new(Seed::new(seed)));
        prop_assert!(matches!(ending, Ending::Exact | Ending::Recovered), "{ending:?}");
    }

    /// An honest exchange in which one byte of one message flips: it ends, and never with a panic.
    #[test]
    fn mutated_messages_end_the_session(
        (n, d, seed, shape, _, _) in setup_strategy(),
        flip in (0_usize..10, any::<proptest::sample::Index>(), 1_u8..=255),
    ) {
        let sets = shaped(n, d.min(n), SHAPES[shape], &mut Seed::new(seed).rng());
        let spec = ["range-compact", "range-compact:list=64,sketch=2"][seed as usize % 2];
        let ends = [
            open(spec, &sets[0], Role::Initiator, &whole_messages(seed)),
            open(spec, &sets[1], Role::Responder, &whole_messages(seed)),
        ];
        prop_assert!(ends_though_flipped(ends, flip, (RETRIES_MAX + 1) * (2 * ROUNDS_MAX + 4)));
    }
}

/// Short lengths collide often enough to see it: the result is right all the same, and the retry is counted.
#[test]
fn a_collision_costs_a_retry_and_nothing_else() {
    let mut recovered = 0;
    for seed in 0..40 {
        let sets = shaped(6000, 3000, Shape::Scattered, &mut Seed::new(seed).rng());
        let spec = "range-compact:split=4,list=64,fp=24,bits=24";
        let (transcript, judgement) = run(spec, &sets, &Setup::new(Seed::new(seed)), 1);
        assert!(matches!(judgement.ending, Ending::Exact | Ending::Recovered), "{judgement:?}");
        let retried = transcript.tallies.map(|tally| (tally.attempts - 1, tally.failures));
        assert_eq!(retried[0], retried[1]);
        let bytes = transcript.traffic[0].spent.on(Purpose::Retry);
        assert_eq!(judgement.ending == Ending::Recovered, bytes > 0);
        recovered += u32::from(judgement.ending == Ending::Recovered);
    }
    // Some 3000·30 pairs of ids in one list, at one end only each, of 2^24: one session in 200 by ids, and more
    // by pairs of ids of the two lists.
    assert!(recovered < 20, "{recovered}");
}

/// A peer whose seal never agrees: both ends stop, with the same reason.
#[test]
fn nobody_retries_for_ever() {
    let sets = two_sets(0, [3, 0], Seed::new(1));
    let mut initiator = open("range-compact", &sets[0], Role::Initiator, &whole_messages(1));
    for attempt in 0..=RETRIES_MAX {
        assert_eq!(poll(&mut *initiator).unwrap()[0], 1, "an opening, {attempt}");
        // A list of three of which nothing is lacked, no extras, a seal of zeros.
        let answer = [&[2, 4, 0, 0][..], &[0; 8]].concat();
        initiator.handle_frame(&answer).unwrap();
    }
    assert_eq!(poll(&mut *initiator).unwrap(), [0x7f, Reason::Undecodable as u8]);

    let mut responder = open("range-compact", &sets[1], Role::Responder, &whole_messages(1));
    // It lists nothing; the seal is wrong.
    let opening = [&[1][..], &[7; 8], &[32, 32, 4, 3, 0]].concat();
    for _ in 0..=RETRIES_MAX {
        responder.handle_frame(&opening).unwrap();
        assert!(poll(&mut *responder).is_some());
    }
    responder.handle_frame(&opening).unwrap();
    assert_eq!(poll(&mut *responder).unwrap(), [0x7f, Reason::Undecodable as u8]);
}

#[test]
fn messages_out_of_place_are_refused() {
    let sets = two_sets(50, [3, 4], Seed::new(2));
    let heard = |frames: &[&[u8]]| {
        let mut responder = open("range-compact", &sets[1], Role::Responder, &whole_messages(1));
        frames.iter().try_for_each(|frame| {
            responder.handle_frame(frame)?;
            while poll(&mut *responder).is_some() {}
            Ok(())
        })
    };
    let opening = poll(&mut *open("range-compact", &sets[0], Role::Initiator, &whole_messages(1))).unwrap();
    assert_eq!(heard(&[&opening]), Ok(()));
    assert_eq!(heard(&[&[2, 4]]), Err(SessionError::Unexpected { tag: 2 }));
    assert_eq!(heard(&[&[0x71, 1]]), Err(SessionError::Unexpected { tag: 0x71 }));
    assert_eq!(heard(&[&opening, &opening]), Err(SessionError::Unexpected { tag: 1 }));
    assert!(matches!(heard(&[&opening[..opening.len() - 1]]), Err(SessionError::Wire(_))));
    assert!(matches!(heard(&[&[&opening[..], &[0]].concat()]), Err(SessionError::Wire(_))), "no seal is due");
    for (place, value) in [(9, 31), (10, 0), (11, 1), (11, 65)] {
        let mut bad = opening.clone();
        bad[place] = value;
        assert!(matches!(heard(&[&bad]), Err(SessionError::Wire(_))), "byte {place}");
    }
}

/// What was measured with the example `range_speed`, within a tenth: a hundred items for each difference.
#[test]
fn bytes_a_difference_are_those_that_were_measured() {
    let mut rng = Seed::new(3).rng();
    let sets = shaped(100_000, 1000, Shape::Scattered, &mut rng);
    for (spec, expected) in [("range-compact:split=4,list=8", 63), ("range-compact:split=16,list=32", 114)] {
        let (transcript, judgement) = run(spec, &sets, &Setup::new(Seed::new(1)), 64);
        assert_eq!(judgement.ending, Ending::Exact);
        let bytes = transcript.bytes() / 1000;
        assert!((expected * 9 / 10..=expected * 11 / 10).contains(&bytes), "{spec}: {bytes}");
    }
    let equal = shaped(100_000, 0, Shape::Scattered, &mut rng);
    let (transcript, _) = run("range-compact", &equal, &Setup::new(Seed::new(1)), 1);
    assert_eq!(transcript.flights, 3);
    assert!(transcript.bytes() < 80, "{}", transcript.bytes());
}

#[test]
fn large_sets_in_tiny_frames() {
    let tiny = Setup { frame_len_max: 64, ..Setup::new(Seed::new(5)) };
    for (common, only) in [(100_000, [5, 7]), (0, [10_000, 10_000]), (30_000, [0, 20_000]), (50_000, [1, 0])]
    {
        for spec in ENTRY.presets {
            let (_, judgement) = run(spec, &two_sets(common, only, Seed::new(6)), &tiny, 64);
            assert!(matches!(judgement.ending, Ending::Exact | Ending::Recovered), "{judgement:?}");
        }
    }
}

#[test]
fn what_costs_too_much_is_given_up_by_both_ends() {
    let generous = Setup::new(Seed::new(1)).budget;
    for only in [[3000, 0], [0, 3000]] {
        let sets = two_sets(0, only, Seed::new(9));
        for (budget, reason) in [
            (Budget { heap_bytes_max: 100, ..generous }, Reason::HeapBudget),
            (Budget { cpu_ns_max: 100, ..generous }, Reason::CpuBudget),
        ] {
            let (transcript, judgement) =
                run("range-compact", &sets, &Setup { budget, ..Setup::new(Seed::new(1)) }, 1);
            assert_eq!(judgement.ending, Ending::GaveUp(reason), "{only:?} {budget:?}");
            assert_eq!(transcript.findings, [vec![], vec![]]);
        }
    }
}
