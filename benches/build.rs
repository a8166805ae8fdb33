//! Records which sources the tool was built from, so that every result names them.

use std::path::Path;
use std::process::Command;

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn main() {
    let commit = git(&["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    // Untracked files (results, notes) do not make the sources differ.
    let dirty = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|s| !s.is_empty());
    println!("cargo:rustc-env=OFFERBENCH_COMMIT={commit}");
    println!("cargo:rustc-env=OFFERBENCH_DIRTY={dirty}");

    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output().ok();
    let version = version.map_or_else(String::new, |output| String::from_utf8_lossy(&output.stdout).into());
    println!("cargo:rustc-env=OFFERBENCH_RUSTC={}", version.trim());
    for (name, variable) in [("PROFILE", "PROFILE"), ("OPT_LEVEL", "OPT"), ("RUSTFLAGS", "FLAGS")] {
        // Cargo hands encoded flags to build scripts, separated by a control character.
        let source = if name == "RUSTFLAGS" { "CARGO_ENCODED_RUSTFLAGS" } else { name };
        let value = std::env::var(source).unwrap_or_default().replace('\u{1f}', " ");
        println!("cargo:rustc-env=OFFERBENCH_{variable}={value}");
    }

    // The crate of peers has this script too, and fewer folders: a path that is not there would run it every time.
    for path in ["src", "experiments", "build.rs", "../algos", "../datasets", "../reports", "../Cargo.lock"] {
        if Path::new(path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    if let Some(dir) = git(&["rev-parse", "--git-dir"]) {
        for file in ["HEAD", "index", "logs/HEAD"] {
            println!("cargo:rerun-if-changed={dir}/{file}");
        }
    }
}
