//! A histogram in a record: high dynamic range, two digits exact, mergeable.
//!
//! In JSON it is the base64 text of the HdrHistogram V2 encoding (no compression), which every HdrHistogram
//! library reads. An empty histogram is the empty text. Values are whole numbers; the field says of what.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
use serde::{Deserialize, Serialize, Serializer};

/// Significant decimal digits: a value is kept to within half a per cent.
const DIGITS: u8 = 2;

/// The largest value that is kept apart: a hundred years in milliseconds. Larger ones count as this.
pub const VALUE_MAX: u64 = 1 << 42;

/// Values below this are all told apart: the power of two above twice a hundred, for two digits.
const EXACT_BELOW: u64 = 256;

/// Counts of values from 0 to [`VALUE_MAX`], to within half a per cent.
///
/// Only what was counted is kept: a dense HdrHistogram of this range takes 37 kB, three a row, and a file has
/// thousands of rows. Classes are those of HdrHistogram, so the encoding and every answer are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hist {
    /// Least value of each class that counted something, ascending, and its count.
    classes: Vec<(u64, u64)>,
    total: u64,
}

/// Width of a value's class, a power of two.
fn width(value: u64) -> u64 {
    1 << (value | (EXACT_BELOW - 1)).ilog2().saturating_sub(EXACT_BELOW.ilog2() - 1)
}

fn lowest(value: u64) -> u64 {
    value - value % width(value)
}

fn highest(lowest: u64) -> u64 {
    lowest + (width(lowest) - 1)
}

fn dense() -> Histogram<u64> {
    Histogram::new_with_bounds(1, VALUE_MAX, DIGITS).expect("the bounds are sound")
}

impl Hist {
    /// Counts a value.
    pub fn record(&mut self, value: u64) {
        self.add(lowest(value.min(VALUE_MAX)), 1);
    }

    fn add(&mut self, class: u64, count: u64) {
        match self.classes.binary_search_by_key(&class, |(lowest, _)| *lowest) {
            Ok(place) => self.classes[place].1 = self.classes[place].1.saturating_add(count),
            Err(place) => self.classes.insert(place, (class, count)),
        }
        self.total = self.total.saturating_add(count);
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        let mut merged = Vec::with_capacity(self.classes.len() + other.classes.len());
        let (mut mine, mut theirs) = (self.classes.iter().peekable(), other.classes.iter().peekable());
        while let Some((class, count)) = match (mine.peek(), theirs.peek()) {
            (Some(one), Some(two)) if one.0 == two.0 => {
                let both = (one.0, one.1.saturating_add(two.1));
                mine.next();
                theirs.next();
                Some(both)
            }
            (Some(one), Some(two)) if one.0 < two.0 => mine.next().copied(),
            (Some(_), None) => mine.next().copied(),
            _ => theirs.next().copied(),
        } {
            merged.push((class, count));
        }
        self.classes = merged;
        self.total = self.total.saturating_add(other.total);
    }

    /// Values counted.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The value at or below which the share `quantile` (0 to 1) of the values lies; none if nothing was counted.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let rank = (quantile.clamp(0.0, 1.0) * self.total as f64).ceil() as u64;
        self.ranked(rank.clamp(1, self.total.max(1)))
    }

    /// The value of a rank, of which 1 is the least's; none where fewer values were counted.
    pub fn ranked(&self, rank: u64) -> Option<u64> {
        let mut below = 0u64;
        let class = self.classes.iter().find(|(_, count)| {
            below = below.saturating_add(*count);
            below >= rank
        });
        class.map(|(class, _)| highest(*class))
    }

    /// The quantile of `due` values, of which only those counted here came about; none where it is one of those
    /// that did not.
    pub fn quantile_of_due(&self, quantile: f64, due: u64) -> Option<u64> {
        let rank = (quantile.clamp(0.0, 1.0) * due as f64).ceil() as u64;
        self.ranked(rank.max(1))
    }

    /// Values that are at most `value`, to within the resolution.
    pub fn count_upto(&self, value: u64) -> u64 {
        let upto = self.classes.iter().take_while(|(class, _)| *class <= value);
        upto.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The largest value of each class that counted something, ascending, and how many values are in it.
    pub fn classes(&self) -> impl Iterator<Item = (u64, u64)> {
        self.classes.iter().map(|(class, count)| (highest(*class), *count))
    }

    /// The mean; none if nothing was counted.
    pub fn mean(&self) -> Option<f64> {
        let middle = |class: u64| class as f64 + (width(class) / 2) as f64;
        let total = self.total as f64;
        let sum =
            self.classes.iter().fold(0.0, |sum, (class, count)| sum + middle(*class) * *count as f64 / total);
        (!self.is_empty()).then_some(sum)
    }

    /// The largest value; none if nothing was counted.
    pub fn max(&self) -> Option<u64> {
        self.classes.last().map(|(class, _)| highest(*class))
    }
}

impl Serialize for Hist {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_empty() {
            return serializer.serialize_str("");
        }
        let mut bytes = Vec::new();
        let mut whole = dense();
        for (class, count) in &self.classes {
            whole.record_n(*class, *count).map_err(serde::ser::Error::custom)?;
        }
        V2Serializer::new().serialize(&whole, &mut bytes).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Hist {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut hist = Self::default();
        if text.is_empty() {
            return Ok(hist);
        }
        let expected = "expected a histogram: base64 of the HdrHistogram V2 encoding";
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| serde::de::Error::custom(format!("{expected}, found {error}")))?;
        let read: Histogram<u64> = Deserializer::new()
            .deserialize(&mut &bytes[..])
            .map_err(|error| serde::de::Error::custom(format!("{expected}, found {error:?}")))?;
        if (read.low(), read.high(), read.sigfig()) != (1, VALUE_MAX, DIGITS) {
            return Err(serde::de::Error::custom(format!("{expected}, with the bounds of this tool")));
        }
        for step in read.iter_recorded() {
            let count = step.count_at_value();
            if hist.total.checked_add(count).is_none() {
                return Err(serde::de::Error::custom(format!("{expected}, of fewer than 2^64 values")));
            }
            hist.add(lowest(step.value_iterated_to()), count);
        }
        Ok(hist)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_a_file_and_merges() {
        let mut a = Hist::default();
        for value in [0, 1, 3, 1_000, 86_400_000, u64::MAX] {
            a.record(value);
        }
        let text = serde_json::to_string(&a).unwrap();
        let mut b: Hist = serde_json::from_str(&text).unwrap();
        assert_eq!(a, b);
        assert_eq!(serde_json::to_string(&b).unwrap(), text);
        b.merge(&a);
        assert_eq!((b.count(), b.count_upto(3), b.count_upto(1_000)), (12, 6, 8));
        assert_eq!(b.count_upto(u64::MAX), 12);
        let day = b.quantile(0.8).unwrap();
        assert!((86_000_000..87_000_000).contains(&day), "{day}");
    }

    #[test]
    fn it_answers_as_a_dense_one_does() {
        let (mut ours, mut theirs, mut half) = (Hist::default(), dense(), Hist::default());
        let mut state = 1u64;
        for step in 0..5_000u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step);
            let value = state >> (22 + state % 41);
            if step % 2 == 0 {
                ours.record(value);
            } else {
                half.record(value);
            }
            theirs.record(value.min(VALUE_MAX)).unwrap();
        }
        ours.merge(&half);
        assert_eq!((ours.count(), ours.max(), ours.mean()), (5_000, Some(theirs.max()), Some(theirs.mean())));
        for share in 0..=100 {
            let share = f64::from(share) / 100.0;
            if share > 0.0 {
                assert_eq!(ours.quantile(share), Some(theirs.value_at_quantile(share)));
            }
            let value = theirs.value_at_quantile(share);
            assert_eq!(ours.count_upto(value), theirs.count_between(0, value));
        }
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&theirs, &mut bytes).unwrap();
        assert_eq!(serde_json::to_string(&ours).unwrap(), format!("\"{}\"", STANDARD.encode(bytes)));
    }

    #[test]
    fn what_did_not_come_about_has_no_time() {
        let mut hist = Hist::default();
        (1..=80).for_each(|value| hist.record(value));
        let of_100 = |quantile| hist.quantile_of_due(quantile, 100);
        assert_eq!(
            (of_100(0.0), of_100(0.5), of_100(0.8), of_100(0.81)),
            (Some(1), Some(50), Some(80), None)
        );
        assert_eq!((hist.quantile(1.0), Hist::default().quantile_of_due(0.5, 0)), (Some(80), None));
    }

    #[test]
    fn an_empty_one_is_an_empty_text_and_knows_nothing() {
        let empty = Hist::default();
        assert_eq!(serde_json::to_string(&empty).unwrap(), "\"\"");
        assert_eq!(serde_json::from_str::<Hist>("\"\"").unwrap(), empty);
        assert_eq!((empty.quantile(0.5), empty.mean(), empty.max()), (None, None, None));
    }

    #[test]
    fn other_texts_are_refused() {
        let wide = Histogram::<u64>::new_with_bounds(1, 1 << 20, 3).unwrap();
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&wide, &mut bytes).unwrap();
        for text in ["?", "aGVsbG8=", &STANDARD.encode(bytes)] {
            let error = serde_json::from_str::<Hist>(&format!("{text:?}")).unwrap_err().to_string();
            assert!(error.contains("expected a histogram"), "{text}: {error}");
        }
    }
}
