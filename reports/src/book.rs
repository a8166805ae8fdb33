//! Several files made into one book, or refused.
//!
//! A report must not compare what does not compare, so the rules are checked once, here, and whoever
//! holds a [`Book`] may rely on them: at most one file a lane of an experiment, counts behind all times, all
//! written by one commit, every timed session verified by the exact lane and every timed group trial counted by
//! the group lane. What is merely missing is not an error but a [`Gap`], which the report's first screen names.

use std::collections::BTreeSet;

use crate::error::BookError;
use crate::parts;
use crate::record::{
    Contender, CpuRow, ExactRow, GroupRow, GroupSweep, Header, Lane, PeerRow, Sweep, Timed, TimedRow,
};

/// The rows of one file, in file order.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// Of the exact lane.
    Exact(Vec<ExactRow>),
    /// Of the timed lane.
    Timed(Vec<TimedRow>),
    /// Of the group lane.
    Group(Vec<GroupRow>),
    /// Of the cpu lane.
    Cpu(Vec<CpuRow>),
    /// Of the lane of peers.
    Peers(Vec<PeerRow>),
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
            Rows::Group(rows) => rows.len() as u64,
            Rows::Cpu(rows) => rows.len() as u64,
            Rows::Peers(rows) => rows.len() as u64,
        }
    }

    /// For those who join parts.
    pub(crate) fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    /// Takes the file apart: its header and its rows.
    pub(crate) fn take(self) -> (Header, Rows) {
        (self.header, self.rows)
    }

    /// Appends rows of another file of the same lane.
    pub(crate) fn append(&mut self, file: &str, rows: Rows) {
        match (&mut self.rows, rows) {
            (Rows::Exact(ours), Rows::Exact(rows)) => ours.extend(rows),
            (Rows::Timed(ours), Rows::Timed(rows)) => ours.extend(rows),
            (Rows::Group(ours), Rows::Group(rows)) => ours.extend(rows),
            (Rows::Cpu(ours), Rows::Cpu(rows)) => ours.extend(rows),
            (Rows::Peers(ours), Rows::Peers(rows)) => ours.extend(rows),
            _ => unreachable!("files of one lane hold rows of one kind"),
        }
        self.name = format!("{} + {file}", self.name);
    }

    /// Whether this file holds the counts of the trials whose times `times` holds, or should.
    pub(crate) fn counts_of(&self, times: &Self) -> bool {
        let lane = if times.header.offerbench == Lane::Cpu { Lane::Group } else { Lane::Exact };
        self.header.offerbench == lane && self.question() == times.question()
    }

    /// Whether it holds CPU times, which need counts.
    pub(crate) fn is_of_times(&self) -> bool {
        matches!(self.header.offerbench, Lane::Timed | Lane::Cpu)
    }

    fn lane(&self) -> &'static str {
        match self.header.offerbench {
            Lane::Exact => "exact",
            Lane::Timed => "timed",
            Lane::Group => "group",
            Lane::Cpu => "cpu",
            Lane::Peers => "peers",
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

/// One experiment: what it counted, of sessions, of groups or of both, and perhaps the times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Experiment {
    exact: Option<Run>,
    timed: Option<Run>,
    group: Option<Run>,
    cpu: Option<Run>,
}

impl Experiment {
    /// Header of the first of its files. All of them say the same of the experiment, its hash and its seed, of
    /// commit and sources; sweeps, contenders and commands are each file's own.
    pub fn header(&self) -> &Header {
        let run = self.runs().next().expect("unite makes no experiment without a file of counts");
        &run.header
    }

    /// Name of the experiment.
    pub fn name(&self) -> &str {
        &self.header().experiment
    }

    /// Its files: sessions before groups, counts before times.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        [&self.exact, &self.timed, &self.group, &self.cpu].into_iter().flatten()
    }

    /// The exact file, if there is one.
    pub fn exact(&self) -> Option<&Run> {
        self.exact.as_ref()
    }

    /// The timed file, if there is one.
    pub fn timed(&self) -> Option<&Run> {
        self.timed.as_ref()
    }

    /// The group file, if there is one.
    pub fn group(&self) -> Option<&Run> {
        self.group.as_ref()
    }

    /// The file of the groups' CPU times, if there is one.
    pub fn cpu(&self) -> Option<&Run> {
        self.cpu.as_ref()
    }

    /// Sweeps over sessions.
    pub fn sweeps(&self) -> &[Sweep] {
        self.exact.as_ref().map_or(&[], |run| &run.header.sweeps)
    }

    /// Sweeps over groups.
    pub fn groups(&self) -> &[GroupSweep] {
        self.group.as_ref().map_or(&[], |run| &run.header.groups)
    }

    /// Contenders of sessions, then those of groups; who takes part in both comes twice.
    pub fn contenders(&self) -> impl Iterator<Item = &Contender> {
        self.exact.iter().chain(&self.group).flat_map(|run| &run.header.contenders)
    }

    /// Rows of the exact lane, none without an exact file.
    pub fn exact_rows(&self) -> &[ExactRow] {
        match self.exact.as_ref().map(|run| &run.rows) {
            Some(Rows::Exact(rows)) => rows,
            _ => &[],
        }
    }

    /// Rows of the timed lane, none without a timed file.
    pub fn timed_rows(&self) -> &[TimedRow] {
        match self.timed.as_ref().map(|run| &run.rows) {
            Some(Rows::Timed(rows)) => rows,
            _ => &[],
        }
    }

    /// Rows of the group lane, none without a group file.
    pub fn group_rows(&self) -> &[GroupRow] {
        match self.group.as_ref().map(|run| &run.rows) {
            Some(Rows::Group(rows)) => rows,
            _ => &[],
        }
    }

    /// Rows of the cpu lane, none without a file of it.
    pub fn cpu_rows(&self) -> &[CpuRow] {
        match self.cpu.as_ref().map(|run| &run.rows) {
            Some(Rows::Cpu(rows)) => rows,
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
    peers: Option<Run>,
}

impl Book {
    /// Unites files, or says which two do not go together. Files that `--only` made of one experiment, sweep by
    /// sweep, are joined as if one run had made them.
    ///
    /// # Errors
    ///
    /// Two files of one lane of one experiment that are no parts of it, or of peers; files of different commits; sessions
    /// and groups of one experiment that ran with another seed or spec; times without the counts that verify them;
    /// neither counts nor peers.
    pub fn unite(runs: Vec<Run>) -> Result<Self, BookError> {
        one_commit(&runs)?;
        // Peers belong to no experiment by which to tell two files apart.
        let (mut peers, runs): (Vec<Run>, Vec<Run>) =
            runs.into_iter().partition(|run| matches!(run.rows, Rows::Peers(_)));
        if let [first, second, ..] = &peers[..] {
            return Err(twice(first, second));
        }
        let peers = peers.pop();
        let runs = parts::join(runs)?;
        one_of_each(&runs)?;
        let (counts, times): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(|run| !run.is_of_times());
        let mut experiments: Vec<Experiment> = Vec::new();
        for run in counts {
            let place = experiments.iter().position(|one| one.name() == run.header.experiment);
            let mut experiment = match place {
                Some(place) => {
                    one_question(&experiments[place], &run)?;
                    experiments.swap_remove(place)
                }
                None => Experiment::default(),
            };
            match run.rows {
                Rows::Group(_) => experiment.group = Some(run),
                _ => experiment.exact = Some(run),
            }
            experiments.push(experiment);
        }
        for run in times {
            let partner = experiments
                .iter_mut()
                .find(|one| counts_of(one, &run).is_some_and(|counts| counts.question() == run.question()));
            match partner {
                None => return Err(alone(&run, &experiments)),
                Some(experiment) if matches!(run.rows, Rows::Cpu(_)) => {
                    counted(&run, experiment.group_rows())?;
                    experiment.cpu = Some(run);
                }
                Some(experiment) => {
                    verified(&run, experiment.exact_rows())?;
                    experiment.timed = Some(run);
                }
            }
        }
        if experiments.is_empty() && peers.is_none() {
            return Err(BookError::Empty);
        }
        experiments.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(Self { experiments, peers })
    }

    /// The experiments, by name.
    pub fn experiments(&self) -> &[Experiment] {
        &self.experiments
    }

    /// The experiment of this name.
    pub fn experiment(&self, name: &str) -> Option<&Experiment> {
        self.experiments.iter().find(|one| one.name() == name)
    }

    /// The file of kernels beside other implementations, if there is one. It belongs to no experiment.
    pub fn peers(&self) -> Option<&Run> {
        self.peers.as_ref()
    }

    /// Rows of that file.
    pub fn peer_rows(&self) -> &[PeerRow] {
        match self.peers.as_ref().map(|run| &run.rows) {
            Some(Rows::Peers(rows)) => rows,
            _ => &[],
        }
    }

    /// Every file: by experiment, sessions before groups, counts before times; the peers last.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.experiments.iter().flat_map(Experiment::runs).chain(&self.peers)
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
            return Err(twice(first, run));
        }
    }
    Ok(())
}

pub(crate) fn twice(first: &Run, second: &Run) -> BookError {
    BookError::Twice {
        first: first.name.clone(),
        second: second.name.clone(),
        lane: second.lane(),
        experiment: second.header.experiment.clone(),
    }
}

/// Sessions and groups of one experiment are two halves of one run.
fn one_question(experiment: &Experiment, run: &Run) -> Result<(), BookError> {
    let header = experiment.header();
    let Some(what) = header.other_question(&run.header) else { return Ok(()) };
    let first = experiment.runs().next().map_or_else(String::new, |run| run.name.clone());
    let experiment = header.experiment.clone();
    Err(BookError::Question { first, second: run.name.clone(), experiment, what })
}

/// The file of counts that a file of times belongs to.
fn counts_of<'e>(experiment: &'e Experiment, times: &Run) -> Option<&'e Run> {
    if matches!(times.rows, Rows::Cpu(_)) { experiment.group() } else { experiment.exact() }
}

/// CPU times are of trials that the group lane counted.
fn counted(cpu: &Run, group: &[GroupRow]) -> Result<(), BookError> {
    let Rows::Cpu(rows) = &cpu.rows else { return Ok(()) };
    let trials: BTreeSet<(&str, u32, u32, &str)> =
        group.iter().map(|row| (row.sweep.as_str(), row.point, row.replicate, row.spec.as_str())).collect();
    for (index, row) in rows.iter().enumerate() {
        if !trials.contains(&(row.sweep.as_str(), row.point, row.replicate, row.spec.as_str())) {
            return Err(BookError::Uncounted {
                file: cpu.name.clone(),
                line: index as u64 + 2,
                row: format!(
                    "sweep {}, point {}, replicate {}, {}",
                    row.sweep, row.point, row.replicate, row.spec
                ),
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

pub(crate) fn alone(run: &Run, experiments: &[Experiment]) -> BookError {
    let counts = if matches!(run.rows, Rows::Cpu(_)) { "a group" } else { "an exact" };
    let same_name = experiments
        .iter()
        .filter_map(|one| counts_of(one, run))
        .find(|counts| counts.header.experiment == run.header.experiment);
    let near = same_name.map_or_else(String::new, |one| {
        let what = if run.header.spec_hash == one.header.spec_hash { "seed" } else { "spec_hash" };
        format!(" ({} has that name, but another {what})", one.name)
    });
    BookError::TimedAlone { file: run.name.clone(), counts, experiment: run.header.experiment.clone(), near }
}
