//! PinSketch beside minisketch with carry-less multiplication.
//!
//! Both get elements of GF(2^64) as they are, so that no hash is in any figure, and both write and read minisketch's
//! bytes; the sketches must be equal.

use std::hint::black_box;

use minisketch_rs::Minisketch;
use offerbench_algos::kernels::pinsketch::Field;

use crate::contest::Contest;
use crate::sets::ids;
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

/// Adding elements one by one to a sketch that is kept.
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
    Contest::new(
        own.name(),
        (row.n * capacity) as f64,
        move || set.iter().for_each(|id| black_box(&mut adder).add(*id)),
        move || theirs.iter().for_each(|id| black_box(&mut kept).add(*id)),
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
