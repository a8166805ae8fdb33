//! `pinsketch`: one sketch as large as the difference, not a bit more.
//!
//! **Source.** Y. Dodis, L. Reyzin, A. Smith, "Fuzzy extractors" (EUROCRYPT 2004, "PinSketch"); the sketches are those of
//! [minisketch](https://github.com/bitcoin-core/minisketch) (P. Wuille, G. Maxwell, G. Naumenko), made by an
//! engine of our own or, with `engine=minisketch`, by the crate `minisketch-rs`; the use of it between peers is
//! [BIP330](https://github.com/bitcoin/bips/blob/master/bip-0330.mediawiki) ("Erlay"). Sizing by Tug-of-War
//! follows PBS (see `estimate::tow`).
//!
//! **Idea.** Take short ids as elements of GF(2^bits) and sum their odd powers: c sums (syndromes) are a sketch
//! of capacity c. What both ends hold cancels when two sketches are XORed, and a set of up to c elements
//! can be computed from its c syndromes, always. The initiator says hello, with an estimator; the responder
//! sizes a sketch and sends it; the initiator subtracts its own, decodes, and claims what it found
//! (`close`). If the estimate is 0 the responder sends its set hash instead.
//!
//! `size` says where the capacity comes from. `tow`: an estimator of 128 counters, inflated by 1.38, which
//! suffices in 99% of all cases. `double`: 16 (or the difference in size), doubled until it decodes; only the
//! further syndromes are sent. `oracle`: the true d, a bound that nobody can have.
//!
//! With `parts` the set is cut into parts by short id, a sketch of some 48 syndromes is sent for each, and parts that
//! are overfull are sent as much again, alone (`parts`). An initiator that decodes looks for the elements that are
//! its own first, where that is cheaper than factoring (`kernel::own`).
//!
//! **Bytes.** bits·c/8 for the sketch, c = d with an oracle, 1.38·d with `tow`, 2.0·d with `parts=auto` too; the estimator, 128·⌈log2(n+1)⌉/8;
//! 8 to 9 bytes more than the sorted short ids of the needed; 40 for salts, sizes and headers. Short ids
//! of 48 bits are the default: they take three quarters of the bytes (and of the decoding) of 64, and a
//! collision, which happens with probability n·d/2^48, costs one repetition, so they would have to collide
//! in a quarter of all sessions to lose. 32 bits do collide: they are for n·d well below 2^32.
//!
//! **Flights.** 4; 3 between equal sets (`tow`, `oracle`), 2 when an end is empty; 2 more for every growth or
//! repetition.
//!
//! **CPU.** n·c to encode at either end, c² to decode. Our own engine (`kernel`) takes 0.5 to 1 ns and 30 to 60 ns
//! of each with carry-less multiplication in registers of 256 bits (a million items and c = 1024: half a
//! second, and 30 ms); in registers of 512 bits, from c = 1024 down to 16 at 64 bits, 0.2 to 0.4 ns and 10 to 90 ns
//! (Ice Lake; `cargo bench -p offerbench-peers -- pinsketch`).
//! `engine=minisketch` takes 4 to 6 ns and 94 to 219 ns. With a fresh key nothing can be kept between sessions; with a
//! lasting one (`salt=link`, `group`, `none`; see `salt.rs`) an index keeps the estimator and one sketch (`kept`), and
//! a session costs what differs. Both are predicted, as for an index that keeps nothing, from the sizes, by one
//! figure for each engine whatever the
//! machine, and a session gives up rather than exceed its budget: with 10 s beyond d of some 9,100 at 64
//! bits, 9,400 at 48, 9,500 at 32 (with minisketch 4,900, 5,700, 7,400). C++ allocates by itself: a counter in
//! Rust's allocator does not see what minisketch holds while it builds or decodes (some 130 B a syndrome; by
//! tables several kB). Our own holds 1.1 MB while it decodes c = 1024.
//!
//! With `parts=auto` both are linear, n·48 to encode and 48² to decode a part, and 10 s last for some 1.7 million
//! differences.
//!
//! **How it fails.** (1) *d > c.* The sketch does not decode, and grows: below `sizing::HALVE_FROM` by
//! further syndromes, from there on by halving (`tree`). Every growth is counted as a retry, also with
//! `size=double`, where it is planned: bytes after the first failed decode are `Purpose::Retry`.
//! (2) *d > c and it decodes all the same*, to nonsense, with probability 1/c!. `pad` makes small
//! capacities larger against that. What remains is seen by the initiator, because the sizes of the two sets
//! do not add up, or by the responder, which is asked for what it does not hold; then too the sketch
//! grows, since under a fresh key it would only fail again. (3) *Short ids collide*, within one set (they
//! cancel and are missed) or between the two. The end check disagrees although everything asked for is
//! there: all is repeated under a fresh key, at the same capacity.
//!
//! **What an attacker can do.** Short ids are salted by both, so nobody but the peer can make them collide. Under a key
//! that outlives the session whoever knows it can: two items of one short id that one end lacks cancel, and the first
//! attempt of every session that is to carry them fails at the end check; the retry goes under a fresh salt. It can
//! also grind items that all pull the estimator's counters one way, so that estimates, and sketches, are too large.
//! The peer itself can make the initiator decode in vain, and the responder encode in vain: 300 bytes
//! of hello with a false estimator cost it up to the budget, a request for halves a pass over the set. Both
//! ends bound each step by the budget before they begin, growth ends after eight doublings and
//! `tree::DEPTH_MAX` levels, and an initiator cannot claim more overfull parts than there are items.
//! The search for roots is randomised by a seed that the peer does not know.
//!
//! **What we do differently.** BIP330 has ids of 32 bits, sizes by a ratio that it learns between peers, doubles
//! a sketch once and then announces everything. minisketch's tips halve from the start; here syndromes
//! double first, which takes as many bytes and does not depend on how evenly few differences fall. The
//! responder uses what it knows of d for certain: its parity, and the difference of the sizes below it.
//! One thing is left out: where the sketch would be larger than a list of all ids (`offers`), it is
//! sent all the same, so that the comparison shows where that is. Parts are not in any of these; PBS has parts of
//! some five differences, as bitmaps.
//!
//! ```
//! use offerbench_algos::{DuelLimits, Finding, Item, ItemId, Role, Seed, Setup, build, duel};
//! let item = |n: u8| Item { at: u64::from(n), id: ItemId::new([n; 32]) };
//! let strategy = build("pinsketch:size=double")?.strategy;
//! let setup = Setup::new(Seed::new(1));
//! let alice: Vec<Item> = (0..100).map(item).collect();
//! let bob: Vec<Item> = (2..102).map(item).collect();
//! let mut ends = [
//!     strategy.index(&alice).open(Role::Initiator, &setup),
//!     strategy.index(&bob).open(Role::Responder, &setup),
//! ];
//! let transcript = duel(&mut ends, &DuelLimits::default())?;
//! assert_eq!(transcript.findings[1], [100, 101].map(|n| Finding::Have(item(n).id)));
//! assert_eq!(transcript.flights, 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod engine;
mod initiator;
mod kept;
mod kernel;
mod parts;
#[cfg(target_arch = "x86_64")]
mod peer;
mod responder;
mod sizing;
#[cfg(test)]
mod tests;
mod tree;

use super::{About, Entry};
use crate::close::ByShort;
use crate::dialog::{Dialog, Out};
use crate::estimate::tow::Tow;
use crate::greeting::Keys;
use crate::item::Item;
use crate::kept::{Ids, KeptIndex};
use crate::salt::{Key, Salting};
use crate::session::{Budget, DiffHint, Guarantee, Index, Profile, Reason, Role, Setup, Strategy};
use crate::sorted::{OpenOnSet, SetIndex, SortedSet};
use crate::spec::Param;

use engine::Field;
pub use engine::{Field as SketchField, merge};
use kept::{Scheme, Syndromes};
pub use kernel::{Adder, Path as SketchPath};
use parts::{Choice, Parts};
use sizing::{START, Work};

/// Values of `engine`.
#[cfg(target_arch = "x86_64")]
const ENGINES: &[&str] = &["own", "minisketch"];
#[cfg(not(target_arch = "x86_64"))]
const ENGINES: &[&str] = &["own"];

pub(super) static ENTRY: Entry = Entry {
    about: About {
        id: "pinsketch",
        what: "power sums in GF(2^bits): a sketch as large as the difference",
        source: "Dodis, Reyzin, Smith, \"Fuzzy extractors\", EUROCRYPT 2004; minisketch; BIP330",
        shape: "estimate, one sketch, claim; grows when it does not decode",
        guarantee: "exact",
        params: &[
            Param {
                name: "bits",
                default: "48",
                values: &["32", "40", "48", "64"],
                doc: "length of short ids and of a syndrome; 32 only where n·d is well below 2^32",
            },
            Param {
                name: "size",
                default: "tow",
                values: &["tow", "double", "oracle"],
                doc: "capacity by Tug-of-War, by doubling from 16, or by the true d",
            },
            Param {
                name: "pad",
                default: "16",
                values: &["0", "16", "32"],
                doc: "bits against decoding to nonsense; adds to small capacities; only read with size=tow",
            },
            Param {
                name: "parts",
                default: "1",
                values: &["1", "auto", "16", "64", "256", "1024"],
                doc: "sketches to cut the set into; auto: one for every 30 differences, one in all below 240",
            },
            Param {
                name: "engine",
                default: "own",
                values: ENGINES,
                doc: "who computes; bytes and findings are the same (minisketch: x86-64 only)",
            },
            Salting::PARAM,
        ],
    },
    presets: &[
        "pinsketch:size=tow",
        "pinsketch:bits=32,size=tow",
        "pinsketch:size=double",
        "pinsketch:size=oracle",
        "pinsketch:parts=auto,size=tow",
    ],
    build: |spec| {
        let size = match spec.get("size") {
            "double" => Size::Double,
            "oracle" => Size::Oracle,
            _ => Size::Tow,
        };
        let field = match spec.get("engine") {
            #[cfg(target_arch = "x86_64")]
            "minisketch" => Field::of_minisketch(spec.number("bits")),
            _ => Field::new(spec.number("bits")),
        };
        let parts = match spec.get("parts") {
            "auto" => Choice::Auto,
            _ => Choice::Fixed(spec.number::<u64>("parts")),
        };
        let salting = Salting::of(spec);
        if salting != Salting::Session && parts.is_plural() {
            return Err(spec.conflict(
                "how many parts there are changes with every estimate, so that no index could keep sketches of \
                 them: use parts=1, or salt=session",
            ));
        }
        Ok(Box::new(Params { field, size, parts, pad_bits: spec.number("pad"), salting }))
    },
};

/// Name of the arithmetic that `pinsketch` uses by default on this machine for sketches of `bits`-bit ids (32, 40,
/// 48 or 64), to be noted beside times. Bytes, findings and verdicts are the same whatever it is.
pub fn sketch_engine(bits: u32) -> &'static str {
    Field::new(bits).name()
}

mod tag {
    /// Initiator: salt, or mark of the lasting key; size of its set, estimator.
    pub const HELLO: u8 = 1;
    /// Responder, whose set is empty: all of yours.
    pub const ALL: u8 = 2;
    /// Responder: its salt (the first time, unless the key lasts), ids in the sketch, capacity, sketch. Instead of an
    /// empty sketch its set hash.
    pub const SKETCH: u8 = 3;
    /// Initiator: more of it; with the bits of the parts that failed, once it is halved.
    pub const GROW: u8 = 4;
    /// Responder: further syndromes, or left halves.
    pub const MORE: u8 = 5;
    /// Responder, where keys outlive sessions: a salt, and a sketch as above under a key of it. After one under the
    /// lasting key failed the end check, or at once where the ends do not share one.
    pub const FRESH: u8 = 6;
}

/// Where the capacity comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Tow,
    Double,
    Oracle,
}

#[derive(Clone, Copy, Debug)]
struct Params {
    field: Field,
    size: Size,
    parts: Choice,
    pad_bits: u32,
    salting: Salting,
}

impl Strategy for Params {
    fn index(&self, items: &[Item]) -> Box<dyn Index> {
        let params = *self;
        match self.salting {
            Salting::Session => SetIndex::boxed(items, self),
            salting => {
                KeptIndex::boxed(items, salting, move |own, role, setup| params.dialog(own, role, setup))
            }
        }
    }

    fn profile(&self) -> Profile {
        let oracle = self.size == Size::Oracle;
        Profile {
            id_bits: self.field.bits(),
            keyed: self.salting != Salting::None,
            guarantee: Guarantee::Exact,
            oracle,
        }
    }
}

impl OpenOnSet for Params {
    fn open(&self, set: SortedSet, role: Role, setup: &Setup) -> Box<dyn Dialog> {
        self.dialog(Own::Set(set), role, setup)
    }
}

impl Params {
    fn dialog(&self, own: Own, role: Role, setup: &Setup) -> Box<dyn Dialog> {
        let task = Task {
            own,
            size: self.size,
            parts: self.parts,
            pad_bits: self.pad_bits,
            field: self.field,
            keys: Keys::new(self.salting, role, setup),
            hint: setup.diff,
            budget: setup.budget,
            // A child of its own: the salt, which the peer sees, tells nothing about it.
            roots_seed: setup.seed.child("roots of pinsketch").value(),
        };
        match role {
            Role::Initiator => Box::new(initiator::Initiator::new(task)),
            Role::Responder => Box::new(responder::Responder::new(task)),
        }
    }
}

/// The own set.
type Own = crate::kept::Own<Syndromes>;
/// The own set under the key of one attempt.
type Keyed = crate::close::Keyed<Ids<Syndromes>, Own>;

/// What either end is told before it begins.
struct Task {
    own: Own,
    size: Size,
    parts: Choice,
    pad_bits: u32,
    field: Field,
    keys: Keys,
    hint: DiffHint,
    budget: Budget,
    roots_seed: u64,
}

impl Task {
    /// Whether the budget allows some work; gives up if not.
    fn affords(&self, work: Work, out: &mut Out) -> bool {
        let refusal = work.refusal(&self.budget);
        if let Some(reason) = refusal {
            out.give_up(reason);
        }
        refusal.is_none()
    }

    /// The sketches of parts above the first `known` syndromes, unless they may not be made or decoded; then the
    /// session has ended.
    fn sketches(&self, parts: &Parts, known: u64, out: &mut Out) -> Option<Vec<u8>> {
        if !self.affords(parts.work(), out) {
            return None;
        }
        self.built(parts.sketches(known), out)
    }

    /// Gives up when there was no memory for a sketch.
    fn built(&self, sketch: Option<Vec<u8>>, out: &mut Out) -> Option<Vec<u8>> {
        if sketch.is_none() {
            out.give_up(Reason::HeapBudget);
        }
        sketch
    }

    fn len(&self) -> u64 {
        self.own.len() as u64
    }

    /// The set under a key.
    fn keyed(&self, key: Key) -> Keyed {
        self.own.keyed(Scheme { key, field: self.field }, self.keys.lasts(&key))
    }

    /// The estimator of the set under a key.
    fn tow(&self, key: Key) -> Tow {
        self.own.tow(Scheme { key, field: self.field }, self.keys.lasts(&key))
    }

    /// Own sketch, unless it may not be made; then the session has ended. The peer too will have to decode one of this
    /// capacity, so what is not affordable is not sent either.
    fn own_sketch(&self, mine: &Keyed, capacity: u64, out: &mut Out) -> Option<Vec<u8>> {
        let work = Work { field: self.field, capacity, encode: mine.ids.len() as u64, decode: 1 };
        if !self.affords(work, out) {
            return None;
        }
        let sketch = match &mine.ids {
            Ids::Fresh(ids) => self.field.sketch(capacity, ids.pairs().iter().map(|(short, _)| *short)),
            Ids::Kept(snapshot) => snapshot.sums(|sums, len| sums.sketch(capacity, len)),
        };
        self.built(sketch, out)
    }
}

/// The capacity after `capacity`, while it grows by syndromes.
fn grown(capacity: u64) -> u64 {
    if capacity == 0 { START } else { capacity * 2 }
}

/// How many ids of a set are left in its sketch: two with the same short id cancel.
fn odd_count(mine: &Keyed) -> u64 {
    match &mine.ids {
        Ids::Fresh(ids) => {
            ids.pairs().chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() % 2 == 1).count() as u64
        }
        Ids::Kept(snapshot) => snapshot.sums_and_places(|sums, places, len| sums.odd_count(places, len)),
    }
}
