//! Puts a trace together record by record. Here, once, are the rules that every record keeps, whether it was
//! read from a file or made by an importer.

use super::{About, Annotated, FORMAT, Header, Row, Rule, SECONDS_MAX, Trace};
use crate::MESSAGES_MAX;

/// A trace to which records are added.
#[derive(Clone, Debug, Default)]
pub struct TraceBuilder {
    rows: Vec<Row>,
    parents_end: Vec<u32>,
    parents: Vec<u32>,
    authors: u32,
    bytes: u64,
    t_least: f64,
    t_most: f64,
    decreases: bool,
}

impl TraceBuilder {
    /// A trace without records.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records there are: the index of the next one.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many authors there are: the highest number that the next record may have.
    pub fn authors(&self) -> u32 {
        self.authors
    }

    /// Time of the last record, if there is one.
    pub(crate) fn t_last(&self) -> Option<f64> {
        self.rows.last().map(|row| row.t)
    }

    /// Adds a record.
    ///
    /// # Errors
    ///
    /// A time that is not finite or beyond [`SECONDS_MAX`], an author number that skips one, parents that
    /// are not ascending indexes of earlier records, or more records or edges than [`MESSAGES_MAX`].
    pub fn push(&mut self, t: f64, author: u32, size: u32, parents: &[u32]) -> Result<(), Rule> {
        // Also false for what is not a number.
        if !(-SECONDS_MAX..=SECONDS_MAX).contains(&t) {
            return Err(Rule::Time { t });
        }
        if author > self.authors {
            return Err(Rule::Author { author, next: self.authors });
        }
        let too_many = |count: usize| count as u64 > MESSAGES_MAX;
        if too_many(self.rows.len() + 1) {
            return Err(Rule::TooMany { what: "messages" });
        }
        if too_many(self.parents.len() + parents.len()) {
            return Err(Rule::TooMany { what: "edges" });
        }
        let index = self.rows.len() as u32;
        if let Some(two) = parents.windows(2).find(|two| two[0] >= two[1]) {
            return Err(Rule::ParentOrder { parent: two[1], before: two[0] });
        }
        if let Some(parent) = parents.last().filter(|parent| **parent >= index) {
            return Err(Rule::Parent { parent: *parent, index });
        }
        self.decreases |= self.t_last().is_some_and(|before| t < before);
        self.authors = self.authors.max(author + 1);
        self.bytes += u64::from(size);
        self.t_least = self.t_least.min(t);
        self.t_most = self.t_most.max(t);
        self.rows.push(Row { t, author, size });
        self.parents.extend_from_slice(parents);
        self.parents_end.push(self.parents.len() as u32);
        Ok(())
    }

    /// The trace, with a header whose counts are those of the records.
    pub fn finish(self, about: About) -> Trace {
        let header = Header {
            format: FORMAT.to_owned(),
            name: about.name,
            kind: about.kind,
            source: about.source,
            license: about.license,
            attribution: about.attribution,
            note: about.note,
            authors: self.count_authors(),
            messages: self.count_messages(),
            edges: self.count_edges(),
            bytes: self.count_bytes(),
            duration_s: self.t_most,
            time_resolution_s: about.time_resolution_s,
            monotone: !self.decreases,
            annotated: if self.parents.is_empty() { Annotated::None } else { about.annotated },
            segments: Vec::new(),
            t0_clock_s: None,
            t0_weekday: None,
            edges_dropped: None,
            sizes: about.sizes,
        };
        self.finish_with(header)
    }

    /// The trace, with a header that was checked against the counts.
    pub(super) fn finish_with(mut self, header: Header) -> Trace {
        self.rows.shrink_to_fit();
        self.parents.shrink_to_fit();
        self.parents_end.shrink_to_fit();
        Trace {
            header,
            rows: self.rows,
            parents_end: self.parents_end,
            parents: self.parents,
            t_least: self.t_least,
        }
    }

    pub(super) fn count_authors(&self) -> u64 {
        u64::from(self.authors)
    }

    pub(super) fn count_messages(&self) -> u64 {
        self.rows.len() as u64
    }

    pub(super) fn count_edges(&self) -> u64 {
        self.parents.len() as u64
    }

    pub(super) fn count_bytes(&self) -> u64 {
        self.bytes
    }
}
