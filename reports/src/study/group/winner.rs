//! Who is cheapest in a group, among those that deliver as much.
//!
//! Whoever delivers less sends less, so bytes compare only between contenders that deliver as much. All
//! contenders of a point live the same lives, replicate by replicate, so their shares of what was due are compared in
//! pairs: the *loss* of a contender is the mean, over replicates, of what the one that delivers the most delivers
//! beyond it. It delivers as much if its loss is at most [`LOSS_MAX`], or if three replicates or more cannot tell it from none
//! (the 95% interval of the paired differences holds 0). The cheapest of those wins.
//!
//! One delivery in a hundred is a requirement, not a law of nature, so each winner bears the range of
//! tolerances over which it stays the winner ([`GroupWinner::holds`]), and with it the next on the front of bytes against deliveries,
//! [`GroupWinner::lesser`]. Bytes per delivery would be no better price: who delivers the easy third of what is due and refuses the rest looks
//! cheapest by it (`pinsketch` after a month away: 29% delivered, at a fourth of the price per delivery).
//!
//! With fewer than three replicates only tolerances tell contenders apart: [`LOSS_MAX`] for deliveries and [`PRICE_SAME`] for prices. Of
//! strategies in the shipped experiments `offline`, `k-factor`, `links` and `duplicates`, paired differences scatter over three replicates by at most 0.8
//! hundredths in deliveries and 3% in price, at nine points in ten; the tolerances lie just above.
//!
//! A contender that was wrong anywhere does not compete, nor one that is told d or may miss items.

use super::{GroupCell, GroupPoint};
use crate::fit::student;
use crate::record::GroupRow;
use crate::stats::Interval;
use crate::study::Roster;

/// Share of what was due by which a contender may fall behind and still deliver as much: one in a hundred.
pub const LOSS_MAX: f64 = 0.01;

/// Prices this close are the same where replicates are too few to tell.
pub const PRICE_SAME: f64 = 0.05;

/// Replicates from which on paired differences have an interval worth the name: of two, it is 13 standard errors wide to either side.
pub const REPLICATES_MIN: usize = 3;

/// The cheapest at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupWinner {
    /// Contender.
    pub index: usize,
    /// Those that deliver as much and whose price cannot be told from the winner's.
    pub ties: Vec<usize>,
    /// How many deliver as much, the winner included.
    pub rivals: usize,
    /// How many may compete at all.
    pub field: usize,
    /// The dearest of the rivals.
    pub dearest: usize,
    /// The one that delivers most of those that are cheaper and deliver less.
    pub lesser: Option<usize>,
    /// Tolerances of loss, as shares of what was due, for which it wins: from the first on, and below the second, if
    /// there is anybody cheaper at all.
    pub holds: (f64, Option<f64>),
}

/// Mean of paired differences, with its 95% interval where there are enough of them.
fn paired(differences: &[f64]) -> Option<(f64, Option<Interval>)> {
    let count = differences.len();
    if count == 0 {
        return None;
    }
    let mean = differences.iter().sum::<f64>() / count as f64;
    if count < REPLICATES_MIN {
        return Some((mean, None));
    }
    let squares = differences.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    let reach = student(count - 1) * (squares / (count - 1) as f64 / count as f64).sqrt();
    Some((mean, Some(Interval { low: mean - reach, mid: mean, high: mean + reach })))
}

/// A value of both cells at each replicate that both ran.
fn pairs<'c>(
    a: &'c GroupCell<'_>,
    b: &'c GroupCell<'_>,
    value: impl Fn(&GroupRow) -> f64 + 'c,
) -> impl Iterator<Item = (f64, f64)> + 'c {
    a.rows.iter().filter_map(move |row| {
        let other = b.rows.iter().find(|other| other.replicate == row.replicate)?;
        Some((value(row), value(other)))
    })
}

fn share(row: &GroupRow) -> f64 {
    if row.needed == 0 { 1.0 } else { row.delivered as f64 / row.needed as f64 }
}

/// How much less a cell delivers than the best one, as a share of what was due; 0 where it cannot be told.
fn loss(best: &GroupCell<'_>, cell: &GroupCell<'_>) -> f64 {
    let differences: Vec<f64> = pairs(best, cell, share).map(|(best, cell)| best - cell).collect();
    match paired(&differences) {
        Some((_, Some(interval))) if interval.low <= 0.0 => 0.0,
        Some((mean, _)) => mean.max(0.0),
        // No life in common: the shares alone.
        None => (best.delivered() - cell.delivered()).max(0.0),
    }
}

/// Whether a rival's price cannot be told from the winner's.
fn tied(best: &GroupCell<'_>, rival: &GroupCell<'_>) -> bool {
    let prices: Vec<(f64, f64)> = pairs(best, rival, GroupRow::member_day_bytes).collect();
    if prices.iter().any(|(best, rival)| *best <= 0.0 || *rival <= 0.0) {
        return prices.iter().all(|(best, rival)| best == rival);
    }
    let ratios: Vec<f64> = prices.iter().map(|(best, rival)| libm::log(rival / best)).collect();
    match paired(&ratios) {
        Some((_, Some(interval))) => interval.low <= 0.0 && interval.high >= 0.0,
        Some((mean, None)) => mean.abs() <= libm::log1p(PRICE_SAME),
        None => best.member_day.overlaps(&rival.member_day),
    }
}

/// The cheapest contender at a point, by the median of bytes a member and day.
pub fn winner(point: &GroupPoint<'_>, roster: &Roster<'_>) -> Option<GroupWinner> {
    let field: Vec<usize> = point.cells.keys().copied().filter(|index| roster.eligible(*index)).collect();
    let price = |index: &usize| point.cells[index].member_day;
    let cheaper = |a: &usize, b: &usize| price(a).mid.total_cmp(&price(b).mid).then(a.cmp(b));
    let delivered = |index: &usize| point.cells[index].delivered();
    let most = *field.iter().min_by(|a, b| delivered(b).total_cmp(&delivered(a)).then(cheaper(a, b)))?;
    let losses: Vec<(usize, f64)> =
        field.iter().map(|index| (*index, loss(&point.cells[&most], &point.cells[index]))).collect();
    let mut rivals: Vec<usize> =
        losses.iter().filter(|(_, loss)| *loss <= LOSS_MAX).map(|(index, _)| *index).collect();
    rivals.sort_by(cheaper);
    let index = *rivals.first()?;
    let best = &point.cells[&index];
    let ties = rivals.iter().skip(1).copied().filter(|other| tied(best, &point.cells[other])).collect();
    let lesser = losses
        .iter()
        .filter(|(other, _)| !rivals.contains(other) && price(other).mid < best.member_day.mid)
        .min_by(|a, b| a.1.total_cmp(&b.1).then(cheaper(&a.0, &b.0)));
    let own = losses.iter().find(|(other, _)| *other == index).map_or(0.0, |(_, loss)| *loss);
    Some(GroupWinner {
        index,
        ties,
        rivals: rivals.len(),
        field: field.len(),
        dearest: rivals.last().copied().unwrap_or(index),
        lesser: lesser.map(|(other, _)| *other),
        holds: (own, lesser.map(|(_, loss)| *loss)),
    })
}
