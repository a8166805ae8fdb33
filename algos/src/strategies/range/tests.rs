//! Oracles, the reference implementation beside ours, and a peer that means harm.

use std::collections::BTreeSet;

use negentropy::{Id, Negentropy, NegentropyStorageVector};
use proptest::prelude::*;

use super::party::PREFIX_LEN;
use super::{TAG_NEEDS, TAG_RANGES};
use crate::duel::DuelLimits;
use crate::item::{Item, ItemId};
use crate::judge::Ending;
use crate::seed::{Rng, Seed};
use crate::session::{
    Budget, Finding, NeedRef, Reason, Role, Session, SessionError, Setup, Step, Verdict,
};
use crate::strategies::build;
use crate::testing::{random_items, run, two_sets};
use crate::wire::{Purpose, ROUNDS_MAX};

/// Frames that hold any message: then a frame is a header byte and one negentropy message.
fn whole_messages(seed: u64) -> Setup {
    Setup { frame_len_max: u32::MAX, ..Setup::new(Seed::new(seed)) }
}

fn open(spec: &str, items: &[Item], role: Role, setup: &Setup) -> Box<dyn Session> {
    build(spec).unwrap().strategy.index(items).open(role, setup)
}

fn poll(session: &mut dyn Session) -> Option<Vec<u8>> {
    let mut frame = Vec::new();
    (session.poll_frame(&mut frame) == Step::Frame).then_some(frame)
}

fn drain(session: &mut dyn Session) -> Vec<Finding> {
    std::iter::from_fn(|| session.poll_finding()).collect()
}

/// Which items of the union differ, and how items share times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// All at one time: bounds are id prefixes.
    OneTime,
    /// All at one time, with ids that share 30 bytes: bounds are long.
    NearIds,
    /// Ten at a time.
    Ties,
    /// One a minute; any items differ.
    Scattered,
    /// One a minute; the newest differ, at either end.
    Newest,
    /// One a minute; a run is missing at one end.
    Gap,
}

const SHAPES: [Shape; 6] =
    [Shape::OneTime, Shape::NearIds, Shape::Ties, Shape::Scattered, Shape::Newest, Shape::Gap];

/// Two sets whose union has `n` items, of which `d` differ. Times are in seconds, one item a minute, as in
/// the simulation that the oracles come from.
fn shaped(n: usize, d: usize, shape: Shape, rng: &mut Rng) -> [Vec<Item>; 2] {
    let mut union = Vec::with_capacity(n);
    for i in 0..n as u64 {
        let mut id: [u8; 32] = rng.bytes();
        if shape == Shape::NearIds {
            id[..30].fill(7);
            id[28..].copy_from_slice(&(i as u32).to_be_bytes());
        }
        let minute = match shape {
            Shape::OneTime | Shape::NearIds => 0,
            Shape::Ties => i / 10,
            _ => i,
        };
        union.push(Item { at: 1_700_000_000 + minute * 60, id: ItemId::new(id) });
    }
    let mut places: Vec<usize> = (0..n).collect();
    match shape {
        Shape::Newest => places.reverse(),
        Shape::Gap => places.rotate_left(rng.below((n - d) as u64 + 1) as usize % n.max(1)),
        _ => rng.shuffle(&mut places),
    }
    // 0 nobody lacks it, 1 the responder lacks it, 2 the initiator.
    let mut lacks = vec![0; n];
    let gap_at = 1 + rng.below(2);
    for place in &places[..d] {
        lacks[*place] = if shape == Shape::Gap { gap_at } else { 1 + rng.below(2) };
    }
    [2, 1].map(|lacking| {
        union.iter().zip(&lacks).filter(|(_, lacks)| **lacks != lacking).map(|(item, _)| *item).collect()
    })
}

fn storage(items: &[Item]) -> NegentropyStorageVector {
    let mut storage = NegentropyStorageVector::with_capacity(items.len());
    for item in items {
        storage.insert(item.at, Id::from_byte_array(*item.id.bytes())).unwrap();
    }
    storage.seal().unwrap();
    storage
}

/// Runs the crate `negentropy` and `range` beside each other; every message of either must be the other's.
/// Returns bytes and number of negentropy messages.
fn beside(sets: &[Vec<Item>; 2]) -> (usize, usize) {
    let stores = [storage(&sets[0]), storage(&sets[1])];
    let mut client = Negentropy::borrowed(&stores[0], 0).unwrap();
    let mut relay = Negentropy::borrowed(&stores[1], 0).unwrap();
    let setup = whole_messages(1);
    let mut initiator = open("range", &sets[0], Role::Initiator, &setup);
    let mut responder = open("range", &sets[1], Role::Responder, &setup);

    let (mut haves, mut needs) = (Vec::new(), Vec::new());
    let (mut bytes, mut messages) = (0, 0);
    let mut query = client.initiate().unwrap();
    let mut frame = poll(&mut *initiator).unwrap();
    loop {
        assert_eq!(frame[0], TAG_RANGES);
        assert!(frame[1..] == query, "query {messages} differs");
        responder.handle_frame(&frame).unwrap();
        let answer = relay.reconcile(&query).unwrap();
        frame = poll(&mut *responder).unwrap();
        assert_eq!(frame[0], TAG_RANGES);
        assert!(frame[1..] == answer, "answer {messages} differs");
        bytes += query.len() + answer.len();
        messages += 2;
        initiator.handle_frame(&frame).unwrap();
        frame = poll(&mut *initiator).unwrap();
        match client.reconcile_with_ids(&answer, &mut haves, &mut needs).unwrap() {
            Some(next) => query = next,
            None => break,
        }
    }
    assert_eq!((frame[0], frame.len()), (TAG_NEEDS, 1 + PREFIX_LEN * needs.len()));
    responder.handle_frame(&frame).unwrap();

    let ids = |ids: Vec<Id>| ids.into_iter().map(|id| ItemId::new(id.to_bytes())).collect::<BTreeSet<_>>();
    let (haves, needs) = (ids(haves), ids(needs));
    let mut found = drain(&mut *initiator);
    found.sort_unstable();
    let expected: Vec<Finding> = (haves.into_iter().map(Finding::Have))
        .chain(needs.iter().map(|id| Finding::Need(NeedRef::Id(*id))))
        .collect();
    assert_eq!(found, expected);
    let mut found = drain(&mut *responder);
    found.sort_unstable();
    assert_eq!(found, needs.into_iter().map(Finding::Have).collect::<Vec<_>>());
    let mut frame = Vec::new();
    assert_eq!(initiator.poll_frame(&mut frame), Step::Done(Verdict::Exact));
    assert_eq!(responder.poll_frame(&mut frame), Step::Done(Verdict::Exact));
    (bytes, messages)
}

#[test]
fn every_message_is_that_of_the_reference() {
    let mut rng = Seed::new(1).rng();
    for shape in SHAPES {
        for n in [0, 1, 2, 31, 32, 33, 63, 64, 511, 512] {
            for d in [0, 1, n / 2, n] {
                beside(&shaped(n, d.min(n), shape, &mut rng));
            }
        }
        for (trials, n_max) in [(60, 100), (60, 2000), (10, 20_000), (2, 100_000)] {
            for _ in 0..trials {
                let n = rng.below(n_max + 1) as usize;
                // Small differences as often as large ones.
                let d_max = (n as u64) >> rng.below(12);
                let d = rng.below(d_max + 1) as usize;
                beside(&shaped(n, d, shape, &mut rng));
            }
        }
    }
    let [items, none] = [random_items(100_000, Seed::new(2)), Vec::new()];
    beside(&[items.clone(), none.clone()]);
    beside(&[none, items]);
}

#[test]
fn measure() {
    let mut rng = Seed::new(3).rng();
    for (n, d, shape, trials) in [
        (1000, 0, Shape::Scattered, 3), (1000, 1, Shape::Scattered, 200), (1000, 10, Shape::Scattered, 200), (1000, 100, Shape::Gap, 200), (1000, 100, Shape::Newest, 200),
        (10_000, 0, Shape::Scattered, 3), (10_000, 1, Shape::Scattered, 100), (10_000, 10, Shape::Scattered, 100), (10_000, 100, Shape::Scattered, 50), (10_000, 100, Shape::Gap, 50),
        (1_000_000, 0, Shape::Scattered, 1),
        (1_000_000, 1, Shape::Scattered, 2),
        (1_000_000, 10, Shape::Scattered, 2),
        (1_000_000, 100, Shape::Scattered, 2),
        (1_000_000, 100, Shape::Gap, 2),
    ] {
        let mut all: Vec<(usize, usize)> = (0..trials).map(|_| beside(&shaped(n, d, shape, &mut rng))).collect();
        all.sort();
        let mean = all.iter().map(|(b, _)| *b).sum::<usize>() as f64 / trials as f64;
        let m: BTreeSet<usize> = all.iter().map(|(_, m)| *m).collect();
        eprintln!("n={n} d={d} {shape:?}: mean {mean} min {:?} max {:?} {m:?}", all[0], all.last());
    }
}
