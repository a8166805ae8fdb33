//! `offerbench report`: the page again, from stored records alone.

use std::path::PathBuf;

use crate::cmd::say;
use crate::error::{Failure, OK};
use crate::run::{read_book, write_whole};

/// Render the HTML report of stored records.
#[derive(clap::Args)]
pub struct Args {
    /// exact.jsonl and timed.jsonl files of one or more runs
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// Where to write the page
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace the output if it is there
    #[arg(long)]
    force: bool,
}

/// Runs the command.
///
/// # Errors
///
/// Damaged or mixed records, an output that is there already, a disk that refuses.
pub fn run(args: &Args) -> Result<u8, Failure> {
    if args.output.exists() && !args.force {
        let path = args.output.display();
        return Err(Failure::usage(format!("{path} is there already; use --force to replace it")));
    }
    let book = read_book(&args.files)?;
    write_whole(&args.output, offerbench_reports::render(&book).as_bytes())?;
    say(args.output.display());
    Ok(OK)
}
