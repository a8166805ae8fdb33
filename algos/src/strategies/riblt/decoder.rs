//! Peeling, symbol by symbol as they arrive.
//!
//! A symbol of the peer less the same symbol of the own set is a sum of differing items only. One that holds a
//! single item names it; that item is taken out of all others, which may leave single items in them. The
//! reference takes own items out of each arriving symbol by a heap. Here, as in the encoder, the own set's
//! symbols are made a block ahead, so that whatever is found is taken out of the whole block at once, of
//! symbols that are still to come too.

use std::collections::VecDeque;

use super::symbol::{Name, Part, Scheme, Symbol, block_end};

/// How far decoding got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More symbols are needed.
    More,
    /// Every symbol is explained.
    Decoded,
    /// More items were found than symbols arrived, or one twice: a false checksum, or a lying peer.
    Corrupt,
}

/// Finds the items by which the peer's set differs.
#[derive(Clone, Debug)]
pub struct Decoder<N> {
    scheme: Scheme,
    own: Vec<Part<N>>,
    /// Found items; `times` is 1 for the peer's and -1 for own ones.
    found: Vec<(Part<N>, i64)>,
    /// Of the first `received`: what is unexplained. After those: what is to be added when they arrive.
    symbols: Vec<Symbol<N>>,
    received: usize,
    /// Received symbols that are not zero.
    open: usize,
    /// Symbols that may hold a single item.
    candidates: VecDeque<usize>,
}

impl<N: Name> Decoder<N> {
    /// With the own set's items and no symbols.
    pub fn new(scheme: Scheme, own: Vec<Part<N>>) -> Self {
        let (symbols, candidates) = Default::default();
        Self { scheme, own, found: Vec::new(), symbols, received: 0, open: 0, candidates }
    }

    /// Symbols so far, which is the index of the next.
    pub fn received(&self) -> u64 {
        self.received as u64
    }

    /// Where the block ends that must be made before the next symbol, if one must.
    pub fn due(&self) -> Option<u64> {
        (self.received == self.symbols.len()).then(|| block_end(self.received()))
    }

    /// Takes the peer's next symbol. Makes the own set's block first if that is due: O(n).
    pub fn push(&mut self, theirs: &Symbol<N>) {
        if let Some(end) = self.due() {
            let start = self.symbols.len();
            self.symbols.resize(end as usize, Symbol::default());
            let block = &mut self.symbols[start..];
            for part in &mut self.own {
                part.pass(block, start as u64, -1);
            }
            for (part, times) in &mut self.found {
                part.pass(block, start as u64, -*times);
            }
        }
        let symbol = &mut self.symbols[self.received];
        symbol.add(theirs);
        self.open += usize::from(!symbol.is_zero());
        if symbol.count.abs() == 1 {
            self.candidates.push_back(self.received);
        }
        self.received += 1;
    }

    /// Finds all that the symbols so far give away.
    ///
    /// Each honest find empties a symbol for good, so there are at most as many finds as symbols. That bounds
    /// the work for symbols of a lying peer, too: O(log m) additions for each symbol that it sent.
    pub fn peel(&mut self) -> Progress {
        while let Some(index) = self.candidates.pop_front() {
            let symbol = &self.symbols[index];
            let Some(mut part) = self.scheme.sole(symbol, index as u64) else { continue };
            let times = symbol.count;
            if self.found.len() == self.received {
                return Progress::Corrupt;
            }
            while part.walk.index() < self.symbols.len() as u64 {
                let index = part.walk.index() as usize;
                let symbol = &mut self.symbols[index];
                let was_open = !symbol.is_zero();
                symbol.apply(&part, -times);
                if index < self.received {
                    self.open = self.open + usize::from(!symbol.is_zero()) - usize::from(was_open);
                    if symbol.count.abs() == 1 {
                        self.candidates.push_back(index);
                    }
                }
                part.walk.advance();
            }
            self.found.push((part, times));
        }
        if self.open > 0 || self.received == 0 {
            Progress::More
        } else if self.found_twice() {
            Progress::Corrupt
        } else {
            Progress::Decoded
        }
    }

    /// Nothing differs from itself, so honest symbols name an item once.
    fn found_twice(&self) -> bool {
        let mut names: Vec<N> = self.found.iter().map(|(part, _)| part.name).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// Names of what was found, at either end.
    pub fn found(&self) -> impl Iterator<Item = N> + '_ {
        self.found.iter().map(|(part, _)| part.name)
    }

    /// Names of what was found, with 1 for items of the peer and -1 for own ones.
    pub fn found_with_side(&self) -> impl Iterator<Item = (N, i64)> + '_ {
        self.found.iter().map(|(part, times)| (part.name, *times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salt::{Key, Salt};
    use crate::seed::Seed;
    use crate::session::Role;
    use crate::strategies::riblt::encoder::Encoder;
    use proptest::prelude::*;

    fn scheme(seed: Seed, check_bits: u32) -> Scheme {
        Scheme { key: Key::one_party(Salt::of(seed, Role::Initiator)), short_bits: 64, check_bits }
    }

    fn shorts(n: usize, seed: Seed) -> Vec<u64> {
        let mut rng = seed.child("shorts").rng();
        (0..n).map(|_| rng.next_u64()).collect()
    }

    fn parts(scheme: &Scheme, shorts: &[u64]) -> Vec<Part<u64>> {
        shorts.iter().map(|short| scheme.part(*short, *short)).collect()
    }

    /// Symbols that `d` random items take to decode.
    fn symbols_for(d: usize, seed: Seed) -> u64 {
        let scheme = scheme(seed, 64);
        let mut encoder = Encoder::new(parts(&scheme, &shorts(d, seed)));
        let mut decoder = Decoder::new(scheme, Vec::new());
        loop {
            decoder.push(encoder.peek());
            encoder.advance();
            if decoder.peel() == Progress::Decoded {
                assert_eq!(decoder.found.len(), d);
                return decoder.received();
            }
        }
    }

    /// Oracle: mean symbols per difference and their 95th percentile. Tolerances are at least three standard
    /// errors of the trials that are affordable here.
    #[test]
    fn symbols_per_difference_are_those_of_the_paper() {
        for (d, trials, mean, mean_tolerance, p95, p95_tolerance) in [
            (1, 2000, 1.000, 0.0, 1.0, 0.0),
            (2, 40_000, 1.586, 0.02, 3.0, 0.0),
            (5, 20_000, 1.759, 0.02, 3.0, 0.0),
            (10, 20_000, 1.721, 0.015, 2.60, 0.1),
            (20, 10_000, 1.631, 0.015, 2.15, 0.05),
            (50, 4000, 1.514, 0.01, 1.80, 0.04),
            (100, 2000, 1.455, 0.01, 1.64, 0.03),
            (200, 2000, 1.417, 0.01, 1.54, 0.02),
            (500, 400, 1.389, 0.01, 1.46, 0.02),
            (1000, 300, 1.376, 0.01, 1.43, 0.02),
            (10_000, 30, 1.358, 0.01, 1.375, 0.01),
            (100_000, 2, 1.354, 0.01, 1.354, 0.01),
        ] {
            let seed = Seed::new(d as u64).child("symbols per difference");
            let mut ratios: Vec<f64> =
                (0..trials).map(|n| symbols_for(d, seed.nth(n)) as f64 / d as f64).collect();
            ratios.sort_unstable_by(f64::total_cmp);
            let measured = ratios.iter().sum::<f64>() / trials as f64;
            let high = ratios[(trials as usize * 95).div_ceil(100) - 1];
            println!("d={d}: mean {measured:.4} (oracle {mean}), p95 {high:.3} (oracle {p95})");
            assert!((measured - mean).abs() <= mean_tolerance, "d={d}: mean {measured}, oracle {mean}");
            assert!((high - p95).abs() <= p95_tolerance + 1e-9, "d={d}: p95 {high}, oracle {p95}");
        }
    }

    #[test]
    fn both_sides_of_a_difference_are_found_among_much_in_common() {
        let seed = Seed::new(8);
        let scheme = scheme(seed, 32);
        let all = shorts(5000, seed);
        let (mine, theirs) = (&all[..4900], &all[60..]);
        let mut encoder = Encoder::new(parts(&scheme, theirs));
        let mut decoder = Decoder::new(scheme, parts(&scheme, mine));
        while decoder.peel() == Progress::More {
            decoder.push(encoder.peek());
            encoder.advance();
        }
        let mut found: Vec<u64> = decoder.found().collect();
        found.sort_unstable();
        let mut expected = [&all[..60], &all[4900..]].concat();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert!(decoder.found.iter().all(|(part, times)| (*times == 1) == all[4900..].contains(&part.name)));
    }

    /// A peer that knows the key makes every symbol a single item whose walk comes by and that is nowhere else.
    #[test]
    fn endless_finds_are_cut_off() {
        let scheme = scheme(Seed::new(9), 64);
        let mut decoder = Decoder::new(scheme, Vec::new());
        let item = |n: u64| {
            let names = (0_u64..).map(|k| 1 + n + 5000 * k);
            let comes_by = |part: &Part<u64>| {
                let mut walk = part.walk;
                while walk.index() < n {
                    walk.advance();
                }
                walk.index() == n
            };
            names.map(|name| scheme.part(name, name)).find(comes_by).unwrap()
        };
        let mut corrupt = false;
        for n in 0..5000 {
            let mut symbol = Symbol::default();
            symbol.apply(&item(n), 1);
            decoder.push(&symbol);
            corrupt |= decoder.peel() == Progress::Corrupt;
            assert!(decoder.found.len() as u64 <= decoder.received());
        }
        assert!(corrupt);
    }

    /// Symbol 0 names an item that no later symbol holds: taking it out there names it again, as lacked by the
    /// other end, and so on for ever.
    #[test]
    fn an_item_that_comes_and_goes_is_cut_off() {
        let scheme = scheme(Seed::new(10), 64);
        let mut decoder = Decoder::new(scheme, Vec::new());
        let mut only = Symbol::default();
        only.apply(&scheme.part(7_u64, 7), 1);
        decoder.push(&only);
        let mut progress = decoder.peel();
        assert_eq!(progress, Progress::Decoded);
        while progress == Progress::Decoded {
            decoder.push(&Symbol::default());
            progress = decoder.peel();
        }
        assert_eq!(progress, Progress::Corrupt);
    }

    #[test]
    fn an_item_found_twice_is_no_result() {
        let scheme = scheme(Seed::new(10), 64);
        let mut decoder = Decoder::new(scheme, Vec::new());
        decoder.push(&Symbol::default());
        decoder.found = vec![(scheme.part(7_u64, 7), 1)];
        assert_eq!(decoder.peel(), Progress::Decoded);
        decoder.found.push((scheme.part(7_u64, 7), -1));
        assert_eq!(decoder.peel(), Progress::Corrupt);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn hostile_symbols_end_in_progress_or_corruption(
            symbols in proptest::collection::vec((0_u64..8, 0_u64..8, -3_i64..4, any::<bool>()), 1..300),
        ) {
            let scheme = scheme(Seed::new(11), 64);
            let mut decoder = Decoder::new(scheme, parts(&scheme, &[1, 2, 3]));
            for (sum, other, count, valid) in symbols {
                let check = scheme.part(if valid { sum } else { other }, if valid { sum } else { other }).check;
                decoder.push(&Symbol { sum, check, count });
                if decoder.peel() == Progress::Corrupt {
                    break;
                }
                prop_assert!(decoder.found.len() <= decoder.received);
                let open = decoder.symbols[..decoder.received].iter().filter(|s| !s.is_zero()).count();
                prop_assert_eq!(decoder.open, open);
            }
        }
    }
}
