//! One group trial: a life under one OFFER path, counted while it is lived, and judged.

use std::panic::{AssertUnwindSafe, catch_unwind};

use offerbench_reports::record::{Bytes, CpuRow, GroupOutcome, GroupRow, Hist, Kinds, Spread};
use offerbench_sync::sim::{Checker, Totals, World, WorldConfig};
use offerbench_sync::{Kind, MsgNo, PeerId, Span, Stats, Time};

use super::meter::{Meter, spread};
use super::path::Path;
use super::scenario::Scenario;
use super::sweep::Point;
use crate::meter::{heap_peak, thread_cpu_ns};
use crate::trial::bytes;

/// Virtual time between two looks at whether to end early.
const SLICE: Span = Span::from_s(60);

/// Which trial it is.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Name of the sweep.
    pub sweep: &'a str,
    /// Number of the point.
    pub point: u32,
    /// Number of the repetition.
    pub replicate: u32,
}

/// What a world left behind.
struct Lived {
    meter: Meter,
    stats: Stats,
    state_bytes: Spread,
    totals: Totals,
    owed: u64,
    reached_all: u64,
    wrong: Option<String>,
}

/// Lives it. `None` when `halt` said so.
pub fn run(
    place: Place<'_>,
    point: &Point,
    scenario: &Scenario,
    path: &Path,
    halt: &dyn Fn() -> bool,
) -> Option<(GroupRow, CpuRow)> {
    // A panic is a bug of ours, and must not take the other rows with it.
    let measured = catch_unwind(AssertUnwindSafe(|| {
        // What it is made of, and what could be at best, is not what it costs.
        let config = scenario.world(&path.offer);
        let possible_ppm = scenario.possible_ppm();
        let start = thread_cpu_ns();
        let (lived, heap_peak_bytes) = heap_peak(|| live(config, scenario, halt));
        (lived, possible_ppm, heap_peak_bytes, thread_cpu_ns() - start)
    }));
    let mut row = blank_row(place, point, scenario, path);
    let mut cpu = CpuRow {
        sweep: place.sweep.to_owned(),
        point: place.point,
        replicate: place.replicate,
        spec: path.about.spec.clone(),
        cpu_ns: 0,
    };
    match measured {
        Ok((lived, possible_ppm, heap_peak_bytes, cpu_ns)) => {
            row.possible_ppm = possible_ppm;
            row.heap_peak_bytes = heap_peak_bytes;
            cpu.cpu_ns = cpu_ns;
            fill(&mut row, scenario, lived?);
        }
        Err(_) => {
            row.outcome = GroupOutcome::Wrong;
            row.reason = Some("it panicked".to_owned());
        }
    }
    Some((row, cpu))
}

fn live(config: WorldConfig, scenario: &Scenario, halt: &dyn Fn() -> bool) -> Option<Lived> {
    let peers = config.nodes.iter().map(|node| node.shares[0].1.clone());
    let meter = Meter::new(peers, scenario.history as u32, scenario.returning());
    let watch = (meter, Checker::new(&config));
    let mut world = World::observed(config, watch).expect("a scenario names only what is there");
    let end = scenario.end();
    let mut until = Time::ZERO;
    while until < end {
        if halt() {
            return None;
        }
        until = (until + SLICE).min(end);
        world.run_until(until);
    }
    let mut stats = Stats::default();
    let mut state = Vec::new();
    for node in (0..world.node_count() as u32).map_while(|no| world.node(PeerId(no))) {
        stats.merge(node.stats());
        state.push((node.state_bytes() + node.index_bytes()) as u64);
    }
    let reached = |no: &u32| world.life(MsgNo(*no)).is_some_and(|life| life.delivered_to == life.owed_to);
    let reached_all = (0..world.library().len() as u32).filter(reached).count() as u64;
    let totals = *world.totals();
    let owed = world.owed();
    let (mut meter, checker) = world.into_observer();
    meter.end();
    Some(Lived {
        wrong: wrong(&checker, &stats, &totals),
        meter,
        stats,
        state_bytes: spread(state),
        totals,
        owed,
        reached_all,
    })
}

/// What must never happen, if it did.
fn wrong(checker: &Checker, stats: &Stats, totals: &Totals) -> Option<String> {
    if let Err((at, violation)) = checker.verdict() {
        return Some(format!("at {at}: {violation}"));
    }
    let sent = stats.sent_bytes();
    if sent != totals.payload_bytes {
        return Some(format!("{} bytes were sent, and {sent} are accounted for", totals.payload_bytes));
    }
    let (by_purpose, frames) = (stats.frame_spent.total(), stats.frames_first.bytes);
    if by_purpose != frames {
        return Some(format!("frames have {frames} bytes, and {by_purpose} are accounted for by purpose"));
    }
    if totals.appends_refused > 0 {
        return Some(format!(
            "{} messages were to be written, and nodes refused them",
            totals.appends_refused
        ));
    }
    let uncounted = stats.sent(Kind::NoSync).bytes + stats.sent(Kind::Control).bytes;
    (uncounted > 0).then(|| format!("{uncounted} bytes of kinds that a row does not have"))
}

fn fill(row: &mut GroupRow, scenario: &Scenario, lived: Lived) {
    let Lived { meter, stats, state_bytes, totals, owed, reached_all, wrong } = lived;
    row.outcome = match (&wrong, owed) {
        (Some(_), _) => GroupOutcome::Wrong,
        (None, 0) => GroupOutcome::Complete,
        (None, _) => GroupOutcome::Partial,
    };
    row.reason = wrong;
    row.written = totals.appended;
    row.m = row.history + row.written;
    row.delivered = totals.delivered;
    row.needed = totals.delivered + owed;
    row.reached_all = reached_all;
    row.redundant = stats.redundant;
    row.redundant_bytes = stats.redundant_bytes;
    row.resends = stats.resends;
    row.sent_bytes = kinds(|kind| stats.sent(kind).bytes);
    row.sent_count = kinds(|kind| stats.sent(kind).count);
    row.frames = bytes(&stats.frame_spent, 0);
    row.payloads = totals.payloads;
    row.lost = totals.lost.iter().sum();
    row.wire_bytes = totals.wire_bytes;
    let members = scenario.life.members as usize;
    row.member_bytes = meter.bytes(0..members);
    row.relay_bytes = meter.bytes(members..scenario.nodes());
    row.sessions_opened = stats.sessions_opened;
    row.sessions_done = meter.sessions_done;
    row.sessions_failed = meter.sessions_failed;
    row.flights = meter.flights;
    row.flights_max = meter.flights_max;
    row.delivery_ms = meter.delivery_ms;
    row.missed = meter.missed;
    row.catch_up_ms = meter.catch_up_ms;
    row.catch_ups_cut = meter.catch_ups_cut;
    row.state_bytes = state_bytes;
}

fn kinds(of: impl Fn(Kind) -> u64) -> Kinds {
    Kinds {
        header: of(Kind::Header),
        ack: of(Kind::Ack),
        offer: of(Kind::Offer),
        request: of(Kind::Request),
        message: of(Kind::Message),
        body: of(Kind::Body),
        frame: of(Kind::Frame),
        channel: of(Kind::Channel),
    }
}

fn blank_row(place: Place<'_>, point: &Point, scenario: &Scenario, path: &Path) -> GroupRow {
    let life = &scenario.life;
    let online_ms: u64 = life.stays.iter().flatten().map(|stay| stay.off_ms - stay.on_ms).sum();
    let member_ms = u128::from(life.end_ms.max(1)) * u128::from(life.members.max(1));
    GroupRow {
        sweep: place.sweep.to_owned(),
        point: place.point,
        replicate: place.replicate,
        seed: scenario.seed.value(),
        spec: path.about.spec.clone(),
        workload: scenario.workload.clone(),
        presence: scenario.presence.clone(),
        sharing: point.sharing.to_string(),
        mode: point.mode.as_str().to_owned(),
        acks: point.acks.to_string(),
        link: point.link.text.clone(),
        n: life.members,
        relays: point.relays,
        k: scenario.k(),
        links: scenario.links.pairs().count() as u64,
        connected: scenario.links.is_connected(),
        one_way_reach_ppm: scenario.one_way_reach_ppm,
        history: scenario.history,
        written: 0,
        m: scenario.history,
        duration_ms: life.end_ms,
        uptime_ppm: (u128::from(online_ms) * 1_000_000 / member_ms) as u32,
        away_ms: point.away_ms,
        outcome: GroupOutcome::Partial,
        reason: None,
        needed: 0,
        lacked: scenario.lacking * u64::from(point.returning),
        possible_ppm: 0,
        delivered: 0,
        reached_all: 0,
        redundant: 0,
        redundant_bytes: 0,
        resends: 0,
        sent_bytes: Kinds::default(),
        sent_count: Kinds::default(),
        frames: Bytes::default(),
        payloads: 0,
        lost: 0,
        wire_bytes: 0,
        member_bytes: Spread::default(),
        relay_bytes: Spread::default(),
        sessions_opened: 0,
        sessions_done: 0,
        sessions_failed: 0,
        flights: 0,
        flights_max: 0,
        delivery_ms: Hist::default(),
        missed: Hist::default(),
        catch_up_ms: Hist::default(),
        catch_ups_cut: 0,
        heap_peak_bytes: 0,
        state_bytes: Spread::default(),
    }
}

#[cfg(test)]
mod tests {
    use offerbench_algos::Seed;
    use offerbench_datasets::life::{Stay, Write};

    use super::*;
    use crate::group::path;

    const HOUR_MS: u64 = 3_600_000;

    /// Two who are never online together, first 0 and then 1, and perhaps a relay; each writes a message.
    fn apart(relays: u32, spec: &str) -> GroupRow {
        let point = Point {
            relays,
            sharing: if relays > 0 { "relays:k=1" } else { "all" }.parse().unwrap(),
            link: "ideal".parse().unwrap(),
            duration_ms: 4 * HOUR_MS,
            ..Point::phones(2)
        };
        let mut scenario = Scenario::new(&point, None, Seed::new(1), 0).unwrap();
        let stay = |on, off| vec![Stay { on_ms: on * HOUR_MS, off_ms: off * HOUR_MS }];
        scenario.life.stays = vec![stay(0, 1), stay(2, 3)];
        let write = |at_ms, author| Write { at_ms, author, size: 80, skew_ms: 0, parents: Vec::new() };
        scenario.life.writes = vec![write(HOUR_MS / 2, 0), write(5 * HOUR_MS / 2, 1)];
        let paths = path::resolve(&[spec.to_owned()]).unwrap();
        let place = Place { sweep: "s", point: 0, replicate: 0 };
        run(place, &point, &scenario, &paths[0], &|| false).unwrap().0
    }

    #[test]
    fn without_a_relay_who_never_meet_cannot_deliver() {
        let row = apart(0, "interactive");
        assert_eq!((row.outcome, row.written, row.needed, row.delivered), (GroupOutcome::Partial, 2, 2, 0));
        assert_eq!((row.possible_ppm, row.uptime_ppm, row.reached_all), (0, 250_000, 0));
        assert_eq!((row.n, row.k, row.links, row.connected), (2, 1, 1, true));
        assert!(row.delivery_ms.is_empty());
        // What was offered to who was away was lost; the return of 1 found nobody.
        assert_eq!(row.lost, row.payloads);
        assert!(row.lost > 0 && row.missed.count() == 1 && row.missed.max() == Some(0));
        assert_eq!(row.member_bytes.sum, row.sent_bytes.total());
    }

    /// A relay brings 1 what 0 wrote an hour and a half before it came; what 1 writes, 0 does not come back for.
    #[test]
    fn a_relay_delivers_what_presence_allows_and_nothing_to_itself() {
        for spec in ["batch", "interactive", "riblt", "range"] {
            let row = apart(1, spec);
            assert_eq!((row.outcome, row.needed, row.delivered), (GroupOutcome::Partial, 2, 1), "{spec}");
            assert_eq!((row.possible_ppm, row.uptime_ppm, row.reached_all), (500_000, 250_000, 1), "{spec}");
            assert_eq!((row.n, row.relays, row.k, row.links), (2, 1, 1, 2), "{spec}");
            // Nothing is missed but by 1 at its return, and only its wait is counted: the relay reads nothing.
            assert_eq!(
                (row.missed.count(), row.missed.max(), row.delivery_ms.count()),
                (1, Some(1), 1),
                "{spec}"
            );
            assert_eq!((row.catch_up_ms.count(), row.catch_ups_cut), (1, 0), "{spec}");
            let waited = row.delivery_ms.max().unwrap();
            let caught_up = row.catch_up_ms.max().unwrap();
            // To within half a per cent.
            let written_before = 3 * HOUR_MS / 2;
            assert!(
                waited.abs_diff(written_before + caught_up) <= waited / 100,
                "{spec}: {waited}, {caught_up}"
            );
            // The relay has a part in every payload, and is always there: it sends or receives every byte.
            assert_eq!(row.relay_bytes.sum, row.sent_bytes.total(), "{spec}");
        }
    }

    /// Nobody to write to: all is done, and nothing was sent.
    #[test]
    fn one_member_has_everything() {
        let point = Point { messages_day: 24.0, ..Point::phones(1) };
        let scenario = Scenario::new(&point, None, Seed::new(1), 0).unwrap();
        let paths = path::resolve(&["*".to_owned()]).unwrap();
        for path in &paths {
            let place = Place { sweep: "s", point: 0, replicate: 0 };
            let (row, _) = run(place, &point, &scenario, path, &|| false).unwrap();
            assert_eq!((row.outcome, row.needed, row.delivered), (GroupOutcome::Complete, 0, 0), "{path:?}");
            assert_eq!((row.payloads, row.possible_ppm, row.k), (0, 1_000_000, 0), "{path:?}");
            assert!(row.written > 0 && row.reached_all == row.written, "{path:?}");
            assert_eq!(row.sent_bytes, Kinds::default(), "{path:?}");
        }
    }

    #[test]
    fn a_halt_leaves_no_row() {
        let point = Point { messages_day: 24.0, ..Point::phones(3) };
        let scenario = Scenario::new(&point, None, Seed::new(1), 0).unwrap();
        let paths = path::resolve(&["batch".to_owned()]).unwrap();
        let place = Place { sweep: "s", point: 0, replicate: 0 };
        assert!(run(place, &point, &scenario, &paths[0], &|| true).is_none());
    }
}
