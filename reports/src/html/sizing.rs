//! Questions 5 and 6: how often a size fails and what it costs, and how well d is found out.

use serde_json::Value;

use super::Page;
use super::tag::{Table, Td, contender, escaped, prose, row_class};
use crate::charts::lines::{Axes, Bound, Dot, Series, lines};
use crate::charts::{Scale, rounded};
use crate::format;
use crate::stats::Interval;
use crate::study::prose::Prose;
use crate::study::sizing::{
    Estimator, FirstPass, Needed, Provision, Provisioned, Regrets, SHARES, Size, estimators, provisioned,
    regrets,
};
use crate::study::summary::with_interval;
use crate::study::{Roster, Study};
use crate::theory::sketches::{Placing, threshold};
use plotly::common::DashType;

/// Failure rates that a spec may ask for.
const RATES: [f64; 5] = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

/// Both questions, where the records speak of them.
pub fn sections(page: &mut Page, study: &Study<'_>, passes: &[FirstPass]) {
    let sizes = provisioned(study);
    if !sizes.is_empty() || !passes.is_empty() {
        page.link("failure", "Failure");
        page.push("<section id=\"failure\"><h2>How often does it fail, and what does that cost?</h2>\n");
        page.paragraph("", "<b>Question 5.</b> Failure is a first sketch that does not decode, or a first pass of filters that hides a difference. It costs what comes after, not correctness.");
        for one in &sizes {
            provision(page, study, one);
        }
        if !passes.is_empty() {
            filters(page, study, passes);
        }
        page.push("</section>\n");
    }
    let (bands, costs) = (estimators(study), regrets(study));
    if !bands.is_empty() || !costs.is_empty() {
        page.link("estimates", "Estimates");
        page.push("<section id=\"estimates\"><h2>Can we size without knowing d?</h2>\n");
        page.paragraph("", "<b>Question 6.</b> How far estimates are off, and what each way to size costs beside an oracle that is told d.");
        for label in labels(&bands) {
            estimates(page, study, label, &bands);
        }
        for one in &costs {
            regret(page, study, one);
        }
        page.push("</section>\n");
    }
}

/// A rate: zero is shown as what the trials cannot exclude.
fn failures(failed: u64, trials: u64, rate: Interval) -> String {
    let counts = format!("{} of {}", format::count(failed), format::count(trials));
    if failed == 0 {
        return format!("{counts}: below {}", format::percent(rate.high));
    }
    let range = format::range(rate.low, rate.high, format::percent).unwrap_or_default();
    format!("{counts}: {} ({range})", format::percent(rate.mid))
}

fn provision(page: &mut Page, study: &Study<'_>, one: &Provisioned) {
    let roster = &study.roster;
    let at = format!("M = {}, d = {}", format::count(one.m), format::count(one.d));
    let title = format!("Failure of the first sketch: {at}");
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let axes = |y: &str, y_scale| Axes {
        x: "Cells or syndromes a difference".into(),
        x_scale: Scale::Linear(""),
        x_names: Vec::new(),
        y: y.into(),
        y_scale,
        marks: true,
    };
    let series = |dot: &dyn Fn(&Size) -> Dot| -> Vec<Series> {
        let all = one.contenders.iter();
        all.map(|at| Series { index: at.index, dots: at.sizes.iter().map(dot).collect() }).collect()
    };
    let none = Interval { low: f64::INFINITY, mid: f64::INFINITY, high: f64::INFINITY };
    let rates = series(&|size| Dot {
        x: Value::from(rounded(size.ratio)),
        value: if size.failed == 0 { none } else { size.rate },
        spent: size.rate.high,
        failures: u64::from(size.failed == 0),
        text: format!(
            "{} a difference: {}",
            format::figure(size.ratio),
            failures(size.failed, size.trials, size.rate)
        ),
    });
    let axis = axes("Share of sessions whose first sketch fails", Scale::Log(""));
    page.chart(&title, &lines(&axis, &rates, &floors(one, roster), roster));
    let mut table = Table::new(
        &format!(
            "{title}. With 95% Wilson intervals. Open markers: no failure seen, drawn at the rate that so many \
             trials cannot exclude. Floor: pairs of ids that share all their cells, C(d, 2)/C(m, k); no table \
             fails less often. Best: the fewest mean bytes, retries included, of which every session ended well."
        ),
        ["Contender", "Cells a difference", "First sketch failed", "Floor, theory", "Mean bytes with retries (95%)"],
    )
    .numeric();
    for at in &one.contenders {
        let cheapest = at.cheapest();
        for (place, size) in at.sizes.iter().enumerate() {
            let floor = Placing::of(roster.spec(at.index))
                .map(|placing| placing.floor(size.ratio * one.d as f64, one.d));
            let mut bytes = escaped(&with_interval(size.bytes, format::bytes));
            if size.lost > 0 {
                bytes += &format!(" <b class=\"fail\">{} of {} gave up</b>", size.lost, size.trials);
            }
            let bytes = Td::number_html(bytes, "num");
            table.row(
                &contender(roster, at.index),
                row_class(roster, at.index),
                &[
                    Td::number(&format::figure(size.ratio)),
                    Td::number(&failures(size.failed, size.trials, size.rate)),
                    Td::number(&floor.map_or_else(|| "–".into(), format::percent)),
                    if cheapest == Some(place) { bytes.marked() } else { bytes },
                ],
            );
        }
    }
    page.push(&table.finish());
    let title = format!("Mean bytes with retries: {at}");
    let costs = series(&|size| Dot {
        x: Value::from(rounded(size.ratio)),
        value: size.bytes,
        spent: size.bytes.mid,
        failures: size.lost,
        text: format!(
            "{} a difference: {}",
            format::figure(size.ratio),
            with_interval(size.bytes, format::bytes)
        ),
    });
    page.chart(&title, &lines(&axes("Mean bytes, retries included", Scale::Log("B")), &costs, &[], roster));
    needed(page, study, one);
    page.paragraph("reading", &prose(&reading(one, roster)));
}

/// The floor of each table, drawn where it was measured.
fn floors(one: &Provisioned, roster: &Roster<'_>) -> Vec<Bound> {
    let floor = |at: &Provision| {
        let placing = Placing::of(roster.spec(at.index))?;
        let (low, high) = (at.sizes.first()?.ratio, at.sizes.last()?.ratio);
        // Where far fewer than one in a million fail the axis would only grow.
        let dots = (0..=24).map(|step| low + (high - low) * f64::from(step) / 24.0).map(|ratio| {
            let rate = placing.floor(ratio * one.d as f64, one.d);
            (Value::from(rounded(ratio)), (rate > 1e-7).then_some(rate))
        });
        let split = if placing.split { ", split" } else { "" };
        Some(Bound {
            name: format!("floor, k = {}{split}", placing.hashes),
            dots: dots.collect(),
            dash: Some(DashType::Dash),
        })
    };
    let mut bounds: Vec<Bound> = Vec::new();
    for bound in one.contenders.iter().filter_map(floor) {
        let known = bounds.iter().any(|other| other.name == bound.name);
        if !known && bound.dots.iter().any(|(_, rate)| rate.is_some()) {
            bounds.push(bound);
        }
    }
    bounds
}

fn needed(page: &mut Page, study: &Study<'_>, one: &Provisioned) {
    let mut table = Table::new(
        "Cells a difference that a failure rate takes. A ratio is enough when its interval lies at or below \
         the rate, too few when it lies above. Where no ratio was tried often enough to tell, the table says how many trials without a \
         failure it takes; nothing is extrapolated. Theory gives a least ratio, not a sufficient one.",
        std::iter::once("Contender".to_owned()).chain(RATES.map(|rate| format!("at most {rate:e}"))),
    )
    .numeric();
    for at in &one.contenders {
        let spec = study.roster.spec(at.index);
        if !at.tells(spec) {
            continue;
        }
        let cells = RATES.map(|rate| Td::number(&need(&at.needed(rate, one.d, spec))));
        table.row(&contender(&study.roster, at.index), row_class(&study.roster, at.index), &cells);
    }
    if !table.is_empty() {
        page.push(&table.finish());
    }
}

fn need(needed: &Needed) -> String {
    let figure = format::figure;
    if let Some(sure) = needed.sure {
        return format!("theory: {}, always", figure(sure));
    }
    let floor = needed.floor.map(|floor| format!(", theory ≥ {}", figure(floor))).unwrap_or_default();
    match (needed.short, needed.enough) {
        (Some(short), Some(enough)) if short < enough => {
            format!("{}–{}{floor}", figure(short), figure(enough))
        }
        (_, Some(enough)) => format!("≤ {}{floor}", figure(enough)),
        (short, None) => {
            let short = short.map(|short| format!("> {}, ", figure(short))).unwrap_or_default();
            format!("{short}needs {} trials a ratio{floor}", format::count(needed.trials))
        }
    }
}

/// What the trials say, in two sentences a contender.
fn reading(one: &Provisioned, roster: &Roster<'_>) -> Prose {
    let mut prose = Prose::new(format!("At d = {}: ", format::count(one.d)));
    for (place, at) in one.contenders.iter().enumerate() {
        if place > 0 {
            prose.text(" ");
        }
        prose.contender(roster, at.index);
        let (Some(cheapest), Some(most)) = (at.cheapest().map(|place| &at.sizes[place]), at.sizes.last())
        else {
            prose.text(": no size of which every session ended well.");
            continue;
        };
        let edge = match at.cheapest() {
            Some(0) => " (the smallest tried)",
            Some(place) if place + 1 == at.sizes.len() => " (the largest tried)",
            _ => "",
        };
        prose.text(format!(
            " costs least, {} in the mean, at {} a difference{edge}, where the first sketch failed in {}. ",
            with_interval(cheapest.bytes, format::bytes),
            format::figure(cheapest.ratio),
            failures(cheapest.failed, cheapest.trials, cheapest.rate),
        ));
        let over = most.bytes.mid / cheapest.bytes.mid - 1.0;
        prose.text(format!(
            "At {} it failed in {} and cost {} more",
            format::figure(most.ratio),
            failures(most.failed, most.trials, most.rate),
            format::percent(over.max(0.0)),
        ));
        match Placing::of(roster.spec(at.index)).and_then(|placing| threshold(placing.hashes)) {
            Some(threshold) => prose.text(format!("; tables without end peel from {threshold} cells on.")),
            None => prose.text("."),
        };
    }
    prose
}

fn filters(page: &mut Page, study: &Study<'_>, passes: &[FirstPass]) {
    page.push("<h3>First passes of filters</h3>\n");
    let mut table = Table::new(
        "Share of sessions in which the first pass hid at least one difference, with 95% Wilson intervals, against 1 − (1 − ε)^d. Beyond: \
         off by more than three deviations.",
        ["Contender", "M", "d", "Something hidden", "Theory", "Verdict"],
    )
    .numeric();
    for pass in passes {
        let verdict = if pass.beyond() {
            Td::number_html("<b class=\"fail\">beyond</b>".into(), "num")
        } else {
            Td::number("within")
        };
        table.row(
            &contender(&study.roster, pass.index),
            row_class(&study.roster, pass.index),
            &[
                Td::number(&format::count(pass.m)),
                Td::number(&format::count(pass.d)),
                Td::number(&failures(pass.failed, pass.trials, pass.rate())),
                Td::number(&format::percent(pass.forecast)),
                verdict,
            ],
        );
    }
    page.push(&table.finish());
    let beyond = passes.iter().filter(|pass| pass.beyond()).count();
    page.paragraph(
        "reading",
        &escaped(&format!(
            "{} of {} rates are those of the formula.",
            format::count((passes.len() - beyond) as u64),
            format::counted(passes.len() as u64, "point", "points")
        )),
    );
}

/// The panels that estimators were seen in, in order.
fn labels<'p>(bands: &[Estimator<'p>]) -> Vec<&'p str> {
    let mut labels: Vec<&str> = Vec::new();
    for one in bands {
        if !labels.contains(&one.label) {
            labels.push(one.label);
        }
    }
    labels
}

fn estimates(page: &mut Page, study: &Study<'_>, label: &str, all: &[Estimator<'_>]) {
    let title = format!("Estimate of d over d: {label}");
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let here: Vec<&Estimator<'_>> = all.iter().filter(|one| one.label == label).collect();
    let series: Vec<Series> = here
        .iter()
        .map(|one| Series {
            index: one.index,
            dots: one
                .bands
                .iter()
                .map(|band| Dot {
                    x: Value::from(band.d),
                    value: Interval { low: band.cuts[1], mid: band.cuts[2], high: band.cuts[3] },
                    spent: band.cuts[2],
                    failures: 0,
                    text: format!(
                        "d = {}: P10 to P90 {} to {}",
                        format::count(band.d),
                        format::figure(band.cuts[1]),
                        format::figure(band.cuts[3])
                    ),
                })
                .collect(),
        })
        .collect();
    let axes = Axes {
        x: "Difference d, items".into(),
        x_scale: Scale::Log(""),
        x_names: Vec::new(),
        y: "Estimate / d: median, whiskers P10 to P90".into(),
        y_scale: Scale::Linear(""),
        marks: true,
    };
    page.chart(&title, &lines(&axes, &series, &[], &study.roster));
    let cuts = SHARES.map(|share| format!("P{}", format::figure(share * 100.0)));
    let columns = ["Estimator", "d", "Estimates"].map(String::from).into_iter().chain(cuts);
    let mut table = Table::new(
        &format!(
            "{title}. Quantiles over sessions, before any inflation. With fewer than a hundred estimates P1 and P99 are \
             no more than the extremes. Contenders with the same estimator meet the same sets and share a row."
        ),
        columns,
    )
    .numeric();
    for one in &here {
        for band in &one.bands {
            let cells = [format::count(band.d), format::count(band.count)]
                .into_iter()
                .chain(band.cuts.map(format::figure))
                .map(|text| Td::number(&text));
            table.row(&escaped(&one.name), "", &cells.collect::<Vec<_>>());
        }
    }
    page.push(&table.finish());
    let mut sentences = Vec::new();
    for one in &here {
        let low = one.bands.iter().map(|band| band.cuts[0]).fold(f64::INFINITY, f64::min);
        let high = one.bands.iter().map(|band| band.cuts[4]).fold(0.0, f64::max);
        let worst = one.bands.iter().min_by(|a, b| a.cuts[0].total_cmp(&b.cuts[0]));
        let at = worst.map_or_else(String::new, |band| format!(" (lowest at d = {})", format::count(band.d)));
        sentences.push(format!(
            "{}: 98 of 100 estimates lie between {} and {} of d{at}",
            one.name,
            format::figure(low),
            format::figure(high)
        ));
    }
    page.paragraph("reading", &escaped(&format!("{}.", sentences.join("; "))));
}

fn regret(page: &mut Page, study: &Study<'_>, one: &Regrets<'_>) {
    let roster = &study.roster;
    let title = format!("Bytes over the oracle's: {}", one.label);
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let mut policies: Vec<usize> = one.lines.iter().map(|line| line.index).collect();
    policies.dedup();
    let series: Vec<Series> = policies
        .iter()
        .map(|index| Series {
            index: *index,
            dots: one
                .lines
                .iter()
                .filter(|line| line.index == *index)
                .map(|line| Dot {
                    x: Value::from(line.d),
                    value: line.mean,
                    spent: line.mean.mid,
                    failures: line.lost,
                    text: format!(
                        "d = {}: × {}",
                        format::count(line.d),
                        with_interval(line.mean, format::figure)
                    ),
                })
                .collect(),
        })
        .collect();
    let axes = Axes {
        x: "Difference d, items".into(),
        x_scale: Scale::Log(""),
        x_names: Vec::new(),
        y: "Bytes / bytes of the oracle, mean".into(),
        y_scale: Scale::Log(""),
        marks: true,
    };
    page.chart(&title, &lines(&axes, &series, &[], roster));
    let mut table = Table::new(
        &format!(
            "{title}. Ratios of sessions on the same sets: mean with its 95% bootstrap interval, since retries are rare and \
             dear. The oracle is the same strategy told d; of a rateless stream, a table of the same ids."
        ),
        ["Way to size", "Against", "d", "Mean (95%)", "P50", "P99", "Worst", "Sessions"],
    )
    .numeric();
    for line in &one.lines {
        let mut sessions = format::count(line.pairs);
        if line.lost > 0 {
            sessions += &format!(", {} failed", format::count(line.lost));
        }
        let [p50, p99, worst] = line.tail.map(|ratio| Td::number(&format::figure(ratio)));
        table.row(
            &contender(roster, line.index),
            row_class(roster, line.index),
            &[
                Td::text(roster.label(line.oracle)),
                Td::number(&format::count(line.d)),
                Td::number(&with_interval(line.mean, format::figure)),
                p50,
                p99,
                worst,
                Td::number(&sessions),
            ],
        );
    }
    page.push(&table.finish());
    page.paragraph("reading", &prose(&regret_reading(one, &policies, roster)));
}

fn regret_reading(one: &Regrets<'_>, policies: &[usize], roster: &Roster<'_>) -> Prose {
    let mut parts = Vec::new();
    for index in policies {
        let lines: Vec<_> = one.lines.iter().filter(|line| line.index == *index).collect();
        let (Some(most), Some(last)) =
            (lines.iter().max_by(|a, b| a.mean.mid.total_cmp(&b.mean.mid)), lines.last())
        else {
            continue;
        };
        let mut part = Prose::default();
        part.contender(roster, *index).text(format!(
            " at most × {} in the mean (d = {}), × {} at d = {}",
            format::figure(most.mean.mid),
            format::count(most.d),
            format::figure(last.mean.mid),
            format::count(last.d)
        ));
        parts.push(part);
    }
    let mut prose = Prose::joined(parts, "; ");
    prose.text(".");
    prose
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::wilson;

    #[test]
    fn zero_failures_are_an_upper_bound() {
        let text = failures(0, 2000, wilson(0, 2000)).replace(format::THIN, " ");
        assert_eq!(text, "0 of 2000: below 0.192 %");
    }

    #[test]
    fn what_was_not_tried_is_not_told() {
        let needed = Needed {
            rate: 1e-6,
            short: Some(1.5),
            enough: None,
            trials: 3_841_455,
            sure: None,
            floor: Some(5.9),
        };
        let text = need(&needed).replace(format::THIN, " ");
        assert_eq!(text, "> 1.5, needs 3 841 455 trials a ratio, theory ≥ 5.9");
        assert_eq!(need(&Needed { enough: Some(1.8), floor: None, ..needed }), "1.5–1.8");
    }
}
