//! Sentences that know which of their words are names.
//!
//! The page sets names in a fixed font and escapes them, a terminal prints them as they are; both
//! come from the same sentence.

use super::Roster;

/// A stretch of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// Words.
    Text(String),
    /// A name out of a file.
    Name(String),
    /// A contender.
    Contender {
        /// Its short name.
        label: String,
        /// Its full one.
        spec: String,
    },
}

/// A sentence, or a few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prose(Vec<Span>);

impl Prose {
    /// Starts with words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(vec![Span::Text(text.into())])
    }

    /// Adds words.
    pub fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.0.push(Span::Text(text.into()));
        self
    }

    /// Adds a name.
    pub fn name(&mut self, name: impl Into<String>) -> &mut Self {
        self.0.push(Span::Name(name.into()));
        self
    }

    /// Adds a contender.
    pub fn contender(&mut self, roster: &Roster<'_>, index: usize) -> &mut Self {
        self.0.push(Span::Contender {
            label: roster.label(index).to_owned(),
            spec: roster.spec(index).to_owned(),
        });
        self
    }

    /// Adds another sentence's stretches.
    pub fn append(&mut self, other: Prose) -> &mut Self {
        self.0.extend(other.0);
        self
    }

    /// Joins parts with a separator between them.
    pub fn joined(parts: Vec<Prose>, separator: &str) -> Self {
        let mut all = Self::default();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                all.text(separator);
            }
            all.append(part);
        }
        all
    }

    /// The stretches.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// Words and names alike.
    pub fn plain(&self) -> String {
        self.0
            .iter()
            .map(|span| match span {
                Span::Text(text) | Span::Name(text) | Span::Contender { label: text, .. } => text.as_str(),
            })
            .collect()
    }
}
