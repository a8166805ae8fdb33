//! The few pieces of HTML the page is made of. Every text that comes from a file passes [`escaped`].

use crate::charts::{rounded, style};
use crate::format;
use crate::study::Roster;
use crate::study::prose::{Prose, Span};

/// Text that may stand between tags and in quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Control characters are no HTML; line ends stay.
            letter if letter.is_control() && letter != '\n' => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A sentence with its names in a fixed font.
pub fn prose(prose: &Prose) -> String {
    prose
        .spans()
        .iter()
        .map(|span| match span {
            Span::Text(text) => escaped(text),
            Span::Name(name) => code(name),
            Span::Contender { label, spec } => titled(label, spec),
        })
        .collect()
}

/// A name in a fixed font. It may break after a comma or colon, so that long specs fit a phone.
pub fn code(name: &str) -> String {
    format!("<code>{}</code>", escaped(name).replace(',', ",<wbr>").replace(':', ":<wbr>"))
}

/// A contender's label, its spec on hover where that says more.
fn titled(label: &str, spec: &str) -> String {
    let code = code(label);
    if label == spec { code } else { code.replacen('>', &format!(" title=\"{}\">", escaped(spec)), 1) }
}

/// A contender at the head of a row: its letter in the colour of its family, its name, and why it cannot win. The
/// page's script finds the row by `data-c`.
pub fn contender(roster: &Roster<'_>, index: usize) -> String {
    let mark = roster.mark(index).map(|mark| format!(" <small>{mark}</small>")).unwrap_or_default();
    let name = titled(roster.label(index), roster.spec(index));
    format!("<span data-c={index}>{} {name}</span>{mark}", badge(roster, index))
}

/// The letter of a contender on the colour of its family.
pub fn badge(roster: &Roster<'_>, index: usize) -> String {
    format!("<b class=f{}>{}</b>", style::hue(roster, index), style::letter(index))
}

/// Class of a contender's row.
pub fn row_class(roster: &Roster<'_>, index: usize) -> &'static str {
    if roster.oracle(index) { "bound" } else { "" }
}

/// A cell of a table: HTML that was escaped, and how it looks.
#[derive(Clone, Debug, Default)]
pub struct Td {
    html: String,
    class: &'static str,
    hint: String,
    value: Option<f64>,
}

impl Td {
    /// A figure and the number that a reader sorts it by.
    pub fn value(value: f64, show: fn(f64) -> String) -> Self {
        Self::number(&show(value)).sorted_by(value)
    }

    /// A count.
    pub fn count(count: u64) -> Self {
        Self::value(count as f64, |count| format::count(count as u64))
    }

    /// A figure, set right.
    pub fn number(text: &str) -> Self {
        Self { html: escaped(text), class: "num", ..Self::default() }
    }

    /// A figure that may be missing.
    pub fn optional(value: Option<f64>, show: fn(f64) -> String) -> Self {
        value.map_or_else(|| Self::number("–"), |value| Self::value(value, show))
    }

    /// Words.
    pub fn text(text: &str) -> Self {
        Self { html: escaped(text), ..Self::default() }
    }

    /// What [`prose`] or [`code`] made.
    pub fn html(html: String) -> Self {
        Self { html, ..Self::default() }
    }

    /// Marks the best of a column.
    pub fn marked(mut self) -> Self {
        self.class = "num best";
        self
    }

    /// What the column is sorted by, where the text is no number in one unit. Infinite: dearer than all others.
    pub fn sorted_by(mut self, value: f64) -> Self {
        self.value = (!value.is_nan()).then_some(value);
        self
    }

    /// HTML set right.
    pub fn number_html(html: String, class: &'static str) -> Self {
        Self { html, class, ..Self::default() }
    }

    /// What the pointer shows over the cell.
    pub fn hinted(mut self, text: &str) -> Self {
        self.hint = escaped(text);
        self
    }
}

impl From<String> for Td {
    fn from(text: String) -> Self {
        Self::number(&text)
    }
}

/// A table with caption and headed rows. Wide ones scroll within themselves.
#[derive(Clone, Debug)]
pub struct Table {
    caption: String,
    columns: Vec<String>,
    body: String,
    class: &'static str,
}

impl Table {
    /// Starts with a caption and the titles of columns.
    pub fn new<S: AsRef<str>>(caption: &str, columns: impl IntoIterator<Item = S>) -> Self {
        let columns = columns.into_iter().map(|title| escaped(title.as_ref())).collect();
        Self { caption: escaped(caption), columns, body: String::new(), class: "" }
    }

    /// The same with titles that are HTML.
    pub fn with_titles(caption: &str, columns: Vec<String>) -> Self {
        Self { caption: escaped(caption), columns, body: String::new(), class: "" }
    }

    /// All columns but the first hold figures: they and their titles are set right.
    pub fn numeric(mut self) -> Self {
        self.class = " class=\"numeric\"";
        self
    }

    /// Figures, set close, so that many columns fit.
    pub fn dense(mut self) -> Self {
        self.class = " class=\"numeric dense\"";
        self
    }

    /// A row; `head` is HTML.
    pub fn row(&mut self, head: &str, class: &str, cells: &[Td]) {
        self.body += &if class.is_empty() { "<tr>".into() } else { format!("<tr class=\"{class}\">") };
        self.body += &format!("<th scope=\"row\">{head}</th>");
        let numeric = !self.class.is_empty();
        for cell in cells {
            let class = match cell.class {
                // The table says it once for all of them.
                "num" if numeric => "",
                "num best" if numeric => "best",
                class => class,
            };
            let attribute = |name: &str, value: &str| {
                if value.is_empty() { String::new() } else { format!(" {name}=\"{value}\"") }
            };
            self.body += &format!(
                "<td{}{}{}>{}</td>",
                attribute("class", class),
                // An infinite one is written as JavaScript reads it.
                match cell.value {
                    Some(value) if value == f64::INFINITY => " data-value=Infinity".to_owned(),
                    Some(value) => format!(" data-value={}", rounded(value)),
                    None => String::new(),
                },
                attribute("title", &cell.hint),
                cell.html
            );
        }
        self.body += "</tr>\n";
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// The whole table.
    pub fn finish(self) -> String {
        let head: String =
            self.columns.iter().map(|title| format!("<th scope=\"col\">{title}</th>")).collect();
        format!(
            "<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"{caption}\"><table{class}>\
             <caption><span>{caption}</span></caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\
             </table></div>\n",
            caption = self.caption,
            class = self.class,
            body = self.body
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_text() {
        let name = "<script>alert('1')</script>&\"\u{1}";
        let safe = escaped(name);
        assert!(!safe.contains('<') && !safe.contains('"') && !safe.contains('\u{1}'), "{safe}");
        assert!(!code(name).contains("<script"));
    }
}
