//! A peer cannot make a session allocate much more than it sends.
//!
//! Goal: the limits of the wire hold in bytes, measured. Method: the counting allocator around a session
//! that is fed damaged frames of an honest conversation, with sizes and counts blown up.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

use offerbench::meter::heap_peak;
use offerbench::plan::resolve;
use offerbench_algos::{DiffHint, Item, ItemId, Role, Seed, Session, Setup, Step};

/// What a session on a hundred items may hold, whatever a few kilobytes of frames claim.
const HEAP_MAX: u64 = 8 << 20;

fn sets() -> [Vec<Item>; 2] {
    let mut rng = Seed::new(1).rng();
    let items: Vec<Item> = (0..120).map(|at| Item { at, id: ItemId::new(rng.bytes()) }).collect();
    [items[..100].to_vec(), items[20..].to_vec()]
}

/// Frames until the session waits, is done, or has said a lot.
fn drain(session: &mut dyn Session) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut frame = Vec::new();
    while frames.len() < 50 && session.poll_frame(&mut frame) == Step::Frame {
        frames.push(frame.clone());
    }
    while session.poll_finding().is_some() {}
    frames
}

#[test]
fn claims_in_frames_are_not_paid_in_heap() {
    let sets = sets();
    let mut worst = (0, String::new());
    for contender in resolve(&["*".to_owned()]).unwrap() {
        let setup = |seed| Setup { diff: DiffHint::Oracle(40), ..Setup::new(Seed::new(seed)) };
        let open = |role: Role, seed| {
            let index = contender.strategy.index(&sets[role as usize]);
            index.open(role, &setup(seed))
        };
        for trial in 0..150 {
            let mut rng = Seed::new(2).child(&contender.spec).nth(trial).rng();
            for victim_role in [Role::Initiator, Role::Responder] {
                let mut victim = open(victim_role, trial);
                let mut peer = open(victim_role.other(), trial);
                let ((), peak) = heap_peak(|| {
                    let mut to_peer = drain(&mut *victim);
                    for _ in 0..6 {
                        let mut to_victim = drain(&mut *peer);
                        for frame in to_peer.drain(..) {
                            if peer.handle_frame(&frame).is_ok() {
                                to_victim.extend(drain(&mut *peer));
                            }
                        }
                        for mut frame in to_victim {
                            // Bytes near the front hold counts and sizes: make some of them huge.
                            for _ in 0..rng.below(3) {
                                let place = rng.below((frame.len() as u64).min(24)) as usize;
                                frame[place] = [0xff, 0x7f, 0x80, 0x00][rng.below(4) as usize];
                            }
                            if victim.handle_frame(&frame).is_err() {
                                return;
                            }
                            to_peer.extend(drain(&mut *victim));
                        }
                    }
                });
                if peak > worst.0 {
                    worst = (peak, format!("{} {victim_role:?} trial {trial}", contender.spec));
                }
            }
        }
    }
    assert!(worst.0 < HEAP_MAX, "{} bytes: {}", worst.0, worst.1);
}
