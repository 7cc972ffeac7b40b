//! `alexnet export`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use model::{Format, Network};
use tensor::Device;

use crate::args::{ExportArgs, FormatArg};
use crate::{hint, report};

/// How Keras tells its weights from whole models.
const KERAS: &str = ".weights.h5";
/// What `predict` does, in Python, with an ONNX file of ours beside it.
const PROGRAM: &str = include_str!("export/predict.py");

pub(crate) fn run(args: &ExportArgs) -> Result<ExitCode> {
    let file = report::shown(&args.out);
    let is_onnx = matches!(args.format, FormatArg::Onnx);
    if args.softmax && !is_onnx {
        return Err(hint::error(
            "--softmax: expected --format onnx, as other formats hold weights alone",
            "leave `--softmax` out: the model that reads the weights may end in one",
        ));
    }
    let is_named = args.out.to_string_lossy().ends_with(KERAS);
    if matches!(args.format, FormatArg::Keras) && !is_named {
        let stem = report::shown(&args.out.with_extension(""));
        return Err(hint::error(
            format!(
                "--out {file}: expected a name that ends in {KERAS}: Keras reads weights from no other"
            ),
            format!("`--out {stem}{KERAS}`"),
        ));
    }
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
    report::working(
        &format!("writing {file}, to read it back and compare"),
        args.output,
    );
    let exported = if args.softmax {
        network.export_onnx_with_softmax(None, &args.out)?
    } else {
        network.export(format, None, &args.out)?
    };
    let program = is_onnx
        .then(|| write_program(&args.out, args))
        .transpose()?;
    let program = program.flatten();
    report::exported(&network, &exported, args, program.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the program in Python beside an ONNX file. Nobody else's file is replaced by it.
fn write_program(onnx: &Path, args: &ExportArgs) -> Result<Option<PathBuf>> {
    let path = onnx.with_extension("py");
    let begins = PROGRAM.lines().next().unwrap_or_default();
    let there = files::read_text(&path, files::MOST_TEXT_BYTES);
    if path.exists() && !there.is_ok_and(|text| text.starts_with(begins)) {
        let path = report::shown(&path);
        report::working(
            &format!("{path}: left as it is, as it is not of this program"),
            args.output,
        );
        return Ok(None);
    }
    files::replace(&path, PROGRAM.as_bytes())?;
    Ok(Some(path))
}
