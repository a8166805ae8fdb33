//! What the members of a drawn world hold when it begins, and who comes back from an absence.

use std::sync::Arc;

use offerbench_algos::Seed;

use super::luck::Luck;
use super::setting::Crowd;
use crate::sim::{Behind, Past, Text};
use crate::{Config, Part, PeerId};

/// Bytes of a body beside its text: one parent, tags and lengths.
const CONTENT_OVERHEAD: usize = 48;

/// A past, in one world of four; in most of these some come back.
#[derive(Default)]
pub(super) struct Yore {
    pub history: Vec<Past>,
    pub behind: Vec<Behind>,
    /// The most messages that somebody lacks.
    pub lacking: u64,
}

impl Yore {
    pub(super) fn draw(seed: Seed, crowd: &Crowd, start_ms: u64) -> Self {
        let mut luck = Luck::new(seed);
        if !luck.one_in(4) {
            return Self::default();
        }
        let count = luck.skewed(1, 300);
        let returning = luck.below(4).min(crowd.parts.len() - 1);
        let mut behind: Vec<Behind> = Vec::new();
        for _ in 0..returning {
            let node = PeerId(luck.below(crowd.parts.len()) as u32);
            let lacks = if luck.one_in(8) { u32::MAX } else { luck.skewed(1, count) as u32 };
            if behind.iter().all(|other| other.node != node) {
                behind.push(Behind { node, lacks });
            }
        }
        // Who was away wrote nothing.
        let authors = |place: usize| -> Vec<u32> {
            let was_there = |no: &u32| {
                crowd.parts[*no as usize] == Part::Member && behind.iter().all(|away| away.node.0 != *no)
            };
            crowd.circles[place].nodes.iter().copied().filter(was_there).collect()
        };
        let mut history = Vec::new();
        let skewed = luck.one_in(3);
        for n in 0..count {
            let place = luck.below(crowd.circles.len());
            let authors = authors(place);
            if authors.is_empty() {
                continue;
            }
            let late_ms = if skewed { luck.between(0, 60_000) } else { 0 };
            history.push(Past {
                stamp_ms: start_ms - 1 - late_ms - (count - n) * 1000,
                author: PeerId(authors[luck.below(authors.len())]),
                group: crowd.circles[place].id,
                text: Text::Random(luck.skewed(8, 64) as u32),
            });
        }
        let lacking = behind.iter().map(|away| u64::from(away.lacks).min(history.len() as u64)).max();
        Self { history, behind, lacking: lacking.unwrap_or(0) }
    }

    /// Leaves out what some node would have no room for.
    pub(super) fn fit(&mut self, configs: &[Arc<Config>]) {
        let body_len = configs.iter().map(|config| config.limits.body_len_max).min().unwrap_or(0);
        let messages = configs.iter().map(|config| config.limits.messages_max).min().unwrap_or(0);
        if body_len < CONTENT_OVERHEAD + 64 || messages < self.history.len() {
            *self = Self::default();
        }
    }
}
