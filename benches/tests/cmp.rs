//! `cmp` and the plain reports as their users meet them: exit codes that a gate can trust.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{stderr, stdout};
use serde_json::Value;

fn offerbench(args: &[&str]) -> Output {
    common::offerbench(Path::new("."), args)
}

fn smoke(dir: &Path, more: &[&str]) {
    let mut args = vec!["run", "smoke", "--strategies", "offers*", "--out", dir.to_str().unwrap()];
    args.extend(more);
    let output = offerbench(&args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

fn cmp(base: &Path, new: &Path, more: &[&str]) -> Output {
    let mut args = vec!["cmp", base.to_str().unwrap(), new.to_str().unwrap()];
    args.extend(more);
    offerbench(&args)
}

/// A copy of a run's file with edited lines; the header is line 0.
fn edited(from: &Path, to: &Path, name: &str, edit: impl Fn(usize, &mut Value)) -> PathBuf {
    fs::create_dir_all(to).unwrap();
    let text = fs::read_to_string(from.join(name)).unwrap();
    let lines = text.lines().enumerate().map(|(at, line)| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        edit(at, &mut value);
        value.to_string() + "\n"
    });
    fs::write(to.join(name), lines.collect::<String>()).unwrap();
    to.to_owned()
}

#[test]
fn a_gate_passes_what_is_the_same_and_stops_what_is_worse_or_cannot_be_said() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let [one, again, seed] = ["one", "again", "seed"].map(at);
    smoke(&one, &[]);
    smoke(&again, &["--threads", "1"]);
    smoke(&seed, &["--seed", "2"]);
    let counts = at("counts");
    fs::create_dir(&counts).unwrap();
    for name in ["exact.jsonl", "group.jsonl"] {
        fs::copy(one.join(name), counts.join(name)).unwrap();
    }
    let same = |_: usize, _: &mut Value| ();

    // The same commit twice, times and all; then against a stored baseline of counts.
    for (base, new, more) in [(&one, &again, &["--gate"][..]), (&counts, &again, &["--counts", "--gate"])] {
        let output = cmp(base, new, more);
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
        assert!(stdout(&output).starts_with("No worse: of "), "{}", stdout(&output));
        assert!(stdout(&output).contains("0 worse, 0 better"), "{}", stdout(&output));
    }

    // A planted rise of 2%.
    let risen = edited(&one, &at("risen"), "exact.jsonl", |_, row| {
        let ids = row["up"]["ids"].as_u64().unwrap_or(0);
        if ids > 0 {
            row["up"]["ids"] = (ids + ids.div_ceil(50)).into();
        }
    });
    edited(&one, &risen, "group.jsonl", same);
    for more in [&["--counts", "--gate"][..], &["--counts"]] {
        let output = cmp(&one, &risen, more);
        assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
        assert!(stdout(&output).starts_with("Worse: of "), "{}", stdout(&output));
        assert!(stdout(&output).contains("The worst 5 of "), "{}", stdout(&output));
    }
    let better = cmp(&risen, &one, &["--counts", "--gate", "--format", "md"]);
    assert_eq!(better.status.code(), Some(0), "{}", stderr(&better));
    assert!(stdout(&better).starts_with("**Better: of "), "{}", stdout(&better));

    // Other questions, schemas and gaps.
    let schema = edited(&counts, &at("schema"), "exact.jsonl", |line, value| {
        if line == 0 {
            value["schema"] = 99.into();
        }
    });
    let spec = edited(&counts, &at("spec"), "exact.jsonl", |line, value| {
        if line == 0 {
            value["spec_hash"] = "0".repeat(32).into();
        }
    });
    let damaged = edited(&counts, &at("damaged"), "exact.jsonl", |line, value| {
        if line == 3 {
            value["m"] = "many".into();
        }
    });
    fs::create_dir(at("empty")).unwrap();
    for (new, expected) in [
        (&seed, "seed"),
        (&schema, "schema"),
        (&spec, "spec_hash"),
        (&damaged, "exact.jsonl: line 4"),
        (&at("empty"), "holds neither"),
        (&at("nowhere"), "nowhere"),
    ] {
        let output = cmp(&counts, new, &["--counts"]);
        assert_eq!(output.status.code(), Some(2), "{expected}: {}", stdout(&output));
        assert!(stderr(&output).contains(expected), "{expected}: {}", stderr(&output));
    }
    // A lane or rows that only one side has: named always, refused by a gate.
    let no_groups = edited(&counts, &at("no-groups"), "exact.jsonl", same);
    let rows = fs::read_to_string(counts.join("exact.jsonl")).unwrap().lines().count();
    let cut = edited(&counts, &at("cut"), "group.jsonl", same);
    let text = fs::read_to_string(counts.join("exact.jsonl")).unwrap();
    let kept: String = text.lines().take(rows - 3).map(|line| format!("{line}\n")).collect();
    fs::write(cut.join("exact.jsonl"), kept).unwrap();
    for (new, expected) in [(&no_groups, "lane group of"), (&cut, "3 rows of lane exact of")] {
        let output = cmp(&counts, new, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains(expected), "{expected}: {}", stdout(&output));
        assert_eq!(cmp(&counts, new, &["--gate"]).status.code(), Some(2), "{expected}");
    }
}

#[test]
fn main_tables_come_as_markdown_and_csv() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    smoke(&out, &[]);
    let [exact, group] = ["exact.jsonl", "group.jsonl"].map(|name| out.join(name));
    let (exact, group) = (exact.to_str().unwrap(), group.to_str().unwrap());
    let md = offerbench(&["report", "--format", "md", exact, group]);
    assert_eq!(md.status.code(), Some(0), "{}", stderr(&md));
    assert!(stdout(&md).starts_with("# smoke\n") && stdout(&md).contains("\n| "), "{}", stdout(&md));
    let file = dir.path().join("table.csv");
    let path = file.to_str().unwrap();
    let csv = offerbench(&["report", "--format", "csv", exact, group, "-o", path]);
    assert_eq!(csv.status.code(), Some(0), "{}", stderr(&csv));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("experiment,sweep,kind,point,contender,"), "{text}");
    assert!(text.lines().any(|line| line.contains(",session,")), "{text}");
    assert!(text.lines().any(|line| line.contains(",group,")), "{text}");
    let kept = offerbench(&["report", "--format", "csv", exact, "-o", path]);
    assert_eq!(kept.status.code(), Some(2), "an existing file is not replaced");
}
