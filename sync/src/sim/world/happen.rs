//! What happens when an event's time has come, and to whom: each touches one node.

use super::{InFlight, Life, NEVER, Planned, WAKES_MAX, World, node_seed};
use crate::sim::observe::{Event, LossCause, Observer, Stage};
use crate::sim::presence::Interval;
use crate::{MsgNo, Node, NodeEvent, PeerId, Span};

impl<O: Observer> World<O> {
    pub(super) fn arrive(&mut self, in_flight: u32) -> Option<usize> {
        let flight = &mut self.in_flight[in_flight as usize];
        let (from, to, sent) = (PeerId(flight.from), PeerId(flight.to), flight.sent);
        let payload = std::mem::take(&mut flight.payload);
        let slot = &mut self.slots[to.0 as usize];
        let touched = match &mut slot.node {
            Some(node) if slot.online => {
                self.totals.arrived += 1;
                self.totals.arrived_bytes += payload.len() as u64;
                let taken = node.handle_payload(&mut self.library, self.now, from, &payload);
                tell!(self, Event::Arrived { from, to, payload: &payload, sent });
                if let Err(error) = &taken {
                    self.totals.refused += 1;
                    tell!(self, Event::Refused { from, to, error });
                }
                Some(to.0 as usize)
            }
            _ => {
                self.lose(from, to, &payload, LossCause::Offline);
                None
            }
        };
        self.give_back(in_flight, payload);
        touched
    }

    pub(super) fn wake(&mut self, no: usize) -> Option<usize> {
        let slot = &mut self.slots[no];
        if slot.armed != Some(self.now) {
            return None;
        }
        slot.armed = None;
        let node = slot.node.as_mut()?;
        match node.poll_timeout() {
            Some(at) if at <= self.now => {
                slot.wakes = if slot.woken_at == self.now { slot.wakes + 1 } else { 0 };
                slot.woken_at = self.now;
                assert!(slot.wakes < WAKES_MAX, "node {no} wants to be woken at {} for ever", self.now);
                node.handle_timeout(self.now);
                tell!(self, Event::Woken(PeerId(no as u32)));
                Some(no)
            }
            _ => {
                self.arm(no);
                None
            }
        }
    }

    pub(super) fn edge(&mut self, no: usize) -> Option<usize> {
        if self.healed {
            return None;
        }
        let slot = &mut self.slots[no];
        slot.edges += 1;
        let present = slot.edges % 2 == 1;
        self.plan_edge(no);
        self.set_online(no, present).then_some(no)
    }

    /// Plans the next coming or going.
    pub(super) fn plan_edge(&mut self, no: usize) {
        let slot = &mut self.slots[no];
        let intervals: &[Interval] = self.config.presence.intervals(no);
        let Some(&(from, until)) = intervals.get(slot.edges / 2) else {
            return;
        };
        let present = slot.edges % 2 == 1;
        if present {
            slot.leaves_at = until;
        }
        let at = if present { until } else { from };
        if at < NEVER {
            self.queue.push(at, Planned::Edge(no as u32));
        }
    }

    /// Tells a node of its connectivity, if that has changed. Says whether it has.
    pub(super) fn set_online(&mut self, no: usize, online: bool) -> bool {
        let slot = &mut self.slots[no];
        let Some(node) = slot.node.as_mut().filter(|_| slot.online != online) else {
            return false;
        };
        slot.online = online;
        let peer = PeerId(no as u32);
        if online {
            slot.up_since = self.now;
            node.handle_online(self.now);
            tell!(self, Event::Online(peer));
        } else {
            node.handle_offline(self.now);
            tell!(self, Event::Offline(peer));
        }
        true
    }

    pub(super) fn append(&mut self, no: u32) -> Option<usize> {
        let append = &self.config.appends[no as usize];
        let (author, group) = (append.node, append.group);
        let slot = &mut self.slots[author.0 as usize];
        let Some(node) = slot.node.as_mut() else {
            self.queue.push(slot.down_until, Planned::Append(no));
            return None;
        };
        let at_ms =
            self.config.start_ms.saturating_add(self.now.as_ms()).saturating_add_signed(append.skew_ms);
        let text = append.text.bytes(self.config.seed.child("text").nth(u64::from(no)));
        let appended = node.append(&mut self.library, self.now, group, at_ms, &text);
        self.appends_planned -= 1;
        match appended {
            Ok(message) => {
                let readers = self.members.get(&group).map_or(&[][..], Vec::as_slice);
                let is_reader = readers.binary_search(&author).is_ok();
                let owed_to = (readers.len() - usize::from(is_reader)) as u32;
                let place = message.0 as usize;
                if self.lives.len() <= place {
                    self.lives.resize(place + 1, Life::UNWRITTEN);
                }
                if !self.lives[place].is_written() {
                    self.lives[place] = Life { written_at: self.now, author, owed_to, delivered_to: 0 };
                    self.owed += u64::from(owed_to);
                }
                self.totals.appended += 1;
                tell!(self, Event::Appended { node: author, group, message });
            }
            Err(error) => {
                self.totals.appends_refused += 1;
                tell!(self, Event::AppendRefused { node: author, error: &error });
            }
        }
        Some(author.0 as usize)
    }

    pub(super) fn crash(&mut self, no: usize) -> Option<usize> {
        if self.healed {
            return None;
        }
        let crash = self.config.crashes[no];
        let no = crash.node.0 as usize;
        let slot = &mut self.slots[no];
        let node = slot.node.take()?;
        let mut disk = node.crash();
        if crash.forgets_peers {
            disk.forget_peers();
        }
        slot.disk = Some(disk);
        slot.online = false;
        slot.armed = None;
        // A microsecond at least, so that what waits for the restart does not come before it.
        slot.down_until = self.now + Span::from_us(crash.down_for.as_us().max(1));
        self.queue.push(slot.down_until, Planned::Restart(crash.node.0));
        tell!(self, Event::Crashed(crash.node));
        Some(no)
    }

    pub(super) fn restart_planned(&mut self, no: usize) -> Option<usize> {
        if !self.restart(no) {
            return None;
        }
        let present = self.slots[no].edges % 2 == 1;
        self.set_online(no, present);
        Some(no)
    }

    /// Starts a node that is down; says whether it was.
    pub(super) fn restart(&mut self, no: usize) -> bool {
        let slot = &mut self.slots[no];
        let Some(disk) = slot.disk.take() else {
            return false;
        };
        slot.restarts += 1;
        let seed = node_seed(self.config.seed, no as u32, slot.restarts);
        let node = slot.node.insert(Node::restart(disk, slot.config.clone(), &self.library, seed));
        #[cfg(any(test, feature = "plant"))]
        node.plant(self.plant);
        #[cfg(not(any(test, feature = "plant")))]
        let _ = node;
        slot.down_until = self.now;
        tell!(self, Event::Restarted(PeerId(no as u32)));
        true
    }

    /// Drains a node that was touched: what it reports, what it sends, when it wants to be woken.
    pub(super) fn poll(&mut self, no: usize) {
        self.drain_events(no);
        while let Some(node) = &mut self.slots[no].node {
            let in_flight = self.free.pop().unwrap_or_else(|| {
                self.in_flight.push(InFlight::default());
                (self.in_flight.len() - 1) as u32
            });
            let mut payload = std::mem::take(&mut self.in_flight[in_flight as usize].payload);
            let Some(to) = node.poll_transmit(&self.library, self.now, &mut payload) else {
                self.give_back(in_flight, payload);
                break;
            };
            self.send(PeerId(no as u32), to, payload, in_flight);
        }
        self.drain_events(no);
        self.arm(no);
    }

    fn drain_events(&mut self, no: usize) {
        let peer = PeerId(no as u32);
        while let Some(event) = self.slots[no].node.as_mut().and_then(Node::poll_event) {
            match &event {
                NodeEvent::Delivered { message, .. } => self.count_delivery(peer, *message),
                NodeEvent::Redundant { .. } => self.totals.redundant += 1,
                _ => {}
            }
            tell!(self, Event::Node { node: peer, event: &event });
        }
    }

    fn count_delivery(&mut self, node: PeerId, message: MsgNo) {
        let Some(life) = self.lives.get_mut(message.0 as usize) else {
            return;
        };
        // Beyond what is owed nothing is counted: the checker finds what is delivered twice.
        if life.author != node && life.delivered_to < life.owed_to {
            life.delivered_to += 1;
            self.owed -= 1;
            self.totals.delivered += 1;
        }
    }

    /// Sees to it that the node is woken when it wants to be.
    fn arm(&mut self, no: usize) {
        let slot = &mut self.slots[no];
        let Some(at) = slot.node.as_ref().and_then(Node::poll_timeout) else {
            return;
        };
        let at = at.max(self.now);
        // A wake-up that comes earlier is kept: it will plan the next one.
        if slot.armed.is_none_or(|armed| at < armed) {
            slot.armed = Some(at);
            self.queue.push(at, Planned::Wake(no as u32));
        }
    }
}
