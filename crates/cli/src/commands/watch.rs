//! `alexnet watch`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyModifiers};
use report::Run;

use crate::args::WatchArgs;
use crate::{report as print, view};

/// How often the run's files are read.
const READ_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &WatchArgs) -> Result<ExitCode> {
    let first = Run::read(&args.run)?;
    if !std::io::stdout().is_terminal() {
        print::status(&first)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut terminal = ratatui::try_init().context("cannot set up the terminal")?;
    let watched = watch(&mut terminal, &args.run, first);
    ratatui::try_restore().context("cannot restore the terminal")?;
    watched?;
    Ok(ExitCode::SUCCESS)
}

fn watch(terminal: &mut ratatui::DefaultTerminal, folder: &Path, mut run: Run) -> Result<()> {
    loop {
        terminal
            .draw(|frame| view::draw(frame, &run))
            .context("cannot draw")?;
        if event::poll(READ_EVERY).context("cannot read keys")? {
            if let Event::Key(key) = event::read().context("cannot read keys")? {
                let is_interrupt =
                    key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
                if is_interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) {
                    return Ok(());
                }
            }
        } else {
            run = Run::read(folder)?;
        }
    }
}
