//! The group part of the page: a section a sweep, then the exponents over all of them.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `table` | contenders by points, each cell with its command |
//! | `cost` | bytes a member and day along the axis |
//! | `time` | share delivered against time, latencies, catching up |
//! | `reach` | coverage against K, duplicates |
//! | `parts` | bytes by record kind and purpose, sessions, memory |
//! | `growth` | exponents and claims |
//! | `screen` | alarms and the summary matrix |
//! | `map` | who is best at which size, and what sizes between cost: the first screen |

mod cost;
mod growth;
pub mod map;
mod parts;
mod reach;
pub mod screen;
mod table;
mod time;

use super::Page;
use super::tag::{escaped, prose};
use crate::charts::Scale;
use crate::charts::lines::{Axes, Dot, Series};
use crate::record::GroupAxis;
use crate::stats::Interval;
use crate::study::group::reading::reading;
use crate::study::group::{GroupCell, GroupPanel, GroupPoint, GroupStudy};
use crate::study::{Part, Study};
use serde_json::Value;
use table::Desk;

pub use growth::section as growth;

/// Anchor of the n-th sweep over groups.
pub fn anchor(study: &Study<'_>, experiment: &str, sweep: &str) -> String {
    let place = study
        .groups()
        .position(|(part, one)| part.experiment.name() == experiment && one.sweep.name == sweep);
    format!("group-{}", place.unwrap_or_default() + 1)
}

/// A sweep's section: what it holds follows from its axis and from what was measured.
pub fn section<'a>(page: &mut Page, study: &Study<'a>, part: &Part<'a>, sweep: &GroupStudy<'a>) {
    let experiment = part.experiment.name();
    let (id, name) =
        (anchor(study, experiment, &sweep.sweep.name), study.sweep_name(experiment, &sweep.sweep.name));
    page.link(&id, &format!("Groups: {name}"));
    page.push(&format!("<section id=\"{id}\"><h2>Groups: {}</h2>\n", escaped(&name)));
    page.paragraph("", &format!("<b>Question.</b> {}", escaped(&sweep.sweep.question)));
    page.paragraph("", &format!("<b>Expected before the run.</b> {}", escaped(&sweep.sweep.expectation)));
    let desk = Desk { study, part, sweep };
    let axis = sweep.sweep.axis;
    for panel in &sweep.panels {
        page.objective("bytes", |page| cost::cost(page, desk, panel));
        if matches!(axis, GroupAxis::K | GroupAxis::Sharing) {
            reach::reach(page, desk, panel);
        }
        if matches!(axis, GroupAxis::K | GroupAxis::Sharing | GroupAxis::Mode) {
            reach::duplicates(page, desk, panel);
        }
        if !panel.idle() {
            page.objective("time", |page| time::delivery(page, desk, panel));
        }
        page.objective("time", |page| time::catch_up(page, desk, panel));
        parts::parts(page, desk, panel);
    }
    page.push("<h3>Reading</h3>\n");
    page.paragraph("reading", &prose(&reading(sweep, &study.roster)));
    page.push("<h3>Make it again</h3>\n");
    page.push(&table::whole(part));
    page.push("</section>\n");
}

/// Title and scale of an axis.
fn x_axis(axis: GroupAxis) -> (&'static str, Scale) {
    match axis {
        GroupAxis::N => ("Members N", Scale::Log("")),
        GroupAxis::K => ("Others that each shares with, K", Scale::Log("")),
        GroupAxis::M => ("Messages M in the set at the end", Scale::Log("")),
        GroupAxis::History => ("Messages held at the beginning", Scale::Log("")),
        GroupAxis::Uptime => ("Share of the time online", Scale::Linear(" %")),
        GroupAxis::Away => ("Time away", Scale::Names),
        GroupAxis::Sharing => ("Sharing", Scale::Names),
        GroupAxis::Mode => ("Mode", Scale::Names),
        GroupAxis::Acks => ("Acks", Scale::Names),
        GroupAxis::Link => ("Links", Scale::Names),
        GroupAxis::Life => ("Who writes, who is online", Scale::Names),
    }
}

/// A point's place on the chart's axis; none for a zero on a logarithmic one.
fn x_value(axis: GroupAxis, point: &GroupPoint<'_>) -> Option<Value> {
    match x_axis(axis).1 {
        Scale::Names => Some(Value::from(crate::charts::quoted(&point.x_label))),
        Scale::Linear(_) => Some(Value::from(crate::charts::rounded(point.x * 100.0))),
        Scale::Log(_) | Scale::Time => (point.x > 0.0).then(|| Value::from(point.x)),
    }
}

fn axes(axis: GroupAxis, panel: &GroupPanel<'_>, y: &str, y_scale: Scale) -> Axes {
    let (x, x_scale) = x_axis(axis);
    let x_names = panel.points.iter().map(|point| point.x_label.clone()).collect();
    Axes { x: x.into(), x_scale, x_names, y: y.into(), y_scale, marks: true }
}

/// What a chart shows of a cell.
struct Shown {
    value: Interval,
    failures: u64,
    text: String,
}

/// A series for each contender of a panel that has anything to show there.
fn series<'a>(
    desk: Desk<'_, 'a>,
    panel: &GroupPanel<'a>,
    mut show: impl FnMut(&GroupPoint<'a>, &GroupCell<'a>) -> Option<Shown>,
) -> Vec<Series> {
    let axis = desk.sweep.sweep.axis;
    let mut one = |index: &usize| {
        let dots = panel.points.iter().filter_map(|point| {
            let Shown { value, failures, text } = show(point, point.cells.get(index)?)?;
            Some(Dot { x: x_value(axis, point)?, value, spent: 0.0, failures, text })
        });
        Series { index: *index, dots: dots.collect() }
    };
    let all = desk.sweep.contenders.iter().map(&mut one);
    all.filter(|series| !series.dots.is_empty()).collect()
}
