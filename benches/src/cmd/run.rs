//! `offerbench run`: the main job.

use std::path::{Path, PathBuf};

use offerbench_algos::Seed;
use offerbench_reports::format::{bytes, count, counted, span_ms};

use crate::cmd::{on_ctrl_c, say, say_summary, table, thread_count};
use crate::error::{Failure, OK, WRONG};
use crate::estimate::Estimate;
use crate::experiment::Experiment;
use crate::group::lane;
use crate::plan::{NEEDS_PRESENCE, Overrides, Plan};
use crate::run::{CPU, EXACT, GROUP, REPORT, TIMED};
use crate::sink::Existing;

/// Folder for runs whose user named none.
const OUT: &str = "offerbench-out";

/// Run an experiment: count, verify, time, and write the report.
#[derive(clap::Args)]
pub struct Args {
    /// A shipped experiment (see `list`), or the path of a TOML file
    #[arg(value_name = "PRESET|FILE.toml")]
    experiment: String,
    /// The chat or git trace that trace sweeps replay (made by `import`)
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Who was online in that trace, for sweeps that ask (presence-trace/1)
    #[arg(long, value_name = "FILE", requires = "trace")]
    presence: Option<PathBuf>,
    /// Only this sweep, or this point of it
    #[arg(long, value_name = "SWEEP[/POINT]")]
    only: Option<String>,
    /// Run groups that cannot connect, too
    #[arg(long)]
    allow_partial: bool,
    /// Only these: a glob over presets (`iblt*`) or a spec (`riblt:bits=64`); may be repeated
    #[arg(long, value_name = "GLOB")]
    strategies: Vec<String>,
    /// Root of all randomness
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads that count in parallel [default: all cores]
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
    /// Folder for the records (*.jsonl) and report.html [default: a fresh one under offerbench-out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with an interrupted run in --out
    #[arg(long, conflicts_with = "force", requires = "out")]
    resume: bool,
    /// Replace what is in --out
    #[arg(long, requires = "out")]
    force: bool,
    /// Say what it would take, by sweep, in time and on disk; run nothing
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// `run quick`, all else by default.
    pub fn quick() -> Self {
        Self {
            experiment: "quick".to_owned(),
            trace: None,
            presence: None,
            only: None,
            allow_partial: false,
            strategies: Vec::new(),
            seed: 1,
            threads: None,
            out: None,
            resume: false,
            force: false,
            dry_run: false,
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// Bad arguments or input, existing output, a disk that refuses, Ctrl-C.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let experiment = Experiment::load(&args.experiment)?;
    let overrides = Overrides {
        trace: args.trace.as_deref(),
        presence: args.presence.as_deref(),
        strategies: &args.strategies,
        only: args.only.as_deref(),
        allow_partial: args.allow_partial,
    };
    let plan = Plan::new(&experiment, &args.experiment, Seed::new(args.seed), &overrides)?;
    for sweep in &plan.left_out {
        eprintln!("offerbench: left out: sweep `{sweep}` {NEEDS_PRESENCE}");
    }
    let threads = thread_count(args.threads)?;
    let dir = match &args.out {
        Some(dir) => dir.clone(),
        None => fresh_dir(Path::new(OUT), &plan.name),
    };
    let existing = match (args.resume, args.force) {
        (true, _) => Existing::Resume,
        (_, true) => Existing::Force,
        _ => Existing::Refuse,
    };
    say(format_args!(
        "{}: {} sweeps, {} strategies, {} trials, seed {}",
        plan.name,
        plan.sweeps.len() + plan.groups.len(),
        plan.contenders.len().max(plan.paths.len()),
        plan.exact_header().rows + plan.jobs().len() as u64,
        args.seed
    ));
    if args.dry_run {
        let estimate = Estimate::new(&plan)?;
        lane::check(&plan)?;
        say_estimate(&estimate, threads);
        return Ok(OK);
    }
    // Rows are whole even if the process ends at once, but for one that is being written, which `--resume` cuts off.
    let interrupted = on_ctrl_c("trials")?;
    let ran = crate::run::run(&plan, &dir, existing, threads, &interrupted)?;
    for sentence in offerbench_reports::sentences(&ran.book) {
        say(format_args!("\n{sentence}"));
    }
    let claims = offerbench_reports::claims(&ran.book);
    if !claims.is_empty() {
        say("");
        claims.iter().for_each(say);
    }
    say("");
    say_summary(&ran.book);
    say("");
    for (name, what) in [(EXACT, "counts"), (TIMED, "CPU times"), (GROUP, "groups"), (CPU, "their CPU")] {
        let path = dir.join(name);
        if path.exists() {
            say(format_args!("{what:<10}{}", path.display()));
        }
    }
    debug_assert!(ran.report.ends_with(REPORT));
    say(format_args!("{:<10}{}", "report", ran.report.display()));
    if ran.wrong > 0 {
        eprintln!("offerbench: {} trials ended WRONG; the report begins with them", ran.wrong);
        return Ok(WRONG);
    }
    Ok(OK)
}

/// A table by sweep, and the sum.
fn say_estimate(estimate: &Estimate, threads: usize) {
    let mut rows = vec![["sweep", "trials", "time", "disk"].map(str::to_owned).to_vec()];
    rows.extend(estimate.parts.iter().map(|part| {
        let disk = bytes(part.disk_bytes as f64);
        vec![part.name.clone(), count(part.trials), span(part.wall_s(threads)), disk]
    }));
    say(format_args!("\n{}", table(&rows).trim_end()));
    say(format_args!(
        "\nIn all about {} on {}, and {} on disk with the report. Estimated from short trials on this machine; groups \
         may take a third or three times as long.",
        span(estimate.wall_s(threads)),
        counted(threads as u64, "thread", "threads"),
        bytes(estimate.disk_bytes() as f64)
    ));
}

/// A time in words that pretend no more than is known of it.
fn span(seconds: f64) -> String {
    span_ms((seconds.max(1.0) * 1e3) as u64)
}

/// `base/name`, or `base/name-2` and so on: the first that is not there.
fn fresh_dir(base: &Path, name: &str) -> PathBuf {
    let numbered = (2..).map(|n| base.join(format!("{name}-{n}")));
    std::iter::once(base.join(name)).chain(numbered).find(|dir| !dir.exists()).unwrap_or_default()
}
