//! Joins the parts of one experiment: what `run --only SWEEP` wrote of one sweep after another.
//!
//! An experiment of hours is run sweep by sweep, in whatever order machines and nights allow. Its files then
//! say of themselves that they are parts, by the `--only` of their command, and are put together as if one run
//! had written them: the same trials at the same commit with the same seed have the same counts either way.
//! What two runs both hold is not joined: nobody could say which of the two to believe.

use std::collections::{BTreeMap, BTreeSet};

use crate::book::{Run, alone, twice};
use crate::error::BookError;
use crate::record::Header;
use crate::study::again;

/// Makes one file a lane of the files of an experiment's parts. Whatever is no part stays as it is.
///
/// # Errors
///
/// Parts of another seed or with other overrides, a sweep in two parts, times of two machines or without counts.
pub fn join(runs: Vec<Run>) -> Result<Vec<Run>, BookError> {
    let mut experiments: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for run in runs {
        experiments.entry(run.header().experiment.clone()).or_default().push(run);
    }
    let mut joined = Vec::new();
    for mut runs in experiments.into_values() {
        let hashes: BTreeSet<&str> = runs.iter().map(|run| run.header().spec_hash.as_str()).collect();
        let whole = |run: &Run| whole_command(run.header()) == run.header().command;
        if hashes.len() < 2 || runs.iter().any(whole) {
            joined.append(&mut runs);
            continue;
        }
        same_question(&runs)?;
        // By the names of their sweeps, whatever the order of the files.
        runs.sort_by_key(|run| (run.header().offerbench, first_sweep(run.header()).to_owned()));
        let hash = hashes_of(&runs);
        for run in runs {
            match joined.last_mut() {
                Some(last) if same_lane(last, &run) => append(last, run)?,
                _ => joined.push(run),
            }
            let last = joined.last_mut().expect("one was just pushed");
            last.header_mut().spec_hash.clone_from(&hash);
        }
    }
    Ok(joined)
}

fn same_lane(a: &Run, b: &Run) -> bool {
    (a.header().offerbench, &a.header().experiment) == (b.header().offerbench, &b.header().experiment)
}

fn whole_command(header: &Header) -> String {
    again::without(&header.command, &["--only"])
}

fn sweeps(header: &Header) -> impl Iterator<Item = &str> {
    let of_two = header.sweeps.iter().map(|sweep| sweep.name.as_str());
    of_two.chain(header.groups.iter().map(|sweep| sweep.name.as_str()))
}

fn first_sweep(header: &Header) -> &str {
    sweeps(header).next().unwrap_or_default()
}

/// Each part's hash, in the order of the parts' sweeps.
fn hashes_of(runs: &[Run]) -> String {
    let parts: BTreeMap<&str, &str> =
        runs.iter().map(|run| (first_sweep(run.header()), run.header().spec_hash.as_str())).collect();
    parts.into_values().collect::<Vec<_>>().join("+")
}

fn other(first: &Run, second: &Run, what: &'static str) -> BookError {
    BookError::Question {
        first: first.name().to_owned(),
        second: second.name().to_owned(),
        experiment: second.header().experiment.clone(),
        what,
    }
}

/// Parts differ in nothing but which sweeps they hold.
fn same_question(runs: &[Run]) -> Result<(), BookError> {
    let mut holders: BTreeMap<&str, &Run> = BTreeMap::new();
    let first = &runs[0];
    for (index, run) in runs.iter().enumerate() {
        let twin =
            |earlier: &&Run| same_lane(earlier, run) && earlier.header().spec_hash == run.header().spec_hash;
        if let Some(earlier) = runs[..index].iter().find(twin) {
            return Err(twice(earlier, run));
        }
        if run.header().seed != first.header().seed {
            return Err(other(first, run, "seed"));
        }
        let sister = runs.iter().find(|sister| same_lane(sister, run)).unwrap_or(run);
        if whole_command(run.header()) != whole_command(sister.header()) {
            return Err(other(sister, run, "command but for --only"));
        }
        if run.is_of_times() && !runs.iter().any(|one| one.counts_of(run)) {
            return Err(alone(run, &[]));
        }
        for sweep in sweeps(run.header()) {
            let holder = *holders.entry(sweep).or_insert(run);
            if holder.header().spec_hash != run.header().spec_hash {
                return Err(BookError::Overlap {
                    first: holder.name().to_owned(),
                    second: run.name().to_owned(),
                    sweep: sweep.to_owned(),
                });
            }
        }
    }
    Ok(())
}

fn append(to: &mut Run, part: Run) -> Result<(), BookError> {
    if to.header().machine != part.header().machine {
        return Err(other(to, &part, "machine"));
    }
    let name = part.name().to_owned();
    let (header, rows) = part.take();
    to.append(&name, rows);
    let ours = to.header_mut();
    ours.command = whole_command(ours);
    ours.rows += header.rows;
    ours.sweeps.extend(header.sweeps);
    ours.groups.extend(header.groups);
    for contender in header.contenders {
        if !ours.contenders.contains(&contender) {
            ours.contenders.push(contender);
        }
    }
    Ok(())
}
