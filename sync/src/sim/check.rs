//! What must hold in every world: first safety, whatever goes wrong; then, after [`World::heal`], liveness.
//!
//! Safety is an observer, [`Checker`]: nothing is delivered that nobody wrote, nothing twice (crashes included),
//! nothing before its parents where delivery is causal, nothing to who is no member; no bound is exceeded. Liveness is a
//! run, [`World::run_until_settled`]: within a bound of virtual time everybody has everything, and every node has
//! come to rest. The order is TigerBeetle's ("vopr"): break things and check that nothing wrong happens, then heal
//! and demand that everything right does.

use std::fmt;

use fixedbitset::FixedBitSet;
use offerbench_algos::ItemId;
use thiserror::Error;

use super::observe::{Event, LossCause, Observer, Stage};
use super::past::held_counts;
use super::rules::FaultKind;
use super::spec::WorldConfig;
use super::world::World;
use crate::{Delivery, GroupId, MsgNo, NodeEvent, Part, PeerId, Span, Time};

/// Violations that are kept; the others are counted.
const KEPT_MAX: usize = 16;

/// A node's bounds are looked at after so many events (of the whole world): it costs as much as the node has peers.
const BOUNDS_EVERY: u64 = 64;

/// Something that must never happen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// A message was delivered that nobody wrote.
    #[error("node {} delivered message {}, which nobody wrote", .node.0, .message.0)]
    Invented {
        /// Where.
        node: PeerId,
        /// Which.
        message: MsgNo,
    },
    /// A message was delivered again.
    #[error("node {} delivered message {} twice", .node.0, .message.0)]
    Twice {
        /// Where.
        node: PeerId,
        /// Which.
        message: MsgNo,
    },
    /// A message was delivered before one of its parents.
    #[error("node {} delivered message {} before its parent {parent:?}", .node.0, .message.0)]
    OutOfOrder {
        /// Where.
        node: PeerId,
        /// Which.
        message: MsgNo,
        /// The parent.
        parent: ItemId,
    },
    /// A message was delivered at a node that does not read its group, or as of another group.
    #[error("node {} delivered message {}, which is not of a group that it reads", .node.0, .message.0)]
    NotAMember {
        /// Where.
        node: PeerId,
        /// Which.
        message: MsgNo,
    },
    /// A bound of [`crate::Limits`] is exceeded.
    #[error("node {} exceeds a bound: {what}", .node.0)]
    Bound {
        /// Whose.
        node: PeerId,
        /// Which, and by how much.
        what: String,
    },
    /// A payload was sent to a node with which its sender has no link.
    #[error("node {} sends to {}, to which it has no link", .from.0, .to.0)]
    Stranger {
        /// Who sent.
        from: PeerId,
        /// To whom.
        to: PeerId,
    },
}

/// Checks safety as things happen. It needs a bit for every node and message.
#[derive(Clone, Debug)]
pub struct Checker {
    nodes: Vec<Facts>,
    /// Somebody may change payloads on the way, and with them write messages that nobody wrote.
    forging: bool,
    forged: u64,
    events: u64,
    violations: Vec<(Time, Violation)>,
    violation_count: u64,
}

#[derive(Clone, Debug)]
struct Facts {
    causal: bool,
    /// Groups that it reads.
    reads: Vec<GroupId>,
    delivered: FixedBitSet,
}

impl Facts {
    fn reads(&self, group: GroupId) -> bool {
        self.reads.contains(&group)
    }
}

impl Checker {
    /// A checker for a world of this description. In a world that corrupts payloads invented messages are
    /// counted and are no violation: it is a transport's work to keep forgers out.
    pub fn new(config: &WorldConfig) -> Self {
        let facts = |spec: &super::spec::NodeSpec| Facts {
            causal: spec.config.delivery == Delivery::Causal,
            reads: match spec.config.part {
                Part::Member => spec.shares.iter().map(|(group, _)| *group).collect(),
                Part::Relay => Vec::new(),
            },
            delivered: FixedBitSet::new(),
        };
        let mut nodes: Vec<Facts> = config.nodes.iter().map(facts).collect();
        // The n-th message of the history has the n-th number. Who held it at the start has delivered it.
        for (facts, count) in nodes.iter_mut().zip(held_counts(config)) {
            for (place, past) in config.history[..count].iter().enumerate() {
                if facts.reads(past.group) {
                    facts.delivered.grow_and_insert(place);
                }
            }
        }
        Self {
            nodes,
            forging: config.faults.iter().any(|fault| matches!(fault.what, FaultKind::Corrupt { .. })),
            forged: 0,
            events: 0,
            violations: Vec::new(),
            violation_count: 0,
        }
    }

    /// The first violations, with their times.
    pub fn violations(&self) -> &[(Time, Violation)] {
        &self.violations
    }

    /// All violations.
    pub fn violation_count(&self) -> u64 {
        self.violation_count
    }

    /// Deliveries of messages that corruption wrote.
    pub fn forged(&self) -> u64 {
        self.forged
    }

    /// The first violation, if there is one.
    pub fn verdict(&self) -> Result<(), &(Time, Violation)> {
        self.violations.first().map_or(Ok(()), Err)
    }

    fn report(&mut self, now: Time, violation: Violation) {
        self.violation_count += 1;
        if self.violations.len() < KEPT_MAX {
            self.violations.push((now, violation));
        }
    }

    fn delivered(&mut self, stage: &Stage<'_>, node: PeerId, group: GroupId, message: MsgNo) {
        let facts = &mut self.nodes[node.0 as usize];
        let place = message.0 as usize;
        let again = facts.delivered.contains(place);
        facts.delivered.grow_and_insert(place);
        let content = stage.library.message(message);
        let stranger = content.group != group || !facts.reads(group);
        let undelivered = |id: &ItemId| {
            stage.library.find(*id).is_none_or(|parent| !facts.delivered.contains(parent.0 as usize))
        };
        let early = match facts.causal {
            true => content.parents.iter().flatten().find(|id| undelivered(id)).copied(),
            false => None,
        };
        if again {
            self.report(stage.now, Violation::Twice { node, message });
        }
        if stranger {
            self.report(stage.now, Violation::NotAMember { node, message });
        }
        if let Some(parent) = early {
            self.report(stage.now, Violation::OutOfOrder { node, message, parent });
        }
        if stage.life(message).is_none() {
            if self.forging {
                self.forged += 1;
            } else {
                self.report(stage.now, Violation::Invented { node, message });
            }
        }
    }

    fn check_bounds(&mut self, stage: &Stage<'_>, node: PeerId) {
        self.events += 1;
        if !self.events.is_multiple_of(BOUNDS_EVERY) {
            return;
        }
        if let Some(what) = stage.node(node).and_then(crate::Node::over_bounds) {
            self.report(stage.now, Violation::Bound { node, what });
        }
    }
}

impl Observer for Checker {
    fn on(&mut self, stage: &Stage<'_>, event: &Event<'_>) {
        match *event {
            Event::Node { node, event: NodeEvent::Delivered { group, message } } => {
                self.delivered(stage, node, *group, *message);
            }
            Event::Lost { from, to, cause: LossCause::NoLink, .. } => {
                self.report(stage.now, Violation::Stranger { from, to });
            }
            Event::Woken(node) | Event::Arrived { to: node, .. } | Event::Appended { node, .. } => {
                self.check_bounds(stage, node);
            }
            _ => {}
        }
    }
}

/// Why a message is missing where it should be: the best guess from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The node is down.
    Down,
    /// The node holds it and has not delivered it: it waits for parents.
    WaitsForParents,
    /// A node to which it has a link holds it.
    HeldBy(PeerId),
    /// No node to which it has a link holds it.
    HeldByNobodyNear,
}

/// A delivery that did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Who lacks it.
    pub node: PeerId,
    /// What.
    pub message: MsgNo,
    /// Why, perhaps.
    pub why: Why,
}

/// What a node that does not come to rest still has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restless {
    /// Which.
    pub node: PeerId,
    /// Records that wait for peers.
    pub records: usize,
    /// Requests that wait for answers.
    pub requests: usize,
    /// Sessions that run.
    pub sessions: usize,
}

/// A healed world that did not come to rest in its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// When this was found.
    pub at: Time,
    /// How long was waited.
    pub waited: Span,
    /// Messages still to be written.
    pub appends_planned: usize,
    /// Deliveries that did not happen.
    pub owed: u64,
    /// The first of them.
    pub missing: Vec<Missing>,
    /// Nodes that did not come to rest, not all of which need be named below; 0 while deliveries are owed.
    pub restless_count: usize,
    /// The first of them.
    pub restless: Vec<Restless>,
}

impl std::error::Error for Stuck {}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not settled at {} after {} ms: ", self.at, self.waited.as_ms())?;
        write!(f, "{} deliveries owed, {} messages unwritten", self.owed, self.appends_planned)?;
        for Missing { node, message, why } in &self.missing {
            write!(f, "\n  node {} lacks message {}: ", node.0, message.0)?;
            match why {
                Why::Down => write!(f, "it is down")?,
                Why::WaitsForParents => write!(f, "it holds it, which waits for parents")?,
                Why::HeldBy(peer) => write!(f, "node {}, linked to it, holds it", peer.0)?,
                Why::HeldByNobodyNear => write!(f, "no node linked to it holds it")?,
            }
        }
        if self.restless_count > 0 {
            write!(f, "\n  {} nodes are not settled", self.restless_count)?;
        }
        for Restless { node, records, requests, sessions } in &self.restless {
            write!(f, "\n  node {}: {records} records, {requests} requests, {sessions} sessions", node.0)?;
        }
        Ok(())
    }
}

impl<O: Observer> World<O> {
    /// Runs until every message is written and delivered to all who should have it, and every node was settled
    /// once after that; says how long that took. Meant to follow [`World::heal`]: before, nothing promises it.
    ///
    /// # Errors
    ///
    /// When `bound` has passed first: who lacks what, or who is not settled.
    pub fn run_until_settled(&mut self, bound: Span) -> Result<Span, Box<Stuck>> {
        let begun = self.now();
        let limit = begun + bound;
        // Nodes that were not settled yet since everything was delivered: filled once.
        let mut restless: Option<(Vec<bool>, usize)> = None;
        let mut touched = None;
        loop {
            let due = self.owed() > 0 || self.appends_planned() > 0;
            match &mut restless {
                None if !due => {
                    let all: Vec<bool> = (0..self.node_count()).map(|no| !self.is_settled(no)).collect();
                    let count = all.iter().filter(|restless| **restless).count();
                    restless = Some((all, count));
                }
                Some((all, count)) => {
                    if let Some(no) = touched.take().filter(|no| all[*no] && self.is_settled(*no)) {
                        all[no] = false;
                        *count -= 1;
                    }
                }
                None => {}
            }
            if matches!(restless, Some((_, 0))) {
                return Ok(self.now().since(begun));
            }
            if self.next_at().is_none_or(|at| at > limit) {
                let restless = restless.map_or_else(Vec::new, |(all, _)| {
                    (0..).zip(all).filter(|(_, restless)| *restless).map(|(no, _)| PeerId(no)).collect()
                });
                return Err(Box::new(self.stuck(bound, &restless)));
            }
            touched = self.step();
        }
    }

    fn stuck(&self, waited: Span, restless: &[PeerId]) -> Stuck {
        let mut missing = Vec::new();
        'search: for message in (0..self.library().len() as u32).map(MsgNo) {
            let Some(life) = self.life(message).filter(|life| life.delivered_to < life.owed_to) else {
                continue;
            };
            for &node in self.readers(self.library().message(message).group) {
                if missing.len() == KEPT_MAX {
                    break 'search;
                }
                let lacks = self.node(node).is_none_or(|state| !state.has_delivered(message));
                if node != life.author && lacks {
                    missing.push(Missing { node, message, why: self.why(node, message) });
                }
            }
        }
        let describe = |&node: &PeerId| {
            let (records, requests, sessions) = self.node(node).map_or((0, 0, 0), crate::Node::pending);
            Restless { node, records, requests, sessions }
        };
        Stuck {
            at: self.now(),
            waited,
            appends_planned: self.appends_planned(),
            owed: self.owed(),
            missing,
            restless_count: restless.len(),
            restless: restless.iter().take(KEPT_MAX).map(describe).collect(),
        }
    }

    fn why(&self, node: PeerId, message: MsgNo) -> Why {
        let Some(state) = self.node(node) else {
            return Why::Down;
        };
        if state.holds(message) {
            return Why::WaitsForParents;
        }
        let holds = |peer: &PeerId| self.node(*peer).is_some_and(|state| state.holds(message));
        self.linked(node).find(holds).map_or(Why::HeldByNobodyNear, Why::HeldBy)
    }
}
