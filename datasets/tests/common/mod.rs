//! What tests over real traces share.

use std::io::{self, Write as _};
use std::path::PathBuf;

/// A shared trace, where there are any; says so where there are none.
pub fn shared(file: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/traces")).join(file);
    if path.exists() {
        return Some(path);
    }
    // Not `println`: the harness hides what a passing test prints.
    let _ = writeln!(io::stderr(), "skipped: the shared trace {file} is absent");
    None
}
