//! What simulating a day of a group costs: CPU, memory, payloads.
//!
//! ```text
//! cargo run --release -p offerbench --example scale -- MEMBERS MESSAGES [OFFER PATH]...
//! ```
//!
//! One line an OFFER path (`interactive`, `batch`, or a strategy; all first presets if none is named). Memory is the
//! most that the process has taken so far, so name one path to see what that takes.

use std::process::ExitCode;

use offerbench::error::Failure;
use offerbench::group::path::{all, offer_path};
use offerbench::group::scenario::Scenario;
use offerbench::group::sweep::Point;
use offerbench::meter::thread_cpu_ns;
use offerbench_algos::Seed;
use offerbench_sync::sim::World;

fn main() -> ExitCode {
    scale().map_or_else(|failure| failure.exit(), |()| ExitCode::SUCCESS)
}

fn scale() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| args.get(place).and_then(|arg| arg.parse::<u32>().ok());
    let (Some(members), Some(messages)) = (number(0), number(1)) else {
        return Err(Failure::usage("usage: scale MEMBERS MESSAGES [OFFER PATH]..."));
    };
    let named: Vec<&str> = args[2..].iter().map(String::as_str).collect();
    let paths: Vec<&str> = if named.is_empty() { all().collect() } else { named };
    println!(
        "{:<24} {:>8} {:>10} {:>10} {:>12} {:>9} {:>9}",
        "offer path", "CPU s", "payloads", "GB", "delivered", "us/payl.", "peak MB"
    );
    for path in paths {
        let point = Point { messages_day: f64::from(messages), ..Point::phones(members) };
        let scenario = Scenario::new(&point, None, Seed::new(1), 0)?;
        let config = scenario.world(&offer_path(path)?);
        let start = thread_cpu_ns();
        let mut world = World::new(config).map_err(Failure::usage)?;
        world.run_until(scenario.end());
        let cpu_ns = thread_cpu_ns() - start;
        let totals = world.totals();
        println!(
            "{path:<24} {:>8.1} {:>10} {:>10.3} {:>12} {:>9.1} {:>9}",
            cpu_ns as f64 / 1e9,
            totals.payloads,
            totals.payload_bytes as f64 / 1e9,
            totals.delivered,
            cpu_ns as f64 / 1e3 / totals.payloads.max(1) as f64,
            peak_mb().map_or_else(|| "?".to_owned(), |mb| mb.to_string()),
        );
    }
    Ok(())
}

/// The most memory that this process has had, where the system tells.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb / 1024)
}
