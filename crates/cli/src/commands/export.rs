//! `alexnet export`.

use std::process::ExitCode;

use anyhow::Result;
use train::Device;
use train::model::{Format, Network, Pixels};

use crate::args::{ExportArgs, FormatArg};
use crate::report;

pub(crate) fn run(args: &ExportArgs) -> Result<ExitCode> {
    let weights = super::weights(&args.weights, args.output)?;
    let network = Network::open(&weights.path, &Device::cpu())?;
    let normalisation = weights.recipe.map(|recipe| recipe.images.normalisation());
    let pixels = match normalisation {
        Some(Ok([mean, deviation])) => Some(Pixels { mean, deviation }),
        _ => None,
    };
    let format = match args.format {
        FormatArg::Safetensors => Format::Safetensors,
        FormatArg::Torchvision => Format::Torchvision,
        FormatArg::Keras => Format::Keras,
        FormatArg::Onnx => Format::Onnx,
    };
    let file = args.out.display();
    report::working(
        &format!("writing {file}, to read it back and compare"),
        args.output,
    );
    let exported = network.export(format, pixels.as_ref(), &args.out)?;
    report::exported(&network, &exported, &args.out, args.output)?;
    Ok(ExitCode::SUCCESS)
}
