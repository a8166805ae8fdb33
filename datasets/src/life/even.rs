//! Traffic without chance: messages equally far apart, authors in turns. For sweeps that vary one thing.

use super::place::Draft;

/// Primes to step by. More than enough that one divides no number of members: their product has 46 bits.
const STEPS: [u32; 4] = [2_741, 3_571, 1_907, 2_399];

/// `count` messages over `end_ms`, the first after half a gap. After every `authors.len()` messages each
/// author has had one turn. The step between two turns is a prime, so that neighbours in the list, whom a
/// ring would make neighbours in the network, do not write one after the other.
pub(super) fn drafts(count: u64, end_ms: u64, authors: &[u32]) -> Vec<Draft> {
    let members = authors.len() as u64;
    let step = STEPS.into_iter().map(u64::from).find(|step| !members.is_multiple_of(*step)).unwrap_or(1);
    let at = |index: u64| {
        let middle = u128::from(2 * index + 1) * u128::from(end_ms) / u128::from(2 * count);
        middle as u64
    };
    (0..count)
        .map(|index| Draft { at_ms: at(index), author: authors[(index * step % members) as usize] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_equal_and_turns_are_fair() {
        for members in [1_u32, 2, 3, 10, 2_741, 2 * 2_741] {
            let authors: Vec<u32> = (0..members).collect();
            let drafts = drafts(u64::from(members) * 3, 1_000_000_000, &authors);
            let gaps = drafts.windows(2).map(|two| two[1].at_ms - two[0].at_ms);
            let (min, max) = (gaps.clone().min().unwrap(), gaps.max().unwrap());
            assert!(max - min <= 1, "{min} {max}");
            for turn in drafts.chunks(members as usize) {
                let mut who: Vec<u32> = turn.iter().map(|draft| draft.author).collect();
                who.sort_unstable();
                assert_eq!(who, authors);
            }
        }
        assert!(drafts(0, 10, &[0]).is_empty());
    }
}
