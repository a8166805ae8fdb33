//! The specification, in ordinary registers: carry-less products made of integer products with holes.
//!
//! Where only every fourth bit of both factors can be 1, at most eight terms meet in a position of the product of two
//! 32-bit words, and a carry of eight stays within four bits: the lowest of each four is the carry-less product
//! (T. Pornin, BearSSL, `ghash_ctmul`). Sixteen such products make one of 32 bits, three of those one of 64
//! (Karatsuba). No table, no branch, and sixteen independent lanes, of which a compiler puts as many into a register
//! as there is room for. As bits of one place only meet bits of the same place, sums are taken before the holes
//! are masked.

use super::{BLOCK, Gf, Grid, TILE, Window, block_rows};

/// Every fourth bit, four ways.
type Sparse = [[u64; TILE]; 4];

/// Sixteen factors taken apart: low halves, high halves, and the sums of both.
struct Factors([Sparse; 3]);

impl Factors {
    fn new(x: &[u64; TILE]) -> Self {
        let sparse = |half: &dyn Fn(u64) -> u64| -> Sparse {
            std::array::from_fn(|i| x.map(|x| half(x) & 0x1111_1111 << i))
        };
        Self([sparse(&|x| x), sparse(&|x| x >> 32), sparse(&|x| x ^ x >> 32)])
    }
}

/// Sixteen sums of products: of low halves, high halves, and sums.
struct Sums([Sparse; 3]);

impl Sums {
    fn new() -> Self {
        Self([[[0; TILE]; 4]; 3])
    }

    fn add(&mut self, gf: Gf, Factors(a): &Factors, Factors(b): &Factors) {
        // Short elements have no high half.
        let halves = if gf.bits == 32 { 1 } else { 3 };
        for ((sums, a), b) in self.0.iter_mut().zip(a).zip(b).take(halves) {
            for (k, sum) in sums.iter_mut().enumerate() {
                for (i, a) in a.iter().enumerate() {
                    let b = &b[(4 + k - i) % 4];
                    for lane in 0..TILE {
                        sum[lane] ^= a[lane] * b[lane];
                    }
                }
            }
        }
    }

    /// The sums, not reduced.
    fn close(&self) -> [u128; TILE] {
        std::array::from_fn(|lane| {
            let [low, high, both] = self.0.each_ref().map(|sparse| {
                sparse.iter().enumerate().fold(0, |sum, (i, x)| sum ^ x[lane] & 0x1111_1111_1111_1111 << i)
            });
            let middle = if both == 0 { 0 } else { low ^ high ^ both };
            u128::from(low) ^ u128::from(middle) << 32 ^ u128::from(high) << 64
        })
    }
}

/// Rows of sixteen; the last is filled up with zeros.
fn row(x: &[u64]) -> [u64; TILE] {
    let mut row = [0; TILE];
    row[..x.len()].copy_from_slice(x);
    row
}

/// A carry-less product.
pub fn product(a: u64, b: u64) -> u128 {
    let sparse = |x: u64| [0, 1, 2, 3].map(|i| x & 0x1111_1111 << i);
    let half = |a: u64, b: u64| {
        let (a, b) = (sparse(a), sparse(b));
        (0..4).fold(0, |sum, k| {
            let place = (0..4).fold(0, |sum, i: usize| sum ^ (a[i] * b[(4 + k - i) % 4]));
            sum ^ place & 0x1111_1111_1111_1111 << k
        })
    };
    let (low, high) = (half(a, b), half(a >> 32, b >> 32));
    let middle = half(a ^ a >> 32, b ^ b >> 32) ^ low ^ high;
    u128::from(low) ^ u128::from(middle) << 32 ^ u128::from(high) << 64
}

/// Σ `a[i]·b[i]`, not reduced.
fn sum(gf: Gf, a: &[u64], b: &[u64]) -> u128 {
    let mut sums = Sums::new();
    for (a, b) in a.chunks(TILE).zip(b.chunks(TILE)) {
        sums.add(gf, &Factors::new(&row(a)), &Factors::new(&row(b)));
    }
    // Lanes are summed with their holes.
    let sums = Sums(sums.0.map(|half| half.map(|x| row(&[x.iter().fold(0, |sum, x| sum ^ x)]))));
    sums.close()[0]
}

/// See [`Gf::dot`].
pub fn dot(gf: Gf, a: &[u64], b: &[u64]) -> u64 {
    gf.reduce(sum(gf, a, b))
}

/// See [`Gf::combine`].
pub fn combine(gf: Gf, scales: &[u64], rows: &[u64], step: usize) -> [u64; TILE] {
    let mut sums = Sums::new();
    for (r, scale) in scales.iter().enumerate().filter(|(_, scale)| **scale != 0) {
        sums.add(gf, &Factors::new(&[*scale; TILE]), &Factors::new(&row(&rows[r * step..][..TILE])));
    }
    sums.close().map(|sum| gf.reduce(sum))
}

/// See [`Gf::cross`].
pub fn cross(gf: Gf, p: &mut [u64], q: &[u64], [a, b]: [u64; 2]) {
    let [a, b] = [a, b].map(|scale| Factors::new(&[scale; TILE]));
    for (p, q) in p.as_chunks_mut::<TILE>().0.iter_mut().zip(q.as_chunks::<TILE>().0) {
        let mut sums = Sums::new();
        sums.add(gf, &a, &Factors::new(p));
        sums.add(gf, &b, &Factors::new(q));
        *p = sums.close().map(|sum| gf.reduce(sum));
    }
}

/// See [`Gf::cross_linear`].
pub fn cross_linear(gf: Gf, p: &mut [u64], q: &[u64], [a, b, c]: [u64; 3]) {
    let [a, b, c] = [a, b, c].map(|scale| Factors::new(&[scale; TILE]));
    let rows = q.as_chunks::<TILE>().0.iter().zip(q[1..].as_chunks::<TILE>().0);
    for (p, (q, shifted)) in p.as_chunks_mut::<TILE>().0.iter_mut().zip(rows) {
        let mut sums = Sums::new();
        sums.add(gf, &a, &Factors::new(p));
        sums.add(gf, &b, &Factors::new(q));
        sums.add(gf, &c, &Factors::new(shifted));
        *p = sums.close().map(|sum| gf.reduce(sum));
    }
}

/// See [`Gf::advance`].
pub fn advance(gf: Gf, p: &mut [u64], q: &mut [u64], scales: [&[u64; TILE]; 2], grown: &[u64; TILE]) {
    let [a, b] = scales.map(Factors::new);
    for (p, q) in p.as_chunks_mut::<TILE>().0.iter_mut().zip(q.as_chunks_mut::<TILE>().0) {
        let mut sums = Sums::new();
        sums.add(gf, &a, &Factors::new(p));
        sums.add(gf, &b, &Factors::new(q));
        for (lane, grown) in grown.iter().enumerate() {
            q[lane] ^= (p[lane] ^ q[lane]) & grown;
        }
        *p = sums.close().map(|sum| gf.reduce(sum));
    }
}

/// See [`Gf::convolve`].
pub fn convolve(gf: Gf, a: &[u64], window: &Window, out: &mut [u64]) {
    for (tile, out) in out.chunks_exact_mut(TILE).enumerate() {
        let mut sums = Sums::new();
        for (r, scale) in a.iter().rev().enumerate().filter(|(_, scale)| **scale != 0) {
            let words = row(&window.words[tile * TILE + r..][..TILE]);
            sums.add(gf, &Factors::new(&[*scale; TILE]), &Factors::new(&words));
        }
        out.iter_mut().zip(sums.close()).for_each(|(x, sum)| *x ^= gf.reduce(sum));
    }
}

/// See [`Gf::dots`].
pub fn dots(gf: Gf, a: &[u64], b: &[u64]) -> [u64; TILE] {
    let mut sums = Sums::new();
    for (a, b) in a.as_chunks().0.iter().zip(b.as_chunks().0) {
        sums.add(gf, &Factors::new(a), &Factors::new(b));
    }
    sums.close().map(|sum| gf.reduce(sum))
}

/// See [`Gf::add_block`]; as in `x86`, with babies and giants.
pub fn add_block(gf: Gf, grid: &mut Grid, block: &[u64]) {
    let Grid { babies, giants, sums, .. } = grid;
    let babies_len = babies.len() / BLOCK;
    for (some, at) in block.chunks(TILE).zip((0..).step_by(TILE)) {
        let x = row(some);
        let square = dots(gf, &x, &x);
        let mut power = x;
        for (i, babies) in babies.chunks_exact_mut(BLOCK).enumerate() {
            if i > 0 {
                power = dots(gf, &power, &square);
            }
            babies[at..][..TILE].copy_from_slice(&power);
        }
        let step = dots(gf, &power, &x);
        let mut giant = step;
        for (j, giants) in giants.chunks_exact_mut(BLOCK).enumerate() {
            if j > 0 {
                giant = dots(gf, &giant, &step);
            }
            giants[at..][..TILE].copy_from_slice(&giant);
        }
    }
    let len = block.len();
    let (first, sums) = sums.split_at_mut(babies_len);
    for (babies, sum) in block_rows(babies, len).zip(first) {
        sum[0] ^= babies.iter().fold(0, |sum, baby| sum ^ baby);
    }
    for (giants, sums) in block_rows(giants, len).zip(sums.chunks_mut(babies_len)) {
        for (babies, [low, high]) in block_rows(babies, len).zip(sums) {
            let sum = sum(gf, giants, babies);
            *low ^= sum as u64;
            *high ^= (sum >> 64) as u64;
        }
    }
}
