//! `cargo bench --bench index`: what keeping a set costs, against its size.

mod support;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use offerbench_algos::{Item, ItemId};

fn build(c: &mut Criterion) {
    let mut group = c.benchmark_group("index-build");
    for n in [1_000, 100_000] {
        let items = support::pair(n, 0).initiator;
        group.throughput(Throughput::Elements(n));
        for contender in support::contenders() {
            group.bench_with_input(BenchmarkId::new(&contender.spec, n), &items, |b, items| {
                b.iter_with_large_drop(|| contender.strategy.index(items));
            });
        }
    }
    group.finish();
}

fn insert(c: &mut Criterion) {
    let mut group = c.benchmark_group("index-insert");
    for n in [1_000, 100_000] {
        let items = support::pair(n, 0).initiator;
        let newest = items.iter().map(|item| item.at).max().unwrap_or(0);
        for contender in support::contenders() {
            let mut index = contender.strategy.index(&items);
            let mut at = newest;
            group.bench_function(BenchmarkId::new(&contender.spec, n), |b| {
                b.iter_batched(
                    || {
                        at += 1;
                        Item { at, id: ItemId::of_message(&[0; 32], at, b"") }
                    },
                    |item| index.insert(item),
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

fn main() {
    let mut criterion = support::criterion();
    build(&mut criterion);
    insert(&mut criterion);
    criterion.final_summary();
}
