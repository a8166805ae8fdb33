//! The few pieces of HTML the page is made of. Every text that comes from a file passes [`escaped`].

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

/// A contender at the head of a row, marked where it cannot win.
pub fn contender(roster: &Roster<'_>, index: usize) -> String {
    let mark = roster.mark(index).map(|mark| format!(" <small>{mark}</small>")).unwrap_or_default();
    titled(roster.label(index), roster.spec(index)) + &mark
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
}

impl Td {
    /// A figure, set right.
    pub fn number(text: &str) -> Self {
        Self { html: escaped(text), class: "num", ..Self::default() }
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
                "<td{}{}>{}</td>",
                attribute("class", class),
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
            "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table{class}>\
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
