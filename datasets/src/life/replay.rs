//! A recorded group lives again: a stretch of a trace as a [`Life`].
//!
//! **Time.** The life's axis begins with the window, and the window is given on the trace's own axis, which
//! begins with its first message. Within a chat trace times do not decrease and are taken as they are. A git
//! history is in the order of its graph, and every committer has a clock of its own: there a message is
//! written at the greatest stamp seen so far ([`Write::at_ms`]), never before its parents, and what its
//! author's clock lags behind that is its [`Write::skew_ms`], which is then never positive. One clock far in
//! the future thus holds up all that follow it: [`ClockFigures`](crate::inspect::ClockFigures) tell.
//!
//! **Parents.** With `causal` a write names the parents that the trace gives it, as far as they lie in the
//! window: right for a git history, whose parents are what its author had seen. In a chat trace they are what
//! a message replies to. Otherwise, and where all parents lie before the window, none are named.
//!
//! **Presence.** Without a presence trace [`Life::stays`] is empty, and whoever lives this life models who is
//! online. With one, stays are those of the recording, cut to the window. Messages that their authors wrote
//! while offline by the presence trace (clocks without seconds, two clients of one person) stay where they are:
//! [`Presence::check`] counts them.

use thiserror::Error;

use super::{Life, Stay, Write};
use crate::presence::{Contradiction, Files};
use crate::{Presence, Record, Trace};

/// What a text is assumed to have where the trace says that sizes are unknown, in bytes: half way between the
/// means of two measured channels, 58 (Ubuntu) and 86 (DuraSpace).
pub const ASSUMED_SIZE: u32 = 72;

/// A stretch of a trace, on its axis: in milliseconds since its first message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Its begin.
    pub from_ms: u64,
    /// Its length; none: to the end of the recording. It never reaches beyond that.
    pub duration_ms: Option<u64>,
}

impl Window {
    /// The window of this length in which most messages were written, the earliest of several. It begins with
    /// a message. One pass over the trace, no memory.
    pub fn busiest(trace: &Trace, duration_ms: u64) -> Self {
        let mut begins = written(trace);
        let mut first: Option<u64> = None;
        let (mut dropped, mut best, mut from_ms) = (0_u64, 0, 0);
        for (index, (_, at_ms, _)) in (0_u64..).zip(written(trace)) {
            // The first message that is less than a window before this one. This one is, if no other.
            while first.is_none_or(|begin| at_ms - begin >= duration_ms.max(1)) {
                dropped += u64::from(first.is_some());
                first = begins.next().map(|(_, begin_ms, _)| begin_ms);
            }
            let count = index + 1 - dropped;
            if count > best {
                (best, from_ms) = (count, first.unwrap_or(at_ms));
            }
        }
        Self { from_ms, duration_ms: Some(duration_ms) }
    }
}

/// A recorded stretch of a group's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The life: of whoever writes in the window, or is online for some of it.
    pub life: Life,
    /// Messages written before the window: what the group holds when it begins.
    pub history: u64,
    /// For each member of the life its number in the trace or the presence trace, ascending.
    pub names: Vec<u32>,
}

/// Why a stretch of a trace cannot be lived again.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ReplayError {
    /// Nobody ever wrote.
    #[error("trace `{trace}` has no messages: there is nothing to replay")]
    NoMessages {
        /// The trace.
        trace: String,
    },
    /// Nobody wrote in the window.
    #[error(
        "trace `{trace}` has no message from {from_s} s to {to_s} s: it has {messages} from 0 s to {last_s} s; choose a window within"
    )]
    EmptyWindow {
        /// The trace.
        trace: String,
        /// Begin of the window, in seconds since the first message.
        from_s: f64,
        /// Its end.
        to_s: f64,
        /// Messages of the trace.
        messages: u64,
        /// Time of the last.
        last_s: f64,
    },
    /// The presence trace is not of this recording.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

/// Makes a life of a stretch of a trace, with the presence recorded beside it if there is any.
///
/// The same arguments give the same life. The files in an error of [`Presence::check`] are the names in their
/// headers: check beforehand to name them yourself. Takes 48 bytes a message of the window, 4 a parent and 16
/// a stay.
///
/// # Errors
///
/// No message in the window, or a presence trace that contradicts the trace.
pub fn replay(
    trace: &Trace,
    presence: Option<&Presence>,
    window: &Window,
    causal: bool,
) -> Result<Replay, ReplayError> {
    let header = trace.header();
    let (Some((_, last_ms, _)), Some(first)) = (written(trace).last(), trace.get(0)) else {
        return Err(ReplayError::NoMessages { trace: header.name.clone() });
    };
    if let Some(presence) = presence {
        presence.check(trace, Files { trace: &header.name, presence: &presence.header().name })?;
    }
    let observed_s = presence.map_or(header.duration_s, |presence| presence.header().duration_s);
    let end_ms = (last_ms + 1).max(ms(observed_s - first.t).max(0).unsigned_abs());
    let from_ms = window.from_ms;
    let to_ms = window.duration_ms.map_or(end_ms, |duration| from_ms.saturating_add(duration).min(end_ms));

    let inside = || {
        written(trace)
            .skip_while(move |(_, at_ms, _)| *at_ms < from_ms)
            .take_while(move |(_, at_ms, _)| *at_ms < to_ms)
    };
    let history = written(trace).take_while(|(_, at_ms, _)| *at_ms < from_ms).count() as u64;
    let mut stays: Vec<(u32, Stay)> = Vec::new();
    for interval in presence.map_or(&[][..], Presence::intervals) {
        // Until the end of the axis, also where an interval lies before it: then it is empty.
        let within =
            |t: f64| ms(t - first.t).max(0).unsigned_abs().clamp(from_ms, to_ms.max(from_ms)) - from_ms;
        let stay = Stay { on_ms: within(interval.on), off_ms: within(interval.off) };
        if stay.on_ms < stay.off_ms {
            stays.push((interval.peer, stay));
        }
    }
    let mut names: Vec<u32> = inside().map(|(record, ..)| record.author).collect();
    if names.is_empty() {
        return Err(ReplayError::EmptyWindow {
            trace: header.name.clone(),
            from_s: from_ms as f64 / 1000.0,
            to_s: to_ms.max(from_ms) as f64 / 1000.0,
            messages: header.messages,
            last_s: last_ms as f64 / 1000.0,
        });
    }
    names.sort_unstable();
    names.dedup();
    names.extend(stays.iter().map(|(peer, _)| *peer));
    names.sort_unstable();
    names.dedup();
    let member = |name: u32| names.partition_point(|other| *other < name);

    let mut replay = Replay {
        life: Life { members: names.len() as u32, end_ms: to_ms - from_ms, ..Life::default() },
        history,
        names: Vec::new(),
    };
    if presence.is_some() {
        replay.life.stays = vec![Vec::new(); names.len()];
        for (peer, stay) in stays {
            let own = &mut replay.life.stays[member(peer)];
            match own.last_mut() {
                Some(before) if before.off_ms == stay.on_ms => before.off_ms = stay.off_ms,
                _ => own.push(stay),
            }
        }
    }
    for (record, at_ms, stamp_ms) in inside() {
        let author = member(record.author);
        let at_ms = at_ms - from_ms;
        let skew_ms = stamp_ms - (at_ms + from_ms) as i64;
        let mut parents = Vec::new();
        if causal {
            let inside = record.parents.iter().filter_map(|parent| u64::from(*parent).checked_sub(history));
            parents.extend(inside.map(|parent| parent as u32));
        }
        let size = if header.sizes { record.size } else { ASSUMED_SIZE };
        replay.life.writes.push(Write { at_ms, author: author as u32, size, skew_ms, parents });
    }
    replay.names = names;
    Ok(replay)
}

/// Every message with the time of its writing and its stamp, in milliseconds since the first message.
pub(crate) fn written(trace: &Trace) -> impl Iterator<Item = (Record<'_>, u64, i64)> {
    let first = trace.get(0).map_or(0.0, |record| record.t);
    trace.records().scan(0_u64, move |now_ms, record| {
        let stamp_ms = ms(record.t - first);
        *now_ms = (*now_ms).max(stamp_ms.max(0).unsigned_abs());
        Some((record, *now_ms, stamp_ms))
    })
}

/// Whole milliseconds. Times are within [`SECONDS_MAX`](crate::SECONDS_MAX), so that this is exact.
pub(crate) fn ms(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}
