//! Who is cheapest in a group, among those that deliver as much.
//!
//! Whoever delivers less sends less, so bytes compare only between contenders whose delivered shares are
//! close. A contender that was wrong anywhere does not compete, nor one that is told d or may miss items.

use super::GroupPoint;
use crate::study::Roster;

/// Shares of deliveries this close count as the same: two hundredths. Less would let whoever is ahead by a hair
/// win at twenty times the price.
pub const AS_MUCH: f64 = 0.02;

/// The cheapest at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupWinner {
    /// Contender.
    pub index: usize,
    /// Those whose replicates meet the winner's.
    pub ties: Vec<usize>,
    /// How many deliver as much, the winner included.
    pub rivals: usize,
    /// How many may compete at all.
    pub field: usize,
    /// The dearest of the rivals.
    pub dearest: usize,
    /// The cheapest of those that deliver less, if it is cheaper.
    pub lesser: Option<usize>,
}

/// The cheapest contender at a point, by the median of bytes a member and day.
pub fn winner(point: &GroupPoint<'_>, roster: &Roster<'_>) -> Option<GroupWinner> {
    let field: Vec<usize> = point.cells.keys().copied().filter(|index| roster.eligible(*index)).collect();
    let most = field.iter().map(|index| point.cells[index].delivered()).fold(0.0, f64::max);
    let mut rivals: Vec<usize> =
        field.iter().copied().filter(|index| point.cells[index].delivered() >= most - AS_MUCH).collect();
    let price = |index: &usize| point.cells[index].member_day;
    rivals.sort_by(|a, b| price(a).mid.total_cmp(&price(b).mid).then(a.cmp(b)));
    let index = *rivals.first()?;
    let best = price(&index);
    let ties = rivals.iter().skip(1).copied().filter(|other| price(other).overlaps(&best)).collect();
    let dearest = rivals.last().copied().unwrap_or(index);
    let lesser = field.iter().copied().filter(|other| !rivals.contains(other) && price(other).mid < best.mid);
    let lesser = lesser.min_by(|a, b| price(a).mid.total_cmp(&price(b).mid).then(a.cmp(b)));
    Some(GroupWinner { index, ties, rivals: rivals.len(), field: field.len(), dearest, lesser })
}
