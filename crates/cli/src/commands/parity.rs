//! `alexnet parity`.

use std::process::ExitCode;

use anyhow::Result;
use tensor::Device;
use verify::parity;

use crate::args::ParityArgs;
use crate::report;

pub(crate) fn run(args: &ParityArgs) -> Result<ExitCode> {
    let device = Device::open(&args.device)?;
    let report = parity::run(
        &args.folder,
        &device,
        args.only.as_deref(),
        |name, verdict| {
            report::parity_case(name, verdict, args.output);
        },
    )?;
    report::parity(&report, &device, args.output)?;
    let [_, failed, _] = report.totals();
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
