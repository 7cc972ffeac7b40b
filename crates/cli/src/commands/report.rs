//! `alexnet report`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use report::{Gallery, Run, Shown};

use crate::args::ReportArgs;
use crate::progress::Progress;
use crate::report as print;

pub(crate) fn run(args: &ReportArgs) -> Result<ExitCode> {
    if let Some(layer) = &args.activations {
        return activations(args, layer);
    }
    let out = match (args.runs.as_slice(), &args.out) {
        ([run], None) => {
            let mut progress = Progress::new(args.output);
            let mut tell = |what: &str, done, of| progress.drawing(what, done, of);
            let written = report::write_report_telling(run, &mut tell);
            progress.clear();
            let written = written?;
            print::missing_plots(&written.gallery, args.output);
            print::page(&written.report, args.output)?;
            return Ok(ExitCode::SUCCESS);
        }
        (_, Some(out)) => out.clone(),
        (_, None) => PathBuf::from("comparison.html"),
    };
    report::write_comparison(&args.runs, &out)?;
    print::page(&out, args.output)?;
    Ok(ExitCode::SUCCESS)
}

/// Draws a layer's activations for one image.
fn activations(args: &ReportArgs, layer: &str) -> Result<ExitCode> {
    let [folder] = args.runs.as_slice() else {
        anyhow::bail!("--activations: expected one run, got {}", args.runs.len());
    };
    let image = args.image.as_deref().unwrap_or("0");
    let shown = match image.parse() {
        Ok(sample) => Shown::Sample(sample),
        Err(_) => Shown::File(Path::new(image)),
    };
    let plot = Gallery::activations(&Run::read(folder)?, layer, shown)?;
    let plot = plot.with_context(|| format!("--activations: layer {layer} has nothing to draw"))?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => folder
            .join("plots")
            .join(format!("activations-{layer}.png")),
    };
    if let Some(parent) = out.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    let is_svg = out
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("svg"));
    let bytes = if is_svg {
        plot.svg().into_bytes()
    } else {
        plot.png()?
    };
    files::replace(&out, &bytes)?;
    print::page(&out, args.output)?;
    Ok(ExitCode::SUCCESS)
}
