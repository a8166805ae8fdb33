//! The command line as its users meet it: exit codes, messages, files that are never lost.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::{stderr, stdout};

fn offerbench(args: &[&str]) -> Output {
    common::offerbench(Path::new("."), args)
}

/// Runs the smoke experiment for a few strategies into `dir`.
fn smoke(dir: &Path, more: &[&str]) -> Output {
    let dir = dir.to_str().unwrap();
    let mut args = vec!["run", "smoke", "--strategies", "offers*", "--out", dir];
    args.extend(more);
    offerbench(&args)
}

#[test]
fn counts_do_not_depend_on_threads_or_on_an_interruption() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two, cut] = ["one", "two", "cut"].map(|name| dir.path().join(name));
    assert_eq!(smoke(&one, &["--threads", "1"]).status.code(), Some(0));
    assert_eq!(smoke(&two, &["--threads", "2"]).status.code(), Some(0));
    let whole = fs::read(one.join("exact.jsonl")).unwrap();
    assert_eq!(whole, fs::read(two.join("exact.jsonl")).unwrap());

    // Wherever a kill cuts the file off, resuming makes the same bytes.
    let header_len = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for at in [0, 10, header_len, header_len + 1, whole.len() / 2, whole.len() - 1, whole.len()] {
        let _ = fs::remove_dir_all(&cut);
        fs::create_dir(&cut).unwrap();
        fs::write(cut.join("exact.jsonl"), &whole[..at]).unwrap();
        let output = smoke(&cut, &["--resume"]);
        assert_eq!(output.status.code(), Some(0), "cut at {at}: {}", stderr(&output));
        assert_eq!(fs::read(cut.join("exact.jsonl")).unwrap(), whole, "cut at {at}");
    }
}

#[test]
fn a_dry_run_says_what_it_would_take_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let dry = smoke(&out, &["--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{}", stderr(&dry));
    assert!(!out.exists());
    let said = stdout(&dry);
    assert!(said.contains("In all about") && said.contains("on disk with the report"), "{said}");
    // Every sweep with its trials, and all trials that a run then counts.
    let trials: u64 = said
        .lines()
        .skip_while(|line| !line.starts_with("sweep"))
        .skip(1)
        .map_while(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .sum();
    assert_eq!(smoke(&out, &[]).status.code(), Some(0));
    let rows =
        |name: &str| fs::read_to_string(out.join(name)).map_or(0, |text| text.lines().count() as u64 - 1);
    assert_eq!(trials, rows("exact.jsonl") + rows("group.jsonl"), "{said}");
}

#[test]
fn existing_output_is_kept_unless_forced() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    assert_eq!(smoke(&out, &[]).status.code(), Some(0));
    let before = fs::read(out.join("report.html")).unwrap();
    let again = smoke(&out, &[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("--resume") && stderr(&again).contains("--force"));
    assert_eq!(fs::read(out.join("report.html")).unwrap(), before);
    assert_eq!(smoke(&out, &["--force"]).status.code(), Some(0));
    // Another seed is another run: it cannot go on with this file.
    let other = smoke(&out, &["--resume", "--seed", "2"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(stderr(&other).contains("its seed is not that of this run"), "{}", stderr(&other));
}

#[test]
fn a_report_is_made_again_from_its_records_alone() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    assert_eq!(smoke(&out, &[]).status.code(), Some(0));
    let files = ["exact.jsonl", "timed.jsonl", "group.jsonl", "cpu.jsonl", "again.html"];
    let [exact, timed, group, cpu, page] = files.map(|name| out.join(name));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let args = ["report", &text(&exact), &text(&timed), &text(&group), &text(&cpu), "-o", &text(&page)];
    assert_eq!(offerbench(&args).status.code(), Some(0));
    assert_eq!(fs::read(&page).unwrap(), fs::read(out.join("report.html")).unwrap());
    assert_eq!(offerbench(&args).status.code(), Some(2), "an existing page is not replaced");

    // A damaged row: file, line, exit 2, nothing written.
    let mut lines: Vec<String> = fs::read_to_string(&exact).unwrap().lines().map(str::to_owned).collect();
    lines[2] = lines[2].replace("\"m\":", "\"mm\":");
    let damaged = out.join("damaged.jsonl");
    fs::write(&damaged, lines.join("\n") + "\n").unwrap();
    let fresh = out.join("fresh.html");
    let output = offerbench(&["report", &text(&damaged), "-o", &text(&fresh)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("damaged.jsonl: line 3"), "{}", stderr(&output));
    assert!(!fresh.exists());
}

#[test]
fn mistakes_are_named_with_what_was_expected() {
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("broken.toml");
    fs::write(&broken, "name = \"x\"\nabout = \"y\"\n\n[[sweep]]\nname = 3\n").unwrap();
    let unknown_field = dir.path().join("field.toml");
    fs::write(&unknown_field, "name = \"x\"\nabout = \"y\"\nsweeps = []\n").unwrap();
    let not_a_trace = dir.path().join("trace.jsonl");
    fs::write(&not_a_trace, "{\"format\":\"else\"}\n").unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (broken, unknown_field, not_a_trace) = (path(&broken), path(&unknown_field), path(&not_a_trace));
    let cases: &[(&[&str], &[&str])] = &[
        (&["run", "quik"], &["no experiment `quik`", "did you mean `quick`"]),
        (&["run", "nowhere.toml"], &["nowhere.toml", "No such file"]),
        (&["run", &broken], &["broken.toml:5", "string"]),
        (&["run", &unknown_field], &["field.toml:3", "sweeps"]),
        (&["run", "quick", "--strategies", "rilbt"], &["unknown strategy `rilbt`", "did you mean `riblt`"]),
        (&["run", "quick", "--strategies", "offers:bit=32"], &["no parameter `bit`", "did you mean `bits`"]),
        (
            &["run", "quick", "--strategies", "offers:bits=33"],
            &["bits takes one of auto, 24, 32, 40, 48, 64"],
        ),
        (&["run", "quick", "--strategies", "zzz*"], &["match no preset"]),
        (&["run", "quick", "--threads", "0"], &["expected at least 1"]),
        (&["run", "trace", "--trace", "nowhere.jsonl"], &["nowhere.jsonl"]),
        (&["run", "trace", "--trace", &not_a_trace], &["trace.jsonl", "line 1"]),
        (&["run", "difference", "--trace", &not_a_trace], &["replays no trace"]),
        (&["run", "quick", "--resume"], &["--out"]),
        (&["report", "nowhere.jsonl", "-o", "x.html"], &["nowhere.jsonl"]),
        (&["frobnicate"], &["frobnicate"]),
    ];
    for (args, expected) in cases {
        let output = offerbench(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        for part in *expected {
            assert!(stderr(&output).contains(part), "{args:?} should say {part:?}: {}", stderr(&output));
        }
    }
    assert!(!Path::new("x.html").exists());
}

#[test]
fn list_and_verify_speak_to_people_and_programs() {
    let list = offerbench(&["list"]);
    assert_eq!(list.status.code(), Some(0));
    for word in ["offers", "scattered", "quick", "2/MVDS"] {
        assert!(stdout(&list).contains(word), "list does not name {word}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&offerbench(&["list", "--json"]).stdout).expect("list --json is JSON");
    assert!(json["strategies"].as_array().is_some_and(|rows| !rows.is_empty()));
    let verify = offerbench(&["verify", "--strategies", "offers*"]);
    assert_eq!(verify.status.code(), Some(0));
    assert!(stdout(&verify).contains(" 0 wrong"), "{}", stdout(&verify));
}

/// A disk that refuses while rows are written: here a limit on the size of files.
#[cfg(unix)]
#[test]
fn a_refusing_disk_is_named_and_nothing_whole_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let [out, whole] = ["out", "whole"].map(|name| dir.path().join(name));
    let run = format!(
        "trap '' XFSZ; ulimit -f 20; {} run smoke --strategies 'offers*' --out {}",
        env!("CARGO_BIN_EXE_offerbench"),
        out.display()
    );
    let output = Command::new("bash").args(["-c", &run]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    for part in ["exact.jsonl", "File too large", "--resume"] {
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    let rows = fs::read_to_string(out.join("exact.jsonl")).unwrap();
    assert!(rows.ends_with('\n') && rows.len() > 10_000, "{} bytes", rows.len());
    assert_eq!(smoke(&out, &["--resume"]).status.code(), Some(0));
    assert_eq!(smoke(&whole, &[]).status.code(), Some(0));
    assert_eq!(fs::read(out.join("exact.jsonl")).unwrap(), fs::read(whole.join("exact.jsonl")).unwrap());
}

/// What is no file of records is refused, however large.
#[cfg(target_os = "linux")]
#[test]
fn resuming_reads_no_more_than_a_row_can_be() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    std::os::unix::fs::symlink("/dev/zero", out.join("exact.jsonl")).unwrap();
    let output = smoke(&out, &["--resume"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("no file of records"), "{}", stderr(&output));
}

/// Ctrl-C in the middle: exit 130, whole rows only, and the same bytes after --resume.
#[cfg(unix)]
#[test]
fn ctrl_c_leaves_whole_rows_and_resume_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let [cut, whole] = ["cut", "whole"].map(|name| dir.path().join(name));
    let args = |out: &Path, resume: bool| {
        let mut args: Vec<String> =
            ["run", "quick", "--strategies", "offers:bits=48", "--out"].map(str::to_owned).to_vec();
        args.push(out.to_str().unwrap().to_owned());
        args.extend(resume.then(|| "--resume".to_owned()));
        args
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_offerbench"))
        .args(args(&cut, false))
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // Wait for the first rows, then interrupt as a terminal does.
    let exact = cut.join("exact.jsonl");
    while fs::metadata(&exact).map_or(0, |file| file.len()) < 10_000 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let mut said = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("--resume"), "{said}");
    let rows = fs::read_to_string(&exact).unwrap();
    assert!(rows.ends_with('\n'), "a partial row was left");

    let resumed = Command::new(env!("CARGO_BIN_EXE_offerbench")).args(args(&cut, true)).output().unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
    let fresh = Command::new(env!("CARGO_BIN_EXE_offerbench")).args(args(&whole, false)).output().unwrap();
    assert_eq!(fresh.status.code(), Some(0), "{}", stderr(&fresh));
    assert_eq!(fs::read(&exact).unwrap(), fs::read(whole.join("exact.jsonl")).unwrap());
}

/// `offerbench list | head -1`: a reader who has seen enough is no error.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    let script = format!("{} list | head -1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_offerbench"));
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
}
