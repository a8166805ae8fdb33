//! Where a group trial stands: everything about it but the contender.

use std::ops::Deref;

use crate::format;
use crate::record::{GroupAxis, GroupRow};

/// The conditions of a point: those of its first replicate, where replicates differ.
#[derive(Clone, Copy, Debug)]
pub struct GroupPlace<'a>(pub &'a GroupRow);

impl Deref for GroupPlace<'_> {
    type Target = GroupRow;

    fn deref(&self) -> &GroupRow {
        self.0
    }
}

/// A condition by which charts are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dim {
    /// Members.
    N,
    /// Relays.
    Relays,
    /// Rule of sharing with its parameter.
    Sharing,
    /// The rule alone. All with all, and log2 N of them, are where `random` leads to.
    Policy,
    /// Messages held at the beginning.
    History,
    /// Messages written.
    Written,
    /// Who writes.
    Workload,
    /// Who is online.
    Presence,
    /// For how much of the time.
    Uptime,
    /// Time away.
    Away,
    /// Offering or pushing.
    Mode,
    /// Acknowledgements.
    Acks,
    /// Links.
    Link,
}

impl GroupPlace<'_> {
    /// Its value under a condition, for people.
    pub fn text(&self, dim: Dim) -> String {
        match dim {
            Dim::N => format!("N = {}", format::count(u64::from(self.n))),
            Dim::Relays => match self.relays {
                0 => String::new(),
                relays => format::counted(u64::from(relays), "relay", "relays"),
            },
            // `random:k=3` names its K itself.
            Dim::Sharing if self.sharing.contains("k=") => self.sharing.clone(),
            Dim::Sharing => format!("{} (K = {})", self.sharing, format::count(u64::from(self.k))),
            Dim::Policy => match self.sharing.split_once(':').map_or(self.sharing.as_str(), |(rule, _)| rule)
            {
                "all" | "log2" => "random".to_owned(),
                rule => rule.to_owned(),
            },
            Dim::History => match self.history {
                0 => "no history".to_owned(),
                held => format!("history {}", format::count(held)),
            },
            Dim::Written => match self.written {
                0 => "nothing written".to_owned(),
                written => format!("{} written", format::count(written)),
            },
            Dim::Workload => self.workload.clone(),
            Dim::Presence => self.presence.clone(),
            Dim::Uptime => format!("online {}", format::percent(self.uptime())),
            Dim::Away => self.away_ms.map_or_else(String::new, |ms| format!("away {}", format::span_ms(ms))),
            Dim::Mode => self.mode.clone(),
            Dim::Acks => format!("acks {}", self.acks),
            Dim::Link => format!("link {}", self.link),
        }
    }

    /// Its value under a condition, for telling charts apart: K follows from rule and members.
    pub fn mark(&self, dim: Dim) -> String {
        if dim == Dim::Sharing { self.sharing.clone() } else { self.text(dim) }
    }

    /// Share of the time that members were online.
    pub fn uptime(&self) -> f64 {
        f64::from(self.uptime_ppm) / 1e6
    }

    /// Its sizes, for heads of columns.
    pub fn brief(&self) -> String {
        format!("{}, {}, M = {}", self.text(Dim::N), self.text(Dim::Sharing), format::count(self.m))
    }

    /// All of it in words, for captions.
    pub fn words(&self) -> String {
        shared(&[self])
    }
}

/// What places have in common, in words. `k` may differ where the rule says so itself.
pub fn shared(places: &[&GroupPlace<'_>]) -> String {
    let all = [
        Dim::N,
        Dim::Relays,
        Dim::Sharing,
        Dim::History,
        Dim::Written,
        Dim::Workload,
        Dim::Presence,
        Dim::Uptime,
        Dim::Away,
        Dim::Mode,
        Dim::Acks,
        Dim::Link,
    ];
    let Some(first) = places.first() else { return String::new() };
    let mut words = Vec::new();
    for dim in all {
        let text = first.text(dim);
        let same = places.iter().all(|place| place.text(dim) == text);
        let rule = dim == Dim::Sharing && places.iter().all(|place| place.sharing == first.sharing);
        match (same, rule) {
            (true, _) if !text.is_empty() => words.push(text),
            (false, true) => words.push(first.sharing.clone()),
            _ => {}
        }
    }
    if places.iter().all(|place| place.duration_ms == first.duration_ms) {
        words.push(format::span_ms(first.duration_ms));
    }
    words.join(", ")
}

/// Position along an axis: a number, or the rank of a name among those seen so far; and its label.
pub fn position(axis: GroupAxis, place: &GroupPlace<'_>, names: &mut Vec<String>) -> (f64, String) {
    let mut named = |name: String| {
        let rank = names.iter().position(|one| *one == name).unwrap_or_else(|| {
            names.push(name.clone());
            names.len() - 1
        });
        (rank as f64, name)
    };
    match axis {
        GroupAxis::N => (f64::from(place.n), format::count(u64::from(place.n))),
        GroupAxis::K => (f64::from(place.k), format::count(u64::from(place.k))),
        GroupAxis::M => (place.m as f64, format::count(place.m)),
        GroupAxis::History => (place.history as f64, format::count(place.history)),
        GroupAxis::Uptime => (place.uptime(), format::percent(place.uptime())),
        GroupAxis::Away => {
            let away = place.away_ms.unwrap_or_default();
            (away as f64, format::span_ms(away))
        }
        GroupAxis::Sharing => named(place.sharing.clone()),
        GroupAxis::Mode => named(place.mode.clone()),
        GroupAxis::Acks => named(place.acks.clone()),
        GroupAxis::Link => named(place.link.clone()),
        GroupAxis::Life => named(format!("{}, {}", place.workload, place.presence)),
    }
}

/// Conditions that always part charts along an axis, and those that do where points would else coincide.
pub fn dims(axis: GroupAxis) -> (Vec<Dim>, Vec<Dim>) {
    let mut apart = vec![
        Dim::N,
        Dim::Relays,
        Dim::Sharing,
        Dim::Workload,
        Dim::Presence,
        Dim::Away,
        Dim::Mode,
        Dim::Acks,
        Dim::Link,
    ];
    let mut maybe = vec![Dim::History, Dim::Written, Dim::Uptime];
    let free: &[Dim] = match axis {
        GroupAxis::N => &[Dim::N],
        GroupAxis::K => {
            apart.push(Dim::Policy);
            maybe.push(Dim::Sharing);
            &[Dim::Sharing]
        }
        GroupAxis::M => &[],
        GroupAxis::History => &[Dim::History],
        GroupAxis::Uptime => {
            maybe.push(Dim::Presence);
            &[Dim::Presence, Dim::Uptime]
        }
        GroupAxis::Away => &[Dim::Away],
        GroupAxis::Sharing => &[Dim::Sharing],
        GroupAxis::Mode => &[Dim::Mode],
        GroupAxis::Acks => &[Dim::Acks],
        GroupAxis::Link => &[Dim::Link],
        GroupAxis::Life => &[Dim::Workload, Dim::Presence],
    };
    apart.retain(|dim| !free.contains(dim));
    maybe.retain(|dim| {
        !free.contains(dim)
            || matches!((axis, dim), (GroupAxis::K, Dim::Sharing) | (GroupAxis::Uptime, Dim::Presence))
    });
    (apart, maybe)
}
