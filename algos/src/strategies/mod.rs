//! The registry: every strategy, one file each. Whoever adds one adds a `mod` line and a row, and
//! names its sources in `size`.
//!
//! Conformance and hostile-input tests, fuzz targets, `offerbench list` and `verify`, sweeps that say
//! `strategies = ["*"]`, and charts read this table.

use crate::name::suggest;
use crate::session::Strategy;
use crate::spec::{Param, Spec, SpecError, join};

mod automerge;
pub(crate) mod bloom;
mod filter;
pub(crate) mod fuse;
pub(crate) mod iblt;
mod offers;
pub(crate) mod pinsketch;
pub(crate) mod range;
pub(crate) mod riblt;
mod size;

pub use pinsketch::{SketchField, SketchPath, sketch_engine};

pub use automerge::{Places, places as automerge_places};

/// Every strategy.
pub static REGISTRY: &[&Entry] = &[
    &offers::ENTRY,
    &bloom::ENTRY,
    &fuse::ENTRY,
    &iblt::ENTRY,
    &riblt::ENTRY,
    &pinsketch::ENTRY,
    &range::ENTRY,
    &range::COMPACT,
];

/// Strategies that are there to be attacked, not to be chosen: found by their names only, so that no glob and
/// no "every strategy" takes them in.
pub static SPECIMENS: &[&Entry] = &[&automerge::ENTRY];

/// What a strategy is, for people.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Short name, as in specs.
    pub id: &'static str,
    /// One line.
    pub what: &'static str,
    /// Where the idea comes from.
    pub source: &'static str,
    /// Who sends what when, in a few words: "one-shot", "streaming", "multi-round", …
    pub shape: &'static str,
    /// What a finished session promises, in a few words.
    pub guarantee: &'static str,
    /// Parameters.
    pub params: &'static [Param],
}

/// A row of the registry.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What it is.
    pub about: About,
    /// Specs worth comparing. The first is the one to start with.
    pub presets: &'static [&'static str],
    /// Makes the strategy of a resolved spec.
    pub build: fn(&Spec) -> Result<Box<dyn Strategy>, SpecError>,
}

impl Entry {
    /// Lines of code of the strategy's own sources, without tests, comments and blank lines.
    pub fn code_lines(&self) -> u32 {
        size::code_lines(self.about.id)
    }
}

/// A strategy and the canonical form of the text that named it.
pub struct Built {
    /// Its row.
    pub entry: &'static Entry,
    /// The spec with every parameter.
    pub spec: Spec,
    /// The strategy.
    pub strategy: Box<dyn Strategy>,
}

/// The row of a strategy.
///
/// # Errors
///
/// [`SpecError::UnknownStrategy`], with the nearest known.
pub fn entry(id: &str) -> Result<&'static Entry, SpecError> {
    let all = || REGISTRY.iter().chain(SPECIMENS);
    let ids = || all().map(|entry| entry.about.id);
    all().find(|entry| entry.about.id == id).copied().ok_or_else(|| SpecError::UnknownStrategy {
        id: id.to_owned(),
        near: suggest(id, ids()),
        known: join(ids()),
    })
}

/// Makes the strategy that `text` names.
///
/// ```
/// let built = offerbench_algos::build("offers:bits=40")?;
/// assert_eq!(built.spec.id(), "offers");
/// assert!(offerbench_algos::build("ofers").is_err());
/// # Ok::<(), offerbench_algos::SpecError>(())
/// ```
///
/// # Errors
///
/// An unknown strategy, parameter or value; the message names the nearest known.
pub fn build(text: &str) -> Result<Built, SpecError> {
    let (id, given) = Spec::split(text)?;
    let entry = entry(&id)?;
    let spec = Spec::resolve(&id, entry.about.params, &given)?;
    let strategy = (entry.build)(&spec)?;
    Ok(Built { entry, spec, strategy })
}
