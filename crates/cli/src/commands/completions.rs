//! `alexnet completions`.

use std::process::ExitCode;

use anyhow::Result;

use crate::args::CompletionsArgs;
use crate::{examples, report};

pub(crate) fn run(args: &CompletionsArgs) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut examples::command(), "alexnet", &mut script);
    report::to_stdout_as_is(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
