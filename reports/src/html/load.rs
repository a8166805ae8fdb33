//! Question Q7 on the page: can a phone bear it, and a relay with a thousand peers?

use super::Page;
use super::tag::{Table, Td, contender, escaped, prose, row_class};
use crate::format;
use crate::study::Study;
use crate::study::load::{HOUR_S, PEERS, places, reading};

/// The section, where anything was timed.
pub fn section(page: &mut Page, study: &Study<'_>) {
    let places = places(study);
    let Some(last) = places.last() else { return };
    page.link("load", "CPU and memory");
    page.push("<section id=\"load\"><h2>Can a phone bear it, and a relay with 1,000 peers?</h2>\n");
    page.paragraph(
        "",
        "<strong>Question.</strong> What do inserts, indexes and sessions take in time and memory, and what does a \
         responder with many peers spend an hour?",
    );
    if let Some(words) = reading(last, &study.roster) {
        page.paragraph("reading", &prose(&words));
    }
    for place in &places {
        let words = place.point.place.words();
        page.push(&format!("<h3>{}</h3>\n", escaped(&words)));
        let mut titles: Vec<String> =
            ["Contender", "Insert", "Build index", "Session, both ends", "Peak heap of a session", "Index"]
                .map(str::to_owned)
                .to_vec();
        let peers = PEERS.iter().map(|peers| {
            let peers = format::counted(*peers, "peer", "peers");
            format!("{peers}<small>kept index; rebuilt</small>")
        });
        titles.extend(peers);
        let mut table = Table::with_titles(
            &format!(
                "{words}. CPU on the machine named under Provenance, medians. The last columns: CPU a responder spends \
                 in an hour of sessions every five minutes with each peer, half of a session's CPU being its own; red: \
                 more than one core has."
            ),
            titles,
        )
        .dense();
        for load in &place.loads {
            let mut cells = vec![
                Td::number(&load.insert_ns.map_or_else(|| "–".to_owned(), format::nanos)),
                Td::number(&format::nanos(load.build_ns)),
                Td::number(&format::nanos(load.session_ns)),
                Td::number(&format::bytes(load.heap_peak_bytes)),
                Td::number(&format::bytes(load.index_bytes)),
            ];
            cells.extend(PEERS.map(|peers| {
                let figure = |seconds: f64| {
                    let text = escaped(&format::nanos(seconds * 1e9));
                    if seconds > HOUR_S { format!("<b class=\"fail\">{text}</b>") } else { text }
                };
                let (kept, rebuilt) = (figure(load.cached_s(peers)), figure(load.rebuilt_s(peers)));
                Td::number_html(format!("{kept}; {rebuilt}"), "num")
            }));
            table.row(&contender(&study.roster, load.index), row_class(&study.roster, load.index), &cells);
        }
        page.push(&table.finish());
    }
    page.push("</section>\n");
}
