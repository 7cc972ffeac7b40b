//! `cargo xtask shaders COMMAND`: what other people's compilers make of the shaders, without a GPU.

pub(crate) mod check;
mod stats;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

/// The verb.
pub(crate) fn run(args: &[OsString]) -> Result<ExitCode> {
    let (command, rest) = args.split_first().map_or(("", args), |(first, rest)| {
        (first.to_str().unwrap_or(""), rest)
    });
    match command {
        "check" if rest.is_empty() => check::run(),
        "check" => Ok(crate::usage("`shaders check` takes no arguments")),
        "stats" => stats::run(rest),
        _ => Ok(crate::usage("`shaders` needs a command: check or stats")),
    }
}
