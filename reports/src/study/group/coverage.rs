//! Whether sharing with K others reaches everybody: what was measured, and what a formula says.
//!
//! If each member passed on only to the K it chose itself, a member that nobody chose would never be reached.
//! Each of the N is left out by one other with probability 1 − K/(N−1), by all N−1 with that to the power of
//! N−1, so nobody is left out with about exp(−N(1 − K/(N−1))^(N−1)). Sharing here is mutual, which reaches
//! more; the formula is drawn to show how much.

use super::GroupPoint;

/// What was measured at one point, whatever the contender: all of them share alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// The formula, for random choice.
    pub closed_form: Option<f64>,
    /// Mean share of members from whom one-way sharing reaches everybody, where members choose.
    pub one_way: Option<f64>,
    /// Replicates whose pairs connect everybody.
    pub connected: u64,
    /// Replicates.
    pub replicates: u64,
}

/// Probability that one-way sharing with `k` others, drawn at random, reaches all `n`.
pub fn closed_form(n: u32, k: u32) -> f64 {
    if n < 2 {
        return 1.0;
    }
    let others = f64::from(n - 1);
    let missed = libm::pow((1.0 - f64::from(k) / others).max(0.0), others);
    libm::exp(-f64::from(n) * missed)
}

/// Reads it off a point.
pub fn coverage(point: &GroupPoint<'_>) -> Coverage {
    // The contender with the most replicates stands for all.
    let rows = point.cells.values().map(|cell| &cell.rows).max_by_key(|rows| rows.len());
    let rows = rows.map_or(&[][..], |rows| &rows[..]);
    let shares: Vec<f64> =
        rows.iter().filter_map(|row| row.one_way_reach_ppm).map(|ppm| f64::from(ppm) / 1e6).collect();
    let place = &point.place;
    let random = place.sharing.starts_with("random") || place.sharing == "log2";
    Coverage {
        closed_form: (random || place.sharing == "all").then(|| closed_form(place.n, place.k)),
        one_way: (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64),
        connected: rows.iter().filter(|row| row.connected).count() as u64,
        replicates: rows.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::closed_form;

    #[test]
    fn the_formula_gives_known_values() {
        // K = ln N + c leaves exp(-e^-c) in the limit: N = 10 000, K = 9 gives about exp(-10 000 · e^-9.004).
        assert!((closed_form(10_000, 9) - 0.2927).abs() < 1e-3, "{}", closed_form(10_000, 9));
        assert_eq!((closed_form(50, 49), closed_form(1, 0), closed_form(2, 1)), (1.0, 1.0, 1.0));
        assert!(closed_form(50, 1) < 1e-7);
    }
}
