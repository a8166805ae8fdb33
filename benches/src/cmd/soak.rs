//! `offerbench soak`: random worlds until one of them fails, or time is up.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use offerbench_algos::Seed;
use offerbench_sync::sim::{Event, Failure as WorldFailure, Report, Stage, Swarm, soak};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use crate::cmd::{on_ctrl_c, say, thread_count};
use crate::error::{CRASH, Failure, LIVENESS, OK, SAFETY};
use crate::progress::Progress;
use crate::story::Story;

/// Seeds that are run between two looks at the clock. Fixed, so that the report does not depend on the threads.
const BATCH: u64 = 128;
/// Worlds to run when neither --seeds nor --minutes is given.
const SEEDS: u64 = 1000;
/// Lines of a story that are shown from its beginning, and from its end.
const LINES: usize = 100;

/// Let random groups live in random worlds where everything goes wrong, and check that nothing wrong comes of it.
///
/// Each seed draws a world: strategies, options, who shares with whom, who is online when, faults, crashes. First
/// nothing wrong may happen (safety): nothing invented, delivered twice or before its causes, no bound exceeded.
/// Then the world heals, and everybody must get everything and come to rest in time (liveness).
#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 all clean; 10 a world crashed; 11 a world did not come to rest; 12 something happened that \
must never happen. Of several the most serious: 12, then 10, then 11. 130 interrupted, with nothing found."
)]
pub struct Args {
    /// Worlds to run [default: 1000, or until --minutes have passed]
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Begin no more worlds after so many minutes
    #[arg(long, value_name = "M")]
    minutes: Option<f64>,
    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 0)]
    from: u64,
    /// Threads [default: all cores]; the findings do not depend on it
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
    /// Run this one world again and tell its story
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "minutes", "from", "threads"])]
    seed: Option<u64>,
    /// Tell the whole story, however long
    #[arg(long, requires = "seed")]
    full: bool,
}

/// How a world failed, from bad to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Liveness,
    Crash,
    Safety,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Liveness => LIVENESS,
            Self::Crash => CRASH,
            Self::Safety => SAFETY,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Liveness => "LIVENESS",
            Self::Crash => "CRASH",
            Self::Safety => "SAFETY",
        }
    }
}

/// A failure, with its reason; the first line says the most.
struct Finding {
    kind: Kind,
    reason: String,
}

/// Runs the command.
///
/// # Errors
///
/// Bad arguments, Ctrl-C.
pub fn run(args: &Args) -> Result<u8, Failure> {
    if let Some(seed) = args.seed {
        return Ok(replay(seed, args.full));
    }
    let minutes = match args.minutes {
        Some(minutes) if !(minutes > 0.0 && minutes < 1e6) => {
            return Err(Failure::usage(format!(
                "--minutes {minutes}: expected more than 0 and less than a million"
            )));
        }
        minutes => minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0)),
    };
    let count = match (args.seeds, minutes) {
        (Some(0), _) => return Err(Failure::usage("--seeds 0: expected at least 1")),
        (Some(count), _) => count,
        (None, Some(_)) => u64::MAX - args.from,
        (None, None) => SEEDS,
    };
    let Some(end) = args.from.checked_add(count) else {
        return Err(Failure::usage(format!("--from {}: there are not so many seeds after it", args.from)));
    };
    let threads = thread_count(args.threads)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Failure::Io(format!("cannot start {threads} threads: {error}")))?;
    let interrupted = on_ctrl_c("worlds")?;
    let started = Instant::now();
    // Without a number of worlds there is no share to show: the count alone.
    let mut progress =
        Progress::new("worlds", if args.seeds.is_none() && minutes.is_some() { 0 } else { count });
    let mut worst = None;
    let (mut done, mut failed) = (0_u64, 0_u64);
    let hook = quiet_panics();
    let mut next = args.from;
    while next < end && !interrupted.load(Ordering::Relaxed) {
        if minutes.is_some_and(|minutes| started.elapsed() >= minutes) {
            break;
        }
        let batch = next..end.min(next.saturating_add(BATCH));
        let found = pool.install(|| run_batch(batch.clone(), &interrupted));
        for (seed, result) in batch.clone().zip(found) {
            // What Ctrl-C left out, and what came after it.
            let Some(result) = result else { break };
            done += 1;
            if let Err(finding) = result {
                failed += 1;
                worst = worst.max(Some(finding.kind));
                let reason = finding.reason.lines().take(2).map(str::trim).collect::<Vec<_>>().join(" ");
                say(format_args!(
                    "{} seed {seed}: {reason}\n  again: offerbench soak --seed {seed}",
                    finding.kind.as_str()
                ));
            }
        }
        progress.advance(batch.end - batch.start);
        next = batch.end;
    }
    panic::set_hook(hook);
    progress.finish();
    let took = started.elapsed().as_secs_f64();
    eprintln!("{:.1} ms a world and core", took * 1000.0 * threads as f64 / done.max(1) as f64);
    say(format_args!("{done} worlds from seed {}: {failed} failed", args.from));
    match worst {
        Some(kind) => Ok(kind.code()),
        None if interrupted.load(Ordering::Relaxed) => {
            Err(Failure::Interrupted(format!("interrupted; go on with --from {}", args.from + done)))
        }
        None => Ok(OK),
    }
}

fn run_batch(batch: std::ops::Range<u64>, interrupted: &AtomicBool) -> Vec<Option<Result<Report, Finding>>> {
    let one = |seed| {
        (!interrupted.load(Ordering::Relaxed)).then(|| {
            caught(|| {
                let swarm = Swarm::draw(Seed::new(seed));
                soak(&swarm, ())
            })
        })
    };
    let seeds: Vec<u64> = batch.collect();
    seeds.into_par_iter().with_max_len(1).map(one).collect()
}

/// One world again, with its description, its story and the verdict.
fn replay(seed: u64, full: bool) -> u8 {
    let hook = quiet_panics();
    let mut story = Story::new(if full { usize::MAX } else { LINES });
    let result = caught(|| {
        let swarm = Swarm::draw(Seed::new(seed));
        say(&swarm);
        soak(&swarm, |stage: &Stage<'_>, event: &Event<'_>| story.tell(stage, event))
    });
    panic::set_hook(hook);
    say("story:  a -> b  sent    b <- a  arrived    a -x b  lost");
    for line in story.lines() {
        say(line);
    }
    match result {
        Ok(report) => {
            let totals = &report.totals;
            say(format_args!(
                "\n{} messages written, {} deliveries, {} payloads of {} bytes, {} of them lost",
                totals.appended,
                totals.delivered,
                totals.payloads,
                totals.payload_bytes,
                totals.lost.iter().sum::<u64>()
            ));
            match report.settled_after {
                Some(after) => {
                    say(format_args!(
                        "clean: at rest {:.3} s after it was healed",
                        after.as_us() as f64 / 1e6
                    ));
                }
                None => say("clean: nothing happened that must not"),
            }
            OK
        }
        Err(finding) => {
            say(format_args!("\n{} seed {seed}: {}", finding.kind.as_str(), finding.reason));
            finding.kind.code()
        }
    }
}

thread_local! {
    /// What the last panic of this thread said, and where.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

type Hook = Box<dyn Fn(&panic::PanicHookInfo<'_>) + Sync + Send + 'static>;

/// From now on a panic leaves its message in [`PANIC`] instead of printing it. Answers what did so before.
fn quiet_panics() -> Hook {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|info| PANIC.set(info.to_string())));
    hook
}

fn caught(run: impl FnOnce() -> Result<Report, WorldFailure>) -> Result<Report, Finding> {
    match panic::catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(report)) => Ok(report),
        Ok(Err(failure)) => {
            let kind = match failure {
                WorldFailure::Safety { .. } => Kind::Safety,
                WorldFailure::Liveness(_) => Kind::Liveness,
            };
            Err(Finding { kind, reason: failure.to_string() })
        }
        Err(_) => Err(Finding { kind: Kind::Crash, reason: PANIC.take() }),
    }
}
