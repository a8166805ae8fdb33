//! Small streams of random draws: sixteen bytes each, one for every link and every rule.
//!
//! A [`offerbench_algos::Rng`] carries a block of its cipher with it, some three hundred bytes; a group of ten
//! thousand has sixty thousand links. A [`Dice`] is a seed and a count, and its n-th draw is
//! `seed.nth(n)`: SipHash-2-4 of n, keyed by the seed. What one link draws moves no other link's draws.

use offerbench_algos::Seed;

/// A million: probabilities are whole numbers of millionths.
pub const PPM: u32 = 1_000_000;

/// A stream of draws that is cheap to keep; some 20 ns a draw.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: Seed,
    drawn: u64,
}

impl Dice {
    /// The stream of `seed`, from its start.
    pub const fn new(seed: Seed) -> Self {
        Self { seed, drawn: 0 }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let draw = self.seed.nth(self.drawn).value();
        self.drawn += 1;
        draw
    }

    /// A number below `bound`; 0 if that is 0. The bias is at most `bound` / 2^64.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Whether something happens that happens `ppm` times in a million. Certainties are not drawn for.
    pub fn happens(&mut self, ppm: u32) -> bool {
        match ppm {
            0 => false,
            PPM.. => true,
            _ => self.below(u64::from(PPM)) < u64::from(ppm),
        }
    }

    /// A length that forgets its past, with the given mean (exponential), in the unit of the mean.
    ///
    /// J. von Neumann's way, "Various techniques used in connection with random digits" (1951), which only
    /// compares draws: the length of a falling run of uniform draws is odd with probability e^(-first).
    /// Nothing here differs from machine to machine, as a logarithm might.
    pub fn exponential(&mut self, mean: u64) -> u64 {
        let mut whole = 0_u64;
        // A mean length ends here with probability 1 - 1/e; forty of them are e^-40.
        while whole < 40 {
            let first = self.next_u64();
            let mut last = first;
            let mut run_is_odd = true;
            loop {
                let next = self.next_u64();
                if next >= last {
                    break;
                }
                last = next;
                run_is_odd = !run_is_odd;
            }
            if run_is_odd {
                let fraction = ((u128::from(first) * u128::from(mean)) >> 64) as u64;
                return whole.saturating_mul(mean).saturating_add(fraction);
            }
            whole += 1;
        }
        whole.saturating_mul(mean)
    }
}

/// Random bytes, at least 8.
pub(super) fn random_text(seed: Seed, len: u32) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let len = (len as usize).max(8);
    let mut text = Vec::with_capacity(len + 8);
    while text.len() < len {
        text.extend_from_slice(&dice.next_u64().to_le_bytes());
    }
    text.truncate(len);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_and_are_fair() {
        let mut a = Dice::new(Seed::new(1));
        let mut b = Dice::new(Seed::new(1));
        let mut count = 0_u32;
        for _ in 0..20_000 {
            let happened = a.happens(250_000);
            assert_eq!(happened, b.happens(250_000));
            count += u32::from(happened);
        }
        // Binomial(20000, 1/4) has a deviation of 61; five of them.
        assert!((4_694..5_306).contains(&count), "{count}");
        assert!(!a.happens(0));
        assert!(a.happens(PPM));
        assert_eq!(a.below(0), 0);
    }

    /// Mean and the share above one and two means of an exponential: 1, e^-1, e^-2.
    #[test]
    fn exponential_has_its_mean_and_its_tail() {
        let mut dice = Dice::new(Seed::new(3));
        let (mut sum, mut above_one, mut above_two) = (0_u64, 0_u32, 0_u32);
        for _ in 0..20_000 {
            let length = dice.exponential(1_000_000);
            sum += length;
            above_one += u32::from(length > 1_000_000);
            above_two += u32::from(length > 2_000_000);
        }
        // Deviations: of the mean 1/sqrt(20000) = 0.7%, of the counts 68 and 48; five of each.
        assert!((965_000..1_035_000).contains(&(sum / 20_000)), "{}", sum / 20_000);
        assert!((7_358 - 341..7_358 + 341).contains(&above_one), "{above_one}");
        assert!((2_707 - 242..2_707 + 242).contains(&above_two), "{above_two}");
    }
}
