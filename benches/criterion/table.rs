//! `cargo bench --bench table`: the quick experiments with their report, and where both reports are.

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use offerbench::cmd::{say, say_summary};
use offerbench::error::Failure;
use offerbench::experiment::Experiment;
use offerbench::plan::{Overrides, Plan};
use offerbench::run;
use offerbench::sink::Existing;
use offerbench_algos::Seed;

fn main() -> ExitCode {
    summary().map_or_else(|failure| failure.exit(), |()| ExitCode::SUCCESS)
}

fn summary() -> Result<(), Failure> {
    // `cargo bench -- riblt` hands the filter to every target; options are criterion's.
    let filters: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).map(|arg| format!("*{arg}*")).collect();
    let experiment = Experiment::load("quick")?;
    let overrides = Overrides { strategies: &filters, ..Overrides::default() };
    let plan = match Plan::new(&experiment, "quick", Seed::new(1), &overrides) {
        Ok(plan) => plan,
        // A filter may name a group of another target.
        Err(_) if !filters.is_empty() => {
            say("no strategy has this name: the quick experiments are left out");
            return Ok(());
        }
        Err(failure) => return Err(failure),
    };
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), std::path::PathBuf::from);
    // Benches run in the package's folder; criterion finds the workspace's target by the same rule.
    let target = if target.is_relative() { std::path::Path::new("..").join(target) } else { target };
    let dir = target.join("offerbench").join("quick");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let ran = run::run(&plan, &dir, Existing::Force, threads, &AtomicBool::new(false))?;
    say_summary(&ran.book);
    let whole = |path: &std::path::Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let criterion = target.join("criterion").join("report").join("index.html");
    if criterion.exists() {
        say(format_args!("criterion's report   {}", whole(&criterion).display()));
    }
    say(format_args!("offerbench's report  {}", whole(&ran.report).display()));
    if ran.wrong > 0 {
        return Err(Failure::Io(format!("{} trials ended WRONG", ran.wrong)));
    }
    Ok(())
}
