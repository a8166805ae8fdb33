//! The group part of the page: its figures are those of the rows, and the first screen names what matters.
//!
//! Goal: whoever reads a cell reads what the rows say. Method: figures are computed here from the rows alone,
//! and looked up by the command that each cell bears. A golden copy keeps the rest.
//!
//! After a wanted change: `UPDATE_GOLDEN=1 cargo test -p offerbench-reports --test group_page`.

mod common;

use std::collections::BTreeMap;

use common::group::{
    GROUP_FIELD, GroupRecipe, group_book, group_files, group_header, group_rows, group_runs,
};
use common::{Recipe, file, run, unpacked};
use offerbench_reports::record::{GroupAxis, GroupOutcome, GroupRow, Hist, Lane};
use offerbench_reports::{Book, format, render, sentences, summary_legend, summary_table};

/// The page without what is packed into it.
fn ours(book: &Book) -> String {
    unpacked(&render(book))
}

fn edited(recipe: &GroupRecipe, edit: impl FnOnce(&mut Vec<GroupRow>)) -> Book {
    let (mut rows, _) = group_rows(recipe);
    edit(&mut rows);
    let head = group_header(Lane::Group, recipe, rows.len() as u64);
    Book::unite(vec![run("group.jsonl", &file(&head, &rows))]).expect("one sound file is a book")
}

/// Text of the tables with this in their caption: by the command of each cell.
fn cells(page: &str, caption: &str) -> BTreeMap<String, String> {
    let mut cells = BTreeMap::new();
    for table in page.split("<table").skip(1).map(|rest| &rest[..rest.find("</table>").expect("tables end")])
    {
        if !table[..table.find("</caption>").expect("tables have captions")].contains(caption) {
            continue;
        }
        for cell in table.split("title=\"").skip(1).filter(|cell| cell.starts_with("offerbench ")) {
            let (command, rest) = cell.split_once("\">").expect("attributes end");
            let text = rest[..rest.find("</td>").expect("cells end")].replace("<small", "|<small");
            let plain = text.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
            let command = command.replace("&#39;", "'");
            assert!(cells.insert(command, plain.collect::<String>()).is_none(), "one cell a command: {cell}");
        }
    }
    assert!(!cells.is_empty(), "{caption}");
    cells
}

/// The command of a trial's cell, as a shell takes it.
fn command(row: &GroupRow) -> String {
    let spec = if row.spec.contains(':') { format!("'{}'", row.spec) } else { row.spec.clone() };
    format!("offerbench run synthetic --seed 7 --only {}/{} --strategies {spec}", row.sweep, row.point)
}

/// Rows of each cell.
fn by_cell(rows: &[GroupRow]) -> BTreeMap<String, Vec<&GroupRow>> {
    let mut cells: BTreeMap<String, Vec<&GroupRow>> = BTreeMap::new();
    for row in rows {
        cells.entry(command(row)).or_default().push(row);
    }
    cells
}

#[test]
fn the_page_is_the_golden_one() {
    let page = ours(&group_book(&GroupRecipe::small()));
    common::golden("group.html", &page);
}

#[test]
fn costs_are_those_of_the_rows() {
    let recipe = GroupRecipe { replicates: 3, ..GroupRecipe::large() };
    let (rows, cpu) = group_rows(&recipe);
    let shown = cells(&ours(&group_book(&recipe)), "Medians over replicates, then the least");
    let expected = by_cell(&rows);
    assert_eq!(shown.len(), expected.len());
    for (command, rows) in expected {
        let mut days: Vec<f64> = rows
            .iter()
            .map(|row| {
                row.member_bytes.sum as f64 / f64::from(row.n) / (row.duration_ms as f64 / 86_400_000.0)
            })
            .collect();
        days.sort_by(f64::total_cmp);
        let sum = |value: fn(&GroupRow) -> u64| rows.iter().map(|row| value(row)).sum::<u64>() as f64;
        let sent = sum(|row| row.sent_bytes.total());
        let overhead = format::percent((sent - sum(|row| row.sent_bytes.body)) / sent);
        let text = &shown[&command];
        let parts: Vec<&str> = text.split('|').collect();
        assert_eq!(parts[0], format::bytes(days[1]), "{command}");
        assert!(parts.contains(&format!("{overhead} overhead").as_str()), "{command}: {text}");
        if let Some(range) = format::range(days[0], days[2], format::bytes) {
            assert_eq!(parts[1], range, "{command}");
        }
        let delivered = sum(|row| row.delivered);
        if delivered > 0.0 {
            let each = format::figure(sum(|row| row.redundant) / delivered);
            assert!(parts.contains(&format!("{each} duplicates").as_str()), "{command}: {text}");
            let share = format::percent(delivered / sum(|row| row.needed));
            assert!(parts.contains(&format!("{share} delivered").as_str()), "{command}: {text}");
        }
        let first = rows[0];
        let mut times: Vec<u64> = cpu
            .iter()
            .filter(|time| (&time.sweep, time.point, &time.spec) == (&first.sweep, first.point, &first.spec))
            .map(|time| time.cpu_ns)
            .collect();
        times.sort_unstable();
        let day = format::nanos(times[1] as f64 / f64::from(first.n));
        assert!(parts.contains(&format!("CPU {day}").as_str()), "{command}: {text}");
    }
}

#[test]
fn latencies_are_of_all_that_was_due() {
    let recipe = GroupRecipe { axes: vec![GroupAxis::Uptime, GroupAxis::K], ..GroupRecipe::small() };
    let (rows, _) = group_rows(&recipe);
    let page = ours(&group_book(&recipe));
    let shown = cells(&page, "Time from writing to delivery");
    for (command, rows) in by_cell(&rows) {
        let mut all = Hist::default();
        rows.iter().for_each(|row| all.merge(&row.delivery_ms));
        let due: u64 = rows.iter().map(|row| row.needed).sum();
        let text = &shown[&command];
        // The value that 50 of 100 deliveries due had at most, found by counting.
        let half = all.classes().find(|(value, _)| all.count_upto(*value) * 2 >= due);
        let half = half.map_or_else(|| "not in time".to_owned(), |(value, _)| format::span_ms(value));
        assert!(text.starts_with(&format!("{half}|")), "{command}: {text}, not {half}");
        let lacking = due - all.count();
        let never = format!("{} not in time", format::percent(lacking as f64 / due as f64));
        assert_eq!(text.ends_with(&never), lacking > 0, "{command}: {text}, not {never}");
    }
    assert!(page.contains("Share delivered against time"));
}

#[test]
fn catching_up_counts_who_was_cut() {
    let recipe = GroupRecipe::small();
    let (rows, _) = group_rows(&recipe);
    let page = ours(&group_book(&recipe));
    let shown = cells(&page, "Time until a member that came online held");
    let missed = cells(&page, "Messages missed at a return");
    let away: Vec<GroupRow> = rows.into_iter().filter(|row| row.away_ms.is_some()).collect();
    for (command, rows) in by_cell(&away) {
        let cut: u64 = rows.iter().map(|row| row.catch_ups_cut).sum();
        let all: u64 = cut + rows.iter().map(|row| row.catch_up_ms.count()).sum::<u64>();
        assert!(shown[&command].ends_with(&format!("{cut} of {all} cut")), "{}", shown[&command]);
        let returns: u64 = rows.iter().map(|row| row.missed.count()).sum();
        let none: u64 = rows.iter().map(|row| row.missed.count_upto(0)).sum();
        let share = format::percent(none as f64 / returns as f64);
        assert!(missed[&command].starts_with(&format!("{share} nothing")), "{}", missed[&command]);
    }
}

#[test]
fn coverage_stands_beside_the_closed_form() {
    let recipe = GroupRecipe { axes: vec![GroupAxis::K], ..GroupRecipe::small() };
    let page = ours(&group_book(&recipe));
    let row = |name: &str| {
        let start = page.find(&format!(">{name}</th>")).unwrap();
        page[start..start + page[start..].find("</tr>").unwrap()].to_owned()
    };
    // N = 50: exp(-50 (1 - 3/49)^49) = 0.10414, and (1 - 5/49)^49 gives 0.774.
    assert!(
        row("one way, closed form").contains(&format::percent(0.10414)),
        "{}",
        row("one way, closed form")
    );
    assert!(
        row("one way, closed form").contains(&format::percent(0.7740)),
        "{}",
        row("one way, closed form")
    );
    // K = 3 was given 1 − 0.4/3 of the members.
    assert!(row("one way, measured").contains(&format::percent(0.866_667)));
    assert!(row("measured / closed form").contains(&format::figure(0.866_667 / 0.104_140)));
    assert!(
        row("pairs connect everybody").contains("0 of 3")
            && row("pairs connect everybody").contains("3 of 3")
    );
}

#[test]
fn planted_laws_are_found_and_judged() {
    let recipe = GroupRecipe {
        axes: vec![GroupAxis::N, GroupAxis::History],
        members: vec![4, 8, 16, 32, 64],
        ..GroupRecipe::large()
    };
    let page = ours(&group_book(&recipe));
    let claims = &page[page.find("<h3>Claims</h3>").unwrap()..];
    let part = |words: &str| {
        let start = claims.find(words).unwrap_or_else(|| panic!("{words}"));
        let rest = &claims[start..];
        rest[..rest.find("<h4>").unwrap_or(rest.len())].to_owned()
    };
    // Overhead is planted as members times links a member: n - 1 of them where all share with all.
    let all = part("All-to-all sharing is");
    let verdicts = |part: &str, head: &str, columns: [&str; 3]| {
        let rows = part.split("<tr>").filter(|row| columns.iter().all(|column| row.contains(column)));
        let rows = rows.filter(|row| row.contains(head));
        rows.map(|row| row.rsplit("<td>").next().unwrap().split('<').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let beside = "<td>bytes beside bodies</td>";
    let network = verdicts(&all, ">interactive<", ["<td>the network</td>", beside, "<td>O(N²)</td>"]);
    assert_eq!(network, ["confirmed"], "{all}");
    assert_eq!(
        verdicts(&all, ">interactive<", ["<td>a member</td>", beside, "<td>O(N)</td>"]),
        ["confirmed"]
    );
    let log = part("Sharing with K = log2 N");
    assert_eq!(
        verdicts(&log, ">riblt<", ["<td>a member</td>", beside, "<td>O(log N)</td>"]),
        ["confirmed"],
        "{log}"
    );
    let history = part("What is sent again");
    assert_eq!(
        verdicts(&history, ">riblt<", ["a member", beside, "<td>O(1)</td>"]),
        ["confirmed"],
        "{history}"
    );
    let bound = verdicts(&history, ">riblt<", ["a member", beside, "<td>O(M)</td>"]);
    assert!(bound[0].starts_with("holds as a bound"), "{bound:?}");
    // Pairs of members, not N²: between 4 and 64 members their slope is 2.1.
    assert!(all.contains(">2.09</td>"), "{all}");
    // The exponents' table: N moves alone, K with the rules, history as M.
    assert!(page.contains("Exponents of bytes beside bodies"));
}

/// A group that falls apart pays little because it does nothing: its points bend no law, and are named.
#[test]
fn points_that_fall_apart_take_no_part_in_laws() {
    let recipe =
        GroupRecipe { axes: vec![GroupAxis::N], members: vec![4, 8, 16, 32, 64], ..GroupRecipe::large() };
    let whole = ours(&group_book(&recipe));
    assert!(!whole.contains("Left out, since"));
    let fallen = ours(&edited(&recipe, |rows| {
        for row in rows.iter_mut().filter(|row| row.n == 64) {
            row.delivered /= 10;
            row.outcome = GroupOutcome::Partial;
            row.reached_all = row.history;
            row.delivery_ms = Default::default();
            (0..row.delivered).for_each(|_| row.delivery_ms.record(1));
        }
    }));
    let note = &fallen[fallen.find("Left out, since").expect("it is said")..];
    assert!(note[..300].contains("N = 64"), "{}", &note[..300]);
}

#[test]
fn what_no_sweep_answers_is_said_with_the_command_that_would() {
    let recipe = GroupRecipe { axes: vec![GroupAxis::Mode], ..GroupRecipe::small() };
    let page = ours(&group_book(&recipe));
    assert_eq!(page.matches("Not answered by these files").count(), 3);
    assert!(page.contains("offerbench run n-size") && page.contains("offerbench run m-growth"));
    assert!(page.contains("no exponent can be fitted"));
}

#[test]
fn the_first_screen_speaks_of_groups() {
    let recipe = GroupRecipe::small();
    let book = group_book(&recipe);
    let [first, second, third] = <[String; 3]>::try_from(sentences(&book)).expect("three sentences");
    // The sweep over N gives a map; all with all is the first of its rules, 30 the middle of its sizes (with 50, of the sweep over K).
    assert!(first.starts_with("At N = 30, M = 124 (100 of them history), all, always"), "{first}");
    assert!(first.contains("use interactive: ") && first.contains("a member and day"), "{first}");
    assert!(second.contains("wrong results: 0 of"), "{second}");
    assert!(third.starts_with("Not covered:") && !third.contains("every session has 2"), "{third}");
    let table = summary_table(&book);
    assert!(table.iter().all(|row| row.len() == table[0].len()));
    assert_eq!((table.len(), table[0].len()), (1 + 3, 1 + 3 + 2));
    assert_eq!(summary_legend(&book).len(), 1 + 3);
    let page = ours(&book);
    assert!(page.contains("The answer in three sentences") && page.contains("Summary of groups"));
    assert!(!page.contains("Who is cheapest where") && !page.contains("class=\"alarm\""));
    // The cheapest of those that deliver as much is marked once a column.
    let summary = &page[page.find("id=\"group-summary\"").unwrap()..];
    assert_eq!(summary[..summary.find("</section>").unwrap()].matches("class=\"best\"").count(), 3);
}

#[test]
fn whoever_delivers_less_is_not_cheap() {
    let recipe = GroupRecipe { axes: vec![GroupAxis::Link], ..GroupRecipe::small() };
    let sound = edited(&recipe, |_| {});
    assert!(sentences(&sound)[0].contains("use interactive"), "{}", sentences(&sound)[0]);
    let book = edited(&recipe, |rows| {
        for row in rows.iter_mut().filter(|row| row.spec == "interactive") {
            row.delivered -= row.delivered / 10;
            row.outcome = GroupOutcome::Partial;
            let mut fewer = Hist::default();
            (0..row.delivered).for_each(|_| fewer.record(1));
            row.delivery_ms = fewer;
        }
    });
    let first = &sentences(&book)[0];
    assert!(first.contains("cheaper, delivering less: interactive with"), "{first}");
    assert!(
        !first.contains("use interactive") && first.contains("the cheapest of the 2 (of 3 contenders)"),
        "{first}"
    );
    // Partial is no failure: nothing alarms, and the share is shown.
    let page = ours(&book);
    assert!(!page.contains("class=\"alarm\"") && page.contains("not in time"));
    assert!(summary_table(&book)[2][1].ends_with('°'), "{:?}", summary_table(&book));
}

/// Goal: what is decided does not hang on a hair. Method: two contenders whose deliveries differ in every life.
#[test]
fn a_hair_of_deliveries_decides_nothing_and_a_consistent_loss_does() {
    let recipe = GroupRecipe { axes: vec![GroupAxis::Link], ..GroupRecipe::small() };
    // 456 deliveries are due a life: one less is two in a thousand, ten are 22.
    let less = |by: [u64; 3]| {
        let book = edited(&recipe, |rows| {
            for row in rows.iter_mut().filter(|row| row.spec == "interactive") {
                row.delivered -= by[row.replicate as usize];
                row.outcome = GroupOutcome::Partial;
                let mut fewer = Hist::default();
                (0..row.delivered).for_each(|_| fewer.record(1));
                row.delivery_ms = fewer;
            }
        });
        sentences(&book)[0].contains("use interactive")
    };
    assert!(less([0, 0, 0]) && less([1, 1, 1]) && less([4, 4, 4]));
    assert!(!less([10, 10, 10]) && !less([9, 10, 11]));
    // Lives that disagree do not show a loss: mean 10, of 0, 0 and 30.
    assert!(less([0, 0, 30]));
}

#[test]
fn the_map_shows_each_size_once_with_its_winner() {
    let recipe =
        GroupRecipe { axes: vec![GroupAxis::N, GroupAxis::History], replicates: 1, ..GroupRecipe::large() };
    let page = ours(&group_book(&recipe));
    let start = page.find("id=\"group-map\"").expect("the map is drawn");
    assert!(start < page.find("id=\"group-summary\"").unwrap());
    let section = &page[start..start + page[start..].find("</section>").unwrap()];
    let history =
        &section[section.find("Map: random:k=3, always, link lan").expect("a map of the history")..];
    let history = &history[..history.find("</table>").unwrap()];
    assert_eq!(history.matches("<td").count(), 5, "{history}");
    for words in ["N = 20", "delivered</small>", "100\u{202f}024"] {
        assert!(history.contains(words), "{words}: {history}");
    }
    assert!(section.contains("not measured") && section.contains("What a member pays in a day"), "{section}");
}

#[test]
fn wrong_trials_alarm_and_win_nothing() {
    let recipe = GroupRecipe { wrong: true, ..GroupRecipe::small() };
    let book = group_book(&recipe);
    let page = ours(&book);
    let alarm = page.find("Wrong results: 3\u{202f}group trials").unwrap();
    assert!(alarm < page.find("The answer in three sentences").unwrap());
    assert!(page.contains("message 7 was delivered twice") && page.contains("group.jsonl:5"));
    for row in page.split("<tr").filter(|row| row.contains(">interactive<")) {
        assert!(!row.contains("class=\"best\""), "{row}");
    }
    assert!(sentences(&book)[1].contains("wrong results: 3 of"));
}

#[test]
fn sessions_and_groups_share_a_page() {
    let (exact, times) = common::files(&Recipe::small());
    let mut runs = vec![run("exact.jsonl", &exact), run("timed.jsonl", &times)];
    runs.extend(group_runs(&GroupRecipe::small()));
    let book = Book::unite(runs).unwrap();
    let all = sentences(&book);
    assert_eq!(all.len(), 4);
    assert!(all[0].contains("fewest bytes") && all[2].contains("a member and day"), "{all:?}");
    let page = ours(&book);
    for words in
        ["The answer in four sentences", "Who is cheapest where", "Summary of groups", "How cost grows"]
    {
        assert!(page.contains(words), "{words}");
    }
    let table = summary_table(&book);
    assert!(table.iter().all(|row| row.len() == table[0].len()));
    let titles: Vec<&str> = table.iter().map(|row| row[0].as_str()).collect();
    assert!(titles.contains(&"Median bytes") && titles.contains(&"Bytes a member+day"), "{titles:?}");
}

#[test]
fn hostile_names_stay_names() {
    let evil = "</script><script>alert(1)</script><img src=x onerror=\"alert(2)\">&' \\";
    let recipe =
        GroupRecipe { axes: vec![GroupAxis::Life, GroupAxis::Sharing, GroupAxis::N], ..GroupRecipe::small() };
    let (mut rows, _) = group_rows(&recipe);
    let mut head = group_header(Lane::Group, &recipe, rows.len() as u64);
    (head.experiment, head.command) = (evil.into(), evil.into());
    for sweep in &mut head.groups {
        sweep.name += evil;
        (sweep.question, sweep.expectation) = (evil.into(), evil.into());
    }
    for contender in &mut head.contenders {
        contender.spec += evil;
        contender.strategy += evil;
    }
    for row in &mut rows {
        row.sweep += evil;
        row.spec += evil;
        for name in [&mut row.workload, &mut row.presence, &mut row.sharing, &mut row.mode, &mut row.acks] {
            *name += evil;
        }
        row.link = evil.into();
        if row.replicate == 0 {
            (row.outcome, row.reason) = (GroupOutcome::Wrong, Some(evil.into()));
        }
    }
    let page = ours(&Book::unite(vec![run(evil, &file(&head, &rows))]).unwrap());
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
    let charts = page.matches("class=\"chart\"").count();
    assert_eq!(page.matches("<script").count(), charts + 2);
}

#[test]
fn tiny_books_render() {
    // A group of one, a single row, none at all.
    let recipe =
        GroupRecipe { contenders: 1, replicates: 1, axes: vec![GroupAxis::N], ..GroupRecipe::small() };
    let book = edited(&recipe, |rows| {
        rows.truncate(1);
        let row = &mut rows[0];
        (row.n, row.k, row.links, row.needed, row.delivered) = (1, 0, 0, 0, 0);
        row.delivery_ms = Hist::default();
    });
    assert!(render(&book).ends_with("</html>\n"));
    let book = edited(&recipe, Vec::clear);
    let page = render(&book);
    assert!(page.contains("by-n") && page.contains("no rows"));
    assert_eq!(summary_table(&book).len(), 1);
    let bytes = group_files(&GroupRecipe::small()).0;
    assert!(bytes.len() > 1_000 && GROUP_FIELD.len() == 6);
}
