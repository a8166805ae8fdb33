//! Several files made into one book, or refused.
//!
//! A report must not compare what does not compare, so the rules are checked once, here, and whoever
//! holds a [`Book`] may rely on them: one exact file an experiment and at most one timed file with it,
//! all written by one commit, every timed session verified by the exact lane. What is merely missing is
//! not an error but a [`Gap`], which the report's first screen names.

use std::collections::BTreeSet;

use crate::error::BookError;
use crate::record::{ExactRow, Header, Lane, Timed, TimedRow};

/// The rows of one file, in file order.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// Of the exact lane.
    Exact(Vec<ExactRow>),
    /// Of the timed lane.
    Timed(Vec<TimedRow>),
}

/// One file as [`read`](crate::read()) accepted it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    name: String,
    header: Header,
    rows: Rows,
}

impl Run {
    /// For the reader, which has checked the rows against the header.
    pub(crate) fn new(name: String, header: Header, rows: Rows) -> Self {
        Self { name, header, rows }
    }

    /// The file's name, as given to [`read`](crate::read()).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Line 1.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// All further lines.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// How many rows there are.
    pub fn row_count(&self) -> u64 {
        match &self.rows {
            Rows::Exact(rows) => rows.len() as u64,
            Rows::Timed(rows) => rows.len() as u64,
        }
    }

    fn lane(&self) -> &'static str {
        match self.header.offerbench {
            Lane::Exact => "exact",
            Lane::Timed => "timed",
            Lane::Group => "group",
            Lane::Cpu => "cpu",
        }
    }

    /// What must be equal for two files to hold answers to the same questions.
    fn question(&self) -> (&str, &str, u64) {
        (&self.header.experiment, &self.header.spec_hash, self.header.seed)
    }

    fn sources(&self) -> String {
        let dirty = if self.header.dirty { " with local changes" } else { "" };
        format!("{}{dirty}", self.header.commit)
    }
}

/// One experiment: its counts and, perhaps, its times.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    exact: Run,
    timed: Option<Run>,
}

impl Experiment {
    /// Header of the exact file; the timed file's says the same of sweeps and contenders.
    pub fn header(&self) -> &Header {
        &self.exact.header
    }

    /// The exact file.
    pub fn exact(&self) -> &Run {
        &self.exact
    }

    /// The timed file, if there is one.
    pub fn timed(&self) -> Option<&Run> {
        self.timed.as_ref()
    }

    /// Rows of the exact lane.
    pub fn exact_rows(&self) -> &[ExactRow] {
        match &self.exact.rows {
            Rows::Exact(rows) => rows,
            Rows::Timed(_) => &[],
        }
    }

    /// Rows of the timed lane, none without a timed file.
    pub fn timed_rows(&self) -> &[TimedRow] {
        match self.timed.as_ref().map(|run| &run.rows) {
            Some(Rows::Timed(rows)) => rows,
            _ => &[],
        }
    }
}

/// A file that holds fewer rows than its header announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The file.
    pub file: String,
    /// Rows it holds.
    pub rows: u64,
    /// Rows it should hold.
    pub rows_expected: u64,
}

/// Files that may be reported on together. In the order of experiment names, whatever the order of files.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    experiments: Vec<Experiment>,
}

impl Book {
    /// Unites files, or says which two do not go together.
    ///
    /// # Errors
    ///
    /// Two files of one lane of one experiment; files of different commits; times without the counts
    /// that verify them; no exact file at all.
    pub fn unite(runs: Vec<Run>) -> Result<Self, BookError> {
        one_commit(&runs)?;
        one_of_each(&runs)?;
        let (exact, timed): (Vec<Run>, Vec<Run>) =
            runs.into_iter().partition(|run| matches!(run.rows, Rows::Exact(_)));
        let mut experiments: Vec<Experiment> =
            exact.into_iter().map(|exact| Experiment { exact, timed: None }).collect();
        for run in timed {
            let partner = experiments.iter_mut().find(|one| one.exact.question() == run.question());
            match partner {
                Some(experiment) => {
                    verified(&run, experiment.exact_rows())?;
                    experiment.timed = Some(run);
                }
                None => return Err(alone(&run, &experiments)),
            }
        }
        if experiments.is_empty() {
            return Err(BookError::Empty);
        }
        experiments.sort_by(|a, b| a.header().experiment.cmp(&b.header().experiment));
        Ok(Self { experiments })
    }

    /// The experiments, by name.
    pub fn experiments(&self) -> &[Experiment] {
        &self.experiments
    }

    /// Every file, exact before timed, by experiment.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.experiments.iter().flat_map(|one| std::iter::once(&one.exact).chain(one.timed.as_ref()))
    }

    /// Files that hold fewer rows than they should.
    pub fn gaps(&self) -> Vec<Gap> {
        self.runs()
            .filter(|run| run.row_count() < run.header.rows)
            .map(|run| Gap { file: run.name.clone(), rows: run.row_count(), rows_expected: run.header.rows })
            .collect()
    }
}

fn one_commit(runs: &[Run]) -> Result<(), BookError> {
    let Some(first) = runs.first() else { return Ok(()) };
    match runs.iter().find(|run| run.sources() != first.sources()) {
        None => Ok(()),
        Some(other) => Err(BookError::Commit {
            first: first.name.clone(),
            expected: first.sources(),
            second: other.name.clone(),
            found: other.sources(),
        }),
    }
}

fn one_of_each(runs: &[Run]) -> Result<(), BookError> {
    for (index, run) in runs.iter().enumerate() {
        let earlier = runs.iter().take(index).find(|earlier| {
            earlier.lane() == run.lane() && earlier.header.experiment == run.header.experiment
        });
        if let Some(first) = earlier {
            return Err(BookError::Twice {
                first: first.name.clone(),
                second: run.name.clone(),
                lane: run.lane(),
                experiment: run.header.experiment.clone(),
            });
        }
    }
    Ok(())
}

/// Times of sessions count only where the same scenario ended with the truth in the exact lane.
fn verified(timed: &Run, exact: &[ExactRow]) -> Result<(), BookError> {
    let Rows::Timed(rows) = &timed.rows else { return Ok(()) };
    let truths: BTreeSet<(&str, u32, u64, &str)> = exact
        .iter()
        .filter(|row| row.succeeded())
        .map(|row| (row.sweep.as_str(), row.point, row.seed, row.spec.as_str()))
        .collect();
    for (index, row) in rows.iter().enumerate() {
        let scenario = (row.sweep.as_str(), row.point, row.seed, row.spec.as_str());
        if row.timed == Timed::Session && !truths.contains(&scenario) {
            return Err(BookError::Unverified {
                file: timed.name.clone(),
                line: index as u64 + 2,
                row: format!("sweep {}, point {}, seed {}, {}", row.sweep, row.point, row.seed, row.spec),
            });
        }
    }
    Ok(())
}

fn alone(run: &Run, experiments: &[Experiment]) -> BookError {
    let same_name = experiments.iter().find(|one| one.header().experiment == run.header.experiment);
    let near = same_name.map_or_else(String::new, |one| {
        let (mine, theirs) = (&run.header, one.header());
        let what = if mine.spec_hash == theirs.spec_hash { "seed" } else { "spec_hash" };
        format!(" ({} has that name, but another {what})", one.exact.name)
    });
    BookError::TimedAlone { file: run.name.clone(), experiment: run.header.experiment.clone(), near }
}
