//! Our PinSketch beside minisketch's with carry-less multiplication, in one run on the same sets.
//!
//! Every cell is verified first (equal sketches, equal sets). Then both are timed in turn, in CPU time of the
//! thread, and the medians and their ratio are printed. Run with
//! `cargo run --release -p offerbench-algos --example pinsketch_speed [samples]`.

#[cfg(target_arch = "x86_64")]
fn main() {
    use offerbench_algos::{Seed, SketchField, SketchPath};
    use rustix::time::{ClockId, clock_gettime};

    fn ids(n: usize, bits: u32, seed: u64) -> Vec<u64> {
        let mut rng = Seed::new(seed).rng();
        (0..n).map(|_| (rng.next_u64() >> (64 - bits)).max(1)).collect()
    }
    fn cpu_ns(work: impl FnOnce()) -> f64 {
        let now = || {
            let time = clock_gettime(ClockId::ThreadCPUTime);
            time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
        };
        let start = now();
        work();
        now() - start
    }
    fn median(mut all: Vec<f64>) -> f64 {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    }

    let samples = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(5);
    println!("| kernel | bits | c | path | ours | minisketch | ratio |\n|---|---|---|---|---|---|---|");
    for bits in [64, 48, 32] {
        for capacity in [16_u64, 128, 1024, 2048] {
            let peer = SketchField::of_minisketch(bits);
            let n = 1 << (20 - capacity.ilog2());
            let (set, difference) = (ids(n, bits, 1), ids(capacity as usize, bits, 2));
            let whole = peer.sketch(capacity, set.iter().copied());
            let sketch = peer.sketch(capacity, difference.iter().copied()).expect("memory");
            let decoded = peer.decode(&sketch, capacity, 3);
            for path in SketchPath::all() {
                // Minutes would go by.
                if capacity > 1024 && *path == SketchPath::Portable {
                    continue;
                }
                let own = SketchField::on(bits, *path);
                assert_eq!(own.sketch(capacity, set.iter().copied()), whole);
                assert_eq!(own.decode(&sketch, capacity, 3), decoded);
                let mut encode = [const { Vec::new() }; 2];
                let mut decode = [const { Vec::new() }; 2];
                for _ in 0..samples {
                    for (which, field) in [own, peer].into_iter().enumerate() {
                        encode[which].push(cpu_ns(|| {
                            std::hint::black_box(field.sketch(capacity, set.iter().copied()));
                        }));
                        let times = (1 << 20) / (capacity * capacity).min(1 << 20);
                        let repeated = || {
                            for _ in 0..times.min(200) {
                                std::hint::black_box(field.decode(&sketch, capacity, 3));
                            }
                        };
                        decode[which].push(cpu_ns(repeated) / times.min(200) as f64);
                    }
                }
                let per = (n as u64 * capacity) as f64;
                let [ours, theirs] = encode.map(median).map(|ns| ns / per);
                let name = own.name();
                println!(
                    "| encode, ns an element and syndrome | {bits} | {capacity} | {name} | {ours:.3} | {theirs:.3} | {:.1} |",
                    theirs / ours
                );
                let [ours, theirs] = decode.map(median).map(|ns| ns / 1000.0);
                println!(
                    "| decode, d = c, µs | {bits} | {capacity} | {name} | {ours:.1} | {theirs:.1} | {:.1} |",
                    theirs / ours
                );
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("minisketch is built on x86-64 only");
}
