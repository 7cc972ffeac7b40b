//! What a data set holds.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use data::{Channels, DataSet, ImageSizes, Images, LeftOut, Skipped, Split, Statistics};
use files::escape;
use serde_json::{Value, json};
use train::{FirstBatch, Recipe};

use super::{in_json, one_line, print_json, shown, to_stdout};
use crate::args::OutputArgs;

/// Files that are listed one by one; of more, their number.
const MOST_SKIPPED: usize = 20;

/// The splits that a data set has.
fn splits(data: &DataSet) -> Vec<(Split, &Images)> {
    let all = [Split::Train, Split::Validation, Split::Test];
    let found = all
        .into_iter()
        .filter_map(|split| Some((split, data.split(split)?)));
    found.collect()
}

/// Images of each class.
fn counts(images: &Images) -> Vec<usize> {
    let mut counts = vec![0; images.class_names().len()];
    for &label in images.labels() {
        counts[label as usize] += 1;
    }
    counts
}

/// How many images there are, of which sizes, and what was left out.
pub(crate) fn info(data: &DataSet, sizes: Option<ImageSizes>, output: OutputArgs) -> Result<()> {
    if output.json {
        return print_json(&info_json(data, sizes));
    }
    let splits = splits(data);
    let [height, width] = data.train.size();
    let mut text = format!(
        "{}: {} classes, images of {height}x{width}",
        escape(&data.name),
        data.class_names().len()
    );
    if data.train.channels() != Channels::Rgb {
        write!(text, " in {}", data.train.channels())?;
    }
    if let Some(sizes) = sizes {
        let [[h0, w0], [h1, w1], [h2, w2]] = [sizes.smallest, sizes.median, sizes.largest];
        write!(
            text,
            " (files of {h0}x{w0} to {h2}x{w2}, in the middle {h1}x{w1})"
        )?;
    }
    let names = data
        .class_names()
        .iter()
        .map(|name| escape(name).chars().count());
    let width = names.max().unwrap_or(0).max("images".len());
    write!(text, "\n{:<width$}", "class")?;
    for (split, _) in &splits {
        write!(text, "  {split:>10}")?;
    }
    text.push('\n');
    let of_splits: Vec<_> = splits.iter().map(|(_, images)| counts(images)).collect();
    for (class, name) in data.class_names().iter().enumerate() {
        write!(text, "{:<width$}", escape(name))?;
        for counts in &of_splits {
            write!(text, "  {:>10}", counts[class])?;
        }
        text.push('\n');
    }
    write!(text, "{:<width$}", "images")?;
    for (_, images) in &splits {
        write!(text, "  {:>10}", images.len())?;
    }
    text.push('\n');
    for line in skipped_lines(&data.skipped)
        .into_iter()
        .chain(left_out_lines(&data.left_out))
    {
        writeln!(text, "{line}")?;
    }
    to_stdout(&text)
}

/// What [`info`] says, for programs.
fn info_json(data: &DataSet, sizes: Option<ImageSizes>) -> Value {
    let splits = splits(data);
    let classes = data.class_names().iter().enumerate().map(|(class, name)| {
        let mut row = json!({ "name": name });
        for (split, images) in &splits {
            row[split.to_string()] = json!(counts(images)[class]);
        }
        row
    });
    let images = splits.iter().map(|(split, images)| {
        let name = split.to_string();
        (name, json!(images.len()))
    });
    let skipped = data.skipped.iter().map(|file| {
        let mut row = json!({});
        in_json(&mut row, "path", &file.path);
        row["reason"] = json!(file.reason);
        row
    });
    json!({
        "dataset": data.name,
        "size": data.train.size(),
        "channels": data.train.channels().count(),
        "images": images.collect::<serde_json::Map<_, _>>(),
        "classes": classes.collect::<Vec<_>>(),
        "image_sizes": sizes.map(|sizes| json!({
            "smallest": sizes.smallest,
            "median": sizes.median,
            "largest": sizes.largest,
        })),
        "skipped": skipped.collect::<Vec<_>>(),
        "left_out": data.left_out.files,
        "notes": data.left_out.notes,
    })
}

/// What is to be said about files that were left out: nothing if there are none.
pub(crate) fn skipped_lines(skipped: &[Skipped]) -> Vec<String> {
    if skipped.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("skipped: {} files can't be read", skipped.len())];
    let listed = skipped.iter().take(MOST_SKIPPED);
    lines.extend(listed.map(|file| format!("  {}: {}", shown(&file.path), one_line(&file.reason))));
    if skipped.len() > MOST_SKIPPED {
        lines.push(format!("  and {} more", skipped.len() - MOST_SKIPPED));
    }
    lines
}

/// What is to be said about what else was left out: nothing if there is nothing.
pub(crate) fn left_out_lines(left_out: &LeftOut) -> Vec<String> {
    let files = left_out.files_line();
    let files = files
        .map(|files| format!("ignored, as they are not images of a supported format: {files}"));
    files.into_iter().chain(left_out.notes.clone()).collect()
}

/// The principal components of colour with their eigenvalues; none of grey images.
fn components(it: &Statistics) -> impl Iterator<Item = (&f64, &[f64; 3])> {
    let all = it.principal.iter();
    all.flat_map(|principal| principal.values.iter().zip(&principal.vectors))
}

/// Mean, standard deviation and principal components of colour.
pub(crate) fn statistics(data: &DataSet, it: &Statistics, output: OutputArgs) -> Result<()> {
    if output.json {
        return print_json(&json!({
            "dataset": data.name,
            "images": data.train.len(),
            "mean": it.mean,
            "std": it.std,
            "principal_components": components(it)
                .map(|(value, vector)| json!({ "eigenvalue": value, "vector": vector }))
                .collect::<Vec<_>>(),
        }));
    }
    let row = |values: &[f64]| {
        let values = values.iter().map(|value| format!("{value:>8.4}"));
        values.collect::<Vec<_>>().join(" ")
    };
    let names = channel_names(data.train.channels());
    let names: Vec<_> = names.iter().map(|name| format!("{name:>8}")).collect();
    let mut text = format!(
        "{}: {} training images, colours from 0 to 1\n",
        escape(&data.name),
        data.train.len()
    );
    writeln!(text, "{:<22} {}", "", names.join(" "))?;
    writeln!(text, "{:<22} {}", "mean", row(&it.mean))?;
    writeln!(text, "{:<22} {}", "std", row(&it.std))?;
    for ((value, vector), number) in components(it).zip(1..) {
        let name = format!("component {number} ({value:.5})");
        writeln!(text, "{name:<22} {}", row(vector))?;
    }
    if it.principal.is_some() {
        writeln!(text, "(a component's eigenvalue is in brackets)")?;
    }
    to_stdout(&text)
}

/// What the network gets: shape, range, mean and standard deviation.
pub(crate) fn first_batch(recipe: &Recipe, batch: &FirstBatch, output: OutputArgs) -> Result<()> {
    let labels = batch.images.labels();
    let (least, most) = (labels.iter().min(), labels.iter().max());
    if output.json {
        return print_json(&json!({
            "recipe": recipe.name,
            "shape": batch.shape,
            "dtype": "f32",
            "batches": batch.n_batches,
            "labels": labels,
            "channels": batch.channels.iter().map(|it| json!({
                "min": it.min, "max": it.max, "mean": it.mean, "std": it.std,
            })).collect::<Vec<_>>(),
        }));
    }
    if output.quiet {
        return Ok(());
    }
    let mut text = format!(
        "batch 1 of {} of recipe {}, as the network gets it\n",
        batch.n_batches,
        escape(&recipe.name)
    );
    writeln!(text, "images {:?} f32", batch.shape)?;
    let range = least
        .zip(most)
        .map(|(least, most)| format!(", {least} to {most}"));
    writeln!(
        text,
        "labels [{}] u32{}",
        labels.len(),
        range.unwrap_or_default()
    )?;
    writeln!(
        text,
        "{:<8} {:>8} {:>8} {:>8} {:>8}",
        "channel", "min", "max", "mean", "std"
    )?;
    for (it, name) in batch
        .channels
        .iter()
        .zip(channel_names(batch.images.channels()))
    {
        let numbers = [f64::from(it.min), f64::from(it.max), it.mean, it.std];
        let numbers = numbers.map(|number| format!("{number:>8.4}")).join(" ");
        writeln!(text, "{name:<8} {numbers}")?;
    }
    to_stdout(&text)
}

fn channel_names(channels: Channels) -> &'static [&'static str] {
    match channels {
        Channels::Grey => &["grey"],
        Channels::Rgb => &["red", "green", "blue"],
        Channels::Rgba => &["red", "green", "blue", "opacity"],
    }
}

/// A contact sheet that was written.
pub(crate) fn sheet(path: &Path, [height, width]: [u32; 2], output: OutputArgs) -> Result<()> {
    if output.json {
        let mut value = json!({});
        in_json(&mut value, "path", path);
        value["size"] = json!([height, width]);
        return print_json(&value);
    }
    if output.quiet {
        return Ok(());
    }
    to_stdout(&format!("{}: {width}x{height} pixels\n", shown(path)))
}

/// A data set that is there, and whole.
pub(crate) fn downloaded(data: &DataSet, folder: &Path, output: OutputArgs) -> Result<()> {
    let [train, test] =
        [Split::Train, Split::Test].map(|split| data.split(split).map_or(0, Images::len));
    if output.json {
        let mut value = json!({ "dataset": data.name });
        in_json(&mut value, "folder", folder);
        value["train"] = json!(train);
        value["test"] = json!(test);
        return print_json(&value);
    }
    if output.quiet {
        return Ok(());
    }
    to_stdout(&format!(
        "{}: {train} training and {test} test images in {}\n",
        escape(&data.name),
        shown(folder)
    ))
}
