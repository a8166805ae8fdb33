//! Names that people type, and what is said when one names nothing.

use thiserror::Error;

/// A text that names nothing of a kind of which all are known.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown {what} `{name}`{}; known: {known}", did_you_mean(.near))]
pub struct UnknownName {
    /// What was looked for.
    pub what: &'static str,
    /// What was asked for.
    pub name: String,
    /// The nearest name, if any is near.
    pub near: Option<String>,
    /// All of them, as they are written.
    pub known: String,
}

impl UnknownName {
    /// That `name` is none of `names`, which are written like that.
    pub fn among<'a>(
        what: &'static str,
        name: &str,
        names: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
    ) -> Self {
        let names = names.into_iter();
        let known = names.clone().collect::<Vec<_>>().join(", ");
        Self { what, name: name.to_owned(), near: suggest(name, names), known }
    }
}

/// A question to put behind a name that names nothing: ` (did you mean ...?)`, or nothing.
pub fn did_you_mean(near: &Option<String>) -> String {
    near.as_ref().map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

/// The candidate that a mistyped `text` most likely meant, or none.
pub fn suggest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(text, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.len().min(text.len()) / 2))
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}
