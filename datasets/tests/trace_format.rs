//! The format chat-trace/1: what is written is read back to the byte, and whatever breaks a rule is refused
//! with the file, the line and the rule. No bytes whatever make the readers panic.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use offerbench_algos::Seed;
use offerbench_datasets::{
    About, Annotated, Kind, LINE_LEN_MAX, Presence, Trace, TraceBuilder, TraceError, synthetic::START_MS,
};
use proptest::prelude::*;

const THREE: &str = include_str!("golden/three.jsonl");

fn read(text: &str) -> Result<Trace, TraceError> {
    Trace::from_reader(text.as_bytes(), "a.jsonl")
}

fn fault(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

#[test]
fn the_golden_trace_is_read_and_written_to_the_byte() {
    let trace = read(THREE).unwrap();
    let record = trace.get(2).unwrap();
    assert_eq!((record.t, record.author, record.size, record.parents), (12.125, 0, 30, [0, 1].as_slice()));
    assert_eq!(trace.get(1).unwrap().parents, [0]);
    assert_eq!(trace.get(3), None);
    let mut written = Vec::new();
    trace.write(&mut written).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), THREE);
}

#[test]
fn gzip_is_read_and_written_without_name_and_time() {
    let trace = Trace::from_reader(gzip(THREE.as_bytes()).as_slice(), "a").unwrap();
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    trace.write_gz(&mut once).unwrap();
    trace.write_gz(&mut twice).unwrap();
    assert_eq!(once, twice);
    // RFC 1952: flags 0, time 0, system 255 (unknown).
    assert_eq!((once[3], &once[4..8], once[9]), (0, [0; 4].as_slice(), 255));
    assert_eq!(Trace::from_reader(once.as_slice(), "a").unwrap(), trace);
}

/// A time before the start shifts all, and the order in time differs from that of the trace.
#[test]
fn items_of_unsorted_times() {
    let trace = read(THREE).unwrap();
    let items = trace.items(Seed::new(1));
    let at: Vec<u64> = items.iter().map(|item| item.at - START_MS).collect();
    assert_eq!(at, [3_500, 0, 15_625]);
    assert_eq!(items, trace.items(Seed::new(1)));
    assert_ne!(items[0].id, trace.items(Seed::new(2))[0].id);
    let renamed = read(&THREE.replace("\"three\"", "\"drei\"")).unwrap();
    assert_ne!(items[0].id, renamed.items(Seed::new(1))[0].id);
    assert_eq!(trace.messages(Seed::new(1))[1].author, 1);
}

#[test]
fn every_broken_rule_names_file_line_and_rule() {
    let cases = [
        ("", "", "a.jsonl, line 1: the file is empty"),
        (THREE, "not json\n", "a.jsonl, line 1: no header of format chat-trace/1"),
        ("chat-trace/1", "chat-trace/2", "a.jsonl, line 1: the header says format `chat-trace/2`"),
        (
            "\"messages\":3",
            "\"messages\":4",
            "a.jsonl, line 1: the header says messages = 4, the records have 3",
        ),
        (
            "\"authors\":2",
            "\"authors\":3",
            "a.jsonl, line 1: the header says authors = 3, the records have 2",
        ),
        ("\"edges\":3", "\"edges\":2", "a.jsonl, line 1: the header says edges = 2, the records have 3"),
        ("\"bytes\":60", "\"bytes\":61", "a.jsonl, line 1: the header says bytes = 61, the records have 60"),
        ("\"duration_s\":12.125", "\"duration_s\":12", "a.jsonl, line 4: t = 12.125 is after the end"),
        ("\"monotone\":false", "\"monotone\":true", "a.jsonl, line 3: t = -3.5 after t = 0"),
        (
            "\"annotated\":\"all\"",
            "\"annotated\":\"none\"",
            "a.jsonl, line 3: parents 0…, but the header says",
        ),
        ("\"annotated\":\"all\"", "\"annotated\":\"all\",\"sizes\":false", "a.jsonl, line 2: size 10, but"),
        (
            "\"annotated\":\"all\"",
            "\"annotated\":\"all\",\"segments\":[{\"first\":2,\"n\":9}]",
            "segments, end = 11",
        ),
        ("[0,1]", "[0,2]", "a.jsonl, line 4: parent 2 of message 2"),
        ("[0,1]", "[1,0]", "a.jsonl, line 4: parent 0 after parent 1"),
        ("[0,1]", "[0,0]", "a.jsonl, line 4: parent 0 after parent 0"),
        ("[0,1]", "[-1]", "a.jsonl, line 4: no record (invalid value"),
        ("\"t\":-3.5", "\"t\":1e400", "a.jsonl, line 3: no record (number out of range (column"),
        ("\"t\":-3.5", "\"t\":-1e12", "a.jsonl, line 3: t = -1000000000000: expected seconds between"),
        ("\"t\":-3.5", "\"t\":null", "a.jsonl, line 3: no record"),
        (
            "\"author\":1",
            "\"author\":2",
            "a.jsonl, line 3: author 2: authors are numbered by first appearance, so at most 1",
        ),
        ("\"author\":1", "\"autor\":1", "a.jsonl, line 3: no record (unknown field `autor`"),
        ("\"size\":30", "\"size\":5000000000", "a.jsonl, line 4: no record"),
        ("{\"t\":12.125", "\n{\"t\":12.125", "a.jsonl, line 4: no record (EOF"),
    ];
    for (from, to, expected) in cases {
        let text = if from.is_empty() { String::new() } else { THREE.replacen(from, to, 1) };
        let text = fault(&text);
        assert!(text.contains(expected), "{expected}\n  is not in\n{text}");
    }
}

#[test]
fn endless_lines_and_bombs_end_in_an_error() {
    let endless = io::repeat(b'x').take(u64::from(u32::MAX));
    let text = Trace::from_reader(endless, "a").unwrap_err().to_string();
    assert!(text.contains("line 1: the line is longer than"), "{text}");
    // A kilobyte for every megabyte.
    let bomb = gzip(&vec![b'x'; 4 * LINE_LEN_MAX]);
    assert!(bomb.len() < LINE_LEN_MAX / 100);
    let text = Trace::from_reader(bomb.as_slice(), "a").unwrap_err().to_string();
    assert!(text.contains("line 1: the line is longer than"), "{text}");
}

#[test]
fn a_trace_cut_anywhere_is_refused() {
    for len in 0..THREE.len() - 1 {
        assert!(read(&THREE[..len]).is_err(), "cut at {len}");
    }
    let gz = gzip(THREE.as_bytes());
    for len in 0..gz.len() {
        assert!(Trace::from_reader(&gz[..len], "a").is_err(), "cut at {len}");
    }
}

const PRESENCE: &str = r#"{"format":"presence-trace/1","name":"p","peers":2,"speakers":1,"intervals":3,"censored":1,"duration_s":99}
{"peer":0,"on":0,"off":10,"c":0}
{"peer":1,"on":5,"off":5,"c":3}
{"peer":0,"on":10,"off":20,"c":0}
"#;

#[test]
fn presence_obeys_its_rules() {
    let read = |text: &str| Presence::from_reader(text.as_bytes(), "p.jsonl");
    let presence = read(PRESENCE).unwrap();
    assert!(!presence.intervals()[1].on_known && !presence.intervals()[1].off_known);
    for (from, to, expected) in [
        ("\"intervals\":3", "\"intervals\":4", "line 1: the header says intervals = 4, the records have 3"),
        ("\"censored\":1", "\"censored\":0", "line 1: the header says censored = 0, the records have 1"),
        ("\"on\":10", "\"on\":9", "line 4: peer 0 comes on at 9 but was on until 10"),
        ("\"on\":10", "\"on\":4", "line 4: on = 4 after on = 5"),
        ("\"off\":20", "\"off\":2", "line 4: on = 10, off = 2: expected on ≤ off"),
        ("\"off\":20", "\"off\":200", "line 4: t = 200 is after the end"),
        ("\"peers\":2", "\"peers\":3", "line 1: the header says peers = 3, the records have 2"),
        ("\"c\":3", "\"c\":4", "line 3: c = 4"),
        ("presence-trace/1", "chat-trace/1", "expected `presence-trace/1`"),
    ] {
        let text = read(&PRESENCE.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(text.contains(expected), "{expected}\n  is not in\n{text}");
    }
}

/// Any trace that the builder takes.
fn any_trace() -> impl Strategy<Value = Trace> {
    let record = (-1e6_f64..1e6, any::<u16>(), any::<u32>(), prop::collection::vec(any::<u16>(), 0..4));
    (prop::collection::vec(record, 0..60), ".{0,20}").prop_map(|(records, name)| {
        let mut builder = TraceBuilder::new();
        for (t, author, size, parents) in records {
            let index = builder.len() as u32;
            let mut parents: Vec<u32> =
                parents.into_iter().filter_map(|p| u32::from(p).checked_rem(index)).collect();
            parents.sort_unstable();
            parents.dedup();
            let author = u32::from(author) % (builder.authors() + 1);
            builder.push(t, author, size, &parents).unwrap();
        }
        builder.finish(About {
            name,
            kind: Kind::Git,
            source: String::new(),
            license: String::new(),
            attribution: String::new(),
            note: String::new(),
            time_resolution_s: 1.0,
            sizes: true,
            annotated: Annotated::Partial,
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(trace in any_trace()) {
        let (mut text, mut gz) = (Vec::new(), Vec::new());
        trace.write(&mut text).unwrap();
        trace.write_gz(&mut gz).unwrap();
        prop_assert_eq!(&Trace::from_reader(text.as_slice(), "a").unwrap(), &trace);
        prop_assert_eq!(&Trace::from_reader(gz.as_slice(), "a").unwrap(), &trace);
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Trace::from_reader(bytes.as_slice(), "a").is_err());
        prop_assert!(Presence::from_reader(bytes.as_slice(), "a").is_err());
    }

    /// One changed byte: whatever it makes of the trace, the reader answers, and what it takes obeys the rules.
    #[test]
    fn a_changed_byte_never_panics(at in 0..THREE.len(), byte in any::<u8>(), zipped in any::<bool>()) {
        let mut bytes = if zipped { gzip(THREE.as_bytes()) } else { THREE.as_bytes().to_vec() };
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(trace) = Trace::from_reader(bytes.as_slice(), "a") {
            prop_assert_eq!(trace.header().messages, trace.len() as u64);
            prop_assert_eq!(trace.items(Seed::new(1)).len(), trace.len());
        }
    }
}
