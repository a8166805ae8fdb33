//! `offerbench list`: what there is.

use offerbench_algos::REGISTRY;
use offerbench_datasets::WORKLOADS;
use offerbench_datasets::life::{Online, Traffic};
use offerbench_sync::Policy;
use offerbench_sync::sim::LinkProfile;
use serde_json::json;

use crate::cmd::{say, table};
use crate::error::{Failure, OK};
use crate::experiment::{Experiment, PRESETS};
use crate::group::sweep::Mode;

/// List strategies with their presets, workloads and experiments.
#[derive(clap::Args)]
pub struct Args {
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// None in practice: shipped experiments parse (a test says so).
pub fn run(args: &Args) -> Result<u8, Failure> {
    let experiments =
        PRESETS.iter().map(|(name, _)| Experiment::load(name)).collect::<Result<Vec<_>, _>>()?;
    if args.json {
        let strategies: Vec<_> = REGISTRY
            .iter()
            .map(|entry| {
                let about = &entry.about;
                let params: Vec<_> = about
                    .params
                    .iter()
                    .map(|p| json!({"name": p.name, "default": p.default, "values": p.values, "doc": p.doc}))
                    .collect();
                json!({"id": about.id, "what": about.what, "source": about.source, "shape": about.shape,
                    "guarantee": about.guarantee, "params": params, "presets": entry.presets})
            })
            .collect();
        let workloads: Vec<_> =
            WORKLOADS.iter().map(|workload| json!({"name": workload.name, "what": workload.doc})).collect();
        let value = json!({"strategies": strategies, "workloads": workloads, "experiments": experiments});
        say(serde_json::to_string_pretty(&value).expect("plain data"));
        return Ok(OK);
    }

    say("STRATEGIES  (use a preset, or strategy:param=value,...; unnamed parameters take their default)\n");
    for entry in REGISTRY {
        let about = &entry.about;
        say(format_args!("{}  {}", about.id, about.what));
        say(format_args!("  shape: {}; guarantee: {}", about.shape, about.guarantee));
        say(format_args!("  source: {}", about.source));
        for param in about.params {
            let values = param.values.join(", ");
            say(format_args!("  {} = {}  ({values})  {}", param.name, param.default, param.doc));
        }
        say(format_args!("  presets: {}\n", entry.presets.join("  ")));
    }
    say("WORKLOADS\n");
    let rows: Vec<Vec<String>> =
        WORKLOADS.iter().map(|w| vec![format!("  {}", w.name), w.doc.to_owned()]).collect();
    say(table(&rows));
    say("GROUPS  (what a [[group]] of an experiment can ask for)\n");
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut add = |what: &str, name: &str, doc: &str| {
        let what = if rows.iter().any(|row| row[0].trim() == what) { "" } else { what };
        rows.push(vec![format!("  {what}"), name.to_owned(), doc.to_owned()]);
    };
    for traffic in Traffic::ALL {
        add("traffic", traffic.name(), traffic.doc());
    }
    add("", "trace", "as recorded: --trace FILE, or a channel that ships with the tool");
    for online in Online::ALL {
        add("online", &online.to_string(), online.doc());
    }
    add("", "trace", "as recorded: --presence FILE");
    for (name, doc) in Policy::WRITTEN {
        add("sharing", name, doc);
    }
    for mode in Mode::ALL {
        add("mode", mode.as_str(), mode.doc());
    }
    add(
        "acks",
        "immediate",
        "each message by its id, at once; also delayed, ancestors, set-hash with :after=1000ms",
    );
    let links: Vec<&str> = LinkProfile::NAMED.iter().map(|(name, _)| *name).collect();
    add("link", &links.join(" "), "see the documentation of `LinkProfile` for their figures and sources");
    say(table(&rows));
    say("EXPERIMENTS  (offerbench run NAME)\n");
    let rows: Vec<Vec<String>> =
        experiments.iter().map(|e| vec![format!("  {}", e.name), e.about.clone()]).collect();
    say(table(&rows).trim_end());
    Ok(OK)
}
