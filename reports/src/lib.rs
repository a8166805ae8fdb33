//! offerbench's records and what is made of them: the schema, a reader that refuses mixed or damaged
//! files, statistics, and one self-contained HTML page. A pure function of files of records: no clock,
//! no environment, nothing of the other crates.

pub mod record;
