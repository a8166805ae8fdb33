//! Roots of a polynomial that splits: Berlekamp's trace algorithm, with the Frobenius map computed once.
//!
//! For β in GF(2^b), Tr(βx) = Σ (βx)^(2^i) is 0 at half of the field and 1 at the rest, so the common
//! divisor of P and Tr(βx) mod P has about half of P's roots (Berlekamp 1970). minisketch computes the trace anew,
//! by b squarings modulo the factor, for every β and every factor: nearly all of its time. Here
//!
//! * h_i = x^(2^i) mod P is computed once, for i ≤ b, and Tr(βx) = Σ β^(2^i)·h_i for as many β as will be
//!   needed is one matrix times another; on the way down they are only reduced, all of them side by side in
//!   lanes ([`Gf::divide`]);
//! * h_b = x says that P splits into different linear factors, before any work is spent on splitting it;
//! * squaring mod P is linear, and done with what is computed once for P (`frobenius`);
//! * divisors are computed without inversion, by scaling both sides;
//! * a quadratic is solved by y² + y = v, which is linear in y: a table for each four bits of v.
//!
//! β, 2β, 4β, … are independent, so b of them separate any two roots: the search ends. The seed chooses
//! the first, so that nobody who does not know it can make a set that is split badly.

use std::sync::OnceLock;

use super::decode::scale_by;
use super::frobenius::Powers;
use super::{Gf, TILE};

/// A monic factor on its way to its roots.
pub struct Factor {
    /// Lowest coefficient first.
    pub poly: Vec<u64>,
    /// Tr(βx) modulo it, sixteen columns of coefficients.
    pub traces: Vec<u64>,
    /// Of so many β, the first columns, which it has not seen yet.
    pub unseen: usize,
    /// Whose roots these are.
    pub set: usize,
}

/// The roots of a monic polynomial (lowest coefficient first), if it has as many as its degree.
pub fn roots(gf: Gf, poly: Vec<u64>, seed: u64) -> Option<Vec<u64>> {
    let mut found = [Some(Vec::with_capacity(poly.len() - 1))];
    let mut betas = Betas::new(gf, seed);
    let mut factors = vec![Factor::new(poly, 0)];
    while !factors.is_empty() {
        for factor in factors.iter_mut().filter(|factor| factor.poly.len() > 3) {
            if !factor.trace(gf, &mut betas) {
                return None;
            }
        }
        factors = separate(gf, factors, &mut found);
    }
    let [found] = found;
    found
}

/// Multipliers for traces: any first, then x, x², … times that one.
pub struct Betas {
    gf: Gf,
    next: u64,
}

impl Betas {
    /// The seed chooses the first.
    pub fn new(gf: Gf, seed: u64) -> Self {
        let next = seed & gf.mask();
        Self { gf, next: if next == 0 { 1 } else { next } }
    }

    /// The next ones' powers β^(2^i), for i below b, one β after the other; at most sixteen.
    pub fn powers(&mut self, count: usize) -> Vec<u64> {
        let bits = self.gf.bits as usize;
        let mut betas = [0; TILE];
        for beta in &mut betas[..count] {
            *beta = self.next;
            self.next = self.gf.reduce(u128::from(*beta) << 1);
        }
        let mut powers = vec![0; count * bits];
        for i in 0..bits {
            powers.iter_mut().skip(i).step_by(bits).zip(betas).for_each(|(x, power)| *x = power);
            betas = self.gf.dots(&betas, &betas);
        }
        powers
    }
}

/// How many traces a polynomial of some degree needs, nearly always, until only quadratics are left: two roots
/// are separated by half of all traces. No more than there are columns.
pub fn traces_len(degree: usize) -> usize {
    (degree.ilog2() as usize + 2).min(TILE)
}

impl Factor {
    /// Without traces yet.
    pub fn new(poly: Vec<u64>, set: usize) -> Self {
        Self { poly, traces: Vec::new(), unseen: 0, set }
    }

    /// Makes traces for a degree of 3 or more; whether it splits.
    pub fn trace(&mut self, gf: Gf, betas: &mut Betas) -> bool {
        let powers = Powers::new(gf, &self.poly);
        self.unseen = traces_len(self.poly.len() - 1);
        self.traces = powers.traces(betas, self.unseen);
        powers.splits()
    }

    /// The next trace, if any is left.
    fn next_trace(&mut self) -> Option<Vec<u64>> {
        self.unseen = self.unseen.checked_sub(1)?;
        let column = self.traces.chunks_exact(TILE).map(|row| row[self.unseen]);
        Some(column.collect())
    }
}

/// Coefficients below the highest, from there down.
pub fn below(poly: &[u64]) -> Vec<u64> {
    poly.iter().rev().skip(1).copied().collect()
}

/// Splits factors by their traces, all of them level by level, so that what is inverted on one level is inverted
/// together. Roots are put to their sets (or nothing, where a factor of degree 2 has none); factors that ran
/// out of traces come back.
pub fn separate(gf: Gf, mut level: Vec<Factor>, found: &mut [Option<Vec<u64>>]) -> Vec<Factor> {
    let (mut quadratics, mut unseparated) = (Vec::new(), Vec::new());
    while !level.is_empty() {
        let (mut divided, mut leads) = (Vec::new(), Vec::new());
        for mut factor in std::mem::take(&mut level) {
            match *factor.poly {
                [_] => continue,
                [root, _] => {
                    if let Some(found) = &mut found[factor.set] {
                        found.push(root);
                    }
                    continue;
                }
                [constant, linear, _] => {
                    quadratics.push((constant, linear, factor.set));
                    continue;
                }
                _ => {}
            }
            let Some(trace) = factor.next_trace() else {
                unseparated.push(factor);
                continue;
            };
            let divisor = common_divisor(gf, &factor.poly, &trace);
            if divisor.len() == 1 || divisor.len() == factor.poly.len() {
                level.push(factor);
            } else {
                leads.push(divisor[divisor.len() - 1]);
                divided.push((factor, divisor));
            }
        }
        invert(gf, &mut leads);
        for ((Factor { poly, mut traces, unseen, set }, mut divisor), scale) in divided.into_iter().zip(leads)
        {
            scale_by(gf, &mut divisor, scale);
            let cofactor = quotient(gf, &poly, &divisor);
            let reduced = |mut traces: Vec<u64>, poly: &[u64]| {
                gf.divide(&mut traces, &below(poly));
                traces.truncate((poly.len() - 1) * TILE);
                traces
            };
            let needs = |poly: &[u64]| poly.len() > 3;
            let first = if needs(&divisor) { reduced(traces.clone(), &divisor) } else { Vec::new() };
            traces = if needs(&cofactor) { reduced(traces, &cofactor) } else { Vec::new() };
            level.push(Factor { poly: divisor, traces: first, unseen, set });
            level.push(Factor { poly: cofactor, traces, unseen, set });
        }
    }
    let mut inverses: Vec<u64> = quadratics.iter().map(|(_, linear, _)| *linear).collect();
    invert(gf, &mut inverses);
    for ((constant, linear, set), inverse) in quadratics.into_iter().zip(inverses) {
        match (quadratic(gf, constant, linear, inverse), &mut found[set]) {
            (Some(roots), Some(found)) => found.extend(roots),
            _ => found[set] = None,
        }
    }
    unseparated
}

/// 1/x for each, 0 for 0: one inverse of their product, and three products each (Montgomery 1987).
pub fn invert(gf: Gf, values: &mut [u64]) {
    let mut product = 1;
    let below: Vec<u64> = values
        .iter()
        .map(|x| {
            let below = product;
            if *x != 0 {
                product = gf.mul(product, *x);
            }
            below
        })
        .collect();
    let mut inverse = if values.is_empty() { 1 } else { gf.inverse(product) };
    for (x, below) in values.iter_mut().zip(below).rev() {
        if *x != 0 {
            (*x, inverse) = (gf.mul(inverse, below), gf.mul(inverse, *x));
        }
    }
}

/// The quotient by a monic polynomial.
pub fn quotient(gf: Gf, poly: &[u64], divisor: &[u64]) -> Vec<u64> {
    let degree = divisor.len() - 1;
    let below = below(divisor);
    let mut quotient = poly[degree..].to_vec();
    for j in (0..quotient.len()).rev() {
        let count = (quotient.len() - 1 - j).min(degree);
        let taken = gf.dot(&quotient[j + 1..][..count], &below[..count]);
        quotient[j] ^= taken;
    }
    quotient
}

/// The remainder by a monic polynomial, as long as that one's degree.
pub fn remainder(gf: Gf, poly: &[u64], divisor: &[u64]) -> Vec<u64> {
    let degree = divisor.len() - 1;
    if poly.len() <= degree {
        let mut all = poly.to_vec();
        all.resize(degree, 0);
        return all;
    }
    let mut scales = quotient(gf, poly, divisor);
    scales.reverse();
    // Coefficient k of the product: Σ scales[r]·divisor[k + r - (len - 1)].
    let front = scales.len() - 1;
    let mut rows = vec![0; front + degree.next_multiple_of(TILE)];
    rows[front..front + degree].copy_from_slice(&divisor[..degree]);
    let mut rest = poly[..degree].to_vec();
    for (tile, rest) in rest.chunks_mut(TILE).enumerate() {
        let column = tile * TILE;
        // What would only meet the zeros in front is left out.
        let skip = (front + 1).saturating_sub(column + TILE);
        let product = gf.combine(&scales[skip..], &rows[column + skip..], 1);
        rest.iter_mut().zip(product).for_each(|(x, y)| *x ^= y);
    }
    rest
}

/// A multiple of the common divisor of a polynomial and a residue modulo it.
fn common_divisor(gf: Gf, poly: &[u64], residue: &[u64]) -> Vec<u64> {
    // Zeros in front, so that either can be read as its product with any power of x that it is ever multiplied by.
    let front = poly.len();
    let padded = poly.len().next_multiple_of(TILE);
    let mut buffers = vec![0; 2 * (front + padded)];
    let (mut long, mut short) = buffers.split_at_mut(front + padded);
    long[front..front + poly.len()].copy_from_slice(poly);
    short[front..front + residue.len()].copy_from_slice(residue);
    // Lengths without leading zeros.
    let trimmed = |poly: &[u64], len: usize| {
        poly[front..front + len].iter().rposition(|x| *x != 0).map_or(0, |top| top + 1)
    };
    let mut long_len = poly.len();
    let mut short_len = trimmed(short, residue.len());
    while short_len > 1 {
        // One subtraction of x·short and one of short, at once; one by one when degrees differ otherwise.
        while long_len >= short_len {
            let (top, lead) = (long[front + long_len - 1], short[front + short_len - 1]);
            let filled = long_len.next_multiple_of(TILE);
            if long_len == short_len + 1 {
                let next =
                    gf.mul(lead, long[front + long_len - 2]) ^ gf.mul(top, short[front + short_len - 2]);
                let scales = [gf.mul(lead, lead), gf.mul(lead, top), next];
                gf.cross_linear(&mut long[front..front + filled], &short[front - 1..][..filled + 1], scales);
            } else {
                let shifted = &short[front + short_len - long_len..][..filled];
                gf.cross(&mut long[front..front + filled], shifted, [lead, top]);
            }
            debug_assert_eq!(long[front + long_len - 1], 0);
            long_len = trimmed(long, long_len);
        }
        (long, short) = (short, long);
        (long_len, short_len) = (short_len, long_len);
    }
    if short_len == 1 { vec![1] } else { long[front..front + long_len].to_vec() }
}

/// The two roots of x² + `linear`·x + `constant`: with x = `linear`·y it is y² + y = constant/linear².
/// Its inverse is given.
fn quadratic(gf: Gf, constant: u64, linear: u64, inverse: u64) -> Option<[u64; 2]> {
    if linear == 0 {
        // A double root.
        return None;
    }
    let value = gf.mul(gf.mul(constant, inverse), inverse);
    let root = gf.mul(half(gf, value)?, linear);
    Some([root, root ^ linear])
}

/// One y with y² + y = `value`, if there is one (the other is y + 1).
///
/// y is linear in the value: what it is for each four bits of one is tabled once for each field. The tables lie beside the
/// heap, so that a trial's peak does not depend on which one came first.
fn half(gf: Gf, value: u64) -> Option<u64> {
    static TABLES: [OnceLock<[[u64; 16]; 16]>; 9] = [const { OnceLock::new() }; 9];
    let tables = TABLES[gf.bits as usize / 8].get_or_init(|| half_tables(gf));
    let entry = |(n, table): (usize, &[u64; 16])| table[(value >> (4 * n) & 15) as usize];
    let root = tables.iter().enumerate().map(entry).fold(0, |sum, x| sum ^ x);
    // Half of all values have none, and got something.
    (gf.mul(root, root) ^ root == value).then_some(root)
}

/// By an echelon form of the images of y² + y, each with its preimage.
fn half_tables(gf: Gf) -> [[u64; 16]; 16] {
    let mut echelon = [[0; 2]; 64];
    for bit in 1..gf.bits {
        let mut preimage = 1 << bit;
        let mut image = gf.mul(preimage, preimage) ^ preimage;
        while image != 0 {
            let row = &mut echelon[image.ilog2() as usize];
            if row[0] == 0 {
                *row = [image, preimage];
                break;
            }
            image ^= row[0];
            preimage ^= row[1];
        }
    }
    // Bits from the highest down; one without an image is left, which is linear too.
    let preimage = |mut value: u64| {
        echelon.iter().enumerate().rev().fold(0, |root, (bit, [image, preimage])| {
            if *image != 0 && value >> bit & 1 == 1 {
                value ^= image;
                root ^ preimage
            } else {
                root
            }
        })
    };
    std::array::from_fn(|n| {
        std::array::from_fn(|nibble| {
            let value = (nibble as u64) << (4 * n);
            if value & !gf.mask() == 0 { preimage(value) } else { 0 }
        })
    })
}
