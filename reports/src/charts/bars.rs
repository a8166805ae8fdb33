//! Lying bars made of parts: a row a contender (and direction), a colour and a hatching a part.
//!
//! Parts are drawn as shares of one contender's whole, and the row's label holds the whole: otherwise one
//! list of full ids flattens everybody else, and a share without its base says nothing.

use plotly::common::{HoverInfo, Marker, Orientation, Pattern, PatternShape};
use plotly::layout::BarMode;
use plotly::{Bar, Plot};

use super::{Chart, Scale, axis, finish, layout, quoted, rounded};

/// A row of the chart.
#[derive(Clone, Debug)]
pub struct Row {
    /// Contender.
    pub index: usize,
    /// Left of the bar.
    pub label: String,
    /// A share from 0 to 1 for each part.
    pub shares: Vec<f64>,
    /// What the pointer shows for each part, behind the row's and the part's names.
    pub texts: Vec<String>,
}

/// Okabe-Ito, black replaced by grey.
const COLOURS: [&str; 8] =
    ["#999999", "#CC79A7", "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#A89600"];

fn hatching(part: usize) -> PatternShape {
    match part % 8 {
        0 | 2 => PatternShape::None,
        1 => PatternShape::Dot,
        3 => PatternShape::LeftDiagonalLine,
        4 => PatternShape::HorizontalLine,
        5 => PatternShape::RightDiagonalLine,
        6 => PatternShape::DiagonalCross,
        _ => PatternShape::VerticalLine,
    }
}

/// Draws rows from top to bottom.
///
/// `looks` picks colour and hatching of each part, from 0 to 7: outcomes wear other colours than purposes.
pub fn bars(title: &str, parts: &[&str], looks: &[usize], rows: &[Row]) -> Chart {
    // Rows are placed by number: cut labels may be equal, and plotly would lay equal names on one bar.
    let places: Vec<f64> = (0..rows.len()).map(|place| place as f64).collect();
    let mut plot = Plot::new();
    let used: Vec<usize> =
        (0..parts.len()).filter(|part| rows.iter().any(|row| row.shares[*part] > 0.0)).collect();
    // Few rows may have many parts, and a legend that scrolls hides some.
    let height = (100 + 22 * rows.len()).max(76 + 22 * used.len());
    for part in &used {
        let shares: Vec<f64> = rows.iter().map(|row| rounded(row.shares[*part] * 100.0)).collect();
        let look = looks.get(*part).copied().unwrap_or(*part);
        let pattern = Pattern::new().shape(hatching(look)).solidity(0.3);
        plot.add_trace(
            Bar::new(shares, places.clone())
                .name(quoted(parts[*part]))
                .orientation(Orientation::Horizontal)
                .marker(Marker::new().color(COLOURS[look % COLOURS.len()]).pattern(pattern))
                .hover_text_array(rows.iter().map(|row| quoted(&row.texts[*part])).collect::<Vec<_>>())
                .hover_info(HoverInfo::Text),
        );
    }
    let labels: Vec<String> = rows.iter().map(|row| quoted(&row.label)).collect();
    let y_axis = axis("", Scale::Linear(""))
        .tick_values(places)
        .tick_text(labels)
        .range(vec![rows.len() as f64 - 0.4, -0.6])
        .show_grid(false);
    let layout = layout(height)
        .bar_mode(BarMode::Stack)
        .bar_gap(0.25)
        .show_legend(true)
        .x_axis(axis(title, Scale::Linear(" %")))
        .y_axis(y_axis);
    let mut chart = finish(plot, layout, height, used.len());
    chart.rows = rows.iter().map(|row| row.index).collect();
    chart
}
