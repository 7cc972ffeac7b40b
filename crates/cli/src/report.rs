//! All printing but progress: results on standard output, messages on standard error.

mod checks;
mod comparison;
mod data;
mod parity;
mod score;
mod speed;
mod trials;

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use train::data::Split;
use train::model::{Architecture, networks};
use train::{Adapter, Device, Ended, Recipe, Summary};

pub(crate) use self::checks::{Check, Checks};
pub(crate) use self::comparison::{Compared, Comparison, compared, comparison};
pub(crate) use self::speed::{Speed, speed};
use crate::args::OutputArgs;
use crate::hint;

pub(crate) use self::data::{
    downloaded, info as data_info, sheet, skipped_lines, statistics as data_statistics,
};
pub(crate) use self::score::score;
pub(crate) use self::trials::{fast_run, one_batch, rate_finding, sweep, sweep_interrupted};
pub(crate) use parity::{parity, parity_case};

/// Prints a failure as one `error:` line and, where something helps, a `hint:` line.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    let mut text = format!("error: {}\n", one_line(&format!("{error:#}")));
    if let Some(hint) = hint::after(error) {
        text.push_str(&format!("hint: {hint}\n"));
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

/// Writes to standard error. There is nowhere to tell that this failed.
pub(crate) fn to_stderr(text: &str) {
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}

/// Writes to standard output; a reader that has gone away is no failure.
fn to_stdout(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

fn print_json(value: &Value) -> Result<()> {
    to_stdout(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// The end of a run.
pub(crate) fn finished(summary: &Summary, folder: &Path, output: OutputArgs) -> Result<()> {
    if output.json {
        let mut value = serde_json::to_value(summary)?;
        value["folder"] = json!(folder.display().to_string());
        return print_json(&value);
    }
    if output.quiet {
        return Ok(());
    }
    let mut text = String::new();
    match summary.ended {
        Ended::EarlyStopping => writeln!(
            text,
            "stopped early, as nothing had improved for long enough"
        )?,
        Ended::MaxTime => writeln!(
            text,
            "the time is up; `alexnet train --resume {}` goes on",
            folder.display()
        )?,
        _ => {}
    }
    if let (Some(accuracy), Some(loss)) = (summary.test_accuracy, summary.test_loss) {
        write!(text, "test accuracy {accuracy:.4} loss {loss:.4}")?;
        if let (Some(top5), Some(f1)) = (summary.test_top5, summary.test_macro_f1) {
            write!(text, " top5 {top5:.4} macro-F1 {f1:.4}")?;
        }
        if let Some(epoch) = summary.best_epoch {
            write!(text, " (weights of epoch {epoch}, best by validation)")?;
        }
        writeln!(text)?;
    }
    writeln!(
        text,
        "{} epochs, {} steps, {:.0} images/s, {:.0} s in all on {}",
        summary.epochs, summary.steps, summary.images_per_s, summary.wall_s, summary.device
    )?;
    writeln!(
        text,
        "results in {}: summary.json, metrics.csv, checkpoints/",
        folder.display()
    )?;
    to_stdout(&text)
}

/// A run that Ctrl-C ended.
pub(crate) fn interrupted(step: u64, folder: &Path, output: OutputArgs) {
    if !output.quiet {
        let folder = folder.display();
        to_stderr(&format!(
            "interrupted after step {step}, saved; go on by `alexnet train --resume {folder}`\n"
        ));
    }
}

/// A split's name, as flags have it.
pub(crate) fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Validation => "validation",
        Split::Test => "test",
    }
}

/// The devices of this machine, as selectors name them.
pub(crate) fn devices(cpu: &Device, adapters: &[Adapter], output: OutputArgs) -> Result<()> {
    if output.json {
        let gpus = adapters.iter().enumerate().map(|(idx, adapter)| {
            json!({
                "selector": format!("gpu:{idx}"),
                "name": adapter.name,
                "kind": adapter.kind.to_string(),
                "backend": adapter.backend,
                "driver": adapter.driver,
                "max_binding_bytes": adapter.max_binding_bytes,
                "max_buffer_bytes": adapter.max_buffer_bytes,
                "workgroup_bytes": adapter.workgroup_bytes,
                "workgroup_invocations": adapter.workgroup_invocations,
                "storage_buffers": adapter.storage_buffers,
                "subgroup": adapter.subgroup.map(|(least, most)| [least, most]),
                "f16": adapter.has_f16,
                "timestamps": adapter.has_timestamps,
            })
        });
        let first = json!({ "selector": "cpu", "name": cpu.name(), "kind": "native" });
        let all: Vec<_> = std::iter::once(first).chain(gpus).collect();
        return print_json(&Value::Array(all));
    }
    let mut text = format!("cpu    {}\n", cpu.name());
    for (idx, adapter) in adapters.iter().enumerate() {
        writeln!(
            text,
            "gpu:{idx}  {} ({}, {})",
            adapter.name, adapter.kind, adapter.backend
        )?;
        writeln!(text, "       driver {}", adapter.driver)?;
        writeln!(
            text,
            "       bindings to {} MiB, buffers to {} MiB, workgroups of {} with {} KiB, {} storage buffers",
            adapter.max_binding_bytes >> 20,
            adapter.max_buffer_bytes >> 20,
            adapter.workgroup_invocations,
            adapter.workgroup_bytes >> 10,
            adapter.storage_buffers
        )?;
        let subgroup = match adapter.subgroup {
            Some((least, most)) if least == most => format!("subgroups of {least}"),
            Some((least, most)) => format!("subgroups of {least} to {most}"),
            None => "no subgroups".to_owned(),
        };
        let (f16, timestamps) = (adapter.has_f16, adapter.has_timestamps);
        writeln!(
            text,
            "       {subgroup}, f16 {}, timestamps {}",
            yes(f16),
            yes(timestamps)
        )?;
    }
    if adapters.is_empty() {
        writeln!(text, "no Vulkan, Metal or DirectX 12 driver was found")?;
    }
    to_stdout(&text)
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

/// A network's table.
pub(crate) fn summary(network: &Architecture, output: OutputArgs) -> Result<()> {
    let summary = network.summary();
    if !output.json {
        return to_stdout(&summary.to_string());
    }
    let layers = summary.rows().iter().map(|row| {
        json!({
            "layer": row.layer,
            "kind": row.kind,
            "output": row.output.to_vec(),
            "parameters": row.parameters,
        })
    });
    print_json(&json!({
        "network": network.name(),
        "classes": network.classes(),
        "input_size": network.input_size(),
        "parameters": summary.parameters(),
        "layers": layers.collect::<Vec<_>>(),
    }))
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
        writeln!(text, "{name:<20} {about}")?;
    }
    to_stdout(&text)
}

/// A recipe, as the file that it is.
pub(crate) fn recipe(recipe: &Recipe, output: OutputArgs) -> Result<()> {
    if output.json {
        return print_json(&serde_json::to_value(recipe)?);
    }
    to_stdout(&recipe.to_toml()?)
}
