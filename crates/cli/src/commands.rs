//! The commands, one module each: from arguments to calls of `train`, and from results to `report`.

pub(crate) mod bench;
mod completions;
mod dashboard;
mod data;
mod device;
mod devices;
mod doctor;
mod evaluate;
mod export;
mod gradcheck;
mod import;
mod inspect;
mod kernels;
mod learn;
mod man;
mod parity;
mod predict;
mod recipes;
mod report;
mod summary;
mod sweep;
mod train;
mod trial;
mod tune;
mod watch;

use std::path::Path;
use std::process::ExitCode;

use ::report::TensorBoard;
use ::train::{Recipe, Weights};
use anyhow::Result;

use crate::args::{Args, Command, OutputArgs, RuntimeArgs};
use crate::progress::Progress;

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if args.command.is_quiet() {
        crate::report::be_quiet();
    }
    match &args.command {
        Command::Train(args) => train::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Sweep(args) => sweep::run(args),
        Command::Data(args) => data::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Tune(args) => tune::run(args),
        Command::Gradcheck(args) => gradcheck::run(args),
        Command::Devices(output) => devices::run(*output),
        Command::Doctor(args) => doctor::run(args),
        Command::Summary(args) => summary::run(args),
        Command::Recipes(args) => recipes::run(args),
        Command::Parity(args) => parity::run(args),
        Command::Report(args) => report::run(args),
        Command::Watch(args) => watch::run(args),
        Command::Dashboard(args) => dashboard::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
        Command::Learn(args) => learn::run(args),
        Command::Kernels(args) => kernels::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}

/// Puts the flags that say where things run and lie into a recipe.
fn apply(runtime: &RuntimeArgs, recipe: &mut Recipe) {
    if let Some(device) = &runtime.device {
        recipe.runtime.device.clone_from(device);
    }
    if let Some(dir) = &runtime.data_dir {
        recipe.runtime.data_dir = Some(dir.clone());
    }
    recipe.skip_unreadable |= runtime.skip_unreadable;
    if let Some(threads) = runtime.threads {
        recipe.runtime.loader_threads = threads;
    }
}

/// Refuses a recipe for what needs neither device nor images to be seen: a network or data set that there is not, an
/// input that is too small, weights that are not there.
fn check_names(recipe: &Recipe) -> Result<()> {
    recipe.check()?;
    recipe.architecture(2, recipe.images.channels)?;
    ::data::check_name(Path::new(&recipe.dataset))?;
    if let Some(from) = &recipe.from {
        Weights::find(Path::new(from))?;
    }
    Ok(())
}

/// The weights that `path` means, checked; a word if nothing is there to check them by.
fn weights(path: &Path, output: OutputArgs) -> Result<Weights> {
    let weights = Weights::find(path)?;
    // Before anything is concluded from what is not beside it.
    files::open(&weights.path)?;
    if weights.is_unchecked {
        let file = crate::report::shown(&weights.path);
        let text = format!("{file}: saved before checkpoints had checksums, read unchecked");
        crate::report::working(&text, output);
    }
    Ok(weights)
}

/// The exit code of a run that was interrupted: 128 and the number of SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// Draws what the run has left. An image that can't be drawn must not lose a run: it is a warning.
fn look_back(
    folder: &Path,
    tensorboard: TensorBoard,
    progress: &mut Progress,
    output: OutputArgs,
) -> Result<()> {
    let mut tell = |what: &str, done, of| progress.drawing(what, done, of);
    let written = ::report::write_report_telling(folder, &mut tell);
    progress.clear();
    let plots = match written {
        Ok(written) => {
            crate::report::missing_plots(&written.gallery, output);
            // With --json, the summary is all that standard output has.
            if !output.json {
                crate::report::page(&written.report, output)?;
            }
            written.gallery.plots
        }
        Err(error) => {
            crate::report::warning(&error.into(), output);
            Vec::new()
        }
    };
    progress.drawing("TensorBoard", 0, 1);
    let finished = tensorboard.finish(&plots);
    progress.clear();
    if let Err(error) = finished {
        crate::report::warning(&error.into(), output);
    }
    crate::report::drawn(folder, output)
}
