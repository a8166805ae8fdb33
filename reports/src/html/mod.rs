//! The page: one file that needs no network, opens from a disk, prints, and reads without JavaScript.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `tag` | escaping, tables |
//! | `screen` | alarms, the three sentences, the summary matrix: what a reviewer reads |
//! | `sweep` | one sweep: question, expectation, charts with their tables, reading, command |
//! | `decision` | the rules, and the map they follow from |
//! | `sizing` | failure against size, estimates of d, regret of each way to size |
//! | `theory` | closed forms against what was measured |
//! | `link` | how long sessions take on the declared links |
//! | `attack` | what one bad peer or author can do |
//! | `matrix` | the table below a chart: contenders by points |
//! | `group` | the sweeps over groups, exponents and claims |
//! | `load` | CPU and memory: of a phone, of a relay with many peers |
//! | `peers` | our kernels beside other implementations |
//! | `appendix` | failures, provenance, harness, words |
//! | `controls` | the bar that filters by strategy and objective |
//! | `embed` | plotly.js and the records, packed |
//! | `page.css`, `script/` | looks; filters, sorting, drawing charts when they come into view |

mod appendix;
mod attack;
mod controls;
mod decision;
mod embed;
mod group;
mod link;
mod load;
mod matrix;
mod peers;
mod screen;
mod sizing;
mod sweep;
mod tag;
mod theory;

use crate::book::Book;
use crate::charts::{Chart, style};
use crate::study::Study;
use crate::study::sizing::first_passes;
use crate::theory::compare::{Placed, checks};
use tag::escaped;

const STYLE: &str = include_str!("page.css");
/// One function of several files, in the order in which they need each other.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(function () {\n",
    include_str!("script/state.js"),
    include_str!("script/charts.js"),
    include_str!("script/tables.js"),
    include_str!("script/map.js"),
    include_str!("script/filter.js"),
    "})();\n"
);

/// Draws a book as one HTML page. The same book gives the same bytes.
pub fn render(book: &Book) -> String {
    let study = Study::new(book);
    let checks: Vec<Placed<'_, '_>> = checks(&study).collect();
    let passes = first_passes(&study);
    let mut page = Page::default();
    screen::alarms(&mut page, &study);
    theory::doubt(&mut page, &checks, &passes);
    if !study.parts.is_empty() {
        screen::screen(&mut page, &study);
    }
    for (part, sweep) in study.sweeps() {
        sweep::section(&mut page, &study, part, sweep);
    }
    for (part, sweep) in study.groups() {
        group::section(&mut page, &study, part, sweep);
    }
    if study.has_groups() {
        group::growth(&mut page, &study);
    }
    load::section(&mut page, &study);
    sizing::sections(&mut page, &study, &passes);
    attack::sections(&mut page, &study);
    theory::section(&mut page, &study, &checks);
    link::section(&mut page, &study);
    peers::section(&mut page, &study);
    appendix::appendix(&mut page, &study);
    page.finish(&screen::title(&study), book)
}

/// The body as it grows.
#[derive(Debug, Default)]
struct Page {
    body: String,
    charts: usize,
    /// Where the contents go, once all sections are known.
    contents_at: usize,
    /// Anchor and name of each section that the contents name.
    contents: Vec<(String, String)>,
}

impl Page {
    fn push(&mut self, html: &str) {
        self.body += html;
    }

    /// Names a section in the contents, which have the order of the page.
    fn link(&mut self, id: &str, name: &str) {
        self.contents.push((id.to_owned(), name.to_owned()));
    }

    fn paragraph(&mut self, class: &str, html: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.body += &format!("<p{class}>{html}</p>\n");
    }

    /// What `part` pushes belongs to an objective: who looks at the page for another does not see it.
    fn objective(&mut self, name: &str, part: impl FnOnce(&mut Self)) {
        let start = self.body.len();
        part(self);
        if self.body.len() > start {
            self.body.insert_str(start, &format!("<div data-objective=\"{name}\">\n"));
            self.body += "</div>\n";
        }
    }

    /// A chart with a title that is read where it cannot be drawn.
    fn chart(&mut self, title: &str, chart: &Chart) {
        self.charts += 1;
        let id = self.charts;
        // `<` only occurs within strings of JSON, where its escape means the same: no text out of a
        // file can end the script element.
        let json = chart.json.replace('<', "\\u003c");
        self.body += &format!(
            "<figure><div class=\"chart\" id=\"chart-{id}\" role=\"img\" aria-label=\"{label}\" \
             data-height=\"{height}\" data-legend=\"{legend}\"{rows} style=\"min-height:{height}px\">\
             <noscript>Without JavaScript the chart is not drawn; the table below holds its numbers.\
             </noscript></div>\
             <script type=\"application/json\" id=\"chart-{id}-data\">{json}</script></figure>\n",
            label = escaped(title),
            height = chart.height,
            legend = chart.legend_entries,
            rows = match chart.rows.as_slice() {
                [] => String::new(),
                rows => format!(
                    " data-rows=\"{}\"",
                    rows.iter().map(usize::to_string).collect::<Vec<_>>().join(" ")
                ),
            },
        );
    }

    fn finish(mut self, title: &str, book: &Book) -> String {
        let title = escaped(title);
        let plotly = embed::plotly();
        let hues: String = (0..style::HUES)
            .map(|hue| format!(".f{hue} {{ border-color: {}; }}\n", style::colour(hue)))
            .collect();
        let head = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<style>\n{STYLE}{decision}{hues}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#answer\">Skip to the answer</a>\n<main>\n",
            decision = decision::STYLE,
        );
        let tail = format!("</main>\n{plotly}\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
        self.link("records", "Records");
        let links = self.contents.iter().map(|(id, name)| format!("<a href=\"#{id}\">{}</a>", escaped(name)));
        let contents =
            format!("<nav aria-label=\"Contents\">{}</nav>\n", links.collect::<Vec<_>>().join(" "));
        self.body.insert_str(self.contents_at, &contents);
        let records = embed::records(book, head.len() + self.body.len() + tail.len());
        head + &self.body + &records + &tail
    }
}
