//! The report as Markdown: the sentences, who wins where, the matrix, and how a group's cost grows.

use super::markdown::{Table, escaped};
use crate::book::Book;
use crate::format;
use crate::stats::Interval;
use crate::study::digest::{Digest, summary_legend};
use crate::study::group::digest::GroupDigest;
use crate::study::group::exponents::{AXES, COSTS, PAYERS, exponents};
use crate::study::group::reading::{power, power_interval};
use crate::study::group::winner::winner as group_winner;
use crate::study::prose::Prose;
use crate::study::winner::winner;
use crate::study::{Roster, Study, reading, verdict};

/// Writes the main tables of a book.
pub fn markdown(book: &Book) -> String {
    let study = Study::new(book);
    let mut names: Vec<String> = book.experiments().iter().map(|one| escaped(one.name())).collect();
    if names.is_empty() {
        names.extend(book.peers().map(|run| escaped(&run.header().experiment)));
    }
    let mut text = format!("# {}\n", format::list(&names));
    if !study.parts.is_empty() {
        for sentence in verdict::sentences(&study) {
            text += &format!("\n{}\n", escaped(&sentence.plain()));
        }
    }
    text += &super::rules::rules(&study);
    if study.has_sessions() {
        text += "\n## What a session costs\n\n";
        text += &sessions(&study);
        text += "\n## Who is cheapest where\n\n";
        text += &winners(&study);
    }
    if study.has_groups() {
        text += "\n## What a member of a group pays a day\n\n";
        text += &groups(&study);
        text += "\n## Who is cheapest in which group\n\n";
        text += &group_winners(&study);
        let laws = laws(&study);
        if !laws.is_empty() {
            text += &format!("\n## How cost grows with the group: M^a K^b N^c\n{laws}");
        }
    }
    text += &super::peers::section(book);
    text += "\n## Where these figures are from\n\n";
    if !study.parts.is_empty() {
        for line in summary_legend(book) {
            text += &format!("- {}\n", escaped(&line));
        }
    }
    for run in book.runs() {
        let header = run.header();
        let dirty = if header.dirty { " with local changes" } else { "" };
        text += &format!(
            "- {}: {}, commit {}{dirty}, {}\n",
            escaped(run.name()),
            format::counted(run.row_count(), "row", "rows"),
            escaped(&header.commit),
            super::markdown::code(&header.command)
        );
    }
    text
}

fn with_range(value: Interval) -> String {
    let mid = escaped(&format::bytes(value.mid));
    match format::range(value.low, value.high, format::bytes) {
        Some(range) if value.mid.is_finite() => format!("{mid} ({})", escaped(&range)),
        _ => mid,
    }
}

/// The matrix: median bytes at each sweep's reference point.
fn sessions(study: &Study<'_>) -> String {
    let digest = Digest::new(study);
    let mut heads = vec!["contender"];
    heads.extend(digest.columns.iter().map(|column| column.name.as_str()));
    heads.extend(["gave up", "wrong"]);
    let mut table = Table::new(&heads);
    for entry in &digest.entries {
        let mut cells = vec![escaped(&study.roster.marked(entry.index))];
        cells.extend(entry.prices.iter().map(|price| {
            let Some(price) = price else { return "–".to_owned() };
            let (failures, trials) = (price.outcomes.failures(), price.outcomes.trials());
            match (failures, price.best) {
                (0, true) => format!("**{}**", escaped(&format::bytes(price.bytes))),
                (0, false) => escaped(&format::bytes(price.bytes)),
                _ => format!("✗{failures}/{trials}"),
            }
        }));
        cells.extend([entry.outcomes.gave_up, entry.outcomes.wrong].map(format::count));
        table.row(&cells);
    }
    format!(
        "Median bytes at the point of each sweep that is named below; the cheapest is bold.\n\n{}",
        table.finish()
    )
}

fn labels(indices: &[usize], roster: &Roster<'_>) -> String {
    indices.iter().map(|index| escaped(roster.label(*index))).collect::<Vec<_>>().join(", ")
}

fn winners(study: &Study<'_>) -> String {
    let mut table = Table::new(&["sweep", "where", "cheapest", "bytes (95%)", "tied with", "second takes"]);
    let mut texts = String::new();
    for (part, sweep) in study.sweeps() {
        for point in sweep.points() {
            let name = study.sweep_name(part.experiment.name(), &sweep.sweep.name);
            let mut cells = vec![escaped(&name), escaped(&point.place.words())];
            match winner(point, &study.roster) {
                Some(best) => {
                    cells.push(escaped(study.roster.label(best.index)));
                    cells.push(with_range(point.cells[&best.index].bytes));
                    cells.push(labels(&best.ties, &study.roster));
                    cells.push(best.runner_up.map_or_else(String::new, |(second, times)| {
                        format!("× {} ({})", format::figure(times), escaped(study.roster.label(second)))
                    }));
                }
                None => cells.push("nobody who may win finished every session".to_owned()),
            }
            table.row(&cells);
        }
        let words: Prose = reading::reading(sweep, &study.roster);
        texts += &format!("- {}: {}\n", escaped(&sweep.sweep.name), escaped(&words.plain()));
    }
    format!("{texts}\n{}", table.finish())
}

/// The matrix of groups: bytes a member and day.
fn groups(study: &Study<'_>) -> String {
    let digest = GroupDigest::new(study);
    let mut heads = vec!["contender"];
    heads.extend(digest.columns.iter().map(|column| column.name.as_str()));
    heads.extend(["delivered", "wrong"]);
    let mut table = Table::new(&heads);
    for entry in &digest.entries {
        let mut cells = vec![escaped(&study.roster.marked(entry.index))];
        cells.extend(entry.prices.iter().map(|price| {
            let Some(price) = price else { return "–".to_owned() };
            let bytes = with_range(price.bytes);
            if price.best { format!("**{bytes}**") } else { bytes }
        }));
        cells.push(entry.delivered.map_or_else(|| "–".to_owned(), |share| escaped(&format::percent(share))));
        cells.push(format::count(entry.wrong));
        table.row(&cells);
    }
    format!(
        "Bytes a member and day, median (least to most of the replicates), at the point of each sweep that is named \
         below; the cheapest of those that deliver as much is bold.\n\n{}",
        table.finish()
    )
}

fn group_winners(study: &Study<'_>) -> String {
    let mut table = Table::new(&["sweep", "where", "cheapest", "a member and day", "delivered", "tied with"]);
    for (_, sweep) in study.groups() {
        for point in sweep.points() {
            let mut cells = vec![escaped(&sweep.sweep.name), escaped(&point.place.words())];
            match group_winner(point, &study.roster) {
                Some(best) => {
                    let cell = &point.cells[&best.index];
                    cells.push(escaped(study.roster.label(best.index)));
                    cells.push(with_range(cell.member_day));
                    cells.push(escaped(&format::percent(cell.delivered())));
                    cells.push(labels(&best.ties, &study.roster));
                }
                None => cells.push("nobody who may win took part".to_owned()),
            }
            table.row(&cells);
        }
    }
    table.finish()
}

/// Exponents with their intervals, a table for each set of conditions.
fn laws(study: &Study<'_>) -> String {
    let mut text = String::new();
    for part in &study.parts {
        for set in exponents(part) {
            text += &format!("\n{}: {}\n\n", escaped(part.experiment.name()), escaped(&set.conditions));
            let mut table =
                Table::new(&["contender", "cost", "paid by", "a of M", "b of K", "c of N", "R²", "points"]);
            for index in 0..study.roster.contenders.len() {
                for (cost, payer) in
                    COSTS.iter().flat_map(|cost| PAYERS.iter().map(move |payer| (*cost, *payer)))
                {
                    // What cannot be fitted has its reason on the page; a table of exponents has nothing to show of it.
                    let Some(Ok(fit)) = set.laws.get(&(index, cost, payer)) else { continue };
                    let mut cells = vec![
                        escaped(study.roster.label(index)),
                        cost.name().to_owned(),
                        payer.name().to_owned(),
                    ];
                    let [n, k, m] = fit.exponents;
                    for one in [m, k, n] {
                        cells.push(match one {
                            crate::fit::Exponent::Fitted(value) => power_interval(value),
                            crate::fit::Exponent::Constant => "–".to_owned(),
                            crate::fit::Exponent::MovesWith(axis) => format!("with {}", AXES[axis]),
                        });
                    }
                    cells.push(fit.r2.map_or_else(|| "–".to_owned(), power));
                    cells.push(fit.points.to_string());
                    table.row(&cells);
                }
            }
            text += &table.finish();
        }
    }
    text
}
