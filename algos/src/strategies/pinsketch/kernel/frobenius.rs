//! The Frobenius map modulo a polynomial P of degree m: x^(2^i) mod P, and traces of them.
//!
//! Squaring is linear once the coefficients are squared: Σ s_i·x^(2i) mod P. Two ways of it:
//!
//! * Up to [`MATRIX_MAX`], the rows x^(2i) mod P, i ≥ m/2, are a matrix that is made once (each from the one before by
//!   a shift and two rows), and one squaring is a vector times that matrix, m²/2 products without a single
//!   reduction between them. It takes 4·m² bytes, which have to stay in a near cache.
//! * Above, by division with an inverse that is computed once (Barrett 1986): the quotient of S by P is the upper half
//!   of the product of S's upper half with U = ⌊x^(2m)/P⌋. Only every second coefficient of S is not 0, so the two
//!   parities of U are multiplied by m/2 coefficients each; m²/4 products, and m²/2 for the lower half
//!   of quotient times P. As two of three factors never change, [`Window`] takes half of these.

use super::roots::Betas;
use super::{Gf, TILE, WINDOW_TILE, Window};

/// Largest degree for which the matrix is kept.
const MATRIX_MAX: usize = 256;

/// x^(2^i) modulo a polynomial, for i up to b.
pub struct Powers {
    gf: Gf,
    degree: usize,
    /// Sixteen coefficients of all powers, then the next sixteen.
    rows: Vec<u64>,
    /// Coefficients of the last, x^(2^b).
    last: Vec<u64>,
}

impl Powers {
    /// Of a monic polynomial of degree 2 or more.
    pub fn new(gf: Gf, poly: &[u64]) -> Self {
        let degree = poly.len() - 1;
        let tiles = degree.div_ceil(TILE);
        let count = gf.bits as usize;
        let mut rows = vec![0; tiles * count * TILE];
        let mut square = Square::new(gf, poly);
        let padded = degree.next_multiple_of(square.tile());
        let (mut power, mut squares) = (vec![0; padded], vec![0; padded]);
        power[1] = 1;
        for i in 0..count {
            for (tile, coefficients) in power[..tiles * TILE].chunks_exact(TILE).enumerate() {
                rows[(tile * count + i) * TILE..][..TILE].copy_from_slice(coefficients);
                squares[tile * TILE..][..TILE].copy_from_slice(&gf.dots(coefficients, coefficients));
            }
            let exponent = 1_usize << i.min(31);
            if 2 * exponent < degree {
                // Nothing to reduce yet.
                (power[exponent], power[2 * exponent]) = (0, 1);
            } else {
                square.of(&squares, &mut power);
            }
        }
        power.truncate(degree);
        Self { gf, degree, rows, last: power }
    }

    /// Whether the polynomial divides x^(2^b) - x.
    pub fn splits(&self) -> bool {
        self.last.iter().enumerate().all(|(i, coefficient)| *coefficient == u64::from(i == 1))
    }

    /// Tr(βx) modulo the polynomial, for `count` β up to sixteen: by coefficient, then by β.
    pub fn traces(&self, betas: &mut Betas, count: usize) -> Vec<u64> {
        let bits = self.gf.bits as usize;
        let scales = betas.powers(count);
        let mut traces = vec![0; self.degree * TILE];
        for (rows, traces) in self.rows.chunks_exact(bits * TILE).zip(traces.chunks_mut(TILE * TILE)) {
            for (n, scales) in scales.chunks_exact(bits).enumerate() {
                let trace = self.gf.combine(scales, rows, TILE);
                traces.chunks_exact_mut(TILE).zip(trace).for_each(|(row, x)| row[n] = x);
            }
        }
        traces
    }
}

/// Squaring modulo a polynomial.
enum Square {
    Matrix(Matrix),
    Division(Box<Division>),
}

impl Square {
    fn new(gf: Gf, poly: &[u64]) -> Self {
        if poly.len() - 1 <= MATRIX_MAX {
            Self::Matrix(Matrix::new(gf, poly))
        } else {
            Self::Division(Box::new(Division::new(gf, poly)))
        }
    }

    /// What squares and powers are padded to.
    fn tile(&self) -> usize {
        match self {
            Self::Matrix(_) => TILE,
            Self::Division(_) => WINDOW_TILE,
        }
    }

    /// The square of a residue whose coefficients are squared already; both are padded.
    fn of(&mut self, squares: &[u64], square: &mut [u64]) {
        match self {
            Self::Matrix(matrix) => matrix.square(squares, square),
            Self::Division(division) => division.square(squares, square),
        }
    }
}

struct Matrix {
    gf: Gf,
    degree: usize,
    /// x^(2i) modulo the polynomial for i from half the degree on, in tiles as in [`Powers`].
    rows: Vec<u64>,
}

impl Matrix {
    fn new(gf: Gf, poly: &[u64]) -> Self {
        let degree = poly.len() - 1;
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
        Self { gf, degree, rows }
    }

    fn square(&self, squares: &[u64], square: &mut [u64]) {
        let first = self.degree.div_ceil(2);
        let high = &squares[first..self.degree];
        for (rows, square) in self.rows.chunks_exact(high.len() * TILE).zip(square.chunks_exact_mut(TILE)) {
            square.copy_from_slice(&self.gf.combine(high, rows, TILE));
        }
        square.iter_mut().step_by(2).zip(&squares[..first]).for_each(|(x, y)| *x ^= *y);
    }
}

struct Division {
    gf: Gf,
    degree: usize,
    /// Even and odd coefficients of ⌊x^(2m)/P⌋, for quotients' even and odd ones.
    inverse: [Window; 2],
    poly: Window,
    /// Upper half of what is squared, a quotient's coefficients of one parity, and all of them.
    high: Vec<u64>,
    half: Vec<u64>,
    quotient: Vec<u64>,
}

impl Division {
    fn new(gf: Gf, poly: &[u64]) -> Self {
        let degree = poly.len() - 1;
        let inverse = inverse(gf, poly);
        // Upper halves have ⌊m/2⌋ coefficients, quotients m - 1: both are made even.
        let half = (degree / 2).next_multiple_of(2);
        let whole = degree.next_multiple_of(2);
        // Coefficient k of one parity is Σ_i high[i]·inverse(k + ⌊m/2⌋ - i).
        let skip = half - degree / 2;
        let parity = |odd: usize| {
            let words = inverse[2 + odd..].iter().step_by(2).copied();
            Window::new(gf, half, whole / 2, skip, words)
        };
        let padded = degree.next_multiple_of(WINDOW_TILE);
        Self {
            gf,
            degree,
            inverse: [parity(0), parity(1)],
            poly: Window::new(gf, whole, padded, whole - 1, poly[..degree].iter().copied()),
            high: vec![0; half],
            half: vec![0; (whole / 2).next_multiple_of(WINDOW_TILE)],
            quotient: vec![0; whole],
        }
    }

    fn square(&mut self, squares: &[u64], square: &mut [u64]) {
        let Self { gf, degree, inverse, poly, high, half, quotient } = self;
        let first = degree.div_ceil(2);
        high[..*degree - first].copy_from_slice(&squares[first..*degree]);
        for (odd, inverse) in inverse.iter().enumerate() {
            half.fill(0);
            gf.convolve(high, inverse, half);
            quotient[odd..].iter_mut().step_by(2).zip(half.iter()).for_each(|(x, y)| *x = *y);
        }
        square.fill(0);
        square.iter_mut().step_by(2).zip(&squares[..first]).for_each(|(x, y)| *x = *y);
        gf.convolve(quotient, poly, square);
        square[*degree..].fill(0);
    }
}

/// ⌊x^(2m)/P⌋ of a monic P of degree m, lowest coefficient first: the power series 1/P in 1/x.
fn inverse(gf: Gf, poly: &[u64]) -> Vec<u64> {
    let degree = poly.len() - 1;
    let mut inverse = vec![0; degree + 1];
    inverse[degree] = 1;
    let below: Vec<u64> = poly[..degree].iter().rev().copied().collect();
    for n in 1..=degree {
        // Each takes off what those above it and the polynomial make of it.
        inverse[degree - n] = gf.dot(&inverse[degree - n + 1..], &below[..n]);
    }
    inverse
}
