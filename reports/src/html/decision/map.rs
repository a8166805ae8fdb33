//! The map: who is cheapest at which M and d/M, a panel a pattern, as tables.

use std::collections::{BTreeMap, BTreeSet};

use super::Letters;
use crate::charts::style::look;
use crate::decide::{Decision, Place, Priced};
use crate::format;
use crate::html::Page;
use crate::html::tag::{Table, Td, escaped};
use crate::study::Study;

/// More values of M than these share columns.
const COLUMNS_MAX: usize = 10;

/// A band of values, two to a decade; 0 is its own.
fn band(value: f64) -> i32 {
    if value <= 0.0 { i32::MIN } else { (value.log10() * 2.0).round() as i32 }
}

/// The middle of a band, as people would write it.
fn middle(band: i32) -> f64 {
    let decade = 10f64.powi(band.div_euclid(2));
    if band.rem_euclid(2) == 0 { decade } else { 3.0 * decade }
}

fn ratio_words(band: i32) -> String {
    if band == i32::MIN { "equal".into() } else { format::percent(middle(band)) }
}

/// All panels of a decision.
pub fn map(
    page: &mut Page,
    study: &Study<'_>,
    decision: &Decision<'_>,
    letters: &Letters,
    numbers: &BTreeMap<Place, usize>,
) {
    let mut panels: BTreeMap<(bool, &str, u32, u32, &str), Vec<&Priced>> = BTreeMap::new();
    for cell in &decision.cells {
        let place = &cell.place;
        let key = (!place.synthetic(), place.workload.as_str(), place.n, place.k, place.pattern.as_str());
        panels.entry(key).or_default().push(cell);
    }
    page.push("<div class=\"maps\">\n");
    for ((trace, workload, n, k, pattern), cells) in panels {
        let mut name = if trace { format!("trace {workload}, {pattern}") } else { pattern.to_owned() };
        if (n, k) != (2, 1) {
            name += &format!(", N = {n}, K = {k}");
        }
        panel(page, study, decision, letters, numbers, &name, &cells);
    }
    page.push("</div>\n");
    page.paragraph(
        "note",
        "A cell is the contender of the least median cost among those that finished every session there; hatched with \
         a star: another one's cost may be as small (95%, same sets). Hover for cost and runner-up.",
    );
}

fn panel(
    page: &mut Page,
    study: &Study<'_>,
    decision: &Decision<'_>,
    letters: &Letters,
    numbers: &BTreeMap<Place, usize>,
    name: &str,
    cells: &[&Priced],
) {
    let exact: BTreeSet<u64> = cells.iter().map(|cell| cell.place.m).collect();
    let banded = exact.len() > COLUMNS_MAX;
    let column = |cell: &Priced| {
        if banded { middle(band(cell.place.m as f64).max(0)) as u64 } else { cell.place.m }
    };
    let columns: BTreeSet<u64> = cells.iter().map(|cell| column(cell)).collect();
    let rows: BTreeSet<i32> = cells.iter().map(|cell| band(cell.place.ratio())).collect();
    let title = |m: &u64| format!("{}{}", if banded { "≈ " } else { "" }, format::count(*m));
    let heads = std::iter::once("d/M \\ M".to_owned()).chain(columns.iter().map(title));
    let mut table = Table::new(name, heads);
    for row in rows {
        let texts: Vec<Td> = columns
            .iter()
            .map(|m| {
                let here = cells.iter().filter(|cell| column(cell) == *m && band(cell.place.ratio()) == row);
                let spots = here.map(|cell| spot(study, decision, letters, numbers, cell));
                Td::html(spots.collect::<Vec<_>>().join(" "))
            })
            .collect();
        table.row(&escaped(&ratio_words(row)), "", &texts);
    }
    page.push(&format!("<div class=\"map\">{}</div>\n", table.finish()));
}

fn spot(
    study: &Study<'_>,
    decision: &Decision<'_>,
    letters: &Letters,
    numbers: &BTreeMap<Place, usize>,
    cell: &Priced,
) -> String {
    let place = &cell.place;
    let number = numbers.get(place).copied().unwrap_or_default();
    let at = format!("M = {}, d = {}", format::count(place.m), format::count(place.d));
    let data =
        format!("data-cell=\"{number}\" data-objective-cell=\"{}\"", escaped(&decision.objective.id()));
    let Some(best) = cell.winner() else {
        return format!(
            "<span class=\"spot none\" {data} title=\"{}\">×</span>",
            escaped(&format!("{at}: nobody finished every session"))
        );
    };
    let mut words =
        format!("{at}: {}, {}", study.roster.label(best.index), decision.objective.show(best.cost));
    match best.runner_up {
        Some((second, ratio)) => {
            words += &format!("; next {}, × {}", study.roster.label(second), format::figure(ratio));
        }
        None => words += "; nobody else finished",
    }
    if !best.ties.is_empty() {
        let names: Vec<String> = best.ties.iter().map(|one| study.roster.label(*one).to_owned()).collect();
        words += &format!("; tied with {}", format::list(&names));
    }
    let (class, star) = if best.ties.is_empty() { ("spot", "") } else { ("spot tied", "*") };
    format!(
        "<span class=\"{class}\" style=\"--c:{}\" {data} title=\"{}\">{}{star}</span>",
        look(&study.roster, best.index).colour,
        escaped(&words),
        letters.of(best.index)
    )
}
