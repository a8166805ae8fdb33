//! What the criterion targets share: contenders, sets, and settings that keep the whole in minutes.

use std::time::Duration;

use criterion::Criterion;
use offerbench::plan::{Contender, resolve};
use offerbench_algos::Seed;
use offerbench_datasets::{Pair, Pattern, synthetic};

/// Every preset. Criterion's own filter (`cargo bench -- riblt`) picks from them by name.
#[allow(dead_code, reason = "not every target runs all presets")]
pub fn contenders() -> Vec<Contender> {
    resolve(&["*".to_owned()]).expect("presets resolve")
}

/// The sets of a point.
pub fn pair(m: u64, d: u64) -> Pair {
    synthetic::pair(m, d, Pattern::Scattered, Seed::new(1)).expect("d is at most m")
}

/// Short measurements: there are hundreds of points, and each is a median of many runs.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .sample_size(10)
        .nresamples(1_000)
        .configure_from_args()
}
