//! `cargo bench --bench group`: time of simulating an hour of a group, against N and against M, for MVDS and every
//! strategy. Elements are simulated payloads: time must grow no faster than their number.

use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use offerbench::group::{Life, offer_path};
use offerbench_algos::{REGISTRY, Seed};
use offerbench_sync::sim::World;

fn life(members: u32, messages: u32) -> Life {
    Life { hours: 1, uptime_ppm: 300_000, ..Life::day(members, messages) }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let paths: Vec<&str> =
        ["interactive", "batch"].into_iter().chain(REGISTRY.iter().map(|entry| entry.presets[0])).collect();
    for path in paths {
        let mut group = criterion.benchmark_group(format!("group/{path}"));
        for (axis, members, messages) in
            [("N", 20, 100), ("N", 60, 100), ("N", 180, 100), ("M", 60, 30), ("M", 60, 300)]
        {
            let life = life(members, messages);
            let config = || {
                let offer = offer_path(path).expect("the registry knows its presets");
                life.world(offer, Seed::new(1)).expect("members share")
            };
            let run = |config| {
                let mut world = World::new(config).expect("the world is whole");
                world.run_until(life.end());
                world.totals().payloads
            };
            group.throughput(Throughput::Elements(run(config())));
            let value = if axis == "N" { members } else { messages };
            group.bench_function(BenchmarkId::new(axis, value), |bencher| {
                bencher.iter_batched(config, run, BatchSize::PerIteration);
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
