//! `alexnet summary`.

use std::process::ExitCode;

use anyhow::Result;

use crate::args::SummaryArgs;
use crate::report;

pub(crate) fn run(args: &SummaryArgs) -> Result<ExitCode> {
    anyhow::ensure!(
        args.batch_size > 0,
        "--batch-size: expected at least 1 image, got 0"
    );
    match &args.network {
        Some(name) => {
            let network = args.sizes.network(name)?;
            report::summary(&network, args.batch_size, args.output)?;
        }
        None => report::list_networks(args.output)?,
    }
    Ok(ExitCode::SUCCESS)
}
