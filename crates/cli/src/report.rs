//! All printing but progress: results on standard output, messages on standard error.

mod checks;
mod comparison;
mod data;
mod doctor;
mod exchange;
mod learning;
mod machine;
mod pages;
mod parity;
mod picture;
mod planned;
mod predictions;
mod score;
mod speed;
mod terminal;
mod trials;
mod tuned;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use model::networks;
use serde_json::{Value, json};
use train::{Ended, Published, Recipe, Summary};

pub(crate) use self::checks::{Check, Checks};
pub(crate) use self::comparison::{Compared, Comparison, compared, comparison};
pub(crate) use self::doctor::{Examined, Found, doctor};
pub(crate) use self::exchange::{exported, imported, inspected};
pub(crate) use self::learning::{
    KernelLine, kernels, lesson, lesson_page, source, topics, variants,
};
pub(crate) use self::machine::{devices, summary};
pub(crate) use self::pages::{drawn, listening, missing_plots, page, state_name, status, warning};
pub(crate) use self::planned::{Planned, planned};
pub(crate) use self::predictions::{Guess, Predictions, passed_over};
pub(crate) use self::speed::{Speed, speed};
pub(crate) use self::terminal::{
    be_quiet, columns, shown, to_stderr, to_stdout, to_stdout_as_is, usage,
};
use self::terminal::{in_json, print_json};
pub(crate) use self::tuned::tuned;
use crate::args::{Command, OutputArgs};
use crate::hint;

/// What a run may leave in its folder, besides what is drawn afterwards.
const RESULTS: [&str; 13] = [
    "config.toml",
    "environment.json",
    "summary.json",
    "evaluation.json",
    "metrics.csv",
    "metrics.jsonl",
    "steps.jsonl",
    "validation.jsonl",
    "histograms.jsonl",
    "norms.csv",
    "profile.json",
    "trace.json",
    "checkpoints",
];

pub(crate) use self::data::{
    downloaded, first_batch, info as data_info, left_out_lines, sheet, skipped_lines,
    statistics as data_statistics,
};
pub(crate) use self::score::score;
pub(crate) use self::trials::{fast_run, one_batch, rate_finding, sweep, sweep_interrupted};
pub(crate) use parity::{parity, parity_case};

/// Prints a failure as one `error:` line and, where something helps, a `hint:` line.
pub(crate) fn failure(error: &anyhow::Error, command: &Command) -> ExitCode {
    let mut text = format!("error: {}\n", one_line(&format!("{error:#}")));
    if let Some(hint) = hint::after(error, command) {
        text.push_str(&format!("hint: {}\n", one_line(&hint)));
    }
    to_stderr(&text);
    ExitCode::FAILURE
}

pub(crate) fn one_line(text: &str) -> String {
    let lines: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("; ")
}

/// A line on what is going on, for steps that may take more than a second.
pub(crate) fn working(text: &str, output: OutputArgs) {
    if !output.quiet {
        to_stderr(&format!("{}\n", files::escape(text)));
    }
}

/// The end of a run.
pub(crate) fn finished(summary: &Summary, folder: &Path, output: OutputArgs) -> Result<()> {
    if output.json {
        let mut value = serde_json::to_value(summary)?;
        in_json(&mut value, "folder", folder);
        return print_json(&value);
    }
    if output.quiet {
        return Ok(());
    }
    let mut text = String::new();
    match summary.ended {
        Ended::EarlyStopping => writeln!(text, "early stopping: no improvement for long enough")?,
        Ended::MaxTime => writeln!(
            text,
            "the time limit was reached; to go on:\n  alexnet train --resume {}",
            files::pasted(&shown(folder))
        )?,
        _ => {}
    }
    if let (Some(accuracy), Some(loss)) = (summary.test_accuracy, summary.test_loss) {
        write!(text, "test accuracy {accuracy:.4} loss {loss:.4}")?;
        if let (Some(top5), Some(f1)) = (summary.test_top5, summary.test_macro_f1) {
            write!(text, " top5 {top5:.4} macro-F1 {f1:.4}")?;
            let errors = [accuracy, top5].map(|accuracy| 1.0 - accuracy);
            write!(
                text,
                "; top-1 error {:.4}, top-5 error {:.4}",
                errors[0], errors[1]
            )?;
        }
        if let Some(epoch) = summary.best_epoch {
            write!(text, " (weights of epoch {epoch}, best by validation)")?;
        }
        writeln!(text)?;
    }
    writeln!(
        text,
        "{} epochs, {} steps, {:.0} images/s on {}",
        summary.epochs, summary.steps, summary.images_per_s, summary.device
    )?;
    if let (Some(epoch), Some(accuracy)) = (summary.best_epoch, summary.best_val_accuracy) {
        writeln!(
            text,
            "best epoch {epoch}: validation accuracy {accuracy:.4}"
        )?;
    }
    if let Some(published) = Published::of(&summary.recipe)? {
        writeln!(
            text,
            "published: {} ({})",
            published.result, published.source
        )?;
    }
    let there: Vec<_> = RESULTS
        .into_iter()
        .filter(|name| folder.join(name).exists())
        .collect();
    writeln!(text, "results in {}: {}", shown(folder), there.join(", "))?;
    to_stdout(&text)
}

/// The last lines of a run: where the time went, and what can be done with it.
pub(crate) fn closing(times: &str, folder: &Path, output: OutputArgs) -> Result<()> {
    if output.json || output.quiet {
        return Ok(());
    }
    let megabytes = |folder: &Path| {
        let bytes = files::folder_bytes(folder).unwrap_or(0);
        format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
    };
    let [all, checkpoints] =
        [folder.to_owned(), folder.join("checkpoints")].map(|it| megabytes(&it));
    let folder = files::pasted(&shown(folder));
    to_stdout(&format!(
        "{times}\n\
         {all} on disk, {checkpoints} of it checkpoints\n\
         next:\n  \
           alexnet predict {folder} IMAGE...\n  \
           alexnet evaluate {folder} --per-class\n  \
           alexnet export {folder} --format onnx --out model.onnx\n"
    ))
}

/// A run that Ctrl-C ended.
pub(crate) fn interrupted(step: u64, folder: &Path, output: OutputArgs) {
    if !output.quiet {
        let folder = shown(folder);
        to_stderr(&format!(
            "interrupted after step {step}, saved in {folder}\nto go on:\n  alexnet train --resume {}\n",
            files::pasted(&folder)
        ));
    }
}

/// The networks there are.
pub(crate) fn list_networks(output: OutputArgs) -> Result<()> {
    list(
        networks().map(|(name, about)| (name.to_owned(), about.to_owned())),
        output,
    )
}

/// The recipes there are.
pub(crate) fn recipes(recipes: &[Recipe], output: OutputArgs) -> Result<()> {
    list(
        recipes
            .iter()
            .map(|recipe| (recipe.name.clone(), recipe.about.clone())),
        output,
    )
}

fn list(entries: impl Iterator<Item = (String, String)>, output: OutputArgs) -> Result<()> {
    if output.json {
        let entries = entries.map(|(name, about)| json!({ "name": name, "about": about }));
        return print_json(&Value::Array(entries.collect()));
    }
    let mut text = String::new();
    for (name, about) in entries {
        writeln!(text, "{name:<22} {about}")?;
    }
    to_stdout(&text)
}

/// A built-in recipe, as the file that it is, with its comments and what it leaves at its default.
pub(crate) fn recipe(name: &str, output: OutputArgs) -> Result<()> {
    if output.json {
        return print_json(&serde_json::to_value(Recipe::named(name)?)?);
    }
    if output.quiet {
        return Ok(());
    }
    // As it is, so that it can be copied from a terminal too.
    to_stdout_as_is(&Recipe::file_text(name)?)
}
