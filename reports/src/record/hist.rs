//! A histogram in a record: high dynamic range, three digits wide, mergeable.
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

/// Counts of values from 0 to [`VALUE_MAX`], to within half a per cent.
#[derive(Clone, Debug, PartialEq)]
pub struct Hist(Histogram<u64>);

impl Default for Hist {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, VALUE_MAX, DIGITS).expect("the bounds are sound"))
    }
}

impl Hist {
    /// Counts a value.
    pub fn record(&mut self, value: u64) {
        self.0.saturating_record(value);
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all histograms have the same bounds");
    }

    /// Values counted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value at or below which the share `quantile` (0 to 1) of the values lies; none if nothing was counted.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        (!self.is_empty()).then(|| self.0.value_at_quantile(quantile))
    }

    /// Values that are at most `value`, to within the resolution.
    pub fn count_upto(&self, value: u64) -> u64 {
        if value >= VALUE_MAX { self.count() } else { self.0.count_between(0, value) }
    }

    /// The mean; none if nothing was counted.
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.0.mean())
    }

    /// The largest value; none if nothing was counted.
    pub fn max(&self) -> Option<u64> {
        (!self.is_empty()).then(|| self.0.max())
    }
}

impl Serialize for Hist {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_empty() {
            return serializer.serialize_str("");
        }
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&self.0, &mut bytes).map_err(serde::ser::Error::custom)?;
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
        if (read.low(), read.high(), read.sigfig()) != (hist.0.low(), hist.0.high(), DIGITS) {
            return Err(serde::de::Error::custom(format!("{expected}, with the bounds of this tool")));
        }
        hist.0 = read;
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
