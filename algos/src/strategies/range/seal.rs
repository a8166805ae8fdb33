//! Sorting a whole set by (time, id) at once.
//!
//! Comparison sorts move items of 40 bytes log n times. Here the sort moves one word an item: the time above the
//! earliest one, and below it, in the same word, the item's place in the input; 36 bits hold the milliseconds of
//! two years and 20 the places of a million items. A radix sort with the least significant digit first (two
//! passes) brings the upper 22 bits of the times into order, which leaves runs of a few words for a comparison
//! sort: uniform times hardly any, crowded times longer ones, and nothing is ever worse than a comparison sort of
//! words. Items of one time are then put in order of their ids, through their places. The items themselves move
//! once, when the caller collects them in this order.
//!
//! O(n) for times that are spread about evenly, O(n log n) at worst.

use crate::item::Item;
use crate::prefetch::prefetch;

/// Digits of the radix sort: 16 KiB of counters, and as many open cache lines as the second-level cache holds.
const DIGIT_BITS: u32 = 11;
/// Below this many items counting digits costs more than it saves.
const RADIX_MIN: usize = 1 << 10;

/// How many items ahead memory is fetched: they come from anywhere.
const AHEAD: usize = 16;

/// The items at these places.
pub fn gather<'a>(items: &'a [Item], places: &'a [u32]) -> impl Iterator<Item = Item> + 'a {
    let ahead = places.iter().skip(AHEAD).chain(places.last().into_iter().cycle());
    places.iter().zip(ahead).map(|(place, next)| {
        // An item may begin in one line and end in the next.
        let next = &items[*next as usize];
        prefetch(&next.at);
        prefetch(&next.id.bytes()[31]);
        items[*place as usize]
    })
}

/// The places of `items` in order of (time, id), those of repeated items left out; none when they are in order
/// already and each is there once.
pub fn order(items: &[Item]) -> Option<Vec<u32>> {
    if items.is_sorted_by(|a, b| a < b) {
        return None;
    }
    let (first, last) =
        items.iter().fold((u64::MAX, 0), |(low, high), item| (low.min(item.at), high.max(item.at)));
    let place_bits = usize::BITS - (items.len() - 1).leading_zeros();
    let time_bits = u64::BITS - (last - first).leading_zeros();
    if time_bits + place_bits <= u64::BITS {
        let place_mask = (1 << place_bits) - 1;
        let mut words: Vec<u64> =
            items.iter().zip(0_u64..).map(|(item, place)| (item.at - first) << place_bits | place).collect();
        sort_words(&mut words, place_bits, time_bits);
        Some(settle_ties(items, &words, |word| word >> place_bits, |word| (word & place_mask) as u32))
    } else {
        // Times from all over 64 bits: somebody's clock, or malice.
        let mut pairs: Vec<(u64, u32)> =
            items.iter().zip(0..).map(|(item, place)| (item.at, place)).collect();
        pairs.sort_unstable();
        Some(settle_ties(items, &pairs, |(at, _)| *at, |(_, place)| *place))
    }
}

/// Sorts words whose `time_bits` bits above the lowest `place_bits` matter most.
fn sort_words(words: &mut [u64], place_bits: u32, time_bits: u32) {
    if words.len() < RADIX_MIN {
        words.sort_unstable();
        return;
    }
    let radix_bits = time_bits.min(2 * DIGIT_BITS);
    let shift = place_bits + time_bits - radix_bits;
    let low_bits = radix_bits / 2;
    let mut other = vec![0; words.len()];
    scatter(words, &mut other, shift, low_bits);
    scatter(&other, words, shift + low_bits, radix_bits - low_bits);
    for run in words.chunk_by_mut(|a, b| a >> shift == b >> shift) {
        if run.len() > 1 {
            run.sort_unstable();
        }
    }
}

/// Copies words in order of the `bits` bits from `shift` on, else in the order in which they are.
fn scatter(from: &[u64], to: &mut [u64], shift: u32, bits: u32) {
    let mask = (1 << bits) - 1;
    let mut places = vec![0_u32; 1 << bits];
    for word in from {
        places[(word >> shift) as usize & mask] += 1;
    }
    let mut next = 0;
    for place in &mut places {
        next += std::mem::replace(place, next);
    }
    for word in from {
        let place = &mut places[(word >> shift) as usize & mask];
        to[*place as usize] = *word;
        *place += 1;
    }
}

/// The places of sorted `keys`, those of one time in order of their ids, repetitions left out.
fn settle_ties<K>(items: &[Item], keys: &[K], at: impl Fn(&K) -> u64, place: impl Fn(&K) -> u32) -> Vec<u32> {
    let mut places = Vec::with_capacity(keys.len());
    for run in keys.chunk_by(|a, b| at(a) == at(b)) {
        if let [key] = run {
            places.push(place(key));
            continue;
        }
        let mut tied: Vec<u32> = run.iter().map(&place).collect();
        tied.sort_unstable_by_key(|place| items[*place as usize].id);
        tied.dedup_by_key(|place| items[*place as usize].id);
        places.extend(tied);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::ItemId;
    use crate::seed::Seed;
    use proptest::prelude::*;

    fn sorted(items: &[Item]) -> Vec<Item> {
        let mut sorted = items.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        sorted
    }

    fn ordered(items: &[Item]) -> Vec<Item> {
        match order(items) {
            Some(places) => gather(items, &places).collect(),
            None => items.to_vec(),
        }
    }

    proptest! {
        /// Few times and few ids, so that ties and repetitions are common; sizes on both sides of the limit.
        #[test]
        fn the_order_is_that_of_a_comparison_sort(
            seed: u64, n in 0_usize..4000, spread in 0_u32..64, ids in 1_u64..1000, far: bool,
        ) {
            let mut rng = Seed::new(seed).rng();
            let mut items: Vec<Item> = (0..n).map(|_| {
                let mut id = [0; 32];
                id[..8].copy_from_slice(&rng.below(ids).to_be_bytes());
                Item { at: 1_700_000_000_000 + (rng.next_u64() >> (63 - spread) >> 1), id: ItemId::new(id) }
            }).collect();
            if far && let Some(item) = items.last_mut() {
                item.at = u64::MAX;
            }
            prop_assert_eq!(ordered(&items), sorted(&items));
        }
    }

    #[test]
    fn crowded_times_are_sorted_too() {
        let mut rng = Seed::new(1).rng();
        // All but one within a second: the upper bits tell nothing.
        let mut items: Vec<Item> =
            (0..5000).map(|_| Item { at: 1 << 40 | rng.below(1000), id: ItemId::new(rng.bytes()) }).collect();
        items.push(Item { at: 0, id: ItemId::new([0; 32]) });
        assert_eq!(ordered(&items), sorted(&items));
        assert_eq!(order(&sorted(&items)), None);
    }
}
