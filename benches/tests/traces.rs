//! Traces at the command line: imported with their presence, inspected, refused when they contradict each other.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use std::fs;
use std::path::Path;

use common::{offerbench, stderr, stdout};
use serde_json::Value;

/// Fails with this exit code and these words.
#[track_caller]
fn refused(dir: &Path, args: &[&str], words: &str) {
    let output = offerbench(dir, args);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
    assert!(text.contains(words), "{args:?}: {words}\n  is not in\n{text}");
    assert_eq!(stdout(&output), "", "{args:?}");
}

/// Three days with an hour of talk each; bob listens, ann leaves.
fn log() -> String {
    let mut log = "--- Log opened Tue Jun 02 09:00:00 2009\n09:00 -!- bob [b@h] has joined #r\n".to_owned();
    for (day, name) in ["Wed Jun 03", "Thu Jun 04", "Fri Jun 05"].iter().enumerate() {
        for minute in 0..60 {
            log += &format!("12:{minute:02} < {}> a text\n", ["ann", "cat"][minute % 2]);
        }
        log += &format!("13:00 -!- ann [a@h] has quit [{day}]\n--- Day changed {name} 2009\n");
        log += "11:59 -!- ann [a@h] has joined #r\n";
    }
    log
}

#[test]
fn a_log_is_imported_with_its_presence_and_inspected() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("log"), log()).unwrap();
    let import = ["import", "irc", "log", "-o", "chat.jsonl", "--presence", "online.jsonl.gz"];
    let output = offerbench(dir, &import);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("chat.jsonl: 180 messages by 2 authors, 0 edges"), "{text}");
    assert!(text.contains("online.jsonl.gz: 6 stretches online of 3 members"), "{text}");

    let output = offerbench(dir, &["inspect", "chat.jsonl", "--presence", "online.jsonl.gz"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("chat: a chat\n180 messages by 2 authors in 2.0 d\n"), "{text}");
    assert!(text.contains("presence 3 members, 1 of them never wrote"), "{text}");
    for words in [
        "messages a day",
        "missed at a return",
        "after a gap > 5 min",
        "Nearest is `small`",
        "online = [\"trace\"]",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    let width = text.lines().map(|line| line.chars().count()).max();
    assert!(width <= Some(80), "{width:?}\n{text}");

    let output = offerbench(dir, &["inspect", "chat.jsonl", "--json"]);
    let portrait: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&portrait["messages"], &portrait["online"]), (&Value::from(180), &Value::Null));
    assert_eq!(portrait["rate"]["daily"]["weekdays"][1], 60.0);

    // Nothing is overwritten, whichever of the two is there.
    refused(dir, &import, "chat.jsonl is there already; use --force");
    fs::remove_file(dir.join("chat.jsonl")).unwrap();
    refused(dir, &import, "online.jsonl.gz is there already; use --force");
    assert!(!dir.join("chat.jsonl").exists());
    let same = ["import", "irc", "log", "-o", "x.jsonl", "--presence", "x.jsonl"];
    refused(dir, &same, "--presence x.jsonl is the trace as well");
    fs::write(dir.join("silent"), "[12:00] <ann> a\n").unwrap();
    let silent = ["import", "irc", "silent", "-o", "y.jsonl", "--presence", "z.jsonl"];
    refused(dir, &silent, "silent: none of its 1 lines tells a join");
    assert!(!dir.join("y.jsonl").exists());
}

#[test]
fn traces_that_contradict_each_other_or_are_none_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("log"), log()).unwrap();
    let import = ["import", "irc", "log", "-o", "chat.jsonl", "--presence", "online.jsonl"];
    assert_eq!(offerbench(dir, &import).status.code(), Some(0));
    let online = fs::read_to_string(dir.join("online.jsonl")).unwrap();
    for (from, to, words) in [
        (
            "\"speakers\":2",
            "\"speakers\":3",
            "other.jsonl, line 1: 3 speakers, but trace `chat` has 2 authors",
        ),
        (
            "\"trace\":\"chat\"",
            "\"trace\":\"chit\"",
            "other.jsonl, line 1: it is of trace `chit`, the trace has trace `chat`",
        ),
        ("\"t0_weekday\":1", "\"t0_weekday\":4", "other.jsonl, line 1: t0_weekday = 4, but the trace says 1"),
        ("\"peer\":2", "\"peer\":0", "other.jsonl, line 3: peer 0 comes on at"),
    ] {
        assert!(online.contains(from), "{from}\n{online}");
        fs::write(dir.join("other.jsonl"), online.replacen(from, to, 1)).unwrap();
        refused(dir, &["inspect", "chat.jsonl", "--presence", "other.jsonl"], words);
    }
    refused(dir, &["inspect", "no.jsonl"], "no.jsonl: cannot be opened");
    refused(dir, &["inspect", "."], ".: cannot be opened");
    refused(
        dir,
        &["inspect", "online.jsonl"],
        "online.jsonl, line 1: the header says format `presence-trace/1`",
    );
    refused(
        dir,
        &["inspect", "chat.jsonl", "--presence", "chat.jsonl"],
        "chat.jsonl, line 1: the header says format",
    );
    refused(dir, &["inspect", "log"], "log, line 1: no header of format chat-trace/1");
}

#[test]
fn empty_traces_have_an_answer_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("nothing"), "").unwrap();
    refused(
        dir,
        &["inspect", "nothing"],
        "nothing, line 1: the file is empty: expected a header of format chat-trace/1",
    );
    refused(
        dir,
        &["run", "trace", "--trace", "nothing", "--out", "out"],
        "nothing, line 1: the file is empty",
    );
    let header = r#"{"format":"chat-trace/1","name":"silent","kind":"chat","source":"","license":"","attribution":"","note":"","authors":0,"messages":0,"edges":0,"bytes":0,"duration_s":0,"time_resolution_s":1,"monotone":true,"annotated":"none"}"#;
    fs::write(dir.join("silent"), header).unwrap();
    let output = offerbench(dir, &["inspect", "silent"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("0 messages by 0 authors in 0 s"), "{}", stdout(&output));
    refused(dir, &["run", "trace", "--trace", "silent", "--out", "out"], "silent");
}
