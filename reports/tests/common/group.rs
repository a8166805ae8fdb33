//! Group files that nobody measured. Costs follow planted laws, so that tests know what a fit must find.

use offerbench_reports::record::{
    Bytes, Contender, CpuRow, GroupAxis, GroupOutcome, GroupRow, GroupSweep, Header, Hist, Kinds, Lane,
    SCHEMA, Spread,
};
use offerbench_reports::{Book, Run};

use super::{Rng, file, machine, run};

/// What to make.
#[derive(Clone, Debug)]
pub struct GroupRecipe {
    /// Contenders, of those in [`GROUP_FIELD`].
    pub contenders: usize,
    /// Replicates of each point.
    pub replicates: u32,
    /// Sweeps, one an axis.
    pub axes: Vec<GroupAxis>,
    /// Members in sweeps over n.
    pub members: Vec<u32>,
    /// Whether some trial is wrong.
    pub wrong: bool,
}

/// Paths with the id of their strategy.
pub const GROUP_FIELD: [(&str, &str); 6] = [
    ("batch", "batch"),
    ("interactive", "interactive"),
    ("riblt:batch=4,bits=64,check=32", "riblt"),
    ("range:buckets=16,fp=16,leaf=32", "range"),
    ("iblt:bits=64,check=32,k=4,size=tow", "iblt"),
    ("range:buckets=64,fp=8,leaf=8", "range"),
];

/// Bytes of a message's body.
pub const BODY_LEN: u64 = 120;

/// A day in milliseconds.
pub const DAY_MS: u64 = 86_400_000;

impl GroupRecipe {
    /// Three contenders, few points: for the golden page.
    pub fn small() -> Self {
        Self {
            contenders: 3,
            replicates: 3,
            axes: vec![GroupAxis::N, GroupAxis::K, GroupAxis::Away],
            members: vec![4, 10, 30],
            wrong: false,
        }
    }

    /// Every axis.
    pub fn large() -> Self {
        Self {
            contenders: GROUP_FIELD.len(),
            replicates: 3,
            axes: vec![
                GroupAxis::N,
                GroupAxis::K,
                GroupAxis::M,
                GroupAxis::History,
                GroupAxis::Uptime,
                GroupAxis::Away,
                GroupAxis::Sharing,
                GroupAxis::Mode,
                GroupAxis::Acks,
                GroupAxis::Link,
                GroupAxis::Life,
            ],
            members: vec![4, 10, 30, 100, 300, 1_000],
            wrong: false,
        }
    }
}

/// A point of a grid.
#[derive(Clone, Debug)]
pub struct Spot {
    pub n: u32,
    pub sharing: &'static str,
    pub k: u32,
    pub history: u64,
    pub written: u64,
    pub uptime_ppm: u32,
    pub away_ms: Option<u64>,
    pub mode: &'static str,
    pub acks: &'static str,
    pub link: &'static str,
    pub presence: &'static str,
}

fn log2(n: u32) -> u32 {
    (u32::BITS - (n - 1).leading_zeros()).clamp(1, n - 1)
}

/// The points of a sweep.
pub fn spots(axis: GroupAxis, recipe: &GroupRecipe) -> Vec<Spot> {
    let base = Spot {
        n: 20,
        sharing: "random:k=3",
        k: 3,
        history: 100,
        written: 24,
        uptime_ppm: 1_000_000,
        away_ms: None,
        mode: "offer",
        acks: "each",
        link: "lan",
        presence: "always",
    };
    let each = |change: &dyn Fn(&mut Spot, usize), count: usize| {
        (0..count)
            .map(|place| {
                let mut spot = base.clone();
                change(&mut spot, place);
                spot
            })
            .collect::<Vec<_>>()
    };
    let members = &recipe.members;
    match axis {
        GroupAxis::N => {
            let rule = |sharing: &'static str| {
                each(
                    &|spot, place| {
                        spot.n = members[place];
                        spot.sharing = sharing;
                        spot.k = if sharing == "all" { spot.n - 1 } else { log2(spot.n) };
                    },
                    members.len(),
                )
            };
            // All with all is dear: only smaller groups do it.
            let all = rule("all").into_iter().filter(|spot| spot.n <= 100);
            all.chain(rule("log2")).collect()
        }
        GroupAxis::K => each(
            &|spot, place| {
                (spot.n, spot.k) = (50, [1, 2, 3, 5, 8, 49][place]);
                spot.sharing =
                    ["random:k=1", "random:k=2", "random:k=3", "random:k=5", "random:k=8", "all"][place];
            },
            6,
        ),
        GroupAxis::M => each(&|spot, place| spot.written = [0, 10, 30, 100, 300][place], 5),
        GroupAxis::History => each(&|spot, place| spot.history = [0, 100, 1_000, 10_000, 100_000][place], 5),
        GroupAxis::Uptime => each(
            &|spot, place| {
                spot.uptime_ppm = [100_000, 300_000, 600_000, 1_000_000][place];
                spot.presence = "phones";
            },
            4,
        ),
        GroupAxis::Away => {
            each(&|spot, place| spot.away_ms = Some([600_000, 28_800_000, 7 * DAY_MS][place]), 3)
        }
        GroupAxis::Sharing => each(
            &|spot, place| {
                spot.sharing = ["all", "ring:k=2", "random:k=3"][place];
                spot.k = [19, 2, 3][place];
            },
            3,
        ),
        GroupAxis::Mode => {
            each(&|spot, place| spot.mode = ["offer", "push", "offer-uncoordinated"][place], 3)
        }
        GroupAxis::Acks => each(&|spot, place| spot.acks = ["each", "none"][place], 2),
        GroupAxis::Link => each(&|spot, place| spot.link = ["lan", "4g", "lossy"][place], 3),
        GroupAxis::Life => each(&|spot, place| spot.presence = ["always", "phones"][place], 2),
    }
}

/// Name of the axis' sweep.
pub fn group_sweep(axis: GroupAxis) -> GroupSweep {
    let name = serde_json::to_value(axis).expect("an axis is a word");
    let name = name.as_str().unwrap_or_default().to_owned();
    GroupSweep {
        question: format!("What does a member pay along {name}?"),
        expectation: format!("Somebody expected something of {name}."),
        name: format!("by-{name}"),
        axis,
    }
}

/// What a contender's overhead grows with, times a constant: members, links a member, history.
pub fn law(contender: usize) -> (f64, [f64; 3]) {
    match GROUP_FIELD[contender].1 {
        "batch" => (70.0, [0.0, 1.0, 0.0]),
        "interactive" => (50.0, [0.0, 1.0, 0.0]),
        "iblt" => (900.0, [0.0, 1.0, 0.0]),
        "range" => (300.0, [0.0, 1.0, 0.1]),
        _ => (220.0, [0.0, 1.0, 0.0]),
    }
}

/// One row.
pub fn group_row(axis: GroupAxis, number: u32, replicate: u32, contender: usize, spot: &Spot) -> GroupRow {
    let seed = Rng((u64::from(number) << 32) ^ u64::from(replicate) ^ ((axis as u64) << 56)).next();
    let mut rng = Rng(seed ^ contender as u64);
    let (spec, strategy) = GROUP_FIELD[contender];
    let (n, written) = (u64::from(spot.n), spot.written);
    let pairs = n * (n - 1) / 2;
    let links = (n * u64::from(spot.k)).min(pairs);
    let needed = written * (n - 1);
    let online = f64::from(spot.uptime_ppm) / 1e6;
    let lonely = spot.k == 1;
    let share = if lonely { 0.8 } else { 1.0 } * online.sqrt();
    let delivered = (needed as f64 * share) as u64;
    let noise = 0.97 + 0.06 * rng.share();
    let degree = 2.0 * links as f64 / n as f64;
    let (scale, [of_n, of_k, of_m]) = law(contender);
    let m = (spot.history + written) as f64;
    // What the network spends beside bodies: a sum over members.
    let overhead =
        (scale * noise * 24.0 * n as f64 * (n as f64).powf(of_n) * degree.powf(of_k) * (1.0 + m).powf(of_m))
            as u64;
    let redundant = match (strategy, spot.mode) {
        ("batch", _) | (_, "push") => needed / 2,
        (_, "offer-uncoordinated") => needed / 5,
        _ => needed / 50,
    };
    let session = !matches!(strategy, "batch" | "interactive");
    let (small, large) = (overhead / 10, overhead - 2 * (overhead / 10));
    let body = (delivered + redundant) * BODY_LEN;
    let kinds = Kinds {
        header: small,
        ack: if spot.acks == "none" { 0 } else { small },
        offer: if session { 0 } else { large },
        request: 3 * delivered,
        message: 12 * (delivered + redundant),
        body,
        frame: if session { large } else { 0 },
        channel: if session { 40 } else { 0 },
    };
    let total = kinds.total();
    let received = (total as f64 * 0.97) as u64;
    let mut delivery_ms = Hist::default();
    let slow = if spot.presence == "phones" { 3_000_000.0 } else { 300.0 };
    for _ in 0..delivered {
        let (one, two) = (rng.share(), rng.share());
        delivery_ms.record((slow * (0.2 - (1.0 - one).ln()) * (0.5 + two)) as u64);
    }
    let (mut missed, mut catch_up_ms, mut catch_ups_cut) = (Hist::default(), Hist::default(), 0);
    let returns = if spot.away_ms.is_some() || spot.presence == "phones" { 2 * n } else { 0 };
    for place in 0..returns {
        let lacking = if place % 3 == 0 { 0 } else { 1 + rng.next() % 40 };
        missed.record(lacking);
        match place % 7 {
            _ if lacking == 0 => {}
            0 => catch_ups_cut += 1,
            _ => catch_up_ms.record(400 + lacking * 30 + rng.next() % 500),
        }
    }
    let sessions = if session { 24 * links } else { 0 };
    let each = total / n;
    GroupRow {
        sweep: group_sweep(axis).name,
        point: number,
        replicate,
        seed,
        spec: spec.into(),
        workload: "even".into(),
        presence: spot.presence.into(),
        sharing: spot.sharing.into(),
        mode: spot.mode.into(),
        acks: spot.acks.into(),
        link: spot.link.into(),
        n: spot.n,
        relays: 0,
        k: spot.k,
        links,
        connected: !lonely,
        one_way_reach_ppm: spot
            .sharing
            .starts_with("random")
            .then(|| if lonely { 0 } else { 1_000_000 - 400_000 / spot.k }),
        history: spot.history,
        written,
        m: spot.history + written,
        duration_ms: DAY_MS,
        uptime_ppm: spot.uptime_ppm,
        away_ms: spot.away_ms,
        outcome: if delivered == needed { GroupOutcome::Complete } else { GroupOutcome::Partial },
        reason: None,
        needed,
        lacked: 0,
        possible_ppm: 1_000_000,
        delivered,
        reached_all: spot.history + if delivered == needed { written } else { written / 2 },
        redundant,
        redundant_bytes: redundant * BODY_LEN,
        resends: redundant / 3,
        sent_bytes: kinds,
        sent_count: Kinds { header: total / 500, body: 0, ..Kinds::default() },
        frames: if session {
            Bytes { salt: large / 20, sketch: large / 2, control: large / 10, ..Bytes::default() }
        } else {
            Bytes::default()
        },
        payloads: total / 500,
        lost: 0,
        wire_bytes: total + total / 10,
        member_bytes: Spread {
            min: each,
            p50: 2 * each,
            p90: 3 * each,
            max: 4 * each,
            sum: total + received,
        },
        relay_bytes: Spread::default(),
        sessions_opened: sessions,
        sessions_done: sessions - sessions / 50,
        sessions_failed: sessions / 50,
        flights: 3 * (sessions - sessions / 50),
        flights_max: if session { 9 } else { 0 },
        delivery_ms,
        missed,
        catch_up_ms,
        catch_ups_cut,
        heap_peak_bytes: n * 40_000,
        state_bytes: Spread { min: 4_000, p50: 5_000, p90: 6_000, max: 9_000, sum: 5_100 * n },
    }
}

/// Header of either lane.
pub fn group_header(lane: Lane, recipe: &GroupRecipe, rows: u64) -> Header {
    Header {
        offerbench: lane,
        schema: SCHEMA,
        experiment: "synthetic".into(),
        spec_hash: "5eed".repeat(8),
        seed: 7,
        commit: "0123456789abcdef".into(),
        dirty: false,
        command: "offerbench run synthetic --seed 7".into(),
        rows,
        sweeps: Vec::new(),
        groups: recipe.axes.iter().map(|axis| group_sweep(*axis)).collect(),
        contenders: GROUP_FIELD[..recipe.contenders]
            .iter()
            .map(|(spec, strategy)| {
                let session = spec.contains(':');
                Contender {
                    spec: (*spec).into(),
                    strategy: (*strategy).into(),
                    id_bits: if session { 64 } else { 0 },
                    keyed: session,
                    guarantee: "exact".into(),
                    oracle: false,
                    parameters: 0,
                    code_lines: 0,
                }
            })
            .collect(),
        links: Vec::new(),
        machine: (lane == Lane::Cpu).then(machine),
    }
}

/// Rows of both lanes.
pub fn group_rows(recipe: &GroupRecipe) -> (Vec<GroupRow>, Vec<CpuRow>) {
    let (mut group, mut cpu) = (Vec::new(), Vec::new());
    for axis in &recipe.axes {
        for (number, spot) in spots(*axis, recipe).iter().enumerate() {
            for contender in 0..recipe.contenders {
                for replicate in 0..recipe.replicates {
                    let mut row = group_row(*axis, number as u32, replicate, contender, spot);
                    if recipe.wrong && replicate == 0 && number == 0 && contender == 1 {
                        row.outcome = GroupOutcome::Wrong;
                        row.reason = Some("message 7 was delivered twice".into());
                    }
                    cpu.push(CpuRow {
                        sweep: row.sweep.clone(),
                        point: row.point,
                        replicate,
                        spec: row.spec.clone(),
                        cpu_ns: 1_000_000 + row.sent_bytes.total() * (3 + contender as u64),
                    });
                    group.push(row);
                }
            }
        }
    }
    (group, cpu)
}

/// Both files of a recipe.
pub fn group_files(recipe: &GroupRecipe) -> (Vec<u8>, Vec<u8>) {
    let (group, cpu) = group_rows(recipe);
    (
        file(&group_header(Lane::Group, recipe, group.len() as u64), &group),
        file(&group_header(Lane::Cpu, recipe, cpu.len() as u64), &cpu),
    )
}

/// The runs of a recipe.
pub fn group_runs(recipe: &GroupRecipe) -> Vec<Run> {
    let (group, cpu) = group_files(recipe);
    vec![run("group.jsonl", &group), run("cpu.jsonl", &cpu)]
}

/// The book of a recipe.
pub fn group_book(recipe: &GroupRecipe) -> Book {
    Book::unite(group_runs(recipe)).expect("the files go together")
}
