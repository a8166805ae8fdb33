//! Who is linked with whom, as rows of sorted numbers.

use super::SharingError;

/// The most choices of one group, all members together: 10,000 members who share with everybody make
/// 99,990,000. At four bytes each this bounds a group's choices by 400 MB, and its links by 800 MB.
pub const CHOICES_MAX: usize = 100_000_000;

/// The smallest group in which helpers matter: phones 0 (A) and 1 (B), desktops 2 (C) and 3 (D) as their
/// semi-trusted relays, linked A-B, A-C, B-D and C-D.
///
/// A and B may never be online together: the way A-C-D-B must do.
///
/// ```
/// use offerbench_sync::{FOUR_MEMBERS, Links};
///
/// let links = Links::from_pairs(4, FOUR_MEMBERS)?;
/// assert_eq!(links.neighbours(0), [1, 2]);
/// # Ok::<(), offerbench_sync::SharingError>(())
/// ```
pub const FOUR_MEMBERS: [(u32, u32); 4] = [(0, 1), (0, 2), (1, 3), (2, 3)];

/// A row of numbers for each member, stored end to end (compressed sparse rows).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    /// Row i is `cells[starts[i]..starts[i + 1]]`: sorted, without duplicates.
    starts: Vec<usize>,
    cells: Vec<u32>,
}

impl Rows {
    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    fn row(&self, number: u32) -> &[u32] {
        let number = number as usize;
        &self.cells[self.starts[number]..self.starts[number + 1]]
    }

    /// All cells with the row they stand in.
    fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..self.count() as u32).flat_map(|number| self.row(number).iter().map(move |&cell| (number, cell)))
    }

    /// The rows in which each number stands: who chose it.
    fn transposed(&self) -> Self {
        let mut starts = vec![0; self.starts.len()];
        for &cell in &self.cells {
            starts[cell as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut free = starts.clone();
        let mut cells = vec![0; self.cells.len()];
        // Rows are visited in ascending order, so that the new rows are sorted as they fill.
        for (number, cell) in self.iter() {
            cells[free[cell as usize]] = number;
            free[cell as usize] += 1;
        }
        Self { starts, cells }
    }

    /// Each row united with its transposed one.
    fn both_ways(self) -> Self {
        // A complete table is its own transposed: all-to-all needs no second one.
        if self.cells.len() == self.count() * self.count().saturating_sub(1) {
            return self;
        }
        let transposed = self.transposed();
        let mut starts = Vec::with_capacity(self.starts.len());
        let mut cells = Vec::with_capacity(2 * self.cells.len());
        starts.push(0);
        for number in 0..self.count() as u32 {
            let (mut chose, mut chosen_by) = (self.row(number), transposed.row(number));
            while let (Some(a), Some(b)) = (chose.first(), chosen_by.first()) {
                cells.push(*a.min(b));
                (chose, chosen_by) = (&chose[usize::from(a <= b)..], &chosen_by[usize::from(b <= a)..]);
            }
            cells.extend_from_slice(chose);
            cells.extend_from_slice(chosen_by);
            starts.push(cells.len());
        }
        Self { starts, cells }
    }

    fn reachable(&self, from: u32) -> Vec<u32> {
        let mut seen = vec![false; self.count()];
        seen[from as usize] = true;
        let mut reached = vec![from];
        let mut next = 0;
        while let Some(&member) = reached.get(next) {
            next += 1;
            for &other in self.row(member) {
                if !std::mem::replace(&mut seen[other as usize], true) {
                    reached.push(other);
                }
            }
        }
        reached.sort_unstable();
        reached
    }
}

/// Makes [`Rows`] one row after another.
pub(super) struct RowsBuilder {
    rows: Rows,
}

impl RowsBuilder {
    pub(super) fn new(count: usize) -> Self {
        let mut starts = Vec::with_capacity(count + 1);
        starts.push(0);
        Self { rows: Rows { starts, cells: Vec::new() } }
    }

    /// Adds the next row, of different numbers in any order.
    pub(super) fn push(&mut self, row: impl Iterator<Item = u32>) -> Result<(), SharingError> {
        let Rows { starts, cells } = &mut self.rows;
        let start = cells.len();
        for cell in row {
            if cells.len() == CHOICES_MAX {
                return Err(SharingError::TooManyChoices);
            }
            cells.push(cell);
        }
        cells[start..].sort_unstable();
        starts.push(cells.len());
        Ok(())
    }

    pub(super) fn build(self) -> Rows {
        self.rows
    }
}

/// Whom each member chose to share with: one-way. Made by [`choices()`](super::choices()).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices(Rows);

impl Choices {
    pub(super) fn new(rows: Rows) -> Self {
        Self(rows)
    }

    /// How many members there are.
    pub fn count(&self) -> usize {
        self.0.count()
    }

    /// Whom `member` chose, in ascending order. O(1).
    ///
    /// # Panics
    ///
    /// When there is no such member.
    pub fn of(&self, member: u32) -> &[u32] {
        self.0.row(member)
    }

    /// Everybody whom `from` reaches when choices are followed in their direction only, itself included, in
    /// ascending order. O(members + choices).
    ///
    /// # Panics
    ///
    /// When there is no such member.
    pub fn reachable(&self, from: u32) -> Vec<u32> {
        self.0.reachable(from)
    }

    /// The same choices, usable both ways. O(members + choices).
    pub fn into_links(self) -> Links {
        Links(self.0.both_ways())
    }
}

/// How many links members have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Degrees {
    /// The fewest.
    pub min: usize,
    /// The most.
    pub max: usize,
    /// All members' together: twice the number of links.
    pub sum: usize,
    /// How many members there are.
    pub count: usize,
}

impl Degrees {
    /// Links a member, on average; 0 without members.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 }
    }
}

/// Who is linked with whom. A link has no direction, joins two different members, and exists once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links(Rows);

impl Links {
    /// The links `pairs` among `count` members; a pair that is named twice, either way round, is one link.
    ///
    /// # Errors
    ///
    /// A pair that names a member outside `0..count`, or the same one twice; more than [`CHOICES_MAX`] pairs.
    pub fn from_pairs(
        count: usize,
        pairs: impl IntoIterator<Item = (u32, u32)>,
    ) -> Result<Self, SharingError> {
        let mut sorted = Vec::new();
        for (a, b) in pairs {
            let larger = a.max(b);
            if larger as usize >= count {
                return Err(SharingError::NoSuchMember { member: larger, count });
            }
            if a == b {
                return Err(SharingError::SelfLink { member: a });
            }
            if sorted.len() == CHOICES_MAX {
                return Err(SharingError::TooManyChoices);
            }
            sorted.push((a.min(b), larger));
        }
        sorted.sort_unstable();
        sorted.dedup();
        let mut starts = Vec::with_capacity(count + 1);
        starts.extend((0..=count).map(|number| sorted.partition_point(|&(a, _)| (a as usize) < number)));
        let cells = sorted.into_iter().map(|(_, b)| b).collect();
        Ok(Self(Rows { starts, cells }.both_ways()))
    }

    /// How many members there are.
    pub fn count(&self) -> usize {
        self.0.count()
    }

    /// All links, each once with its smaller number first, in ascending order.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().filter(|(a, b)| a < b)
    }

    /// With whom `member` is linked, in ascending order. O(1).
    ///
    /// # Panics
    ///
    /// When there is no such member.
    pub fn neighbours(&self, member: u32) -> &[u32] {
        self.0.row(member)
    }

    /// How many links members have.
    pub fn degrees(&self) -> Degrees {
        let lens = || self.0.starts.windows(2).map(|ends| ends[1] - ends[0]);
        Degrees {
            min: lens().min().unwrap_or(0),
            max: lens().max().unwrap_or(0),
            sum: self.0.cells.len(),
            count: self.count(),
        }
    }

    /// Everybody whom `from` reaches over links, itself included, in ascending order. O(members + links).
    ///
    /// # Panics
    ///
    /// When there is no such member.
    pub fn reachable(&self, from: u32) -> Vec<u32> {
        self.0.reachable(from)
    }

    /// Whether everybody reaches everybody. True of no members and of one.
    pub fn is_connected(&self) -> bool {
        self.count() == 0 || self.reachable(0).len() == self.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phones A and B are never online together, so that the link A-B is of no use: C and D carry.
    #[test]
    fn two_phones_reach_each_other_over_their_desktops() {
        let [a, b, c, d] = [0, 1, 2, 3];
        let links = Links::from_pairs(4, FOUR_MEMBERS).unwrap();
        assert_eq!(links.neighbours(a), [b, c]);
        assert_eq!(links.neighbours(b), [a, d]);
        assert_eq!(links.neighbours(c), [a, d]);
        assert_eq!(links.neighbours(d), [b, c]);

        let without = |gone: &[(u32, u32)]| {
            Links::from_pairs(4, links.pairs().filter(|pair| !gone.contains(pair))).unwrap()
        };
        assert!(without(&[(a, b)]).is_connected());
        assert_eq!(without(&[(a, b), (c, d)]).reachable(a), [a, c]);
    }

    #[test]
    fn pairs_are_sorted_and_single_however_they_were_named() {
        let links = Links::from_pairs(5, [(3, 1), (0, 4), (1, 3), (1, 3), (0, 1)]).unwrap();
        assert_eq!(links.pairs().collect::<Vec<_>>(), [(0, 1), (0, 4), (1, 3)]);
        assert_eq!(links.degrees(), Degrees { min: 0, max: 2, sum: 6, count: 5 });
        assert_eq!(links.degrees().mean(), 1.2);
        assert_eq!(links.reachable(2), [2]);
        assert!(!links.is_connected());
    }

    #[test]
    fn pairs_that_make_no_link_are_refused() {
        assert_eq!(Links::from_pairs(2, [(0, 2)]), Err(SharingError::NoSuchMember { member: 2, count: 2 }));
        assert_eq!(Links::from_pairs(2, [(1, 1)]), Err(SharingError::SelfLink { member: 1 }));
    }

    #[test]
    fn nobody_and_one_are_connected() {
        assert!(Links::from_pairs(0, []).unwrap().is_connected());
        assert!(Links::from_pairs(1, []).unwrap().is_connected());
        assert!(!Links::from_pairs(2, []).unwrap().is_connected());
        assert_eq!(Links::from_pairs(0, []).unwrap().degrees().mean(), 0.0);
    }
}
