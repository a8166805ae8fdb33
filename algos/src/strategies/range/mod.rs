//! `range`: compare fingerprints of time ranges, and cut what differs. Negentropy protocol v1.
//!
//! **Source.** A. Meyer, "Range-Based Set Reconciliation" ([arXiv 2212.13567](https://arxiv.org/abs/2212.13567));
//! the wire format is [negentropy protocol v1](https://github.com/hoytech/negentropy/blob/master/docs/negentropy-protocol-v1.md)
//! by D. Hoyte ([article](https://logperiodic.com/rbsr.html)). The code is our own; with the default parameters
//! every message is byte for byte that of the crate `negentropy` 0.5.3 without a frame limit, which a test
//! runs beside ours.
//!
//! **Idea.** Items are ordered by (time, id). The initiator cuts its set into `buckets` ranges of equal count
//! and sends the fingerprint of each; the peer skips the ranges in which it holds the same and cuts the others
//! again, and so on in turns. A range of under `list` items is not cut but listed, and answered with a list. So
//! the initiator learns both sides of the difference. Negentropy ends there; here the initiator says in one
//! further message what it needs, so that the responder can push it: ranks among all that the responder
//! listed in the session, Rice-coded (as MVDS would REQUEST by rank instead of by id).
//!
//! **Bytes.** A fingerprint with its bound and mode is 18 bytes + the time, which takes 2 to 5: times are
//! distances in ms (the oracles count seconds, 1 or 2 bytes less). The first message is `buckets` of them; every
//! scattered difference adds as many for each further level, until ranges are under `list` items, and two
//! lists of list/buckets to list ids of 32 B. Differences that are neighbours in time share all that, and
//! this is the point. Then about a byte for every need. Accounts: bounds (those of skips and lists too) and fingerprints
//! are `Sketch`, listed ids `Ids`, the request `Request`; version, modes and counts `Control`. **Flights.** At
//! most 2 + 2⌈log_b n⌉ − ⌊log_b t⌋ for b buckets and lists below t, n ≥ t, and one for the request. **CPU.** Nothing depends
//! on the session, so the index keeps prefix sums of the ids of a sealed set (`piece`), and of a growing one a tree of them with
//! counts and sums (`tree`): a fingerprint costs two loads, or O(log n), and one block of SHA-256, sixteen of which
//! are made together (`fingerprint`); a bound a search that begins where the message before had it (`scout`); an insertion O(log n), and a
//! session a snapshot of the tree, O(1). So equal sets cost a few microseconds whatever their size, and no session looks
//! at items that it does not list. Sealing a set sorts words in place of items (`seal`). The crate `negentropy` scans its vector for every level.
//!
//! **How it fails.** Never by chance: two sets share a fingerprint with probability 2^-128. It gives up where a
//! message would exceed [`crate::wire::MESSAGE_LEN_MAX`] or the budget: about 2·10^6 listed ids.
//!
//! **What an attacker can do.** Fingerprints have no salt, so that they can be precomputed, and the price is
//! this: whoever can post messages can grind bodies until two sets of them have the same sum, by Wagner's
//! generalised birthday attack: about 2^39 steps for 128 items in all, near 2^32 for 2^15
//! ([a program that does it](https://github.com/hoytech/birthday-collisions)). Posted at one time, one set here
//! and the other there, they make two members believe that they agree, for as long as no cut falls between
//! them. With exclusive or in place of addition, plain linear algebra would do. A peer can lie about what it
//! holds; ids that it lists outside of their range make us ask for what we hold already.
//!
//! **What we do differently.** We refuse what the protocol allows but nobody writes: empty ranges (bounds must rise
//! strictly), overlong numbers, an id at infinity, another version (the protocol answers with its own), the same
//! item listed twice in a session, a message before our last one is sent. So a message costs O(set + bytes) and a session at most
//! [`crate::wire::ROUNDS_MAX`] of them. The protocol reserves the time 2^64 − 1; items that have it are ordered
//! as if they had the one before.
//!
//! ```
//! use offerbench_algos::{DuelLimits, Finding, Item, ItemId, NeedRef, Role, Seed, Setup, build, duel};
//! let item = |n: u8| Item { at: u64::from(n), id: ItemId::new([n; 32]) };
//! let strategy = build("range")?.strategy;
//! let setup = Setup::new(Seed::new(1));
//! let mut ends = [
//!     strategy.index(&[item(1), item(2)]).open(Role::Initiator, &setup),
//!     strategy.index(&[item(2), item(3)]).open(Role::Responder, &setup),
//! ];
//! let transcript = duel(&mut ends, &DuelLimits::default())?;
//! assert_eq!(transcript.findings[0], [Finding::Have(item(1).id), Finding::Need(NeedRef::Id(item(3).id))]);
//! assert_eq!(transcript.findings[1], [Finding::Have(item(3).id)]);
//! // Two lists of two ids with version, bound, mode and count, a request for one of two ranks, and a header byte a frame.
//! assert_eq!(transcript.bytes(), 2 * (5 + 2 * 32) + 2 + 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compact;
pub(crate) mod fingerprint;
#[cfg(test)]
mod hostile;
mod lists;
mod message;
mod party;
mod piece;
mod scout;
mod seal;
mod search;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

pub(super) use self::compact::ENTRY as COMPACT;
use self::party::{Party, Stop};
use self::tree::RangeSet;
use super::{About, Entry};
use crate::dialog::{Dialog, Out, Talk};
use crate::item::Item;
use crate::session::{Guarantee, Index, NeedRef, Profile, Role, Session, SessionError, Setup, Strategy};
use crate::spec::Param;
use crate::wire::ROUNDS_MAX;

pub(super) static ENTRY: Entry = Entry {
    about: About {
        id: "range",
        what: "fingerprints of time ranges, cut where they differ (negentropy v1)",
        source: "Meyer, arXiv 2212.13567; negentropy protocol v1, https://github.com/hoytech/negentropy",
        shape: "multi-round",
        guarantee: "exact",
        params: &[
            Param {
                name: "buckets",
                default: "16",
                values: &["4", "8", "16", "32", "64"],
                doc: "parts into which a range that differs is cut: fewer save bytes, more save round trips",
            },
            Param {
                name: "list",
                default: "32",
                values: &["8", "16", "32", "64", "128"],
                doc: "a range with fewer items than this is not cut but listed",
            },
        ],
    },
    presets: &[
        "range:buckets=16,list=32",
        "range:buckets=8,list=16",
        "range:buckets=4,list=8",
        "range:buckets=64,list=64",
    ],
    build: |spec| Ok(Box::new(Params { buckets: spec.number("buckets"), list: spec.number("list") })),
};

/// One negentropy message.
const TAG_RANGES: u8 = 1;
/// What the initiator needs: the last message.
const TAG_NEEDS: u8 = 2;

#[derive(Clone, Copy, Debug)]
struct Params {
    buckets: usize,
    list: usize,
}

impl Strategy for Params {
    fn index(&self, items: &[Item]) -> Box<dyn Index> {
        let mut set = RangeSet::seal(items);
        // Only then are there any to be changed, and nearly never.
        if !set.is_empty() && set.cursor().item(set.len() - 1).at == u64::MAX {
            set = RangeSet::seal(&items.iter().copied().map(orderable).collect::<Vec<_>>());
        }
        Box::new(RangeIndex { set, params: *self })
    }

    fn profile(&self) -> Profile {
        Profile { id_bits: 256, keyed: false, guarantee: Guarantee::Exact, oracle: false }
    }
}

/// The item with a time that the protocol can express: the last one stands for infinity.
fn orderable(item: Item) -> Item {
    Item { at: item.at.min(u64::MAX - 1), ..item }
}

/// Keeps the items in order, with their sums.
struct RangeIndex {
    set: RangeSet,
    params: Params,
}

impl Index for RangeIndex {
    fn insert(&mut self, item: Item) {
        self.set.insert(orderable(item));
    }

    fn open(&self, role: Role, setup: &Setup) -> Box<dyn Session> {
        let party = Party::new(self.set.clone(), self.params, role, setup.budget);
        Box::new(Talk::new(Rounds { party, role, heard: 0 }, role, setup))
    }

    fn heap_bytes(&self) -> usize {
        self.set.heap_bytes()
    }
}

/// The conversation.
struct Rounds {
    party: Party,
    role: Role,
    /// Messages with ranges so far.
    heard: u32,
}

impl Rounds {
    fn hear_ranges(&mut self, body: &[u8], out: &mut Out) -> Result<(), Stop> {
        let answer = self.party.answer(body)?;
        if self.role == Role::Responder || !answer.is_empty() {
            out.say(answer.finish());
            return Ok(());
        }
        let found = self.party.settle()?;
        out.say(found.request());
        self.report(&found.haves, out);
        for (_, id) in found.needs {
            out.need(NeedRef::Id(id));
        }
        out.finish();
        Ok(())
    }

    fn report(&self, places: &[u32], out: &mut Out) {
        let mut cursor = self.party.set().cursor();
        for place in places {
            out.have(cursor.item(*place as usize).id);
        }
    }
}

impl Dialog for Rounds {
    fn open(&mut self, out: &mut Out) {
        match self.party.first() {
            Ok(draft) => out.say(draft),
            Err(Stop::GiveUp(reason)) => out.give_up(reason),
            Err(Stop::Broken(_)) => unreachable!("nothing was heard yet"),
        }
    }

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        match (tag, self.role) {
            // Turns are strict, so that nobody piles up answers here.
            (tag, _) if !out.is_sent() => Err(SessionError::Unexpected { tag }),
            (TAG_RANGES, _) => {
                self.heard += 1;
                if self.heard > ROUNDS_MAX {
                    return Err(SessionError::Protocol("more rounds than any set needs"));
                }
                match self.hear_ranges(body, out) {
                    Ok(()) => Ok(()),
                    Err(Stop::GiveUp(reason)) => {
                        out.give_up(reason);
                        Ok(())
                    }
                    Err(Stop::Broken(error)) => Err(error),
                }
            }
            (TAG_NEEDS, Role::Responder) if self.heard > 0 => {
                let haves = self.party.look_up(body)?;
                self.report(&haves, out);
                out.finish();
                Ok(())
            }
            (tag, _) => Err(SessionError::Unexpected { tag }),
        }
    }
}
