//! What happens in a world, for whoever wants to know: a story printer, a checker, a meter.
//!
//! A [`super::World`] has its observer as a type, so that the one that looks at nothing, `()`, costs nothing. Two
//! observers are one: `(a, b)`.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use super::world::{Life, Slot};
use crate::{AppendError, GroupId, Library, MsgNo, Node, NodeEvent, PayloadError, PeerId, Time};

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A payload was sent.
    Sent {
        /// By whom.
        from: PeerId,
        /// To whom.
        to: PeerId,
        /// What.
        payload: &'a [u8],
    },
    /// A payload arrived and was handed to the node.
    Arrived {
        /// From whom.
        from: PeerId,
        /// Where.
        to: PeerId,
        /// What.
        payload: &'a [u8],
        /// When it was sent.
        sent: Time,
    },
    /// The node refused what has just arrived.
    Refused {
        /// From whom.
        from: PeerId,
        /// Who refused.
        to: PeerId,
        /// Why.
        error: &'a PayloadError,
    },
    /// A payload will not arrive, or arrived where nobody listened.
    Lost {
        /// From whom.
        from: PeerId,
        /// To whom.
        to: PeerId,
        /// Its bytes.
        payload: &'a [u8],
        /// Why.
        cause: LossCause,
    },
    /// A node reports something.
    Node {
        /// Which.
        node: PeerId,
        /// What.
        event: &'a NodeEvent,
    },
    /// A node was woken at the time it asked for.
    Woken(PeerId),
    /// A node came online.
    Online(PeerId),
    /// A node went offline.
    Offline(PeerId),
    /// A node crashed.
    Crashed(PeerId),
    /// A node started again, offline.
    Restarted(PeerId),
    /// Somebody wrote a message.
    Appended {
        /// Who.
        node: PeerId,
        /// Where.
        group: GroupId,
        /// Which.
        message: MsgNo,
    },
    /// A node did not take what it was given to write.
    AppendRefused {
        /// Which.
        node: PeerId,
        /// Why.
        error: &'a AppendError,
    },
    /// From now on nothing goes wrong: [`super::World::heal`].
    Healed,
}

/// Why a payload did not arrive. The order is that of [`super::Totals::lost`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossCause {
    /// Its receiver was offline or down when it came.
    Offline,
    /// Its sender went offline before it had left, or sent although offline.
    Cut,
    /// A packet of it was lost.
    Loss,
    /// The link's queue was full.
    Queue,
    /// A rule dropped it.
    Rule,
    /// There is no such link: the node knows a peer that it should not.
    NoLink,
}

impl LossCause {
    /// All causes.
    pub const ALL: [Self; 6] = [Self::Offline, Self::Cut, Self::Loss, Self::Queue, Self::Rule, Self::NoLink];

    /// For rows and stories.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Cut => "cut off",
            Self::Loss => "loss",
            Self::Queue => "queue full",
            Self::Rule => "fault",
            Self::NoLink => "no link",
        }
    }
}

/// The world as an observer sees it.
pub struct Stage<'a> {
    /// Now.
    pub now: Time,
    /// All messages.
    pub library: &'a Library,
    pub(super) slots: &'a [Slot],
    pub(super) lives: &'a [Life],
}

impl Stage<'_> {
    /// A node; `None` while it is down.
    pub fn node(&self, node: PeerId) -> Option<&Node> {
        self.slots.get(node.0 as usize)?.node.as_ref()
    }

    /// When and by whom a message was written; `None` if nobody did.
    pub fn life(&self, message: MsgNo) -> Option<&Life> {
        self.lives.get(message.0 as usize).filter(|life| life.is_written())
    }
}

/// Somebody who looks.
pub trait Observer {
    /// Something happened.
    fn on(&mut self, stage: &Stage<'_>, event: &Event<'_>);
}

impl Observer for () {
    #[inline(always)]
    fn on(&mut self, _: &Stage<'_>, _: &Event<'_>) {}
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    #[inline]
    fn on(&mut self, stage: &Stage<'_>, event: &Event<'_>) {
        self.0.on(stage, event);
        self.1.on(stage, event);
    }
}

impl<F: FnMut(&Stage<'_>, &Event<'_>)> Observer for F {
    #[inline]
    fn on(&mut self, stage: &Stage<'_>, event: &Event<'_>) {
        self(stage, event);
    }
}

/// A hash over everything that happens, with its time and every byte: equal runs have equal digests.
#[derive(Clone, Debug, Default)]
pub struct Digest(SipHasher13);

impl Digest {
    /// The hash of what has happened so far.
    pub fn value(&self) -> u64 {
        self.0.finish()
    }
}

impl Observer for Digest {
    fn on(&mut self, stage: &Stage<'_>, event: &Event<'_>) {
        self.0.write_u64(stage.now.as_us());
        let mut of_payload = |kind: u8, from: PeerId, to: PeerId, payload: &[u8]| {
            self.0.write_u64(u64::from(from.0) << 32 | u64::from(to.0));
            self.0.write_u8(kind);
            self.0.write_u64(payload.len() as u64);
            self.0.write(payload);
        };
        match *event {
            Event::Sent { from, to, payload } => of_payload(0, from, to, payload),
            Event::Arrived { from, to, payload, .. } => of_payload(1, from, to, payload),
            Event::Lost { from, to, payload, cause } => of_payload(2 + cause as u8, from, to, payload),
            // The printed form names the kind and every field, and holds nothing that differs between equal runs.
            _ => self.0.write(format!("{event:?}").as_bytes()),
        }
    }
}
