//! A world as data: who lives in it, how they are linked, what goes wrong when. Printable whole, so that a
//! failing run can be read and run again.

use std::sync::Arc;

use offerbench_algos::Seed;
use thiserror::Error;

use super::link::LinkProfile;
use super::past::{self, Behind, Past};
use super::presence::Presence;
use super::rules::Fault;
use crate::{Config, GroupId, PeerId, Span, Time};

/// Everything that a [`super::World`] is made of.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// The origin of every draw of the world and its nodes.
    pub seed: Seed,
    /// Milliseconds that every clock shows at [`Time::ZERO`].
    pub start_ms: u64,
    /// The nodes; the n-th is `PeerId(n)`.
    pub nodes: Vec<NodeSpec>,
    /// What links are like; [`LinkSpec`] names them by place.
    pub profiles: Vec<LinkProfile>,
    /// Who can reach whom. A pair may be named once.
    pub links: Vec<LinkSpec>,
    /// What interferes, in the order it is asked.
    pub faults: Vec<Fault>,
    /// Who is online when: an entry a node.
    pub presence: Presence,
    /// Who crashes when.
    pub crashes: Vec<Crash>,
    /// What was written before the world began, in the order of writing; everybody holds what is of its groups.
    /// Shared, since several worlds may have the same past.
    pub history: Arc<[Past]>,
    /// Who lacks the end of it.
    pub behind: Vec<Behind>,
    /// Who writes when.
    pub appends: Vec<Append>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// How it behaves.
    pub config: Arc<Config>,
    /// Its groups, and with whom it shares each. Sharing must be mutual, or replies have no way.
    pub shares: Vec<(GroupId, Vec<PeerId>)>,
}

/// A pair that can reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkSpec {
    /// The two.
    pub ends: [PeerId; 2],
    /// Place of the profile from the first to the second, and back.
    pub profiles: [u16; 2],
}

/// A crash: what was not stored is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// When.
    pub at: Time,
    /// Whose.
    pub node: PeerId,
    /// How long until it starts again.
    pub down_for: Span,
    /// Whether it forgets what it knew of its peers, too: nothing else may be lost.
    pub forgets_peers: bool,
}

/// A message to be written, also while its author is offline. An author that is down writes when it is back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// When.
    pub at: Time,
    /// Who.
    pub node: PeerId,
    /// In which group.
    pub group: GroupId,
    /// What the author's clock is ahead (or behind), in milliseconds.
    pub skew_ms: i64,
    /// What it writes.
    pub text: Text,
}

/// The text of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// So many random bytes, at least 8 so that no two texts are the same.
    Random(u32),
    /// This, for stories.
    Says(String),
}

/// Why a world cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WorldError {
    /// Something names a node that is not there.
    #[error("{what} names node {}, there are {node_count}", .node.0)]
    NoSuchNode {
        /// What names it.
        what: &'static str,
        /// The node.
        node: PeerId,
        /// How many there are.
        node_count: usize,
    },
    /// A link names a profile that is not there.
    #[error("a link names profile {0}")]
    NoSuchProfile(u16),
    /// A link from a node to itself, or a pair that is linked twice.
    #[error("the link between {} and {} is not one link of a pair", .0.0, .1.0)]
    BadLink(PeerId, PeerId),
    /// Two share a group and have no link.
    #[error("{} shares a group with {} and has no link to it", .0.0, .1.0)]
    NoLink(PeerId, PeerId),
    /// A node shares with another that does not share with it: answers would be impossible.
    #[error("{} shares a group with {}, which does not share it back", .0.0, .1.0)]
    NotMutual(PeerId, PeerId),
    /// Somebody writes in a group that is not its own.
    #[error("node {} writes in a group that is not its own", .0.0)]
    NotAMember(PeerId),
    /// A node is said to be behind twice.
    #[error("node {} is named twice among those who lack the end of the history", .0.0)]
    BehindTwice(PeerId),
    /// The author of a past message is said to lack it.
    #[error("message {index} of the history was written by node {}, which is said to lack it", .author.0)]
    LacksOwn {
        /// Which.
        index: usize,
        /// By whom.
        author: PeerId,
    },
    /// A past message is not of the past.
    #[error("message {index} of the history is stamped {stamp_ms} ms, the world begins at {start_ms} ms")]
    NotPast {
        /// Which.
        index: usize,
        /// Its timestamp.
        stamp_ms: u64,
        /// When the world begins.
        start_ms: u64,
    },
    /// A past message that somebody would refuse.
    #[error("message {index} of the history has a body of {len} bytes, some node takes at most {max}")]
    PastTooLong {
        /// Which.
        index: usize,
        /// The length of its body in bytes.
        len: usize,
        /// The least limit of all nodes.
        max: usize,
    },
    /// More past messages than a node may keep.
    #[error("node {} would begin with {count} messages and keeps at most {max}", .node.0)]
    HistoryTooLong {
        /// Whose store.
        node: PeerId,
        /// Messages.
        count: usize,
        /// Its limit.
        max: usize,
    },
    /// Presence has not one entry a node.
    #[error("presence of {given} nodes for {node_count}")]
    Presence {
        /// Entries given.
        given: usize,
        /// Nodes.
        node_count: usize,
    },
}

impl WorldConfig {
    /// One group of `node_count` nodes that all behave alike, are always online, and share along `pairs` over
    /// links of one kind. Nothing goes wrong and nobody writes yet.
    pub fn group(
        seed: Seed,
        config: &Arc<Config>,
        group: GroupId,
        node_count: usize,
        pairs: &[(u32, u32)],
        profile: LinkProfile,
    ) -> Self {
        let mut shares = vec![Vec::new(); node_count];
        for &(a, b) in pairs {
            for (from, to) in [(a, b), (b, a)] {
                if let Some(list) = shares.get_mut(from as usize) {
                    list.push(PeerId(to));
                }
            }
        }
        let node = |peers| NodeSpec { config: Arc::clone(config), shares: vec![(group, peers)] };
        Self {
            seed,
            start_ms: 1_700_000_000_000,
            nodes: shares.into_iter().map(node).collect(),
            profiles: vec![profile],
            links: pairs.iter().map(|&(a, b)| LinkSpec::alike(PeerId(a), PeerId(b), 0)).collect(),
            faults: Vec::new(),
            presence: Presence::always(node_count),
            crashes: Vec::new(),
            history: Arc::new([]),
            behind: Vec::new(),
            appends: Vec::new(),
        }
    }

    /// Checks that everything that is named is there, and that sharing is mutual and linked.
    pub(super) fn check(&self) -> Result<(), WorldError> {
        let node_count = self.nodes.len();
        let known = |what, node: PeerId| {
            if (node.0 as usize) < node_count {
                Ok(())
            } else {
                Err(WorldError::NoSuchNode { what, node, node_count })
            }
        };
        let mut pairs = Vec::with_capacity(self.links.len());
        for link in &self.links {
            let [a, b] = link.ends;
            known("a link", a)?;
            known("a link", b)?;
            if a == b {
                return Err(WorldError::BadLink(a, b));
            }
            if let Some(&absent) = link.profiles.iter().find(|no| usize::from(**no) >= self.profiles.len()) {
                return Err(WorldError::NoSuchProfile(absent));
            }
            pairs.push((a.min(b), a.max(b)));
        }
        pairs.sort_unstable();
        if let Some(twice) = pairs.windows(2).find(|two| two[0] == two[1]) {
            return Err(WorldError::BadLink(twice[0].0, twice[0].1));
        }
        let mut shares = Vec::new();
        for (node, spec) in (0..).map(PeerId).zip(&self.nodes) {
            for (group, peers) in &spec.shares {
                for &peer in peers {
                    known("a share", peer)?;
                    if pairs.binary_search(&(node.min(peer), node.max(peer))).is_err() {
                        return Err(WorldError::NoLink(node, peer));
                    }
                    shares.push((*group, node, peer));
                }
            }
        }
        shares.sort_unstable();
        if let Some(&(_, a, b)) =
            shares.iter().find(|&&(group, a, b)| shares.binary_search(&(group, b, a)).is_err())
        {
            return Err(WorldError::NotMutual(a, b));
        }
        for crash in &self.crashes {
            known("a crash", crash.node)?;
        }
        for append in &self.appends {
            known("an append", append.node)?;
            let spec = &self.nodes[append.node.0 as usize];
            if !spec.shares.iter().any(|(group, _)| *group == append.group) {
                return Err(WorldError::NotAMember(append.node));
            }
        }
        if self.presence.node_count() != node_count {
            return Err(WorldError::Presence { given: self.presence.node_count(), node_count });
        }
        past::check(self)
    }
}

impl LinkSpec {
    /// A pair whose directions are alike.
    pub const fn alike(a: PeerId, b: PeerId, profile: u16) -> Self {
        Self { ends: [a, b], profiles: [profile; 2] }
    }
}
