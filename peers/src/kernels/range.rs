//! Range-based reconciliation beside the crate `negentropy`: MVDS ids, times in milliseconds, no frame limit.
//!
//! Ours runs as a strategy in a duel, which accounts for every byte and checks frames, and tells the responder what to
//! push at the end; the crate's messages are handed from one end to the other and no more. A session is on sealed sets
//! at both ends; sealing is a cell of its own.

use std::collections::BTreeSet;
use std::hint::black_box;

use negentropy::{Id, Negentropy, NegentropyStorageVector};
use offerbench_algos::kernels::range::path;
use offerbench_algos::{
    DuelLimits, Ending, Guarantee, Index, Item, ItemId, Role, Seed, Setup, Transcript, Truth, build, duel,
    judge,
};
use offerbench_datasets::{Pattern, synthetic};

use crate::contest::Contest;
use crate::table::Row;

/// A set as the crate keeps it.
fn sealed(items: &[Item]) -> NegentropyStorageVector {
    let mut storage = NegentropyStorageVector::with_capacity(items.len());
    for item in items {
        storage.insert(item.at, Id::from_byte_array(*item.id.bytes())).expect("not sealed yet");
    }
    storage.seal().expect("not sealed yet");
    storage
}

/// Both ends of a session of the crate: what the first has and needs, and bytes of all messages.
fn theirs(stores: &[NegentropyStorageVector; 2]) -> ([Vec<Id>; 2], usize) {
    let ends = [0, 1].map(|end| Negentropy::borrowed(&stores[end], 0).expect("no frame limit"));
    let [mut client, mut relay] = ends;
    let (mut have, mut need) = (Vec::new(), Vec::new());
    let mut query = client.initiate().expect("sealed");
    let mut bytes = 0;
    loop {
        let answer = relay.reconcile(&query).expect("an honest query");
        bytes += query.len() + answer.len();
        match client.reconcile_with_ids(&answer, &mut have, &mut need).expect("an honest answer") {
            Some(next) => query = next,
            None => return ([have, need], bytes),
        }
    }
}

fn ours(indexes: &[Box<dyn Index>; 2]) -> Transcript {
    let setup = Setup::new(Seed::new(1));
    let mut ends =
        [(0, Role::Initiator), (1, Role::Responder)].map(|(end, role)| indexes[end].open(role, &setup));
    duel(&mut ends, &DuelLimits::default()).expect("an honest session")
}

/// Both ends found the whole difference and nothing else, at the first try.
pub fn check(sets: &[Vec<Item>; 2], transcript: &Transcript) {
    let judgement = judge(&Truth::of(&sets[0], &sets[1]), Guarantee::Exact, transcript);
    assert_eq!(judgement.ending, Ending::Exact, "{judgement:?}");
}

/// Two indexes hold the same set, as a session between them sees it.
pub fn agree(indexes: &[Box<dyn Index>; 2]) {
    let transcript = ours(indexes);
    assert!(transcript.findings.iter().all(Vec::is_empty), "indexes differ");
}

/// The sets of a row: `n` items each, but for half of what only the other has.
fn pair(row: &Row, pattern: Pattern) -> [Vec<Item>; 2] {
    let union = row.n + row.size / 2;
    let pair = synthetic::pair(union, row.size, pattern, Seed::new(1)).expect("d is at most n");
    [pair.initiator, pair.responder]
}

/// A session on sealed sets that differ by `pattern`, ours by the strategy `spec`.
fn session(row: &Row, spec: &str, pattern: Pattern) -> Contest {
    let sets = pair(row, pattern);
    let strategy = build(spec).expect("a spec of the registry").strategy;
    let indexes = [0, 1].map(|end| strategy.index(&sets[end]));
    let stores = [0, 1].map(|end| sealed(&sets[end]));
    let transcript = ours(&indexes);
    check(&sets, &transcript);
    let (found, their_bytes) = theirs(&stores);
    let found = found.map(|ids| ids.iter().map(|id| ItemId::new(*id.as_bytes())).collect::<BTreeSet<_>>());
    let truth = Truth::of(&sets[0], &sets[1]);
    assert!([0, 1].iter().all(|end| found[*end] == *truth.only(*end)), "negentropy");
    // Of equal sets the bytes are those of the session.
    let d = row.size.max(1) as f64;
    let bytes = [transcript.bytes() as f64 / d, their_bytes as f64 / d];
    Contest::new(path(), 1.0, move || _ = black_box(ours(&indexes)), move || _ = black_box(theirs(&stores)))
        .with_bytes(vec![bytes[0]], vec![bytes[1]])
}

/// The strategy whose messages are the crate's, byte for byte.
const COMPATIBLE: &str = "range";

/// Equal sets.
pub fn equal(row: &Row) -> Contest {
    session(row, COMPATIBLE, Pattern::Equal)
}

/// The newest differ.
pub fn newest(row: &Row) -> Contest {
    session(row, COMPATIBLE, Pattern::Recent)
}

/// Differences anywhere in time.
pub fn scattered(row: &Row) -> Contest {
    session(row, COMPATIBLE, Pattern::Scattered)
}

/// Ours on a wire of its own, differences anywhere in time.
pub fn compact(row: &Row) -> Contest {
    session(row, "range-compact", Pattern::Scattered)
}

/// The same with sketches of short ranges.
pub fn sketched(row: &Row) -> Contest {
    session(row, "range-compact:split=4,list=128,sketch=2", Pattern::Scattered)
}

/// From items in no order to what sessions run on.
pub fn seal(row: &Row) -> Contest {
    let [mut items, _] = pair(row, Pattern::Equal);
    crate::sets::rng("range seal").shuffle(&mut items);
    let strategy = build(COMPATIBLE).expect("a preset").strategy;
    // Whoever seals it, and from whatever order, it is the same set.
    let mut other = items.clone();
    other.reverse();
    agree(&[strategy.index(&items), strategy.index(&other)]);
    assert!(theirs(&[sealed(&items), sealed(&other)]).0.iter().all(Vec::is_empty), "negentropy");
    let same = items.clone();
    Contest::new(
        "portable",
        row.n as f64,
        move || _ = black_box(strategy.index(&items)),
        move || _ = black_box(sealed(&same)),
    )
}
