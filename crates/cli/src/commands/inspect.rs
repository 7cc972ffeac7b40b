//! `alexnet inspect`.

use std::process::ExitCode;

use anyhow::Result;
use model::TensorFile;

use crate::args::InspectArgs;
use crate::report;

pub(crate) fn run(args: &InspectArgs) -> Result<ExitCode> {
    let weights = super::weights(&args.weights, args.output)?;
    report::inspected(TensorFile::open(&weights.path)?, args.output)?;
    Ok(ExitCode::SUCCESS)
}
