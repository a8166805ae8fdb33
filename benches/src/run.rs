//! A whole run: both lanes into a folder, and the report of them.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use offerbench_reports::record::{Lane, Outcome};
use offerbench_reports::{Book, read, render};

use crate::error::Failure;
use crate::group::lane;
use crate::plan::Plan;
use crate::sink::{Existing, Sink};
use crate::{exact, timed};

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    /// Trials whose strategy answered wrongly.
    pub wrong: usize,
    /// The report.
    pub report: PathBuf,
    /// Everything that was recorded.
    pub book: Book,
}

/// Names of the files of a run, in its folder.
pub const EXACT: &str = "exact.jsonl";
/// See [`EXACT`].
pub const TIMED: &str = "timed.jsonl";
/// See [`EXACT`].
pub const GROUP: &str = "group.jsonl";
/// See [`EXACT`].
pub const CPU: &str = "cpu.jsonl";
/// See [`EXACT`].
pub const REPORT: &str = "report.html";

/// Runs `plan` into `dir`.
///
/// # Errors
///
/// Files that are there and may not be replaced, a disk that refuses, Ctrl-C.
pub fn run(
    plan: &Plan,
    dir: &Path,
    existing: Existing,
    threads: usize,
    interrupted: &AtomicBool,
) -> Result<Ran, Failure> {
    fs::create_dir_all(dir).map_err(|error| Failure::io("create", dir, &error))?;
    let paths = [EXACT, TIMED, GROUP, CPU, REPORT].map(|name| dir.join(name));
    let [exact_path, timed_path, group_path, cpu_path, report] = &paths;
    if existing == Existing::Refuse
        && let Some(there) = paths.iter().find(|path| path.exists())
    {
        return Err(Failure::usage(format!(
            "{} is there already; use --resume to go on with it, --force to replace it, or another --out",
            there.display()
        )));
    }
    if existing == Existing::Force {
        // A timed file of another run beside a new exact file would be a mix.
        for path in &paths {
            match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::io("replace", path, &error));
                }
                _ => {}
            }
        }
    }
    let hint = |failure: Failure| match failure {
        Failure::Interrupted(_) => Failure::Interrupted(format!(
            "interrupted; {} holds whole rows only: go on with the same command and --out {} --resume",
            dir.display(),
            dir.display()
        )),
        other => other,
    };

    let mut wrong = 0;
    if !plan.sweeps.is_empty() {
        let mut sink = Sink::open(exact_path, &plan.exact_header(), existing)?;
        let outcomes = exact::run(plan, &mut sink, threads, interrupted).map_err(hint)?;
        wrong += outcomes.count(Outcome::Wrong);
        let header = plan.header(Lane::Timed, timed::row_count(plan, &outcomes));
        if header.rows > 0 {
            let mut sink = Sink::open(timed_path, &header, existing)?;
            timed::run(plan, &outcomes, &mut sink, interrupted).map_err(hint)?;
        }
    }
    if !plan.groups.is_empty() {
        let rows = plan.jobs().len() as u64;
        let mut counts = Sink::open(group_path, &plan.header(Lane::Group, rows), existing)?;
        let mut cpu = Sink::open(cpu_path, &plan.header(Lane::Cpu, rows), existing)?;
        wrong += lane::run(plan, &mut counts, &mut cpu, threads, interrupted).map_err(hint)?;
    }

    let files: Vec<PathBuf> = paths[..4].iter().filter(|path| path.exists()).cloned().collect();
    let book = read_book(&files)?;
    write_whole(report, render(&book).as_bytes())?;
    Ok(Ran { wrong, report: report.clone(), book })
}

/// Reads record files into one book.
///
/// # Errors
///
/// Files that cannot be read, are damaged, or do not belong together.
pub fn read_book(files: &[PathBuf]) -> Result<Book, Failure> {
    let mut runs = Vec::new();
    for path in files {
        let file = fs::File::open(path).map_err(|error| Failure::io("read", path, &error))?;
        let name = path.display().to_string();
        runs.push(read(&name, &mut BufReader::new(file)).map_err(Failure::usage)?);
    }
    Book::unite(runs).map_err(Failure::usage)
}

/// Writes a file so that it is there whole or not at all.
///
/// # Errors
///
/// When the disk refuses.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: &std::io::Error| Failure::io("write", path, error);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
    std::io::Write::write_all(&mut file, bytes).map_err(|error| failed(&error))?;
    // Temporary files are private; a report is for everybody whom the folder is for.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(mode).map_err(|error| failed(&error))?;
    }
    file.persist(path).map_err(|error| failed(&error.error))?;
    Ok(())
}
