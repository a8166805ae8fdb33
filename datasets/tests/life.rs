//! What must hold of every life, whatever the spec and the seed.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

use offerbench_algos::Seed;
use offerbench_datasets::MESSAGES_MAX;
use offerbench_datasets::life::{
    Clocks, DURATION_MS_MAX, Life, LifeError, LifeSpec, MEMBERS_MAX, Online, Traffic,
};
use proptest::prelude::*;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

fn spec(traffic: Traffic, online: Online) -> LifeSpec {
    LifeSpec {
        members: 20,
        duration_ms: 30 * DAY_MS,
        traffic,
        messages_day: 100.0,
        online,
        writes_offline: false,
        clocks: Clocks::default(),
        replies: false,
    }
}

fn is_online(life: &Life, member: u32, at_ms: u64) -> bool {
    let stays = &life.stays[member as usize];
    let next = stays.partition_point(|stay| stay.off_ms <= at_ms);
    stays.get(next).is_some_and(|stay| stay.on_ms <= at_ms)
}

fn check(spec: &LifeSpec, life: &Life) {
    assert_eq!((life.members, life.end_ms), (spec.members, spec.duration_ms));
    assert!(life.writes.is_sorted_by_key(|write| write.at_ms));
    assert_eq!(life.stays.len(), spec.members as usize);
    for stays in &life.stays {
        assert!(stays.iter().all(|stay| stay.on_ms < stay.off_ms && stay.off_ms <= life.end_ms));
        assert!(stays.windows(2).all(|two| two[0].off_ms < two[1].on_ms));
    }
    for (index, write) in (0_u32..).zip(&life.writes) {
        assert!(write.author < life.members);
        assert!(write.at_ms < life.end_ms);
        assert!(write.size > 0);
        assert!(write.parents.is_sorted_by(|a, b| a < b));
        assert!(write.parents.last().is_none_or(|last| *last < index));
        assert!(spec.replies || write.parents.is_empty());
        let moves_freely = spec.writes_offline && matches!(spec.online, Online::Alternating { .. });
        assert!(moves_freely || is_online(life, write.author, write.at_ms), "{write:?}");
    }
}

fn online() -> impl Strategy<Value = Online> {
    prop_oneof![
        Just(Online::Always),
        (1_u32..=1_000_000, 60_u32..100_000)
            .prop_map(|(uptime_ppm, stay_s)| Online::Alternating { uptime_ppm, stay_s }),
        Just(Online::Phones),
        (1_u32..10_000).prop_map(|timeout_s| Online::Talking { timeout_s }),
    ]
}

fn clocks() -> impl Strategy<Value = Clocks> {
    (0_u32..1_000, 0_u32..=1_000_000, 0_u32..100_000, 0_u32..100).prop_map(
        |(skew_max_s, late_ppm, late_mean_s, tie_s)| Clocks { skew_max_s, late_ppm, late_mean_s, tie_s },
    )
}

prop_compose! {
    fn any_spec()(
        members in 1_u32..60,
        duration_ms in prop_oneof![1_u64..10, 1..DAY_MS, DAY_MS..40 * DAY_MS],
        traffic in proptest::sample::select(Traffic::ALL),
        messages_day in prop_oneof![Just(0.0), 0.0..10.0, 10.0..300.0],
        online in online(),
        writes_offline in any::<bool>(),
        clocks in clocks(),
        replies in any::<bool>(),
    ) -> LifeSpec {
        LifeSpec { members, duration_ms, traffic, messages_day, online, writes_offline, clocks, replies }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_life_is_well_formed_and_the_same_again(spec in any_spec(), seed in any::<u64>()) {
        let seed = Seed::new(seed);
        match spec.draw(seed) {
            Ok(life) => {
                check(&spec, &life);
                prop_assert_eq!(spec.draw(seed).unwrap(), life);
            }
            // In a short life it happens that nobody comes.
            Err(LifeError::NeverOnline { .. }) => {
                assert!(matches!(spec.online, Online::Alternating { .. }) && !spec.writes_offline);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// The sum over a life of everything in it, by FNV-1a.
fn digest(life: &Life) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |value: u64| {
        for byte in value.to_le_bytes() {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(u64::from(life.members));
    add(life.end_ms);
    for write in &life.writes {
        [write.at_ms, u64::from(write.author), u64::from(write.size), write.skew_ms as u64]
            .into_iter()
            .for_each(&mut add);
        add(write.parents.len() as u64);
        write.parents.iter().for_each(|parent| add(u64::from(*parent)));
    }
    for stays in &life.stays {
        add(stays.len() as u64);
        stays.iter().for_each(|stay| [stay.on_ms, stay.off_ms].into_iter().for_each(&mut add));
    }
    sum
}

/// Pinned: a change here changes every recorded run.
#[test]
fn lives_are_pinned() {
    let drawn = |traffic, online: &str, clocks, replies| {
        let spec = LifeSpec { clocks, replies, ..spec(traffic, online.parse().unwrap()) };
        digest(&spec.draw(Seed::new(1)).unwrap())
    };
    let clocks = Clocks { skew_max_s: 120, late_ppm: 10_000, late_mean_s: 3_600, tie_s: 1 };
    let off = Clocks::default();
    let found = [
        drawn(Traffic::Even, "always", off, false),
        drawn(Traffic::Busy, "always", off, false),
        drawn(Traffic::Small, "always", off, false),
        drawn(Traffic::Small, "alternating", off, false),
        drawn(Traffic::Small, "phones", off, false),
        drawn(Traffic::Busy, "phones", off, false),
        drawn(Traffic::Small, "talking", off, false),
        drawn(Traffic::Even, "always", clocks, true),
    ];
    let pinned = [
        7325436375147208303,
        3526325044750367467,
        6687397930546595857,
        16586938591333070919,
        14135767021587612906,
        15736195449768024137,
        2142317667598843315,
        15606941114658990371,
    ];
    assert_eq!(found, pinned, "{found:?}");
}

/// Presence, clocks and replies are drawn apart from the messages; presence only where it moves them.
#[test]
fn options_shift_nobody_else_s_draws() {
    let seed = Seed::new(5);
    let texts = |spec: &LifeSpec| -> Vec<(u64, u32, u32)> {
        let life = spec.draw(seed).unwrap();
        life.writes.iter().map(|write| (write.at_ms, write.author, write.size)).collect()
    };
    for traffic in Traffic::ALL {
        let plain = spec(*traffic, Online::Always);
        let expected = texts(&plain);
        assert!(expected.len() > 100);
        for online in Online::ALL {
            let clocks = Clocks { skew_max_s: 9, late_ppm: 500_000, late_mean_s: 60, tie_s: 1 };
            let other =
                LifeSpec { online: *online, writes_offline: true, clocks, replies: true, ..plain.clone() };
            assert_eq!(texts(&other), expected, "{traffic} {online}");
        }
    }
}

/// The number of messages comes out on average, also for lives of a few hours that see only a part of a week.
#[test]
fn messages_a_day_come_out_on_average() {
    for traffic in Traffic::ALL {
        for (duration_ms, lives) in [(5 * HOUR_MS, 1_000_u64), (70 * DAY_MS, 10)] {
            let spec = LifeSpec { duration_ms, messages_day: 1_000.0, ..spec(*traffic, Online::Always) };
            let drawn: usize = (0..lives).map(|seed| spec.draw(Seed::new(seed)).unwrap().writes.len()).sum();
            let ratio = drawn as f64 / lives as f64 / spec.messages_expected();
            // Five hours of a small group are nothing or hundreds: 1,000 of them deviate by some 5%.
            assert!((0.88..1.12).contains(&ratio), "{traffic} for {duration_ms} ms: {ratio}");
        }
    }
}

#[test]
fn low_numbers_are_not_special_and_some_never_write() {
    let mut first = 0;
    for seed in 0..200 {
        let life = spec(Traffic::Small, Online::Always).draw(Seed::new(seed)).unwrap();
        let mut counts = [0_u32; 20];
        life.writes.iter().for_each(|write| counts[write.author as usize] += 1);
        assert!(counts.iter().filter(|count| **count == 0).count() >= 4, "{counts:?}");
        first += u32::from(counts[0] == *counts.iter().max().unwrap());
    }
    // One in twenty: Binomial(200, 1/20) deviates by 3.1.
    assert!((1..26).contains(&first), "{first}");
}

#[test]
fn what_is_no_life_is_refused() {
    let even = || spec(Traffic::Even, Online::Always);
    let refused = |spec: LifeSpec| spec.draw(Seed::new(1)).unwrap_err();
    for members in [0, MEMBERS_MAX + 1] {
        assert_eq!(refused(LifeSpec { members, ..even() }), LifeError::Members { members });
    }
    for duration_ms in [0, DURATION_MS_MAX + 1] {
        assert_eq!(refused(LifeSpec { duration_ms, ..even() }), LifeError::Duration { duration_ms });
    }
    for messages_day in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = refused(LifeSpec { messages_day, ..even() });
        assert!(matches!(error, LifeError::Rate { .. }), "{error}");
    }
    for messages_day in [f64::MAX, MESSAGES_MAX as f64] {
        let error = refused(LifeSpec { messages_day, ..even() });
        assert!(matches!(error, LifeError::TooManyMessages { .. }), "{error}");
    }
    // Few of these would fall into the life itself, but whole clusters and weeks are drawn.
    for traffic in [Traffic::Busy, Traffic::Small] {
        let error = refused(LifeSpec { duration_ms: 1, messages_day: 1e9, ..spec(traffic, Online::Always) });
        assert!(matches!(error, LifeError::TooManyMessages { .. }), "{error}");
    }
    let stays = Online::Alternating { uptime_ppm: 999_999, stay_s: 1 };
    let error = refused(LifeSpec { members: 1_000, online: stays, ..even() });
    assert!(matches!(error, LifeError::TooManyStays { .. }), "{error}");
    let never = Online::Alternating { uptime_ppm: 0, stay_s: 1 };
    assert_eq!(refused(LifeSpec { online: never, ..even() }), LifeError::NeverOnline { online: never });
    assert!(LifeSpec { online: never, writes_offline: true, ..even() }.draw(Seed::new(1)).is_ok());
    assert!(LifeSpec { online: never, messages_day: 0.0, ..even() }.draw(Seed::new(1)).is_ok());
    let parts = [
        Online::Alternating { uptime_ppm: 1_000_001, stay_s: 1 },
        Online::Alternating { uptime_ppm: 1, stay_s: 0 },
        Online::Talking { timeout_s: 0 },
    ];
    for online in parts {
        assert_eq!(refused(LifeSpec { online, ..even() }), LifeError::Online { online });
    }
    let year = Clocks::OFF_S_MAX + 1;
    let clocks = [
        Clocks { skew_max_s: year, ..Clocks::default() },
        Clocks { late_mean_s: year, ..Clocks::default() },
        Clocks { tie_s: year, ..Clocks::default() },
        Clocks { late_ppm: 1_000_001, ..Clocks::default() },
    ];
    for clocks in clocks {
        let error = refused(LifeSpec { clocks, ..even() });
        assert!(matches!(error, LifeError::Clock { .. }), "{error}");
    }
}

/// The extremes that are allowed: one member, a millisecond, a hundred years.
#[test]
fn the_smallest_and_the_longest_lives_are_lives() {
    for traffic in Traffic::ALL {
        for online in Online::ALL {
            for (duration_ms, messages_day) in [(1, 1e4), (1, 0.0), (DURATION_MS_MAX, 0.01), (DAY_MS, 1e-300)]
            {
                let spec = LifeSpec {
                    members: 1,
                    duration_ms,
                    messages_day,
                    online: match online {
                        Online::Alternating { .. } => {
                            Online::Alternating { uptime_ppm: 500_000, stay_s: 86_400 }
                        }
                        other => *other,
                    },
                    writes_offline: true,
                    ..spec(*traffic, Online::Always)
                };
                check(&spec, &spec.draw(Seed::new(1)).unwrap());
            }
        }
    }
}
