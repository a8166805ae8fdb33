//! Sorting a whole set by (time, id) at once, into a run.
//!
//! Comparison sorts move items of 40 bytes log n times. Here they move twice. A sample of times says how times spread,
//! and buckets of equal spans of time are laid over it, for about a thousand items each; what lies outside of the
//! sample goes to the first bucket or to the last, so that buckets are in order whatever the sample missed. Items are
//! counted and scattered to their buckets, in the memory that the run will have: a thousand lines that are being
//! written are no more than the second-level cache holds, and each is asked for when the item before it is written.
//! Then each bucket, which fits in that cache too, is copied out, sorted (`radix` says how), and written to where it
//! belongs, ids turned into sums on the way.
//!
//! O(n) for times that are spread about evenly, O(n log n) at worst. What is in order already is only summed up. The
//! memory of a run is asked for in huge pages (see [`crate::pages`]).

use super::fingerprint::IdSum;
use super::piece::{Entry, entry, sum_of};
use crate::item::Item;
use crate::pages::prefer_huge;
use crate::prefetch::{prefetch, prefetch_to_write};
use crate::radix::{ByTime, starts_of};

/// Times that are looked at before buckets are laid out.
const SAMPLE_LEN: usize = 1 << 10;
/// Items of a bucket, about.
const BUCKET_LEN: usize = 1 << 10;
/// Items that are fetched before they are looked at: pages of 4 KiB stop the processor from doing it on its own.
const AHEAD: usize = 40;

/// The run of these items: in order of (time, id), each once.
pub fn run(items: &[Item]) -> Vec<Entry> {
    let mut run: Vec<Entry> = vec![[0; 5]; items.len() + 1];
    prefer_huge(&mut run);
    let mut sum = IdSum::ZERO;
    if items.is_sorted_by(|a, b| a < b) {
        for (item, place) in items.iter().zip(&mut run[1..]) {
            sum.add(&item.id);
            *place = entry(item.at, &sum);
        }
        return run;
    }
    let ends = scatter(items, &mut run[1..]);
    let (mut bucket, mut by_time) = (Vec::new(), ByTime::default());
    let (mut start, mut len) = (1, 1);
    for end in ends {
        let end = 1 + end as usize;
        bucket.clear();
        bucket.extend_from_slice(&run[start..end]);
        // Repetitions are left out, so that what is written never overtakes what is read.
        by_time.each_in_order(
            &bucket,
            |item| item[0],
            key,
            |item| {
                sum.add_sum(&sum_of(item));
                run[len] = entry(item[0], &sum);
                len += 1;
            },
        );
        start = end;
    }
    run.truncate(len);
    run
}

/// Copies items, with ids in place of sums, in order of buckets. Returns where each bucket ends.
fn scatter(items: &[Item], to: &mut [Entry]) -> Vec<u32> {
    let sample = items.iter().step_by(items.len().div_ceil(SAMPLE_LEN)).map(|item| item.at);
    let (first, last) = sample.fold((u64::MAX, 0), |(low, high), at| (low.min(at), high.max(at)));
    let bits = (items.len() / BUCKET_LEN).next_power_of_two().ilog2();
    let shift = (u64::BITS - (last - first).leading_zeros()).saturating_sub(bits).min(u64::BITS - 1);
    let top = (1 << bits) - 1;
    let bucket_of = |item: &Item| (item.at.saturating_sub(first) >> shift).min(top) as usize;
    let fetched = || {
        items.iter().enumerate().map(|(i, item)| {
            if let Some(later) = items.get(i + AHEAD) {
                prefetch(later);
            }
            item
        })
    };
    let mut places = vec![0_u32; 1 << bits];
    for item in fetched() {
        places[bucket_of(item)] += 1;
    }
    starts_of(&mut places);
    for item in fetched() {
        let place = &mut places[bucket_of(item)];
        to[*place as usize] = entry(item.at, &IdSum::of(&item.id));
        *place += 1;
        // Another bucket is next. Before this one's turn comes again, the line that it will write to is here.
        if let Some([.., end]) = to.get(*place as usize + 1) {
            prefetch_to_write(end);
        }
    }
    places
}

/// By what an item is ordered.
fn key(item: &Entry) -> (u64, [u8; 32]) {
    (item[0], sum_of(item).to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ItemId;
    use crate::seed::Seed;
    use crate::strategies::range::piece::item_of;
    use proptest::prelude::*;

    fn sorted(items: &[Item]) -> Vec<Item> {
        let mut sorted = items.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        sorted
    }

    fn sealed(items: &[Item]) -> Vec<Item> {
        let run = run(items);
        (0..run.len() - 1).map(|place| item_of(&run, place)).collect()
    }

    proptest! {
        /// Few times and few ids, so that ties and repetitions are common; times that no sample shows.
        #[test]
        fn the_order_is_that_of_a_comparison_sort(
            seed: u64, n in 0_usize..6000, spread in 0_u32..64, ids in 1_u64..1000, far: bool, early: bool,
        ) {
            let mut rng = Seed::new(seed).rng();
            let mut items: Vec<Item> = (0..n).map(|_| {
                let mut id = [0; 32];
                id[..8].copy_from_slice(&rng.below(ids).to_be_bytes());
                Item { at: 1_700_000_000_000 + (rng.next_u64() >> (63 - spread) >> 1), id: ItemId::new(id) }
            }).collect();
            for (is, at) in [(far, u64::MAX), (early, 0)] {
                if is && n > 0 {
                    items[rng.below(n as u64) as usize].at = at;
                }
            }
            prop_assert_eq!(sealed(&items), sorted(&items));
        }
    }

    #[test]
    fn crowded_times_are_sorted_too() {
        let mut rng = Seed::new(1).rng();
        // All but one within a second: the upper bits tell nothing.
        let mut items: Vec<Item> =
            (0..5000).map(|_| Item { at: 1 << 40 | rng.below(1000), id: ItemId::new(rng.bytes()) }).collect();
        items.insert(0, Item { at: 0, id: ItemId::new([0; 32]) });
        items.push(Item { at: 1 << 41, id: ItemId::new([0; 32]) });
        assert_eq!(sealed(&items), sorted(&items));
        assert_eq!(sealed(&sorted(&items)), sorted(&items));
        items.extend_from_within(..2000);
        assert_eq!(sealed(&items), sorted(&items));
    }
}
