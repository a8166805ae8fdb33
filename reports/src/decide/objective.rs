//! What is to be small.

use super::cell::Trials;
use crate::link::completion;
use crate::record::{ExactRow, Link};
use crate::stats::median;

/// Headers of one packet each way, IPv4's 20 B and UDP's 8 B (RFC 791, RFC 768): whatever a session sends, a network
/// carries no less.
pub const ROUND_TRIP_BYTES: f64 = 2.0 * (20.0 + 8.0);

/// What a rule makes small.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Objective<'a> {
    /// Bytes of a session, both ways.
    Bytes,
    /// CPU of a session with building the index before it, in seconds.
    Cpu,
    /// Time to completion on a link, in seconds.
    Link(&'a Link),
}

impl Objective<'_> {
    /// Cost of each trial, a failed one infinite. `None` where a contender was not measured.
    pub fn costs(&self, trials: &Trials<'_>) -> Option<Vec<f64>> {
        let each = |cost: &dyn Fn(&ExactRow) -> f64| {
            let price = |row: &&ExactRow| if row.succeeded() { cost(row) } else { f64::INFINITY };
            trials.rows.iter().map(price).collect::<Vec<f64>>()
        };
        match self {
            Self::Bytes => Some(each(&|row| row.bytes_total() as f64)),
            Self::Cpu => {
                let build = median(&trials.build_ns)?;
                if trials.session_ns.is_empty() {
                    return None;
                }
                // One failed session, and the strategy has no price here, as in the other objectives.
                let failed = trials.rows.iter().any(|row| !row.succeeded());
                let price = |ns: &f64| if failed { f64::INFINITY } else { (ns + build) / 1e9 };
                Some(trials.session_ns.iter().map(price).collect())
            }
            Self::Link(link) => {
                let (build, session) = (median(&trials.build_ns)?, median(&trials.session_ns)?);
                // A file from before links were declared does not say what a frame waited for.
                let seconds =
                    |row: &ExactRow| completion(row, build, session, link).map(|time| time.total_s());
                let told = |row: &&ExactRow| !row.succeeded() || seconds(row).is_some();
                (trials.rows.iter().all(told)).then(|| each(&|row| seconds(row).unwrap_or(f64::INFINITY)))
            }
        }
    }

    /// What its two halves are of. Times are sampled from one scenario: other samples check, and no other sets.
    pub fn trials(&self) -> &'static str {
        if self.sampled() { "samples" } else { "replicates" }
    }

    /// Whether its trials are samples of one scenario and not replicates.
    pub fn sampled(&self) -> bool {
        matches!(self, Self::Cpu)
    }

    /// What a session costs at least, whatever it sends: differences are judged against no less than this.
    pub fn floor(&self) -> f64 {
        match self {
            Self::Bytes => ROUND_TRIP_BYTES,
            // Of times, a machine's own share is in every sample.
            Self::Cpu | Self::Link(_) => 0.0,
        }
    }

    /// Machine-readable name: `bytes`, `cpu`, `link:4g`.
    pub fn id(&self) -> String {
        match self {
            Self::Bytes => "bytes".into(),
            Self::Cpu => "cpu".into(),
            Self::Link(link) => format!("link:{}", link.name),
        }
    }

    /// For people.
    pub fn words(&self) -> String {
        match self {
            Self::Bytes => "bytes a session".into(),
            Self::Cpu => "CPU of a session and its index".into(),
            Self::Link(link) => format!("time to completion on {}", link.name),
        }
    }

    /// A cost in its unit.
    pub fn show(&self, cost: f64) -> String {
        match self {
            Self::Bytes => crate::format::bytes(cost),
            Self::Cpu | Self::Link(_) => crate::format::nanos(cost * 1e9),
        }
    }
}
