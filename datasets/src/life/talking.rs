//! Presence as an effect of talking: somebody is online around what it writes, and at no other time.

use super::Stay;
use super::place::Draft;
use super::stays::unite;

/// The stays of `members` of whom each is online from each of its messages on for `timeout_ms`; stays that
/// touch are one. Who never writes is never online. O(messages · log messages).
pub(super) fn stays(members: u32, drafts: &[Draft], timeout_ms: u64, end_ms: u64) -> Vec<Vec<Stay>> {
    let mut stays = vec![Vec::new(); members as usize];
    for draft in drafts {
        let off_ms = (draft.at_ms + timeout_ms).min(end_ms);
        stays[draft.author as usize].push(Stay { on_ms: draft.at_ms, off_ms });
    }
    stays.iter_mut().for_each(unite);
    stays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end_a_timeout_after_the_last_message() {
        let draft = |at_ms, author| Draft { at_ms, author };
        let drafts = [draft(5, 0), draft(9, 2), draft(14, 0), draft(30, 0), draft(95, 2)];
        let stay = |on_ms, off_ms| Stay { on_ms, off_ms };
        assert_eq!(
            stays(3, &drafts, 10, 100),
            [vec![stay(5, 24), stay(30, 40)], vec![], vec![stay(9, 19), stay(95, 100)]]
        );
    }
}
