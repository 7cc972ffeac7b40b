//! Results of trials and sweeps.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use train::{RateFinding, Summary, SweepRow, ranked};

use super::{in_json, print_json, shown, to_stderr, to_stdout};
use crate::args::{OutputArgs, SweepArgs};

/// Letters of a run's name beside its figures.
const MOST_NAME: usize = 22;

/// A run that has passed through every part once.
pub(crate) fn fast_run(summary: &Summary, output: OutputArgs) -> Result<()> {
    if output.json {
        return print_json(&serde_json::to_value(summary)?);
    }
    if output.quiet {
        return Ok(());
    }
    to_stdout(&format!(
        "every stage of a run works: {} steps, validation and test; nothing was written\n",
        summary.steps
    ))
}

/// A run on one batch.
pub(crate) fn one_batch(summary: &Summary, is_learnt: bool, output: OutputArgs) -> Result<()> {
    if output.json {
        let mut value = serde_json::to_value(summary)?;
        value["is_learnt"] = json!(is_learnt);
        return print_json(&value);
    }
    if output.quiet {
        return Ok(());
    }
    let verdict = if is_learnt {
        "the network learns: the loss is near zero"
    } else {
        "failed to overfit the batch: the loss is not near zero; try more --epochs, another --lr, or look for a mistake"
    };
    let [loss, accuracy] = [summary.val_loss, summary.val_accuracy].map(|x| x.unwrap_or(f64::NAN));
    to_stdout(&format!(
        "one batch, {} steps: loss {loss:.4} accuracy {accuracy:.4} with dropout off\n{verdict}\n",
        summary.steps
    ))
}

/// The losses at ever larger learning rates.
pub(crate) fn rate_finding(finding: &RateFinding, folder: &Path, output: OutputArgs) -> Result<()> {
    if output.json {
        let points = finding.points.iter().map(|point| {
            json!({ "lr": point.rate, "loss": point.loss, "smoothed_loss": point.smoothed })
        });
        let mut value = json!({
            "suggestion": finding.suggestion,
            "diverged_at": finding.diverged_at,
            "points": points.collect::<Vec<_>>(),
        });
        in_json(&mut value, "folder", folder);
        return print_json(&value);
    }
    let mut text = String::new();
    if !output.quiet {
        writeln!(text, "{:>10}  {:>10}  {:>10}", "lr", "loss", "smoothed")?;
        // Twenty lines at most: the file has them all.
        let every = finding.points.len().div_ceil(20).max(1);
        for point in finding.points.iter().step_by(every) {
            writeln!(
                text,
                "{:>10.2e}  {:>10.4}  {:>10.4}",
                point.rate, point.loss, point.smoothed
            )?;
        }
    }
    if let Some(rate) = finding.diverged_at {
        writeln!(text, "the loss diverges at {rate:.1e}")?;
    }
    match finding.suggestion {
        Some(rate) => writeln!(text, "suggested: --lr {rate:.1e}")?,
        None => writeln!(text, "no suggestion: the loss never falls")?,
    }
    writeln!(
        text,
        "all steps are in {}",
        shown(&folder.join("lr_find.csv"))
    )?;
    to_stdout(&text)
}

/// The runs of a sweep, the best first.
pub(crate) fn sweep(rows: &[SweepRow], folder: &Path, output: OutputArgs) -> Result<()> {
    if output.json {
        let rows = ranked(rows).into_iter().map(|row| match &row.result {
            Ok(summary) => {
                let mut value = serde_json::to_value(summary)?;
                value["run"] = json!(row.name);
                if let Some(failure) = row.failure() {
                    value["error"] = json!(failure);
                }
                Ok(value)
            }
            Err(error) => Ok(json!({ "run": row.name, "error": error })),
        });
        let mut value = json!({});
        in_json(&mut value, "folder", folder);
        value["runs"] = Value::Array(rows.collect::<Result<_>>()?);
        return print_json(&value);
    }
    if output.quiet {
        return Ok(());
    }
    let longest = rows.iter().map(|row| row.name.chars().count()).max();
    let longest = longest.unwrap_or(0);
    // A longer name has a line of its own, so that the figures fit into 80 columns.
    let width = if longest > MOST_NAME {
        3
    } else {
        longest.max(3)
    };
    let mut text = format!(
        "{:<width$}  {:>8}  {:>8}  {:>8}  {:>8}  {:>6}  {:>8}\n",
        "run", "val acc", "test acc", "macro F1", "loss", "epochs", "seconds"
    );
    for row in ranked(rows) {
        if let Some(failure) = row.failure() {
            writeln!(text, "{:<width$}  failed: {failure}", row.name)?;
        }
        let mut name = row.name.as_str();
        if longest > MOST_NAME && row.failure().is_none() {
            writeln!(text, "{name}")?;
            name = "";
        }
        let Ok(it) = &row.result else { continue };
        if row.failure().is_some() {
            continue;
        }
        let figure =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
        writeln!(
            text,
            "{name:<width$}  {:>8}  {:>8}  {:>8}  {:>8.4}  {:>6}  {:>8.0}",
            figure(it.best_val_accuracy),
            figure(it.test_accuracy),
            figure(it.test_macro_f1),
            it.train_loss,
            it.epochs,
            it.wall_s
        )?;
    }
    let page = folder.join("comparison.html");
    let page = if page.is_file() {
        "comparison.html, "
    } else {
        ""
    };
    writeln!(
        text,
        "results in {}: {page}comparison.csv, a folder for each run",
        shown(folder)
    )?;
    to_stdout(&text)
}

/// A sweep that Ctrl-C ended.
pub(crate) fn sweep_interrupted(args: &SweepArgs, folder: &Path) {
    if args.output.quiet {
        return;
    }
    let (sweep, folder) = (files::pasted(&shown(&args.sweep)), shown(folder));
    let settings = args.settings.iter();
    let settings =
        settings.map(|setting| format!(" --set {}", files::pasted(&files::escape(setting))));
    to_stderr(&format!(
        "interrupted, saved in {folder}\nto go on:\n  alexnet sweep {sweep} --resume {}{}\n",
        files::pasted(&folder),
        settings.collect::<String>()
    ));
}
