//! Brings traffic and presence together where each was drawn without knowledge of the other.

use offerbench_algos::Rng;

use super::Stay;

/// A message whose size and timestamp are not drawn yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Draft {
    /// When it is written.
    pub at_ms: u64,
    /// By whom.
    pub author: u32,
}

/// Moves every message that its author would write offline to a uniformly drawn moment of its author's next
/// stay, or of its last one if there is no next: who comes back finds time to write some time during that
/// stay, not in its first millisecond. What an author who is never online would write falls to the next
/// member, by number, who is. Afterwards the drafts are sorted again. O(messages · log stays).
///
/// Nothing can be moved, and `false` comes back, if there are messages and nobody is ever online.
pub(super) fn online(drafts: &mut [Draft], stays: &[Vec<Stay>], rng: &mut Rng) -> bool {
    // For each member the next one who has a stay, around the end.
    let Some(first) = stays.iter().position(|stays| !stays.is_empty()) else {
        return drafts.is_empty();
    };
    let mut stand_ins = vec![first as u32; stays.len()];
    let mut next = first as u32;
    for (member, stays) in stays.iter().enumerate().rev() {
        if !stays.is_empty() {
            next = member as u32;
        }
        stand_ins[member] = next;
    }
    for draft in drafts.iter_mut() {
        draft.author = stand_ins[draft.author as usize];
        let stays = &stays[draft.author as usize];
        let next = stays.partition_point(|stay| stay.off_ms <= draft.at_ms);
        let stay = stays[next.min(stays.len() - 1)];
        if draft.at_ms < stay.on_ms || draft.at_ms >= stay.off_ms {
            draft.at_ms = stay.on_ms + rng.below(stay.off_ms - stay.on_ms);
        }
    }
    drafts.sort();
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use offerbench_algos::Seed;

    #[test]
    fn messages_move_to_the_next_stay_and_to_members_who_have_one() {
        let stay = |on_ms, off_ms| Stay { on_ms, off_ms };
        let stays = [vec![], vec![stay(10, 20), stay(50, 51)], vec![]];
        let draft = |at_ms, author| Draft { at_ms, author };
        let mut drafts = [draft(3, 1), draft(15, 0), draft(20, 1), draft(90, 2)];
        assert!(online(&mut drafts, &stays, &mut Seed::new(1).rng()));
        assert!((10..20).contains(&drafts[0].at_ms), "{drafts:?}");
        let mut rest = drafts.to_vec();
        rest.retain(|draft| draft.at_ms != drafts[0].at_ms);
        assert!(drafts.contains(&draft(15, 1)) && drafts[2..] == [draft(50, 1), draft(50, 1)], "{drafts:?}");
        assert!(!online(&mut drafts, &[vec![], vec![], vec![]], &mut Seed::new(1).rng()));
    }
}
