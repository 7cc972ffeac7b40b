//! `alexnet devices`.

use std::process::ExitCode;

use anyhow::Result;
use tensor::Device;

use crate::args::OutputArgs;
use crate::report;

pub(crate) fn run(output: OutputArgs) -> Result<ExitCode> {
    report::devices(&Device::cpu(), &Device::adapters(), output)?;
    Ok(ExitCode::SUCCESS)
}
