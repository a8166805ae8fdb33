//! The reader's half for groups: each rule of a row and each rule between files is broken once, and named.

mod common;

use common::group::{GroupRecipe, group_files, group_header, group_rows};
use common::{Recipe, file, files, machine, run};
use offerbench_reports::record::{CpuRow, GroupOutcome, GroupRow, Header, Lane};
use offerbench_reports::{Book, BookError, Rows, Run, read};
use proptest::prelude::*;

fn sound() -> (Header, Vec<GroupRow>, Vec<CpuRow>) {
    let recipe = GroupRecipe::small();
    let (group, cpu) = group_rows(&recipe);
    (group_header(Lane::Group, &recipe, group.len() as u64), group, cpu)
}

fn cpu_file(cpu: &[CpuRow]) -> Vec<u8> {
    file(&group_header(Lane::Cpu, &GroupRecipe::small(), cpu.len() as u64), cpu)
}

fn refused(bytes: &[u8]) -> BookError {
    read("group.jsonl", &mut &bytes[..]).expect_err("the file must be refused")
}

#[test]
fn group_files_are_read_whole() {
    let (head, group, cpu) = sound();
    let counts = run("group.jsonl", &file(&head, &group));
    let times = run("cpu.jsonl", &cpu_file(&cpu));
    assert_eq!(counts.rows(), &Rows::Group(group.clone()));
    assert_eq!(times.rows(), &Rows::Cpu(cpu.clone()));
    let book = Book::unite(vec![times, counts]).unwrap();
    let [one] = book.experiments() else { panic!("one experiment") };
    assert_eq!((one.group_rows(), one.cpu_rows()), (&group[..], &cpu[..]));
    assert_eq!((one.groups(), one.sweeps().len()), (&head.groups[..], 0));
    assert!(book.gaps().is_empty() && one.exact().is_none());
    let names: Vec<&str> = book.runs().map(Run::name).collect();
    assert_eq!(names, ["group.jsonl", "cpu.jsonl"]);
}

#[test]
fn rows_agree_with_themselves() {
    let (head, group, _) = sound();
    let (whole, most) = (group[0].clone(), u64::MAX);
    assert_eq!(whole.outcome, GroupOutcome::Complete);
    type Edit = fn(&mut GroupRow, u64);
    let edits: [(&str, Edit); 22] = [
        ("`n` to be at least 1", |row, _| row.n = 0),
        ("`k`, others", |row, _| row.k = row.n + row.relays),
        ("`links` to be at most", |row, _| row.links = u64::from(row.n * row.n)),
        ("`m` to be the sum", |row, _| row.m += 1),
        ("`m` to be the sum", |row, most| row.history = most),
        ("`duration_ms` above 0", |row, _| row.duration_ms = 0),
        ("millionths", |row, _| row.uptime_ppm = 1_000_001),
        ("millionths", |row, _| row.one_way_reach_ppm = Some(1_000_001)),
        ("`needed` to be", |row, _| row.needed -= 1),
        ("`delivered` to be at most", |row, _| row.delivered += 1),
        ("a complete trial", |row, _| row.delivered -= 1),
        ("a value a delivery", |row, _| row.delivery_ms.record(1)),
        ("a value a delivery", |row, _| row.delivery_ms = Default::default()),
        ("`needed` to be", |row, _| row.lacked += 1),
        ("millionths", |row, _| row.possible_ppm = 1_000_001),
        ("`reached_all`", |row, _| row.reached_all = row.m + 1),
        ("sessions that ended", |row, _| row.sessions_failed = row.sessions_opened + 1),
        ("sessions that ended", |row, most| row.sessions_failed = most),
        ("catch-ups to belong", |row, _| row.catch_ups_cut = row.missed.count() + 1),
        ("between once and thrice", |row, _| row.member_bytes.sum = row.sent_bytes.total() - 1),
        ("between once and thrice", |row, _| row.relay_bytes.sum = 3 * row.sent_bytes.total() + 1),
        ("`wire_bytes`", |row, _| row.wire_bytes = row.sent_bytes.total() - 1),
    ];
    for (rule, edit) in edits {
        let mut rows = group.clone();
        edit(&mut rows[0], most);
        let error = refused(&file(&head, &rows));
        assert!(matches!(error, BookError::Impossible { line: 2, .. }), "{rule}: {error}");
        assert!(error.to_string().contains(rule), "{rule}: {error}");
    }
    let away = group.iter().position(|row| row.away_ms.is_some()).unwrap();
    let mut rows = group.clone();
    rows[away].away_ms = None;
    let line_of_away = away as u64 + 2;
    let error = refused(&file(&head, &rows));
    assert!(matches!(error, BookError::Impossible { line, .. } if line == line_of_away), "{error}");
}

#[test]
fn a_wrong_trial_may_contradict_its_books_and_is_read() {
    let (head, mut group, _) = sound();
    group[0].outcome = GroupOutcome::Wrong;
    group[0].delivered = group[0].needed + 1;
    group[0].member_bytes.sum = 0;
    run("group.jsonl", &file(&head, &group));
    group[0].k = group[0].n;
    assert!(matches!(refused(&file(&head, &group)), BookError::Impossible { line: 2, .. }));
}

#[test]
fn a_group_of_one_is_possible() {
    let (mut head, mut group, _) = sound();
    let row = &mut group[0];
    (row.n, row.k, row.links, row.needed, row.delivered) = (1, 0, 0, 0, 0);
    row.delivery_ms = Default::default();
    head.rows = 1;
    run("group.jsonl", &file(&head, &group[..1]));
}

#[test]
fn trials_stand_once_and_belong_to_their_header() {
    let (mut head, mut group, mut cpu) = sound();
    head.rows += 1;
    group.push(group[2].clone());
    let last = group.len() as u64 + 1;
    let error = refused(&file(&head, &group));
    assert!(matches!(error, BookError::Duplicate { line, first: 4, .. } if line == last), "{error}");
    cpu.push(cpu[0].clone());
    assert!(matches!(refused(&cpu_file(&cpu)), BookError::Duplicate { first: 2, .. }));
    group.pop();
    group[1].sweep = "elsewhere".into();
    assert!(matches!(refused(&file(&head, &group)), BookError::Undescribed { line: 3, what: "sweep", .. }));
    cpu[3].spec = "magic".into();
    assert!(matches!(refused(&cpu_file(&cpu)), BookError::Undescribed { line: 5, what: "spec", .. }));
    head.groups.push(head.groups[0].clone());
    assert!(matches!(refused(&file(&head, &group)), BookError::Undescribed { line: 1, .. }));
}

#[test]
fn headers_belong_to_their_lane() {
    let (head, group, cpu) = sound();
    let sessions = common::header(Lane::Exact, &Recipe::small(), 0);
    let mut mixed = head.clone();
    mixed.sweeps.clone_from(&sessions.sweeps);
    assert!(matches!(refused(&file(&mixed, &group)), BookError::Field { line: 1, .. }));
    let mut mixed = sessions;
    mixed.groups = head.groups;
    assert!(matches!(refused(&file::<GroupRow>(&mixed, &[])), BookError::Field { line: 1, .. }));
    let mut nameless = group_header(Lane::Cpu, &GroupRecipe::small(), cpu.len() as u64);
    nameless.machine = None;
    assert!(matches!(refused(&file(&nameless, &cpu)), BookError::Field { line: 1, .. }));
    assert_eq!(machine().cores, 2);
}

#[test]
fn the_lanes_of_an_experiment_answer_one_question() {
    let (exact, _) = files(&Recipe::small());
    let exact = run("exact.jsonl", &exact);
    let (head, group, cpu) = sound();
    let counts = run("group.jsonl", &file(&head, &group));
    let times = run("cpu.jsonl", &cpu_file(&cpu));
    let book = Book::unite(vec![counts.clone(), times.clone(), exact.clone()]).unwrap();
    let [one] = book.experiments() else { panic!("sessions and groups are one experiment") };
    assert!(one.exact().is_some() && one.group().is_some() && one.cpu().is_some());
    type Edit = fn(&mut Header);
    let edits: [(Edit, &str); 2] =
        [(|head| head.seed += 1, "seed"), (|head| head.spec_hash = "0".into(), "spec_hash")];
    for (edit, word) in edits {
        let mut other = head.clone();
        edit(&mut other);
        let other = run("other.jsonl", &file(&other, &group));
        let error = Book::unite(vec![exact.clone(), other.clone()]).unwrap_err();
        assert!(matches!(error, BookError::Question { what, .. } if what == word), "{error}");
        // Times of another question belong to nothing.
        let error = Book::unite(vec![other, times.clone()]).unwrap_err();
        assert!(matches!(error, BookError::TimedAlone { counts: "a group", .. }), "{error}");
        assert!(error.to_string().contains("other.jsonl has that name"), "{error}");
    }
    let error = Book::unite(vec![exact, times.clone()]).unwrap_err();
    assert!(matches!(error, BookError::TimedAlone { counts: "a group", .. }), "{error}");
    let error = Book::unite(vec![counts.clone(), counts.clone()]).unwrap_err();
    assert!(matches!(error, BookError::Twice { lane: "group", .. }), "{error}");
    let mut strays = cpu;
    strays[4].replicate += 100;
    let error = Book::unite(vec![counts, run("cpu.jsonl", &cpu_file(&strays))]).unwrap_err();
    assert!(matches!(error, BookError::Uncounted { line: 6, .. }), "{error}");
}

#[test]
fn a_group_file_with_rows_missing_is_a_gap() {
    let (head, group, _) = sound();
    let book = Book::unite(vec![run("group.jsonl", &file(&head, &group[..5]))]).unwrap();
    assert_eq!((book.gaps()[0].rows, book.gaps()[0].rows_expected), (5, group.len() as u64));
    assert!(offerbench_reports::sentences(&book)[2].contains("group.jsonl"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic(place in 0usize..200_000, byte in any::<u8>()) {
        let mut bytes = group_files(&GroupRecipe::small()).0;
        let place = place % bytes.len();
        bytes[place] = byte;
        // Whatever the reader accepts must also render.
        let book = read("changed", &mut &bytes[..]).and_then(|run| Book::unite(vec![run]));
        if let Ok(book) = book {
            prop_assert!(offerbench_reports::render(&book).ends_with("</html>\n"));
        }
    }
}
