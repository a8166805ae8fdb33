//! Two channels and a road between them, in virtual time.
//!
//! Goal: frames arrive in order and once whatever the road does (safety), and all of them soon after it heals
//! (liveness), at the cost that the module doc promises. Method: stories for each promise here; random operations
//! that shrink, and random segments for a hostile peer, in `random`.

mod random;

use super::*;

impl Channel {
    fn wants_payload(&self, now: Time) -> bool {
        self.poll_timeout().is_some_and(|at| at <= now)
    }

    fn is_dead(&self) -> bool {
        self.dead
    }
}

/// Room for any frame.
const ROOM: usize = usize::MAX;

fn config(window: u32) -> ChannelConfig {
    ChannelConfig {
        window,
        frame_len_max: 100,
        window_bytes: 100 * window as usize,
        rto_first: Span::from_s(1),
        rto_max: Span::from_s(60),
        resends_max: 8,
        ack_delay: Span::from_ms(200),
    }
}

/// A segment under way.
#[derive(Clone, Debug)]
struct Flying {
    arrives: Time,
    to: usize,
    seq: u32,
    ack: u32,
    frame: Vec<u8>,
}

/// Two ends, and what is under way between them. Frames are numbered by their content, to be told apart.
struct Pair {
    now: Time,
    latency: Span,
    ends: [Channel; 2],
    flying: Vec<Flying>,
    /// Frames handed to each end.
    handed: [Vec<Vec<u8>>; 2],
    /// Frames that each end has received.
    received: [Vec<Vec<u8>>; 2],
    /// Segments with a frame and bare acks that ever left each end.
    frames_left: [usize; 2],
    acks_left: [usize; 2],
}

impl Pair {
    fn new(config: &ChannelConfig, latency: Span) -> Self {
        Self {
            now: Time::ZERO,
            latency,
            ends: [Channel::new(config), Channel::new(config)],
            flying: Vec::new(),
            handed: [const { Vec::new() }; 2],
            received: [const { Vec::new() }; 2],
            frames_left: [0; 2],
            acks_left: [0; 2],
        }
    }

    /// Hands over `count` frames, for which there must be room.
    fn send(&mut self, end: usize, count: usize) {
        for _ in 0..count {
            let frame = self.handed[end].len().to_le_bytes().to_vec();
            self.send_frame(end, frame);
        }
    }

    fn send_frame(&mut self, end: usize, frame: Vec<u8>) {
        self.handed[end].push(frame.clone());
        self.ends[end].send(self.now, frame);
    }

    /// What leaves `end` in one payload of so many bytes; says how many frames.
    fn poll(&mut self, end: usize, mut room: usize) -> usize {
        let arrives = self.now + self.latency;
        let mut frames = 0;
        while let Some(Segment { seq, ack, frame }) = self.ends[end].poll_segment(self.now, room) {
            assert!(frame.len() <= room, "more than fits");
            room -= frame.len();
            if seq == 0 {
                self.acks_left[end] += 1;
            } else {
                self.frames_left[end] += 1;
                frames += 1;
            }
            self.flying.push(Flying { arrives, to: 1 - end, seq, ack, frame: frame.to_vec() });
        }
        frames
    }

    /// Everything under way is lost.
    fn lose_all(&mut self) -> usize {
        std::mem::take(&mut self.flying).len()
    }

    fn deliver(&mut self, index: usize) {
        let Flying { to, seq, ack, frame, .. } = self.flying.remove(index);
        let segment = Segment { seq, ack, frame: &frame };
        self.ends[to].handle(self.now, segment).expect("an honest peer is never refused");
        self.take(to);
    }

    fn take(&mut self, end: usize) {
        while let Some(frame) = self.ends[end].receive() {
            self.received[end].push(frame);
        }
        let (received, handed) = (&self.received[end], &self.handed[1 - end]);
        assert!(handed.starts_with(received), "not in order, or not once");
    }

    /// Goes on to the next arrival or timeout and does what is to be done then; false if there is none.
    fn step(&mut self) -> bool {
        let arrivals = self.flying.iter().map(|flying| flying.arrives);
        let timeouts = self.ends.iter().filter_map(Channel::poll_timeout);
        let Some(next) = arrivals.chain(timeouts).min() else { return false };
        self.now = self.now.max(next);
        while let Some(index) = self.flying.iter().position(|flying| flying.arrives <= self.now) {
            self.deliver(index);
        }
        for end in 0..2 {
            self.poll(end, ROOM);
        }
        true
    }

    /// Steps until nothing is left to do.
    fn drive(&mut self) {
        let mut steps = 0;
        while self.step() {
            steps += 1;
            assert!(steps < 100_000, "never idle: {:?}", self.ends);
        }
    }

    fn assert_idle_and_equal(&self) {
        for end in 0..2 {
            assert_eq!(self.received[1 - end], self.handed[end]);
            assert!(self.ends[end].is_idle(), "{:?}", self.ends[end]);
            assert!(!self.ends[end].is_dead());
            assert_eq!(self.ends[end].poll_timeout(), None);
        }
    }
}

#[test]
fn without_loss_n_frames_cost_n_segments_and_one_ack_a_window() {
    for (n, window) in [(1, 1), (7, 1), (64, 4), (65, 4), (100, 64)] {
        let mut pair = Pair::new(&config(window), Span::from_ms(50));
        loop {
            while pair.handed[0].len() < n && pair.ends[0].has_room() {
                pair.send(0, 1);
            }
            if !pair.step() {
                break;
            }
        }
        pair.assert_idle_and_equal();
        assert_eq!(pair.frames_left, [n, 0]);
        assert_eq!(pair.acks_left, [0, n.div_ceil(window as usize)], "n {n}, window {window}");
        // A last, partial window below one half waits for a frame to ride on.
        let round_trips = n.div_ceil(window as usize) as u64;
        assert!(pair.now <= Time::ZERO + Span::from_ms(100).times(round_trips) + Span::from_ms(200));
    }
}

#[test]
fn an_ack_rides_on_a_frame_and_alone_only_when_none_comes() {
    let mut pair = Pair::new(&config(8), Span::from_ms(50));
    // Question and answer, ten times: only the last answer needs a bare ack.
    for _ in 0..10 {
        for end in 0..2 {
            pair.send(end, 1);
            pair.poll(end, ROOM);
            pair.now = pair.now + pair.latency;
            pair.deliver(0);
        }
    }
    assert_eq!(pair.acks_left, [0, 0]);
    assert!(!pair.ends[0].is_idle(), "an ack is owed");
    assert!(pair.ends[1].sent.len() == 1, "the answer is not acknowledged");
    assert_eq!(pair.ends[0].poll_timeout(), Some(pair.now + Span::from_ms(200)));
    assert!(!pair.ends[0].wants_payload(pair.now + Span::from_ms(199)));
    pair.drive();
    pair.assert_idle_and_equal();
    assert_eq!(pair.acks_left, [1, 0]);
    assert_eq!(pair.frames_left, [10, 10]);
}

#[test]
fn a_lost_payload_is_sent_again_at_the_timeout_and_not_what_left_after_it() {
    let mut pair = Pair::new(&config(8), Span::from_ms(50));
    pair.send(0, 4);
    assert_eq!(pair.poll(0, ROOM), 4);
    assert_eq!(pair.lose_all(), 4);
    pair.now = Time::from_us(900_000);
    pair.send(0, 2);
    assert_eq!(pair.poll(0, ROOM), 2);
    // The later two arrive behind a gap; there is nothing new to acknowledge, so no ack leaves.
    while pair.step() && pair.now < Time::from_us(999_999) {}
    assert_eq!(pair.received[1].len(), 0);
    assert_eq!(pair.acks_left, [0, 0]);
    assert_eq!(pair.now, Time::from_us(1_000_000));
    assert_eq!(pair.frames_left[0], 4 + 2 + 4);
    pair.drive();
    pair.assert_idle_and_equal();
    assert_eq!(pair.frames_left[0], 4 + 2 + 4);
    assert_eq!(pair.acks_left[1], 1);
}

#[test]
fn a_gap_hastens_the_ack_that_is_owed_and_so_does_its_end() {
    let mut channel = Channel::new(&config(16));
    let now = Time::from_us(1);
    let mut handle = |seq| {
        channel.handle(now, Segment { seq, ack: 0, frame: &[] }).unwrap();
        let due = channel.poll_timeout();
        let bare = channel.poll_segment(now, 0).map(|bare| (bare.seq, bare.ack));
        (due, bare)
    };
    assert_eq!(handle(1), (Some(now + Span::from_ms(200)), None), "it waits for a frame to ride on");
    assert_eq!(handle(3), (Some(now), Some((0, 1))));
    assert_eq!(handle(4), (None, None), "nothing new to acknowledge");
    assert_eq!(handle(2), (Some(now), Some((0, 4))));
    assert_eq!(handle(5), (Some(now + Span::from_ms(200)), None));
}

#[test]
fn an_ack_that_moves_on_gives_the_next_frame_its_whole_time() {
    let mut pair = Pair::new(&config(2), Span::from_ms(450));
    pair.send(0, 1);
    pair.step();
    pair.step();
    assert_eq!(pair.now, Time::from_us(450_000));
    assert_eq!(pair.acks_left[1], 1);
    pair.now = Time::from_us(800_000);
    pair.send(0, 1);
    pair.poll(0, ROOM);
    pair.drive();
    pair.assert_idle_and_equal();
    assert_eq!(pair.frames_left[0], 2, "its ack comes at 1.7 s, the first timer would have ended at 1 s");
}

#[test]
fn a_lost_ack_is_sent_again_when_the_frame_comes_twice() {
    let mut pair = Pair::new(&config(1), Span::from_ms(50));
    pair.send(0, 1);
    pair.step();
    pair.step();
    assert_eq!(pair.received[1].len(), 1);
    assert_eq!(pair.lose_all(), 1);
    assert!(pair.ends[1].is_idle(), "it has acknowledged once");
    assert!(!pair.ends[0].is_idle());
    pair.drive();
    pair.assert_idle_and_equal();
    assert_eq!(pair.frames_left[0], 2);
    assert_eq!(pair.acks_left[1], 2);
}

#[test]
fn a_sleeping_peer_costs_a_frame_a_timeout_and_one_round_trip_when_it_wakes() {
    let window = 64;
    let mut pair = Pair::new(&config(window), Span::from_ms(50));
    pair.send(0, window as usize);
    pair.poll(0, ROOM);
    let mut left = vec![pair.lose_all()];
    for _ in 0..5 {
        pair.step();
        left.push(pair.lose_all());
    }
    assert_eq!(left, [64, 64, 1, 1, 1, 1]);
    assert_eq!(pair.now.since(Time::ZERO), Span::from_s(1 + 2 + 4 + 8 + 16));
    // The next probe finds it awake: probe, ack, all the rest, ack.
    pair.step();
    let woken = pair.now;
    assert_eq!(pair.flying.len(), 1);
    while pair.received[1].len() < window as usize {
        pair.step();
    }
    assert_eq!(
        pair.now.since(woken),
        Span::from_ms(50 + 200 + 50 + 50),
        "one round trip more, and a delayed ack"
    );
    pair.drive();
    pair.assert_idle_and_equal();
    assert_eq!(pair.frames_left[0], 64 + 64 + 5 + 63);
}

#[test]
fn a_node_that_slept_counts_one_timeout() {
    let mut pair = Pair::new(&ChannelConfig { resends_max: 1, ..config(4) }, Span::from_ms(50));
    pair.send(0, 2);
    pair.poll(0, ROOM);
    pair.lose_all();
    pair.now = pair.now + Span::from_s(8 * 3600);
    assert!(pair.ends[0].wants_payload(pair.now));
    assert_eq!(pair.poll(0, ROOM), 2);
    assert_eq!(pair.poll(0, ROOM), 0, "nothing more at the same time");
    pair.drive();
    pair.assert_idle_and_equal();
}

#[test]
fn it_gives_up_on_a_peer_that_is_gone() {
    for resends_max in [0, 1, 8] {
        let mut pair = Pair::new(&ChannelConfig { resends_max, ..config(4) }, Span::from_ms(50));
        pair.send(0, 1);
        while !pair.ends[0].is_dead() {
            assert!(pair.step());
            pair.lose_all();
        }
        assert_eq!(pair.frames_left[0], 1 + resends_max as usize);
        // 1, 2, 4 ... 32, then 60 seconds.
        let waited_s: u64 = (0..=resends_max).map(|i| (1u64 << i).min(60)).sum();
        assert_eq!(pair.now.since(Time::ZERO), Span::from_s(waited_s));
        assert_eq!(pair.ends[0].poll_timeout(), None);
        assert!(!pair.ends[0].has_room());
        assert_eq!(pair.poll(0, ROOM), 0);
        assert!(!pair.ends[0].is_idle());
    }
}

#[test]
fn progress_gives_a_peer_all_its_chances_back() {
    let mut pair = Pair::new(&ChannelConfig { resends_max: 3, ..config(1) }, Span::from_ms(50));
    for n in 1..=5 {
        pair.send(0, 1);
        for _ in 0..=2 {
            pair.step();
            pair.lose_all();
        }
        pair.drive();
        assert_eq!(pair.received[1].len(), n);
    }
    pair.assert_idle_and_equal();
}

#[test]
fn a_long_way_is_learnt_and_not_mistaken_for_loss() {
    // 3 s there and back with a first timeout of 1 s: the first frames are sent in vain, the rest are not.
    let mut pair = Pair::new(&config(2), Span::from_ms(1500));
    for _ in 0..50 {
        pair.send(0, 1);
        pair.drive();
    }
    pair.assert_idle_and_equal();
    let resent = pair.frames_left[0] - 50;
    assert!((1..=2).contains(&resent), "{resent} sent in vain");
    let (srtt_us, rttvar_us) = pair.ends[0].rtt.unwrap();
    // Integer rounding may leave it a few microseconds off.
    assert!(srtt_us.abs_diff(3_000_000) < 16, "{srtt_us}");
    assert!(rttvar_us < 16, "{rttvar_us}");
    assert!(pair.ends[0].rto.as_us().abs_diff(3_200_000) < 16, "the margin is the ack delay");

    // The way shortens: the timeout follows, down to the first one.
    pair.latency = Span::from_ms(10);
    for _ in 0..60 {
        pair.send(0, 1);
        pair.drive();
    }
    assert_eq!(pair.frames_left[0], 110 + resent);
    assert_eq!(pair.ends[0].rto, Span::from_s(1));
}

#[test]
fn samples_are_those_of_the_rfc() {
    // By hand, in microseconds: R = 4 s: 4, 2, 4 + 8; R' = 8 s: RTTVAR 1.5 + 1 = 2.5, SRTT 3.5 + 1 = 4.5, RTO
    // 14.5.
    let mut channel = Channel::new(&config(1));
    channel.sample(Span::from_s(4));
    assert_eq!(channel.rtt, Some((4_000_000, 2_000_000)));
    assert_eq!(channel.rto, Span::from_s(12));
    channel.sample(Span::from_s(8));
    assert_eq!(channel.rtt, Some((4_500_000, 2_500_000)));
    assert_eq!(channel.rto, Span::from_ms(14_500));
    for _ in 0..100 {
        channel.sample(Span::from_us(u64::MAX));
    }
    assert_eq!(channel.rto, Span::from_s(60));
    // Cut to a minute, such nights are forgotten: of 60 s, (7/8)^30 = 1.1 s is left in SRTT; RTTVAR, which
    // follows it at twice the speed, has 2 * 60 s * ((7/8)^30 - (3/4)^30) = 2.2 s.
    for _ in 0..30 {
        channel.sample(Span::from_ms(100));
    }
    assert!(channel.rto.as_us().abs_diff(9_900_000) < 400_000, "{:?}", channel.rto);
}

#[test]
fn no_sample_is_taken_from_a_frame_that_was_sent_twice_or_waited_behind_one() {
    let mut pair = Pair::new(&config(8), Span::from_ms(50));
    pair.send(0, 1);
    pair.poll(0, ROOM);
    pair.lose_all();
    pair.now = Time::from_us(600_000);
    pair.send(0, 1);
    pair.drive();
    // Frame 1 left at 0 and 1 s, frame 2 at 0.6 s; it arrived at 0.65 s, and the ack left at 1.05 s.
    pair.assert_idle_and_equal();
    assert_eq!(pair.frames_left[0], 3);
    assert_eq!(pair.ends[0].rtt, None);
    assert_eq!(pair.ends[0].rto, Span::from_s(2), "the doubled timeout stays until the next sample");
    pair.send(0, 1);
    pair.drive();
    assert_eq!(pair.ends[0].rtt, Some((300_000, 150_000)), "the round trip and a delayed ack");
    assert_eq!(pair.ends[0].rto, Span::from_s(1));
}

#[test]
fn a_frame_that_does_not_fit_waits_for_the_next_payload_and_an_ack_does_not() {
    let mut pair = Pair::new(&config(4), Span::from_ms(50));
    for len in [60, 60, 10] {
        pair.send_frame(0, vec![len; usize::from(len)]);
    }
    assert!(pair.ends[0].has_room());
    pair.send(1, 2);
    pair.poll(1, ROOM);
    pair.now = pair.now + pair.latency;
    pair.deliver(0);
    pair.deliver(0);
    assert_eq!(pair.poll(0, 59), 0);
    assert_eq!(pair.acks_left[0], 1, "half a window waits for its ack");
    assert!(pair.ends[0].wants_payload(pair.now));
    assert_eq!(pair.poll(0, 100), 1, "the third would fit, but not before the second");
    assert_eq!(pair.poll(0, 100), 2);
    pair.drive();
    pair.assert_idle_and_equal();
}

#[test]
fn a_payload_without_room_costs_no_timeouts() {
    let mut pair = Pair::new(&ChannelConfig { resends_max: 1, ..config(4) }, Span::from_ms(50));
    pair.send(0, 1);
    pair.poll(0, ROOM);
    pair.lose_all();
    for _ in 0..100 {
        pair.now = pair.now + Span::from_s(100);
        assert_eq!(pair.poll(0, 0), 0);
    }
    assert_eq!(pair.poll(0, ROOM), 1);
    pair.drive();
    pair.assert_idle_and_equal();
}

#[test]
fn bytes_bound_the_window_too() {
    let mut channel = Channel::new(&ChannelConfig { window_bytes: 250, ..config(8) });
    channel.send(Time::ZERO, vec![0; 100]);
    channel.send(Time::ZERO, vec![0; 50]);
    assert!(channel.has_room(), "100 bytes fit exactly");
    channel.send(Time::ZERO, vec![0; 1]);
    assert!(!channel.has_room());
}

#[test]
fn who_does_not_take_what_arrives_is_sent_it_again() {
    let mut pair = Pair::new(&config(2), Span::from_ms(50));
    let handle = |pair: &mut Pair| {
        for flying in std::mem::take(&mut pair.flying) {
            let Flying { to, seq, ack, frame, .. } = flying;
            pair.ends[to].handle(pair.now, Segment { seq, ack, frame: &frame }).unwrap();
        }
    };
    for _ in 0..3 {
        while pair.ends[0].has_room() {
            pair.send(0, 1);
        }
        pair.poll(0, ROOM);
        handle(&mut pair);
        pair.poll(1, ROOM);
        handle(&mut pair);
    }
    assert_eq!(pair.handed[0].len(), 4);
    assert_eq!(pair.ends[1].ready.len(), 2, "the other two were not kept");
    pair.take(1);
    pair.drive();
    pair.assert_idle_and_equal();
}

#[test]
fn who_does_not_take_what_arrives_keeps_no_more_bytes_than_agreed() {
    let mut channel = Channel::new(&ChannelConfig { window_bytes: 250, ..config(8) });
    for seq in 1..=3 {
        channel.handle(Time::ZERO, Segment { seq, ack: 0, frame: &[0; 100] }).unwrap();
    }
    assert_eq!(channel.ready_bytes, 200);
    assert_eq!(channel.arrived, 2, "the third counts as lost");
}

#[test]
fn what_no_honest_peer_sends_is_refused_and_changes_nothing() {
    let mut channel = Channel::new(&ChannelConfig { window_bytes: 150, ..config(4) });
    channel.send(Time::ZERO, vec![1]);
    let refused = |channel: &mut Channel, seq, ack, frame: &[u8]| {
        let before = format!("{channel:?}");
        let error = channel.handle(Time::ZERO, Segment { seq, ack, frame }).unwrap_err();
        assert_eq!(format!("{channel:?}"), before);
        error
    };
    // Handed over, but never sent.
    assert_eq!(refused(&mut channel, 1, 1, b"a"), ChannelError::AckOfUnsent { ack: 1, sent: 0 });
    assert_eq!(refused(&mut channel, 5, 0, b"a"), ChannelError::BeyondWindow { seq: 5, end: 4 });
    let far = ChannelError::BeyondWindow { seq: u32::MAX, end: 4 };
    assert_eq!(refused(&mut channel, u32::MAX, 0, b"a"), far);
    assert_eq!(refused(&mut channel, 1, 0, &[0; 101]), ChannelError::FrameTooLong { len: 101 });
    assert_eq!(refused(&mut channel, 0, 0, b"a"), ChannelError::Unnumbered);
    channel.handle(Time::ZERO, Segment { seq: 4, ack: 0, frame: &[0; 100] }).unwrap();
    assert_eq!(refused(&mut channel, 3, 0, &[0; 51]), ChannelError::TooManyBytes);
    channel.handle(Time::ZERO, Segment { seq: 3, ack: 0, frame: &[0; 50] }).unwrap();
    assert_eq!(channel.receive(), None);
}
