//! Random operations on two channels, and random segments at one: safety at any time, liveness once the road heals.

use offerbench_algos::{Rng, Seed};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Pair, ROOM};
use crate::channel::{Channel, ChannelConfig, Segment};
use crate::{Span, Time};

/// What may happen on a bad day. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Op {
    Send {
        end: usize,
        len: usize,
    },
    Poll {
        end: usize,
        room: usize,
    },
    Deliver {
        nth: usize,
    },
    Lose {
        nth: usize,
    },
    LoseAll,
    Double {
        nth: usize,
    },
    Wait {
        ms: u64,
    },
    /// Goes on to the next timeout.
    Timeout,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (0..2usize, 0..=100usize).prop_map(|(end, len)| Op::Send { end, len }),
        5 => (0..2usize, prop_oneof![0..300usize, Just(ROOM)]).prop_map(|(end, room)| Op::Poll { end, room }),
        6 => any::<usize>().prop_map(|nth| Op::Deliver { nth }),
        2 => any::<usize>().prop_map(|nth| Op::Lose { nth }),
        1 => Just(Op::LoseAll),
        2 => any::<usize>().prop_map(|nth| Op::Double { nth }),
        2 => (0..5000u64).prop_map(|ms| Op::Wait { ms }),
        2 => Just(Op::Timeout),
    ]
}

fn any_config() -> impl Strategy<Value = ChannelConfig> {
    (prop_oneof![1..5u32, 1..40u32], 0..2000usize, 0..2000u64, 0..2000u64).prop_map(
        |(window, window_bytes, rto_first_ms, ack_delay_ms)| ChannelConfig {
            window,
            frame_len_max: 100,
            window_bytes,
            rto_first: Span::from_ms(rto_first_ms),
            rto_max: Span::from_s(10),
            resends_max: u32::MAX,
            ack_delay: Span::from_ms(ack_delay_ms),
        },
    )
}

impl Pair {
    fn apply(&mut self, op: &Op) {
        let count = self.flying.len();
        match *op {
            Op::Send { end, len } => {
                if self.ends[end].has_room() {
                    // The number tells frames apart, also empty ones by their place.
                    let number = self.handed[end].len();
                    let frame = number.to_le_bytes().into_iter().cycle().take(len).collect();
                    self.send_frame(end, frame);
                }
            }
            Op::Poll { end, room } => {
                self.poll(end, room);
            }
            Op::Deliver { nth } if count > 0 => self.deliver(nth % count),
            Op::Lose { nth } if count > 0 => drop(self.flying.remove(nth % count)),
            Op::LoseAll => drop(self.lose_all()),
            Op::Double { nth } if count > 0 => self.flying.push(self.flying[nth % count].clone()),
            Op::Wait { ms } => self.now = self.now + Span::from_ms(ms),
            Op::Timeout => {
                let next = self.ends.iter().filter_map(Channel::poll_timeout).min();
                self.now = self.now.max(next.unwrap_or(self.now));
            }
            Op::Deliver { .. } | Op::Lose { .. } | Op::Double { .. } => {}
        }
        for end in &self.ends {
            assert!(end.heap_bytes() <= end.config.heap_bytes_max());
            end.assert_invariants();
        }
    }
}

impl Channel {
    /// What its fields say of themselves.
    fn assert_invariants(&self) {
        let first_flies = self.sent.front().is_some_and(|first| !first.due);
        assert_eq!(self.timer.is_some(), first_flies && !self.dead);
        assert_eq!(self.due_first, self.due_from(0));
        assert_eq!(self.sent_bytes, self.sent.iter().map(|sent| sent.frame.len()).sum::<usize>());
        assert_eq!(self.early_bytes, self.early.iter().flatten().map(|frame| frame.len()).sum::<usize>());
        assert_eq!(self.ready_bytes, self.ready.iter().map(|frame| frame.len()).sum::<usize>());
        assert!(self.early_bytes + self.ready_bytes <= self.config.window_bytes);
        assert!(self.early.front().is_none_or(Option::is_none));
        assert!(self.early.back().is_none_or(Option::is_some));
        assert!(self.arrived == self.acked || self.ack_due.is_some());
        assert!(self.sent.iter().all(|sent| !(sent.due && sent.held)));
        assert!(self.timeouts > 1 || self.sent.iter().all(|sent| !sent.held));
        assert!(self.rto >= self.config.rto_first && self.rto <= self.config.rto_max);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// First only safety on a bad road (asserted by `take`); then the road heals, all that was under way is
    /// lost for good measure, and what was handed over must arrive within a bound.
    #[test]
    fn frames_arrive_in_order_and_once_and_all_of_them_when_the_road_heals(
        config in any_config(),
        ops in vec(op(), 0..300),
        latency_ms in 0..3000u64,
    ) {
        let mut pair = Pair::new(&config, Span::from_ms(latency_ms));
        for op in &ops {
            pair.apply(op);
        }
        pair.lose_all();
        let healed = pair.now;
        pair.drive();
        pair.assert_idle_and_equal();
        // The running timer ends; the probe goes there, its ack waits and comes back; the rest likewise. A
        // way longer than the timeout adds no wait. One group of frames overdue later than the others: once
        // more.
        let timeout = pair.ends[0].config.rto_max;
        let round = Span::from_ms(2 * latency_ms) + config.ack_delay;
        let took = pair.now.since(healed);
        prop_assert!(took <= (timeout + round).times(3), "{} ms", took.as_ms());
    }

    /// Any segment is refused or handled; memory stays bounded, time too.
    #[test]
    fn a_hostile_peer_gets_errors_and_no_more_memory_than_agreed(
        config in any_config(),
        seed in any::<u64>(),
    ) {
        let mut rng: Rng = Seed::new(seed).rng();
        // One in two gives up early, the others are driven to the end.
        let config = ChannelConfig { resends_max: if rng.below(2) == 0 { 3 } else { u32::MAX }, ..config };
        let mut channel = Channel::new(&config);
        let heap_bytes_max = config.heap_bytes_max();
        let mut now = Time::ZERO;
        let bytes = [0; 200];
        let (mut refused, mut handled) = (0, 0);
        for _ in 0..300 {
            let near = |rng: &mut Rng, centre: u32| match rng.below(8) {
                0 => rng.next_u64() as u32,
                1 => u32::MAX,
                _ => centre.wrapping_add(rng.below(2 * u64::from(config.window) + 4) as u32).wrapping_sub(2),
            };
            let seq = near(&mut rng, channel.arrived);
            let acked = channel.sent_first - 1;
            let ack = if rng.below(2) == 0 { acked } else { near(&mut rng, acked) };
            let frame = &bytes[..rng.below(110) as usize];
            match channel.handle(now, Segment { seq, ack, frame }) {
                Ok(()) => handled += 1,
                Err(_) => refused += 1,
            }
            if channel.has_room() {
                channel.send(now, vec![0; rng.below(101) as usize]);
            }
            if rng.below(2) == 0 {
                let us = if rng.below(50) == 0 { u64::MAX / 1000 } else { rng.below(2_000_000) };
                now = now + Span::from_us(us);
            }
            let mut segments = 0;
            while channel.poll_segment(now, rng.below(200) as usize).is_some() {
                segments += 1;
                prop_assert!(segments <= config.window + 1);
            }
            if rng.below(3) > 0 {
                while channel.receive().is_some() {}
            }
            prop_assert!(channel.heap_bytes() <= heap_bytes_max);
            prop_assert!(channel.ready.len() <= config.window as usize);
            if !channel.is_dead() {
                channel.assert_invariants();
            }
        }
        prop_assert!(refused > 0 && handled > 0);
    }
}
