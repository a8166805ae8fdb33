//! A measured quantity along an axis, a line a contender.
//!
//! Medians with their 95% bootstrap intervals. A point at which sessions failed wears a ring; one at
//! which half of them or more failed has no median and appears as an open marker at what was spent, off
//! the line: it is drawn, and cannot be read as a price.

use plotly::common::{DashType, ErrorData, ErrorType, HoverInfo, Line, Marker, MarkerSymbol, Mode, Position};
use plotly::layout::Axis;
use plotly::{Plot, Scatter};
use serde_json::Value;

use super::style::{NEUTRAL, letter, look};
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
    lines_over(axes, series, &[], bounds, roster)
}

/// The same with what theory says of each contender below it: a thin dotted line in its colour, which shows
/// where the two part and hides where they agree.
pub fn lines_over(
    axes: &Axes,
    series: &[Series],
    theory: &[Series],
    bounds: &[Bound],
    roster: &Roster<'_>,
) -> Chart {
    // High enough for the legend: one that scrolls hides contenders.
    let entries = series.len() + bounds.len();
    let height = (110 + 20 * entries).max(480);
    let mut plot = Plot::new();
    for bound in bounds {
        plot.add_trace(bound_trace(bound));
    }
    for one in theory {
        plot.add_trace(theory_trace(one, roster));
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

/// Ticks at powers of ten only, where there are enough of them to read the axis by; of times, at the units of
/// daily life.
fn decades(axis: Axis, scale: Scale, values: impl Iterator<Item = f64>) -> Axis {
    let (low, high) = values
        .filter(|value| value.is_finite() && *value > 0.0)
        .fold((f64::INFINITY, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
    match scale {
        Scale::Log(_) if high / low > 50.0 => axis.dtick(1.0),
        Scale::Time => {
            // Over a narrow range every tick is needed, over a wide one they would lie on each other.
            let ticks = TICKS.iter().filter(|(.., wide)| *wide || high / low < 30.0);
            let (places, names): (Vec<f64>, Vec<&str>) = ticks.map(|(at, name, _)| (*at, *name)).unzip();
            axis.tick_values(places).tick_text(names)
        }
        _ => axis,
    }
}

/// Ticks of an axis of times: seconds, name, and whether a wide range has it.
const TICKS: [(f64, &str, bool); 33] = [
    (0.001, "1 ms", true),
    (0.002, "2 ms", false),
    (0.005, "5 ms", false),
    (0.01, "10 ms", true),
    (0.02, "20 ms", false),
    (0.05, "50 ms", false),
    (0.1, "0.1 s", true),
    (0.2, "0.2 s", false),
    (0.5, "0.5 s", false),
    (1.0, "1 s", true),
    (2.0, "2 s", false),
    (5.0, "5 s", false),
    (10.0, "10 s", true),
    (20.0, "20 s", false),
    (30.0, "30 s", false),
    (60.0, "1 min", true),
    (120.0, "2 min", false),
    (300.0, "5 min", false),
    (600.0, "10 min", true),
    (1_200.0, "20 min", false),
    (1_800.0, "30 min", false),
    (3_600.0, "1 h", true),
    (7_200.0, "2 h", false),
    (14_400.0, "4 h", true),
    (28_800.0, "8 h", false),
    (86_400.0, "1 d", true),
    (172_800.0, "2 d", false),
    (345_600.0, "4 d", false),
    (604_800.0, "7 d", true),
    (1_209_600.0, "14 d", false),
    (2_592_000.0, "30 d", true),
    (7_776_000.0, "90 d", false),
    (31_536_000.0, "365 d", true),
];

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

fn theory_trace(series: &Series, roster: &Roster<'_>) -> Box<Scatter<Value, Option<f64>>> {
    let y = series.dots.iter().map(|dot| Some(rounded(dot.value.mid))).collect();
    Scatter::new(series.dots.iter().map(|dot| dot.x.clone()).collect(), y)
        .name(format!("{}, theory", quoted(&roster.marked(series.index))))
        // With its contender a click in the legend hides it.
        .legend_group(format!("g{}", series.index))
        .show_legend(false)
        .mode(Mode::Lines)
        .line(Line::new().color(look(roster, series.index).colour).dash(DashType::Dot).width(1.0))
        .hover_text_array(series.dots.iter().map(|dot| quoted(&dot.text)).collect::<Vec<_>>())
        .hover_info(HoverInfo::Text)
}

fn trace(plot: &mut Plot, series: &Series, marks: bool, roster: &Roster<'_>) {
    let look = look(roster, series.index);
    let name = quoted(&format!("{} {}", letter(series.index), roster.marked(series.index)));
    let group = format!("g{}", series.index);
    let finite = |dot: &Dot| dot.value.mid.is_finite();
    let dots = &series.dots;
    // An interval that reaches into failed sessions has no upper end to draw; the text says so.
    let whisker = |end: f64| if end.is_finite() { rounded(end) } else { 0.0 };
    let texts = |dots: &[&Dot]| dots.iter().map(|dot| quoted(&dot.text)).collect::<Vec<_>>();
    let all: Vec<&Dot> = dots.iter().collect();
    let y = dots.iter().map(|dot| finite(dot).then(|| rounded(dot.value.mid))).collect::<Vec<_>>();
    // The letter stands behind the last value, where lines end apart more often than they begin.
    let last = dots.iter().rposition(finite);
    let letters: Vec<String> = (0..dots.len())
        .map(|at| if Some(at) == last { letter(series.index) } else { String::new() })
        .collect();
    let mut line = Scatter::new(dots.iter().map(|dot| dot.x.clone()).collect(), y)
        .name(&name)
        .legend_group(&group)
        .mode(if marks { Mode::LinesMarkersText } else { Mode::LinesText })
        .text_array(letters)
        .text_position(Position::MiddleRight)
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
