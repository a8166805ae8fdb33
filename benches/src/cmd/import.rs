//! `offerbench import`: makes a trace of what is at hand.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use offerbench_datasets::import::{
    Clock, Columns, CsvOptions, GitOptions, GitTime, ImportError, Imported, IrcOptions, JsonlOptions, Origin,
    Size, TimeFormat, import_csv, import_git, import_irc, import_jsonl,
};

use crate::cmd::say;
use crate::error::{Failure, OK};
use crate::run::write_whole;

/// Make a trace (chat-trace/1) from a git history, an IRC log, JSON lines or CSV.
///
/// Kept are times, sizes, authors as small integers, and edges; texts and names are not. A trace is replayed
/// with `offerbench run trace --trace FILE`, and looked at with `offerbench inspect FILE`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    source: Source,
}

#[derive(clap::Subcommand)]
enum Source {
    /// The history of a local repository: commits are messages, parents are edges
    Git {
        #[command(flatten)]
        common: Common,
        /// Commit whose history is taken
        #[arg(long, default_value = "HEAD")]
        revision: String,
        /// Time of the author instead of the committer
        #[arg(long)]
        author_time: bool,
    },
    /// A log of an IRC channel
    Irc {
        #[command(flatten)]
        common: Common,
        /// The log's clock has 12 hours
        #[arg(long)]
        clock_12h: bool,
        /// Also write who was online when (presence-trace/1), from joins, parts, quits, kicks and changes of nick
        #[arg(long, value_name = "FILE")]
        presence: Option<PathBuf>,
    },
    /// A file with a JSON object a line
    Jsonl {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        columns: ColumnArgs,
    },
    /// A file with comma-separated values and a heading
    Csv {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        columns: ColumnArgs,
        /// What separates columns: one character, or `tab`
        #[arg(long, default_value = ",")]
        delimiter: String,
    },
}

#[derive(clap::Args)]
struct Common {
    /// What to import: a file, or a repository's folder
    source: PathBuf,
    /// The trace to write; compressed if it ends in .gz
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Name of the trace [default: that of the output file]
    #[arg(long)]
    name: Option<String>,
    /// Terms of the data, for the header
    #[arg(long, default_value = "")]
    license: String,
    /// Whom to credit, for the header
    #[arg(long, default_value = "")]
    attribution: String,
    /// Replace the output if it is there
    #[arg(long)]
    force: bool,
}

#[derive(clap::Args)]
struct ColumnArgs {
    /// Column with the time of a message
    #[arg(long, default_value = "time")]
    time: String,
    /// How times are written
    #[arg(long, value_enum, default_value_t = Times::Seconds)]
    time_format: Times,
    /// Column with its author
    #[arg(long, default_value = "author")]
    author: String,
    /// Column with its size in bytes
    #[arg(long, conflicts_with = "text")]
    size: Option<String>,
    /// Column with its text, of which only the length is kept
    #[arg(long)]
    text: Option<String>,
    /// Column with its id, if parents refer to it
    #[arg(long)]
    id: Option<String>,
    /// Column with the ids of the messages that it refers to
    #[arg(long, requires = "id")]
    parents: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Times {
    Seconds,
    Milliseconds,
    Iso8601,
}

impl ColumnArgs {
    fn columns(&self) -> Columns {
        Columns {
            time: self.time.clone(),
            time_format: match self.time_format {
                Times::Seconds => TimeFormat::Seconds,
                Times::Milliseconds => TimeFormat::Milliseconds,
                Times::Iso8601 => TimeFormat::Iso8601,
            },
            author: self.author.clone(),
            size: match (&self.size, &self.text) {
                (Some(column), _) => Size::Column(column.clone()),
                (None, Some(column)) => Size::TextOf(column.clone()),
                (None, None) => Size::Unknown,
            },
            id: self.id.clone(),
            parents: self.parents.clone(),
        }
    }
}

impl Common {
    /// The origin of the trace.
    fn origin(&self) -> Origin {
        let origin = self.origin_of(&self.output);
        Origin { name: self.name.clone().unwrap_or(origin.name), ..origin }
    }

    /// The origin of an output, named after its file.
    fn origin_of(&self, output: &Path) -> Origin {
        let file_name = |path: &Path| {
            let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            absolute.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
        };
        let output = output.file_name().unwrap_or(output.as_os_str()).to_string_lossy();
        Origin {
            name: output.trim_end_matches(".gz").trim_end_matches(".jsonl").to_owned(),
            // Without its folder: paths say more of a machine than of a trace.
            source: file_name(&self.source),
            license: self.license.clone(),
            attribution: self.attribution.clone(),
            gzip: output.ends_with(".gz"),
        }
    }

    /// Refuses to overwrite, unless told to.
    fn check_is_free(&self, output: &Path) -> Result<(), Failure> {
        if output.exists() && !self.force {
            let path = output.display();
            return Err(Failure::usage(format!("{path} is there already; use --force to replace it")));
        }
        Ok(())
    }

    /// Runs the importer into memory and writes the file whole.
    fn write(
        &self,
        import: impl FnOnce(Origin, &mut Vec<u8>) -> Result<Imported, ImportError>,
    ) -> Result<u8, Failure> {
        self.check_is_free(&self.output)?;
        let mut bytes = Vec::new();
        let imported = import(self.origin(), &mut bytes).map_err(Failure::usage)?;
        write_whole(&self.output, &bytes)?;
        self.say_imported(&imported);
        Ok(OK)
    }

    /// An IRC log, and its presence.
    fn write_irc(&self, clock: Clock, presence: Option<&Path>) -> Result<u8, Failure> {
        let options = |origin| IrcOptions { origin, clock };
        let Some(path) = presence else {
            return self.write(|origin, out| import_irc(&self.source, &options(origin), out, None));
        };
        if path == self.output {
            let path = path.display();
            return Err(Failure::usage(format!("--presence {path} is the trace as well: name another file")));
        }
        self.check_is_free(&self.output)?;
        self.check_is_free(path)?;
        let (mut bytes, mut beside) = (Vec::new(), Vec::new());
        let origin = self.origin_of(path);
        let imported =
            import_irc(&self.source, &options(self.origin()), &mut bytes, Some((&origin, &mut beside)))
                .map_err(Failure::usage)?;
        write_whole(&self.output, &bytes)?;
        write_whole(path, &beside)?;
        self.say_imported(&imported);
        say(format_args!(
            "{}: {} stretches online of {} members",
            path.display(),
            imported.intervals,
            imported.peers
        ));
        Ok(OK)
    }

    fn say_imported(&self, imported: &Imported) {
        say(format_args!(
            "{}: {} messages by {} authors, {} edges",
            self.output.display(),
            imported.messages,
            imported.authors,
            imported.edges
        ));
        if let Some(line) = imported.skipped_first {
            eprintln!(
                "skipped {} lines that are no messages, the first of them line {line}",
                imported.skipped
            );
        }
        if imported.edges_dropped > 0 {
            eprintln!(
                "left out {} edges that lead out of the trace or into the future",
                imported.edges_dropped
            );
        }
        if imported.rollovers > 0 {
            eprintln!(
                "the clock went past midnight {} times: compare with the days it spans",
                imported.rollovers
            );
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// A source that cannot be read or understood, an output that is there already, a disk that refuses.
pub fn run(args: &Args) -> Result<u8, Failure> {
    match &args.source {
        Source::Git { common, revision, author_time } => common.write(|origin, out| {
            let time = if *author_time { GitTime::Author } else { GitTime::Committer };
            import_git(&common.source, &GitOptions { origin, revision: revision.clone(), time }, out)
        }),
        Source::Irc { common, clock_12h, presence } => {
            let clock = if *clock_12h { Clock::Hours12 } else { Clock::Hours24 };
            common.write_irc(clock, presence.as_deref())
        }
        Source::Jsonl { common, columns } => common.write(|origin, out| {
            import_jsonl(&common.source, &JsonlOptions { origin, columns: columns.columns() }, out)
        }),
        Source::Csv { common, columns, delimiter } => {
            let delimiter = match delimiter.as_bytes() {
                b"tab" => b'\t',
                [byte] => *byte,
                _ => {
                    return Err(Failure::usage(format!(
                        "--delimiter `{delimiter}`: expected one character, or `tab`"
                    )));
                }
            };
            common.write(|origin, out| {
                import_csv(&common.source, &CsvOptions { origin, columns: columns.columns(), delimiter }, out)
            })
        }
    }
}
