//! Streams under keys that outlive sessions: what of them is riblt's own. See `kept/tests.rs` for the rest.

use super::*;
use crate::kept::tests::{duel_of, indexes};
use crate::wire::put_varint;

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
