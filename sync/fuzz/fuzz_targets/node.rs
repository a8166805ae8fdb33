//! Operations on a node between an honest peer and a hostile one, drawn from the fuzzer's bytes. What is done and what
//! must hold is that of the property test: `tests/common/play.rs`.
//!
//! Run with `cargo +nightly fuzz run node` in `sync/`.

#![no_main]

#[path = "../../tests/common/play.rs"]
mod play;

use arbitrary::{Arbitrary as _, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use offerbench_algos::REGISTRY;
use offerbench_sync::{Config, Offer, OnHave, Reconcile};
use play::Op;

/// So few that the store has room for every honest message.
const OPS_MAX: usize = 50;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let Ok(config) = config(&mut input) else { return };
    let mut ops = Vec::new();
    while ops.len() < OPS_MAX && !input.is_empty() {
        let Ok(op) = op(&mut input) else { break };
        ops.push(op);
    }
    play::play(config, ops);
});

fn config(u: &mut Unstructured<'_>) -> Result<Config> {
    let presets: Vec<&str> = REGISTRY.iter().map(|entry| entry.presets[0]).collect();
    let offer = match u.int_in_range(0..=2)? {
        0 => Offer::Batch,
        1 => Offer::Interactive,
        _ => {
            let on_have = if u.arbitrary()? { OnHave::Push } else { OnHave::Offer };
            let options = Reconcile::new(u.choose(&presets)?).expect("presets build");
            Offer::Reconcile(Reconcile { on_have, ..options })
        }
    };
    Ok(play::config(offer, u.arbitrary()?, u.arbitrary()?))
}

fn op(u: &mut Unstructured<'_>) -> Result<Op> {
    Ok(match u.int_in_range(0..=10)? {
        0 => Op::Append { honest: u.arbitrary()? },
        1 => Op::Deliver { lose: u.arbitrary()?, double: u.arbitrary()?, reverse: u.arbitrary()? },
        2 => Op::Bent { place: u.arbitrary()?, bits: u.arbitrary()?, cut: u.arbitrary()? },
        3 => Op::Random { mode: u.arbitrary()?, bytes: u.arbitrary()? },
        4 => {
            let (acks, offers, requests, past, sets, ranks) = <_>::arbitrary(u)?;
            Op::Forged { acks, offers, requests, past, sets, ranks }
        }
        5 => {
            let (at, foreign, parents, malformed) = <_>::arbitrary(u)?;
            Op::Message { at, foreign, parents, malformed }
        }
        6 => Op::Segments(u.arbitrary()?),
        7 => Op::Wait { ms: u.arbitrary()? },
        8 => Op::Offline,
        9 => Op::Online,
        _ => Op::Crash { forget: u.arbitrary()? },
    })
}
