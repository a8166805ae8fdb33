//! From the sender to the queue: links, rules, losses, buffers.

use super::{BUFFER_KEPT_MAX, InFlight, Planned, Way, World};
use crate::sim::dice::Dice;
use crate::sim::link::{Carried, Link, Up};
use crate::sim::observe::{Event, LossCause, Observer, Stage};
use crate::sim::rules::{Passing, Verdict};
use crate::sim::spec::WorldConfig;
use crate::{PeerId, Span, Time};

impl<O: Observer> World<O> {
    pub(super) fn send(&mut self, from: PeerId, to: PeerId, mut payload: Vec<u8>, in_flight: u32) {
        self.totals.payloads += 1;
        self.totals.payload_bytes += payload.len() as u64;
        tell!(self, Event::Sent { from, to, payload: &payload });
        match self.way(from, to, &mut payload) {
            Ok((at, again)) => {
                if let Some(again) = again {
                    self.totals.duplicates += 1;
                    let copy = self.free.pop().unwrap_or_else(|| {
                        self.in_flight.push(InFlight::default());
                        (self.in_flight.len() - 1) as u32
                    });
                    let flight = &mut self.in_flight[copy as usize];
                    flight.payload.extend_from_slice(&payload);
                    (flight.from, flight.to, flight.sent) = (from.0, to.0, self.now);
                    self.queue.push(again, Planned::Arrive(copy));
                }
                self.in_flight[in_flight as usize] =
                    InFlight { from: from.0, to: to.0, sent: self.now, payload };
                self.queue.push(at, Planned::Arrive(in_flight));
            }
            Err(cause) => {
                self.lose(from, to, &payload, cause);
                self.give_back(in_flight, payload);
            }
        }
    }

    /// When a payload arrives, and when once more; or why it does not.
    fn way(
        &mut self,
        from: PeerId,
        to: PeerId,
        payload: &mut [u8],
    ) -> Result<(Time, Option<Time>), LossCause> {
        let sender = &self.slots[from.0 as usize];
        let ways = &mut self.ways[sender.links_begin..sender.links_begin + sender.link_count];
        let found = ways.binary_search_by_key(&to.0, |way| way.to).map_err(|_| LossCause::NoLink)?;
        let way = &mut ways[found];
        let profile = &self.config.profiles[usize::from(way.profile)];
        self.totals.wire_bytes += profile.wire_len(payload.len());
        if !sender.online {
            return Err(LossCause::Cut);
        }
        let mut extra = Span::ZERO;
        if !self.rules.is_empty() {
            match self.rules.judge(&Passing { now: self.now, from, to, payload }) {
                Verdict::Pass => {}
                Verdict::Drop => return Err(LossCause::Rule),
                Verdict::Deliver(after) => return Ok((self.now + after, None)),
                Verdict::Delay(by) => extra = by,
                Verdict::Corrupt => {
                    self.totals.corrupted += 1;
                    corrupt(payload, &mut self.corrupting);
                }
            }
        }
        let up = Up { since: sender.up_since, until: sender.leaves_at };
        match way.link.carry(profile, self.now, up, payload.len(), extra) {
            Carried::Arrives { at, again } => Ok((at, again)),
            Carried::Cut => Err(LossCause::Cut),
            Carried::Lost => Err(LossCause::Loss),
            Carried::Overflowed => Err(LossCause::Queue),
        }
    }

    pub(super) fn lose(&mut self, from: PeerId, to: PeerId, payload: &[u8], cause: LossCause) {
        self.totals.lost[cause as usize] += 1;
        tell!(self, Event::Lost { from, to, payload, cause });
    }

    /// Makes a buffer free for the next payload.
    pub(super) fn give_back(&mut self, in_flight: u32, mut payload: Vec<u8>) {
        if payload.capacity() > BUFFER_KEPT_MAX {
            payload = Vec::new();
        }
        payload.clear();
        self.in_flight[in_flight as usize].payload = payload;
        self.free.push(in_flight);
    }
}

/// Links in order of their sender and receiver, and where each sender's begin and how many they are.
pub(super) fn ways(config: &WorldConfig) -> (Vec<Way>, Vec<(usize, usize)>) {
    let seed = config.seed.child("links");
    let mut keyed: Vec<(u32, u32, u16)> = config
        .links
        .iter()
        .flat_map(|link| {
            let [a, b] = link.ends;
            [(a.0, b.0, link.profiles[0]), (b.0, a.0, link.profiles[1])]
        })
        .collect();
    keyed.sort_unstable();
    let mut ranges = vec![(0, 0); config.nodes.len()];
    let mut ways = Vec::with_capacity(keyed.len());
    for (place, (from, to, profile)) in keyed.into_iter().enumerate() {
        let range = &mut ranges[from as usize];
        if range.1 == 0 {
            range.0 = place;
        }
        range.1 += 1;
        let dice = Dice::new(seed.nth(u64::from(from) << 32 | u64::from(to)));
        ways.push(Way { to, profile, link: Link::new(dice) });
    }
    (ways, ranges)
}

/// Changes one byte.
fn corrupt(payload: &mut [u8], dice: &mut Dice) {
    if payload.is_empty() {
        return;
    }
    let place = dice.below(payload.len() as u64) as usize;
    payload[place] ^= 1 + dice.below(255) as u8;
}
