//! Groups at the command line: the same bytes however they are counted, cut off and gone on with; what cannot be is
//! refused before anything is written.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;

use common::{offerbench, stderr};
use serde_json::Value;

/// Three and five members who come and go, twice each: small enough to run many times.
const TINY: &str = r#"
name = "tiny"
about = "a small one"

[[group]]
name = "members"
question = "What does a member pay?"
expectation = "More in larger groups."
axis = "n"
strategies = ["batch", "interactive", "offers", "riblt", "pinsketch", "range"]
members = [3, 5]
messages_day = [80]
history = [40]
online = ["alternating:uptime=0.5,stay=600"]
hours = 2
replicates = 2
"#;

/// A trace of two authors over 40 s.
const TRACE: &str = r#"{"format":"chat-trace/1","name":"chat","kind":"chat","source":"log","license":"","attribution":"","note":"","authors":2,"messages":4,"edges":0,"bytes":4,"duration_s":40,"time_resolution_s":1,"monotone":true,"annotated":"none","t0_clock_s":3600,"t0_weekday":1}
{"t":10,"author":0,"size":1,"parents":[]}
{"t":20,"author":1,"size":1,"parents":[]}
{"t":30,"author":0,"size":1,"parents":[]}
{"t":40,"author":1,"size":1,"parents":[]}
"#;

/// Who was online in it; a third one listens.
const PRESENCE: &str = r#"{"format":"presence-trace/1","name":"online","trace":"chat","source":"log","peers":3,"speakers":2,"intervals":3,"censored":0,"duration_s":50,"t0_clock_s":3600,"t0_weekday":1}
{"peer":0,"on":0,"off":35,"c":0}
{"peer":1,"on":5,"off":50,"c":0}
{"peer":2,"on":6,"off":50,"c":0}
"#;

/// Runs to its end.
#[track_caller]
fn runs(dir: &Path, args: &[&str]) -> Output {
    let output = offerbench(dir, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    output
}

/// Ends with exit 2 and these words on standard error, and leaves no folder `out`.
#[track_caller]
fn refused(dir: &Path, args: &[&str], words: &[&str]) {
    let output = offerbench(dir, args);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
    for part in words {
        assert!(text.contains(part), "{args:?}: {part}\n  is not in\n{text}");
    }
    assert!(!dir.join("out").exists(), "{args:?} wrote something: {text}");
}

fn rows(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn number(row: &Value, field: &str) -> u64 {
    row[field].as_u64().unwrap()
}

/// [`TINY`] with some of its lines replaced; a line that is not there is added.
fn tiny(lines: &[&str]) -> String {
    let field = |line: &str| line.split(" = ").next().unwrap_or_default().to_owned();
    let mut text = TINY.to_owned();
    for line in lines {
        let old = TINY
            .lines()
            .find(|old| !old.is_empty() && field(old) == field(line) && *old != "name = \"tiny\"");
        match old {
            Some(old) => text = text.replace(old, line),
            None => text += &format!("{line}\n"),
        }
    }
    text
}

#[test]
fn counts_are_the_same_bytes_with_any_number_of_threads_and_point_by_point() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // All strategies: whatever one of them keeps from an earlier trial on its thread would show in the heap.
    fs::write(dir.join("all.toml"), tiny(&["strategies = [\"*\"]", "replicates = 1"])).unwrap();
    for threads in ["1", "2", "3"] {
        runs(dir, &["run", "all.toml", "--threads", threads, "--out", threads]);
    }
    let whole = fs::read(dir.join("1/group.jsonl")).unwrap();
    assert_eq!(whole, fs::read(dir.join("2/group.jsonl")).unwrap());
    assert_eq!(whole, fs::read(dir.join("3/group.jsonl")).unwrap());

    runs(dir, &["run", "all.toml", "--only", "members/1", "--out", "only"]);
    let lines = |out: &str| -> Vec<String> {
        let text = fs::read_to_string(dir.join(out).join("group.jsonl")).unwrap();
        text.lines().skip(1).filter(|line| line.contains("\"point\":1,")).map(str::to_owned).collect()
    };
    let only = lines("only");
    assert!(only.len() > 6 && only == lines("1"));
    // The times belong to the counts, one by one.
    let names = |file: &str| -> Vec<(Value, Value, Value)> {
        let rows = rows(&dir.join("only").join(file));
        rows.into_iter()
            .map(|mut row| (row["point"].take(), row["spec"].take(), row["replicate"].take()))
            .collect()
    };
    assert_eq!(names("group.jsonl"), names("cpu.jsonl"));
    let cpu = rows(&dir.join("only/cpu.jsonl"));
    assert!(cpu.iter().all(|row| row["cpu_ns"].as_u64().is_some_and(|ns| ns > 0)));

    // Another seed is another life.
    runs(dir, &["run", "all.toml", "--only", "members/1", "--seed", "2", "--out", "other"]);
    assert_ne!(only, lines("other"));
    // Everybody in a point lives the same life.
    let mut told = rows(&dir.join("1/group.jsonl")).into_iter().map(|row| {
        assert_ne!(row["outcome"], "wrong", "{row}");
        ["point", "seed", "written", "needed", "uptime_ppm", "links", "possible_ppm"]
            .map(|field| row[field].clone())
    });
    let mut lives: Vec<_> = told.by_ref().collect();
    lives.dedup();
    assert_eq!(lives.len(), 2);
}

#[test]
fn wherever_a_kill_cuts_the_files_off_resuming_makes_the_same_counts() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let fewer = tiny(&["strategies = [\"batch\", \"riblt\"]", "hours = 1"]);
    fs::write(dir.join("tiny.toml"), fewer).unwrap();
    runs(dir, &["run", "tiny.toml", "--out", "whole"]);
    let read = |name: &str| fs::read(dir.join("whole").join(name)).unwrap();
    let (group, cpu) = (read("group.jsonl"), read("cpu.jsonl"));
    let row_ends = |bytes: &[u8]| -> Vec<usize> {
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect()
    };
    let (group_ends, cpu_ends) = (row_ends(&group), row_ends(&cpu));
    assert_eq!((group_ends.len(), cpu_ends.len()), (9, 9));
    // Bytes of the counts and of the times; none: there is no such file.
    let cuts: &[(Option<usize>, Option<usize>)] = &[
        // As a kill leaves them: the times are one row ahead, or none, and the last row is part of one.
        (Some(0), Some(0)),
        (Some(10), None),
        (Some(group_ends[0]), Some(17)),
        (Some(group_ends[0]), Some(cpu_ends[1])),
        (Some(group_ends[3] + 1), Some(cpu_ends[4])),
        (Some(group_ends[4] - 1), Some(cpu_ends[4])),
        (Some(group_ends[4]), Some(cpu_ends[5] - 1)),
        (Some(group.len() - 1), Some(cpu.len())),
        // As a power cut may: either far behind the other.
        (Some(group_ends[1] + 7), Some(cpu.len())),
        (Some(group.len()), Some(cpu_ends[2] + 3)),
        (Some(group.len()), Some(cpu_ends[0])),
        (Some(group.len()), None),
        (None, Some(cpu.len())),
        (Some(group.len()), Some(cpu.len())),
    ];
    let resume = ["run", "tiny.toml", "--out", "cut", "--resume"];
    for cut in cuts {
        let _ = fs::remove_dir_all(dir.join("cut"));
        fs::create_dir(dir.join("cut")).unwrap();
        for (name, bytes, len) in [("group.jsonl", &group, cut.0), ("cpu.jsonl", &cpu, cut.1)] {
            if let Some(len) = len {
                fs::write(dir.join("cut").join(name), &bytes[..len]).unwrap();
            }
        }
        let output = runs(dir, &resume);
        assert_eq!(fs::read(dir.join("cut/group.jsonl")).unwrap(), group, "cut at {cut:?}");
        assert_eq!(rows(&dir.join("cut/cpu.jsonl")).len(), 8, "cut at {cut:?}");
        let again = stderr(&output).contains("have no CPU time on file and run again");
        let (has, times) = cut.0.zip(cut.1).unwrap_or_default();
        let whole_rows = |ends: &[usize], len| ends.iter().filter(|end| **end <= len).count();
        let is_behind = whole_rows(&cpu_ends, times).max(1) < whole_rows(&group_ends, has);
        assert_eq!(
            again,
            is_behind || cut == &(Some(group.len()), None),
            "cut at {cut:?}: {}",
            stderr(&output)
        );
    }
    // Rows of another order, or of another seed, are not gone on with.
    let text = String::from_utf8(group.clone()).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(1, 2);
    fs::write(dir.join("cut/group.jsonl"), lines.join("\n") + "\n").unwrap();
    let output = offerbench(dir, &resume);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not in the order of this run"), "{}", stderr(&output));
    fs::write(dir.join("cut/group.jsonl"), &group).unwrap();
    let output = offerbench(dir, &[&resume[..], &["--seed", "2"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("its seed is not that of this run"), "{}", stderr(&output));
    assert_eq!(fs::read(dir.join("cut/group.jsonl")).unwrap(), group);
}

#[test]
fn who_cannot_connect_is_refused_before_it_runs_and_runs_only_if_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let apart = "online = [\"alternating:uptime=0.02,stay=5\"]";
    let cases: &[(&[&str], &str, &str)] = &[
        (
            &["sharing = [\"random:k=3\", \"random:k=0\"]"],
            "point 1 (3 members, sharing random:k=0)",
            "nobody shares",
        ),
        (&["members = [3, 1]"], "point 1 (1 members", "there is nobody to share with"),
        (
            &["members = [2]", apart, "hours = 0.1", "writes_offline = true", "messages_day = [2000]"],
            "point 0",
            "ever online together",
        ),
    ];
    for (lines, point, why) in cases {
        let lines = [lines, &["strategies = [\"interactive\", \"riblt\"]", "replicates = 1"][..]].concat();
        fs::write(dir.join("x.toml"), tiny(&lines)).unwrap();
        let args = ["run", "x.toml", "--out", "out"];
        refused(dir, &args, &["sweep `members`", point, why, "--allow-partial"]);
        runs(dir, &[&args[..], &["--allow-partial"]].concat());
        let index = if point.starts_with("point 1") { 1 } else { 0 };
        let group = rows(&dir.join("out/group.jsonl"));
        let apart: Vec<&Value> = group.iter().filter(|row| row["point"] == index).collect();
        assert!(!apart.is_empty());
        for row in apart {
            assert_eq!((&row["delivered"], &row["delivery_ms"]), (&0.into(), &"".into()), "{row}");
            let alone = row["n"] == 1;
            assert_eq!(row["outcome"], if alone { "complete" } else { "partial" });
            assert_eq!(number(row, "needed") == 0, alone, "{row}");
            assert_eq!(row["possible_ppm"], if alone { 1_000_000 } else { 0 }, "{row}");
        }
        assert!(fs::read_to_string(dir.join("out/report.html")).unwrap().contains("</html>"));
        fs::remove_dir_all(dir.join("out")).unwrap();
    }
    // What cannot be drawn at all cannot be allowed either, in whichever point and repetition.
    let away = ["axis = \"away\"", "away_hours = [1, 48]", "members = [5]", "messages_day = [100]"];
    fs::write(dir.join("x.toml"), tiny(&away)).unwrap();
    let long = ["point 1", "after 48.0 hours away 200 messages are missing, and the history has 40"];
    refused(dir, &["run", "x.toml", "--out", "out"], &long);
    refused(dir, &["run", "x.toml", "--out", "out", "--allow-partial"], &long);
}

#[test]
fn mistakes_are_named_with_their_line() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let cases: &[(&str, &[&str])] = &[
        ("axis = \"members\"", &["x.toml:9", "members", "sharing"]),
        ("members = [3, \"five\"]", &["x.toml:11"]),
        (
            "online = [\"always\", \"phone\"]",
            &["x.toml:14", "unknown presence `phone` (did you mean `phones`?)"],
        ),
        ("online = [\"alternating:uptime=2\"]", &["x.toml:14", "a share from 0 to 1"]),
        ("traffic = [\"evn\"]", &["x.toml:17", "unknown traffic `evn` (did you mean `even`?)"]),
        ("sharing = [\"randon:k=3\"]", &["x.toml:17", "`randon` (did you mean `random`?)"]),
        ("sharing = [\"random\"]", &["x.toml:17", "needs a k, as in `random:k=3`"]),
        ("link = [\"4g\", \"5g\"]", &["x.toml:17", "unknown link `5g` (did you mean `4g`?)"]),
        ("acks = [\"delaid:after=1s\"]", &["x.toml:17", "`delaid` (did you mean `delayed`?)"]),
        ("mode = [\"ofer\"]", &["x.toml:17", "`ofer`", "`offer`"]),
        ("colour = 3", &["x.toml:17", "colour"]),
        // What is no mistake of a line names its sweep.
        ("replicates = 0", &["x.toml", "sweep `members`", "replicates: expected at least 1"]),
        ("hours = -1", &["sweep `members`", "hours -1: expected more than 0"]),
        ("members = [3, 3]", &["sweep `members`", "stands in the grid twice"]),
        ("members = []", &["sweep `members`", "members: expected at least one value"]),
        ("messages_member_day = [3]", &["sweep `members`", "either messages_day or messages_member_day"]),
        ("messages_day = [-1]", &["sweep `members`", "messages -1: expected 0 or more"]),
        ("history = [99999999999]", &["sweep `members`", "history 99999999999: expected at most 16777216"]),
        ("away_hours = [1]", &["sweep `members`", "axis = \"away\" goes with away_hours"]),
        ("strategies = [\"rilbt\"]", &["unknown strategy `rilbt`", "did you mean `riblt`"]),
        ("online = [\"trace\"]", &["sweep `members`", "online = \"trace\" goes with traffic = \"trace\""]),
        ("traffic = [\"trace\"]", &["sweep `members`", "members and messages come from the trace"]),
        ("traffic = [\"trace\", \"even\"]", &["sweep `members`", "give it a sweep of its own"]),
    ];
    for (line, words) in cases {
        fs::write(dir.join("x.toml"), tiny(&[line])).unwrap();
        refused(dir, &["run", "x.toml", "--out", "out"], words);
    }
    fs::write(dir.join("x.toml"), TINY).unwrap();
    let only = |what| ["run", "x.toml", "--out", "out", "--only", what];
    refused(dir, &only("member"), &["has no sweep `member`; it has members"]);
    refused(dir, &only("members/2"), &["the sweep has points 0 to 1"]);
    refused(dir, &only("members/x"), &["expected SWEEP or SWEEP/POINT"]);
    refused(dir, &["run", "x.toml", "--out", "out", "--trace", "no.jsonl"], &["replays no trace"]);
}

/// An experiment that replays a trace, with modelled phones and with the recorded presence.
fn replay() -> String {
    let sweep = |name: &str, online: &str| {
        format!(
            "[[group]]\nname = \"{name}\"\nquestion = \"Q?\"\nexpectation = \"E.\"\naxis = \"life\"\n\
             strategies = [\"interactive\", \"riblt\"]\ntraffic = [\"trace\"]\nonline = [\"{online}\"]\n"
        )
    };
    let sweeps = sweep("modelled", "always") + &sweep("recorded", "trace") + "causal = true\n";
    format!("name = \"replays\"\nabout = \"a\"\n{sweeps}")
}

#[test]
fn a_recording_is_lived_again_with_its_own_presence_or_without() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("chat.jsonl"), TRACE).unwrap();
    fs::write(dir.join("online.jsonl"), PRESENCE).unwrap();
    fs::write(dir.join("x.toml"), replay()).unwrap();
    let both = ["run", "x.toml", "--out", "out", "--trace", "chat.jsonl", "--presence", "online.jsonl"];
    runs(dir, &both);
    let group = rows(&dir.join("out/group.jsonl"));
    assert_eq!(group.len(), 4);
    for row in &group {
        let recorded = row["sweep"] == "recorded";
        // A third member listens, and is known from the presence alone.
        assert_eq!(row["n"], if recorded { 3 } else { 2 });
        assert_eq!((&row["workload"], &row["written"]), (&"chat".into(), &4.into()));
        assert_eq!(row["presence"], if recorded { "online" } else { "always" });
        // The axis begins with the first message, and ends where something was last seen: 40 s, or a millisecond
        // after the last message at 30 s.
        assert_eq!(row["duration_ms"], if recorded { 40_000 } else { 30_001 });
        // 25, 40 and 40 of 40 s.
        assert_eq!(row["uptime_ppm"], if recorded { 875_000 } else { 1_000_000 });
        // The last message comes when 0 has gone: it cannot have it. Without a presence it is written as all ends.
        assert_eq!([number(row, "needed"), number(row, "delivered")], if recorded { [8, 7] } else { [4, 3] });
    }
    let header: Value = serde_json::from_str(
        fs::read_to_string(dir.join("out/group.jsonl")).unwrap().lines().next().unwrap(),
    )
    .unwrap();
    let command = header["command"].as_str().unwrap();
    assert!(command.contains("--trace chat.jsonl --presence online.jsonl"), "{command}");
    fs::remove_dir_all(dir.join("out")).unwrap();

    // Without the presence one sweep is left out, and it is told; nothing left is a mistake.
    let output = runs(dir, &["run", "x.toml", "--out", "out", "--trace", "chat.jsonl"]);
    let note = "left out: sweep `recorded` replays who was online";
    assert!(
        stderr(&output).contains(note) && stderr(&output).contains("--presence FILE"),
        "{}",
        stderr(&output)
    );
    assert!(rows(&dir.join("out/group.jsonl")).iter().all(|row| row["sweep"] == "modelled"));
    fs::remove_dir_all(dir.join("out")).unwrap();
    let only = ["run", "x.toml", "--out", "out", "--trace", "chat.jsonl", "--only", "recorded"];
    refused(dir, &only, &["sweep `recorded` replays who was online", "nothing is left to run"]);
    refused(dir, &["run", "replay", "--out", "out", "--only", "recorded/0"], &["nothing is left to run"]);
    refused(dir, &["run", "x.toml", "--out", "out", "--presence", "online.jsonl"], &["--trace"]);
}

#[test]
fn recordings_that_cannot_be_are_refused_with_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("x.toml"), replay()).unwrap();
    let args = ["run", "x.toml", "--out", "out", "--trace", "chat.jsonl", "--presence", "online.jsonl"];
    let git = |text: &str| {
        text.replace("\"kind\":\"chat\"", "\"kind\":\"git\"")
            .replace("\"monotone\":true", "\"monotone\":false")
    };
    let backwards = TRACE.replace("{\"t\":30,", "{\"t\":15,");
    let mut lines: Vec<&str> = TRACE.lines().collect();
    lines.truncate(1);
    let empty =
        lines[0].replace("\"messages\":4", "\"messages\":0").replace("\"authors\":2", "\"authors\":0");
    let empty =
        empty.replace("\"bytes\":4", "\"bytes\":0").replace("\"duration_s\":40", "\"duration_s\":0") + "\n";
    let cases: &[(&str, &str, &[&str])] = &[
        (
            TRACE,
            &PRESENCE.replace("\"speakers\":2", "\"speakers\":3"),
            &["online.jsonl, line 1", "3 speakers"],
        ),
        (
            TRACE,
            &PRESENCE.replace("\"trace\":\"chat\"", "\"trace\":\"other\""),
            &["online.jsonl, line 1", "`other`"],
        ),
        (
            TRACE,
            &PRESENCE.replace("\"off\":35", "\"off\":9").replace("\"on\":5,\"off\":50", "\"on\":5,\"off\":9"),
            &["chat.jsonl, line"],
        ),
        (
            TRACE,
            &PRESENCE.replace("{\"peer\":2,\"on\":6,", "{\"peer\":2,\"on\":60,"),
            &["online.jsonl", "line 4"],
        ),
        (&backwards, PRESENCE, &["chat.jsonl", "line 4"]),
        (&empty, PRESENCE, &["line 1"]),
        ("", PRESENCE, &["chat.jsonl"]),
        (
            &TRACE
                .replace("\"t\":20,\"author\":1,\"size\":1", "\"t\":20,\"author\":1,\"size\":4000000000")
                .replace("\"bytes\":4", "\"bytes\":4000000003"),
            PRESENCE,
            &["sweep `modelled`", "4000000000 bytes"],
        ),
    ];
    for (trace, presence, words) in cases {
        fs::write(dir.join("chat.jsonl"), trace).unwrap();
        fs::write(dir.join("online.jsonl"), presence).unwrap();
        refused(dir, &args, words);
    }
    fs::write(dir.join("chat.jsonl"), &empty).unwrap();
    refused(dir, &args[..6], &["has no messages"]);

    // Clocks of a git history may go backwards: each message is written when its parents are there, causal or not.
    let dag = git(&backwards)
        .replace("\"annotated\":\"none\"", "\"annotated\":\"all\"")
        .replace("\"edges\":0", "\"edges\":3");
    let dag = ["20", "15", "40"].iter().enumerate().fold(dag, |dag, (parent, t)| {
        let from = format!("{{\"t\":{t},\"author\":{},\"size\":1,\"parents\":[]", 1 - parent % 2);
        assert!(dag.contains(&from), "{from} is not in {dag}");
        dag.replace(&from, &from.replace("[]", &format!("[{parent}]")))
    });
    fs::write(dir.join("chat.jsonl"), dag).unwrap();
    refused(dir, &args, &["online.jsonl, line 1", "times that do not decrease"]);
    fs::write(dir.join("x.toml"), replay().replace("online = [\"trace\"]", "online = [\"always\"]")).unwrap();
    runs(dir, &args[..6]);
    for row in rows(&dir.join("out/group.jsonl")) {
        // The last is written as all ends.
        assert_eq!(["written", "needed", "delivered"].map(|field| number(&row, field)), [4, 4, 3], "{row}");
    }
}

#[test]
fn a_report_is_made_again_from_the_files_of_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("tiny.toml"), tiny(&["strategies = [\"batch\", \"riblt\"]", "hours = 1"])).unwrap();
    runs(dir, &["run", "tiny.toml", "--out", "one"]);
    runs(dir, &["run", "tiny.toml", "--out", "two", "--seed", "2"]);
    let page = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    runs(dir, &["report", "one/group.jsonl", "one/cpu.jsonl", "-o", "again.html"]);
    assert_eq!(page("again.html"), page("one/report.html"));
    for word in ["members", "riblt", "offerbench run tiny.toml"] {
        assert!(page("again.html").contains(word), "{word}");
    }
    // The counts alone make a report, too.
    runs(dir, &["report", "one/group.jsonl", "-o", "counts.html"]);
    for (other, words) in [("two/group.jsonl", "is one too"), ("two/cpu.jsonl", "seed")] {
        let output = offerbench(dir, &["report", "one/group.jsonl", other, "-o", "mix.html"]);
        assert_eq!(output.status.code(), Some(2), "{other}");
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
        assert!(!dir.join("mix.html").exists());
    }
    // Existing output is kept unless forced.
    let again = offerbench(dir, &["run", "tiny.toml", "--out", "one"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("--resume") && stderr(&again).contains("--force"), "{}", stderr(&again));
    let before = fs::read(dir.join("one/group.jsonl")).unwrap();
    runs(dir, &["run", "tiny.toml", "--out", "one", "--force"]);
    assert_eq!(before, fs::read(dir.join("one/group.jsonl")).unwrap());
}

/// Links copy payloads now and then: such rows are read like all others.
#[test]
fn payloads_that_arrive_twice_contradict_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let lines = [
        "online = [\"always\"]",
        "members = [3]",
        "strategies = [\"batch\"]",
        "replicates = 60",
        "hours = 24",
    ];
    fs::write(dir.join("x.toml"), tiny(&lines)).unwrap();
    runs(dir, &["run", "x.toml", "--out", "out"]);
    let twice = |row: &Value| {
        let sent: u64 = row["sent_bytes"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        row["member_bytes"]["sum"].as_u64().unwrap() > 2 * sent
    };
    assert!(rows(&dir.join("out/group.jsonl")).iter().any(twice), "a case of what this test is about");
}
