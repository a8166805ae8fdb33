//! Whom sharing with K others reaches, and how much arrives twice.

use plotly::common::DashType;

use super::cost::share;
use super::table::Desk;
use super::{Shown, axes, series, x_value};
use crate::charts::lines::{Bound, lines};
use crate::charts::{Scale, rounded};
use crate::format;
use crate::html::Page;
use crate::html::tag::escaped;
use crate::stats::Interval;
use crate::study::group::coverage::{Coverage, coverage};
use crate::study::group::reading::axis_name;
use crate::study::group::{GroupCell, GroupPanel};

fn flat(value: f64) -> Interval {
    Interval { low: value, mid: value, high: value }
}

/// Coverage: measured, with the closed form over it.
pub fn reach<'a>(page: &mut Page, desk: Desk<'_, 'a>, panel: &GroupPanel<'a>) {
    let axis = desk.sweep.sweep.axis;
    let title = format!("Coverage: {}", panel.label);
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let measured: Vec<Coverage> = panel.points.iter().map(coverage).collect();
    let bound = |name: &str, dash: DashType, value: fn(&Coverage) -> Option<f64>| {
        let dots = panel.points.iter().zip(&measured);
        let dots =
            dots.filter_map(|(point, one)| Some((x_value(axis, point)?, value(one).map(|v| v * 100.0))));
        Bound { name: name.into(), dots: dots.collect(), dash: Some(dash) }
    };
    let bounds: Vec<Bound> = [
        bound("closed form, one way", DashType::Dash, |one| one.closed_form),
        bound("one way, measured", DashType::Solid, |one| one.one_way),
    ]
    .into_iter()
    .filter(|bound| bound.dots.iter().any(|(_, value)| value.is_some()))
    .collect();
    let series = series(desk, panel, |point, cell| {
        let delivered = cell.delivered();
        let text = format!("{}: {}", point.x_label, share(delivered));
        Some(Shown { value: flat(rounded(delivered * 100.0)), failures: 0, text })
    });
    let chart_axes =
        axes(axis, panel, "Share delivered, and share of members who reach all", Scale::Linear(" %"));
    page.chart(&title, &lines(&chart_axes, &series, &bounds, &desk.study.roster));
    let caption = "In italics, whatever the contender: if members passed on only to the K they chose themselves, the \
         share of members from whom everybody would be reached, as measured and as exp(−N(1 − K/(N−1))^(N−1)) \
         gives it for random choice; and the replicates in which pairs, as they share both ways, connect \
         everybody. Then, by contender: share of deliveries due that took place, and of messages that every \
         member has.";
    let row = |name: &str, text: &dyn Fn(&Coverage) -> String| {
        (name.to_owned(), measured.iter().map(text).collect::<Vec<String>>())
    };
    let percent = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), format::percent);
    let extra = vec![
        row("one way, closed form", &|one| percent(one.closed_form)),
        row("one way, measured", &|one| percent(one.one_way)),
        row("measured / closed form", &|one| match (one.one_way, one.closed_form) {
            (Some(measured), Some(formula)) if formula > 0.0 => format::figure(measured / formula),
            _ => "–".to_owned(),
        }),
        row("pairs connect everybody", &|one| format!("{} of {}", one.connected, one.replicates)),
    ];
    desk.grid(page, caption, axis_name(axis), panel, extra, |_, _, cell| {
        let everybody = reached_all(cell).map_or_else(String::new, |reached| {
            format!("<small>{} reached all</small>", escaped(&share(reached)))
        });
        Some((escaped(&share(cell.delivered())) + &everybody, false, cell.delivered()))
    });
}

/// Share of the messages that every member has.
fn reached_all(cell: &GroupCell<'_>) -> Option<f64> {
    let (reached, all) = (cell.sum(|row| row.reached_all), cell.sum(|row| row.m));
    (all > 0).then(|| reached as f64 / all as f64)
}

/// Messages that arrived where they were held already.
pub fn duplicates<'a>(page: &mut Page, desk: Desk<'_, 'a>, panel: &GroupPanel<'a>) {
    let axis = desk.sweep.sweep.axis;
    if panel.points.iter().flat_map(|point| point.cells.values()).all(|cell| cell.duplicates().is_none()) {
        return;
    }
    let title = format!("Duplicates: {}", panel.label);
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let series = series(desk, panel, |point, cell| {
        let each = cell.duplicates()?;
        let text = format!("{}: {}", point.x_label, format::figure(each));
        Some(Shown { value: flat(rounded(each)), failures: 0, text })
    });
    let chart_axes = axes(axis, panel, "Duplicates for each delivery", Scale::Linear(""));
    page.chart(&title, &lines(&chart_axes, &series, &[], &desk.study.roster));
    let caption = format!(
        "{title}. Messages that arrived where they were held already, for each one delivered; then the bytes of \
         their bodies that a member receives in a day, and the records sent for the second time or later, for \
         each delivery."
    );
    desk.grid(page, &caption, axis_name(axis), panel, Vec::new(), |_, _, cell| {
        let each = cell.duplicates()?;
        let mut html = escaped(&format::figure(each));
        if let Some(bytes) = cell.duplicate_day() {
            html += &format!("<small>{} a day</small>", escaped(&format::bytes(bytes.mid)));
        }
        let resends = cell.sum(|row| row.resends) as f64 / cell.sum(|row| row.delivered).max(1) as f64;
        html += &format!("<small>{} resends</small>", escaped(&format::figure(resends)));
        Some((html, false, each))
    });
}
