//! Draws without replacement, in integers.
//!
//! Both samplers draw one number after another from one stream, so the first draws of a larger k are those of a
//! smaller one. Both leave themselves as they found them, in time proportional to the draws: a group makes
//! one sampler and uses it for all members.

use offerbench_algos::Rng;

/// Uniform draws from `0..count`.
pub(super) struct Uniform {
    /// `0..count` in order, between draws.
    deck: Vec<u32>,
    swaps: Vec<usize>,
}

impl Uniform {
    pub(super) fn new(count: usize) -> Self {
        Self { deck: (0..count as u32).collect(), swaps: Vec::new() }
    }

    /// Draws min(`k`, count) different numbers into `drawn`: the first steps of a Fisher-Yates shuffle.
    pub(super) fn draw(&mut self, k: usize, rng: &mut Rng, drawn: &mut Vec<u32>) {
        drawn.clear();
        let count = self.deck.len();
        if k >= count {
            drawn.extend_from_slice(&self.deck);
            return;
        }
        self.swaps.clear();
        for top in 0..k {
            let other = top + rng.below((count - top) as u64) as usize;
            self.deck.swap(top, other);
            self.swaps.push(other);
        }
        drawn.extend_from_slice(&self.deck[..k]);
        for (top, &other) in self.swaps.iter().enumerate().rev() {
            self.deck.swap(top, other);
        }
    }
}

/// 2^43 ms are 278 years; the weights of [`super::MEMBERS_MAX`] = 2^20 members then add up to less than 2^64.
const WEIGHT_MAX: u64 = 1 << 43;

/// Draws of members with probabilities proportional to their weights.
pub(super) struct Weighted {
    weights: Vec<u64>,
    /// A Fenwick tree: entry i (from 1) holds the weights of the members in (i − lowest bit of i, i].
    tree: Vec<u64>,
    total: u64,
}

impl Weighted {
    /// Weights outside 1 to [`WEIGHT_MAX`] are brought into it.
    pub(super) fn new(weights: impl Iterator<Item = u64>) -> Self {
        let weights: Vec<u64> = weights.map(|weight| weight.clamp(1, WEIGHT_MAX)).collect();
        let mut tree = vec![0; weights.len() + 1];
        for at in 1..tree.len() {
            tree[at] += weights[at - 1];
            let parent = at + (at & at.wrapping_neg());
            if parent < tree.len() {
                tree[parent] += tree[at];
            }
        }
        let total = weights.iter().sum();
        Self { weights, tree, total }
    }

    fn remove(&mut self, member: usize) {
        let weight = self.weights[member];
        self.total -= weight;
        let mut at = member + 1;
        while at < self.tree.len() {
            self.tree[at] -= weight;
            at += at & at.wrapping_neg();
        }
    }

    fn restore(&mut self, member: usize) {
        let weight = self.weights[member];
        self.total += weight;
        let mut at = member + 1;
        while at < self.tree.len() {
            self.tree[at] += weight;
            at += at & at.wrapping_neg();
        }
    }

    /// The member whose share of `0..total` holds `point`. A removed member has no share.
    fn at(&self, mut point: u64) -> usize {
        let mut member = 0;
        let mut step = (self.weights.len() + 1).next_power_of_two() >> 1;
        while step > 0 {
            if let Some(&below) = self.tree.get(member + step)
                && below <= point
            {
                point -= below;
                member += step;
            }
            step >>= 1;
        }
        member
    }

    /// Draws min(`k`, N − 1) different members other than `me` into `drawn`. O(k·log N).
    pub(super) fn draw_others(&mut self, me: usize, k: usize, rng: &mut Rng, drawn: &mut Vec<u32>) {
        drawn.clear();
        if k >= self.weights.len() - 1 {
            drawn.extend((0..self.weights.len() as u32).filter(|&member| member as usize != me));
            return;
        }
        self.remove(me);
        for _ in 0..k {
            let member = self.at(rng.below(self.total));
            self.remove(member);
            drawn.push(member as u32);
        }
        self.restore(me);
        for &member in &*drawn {
            self.restore(member as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use offerbench_algos::Seed;

    use super::*;

    /// Every point of `0..total` falls to the member whose running sum holds it, with members removed too.
    #[test]
    fn a_point_falls_to_its_owner() {
        for count in 1..20_usize {
            let weight = |member: usize| (member * 7 % 5) as u64 + 1;
            let mut weighted = Weighted::new((0..count).map(weight));
            for removed in 0..count {
                weighted.remove(removed);
                let owners: Vec<usize> = (0..count)
                    .filter(|&member| member != removed)
                    .flat_map(|member| std::iter::repeat_n(member, weight(member) as usize))
                    .collect();
                assert_eq!(weighted.total, owners.len() as u64);
                for (point, owner) in owners.into_iter().enumerate() {
                    assert_eq!(weighted.at(point as u64), owner, "{count} members without {removed}");
                }
                weighted.restore(removed);
            }
        }
    }

    #[test]
    fn samplers_leave_themselves_as_they_were() {
        let mut rng = Seed::new(1).rng();
        let mut drawn = Vec::new();
        let mut uniform = Uniform::new(20);
        let mut weighted = Weighted::new((0..20).map(|weight| weight * weight));
        let tree = weighted.tree.clone();
        for k in 0..25 {
            uniform.draw(k, &mut rng, &mut drawn);
            assert_eq!(drawn.len(), k.min(20));
            assert!(uniform.deck.iter().copied().eq(0..20));
            weighted.draw_others(k % 20, k, &mut rng, &mut drawn);
            assert_eq!(drawn.len(), k.min(19));
            assert_eq!(weighted.tree, tree);
        }
    }

    #[test]
    fn the_largest_weights_do_not_overflow() {
        let mut weighted = Weighted::new(std::iter::repeat_n(u64::MAX, super::super::MEMBERS_MAX));
        let mut drawn = Vec::new();
        weighted.draw_others(5, 3, &mut Seed::new(1).rng(), &mut drawn);
        assert_eq!(drawn.len(), 3);
        assert_eq!(weighted.total, 1 << 63);
    }

    /// Inclusion probabilities of two draws from weights 1, 2, 3, 4 (member 4 draws and is left out), by
    /// summing over all orders. 20,000 draws: a binomial deviation is at most 0.0036; tolerance four of them.
    #[test]
    fn draws_are_proportional_to_the_weights() {
        const TRIALS: u64 = 20_000;
        let weights = [1.0, 2.0, 3.0, 4.0];
        let mut weighted = Weighted::new([1, 2, 3, 4, 1_000_000].into_iter());
        let (mut first, mut any) = ([0.0; 4], [0.0; 4]);
        let mut drawn = Vec::new();
        for trial in 0..TRIALS {
            weighted.draw_others(4, 2, &mut Seed::new(7).nth(trial).rng(), &mut drawn);
            first[drawn[0] as usize] += 1.0 / TRIALS as f64;
            for &member in &drawn {
                any[member as usize] += 1.0 / TRIALS as f64;
            }
        }
        for member in 0..4 {
            let alone = weights[member] / 10.0;
            let second: f64 = (0..4)
                .filter(|&before| before != member)
                .map(|before| weights[before] / 10.0 * weights[member] / (10.0 - weights[before]))
                .sum();
            assert!((first[member] - alone).abs() < 0.0145, "first draw of {member}: {first:?}");
            assert!((any[member] - alone - second).abs() < 0.0145, "either draw of {member}: {any:?}");
        }
    }
}
