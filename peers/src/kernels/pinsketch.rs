//! PinSketch beside minisketch with carry-less multiplication.
//!
//! Both get elements of GF(2^64) as they are, so that no hash is in any figure, and both write and read minisketch's
//! bytes; the sketches must be equal.

use std::hint::black_box;

use minisketch_rs::Minisketch;
use offerbench_algos::kernels::pinsketch::Field;
use offerbench_algos::{DuelLimits, Item, Role, Seed, Setup, build, duel};

use crate::contest::Contest;
use crate::sets::{TwoSets, ids, item};
use crate::table::Row;

/// Bits of an element.
const BITS: u32 = 64;
/// Randomises the search for roots; both sides get it.
const SEED: u64 = 3;

/// Implementation of minisketch that multiplies without carries.
const CLMUL: u32 = 1;

fn minisketch(capacity: u64) -> Minisketch {
    Minisketch::try_new(BITS, CLMUL, capacity as usize)
        .expect("built with CXXFLAGS=-DHAVE_CLMUL, as .cargo/config.toml says, on a machine with PCLMULQDQ")
}

/// Encoding a set in one call.
pub fn encode(row: &Row) -> Contest {
    let capacity = row.size;
    let (own, peer) = (Field::new(BITS), Field::of_minisketch(BITS));
    drop(minisketch(capacity));
    let set = ids(row.n, "pinsketch encode");
    let sketch =
        move |field: Field, set: &[u64]| field.sketch(capacity, set.iter().copied()).expect("memory");
    assert!(sketch(own, &set) == sketch(peer, &set), "sketches differ");
    let theirs = set.clone();
    Contest::new(
        own.name(),
        (row.n * capacity) as f64,
        move || _ = black_box(sketch(own, &set)),
        move || _ = black_box(sketch(peer, &theirs)),
    )
}

/// Adding elements one by one to a sketch that is kept. Ours may put off what it does with them until there is a block of
/// them or the sketch is read; so both are read in the end, and nothing is left undone.
pub fn add(row: &Row) -> Contest {
    let capacity = row.size;
    let own = Field::new(BITS);
    let mut adder = own.adder(capacity).expect("our own engine");
    let mut kept = minisketch(capacity);
    let set = ids(row.n, "pinsketch add");
    for id in &set {
        adder.add(*id);
        kept.add(*id);
    }
    let mut bytes = vec![0; own.len(capacity)];
    // minisketch takes this field for one of 63 bits when it is asked for the size, and writes 64 all the same.
    let believed = kept.serialized_size().min(bytes.len());
    kept.serialize(&mut bytes[..believed]).expect("room for a sketch");
    assert!(adder.sketch() == bytes, "sketches differ");
    let theirs = set.clone();
    let mut theirs_read = bytes.clone();
    Contest::new(
        own.name(),
        (row.n * capacity) as f64,
        move || {
            set.iter().for_each(|id| black_box(&mut adder).add(*id));
            black_box(adder.sketch());
        },
        move || {
            theirs.iter().for_each(|id| black_box(&mut kept).add(*id));
            kept.serialize(black_box(&mut theirs_read[..believed])).expect("room for a sketch");
        },
    )
}

/// Decoding a sketch that is full.
pub fn decode(row: &Row) -> Contest {
    let capacity = row.size;
    let (own, peer) = (Field::new(BITS), Field::of_minisketch(BITS));
    drop(minisketch(capacity));
    let mut set = ids(capacity, "pinsketch decode");
    let sketch = own.sketch(capacity, set.iter().copied()).expect("memory");
    set.sort_unstable();
    for field in [own, peer] {
        assert_eq!(field.decode(&sketch, capacity, SEED).as_ref(), Some(&set), "{}", field.name());
    }
    let theirs = sketch.clone();
    Contest::new(
        own.name(),
        1.0,
        move || _ = black_box(own.decode(&sketch, capacity, SEED)),
        move || _ = black_box(peer.decode(&theirs, capacity, SEED)),
    )
}

/// Decoding by an end that knows its own set of `n`, which holds half of what differs.
pub fn decode_own(row: &Row) -> Contest {
    let capacity = row.size;
    let (own, peer) = (Field::new(BITS), Field::of_minisketch(BITS));
    drop(minisketch(capacity));
    let half = capacity as usize / 2;
    let all = ids(row.n + capacity - capacity / 2, "pinsketch decode own");
    let set = all[all.len() - row.n as usize..].to_vec();
    let mut differing = all[..capacity as usize].to_vec();
    let sketch = own.sketch(capacity, differing.iter().copied()).expect("memory");
    differing.sort_unstable();
    let ours = move |sketch: &[u8]| {
        own.decode_with(sketch, capacity, set.len(), || set.clone(), |found| found.min(half), SEED)
    };
    assert_eq!(ours(&sketch).as_ref(), Some(&differing), "{}", own.name());
    assert_eq!(peer.decode(&sketch, capacity, SEED).as_ref(), Some(&differing), "{}", peer.name());
    let theirs = sketch.clone();
    Contest::new(
        own.name(),
        1.0,
        move || _ = black_box(ours(&sketch)),
        move || _ = black_box(peer.decode(&theirs, capacity, SEED)),
    )
}

/// Both ends of a session, cold: ours in parts beside one sketch by minisketch, both as strategies that size by
/// Tug-of-War.
pub fn session(row: &Row) -> Contest {
    let two = TwoSets::new(row.n, row.size, "pinsketch session");
    let items = two.sets.map(|ids| ids.iter().map(|id| item(*id)).collect::<Vec<Item>>());
    let run = |spec: &str, items: &[Vec<Item>; 2]| {
        let strategy = build(spec).expect("a spec of the registry").strategy;
        let setup = Setup::new(Seed::new(1));
        let mut ends = [(0, Role::Initiator), (1, Role::Responder)]
            .map(|(end, role)| strategy.index(&items[end]).open(role, &setup));
        duel(&mut ends, &DuelLimits::default()).expect("an honest session")
    };
    let specs = ["pinsketch:bits=64,parts=auto,size=tow", "pinsketch:bits=64,engine=minisketch,size=tow"];
    let bytes = specs.map(|spec| {
        let transcript = run(spec, &items);
        super::range::check(&items, &transcript);
        vec![transcript.bytes() as f64 / row.size as f64]
    });
    let [ours, theirs] = bytes;
    let same = items.clone();
    Contest::new(
        Field::new(BITS).name(),
        1.0,
        move || _ = black_box(run(specs[0], &items)),
        move || _ = black_box(run(specs[1], &same)),
    )
    .with_bytes(ours, theirs)
}
