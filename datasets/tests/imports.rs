//! Importers: small sources with known content, what they become, and what they refuse.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

use std::fs;
use std::path::Path;
use std::process::Command;

use offerbench_datasets::import::{
    Clock, Columns, CsvOptions, GitOptions, GitTime, ImportError, Imported, IrcOptions, JsonlOptions, Origin,
    Size, TimeFormat, import_csv, import_git, import_irc, import_jsonl,
};
use offerbench_datasets::{Kind, Trace};
use proptest::prelude::*;
use tempfile::TempDir;

fn origin() -> Origin {
    Origin { name: "test".to_owned(), ..Origin::default() }
}

/// Writes `bytes` to a file, imports it, and reads the trace: so what is imported always is a valid trace.
fn import(
    bytes: &[u8],
    with: impl Fn(&Path, &mut Vec<u8>) -> Result<Imported, ImportError>,
) -> Result<(Imported, Trace), ImportError> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("source");
    fs::write(&path, bytes).unwrap();
    let mut out = Vec::new();
    let imported = with(&path, &mut out)?;
    let trace = Trace::from_reader(out.as_slice(), "imported").unwrap();
    assert_eq!(imported.messages, trace.header().messages);
    assert_eq!(imported.authors, trace.header().authors);
    assert_eq!(imported.edges, trace.header().edges);
    Ok((imported, trace))
}

fn irc_with(text: &[u8], clock: Clock) -> Result<(Imported, Trace), ImportError> {
    import(text, |path, out| import_irc(path, &IrcOptions { origin: origin(), clock }, out, None))
}

fn irc(text: &str) -> (Imported, Vec<(f64, u32, u32)>) {
    let (imported, trace) = irc_with(text.as_bytes(), Clock::Hours24).unwrap();
    (imported, rows(&trace))
}

fn rows(trace: &Trace) -> Vec<(f64, u32, u32)> {
    trace.records().map(|record| (record.t, record.author, record.size)).collect()
}

const MINUTE: f64 = 60.0;
const DAY: f64 = 86_400.0;

#[test]
fn an_irc_minute_is_spread_evenly() {
    let (imported, rows) =
        irc("[12:34] <ann> a\n[12:34] <Bob> bc\n=== x has joined\n[12:34] <ANN> \n[12:35] <bob> d\n?\n");
    // At 10, 30, 50 and 60 + 30 seconds, from the first.
    assert_eq!(rows, [(0.0, 0, 1), (20.0, 1, 2), (40.0, 0, 0), (80.0, 1, 1)]);
    assert_eq!((imported.notices, imported.skipped, imported.skipped_first), (1, 1, Some(6)));
}

#[test]
fn an_irc_clock_that_goes_back_has_passed_midnight() {
    let (imported, rows) = irc("[23:59] <a> x\n[00:01] <a> x\n[00:01] <a> x\n[00:00] <a> x\n");
    assert_eq!(imported.rollovers, 2);
    let t: Vec<f64> = rows.iter().map(|row| row.0).collect();
    // Half past the minute; then two in one minute at 15 and 45 seconds; then a day later.
    assert_eq!(t, [0.0, 2.0 * MINUTE - 15.0, 2.0 * MINUTE + 15.0, DAY + MINUTE]);
}

#[test]
fn an_irc_clock_of_twelve_hours_takes_the_next_of_its_name() {
    let text = b"[11:59] <a> x\n[12:01] <a> x\n[11:00] <a> x\n[01:00] <a> x\n";
    let (imported, trace) = irc_with(text, Clock::Hours12).unwrap();
    let t: Vec<f64> = trace.records().map(|record| record.t).collect();
    // 11:59, 12:01, 23:00, and 1:00 of the next day, if the first was before noon.
    assert_eq!(t, [0.0, 2.0 * MINUTE, 661.0 * MINUTE, 781.0 * MINUTE]);
    assert_eq!(imported.rollovers, 1);
}

#[test]
fn irc_days_that_are_told_are_believed() {
    let text = "--- Log opened Tue Jun 02 12:00:00 2009\n12:00:10 < a> x\n--- Day changed Thu Jun 04 2009\n\
                00:00:05 <@a> x\n01:30:00 <b> x\n00:40:00 <b> x\n";
    let (imported, rows) = irc(text);
    assert_eq!(imported.rollovers, 0);
    let day = DAY * 1.5 - 10.0;
    // The clock was set back by fifty minutes: sorted in, not taken for another day.
    assert_eq!(rows, [(0.0, 0, 1), (day + 5.0, 0, 1), (day + 2400.0, 1, 1), (day + 5400.0, 1, 1)]);

    // Messages before the first change of day are on the day before it.
    let (_, rows) = irc("12:00:00 <a> x\n--- Day changed Tue Jun 02 2009\n12:00:00 <a> x\n");
    assert_eq!(rows[1].0, DAY);
    // Weechat and dated lines.
    let (_, rows) =
        irc("2009-06-02 12:00:00\ta\tx\n2009-06-02 12:00:00\t-->\ta has joined\n2009-06-09T12:00:01 <a> x\n");
    assert_eq!(rows[1].0, 7.0 * DAY + 1.0);

    let late = irc_with(b"[12:00] <a> x\n2009-06-02 12:00 <a> x\n", Clock::Hours24).unwrap_err().to_string();
    assert!(late.contains("line 2: the first date of the log"), "{late}");
}

#[test]
fn a_text_that_is_no_irc_log_is_refused() {
    let text =
        irc_with(b"To be, or not to be\nthat is the question\n", Clock::Hours24).unwrap_err().to_string();
    assert!(text.contains("none of its 2 lines is a message: expected `[12:34] <nick> text`"), "{text}");
    assert!(matches!(irc_with(b"", Clock::Hours24), Err(ImportError::Nothing { lines: 0, .. })));
    let endless = vec![b'x'; 3 << 20];
    assert!(matches!(irc_with(&endless, Clock::Hours24), Err(ImportError::Row { line: 1, .. })));
}

fn columns() -> Columns {
    Columns {
        time: "when".to_owned(),
        time_format: TimeFormat::Seconds,
        author: "who".to_owned(),
        size: Size::TextOf("text".to_owned()),
        id: Some("id".to_owned()),
        parents: Some("to".to_owned()),
    }
}

fn csv(text: &[u8], columns: Columns) -> Result<(Imported, Trace), ImportError> {
    let options = CsvOptions { origin: origin(), columns, delimiter: b',' };
    import(text, |path, out| import_csv(path, &options, out))
}

fn jsonl(text: &[u8], columns: Columns) -> Result<(Imported, Trace), ImportError> {
    let options = JsonlOptions { origin: origin(), columns };
    import(text, |path, out| import_jsonl(path, &options, out))
}

/// The same table as CSV and as JSON Lines: out of order, a reply, a reply to what is not there, a quoted line
/// end, a system message.
#[test]
fn tables_are_sorted_numbered_and_linked() {
    let csv_text = "\u{feff}id,when,who,text,to\nm3,30.5,Ann,\"two\nlines\",m1 gone\nm1,10,Bob,tëxt,\nsys,11,,joined,\nm2,20,Ann,,m1\n";
    let jsonl_text = r#"{"id":"m3","when":30.5,"who":"Ann","text":"two\nlines","to":["m1","gone"]}
{"id":"m1","when":10,"who":"Bob","text":"tëxt","to":null}
{"id":"sys","when":11,"text":"joined"}
{"id":"m2","when":"20","who":"Ann","text":"","to":"m1"}
"#;
    let from_csv = csv(csv_text.as_bytes(), columns()).unwrap();
    let from_jsonl = jsonl(jsonl_text.as_bytes(), columns()).unwrap();
    assert_eq!(from_csv.1, from_jsonl.1);
    assert_eq!(rows(&from_csv.1), [(0.0, 0, 5), (10.0, 1, 0), (20.5, 1, 9)]);
    assert_eq!(from_csv.1.get(2).unwrap().parents, [0]);
    assert_eq!((from_csv.0.edges, from_csv.0.edges_dropped, from_csv.0.skipped), (2, 1, 1));
    assert_eq!(from_csv.1.header().time_resolution_s, 1e-3);
    assert_eq!(from_csv.1.header().edges_dropped, Some(1));
    assert_eq!((from_csv.0.skipped_first, from_jsonl.0.skipped_first), (Some(5), Some(3)));
}

#[test]
fn sizes_may_be_given_or_unknown() {
    let text = b"when,who,bytes\n2024-03-01T00:00:00Z,a,7\n2024-03-01T00:02:00Z,a,8\n";
    let with =
        |size| Columns { time_format: TimeFormat::Iso8601, size, id: None, parents: None, ..columns() };
    let (_, trace) = csv(text, with(Size::Column("bytes".to_owned()))).unwrap();
    assert_eq!(rows(&trace), [(0.0, 0, 7), (120.0, 0, 8)]);
    assert_eq!(trace.header().time_resolution_s, 60.0);
    let (_, trace) = csv(text, with(Size::Unknown)).unwrap();
    assert!(!trace.header().sizes);
    assert_eq!(trace.header().bytes, 0);
}

#[test]
fn tables_that_are_not_what_was_declared_are_refused() {
    let refused = |text: &str| csv(text.as_bytes(), columns()).unwrap_err().to_string();
    for (text, expected) in [
        ("id,whem,who,text,to\n", "no column `when` (did you mean `whem`?); it has: id, whem, who, text, to"),
        ("id,when,who,text,to\n", "none of its 1 lines is a message"),
        ("id,when,who,text,to\n1,yesterday,a,b,\n", "line 2: time `yesterday`: expected seconds since 1970"),
        ("id,when,who,text,to\n1,1,a,b,\n1,2,a,b,\n", "line 3: id `1` was given to an earlier message"),
        ("id,when,who,text,to\n1,1,a\n", "line 2: no row of the table (3 columns, the first row has 5)"),
    ] {
        let found = refused(text);
        assert!(found.contains(expected), "{expected}\n  is not in\n{found}");
    }
    let unclosed = format!("id,when,who,text,to\n1,1,a,\"{}", "x".repeat(3 << 20));
    let found = refused(&unclosed);
    assert!(found.contains("line 2: the text cannot be read (a row is longer than"), "{found}");

    let refused = |text: &str| jsonl(text.as_bytes(), columns()).unwrap_err().to_string();
    assert!(refused("{\"when\":1}\n[1]\n").contains("line 2: no JSON object (another value)"));
    assert!(refused("{\"when\":1,}\n").contains("line 1: no JSON object (trailing comma"));
    assert!(refused("{\"when\":1}\n").contains("none of its 1 lines is a message"));
}

/// A repository with a merge, two authors and a clock that runs backwards.
fn repository() -> TempDir {
    let dir = TempDir::new().unwrap();
    let git = |time: u32, mail: &str, args: &[&str]| {
        let status = Command::new("git")
            .arg("-C")
            .arg(dir.path())
            .args(["-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"])
            .args(args)
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .env("GIT_AUTHOR_NAME", "x")
            .env("GIT_COMMITTER_NAME", "x")
            .env("GIT_AUTHOR_EMAIL", mail)
            .env("GIT_COMMITTER_EMAIL", mail)
            .env("GIT_AUTHOR_DATE", format!("{} +0000", 1_600_000_000 + time / 2))
            .env("GIT_COMMITTER_DATE", format!("{} +0000", 1_600_000_000 + time))
            .status()
            .unwrap();
        assert!(status.success(), "{args:?}");
    };
    git(0, "", &["init", "--quiet"]);
    git(100, "ann@example.org", &["commit", "--quiet", "--allow-empty", "-m", "first"]);
    git(0, "", &["checkout", "--quiet", "-b", "side"]);
    git(60, "bob@example.org", &["commit", "--quiet", "--allow-empty", "-m", "clock runs backwards"]);
    git(0, "", &["checkout", "--quiet", "main"]);
    git(200, "Ann@example.org", &["commit", "--quiet", "--allow-empty", "-m", "third"]);
    git(300, "ann@example.org", &["merge", "--quiet", "--no-ff", "-m", "merge", "side"]);
    dir
}

fn git(path: &Path, revision: &str, time: GitTime) -> Result<(Imported, Trace), ImportError> {
    let mut out = Vec::new();
    let options = GitOptions { origin: origin(), revision: revision.to_owned(), time };
    let imported = import_git(path, &options, &mut out)?;
    Ok((imported, Trace::from_reader(out.as_slice(), "imported").unwrap()))
}

#[test]
fn a_history_is_a_graph_with_its_clocks() {
    let dir = repository();
    let (imported, trace) = git(dir.path(), "HEAD", GitTime::Committer).unwrap();
    assert_eq!((imported.messages, imported.authors, imported.edges), (4, 2, 4));
    assert_eq!(trace.header().kind, Kind::Git);
    assert_eq!(trace.get(0).unwrap().t, 0.0);
    assert_eq!(trace.get(3).unwrap().t, 200.0);
    assert_eq!(trace.get(3).unwrap().parents, [1, 2]);
    let mut middle: Vec<f64> = [1, 2].map(|index| trace.get(index).unwrap().t).to_vec();
    middle.sort_by(f64::total_cmp);
    assert_eq!(middle, [-40.0, 100.0]);
    // tree + author + committer + blank + message: the first has no parent line of 48 bytes.
    let first = trace.get(0).unwrap().size;
    assert_eq!(
        first as usize,
        "tree \nauthor x <> 0000000000 +0000\ncommitter x <> 0000000000 +0000\n\nfirst\n".len()
            + 40
            + 2 * "ann@example.org".len()
    );
    let (_, trace) = git(dir.path(), "main", GitTime::Author).unwrap();
    assert_eq!(trace.get(3).unwrap().t, 100.0);
    // One branch alone.
    assert_eq!(git(dir.path(), "side", GitTime::Committer).unwrap().0.messages, 2);
}

#[test]
fn what_is_no_repository_or_commit_is_refused() {
    let dir = TempDir::new().unwrap();
    let text = git(dir.path(), "HEAD", GitTime::Committer).unwrap_err().to_string();
    assert!(
        text.contains("no repository with a commit `HEAD`; git says: fatal: not a git repository"),
        "{text}"
    );
    let text = git(repository().path(), "--all", GitTime::Committer).unwrap_err().to_string();
    assert!(text.contains("no repository with a commit `--all`"), "{text}");
}

#[test]
fn gzip_is_written_on_request() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, "[12:34] <a> x\n").unwrap();
    let options = IrcOptions { origin: Origin { gzip: true, ..origin() }, clock: Clock::Hours24 };
    let mut out = Vec::new();
    import_irc(&path, &options, &mut out, None).unwrap();
    assert_eq!(out[..2], [0x1f, 0x8b]);
    assert_eq!(Trace::from_reader(out.as_slice(), "log").unwrap().len(), 1);
}

/// Lines that look like logs, mutilated.
fn any_log() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "\\[[0-9]{1,2}:[0-9]{2}\\] <[a-c]> .{0,9}",
        "[0-9]{2}:[0-9]{2}( ?[ap]m)? <.{0,3}> .{0,9}",
        "20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-9:.Z]{0,9}[\t <]{1,2}[a-c>\t ]{0,5}.{0,9}",
        "--- (Day changed|Log opened) .{0,5} (Jan|Jun) [0-3][0-9] 20[0-9]{2}",
        ".{0,20}",
    ];
    prop::collection::vec(line, 0..20).prop_map(|lines| lines.join("\n"))
}

proptest! {
    /// Whatever the log, the importer either refuses it or writes a trace that the reader takes.
    #[test]
    fn mutilated_logs_never_panic(text in any_log(), twelve in any::<bool>()) {
        let clock = if twelve { Clock::Hours12 } else { Clock::Hours24 };
        if let Ok((imported, trace)) = irc_with(text.as_bytes(), clock) {
            prop_assert!(trace.header().monotone);
            prop_assert!(imported.messages > 0);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = irc_with(&bytes, Clock::Hours24);
        let _ = csv(&bytes, columns());
        let _ = jsonl(&bytes, columns());
    }

    #[test]
    fn tables_of_any_values_never_panic(cells in prop::collection::vec("[0-9.\\-]{0,20}|.{0,6}", 0..40)) {
        let lines: Vec<String> = cells.chunks(5).map(|row| row.join(",")).collect();
        let _ = csv(format!("id,when,who,text,to\n{}", lines.join("\n")).as_bytes(), columns());
    }
}
