//! Cells that nobody measured: one of each kind.

use offerbench_reports::record::{Asked, Header, Lane, Manner, PeerRow, SizeOf, State, Unit};
use offerbench_reports::{Book, Run};

use super::{Recipe, Rng, file, header, machine, run};

/// A cell whose figures scatter by some per cent around `ours` and `ratio` times that.
fn row(kernel: &str, operation: &str, peer: (&str, &str), n: u64, ours: f64, ratio: f64) -> PeerRow {
    let mut rng = Rng(n + operation.len() as u64);
    // Few digits, as in real files: those survive JSON to the last bit.
    let mut near =
        |value: f64| format!("{:.4e}", value * (0.97 + 0.06 * rng.share())).parse().expect("a number");
    let mut around = |value: f64| (0..20).map(|_| near(value)).collect::<Vec<f64>>();
    PeerRow {
        kernel: kernel.into(),
        operation: operation.into(),
        peer: peer.0.into(),
        peer_version: peer.1.into(),
        n,
        size_of: None,
        size: 0,
        manner: Manner::Batch,
        state: State::Cold,
        path: "avx2".into(),
        unit: Unit::Ns,
        per: "item".into(),
        asked: None,
        ours: around(ours),
        theirs: around(ours * ratio),
    }
}

/// Reached, open, not reached, slower than the peer; times and bytes, batch and single, cold and warm.
pub fn peer_rows() -> Vec<PeerRow> {
    let minisketch = ("minisketch-rs", "0.1.9");
    let capacity = |size: u64| (Some(SizeOf::Capacity), size);
    let asked = |ratio: f64| Some(Asked::RatioAtLeast(ratio));
    let session = row("riblt", "session", ("riblt", "0.1.1"), 10_000, 2.0e6, 30.0);
    let insert = |n: u64, ours: f64, ratio: f64| PeerRow {
        manner: Manner::Single,
        state: State::Warm,
        per: "insert".into(),
        ..row("range", "insert, newest", ("rebuilding it", ""), n, ours, ratio)
    };
    let encode = row("pinsketch", "encode", minisketch, 4096, 0.3, 12.0);
    let (size_of, size) = capacity(16);
    let encode = PeerRow { size_of, size, ..encode };
    let wide = PeerRow {
        size: 1024,
        asked: asked(25.0),
        ..PeerRow { size_of, ..row("pinsketch", "encode", minisketch, 64, 0.4, 13.0) }
    };
    let single = PeerRow {
        manner: Manner::Single,
        state: State::Warm,
        asked: asked(6.0),
        ..PeerRow { size_of, size, ..row("pinsketch", "encode", minisketch, 512, 1.0, 6.0) }
    };
    vec![
        PeerRow { asked: asked(8.0), ..encode },
        wide,
        single,
        row("fuse", "build", ("xorf", "0.13.0"), 1_000_000, 50.0, 0.8),
        PeerRow {
            unit: Unit::Bytes,
            per: "difference".into(),
            manner: Manner::Session,
            size_of: Some(SizeOf::Difference),
            size: 1000,
            asked: Some(Asked::OursAtMost(17.5)),
            ours: vec![17.9, 18.1, 18.0],
            theirs: vec![33.0, 33.2, 32.9],
            ..session.clone()
        },
        PeerRow { manner: Manner::Session, per: "session".into(), ..session },
        insert(1_000, 100.0, 500.0),
        insert(1_000_000, 250.0, 200_000.0),
    ]
}

/// Header of such a file.
pub fn peer_header(rows: u64) -> Header {
    Header {
        offerbench: Lane::Peers,
        experiment: "peers".into(),
        command: "cargo bench -p offerbench-peers".into(),
        sweeps: Vec::new(),
        contenders: Vec::new(),
        machine: Some(machine()),
        ..header(Lane::Exact, &Recipe::small(), rows)
    }
}

/// The file.
pub fn peer_file() -> Vec<u8> {
    let rows = peer_rows();
    file(&peer_header(rows.len() as u64), &rows)
}

/// The file as it is read.
pub fn peer_run() -> Run {
    run("peers.jsonl", &peer_file())
}

/// A book of nothing else.
pub fn peer_book() -> Book {
    Book::unite(vec![peer_run()]).expect("peers need no other file")
}
