//! Every cell: who stands beside whom, on what, and what was asked. A cell is added here and nowhere else.

use offerbench_reports::record::{Asked, Manner, SizeOf, State};

use crate::contest::Contest;
#[cfg(target_arch = "x86_64")]
use crate::kernels::pinsketch;
use crate::kernels::{filters, range, riblt, upkeep};

/// Definition of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Family of kernels.
    pub kernel: &'static str,
    /// What both do.
    pub operation: &'static str,
    /// A crate of `Cargo.lock`, or a way of our own (then it has no version).
    pub peer: &'static str,
    /// Items of one set.
    pub n: u64,
    /// What else sizes the work.
    pub size_of: Option<SizeOf>,
    /// How large that is.
    pub size: u64,
    /// How the work is handed over.
    pub manner: Manner,
    /// What stands ready.
    pub state: State,
    /// Figures are for one of these.
    pub per: &'static str,
    /// What was asked of the times.
    pub asked: Option<Asked>,
    /// What bytes are for one of, where they are counted too, and what was asked of them.
    pub bytes: Option<(&'static str, Option<Asked>)>,
    /// The peer takes seconds a run: criterion times only ours, and the rounds taken for that give both.
    pub slow: bool,
    /// Makes sets, checks both sides, hands them over.
    pub prepare: fn(&Row) -> Contest,
}

impl Row {
    const fn new(kernel: &'static str, operation: &'static str, prepare: fn(&Row) -> Contest) -> Self {
        Self {
            kernel,
            operation,
            peer: "",
            n: 0,
            size_of: None,
            size: 0,
            manner: Batch,
            state: Cold,
            per: "item",
            asked: None,
            bytes: None,
            slow: false,
            prepare,
        }
    }

    const fn beside(mut self, peer: &'static str) -> Self {
        self.peer = peer;
        self
    }

    const fn n(mut self, n: u64) -> Self {
        self.n = n;
        self
    }

    const fn sized(mut self, of: SizeOf, size: u64) -> Self {
        (self.size_of, self.size) = (Some(of), size);
        self
    }

    const fn how(mut self, manner: Manner, state: State) -> Self {
        (self.manner, self.state) = (manner, state);
        self
    }

    const fn per(mut self, per: &'static str) -> Self {
        self.per = per;
        self
    }

    const fn asked(mut self, ratio: f64) -> Self {
        self.asked = Some(Asked::RatioAtLeast(ratio));
        self
    }

    const fn bytes(mut self, per: &'static str, asked: Option<Asked>) -> Self {
        self.bytes = Some((per, asked));
        self
    }

    const fn slow(mut self) -> Self {
        self.slow = true;
        self
    }

    /// Unique among cells; criterion's filter looks into it.
    pub fn name(&self) -> String {
        let size = self.size_of.map_or_else(String::new, |of| format!(" {}={}", letter(of), self.size));
        let (manner, state) = (format!("{:?}", self.manner), format!("{:?}", self.state));
        let how = format!("{} {}", manner.to_lowercase(), state.to_lowercase());
        format!("{} {}, {how}, n={}{size}, beside {}", self.kernel, self.operation, self.n, self.peer)
    }
}

fn letter(of: SizeOf) -> &'static str {
    match of {
        Capacity => "c",
        Symbols => "m",
        Difference => "d",
    }
}

use Manner::{Batch, Session, Single};
use SizeOf::{Capacity, Difference, Symbols};
use State::{Cold, Warm};

#[cfg(target_arch = "x86_64")]
const MINISKETCH: &str = "minisketch-rs";
const REBUILDING: &str = "rebuilding it";

#[cfg(target_arch = "x86_64")]
const ENCODE: Row =
    Row::new("pinsketch", "encode", pinsketch::encode).beside(MINISKETCH).per("item and syndrome");
#[cfg(target_arch = "x86_64")]
const ADD: Row = Row::new("pinsketch", "encode", pinsketch::add)
    .beside(MINISKETCH)
    .how(Single, Warm)
    .per("item and syndrome")
    .asked(6.0);
#[cfg(target_arch = "x86_64")]
const DECODE: Row = Row::new("pinsketch", "decode", pinsketch::decode).beside(MINISKETCH).per("sketch");

const STREAM: Row = Row::new("riblt", "encode", riblt::encode).beside("riblt");
const STREAM_DO: Row = Row::new("riblt", "encode", riblt::encode_do).beside("do-riblt");
const PEEL: Row = Row::new("riblt", "decode", riblt::decode).beside("riblt").per("difference of the sets");
const PEEL_DO: Row =
    Row::new("riblt", "decode", riblt::decode_do).beside("do-riblt").per("difference of the sets");

const CODED: Row = Row::new("riblt", "session", riblt::session)
    .beside("riblt")
    .n(10_000)
    .sized(Difference, 1_000)
    .how(Session, Cold)
    .per("session");

const SYNC: Row = Row::new("range", "session", range::equal)
    .beside("negentropy")
    .n(1_000_000)
    .how(Session, Warm)
    .per("session");

const fn newest() -> Row {
    Row { operation: "session, newest differ", prepare: range::newest, ..SYNC }
}

#[cfg(target_arch = "x86_64")]
const fn decode_own() -> Row {
    Row { operation: "decode, half held", prepare: pinsketch::decode_own, ..DECODE }
}

const fn scattered() -> Row {
    Row { operation: "session, scattered", prepare: range::scattered, ..SYNC }
}

/// A million: where most figures are asked.
const MANY: u64 = 1_000_000;

/// All cells, in the order of the table.
pub static ROWS: &[Row] = &[
    #[cfg(target_arch = "x86_64")]
    ENCODE.n(1 << 16).sized(Capacity, 16).asked(8.0),
    #[cfg(target_arch = "x86_64")]
    ENCODE.n(1 << 13).sized(Capacity, 128).asked(20.0),
    #[cfg(target_arch = "x86_64")]
    ENCODE.n(1 << 10).sized(Capacity, 1024).asked(25.0),
    #[cfg(target_arch = "x86_64")]
    ADD.n(1 << 14).sized(Capacity, 16),
    #[cfg(target_arch = "x86_64")]
    ADD.n(1 << 12).sized(Capacity, 128),
    #[cfg(target_arch = "x86_64")]
    ADD.n(1 << 9).sized(Capacity, 1024),
    #[cfg(target_arch = "x86_64")]
    DECODE.n(16).sized(Capacity, 16).asked(4.0),
    #[cfg(target_arch = "x86_64")]
    DECODE.n(128).sized(Capacity, 128).asked(8.0),
    #[cfg(target_arch = "x86_64")]
    DECODE.n(1024).sized(Capacity, 1024).asked(15.0),
    #[cfg(target_arch = "x86_64")]
    decode_own().n(10_000).sized(Capacity, 16),
    #[cfg(target_arch = "x86_64")]
    decode_own().n(10_000).sized(Capacity, 128),
    #[cfg(target_arch = "x86_64")]
    decode_own().n(10_000).sized(Capacity, 1024),
    #[cfg(target_arch = "x86_64")]
    Row::new("pinsketch", "session, in parts", pinsketch::session)
        .beside(MINISKETCH)
        .n(10_000)
        .sized(Difference, 1_000)
        .how(Session, Cold)
        .per("session")
        .asked(100.0)
        // At most half as many bytes again.
        .bytes("difference", Some(Asked::RatioAtLeast(1.0 / 1.5))),
    STREAM.n(MANY).sized(Symbols, 2_000).asked(30.0),
    STREAM.n(MANY).sized(Symbols, 200_000).asked(30.0).slow(),
    STREAM_DO.n(10_000).sized(Symbols, 200),
    PEEL.n(1_000).sized(Difference, 1_000).asked(40.0),
    PEEL.n(10_000).sized(Difference, 10_000).asked(250.0),
    PEEL_DO.n(1_000).sized(Difference, 1_000).asked(40.0),
    PEEL_DO.n(10_000).sized(Difference, 10_000).asked(250.0),
    CODED.bytes("difference", None),
    Row { operation: "session, smallest steps", prepare: riblt::session_in_smallest_steps, ..CODED }
        .bytes("difference", Some(Asked::OursAtMost(17.5))),
    SYNC.asked(500.0).bytes("session", None),
    newest().sized(Difference, 100).asked(80.0).bytes("difference", None),
    scattered().sized(Difference, 100).asked(12.0).bytes("difference", None),
    scattered().sized(Difference, 1_000).asked(8.0).bytes("difference", None),
    Row { operation: "session, own form, scattered", prepare: range::compact, ..SYNC }
        .sized(Difference, 1_000)
        .bytes("difference", Some(Asked::RatioAtLeast(4.0))),
    Row { operation: "session, own form with sketches, scattered", prepare: range::sketched, ..SYNC }
        .sized(Difference, 1_000)
        .bytes("difference", Some(Asked::RatioAtLeast(4.0))),
    Row::new("range", "seal", range::seal).beside("negentropy").n(MANY).asked(3.0),
    Row::new("bloom", "build", filters::bloom_build)
        .beside("fastbloom")
        .n(MANY)
        .asked(4.0)
        .bytes("item", None),
    Row::new("bloom", "query", filters::bloom_query).beside("fastbloom").n(MANY).per("query").asked(4.0),
    Row::new("fuse", "build", filters::fuse_build).beside("xorf").n(100_000),
    Row::new("fuse", "build", filters::fuse_build).beside("xorf").n(MANY),
    Row::new("fuse", "query", filters::fuse_query).beside("xorf").n(100_000).per("query"),
    Row::new("fuse", "query", filters::fuse_query).beside("xorf").n(MANY).per("query"),
    insert_riblt(1_000),
    insert_riblt(10_000),
    insert_riblt(100_000),
    insert_riblt(1_000_000),
    insert_pinsketch(1_000),
    insert_pinsketch(10_000),
    insert_pinsketch(100_000),
    insert_pinsketch(1_000_000),
    insert_newest(1_000),
    insert_newest(10_000),
    insert_newest(100_000),
    insert_newest(1_000_000),
    insert_scattered(1_000),
    insert_scattered(10_000),
    insert_scattered(100_000),
    insert_scattered(1_000_000),
];

const fn insert(kernel: &'static str, operation: &'static str, prepare: fn(&Row) -> Contest, n: u64) -> Row {
    Row::new(kernel, operation, prepare).beside(REBUILDING).how(Single, Warm).n(n).per("insert")
}

const fn insert_riblt(n: u64) -> Row {
    insert("riblt", "insert", upkeep::riblt, n).sized(Symbols, 2_000)
}

const fn insert_pinsketch(n: u64) -> Row {
    insert("pinsketch", "insert", upkeep::pinsketch, n).sized(Capacity, 128)
}

const fn insert_newest(n: u64) -> Row {
    insert("range", "insert, newest", upkeep::range_newest, n)
}

const fn insert_scattered(n: u64) -> Row {
    insert("range", "insert, scattered", upkeep::range_scattered, n)
}

/// The version of `package` that this was built with; none for what is no package.
pub fn version(package: &str) -> Option<&'static str> {
    let lock = include_str!("../../Cargo.lock");
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split_once('"').map(|(version, _)| version)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn cells_have_names_of_their_own_and_peers_a_version() {
        let names: BTreeSet<String> = ROWS.iter().map(Row::name).collect();
        assert_eq!(names.len(), ROWS.len());
        for row in ROWS {
            assert_eq!(version(row.peer).is_none(), row.peer == REBUILDING, "{}", row.peer);
        }
    }
}
