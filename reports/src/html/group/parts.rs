//! What the bytes are spent on, and what goes on beneath: sessions, resends, links, memory.

use super::table::Desk;
use crate::charts::bars::{Row, bars};
use crate::format;
use crate::html::Page;
use crate::html::tag::{Td, escaped};
use crate::record::{Bytes, GroupAxis, GroupRow, Kinds};
use crate::study::group::cell::{ratio, spread};
use crate::study::group::{GroupCell, GroupPanel, GroupPoint};

/// A cell with where it stands.
type Placed<'p, 'a> = (&'p GroupPoint<'a>, usize, &'p GroupCell<'a>);

/// The cells to look into: all where the axis has a few names, one point's where it has numbers.
fn chosen<'p, 'a>(desk: Desk<'_, 'a>, panel: &'p GroupPanel<'a>) -> Vec<Placed<'p, 'a>> {
    let named = matches!(
        desk.sweep.sweep.axis,
        GroupAxis::Sharing | GroupAxis::Mode | GroupAxis::Acks | GroupAxis::Link | GroupAxis::Life
    );
    let middle = desk.sweep.middle(panel).map(|point| point.number);
    let points: Vec<&GroupPoint<'a>> =
        panel.points.iter().filter(|point| named || Some(point.number) == middle).collect();
    let contenders = desk.sweep.contenders.iter();
    contenders
        .flat_map(|index| {
            points
                .iter()
                .filter_map(|point| Some((*point, *index, point.cells.get(index)?)))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Bytes by record kind, frames by purpose, sessions and memory.
pub fn parts<'a>(page: &mut Page, desk: Desk<'_, 'a>, panel: &GroupPanel<'a>) {
    let cells = chosen(desk, panel);
    let labels: Vec<&str> = cells.iter().map(|(point, ..)| point.x_label.as_str()).collect();
    let one = labels.windows(2).all(|pair| pair[0] == pair[1]);
    let at = match cells.first() {
        Some((point, ..)) if one => point.place.words(),
        Some(_) => panel.label.clone(),
        None => return,
    };
    kinds(page, desk, &at, &cells, one);
    purposes(page, desk, &at, &cells);
    beneath(page, desk, &at, &cells);
}

fn kinds<'a>(page: &mut Page, desk: Desk<'_, 'a>, at: &str, cells: &[Placed<'_, 'a>], one: bool) {
    let title = format!("Bytes by kind of record: {at}");
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let names: Vec<&'static str> = Kinds::default().parts().iter().map(|(name, _)| *name).collect();
    let rows = cells.iter().map(|(point, index, cell)| {
        let parts = cell.kinds_day();
        let whole: f64 = parts.iter().map(|(_, bytes)| bytes).sum();
        let place = if one { String::new() } else { format!(", {}", point.x_label) };
        Row {
            index: *index,
            label: format!("{}{place}: {}", desk.study.roster.marked(*index), format::bytes(whole)),
            shares: parts.iter().map(|(_, bytes)| if whole > 0.0 { bytes / whole } else { 0.0 }).collect(),
            texts: parts.iter().map(|(_, bytes)| format::bytes(*bytes)).collect(),
        }
    });
    let rows: Vec<Row> = rows.collect();
    page.chart(
        &title,
        &bars("Share of what the contender's group sends", &names, &[0, 1, 2, 3, 4, 5, 6, 7], &rows),
    );
    let caption = format!(
        "{title}. What all members together send in a day: means over replicates. Bars show shares, since totals \
         differ; beside each name stands the whole."
    );
    let columns: Vec<&str> = names.iter().copied().chain(["all"]).collect();
    desk.list(page, &caption, &columns, cells, |_, cell| {
        let parts = cell.kinds_day();
        let whole: f64 = parts.iter().map(|(_, bytes)| bytes).sum();
        let values = parts.iter().map(|(_, bytes)| *bytes).chain([whole]);
        values.map(|bytes| Td::value(bytes, format::bytes)).collect()
    });
}

fn purposes<'a>(page: &mut Page, desk: Desk<'_, 'a>, at: &str, cells: &[Placed<'_, 'a>]) {
    let reconciling: Vec<Placed<'_, 'a>> =
        cells.iter().filter(|(.., cell)| cell.sum(|row| row.frames.total()) > 0).copied().collect();
    let columns: Vec<&str> = Bytes::default().parts().iter().map(|(name, _)| *name).chain(["all"]).collect();
    let caption = format!(
        "Bytes of session frames by purpose: {at}. First sendings of all members in a day, means over replicates; \
         what the channel sent again is in the kinds above only."
    );
    desk.list(page, &caption, &columns, &reconciling, |_, cell| {
        let mean = |value: &dyn Fn(&GroupRow) -> u64| {
            let each = cell.rows.iter().map(|row| value(row) as f64 / row.days());
            Td::value(each.sum::<f64>() / cell.rows.len().max(1) as f64, format::bytes)
        };
        let parts = (0..columns.len() - 1).map(|part| mean(&|row| row.frames.parts()[part].1));
        parts.chain([mean(&|row| row.frames.total())]).collect()
    });
}

const COLUMNS: [&str; 12] = [
    "Members' bytes a day, least to most",
    "Bytes of a relay and day",
    "Links a member",
    "Payloads a member and day",
    "Lost",
    "Resends a delivery",
    "Sessions a member and day",
    "Sessions failed",
    "Flights a session",
    "Flights, most",
    "State of a node, median (most)",
    "Peak heap, all nodes",
];

fn beneath<'a>(page: &mut Page, desk: Desk<'_, 'a>, at: &str, cells: &[Placed<'_, 'a>]) {
    let caption = format!(
        "Members, links, sessions and memory: {at}. Sums over replicates, divided; the most of any. Bytes of members: \
         of the first replicate. State: what a node keeps of its peers and its sets, bodies left out. Peak \
         heap: of the whole simulated group."
    );
    desk.list(page, &caption, &COLUMNS, cells, |_, cell| {
        let none = || "–".to_owned();
        let member_days: f64 = cell.rows.iter().map(|row| f64::from(row.n) * row.days()).sum();
        let each = |count: u64| format::figure(count as f64 / member_days);
        let share = |part: u64, whole: u64| ratio(part, whole).map_or_else(none, format::percent);
        let most =
            |value: &dyn Fn(&GroupRow) -> u64| cell.rows.iter().map(|row| value(row)).max().unwrap_or(0);
        let middle = |value: &dyn Fn(&GroupRow) -> u64| {
            let values: Vec<f64> = cell.rows.iter().map(|row| value(row) as f64).collect();
            spread(&values).map_or(0.0, |values| values.mid)
        };
        let sessions = cell.sum(|row| row.sessions_opened);
        let (done, failed) = (cell.sum(|row| row.sessions_done), cell.sum(|row| row.sessions_failed));
        let payloads = cell.sum(|row| row.payloads);
        let first = cell.rows.first();
        let day = |bytes: u64, row: &GroupRow| format::bytes(bytes as f64 / row.days());
        vec![
            first.map_or_else(none, |row| {
                format!("{} to {}", day(row.member_bytes.min, row), day(row.member_bytes.max, row))
            }),
            match cell.rows.iter().map(|row| f64::from(row.relays) * row.days()).sum::<f64>() {
                days if days > 0.0 => format::bytes(cell.sum(|row| row.relay_bytes.sum) as f64 / days),
                _ => none(),
            },
            first.map_or_else(none, |row| format::figure(2.0 * row.links as f64 / f64::from(row.n.max(1)))),
            each(payloads),
            share(cell.sum(|row| row.lost), payloads),
            ratio(cell.sum(|row| row.resends), cell.sum(|row| row.delivered))
                .map_or_else(none, format::figure),
            if sessions == 0 { none() } else { each(sessions) },
            share(failed, done.saturating_add(failed)),
            ratio(cell.sum(|row| row.flights), done).map_or_else(none, format::figure),
            if done == 0 { none() } else { format::count(most(&|row| row.flights_max)) },
            format!(
                "{} ({})",
                format::bytes(middle(&|row| row.state_bytes.p50)),
                format::bytes(most(&|row| row.state_bytes.max) as f64)
            ),
            format::bytes(middle(&|row| row.heap_peak_bytes)),
        ]
    });
}
