//! The groups' share of the first screen: who is best at which size, and what a member pays at the sizes between.

use super::anchor;
use super::cost::share;
use super::table::command;
use crate::charts::style::letter;
use crate::format;
use crate::html::Page;
use crate::html::tag::{Table, Td, contender, escaped};
use crate::study::Study;
use crate::study::group::bands::{Band, MEMBERS, MESSAGES, Rate, Site, Told, bands, focus, forecast};
use crate::study::group::predict::REACH;
use crate::study::group::winner::{LOSS_MAX, PRICE_SAME};
use crate::study::summary::with_interval;

/// Maps that the first screen shows; more follow behind a line to unfold.
const MAPS_MAX: usize = 2;

/// Rows that the table of single sizes shows before the rest folds away.
const SINGLE_MAX: usize = 12;

/// Maps, then the table of sizes.
pub fn section(page: &mut Page, study: &Study<'_>) {
    let bands = bands(study);
    let Some((main, site, _)) = focus(&bands) else { return };
    page.link("group-map", "Which in groups");
    page.push("<section id=\"group-map\"><h2>Which strategy at which group size</h2>\n");
    legend(page, study, &bands);
    let (maps, single): (Vec<&Band<'_, '_>>, Vec<_>) = bands.iter().partition(|band| band.sites.len() > 1);
    if !maps.is_empty() {
        sizes(page, study, &bands, main, site);
    }
    for band in maps.iter().take(MAPS_MAX) {
        map(page, study, band);
    }
    if maps.len() > MAPS_MAX {
        let more = format::counted((maps.len() - MAPS_MAX) as u64, "more map", "more maps");
        page.push(&format!("<details><summary>{}</summary>\n", escaped(&more)));
        for band in maps.iter().skip(MAPS_MAX) {
            map(page, study, band);
        }
        page.push("</details>\n");
    }
    singles(page, study, &single);
    page.push("</section>\n");
}

fn legend(page: &mut Page, study: &Study<'_>, bands: &[Band<'_, '_>]) {
    let mut winners: Vec<usize> = bands
        .iter()
        .flat_map(|band| &band.sites)
        .filter_map(|site| site.best.as_ref())
        .flat_map(|best| std::iter::once(best.index).chain(best.ties.iter().copied()))
        .collect();
    winners.sort_unstable();
    winners.dedup();
    let names: Vec<String> = winners.iter().map(|index| contender(&study.roster, *index)).collect();
    page.paragraph(
        "note",
        &format!(
            "{}. A cell: the contender that costs a member least among those that deliver as much, to {} in a hundred \
             of what was due, compared life by life; then bytes a member and day, sent and received, with the least \
             and the most of its replicates; then the share delivered. Hatched, with several letters: prices that three \
             replicates or more cannot tell apart, or, with fewer, within {}.",
            names.join(", "),
            format::figure(LOSS_MAX * 100.0),
            escaped(&format::percent(PRICE_SAME)),
        ),
    );
}

/// Everything a cell says, and whether it is tied.
fn text(site: &Site<'_, '_>) -> (String, bool) {
    let (Some(best), Some(cell)) = (&site.best, site.cell()) else {
        return ("nobody may win".to_owned(), false);
    };
    let letters: Vec<String> =
        std::iter::once(best.index).chain(best.ties.iter().copied()).map(letter).collect();
    let mut html = format!("<b>{}</b> ", escaped(&letters.join("=")));
    html += &escaped(&format::bytes(cell.member_day.mid));
    let mut small = |text: &str| html += &format!("<small>{}</small>", escaped(text));
    if let Some(range) = format::range(cell.member_day.low, cell.member_day.high, format::bytes) {
        small(&range);
    }
    if cell.sum(|row| row.needed) > 0 {
        small(&format!("{} delivered", share(cell.delivered())));
    }
    if best.field < 2 {
        small("no other contender");
    }
    (html, !best.ties.is_empty())
}

fn td(study: &Study<'_>, site: &Site<'_, '_>) -> Td {
    let (html, tied) = text(site);
    let cell = Td::number_html(html, if tied { "num tie" } else { "num won" });
    let spec = site.best.as_ref().map_or("", |best| study.roster.spec(best.index));
    cell.hinted(&command(site.part, &site.sweep.sweep.name, site.point.number, spec))
}

fn map(page: &mut Page, study: &Study<'_>, band: &Band<'_, '_>) {
    let columns = band.columns();
    let titles = std::iter::once("Members \\ messages held by the end".to_owned())
        .chain(columns.iter().map(|column| escaped(&band.column_label(*column))));
    let mut table = Table::with_titles(&format!("Map: {}", band.label), titles.collect()).numeric();
    for n in band.members() {
        let cells: Vec<Td> = columns
            .iter()
            .map(|column| band.site(n, *column).map_or_else(|| Td::number("–"), |site| td(study, site)))
            .collect();
        table.row(&format!("N = {}", escaped(&format::count(n.into()))), "", &cells);
    }
    page.push(&table.finish());
}

/// Conditions under which only one size was measured: a row each.
fn singles(page: &mut Page, study: &Study<'_>, bands: &[&Band<'_, '_>]) {
    if bands.is_empty() {
        return;
    }
    let draw = |page: &mut Page, bands: &[&Band<'_, '_>]| {
        let mut table = Table::new(
            "Conditions under which one size was measured",
            ["Conditions", "N", "M", "Best", "Sweep"],
        );
        for band in bands {
            for site in &band.sites {
                let place = &site.point.place;
                let experiment = site.part.experiment.name();
                let name = &site.sweep.sweep.name;
                let link = format!(
                    "<a href=\"#{}\">{}</a>",
                    anchor(study, experiment, name),
                    escaped(&study.sweep_name(experiment, name))
                );
                let cells = [
                    Td::number(&format::count(place.n.into())),
                    Td::number(&format::count(place.m)),
                    td(study, site),
                    Td::html(link),
                ];
                table.row(&escaped(&band.label), "", &cells);
            }
        }
        page.push(&table.finish());
    };
    draw(page, &bands[..bands.len().min(SINGLE_MAX)]);
    if bands.len() > SINGLE_MAX {
        let more = format::counted((bands.len() - SINGLE_MAX) as u64, "more condition", "more conditions");
        page.push(&format!("<details><summary>{}</summary>\n", escaped(&more)));
        draw(page, &bands[SINGLE_MAX..]);
        page.push("</details>\n");
    }
}

/// What a member pays at the sizes that people ask for.
fn sizes(
    page: &mut Page,
    study: &Study<'_>,
    bands: &[Band<'_, '_>],
    band: &Band<'_, '_>,
    site: &Site<'_, '_>,
) {
    let forecast = forecast(bands, band, site);
    let rate = match forecast.rate {
        Rate::Member(each) => format!("each member writes {} messages a day", format::figure(each)),
        Rate::Group(all) => format!("all together write {} messages a day", format::figure(all)),
    };
    let titles = std::iter::once("Members \\ messages held by the end".to_owned())
        .chain(MESSAGES.iter().map(|m| escaped(&format::count(*m))));
    let caption = format!(
        "What a member pays in a day: {}; {rate}. Predicted: for the best at the nearest measured size, with a 95% \
         prediction interval; not measured: more than {} times beyond the measured sizes, or no law.",
        band.label,
        format::figure(REACH)
    );
    let mut table = Table::with_titles(&caption, titles.collect()).numeric();
    for (n, row) in MEMBERS.iter().zip(&forecast.told) {
        let cells: Vec<Td> = row.iter().map(|told| size(study, told)).collect();
        table.row(&format!("N = {}", escaped(&format::count(u64::from(*n)))), "", &cells);
    }
    page.push(&table.finish());
    for (index, law) in &forecast.laws {
        let percent = |error: f64| escaped(&format::percent(libm::expm1(error)));
        page.paragraph(
            "note again",
            &format!(
                "Predictions for {} follow a {} through {} measured points. Left out one after the other, these are \
                 predicted with an error of {} (root mean square; the worst: {}).",
                contender(&study.roster, *index),
                law.form.name(),
                law.points,
                percent(law.error),
                percent(law.error_max),
            ),
        );
    }
}

fn size(study: &Study<'_>, told: &Told) -> Td {
    let named = |index: usize, value, notes: &[String]| {
        let label = study.roster.label(index);
        let mut html = format!("<b>{}</b> {}", letter(index), escaped(&with_interval(value, format::bytes)));
        html += &format!("<small>{}</small>", escaped(label));
        notes.iter().for_each(|note| html += &format!("<small>{}</small>", escaped(note)));
        html
    };
    match told {
        Told::Measured(index, value, lives, delivered) => {
            let lives = format::counted(*lives as u64, "life", "lives");
            let notes = [format!("measured in {lives}"), format!("{} delivered", share(*delivered))];
            Td::number_html(named(*index, *value, &notes), "num won")
        }
        Told::Predicted(index, value) => {
            Td::number_html(named(*index, *value, &["predicted".to_owned()]), "num")
        }
        Told::Unknown => Td::number("not measured"),
    }
}
