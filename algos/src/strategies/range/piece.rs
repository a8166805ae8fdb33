//! What the tree keeps items in: pieces of runs.
//!
//! A *run* is items in order in one block of memory, an entry of 40 bytes for each: its time, and the sum of ids up to and
//! with its own. An entry with the sum of nothing comes first. Ids are not kept: an id is the difference of two
//! neighbouring sums, so that prefix sums cost no memory. The sum below a place is one load, and what a cut between
//! two items needs (both times, and the sum between them) lies in 48 bytes side by side.
//!
//! A *piece* is some neighbouring items of a run. A set that is sealed at once is one piece of one run. An item that comes
//! into the midst of a long run splits its piece, as in the piece table of a text editor: those next to it are copied into a
//! run of their own, which is short enough to change in place, and what lies left and right of them stays where it
//! is. So a long run is never written to, and a clone shares it.

use std::sync::Arc;

use super::fingerprint::IdSum;
use super::search::{interpolate, search_near};
use crate::item::{Item, ItemId};

/// Most items of a run that changes.
pub const RUN_MAX: usize = 128;
/// Items on either side that an insertion takes out of a long run.
const WINDOW: usize = RUN_MAX / 4;

/// A time, and the limbs of the sum of ids up to and with the one of this item. An array of words, because the standard library
/// has memory for those that the system has zeroed.
pub type Entry = [u64; 5];

/// An entry.
pub fn entry(at: u64, sum: &IdSum) -> Entry {
    let IdSum([a, b, c, d]) = *sum;
    [at, a, b, c, d]
}

/// Sum of ids up to and with this item's.
pub fn sum_of(entry: &Entry) -> IdSum {
    let [_, a, b, c, d] = *entry;
    IdSum([a, b, c, d])
}

/// An item of a run: `entries` has one more before its first.
pub fn item_of(entries: &[Entry], place: usize) -> Item {
    let [before, own] = [&entries[place], &entries[place + 1]];
    Item { at: own[0], id: ItemId::new((sum_of(own) - sum_of(before)).to_bytes()) }
}

const NO_ID: [u8; ItemId::LEN] = [0; ItemId::LEN];

/// Whether the item at a place is below `bound`. Most bounds have no id.
fn is_below(entries: &[Entry], place: usize, bound: &Item) -> bool {
    let at = entries[place + 1][0];
    at < bound.at || at == bound.at && *bound.id.bytes() != NO_ID && item_of(entries, place).id < bound.id
}

/// How many items are below `bound`; looks near `guess` first.
pub fn place_near(entries: &[Entry], guess: usize, bound: &Item) -> usize {
    search_near(entries.len() - 1, guess, |place| is_below(entries, place, bound))
}

/// How many items are below `bound`. Interpolates, thrice at most: times that are spread evenly are found in O(log log n), any
/// in O(log n).
pub fn place_of(entries: &[Entry], bound: &Item) -> usize {
    let len = entries.len() - 1;
    if len == 0 {
        return 0;
    }
    let (first, last) = (entries[1][0], entries[len][0]);
    let mut guess = interpolate(first, last, bound.at, len).min(len - 1);
    for _ in 0..2 {
        let at = entries[guess + 1][0];
        let step = interpolate(0, last - first, bound.at.abs_diff(at), len);
        guess = if at < bound.at { (guess + step).min(len - 1) } else { guess.saturating_sub(step) };
        if step < 16 {
            break;
        }
    }
    place_near(entries, guess, bound)
}

/// Some neighbouring items of a run, at least one but in an empty set.
#[derive(Clone, Debug)]
pub struct Piece {
    run: Arc<Vec<Entry>>,
    start: u32,
    len: u32,
}

impl Piece {
    /// All of a run.
    pub fn whole(run: Vec<Entry>) -> Self {
        let len = (run.len() - 1) as u32;
        Self { run: Arc::new(run), start: 0, len }
    }

    /// A run of these items, in order.
    fn of(items: impl Iterator<Item = Item>) -> Self {
        let mut run = Vec::with_capacity(items.size_hint().0 + 1);
        let mut sum = IdSum::ZERO;
        run.push(entry(0, &sum));
        for item in items {
            sum.add(&item.id);
            run.push(entry(item.at, &sum));
        }
        Self::whole(run)
    }

    /// How many items.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// The items, and the entry before them.
    pub fn entries(&self) -> &[Entry] {
        &self.run[self.start as usize..][..self.len() + 1]
    }

    /// Sum of its ids.
    pub fn sum(&self) -> IdSum {
        let entries = self.entries();
        sum_of(&entries[self.len()]) - sum_of(&entries[0])
    }

    /// Its first item.
    pub fn first(&self) -> Item {
        item_of(self.entries(), 0)
    }

    /// Whether it is a run that may change.
    fn is_short(&self) -> bool {
        self.start == 0 && self.run.len() == self.len() + 1 && self.len() <= RUN_MAX
    }

    /// Where its run lies, when it is a long one, and how many bytes that takes; a short one takes as many as it says.
    pub fn heap(&self) -> (Option<*const Entry>, usize) {
        // `Arc` keeps two counters before the vector.
        let bytes =
            2 * size_of::<usize>() + size_of::<Vec<Entry>>() + self.run.capacity() * size_of::<Entry>();
        ((!self.is_short()).then_some(self.run.as_ptr()), bytes)
    }

    fn part(&self, from: usize, to: usize) -> impl ExactSizeIterator<Item = Item> {
        (from..to).map(|place| item_of(self.entries(), place))
    }

    /// Adds an item that is not there yet. Returns what must stand to the right of this piece now.
    pub fn insert(&mut self, item: Item) -> Vec<Self> {
        let (place, len) = (place_of(self.entries(), &item), self.len());
        if self.is_short() && len < RUN_MAX {
            self.put(place, item);
            return Vec::new();
        }
        if place == len {
            // What grows at its end, as a log does, stays full.
            return vec![Self::of(std::iter::once(item))];
        }
        if self.is_short() {
            let mut right = Self::of(self.part(RUN_MAX / 2, RUN_MAX));
            self.len = RUN_MAX as u32 / 2;
            Arc::make_mut(&mut self.run).truncate(RUN_MAX / 2 + 1);
            match place.checked_sub(RUN_MAX / 2) {
                Some(place) => right.put(place, item),
                None => self.put(place, item),
            }
            return vec![right];
        }
        // Rests that are shorter than the window are taken with it.
        let from = if place < 2 * WINDOW { 0 } else { place - WINDOW };
        let to = if len - place < 2 * WINDOW { len } else { place + WINDOW };
        let mut taken = Self::of(self.part(from, to));
        taken.put(place - from, item);
        let mut right = vec![taken];
        if to < len {
            right.push(Self {
                run: Arc::clone(&self.run),
                start: self.start + to as u32,
                len: (len - to) as u32,
            });
        }
        if from == 0 {
            *self = right.remove(0);
        } else {
            self.len = from as u32;
        }
        right
    }

    /// Adds an item to a short run.
    fn put(&mut self, place: usize, item: Item) {
        let run = Arc::make_mut(&mut self.run);
        if run.len() == run.capacity() {
            // Doubles, up to what a run holds.
            run.reserve_exact((2 * run.len()).clamp(4, RUN_MAX + 1) - run.len());
        }
        let mut sum = sum_of(&run[place]);
        sum.add(&item.id);
        run.insert(place + 1, entry(item.at, &sum));
        for later in &mut run[place + 2..] {
            let mut sum = sum_of(later);
            sum.add(&item.id);
            *later = entry(later[0], &sum);
        }
        self.len += 1;
    }
}
