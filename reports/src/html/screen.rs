//! The first screen: alarms before anything else, then three sentences, then the summary.

use super::Page;
use super::tag::{Table, Td, code, escaped, prose};
use crate::format;
use crate::study::facts::{Placed, below_floor, floor_bytes, wrong};
use crate::study::{Study, reading, summary, verdict};

/// Alarms listed by row; the rest is counted.
const LISTED_MAX: usize = 50;

/// Title of the page.
pub fn title(study: &Study<'_>) -> String {
    format!("offerbench: {}", experiments(study))
}

fn experiments(study: &Study<'_>) -> String {
    let names: Vec<String> =
        study.parts.iter().map(|part| part.experiment.header().experiment.clone()).collect();
    format::list(&names)
}

/// Title, and whatever makes the rest of the page doubtful.
pub fn alarms(page: &mut Page, study: &Study<'_>) {
    page.push(&format!("<h1>Set reconciliation: {}</h1>\n", escaped(&experiments(study))));
    let wrong = wrong(study);
    if !wrong.is_empty() {
        alarm(
            page,
            study,
            &format!("Wrong results: {}", format::counted(wrong.len() as u64, "session", "sessions")),
            "A session invented an item, or missed one that its strategy claims it cannot miss. The run has \
             failed; no figure of these strategies counts until the fault is found.",
            &wrong,
        );
    }
    let impossible = below_floor(study);
    if !impossible.is_empty() {
        alarm(
            page,
            study,
            &format!(
                "Accounting error: {} below the information-theoretic floor",
                format::counted(impossible.len() as u64, "session", "sessions")
            ),
            "No scheme can reconcile a uniformly random difference in fewer bytes. Something was not counted.",
            &impossible,
        );
    }
}

fn alarm(page: &mut Page, study: &Study<'_>, title: &str, words: &str, rows: &[Placed<'_>]) {
    page.push(&format!("<section class=\"alarm\" role=\"alert\"><h2>{}</h2>\n", escaped(title)));
    page.paragraph("", &escaped(words));
    let mut table = Table::new(
        title,
        ["Contender", "Sweep", "Point / replicate", "Seed", "M, d", "Missed", "Invented", "Bytes", "Floor"]
            .into_iter()
            .chain(["Reason", "Where"]),
    );
    for Placed { file, line, row } in rows.iter().take(LISTED_MAX) {
        let label = study.roster.index(&row.spec).map_or(row.spec.clone(), |at| study.roster.label(at));
        table.row(
            &code(&label),
            "",
            &[
                Td::text(&row.sweep),
                Td::number(&format!("{} / {}", row.point, row.replicate)),
                Td::number(&row.seed.to_string()),
                Td::number(&format!("{}, {}", format::count(row.m), format::count(row.d))),
                Td::number(&format::count(row.missed)),
                Td::number(&format::count(row.invented)),
                Td::number(&format::bytes(row.bytes_total() as f64)),
                Td::number(&floor_bytes(row).map_or_else(|| "–".into(), format::bytes)),
                Td::text(row.reason.as_deref().unwrap_or("–")),
                Td::text(&format!("{file}:{line}")),
            ],
        );
    }
    page.push(&table.finish());
    if rows.len() > LISTED_MAX {
        page.paragraph("", &format!("{} more are in the files.", rows.len() - LISTED_MAX));
    }
    page.push("</section>\n");
}

/// The sentences, the way through the page, the summary, and who wins where.
pub fn screen(page: &mut Page, study: &Study<'_>) {
    page.push("<section class=\"verdict\"><h2>The answer in three sentences</h2>\n<ol>\n");
    for sentence in [verdict::first(study), verdict::second(study), verdict::third(study)] {
        page.push(&format!("<li>{}</li>\n", prose(&sentence)));
    }
    page.push("</ol></section>\n");
    contents(page, study);
    summary_section(page, study);
    winners(page, study);
}

/// Anchor of the n-th sweep. Numbers, since names may hold anything.
pub fn anchor(study: &Study<'_>, experiment: &str, sweep: &str) -> String {
    let place = study
        .sweeps()
        .position(|(part, one)| part.experiment.header().experiment == experiment && one.sweep.name == sweep);
    format!("sweep-{}", place.unwrap_or_default() + 1)
}

/// Name of a sweep, with its experiment where there are several.
pub fn sweep_name(study: &Study<'_>, experiment: &str, sweep: &str) -> String {
    if study.parts.len() > 1 { format!("{experiment}: {sweep}") } else { sweep.to_owned() }
}

fn contents(page: &mut Page, study: &Study<'_>) {
    page.push("<nav aria-label=\"Contents\"><a href=\"#summary\">Summary</a> ");
    for (part, sweep) in study.sweeps() {
        let (experiment, name) = (&part.experiment.header().experiment, &sweep.sweep.name);
        let link = format!(
            "<a href=\"#{}\">{}</a> ",
            anchor(study, experiment, name),
            escaped(&sweep_name(study, experiment, name))
        );
        page.push(&link);
    }
    page.push(
        "<a href=\"#failures\">Failures</a> <a href=\"#provenance\">Provenance</a> \
         <a href=\"#words\">Words</a></nav>\n",
    );
}

fn summary_section(page: &mut Page, study: &Study<'_>) {
    page.push("<section id=\"summary\"><h2>Summary</h2>\n");
    let mut table = Table::new(
        "Every contender at one point of every sweep: the most messages, and the middle of any other axis. \
         Cheapest first; bounds, which are told d, last. A failed session counts as infinitely dear; \
         zero failures are shown with what they cannot exclude (95%, Wilson).",
        summary::COLUMNS,
    )
    .numeric();
    for (part, sweep) in study.sweeps() {
        let (experiment, name) = (&part.experiment.header().experiment, &sweep.sweep.name);
        let Some((_, point)) = sweep.reference() else { continue };
        table.group(&format!(
            "<a href=\"#{}\">{}</a> at {}",
            anchor(study, experiment, name),
            escaped(&sweep_name(study, experiment, name)),
            escaped(&point.place.words())
        ));
        for line in summary::lines(sweep, &study.roster) {
            let class = if study.roster.oracle(line.index) { "bound" } else { "" };
            let cells: Vec<Td> = line.texts[1..].iter().map(|text| Td::number(text)).collect();
            table.row(&code(&line.texts[0]), class, &cells);
        }
    }
    page.push(&table.finish());
    page.push("</section>\n");
}

fn winners(page: &mut Page, study: &Study<'_>) {
    page.push("<section id=\"winners\"><h2>Who is cheapest where</h2>\n");
    let mut table = Table::new(
        "Fewest bytes a session among contenders that can be deployed, were never wrong, and of which no \
         session failed at the point. Crossings are interpolated between neighbouring points, with a 95% bootstrap interval.",
        ["Sweep", "At", "Fewest bytes"],
    );
    for (part, sweep) in study.sweeps() {
        let name = sweep_name(study, &part.experiment.header().experiment, &sweep.sweep.name);
        for panel in &sweep.panels {
            let answer = reading::cheapest(sweep.sweep.axis, panel, &study.roster);
            table.row(&escaped(&name), "", &[Td::text(&panel.label), Td::html(prose(&answer))]);
        }
    }
    page.push(&table.finish());
    page.push("</section>\n");
}
