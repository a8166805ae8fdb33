//! Books that nobody measured, with costs of about the right size: for tests, and to look at the page.

// Each test file uses a part of this.
#![allow(dead_code)]

pub mod group;
pub mod peers;

use offerbench_reports::record::{
    Axis, Bytes, Contender, ExactRow, Header, Lane, Machine, Outcome, SCHEMA, Sweep, Timed, TimedRow,
};
use offerbench_reports::{Book, Rows, Run, read};

/// What to make.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Contenders, of those in [`FIELD`].
    pub contenders: usize,
    /// Replicates of each point.
    pub replicates: u32,
    /// Sweeps.
    pub axes: Vec<Axis>,
    /// Sizes of M in sweeps that have several.
    pub sizes: Vec<u64>,
    /// Largest d of a sweep over d, as a power of ten.
    pub d_power: u32,
    /// Whether some sessions give up.
    pub failures: bool,
    /// Whether one session is wrong.
    pub wrong: bool,
}

/// Specs with their family, id bits, and whether they are told d.
pub const FIELD: [(&str, &str, u32, bool); 16] = [
    ("offers:ids=full", "offers", 256, false),
    ("riblt:bits=64,check=32", "riblt", 64, false),
    ("iblt:bits=64,check=32,k=4,size=tow", "iblt", 64, false),
    ("iblt:bits=64,check=32,k=4,size=oracle", "iblt", 64, true),
    ("range:buckets=16,leaf=32,fp=16", "range", 256, false),
    ("pinsketch:bits=64,size=tow", "pinsketch", 64, false),
    ("bloom:bits=64,per_key=10,rounds=3", "bloom", 64, false),
    ("fuse:bits=64,fp=16", "fuse", 64, false),
    ("offers:ids=8,sorted=yes", "offers", 64, false),
    ("offers:ids=4,sorted=yes", "offers", 32, false),
    ("riblt:bits=32,check=16", "riblt", 32, false),
    ("iblt:bits=32,check=16,k=3,size=double", "iblt", 32, false),
    ("range:buckets=64,leaf=8,fp=8", "range", 64, false),
    ("pinsketch:bits=32,size=double", "pinsketch", 32, false),
    ("pinsketch:bits=32,size=oracle", "pinsketch", 32, true),
    ("bloom:bits=64,per_key=14,rounds=2", "bloom", 64, false),
];

impl Recipe {
    /// Three contenders, few points: for the golden page.
    pub fn small() -> Self {
        Self {
            contenders: 4,
            replicates: 5,
            axes: vec![Axis::D, Axis::Pattern],
            sizes: vec![10_000],
            d_power: 3,
            failures: true,
            wrong: false,
        }
    }

    /// All sweeps with sixteen contenders, failures, and one wrong session.
    pub fn large() -> Self {
        Self {
            contenders: FIELD.len(),
            replicates: 15,
            axes: vec![
                Axis::M,
                Axis::D,
                Axis::Similarity,
                Axis::Window,
                Axis::Guess,
                Axis::Pattern,
                Axis::Absence,
            ],
            sizes: vec![1_000, 10_000, 1_000_000],
            d_power: 4,
            failures: true,
            wrong: true,
        }
    }
}

/// splitmix64, as good as any for invented figures.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A point of a grid.
#[derive(Clone, Debug)]
struct Point {
    m: u64,
    d: u64,
    window: u32,
    guess: Option<f64>,
    pattern: &'static str,
    workload: &'static str,
    absence_ms: Option<u64>,
}

fn grid(axis: Axis, recipe: &Recipe) -> Vec<Point> {
    let base = Point {
        m: 10_000,
        d: 100,
        window: 4,
        guess: None,
        pattern: "scattered",
        workload: "synthetic",
        absence_ms: None,
    };
    let steps = |power: u32| (0..=power).flat_map(|p| [1, 3].map(|f| f * 10u64.pow(p))).collect::<Vec<u64>>();
    match axis {
        Axis::M => (2..=6).map(|p| Point { m: 10u64.pow(p), d: 10u64.pow(p - 2), ..base.clone() }).collect(),
        Axis::D => recipe
            .sizes
            .iter()
            .flat_map(|m| {
                let ds = std::iter::once(0).chain(steps(recipe.d_power)).filter(|d| *d <= *m / 2);
                let base = base.clone();
                ds.map(move |d| Point { m: *m, d, ..base.clone() }).collect::<Vec<_>>()
            })
            .collect(),
        Axis::Similarity => [5_000, 1_000, 100, 10, 1, 0].map(|d| Point { d, ..base.clone() }).to_vec(),
        Axis::Window => [1, 2, 4, 16, 64].map(|window| Point { window, ..base.clone() }).to_vec(),
        Axis::Guess => {
            [0.25, 0.5, 1.0, 2.0, 4.0].map(|guess| Point { guess: Some(guess), ..base.clone() }).to_vec()
        }
        Axis::Pattern => ["scattered", "recent", "gap", "author", "superset", "equal"]
            .map(|pattern| Point { pattern, d: if pattern == "equal" { 0 } else { 100 }, ..base.clone() })
            .to_vec(),
        Axis::Absence => [(1u64, 6u64), (8, 57), (24, 160), (168, 1_130)]
            .map(|(hours, d)| Point {
                d,
                pattern: "absence",
                workload: "trace:irc-2009",
                absence_ms: Some(hours * 3_600_000),
                ..base.clone()
            })
            .to_vec(),
        // No synthetic page holds an attack: rows of attacks are made by hand where they are tested.
        Axis::Attack => Vec::new(),
    }
}

fn sweep(axis: Axis) -> Sweep {
    let name = format!("by-{axis:?}").to_lowercase();
    Sweep {
        question: format!(
            "Which strategy needs the fewest bytes as {axis:?} moves, and where does the lead change?"
        ),
        expectation: "Lists win on small sets; rateless codes from d = 50 on; ranges on gaps.".into(),
        name,
        axis,
        cpu_ms_max: 20_000,
        heap_bytes_max: 1 << 30,
    }
}

/// Bytes up and down of a session that goes well.
fn cost(contender: usize, point: &Point, rng: &mut Rng) -> (Bytes, Bytes) {
    let (spec, family, id_bits, oracle) = FIELD[contender];
    let (m, d) = (point.m as f64, point.d as f64);
    let id = f64::from(id_bits) / 8.0;
    let jitter = 0.9 + 0.2 * rng.share();
    let gap = matches!(point.pattern, "gap" | "recent" | "superset" | "absence");
    let hint = point.guess.map_or(1.0, |guess| if guess < 1.0 { 1.4 / guess } else { guess });
    let sketch = match family {
        "offers" => 0.0,
        "riblt" => (1.36 + 2.0 / (d + 1.0)) * (d + f64::from(point.window)) * (id + 5.0) * jitter + 24.0,
        "iblt" => (1.5 * d * hint + 12.0) * (id + 5.0) * (0.95 + 0.05 * jitter),
        "pinsketch" => (1.25 * d * hint + 4.0) * id * jitter,
        "bloom" => m * if spec.contains("14") { 1.75 } else { 1.25 },
        "fuse" => m * 2.25,
        _ => {
            let leaves = if gap { d / 16.0 + 2.0 } else { d };
            leaves * (id + 10.0) * (m / (d + 1.0) + 2.0).ln().max(1.0) * 4.0 * jitter + 60.0
        }
    };
    let ids = if family == "offers" { m * id * 0.97 } else { d * id * 0.1 };
    let estimator = if oracle || !matches!(family, "iblt" | "pinsketch") { 0 } else { 272 };
    let overshoot = if family == "riblt" { u64::from(point.window) * 150 } else { 0 };
    let up = Bytes {
        salt: 16,
        estimator,
        sketch: sketch as u64,
        ids: ids as u64,
        control: 9,
        overshoot,
        ..Bytes::default()
    };
    let down = Bytes { salt: 8, request: (d * 4.0) as u64 + 2, control: 7, ..Bytes::default() };
    (up, down)
}

fn row(
    axis: Axis,
    number: u32,
    replicate: u32,
    contender: usize,
    point: &Point,
    recipe: &Recipe,
) -> ExactRow {
    let scenario = (u64::from(number) << 32) ^ u64::from(replicate) ^ ((axis as u64) << 56);
    let seed = Rng(scenario).next();
    let mut rng = Rng(seed ^ (contender as u64) << 8);
    let (mut up, down) = cost(contender, point, &mut rng);
    let (spec, family, _, oracle) = FIELD[contender];
    let luck = rng.share();
    let hard = family == "pinsketch" && point.d > 3_000;
    let (outcome, reason) = match family {
        _ if recipe.wrong && axis == Axis::D && contender == 9 && number == 7 && replicate == 3 => {
            (Outcome::Wrong, Some("two ids collided and one item was taken for known".to_owned()))
        }
        "pinsketch" if recipe.failures && hard => {
            (Outcome::GaveUp, Some("nominal CPU above 20 s: capacity 4096".to_owned()))
        }
        "bloom" if recipe.failures && point.d > 50 && luck < 0.2 => {
            (Outcome::GaveUp, Some("1 item missed after 3 rounds".to_owned()))
        }
        "iblt" if recipe.failures && luck < if oracle { 0.15 } else { 0.06 } && point.d > 0 => {
            (Outcome::Recovered, Some("first table did not decode".to_owned()))
        }
        _ => (Outcome::Exact, None),
    };
    if outcome == Outcome::Recovered {
        up.retry = up.sketch;
    }
    let d_initiator = if point.pattern == "superset" { 0 } else { point.d / 2 };
    let flights = match family {
        "range" => 2 + 2 * ((point.m as f64).ln() / 16f64.ln()).ceil() as u32,
        "riblt" => 2 + (point.d as u32 / 8) / point.window,
        "offers" | "fuse" => 2,
        _ => 4,
    };
    let missed = u64::from(matches!(outcome, Outcome::Wrong | Outcome::GaveUp));
    ExactRow {
        sweep: sweep(axis).name,
        point: number,
        replicate,
        seed,
        spec: spec.into(),
        workload: point.workload.into(),
        pattern: point.pattern.into(),
        m: point.m,
        n: 2,
        k: 1,
        d: point.d,
        d_initiator,
        d_responder: point.d - d_initiator,
        stretches: Some(match point.pattern {
            "scattered" | "superset" | "author" => point.d,
            "absence" => point.d.min(2),
            _ => point.d.min(1),
        }),
        window: point.window,
        guess: point.guess,
        absence_ms: point.absence_ms,
        attack: None,
        outcome,
        reason,
        tries: if outcome == Outcome::Recovered { 2 } else { 1 },
        missed,
        invented: 0,
        up,
        down,
        frames_up: 2,
        frames_down: 1,
        frames_overshoot: u64::from(up.overshoot > 0),
        flights,
        flow_up: Vec::new(),
        flow_down: Vec::new(),
        decode_attempts: 1,
        decode_failures: u64::from(outcome == Outcome::Recovered),
        estimate: (family == "iblt").then_some(point.d),
        capacity: None,
        heap_peak_bytes: up.total() * 3 + 4_096,
        index_heap_bytes: point.m * 40,
    }
}

fn timed(axis: Axis, number: u32, contender: usize, point: &Point, exact: &ExactRow) -> Vec<TimedRow> {
    let mut rng = Rng(u64::from(number) << 8 ^ contender as u64);
    let mut one = |timed: Timed, spec: &str, ns: f64| TimedRow {
        sweep: sweep(axis).name,
        point: number,
        seed: exact.seed,
        spec: spec.into(),
        timed,
        m: point.m,
        n_items: point.m - exact.d_responder,
        d: point.d,
        batch: 4,
        samples_ns: (0..15).map(|_| (4.0 * ns * (0.95 + 0.2 * rng.share())) as u64).collect(),
    };
    let (m, d) = (point.m as f64, point.d as f64);
    let weight = 1.0 + contender as f64 / 3.0;
    let mut rows = vec![one(Timed::Build, &exact.spec, m * 30.0 * weight)];
    if exact.succeeded() {
        rows.push(one(Timed::Session, &exact.spec, 20_000.0 + m * 8.0 * weight + d * 900.0 * weight));
    }
    if contender == 0 {
        rows.push(one(Timed::Empty, "empty", 850.0));
    }
    rows
}

/// The machine that times.
pub fn machine() -> Machine {
    Machine {
        cpu: "Invented CPU at 3 GHz".into(),
        cores: 2,
        governor: "unknown".into(),
        os: "linux x86_64".into(),
        rustc: "rustc 1.0.0".into(),
        flags: "release, lto=thin".into(),
        kernels: [("riblt".to_owned(), "portable".to_owned())].into(),
    }
}

/// Header of either lane.
pub fn header(lane: Lane, recipe: &Recipe, rows: u64) -> Header {
    Header {
        offerbench: lane,
        schema: SCHEMA,
        experiment: "synthetic".into(),
        spec_hash: "5eed".repeat(8),
        seed: 7,
        commit: "0123456789abcdef".into(),
        dirty: false,
        command: format!(
            "offerbench {} synthetic --seed 7",
            if lane == Lane::Exact { "run" } else { "time" }
        ),
        rows,
        sweeps: recipe.axes.iter().map(|axis| sweep(*axis)).collect(),
        groups: Vec::new(),
        contenders: FIELD[..recipe.contenders]
            .iter()
            .map(|(spec, strategy, id_bits, oracle)| Contender {
                spec: (*spec).into(),
                strategy: (*strategy).into(),
                id_bits: *id_bits,
                keyed: *strategy != "offers",
                guarantee: if *strategy == "bloom" { "may miss items" } else { "exact" }.into(),
                oracle: *oracle,
                parameters: 0,
                code_lines: 0,
            })
            .collect(),
        links: Vec::new(),
        machine: (lane == Lane::Timed).then(machine),
    }
}

/// Rows of both lanes.
pub fn rows(recipe: &Recipe) -> (Vec<ExactRow>, Vec<TimedRow>) {
    let (mut exact, mut times) = (Vec::new(), Vec::new());
    for axis in &recipe.axes {
        for (number, point) in grid(*axis, recipe).iter().enumerate() {
            let number = number as u32;
            for contender in 0..recipe.contenders {
                for replicate in 0..recipe.replicates {
                    exact.push(row(*axis, number, replicate, contender, point, recipe));
                }
                if let (Axis::M | Axis::D, Some(first)) =
                    (axis, exact.iter().rev().find(|r| r.replicate == 0))
                {
                    times.extend(timed(*axis, number, contender, point, first));
                }
            }
        }
    }
    (exact, times)
}

/// Lines of a file.
pub fn file<R: serde::Serialize>(header: &Header, rows: &[R]) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(header).expect("a header is JSON");
    bytes.push(b'\n');
    for row in rows {
        serde_json::to_writer(&mut bytes, row).expect("a row is JSON");
        bytes.push(b'\n');
    }
    bytes
}

/// Lines of a file that was read.
pub fn bytes_of(run: &Run) -> Vec<u8> {
    match run.rows() {
        Rows::Exact(rows) => file(run.header(), rows),
        Rows::Timed(rows) => file(run.header(), rows),
        Rows::Group(rows) => file(run.header(), rows),
        Rows::Cpu(rows) => file(run.header(), rows),
        Rows::Peers(rows) => file(run.header(), rows),
    }
}

/// Both files of a recipe.
pub fn files(recipe: &Recipe) -> (Vec<u8>, Vec<u8>) {
    let (exact, times) = rows(recipe);
    (
        file(&header(Lane::Exact, recipe, exact.len() as u64), &exact),
        file(&header(Lane::Timed, recipe, times.len() as u64), &times),
    )
}

/// Reads one file, which must be sound.
pub fn run(name: &str, bytes: &[u8]) -> Run {
    read(name, &mut &bytes[..]).expect("the file is sound")
}

/// The book of a recipe.
pub fn book(recipe: &Recipe) -> Book {
    let (exact, times) = files(recipe);
    Book::unite(vec![run("exact.jsonl", &exact), run("timed.jsonl", &times)]).expect("the files go together")
}

/// Holds a text against its golden copy, or renews that where `UPDATE_GOLDEN` is set.
#[track_caller]
pub fn golden(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("the golden copy is written");
    }
    let golden = std::fs::read_to_string(&path).expect("there is a golden copy");
    for (at, (one, other)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(one, other, "line {} of tests/golden/{name}", at + 1);
    }
    assert_eq!(text.len(), golden.len(), "length of tests/golden/{name}");
}

/// The page without what is packed into it, plotly.js and the records: megabytes that nobody reads.
pub fn unpacked(page: &str) -> String {
    let mut ours = String::new();
    let mut rest = page;
    for (start, end) in std::iter::repeat_n(("base64,", "\""), page.matches(";base64,").count())
        .chain([("<script type=\"application/gzip\" id=\"plotly\"", "</script>")])
    {
        let from = rest.find(start).expect("what was counted is there") + start.len();
        ours += &rest[..from];
        rest = &rest[from..];
        rest = &rest[rest.find(end).expect("what is packed ends")..];
    }
    ours + rest
}
