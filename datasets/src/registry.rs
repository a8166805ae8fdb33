//! All workloads in one list, for whoever prints or runs "all of them".

use crate::Pattern;

/// A kind of pair that an experiment can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its name in an experiment.
    pub name: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    /// The pattern of the difference, if it is one; a trace has the absences of its members instead.
    pub pattern: Option<Pattern>,
}

const fn pattern(pattern: Pattern) -> Workload {
    Workload { name: pattern.name(), doc: pattern.doc(), pattern: Some(pattern) }
}

/// Every workload. A new one is a row here and, unless it is a trace's, a variant of [`Pattern`].
pub const WORKLOADS: &[Workload] = &[
    pattern(Pattern::Scattered),
    pattern(Pattern::Recent),
    pattern(Pattern::Gap),
    pattern(Pattern::Author),
    pattern(Pattern::Superset),
    pattern(Pattern::Empty),
    pattern(Pattern::Equal),
    Workload {
        name: "trace",
        doc: "a member of a recorded group returns from a real absence; the trace decides m and d",
        pattern: None,
    },
];

/// The workload of this name.
pub fn workload(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_has_a_row() {
        let listed: Vec<Pattern> = WORKLOADS.iter().filter_map(|workload| workload.pattern).collect();
        assert_eq!(listed, Pattern::ALL);
        assert_eq!(workload("trace").map(|workload| workload.pattern), Some(None));
        assert_eq!(workload("tracer"), None);
    }
}
