//! Presence from IRC logs: what joins, parts, quits, kicks, changes of nick and breaks become, beside the trace
//! of the same log.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

use std::fmt::Write as _;
use std::fs;

use offerbench_datasets::import::{Clock, ImportError, Imported, IrcOptions, Origin, import_irc};
use offerbench_datasets::{Files, Presence, Trace};
use proptest::prelude::*;
use tempfile::TempDir;

const FILES: Files<'_> = Files { trace: "chat", presence: "online" };

fn origin(name: &str, gzip: bool) -> Origin {
    Origin { name: name.to_owned(), source: "log".to_owned(), gzip, ..Origin::default() }
}

/// Imports a log with its presence and reads both: so what is imported always is valid, and of one recording.
fn try_import(log: &str, gzip: bool) -> Result<(Imported, Trace, Presence), ImportError> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, log).unwrap();
    let (mut chat, mut online) = (Vec::new(), Vec::new());
    let options = IrcOptions { origin: origin("chat", gzip), clock: Clock::Hours24 };
    let beside = origin("online", gzip);
    let imported = import_irc(&path, &options, &mut chat, Some((&beside, &mut online)))?;
    let trace = Trace::from_reader(chat.as_slice(), "chat").unwrap();
    let presence = Presence::from_reader(online.as_slice(), "online").unwrap();
    assert_eq!(imported.intervals, presence.header().intervals);
    // The chat is the same with and without.
    let mut alone = Vec::new();
    import_irc(&path, &options, &mut alone, None).unwrap();
    assert_eq!(chat, alone);
    Ok((imported, trace, presence))
}

/// Peer, on, off, censoring code.
type Row = (u32, f64, f64, u8);

fn rows(presence: &Presence) -> Vec<Row> {
    let code = |known: bool, code: u8| if known { 0 } else { code };
    let row = |own: &offerbench_datasets::Interval| {
        (own.peer, own.on, own.off, code(own.on_known, 1) + code(own.off_known, 2))
    };
    presence.intervals().iter().map(row).collect()
}

fn import(log: &str) -> (Trace, Vec<Row>) {
    let (_, trace, presence) = try_import(log, false).unwrap();
    presence.check(&trace, FILES).unwrap();
    (trace, sorted(&rows(&presence)))
}

/// By start, then by peer.
fn sorted(rows: &[Row]) -> Vec<Row> {
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    rows
}

/// The first message (t = 0) is at 10:00:00. Ann was there before the logger; so was Dan, who is kicked without
/// having said a word. Eve listens. Bob becomes Rob. Cat leaves twice, once unseen, and is there at the end.
const IRSSI: &str = "\
--- Log opened Tue Jun 02 09:59:00 2009
09:59:30 -!- bob [b@h] has joined #room
10:00:00 <@ann> good morning
10:00:10 -!- Eve [e@h] has joined #room
10:00:20 -!- bob is now known as Rob
10:00:30 < rob> hello
10:01:00 -!- dan was kicked from #room by ann [out]
10:02:00 -!- cat [c@h] has joined #room
10:02:00 < cat> hi, bye
10:02:00 -!- cat [c@h] has quit [gone]
10:03:00 < cat> back, and nobody saw me come
10:04:00 -!- eve [e@h] has left #room []
10:05:00 -!- Rob [b@h] has quit [Quit: bye]
10:06:00 -!- mode/#room [+o cat] by ann
";

#[test]
fn the_golden_log_gives_its_intervals() {
    let (trace, rows) = import(IRSSI);
    // Authors: ann 0, rob 1, cat 2. Others in the order in which they came: bob and dan when the log began, eve.
    let expected = [
        (0, -30.0, 300.001, 3),
        (3, -30.0, 20.0, 0),
        (4, -30.0, 60.0, 1),
        (5, 10.0, 240.0, 0),
        (1, 20.0, 300.0, 0),
        (2, 120.0, 120.001, 0),
        (2, 180.0, 300.001, 3),
    ];
    assert_eq!(sorted(&rows), sorted(&expected));
    let header = trace.header();
    // A Tuesday, at ten.
    assert_eq!((header.authors, header.t0_clock_s, header.t0_weekday), (3, Some(36_000.0), Some(1)));
}

#[test]
fn both_files_name_each_other_and_are_compressed_the_same_every_time() {
    let (imported, trace, presence) = try_import(IRSSI, true).unwrap();
    assert_eq!(try_import(IRSSI, true).unwrap().2, presence);
    assert_eq!((imported.peers, imported.intervals, imported.notices), (6, 7, 9));
    let header = presence.header();
    assert_eq!((header.name.as_str(), header.trace.as_deref()), ("online", Some("chat")));
    assert_eq!((header.speakers, header.censored, header.source.as_str()), (3, 3, "log"));
    assert_eq!((header.t0_clock_s, header.t0_weekday), (trace.header().t0_clock_s, Some(1)));
    assert_eq!(presence.check(&trace, FILES).unwrap().written_offline, 0);
}

/// The same hour in the forms of several clients.
#[test]
fn every_client_tells_the_same() {
    let logs = [
        "12:00 -!- ann [a@h] has joined #r\n12:01 < ann> x\n12:02 -!- ann is now known as bea\n12:03 -!- bea [a@h] has quit [y]\n",
        "[12:00] *** Joins: ann (a@h)\n[12:01] <ann> x\n[12:02] *** ann is now known as bea\n[12:03] *** Quits: bea (a@h) (y)\n",
        "[12:00] * ann (a@h) has joined #r\n[12:01] <ann> x\n[12:02] * ann is now known as bea\n[12:03] * bea (a@h) has left #r (y)\n",
        "2009-06-02 12:00\t-->\tann (a@h) has joined #r\n2009-06-02 12:01\tann\tx\n2009-06-02 12:02\t--\tann is now known as bea\n2009-06-02 12:03\t<--\top has kicked bea (y)\n",
        "[12:00] === ann [a@h] has joined #r\n[12:01] <ann> x\n[12:02] === ann is now known as bea\n[12:03] === bea [a@h] has left #r []\n",
    ];
    for log in logs {
        // The message is in the middle of its minute, the rest at the beginning of theirs.
        assert_eq!(import(log).1, [(0, -90.0, 30.0, 0), (1, 30.0, 90.0, 0)], "{log}");
    }
}

/// Comings and goings within a minute stand where the log has them between its messages.
#[test]
fn nobody_writes_before_coming_or_after_going() {
    let log = "12:00 < op> a\n12:00 -!- ann [a@h] has joined #r\n12:00 < ann> b\n12:00 -!- ann [a@h] has left #r []\n12:00 < op> c\n12:00 -!- ann [a@h] has joined #r\n12:00 < ann> d\n12:01 < op> e\n";
    let (trace, rows) = import(log);
    let t: Vec<f64> = trace.records().map(|record| record.t).collect();
    // Four messages in a minute: at 7.5, 22.5, 37.5 and 52.5 seconds, the first of which is t = 0.
    assert_eq!(t, [0.0, 15.0, 30.0, 45.0, 82.5]);
    assert_eq!(rows, [(0, 0.0, 82.501, 3), (1, 7.5, 22.5, 0), (1, 37.5, 82.501, 2)]);
}

#[test]
fn the_ubuntu_logs_tell_no_time_with_a_coming() {
    let log = "=== zoe [z@h] has joined #ubuntu\n[12:00] <ann> a\n=== bob [b@h] has joined #ubuntu\n[12:05] <ann> b\n=== bob [b@h] has left #ubuntu []\n[12:06] <ann> c\n";
    let (_, rows) = import(log);
    // At the end of the minute in which something was said last. Before the first clock nothing is known: zoe,
    // who is never seen again, is not there.
    assert_eq!(rows, [(0, 0.0, 360.001, 3), (1, 30.0, 330.0, 0)]);
}

#[test]
fn a_break_ends_what_is_known() {
    let closed = "--- Log opened Tue Jun 02 12:00:00 2009\n12:00:00 < ann> a\n12:00:10 -!- bob [b@h] has joined #r\n12:01:00 < ann> b\n--- Log closed Tue Jun 02 13:00:00 2009\n--- Log opened Tue Jun 02 14:00:00 2009\n14:00:00 < op> x\n14:00:30 -!- bob [b@h] has quit [y]\n";
    let hours = 2.0 * 3600.0;
    let expected = [
        (0, 0.0, 60.001, 3),
        (2, 10.0, 60.001, 2),
        (1, hours, hours + 30.001, 3),
        (2, hours, hours + 30.0, 1),
    ];
    assert_eq!(import(closed).1, expected);
    // irssi writes a line for every day: one that is left out was not logged. A quiet one is no break.
    let day = 86_400.0;
    let skipped = "--- Log opened Tue Jun 02 12:00:00 2009\n12:00:00 < ann> a\n--- Day changed Thu Jun 04 2009\n12:00:00 < ann> b\n12:00:01 -!- ann [a@h] has quit []\n";
    assert_eq!(import(skipped).1, [(0, 0.0, 0.001, 3), (0, 2.0 * day, 2.0 * day + 1.0, 1)]);
    let quiet =
        skipped.replace("--- Day changed Thu", "--- Day changed Wed Jun 03 2009\n--- Day changed Thu");
    assert_eq!(import(&quiet).1, [(0, 0.0, 2.0 * day + 1.0, 1)]);
}

#[test]
fn a_log_without_comings_and_goings_has_no_presence() {
    let error =
        try_import("[12:00] <ann> a\n[12:01] * ann has left the building\n", false).unwrap_err().to_string();
    assert!(
        error.contains("none of its 2 lines tells a join, part, quit, kick or change of nick"),
        "{error}"
    );
    let error = try_import("[12:00] *** Joins: ann (a@h)\n", false).unwrap_err();
    assert!(matches!(error, ImportError::Nothing { .. }), "{error}");
}

/// A step of a random day: who, what, and how many seconds later.
fn any_steps() -> impl Strategy<Value = Vec<(usize, u8, u32)>> {
    prop::collection::vec((0_usize..5, 0_u8..3, 1_u32..2_000), 1..60)
}

proptest! {
    /// Against a log of known truth: everybody is in one state, joins and leaves alternate, messages come from
    /// those who are there. Each member's intervals come back, the first without a start if it was there before.
    #[test]
    fn comings_and_goings_come_back(steps in any_steps(), there_before in any::<[bool; 5]>()) {
        let mut log = String::new();
        let mut at_s = 0;
        let mut there: Vec<Option<(u32, u8)>> = there_before.iter().map(|there| there.then_some((0, 1))).collect();
        let mut was_seen = [false; 5];
        let mut truth: Vec<(usize, f64, f64, u8)> = Vec::new();
        let mut line = |at_s: u32, what: String| {
            let (day, second) = (1 + at_s / 86_400, at_s % 86_400);
            let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
            let _ = writeln!(log, "2024-03-{day:02} {h:02}:{m:02}:{s:02}\t{what}");
        };
        // The logger says a word at the beginning and at the end: t = 0, and the end of observation.
        line(0, "logger\tx".to_owned());
        for (who, what, later) in steps {
            at_s += later;
            match (what, there[who]) {
                (0, None) => {
                    line(at_s, format!("-->\tn{who} (u@h) has joined #r"));
                    there[who] = Some((at_s, 0));
                    was_seen[who] = true;
                }
                (1, Some((on, c))) => {
                    line(at_s, format!("<--\tn{who} (u@h) has quit (x)"));
                    truth.push((who, f64::from(on), f64::from(at_s), c));
                    there[who] = None;
                    was_seen[who] = true;
                }
                (2, Some(_)) => {
                    line(at_s, format!("n{who}\tx"));
                    was_seen[who] = true;
                }
                _ => {}
            }
        }
        line(at_s, "--\tlogger is now known as LOGGER".to_owned());
        line(at_s, "<--\tghost (u@h) has quit (so that one event is there)".to_owned());
        let end = f64::from(at_s) + 0.001;
        for (who, since) in there.iter().enumerate() {
            if let (Some((on, c)), true) = (since, was_seen[who]) {
                truth.push((who, f64::from(*on), end, c + 2));
            }
        }
        let (_, trace, presence) = try_import(&log, false).unwrap();
        let agreement = presence.check(&trace, FILES).unwrap();
        prop_assert_eq!((agreement.written_offline, agreement.speakers_unseen), (0, 0));

        // Peers are numbers: compare the lists of intervals, sorted. The logger and the ghost are there always.
        let mut expected: Vec<(f64, f64, u8)> = truth
            .iter()
            .map(|(_, on, off, c)| (*on, *off, *c))
            .chain([(0.0, end, 3), (0.0, f64::from(at_s), 1)])
            .collect();
        // Whoever writes in the second in which it leaves: steps are a second apart at least, so nobody.
        let mut found: Vec<(f64, f64, u8)> = rows(&presence).iter().map(|row| (row.1, row.2, row.3)).collect();
        for list in [&mut expected, &mut found] {
            list.sort_by(|a, b| a.partial_cmp(b).unwrap());
        }
        prop_assert_eq!(found, expected);
    }

    /// Any order of any events, also impossible ones, by minutes or seconds, with clocks set back: both files are
    /// read back, and where time does not go back nobody writes while offline.
    #[test]
    fn impossible_logs_give_valid_presence(
        steps in prop::collection::vec((0_u32..4, 0_u8..6, 0_u32..300), 1..80),
        with_seconds in any::<bool>(),
        dated in any::<bool>(),
        set_back in any::<bool>(),
    ) {
        let mut log = String::new();
        let mut at_s = 40_000;
        for (index, (who, what, later)) in steps.into_iter().enumerate() {
            at_s += later;
            let shown = if set_back && index % 7 == 3 { at_s - 1_000 } else { at_s };
            let (h, m, s) = (shown / 3600 % 24, shown / 60 % 60, shown % 60);
            let date = if dated { format!("2024-03-{:02} ", 1 + shown / 86_400) } else { String::new() };
            let clock = if with_seconds { format!("{h:02}:{m:02}:{s:02}") } else { format!("{h:02}:{m:02}") };
            let what = match what {
                0 => format!("-!- n{who} [u@h] has joined #r"),
                1 => format!("-!- n{who} [u@h] has left #r"),
                2 => format!("-!- n{who} is now known as n{}", (who + 1) % 4),
                _ => format!("<n{who}> x"),
            };
            let _ = writeln!(log, "{date}{clock} {what}");
        }
        match try_import(&log, false) {
            Ok((_, trace, presence)) => {
                let agreement = presence.check(&trace, FILES).unwrap();
                if !set_back {
                    prop_assert_eq!(agreement.written_offline, 0, "{}", log);
                }
            }
            Err(error) => {
                let nothing = matches!(error, ImportError::Nothing { .. } | ImportError::NoPresence { .. });
                prop_assert!(nothing, "{error}");
            }
        }
    }
}
