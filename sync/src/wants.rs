//! Messages that were asked for: of whom, and who else has offered them.

use std::collections::{BTreeMap, VecDeque};

use offerbench_algos::ItemId;

use crate::config::{Config, Requests};
use crate::library::PeerId;

/// Peers that are remembered for one message beside the one that was asked.
const OTHERS_MAX: usize = 8;

#[derive(Debug)]
struct Want {
    asked: PeerId,
    /// Others that offered it, in order. Without coordination they have been asked as well.
    others: VecDeque<PeerId>,
    /// A peer that may have it but never said so: it sent a child.
    guess: Option<PeerId>,
    /// Requests sent to those asked before.
    sends_before: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Wants(BTreeMap<ItemId, Want>);

/// What becomes of a request that was not answered in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// The same peer is asked again.
    Again,
    /// This peer is asked instead.
    Move(PeerId),
    /// Nobody is asked any more.
    GiveUp,
}

impl Wants {
    /// A peer that never offered a message may have it, and nobody is asked yet. True if it is to be asked.
    pub fn guess(&mut self, id: ItemId, from: PeerId) -> bool {
        if self.contains(id) {
            return false;
        }
        let want = Want { asked: from, others: VecDeque::new(), guess: Some(from), sends_before: 0 };
        self.0.insert(id, want);
        true
    }

    /// A peer offers a message that is not here. True if it is to be asked.
    pub fn offer(&mut self, id: ItemId, from: PeerId, config: &Config) -> bool {
        let Some(want) = self.0.get_mut(&id) else {
            let want = Want { asked: from, others: VecDeque::new(), guess: None, sends_before: 0 };
            self.0.insert(id, want);
            return true;
        };
        if want.guess == Some(from) {
            want.guess = None;
        }
        if want.asked == from || want.others.contains(&from) {
            return false;
        }
        let room = want.others.len() < OTHERS_MAX;
        if room {
            want.others.push_back(from);
        }
        // Nobody could take back the request of a peer that is not remembered.
        room && !config.coordinate
    }

    /// Whether a message was asked for.
    pub fn contains(&self, id: ItemId) -> bool {
        self.0.contains_key(&id)
    }

    /// The request to `peer` is due again, after it was sent `sends` times.
    pub fn late(&mut self, id: ItemId, peer: PeerId, sends: u32, config: &Config) -> Late {
        // A peer need not be able to read ranks: by id it is asked once at least.
        let least = if config.requests == Requests::ByRank { 2 } else { 1 };
        let sends_max = config.limits.request_sends_max.max(least);
        let Some(want) = self.0.get_mut(&id) else { return Late::GiveUp };
        if !config.coordinate {
            if sends >= sends_max {
                self.forget(id, peer);
                return Late::GiveUp;
            }
            return Late::Again;
        }
        if want.sends_before.saturating_add(sends) >= sends_max {
            self.0.remove(&id);
            return Late::GiveUp;
        }
        match want.others.pop_front() {
            Some(to) => {
                want.others.push_back(peer);
                want.asked = to;
                want.sends_before += sends;
                Late::Move(to)
            }
            None => Late::Again,
        }
    }

    /// The message is here. Those that offered it, first the one that was asked.
    pub fn arrived(&mut self, id: ItemId) -> impl Iterator<Item = PeerId> + use<> {
        let want = self.0.remove(&id);
        want.into_iter().flat_map(|want| {
            let guess = want.guess;
            std::iter::once(want.asked).chain(want.others).filter(move |peer| Some(*peer) != guess)
        })
    }

    /// A request could not be queued, or was given up, at one peer. Who is to be asked instead, if that was the
    /// one that was asked and others are known.
    pub fn forget(&mut self, id: ItemId, peer: PeerId) -> Option<PeerId> {
        let want = self.0.get_mut(&id)?;
        want.others.retain(|other| *other != peer);
        if want.asked != peer {
            return None;
        }
        let next = want.others.pop_front();
        match next {
            Some(other) => want.asked = other,
            None => drop(self.0.remove(&id)),
        }
        next
    }

    /// Whether a peer is known to have offered it, or was asked.
    pub fn is_remembered(&self, id: ItemId, peer: PeerId) -> bool {
        self.0.get(&id).is_some_and(|want| want.asked == peer || want.others.contains(&peer))
    }

    /// Who was asked last.
    pub fn asked(&self, id: ItemId) -> Option<PeerId> {
        self.0.get(&id).map(|want| want.asked)
    }

    /// The one that was asked has long been late, after `sends` requests, and another that has just offered it is
    /// asked instead.
    pub fn hand_over(&mut self, id: ItemId, to: PeerId, sends: u32) {
        let Some(want) = self.0.get_mut(&id) else { return };
        want.others.retain(|other| *other != to);
        want.others.push_back(std::mem::replace(&mut want.asked, to));
        want.sends_before = want.sends_before.saturating_add(sends);
    }

    /// Messages asked for.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerId = PeerId(1);
    const B: PeerId = PeerId(2);
    const X: ItemId = ItemId::new([1; 32]);

    #[test]
    fn one_is_asked_and_the_next_when_that_one_is_late() {
        let config = Config::default();
        let mut wants = Wants::default();
        assert!(wants.offer(X, A, &config));
        assert!(!wants.offer(X, A, &config));
        assert!(!wants.offer(X, B, &config));
        assert_eq!(wants.late(X, A, 1, &config), Late::Move(B));
        assert_eq!(wants.late(X, B, 1, &config), Late::Move(A));
        assert!(wants.arrived(X).eq([A, B]));
        assert_eq!(wants.arrived(X).count(), 0);
    }

    #[test]
    fn what_nobody_delivers_is_given_up() {
        let config = Config::default();
        let mut wants = Wants::default();
        wants.offer(X, A, &config);
        let sends_max = config.limits.request_sends_max;
        assert_eq!(wants.late(X, A, sends_max - 1, &config), Late::Again);
        assert_eq!(wants.late(X, A, sends_max, &config), Late::GiveUp);
        assert_eq!(wants.len(), 0);
    }

    /// Found by soak (seed 151): the request to A found no room, and B, who had not been asked, was turned away for ever.
    #[test]
    fn a_request_without_room_names_who_is_to_be_asked_instead() {
        let config = Config::default();
        let mut wants = Wants::default();
        assert!(wants.offer(X, A, &config) && !wants.offer(X, B, &config));
        assert_eq!(wants.forget(X, A), Some(B));
        assert_eq!(wants.forget(X, B), None);
        // Nobody is asked, so the next offer counts.
        assert!(!wants.contains(X) && wants.offer(X, A, &config));
    }

    #[test]
    fn without_coordination_everybody_is_asked() {
        let config = Config { coordinate: false, ..Config::default() };
        let mut wants = Wants::default();
        assert!(wants.offer(X, A, &config) && wants.offer(X, B, &config));
        assert_eq!(wants.late(X, A, 1, &config), Late::Again);
        assert_eq!(wants.late(X, A, config.limits.request_sends_max, &config), Late::GiveUp);
        assert!(wants.arrived(X).eq([B]));
    }
}
