//! What strategies that send an approximate filter of their set have in common: the conversation.
//!
//! A filter says of every item in it "yes", and of any other item "yes" with probability ε. So what the
//! peer's filter denies, the peer certainly lacks: nothing is ever invented, but what the filter wrongly
//! affirms is missed. [`Kind`] is how a filter is built, written, read and asked; the rest is here.
//!
//! **Flights**, for `ways=both`. (1) The initiator sends its salt and a filter of its set, keyed by that salt.
//! (2) The responder sets aside what the filter denies, and answers with its salt and, keyed by both salts,
//! a filter of the *rest*: what it set aside the initiator lacks anyway. With an end check there follow 8 bytes
//! of set hash of that rest. (3) The initiator sets aside what this filter denies. If the hash of what is left
//! to it is the same, both are left with the same set, so what was set aside is the whole difference, and it
//! says so. If not, the [`tail`] begins, on what is left at either end.
//!
//! The second filter is left out when the end check makes it needless: if the responder's rest is as
//! large as the initiator's set, then either it *is* that set, or the end check fails whatever is sent.
//!
//! `tail=none` skips the end check: two flights. `ways=one` ends after the first: one flight.
//!
//! **What counts as a retry.** Everything after a failed end check: the verdict is then `Recovered`, and the
//! bytes are [`Purpose::Retry`], whether fresh filters or an exact strategy follow. Where d·ε is well above
//! 1 this is the rule and not the exception, and the accounts should show it.

//!
//! **No lasting keys.** `salt` is no parameter of filters. Little would be saved: every own item must be asked of the
//! peer's filter in any case, and the answer is a filter of what is left, which no index could have kept. And much would
//! be lost: what a filter hides by chance is then hidden in every session under that key, with `tail=none` for good.

use self::tail::{Rest, Tail};
use crate::close::{TAG_VERDICT, read_verdict, verdict_draft};
use crate::dialog::{Dialog, Out};
use crate::item::{Item, ItemId};
use crate::salt::{Hashed, Key, Salt, SetHash};
use crate::session::{Guarantee, Index, Profile, Reason, Role, SessionError, Setup, Strategy};
use crate::sorted::{OpenOnSet, SetIndex, SortedSet};
use crate::spec::{Param, Spec, SpecError};
use crate::wire::{Draft, MESSAGE_LEN_MAX, Purpose, RETRIES_MAX, Reader, SET_LEN_MAX};

pub mod tail;
#[cfg(test)]
pub mod tests;

/// The parameter `ways`.
pub const WAYS: Param = Param {
    name: "ways",
    default: "both",
    values: &["both", "one"],
    doc: "a filter each way; or only the initiator's, so that only what it lacks is found (needs tail=none)",
};

/// A kind of approximate filter.
pub trait Kind: Clone + Copy + Send + Sync + 'static {
    /// A filter of the peer, ready to be asked.
    type Filter<'a>: Filter;

    /// Bits of the keyed hash by which a filter knows an item.
    const HASH_BITS: u32;

    /// Whether the filter knows items by their keyed hashes. If not, by the first 16 bytes of their ids, which
    /// anybody can compute beforehand; the end check stays keyed.
    fn keyed(&self) -> bool {
        true
    }

    /// About how many bytes it takes to build a filter of `n` items, the hashes included.
    fn build_bytes(&self, n: u64) -> u64;

    /// About how many bytes such a filter takes on the wire.
    fn wire_bytes(&self, n: u64) -> u64;

    /// Appends a filter of these items to `body`; nothing for no items. False when none can be built, which
    /// chance alone would have to arrange.
    fn write(&self, items: &[Hashed], body: &mut Vec<u8>) -> bool;

    /// Reads a filter of `n` items. Whatever the bytes are, asking the filter must then be safe.
    ///
    /// # Errors
    ///
    /// When the bytes are no filter of so many items.
    fn read<'a>(&self, n: u64, reader: &mut Reader<'a>) -> Result<Self::Filter<'a>, SessionError>;
}

/// A filter that can be asked.
pub trait Filter {
    /// False only for what is not in it.
    fn affirms(&self, item: Hashed) -> bool;

    /// Of up to 64 items, in bit i whether it affirms the i-th.
    fn affirms_some(&self, items: &[Hashed]) -> u64 {
        items.iter().rev().fold(0, |hits, item| hits << 1 | u64::from(self.affirms(*item)))
    }
}

/// Reads the parameters that all filters share.
///
/// # Errors
///
/// `ways=one` with a tail.
pub fn build<K: Kind>(spec: &Spec, kind: K) -> Result<Box<dyn Strategy>, SpecError> {
    let (both, tail) = (spec.get(WAYS.name) == "both", Tail::of(spec));
    if !both && tail.checks() {
        return Err(spec.conflict(
            "with ways=one the initiator's surplus stays unknown, so there is no equality that an end check \
             could find and no rest that a tail could work on: use tail=none, or ways=both",
        ));
    }
    Ok(Box::new(Params { kind, both, tail }))
}

/// Parameters of a strategy.
#[derive(Clone, Copy, Debug)]
struct Params<K> {
    kind: K,
    both: bool,
    tail: Tail,
}

impl<K: Kind> Strategy for Params<K> {
    fn index(&self, items: &[Item]) -> Box<dyn Index> {
        SetIndex::boxed(items, self)
    }

    fn profile(&self) -> Profile {
        let guarantee = match (self.both, self.tail.checks()) {
            (false, _) => Guarantee::MayMissOneWay,
            (true, false) => Guarantee::MayMiss,
            (true, true) => Guarantee::Exact,
        };
        Profile { id_bits: K::HASH_BITS, keyed: self.kind.keyed(), guarantee, oracle: false }
    }
}

impl<K: Kind> OpenOnSet for Params<K> {
    fn open(&self, set: SortedSet, role: Role, setup: &Setup) -> Box<dyn Dialog> {
        Box::new(Sieve {
            params: *self,
            role,
            setup: *setup,
            salt: Salt::of(setup.seed, role),
            peer_salt: None,
            left: set,
            peer_len: 0,
            found: Vec::new(),
            phase: Phase::Fresh,
        })
    }
}

/// Initiator: a filter of what is left to it, at first with its salt.
const TAG_FILTER: u8 = 1;
/// Responder: a filter of what is left to it, at first with its salt; and the end check.
const TAG_ANSWER: u8 = 2;

enum Phase {
    /// Nothing was said or heard yet.
    Fresh,
    /// Initiator: sent a filter.
    Asked,
    /// Responder: sent an answer.
    Answered,
    /// An exact strategy has taken over.
    Tail(Rest),
}

/// One end.
struct Sieve<K> {
    params: Params<K>,
    role: Role,
    setup: Setup,
    salt: Salt,
    peer_salt: Option<Salt>,
    /// Own items that no filter of the peer has denied.
    left: SortedSet,
    /// Initiator: how many items its latest filter held.
    peer_len: u64,
    /// Own items that the peer lacks.
    found: Vec<ItemId>,
    phase: Phase,
}

/// Own items under one key.
struct Hashes {
    /// As the filter knows them, in the order of the items.
    each: Vec<Hashed>,
    whole: SetHash,
    key: Key,
}

impl Hashes {
    fn new(set: &SortedSet, key: Key, keyed: bool) -> Self {
        let mut whole = SetHash::default();
        let items = set.items();
        let mut each = Vec::with_capacity(items.len());
        key.hash_all(items.iter().map(|item| &item.id), |hashed| {
            whole.add(hashed);
            each.push(if keyed { hashed } else { unkeyed(&items[each.len()].id) });
        });
        Self { each, whole, key }
    }
}

/// What a filter without a key knows of an item: the first 16 bytes of its id.
pub fn unkeyed(id: &ItemId) -> Hashed {
    let word = |from: usize| {
        let bytes: [u8; 8] = std::array::from_fn(|i| id.bytes()[from + i]);
        u64::from_le_bytes(bytes)
    };
    Hashed { short: word(0), set: word(8) }
}

impl<K: Kind> Sieve<K> {
    /// Own items that are left, under this key.
    fn hashes(&self, key: Key) -> Hashes {
        Hashes::new(&self.left, key, self.params.kind.keyed())
    }

    /// The key of both salts for this attempt.
    fn key(&self, out: &Out) -> Result<Key, SessionError> {
        let peer = self.peer_salt.ok_or(SessionError::Protocol("no salt was exchanged"))?;
        let (initiator, responder) = match self.role {
            Role::Initiator => (self.salt, peer),
            Role::Responder => (peer, self.salt),
        };
        Ok(Key::two_party(initiator, responder, out.retries()))
    }

    /// Sets aside what `filter` denies.
    fn sift(&mut self, filter: &K::Filter<'_>, hashes: &mut Hashes) {
        let (mut items, mut each) = (Vec::new(), Vec::new());
        let keyed = self.params.kind.keyed();
        for (some, hashed) in self.left.items().chunks(64).zip(hashes.each.chunks(64)) {
            let hits = filter.affirms_some(hashed);
            for (i, (item, hashed)) in some.iter().zip(hashed).enumerate() {
                if hits >> i & 1 == 1 {
                    items.push(*item);
                    each.push(*hashed);
                } else {
                    self.found.push(item.id);
                    hashes.whole.remove(if keyed { *hashed } else { hashes.key.hash(&item.id) });
                }
            }
        }
        if items.len() < self.left.items().len() {
            self.left = SortedSet::new(&items);
            hashes.each = each;
        }
    }

    /// Appends the number of items and, if `with_filter`, a filter of them. Otherwise gives up.
    fn put_filter(&self, draft: &mut Draft, hashes: &Hashes, with_filter: bool, out: &mut Out) -> bool {
        let n = hashes.each.len() as u64;
        let kind = self.params.kind;
        // A hundred bytes for what stands beside the filter.
        if n > SET_LEN_MAX
            || kind.wire_bytes(n) > MESSAGE_LEN_MAX as u64 - 100
            || kind.build_bytes(n) > self.setup.budget.heap_bytes_max
        {
            out.give_up(Reason::HeapBudget);
            return false;
        }
        draft.varint(Purpose::Control, n);
        let mut built = true;
        if with_filter {
            draft.put(Purpose::Sketch, |body| built = kind.write(&hashes.each, body));
        }
        if !built {
            out.give_up(Reason::Undecodable);
        }
        built
    }

    /// Initiator: sends a filter of what is left.
    fn ask(&mut self, key: Key, first: bool, out: &mut Out) {
        let hashes = self.hashes(key);
        let mut draft = Draft::new(TAG_FILTER);
        if first {
            draft.bytes(Purpose::Salt, &self.salt.to_bytes());
        }
        if self.put_filter(&mut draft, &hashes, true, out) {
            out.say(draft);
            self.phase = Phase::Asked;
        }
    }

    /// Responder: applies the filter and answers with its own.
    fn hear_filter(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let first = matches!(self.phase, Phase::Fresh);
        let mut reader = Reader::new(body);
        let key = if first {
            let salt = Salt::read(&mut reader)?;
            self.peer_salt = Some(salt);
            Key::one_party(salt)
        } else {
            out.retry();
            if out.retries() > RETRIES_MAX {
                return Err(SessionError::Protocol("more retries than allowed"));
            }
            self.key(out)?
        };
        self.peer_len = reader.varint_max("items in the filter", SET_LEN_MAX)?;
        let filter = self.params.kind.read(self.peer_len, &mut reader)?;
        reader.finish()?;
        let mut hashes = self.hashes(key);
        self.sift(&filter, &mut hashes);
        if !self.params.both {
            out.attempt();
            self.report(out);
            return Ok(());
        }
        self.answer(first, hashes, out)
    }

    fn answer(&mut self, first: bool, asked: Hashes, out: &mut Out) -> Result<(), SessionError> {
        // The first question was under the initiator's salt alone; later ones are under this key too.
        let hashes = if first { self.hashes(self.key(out)?) } else { asked };
        let mut draft = Draft::new(TAG_ANSWER);
        if first {
            draft.bytes(Purpose::Salt, &self.salt.to_bytes());
        }
        let with_filter = self.wants_filter(self.peer_len, hashes.each.len());
        if !self.put_filter(&mut draft, &hashes, with_filter, out) {
            return Ok(());
        }
        if self.params.tail.checks() {
            draft.bytes(Purpose::Control, &hashes.whole.seal(&hashes.key));
            out.say(draft);
            self.phase = Phase::Answered;
        } else {
            out.say(draft);
            self.report(out);
        }
        Ok(())
    }

    /// Whether the answer holds a filter: both ends know both numbers.
    fn wants_filter(&self, initiator_left: u64, responder_left: usize) -> bool {
        !self.params.tail.checks() || initiator_left != responder_left as u64
    }

    /// Initiator: applies the responder's filter, and compares what is left.
    fn hear_answer(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let mut reader = Reader::new(body);
        if self.peer_salt.is_none() {
            self.peer_salt = Some(Salt::read(&mut reader)?);
        }
        let mut hashes = self.hashes(self.key(out)?);
        let peer_left = reader.varint_max("items in the filter", SET_LEN_MAX)?;
        out.attempt();
        if self.wants_filter(self.left.items().len() as u64, peer_left as usize) {
            let filter = self.params.kind.read(peer_left, &mut reader)?;
            self.sift(&filter, &mut hashes);
        }
        if !self.params.tail.checks() {
            reader.finish()?;
            self.report(out);
            return Ok(());
        }
        let sealed: [u8; 8] = reader.array("set hash")?;
        reader.finish()?;
        if hashes.whole.seal(&hashes.key) == sealed {
            out.say(verdict_draft(true));
            self.report(out);
            return Ok(());
        }
        out.failure();
        if out.retries() == RETRIES_MAX {
            out.give_up(Reason::Undecodable);
            return Ok(());
        }
        out.retry();
        match self.params.tail {
            Tail::Exact(open) => {
                out.say(verdict_draft(false));
                let mut rest = self.rest(open);
                rest.open(out);
                self.phase = Phase::Tail(rest);
            }
            // The next filter says that the end check failed.
            Tail::Again | Tail::None => {
                let key = self.key(out)?;
                self.ask(key, false, out);
            }
        }
        Ok(())
    }

    /// Responder: whether the initiator agrees, or begins an exact tail.
    fn hear_verdict(&mut self, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        if read_verdict(body)? {
            self.report(out);
            return Ok(());
        }
        let Tail::Exact(open) = self.params.tail else {
            return Err(SessionError::Protocol("this tail begins with a filter"));
        };
        out.retry();
        self.phase = Phase::Tail(self.rest(open));
        Ok(())
    }

    /// The exact strategy on what is left.
    fn rest(&mut self, open: fn(SortedSet, Role, &Setup) -> Box<dyn Dialog>) -> Rest {
        Rest::new(open, self.left.clone(), std::mem::take(&mut self.found), self.role, &self.setup)
    }

    /// Reports what was set aside, and ends.
    fn report(&mut self, out: &mut Out) {
        for id in std::mem::take(&mut self.found) {
            out.have(id);
        }
        out.finish();
    }
}

impl<K: Kind> Dialog for Sieve<K> {
    fn open(&mut self, out: &mut Out) {
        self.ask(Key::one_party(self.salt), true, out);
        if !self.params.both && !out.is_done() {
            // Nothing comes back: what this end lacks will simply be delivered.
            out.finish();
        }
    }

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        let initiator = self.role == Role::Initiator;
        let again = matches!(self.params.tail, Tail::Again);
        match (tag, &mut self.phase) {
            (tag, Phase::Tail(rest)) => rest.hear(tag, body, out),
            (TAG_FILTER, Phase::Fresh) if !initiator => self.hear_filter(body, out),
            (TAG_FILTER, Phase::Answered) if again => self.hear_filter(body, out),
            (TAG_ANSWER, Phase::Asked) => self.hear_answer(body, out),
            (TAG_VERDICT, Phase::Answered) => self.hear_verdict(body, out),
            (tag, _) => Err(SessionError::Unexpected { tag }),
        }
    }

    fn pull(&mut self, out: &mut Out) {
        if let Phase::Tail(rest) = &mut self.phase {
            rest.pull(out);
        }
    }

    fn streams(&self) -> bool {
        matches!(&self.phase, Phase::Tail(rest) if rest.streams())
    }
}
