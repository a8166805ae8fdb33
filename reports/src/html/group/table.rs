//! Tables over groups: a row a contender, a column a point, and for each cell the command that makes it again.

use crate::html::Page;
use crate::html::tag::{Table, Td, contender, escaped, row_class};
use crate::study::again::{self, bare, quoted};
use crate::study::group::{GroupCell, GroupPanel, GroupPoint, GroupStudy};
use crate::study::{Part, Study};

/// A sweep with all that its tables need.
#[derive(Clone, Copy)]
pub struct Desk<'d, 'a> {
    /// The whole book.
    pub study: &'d Study<'a>,
    /// The experiment.
    pub part: &'d Part<'a>,
    /// The sweep.
    pub sweep: &'d GroupStudy<'a>,
}

fn base(part: &Part<'_>) -> String {
    part.experiment.group().map_or_else(String::new, |run| bare(&run.header().command))
}

/// Makes one cell again.
pub fn command(part: &Part<'_>, sweep: &str, point: u32, spec: &str) -> String {
    part.experiment
        .group()
        .map_or_else(String::new, |run| again::command(&run.header().command, sweep, point, spec))
}

/// What a grid shows of a cell.
pub struct Shown {
    /// Its HTML.
    html: String,
    /// Whether it is the best of its column.
    best: bool,
    /// What the column is sorted by.
    value: Option<f64>,
}

impl From<(String, bool)> for Shown {
    fn from((html, best): (String, bool)) -> Self {
        Self { html, best, value: None }
    }
}

impl From<(String, bool, f64)> for Shown {
    fn from((html, best, value): (String, bool, f64)) -> Self {
        Self { html, best, value: Some(value) }
    }
}

impl<'d, 'a> Desk<'d, 'a> {
    fn command(&self, point: u32, spec: &str) -> String {
        command(self.part, &self.sweep.sweep.name, point, spec)
    }

    /// The same for every cell of a table, with two blanks.
    fn template(&self) -> String {
        let place = quoted(&self.sweep.sweep.name);
        format!(
            "<p class=\"note again\">A cell again: <code>{} --only {}/<var>POINT</var> --strategies \
             '<var>SPEC</var>'</code>, with the point of its column and the spec of its row \
             (<a href=\"#contenders\">contenders</a>).</p>\n",
            escaped(&base(self.part)),
            escaped(&place)
        )
    }

    /// Title of a point's column.
    fn column(&self, point: &GroupPoint<'_>) -> String {
        format!("{}<small class=\"point\">point {}</small>", escaped(&point.x_label), point.number)
    }

    /// A table of a panel; `show` gives a cell's HTML and whether it is the best of its column, or nothing
    /// where there is nothing to show. Contenders with nothing at all are left out; a table without rows is
    /// not drawn.
    pub fn grid<S: Into<Shown>>(
        &self,
        page: &mut Page,
        caption: &str,
        axis: &str,
        panel: &GroupPanel<'a>,
        extra: Vec<(String, Vec<String>)>,
        show: impl Fn(&GroupPoint<'a>, usize, &GroupCell<'a>) -> Option<S>,
    ) {
        let head = escaped(&format!("Contender \\ {axis}"));
        let titles = std::iter::once(head).chain(panel.points.iter().map(|point| self.column(point)));
        let mut table = Table::with_titles(caption, titles.collect()).numeric();
        for (name, cells) in extra {
            let cells: Vec<Td> = cells.iter().map(|text| Td::number(text)).collect();
            table.row(&escaped(&name), "bound", &cells);
        }
        for index in &self.sweep.contenders {
            let cells: Vec<Option<Option<Shown>>> = panel
                .points
                .iter()
                .map(|point| point.cells.get(index).map(|cell| show(point, *index, cell).map(S::into)))
                .collect();
            if cells.iter().all(|cell| !matches!(cell, Some(Some(_)))) {
                continue;
            }
            let spec = self.study.roster.spec(*index);
            let cells = cells.into_iter().zip(&panel.points).map(|(cell, point)| match cell {
                None => Td::number("not run"),
                Some(None) => Td::number("–"),
                Some(Some(Shown { html, best, value })) => {
                    let cell = Td::number_html(html, "num").hinted(&self.command(point.number, spec));
                    let cell = value.into_iter().fold(cell, Td::sorted_by);
                    if best { cell.marked() } else { cell }
                }
            });
            table.row(
                &contender(&self.study.roster, *index),
                row_class(&self.study.roster, *index),
                &cells.collect::<Vec<_>>(),
            );
        }
        if !table.is_empty() {
            page.push(&table.finish());
            page.push(&self.template());
        }
    }

    /// A table of some cells: a row a contender and point, the columns as given, after the first.
    pub fn list<C: Into<Td>>(
        &self,
        page: &mut Page,
        caption: &str,
        columns: &[&str],
        cells: &[(&GroupPoint<'a>, usize, &GroupCell<'a>)],
        show: impl Fn(&GroupPoint<'a>, &GroupCell<'a>) -> Vec<C>,
    ) {
        let titles = ["Contender", "At", "Point"].iter().chain(columns);
        let mut table = Table::new(caption, titles).numeric();
        for (point, index, cell) in cells {
            let hint = self.command(point.number, self.study.roster.spec(*index));
            let place = [Td::html(escaped(&point.x_label)), Td::count(u64::from(point.number))];
            let figures = show(point, cell).into_iter().map(|figure| figure.into().hinted(&hint));
            table.row(
                &contender(&self.study.roster, *index),
                row_class(&self.study.roster, *index),
                &place.into_iter().chain(figures).collect::<Vec<_>>(),
            );
        }
        if !table.is_empty() {
            page.push(&table.finish());
            page.push(&self.template());
        }
    }
}

/// The command of a whole experiment's groups.
pub fn whole(part: &Part<'_>) -> String {
    let command = part.experiment.group().map_or("", |run| run.header().command.as_str());
    format!("<pre><code>{}</code></pre>\n", escaped(command))
}
