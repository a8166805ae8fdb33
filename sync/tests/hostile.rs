//! A node among operations that nobody would think of: see `common/play.rs` for what is done and what must hold.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

#[path = "common/play.rs"]
mod play;

use offerbench_sync::{Config, Offer, OnHave, Reconcile};
use play::Op;
use proptest::collection::vec;
use proptest::prelude::*;

fn op() -> impl Strategy<Value = Op> {
    let picks = || vec(any::<u8>(), 0..20);
    let short = || vec(any::<u8>(), 0..40);
    let segment = (
        0_u32..6,
        0_u32..4,
        0_u32..3,
        prop_oneof![4 => Just(0_u32), 1 => any::<u32>()],
        any::<bool>(),
        short(),
    );
    let at = prop_oneof![Just(i64::MIN), Just(-1), Just(i64::MAX), any::<i64>()];
    prop_oneof![
        3 => any::<bool>().prop_map(|honest| Op::Append { honest }),
        4 => (any::<u8>(), any::<u8>(), any::<bool>())
            .prop_map(|(lose, double, reverse)| Op::Deliver { lose, double, reverse }),
        2 => (any::<u16>(), any::<u8>(), any::<Option<u16>>())
            .prop_map(|(place, bits, cut)| Op::Bent { place, bits, cut }),
        1 => (0_u8..5, short()).prop_map(|(mode, bytes)| Op::Random { mode, bytes }),
        3 => (picks(), picks(), picks(), picks(), vec(any::<u64>(), 0..3), vec(short(), 0..3))
            .prop_map(|(acks, offers, requests, past, sets, ranks)| Op::Forged {
                acks, offers, requests, past, sets, ranks
            }),
        3 => (at, any::<bool>(), vec(any::<u8>(), 0..4), any::<bool>())
            .prop_map(|(at, foreign, parents, malformed)| Op::Message { at, foreign, parents, malformed }),
        2 => vec(segment, 0..8).prop_map(Op::Segments),
        4 => prop_oneof![0_u32..300, 0_u32..100_000, Just(u32::MAX)].prop_map(|ms| Op::Wait { ms }),
        1 => Just(Op::Offline),
        1 => Just(Op::Online),
        1 => any::<bool>().prop_map(|forget| Op::Crash { forget }),
    ]
}

fn configs() -> impl Strategy<Value = Config> {
    let specs = ["range", "riblt", "iblt", "pinsketch", "offers", "bloom", "fuse"];
    let offer = prop_oneof![
        Just(Offer::Batch),
        Just(Offer::Interactive),
        (0..specs.len(), any::<bool>()).prop_map(move |(spec, push)| {
            let on_have = if push { OnHave::Push } else { OnHave::Offer };
            Offer::Reconcile(Reconcile { on_have, ..Reconcile::new(specs[spec]).unwrap() })
        }),
    ];
    (offer, 0..4_usize, any::<[bool; 3]>()).prop_map(|(offer, acks, flags)| play::config(offer, acks, flags))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]
    #[test]
    fn a_node_survives_anything_and_honest_messages_arrive(config in configs(), ops in vec(op(), 0..50)) {
        play::play(config, ops);
    }
}
