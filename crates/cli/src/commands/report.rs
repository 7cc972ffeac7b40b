//! `alexnet report`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::args::ReportArgs;
use crate::report as print;

pub(crate) fn run(args: &ReportArgs) -> Result<ExitCode> {
    let out = match (args.runs.as_slice(), &args.out) {
        ([run], None) => {
            let written = report::write_report(run)?;
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
