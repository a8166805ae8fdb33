//! What a member pays along an axis: the chart and the table that every sweep over groups has.

use super::table::Desk;
use super::{Shown, axes, series, x_value};
use crate::charts::Scale;
use crate::charts::lines::lines;
use crate::format;
use crate::html::Page;
use crate::html::tag::escaped;
use crate::record::GroupOutcome;
use crate::study::group::reading::axis_name;
use crate::study::group::winner::winner;
use crate::study::group::{GroupCell, GroupPanel};
use crate::study::summary::with_interval;

/// Bytes a member and day: chart, then table.
pub fn cost<'a>(page: &mut Page, desk: Desk<'_, 'a>, panel: &GroupPanel<'a>) {
    let axis = desk.sweep.sweep.axis;
    let title = if panel.idle() { "Cost of idling, a member and day" } else { "Bytes a member and day" };
    let title = format!("{title}: {}", panel.label);
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let mut marked = false;
    let series = series(desk, panel, |point, cell| {
        let unfinished = cell.rows.iter().filter(|row| row.outcome != GroupOutcome::Complete).count();
        marked |= unfinished > 0;
        let mut text = format!("{}: {}", point.x_label, with_interval(cell.member_day, format::bytes));
        if unfinished > 0 {
            text += &format!(", {} delivered", format::percent(cell.delivered()));
        }
        let value = cell.member_day;
        (value.mid > 0.0).then_some(Shown { value, failures: unfinished as u64, text })
    });
    let chart_axes = axes(axis, panel, "Bytes a member and day, sent and received", Scale::Log("B"));
    page.chart(&title, &lines(&chart_axes, &series, &[], &desk.study.roster));
    let mut caption = "Medians over replicates, then the least and the most of them; the cheapest of those that deliver \
         as much (to one in a hundred) and were never wrong is marked. Overhead: share of the bytes that are no \
         bodies. Duplicates: messages received though held, for each one delivered."
        .to_owned();
    if desk.part.experiment.cpu().is_some() {
        caption += " CPU: of a member in a day, the simulated world included.";
    }
    if marked {
        caption += " Rings in the chart: something due had not arrived when the time was over.";
    }
    if panel.points.iter().any(|point| x_value(axis, point).is_none()) {
        caption += " Zero has no place on a logarithmic axis and stands in the table only.";
    }
    let best: Vec<_> = panel
        .points
        .iter()
        .map(|point| (point.number, winner(point, &desk.study.roster).map(|best| best.index)))
        .collect();
    desk.grid(page, &caption, axis_name(axis), panel, Vec::new(), |point, index, cell| {
        let won = best.iter().any(|(number, best)| *number == point.number && *best == Some(index));
        Some((text(cell), won, cell.member_day.mid))
    });
}

/// Everything that a cell of the cost table says.
fn text(cell: &GroupCell<'_>) -> String {
    let show = cell.member_day;
    let mut html = escaped(&format::bytes(show.mid));
    let mut small = |text: &str| html += &format!("<small>{}</small>", escaped(text));
    if let Some(range) = format::range(show.low, show.high, format::bytes) {
        small(&range);
    }
    small(&format!("{} overhead", format::percent(cell.overhead())));
    if let Some(duplicates) = cell.duplicates() {
        small(&format!("{} duplicates", format::figure(duplicates)));
    }
    if let Some(cpu) = cell.cpu_day {
        small(&format!("CPU {}", format::nanos(cpu.mid)));
    }
    if cell.sum(|row| row.needed) > 0 {
        html += &format!("<small>{} delivered</small>", escaped(&share(cell.delivered())));
    }
    if cell.wrong > 0 {
        html += &format!("<small class=\"fail\">{} of {} wrong</small>", cell.wrong, cell.rows.len());
    }
    html
}

/// A share that says 100% only if it is all.
pub fn share(share: f64) -> String {
    if share < 1.0 && share > 0.9995 {
        let lacking = 1.0 - share;
        return format!("all but {}", format::percent(lacking));
    }
    format::percent(share)
}
