//! The interfaces that every strategy implements and every driver uses.
//!
//! A [`Strategy`] makes an [`Index`] of a set; an index opens [`Session`]s. A session is one end of one
//! reconciliation: frames in, frames out, findings out. It has no clock, no socket and no thread, and may
//! assume that frames arrive whole, in order, and once.
//!
//! **Contract for drivers: after every `handle_frame`, drain `poll_finding` until `None`, then `poll_frame`
//! until it stops answering [`Step::Frame`] or your window is full.** After [`Step::Done`] a session wants
//! nothing more; frames that still arrive are dropped (and counted, as overshoot) by the driver. After an
//! error a session is dead: drop it.
//!
//! What a finished session owes: the union of [`Finding::Have`] over both ends names every item of the
//! symmetric difference once, each at the end that holds it. The holder can then deliver the message
//! itself; its full id need never cross the wire, because the receiver hashes what arrives. What a strategy
//! may miss it declares in its [`Profile`].

use thiserror::Error;

use crate::item::{Item, ItemId};
use crate::seed::Seed;
use crate::wire::{FRAME_LEN_DEFAULT, Spent, WireError};

/// Which end of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Speaks first: the member that asks "what did I miss?".
    Initiator,
    /// Answers.
    Responder,
}

impl Role {
    /// The end at the other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

/// What a strategy may be told of d.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffHint {
    /// Nothing: it estimates, doubles, or is rateless.
    Unknown,
    /// The size of the symmetric difference, true or wrong. Only read by `size=oracle`.
    Oracle(u64),
}

/// What one session may cost.
///
/// CPU is *nominal*: a strategy predicts the cost of a superlinear step from its sizes and gives up where
/// the step would exceed the budget. So the outcome is the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Nominal nanoseconds that one step may take.
    pub cpu_ns_max: u64,
    /// Bytes that one structure may take.
    pub heap_bytes_max: u64,
}

/// Secrets that outlive a session. The driver agrees on them and gives both ends the same; strategies whose key
/// is to live longer than a session (`salt=link`, `salt=group`) make it of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// What the two members of this link share, and nobody else knows.
    pub link: Seed,
    /// What all members of the group share, and nobody outside knows.
    pub group: Seed,
}

impl Lasting {
    /// Drawn from `seed`.
    pub fn of(seed: Seed) -> Self {
        Self { link: seed.child("salt of the link"), group: seed.child("salt of the group") }
    }
}

/// Everything that a session is told from outside.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Where its randomness (salts) comes from. Both ends may get the same one: each draws from a child
    /// stream of its role.
    pub seed: Seed,
    /// What both ends know since before the session.
    pub lasting: Lasting,
    /// Longest frame that it may emit, in bytes; at least [`crate::wire::FRAME_LEN_MIN`].
    pub frame_len_max: u32,
    /// Hint of d.
    pub diff: DiffHint,
    /// What it may cost.
    pub budget: Budget,
}

impl Setup {
    /// The usual frame length, no hint, a generous budget (10 s of nominal CPU, 1 GiB).
    pub fn new(seed: Seed) -> Self {
        Self {
            seed,
            lasting: Lasting::of(seed),
            frame_len_max: FRAME_LEN_DEFAULT,
            diff: DiffHint::Unknown,
            budget: Budget { cpu_ns_max: 10_000_000_000, heap_bytes_max: 1 << 30 },
        }
    }
}

/// Why a session ended without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// A step would have exceeded the CPU budget.
    CpuBudget = 1,
    /// A structure would have exceeded the heap budget or a limit of [`crate::wire`].
    HeapBudget = 2,
    /// Retries or extensions ran out.
    Undecodable = 3,
}

impl Reason {
    /// The reason with this number on the wire.
    pub fn from_wire(byte: u8) -> Option<Self> {
        [Self::CpuBudget, Self::HeapBudget, Self::Undecodable].into_iter().find(|r| *r as u8 == byte)
    }

    /// For rows and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CpuBudget => "a step would exceed the CPU budget",
            Self::HeapBudget => "a structure would exceed the heap budget",
            Self::Undecodable => "did not decode within the allowed retries",
        }
    }
}

/// How a session ended, by its own account. Only a driver that knows the truth can say "wrong".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Finished at the first try.
    Exact,
    /// Finished after failed attempts.
    Recovered {
        /// How many attempts failed; at least 1.
        retries: u32,
    },
    /// Not finished; findings are incomplete.
    GaveUp(Reason),
}

impl Verdict {
    /// `Exact` without retries, `Recovered` with.
    pub fn finished(retries: u32) -> Self {
        if retries == 0 { Self::Exact } else { Self::Recovered { retries } }
    }
}

/// What a session wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A frame was written: send it, and poll again.
    Frame,
    /// Nothing to send until a frame arrives.
    Waiting,
    /// Ended.
    Done(Verdict),
}

/// How an item that one lacks is named: the peer, who holds it, understands either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NeedRef {
    /// By its full id.
    Id(ItemId),
    /// By its salted short id in this session.
    Short(u64),
}

/// One thing that a session found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// I hold this item and the peer lacks it.
    Have(ItemId),
    /// The peer holds this item and I lack it. The peer reports the same item as its `Have`.
    Need(NeedRef),
}

/// What only the session itself can see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Every byte of the frames so far, by purpose. The driver checks the sum.
    pub spent: Spent,
    /// Sketches, tables or streams that it tried to decode.
    pub attempts: u64,
    /// Attempts that failed, by themselves or at the end check.
    pub failures: u64,
    /// Its estimate of d, before inflation.
    pub estimate: Option<u64>,
    /// Cells or syndromes of the first sketch that it sized and sent.
    pub capacity: Option<u64>,
    /// Frames that it did not want any more when they arrived, and ignored: overshoot of a stream.
    pub ignored: u64,
}

/// Why a session died. Only a peer that breaks the protocol causes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SessionError {
    /// Bytes that do not parse.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A message that has no place here and now.
    #[error("message {tag} is not expected here")]
    Unexpected {
        /// Its tag.
        tag: u8,
    },
    /// Fields that parse but contradict the protocol.
    #[error("{0}")]
    Protocol(&'static str),
    /// A frame after an earlier error.
    #[error("the session ended with an error before")]
    Dead,
}

/// One end of one reconciliation. See the module's contract.
pub trait Session: Send {
    /// Takes a frame of the peer.
    ///
    /// # Errors
    ///
    /// When the peer broke the protocol; the session is dead then.
    fn handle_frame(&mut self, frame: &[u8]) -> Result<(), SessionError>;
    /// Writes the next frame into `frame`, whose old content it replaces, or says why there is none.
    fn poll_frame(&mut self, frame: &mut Vec<u8>) -> Step;
    /// The next finding that was not handed out yet.
    fn poll_finding(&mut self) -> Option<Finding>;
    /// Counters so far.
    fn tally(&self) -> Tally;
}

/// What a strategy keeps about the local set between sessions. Its upkeep is timed apart from sessions.
pub trait Index: Send {
    /// Adds an item; one that is there already changes nothing.
    fn insert(&mut self, item: Item);
    /// A session on the set as it is now; later inserts do not reach it.
    fn open(&self, role: Role, setup: &Setup) -> Box<dyn Session>;
    /// Bytes on the heap.
    fn heap_bytes(&self) -> usize;
}

/// What a finished session has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// Every difference, whatever the retries cost.
    Exact,
    /// It may miss items at either end, with the stated probability for each; never invents one.
    MayMiss,
    /// Only what the initiator lacks, and of that it may miss some; never invents one.
    MayMissOneWay,
}

impl Guarantee {
    /// For lists and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::MayMiss => "may miss",
            Self::MayMissOneWay => "one way, may miss",
        }
    }
}

/// What a strategy with these parameters is, for rows and checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Bits by which an item is named in sketches and lists; 0 when it depends on the sizes of the sets.
    pub id_bits: u32,
    /// Whether ids are hashed with a key that not everybody knows.
    pub keyed: bool,
    /// What a finished session promises.
    pub guarantee: Guarantee,
    /// Whether it is told d.
    pub oracle: bool,
}

/// A strategy with its parameters fixed.
pub trait Strategy: Send + Sync {
    /// Indexes a set. `items` need not be sorted; duplicates count once.
    fn index(&self, items: &[Item]) -> Box<dyn Index>;
    /// What it is.
    fn profile(&self) -> Profile;
}
