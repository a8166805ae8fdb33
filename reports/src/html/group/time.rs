//! How long it takes: from writing to delivery, and from coming back to holding what was missed.

use serde_json::Value;

use super::cost::share;
use super::table::Desk;
use super::{Shown, axes, series};
use crate::charts::lines::{Axes, Dot, Series, lines};
use crate::charts::{Scale, rounded};
use crate::format;
use crate::html::Page;
use crate::html::tag::escaped;
use crate::record::{GroupAxis, Hist};
use crate::stats::Interval;
use crate::study::group::GroupPanel;
use crate::study::group::reading::axis_name;

/// Steps of a curve's share: fine enough for the eye, few enough for the page.
const STEP: f64 = 0.02;

/// Share delivered against time at one point, and quantiles at all.
pub fn delivery<'a>(page: &mut Page, desk: Desk<'_, 'a>, panel: &GroupPanel<'a>) {
    let axis = desk.sweep.sweep.axis;
    if let Some(point) = desk.sweep.middle(panel) {
        let title = format!("Share delivered against time since writing: {}", point.place.words());
        let series = point.cells.iter().map(|(index, cell)| Series {
            index: *index,
            dots: curve(&cell.delivery(), cell.due_since_writing()),
        });
        let series: Vec<Series> = series.filter(|series| !series.dots.is_empty()).collect();
        if !series.is_empty() {
            page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
            let axes = Axes {
                x: "Time since writing".into(),
                x_scale: Scale::Time,
                x_names: Vec::new(),
                y: "Share of all deliveries due".into(),
                y_scale: Scale::Linear(" %"),
                marks: false,
            };
            page.chart(&title, &lines(&axes, &series, &[], &desk.study.roster));
        }
    }
    let caption = format!(
        "Time from writing to delivery, of all deliveries due of messages that were written meanwhile: {}. P50, P90, P99; whatever had not arrived when \
         the time was over counts as later than all that had, and is never left out. In italics: the share that could have \
         arrived at all, if whoever was online together had passed everything on at once. The chart's curves end \
         where deliveries do, below 100% if some did not take place.",
        panel.label
    );
    let possible = panel.points.iter().map(|point| {
        // Presence is the same for all contenders.
        point.cells.values().next().map_or_else(|| "–".to_owned(), |cell| share(cell.possible()))
    });
    let extra = vec![("possible at all".to_owned(), possible.collect())];
    desk.grid(page, &caption, axis_name(axis), panel, extra, |_, _, cell| {
        let (due, times) = (cell.due_since_writing(), cell.delivery());
        (due > 0).then(|| {
            let mut html = quantiles(&times, due);
            if times.count() < due {
                let text = format::percent(1.0 - times.count() as f64 / due as f64);
                html += &format!("<small class=\"fail\">{} not in time</small>", escaped(&text));
            }
            (html, false, middle(&times, due))
        })
    });
}

/// The median of what was due, in milliseconds; infinite where half did not arrive.
fn middle(hist: &Hist, due: u64) -> f64 {
    hist.quantile_of_due(0.5, due).map_or(f64::INFINITY, |ms| ms as f64)
}

/// P50, P90 and P99 of what was due.
fn quantiles(hist: &Hist, due: u64) -> String {
    let text = |quantile| match hist.quantile_of_due(quantile, due) {
        Some(ms) => format::span_ms(ms),
        None => "not in time".to_owned(),
    };
    format!(
        "{}<small>{}</small>",
        escaped(&text(0.5)),
        escaped(&match (text(0.9), text(0.99)) {
            (most, all) if most == all => format!("P90, P99 {most}"),
            (most, all) => format!("P90 {most}, P99 {all}"),
        })
    )
}

/// The curve of a histogram, as shares of what was due.
fn curve(hist: &Hist, due: u64) -> Vec<Dot> {
    let mut dots = Vec::new();
    let (mut sum, mut drawn) = (0u64, f64::NEG_INFINITY);
    let last = hist.max();
    for (ms, count) in hist.classes() {
        sum = sum.saturating_add(count);
        let share = sum as f64 / due.max(1) as f64;
        if share - drawn < STEP && Some(ms) != last {
            continue;
        }
        drawn = share;
        let percent = share * 100.0;
        dots.push(Dot {
            // Less than a millisecond has no place on a logarithmic axis.
            x: Value::from(rounded(ms.max(1) as f64 / 1000.0)),
            value: Interval { low: percent, mid: percent, high: percent },
            spent: 0.0,
            failures: 0,
            text: format!("{}: {}", format::span_ms(ms), format::percent(share)),
        });
    }
    dots
}

/// Catching up after absences, where somebody came back.
pub fn catch_up<'a>(page: &mut Page, desk: Desk<'_, 'a>, panel: &GroupPanel<'a>) {
    let axis = desk.sweep.sweep.axis;
    let cells = || panel.points.iter().flat_map(|point| point.cells.values());
    // Where members come and go, every sweep has returns; only some are about them.
    let about = matches!(
        axis,
        GroupAxis::Away | GroupAxis::Uptime | GroupAxis::Life | GroupAxis::Sharing | GroupAxis::N
    );
    if !about || cells().all(|cell| cell.rows.iter().all(|row| row.missed.is_empty())) {
        return;
    }
    let title = format!("Catching up after coming online: {}", panel.label);
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    if axis == GroupAxis::Away {
        let series = series(desk, panel, |point, cell| {
            let (times, cut) = (cell.catch_up(), cell.sum(|row| row.catch_ups_cut));
            let due = times.count().saturating_add(cut);
            let at = |quantile| times.quantile_of_due(quantile, due).map(|ms| ms.max(1) as f64 / 1000.0);
            let mid = at(0.5)?;
            let value = Interval { low: at(0.1)?, mid, high: at(0.9).unwrap_or(f64::INFINITY) };
            let text = format!("{}: P50 {}", point.x_label, format::span_ms((mid * 1000.0) as u64));
            Some(Shown { value, failures: cut, text })
        });
        let axes = axes(axis, panel, "Time until all that was missed is there", Scale::Time);
        page.chart(&title, &lines(&axes, &series, &[], &desk.study.roster));
    }
    let caption = format!(
        "{title}. Time until a member that came online held all that its online peers held and it lacked: P50, P90, \
         P99 of the returns that missed something. A return that ended before that (cut) counts as later than \
         all others. Chart: median with P10 and P90; rings: some returns were cut."
    );
    desk.grid(page, &caption, axis_name(axis), panel, Vec::new(), |_, _, cell| {
        let (times, cut) = (cell.catch_up(), cell.sum(|row| row.catch_ups_cut));
        let due = times.count().saturating_add(cut);
        (due > 0).then(|| {
            let class = if cut > 0 { " class=\"fail\"" } else { "" };
            let (cut, all) = (format::count(cut), format::count(due));
            (
                quantiles(&times, due) + &format!("<small{class}>{cut} of {all} cut</small>"),
                false,
                middle(&times, due),
            )
        })
    });
    let caption = format!(
        "Messages missed at a return: {}. The share of returns that missed nothing, then P50, P90 and P99 of all \
         returns.",
        panel.label
    );
    desk.grid(page, &caption, axis_name(axis), panel, Vec::new(), |_, _, cell| {
        let missed = cell.missed();
        (!missed.is_empty()).then(|| {
            let none = missed.count_upto(0) as f64 / missed.count() as f64;
            let at = |quantile| format::count(missed.quantile(quantile).unwrap_or_default());
            let html = format!(
                "{} nothing<small>P50 {}, P90 {}, P99 {}</small><small>{}</small>",
                escaped(&format::percent(none)),
                at(0.5),
                at(0.9),
                at(0.99),
                format::counted(missed.count(), "return", "returns")
            );
            (html, false, none)
        })
    });
}
