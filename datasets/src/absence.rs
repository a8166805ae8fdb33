//! Cuts a trace where a member was really away: what it holds and what the others hold when it returns.
//!
//! An absence is a stretch of a trace that one member did not see. There are two sources for it:
//!
//! - [`absences`]: from the chat alone. Between two consecutive messages of an author everything by others
//!   counts as missed, as if it were online only while it writes. That overstates absence, and is what a phone
//!   that syncs when its owner opens the chat comes near to. It also works on commit graphs, in the order of
//!   the trace.
//! - [`Presence::absences`]: between two stretches online, from a file that says who was connected.
//!
//! [`pair_at`] makes the two sets. The member who returns is the initiator.
//!
//! Most real absences miss nothing and a few miss tens of thousands: an average over them says little, so
//! [`at_quantiles`] and [`sampled`] choose some.

use offerbench_algos::Seed;
use thiserror::Error;

use crate::split::{Holder, deal_any, sample};
use crate::{Message, Pair, PairError, Presence, Trace};

/// A stretch of a trace that one member did not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Absence {
    /// Who was away.
    pub author: u32,
    /// Since when: its last message, or when it disconnected. On the axis of item timestamps.
    pub from_ms: u64,
    /// Until when: its next message, or when it connected.
    pub to_ms: u64,
    /// Index of the first message after it left.
    pub first_index: u32,
    /// Index of the first message after it returned: messages `first_index..end_index` fall into the absence.
    pub end_index: u32,
    /// How many of these are by others: what it lacks at its return.
    pub missed: u32,
}

impl Absence {
    /// How long it lasted. Zero where a committer's clock ran backwards.
    pub const fn length_ms(&self) -> u64 {
        self.to_ms.saturating_sub(self.from_ms)
    }
}

/// Why there are no absences to take.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum AbsenceError {
    /// The presence file numbers other authors.
    #[error(
        "presence file `{presence}` has {speakers} speakers, trace `{trace}` has {authors} authors: take the two files of one recording, their author numbers must agree"
    )]
    OtherTrace {
        /// The presence file.
        presence: String,
        /// Its speakers.
        speakers: u64,
        /// The trace.
        trace: String,
        /// Its authors.
        authors: u64,
    },
    /// Presence is matched by time, and the trace's times run backwards.
    #[error(
        "trace `{trace}` is not monotone: presence can be matched only with a trace whose times do not decrease"
    )]
    NotMonotone {
        /// The trace.
        trace: String,
    },
    /// A quantile that is none.
    #[error("quantile {quantile}: expected a number from 0 to 1")]
    Quantile {
        /// What was given.
        quantile: f64,
    },
    /// There are no absences to choose from.
    #[error("no absence to choose from: ask for shorter ones, or for fewer missed messages")]
    None,
}

/// The absences that the trace itself shows: one between every two consecutive messages of an author, also
/// where nothing was missed. In the order of their ends.
pub fn absences(trace: &Trace) -> Vec<Absence> {
    let mut last_by_author: Vec<Option<(u32, f64)>> = vec![None; trace.header().authors as usize];
    let mut found = Vec::new();
    for (index, record) in (0_u32..).zip(trace.records()) {
        let last = &mut last_by_author[record.author as usize];
        if let Some((before, t)) = *last {
            found.push(Absence {
                author: record.author,
                from_ms: trace.at_ms(t),
                to_ms: trace.at_ms(record.t),
                first_index: before + 1,
                end_index: index,
                missed: index - before - 1,
            });
        }
        *last = Some((index, record.t));
    }
    found
}

impl Presence {
    /// The absences between two stretches online of a member, also of members who never write, and also
    /// where nothing was missed. In the order of their ends. Those with an end that nobody saw are left out.
    ///
    /// A message falls into an absence if `off <= t < on`. The member's own messages in there (clocks without
    /// seconds put some after the disconnection) are not missed, and both sides hold them.
    ///
    /// # Errors
    ///
    /// A trace with other authors, or one whose times run backwards.
    pub fn absences(&self, trace: &Trace) -> Result<Vec<Absence>, AbsenceError> {
        let header = trace.header();
        if self.header().speakers != header.authors {
            return Err(AbsenceError::OtherTrace {
                presence: self.header().name.clone(),
                speakers: self.header().speakers,
                trace: header.name.clone(),
                authors: header.authors,
            });
        }
        if !header.monotone {
            return Err(AbsenceError::NotMonotone { trace: header.name.clone() });
        }
        let times: Vec<f64> = trace.records().map(|record| record.t).collect();
        let index_at = |t: f64| times.partition_point(|time| *time < t) as u32;
        // Indexes of every author's messages, ascending: own messages are counted by two searches.
        let mut own: Vec<Vec<u32>> = vec![Vec::new(); header.authors as usize];
        for (index, record) in (0_u32..).zip(trace.records()) {
            own[record.author as usize].push(index);
        }
        let by_peer = self.by_peer();
        let mut found: Vec<Absence> = by_peer
            .all()
            .windows(2)
            .filter(|two| two[0].peer == two[1].peer && two[0].off_known && two[1].on_known)
            .map(|two| {
                let (author, off, on) = (two[0].peer, two[0].off, two[1].on);
                let (first_index, end_index) = (index_at(off), index_at(on));
                let own_between = own.get(author as usize).map_or(0, |own| {
                    let until = |end: u32| own.partition_point(|index| *index < end) as u32;
                    until(end_index) - until(first_index)
                });
                Absence {
                    author,
                    from_ms: trace.at_ms(off),
                    to_ms: trace.at_ms(on),
                    first_index,
                    end_index,
                    missed: end_index - first_index - own_between,
                }
            })
            .collect();
        found.sort_by_key(|absence| (absence.to_ms, absence.author, absence.first_index));
        Ok(found)
    }
}

/// By what absences are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By how long they lasted.
    Length,
    /// By how many messages were missed.
    Missed,
}

/// The absences at these quantiles, one for each, by nearest rank: quantile 0.5 of ten is the fifth.
///
/// To leave out short ones first, filter by [`Absence::length_ms`] or [`Absence::missed`].
///
/// # Errors
///
/// A quantile outside 0 to 1, or nothing to choose from.
pub fn at_quantiles(absences: &[Absence], by: By, quantiles: &[f64]) -> Result<Vec<Absence>, AbsenceError> {
    if absences.is_empty() {
        return Err(AbsenceError::None);
    }
    let mut sorted = absences.to_vec();
    sorted.sort_by_key(|absence| match by {
        By::Length => (absence.length_ms(), *absence),
        By::Missed => (u64::from(absence.missed), *absence),
    });
    let at = |quantile: &f64| {
        if !(0.0..=1.0).contains(quantile) {
            return Err(AbsenceError::Quantile { quantile: *quantile });
        }
        let rank = (quantile * sorted.len() as f64).ceil() as usize;
        Ok(sorted[rank.clamp(1, sorted.len()) - 1])
    };
    quantiles.iter().map(at).collect()
}

/// `count` different absences drawn by the seed, or all if there are fewer. In the order given.
pub fn sampled(absences: &[Absence], count: usize, seed: Seed) -> Vec<Absence> {
    let mut rng = seed.child("absences").rng();
    let chosen = sample(absences.len(), count.min(absences.len()), &mut rng);
    chosen.into_iter().map(|index| absences[index]).collect()
}

/// The sets that meet when a member returns.
///
/// Both hold what came before the absence and what the member itself wrote. The responder, who stayed, also
/// holds what came during the absence: the pair's `responder_only` is [`Absence::missed`]. Of the member's
/// messages from its return on, the first `written_offline`, as long as nobody else's come between them,
/// count as written while it was away: the initiator alone holds these. Nothing later exists yet.
///
/// `messages` are those of [`Trace::messages`], in the order of the trace.
///
/// # Errors
///
/// An absence that does not lie within `messages`, or messages with equal ids.
///
/// ```
/// use offerbench_algos::{Item, ItemId};
/// use offerbench_datasets::{Absence, Message, pair_at};
///
/// // Author 0 writes, author 1 writes three times, author 0 returns with a message.
/// let message = |(n, author): (u8, u32)| Message { item: Item { at: u64::from(n), id: ItemId::new([n; 32]) }, author };
/// let messages: Vec<Message> = [(0, 0), (1, 1), (2, 1), (3, 1), (4, 0)].map(message).to_vec();
/// let absence = Absence { author: 0, from_ms: 0, to_ms: 4, first_index: 1, end_index: 4, missed: 3 };
///
/// let pair = pair_at(&messages, &absence, 1)?;
/// assert_eq!((pair.initiator_only, pair.responder_only, pair.common()), (1, 3, 1));
/// # Ok::<(), offerbench_datasets::PairError>(())
/// ```
pub fn pair_at(messages: &[Message], absence: &Absence, written_offline: u32) -> Result<Pair, PairError> {
    let (first, end) = (absence.first_index as usize, absence.end_index as usize);
    if first > end || end > messages.len() {
        return Err(PairError::AbsenceOutside {
            first_index: absence.first_index,
            end_index: absence.end_index,
            m: messages.len() as u64,
        });
    }
    let is_own = |message: &&Message| message.author == absence.author;
    let before = messages[..first].iter().map(|message| (*message, Holder::Both));
    let during = messages[first..end]
        .iter()
        .map(|message| (*message, if is_own(&message) { Holder::Both } else { Holder::ResponderOnly }));
    let offline = messages[end..]
        .iter()
        .take(written_offline as usize)
        .take_while(is_own)
        .map(|message| (*message, Holder::InitiatorOnly));
    deal_any(before.chain(during).chain(offline).collect())
}
