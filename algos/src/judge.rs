//! The truth about two sets, and what a transcript is worth beside it.

use std::collections::BTreeSet;

use crate::duel::Transcript;
use crate::item::{Item, ItemId};
use crate::session::{Finding, Guarantee, NeedRef, Reason, Verdict};

/// What each end holds and the other lacks. Indexed by role, initiator first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    only: [BTreeSet<ItemId>; 2],
}

impl Truth {
    /// Compares two sets.
    pub fn of(initiator: &[Item], responder: &[Item]) -> Self {
        let ids = |items: &[Item]| {
            let mut ids: Vec<ItemId> = items.iter().map(|item| item.id).collect();
            ids.sort_unstable();
            ids
        };
        let sorted = [ids(initiator), ids(responder)];
        let only = std::array::from_fn(|end| {
            let other = &sorted[1 - end];
            sorted[end].iter().filter(|id| other.binary_search(id).is_err()).copied().collect()
        });
        Self { only }
    }

    /// Items that only this end holds (0 initiator, 1 responder).
    pub fn only(&self, end: usize) -> &BTreeSet<ItemId> {
        &self.only[end]
    }

    /// Size of the symmetric difference.
    pub fn d(&self) -> u64 {
        (self.only[0].len() + self.only[1].len()) as u64
    }
}

/// How a trial ended, as somebody sees it who knows the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All found at the first try.
    Exact,
    /// All found after retries.
    Recovered,
    /// It says itself that it did not finish.
    GaveUp(Reason),
    /// It missed something, as it declares that it may.
    Incomplete,
    /// It invented something, or missed what it claims it cannot miss, or its ends disagree.
    Wrong(&'static str),
}

/// The comparison of a transcript with the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How it ended.
    pub ending: Ending,
    /// Differing items that no `Have` named (of those that the guarantee speaks of).
    pub missed: u64,
    /// Findings that are false or came twice.
    pub invented: u64,
}

/// Judges a transcript.
pub fn judge(truth: &Truth, guarantee: Guarantee, transcript: &Transcript) -> Judgement {
    let (mut missed, mut invented) = (0, 0);
    for end in 0..2 {
        let mut named = BTreeSet::new();
        let mut needed = BTreeSet::new();
        for finding in &transcript.findings[end] {
            let fresh = match finding {
                Finding::Have(id) => truth.only[end].contains(id) && named.insert(*id),
                Finding::Need(NeedRef::Id(id)) => truth.only[1 - end].contains(id) && needed.insert(*id),
                // Only the peer knows what a short id stands for; its `Have` is checked.
                Finding::Need(NeedRef::Short(_)) => true,
            };
            invented += u64::from(!fresh);
        }
        if end == 1 || guarantee != Guarantee::MayMissOneWay {
            missed += (truth.only[end].len() - named.len()) as u64;
        }
    }
    let [a, b] = transcript.verdicts;
    let ending = if invented > 0 {
        Ending::Wrong("it reported an item that does not differ")
    } else if a != b {
        Ending::Wrong("its ends disagree on how it ended")
    } else {
        match a {
            Verdict::GaveUp(reason) => Ending::GaveUp(reason),
            _ if missed > 0 && guarantee == Guarantee::Exact => {
                Ending::Wrong("it missed an item that it claims it cannot miss")
            }
            _ if missed > 0 => Ending::Incomplete,
            Verdict::Exact => Ending::Exact,
            Verdict::Recovered { .. } => Ending::Recovered,
        }
    };
    Judgement { ending, missed, invented }
}
