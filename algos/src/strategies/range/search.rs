//! Searches that begin where the result is expected.

/// Where among `len` values from `first` to `last` one should find `value`, if they were spread evenly. To 31 bits, so that
/// it is one division of words.
pub fn interpolate(first: u64, last: u64, value: u64, len: usize) -> usize {
    let (above, spread) = (value.saturating_sub(first), last - first);
    if above >= spread {
        return len;
    }
    let shift = 32_u32.saturating_sub(spread.leading_zeros());
    ((above >> shift) * (len as u64).min(u64::from(u32::MAX)) / (spread >> shift)) as usize
}

/// How many of `len` entries are `below`, which holds for some first ones only. Steps that double lead away from
/// `guess`, halves back: O(log of the error), and what is touched lies near the result.
pub fn search_near(len: usize, guess: usize, mut below: impl FnMut(usize) -> bool) -> usize {
    let guess = guess.min(len);
    let (mut low, mut high, mut step) = (guess, guess, 1);
    // Everything before `low` is below, everything from `high` on is not.
    if guess < len && below(guess) {
        low += 1;
        loop {
            high = (low + step).min(len);
            if high == len || !below(high) {
                break;
            }
            (low, step) = (high + 1, 2 * step);
        }
    } else {
        while low > 0 {
            low = low.saturating_sub(step);
            if below(low) {
                low += 1;
                break;
            }
            (high, step) = (low, 2 * step);
        }
    }
    while low < high {
        let middle = low.midpoint(high);
        if below(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_search_finds_the_same_from_anywhere(len in 0_usize..300, below in 0_usize..300, guess in 0_usize..400) {
            let below = below.min(len);
            prop_assert_eq!(search_near(len, guess, |i| { assert!(i < len); i < below }), below);
        }

        #[test]
        fn interpolation_stays_in_range(first: u64, spread: u64, value: u64, len in 0_usize..300) {
            prop_assert!(interpolate(first, first.saturating_add(spread), value, len) <= len);
        }
    }
}
