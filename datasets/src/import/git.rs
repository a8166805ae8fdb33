//! Imports the history of a local repository: commits are messages, parent links are edges.
//!
//! A history is the nearest thing to a public record of a causal message set: real bursts, real merges, real
//! clocks that run backwards. Only the graph, times, object sizes and numbered authors are taken.
//!
//! The program `git` does the reading; the library would add a large dependency for two commands.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::error::{ImportError, RowFault};
use super::{Authors, Imported, Nature, Origin, T0, finish};
use crate::lines::Lines;
use crate::{Kind, TraceBuilder};

/// Which of a commit's two times to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GitTime {
    /// When the commit object was made: mostly ascending.
    #[default]
    Committer,
    /// When the change was written: rebasing keeps it, so it often runs backwards.
    Author,
}

/// What to take from a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitOptions {
    /// What goes into the header.
    pub origin: Origin,
    /// The commit whose history is taken, such as `HEAD` or `main`.
    pub revision: String,
    /// Which time.
    pub time: GitTime,
}

const NOTE: &str = "One commit a line, parents first (git log --topo-order --reverse). t is the commit's own clock since the first commit, not guaranteed monotone. size = bytes of the raw commit object. parents = true causal parents.";

/// Writes the history of `options.revision` in the repository at `source` as a trace.
///
/// Authors are told apart by their mail address, as the repository's `.mailmap` corrects it. Of a shallow
/// clone only the commits that are there are taken.
///
/// # Errors
///
/// `git` cannot be run, the directory is no repository, it has no such commit, or git fails on the way.
pub fn import_git(source: &Path, options: &GitOptions, out: &mut dyn Write) -> Result<Imported, ImportError> {
    let repository = Repository { path: source };
    // From here on the name of a commit, so that two commands cannot see two histories.
    let tip = repository.resolve(&options.revision)?;
    let time = match options.time {
        GitTime::Committer => "%ct",
        GitTime::Author => "%at",
    };
    let format = format!("--format=tformat:%H%x09%P%x09{time}%x09%aE");
    let order = ["--topo-order", "--reverse"];

    let log_args = ["log", "--no-show-signature", "--no-color", order[0], order[1], &format, &tip, "--"];
    let mut log = repository.start("log", &log_args, Stdio::null())?;
    // The list of hashes goes straight into the other command: no pipe to fill while reading the other.
    let mut list =
        repository.start("rev-list", &["rev-list", order[0], order[1], &tip, "--"], Stdio::null())?;
    let hashes = list.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let check = "--batch-check=%(objectname) %(objectsize)";
    let mut sizes = repository.start("cat-file", &["cat-file", check], hashes)?;

    let result = repository.read(log.stdout.take(), sizes.stdout.take());
    // After an error the pipes are closed by now, so all three end; none is left behind.
    let ends = [("log", log), ("rev-list", list), ("cat-file", sizes)].map(|(command, mut child)| {
        let ended = child.wait();
        (command, ended)
    });
    let (builder, imported) = result?;
    for (command, ended) in ends {
        if !ended.as_ref().is_ok_and(std::process::ExitStatus::success) {
            return Err(repository.failed(command, "failed"));
        }
    }
    let nature =
        Nature { kind: Kind::Git, note: NOTE, time_resolution_s: 1.0, sizes: true, t0: T0::default() };
    finish(builder, &options.origin, &nature, imported, out)
}

struct Repository<'a> {
    path: &'a Path,
}

impl Repository<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.path).arg("--no-replace-objects").args(args);
        // Set by hooks and by other git commands, they would name another repository than asked for.
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
            command.env_remove(OsStr::new(variable));
        }
        command.env("LC_ALL", "C");
        command
    }

    fn failed(&self, command: &'static str, what: &str) -> ImportError {
        ImportError::Git { repository: self.path.display().to_string(), command, what: what.to_owned() }
    }

    fn resolve(&self, revision: &str) -> Result<String, ImportError> {
        let commit = format!("{revision}^{{commit}}");
        let output = self
            .command(&["rev-parse", "--verify", "--end-of-options", &commit])
            .stdin(Stdio::null())
            .output()
            .map_err(ImportError::NoGit)?;
        let first_line =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().unwrap_or("").to_owned();
        let hash = first_line(&output.stdout);
        if output.status.success() && !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(hash);
        }
        Err(ImportError::NoCommit {
            repository: self.path.display().to_string(),
            revision: revision.to_owned(),
            said: first_line(&output.stderr),
        })
    }

    fn start(&self, name: &'static str, args: &[&str], input: Stdio) -> Result<Child, ImportError> {
        let spawned = self.command(args).stdin(input).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        spawned.map_err(|error| self.failed(name, &format!("does not start ({error})")))
    }

    /// Reads both lists side by side: they name the same commits in the same order.
    fn read(
        &self,
        log: Option<ChildStdout>,
        sizes: Option<ChildStdout>,
    ) -> Result<(TraceBuilder, Imported), ImportError> {
        let (Some(log), Some(sizes)) = (log, sizes) else {
            return Err(self.failed("log", "gives no output"));
        };
        let unreadable = |command| move |error: std::io::Error| self.failed(command, &error.to_string());
        let mut log = Lines::new(BufReader::new(log)).map_err(unreadable("log"))?;
        let mut sizes = Lines::new(BufReader::new(sizes)).map_err(unreadable("cat-file"))?;
        let mut builder = TraceBuilder::new();
        let mut imported = Imported::default();
        let mut names = Authors::default();
        let mut index_by_hash: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        let mut start = None;
        loop {
            let line = log.next().map_err(|error| self.failed("log", &error.to_string()))?;
            let Some(line) = line else { break };
            let commit = Commit::parse(line).ok_or_else(|| self.failed("log", "writes unknown lines"))?;
            let size = sizes.next().map_err(|error| self.failed("cat-file", &error.to_string()))?;
            let size = size
                .and_then(|line| size_of(line, commit.hash))
                .ok_or_else(|| self.failed("cat-file", "does not follow the order of `git log`"))?;

            let start = *start.get_or_insert(commit.time);
            let mut parents = Vec::new();
            for hash in commit.parents.split(|byte| *byte == b' ').filter(|hash| !hash.is_empty()) {
                match index_by_hash.get(hash) {
                    Some(index) => parents.push(*index),
                    None => imported.edges_dropped += 1,
                }
            }
            parents.sort_unstable();
            parents.dedup();
            let author = names.number(&String::from_utf8_lossy(commit.mail).to_ascii_lowercase());
            let t = commit.time.saturating_sub(start) as f64;
            builder.push(t, author, size, &parents).map_err(|rule| ImportError::Row {
                file: self.path.display().to_string(),
                line: log_line(&builder),
                fault: RowFault::Rule(rule),
            })?;
            index_by_hash.insert(commit.hash.to_vec(), builder.len() as u32 - 1);
        }
        Ok((builder, imported))
    }
}

/// The line of the log that comes after those already taken.
fn log_line(builder: &TraceBuilder) -> u64 {
    builder.len() as u64 + 1
}

struct Commit<'a> {
    hash: &'a [u8],
    parents: &'a [u8],
    time: i64,
    mail: &'a [u8],
}

impl<'a> Commit<'a> {
    fn parse(line: &'a [u8]) -> Option<Self> {
        let mut parts = line.splitn(4, |byte| *byte == b'\t');
        let (hash, parents, time, mail) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self { hash, parents, time: std::str::from_utf8(time).ok()?.parse().ok()?, mail })
    }
}

/// The size in a line `hash size`, if it is about this commit.
fn size_of(line: &[u8], hash: &[u8]) -> Option<u32> {
    std::str::from_utf8(line.strip_prefix(hash)?.strip_prefix(b" ")?).ok()?.parse().ok()
}
