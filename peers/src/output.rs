//! The file of what was measured, and the table on the terminal.

use std::error::Error;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use offerbench_algos::Seed;
use offerbench_reports::record::{Header, Lane, PeerRow, SCHEMA};
use offerbench_reports::{Book, markdown, read};

use crate::provenance;
use crate::table::ROWS;

/// Root seed of all sets.
const SEED: u64 = 1;

/// Writes `peers.jsonl` into cargo's target folder, whatever was there, and prints what `offerbench report --format md`
/// makes of it. `arguments` are those of the benchmark, for whoever wants to repeat it.
///
/// # Errors
///
/// When the disk refuses.
pub fn write(rows: &[PeerRow], arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let path = path()?;
    let mut text = serde_json::to_string(&header(rows.len() as u64, arguments))? + "\n";
    for row in rows {
        text += &(serde_json::to_string(row)? + "\n");
    }
    std::fs::write(&path, &text)?;
    let name = path.display().to_string();
    let book = Book::unite(vec![read(&name, &mut BufReader::new(text.as_bytes()))?])?;
    println!("\n{}\n{name}: {} cells", markdown(&book), rows.len());
    println!("offerbench report {name} -o peers.html makes a page of it");
    Ok(())
}

fn header(rows: u64, arguments: &[String]) -> Header {
    let cells: String = ROWS.iter().map(|row| format!("{};", row.name())).collect();
    let quoted = |one: &String| format!(" '{}'", one.replace('\'', "'\\''"));
    let arguments: String = arguments.iter().map(quoted).collect();
    let after = if arguments.is_empty() { "" } else { " --" };
    Header {
        offerbench: Lane::Peers,
        schema: SCHEMA,
        experiment: "peers".to_owned(),
        spec_hash: format!("{:016x}", Seed::new(0).child(&cells).value()),
        seed: SEED,
        commit: provenance::COMMIT.to_owned(),
        dirty: provenance::dirty(),
        command: format!("cargo bench -p offerbench-peers{after}{arguments}"),
        rows,
        sweeps: Vec::new(),
        groups: Vec::new(),
        contenders: Vec::new(),
        links: Vec::new(),
        machine: Some(provenance::machine()),
    }
}

/// Benches run in the package's folder; criterion finds the workspace's target by the same rule.
fn path() -> std::io::Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let target = if target.is_relative() { Path::new("..").join(target) } else { target };
    let folder = target.join("offerbench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.canonicalize()?.join("peers.jsonl"))
}
