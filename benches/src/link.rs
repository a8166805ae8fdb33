//! The simulator's links, as a record's header declares them.

use offerbench_algos::wire::FRAME_LEN_DEFAULT;
use offerbench_reports::record::Link;
use offerbench_sync::sim::LinkProfile;
use offerbench_sync::{Datagram, Payload, Segment};

/// Longest payload of the declared links: a frame of the exact lane, and what is around it.
pub const PAYLOAD_LEN_MAX: u32 = FRAME_LEN_DEFAULT + 128;

/// Bytes that must be left in a payload for a further frame's surroundings; see the sync core's segments.
const ROOM: u32 = 62;

/// Where a profile's figures are from, in short; [`LinkProfile`] says more.
const SOURCES: [(&str, &str); 5] = [
    (
        "lan",
        "IEEE 802.3 (1 Gbit/s, headers, preamble and gap), IPv4 and UDP headers; latency and jitter chosen",
    ),
    ("4g", "IPv4 and UDP headers; all else chosen from the order of public measurements of phones"),
    ("tor", "tor-spec, relay cells (514 bytes for 498 of a stream); latency, jitter and rate chosen"),
    (
        "ble",
        "Bluetooth 4.2 data length extension (251-byte packets; L2CAP, ATT and link layer headers); rate as applications \
         get, latency of a 30 ms connection interval, losses chosen",
    ),
    (
        "lora",
        "LoRaWAN Regional Parameters, EU863-870, DR5 (SF7, 125 kHz: 5,470 bit/s, 222 bytes; 13 of header and check); \
         latency and losses chosen, no duty cycle",
    ),
];

/// All named links but the ideal one.
pub fn links() -> Vec<Link> {
    let named = |(name, source): &(&str, &str)| {
        let (_, profile) = LinkProfile::NAMED.iter().find(|(known, _)| known == name)?;
        Some(declared(name, profile, source))
    };
    SOURCES.iter().filter_map(named).collect()
}

/// A profile in the form of a header.
pub fn declared(name: &str, profile: &LinkProfile, source: &str) -> Link {
    /// Short of 128 bytes with what is around it.
    const SHORT: u32 = 50;
    let around = payload_len(SHORT, false) - SHORT;
    Link {
        name: name.to_owned(),
        latency_us: profile.latency_us,
        jitter_us: profile.jitter_us,
        rate_bps: profile.rate_bps,
        mtu: profile.mtu,
        packet_overhead: profile.packet_overhead,
        loss_ppm: profile.loss_ppm,
        frame_overhead: around,
        length_fields: payload_len(500, false) - 500 - around,
        ack_len: payload_len(0, false),
        opening_overhead: payload_len(SHORT, true) - SHORT - around,
        payload_len_max: PAYLOAD_LEN_MAX - ROOM,
        source: source.to_owned(),
    }
}

/// Bytes of a payload with a frame of so many, or with none and an acknowledgement alone, as the sync core encodes it.
fn payload_len(frame_len: u32, opens: bool) -> u32 {
    let segment = Segment {
        group: vec![1; if opens { 32 } else { 0 }].into(),
        session: u32::MAX,
        seq: u32::from(frame_len > 0),
        ack: u32::from(!opens),
        frame: vec![0; frame_len as usize].into(),
        strategy: u32::from(opens),
        end: 0,
    };
    let mut bytes = Vec::new();
    Datagram::Sync(Payload { segments: vec![segment], ..Payload::default() }).encode(&mut bytes);
    bytes.len() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_but_the_ideal_one_is_declared_with_its_source() {
        let declared: Vec<String> = links().into_iter().map(|link| link.name).collect();
        let named: Vec<&str> = LinkProfile::NAMED.iter().map(|(name, _)| *name).collect();
        assert_eq!(declared, named[1..]);
        assert_eq!(named[0], "ideal");
    }

    /// Header 1, tag and length of the segment 3 + 1, session 6, number 2, acknowledgement 2, tag and length of the frame 2;
    /// the opening has 34 for the group and 5 for the strategy, and acknowledges nothing.
    #[test]
    fn what_the_core_puts_around_a_frame() {
        let lora = declared("lora", &LinkProfile::LORA, "");
        assert_eq!((lora.frame_overhead, lora.length_fields), (17, 2));
        assert_eq!((lora.ack_len, lora.opening_overhead), (13, 37));
    }
}
