//! Operations on one end of a session of any preset: frames good and bad, in any order, at any time.
//!
//! Run with `cargo +nightly fuzz run session` in `algos/`.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use offerbench_algos::{Item, ItemId, REGISTRY, Role, Seed, Session, Setup, Step, build};

#[derive(Arbitrary, Debug)]
enum Op {
    /// A frame of the fuzzer's own making.
    Frame(Vec<u8>),
    /// The next frame that the honest peer would send, with up to one byte changed.
    Honest { flip: Option<(u16, u8)> },
}

#[derive(Arbitrary, Debug)]
struct Input {
    preset: u8,
    initiator: bool,
    own: u8,
    shared: u8,
    ops: Vec<Op>,
}

/// Frames that are drained after an operation; the rest of a stream is left where it is.
const FRAMES_PER_OP: usize = 64;

fn drain(session: &mut dyn Session) -> (Vec<Vec<u8>>, bool) {
    let mut frames = Vec::new();
    for _ in 0..FRAMES_PER_OP {
        while session.poll_finding().is_some() {}
        let mut frame = Vec::new();
        match session.poll_frame(&mut frame) {
            Step::Frame => frames.push(frame),
            Step::Waiting => return (frames, false),
            Step::Done(_) => return (frames, true),
        }
    }
    (frames, false)
}

fuzz_target!(|input: Input| {
    let presets: Vec<&str> = REGISTRY.iter().flat_map(|entry| entry.presets).copied().collect();
    let preset = presets[usize::from(input.preset) % presets.len()];
    let strategy = build(preset).expect("presets build").strategy;
    let mut rng = Seed::new(1).rng();
    let mut items = |n: u8| -> Vec<Item> {
        (0..n).map(|at| Item { at: u64::from(at), id: ItemId::new(rng.bytes()) }).collect()
    };
    let shared = items(input.shared);
    let sets = [[items(input.own), shared.clone()].concat(), [items(9), shared].concat()];
    let setup = Setup { frame_len_max: 512, ..Setup::new(Seed::new(2)) };
    let (role, other) = if input.initiator {
        (Role::Initiator, Role::Responder)
    } else {
        (Role::Responder, Role::Initiator)
    };
    let mut victim = strategy.index(&sets[0]).open(role, &setup);
    let mut peer = strategy.index(&sets[1]).open(other, &setup);
    let (mut to_peer, mut done) = drain(&mut *victim);
    let mut to_victim = drain(&mut *peer).0;
    for op in input.ops {
        if done {
            break;
        }
        let frame = match op {
            Op::Frame(frame) => frame,
            Op::Honest { flip } => {
                for frame in to_peer.drain(..) {
                    if peer.handle_frame(&frame).is_ok() {
                        to_victim.extend(drain(&mut *peer).0);
                    }
                }
                if to_victim.is_empty() {
                    continue;
                }
                let mut frame = to_victim.remove(0);
                if let Some((place, bits)) = flip {
                    let place = usize::from(place) % frame.len();
                    frame[place] ^= bits;
                }
                frame
            }
        };
        if victim.handle_frame(&frame).is_err() {
            break;
        }
        let (frames, ended) = drain(&mut *victim);
        to_peer.extend(frames);
        done = ended;
    }
});
