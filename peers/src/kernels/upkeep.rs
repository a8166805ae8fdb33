//! One more item in what an index maintains, beside making all of it again: both are ours.
//!
//! A batch of new items is timed on a copy that is made off the clock, so that the set has the size that the row says,
//! give or take the batch. The first of the batch goes in off the clock, too: a copy has no room to grow, and what moves
//! once in a doubling would be charged to every batch.

use std::hint::black_box;
use std::rc::Rc;

use offerbench_algos::kernels::pinsketch::Field;
use offerbench_algos::kernels::riblt::{Coder, Prefix};
use offerbench_algos::{Index, Item, Seed, Strategy, build};
use offerbench_datasets::{Pattern, synthetic};

use crate::contest::{Contest, Side};
use crate::sets::ids;
use crate::table::Row;

/// Items inserted at a time: an eighth of the smallest set, and one more.
const BATCH: u64 = 129;
/// Those on the clock.
const TIMED: f64 = (BATCH - 1) as f64;

/// A copy of what is maintained, into which a batch goes.
struct Inserting<T, I> {
    copy: Box<dyn FnMut() -> T>,
    kept: T,
    batch: Vec<I>,
    insert: fn(&mut T, &I),
}

impl<T, I> Side for Inserting<T, I> {
    fn run(&mut self) {
        self.batch[1..].iter().for_each(|item| (self.insert)(&mut self.kept, item));
        black_box(&self.kept);
    }

    fn refresh(&mut self) -> bool {
        self.kept = (self.copy)();
        (self.insert)(&mut self.kept, &self.batch[0]);
        true
    }
}

/// Coded symbols that are kept for a set: `size` of them.
pub fn riblt(row: &Row) -> Contest {
    let (coder, len) = (Coder::new(Seed::new(1), 32), row.size as usize);
    let all = ids(row.n + BATCH, "riblt upkeep");
    let (set, batch) = all.split_at(row.n as usize);
    let mut prefix = Prefix::new(coder, set);
    prefix.extend(len);
    let mut whole = prefix.clone();
    batch.iter().for_each(|id| whole.insert(*id));
    assert!(whole.cells().eq(coder.encode(&all, len)), "maintained symbols differ");
    let set = set.to_vec();
    let inserting = Inserting {
        kept: prefix.clone(),
        copy: Box::new(move || prefix.clone()),
        batch: batch.to_vec(),
        insert: |prefix, id| prefix.insert(*id),
    };
    Contest::new(Coder::path(), TIMED, inserting, move || _ = black_box(coder.encode(&set, len)))
        .their_units(1.0)
}

/// A sketch that is kept, of capacity `size`.
pub fn pinsketch(row: &Row) -> Contest {
    let (field, capacity) = (Field::new(64), row.size);
    let all = ids(row.n + BATCH, "pinsketch upkeep");
    let (set, batch) = all.split_at(row.n as usize);
    let mut adder = field.adder(capacity).expect("our own engine");
    set.iter().for_each(|id| adder.add(*id));
    let mut whole = adder.clone();
    batch.iter().for_each(|id| whole.add(*id));
    assert!(
        Some(whole.sketch()) == field.sketch(capacity, all.iter().copied()),
        "maintained sketches differ"
    );
    let set = set.to_vec();
    let inserting = Inserting {
        kept: adder.clone(),
        copy: Box::new(move || adder.clone()),
        batch: batch.to_vec(),
        insert: |adder, id| adder.add(*id),
    };
    let again = move || _ = black_box(field.sketch(capacity, set.iter().copied()));
    Contest::new(field.name(), TIMED, inserting, again).their_units(1.0)
}

/// An ordered set with fingerprints, items coming at its new end, as in a chat.
pub fn range_newest(row: &Row) -> Contest {
    range(row, false)
}

/// The same, items coming anywhere in time, as when histories are merged.
pub fn range_scattered(row: &Row) -> Contest {
    range(row, true)
}

fn range(row: &Row, scattered: bool) -> Contest {
    let strategy: Rc<dyn Strategy> = build("range").expect("a preset").strategy.into();
    let pair = synthetic::pair(row.n + BATCH, 0, Pattern::Equal, Seed::new(1)).expect("d is 0");
    let mut all = pair.initiator;
    let whole = all.clone();
    if scattered {
        crate::sets::rng("range upkeep").shuffle(&mut all);
    }
    let (set, batch) = all.split_at(row.n as usize);
    let (set, batch) = (set.to_vec(), batch.to_vec());
    let mut kept = strategy.index(&set);
    batch.iter().for_each(|item| kept.insert(*item));
    super::range::agree(&[kept, strategy.index(&whole)]);
    let (same, maker) = (set.clone(), Rc::clone(&strategy));
    let inserting = Inserting::<Box<dyn Index>, Item> {
        kept: strategy.index(&set),
        copy: Box::new(move || maker.index(&set)),
        batch,
        insert: |index, item| index.insert(*item),
    };
    let again = move || _ = black_box(strategy.index(&same));
    Contest::new("portable", TIMED, inserting, again).their_units(1.0)
}
