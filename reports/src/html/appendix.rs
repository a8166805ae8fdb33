//! What stands behind the figures: failures with their reasons, where the files come from, what the
//! harness costs, and what the words mean.

use super::tag::{Table, Td, code, contender, escaped, row_class};
use super::{Page, group};
use crate::book::Rows;
use crate::charts::bars::{Row, bars};
use crate::format;
use crate::record::{Axis, GroupAxis, Outcome};
use crate::stats::wilson;
use crate::study::facts::{failures, overhead};
use crate::study::group::reading::axis_name as group_axis_name;
use crate::study::summary::with_interval;
use crate::study::{Outcomes, Part, Study, reading};

/// All of it.
pub fn appendix(page: &mut Page, study: &Study<'_>) {
    if study.parts.is_empty() {
        provenance(page, study);
        return;
    }
    failure_section(page, study);
    provenance(page, study);
    contenders(page, study);
    harness(page, study);
    words(page, study);
}

fn failure_section(page: &mut Page, study: &Study<'_>) {
    page.link("failures", "Failures");
    page.push("<section id=\"failures\"><h2>Failures and retries</h2>\n");
    group::screen::outcomes(page, study);
    if !study.has_sessions() {
        page.push("</section>\n");
        return;
    }
    outcome_chart(page, study);
    let mut table = Table::new(
        "Every session that did not reach the truth, by sweep, contender and reason. None is left out of \
         any median: it counts as dearer than all that succeeded.",
        ["Contender", "Sweep", "Outcome", "Reason", "Sessions", "Share (95%)", "At d"],
    );
    for part in &study.parts {
        for failure in failures(part, study) {
            let rate = wilson(failure.count, failure.trials);
            let experiment = &part.experiment.header().experiment;
            let outcome = if failure.outcome == Outcome::Wrong { "wrong" } else { "gave up" };
            let (low, high) = failure.d;
            let d = if low == high {
                format::count(low)
            } else {
                format!("{}–{}", format::count(low), format::count(high))
            };
            table.row(
                &contender(&study.roster, failure.index),
                if failure.outcome == Outcome::Wrong { "wrong" } else { "" },
                &[
                    Td::text(&study.sweep_name(experiment, &failure.sweep)),
                    Td::text(outcome),
                    Td::text(&failure.reason),
                    Td::number(&format!(
                        "{} of {}",
                        format::count(failure.count),
                        format::count(failure.trials)
                    ))
                    .sorted_by(failure.count as f64),
                    Td::number(&with_interval(rate, format::percent)).sorted_by(rate.mid),
                    Td::number(&d).sorted_by(low as f64),
                ],
            );
        }
    }
    if table.is_empty() {
        let all = study.exact_rows().filter(|row| row.attack.is_none()).count() as u64;
        let bound = format::percent(wilson(0, all).high);
        let all = format::counted(all, "session", "sessions");
        page.paragraph("", &escaped(&format!("None in {all} (95% upper bound {bound}).")));
    } else {
        page.push(&table.finish());
    }
    page.push("</section>\n");
}

fn outcome_chart(page: &mut Page, study: &Study<'_>) {
    let parts = ["exact", "recovered", "gave up", "wrong"];
    let title = "How sessions ended, all sweeps together";
    let mut rows = Vec::new();
    let mut table = Table::new(
        &format!(
            "{title}. A recovered session reached the truth; where a strategy plans a second step, that is \
             how it works and no fault."
        ),
        ["Contender", "Sessions"].into_iter().chain(parts).chain(["Failed (95%)"]),
    );
    for index in 0..study.roster.contenders.len() {
        let sum = study
            .sweeps()
            .filter_map(|(_, sweep)| sweep.outcomes.get(&index))
            .fold(Outcomes::default(), |sum, one| sum.merged(*one));
        if sum.trials() == 0 {
            continue;
        }
        let counts = [sum.exact, sum.recovered, sum.gave_up, sum.wrong];
        let trials = sum.trials() as f64;
        rows.push(Row {
            index,
            label: format!("{}, {} sessions", study.roster.marked(index), format::count(sum.trials())),
            shares: counts.iter().map(|count| *count as f64 / trials).collect(),
            texts: counts.iter().map(|count| format::count(*count)).collect(),
        });
        let rate = wilson(sum.failures(), sum.trials());
        let share = if sum.failures() == 0 {
            format!("≤ {}", format::percent(rate.high))
        } else {
            with_interval(rate, format::percent)
        };
        let cells = [sum.trials()].into_iter().chain(counts).map(Td::count);
        table.row(
            &contender(&study.roster, index),
            row_class(&study.roster, index),
            &cells.chain([Td::number(&share).sorted_by(rate.high)]).collect::<Vec<_>>(),
        );
    }
    page.push(&format!("<h3>{title}</h3>\n"));
    page.chart(title, &bars("Share of the contender's sessions", &parts, &[0, 3, 5, 6], &rows));
    page.push(&table.finish());
}

fn provenance(page: &mut Page, study: &Study<'_>) {
    page.link("provenance", "Provenance");
    page.push("<section id=\"provenance\"><h2>Provenance</h2>\n");
    for run in study.book.runs() {
        let header = run.header();
        let lane = match run.rows() {
            Rows::Exact(_) => "counts",
            Rows::Timed(_) => "times",
            Rows::Group(_) => "counts of groups",
            Rows::Cpu(_) => "CPU times of groups",
            Rows::Peers(_) => "kernels beside other implementations",
        };
        let mut table = Table::new(&format!("{}: {lane}", run.name()), ["What", "Value"]);
        let mut row = |what: &str, value: String| table.row(&escaped(what), "", &[Td::html(value)]);
        row("Experiment", code(&header.experiment));
        row("Hash of the experiment", code(&header.spec_hash));
        row("Root seed", code(&header.seed.to_string()));
        let dirty = if header.dirty { " <b class=\"fail\">with local changes</b>" } else { ", clean" };
        row("Commit", format!("{}{dirty}", code(&header.commit)));
        row("Command", code(&header.command));
        row("Rows", format!("{} of {}", format::count(run.row_count()), format::count(header.rows)));
        row("Schema", header.schema.to_string());
        if let Some(machine) = &header.machine {
            row("Processor", escaped(&machine.cpu));
            row("Logical processors", machine.cores.to_string());
            row("Governor", escaped(&machine.governor));
            row("System", escaped(&machine.os));
            row("Compiler", escaped(&machine.rustc));
            row("Flags", escaped(&machine.flags));
            for (strategy, path) in &machine.kernels {
                row(&format!("Kernels of {strategy}"), escaped(path));
            }
        }
        page.push(&table.finish());
    }
    page.push("</section>\n");
}

fn harness(page: &mut Page, study: &Study<'_>) {
    let timed: Vec<&Part<'_>> = study.parts.iter().filter(|part| part.experiment.timed().is_some()).collect();
    if timed.is_empty() {
        return;
    }
    page.push("<section id=\"harness\"><h2>What the harness costs</h2>\n");
    let mut table = Table::new(
        "CPU of a session that sends one empty frame, beside the sessions that were measured. Times are \
         shown with the harness included.",
        ["Experiment", "Empty session", "Median session", "Share", "Shortest session", "Share"],
    );
    for part in timed {
        let name = escaped(&part.experiment.header().experiment);
        match overhead(part) {
            Some(cost) => table.row(
                &name,
                "",
                &[
                    Td::value(cost.empty_ns, format::nanos),
                    Td::value(cost.session_ns, format::nanos),
                    Td::value(cost.empty_ns / cost.session_ns, format::percent),
                    Td::value(cost.session_ns_min, format::nanos),
                    Td::value(cost.empty_ns / cost.session_ns_min, format::percent),
                ],
            ),
            None => table.row(&name, "", &[Td::text("not measured")]),
        }
    }
    page.push(&table.finish());
    page.push("</section>\n");
}

fn contenders(page: &mut Page, study: &Study<'_>) {
    page.link("contenders", "Contenders");
    page.push("<section id=\"contenders\"><h2>Contenders</h2>\n");
    let mut table = Table::new(
        "As the files describe them. A label is the strategy with those parameters whose values differ among \
         its contenders here; the spec has them all and can be run again.",
        ["Contender", "Spec", "Id bits", "Keyed for the session", "Promise of a finished session", "Told d"],
    );
    for (index, one) in study.roster.contenders.iter().enumerate() {
        table.row(
            &code(study.roster.label(index)),
            row_class(&study.roster, index),
            &[
                Td::html(code(&one.spec)),
                // 0 stands for a length that follows from the sizes of the sets; who reconciles nothing has none.
                Td::number(&match one.id_bits {
                    0 if matches!(one.strategy.as_str(), "batch" | "interactive") => "–".to_owned(),
                    0 => "by size".to_owned(),
                    bits => bits.to_string(),
                }),
                Td::text(if one.keyed { "yes" } else { "no" }),
                Td::text(&one.guarantee),
                Td::text(if study.roster.oracle(index) { "yes: a bound, not deployable" } else { "no" }),
            ],
        );
    }
    page.push(&table.finish());
    page.push("</section>\n");
}

/// What the page's words mean.
const WORDS: &[(&str, &str)] = &[
    ("M", "Messages in the group's set: items in the union of both ends' sets."),
    ("d", "Size of the symmetric difference: items that exactly one of the two ends holds."),
    (
        "flight",
        "Step of the longest chain of frames that wait for one another. Two flights are a round trip.",
    ),
    ("window", "Frames that an end may have under way without hearing from the other."),
    ("overshoot", "Frames that arrived after their receiver was done. They cost bytes and count."),
    ("salt", "Bytes of keys that are fresh for the session."),
    ("estimator", "Bytes spent on finding out how large d is."),
    ("sketch", "Bytes of filters, tables, sketches, coded symbols, and fingerprints with their bounds."),
    ("ids", "Bytes of ids in lists that advertise items."),
    ("request", "Bytes of ids or ranks that ask for items."),
    ("control", "Bytes of tags, lengths, counts, end checks and verdicts."),
    ("retry", "Bytes of everything sent after the first failed decode or end check."),
    ("exact", "The session found the truth at the first try."),
    (
        "recovered (retries or planned second steps)",
        "It found the truth, though not at the first try. Strategies that start small and grow (size=self, \
         size=double) and filters with a tail plan for that: with them it is the normal course, not a fault. \
         Its bytes are counted.",
    ),
    ("gave up", "It says itself that it did not finish, or missed what it declares that it may miss."),
    (
        "wrong",
        "It invented an item, or missed one that it claims it cannot miss. One such session fails the run.",
    ),
    (
        "may miss",
        "A contender whose finished session does not promise the whole difference. It did less, so it is never \
         called cheapest.",
    ),
    (
        "bound, not deployable",
        "A contender that is told d. It shows what knowing d would be worth, and cannot win.",
    ),
    ("one-way bound", "Bytes of one message that names d items by ids of b bits: d·b − log2 d! bits."),
    (
        "interactive floor",
        "What two ends must learn on a uniformly random difference: log2 C(n_A, d_A) + log2 C(n_B, d_B) bits, \
         where each holds n and alone holds d of them. Ids need not cross, since messages follow and are \
         hashed again.",
    ),
    ("tied", "Another contender's 95% interval meets the winner's: it may as well have won."),
    ("95%", "Medians: percentile bootstrap with 1000 resamples. Rates: Wilson's interval."),
];

/// What the words of the group part mean.
const GROUP_WORDS: &[(&str, &str)] = &[
    ("N", "Members of the group."),
    (
        "K",
        "Other members that each chooses to share with. Sharing is mutual, so a member may have more links.",
    ),
    (
        "M, of a group",
        "Messages in the group's set at the end: those held at the beginning and those written.",
    ),
    (
        "a member and day",
        "Bytes that a member sends and receives in a day of virtual time, on average over members.",
    ),
    ("overhead", "All bytes but the bodies of messages: what finding out, asking and confirming costs."),
    ("duplicates", "Messages that arrived where they were held already."),
    (
        "delivered",
        "Share of the deliveries due, each message to each member but its author, that took place.",
    ),
    (
        "partial",
        "A trial at whose end somebody lacked something. No failure: its bytes count, and its share is shown.",
    ),
    ("cut", "A return that ended before the member held what it had missed."),
    ("link", "A pair of members that share."),
    ("relay", "A node beside the members that is always online and holds ids and sealed bodies for them."),
    ("batch", "Messages are sent to all links at once, without asking."),
    ("interactive", "Messages are offered by their full ids, and sent on request."),
    (
        "least and most",
        "Of the replicates. There are few, each a group's whole life; no confidence is claimed.",
    ),
    ("exponent", "By how many per cent a cost grows where its axis grows by one per cent."),
];

fn words(page: &mut Page, study: &Study<'_>) {
    page.link("words", "Words");
    page.push("<section id=\"words\"><h2>Words</h2>\n<dl>\n");
    let sessions = if study.has_sessions() { WORDS } else { &[] };
    let groups = if study.has_groups() { GROUP_WORDS } else { &[] };
    for (word, meaning) in sessions.iter().chain(groups) {
        page.push(&format!("<dt>{}</dt><dd>{}</dd>\n", escaped(word), escaped(meaning)));
    }
    page.push("</dl>\n");
    let mut axes: Vec<Axis> = study.sweeps().map(|(_, sweep)| sweep.sweep.axis).collect();
    axes.sort();
    axes.dedup();
    let mut names: Vec<String> = axes.into_iter().map(|axis| reading::axis_name(axis).to_owned()).collect();
    let mut axes: Vec<GroupAxis> = study.groups().map(|(_, sweep)| sweep.sweep.axis).collect();
    axes.sort();
    axes.dedup();
    names.extend(axes.into_iter().map(|axis| group_axis_name(axis).to_owned()));
    page.paragraph("note", &escaped(&format!("Axes of this report: {}.", format::list(&names))));
    page.push("</section>\n");
}
