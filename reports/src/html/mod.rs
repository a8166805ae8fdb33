//! The page: one file that needs no network, opens from a disk, prints, and reads without JavaScript.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `tag` | escaping, tables |
//! | `screen` | alarms, the three sentences, the summary matrix: what a reviewer reads |
//! | `sweep` | one sweep: question, expectation, charts with their tables, reading, command |
//! | `link` | how long sessions take on the declared links |
//! | `matrix` | the table below a chart: contenders by points |
//! | `group` | the sweeps over groups, exponents and claims |
//! | `appendix` | failures, provenance, harness, words |
//! | `page.css`, `page.js` | looks; drawing charts when they come into view |

mod appendix;
mod group;
mod link;
mod matrix;
mod screen;
mod sweep;
mod tag;

use crate::book::Book;
use crate::charts::Chart;
use crate::study::Study;
use plotly::Plot;
use tag::escaped;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Draws a book as one HTML page. The same book gives the same bytes.
pub fn render(book: &Book) -> String {
    let study = Study::new(book);
    let mut page = Page::default();
    screen::alarms(&mut page, &study);
    screen::screen(&mut page, &study);
    for (part, sweep) in study.sweeps() {
        sweep::section(&mut page, &study, part, sweep);
    }
    for (part, sweep) in study.groups() {
        group::section(&mut page, &study, part, sweep);
    }
    if study.has_groups() {
        group::growth(&mut page, &study);
    }
    link::section(&mut page, &study);
    appendix::appendix(&mut page, &study);
    page.finish(&screen::title(&study))
}

/// The body as it grows.
#[derive(Debug, Default)]
struct Page {
    body: String,
    charts: usize,
}

impl Page {
    fn push(&mut self, html: &str) {
        self.body += html;
    }

    fn paragraph(&mut self, class: &str, html: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.body += &format!("<p{class}>{html}</p>\n");
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
             data-height=\"{height}\" data-legend=\"{legend}\" style=\"min-height:{height}px\">\
             <noscript>Without JavaScript the chart is not drawn; the table below holds its numbers.\
             </noscript></div>\
             <script type=\"application/json\" id=\"chart-{id}-data\">{json}</script></figure>\n",
            label = escaped(title),
            height = chart.height,
            legend = chart.legend_entries,
        );
    }

    fn finish(self, title: &str) -> String {
        let title = escaped(title);
        let plotly = plotly_script();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n{plotly}\n</head>\n<body>\n<main>\n\
             {body}</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            body = self.body
        )
    }
}

/// plotly.js alone: the crate hands out MathJax behind it, 2 MB that no chart here needs.
fn plotly_script() -> String {
    const END: &str = "</script>";
    let both = Plot::offline_js_sources();
    match both.find(END) {
        Some(end) => both[..end + END.len()].to_owned(),
        None => both,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plotly_is_embedded() {
        let script = plotly_script();
        assert!(script.contains("plotly.js v"));
        assert!(!script.contains("MathJax.js") && script.len() < 4_800_000);
        assert_eq!(script.matches("<script").count(), 1);
    }
}
