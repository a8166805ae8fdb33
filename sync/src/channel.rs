//! The frames of one session, whole, in order and once, over payloads that are lost, doubled, late.
//!
//! A [`Session`](offerbench_algos::Session) assumes a perfect road. A [`Channel`] is one end of it:
//! it numbers the frames from 1, keeps each until the peer has acknowledged it, sends again what stays
//! without answer, puts what arrives back in order, and gives up on a peer that is gone. It knows nothing of
//! protobuf, sessions or peers: [`Segment`]s go out, [`Segment`]s come in, and whoever calls it packs them.
//!
//! **Contract: after every [`Channel::handle`], drain [`Channel::receive`] to `None`; while
//! [`Channel::has_room`], [`Channel::send`] what there is; when a payload is to leave, call
//! [`Channel::poll_segment`] until `None`; be back at [`Channel::poll_timeout`], or later.** Both ends have
//! the same `window`, `window_bytes` and `frame_len_max`: what no honest end with these could send is
//! refused.
//!
//! # Acknowledgements
//!
//! They are cumulative: `ack` says "all frames up to this one". Every frame carries one. A segment without a
//! frame (a *bare* ack) leaves when a frame to ride on has not come for `ack_delay`, and at once when half a
//! window waits, when a gap was seen or filled, or when a frame came twice (then our ack was lost). A frame
//! behind a gap hastens an ack that is owed; it makes none of its own, because a sender here has no use for
//! the news: it has no fast retransmit, since with one payload an epoch the three acks that this waits for
//! take about as long as the timeout.
//!
//! # When to send again
//!
//! The timer is that of [RFC 6298](https://www.rfc-editor.org/rfc/rfc6298) in whole microseconds: the first
//! sample R sets SRTT = R and RTTVAR = R/2; a later one sets RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|, then SRTT
//! = 7/8 SRTT + 1/8 R; RTO = SRTT + max(G, 4 RTTVAR) (section 2). One timer runs while the oldest frame is in
//! flight, starts anew with every ack that moves on, and doubles the RTO when it ends (section 5); the
//! doubled RTO stays until the next sample. What is not as in the RFC, and why:
//!
//! - G is `ack_delay`, not the grain of the clock: in a world of constant latency RTTVAR falls to zero, and
//!   then every ack that waited for a frame to ride on would look late.
//! - The least RTO is `rto_first`; the RFC has one second for both.
//! - Samples are cut to `rto_max`: a longer one says that somebody slept, not how far away it is.
//! - Karn's rule (no sample of a frame sent twice) is not enough with cumulative acks. A frame sent once may
//!   have waited at the peer behind a gap that was filled late. The newest frame that an ack covers gives the
//!   sample, if it was sent once and none of the frames before it was sent after it.
//! - The RFC sends the oldest frame again, and TCP then lets the congestion window find the rest. Here frames
//!   travel many to a payload, one payload an epoch, and share its fate; and peers sleep for hours. So the
//!   *first* timeout sends again all frames that are overdue themselves (the lost payload; not what left
//!   later), and further timeouts without progress send only the oldest, as a probe: a sleeping peer costs
//!   one frame a timeout, not a window. The answer to the probe releases the rest at once, so that an outage
//!   of any length costs one round trip after the probe that got through, where one frame a timeout would
//!   cost a timeout for each frame lost.
//!
//! A node that sleeps is not polled. However long that was, it is one timeout when it is polled again.
//!
//! # What it leaves to its owner
//!
//! An end cannot know whether its last ack arrived. Who drops an idle channel at once leaves a peer whose ack
//! was lost to resend to nobody: keep it a while, or let something else tell the peer that the session is
//! over. And an end that only waits for the peer has no timer: a peer that falls silent in the middle, or
//! never fills a gap, is the owner's to time out.

use std::collections::VecDeque;

use offerbench_algos::wire::FRAME_LEN_DEFAULT;
use thiserror::Error;

use crate::{Span, Time};

#[cfg(test)]
mod tests;

/// Most frames that a window may have, whatever the configuration says: a peer that numbers a frame at the
/// far end of the window makes us keep a slot for each before it.
pub const WINDOW_MAX: u32 = 1 << 16;

/// What travels: maybe one frame with its number, and always the acknowledgement of all that arrived in
/// order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Number of the frame, from 1; 0: no frame, `frame` is empty.
    pub seq: u32,
    /// All frames of the receiver of this segment up to this number have arrived; 0: none.
    pub ack: u32,
    /// The frame, which may be empty.
    pub frame: &'a [u8],
}

/// Bounds and times of a channel. Both ends need the same bounds; the times are each end's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Frames that may be on their way without an ack, from 1 to 65,536. A rateless strategy
    /// overshoots by as many; a small window costs round trips.
    pub window: u32,
    /// Longest frame, in bytes. A payload must have this much room once in a while, or a frame may wait
    /// forever.
    pub frame_len_max: u32,
    /// Bytes of frames that may be on their way without an ack; taken as `frame_len_max` if less.
    pub window_bytes: usize,
    /// Retransmission timeout as long as no round trip was measured, and its least value afterwards.
    pub rto_first: Span,
    /// Longest retransmission timeout, in which all doubling ends.
    pub rto_max: Span,
    /// Timeouts in a row, without an ack that moves on, that are answered by sending again. The next one is
    /// the end.
    pub resends_max: u32,
    /// How long an ack may wait for a frame to ride on. Longer saves bare acks, and costs the peer time when
    /// its window is full.
    pub ack_delay: Span,
}

impl ChannelConfig {
    /// Bytes of heap that a channel takes at the very most, whatever the peer sends.
    pub fn heap_bytes_max(&self) -> usize {
        let config = self.in_bounds();
        // A queue doubles when it is full, so it has up to twice the slots that it ever needed.
        let slots = 2 * config.window as usize + 8;
        let slot_bytes = size_of::<Sent>() + size_of::<Option<Box<[u8]>>>() + size_of::<Box<[u8]>>();
        config.window_bytes.saturating_mul(2).saturating_add(slots.saturating_mul(slot_bytes))
    }

    /// The nearest configuration that works.
    fn in_bounds(&self) -> Self {
        // Without this a timeout of zero would end again and again within one instant.
        let rto_first = self.rto_first.max(Span::from_us(1));
        Self {
            window: self.window.clamp(1, WINDOW_MAX),
            window_bytes: self.window_bytes.max(self.frame_len_max as usize),
            rto_first,
            rto_max: self.rto_max.max(rto_first),
            ..*self
        }
    }
}

impl Default for ChannelConfig {
    /// 16 frames of the usual length; RFC 6298's first and longest timeout (1 s, 60 s); gives up after some
    /// eleven minutes.
    fn default() -> Self {
        Self {
            window: 16,
            frame_len_max: FRAME_LEN_DEFAULT,
            window_bytes: 16 * FRAME_LEN_DEFAULT as usize,
            rto_first: Span::from_s(1),
            rto_max: Span::from_s(60),
            resends_max: 15,
            ack_delay: Span::from_ms(200),
        }
    }
}

/// What an honest peer never sends. A refused segment has changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChannelError {
    /// It acknowledges more than it was sent.
    #[error("acknowledges frame {ack}, but only {sent} were sent")]
    AckOfUnsent {
        /// What it acknowledges.
        ack: u32,
        /// Number of the last frame that was sent.
        sent: u32,
    },
    /// A frame behind the end of the window.
    #[error("frame {seq} is beyond the window, which ends at {end}")]
    BeyondWindow {
        /// Its number.
        seq: u32,
        /// The last number that the window admits.
        end: u32,
    },
    /// A frame longer than both ends agreed.
    #[error("frame of {len} bytes")]
    FrameTooLong {
        /// Its length, in bytes.
        len: usize,
    },
    /// More bytes on their way than both ends agreed.
    #[error("more bytes in flight than the window has")]
    TooManyBytes,
    /// Bytes of a frame, but no number.
    #[error("frame without a number")]
    Unnumbered,
}

/// A frame that the peer has not acknowledged.
#[derive(Debug)]
struct Sent {
    frame: Box<[u8]>,
    /// When it last left; before the first time, when it was handed over.
    at: Time,
    /// How often it left.
    sends: u32,
    /// It is to leave with the next payload.
    due: bool,
    /// Overdue, but its peer seems away: it leaves when that has answered.
    held: bool,
}

/// One end of the road that a session's frames take. See the module's contract.
#[derive(Debug)]
pub struct Channel {
    config: ChannelConfig,
    dead: bool,

    /// Handed over and not acknowledged, in order; the first has the number `sent_first`.
    sent: VecDeque<Sent>,
    sent_first: u32,
    sent_bytes: usize,
    /// Last number that ever left.
    sent_last: u32,
    /// Index in `sent` of the first frame that is due; its length if none is.
    due_first: usize,

    /// Runs exactly while the first of `sent` is in flight.
    timer: Option<Time>,
    /// Smoothed round trip and its variation, in microseconds; none before the first sample.
    rtt: Option<(u64, u64)>,
    /// Timeout with all its doublings.
    rto: Span,
    /// Timeouts since an ack last moved on.
    timeouts: u32,

    /// All frames up to this number have arrived.
    arrived: u32,
    /// Arrived in order, not yet taken.
    ready: VecDeque<Box<[u8]>>,
    ready_bytes: usize,
    /// Arrived behind a gap: slot i is for number `arrived + 1 + i`. The first slot is empty, the last is
    /// not.
    early: VecDeque<Option<Box<[u8]>>>,
    early_bytes: usize,
    /// What the last segment that left has acknowledged.
    acked: u32,
    /// When an ack must leave, with a frame or without.
    ack_due: Option<Time>,
}

impl Channel {
    /// A channel on which nothing has been sent. Values of `config` that cannot work are taken as the nearest
    /// that can.
    pub fn new(config: &ChannelConfig) -> Self {
        let config = config.in_bounds();
        Self {
            config,
            dead: false,
            sent: VecDeque::new(),
            sent_first: 1,
            sent_bytes: 0,
            sent_last: 0,
            due_first: 0,
            timer: None,
            rtt: None,
            rto: config.rto_first,
            timeouts: 0,
            arrived: 0,
            ready: VecDeque::new(),
            ready_bytes: 0,
            early: VecDeque::new(),
            early_bytes: 0,
            acked: 0,
            ack_due: None,
        }
    }

    /// Whether [`Channel::send`] may be called: there is room for one more frame of any length, and a number
    /// (they end after some four thousand million).
    pub fn has_room(&self) -> bool {
        !self.dead
            && self.sent.len() < self.config.window as usize
            && self.sent_bytes + self.config.frame_len_max as usize <= self.config.window_bytes
            && self.sent_last < u32::MAX - WINDOW_MAX
    }

    /// Takes the next frame; it leaves with the next payload that has room for it.
    ///
    /// # Panics
    ///
    /// Without [`Channel::has_room`], or if the frame is longer than `frame_len_max`: both are bugs of the
    /// caller.
    pub fn send(&mut self, now: Time, frame: Vec<u8>) {
        assert!(self.has_room(), "a frame was handed over without room for it");
        assert!(frame.len() <= self.config.frame_len_max as usize, "a frame is longer than agreed");
        self.sent_bytes += frame.len();
        self.sent.push_back(Sent {
            frame: frame.into_boxed_slice(),
            at: now,
            sends: 0,
            due: true,
            held: false,
        });
    }

    /// Takes what the peer sent. A dead channel ignores it.
    ///
    /// # Errors
    ///
    /// What no honest peer sends; nothing has changed then, and the channel goes on as if it had been lost.
    pub fn handle(&mut self, now: Time, segment: Segment<'_>) -> Result<(), ChannelError> {
        if self.dead {
            return Ok(());
        }
        self.check(segment)?;
        self.handle_ack(now, segment.ack);
        if segment.seq != 0 {
            self.handle_frame(now, segment.seq, segment.frame);
        }
        Ok(())
    }

    /// The next frame of the peer, in order, each once.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        let frame = self.ready.pop_front()?;
        self.ready_bytes -= frame.len();
        Some(frame.into_vec())
    }

    /// What is next to go into a payload that has `room` bytes left for a frame (the caller has taken its own
    /// overhead off, numbers included): the oldest frame that is due, be it new or sent before, since the
    /// peer can use none behind it; if there is none or it does not fit, a bare ack that is due. Call it
    /// until `None`.
    pub fn poll_segment(&mut self, now: Time, room: usize) -> Option<Segment<'_>> {
        self.check_timer(now);
        if self.dead {
            return None;
        }
        let index = self.due_first;
        let fits = self.sent.get(index).is_some_and(|next| next.frame.len() <= room);
        if !fits && self.ack_due.is_none_or(|due| now < due) {
            return None;
        }
        self.acked = self.arrived;
        self.ack_due = None;
        let ack = self.arrived;
        if !fits {
            return Some(Segment { seq: 0, ack, frame: &[] });
        }

        // Less than the window, which is a u32.
        let seq = self.sent_first + index as u32;
        self.sent_last = self.sent_last.max(seq);
        self.due_first = self.due_from(index + 1);
        // Frames leave oldest first, so the one that starts the timer is the oldest.
        let rto = self.rto;
        self.timer.get_or_insert_with(|| now + rto);
        let next = &mut self.sent[index];
        next.at = now;
        next.sends = next.sends.saturating_add(1);
        next.due = false;
        Some(Segment { seq, ack, frame: &next.frame })
    }

    /// When it next wants to be polled; a time that has passed means at once.
    pub fn poll_timeout(&self) -> Option<Time> {
        if self.dead {
            return None;
        }
        let due = self.sent.get(self.due_first).map(|next| next.at);
        [due, self.timer, self.ack_due].into_iter().flatten().min()
    }

    /// All that was sent is acknowledged, and all that arrived was taken and has been acknowledged at least
    /// once.
    pub fn is_idle(&self) -> bool {
        self.sent.is_empty() && self.ready.is_empty() && self.early.is_empty() && self.ack_due.is_none()
    }

    /// Bytes on the heap, at most [`ChannelConfig::heap_bytes_max`].
    pub fn heap_bytes(&self) -> usize {
        self.sent_bytes
            + self.ready_bytes
            + self.early_bytes
            + self.sent.capacity() * size_of::<Sent>()
            + self.ready.capacity() * size_of::<Box<[u8]>>()
            + self.early.capacity() * size_of::<Option<Box<[u8]>>>()
    }

    /// Refuses what an honest peer with our bounds cannot have sent.
    fn check(&self, segment: Segment<'_>) -> Result<(), ChannelError> {
        let Segment { seq, ack, frame } = segment;
        if ack > self.sent_last {
            return Err(ChannelError::AckOfUnsent { ack, sent: self.sent_last });
        }
        if seq == 0 {
            return if frame.is_empty() { Ok(()) } else { Err(ChannelError::Unnumbered) };
        }
        // The peer's window begins behind what we have acknowledged, so at `arrived + 1` at the latest.
        let end = self.arrived.saturating_add(self.config.window);
        if seq > end {
            return Err(ChannelError::BeyondWindow { seq, end });
        }
        if frame.len() > self.config.frame_len_max as usize {
            return Err(ChannelError::FrameTooLong { len: frame.len() });
        }
        // Nothing in `early` has been acknowledged, so all of it, and this, is within the peer's window.
        if !self.has_arrived(seq) && self.early_bytes + frame.len() > self.config.window_bytes {
            return Err(ChannelError::TooManyBytes);
        }
        Ok(())
    }

    /// Whether a frame within the window has come before.
    fn has_arrived(&self, seq: u32) -> bool {
        seq <= self.arrived || self.early.get((seq - self.arrived - 1) as usize).is_some_and(Option::is_some)
    }

    fn handle_ack(&mut self, now: Time, ack: u32) {
        let Some(count) = (ack + 1).checked_sub(self.sent_first).filter(|&count| count > 0) else {
            return; // An old one, overtaken.
        };
        let mut newest = None;
        let mut left_last = Time::ZERO;
        for sent in self.sent.drain(..count as usize) {
            self.sent_bytes -= sent.frame.len();
            left_last = left_last.max(sent.at);
            newest = Some((sent.at, sent.sends));
        }
        self.sent_first += count;
        if let Some((at, 1)) = newest
            && at == left_last
        {
            self.sample(now.since(at));
        }

        self.timeouts = 0;
        // The peer is there: what was held back while it seemed away goes on.
        for sent in &mut self.sent {
            sent.due |= sent.held;
            sent.held = false;
        }
        self.due_first = self.due_from(0);
        let in_flight = self.sent.front().is_some_and(|first| !first.due);
        self.timer = in_flight.then(|| now + self.rto);
    }

    fn handle_frame(&mut self, now: Time, seq: u32, frame: &[u8]) {
        if self.has_arrived(seq) {
            self.owe_ack(now);
            return;
        }
        let index = (seq - self.arrived - 1) as usize;
        let slots = self.ready.len() + self.early.len().max(index + 1);
        let bytes = self.ready_bytes + self.early_bytes + frame.len();
        if slots > self.config.window as usize || bytes > self.config.window_bytes {
            // Nobody takes what arrives. It is not the peer's fault; it will send this again.
            return;
        }
        if index > 0 {
            if index >= self.early.len() {
                self.early.resize_with(index + 1, || None);
            }
            self.early[index] = Some(frame.into());
            self.early_bytes += frame.len();
            if self.arrived != self.acked {
                self.owe_ack(now);
            }
            return;
        }
        self.early.pop_front();
        self.arrived += 1;
        self.ready_bytes += frame.len();
        self.ready.push_back(frame.into());
        let mut filled = false;
        while let Some(next) = self.early.front_mut().and_then(Option::take) {
            self.early.pop_front();
            self.arrived += 1;
            self.early_bytes -= next.len();
            self.ready_bytes += next.len();
            self.ready.push_back(next);
            filled = true;
        }
        let waiting = u64::from(self.arrived - self.acked);
        let at_once = filled || !self.early.is_empty() || 2 * waiting >= u64::from(self.config.window);
        self.owe_ack(if at_once { now } else { now + self.config.ack_delay });
    }

    fn owe_ack(&mut self, at: Time) {
        self.ack_due = Some(self.ack_due.map_or(at, |due| due.min(at)));
    }

    /// Index of the first frame that is due, from `index` on.
    fn due_from(&self, index: usize) -> usize {
        (index..self.sent.len()).find(|&i| self.sent[i].due).unwrap_or(self.sent.len())
    }

    /// Ends the timer, once, however long ago it was due.
    fn check_timer(&mut self, now: Time) {
        if self.timer.is_none_or(|at| now < at) {
            return;
        }
        self.timer = None;
        if self.timeouts >= self.config.resends_max {
            self.dead = true;
            return;
        }
        self.timeouts += 1;
        for (i, sent) in self.sent.iter_mut().enumerate() {
            let overdue = i == 0 || sent.at + self.rto <= now;
            if sent.sends > 0 && !sent.due && overdue {
                sent.due = i == 0 || self.timeouts == 1;
                sent.held = !sent.due;
            }
        }
        self.due_first = 0;
        self.rto = self.rto.times(2).min(self.config.rto_max);
    }

    /// RFC 6298, section 2.
    fn sample(&mut self, rtt: Span) {
        let rtt_us = rtt.min(self.config.rto_max).as_us();
        let (srtt_us, rttvar_us) = match self.rtt {
            None => (rtt_us, rtt_us / 2),
            // Each quotient is at most an eighth or a quarter of what fits.
            Some((srtt_us, rttvar_us)) => {
                (srtt_us - srtt_us / 8 + rtt_us / 8, rttvar_us - rttvar_us / 4 + srtt_us.abs_diff(rtt_us) / 4)
            }
        };
        self.rtt = Some((srtt_us, rttvar_us));
        let margin = Span::from_us(rttvar_us).times(4).max(self.config.ack_delay);
        let rto = Span::from_us(srtt_us) + margin;
        self.rto = rto.max(self.config.rto_first).min(self.config.rto_max);
    }
}
