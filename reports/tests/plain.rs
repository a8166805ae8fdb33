//! The main tables without a page: golden copies, and names that stay names.
//!
//! After a wanted change: `UPDATE_GOLDEN=1 cargo test -p offerbench-reports --test plain`, then read the
//! difference before it is committed.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use common::group::{GroupRecipe, group_book};
use common::{Recipe, golden};
use offerbench_reports::{Book, csv, markdown};

fn small() -> Book {
    common::book(&Recipe::small())
}

#[test]
fn tables_of_sessions_and_groups_are_the_golden_ones() {
    golden("small.md", &markdown(&small()));
    golden("small.csv", &csv(&small()));
    let groups = group_book(&GroupRecipe::small());
    golden("group.md", &markdown(&groups));
    golden("group.csv", &csv(&groups));
}

#[test]
fn every_line_of_a_table_has_as_many_cells_as_its_head() {
    for book in [small(), group_book(&GroupRecipe::small())] {
        let text = markdown(&book);
        let mut columns = None;
        for line in text.lines() {
            let cells = line.replace("\\|", "").matches('|').count();
            match columns {
                _ if !line.starts_with('|') => columns = None,
                None => columns = Some(cells),
                Some(head) => assert_eq!(cells, head, "{line}"),
            }
        }
        assert!(text.contains("\n|---|"));
        let table = csv(&book);
        let width = table.lines().next().unwrap().split(',').count();
        let mut reader = table.lines().skip(1);
        assert!(
            reader.all(|line| line
                .split('"')
                .step_by(2)
                .map(|part| part.matches(',').count())
                .sum::<usize>()
                + 1
                == width)
        );
    }
}
