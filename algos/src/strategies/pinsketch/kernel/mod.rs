//! PinSketch in Rust: fields, encoding, decoding; equal bytes to minisketch's on every path.
//!
//! The whole of it rests on sums of carry-less products that are reduced once, at the end ([`Gf::combine`],
//! [`Gf::dot`], [`Gf::convolve`], [`Gf::syndromes`]): reduction is linear, so it commutes with the sum. Each
//! has a portable form (`portable`, the specification) and one in vectors (`x86`), chosen at run time;
//! Berlekamp-Massey and the search for roots (`decode`, `frobenius`, `roots`) are written once on top of them.
//!
//! Where one factor of many sums stays the same, in vectors half of the products are saved: two terms of a sum are one
//! product and two that belong to one factor alone (`x86::encode`, `x86::convolve`).
//!
//! Fields and moduli are minisketch's (`doc/moduli.md` there): the irreducible polynomial of least weight, and of
//! those the first. All four are pentanomials x^b + x^s3 + x^s2 + x^s1 + 1 with s3 ≤ 7.

mod decode;
mod frobenius;
mod lanes;
mod own;
mod portable;
mod roots;
mod single;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use single::Adder;

/// Coefficients that [`Gf::combine`] makes at once.
pub const TILE: usize = 16;

/// How products are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Integer products with holes in ordinary registers: the specification.
    Portable,
    /// PCLMULQDQ, two elements in a register of 128 bits.
    #[cfg(target_arch = "x86_64")]
    Clmul128,
    /// VPCLMULQDQ and AVX2, four elements in a register of 256 bits.
    #[cfg(target_arch = "x86_64")]
    Clmul256,
    /// VPCLMULQDQ and AVX-512, eight elements in a register of 512 bits.
    #[cfg(target_arch = "x86_64")]
    Clmul512,
}

impl Path {
    /// The paths that this machine has, slowest first.
    pub fn all() -> &'static [Self] {
        #[cfg(target_arch = "x86_64")]
        {
            const ALL: [Path; 4] = [Path::Portable, Path::Clmul128, Path::Clmul256, Path::Clmul512];
            let has = [
                is_x86_feature_detected!("pclmulqdq") && is_x86_feature_detected!("ssse3"),
                is_x86_feature_detected!("vpclmulqdq") && is_x86_feature_detected!("avx2"),
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq"),
            ];
            &ALL[..1 + has.iter().take_while(|has| **has).count()]
        }
        #[cfg(not(target_arch = "x86_64"))]
        &[Self::Portable]
    }

    /// The fastest of them.
    pub fn best() -> Self {
        Self::all().last().copied().unwrap_or(Self::Portable)
    }

    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "own, portable",
            #[cfg(target_arch = "x86_64")]
            Self::Clmul128 => "own, pclmul",
            #[cfg(target_arch = "x86_64")]
            Self::Clmul256 => "own, avx2+vpclmul",
            #[cfg(target_arch = "x86_64")]
            Self::Clmul512 => "own, avx512+vpclmul",
        }
    }
}

/// Elements whose powers are held at once: with 32 of each, babies and giants take 32 kB each.
const BLOCK: usize = 128;

/// What encoding works on, on every path, because heap peaks are counts and may not depend on the machine; see `x86`.
#[derive(Clone, Debug)]
struct Grid {
    /// x^(2i+1) for each element of a block, for i from 0.
    babies: Vec<u64>,
    /// x^(2jB) likewise for j from 1, B the number of babies.
    giants: Vec<u64>,
    /// Unreduced: syndrome jB + i; for j = 0 in two words that are to be added.
    sums: Vec<[u64; 2]>,
    /// What in vectors is to be added to the sums of a baby, and to those of a giant; see `x86::encode`.
    babies_own: Vec<[u64; 2]>,
    giants_own: Vec<[u64; 2]>,
}

impl Grid {
    fn new(capacity: usize) -> Self {
        let babies = capacity.max(1).isqrt().next_multiple_of(4);
        let giants = capacity.div_ceil(babies).saturating_sub(1);
        Self {
            babies: vec![0; babies * BLOCK],
            giants: vec![0; giants * BLOCK],
            sums: vec![[0; 2]; babies * (giants + 1)],
            babies_own: vec![[0; 2]; babies],
            giants_own: vec![[0; 2]; giants.next_multiple_of(4)],
        }
    }

    /// A syndrome, unreduced.
    fn syndrome(&self, place: usize) -> u128 {
        let word = |[low, high]: [u64; 2]| u128::from(high) << 64 | u128::from(low);
        let (sum, babies_len) = (self.sums[place], self.babies_own.len());
        match (place / babies_len).checked_sub(1) {
            None => u128::from(sum[0] ^ sum[1]),
            Some(giant) => {
                word(sum) ^ word(self.babies_own[place % babies_len]) ^ word(self.giants_own[giant])
            }
        }
    }
}

/// The powers of the first `len` elements of a block, baby by baby or giant by giant.
fn block_rows(powers: &[u64], len: usize) -> impl Iterator<Item = &[u64]> {
    powers.chunks_exact(BLOCK).map(move |row| &row[..len])
}

/// Sums that [`Gf::convolve`] makes at once, at most.
pub const WINDOW_TILE: usize = 32;

/// A factor of many products of polynomials, see [`Gf::convolve`].
pub struct Window {
    /// As far as products reach.
    words: Vec<u64>,
    /// Σ words[k + 2p]·words[k + 2p + 1] over all p below half the length of the other factor.
    own: Vec<u64>,
    /// Where words other than 0 are.
    filled: std::ops::Range<usize>,
}

impl Window {
    /// For other factors of an even length `len`, and `count` sums. The words from `start` on are `words`, all others 0.
    pub fn new(gf: Gf, len: usize, count: usize, start: usize, words: impl Iterator<Item = u64>) -> Self {
        let count = count.next_multiple_of(WINDOW_TILE);
        let mut all = vec![0; count + len + 1];
        all[start..].iter_mut().zip(words).for_each(|(x, word)| *x = word);
        let end = all.iter().rposition(|word| *word != 0).map_or(start, |last| last + 1);
        let mut own = vec![0; count];
        let product = |k: usize| gf.mul(all[k], all[k + 1]);
        for k in 0..count {
            own[k] = if k < 2 {
                (0..len).step_by(2).fold(0, |sum, i| sum ^ product(k + i))
            } else {
                own[k - 2] ^ product(k - 2) ^ product(k + len - 2)
            };
        }
        Self { words: all, own, filled: start..end }
    }
}

/// s1 < s2 < s3 of the modulus of a field.
const fn shifts(bits: u32) -> [u32; 3] {
    match bits {
        32 => [2, 3, 7],
        40 => [3, 4, 5],
        48 => [2, 3, 5],
        _ => [1, 3, 4],
    }
}

/// `a` to the power 2^`bits` - 2, along the chain that doubles a run of ones (Itoh, Tsujii 1988).
#[inline(always)]
fn invert<T: Copy>(bits: u32, a: T, mul: impl Fn(T, T) -> T) -> T {
    let squared = |x: T, times: u32| (0..times).fold(x, |x, _| mul(x, x));
    // `run` is a to the power of `len` ones.
    let (mut run, mut len) = (a, 1);
    let ones = bits - 1;
    for bit in (0..ones.ilog2()).rev() {
        run = mul(squared(run, len), run);
        len *= 2;
        if ones >> bit & 1 == 1 {
            run = mul(mul(run, run), a);
            len += 1;
        }
    }
    mul(run, run)
}

/// GF(2^bits), and the path on which it computes.
#[derive(Clone, Copy, Debug)]
pub struct Gf {
    bits: u32,
    /// s1 < s2 < s3 of the modulus.
    shifts: [u32; 3],
    path: Path,
}

impl Gf {
    /// The field of 2^`bits` elements; nothing for other than 32, 40, 48, 64 bits.
    pub fn new(bits: u32, path: Path) -> Option<Self> {
        matches!(bits, 32 | 40 | 48 | 64).then_some(Self { bits, shifts: shifts(bits), path })
    }

    /// How it computes.
    pub fn path(self) -> Path {
        self.path
    }

    /// The elements, as a mask.
    fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits)
    }

    /// A carry-less product, or a sum of such, modulo the modulus. What is above bit b is worth its
    /// pentanomial without the first term, and moves down by at least b - 7 bits each time.
    pub fn reduce(self, mut sum: u128) -> u64 {
        loop {
            let over = sum >> self.bits;
            if over == 0 {
                return sum as u64;
            }
            let [s1, s2, s3] = self.shifts;
            sum = (sum & u128::from(self.mask())) ^ over ^ (over << s1) ^ (over << s2) ^ (over << s3);
        }
    }

    /// A product.
    pub fn mul(self, a: u64, b: u64) -> u64 {
        match self.path {
            Path::Portable => self.reduce(portable::product(a, b)),
            #[cfg(target_arch = "x86_64")]
            _ => x86::mul(self, a, b),
        }
    }

    /// 1/`a`, or 0 for 0.
    pub fn inverse(self, a: u64) -> u64 {
        match self.path {
            Path::Portable => invert(self.bits, a, |a, b| self.mul(a, b)),
            #[cfg(target_arch = "x86_64")]
            _ => x86::inverse(self, a),
        }
    }

    /// Σ `a[i]`·`b[i]`; both have one length.
    pub fn dot(self, a: &[u64], b: &[u64]) -> u64 {
        assert_eq!(a.len(), b.len());
        match self.path {
            Path::Portable => portable::dot(self, a, b),
            #[cfg(target_arch = "x86_64")]
            _ => x86::dot(self, a, b),
        }
    }

    /// Column sums of scaled rows: Σ_r `scales[r]`·`rows[r·step + k]` for `TILE` values of k. With a step of `TILE`
    /// that is a vector times a matrix, with a step of 1 a window of a product of polynomials.
    pub fn combine(self, scales: &[u64], rows: &[u64], step: usize) -> [u64; TILE] {
        assert!(scales.is_empty() || rows.len() >= (scales.len() - 1) * step + TILE);
        match self.path {
            Path::Portable => portable::combine(self, scales, rows, step),
            #[cfg(target_arch = "x86_64")]
            _ => x86::combine(self, scales, rows, step),
        }
    }

    /// `a`·p + `b`·q, in place of p. Both have one length, of whole tiles.
    pub fn cross(self, p: &mut [u64], q: &[u64], [a, b]: [u64; 2]) {
        match self.path {
            Path::Portable => portable::cross(self, p, q, [a, b]),
            #[cfg(target_arch = "x86_64")]
            _ => x86::cross(self, p, q, [a, b]),
        }
    }

    /// `a`·p + (`b`·x + `c`)·q', in place of p, where q has one more coefficient in front than q'.
    pub fn cross_linear(self, p: &mut [u64], q: &[u64], [a, b, c]: [u64; 3]) {
        assert!(q.len() > p.len());
        match self.path {
            Path::Portable => portable::cross_linear(self, p, q, [a, b, c]),
            #[cfg(target_arch = "x86_64")]
            _ => x86::cross_linear(self, p, q, [a, b, c]),
        }
    }

    /// Sixteen polynomials p and as many q side by side, by rows: p becomes `a`·p + `b`·q, and q what p was in those lanes
    /// where `grown` is all ones, not 0.
    pub fn advance(self, p: &mut [u64], q: &mut [u64], scales: [&[u64; TILE]; 2], grown: &[u64; TILE]) {
        match self.path {
            Path::Portable => portable::advance(self, p, q, scales, grown),
            #[cfg(target_arch = "x86_64")]
            _ => x86::advance(self, p, q, scales, grown),
        }
    }

    /// Adds the products of a polynomial and a window: to `out[k]` Σ_i `a[i]`·w(k + len - 1 - i). The length of `a` is even
    /// and the window's, that of `out` is of whole [`WINDOW_TILE`]s, no more of them than the window's.
    pub fn convolve(self, a: &[u64], window: &Window, out: &mut [u64]) {
        assert!(
            a.len().is_multiple_of(2)
                && out.len() + a.len() <= window.words.len()
                && out.len() <= window.own.len()
        );
        if a.is_empty() {
            return;
        }
        match self.path {
            Path::Portable => portable::convolve(self, a, window, out),
            #[cfg(target_arch = "x86_64")]
            _ => x86::convolve(self, a, window, out),
        }
    }

    /// Divides sixteen polynomials by a monic one. Row k has their coefficients of x^k; afterwards the rows from the
    /// divisor's degree on are the quotients, those below the remainders. `below` are the coefficients of
    /// the divisor below its first, highest first.
    pub fn divide(self, rows: &mut [u64], below: &[u64]) {
        let (degree, count) = (below.len(), rows.len() / TILE);
        for r in (0..count.saturating_sub(1)).rev() {
            // What the quotients above take off.
            let (first, end) = (degree.max(r + 1), (r + degree + 1).min(count));
            if first < end {
                let taken = self.combine(&below[first - r - 1..end - r - 1], &rows[first * TILE..], TILE);
                rows[r * TILE..][..TILE].iter_mut().zip(taken).for_each(|(x, taken)| *x ^= taken);
            }
        }
    }

    /// Sixteen sums of products side by side: Σ_r `a[r·TILE + k]`·`b[r·TILE + k]` for `TILE` values of k, over as many rows
    /// as both have.
    pub fn dots(self, a: &[u64], b: &[u64]) -> [u64; TILE] {
        match self.path {
            Path::Portable => portable::dots(self, a, b),
            #[cfg(target_arch = "x86_64")]
            _ => x86::dots(self, a, b),
        }
    }

    /// The first `capacity` odd power sums of `elements`, which are taken some at a time, so that no copy of them is made.
    pub fn syndromes(self, capacity: usize, elements: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut adder = Adder::new(self, capacity);
        adder.add_all(elements);
        adder.syndromes()
    }

    /// Adds a block of elements, or less than a block, to the sums of a grid of this capacity.
    fn add_block(self, capacity: usize, grid: &mut Grid, block: &[u64]) {
        if capacity == 0 || block.is_empty() {
            return;
        }
        match self.path {
            Path::Portable => portable::add_block(self, grid, block),
            #[cfg(target_arch = "x86_64")]
            _ => x86::add_block(self, capacity, grid, block),
        }
    }

    /// The set whose odd power sums these are, sorted, if it has at most as many elements; see
    /// `decode`. The seed changes the time, never the result.
    pub fn decode(self, syndromes: &[u64], seed: u64) -> Option<Vec<u64>> {
        self.decode_with(syndromes, 0, Vec::new, |_| 0, seed)
    }

    /// The same for whoever knows a set of `own_len` elements that holds some of it: `expected` of them, by the size of the
    /// set, who are looked for first where that is cheaper (see `own`).
    pub fn decode_with(
        self,
        syndromes: &[u64],
        own_len: usize,
        own: impl Fn() -> Vec<u64>,
        expected: impl Fn(usize) -> usize,
        seed: u64,
    ) -> Option<Vec<u64>> {
        let locator = decode::locator(self, syndromes)?;
        let degree = locator.len() - 1;
        let (mut found, rest) = if own::is_worth(own_len, degree, expected(degree)) {
            own::strip(self, locator, &own())
        } else {
            (Vec::new(), locator)
        };
        found.extend(roots::roots(self, rest, seed)?);
        found.sort_unstable();
        Some(found)
    }

    /// [`Gf::decode_with`] of many sketches of `capacity` syndromes each, one after the other, each with its own part of
    /// the decoder's set, of which half of a difference is expected; see `lanes`.
    pub fn decode_many(
        self,
        capacity: usize,
        syndromes: &[u64],
        own: &[&[u64]],
        seed: u64,
    ) -> Vec<Option<Vec<u64>>> {
        lanes::decode(self, capacity, syndromes, own, seed)
    }

    /// Syndromes as bytes: b bits each, lowest byte first.
    pub fn write(self, syndromes: &[u64]) -> Vec<u8> {
        let len = self.bits as usize / 8;
        syndromes.iter().flat_map(|sum| sum.to_le_bytes().into_iter().take(len)).collect()
    }

    /// Reads [`Gf::write`].
    pub fn read(self, bytes: &[u8]) -> Vec<u64> {
        let sum = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        bytes.chunks_exact(self.bits as usize / 8).map(sum).collect()
    }
}
