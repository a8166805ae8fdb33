//! One reconciliation session of a node with a peer, over a channel.
//!
//! A session begins with a segment that names the group and the strategy; the peer answers, refuses, or is not
//! there. It ends when the strategy is done and both ends have each other's frames, or when the peer has not been
//! heard for [`crate::Reconcile::silence`]. Nothing of it stays but what was learned.
//!
//! # Flights
//!
//! The depth of a frame is the length of the longest chain of frames that ends with it, each of which its sender
//! could send only because the one before had arrived. An end sees its own share of that: a frame that it hands to
//! the channel is one deeper than the deepest that it has received; a frame that it receives is one deeper than the
//! deepest of its own that the peer had acknowledged by then (a segment says so), or 1 if there is none; and a frame
//! that had to wait for room in the window is two deeper than the one whose acknowledgement made that room, the way
//! there and back: the receiver takes that to be the frame a window before it. What is sent again adds nothing.

use std::collections::VecDeque;

use bytes::Bytes;
use fixedbitset::FixedBitSet;
use offerbench_algos::wire::Spent;
use offerbench_algos::{Finding, ItemId, Session, Step, Verdict};
use prost::Message as _;

use crate::channel::{self, Channel, ChannelConfig};
use crate::payload::Segment;
use crate::stats::{Kind, Stats};
use crate::time::{Span, Time};

/// How a session ended at one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether this end began it.
    pub initiator: bool,
    /// The strategy's verdict; `None` if the session did not get that far.
    pub verdict: Option<Verdict>,
    /// Items that the peer was found to lack.
    pub haves: u64,
    /// From its beginning at this end.
    pub took: Span,
    /// Depth of the longest chain of frames as this end sees it: the initiator's first frame is 1 deep, what
    /// answers it 2. Two flights are a round trip. Of frames that were sent at least once, or received, also after
    /// the verdict. Where nothing is lost both ends agree to within one; a frame that was lost may make what
    /// follows look deeper to the end that received it late, since it then carries a newer acknowledgement.
    pub flights: u32,
}

impl Outcome {
    /// Whether it ended with a result: what [`Stats::sessions_done`] counts.
    pub fn is_done(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Exact | Verdict::Recovered { .. }))
    }
}

/// Sessions with one peer in one group: the one that runs, and when the next is wanted.
#[derive(Default)]
pub struct Exchange {
    pub run: Option<Run>,
    /// When the next one should begin.
    pub wanted: Option<Time>,
    /// Sessions in a row that failed.
    pub fails: u32,
    /// A message waits that the peer may lack.
    pub news: bool,
    /// Number of the session that ended last, whose late segments are not taken for a new one.
    pub last: Option<u32>,
}

impl Exchange {
    /// When its channel wants a payload.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.run.as_ref()?.channel.poll_timeout()
    }

    /// Puts segments into a payload.
    pub fn fill(&mut self, now: Time, room: &mut usize, segments: &mut Vec<Segment>, stats: &mut Stats) {
        let Some(run) = &mut self.run else { return };
        while let Some(segment) =
            room.checked_sub(SEGMENT_OVERHEAD_MAX).and_then(|room| run.channel.poll_segment(now, room))
        {
            let opening = run.initiator && segment.seq == 1;
            // Due frames leave in order, so the first sending of each is that of a number not seen before.
            if segment.seq > run.sent_last {
                run.sent_last = segment.seq;
                let handed = run.unsent.pop_front().expect("a frame that leaves was handed over");
                run.flights = run.flights.max(handed.depth);
                stats.send_first(&handed.spent, segment.frame.len());
            }
            let made = Segment {
                group: if opening { run.group.clone() } else { Bytes::new() },
                session: run.number,
                seq: segment.seq,
                ack: segment.ack,
                frame: Bytes::copy_from_slice(segment.frame),
                strategy: if opening { run.strategy } else { 0 },
                end: 0,
            };
            put(made, room, segments, stats);
        }
    }

    /// Whether there is no news to tell, nor a session under way that tells some.
    pub fn is_settled(&self) -> bool {
        !self.news && self.run.as_ref().is_none_or(|run| !run.news)
    }

    /// Bytes on the heap for channels and snapshots; what a strategy's session takes is not seen from here.
    pub fn heap_bytes(&self) -> usize {
        self.run.as_ref().map_or(0, |run| run.channel.heap_bytes() + run.snapshot.len() / 4)
    }
}

/// Longest that a session may keep others waiting, in times that a peer may be silent: 10 minutes with the usual
/// options. It goes on after that, as long as its place is not needed.
const SILENCES_MAX: u64 = 20;
/// Most bytes that a segment takes beside its frame.
pub const SEGMENT_OVERHEAD_MAX: usize = 80;

/// Appends a segment to a payload and counts it.
pub fn put(segment: Segment, room: &mut usize, segments: &mut Vec<Segment>, stats: &mut Stats) {
    let len = segment.encoded_len();
    let len = 3 + prost::length_delimiter_len(len) + len;
    *room = room.saturating_sub(len);
    stats.send(Kind::Frame, usize::from(segment.seq > 0), segment.frame.len());
    stats.send(Kind::Channel, 1, len - segment.frame.len());
    segments.push(segment);
}

/// A session that runs.
pub struct Run {
    pub number: u32,
    pub initiator: bool,
    pub group: Bytes,
    pub strategy: u32,
    pub began: Time,
    /// When the peer was last heard in it.
    pub heard: Time,
    /// It has taken so long that it keeps nobody waiting any more. A peer that says a word now and then could
    /// else hold its place, and the place of others, for ever.
    pub is_long: bool,
    channel: Channel,
    /// Gone when it is done.
    session: Option<Box<dyn Session>>,
    pub verdict: Option<Verdict>,
    /// What was held when it began.
    pub snapshot: FixedBitSet,
    /// What the peer was known to hold when it began.
    pub known: FixedBitSet,
    /// Items that the peer lacks, as far as they were found.
    pub haves: Vec<ItemId>,
    /// How many of them were taken out of here.
    pub haves_taken: u64,
    /// Whether there was news to tell.
    pub news: bool,
    frames: u32,
    /// Frames that the channel has and has not sent yet.
    unsent: VecDeque<Handed>,
    /// Number of the last frame that was ever sent.
    sent_last: u32,
    /// Depths of frames that were handed over and are not acknowledged: they never decrease.
    depths: VecDeque<u32>,
    /// Number of the first of them.
    depths_first: u32,
    /// Depth of the last frame that the peer has acknowledged.
    answered: u32,
    /// Depth of the deepest frame that was received.
    heard_depth: u32,
    /// Depths of the last frames that were received, at most a window of them.
    window_depths: VecDeque<u32>,
    /// Frames that either end may send without hearing of them.
    window: usize,
    /// Less deep than this the next frame cannot be: it waited for room.
    depth_min: u32,
    /// The window was full when the session was last asked for frames.
    is_full: bool,
    flights: u32,
}

/// A frame that was handed to the channel.
struct Handed {
    spent: Spent,
    depth: u32,
}

/// What a session is, for [`Run::new`].
pub struct Opening {
    pub number: u32,
    pub initiator: bool,
    pub group: Bytes,
    pub strategy: u32,
    pub snapshot: FixedBitSet,
    pub known: FixedBitSet,
    pub news: bool,
}

impl Run {
    /// Begins; an initiator's first frames are ready afterwards.
    pub fn new(now: Time, opening: Opening, config: &ChannelConfig, session: Box<dyn Session>) -> Self {
        let Opening { number, initiator, group, strategy, snapshot, known, news } = opening;
        let mut run = Self {
            number,
            initiator,
            group,
            strategy,
            began: now,
            heard: now,
            is_long: false,
            channel: Channel::new(config),
            session: Some(session),
            verdict: None,
            snapshot,
            known,
            haves: Vec::new(),
            haves_taken: 0,
            news,
            frames: 0,
            unsent: VecDeque::new(),
            sent_last: 0,
            depths: VecDeque::new(),
            depths_first: 1,
            answered: 0,
            heard_depth: 0,
            window_depths: VecDeque::new(),
            window: config.window.clamp(1, channel::WINDOW_MAX) as usize,
            depth_min: 0,
            is_full: false,
            flights: 0,
        };
        run.drive(now);
        run
    }

    /// Takes a segment of the peer. `lose`: a planted bug drops this frame.
    ///
    /// # Errors
    ///
    /// When the peer broke the rules of the channel or of the strategy. The session is dead then.
    pub fn handle(&mut self, now: Time, segment: &Segment, lose: impl Fn(u32) -> bool) -> Result<(), ()> {
        self.heard = now;
        let piece = channel::Segment { seq: segment.seq, ack: segment.ack, frame: &segment.frame };
        self.channel.handle(now, piece).map_err(|_| ())?;
        self.note_ack(segment.ack);
        while let Some(frame) = self.channel.receive() {
            self.frames += 1;
            self.note_frame();
            if lose(self.frames) {
                continue;
            }
            // After its verdict a session wants nothing more: what still arrives is overshoot.
            if let Some(session) = &mut self.session {
                session.handle_frame(&frame).map_err(|_| ())?;
            }
            self.drive(now);
        }
        self.drive(now);
        Ok(())
    }

    /// A frame is here, in its turn.
    fn note_frame(&mut self) {
        let mut depth = self.heard_depth.max(self.answered + 1);
        if self.window_depths.len() == self.window {
            depth = depth.max(self.window_depths.pop_front().unwrap_or(0) + 2);
        }
        self.window_depths.push_back(depth);
        self.heard_depth = depth;
        self.flights = self.flights.max(depth);
    }

    /// The peer has all frames up to this one. The channel has checked that they were sent.
    fn note_ack(&mut self, ack: u32) {
        while self.depths_first <= ack
            && let Some(depth) = self.depths.pop_front()
        {
            self.depths_first += 1;
            self.answered = depth;
            if self.is_full {
                self.depth_min = depth + 2;
            }
        }
    }

    /// Keeps the contract of sessions: findings out, then frames out while there is room.
    fn drive(&mut self, now: Time) {
        let Some(session) = &mut self.session else { return };
        let mut done = None;
        loop {
            while let Some(finding) = session.poll_finding() {
                // A need is the peer's have: it will push or offer it.
                if let Finding::Have(id) = finding {
                    self.haves.push(id);
                }
            }
            self.is_full = !self.channel.has_room();
            if done.is_some() || self.is_full {
                break;
            }
            let before = session.tally().spent;
            let mut frame = Vec::new();
            match session.poll_frame(&mut frame) {
                Step::Frame => {
                    let spent = session.tally().spent.since(&before);
                    debug_assert_eq!(spent.total(), frame.len() as u64, "a strategy accounts for its bytes");
                    let depth = (self.heard_depth + 1).max(self.depth_min);
                    self.depths.push_back(depth);
                    self.unsent.push_back(Handed { spent, depth });
                    self.channel.send(now, frame);
                }
                Step::Waiting => break,
                Step::Done(verdict) => done = Some(verdict),
            }
        }
        if done.is_some() {
            self.verdict = done;
            self.session = None;
        }
    }

    /// Whether the strategy is done and each end has all frames of the other.
    pub fn is_over(&self) -> bool {
        self.verdict.is_some() && self.channel.is_idle()
    }

    /// When to look at it: when the peer has been silent for too long, or it has kept others waiting for too long.
    pub fn deadline(&self, silence: Span) -> Time {
        let silent = self.heard + silence;
        if self.is_long { silent } else { silent.min(self.began + silence.times(SILENCES_MAX)) }
    }

    /// How it ended.
    pub fn outcome(&self, now: Time) -> Outcome {
        Outcome {
            initiator: self.initiator,
            verdict: self.verdict,
            haves: self.haves_taken,
            took: now.since(self.began),
            flights: self.flights,
        }
    }
}

#[cfg(test)]
mod tests;
