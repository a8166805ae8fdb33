//! `range-compact`: ranges as `range` cuts them, on a wire of their own that takes a tenth of the bytes.
//!
//! **Source.** The recursion is that of A. Meyer, "Range-Based Set Reconciliation"
//! ([arXiv 2212.13567](https://arxiv.org/abs/2212.13567)); the wire is ours, and no other program speaks it.
//!
//! **Idea.** Negentropy pays for what both ends know already, and for collisions that an end check would find. Here
//!
//! * nobody repeats a bound: an answer is a bit for each fingerprint of the message before, so that agreement costs
//!   a bit, and the bounds of a cut are written relative to the range that is cut (`point`);
//! * fingerprints are `fp` bits of a hash of the sum of ids under the session's key, listed ids `bits` bits of a
//!   hash of the id under that key;
//! * a list is answered with its difference: a bit for each id of it that is lacked, and (from the responder, so that
//!   the initiator learns what it needs) the short ids that the list lacks;
//! * with `sketch`, a short range that differs where its neighbours agree is not cut further and listed, but sketched: such a
//!   range mostly differs in one item, or two, and a sketch of that capacity takes as many bytes as one listed
//!   id or two, whatever the range holds (`leaf`). Whoever cannot decode it cuts on.
//!
//! **Why it is exact.** Whoever leaves nothing open adds the *seal*: 64 keyed bits of the sum of all its ids but
//! those that it found the other to lack. What remains must be the same on both sides, so the other compares it with
//! its own before either reports anything; where it differs, the initiator starts anew with a fresh salt. So a
//! collision of fingerprints or short ids costs a retry, and a false result has probability 2^-64.
//!
//! **Bytes.** The fingerprint with its bound and the bit of its answer is fp + 1 + about log2(items in the range) +
//! 2 bits, 5 to 6 bytes with fp=32, where negentropy takes 22. Each of d scattered differences of n items costs
//! `split` of them for each level between n/d items and `list`, and then a list of list/split to list ids of
//! `bits` bits each. Measured at n = 10^6, d = 10^3 (example `range_speed`): 98 bytes a difference with split=4, list=8 in 12 messages, 175 with
//! split=16, list=32 in 7, 53 with split=4, list=128, sketch=2 in 12, where `range` takes 1,393 in 7. Sketches save more where differences
//! are rarer (102 to 48 bytes, and 10 messages to 8, at n = 10^5, d = 100) and nothing where most ranges differ (12 and
//! 12 at n = 2·10^4, d = 10^4). Salt, two lengths, a verdict and the seal are 19 bytes; equal sets cost
//! about 60. Accounts: bounds and fingerprints are `Sketch`, short ids `Ids`, bits for lacked ids `Request`.
//! **Flights.** One for each level, log_split(n/list) and up to two more, and the verdict. **CPU.** A session hashes
//! what it lists and the sum of each range that it compares; the sums themselves have no key, so that the index
//! keeps them (see `range`). A sketch hashes all of its range, at both ends: more than twice the time of a session
//! without.
//!
//! **How it fails.** A sketch of more differences than it has room for is seen to be one by a count and 16 keyed bits, and costs its bytes
//! and a flight. An attempt compares some d·log_split(n/list) fingerprints that differ, each of which agrees by
//! chance with probability 2^-fp, and about as many pairs of ids of two lists that should not: with fp=32, bits=32 and
//! n = 10^6, d = 10^3 about one attempt in 10^5 fails. It gives up after [`crate::wire::RETRIES_MAX`] retries, or where
//! a message would exceed the budget.
//!
//! **What an attacker can do.** Short ids and fingerprints are hashed with a key that nobody knows before the session,
//! but the sums that are hashed are of ids as they are: two sets that were ground to have one sum (Wagner's generalised birthday, about
//! 2^39 steps for 128 items; see `range`) agree under every key, and for the seal too. Keying the ids before they are summed would
//! cost a hash of every item for every session. The initiator chooses the salt alone: a peer that lies can as well say that it lacks nothing.
//!
//! ```
//! use offerbench_algos::{DuelLimits, Finding, Item, ItemId, Role, Seed, Setup, build, duel};
//! let item = |n: u8| Item { at: u64::from(n), id: ItemId::new([n; 32]) };
//! let strategy = build("range-compact")?.strategy;
//! let setup = Setup::new(Seed::new(1));
//! let mut ends = [
//!     strategy.index(&[item(1), item(2)]).open(Role::Initiator, &setup),
//!     strategy.index(&[item(2), item(3)]).open(Role::Responder, &setup),
//! ];
//! let transcript = duel(&mut ends, &DuelLimits::default())?;
//! assert_eq!(transcript.findings[0][0], Finding::Have(item(1).id));
//! assert_eq!(transcript.findings[1], [Finding::Have(item(3).id)]);
//! assert_eq!(transcript.flights, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod leaf;
mod party;
mod point;
#[cfg(test)]
mod tests;
mod turn;

use self::leaf::CAPACITY_MAX;
use self::party::{Heard, Party};
use self::turn::Turn;
use super::party::Stop;
use super::tree::RangeSet;
use crate::close::{TAG_VERDICT, read_verdict, verdict_draft};
use crate::dialog::{Dialog, Out, Talk};
use crate::item::Item;
use crate::salt::{Key, Salt};
use crate::session::{
    Budget, Guarantee, Index, NeedRef, Profile, Reason, Role, Session, SessionError, Setup, Strategy,
};
use crate::spec::Param;
use crate::strategies::{About, Entry};
use crate::wire::{Draft, Purpose, RETRIES_MAX, ROUNDS_MAX, Reader, WireError};

pub static ENTRY: Entry = Entry {
    about: About {
        id: "range-compact",
        what: "time ranges as in range, with short keyed ids and fingerprints, and answers that name only differences",
        source: "Meyer, arXiv 2212.13567; the wire is our own",
        shape: "multi-round",
        guarantee: "exact",
        params: &[
            Param {
                name: "split",
                default: "4",
                values: &["4", "8", "16", "32"],
                doc: "parts into which a range that differs is cut: fewer save bytes, more save round trips",
            },
            Param {
                name: "list",
                default: "8",
                values: &["4", "8", "16", "32", "64", "128"],
                doc: "a range with fewer items than this is not cut but listed, or sketched; at least split",
            },
            Param {
                name: "fp",
                default: "32",
                values: &["24", "32", "48", "64"],
                doc: "bits of a fingerprint: fewer save bytes, and cost a retry when two collide",
            },
            Param {
                name: "bits",
                default: "32",
                values: &["24", "32", "48", "64"],
                doc: "bits of a listed id: fewer save bytes, and cost a retry when two collide",
            },
            Param {
                name: "sketch",
                default: "0",
                values: &["0", "1", "2", "3", "4"],
                doc: "differences that a short range tells by a sketch instead of a list; 0: no sketches",
            },
        ],
    },
    presets: &[
        "range-compact:split=4,list=8",
        "range-compact:split=16,list=32",
        "range-compact:split=4,list=128,sketch=2",
    ],
    build: |spec| {
        let params = Params {
            split: spec.number("split"),
            list: spec.number("list"),
            fp_bits: spec.number("fp"),
            id_bits: spec.number("bits"),
            sketch: spec.number("sketch"),
        };
        if params.list < params.split {
            return Err(spec.conflict("a range that is cut must have an item for each part: list >= split"));
        }
        if params.sketch > 0 && params.id_bits == 24 {
            return Err(spec.conflict("there are no sketches of ids of 24 bits"));
        }
        Ok(Box::new(params))
    },
};

/// The initiator begins, or begins anew: salt, lengths in bits, its first turn.
const TAG_OPEN: u8 = 1;
/// A turn.
const TAG_TURN: u8 = 2;

#[derive(Clone, Copy, Debug)]
struct Params {
    split: usize,
    list: usize,
    fp_bits: u32,
    id_bits: u32,
    /// Capacity of sketches of leaves, 0 for none.
    sketch: u8,
}

/// In the byte of the length of ids: a capacity follows.
const SKETCHES: u8 = 0x80;

impl Strategy for Params {
    fn index(&self, items: &[Item]) -> Box<dyn Index> {
        Box::new(CompactIndex { set: RangeSet::seal(items), params: *self })
    }

    fn profile(&self) -> Profile {
        Profile { id_bits: self.id_bits, keyed: true, guarantee: Guarantee::Exact, oracle: false }
    }
}

/// Keeps the items in order, with their sums.
struct CompactIndex {
    set: RangeSet,
    params: Params,
}

impl Index for CompactIndex {
    fn insert(&mut self, item: Item) {
        self.set.insert(item);
    }

    fn open(&self, role: Role, setup: &Setup) -> Box<dyn Session> {
        let rounds = Rounds {
            set: self.set.clone(),
            params: self.params,
            role,
            setup: *setup,
            party: None,
            phase: Phase::Talking,
            heard: 0,
        };
        Box::new(Talk::new(rounds, role, setup))
    }

    fn heap_bytes(&self) -> usize {
        self.set.heap_bytes()
    }
}

/// What is heard next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A turn; or, for the responder at first, the opening.
    Talking,
    /// What the peer makes of the seal.
    Sealed,
    /// The responder has refused a seal: the next opening.
    Refused,
}

/// The conversation.
struct Rounds {
    set: RangeSet,
    params: Params,
    role: Role,
    setup: Setup,
    /// The attempt under way.
    party: Option<Party>,
    phase: Phase,
    /// Turns heard in this attempt.
    heard: u32,
}

impl Rounds {
    fn begin(&mut self, salt: Salt, params: Params, out: &mut Out) -> &mut Party {
        out.attempt();
        self.phase = Phase::Talking;
        self.heard = 0;
        let budget: Budget = self.setup.budget;
        // Nobody can have ground ids for a salt that was not yet sent.
        let key = Key::one_party(salt);
        self.party.insert(Party::new(self.set.clone(), params, self.role, budget, key))
    }

    /// The initiator's first words in an attempt.
    fn say_opening(&mut self, out: &mut Out) -> Result<(), Stop> {
        let attempt = self.setup.seed.child("attempt").nth(u64::from(out.retries()));
        let salt = Salt::of(attempt, Role::Initiator);
        let params = self.params;
        let party = self.begin(salt, params, out);
        let mut draft = Draft::new(TAG_OPEN);
        draft.bytes(Purpose::Salt, &salt.to_bytes());
        draft.bytes(Purpose::Control, &[params.fp_bits as u8]);
        match params.sketch {
            0 => draft.bytes(Purpose::Control, &[params.id_bits as u8]),
            capacity => draft.bytes(Purpose::Control, &[params.id_bits as u8 | SKETCHES, capacity]),
        };
        let turn = party.first()?;
        party.put(turn, &mut draft);
        out.say(draft);
        Ok(())
    }

    /// The responder hears an attempt begin. Returns the first turn.
    fn hear_opening<'b>(&mut self, body: &'b [u8], out: &mut Out) -> Result<&'b [u8], Stop> {
        if self.phase == Phase::Sealed {
            self.fail(out)?;
        }
        let mut reader = Reader::new(body);
        let salt = Salt::read(&mut reader).map_err(SessionError::from)?;
        let length = |what, byte| -> Result<u32, SessionError> {
            match byte {
                24 | 32 | 48 | 64 => Ok(u32::from(byte)),
                _ => Err(WireError::BadValue { what, value: u64::from(byte) }.into()),
            }
        };
        let fp_bits = length("fingerprint bits", reader.u8("fingerprint bits").map_err(SessionError::from)?)?;
        let byte = reader.u8("id bits").map_err(SessionError::from)?;
        let id_bits = length("id bits", byte & !SKETCHES)?;
        let mut sketch = 0;
        if byte & SKETCHES != 0 {
            let what = "capacity of sketches";
            sketch = reader.u8(what).map_err(SessionError::from)?;
            if !(1..=CAPACITY_MAX).contains(&sketch) || id_bits == 24 {
                return Err(SessionError::from(WireError::BadValue { what, value: u64::from(sketch) }).into());
            }
        }
        let params = Params { fp_bits, id_bits, sketch, ..self.params };
        self.begin(salt, params, out);
        Ok(reader.rest())
    }

    /// Counts an attempt whose seal was refused.
    fn fail(&mut self, out: &mut Out) -> Result<(), Stop> {
        out.failure();
        if out.retries() >= RETRIES_MAX {
            return Err(Stop::GiveUp(Reason::Undecodable));
        }
        out.retry();
        Ok(())
    }

    fn hear_turn(&mut self, body: &[u8], out: &mut Out) -> Result<(), Stop> {
        self.heard += 1;
        if self.heard > ROUNDS_MAX {
            return Err(SessionError::Protocol("more rounds than any set needs").into());
        }
        let party = self.party.as_mut().ok_or(SessionError::Unexpected { tag: TAG_TURN })?;
        match party.hear(body)? {
            Heard::Answer(turn) => {
                self.say_turn(*turn, out);
                Ok(())
            }
            Heard::End(true) => {
                out.say(verdict_draft(true));
                self.report(out);
                Ok(())
            }
            Heard::End(false) => {
                self.fail(out)?;
                if self.role == Role::Initiator {
                    return self.say_opening(out);
                }
                out.say(verdict_draft(false));
                self.phase = Phase::Refused;
                Ok(())
            }
        }
    }

    fn say_turn(&mut self, turn: Turn, out: &mut Out) {
        let Some(party) = &mut self.party else { return };
        let mut draft = Draft::new(TAG_TURN);
        party.put(turn, &mut draft);
        if party.is_settled() {
            self.phase = Phase::Sealed;
        }
        out.say(draft);
    }

    fn hear_verdict(&mut self, body: &[u8], out: &mut Out) -> Result<(), Stop> {
        if read_verdict(body)? {
            self.report(out);
            return Ok(());
        }
        if self.role == Role::Responder {
            return Err(SessionError::Protocol("an initiator that refuses a seal begins anew").into());
        }
        self.fail(out)?;
        self.say_opening(out)
    }

    /// Reports what both ends agree on.
    fn report(&mut self, out: &mut Out) {
        let Some(party) = &mut self.party else { return };
        let mut found = std::mem::take(&mut party.found);
        found.haves.sort_unstable();
        let mut cursor = self.set.cursor();
        for place in found.haves {
            out.have(cursor.item(place as usize).id);
        }
        for short in found.needs {
            out.need(NeedRef::Short(short));
        }
        out.finish();
    }

    fn hear_any(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), Stop> {
        match (tag, self.role, self.phase) {
            (TAG_OPEN, Role::Responder, phase) if phase != Phase::Talking || self.party.is_none() => {
                let turn = self.hear_opening(body, out)?;
                self.hear_turn(turn, out)
            }
            (TAG_TURN, _, Phase::Talking) => self.hear_turn(body, out),
            (TAG_VERDICT, _, Phase::Sealed) => self.hear_verdict(body, out),
            _ => Err(SessionError::Unexpected { tag }.into()),
        }
    }
}

impl Dialog for Rounds {
    fn open(&mut self, out: &mut Out) {
        match self.say_opening(out) {
            Ok(()) => {}
            Err(Stop::GiveUp(reason)) => out.give_up(reason),
            Err(Stop::Broken(_)) => unreachable!("nothing was heard yet"),
        }
    }

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        match self.hear_any(tag, body, out) {
            Ok(()) => Ok(()),
            Err(Stop::GiveUp(reason)) => {
                out.give_up(reason);
                Ok(())
            }
            Err(Stop::Broken(error)) => Err(error),
        }
    }
}
