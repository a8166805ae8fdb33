//! The claims about how costs grow, each held against the sweeps that vary what it is about.
//!
//! A claim names a law, N or log N; a measured range has a straight line on logarithmic axes through that law,
//! and its slope is the exponent to expect there: log N is no power, but between 10 and 1,000 members it grows
//! as N to some 0.2. The measured exponent, with its interval, is compared with that and with what the
//! neighbouring laws would give on the same points.

use super::exponents::{Cost, Payer, costs, mean};
use super::{GroupPanel, GroupStudy};
use crate::fit::{NoFit, Observation, slope};
use crate::record::GroupAxis;
use crate::stats::Interval;
use crate::study::Study;

/// Exponents this close are the same law.
pub const TOLERANCE: f64 = 0.1;

/// How far apart the messages written may be at the points of one fit; beyond, costs are taken per message.
const STEADY: f64 = 1.5;

/// A law of growth in x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// Not at all.
    Flat,
    /// As log2 x.
    Log,
    /// As x.
    Linear,
    /// As the others that a member has, x - 1: linear, though between 4 and 64 its slope is 1.1.
    Others,
    /// As x log2 x.
    LinearLog,
    /// As x².
    Square,
    /// As the pairs of members, x (x - 1): a square, likewise.
    Pairs,
}

const ALL: [Growth; 5] = [Growth::Flat, Growth::Log, Growth::Linear, Growth::LinearLog, Growth::Square];

impl Growth {
    /// As a claim writes it, for the letter of an axis.
    pub fn name(self, x: &str) -> String {
        match self {
            Self::Flat => "O(1)".to_owned(),
            Self::Log => format!("O(log {x})"),
            Self::Linear | Self::Others => format!("O({x})"),
            Self::LinearLog => format!("O({x} log {x})"),
            Self::Square | Self::Pairs => format!("O({x}²)"),
        }
    }

    fn at(self, x: f64) -> f64 {
        match self {
            Self::Flat => 1.0,
            Self::Log => libm::log2(x),
            Self::Linear => x,
            Self::Others => x - 1.0,
            Self::LinearLog => x * libm::log2(x),
            Self::Square => x * x,
            Self::Pairs => x * (x - 1.0),
        }
    }

    /// The exponent that this law has over these places.
    pub fn exponent(self, places: &[f64]) -> Option<f64> {
        let observed: Vec<Observation<1>> =
            places.iter().map(|x| Observation { costs: vec![self.at(*x)], at: [*x] }).collect();
        slope(&observed).ok().map(|(exponent, _)| exponent.mid)
    }
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Measured as claimed, and as no other law.
    Confirmed,
    /// It grows more slowly: the claim holds as an upper bound. The nearest law.
    Below(Growth),
    /// It grows faster. The nearest law.
    Refuted(Growth),
    /// The interval holds the claim and another law.
    Open(Growth),
}

/// Holds an exponent against a claim: what the claimed law gives at these places, and what follows.
///
/// Confirmed is what lies nearer to the claimed law than to any other, within [`TOLERANCE`] or with an interval
/// that holds it, and with an interval that holds no other law.
pub fn judge(exponent: Interval, claimed: Growth, places: &[f64]) -> Option<(f64, Verdict)> {
    let expected = claimed.exponent(places)?;
    let inside = |value: f64| exponent.low <= value && value <= exponent.high;
    let mut others: Vec<(Growth, f64)> = ALL
        .into_iter()
        .filter(|other| other.name("") != claimed.name(""))
        .filter_map(|other| Some((other, other.exponent(places)?)))
        .collect();
    others.sort_by(|a, b| (a.1 - exponent.mid).abs().total_cmp(&(b.1 - exponent.mid).abs()));
    let (other, value) = *others.first()?;
    let distance = (exponent.mid - expected).abs();
    let nearest = if distance <= (exponent.mid - value).abs() { claimed } else { other };
    let verdict = match () {
        () if inside(expected) && (inside(value) || nearest != claimed) => Verdict::Open(other),
        () if nearest == claimed && (inside(expected) || distance <= TOLERANCE) => Verdict::Confirmed,
        () if exponent.mid > expected => Verdict::Refuted(nearest),
        () => Verdict::Below(nearest),
    };
    Some((expected, verdict))
}

/// One cost of one contender.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Contender.
    pub index: usize,
    /// Who pays.
    pub payer: Payer,
    /// What.
    pub cost: Cost,
    /// What is claimed of it.
    pub claimed: Growth,
    /// The measured exponent with R², the exponent to expect, and what follows; or why there is none.
    pub answer: Result<Answer, NoFit>,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The exponent with its 95% interval.
    pub exponent: Interval,
    /// Of the claimed law, over the same points.
    pub expected: f64,
    /// Share of variance explained.
    pub r2: Option<f64>,
    /// Points.
    pub points: usize,
    /// What becomes of the claim.
    pub verdict: Verdict,
}

/// One chart's worth of evidence.
#[derive(Debug)]
pub struct Evidence<'s> {
    /// Experiment and sweep.
    pub source: (&'s str, &'s str),
    /// Under which it was measured.
    pub conditions: String,
    /// Least and most messages written at its points.
    pub written: (u64, u64),
    /// Least and most messages in the set.
    pub m: (u64, u64),
    /// Least share of deliveries of any point and contender.
    pub delivered_min: f64,
    /// Whether costs are per message written, since the messages vary.
    pub per_message: bool,
    /// By contender.
    pub findings: Vec<Finding>,
}

/// A claim with its evidence; none where no sweep speaks of it.
#[derive(Debug)]
pub struct Claim<'s> {
    /// As people make it.
    pub words: &'static str,
    /// The letter of the axis that it is about.
    pub axis: &'static str,
    /// What would answer it.
    pub command: &'static str,
    /// By sweep and panel.
    pub evidence: Vec<Evidence<'s>>,
}

/// What is claimed of a panel's costs, if the claim speaks of it.
type Speaks = fn(&GroupStudy<'_>, &GroupPanel<'_>) -> bool;

fn over_n(study: &GroupStudy<'_>, panel: &GroupPanel<'_>, sharing: &str) -> bool {
    study.sweep.axis == GroupAxis::N && panel.points.iter().all(|point| point.place.sharing == sharing)
}

fn over_m(study: &GroupStudy<'_>, panel: &GroupPanel<'_>) -> bool {
    let (low, high) = range(panel, |point| point.place.written);
    let steady = high as f64 <= low as f64 * STEADY;
    matches!(study.sweep.axis, GroupAxis::M | GroupAxis::History) && steady
}

const BY_MEMBERS: [Cost; 2] = [Cost::All, Cost::Overhead];

/// The three claims, with what the book says of each.
pub fn claims<'s>(study: &'s Study<'_>) -> [Claim<'s>; 3] {
    use Payer::{Member, Network};
    let all: Speaks = |study, panel| over_n(study, panel, "all");
    let log: Speaks = |study, panel| over_n(study, panel, "log2");
    [
        Claim {
            words: "All-to-all sharing is O(N²) for the network and O(N) for a member",
            axis: "N",
            command: "offerbench run n-size",
            evidence: gather(study, all, &BY_MEMBERS, &[(Network, Growth::Pairs), (Member, Growth::Others)]),
        },
        Claim {
            words: "Sharing with K = log2 N others makes it O(N log N) for the network and O(log N) for a member",
            axis: "N",
            command: "offerbench run n-size",
            evidence: gather(study, log, &BY_MEMBERS, &[(Network, Growth::LinearLog), (Member, Growth::Log)]),
        },
        Claim {
            words: "What is sent again and again beside bodies is O(M) in the history M, ideally O(1)",
            axis: "M",
            command: "offerbench run m-growth",
            evidence: gather(
                study,
                over_m,
                &[Cost::Overhead],
                &[(Member, Growth::Linear), (Member, Growth::Flat)],
            ),
        },
    ]
}

fn range(panel: &GroupPanel<'_>, value: impl Fn(&super::GroupPoint<'_>) -> u64) -> (u64, u64) {
    let values = panel.points.iter().map(value);
    values.fold((u64::MAX, 0), |(low, high), value| (low.min(value), high.max(value)))
}

fn gather<'s>(
    study: &'s Study<'_>,
    speaks: Speaks,
    kinds: &[Cost],
    claimed: &[(Payer, Growth)],
) -> Vec<Evidence<'s>> {
    let mut all = Vec::new();
    for (part, sweep) in study.groups() {
        for panel in sweep.panels.iter().filter(|panel| speaks(sweep, panel)) {
            let written = range(panel, |point| point.place.written);
            let per_message = written.0 > 0 && written.1 as f64 > written.0 as f64 * STEADY;
            let mut findings = Vec::new();
            for index in &sweep.contenders {
                for cost in kinds {
                    for (payer, growth) in claimed {
                        let observed =
                            observations(sweep.sweep.axis, panel, *index, *cost, *payer, per_message);
                        if observed.is_empty() {
                            continue;
                        }
                        let answer = answer(&observed, *growth);
                        findings.push(Finding {
                            index: *index,
                            payer: *payer,
                            cost: *cost,
                            claimed: *growth,
                            answer,
                        });
                    }
                }
            }
            let shares = panel.points.iter().flat_map(|point| point.cells.values());
            all.push(Evidence {
                source: (part.experiment.name(), &sweep.sweep.name),
                conditions: panel.label.clone(),
                written,
                m: range(panel, |point| point.place.m),
                delivered_min: shares.map(super::GroupCell::delivered).fold(1.0, f64::min),
                per_message,
                findings,
            });
        }
    }
    all
}

fn observations(
    axis: GroupAxis,
    panel: &GroupPanel<'_>,
    index: usize,
    cost: Cost,
    payer: Payer,
    per_message: bool,
) -> Vec<Observation<1>> {
    let cells = panel.points.iter().filter_map(|point| Some((point, point.cells.get(&index)?)));
    cells
        .map(|(point, cell)| {
            let unit = if per_message { mean(cell, |row| row.written) } else { 1.0 };
            let x = if axis == GroupAxis::N { f64::from(point.place.n) } else { mean(cell, |row| row.m) };
            Observation { costs: costs(cell, cost, payer).iter().map(|cost| cost / unit).collect(), at: [x] }
        })
        .collect()
}

fn answer(observed: &[Observation<1>], claimed: Growth) -> Result<Answer, NoFit> {
    let (exponent, fit) = slope(observed)?;
    let used = observed.iter().filter(|one| one.at[0] > 0.0 && one.costs.iter().any(|cost| *cost > 0.0));
    let places: Vec<f64> = used.map(|one| one.at[0]).collect();
    let (expected, verdict) = judge(exponent, claimed, &places).ok_or(NoFit::NothingVaries)?;
    Ok(Answer { exponent, expected, r2: fit.r2, points: fit.points, verdict })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [f64; 5] = [10.0, 30.0, 100.0, 300.0, 1_000.0];

    fn about(mid: f64, reach: f64) -> Interval {
        Interval { low: mid - reach, mid, high: mid + reach }
    }

    #[test]
    fn a_logarithm_grows_like_a_small_power() {
        let log = Growth::Log.exponent(&PLACES).unwrap();
        // d log(log2 N) / d log N is 1 / ln N: between 0.43 at 10 and 0.14 at 1 000.
        assert!((0.2..0.3).contains(&log), "{log}");
        // What is proportional to the others grows a little faster than N while N is small.
        let others = Growth::Others.exponent(&[4.0, 8.0, 16.0, 32.0, 64.0]).unwrap();
        assert!((1.05..1.15).contains(&others), "{others}");
        assert_eq!(Growth::Pairs.name("N"), "O(N²)");
        let both = Growth::LinearLog.exponent(&PLACES).unwrap();
        assert!((both - 1.0 - log).abs() < 1e-9);
        assert!((Growth::Square.exponent(&PLACES).unwrap() - 2.0).abs() < 1e-9);
    }

    #[test]
    fn claims_are_judged_by_the_whole_interval() {
        let verdict = |exponent, claimed| judge(exponent, claimed, &PLACES).unwrap().1;
        assert_eq!(verdict(about(1.02, 0.05), Growth::Linear), Verdict::Confirmed);
        assert_eq!(verdict(about(1.3, 0.05), Growth::Linear), Verdict::Refuted(Growth::LinearLog));
        assert_eq!(verdict(about(0.5, 0.05), Growth::Linear), Verdict::Below(Growth::Log));
        assert_eq!(verdict(about(0.5, 0.05), Growth::Log), Verdict::Refuted(Growth::Log));
        assert_eq!(verdict(about(0.24, 0.02), Growth::Log), Verdict::Confirmed);
        assert_eq!(verdict(about(0.0, 0.02), Growth::Log), Verdict::Below(Growth::Flat));
        assert_eq!(verdict(about(0.15, 0.2), Growth::Log), Verdict::Open(Growth::Flat));
        assert_eq!(verdict(about(1.5, 1.0), Growth::Linear), Verdict::Open(Growth::LinearLog));
        // Small and sure is not flat where a logarithm is nearer.
        assert_eq!(verdict(about(0.15, 0.01), Growth::Flat), Verdict::Refuted(Growth::Log));
        assert_eq!(verdict(about(0.05, 0.01), Growth::Flat), Verdict::Confirmed);
    }

    #[test]
    fn one_place_judges_nothing() {
        assert_eq!(judge(about(1.0, 0.1), Growth::Linear, &[10.0]), None);
    }
}
