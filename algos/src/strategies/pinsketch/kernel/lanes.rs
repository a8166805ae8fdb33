//! Many small sketches decoded side by side: sixteen of them in the lanes of registers.
//!
//! A small sketch alone leaves a wide register half empty and waits for every product. Here each word of the one
//! algorithm becomes a row of sixteen words, one of each sketch; what the algorithm decides becomes a choice for each
//! lane; and all arithmetic is sums of products of rows ([`Gf::dots`]).
//!
//! * Berlekamp-Massey: every lane goes through all steps, and keeps or replaces by a mask.
//! * Powers x^(2^i) modulo sixteen polynomials at once, and their traces. Degrees differ: a polynomial P of
//!   degree m below the greatest, M, stands as x^(M-m)·P, and what comes out is reduced modulo P in the end.
//!   Sketches are sorted by degree first, so that little is added.
//! * Splitting differs from lane to lane, and is left to `roots`, for all factors of all sketches together. What its
//!   traces did not separate comes back here.

use super::decode::scale_by;
use super::roots::{Betas, Factor, remainder};
use super::{Gf, TILE, own, roots};

/// Fewer polynomials than this are factored one by one.
const LANES_MIN: usize = 3;
/// And such of a higher degree: sixteen matrices of 128 by 64 take 1 MB.
const DEGREE_MAX: usize = 128;

/// See [`Gf::decode_many`].
pub fn decode(
    gf: Gf,
    capacity: usize,
    syndromes: &[u64],
    own: &[&[u64]],
    seed: u64,
) -> Vec<Option<Vec<u64>>> {
    let mut locators = Vec::with_capacity(own.len());
    for sixteen in syndromes.chunks(TILE * capacity.max(1)) {
        locators.extend(locate(gf, capacity, sixteen));
    }
    locators.resize(own.len(), Some(vec![1]));
    scale(gf, &mut locators);
    let mut found: Vec<Option<Vec<u64>>> = Vec::with_capacity(own.len());
    let mut factors = Vec::with_capacity(own.len());
    for (set, (locator, own)) in locators.into_iter().zip(own).enumerate() {
        let Some(poly) = locator else {
            found.push(None);
            continue;
        };
        let degree = poly.len() - 1;
        let (roots, poly) = if own::is_worth(own.len(), degree, degree / 2) {
            own::strip(gf, poly, own)
        } else {
            (Vec::with_capacity(degree), poly)
        };
        found.push(Some(roots));
        factors.push(Factor::new(poly, set));
    }
    let mut betas = Betas::new(gf, seed);
    while !factors.is_empty() {
        factors.sort_by_key(|factor| factor.poly.len());
        let small = factors.partition_point(|factor| factor.poly.len() <= 3);
        for group in factors[small..].chunks_mut(TILE) {
            trace(gf, group, &mut betas, &mut found);
        }
        factors.retain(|factor| found[factor.set].is_some());
        factors = roots::separate(gf, factors, &mut found);
    }
    found.iter_mut().flatten().for_each(|found| found.sort_unstable());
    found
}

/// Berlekamp-Massey in lanes: of each of up to sixteen sketches the locator, lowest coefficient first but not yet monic.
fn locate(gf: Gf, capacity: usize, syndromes: &[u64]) -> Vec<Option<Vec<u64>>> {
    let count = syndromes.len() / capacity;
    // Power sum k + 1 is in row 2·capacity - 1 - k.
    let mut reversed = vec![0; 2 * capacity * TILE];
    for k in 0..2 * capacity {
        let at = (2 * capacity - 1 - k) * TILE;
        if k % 2 == 0 {
            for (lane, sketch) in syndromes.chunks_exact(capacity).enumerate() {
                reversed[at + lane] = sketch[k / 2];
            }
        } else {
            let root = &reversed[(2 * capacity - 1 - k / 2) * TILE..][..TILE];
            let square = gf.dots(root, root);
            reversed[at..at + TILE].copy_from_slice(&square);
        }
    }
    // A lane whose recurrence grows beyond the capacity has failed, so no coefficient above matters.
    let rows = capacity + 1;
    let mut current = vec![0; rows * TILE];
    current[..TILE].fill(1);
    // The previous one times x^shift. It is multiplied by x² at every step, that is, begins two rows earlier.
    let mut front = 2 * capacity;
    let mut previous = vec![0; (front + rows) * TILE];
    previous[(front + 1) * TILE..][..TILE].fill(1);
    let (mut lens, mut last, mut failed) = ([0; TILE], [1; TILE], [false; TILE]);
    // Rows that are other than 0 in some lane.
    let filled = |lens: &[usize; TILE]| rows.min(lens.iter().max().map_or(0, |len| len + 1));
    for n in (0..2 * capacity).step_by(2) {
        let window = &reversed[(2 * capacity - 1 - n) * TILE..];
        let terms = filled(&lens).min(n + 1);
        let discrepancies = gf.dots(&current[..terms * TILE], &window[..terms * TILE]);
        if discrepancies != [0; TILE] {
            let (scale, mut grown) = (last, [0; TILE]);
            for lane in 0..TILE {
                let discrepancy = discrepancies[lane];
                if discrepancy != 0 && 2 * lens[lane] <= n {
                    grown[lane] = u64::MAX;
                    last[lane] = discrepancy;
                    lens[lane] = n + 1 - lens[lane];
                    failed[lane] |= lens[lane] > capacity;
                }
            }
            let len = filled(&lens) * TILE;
            let previous = &mut previous[front * TILE..][..len];
            gf.advance(&mut current[..len], previous, [&scale, &discrepancies], &grown);
        }
        front -= 2;
    }
    let locator = |lane: usize| {
        let len = lens[lane];
        // Backwards, and one of exactly that degree.
        let coefficients = || (0..=len).rev().map(|j| current[j * TILE + lane]);
        let exact = !failed[lane] && current[len * TILE + lane] != 0;
        exact.then(|| coefficients().collect())
    };
    (0..count).map(locator).collect()
}

/// Makes the polynomials monic.
fn scale(gf: Gf, polys: &mut [Option<Vec<u64>>]) {
    let lead = |poly: &Vec<u64>| poly[poly.len() - 1];
    let mut scales: Vec<u64> = polys.iter().flatten().map(lead).collect();
    roots::invert(gf, &mut scales);
    for (poly, scale) in polys.iter_mut().flatten().zip(scales) {
        scale_by(gf, poly, scale);
    }
}

/// Gives up to sixteen polynomials of degree 3 or more their traces; what does not split has failed.
fn trace(gf: Gf, group: &mut [Factor], betas: &mut Betas, found: &mut [Option<Vec<u64>>]) {
    let degree = group.iter().map(|factor| factor.poly.len() - 1).max().unwrap_or(0);
    if group.len() < LANES_MIN || degree > DEGREE_MAX {
        for factor in group {
            if !factor.trace(gf, betas) {
                found[factor.set] = None;
            }
        }
        return;
    }
    let powers = Powers::new(gf, degree, group);
    for (lane, factor) in group.iter_mut().enumerate() {
        let mut last: Vec<u64> = powers.last.chunks_exact(TILE).map(|row| row[lane]).collect();
        last[1] ^= 1;
        if remainder(gf, &last, &factor.poly).iter().any(|x| *x != 0) {
            found[factor.set] = None;
        }
    }
    let count = roots::traces_len(degree);
    for factor in group.iter_mut() {
        factor.traces = vec![0; degree * TILE];
        factor.unseen = count;
    }
    for (n, scales) in betas.powers(count).chunks_exact(gf.bits as usize).enumerate() {
        for (j, row) in powers.trace(gf, scales).iter().enumerate() {
            group.iter_mut().zip(row).for_each(|(factor, x)| factor.traces[j * TILE + n] = *x);
        }
    }
    for factor in group {
        gf.divide(&mut factor.traces, &roots::below(&factor.poly));
        factor.traces.truncate((factor.poly.len() - 1) * TILE);
    }
}

/// x^(2^i) modulo sixteen polynomials, for i below b.
struct Powers {
    /// By coefficient, then by i, then by lane.
    all: Vec<u64>,
    /// x^(2^b), by coefficient and lane.
    last: Vec<u64>,
}

impl Powers {
    fn new(gf: Gf, degree: usize, group: &[Factor]) -> Self {
        let bits = gf.bits as usize;
        // x^m and x^(m+1), by coefficient: what the two highest terms of x²·residue become.
        let mut tops = vec![0; 2 * degree * TILE];
        for (lane, factor) in group.iter().enumerate() {
            let shift = degree + 1 - factor.poly.len();
            for (j, x) in factor.poly[..factor.poly.len() - 1].iter().enumerate() {
                tops[2 * (shift + j) * TILE + lane] = *x;
            }
        }
        let top: [u64; TILE] = std::array::from_fn(|lane| tops[2 * (degree - 1) * TILE + lane]);
        for j in 0..degree {
            let mut next = gf.dots(&top, &tops[2 * j * TILE..][..TILE]);
            if j > 0 {
                next.iter_mut().zip(&tops[2 * (j - 1) * TILE..]).for_each(|(x, y)| *x ^= *y);
            }
            tops[(2 * j + 1) * TILE..][..TILE].copy_from_slice(&next);
        }
        // x^(2i) for i from half the degree on, by coefficient, then by i.
        let first = degree.div_ceil(2);
        let count = degree - first;
        let mut matrix = vec![0; degree * count * TILE];
        let mut row = vec![0; degree * TILE];
        row[(2 * first - 2) * TILE..][..TILE].fill(1);
        let mut scales = [0; 2 * TILE];
        for i in 0..count {
            scales[..TILE].copy_from_slice(&row[(degree - 2) * TILE..][..TILE]);
            scales[TILE..].copy_from_slice(&row[(degree - 1) * TILE..]);
            for j in (0..degree).rev() {
                let mut next = gf.dots(&scales, &tops[2 * j * TILE..][..2 * TILE]);
                if j >= 2 {
                    next.iter_mut().zip(&row[(j - 2) * TILE..]).for_each(|(x, y)| *x ^= *y);
                }
                row[j * TILE..][..TILE].copy_from_slice(&next);
                matrix[(j * count + i) * TILE..][..TILE].copy_from_slice(&next);
            }
        }
        let mut all = vec![0; degree * bits * TILE];
        let mut power = row;
        power.fill(0);
        power[TILE..2 * TILE].fill(1);
        let mut squares = vec![0; degree * TILE];
        for i in 0..bits {
            for (j, (power, square)) in
                power.chunks_exact(TILE).zip(squares.chunks_exact_mut(TILE)).enumerate()
            {
                all[(j * bits + i) * TILE..][..TILE].copy_from_slice(power);
                square.copy_from_slice(&gf.dots(power, power));
            }
            let (low, high) = squares.split_at(first * TILE);
            for (j, power) in power.chunks_exact_mut(TILE).enumerate() {
                power.copy_from_slice(&gf.dots(high, &matrix[j * count * TILE..][..count * TILE]));
                if j % 2 == 0 {
                    power.iter_mut().zip(&low[j / 2 * TILE..]).for_each(|(x, y)| *x ^= *y);
                }
            }
        }
        Self { all, last: power }
    }

    /// Tr(βx) in all lanes, by coefficient.
    fn trace(&self, gf: Gf, scales: &[u64]) -> Vec<[u64; TILE]> {
        let coefficients = self.all.chunks_exact(scales.len() * TILE);
        coefficients.map(|rows| gf.combine(scales, rows, TILE)).collect()
    }
}
