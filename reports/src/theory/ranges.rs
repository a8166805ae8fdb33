//! `range`: fingerprints of time ranges (negentropy v1), on scattered differences.
//!
//! A range of level l holds n/b^l items, and of the b^l of them R_l = b^l·(1 − (1 − b^−l)^d) hold a difference in the mean.
//! Each of these is cut into b again, or listed once it is short; the ends take turns, so the level says who
//! answers. What a bound takes follows from the times between items, one a minute in synthetic sets.

use super::wire::{framed, frames, normal_tail, ranks, varint};
use super::{Forecast, Meeting, Params};

/// Mean distance of items in synthetic sets, in ms.
const GAP_MS: f64 = 60_000.0;
/// Bytes of the time of a message's first bound, which counts from 1970.
const TIME_FIRST: f64 = 6.0;
/// A fingerprint.
const FINGERPRINT: f64 = 16.0;
/// A listed id.
const ID: f64 = 32.0;
/// Length of an id prefix, and every sixteenth time a byte of it; the mode.
const BOUND_REST: f64 = 1.0 + 1.0 / 16.0 + 1.0;
/// Tag is the frame's; the version of the protocol.
const VERSION: f64 = 1.0;

/// Length of a time that is so many items on.
fn time(items: f64) -> f64 {
    let ms = (items * GAP_MS).max(1.0);
    // Around a power of 128 distances fall to either side; exact to a tenth of a byte away from there.
    varint(ms)
}

/// Chance that a range of so many items in the mean has fewer than `list` at the end that answers: the end
/// that cut it did so by its own items, of which the other lacks some, and has some instead.
fn listed(size: f64, list: f64, missing: f64) -> f64 {
    // A twelfth is the variance of a length that is cut to whole items.
    let deviation = (2.0 * missing * size + 1.0 / 12.0).sqrt();
    1.0 - normal_tail((list - 0.5 - size) / deviation)
}

/// Bytes of all messages, on the way down from the whole set.
fn cost(params: &Params<'_>, at: &Meeting) -> Option<f64> {
    let (buckets, list) = (params.number("buckets")?, params.number("list")?);
    if buckets < 2.0 || !at.uniform {
        return None;
    }
    let (n, d) = ((at.n_initiator + at.n_responder) / 2.0, at.d());
    let missing = (d / 2.0 / n).min(1.0);
    let (mut bytes, mut heard) = (0.0, 0.0);
    // Of the ranges of this level that differ, those that no list has settled; and the share before which
    // another one agreed, so that a skip is due.
    let (mut open, mut settled, mut alive) = (1.0, 0.0, 1.0);
    let (mut level, mut size) = (0.0, n);
    // The responder's answer to the initiator's lists goes with its next message.
    let mut owed = 0.0;
    loop {
        let initiator = level % 2.0 == 0.0;
        let gap = libm::pow(buckets, level) / f64::max(open, 1e-9) * size;
        let mut body = VERSION + owed + open * settled * (time(gap) + BOUND_REST);
        if open > 0.0 {
            body += (TIME_FIRST - time(size)).max(0.0) * open.min(1.0);
        }
        let share =
            if size < 1.0 { 1.0 } else { listed(size, list, if level > 0.0 { missing } else { 0.0 }) };
        let lists = open * share * (time(size) + BOUND_REST + 1.0 + size * ID);
        heard += open * share * size;
        body += lists;
        owed = if initiator { lists } else { 0.0 };
        let parts = buckets.min(size.max(1.0));
        let cut = open * (1.0 - share);
        body += cut * parts * (time(size / parts) + BOUND_REST + FINGERPRINT);
        // The last bound is infinity, which is one byte.
        if level == 0.0 {
            body -= time(size / parts) - 1.0;
        }
        bytes += framed(body);
        alive *= 1.0 - share;
        if cut < 1e-3 || d < 0.5 {
            break;
        }
        level += 1.0;
        size /= parts;
        let ranges = libm::pow(buckets, level);
        settled = libm::pow(1.0 - 1.0 / ranges, d);
        open = alive * ranges * (1.0 - settled);
    }
    // Answers to the last lists; or to fingerprints that all agree.
    if owed > 0.0 || d < 0.5 {
        bytes += framed(VERSION + owed);
    }
    Some(bytes + framed(varint(at.d_responder) + ranks(at.d_responder, heard.max(1.0))))
}

/// Bytes.
pub fn bytes(params: &Params<'_>, at: &Meeting) -> Option<Forecast> {
    let bytes = cost(params, at)?;
    // Where ranges about as long as the limit are listed or cut is chance: twice the limit either way.
    let spread = if at.d() > 0.0 { 0.3 / at.d().sqrt() } else { 0.0 };
    Some(Forecast::mean(bytes, 0.12, "Σ b^l·(1 − (1 − b^−l)^d) ranges a level, derived").spread(spread))
}

/// Flights: at most 2 + 2⌈log_b n⌉ − ⌊log_b t⌋ and one for the request, where the window holds each message.
pub fn flights(params: &Params<'_>, at: &Meeting) -> Option<Forecast> {
    let (buckets, list) = (params.number("buckets")?, params.number("list")?);
    let n = at.n_initiator.max(at.n_responder);
    if buckets < 2.0 || n < list {
        return None;
    }
    let log = |value: f64| libm::log(value) / libm::log(buckets);
    let rounds = 2.0 + 2.0 * libm::ceil(log(n) - 1e-9) - libm::floor(log(list) + 1e-9);
    // No message is longer than all ids and the fingerprints above them.
    let longest = n * (ID + 2.0 * FINGERPRINT);
    (frames(longest) <= f64::from(at.window)).then(|| Forecast {
        at_most: true,
        ..Forecast::mean(rounds + 1.0, 0.0, "at most 3 + 2⌈log_b n⌉ − ⌊log_b t⌋")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::meeting;
    use super::*;

    /// negentropy v1, 16 buckets and lists under 32, measured with times in seconds: n = 10^4, d = 0 338 B, 1 1,052, 10
    /// 6,758, 100 40,671. A time in ms takes one or two bytes more, of 20 a range; our request comes on top.
    #[test]
    fn scattered_differences_cost_what_was_measured() {
        let params = Params::of("range:buckets=16,list=32");
        for (m, d, oracle) in [
            (1000.0, 0.0, 324.0),
            (1000.0, 1.0, 952.0),
            (1000.0, 10.0, 5353.0),
            (1e4, 0.0, 338.0),
            (1e4, 1.0, 1052.0),
            (1e4, 10.0, 6758.0),
            (1e4, 100.0, 40_671.0),
            (1e6, 1.0, 2369.0),
            (1e6, 10.0, 18_590.0),
            (1e6, 100.0, 164_906.0),
        ] {
            let got = bytes(&params, &meeting(m, d)).unwrap().mean;
            let ratio = got / oracle;
            assert!((0.9..1.25).contains(&ratio), "n={m} d={d}: {got}, {ratio}");
        }
    }

    #[test]
    fn neighbours_in_time_are_not_forecast() {
        let at = Meeting { uniform: false, ..meeting(1e4, 100.0) };
        assert!(bytes(&Params::of("range:buckets=16,list=32"), &at).is_none());
        assert!(flights(&Params::of("range:buckets=16,list=32"), &at).unwrap().at_most);
    }
}
