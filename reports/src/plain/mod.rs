//! The main tables without a page: Markdown for a spec document or a pull request, CSV for a spreadsheet.
//!
//! Both read the same study as the page, so that the three cannot disagree.

mod csv;
pub(crate) mod markdown;
mod peers;
mod rules;
mod summary;

pub use csv::csv;
pub use summary::markdown;
