//! `cargo bench -p offerbench-peers`: every kernel beside its peers; about six minutes, a filter runs a part.

use std::error::Error;
use std::time::Duration;

use criterion::Criterion;
use offerbench_peers::clock::ThreadCpu;
use offerbench_peers::measure::{SAMPLES, run};
use offerbench_peers::output::write;
use offerbench_peers::table::ROWS;

fn main() -> Result<(), Box<dyn Error>> {
    // Short: a median of rounds is what counts, and there are many cells.
    let mut criterion = Criterion::default()
        .with_measurement(ThreadCpu)
        .sample_size(SAMPLES)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(600))
        .nresamples(1_000)
        .without_plots()
        .configure_from_args();
    let rows = run(ROWS, &mut criterion);
    criterion.final_summary();
    if rows.is_empty() {
        println!("no cell was measured in full: nothing is written");
        return Ok(());
    }
    // Cargo adds `--bench` itself.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    write(&rows, &arguments)
}
