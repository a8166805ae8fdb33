//! The specification, in ordinary registers: products by tables of the sixteen multiples of a nibble.

use super::{Gf, TILE};

/// The sixteen multiples of `a` by polynomials of degree below 4.
fn multiples(a: u64) -> [u128; 16] {
    let mut table = [0; 16];
    for (n, entry) in table.iter_mut().enumerate() {
        *entry = (0..4).filter(|bit| n >> bit & 1 == 1).fold(0, |sum, bit| sum ^ u128::from(a) << bit);
    }
    table
}

/// `b` times what the table was made of.
fn times(table: &[u128; 16], b: u64, bits: u32) -> u128 {
    (0..bits / 4).rev().fold(0, |sum, nibble| sum << 4 ^ table[(b >> (4 * nibble) & 15) as usize])
}

/// A carry-less product.
pub fn product(a: u64, b: u64) -> u128 {
    times(&multiples(a), b, 64)
}

/// See [`Gf::dot`].
pub fn dot(gf: Gf, a: &[u64], b: &[u64]) -> u64 {
    gf.reduce(a.iter().zip(b).fold(0, |sum, (a, b)| sum ^ times(&multiples(*a), *b, gf.bits)))
}

/// See [`Gf::combine`].
pub fn combine(gf: Gf, scales: &[u64], rows: &[u64], step: usize) -> [u64; TILE] {
    let mut sums = [0; TILE];
    for (r, scale) in scales.iter().enumerate().filter(|(_, scale)| **scale != 0) {
        let table = multiples(*scale);
        for (sum, x) in sums.iter_mut().zip(&rows[r * step..]) {
            *sum ^= times(&table, *x, gf.bits);
        }
    }
    sums.map(|sum| gf.reduce(sum))
}

/// See [`Gf::dots`].
pub fn dots(gf: Gf, a: &[u64], b: &[u64]) -> [u64; TILE] {
    let mut sums = [0; TILE];
    for (a, b) in a.chunks_exact(TILE).zip(b.chunks_exact(TILE)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum ^= times(&multiples(*a), *b, gf.bits);
        }
    }
    sums.map(|sum| gf.reduce(sum))
}

/// Multiplication by a fixed element is a linear map: a table of its values at each nibble of the other
/// factor needs no reduction. (minisketch's generic fields do so with six bits at a time.)
fn linear_map(gf: Gf, factor: u64) -> [[u64; 16]; 16] {
    let mut tables = [[0; 16]; 16];
    let mut image = factor;
    for table in tables.iter_mut().take(gf.bits as usize / 4) {
        for bit in 0..4 {
            for n in 0..1 << bit {
                table[n | 1 << bit] = table[n] ^ image;
            }
            image = gf.reduce(u128::from(image) << 1);
        }
    }
    tables
}

/// See [`Gf::syndromes`]: x, x³, x⁵, … of each element, one after the other.
pub fn syndromes(gf: Gf, sums: &mut [[u64; 2]], elements: &[u64]) {
    let nibbles = gf.bits as usize / 4;
    for element in elements {
        let tables = linear_map(gf, gf.reduce(product(*element, *element)));
        let mut power = *element;
        for [sum, _] in &mut *sums {
            *sum ^= power;
            let value = |(n, table): (usize, &[u64; 16])| table[(power >> (4 * n) & 15) as usize];
            power = tables[..nibbles].iter().enumerate().map(value).fold(0, |sum, value| sum ^ value);
        }
    }
}
