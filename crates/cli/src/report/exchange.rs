//! What is printed about inference, in files, and on their way to other programs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use data::LeftOut;
use files::escape;
use model::{Exported, Imported, Network, TensorFile};
use serde_json::{Value, json};

use super::{in_json, left_out_lines, print_json, shown, to_stderr, to_stdout};
use crate::args::OutputArgs;

/// What is left out of a file is named up to so many.
const NAMED: usize = 8;
/// Letters of the longest bar.
const BAR: f32 = 30.0;

/// A class with its probability.
#[derive(Debug)]
pub(crate) struct Guess {
    pub(crate) class: usize,
    pub(crate) name: String,
    pub(crate) probability: f32,
}

/// Predictions, printed as they come or, as JSON, at the end.
#[derive(Debug)]
pub(crate) struct Predictions {
    output: OutputArgs,
    all: Vec<Value>,
    failed: Vec<(PathBuf, String)>,
    left_out: LeftOut,
}

impl Predictions {
    pub(crate) fn new(output: OutputArgs) -> Self {
        Self {
            output,
            all: Vec::new(),
            failed: Vec::new(),
            left_out: LeftOut::default(),
        }
    }

    /// The classes of an image, most probable first, and its occlusion map's file.
    pub(crate) fn add(
        &mut self,
        path: &Path,
        guesses: &[Guess],
        occlusion: Option<&Path>,
    ) -> Result<()> {
        if self.output.json {
            let classes = guesses.iter().map(|guess| {
                json!({ "class": guess.name, "index": guess.class, "probability": guess.probability })
            });
            let mut row = json!({});
            in_json(&mut row, "image", path);
            row["predictions"] = classes.collect();
            row["occlusion_map"] = Value::Null;
            if let Some(occlusion) = occlusion {
                in_json(&mut row, "occlusion_map", occlusion);
            }
            self.all.push(row);
            return Ok(());
        }
        let mut text = format!("{}\n", shown(path));
        let names: Vec<_> = guesses.iter().map(|guess| escape(&guess.name)).collect();
        let widths = names.iter().map(|name| name.chars().count());
        let width = widths.max().unwrap_or(0);
        for (Guess { probability, .. }, name) in guesses.iter().zip(&names) {
            let line = format!("  {name:<width$} {probability:.4} {}", bar(*probability));
            writeln!(text, "{}", line.trim_end())?;
        }
        if let Some(occlusion) = occlusion {
            writeln!(text, "  occlusion map in {}", shown(occlusion))?;
        }
        to_stdout(&text)
    }

    /// An image that can't be read.
    pub(crate) fn fail(&mut self, path: &Path, reason: String) {
        self.failed.push((path.to_owned(), reason));
    }

    /// Files in a folder whose names are not those of images.
    pub(crate) fn leave_out(&mut self, folder: &Path, left_out: &LeftOut) {
        for line in left_out_lines(left_out) {
            let folder = shown(folder);
            super::working(&format!("{folder}: {line}"), self.output);
        }
        for (ending, count) in &left_out.files {
            *self.left_out.files.entry(ending.clone()).or_default() += count;
        }
    }

    /// The end, with what was left out of `of` images.
    pub(crate) fn finish(self, of: usize) -> Result<ExitCode> {
        if self.output.json {
            let failed = self.failed.iter().map(|(path, reason)| {
                let mut row = json!({});
                in_json(&mut row, "image", path);
                row["reason"] = json!(reason);
                row
            });
            print_json(&json!({
                "images": self.all,
                "failed": failed.collect::<Vec<_>>(),
                "left_out": self.left_out.files,
            }))?;
        }
        if self.failed.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = String::new();
        for (path, reason) in &self.failed {
            let (path, reason) = (shown(path), escape(reason));
            writeln!(text, "left out {path}: {reason}")?;
        }
        writeln!(
            text,
            "error: {} of {of} images can't be read",
            self.failed.len()
        )?;
        to_stderr(&text);
        Ok(ExitCode::FAILURE)
    }
}

/// A bar of eighths.
fn bar(share: f32) -> String {
    const EIGHTHS: [&str; 8] = [
        "", "\u{258f}", "\u{258e}", "\u{258d}", "\u{258c}", "\u{258b}", "\u{258a}", "\u{2589}",
    ];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a probability gives at most 240 eighths"
    )]
    let eighths = (share.clamp(0.0, 1.0) * BAR * 8.0).round() as usize;
    "\u{2588}".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// A file that another program's weights were read into.
pub(crate) fn imported(imported: &Imported, path: &Path, output: OutputArgs) -> Result<()> {
    let Imported { network, ignored } = imported;
    let architecture = network.architecture();
    let parameters = architecture.summary().parameters();
    if output.json {
        let mut value = json!({
            "network": architecture.name(),
            "classes": architecture.classes(),
            "parameters": parameters,
            "images": network.preparation(),
            "ignored": ignored,
        });
        in_json(&mut value, "file", path);
        return print_json(&value);
    }
    if output.quiet {
        return Ok(());
    }
    let mut text = format!("{architecture}, {parameters} parameters\n");
    if !ignored.is_empty() {
        let names: Vec<_> = ignored.iter().map(|name| escape(name)).collect();
        let (named, rest) = names.split_at(names.len().min(NAMED));
        let more = match rest.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        writeln!(
            text,
            "left out, beside the network: {}{more}",
            named.join(", ")
        )?;
    }
    if network.preparation().is_some_and(|own| !own.exif_rotation) {
        text.push_str(
            "images are prepared as torchvision does, which leaves them as stored: EXIF rotation is off for these weights, and \
             on for those trained here\n",
        );
    }
    writeln!(text, "written to {}", shown(path))?;
    to_stdout(&text)
}

/// A file for another program.
pub(crate) fn exported(
    network: &Network,
    exported: &Exported,
    path: &Path,
    output: OutputArgs,
) -> Result<()> {
    let Exported {
        bytes,
        difference,
        tolerance,
    } = exported;
    if output.json {
        let mut value = json!({ "network": network.architecture().name() });
        in_json(&mut value, "file", path);
        value["bytes"] = json!(bytes);
        value["largest_difference"] = json!(difference);
        value["tolerance"] = json!(tolerance);
        return print_json(&value);
    }
    if output.quiet {
        return Ok(());
    }
    to_stdout(&format!(
        "read back, the largest difference of a logit is {difference:e} ({tolerance:e} allowed)\nwritten to {} ({bytes} bytes)\n",
        shown(path)
    ))
}

/// What is in a weight file.
pub(crate) fn inspected(file: TensorFile, output: OutputArgs) -> Result<()> {
    let path = file.path().to_owned();
    let metadata: serde_json::Map<_, _> = file
        .all_metadata()
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect();
    let tensors = file.tensors();
    let expected: Vec<_> = tensors
        .iter()
        .map(|(name, (_, shape))| (name.clone(), shape.clone()))
        .collect();
    let values = file.read(&expected)?;
    let rows = tensors
        .iter()
        .zip(&values)
        .map(|((name, (kind, shape)), values)| {
            let [least, mean, most] = range(values);
            (name, kind, shape, [least, mean, most])
        });
    if output.json {
        let rows = rows.map(|(name, kind, shape, [least, mean, most])| {
            json!({ "name": name, "type": kind, "shape": shape, "min": least, "mean": mean, "max": most })
        });
        let mut value = json!({});
        in_json(&mut value, "file", &path);
        value["metadata"] = Value::Object(metadata);
        value["tensors"] = rows.collect();
        return print_json(&value);
    }
    let mut text = format!("{}\n", shown(&path));
    for (key, value) in &metadata {
        let value = escape(value.as_str().unwrap_or_default());
        writeln!(text, "{}: {value}", escape(key))?;
    }
    let heads = ["min", "mean", "max"]
        .map(|head| format!("{head:>11}"))
        .join(" ");
    writeln!(
        text,
        "{:<20} {:<4} {:<20} {heads}",
        "tensor", "type", "shape"
    )?;
    for (name, kind, shape, range) in rows {
        let name = escape(name);
        let range = range.map(|x| format!("{x:>11.4e}")).join(" ");
        writeln!(
            text,
            "{name:<20} {kind:<4} {:<20} {range}",
            format!("{shape:?}")
        )?;
    }
    let elements: usize = values.iter().map(Vec::len).sum();
    writeln!(text, "{} tensors, {elements} elements", tensors.len())?;
    to_stdout(&text)
}

/// The least, the mean and the largest; not a number if one of them is none.
fn range(values: &[f32]) -> [f64; 3] {
    let mut range = [f64::INFINITY, 0.0, f64::NEG_INFINITY];
    for &value in values {
        let value = f64::from(value);
        range = [range[0].min(value), range[1] + value, range[2].max(value)];
    }
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let mean = range[1] / f64::from(count);
    if mean.is_nan() {
        [f64::NAN; 3]
    } else {
        [range[0], mean, range[2]]
    }
}
