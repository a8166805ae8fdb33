//! When sessions begin, with whom, how they end, and what is done with what they find.
//!
//! A session with a peer is wanted when the device comes online, when the peer is heard after an absence, on a
//! schedule, and when messages wait that the peer may lack. At most [`crate::Reconcile::ask`] sessions of this
//! node's own run at a time, so a phone that wakes up asks a few peers, and the next ones as these answer or
//! fail. If both ends begin at once, the session of the one with the lower number stands.
//!
//! What a session has shown is not asked again: the peer is known to hold all that was held at its beginning
//! and was not found missing (if the strategy promises exactness), and what was found missing has a record.

use std::collections::BTreeSet;

use bytes::Bytes;
use offerbench_algos::{Budget, DiffHint, Guarantee, Lasting, Role, Seed, Setup};

use crate::config::{Offer, OnHave, Reconcile};
use crate::exchange::{Exchange, Opening, Run};
use crate::library::{GroupId, Library, MsgNo, PeerId};
use crate::node::{Node, NodeEvent};
use crate::payload::Segment;
use crate::peer::Give;
use crate::plant::Plant;
use crate::stats::Refusal;
use crate::time::{Span, Time};

/// A session is over for the sender, or unknown to it.
const END_UNKNOWN: u32 = 1;
/// A session is refused.
const END_REFUSED: u32 = 2;
/// What a session's strategy may cost: a phone's share.
const BUDGET: Budget = Budget { cpu_ns_max: 2_000_000_000, heap_bytes_max: 64 << 20 };

/// How long secrets last that members agreed on: a day, by the clock of the world.
const LASTING: Span = Span::from_s(24 * 3600);

/// What two members and their group agreed on for the day, whoever asks.
///
/// Stands for secrets that outsiders do not know: in a world there is nobody who would compute them. Nor do they
/// cost anything here. In a group whose transport gives two members a common secret they need not; elsewhere
/// add 16 bytes a day and link, and 8 a day and member for the group's.
fn lasting(now: Time, group: GroupId, link: [PeerId; 2]) -> Lasting {
    let [first, ..] = group.0.as_chunks::<8>().0 else { unreachable!("a group's id has 32 bytes") };
    let day = Seed::new(u64::from_le_bytes(*first)).child("lasting").nth(now.as_us() / LASTING.as_us());
    let [one, other] = link.map(|peer| u64::from(peer.0));
    Lasting { link: day.child("link").nth(one.min(other)).nth(one.max(other)), group: day.child("group") }
}

/// The node's book of sessions.
#[derive(Debug, Default)]
pub struct Desk {
    /// Sessions that run.
    pub running: usize,
    /// Those of them that this node began.
    own: usize,
    /// Sessions begun since the start.
    count: u64,
    /// Sessions that are wanted, by when, without those with whom one runs.
    wanted: BTreeSet<(Time, PeerId, GroupId)>,
    /// When the sessions that run end for want of an answer, or are long.
    deadlines: BTreeSet<(Time, PeerId, GroupId)>,
    /// Sessions that run and are long: they do not count as this node's own, and make room for others.
    long: BTreeSet<(Time, PeerId, GroupId)>,
}

impl Node {
    fn reconcile(&self) -> Option<&Reconcile> {
        match &self.config.offer {
            Offer::Reconcile(options) => Some(options),
            Offer::Batch | Offer::Interactive => None,
        }
    }

    /// Whether a session teaches only the end that began it.
    fn is_one_way(&self) -> bool {
        self.reconcile()
            .is_some_and(|options| options.strategy.strategy.profile().guarantee == Guarantee::MayMissOneWay)
    }

    fn exchange(&mut self, id: PeerId, group: GroupId) -> &mut Exchange {
        let peer = self.peers.get_mut(&id).expect("only peers that exist are named");
        peer.exchanges.entry(group).or_default()
    }

    /// A session with this peer should begin at `time` or earlier.
    fn want_session(&mut self, time: Time, id: PeerId, group: GroupId) {
        let exchange = self.exchange(id, group);
        let (before, runs) = (exchange.wanted, exchange.run.is_some());
        if before.is_some_and(|before| before <= time) {
            return;
        }
        exchange.wanted = Some(time);
        if runs {
            return;
        }
        if let Some(before) = before {
            self.desk.wanted.remove(&(before, id, group));
        }
        self.desk.wanted.insert((time, id, group));
    }

    fn links(&self) -> Vec<(PeerId, GroupId)> {
        let groups = |(id, group): (&GroupId, &crate::node::Group)| {
            group.peers.iter().map(|peer| (*peer, *id)).collect::<Vec<_>>()
        };
        self.groups.iter().flat_map(groups).collect()
    }

    /// "What did I miss?"
    pub(crate) fn desk_online(&mut self, now: Time) {
        if self.reconcile().is_none() {
            return;
        }
        for (id, group) in self.links() {
            self.exchange(id, group).fails = 0;
            self.want_session(now, id, group);
        }
        self.desk_tick(now);
    }

    pub(crate) fn desk_offline(&mut self, now: Time) {
        let running: Vec<(PeerId, GroupId)> =
            self.desk.deadlines.iter().map(|(_, id, group)| (*id, *group)).collect();
        for (id, group) in running {
            self.end_session(now, id, group);
        }
        for peer in self.peers.values_mut() {
            peer.heard = None;
            peer.ends.clear();
        }
    }

    /// A sign of life of a peer.
    pub(crate) fn desk_heard(&mut self, now: Time, from: PeerId) {
        let away_after = self.reconcile().map(|options| options.away_after);
        let peer = self.peers.get_mut(&from).expect("it was looked up");
        let before = peer.heard.replace(now);
        let Some(away_after) = away_after else { return };
        let away = before.is_none_or(|heard| heard + away_after < now);
        let failed = peer.exchanges.values().any(|exchange| exchange.fails > 0);
        if !away && !failed {
            return;
        }
        for group in peer.groups.clone() {
            let exchange = self.exchange(from, group);
            exchange.fails = 0;
            // It may well be heard because it answers.
            if exchange.run.is_none() {
                self.want_session(now, from, group);
            }
        }
    }

    /// A message that a peer may lack is held since now.
    pub(crate) fn desk_news(&mut self, now: Time, id: PeerId, group: GroupId, no: MsgNo) {
        let Some(news_after) = self.reconcile().map(|options| options.news_after) else { return };
        if self.peers[&id].known.contains(no.place()) {
            return;
        }
        let exchange = self.exchange(id, group);
        exchange.news = true;
        // One that does not answer is tried again when its time comes.
        if exchange.fails == 0 {
            self.want_session(now + news_after, id, group);
        }
    }

    /// What was found missing got no record because there were too many, and now there is room.
    pub(crate) fn desk_refill(&mut self, now: Time, id: PeerId) {
        let Some(news_after) = self.reconcile().map(|options| options.news_after) else { return };
        for group in self.peers[&id].groups.clone() {
            self.exchange(id, group).news = true;
            self.want_session(now + news_after, id, group);
        }
    }

    pub(crate) fn desk_timeout(&self) -> Option<Time> {
        let deadline = self.desk.deadlines.first().map(|(time, ..)| *time);
        let wanted = self.desk.wanted.first().map(|(time, ..)| *time).filter(|_| self.may_begin());
        [deadline, wanted].into_iter().flatten().min()
    }

    fn may_begin(&self) -> bool {
        let ask = self.reconcile().map_or(0, |options| options.ask.max(1) as usize);
        self.desk.own < ask && self.has_place()
    }

    /// Whether one more session may run, if need be in place of a long one.
    fn has_place(&self) -> bool {
        self.desk.running < self.config.limits.sessions_max || !self.desk.long.is_empty()
    }

    /// Ends sessions that got no answer, and begins those that are wanted.
    pub(crate) fn desk_tick(&mut self, now: Time) {
        while let Some(&(time, id, group)) = self.desk.deadlines.first().filter(|(time, ..)| *time <= now) {
            let silence = self.reconcile().map_or(Span::ZERO, |options| options.silence);
            let run = self.exchange(id, group).run.as_mut().expect("a session that runs has a deadline");
            if run.heard + silence <= now {
                self.end_session(now, id, group);
                continue;
            }
            run.is_long = true;
            let (next, own) = (run.deadline(silence), run.initiator);
            self.desk.deadlines.remove(&(time, id, group));
            self.desk.deadlines.insert((next, id, group));
            self.desk.long.insert((time, id, group));
            self.desk.own -= usize::from(own);
        }
        while self.may_begin() {
            let Some(&(time, id, group)) = self.desk.wanted.first().filter(|(time, ..)| *time <= now) else {
                break;
            };
            self.desk.wanted.remove(&(time, id, group));
            let lowest = u32::from(self.me > id);
            let draw = self.seed.child("session number").nth(self.desk.count).value() as u32;
            self.begin_session(now, id, group, draw << 1 | lowest, true);
            self.stats.sessions_opened += 1;
        }
    }

    fn begin_session(&mut self, now: Time, id: PeerId, group: GroupId, number: u32, initiator: bool) {
        let Some(options) = self.reconcile().cloned() else { return };
        if self.desk.running >= self.config.limits.sessions_max
            && let Some(&(_, id, group)) = self.desk.long.first()
        {
            self.end_session(now, id, group);
        }
        let seed = self.seed.child("session").nth(self.desk.count);
        self.desk.count += 1;
        let role = if initiator { Role::Initiator } else { Role::Responder };
        let setup = Setup {
            seed,
            lasting: lasting(now, group, [self.me, id]),
            frame_len_max: options.channel.frame_len_max,
            diff: DiffHint::Unknown,
            budget: BUDGET,
        };
        let index = self.groups[&group].index.as_ref().expect("a group has an index with this offer path");
        let session = index.open(role, &setup);
        let snapshot = self.groups[&group].held.clone();
        let peer = &self.peers[&id];
        let known = peer.known.clone();
        let knock =
            initiator && options.knock && peer.heard.is_none_or(|heard| heard + options.away_after < now);
        let exchange = self.exchange(id, group);
        let news = std::mem::take(&mut exchange.news);
        let wanted = exchange.wanted.take();
        let opening = Opening {
            number,
            initiator,
            group: Bytes::copy_from_slice(&group.0),
            strategy: options.strategy_name(),
            snapshot,
            known,
            news,
            knock,
        };
        exchange.run = Some(Run::new(now, opening, &options.channel, session));
        if let Some(wanted) = wanted {
            self.desk.wanted.remove(&(wanted, id, group));
            if !initiator && self.is_one_way() {
                // This one teaches the peer, not us: our turn stays where it was in the queue.
                self.exchange(id, group).wanted = Some(wanted);
            }
        }
        self.desk.running += 1;
        self.desk.own += usize::from(initiator);
        self.desk.deadlines.insert((now + options.silence, id, group));
        self.reschedule(id);
    }

    /// A segment of a payload in which these groups' sessions were opened before it.
    pub(crate) fn handle_segment(
        &mut self,
        library: &Library,
        now: Time,
        from: PeerId,
        segment: &Segment,
        opened: &mut BTreeSet<GroupId>,
    ) {
        let Some(silence) = self.reconcile().map(|options| options.silence) else {
            return self.refuse_session(from, segment, Refusal::SessionRefused, END_REFUSED);
        };
        let Some(group) = self.session_of(now, from, segment, opened) else { return };
        let lost = self.plant == Plant::LostFrame;
        let run = self.exchange(from, group).run.as_mut().expect("it was just looked up");
        if segment.end != 0 {
            self.end_session(now, from, group);
            if segment.end == END_REFUSED {
                // It is there, and busy: not to be tried again at its next sign of life, but in time; and not
                // always when it is busy with the same other, as equal pauses would have it.
                self.exchange(from, group).fails = 0;
                let every = self.reconcile().map_or(0, |options| options.every.as_us());
                let draw = self.seed.child("refused").nth(self.desk.count).value() % (every / 2).max(1);
                self.desk.count += 1;
                self.want_session(now + Span::from_us(every / 2 + draw), from, group);
            }
            return;
        }
        let before = run.deadline(silence);
        let result = run.handle(now, segment, |frame| lost && frame == 1);
        let after = run.deadline(silence);
        self.desk.deadlines.remove(&(before, from, group));
        self.desk.deadlines.insert((after, from, group));
        self.use_findings(library, now, from, group);
        if result.is_err() {
            self.refuse_session(from, segment, Refusal::BadSegment, END_UNKNOWN);
            self.end_session(now, from, group);
        }
    }

    /// The group of the session that a segment belongs to; one that it opens is begun.
    fn session_of(
        &mut self,
        now: Time,
        from: PeerId,
        segment: &Segment,
        opened: &mut BTreeSet<GroupId>,
    ) -> Option<GroupId> {
        let exchanges = &self.peers[&from].exchanges;
        let has =
            |exchange: &Exchange| exchange.run.as_ref().is_some_and(|run| run.number == segment.session);
        if let Some((group, _)) = exchanges.iter().find(|(_, exchange)| has(exchange)) {
            return Some(*group);
        }
        // Nobody answers an end: two nodes would do so for ever.
        if segment.end != 0 {
            return None;
        }
        let begun_by_peer = (segment.session & 1 == 1) == (from > self.me);
        if segment.group.is_empty() || segment.seq != 1 || !begun_by_peer {
            self.refuse_session(from, segment, Refusal::UnknownSession, END_UNKNOWN);
            return None;
        }
        let group = <[u8; 32]>::try_from(&segment.group[..]).map(GroupId).ok();
        let Some(group) = group.filter(|group| self.peers[&from].groups.contains(group)) else {
            self.refuse_session(from, segment, Refusal::UnknownGroup, END_REFUSED);
            return None;
        };
        if exchanges.get(&group).is_some_and(|exchange| exchange.last == Some(segment.session)) {
            self.refuse_session(from, segment, Refusal::UnknownSession, END_UNKNOWN);
            return None;
        }
        let run = self.exchange(from, group).run.as_ref().map(|run| run.initiator);
        // Both began at once: that of the lower number stands. The peer will see ours.
        if run == Some(true) && self.me < from {
            return None;
        }
        let same = self.reconcile().is_some_and(|options| options.strategy_name() == segment.strategy);
        let full = run.is_none() && !self.has_place();
        // To begin one takes as long as all messages are many; an honest peer sends one opening in a payload.
        let again = opened.contains(&group);
        if !same || full || again {
            self.refuse_session(from, segment, Refusal::SessionRefused, END_REFUSED);
            return None;
        }
        opened.insert(group);
        // The peer began another one at the same time, or has forgotten the old one.
        drop(self.drop_session(from, group));
        self.begin_session(now, from, group, segment.session, false);
        if run == Some(true) && self.is_one_way() {
            // The session that gave way would have taught us what this one does not.
            self.want_session(now, from, group);
        }
        Some(group)
    }

    fn refuse_session(&mut self, from: PeerId, segment: &Segment, why: Refusal, end: u32) {
        self.stats.refuse(why);
        if segment.end == 0 {
            let peer = self.peers.get_mut(&from).expect("it was looked up");
            peer.end_session(segment.session, end);
        }
    }

    /// Queues what the session found so far; ends it if it is over.
    fn use_findings(&mut self, library: &Library, now: Time, id: PeerId, group: GroupId) {
        let Some(options) = self.reconcile() else { return };
        let what = match options.on_have {
            OnHave::Push => Give::Message,
            OnHave::Offer => Give::Offer,
        };
        let Some(run) = &mut self.exchange(id, group).run else { return };
        let haves = std::mem::take(&mut run.haves);
        run.haves_taken += haves.len() as u64;
        let mut missing = Vec::with_capacity(haves.len());
        for no in haves.into_iter().filter_map(|id| library.find(id)) {
            // Each once, and nothing but what the session was about, whatever the strategy took the peer's word for.
            if !run.snapshot.contains(no.place()) {
                continue;
            }
            run.snapshot.set(no.place(), false);
            missing.push((no, run.known.contains(no.place())));
        }
        // Parents first: a receiver then has less to keep waiting.
        missing.sort_unstable_by_key(|(no, _)| library.message(*no).item);
        for (no, was_known) in missing {
            if was_known {
                // It lost what it had. What it has learned since the session began is another matter.
                self.peers.get_mut(&id).expect("it is there").known.set(no.place(), false);
            }
            self.give(now, id, no, what);
        }
        self.finish_if_over(now, id, group);
        self.reschedule(id);
    }

    /// Ends a session whose strategy is done and whose frames have all arrived.
    pub(crate) fn finish_if_over(&mut self, now: Time, id: PeerId, group: GroupId) {
        if self.exchange(id, group).run.as_ref().is_some_and(Run::is_over) {
            self.end_session(now, id, group);
        }
    }

    /// Forgets a session in favour of another one with the same peer.
    fn drop_session(&mut self, id: PeerId, group: GroupId) -> Option<Run> {
        let silence = self.reconcile()?.silence;
        let exchange = self.exchange(id, group);
        let run = exchange.run.take()?;
        exchange.last = Some(run.number);
        exchange.news |= run.news;
        self.desk.deadlines.remove(&(run.deadline(silence), id, group));
        if run.is_long {
            self.desk.long.retain(|(_, peer, of)| (*peer, *of) != (id, group));
        }
        self.desk.running -= 1;
        self.desk.own -= usize::from(run.initiator && !run.is_long);
        Some(run)
    }

    /// A session ends, with a result or without. Nothing of it stays but what was learned.
    fn end_session(&mut self, now: Time, id: PeerId, group: GroupId) {
        let Some(options) = self.reconcile().cloned() else { return };
        let exchange = self.exchange(id, group);
        let (news_since, wanted_meanwhile) = (exchange.news, exchange.wanted.take());
        let Some(run) = self.drop_session(id, group) else { return };
        let outcome = run.outcome(now);
        let done = outcome.is_done();
        let exchange = self.exchange(id, group);
        let fails = if done { 0 } else { exchange.fails.saturating_add(1) };
        exchange.fails = fails;
        if done {
            exchange.news = news_since;
            self.stats.sessions_done += 1;
            if options.strategy.strategy.profile().guarantee == Guarantee::Exact {
                self.peers.get_mut(&id).expect("it is there").known.union_with(&run.snapshot);
            }
        } else {
            self.stats.sessions_failed += 1;
        }
        self.events.push_back(NodeEvent::Reconciled { peer: id, outcome });
        // One end waits less, so that both do not begin at once again: the one that began, unless only that one
        // learns from it. Then they take turns.
        let pause = options.every.times(if run.initiator != self.is_one_way() { 4 } else { 5 });
        let pause = Span::from_us(pause.as_us() / 4);
        let next = if fails == 0 { pause } else { options.every.times(1 << (fails - 1).min(6)) };
        self.want_session(now + next, id, group);
        if let Some(wanted) = wanted_meanwhile.filter(|_| done) {
            self.want_session(wanted, id, group);
        }
        self.reschedule(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_know_what_they_agreed_on_and_others_do_not() {
        let at = |hours: u64| Time::from_us(hours * 3_600_000_000);
        let (a, b, c) = (PeerId(1), PeerId(2), PeerId(3));
        let group = GroupId([7; 32]);
        let known = lasting(at(1), group, [a, b]);
        assert_eq!(known, lasting(at(23), group, [b, a]));
        assert_ne!(known.link, lasting(at(1), group, [a, c]).link);
        assert_eq!(known.group, lasting(at(1), group, [a, c]).group);
        for other in [lasting(at(25), group, [a, b]), lasting(at(1), GroupId([8; 32]), [a, b])] {
            assert_ne!(known.link, other.link);
            assert_ne!(known.group, other.group);
        }
    }
}
