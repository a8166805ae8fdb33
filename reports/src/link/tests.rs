//! Sessions whose time can be worked out by hand, and what may never make one faster.

use proptest::prelude::*;

use super::*;
use crate::record::{Bytes, Outcome};

/// 1,000 bytes a second, 2 s there, no headers.
fn link() -> Link {
    Link {
        name: "test".into(),
        latency_us: 2_000_000,
        jitter_us: 0,
        rate_bps: 8_000,
        mtu: 0,
        packet_overhead: 0,
        loss_ppm: 0,
        frame_overhead: 0,
        length_fields: 0,
        ack_len: 0,
        opening_overhead: 0,
        payload_len_max: 1 << 20,
        source: "made up".into(),
    }
}

fn row(window: u32, up: &[[u64; 4]], down: &[[u64; 4]]) -> ExactRow {
    let bursts = |of: &[[u64; 4]]| of.iter().copied().map(Burst::from).collect();
    ExactRow {
        sweep: "s".into(),
        point: 0,
        replicate: 0,
        seed: 1,
        spec: "x".into(),
        workload: "synthetic".into(),
        pattern: "recent".into(),
        m: 1,
        n: 2,
        k: 1,
        d: 1,
        d_initiator: 1,
        d_responder: 0,
        stretches: None,
        window,
        guess: None,
        absence_ms: None,
        attack: None,
        outcome: Outcome::Exact,
        reason: None,
        tries: 1,
        missed: 0,
        invented: 0,
        up: Bytes::default(),
        down: Bytes::default(),
        frames_up: 1,
        frames_down: 1,
        frames_overshoot: 0,
        flights: 2,
        flow_up: bursts(up),
        flow_down: bursts(down),
        decode_attempts: 1,
        decode_failures: 0,
        estimate: None,
        capacity: None,
        heap_peak_bytes: 1,
        index_heap_bytes: 1,
    }
}

#[track_caller]
fn assert_takes(row: &ExactRow, link: &Link, wire_s: f64, wait_s: f64) {
    let stages = completion(row, 5e8, 25e7, link).unwrap();
    assert!((stages.wire_s - wire_s).abs() < 1e-9 && (stages.wait_s - wait_s).abs() < 1e-9, "{stages:?}");
    assert!((stages.total_s() - (wire_s + wait_s + 0.75)).abs() < 1e-9);
}

#[test]
fn ends_that_alternate_pay_every_byte_and_every_flight() {
    // 1 s and 2 s of bytes, 2 s of way each.
    assert_takes(&row(1, &[[0, 1, 1000, 0]], &[[1, 1, 2000, 0]]), &link(), 3.0, 4.0);
}

#[test]
fn ends_that_speak_at_once_pay_the_longer() {
    assert_takes(&row(1, &[[0, 1, 1000, 0]], &[[0, 1, 3000, 0]]), &link(), 3.0, 2.0);
}

#[test]
fn packets_and_frames_pay_their_headers() {
    let link = Link {
        mtu: 100,
        packet_overhead: 20,
        frame_overhead: 10,
        length_fields: 2,
        opening_overhead: 40,
        ..link()
    };
    // 240 + 12 + 40 are three packets: 352 bytes. 80 + 10 are one: 110.
    assert_takes(&row(1, &[[0, 1, 240, 0]], &[[1, 1, 80, 0]]), &link, 0.462, 4.0);
    assert_eq!(frames_over_mtu(&row(1, &[[0, 2, 250, 0]], &[[1, 3, 80, 0]]), &link), 2);
}

#[test]
fn a_window_of_one_waits_for_each_acknowledgement() {
    // Three frames of 1 s, 2 s there and, but for the last, 2 s back.
    assert_takes(&row(1, &[[0, 3, 3000, 0]], &[]), &link(), 3.0, 10.0);
    // 500 bytes of acknowledgement, twice.
    assert_takes(&row(1, &[[0, 3, 3000, 0]], &[]), &Link { ack_len: 500, ..link() }, 4.0, 10.0);
    // With room for all of them they are one payload.
    assert_takes(&row(4, &[[0, 3, 3000, 0]], &[]), &link(), 3.0, 2.0);
    // Or three payloads in a row, if that is too long.
    assert_takes(&row(4, &[[0, 3, 3000, 0]], &[]), &Link { payload_len_max: 1500, ..link() }, 3.0, 2.0);
    // Two at a time: the first is acknowledged at 5 s, and the third leaves then.
    assert_takes(&row(2, &[[0, 3, 3000, 0]], &[]), &Link { payload_len_max: 1500, ..link() }, 2.0, 6.0);
}

#[test]
fn overshoot_costs_time_only_before_something_needed() {
    let short = Link { payload_len_max: 1000, ..link() };
    // Four frames, one needed: it arrives at 3 s, the answer at 6 s, and nothing comes after it.
    assert_takes(&row(8, &[[0, 4, 4000, 3]], &[[1, 1, 1000, 0]]), &short, 2.0, 4.0);
    // The last word of the first end leaves when its frames have: 4 s of them, before it hears at 6 s. No delay.
    let last = [[0, 4, 4000, 3], [1, 1, 1000, 0]];
    assert_takes(&row(8, &last, &[[1, 1, 1000, 0]]), &short, 3.0, 6.0);
    // Seven in vain are still leaving then, until 8 s.
    let last = [[0, 8, 8000, 7], [1, 1, 1000, 0]];
    assert_takes(&row(16, &last, &[[1, 1, 1000, 0]]), &short, 9.0, 2.0);
}

#[test]
fn failures_and_files_without_flows_have_no_time() {
    let mut failed = row(1, &[[0, 1, 1000, 0]], &[]);
    failed.outcome = Outcome::GaveUp;
    assert_eq!(completion(&failed, 0.0, 0.0, &link()), None);
    assert_eq!(completion(&row(1, &[], &[]), 0.0, 0.0, &link()), None);
    // Each waits for the other: no duel writes that, but a file may say so.
    assert_eq!(completion(&row(1, &[[1, 1, 1, 0]], &[[1, 1, 1, 0]]), 0.0, 0.0, &link()), None);
}

prop_compose! {
    /// A session of two ends that answer each other, with streams and overshoot.
    fn sessions()(
        window in 1_u32..9,
        turns in prop::collection::vec((1_u64..6, 1_u64..3_000, any::<bool>()), 1..8),
    ) -> ExactRow {
        let mut flows = [Vec::new(), Vec::new()];
        let mut sent = [0, 0];
        for (turn, (frames, len, stops)) in turns.into_iter().enumerate() {
            let from = turn % 2;
            let vain = if stops { frames / 2 } else { 0 };
            flows[from].push([sent[1 - from], frames, frames * len, vain]);
            // The other answers what it needed.
            sent[from] += frames - vain;
        }
        row(window, &flows[0], &flows[1])
    }
}

proptest! {
    #[test]
    fn a_worse_link_is_never_faster(row in sessions(), latency in 0_u64..5_000_000, rate in 1_000_u64..1_000_000) {
        // With payloads of any length what may leave together depends on the link: one frame a payload keeps it apart.
        let base = Link { latency_us: latency, rate_bps: rate, mtu: 200, packet_overhead: 20, payload_len_max: 1, ..link() };
        let total = |link: &Link| completion(&row, 0.0, 0.0, link).map(|stages| stages.total_s());
        let Some(before) = total(&base) else { return Ok(()) };
        for worse in [
            Link { latency_us: latency + 100_000, ..base.clone() },
            Link { packet_overhead: 40, ..base.clone() },
            Link { mtu: 100, ..base.clone() },
        ] {
            prop_assert!(total(&worse).unwrap() >= before - 1e-9, "{:?}", worse);
        }
    }
}
