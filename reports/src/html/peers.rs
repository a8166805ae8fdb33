//! Our kernels beside other implementations, as the machine that timed them saw it.

use super::Page;
use super::tag::{Table, Td, code, escaped, prose};
use crate::study::Study;
use crate::study::peers::{Line, Reached, lines, on, reading, shelves, times};
use crate::study::summary::with_interval;

/// What is common to all cells.
const METHOD: &str = "Both work on the same sets and were checked before the clock ran: the same difference found, no \
    member denied, filters measured to err as often. They ran in turns; ratios are theirs over ours, taken in each round. \
    Medians with a 95% interval.";

/// The section, where a file of peers is given.
pub fn section(page: &mut Page, study: &Study<'_>) {
    let Some(run) = study.book.peers() else { return };
    let lines = lines(study.book.peer_rows());
    // With no experiment this is what the page has to say.
    if study.parts.is_empty() {
        page.push("<section class=\"verdict\" id=\"answer\"><h2>The answer</h2>\n");
        words(page, &lines);
        page.push("</section>\n");
        page.contents_at = page.body.len();
    }
    page.link("peers", "Peers");
    page.push("<section id=\"peers\"><h2>How do our kernels compare with other implementations?</h2>\n");
    page.paragraph("", METHOD);
    if let Some(machine) = &run.header().machine {
        page.paragraph("", &escaped(&on(machine)));
    }
    if !study.parts.is_empty() {
        words(page, &lines);
    }
    for shelf in shelves(&lines) {
        page.push(&format!("<h3>{}</h3>\n", escaped(&shelf.title)));
        let columns =
            ["Kernel", "At", "Our path", "Beside", "For one", "Ours", "Theirs", "Ratio", "Asked", "Reached"];
        let mut table = Table::new(&shelf.title, columns);
        for line in shelf.lines {
            table.row(&code(&line.name()), "", &cells(line));
        }
        page.push(&table.finish());
    }
    page.push("<h3>Make it again</h3>\n");
    page.push(&format!("<pre><code>{}</code></pre>\n", escaped(&run.header().command)));
    page.push("</section>\n");
}

fn words(page: &mut Page, lines: &[Line<'_>]) {
    for sentence in reading(lines) {
        page.paragraph("reading", &prose(&sentence));
    }
}

fn cells(line: &Line<'_>) -> [Td; 9] {
    let figure = |value: f64| Td::number(&line.figure(value)).sorted_by(value);
    let reached = match line.reached() {
        Some(Reached::No) => Td::html(format!("<b class=\"fail\">{}</b>", Reached::No.words())),
        Some(reached) => Td::text(reached.words()),
        None => Td::text(""),
    };
    [
        Td::text(&line.place()).sorted_by(line.row.n as f64),
        Td::text(&line.row.path),
        Td::text(&line.peer()),
        Td::text(&line.row.per),
        figure(line.ours.mid),
        figure(line.theirs.mid),
        Td::number(&with_interval(line.ratio, times)).sorted_by(line.ratio.mid),
        line.asked().map_or_else(|| Td::text("–"), |asked| Td::text(&asked)),
        reached,
    ]
}
