//! Splits one set of messages into the sets of two members that differ by a [`Pattern`].
//!
//! The union comes first, then every message gets a *holder*: both members, or one of them. The difference
//! d is the number of messages with one holder, so it is exact by construction; what a pattern decides is
//! only which messages those are.

use offerbench_algos::{Item, Rng, Seed};
use thiserror::Error;

use crate::Pattern;

/// The most messages a union may have: beyond it a mistyped exponent would eat the machine's memory.
pub const MESSAGES_MAX: u64 = 1 << 26;

/// A message of a group's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    /// Its timestamp and id.
    pub item: Item,
    /// Who wrote it, a small number.
    pub author: u32,
}

/// The sets of two members. Both are sorted by `(at, id)` and hold no item twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// What the member holds who opens the session.
    pub initiator: Vec<Item>,
    /// What the member holds who answers.
    pub responder: Vec<Item>,
    /// How many messages the initiator alone holds.
    pub initiator_only: u64,
    /// How many messages the responder alone holds.
    pub responder_only: u64,
    /// At how many places of the union, in order of `(at, id)`, the two differ: neighbours that one member or the other
    /// holds alone are one place. What ranges pay for, where sketches pay for d.
    pub stretches: u64,
}

impl Pair {
    /// Size of the symmetric difference.
    pub const fn d(&self) -> u64 {
        self.initiator_only + self.responder_only
    }

    /// Size of the union.
    pub fn m(&self) -> u64 {
        self.initiator.len() as u64 + self.responder_only
    }

    /// How many messages both hold.
    pub fn common(&self) -> u64 {
        self.m() - self.d()
    }
}

/// Why two such sets cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PairError {
    /// More differences than messages.
    #[error("a difference of d = {d} does not fit in a union of m = {m} messages: take d of at most {m}")]
    DifferenceTooLarge {
        /// Size of the difference asked for.
        d: u64,
        /// Size of the union.
        m: u64,
    },
    /// The pattern has only one difference, another one was asked for.
    #[error(
        "pattern `{pattern}` over m = {m} messages always has d = {forced}, but d = {d} was asked for: take d = {forced} or another pattern"
    )]
    DifferenceForced {
        /// The pattern.
        pattern: Pattern,
        /// Size of the union.
        m: u64,
        /// The difference that the pattern has.
        forced: u64,
        /// The difference asked for.
        d: u64,
    },
    /// The union is larger than [`MESSAGES_MAX`].
    #[error("a union of m = {m} messages is above the limit of {MESSAGES_MAX}: take a smaller m")]
    TooManyMessages {
        /// Size of the union asked for.
        m: u64,
    },
    /// The absence is not one of these messages.
    #[error(
        "an absence over messages {first_index}..{end_index} does not lie within {m} messages: take the messages of the trace that it was found in"
    )]
    AbsenceOutside {
        /// Its first message.
        first_index: u32,
        /// The first message after it.
        end_index: u32,
        /// How many messages there are.
        m: u64,
    },
    /// Two messages of the union have one id: then d would be wrong.
    #[error("two messages have the id {id}: ids must differ, else the difference cannot be counted")]
    RepeatedId {
        /// The id, in hex.
        id: String,
    },
}

/// Who holds a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Both.
    Both,
    /// The initiator alone.
    InitiatorOnly,
    /// The responder alone.
    ResponderOnly,
}

/// Two members' sets whose union is `messages` and whose symmetric difference has `d` messages.
///
/// Messages are taken in the order `(at, id)`, whatever order they are given in. With an odd `d` a pattern
/// that takes from both sides takes the extra message from a side drawn by the seed. The pattern
/// [`Author`](Pattern::Author) takes whole authors, those with the most messages first, as long as they fit
/// in `d`; if no set of whole authors found in this way has exactly `d` messages, the author who overshoots
/// least loses only the newest ones, so at most one author is missing in part.
///
/// # Errors
///
/// A difference that the union or the pattern cannot have, a union that is too large, or one with equal ids.
///
/// ```
/// use offerbench_algos::{Item, ItemId, Seed};
/// use offerbench_datasets::{Message, Pattern, pair_from_messages};
///
/// let message = |n: u8| Message { item: Item { at: u64::from(n), id: ItemId::new([n; 32]) }, author: 0 };
/// let history: Vec<Message> = (0..10).map(message).collect();
/// let pair = pair_from_messages(&history, 4, Pattern::Recent, Seed::new(1))?;
/// assert_eq!((pair.initiator.len(), pair.responder.len(), pair.d()), (8, 8, 4));
/// # Ok::<(), offerbench_datasets::PairError>(())
/// ```
pub fn pair_from_messages(
    messages: &[Message],
    d: u64,
    pattern: Pattern,
    seed: Seed,
) -> Result<Pair, PairError> {
    let m = messages.len() as u64;
    check(m, d, pattern)?;
    let mut sorted = messages.to_vec();
    sorted.sort_unstable();
    refuse_repeated_ids(&sorted)?;
    Ok(split(&sorted, d, pattern, seed))
}

/// Whether sets with these numbers exist.
pub(crate) fn check(m: u64, d: u64, pattern: Pattern) -> Result<(), PairError> {
    if m > MESSAGES_MAX {
        return Err(PairError::TooManyMessages { m });
    }
    if let Some(forced) = pattern.forced_d(m).filter(|forced| *forced != d) {
        return Err(PairError::DifferenceForced { pattern, m, forced, d });
    }
    if d > m {
        return Err(PairError::DifferenceTooLarge { d, m });
    }
    Ok(())
}

/// Compares the first eight bytes of all ids, and whole ids only if two of those are equal.
fn refuse_repeated_ids(messages: &[Message]) -> Result<(), PairError> {
    let prefix =
        |message: &Message| message.item.id.bytes().first_chunk().map_or(0, |b| u64::from_be_bytes(*b));
    let mut prefixes: Vec<u64> = messages.iter().map(prefix).collect();
    prefixes.sort_unstable();
    if prefixes.windows(2).all(|two| two[0] != two[1]) {
        return Ok(());
    }
    let mut ids: Vec<_> = messages.iter().map(|message| message.item.id).collect();
    ids.sort_unstable();
    match ids.windows(2).find(|two| two[0] == two[1]) {
        None => Ok(()),
        Some(two) => {
            Err(PairError::RepeatedId { id: two[0].bytes().iter().map(|b| format!("{b:02x}")).collect() })
        }
    }
}

/// The pair itself. `sorted` is sorted and without repetition, and the numbers are checked.
pub(crate) fn split(sorted: &[Message], d: u64, pattern: Pattern, seed: Seed) -> Pair {
    let mut rng = seed.child("differences").rng();
    // `d <= m <= MESSAGES_MAX` fits in every usize.
    let (m, d) = (sorted.len(), d as usize);
    let mut holders = vec![Holder::Both; m];
    match pattern {
        Pattern::Equal => {}
        Pattern::Empty => holders.fill(Holder::ResponderOnly),
        Pattern::Gap => {
            let first = rng.below((m - d) as u64 + 1) as usize;
            holders[first..first + d].fill(Holder::ResponderOnly);
        }
        Pattern::Superset => {
            for index in sample(m, d, &mut rng) {
                holders[index] = Holder::ResponderOnly;
            }
        }
        Pattern::Scattered => {
            let mut chosen = sample(m, d, &mut rng);
            rng.shuffle(&mut chosen);
            alternate(&mut holders, &chosen, &mut rng);
        }
        Pattern::Recent => {
            let newest_first: Vec<usize> = (m - d..m).rev().collect();
            alternate(&mut holders, &newest_first, &mut rng);
        }
        Pattern::Author => {
            for index in by_authors(sorted, d, &mut rng) {
                holders[index] = Holder::ResponderOnly;
            }
        }
    }
    deal(sorted, &holders)
}

/// The pair of messages in any order whose holders are known.
pub(crate) fn deal_any(mut held: Vec<(Message, Holder)>) -> Result<Pair, PairError> {
    held.sort_unstable_by_key(|(message, _)| *message);
    let (sorted, holders): (Vec<Message>, Vec<Holder>) = held.into_iter().unzip();
    refuse_repeated_ids(&sorted)?;
    Ok(deal(&sorted, &holders))
}

/// Gives each member what it holds, and counts what one alone holds.
fn deal(sorted: &[Message], holders: &[Holder]) -> Pair {
    let count = |holder: Holder| holders.iter().filter(|h| **h == holder).count();
    let (initiator_only, responder_only) = (count(Holder::InitiatorOnly), count(Holder::ResponderOnly));
    let mut initiator = Vec::with_capacity(sorted.len() - responder_only);
    let mut responder = Vec::with_capacity(sorted.len() - initiator_only);
    for (message, holder) in sorted.iter().zip(holders) {
        if *holder != Holder::ResponderOnly {
            initiator.push(message.item);
        }
        if *holder != Holder::InitiatorOnly {
            responder.push(message.item);
        }
    }
    let shared = |holder: &Holder| *holder == Holder::Both;
    let stretches =
        holders.chunk_by(|a, b| shared(a) == shared(b)).filter(|alike| !shared(&alike[0])).count();
    Pair {
        initiator,
        responder,
        initiator_only: initiator_only as u64,
        responder_only: responder_only as u64,
        stretches: stretches as u64,
    }
}

/// Makes the listed messages missing on one side and the other in turn. The seed draws who is first.
fn alternate(holders: &mut [Holder], indexes: &[usize], rng: &mut Rng) {
    let first = rng.below(2) as usize;
    for (turn, index) in indexes.iter().enumerate() {
        holders[*index] =
            if (turn + first).is_multiple_of(2) { Holder::ResponderOnly } else { Holder::InitiatorOnly };
    }
}

/// `d` of the indexes below `m`, every such set equally likely, in ascending order.
pub(crate) fn sample(m: usize, d: usize, rng: &mut Rng) -> Vec<usize> {
    // Draws the smaller of the set and its complement: then most draws hit an index not yet taken.
    let draw_complement = d > m / 2;
    let mut drawn = vec![false; m];
    let mut left = if draw_complement { m - d } else { d };
    while left > 0 {
        let taken = &mut drawn[rng.below(m as u64) as usize];
        left -= usize::from(!*taken);
        *taken = true;
    }
    (0..m).filter(|index| drawn[*index] != draw_complement).collect()
}

/// Indexes of `d` messages by as few authors as the greedy choice of [`pair_from_messages`] finds.
fn by_authors(sorted: &[Message], d: usize, rng: &mut Rng) -> Vec<usize> {
    let mut by_author: Vec<(u32, usize)> =
        sorted.iter().enumerate().map(|(index, message)| (message.author, index)).collect();
    by_author.sort_unstable();
    // Every author's indexes, oldest first. Authors with equally many messages are tried in a drawn order.
    let mut authors: Vec<&[(u32, usize)]> = by_author.chunk_by(|a, b| a.0 == b.0).collect();
    rng.shuffle(&mut authors);
    authors.sort_by_key(|messages| std::cmp::Reverse(messages.len()));

    let mut chosen: Vec<&[(u32, usize)]> = Vec::new();
    let mut left = d;
    if let Some(exact) = authors.iter().find(|messages| messages.len() == d) {
        chosen.push(exact);
        left = 0;
    }
    let mut partly: Option<&[(u32, usize)]> = None;
    if left > 0 {
        for messages in &authors {
            if messages.len() <= left {
                left -= messages.len();
                chosen.push(messages);
            }
        }
        // `authors` is sorted by length, so the last one that is long enough overshoots least. An author
        // chosen above is skipped; someone is left, because `d` is at most the number of all messages.
        let skip = |messages: &[(u32, usize)]| chosen.iter().any(|c| c[0].0 == messages[0].0);
        if left > 0 {
            partly = authors.iter().copied().rfind(|messages| messages.len() > left && !skip(messages));
        }
    }
    let partly = partly.map(|messages| &messages[messages.len() - left..]);
    chosen.into_iter().chain(partly).flatten().map(|(_, index)| *index).collect()
}
