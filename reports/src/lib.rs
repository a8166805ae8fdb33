//! offerbench's records and what is made of them: the schema, a reader that refuses mixed or damaged
//! files, statistics, and one self-contained HTML page.
//!
//! A pure function of files of records: no clock, no environment, no network, nothing of the other
//! crates. Strategies are strings here, so a file outlives the strategy that wrote it. The same files
//! give the same page, byte for byte.
//!
//! Three steps lead from files to a page, and two types matter:
//!
//! 1. [`read()`] turns one file into a [`Run`], or says which line is damaged and what to do;
//! 2. [`Book::unite`] puts runs together and refuses mixtures: a [`Book`] that exists is sound;
//! 3. [`render`] draws the page; [`sentences`], [`claims`], [`summary_table`] and [`summary_legend`] give a terminal the same
//!    words and numbers.
//!
//! ```no_run
//! use offerbench_reports::{Book, read, render};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut lines = std::io::BufReader::new(std::fs::File::open("exact.jsonl")?);
//! let book = Book::unite(vec![read("exact.jsonl", &mut lines)?])?;
//! std::fs::write("report.html", render(&book))?;
//! # Ok(()) }
//! ```
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`record`] | the schema: one line of a file |
//! | `read`, `book`, `error` | files to a sound [`Book`], and every reason to refuse |
//! | [`stats`], [`fit`], [`bounds`], [`format`](mod@format) | medians and intervals; power laws; information-theoretic floors; figures for people |
//! | [`link`] | how long a session takes on a link |
//! | `study` | what the records say: points, cells, winners, crossings, the summary; `study::group`: of groups |
//! | `decide` | objectives, cells, regret, and the short rules that follow |
//! | `theory` | closed forms: what each family's bytes and flights should be, and whether they are |
//! | `charts`, `html` | how that looks |
//! | `plain` | the main tables as Markdown and as CSV |
//! | [`compare`](mod@compare) | two runs of one experiment, held against each other |

mod book;
pub mod bounds;
mod charts;
pub mod compare;
mod decide;
mod error;
pub mod fit;
pub mod format;
mod html;
pub mod link;
mod parts;
mod plain;
mod read;
pub mod record;
pub mod stats;
mod study;
mod theory;

pub use book::{Book, Experiment, Gap, Rows, Run};
pub use error::{BookError, CompareError};
pub use html::render;
pub use plain::{csv, markdown};
pub use read::read;
pub use study::digest::{summary_legend, summary_table};
pub use study::summary::{claims, sentences};
