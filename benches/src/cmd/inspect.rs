//! `offerbench inspect`: what kind of group a trace is of.

use std::fmt::Write as _;
use std::path::PathBuf;

use offerbench_datasets::inspect::{Dist, Portrait, WITHIN, inspect};
use offerbench_datasets::{Files, Kind, Presence, Trace};

use crate::cmd::say;
use crate::error::{Failure, OK};

/// Show what kind of group a trace is of: rates, gaps, sizes, authors, presence, what is missed at a return.
///
/// And which made-up group is nearest, with the lines for an experiment. Traces are made by `offerbench import`.
#[derive(clap::Args)]
pub struct Args {
    /// The trace (chat-trace/1), plain or in gzip
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// Who was online when, in the same recording (presence-trace/1)
    #[arg(long, value_name = "FILE")]
    presence: Option<PathBuf>,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// A file that cannot be read or is no trace, or two that are not of one recording.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let trace = Trace::read(&args.trace).map_err(Failure::usage)?;
    let presence = args.presence.as_deref().map(Presence::read).transpose().map_err(Failure::usage)?;
    let name = |path: &PathBuf| path.display().to_string();
    let (file, beside) = (name(&args.trace), args.presence.as_ref().map(name).unwrap_or_default());
    let files = Files { trace: &file, presence: &beside };
    let portrait = inspect(&trace, presence.as_ref(), files).map_err(Failure::usage)?;
    if args.json {
        say(serde_json::to_string_pretty(&portrait).expect("plain data"));
    } else {
        say(text(&portrait).trim_end());
    }
    Ok(OK)
}

/// The portrait for people, in lines of at most 80 characters.
fn text(portrait: &Portrait) -> String {
    let Portrait { name, messages, authors, span_s, windows, .. } = portrait;
    let kind = match portrait.kind {
        Kind::Chat => "chat",
        Kind::Git => "git history",
    };
    let mut text = format!(
        "{name}: a {kind}\n{} messages by {} authors in {}",
        whole(*messages as f64),
        whole(*authors as f64),
        duration(*span_s)
    );
    if *windows > 1 {
        let _ = write!(text, ", {windows} windows stitched together");
    }
    text += "\n\n";
    if *messages == 0 {
        text += "There is nothing to measure in a trace without messages.\n";
        return text;
    }
    text += &distributions(portrait);
    text.push('\n');
    text += &figures(portrait);
    text += &missed(portrait);
    text + &nearest(portrait)
}

/// Width of the first column, and of each of seven others.
const LABEL: usize = 24;
const CELL: usize = 7;

fn line(label: &str, cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!(" {cell:>CELL$}")).collect();
    format!("{label:<LABEL$}{}\n", cells.strip_prefix(' ').unwrap_or_default())
}

fn heading(label: &str, cells: &[&str]) -> String {
    line(label, &cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>())
}

fn distributions(portrait: &Portrait) -> String {
    let rate = portrait.rate.as_ref();
    let online = portrait.online.as_ref();
    let hourly = rate.and_then(|rate| rate.hourly.as_ref()).filter(|hourly| hourly.count > 1);
    type Show = fn(f64) -> String;
    let rows: [(&str, Option<&Dist>, Show); 13] = [
        ("messages a day", rate.and_then(|rate| rate.daily.as_ref()).map(|daily| &daily.messages), number),
        ("messages an hour", hourly, number),
        ("authors an active hour", rate.and_then(|rate| rate.authors_an_hour.as_ref()), number),
        ("gap between messages", portrait.gaps.as_ref().map(|gaps| &gaps.seconds), duration),
        ("size, bytes", portrait.sizes.as_ref(), number),
        ("reply after", portrait.replies.as_ref().map(|replies| &replies.lag_s), duration),
        ("heads at once", portrait.graph.as_ref().map(|graph| &graph.heads), number),
        ("stay online", online.and_then(|online| online.stays_s.as_ref()), duration),
        ("pause offline", online.and_then(|online| online.pauses_s.as_ref()), duration),
        ("time online of a regular", online.and_then(|online| online.availability.as_ref()), percent),
        ("regulars at once", online.and_then(|online| online.regulars_alive.as_ref()), number),
        ("online at once", online.and_then(|online| online.at_once.as_ref()), number),
        ("others online at a post", online.and_then(|online| online.others_at_post.as_ref()), number),
    ];
    let mut text = heading("", &["mean", "p10", "p50", "p75", "p90", "p99", "max"]);
    for (label, dist, show) in rows {
        if let Some(dist) = dist {
            let cells = [dist.mean, dist.p10, dist.p50, dist.p75, dist.p90, dist.p99, dist.max].map(show);
            text += &line(label, &cells);
        }
    }
    text
}

/// Single figures, by what they are about.
fn figures(portrait: &Portrait) -> String {
    let mut text = String::new();
    let mut fact = |about: &str, what: String| {
        let _ = writeln!(text, "{about:<9}{what}");
    };
    if let Some(rate) = &portrait.rate {
        if let Some(daily) = &rate.daily {
            fact(
                "days",
                format!("{} without a message; Fano factor {}", percent(daily.zero), number(daily.fano)),
            );
            if let Some(means) = &daily.weekdays {
                let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
                let days: Vec<String> =
                    names.iter().zip(means).map(|(name, mean)| format!("{name} {}", number(*mean))).collect();
                fact("", days.join("  "));
            }
        }
        fact("hours", format!("{} without a message", percent(rate.silent_hours)));
    }
    if let Some(gaps) = &portrait.gaps {
        fact(
            "gaps",
            format!(
                "burstiness {:.2} (-1 clockwork, 0 chance, 1 bursts), memory {:.2}",
                signed(gaps.burstiness),
                signed(gaps.memory)
            ),
        );
    }
    match (&portrait.sizes, &portrait.sizes_weibull) {
        (Some(_), Some(law)) => {
            fact("sizes", format!("Weibull k {:.2}, scale {} bytes", law.k, number(law.scale)));
        }
        (None, _) => fact("sizes", "unknown".to_owned()),
        _ => {}
    }
    if let Some(authors) = &portrait.authorship {
        fact(
            "authors",
            format!(
                "Gini {:.2}, Zipf {:.2}; the first writes {}, the first ten {}",
                authors.gini,
                authors.zipf,
                percent(authors.top1),
                percent(authors.top10)
            ),
        );
        fact(
            "",
            format!(
                "{} wrote once; {} of messages follow one of their author",
                percent(authors.once),
                percent(authors.repeats)
            ),
        );
        if let Some([count, gini, zipf]) = authors.in_window {
            fact("", format!("in the median window {count:.0} authors, Gini {gini:.2}, Zipf {zipf:.2}"));
        }
    }
    let nearest_parent = |within: &[f64; 6]| {
        let shares: Vec<String> =
            WITHIN.iter().zip(within).map(|(k, share)| format!("{k}: {}", percent(*share))).collect();
        format!("parent within {}", shares.join("  "))
    };
    if let Some(replies) = &portrait.replies {
        let [none, one, two, more] = replies.parents.map(percent);
        fact(
            "replies",
            format!(
                "{} messages annotated: {none} reply to none, {one} to one,",
                whole(replies.annotated as f64)
            ),
        );
        fact("", format!("{two} to two, {more} to more"));
        fact("", nearest_parent(&replies.within));
    }
    if let Some(graph) = &portrait.graph {
        fact(
            "graph",
            format!("{} merges, {} without parents", percent(graph.merges), counted(graph.roots, "commit")),
        );
        fact("", nearest_parent(&graph.within));
    }
    let clocks = &portrait.clocks;
    let mut what = format!(
        "resolution {}, {} of stamps repeat the one before",
        duration(clocks.resolution_s),
        percent(clocks.ties)
    );
    if clocks.backwards > 0 {
        let _ = write!(
            what,
            ";\n         {} before an earlier one, by {} at most",
            counted(clocks.backwards, "stamp"),
            duration(clocks.lag_s_max)
        );
    }
    fact("clocks", what);
    if let Some(online) = &portrait.online {
        fact(
            "presence",
            format!(
                "{} members, {} of them never wrote",
                whole(online.peers as f64),
                whole(online.listeners as f64)
            ),
        );
        fact(
            "",
            format!(
                "{} written while offline; {} never seen online",
                counted(online.written_offline, "message"),
                counted(online.speakers_unseen, "author")
            ),
        );
    }
    text
}

fn missed(portrait: &Portrait) -> String {
    if portrait.missed.is_empty() {
        return "\nNobody comes back often enough to say what is missed at a return.\n".to_owned();
    }
    let mut text =
        format!("\n{}", heading("missed at a return", &["zero", "mean", "p50", "p75", "p90", "p99", "max"]));
    for row in &portrait.missed {
        let dist = &row.messages;
        let mut cells = vec![percent(row.zero)];
        cells.extend([dist.mean, dist.p50, dist.p75, dist.p90, dist.p99, dist.max].map(number));
        text += &line(row.who, &cells);
    }
    text
}

fn nearest(portrait: &Portrait) -> String {
    let Some(nearest) = &portrait.nearest else { return String::new() };
    let indented = |toml: &str| toml.lines().map(|line| format!("  {line}\n")).collect::<String>();
    format!(
        "\nNearest is `{}`:\n{}.\n\nIn an experiment, a group like this:\n{}Or this one, on its busiest day:\n{}",
        nearest.traffic,
        nearest.because,
        indented(&nearest.toml),
        indented(&nearest.replay_toml)
    )
}

/// Rounded to two digits, without the sign of a zero.
fn signed(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}

/// `1 message`, `2 messages`.
fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", whole(count as f64), if count == 1 { "" } else { "s" })
}

/// Three digits, or all of a whole number.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => whole(value),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// With commas between thousands; in millions where seven characters are too few.
fn whole(value: f64) -> String {
    if value.abs() >= 999_999.5 {
        return format!("{:.1}M", value / 1e6);
    }
    let digits = format!("{value:.0}");
    match digits.len() {
        len if len > 3 => format!("{},{}", &digits[..len - 3], &digits[len - 3..]),
        _ => digits,
    }
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent == 0.0 || percent >= 9.95 => format!("{percent:.0}%"),
        percent => format!("{percent:.1}%"),
    }
}

fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 100.0 => (s, "s"),
        s if s < 100.0 * 60.0 => (s / 60.0, "min"),
        s if s < 48.0 * 3600.0 => (s / 3600.0, "h"),
        s => (s / 86_400.0, "d"),
    };
    // The unit takes room: seven characters in all.
    match value {
        value if value.fract() == 0.0 || value >= 99.95 || unit == "min" => {
            format!("{} {unit}", whole(value))
        }
        value if value < 0.095 => format!("{value:.2} {unit}"),
        value => format!("{value:.1} {unit}"),
    }
}
