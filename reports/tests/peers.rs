//! Files of peers: refused where they are damaged, shown alone and beside a run, and golden copies of both forms.
//!
//! After a wanted change: `UPDATE_GOLDEN=1 cargo test -p offerbench-reports --test peers`, then read the difference before it
//! is committed.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use common::peers::{peer_book, peer_file, peer_header, peer_rows, peer_run};
use common::{Recipe, file, files, golden, run, unpacked};
use offerbench_reports::record::{Asked, PeerRow};
use offerbench_reports::{Book, BookError, csv, markdown, read, render, sentences, summary_table};

/// From the title to the records: what a page of peers has of its own.
fn body(page: &str) -> String {
    let ours = unpacked(page);
    let start = ours.find("<h1>").unwrap();
    let end = ours.find("<section id=\"records\">").unwrap();
    ours[start..end].to_owned()
}

#[test]
fn a_file_of_peers_alone_makes_a_page_and_both_tables() {
    let book = peer_book();
    golden("peers.html", &body(&render(&book)));
    golden("peers.md", &markdown(&book));
    golden("peers.csv", &csv(&book));
    // A terminal gets the sentences, and has no table of contenders to show.
    let page = render(&book);
    assert!(sentences(&book).iter().all(|sentence| page.contains(sentence)));
    assert!(summary_table(&book).len() <= 1);
}

#[test]
fn beside_a_run_the_table_is_a_section_and_nothing_else_moves() {
    let (exact, times) = files(&Recipe::small());
    let runs = vec![run("exact.jsonl", &exact), run("timed.jsonl", &times)];
    let alone = unpacked(&render(&Book::unite(runs.clone()).unwrap()));
    let book = Book::unite([runs, vec![peer_run()]].concat()).unwrap();
    let both = unpacked(&render(&book));
    assert!(!alone.contains("id=\"peers\""));
    assert_eq!(both.matches("<section id=\"peers\">").count(), 1);
    assert_eq!(both.matches("id=\"answer\"").count(), 1);
    let answer = |page: &str| {
        let start = page.find("id=\"answer\"").unwrap();
        page[start..start + page[start..].find("</section>").unwrap()].to_owned()
    };
    assert_eq!(answer(&both), answer(&alone));
    assert!(markdown(&book).contains("## Our kernels beside other implementations"));
    // The flat table of contenders has no columns for it.
    assert_eq!(
        csv(&book),
        csv(&Book::unite(vec![run("exact.jsonl", &exact), run("timed.jsonl", &times)]).unwrap())
    );
}

#[test]
fn what_was_asked_is_told_as_it_was_measured() {
    let page = render(&peer_book());
    let words = page.replace('\u{202f}', " ");
    assert!(words.contains("Of 4 figures asked for, 1 is reached, 2 are not, 1 is open"), "{words:.3000}");
    assert!(words.contains("The peer is the cheaper: fuse build"));
    assert!(words.contains("comes to cost 2.5 × as much"));
}

/// The error of a file with this edit of its rows.
fn refused(edit: impl FnOnce(&mut Vec<PeerRow>)) -> String {
    let mut rows = peer_rows();
    edit(&mut rows);
    let bytes = file(&peer_header(rows.len() as u64), &rows);
    read("peers.jsonl", &mut &bytes[..]).unwrap_err().to_string()
}

#[test]
fn damaged_rows_are_refused() {
    for (expected, error) in [
        ("as many figures", refused(|rows| rows[1].ours.clear())),
        ("as many figures", refused(|rows| rows[1].theirs.truncate(3))),
        ("above 0", refused(|rows| rows[1].theirs[2] = 0.0)),
        ("above 0", refused(|rows| rows[1].asked = Some(Asked::RatioAtLeast(-1.0)))),
        ("size_of", refused(|rows| rows[1].size_of = None)),
    ] {
        assert!(error.contains("line 3") && error.contains(expected), "{error}");
    }
    let twice = refused(|rows| rows[2] = PeerRow { ours: vec![1.0], theirs: vec![2.0], ..rows[0].clone() });
    assert!(twice.contains("line 4") && twice.contains("pinsketch encode beside minisketch-rs"), "{twice}");
    // The machine is half of what a time says.
    let mut header = peer_header(1);
    header.machine = None;
    let error = read("p", &mut &file(&header, &peer_rows()[..1])[..]).unwrap_err().to_string();
    assert!(error.contains("machine"), "{error}");
}

#[test]
fn a_book_holds_one_file_of_peers_and_tells_what_is_missing() {
    let error = Book::unite(vec![peer_run(), peer_run()]).unwrap_err();
    assert!(matches!(error, BookError::Twice { lane: "peers", .. }), "{error}");
    let cut = file(&peer_header(99), &peer_rows());
    let book = Book::unite(vec![run("peers.jsonl", &cut)]).unwrap();
    assert_eq!((book.gaps()[0].rows, book.gaps()[0].rows_expected), (8, 99));
    assert!(book.experiments().is_empty());
    assert_eq!(book.peer_rows(), peer_rows());
    assert_eq!(peer_file(), file(&peer_header(8), book.peer_rows()));
}

#[test]
fn hostile_names_stay_names() {
    let evil = "</script><script>alert(1)</script><img src=x>&|'";
    let mut rows = peer_rows();
    for row in &mut rows {
        for name in [&mut row.kernel, &mut row.operation, &mut row.peer, &mut row.path, &mut row.per] {
            name.push_str(evil);
        }
    }
    let mut header = peer_header(8);
    header.command = evil.into();
    header.machine.as_mut().unwrap().cpu = evil.into();
    let book = Book::unite(vec![run("peers.jsonl", &file(&header, &rows))]).unwrap();
    let page = unpacked(&render(&book));
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
    let text = markdown(&book).replace(r"\<", "");
    assert!(text.lines().filter(|line| line.starts_with('|')).all(|line| !line.contains('<')));
}
