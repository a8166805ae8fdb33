//! OFFER paths: how a member learns what another one lacks, by name.

use std::fmt;

use offerbench_algos::REGISTRY;
use offerbench_reports::record;
use offerbench_sync::{Offer, Reconcile};

use crate::choice::Known;
use crate::error::Failure;
use crate::plan::{self, Contender};

/// The paths of MVDS that take no strategy.
const PLAIN: [&str; 2] = ["batch", "interactive"];

/// An OFFER path that takes part.
#[derive(Clone)]
pub struct Path {
    /// What the record says of it.
    pub about: record::Contender,
    /// What nodes are told.
    pub offer: Offer,
}

impl Known for Path {
    fn spec(&self) -> &str {
        &self.about.spec
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.about.spec)
    }
}

/// Whether this names a path that takes no strategy.
pub fn is_plain(name: &str) -> bool {
    PLAIN.contains(&name)
}

/// The OFFER path of this name: `batch`, `interactive`, or a strategy with its parameters.
///
/// # Errors
///
/// When there is none of this name.
pub fn offer_path(name: &str) -> Result<Offer, Failure> {
    match name {
        "batch" => Ok(Offer::Batch),
        "interactive" => Ok(Offer::Interactive),
        spec => Reconcile::new(spec).map(Offer::Reconcile).map_err(Failure::usage),
    }
}

/// The names behind `*`: both paths of MVDS, and the first preset of every strategy.
pub fn all() -> impl Iterator<Item = &'static str> {
    PLAIN.into_iter().chain(REGISTRY.iter().map(|entry| entry.presets[0]))
}

/// Resolves what a sweep or a user asks for: names of plain paths, specs, globs over preset specs, and `*`.
///
/// # Errors
///
/// An unknown name or parameter, or a glob that matches nothing.
pub fn resolve(patterns: &[String]) -> Result<Vec<Path>, Failure> {
    let mut paths: Vec<Path> = Vec::new();
    for pattern in patterns {
        let names = if pattern == "*" { all().map(str::to_owned).collect() } else { vec![pattern.clone()] };
        for name in names {
            let found = match PLAIN.iter().find(|plain| **plain == name) {
                Some(plain) => vec![Path { about: describe(plain), offer: offer_path(plain)? }],
                None => of_strategies(&plan::resolve(&[name])?)?,
            };
            for path in found {
                if paths.iter().all(|earlier| earlier.about.spec != path.about.spec) {
                    paths.push(path);
                }
            }
        }
    }
    Ok(paths)
}

fn of_strategies(contenders: &[Contender]) -> Result<Vec<Path>, Failure> {
    let path = |contender: &Contender| {
        Ok(Path { about: plan::describe_contender(contender), offer: offer_path(&contender.spec)? })
    };
    contenders.iter().map(path).collect()
}

/// What the record says of a path that takes no strategy.
fn describe(plain: &str) -> record::Contender {
    record::Contender {
        spec: plain.to_owned(),
        strategy: plain.to_owned(),
        id_bits: 0,
        keyed: false,
        guarantee: "exact".to_owned(),
        oracle: false,
        parameters: 0,
        code_lines: 0,
    }
}
