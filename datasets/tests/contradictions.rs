//! A chat trace and a presence trace beside it: which pairs cannot be of one recording, which line says so,
//! and what is only counted. Empty files of all kinds.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

use offerbench_datasets::life::{Window, replay};
use offerbench_datasets::{Agreement, Files, Presence, Trace, absences};

const TRACE: &str = r#"{"format":"chat-trace/1","name":"chat","kind":"chat","source":"log","license":"","attribution":"","note":"","authors":2,"messages":4,"edges":0,"bytes":4,"duration_s":40,"time_resolution_s":1,"monotone":true,"annotated":"none","t0_clock_s":3600,"t0_weekday":1}
{"t":10,"author":0,"size":1,"parents":[]}
{"t":20,"author":1,"size":1,"parents":[]}
{"t":30,"author":0,"size":1,"parents":[]}
{"t":40,"author":1,"size":1,"parents":[]}
"#;

/// Peer 2 never speaks; author 0 writes at 30 while offline.
const PRESENCE: &str = r#"{"format":"presence-trace/1","name":"online","trace":"chat","source":"log","peers":3,"speakers":2,"intervals":3,"censored":0,"duration_s":50,"t0_clock_s":3600,"t0_weekday":1}
{"peer":0,"on":0,"off":30,"c":0}
{"peer":1,"on":5,"off":50,"c":0}
{"peer":2,"on":6,"off":7,"c":0}
"#;

const FILES: Files<'_> = Files { trace: "chat.jsonl", presence: "online.jsonl" };

fn trace(text: &str) -> Trace {
    Trace::from_reader(text.as_bytes(), FILES.trace).unwrap()
}

fn presence(text: &str) -> Presence {
    Presence::from_reader(text.as_bytes(), FILES.presence).unwrap()
}

/// What is replaced by what.
type Edits<'a> = &'a [(&'a str, &'a str)];

/// The golden text with replacements, each of which must find its place.
fn edited(text: &str, edits: Edits<'_>) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in\n{text}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn one_recording_agrees_and_its_slips_are_counted() {
    let agreement = presence(PRESENCE).check(&trace(TRACE), FILES).unwrap();
    let expected = Agreement { written_offline: 1, written_offline_line: Some(4), speakers_unseen: 0 };
    assert_eq!(agreement, expected);
    // Half of the messages is still a slip; a header that tells less contradicts nothing.
    let half = edited(
        PRESENCE,
        &[
            (r#""trace":"chat","source":"log","#, ""),
            (r#","t0_clock_s":3600,"t0_weekday":1"#, ""),
            (r#""peer":1,"on":5"#, r#""peer":7,"on":5"#),
        ],
    );
    let agreement = presence(&half).check(&trace(TRACE), FILES);
    // Author 1's two messages and author 0's second: three of four.
    assert!(agreement.is_err());
    let half = edited(&half, &[(r#""on":0,"off":30"#, r#""on":0,"off":31"#)]);
    let agreement = presence(&half).check(&trace(TRACE), FILES).unwrap();
    let expected = Agreement { written_offline: 2, written_offline_line: Some(3), speakers_unseen: 1 };
    assert_eq!(agreement, expected);
}

#[test]
fn what_cannot_be_one_recording_names_file_and_line() {
    let peer_9 = (r#""peer":1,"on":5"#, r#""peer":9,"on":5"#);
    let cases: &[(Edits<'_>, Edits<'_>, &str)] = &[
        (
            &[],
            &[("\"speakers\":2", "\"speakers\":3")],
            "online.jsonl, line 1: 3 speakers, but trace `chat` has 2 authors",
        ),
        (
            &[],
            &[("\"trace\":\"chat\"", "\"trace\":\"chat-2\"")],
            "online.jsonl, line 1: it is of trace `chat-2`, the trace has trace `chat`",
        ),
        (
            &[],
            &[("\"source\":\"log\"", "\"source\":\"other\"")],
            "online.jsonl, line 1: it is of source `other`, the trace has source `log`",
        ),
        (&[], &[("3600", "0")], "online.jsonl, line 1: t0_clock_s = 0, but the trace says 3600"),
        (
            &[("\"t0_weekday\":1", "\"t0_weekday\":2")],
            &[],
            "online.jsonl, line 1: t0_weekday = 1, but the trace says 2",
        ),
        (
            &[("\"monotone\":true", "\"monotone\":false")],
            &[],
            "online.jsonl, line 1: trace `chat` says `monotone`: false",
        ),
        (
            &[],
            &[
                ("\"duration_s\":50", "\"duration_s\":9"),
                ("\"off\":30", "\"off\":9"),
                ("\"off\":50", "\"off\":9"),
            ],
            "online.jsonl, line 1: presence from 0 s to 9 s, but the trace's messages are from 10 s to 40 s",
        ),
        (
            &[],
            &[
                ("\"duration_s\":50", "\"duration_s\":99"),
                ("\"on\":0,\"off\":30", "\"on\":41,\"off\":99"),
                ("\"on\":5,\"off\":50", "\"on\":42,\"off\":99"),
                ("\"on\":6,\"off\":7", "\"on\":43,\"off\":99"),
            ],
            "online.jsonl, line 2: presence from 41 s to 99 s, but",
        ),
        (
            &[],
            &[peer_9],
            "chat.jsonl, line 3: author 1 writes at 20 s while offline by the presence trace, the first of 3 such messages of 4",
        ),
    ];
    for (of_trace, of_presence, expected) in cases {
        let (trace, presence) = (trace(&edited(TRACE, of_trace)), presence(&edited(PRESENCE, of_presence)));
        let text = presence.check(&trace, FILES).unwrap_err().to_string();
        assert!(text.contains(expected), "{expected}\n  is not in\n{text}");
        // Whoever replays without checking is stopped as well.
        let text = replay(&trace, Some(&presence), &Window::default(), false).unwrap_err().to_string();
        assert!(text.contains(expected.split_once(": ").unwrap().1), "{text}");
    }
}

#[test]
fn empty_files_are_told_apart() {
    let no_bytes = Trace::from_reader(&b""[..], "a").unwrap_err().to_string();
    assert!(
        no_bytes.contains("a, line 1: the file is empty: expected a header of format chat-trace/1"),
        "{no_bytes}"
    );
    let no_bytes = Presence::from_reader(&b""[..], "b").unwrap_err().to_string();
    assert!(
        no_bytes.contains("b, line 1: the file is empty: expected a header of format presence-trace/1"),
        "{no_bytes}"
    );

    let header = edited(
        TRACE.lines().next().unwrap(),
        &[
            ("\"messages\":4", "\"messages\":0"),
            ("\"authors\":2", "\"authors\":0"),
            ("\"bytes\":4", "\"bytes\":0"),
        ],
    );
    let silent = trace(&header);
    assert!(silent.is_empty() && absences(&silent).is_empty());
    // Members without messages are a recording, too: there is nothing that they could contradict.
    let listeners = presence(&edited(PRESENCE, &[("\"speakers\":2", "\"speakers\":0")]));
    assert_eq!(listeners.check(&silent, FILES), Ok(Agreement::default()));
    assert_eq!(listeners.absences(&silent).unwrap(), []);
    let text = replay(&silent, Some(&listeners), &Window::default(), true).unwrap_err().to_string();
    assert!(text.contains("trace `chat` has no messages"), "{text}");

    let header = edited(
        PRESENCE.lines().next().unwrap(),
        &[("\"intervals\":3", "\"intervals\":0"), ("\"peers\":3", "\"peers\":0")],
    );
    let nobody = presence(&header);
    assert_eq!(nobody.absences(&trace(TRACE)).unwrap(), []);
    let text = nobody.check(&trace(TRACE), FILES).unwrap_err().to_string();
    assert!(text.contains("online.jsonl, line 1: no interval at all"), "{text}");
}

/// Written and read back, also what older headers lack.
#[test]
fn presence_is_written_as_it_was_read() {
    let mut written = Vec::new();
    presence(PRESENCE).write(&mut written).unwrap();
    assert_eq!(presence(std::str::from_utf8(&written).unwrap()), presence(PRESENCE));
    let censored = edited(
        PRESENCE,
        &[
            ("\"c\":0", "\"c\":1"),
            ("\"c\":0", "\"c\":2"),
            ("\"c\":0", "\"c\":3"),
            ("\"censored\":0", "\"censored\":3"),
        ],
    );
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    presence(&censored).write_gz(&mut once).unwrap();
    presence(&censored).write_gz(&mut twice).unwrap();
    assert_eq!(once, twice);
    assert_eq!(Presence::from_reader(once.as_slice(), "b").unwrap(), presence(&censored));
}
