//! Criterion drives, every one of its samples is a round of both sides, and all rounds count.
//!
//! A cell has two benchmarks, `ours` and `theirs`. Both run the same rounds (ours, then theirs) and tell criterion the
//! time of one side; so nothing is timed twice, and what is printed as a ratio comes from rounds in which both saw the
//! same machine.

use std::cell::RefCell;

use criterion::{Criterion, SamplingMode};
use offerbench_reports::record::{PeerRow, Unit};

use crate::clock::ThreadCpu;
use crate::contest::Contest;
use crate::table::{Row, version};

/// Samples of each benchmark; criterion wants 10 at least.
pub const SAMPLES: usize = 10;

/// A cell under way.
#[derive(Default)]
struct Cell {
    /// Made by the first benchmark that criterion's filter lets through.
    contest: Option<Contest>,
    /// Rounds of each benchmark, warming up included: nanoseconds of a single run, ours and theirs.
    rounds: [Vec<[f64; 2]>; 2],
}

/// Runs the cells that criterion's filter lets through, and returns rows of those that were measured in full. A cell
/// whose sides do not agree ends everything: it panics.
pub fn run(rows: &[Row], criterion: &mut Criterion<ThreadCpu>) -> Vec<PeerRow> {
    rows.iter().flat_map(|row| measure(row, criterion)).collect()
}

fn measure(row: &Row, criterion: &mut Criterion<ThreadCpu>) -> Vec<PeerRow> {
    let cell = RefCell::new(Cell::default());
    let mut group = criterion.benchmark_group(row.name());
    group.sampling_mode(SamplingMode::Flat);
    let sides: &[&str] = if row.slow { &["ours"] } else { &["ours", "theirs"] };
    for (side, name) in sides.iter().enumerate() {
        group.bench_function(*name, |bencher| {
            cell.borrow_mut().contest.get_or_insert_with(|| (row.prepare)(row));
            bencher.iter_custom(|runs| {
                let mut cell = cell.borrow_mut();
                let round = cell.contest.as_mut().expect("made above").round(runs);
                cell.rounds[side].push(round);
                round[side] * runs as f64
            });
        });
    }
    group.finish();
    records(row, &cell.into_inner(), sides.len())
}

fn records(row: &Row, cell: &Cell, sides: usize) -> Vec<PeerRow> {
    let Some(contest) = &cell.contest else { return Vec::new() };
    let mut rounds = Vec::new();
    for of_side in &cell.rounds[..sides] {
        // With `--test` there is one round, and nothing to record.
        let Some(warming) = of_side.len().checked_sub(SAMPLES) else { return Vec::new() };
        rounds.extend(of_side[warming..].iter().map(|round| contest.each(*round)));
    }
    let of = |side: usize| rounds.iter().map(|round| significant(round[side])).collect::<Vec<f64>>();
    let times = PeerRow {
        kernel: row.kernel.to_owned(),
        operation: row.operation.to_owned(),
        peer: row.peer.to_owned(),
        peer_version: version(row.peer).unwrap_or_default().to_owned(),
        n: row.n,
        size_of: row.size_of,
        size: row.size,
        manner: row.manner,
        state: row.state,
        path: contest.path().to_owned(),
        unit: Unit::Ns,
        per: row.per.to_owned(),
        asked: row.asked,
        ours: of(0),
        theirs: of(1),
    };
    let bytes = contest.bytes.clone().zip(row.bytes).map(|([ours, theirs], (per, asked))| PeerRow {
        unit: Unit::Bytes,
        per: per.to_owned(),
        asked,
        ours,
        theirs,
        ..times.clone()
    });
    [times].into_iter().chain(bytes).collect()
}

/// Five significant digits: far more than a round can know, and short in a file.
fn significant(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}
