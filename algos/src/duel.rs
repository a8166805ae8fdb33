//! Two sessions back to back: the driver of two-party measurements.
//!
//! A turn: one end sends up to `window` frames, the other handles them, answering as it goes; then the
//! other end's turn. So `window` is the number of frames that fit into a round trip: with 1 the ends take
//! turns and nothing is sent in vain, with more a stream runs on for that much after its receiver had
//! enough (*overshoot*). A frame beyond the window waits for a round trip, and that counts as flights.

use std::collections::VecDeque;

use thiserror::Error;

use crate::session::{Finding, Role, Session, SessionError, Step, Tally, Verdict};
use crate::wire::Spent;

/// Bounds that end a duel which does not end itself.
#[derive(Clone, Copy, Debug)]
pub struct DuelLimits {
    /// Frames that an end may send without hearing from the other; at least 1.
    pub window: u32,
    /// Frames of both directions together.
    pub frames_max: u64,
    /// Bytes of both directions together.
    pub bytes_max: u64,
}

impl Default for DuelLimits {
    fn default() -> Self {
        Self { window: 1, frames_max: 1 << 22, bytes_max: 1 << 32 }
    }
}

/// Why a duel did not end with two verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DuelError {
    /// A session refused a frame of the other.
    #[error("the {end:?} refused a frame: {error}")]
    Session {
        /// Which end refused.
        end: Role,
        /// Why.
        error: SessionError,
    },
    /// Both ends wait.
    #[error("both ends wait after {frames} frames")]
    Stalled {
        /// Frames until then.
        frames: u64,
    },
    /// A limit of [`DuelLimits`].
    #[error("over the limit after {frames} frames and {bytes} bytes")]
    OverLimit {
        /// Frames until then.
        frames: u64,
        /// Bytes until then.
        bytes: u64,
    },
    /// A session emitted a frame without saying what all its bytes are for: a bug of the strategy.
    #[error("the {end:?} accounts for {spent} bytes of a frame of {len}")]
    Unaccounted {
        /// Which end.
        end: Role,
        /// Bytes that its tally rose by.
        spent: u64,
        /// Bytes of the frame.
        len: u64,
    },
}

/// What one end sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames, overshoot included.
    pub frames: u64,
    /// Bytes of frames that the other end handled, by purpose.
    pub spent: Spent,
    /// Frames that arrived after the other end was done, or had heard enough to be.
    pub overshoot_frames: u64,
    /// Their bytes.
    pub overshoot_bytes: u64,
}

impl Traffic {
    /// Every byte that crossed.
    pub fn bytes(&self) -> u64 {
        self.spent.total() + self.overshoot_bytes
    }

    fn overshoot(&mut self, frame: &Frame) {
        self.overshoot_frames += 1;
        self.overshoot_bytes += frame.bytes.len() as u64;
    }
}

/// Frames that an end sent without having handled anything of the other in between, alike in length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Frames of the other end that the sender had handled before.
    pub after: u64,
    /// How many frames.
    pub frames: u64,
    /// Their bytes together.
    pub bytes: u64,
    /// How many of them, the last ones, arrived for nothing: overshoot.
    pub vain: u64,
}

impl Burst {
    /// Whether a frame of `len` bytes is within an eighth of the mean, so that the mean may stand for it.
    fn is_like(&self, len: u64) -> bool {
        (len * self.frames).abs_diff(self.bytes) * 8 <= self.bytes
    }
}

/// What each end sent and what it waited for, initiator first: enough to time the same session on any link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow(pub [Vec<Burst>; 2]);

impl Flow {
    /// An empty one with room, so that writing it down takes no heap while a session's is measured.
    pub fn with_room() -> Self {
        Self([Vec::with_capacity(1024), Vec::with_capacity(1024)])
    }

    /// A frame leaves; which burst it belongs to.
    fn add(&mut self, end: usize, after: u64, len: u64) -> u32 {
        let bursts = &mut self.0[end];
        match bursts.last_mut() {
            Some(last) if last.after == after && last.vain == 0 && last.is_like(len) => {
                last.frames += 1;
                last.bytes += len;
            }
            _ => bursts.push(Burst { after, frames: 1, bytes: len, vain: 0 }),
        }
        // At most `frames_max`, which is far below.
        bursts.len() as u32 - 1
    }
}

/// What happened. Arrays are indexed by [`Role`]: initiator first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// What each end found.
    pub findings: [Vec<Finding>; 2],
    /// How each end says it ended.
    pub verdicts: [Verdict; 2],
    /// Each end's own counters.
    pub tallies: [Tally; 2],
    /// What each end sent.
    pub traffic: [Traffic; 2],
    /// Depth of the longest causal chain of frames. A frame follows from all that its sender had heard, and
    /// from the receipt of the frame that it sent a window before.
    pub flights: u32,
}

impl Transcript {
    /// Bytes both ways.
    pub fn bytes(&self) -> u64 {
        self.traffic.iter().map(Traffic::bytes).sum()
    }
}

struct Frame {
    bytes: Vec<u8>,
    spent: Spent,
    depth: u32,
    /// Index of its burst, where the flow is written down.
    burst: u32,
}

#[derive(Default)]
struct End {
    outbox: VecDeque<Frame>,
    /// Flight of the latest frame that this end handled.
    depth: u32,
    /// Frames that it handled.
    heard: u64,
    /// Flights of the last frames that it sent, at most a window of them.
    sent_depths: VecDeque<u32>,
    verdict: Option<Verdict>,
    findings: Vec<Finding>,
    traffic: Traffic,
}

const ROLES: [Role; 2] = [Role::Initiator, Role::Responder];

/// Runs two sessions, initiator first, to their verdicts.
///
/// # Errors
///
/// When a session refuses a frame, both wait, a limit is reached, or the accounts do not add up.
pub fn duel(ends: &mut [Box<dyn Session>; 2], limits: &DuelLimits) -> Result<Transcript, DuelError> {
    run(ends, limits, None)
}

/// As [`duel`], and writes down what each end sent and waited for.
///
/// # Errors
///
/// As [`duel`]; the flow then holds what crossed until there.
pub fn duel_traced(
    ends: &mut [Box<dyn Session>; 2],
    limits: &DuelLimits,
    flow: &mut Flow,
) -> Result<Transcript, DuelError> {
    run(ends, limits, Some(flow))
}

fn run(
    ends: &mut [Box<dyn Session>; 2],
    limits: &DuelLimits,
    mut flow: Option<&mut Flow>,
) -> Result<Transcript, DuelError> {
    let mut states: [End; 2] = Default::default();
    let mut flights = 0;
    while states.iter().any(|state| state.verdict.is_none() || !state.outbox.is_empty()) {
        let mut moved = false;
        for from in 0..2 {
            let to = 1 - from;
            fill(&mut *ends[from], &mut states[from], from, limits, flow.as_deref_mut())?;
            for frame in std::mem::take(&mut states[from].outbox) {
                moved = true;
                flights = flights.max(frame.depth);
                if states[to].verdict.is_some() {
                    states[from].traffic.overshoot(&frame);
                    in_vain(flow.as_deref_mut(), from, &frame);
                    continue;
                }
                let ignored = ends[to].tally().ignored;
                ends[to]
                    .handle_frame(&frame.bytes)
                    .map_err(|error| DuelError::Session { end: ROLES[to], error })?;
                let sent = &mut states[from].traffic;
                if ends[to].tally().ignored > ignored {
                    sent.overshoot(&frame);
                    in_vain(flow.as_deref_mut(), from, &frame);
                } else {
                    sent.spent.merge(&frame.spent);
                }
                states[to].heard += 1;
                states[to].depth = states[to].depth.max(frame.depth);
                fill(&mut *ends[to], &mut states[to], to, limits, flow.as_deref_mut())?;
            }
            let (frames, bytes) = states.iter().fold((0, 0), |(frames, bytes), state| {
                (frames + state.traffic.frames, bytes + state.traffic.bytes())
            });
            if frames > limits.frames_max || bytes > limits.bytes_max {
                return Err(DuelError::OverLimit { frames, bytes });
            }
        }
        if !moved && states.iter().any(|state| state.verdict.is_none()) {
            return Err(DuelError::Stalled { frames: states.iter().map(|s| s.traffic.frames).sum() });
        }
    }
    let [initiator, responder] = states;
    let tallies = [ends[0].tally(), ends[1].tally()];
    Ok(Transcript {
        verdicts: [initiator.verdict, responder.verdict].map(|v| v.expect("the loop ends with verdicts")),
        findings: [initiator.findings, responder.findings],
        tallies,
        traffic: [initiator.traffic, responder.traffic],
        flights,
    })
}

/// A frame was not wanted any more.
fn in_vain(flow: Option<&mut Flow>, from: usize, frame: &Frame) {
    if let Some(flow) = flow {
        flow.0[from][frame.burst as usize].vain += 1;
    }
}

/// Keeps the contract: drains findings, then frames until the window is full.
fn fill(
    session: &mut dyn Session,
    state: &mut End,
    end: usize,
    limits: &DuelLimits,
    mut flow: Option<&mut Flow>,
) -> Result<(), DuelError> {
    state.findings.extend(std::iter::from_fn(|| session.poll_finding()));
    while state.verdict.is_none() && state.outbox.len() < limits.window.max(1) as usize {
        let before = session.tally().spent;
        let mut bytes = Vec::new();
        match session.poll_frame(&mut bytes) {
            Step::Frame => {
                let spent = session.tally().spent.since(&before);
                if spent.total() != bytes.len() as u64 {
                    let len = bytes.len() as u64;
                    return Err(DuelError::Unaccounted { end: ROLES[end], spent: spent.total(), len });
                }
                state.traffic.frames += 1;
                let mut depth = state.depth + 1;
                if state.sent_depths.len() == limits.window.max(1) as usize {
                    depth = depth.max(state.sent_depths.pop_front().unwrap_or(0) + 2);
                }
                state.sent_depths.push_back(depth);
                let len = bytes.len() as u64;
                let burst = flow.as_deref_mut().map_or(0, |flow| flow.add(end, state.heard, len));
                state.outbox.push_back(Frame { bytes, spent, depth, burst });
            }
            Step::Waiting => break,
            Step::Done(verdict) => state.verdict = Some(verdict),
        }
    }
    state.findings.extend(std::iter::from_fn(|| session.poll_finding()));
    Ok(())
}
