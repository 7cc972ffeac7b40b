//! The `alexnet` command. Not for computing: everything it does is a call to `train`, and everything it prints is in
//! `report`.

mod args;
mod commands;
mod hint;
mod progress;
mod report;
mod view;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let args = args::Args::parse();
    commands::run(&args).unwrap_or_else(|error| report::failure(&error))
}
