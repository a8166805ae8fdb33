//! Peers that mean harm, and sets made to hurt: refused, given up or cheap, but never a panic.

use proptest::prelude::*;

use super::tests::{SHAPES, drain, ends_though_flipped, open, poll, setup_strategy, shaped, whole_messages};
use super::{TAG_NEEDS, TAG_RANGES};
use crate::bits::put_ranks;
use crate::seed::Seed;
use crate::session::{Role, SessionError, Setup, Step};
use crate::testing::random_items;
use crate::wire::ROUNDS_MAX;

/// A message of one range up to infinity.
fn message(mode: u8, content: &[u8]) -> Vec<u8> {
    [&[TAG_RANGES, 0x61, 0, 0, mode], content].concat()
}

#[test]
fn a_responder_is_not_asked_for_ever() {
    let items = random_items(100_000, Seed::new(10));
    let mut responder = open("range", &items, Role::Responder, &whole_messages(1));
    for _ in 0..ROUNDS_MAX {
        responder.handle_frame(&message(1, &[0; 16])).unwrap();
        assert!(poll(&mut *responder).unwrap().len() < 500);
    }
    let refused = responder.handle_frame(&message(1, &[0; 16]));
    assert_eq!(refused, Err(SessionError::Protocol("more rounds than any set needs")));

    let mut responder = open("range", &items[..20], Role::Responder, &whole_messages(1));
    responder.handle_frame(&message(1, &[0; 16])).unwrap();
    poll(&mut *responder).unwrap();
    let refused = responder.handle_frame(&message(2, &[0]));
    assert_eq!(refused, Err(SessionError::Protocol("items must be listed twice")));
}

#[test]
fn an_initiator_does_not_believe_two_lists_of_one_range() {
    let items = random_items(100, Seed::new(11));
    // Up to time 7 minutes: a list of nothing; then a wrong fingerprint, so that there is a next round.
    let mut answer = vec![TAG_RANGES, 0x61, 0x99, 0xd3, 0x20, 0, 2, 0];
    answer.extend_from_slice(&message(1, &[0; 16])[2..]);
    let mut initiator = open("range", &items, Role::Initiator, &whole_messages(1));
    poll(&mut *initiator).unwrap();
    initiator.handle_frame(&answer).unwrap();
    poll(&mut *initiator).unwrap();
    initiator.handle_frame(&answer).unwrap();
    poll(&mut *initiator).unwrap();
    let refused = initiator.handle_frame(&[TAG_RANGES, 0x61]);
    assert_eq!(refused, Err(SessionError::Protocol("a range is listed twice")));
    assert_eq!(drain(&mut *initiator), []);

    let mut initiator = open("range", &items, Role::Initiator, &whole_messages(1));
    poll(&mut *initiator).unwrap();
    let mut twice = vec![2];
    twice.extend([9; 64]);
    let refused = initiator.handle_frame(&message(2, &twice));
    assert_eq!(refused, Err(SessionError::Protocol("an id is listed twice")));
}

#[test]
fn a_request_must_be_for_what_was_listed() {
    let items = random_items(20, Seed::new(12));
    let asked = |listed: bool, needs: &[u8]| {
        let mut responder = open("range", &items, Role::Responder, &whole_messages(1));
        let first = if listed { message(1, &[0; 16]) } else { message(0, &[]) };
        responder.handle_frame(&first).unwrap();
        poll(&mut *responder).unwrap();
        responder.handle_frame(&[&[TAG_NEEDS], needs].concat())
    };
    let request = |ranks: &[u64], len: u64| {
        let mut body = vec![ranks.len() as u8];
        put_ranks(&mut body, ranks, len);
        body
    };
    assert_eq!(asked(true, &request(&(0..20).collect::<Vec<_>>(), 20)), Ok(()));
    assert_eq!(asked(true, &request(&[3, 19], 20)), Ok(()));
    assert_eq!(asked(false, &request(&[], 0)), Ok(()));
    assert!(matches!(asked(false, &request(&[0], 1)), Err(SessionError::Wire(_))), "nothing was listed");
    assert!(matches!(asked(true, &request(&[20], 21)), Err(SessionError::Wire(_))), "rank 20 of 20");
    assert!(matches!(asked(true, &[]), Err(SessionError::Wire(_))), "no count");
    assert!(matches!(asked(true, &[200]), Err(SessionError::Wire(_))), "more than were listed");

    let mut responder = open("range", &items, Role::Responder, &whole_messages(1));
    assert_eq!(responder.handle_frame(&[TAG_NEEDS]), Err(SessionError::Unexpected { tag: TAG_NEEDS }));
}

/// Nobody can make an end pile up answers: the next message is heard when the answer to this one is sent.
#[test]
fn a_peer_must_wait_for_the_answer() {
    let items = random_items(2000, Seed::new(14));
    let mut responder =
        open("range", &items, Role::Responder, &Setup { frame_len_max: 64, ..whole_messages(1) });
    responder.handle_frame(&message(1, &[0; 16])).unwrap();
    poll(&mut *responder).unwrap();
    let refused = responder.handle_frame(&message(1, &[0; 16]));
    assert_eq!(refused, Err(SessionError::Unexpected { tag: TAG_RANGES }));
}

/// Two million ranges in one message: done in the time that reading it takes, or refused.
#[test]
fn a_message_of_many_ranges_is_cheap() {
    let items = random_items(100_000, Seed::new(13));
    let mut skips = vec![TAG_RANGES, 0x61];
    let mut lists = skips.clone();
    for _ in 0..2_000_000 {
        skips.extend_from_slice(&[2, 0, 0]);
        lists.extend_from_slice(&[2, 0, 2, 0]);
    }
    let mut responder = open("range", &items, Role::Responder, &whole_messages(1));
    responder.handle_frame(&skips).unwrap();
    assert_eq!(poll(&mut *responder).unwrap(), [TAG_RANGES, 0x61]);
    responder.handle_frame(&lists).unwrap();
    let listed = items.iter().filter(|item| item.at < 2_000_000).count();
    assert_eq!(poll(&mut *responder).unwrap().len(), 2 + 4 * 2_000_000 + 32 * listed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_frames_are_refused_or_answered(
        frames in proptest::collection::vec(
            (0_u8..4, proptest::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..60)), 0..8),
        initiator: bool,
        n in 0_usize..200,
    ) {
        let role = if initiator { Role::Initiator } else { Role::Responder };
        let mut session = open("range:buckets=4,list=8", &random_items(n, Seed::new(1)), role, &whole_messages(1));
        let mut sent = Vec::new();
        for (tag, body) in frames {
            while session.poll_frame(&mut sent) == Step::Frame {}
            // Most frames get a good version byte, so that the ranges behind it are reached.
            let result = session.handle_frame(&[&[tag, 0x61][..], &body].concat());
            drain(&mut *session);
            if result.is_err() {
                prop_assert_eq!(session.handle_frame(&[TAG_RANGES]), Err(SessionError::Dead));
            }
        }
    }

    /// An honest exchange in which one byte of one message flips ends, with any result but a panic.
    #[test]
    fn mutated_messages_end_the_session(
        (n, d, seed, shape, _, _) in setup_strategy(),
        flip in (0_usize..8, any::<proptest::sample::Index>(), 1_u8..=255),
    ) {
        let sets = shaped(n, d.min(n), SHAPES[shape], &mut Seed::new(seed).rng());
        let ends = [
            open("range:buckets=4,list=8", &sets[0], Role::Initiator, &whole_messages(1)),
            open("range:buckets=4,list=8", &sets[1], Role::Responder, &whole_messages(1)),
        ];
        prop_assert!(ends_though_flipped(ends, flip, 2 * ROUNDS_MAX + 4));
    }
}
