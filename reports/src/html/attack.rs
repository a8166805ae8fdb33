//! Question Q9 on the page: what one bad peer or author can do.

use super::Page;
use super::tag::{Table, Td, contender, escaped, prose, row_class};
use crate::charts::lines::{Axes, Dot, Series, lines};
use crate::charts::{Scale, quoted};
use crate::format;
use crate::stats::Interval;
use crate::study::Study;
use crate::study::attack::{Amplified, Hidden, amplified_reading, hidden_reading, share};
use crate::study::summary::with_interval;
use serde_json::Value;

/// A section for each sweep over attacks.
pub fn sections(page: &mut Page, study: &Study<'_>) {
    for (number, (part, sweep)) in (1..).zip(study.attacks()) {
        let header = part.experiment.header();
        let name = study.sweep_name(&header.experiment, &sweep.sweep.name);
        let id = format!("attack-{number}");
        page.link(&id, &name);
        page.push(&format!("<section id=\"{id}\"><h2>{}</h2>\n", escaped(&name)));
        page.paragraph("", &format!("<b>Question.</b> {}", escaped(&sweep.sweep.question)));
        page.paragraph("", &format!("<b>Expected before the run.</b> {}", escaped(&sweep.sweep.expectation)));
        let (amplified, hidden) = (sweep.amplified(&study.roster), sweep.hidden(&study.roster));
        if !amplified.is_empty() {
            amplification(page, study, &amplified);
        }
        if !hidden.is_empty() {
            hiding(page, study, &hidden);
        }
        page.push("<h3>Make it again</h3>\n");
        page.push(&format!("<pre><code>{}</code></pre>\n", escaped(&header.command)));
        page.paragraph("note", "Attacks enter no rule, no map and no other table of this report.");
        page.push("</section>\n");
    }
}

/// A line a contender over the attacks, in their order.
fn series<'o, T>(
    all: &'o [T],
    index: impl Fn(&T) -> usize,
    dot: impl Fn(&'o T) -> Option<Dot>,
) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for one in all {
        let Some(dot) = dot(one) else { continue };
        match series.iter_mut().find(|series| series.index == index(one)) {
            Some(series) => series.dots.push(dot),
            None => series.push(Series { index: index(one), dots: vec![dot] }),
        }
    }
    series
}

fn names<'o>(attacks: impl Iterator<Item = &'o str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for attack in attacks {
        let name = quoted(attack);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn axes(y: &str, y_scale: Scale, x_names: Vec<String>) -> Axes {
    Axes { x: "Attack".into(), x_scale: Scale::Names, x_names, y: y.into(), y_scale, marks: true }
}

fn amplification(page: &mut Page, study: &Study<'_>, all: &[Amplified]) {
    let roster = &study.roster;
    let title = "Bytes of the victim for a byte of the attacker";
    page.push(&format!("<h3>{title}</h3>\n"));
    let dots = series(
        all,
        |one| one.index,
        |one| {
            let factor = one.factor().filter(|factor| *factor > 0.0)?;
            Some(Dot {
                x: Value::from(quoted(&one.attack)),
                value: Interval { low: factor, mid: factor, high: factor },
                spent: factor,
                failures: one.wrong,
                text: format!("{}: × {}", one.attack, format::figure(factor)),
            })
        },
    );
    let x_names = names(all.iter().map(|one| one.attack.as_str()));
    page.chart(title, &lines(&axes(title, Scale::Log(""), x_names), &dots, &[], roster));
    let mut table = Table::new(
        "What an attack costs its victim, medians. Heap and CPU are the victim\u{2019}s alone, of all sessions of the attack \
         together, beside its index; nothing of it counts the attacker. Wrong: trials in which the victim reported an item \
         that is no difference between its set and the one that the attacker claims.",
        ["Contender", "Attack", "Attacker sent", "Victim sent", "Amplification", "Victim\u{2019}s heap", "Victim\u{2019}s CPU", "Wrong", "How it ended"],
    )
    .numeric();
    for one in all {
        let factor = one.factor().map_or_else(
            || Td::number("unprompted").sorted_by(f64::INFINITY),
            |factor| Td::number(&format!("× {}", format::figure(factor))).sorted_by(factor),
        );
        table.row(
            &contender(roster, one.index),
            row_class(roster, one.index),
            &[
                Td::text(&one.attack),
                Td::value(one.sent, format::bytes),
                Td::value(one.answered, format::bytes),
                factor,
                Td::value(one.heap, format::bytes),
                Td::optional(one.cpu_ns, format::nanos),
                Td::number(&format!("{} of {}", format::count(one.wrong), format::count(one.trials))),
                Td::text(&one.end),
            ],
        );
    }
    page.push(&table.finish());
    page.push("<h3>Reading</h3>\n");
    page.paragraph("reading", &prose(&amplified_reading(all, roster)));
}

fn hiding(page: &mut Page, study: &Study<'_>, all: &[Hidden]) {
    let roster = &study.roster;
    let title = "Share of the differing items that stay hidden";
    page.push(&format!("<h3>{title}</h3>\n"));
    let dots = series(
        all,
        |one| one.index,
        |one| {
            let none = Interval { low: f64::INFINITY, mid: f64::INFINITY, high: f64::INFINITY };
            let Interval { low, mid, high } = one.share;
            let percents = Interval { low: low * 100.0, mid: mid * 100.0, high: high * 100.0 };
            Some(Dot {
                x: Value::from(quoted(&one.attack)),
                value: if one.missed == 0 { none } else { percents },
                spent: percents.high,
                failures: u64::from(one.missed == 0),
                text: format!("{}: {}", one.attack, share(one)),
            })
        },
    );
    let x_names = names(all.iter().map(|one| one.attack.as_str()));
    let y = format!("{title}, %");
    page.chart(title, &lines(&axes(&y, Scale::Log(""), x_names), &dots, &[], roster));
    let mut table = Table::new(
        "What crafted items hide, with 95% Wilson intervals over all differing items of all sessions. Open markers: nothing \
         stayed hidden, drawn at what so many items cannot exclude. Effort: messages crafted for a session, and hashes \
         tried to find them.",
        ["Contender", "Attack", "Effort", "Hidden (95%)", "Items", "Bytes a session, mean (95%)", "Recovered", "Gave up or missed", "Wrong", "Sessions"],
    )
    .numeric();
    for one in all {
        let bytes = one.bytes.map_or_else(|| "–".to_owned(), |bytes| with_interval(bytes, format::bytes));
        table.row(
            &contender(roster, one.index),
            row_class(roster, one.index),
            &[
                Td::text(&one.attack),
                Td::number(&format!(
                    "{}, {}",
                    format::counted(one.effort.0, "message", "messages"),
                    format::counted(one.effort.1, "hash", "hashes")
                )),
                Td::number(&share(one)).sorted_by(one.share.mid),
                Td::count(one.items),
                Td::number(&bytes),
                Td::count(one.recovered),
                Td::count(one.failed),
                Td::count(one.wrong),
                Td::count(one.trials),
            ],
        );
    }
    page.push(&table.finish());
    page.push("<h3>Reading</h3>\n");
    page.paragraph("reading", &prose(&hidden_reading(all, roster)));
}
