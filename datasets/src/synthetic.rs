//! Messages made up from a seed: as many as asked, with real MVDS ids, plain in every other respect.
//!
//! A message comes every minute on average, and one in sixteen carries the same millisecond as the one
//! before it, for range-based strategies must cope with ties. Authors follow Zipf's law over
//! [`AUTHORS`] members. Real groups are burstier than this: for what depends on bursts (how much is missing
//! after an absence) use a trace instead.
//!
//! The union depends on `m` and the seed alone, never on the difference or its pattern: an experiment that
//! varies d varies nothing else.

use offerbench_algos::{Item, ItemId, Rng, Seed};

use crate::split::{check, split};
use crate::{MESSAGES_MAX, Message, Pair, PairError, Pattern};

/// How many members write.
pub const AUTHORS: u32 = 100;

/// Timestamp before the first message, in milliseconds: an evening in November 2023, as good as any.
pub const START_MS: u64 = 1_700_000_000_000;

/// One in this many messages has the timestamp of the one before it.
const TIE_ONE_IN: u64 = 16;

/// Other gaps are uniform below this. With the ties the mean is 64,000 · 15/16 = 60,000 ms: a minute.
const GAP_MS_BOUND: u64 = 128_001;

/// Two members' sets whose union has `m` messages and whose symmetric difference has exactly `d`.
///
/// # Errors
///
/// A difference that the union or the pattern cannot have, or an `m` above [`MESSAGES_MAX`].
///
/// ```
/// use offerbench_algos::Seed;
/// use offerbench_datasets::{Pattern, synthetic};
///
/// let pair = synthetic::pair(100, 7, Pattern::Scattered, Seed::new(1))?;
/// assert_eq!((pair.m(), pair.d()), (100, 7));
/// assert_eq!(pair.initiator_only.abs_diff(pair.responder_only), 1); // 3 and 4, or 4 and 3
/// assert!(synthetic::pair(100, 101, Pattern::Scattered, Seed::new(1)).is_err());
/// # Ok::<(), offerbench_datasets::PairError>(())
/// ```
pub fn pair(m: u64, d: u64, pattern: Pattern, seed: Seed) -> Result<Pair, PairError> {
    check(m, d, pattern)?;
    // Fresh ids are distinct, or SHA-256 is broken; timestamps ascend, so only ties need sorting.
    let mut messages = messages(m, seed)?;
    messages.sort();
    Ok(split(&messages, d, pattern, seed))
}

/// The `m` messages of a group's history, in the order in which they were written.
///
/// # Errors
///
/// [`PairError::TooManyMessages`].
pub fn messages(m: u64, seed: Seed) -> Result<Vec<Message>, PairError> {
    if m > MESSAGES_MAX {
        return Err(PairError::TooManyMessages { m });
    }
    let group: [u8; 32] = seed.child("group").rng().bytes();
    let mut gaps = seed.child("gaps").rng();
    let mut authors = Zipf::new(AUTHORS, seed.child("authors").rng());
    let mut at = START_MS;
    // An index below MESSAGES_MAX fits in four bytes, and with a body of at most five the id's input is one
    // block of SHA-256.
    Ok((0..m as u32)
        .map(|index| {
            if gaps.below(TIE_ONE_IN) != 0 {
                at += gaps.below(GAP_MS_BOUND);
            }
            let id = ItemId::of_message(&group, at, &index.to_le_bytes());
            Message { item: Item { at, id }, author: authors.draw() }
        })
        .collect())
}

/// Zipf's law with exponent 1: the author of rank r writes 1/r as much as the first. In integers, so that it
/// is the same on every machine.
struct Zipf {
    cumulative: Vec<u64>,
    total: u64,
    rng: Rng,
}

impl Zipf {
    fn new(count: u32, rng: Rng) -> Self {
        let mut total = 0;
        let cumulative = (1..=u64::from(count))
            .map(|rank| {
                total += (1 << 32) / rank;
                total
            })
            .collect();
        Self { cumulative, total, rng }
    }

    fn draw(&mut self) -> u32 {
        let point = self.rng.below(self.total);
        self.cumulative.partition_point(|upto| *upto <= point) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_a_minute_with_ties_and_zipf_authors() {
        let messages = messages(100_000, Seed::new(3)).unwrap();
        let times: Vec<u64> = messages.iter().map(|message| message.item.at).collect();
        assert!(times.is_sorted());
        let mean_ms = (times[times.len() - 1] - START_MS) / times.len() as u64;
        assert!((59_500..60_500).contains(&mean_ms), "{mean_ms}");
        let ties = times.windows(2).filter(|two| two[0] == two[1]).count();
        // Binomial(100000, 1/16) has mean 6250 and deviation 77.
        assert!((5_850..6_650).contains(&ties), "{ties}");
        let by = |author: u32| messages.iter().filter(|message| message.author == author).count();
        // 1/H(100) = 0.1928, half of it for the second.
        assert!((18_500..20_100).contains(&by(0)), "{}", by(0));
        assert!((9_100..10_200).contains(&by(1)), "{}", by(1));
        assert!(by(AUTHORS - 1) > 0);
        assert_eq!(by(AUTHORS), 0);
    }

    #[test]
    fn the_union_depends_on_neither_difference_nor_pattern() {
        let union = |d, pattern| {
            let pair = pair(500, d, pattern, Seed::new(9)).unwrap();
            let mut all = [pair.initiator, pair.responder].concat();
            all.sort();
            all.dedup();
            all
        };
        let expected = union(0, Pattern::Equal);
        assert_eq!(expected.len(), 500);
        assert_eq!(union(11, Pattern::Scattered), expected);
        assert_eq!(union(40, Pattern::Author), expected);
        assert_eq!(union(500, Pattern::Empty), expected);
    }

    /// Pinned: a change here changes every recorded run.
    #[test]
    fn the_first_message_is_pinned() {
        let first = messages(1, Seed::new(1)).unwrap()[0];
        assert_eq!(
            (first.item.at, format!("{:?}", first.item.id), first.author),
            (1_700_000_100_154, "6124aea4…".to_owned(), 0)
        );
    }
}
