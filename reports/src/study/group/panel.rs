//! Points of a sweep over groups, and how they fall into charts.
//!
//! As with sessions, a chart shows points that differ along the axis only. What the author of a sweep names
//! (members, rule, links, …) always parts charts; what comes out of a life (messages written, time online)
//! differs a little from point to point, and parts them only where two points would else coincide.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::GroupCell;
use super::place::{Dim, GroupPlace, dims, position, shared};
use crate::record::{GroupAxis, GroupRow};
use crate::study::Roster;

/// One point with all its contenders.
#[derive(Debug)]
pub struct GroupPoint<'a> {
    /// Its number in the sweep's grid, by which it can be run again.
    pub number: u32,
    /// Where it stands.
    pub place: GroupPlace<'a>,
    /// Position along the axis.
    pub x: f64,
    /// The same for people.
    pub x_label: String,
    /// By contender.
    pub cells: BTreeMap<usize, GroupCell<'a>>,
}

/// The points of one chart, by growing x.
#[derive(Debug)]
pub struct GroupPanel<'a> {
    /// What all its points share.
    pub label: String,
    /// At least one.
    pub points: Vec<GroupPoint<'a>>,
}

impl GroupPanel<'_> {
    /// Whether nothing is written at any point: then every byte is the price of idling.
    pub fn idle(&self) -> bool {
        self.points.iter().all(|point| point.place.written == 0)
    }
}

/// Sorts the rows of one sweep, each with its CPU time, into points and cells.
pub fn points<'a>(
    axis: GroupAxis,
    rows: &[(&'a GroupRow, Option<u64>)],
    roster: &Roster<'a>,
) -> Vec<GroupPoint<'a>> {
    type Cells<'r> = BTreeMap<usize, Vec<(&'r GroupRow, Option<u64>)>>;
    let mut grid: BTreeMap<u32, Cells<'a>> = BTreeMap::new();
    for (row, cpu) in rows {
        if let Some(index) = roster.index(&row.spec) {
            grid.entry(row.point).or_default().entry(index).or_default().push((row, *cpu));
        }
    }
    let mut names = Vec::new();
    let mut points = Vec::new();
    for (number, cells) in grid {
        let first = cells.values().flatten().map(|(row, _)| *row).min_by_key(|row| row.replicate);
        let Some(place) = first.map(GroupPlace) else { continue };
        let (x, x_label) = position(axis, &place, &mut names);
        let cells =
            cells.into_iter().filter_map(|(index, rows)| Some((index, GroupCell::new(rows)?))).collect();
        points.push(GroupPoint { number, place, x, x_label, cells });
    }
    points
}

fn key(place: &GroupPlace<'_>, apart: &[Dim], split: &[Dim]) -> Vec<String> {
    apart.iter().chain(split).map(|dim| place.mark(*dim)).collect()
}

/// Splits points into panels: by as few of the conditions that may part them as it takes. In the order of
/// their first points.
pub fn panels(axis: GroupAxis, points: Vec<GroupPoint<'_>>) -> Vec<GroupPanel<'_>> {
    let (apart, maybe) = dims(axis);
    let mut splits: Vec<Vec<Dim>> = (0..1u32 << maybe.len())
        .map(|bits| {
            let chosen = maybe.iter().enumerate().filter(|(place, _)| bits >> place & 1 == 1);
            chosen.map(|(_, dim)| *dim).collect()
        })
        .collect();
    splits.sort_by_key(Vec::len);
    let unique = |split: &Vec<Dim>| {
        let mut seen = BTreeSet::new();
        points.iter().all(|point| seen.insert((key(&point.place, &apart, split), point.x.to_bits())))
    };
    // Points that even the finest split cannot tell apart share a panel; their columns name each.
    let split = splits.iter().find(|split| unique(split)).cloned().unwrap_or(maybe);
    let mut order: Vec<Vec<String>> = Vec::new();
    let mut grouped: BTreeMap<Vec<String>, Vec<GroupPoint<'_>>> = BTreeMap::new();
    for point in points {
        let key = key(&point.place, &apart, &split);
        if !order.contains(&key) {
            order.push(key.clone());
        }
        grouped.entry(key).or_default().push(point);
    }
    order
        .into_iter()
        .filter_map(|key| grouped.remove(&key))
        .map(|mut points| {
            points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.number.cmp(&b.number)));
            let places: Vec<&GroupPlace<'_>> = points.iter().map(|point| &point.place).collect();
            GroupPanel { label: shared(&places), points }
        })
        .collect()
}
