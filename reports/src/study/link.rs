//! How long a session takes on the declared links: at one point, by contender.

use super::prose::Prose;
use super::{Cell, Part, Point, Study, SweepStudy};
use crate::format;
use crate::link::{Stages, completion, frames_over_mtu};
use crate::record::{ExactRow, Link};

/// One contender on one link.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The contender.
    pub index: usize,
    /// Of the session that is the median by total time, failed ones counting as longer than all others.
    pub stages: Stages,
    /// That session.
    pub row: &'a ExactRow,
    /// Its frames that take more than one packet.
    pub frames_over_mtu: u64,
}

/// One link: contenders from fast to slow.
#[derive(Debug)]
pub struct OnLink<'a> {
    /// The link.
    pub link: &'a Link,
    /// Contenders with a median.
    pub lines: Vec<Line<'a>>,
    /// Contenders of which half or more of the sessions failed.
    pub failed: Vec<usize>,
}

/// The point at which links are compared: the largest timed one.
#[derive(Debug)]
pub struct OnLinks<'a, 's> {
    /// Its experiment.
    pub part: &'s Part<'a>,
    /// Its sweep.
    pub sweep: &'s SweepStudy<'a>,
    /// The point.
    pub point: &'s Point<'a>,
    /// In the header's order.
    pub links: Vec<OnLink<'a>>,
}

/// Times on links, if a file declares some and a reference point of a sweep was timed.
pub fn on_links<'a, 's>(study: &'s Study<'a>) -> Option<OnLinks<'a, 's>> {
    let mut best: Option<OnLinks<'a, 's>> = None;
    for (part, sweep) in study.sweeps() {
        let Some((_, point)) = sweep.reference() else { continue };
        let timed = point.cells.values().any(|cell| cell.times.session.is_some());
        let size = |point: &Point<'_>| (point.place.sides.m, point.place.d);
        if !timed || best.as_ref().is_some_and(|best| size(best.point) >= size(point)) {
            continue;
        }
        let links: Vec<OnLink<'a>> =
            part.experiment.header().links.iter().map(|link| on_link(link, point)).collect();
        if links.iter().any(|link| !link.lines.is_empty()) {
            best = Some(OnLinks { part, sweep, point, links });
        }
    }
    best
}

fn on_link<'a>(link: &'a Link, point: &Point<'a>) -> OnLink<'a> {
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    for (index, cell) in &point.cells {
        if cell.times.session.is_none() {
            continue;
        }
        match line(*index, cell, link) {
            Some(line) => lines.push(line),
            None => failed.push(*index),
        }
    }
    lines.sort_by(|a: &Line<'_>, b| {
        a.stages.total_s().total_cmp(&b.stages.total_s()).then(a.index.cmp(&b.index))
    });
    OnLink { link, lines, failed }
}

fn line<'a>(index: usize, cell: &Cell<'a>, link: &Link) -> Option<Line<'a>> {
    let build_ns = cell.times.build?.mid;
    let session_ns = cell.times.session?.mid;
    let mut took: Vec<(f64, Option<Stages>, &'a ExactRow)> = cell
        .rows
        .iter()
        .map(|row| {
            let stages = completion(row, build_ns, session_ns, link);
            (stages.map_or(f64::INFINITY, |stages| stages.total_s()), stages, *row)
        })
        .collect();
    took.sort_by(|a, b| a.0.total_cmp(&b.0));
    // The upper median: what takes as long as that needs a row to show, and half of the sessions have to succeed.
    let (_, stages, row) = *took.get(took.len() / 2)?;
    Some(Line { index, stages: stages?, row, frames_over_mtu: frames_over_mtu(row, link) })
}

/// Who is fastest on which link; where that is not who sends the fewest bytes.
pub fn reading(study: &Study<'_>, on: &OnLinks<'_, '_>) -> Prose {
    let roster = &study.roster;
    let mut fastest = Vec::new();
    let mut differs = Vec::new();
    for link in &on.links {
        let eligible: Vec<&Line<'_>> = link.lines.iter().filter(|line| roster.eligible(line.index)).collect();
        let Some(first) = eligible.first() else { continue };
        let mut words = Prose::default();
        words.contender(roster, first.index).text(" on ").name(&link.link.name);
        words.text(format!(" ({})", seconds(first.stages.total_s())));
        fastest.push(words);
        let Some(least) = eligible.iter().min_by_key(|line| line.row.bytes_total()) else { continue };
        if least.row.bytes_total() < first.row.bytes_total() {
            let mut words = Prose::default();
            words.name(&link.link.name).text(", where ").contender(roster, least.index);
            words.text(format!(
                " sends {} against {} and takes {}",
                format::bytes(least.row.bytes_total() as f64),
                format::bytes(first.row.bytes_total() as f64),
                seconds(least.stages.total_s())
            ));
            differs.push(words);
        }
    }
    if fastest.is_empty() {
        return Prose::new("No contender that may win has a median here.");
    }
    let mut all = Prose::new("Fastest: ");
    all.append(Prose::joined(fastest, ", ")).text(". ");
    if differs.is_empty() {
        all.text("On every link the fastest also sends the fewest bytes.");
    } else {
        all.text("The fewest bytes are not the fastest on ").append(Prose::joined(differs, "; ")).text(".");
    }
    all
}

/// Seconds as people read them.
pub fn seconds(seconds: f64) -> String {
    format::nanos(seconds * 1e9)
}
