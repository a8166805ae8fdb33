//! `offerbench cmp`: did this change help, and may it ship?

use std::path::{Path, PathBuf};

use offerbench_reports::Book;
use offerbench_reports::compare::{self, Comparison, Look};

use crate::cmd::say;
use crate::error::{CANNOT_SAY, Failure, OK, WORSE};
use crate::run::{CPU, EXACT, GROUP, TIMED, read_book};

/// Compare two runs of one experiment, trial by trial.
///
/// Counts are compared exactly (heaps to 1%). CPU times are compared on one machine only, and a time is called better
/// or worse only from five rounds a side on: run the experiment several times at either commit, in turn, and give
/// the further folders with --more-base and --more-new.
#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 nothing is worse; 1 something is; 2 it cannot be said: another experiment, spec or seed, nothing in common,
damaged files; with --gate also rows, lanes or times that only one side has, times of two machines, and counts that
changed neither to the better nor to the worse. Inconclusive times are named and never fail.")]
pub struct Args {
    /// The older run: a folder that `run` wrote, or one file of counts
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// The newer run
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// A further round of BASE, at the same commit; may be repeated
    #[arg(long, value_name = "DIR")]
    more_base: Vec<PathBuf>,
    /// A further round of NEW, at the same commit; may be repeated
    #[arg(long, value_name = "DIR")]
    more_new: Vec<PathBuf>,
    /// Leave CPU times alone
    #[arg(long)]
    counts: bool,
    /// Be strict: what cannot be compared ends with 2
    #[arg(long)]
    gate: bool,
    /// For a terminal, or for a pull request
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    Text,
    Md,
}

/// Runs the command.
///
/// # Errors
///
/// Files that cannot be read, are damaged, or answer different questions.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let side = |first: &Path, more: &[PathBuf]| {
        let rounds = std::iter::once(first).chain(more.iter().map(PathBuf::as_path));
        rounds.map(|round| read_round(round, args.counts)).collect::<Result<Vec<Book>, Failure>>()
    };
    let (base, new) = (side(&args.base, &args.more_base)?, side(&args.new, &args.more_new)?);
    let found = compare::compare(&base, &new).map_err(Failure::usage)?;
    let look = match args.format {
        Form::Text => Look::Text,
        Form::Md => Look::Markdown,
    };
    let names = [(&args.base, &base), (&args.new, &new)].map(|(path, rounds)| named(path, rounds));
    say(found.show(look, &names[0], &names[1]).trim_end());
    Ok(code(&found, args.gate))
}

/// The folder with what was run, so that a pasted comparison says of what it is.
fn named(path: &Path, rounds: &[Book]) -> String {
    let header = rounds.first().and_then(|book| book.runs().next()).map(offerbench_reports::Run::header);
    let commit = header.map_or_else(String::new, |header| {
        let dirty = if header.dirty { " with local changes" } else { "" };
        format!(" (commit {}{dirty})", header.commit.get(..12).unwrap_or(&header.commit))
    });
    format!("{}{commit}", path.display())
}

fn code(found: &Comparison, gate: bool) -> u8 {
    let strict = gate && (!found.lacks.is_empty() || found.counts().inconclusive > 0);
    match () {
        () if found.total().worse > 0 => WORSE,
        () if found.total().rows() == 0 || strict => CANNOT_SAY,
        () => OK,
    }
}

/// Reads a folder's lanes, or one file.
fn read_round(path: &Path, counts: bool) -> Result<Book, Failure> {
    if !path.is_dir() {
        return read_book(&[path.to_owned()]);
    }
    let lanes: &[&str] = if counts { &[EXACT, GROUP] } else { &[EXACT, GROUP, TIMED, CPU] };
    let files: Vec<PathBuf> = lanes.iter().map(|lane| path.join(lane)).filter(|file| file.exists()).collect();
    if files.is_empty() {
        let path = path.display();
        return Err(Failure::usage(format!(
            "{path} holds neither {EXACT} nor {GROUP}: give a folder that `run` wrote"
        )));
    }
    read_book(&files)
}
