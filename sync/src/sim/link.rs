//! Links: what happens to a payload between two nodes.
//!
//! A link is one direction of a pair. A payload is cut into packets of at most [`LinkProfile::mtu`] payload
//! bytes, each with [`LinkProfile::packet_overhead`] bytes more; the packets leave one after the other at the
//! link's rate, behind what still waits there; each is lost on its own, and **one lost packet loses the
//! payload**, so large payloads suffer more. What gets through travels for the latency and a share of the jitter,
//! and does not overtake its predecessor unless it was drawn to be reordered.
//!
//! Not modelled: a medium that several links share (a phone's one uplink, LoRa's one channel and its duty
//! cycle of 1% in Europe's 868 MHz band), retransmission below us other than as latency, and half-duplex radio.

use super::dice::{Dice, PPM};
use crate::{Span, Time};

/// What a link is like, as whole numbers: times in microseconds, probabilities in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkProfile {
    /// What every payload travels at least.
    pub latency_us: u64,
    /// What a payload travels in addition, at most; drawn evenly from 0. Order is kept.
    pub jitter_us: u64,
    /// Bits a second at which packets leave; 0 is without limit.
    pub rate_bps: u64,
    /// Bytes (with overheads) that may wait to leave; a payload that finds more is dropped. 0 is without limit.
    /// A payload that finds nothing waiting is always taken, or large ones would never leave.
    pub queue_len: u64,
    /// Payload bytes in one packet; 0 puts every payload into one packet.
    pub mtu: u32,
    /// Bytes that each packet costs beside its share of the payload.
    pub packet_overhead: u32,
    /// Packets lost, in a million.
    pub loss_ppm: u32,
    /// Payloads that arrive twice, in a million.
    pub duplicate_ppm: u32,
    /// Payloads that are held back so that later ones overtake them, in a million.
    pub reorder_ppm: u32,
    /// How long those are held back, at most; drawn evenly.
    pub reorder_us: u64,
}

impl LinkProfile {
    /// At once, whole, always: for pair stories and for counting bytes.
    pub const IDEAL: Self = Self {
        latency_us: 0,
        jitter_us: 0,
        rate_bps: 0,
        queue_len: 0,
        mtu: 0,
        packet_overhead: 0,
        loss_ppm: 0,
        duplicate_ppm: 0,
        reorder_ppm: 0,
        reorder_us: 0,
    };

    /// Gigabit Ethernet. A packet of 1,500 bytes carries 1,472 beside the headers of IPv4 (20) and UDP (8); frame
    /// header, checksum, preamble and gap are 38 more (IEEE 802.3). Latency, jitter and queue are chosen.
    pub const LAN: Self = Self {
        latency_us: 200,
        jitter_us: 100,
        rate_bps: 1_000_000_000,
        queue_len: 1 << 20,
        mtu: 1472,
        packet_overhead: 66,
        ..Self::IDEAL
    };

    /// A phone on 4G through a server-less path to another phone. All chosen, from the order of what public
    /// measurements report: 50 ms each way, an uplink of 10 Mbit/s, a loss of one packet in a thousand; 28 bytes
    /// are the headers of IPv4 and UDP.
    pub const MOBILE_4G: Self = Self {
        latency_us: 50_000,
        jitter_us: 30_000,
        rate_bps: 10_000_000,
        queue_len: 256 << 10,
        mtu: 1372,
        packet_overhead: 28,
        loss_ppm: 1_000,
        duplicate_ppm: 100,
        reorder_ppm: 1_000,
        reorder_us: 20_000,
    };

    /// A stream through Tor. Cells are 514 bytes and carry 498 of a stream (tor-spec, "Relay cells"); the last
    /// cell's padding is not counted. Streams lose nothing. Latency (400 ms each way, as for two circuits that
    /// meet), jitter and rate are chosen.
    pub const TOR: Self = Self {
        latency_us: 400_000,
        jitter_us: 400_000,
        rate_bps: 2_000_000,
        queue_len: 1 << 20,
        mtu: 498,
        packet_overhead: 16,
        ..Self::IDEAL
    };

    /// Bluetooth Low Energy 5 at 1 Mbit/s. A link-layer packet carries 251 bytes (Bluetooth 4.2, data length
    /// extension), of which L2CAP takes 4 and ATT 3; preamble, access address, header, check and CRC are 14
    /// more. Rate (what applications get), latency (a connection interval of 30 ms) and losses are chosen.
    pub const BLE: Self = Self {
        latency_us: 15_000,
        jitter_us: 30_000,
        rate_bps: 600_000,
        queue_len: 32 << 10,
        mtu: 244,
        packet_overhead: 21,
        loss_ppm: 10_000,
        ..Self::IDEAL
    };

    /// LoRa at spreading factor 7 and 125 kHz: 5,470 bit/s and 222 payload bytes (LoRaWAN Regional Parameters,
    /// EU863-870, DR5), of LoRaWAN's 13 bytes of header and check. Latency (about a preamble) and losses are
    /// chosen; the duty cycle is not modelled.
    pub const LORA: Self = Self {
        latency_us: 20_000,
        jitter_us: 10_000,
        rate_bps: 5_470,
        queue_len: 4 << 10,
        mtu: 222,
        packet_overhead: 13,
        loss_ppm: 50_000,
        ..Self::IDEAL
    };

    /// The named profiles, as their names are parsed ([`FromStr`](core::str::FromStr)).
    pub const NAMED: [(&'static str, Self); 6] = [
        ("ideal", Self::IDEAL),
        ("lan", Self::LAN),
        ("4g", Self::MOBILE_4G),
        ("tor", Self::TOR),
        ("ble", Self::BLE),
        ("lora", Self::LORA),
    ];

    /// The same link with nothing going wrong: no loss, no duplicates, no reordering, no full queue. Latency,
    /// jitter and rate stay.
    #[must_use]
    pub const fn healed(self) -> Self {
        Self { loss_ppm: 0, duplicate_ppm: 0, reorder_ppm: 0, queue_len: 0, ..self }
    }

    /// Packets into which a payload is cut; an empty one is a packet too.
    pub const fn packet_count(&self, payload_len: usize) -> u64 {
        if self.mtu == 0 || payload_len == 0 {
            return 1;
        }
        (payload_len as u64).div_ceil(self.mtu as u64)
    }

    /// Bytes that a payload costs on the link.
    pub const fn wire_len(&self, payload_len: usize) -> u64 {
        payload_len as u64 + self.packet_count(payload_len) * self.packet_overhead as u64
    }

    /// How long `wire_len` bytes take to leave.
    pub const fn leaving_us(&self, wire_len: u64) -> u64 {
        if self.rate_bps == 0 {
            return 0;
        }
        wire_len.saturating_mul(8_000_000).div_ceil(self.rate_bps)
    }

    /// The chance, of 2^32, that all of so many packets arrive.
    fn survival(&self, packet_count: u64) -> u64 {
        let one = u64::from(PPM - self.loss_ppm.min(PPM));
        let mut base = (one << 32) / u64::from(PPM);
        let mut left = packet_count;
        let mut survival = 1_u64 << 32;
        while left > 0 {
            if left & 1 == 1 {
                survival = ((u128::from(survival) * u128::from(base)) >> 32) as u64;
            }
            base = ((u128::from(base) * u128::from(base)) >> 32) as u64;
            left >>= 1;
        }
        survival
    }
}

/// What the link made of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// It arrives.
    Arrives {
        /// When it is there.
        at: Time,
        /// When it is there once more.
        again: Option<Time>,
    },
    /// A packet was lost on the way.
    Lost,
    /// Its sender went offline before it had left.
    Cut,
    /// The queue was full.
    Overflowed,
}

/// From when until when the sender of a payload is online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Up {
    /// When it came: what waited from before that holds nothing up.
    pub since: Time,
    /// When it will go: what has not left by then does not leave.
    pub until: Time,
}

impl Up {
    /// Always.
    pub const ALWAYS: Self = Self { since: Time::ZERO, until: Time::from_us(u64::MAX) };
}

/// The state of one direction of a pair: 40 bytes.
#[derive(Clone, Debug)]
pub struct Link {
    /// When everything that was given to it has left.
    free_at: Time,
    /// When the latest payload that was not held back arrives: nobody overtakes it.
    arrived_at: Time,
    /// When it was last used: what waited when its sender went offline is gone.
    used_at: Time,
    dice: Dice,
}

impl Link {
    /// An unused link.
    pub const fn new(dice: Dice) -> Self {
        Self { free_at: Time::ZERO, arrived_at: Time::ZERO, used_at: Time::ZERO, dice }
    }

    /// Takes a payload of `payload_len` bytes from a sender who is `up`. `extra` is what a rule adds to the way.
    pub fn carry(
        &mut self,
        profile: &LinkProfile,
        now: Time,
        up: Up,
        payload_len: usize,
        extra: Span,
    ) -> Carried {
        let waits_until = if self.used_at < up.since { now } else { self.free_at.max(now) };
        let packet_count = profile.packet_count(payload_len);
        let wire_len = profile.wire_len(payload_len);
        if profile.queue_len > 0 && profile.rate_bps > 0 {
            let waiting_us = waits_until.since(now).as_us();
            let waiting = u128::from(waiting_us) * u128::from(profile.rate_bps) / 8_000_000;
            if waiting > 0 && waiting + u128::from(wire_len) > u128::from(profile.queue_len) {
                return Carried::Overflowed;
            }
        }
        let left = waits_until + Span::from_us(profile.leaving_us(wire_len));
        self.free_at = left;
        self.used_at = now;
        if left > up.until {
            return Carried::Cut;
        }
        // Packets are lost after they have taken their time on the link.
        if profile.loss_ppm > 0 && self.dice.next_u64() >> 32 >= profile.survival(packet_count) {
            return Carried::Lost;
        }
        let mut at = left + Span::from_us(profile.latency_us) + extra;
        if profile.jitter_us > 0 {
            at = at + Span::from_us(self.dice.below(profile.jitter_us.saturating_add(1)));
        }
        if self.dice.happens(profile.reorder_ppm) {
            at = at + Span::from_us(self.dice.below(profile.reorder_us.saturating_add(1)));
        } else if extra == Span::ZERO {
            at = at.max(self.arrived_at);
            self.arrived_at = at;
        }
        let again = self.dice.happens(profile.duplicate_ppm).then(|| {
            let behind = profile.latency_us.saturating_add(profile.jitter_us).saturating_add(1);
            at + Span::from_us(self.dice.below(behind))
        });
        Carried::Arrives { at, again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use offerbench_algos::Seed;

    fn link(seed: u64) -> Link {
        Link::new(Dice::new(Seed::new(seed)))
    }

    fn at_us(carried: Carried) -> u64 {
        match carried {
            Carried::Arrives { at, .. } => at.as_us(),
            other => panic!("{other:?}"),
        }
    }

    /// Two payloads given at once leave one after the other: 1,000 bytes at 1 Mbit/s take 8 ms each.
    #[test]
    fn rate_puts_payloads_in_a_row() {
        let profile = LinkProfile { latency_us: 5_000, rate_bps: 1_000_000, ..LinkProfile::IDEAL };
        let mut link = link(1);
        let now = Time::from_us(1_000_000);
        assert_eq!(at_us(link.carry(&profile, now, Up::ALWAYS, 1000, Span::ZERO)), 1_013_000);
        assert_eq!(at_us(link.carry(&profile, now, Up::ALWAYS, 1000, Span::ZERO)), 1_021_000);
        // A second later nothing waits any more.
        let later = Time::from_us(2_000_000);
        assert_eq!(at_us(link.carry(&profile, later, Up::ALWAYS, 125, Span::ZERO)), 2_006_000);
    }

    #[test]
    fn what_waited_before_the_sender_went_offline_holds_nothing_up() {
        let profile = LinkProfile { rate_bps: 8, ..LinkProfile::IDEAL };
        let mut link = link(1);
        let first = Up { since: Time::ZERO, until: Time::from_us(3_000_000) };
        assert_eq!(link.carry(&profile, Time::ZERO, first, 100, Span::ZERO), Carried::Cut);
        let again = Up { since: Time::from_us(5_000_000), ..Up::ALWAYS };
        assert_eq!(at_us(link.carry(&profile, again.since, again, 1, Span::ZERO)), 6_000_000);
    }

    #[test]
    fn packets_cost_their_overhead_each() {
        let lora = LinkProfile::LORA;
        assert_eq!(lora.packet_count(0), 1);
        assert_eq!(lora.packet_count(222), 1);
        assert_eq!(lora.packet_count(223), 2);
        assert_eq!(lora.wire_len(223), 223 + 26);
        assert_eq!(LinkProfile::IDEAL.wire_len(1 << 20), 1 << 20);
    }

    /// A payload of n packets is lost with probability 1 - (1-p)^n.
    #[test]
    fn large_payloads_are_lost_more_often() {
        let profile = LinkProfile { mtu: 100, loss_ppm: 100_000, ..LinkProfile::IDEAL };
        let mut link = link(2);
        for (packets, expected) in [(1_usize, 0.1), (2, 0.19), (7, 0.521_703), (30, 0.957_609)] {
            let mut lost = 0_u32;
            for _ in 0..20_000 {
                let carried = link.carry(&profile, Time::ZERO, Up::ALWAYS, packets * 100, Span::ZERO);
                lost += u32::from(carried == Carried::Lost);
            }
            let share = f64::from(lost) / 20_000.0;
            // The largest deviation, at one half, is 0.0035; four and a half of them.
            assert!((share - expected).abs() < 0.016, "{packets} packets: {share}");
        }
    }

    #[test]
    fn certain_loss_loses_everything_and_none_nothing() {
        let all = LinkProfile { loss_ppm: PPM, ..LinkProfile::IDEAL };
        assert_eq!(all.survival(1), 0);
        assert_eq!(LinkProfile::IDEAL.survival(u64::MAX), 1 << 32);
        let mut link = link(3);
        assert_eq!(link.carry(&all, Time::ZERO, Up::ALWAYS, 1, Span::ZERO), Carried::Lost);
        let healed = all.healed();
        assert!(matches!(
            link.carry(&healed, Time::ZERO, Up::ALWAYS, 1, Span::ZERO),
            Carried::Arrives { again: None, .. }
        ));
    }

    #[test]
    fn a_full_queue_drops_and_an_empty_one_takes_anything() {
        let profile = LinkProfile { rate_bps: 8_000, queue_len: 150, ..LinkProfile::IDEAL };
        let mut link = link(4);
        let mut carry = |at: u64, len| link.carry(&profile, Time::from_us(at), Up::ALWAYS, len, Span::ZERO);
        assert_eq!(at_us(carry(0, 1_000)), 1_000_000);
        assert_eq!(carry(0, 1), Carried::Overflowed);
        // 100 bytes still wait: 50 more fit, 51 do not.
        assert_eq!(carry(900_000, 51), Carried::Overflowed);
        assert_eq!(at_us(carry(900_000, 50)), 1_050_000);
    }

    /// Jitter alone never reorders; a payload that is held back does not hold back others.
    #[test]
    fn order_is_kept_unless_reordering_is_drawn() {
        let jitter = LinkProfile { latency_us: 10, jitter_us: 1_000, ..LinkProfile::IDEAL };
        let mut fifo = link(5);
        let mut last = 0;
        for now in 0..2_000 {
            let at = at_us(fifo.carry(&jitter, Time::from_us(now), Up::ALWAYS, 1, Span::ZERO));
            assert!(at >= last);
            last = at;
        }
        let held = LinkProfile { reorder_ppm: 100_000, reorder_us: 5_000, ..jitter };
        let mut link = link(6);
        let mut overtaken = 0;
        let mut newest = 0;
        for now in 0..2_000 {
            let at = at_us(link.carry(&held, Time::from_us(now * 100), Up::ALWAYS, 1, Span::ZERO));
            overtaken += u32::from(at < newest);
            newest = newest.max(at);
        }
        // One in ten is held back by 2.5 ms on average, and 25 follow in that time.
        assert!((400..2_000).contains(&overtaken), "{overtaken}");
    }

    #[test]
    fn duplicates_come_at_their_rate_and_not_before_the_original() {
        let profile = LinkProfile { latency_us: 100, duplicate_ppm: 200_000, ..LinkProfile::IDEAL };
        let mut link = link(7);
        let mut twice = 0;
        for _ in 0..10_000 {
            if let Carried::Arrives { at, again: Some(again), .. } =
                link.carry(&profile, Time::ZERO, Up::ALWAYS, 1, Span::ZERO)
            {
                assert!(again >= at);
                twice += 1;
            }
        }
        // Binomial(10000, 0.2) has a deviation of 40; five of them.
        assert!((1_800..2_200).contains(&twice), "{twice}");
    }
}
