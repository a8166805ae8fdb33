//! Every preset of every registry row, on every case of `cases.toml`.
//!
//! Goal: a strategy that is in the registry keeps the contract of `Session`, without a test of its own
//! having to say so. Method: both ends are wired back to back and judged against the truth, with several
//! windows and frame lengths; then again with the same seed, and with indexes that grew item by item.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use common::{Tape, Taped, presets};
use offerbench_algos::{
    DiffHint, DuelLimits, Ending, Guarantee, Item, ItemId, Reason, Role, Seed, Session, Setup, Strategy,
    Transcript, Truth, build, duel, judge,
};
use offerbench_datasets::{Pattern, synthetic};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    common: usize,
    #[serde(default)]
    only: [usize; 2],
    twist: Option<String>,
    pattern: Option<String>,
    #[serde(default)]
    m: u64,
    #[serde(default)]
    d: u64,
    #[serde(default)]
    may_exceed_budget: bool,
}

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

fn cases() -> Vec<Case> {
    toml::from_str::<Cases>(include_str!("cases.toml")).unwrap().case
}

impl Case {
    fn sets(&self) -> [Vec<Item>; 2] {
        let seed = Seed::new(7).child(&self.name);
        if let Some(pattern) = &self.pattern {
            let pattern: Pattern = pattern.parse().unwrap();
            let pair = synthetic::pair(self.m, self.d, pattern, seed).unwrap();
            return [pair.initiator, pair.responder];
        }
        let twist = self.twist.as_deref().unwrap_or("none");
        let mut rng = seed.rng();
        let mut all: Vec<Item> = (0..self.common + self.only[0] + self.only[1])
            .map(|i| {
                let mut id: [u8; 32] = rng.bytes();
                if twist == "prefix" {
                    id[..24].fill(0xaa);
                }
                let at = if twist == "instant" { 42 } else { i as u64 * 60_000 };
                Item { at, id: ItemId::new(id) }
            })
            .collect();
        rng.shuffle(&mut all);
        let (only, common) = all.split_at_mut(self.only[0] + self.only[1]);
        if twist == "twins" {
            for (item, twin) in only.iter_mut().zip(&*common) {
                item.at = twin.at;
            }
        }
        let (mine, theirs) = only.split_at(self.only[0]);
        [[mine, common].concat(), [theirs, common].concat()]
    }
}

/// A judged duel, with every frame that crossed.
fn run(
    strategy: &dyn Strategy,
    sets: &[Vec<Item>; 2],
    setup: &Setup,
    window: u32,
    grow: bool,
) -> (Transcript, Vec<Vec<u8>>) {
    let tape = Tape::default();
    let mut ends = [(0, Role::Initiator), (1, Role::Responder)].map(|(end, role)| {
        let index = if grow {
            let mut index = strategy.index(&[]);
            for item in &sets[end] {
                index.insert(*item);
            }
            index.insert(sets[end].first().copied().unwrap_or(Item { at: 0, id: ItemId::new([0; 32]) }));
            index
        } else {
            strategy.index(&sets[end])
        };
        Box::new(Taped { inner: index.open(role, setup), tape: Tape::clone(&tape) }) as Box<dyn Session>
    });
    let transcript = duel(&mut ends, &DuelLimits { window, ..DuelLimits::default() })
        .unwrap_or_else(|error| panic!("{error}"));
    let frames = std::mem::take(&mut *tape.lock().unwrap());
    (transcript, frames)
}

/// Findings are the truth (or what the guarantee allows), and both ends say the same.
#[test]
fn every_preset_answers_every_case_truly() {
    for case in cases() {
        let sets = case.sets();
        let truth = Truth::of(&sets[0], &sets[1]);
        let small = sets[0].len() + sets[1].len() <= 4000;
        for preset in presets() {
            let strategy = build(preset).unwrap().strategy;
            let profile = strategy.profile();
            // Frames of 64 bytes by the hundred thousand would test patience only.
            let shapes: &[(u32, u32)] =
                if small { &[(1, 1 << 16), (4, 1 << 16), (64, 64)] } else { &[(1, 1 << 16)] };
            for &(window, frame_len_max) in shapes {
                let what = format!("{preset} on `{}`, window {window}, frames of {frame_len_max}", case.name);
                let setup = Setup {
                    frame_len_max,
                    diff: DiffHint::Oracle(truth.d()),
                    ..Setup::new(Seed::new(1).child(&what))
                };
                let (transcript, frames) = run(&*strategy, &sets, &setup, window, false);
                assert!(frames.iter().all(|frame| frame.len() <= frame_len_max as usize), "{what}");
                let judgement = judge(&truth, profile.guarantee, &transcript);
                assert_eq!(judgement.invented, 0, "{what}");
                match judgement.ending {
                    Ending::Exact | Ending::Recovered => assert_eq!(judgement.missed, 0, "{what}"),
                    // Filters here hide one difference in a hundred or fewer; five times that and a few.
                    Ending::Incomplete => {
                        assert_ne!(profile.guarantee, Guarantee::Exact, "{what}");
                        assert!(judgement.missed <= 3 + truth.d() / 20, "{what}: {judgement:?}");
                    }
                    Ending::GaveUp(Reason::CpuBudget | Reason::HeapBudget) if case.may_exceed_budget => {}
                    ending => panic!("{what}: {ending:?}, missed {}", judgement.missed),
                }
                // Every byte that crossed is accounted for.
                let crossed: usize = frames.iter().map(Vec::len).sum();
                assert_eq!(transcript.bytes(), crossed as u64, "{what}");
            }
        }
    }
}

/// Same seed, same bytes; another seed, other bytes (where there is a salt).
#[test]
fn frames_are_a_function_of_the_seed() {
    let case = &cases().into_iter().find(|case| case.name == "scattered").unwrap();
    let sets = case.sets();
    for preset in presets() {
        let strategy = build(preset).unwrap().strategy;
        let setup = |seed| Setup { diff: DiffHint::Oracle(41), ..Setup::new(Seed::new(seed)) };
        let (_, first) = run(&*strategy, &sets, &setup(1), 4, false);
        let (_, again) = run(&*strategy, &sets, &setup(1), 4, false);
        assert_eq!(first, again, "{preset}");
        let (_, other) = run(&*strategy, &sets, &setup(2), 4, false);
        assert_eq!(first != other, strategy.profile().keyed, "{preset}");
    }
}

/// An index that grew item by item (with a repeated insert) opens the same sessions as one built at once.
#[test]
fn an_index_forgets_how_it_grew() {
    for name in ["scattered", "equal timestamps", "lopsided difference"] {
        let case = &cases().into_iter().find(|case| case.name == name).unwrap();
        let sets = case.sets();
        for preset in presets() {
            let strategy = build(preset).unwrap().strategy;
            let setup = Setup { diff: DiffHint::Oracle(40), ..Setup::new(Seed::new(3)) };
            let built = run(&*strategy, &sets, &setup, 1, false);
            let grown = run(&*strategy, &sets, &setup, 1, true);
            assert_eq!(built, grown, "{preset} on `{name}`");
        }
    }
}

/// A session works on the set as it was when it was opened.
#[test]
fn later_inserts_do_not_reach_an_open_session() {
    let sets = cases().into_iter().find(|case| case.name == "scattered").unwrap().sets();
    let truth = Truth::of(&sets[0], &sets[1]);
    for preset in presets() {
        let strategy = build(preset).unwrap().strategy;
        let setup = Setup { diff: DiffHint::Oracle(truth.d()), ..Setup::new(Seed::new(5)) };
        let mut indexes = [strategy.index(&sets[0]), strategy.index(&sets[1])];
        let mut ends = [indexes[0].open(Role::Initiator, &setup), indexes[1].open(Role::Responder, &setup)];
        for (n, index) in indexes.iter_mut().enumerate() {
            index.insert(Item { at: u64::MAX, id: ItemId::new([n as u8; 32]) });
        }
        let transcript = duel(&mut ends, &DuelLimits::default()).unwrap();
        let judgement = judge(&truth, strategy.profile().guarantee, &transcript);
        assert_eq!(judgement.invented, 0, "{preset}");
        assert!(!matches!(judgement.ending, Ending::Wrong(_)), "{preset}: {judgement:?}");
    }
}

/// What `list` shows is true: presets parse, ids are unique, defaults are allowed values.
#[test]
fn the_registry_is_sound() {
    let mut ids = Vec::new();
    for entry in offerbench_algos::REGISTRY {
        assert!(!ids.contains(&entry.about.id), "{} stands twice", entry.about.id);
        ids.push(entry.about.id);
        assert!(!entry.presets.is_empty(), "{} has no preset", entry.about.id);
        for preset in entry.presets {
            assert_eq!(build(preset).unwrap().spec.id(), entry.about.id);
        }
        for param in entry.about.params {
            assert!(param.values.contains(&param.default), "{}:{}", entry.about.id, param.name);
            assert!(!param.doc.is_empty(), "{}:{}", entry.about.id, param.name);
        }
    }
}
