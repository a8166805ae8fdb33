//! Makes the page of stored records again, and prints what a terminal gets:
//! `cargo run --release -p offerbench-reports --example page -- report.html exact.jsonl timed.jsonl`.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;

use offerbench_reports::{Book, read, render, sentences, summary_legend, summary_table};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let output = arguments.next().ok_or("say where to write the page, then which files to read")?;
    let runs: Result<Vec<_>, Box<dyn Error>> =
        arguments.map(|name| Ok(read(&name, &mut BufReader::new(File::open(&name)?))?)).collect();
    let book = Book::unite(runs?)?;
    let page = render(&book);
    std::fs::write(&output, &page)?;
    for sentence in sentences(&book) {
        println!("{sentence}\n");
    }
    let table = summary_table(&book);
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    for row in &table {
        let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column)));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    for line in summary_legend(&book) {
        println!("{line}");
    }
    println!("{output}: {} bytes", page.len());
    Ok(())
}
