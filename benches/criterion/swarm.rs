//! `cargo bench --bench swarm`: what simulating groups takes, against M, K and N, for MVDS and every strategy. Time first
//! (elements are simulated payloads: it must grow no faster than their number), then peak heap.

use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use offerbench::group::path::{all, offer_path};
use offerbench::group::scenario::Scenario;
use offerbench::group::sweep::Point;
use offerbench::meter::heap_peak;
use offerbench_algos::Seed;
use offerbench_sync::Policy;
use offerbench_sync::sim::World;

/// Axis, its value, members, K, messages.
const POINTS: [(&str, u32, u32, u32, u32); 8] = [
    ("N", 20, 20, 3, 100),
    ("N", 60, 60, 3, 100),
    ("N", 180, 180, 3, 100),
    ("M", 30, 60, 3, 30),
    ("M", 300, 60, 3, 300),
    ("K", 1, 60, 1, 100),
    ("K", 6, 60, 6, 100),
    ("K", 12, 60, 12, 100),
];

/// Six hours.
fn scenario(members: u32, k: u32, messages: u32) -> Scenario {
    let point = Point {
        sharing: Policy::Random { k },
        duration_ms: 6 * 3_600_000,
        messages_day: 4.0 * f64::from(messages),
        ..Point::phones(members)
    };
    Scenario::new(&point, None, Seed::new(1), 0).expect("the point is sound")
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut heaps = Vec::new();
    for path in all() {
        let mut group = criterion.benchmark_group(format!("swarm/{path}"));
        for (axis, value, members, k, messages) in POINTS {
            let scenario = scenario(members, k, messages);
            let offer = offer_path(path).expect("the registry knows its presets");
            let config = || scenario.world(&offer);
            let run = |config| {
                let mut world = World::new(config).expect("the world is whole");
                world.run_until(scenario.end());
                world.totals().payloads
            };
            let (payloads, heap) = heap_peak(|| run(config()));
            heaps.push((path, axis, value, payloads, heap));
            group.throughput(Throughput::Elements(payloads));
            group.bench_function(BenchmarkId::new(axis, value), |bencher| {
                bencher.iter_batched(config, run, BatchSize::PerIteration);
            });
        }
        group.finish();
    }
    criterion.final_summary();
    println!(
        "\n{:<40} {:>4} {:>6} {:>10} {:>12}",
        "swarm: peak heap", "axis", "value", "payloads", "peak MB"
    );
    for (path, axis, value, payloads, heap) in heaps {
        println!("{path:<40} {axis:>4} {value:>6} {payloads:>10} {:>12.2}", heap as f64 / 1e6);
    }
}
