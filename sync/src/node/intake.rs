//! What a node does with what a peer says: acks, messages, offers and requests, in this order.
//!
//! Everything here is driven by a peer's bytes, so nothing believes them: ids are computed, groups are looked up,
//! every list has its bound, and what is refused is counted.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use offerbench_algos::ItemId;

use super::{Node, NodeEvent};
use crate::config::{Delivery, Offer, Part};
use crate::library::{GroupId, Library, MsgNo, PeerId};
use crate::payload::{Payload, WireMessage, to_id};
use crate::peer::{Give, Peer, set_hash};
use crate::plant::Plant;
use crate::ranks::{self, Place};
use crate::stats::Refusal;
use crate::time::Time;

impl Node {
    pub(super) fn handle_records(
        &mut self,
        library: &mut Library,
        now: Time,
        from: PeerId,
        payload: Payload,
    ) {
        self.handle_acks(library, from, &payload);
        self.handle_messages(library, now, from, &payload.messages);
        self.handle_offers(library, now, from, &payload.offers);
        self.handle_requests(library, now, from, &payload);
        let mut opened = BTreeSet::new();
        for segment in &payload.segments {
            self.handle_segment(library, now, from, segment, &mut opened);
        }
        self.refill(from, now);
    }

    pub(super) fn peer(&mut self, id: PeerId) -> &mut Peer {
        self.peers.get_mut(&id).expect("only peers that exist are named")
    }

    fn find_held(&self, library: &Library, id: ItemId) -> Option<MsgNo> {
        // The library may know messages of other nodes of this process.
        library.find(id).filter(|no| self.holds(*no))
    }

    fn handle_acks(&mut self, library: &Library, from: PeerId, payload: &Payload) {
        for (ids, past) in [(&payload.acks, false), (&payload.past_acks, true)] {
            for id in ids {
                let Some(no) = to_id(id).and_then(|id| self.find_held(library, id)) else {
                    self.stats.refuse(if to_id(id).is_some() { Refusal::UnknownAck } else { Refusal::BadId });
                    continue;
                };
                if self.plant == Plant::DroppedAck {
                    continue;
                }
                let past = past && self.dag.is_complete(no);
                let peer = self.peer(from);
                if past {
                    peer.holds_past(library, no);
                } else {
                    peer.holds(no);
                }
            }
        }
        for hash in &payload.set_acks {
            if !self.peer(from).holds_set(*hash) {
                self.stats.refuse(Refusal::UnknownAck);
            }
        }
    }

    fn handle_messages(&mut self, library: &mut Library, now: Time, from: PeerId, messages: &[WireMessage]) {
        let (mut taken, mut all) = (Vec::new(), true);
        for message in messages {
            match self.take(library, now, from, message) {
                Ok(no) => taken.push(no),
                Err(None) => all = false,
                Err(Some(why)) => {
                    all = false;
                    self.stats.refuse(why);
                }
            }
        }
        if taken.is_empty() {
            return;
        }
        let whole = all.then(|| set_hash(taken.iter().map(|no| *library.id(*no))));
        let (peer, dag) = (self.peers.get_mut(&from).expect("it was looked up"), &self.dag);
        let member = self.config.part == Part::Member;
        peer.ack_taken(now, &self.config, &taken, whole, |no| member && dag.is_complete(no));
    }

    /// A message of a payload. `Ok` if it is to be acked by the policy; `Err(None)` if it was acked by id.
    fn take(
        &mut self,
        library: &mut Library,
        now: Time,
        from: PeerId,
        message: &WireMessage,
    ) -> Result<MsgNo, Option<Refusal>> {
        let limits = self.config.limits;
        let group = <[u8; 32]>::try_from(&message.group_id[..]).map_err(|_| Some(Refusal::BadMessage))?;
        let group = GroupId(group);
        if !self.peers[&from].groups.contains(&group) {
            return Err(Some(Refusal::UnknownGroup));
        }
        if message.body.len() > limits.body_len_max {
            return Err(Some(Refusal::BadMessage));
        }
        let candidate = library.read(group, message.timestamp as u64, &message.body);
        if let Some(no) = self.find_held(library, candidate.item.id) {
            self.stats.redundant += 1;
            self.stats.redundant_bytes += message.body.len() as u64;
            self.events.push_back(NodeEvent::Redundant { from, message: no });
            let peer = self.peer(from);
            peer.holds(no);
            peer.ack_now(now, no);
            return Err(None);
        }
        if self.held_count >= limits.messages_max {
            return Err(Some(Refusal::StoreFull));
        }
        if self.config.part == Part::Member {
            match library.parents(&candidate) {
                None => self.stats.refuse(Refusal::BadContent),
                Some(parents) => {
                    let full =
                        self.dag.waiting() >= limits.waiting_max && self.plant != Plant::UnboundedBuffer;
                    if self.config.delivery == Delivery::Causal && full {
                        let missing = self.dag.missing_of(library, group, parents);
                        if !missing.is_empty() {
                            // Asking for it again would not help, and may take the place of a request that does.
                            for id in self.wants.arrived(candidate.item.id) {
                                self.peer(id).requests.remove(candidate.item.id);
                            }
                            self.want_parents(library, now, from, &missing);
                            // A request for what the buffer waits for may have been given up.
                            let absent = self.dag.some_absent();
                            self.want_parents(library, now, from, &absent);
                            return Err(Some(Refusal::WaitingFull));
                        }
                    }
                }
            }
        }
        let no = library.keep(candidate);
        self.store(library, now, Some(from), no);
        Ok(no)
    }

    /// A message that was not held is, from here on.
    pub(super) fn store(&mut self, library: &Library, now: Time, from: Option<PeerId>, no: MsgNo) {
        self.held.grow_and_insert(no.place());
        self.held_count += 1;
        let message = library.message(no);
        self.index(library, no);
        let offered: Vec<PeerId> = self.wants.arrived(message.item.id).collect();
        for id in offered {
            let config = Arc::clone(&self.config);
            let peer = self.peer(id);
            peer.requests.remove(message.item.id);
            peer.holds(no);
            if Some(id) != from {
                peer.ack_in_passing(now, &config, no);
                self.reschedule(id);
            }
        }
        if let Some(from) = from {
            self.peer(from).holds(no);
        }
        self.advance(library, now, from, no);
        let peers: Vec<PeerId> = self.groups[&message.group].peers.iter().copied().collect();
        for id in peers.into_iter().filter(|id| Some(*id) != from) {
            self.spread(now, id, message.group, no);
            self.reschedule(id);
        }
    }

    /// Delivers what may be delivered now that a message is here, and asks for parents that are missing.
    fn advance(&mut self, library: &Library, now: Time, from: Option<PeerId>, no: MsgNo) {
        let message = library.message(no);
        if self.config.part == Part::Relay || message.parents.is_none() {
            return;
        }
        let mut completed = Vec::new();
        self.dag.add(library, no, &mut completed);
        match self.config.delivery {
            Delivery::Eventual => self.deliver(library, no),
            Delivery::Causal if self.plant == Plant::SkippedParent => self.deliver(library, no),
            Delivery::Causal => {
                completed.iter().for_each(|no| self.deliver(library, *no));
                let Some(from) = from.filter(|_| !self.dag.is_complete(no)) else { return };
                let missing = self.dag.missing(library, no);
                self.want_parents(library, now, from, &missing);
            }
        }
    }

    /// Asks for parents that are not here, of whoever sent the child.
    fn want_parents(&mut self, library: &Library, now: Time, from: PeerId, missing: &[ItemId]) {
        for &id in missing {
            // It may have them, but has not said so.
            if self.find_held(library, id).is_none() && self.wants.guess(id, from) {
                self.request(now, from, id, None);
            }
        }
    }

    fn deliver(&mut self, library: &Library, no: MsgNo) {
        if self.has_delivered(no) {
            return;
        }
        self.delivered.grow_and_insert(no.place());
        let group = library.message(no).group;
        self.events.push_back(NodeEvent::Delivered { group, message: no });
    }

    pub(super) fn index(&mut self, library: &Library, no: MsgNo) {
        let message = library.message(no);
        let Some(group) = self.groups.get_mut(&message.group) else { return };
        group.held.grow_and_insert(no.place());
        if let Some(index) = &mut group.index {
            index.insert(message.item);
        }
    }

    /// A peer may lack a message that is held since now.
    fn spread(&mut self, now: Time, id: PeerId, group: GroupId, no: MsgNo) {
        match self.config.offer {
            Offer::Batch => self.give(now, id, no, Give::Message),
            Offer::Interactive => self.give(now, id, no, Give::Offer),
            Offer::Reconcile(_) => self.desk_news(now, id, group, no),
        }
    }

    /// Queues a record, unless the peer is known to hold the message or has one.
    pub(crate) fn give(&mut self, now: Time, id: PeerId, no: MsgNo, what: Give) {
        let (epoch, backlog_max) = (self.epoch(now), self.config.limits.backlog_max);
        let peer = self.peer(id);
        if peer.known.contains(no.place()) || peer.records.get(no).is_some() {
            return;
        }
        if peer.records.len() >= backlog_max {
            peer.overflow = true;
            return self.stats.refuse(Refusal::BacklogFull);
        }
        peer.records.put(no, what, epoch);
    }

    pub(super) fn refill_all(&mut self, now: Time) {
        let ids: Vec<PeerId> = self.peers.keys().copied().collect();
        for id in ids {
            self.refill(id, now);
            self.reschedule(id);
        }
    }

    /// Finds again what got no record because there were too many. O(messages / 64) when at least half of the
    /// backlog has drained, else nothing.
    fn refill(&mut self, id: PeerId, now: Time) {
        let backlog_max = self.config.limits.backlog_max;
        let peer = self.peer(id);
        if !peer.overflow || peer.records.len() > backlog_max / 2 {
            return;
        }
        peer.overflow = false;
        let what = match self.config.offer {
            Offer::Batch => Give::Message,
            Offer::Interactive => Give::Offer,
            // A session finds it.
            Offer::Reconcile(_) => return self.desk_refill(now, id),
        };
        let peer = &self.peers[&id];
        let missing: Vec<MsgNo> = peer
            .groups
            .iter()
            .flat_map(|group| self.groups[group].held.difference(&peer.known))
            .map(|place| MsgNo(place as u32))
            .collect();
        for no in missing {
            if self.peers[&id].overflow {
                break;
            }
            self.give(now, id, no, what);
        }
    }

    fn handle_offers(&mut self, library: &Library, now: Time, from: PeerId, offers: &[Bytes]) {
        if offers.is_empty() {
            return;
        }
        let (list, len) = (ranks::list_name(offers.iter().map(|id| &id[..])), offers.len() as u32);
        for (bytes, rank) in offers.iter().zip(0..) {
            let Some(id) = to_id(bytes) else {
                self.stats.refuse(Refusal::BadId);
                continue;
            };
            if let Some(no) = self.find_held(library, id) {
                let peer = self.peer(from);
                peer.holds(no);
                peer.ack_now(now, no);
            } else {
                self.want(now, from, id, Some(Place { list, len, rank }));
            }
        }
    }

    /// A peer has a message that is not here: it, or another, is asked.
    fn want(&mut self, now: Time, from: PeerId, id: ItemId, place: Option<Place>) {
        let before = self.wants.asked(id);
        let is_new = !self.wants.is_remembered(id, from);
        if self.wants.offer(id, from, &self.config) {
            return self.request(now, from, id, place);
        }
        // Asked twice without an answer: it may be away, and its next turn as far off as the back-off is long.
        let Some(before) = before.filter(|_| is_new && self.wants.is_remembered(id, from)) else { return };
        let sends = self.peer(before).requests.get(id).map_or(0, |request| request.sends);
        if sends >= 2 && self.peer(from).requests.len() < self.config.limits.requests_max {
            self.peer(before).requests.remove(id);
            self.reschedule(before);
            self.wants.hand_over(id, from, sends);
            self.request(now, from, id, place);
        }
    }

    /// Asks a peer for a message; if too many requests wait for it, another that offered the message.
    pub(super) fn request(&mut self, now: Time, to: PeerId, id: ItemId, place: Option<Place>) {
        let (epoch, requests_max) = (self.epoch(now), self.config.limits.requests_max);
        // A place in a list is good for the one that offered the list.
        let (mut next, mut place) = (Some(to), place);
        while let Some(to) = next {
            let peer = self.peer(to);
            if peer.requests.len() < requests_max {
                peer.requests.put(id, place, epoch);
                return self.reschedule(to);
            }
            self.stats.refuse(Refusal::RequestsFull);
            // Without coordination the others have been asked.
            (next, place) = (self.wants.forget(id, to).filter(|_| self.config.coordinate), None);
        }
    }

    fn handle_requests(&mut self, library: &Library, now: Time, from: PeerId, payload: &Payload) {
        let mut asked = Vec::new();
        for bytes in &payload.requests {
            match to_id(bytes) {
                None => self.stats.refuse(Refusal::BadId),
                Some(id) => asked.push(self.find_held(library, id)),
            }
        }
        for bytes in &payload.ranks {
            match self.peer(from).offered.read(bytes) {
                Ok(Some(messages)) => asked.extend(messages.into_iter().map(Some)),
                Ok(None) => asked.push(None),
                Err(_) => self.stats.refuse(Refusal::BadPayload),
            }
        }
        let (epoch, backlog_max) = (self.epoch(now), self.config.limits.backlog_max);
        for no in asked {
            let shared = |no: &MsgNo| self.peers[&from].groups.contains(&library.message(*no).group);
            let Some(no) = no.filter(shared) else {
                self.stats.refuse(Refusal::UnknownRequest);
                continue;
            };
            let peer = self.peer(from);
            if peer.records.get(no).is_none() && peer.records.len() >= backlog_max {
                // What is asked for comes before what is merely lacked: it may be the parent for which all that
                // fills the backlog is refused. The newest gives way; it is found again.
                if let Some(last) = peer.records.last_key() {
                    peer.records.remove(last);
                }
                peer.overflow = true;
                self.stats.refuse(Refusal::BacklogFull);
            }
            let peer = self.peer(from);
            peer.records.put(no, Give::Message, epoch);
        }
    }
}
