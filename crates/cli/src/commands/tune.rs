//! `alexnet tune`: how long each matrix product of a training step takes with every tile, and with the one that is used.

use std::process::ExitCode;

use anyhow::Result;
use train::tune;

use crate::args::TuneArgs;
use crate::commands::bench::recipe;
use crate::progress::Progress;
use crate::{hint, report};

pub(crate) fn run(args: &TuneArgs) -> Result<ExitCode> {
    anyhow::ensure!(
        args.batch_size > 0,
        "--batch-size: expected at least 1 image, got 0"
    );
    let architecture = args.sizes.network(&args.network)?;
    let mut recipe = recipe(&architecture, args.precision)?;
    recipe.runtime.device.clone_from(&args.device);
    let device = recipe.open_device()?;
    super::device::heed(&device, args.output)?;
    let tiles = device.tiles();
    if tiles.is_empty() {
        return Err(hint::error(
            "--device: expected a GPU, got the CPU device, which has no tiles to choose from",
            "`alexnet devices` lists what this machine has",
        ));
    }
    let mut progress = Progress::new(args.output);
    let found = tune::tune(
        &architecture,
        &recipe,
        args.batch_size,
        &device,
        &tiles,
        |done, of| progress.counting("trying plans", done, of),
    )?;
    progress.clear();
    report::tuned(&architecture, &device, &found, args.output)?;
    Ok(ExitCode::SUCCESS)
}
