//! Sorting by numbers that are spread about evenly: keyed short ids, and most times.
//!
//! One pass counts how many belong in each of about as many buckets as there are items, one puts them there, and what
//! is left is to sort the few of each bucket: an insertion sort over all of them. Where many are in one bucket (hostile
//! or merely odd input) a comparison sort sees to that bucket first. O(n) for numbers that are spread about evenly,
//! O(n log n) at worst.

/// Most items of one bucket that are left to the insertion sort.
const CROWD: usize = 16;

/// Sorts `from` into `to`. `bucket_of` tells the bucket, below `1 << bits`, and grows with the item; where each bucket ends
/// is left in `ends`.
pub fn sort<T: Copy + Ord>(
    from: &[T],
    to: &mut Vec<T>,
    ends: &mut Vec<u32>,
    bits: u32,
    bucket_of: impl Fn(&T) -> usize,
) {
    ends.clear();
    ends.resize(1 << bits, 0);
    for item in from {
        ends[bucket_of(item)] += 1;
    }
    starts_of(ends);
    to.clear();
    to.extend_from_slice(from);
    for item in from {
        let place = &mut ends[bucket_of(item)];
        to[*place as usize] = *item;
        *place += 1;
    }
    let mut start = 0;
    for end in ends {
        let end = *end as usize;
        if end - start > CROWD {
            to[start..end].sort_unstable();
        }
        start = end;
    }
    insertion_sort(to);
}

/// Turns counts into where each begins.
pub fn starts_of(counts: &mut [u32]) {
    let mut next = 0;
    for count in counts {
        next += std::mem::replace(count, next);
    }
}

/// Sorts what is nearly in order.
fn insertion_sort<T: Copy + Ord>(items: &mut [T]) {
    for i in 1..items.len() {
        let item = items[i];
        let mut at = i;
        while at > 0 && items[at - 1] > item {
            items[at] = items[at - 1];
            at -= 1;
        }
        items[at] = item;
    }
}

/// Sorts items by time, without moving them; kept from one set of items to the next for its memory.
#[derive(Debug, Default)]
pub struct ByTime {
    words: Vec<u64>,
    sorted: Vec<u64>,
    ends: Vec<u32>,
}

impl ByTime {
    /// Calls `each` with every item once, in order of its key, which begins with its time.
    ///
    /// Words are sorted in place of items, the time above and the place below; items of one time are put in order in the end.
    pub fn each_in_order<T: Copy + PartialEq, K: Ord>(
        &mut self,
        items: &[T],
        time: impl Fn(&T) -> u64,
        key: impl Fn(&T) -> K,
        mut each: impl FnMut(&T),
    ) {
        let tidy = |mut items: Vec<T>| {
            items.sort_unstable_by_key(&key);
            items.dedup();
            items
        };
        let times = items.iter().map(&time);
        let (first, last) = times.fold((u64::MAX, 0), |(low, high), at| (low.min(at), high.max(at)));
        let place_bits = usize::BITS - items.len().leading_zeros();
        let time_bits = u64::BITS - last.saturating_sub(first).leading_zeros();
        if time_bits + place_bits > u64::BITS {
            // Times from all over 64 bits: somebody's clock, or malice.
            return tidy(items.to_vec()).iter().for_each(each);
        }
        let Self { words, sorted, ends } = self;
        words.clear();
        words.extend(items.iter().zip(0..).map(|(item, place)| (time(item) - first) << place_bits | place));
        let bits = time_bits.min(place_bits);
        let shift = place_bits + time_bits - bits;
        sort(words, sorted, ends, bits, |word| (word >> shift) as usize);
        let item_of = |word: &u64| &items[(word & ((1 << place_bits) - 1)) as usize];
        for run in sorted.chunk_by(|a, b| a >> place_bits == b >> place_bits) {
            match run {
                [word] => each(item_of(word)),
                tied => tidy(tied.iter().map(item_of).copied().collect()).iter().for_each(&mut each),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Spread evenly, crowded at one end, and with repetitions.
        #[test]
        fn the_order_is_that_of_a_comparison_sort(numbers: Vec<u64>, narrow in 0_u32..64, bits in 0_u32..12) {
            let numbers: Vec<u64> = numbers.iter().map(|number| number >> narrow).collect();
            let (mut sorted, mut ends) = (Vec::new(), Vec::new());
            sort(&numbers, &mut sorted, &mut ends, bits, |number| (u128::from(*number) >> (64 - bits)) as usize);
            let mut expected = numbers.clone();
            expected.sort_unstable();
            prop_assert_eq!(sorted, expected);
            prop_assert_eq!(ends.last(), Some(&(numbers.len() as u32)));
        }
    }

    #[test]
    fn a_crowd_is_sorted_too() {
        let numbers: Vec<u64> = (0..1000).map(|n| n * 7919 % 1000).chain([1 << 60]).collect();
        let (mut sorted, mut ends) = (Vec::new(), Vec::new());
        sort(&numbers, &mut sorted, &mut ends, 9, |number| (number >> 52) as usize);
        assert!(sorted[..1000].iter().copied().eq(0..1000));
        assert_eq!((ends[0], ends[511], sorted[1000]), (1000, 1001, 1 << 60));
    }
}
