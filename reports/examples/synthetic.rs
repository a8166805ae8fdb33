//! Writes a page of invented figures, to see what the report looks like and how fast it is made:
//! `cargo run --release -p offerbench-reports --example synthetic -- report.html [replicates] [sessions|groups|both]`.

// The example says how long reading and drawing took; the crate itself has no clock.
#![allow(clippy::disallowed_methods)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use common::Recipe;
use common::group::{GroupRecipe, group_files};
use common::peers::peer_file;
use offerbench_reports::{Book, Run, render, sentences, summary_table};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "report.html".into());
    let (mut recipe, mut groups) = (Recipe::large(), GroupRecipe::large());
    if let Some(replicates) = arguments.next().and_then(|text| text.parse().ok()) {
        recipe.replicates = replicates;
        groups.replicates = replicates;
    }
    let which = arguments.next().unwrap_or_else(|| "both".into());
    let mut files = Vec::new();
    if which != "groups" {
        let (exact, times) = common::files(&recipe);
        files.extend([("exact.jsonl", exact), ("timed.jsonl", times)]);
    }
    if which != "sessions" {
        let (group, cpu) = group_files(&groups);
        files.extend([("group.jsonl", group), ("cpu.jsonl", cpu)]);
    }
    if which == "both" {
        files.push(("peers.jsonl", peer_file()));
    }
    let start = Instant::now();
    let runs: Vec<Run> = files.iter().map(|(name, bytes)| common::run(name, bytes)).collect();
    let rows: u64 = runs.iter().map(Run::row_count).sum();
    let read = start.elapsed();
    let book = Book::unite(runs).expect("the files go together");
    let start = Instant::now();
    let page = render(&book);
    let rendered = start.elapsed();
    std::fs::write(&path, &page).expect("the page can be written");
    for sentence in sentences(&book) {
        println!("{sentence}\n");
    }
    println!("{} lines of summary", summary_table(&book).len());
    println!("{rows} rows: read in {read:.2?}, rendered in {rendered:.2?}, {} bytes", page.len());
}
