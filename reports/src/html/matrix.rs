//! The table below a chart: a row a contender, a column a point, the same numbers that are drawn, and those
//! that a logarithmic axis cannot hold.

use super::tag::{Table, Td, contender, escaped, row_class};
use crate::charts::lines::Bound;
use crate::format;
use crate::stats::Interval;
use crate::study::winner::winner;
use crate::study::{Cell, Panel, Point, Roster};

/// A quantity of a cell: its interval, or nothing where it was not measured.
pub type Quantity = fn(&Cell<'_>) -> Option<Interval>;

/// What the columns of a table are titled.
pub fn titles(panel: &Panel<'_>, axis_title: &str) -> Vec<String> {
    let head = format!("Contender \\ {axis_title}");
    std::iter::once(head).chain(panel.points.iter().map(column)).collect()
}

fn column(point: &Point<'_>) -> String {
    if point.place.d == 0 && !point.x_label.starts_with("100") {
        return format!("{} (equal sets)", point.x_label);
    }
    if point.place.absence_ms.is_some() {
        return format!("{} (d ≈ {})", point.x_label, format::count(point.place.d));
    }
    point.x_label.clone()
}

/// A table of one quantity over a panel.
pub fn matrix(
    caption: &str,
    axis_title: &str,
    panel: &Panel<'_>,
    contenders: &[usize],
    roster: &Roster<'_>,
    quantity: Quantity,
    show: fn(f64) -> String,
) -> Table {
    let mut table = Table::new(caption, titles(panel, axis_title)).numeric();
    for index in contenders {
        let cells: Vec<Option<&Cell<'_>>> = panel.points.iter().map(|point| point.cells.get(index)).collect();
        if cells.iter().all(|cell| cell.and_then(quantity).is_none()) {
            continue;
        }
        let texts: Vec<Td> = cells.iter().map(|cell| text(*cell, quantity, show)).collect();
        table.row(&contender(roster, *index), row_class(roster, *index), &texts);
    }
    table
}

/// The table of bytes: winners marked, bounds below.
pub fn bytes(
    caption: &str,
    axis_title: &str,
    panel: &Panel<'_>,
    contenders: &[usize],
    roster: &Roster<'_>,
    bounds: &[Bound],
) -> String {
    let winners: Vec<Option<usize>> =
        panel.points.iter().map(|point| winner(point, roster).map(|best| best.index)).collect();
    let mut table = Table::new(caption, titles(panel, axis_title)).numeric();
    for index in contenders {
        let cells: Vec<Td> = panel
            .points
            .iter()
            .zip(&winners)
            .map(|(point, best)| {
                let cell = text(point.cells.get(index), |cell| Some(cell.bytes), format::bytes);
                if *best == Some(*index) { cell.marked() } else { cell }
            })
            .collect();
        table.row(&contender(roster, *index), row_class(roster, *index), &cells);
    }
    for bound in bounds {
        let cells: Vec<Td> = panel
            .points
            .iter()
            .enumerate()
            .map(|(place, _)| match bound.dots.get(place).and_then(|(_, bytes)| *bytes) {
                Some(bytes) => Td::value(bytes, format::bytes),
                None => Td::number("–"),
            })
            .collect();
        table.row(&escaped(&bound.name), "bound", &cells);
    }
    table.finish()
}

fn text(cell: Option<&Cell<'_>>, quantity: Quantity, show: fn(f64) -> String) -> Td {
    let Some(cell) = cell else { return Td::number("no rows") };
    let Some(value) = quantity(cell) else { return Td::number("–") };
    let mut html = if value.mid.is_finite() {
        escaped(&show(value.mid))
    } else {
        format!("<b class=\"fail\">no median</b><small>spent {}</small>", format::bytes(cell.bytes_spent))
    };
    if let Some(range) = format::range(value.low, value.high, show).filter(|_| value.mid.is_finite()) {
        html += &format!("<small>{}</small>", escaped(&range));
    }
    let outcomes = cell.outcomes;
    if outcomes.failures() > 0 {
        html +=
            &format!("<small class=\"fail\">{} of {} failed</small>", outcomes.failures(), outcomes.trials());
    }
    Td::number_html(html, "num").sorted_by(value.mid)
}
