//! PinSketch in Rust: fields, encoding, decoding; equal bytes to minisketch's on every path.
//!
//! The whole of it rests on sums of carry-less products that are reduced once, at the end ([`Gf::combine`],
//! [`Gf::dot`], [`Gf::syndromes`]): reduction is linear, so it commutes with the sum. Each of the three
//! has a portable form (`portable`, the specification) and one in vectors (`x86`), chosen at run time;
//! Berlekamp-Massey and the search for roots (`decode`, `roots`) are written once on top of them.
//!
//! Fields and moduli are minisketch's (`doc/moduli.md` there): the irreducible polynomial of least weight, and of
//! those the first. All four are pentanomials x^b + x^s3 + x^s2 + x^s1 + 1 with s3 ≤ 7.

mod decode;
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
}

impl Path {
    /// The paths that this machine has, slowest first.
    pub fn all() -> &'static [Self] {
        #[cfg(target_arch = "x86_64")]
        {
            if !(is_x86_feature_detected!("pclmulqdq") && is_x86_feature_detected!("sse2")) {
                return &[Self::Portable];
            }
            if !(is_x86_feature_detected!("vpclmulqdq") && is_x86_feature_detected!("avx2")) {
                return &[Self::Portable, Self::Clmul128];
            }
            &[Self::Portable, Self::Clmul128, Self::Clmul256]
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
        }
    }
}

/// Elements whose powers are held at once: with 32 of each, babies and giants take 16 kB, half of a usual L1.
const BLOCK: usize = 32;

/// What encoding in vectors works on; see `x86`.
struct Grid {
    /// x^(2i+1) for each element of a block, for i from 0.
    babies: Vec<u64>,
    /// x^(2jB) likewise for j from 0, B the number of babies.
    giants: Vec<u64>,
    /// Unreduced: syndrome jB + i.
    sums: Vec<[u64; 2]>,
}

impl Grid {
    fn new(capacity: usize) -> Self {
        let babies = capacity.isqrt().next_multiple_of(4);
        let giants = capacity.div_ceil(babies).next_multiple_of(2);
        Self {
            babies: vec![0; babies * BLOCK],
            giants: vec![0; giants * BLOCK],
            sums: vec![[0; 2]; babies * giants],
        }
    }
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
        let shifts = match bits {
            32 => [2, 3, 7],
            40 => [3, 4, 5],
            48 => [2, 3, 5],
            64 => [1, 3, 4],
            _ => return None,
        };
        Some(Self { bits, shifts, path })
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
            Path::Clmul128 | Path::Clmul256 => self.reduce(x86::product(a, b)),
        }
    }

    /// 1/`a`, or 0 for 0: `a` to the power 2^b - 2, along the chain that doubles a run of ones (Itoh, Tsujii 1988).
    pub fn inverse(self, a: u64) -> u64 {
        let squared = |mut x: u64, times: u32| {
            for _ in 0..times {
                x = self.mul(x, x);
            }
            x
        };
        // `run` is a to the power of `len` ones.
        let (mut run, mut len) = (a, 1);
        let ones = self.bits - 1;
        for bit in (0..ones.ilog2()).rev() {
            run = self.mul(squared(run, len), run);
            len *= 2;
            if ones >> bit & 1 == 1 {
                run = self.mul(self.mul(run, run), a);
                len += 1;
            }
        }
        self.mul(run, run)
    }

    /// Σ `a[i]`·`b[i]`; both have one length.
    pub fn dot(self, a: &[u64], b: &[u64]) -> u64 {
        assert_eq!(a.len(), b.len());
        match self.path {
            Path::Portable => portable::dot(self, a, b),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul128 => x86::dot128(self, a, b),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul256 => x86::dot256(self, a, b),
        }
    }

    /// Column sums of scaled rows: Σ_r `scales[r]`·`rows[r·step + k]` for `TILE` values of k. With a step of `TILE`
    /// that is a vector times a matrix, with a step of 1 a window of a product of polynomials.
    pub fn combine(self, scales: &[u64], rows: &[u64], step: usize) -> [u64; TILE] {
        assert!(scales.is_empty() || rows.len() >= (scales.len() - 1) * step + TILE);
        match self.path {
            Path::Portable => portable::combine(self, scales, rows, step),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul128 => x86::combine128(self, scales, rows, step),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul256 => x86::combine256(self, scales, rows, step),
        }
    }

    /// Sixteen sums of products side by side: Σ_r `a[r·TILE + k]`·`b[r·TILE + k]` for `TILE` values of k, over as many rows
    /// as both have.
    pub fn dots(self, a: &[u64], b: &[u64]) -> [u64; TILE] {
        match self.path {
            Path::Portable => portable::dots(self, a, b),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul128 => x86::dots128(self, a, b),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul256 => x86::dots256(self, a, b),
        }
    }

    /// The first `capacity` odd power sums of `elements`.
    pub fn syndromes(self, capacity: usize, elements: &[u64]) -> Vec<u64> {
        if capacity == 0 {
            return Vec::new();
        }
        // On every path, because heap peaks are counts and may not depend on the machine.
        let mut grid = Grid::new(capacity);
        match self.path {
            Path::Portable => portable::syndromes(self, &mut grid, elements),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul128 => x86::syndromes128(self, &mut grid, elements),
            #[cfg(target_arch = "x86_64")]
            Path::Clmul256 => x86::syndromes256(self, &mut grid, elements),
        }
        let sums = grid.sums.iter().take(capacity);
        sums.map(|[low, high]| self.reduce(u128::from(*high) << 64 | u128::from(*low))).collect()
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
