//! Which made-up group is nearest to a recorded one, and why.

use std::fmt::Write as _;

use serde::Serialize;

use super::Portrait;
use crate::Kind;

/// Gaps this regular are nobody's habit.
const CLOCKWORK: f64 = -0.3;

/// Share of hours without a message above which a group talks in bursts. Measured: 0 in the Ubuntu channel, 0.97 in
/// DuraSpace.
const SILENT_HOURS: f64 = 0.5;

/// Members who are online this much need no model of absence.
const ALWAYS: f64 = 0.95;

/// The made-up group that is nearest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Nearest {
    /// The name of its traffic, as experiments write it.
    pub traffic: &'static str,
    /// Why this one.
    pub because: String,
    /// Lines for a sweep of an experiment that makes such a group up.
    pub toml: String,
    /// Lines for a sweep that lives the busiest day of the recording again.
    pub replay_toml: String,
}

/// None for a trace in which nothing can be measured.
pub(super) fn nearest(portrait: &Portrait) -> Option<Nearest> {
    let (rate, gaps) = (portrait.rate.as_ref()?, portrait.gaps.as_ref()?);
    let silent = rate.silent_hours;
    let percent = (silent * 100.0).round();
    let (traffic, because) = if gaps.burstiness < CLOCKWORK {
        ("even", format!("gaps hardly differ (burstiness {:.2}): a clockwork, not people", gaps.burstiness))
    } else if silent > SILENT_HOURS {
        ("small", format!("{percent}% of all hours are silent: it talks in bursts, like a small group"))
    } else {
        ("busy", format!("{percent}% of all hours are silent: it hardly ever stops, like a busy channel"))
    };
    // Windows of a stitched trace are busy hours, chosen as such: their median is what is known of a day.
    let messages_day = rate.daily.as_ref().map(|daily| daily.messages.mean);
    let messages_day = messages_day.or_else(|| rate.hourly.as_ref().map(|hourly| hourly.p50 * 24.0))?;
    let authorship = portrait.authorship.as_ref()?;
    let regulars = portrait.online.as_ref().and_then(|online| online.regulars_alive.as_ref());
    let in_window = authorship.in_window.map(|[authors, ..]| authors);
    // Whoever ever wrote is not there at once: the first of these that is known.
    let members = regulars.map(|alive| alive.p50).or(in_window).or(authorship.alive).unwrap_or(2.0).max(2.0);
    let mut toml = format!("traffic = [\"{traffic}\"]\n");
    let _ = writeln!(toml, "members = [{members:.0}]");
    let _ = writeln!(toml, "messages_day = [{}]", short(messages_day));
    let online = portrait.online.as_ref().and_then(|online| {
        let (availability, stays) = (online.availability.as_ref()?, online.stays_s.as_ref()?);
        Some((availability.mean, availability.p50, stays.p50))
    });
    let _ = match online {
        // Nobody knows who was online: phones are what is asked for most.
        None => writeln!(toml, "online = [\"phones\"]"),
        Some((mean, ..)) if mean > ALWAYS => writeln!(toml, "online = [\"always\"]"),
        // Some are always there and most hardly ever: the measured mixture says that.
        Some((mean, median, _)) if median < mean / 2.0 => writeln!(toml, "online = [\"phones\"]"),
        Some((mean, _, stay_s)) => {
            let stay_s = stay_s.max(1.0);
            writeln!(toml, "online = [\"alternating:uptime={},stay={stay_s:.0}\"]", short(mean))
        }
    };
    let mut replay_toml = "traffic = [\"trace\"]\nhours = 24\n".to_owned();
    let _ = writeln!(
        replay_toml,
        "online = [\"{}\"]",
        if portrait.online.is_some() { "trace" } else { "phones" }
    );
    if portrait.kind == Kind::Git {
        replay_toml += "causal = true\n";
    }
    Some(Nearest { traffic, because, toml, replay_toml })
}

/// Two digits after the point below ten, none above a hundred.
fn short(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{}", (value * 100.0).round() / 100.0),
        value if value < 100.0 => format!("{}", (value * 10.0).round() / 10.0),
        value => format!("{value:.0}"),
    }
}
