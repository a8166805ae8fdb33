//! `offers`: lists of all ids, as MVDS has them or in their best form.

use super::wire::{END_CHECK, SALT, VERDICT, framed, frames, ranks, sorted, varint};
use super::{Forecast, Meeting, Params};

/// OFFER, REQUEST and ACK entries of MVDS: key of a field above 2047, length, 32 bytes.
const ENTRY: f64 = 3.0 + 1.0 + 32.0;

/// The list, and who sends it.
struct Short {
    bits: f64,
    /// Of two sets whose sizes differ by more than an eighth, the smaller is listed.
    initiator_lists: bool,
    listed: f64,
    needed: f64,
}

fn short(params: &Params<'_>, at: &Meeting) -> Option<Short> {
    let bits = match params.get("bits")? {
        // As many bits as the product of both sizes has.
        "auto" => (libm::floor(libm::log2(at.n_initiator * at.n_responder)) + 1.0).clamp(16.0, 64.0),
        bits => bits.parse().ok().filter(|bits| (1.0..=64.0).contains(bits))?,
    };
    let initiator_lists = at.n_initiator <= at.n_responder - libm::floor(at.n_responder / 8.0);
    let (listed, needed) =
        if initiator_lists { (at.n_initiator, at.d_initiator) } else { (at.n_responder, at.d_responder) };
    Some(Short { bits, initiator_lists, listed, needed })
}

/// Bytes.
pub fn bytes(params: &Params<'_>, at: &Meeting) -> Option<Forecast> {
    if params.get("id")? == "256" {
        let bytes = framed(ENTRY * at.n_initiator) + framed(ENTRY * at.d_initiator);
        return Some(Forecast::mean(bytes, 0.0, "36·(n_A + |A∖B|), MVDS"));
    }
    let Short { bits, initiator_lists, listed, needed } = short(params, at)?;
    let hello = 1.0 + SALT + varint(at.n_initiator);
    let invitation = if initiator_lists { 1.0 + SALT + varint(at.n_responder) } else { 0.0 };
    let salt = if initiator_lists { 0.0 } else { SALT };
    let list = framed(salt + varint(listed) + sorted(listed, bits));
    let answer = framed(varint(needed) + ranks(needed, listed) + END_CHECK);
    let bytes = hello + invitation + list + answer + VERDICT;
    Some(
        Forecast::mean(bytes, 0.005, "n·(b − log2 n + 1.5) bits; ranks of the needed")
            .spread(0.5 / listed.sqrt() / bits),
    )
}

/// Flights, where the window holds the list.
pub fn flights(params: &Params<'_>, at: &Meeting) -> Option<Forecast> {
    let (flights, list) = if params.get("id")? == "256" {
        (2.0, ENTRY * at.n_initiator)
    } else {
        let short = short(params, at)?;
        (if short.initiator_lists { 5.0 } else { 4.0 }, sorted(short.listed, short.bits) + 11.0)
    };
    (frames(list) <= f64::from(at.window))
        .then(|| Forecast::mean(flights, 0.0, "hello, list, ranks, verdict; MVDS: list, requests"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::meeting;
    use super::*;

    #[test]
    fn entries_of_mvds_take_36_bytes() {
        let params = Params::of("offers:bits=auto,id=256");
        let forecast = bytes(&params, &meeting(101.0, 2.0)).unwrap();
        assert_eq!(forecast.mean, 36.0 * 101.0 + 2.0);
    }

    #[test]
    fn the_smaller_set_is_listed() {
        let params = Params::of("offers:bits=32,id=short");
        let at = Meeting { n_initiator: 100.0, n_responder: 1000.0, ..meeting(1000.0, 0.0) };
        assert_eq!(flights(&params, &at).unwrap().mean, 5.0);
        assert!(bytes(&params, &at).unwrap().mean < 420.0);
    }
}
