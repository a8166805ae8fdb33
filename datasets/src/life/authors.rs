//! Who writes: few much, many little, some never, and not everybody from the beginning.
//!
//! The author of rank r writes in proportion to (r + b)^-s (Zipf's law with B. Mandelbrot's offset). On top
//! of that:
//!
//! - One member in five never writes: 19 of the 90 regulars of DuraSpace (seen for 60 days or more, with 10
//!   stays or more) did not.
//! - Newcomers. [`CORE`] members, drawn by their weight, write from the beginning. In DuraSpace 12 authors
//!   had been seen after 1,000 messages, 37 after 5,000, 65 after 10,000, 110 after 20,000, 188 after 50,000;
//!   with the static law 50 would have been seen after 1,000. That is an author in 290 messages, and fewer
//!   with time: the share that has arrived at the fraction f of all messages is about 1 - (1 - f)^2. In a
//!   life with too few messages for that, the others write from the beginning, too.
//!
//! A newcomer is a member from the beginning who has said nothing so far; whether it is online is another
//! matter.

use offerbench_algos::{Rng, Seed};

use super::laws::happens;

/// Members who write from the beginning, if there are so many.
const CORE: usize = 12;

/// One member in this many never writes.
const SILENT_ONE_IN: usize = 5;

/// The law of one channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Law {
    /// Mandelbrot's exponent.
    pub s: f64,
    /// Mandelbrot's offset.
    pub b: f64,
    /// One newcomer in so many messages.
    pub newcomer_every: f64,
}

/// DuraSpace, 197 authors: Mandelbrot fit of KS .031.
pub(super) const SMALL: Law = Law { s: 2.377, b: 5.59, newcomer_every: 290.0 };

/// Ubuntu, 12,258 authors: Mandelbrot fit of KS .067; a new one in every 12.8 messages, all along.
pub(super) const BUSY: Law = Law { s: 0.871, b: 8.66, newcomer_every: 12.8 };

/// Draws authors as a life goes on.
pub(super) struct Authors {
    by_rank: Vec<u32>,
    weights: Vec<u64>,
    /// Ranks still to arrive and when, in fractions of all messages, the last one first.
    to_come: Vec<(f64, usize)>,
    here: Tree,
}

impl Authors {
    /// Authors of a life of about `messages` messages; `by_rank` are the members, the most talkative first.
    pub(super) fn new(law: Law, mut by_rank: Vec<u32>, messages: f64, seed: Seed) -> Self {
        by_rank.truncate((by_rank.len() - by_rank.len() / SILENT_ONE_IN).max(1));
        let count = by_rank.len();
        // The first weight is 2^32, and of a million members none weighs nothing.
        let weight = |rank: usize| libm::pow((1.0 + law.b) / (rank as f64 + 1.0 + law.b), law.s);
        let weights: Vec<u64> = (0..count).map(|rank| (weight(rank) * 4_294_967_296.0) as u64 + 1).collect();
        let mut rng = seed.rng();
        let mut tree = Tree::new(count);
        (0..count).for_each(|rank| tree.add(rank, weights[rank]));
        let core = draw_distinct(&mut tree, &weights, CORE, &mut rng);
        let arrives = (messages / (law.newcomer_every * count as f64)).min(1.0);
        let mut here = Tree::new(count);
        core.iter().for_each(|rank| here.add(*rank, weights[*rank]));
        let mut to_come = Vec::new();
        for rank in (0..count).filter(|rank| !core.contains(rank)) {
            if happens(&mut rng, arrives) {
                to_come.push((1.0 - libm::sqrt(1.0 - rng.unit()), rank));
            } else {
                here.add(rank, weights[rank]);
            }
        }
        to_come.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        Self { by_rank, weights, to_come, here }
    }

    /// Lets those in who have arrived when the fraction `progress` of all messages is written.
    pub(super) fn advance(&mut self, progress: f64) {
        while let Some((_, rank)) = self.to_come.pop_if(|(at, _)| *at <= progress) {
            self.here.add(rank, self.weights[rank]);
        }
    }

    /// An author, by weight.
    pub(super) fn one(&self, rng: &mut Rng) -> u32 {
        self.by_rank[self.here.find(rng.below(self.here.total()))]
    }

    /// Different authors, by weight: as many as asked, or all who are here.
    pub(super) fn several(&mut self, count: usize, rng: &mut Rng) -> Vec<u32> {
        let ranks = draw_distinct(&mut self.here, &self.weights, count, rng);
        ranks.into_iter().map(|rank| self.by_rank[rank]).collect()
    }
}

/// Draws ranks by weight without replacement; the tree is afterwards what it was.
fn draw_distinct(tree: &mut Tree, weights: &[u64], count: usize, rng: &mut Rng) -> Vec<usize> {
    let mut ranks = Vec::new();
    while ranks.len() < count && tree.total() > 0 {
        let rank = tree.find(rng.below(tree.total()));
        tree.remove(rank, weights[rank]);
        ranks.push(rank);
    }
    ranks.iter().for_each(|rank| tree.add(*rank, weights[*rank]));
    ranks
}

/// Sums of weights that can change: P. Fenwick, "A new data structure for cumulative frequency tables"
/// (1994). Everything is O(log size).
struct Tree {
    sums: Vec<u64>,
    total: u64,
}

impl Tree {
    fn new(size: usize) -> Self {
        Self { sums: vec![0; size.next_power_of_two() + 1], total: 0 }
    }

    fn total(&self) -> u64 {
        self.total
    }

    fn add(&mut self, index: usize, weight: u64) {
        self.total += weight;
        self.walk(index, |sum| *sum += weight);
    }

    fn remove(&mut self, index: usize, weight: u64) {
        self.total -= weight;
        self.walk(index, |sum| *sum -= weight);
    }

    fn walk(&mut self, index: usize, mut change: impl FnMut(&mut u64)) {
        let mut node = index + 1;
        while node < self.sums.len() {
            change(&mut self.sums[node]);
            node += node & node.wrapping_neg();
        }
    }

    /// The first index up to which the weights sum to more than `point`, which is below the total.
    fn find(&self, mut point: u64) -> usize {
        let (mut node, mut step) = (0, self.sums.len() - 1);
        while step > 0 {
            let next = node + step;
            if next < self.sums.len() && self.sums[next] <= point {
                point -= self.sums[next];
                node = next;
            }
            step /= 2;
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_finds_what_adding_up_finds() {
        let weights = [3, 0, 1, 5, 0, 2, 7];
        let mut tree = Tree::new(weights.len());
        weights.iter().enumerate().for_each(|(index, weight)| tree.add(index, *weight));
        let expected: Vec<usize> =
            weights.iter().enumerate().flat_map(|(index, weight)| vec![index; *weight as usize]).collect();
        let found: Vec<usize> = (0..tree.total()).map(|point| tree.find(point)).collect();
        assert_eq!(found, expected);
        tree.remove(3, 5);
        assert_eq!((tree.total(), tree.find(3), tree.find(4)), (13, 2, 5));
    }

    #[test]
    fn a_fifth_is_silent_and_shares_follow_the_law() {
        // No newcomers with so few messages.
        let authors = Authors::new(SMALL, (0..100).collect(), 0.0, Seed::new(1));
        let mut rng = Seed::new(2).rng();
        let mut counts = vec![0_u32; 100];
        (0..100_000).for_each(|_| counts[authors.one(&mut rng) as usize] += 1);
        assert!(counts[80..].iter().all(|count| *count == 0));
        // (6.59 / 7.59)^2.377 = .715.
        let ratio = f64::from(counts[1]) / f64::from(counts[0]);
        assert!((0.68..0.75).contains(&ratio), "{ratio}");
        assert!(counts[..80].is_sorted_by(|a, b| f64::from(*b) < f64::from(*a) * 1.5 + 30.0), "{counts:?}");
    }

    #[test]
    fn newcomers_come_when_there_is_time_for_them() {
        let mut authors = Authors::new(SMALL, (0..250).collect(), 58_000.0, Seed::new(1));
        let mut rng = Seed::new(2).rng();
        assert_eq!(authors.several(1_000, &mut rng).len(), CORE);
        authors.advance(0.5);
        // 188 arrive, three quarters of them in the first half: deviation 6.
        let half = authors.several(1_000, &mut rng).len() - CORE;
        assert!((111..171).contains(&half), "{half}");
        authors.advance(1.0);
        let mut all = authors.several(1_000, &mut rng);
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<u32>>());
        assert_eq!(Authors::new(SMALL, vec![7], 58_000.0, Seed::new(1)).several(3, &mut rng), [7]);
    }
}
