//! What is to be small.

use super::cell::Trials;
use crate::record::ExactRow;
use crate::stats::median;

/// A link on which completion is timed: seconds from the start of a session until both ends have everything,
/// given a row, the CPU of building the index and that of the session, in ns.
pub struct Profile<'a> {
    /// Name, as the header declares it.
    pub name: String,
    /// Seconds.
    pub seconds: Box<dyn Fn(&ExactRow, f64, f64) -> f64 + 'a>,
}

/// What a rule makes small.
pub enum Objective<'a> {
    /// Bytes of a session, both ways.
    Bytes,
    /// CPU of a session with building the index before it, in seconds.
    Cpu,
    /// Time to completion on a link, in seconds.
    Link(Profile<'a>),
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
            Self::Link(profile) => {
                let (build, session) = (median(&trials.build_ns)?, median(&trials.session_ns)?);
                Some(each(&|row| (profile.seconds)(row, build, session)))
            }
        }
    }

    /// Whether its trials are samples of one scenario and not replicates.
    pub fn sampled(&self) -> bool {
        matches!(self, Self::Cpu)
    }

    /// Machine-readable name: `bytes`, `cpu`, `link:4g`.
    pub fn id(&self) -> String {
        match self {
            Self::Bytes => "bytes".into(),
            Self::Cpu => "cpu".into(),
            Self::Link(profile) => format!("link:{}", profile.name),
        }
    }

    /// For people.
    pub fn words(&self) -> String {
        match self {
            Self::Bytes => "bytes a session".into(),
            Self::Cpu => "CPU of a session and its index".into(),
            Self::Link(profile) => format!("time to completion on {}", profile.name),
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
