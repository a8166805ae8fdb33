//! Where messages are kept: once, however many nodes of this process hold them.
//!
//! A node knows a message by its number here, so "who holds what" is a bit a message and a set of records is a
//! set of small integers. One library serves all nodes of a simulated world; a device in the field has one of
//! its own.

use std::fmt;
use std::hash::{BuildHasher, Hasher};

use bytes::Bytes;
use offerbench_algos::{Item, ItemId, Seed};
use siphasher::sip::SipHasher13;

use crate::payload::{Content, WireMessage, message_entry};

/// A node of the network: one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u32);

/// A group: a synchronisation scope, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub [u8; 32]);

/// A message's number in its [`Library`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsgNo(pub u32);

impl MsgNo {
    /// Its place in a table of all messages.
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {:02x}{:02x}…", self.0[0], self.0[1])
    }
}

/// Most parents that a message may name. A reader of the wire refuses more.
pub const PARENTS_MAX: usize = 64;

/// A message as it is kept.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its group.
    pub group: GroupId,
    /// Its identity and its author's timestamp.
    pub item: Item,
    /// Its bytes in a payload: tags, lengths, group, timestamp, body.
    pub entry: Bytes,
    /// The body as it travels: the end of `entry`.
    pub body: Bytes,
    /// What a member reads in the body: the parents in order of their ids. `None` if it is no content.
    pub parents: Option<Vec<ItemId>>,
    /// Length of the text in the body, in bytes.
    pub text_len: usize,
}

/// All messages that some node of this process holds.
#[derive(Debug)]
pub struct Library {
    messages: Vec<Message>,
    /// Their ids once more, close together: lists of ids are what is written most.
    ids: Vec<ItemId>,
    #[allow(clippy::disallowed_types, reason = "looked up, never iterated: its order cannot be seen")]
    by_id: std::collections::HashMap<ItemId, MsgNo, IdHasher>,
}

impl Library {
    /// An empty one. Ids are looked up by a hash keyed from `seed`, so that nobody can grind ids that share a
    /// place; nothing else depends on it.
    pub fn new(seed: Seed) -> Self {
        let key = IdHasher(seed.child("library").value(), seed.value());
        #[allow(clippy::disallowed_types, reason = "see the field")]
        let by_id = std::collections::HashMap::with_hasher(key);
        Self { messages: Vec::new(), ids: Vec::new(), by_id }
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.messages.reserve(count);
        self.ids.reserve(count);
        self.by_id.reserve(count);
    }

    /// Messages.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The message with this number.
    pub fn message(&self, no: MsgNo) -> &Message {
        &self.messages[no.place()]
    }

    /// The id of the message with this number.
    pub fn id(&self, no: MsgNo) -> &ItemId {
        &self.ids[no.place()]
    }

    /// The number of a message that is here.
    pub fn find(&self, id: ItemId) -> Option<MsgNo> {
        self.by_id.get(&id).copied()
    }

    /// Reads a message that somebody sent: its id is computed from its content, since an id is a claim of
    /// nobody's. O(body). Nothing is kept yet.
    pub fn read(&self, group: GroupId, at: u64, body: &Bytes) -> Candidate {
        let id = ItemId::of_message(&group.0, at, body);
        let known = self.find(id);
        let content = if known.is_none() { Content::parse(body, PARENTS_MAX) } else { None };
        Candidate { group, item: Item { at, id }, body: body.clone(), known, content }
    }

    /// Parents of a candidate; `None` if it has no readable content.
    pub fn parents<'a>(&'a self, candidate: &'a Candidate) -> Option<&'a [ItemId]> {
        match candidate.known {
            Some(no) => self.message(no).parents.as_deref(),
            None => candidate.content.as_ref().map(|(parents, _)| &parents[..]),
        }
    }

    /// Keeps a message and says its number.
    pub fn keep(&mut self, candidate: Candidate) -> MsgNo {
        let Candidate { group, item, body, known, content } = candidate;
        if let Some(no) = known {
            return no;
        }
        let no = MsgNo(u32::try_from(self.messages.len()).expect("fewer than 2^32 messages"));
        let text_len = content.as_ref().map_or(0, |(_, text)| text.len());
        // A copy: a slice of the payload would keep all of that alive. MVDS has a signed timestamp, whose bits are
        // hashed; the order of items is that of the unsigned number.
        let group_id = Bytes::copy_from_slice(&group.0);
        let body_len = body.len();
        let wire = WireMessage { group_id, timestamp: item.at as i64, body };
        let entry = Bytes::from(message_entry(&wire));
        let body = if body_len > 0 { entry.slice(entry.len() - body_len..) } else { Bytes::new() };
        let parents = content.map(|(parents, _)| parents);
        self.messages.push(Message { group, item, entry, body, parents, text_len });
        self.ids.push(item.id);
        self.by_id.insert(item.id, no);
        no
    }
}

/// A message that was read and not kept yet.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its group.
    pub group: GroupId,
    /// Its identity and timestamp.
    pub item: Item,
    /// Its number, if it is in the library already.
    pub known: Option<MsgNo>,
    body: Bytes,
    content: Option<(Vec<ItemId>, Bytes)>,
}

/// SipHash-1-3 under this key.
#[derive(Clone, Copy, Debug)]
struct IdHasher(u64, u64);

impl BuildHasher for IdHasher {
    type Hasher = IdHash;

    fn build_hasher(&self) -> IdHash {
        IdHash(SipHasher13::new_with_keys(self.0, self.1))
    }
}

/// See [`IdHasher`].
struct IdHash(SipHasher13);

impl Hasher for IdHash {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_kept_once() {
        let mut library = Library::new(Seed::new(1));
        let group = GroupId([1; 32]);
        let body = Content::to_body(Vec::new(), b"text");
        let mut keep = |at| {
            let candidate = library.read(group, at, &body);
            assert_eq!(library.parents(&candidate), Some(&[][..]));
            library.keep(candidate)
        };
        let no = keep(5);
        assert_eq!(keep(5), no);
        assert_ne!(keep(6), no);
        assert_eq!(library.len(), 2);
        let message = library.message(no);
        assert_eq!((message.parents.as_deref(), message.text_len), (Some(&[][..]), 4));
        assert_eq!(library.find(*library.id(no)), Some(no));
        let group_id = Bytes::copy_from_slice(&group.0);
        let wire = WireMessage { group_id, timestamp: 5, body: body.clone() };
        assert_eq!((&message.entry[..], &message.body), (&message_entry(&wire)[..], &body));
    }
}
