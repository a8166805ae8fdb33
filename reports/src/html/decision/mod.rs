//! The decision on the first screen: rules, the map they follow from, and the same numbers for a script.
//!
//! For each objective: a table of rules, what a further rule would buy, rules for those who do not know d, and the
//! map, one panel a pattern, M from left to right, d/M downwards. Bytes come first, the others are folded.
//! Everything is text and tables; without JavaScript nothing is lost.
//!
//! # What the script reads
//!
//! Every cell of a map is a `<span class="spot" data-cell="I" data-objective-cell="ID">`; I is an index into `cells` of
//! the JSON in `<script type="application/json" id="decision-data">`:
//!
//! ```json
//! {"contenders": [{"label": "riblt", "spec": "riblt:bits=64", "letter": "A", "colour": "#0072B2"}],
//!  "quantities": ["flights", "bytes", "cpu", "link:4g"],
//!  "cells": [{"m": 1000, "d": 10, "pattern": "scattered", "workload": "synthetic", "n": 2, "k": 1,
//!             "costs": [[0, 4, 812, 0.0021, 0.3]]}]}
//! ```
//!
//! A row of `costs` is the index of a contender and its medians in the order of `quantities`: flights, bytes,
//! seconds of CPU, seconds to completion on each link; `null` where it was not measured. Who failed a session of the
//! cell has no row. A weighted sum of a row's quantities is what the reader may ask for.

mod map;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use super::Page;
use super::tag::{contender, escaped};
use crate::charts::rounded;
use crate::charts::style::{letter, look};
use crate::decide::{Decided, Decision, Half, Place};
use crate::study::Study;

/// Looks of rules and map.
pub const STYLE: &str = include_str!("decision.css");

/// The contenders that win somewhere or that a rule picks.
fn named(decisions: &[Decision<'_>]) -> BTreeSet<usize> {
    let winners = decisions.iter().flat_map(|one| &one.cells).filter_map(|cell| cell.cheapest(Half::All));
    let rules = decisions.iter().flat_map(|one| [&one.informed, &one.blind]).flatten();
    let picks = rules.flat_map(|rules| rules.rules.iter().map(|rule| rule.pick));
    winners.map(|(index, _)| index).chain(picks).collect()
}

/// Rules and maps of every objective that was measured.
pub fn section(page: &mut Page, study: &Study<'_>) {
    let Decided { decisions, left_out } = study.decided();
    if decisions.is_empty() {
        return;
    }
    page.link("decision", "Which to use where");
    page.push("<section id=\"decision\"><h2>Which to use where</h2>\n");
    let numbers = numbers(decisions);
    for (place, decision) in decisions.iter().enumerate() {
        let id = decision.objective.id();
        let group = if id.starts_with("link:") { "time" } else { id.as_str() };
        let title = escaped(&format!("Smallest {}", decision.objective.words()));
        if place == 0 {
            page.push(&format!("<div data-objective=\"{group}\">\n<h3>{title}</h3>\n"));
        } else {
            page.push(&format!("<details data-objective=\"{group}\"><summary>{title}</summary>\n"));
        }
        rules::rules(page, study, decision);
        map::map(page, study, decision, &numbers);
        page.push(if place == 0 { "</div>\n" } else { "</details>\n" });
    }
    legend(page, study, &named(decisions));
    if *left_out > 0 {
        page.paragraph(
            "note",
            &format!(
                "Not in the maps: {left_out} points at places where other points have more contenders or the same seeds."
            ),
        );
    }
    data(page, study, decisions, &numbers);
    page.push("</section>\n");
}

/// Number of every place in the JSON.
fn numbers(decisions: &[Decision<'_>]) -> BTreeMap<Place, usize> {
    let places: BTreeSet<&Place> =
        decisions.iter().flat_map(|one| &one.cells).map(|cell| &cell.place).collect();
    places.into_iter().enumerate().map(|(number, place)| (place.clone(), number)).collect()
}

fn legend(page: &mut Page, study: &Study<'_>, named: &BTreeSet<usize>) {
    let entries: Vec<String> =
        named.iter().map(|one| format!("<li>{}</li>", contender(&study.roster, *one))).collect();
    page.push(&format!("<ul class=\"letters\" aria-label=\"Letters\">{}</ul>\n", entries.join("")));
}

fn data(page: &mut Page, study: &Study<'_>, decisions: &[Decision<'_>], numbers: &BTreeMap<Place, usize>) {
    let mut indices: BTreeSet<usize> = BTreeSet::new();
    let mut at: Vec<BTreeMap<&Place, &crate::decide::Priced>> = Vec::new();
    for decision in decisions {
        at.push(decision.cells.iter().map(|cell| (&cell.place, cell)).collect());
        indices.extend(decision.cells.iter().flat_map(|cell| cell.costs.keys().copied()));
    }
    let order: BTreeMap<usize, usize> =
        indices.iter().enumerate().map(|(number, index)| (*index, number)).collect();
    let contenders: Vec<String> = indices
        .iter()
        .map(|index| {
            format!(
                "{{\"label\":{},\"spec\":{},\"letter\":{},\"colour\":{}}}",
                quoted(study.roster.label(*index)),
                quoted(study.roster.spec(*index)),
                quoted(&letter(*index)),
                quoted(look(&study.roster, *index).colour),
            )
        })
        .collect();
    let quantities: Vec<String> = std::iter::once("flights".to_owned())
        .chain(decisions.iter().map(|one| one.objective.id()))
        .map(|id| quoted(&id))
        .collect();
    let mut places = Vec::new();
    for place in numbers.keys() {
        let mut rows = Vec::new();
        for (index, number) in &order {
            let costs: Vec<Option<f64>> = at
                .iter()
                .map(|cells| {
                    cells.get(place).filter(|c| c.costs.contains_key(index))?.cost(*index, Half::All)
                })
                .collect();
            let flights = at.iter().find_map(|cells| cells.get(place)?.flights.get(index));
            // Infinite: it failed here, and has no price.
            if costs.iter().flatten().any(|cost| cost.is_infinite()) || costs.iter().all(Option::is_none) {
                continue;
            }
            let figures = std::iter::once(flights.copied()).chain(costs);
            let texts: Vec<String> =
                figures.map(|one| one.map_or_else(|| "null".to_owned(), figure)).collect();
            rows.push(format!("[{number},{}]", texts.join(",")));
        }
        places.push(format!(
            "{{\"m\":{},\"d\":{},\"pattern\":{},\"workload\":{},\"n\":{},\"k\":{},\"costs\":[{}]}}",
            place.m,
            place.d,
            quoted(&place.pattern),
            quoted(&place.workload),
            place.n,
            place.k,
            rows.join(",")
        ));
    }
    let json = format!(
        "{{\"contenders\":[{}],\"quantities\":[{}],\"cells\":[{}]}}",
        contenders.join(","),
        quantities.join(","),
        places.join(",")
    );
    // As with charts: no text out of a file can end the script element.
    let json = json.replace('<', "\\u003c");
    page.push(&format!("<script type=\"application/json\" id=\"decision-data\">{json}</script>\n"));
}

/// Text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn figure(value: f64) -> String {
    rounded(value).to_string()
}
