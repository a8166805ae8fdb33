//! What all strategies' sessions have in common: cutting messages into frames and putting them together,
//! counting bytes by purpose, queueing findings, giving up.
//!
//! A strategy implements [`Dialog`]: it hears whole messages and says whole messages. [`Talk`] makes a
//! [`Session`] of it. A frame is one header byte (the message's tag, and in the eighth bit whether more
//! frames of the same message follow) and a piece of the message's body.

use std::collections::VecDeque;

use crate::item::ItemId;
use crate::session::{Finding, NeedRef, Reason, Role, Session, SessionError, Setup, Step, Tally, Verdict};
use crate::wire::{Draft, FRAME_LEN_MIN, MESSAGE_LEN_MAX, Purpose, Reader, WireError};

const MORE: u8 = 0x80;
/// "I give up": one byte of [`Reason`]. Understood by [`Talk`], for every strategy.
const TAG_GIVE_UP: u8 = 0x7f;

/// A strategy's side of the conversation, in whole messages.
pub trait Dialog: Send {
    /// The first words. Called once, for the initiator only.
    fn open(&mut self, out: &mut Out);

    /// A message of the peer.
    ///
    /// # Errors
    ///
    /// When the peer broke the protocol.
    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError>;

    /// The driver would send more and nothing is queued. Streaming strategies say the next piece.
    fn pull(&mut self, _out: &mut Out) {}

    /// Whether the peer may speak while this end still has something to say. Where it may not, a peer that
    /// floods without listening cannot make answers pile up here.
    fn streams(&self) -> bool {
        false
    }
}

impl Dialog for Box<dyn Dialog> {
    fn open(&mut self, out: &mut Out) {
        (**self).open(out);
    }

    fn hear(&mut self, tag: u8, body: &[u8], out: &mut Out) -> Result<(), SessionError> {
        (**self).hear(tag, body, out)
    }

    fn pull(&mut self, out: &mut Out) {
        (**self).pull(out);
    }

    fn streams(&self) -> bool {
        (**self).streams()
    }
}

/// Where a dialog puts what it says and what it finds.
#[derive(Debug, Default)]
pub struct Out {
    queue: VecDeque<Draft>,
    findings: VecDeque<Finding>,
    tally: Tally,
    retries: u32,
    verdict: Option<Verdict>,
}

impl Out {
    /// Says a message.
    pub fn say(&mut self, draft: Draft) {
        self.queue.push_back(draft);
    }

    /// Drops what was said but not sent. A message of which some frames are gone is finished first.
    pub fn hush(&mut self) {
        self.queue.truncate(usize::from(self.queue.front().is_some_and(Draft::is_begun)));
    }

    /// Reports an item that the peer lacks.
    pub fn have(&mut self, id: ItemId) {
        self.findings.push_back(Finding::Have(id));
    }

    /// Reports an item that this end lacks.
    pub fn need(&mut self, need: NeedRef) {
        self.findings.push_back(Finding::Need(need));
    }

    /// Counts an attempt to decode.
    pub fn attempt(&mut self) {
        self.tally.attempts += 1;
    }

    /// Counts an attempt that failed.
    pub fn failure(&mut self) {
        self.tally.failures += 1;
    }

    /// Counts the message just heard as sent in vain: its sender will learn too late that it was not wanted.
    pub fn ignore(&mut self) {
        self.tally.ignored += 1;
    }

    /// Records the estimate of d.
    pub fn estimate(&mut self, d: u64) {
        self.tally.estimate = Some(d);
    }

    /// Records the cells or syndromes of a sketch about to be sent. The first counts: later ones are retries.
    pub fn capacity(&mut self, capacity: u64) {
        self.tally.capacity.get_or_insert(capacity);
    }

    /// Counts a retry or fall-back: from here on every byte is one of [`Purpose::Retry`].
    pub fn retry(&mut self) {
        self.retries += 1;
    }

    /// Retries so far.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// Ends the session: `Exact`, or `Recovered` after retries.
    pub fn finish(&mut self) {
        self.verdict = Some(Verdict::finished(self.retries));
    }

    /// Ends the session without a result, and tells the peer.
    pub fn give_up(&mut self, reason: Reason) {
        self.hush();
        let mut draft = Draft::new(TAG_GIVE_UP);
        draft.bytes(Purpose::Control, &[reason as u8]);
        self.say(draft);
        self.findings.clear();
        self.verdict = Some(Verdict::GaveUp(reason));
    }

    /// Whether all that was said is sent. A peer that answers before has not heard it.
    pub fn is_sent(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the session has ended.
    pub fn is_done(&self) -> bool {
        self.verdict.is_some()
    }

    /// Whether the session has ended with a result: findings may be reported.
    pub fn is_finished(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Exact | Verdict::Recovered { .. }))
    }

    fn spend(&mut self, purpose: Purpose, bytes: usize) {
        let purpose = if self.retries > 0 { Purpose::Retry } else { purpose };
        self.tally.spent.add(purpose, bytes as u64);
    }

    /// Writes the next frame of the front message. False when there is none.
    fn write_frame(&mut self, frame: &mut Vec<u8>, frame_len_max: usize) -> bool {
        let Some(mut draft) = self.queue.pop_front() else { return false };
        let len = draft.left().min(frame_len_max - 1);
        let more = len < draft.left();
        frame.reserve_exact(1 + len);
        frame.push(draft.tag | if more { MORE } else { 0 });
        self.spend(Purpose::Control, 1);
        draft.take(len, frame, |purpose, bytes| self.spend(purpose, bytes));
        if more {
            self.queue.push_front(draft);
        }
        true
    }
}

/// A session made of a dialog.
pub struct Talk<D> {
    dialog: D,
    out: Out,
    frame_len_max: usize,
    /// Longest message that is put together: the limit of the wire, or less if the budget is less.
    message_len_max: u64,
    /// The initiator has not spoken yet.
    unopened: bool,
    /// Tag and first pieces of a message whose end has not arrived.
    partial: Option<(u8, Vec<u8>)>,
    dead: bool,
}

impl<D: Dialog> Talk<D> {
    /// A session of `dialog`.
    pub fn new(dialog: D, role: Role, setup: &Setup) -> Self {
        Self {
            dialog,
            out: Out::default(),
            frame_len_max: setup.frame_len_max.max(FRAME_LEN_MIN) as usize,
            message_len_max: setup.budget.heap_bytes_max.min(MESSAGE_LEN_MAX as u64),
            unopened: role == Role::Initiator,
            partial: None,
            dead: false,
        }
    }

    fn hear_frame(&mut self, frame: &[u8]) -> Result<(), SessionError> {
        let mut reader = Reader::new(frame);
        let header = reader.u8("frame header")?;
        let (tag, more, piece) = (header & !MORE, header & MORE != 0, reader.rest());
        if more && piece.is_empty() {
            return Err(SessionError::Protocol("an empty piece of a message"));
        }
        let claimed = (piece.len() + self.partial.as_ref().map_or(0, |(_, body)| body.len())) as u64;
        if claimed > self.message_len_max {
            return Err(
                WireError::TooMany { what: "message length", claimed, max: self.message_len_max }.into()
            );
        }
        let joined;
        let body = match self.partial.take() {
            None if more => {
                self.partial = Some((tag, piece.to_vec()));
                return Ok(());
            }
            None => piece,
            Some((expected, _)) if expected != tag => return Err(SessionError::Unexpected { tag }),
            Some((_, mut body)) => {
                body.extend_from_slice(piece);
                if more {
                    self.partial = Some((tag, body));
                    return Ok(());
                }
                joined = body;
                &joined
            }
        };
        if tag == TAG_GIVE_UP {
            let mut reader = Reader::new(body);
            let byte = reader.u8("reason")?;
            reader.finish()?;
            let reason = Reason::from_wire(byte)
                .ok_or(WireError::BadValue { what: "reason", value: u64::from(byte) })?;
            // Nobody listens any more, not even to the rest of a message.
            self.out.queue.clear();
            self.out.findings.clear();
            self.out.verdict = Some(Verdict::GaveUp(reason));
            return Ok(());
        }
        if !self.out.queue.is_empty() && !self.dialog.streams() {
            return Err(SessionError::Unexpected { tag });
        }
        self.dialog.hear(tag, body, &mut self.out)
    }
}

impl<D: Dialog> Session for Talk<D> {
    fn handle_frame(&mut self, frame: &[u8]) -> Result<(), SessionError> {
        if self.dead {
            return Err(SessionError::Dead);
        }
        if self.unopened {
            // The initiator speaks first, so whatever arrives before that is no answer to it.
            self.dead = true;
            return Err(SessionError::Protocol("a frame before the initiator spoke"));
        }
        if self.out.is_done() {
            return Ok(());
        }
        let result = self.hear_frame(frame);
        self.dead = result.is_err();
        result
    }

    fn poll_frame(&mut self, frame: &mut Vec<u8>) -> Step {
        frame.clear();
        if self.dead {
            return Step::Waiting;
        }
        if self.unopened {
            self.unopened = false;
            self.dialog.open(&mut self.out);
        }
        if self.out.queue.is_empty() && !self.out.is_done() {
            self.dialog.pull(&mut self.out);
        }
        if self.out.write_frame(frame, self.frame_len_max) {
            return Step::Frame;
        }
        self.out.verdict.map_or(Step::Waiting, Step::Done)
    }

    fn poll_finding(&mut self) -> Option<Finding> {
        self.out.findings.pop_front()
    }

    fn tally(&self) -> Tally {
        self.out.tally
    }
}
