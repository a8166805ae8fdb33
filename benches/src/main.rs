//! The command `offerbench`. One file a command, in `cmd/`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use offerbench::cmd;
use offerbench::error::{Failure, OK};

/// Compare set-reconciliation strategies for the OFFER path of a data-sync protocol.
///
/// Without a command: `run quick`, the main job.
#[derive(Parser)]
#[command(version, max_term_width = 110, after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 all well; 1 a strategy answered wrongly, or `cmp` found something worse; 2 bad arguments or input, or \
`cmp` cannot say; \
3 the disk or the machine refused; 10 a simulated world crashed; 11 one did not come to rest; 12 something \
happened in one that must never happen (the most serious of what was found); 130 interrupted.";

#[derive(Subcommand)]
enum Command {
    List(cmd::list::Args),
    Verify(cmd::verify::Args),
    Run(cmd::run::Args),
    Report(cmd::report::Args),
    Cmp(cmd::cmp::Args),
    Import(cmd::import::Args),
    Inspect(cmd::inspect::Args),
    Demo(cmd::demo::Args),
    Soak(cmd::soak::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        None => first_light(),
        Some(Command::List(args)) => cmd::list::run(&args),
        Some(Command::Verify(args)) => cmd::verify::run(&args),
        Some(Command::Run(args)) => cmd::run::run(&args),
        Some(Command::Report(args)) => cmd::report::run(&args),
        Some(Command::Cmp(args)) => cmd::cmp::run(&args),
        Some(Command::Import(args)) => cmd::import::run(&args),
        Some(Command::Inspect(args)) => cmd::inspect::run(&args),
        Some(Command::Demo(args)) => cmd::demo::run(&args),
        Some(Command::Soak(args)) => cmd::soak::run(&args),
    };
    let flushed = std::io::stdout().flush();
    match result {
        Ok(code) if flushed.is_ok() => ExitCode::from(code),
        // Whoever closed the pipe (`| head`) has seen enough.
        Ok(_) => ExitCode::from(OK),
        Err(failure) => failure.exit(),
    }
}

/// The main job, for somebody who typed nothing but `cargo run --release`.
fn first_light() -> Result<u8, Failure> {
    let code = cmd::run::run(&cmd::run::Args::quick())?;
    cmd::say(format_args!(
        "\nNext:\n  \
         offerbench list                          strategies, workloads and experiments\n  \
         offerbench run difference                one question in depth\n  \
         offerbench run trace --trace FILE        your own chat, after `offerbench import`\n  \
         {} --help\n(with cargo: `cargo run --release -- list`, and so on)",
        Args::command().get_name()
    ));
    Ok(code)
}
