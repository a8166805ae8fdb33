//! Exponents over all sweeps, and the claims that they confirm or refute.

use super::anchor;
use crate::fit::{Exponent, NoFit};
use crate::format;
use crate::html::Page;
use crate::html::tag::{Table, Td, contender, escaped, prose, row_class};
use crate::study::Study;
use crate::study::group::claims::{Claim, Evidence, claims};
use crate::study::group::exponents::{AXES, COSTS, Cost, Exponents, Law, PART, PAYERS, exponents};
use crate::study::group::reading::{claim as claim_words, delivered_from, power, power_interval, verdict};

/// Exponents, then claims.
pub fn section(page: &mut Page, study: &Study<'_>) {
    page.link("exponents", "How cost grows");
    page.push("<section id=\"exponents\"><h2>How cost grows</h2>\n");
    let mut some = false;
    for part in &study.parts {
        for set in exponents(part) {
            some = true;
            laws(page, study, part.experiment.name(), &set);
        }
    }
    if !some {
        page.paragraph(
            "",
            "No sweep varies N, K or M at three points or more, so no exponent can be fitted. \
             <code>offerbench run n-size</code>, <code>k-factor</code> and <code>m-growth</code> do.",
        );
    }
    page.push("<h3>Claims</h3>\n");
    page.paragraph(
        "note",
        &escaped(
            "Each law has an exponent over the measured points: that of log N is the slope of a straight line \
             through log N there, on logarithmic axes; where all share with all, N stands for the N − 1 others. A claim is confirmed where the measured exponent is \
             nearest to that of the claimed law, within 0.1 of it or with it in the interval, and no other law of \
             O(1), O(log N), O(N), O(N log N), O(N²) lies in the interval; it is not settled where another does. \
             Where the cost grows more slowly the claim holds as a bound, where it grows faster it is refuted.",
        ),
    );
    for claim in claims(study) {
        claimed(page, study, &claim);
    }
    page.push("</section>\n");
}

/// The tables of one set of conditions: a table a cost, two rows a contender.
fn laws(page: &mut Page, study: &Study<'_>, experiment: &str, set: &Exponents) {
    let ranges: Vec<String> = AXES
        .iter()
        .zip(set.ranges)
        .map(|(name, (low, high))| match low == high {
            true => format!("{name} = {}", format::count(low)),
            false => format!("{name} {} to {}", format::count(low), format::count(high)),
        })
        .collect();
    let delivered = delivered_from(set.delivered_min);
    let place = format!("{}; {}; {delivered}", set.conditions, format::list(&ranges));
    let source = if study.parts.len() > 1 { format!("{experiment}: ") } else { String::new() };
    page.push(&format!("<h3>{}</h3>\n", escaped(&format!("Exponents of M^a K^b N^c: {source}{place}"))));
    if set.delivered_min < 0.95 {
        page.paragraph(
            "note",
            "Not every point delivers alike, and whoever delivers less pays less: the exponents contain that too.",
        );
    }
    if !set.left_out.is_empty() {
        let text = format!(
            "Left out, since less than {} of what other points delivered was delivered there: {}.",
            format::percent(PART),
            format::list(&set.left_out)
        );
        page.paragraph("note", &escaped(&text));
    }
    for cost in COSTS {
        let mut table = Table::new(
            &format!(
                "Exponents of {} in a day, with 95% intervals: least squares on logarithms over all points that vary N, \
                 K or M, replicates averaged; lack of fit widens the intervals. M: messages in the set at the \
                 end.{} –: the axis does not vary. Named: the axis moves with that one.",
                cost.name(),
                note(cost)
            ),
            ["Contender", "Paid by", "a of M", "b of K", "c of N", "R²", "Points (rows)"],
        )
        .dense();
        for index in 0..study.roster.contenders.len() {
            for payer in PAYERS {
                let Some(law) = set.laws.get(&(index, cost, payer)) else { continue };
                let cells: Vec<Td> = std::iter::once(Td::text(payer.name())).chain(columns(law)).collect();
                table.row(&contender(&study.roster, index), row_class(&study.roster, index), &cells);
            }
        }
        if !table.is_empty() {
            page.push(&table.finish());
        }
    }
}

fn note(cost: Cost) -> &'static str {
    match cost {
        Cost::All | Cost::Cpu => "",
        Cost::Overhead | Cost::Bodies => {
            " A member's part of what it sends and receives is taken in proportion to what all send."
        }
        Cost::Redundant => " Points without any have no logarithm and are left out.",
    }
}

fn columns(law: &Law) -> Vec<Td> {
    match law {
        Ok(fit) => {
            // Axes of the law are N, K, M; people read M, K, N.
            let mut cells: Vec<Td> =
                (0..AXES.len()).rev().map(|axis| exponent(fit.exponents[axis])).collect();
            cells.push(Td::optional(fit.r2, power));
            let left_out = match fit.rows_left_out {
                0 => String::new(),
                count => {
                    let rows = format::counted(count as u64, "row", "rows");
                    format!("<small>{} of zero left out</small>", escaped(&rows))
                }
            };
            cells.push(Td::number_html(format!("{} ({}){left_out}", fit.points, fit.rows), "num"));
            cells
        }
        Err(reason) => {
            vec![Td::number("–"), Td::number("–"), Td::number("–"), Td::number("–"), no_fit(*reason)]
        }
    }
}

fn exponent(exponent: Exponent) -> Td {
    match exponent {
        Exponent::Fitted(value) => Td::number_html(
            format!("{}<small>{} to {}</small>", power(value.mid), power(value.low), power(value.high)),
            "num",
        )
        .sorted_by(value.mid),
        Exponent::Constant => Td::number("–"),
        Exponent::MovesWith(axis) => Td::number(&format!("with {}", AXES[axis])),
    }
}

fn no_fit(reason: NoFit) -> Td {
    Td::number(&match reason {
        NoFit::NothingVaries => "nothing varies".to_owned(),
        NoFit::TooFew { points, needed } => format!("{points} of the {needed} needed"),
    })
}

fn claimed(page: &mut Page, study: &Study<'_>, claim: &Claim<'_>) {
    page.push(&format!("<h4>“{}”</h4>\n", escaped(claim.words)));
    let answered = claim.evidence.iter().flat_map(|one| &one.findings).any(|finding| finding.answer.is_ok());
    if !answered {
        page.paragraph(
            "reading",
            &format!(
                "Not answered by these files: no sweep varies {} at three points or more as the claim needs it. \
                 <code>{}</code> answers it.",
                escaped(claim.axis),
                escaped(claim.command)
            ),
        );
        return;
    }
    for sentence in claim_words(claim, study) {
        page.paragraph("reading", &prose(&sentence));
    }
    for evidence in &claim.evidence {
        page.push(&table(study, claim, evidence));
    }
}

fn table(study: &Study<'_>, claim: &Claim<'_>, evidence: &Evidence<'_>) -> String {
    let range = |(low, high): (u64, u64)| match low == high {
        true => format::count(low),
        false => format!("{} to {}", format::count(low), format::count(high)),
    };
    let (experiment, sweep) = evidence.source;
    let unit = if evidence.per_message {
        "Costs are taken per message written, since the messages vary"
    } else {
        "Costs of a day"
    };
    let mut table = Table::new(
        &format!(
            "Measured in sweep {} under: {}. Messages written: {}; in the set at the end: {}; {}. \
             {unit}. Exponents of {} with 95% intervals.",
            study.sweep_name(experiment, sweep),
            evidence.conditions,
            range(evidence.written),
            range(evidence.m),
            delivered_from(evidence.delivered_min),
            claim.axis
        ),
        ["Contender", "Paid by", "What", "Claimed", "Expected", "Measured", "R²", "Points", "Verdict"],
    );
    for finding in &evidence.findings {
        let claimed = Td::text(&finding.claimed.name(claim.axis));
        let mut cells = vec![Td::text(finding.payer.name()), Td::text(finding.cost.name()), claimed];
        match &finding.answer {
            Ok(answer) => cells.extend([
                Td::value(answer.expected, power),
                Td::number(&power_interval(answer.exponent)).sorted_by(answer.exponent.mid),
                Td::optional(answer.r2, power),
                Td::count(answer.points as u64),
                Td::text(&verdict(answer, claim.axis)),
            ]),
            Err(reason) => {
                cells.extend(["–", "–", "–"].map(Td::number));
                cells.extend([no_fit(*reason), Td::text("too few points")]);
            }
        }
        table.row(&contender(&study.roster, finding.index), row_class(&study.roster, finding.index), &cells);
    }
    let id = anchor(study, experiment, sweep);
    table.finish()
        + &format!("<p class=\"note again\"><a href=\"#{id}\">The sweep and its commands</a></p>\n")
}
