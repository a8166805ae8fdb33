//! Roots of a polynomial that splits: Berlekamp's trace algorithm, with the Frobenius map computed once.
//!
//! For β in GF(2^b), Tr(βx) = Σ (βx)^(2^i) is 0 at half of the field and 1 at the rest, so the common
//! divisor of P and Tr(βx) mod P has about half of P's roots (Berlekamp 1970). minisketch computes the trace anew,
//! by b squarings modulo the factor, for every β and every factor: nearly all of its time. Here
//!
//! * h_i = x^(2^i) mod P is computed once, for i ≤ b, and Tr(βx) = Σ β^(2^i)·h_i for as many β as will be
//!   needed is one vector times the matrix of all h_i; on the way down they are only reduced;
//! * h_b = x says that P splits into different linear factors, before any work is spent on splitting it;
//! * squaring mod P is itself linear after the coefficients are squared: the rows x^(2i) mod P, i ≥ m/2, are a
//!   matrix that is made once (each from the one before by a shift and two rows), and one squaring is a
//!   vector times that matrix, m²/2 products without a single reduction between them. It takes 4·m² bytes:
//!   above [`MATRIX_MAX`] a square is divided instead;
//! * divisors are computed without inversion, by scaling both sides;
//! * a quadratic is solved by y² + y = v, which is linear in y.
//!
//! β, 2β, 4β, … are independent, so b of them separate any two roots: the search ends. The seed chooses
//! the first, so that nobody who does not know it can make a set that is split badly.

use std::sync::OnceLock;

use super::{Gf, TILE};

/// Largest degree for which the matrix of the Frobenius map is kept: 4 MB.
const MATRIX_MAX: usize = 1024;

/// A monic factor on its way to its roots.
pub struct Factor {
    /// Lowest coefficient first.
    pub poly: Vec<u64>,
    /// Tr(βx) modulo it for β that it has not seen yet.
    pub traces: Vec<Vec<u64>>,
    /// Whose roots these are.
    pub set: usize,
}

/// The roots of a monic polynomial (lowest coefficient first), if it has as many as its degree.
pub fn roots(gf: Gf, poly: Vec<u64>, seed: u64) -> Option<Vec<u64>> {
    let mut found = [Some(Vec::with_capacity(poly.len() - 1))];
    let mut betas = Betas::new(gf, seed);
    let mut factors = vec![Factor { poly, traces: Vec::new(), set: 0 }];
    while !factors.is_empty() {
        for factor in factors.iter_mut().filter(|factor| factor.poly.len() > 3) {
            factor.traces = traces(gf, &factor.poly, &mut betas)?;
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

    /// The next one's powers β^(2^i), for i below b.
    pub fn powers(&mut self) -> Vec<u64> {
        let beta = self.next;
        self.next = self.gf.reduce(u128::from(beta) << 1);
        let square = |power: &u64| Some(self.gf.mul(*power, *power));
        std::iter::successors(Some(beta), square).take(self.gf.bits as usize).collect()
    }
}

/// How many traces a polynomial of some degree needs, nearly always, until only quadratics are left: two roots
/// are separated by half of all traces.
pub fn traces_len(degree: usize) -> u32 {
    degree.ilog2() + 2
}

/// Traces modulo a polynomial of degree 3 or more, if it splits.
pub fn traces(gf: Gf, poly: &[u64], betas: &mut Betas) -> Option<Vec<Vec<u64>>> {
    let powers = Powers::new(gf, poly);
    powers.splits().then(|| (0..traces_len(poly.len() - 1)).map(|_| powers.trace(&betas.powers())).collect())
}

/// x^(2^i) modulo a polynomial, for i up to b.
struct Powers {
    gf: Gf,
    degree: usize,
    /// Sixteen coefficients of all powers, then the next sixteen.
    rows: Vec<u64>,
    /// Coefficients of the last, x^(2^b).
    last: Vec<u64>,
}

impl Powers {
    fn new(gf: Gf, poly: &[u64]) -> Self {
        let degree = poly.len() - 1;
        let tiles = degree.div_ceil(TILE);
        let count = gf.bits as usize;
        let mut rows = vec![0; tiles * count * TILE];
        let square = Square::new(gf, poly);
        // Whole tiles, so that they are squared in lanes.
        let mut power = vec![0; tiles * TILE];
        let mut squares = power.clone();
        power[1] = 1;
        for i in 0..count {
            for (tile, coefficients) in power.chunks_exact(TILE).enumerate() {
                rows[(tile * count + i) * TILE..][..TILE].copy_from_slice(coefficients);
                squares[tile * TILE..][..TILE].copy_from_slice(&gf.dots(coefficients, coefficients));
            }
            square.of(&squares[..degree], &mut power);
        }
        power.truncate(degree);
        Self { gf, degree, rows, last: power }
    }

    /// Whether the polynomial divides x^(2^b) - x.
    fn splits(&self) -> bool {
        self.last.iter().enumerate().all(|(i, coefficient)| *coefficient == u64::from(i == 1))
    }

    /// Tr(βx) modulo the polynomial, from the powers of β.
    fn trace(&self, scales: &[u64]) -> Vec<u64> {
        let tiles = self.rows.chunks_exact(scales.len() * TILE);
        let mut trace: Vec<u64> = tiles.flat_map(|rows| self.gf.combine(scales, rows, TILE)).collect();
        trace.truncate(self.degree);
        trace
    }
}

/// Squaring modulo a polynomial.
struct Square<'a> {
    gf: Gf,
    poly: &'a [u64],
    /// x^(2i) modulo it for i from half the degree on, in tiles as in [`Powers`]; empty for a large one.
    rows: Vec<u64>,
}

impl<'a> Square<'a> {
    fn new(gf: Gf, poly: &'a [u64]) -> Self {
        let degree = poly.len() - 1;
        if degree > MATRIX_MAX {
            return Self { gf, poly, rows: Vec::new() };
        }
        let (padded, first) = (degree.next_multiple_of(TILE), degree.div_ceil(2));
        let count = degree - first;
        // x^m, and x·(x^m) without its own x^m.
        let mut steps = vec![0; 2 * padded];
        steps[..degree].copy_from_slice(&poly[..degree]);
        steps[padded + 1..padded + degree].copy_from_slice(&poly[..degree - 1]);
        let mut rows = vec![0; padded * count];
        // x^(2i - 2), which has degree below m at first.
        let mut row = vec![0; padded];
        row[2 * first - 2] = 1;
        for i in 0..count {
            let (top, below) = (row[degree - 1], row[degree - 2]);
            let scales = [below ^ gf.mul(top, poly[degree - 1]), top];
            row.copy_within(..padded - 2, 2);
            row[..2].fill(0);
            for column in (0..padded).step_by(TILE) {
                let more = gf.combine(&scales, &steps[column..], padded);
                row[column..column + TILE].iter_mut().zip(more).for_each(|(x, more)| *x ^= more);
            }
            row[degree..].fill(0);
            for (tile, coefficients) in row.chunks_exact(TILE).enumerate() {
                rows[(tile * count + i) * TILE..][..TILE].copy_from_slice(coefficients);
            }
        }
        Self { gf, poly, rows }
    }

    /// The square of a residue whose coefficients are squared already, in whole tiles.
    fn of(&self, squares: &[u64], square: &mut [u64]) {
        let degree = self.poly.len() - 1;
        if self.rows.is_empty() {
            let mut spread = vec![0; 2 * degree - 1];
            spread.iter_mut().step_by(2).zip(squares).for_each(|(x, y)| *x = *y);
            square[..degree].copy_from_slice(&remainder(self.gf, &spread, self.poly));
            return;
        }
        let first = degree.div_ceil(2);
        let high = &squares[first..];
        for (rows, square) in self.rows.chunks_exact(high.len() * TILE).zip(square.chunks_exact_mut(TILE)) {
            square.copy_from_slice(&self.gf.combine(high, rows, TILE));
        }
        square.iter_mut().step_by(2).zip(&squares[..first]).for_each(|(x, y)| *x ^= *y);
    }
}

/// Splits factors by their traces, all of them level by level, so that what is inverted on one level is inverted
/// together. Roots are put to their sets (or nothing, where a factor of degree 2 has none); factors that ran
/// out of traces come back.
pub fn separate(gf: Gf, mut level: Vec<Factor>, found: &mut [Option<Vec<u64>>]) -> Vec<Factor> {
    let (mut quadratics, mut unseparated) = (Vec::new(), Vec::new());
    while !level.is_empty() {
        let (mut below, mut divided, mut leads) = (Vec::new(), Vec::new(), Vec::new());
        for mut factor in level {
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
            let Some(trace) = factor.traces.pop() else {
                unseparated.push(factor);
                continue;
            };
            let divisor = common_divisor(gf, &factor.poly, trace);
            if divisor.len() == 1 || divisor.len() == factor.poly.len() {
                below.push(factor);
            } else {
                leads.push(divisor[divisor.len() - 1]);
                divided.push((factor, divisor));
            }
        }
        invert(gf, &mut leads);
        for ((Factor { poly, traces, set }, mut divisor), scale) in divided.into_iter().zip(leads) {
            divisor.iter_mut().for_each(|x| *x = gf.mul(*x, scale));
            let cofactor = quotient(gf, &poly, &divisor);
            for poly in [divisor, cofactor] {
                let traces = if poly.len() <= 3 {
                    Vec::new()
                } else {
                    traces.iter().map(|trace| remainder(gf, trace, &poly)).collect()
                };
                below.push(Factor { poly, traces, set });
            }
        }
        level = below;
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
    let below: Vec<u64> = divisor[..degree].iter().rev().copied().collect();
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
fn common_divisor(gf: Gf, poly: &[u64], mut short: Vec<u64>) -> Vec<u64> {
    let len = poly.len().next_multiple_of(TILE) + TILE;
    // Both in one buffer, the longer first; the shorter is moved under the longer's top.
    let mut long = poly.to_vec();
    trim(&mut short);
    let mut rows = vec![0; 2 * len];
    while !short.is_empty() {
        if short.len() == 1 {
            return vec![1];
        }
        // One subtraction each of x·short and short, or more of them when degrees fall by more than one.
        while long.len() >= short.len() {
            let shift = long.len() - short.len();
            let (top, lead) = (long[long.len() - 1], short[short.len() - 1]);
            let padded = long.len().next_multiple_of(TILE);
            rows[..long.len()].copy_from_slice(&long);
            rows[long.len()..padded + shift].fill(0);
            rows[padded + shift..padded + long.len()].copy_from_slice(&short);
            rows[padded + long.len()..2 * padded].fill(0);
            let total = long.len();
            for (tile, out) in long.chunks_mut(TILE).enumerate() {
                let sum = gf.combine(&[lead, top], &rows[tile * TILE..], padded);
                out.copy_from_slice(&sum[..out.len()]);
            }
            debug_assert_eq!(long[total - 1], 0);
            trim(&mut long);
        }
        std::mem::swap(&mut long, &mut short);
    }
    long
}

fn trim(poly: &mut Vec<u64>) {
    while poly.last() == Some(&0) {
        let _ = poly.pop();
    }
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
/// The map is linear; an echelon form of its images, each with a preimage, is made once for each field. It lies beside the heap,
/// so that a trial's peak does not depend on which one came first.
fn half(gf: Gf, mut value: u64) -> Option<u64> {
    static ECHELONS: [OnceLock<[[u64; 2]; 64]>; 9] = [const { OnceLock::new() }; 9];
    let echelon = ECHELONS[gf.bits as usize / 8].get_or_init(|| {
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
        echelon
    });
    let mut root = 0;
    while value != 0 {
        let [image, preimage] = echelon[value.ilog2() as usize];
        if image == 0 {
            return None;
        }
        value ^= image;
        root ^= preimage;
    }
    Some(root)
}
