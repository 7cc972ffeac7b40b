//! What is said about plots, pages and the dashboard.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use report::{Gallery, Run, RunState};
use serde_json::json;

use super::{in_json, one_line, print_json, shown, to_stderr, to_stdout};
use crate::args::OutputArgs;

/// Where a page was written.
pub(crate) fn page(page: &Path, output: OutputArgs) -> Result<()> {
    match (output.json, output.quiet) {
        (true, _) => {
            let mut value = json!({});
            in_json(&mut value, "page", page);
            print_json(&value)
        }
        (false, true) => Ok(()),
        (false, false) => to_stdout(&format!("report in {}\n", shown(page))),
    }
}

/// Where the rest of what was drawn lies. With `--json`, the summary is all that standard output has.
pub(crate) fn drawn(folder: &Path, output: OutputArgs) -> Result<()> {
    if output.json || output.quiet {
        return Ok(());
    }
    let (folder, plots) = (shown(folder), shown(&folder.join("plots")));
    to_stdout(&format!(
        "plots in {plots}, and for `tensorboard --logdir {folder}` in its event files\n"
    ))
}

/// Why a report has no images, if it has none.
pub(crate) fn missing_plots(gallery: &Gallery, output: OutputArgs) {
    if let (Some(reason), false) = (&gallery.missing, output.quiet) {
        let reason = one_line(reason);
        to_stderr(&format!("warning: plots could not be drawn: {reason}\n"));
    }
}

/// The dashboard is about to serve.
pub(crate) fn listening(address: SocketAddr, output: OutputArgs) -> Result<()> {
    if !address.ip().is_loopback() {
        to_stderr(
            "warning: whoever reaches this machine can look at these runs; there is no password\n",
        );
    }
    if output.json {
        return print_json(&json!({ "address": format!("http://{address}/") }));
    }
    to_stdout(&format!("serving http://{address}/ until Ctrl-C\n"))
}

/// Something is missing, and the command's work is done all the same.
pub(crate) fn warning(error: &anyhow::Error, output: OutputArgs) {
    if !output.quiet {
        to_stderr(&format!("warning: {}\n", one_line(&format!("{error:#}"))));
    }
}

/// How a run stands, in lines.
pub(crate) fn status(run: &Run) -> Result<()> {
    let mut text = format!("{} {}\n", files::escape(&run.name), state_name(run.state()));
    if let Some(step) = run.steps.last() {
        writeln!(
            text,
            "epoch {}/{} step {}/{} loss {:.4} accuracy {:.4} images/s {:.0}",
            step.epoch,
            run.recipe.epochs,
            step.done,
            step.of,
            step.loss,
            step.accuracy,
            step.images_per_s
        )?;
    }
    if let Some(row) = run.rows.last() {
        write!(
            text,
            "after epoch {} loss {:.4} accuracy {:.4}",
            row.epoch, row.train_loss, row.train_accuracy
        )?;
        if let Some(accuracy) = row.val_accuracy {
            write!(text, " val_accuracy {accuracy:.4}")?;
        }
        writeln!(text)?;
    }
    if let Some(accuracy) = run
        .summary
        .as_ref()
        .and_then(|summary| summary.test_accuracy)
    {
        writeln!(text, "test accuracy {accuracy:.4}")?;
    }
    to_stdout(&text)
}

/// A state in a word.
pub(crate) fn state_name(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Finished => "finished",
        _ => "stopped",
    }
}
