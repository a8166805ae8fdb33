//! Any frame in any order at any time: an error or progress, never a panic, never an endless session.
//!
//! Goal: no peer can crash a member or make it talk forever. Method: a session meets a mixture of frames that
//! an honest peer would have sent (of the same or another conversation), the same frames damaged, and noise.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use common::{Tape, Taped, presets};
use offerbench_algos::{
    DiffHint, DuelLimits, Finding, Item, ItemId, Role, Seed, Session, Setup, Step, build, duel,
};
use proptest::prelude::*;

/// Frames that a session may emit in answer to one frame (or at its start) in this test.
const FRAMES_PER_POLL_MAX: usize = 20_000;

fn sets() -> [Vec<Item>; 2] {
    let mut rng = Seed::new(11).rng();
    let items: Vec<Item> = (0..140).map(|at| Item { at, id: ItemId::new(rng.bytes()) }).collect();
    [items[..120].to_vec(), items[20..].to_vec()]
}

fn setup(seed: u64) -> Setup {
    Setup { diff: DiffHint::Oracle(40), frame_len_max: 256, ..Setup::new(Seed::new(seed)) }
}

/// What both ends of an honest conversation said.
fn honest_frames(preset: &str, seed: u64) -> Vec<Vec<u8>> {
    let sets = sets();
    let strategy = build(preset).unwrap().strategy;
    let tape = Tape::default();
    let mut ends = [(0, Role::Initiator), (1, Role::Responder)].map(|(end, role)| {
        let inner = strategy.index(&sets[end]).open(role, &setup(seed));
        Box::new(Taped { inner, tape: Tape::clone(&tape) }) as Box<dyn Session>
    });
    duel(&mut ends, &DuelLimits::default()).unwrap();
    std::mem::take(&mut *tape.lock().unwrap())
}

#[derive(Clone, Debug)]
enum Act {
    /// The honest frame of this number.
    Honest(prop::sample::Index),
    /// The same with a byte changed.
    Flipped(prop::sample::Index, prop::sample::Index, u8),
    /// The same cut short.
    Cut(prop::sample::Index, prop::sample::Index),
    /// The same with bytes behind it.
    Grown(prop::sample::Index, Vec<u8>),
    /// The first byte of an honest frame, then noise.
    Noise(prop::sample::Index, Vec<u8>),
    /// Nothing but noise.
    Junk(Vec<u8>),
}

fn act() -> impl Strategy<Value = Act> {
    let noise = || proptest::collection::vec(any::<u8>(), 0..200);
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => index().prop_map(Act::Honest),
        3 => (index(), index(), 1_u8..).prop_map(|(f, b, x)| Act::Flipped(f, b, x)),
        2 => (index(), index()).prop_map(|(f, b)| Act::Cut(f, b)),
        1 => (index(), noise()).prop_map(|(f, n)| Act::Grown(f, n)),
        3 => (index(), noise()).prop_map(|(f, n)| Act::Noise(f, n)),
        1 => noise().prop_map(Act::Junk),
    ]
}

fn frame(act: &Act, honest: &[Vec<u8>]) -> Vec<u8> {
    match act {
        Act::Honest(f) => f.get(honest).clone(),
        Act::Flipped(f, b, x) => {
            let mut frame = f.get(honest).clone();
            let place = b.index(frame.len());
            frame[place] ^= x;
            frame
        }
        Act::Cut(f, b) => {
            let frame = f.get(honest);
            frame[..b.index(frame.len())].to_vec()
        }
        Act::Grown(f, noise) => [f.get(honest).as_slice(), noise].concat(),
        Act::Noise(f, noise) => [&f.get(honest)[..1], noise].concat(),
        Act::Junk(noise) => noise.clone(),
    }
}

/// Polls until the session waits or is done; true when done.
fn drain(session: &mut dyn Session, findings: &mut usize) -> Result<bool, TestCaseError> {
    let mut frame = Vec::new();
    for _ in 0..FRAMES_PER_POLL_MAX {
        *findings += std::iter::from_fn(|| session.poll_finding()).count();
        match session.poll_frame(&mut frame) {
            Step::Frame => prop_assert!(!frame.is_empty() && frame.len() <= 256),
            Step::Waiting => return Ok(false),
            Step::Done(_) => {
                *findings += std::iter::from_fn(|| session.poll_finding()).count();
                return Ok(true);
            }
        }
    }
    // A stream that nobody stops may go on, but not without an end: the session's own cap must come.
    for _ in 0..5_000_000 {
        if session.poll_frame(&mut frame) != Step::Frame {
            return Ok(false);
        }
    }
    Err(TestCaseError::fail("the session talks forever"))
}

proptest! {
    // As many cases as PROPTEST_CASES asks for, 256 by default.
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn no_frame_makes_a_session_panic(
        acts in proptest::collection::vec(act(), 1..12),
        initiator: bool,
        same_conversation: bool,
    ) {
        let role = if initiator { Role::Initiator } else { Role::Responder };
        let own = &sets()[usize::from(!initiator)];
        for preset in presets() {
            let honest = honest_frames(preset, 1);
            let strategy = build(preset).unwrap().strategy;
            let mut session = strategy.index(own).open(role, &setup(if same_conversation { 1 } else { 2 }));
            let mut findings = 0;
            let mut done = drain(&mut *session, &mut findings)?;
            for act in &acts {
                if done || session.handle_frame(&frame(act, &honest)).is_err() {
                    break;
                }
                done = drain(&mut *session, &mut findings)?;
            }
            // Own items at most once each as `Have`; a `Need` takes a bit on the wire or more.
            let heard: usize = acts.iter().map(|act| frame(act, &honest).len()).sum();
            prop_assert!(findings <= own.len() + 8 * heard, "{preset}: {findings} findings");
        }
    }
}

/// After an error a session stays dead: it neither emits nor accepts.
#[test]
fn a_dead_session_stays_dead() {
    for preset in presets() {
        let strategy = build(preset).unwrap().strategy;
        let mut session = strategy.index(&sets()[1]).open(Role::Responder, &setup(1));
        let mut frame = Vec::new();
        assert_eq!(session.poll_frame(&mut frame), Step::Waiting, "{preset}");
        assert!(session.handle_frame(&[0x55, 1, 2, 3]).is_err(), "{preset}");
        assert!(session.handle_frame(&honest_frames(preset, 1)[0]).is_err(), "{preset}");
        assert_eq!(session.poll_frame(&mut frame), Step::Waiting, "{preset}");
        assert_eq!(session.poll_finding(), None::<Finding>, "{preset}");
    }
}
