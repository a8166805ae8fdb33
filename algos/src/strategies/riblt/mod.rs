//! `riblt`: a stream of coded symbols that goes on until the difference is decoded.
//!
//! **Source.** L. Yang, Y. Gilad, M. Alizadeh, "Practical Rateless Set Reconciliation", SIGCOMM 2024
//! ([arXiv:2402.02668](https://arxiv.org/abs/2402.02668)), and the authors'
//! [implementation](https://github.com/yangl1996/riblt), whose mapping of items to symbols this is, bit by bit.
//!
//! **Idea.** An invertible Bloom lookup table whose cells come one after the other, as many as it takes.
//! Item x is part of symbol i with probability 1/(1 + i/2), so early symbols are sums of many items and later
//! ones of few. A symbol carries the XOR of the names, the XOR of their checksums, and their count. The
//! initiator takes its own symbols off, is left with sums of what differs, and peels: a sum of one item names
//! it, is taken out of the others, and so on. Nobody estimates d, and no table is too small.
//!
//! **Bytes.** A symbol takes bits/8 + check/8 + 0.5 B: 8.5 with 48 and 16 bits, 12.5 with 64 and 32, 36.5 with 256 and
//! 32. The count is sent modulo 16, whatever the size of the sets (see `symbol.rs`). In memory it takes 16 B (40 with full ids; see
//! `tally.rs`), in the reference, which has no wire format, 24 and 48. Mean symbols a difference: 1.00 at
//! d = 1, 1.76 at 5 (the worst), 1.46 at 100, 1.38 at 1000, 1.35 from 10^5 on. The last message overshoots by
//! up to an eighth, or what else `grow` says. Then come bits − log2 r + 1.5 bits for each of the r items that the initiator lacks, and
//! about 35 B of salts, sizes and the end check. Measured at n = 10^4, d = 1000 (half at either end), B a
//! difference, symbols and all: 12.0 and 14.6; `bits=64,check=32` 17.9 and 21.5; `bits=256,check=32` 52.3 and 55.9. The symbols
//! that decode take 11.7, 17.2 and 50.2 of that; what is above them is overshoot. With `grow=64` the stream of
//! `bits=64,check=32` takes 17.4 B (mean of 49) in four times as many messages (`cargo bench -p offerbench-peers -- 'riblt session'`).
//! **Flights.** 4 where the window holds the whole stream: hello, stream, claim, verdict; 2 more for every frame
//! beyond the window, which must wait for a round trip; a retry takes 2 more. **CPU.** Either end: one keyed hash, one
//! sort and 2·ln m steps of a walk an item for m symbols. The coding alone (`kernel.rs`) takes 29 to 41 ns an item at
//! n = 10^6, m = 2000 and 68 to 106 at m = 2·10^5, then 67 to 93 ns to decode a difference at d = 1000 to 10^4 (AVX-512, Ice
//! Lake, several runs; the crate `riblt` in these 0.9 to 1.2 and 2.8 to 3.6 µs, and 3 to 28 µs; `cargo bench -p offerbench-peers -- riblt`).
//! That is a session with `salt=session`, and the first under any key. With the other salts an index keeps the first
//! symbols (see `source.rs`), and a session costs what it sends and finds.
//! Budgets predict what one walk at a time takes on a cold index: both ends must come to the same answer. A responder that runs ahead of a wide window may reach its
//! budget before it hears that the initiator had enough.
//!
//! **How it fails.** For d ≤ 10 the number of symbols has a heavy tail (12 to 68 × d in 10^5 trials), since
//! few items may long walk together; and two items of one end with the same short id never part. These are noticed
//! once all others are found, by a symbol that counts and does not name, and make a retry. Both ends also count: after [`SYMBOLS_BASE`] + [`SYMBOLS_PER_ITEM`]·(n_A + n_B) symbols the responder stops and the
//! initiator asks for a stream under a fresh key. That bound is beyond what even disjoint sets need, so that
//! it never cuts what would have decoded soon. A false checksum (2^-16 for each look at a symbol with
//! `check=16`, and the walk must come by, too: 5 of 4000 streams at d = 1000) is noticed by what it leaves behind or by the end check, and repeated too.
//! **What an attacker can do.** With a public checksum and mapping somebody can craft 64 to 128 ordinary-looking
//! items whose XOR cancels a victim, which is then silently never reconciled. The reference's README says
//! itself that it is for trusted workloads. Here both are keyed, with `salt=session` by the salts of both ends, and
//! nothing is reported before the end check agreed. With a key that outlives the session (`salt=link`, `group`,
//! `none`; see `salt.rs`) whoever knows it can post two items of one short id, 2^(bits/2) hashes, that make the first
//! attempt of every session fail that is to carry both. Retries go under a fresh salt, so that is all. The peer, who knows the key, can send nonsense: finds are bounded
//! by symbols, symbols by the sizes, retries by [`RETRIES_MAX`](crate::wire::RETRIES_MAX).
//!
//! **What we do differently.** Short salted ids, keys, the end check and retries are ours, the paper reconciles
//! ids as they are. Symbols are made in blocks that double instead of from a heap (see `encoder.rs`), on both sides.
//! Messages carry `batch` symbols at first and an eighth (`grow`) of all sent later, so the stream costs one header
//! byte every few symbols, not one each.
//!
//! ```
//! use offerbench_algos::{DuelLimits, Finding, Item, ItemId, Role, Seed, Setup, build, duel};
//! let item = |n: u8| Item { at: u64::from(n), id: ItemId::new([n; 32]) };
//! let strategy = build("riblt:bits=256")?.strategy;
//! let setup = Setup::new(Seed::new(1));
//! let mut ends = [
//!     strategy.index(&[item(1), item(2)]).open(Role::Initiator, &setup),
//!     strategy.index(&[item(2), item(3)]).open(Role::Responder, &setup),
//! ];
//! let transcript = duel(&mut ends, &DuelLimits::default())?;
//! assert!(transcript.findings[0].contains(&Finding::Have(item(1).id)));
//! assert_eq!(transcript.findings[1], [Finding::Have(item(3).id)]);
//! // Hello, two messages of symbols a round trip apart, claim, verdict.
//! assert_eq!(transcript.flights, 6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decoder;
mod encoder;
#[cfg(target_arch = "x86_64")]
mod head;
mod initiator;
pub mod kernel;
mod mapping;
pub mod prefix;
mod responder;
mod source;
mod symbol;
mod tally;
#[cfg(test)]
mod tests;
mod walkers;
mod wave;

use super::{About, Entry};
use crate::dialog::Dialog;
use crate::greeting::Keys;
use crate::item::Item;
use crate::kept::{self, KeptIndex};
use crate::salt::{Key, Salting};
use crate::session::{Budget, Guarantee, Index, Profile, Reason, Role, Setup, Strategy};
use crate::sorted::{OpenOnSet, SetIndex, SortedSet};
use crate::spec::Param;
use crate::wire::{FRAME_LEN_MIN, SYMBOLS_MAX};
use initiator::Initiator;
use prefix::Sums;
use responder::Responder;
use source::Source;
use symbol::{COUNT_BITS, FULL_SHORT_BITS, Name, Part, Scheme, block_end};

pub(super) static ENTRY: Entry = Entry {
    about: About {
        id: "riblt",
        what: "coded symbols streamed until the difference is decoded; nobody needs to know d",
        source: "Yang, Gilad, Alizadeh, SIGCOMM 2024, https://arxiv.org/abs/2402.02668",
        shape: "streaming",
        guarantee: "exact",
        params: &[
            Param {
                name: "bits",
                default: "48",
                values: &["32", "40", "48", "64", "256"],
                doc: "what symbols add up: salted short ids, or full ids, so that needs are known by id",
            },
            Param {
                name: "check",
                default: "16",
                values: &["16", "32", "48"],
                doc: "bits of the keyed checksum in a symbol",
            },
            Param {
                name: "batch",
                default: "4",
                values: &["1", "4", "16", "64"],
                doc: "symbols in the first message, and at least in each later one",
            },
            Param {
                name: "grow",
                default: "8",
                values: &["8", "16", "32", "64"],
                doc: "a later message takes this part of all symbols sent: large ones overshoot, small ones are many",
            },
            Salting::PARAM,
        ],
    },
    presets: &[
        "riblt:bits=48,check=16",
        "riblt:bits=32,check=16",
        "riblt:bits=64,check=32",
        "riblt:bits=256,check=32",
    ],
    build: |spec| {
        Ok(Box::new(Params {
            full: spec.get("bits") == "256",
            short_bits: spec.number::<u32>("bits").min(FULL_SHORT_BITS),
            check_bits: spec.number("check"),
            batch: spec.number("batch"),
            grow: spec.number("grow"),
            salting: Salting::of(spec),
        }))
    },
};

/// The parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Params {
    full: bool,
    /// Bits of the short ids by which items are named in claims, and without `full` in symbols.
    short_bits: u32,
    check_bits: u32,
    batch: u64,
    grow: u64,
    salting: Salting,
}

impl Params {
    /// The first preset.
    pub(super) const DEFAULT: Self =
        Self { full: false, short_bits: 48, check_bits: 16, batch: 4, grow: 8, salting: Salting::Session };

    fn dialog<N: Name>(&self, own: Own<N>, role: Role, setup: &Setup) -> Box<dyn Dialog> {
        let end = End {
            own,
            keys: Keys::new(self.salting, role, setup),
            short_bits: self.short_bits,
            check_bits: self.check_bits,
            batch: self.batch,
            grow: self.grow,
            message_len_max: setup.frame_len_max.max(FRAME_LEN_MIN) as usize - 1,
            budget: setup.budget,
        };
        match role {
            Role::Initiator => Box::new(Initiator::new(end)),
            Role::Responder => Box::new(Responder::new(end)),
        }
    }
}

impl Strategy for Params {
    fn index(&self, items: &[Item]) -> Box<dyn Index> {
        let params = *self;
        match (self.salting, self.full) {
            (Salting::Session, _) => SetIndex::boxed(items, self),
            (salting, false) => KeptIndex::boxed(items, salting, move |own, role, setup| {
                params.dialog::<u64>(own, role, setup)
            }),
            (salting, true) => KeptIndex::boxed(items, salting, move |own, role, setup| {
                params.dialog::<[u64; 4]>(own, role, setup)
            }),
        }
    }

    fn profile(&self) -> Profile {
        let id_bits = if self.full { 256 } else { self.short_bits };
        let keyed = self.salting != Salting::None;
        Profile { id_bits, keyed, guarantee: Guarantee::Exact, oracle: false }
    }
}

impl OpenOnSet for Params {
    fn open(&self, set: SortedSet, role: Role, setup: &Setup) -> Box<dyn Dialog> {
        if self.full {
            self.dialog::<[u64; 4]>(Own::Set(set), role, setup)
        } else {
            self.dialog::<u64>(Own::Set(set), role, setup)
        }
    }
}

/// Initiator: salt, or mark of the lasting key, and size of its set.
const TAG_HELLO: u8 = 1;
/// Responder, whose set is empty: all of yours.
const TAG_ALL: u8 = 2;
/// Responder: the next coded symbols; in the first message of a session its salt and size in front.
const TAG_SYMBOLS: u8 = 3;
/// Initiator: this stream leads nowhere, start another.
const TAG_AGAIN: u8 = 4;
/// Responder, where keys outlive sessions: a salt, and the first symbols of a stream under a key of it. After a
/// stream under the lasting key led nowhere, or at once where the ends do not share one.
const TAG_FRESH: u8 = 5;

/// Symbols that a stream may have however small the sets.
const SYMBOLS_BASE: u64 = 256;
/// Symbols that a stream may have for each item of both sets. A difference takes 1.36 in the mean.
const SYMBOLS_PER_ITEM: u64 = 4;

/// Nominal time to hash and sort an item.
const ITEM_NS: u64 = 250;
/// Nominal time to walk an item through a block that doubles the stream: 2·ln 2 steps and a look.
const BLOCK_NS: u64 = 45;
/// Nominal time to decode a symbol.
const SYMBOL_NS: u64 = 800;
/// Nominal length of a checksum and a count in memory: two words, though one holds both, so that budgets cut off where
/// they always did.
const TALLY_BYTES: u64 = 16;

/// The own set.
type Own<N> = kept::Own<Sums<N>>;
/// The own set under the key of one attempt.
type Keyed<N> = crate::close::Keyed<kept::Ids<Sums<N>>, Own<N>>;

/// What either end of a session knows from the start.
struct End<N> {
    own: Own<N>,
    keys: Keys,
    short_bits: u32,
    check_bits: u32,
    batch: u64,
    grow: u64,
    /// Longest message of symbols: one frame.
    message_len_max: usize,
    budget: Budget,
}

impl<N: Name> End<N> {
    fn len(&self) -> u64 {
        self.own.len() as u64
    }

    /// The set under a key: as the index keeps it, or else hashed, which takes O(n).
    fn rekey(&self, key: Key) -> (Keyed<N>, Scheme, Source<N>) {
        let (short_bits, check_bits) = (self.short_bits, self.check_bits);
        let scheme = Scheme { key, short_bits, check_bits, count_bits: COUNT_BITS };
        let keyed = self.own.keyed(scheme, self.keys.lasts(&key));
        let source = match (&keyed.ids, &keyed.set) {
            (kept::Ids::Kept(snapshot), _) => Source::Kept(snapshot.clone()),
            (kept::Ids::Fresh(ids), set) => Source::Fresh(scheme.set(set.sorted().items(), ids)),
        };
        (keyed, scheme, source)
    }

    /// Symbols after which a stream between sets of these sizes is given up, at both ends alike.
    fn symbols_max(&self, peer_len: u64) -> u64 {
        (SYMBOLS_BASE + SYMBOLS_PER_ITEM * (self.len() + peer_len)).min(SYMBOLS_MAX)
    }

    /// Whether a stream of `symbols` symbols would cost one of the ends too much.
    ///
    /// Counted for the larger set, so that both ends come to the same answer and the responder, who is
    /// never behind, can give it for both.
    fn over_budget(&self, peer_len: u64, symbols: u64) -> Option<Reason> {
        // The first block is short; who cannot afford the second need not begin.
        let symbols = symbols.max(block_end(1));
        let n = self.len().max(peer_len);
        let blocks = u64::from(symbols.max(2).ilog2());
        let cpu_ns = n * (ITEM_NS + BLOCK_NS * blocks) + symbols * SYMBOL_NS;
        let part = size_of::<Part<N>>() as u64;
        let short = size_of::<(u64, u32)>() as u64;
        let symbol = size_of::<N>() as u64 + TALLY_BYTES;
        let heap = n * (part + short) + symbols * (symbol + part);
        if heap > self.budget.heap_bytes_max {
            Some(Reason::HeapBudget)
        } else if cpu_ns > self.budget.cpu_ns_max {
            Some(Reason::CpuBudget)
        } else {
            None
        }
    }
}
