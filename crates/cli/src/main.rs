//! The `alexnet` command. Not for computing: everything it does is a call to `train`, and everything it prints is in
//! `report`.
// As in `train`: rustdoc goes down to the insides of wgpu's buffers.
#![recursion_limit = "256"]

mod args;
mod commands;
mod examples;
mod hint;
mod progress;
mod report;
mod signals;
mod view;

use std::process::ExitCode;

use clap::FromArgMatches as _;

fn main() -> ExitCode {
    let matches = examples::command().try_get_matches();
    let args = matches.and_then(|matches| args::Args::from_arg_matches(&matches));
    match args {
        Ok(args) => {
            commands::run(&args).unwrap_or_else(|error| report::failure(&error, &args.command))
        }
        Err(error) => report::usage(&error),
    }
}
