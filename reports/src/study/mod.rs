//! What the records say, before anybody draws it.
//!
//! A book becomes a tree: experiment, sweep, [`Panel`], [`Point`], [`Cell`]. A cell holds the
//! replicates of one contender at one point. A panel is what fits into one chart: points that differ along
//! the sweep's axis only. Winners, sentences and tables are read off this tree, so the page, the
//! terminal and the charts cannot disagree.

pub mod again;
pub mod attack;
pub mod cell;
pub mod digest;
pub mod facts;
pub mod group;
pub mod label;
pub mod link;
pub mod load;
pub mod panel;
pub mod peers;
pub mod prose;
pub mod reading;
pub mod sizing;
pub mod summary;
pub mod verdict;
pub mod winner;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::book::{Book, Experiment};
use crate::decide::Decided;
use crate::record::{Axis, Contender, ExactRow, GroupOutcome, GroupRow, Outcome, Sweep, TimedRow};
use attack::AttackStudy;
pub use cell::{Cell, Outcomes};
use group::GroupStudy;
use label::Label;
pub use panel::{Panel, Place, Point};

/// All contenders of a book, each once; an index into it names a contender.
#[derive(Debug)]
pub struct Roster<'a> {
    /// By family and first appearance in the headers, so that legends keep families together.
    pub contenders: Vec<&'a Contender>,
    by_spec: BTreeMap<&'a str, usize>,
    labels: Vec<Label>,
    /// Those with a wrong session or group trial anywhere.
    wrong: BTreeSet<usize>,
}

impl<'a> Roster<'a> {
    fn new(book: &'a Book) -> Self {
        let mut contenders: Vec<&Contender> = Vec::new();
        let mut families: Vec<&str> = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for contender in book.experiments().iter().flat_map(Experiment::contenders) {
            if seen.insert(&contender.spec) {
                contenders.push(contender);
            }
            if !families.contains(&contender.strategy.as_str()) {
                families.push(&contender.strategy);
            }
        }
        contenders.sort_by_key(|one| families.iter().position(|family| *family == one.strategy));
        let by_spec: BTreeMap<&str, usize> =
            contenders.iter().enumerate().map(|(index, one)| (one.spec.as_str(), index)).collect();
        let rows = book.experiments().iter().flat_map(Experiment::exact_rows);
        let sessions = rows.filter(|row| row.outcome == Outcome::Wrong).map(|row| row.spec.as_str());
        let rows = book.experiments().iter().flat_map(Experiment::group_rows);
        let groups = rows.filter(|row| row.outcome == GroupOutcome::Wrong).map(|row| row.spec.as_str());
        let wrong = sessions.chain(groups).filter_map(|spec| by_spec.get(spec).copied()).collect();
        let specs: Vec<&str> = contenders.iter().map(|one| one.spec.as_str()).collect();
        Self { labels: label::labels(&specs), contenders, by_spec, wrong }
    }

    /// Whether it may win: it promises to find the whole difference, is not told d, and was never wrong.
    pub fn eligible(&self, index: usize) -> bool {
        self.exact(index) && !self.oracle(index) && !self.wrong.contains(&index)
    }

    /// Whether a finished session promises the whole difference. Who may miss items did less, and is not
    /// cheaper.
    pub fn exact(&self, index: usize) -> bool {
        self.contenders.get(index).is_some_and(|contender| contender.guarantee == "exact")
    }

    /// Index of a spec. The reader refuses rows whose spec no header describes.
    pub fn index(&self, spec: &str) -> Option<usize> {
        self.by_spec.get(spec).copied()
    }

    /// The contender's spec.
    pub fn spec(&self, index: usize) -> &'a str {
        self.contenders.get(index).map_or("", |contender| contender.spec.as_str())
    }

    /// The short name and its parts.
    pub fn short(&self, index: usize) -> &Label {
        &self.labels[index]
    }

    /// The short name: what people read.
    pub fn label(&self, index: usize) -> &str {
        &self.short(index).text
    }

    /// Why it cannot win, in two words.
    pub fn mark(&self, index: usize) -> Option<&'static str> {
        match index {
            _ if self.oracle(index) => Some("bound"),
            _ if !self.exact(index) => Some("may miss"),
            _ => None,
        }
    }

    /// The short name with its mark.
    pub fn marked(&self, index: usize) -> String {
        let mark = self.mark(index).map(|mark| format!(" ({mark})")).unwrap_or_default();
        format!("{}{mark}", self.label(index))
    }

    /// All contenders of the same family, itself included.
    pub fn family(&self, index: usize) -> impl Iterator<Item = usize> {
        let family = &self.short(index).family;
        (0..self.labels.len()).filter(move |other| self.labels[*other].family == *family)
    }

    /// Whether it is told d.
    pub fn oracle(&self, index: usize) -> bool {
        self.contenders.get(index).is_some_and(|contender| contender.oracle)
    }
}

/// One sweep with all its points.
#[derive(Debug)]
pub struct SweepStudy<'a> {
    /// As the header describes it.
    pub sweep: &'a Sweep,
    /// Contenders that appear in it.
    pub contenders: Vec<usize>,
    /// Its charts, by growing M.
    pub panels: Vec<Panel<'a>>,
    /// Outcomes of each contender over the whole sweep.
    pub outcomes: BTreeMap<usize, Outcomes>,
    /// Trials that some contender ran and others lack, by contender.
    pub missing: BTreeMap<usize, u64>,
}

impl<'a> SweepStudy<'a> {
    /// The panel and point by which contenders are compared in tables: the most messages, and the middle
    /// of any other axis.
    pub fn reference(&self) -> Option<(&Panel<'a>, &Point<'a>)> {
        let panel = self.panels.last()?;
        let point = if self.sweep.axis == Axis::M { panel.points.last() } else { panel.middle() };
        Some((panel, point?))
    }

    /// All points of all panels.
    pub fn points(&self) -> impl Iterator<Item = &Point<'a>> {
        self.panels.iter().flat_map(|panel| &panel.points)
    }
}

/// One experiment with its sweeps, in the header's order; sweeps without rows are left out.
#[derive(Debug)]
pub struct Part<'a> {
    /// The files.
    pub experiment: &'a Experiment,
    /// Its sweeps.
    pub sweeps: Vec<SweepStudy<'a>>,
    /// Its sweeps over attacks, which stay out of all comparisons of honest sessions.
    pub attacks: Vec<AttackStudy<'a>>,
    /// Sweeps over groups, likewise.
    pub groups: Vec<GroupStudy<'a>>,
    /// Sweeps of both kinds that the headers announce and no row belongs to.
    pub sweeps_empty: Vec<&'a str>,
}

/// A whole book, studied.
#[derive(Debug)]
pub struct Study<'a> {
    /// The book.
    pub book: &'a Book,
    /// All contenders.
    pub roster: Roster<'a>,
    /// The experiments, by name.
    pub parts: Vec<Part<'a>>,
    decided: OnceCell<Decided<'a>>,
}

impl<'a> Study<'a> {
    /// Sorts every row into its cell.
    pub fn new(book: &'a Book) -> Self {
        let roster = Roster::new(book);
        let parts = book.experiments().iter().map(|one| part(one, &roster)).collect();
        Self { book, roster, parts, decided: OnceCell::new() }
    }

    /// The decisions that the sessions allow, made when they are first asked for.
    pub fn decided(&self) -> &Decided<'a> {
        self.decided.get_or_init(|| Decided::new(self))
    }

    /// Name of a sweep, with its experiment where there are several.
    pub fn sweep_name(&self, experiment: &str, sweep: &str) -> String {
        if self.parts.len() > 1 { format!("{experiment}: {sweep}") } else { sweep.to_owned() }
    }

    /// All sweeps with their experiment.
    pub fn sweeps(&self) -> impl Iterator<Item = (&Part<'a>, &SweepStudy<'a>)> {
        self.parts.iter().flat_map(|part| part.sweeps.iter().map(move |sweep| (part, sweep)))
    }

    /// All sweeps over attacks with their experiment.
    pub fn attacks(&self) -> impl Iterator<Item = (&Part<'a>, &AttackStudy<'a>)> {
        self.parts.iter().flat_map(|part| part.attacks.iter().map(move |sweep| (part, sweep)))
    }

    /// All sweeps over groups with their experiment.
    pub fn groups(&self) -> impl Iterator<Item = (&Part<'a>, &GroupStudy<'a>)> {
        self.parts.iter().flat_map(|part| part.groups.iter().map(move |sweep| (part, sweep)))
    }

    /// Whether any file holds sessions, even if none of their rows.
    pub fn has_sessions(&self) -> bool {
        self.book.experiments().iter().any(|one| one.exact().is_some())
    }

    /// Whether any file holds group trials, even if none of their rows.
    pub fn has_groups(&self) -> bool {
        self.book.experiments().iter().any(|one| one.group().is_some())
    }

    /// All rows of the group lane.
    pub fn group_rows(&self) -> impl Iterator<Item = &'a GroupRow> {
        self.book.experiments().iter().flat_map(Experiment::group_rows)
    }

    /// How the sessions of each contender ended, over the whole book.
    pub fn outcomes(&self) -> BTreeMap<usize, Outcomes> {
        let mut all: BTreeMap<usize, Outcomes> = BTreeMap::new();
        for (index, one) in self.sweeps().flat_map(|(_, sweep)| &sweep.outcomes) {
            let sum = all.entry(*index).or_default();
            *sum = sum.merged(*one);
        }
        all
    }

    /// All rows of the exact lane.
    pub fn exact_rows(&self) -> impl Iterator<Item = &'a ExactRow> {
        self.book.experiments().iter().flat_map(Experiment::exact_rows)
    }
}

fn part<'a>(experiment: &'a Experiment, roster: &Roster<'a>) -> Part<'a> {
    let mut exact: BTreeMap<&str, Vec<&ExactRow>> = BTreeMap::new();
    for row in experiment.exact_rows() {
        exact.entry(&row.sweep).or_default().push(row);
    }
    let mut timed: BTreeMap<&str, Vec<&TimedRow>> = BTreeMap::new();
    for row in experiment.timed_rows() {
        timed.entry(&row.sweep).or_default().push(row);
    }
    let (groups, groups_empty) = group::groups(experiment, roster);
    let mut part =
        Part { experiment, sweeps: Vec::new(), attacks: Vec::new(), groups, sweeps_empty: Vec::new() };
    for sweep in experiment.sweeps() {
        let name = sweep.name.as_str();
        match exact.remove(name) {
            Some(rows) => {
                let times = timed.remove(name).unwrap_or_default();
                if sweep.axis == Axis::Attack {
                    part.attacks.push(AttackStudy { sweep, rows, times });
                    continue;
                }
                part.sweeps.push(sweep_study(sweep, &rows, &times, roster));
            }
            None => part.sweeps_empty.push(name),
        }
    }
    part.sweeps_empty.extend(groups_empty);
    part
}

fn sweep_study<'a>(
    sweep: &'a Sweep,
    rows: &[&'a ExactRow],
    times: &[&'a TimedRow],
    roster: &Roster<'a>,
) -> SweepStudy<'a> {
    let mut outcomes: BTreeMap<usize, Outcomes> = BTreeMap::new();
    let mut trials: BTreeSet<(u32, u32)> = BTreeSet::new();
    for row in rows {
        trials.insert((row.point, row.replicate));
        if let Some(index) = roster.index(&row.spec) {
            outcomes.entry(index).or_default().add(row.outcome);
        }
    }
    let expected = trials.len() as u64;
    let missing = outcomes
        .iter()
        .map(|(index, seen)| (*index, expected.saturating_sub(seen.trials())))
        .filter(|(_, missing)| *missing > 0)
        .collect();
    SweepStudy {
        sweep,
        contenders: outcomes.keys().copied().collect(),
        panels: panel::panels(sweep.axis, panel::points(sweep.axis, rows, times, roster)),
        outcomes,
        missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Run;
    use crate::record::Bytes;

    const HEADER: &str = r#"{"offerbench":"exact","schema":1,"experiment":"e","spec_hash":"h","seed":1,
        "commit":"c","dirty":false,"command":"run","rows":10000,"sweeps":[{"name":"s","question":"",
        "expectation":"","axis":"AXIS","cpu_ms_max":1,"heap_bytes_max":1}],"contenders":[
        {"spec":"flat","strategy":"a","id_bits":64,"keyed":true,"guarantee":"exact","oracle":false},
        {"spec":"steep","strategy":"b","id_bits":64,"keyed":true,"guarantee":"exact","oracle":false}]}"#;

    fn row(point: u32, spec: &str, m: u64, d: u64, bytes: u64) -> ExactRow {
        ExactRow {
            sweep: "s".into(),
            point,
            replicate: 0,
            seed: 1,
            spec: spec.into(),
            workload: "synthetic".into(),
            pattern: "scattered".into(),
            m,
            n: 2,
            k: 1,
            d,
            d_initiator: d,
            d_responder: 0,
            stretches: None,
            window: 1,
            guess: None,
            absence_ms: None,
            attack: None,
            outcome: Outcome::Exact,
            reason: None,
            tries: 1,
            missed: 0,
            invented: 0,
            up: Bytes { sketch: bytes, ..Bytes::default() },
            down: Bytes::default(),
            frames_up: 1,
            frames_down: 1,
            frames_overshoot: 0,
            flights: 2,
            flow_up: Vec::new(),
            flow_down: Vec::new(),
            decode_attempts: 1,
            decode_failures: 0,
            estimate: None,
            capacity: None,
            heap_peak_bytes: 1,
            index_heap_bytes: 1,
        }
    }

    fn book(axis: &str, rows: Vec<ExactRow>) -> Book {
        let header = serde_json::from_str(&HEADER.replace("AXIS", axis)).unwrap();
        Book::unite(vec![Run::new("f".into(), header, crate::Rows::Exact(rows))]).unwrap()
    }

    /// `flat` costs 1000 bytes, `steep` 10 a difference: they meet at d = 100, on no grid point.
    fn crossing_rows() -> Vec<ExactRow> {
        [0u64, 20, 50, 200, 500]
            .into_iter()
            .zip(0..)
            .flat_map(|(d, point)| {
                [row(point, "flat", 10_000, d, 1000), row(point, "steep", 10_000, d, 10 * d + 1)]
            })
            .collect()
    }

    #[test]
    fn the_lead_changes_where_the_lines_cross() {
        let book = book("d", crossing_rows());
        let study = Study::new(&book);
        let panel = &study.parts[0].sweeps[0].panels[0];
        let points: Vec<&Point<'_>> = panel.positive().collect();
        let regions = winner::regions(Axis::D, &points, &study.roster);
        assert_eq!(regions.len(), 2);
        assert_eq!(study.roster.spec(regions[0].index), "steep");
        let crossing = regions[0].crossing.unwrap();
        assert_eq!((crossing.below, crossing.above), (50.0, 200.0));
        let at = crossing.at.unwrap();
        assert!((99.0..101.0).contains(&at.mid), "{at:?}");
        let words = verdict::first(&study).plain();
        assert!(words.contains("d ≤ 99.9 use steep; else use flat"), "{words}");
        let words = verdict::second(&study).plain();
        assert!(words.contains("equal sets cost least with steep"), "{words}");
    }

    #[test]
    fn a_failure_forfeits_the_point() {
        let mut rows = crossing_rows();
        for row in rows.iter_mut().filter(|row| row.spec == "steep" && row.d == 20) {
            row.outcome = Outcome::GaveUp;
        }
        let book = book("d", rows);
        let study = Study::new(&book);
        let panel = &study.parts[0].sweeps[0].panels[0];
        let best = winner::winner(&panel.points[1], &study.roster).unwrap();
        assert_eq!(study.roster.spec(best.index), "flat");
        assert!(panel.points[1].cells[&1].bytes.mid.is_infinite());
    }

    #[test]
    fn a_chart_holds_points_that_differ_along_the_axis_only() {
        // Over d: a panel for each M, the larger one last and so the reference.
        let grid = [(0, 1000, 5), (1, 1000, 50), (2, 10_000, 5), (3, 10_000, 50)];
        let rows = |grid: &[(u32, u64, u64)]| {
            grid.iter().map(|(point, m, d)| row(*point, "flat", *m, *d, 1000)).collect::<Vec<_>>()
        };
        let over_d = book("d", rows(&grid));
        let study = Study::new(&over_d);
        let panels = &study.parts[0].sweeps[0].panels;
        assert_eq!(panels.len(), 2);
        assert!(panels[1].label.starts_with("M = 10"), "{}", panels[1].label);
        // Over M with d in proportion: two shares of M, two panels; d alone would make four.
        let grid = [(0, 1000, 10), (1, 1000, 100), (2, 10_000, 100), (3, 10_000, 1000)];
        let over_m = book("m", rows(&grid));
        let study = Study::new(&over_m);
        let sweep = &study.parts[0].sweeps[0];
        assert_eq!(sweep.panels.len(), 2);
        assert!(sweep.panels[0].label.contains("d/M"), "{}", sweep.panels[0].label);
        assert_eq!(sweep.reference().unwrap().1.place.sides.m, 10_000);
        // Over M with fixed d: one panel, since nothing else varies.
        let over_m = book("m", rows(&[(0, 1000, 10), (1, 10_000, 10)]));
        assert_eq!(Study::new(&over_m).parts[0].sweeps[0].panels.len(), 1);
    }

    #[test]
    fn trials_that_others_ran_are_missing() {
        let mut rows = crossing_rows();
        rows.pop();
        let book = book("d", rows);
        let study = Study::new(&book);
        assert_eq!(study.parts[0].sweeps[0].missing.get(&1), Some(&1));
        assert!(verdict::third(&study).plain().contains("1\u{202f}trial that others ran (steep 1×)"));
    }
}
