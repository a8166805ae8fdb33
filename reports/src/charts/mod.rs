//! Charts, as plotly.js draws them.
//!
//! A chart is built with the types of the crate `plotly` and leaves here as JSON; the page draws it when
//! it comes into view. Numbers are rounded to six digits, so that the last bit of a logarithm, which
//! machines disagree on, never reaches the page.

pub mod bars;
pub mod lines;
pub mod style;

use plotly::common::{Anchor, Font, Title};
use plotly::configuration::{DisplayModeBar, ModeBarButtonName};
use plotly::layout::{Axis, AxisType, HoverMode, Legend, Margin, ModeBar};
use plotly::{Configuration, Layout, Plot};
use serde_json::Value;

/// One chart, ready for the page.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Data, layout and configuration as JSON.
    pub json: String,
    /// Height of the drawing without a legend below it, in CSS pixels.
    pub height: usize,
    /// Entries of the legend: on a narrow page it moves below and needs room.
    pub legend_entries: usize,
    /// Contenders of the bars from top to bottom; of a chart of lines, whose traces name theirs, none.
    pub rows: Vec<usize>,
}

/// Six significant digits: more than a pixel, less than a difference between two machines.
pub fn rounded(value: f64) -> f64 {
    if !value.is_finite() {
        return value;
    }
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// Text for plotly, which reads a small dialect of HTML in names and labels.
pub fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `text` cut to `len` characters.
pub fn cut(text: &str, len: usize) -> String {
    if text.chars().count() <= len {
        return text.to_owned();
    }
    text.chars().take(len.saturating_sub(1)).chain(['…']).collect()
}

/// How an axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Logarithmic numbers, with SI prefixes before the unit.
    Log(&'static str),
    /// Logarithmic seconds, with ticks at the units of daily life.
    Time,
    /// Plain numbers.
    Linear(&'static str),
    /// Names in the order given.
    Names,
}

fn axis(title: &str, scale: Scale) -> Axis {
    let axis = Axis::new().title(Title::with_text(quoted(title))).auto_margin(true).zero_line(false);
    match scale {
        Scale::Log(unit) => axis.type_(AxisType::Log).tick_format("~s").tick_suffix(unit),
        Scale::Time => axis.type_(AxisType::Log),
        Scale::Linear(unit) => axis.type_(AxisType::Linear).tick_format("~s").tick_suffix(unit),
        Scale::Names => axis.type_(AxisType::Category),
    }
}

fn layout(height: usize) -> Layout {
    let clear = "rgba(0,0,0,0)";
    Layout::new()
        .height(height)
        .margin(Margin::new().left(60).right(20).top(36).bottom(60))
        .mode_bar(ModeBar::new().background_color(clear).color("#999999").active_color("#555555"))
        .paper_background_color(clear)
        .plot_background_color(clear)
        .font(Font::new().family("system-ui, sans-serif").size(13))
        .hover_mode(HoverMode::Closest)
        .legend(
            Legend::new()
                .background_color(clear)
                .trace_group_gap(0)
                .x(1.02)
                .x_anchor(Anchor::Left)
                .y(1.0)
                .y_anchor(Anchor::Top),
        )
}

fn finish(mut plot: Plot, layout: Layout, height: usize, legend_entries: usize) -> Chart {
    plot.set_layout(layout);
    plot.set_configuration(
        Configuration::new()
            .display_logo(false)
            .display_mode_bar(DisplayModeBar::Hover)
            .mode_bar_buttons_to_remove(vec![ModeBarButtonName::Select2d, ModeBarButtonName::Lasso2d]),
    );
    Chart { json: slim(&plot.to_json()), height, legend_entries, rows: Vec::new() }
}

/// The same JSON without the `.0` of whole numbers, of which a page holds thousands.
fn slim(json: &str) -> String {
    fn whole(value: &mut Value) {
        match value {
            Value::Number(number) => {
                // Below 2^53, where every whole float is exactly that number.
                let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15);
                if let Some(float) = float {
                    *value = Value::from(float as i64);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(whole),
            Value::Object(fields) => fields.values_mut().for_each(whole),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    match serde_json::from_str(json) {
        Ok(mut value) => {
            whole(&mut value);
            value.to_string()
        }
        Err(_) => json.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_names_quoted() {
        assert_eq!(rounded(123_456_789.0), 123_457_000.0);
        assert_eq!(rounded(0.1 + 0.2), 0.3);
        assert_eq!(quoted("<a href=x>&"), "&lt;a href=x&gt;&amp;");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
