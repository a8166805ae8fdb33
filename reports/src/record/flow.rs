//! What it takes to say how long a session lasts: the links it might run over, and what waits for what.

use serde::{Deserialize, Serialize};

/// A link between two members, the same in both directions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// `lan`, `4g`, `tor`, `ble`, `lora`.
    pub name: String,
    /// From the last bit that leaves to the last that arrives, one way, in microseconds.
    pub latency_us: u64,
    /// What is added to that at most, drawn evenly from 0 for each payload, in microseconds.
    pub jitter_us: u64,
    /// Bits a second at which packets leave; 0 is without limit.
    pub rate_bps: u64,
    /// Payload bytes in one packet; 0 puts every payload into one packet.
    pub mtu: u32,
    /// Bytes that each packet costs beside its share of the payload.
    pub packet_overhead: u32,
    /// Packets lost, in a million.
    pub loss_ppm: u32,
    /// Bytes that the sync core puts around a frame of fewer than 128: the payload's header, the session's number,
    /// acknowledgements. No strategy's choice, so no row counts them.
    pub frame_overhead: u32,
    /// Fields of that which hold the frame's length: each grows by a byte for every 7 bits that the length has more.
    pub length_fields: u32,
    /// Bytes of a payload that holds an acknowledgement alone.
    pub ack_len: u32,
    /// What it puts around a session's first frame besides: the group and the strategy.
    pub opening_overhead: u32,
    /// Longest payload, in bytes: frames that are due at the same moment share one.
    pub payload_len_max: u32,
    /// Where the figures are from.
    pub source: String,
}

/// Frames that an end sent without having handled anything of the other in between, alike in length: to an eighth of
/// their mean. In the file four numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u64; 4]", into = "[u64; 4]")]
pub struct Burst {
    /// Frames of the other end that the sender had handled before.
    pub after: u64,
    /// How many frames.
    pub frames: u64,
    /// Their bytes together.
    pub bytes: u64,
    /// How many of them, the last ones, arrived for nothing: overshoot.
    pub vain: u64,
}

impl From<[u64; 4]> for Burst {
    fn from([after, frames, bytes, vain]: [u64; 4]) -> Self {
        Self { after, frames, bytes, vain }
    }
}

impl From<Burst> for [u64; 4] {
    fn from(burst: Burst) -> Self {
        [burst.after, burst.frames, burst.bytes, burst.vain]
    }
}
