//! The commands, one module each: from arguments to calls of `train`, and from results to `report`.

mod bench;
mod completions;
mod devices;
mod evaluate;
mod export;
mod gradcheck;
mod import;
mod inspect;
mod man;
mod parity;
mod predict;
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
        Command::Predict(args) => predict::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
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
