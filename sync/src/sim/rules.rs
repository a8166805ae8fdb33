//! Faults, as small rules that are asked in turn about every payload that is sent.
//!
//! A rule looks at a payload and gives a [`Verdict`]; the first that is not [`Verdict::Pass`] counts, and what all
//! let pass goes by its link. A closure is a rule. The form is that of turmoil's `Rule`
//! (crate `turmoil-net`); faults that belong into a world's description are data, [`Fault`], of which rules are made.

use offerbench_algos::Seed;

use super::dice::Dice;
use crate::{PeerId, Span, Time};

/// A payload about to enter its link.
#[derive(Clone, Copy, Debug)]
pub struct Passing<'a> {
    /// Now.
    pub now: Time,
    /// Who sends it.
    pub from: PeerId,
    /// To whom.
    pub to: PeerId,
    /// The payload.
    pub payload: &'a [u8],
}

/// What a rule says about a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: ask the next rule, or let the link decide.
    Pass,
    /// It arrives after exactly this time; the link is not asked.
    Deliver(Span),
    /// It goes by the link and takes this much longer, whatever overtakes it.
    Delay(Span),
    /// It goes by the link with one byte changed.
    Corrupt,
    /// It never arrives, and takes no time on the link.
    Drop,
}

/// Something that interferes.
pub trait Rule {
    /// What becomes of this payload. Called once for each, in the order they are sent.
    fn judge(&mut self, passing: &Passing<'_>) -> Verdict;
}

impl<F: FnMut(&Passing<'_>) -> Verdict> Rule for F {
    fn judge(&mut self, passing: &Passing<'_>) -> Verdict {
        self(passing)
    }
}

/// From when until when, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct During {
    /// The first moment.
    pub from: Time,
    /// The first moment after.
    pub until: Time,
}

impl During {
    /// From the beginning, without end.
    pub const ALWAYS: Self = Self { from: Time::ZERO, until: Time::from_us(u64::MAX) };

    /// From `from` until `until`, which is not in it.
    pub const fn new(from: Time, until: Time) -> Self {
        Self { from, until }
    }

    /// Whether `now` is in it.
    pub fn contains(&self, now: Time) -> bool {
        self.from <= now && now < self.until
    }
}

/// A fault and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it acts.
    pub during: During,
    /// What it does.
    pub what: FaultKind,
}

/// Kinds of faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nodes of different sides do not reach each other; a node that is on no side reaches all.
    Partition(Vec<Vec<PeerId>>),
    /// Neither of the two reaches the other.
    Outage(PeerId, PeerId),
    /// The first does not reach the second; the other way is open.
    OneWay(PeerId, PeerId),
    /// The node is cut off, though it believes that it is online.
    Isolate(PeerId),
    /// Every n-th payload (counted over all links) is dropped; none if n is 0.
    DropEveryNth(u64),
    /// So many payloads in a million are dropped.
    Drop {
        /// Of a million.
        ppm: u32,
    },
    /// So many payloads in a million have one byte changed. What a transport with authentication never shows a
    /// node: to be used for finding crashes, not for measuring. A corrupted body is a message that nobody wrote.
    Corrupt {
        /// Of a million.
        ppm: u32,
    },
    /// So many payloads in a million take longer.
    Delay {
        /// Of a million.
        ppm: u32,
        /// At most so much, drawn evenly.
        by: Span,
    },
}

impl Fault {
    /// A fault that never ends.
    pub const fn always(what: FaultKind) -> Self {
        Self { during: During::ALWAYS, what }
    }

    /// A fault from `from` until `until`.
    pub const fn during(from: Time, until: Time, what: FaultKind) -> Self {
        Self { during: During::new(from, until), what }
    }

    /// The rule that does this. O(1) a payload, after O(nodes named) to make it.
    pub fn rule(&self, seed: Seed) -> Box<dyn Rule> {
        let during = self.during;
        let mut dice = Dice::new(seed);
        match self.what.clone() {
            FaultKind::Partition(sides) => {
                let side_of = SideOf::new(&sides);
                when(during, move |p| drop_if(side_of.differ(p.from, p.to)))
            }
            FaultKind::Outage(a, b) => {
                when(during, move |p| drop_if((p.from, p.to) == (a, b) || (p.from, p.to) == (b, a)))
            }
            FaultKind::OneWay(from, to) => when(during, move |p| drop_if((p.from, p.to) == (from, to))),
            FaultKind::Isolate(node) => when(during, move |p| drop_if(p.from == node || p.to == node)),
            FaultKind::DropEveryNth(n) => {
                let mut count = 0_u64;
                when(during, move |_| {
                    count += 1;
                    drop_if(n > 0 && count.is_multiple_of(n))
                })
            }
            FaultKind::Drop { ppm } => when(during, move |_| drop_if(dice.happens(ppm))),
            FaultKind::Corrupt { ppm } => {
                when(during, move |_| if dice.happens(ppm) { Verdict::Corrupt } else { Verdict::Pass })
            }
            FaultKind::Delay { ppm, by } => when(during, move |_| {
                if !dice.happens(ppm) {
                    return Verdict::Pass;
                }
                Verdict::Delay(Span::from_us(dice.below(by.as_us().saturating_add(1))))
            }),
        }
    }
}

/// A rule that is asked only during its time.
fn when(during: During, mut rule: impl FnMut(&Passing<'_>) -> Verdict + 'static) -> Box<dyn Rule> {
    Box::new(
        move |passing: &Passing<'_>| {
            if during.contains(passing.now) { rule(passing) } else { Verdict::Pass }
        },
    )
}

fn drop_if(drop: bool) -> Verdict {
    if drop { Verdict::Drop } else { Verdict::Pass }
}

/// Sides of a partition by node: a lookup a payload, not a search through the sides.
struct SideOf(Vec<u32>);

impl SideOf {
    /// On no side.
    const NONE: u32 = u32::MAX;

    fn new(sides: &[Vec<PeerId>]) -> Self {
        let len = sides.iter().flatten().map(|node| node.0 as usize + 1).max().unwrap_or(0);
        let mut side_of = vec![Self::NONE; len];
        for (side, nodes) in sides.iter().enumerate() {
            for node in nodes {
                side_of[node.0 as usize] = side as u32;
            }
        }
        Self(side_of)
    }

    fn of(&self, node: PeerId) -> u32 {
        self.0.get(node.0 as usize).copied().unwrap_or(Self::NONE)
    }

    fn differ(&self, a: PeerId, b: PeerId) -> bool {
        let (a, b) = (self.of(a), self.of(b));
        a != b && a != Self::NONE && b != Self::NONE
    }
}

/// Rules in the order they are asked.
#[derive(Default)]
pub struct Rules(Vec<Box<dyn Rule>>);

impl Rules {
    /// The rules of these faults; each draws from a stream of its own.
    pub fn of(faults: &[Fault], seed: Seed) -> Self {
        Self((0..).zip(faults).map(|(n, fault)| fault.rule(seed.nth(n))).collect())
    }

    /// Adds one that is asked last.
    pub fn push(&mut self, rule: Box<dyn Rule>) {
        self.0.push(rule);
    }

    /// No rules any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first verdict that is not to pass. O(rules).
    pub fn judge(&mut self, passing: &Passing<'_>) -> Verdict {
        for rule in &mut self.0 {
            let verdict = rule.judge(passing);
            if verdict != Verdict::Pass {
                return verdict;
            }
        }
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passing(now_s: u64, from: u32, to: u32) -> Passing<'static> {
        let now = Time::ZERO + Span::from_s(now_s);
        Passing { now, from: PeerId(from), to: PeerId(to), payload: b"payload" }
    }

    fn judge(what: FaultKind, passings: &[Passing<'_>]) -> Vec<bool> {
        let mut rule = Fault::always(what).rule(Seed::new(1));
        passings.iter().map(|passing| rule.judge(passing) == Verdict::Drop).collect()
    }

    #[test]
    fn a_fault_acts_in_its_time() {
        let (from, until) = (Time::ZERO + Span::from_s(2), Time::ZERO + Span::from_s(4));
        let mut rule = Fault::during(from, until, FaultKind::Drop { ppm: 1_000_000 }).rule(Seed::new(1));
        let verdicts: Vec<_> = (0..6).map(|s| rule.judge(&passing(s, 0, 1))).collect();
        use Verdict::{Drop, Pass};
        assert_eq!(verdicts, [Pass, Pass, Drop, Drop, Pass, Pass]);
    }

    #[test]
    fn a_partition_cuts_between_its_sides_only() {
        let sides = vec![vec![PeerId(0), PeerId(1)], vec![PeerId(2)], vec![PeerId(5)]];
        let pairs = [(0, 1), (0, 2), (2, 0), (2, 5), (3, 0), (0, 3), (5, 9), (9, 8)];
        let dropped = judge(FaultKind::Partition(sides), &pairs.map(|(from, to)| passing(0, from, to)));
        assert_eq!(dropped, [false, true, true, true, false, false, false, false]);
    }

    #[test]
    fn outages_ways_and_isolation_hit_whom_they_name() {
        let pairs = [(0, 1), (1, 0), (0, 2), (2, 1)].map(|(from, to)| passing(0, from, to));
        let (a, b) = (PeerId(0), PeerId(1));
        assert_eq!(judge(FaultKind::Outage(a, b), &pairs), [true, true, false, false]);
        assert_eq!(judge(FaultKind::OneWay(a, b), &pairs), [true, false, false, false]);
        assert_eq!(judge(FaultKind::Isolate(b), &pairs), [true, true, false, true]);
        assert_eq!(judge(FaultKind::DropEveryNth(2), &pairs), [false, true, false, true]);
        assert_eq!(judge(FaultKind::DropEveryNth(0), &pairs), [false; 4]);
    }

    #[test]
    fn the_first_rule_that_does_not_pass_counts() {
        let mut rules = Rules::of(&[Fault::always(FaultKind::OneWay(PeerId(0), PeerId(1)))], Seed::new(1));
        rules.push(Box::new(|passing: &Passing<'_>| {
            if passing.to == PeerId(1) { Verdict::Deliver(Span::from_ms(7)) } else { Verdict::Pass }
        }));
        assert_eq!(rules.judge(&passing(0, 0, 1)), Verdict::Drop);
        assert_eq!(rules.judge(&passing(0, 2, 1)), Verdict::Deliver(Span::from_ms(7)));
        assert_eq!(rules.judge(&passing(0, 1, 2)), Verdict::Pass);
        rules.clear();
        assert_eq!(rules.judge(&passing(0, 0, 1)), Verdict::Pass);
    }

    #[test]
    fn chances_are_met_and_delays_bounded() {
        let by = Span::from_ms(3);
        let mut delay = Fault::always(FaultKind::Delay { ppm: 300_000, by }).rule(Seed::new(1));
        let mut corrupt = Fault::always(FaultKind::Corrupt { ppm: 300_000 }).rule(Seed::new(2));
        let (mut delayed, mut corrupted) = (0, 0);
        for _ in 0..10_000 {
            match delay.judge(&passing(0, 0, 1)) {
                Verdict::Delay(span) => {
                    assert!(span <= by);
                    delayed += 1;
                }
                verdict => assert_eq!(verdict, Verdict::Pass),
            }
            corrupted += u32::from(corrupt.judge(&passing(0, 0, 1)) == Verdict::Corrupt);
        }
        // Binomial(10000, 0.3) has a deviation of 46; five of them.
        assert!((2_770..3_230).contains(&delayed), "{delayed}");
        assert!((2_770..3_230).contains(&corrupted), "{corrupted}");
    }
}
