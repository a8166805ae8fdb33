//! Rateless IBLT beside the crates `riblt` and `do-riblt`, over ids of 8 bytes.
//!
//! All three hash an id where they meet it, within the clock: ours by a keyed hash (SipHash), `riblt` by the standard
//! library's (SipHash-1-3), `do-riblt` by rapidhash. The symbols are not the same bytes, since the hashes
//! are not; the differences that they decode to must be.

use std::fmt::{self, Debug};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::hint::black_box;

use offerbench_algos::kernels::riblt::{Cell, Coder, subtract};
use offerbench_algos::wire::Purpose;
use offerbench_algos::{DuelLimits, Item, Role, Seed, Setup, build, duel};
use riblt::{CodedSymbol, RatelessIBLT, UnmanagedRatelessIBLT};

use crate::contest::Contest;
use crate::sets::{TwoSets, item};
use crate::table::Row;

/// Bits of a checksum, as `riblt:check=32` sends them.
const CHECK_BITS: u32 = 32;
/// Bytes of a symbol in the reference's layout: sum, hash and count of 8 bytes each.
const REFERENCE_LEN: f64 = 24.0;
/// Decoding a larger difference takes the crates minutes.
const D_MAX: u64 = 20_000;

/// Symbols that decode a difference of `d` but for one in millions; all decoders get as many.
fn enough(d: u64) -> usize {
    (d * 8 / 5 + 10) as usize
}

/// An id as the crate `riblt` wants it, hashed as its example does: the crate's default would allocate for every hash.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Id(u64);

/// The crate does not export the type of what it peels, so [`sides`] reads it as it prints itself.
impl Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl riblt::Symbol for Id {
    const BYTE_ARRAY_LENGTH: usize = 8;

    fn encode_to_bytes(&self) -> Vec<u8> {
        self.0.to_le_bytes().to_vec()
    }

    fn decode_from_bytes(bytes: &Vec<u8>) -> Self {
        Self(u64::from_le_bytes(bytes[..].try_into().expect("8 bytes")))
    }

    fn hash_(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }
}

/// The same for `do-riblt`.
#[derive(Clone, Copy)]
struct Bytes(u64);

impl do_riblt::Symbol<8> for Bytes {
    fn to_bytes(&self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    fn from_bytes(bytes: &[u8; 8]) -> Self {
        Self(u64::from_le_bytes(*bytes))
    }
}

/// The first `len` symbols by the crate `riblt`, which makes 1,024 at once and the rest in a second pass.
fn theirs(ids: &[u64], len: usize) -> Vec<CodedSymbol<Id>> {
    let mut encoder = RatelessIBLT::new(ids.iter().map(|id| Id(*id)));
    encoder.extend_coded_symbols(len - 1);
    encoder.coded_symbols.truncate(len);
    encoder.coded_symbols
}

/// What is left when the common part has cancelled.
fn collapsed(ours: &[CodedSymbol<Id>], theirs: &[CodedSymbol<Id>]) -> Vec<CodedSymbol<Id>> {
    ours.iter().zip(theirs).map(|(one, other)| one.collapse(other)).collect()
}

/// Peels received symbols; nothing when they are too few.
fn peel(symbols: &[CodedSymbol<Id>]) -> Option<Vec<impl Debug + use<>>> {
    let mut received = UnmanagedRatelessIBLT::new();
    symbols.iter().for_each(|symbol| received.add_coded_symbol(symbol));
    let peeled = received.peel_all_symbols();
    received.is_empty().then_some(peeled)
}

/// Ids that were peeled, of the one set and of the other, sorted.
fn sides(peeled: &[impl Debug]) -> [Vec<u64>; 2] {
    let printed: Vec<String> = peeled.iter().map(|one| format!("{one:?}")).collect();
    let of = |side: &str| {
        let ids = printed.iter().filter_map(|one| one.strip_prefix(side)?.strip_suffix(')'));
        ids.map(|id| id.parse().expect("an id prints as a number")).collect()
    };
    let only = sorted(["Local(", "Remote("].map(of));
    assert_eq!(only[0].len() + only[1].len(), peeled.len(), "neither local nor remote");
    only
}

fn sorted(mut only: [Vec<u64>; 2]) -> [Vec<u64>; 2] {
    only.iter_mut().for_each(|ids| ids.sort_unstable());
    only
}

/// Decodes ours.
fn ours(coder: &Coder, symbols: &[Cell]) -> [Vec<u64>; 2] {
    let found = coder.decode(symbols).expect("enough symbols");
    [1, -1].map(|side| found.iter().filter(|(_, of)| *of == side).map(|(id, _)| *id).collect())
}

/// Encoding a set from scratch, beside the crate `riblt`.
pub fn encode(row: &Row) -> Contest {
    let (coder, len) = (Coder::new(Seed::new(1), CHECK_BITS), row.size as usize);
    let d = row.size / 2;
    let two = TwoSets::new(row.n, d, "riblt encode");
    let difference = subtract(&coder.encode(&two.sets[0], len), &coder.encode(&two.sets[1], len));
    assert_eq!(sorted(ours(&coder, &difference)), two.only, "ours");
    // Their symbols are sums too, so those of the sets must leave the symbols of the difference itself.
    let difference = |sets: &[Vec<u64>; 2]| collapsed(&theirs(&sets[0], len), &theirs(&sets[1], len));
    let left = difference(&two.sets);
    let parts = |symbol: &CodedSymbol<Id>| (symbol.sum.clone(), symbol.hash, symbol.count);
    assert!(left.iter().map(parts).eq(difference(&two.only).iter().map(parts)), "riblt");
    if d <= D_MAX {
        assert_eq!(sides(&peel(&left).expect("enough symbols")), two.only, "riblt");
    }
    let [set, _] = two.sets;
    let same = set.clone();
    Contest::new(
        Coder::path(),
        row.n as f64,
        move || _ = black_box(coder.encode(&set, len)),
        move || _ = black_box(theirs(&same, len)),
    )
}

/// Encoding a set from scratch, beside `do-riblt`, which scans the set for every symbol.
pub fn encode_do(row: &Row) -> Contest {
    let (coder, len) = (Coder::new(Seed::new(1), CHECK_BITS), row.size as usize);
    let two = TwoSets::new(row.n, row.size / 2, "do-riblt encode");
    let difference = subtract(&coder.encode(&two.sets[0], len), &coder.encode(&two.sets[1], len));
    assert_eq!(sorted(ours(&coder, &difference)), two.only, "ours");
    let symbols = move |ids: &[u64]| -> Vec<do_riblt::CodedSymbol<8>> {
        do_riblt::Encoder::new(ids.iter().map(|id| Bytes(*id))).take(len).collect()
    };
    assert_eq!(sorted(stream(&two.sets[0], &symbols(&two.sets[1]))), two.only, "do-riblt");
    let [set, _] = two.sets;
    let same = set.clone();
    Contest::new(
        Coder::path(),
        row.n as f64,
        move || _ = black_box(coder.encode(&set, len)),
        move || _ = black_box(symbols(&same)),
    )
}

/// Decodes symbols of another set with `do-riblt`, until it is done.
fn stream(local: &[u64], symbols: &[do_riblt::CodedSymbol<8>]) -> [Vec<u64>; 2] {
    let mut decoder = do_riblt::Decoder::new(local.iter().map(|id| Bytes(*id)));
    let mut only = [Vec::new(), Vec::new()];
    for symbol in symbols {
        let (done, peeled) = decoder.next_symbol(symbol.clone());
        if done {
            break;
        }
        for one in peeled {
            match one {
                do_riblt::Peeled::MissingRemote(Bytes(id)) => only[0].push(id),
                do_riblt::Peeled::MissingLocal(Bytes(id)) => only[1].push(id),
            }
        }
    }
    only
}

/// Decoding a difference whose common part has cancelled already, beside `riblt`. Both are handed the symbols as
/// received and copy them into what they peel.
pub fn decode(row: &Row) -> Contest {
    let coder = Coder::new(Seed::new(1), CHECK_BITS);
    let two = TwoSets::new(row.n, row.size, "riblt decode");
    let len = enough(row.size);
    let cells = subtract(&coder.encode(&two.only[0], len), &coder.encode(&two.only[1], len));
    let symbols = collapsed(&theirs(&two.only[0], len), &theirs(&two.only[1], len));
    assert_eq!(sorted(ours(&coder, &cells)), two.only, "ours");
    assert_eq!(sides(&peel(&symbols).expect("enough symbols")), two.only, "riblt");
    Contest::new(
        Coder::path(),
        1.0,
        move || _ = black_box(coder.decode(&cells)),
        move || _ = black_box(peel(&symbols)),
    )
}

/// The same beside `do-riblt`, whose decoder must be given a set: that which only our end holds.
pub fn decode_do(row: &Row) -> Contest {
    let coder = Coder::new(Seed::new(1), CHECK_BITS);
    let two = TwoSets::new(row.n, row.size, "do-riblt decode");
    let len = enough(row.size);
    let cells = subtract(&coder.encode(&two.only[0], len), &coder.encode(&two.only[1], len));
    let symbols: Vec<_> = do_riblt::Encoder::new(two.only[1].iter().map(|id| Bytes(*id))).take(len).collect();
    assert_eq!(sorted(ours(&coder, &cells)), two.only, "ours");
    assert_eq!(sorted(stream(&two.only[0], &symbols)), two.only, "do-riblt");
    let local = two.only[0].clone();
    Contest::new(
        Coder::path(),
        1.0,
        move || _ = black_box(coder.decode(&cells)),
        move || _ = black_box(stream(&local, &symbols)),
    )
}

/// Sets on which bytes are counted: a single stream ends a few per cent early or late.
const STREAMS: u64 = 49;

/// A session as it comes.
pub fn session(row: &Row) -> Contest {
    between(row, "riblt:bits=64,check=32")
}

/// The same where each message takes a 64th of the symbols sent so far, not an eighth: less lies beyond what
/// decodes, for four times as many messages: 180 for 41 at 1,376 symbols.
pub fn session_in_smallest_steps(row: &Row) -> Contest {
    between(row, "riblt:bits=64,check=32,grow=64")
}

/// Both ends of a session from sets alone. Theirs is what the crate leaves to its user, done as cheaply as can be: both
/// ends make as many symbols as turn out to be needed, told beforehand, and one collapses and peels. Bytes are those of
/// the stream: ours on the wire, with what the last message held beyond need; theirs in the reference's layout, of the
/// symbols needed and no more.
fn between(row: &Row, spec: &str) -> Contest {
    let strategy = build(spec).expect("a spec of the registry").strategy;
    let setup = |nth: u64| Setup::new(Seed::new(1).nth(nth));
    let run = move |items: &[Vec<Item>; 2], setup: &Setup| {
        let mut ends = [(0, Role::Initiator), (1, Role::Responder)]
            .map(|(end, role)| strategy.index(&items[end]).open(role, setup));
        duel(&mut ends, &DuelLimits::default()).expect("an honest session")
    };
    let (mut bytes, mut their_bytes) = (Vec::new(), Vec::new());
    let mut last = None;
    for nth in 0..STREAMS {
        let two = TwoSets::new(row.n, row.size, &format!("riblt session {nth}"));
        let items = two.sets.clone().map(|ids| ids.iter().map(|id| item(*id)).collect::<Vec<_>>());
        let transcript = run(&items, &setup(nth));
        super::range::check(&items, &transcript);
        let d = row.size as f64;
        bytes.push(transcript.traffic[1].spent.on(Purpose::Sketch) as f64 / d);
        // The stream of the difference alone decodes when that of the sets does.
        let symbols = [0, 1].map(|end| theirs(&two.only[end], enough(row.size)));
        let symbols = collapsed(&symbols[0], &symbols[1]);
        let needed = least(symbols.len(), |len| peel(&symbols[..len]).is_some());
        assert_eq!(sides(&peel(&symbols[..needed]).expect("found to be enough")), two.only, "riblt");
        their_bytes.push(needed as f64 * REFERENCE_LEN / d);
        last = Some((two.sets, items, needed, nth));
    }
    let (sets, items, needed, nth) = last.expect("STREAMS is above 0");
    let reconcile = move || {
        let [one, other] = [0, 1].map(|end| theirs(&sets[end], needed));
        _ = black_box(peel(&collapsed(&one, &other)));
    };
    let setup = setup(nth);
    Contest::new(Coder::path(), 1.0, move || _ = black_box(run(&items, &setup)), reconcile)
        .with_bytes(bytes, their_bytes)
}

/// The least length up to `most` that will do, when all longer ones do too.
fn least(most: usize, will_do: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (1, most);
    while low < high {
        let middle = usize::midpoint(low, high);
        if will_do(middle) { high = middle } else { low = middle + 1 }
    }
    low
}
