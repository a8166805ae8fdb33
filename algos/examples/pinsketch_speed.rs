//! Our PinSketch beside minisketch's with carry-less multiplication, in one run on the same sets.
//!
//! Every cell is verified first (equal sketches, equal sets, sessions that find all). Then both are timed in turn, in
//! CPU time of the thread, and the medians and their ratio are printed. Run with
//! `cargo run --release -p offerbench-algos --example pinsketch_speed [samples] [kernels|parts|sessions]`.

#[cfg(target_arch = "x86_64")]
#[path = "support/clock.rs"]
mod clock;

#[cfg(target_arch = "x86_64")]
mod run {
    use super::clock::medians;
    use offerbench_algos::kernels::pinsketch::{Field, Path};
    use offerbench_algos::{DuelLimits, Item, ItemId, Role, Seed, Setup, Transcript, build, duel};
    use std::hint::black_box;

    fn ids(n: usize, bits: u32, seed: u64) -> Vec<u64> {
        let mut rng = Seed::new(seed).rng();
        (0..n).map(|_| (rng.next_u64() >> (64 - bits)).max(1)).collect()
    }

    fn row(what: &str, bits: u32, capacity: u64, path: &str, [ours, theirs]: [f64; 2], per: f64) {
        let ratio = theirs / ours;
        let (ours, theirs) = (ours / per, theirs / per);
        println!("| {what} | {bits} | {capacity} | {path} | {ours:.3} | {theirs:.3} | {ratio:.1} |");
    }

    pub fn header() {
        println!("| kernel | bits | c | path | ours | minisketch | ratio |\n|---|---|---|---|---|---|---|");
    }

    pub fn kernels(samples: usize) {
        for bits in [64, 48, 32] {
            for capacity in [16_u64, 128, 1024, 2048] {
                let peer = Field::of_minisketch(bits);
                let n = 1 << (20 - capacity.ilog2());
                let (set, difference) = (ids(n, bits, 1), ids(capacity as usize, bits, 2));
                let whole = peer.sketch(capacity, set.iter().copied());
                let sketch = peer.sketch(capacity, difference.iter().copied()).expect("memory");
                let decoded = peer.decode(&sketch, capacity, 3);
                // Ten thousand ids, among them half of the difference.
                let own = [&ids(10_000, bits, 4)[..], &difference[..capacity as usize / 2]].concat();
                for path in Path::all() {
                    // Minutes would go by.
                    if capacity > 128 && *path == Path::Portable {
                        continue;
                    }
                    let field = Field::on(bits, *path);
                    let name = field.name();
                    let per = (n as u64 * capacity) as f64;
                    assert_eq!(field.sketch(capacity, set.iter().copied()), whole);
                    let encode = |field: Field| {
                        black_box(field.sketch(capacity, set.iter().copied()));
                    };
                    let times = medians(samples, 1, || encode(field), || encode(peer));
                    row("encode, ns an element and syndrome", bits, capacity, name, times, per);
                    let single = || {
                        let mut adder = field.adder(capacity).expect("our own engine");
                        set.iter().for_each(|id| adder.add(*id));
                        adder.sketch()
                    };
                    assert_eq!(Some(single()), whole);
                    let times = medians(samples, 1, || drop(black_box(single())), || encode(peer));
                    row("one at a time, ns an element and syndrome", bits, capacity, name, times, per);

                    assert_eq!(field.decode(&sketch, capacity, 3), decoded);
                    let repeats = ((1 << 20) / (capacity * capacity)).clamp(1, 200);
                    let per = repeats as f64 * 1000.0;
                    let decode = |field: Field| {
                        (0..repeats).for_each(|seed| drop(black_box(field.decode(&sketch, capacity, seed))));
                    };
                    let times = medians(samples, 1, || decode(field), || decode(peer));
                    row("decode, d = c, µs", bits, capacity, name, times, per);
                    let with_own = |seed| {
                        let own = || own.clone();
                        field.decode_with(&sketch, capacity, 10_000, own, |d| d / 2, seed)
                    };
                    assert_eq!(with_own(3), decoded);
                    let ours = || (0..repeats).for_each(|seed| drop(black_box(with_own(seed))));
                    let times = medians(samples, 1, ours, || decode(peer));
                    row("decode, half among 10,000 own, µs", bits, capacity, name, times, per);
                }
            }
        }
    }

    /// Forty sketches, side by side and one after the other.
    pub fn parts(samples: usize) {
        for bits in [64, 48, 32] {
            for capacity in [8_u64, 16, 32, 48, 64] {
                let peer = Field::of_minisketch(bits);
                let sketches: Vec<u8> = (0..40)
                    .flat_map(|part| {
                        let set = ids(capacity as usize, bits, 5 + part);
                        peer.sketch(capacity, set.into_iter()).expect("memory")
                    })
                    .collect();
                let none: [&[u64]; 40] = [&[]; 40];
                for path in Path::all() {
                    let field = Field::on(bits, *path);
                    let decode = |field: Field| field.decode_many(&sketches, capacity, &none, 3);
                    assert_eq!(decode(field), decode(peer));
                    let times = medians(
                        samples,
                        1,
                        || drop(black_box(decode(field))),
                        || drop(black_box(decode(peer))),
                    );
                    row("decode many, d = c, µs each", bits, capacity, field.name(), times, 40_000.0);
                }
            }
        }
    }

    fn item(rng: &mut offerbench_algos::Rng) -> Item {
        let mut id = [0; 32];
        id.as_chunks_mut::<8>().0.iter_mut().for_each(|word| *word = rng.next_u64().to_le_bytes());
        Item { at: rng.next_u64() >> 20, id: ItemId::new(id) }
    }

    /// Whole sessions of both ends, without the index.
    pub fn sessions(samples: usize) {
        println!(
            "\n| session | n | d | ours, ms | minisketch, ms | ratio | bytes | bytes of minisketch | ratio |\n|---|---|---|---|---|---|---|---|---|"
        );
        let peer = "pinsketch:engine=minisketch";
        for n in [1000_usize, 10_000, 100_000] {
            for d in [300_usize, 1000, 3000] {
                if d > n {
                    continue;
                }
                let mut rng = Seed::new(6).rng();
                let all: Vec<Item> = (0..n + d / 2).map(|_| item(&mut rng)).collect();
                let sets = [&all[..n], &all[d / 2..]];
                let open = |spec: &str| {
                    let strategy = build(spec).expect("a spec").strategy;
                    sets.map(|set| strategy.index(set))
                };
                let session = |indexes: &[Box<dyn offerbench_algos::Index>; 2]| -> Transcript {
                    let setup = Setup::new(Seed::new(7));
                    let [a, b] = indexes;
                    let mut ends = [a.open(Role::Initiator, &setup), b.open(Role::Responder, &setup)];
                    duel(&mut ends, &DuelLimits::default()).expect("they finish")
                };
                let theirs = open(peer);
                let plain = session(&theirs);
                for spec in ["pinsketch:size=tow", "pinsketch:parts=auto"] {
                    let ours = open(spec);
                    let own = session(&ours);
                    assert_eq!(
                        own.findings.each_ref().map(Vec::len),
                        plain.findings.each_ref().map(Vec::len)
                    );
                    let times = medians(
                        samples,
                        1,
                        || drop(black_box(session(&ours))),
                        || drop(black_box(session(&theirs))),
                    );
                    let [ours, theirs] = times.map(|ns| ns / 1e6);
                    println!(
                        "| {spec} | {n} | {d} | {ours:.2} | {theirs:.1} | {:.1} | {} | {} | {:.2} |",
                        theirs / ours,
                        own.bytes(),
                        plain.bytes(),
                        own.bytes() as f64 / plain.bytes() as f64
                    );
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn main() {
    let samples = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(5);
    let what = std::env::args().nth(2);
    let wanted = |name: &str| what.as_deref().is_none_or(|what| what == name);
    run::header();
    if wanted("kernels") {
        run::kernels(samples);
    }
    if wanted("parts") {
        run::parts(samples);
    }
    if wanted("sessions") {
        run::sessions(samples);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("minisketch is built on x86-64 only");
}
