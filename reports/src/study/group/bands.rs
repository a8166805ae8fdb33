//! All points of all sweeps over groups, sorted into maps: members by messages, one map for each set of conditions.
//!
//! What is no size (sharing, presence, links, …) parts maps; messages written per day do not, but a group that only idles
//! is a map of its own. Columns are half decades of the messages held by the end: what comes out of a life differs a
//! little from point to point. Where several points fall into one cell, the one with the most contenders stands
//! for it, then the one with the most rows, then the first.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Dim, GroupPlace};
use super::predict::{Law, Seen};
use super::winner::{GroupWinner, winner};
use super::{GroupCell, GroupPoint, GroupStudy, exponents::mean};
use crate::format;
use crate::record::GroupRow;
use crate::stats::Interval;
use crate::study::{Part, Study};

/// Conditions that part maps.
const CONDITIONS: [Dim; 8] =
    [Dim::Sharing, Dim::Presence, Dim::Link, Dim::Workload, Dim::Relays, Dim::Away, Dim::Mode, Dim::Acks];

/// Members for which costs are told, measured or not.
pub const MEMBERS: [u32; 4] = [10, 50, 100, 1_000];

/// Messages likewise.
pub const MESSAGES: [u64; 3] = [1_000, 10_000, 100_000];

/// Half decades of messages: 1 000 is 6, some 3 200 is 7. None for an empty set.
pub fn column(m: u64) -> Option<i32> {
    (m > 0).then(|| libm::round(2.0 * libm::log10(m as f64)) as i32)
}

/// One cell of a map.
#[derive(Debug)]
pub struct Site<'s, 'a> {
    /// The experiment.
    pub part: &'s Part<'a>,
    /// The sweep.
    pub sweep: &'s GroupStudy<'a>,
    /// The point.
    pub point: &'s GroupPoint<'a>,
    /// Half decade of its messages.
    pub column: Option<i32>,
    /// Who is best there.
    pub best: Option<GroupWinner>,
}

impl<'a> Site<'_, 'a> {
    /// What the best one measured.
    pub fn cell(&self) -> Option<&GroupCell<'a>> {
        self.point.cells.get(&self.best.as_ref()?.index)
    }

    /// Messages that are written in a day by all members together.
    pub fn written_day(&self) -> f64 {
        self.point.place.written as f64 / self.point.place.days()
    }
}

/// One map.
#[derive(Debug)]
pub struct Band<'s, 'a> {
    /// Its conditions: sharing, presence and link, and of the others those in which the book's maps differ.
    pub label: String,
    /// By members, then by messages.
    pub sites: Vec<Site<'s, 'a>>,
    /// Whether nothing is written.
    pub idle: bool,
    /// All its points, those included that stand in for none.
    points: Vec<&'s GroupPoint<'a>>,
    key: Vec<String>,
}

impl<'s, 'a> Band<'s, 'a> {
    /// Members, growing.
    pub fn members(&self) -> Vec<u32> {
        let all: BTreeSet<u32> = self.sites.iter().map(|site| site.point.place.n).collect();
        all.into_iter().collect()
    }

    /// Half decades, growing.
    pub fn columns(&self) -> Vec<Option<i32>> {
        let all: BTreeSet<Option<i32>> = self.sites.iter().map(|site| site.column).collect();
        all.into_iter().collect()
    }

    /// The cell at this place.
    pub fn site(&self, n: u32, column: Option<i32>) -> Option<&Site<'s, 'a>> {
        self.sites.iter().find(|site| site.point.place.n == n && site.column == column)
    }

    /// Least and most messages in a column, for people.
    pub fn column_label(&self, column: Option<i32>) -> String {
        let all = self.sites.iter().filter(|site| site.column == column).map(|site| site.point.place.m);
        let (low, high) = all.fold((u64::MAX, 0), |(low, high), m| (low.min(m), high.max(m)));
        if low == high {
            format::count(low)
        } else {
            format!("{}–{}", format::count(low), format::count(high))
        }
    }
}

/// All maps of a book: first those of several sizes, of these the one that holds the most messages, then the one with
/// the most cells, then as the sweeps come; those without a word written last.
pub fn bands<'s, 'a>(study: &'s Study<'a>) -> Vec<Band<'s, 'a>> {
    let mut order: Vec<Vec<String>> = Vec::new();
    let mut grouped: BTreeMap<(Vec<String>, bool), Vec<Site<'s, 'a>>> = BTreeMap::new();
    for (part, sweep) in study.groups() {
        for point in sweep.points() {
            let key: Vec<String> = CONDITIONS.iter().map(|dim| point.place.mark(*dim)).collect();
            if !order.contains(&key) {
                order.push(key.clone());
            }
            let best = winner(point, &study.roster);
            let site = Site { part, sweep, point, column: column(point.place.m), best };
            grouped.entry((key, point.place.written == 0)).or_default().push(site);
        }
    }
    let varies: Vec<bool> =
        (0..CONDITIONS.len()).map(|at| at < 3 || order.iter().any(|key| key[at] != order[0][at])).collect();
    let mut all: Vec<Band<'s, 'a>> = grouped
        .into_iter()
        .map(|((key, idle), mut sites)| {
            let points = sites.iter().map(|site| site.point).collect();
            let rows =
                |site: &Site<'_, '_>| site.point.cells.values().map(|cell| cell.rows.len()).sum::<usize>();
            // The sort is stable: of equals the first stays first.
            sites.sort_by_key(|site| {
                let weight = (site.point.cells.len(), rows(site));
                (site.point.place.n, site.column, std::cmp::Reverse(weight))
            });
            sites.dedup_by_key(|site| (site.point.place.n, site.column));
            let words = key.iter().zip(&varies).filter(|(word, varies)| **varies && !word.is_empty());
            let mut label = words.map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(", ");
            if idle {
                label += ", nothing written";
            }
            Band { label, sites, idle, points, key }
        })
        .collect();
    let first = |band: &Band<'_, '_>| order.iter().position(|key| *key == band.key);
    all.sort_by_key(|band| {
        let most = band.sites.iter().map(|site| site.column).max();
        let count = band.sites.len();
        (band.idle, count < 2, std::cmp::Reverse(most), std::cmp::Reverse(count), first(band))
    });
    all
}

/// Why a point stands for the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The middle of the sizes with the most messages, under the conditions that hold the most.
    Middle,
    /// The only member count with that many messages.
    Alone,
    /// Conditions vary and sizes do not: the point by which the first sweep compares.
    First,
    /// There is no other.
    Only,
}

/// The point that the first screen's sentences are about.
///
/// Of the first map of several sizes it is the middle member count (the larger of two) at the most messages: a corner of the grid is
/// nobody's group. Where no map has two cells, it is the reference point of the first sweep with something
/// written, of any sweep if nothing is.
pub fn focus<'b, 's, 'a>(bands: &'b [Band<'s, 'a>]) -> Option<(&'b Band<'s, 'a>, &'b Site<'s, 'a>, Focus)> {
    let main = bands.first()?;
    if main.sites.len() > 1 {
        let most = main.sites.iter().map(|site| site.column).max()?;
        let row: Vec<&Site<'_, '_>> = main.sites.iter().filter(|site| site.column == most).collect();
        let why = if row.len() > 1 { Focus::Middle } else { Focus::Alone };
        return Some((main, row.get(row.len() / 2)?, why));
    }
    let sites = || bands.iter().flat_map(|band| band.sites.iter().map(move |site| (band, site)));
    let chosen = sites()
        .filter(|(band, _)| band.idle == main.idle)
        .find(|(_, site)| site.sweep.reference().is_some_and(|(_, point)| std::ptr::eq(point, site.point)));
    let (band, site) = chosen.unwrap_or((main, main.sites.first()?));
    Some((band, site, if sites().count() == 1 { Focus::Only } else { Focus::First }))
}

/// What a member pays at one size.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Measured: contender, bytes a member and day, replicates, share delivered.
    Measured(usize, Interval, usize, f64),
    /// Predicted for this contender.
    Predicted(usize, Interval),
    /// Too far from what was measured, or no law.
    Unknown,
}

/// The table of costs over sizes.
#[derive(Debug)]
pub struct Forecast {
    /// By [`MEMBERS`], then by [`MESSAGES`].
    pub told: Vec<Vec<Told>>,
    /// The laws used, by contender.
    pub laws: Vec<(usize, Law)>,
    /// Messages that each member writes in a day, if that is what the points share; else all together.
    pub rate: Rate,
}

/// How many messages are written at sizes that nobody measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// By each member in a day.
    Member(f64),
    /// By all in a day.
    Group(f64),
}

impl Rate {
    fn group(self, n: f64) -> f64 {
        match self {
            Self::Member(each) => each * n,
            Self::Group(all) => all,
        }
    }
}

/// How a band's points write: the rate at `site`, per member unless the sum of all members is what stays the same.
fn rate(band: &Band<'_, '_>, site: &Site<'_, '_>) -> Rate {
    let spread = |value: &dyn Fn(&Site<'_, '_>) -> f64| {
        let values = band.sites.iter().map(value);
        let (low, high) =
            values.fold((f64::INFINITY, 0.0_f64), |(low, high), one| (low.min(one), high.max(one)));
        high / low
    };
    let each = |site: &Site<'_, '_>| site.written_day() / f64::from(site.point.place.n);
    if spread(&|site| site.written_day()) < spread(&each) {
        Rate::Group(site.written_day())
    } else {
        Rate::Member(each(site))
    }
}

fn seen(point: &GroupPoint<'_>, cell: &GroupCell<'_>) -> Seen {
    let days = |row: &GroupRow| row.days();
    let each = |value: &dyn Fn(&GroupRow) -> f64| {
        cell.rows.iter().map(|row| value(row)).sum::<f64>() / cell.rows.len().max(1) as f64
    };
    let n = f64::from(point.place.n);
    Seen {
        n,
        m: mean(cell, |row| row.m),
        written_day: each(&|row| row.written as f64 / days(row)),
        sessions_day: each(&|row| row.sessions_opened as f64 / n / days(row)),
        cost: cell.member_day.mid,
    }
}

/// What a member pays at the sizes that people ask for, under the conditions of a map: as measured where there is
/// a point, else as predicted for the contender that is best at the nearest measured size.
///
/// Points of the same conditions at which nothing is written take part in the laws: they tell what idling costs.
pub fn forecast(bands: &[Band<'_, '_>], band: &Band<'_, '_>, site: &Site<'_, '_>) -> Forecast {
    let points: Vec<&GroupPoint<'_>> = bands
        .iter()
        .filter(|other| other.key == band.key)
        .flat_map(|other| other.points.iter().copied())
        .collect();
    let rate = rate(band, site);
    let mut laws: Vec<(usize, Option<Law>)> = Vec::new();
    let mut told = Vec::new();
    for n in MEMBERS {
        let mut row = Vec::new();
        for m in MESSAGES {
            let exact = band.site(n, column(m)).and_then(|site| Some((site.best.as_ref()?, site.cell()?)));
            if let Some((best, cell)) = exact {
                row.push(Told::Measured(best.index, cell.member_day, cell.rows.len(), cell.delivered()));
                continue;
            }
            let Some(index) = nearest(band, n, m) else {
                row.push(Told::Unknown);
                continue;
            };
            if !laws.iter().any(|(known, _)| *known == index) {
                let seen: Vec<Seen> =
                    points.iter().filter_map(|point| Some(seen(point, point.cells.get(&index)?))).collect();
                laws.push((index, Law::fit(&seen)));
            }
            let law = laws.iter().find(|(known, _)| *known == index).and_then(|(_, law)| law.as_ref());
            let at = law.and_then(|law| law.at(f64::from(n), m as f64, rate.group(f64::from(n))));
            row.push(at.map_or(Told::Unknown, |at| Told::Predicted(index, at)));
        }
        told.push(row);
    }
    let used = |index: usize| {
        told.iter().flatten().any(|one| matches!(one, Told::Predicted(known, _) if *known == index))
    };
    let laws = laws.into_iter().filter_map(|(index, law)| used(index).then_some((index, law?))).collect();
    Forecast { told, laws, rate }
}

/// Who is best at the measured size nearest to this one, on logarithms.
fn nearest(band: &Band<'_, '_>, n: u32, m: u64) -> Option<usize> {
    let apart = |place: &GroupPlace<'_>| {
        let of_n = libm::log(f64::from(place.n) / f64::from(n));
        let of_m = libm::log(place.m.max(1) as f64 / m as f64);
        of_n * of_n + of_m * of_m
    };
    let sites = band.sites.iter().filter(|site| site.best.is_some());
    let near = sites.min_by(|a, b| apart(&a.point.place).total_cmp(&apart(&b.point.place)))?;
    near.best.as_ref().map(|best| best.index)
}
