//! One sweep: what was asked and expected, what came out, how to make it again.

use std::collections::BTreeSet;

use plotly::common::DashType;
use serde_json::Value;

use super::matrix::{self, Quantity};
use super::screen::anchor;
use super::tag::{Table, Td, contender, escaped, prose, row_class};
use super::{Page, matrix::titles};
use crate::bounds::one_way_bits;
use crate::charts::bars::{Row, bars};
use crate::charts::lines::{Axes, Bound, Dot, Series, lines, lines_over};
use crate::charts::{Scale, quoted};
use crate::format;
use crate::record::Axis;
use crate::stats::Interval;
use crate::study::summary::{self, with_interval};
use crate::study::{Cell, Panel, Part, Point, Roster, Study, SweepStudy, reading};
use crate::theory::compare;

/// The whole section.
pub fn section(page: &mut Page, study: &Study<'_>, part: &Part<'_>, sweep: &SweepStudy<'_>) {
    let header = part.experiment.header();
    let (id, name) = (
        anchor(study, &header.experiment, &sweep.sweep.name),
        study.sweep_name(&header.experiment, &sweep.sweep.name),
    );
    page.link(&id, &name);
    page.push(&format!("<section id=\"{id}\"><h2>{}</h2>\n", escaped(&name)));
    page.paragraph("", &format!("<b>Question.</b> {}", escaped(&sweep.sweep.question)));
    page.paragraph("", &format!("<b>Expected before the run.</b> {}", escaped(&sweep.sweep.expectation)));
    for panel in &sweep.panels {
        page.objective("bytes", |page| bytes(page, study, sweep, panel));
    }
    if let Some((panel, point)) = sweep.reference() {
        details(page, study, sweep, point);
        page.objective("bytes", |page| purposes(page, study, sweep, point));
        page.objective("time", |page| flights(page, study, sweep, panel));
        for (title, quantity, of_session) in TIMES {
            // An index does not know what the peer holds: its cost moves with its own size only.
            if *of_session || index_grows(panel) {
                page.objective("cpu", |page| times(page, study, sweep, panel, title, *quantity));
            }
        }
    }
    page.push("<h3>Reading</h3>\n");
    page.paragraph("reading", &prose(&reading::reading(sweep, &study.roster)));
    page.push("<h3>Make it again</h3>\n");
    page.push(&format!("<pre><code>{}</code></pre>\n", escaped(&header.command)));
    page.paragraph(
        "note",
        &format!(
            "Within limits of {} CPU and {} heap a trial; above them a strategy gives up.",
            escaped(&format::nanos(sweep.sweep.cpu_ms_max as f64 * 1e6)),
            escaped(&format::bytes(sweep.sweep.heap_bytes_max as f64))
        ),
    );
    page.push("</section>\n");
}

/// Title and scale of an axis.
fn x_axis(axis: Axis) -> (&'static str, Scale) {
    match axis {
        Axis::M => ("Messages M, items in the union", Scale::Log("")),
        Axis::D => ("Difference d, items", Scale::Log("")),
        Axis::Similarity => ("Similarity 1 − d/M", Scale::Names),
        Axis::Window => ("Window, frames", Scale::Names),
        Axis::Guess => ("Hint of d, times the true d", Scale::Names),
        Axis::Pattern => ("Pattern of the difference", Scale::Names),
        Axis::Absence => ("Time away", Scale::Names),
        Axis::Attack => ("Attack", Scale::Names),
    }
}

fn x_value(axis: Axis, point: &Point<'_>) -> Value {
    match axis {
        Axis::M | Axis::D => Value::from(point.x),
        _ => Value::from(quoted(&point.x_label)),
    }
}

/// Whether a point has a place on the x axis: zero has none on a logarithmic one.
fn drawable(axis: Axis, point: &Point<'_>) -> bool {
    !matches!(axis, Axis::M | Axis::D) || point.x > 0.0
}

fn axes(sweep: &SweepStudy<'_>, panel: &Panel<'_>, y: &str, y_scale: Scale) -> Axes {
    let (x, x_scale) = x_axis(sweep.sweep.axis);
    let x_names = panel.points.iter().map(|point| point.x_label.clone()).collect();
    Axes { x: x.into(), x_scale, x_names, y: y.into(), y_scale, marks: true }
}

fn series(
    sweep: &SweepStudy<'_>,
    panel: &Panel<'_>,
    quantity: Quantity,
    spent: fn(&Cell<'_>) -> f64,
    show: fn(f64) -> String,
) -> Vec<Series> {
    let axis = sweep.sweep.axis;
    sweep
        .contenders
        .iter()
        .map(|index| {
            let dots = panel.points.iter().filter(|point| drawable(axis, point)).filter_map(|point| {
                let cell = point.cells.get(index)?;
                let value = quantity(cell)?;
                let (failures, trials) = (cell.outcomes.failures(), cell.outcomes.trials());
                let mut text = format!("{}: {}", point.x_label, with_interval(value, show));
                if failures > 0 {
                    text += &format!(", {failures} of {trials} failed");
                }
                Some(Dot { x: x_value(axis, point), value, spent: spent(cell), failures, text })
            });
            Series { index: *index, dots: dots.collect() }
        })
        .filter(|series| !series.dots.is_empty())
        .collect()
}

/// What closed forms say, where they say anything, for the chart.
fn theory_lines(sweep: &SweepStudy<'_>, panel: &Panel<'_>, roster: &Roster<'_>) -> Vec<Series> {
    let axis = sweep.sweep.axis;
    let line = |index: &usize| {
        let points = panel.points.iter().filter(|point| drawable(axis, point));
        let dots = points.filter_map(|point| {
            let bytes = compare::check(compare::Quantity::Bytes, *index, point, roster)?.forecast.mean;
            let value = Interval { low: bytes, mid: bytes, high: bytes };
            let text = format!("{}, theory: {}", point.x_label, format::bytes(bytes));
            Some(Dot { x: x_value(axis, point), value, spent: bytes, failures: 0, text })
        });
        Series { index: *index, dots: dots.collect() }
    };
    sweep.contenders.iter().map(line).filter(|line| !line.dots.is_empty()).collect()
}

/// One-way bounds of the shortest and the longest ids in play, and the interactive floor.
fn bounds(sweep: &SweepStudy<'_>, panel: &Panel<'_>, roster: &Roster<'_>) -> Vec<Bound> {
    let axis = sweep.sweep.axis;
    let dots = |bytes: &dyn Fn(&Point<'_>) -> Option<f64>| {
        panel.points.iter().map(|point| (x_value(axis, point), bytes(point))).collect::<Vec<_>>()
    };
    let widths: BTreeSet<u32> = sweep
        .contenders
        .iter()
        .filter_map(|at| Some(roster.contenders.get(*at)?.id_bits))
        .filter(|bits| *bits > 0)
        .collect();
    let ends: BTreeSet<u32> = widths.first().into_iter().chain(widths.last()).copied().collect();
    let mut bounds: Vec<Bound> = ends
        .into_iter()
        .map(|id_bits| (id_bits, widths.len() > 1 && widths.last() == Some(&id_bits)))
        .map(|(id_bits, longest)| Bound {
            name: format!("one-way bound, {id_bits}-bit ids"),
            dots: dots(&|point| (point.place.d > 0).then(|| one_way_bits(point.place.d, id_bits) / 8.0)),
            dash: Some(if longest { DashType::LongDashDot } else { DashType::Dash }),
        })
        .collect();
    let floor = dots(&|point| point.place.floor_bytes().filter(|_| point.place.d > 0));
    if floor.iter().any(|(_, bytes)| bytes.is_some()) {
        bounds.push(Bound { name: "interactive floor".into(), dots: floor, dash: None });
    }
    bounds
}

fn bytes(page: &mut Page, study: &Study<'_>, sweep: &SweepStudy<'_>, panel: &Panel<'_>) {
    let (axis, roster) = (sweep.sweep.axis, &study.roster);
    let title = format!("Bytes per session: {}", panel.label);
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let mut bounds = bounds(sweep, panel, roster);
    let drawn: Vec<Bound> = bounds
        .iter()
        .map(|bound| {
            let mut bound = bound.clone();
            let mut points = panel.points.iter();
            bound.dots.retain(|_| points.next().is_some_and(|point| drawable(axis, point)));
            bound
        })
        .collect();
    let axes = axes(sweep, panel, "Bytes per session, both directions", Scale::Log("B"));
    let series = series(sweep, panel, |cell| Some(cell.bytes), |cell| cell.bytes_spent, format::bytes);
    let theory = theory_lines(sweep, panel, roster);
    page.chart(&title, &lines_over(&axes, &series, &theory, &drawn, roster));
    let mut caption = format!(
        "{title}. Medians over replicates with 95% bootstrap intervals; the cheapest deployable contender \
         without a failure is marked."
    );
    if series.iter().flat_map(|one| &one.dots).any(|dot| dot.failures > 0) {
        caption += " Rings: some sessions failed. Open markers: half of them or more failed, drawn at what \
                    they spent.";
    }
    if panel.points.iter().any(|point| !drawable(axis, point)) {
        caption += " Equal sets (d = 0, the idle cost) have no place on a logarithmic axis and stand in the \
                    table only.";
    }
    if bounds.iter().all(|bound| bound.dash.is_some()) {
        caption += " The interactive floor holds on uniformly random differences and is left out here.";
    }
    if !theory.is_empty() {
        caption += " Thin dotted lines in a contender's colour: what its closed form says.";
    }
    bounds.retain(|bound| bound.dots.iter().any(|(_, bytes)| bytes.is_some()));
    page.push(&matrix::bytes(&caption, x_axis(axis).0, panel, &sweep.contenders, roster, &bounds));
    super::theory::ratios(page, study, sweep, panel, x_axis(axis).0);
}

/// Every contender at the reference point, with intervals.
fn details(page: &mut Page, study: &Study<'_>, sweep: &SweepStudy<'_>, point: &Point<'_>) {
    let title = format!("In detail at {}", point.place.words());
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let mut table = Table::new(
        &format!(
            "{title}. Cheapest first, bounds last. A failed session counts as infinitely dear; zero failures \
             are shown with what they cannot exclude (95%, Wilson). Recovered sessions reached the truth."
        ),
        std::iter::once("Contender").chain(summary::COLUMNS),
    )
    .numeric();
    for line in summary::lines(sweep, &study.roster) {
        let sorted = |(text, value): (&String, Option<f64>)| match value {
            Some(value) => Td::number(text).sorted_by(value),
            None => Td::number(text),
        };
        let cells: Vec<Td> = line.texts.iter().zip(line.values).map(sorted).collect();
        table.row(&contender(&study.roster, line.index), row_class(&study.roster, line.index), &cells);
    }
    page.push(&table.finish());
}

fn purposes(page: &mut Page, study: &Study<'_>, sweep: &SweepStudy<'_>, point: &Point<'_>) {
    let roster = &study.roster;
    let title = format!("Bytes by purpose at {}", point.place.words());
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let names: Vec<&'static str> =
        crate::record::Bytes::default().parts().iter().map(|(name, _)| *name).collect();
    let mut rows = Vec::new();
    let columns = ["Contender", "Direction"].into_iter().chain(names.iter().copied()).chain(["all"]);
    let mut table = Table::new(
        &format!(
            "{title}. Means over all sessions, failed ones included. Bars show shares, since totals differ a \
             thousandfold: the two bars of a contender (↑ initiator to responder, ↓ back) make 100% together, \
             and beside its name stand the bytes of the direction and of both."
        ),
        columns,
    );
    for index in &sweep.contenders {
        let Some(cell) = point.cells.get(index) else { continue };
        let parts = cell.purposes();
        let whole: f64 = parts.iter().map(|(_, up, down)| up + down).sum();
        for (arrow, down) in [("↑", false), ("↓", true)] {
            let bytes: Vec<f64> = parts.iter().map(|part| if down { part.2 } else { part.1 }).collect();
            let sum: f64 = bytes.iter().sum();
            let label = roster.label(*index);
            rows.push(Row {
                index: *index,
                label: format!("{label} {arrow} {} of {}", format::bytes(sum), format::bytes(whole)),
                texts: bytes.iter().map(|bytes| format::bytes(*bytes)).collect(),
                shares: bytes.iter().map(|part| if whole > 0.0 { part / whole } else { 0.0 }).collect(),
            });
            let cells = std::iter::once(Td::text(arrow))
                .chain(bytes.iter().chain([&sum]).map(|bytes| Td::value(*bytes, format::bytes)));
            table.row(&contender(roster, *index), row_class(roster, *index), &cells.collect::<Vec<_>>());
        }
    }
    page.chart(
        &title,
        &bars(
            "Share of the contender's bytes, both directions together",
            &names,
            &[0, 1, 2, 3, 4, 5, 6, 7],
            &rows,
        ),
    );
    page.push(&table.finish());
}

fn flights(page: &mut Page, study: &Study<'_>, sweep: &SweepStudy<'_>, panel: &Panel<'_>) {
    let quantity: Quantity = |cell| Some(cell.flights);
    let title = format!("Flights: {}", panel.label);
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    // Failed sessions have no flights to speak of; those they made are no rounds to completion.
    let lost = |cell: &Cell<'_>| cell.rows.iter().map(|row| f64::from(row.flights)).fold(0.0, f64::max);
    let series = series(sweep, panel, quantity, lost, format::figure);
    let values = series.iter().flat_map(|one| &one.dots).map(|dot| dot.value.mid);
    let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    let scale = if most > 30.0 { Scale::Log("") } else { Scale::Linear("") };
    let axes = axes(sweep, panel, "Flights (two are a round trip)", scale);
    page.chart(&title, &lines(&axes, &series, &[], &study.roster));
    let caption =
        format!("{title}. Depth of the longest chain of frames that wait for one another; medians.");
    let axis_title = x_axis(sweep.sweep.axis).0;
    let table = matrix::matrix(
        &caption,
        axis_title,
        panel,
        &sweep.contenders,
        &study.roster,
        quantity,
        format::figure,
    );
    page.push(&table.finish());
}

/// What is timed, under which title, and whether it is a session rather than an index.
const TIMES: &[(&str, Quantity, bool)] = &[
    ("CPU of a session, both ends", |cell| cell.times.session, true),
    ("CPU of building the index", |cell| cell.times.build, false),
    ("CPU of one insert", |cell| cell.times.insert, false),
];

fn index_grows(panel: &Panel<'_>) -> bool {
    let items = panel.points.iter().flat_map(|point| point.cells.values()).map(|cell| cell.times.items);
    let timed: Vec<u64> = items.filter(|items| *items > 0).collect();
    let (low, high) = (timed.iter().min().unwrap_or(&0), timed.iter().max().unwrap_or(&0));
    *high as f64 > 1.5 * *low as f64
}

fn times(
    page: &mut Page,
    study: &Study<'_>,
    sweep: &SweepStudy<'_>,
    panel: &Panel<'_>,
    what: &str,
    quantity: Quantity,
) {
    let axis = sweep.sweep.axis;
    let mut series = series(sweep, panel, quantity, |_| 0.0, format::nanos);
    if series.is_empty() {
        return;
    }
    let mut axes = axes(sweep, panel, &format!("{what}, seconds"), Scale::Log("s"));
    if axis == Axis::M {
        axes.x = "Items n in the index".into();
    }
    for one in &mut series {
        for dot in &mut one.dots {
            // Rows hold nanoseconds; the axis counts seconds, so that its prefixes come out right.
            dot.value.low /= 1e9;
            dot.value.mid /= 1e9;
            dot.value.high /= 1e9;
            dot.failures = 0;
        }
        if axis == Axis::M {
            let timed = panel.points.iter().filter_map(|point| {
                let cell = point.cells.get(&one.index)?;
                quantity(cell).map(|_| cell.times.items)
            });
            for (dot, items) in one.dots.iter_mut().zip(timed) {
                dot.x = Value::from(items);
            }
        }
    }
    let title = format!("{what}: {}", panel.label);
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    page.chart(&title, &lines(&axes, &series, &[], &study.roster));
    let caption = format!("{title}. Thread CPU time, medians over samples with 95% bootstrap intervals.");
    let mut table = Table::new(&caption, titles(panel, x_axis(axis).0)).numeric();
    for index in &sweep.contenders {
        let cells: Vec<_> =
            panel.points.iter().map(|point| point.cells.get(index).and_then(quantity)).collect();
        if cells.iter().all(Option::is_none) {
            continue;
        }
        let texts: Vec<Td> = cells
            .iter()
            .map(|value| match value {
                Some(value) => {
                    let range = format::range(value.low, value.high, format::nanos);
                    let small = range.map(|range| format!("<small>{range}</small>")).unwrap_or_default();
                    Td::number_html(format::nanos(value.mid) + &small, "num").sorted_by(value.mid)
                }
                None => Td::number("not timed"),
            })
            .collect();
        table.row(&contender(&study.roster, *index), row_class(&study.roster, *index), &texts);
    }
    page.push(&table.finish());
}
