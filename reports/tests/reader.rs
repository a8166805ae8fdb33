//! The reader believes nothing: every damage and every mixture has its own error, which names file and line.

mod common;

use common::{FIELD, Recipe, file, files, header, rows, run};
use offerbench_reports::record::{ExactRow, Header, Lane, Timed};
use offerbench_reports::{Book, BookError, Rows, read};
use proptest::prelude::*;

/// The small recipe's parts: header, rows.
fn sound() -> (Header, Vec<ExactRow>) {
    let recipe = Recipe::small();
    let (exact, _) = rows(&recipe);
    (header(Lane::Exact, &recipe, exact.len() as u64), exact)
}

fn refused(bytes: &[u8]) -> BookError {
    read("exact.jsonl", &mut &bytes[..]).expect_err("the file must be refused")
}

/// Text of a sound file, for tests that damage it.
fn text() -> String {
    String::from_utf8(files(&Recipe::small()).0).expect("JSON is UTF-8")
}

#[test]
fn sound_files_are_read_whole() {
    let (head, exact) = sound();
    let run = run("exact.jsonl", &file(&head, &exact));
    assert_eq!(run.name(), "exact.jsonl");
    assert_eq!(run.header(), &head);
    assert_eq!(run.rows(), &Rows::Exact(exact));
    let book = common::book(&Recipe::small());
    assert!(book.gaps().is_empty());
    assert_eq!(book.experiments().len(), 1);
}

#[test]
fn other_files_are_no_records() {
    for bytes in [&b""[..], b"hello\n", b"[1]\n", b"{\"a\":1}\n", b"{\"a\":1}", b"\x00\xff", b"<html>\n"] {
        let error = refused(bytes);
        assert!(matches!(error, BookError::NotRecords { .. }), "{error}");
        assert!(error.to_string().contains("exact.jsonl: line 1"), "{error}");
    }
}

#[test]
fn other_schemas_are_refused_before_their_fields() {
    let newer = text().replacen("\"schema\":1", "\"schema\":2,\"novelty\":true", 1);
    let error = refused(newer.as_bytes());
    assert!(matches!(error, BookError::Schema { .. }), "{error}");
    assert!(error.to_string().contains("found 2"), "{error}");
}

#[test]
fn unknown_and_missing_fields_are_refused() {
    let unknown = text().replacen("\"invented\":0", "\"invented\":0,\"novelty\":1", 1);
    let missing = text().replacen("\"invented\":0,", "", 1);
    for (bytes, word) in [(unknown, "novelty"), (missing, "invented")] {
        let error = refused(bytes.as_bytes());
        assert!(matches!(error, BookError::Field { line: 2, .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    let head = text().replacen("\"seed\":7,", "", 1);
    assert!(matches!(refused(head.as_bytes()), BookError::Field { line: 1, .. }));
    let recipe = Recipe::small();
    let mut timed = header(Lane::Timed, &recipe, 0);
    timed.machine = None;
    assert!(matches!(refused(&file::<ExactRow>(&timed, &[])), BookError::Field { line: 1, .. }));
}

#[test]
fn damaged_lines_are_named() {
    let damaged: Vec<String> = text()
        .lines()
        .enumerate()
        .map(|(index, line)| if index == 4 { line[..line.len() / 2].to_owned() } else { line.to_owned() } + "\n")
        .collect();
    let error = refused(damaged.concat().as_bytes());
    assert!(matches!(error, BookError::Damaged { line: 5, .. }), "{error}");
    let blank = text().replacen('\n', "\n\n", 1);
    assert!(matches!(refused(blank.as_bytes()), BookError::Damaged { line: 2, .. }));
}

#[test]
fn a_cut_last_line_is_named_with_its_remedy() {
    let text = text();
    let lines = text.lines().count() as u64;
    for cut in [1, 2, 40, 300] {
        let error = refused(&text.as_bytes()[..text.len() - cut]);
        assert!(matches!(error, BookError::Truncated { line, .. } if line == lines), "{error}");
        assert!(error.to_string().contains("--resume"), "{error}");
    }
}

#[test]
fn endless_lines_are_refused() {
    let mut bytes = text().into_bytes();
    bytes.extend(std::iter::repeat_n(b' ', 5 << 20));
    assert!(matches!(refused(&bytes), BookError::LineTooLong { .. }));
}

#[test]
fn failing_disks_are_named() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let error = read("exact.jsonl", &mut std::io::BufReader::new(Broken)).unwrap_err();
    assert!(matches!(error, BookError::Io { line: 1, .. }), "{error}");
}

#[test]
fn trials_stand_once() {
    let (mut head, mut exact) = sound();
    exact.push(exact[2].clone());
    head.rows += 1;
    let error = refused(&file(&head, &exact));
    let last = exact.len() as u64 + 1;
    assert!(matches!(error, BookError::Duplicate { line, first: 4, .. } if line == last), "{error}");

    let recipe = Recipe::small();
    let (_, mut times) = rows(&recipe);
    times.push(times[0].clone());
    let head = header(Lane::Timed, &recipe, times.len() as u64);
    assert!(matches!(refused(&file(&head, &times)), BookError::Duplicate { first: 2, .. }));
}

#[test]
fn rows_belong_to_their_header() {
    let (head, exact) = sound();
    let mut strange = exact.clone();
    strange[0].sweep = "elsewhere".into();
    assert!(matches!(refused(&file(&head, &strange)), BookError::Undescribed { line: 2, what: "sweep", .. }));
    let mut strange = exact.clone();
    strange[1].spec = "magic".into();
    assert!(matches!(refused(&file(&head, &strange)), BookError::Undescribed { line: 3, what: "spec", .. }));
    let mut twice = head.clone();
    twice.contenders.push(twice.contenders[0].clone());
    assert!(matches!(refused(&file(&twice, &exact)), BookError::Undescribed { line: 1, what: "spec", .. }));
    let mut twice = head.clone();
    twice.sweeps.push(twice.sweeps[0].clone());
    assert!(matches!(refused(&file(&twice, &exact)), BookError::Undescribed { line: 1, what: "sweep", .. }));
    let mut few = head;
    few.rows = 3;
    assert!(matches!(refused(&file(&few, &exact)), BookError::TooManyRows { line: 5, rows: 3, .. }));
}

#[test]
fn rows_agree_with_themselves() {
    let (head, exact) = sound();
    type Edit = fn(&mut ExactRow);
    let edits: [Edit; 6] = [
        |row| row.d_initiator += 1,
        |row| row.d_responder = u64::MAX,
        |row| row.m = row.d.saturating_sub(1),
        |row| row.guess = Some(0.0),
        |row| row.stretches = Some(row.d + 1),
        |row| row.stretches = Some(0),
    ];
    for edit in edits {
        let mut rows = exact.clone();
        let last = rows.len() - 1;
        edit(rows.iter_mut().find(|row| row.d > 0).unwrap());
        let error = refused(&file(&head, &rows[..=last]));
        assert!(matches!(error, BookError::Impossible { .. }), "{error}");
    }
}

#[test]
fn gaps_are_reported_and_not_refused() {
    let (head, exact) = sound();
    let book = Book::unite(vec![run("exact.jsonl", &file(&head, &exact[..7]))]).unwrap();
    let gaps = book.gaps();
    assert_eq!((gaps[0].rows, gaps[0].rows_expected), (7, exact.len() as u64));
    assert!(offerbench_reports::sentences(&book)[2].contains("exact.jsonl"));
}

#[test]
fn one_file_a_lane_and_one_commit() {
    let (head, exact) = sound();
    let one = run("a.jsonl", &file(&head, &exact));
    let error = Book::unite(vec![one.clone(), run("b.jsonl", &file(&head, &exact))]).unwrap_err();
    assert!(
        matches!(&error, BookError::Twice { first, second, .. } if first == "a.jsonl" && second == "b.jsonl")
    );
    let mut other = head.clone();
    other.experiment = "another".into();
    let united = Book::unite(vec![one.clone(), run("b.jsonl", &file(&other, &exact))]).unwrap();
    assert_eq!(united.experiments()[0].header().experiment, "another", "in the order of names");
    for edit in [|head: &mut Header| head.commit = "f00".into(), |head: &mut Header| head.dirty = true] {
        let mut other = other.clone();
        edit(&mut other);
        let error = Book::unite(vec![one.clone(), run("b.jsonl", &file(&other, &exact))]).unwrap_err();
        assert!(matches!(error, BookError::Commit { .. }), "{error}");
    }
    assert!(matches!(Book::unite(Vec::new()).unwrap_err(), BookError::Empty));
}

#[test]
fn times_need_the_counts_that_verify_them() {
    let recipe = Recipe::small();
    let (exact, times) = rows(&recipe);
    let counts = run("exact.jsonl", &file(&header(Lane::Exact, &recipe, exact.len() as u64), &exact));
    let head = header(Lane::Timed, &recipe, times.len() as u64);
    let alone = Book::unite(vec![run("timed.jsonl", &file(&head, &times))]).unwrap_err();
    assert!(matches!(alone, BookError::TimedAlone { .. }), "{alone}");
    for edit in [|head: &mut Header| head.seed += 1, |head: &mut Header| head.spec_hash = "0".into()] {
        let mut head = head.clone();
        edit(&mut head);
        let runs = vec![counts.clone(), run("timed.jsonl", &file(&head, &times))];
        let error = Book::unite(runs).unwrap_err();
        assert!(matches!(error, BookError::TimedAlone { .. }), "{error}");
        assert!(error.to_string().contains("exact.jsonl has that name"), "{error}");
    }
    let mut stray = times.clone();
    let session = stray.iter().position(|row| row.timed == Timed::Session).unwrap();
    stray[session].seed ^= 1;
    let error = Book::unite(vec![counts.clone(), run("timed.jsonl", &file(&head, &stray))]).unwrap_err();
    let line = session as u64 + 2;
    assert!(matches!(error, BookError::Unverified { line: at, .. } if at == line), "{error}");
    let mut empty = times;
    empty[0].samples_ns.clear();
    assert!(matches!(refused(&file(&head, &empty)), BookError::Impossible { line: 2, .. }));
    empty[0].samples_ns.push(1);
    empty[0].batch = 0;
    assert!(matches!(refused(&file(&head, &empty)), BookError::Impossible { line: 2, .. }));
}

#[test]
fn axes_that_need_a_field_have_it() {
    use offerbench_reports::record::Axis;
    for axis in [Axis::Guess, Axis::Absence] {
        let recipe = Recipe { axes: vec![axis], ..Recipe::small() };
        let (mut exact, _) = rows(&recipe);
        exact[0].guess = None;
        exact[0].absence_ms = None;
        let head = header(Lane::Exact, &recipe, exact.len() as u64);
        assert!(matches!(refused(&file(&head, &exact)), BookError::Impossible { line: 2, .. }));
    }
    assert!(FIELD.iter().any(|(.., oracle)| *oracle));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(read("noise", &mut &bytes[..]).is_err());
    }

    #[test]
    fn changed_bytes_never_panic(place in 0usize..60_000, byte in any::<u8>()) {
        let mut bytes = text().into_bytes();
        let place = place % bytes.len();
        bytes[place] = byte;
        // Whatever the reader accepts must also render.
        let book = read("changed", &mut &bytes[..]).and_then(|run| Book::unite(vec![run]));
        if let Ok(book) = book {
            prop_assert!(offerbench_reports::render(&book).ends_with("</html>\n"));
        }
    }

    #[test]
    fn truncations_are_named(cut in 1usize..60_000) {
        let bytes = text().into_bytes();
        let kept = &bytes[..bytes.len() - cut % bytes.len()];
        let lines = kept.iter().filter(|byte| **byte == b'\n').count() as u64;
        match read("cut", &mut &kept[..]) {
            Ok(run) => {
                prop_assert_eq!(kept.last(), Some(&b'\n'));
                prop_assert_eq!(run.row_count() + 1, lines);
            }
            Err(BookError::Truncated { line, .. }) => prop_assert_eq!(line, lines + 1),
            Err(BookError::NotRecords { .. }) => prop_assert_eq!(lines, 0),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

/// Files of the lanes, of one sweep alone, as `run --only SWEEP` writes them.
fn part(sweep: usize) -> Vec<(Header, Vec<u8>)> {
    let recipe = Recipe::small();
    let (exact, times) = rows(&recipe);
    let head = |lane, count: usize| {
        let mut head = header(lane, &recipe, count as u64);
        head.sweeps = vec![head.sweeps[sweep].clone()];
        head.spec_hash = format!("part-{sweep}");
        head.command = format!("{} --only {}", head.command, head.sweeps[0].name);
        head
    };
    let name = header(Lane::Exact, &recipe, 0).sweeps[sweep].name.clone();
    let exact: Vec<_> = exact.into_iter().filter(|row| row.sweep == name).collect();
    let times: Vec<_> = times.into_iter().filter(|row| row.sweep == name).collect();
    let (of_counts, of_times) = (head(Lane::Exact, exact.len()), head(Lane::Timed, times.len()));
    vec![(of_counts.clone(), file(&of_counts, &exact)), (of_times.clone(), file(&of_times, &times))]
}

fn part_runs(sweep: usize) -> Vec<offerbench_reports::Run> {
    part(sweep).iter().map(|(head, bytes)| run(&format!("{}/{:?}", sweep, head.offerbench), bytes)).collect()
}

#[test]
fn parts_of_one_experiment_are_one_book_in_any_order() {
    let whole = common::book(&Recipe::small());
    let runs = [part_runs(0), part_runs(1)].concat();
    let turned = runs.iter().rev().cloned().collect();
    let book = Book::unite(runs).unwrap();
    assert_eq!(book.experiments().len(), 1);
    let (one, all) = (&book.experiments()[0], &whole.experiments()[0]);
    assert_eq!(one.exact_rows().len(), all.exact_rows().len());
    assert_eq!(one.timed_rows().len(), all.timed_rows().len());
    assert_eq!(one.sweeps(), all.sweeps());
    assert_eq!(one.header().command, all.header().command, "the whole makes all parts");
    assert_eq!(one.header().spec_hash, "part-0+part-1");
    assert!(book.gaps().is_empty());
    assert_eq!(offerbench_reports::sentences(&book), offerbench_reports::sentences(&whole));
    let other_way = Book::unite(turned).unwrap();
    assert_eq!(offerbench_reports::render(&other_way), offerbench_reports::render(&book));
    // What is downloaded from the page is one file a lane, and makes the page again.
    let again: Vec<_> = book.runs().map(|one| run(one.name(), &common::bytes_of(one))).collect();
    assert_eq!(Book::unite(again).unwrap(), book);
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    type Edit = fn(&mut Header);
    let edits: [(Edit, &str); 3] = [
        (|head| head.seed += 1, "seed"),
        (|head| head.command += " --strategies 'a*'", "command but for --only"),
        (|head| head.machine.iter_mut().for_each(|machine| machine.cpu += "!"), "machine"),
    ];
    for (edit, word) in edits {
        let edited = part(1).into_iter().map(|(mut head, bytes)| {
            edit(&mut head);
            let rows = bytes.iter().position(|byte| *byte == b'\n').expect("a header has an end");
            let bytes = [serde_json::to_vec(&head).unwrap(), bytes[rows..].to_vec()].concat();
            run(&format!("{:?}", head.offerbench), &bytes)
        });
        let error = Book::unite(part_runs(0).into_iter().chain(edited).collect()).unwrap_err();
        assert!(matches!(error, BookError::Question { what, .. } if what == word), "{error}");
    }
    let twice = Book::unite([part_runs(0), part_runs(1), part_runs(1)].concat()).unwrap_err();
    assert!(matches!(twice, BookError::Twice { .. }), "{twice}");
    let mut strays = part_runs(1);
    let alone = Book::unite([part_runs(0), vec![strays.remove(1)]].concat()).unwrap_err();
    assert!(matches!(alone, BookError::TimedAlone { .. }), "{alone}");
    let mut again = part(1).remove(0);
    again.0.spec_hash = "part-2".into();
    let end = again.1.iter().position(|byte| *byte == b'\n').expect("a header has an end");
    let bytes = [serde_json::to_vec(&again.0).unwrap(), again.1[end..].to_vec()].concat();
    let overlap = Book::unite([part_runs(0), part_runs(1), vec![run("c", &bytes)]].concat()).unwrap_err();
    assert!(matches!(overlap, BookError::Overlap { .. }), "{overlap}");
}
