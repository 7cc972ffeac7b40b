//! `alexnet dashboard`.

use std::process::ExitCode;

use anyhow::Result;
use report::Dashboard;

use crate::args::DashboardArgs;
use crate::report as print;

pub(crate) fn run(args: &DashboardArgs) -> Result<ExitCode> {
    let dashboard = Dashboard::bind(args.listen, &args.folder)?;
    print::listening(dashboard.address(), args.output)?;
    dashboard.serve()?;
    Ok(ExitCode::SUCCESS)
}
