//! Rules about the code base itself: who may import whom, and under which licences we build.

#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use spdx::Expression;

/// The table of the design: a crate and those of ours that it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("offerbench-algos", &[]),
    ("offerbench-sync", &["offerbench-algos"]),
    ("offerbench-datasets", &["offerbench-algos"]),
    ("offerbench-reports", &[]),
    ("offerbench", &["offerbench-algos", "offerbench-sync", "offerbench-datasets", "offerbench-reports"]),
    // Not of the command line: its allocator counts, and would slow down whoever allocates most.
    ("offerbench-peers", &["offerbench-algos", "offerbench-datasets", "offerbench-reports"]),
];

/// Licences under which a dependency may be used: permissive ones that ask for attribution at most.
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "CC0-1.0",
    "0BSD",
    "Unlicense",
    "Unicode-3.0",
    "BSL-1.0",
];

/// Packages whose manifest names a file instead of a licence, with the licence that was read there.
const READ_BY_HAND: &[(&str, &str, &str)] = &[("riblt", "0.1.1", "MIT")];

/// What is built on this platform; packages of others may not even be fetched, nor those of members that nobody built.
fn metadata() -> Value {
    let version = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let run = |network: &[&str]| {
        Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
            .args(network)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .output()
            .expect("cargo runs")
    };
    let mut output = run(&["--offline"]);
    if !output.status.success() {
        output = run(&[]);
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[test]
fn crates_import_only_what_the_design_allows() {
    let metadata = metadata();
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = text(package, "name");
        if !name.starts_with("offerbench") {
            continue;
        }
        seen.insert(name.to_owned());
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is not in the table of the design"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let imported = text(dependency, "name");
            // Tests may look at anything; the table is about what ships.
            if imported.starts_with("offerbench") && dependency["kind"].is_null() {
                assert!(may.contains(&imported), "{name} may not import {imported}");
            }
        }
    }
    assert_eq!(seen.len(), MAY_IMPORT.len(), "{seen:?}");
}

#[test]
fn every_dependency_has_a_permissive_licence() {
    let metadata = metadata();
    let mut bad = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, version) = (text(package, "name"), text(package, "version"));
        let read = READ_BY_HAND.iter().find(|(of, at, _)| (*of, *at) == (name, version));
        let licence = read.map_or_else(|| text(package, "license"), |(_, _, licence)| licence);
        // Old manifests write MIT/Apache-2.0.
        let fits = Expression::parse_mode(licence, spdx::ParseMode::LAX).is_ok_and(|expression| {
            expression.evaluate(|requirement| {
                requirement.license.id().is_some_and(|id| LICENCES.contains(&id.name))
            })
        });
        if !fits {
            bad.push(format!("{name}: {licence:?}"));
        }
    }
    assert!(bad.is_empty(), "licences to look at:\n{}", bad.join("\n"));
}
