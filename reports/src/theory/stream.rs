//! `riblt`: coded symbols until the difference is decoded.
//!
//! How many symbols that takes has no closed form for small d; the means are those of the authors' simulations and
//! of ours from the definition (Yang, Gilad, Alizadeh, SIGCOMM 2024), exact to 0.01 over at least 2,000 trials. The
//! rest follows from the format: messages take the first symbols four at a time and later ones by eighths, or as the spec says.

use super::wire::{END_CHECK, VERDICT, frames, normal_tail, salts, sorted, varint};
use super::{Forecast, Meeting, Params};

/// d, mean symbols a difference, and the 95th percentile.
const SYMBOLS: [(f64, f64, f64); 12] = [
    (1.0, 1.000, 1.0),
    (2.0, 1.586, 3.0),
    (5.0, 1.759, 3.0),
    (10.0, 1.721, 2.60),
    (20.0, 1.631, 2.15),
    (50.0, 1.514, 1.80),
    (100.0, 1.455, 1.64),
    (200.0, 1.417, 1.54),
    (500.0, 1.389, 1.46),
    (1000.0, 1.376, 1.43),
    (1e4, 1.358, 1.375),
    (1e5, 1.354, 1.36),
];

/// Mean symbols a difference and its deviation, between the table's rows by log d.
fn symbols(d: f64) -> (f64, f64) {
    let row = |(_, mean, p95): (f64, f64, f64)| (mean, (p95 - mean) / 1.645);
    let after = SYMBOLS.iter().position(|(known, ..)| *known >= d);
    match after {
        Some(0) => row(SYMBOLS[0]),
        None => row(SYMBOLS[SYMBOLS.len() - 1]),
        Some(after) => {
            let (low, high) = (SYMBOLS[after - 1], SYMBOLS[after]);
            let part = libm::log(d / low.0) / libm::log(high.0 / low.0);
            let (low, high) = (row(low), row(high));
            (low.0 + (high.0 - low.0) * part, low.1 + (high.1 - low.1) * part)
        }
    }
}

/// A mean and its deviation from session to session.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    mean: f64,
    deviation: f64,
}

/// Bytes of all symbols, headers included, and messages, over where streams end.
fn stream(params: &Params<'_>, at: &Meeting) -> Option<(Moments, Moments)> {
    let (bits, check, batch) = (params.number("bits")?, params.number("check")?, params.number("batch")?);
    let fixed = (bits + check) / 8.0;
    // Records of before there was a choice do not say.
    let grow = params.number("grow").unwrap_or(8.0);
    let d = at.d().max(1.0);
    let (each, each_deviation) = symbols(d);
    // Symbols of a small difference have a heavy tail and no bell; the message that completes them is one of
    // the first few, whatever their distribution.
    let (mean, deviation) = (each * d, (each_deviation * d).max(1e-9));
    let below = |symbols: f64| 1.0 - normal_tail((symbols + 0.5 - mean) / deviation);
    let (mut sent, mut bytes, mut messages, mut reached) = (0.0, 0.0, 0.0, 0.0);
    // Sums of values and of their squares, weighed by the chance that the stream ends there.
    let mut sums = [[0.0; 2]; 2];
    while reached < 1.0 - 1e-9 && sent < 1e9 {
        let len = batch.max(libm::floor(sent / grow)).max(1.0);
        // Counts go two to a byte.
        let message = len * fixed + libm::ceil(len / 2.0);
        // A message longer than a frame is cut at the frame.
        let pieces = frames(message);
        sent += len;
        bytes += message + pieces;
        messages += pieces;
        let now = if d < 1.5 { 1.0 } else { below(sent) };
        for (sum, value) in sums.iter_mut().zip([bytes, messages]) {
            sum[0] += (now - reached) * value;
            sum[1] += (now - reached) * value * value;
        }
        reached = now;
    }
    let moments = |[sum, squares]: [f64; 2]| {
        let mean = sum / reached;
        Moments { mean, deviation: (squares / reached - mean * mean).max(0.0).sqrt() }
    };
    Some((moments(sums[0]), moments(sums[1])))
}

/// Below this the ends of messages and a heavy tail matter more than the mean of symbols.
const SMALL: f64 = 20.0;

/// Bytes.
pub fn bytes(params: &Params<'_>, at: &Meeting) -> Option<Forecast> {
    let short = params.number("bits")?.min(64.0);
    let (symbols, _) = stream(params, at)?;
    let (ours, theirs) = salts(params);
    let hello = 1.0 + ours + varint(at.n_initiator);
    let introduction = theirs + varint(at.n_responder);
    let claim = 1.0 + varint(at.d_responder) + sorted(at.d_responder, short) + END_CHECK;
    let mean = hello + introduction + symbols.mean + claim + VERDICT;
    let bound = if at.d() < SMALL { 0.15 } else { 0.04 };
    let forecast = Forecast::mean(mean, bound, "1.35 to 1.76 symbols a difference, in whole messages");
    Some(forecast.spread(symbols.deviation / mean))
}

/// Flights: four, and a round trip for each further message where the window is one.
pub fn flights(params: &Params<'_>, at: &Meeting) -> Option<Forecast> {
    if at.window != 1 {
        return None;
    }
    let (_, messages) = stream(params, at)?;
    let bound = if at.d() < SMALL { 0.15 } else { 0.06 };
    let mean = 4.0 + 2.0 * (messages.mean - 1.0);
    let forecast = Forecast::mean(mean, bound, "4, and 2 a message beyond the first");
    Some(forecast.spread(2.0 * messages.deviation / mean))
}

#[cfg(test)]
mod tests {
    use super::super::tests::meeting;
    use super::*;

    #[test]
    fn symbols_are_the_oracles_and_lie_between_them() {
        assert_eq!(symbols(100.0).0, 1.455);
        let (between, _) = symbols(300.0);
        assert!((1.389..1.417).contains(&between), "{between}");
        assert_eq!((symbols(0.5).0, symbols(1e7).0), (1.0, 1.354));
    }

    /// 12.0 B a difference at n = 10^4, d = 1000 were measured with 48 and 16 bits, symbols alone; 1.376 · 8.5 B and the
    /// end of the last message make that.
    #[test]
    fn a_stream_takes_what_was_measured() {
        let params = Params::of("riblt:batch=4,bits=48,check=16");
        let (bytes, _) = stream(&params, &meeting(10_500.0, 1000.0)).unwrap();
        assert!((bytes.mean / 1000.0 - 12.0).abs() < 0.4, "{bytes:?}");
    }

    /// Equal sets of 10,000 took 84 bytes with salts and 70 with a lasting key, as counted.
    #[test]
    fn a_lasting_key_saves_the_salts_but_for_a_mark() {
        let forecast = |spec: &str| bytes(&Params::of(spec), &meeting(10_000.0, 0.0)).unwrap().mean;
        let fresh = forecast("riblt:batch=4,bits=64,check=32");
        assert!((fresh - 84.0).abs() < 1.0, "{fresh}");
        assert_eq!(fresh - forecast("riblt:batch=4,bits=64,check=32,salt=group"), 14.0);
        assert_eq!(fresh - forecast("riblt:batch=4,bits=64,check=32,salt=none"), 16.0);
    }
}
