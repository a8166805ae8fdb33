//! Who can ever talk to whom: what presence and sharing promise before anything runs.
//!
//! Two that share a group exchange something only while both are online. A world in which no such pair ever meets
//! delivers nothing, whatever the protocol; one in which the pairs that meet do not connect everybody cannot deliver
//! everything. Links, faults and crashes are not asked: they only make it worse.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::presence::{Interval, Presence};
use super::spec::WorldConfig;
use crate::{PeerId, Time};

/// Who meets within a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meetings {
    /// Pairs that share a group.
    pub pairs: usize,
    /// Those of them who are ever online together.
    pub meeting: usize,
    /// Whether the pairs that meet connect all nodes. If not, something cannot be delivered to somebody. If so, it
    /// may still be too late for some messages: see [`Reach`].
    pub connected: bool,
}

impl Presence {
    /// When two nodes are first online together, `from` at the earliest and before `until`.
    /// O(log intervals), and one step for each interval without the other.
    pub fn next_meeting(&self, a: usize, b: usize, from: Time, until: Time) -> Option<Time> {
        let rest = |node| -> &[Interval] {
            let list = self.intervals(node);
            &list[list.partition_point(|&(_, end)| end <= from)..]
        };
        let (mut mine, mut theirs) = (rest(a), rest(b));
        loop {
            let (&(begin, end), &(other_begin, other_end)) = (mine.first()?, theirs.first()?);
            let meets = begin.max(other_begin).max(from);
            if meets >= until {
                return None;
            }
            if meets < end.min(other_end) {
                return Some(meets);
            }
            if end <= other_end {
                mine = &mine[1..];
            } else {
                theirs = &theirs[1..];
            }
        }
    }
}

impl WorldConfig {
    /// Pairs that share a group, each once, with the smaller number first. Who is not there is in no pair.
    fn sharing_pairs(&self) -> BTreeSet<(usize, usize)> {
        let count = self.nodes.len();
        let of = |(no, node): (usize, &super::NodeSpec)| {
            let peers = node.shares.iter().flat_map(|(_, peers)| peers).map(|peer| peer.0 as usize);
            let pairs = peers.filter(|peer| *peer < count && *peer != no);
            pairs.map(|peer| (no.min(peer), no.max(peer))).collect::<Vec<_>>()
        };
        self.nodes.iter().enumerate().flat_map(of).collect()
    }

    /// Which of those who share a group are ever online together before `until`. O(pairs · log) where pairs meet soon;
    /// a pair that does not costs its intervals.
    pub fn meetings(&self, until: Time) -> Meetings {
        let pairs = self.sharing_pairs();
        let mut parts = Parts::new(self.nodes.len());
        let mut meeting = 0;
        for &(a, b) in &pairs {
            if self.presence.next_meeting(a, b, Time::ZERO, until).is_some() {
                meeting += 1;
                parts.join(a, b);
            }
        }
        Meetings { pairs: pairs.len(), meeting, connected: parts.count <= 1 }
    }

    /// Who can pass something on to whom. O(pairs).
    pub fn reach(&self) -> Reach<'_> {
        let mut peers = vec![Vec::new(); self.nodes.len()];
        for (a, b) in self.sharing_pairs() {
            peers[a].push(b);
            peers[b].push(a);
        }
        Reach { presence: &self.presence, peers }
    }
}

/// Who can pass something on to whom, and when: [`WorldConfig::reach`].
pub struct Reach<'a> {
    presence: &'a Presence,
    peers: Vec<Vec<usize>>,
}

impl Reach<'_> {
    /// When each node could have what `from` holds at `at`, if whoever meets passes everything on at once; none for
    /// those who cannot have it before `until`. What no protocol can beat. O(pairs · log nodes), and the intervals
    /// that are passed over.
    pub fn from(&self, from: PeerId, at: Time, until: Time) -> Vec<Option<Time>> {
        let mut reached = vec![None; self.peers.len()];
        let mut queue = BinaryHeap::from([Reverse((at, from.0 as usize))]);
        while let Some(Reverse((time, node))) = queue.pop() {
            match reached.get_mut(node) {
                Some(slot @ None) => *slot = Some(time),
                _ => continue,
            }
            for &peer in self.peers[node].iter().filter(|peer| reached[**peer].is_none()) {
                if let Some(meets) = self.presence.next_meeting(node, peer, time, until) {
                    queue.push(Reverse((meets, peer)));
                }
            }
        }
        reached
    }
}

/// Nodes in parts that grow together.
struct Parts {
    parents: Vec<usize>,
    count: usize,
}

impl Parts {
    fn new(count: usize) -> Self {
        Self { parents: (0..count).collect(), count }
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.parents[a] = b;
            self.count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use offerbench_algos::Seed;

    use super::*;
    use crate::sim::{Append, LinkProfile, Text, World};
    use crate::{Config, GroupId, Offer, Span};

    const GROUP: GroupId = GroupId([7; 32]);
    const DAY: Time = Time::from_us(86_400_000_000);

    fn s(s: u64) -> Time {
        Time::ZERO + Span::from_s(s)
    }

    fn world(pairs: &[(u32, u32)], presence: Vec<Vec<(u64, u64)>>) -> WorldConfig {
        let config = Arc::new(Config { offer: Offer::Batch, ..Config::default() });
        let mut world =
            WorldConfig::group(Seed::new(1), &config, GROUP, presence.len(), pairs, LinkProfile::IDEAL);
        let lists = presence.into_iter().map(|list| list.into_iter().map(|(a, b)| (s(a), s(b))).collect());
        world.presence = Presence::from_intervals(lists.collect()).unwrap();
        world
    }

    #[test]
    fn who_never_meets_is_found_before_anything_runs() {
        let apart = world(&[(0, 1)], vec![vec![(0, 10), (20, 30)], vec![(10, 20), (30, 40)]]);
        let none = Meetings { pairs: 1, meeting: 0, connected: false };
        assert_eq!(apart.meetings(DAY), none);
        let nobody = world(&[], vec![vec![(0, 10)], vec![(0, 10)]]);
        assert_eq!(nobody.meetings(DAY), Meetings { pairs: 0, meeting: 0, connected: false });
        // Not before the 20th second.
        let late =
            world(&[(0, 1), (1, 2)], vec![vec![(0, 9), (15, 30)], vec![(9, 15), (20, 30)], vec![(9, 10)]]);
        assert_eq!(late.meetings(s(20)), Meetings { pairs: 2, meeting: 1, connected: false });
        assert_eq!(late.meetings(s(21)), Meetings { pairs: 2, meeting: 2, connected: true });
        assert_eq!(late.presence.next_meeting(0, 1, s(22), s(99)), Some(s(22)));
        assert_eq!(late.presence.next_meeting(0, 1, s(30), s(99)), None);
    }

    /// In a row, first 0 meets 1 and then 1 meets 2: 2 can have what 0 wrote, 0 cannot have what 2 wrote.
    #[test]
    fn what_is_passed_on_needs_meetings_in_order() {
        let row = world(&[(0, 1), (1, 2)], vec![vec![(0, 10)], vec![(5, 25)], vec![(20, 30)]]);
        assert!(row.meetings(DAY).connected);
        assert_eq!(row.reach().from(PeerId(0), s(1), DAY), [Some(s(1)), Some(s(5)), Some(s(20))]);
        assert_eq!(row.reach().from(PeerId(0), s(11), DAY), [Some(s(11)), None, None]);
        assert_eq!(row.reach().from(PeerId(2), s(1), DAY), [None, Some(s(20)), Some(s(1))]);
        assert_eq!(row.reach().from(PeerId(0), s(1), s(20)), [Some(s(1)), Some(s(5)), None]);
        assert_eq!(row.reach().from(PeerId(9), s(1), s(20)), [None; 3]);
    }

    /// Against the moments of a day, one by one; and a world delivers to nobody who was not to be reached.
    #[test]
    fn the_bound_is_what_a_scan_says_and_no_world_beats_it() {
        for seed in 0..20 {
            let pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (1, 5)];
            let mut config = world(&pairs, vec![vec![]; 6]);
            let (mean, end) = (Span::from_s(60), s(1200));
            config.presence = Presence::alternating(6, 150_000, mean, end, Seed::new(seed));
            // To whole seconds, so that a scan of seconds misses nothing.
            for no in 0..6 {
                let whole = |&(from, until): &Interval| (s(from.as_ms() / 1000), s(until.as_ms() / 1000));
                let mut list: Vec<Interval> = config.presence.intervals(no).iter().map(whole).collect();
                list.retain(|(from, until)| from < until);
                list.dedup_by(|later, earlier| later.0 <= earlier.1);
                config.presence.set(no, list).unwrap();
            }
            let met = |a: usize, b: usize| {
                (0..1200).any(|at| config.presence.is_online(a, s(at)) && config.presence.is_online(b, s(at)))
            };
            let meeting = pairs.iter().filter(|(a, b)| met(*a as usize, *b as usize)).count();
            assert_eq!(config.meetings(end).meeting, meeting);
            config.appends = vec![Append {
                at: s(100),
                node: PeerId(0),
                group: GROUP,
                skew_ms: 0,
                parents: None,
                text: Text::Says("x".into()),
            }];
            let reached = config.reach().from(PeerId(0), s(100), end);
            let mut world = World::new(config).unwrap();
            world.run_until(end);
            for (no, time) in (0..).map(PeerId).zip(reached) {
                let has = world.node(no).unwrap().has_delivered(crate::MsgNo(0));
                assert!(!has || time.is_some(), "seed {seed}: {no:?} has what could not reach it");
            }
        }
    }
}
