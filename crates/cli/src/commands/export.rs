//! `alexnet export`.

use std::process::ExitCode;

use anyhow::Result;
use model::{Format, Network};
use tensor::Device;

use crate::args::{ExportArgs, FormatArg};
use crate::report;

pub(crate) fn run(args: &ExportArgs) -> Result<ExitCode> {
    let weights = super::weights(&args.weights, args.output)?;
    let mut network = Network::open(&weights.path, &Device::cpu())?;
    if network.preparation().is_none()
        && let Some(recipe) = &weights.recipe
        // Of a run by a version that did not note it in its weights.
        && let Ok(preparation) =
            recipe.preparation(recipe.source(), network.architecture().input())
    {
        network = network.with_preparation(preparation);
    }
    let format = match args.format {
        FormatArg::Safetensors => Format::Safetensors,
        FormatArg::Torchvision => Format::Torchvision,
        FormatArg::Keras => Format::Keras,
        FormatArg::Onnx => Format::Onnx,
    };
    let file = report::shown(&args.out);
    report::working(
        &format!("writing {file}, to read it back and compare"),
        args.output,
    );
    let exported = network.export(format, None, &args.out)?;
    report::exported(&network, &exported, &args.out, args.output)?;
    Ok(ExitCode::SUCCESS)
}
