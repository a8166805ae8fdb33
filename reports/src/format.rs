//! Figures as people read them: three significant digits, a unit, a narrow space that does not break.
//!
//! Rounding happens here and nowhere else: records and statistics keep what was counted.

/// Narrow no-break space: parts a figure from its unit and groups digits.
pub const THIN: char = '\u{202f}';

/// A figure with three significant digits, whole from 1000 on, digits grouped from 10 000 on.
pub fn figure(value: f64) -> String {
    if value.is_nan() {
        return "–".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".into() } else { "−∞".into() };
    }
    if value < 0.0 {
        return format!("−{}", figure(-value));
    }
    if value == 0.0 {
        return "0".into();
    }
    // Thresholds sit where rounding would carry into one more digit.
    let text = match value {
        v if v >= 99.95 => return count(v.round().min(u64::MAX as f64) as u64),
        v if v >= 9.995 => format!("{v:.1}"),
        v if v >= 0.9995 => format!("{v:.2}"),
        v if v >= 0.001 => {
            let places = 2 - v.log10().floor() as i32;
            format!("{v:.*}", places.clamp(0, 6) as usize)
        }
        v => return scientific(v),
    };
    trim(&text)
}

fn trim(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text.into() }
}

fn scientific(value: f64) -> String {
    let text = format!("{value:.1e}");
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{}", trim(digits), exponent.replace('-', "−")),
        None => text,
    }
}

/// A whole number, grouped in threes from five digits on.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(THIN);
        }
        text.push(digit);
    }
    text
}

/// Scales `value` to the largest unit in which it is at least one.
fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut scaled = value;
    let mut units = units.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for larger in units {
        // 999.5 would be printed as 1000 of the smaller unit.
        if scaled.abs() < 0.9995 * step {
            break;
        }
        scaled /= step;
        unit = larger;
    }
    format!("{}{THIN}{unit}", figure(scaled))
}

/// Bytes, in decimal multiples: `12.3 kB` is 12 300 bytes.
pub fn bytes(value: f64) -> String {
    if value.is_finite() { scaled(value, 1000.0, &["B", "kB", "MB", "GB", "TB"]) } else { figure(value) }
}

/// A duration of nanoseconds, as CPU times are.
pub fn nanos(value: f64) -> String {
    if !value.is_finite() {
        return figure(value);
    }
    scaled(value, 1000.0, &["ns", "µs", "ms", "s"])
}

/// A duration of milliseconds in the largest unit of daily life that divides it well.
pub fn span_ms(value: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")];
    for (length, unit) in UNITS {
        if value >= length {
            return format!("{}{THIN}{unit}", figure(value as f64 / length as f64));
        }
    }
    format!("{value}{THIN}ms")
}

/// A share between 0 and 1 in percent.
pub fn percent(share: f64) -> String {
    format!("{}{THIN}%", figure(share * 100.0))
}

/// Similarity in percent with as many nines as it takes: `99.999 %`.
pub fn similarity(m: f64, d: f64) -> String {
    if m <= 0.0 || d <= 0.0 {
        return format!("100{THIN}%");
    }
    let share = d / m * 100.0;
    // Two significant digits of what is missing decide where to cut.
    let places = (1 - share.log10().floor() as i32).clamp(0, 9) as usize;
    format!("{}{THIN}%", trim(&format!("{:.places$}", 100.0 - share)))
}

/// `low–high` with the unit once where both share it; `None` when both print the same.
pub fn range(low: f64, high: f64, show: fn(f64) -> String) -> Option<String> {
    let (low, high) = (show(low), show(high));
    if low == high {
        return None;
    }
    let unit = |text: &str| {
        let (_, unit) = text.rsplit_once(THIN)?;
        // The narrow space also groups digits.
        (!unit.starts_with(|letter: char| letter.is_ascii_digit())).then(|| unit.to_owned())
    };
    match (low.rsplit_once(THIN), unit(&low)) {
        (Some((figure, _)), Some(shared)) if unit(&high).as_ref() == Some(&shared) => {
            Some(format!("{figure}–{high}"))
        }
        _ => Some(format!("{low}–{high}")),
    }
}

/// `singular` or `plural`, with its number.
pub fn counted(value: u64, singular: &str, plural: &str) -> String {
    format!("{}{THIN}{}", count(value), if value == 1 { singular } else { plural })
}

/// `a, b and c`.
pub fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        text.replace(THIN, " ")
    }

    #[test]
    fn figures_keep_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (1.2345, "1.23"),
            (9.996, "10"),
            (12.345, "12.3"),
            (99.96, "100"),
            (1234.5, "1235"),
            (12_345.0, "12 345"),
            (1_234_567.0, "1 234 567"),
            (0.12345, "0.123"),
            (0.0012345, "0.00123"),
            (0.000012, "1.2e−5"),
            (-2.5, "−2.5"),
            (f64::INFINITY, "∞"),
        ] {
            assert_eq!(plain(&figure(value)), text);
        }
    }

    #[test]
    fn units_carry_when_rounding_does() {
        for (value, text) in
            [(0.0, "0 B"), (999.0, "999 B"), (999.6, "1 kB"), (12_345.0, "12.3 kB"), (5e7, "50 MB")]
        {
            assert_eq!(plain(&bytes(value)), text);
        }
        assert_eq!(plain(&nanos(1_530.0)), "1.53 µs");
        assert_eq!(plain(&span_ms(7 * 86_400_000)), "7 d");
        assert_eq!(plain(&span_ms(90_000)), "1.5 min");
    }

    #[test]
    fn similarity_shows_enough_nines() {
        assert_eq!(plain(&similarity(1e6, 10.0)), "99.999 %");
        assert_eq!(plain(&similarity(1e4, 0.0)), "100 %");
        assert_eq!(plain(&similarity(100.0, 50.0)), "50 %");
    }

    #[test]
    fn ranges_name_a_shared_unit_once() {
        let text = |low, high| range(low, high, bytes).map(|text| plain(&text));
        assert_eq!(text(1200.0, 1300.0).as_deref(), Some("1.2–1.3 kB"));
        assert_eq!(text(900.0, 1300.0).as_deref(), Some("900 B–1.3 kB"));
        assert_eq!(text(1200.0, 1201.0), None);
        assert_eq!(
            range(10_000.0, 20_000.0, figure).map(|text| plain(&text)).as_deref(),
            Some("10 000–20 000")
        );
    }

    #[test]
    fn lists_read_as_sentences() {
        let parts: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        assert_eq!(list(&parts), "a, b and c");
        assert_eq!(list(&parts[..1]), "a");
        assert_eq!(counted(1, "row", "rows"), format!("1{THIN}row"));
    }
}
