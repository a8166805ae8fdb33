//! OFFER paths: how a member learns what another one lacks, by name.

use std::fmt;

use offerbench_algos::REGISTRY;
use offerbench_reports::record;
use offerbench_sync::{Offer, Reconcile};

use crate::error::Failure;
use crate::plan;

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
        let found: Vec<Path> = match pattern.as_str() {
            "*" => all().map(path).collect::<Result<_, _>>()?,
            name if is_plain(name) => vec![path(name)?],
            spec => plan::resolve(&[spec.to_owned()])?
                .iter()
                .map(|contender| path(&contender.spec))
                .collect::<Result<_, _>>()?,
        };
        for path in found {
            if paths.iter().all(|earlier| earlier.about.spec != path.about.spec) {
                paths.push(path);
            }
        }
    }
    Ok(paths)
}

fn path(name: &str) -> Result<Path, Failure> {
    let offer = offer_path(name)?;
    let about = if is_plain(name) {
        record::Contender {
            spec: name.to_owned(),
            strategy: name.to_owned(),
            id_bits: 0,
            keyed: false,
            guarantee: "exact".to_owned(),
            oracle: false,
        }
    } else {
        let contenders = plan::resolve(&[name.to_owned()])?;
        plan::describe_contender(&contenders[0])
    };
    Ok(Path { about, offer })
}
