//! Which coded symbols an item is part of: the reference's random walk.
//!
//! Symbol i is to hold an item with probability ρ(i) = 1/(1 + i/2). The paper (section 4.2) gets from one index
//! straight to the next by inverting the distribution of the gap; with u uniform in [0, 1) the gap from i is
//! ⌈(i + 1.5)·((1 − u)^(−1/2) − 1)⌉. The reference (yangl1996/riblt, `mapping.go`) takes a 64-bit r of a
//! multiplicative generator for 1 − u, so (1 − u)^(−1/2) = 2^32/√(r + 1). Multiplication, division, square root
//! and ceiling are exact to the last bit in IEEE 754: both ends walk alike on every machine.

/// Of the generator: what makes one state of the one before.
pub const MULTIPLIER: u64 = 0xda94_2042_e4dd_58b5;

/// The walk of one item over the indices of coded symbols.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    state: u64,
    index: u64,
}

impl Walk {
    /// The walk of an item with this keyed hash. It stands at symbol 0, which every item is part of.
    pub fn new(hash: u64) -> Self {
        Self { state: hash, index: 0 }
    }

    /// A walk that stands at symbol `index` in a state of its generator.
    pub fn at(state: u64, index: u64) -> Self {
        Self { state, index }
    }

    /// The state of its generator, from which the next step is drawn.
    pub fn state(&self) -> u64 {
        self.state
    }

    /// The symbol at which it stands.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Goes to the next symbol, and ends at `u64::MAX` at the latest.
    ///
    /// Where r is within 2^12 of 2^64, the reference's gap rounds to 0 and an item meets the same symbol twice.
    /// Here the gap is 1 then, so that no item that somebody chose can make a walk stand still. Nobody
    /// will see the difference (probability 2^-52 a step).
    pub fn advance(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER);
        let root = (self.state as f64 + 1.0).sqrt();
        let gap = (self.index as f64 + 1.5) * ((1_u64 << 32) as f64 / root - 1.0);
        // The conversion saturates, so a walk from a hash of 0 leaves for good. It cuts, and what it has cut off
        // is added: without SSE4.1 `ceil` is a call. Both conversions are exact where a fraction can be.
        let whole = gap as u64;
        let up = whole.saturating_add(u64::from((whole as f64) < gap));
        self.index = self.index.saturating_add(up.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn first(hash: u64) -> [u64; 12] {
        let mut walk = Walk::new(hash);
        std::array::from_fn(|_| {
            let index = walk.index();
            walk.advance();
            index
        })
    }

    /// The expected indices come from Python's IEEE doubles over the formula of the reference.
    #[test]
    fn walks_are_those_of_the_reference() {
        assert_eq!(first(123_456_789), [0, 1, 2, 6, 8, 13, 30, 39, 43, 58, 133, 208]);
        assert_eq!(first(1), [0, 1, 2, 3, 6, 11, 19, 44, 116, 122, 341, 972]);
        assert_eq!(first(0xdead_beef_cafe_babe), [0, 1, 2, 4, 7, 21, 40, 62, 117, 143, 258, 265]);
        assert_eq!(first(u64::MAX), [0, 3, 29, 59, 80, 101, 128, 145, 158, 520, 558, 597]);
    }

    /// Rounding up is what `ceil` does, for gaps of all sizes.
    #[test]
    fn gaps_are_rounded_up() {
        let mut rng = Seed::new(7).rng();
        for _ in 0..100_000 {
            let mut walk = Walk { state: rng.next_u64(), index: rng.next_u64() >> rng.below(64) };
            let before = walk;
            walk.advance();
            let root = (walk.state as f64 + 1.0).sqrt();
            let gap = ((before.index as f64 + 1.5) * ((1_u64 << 32) as f64 / root - 1.0)).ceil();
            assert_eq!(walk.index, before.index.saturating_add((gap as u64).max(1)), "{before:?}");
        }
    }

    #[test]
    fn chosen_hashes_can_neither_stall_nor_overflow_a_walk() {
        // The inverse of the multiplier: the first r is u64::MAX, whose gap rounds to 0.
        let mut stall = Walk::new(0x8b83_8d03_54ea_d59d_u64.wrapping_mul(u64::MAX));
        stall.advance();
        assert_eq!((stall.state, stall.index), (u64::MAX, 1));
        let mut gone = Walk::new(0);
        for _ in 0..10 {
            gone.advance();
        }
        assert_eq!(gone.index, u64::MAX);
    }

    /// Probability that symbol i holds an item. Not quite 1/(1 + i/2): the reference approximates the gap, which makes
    /// P(next > j | at i) = ((i + 1.5)/(j + 1.5))^2, and by induction P(j) = 1 − ((j + 0.5)/(j + 1.5))^2 for j ≥ 1.
    fn density(i: u64) -> f64 {
        if i == 0 { 1.0 } else { 1.0 - ((i as f64 + 0.5) / (i as f64 + 1.5)).powi(2) }
    }

    /// Oracle: an item is part of 2·(H(m+1) − 1) of the first m symbols. The reference's walk lacks 0.05 of that
    /// from m = 10 on (1.7% at m = 3, 0.4% at 1000), because it thins the first symbols; so 2% of the oracle, and
    /// 0.6% (three standard errors of 20,000 walks) of the sum of its own densities.
    #[test]
    fn expected_degree_is_that_of_theory() {
        let mut rng = Seed::new(1).child("degree").rng();
        let hashes: Vec<u64> = (0..20_000).map(|_| rng.next_u64()).collect();
        for m in [1_u64, 2, 3, 10, 100, 1000, 10_000] {
            let mut met = 0_u64;
            for hash in &hashes {
                let mut walk = Walk::new(*hash);
                while walk.index() < m {
                    met += 1;
                    walk.advance();
                }
            }
            let mean = met as f64 / hashes.len() as f64;
            let harmonic: f64 = (1..=m + 1).map(|i| 1.0 / i as f64).sum();
            let paper = 2.0 * (harmonic - 1.0);
            let own: f64 = (0..m).map(density).sum();
            println!("m={m}: {mean:.4} (oracle {paper:.4}, densities {own:.4})");
            assert!((mean / paper - 1.0).abs() < 0.02, "m={m}: {mean} instead of {paper}");
            assert!((mean / own - 1.0).abs() < 0.006, "m={m}: {mean} instead of {own}");
        }
    }

    /// Symbol i holds an item with nearly 1/(1 + i/2), thinner by a share of 1/(2i + 3)^2 for i ≥ 1: 40,000 walks,
    /// five deviations.
    #[test]
    fn density_falls_as_defined() {
        let mut rng = Seed::new(2).child("density").rng();
        let mut met = [0_u32; 64];
        for _ in 0..40_000 {
            let mut walk = Walk::new(rng.next_u64());
            while let Some(count) = met.get_mut(walk.index() as usize) {
                *count += 1;
                walk.advance();
            }
        }
        for (i, count) in (0..).zip(met) {
            let rho = density(i);
            let deviation = (40_000.0 * rho * (1.0 - rho)).sqrt();
            assert!((f64::from(count) - 40_000.0 * rho).abs() <= 5.0 * deviation, "i={i}: {count}");
            let ideal = 1.0 / (1.0 + i as f64 / 2.0);
            let thinner = 1.0 / ((2 * i + 3) * (2 * i + 3)) as f64;
            assert!(i == 0 || (rho - ideal * (1.0 - thinner)).abs() < 1e-12, "i={i}");
        }
    }
}
