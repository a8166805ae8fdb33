//! What crosses the wire: a header byte that tells the modes apart, and the protobuf of MVDS.
//!
//! | first byte | mode | then |
//! |---|---|---|
//! | 0 | `sync` | a [`Payload`] |
//! | 1 | `nosync` | group (32 B) and body: ephemeral, no state, no ack, no resend |
//! | 2, 3 | control `ping`, `pong` | a number (8 B) that comes back |
//!
//! The header is not protobuf, so a receiver knows what it deals with before it parses anything (the text that
//! this project began with asks for that: protobuf fields have no order, so they make no header).
//!
//! Source: [2/MVDS](https://rfc.vac.dev/spec/2/) for fields 5001-5004 and 6001-6003. Of our own are 5005
//! (reconciliation segments), 5006 (requests by rank) and 5007-5008 (aggregated acks). An OFFER, REQUEST or ACK
//! entry takes 3 bytes of tag, 1 of length and 32 of id.
//!
//! The parents of a message travel *inside* its body ([`Content`]), where
//! [4/MVDS-META](https://rfc.vac.dev/spec/4/) has a field 6004 beside it. There they would be outside of the hash,
//! so anybody on the way could change a message's past; and a relay, to whom bodies are sealed, would see the
//! graph.

use bytes::{Buf as _, Bytes};
use offerbench_algos::ItemId;
use prost::Message as _;
use prost::encoding::WireType;
use thiserror::Error;

use crate::library::GroupId;

/// The records of one epoch for one peer.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Payload {
    /// Ids that the sender holds.
    #[prost(bytes = "bytes", repeated, tag = "5001")]
    pub acks: Vec<Bytes>,
    /// Ids that the sender would give.
    #[prost(bytes = "bytes", repeated, tag = "5002")]
    pub offers: Vec<Bytes>,
    /// Ids that the sender wants.
    #[prost(bytes = "bytes", repeated, tag = "5003")]
    pub requests: Vec<Bytes>,
    /// Messages.
    #[prost(message, repeated, tag = "5004")]
    pub messages: Vec<WireMessage>,
    /// Frames of reconciliation sessions.
    #[prost(message, repeated, tag = "5005")]
    pub segments: Vec<Segment>,
    /// Requests by place in an offer list: see the module `ranks`.
    #[prost(bytes = "bytes", repeated, tag = "5006")]
    pub ranks: Vec<Bytes>,
    /// Ids that the sender holds together with all their ancestors.
    #[prost(bytes = "bytes", repeated, tag = "5007")]
    pub past_acks: Vec<Bytes>,
    /// Hashes of the messages of one payload, all of which the sender holds.
    #[prost(fixed64, repeated, tag = "5008")]
    pub set_acks: Vec<u64>,
}

/// A message of MVDS.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WireMessage {
    /// The group, 32 bytes.
    #[prost(bytes = "bytes", tag = "6001")]
    pub group_id: Bytes,
    /// Milliseconds, by the author's clock.
    #[prost(int64, tag = "6002")]
    pub timestamp: i64,
    /// Opaque here; members find a [`Content`] in it.
    #[prost(bytes = "bytes", tag = "6003")]
    pub body: Bytes,
}

/// What a member finds in a body.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Content {
    /// Ids of the messages that the author had seen last.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub parents: Vec<Bytes>,
    /// What the author wrote.
    #[prost(bytes = "bytes", tag = "2")]
    pub text: Bytes,
}

/// A piece of a reconciliation session: see the module `exchange`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Segment {
    /// The group, 32 bytes; in the segment that opens a session, empty in the others.
    #[prost(bytes = "bytes", tag = "1")]
    pub group: Bytes,
    /// The session; even if the peer with the lower number began it.
    #[prost(uint32, tag = "2")]
    pub session: u32,
    /// Number of the frame, from 1; 0 if there is none.
    #[prost(uint32, tag = "3")]
    pub seq: u32,
    /// All frames up to this one have arrived.
    #[prost(uint32, tag = "4")]
    pub ack: u32,
    /// A frame of the strategy.
    #[prost(bytes = "bytes", tag = "5")]
    pub frame: Bytes,
    /// Hash of the strategy's name and parameters; in the opening segment, 0 in the others.
    #[prost(fixed32, tag = "6")]
    pub strategy: u32,
    /// Not 0: the session is over for the sender, or unknown to it.
    #[prost(uint32, tag = "7")]
    pub end: u32,
}

/// Bytes of an OFFER, REQUEST or ACK entry.
pub const ENTRY_LEN: usize = 3 + 1 + ItemId::LEN;

/// A payload in the making. What there is much of is written as bytes at once; the result is what
/// [`Payload`] would encode to.
#[derive(Debug, Default)]
pub struct Draft {
    acks: Vec<u8>,
    offers: Vec<u8>,
    requests: Vec<u8>,
    messages: Vec<u8>,
    /// The other fields.
    pub rest: Payload,
}

/// The entry of an id under this field.
fn put_id(bytes: &mut Vec<u8>, field: u32, id: &ItemId) {
    let start = bytes.len();
    prost::encoding::encode_key(field, WireType::LengthDelimited, bytes);
    bytes.push(ItemId::LEN as u8);
    bytes.extend_from_slice(id.bytes());
    debug_assert_eq!(bytes.len() - start, ENTRY_LEN);
}

impl Draft {
    /// Adds an ACK.
    pub fn ack(&mut self, id: &ItemId) {
        put_id(&mut self.acks, 5001, id);
    }

    /// Adds an OFFER.
    pub fn offer(&mut self, id: &ItemId) {
        put_id(&mut self.offers, 5002, id);
    }

    /// Adds a REQUEST.
    pub fn request(&mut self, id: &ItemId) {
        put_id(&mut self.requests, 5003, id);
    }

    /// Adds a MESSAGE, from its bytes in a payload.
    pub fn message(&mut self, entry: &[u8]) {
        self.messages.extend_from_slice(entry);
    }

    /// Whether there is nothing in it but, perhaps, acks.
    pub fn is_acks_alone(&self) -> bool {
        self.offers.is_empty()
            && self.requests.is_empty()
            && self.messages.is_empty()
            && self.rest.ranks.is_empty()
            && self.rest.segments.is_empty()
    }

    /// Appends the datagram to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(SYNC);
        for part in [&self.acks, &self.offers, &self.requests, &self.messages] {
            out.extend_from_slice(part);
        }
        self.rest.encode(out).expect("a vector grows");
    }
}

/// The bytes of a message as an entry of a payload.
pub fn message_entry(message: &WireMessage) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::message::encode(5004, message, &mut bytes);
    bytes
}

/// What arrived, by its header.
#[derive(Clone, Debug, PartialEq)]
pub enum Datagram {
    /// Records to synchronise.
    Sync(Payload),
    /// An ephemeral message.
    NoSync {
        /// Its group.
        group: GroupId,
        /// Its body.
        body: Bytes,
    },
    /// Answer with this number.
    Ping(u64),
    /// The answer.
    Pong(u64),
}

/// Why a datagram was refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PayloadError {
    /// No bytes at all.
    #[error("empty datagram")]
    Empty,
    /// A first byte that is no mode.
    #[error("mode {0} is not known")]
    UnknownMode(u8),
    /// Longer than a payload may be.
    #[error("{len} bytes, at most {max} are taken")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// Not the protobuf of a payload.
    #[error("not a payload: {0}")]
    Malformed(String),
    /// A `nosync` or control datagram of the wrong length.
    #[error("mode {mode}: {len} bytes do not make one")]
    WrongLength {
        /// Its mode.
        mode: u8,
        /// Its length in bytes, without the header.
        len: usize,
    },
    /// From a peer that shares nothing with this node.
    #[error("peer {0} is not known")]
    UnknownPeer(u32),
}

const SYNC: u8 = 0;
const NOSYNC: u8 = 1;
const PING: u8 = 2;
const PONG: u8 = 3;

impl Datagram {
    /// Appends the bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sync(payload) => {
                out.push(SYNC);
                payload.encode(out).expect("a vector grows");
            }
            Self::NoSync { group, body } => {
                out.push(NOSYNC);
                out.extend_from_slice(&group.0);
                out.extend_from_slice(body);
            }
            Self::Ping(number) | Self::Pong(number) => {
                out.push(if matches!(self, Self::Ping(_)) { PING } else { PONG });
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
    }

    /// Reads what arrived. The header alone decides how. Memory is at most some ten times `bytes`, the cost of
    /// empty entries.
    ///
    /// # Errors
    ///
    /// When the bytes are none, too many, or not of their mode's form.
    pub fn decode(bytes: &[u8], len_max: usize) -> Result<Self, PayloadError> {
        if bytes.len() > len_max {
            return Err(PayloadError::TooLong { len: bytes.len(), max: len_max });
        }
        let (&mode, rest) = bytes.split_first().ok_or(PayloadError::Empty)?;
        let wrong = || PayloadError::WrongLength { mode, len: rest.len() };
        let number = || Ok(u64::from_le_bytes(rest.try_into().map_err(|_| wrong())?));
        match mode {
            SYNC => Payload::decode(Bytes::copy_from_slice(rest))
                .map(Self::Sync)
                .map_err(|error| PayloadError::Malformed(error.to_string())),
            NOSYNC => {
                let (group, body) = rest.split_first_chunk().ok_or_else(wrong)?;
                Ok(Self::NoSync { group: GroupId(*group), body: Bytes::copy_from_slice(body) })
            }
            PING => Ok(Self::Ping(number()?)),
            PONG => Ok(Self::Pong(number()?)),
            _ => Err(PayloadError::UnknownMode(mode)),
        }
    }
}

impl Content {
    /// Reads a body; `None` if it is no content with at most `parents_max` parents of 32 bytes.
    pub fn parse(body: &Bytes, parents_max: usize) -> Option<(Vec<ItemId>, Bytes)> {
        let content = Self::decode(body.clone()).ok()?;
        if content.parents.len() > parents_max {
            return None;
        }
        let mut parents: Vec<ItemId> = content.parents.iter().map(to_id).collect::<Option<_>>()?;
        parents.sort_unstable();
        parents.dedup();
        Some((parents, content.text))
    }

    /// The body of a message.
    pub fn to_body(parents: Vec<Bytes>, text: &[u8]) -> Bytes {
        Self { parents, text: Bytes::copy_from_slice(text) }.encode_to_vec().into()
    }
}

/// An id of the wire, if it has 32 bytes.
pub fn to_id(bytes: &Bytes) -> Option<ItemId> {
    Some(ItemId::new(bytes.chunk().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(datagram: &Datagram) -> Vec<u8> {
        let mut bytes = Vec::new();
        datagram.encode(&mut bytes);
        bytes
    }

    #[test]
    fn an_entry_takes_36_bytes() {
        let id = Bytes::from_static(&[7; 32]);
        for n in [1, 2, 5] {
            let list = vec![id.clone(); n];
            for payload in [
                Payload { acks: list.clone(), ..Payload::default() },
                Payload { offers: list.clone(), ..Payload::default() },
                Payload { requests: list.clone(), ..Payload::default() },
            ] {
                assert_eq!(payload.encoded_len(), n * ENTRY_LEN);
            }
        }
        assert_eq!(ENTRY_LEN, 36);
    }

    #[test]
    fn the_header_tells_the_modes_apart() {
        let group = GroupId([3; 32]);
        let all = [
            Datagram::Sync(Payload { set_acks: vec![9], ..Payload::default() }),
            Datagram::NoSync { group, body: Bytes::from_static(b"typing") },
            Datagram::Ping(u64::MAX),
            Datagram::Pong(1),
        ];
        for (mode, datagram) in (0..).zip(&all) {
            let bytes = encoded(datagram);
            assert_eq!(bytes[0], mode);
            assert_eq!(Datagram::decode(&bytes, 1000).as_ref(), Ok(datagram));
        }
        assert_eq!(Datagram::decode(&[], 9), Err(PayloadError::Empty));
        assert_eq!(Datagram::decode(&[4], 9), Err(PayloadError::UnknownMode(4)));
        assert_eq!(Datagram::decode(&[2, 1], 9), Err(PayloadError::WrongLength { mode: 2, len: 1 }));
        assert_eq!(Datagram::decode(&[0; 10], 9), Err(PayloadError::TooLong { len: 10, max: 9 }));
    }

    #[test]
    fn a_draft_is_what_the_payload_encodes_to() {
        let id = |n: u8| ItemId::new([n; 32]);
        let ids = |n: u8| vec![Bytes::copy_from_slice(id(n).bytes()); 2];
        let message = WireMessage {
            group_id: Bytes::from_static(&[9; 32]),
            timestamp: -5,
            body: Bytes::from_static(b"body"),
        };
        let rest = Payload {
            segments: vec![Segment { session: 3, ..Segment::default() }],
            ranks: ids(1),
            past_acks: ids(2),
            set_acks: vec![1, 2],
            ..Payload::default()
        };
        let mut draft = Draft { rest: rest.clone(), ..Draft::default() };
        for _ in 0..2 {
            draft.ack(&id(3));
            draft.offer(&id(4));
            draft.request(&id(5));
            draft.message(&message_entry(&message));
        }
        let payload = Payload {
            acks: ids(3),
            offers: ids(4),
            requests: ids(5),
            messages: vec![message.clone(), message],
            ..rest
        };
        let mut bytes = Vec::new();
        draft.encode(&mut bytes);
        assert_eq!(bytes, encoded(&Datagram::Sync(payload)));
    }

    #[test]
    fn parents_are_checked() {
        let parents = vec![Bytes::from_static(&[2; 32]), Bytes::from_static(&[1; 32])];
        let body = Content::to_body(parents.clone(), b"hi");
        let (ids, text) = Content::parse(&body, 2).unwrap();
        assert_eq!(ids, [ItemId::new([1; 32]), ItemId::new([2; 32])]);
        assert_eq!(text, b"hi"[..]);
        assert_eq!(Content::parse(&body, 1), None);
        assert_eq!(Content::parse(&Content::to_body(vec![Bytes::from_static(&[1; 31])], b""), 9), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let _ = Datagram::decode(&bytes, 1 << 20);
            let _ = Content::parse(&Bytes::from(bytes), 8);
        }
    }
}
