//! History: messages that members hold when the world begins.
//!
//! A world that began empty would have to live through every message of a group's past before anything could be
//! measured. Instead [`super::WorldConfig::history`] says what was written before [`Time::ZERO`]: everybody in the
//! group holds all of it, but for the members in [`super::WorldConfig::behind`], who come back from an absence and
//! lack the last messages. Who holds a message has delivered it, and knows which of its peers hold it, so nothing
//! is due for it; what a peer lacks is due to it like anything that is held and that it is not known to hold, with
//! back-offs that begin at [`Time::ZERO`].
//!
//! The messages are those of a conversation: each names the one before it in its group.

use std::collections::BTreeMap;

use bytes::Bytes;
use fixedbitset::FixedBitSet;
use offerbench_algos::{Item, Seed};

use super::spec::{Text, WorldConfig, WorldError};
use super::world::Life;
use crate::library::Library;
use crate::node::{Memory, Node};
use crate::payload::Content;
use crate::{GroupId, MsgNo, Part, PeerId, Time};

/// A message that was written before the world began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its timestamp by its author's clock, in milliseconds; before [`super::WorldConfig::start_ms`].
    pub stamp_ms: u64,
    /// Who wrote it: a member that holds it.
    pub author: PeerId,
    /// In which group.
    pub group: GroupId,
    /// What was written. Random texts are drawn apart from those of [`super::Append`]s.
    pub text: Text,
}

/// A node that lacks the end of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Who, member or relay.
    pub node: PeerId,
    /// How many of the last messages of [`super::WorldConfig::history`] it lacks, those of other groups
    /// included in the count. More than there are: all.
    pub lacks: u32,
}

/// For each node, how many of the first messages of the history it holds, if they are of its groups. Who is named in
/// `behind` and is not there is passed over.
pub(super) fn held_counts(config: &WorldConfig) -> Vec<usize> {
    let all = config.history.len();
    let mut counts = vec![all; config.nodes.len()];
    for behind in &config.behind {
        if let Some(count) = counts.get_mut(behind.node.0 as usize) {
            *count = all.saturating_sub(behind.lacks as usize);
        }
    }
    counts
}

/// Checks that authors are members who hold what they wrote, that stamps are of the past, and that every node is
/// behind once at most. O(history log groups).
pub(super) fn check(config: &WorldConfig) -> Result<(), WorldError> {
    let node_count = config.nodes.len();
    let mut seen = vec![false; node_count];
    for &Behind { node, .. } in &config.behind {
        let seen = seen.get_mut(node.0 as usize).ok_or(WorldError::NoSuchNode {
            what: "`behind`",
            node,
            node_count,
        })?;
        if std::mem::replace(seen, true) {
            return Err(WorldError::BehindTwice(node));
        }
    }
    let held = held_counts(config);
    for (index, past) in config.history.iter().enumerate() {
        let node = past.author;
        let spec = config.nodes.get(node.0 as usize).ok_or(WorldError::NoSuchNode {
            what: "the history",
            node,
            node_count,
        })?;
        if spec.config.part != Part::Member || !spec.shares.iter().any(|(group, _)| *group == past.group) {
            return Err(WorldError::NotAMember(node));
        }
        if held[node.0 as usize] <= index {
            return Err(WorldError::LacksOwn { index, author: node });
        }
        if past.stamp_ms >= config.start_ms {
            return Err(WorldError::NotPast { index, stamp_ms: past.stamp_ms, start_ms: config.start_ms });
        }
    }
    for (no, spec) in config.nodes.iter().enumerate() {
        let (count, max) = (held[no], spec.config.limits.messages_max);
        if count > max {
            return Err(WorldError::HistoryTooLong { node: PeerId(no as u32), count, max });
        }
    }
    Ok(())
}

/// What everybody holds at the start, in the form that nodes take it.
pub(super) struct Shelf {
    /// The messages of each group and their items, in the order of the history.
    groups: BTreeMap<GroupId, (Vec<MsgNo>, Vec<Item>)>,
    /// For each node, how many of the first messages it holds.
    held: Vec<usize>,
    /// Sets that nodes hold of a group, by its length in messages of the history.
    memories: BTreeMap<(GroupId, usize), Memory>,
}

impl Shelf {
    /// Writes the history into an empty library: the n-th message gets the n-th number. O(history).
    pub fn fill(config: &WorldConfig, library: &mut Library) -> Result<Self, WorldError> {
        library.reserve(config.history.len());
        let mut groups: BTreeMap<GroupId, (Vec<MsgNo>, Vec<Item>)> = BTreeMap::new();
        let seed = config.seed.child("history text");
        let len_max = config.nodes.iter().map(|node| node.config.limits.body_len_max).min().unwrap_or(0);
        for (index, past) in config.history.iter().enumerate() {
            let (messages, items) = groups.entry(past.group).or_default();
            let before = messages.last().map(|no| Bytes::copy_from_slice(library.id(*no).bytes()));
            let text = past.text.bytes(seed.nth(index as u64));
            let body = Content::to_body(before.into_iter().collect(), &text);
            if body.len() > len_max {
                return Err(WorldError::PastTooLong { index, len: body.len(), max: len_max });
            }
            let candidate = library.read(past.group, past.stamp_ms, &body);
            items.push(candidate.item);
            let no = library.keep(candidate);
            // Each names the one before, so no two are the same.
            debug_assert_eq!(no.place(), index);
            messages.push(no);
        }
        Ok(Self { groups, held: held_counts(config), memories: BTreeMap::new() })
    }

    /// The messages of a group among the first `count` of the history.
    fn memory(&mut self, group: GroupId, count: usize) -> &Memory {
        let messages = self.groups.get(&group).map_or(&[][..], |(messages, _)| messages);
        let count = messages.partition_point(|no| no.place() < count);
        self.memories.entry((group, count)).or_insert_with(|| {
            let mut set = FixedBitSet::with_capacity(messages[..count].last().map_or(0, |no| no.place() + 1));
            messages[..count].iter().for_each(|no| set.insert(no.place()));
            Memory { set, count, head: messages[..count].last().copied() }
        })
    }

    /// Gives a node that has joined its groups what it holds, and what its peers do.
    /// O(what it holds, and messages / 64 for each of its peers).
    pub fn hand_out(&mut self, no: usize, config: &WorldConfig, node: &mut Node) {
        let mine = self.held[no];
        for (group, peers) in &config.nodes[no].shares {
            let memory = self.memory(*group, mine).clone();
            if memory.count > 0 {
                let items = self.groups.get(group).map_or(&[][..], |(_, items)| &items[..memory.count]);
                node.remember(*group, &memory, items);
            }
            for peer in peers {
                let theirs = self.held[peer.0 as usize];
                node.remember_of(*peer, self.memory(*group, mine.min(theirs)));
            }
        }
        node.remembered();
    }

    /// What becomes of the messages: each is owed to the members of its group who lack it. O(history).
    pub fn lives(&self, config: &WorldConfig, members: &BTreeMap<GroupId, Vec<PeerId>>) -> Vec<Life> {
        // How many members of a group hold no more than so many messages, for those that are behind.
        let lacking = |group: &GroupId| {
            let members = members.get(group).map_or(&[][..], Vec::as_slice);
            let mut held: Vec<usize> = members.iter().map(|member| self.held[member.0 as usize]).collect();
            held.sort_unstable();
            held
        };
        let held: BTreeMap<GroupId, Vec<usize>> =
            self.groups.keys().map(|group| (*group, lacking(group))).collect();
        let life = |(index, past): (usize, &Past)| Life {
            written_at: Time::ZERO,
            author: past.author,
            owed_to: held[&past.group].partition_point(|count| *count <= index) as u32,
            delivered_to: 0,
        };
        config.history.iter().enumerate().map(life).collect()
    }
}

impl Text {
    /// The text itself; a random one from `seed`, at least 8 bytes.
    pub(super) fn bytes(&self, seed: Seed) -> std::borrow::Cow<'_, [u8]> {
        match self {
            Self::Says(text) => text.as_bytes().into(),
            Self::Random(len) => super::dice::random_text(seed, *len).into(),
        }
    }
}

#[cfg(test)]
mod tests;
