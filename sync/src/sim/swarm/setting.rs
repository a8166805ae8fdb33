//! Who lives in a drawn world, how they are linked, what they write, and what goes wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use offerbench_algos::Seed;

use super::luck::Luck;
use crate::sharing::{Device, FOUR_MEMBERS, Links, Member, Policy, share};
use crate::sim::{Append, Crash, Fault, FaultKind, LinkProfile, LinkSpec, NodeSpec, Presence, Text};
use crate::{Config, GroupId, Part, PeerId, Span, Time};

/// A group: its nodes, and who of them is linked with whom.
pub(super) struct Circle {
    pub id: GroupId,
    pub nodes: Vec<u32>,
    pub pairs: Vec<(u32, u32)>,
}

/// The nodes and their groups.
pub(super) struct Crowd {
    pub shape: &'static str,
    pub parts: Vec<Part>,
    pub circles: Vec<Circle>,
    pub profiles: Vec<LinkProfile>,
    pub links: Vec<LinkSpec>,
}

impl Crowd {
    /// Every sharing policy, and the groups in which relays matter most: the four members, and a row.
    pub(super) fn draw(seed: Seed, unaided: bool) -> Self {
        let mut luck = Luck::new(seed);
        let shape = if unaided { 0 } else { luck.below(12) };
        let many = luck.one_in(24);
        let k = luck.between(1, 4) as u32;
        let count = match shape {
            0 => 4,
            1 | 2 => luck.between(2, 6) as usize,
            _ if many => luck.between(13, 30) as usize,
            _ => luck.skewed(2, 12) as usize,
        };
        let (shape, policy) = match shape {
            0 => ("four members, two of them relays", None),
            1 => ("a row", None),
            2 | 3 => ("all to all", Some(Policy::AllToAll)),
            4 | 5 => ("proven useful", Some(Policy::ProvenUseful { k })),
            6 => ("identities", Some(Policy::Identities { k })),
            7 => ("relays", Some(Policy::Relays { k })),
            8 => ("a mailserver", Some(Policy::Mailserver)),
            9 => ("log2", Some(Policy::LogN)),
            _ => ("random", Some(Policy::Random { k })),
        };
        let kinds: Vec<Device> = (0..count)
            .map(|no| match policy {
                Some(Policy::Mailserver) if no == 0 => Device::Mailserver,
                Some(Policy::Relays { .. }) if no <= count / 4 => Device::Relay,
                _ => luck.of(&[Device::Phone, Device::Desktop]),
            })
            .collect();
        // Helpers may read along, and members may choose to see no graph; somebody must write.
        let (blind_helpers, some_blind) = (!luck.one_in(4), luck.one_in(4));
        let mut parts: Vec<Part> = (0..count)
            .map(|no| {
                let helper = matches!(kinds[no], Device::Relay | Device::Mailserver)
                    || (shape.starts_with("four") && no >= 2);
                let relay = (helper && blind_helpers) || (!helper && some_blind && luck.one_in(4));
                if relay { Part::Relay } else { Part::Member }
            })
            .collect();
        // In every group there is one who writes.
        let writer = if shape.starts_with("four") { 0 } else { count - 1 };
        parts[writer] = Part::Member;
        if unaided {
            parts[1] = Part::Member;
        }
        let mut crowd = Self { shape, parts, circles: Vec::new(), profiles: Vec::new(), links: Vec::new() };
        let group_count = if unaided || luck.below(10) < 6 { 1 } else { luck.between(2, 4) };
        for n in 0..group_count {
            // Helpers are in every group; of the others, all or some.
            let all = n == 0 || luck.one_in(2);
            let nodes: Vec<u32> = (0..count as u32)
                .filter(|no| {
                    let helper = matches!(kinds[*no as usize], Device::Relay | Device::Mailserver);
                    all || helper || *no as usize == writer || luck.one_in(2)
                })
                .collect();
            let seed = seed.child("group").nth(n);
            let links = match policy {
                None if shape == "a row" => row(nodes.len()),
                None if nodes.len() == 4 => Links::from_pairs(4, FOUR_MEMBERS),
                None => row(nodes.len()),
                Some(policy) => {
                    let member = |no: &u32| Member {
                        identity: if matches!(policy, Policy::Identities { .. }) { no / 2 } else { *no },
                        kind: kinds[*no as usize],
                        seen_ms: luck.skewed(1, 1 << 20),
                    };
                    let members: Vec<Member> = nodes.iter().map(member).collect();
                    share(&members, &policy, seed)
                }
            };
            let links = links.expect("a group has members, and the helpers that its policy needs");
            let mut places: Vec<(u32, u32)> = links.pairs().collect();
            join_up(nodes.len(), &mut places);
            let node = |place: u32| nodes[place as usize];
            let pairs =
                places.into_iter().map(|(a, b)| (node(a).min(node(b)), node(a).max(node(b)))).collect();
            crowd.circles.push(Circle { id: GroupId(seed.child("id").rng().bytes()), nodes, pairs });
        }
        crowd
    }

    /// Pairs that share some group.
    fn pairs(&self) -> Vec<(u32, u32)> {
        let pairs: BTreeSet<_> =
            self.circles.iter().flat_map(|circle| circle.pairs.iter().copied()).collect();
        pairs.into_iter().collect()
    }

    /// Flights from one end of a group to the other, at most.
    pub(super) fn diameter(&self) -> u64 {
        // A path visits each node at most once: good enough for rows, too long for all others, by a factor that
        // does not matter for a bound.
        let widest = self.circles.iter().map(|circle| {
            let links =
                Links::from_pairs(self.parts.len(), circle.pairs.iter().copied()).expect("pairs name nodes");
            let from = |start: u32| {
                let mut far = vec![usize::MAX; self.parts.len()];
                let mut queue = vec![start];
                far[start as usize] = 0;
                let mut next = 0;
                while let Some(&node) = queue.get(next) {
                    next += 1;
                    for &other in links.neighbours(node) {
                        if far[other as usize] == usize::MAX {
                            far[other as usize] = far[node as usize] + 1;
                            queue.push(other);
                        }
                    }
                }
                queue.last().map_or(0, |last| far[*last as usize])
            };
            circle.nodes.iter().map(|node| from(*node)).max().unwrap_or(0)
        });
        widest.max().unwrap_or(0).max(1) as u64
    }

    /// Peers that the busiest node has, counted once for every group.
    pub(super) fn load(&self) -> u64 {
        let pairs = self.circles.iter().flat_map(|circle| &circle.pairs);
        let mut loads = vec![0; self.parts.len()];
        for &(a, b) in pairs {
            loads[a as usize] += 1;
            loads[b as usize] += 1;
        }
        loads.into_iter().max().unwrap_or(0)
    }

    /// The nodes of the world.
    pub(super) fn nodes(&self, configs: &[Arc<Config>]) -> Vec<NodeSpec> {
        let node = |(no, config): (u32, &Arc<Config>)| {
            let shares = |circle: &Circle| {
                let other = |&(a, b): &(u32, u32)| match no {
                    _ if a == no => Some(PeerId(b)),
                    _ if b == no => Some(PeerId(a)),
                    _ => None,
                };
                (circle.id, circle.pairs.iter().filter_map(other).collect())
            };
            let circles = self.circles.iter().filter(|circle| circle.nodes.contains(&no));
            NodeSpec { config: Arc::clone(config), shares: circles.map(shares).collect() }
        };
        (0..).zip(configs).map(node).collect()
    }
}

fn row(count: usize) -> Result<Links, crate::SharingError> {
    Links::from_pairs(count, (1..count as u32).map(|no| (no - 1, no)))
}

/// Adds links until everybody reaches everybody: a group in two parts cannot converge, and need not.
fn join_up(count: usize, pairs: &mut Vec<(u32, u32)>) {
    loop {
        let links = Links::from_pairs(count, pairs.iter().copied()).expect("pairs name members");
        let reached = links.reachable(0);
        let Some(other) = (0..count as u32).find(|no| reached.binary_search(no).is_err()) else { return };
        pairs.push((reached[reached.len() / 2], other));
    }
}

/// Chooses what the links are like, and answers the slowest of them.
pub(super) fn draw_links(seed: Seed, crowd: &mut Crowd, unaided: bool) -> LinkProfile {
    let mut luck = Luck::new(seed);
    let named = LinkProfile::NAMED.map(|(_, profile)| profile);
    // LoRa is slow to simulate nothing but itself: rarer than the others.
    let one = |luck: &mut Luck| if unaided || !luck.one_in(8) { named[luck.below(5)] } else { named[5] };
    let kinds = if luck.one_in(3) { luck.between(2, 3) } else { 1 };
    crowd.profiles = (0..kinds).map(|_| one(&mut luck)).collect();
    let link = |(a, b)| {
        let kind = luck.below(kinds as usize) as u16;
        let back = if luck.one_in(4) { luck.below(kinds as usize) as u16 } else { kind };
        LinkSpec { ends: [PeerId(a), PeerId(b)], profiles: [kind, back] }
    };
    crowd.links = crowd.pairs().into_iter().map(link).collect();
    *crowd
        .profiles
        .iter()
        .max_by_key(|profile| profile.leaving_us(1000) + profile.latency_us + profile.jitter_us)
        .expect("there is one at least")
}

/// What is written.
pub(super) struct Lot {
    pub appends: Vec<Append>,
    /// The longest text, in bytes.
    pub text_len_max: u32,
    /// When the last is written.
    pub last_at: Time,
}

impl Lot {
    pub(super) fn draw(seed: Seed, crowd: &Crowd, trouble: Span, unaided: bool) -> Self {
        let mut luck = Luck::new(seed);
        let count = if luck.one_in(12) { 0 } else { luck.skewed(1, 60) };
        let text_len_max = luck.of(&[16, 64, 64, 300, 2000]);
        let until = if unaided { trouble.as_us() / 2 } else { trouble.as_us() * 9 / 10 };
        let (bursts, skewed, late) = (luck.one_in(3), luck.one_in(3), !unaided && luck.one_in(4));
        let chatterbox = luck.one_in(4);
        let mut appends = Vec::new();
        let mut at = Time::ZERO;
        for n in 0..count {
            // A burst: the same moment again, by whoever.
            if !(bursts && n > 0 && !luck.one_in(8)) {
                at = Time::from_us(luck.between(0, until));
            }
            let late_by = if late && luck.one_in(6) {
                trouble + Span::from_s(luck.below(120) as u64)
            } else {
                Span::ZERO
            };
            let circle = &crowd.circles[luck.below(crowd.circles.len())];
            let writers: Vec<u32> =
                circle.nodes.iter().copied().filter(|no| crowd.parts[*no as usize] == Part::Member).collect();
            let writer = writers[if chatterbox { 0 } else { luck.below(writers.len()) }];
            appends.push(Append {
                at: if late_by == Span::ZERO { at } else { Time::ZERO + late_by },
                node: PeerId(writer),
                group: circle.id,
                skew_ms: if skewed { luck.between(0, 7_200_000) as i64 - 3_600_000 } else { 0 },
                parents: None,
                text: Text::Random(luck.skewed(8, u64::from(text_len_max)) as u32),
            });
        }
        draw_parents(seed.child("parents"), &mut appends);
        let last_at = appends.iter().map(|append| append.at).max().unwrap_or_default();
        Self { appends, text_len_max, last_at }
    }
}

/// In one world of six, some messages name parents of their own, as in a history that is replayed.
fn draw_parents(seed: Seed, appends: &mut [Append]) {
    let mut luck = Luck::new(seed);
    if !luck.one_in(6) {
        return;
    }
    for place in 0..appends.len() {
        let append = &appends[place];
        let earlier: Vec<u32> = (0..appends.len())
            .filter(|other| appends[*other].group == append.group)
            .filter(|other| (appends[*other].at, *other) < (append.at, place))
            .map(|other| other as u32)
            .collect();
        if luck.one_in(4) {
            continue;
        }
        let count = if earlier.is_empty() { 0 } else { luck.below(4) };
        appends[place].parents = Some((0..count).map(|_| luck.of(&earlier)).collect());
    }
}

/// What links do wrong.
#[derive(Clone, Copy, Default)]
pub(super) struct Roughness {
    loss_ppm: u32,
    duplicate_ppm: u32,
    reorder_ppm: u32,
    reorder_us: u64,
    jitter_us: u64,
    queue_len: u64,
}

impl Roughness {
    pub(super) fn apply(&self, profile: &mut LinkProfile) {
        profile.loss_ppm = profile.loss_ppm.max(self.loss_ppm);
        profile.duplicate_ppm = profile.duplicate_ppm.max(self.duplicate_ppm);
        profile.reorder_ppm = profile.reorder_ppm.max(self.reorder_ppm);
        profile.reorder_us = profile.reorder_us.max(self.reorder_us);
        profile.jitter_us = profile.jitter_us.max(self.jitter_us);
        if self.queue_len > 0 {
            profile.queue_len = profile.queue_len.min(self.queue_len);
        }
    }
}

/// What goes wrong, and who is online when.
pub(super) struct Misfortune {
    pub roughness: Roughness,
    pub faults: Vec<Fault>,
    pub presence: Presence,
    pub crashes: Vec<Crash>,
    pub corrupts: bool,
}

impl Misfortune {
    pub(super) fn draw(seed: Seed, crowd: &Crowd, trouble: Span, unaided: bool) -> Self {
        let mut luck = Luck::new(seed);
        let count = crowd.parts.len();
        let end = Time::ZERO + trouble;
        let presence = draw_presence(seed.child("presence"), crowd, trouble, unaided);
        let mut bad = Self {
            roughness: Roughness::default(),
            faults: Vec::new(),
            presence,
            crashes: Vec::new(),
            corrupts: false,
        };
        if unaided {
            return bad;
        }
        let [
            loss,
            duplicate,
            reorder,
            jitter,
            queue,
            partition,
            outage,
            one_way,
            isolate,
            nth,
            drop,
            delay,
            crash,
        ] = luck.classes();
        let rough = &mut bad.roughness;
        if loss {
            rough.loss_ppm = luck.ppm(500_000);
        }
        if duplicate {
            rough.duplicate_ppm = luck.ppm(900_000);
        }
        if reorder {
            rough.reorder_ppm = luck.ppm(900_000);
            rough.reorder_us = luck.skewed(1_000, trouble.as_us() / 10);
        }
        if jitter {
            rough.jitter_us = luck.skewed(1_000, 5_000_000);
        }
        if queue {
            rough.queue_len = luck.skewed(200, 1 << 16);
        }
        let mut during = |luck: &mut Luck, what| {
            // Always, or for a while.
            let (from, until) = match luck.one_in(4) {
                true => (0, trouble.as_us()),
                false => {
                    let from = luck.between(0, trouble.as_us() - 1);
                    (from, (from + luck.skewed(1_000_000, trouble.as_us())).min(trouble.as_us()))
                }
            };
            bad.faults.push(Fault::during(Time::from_us(from), Time::from_us(until), what));
        };
        let node = |luck: &mut Luck| PeerId(luck.below(count) as u32);
        let link = |luck: &mut Luck| crowd.links[luck.below(crowd.links.len())].ends;
        if partition {
            for _ in 0..luck.between(1, 4) {
                let mut sides = vec![Vec::new(); luck.between(2, 3) as usize];
                for no in 0..count as u32 {
                    // A node beyond the last side is on none: it reaches all.
                    let none = usize::from(luck.one_in(4));
                    let side = luck.below(sides.len() + none);
                    if let Some(side) = sides.get_mut(side) {
                        side.push(PeerId(no));
                    }
                }
                during(&mut luck, FaultKind::Partition(sides));
            }
        }
        if outage {
            for _ in 0..luck.skewed(1, 8) {
                let [a, b] = link(&mut luck);
                during(&mut luck, FaultKind::Outage(a, b));
            }
        }
        if one_way {
            for _ in 0..luck.skewed(1, 8) {
                let [a, b] = link(&mut luck);
                let what = if luck.one_in(2) { FaultKind::OneWay(a, b) } else { FaultKind::OneWay(b, a) };
                during(&mut luck, what);
            }
        }
        if isolate {
            let whom = node(&mut luck);
            during(&mut luck, FaultKind::Isolate(whom));
        }
        if nth {
            let n = luck.skewed(2, 64);
            during(&mut luck, FaultKind::DropEveryNth(n));
        }
        if drop {
            let ppm = luck.ppm(1_000_000);
            during(&mut luck, FaultKind::Drop { ppm });
        }
        if delay {
            let what = FaultKind::Delay {
                ppm: luck.ppm(900_000),
                by: Span::from_us(luck.skewed(10_000, trouble.as_us() / 2)),
            };
            during(&mut luck, what);
        }
        if luck.one_in(16) {
            bad.corrupts = true;
            let ppm = luck.ppm(500_000);
            during(&mut luck, FaultKind::Corrupt { ppm });
        }
        if crash {
            let (forgets, longest) = (luck.below(3), trouble.as_us() / 4);
            for _ in 0..luck.skewed(1, 3 * count as u64) {
                bad.crashes.push(Crash {
                    at: Time::from_us(luck.between(0, end.as_us())),
                    node: node(&mut luck),
                    down_for: Span::from_us(luck.skewed(1, longest)),
                    forgets_peers: match forgets {
                        0 => false,
                        1 => true,
                        _ => luck.one_in(2),
                    },
                });
            }
        }
        bad
    }
}

/// Always, coming and going, on shifts, or two who never meet.
fn draw_presence(seed: Seed, crowd: &Crowd, trouble: Span, unaided: bool) -> Presence {
    let mut luck = Luck::new(seed);
    let count = crowd.parts.len();
    let end = Time::ZERO + trouble;
    let mut presence = Presence::always(count);
    if unaided {
        let every = Span::from_us(trouble.as_us() / UNAIDED_SHIFTS);
        let stays = Span::from_us(every.as_us() * 2 / 5);
        presence.set_shift(0, Time::ZERO, stays, every, end);
        presence.set_shift(1, Time::ZERO + Span::from_us(every.as_us() / 2), stays, every, end);
        return presence;
    }
    match luck.below(5) {
        0 | 1 => {}
        2 | 3 => {
            let uptime_ppm = luck.of(&[100_000, 250_000, 500_000, 900_000]);
            let mean = luck.span(Span::from_us(trouble.as_us() / 200), Span::from_us(trouble.as_us() / 4));
            let coming = Presence::alternating(count, uptime_ppm, mean, end, seed.child("alternating"));
            let some_stay = luck.one_in(2);
            for no in (0..count).filter(|_| !(some_stay && luck.one_in(2))).collect::<Vec<_>>() {
                presence.set(no, coming.intervals(no).to_vec()).expect("taken from a presence");
            }
        }
        _ => {
            let every = luck.span(Span::from_us(trouble.as_us() / 50), Span::from_us(trouble.as_us() / 2));
            for no in 0..count {
                let first = Time::from_us(luck.between(0, every.as_us()));
                let stays = Span::from_us(every.as_us() / luck.of(&[2, 4, 10]));
                presence.set_shift(no, first, stays, every, end);
            }
        }
    }
    if crowd.shape.starts_with("four") || luck.one_in(6) {
        presence.never_together(0, 1);
    }
    presence
}

/// Shifts of the phones in a world that is not helped.
pub(super) const UNAIDED_SHIFTS: u64 = 24;
