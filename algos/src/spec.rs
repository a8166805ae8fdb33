//! How a strategy with its parameters is written: `iblt:bits=64,k=4,size=tow`.
//!
//! Every strategy declares its parameters as a table ([`Param`]); parsing, defaults, the check of values,
//! suggestions for typing errors and the canonical form are made here, once, from that table.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use crate::name::{did_you_mean, suggest};

/// One parameter that a strategy takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Name, as written before the `=`.
    pub name: &'static str,
    /// The value when it is not given. One of `values`.
    pub default: &'static str,
    /// All values that it takes.
    pub values: &'static [&'static str],
    /// What it does, in one line.
    pub doc: &'static str,
}

/// A strategy's id with the value of every parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spec {
    id: String,
    params: BTreeMap<String, String>,
}

/// Why a text names no strategy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecError {
    /// The id is in no row of the registry.
    #[error("unknown strategy `{id}`{}; known: {known}", did_you_mean(.near))]
    UnknownStrategy {
        /// What was asked for.
        id: String,
        /// The nearest id, if any is near.
        near: Option<String>,
        /// All ids.
        known: String,
    },
    /// The strategy has no such parameter.
    #[error("strategy `{id}` has no parameter `{param}`{}; it takes: {known}", did_you_mean(.near))]
    UnknownParam {
        /// The strategy.
        id: String,
        /// What was asked for.
        param: String,
        /// The nearest parameter, if any is near.
        near: Option<String>,
        /// All parameters.
        known: String,
    },
    /// The parameter does not take this value.
    #[error("`{id}:{param}={value}`: {param} takes one of {known}{}", did_you_mean(.near))]
    BadValue {
        /// The strategy.
        id: String,
        /// The parameter.
        param: String,
        /// What was given.
        value: String,
        /// The nearest value, if any is near.
        near: Option<String>,
        /// All values.
        known: String,
    },
    /// The text is not of the form `id:name=value,name=value`.
    #[error("`{text}`: expected `strategy` or `strategy:name=value,name=value`, found `{part}`")]
    Malformed {
        /// The whole text.
        text: String,
        /// The part that does not fit.
        part: String,
    },
    /// A parameter stands there twice.
    #[error("`{text}`: parameter `{param}` is given twice")]
    Repeated {
        /// The whole text.
        text: String,
        /// The parameter.
        param: String,
    },
    /// Two values that exclude each other.
    #[error("`{spec}`: {why}")]
    Conflict {
        /// The canonical spec.
        spec: String,
        /// Which values, and why they do not go together.
        why: String,
    },
}

impl Spec {
    /// Splits `text` into the strategy's id and its given parameters, without looking at either.
    ///
    /// # Errors
    ///
    /// [`SpecError::Malformed`] and [`SpecError::Repeated`].
    pub fn split(text: &str) -> Result<(String, Vec<(String, String)>), SpecError> {
        let malformed = |part: &str| SpecError::Malformed { text: text.to_owned(), part: part.to_owned() };
        let (id, rest) = match text.split_once(':') {
            Some((id, rest)) => (id, Some(rest)),
            None => (text, None),
        };
        if id.is_empty() || id.contains(['=', ',']) {
            return Err(malformed(id));
        }
        let mut given: Vec<(String, String)> = Vec::new();
        for part in rest.into_iter().flat_map(|rest| rest.split(',')) {
            let (name, value) = part.split_once('=').ok_or_else(|| malformed(part))?;
            if name.is_empty() || value.is_empty() {
                return Err(malformed(part));
            }
            if given.iter().any(|(seen, _)| seen == name) {
                return Err(SpecError::Repeated { text: text.to_owned(), param: name.to_owned() });
            }
            given.push((name.to_owned(), value.to_owned()));
        }
        Ok((id.to_owned(), given))
    }

    /// A spec of the strategy `id` with the given parameters, and the default for every other one.
    ///
    /// # Errors
    ///
    /// A parameter or value that is not in `table`.
    pub fn resolve(id: &str, table: &[Param], given: &[(String, String)]) -> Result<Self, SpecError> {
        let mut params: BTreeMap<String, String> =
            table.iter().map(|param| (param.name.to_owned(), param.default.to_owned())).collect();
        for (name, value) in given {
            let Some(param) = table.iter().find(|param| param.name == name) else {
                return Err(SpecError::UnknownParam {
                    id: id.to_owned(),
                    param: name.clone(),
                    near: suggest(name, table.iter().map(|param| param.name)),
                    known: join(table.iter().map(|param| param.name)),
                });
            };
            if !param.values.contains(&value.as_str()) {
                return Err(SpecError::BadValue {
                    id: id.to_owned(),
                    param: name.clone(),
                    value: value.clone(),
                    near: suggest(value, param.values.iter().copied()),
                    known: join(param.values.iter().copied()),
                });
            }
            params.insert(name.clone(), value.clone());
        }
        Ok(Self { id: id.to_owned(), params })
    }

    /// The strategy's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The value of a parameter.
    ///
    /// # Panics
    ///
    /// When the strategy's table does not have it: a mistake in that strategy's file.
    pub fn get(&self, param: &str) -> &str {
        self.params
            .get(param)
            .unwrap_or_else(|| panic!("strategy {} reads a parameter {param} that its table lacks", self.id))
    }

    /// The value of a parameter whose declared values are all numbers.
    ///
    /// # Panics
    ///
    /// When it is not a number: a mistake in that strategy's table.
    pub fn number<T: std::str::FromStr>(&self, param: &str) -> T {
        let value = self.get(param);
        value.parse().unwrap_or_else(|_| panic!("{}:{param}={value} is declared but no number", self.id))
    }

    /// An error that says why two values of this spec exclude each other.
    pub fn conflict(&self, why: &str) -> SpecError {
        SpecError::Conflict { spec: self.to_string(), why: why.to_owned() }
    }
}

/// What canonical forms leave out: it is what every spec meant before there was a choice, so records of then and
/// now have the same names for the same thing.
const UNSAID: [(&str, &str); 5] =
    [("salt", "session"), ("grow", "8"), ("blocks", "none"), ("parts", "1"), ("sketch", "0")];

/// The canonical form: every parameter in alphabetical order, but those of `UNSAID`. Equal specs are equal texts.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        let said = self.params.iter().filter(|(name, value)| !UNSAID.contains(&(name, value)));
        for (i, (name, value)) in said.enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { ':' } else { ',' })?;
        }
        Ok(())
    }
}

pub(crate) fn join<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Param] = &[
        Param { name: "bits", default: "64", values: &["32", "64"], doc: "" },
        Param { name: "size", default: "tow", values: &["tow", "oracle"], doc: "" },
        Param { name: "salt", default: "session", values: &["session", "none"], doc: "" },
    ];

    fn resolve(text: &str) -> Result<String, SpecError> {
        let (id, given) = Spec::split(text)?;
        Spec::resolve(&id, TABLE, &given).map(|spec| spec.to_string())
    }

    #[test]
    fn canonical_form_holds_every_parameter_sorted() {
        assert_eq!(resolve("x").unwrap(), "x:bits=64,size=tow");
        assert_eq!(resolve("x:size=oracle,bits=32").unwrap(), "x:bits=32,size=oracle");
        assert_eq!(resolve("x:salt=session").unwrap(), "x:bits=64,size=tow");
        assert_eq!(resolve("x:salt=none").unwrap(), "x:bits=64,salt=none,size=tow");
    }

    #[test]
    fn errors_name_the_part_and_the_nearest_known() {
        let text = resolve("x:bit=32").unwrap_err().to_string();
        assert!(text.contains("no parameter `bit` (did you mean `bits`?)"), "{text}");
        let text = resolve("x:size=tov").unwrap_err().to_string();
        assert!(text.contains("tow, oracle") && text.contains("did you mean `tow`"), "{text}");
        assert!(matches!(resolve("x:bits"), Err(SpecError::Malformed { .. })));
        assert!(matches!(resolve(":bits=32"), Err(SpecError::Malformed { .. })));
        assert!(matches!(resolve("x:"), Err(SpecError::Malformed { .. })));
        assert!(matches!(resolve("x:bits=32,bits=64"), Err(SpecError::Repeated { .. })));
    }
}
