//! `offerbench report`: the page again, from stored records alone, or its main tables.

use std::path::{Path, PathBuf};

use crate::cmd::say;
use crate::error::{Failure, OK};
use crate::run::{read_book, write_whole};

/// Render stored records: as the HTML report, or its main tables as Markdown or CSV.
#[derive(clap::Args)]
pub struct Args {
    /// Record files (*.jsonl) of one or more runs
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// Where to write it; `-` is standard output [default for md and csv]
    #[arg(short, long, value_name = "FILE", required_if_eq("format", "html"))]
    output: Option<PathBuf>,
    /// The page; the main tables for a spec document or a pull request; or one row a contender and point for a
    /// spreadsheet
    #[arg(long, value_enum, default_value_t = Form::Html)]
    format: Form,
    /// Replace the output if it is there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    Html,
    Md,
    Csv,
}

/// Runs the command.
///
/// # Errors
///
/// Damaged or mixed records, an output that is there already, a disk that refuses.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = output.filter(|path| path.exists() && !args.force) {
        let path = path.display();
        return Err(Failure::usage(format!("{path} is there already; use --force to replace it")));
    }
    let book = read_book(&args.files)?;
    let text = match args.format {
        Form::Html => offerbench_reports::render(&book),
        Form::Md => offerbench_reports::markdown(&book),
        Form::Csv => offerbench_reports::csv(&book),
    };
    match output {
        Some(path) => {
            write_whole(path, text.as_bytes())?;
            say(path.display());
        }
        None => say(text.trim_end_matches('\n')),
    }
    Ok(OK)
}
