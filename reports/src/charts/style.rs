//! How contenders are told apart: colour by family, marker by contender, dashes by place in the family.
//!
//! Colours are those of Okabe and Ito, which people with any colour vision can tell apart; black is left
//! to bounds. A grey print keeps markers and dashes. Dotted lines are contenders that are told d.

use plotly::common::{DashType, MarkerSymbol};

use crate::study::Roster;

/// Okabe-Ito without black, its yellow darkened to show on white, and two neutrals for many families.
const COLOURS: [&str; 9] =
    ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#A89600", "#8C6D5A", "#7F7F7F"];

/// Grey that shows on white and on black: bounds.
pub const NEUTRAL: &str = "#808080";

/// A contender's look.
#[derive(Clone, Debug)]
pub struct Look {
    /// Colour of the family.
    pub colour: &'static str,
    /// Marker where all sessions reached the truth.
    pub symbol: MarkerSymbol,
    /// The same marker, open: no price.
    pub symbol_open: MarkerSymbol,
    /// Dashes.
    pub dash: DashType,
}

fn symbols(index: usize) -> (MarkerSymbol, MarkerSymbol) {
    use MarkerSymbol as S;
    match index % 16 {
        0 => (S::Circle, S::CircleOpen),
        1 => (S::Square, S::SquareOpen),
        2 => (S::Diamond, S::DiamondOpen),
        3 => (S::TriangleUp, S::TriangleUpOpen),
        4 => (S::TriangleDown, S::TriangleDownOpen),
        5 => (S::Cross, S::CrossOpen),
        6 => (S::X, S::XOpen),
        7 => (S::Star, S::StarOpen),
        8 => (S::Pentagon, S::PentagonOpen),
        9 => (S::TriangleLeft, S::TriangleLeftOpen),
        10 => (S::TriangleRight, S::TriangleRightOpen),
        11 => (S::Hexagram, S::HexagramOpen),
        12 => (S::StarSquare, S::StarSquareOpen),
        13 => (S::Hourglass, S::HourglassOpen),
        14 => (S::DiamondTall, S::DiamondTallOpen),
        _ => (S::StarDiamond, S::StarDiamondOpen),
    }
}

/// Colours there are; more families share them.
pub const HUES: usize = COLOURS.len();

/// The colour of a hue.
pub fn colour(hue: usize) -> &'static str {
    COLOURS[hue % HUES]
}

/// The letter of a contender: `A` to `Z`, `a` to `z`, then numbers. It stands in legends, tables and maps, so that
/// neither colour nor the shape of a mark is needed to tell contenders apart.
pub fn letter(index: usize) -> String {
    match ('A'..='Z').chain('a'..='z').nth(index) {
        Some(letter) => letter.to_string(),
        None => (index + 1).to_string(),
    }
}

/// The place of a contender's family among the families: the number of its colour.
pub fn hue(roster: &Roster<'_>, index: usize) -> usize {
    let family = |at: usize| roster.contenders.get(at).map_or("", |one| one.strategy.as_str());
    let mut families: Vec<&str> = Vec::new();
    for at in 0..=index {
        if !families.contains(&family(at)) {
            families.push(family(at));
        }
    }
    families.iter().position(|one| *one == family(index)).unwrap_or(0) % HUES
}

/// The look of a contender: the same in every chart of the page.
pub fn look(roster: &Roster<'_>, index: usize) -> Look {
    let family = |at: usize| roster.contenders.get(at).map_or("", |one| one.strategy.as_str());
    let siblings = (0..index).filter(|at| family(*at) == family(index) && !roster.oracle(*at)).count();
    let (symbol, symbol_open) = symbols(index);
    let dash = match siblings % 4 {
        _ if roster.oracle(index) => DashType::Dot,
        0 => DashType::Solid,
        1 => DashType::LongDash,
        2 => DashType::DashDot,
        _ => DashType::LongDashDot,
    };
    Look { colour: colour(hue(roster, index)), symbol, symbol_open, dash }
}
