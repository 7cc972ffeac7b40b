//! `alexnet import`.

use std::process::ExitCode;

use anyhow::Result;
use train::Device;
use train::model::{Format, Network};

use crate::args::{ImportArgs, ImportedArg};
use crate::report;

pub(crate) fn run(args: &ImportArgs) -> Result<ExitCode> {
    report::working(
        &format!("reading {}", report::shown(&args.file)),
        args.output,
    );
    let network = match args.network {
        ImportedArg::AlexnetTorchvision => Network::import_torchvision(&args.file, &Device::cpu())?,
    };
    network.export(Format::Safetensors, None, &args.out)?;
    report::imported(&network, &args.out, args.output)?;
    Ok(ExitCode::SUCCESS)
}
