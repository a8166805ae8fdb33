//! The end of a session in which one end decoded and the other did not: what is asked for, and the proof
//! that both now agree.
//!
//! The end that decoded knows which of its own items the peer lacks, and the short ids of what it lacks
//! itself. It sends a *claim*: those short ids, sorted and Rice-coded, and the sealed [`SetHash`] of its own
//! set without what it found. The peer looks the short ids up in its own set, takes these items out of its
//! own hash, and compares: equal means that what is left on both sides is the same set, so every
//! difference was found, whatever collided in the short ids or was nonsense in the decoded sketch. Only then
//! does either end report findings. 8 bytes buy exactness; without them a 32-bit short id misses about
//! n·d/2^32 items in silence.

use crate::bits::{put_sorted, take_sorted};
use crate::dialog::Out;
use crate::item::ItemId;
use crate::salt::{Key, SetHash};
use crate::session::{NeedRef, SessionError};
use crate::sorted::{ShortIds, SortedSet};
use crate::wire::{Draft, Purpose, Reader, WireError};

/// Tag of the claim.
pub const TAG_CLAIM: u8 = 0x70;
/// Tag of the answer to the claim.
pub const TAG_VERDICT: u8 = 0x71;

/// Items by their place in a set.
pub trait ByPlace {
    /// Hands over the ids at some places, in the order of the items.
    fn each_id(&self, places: &[u32], each: impl FnMut(ItemId));
}

impl ByPlace for SortedSet {
    fn each_id(&self, places: &[u32], mut each: impl FnMut(ItemId)) {
        places.iter().for_each(|place| each(self.items()[*place as usize].id));
    }
}

/// Places by short id under one key.
pub trait ByShort {
    /// How many items.
    fn len(&self) -> usize;
    /// Set hash of all items.
    fn whole(&self) -> SetHash;
    /// Appends the places of all items with this short id.
    fn find(&self, short: u64, places: &mut Vec<u32>);
}

impl ByShort for ShortIds {
    fn len(&self) -> usize {
        self.len()
    }

    fn whole(&self) -> SetHash {
        self.whole
    }

    fn find(&self, short: u64, places: &mut Vec<u32>) {
        places.extend(self.places(short));
    }
}

/// One end's items under the key of one attempt: hashed for it, or kept by an index.
#[derive(Clone, Debug)]
pub struct Keyed<I = ShortIds, S = SortedSet> {
    /// The items.
    pub set: S,
    /// The key.
    pub key: Key,
    /// Length of short ids.
    pub bits: u32,
    /// Short ids of all items.
    pub ids: I,
}

impl Keyed {
    /// Hashes the whole set: O(n log n).
    pub fn new(set: SortedSet, key: Key, bits: u32) -> Self {
        let ids = ShortIds::new(set.items(), &key, bits);
        Self { set, key, bits, ids }
    }
}

impl<I: ByShort, S: ByPlace> Keyed<I, S> {
    /// The end check: the sealed hash of the set without the items at `places`.
    pub fn seal_without(&self, places: &[u32]) -> [u8; 8] {
        let mut hash: SetHash = self.ids.whole();
        let mut ids = Vec::with_capacity(places.len());
        self.set.each_id(places, |id| ids.push(id));
        self.key.hash_all(&ids, |hashed| hash.remove(hashed));
        hash.seal(&self.key)
    }

    /// Reports the items at `places` as lacked by the peer.
    pub fn report_haves(&self, places: &[u32], out: &mut Out) {
        self.set.each_id(places, |id| out.have(id));
    }

    /// Sorts decoded short ids into the places of own items and the short ids of the peer's.
    pub fn sort_out(&self, shorts: impl IntoIterator<Item = u64>) -> Claim {
        let mut claim = Claim::default();
        for short in shorts {
            let before = claim.haves.len();
            self.ids.find(short, &mut claim.haves);
            if claim.haves.len() == before {
                claim.needs.push(short);
            }
        }
        claim.tidy();
        claim
    }

    /// Looks a claim of the peer up: the places of the items that it needs, or none when the end check
    /// fails.
    ///
    /// # Errors
    ///
    /// When the claim does not parse.
    pub fn check_claim(&self, body: &[u8]) -> Result<Option<Vec<u32>>, SessionError> {
        let mut reader = Reader::new(body);
        let count = reader.varint_max("needed ids", self.ids.len() as u64)? as usize;
        let (needs, rest) = take_sorted("needed ids", reader.rest(), count, self.bits)?;
        let mut reader = Reader::new(rest);
        let sealed: [u8; 8] = reader.array("set hash")?;
        reader.finish()?;
        if needs.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(SessionError::Protocol("a short id is needed twice"));
        }
        let mut haves = Vec::with_capacity(needs.len());
        for need in needs {
            self.ids.find(need, &mut haves);
        }
        let agreed = self.seal_without(&haves) == sealed;
        Ok(agreed.then_some(haves))
    }
}

/// What the end that decoded has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Places of own items that the peer lacks.
    pub haves: Vec<u32>,
    /// Short ids of the peer's items that this end lacks.
    pub needs: Vec<u64>,
}

impl Claim {
    /// Sorted and without repetitions, as the wire wants it.
    fn tidy(&mut self) {
        self.haves.sort_unstable();
        self.haves.dedup();
        self.needs.sort_unstable();
        self.needs.dedup();
    }

    /// The message to the peer.
    pub fn draft<I: ByShort, S: ByPlace>(&self, mine: &Keyed<I, S>) -> Draft {
        let mut draft = Draft::new(TAG_CLAIM);
        draft.varint(Purpose::Control, self.needs.len() as u64);
        draft.put(Purpose::Request, |body| put_sorted(body, self.needs.iter().copied(), mine.bits));
        draft.bytes(Purpose::Control, &mine.seal_without(&self.haves));
        draft
    }

    /// Reports all of it.
    pub fn report<I: ByShort, S: ByPlace>(&self, mine: &Keyed<I, S>, out: &mut Out) {
        mine.report_haves(&self.haves, out);
        for short in &self.needs {
            out.need(NeedRef::Short(*short));
        }
    }
}

/// The answer to a claim: whether the end check agreed.
pub fn verdict_draft(agreed: bool) -> Draft {
    let mut draft = Draft::new(TAG_VERDICT);
    draft.bytes(Purpose::Control, &[u8::from(agreed)]);
    draft
}

/// Reads [`verdict_draft`].
///
/// # Errors
///
/// When it is neither yes nor no.
pub fn read_verdict(body: &[u8]) -> Result<bool, SessionError> {
    match body {
        [0] => Ok(false),
        [1] => Ok(true),
        [other, ..] => Err(WireError::BadValue { what: "verdict", value: u64::from(*other) }.into()),
        [] => Err(WireError::Truncated { what: "verdict" }.into()),
    }
}
