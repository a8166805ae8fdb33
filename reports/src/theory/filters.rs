//! `bloom` and `fuse`: a filter each way, and how often a first pass hides something.

use super::wire::{END_CHECK, SALT, VERDICT, framed, frames, varint};
use super::{Forecast, Meeting, Params};

/// False positives of the filter that a spec names.
pub fn rate(params: &Params<'_>) -> Option<f64> {
    match params.family {
        "bloom" => params.number("fpr").filter(|rate| *rate > 0.0 && *rate < 1.0),
        "fuse" => Some(libm::exp2(-params.number("bits")?)),
        _ => None,
    }
}

/// Chance that a first pass of filters both ways hides at least one of d differences: 1 − (1 − ε)^d. None where
/// the spec is no filter, or looks one way only.
pub fn first_pass_failure(spec: &str, d: f64) -> Option<f64> {
    let params = Params::of(spec);
    (params.get("ways")? == "both").then_some(())?;
    Some(-libm::expm1(d * libm::log1p(-rate(&params)?)))
}

/// Bytes of a Bloom filter of `n` items: −k/ln(1 − ε^(1/k)) bits an item at the k that makes it smallest,
/// which is log2(1/ε)/ln 2 but for k being whole.
fn bloom_len(rate: f64, n: f64) -> f64 {
    let bits = (1..40)
        .map(|probes| -f64::from(probes) / libm::log1p(-libm::pow(rate, 1.0 / f64::from(probes))))
        .fold(f64::INFINITY, f64::min);
    libm::ceil(n * bits / 8.0)
}

/// Bytes of a binary fuse filter with three cells an item, its descriptor of 4 included: segments are powers of two, and
/// their number and the share of spare cells follow from n (Graf and Lemire 2022, section 4).
fn fuse_len(bits: f64, n: f64) -> f64 {
    if n < 0.5 {
        return 0.0;
    }
    let log = if n < 1.5 { 2.0 } else { libm::floor(libm::log(n) / libm::log(3.33) + 2.25).min(18.0) };
    let segment = libm::exp2(log);
    let spare = if n < 1.5 { 0.0 } else { (0.875 + 0.25 * libm::log(1e6) / libm::log(n)).max(1.125) };
    let segments = (libm::ceil(libm::round(n * spare) / segment) - 2.0).max(1.0) + 2.0;
    segments * segment * bits / 8.0 + 2.0 + varint(segments)
}

/// The conversation of both.
fn conversation(
    params: &Params<'_>,
    at: &Meeting,
    len: impl Fn(f64) -> f64,
    source: &'static str,
) -> Option<Forecast> {
    let rate = rate(params)?;
    let first = framed(SALT + varint(at.n_initiator) + len(at.n_initiator));
    if params.get("ways")? == "one" {
        return Some(Forecast::mean(first, 0.002, source));
    }
    let checks = params.get("tail")? != "none";
    // The responder's filter is of what the initiator's did not deny. Sessions whose end check agrees at once
    // had no false positive; without an end check nobody knows.
    let affirmed = if checks { 0.0 } else { rate * at.d_responder };
    let rest = at.n_initiator - at.d_initiator + affirmed;
    // With an end check it is left out where the rest is as large as the initiator's set.
    let filter = if checks && at.d_initiator < 0.5 { 0.0 } else { len(rest) };
    let second = framed(SALT + varint(rest) + filter + if checks { END_CHECK } else { 0.0 });
    let verdict = if checks { VERDICT } else { 0.0 };
    Some(Forecast::mean(first + second + verdict, 0.002, source).spread(affirmed.sqrt() / at.n_initiator))
}

/// Bytes of `bloom`.
pub fn bloom_bytes(params: &Params<'_>, at: &Meeting) -> Option<Forecast> {
    // Blocks are sized by a table of what keeps the rate: no closed form.
    if params.get("blocks").is_some_and(|blocks| blocks != "none") {
        return None;
    }
    let rate = rate(params)?;
    conversation(params, at, |n| bloom_len(rate, n), "n·log2(1/ε)/(8·ln 2) each way")
}

/// Bytes of `fuse`.
pub fn fuse_bytes(params: &Params<'_>, at: &Meeting) -> Option<Forecast> {
    let bits = params.number("bits")?;
    // Segments come in powers of two: one item more may add a whole one.
    conversation(params, at, |n| fuse_len(bits, n), "1.125 cells an item and spare, each way")
        .map(|forecast| Forecast { bound: 0.02, ..forecast })
}

/// Flights, where the window holds each filter.
pub fn flights(params: &Params<'_>, at: &Meeting) -> Option<Forecast> {
    let bytes = if params.family == "bloom" { bloom_bytes(params, at)? } else { fuse_bytes(params, at)? };
    let flights = match (params.get("ways")?, params.get("tail")?) {
        ("one", _) => 1.0,
        (_, "none") => 2.0,
        _ => 3.0,
    };
    (frames(bytes.mean) <= f64::from(at.window))
        .then(|| Forecast::mean(flights, 0.0, "filter, filter, verdict"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::meeting;
    use super::*;

    /// Bits an item and rates: 8/6 2.16%, 10/7 0.819%, 12/8 0.314%, 16/11 0.046%; fuse about 9 bits at 10^6.
    #[test]
    fn filters_have_the_lengths_of_the_oracles() {
        for (bits, rate) in [(8.0, 0.0216), (10.0, 0.00819), (12.0, 0.00314), (16.0, 0.00046)] {
            let got = bloom_len(rate, 1e6) * 8.0 / 1e6;
            assert!((got / bits - 1.0).abs() < 0.005, "{rate}: {got}");
        }
        assert!((fuse_len(8.0, 1e6) * 8.0 / 1e6 - 9.05).abs() < 0.1);
        assert!((fuse_len(8.0, 1e4) * 8.0 / 1e4 - 10.24).abs() < 0.2, "{}", fuse_len(8.0, 1e4));
    }

    #[test]
    fn a_second_filter_that_says_nothing_is_left_out() {
        let params = Params::of("bloom:fpr=0.01,ways=both,tail=riblt");
        let equal = bloom_bytes(&params, &meeting(1000.0, 0.0)).unwrap().mean;
        let differ = bloom_bytes(&params, &meeting(1000.0, 10.0)).unwrap().mean;
        assert_eq!(equal, 1.0 + 8.0 + 2.0 + 1200.0 + 1.0 + 8.0 + 2.0 + 8.0 + 2.0);
        assert!(differ > 2.0 * 1190.0);
    }

    #[test]
    fn what_a_first_pass_hides() {
        let chance = |spec, d| first_pass_failure(spec, d);
        assert!((chance("bloom:fpr=0.01,ways=both,tail=riblt", 100.0).unwrap() - 0.634).abs() < 1e-3);
        assert!((chance("fuse:bits=8,ways=both,tail=none", 1.0).unwrap() - 1.0 / 256.0).abs() < 1e-9);
        assert_eq!(chance("bloom:fpr=0.01,ways=one,tail=none", 1.0), None);
        assert_eq!(chance("offers:bits=auto,id=256", 1.0), None);
    }
}
