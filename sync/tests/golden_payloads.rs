//! Payloads that another protobuf implementation has written: read here, and written again with the same bytes.
//! `vectors/make.py` says which implementation, and makes the file again.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

use bytes::Bytes;
use offerbench_sync::{Datagram, Payload, WireMessage};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    hex: String,
    /// What a writer makes of the records, where that differs from `hex`.
    canonical_hex: Option<String>,
    acks: Vec<String>,
    offers: Vec<String>,
    requests: Vec<String>,
    messages: Vec<CaseMessage>,
}

#[derive(Deserialize)]
struct CaseMessage {
    group: String,
    timestamp: i64,
    body: String,
}

fn bytes(hex: &str) -> Bytes {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn all(hex: &[String]) -> Vec<Bytes> {
    hex.iter().map(|hex| bytes(hex)).collect()
}

#[test]
fn payloads_of_another_implementation_come_back_byte_for_byte() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("vectors/payload.json")).unwrap();
    assert!(cases.len() >= 10);
    for case in cases {
        let records = Payload {
            acks: all(&case.acks),
            offers: all(&case.offers),
            requests: all(&case.requests),
            messages: case
                .messages
                .iter()
                .map(|message| WireMessage {
                    group_id: bytes(&message.group),
                    timestamp: message.timestamp,
                    body: bytes(&message.body),
                })
                .collect(),
            ..Payload::default()
        };
        let theirs = bytes(&case.hex);
        let mut datagram = vec![0];
        datagram.extend_from_slice(&theirs);
        let read = Datagram::decode(&datagram, 1 << 20).unwrap();
        assert_eq!(read, Datagram::Sync(records), "{}", case.name);
        let mut ours = Vec::new();
        read.encode(&mut ours);
        let canonical = case.canonical_hex.map_or(theirs, |hex| bytes(&hex));
        assert_eq!((ours[0], &ours[1..]), (0, &canonical[..]), "{}", case.name);
    }
}
