//! The commands that run simulated worlds, as their users meet them.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{stderr, stdout};

fn offerbench(args: &[&str]) -> Output {
    common::offerbench(Path::new("."), args)
}

#[test]
fn a_soak_does_not_depend_on_threads() {
    let [one, two] = ["1", "2"].map(|threads| offerbench(&["soak", "--seeds", "40", "--threads", threads]));
    assert_eq!(one.status.code(), Some(0), "{}", stdout(&one));
    assert!(stdout(&one).contains("40 worlds from seed 0: 0 failed"), "{}", stdout(&one));
    assert_eq!(one.stdout, two.stdout);
    let more = offerbench(&["soak", "--minutes", "0.001", "--from", "7"]);
    assert_eq!(more.status.code(), Some(0), "{}", stdout(&more));
    assert!(stdout(&more).contains("from seed 7: 0 failed"), "{}", stdout(&more));
}

#[test]
fn one_seed_is_told_again() {
    let [first, again] = [0, 1].map(|_| offerbench(&["soak", "--seed", "3"]));
    assert_eq!(first.status.code(), Some(0), "{}", stdout(&first));
    assert_eq!(first.stdout, again.stdout);
    for part in ["seed 3:", "Config {", "link profile 0", "healed", "->", "clean: "] {
        assert!(stdout(&first).contains(part), "{part} is missing:\n{}", stdout(&first));
    }
    assert!(stdout(&first).lines().count() < 500, "a story is bounded");
}

#[test]
fn mistakes_are_named() {
    let cases: &[(&[&str], &str)] = &[
        (&["soak", "--seeds", "0"], "at least 1"),
        (&["soak", "--seeds", "many"], "many"),
        (&["soak", "--minutes", "-1"], "-1"),
        (&["soak", "--minutes", "nan"], "--minutes"),
        (&["soak", "--threads", "0"], "at least 1"),
        (&["soak", "--seed", "1", "--seeds", "2"], "--seed"),
        (&["soak", "--seeds", "2", "--from", "18446744073709551615"], "not so many seeds"),
        (&["soak", "--full"], "--seed"),
        (&["demo", "--strategy", "rnage"], "did you mean `range`"),
    ];
    for (args, expected) in cases {
        let output = offerbench(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{args:?} should say {expected:?}: {}", stderr(&output));
    }
}

#[test]
fn the_demo_ends_with_everybody_having_everything() {
    for args in
        [&["demo"][..], &["demo", "--seed", "9", "--strategy", "riblt"], &["demo", "--strategy", "batch"]]
    {
        let output = offerbench(args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = stdout(&output);
        for part in [
            "Everybody has everything",
            "A comes online",
            "A writes `Lunch at noon?`",
            "interactive",
            "range",
        ] {
            assert!(text.contains(part), "{args:?}: {part} is missing:\n{text}");
        }
        assert!(!text.contains("never\n"), "{text}");
        if args.len() == 1 {
            let lines = ["B reads `Lunch at noon?`", "A reads `Yes! Shall I book?`", "B reads `Please do`"];
            let places = lines.map(|line| text.find(line).expect(line));
            assert!(places.is_sorted(), "{text}");
            assert!(!text.contains("lines more"), "{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "wider than 80 columns:\n{text}");
        assert!(text.lines().count() <= 90, "{} lines", text.lines().count());
        assert!(!text.contains('\u{1b}'), "no colours in a pipe");
    }
}

/// `offerbench demo | head -3`: a reader who has seen enough is no error.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    for command in ["demo", "soak --seed 1"] {
        let script =
            format!("{} {command} | head -3; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_offerbench"));
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stderr(&output), "");
    }
}
