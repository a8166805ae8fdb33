//! Closed forms: what theory says a session costs, to be held against what was measured.
//!
//! Each family's bytes follow from its wire format and from what its source says about sizes: nothing here is
//! fitted to records. A [`Forecast`] comes with the bound within which it should hold and the source; beyond the
//! bound, theory, bound or implementation is wrong, and the page says so ([`compare`]).
//!
//! Strategies are strings to this crate. A spec that no family claims has no forecast, nor has one whose
//! parameters it does not know; so records outlive strategies.
//!
//! | module | families |
//! | --- | --- |
//! | `wire` | what all share: varints, frames, sorted ids, counters, counts |
//! | `lists` | `offers` |
//! | `filters` | `bloom`, `fuse` |
//! | `sketches` | `iblt`, `pinsketch`, and how often a table fails |
//! | `stream` | `riblt` |
//! | `ranges` | `range` |
//! | `compare` | forecasts beside measurements, and the verdict |

pub mod compare;
pub mod filters;
mod lists;
mod ranges;
pub mod sketches;
mod stream;
mod wire;

/// A spec taken apart: `iblt:bits=48,size=tow`.
#[derive(Clone, Copy, Debug)]
pub struct Params<'s> {
    /// What stands before the colon.
    pub family: &'s str,
    rest: &'s str,
}

impl<'s> Params<'s> {
    /// Takes a spec apart.
    pub fn of(spec: &'s str) -> Self {
        let (family, rest) = spec.split_once(':').unwrap_or((spec, ""));
        Self { family, rest }
    }

    /// A parameter.
    pub fn get(&self, key: &str) -> Option<&'s str> {
        self.rest
            .split(',')
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| *name == key)
            .map(|at| at.1)
    }

    /// A parameter that is a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.get(key)?.parse().ok()
    }

    /// Everything but one parameter: what two specs share that differ in that one only.
    pub fn without(&self, key: &str) -> Vec<&'s str> {
        let other = |part: &&str| part.split_once('=').is_none_or(|(name, _)| name != key);
        self.rest.split(',').filter(other).collect()
    }
}

/// What a forecast is made from: the sets that meet, and what the records say the strategy decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meeting {
    /// Items that the initiator holds.
    pub n_initiator: f64,
    /// Items that the responder holds.
    pub n_responder: f64,
    /// Items that only the initiator holds.
    pub d_initiator: f64,
    /// Items that only the responder holds.
    pub d_responder: f64,
    /// Frames that an end may send without hearing from the other.
    pub window: u32,
    /// Whether differences lie anywhere with equal chance, in a history with a message a minute.
    pub uniform: bool,
    /// What contenders that are told d are told: d, or a wrong guess of it.
    pub hint: f64,
    /// Mean cells or syndromes of the first sketch, where rows say it.
    pub capacity: Option<f64>,
}

impl Meeting {
    /// Items in the difference.
    pub fn d(&self) -> f64 {
        self.d_initiator + self.d_responder
    }

    /// Whether an end is empty: all strategies then say so in a few bytes, which is nobody's theory.
    fn one_empty(&self) -> bool {
        self.n_initiator < 0.5 || self.n_responder < 0.5
    }
}

/// What theory says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// The mean of sessions that succeed at the first try.
    pub mean: f64,
    /// Relative deviation of a single session, where theory knows it.
    pub spread: f64,
    /// How far the mean of many sessions may be off, as a share.
    pub bound: f64,
    /// Whether it is an upper limit instead of a mean.
    pub at_most: bool,
    /// Formula and source, for a table.
    pub source: &'static str,
}

impl Forecast {
    fn mean(mean: f64, bound: f64, source: &'static str) -> Self {
        Self { mean, spread: 0.0, bound, at_most: false, source }
    }

    fn spread(self, spread: f64) -> Self {
        Self { spread, ..self }
    }
}

/// Bytes both ways of a session that succeeds at the first try, overshoot aside.
pub fn bytes(spec: &str, meeting: &Meeting) -> Option<Forecast> {
    if meeting.one_empty() {
        return None;
    }
    let params = Params::of(spec);
    match params.family {
        "offers" => lists::bytes(&params, meeting),
        "bloom" => filters::bloom_bytes(&params, meeting),
        "fuse" => filters::fuse_bytes(&params, meeting),
        "iblt" => sketches::iblt_bytes(&params, meeting),
        "pinsketch" => sketches::pinsketch_bytes(&params, meeting),
        "riblt" => stream::bytes(&params, meeting),
        "range" => ranges::bytes(&params, meeting),
        _ => None,
    }
}

/// Flights of a session that succeeds at the first try.
pub fn flights(spec: &str, meeting: &Meeting) -> Option<Forecast> {
    if meeting.one_empty() {
        return None;
    }
    let params = Params::of(spec);
    // A message of several frames takes a round trip a frame where the window is one; lists and filters of
    // large sets do, and then only a wide window shows the bare conversation.
    let exact = |flights: f64, source| Some(Forecast::mean(flights, 0.0, source));
    match params.family {
        "offers" => lists::flights(&params, meeting),
        "bloom" | "fuse" => filters::flights(&params, meeting),
        "iblt" if wire::one_frame(meeting, sketches::iblt_bytes(&params, meeting)?.mean) => {
            exact(4.0, "hello, table, claim, verdict")
        }
        "pinsketch" if wire::one_frame(meeting, sketches::pinsketch_bytes(&params, meeting)?.mean) => {
            let empty = sketches::pinsketch_capacity(&params, meeting)? == 0.0;
            exact(if empty { 3.0 } else { 4.0 }, "hello, sketch, claim, verdict; 3 with an empty sketch")
        }
        "riblt" => stream::flights(&params, meeting),
        "range" => ranges::flights(&params, meeting),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A meeting of two sets of a union of `m`, whose difference lies half at either end.
    pub fn meeting(m: f64, d: f64) -> Meeting {
        let half = (d / 2.0).floor();
        Meeting {
            n_initiator: m - half,
            n_responder: m - (d - half),
            d_initiator: d - half,
            d_responder: half,
            window: 64,
            uniform: true,
            hint: d,
            capacity: None,
        }
    }

    #[test]
    fn specs_come_apart() {
        let params = Params::of("iblt:bits=48,size=tow");
        assert_eq!(
            (params.family, params.number("bits"), params.get("size")),
            ("iblt", Some(48.0), Some("tow"))
        );
        assert_eq!(params.without("size"), ["bits=48"]);
        assert_eq!(Params::of("offers").get("bits"), None);
    }

    #[test]
    fn what_is_unknown_has_no_forecast() {
        for spec in ["", "cpi:bits=64", "offers:id=short,bits=lots", "bloom:fpr=2", "range", "riblt:bits=48"]
        {
            assert_eq!(bytes(spec, &meeting(1000.0, 10.0)), None, "{spec}");
        }
        let empty = Meeting { n_responder: 0.0, ..meeting(1000.0, 10.0) };
        assert_eq!(bytes("offers:bits=auto,id=256", &empty), None);
    }
}
