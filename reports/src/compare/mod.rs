//! Two runs of one experiment held against each other: did this change help, and may it ship?
//!
//! Trials are paired by experiment, sweep, point, replicate and contender: both sides met the same sets, so that a
//! pair needs no statistics. What two runs need to be alike in is checked first: spec hash and seed of an
//! experiment, and for a pair the whole scenario; what lacks its partner is a [`Lack`], with its number.
//!
//! **Counts** are compared exactly. A *row* of the comparison is one measure of one pair: it is better, the
//! same, worse, or inconclusive. Every measure has a direction ([`measure`]); parts of a sum (bytes by purpose,
//! up and down) are looked at only where their sum is unchanged, and a part that moved then is
//! inconclusive: no number got smaller. Only heaps have slack, since they follow from how a compiler lays out
//! types; [`measure::HEAP_SLACK`] says how much.
//!
//! **Times** are noisy, and noise drifts: two runs of one commit differ by more than their own samples
//! tell, since samples that are taken within milliseconds share whatever else the machine was doing. The unit of repetition is
//! therefore the *round*, a whole run; [`times`] says when a time may be called better or worse.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`measure`] | what is compared of a row of counts, and which way is better |
//! | `pair` | which rows belong together |
//! | [`times`] | ratios of CPU times with intervals over rounds |
//! | `show` | the result as text and as Markdown |

pub mod measure;
mod pair;
mod show;
pub mod times;

use crate::book::{Book, Experiment};
use crate::error::CompareError;
use crate::record::Lane;
use pair::Tallies;
pub use show::Look;

/// What became of one measure of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It improved.
    Better,
    /// It did not change, or by less than can be told.
    Same,
    /// It got worse.
    Worse,
    /// It changed, or may have, and nobody can say to the better or the worse.
    Inconclusive,
}

/// How many rows got which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows that improved.
    pub better: u64,
    /// Rows that did not change.
    pub same: u64,
    /// Rows that got worse.
    pub worse: u64,
    /// Rows of which neither can be said.
    pub inconclusive: u64,
}

impl Tally {
    fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Better => &mut self.better,
            Verdict::Same => &mut self.same,
            Verdict::Worse => &mut self.worse,
            Verdict::Inconclusive => &mut self.inconclusive,
        } += 1;
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.better + self.same + self.worse + self.inconclusive
    }
}

/// Where a pair stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Experiment.
    pub experiment: String,
    /// Sweep.
    pub sweep: String,
    /// Point of the sweep's grid.
    pub point: u32,
    /// Repetition of the point; 0 for times of sessions, which are of the first.
    pub replicate: u32,
    /// Contender.
    pub spec: String,
}

/// A row that is not the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where.
    pub place: Place,
    /// Of what.
    pub measure: String,
    /// Better, worse or inconclusive.
    pub verdict: Verdict,
    /// The older value, for people.
    pub base: String,
    /// The newer one.
    pub new: String,
    /// How many times worse: above 1 for what got worse, below 1 for what got better; infinite where it was nothing
    /// before, or where an outcome fell.
    pub ratio: f64,
    /// 95% interval of that ratio, for times.
    pub interval: Option<(f64, f64)>,
    /// The command that makes the trial again.
    pub command: String,
}

/// Something that only one side has, or that the two sides cannot be compared in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// What it is, with its number: `12 rows of experiment smoke, lane exact: only BASE has them`.
    pub text: String,
    /// The first of them, so that somebody can look.
    pub first: Option<String>,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Verdicts by lane and measure: sessions, groups, then times.
    pub tallies: Vec<(Lane, &'static str, Tally)>,
    /// Every row that is not the same: worse before inconclusive before better, the furthest off first.
    pub changes: Vec<Change>,
    /// What could not be compared although it was asked for.
    pub lacks: Vec<Lack>,
    /// What to know of the times: rounds, machines, drift.
    pub notes: Vec<String>,
}

impl Comparison {
    /// All verdicts.
    pub fn total(&self) -> Tally {
        self.sum(|_| true)
    }

    /// Verdicts on counts alone: what a gate is strict about.
    pub fn counts(&self) -> Tally {
        self.sum(|lane| matches!(lane, Lane::Exact | Lane::Group))
    }

    fn sum(&self, lanes: fn(Lane) -> bool) -> Tally {
        let chosen = self.tallies.iter().filter(|(lane, _, _)| lanes(*lane));
        chosen.fold(Tally::default(), |sum, (_, _, one)| Tally {
            better: sum.better + one.better,
            same: sum.same + one.same,
            worse: sum.worse + one.worse,
            inconclusive: sum.inconclusive + one.inconclusive,
        })
    }

    /// Rows of this verdict that are not the same, the furthest off first.
    pub fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.verdict == verdict)
    }
}

/// Compares runs: `base` and `new` are the rounds of either side, at least one each. Counts are those of the first
/// round, and the further ones must agree with them.
///
/// Cost: a pass over all rows, and for each time 1000 resamples.
///
/// # Errors
///
/// No round on a side; another spec hash or seed; no experiment on both sides; rounds of one side that count
/// differently, or are of different commits.
pub fn compare(base: &[Book], new: &[Book]) -> Result<Comparison, CompareError> {
    let (Some(first_base), Some(first_new)) = (base.first(), new.first()) else {
        return Err(CompareError::Nothing);
    };
    rounds_agree("BASE", base)?;
    rounds_agree("NEW", new)?;
    let mut found = Comparison::default();
    let mut tallies = Tallies::new();
    let mut both = 0;
    for one in first_base.experiments() {
        let Some(other) = first_new.experiment(one.name()) else {
            found
                .lacks
                .push(Lack { text: format!("experiment {}: only BASE has it", one.name()), first: None });
            continue;
        };
        one_question(one, other)?;
        both += 1;
        pair::counts(one, other, &mut found, &mut tallies);
    }
    for other in first_new.experiments().iter().filter(|other| first_base.experiment(other.name()).is_none())
    {
        found.lacks.push(Lack { text: format!("experiment {}: only NEW has it", other.name()), first: None });
    }
    if both == 0 {
        return Err(CompareError::Nothing);
    }
    for book in base.iter().chain(new) {
        for gap in book.gaps() {
            let text = format!("{} holds {} of {} rows", gap.file, gap.rows, gap.rows_expected);
            found.lacks.push(Lack { text, first: None });
        }
    }
    times::compare(base, new, &mut found, &mut tallies);
    found.tallies = tallies.into_iter().map(|((lane, _), (name, tally))| (lane, name, tally)).collect();
    found.changes.sort_by(|a, b| {
        rank(a.verdict)
            .cmp(&rank(b.verdict))
            .then(off(b).total_cmp(&off(a)))
            .then_with(|| a.place.cmp(&b.place))
    });
    Ok(found)
}

fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Worse => 0,
        Verdict::Inconclusive => 1,
        Verdict::Better => 2,
        Verdict::Same => 3,
    }
}

impl Place {
    /// All of it in words.
    pub fn words(&self) -> String {
        format!("{}, point {}, replicate {}, {}", self.sweep, self.point, self.replicate, self.spec)
    }
}

/// How far off a change is, in either direction.
fn off(change: &Change) -> f64 {
    change.ratio.ln().abs()
}

fn one_question(base: &Experiment, new: &Experiment) -> Result<(), CompareError> {
    let (one, other) = (base.header(), new.header());
    let Some(what) = one.other_question(other) else { return Ok(()) };
    let file = |experiment: &Experiment| {
        experiment.runs().next().map_or_else(String::new, |run| run.name().to_owned())
    };
    Err(CompareError::Question { base: file(base), new: file(new), experiment: one.experiment.clone(), what })
}

/// Rounds of one side are repetitions: the same commit, question and counts.
fn rounds_agree(side: &'static str, rounds: &[Book]) -> Result<(), CompareError> {
    let Some((first, others)) = rounds.split_first() else { return Ok(()) };
    for other in others {
        let differ = |what: &'static str| {
            let file = other.runs().next().map_or_else(String::new, |run| run.name().to_owned());
            Err(CompareError::Rounds { side, file, what })
        };
        if first.experiments().len() != other.experiments().len() {
            return differ("experiments");
        }
        for (one, two) in first.experiments().iter().zip(other.experiments()) {
            let (head, their) = (one.header(), two.header());
            if head.experiment != their.experiment {
                return differ("experiments");
            }
            if (&head.commit, head.dirty) != (&their.commit, their.dirty) {
                return differ("commit");
            }
            one_question(one, two)?;
            if one.exact_rows() != two.exact_rows() || one.group_rows() != two.group_rows() {
                return differ("counts");
            }
        }
    }
    Ok(())
}
