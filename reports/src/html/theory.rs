//! Closed forms beside what was measured: lines under the charts, ratios in tables, and who is beyond their bound.

use std::collections::BTreeMap;

use super::Page;
use super::matrix::titles;
use super::tag::{Table, Td, contender, escaped, row_class};
use crate::format;
use crate::study::sizing::FirstPass;
use crate::study::{Panel, Study, SweepStudy};
use crate::theory::compare::{Check, Placed, Quantity, check};

/// Checks beyond their bound that are listed; the rest is counted.
const LISTED_MAX: usize = 50;

/// Where theory and measurement part: a doubt that belongs on the first screen.
pub fn doubt(page: &mut Page, all: &[Placed<'_, '_>], passes: &[FirstPass]) {
    let beyond = all.iter().filter(|one| one.check.beyond()).count()
        + passes.iter().filter(|pass| pass.beyond()).count();
    let count = all.len() + passes.len();
    if beyond > 0 {
        page.paragraph(
            "doubt",
            &format!(
                "In doubt: {} of {} are off by more than their stated bound: <a href=\"#theory\">which</a>.",
                format::count(beyond as u64),
                escaped(&format::counted(count as u64, "closed form", "closed forms"))
            ),
        );
    }
}

fn show(quantity: Quantity) -> fn(f64) -> String {
    match quantity {
        Quantity::Bytes => format::bytes,
        Quantity::Flights => format::figure,
    }
}

/// Ratios below the table of bytes of a panel: measured by forecast.
pub fn ratios(
    page: &mut Page,
    study: &Study<'_>,
    sweep: &SweepStudy<'_>,
    panel: &Panel<'_>,
    axis_title: &str,
) {
    let caption = format!(
        "Measured bytes over theory: {}. Means of sessions that succeeded at the first try; 1 is what the closed form says.",
        panel.label
    );
    let mut table = Table::new(&caption, titles(panel, axis_title)).numeric();
    for index in &sweep.contenders {
        let row: Vec<Option<Check>> =
            panel.points.iter().map(|point| check(Quantity::Bytes, *index, point, &study.roster)).collect();
        if row.iter().all(Option::is_none) {
            continue;
        }
        let cells: Vec<Td> =
            row.iter().map(|one| one.as_ref().map_or_else(|| Td::number("–"), ratio)).collect();
        table.row(&contender(&study.roster, *index), row_class(&study.roster, *index), &cells);
    }
    if !table.is_empty() {
        page.push(&format!(
            "<details><summary>Measured over theory</summary>\n{}</details>\n",
            table.finish()
        ));
    }
}

fn ratio(check: &Check) -> Td {
    let text = format::figure(check.ratio());
    let hint = format!(
        "{} measured, {} forecast, {}",
        format::bytes(check.measured),
        format::bytes(check.forecast.mean),
        format::counted(check.sessions, "session", "sessions")
    );
    let cell = if check.beyond() {
        Td::number_html(format!("<b class=\"fail\">{} beyond</b>", escaped(&text)), "num")
    } else {
        Td::number(&text)
    };
    cell.hinted(&hint)
}

/// The section: each closed form with its bound and source, and every disagreement.
pub fn section(page: &mut Page, study: &Study<'_>, all: &[Placed<'_, '_>]) {
    if all.is_empty() {
        return;
    }
    page.link("theory", "Theory");
    page.push("<section id=\"theory\"><h2>Closed forms against what was measured</h2>\n");
    let mut groups: BTreeMap<(usize, Quantity), Vec<&Placed<'_, '_>>> = BTreeMap::new();
    for one in all {
        groups.entry((one.index, one.check.quantity)).or_default().push(one);
    }
    let mut table = Table::new(
        "What theory says of each contender, from its wire format and the sources of its sizes, never fitted to records. Off is \
         measured/forecast over all points. A point is within its bound when the mean of the sessions that succeeded at the \
         first try is off by no more than the bound, one byte and three standard errors.",
        ["Contender", "Quantity", "Closed form", "Bound", "Points", "Measured / theory", "Beyond"],
    )
    .numeric();
    for ((index, quantity), points) in &groups {
        let ratios = || points.iter().map(|one| one.check.ratio());
        let (low, high) = (ratios().fold(f64::INFINITY, f64::min), ratios().fold(0.0, f64::max));
        let bound = points.iter().map(|one| one.check.forecast.bound).fold(0.0, f64::max);
        let first = &points[0].check.forecast;
        let beyond = points.iter().filter(|one| one.check.beyond()).count();
        let range = format::range(low, high, format::figure).unwrap_or_else(|| format::figure(low));
        table.row(
            &contender(&study.roster, *index),
            row_class(&study.roster, *index),
            &[
                Td::text(quantity.name()),
                Td::text(first.source),
                Td::number(&if first.at_most {
                    "at most".into()
                } else {
                    format!("± {}", format::percent(bound))
                }),
                Td::number(&format::count(points.len() as u64)),
                Td::number(&range),
                if beyond == 0 {
                    Td::number("0")
                } else {
                    Td::number_html(format!("<b class=\"fail\">{beyond}</b>"), "num")
                },
            ],
        );
    }
    page.push(&table.finish());
    let beyond: Vec<&Placed<'_, '_>> = all.iter().filter(|one| one.check.beyond()).collect();
    disagreements(page, study, &beyond);
    page.paragraph(
        "reading",
        &escaped(&format!(
            "{} of {} hold within their bound.",
            format::count((all.len() - beyond.len()) as u64),
            format::counted(all.len() as u64, "closed form", "closed forms")
        )),
    );
    page.push("</section>\n");
}

fn disagreements(page: &mut Page, study: &Study<'_>, beyond: &[&Placed<'_, '_>]) {
    if beyond.is_empty() {
        return;
    }
    let mut table = Table::new(
        "Beyond their bound: theory, bound or implementation is wrong.",
        ["Contender", "Sweep", "At", "Quantity", "Measured", "Theory", "Ratio", "Sessions"],
    );
    for one in beyond.iter().take(LISTED_MAX) {
        let show = show(one.check.quantity);
        table.row(
            &contender(&study.roster, one.index),
            row_class(&study.roster, one.index),
            &[
                Td::text(one.sweep),
                Td::text(&one.point.place.words()),
                Td::text(one.check.quantity.name()),
                Td::number(&show(one.check.measured)),
                Td::number(&show(one.check.forecast.mean)),
                Td::number_html(
                    format!("<b class=\"fail\">{}</b>", format::figure(one.check.ratio())),
                    "num",
                ),
                Td::number(&format::count(one.check.sessions)),
            ],
        );
    }
    page.push(&table.finish());
    if beyond.len() > LISTED_MAX {
        page.paragraph("", &format!("{} more are in the tables of their sweeps.", beyond.len() - LISTED_MAX));
    }
}
