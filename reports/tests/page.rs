//! The page: the same bytes for the same book, no network, hostile names, alarms first, and a golden copy.
//!
//! After a wanted change: `UPDATE_GOLDEN=1 cargo test -p offerbench-reports --test page`, then read the
//! difference before it is committed.

mod common;

use common::{Recipe, file, header, rows, run, unpacked};
use offerbench_reports::record::{Bytes, ExactRow, Lane, Outcome};
use offerbench_reports::{Book, render, sentences, summary_legend, summary_table};

/// The sentences of a book without groups.
fn three(book: &Book) -> [String; 3] {
    sentences(book).try_into().expect("three sentences")
}

fn exact_book(recipe: &Recipe, edit: impl FnOnce(&mut Vec<ExactRow>)) -> Book {
    let (mut exact, _) = rows(recipe);
    edit(&mut exact);
    let head = header(Lane::Exact, recipe, exact.len() as u64);
    Book::unite(vec![run("exact.jsonl", &file(&head, &exact))]).expect("one sound file is a book")
}

#[test]
fn the_page_is_the_golden_one() {
    let page = unpacked(&render(&common::book(&Recipe::small())));
    common::golden("small.html", &page);
}

#[test]
fn equal_books_give_equal_bytes_whatever_the_order_of_files() {
    let (exact, times) = common::files(&Recipe::small());
    let (exact, times) = (run("exact.jsonl", &exact), run("timed.jsonl", &times));
    let one = Book::unite(vec![exact.clone(), times.clone()]).unwrap();
    let other = Book::unite(vec![times, exact]).unwrap();
    assert!(render(&one) == render(&other));
}

#[test]
fn the_page_is_small_and_loads_nothing() {
    let recipe = Recipe { replicates: 3, ..Recipe::large() };
    let page = render(&common::book(&recipe));
    assert!(page.len() < 5_500_000, "{}", page.len());
    let ours = unpacked(&page);
    for forbidden in
        ["src=", "href=\"http", "href='", "@import", "url(", "http:", "https:", "<link", "<iframe"]
    {
        assert!(!ours.contains(forbidden), "{forbidden}");
    }
    assert_eq!(page.matches("id=\"plotly\"").count(), 1);
    assert_eq!(
        ours.matches("class=\"chart\"").count(),
        ours.matches("<script type=\"application/json\" id=\"chart-").count()
    );
}

#[test]
fn hostile_names_stay_names() {
    let evil = "</script><script>alert(1)</script><img src=x onerror=\"alert(2)\">&'";
    let recipe = Recipe::small();
    let (mut exact, _) = rows(&recipe);
    let mut head = header(Lane::Exact, &recipe, exact.len() as u64);
    head.experiment = evil.into();
    head.commit = evil.into();
    head.command = evil.into();
    for sweep in &mut head.sweeps {
        sweep.name += evil;
        sweep.question = evil.into();
        sweep.expectation = evil.into();
    }
    for contender in &mut head.contenders {
        contender.spec += evil;
        contender.strategy += evil;
        contender.guarantee = evil.into();
    }
    for row in &mut exact {
        row.sweep += evil;
        row.spec += evil;
        row.pattern += evil;
        row.workload += evil;
        row.outcome = if row.replicate == 0 { Outcome::Wrong } else { row.outcome };
        row.reason = Some(evil.into());
    }
    let page = render(&Book::unite(vec![run(evil, &file(&head, &exact))]).unwrap());
    let ours = unpacked(&page);
    assert!(!ours.contains("<script>alert"));
    assert!(!ours.contains("<img"));
    // Two scripts with code, and one of data for each chart.
    let charts = ours.matches("class=\"chart\"").count();
    assert_eq!(ours.matches("<script").count(), charts + 2);
    assert_eq!(ours.matches("</script>").count(), charts + 2);
}

#[test]
fn wrong_results_come_first_and_win_nothing() {
    let recipe = Recipe { failures: false, ..Recipe::small() };
    let sound = exact_book(&recipe, |_| {});
    let winner = sentences(&sound)[0].clone();
    let book = exact_book(&recipe, |exact| {
        // Every contender but the dearest has one wrong session.
        for row in exact.iter_mut().filter(|row| row.replicate == 1 && !row.spec.starts_with("offers")) {
            row.outcome = Outcome::Wrong;
        }
    });
    let page = render(&book);
    let alarm = page.find("Wrong results:").unwrap();
    assert!(alarm < page.find("The answer in three sentences").unwrap());
    assert!(!render(&sound).contains("class=\"alarm\""));
    let [first, second, _] = three(&book);
    assert_ne!(first, winner);
    assert!(first.contains("use offers") && !first.contains("riblt"), "{first}");
    assert!(second.contains("wrong results: 45 of "), "{second}");
}

#[test]
fn fewer_bytes_than_possible_are_an_alarm() {
    let recipe = Recipe::small();
    let book = exact_book(&recipe, |exact| {
        let row = exact.iter_mut().find(|row| row.d == 300 && row.succeeded()).unwrap();
        row.up = Bytes { sketch: 20, ..Bytes::default() };
        row.down = Bytes::default();
    });
    assert!(render(&book).contains("Accounting error: 1"));
    // Gaps carry less information; there the floor does not hold.
    let book = exact_book(&recipe, |exact| {
        let row = exact.iter_mut().find(|row| row.pattern == "gap").unwrap();
        row.up = Bytes { sketch: 20, ..Bytes::default() };
        row.down = Bytes::default();
    });
    assert!(!render(&book).contains("Accounting error"));
}

#[test]
fn giving_up_early_is_not_cheap() {
    let recipe = Recipe { failures: false, ..Recipe::small() };
    let book = exact_book(&recipe, |exact| {
        for row in exact.iter_mut().filter(|row| row.spec.starts_with("offers")) {
            row.outcome = Outcome::GaveUp;
            row.reason = Some("did not even try".into());
            (row.up, row.down) = (Bytes { control: 1, ..Bytes::default() }, Bytes::default());
        }
    });
    let [first, _, third] = three(&book);
    assert!(!first.contains("offers"), "{first}");
    assert!(third.contains("sessions that gave up (offers 75×)"), "{third}");
    let page = render(&book);
    assert!(page.contains("did not even try"));
    assert!(page.contains("no median"));
}

#[test]
fn oracles_never_win() {
    let recipe = Recipe { failures: false, ..Recipe::small() };
    let book = exact_book(&recipe, |exact| {
        for row in exact.iter_mut().filter(|row| row.spec.contains("oracle") && row.pattern != "scattered") {
            (row.up, row.down) = (Bytes { control: 1, ..Bytes::default() }, Bytes::default());
        }
    });
    assert!(!sentences(&book)[0].contains("oracle"));
    assert!(render(&book).contains("bound, not deployable"));
}

#[test]
fn the_terminal_prints_the_numbers_of_the_page() {
    let book = common::book(&Recipe::small());
    let table = summary_table(&book);
    assert!(table.iter().all(|row| row.len() == table[0].len()));
    // Four contenders below two titles: iblt, and those told d.
    assert_eq!(table.len(), 1 + 2 + 4);
    assert!(table[0].len() == 1 + 2 + 2 && table.iter().any(|row| row[0] == "  iblt oracle"), "{table:?}");
    let page = render(&book).replace('\u{202f}', "");
    for price in table[1..].iter().flat_map(|row| &row[1..3]).filter(|price| !price.is_empty()) {
        let unit = if price.ends_with(['k', 'M', 'G']) { "B" } else { "" };
        let figure = price.trim_end_matches('*');
        assert!(page.contains(&format!("{figure}{unit}")), "{price}");
    }
    assert_eq!(summary_legend(&book).len(), 1 + 2);
}

#[test]
fn the_summary_fits_a_terminal_and_one_screen() {
    let book = common::book(&Recipe { replicates: 3, ..Recipe::large() });
    let table = summary_table(&book);
    let widths = (0..table[0].len())
        .map(|column| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let width: usize = widths.map(|width| width + 2).sum();
    assert!(width <= 108, "{width}");
    let page = render(&book);
    let start = page.find("<section id=\"summary\">").unwrap();
    let summary = &page[start..start + page[start..].find("</section>").unwrap()];
    assert_eq!(summary.matches("<tr").count(), 1 + common::FIELD.len());
}

#[test]
fn who_may_miss_items_never_wins() {
    let mut recipe = Recipe { failures: false, ..Recipe::small() };
    recipe.contenders = 7;
    let cheap = |exact: &mut Vec<ExactRow>| {
        for row in exact.iter_mut().filter(|row| row.spec.starts_with("bloom") && row.pattern != "scattered")
        {
            (row.up, row.down) = (Bytes { control: 1, ..Bytes::default() }, Bytes::default());
        }
    };
    let book = exact_book(&recipe, cheap);
    assert!(!sentences(&book)[0].contains("bloom"));
    let page = render(&book);
    let winners = &page[page.find("<section id=\"winners\">").unwrap()..];
    assert!(!winners[..winners.find("</section>").unwrap()].contains("bloom"));
    for row in page.split("<tr").filter(|row| row.contains(">bloom<")) {
        assert!(!row.contains("class=\"best\""), "{row}");
    }
    assert!(page.contains("<small>may miss</small>"));
    assert!(summary_table(&book).iter().any(|row| row[0] == "bloom may miss" && !row[2].contains('*')));
}

#[test]
fn people_read_labels_and_find_specs() {
    let page = render(&common::book(&Recipe::small()));
    // One table has the whole spec; elsewhere it shows on hover.
    assert_eq!(
        page.matches("<code>iblt:<wbr>bits=64,<wbr>check=32,<wbr>k=4,<wbr>size=tow</code>").count(),
        1
    );
    assert!(page.contains("<code title=\"iblt:bits=64,check=32,k=4,size=tow\">iblt:<wbr>size=tow</code>"));
    assert!(page.contains(" iblt:size=oracle (bound)\""));
}

#[test]
fn tiny_books_render() {
    let recipe = Recipe { contenders: 1, replicates: 1, sizes: vec![10], d_power: 0, ..Recipe::large() };
    let book = exact_book(&recipe, |_| {});
    assert!(render(&book).ends_with("</html>\n"));
    // No rows at all: a run that was cut after its header.
    let head = header(Lane::Exact, &recipe, 100);
    let book = Book::unite(vec![run("exact.jsonl", &file::<ExactRow>(&head, &[]))]).unwrap();
    let page = render(&book);
    assert!(page.contains("rows missing from"));
    assert!(page.contains("no rows"));
}
