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
use crate::payload::{Draft, ENTRY_LEN, Segment};
use crate::ranks::{self, Offered, Place};
use crate::records::Records;
use crate::stats::{Kind, Refusal, Stats};
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

/// Acks that a payload carries.
struct Acked {
    by_id: Vec<MsgNo>,
    past: Vec<MsgNo>,
    sets: Vec<u64>,
}

impl Acked {
    fn len(&self) -> usize {
        self.by_id.len() + self.past.len() + self.sets.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl PendingAcks {
    /// Forgets what was sent; what did not fit is due at once.
    fn sent(&mut self, acked: Acked, now: Time) {
        self.by_id.retain(|no| acked.by_id.binary_search(no).is_err());
        self.past.retain(|no| acked.past.binary_search(no).is_err());
        self.sets.retain(|hash| acked.sets.binary_search(hash).is_err());
        self.due = if self.is_empty() { None } else { Some(now) };
    }

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

    /// The peer holds these messages and all their ancestors from before.
    pub fn remember(&mut self, set: &FixedBitSet) {
        self.known.union_with(set);
        self.past.union_with(set);
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
    ) -> Option<Draft> {
        let mut payload = Draft::default();
        let epoch = now.as_us() / config.epoch.as_us().max(1);
        let mut room = config.limits.payload_len_max - 1;
        // Acks leave at most half of the payload to themselves.
        let acks_room = room / 2;
        let (acks, acks_len) = self.ack_entries(library, acks_room, &mut payload);
        room -= acks_len;
        self.put_requests(config, epoch, &mut room, &mut payload, wants, moved, stats);
        while room >= exchange::SEGMENT_OVERHEAD_MAX
            && let Some((session, end)) = self.ends.pop_front()
        {
            let segment = Segment { session, end, ..Segment::default() };
            exchange::put(segment, &mut room, &mut payload.rest.segments, stats);
        }
        for exchange in self.exchanges.values_mut() {
            exchange.fill(now, &mut room, &mut payload.rest.segments, stats);
        }
        self.put_records(library, config, epoch, &mut room, &mut payload, stats);
        let alone = payload.is_acks_alone();
        let next_payload = Time::from_us((epoch + 1).saturating_mul(config.epoch.as_us().max(1)));
        if alone && (acks.is_empty() || self.acks.due.is_none_or(|due| due > now)) {
            if self.due(config.epoch).is_none_or(|due| due > now) {
                return None;
            }
            // Something is due and has no room. If acks that could have waited took it, they go now; else it is
            // too long for any payload, and looking again within the epoch would have no end.
            if acks.is_empty() {
                self.next_payload = next_payload;
                return None;
            }
        }
        let count = acks.len();
        self.acks.sent(acks, now);
        stats.send(Kind::Header, 1, 1);
        stats.send(Kind::Ack, count, acks_len);
        stats.payloads += 1;
        stats.ack_payloads += u64::from(alone);
        self.next_payload = next_payload;
        Some(payload)
    }

    /// Puts acks into the payload without forgetting them: which, and their bytes.
    fn ack_entries(&mut self, library: &Library, room: usize, payload: &mut Draft) -> (Acked, usize) {
        // Of what is acked with its past, only what no other ack stands for.
        let mut covered = BTreeSet::new();
        for no in &self.acks.past {
            covered.extend(library.message(*no).parents.iter().flatten().filter_map(|id| library.find(*id)));
        }
        self.acks.past.retain(|no| !covered.contains(no));
        let fits = room / ENTRY_LEN;
        let by_id: Vec<MsgNo> = self.acks.by_id.iter().take(fits).copied().collect();
        let past: Vec<MsgNo> = self.acks.past.iter().take(fits - by_id.len()).copied().collect();
        by_id.iter().for_each(|no| payload.ack(library.id(*no)));
        payload.rest.past_acks =
            past.iter().map(|no| Bytes::copy_from_slice(library.id(*no).bytes())).collect();
        let entries_len = (by_id.len() + past.len()) * ENTRY_LEN;
        // Packed: one tag and length, then 8 bytes each.
        let sets: Vec<u64> =
            self.acks.sets.iter().take((room - entries_len).saturating_sub(8) / 8).copied().collect();
        let sets_len = match sets.len() {
            0 => 0,
            n => 3 + prost::length_delimiter_len(8 * n) + 8 * n,
        };
        payload.rest.set_acks.clone_from(&sets);
        (Acked { by_id, past, sets }, entries_len + sets_len)
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a node that a payload touches")]
    fn put_requests(
        &mut self,
        config: &Config,
        epoch: u64,
        room: &mut usize,
        payload: &mut Draft,
        wants: &mut Wants,
        moved: &mut Vec<Moved>,
        stats: &mut Stats,
    ) {
        let mut by_list: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        let (mut gone, me, before) = (Vec::new(), self.id, *room);
        let (mut count, mut asked) = (0, 0);
        self.requests.send_due(epoch, &config.backoff, |id, request| {
            if *room < ENTRY_LEN {
                return false;
            }
            if request.sends > 0 {
                match wants.late(id, me, request.sends, config) {
                    Late::Again => stats.resends += 1,
                    Late::GiveUp => {
                        stats.refuse(Refusal::RequestGivenUp);
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
                    asked += 1;
                    payload.request(&id);
                }
            }
            true
        });
        let mut len = asked * ENTRY_LEN;
        for ((list, list_len), mut ranks) in by_list {
            ranks.sort_unstable();
            ranks.dedup();
            let bytes = ranks::encode(list, list_len, &ranks);
            len += 3 + prost::length_delimiter_len(bytes.len()) + bytes.len();
            payload.rest.ranks.push(bytes.into());
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
        payload: &mut Draft,
        stats: &mut Stats,
    ) {
        let (mut offers, mut messages) = (Vec::new(), Vec::new());
        self.records.send_due(epoch, &config.backoff, |no, record| {
            let len = match record.value {
                Give::Offer => ENTRY_LEN,
                Give::Message => library.message(no).entry.len(),
            };
            if len > *room {
                return false;
            }
            *room -= len;
            stats.resends += u64::from(record.sends > 0);
            match record.value {
                Give::Offer => {
                    offers.push(no);
                    payload.offer(library.id(no));
                }
                Give::Message => {
                    let message = library.message(no);
                    messages.push(no);
                    stats.send(Kind::Message, 1, len - message.body.len());
                    stats.send(Kind::Body, 1, message.body.len());
                    payload.message(&message.entry);
                }
            }
            true
        });
        stats.send(Kind::Offer, offers.len(), offers.len() * ENTRY_LEN);
        if !offers.is_empty() && config.requests == Requests::ByRank {
            self.offered
                .remember(ranks::list_name(offers.iter().map(|no| &library.id(*no).bytes()[..])), offers);
        }
        if !messages.is_empty() && matches!(config.acks, Acks::SetHash { .. }) {
            if self.sent_sets.len() == SENT_SETS_MAX {
                self.sent_sets.pop_front();
            }
            let hash = set_hash(messages.iter().map(|no| *library.id(*no)));
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
