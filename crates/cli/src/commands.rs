//! The commands, one module each: from arguments to calls of `train`, and from results to `report`.

pub(crate) mod bench;
mod devices;
mod evaluate;
mod gradcheck;
mod parity;
mod recipes;
mod summary;
mod train;

use std::process::ExitCode;

use ::train::Recipe;
use anyhow::Result;

use crate::args::{Args, Command, MachineArgs};

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match &args.command {
        Command::Train(args) => train::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Gradcheck(args) => gradcheck::run(args),
        Command::Devices(output) => devices::run(*output),
        Command::Summary(args) => summary::run(args),
        Command::Recipes(args) => recipes::run(args),
        Command::Parity(args) => parity::run(args),
    }
}

/// Puts the flags that say where things run and lie into a recipe.
fn apply(machine: &MachineArgs, recipe: &mut Recipe) {
    if let Some(device) = &machine.device {
        recipe.machine.device.clone_from(device);
    }
    if let Some(dir) = &machine.data_dir {
        recipe.machine.data_dir = Some(dir.clone());
    }
    if let Some(threads) = machine.threads {
        recipe.machine.loader_threads = threads;
    }
}
