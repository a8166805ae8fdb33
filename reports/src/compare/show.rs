//! A comparison in words: for a terminal, and as Markdown for a pull request.

use super::{Change, Comparison, Verdict};
use crate::format;
use crate::plain::markdown;

/// How many of the worst are shown.
const WORST: usize = 5;

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A terminal.
    Text,
    /// A pull request.
    Markdown,
}

impl Comparison {
    /// The verdict in a sentence.
    pub fn headline(&self) -> String {
        let total = self.total();
        let word = match () {
            () if total.worse > 0 => "Worse",
            () if !self.lacks.is_empty() || total.rows() == 0 => "No worse as far as it can be compared",
            () if total.better > 0 => "Better",
            () => "No worse",
        };
        let figures = [
            (total.worse, "worse"),
            (total.better, "better"),
            (total.same, "the same"),
            (total.inconclusive, "inconclusive"),
        ];
        let parts: Vec<String> =
            figures.iter().map(|(count, name)| format!("{} {name}", format::count(*count))).collect();
        format!("{word}: of {}, {}.", format::counted(total.rows(), "row", "rows"), format::list(&parts))
    }

    /// All of it; `base` and `new` name the sides.
    pub fn show(&self, look: Look, base: &str, new: &str) -> String {
        let mut text = String::new();
        let heading = self.headline();
        match look {
            Look::Text => text += &format!("{heading}\nBASE {base}\nNEW  {new}\n"),
            Look::Markdown => {
                text += &format!(
                    "**{heading}**\n\nBASE {}, NEW {}\n",
                    markdown::escaped(base),
                    markdown::escaped(new)
                );
            }
        }
        self.show_lacks(look, &mut text);
        for (verdict, title) in
            [(Verdict::Worse, "worst"), (Verdict::Inconclusive, "inconclusive"), (Verdict::Better, "best")]
        {
            self.show_changes(look, verdict, title, &mut text);
        }
        self.show_tallies(look, &mut text);
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for note in &self.notes {
            match look {
                Look::Text => text += &format!("{note}\n"),
                Look::Markdown => text += &format!("- {}\n", markdown::escaped(note)),
            }
        }
        text
    }

    fn show_lacks(&self, look: Look, text: &mut String) {
        if self.lacks.is_empty() {
            return;
        }
        *text += "\nNot compared:\n";
        if look == Look::Markdown {
            text.push('\n');
        }
        for lack in &self.lacks {
            let first =
                lack.first.as_ref().map_or_else(String::new, |first| format!(" (the first: {first})"));
            match look {
                Look::Text => *text += &format!("  {}{first}\n", lack.text),
                Look::Markdown => {
                    *text += &format!("- {}\n", markdown::escaped(&format!("{}{first}", lack.text)));
                }
            }
        }
    }

    fn show_changes(&self, look: Look, verdict: Verdict, title: &str, text: &mut String) {
        let all = self.of(verdict).count();
        if all == 0 {
            return;
        }
        let shown = all.min(WORST);
        let head = match all {
            1 => format!("The only one that is {}", verdict.word()),
            _ if shown < all => {
                format!("The {title} {shown} of {} {}", format::count(all as u64), verdict.word())
            }
            _ => format!("All {shown} {}", verdict.word()),
        };
        *text += &format!("\n{head}:\n");
        match look {
            Look::Text => {
                for change in self.of(verdict).take(WORST) {
                    *text += &format!(
                        "  {} {} -> {}{}\n    {}: {}\n    {}\n",
                        change.measure,
                        change.base,
                        change.new,
                        times(change),
                        change.place.experiment,
                        change.place.words(),
                        change.command
                    );
                }
            }
            Look::Markdown => {
                let mut table = markdown::Table::new(&["measure", "base", "new", "ratio", "where", "again"]);
                for change in self.of(verdict).take(WORST) {
                    table.row(&[
                        markdown::escaped(&change.measure),
                        markdown::escaped(&change.base),
                        markdown::escaped(&change.new),
                        markdown::escaped(times(change).trim_start()),
                        markdown::escaped(&format!("{}: {}", change.place.experiment, change.place.words())),
                        markdown::code(&change.command),
                    ]);
                }
                *text += &format!("\n{}", table.finish());
            }
        }
    }

    fn show_tallies(&self, look: Look, text: &mut String) {
        let heads = ["lane", "measure", "worse", "better", "same", "inconclusive"];
        let rows = self.tallies.iter().map(|(lane, name, tally)| {
            let lane = format!("{lane:?}").to_lowercase();
            let counts = [tally.worse, tally.better, tally.same, tally.inconclusive].map(format::count);
            let mut row = vec![lane, (*name).to_owned()];
            row.extend(counts);
            row
        });
        match look {
            Look::Markdown => {
                let mut table = markdown::Table::new(&heads);
                rows.for_each(|row| {
                    table.row(&row.iter().map(|cell| markdown::escaped(cell)).collect::<Vec<_>>());
                });
                *text += &format!("\n{}", table.finish());
            }
            Look::Text => {
                *text += &format!(
                    "\n{:<6} {:<21}{:>8}{:>8}{:>8}{:>14}\n",
                    heads[0], heads[1], heads[2], heads[3], heads[4], heads[5]
                );
                for row in rows {
                    *text += &format!(
                        "{:<6} {:<21}{:>8}{:>8}{:>8}{:>14}\n",
                        row[0], row[1], row[2], row[3], row[4], row[5]
                    );
                }
            }
        }
    }
}

impl Verdict {
    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "the same",
            Self::Worse => "worse",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// ` × 1.02 (1.01 to 1.03)`, where there is a ratio.
fn times(change: &Change) -> String {
    if change.ratio == 1.0 && change.interval.is_none() {
        return String::new();
    }
    if !change.ratio.is_finite() || change.ratio == 0.0 {
        return String::new();
    }
    let interval = change.interval.map_or_else(String::new, |(low, high)| {
        format!(" ({} to {})", format::figure(low), format::figure(high))
    });
    format!(" × {}{interval}", format::figure(change.ratio))
}
