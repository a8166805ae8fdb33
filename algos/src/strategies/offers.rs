//! `offers`: send the list of what you hold.
//!
//! **Source.** MVDS ([2/MVDS](https://rfc.vac.dev/spec/2/)): OFFER every id, the peer answers REQUEST for
//! those it lacks. Field numbers 5002 and 5003 make an entry of either 3 + 1 + 32 = 36 bytes.
//!
//! **Idea.** With `id=256` the initiator sends the MVDS offer list of all its ids, and the responder the MVDS
//! request list of those it lacks; what the *initiator* lacks the responder now knows too and may push.
//! That is less than real MVDS sends: there the responder also ACKs every known id (36 B each) and offers
//! its own surplus instead of pushing it.
//!
//! With `id=short` it is the honest best form of a list: salted short ids of `bits` bits (`auto`: as many as
//! log2(n_A·n_B) rounded up, so that a session collides with probability below d / the smaller set), sorted and
//! Rice-coded (about bits − log2 n + 1.5 bits an id), asked for by rank in the list instead of by id, with
//! an end check of 8 bytes against colliding short ids, and no list at all when one side is empty. Of two
//! sets whose sizes differ by more than an eighth the smaller is listed.
//!
//! **Bytes.** `id=256`: 36·(n_A + |A∖B|). `id=short`: n·(bits − log2 n + 1.5)/8 + ranks of the needed, + 30.
//! **Flights.** 2; `id=short` 4, or 5 when the initiator has to list. **CPU.** One sort of the set; with
//! `id=short` one keyed hash of every item.
//!
//! **How it fails.** `id=256` does not. `id=short` fails its end check when short ids collide, with probability
//! about n·d/2^bits, and is repeated under a fresh key. **What an attacker can do.** Nobody but the peer knows
//! the key; the peer can lie about what it holds, which costs it only its own messages.
//!
//! ```
//! use offerbench_algos::{DuelLimits, Finding, Item, ItemId, Role, Seed, Setup, build, duel};
//! let item = |n: u8| Item { at: u64::from(n), id: ItemId::new([n; 32]) };
//! let strategy = build("offers:id=256")?.strategy;
//! let setup = Setup::new(Seed::new(1));
//! let mut ends = [
//!     strategy.index(&[item(1), item(2)]).open(Role::Initiator, &setup),
//!     strategy.index(&[item(2), item(3)]).open(Role::Responder, &setup),
//! ];
//! let transcript = duel(&mut ends, &DuelLimits::default())?;
//! assert_eq!(transcript.findings[0], [Finding::Have(item(1).id)]);
//! assert!(transcript.findings[1].contains(&Finding::Have(item(3).id)));
//! // Two offers, one request, and a header byte a frame.
//! assert_eq!(transcript.bytes(), 3 * 36 + 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::{About, Entry};
use crate::bits::{put_ranks, put_sorted, take_ranks, take_sorted};
use crate::close::{Keyed, TAG_VERDICT, read_verdict, verdict_draft};
use crate::dialog::{Dialog, Out};
use crate::item::{Item, ItemId};
use crate::salt::{Key, Salt};
use crate::session::{Guarantee, Index, NeedRef, Profile, Reason, Role, SessionError, Setup, Strategy};
use crate::sorted::{OpenOnSet, SetIndex, SortedSet};
use crate::spec::Param;
use crate::wire::{Draft, Purpose, RETRIES_MAX, Reader, SET_LEN_MAX};

pub(super) static ENTRY: Entry = Entry {
    about: About {
        id: "offers",
        what: "the MVDS offer list of all ids, or its best form: short, sorted, Rice-coded",
        source: "2/MVDS, https://rfc.vac.dev/spec/2/",
        shape: "one list, one request list",
        guarantee: "exact",
        params: &[
            Param {
                name: "id",
                default: "short",
                values: &["256", "short"],
                doc: "full 32-byte ids as MVDS records, or salted short ids",
            },
            Param {
                name: "bits",
                default: "auto",
                values: &["auto", "24", "32", "40", "48", "64"],
                doc: "length of short ids, auto: log2 of the product of both sizes; only read with id=short",
            },
        ],
    },
    presets: &["offers:bits=auto", "offers:bits=32", "offers:bits=48", "offers:id=256"],
    build: |spec| {
        let params = match spec.get("id") {
            "256" => Params::Full,
            _ => Params::Short { bits: (spec.get("bits") != "auto").then(|| spec.number("bits")) },
        };
        Ok(Box::new(params))
    },
};

/// Which list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Params {
    /// Of full ids.
    Full,
    /// Of short ids.
    Short {
        /// Their length; none: as the sizes of both sets ask for.
        bits: Option<u32>,
    },
}

impl Strategy for Params {
    fn index(&self, items: &[Item]) -> Box<dyn Index> {
        SetIndex::boxed(items, self)
    }

    fn profile(&self) -> Profile {
        let (id_bits, keyed) = match self {
            Self::Full => (256, false),
            Self::Short { bits } => (bits.unwrap_or(0), true),
        };
        Profile { id_bits, keyed, guarantee: Guarantee::Exact, oracle: false }
    }
}

impl OpenOnSet for Params {
    fn open(&self, set: SortedSet, role: Role, setup: &Setup) -> Box<dyn Dialog> {
        match self {
            Self::Full => Box::new(Full { set }),
            Self::Short { bits } => Box::new(Short::new(set, role, setup, *bits)),
        }
    }
}

const TAG_OFFER: u8 = 1;
const TAG_REQUEST: u8 = 2;
/// Key (field 5002, length-delimited) and length of an OFFER entry.
const OFFER_HEAD: [u8; 4] = [0xd2, 0xb8, 0x02, 32];
/// The same for REQUEST, field 5003.
const REQUEST_HEAD: [u8; 4] = [0xda, 0xb8, 0x02, 32];
/// Bytes of an OFFER, REQUEST or ACK entry in MVDS.
const ENTRY_LEN: usize = OFFER_HEAD.len() + ItemId::LEN;

/// `id=256`.
struct Full {
    set: SortedSet,
}

impl Full {
    fn list(tag: u8, head: [u8; 4], purpose: Purpose, ids: impl Iterator<Item = ItemId>) -> Draft {
        let mut draft = Draft::new(tag);
        for id in ids {
            draft.bytes(Purpose::Control, &head).bytes(purpose, id.bytes());
        }
        draft
    }

    /// The ids of a list, sorted.
    fn parse(body: &[u8], head: [u8; 4]) -> Result<Vec<ItemId>, SessionError> {
        let mut reader = Reader::new(body);
        let mut ids = Vec::with_capacity(body.len() / ENTRY_LEN);
        while reader.left() > 0 {
            if reader.array::<4>("entry")? != head {
                return Err(SessionError::Protocol("a record that does not belong in this list"));
            }
            ids.push(ItemId::new(reader.array("id")?));
        }
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(SessionError::Protocol("an id stands twice in a list"));
        }
        Ok(ids)
    }

    fn own_ids(&self) -> Vec<ItemId> {
        let mut ids: Vec<ItemId> = self.set.items().iter().map(|item| item.id).collect();
        ids.sort_unstable();
        ids
    }
}

impl Dialog for Full {
    fn open(&mut self, out: &mut Out) {
        let ids = self.set.items().iter().map(|item| item.id);
        if ids.len() > crate::wire::MESSAGE_LEN_MAX / ENTRY_LEN {
            return out.give_up(Reason::HeapBudget);
        }
        out.say(Self::list(TAG_OFFER, OFFER_HEAD, Purpose::Ids, ids));
    }

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let own = self.own_ids();
        match tag {
            TAG_OFFER => {
                let offered = Self::parse(body, OFFER_HEAD)?;
                for id in own.iter().filter(|id| offered.binary_search(id).is_err()) {
                    out.have(*id);
                }
                let lacked: Vec<ItemId> =
                    offered.into_iter().filter(|id| own.binary_search(id).is_err()).collect();
                for id in &lacked {
                    out.need(NeedRef::Id(*id));
                }
                out.say(Self::list(TAG_REQUEST, REQUEST_HEAD, Purpose::Request, lacked.into_iter()));
            }
            TAG_REQUEST => {
                for id in Self::parse(body, REQUEST_HEAD)? {
                    if own.binary_search(&id).is_err() {
                        return Err(SessionError::Protocol("an id is requested that was not offered"));
                    }
                    out.have(id);
                }
            }
            tag => return Err(SessionError::Unexpected { tag }),
        }
        out.finish();
        Ok(())
    }
}

/// Initiator: salt and size of its set.
const TAG_HELLO: u8 = 3;
/// Responder, whose set is empty: all of yours.
const TAG_ALL: u8 = 4;
/// Responder, whose set is larger: its salt and size; you list.
const TAG_YOU_LIST: u8 = 5;
/// A list: the responder's first one has its salt in front.
const TAG_LIST: u8 = 6;
/// The answer to a list: ranks of the needed, and the end check.
const TAG_RANKS: u8 = 7;

/// Least length of short ids: below, saving bits costs more in retries.
const BITS_MIN: u32 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Responder: nothing heard yet. Initiator: hello said.
    Greeting,
    /// Waits for a list.
    Reading,
    /// Sent a list, waits for ranks.
    Listed,
    /// Sent ranks, waits for the verdict.
    Claimed,
}

/// `id=short`.
struct Short {
    set: SortedSet,
    bits: Option<u32>,
    role: Role,
    salt: Salt,
    /// The peer's salt and the size of its set.
    peer: Option<(Salt, u64)>,
    phase: Phase,
    mine: Option<Keyed>,
    /// Places of own items that the peer lacks, and how many of its items it was asked for.
    found: (Vec<u32>, Vec<u64>),
}

impl Short {
    fn new(set: SortedSet, role: Role, setup: &Setup, bits: Option<u32>) -> Self {
        Self {
            set,
            bits,
            role,
            salt: Salt::of(setup.seed, role),
            peer: None,
            phase: Phase::Greeting,
            mine: None,
            found: Default::default(),
        }
    }

    /// Hashes the set under the key of this attempt.
    fn rekey(&mut self, out: &Out) -> Result<&Keyed, SessionError> {
        let (salt, peer_len) = self.peer.ok_or(SessionError::Protocol("no salt was exchanged"))?;
        let (initiator, responder) = match self.role {
            Role::Initiator => (self.salt, salt),
            Role::Responder => (salt, self.salt),
        };
        let key = Key::two_party(initiator, responder, out.retries());
        let bits = self.bits(peer_len);
        Ok(self.mine.insert(Keyed::new(self.set.clone(), key, bits)))
    }

    /// Length of short ids against a set of `peer_len` items.
    fn bits(&self, peer_len: u64) -> u32 {
        let pairs = u128::from(peer_len) * self.set.items().len() as u128;
        self.bits.unwrap_or_else(|| (u128::BITS - pairs.leading_zeros()).clamp(BITS_MIN, 64))
    }

    /// Lists the own set; `salt` goes in front if the peer does not have it yet.
    fn list(&mut self, salt: Option<Salt>, out: &mut Out) -> Result<(), SessionError> {
        let mine = self.rekey(out)?;
        let bits = mine.bits;
        let mut draft = Draft::new(TAG_LIST);
        if let Some(salt) = salt {
            draft.bytes(Purpose::Salt, &salt.to_bytes());
        }
        let shorts = mine.ids.pairs().iter().map(|(short, _)| *short);
        draft.varint(Purpose::Control, shorts.len() as u64);
        draft.put(Purpose::Ids, |body| put_sorted(body, shorts, bits));
        self.phase = Phase::Listed;
        out.say(draft);
        Ok(())
    }

    fn all_haves(&self, out: &mut Out) {
        for item in self.set.items() {
            out.have(item.id);
        }
    }

    fn hear_hello(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        let salt = Salt::read(&mut reader)?;
        let peer_len = reader.varint_max("set size", SET_LEN_MAX)?;
        reader.finish()?;
        self.peer = Some((salt, peer_len));
        let own_len = self.set.items().len() as u64;
        if peer_len == 0 {
            self.all_haves(out);
            out.say(verdict_draft(true));
            out.finish();
        } else if own_len == 0 {
            out.say(Draft::new(TAG_ALL));
            out.finish();
        } else if peer_len <= own_len - own_len / 8 {
            // One flight more, for an eighth of the list or more.
            let mut draft = Draft::new(TAG_YOU_LIST);
            draft.bytes(Purpose::Salt, &self.salt.to_bytes());
            draft.varint(Purpose::Control, own_len);
            out.say(draft);
            self.phase = Phase::Reading;
        } else {
            self.list(Some(self.salt), out)?;
        }
        Ok(())
    }

    fn hear_list(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        let known = self.peer;
        let salt = match known {
            Some((salt, _)) => salt,
            None => Salt::read(&mut reader)?,
        };
        let count = reader.count("listed ids", 1)?;
        if known.is_some_and(|(_, len)| len != count as u64) {
            return Err(SessionError::Protocol("a list of another length than the set"));
        }
        self.peer = Some((salt, count as u64));
        let (theirs, rest) = take_sorted("listed ids", reader.rest(), count, self.bits(count as u64))?;
        Reader::new(rest).finish()?;
        out.attempt();
        let mine = self.rekey(out)?;
        let shorts: Vec<u64> = mine.ids.pairs().iter().map(|(short, _)| *short).collect();
        let lacked = |ids: &[u64], other: &[u64]| -> Vec<u64> {
            let ranked = ids.iter().zip(0..);
            ranked.filter(|(id, _)| other.binary_search(id).is_err()).map(|(_, rank)| rank).collect()
        };
        let haves: Vec<u32> =
            lacked(&shorts, &theirs).into_iter().map(|rank| mine.ids.pairs()[rank as usize].1).collect();
        let ranks = lacked(&theirs, &shorts);
        let mut draft = Draft::new(TAG_RANKS);
        draft.varint(Purpose::Control, ranks.len() as u64);
        draft.put(Purpose::Request, |body| put_ranks(body, &ranks, theirs.len() as u64));
        draft.bytes(Purpose::Control, &mine.seal_without(&haves));
        out.say(draft);
        self.found = (haves, ranks.into_iter().map(|rank| theirs[rank as usize]).collect());
        self.phase = Phase::Claimed;
        Ok(())
    }

    fn hear_ranks(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mine = self.mine.as_ref().ok_or(SessionError::Protocol("ranks before a list"))?;
        let listed = mine.ids.pairs();
        let mut reader = Reader::new(body);
        let count = reader.varint_max("ranks", listed.len() as u64)? as usize;
        let (ranks, rest) = take_ranks("ranks", reader.rest(), count, listed.len() as u64)?;
        let haves: Vec<u32> = ranks.into_iter().map(|rank| listed[rank as usize].1).collect();
        let mut reader = Reader::new(rest);
        let sealed: [u8; 8] = reader.array("set hash")?;
        reader.finish()?;
        let agreed = mine.seal_without(&haves) == sealed;
        if agreed {
            mine.report_haves(&haves, out);
            out.say(verdict_draft(true));
            out.finish();
        } else if out.retries() == RETRIES_MAX {
            out.give_up(Reason::Undecodable);
        } else {
            out.retry();
            out.say(verdict_draft(false));
            self.list(None, out)?;
        }
        Ok(())
    }

    fn hear_verdict(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        if read_verdict(body)? {
            if let Some(mine) = &self.mine {
                mine.report_haves(&self.found.0, out);
            }
            for short in &self.found.1 {
                out.need(NeedRef::Short(*short));
            }
            out.finish();
        } else {
            out.failure();
            out.retry();
            if out.retries() > RETRIES_MAX {
                return Err(SessionError::Protocol("more retries than allowed"));
            }
            self.phase = Phase::Reading;
        }
        Ok(())
    }
}

impl Dialog for Short {
    fn open(&mut self, out: &mut Out) {
        let mut draft = Draft::new(TAG_HELLO);
        draft.bytes(Purpose::Salt, &self.salt.to_bytes());
        draft.varint(Purpose::Control, self.set.items().len() as u64);
        out.say(draft);
    }

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let initiator = self.role == Role::Initiator;
        match (tag, self.phase) {
            (TAG_HELLO, Phase::Greeting) if !initiator => self.hear_hello(body, out),
            (TAG_ALL, Phase::Greeting) if initiator => {
                Reader::new(body).finish()?;
                self.all_haves(out);
                out.finish();
                Ok(())
            }
            (TAG_YOU_LIST, Phase::Greeting) if initiator => {
                let mut reader = Reader::new(body);
                let salt = Salt::read(&mut reader)?;
                let peer_len = reader.varint_max("set size", SET_LEN_MAX)?;
                reader.finish()?;
                self.peer = Some((salt, peer_len));
                self.list(None, out)
            }
            (TAG_LIST, Phase::Greeting) if initiator => self.hear_list(body, out),
            (TAG_LIST, Phase::Reading) => self.hear_list(body, out),
            (TAG_RANKS, Phase::Listed) => self.hear_ranks(body, out),
            (TAG_VERDICT, Phase::Claimed) => self.hear_verdict(body, out),
            // An empty initiator has nothing to check: the responder holds all that differs.
            (TAG_VERDICT, Phase::Greeting) if initiator && self.set.items().is_empty() => {
                self.hear_verdict(body, out)
            }
            (tag, _) => Err(SessionError::Unexpected { tag }),
        }
    }
}
