//! Writing a message: what it names as its parents, and why it may not be written.

use std::collections::BTreeSet;

use bytes::Bytes;
use offerbench_algos::ItemId;
use thiserror::Error;

use super::Node;
use crate::config::{Delivery, Part};
use crate::library::{GroupId, Library, MsgNo, PARENTS_MAX};
use crate::payload::Content;
use crate::time::Time;

/// Why a message could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AppendError {
    /// The node has not joined the group.
    #[error("the node is not in this group")]
    UnknownGroup,
    /// A relay sees no graph, so it cannot write.
    #[error("a relay does not write")]
    Relay,
    /// Body over the limit.
    #[error("a body of {len} bytes, at most {max} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// More parents than anybody reads.
    #[error("{given} parents, at most {max} are read")]
    TooManyParents {
        /// Parents given.
        given: usize,
        /// The limit: [`crate::PARENTS_MAX`].
        max: usize,
    },
    /// The message would wait for parents that are not here, and no more may wait.
    #[error("{max} messages wait for their parents, no more may")]
    WaitingFull {
        /// The limit.
        max: usize,
    },
    /// The store is full.
    #[error("the store holds its {max} messages")]
    StoreFull {
        /// The limit.
        max: usize,
    },
}

impl Node {
    /// Writes a message. `at_ms` is the timestamp by the author's clock; the parents are the heads of the graph
    /// as this node sees it, at most [`crate::Limits::parents_max`] of them, or those that are given. Given ones need not be
    /// here: under [`Delivery::Causal`] the message is then delivered to its own author when they are, too.
    /// Allowed while offline.
    ///
    /// # Errors
    ///
    /// When the node is not in the group, is a relay, the body is too long, there are too many parents, or the store or
    /// the receive buffer is full.
    pub fn append(
        &mut self,
        library: &mut Library,
        now: Time,
        group: GroupId,
        at_ms: u64,
        text: &[u8],
        parents: Option<&[ItemId]>,
    ) -> Result<MsgNo, AppendError> {
        if self.config.part == Part::Relay {
            return Err(AppendError::Relay);
        }
        if !self.groups.contains_key(&group) {
            return Err(AppendError::UnknownGroup);
        }
        let limits = self.config.limits;
        if self.held_count >= limits.messages_max {
            return Err(AppendError::StoreFull { max: limits.messages_max });
        }
        let parents: Vec<ItemId> = match parents {
            // The newest heads; the others stay heads and are named by a later message.
            None => self
                .dag
                .heads(group)
                .rev()
                .take(limits.parents_max.min(PARENTS_MAX))
                .map(|no| *library.id(no))
                .collect(),
            Some(given) => {
                let once: BTreeSet<ItemId> = given.iter().copied().collect();
                once.into_iter().collect()
            }
        };
        if parents.len() > PARENTS_MAX {
            return Err(AppendError::TooManyParents { given: parents.len(), max: PARENTS_MAX });
        }
        if self.config.delivery == Delivery::Causal
            && self.dag.waiting() >= limits.waiting_max
            && !self.dag.missing_of(library, group, &parents).is_empty()
        {
            return Err(AppendError::WaitingFull { max: limits.waiting_max });
        }
        let parents = parents.iter().map(|id| Bytes::copy_from_slice(id.bytes())).collect();
        let body = Content::to_body(parents, text);
        if body.len() > limits.body_len_max {
            return Err(AppendError::TooLong { len: body.len(), max: limits.body_len_max });
        }
        let candidate = library.read(group, at_ms, &body);
        let no = library.keep(candidate);
        if !self.holds(no) {
            self.store(library, now, None, no);
        }
        Ok(no)
    }
}
