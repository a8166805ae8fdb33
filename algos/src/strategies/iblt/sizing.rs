//! How many cells a difference of d takes, and how many more after a table that was too small.
//!
//! Asymptotically a table peels when it has 1.2218, 1.2949, 1.4249 cells an id for k = 3, 4, 5. Small tables
//! need far more, and no formula says how many, so everybody uses simulated tables (Graphene's:
//! umass-forensics/IBLT-optimization, which picks the best k for each d; ours keep k fixed). All arithmetic is on
//! integers: sizes go over the wire, and must be the same on every machine.

use super::table::{Place, Shape};
use crate::wire::SYMBOLS_MAX;

/// Failures that [`cells_for`] allows: one in so many, as Graphene does.
#[cfg(test)]
pub const FAILURE_ONE_IN: u32 = 240;

/// Cells of the first table when nothing is known of d. They decode 15 differences but for one time in 500
/// (k = 4), and what does not decode is estimated to √(2/40) = 22%. The published range is 30 to 48.
pub const CELLS_UNKNOWN: u64 = 40;

/// The d of the columns of [`FREE`] and [`SPLIT`].
pub(super) const GRID: [u64; 29] = [
    1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500, 700, 1000, 2000,
    5000, 10_000, 20_000, 50_000,
];

/// Fewest cells with at most one failure in 240, simulated: bisection over the size, 8·10^6 / (d + 10)
/// trials a step but at most 10^5. Good to about 1% of the size. A row for each of k = 3, 4, 5. The ignored test
/// `find_sizes` makes such rows.
type Rows = [[u64; GRID.len()]; 3];

#[rustfmt::skip]
const FREE: Rows = [
    [4, 13, 19, 23, 26, 30, 36, 43, 49, 57, 67, 80, 89, 107, 125, 139, 174, 198, 259, 318, 423, 672, 923, 1294, 2544, 6260, 12_420, 24_760, 61_600],
    [5, 11, 14, 17, 19, 21, 25, 28, 31, 35, 43, 49, 56, 70, 84, 98, 126, 153, 222, 290, 426, 695, 960, 1357, 2673, 6610, 13_120, 26_120, 65_100],
    [6, 10, 13, 15, 17, 19, 22, 25, 29, 34, 42, 50, 58, 74, 90, 105, 136, 167, 243, 317, 465, 761, 1054, 1490, 2941, 7270, 14_460, 28_760, 71_800],
];

#[rustfmt::skip]
const SPLIT: Rows = [
    [4, 19, 28, 35, 41, 47, 59, 67, 76, 90, 108, 127, 144, 171, 201, 227, 281, 318, 410, 513, 643, 964, 1186, 1437, 2554, 6270, 12_420, 24_760, 61_600],
    [5, 16, 21, 25, 29, 31, 37, 41, 45, 51, 60, 67, 74, 84, 96, 104, 129, 155, 224, 291, 425, 694, 959, 1358, 2674, 6610, 13_160, 26_160, 65_200],
    [6, 16, 19, 22, 25, 27, 30, 33, 36, 40, 46, 52, 59, 75, 90, 106, 136, 167, 242, 317, 466, 760, 1053, 1490, 2942, 7280, 14_440, 28_760, 71_700],
];

/// Cells that peel `d` differences but for one time in 240. 0 for 0: no cells say that nothing differs, and
/// the end check says whether that is so.
pub fn cells_for(d: u64, hashes: u32, place: Place) -> u64 {
    let rows = match place {
        Place::Free => &FREE,
        Place::Split => &SPLIT,
    };
    let row = &rows[(hashes - 3) as usize];
    let at = GRID.partition_point(|known| *known < d);
    match at {
        0 if d == 0 => 0,
        0 => row[0],
        at if at < GRID.len() => {
            let (d_span, span) = (GRID[at] - GRID[at - 1], row[at] - row[at - 1]);
            row[at - 1] + (span * (d - GRID[at - 1])).div_ceil(d_span)
        }
        _ => {
            let (last_d, last) = (GRID[GRID.len() - 1], row[GRID.len() - 1]);
            // Above the limit nobody asks for the exact number.
            d.min(SYMBOLS_MAX).saturating_mul(last).div_ceil(last_d)
        }
    }
}

/// Best second table beside a first one of u = 0, 0.1, … 1.4 cells a difference with k = 3, 4, 5 hashes: its
/// hashes, and its cells for 1,000 differences.
///
/// Solved from the density evolution of peeling both as one. With table j of m_j cells an id and k_j hashes,
/// a message from id to cell stays unknown with probability x_j = y_j^(k_j − 1)·Π_{i≠j} y_i^{k_i}, where
/// y_j = 1 − exp(−(k_j/m_j)·x_j); the smallest m_2 is taken for which x falls to 0. A first table far too
/// small is useless, and k = 3 has the lowest threshold alone; the more the first one knows, the fewer hashes
/// the second should have: from u = 0.8 on a single one, which just deals ids out thinly.
pub(super) const SECOND: [[(u32, u64); 15]; 3] = [
    [
        (3, 1222),
        (3, 1222),
        (3, 1211),
        (3, 1172),
        (2, 1055),
        (2, 938),
        (2, 830),
        (1, 671),
        (1, 520),
        (1, 399),
        (1, 295),
        (1, 202),
        (1, 99),
        (1, 0),
        (1, 0),
    ],
    [
        (3, 1222),
        (3, 1222),
        (3, 1219),
        (3, 1200),
        (2, 1150),
        (2, 1044),
        (2, 944),
        (2, 849),
        (1, 692),
        (1, 549),
        (1, 430),
        (1, 325),
        (1, 224),
        (1, 0),
        (1, 0),
    ],
    [
        (3, 1222),
        (3, 1222),
        (3, 1221),
        (3, 1212),
        (3, 1189),
        (2, 1124),
        (2, 1033),
        (2, 947),
        (2, 863),
        (1, 714),
        (1, 582),
        (1, 468),
        (1, 367),
        (1, 270),
        (1, 153),
    ],
];

/// Hashes and cells of the next table, after `tables` tables of `cells` cells together did not peel `d`
/// differences.
///
/// To the asymptotic need come √d + 4 cells for the spread of small tables. A third table means that the
/// estimate was too low or the ids unlucky, and that the two together are not the single first table
/// that [`SECOND`] speaks of: it has at least a third of all cells so far, so that few are needed.
pub fn next_table(d: u64, hashes: u32, cells: u64, tables: usize) -> (u32, u64) {
    let row = &SECOND[(hashes - 3) as usize];
    let d = d.clamp(1, SYMBOLS_MAX);
    let tenths = |scaled: u64| (scaled / d) as usize;
    let (low, near) = (tenths(cells.saturating_mul(10)), tenths(cells.saturating_mul(10) + d / 2));
    let last = row.len() - 1;
    let need = if low >= last {
        row[last].1
    } else {
        // Linear between tenths.
        let part = cells * 10 - low as u64 * d;
        (row[low].1 * (d - part) + row[low + 1].1 * part) / d
    };
    let next = (need * d).div_ceil(1000) + d.isqrt() + 4;
    if tables > 1 { (2, next.max(cells / 3)) } else { (row[near.min(last)].0, next.max(8)) }
}

/// What a peer may ask for as the next table, given how many items both hold together.
pub fn next_cells_max(items: u64, hashes: u32, place: Place, cells: u64) -> u64 {
    (2 * cells_for(items, hashes, place) + cells + 64).min(SYMBOLS_MAX)
}

/// The shape of table `number`, if it is within the limits: `before` cells are held already.
pub fn shape(cells: u64, hashes: u32, place: Place, number: u32, before: u64) -> Option<Shape> {
    let cells = if cells == 0 { 0 } else { cells.max(u64::from(hashes) + 1) };
    let within = cells.checked_add(before)? <= SYMBOLS_MAX;
    within.then_some(Shape { cells: cells as u32, hashes, place, number })
}
