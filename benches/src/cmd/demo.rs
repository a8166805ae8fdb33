//! `offerbench demo`: four members, told.
use crate::error::{Failure, OK};

/// Tell the story of a small group: two phones that never meet, and two desktops that carry.
#[derive(clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
///
/// None yet.
pub fn run(_: &Args) -> Result<u8, Failure> {
    Ok(OK)
}
