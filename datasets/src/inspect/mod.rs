//! What kind of group a trace is of: its rates, gaps, sizes, authors, edges, presence, and what somebody misses
//! who was away.
//!
//! The figures are those by which made-up groups are judged, so that a team can see which of them is nearest
//! to its own ([`Portrait::nearest`]).
//!
//! **Times** are those at which a [`replay`](crate::life::replay()) writes: in a git history the greatest stamp
//! so far. **Windows**: a trace that was stitched together from several has artificial gaps between them;
//! nothing is measured across these. **Quantiles** are interpolated between the two nearest values.
//!
//! Beside the trace, which takes 20 bytes a message and 4 an edge, 16 bytes a message at most are in use at any
//! time, and 40 an interval of presence. Work is n log n.

mod authors;
mod dist;
mod edges;
mod missed;
mod nearest;
mod presence;
mod rate;

use std::ops::Range;

use serde::Serialize;

pub use authors::Authorship;
pub use dist::{Dist, Weibull};
pub use edges::{Graph, Replies, WITHIN};
pub use missed::{Missed, PHONE_TIMEOUT_S};
pub use nearest::Nearest;
pub use presence::Online;
pub use rate::{Daily, Gaps, Rate};

use crate::life::replay::written;
use crate::presence::{Contradiction, Files};
use crate::{Kind, Presence, Trace};

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// What kind of group a trace is of. Parts that the trace says nothing about are absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Portrait {
    /// Name of the trace.
    pub name: String,
    /// Where its messages come from.
    pub kind: Kind,
    /// Messages.
    pub messages: u64,
    /// Authors.
    pub authors: u64,
    /// Edges.
    pub edges: u64,
    /// From the first message to the last, in seconds.
    pub span_s: f64,
    /// Windows that it was stitched together from; 1 if it was not.
    pub windows: u64,
    /// What its clocks are like.
    pub clocks: ClockFigures,
    /// How much is written when; none without messages.
    pub rate: Option<Rate>,
    /// What lies between messages; none with fewer than two.
    pub gaps: Option<Gaps>,
    /// Bytes a message; none if unknown.
    pub sizes: Option<Dist>,
    /// The law of sizes, empty texts left out.
    pub sizes_weibull: Option<Weibull>,
    /// Who writes how much; none without messages.
    pub authorship: Option<Authorship>,
    /// What messages reply to, in a chat with annotated replies.
    pub replies: Option<Replies>,
    /// The graph of a git history.
    pub graph: Option<Graph>,
    /// Who is online when, if there is a presence trace.
    pub online: Option<Online>,
    /// What somebody lacks at a return, by how absences are chosen.
    pub missed: Vec<Missed>,
    /// Which made-up group is nearest.
    pub nearest: Option<Nearest>,
}

/// What a trace's clocks are like.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClockFigures {
    /// Resolution of the source's clock, in seconds.
    pub resolution_s: f64,
    /// Share of messages with the same stamp as the message before.
    pub ties: f64,
    /// Messages whose stamp is before that of an earlier one.
    pub backwards: u64,
    /// By how much at most, in seconds.
    pub lag_s_max: f64,
}

/// Looks at a trace, and at the presence trace beside it if there is one.
///
/// # Errors
///
/// A presence trace that is not of this recording.
pub fn inspect(
    trace: &Trace,
    presence: Option<&Presence>,
    files: Files<'_>,
) -> Result<Portrait, Contradiction> {
    let header = trace.header();
    let agreement = presence.map(|presence| presence.check(trace, files)).transpose()?;
    let windows = windows(trace);
    let sizes = || trace.records().filter(|_| header.sizes).map(|record| f64::from(record.size));
    let mut portrait = Portrait {
        name: header.name.clone(),
        kind: header.kind,
        messages: header.messages,
        authors: header.authors,
        edges: header.edges,
        span_s: written(trace).last().map_or(0.0, |(_, at_ms, _)| at_ms as f64 / 1000.0),
        windows: windows.len() as u64,
        clocks: clocks(trace),
        rate: rate::rate(trace, &windows),
        gaps: rate::gaps(trace, &windows),
        sizes: Dist::of(sizes().collect()),
        sizes_weibull: Weibull::fit(sizes().filter(|size| *size > 0.0).collect()),
        authorship: authors::authorship(trace, &windows),
        replies: edges::replies(trace),
        graph: (header.kind == Kind::Git && !trace.is_empty()).then(|| edges::graph(trace)),
        online: None,
        missed: Vec::new(),
        nearest: None,
    };
    if let (Some(presence), Some(agreement)) = (presence, agreement) {
        portrait.online = Some(presence::online(trace, presence, agreement));
        portrait.missed.extend(missed::after_gaps(trace, presence));
        portrait.missed.extend(missed::offline_regular(trace, presence));
    }
    portrait.missed.extend(missed::phone(trace, &windows));
    portrait.nearest = nearest::nearest(&portrait);
    Ok(portrait)
}

fn clocks(trace: &Trace) -> ClockFigures {
    let (mut backwards, mut lag_ms_max, mut ties) = (0, 0, 0_u64);
    let mut before = None;
    for (_, at_ms, stamp_ms) in written(trace) {
        let lag_ms = (at_ms as i64 - stamp_ms).max(0);
        backwards += u64::from(lag_ms > 0);
        lag_ms_max = lag_ms_max.max(lag_ms);
        ties += u64::from(before == Some(stamp_ms));
        before = Some(stamp_ms);
    }
    ClockFigures {
        resolution_s: trace.header().time_resolution_s,
        ties: ties as f64 / trace.len().saturating_sub(1).max(1) as f64,
        backwards,
        lag_s_max: lag_ms_max as f64 / 1000.0,
    }
}

/// The windows that a trace was stitched together from, as its header tells them; all of it if it tells none, or
/// some that overlap.
fn windows(trace: &Trace) -> Vec<Range<usize>> {
    let segments = &trace.header().segments;
    let ranges = segments.iter().map(|segment| segment.first as usize..(segment.first + segment.n) as usize);
    let ranges: Vec<Range<usize>> = ranges.filter(|range| !range.is_empty()).collect();
    let are_apart = ranges.windows(2).all(|two| two[0].end <= two[1].start);
    if ranges.is_empty() || !are_apart {
        return std::iter::once(0..trace.len()).collect();
    }
    ranges
}

/// The times of all messages, in seconds since the first.
fn times(trace: &Trace) -> Vec<f64> {
    written(trace).map(|(_, at_ms, _)| at_ms as f64 / 1000.0).collect()
}
