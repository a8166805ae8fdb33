//! The first screen: alarms before anything else, then three sentences, then the summary.

use super::tag::{Table, Td, code, contender, escaped, prose, row_class};
use super::{Page, group};
use crate::format;
use crate::study::digest::{Digest, Price};
use crate::study::facts::{Placed, below_floor, floor_bytes, wrong};
use crate::study::{Study, reading, verdict};

/// Alarms listed by row; the rest is counted.
pub const LISTED_MAX: usize = 50;

/// Title of the page.
pub fn title(study: &Study<'_>) -> String {
    format!("offerbench: {}", experiments(study))
}

fn experiments(study: &Study<'_>) -> String {
    let mut names: Vec<String> =
        study.parts.iter().map(|part| part.experiment.header().experiment.clone()).collect();
    if names.is_empty() {
        names.extend(study.book.peers().map(|run| run.header().experiment.clone()));
    }
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
    group::screen::alarms(page, study);
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
        let label = study.roster.index(&row.spec).map(|at| contender(&study.roster, at));
        table.row(
            &label.unwrap_or_else(|| code(&row.spec)),
            "",
            &[
                Td::text(&row.sweep),
                Td::number(&format!("{} / {}", row.point, row.replicate)),
                Td::number(&row.seed.to_string()),
                Td::number(&format!("{}, {}", format::count(row.m), format::count(row.d))),
                Td::count(row.missed),
                Td::count(row.invented),
                Td::value(row.bytes_total() as f64, format::bytes),
                Td::optional(floor_bytes(row), format::bytes),
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
    let sentences = verdict::sentences(study);
    let count = if sentences.len() == 3 { "three" } else { "four" };
    page.push(&format!(
        "<section class=\"verdict\" id=\"answer\"><h2>The answer in {count} sentences</h2>\n<ol>\n"
    ));
    for sentence in sentences {
        page.push(&format!("<li>{}</li>\n", prose(&sentence)));
    }
    page.push("</ol></section>\n");
    page.contents_at = page.body.len();
    page.push(&super::controls::controls(study));
    super::decision::section(page, study);
    if study.has_groups() {
        group::map::section(page, study);
    }
    if study.has_sessions() {
        summary_section(page, study);
        winners(page, study);
    }
    if study.has_groups() {
        group::screen::summary(page, study);
    }
}

/// Anchor of the n-th sweep. Numbers, since names may hold anything.
pub fn anchor(study: &Study<'_>, experiment: &str, sweep: &str) -> String {
    let place = study
        .sweeps()
        .position(|(part, one)| part.experiment.header().experiment == experiment && one.sweep.name == sweep);
    format!("sweep-{}", place.unwrap_or_default() + 1)
}

fn summary_section(page: &mut Page, study: &Study<'_>) {
    page.link("summary", "Summary");
    page.push("<section id=\"summary\"><h2>Summary</h2>\n");
    let digest = Digest::new(study);
    let mut titles = vec!["Contender".to_owned()];
    titles.extend(digest.columns.iter().map(|column| {
        let id = anchor(study, &column.experiment, &column.name);
        let name = study.sweep_name(&column.experiment, &column.name);
        format!("<a href=\"#{id}\">{}</a><small>{}</small>", escaped(&name), escaped(&unbroken(&column.at)))
    }));
    titles.push("Gave up<small>of all sessions</small>".into());
    titles.push("Wrong<small>of all sessions</small>".into());
    titles.push("Flights<small>median of these points</small>".into());
    if let Some((m, d)) = digest.timed_at {
        let at = unbroken(&format!("<small>M = {}, d = {}</small>", format::count(m), format::count(d)));
        titles.extend(["build", "session"].map(|what| format!("CPU {what}{at}")));
    }
    let mut table = Table::with_titles(
        "Median bytes a session at one point of every sweep: the most messages, and the middle of any other \
         axis. Green: the cheapest of those that may win; who may miss items, is told d or failed there does not. \
         Red k/n: k of n sessions failed there. \
         Told d, and so only bounds: the rows in italics. Intervals and the rest: in each sweep's section.",
        titles,
    )
    .dense();
    let mut family = None;
    for entry in &digest.entries {
        let mut cells: Vec<Td> = entry.prices.iter().map(|one| price(one.as_ref())).collect();
        let all = entry.outcomes.trials();
        cells.extend([entry.outcomes.gave_up, entry.outcomes.wrong].map(|count| of_all(count, all)));
        let figure = |value: Option<f64>, show: fn(f64) -> String| Td::optional(value, show);
        cells.push(figure(entry.flights, format::figure));
        if digest.timed_at.is_some() {
            cells.extend([entry.build, entry.session].map(|time| figure(time, format::nanos)));
        }
        let oracle = study.roster.oracle(entry.index);
        let now = Some((oracle, &study.roster.short(entry.index).family));
        // Bounds make one group, whatever their family.
        let starts = family.is_some_and(|last: (bool, &String)| !(oracle && last.0) && Some(last) != now);
        family = now;
        let class = match (row_class(&study.roster, entry.index), starts) {
            ("", true) => "family",
            ("bound", true) => "bound family",
            (class, _) => class,
        };
        table.row(&contender(&study.roster, entry.index), class, &cells);
    }
    page.push(&table.finish());
    page.push("</section>\n");
}

/// Words that break between their figures only: not within `M = 10`.
pub fn unbroken(words: &str) -> String {
    words.replace(" = ", "\u{a0}=\u{a0}")
}

fn price(price: Option<&Price>) -> Td {
    let Some(price) = price else { return Td::number("–") };
    let failures = match price.outcomes.failures() {
        0 => String::new(),
        count => format!("<b class=\"fail\">{count}/{}</b>", price.outcomes.trials()),
    };
    let bytes = if price.bytes.is_finite() { escaped(&format::bytes(price.bytes)) } else { String::new() };
    let cell = Td::number_html(bytes + &failures, "num").sorted_by(price.bytes);
    if price.best { cell.marked() } else { cell }
}

fn of_all(count: u64, all: u64) -> Td {
    let text = format!("{}/{}", format::count(count), format::count(all));
    let cell = if count == 0 {
        Td::number(&text)
    } else {
        Td::number_html(format!("<b class=\"fail\">{text}</b>"), "num")
    };
    cell.sorted_by(count as f64)
}

fn winners(page: &mut Page, study: &Study<'_>) {
    page.push("<section id=\"winners\"><h2>Who is cheapest where</h2>\n");
    let mut table = Table::new(
        "Fewest bytes a session among contenders that promise the whole difference, are not told d, were never \
         wrong, and of which no session failed at the point; whoever may miss items did less and does not \
         compete. Crossings are interpolated between neighbouring points, with a 95% bootstrap interval. Tied: \
         another contender's 95% interval meets the winner's.",
        ["Sweep", "At", "Fewest bytes"],
    );
    for (part, sweep) in study.sweeps() {
        let name = study.sweep_name(&part.experiment.header().experiment, &sweep.sweep.name);
        for panel in &sweep.panels {
            let answer = reading::cheapest(sweep.sweep.axis, panel, &study.roster);
            table.row(&escaped(&name), "", &[Td::text(&panel.label), Td::html(prose(&answer))]);
        }
    }
    page.push(&table.finish());
    page.push("</section>\n");
}
