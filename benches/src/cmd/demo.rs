//! `offerbench demo`: a small group, told: who sent which payload to whom, and what it cost.

use std::sync::Arc;

use offerbench_algos::Seed;
use offerbench_sync::sim::{
    Append, Event, LinkProfile, LossCause, Presence, Stage, Text, World, WorldConfig,
};
use offerbench_sync::{
    Config, Delivery, FOUR_MEMBERS, GroupId, Kind, NodeEvent, Offer, Part, PeerId, Reconcile, Span, Time,
};

use crate::cmd::{say, table};
use crate::error::{Failure, OK};
use crate::story::contents;

/// Tell the story of a small group: two phones that never meet, and two desktops that carry for them.
#[derive(clap::Args)]
pub struct Args {
    /// Root of all randomness
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How members learn what the others hold: `batch`, `interactive`, or a strategy (see `list`)
    #[arg(long, value_name = "SPEC", default_value = "interactive")]
    strategy: String,
}

const NAMES: [&str; 4] = ["A", "B", "C", "D"];
const GROUP: GroupId = GroupId([7; 32]);
/// Phones come every minute for a quarter of it; B half a minute after A.
const STAYS: Span = Span::from_s(15);
const EVERY: Span = Span::from_s(60);
/// More than the story ever takes.
const END: Time = Time::from_us(600_000_000);
/// Lines of the timeline that are shown.
const LINES_MAX: usize = 53;
/// Columns of a terminal of which nobody knows the width.
const COLUMNS: usize = 80;

/// The messages: when, who, what.
const TEXTS: [(u64, u32, &str); 3] =
    [(2, 0, "Lunch at noon?"), (34, 1, "Yes! Shall I book?"), (62, 0, "Please do")];

/// Runs the command.
///
/// # Errors
///
/// A strategy that does not exist.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let offer = offer(&args.strategy)?;
    let columns =
        terminal_size::terminal_size_of(std::io::stdout()).map_or(COLUMNS, |(w, _)| usize::from(w.0));
    let mut lines = Vec::new();
    let told = tell(args.seed, offer, |line| lines.push(line))?;
    let line = |text: &str| say(clip(text, columns));
    line("Phones A and B are in one group. Each is online for 15 s of every minute, and");
    line("never while the other is. Desktops C and D carry for them: they hold ids and");
    line("sealed bodies. Who shares with whom:   A --- B");
    line("                                       |     |");
    line("                                       C --- D");
    line("OFFER says `I have this id`, REQUEST asks for it, MESSAGE brings it, ACK ends");
    line("the offering. What gets no answer is sent again, ever less often.");
    line(&format!("How they learn what the others hold: {}\n", args.strategy));
    // The beginning and the end.
    let skipped = lines.len().saturating_sub(LINES_MAX);
    let first = if skipped == 0 { lines.len() } else { LINES_MAX * 3 / 4 };
    lines[..first].iter().for_each(|text| line(text));
    if skipped > 0 {
        line(&format!("  ... {skipped} lines more ..."));
    }
    lines[first + skipped..].iter().for_each(|text| line(text));
    match told.done_at {
        Some(at) => line(&format!("{}  Everybody has everything.\n", clock(at))),
        None => line("Somebody still lacks something after ten minutes.\n"),
    }
    let mut rows = vec![["record", "count", "bytes"].map(str::to_owned).to_vec()];
    for (kind, count, bytes) in &told.kinds {
        rows.push(vec![kind.to_string(), count.to_string(), bytes.to_string()]);
    }
    table(&rows).lines().for_each(line);
    line("\nThe same story, told in other ways (bytes without the bodies are the price):");
    let mut rows =
        vec![["", "payloads", "bytes", "of them bodies", "all have all at"].map(str::to_owned).to_vec()];
    let mut others = vec!["batch", "interactive", "range"];
    if !others.contains(&&*args.strategy) {
        others.push(&args.strategy);
    }
    for other in others {
        let told = tell(args.seed, self::offer(other)?, |_| ())?;
        rows.push(vec![
            other.to_owned(),
            told.payloads.to_string(),
            told.bytes.to_string(),
            told.bodies.to_string(),
            told.done_at.map_or("never".to_owned(), clock),
        ]);
    }
    table(&rows).lines().for_each(line);
    Ok(OK)
}

fn offer(text: &str) -> Result<Offer, Failure> {
    Ok(match text {
        "batch" => Offer::Batch,
        "interactive" => Offer::Interactive,
        spec => {
            let options = Reconcile::new(spec).map_err(Failure::usage)?;
            // Within the phones' stay, and again at the next one.
            let (every, silence) = (Span::from_s(45), Span::from_s(10));
            Offer::Reconcile(Reconcile { every, silence, news_after: Span::from_ms(500), ask: 2, ..options })
        }
    })
}

/// What a story comes to.
struct Told {
    done_at: Option<Time>,
    kinds: Vec<(&'static str, u64, u64)>,
    payloads: u64,
    bytes: u64,
    bodies: u64,
}

fn tell(seed: u64, offer: Offer, mut line: impl FnMut(String)) -> Result<Told, Failure> {
    let mut member = Config { offer, delivery: Delivery::Causal, ..Config::default() };
    // First after 3 s, and never less often than every 15 s: a phone's stay.
    (member.backoff.first, member.backoff.longest, member.backoff.again) = (30, 150, 150);
    let relay = Config { part: Part::Relay, ..member.clone() };
    let (member, relay) = (Arc::new(member), Arc::new(relay));
    let mut config =
        WorldConfig::group(Seed::new(seed), &member, GROUP, 4, &FOUR_MEMBERS, LinkProfile::MOBILE_4G);
    config.nodes[2].config = Arc::clone(&relay);
    config.nodes[3].config = relay;
    config.presence = Presence::always(4);
    config.presence.set_shift(0, Time::ZERO, STAYS, EVERY, END);
    config.presence.set_shift(1, Time::ZERO + Span::from_s(30), STAYS, EVERY, END);
    config.appends = TEXTS
        .iter()
        .map(|&(at, node, text)| Append {
            at: Time::ZERO + Span::from_s(at),
            node: PeerId(node),
            group: GROUP,
            skew_ms: 0,
            parents: None,
            text: Text::Says(text.to_owned()),
        })
        .collect();
    // Who is online, and how often somebody was written to in vain since the line that says so.
    let (mut online, mut vain) = ([false; 4], [0_u32; 4]);
    let observer = |stage: &Stage<'_>, event: &Event<'_>| {
        let mut say = |what: String| line(format!("{}  {what}", clock(stage.now)));
        match *event {
            Event::Online(node) => {
                let no = node.0 as usize;
                online[no] = true;
                match std::mem::take(&mut vain[no]) {
                    // The desktops are there from the beginning.
                    0 if no >= 2 => {}
                    0 | 1 => say(format!("{} comes online", NAMES[no])),
                    n => say(format!(
                        "{} comes online, after {} more payloads to it in vain",
                        NAMES[no],
                        n - 1
                    )),
                }
            }
            Event::Offline(node) => {
                online[node.0 as usize] = false;
                say(format!("{} goes offline", NAMES[node.0 as usize]));
            }
            Event::Sent { to, .. } if !online[to.0 as usize] => {
                vain[to.0 as usize] += 1;
                if vain[to.0 as usize] == 1 {
                    say(format!(
                        "{} - in vain: {} is offline",
                        describe(event).unwrap_or_default(),
                        NAMES[to.0 as usize]
                    ));
                }
            }
            _ => {
                if let Some(what) = describe(event) {
                    say(what);
                }
            }
        }
    };
    let mut world = World::observed(config, observer).map_err(Failure::usage)?;
    let mut done_at = None;
    while done_at.is_none() && world.next_at().is_some_and(|at| at < END) {
        world.step();
        if world.appends_planned() == 0 && world.owed() == 0 {
            done_at = Some(world.now());
        }
    }
    let stats: Vec<_> =
        (0..4).filter_map(|no| world.node(PeerId(no))).map(|node| node.stats().clone()).collect();
    let sum = |kind: Kind| {
        stats
            .iter()
            .map(|stats| stats.sent(kind))
            .fold((0, 0), |sum, sent| (sum.0 + sent.count, sum.1 + sent.bytes))
    };
    let kinds = Kind::ALL.map(|kind| (kind.as_str(), sum(kind).0, sum(kind).1));
    let totals = world.totals();
    Ok(Told {
        done_at,
        kinds: kinds.into_iter().filter(|(_, count, _)| *count > 0).collect(),
        payloads: totals.payloads,
        bytes: totals.payload_bytes,
        bodies: sum(Kind::Body).1,
    })
}

fn describe(event: &Event<'_>) -> Option<String> {
    let name = |node: PeerId| NAMES[node.0 as usize];
    Some(match *event {
        Event::Sent { from, to, payload } => {
            format!("{} -> {}  {:>5} B  {}", name(from), name(to), payload.len(), contents(payload))
        }
        Event::Lost { from, to, cause, .. } if cause != LossCause::Offline => {
            format!("{} -x {}           lost: {}", name(from), name(to), cause.as_str())
        }
        Event::Appended { node, message, .. } => {
            let text = TEXTS.get(message.0 as usize).map_or("", |(_, _, text)| text);
            format!("{} writes `{text}`", name(node))
        }
        Event::Node { node, event: NodeEvent::Delivered { message, .. } } => {
            let (_, author, text) = TEXTS.get(message.0 as usize)?;
            // What a member wrote itself is no news to it.
            if *author == node.0 {
                return None;
            }
            format!("{} reads `{text}`", name(node))
        }
        _ => return None,
    })
}

/// Minutes and seconds.
fn clock(at: Time) -> String {
    let ms = at.as_ms();
    format!("{}:{:02}.{:01}", ms / 60_000, ms / 1000 % 60, ms / 100 % 10)
}

/// What of a line fits.
fn clip(text: &str, columns: usize) -> String {
    let (body, end) = match text.strip_suffix('\n') {
        Some(body) => (body, "\n"),
        None => (text, ""),
    };
    if body.chars().count() <= columns || columns < 4 {
        return text.to_owned();
    }
    body.chars().take(columns - 3).collect::<String>() + "..." + end
}
