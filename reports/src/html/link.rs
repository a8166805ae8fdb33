//! How long until both have everything, on which link.

use super::Page;
use super::tag::{Table, Td, contender, escaped, prose, row_class};
use crate::charts::bars::{Row, bars};
use crate::format;
use crate::study::Study;
use crate::study::link::{OnLink, OnLinks, on_links, reading, seconds};

/// The section, if there is something to say.
pub fn section(page: &mut Page, study: &Study<'_>) {
    let Some(on) = on_links(study) else { return };
    let header = on.part.experiment.header();
    page.link("links", "Links");
    page.push("<section id=\"links\"><h2>How long until both have everything, on which link?</h2>\n");
    page.paragraph(
        "",
        &format!(
            "Completion = build + wire + wait + decode, computed from what was counted and timed at the largest timed point: {}, {}. \
             Wire is the time in which bits leave, wait the time in which they only travel, both along the chain of frames that \
             ends last; build and decode are CPU time of the machine that timed. Nothing is lost in this computation, nobody else \
             uses the link, and the messages themselves are not in it.",
            escaped(&study.sweep_name(&header.experiment, &on.sweep.sweep.name)),
            escaped(&on.point.place.words()),
        ),
    );
    for link in &on.links {
        chart(page, study, link);
    }
    page.push(&table(study, &on));
    page.push("<h3>Reading</h3>\n");
    page.paragraph("reading", &prose(&reading(study, &on)));
    page.push(&sources(&on));
    page.push("<h3>Make it again</h3>\n");
    page.push(&format!("<pre><code>{}</code></pre>\n", escaped(&header.command)));
    page.push("</section>\n");
}

fn chart(page: &mut Page, study: &Study<'_>, on: &OnLink<'_>) {
    if on.lines.is_empty() {
        return;
    }
    let title = format!("Completion on {}", on.link.name);
    page.push(&format!("<h3>{}</h3>\n", escaped(&title)));
    let rows: Vec<Row> = on
        .lines
        .iter()
        .map(|line| {
            let total = line.stages.total_s();
            Row {
                index: line.index,
                label: format!("{} {}", study.roster.label(line.index), seconds(total)),
                shares: line.stages.parts().map(|(_, s)| if total > 0.0 { s / total } else { 0.0 }).to_vec(),
                texts: line.stages.parts().map(|(_, s)| seconds(s)).to_vec(),
            }
        })
        .collect();
    let parts = ["build", "wire", "wait", "decode"];
    page.chart(&title, &bars("Share of the contender's time, fastest first", &parts, &[0, 3, 5, 6], &rows));
}

fn table(study: &Study<'_>, on: &OnLinks<'_, '_>) -> String {
    let columns = [
        "Contender",
        "Link",
        "total",
        "build",
        "wire",
        "wait",
        "decode",
        "rounds",
        "bytes ↑",
        "bytes ↓",
        "frames over MTU",
    ];
    let mut table = Table::new("Completion by link and contender, fastest first", columns);
    for link in &on.links {
        for line in &link.lines {
            let row = line.row;
            let mut cells = vec![Td::text(&link.link.name), Td::number(&seconds(line.stages.total_s()))];
            cells.extend(line.stages.parts().map(|(_, s)| Td::number(&seconds(s))));
            cells.push(Td::number(&format::figure(f64::from(row.flights) / 2.0)));
            cells.extend(
                [row.up.total(), row.down.total()].map(|bytes| Td::number(&format::bytes(bytes as f64))),
            );
            cells.push(Td::number(&format::count(line.frames_over_mtu)));
            table.row(&contender(&study.roster, line.index), row_class(&study.roster, line.index), &cells);
        }
        for index in &link.failed {
            let cells = [Td::text(&link.link.name), Td::text("half or more of its sessions failed")];
            table.row(&contender(&study.roster, *index), row_class(&study.roster, *index), &cells);
        }
    }
    table.finish()
}

fn sources(on: &OnLinks<'_, '_>) -> String {
    let columns = [
        "Link",
        "one way",
        "jitter",
        "bit/s",
        "MTU",
        "overhead a packet",
        "loss (not in the times)",
        "source",
    ];
    let mut table = Table::new("The links", columns);
    for OnLink { link, .. } in &on.links {
        let us = |us: u64| Td::number(&seconds(us as f64 / 1e6));
        let cells = [
            us(link.latency_us),
            us(link.jitter_us),
            Td::number(&format::count(link.rate_bps)),
            Td::number(&format::bytes(f64::from(link.mtu))),
            Td::number(&format::bytes(f64::from(link.packet_overhead))),
            Td::number(&format::percent(f64::from(link.loss_ppm) / 1e6)),
            Td::text(&link.source),
        ];
        table.row(&escaped(&link.name), "", &cells);
    }
    table.finish()
}
