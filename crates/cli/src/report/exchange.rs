//! What is printed about weights, in files and on their way to other programs.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use files::escape;
use model::{Exported, Imported, Network, TensorFile};
use serde_json::{Value, json};

use super::{in_json, print_json, shown, to_stdout};
use crate::args::{ExportArgs, FormatArg, OutputArgs};

/// What is left out of a file is named up to so many.
const NAMED: usize = 8;

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

/// A file for another program, and the program in Python beside it.
pub(crate) fn exported(
    network: &Network,
    exported: &Exported,
    args: &ExportArgs,
    program: Option<&Path>,
) -> Result<()> {
    let Exported {
        bytes,
        difference,
        tolerance,
    } = exported;
    let path = &args.out;
    if args.output.json {
        let mut value = json!({ "network": network.architecture().name() });
        in_json(&mut value, "file", path);
        value["bytes"] = json!(bytes);
        value["largest_difference"] = json!(difference);
        value["tolerance"] = json!(tolerance);
        if let Some(program) = program {
            in_json(&mut value, "program", program);
        }
        return print_json(&value);
    }
    let of = if args.softmax { "probability" } else { "logit" };
    let mut text = format!(
        "read back, the largest difference of a {of} is {difference:e} ({tolerance:e} allowed)\nwritten to {} ({bytes} bytes)\n",
        shown(path)
    );
    if network.preparation().is_none() && program.is_some() {
        text.push_str("it does not say how images are prepared: the weights don't\n");
    }
    if let Some(program) = program {
        writeln!(
            text,
            "to use it: python {} IMAGE...",
            files::pasted(&shown(program))
        )?;
    }
    if matches!(args.format, FormatArg::Keras) {
        let (weights, path) = (
            files::pasted(&shown(&args.weights)),
            files::pasted(&shown(path)),
        );
        writeln!(
            text,
            "to read it back:\n  alexnet import {path} --like {weights} --out FILE.safetensors"
        )?;
    }
    to_stdout(&text)
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
        "{:<20} {:<4} {:<17} {heads}",
        "tensor", "type", "shape"
    )?;
    for (name, kind, shape, range) in rows {
        let name = escape(name);
        let range = range.map(|x| format!("{x:>11.4e}")).join(" ");
        writeln!(
            text,
            "{name:<20} {kind:<4} {:<17} {range}",
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
