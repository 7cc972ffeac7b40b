//! `alexnet bench`: training and inference throughput of networks on a device, medians over steps.

use std::process::ExitCode;

use anyhow::Result;
use train::model::Architecture;
use train::throughput::Throughput;
use train::{Device, Recipe};

use crate::args::BenchArgs;
use crate::report::{self, Speed};

/// Steps before the clock counts: caches, pools and shader compilers settle.
const WARM_UP: usize = 3;

pub(crate) fn run(args: &BenchArgs) -> Result<ExitCode> {
    anyhow::ensure!(
        args.batch_size > 0,
        "--batch-size: expected 1 image at least, got 0"
    );
    anyhow::ensure!(args.steps > 0, "--steps: expected 1 step at least, got 0");
    let device = Device::open(args.device.as_deref().unwrap_or("auto"))?;
    let architecture = Architecture::new(&args.network, args.classes, args.input_size)?;
    let recipe = Recipe::for_dataset("shapes10")?;
    let mut throughput = Throughput::new(&architecture, &recipe, args.batch_size, &device)?;
    let first_step_s = throughput.train_step()?;
    let mut time = |f: fn(&mut Throughput) -> train::Result<f64>| -> Result<Vec<f64>> {
        let mut seconds = Vec::new();
        for step in 0..WARM_UP + args.steps {
            let elapsed = f(&mut throughput)?;
            if step >= WARM_UP {
                seconds.push(elapsed);
            }
        }
        seconds.sort_by(f64::total_cmp);
        Ok(seconds)
    };
    let (train_s, infer_s) = (time(Throughput::train_step)?, time(Throughput::infer)?);
    let profile = if args.profile {
        throughput.profile(args.steps)?
    } else {
        Vec::new()
    };
    report::speed(
        &Speed {
            network: &architecture.to_string(),
            device: &device,
            batch_size: args.batch_size,
            first_step_s,
            train_s: &train_s,
            infer_s: &infer_s,
            profile: &profile,
        },
        args.output,
    )?;
    Ok(ExitCode::SUCCESS)
}
