//! What one bad peer or author can do (question Q9). Rows of attacks are read here and nowhere else: they price no
//! strategy, and no rule, map or closed form is drawn from them.

use std::collections::BTreeMap;

use super::Roster;
use super::cell::BOOTSTRAP_SEED;
use super::prose::Prose;
use crate::format;
use crate::record::{Attack, Attacker, ExactRow, Outcome, Sweep, Timed, TimedRow};
use crate::stats::{Interval, mean_interval, median, wilson};

/// One sweep over attacks.
#[derive(Debug)]
pub struct AttackStudy<'a> {
    /// As the header describes it.
    pub sweep: &'a Sweep,
    /// Its rows.
    pub rows: Vec<&'a ExactRow>,
    /// Times of its victims.
    pub times: Vec<&'a TimedRow>,
}

/// What a peer's attack made one contender spend, medians over the replicates.
#[derive(Clone, Debug, PartialEq)]
pub struct Amplified {
    /// Contender.
    pub index: usize,
    /// Name of the attack, and whether nothing stopped the victim.
    pub attack: String,
    /// Bytes of the attacker.
    pub sent: f64,
    /// Bytes of the victim.
    pub answered: f64,
    /// Peak heap of the victim's sessions, in bytes.
    pub heap: f64,
    /// CPU of the victim, in ns, where it was timed.
    pub cpu_ns: Option<f64>,
    /// Trials.
    pub trials: u64,
    /// Of these, those in which the victim reported what is not true.
    pub wrong: u64,
    /// How the victim fared, in its own words.
    pub end: String,
}

impl Amplified {
    /// Bytes of the victim for each of the attacker's; none where the attacker said nothing at all.
    pub fn factor(&self) -> Option<f64> {
        (self.sent > 0.0).then(|| self.answered / self.sent)
    }
}

/// What stays hidden from one contender behind an author's items.
#[derive(Clone, Debug, PartialEq)]
pub struct Hidden {
    /// Contender.
    pub index: usize,
    /// Name of the attack.
    pub attack: String,
    /// Differing items of all sessions.
    pub items: u64,
    /// Of these, those that nobody found.
    pub missed: u64,
    /// Their share, with its 95% Wilson interval.
    pub share: Interval,
    /// Bytes of a session both ways: mean, with its 95% bootstrap interval.
    pub bytes: Option<Interval>,
    /// Sessions.
    pub trials: u64,
    /// Of these, those after retries.
    pub recovered: u64,
    /// Of these, those that gave up or missed something.
    pub failed: u64,
    /// Of these, those that were wrong.
    pub wrong: u64,
    /// Messages that the author crafted for a session, and hashes that it tried for them: the most.
    pub effort: (u64, u64),
}

fn name(attack: &Attack) -> String {
    if attack.capped { attack.name.clone() } else { format!("{}, uncapped", attack.name) }
}

impl<'a> AttackStudy<'a> {
    /// Rows by point and contender, of attacks by peers or by authors.
    fn cells(
        &self,
        roster: &Roster<'a>,
        by_author: bool,
    ) -> BTreeMap<(u32, usize), Vec<(&'a Attack, &'a ExactRow)>> {
        let mut cells: BTreeMap<(u32, usize), Vec<(&Attack, &ExactRow)>> = BTreeMap::new();
        for row in &self.rows {
            let (Some(attack), Some(index)) = (&row.attack, roster.index(&row.spec)) else { continue };
            if (attack.attacker == Attacker::Author) == by_author {
                cells.entry((row.point, index)).or_default().push((attack, row));
            }
        }
        cells
    }

    /// What attacks by peers cost their victims, by attack and contender.
    pub fn amplified(&self, roster: &Roster<'a>) -> Vec<Amplified> {
        let mut clock: BTreeMap<(u32, usize), Vec<f64>> = BTreeMap::new();
        for row in self.times.iter().filter(|row| row.timed == Timed::Victim) {
            let Some(index) = roster.index(&row.spec) else { continue };
            let samples = row.samples_ns.iter().map(|ns| *ns as f64 / f64::from(row.batch.max(1)));
            clock.entry((row.point, index)).or_default().extend(samples);
        }
        let one = |((point, index), rows): ((u32, usize), Vec<(&Attack, &ExactRow)>)| {
            let over = |value: &dyn Fn(&Attack, &ExactRow) -> u64| {
                let all: Vec<f64> = rows.iter().map(|(attack, row)| value(attack, row) as f64).collect();
                median(&all)
            };
            let (attack, first) = rows.first()?;
            Some(Amplified {
                index,
                attack: name(attack),
                sent: over(&|attack, row| sides(attack, row).0)?,
                answered: over(&|attack, row| sides(attack, row).1)?,
                heap: over(&|_, row| row.heap_peak_bytes)?,
                cpu_ns: clock.get(&(point, index)).and_then(|samples| median(samples)),
                trials: rows.len() as u64,
                wrong: wrong(&rows),
                end: first.reason.clone().unwrap_or_default(),
            })
        };
        self.cells(roster, false).into_iter().filter_map(one).collect()
    }

    /// What stays hidden behind authors' items, by attack and contender.
    pub fn hidden(&self, roster: &Roster<'a>) -> Vec<Hidden> {
        let one = |((_, index), rows): ((u32, usize), Vec<(&Attack, &ExactRow)>)| {
            let (attack, _) = rows.first()?;
            let one_way = roster.contenders.get(index)?.guarantee.starts_with("one way");
            let due = |row: &ExactRow| if one_way { row.d_responder } else { row.d };
            let items: u64 = rows.iter().map(|(_, row)| due(row)).sum();
            let missed = rows.iter().map(|(_, row)| row.missed).sum::<u64>().min(items);
            let bytes: Vec<f64> = rows.iter().map(|(_, row)| row.bytes_total() as f64).collect();
            let count =
                |outcome: Outcome| rows.iter().filter(|(_, row)| row.outcome == outcome).count() as u64;
            let most = |value: &dyn Fn(&Attack) -> u64| {
                rows.iter().map(|(attack, _)| value(attack)).max().unwrap_or(0)
            };
            Some(Hidden {
                index,
                attack: name(attack),
                items,
                missed,
                share: wilson(missed, items),
                bytes: mean_interval(&bytes, BOOTSTRAP_SEED),
                trials: rows.len() as u64,
                recovered: count(Outcome::Recovered),
                failed: count(Outcome::GaveUp),
                wrong: count(Outcome::Wrong),
                effort: (most(&|attack| attack.crafted), most(&|attack| attack.hashes)),
            })
        };
        self.cells(roster, true).into_iter().filter_map(one).collect()
    }
}

/// Bytes of the attacker and of the victim.
fn sides(attack: &Attack, row: &ExactRow) -> (u64, u64) {
    let (up, down) = (row.up.total(), row.down.total());
    if attack.attacker == Attacker::Responder { (down, up) } else { (up, down) }
}

fn wrong(rows: &[(&Attack, &ExactRow)]) -> u64 {
    rows.iter().filter(|(_, row)| row.outcome == Outcome::Wrong).count() as u64
}

/// Who is amplified most, capped or not, in bytes and CPU.
pub fn amplified_reading(all: &[Amplified], roster: &Roster<'_>) -> Prose {
    let mut parts = Vec::new();
    let factor = |one: &&Amplified| one.factor();
    let uncapped = |one: &&Amplified| one.attack.ends_with("uncapped");
    for (words, field) in [
        ("With limits", all.iter().filter(|one| !uncapped(one)).collect::<Vec<_>>()),
        ("without", all.iter().filter(uncapped).collect()),
    ] {
        let most = field
            .iter()
            .filter(|one| factor(one).is_some())
            .max_by(|a, b| a.factor().total_cmp_option(b.factor()));
        let Some(most) = most else { continue };
        let mut part = Prose::new(format!(
            "{words}, a byte of an attacker makes its victim send at most {} (",
            format::figure(most.factor().unwrap_or(0.0))
        ));
        part.contender(roster, most.index).text(format!(", {})", most.attack));
        parts.push(part);
    }
    let mut prose = Prose::joined(parts, "; ");
    prose.text(". ");
    let slowest =
        all.iter().filter(|one| one.cpu_ns.is_some()).max_by(|a, b| a.cpu_ns.total_cmp_option(b.cpu_ns));
    if let Some(slowest) = slowest {
        prose.text(format!("The most CPU is {} (", format::nanos(slowest.cpu_ns.unwrap_or(0.0))));
        prose.contender(roster, slowest.index).text(format!(", {}), ", slowest.attack));
    }
    if let Some(largest) = all.iter().max_by(|a, b| a.heap.total_cmp(&b.heap)) {
        let word = if slowest.is_some() { "the most heap" } else { "The most heap is" };
        prose.text(format!("{word} {} (", format::bytes(largest.heap)));
        prose.contender(roster, largest.index).text(format!(", {}); ", largest.attack));
    }
    let (wrong, trials) =
        all.iter().fold((0, 0), |(wrong, trials), one| (wrong + one.wrong, trials + one.trials));
    prose.text(format!(
        "{} of {} trials made a victim report what is not true.",
        format::count(wrong),
        format::count(trials)
    ));
    prose
}

/// Comparison of values that may be missing.
trait TotalOrder {
    fn total_cmp_option(self, other: Self) -> std::cmp::Ordering;
}

impl TotalOrder for Option<f64> {
    fn total_cmp_option(self, other: Self) -> std::cmp::Ordering {
        self.unwrap_or(f64::NEG_INFINITY).total_cmp(&other.unwrap_or(f64::NEG_INFINITY))
    }
}

/// What stays hidden at the most and the least, and what it costs to find the rest.
pub fn hidden_reading(all: &[Hidden], roster: &Roster<'_>) -> Prose {
    let mut prose = Prose::default();
    let most = all.iter().max_by(|a, b| a.share.mid.total_cmp(&b.share.mid));
    let least = all.iter().min_by(|a, b| a.share.high.total_cmp(&b.share.high));
    let (Some(most), Some(least)) = (most, least) else { return prose };
    if most.missed == 0 {
        let bound = all.iter().map(|one| one.share.high).fold(0.0, f64::max);
        prose.text(format!(
            "None of the differing items stays hidden from anybody (below {} of them each). ",
            format::percent(bound)
        ));
    } else {
        prose.text(format!(
            "At most {} of the differing items stay hidden (",
            format::percent(most.share.mid)
        ));
        prose.contender(roster, most.index).text(format!(
            ", {}), at the least {} (",
            most.attack,
            share(least)
        ));
        prose.contender(roster, least.index).text(format!(", {}). ", least.attack));
    }
    let again = all.iter().max_by_key(|one| one.recovered).filter(|one| one.recovered > 0);
    if let Some(again) = again {
        let hurt = all.iter().filter(|one| one.recovered > 0).count();
        prose.text(format!(
            "Sessions had to begin anew in {} of {} cells, the most of them with ",
            format::count(hurt as u64),
            format::count(all.len() as u64)
        ));
        prose.contender(roster, again.index).text(format!(
            " ({}, {} of {}). ",
            again.attack,
            format::count(again.recovered),
            format::count(again.trials)
        ));
    }
    let cost = |one: &Hidden| one.bytes.map_or(0.0, |bytes| bytes.mid);
    if let (Some(dear), Some(cheap)) = (
        all.iter().max_by(|a, b| cost(a).total_cmp(&cost(b))),
        all.iter().min_by(|a, b| cost(a).total_cmp(&cost(b))),
    ) {
        prose.text(format!("A session takes between {} (", format::bytes(cost(cheap))));
        prose.contender(roster, cheap.index).text(format!(
            ", {}) and {} (",
            cheap.attack,
            format::bytes(cost(dear))
        ));
        prose.contender(roster, dear.index).text(format!(", {}).", dear.attack));
    }
    prose
}

/// A share in words: zero is shown as what so many items cannot exclude.
pub fn share(one: &Hidden) -> String {
    if one.missed == 0 {
        return format!("none: below {}", format::percent(one.share.high));
    }
    let range = format::range(one.share.low, one.share.high, format::percent).unwrap_or_default();
    format!("{} ({range})", format::percent(one.share.mid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Book, Run};
    use crate::study::Study;

    const HEADER: &str = r#"{"offerbench":"exact","schema":1,"experiment":"e","spec_hash":"h","seed":1,
        "commit":"c","dirty":false,"command":"run","rows":10,"sweeps":[{"name":"s","question":"",
        "expectation":"","axis":"attack","cpu_ms_max":1,"heap_bytes_max":1}],"contenders":[
        {"spec":"a","strategy":"a","id_bits":64,"keyed":true,"guarantee":"may miss","oracle":false}]}"#;

    fn row(point: u32, replicate: u32, attack: &str, up: u64, down: u64, missed: u64) -> ExactRow {
        let text = format!(
            r#"{{"sweep":"s","point":{point},"replicate":{replicate},"seed":1,"spec":"a","workload":"synthetic",
            "pattern":"scattered","m":100,"n":2,"k":1,"d":10,"d_initiator":5,"d_responder":5,"window":1,
            "attack":{attack},"outcome":"gave_up","tries":1,"missed":{missed},"invented":0,
            "up":{{"salt":0,"estimator":0,"sketch":{up},"ids":0,"request":0,"control":0,"retry":0,"overshoot":0}},
            "down":{{"salt":0,"estimator":0,"sketch":{down},"ids":0,"request":0,"control":0,"retry":0,"overshoot":0}},
            "frames_up":1,"frames_down":1,"frames_overshoot":0,"flights":0,"decode_attempts":0,"decode_failures":0,
            "heap_peak_bytes":7,"index_heap_bytes":1}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn sides_and_shares_are_counted_by_hand() {
        let opener = r#"{"name":"lie","capped":true,"attacker":"initiator"}"#;
        let answerer = r#"{"name":"lie","capped":false,"attacker":"responder"}"#;
        let author = r#"{"name":"poison","capped":true,"attacker":"author","crafted":3,"hashes":9}"#;
        let rows = vec![
            row(0, 0, opener, 10, 100, 10),
            row(0, 1, opener, 10, 300, 10),
            row(1, 0, answerer, 50, 0, 10),
            row(2, 0, author, 20, 30, 4),
            row(2, 1, author, 20, 30, 1),
        ];
        let header = serde_json::from_str(HEADER).unwrap();
        let book = Book::unite(vec![Run::new("f".into(), header, crate::Rows::Exact(rows))]).unwrap();
        let study = Study::new(&book);
        // Nothing of it is a sweep of honest sessions.
        assert_eq!(study.sweeps().count(), 0);
        let (_, attacks) = study.attacks().next().unwrap();
        let all = attacks.amplified(&study.roster);
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].attack.as_str(), all[0].factor()), ("lie", Some(20.0)));
        assert_eq!((all[1].attack.as_str(), all[1].factor()), ("lie, uncapped", None));
        assert_eq!((all[1].sent, all[1].answered, all[1].heap), (0.0, 50.0, 7.0));
        let hidden = attacks.hidden(&study.roster);
        assert_eq!(hidden.len(), 1);
        assert_eq!((hidden[0].missed, hidden[0].items, hidden[0].effort), (5, 20, (3, 9)));
        assert!((hidden[0].share.mid - 0.25).abs() < 1e-9);
        let words = amplified_reading(&all, &study.roster).plain();
        assert!(
            words.starts_with("With limits, a byte of an attacker makes its victim send at most 20 ("),
            "{words}"
        );
        assert!(words.contains("0 of 3 trials"), "{words}");
        assert!(hidden_reading(&hidden, &study.roster).plain().starts_with("At most 25"));
        let nothing = Hidden {
            missed: 0,
            share: Interval { low: 0.0, mid: 0.0, high: 0.125 },
            trials: 4,
            recovered: 3,
            ..hidden[0].clone()
        };
        let words = hidden_reading(&[nothing], &study.roster).plain();
        assert!(
            words.starts_with("None of the differing items stays hidden from anybody (below 12.5"),
            "{words}"
        );
        assert!(words.contains("anew in 1 of 1 cells, the most of them with a (poison, 3 of 4)."), "{words}");
    }
}
