//! Our kernels beside other people's, in one run: `cargo bench -p offerbench-peers -- FILTER`.
//!
//! A figure of another machine, another day or another author's benchmark says nothing about ours. So both sides of a
//! *cell* work on the same sets, in turns, on one thread, and what counts is the ratio within a round. The crate is no
//! default member of the workspace: whoever builds offerbench does not build other people's crates.
//!
//! | peer | what is compared |
//! | --- | --- |
//! | `minisketch-rs`, with carry-less multiplication | PinSketch over GF(2^64): encode in a batch and element by element, decode, a session in parts |
//! | `riblt`, `do-riblt` | Rateless IBLT over 8-byte ids: encode, decode, a session and its bytes |
//! | `negentropy` | range-based sessions of both ends, their bytes, sealing a set |
//! | `fastbloom`, `xorf` | Bloom filters at one rate of false positives: build, query; fuse filters: query |
//! | rebuilding (ours) | one more item in what an index maintains |
//!
//! **Fair.** (1) *Verified before the clock runs*: both find exactly the same difference, or write the same bytes where
//! formats are the same; a cell that disagrees ends the run. (2) *The same sets*, from one seed, unsorted. (3) *Hashing*:
//! sketches and Bloom filters take ids as they are, with no hash in either figure; Rateless IBLTs hash within the clock, each by
//! its own; ranges hash nothing but fingerprints. (4) *Everybody's best*: release builds with link-time optimisation,
//! minisketch with `-DHAVE_CLMUL`, which its build script leaves out, and the implementation that multiplies so; crates
//! are called the cheapest way that their interface has, and where that matters the module says how. Nothing is built for
//! this machine's instructions alone; ours picks a path at run time and the row names it. (5) *Time is the thread's CPU
//! time*; making and copying sets is off the clock. (6) *Cells are kept apart* by what they ask for: all items at once or
//! one at a time, cold (from sets alone) or warm (on what an index maintains).
//!
//! A round is a block of ours and a block of theirs; where ours is short it is repeated within its block. The figure of
//! a cell is the median over rounds, its interval a bootstrap of that median. Bytes are counted, not timed.
//!
//! The rows go to `target/offerbench/peers.jsonl`, of which `offerbench report` makes a table with the machine, alone or
//! beside a run's records. [`table::ROWS`] is the list of cells.

pub mod clock;
pub mod contest;
mod kernels;
pub mod measure;
pub mod output;
#[path = "../../benches/src/provenance.rs"]
mod provenance;
mod sets;
pub mod table;
