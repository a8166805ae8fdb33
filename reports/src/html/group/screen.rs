//! The groups' share of the first screen: alarms and the summary matrix.

use super::anchor;
use super::cost::share;
use super::table::command;
use crate::format;
use crate::html::Page;
use crate::html::screen::{LISTED_MAX, unbroken};
use crate::html::tag::{Table, Td, code, contender, escaped, row_class};
use crate::record::GroupOutcome;
use crate::study::Study;
use crate::study::group::digest::{GroupDigest, GroupPrice};

/// Trials in which something happened that must not.
pub fn alarms(page: &mut Page, study: &Study<'_>) {
    let rows = study.book.experiments().iter().flat_map(|one| {
        let file = one.group().map_or("", |run| run.name());
        one.group_rows().iter().enumerate().map(move |(index, row)| (file, index + 2, row))
    });
    let wrong: Vec<_> = rows.filter(|(.., row)| row.outcome == GroupOutcome::Wrong).collect();
    if wrong.is_empty() {
        return;
    }
    let count = format::counted(wrong.len() as u64, "group trial", "group trials");
    let title = format!("Wrong results: {count}");
    page.push(&format!("<section class=\"alarm\" role=\"alert\"><h2>{}</h2>\n", escaped(&title)));
    page.paragraph(
        "",
        "In a group a message was invented, delivered twice or out of causal order, or a byte was not accounted for. \
         The run has failed; no figure of these contenders counts until the fault is found.",
    );
    let columns = ["Contender", "Sweep", "Point / replicate", "Seed", "N, K, M", "Reason", "Where"];
    let mut table = Table::new(&title, columns);
    for (file, line, row) in wrong.iter().take(LISTED_MAX) {
        let label = study.roster.index(&row.spec).map(|at| contender(&study.roster, at));
        table.row(
            &label.unwrap_or_else(|| code(&row.spec)),
            "",
            &[
                Td::text(&row.sweep),
                Td::number(&format!("{} / {}", row.point, row.replicate)),
                Td::number(&row.seed.to_string()),
                Td::number(&format!("{}, {}, {}", row.n, row.k, format::count(row.m))),
                Td::text(row.reason.as_deref().unwrap_or("–")),
                Td::text(&format!("{file}:{line}")),
            ],
        );
    }
    page.push(&table.finish());
    if wrong.len() > LISTED_MAX {
        page.paragraph("", &format!("{} more are in the files.", wrong.len() - LISTED_MAX));
    }
    page.push("</section>\n");
}

/// A row a contender, a column a sweep.
pub fn summary(page: &mut Page, study: &Study<'_>) {
    // One summary is named, that of sessions if there are any: this one follows it.
    if !study.has_sessions() {
        page.link("group-summary", "Summary");
    }
    page.push("<section id=\"group-summary\"><h2>Summary of groups</h2>\n");
    let digest = GroupDigest::new(study);
    let mut titles = vec!["Contender".to_owned()];
    titles.extend(digest.columns.iter().map(|column| {
        let id = anchor(study, &column.experiment, &column.name);
        let name = study.sweep_name(&column.experiment, &column.name);
        let at = format!("{}; point {}", column.brief, column.point);
        format!("<a href=\"#{id}\">{}</a><small>{}</small>", escaped(&name), escaped(&unbroken(&at)))
    }));
    titles.push("Delivered<small>of all that was due</small>".into());
    titles.push("Wrong<small>of all trials</small>".into());
    let mut table = Table::with_titles(
        "Bytes a member and day, median over replicates, at one point of every sweep: the last of an axis that grows, \
         the middle of any other. Green: the cheapest of those that deliver as much (to one in a hundred). All conditions stand in the sweep's section. Below a figure: the share \
         that was delivered, where it is not all.",
        titles,
    )
    .dense();
    for entry in &digest.entries {
        let spec = study.roster.spec(entry.index);
        let mut cells: Vec<Td> = Vec::new();
        for (one, column) in entry.prices.iter().zip(&digest.columns) {
            let cell = price(one.as_ref());
            let part = study.parts.iter().find(|part| part.experiment.name() == column.experiment);
            cells.push(match (one, part) {
                (Some(_), Some(part)) => cell.hinted(&command(part, &column.name, column.point, spec)),
                _ => cell,
            });
        }
        cells.push(Td::optional(entry.delivered, share));
        let wrong = format!("{}/{}", format::count(entry.wrong), format::count(entry.trials));
        let cell = match entry.wrong {
            0 => Td::number(&wrong),
            _ => Td::number_html(format!("<b class=\"fail\">{wrong}</b>"), "num"),
        };
        cells.push(cell.sorted_by(entry.wrong as f64));
        table.row(&contender(&study.roster, entry.index), row_class(&study.roster, entry.index), &cells);
    }
    if table.is_empty() {
        page.paragraph("", "The files of groups hold no rows.");
    } else {
        page.push(&table.finish());
    }
    page.push("</section>\n");
}

fn price(price: Option<&GroupPrice>) -> Td {
    let Some(price) = price else { return Td::number("–") };
    let mut html = escaped(&format::bytes(price.bytes.mid));
    if price.delivered < 1.0 {
        html += &format!("<small>{}</small>", escaped(&share(price.delivered)));
    }
    let cell = Td::number_html(html, "num").sorted_by(price.bytes.mid);
    if price.best { cell.marked() } else { cell }
}

/// How trials ended, by contender.
pub fn outcomes(page: &mut Page, study: &Study<'_>) {
    let mut table = Table::new(
        "How group trials ended, all sweeps together. Partial: when the time was over, somebody lacked something, as \
         is usual where members are offline; what was delivered stands beside every cost.",
        ["Contender", "Trials", "Complete", "Partial", "Wrong"],
    )
    .numeric();
    for index in 0..study.roster.contenders.len() {
        let mut counts = [0u64; 3];
        let spec = study.roster.spec(index);
        for row in study.group_rows().filter(|row| row.spec == spec) {
            counts[row.outcome as usize] += 1;
        }
        let all: u64 = counts.iter().sum();
        if all > 0 {
            let cells: Vec<Td> = [all].iter().chain(&counts).map(|count| Td::count(*count)).collect();
            table.row(&contender(&study.roster, index), row_class(&study.roster, index), &cells);
        }
    }
    if !table.is_empty() {
        page.push(&table.finish());
    }
}
