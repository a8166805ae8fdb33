//! What the tests inside this crate share: random sets that differ, and a judged duel.

use crate::duel::{DuelLimits, Transcript, duel};
use crate::item::{Item, ItemId};
use crate::judge::{Judgement, Truth, judge};
use crate::seed::Seed;
use crate::session::{DiffHint, Role, Setup};
use crate::strategies::build;

/// Items with random ids, one a minute.
pub fn random_items(n: usize, seed: Seed) -> Vec<Item> {
    let mut rng = seed.rng();
    (0..n).map(|i| Item { at: i as u64 * 60_000, id: ItemId::new(rng.bytes()) }).collect()
}

/// Two sets with `common` shared items, and `only` more at each end, scattered over time.
pub fn two_sets(common: usize, only: [usize; 2], seed: Seed) -> [Vec<Item>; 2] {
    let mut all = random_items(common + only[0] + only[1], seed.child("items"));
    seed.child("who").rng().shuffle(&mut all);
    let (mine, rest) = all.split_at(only[0]);
    let (theirs, shared) = rest.split_at(only[1]);
    [[mine, shared].concat(), [theirs, shared].concat()]
}

/// Runs `spec` on two sets, with d as the hint (only `size=oracle` reads it).
pub fn run(spec: &str, sets: &[Vec<Item>; 2], seed: Seed, limits: &DuelLimits) -> (Transcript, Judgement) {
    let strategy = build(spec).unwrap_or_else(|error| panic!("{error}")).strategy;
    let truth = Truth::of(&sets[0], &sets[1]);
    let setup = Setup { diff: DiffHint::Oracle(truth.d()), ..Setup::new(seed) };
    let mut ends = [
        strategy.index(&sets[0]).open(Role::Initiator, &setup),
        strategy.index(&sets[1]).open(Role::Responder, &setup),
    ];
    let transcript = duel(&mut ends, limits).unwrap_or_else(|error| panic!("{spec}: {error}"));
    let judgement = judge(&truth, strategy.profile().guarantee, &transcript);
    (transcript, judgement)
}
