//! How long a session would take on a link: completion = build + wire + wait + decode.
//!
//! The exact lane counts, for each end, what it sent and how many frames of the other it had handled before
//! ([`Burst`]). That is the graph of what waits for what, and it is walked here once with a link's figures. An end's next
//! frames leave as soon as
//!
//! 1. it has handled what they answer;
//! 2. its window has room: the frame a window before has been acknowledged. An acknowledgement rides on the frame that
//!    answers; where none does, a payload of its own says so after every half window, as the sync core's channel does.
//!
//! Frames that may leave at the same moment travel in one payload, up to the longest. A payload is cut into packets of at
//! most the MTU, each with its overhead. Payloads of a direction leave one after the other at the link's rate, and arrive
//! a latency (and half of the jitter) after their last bit left; their frames are handled at that moment. The session is
//! complete when the last frame arrived that its receiver needed: what overshoots lengthens it only where it holds up what
//! is needed.
//!
//! Along the chain of frames that ends last, *wire* is the time in which bits leave, *wait* the time in which nothing does
//! but travel. *Build* is the CPU time to make an index of the whole set, which a member that keeps its index spares;
//! *decode* that of a session, both ends together, as if neither computed while bytes travel: an upper bound.
//!
//! Nothing is lost here, and nobody else uses the link. The epochs of MVDS, which let a node send one payload in 100 ms to
//! each peer, are left out, and so is what else payloads carry. With these figures the same sessions between two nodes of
//! the sync core over the simulator's links take what is computed here; the test `completion` of the binary compares them.

use crate::record::{Burst, ExactRow, Link};

/// Parts of a session's completion, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stages {
    /// CPU time to build the index.
    pub build_s: f64,
    /// Bits leave.
    pub wire_s: f64,
    /// Bits travel, or nobody may send.
    pub wait_s: f64,
    /// CPU time of the session, both ends.
    pub decode_s: f64,
}

impl Stages {
    /// All of them.
    pub fn total_s(&self) -> f64 {
        self.build_s + self.wire_s + self.wait_s + self.decode_s
    }

    /// Name and seconds of each, in the order in which charts stack them.
    pub fn parts(&self) -> [(&'static str, f64); 4] {
        [("build", self.build_s), ("wire", self.wire_s), ("wait", self.wait_s), ("decode", self.decode_s)]
    }
}

/// How long the session of `row` takes on `link`, with an index that took `build_ns` of CPU and `session_ns` of it for both
/// ends. `None` if it did not reach the truth, or its file does not say what waited for what. O(frames).
pub fn completion(row: &ExactRow, build_ns: f64, session_ns: f64, link: &Link) -> Option<Stages> {
    if !row.succeeded() || (row.flow_up.is_empty() && row.flow_down.is_empty()) {
        return None;
    }
    let at = Walk::new(row, link).last()?;
    Some(Stages { build_s: build_ns / 1e9, wire_s: at.wire_s, wait_s: at.wait_s, decode_s: session_ns / 1e9 })
}

/// Frames of a row that take more than one packet of the link.
pub fn frames_over_mtu(row: &ExactRow, link: &Link) -> u64 {
    let over = |burst: &&Burst| link.mtu > 0 && burst.bytes > burst.frames * u64::from(link.mtu);
    row.flow_up.iter().chain(&row.flow_down).filter(over).map(|burst| burst.frames).sum()
}

impl Link {
    /// Bytes that a payload costs on the link; an empty one is a packet, too.
    pub fn wire_len(&self, payload_len: f64) -> f64 {
        let packets = if self.mtu == 0 { 1.0 } else { (payload_len / f64::from(self.mtu)).ceil().max(1.0) };
        payload_len + packets * f64::from(self.packet_overhead)
    }

    /// Bytes of a frame with what the sync core puts around it.
    pub fn framed_len(&self, frame_len: f64) -> f64 {
        let bits_more = [7, 14, 21, 28].iter().filter(|bits| frame_len >= f64::from(1_u32 << **bits)).count();
        frame_len + f64::from(self.frame_overhead) + f64::from(self.length_fields) * bits_more as f64
    }

    /// How long a payload takes to leave, in seconds.
    pub fn leaving_s(&self, payload_len: f64) -> f64 {
        if self.rate_bps == 0 { 0.0 } else { self.wire_len(payload_len) * 8.0 / self.rate_bps as f64 }
    }

    /// How long it travels on average, in seconds.
    pub fn travel_s(&self) -> f64 {
        (self.latency_us as f64 + self.jitter_us as f64 / 2.0) / 1e6
    }
}

/// A moment, and how the chain that leads to it spent its time.
#[derive(Clone, Copy, Debug, Default)]
struct Moment {
    wire_s: f64,
    wait_s: f64,
}

impl Moment {
    fn s(self) -> f64 {
        self.wire_s + self.wait_s
    }

    fn later(self, other: Self) -> Self {
        if other.s() > self.s() { other } else { self }
    }
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Frames of the other end before it.
    after: usize,
    len: f64,
    is_vain: bool,
}

/// One end's frames, and how far they are.
#[derive(Debug, Default)]
struct End {
    frames: Vec<Frame>,
    /// First frame that has neither left nor been given up.
    next: usize,
    /// When each frame before that arrived; overshoot that never left has the time of what came before it.
    arrived: Vec<Moment>,
    /// When the link has nothing to send any more.
    free: Moment,
}

/// The session on the link.
struct Walk<'a> {
    link: &'a Link,
    window: usize,
    ends: [End; 2],
}

impl<'a> Walk<'a> {
    fn new(row: &ExactRow, link: &'a Link) -> Self {
        let end = |bursts: &[Burst]| {
            let frames = bursts.iter().flat_map(|burst| {
                let len = burst.bytes as f64 / burst.frames.max(1) as f64;
                let needed = burst.frames.saturating_sub(burst.vain);
                let after = usize::try_from(burst.after).unwrap_or(usize::MAX);
                (0..burst.frames).map(move |place| Frame { after, len, is_vain: place >= needed })
            });
            End { frames: frames.collect(), ..End::default() }
        };
        let window = row.window.max(1) as usize;
        Self { link, window, ends: [end(&row.flow_up), end(&row.flow_down)] }
    }

    /// When the last frame arrives that somebody needs. `None` if the frames wait for each other in a ring, which no duel
    /// writes.
    fn last(mut self) -> Option<Moment> {
        while self.ends.iter().any(|end| end.next < end.frames.len()) {
            let before = (self.ends[0].next, self.ends[1].next);
            for from in 0..2 {
                while self.send(from) {}
            }
            if before == (self.ends[0].next, self.ends[1].next) {
                return None;
            }
        }
        let needed = self.ends.iter().flat_map(|end| {
            end.frames.iter().zip(&end.arrived).filter(|(frame, _)| !frame.is_vain).map(|(_, at)| *at)
        });
        needed.reduce(Moment::later)
    }

    /// When a frame may leave; `None` as long as that is not known.
    fn ready(&self, from: usize, index: usize) -> Option<Moment> {
        let (end, other) = (&self.ends[from], &self.ends[1 - from]);
        let frame = end.frames[index];
        let answers = match frame.after {
            0 => Moment::default(),
            after => *other.arrived.get(after - 1)?,
        };
        let Some(acked) = (index + 1).checked_sub(self.window).filter(|acked| *acked > 0) else {
            return Some(answers);
        };
        // `frame.after` frames of the other have been handled, and each said what had arrived before it.
        let known = frame.after.checked_sub(1).map_or(0, |last| other.frames[last].after);
        if known >= acked {
            return Some(answers);
        }
        let half = self.window.div_ceil(2);
        let said = acked.div_ceil(half) * half;
        let rides = other.frames.iter().position(|frame| (acked..=said).contains(&frame.after));
        if let Some(rides) = rides {
            return Some(answers.later(*other.arrived.get(rides)?));
        }
        let arrived = *end.arrived.get(said.min(index) - 1)?;
        let wire_s = self.link.leaving_s(f64::from(self.link.ack_len));
        Some(
            answers.later(Moment {
                wire_s: arrived.wire_s + wire_s,
                wait_s: arrived.wait_s + self.link.travel_s(),
            }),
        )
    }

    /// Sends the next payload of an end. False if what it waits for is not known yet.
    fn send(&mut self, from: usize) -> bool {
        let first = self.ends[from].next;
        if first >= self.ends[from].frames.len() {
            return false;
        }
        let Some(now) = self.ready(from, first) else { return false };
        if self.ends[from].frames[first].is_vain {
            // It leaves if the sender has not heard by then that it is not wanted.
            let useful = self.ends[from].frames[first..].iter().find(|frame| !frame.is_vain).copied();
            let stopped = match useful {
                None => Some(now),
                Some(frame) if frame.after == 0 => None,
                Some(frame) => match self.ends[1 - from].arrived.get(frame.after - 1) {
                    Some(stopped) => Some(*stopped),
                    None => return false,
                },
            };
            if stopped.is_some_and(|stopped| stopped.s() <= now.s()) {
                let end = &mut self.ends[from];
                let at = end.arrived.last().copied().unwrap_or_default();
                end.arrived.push(at);
                end.next += 1;
                return true;
            }
        }
        let opening = if first == 0 && from == 0 { f64::from(self.link.opening_overhead) } else { 0.0 };
        let mut len = opening;
        let mut next = first;
        while let Some(frame) = self.ends[from].frames.get(next) {
            let with = len + self.link.framed_len(frame.len);
            let together = next == first
                || (with <= f64::from(self.link.payload_len_max)
                    && self.ready(from, next).is_some_and(|ready| ready.s() <= now.s()));
            if !together {
                break;
            }
            len = with;
            next += 1;
        }
        let (leaving_s, travel_s) = (self.link.leaving_s(len), self.link.travel_s());
        let end = &mut self.ends[from];
        let begins = now.later(end.free);
        let left = Moment { wire_s: begins.wire_s + leaving_s, wait_s: begins.wait_s };
        end.free = left;
        end.arrived.resize(next, Moment { wire_s: left.wire_s, wait_s: left.wait_s + travel_s });
        end.next = next;
        true
    }
}

#[cfg(test)]
mod tests;
