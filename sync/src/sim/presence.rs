//! Presence: who is online when, as an input.
//!
//! For every node a list of half-open intervals, in order and apart. "Offline" is an outage of the whole device,
//! not an independent loss of each payload: a well-known simulator of MVDS took the one for the other and came
//! out an order of magnitude too dear.

use offerbench_algos::Seed;
use thiserror::Error;

use super::dice::{Dice, PPM};
use crate::{Span, Time};

/// From when a node is online, and the first moment when it is not.
pub type Interval = (Time, Time);

/// The end of a presence that has none.
const NEVER: Time = Time::from_us(u64::MAX);

/// Why intervals were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PresenceError {
    /// An interval ends before it has begun.
    #[error("node {node}: interval {index} is empty")]
    Empty {
        /// Whose.
        node: usize,
        /// Which.
        index: usize,
    },
    /// An interval begins before its predecessor has ended, or at that very moment.
    #[error("node {node}: interval {index} touches the one before")]
    Touching {
        /// Whose.
        node: usize,
        /// Which.
        index: usize,
    },
}

/// Who is online when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence(Vec<Vec<Interval>>);

impl Presence {
    /// Everybody, always.
    pub fn always(node_count: usize) -> Self {
        Self(vec![vec![(Time::ZERO, NEVER)]; node_count])
    }

    /// Nobody, ever; a start for [`Self::set`].
    pub fn never(node_count: usize) -> Self {
        Self(vec![Vec::new(); node_count])
    }

    /// These intervals, a list a node.
    ///
    /// # Errors
    ///
    /// When an interval is empty, or does not begin after the end of the one before.
    pub fn from_intervals(intervals: Vec<Vec<Interval>>) -> Result<Self, PresenceError> {
        for (node, list) in intervals.iter().enumerate() {
            for (index, &(from, until)) in list.iter().enumerate() {
                if from >= until {
                    return Err(PresenceError::Empty { node, index });
                }
                if index > 0 && list[index - 1].1 >= from {
                    return Err(PresenceError::Touching { node, index });
                }
            }
        }
        Ok(Self(intervals))
    }

    /// Everybody comes and goes until `end`, each on its own: sessions of `session_mean` on average, and pauses
    /// such that a node is online for `uptime_ppm` millionths of the time. Both are exponential, so a node that
    /// has been away for long does not come sooner for it; at the beginning it is online with that same chance.
    /// Who is never or always online has no sessions.
    pub fn alternating(
        node_count: usize,
        uptime_ppm: u32,
        session_mean: Span,
        end: Time,
        seed: Seed,
    ) -> Self {
        let up = u64::from(uptime_ppm.min(PPM));
        let down = u64::from(PPM) - up;
        if up == 0 {
            return Self::never(node_count);
        }
        if down == 0 {
            return Self::always(node_count);
        }
        let online_us = session_mean.as_us().max(1);
        let offline_us = (u128::from(online_us) * u128::from(down) / u128::from(up)).max(1);
        let offline_us = u64::try_from(offline_us).unwrap_or(u64::MAX);
        let node = |n| {
            let mut dice = Dice::new(seed.nth(n));
            let mut online = dice.happens(uptime_ppm);
            let mut list = Vec::new();
            let mut now = Time::ZERO;
            while now < end {
                let mean_us = if online { online_us } else { offline_us };
                // Of length 1 at least, so that time goes on and intervals stay apart.
                let until = (now + Span::from_us(dice.exponential(mean_us).max(1))).min(end);
                if online {
                    list.push((now, until));
                }
                online = !online;
                now = until;
            }
            list
        };
        Self((0..node_count as u64).map(node).collect())
    }

    /// Nodes.
    pub fn node_count(&self) -> usize {
        self.0.len()
    }

    /// When this node is online; nothing for a node that is not in it.
    pub fn intervals(&self, node: usize) -> &[Interval] {
        self.0.get(node).map_or(&[], Vec::as_slice)
    }

    /// Gives a node other intervals.
    ///
    /// # Errors
    ///
    /// As [`Self::from_intervals`].
    pub fn set(&mut self, node: usize, intervals: Vec<Interval>) -> Result<(), PresenceError> {
        let mut checked = Self::from_intervals(vec![intervals]).map_err(|error| match error {
            PresenceError::Empty { index, .. } => PresenceError::Empty { node, index },
            PresenceError::Touching { index, .. } => PresenceError::Touching { node, index },
        })?;
        if self.0.len() <= node {
            self.0.resize(node + 1, Vec::new());
        }
        self.0[node] = checked.0.remove(0);
        Ok(())
    }

    /// The node comes for `stays` at `first` and after every `every` from then on, while that is before `end`.
    pub fn set_shift(&mut self, node: usize, first: Time, stays: Span, every: Span, end: Time) {
        let stays = Span::from_us(stays.as_us().clamp(1, every.as_us().saturating_sub(1).max(1)));
        let mut list = Vec::new();
        let mut from = first;
        while from < end {
            list.push((from, (from + stays).min(end)));
            from = from + Span::from_us(every.as_us().max(2));
        }
        if self.0.len() <= node {
            self.0.resize(node + 1, Vec::new());
        }
        self.0[node] = list;
    }

    /// Makes sure that the two never meet: the second is offline whenever the first is online.
    pub fn never_together(&mut self, first: usize, second: usize) {
        let busy = self.intervals(first).to_vec();
        let mut kept = Vec::new();
        for &(from, until) in self.intervals(second) {
            let mut from = from;
            let begin = busy.partition_point(|&(_, end)| end <= from);
            for &(busy_from, busy_until) in &busy[begin..] {
                if busy_from >= until {
                    break;
                }
                if from < busy_from {
                    kept.push((from, busy_from));
                }
                from = busy_until;
            }
            if from < until {
                kept.push((from, until));
            }
        }
        if let Some(list) = self.0.get_mut(second) {
            *list = kept;
        }
    }

    /// Whether the node is online at this moment. O(log intervals).
    pub fn is_online(&self, node: usize, now: Time) -> bool {
        let list = self.intervals(node);
        let index = list.partition_point(|&(_, until)| until <= now);
        list.get(index).is_some_and(|&(from, _)| from <= now)
    }

    /// The share of the time until `end` that a node is online, in millionths.
    pub fn uptime_ppm(&self, node: usize, end: Time) -> u32 {
        let online: u128 = self
            .intervals(node)
            .iter()
            .map(|&(from, until)| u128::from(until.min(end).since(from).as_us()))
            .sum();
        (online * u128::from(PPM) / u128::from(end.as_us().max(1))) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Time = Time::from_us(86_400_000_000);

    fn s(s: u64) -> Time {
        Time::ZERO + Span::from_s(s)
    }

    /// 1,000 nodes at 10%, ten minutes a session: share of the time, of nodes at the start and at noon, sessions.
    #[test]
    fn alternating_meets_its_uptime() {
        let presence = Presence::alternating(1000, 100_000, Span::from_s(600), DAY, Seed::new(1));
        let mean = (0..1000).map(|node| u64::from(presence.uptime_ppm(node, DAY))).sum::<u64>() / 1000;
        // A day of such a node has a deviation of sqrt(2·0.1²·0.9²·τ/day) with τ = 600·5400/6000 s: 1.4%; five of
        // them over sqrt(1000) is 0.23%.
        assert!((97_700..102_300).contains(&mean), "{mean}");
        for at in [Time::ZERO, Time::from_us(DAY.as_us() / 2)] {
            let online = (0..1000).filter(|&node| presence.is_online(node, at)).count();
            // Binomial(1000, 0.1) has a deviation of 9.5; five of them.
            assert!((53..147).contains(&online), "{online}");
        }
        let sessions: usize = (0..1000).map(|node| presence.intervals(node).len()).sum();
        // 86,400 / 6,000 = 14.4 a node; its deviation is below sqrt(14.4), five of them over sqrt(1000): 0.6.
        assert!((13_800..15_100).contains(&sessions), "{sessions}");
        for node in 0..1000 {
            assert!(Presence::from_intervals(vec![presence.intervals(node).to_vec()]).is_ok());
        }
    }

    #[test]
    fn the_ends_of_uptime_are_always_and_never() {
        let all = Presence::alternating(3, PPM, Span::from_s(1), DAY, Seed::new(1));
        assert_eq!(all, Presence::always(3));
        let none = Presence::alternating(3, 0, Span::from_s(1), DAY, Seed::new(1));
        assert!(!none.is_online(0, Time::ZERO));
        assert!(!all.is_online(3, Time::ZERO), "not among them");
    }

    #[test]
    fn intervals_are_half_open_and_checked() {
        let presence = Presence::from_intervals(vec![vec![(s(1), s(2)), (s(3), s(5))]]).unwrap();
        let online: Vec<_> = (0..6).map(|at| presence.is_online(0, s(at))).collect();
        assert_eq!(online, [false, true, false, true, true, false]);
        assert_eq!(presence.uptime_ppm(0, s(10)), 300_000);
        assert_eq!(
            Presence::from_intervals(vec![vec![], vec![(s(2), s(2))]]),
            Err(PresenceError::Empty { node: 1, index: 0 })
        );
        let mut presence = presence;
        assert_eq!(
            presence.set(7, vec![(s(1), s(2)), (s(2), s(3))]),
            Err(PresenceError::Touching { node: 7, index: 1 })
        );
        assert_eq!(presence.node_count(), 1);
    }

    #[test]
    fn those_who_never_meet_never_meet() {
        let mut presence = Presence::alternating(2, 500_000, Span::from_s(600), DAY, Seed::new(5));
        let before = presence.uptime_ppm(1, DAY);
        presence.never_together(0, 1);
        for minute in 0..1440 {
            let now = s(minute * 60);
            assert!(!(presence.is_online(0, now) && presence.is_online(1, now)));
        }
        let after = presence.uptime_ppm(1, DAY);
        assert!(after > 0 && after < before, "{after} of {before}");
        assert!(Presence::from_intervals(vec![presence.intervals(1).to_vec()]).is_ok());
        // Cut in the middle, at both ends, and swallowed whole.
        let lists = vec![
            vec![(s(2), s(4)), (s(9), s(12)), (s(20), s(30))],
            vec![(s(1), s(5)), (s(6), s(7)), (s(8), s(11)), (s(21), s(22))],
        ];
        let mut presence = Presence::from_intervals(lists).unwrap();
        presence.never_together(0, 1);
        assert_eq!(presence.intervals(1), [(s(1), s(2)), (s(4), s(5)), (s(6), s(7)), (s(8), s(9))]);
    }

    #[test]
    fn shifts_come_back() {
        let mut presence = Presence::never(1);
        presence.set_shift(1, s(10), Span::from_s(5), Span::from_s(60), s(100));
        assert_eq!(presence.intervals(1), [(s(10), s(15)), (s(70), s(75))]);
        assert_eq!(presence.node_count(), 2);
    }
}
