//! `alexnet bench`: training and inference throughput. Of one network on one device in this process; or, without a
//! network, of everything that is compared, each contender in processes of its own.

mod comparison;
pub(crate) mod contenders;
mod plan;
mod processors;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use model::Architecture;
use tensor::Profile;
use train::throughput::Throughput;
use train::{OptimizerKind, Recipe};

use crate::args::{BenchArgs, PrecisionArg};
use crate::report::{self, Speed};

/// Steps before the clock counts: caches, pools and shader compilers settle.
const WARM_UP: usize = 3;
/// Images in a step, unless told otherwise.
pub(super) const DEFAULT_BATCH: usize = 128;

pub(crate) fn run(args: &BenchArgs) -> Result<ExitCode> {
    anyhow::ensure!(
        args.batch_size != Some(0),
        "--batch-size: expected at least 1 image, got 0"
    );
    anyhow::ensure!(args.steps > 0, "--steps: expected at least 1 step, got 0");
    anyhow::ensure!(
        args.rounds > 0,
        "--rounds: expected at least 1 round, got 0"
    );
    match &args.network {
        Some(network) if args.plan => plan::run(network, args),
        Some(network) if args.peers.is_none() => measure(network, args),
        _ => comparison::run(args),
    }
}

fn measure(network: &str, args: &BenchArgs) -> Result<ExitCode> {
    let batch_size = args.batch_size.unwrap_or(DEFAULT_BATCH);
    let architecture = args.sizes.network(network)?;
    let mut recipe = recipe(&architecture, args.precision)?;
    recipe.runtime.winograd = args.winograd.into();
    if let Some(device) = &args.device {
        recipe.runtime.device.clone_from(device);
    }
    let device = recipe.open_device()?;
    super::device::heed(&device, args.output)?;
    let mut throughput = Throughput::new(&architecture, &recipe, batch_size, &device)?;
    let first_step_s = throughput.train_step()?;
    let mut time = |f: fn(&mut Throughput) -> train::Result<f64>| {
        let limit_s = args.seconds.unwrap_or(f64::INFINITY);
        timed(args.steps, limit_s, || f(&mut throughput))
    };
    let (train_s, infer_s) = (time(Throughput::train_step)?, time(Throughput::infer)?);
    let profile = if args.profile {
        throughput.profile(args.steps)?
    } else {
        Profile::default()
    };
    report::speed(
        &Speed {
            network: &architecture,
            device: &device,
            batch_size,
            precision: recipe.precision,
            first_step_s,
            train_s: &train_s,
            infer_s: &infer_s,
            profile: &profile,
        },
        args.output,
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Adam for networks of small images, else the SGD of the paper: what the peers do too.
pub(super) fn recipe(architecture: &Architecture, precision: PrecisionArg) -> Result<Recipe> {
    let mut recipe = Recipe::for_dataset("shapes10")?;
    recipe.precision = precision.into();
    let optimizer = &mut recipe.optimizer;
    if architecture.input_size() <= 64 {
        optimizer.kind = OptimizerKind::Adam;
    } else {
        optimizer.kind = OptimizerKind::Sgd;
        (optimizer.momentum, optimizer.weight_decay) = (0.9, 5e-4);
    }
    Ok(recipe)
}

/// Sorted seconds of `steps` steps, or of as many as fit into `limit_s`; up to [`WARM_UP`] go before.
fn timed(
    steps: usize,
    limit_s: f64,
    mut step: impl FnMut() -> train::Result<f64>,
) -> Result<Vec<f64>> {
    let began = Instant::now();
    for _ in 0..WARM_UP {
        step()?;
        if began.elapsed().as_secs_f64() > limit_s / 2.0 {
            break;
        }
    }
    let (mut seconds, began) = (Vec::new(), Instant::now());
    while seconds.len() < steps && (seconds.is_empty() || began.elapsed().as_secs_f64() < limit_s) {
        seconds.push(step()?);
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds)
}
