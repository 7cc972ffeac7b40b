//! `cargo xtask shaders SUBCOMMAND`: what other people's compilers make of the shaders.

mod stats;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

/// Runs a subcommand.
pub(crate) fn run(args: &[OsString]) -> Result<ExitCode> {
    let (subcommand, rest) = args.split_first().unzip();
    match subcommand.and_then(|name| name.to_str()) {
        Some("stats") => stats::run(rest.unwrap_or_default()),
        _ => Ok(crate::usage("`shaders` expects a subcommand: stats")),
    }
}
