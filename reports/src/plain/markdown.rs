//! Markdown that says what it was given, whatever names a file holds.

/// Text in which nothing is markup. Line ends become blanks: a cell is one line.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Code within a line, of a table too. A bar is escaped, since tables are cut at bars before code is looked for.
pub fn code(text: &str) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

/// A table. Cells are Markdown already: pass names through [`escaped`] or [`code`].
#[derive(Debug)]
pub struct Table {
    text: String,
    columns: usize,
}

impl Table {
    /// Starts with its heads.
    pub fn new(heads: &[&str]) -> Self {
        let mut table = Self { text: String::new(), columns: heads.len() };
        table.row(&heads.iter().map(|head| escaped(head)).collect::<Vec<_>>());
        table.text += &format!("|{}\n", "---|".repeat(heads.len()));
        table
    }

    /// Adds a row; missing cells stay empty.
    pub fn row(&mut self, cells: &[String]) {
        self.text.push('|');
        for column in 0..self.columns {
            self.text += &format!(" {} |", cells.get(column).map_or("", String::as_str));
        }
        self.text.push('\n');
    }

    /// The text, with a line end.
    pub fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escaped("a|b*c\n<i>"), r"a\|b\*c \<i\>");
        assert_eq!(code("a|b"), r"`a\|b`");
        assert_eq!(code("``"), "``` `` ```");
    }

    #[test]
    fn a_table_has_as_many_cells_in_every_row() {
        let mut table = Table::new(&["a", "b"]);
        table.row(&["1".into()]);
        assert_eq!(table.finish(), "| a | b |\n|---|---|\n| 1 |  |\n");
    }
}
