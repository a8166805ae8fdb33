//! What no scheme can beat, drawn beside what was measured.
//!
//! Two bounds, because there are two kinds of scheme. A *one-way* message of `b`-bit ids has to name d
//! items out of 2^b without knowing what the peer holds: about d·b − log2 d! bits, the order of the list
//! being free. An *interactive* exchange may point into sets that both know the size of: the initiator
//! must learn which d_A of its n_A items the peer lacks, one of C(n_A, d_A) answers, and the other way
//! round. Ids need not cross at all, since the message itself follows and is hashed again.
//!
//! The interactive floor holds on uniformly random differences only. Gaps at the newest end, or whole
//! author logs, carry less information and may be described in less.

/// ln n!, exact in floats for small n, by Stirling's series (error below 1e-12) above.
pub fn ln_factorial(n: u64) -> f64 {
    if n < 256 {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let x = n as f64;
    (x + 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + 1.0 / (12.0 * x)
        - 1.0 / (360.0 * x.powi(3))
}

/// log2 C(n, k); 0 when `k > n`, which names no choice.
pub fn log2_binomial(n: u64, k: u64) -> f64 {
    let Some(rest) = n.checked_sub(k) else { return 0.0 };
    let (small, large) = (k.min(rest), k.max(rest));
    if small < 4096 {
        // Summed term by term: factorials of millions would cancel digits away.
        let sum: f64 = (0..small).map(|i| ((large as f64 + 1.0 + i as f64) / (i as f64 + 1.0)).ln()).sum();
        return sum / std::f64::consts::LN_2;
    }
    (ln_factorial(n) - ln_factorial(k) - ln_factorial(rest)) / std::f64::consts::LN_2
}

/// Bits of a one-way message that names `d` items by ids of `id_bits`: d·b − log2 d!.
pub fn one_way_bits(d: u64, id_bits: u32) -> f64 {
    // Where d! outgrows the ids they no longer tell items apart; the bound then is void, not negative.
    (d as f64 * f64::from(id_bits) - ln_factorial(d) / std::f64::consts::LN_2).max(0.0)
}

/// The two sides of a difference, as a record holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// Items in the union.
    pub m: u64,
    /// Items that only the initiator holds.
    pub d_initiator: u64,
    /// Items that only the responder holds.
    pub d_responder: u64,
}

/// Bits that both ends together must learn on a uniformly random difference.
pub fn interactive_bits(sides: Sides) -> f64 {
    let held_initiator = sides.m.saturating_sub(sides.d_responder);
    let held_responder = sides.m.saturating_sub(sides.d_initiator);
    log2_binomial(held_initiator, sides.d_initiator) + log2_binomial(held_responder, sides.d_responder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_figures() {
        // Bits per difference at d = 1, 10, 100, 1000, 10^4.
        let expected = [(32, [32.0, 29.8, 26.8, 23.5, 20.2]), (64, [64.0, 61.8, 58.8, 55.5, 52.2])];
        for (id_bits, figures) in expected {
            for (d, figure) in [1u64, 10, 100, 1000, 10_000].into_iter().zip(figures) {
                let got = one_way_bits(d, id_bits) / d as f64;
                assert!((got - figure).abs() < 0.05, "b={id_bits} d={d}: {got}");
            }
        }
        assert_eq!(one_way_bits(0, 64), 0.0);
    }

    #[test]
    fn interactive_figures() {
        // Bytes with n = 10^3, 10^4, 10^5 held by each and d = n/100, half on each side.
        for (n, d, bytes) in [(1000u64, 10u64, 10.7), (10_000, 100, 112.5), (100_000, 1000, 1134.0)] {
            let sides = Sides { m: n + d / 2, d_initiator: d / 2, d_responder: d / 2 };
            let got = interactive_bits(sides) / 8.0;
            assert!((got - bytes).abs() < 0.01 * bytes, "n={n}: {got}");
        }
        assert_eq!(interactive_bits(Sides { m: 1000, d_initiator: 0, d_responder: 0 }), 0.0);
    }

    #[test]
    fn binomials_agree_with_small_ones_and_with_each_other() {
        assert!((log2_binomial(5, 2) - 10f64.log2()).abs() < 1e-12);
        assert!((log2_binomial(52, 5) - 2_598_960f64.log2()).abs() < 1e-9);
        assert_eq!(log2_binomial(5, 9), 0.0);
        assert_eq!(log2_binomial(7, 0), 0.0);
        // The two ways to compute it meet.
        let summed: f64 = (0..5000u64).map(|i| ((95_001 + i) as f64 / (i + 1) as f64).log2()).sum();
        assert!((log2_binomial(100_000, 5000) - summed).abs() < 1e-4);
        assert!((ln_factorial(255) + 256f64.ln() - ln_factorial(256)).abs() < 1e-9);
    }
}
