//! Two ends over a road that the test holds in its hands, against the duel of the same two sessions.

use std::collections::BTreeMap;

use offerbench_algos::wire::Purpose;
use offerbench_algos::{
    Built, DiffHint, DuelLimits, Item, REGISTRY, Rng, Role, Seed, Setup, Transcript, build, duel,
};

use super::*;

const GROUP: [u8; 32] = [7; 32];
const STEP: Span = Span::from_ms(50);

/// A pair of sets: so many in common, so many at one end alone, and at the other.
#[derive(Clone, Copy, Debug)]
struct Case(u64, u64, u64);

const CASES: [Case; 5] =
    [Case(200, 0, 0), Case(200, 3, 0), Case(0, 0, 40), Case(2000, 30, 50), Case(300, 400, 1)];

fn config() -> ChannelConfig {
    ChannelConfig { frame_len_max: 1024, window_bytes: 1 << 20, ..ChannelConfig::default() }
}

fn sessions(built: &Built, case: Case) -> [Box<dyn Session>; 2] {
    let Case(common, mine, theirs) = case;
    let seed = Seed::new(5);
    let item = |n: u64| Item { at: 1_700_000_000_000 + n * 700, id: ItemId::new(seed.nth(n).rng().bytes()) };
    let total = common + mine + theirs;
    // Those of one end alone are the newest, or stand among the others.
    let of = |alone: std::ops::Range<u64>| -> Vec<Item> { (0..common).chain(alone).map(item).collect() };
    let sets = [of(common..common + mine), of(common + mine..total)];
    let mut setup = Setup::new(Seed::new(9));
    setup.frame_len_max = config().frame_len_max;
    setup.diff = DiffHint::Oracle(mine + theirs);
    let open = |set: &[Item], role| built.strategy.index(set).open(role, &setup);
    [open(&sets[0], Role::Initiator), open(&sets[1], Role::Responder)]
}

fn fight(built: &Built, case: Case) -> Transcript {
    let limits = DuelLimits { window: config().window, ..DuelLimits::default() };
    duel(&mut sessions(built, case), &limits).unwrap()
}

fn exchange(initiator: bool, session: Box<dyn Session>) -> Exchange {
    let opening = Opening {
        number: 2,
        initiator,
        group: Bytes::from_static(&GROUP),
        strategy: 1,
        snapshot: FixedBitSet::new(),
        known: FixedBitSet::new(),
        news: false,
    };
    Exchange { run: Some(Run::new(Time::ZERO, opening, &config(), session)), ..Exchange::default() }
}

/// What came of a session over a road that loses one segment in `lose_one_in` (none if 0).
struct Carried {
    outcomes: [Outcome; 2],
    stats: [Stats; 2],
    /// Bytes of each frame that was seen on the road, by its number.
    seen: [BTreeMap<u32, u64>; 2],
}

fn carry(built: &Built, case: Case, lose_one_in: u64, rng: &mut Rng) -> Carried {
    let [a, b] = sessions(built, case);
    let mut ends = [exchange(true, a), exchange(false, b)];
    let mut stats = [Stats::default(), Stats::default()];
    let mut seen = [BTreeMap::new(), BTreeMap::new()];
    let mut now = Time::ZERO;
    while ends.iter().any(|end| !end.run.as_ref().unwrap().is_over()) {
        now = now + STEP;
        assert!(now < Time::ZERO + Span::from_s(36_000), "{} {case:?} does not end", built.spec);
        let mut roads = [Vec::new(), Vec::new()];
        for from in 0..2 {
            let mut room = 1 << 20;
            ends[from].fill(now, &mut room, &mut roads[from], &mut stats[from]);
            for segment in roads[from].iter().filter(|segment| segment.seq > 0) {
                seen[from].insert(segment.seq, segment.frame.len() as u64);
            }
        }
        for (from, road) in roads.into_iter().enumerate() {
            let to = ends[1 - from].run.as_mut().unwrap();
            for segment in road {
                if lose_one_in == 0 || rng.below(lose_one_in) > 0 {
                    to.handle(now, &segment, |_| false).unwrap();
                }
            }
        }
    }
    let outcomes = [0, 1].map(|end| ends[end].run.as_ref().unwrap().outcome(now));
    Carried { outcomes, stats, seen }
}

fn strategies() -> impl Iterator<Item = Built> {
    REGISTRY.iter().flat_map(|entry| entry.presets).map(|preset| build(preset).unwrap())
}

/// The bytes of first sendings are accounted for, whatever is lost; what is sent again is not in them.
#[test]
fn first_sendings_add_up() {
    let mut rng = Seed::new(3).rng();
    let mut resent = 0;
    for built in strategies() {
        for (case, lose_one_in) in [(CASES[3], 0), (CASES[3], 4), (CASES[4], 3)] {
            let carried = carry(&built, case, lose_one_in, &mut rng);
            let mut total = 0;
            for (stats, seen) in carried.stats.iter().zip(&carried.seen) {
                let bytes: u64 = seen.values().sum();
                assert_eq!(stats.frame_spent.total(), bytes, "{}", built.spec);
                assert_eq!(stats.frames_first, crate::Count { count: seen.len() as u64, bytes });
                let all = stats.sent(Kind::Frame);
                resent += all.bytes - bytes;
                assert!(lose_one_in > 0 || all == stats.frames_first, "{}", built.spec);
                total += bytes;
            }
            if lose_one_in == 0 {
                // The duel has left out of `spent` what nobody wanted any more.
                let fought = fight(&built, case);
                let mut all = carried.stats[0].clone();
                all.merge(&carried.stats[1]);
                if fought.traffic.iter().all(|traffic| traffic.overshoot_frames == 0) {
                    for purpose in Purpose::ALL {
                        let spent: u64 = fought.traffic.iter().map(|traffic| traffic.spent.on(purpose)).sum();
                        assert_eq!(all.frame_spent.on(purpose), spent, "{} {purpose:?}", built.spec);
                    }
                    assert_eq!(total, fought.bytes());
                }
            }
        }
    }
    assert!(resent > 0);
}

/// Both ends see the flights of the duel, within one.
#[test]
fn flights_are_those_of_the_duel() {
    let mut rng = Seed::new(3).rng();
    let mut most = 0;
    for built in strategies() {
        for case in CASES {
            let fought = fight(&built, case).flights;
            let carried = carry(&built, case, 0, &mut rng);
            for outcome in carried.outcomes {
                let flights = outcome.flights;
                assert!(flights.abs_diff(fought) <= 1, "{} {case:?}: {flights}, not {fought}", built.spec);
                assert!(outcome.is_done());
                most = most.max(flights);
            }
        }
    }
    assert!(most >= 6, "some sessions are long: {most}");
}
