//! `offerbench list`: what there is.

use offerbench_algos::REGISTRY;
use offerbench_datasets::WORKLOADS;
use serde_json::json;

use crate::cmd::{say, table};
use crate::error::{Failure, OK};
use crate::experiment::{Experiment, PRESETS};

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
    say("EXPERIMENTS  (offerbench run NAME)\n");
    let rows: Vec<Vec<String>> =
        experiments.iter().map(|e| vec![format!("  {}", e.name), e.about.clone()]).collect();
    say(table(&rows).trim_end());
    Ok(OK)
}
