//! `offerbench verify`: every strategy against the truth, in seconds.

use offerbench_algos::Seed;
use offerbench_reports::record::Outcome;

use crate::cmd::{say, table};
use crate::error::{Failure, OK, WRONG};
use crate::experiment::Experiment;
use crate::plan::{Overrides, Plan};
use crate::scenario::Scenario;
use crate::trial;

/// Check every preset of every strategy against the truth on small sets.
#[derive(clap::Args)]
pub struct Args {
    /// Only these: a glob over presets (`iblt*`) or a spec (`riblt:bits=64`); may be repeated
    #[arg(long, value_name = "GLOB")]
    strategies: Vec<String>,
    /// Root of all randomness
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Small sets of every shape. Not an experiment to run: nothing is recorded.
const CASES: &str = include_str!("../../experiments/verify.toml");

/// Runs the command.
///
/// # Errors
///
/// Unknown strategies.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let experiment = Experiment::parse("verify.toml (built in)", CASES)?;
    let overrides = Overrides { strategies: &args.strategies, ..Overrides::default() };
    let plan = Plan::new(&experiment, "verify", Seed::new(args.seed), &overrides)?;
    let mut results: Vec<[usize; 4]> = vec![[0; 4]; plan.contenders.len()];
    let mut wrong = Vec::new();
    for task in plan.tasks() {
        let scenario = Scenario::new(&plan, task)?;
        for &contender in &plan.sweeps[task.sweep].contenders {
            let row = trial::run(&plan, task, &scenario, &plan.contenders[contender]);
            results[contender][row.outcome as usize] += 1;
            if row.outcome == Outcome::Wrong {
                wrong.push(format!(
                    "WRONG {} on {} m={} d={} seed={}: {}",
                    row.spec,
                    row.pattern,
                    row.m,
                    row.d,
                    args.seed,
                    row.reason.unwrap_or_default()
                ));
            }
        }
    }
    let heading = ["strategy", "guarantee", "exact", "recovered", "gave up", "wrong"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (contender, counts) in plan.contenders.iter().zip(&results) {
        let mut row = vec![contender.spec.clone(), contender.profile().guarantee.as_str().to_owned()];
        row.extend(counts.iter().map(usize::to_string));
        rows.push(row);
    }
    say(table(&rows));
    for line in &wrong {
        say(line);
    }
    let trials: usize = results.iter().flatten().sum();
    say(format_args!("{trials} trials, {} wrong", wrong.len()));
    Ok(if wrong.is_empty() { OK } else { WRONG })
}
