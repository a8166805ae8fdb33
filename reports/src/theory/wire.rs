//! Lengths that all families share, in bytes unless a name says bits.

use super::Params;

/// Bytes of a frame beside its header byte, in sessions of two: frames are 64 KiB there.
const FRAME_BODY: f64 = 65_535.0;
/// A salt of one end.
pub const SALT: f64 = 8.0;
/// The sealed set hash by which two ends agree.
pub const END_CHECK: f64 = 8.0;
/// Tag and answer of the message that ends a session.
pub const VERDICT: f64 = 2.0;

/// Length of an unsigned varint of seven bits a byte.
pub fn varint(value: f64) -> f64 {
    let mut len = 1.0;
    let mut rest = value.round() / 128.0;
    while rest >= 1.0 {
        len += 1.0;
        rest /= 128.0;
    }
    len
}

/// A message with a header byte for each of its frames.
pub fn framed(body: f64) -> f64 {
    body + frames(body)
}

/// Frames of a message.
pub fn frames(body: f64) -> f64 {
    (body / FRAME_BODY).ceil().max(1.0)
}

/// Whether a session of so many bytes has no message that the window would cut into round trips.
pub fn one_frame(meeting: &super::Meeting, bytes: f64) -> bool {
    frames(bytes) <= f64::from(meeting.window)
}

/// P(X > x) of a standard normal X.
pub fn normal_tail(x: f64) -> f64 {
    0.5 * libm::erfc(x / std::f64::consts::SQRT_2)
}

/// Mean length of a zigzag varint of a normal deviation: one byte holds −64 to 63, two hold −8192 to 8191.
pub fn deviation_varint(sd: f64) -> f64 {
    if sd <= 0.0 {
        return 1.0;
    }
    let outside = |limit: f64| normal_tail((limit - 0.5) / sd) + normal_tail((limit + 0.5) / sd);
    1.0 + outside(64.0) + outside(8192.0)
}

/// Mean bits of `count` sorted values below `top`, Rice-coded with the parameter for a universe of `universe`.
///
/// Gaps of uniform values exceed x with probability (1 − x/top)^count, which gives the unary part term by
/// term; it comes to count·(log2(top/count) + 1.5) bits, about. R. F. Rice, JPL 79-22, 1979.
fn rice_bits(count: f64, top: f64, universe: f64) -> f64 {
    if count < 0.5 {
        return 0.0;
    }
    let low = libm::floor(libm::log2((universe / count).floor().max(1.0)));
    let step = libm::exp2(low) / top;
    let mut unary = 0.0;
    let mut at = step;
    while at < 1.0 {
        let term = libm::exp(count * libm::log1p(-at));
        unary += term;
        if term < 1e-9 {
            break;
        }
        at += step;
    }
    count * (low + 1.0 + unary)
}

/// Bits to whole bytes, in the mean: the last byte is filled up with three and a half bits.
fn whole_bytes(bits: f64) -> f64 {
    if bits == 0.0 { 0.0 } else { (bits + 3.5) / 8.0 }
}

/// Mean length of `count` sorted ids of `bits` bits.
pub fn sorted(count: f64, bits: f64) -> f64 {
    let universe = libm::exp2(bits);
    whole_bytes(rice_bits(count, universe, universe))
}

/// Mean length of `count` rising ranks among `len` entries.
pub fn ranks(count: f64, len: f64) -> f64 {
    let universe = libm::exp2(libm::ceil(libm::log2(len.max(1.0) + 1.0)));
    whole_bytes(rice_bits(count, (len - count + 1.0).max(1.0), universe))
}

/// Sets up to this size have their counters' lengths summed over the binomial law, larger ones by the normal one.
const BINOMIAL_MAX: f64 = 60.0;

/// Mean length of the 128 Tug-of-War counters of a set: each deviates from n/2 by √n/2.
pub fn tug_of_war(n: f64) -> f64 {
    let low = libm::floor(libm::floor(libm::log2(n.max(1.0))) / 2.0);
    let step = libm::exp2(low);
    let unary = if n <= BINOMIAL_MAX { unary_binomial(n as u32, step) } else { unary_normal(n, step) };
    whole_bytes(128.0 * (low + 1.0 + unary))
}

/// Mean of ⌊zigzag(k − ⌊n/2⌋) / step⌋, k of n coins.
fn unary_binomial(n: u32, step: f64) -> f64 {
    let middle = f64::from(n / 2);
    let mut share = libm::exp2(-f64::from(n));
    let mut mean = 0.0;
    for k in 0..=n {
        let distance = f64::from(k) - middle;
        let zigzag = if distance < 0.0 { -2.0 * distance - 1.0 } else { 2.0 * distance };
        mean += share * libm::floor(zigzag / step);
        share *= f64::from(n - k) / f64::from(k + 1);
    }
    mean
}

fn unary_normal(n: f64, step: f64) -> f64 {
    let sd = n.sqrt() / 2.0;
    // Zigzag doubles the distance; half a step either way is the rounding of counts.
    (1..200).map(|j| 2.0 * normal_tail((f64::from(j) * step / 2.0 - 0.25) / sd)).sum()
}

/// What each end sends of a key: its salt, or a mark of two bytes of a key that lasts, or nothing.
pub fn salts(params: &Params<'_>) -> (f64, f64) {
    match params.get("salt") {
        None | Some("session") => (SALT, SALT),
        Some("none") => (0.0, 0.0),
        Some(_) => (2.0, 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One item: a counter is 0 or 1, written with one bit or three. Where the laws meet they agree.
    #[test]
    fn counters_of_small_sets_are_summed_over_their_law() {
        // 32 bytes, and what rounding up adds on average.
        assert!((tug_of_war(1.0) - 32.0).abs() < 0.5);
        let step = libm::exp2(libm::floor(libm::floor(libm::log2(BINOMIAL_MAX)) / 2.0));
        // With the two whole bits and the stop that go before.
        let (exact, normal) = (3.0 + unary_binomial(60, step), 3.0 + unary_normal(60.0, step));
        assert!((exact / normal - 1.0).abs() < 0.03, "{exact} and {normal}");
    }

    #[test]
    fn varints_and_frames() {
        assert_eq!([0.0, 127.0, 128.0, 16_383.0, 16_384.0].map(varint), [1.0, 1.0, 2.0, 2.0, 3.0]);
        assert_eq!([0.0, 65_535.0, 65_536.0].map(framed), [1.0, 65_536.0, 65_538.0]);
    }

    /// n·(b − log2 n + 1.5) bits, within a twelfth of a bit an id.
    #[test]
    fn sorted_ids_take_what_the_oracle_says() {
        for (n, b) in [(1000.0, 32.0), (10_000.0, 40.0), (100_000.0, 48.0)] {
            let bits = sorted(n, b) * 8.0 / n;
            let oracle = b - libm::log2(n) + 1.5;
            assert!((bits - oracle).abs() < 0.08, "{n}: {bits} and {oracle}");
        }
        assert_eq!(sorted(0.0, 48.0), 0.0);
        // A single id takes its bits and the end of an empty unary part.
        assert_eq!(sorted(1.0, 48.0), (49.0 + 3.5) / 8.0);
    }

    /// 125 B at 10^4 items; 1 byte a count up to some 250 ids a cell.
    #[test]
    fn counters_and_counts() {
        assert!((tug_of_war(10_000.0) - 125.0).abs() < 2.5, "{}", tug_of_war(10_000.0));
        assert!(deviation_varint(250f64.sqrt()) < 1.001);
        assert!((deviation_varint(1000.0) - 2.0).abs() < 0.06);
    }
}
