//! `alexnet man`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Command;
use clap_mangen::Man;

use crate::args::ManArgs;
use crate::{examples, report};

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode> {
    let mut command = examples::command();
    command.build();
    let Some(folder) = &args.out else {
        report::to_stdout_as_is(&page(&command)?)?;
        return Ok(ExitCode::SUCCESS);
    };
    files::create_folder(folder)?;
    let commands = command
        .get_subcommands()
        .filter(|command| command.get_name() != "help");
    for command in std::iter::once(&command).chain(commands) {
        let path = folder.join(Man::new(command.clone()).get_filename());
        files::replace(&path, page(command)?.as_bytes())?;
        report::to_stdout(&format!("{}\n", report::shown(&path)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The page of a command, in troff.
fn page(command: &Command) -> Result<String> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(String::from_utf8(page)?)
}
