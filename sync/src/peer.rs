//! What a node keeps of one peer, and how it makes the one payload of an epoch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::Hasher as _;

use bytes::Bytes;
use fixedbitset::FixedBitSet;
use offerbench_algos::ItemId;
use siphasher::sip::SipHasher24;

use crate::config::{Acks, Config, Requests};
use crate::exchange::{self, Exchange};
use crate::library::{GroupId, Library, MsgNo, PeerId};
use crate::payload::{ENTRY_LEN, Payload, Segment};
use crate::ranks::{self, Offered, Place};
use crate::records::Records;
use crate::stats::{Kind, Stats};
use crate::time::{Span, Time};
use crate::wants::{Late, Wants};

/// Payloads with messages whose hashes are remembered, to be acked as a whole.
const SENT_SETS_MAX: usize = 16;
/// Sessions that one payload says to be over.
const ENDS_MAX: usize = 8;
/// Hashes of payloads that wait to be sent as acks. Whoever sends more in an epoch sends them again.
const ACK_SETS_MAX: usize = 1024;

/// What to give a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Give {
    /// Its id, to be asked for.
    Offer,
    /// The message itself.
    Message,
}

/// See the module.
pub struct Peer {
    pub id: PeerId,
    /// Groups that are shared with it.
    pub groups: BTreeSet<GroupId>,
    /// Messages that it is known to hold, of those that this node holds.
    pub known: FixedBitSet,
    /// Those of them all of whose ancestors it is known to hold.
    past: FixedBitSet,
    pub records: Records<MsgNo, Give>,
    /// Some messages got no record because there were too many.
    pub overflow: bool,
    pub requests: Records<ItemId, Option<Place>>,
    /// Acks to be sent.
    acks: PendingAcks,
    pub offered: Offered,
    sent_sets: VecDeque<(u64, Vec<MsgNo>)>,
    pub exchanges: BTreeMap<GroupId, Exchange>,
    /// Sessions of which the peer is told that they are over, with the reason.
    pub ends: VecDeque<(u32, u32)>,
    /// Start of the first epoch that has had no payload yet.
    pub next_payload: Time,
    /// Its date in the node's agenda.
    pub wake: Option<Time>,
    /// When it was last heard.
    pub heard: Option<Time>,
}

#[derive(Debug, Default)]
struct PendingAcks {
    by_id: BTreeSet<MsgNo>,
    past: BTreeSet<MsgNo>,
    sets: BTreeSet<u64>,
    due: Option<Time>,
}

impl PendingAcks {
    fn is_empty(&self) -> bool {
        self.by_id.is_empty() && self.past.is_empty() && self.sets.is_empty()
    }

    fn due_by(&mut self, time: Time) {
        self.due = Some(self.due.map_or(time, |due| due.min(time)));
    }
}

/// What a payload cannot carry because somebody else has to be asked.
pub struct Moved {
    /// The message.
    pub id: ItemId,
    /// The peer to ask now.
    pub to: PeerId,
}

impl Peer {
    pub fn new(id: PeerId) -> Self {
        Self {
            id,
            groups: BTreeSet::new(),
            known: FixedBitSet::new(),
            past: FixedBitSet::new(),
            records: Records::default(),
            overflow: false,
            requests: Records::default(),
            acks: PendingAcks::default(),
            offered: Offered::default(),
            sent_sets: VecDeque::new(),
            exchanges: BTreeMap::new(),
            ends: VecDeque::new(),
            next_payload: Time::ZERO,
            wake: None,
            heard: None,
        }
    }

    /// The peer holds a message: nothing more to give.
    pub fn holds(&mut self, no: MsgNo) {
        self.known.grow_and_insert(no.place());
        self.records.remove(no);
    }

    /// The peer holds a message and all its ancestors. O(1) amortised over a conversation: each message is
    /// walked once.
    pub fn holds_past(&mut self, library: &Library, no: MsgNo) {
        let mut stack = vec![no];
        while let Some(no) = stack.pop() {
            if self.past.put_grown(no.place()) {
                continue;
            }
            self.holds(no);
            let parents = library.message(no).parents.iter().flatten();
            stack.extend(parents.filter_map(|id| library.find(*id)));
        }
    }

    /// The peer holds all messages of the payload with this hash. False if none is remembered.
    pub fn holds_set(&mut self, hash: u64) -> bool {
        let Some(place) = self.sent_sets.iter().position(|(known, _)| *known == hash) else { return false };
        let (_, messages) = self.sent_sets.remove(place).expect("it was just found");
        messages.into_iter().for_each(|no| self.holds(no));
        true
    }

    /// Says by id, at once, that this node holds a message.
    pub fn ack_now(&mut self, now: Time, no: MsgNo) {
        self.acks.by_id.insert(no);
        self.acks.due_by(now);
    }

    /// Says by id that this node holds a message that the peer offered and another brought.
    pub fn ack_in_passing(&mut self, now: Time, config: &Config, no: MsgNo) {
        self.acks.by_id.insert(no);
        self.acks.due_by(now + patience(config));
    }

    /// Acks the messages of a payload that were taken. `whole` is their hash if all were.
    pub fn ack_taken(
        &mut self,
        now: Time,
        config: &Config,
        taken: &[MsgNo],
        whole: Option<u64>,
        has_past: impl Fn(MsgNo) -> bool,
    ) {
        match (config.acks, whole) {
            (Acks::SetHash { .. }, Some(hash)) => {
                if self.acks.sets.len() < ACK_SETS_MAX {
                    self.acks.sets.insert(hash);
                }
            }
            (Acks::Ancestors { .. }, _) => {
                for no in taken {
                    let acks = if has_past(*no) { &mut self.acks.past } else { &mut self.acks.by_id };
                    acks.insert(*no);
                }
            }
            _ => self.acks.by_id.extend(taken),
        }
        if !self.acks.is_empty() {
            self.acks.due_by(now + patience(config));
        }
    }

    /// Tells the peer that a session is over.
    pub fn end_session(&mut self, session: u32, end: u32) {
        if self.ends.iter().any(|(known, _)| *known == session) {
            return;
        }
        if self.ends.len() == ENDS_MAX {
            self.ends.pop_front();
        }
        self.ends.push_back((session, end));
    }

    /// When it wants a payload made; never before the next epoch that is free.
    pub fn due(&self, epoch: Span) -> Option<Time> {
        let start = |number: u64| Time::from_us(number.saturating_mul(epoch.as_us()));
        [
            self.acks.due,
            (!self.ends.is_empty()).then_some(Time::ZERO),
            self.records.next_epoch().map(start),
            self.requests.next_epoch().map(start),
            self.exchanges.values().filter_map(Exchange::poll_timeout).min(),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|time| time.max(self.next_payload))
    }

    /// Makes the payload of this epoch. `None` if nothing is due. O(what it carries).
    pub fn compose(
        &mut self,
        library: &Library,
        config: &Config,
        now: Time,
        wants: &mut Wants,
        moved: &mut Vec<Moved>,
        stats: &mut Stats,
    ) -> Option<Payload> {
        let mut payload = Payload::default();
        let epoch = now.as_us() / config.epoch.as_us().max(1);
        let mut room = config.limits.payload_len_max - 1;
        // Acks leave at most half of the payload to themselves.
        let acks_room = room / 2;
        let acks_len = self.ack_entries(library, acks_room, &mut payload);
        room -= acks_len;
        self.put_requests(config, epoch, &mut room, &mut payload, wants, moved, stats);
        for (session, end) in self.ends.drain(..) {
            let segment = Segment { session, end, ..Segment::default() };
            exchange::put(segment, &mut room, &mut payload.segments, stats);
        }
        for exchange in self.exchanges.values_mut() {
            exchange.fill(now, &mut room, &mut payload.segments, stats);
        }
        self.put_records(library, config, epoch, &mut room, &mut payload, stats);
        let alone = payload.requests.is_empty()
            && payload.ranks.is_empty()
            && payload.segments.is_empty()
            && payload.messages.is_empty()
            && payload.offers.is_empty();
        let acks = payload.acks.len() + payload.past_acks.len() + payload.set_acks.len();
        let next_epoch = Time::from_us((epoch + 1).saturating_mul(config.epoch.as_us().max(1)));
        if alone && (acks == 0 || self.acks.due.is_none_or(|due| due > now)) {
            let due = |next: Option<u64>| next.is_some_and(|next| next <= epoch);
            let crowded = due(self.records.next_epoch())
                || due(self.requests.next_epoch())
                || self.exchanges.values().any(|e| e.poll_timeout().is_some_and(|time| time <= now));
            if !crowded {
                return None;
            }
            // Something is due and has no room. If acks that could have waited took it, they go now; else it is
            // too long for any payload, and looking again within the epoch would have no end.
            if acks == 0 {
                self.next_payload = next_epoch;
                return None;
            }
        }
        self.acks_sent(library, &payload, now);
        stats.send(Kind::Header, 1, 1);
        stats.send(Kind::Ack, acks, acks_len);
        stats.payloads += 1;
        stats.ack_payloads += u64::from(alone);
        self.next_payload = next_epoch;
        Some(payload)
    }

    /// Puts acks into the payload without forgetting them. Their bytes.
    fn ack_entries(&mut self, library: &Library, room: usize, payload: &mut Payload) -> usize {
        // Of what is acked with its past, only what no other ack stands for.
        let mut covered = BTreeSet::new();
        for no in &self.acks.past {
            covered.extend(library.message(*no).parents.iter().flatten().filter_map(|id| library.find(*id)));
        }
        self.acks.past.retain(|no| !covered.contains(no));
        let fits = room / ENTRY_LEN;
        let id = |no: &MsgNo| library.message(*no).id_bytes.clone();
        payload.acks.extend(self.acks.by_id.iter().take(fits).map(id));
        payload.past_acks.extend(self.acks.past.iter().take(fits - payload.acks.len()).map(id));
        let left = room - (payload.acks.len() + payload.past_acks.len()) * ENTRY_LEN;
        // Packed: one tag and length, then 8 bytes each.
        payload.set_acks.extend(self.acks.sets.iter().take(left.saturating_sub(8) / 8));
        let sets_len = match payload.set_acks.len() {
            0 => 0,
            n => 3 + prost::length_delimiter_len(8 * n) + 8 * n,
        };
        (payload.acks.len() + payload.past_acks.len()) * ENTRY_LEN + sets_len
    }

    fn acks_sent(&mut self, library: &Library, payload: &Payload, now: Time) {
        let sent =
            |ids: &[Bytes]| -> Vec<MsgNo> { ids.iter().filter_map(|id| library.find_bytes(id)).collect() };
        for no in sent(&payload.acks) {
            self.acks.by_id.remove(&no);
        }
        for no in sent(&payload.past_acks) {
            self.acks.past.remove(&no);
        }
        for hash in &payload.set_acks {
            self.acks.sets.remove(hash);
        }
        self.acks.due = if self.acks.is_empty() { None } else { Some(now) };
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a node that a payload touches")]
    fn put_requests(
        &mut self,
        config: &Config,
        epoch: u64,
        room: &mut usize,
        payload: &mut Payload,
        wants: &mut Wants,
        moved: &mut Vec<Moved>,
        stats: &mut Stats,
    ) {
        let mut by_list: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        let (mut gone, me, before) = (Vec::new(), self.id, *room);
        let mut count = 0;
        self.requests.send_due(epoch, &config.backoff, |id, request| {
            if *room < ENTRY_LEN {
                return false;
            }
            if request.sends > 0 {
                match wants.late(id, me, request.sends, config) {
                    Late::Again => stats.resends += 1,
                    Late::GiveUp => {
                        gone.push(id);
                        return true;
                    }
                    Late::Move(to) => {
                        gone.push(id);
                        moved.push(Moved { id, to });
                        return true;
                    }
                }
            }
            count += 1;
            match request.value {
                Some(place) if request.sends == 0 && config.requests == Requests::ByRank => {
                    // A gap takes at most 5 bytes; the head of a list 16, and each list has one request at least.
                    *room -= 5 + if by_list.contains_key(&(place.list, place.len)) { 0 } else { 16 };
                    by_list.entry((place.list, place.len)).or_default().push(place.rank);
                }
                _ => {
                    *room -= ENTRY_LEN;
                    payload.requests.push(Bytes::copy_from_slice(id.bytes()));
                }
            }
            true
        });
        let mut len = payload.requests.len() * ENTRY_LEN;
        for ((list, list_len), mut ranks) in by_list {
            ranks.sort_unstable();
            ranks.dedup();
            let bytes = ranks::encode(list, list_len, &ranks);
            len += 3 + prost::length_delimiter_len(bytes.len()) + bytes.len();
            payload.ranks.push(bytes.into());
        }
        *room = before - len;
        stats.send(Kind::Request, count, len);
        for id in gone {
            self.requests.remove(id);
        }
    }

    fn put_records(
        &mut self,
        library: &Library,
        config: &Config,
        epoch: u64,
        room: &mut usize,
        payload: &mut Payload,
        stats: &mut Stats,
    ) {
        let (mut offers, mut messages) = (Vec::new(), Vec::new());
        self.records.send_due(epoch, &config.backoff, |no, record| {
            let message = library.message(no);
            let len = match record.value {
                Give::Offer => ENTRY_LEN,
                Give::Message => message.overhead_len + message.body.len(),
            };
            if len > *room {
                return false;
            }
            *room -= len;
            stats.resends += u64::from(record.sends > 0);
            match record.value {
                Give::Offer => {
                    offers.push(no);
                    payload.offers.push(message.id_bytes.clone());
                }
                Give::Message => {
                    messages.push(no);
                    stats.send(Kind::Message, 1, message.overhead_len);
                    stats.send(Kind::Body, 1, message.body.len());
                    payload.messages.push(message.to_wire());
                }
            }
            true
        });
        stats.send(Kind::Offer, offers.len(), offers.len() * ENTRY_LEN);
        if !offers.is_empty() && config.requests == Requests::ByRank {
            self.offered.remember(ranks::list_name(payload.offers.iter()), offers);
        }
        if !messages.is_empty() && matches!(config.acks, Acks::SetHash { .. }) {
            if self.sent_sets.len() == SENT_SETS_MAX {
                self.sent_sets.pop_front();
            }
            let hash = set_hash(messages.iter().map(|no| library.message(*no).item.id));
            self.sent_sets.push_back((hash, messages));
        }
    }

    /// Whether nothing waits to be sent, answered or asked.
    pub fn is_settled(&self) -> bool {
        self.records.is_empty()
            && !self.overflow
            && self.requests.is_empty()
            && self.acks.is_empty()
            && self.exchanges.values().all(Exchange::is_settled)
    }

    /// Bytes on the heap, roughly.
    pub fn heap_bytes(&self) -> usize {
        (self.known.len() + self.past.len()) / 8
            + self.records.len() * 56
            + self.requests.len() * 112
            + self.exchanges.values().map(Exchange::heap_bytes).sum::<usize>()
    }
}

/// The hash of the messages of a payload, in its order.
pub fn set_hash(ids: impl Iterator<Item = ItemId>) -> u64 {
    let mut hasher = SipHasher24::new();
    ids.for_each(|id| hasher.write(id.bytes()));
    hasher.finish()
}

/// How long an ack may wait for company.
fn patience(config: &Config) -> Span {
    match config.acks {
        Acks::Immediate => Span::ZERO,
        Acks::Delayed { after } | Acks::Ancestors { after } | Acks::SetHash { after } => after,
    }
}

/// A bit set that grows with what is put in.
trait PutGrown {
    /// Sets a bit; true if it was set.
    fn put_grown(&mut self, bit: usize) -> bool;
}

impl PutGrown for FixedBitSet {
    fn put_grown(&mut self, bit: usize) -> bool {
        self.grow(bit + 1);
        self.put(bit)
    }
}
