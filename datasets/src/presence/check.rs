//! Whether a presence trace and a chat trace are of one recording.
//!
//! What cannot be so is an error, with the file and the line that says it: other authors, another trace's
//! name or source, clocks that start at other times, time axes that do not meet, or more than half of the
//! messages written while their author was offline. What recordings do contain is counted: messages written
//! while offline (a clock without seconds, a second client), speakers who were never seen online.

use thiserror::Error;

use super::Presence;
use crate::Trace;

/// The names of two files, for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Files<'a> {
    /// The chat trace's.
    pub trace: &'a str,
    /// The presence trace's.
    pub presence: &'a str,
}

/// Why a chat trace and a presence trace cannot be of one recording.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{file}, line {line}: {clash}")]
pub struct Contradiction {
    /// The file that shows it.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
    /// What it is.
    pub clash: Clash,
}

/// What contradicts each other.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Clash {
    /// The presence trace numbers other authors.
    #[error(
        "{speakers} speakers, but trace `{trace}` has {authors} authors: take the two files of one recording, their numbers must agree"
    )]
    Speakers {
        /// Speakers of the presence.
        speakers: u64,
        /// The trace.
        trace: String,
        /// Its authors.
        authors: u64,
    },
    /// The presence trace names another trace, or another source.
    #[error(
        "it is of {field} `{theirs}`, the trace has {field} `{ours}`: take the two files of one recording"
    )]
    Origin {
        /// What differs.
        field: &'static str,
        /// What the presence says.
        theirs: String,
        /// What the trace says.
        ours: String,
    },
    /// The two count their seconds from different moments.
    #[error("{field} = {theirs}, but the trace says {ours}: their seconds count from different moments")]
    Start {
        /// The field of both headers.
        field: &'static str,
        /// What the presence says.
        theirs: f64,
        /// What the trace says.
        ours: f64,
    },
    /// Presence is matched by time, and the trace's times run backwards.
    #[error(
        "trace `{trace}` says `monotone`: false, and presence can be matched only with times that do not decrease: leave out the presence trace"
    )]
    NotMonotone {
        /// The trace.
        trace: String,
    },
    /// Nobody was ever seen.
    #[error("no interval at all: leave out the presence trace, or make it anew")]
    NoIntervals,
    /// Observation ends before the first message, or begins after the last.
    #[error(
        "presence from {from_s} s to {to_s} s, but the trace's messages are from {first_s} s to {last_s} s: the two never meet"
    )]
    Apart {
        /// First moment of presence.
        from_s: f64,
        /// End of observation.
        to_s: f64,
        /// First message.
        first_s: f64,
        /// Last message.
        last_s: f64,
    },
    /// Most messages come from people who were not there.
    #[error(
        "author {author} writes at {t} s while offline by the presence trace, the first of {offline} such messages of {messages}: above one half the two are not of one recording"
    )]
    Offline {
        /// Author of the first such message.
        author: u32,
        /// Its time.
        t: f64,
        /// How many there are.
        offline: u64,
        /// Of how many.
        messages: u64,
    },
}

/// How well a chat trace and a presence trace agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Messages whose author was offline, by the presence trace.
    pub written_offline: u64,
    /// Line of the first of them in the chat trace.
    pub written_offline_line: Option<u64>,
    /// Authors who were never seen online.
    pub speakers_unseen: u64,
}

impl Presence {
    /// Compares this with the chat trace that it is to stand beside: one pass over the trace, two searches a
    /// message, 32 bytes an interval.
    ///
    /// # Errors
    ///
    /// What cannot be true of one recording, with the file and the line that shows it.
    pub fn check(&self, trace: &Trace, files: Files<'_>) -> Result<Agreement, Contradiction> {
        let (ours, theirs) = (trace.header(), self.header());
        let at = |file: &str, line: u64| {
            let file = file.to_owned();
            move |clash: Clash| Contradiction { file, line, clash }
        };
        let of_header = || at(files.presence, 1);
        if theirs.speakers != ours.authors {
            let (speakers, authors) = (theirs.speakers, ours.authors);
            return Err(of_header()(Clash::Speakers { speakers, trace: ours.name.clone(), authors }));
        }
        for (field, theirs, ours) in [
            ("trace", theirs.trace.as_ref().unwrap_or(&ours.name), &ours.name),
            ("source", &theirs.source, &ours.source),
        ] {
            if theirs != ours && !theirs.is_empty() && !ours.is_empty() {
                let (theirs, ours) = (theirs.clone(), ours.clone());
                return Err(of_header()(Clash::Origin { field, theirs, ours }));
            }
        }
        for (field, theirs, ours) in [
            ("t0_clock_s", theirs.t0_clock_s, ours.t0_clock_s),
            ("t0_weekday", theirs.t0_weekday.map(f64::from), ours.t0_weekday.map(f64::from)),
        ] {
            if let (Some(theirs), Some(ours)) = (theirs, ours)
                && theirs != ours
            {
                return Err(of_header()(Clash::Start { field, theirs, ours }));
            }
        }
        if !ours.monotone {
            return Err(of_header()(Clash::NotMonotone { trace: ours.name.clone() }));
        }
        let Some(first) = self.intervals.first() else {
            return Err(of_header()(Clash::NoIntervals));
        };
        let (Some(first_message), Some(last_message)) =
            (trace.get(0), trace.len().checked_sub(1).and_then(|last| trace.get(last)))
        else {
            return Ok(Agreement::default());
        };
        let (first_s, last_s) = (first_message.t, last_message.t);
        if theirs.duration_s < first_s || first.on > last_s {
            let line = if first.on > last_s { 2 } else { 1 };
            let (from_s, to_s) = (first.on, theirs.duration_s);
            return Err(at(files.presence, line)(Clash::Apart { from_s, to_s, first_s, last_s }));
        }

        let by_peer = self.by_peer();
        let mut agreement = Agreement::default();
        let mut first_offline = None;
        for (line, record) in (2_u64..).zip(trace.records()) {
            if !by_peer.is_online(record.author, record.t) {
                agreement.written_offline += 1;
                first_offline.get_or_insert((line, record.author, record.t));
            }
        }
        agreement.written_offline_line = first_offline.map(|(line, ..)| line);
        if let Some((line, author, t)) =
            first_offline.filter(|_| 2 * agreement.written_offline > ours.messages)
        {
            let (offline, messages) = (agreement.written_offline, ours.messages);
            return Err(at(files.trace, line)(Clash::Offline { author, t, offline, messages }));
        }
        let unseen = (0..ours.authors as u32).filter(|author| by_peer.of(*author).is_empty());
        agreement.speakers_unseen = unseen.count() as u64;
        Ok(agreement)
    }
}
