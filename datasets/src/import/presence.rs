//! Makes presence of what an IRC log tells of comings and goings.
//!
//! A stay begins with a join and ends with a part, a quit or a kick. Around that:
//!
//! - **Seen without a join** (writing, leaving, renamed): the member was there before the logger came, so its stay
//!   begins where the log does, or after its last break; the start is not known. If it had left since, it came
//!   unseen, and its stay begins at that moment.
//! - **Never seen leaving**: the stay lasts to the end of the log, to its next break, or to a second join; the end is
//!   not known. The log ends a millisecond after its last line, so that what is written there is written online.
//! - **A change of nick** ends the stay of one name and begins that of the other at the same moment, both known: in a
//!   trace two nicks are two authors, and a person is online as one of them at a time.
//! - **Breaks** are where the log was closed or opened, or where a change of day leaves out a day.
//!
//! Whoever is there from beginning to end and never does anything is not in the log, and not in its presence.

use std::collections::BTreeMap;

use crate::presence::{PresenceBuilder, PresenceHeader};
use crate::{Interval, Presence, Rule};

/// What happens to a member, by the number of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It comes.
    Comes,
    /// It goes.
    Goes,
    /// It is seen to be there.
    IsThere,
    /// The logger goes away and comes again; of no member.
    Break,
}

/// A sign at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// When, in milliseconds.
    pub at_ms: i64,
    /// Of whom.
    pub name: u32,
    /// What.
    pub sign: Sign,
}

/// A stay, its ends in milliseconds and whether each is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stay {
    pub name: u32,
    pub on_ms: i64,
    pub off_ms: i64,
    pub on_known: bool,
    pub off_known: bool,
}

/// The stays of all members. Signs are in the order of time; the first and the last are those of the log.
pub(super) fn stays(signs: &[Seen]) -> Vec<Stay> {
    let mut stays = Vec::new();
    // Since when a member is there, and whether that is known.
    let mut there: BTreeMap<u32, (i64, bool)> = BTreeMap::new();
    // When a member left last, since the last break.
    let mut left: BTreeMap<u32, i64> = BTreeMap::new();
    let mut begin_ms = signs.first().map_or(0, |sign| sign.at_ms);
    let mut last_ms = begin_ms;
    let mut is_broken = false;
    let end = |name: u32, (on_ms, on_known): (i64, bool), off_ms: i64, off_known: bool| Stay {
        name,
        on_ms,
        off_ms: off_ms.max(on_ms),
        on_known,
        off_known,
    };
    for Seen { at_ms, name, sign } in signs.iter().copied() {
        if sign == Sign::Break {
            stays.extend(there.iter().map(|(name, since)| end(*name, *since, last_ms + 1, false)));
            there.clear();
            left.clear();
            is_broken = true;
            continue;
        }
        if std::mem::take(&mut is_broken) {
            begin_ms = at_ms;
        }
        last_ms = last_ms.max(at_ms);
        // Not before it left: its clock may have been set back.
        let left_ms = left.get(&name).copied();
        let unseen = || (left_ms.map_or(begin_ms, |left_ms| at_ms.max(left_ms)), false);
        match sign {
            Sign::Comes => {
                let before = there.remove(&name).map(|since| end(name, since, at_ms, false));
                let free_ms = before.map(|stay| stay.off_ms).or(left_ms);
                there.insert(name, (free_ms.map_or(at_ms, |free_ms| at_ms.max(free_ms)), true));
                stays.extend(before);
            }
            Sign::IsThere => {
                there.entry(name).or_insert_with(unseen);
            }
            Sign::Goes => {
                let stay = end(name, there.remove(&name).unwrap_or_else(unseen), at_ms, true);
                left.insert(name, stay.off_ms);
                stays.push(stay);
            }
            Sign::Break => {}
        }
    }
    stays.extend(there.iter().map(|(name, since)| end(*name, *since, last_ms + 1, false)));
    stays.sort_by_key(|stay| (stay.on_ms, stay.name, stay.off_ms));
    stays
}

/// The presence trace beside a chat trace. `numbers` are the authors' numbers by name; names without one get the
/// numbers above, in the order in which they came.
pub(super) fn presence(
    stays: &[Stay],
    mut numbers: Vec<Option<u32>>,
    start_ms: i64,
    header: PresenceHeader,
) -> Result<Presence, Rule> {
    let mut next = header.speakers as u32;
    let mut builder = PresenceBuilder::default();
    for stay in stays {
        let peer = *numbers[stay.name as usize].get_or_insert_with(|| {
            next += 1;
            next - 1
        });
        let t = |at_ms: i64| (at_ms - start_ms) as f64 / 1000.0;
        let Stay { on_known, off_known, .. } = *stay;
        let interval = Interval { peer, on: t(stay.on_ms), off: t(stay.off_ms), on_known, off_known };
        builder.push(interval, header.duration_s)?;
    }
    Ok(builder.finish(header))
}
