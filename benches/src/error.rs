//! What can go wrong at the command line, and the exit code of each.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// Exit code of a run in which every strategy told the truth.
pub const OK: u8 = 0;
/// Exit code of a run in which a strategy answered wrongly.
pub const WRONG: u8 = 1;
/// Exit code of a comparison in which something got worse.
pub const WORSE: u8 = 1;
/// Exit code of a comparison that cannot say: the same as that of bad input.
pub const CANNOT_SAY: u8 = 2;
/// Exit code of a soak in which a world crashed (a panic), and nothing worse.
pub const CRASH: u8 = 10;
/// Exit code of a soak in which a healed world did not come to rest, and nothing worse.
pub const LIVENESS: u8 = 11;
/// Exit code of a soak in which something happened that must never happen.
pub const SAFETY: u8 = 12;

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// The user asked for something that is not there or not allowed: exit 2.
    Usage(String),
    /// The machine refused: disk full, permission denied: exit 3.
    Io(String),
    /// Ctrl-C: exit 130.
    Interrupted(String),
}

impl Failure {
    /// The documented exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Io(_) => 3,
            Self::Interrupted(_) => 130,
        }
    }

    /// Says it on standard error: how a program ends that failed.
    pub fn exit(&self) -> ExitCode {
        eprintln!("offerbench: {self}");
        ExitCode::from(self.code())
    }

    /// Something that the user can put right.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::Usage(message.to_string())
    }

    /// The same, with where it happened before it.
    #[must_use]
    pub fn within(self, place: &str) -> Self {
        match self {
            Self::Usage(message) => Self::Usage(format!("{place}: {message}")),
            Self::Io(message) => Self::Io(format!("{place}: {message}")),
            Self::Interrupted(message) => Self::Interrupted(message),
        }
    }

    /// An error of the operating system while doing something (`what`) with a file.
    pub fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let message = format!("cannot {what} {}: {error}", path.display());
        match error.kind() {
            // The user named a file that is not there, or may not be read.
            std::io::ErrorKind::NotFound
            | std::io::ErrorKind::PermissionDenied
            | std::io::ErrorKind::IsADirectory
            | std::io::ErrorKind::NotADirectory
            | std::io::ErrorKind::AlreadyExists => Self::Usage(message),
            _ => Self::Io(message),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Io(message) | Self::Interrupted(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Failure {}
