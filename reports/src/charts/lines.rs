//! A measured quantity along an axis, a line a contender.
//!
//! Medians with their 95% bootstrap intervals. A point at which sessions failed wears a ring; one at
//! which half of them or more failed has no median and appears as an open marker at what was spent, off
//! the line: it is drawn, and cannot be read as a price.

use plotly::common::{DashType, ErrorData, ErrorType, HoverInfo, Line, Marker, MarkerSymbol, Mode};
use plotly::layout::Axis;
use plotly::{Plot, Scatter};
use serde_json::Value;

use super::style::{NEUTRAL, look};
use super::{Chart, Scale, axis, finish, layout, quoted, rounded};
use crate::stats::Interval;
use crate::study::Roster;

/// One value of a contender.
#[derive(Clone, Debug)]
pub struct Dot {
    /// A number or a name, as the x axis has them.
    pub x: Value,
    /// The median with its interval; infinite if there is none.
    pub value: Interval,
    /// What was spent, where there is no median.
    pub spent: f64,
    /// Failed sessions.
    pub failures: u64,
    /// What the pointer shows below the contender's name.
    pub text: String,
}

/// All values of a contender.
#[derive(Clone, Debug)]
pub struct Series {
    /// Contender.
    pub index: usize,
    /// By growing x.
    pub dots: Vec<Dot>,
}

/// A bound beside the contenders.
#[derive(Clone, Debug)]
pub struct Bound {
    /// For the legend.
    pub name: String,
    /// By growing x; gaps where it does not apply.
    pub dots: Vec<(Value, Option<f64>)>,
    /// One-way bounds are dashed, the floor is solid.
    pub dash: Option<DashType>,
}

/// Titles and scales of both axes.
#[derive(Clone, Debug)]
pub struct Axes {
    /// Title of x, with its unit.
    pub x: String,
    /// Scale of x.
    pub x_scale: Scale,
    /// Order of names on x, when it has names.
    pub x_names: Vec<String>,
    /// Title of y, with its unit.
    pub y: String,
    /// Scale of y.
    pub y_scale: Scale,
    /// Whether each value wears its contender's marker. Curves of many values do not.
    pub marks: bool,
}

/// Draws it.
pub fn lines(axes: &Axes, series: &[Series], bounds: &[Bound], roster: &Roster<'_>) -> Chart {
    // High enough for the legend: one that scrolls hides contenders.
    let entries = series.len() + bounds.len();
    let height = (110 + 20 * entries).max(480);
    let mut plot = Plot::new();
    for bound in bounds {
        plot.add_trace(bound_trace(bound));
    }
    for one in series {
        trace(&mut plot, one, axes.marks, roster);
    }
    let xs = series.iter().flat_map(|one| &one.dots).filter_map(|dot| dot.x.as_f64());
    let ys = series
        .iter()
        .flat_map(|one| &one.dots)
        .map(|dot| if dot.value.mid.is_finite() { dot.value.mid } else { dot.spent })
        .chain(bounds.iter().flat_map(|bound| &bound.dots).filter_map(|(_, bytes)| *bytes));
    let mut x_axis = decades(axis(&axes.x, axes.x_scale), axes.x_scale, xs);
    let y_axis = decades(axis(&axes.y, axes.y_scale), axes.y_scale, ys);
    if axes.x_scale == Scale::Names {
        x_axis = x_axis.category_array(axes.x_names.iter().map(|name| quoted(name)).collect::<Vec<_>>());
    }
    finish(plot, layout(height).x_axis(x_axis).y_axis(y_axis), height, entries)
}

/// Ticks at powers of ten only, where there are enough of them to read the axis by.
fn decades(axis: Axis, scale: Scale, values: impl Iterator<Item = f64>) -> Axis {
    let (low, high) = values
        .filter(|value| value.is_finite() && *value > 0.0)
        .fold((f64::INFINITY, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
    if matches!(scale, Scale::Log(_)) && high / low > 50.0 { axis.dtick(1.0) } else { axis }
}

fn bound_trace(bound: &Bound) -> Box<Scatter<Value, Option<f64>>> {
    let (x, y): (Vec<Value>, Vec<Option<f64>>) =
        bound.dots.iter().map(|(x, y)| (x.clone(), y.map(rounded))).unzip();
    let dash = bound.dash.clone().unwrap_or(DashType::Solid);
    Scatter::new(x, y)
        .name(quoted(&bound.name))
        .mode(Mode::LinesMarkers)
        .marker(Marker::new().size(4).color(NEUTRAL))
        .line(Line::new().color(NEUTRAL).dash(dash).width(2.5))
}

fn trace(plot: &mut Plot, series: &Series, marks: bool, roster: &Roster<'_>) {
    let look = look(roster, series.index);
    let name = quoted(&roster.marked(series.index));
    let group = format!("g{}", series.index);
    let finite = |dot: &Dot| dot.value.mid.is_finite();
    let dots = &series.dots;
    // An interval that reaches into failed sessions has no upper end to draw; the text says so.
    let whisker = |end: f64| if end.is_finite() { rounded(end) } else { 0.0 };
    let texts = |dots: &[&Dot]| dots.iter().map(|dot| quoted(&dot.text)).collect::<Vec<_>>();
    let all: Vec<&Dot> = dots.iter().collect();
    let y = dots.iter().map(|dot| finite(dot).then(|| rounded(dot.value.mid))).collect::<Vec<_>>();
    let mut line = Scatter::new(dots.iter().map(|dot| dot.x.clone()).collect(), y)
        .name(&name)
        .legend_group(&group)
        .mode(if marks { Mode::LinesMarkers } else { Mode::Lines })
        .marker(Marker::new().symbol(look.symbol.clone()).size(8).color(look.colour))
        .line(Line::new().color(look.colour).dash(look.dash.clone()).width(1.6))
        .hover_text_array(texts(&all))
        .hover_info(HoverInfo::Text);
    let above: Vec<f64> = dots.iter().map(|dot| whisker(dot.value.high - dot.value.mid)).collect();
    let below: Vec<f64> = dots.iter().map(|dot| whisker(dot.value.mid - dot.value.low)).collect();
    // Counts that never vary have nothing to draw.
    if above.iter().chain(&below).any(|length| *length > 0.0) {
        let whiskers = ErrorData::new(ErrorType::Data).symmetric(false).array(above).array_minus(below);
        line = line.error_y(whiskers.thickness(1.0).width(3));
    }
    plot.add_trace(line);
    let mut overlay = |dots: &[&Dot], y: Vec<Option<f64>>, symbol: MarkerSymbol, size: usize| {
        if dots.is_empty() {
            return;
        }
        plot.add_trace(
            Scatter::new(dots.iter().map(|dot| dot.x.clone()).collect(), y)
                .name(&name)
                .legend_group(&group)
                .show_legend(false)
                .mode(Mode::Markers)
                .marker(Marker::new().symbol(symbol).size(size).color(look.colour))
                .hover_text_array(texts(dots))
                .hover_info(HoverInfo::Text),
        );
    };
    let ringed: Vec<&Dot> = dots.iter().filter(|dot| finite(dot) && dot.failures > 0).collect();
    let y = ringed.iter().map(|dot| Some(rounded(dot.value.mid))).collect();
    overlay(&ringed, y, MarkerSymbol::CircleOpen, 15);
    let lost: Vec<&Dot> = dots.iter().filter(|dot| !finite(dot) && dot.failures > 0).collect();
    let y = lost.iter().map(|dot| Some(rounded(dot.spent))).collect();
    overlay(&lost, y, look.symbol_open.clone(), 11);
}
