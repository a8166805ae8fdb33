//! A strategy that answers wrongly must not get away with it.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use offerbench::experiment::Experiment;
use offerbench::plan::{Contender, Overrides, Plan};
use offerbench::run;
use offerbench::sink::Existing;
use offerbench_algos::{
    Finding, Index, Item, Profile, Role, Seed, Session, SessionError, Setup, Step, Strategy, Tally, build,
};

/// `offers`, but one finding is swallowed or invented.
struct Liar {
    honest: Arc<dyn Strategy>,
    invents: bool,
}

struct LiarIndex {
    inner: Box<dyn Index>,
    invents: bool,
    some_item: Option<Item>,
}

struct LiarSession {
    inner: Box<dyn Session>,
    /// A finding to report that is none, or how many true ones to swallow.
    lie: Option<Finding>,
    swallow: usize,
}

impl Strategy for Liar {
    fn index(&self, items: &[Item]) -> Box<dyn Index> {
        let inner = self.honest.index(items);
        Box::new(LiarIndex { inner, invents: self.invents, some_item: items.first().copied() })
    }

    fn profile(&self) -> Profile {
        self.honest.profile()
    }
}

impl Index for LiarIndex {
    fn insert(&mut self, item: Item) {
        self.inner.insert(item);
    }

    fn open(&self, role: Role, setup: &Setup) -> Box<dyn Session> {
        let lie = self.some_item.filter(|_| self.invents).map(|item| Finding::Have(item.id));
        let swallow = usize::from(!self.invents);
        Box::new(LiarSession { inner: self.inner.open(role, setup), lie, swallow })
    }

    fn heap_bytes(&self) -> usize {
        self.inner.heap_bytes()
    }
}

impl Session for LiarSession {
    fn handle_frame(&mut self, frame: &[u8]) -> Result<(), SessionError> {
        self.inner.handle_frame(frame)
    }

    fn poll_frame(&mut self, frame: &mut Vec<u8>) -> Step {
        self.inner.poll_frame(frame)
    }

    fn poll_finding(&mut self) -> Option<Finding> {
        while self.swallow > 0 {
            match self.inner.poll_finding()? {
                Finding::Have(_) => self.swallow -= 1,
                need @ Finding::Need(_) => return Some(need),
            }
        }
        self.lie.take().or_else(|| self.inner.poll_finding())
    }

    fn tally(&self) -> Tally {
        self.inner.tally()
    }
}

fn run_with_liar(invents: bool) -> (usize, String, String) {
    let experiment = Experiment::load("smoke").unwrap();
    let specs = ["offers:bits=48".to_owned()];
    let overrides = Overrides { strategies: &specs, ..Overrides::default() };
    let mut plan = Plan::new(&experiment, "smoke", Seed::new(1), &overrides).unwrap();
    let honest: Arc<dyn Strategy> = Arc::from(build("offers:bits=48").unwrap().strategy);
    let liar = Contender {
        spec: "liar:bits=48".to_owned(),
        id: "liar".to_owned(),
        strategy: Arc::new(Liar { honest, invents }),
    };
    // It lies in sessions; groups have lies of their own.
    plan.groups.clear();
    plan.contenders.push(liar);
    let newest = plan.contenders.len() - 1;
    for sweep in &mut plan.sweeps {
        sweep.contenders.push(newest);
    }
    let dir = tempfile::tempdir().unwrap();
    let ran = run::run(&plan, dir.path(), Existing::Refuse, 2, &AtomicBool::new(false)).unwrap();
    let rows = fs::read_to_string(dir.path().join(run::EXACT)).unwrap();
    let timed = fs::read_to_string(dir.path().join(run::TIMED)).unwrap();
    // Nothing that was not verified is timed. (The first row of d = 0 has nothing to swallow.)
    let lied_at = |line: &&str| line.contains("liar:bits=48") && line.contains("\"d\":50");
    assert_eq!(timed.lines().skip(1).filter(lied_at).count(), 0);
    (ran.wrong, rows, fs::read_to_string(&ran.report).unwrap())
}

#[test]
fn a_missed_item_is_wrong_in_the_row_and_first_in_the_report() {
    let (wrong, rows, report) = run_with_liar(false);
    assert!(wrong > 0);
    let row = rows.lines().find(|row| row.contains("\"outcome\":\"wrong\"")).unwrap();
    assert!(row.contains("liar:bits=48") && row.contains("claims it cannot miss"), "{row}");
    // The page's own words, after the script of the charting library.
    let page = &report[report.find("<body").unwrap()..];
    let alarm = page.find("claims it cannot miss").expect("the report says what was wrong");
    let sentences = page.find("The answer in three sentences").unwrap();
    assert!(alarm < sentences, "the wrong answers do not stand first");
}

#[test]
fn an_invented_item_is_wrong() {
    let (wrong, rows, _) = run_with_liar(true);
    assert!(wrong > 0);
    let row = rows.lines().find(|row| row.contains("\"outcome\":\"wrong\"")).unwrap();
    assert!(row.contains("does not differ"), "{row}");
}
