//! What holds of every policy, then what is particular to each.

use proptest::prelude::*;

use super::*;

fn phones(count: u32) -> Vec<Member> {
    (0..count).map(|identity| Member { identity, kind: Device::Phone, seen_ms: 0 }).collect()
}

fn of_kinds(kinds: &[Device]) -> Vec<Member> {
    let member = |(identity, &kind)| Member { identity: identity as u32, kind, seen_ms: 0 };
    kinds.iter().enumerate().map(member).collect()
}

fn any_member() -> impl Strategy<Value = Member> {
    let kind = prop_oneof![
        Just(Device::Phone),
        Just(Device::Desktop),
        Just(Device::Relay),
        Just(Device::Mailserver)
    ];
    let seen_ms = prop_oneof![Just(0), 0..100_u64, any::<u64>()];
    (0..12_u32, kind, seen_ms).prop_map(|(identity, kind, seen_ms)| Member { identity, kind, seen_ms })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let k = || prop_oneof![0..6_u32, Just(u32::MAX)];
    prop_oneof![
        k().prop_map(|k| Policy::Random { k }),
        k().prop_map(|k| Policy::ProvenUseful { k }),
        k().prop_map(|k| Policy::Identities { k }),
        k().prop_map(|k| Policy::Relays { k }),
        Just(Policy::Mailserver),
        Just(Policy::AllToAll),
        Just(Policy::LogN),
    ]
}

/// Where links must be refused, and nowhere else.
fn expected_error(members: &[Member], policy: Policy) -> Option<SharingError> {
    let of = |kind| members.iter().filter(|member| member.kind == kind).count();
    match policy {
        _ if members.is_empty() => Some(SharingError::NoMembers),
        _ if policy.k() == Some(0) && members.len() > 1 => Some(SharingError::NobodyToShareWith { policy }),
        Policy::Relays { .. } if of(Device::Relay) == 0 => Some(SharingError::NoRelay { policy }),
        Policy::Mailserver if of(Device::Mailserver) != 1 => {
            Some(SharingError::NotOneMailserver { found: of(Device::Mailserver) })
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Sorted, both ways, single, nobody with itself, the same again from the same seed; and every link was
    /// chosen by one of its two ends.
    #[test]
    fn links_are_links(
        members in prop::collection::vec(any_member(), 0..40),
        policy in any_policy(),
        seed in any::<u64>(),
    ) {
        let seed = Seed::new(seed);
        let drawn = share(&members, &policy, seed);
        if let Some(error) = expected_error(&members, policy) {
            prop_assert_eq!(drawn, Err(error));
            return Ok(());
        }
        let links = drawn.unwrap();
        prop_assert_eq!(share(&members, &policy, seed).unwrap(), links.clone());
        let choices = choices(&members, &policy, seed).unwrap();
        prop_assert_eq!(links.count(), members.len());
        prop_assert_eq!(choices.count(), members.len());

        let mut expected: Vec<(u32, u32)> = Vec::new();
        for me in 0..members.len() as u32 {
            prop_assert!(choices.of(me).is_sorted_by(|a, b| a < b));
            prop_assert!(!choices.of(me).contains(&me));
            expected.extend(choices.of(me).iter().map(|&other| (me.min(other), me.max(other))));
        }
        expected.sort_unstable();
        expected.dedup();
        let pairs: Vec<(u32, u32)> = links.pairs().collect();
        prop_assert_eq!(&pairs, &expected);
        prop_assert_eq!(links.degrees().sum, 2 * pairs.len());
        for me in 0..members.len() as u32 {
            let neighbours = links.neighbours(me);
            prop_assert!(neighbours.is_sorted_by(|a, b| a < b));
            let from_pairs = (0..members.len() as u32)
                .filter(|&other| pairs.binary_search(&(me.min(other), me.max(other))).is_ok());
            prop_assert!(neighbours.iter().copied().eq(from_pairs));
        }
        prop_assert_eq!(Links::from_pairs(members.len(), pairs).unwrap(), links);
    }

    /// A larger K adds choices and exchanges none, so that runs with different K differ by that alone.
    #[test]
    fn a_larger_k_only_adds(
        mut members in prop::collection::vec(any_member(), 2..30),
        k in 1..8_u32,
        seed in any::<u64>(),
    ) {
        members[0].kind = Device::Relay;
        let seed = Seed::new(seed);
        let policies: [fn(u32) -> Policy; 4] = [
            |k| Policy::Random { k },
            |k| Policy::ProvenUseful { k },
            |k| Policy::Identities { k },
            |k| Policy::Relays { k },
        ];
        for policy in policies {
            let fewer = choices(&members, &policy(k), seed).unwrap();
            let more = choices(&members, &policy(k + 1), seed).unwrap();
            for me in 0..members.len() as u32 {
                prop_assert!(fewer.of(me).iter().all(|other| more.of(me).contains(other)));
            }
        }
    }
}

#[test]
fn everybody_chooses_exactly_k_others() {
    for policy in [Policy::Random { k: 3 }, Policy::ProvenUseful { k: 3 }, Policy::Identities { k: 3 }] {
        let choices = choices(&phones(20), &policy, Seed::new(1)).unwrap();
        assert!((0..20).all(|me| choices.of(me).len() == 3), "{policy}");
    }
}

#[test]
fn a_k_beyond_the_others_means_all() {
    let all = share(&phones(9), &Policy::AllToAll, Seed::new(1)).unwrap();
    assert_eq!(all.pairs().count(), 9 * 8 / 2);
    for k in [8, 9, u32::MAX] {
        for policy in [Policy::Random { k }, Policy::ProvenUseful { k }, Policy::Identities { k }] {
            assert_eq!(share(&phones(9), &policy, Seed::new(2)).unwrap(), all, "{policy}");
        }
    }
}

#[test]
fn log_n_is_random_with_the_logarithm_rounded_up() {
    for (count, k) in [(2, 1), (3, 2), (4, 2), (5, 3), (1000, 10), (1024, 10), (1025, 11)] {
        let members = phones(count);
        let log = choices(&members, &Policy::LogN, Seed::new(3)).unwrap();
        assert_eq!(log, choices(&members, &Policy::Random { k }, Seed::new(3)).unwrap(), "{count}");
    }
}

#[test]
fn one_member_has_no_links_whatever_k() {
    for text in ["random:k=3", "useful:k=1", "identities:k=2", "all", "log2"] {
        let links = share(&phones(1), &text.parse().unwrap(), Seed::new(1)).unwrap();
        assert_eq!((links.count(), links.pairs().count()), (1, 0), "{text}");
    }
    assert!(share(&phones(1), &Policy::Random { k: 0 }, Seed::new(1)).is_ok());
}

/// Two phones, three relays: two links from each phone, a triangle of relays, nothing between phones.
#[test]
fn phones_share_with_relays_and_relays_with_each_other() {
    use Device::{Desktop, Phone, Relay};
    let members = of_kinds(&[Phone, Relay, Desktop, Relay, Relay]);
    let choices = choices(&members, &Policy::Relays { k: 2 }, Seed::new(1)).unwrap();
    assert_eq!(choices.of(1), [3, 4]);
    assert_eq!(choices.of(3), [1, 4]);
    assert_eq!(choices.of(4), [1, 3]);
    for client in [0, 2] {
        assert_eq!(choices.of(client).len(), 2);
        assert!(choices.of(client).iter().all(|other| [1, 3, 4].contains(other)));
    }
    assert!(choices.into_links().is_connected());
    let all = share(&members, &Policy::Relays { k: 9 }, Seed::new(1)).unwrap();
    assert_eq!(all.neighbours(0), [1, 3, 4]);
}

#[test]
fn a_mailserver_is_the_centre_of_a_star() {
    use Device::{Mailserver, Phone, Relay};
    let links =
        share(&of_kinds(&[Phone, Relay, Mailserver, Phone]), &Policy::Mailserver, Seed::new(1)).unwrap();
    assert_eq!(links.pairs().collect::<Vec<_>>(), [(0, 2), (1, 2), (2, 3)]);
}

/// Person 7 has devices 0, 1, 2; person 8 has 3 and 4, of which 4 is seen longer; person 9 has device 5.
#[test]
fn a_person_is_reached_by_the_device_seen_longest_and_syncs_its_own() {
    let member = |identity, seen_ms| Member { identity, kind: Device::Phone, seen_ms };
    let members = [member(7, 5), member(7, 9), member(7, 9), member(8, 1), member(8, 2), member(9, 0)];
    let choices = choices(&members, &Policy::Identities { k: 2 }, Seed::new(1)).unwrap();
    assert_eq!(choices.of(0), [1, 2, 4, 5]);
    assert_eq!(choices.of(1), [0, 2, 4, 5]);
    assert_eq!(choices.of(2), [0, 1, 4, 5]);
    assert_eq!(choices.of(3), [1, 4, 5]);
    assert_eq!(choices.of(4), [1, 3, 5]);
    assert_eq!(choices.of(5), [1, 4]);
}

/// All devices of a person choose the same people: K counts people, however many devices they have.
#[test]
fn k_counts_people() {
    let member =
        |number: u32| Member { identity: number / 3, kind: Device::Phone, seen_ms: u64::from(number) };
    let members: Vec<Member> = (0..60).map(member).collect();
    let choices = choices(&members, &Policy::Identities { k: 4 }, Seed::new(5)).unwrap();
    for person in 0..20 {
        let people = |device: u32| -> Vec<u32> {
            choices.of(device).iter().map(|other| other / 3).filter(|&other| other != person).collect()
        };
        assert_eq!(people(person * 3).len(), 4);
        assert_eq!(people(person * 3), people(person * 3 + 1));
        assert_eq!(people(person * 3), people(person * 3 + 2));
        assert!(choices.of(person * 3).iter().all(|other| other / 3 == person || other % 3 == 2));
    }
}

/// Each of 20 members is chosen by each other with probability 3/19. Over 4,000 draws a pair is counted with a
/// binomial deviation of 23.1; the bound is five of them, for 380 pairs.
#[test]
fn random_choices_are_uniform() {
    let members = phones(20);
    let mut counts = [[0_i32; 20]; 20];
    for trial in 0..4000 {
        let choices = choices(&members, &Policy::Random { k: 3 }, Seed::new(11).nth(trial)).unwrap();
        for me in 0..20 {
            for &other in choices.of(me) {
                counts[me as usize][other as usize] += 1;
            }
        }
    }
    for (me, row) in counts.iter().enumerate() {
        for (other, &count) in row.iter().enumerate() {
            let expected = if me == other { 0 } else { 4000 * 3 / 19 };
            let tolerance = if me == other { 0 } else { 116 };
            assert!((count - expected).abs() <= tolerance, "{me} chose {other} {count} times");
        }
    }
}

/// A tenth of the group is online a hundred times as long as the rest: it has 10,000 of 10,900 parts of the
/// weight and so gets nine choices of ten, but the rest is chosen too, and no member is chosen by all.
#[test]
fn the_useful_are_preferred_without_becoming_the_only_ones() {
    let seen_ms = |number| if number % 10 == 0 { 100_000 } else { 1000 };
    let members: Vec<Member> = (0..1000)
        .map(|identity| Member { identity, kind: Device::Phone, seen_ms: seen_ms(identity) })
        .collect();
    let choices = choices(&members, &Policy::ProvenUseful { k: 3 }, Seed::new(1)).unwrap();
    let mut chosen = vec![0; 1000];
    for me in 0..1000 {
        for &other in choices.of(me) {
            chosen[other as usize] += 1;
        }
    }
    let useful: i32 = chosen.iter().step_by(10).sum();
    // 91.7% of 3000 are 2752, with a binomial deviation of 15; four of them. What a member has chosen already
    // lowers the share of the useful by at most 0.2%, or 5.
    assert!((2690..2812).contains(&useful), "{useful} of 3000");
    // One of the hundred useful is drawn by about 27.5 members; six deviations of 5.2 above that is 59.
    assert!(chosen.iter().all(|&by| by < 59), "{:?}", chosen.iter().max());
}

/// Pinned: a change here changes every recorded run of a group.
#[test]
fn draws_are_pinned() {
    let members: Vec<Member> =
        (0..10).map(|identity| Member { identity, kind: Device::Phone, seen_ms: 1 << identity }).collect();
    let of = |text: &str| {
        let choices = choices(&members, &text.parse().unwrap(), Seed::new(1)).unwrap();
        [0, 9].map(|me| choices.of(me).to_vec())
    };
    assert_eq!(of("random:k=3"), [[7, 8, 9], [2, 7, 8]]);
    assert_eq!(of("useful:k=3"), [[7, 8, 9], [5, 7, 8]]);
    assert_eq!(of("identities:k=3"), [[7, 8, 9], [2, 7, 8]]);
}

/// 10,000 members are drawn, linked and walked: a draw of O(N²) would be felt here.
#[test]
fn ten_thousand_members_are_nothing() {
    let members: Vec<Member> = (0..10_000)
        .map(|number| Member { identity: number / 2, kind: Device::Phone, seen_ms: u64::from(number % 97) })
        .collect();
    for text in ["random:k=3", "useful:k=3", "identities:k=3", "log2"] {
        let links = share(&members, &text.parse().unwrap(), Seed::new(1)).unwrap();
        assert!(links.is_connected(), "{text}");
        assert!(links.degrees().min >= 3);
    }
}

#[test]
fn limits_are_kept() {
    let many = phones(MEMBERS_MAX as u32 + 1);
    let refused = share(&many, &Policy::Random { k: 1 }, Seed::new(1));
    assert_eq!(refused, Err(SharingError::TooManyMembers { count: MEMBERS_MAX + 1 }));
    let error = SharingError::NobodyToShareWith { policy: Policy::Random { k: 0 } };
    assert!(error.to_string().starts_with("`random:k=0`: with k = 0 nobody shares"));
}
