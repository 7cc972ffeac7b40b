//! `alexnet predict`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use data::{DataError, heat_map, images_under, read_image};
use model::Preparation;
use train::{Classifier, Recipe, Weights};

use crate::args::PredictArgs;
use crate::progress::Progress;
use crate::report::{self, Guess, Predictions};

/// More bytes of an image on standard input are refused.
const MAX_BYTES: u64 = 256 << 20;

pub(crate) fn run(args: &PredictArgs) -> Result<ExitCode> {
    anyhow::ensure!(args.top > 0, "--top: expected at least 1 class, got 0");
    let weights = super::weights(&args.weights, args.output)?;
    let device = super::device::open(&args.device, args.output)?;
    let mut recipe = recipe(args, &weights)?;
    recipe.input_size = None;
    args.preparation.apply(&mut recipe);
    recipe.check()?;
    let classifier = named(Classifier::open(&weights, &recipe, &device)?, &recipe)?;
    let mut predictions = Predictions::new(args.output);
    let mut files = Vec::new();
    for path in &args.images {
        if path.is_dir() {
            let found = images_under(path);
            predictions.leave_out(path, &found.left_out);
            let skipped = found.skipped.into_iter();
            skipped.for_each(|skipped| predictions.fail(&skipped.path, skipped.reason));
            anyhow::ensure!(
                !found.files.is_empty(),
                "{}: no JPEG, PNG, WebP, BMP, GIF or TIFF here",
                report::shown(path)
            );
            files.extend(found.files);
        } else {
            files.push(path.clone());
        }
    }
    let mut progress = Progress::new(args.output);
    let mut done = 0;
    for chunk in files.chunks(classifier.batch_size()) {
        progress.counting("predict", done, files.len());
        predict(&classifier, chunk, args, &mut predictions, &mut progress)?;
        done += chunk.len();
    }
    progress.clear();
    predictions.finish(files.len())
}

/// Classifies as many images as fit at once.
fn predict(
    classifier: &Classifier,
    files: &[PathBuf],
    args: &PredictArgs,
    predictions: &mut Predictions,
    progress: &mut Progress,
) -> Result<()> {
    let mut read = Vec::new();
    for path in files {
        match bytes_of(path).and_then(|bytes| Ok(classifier.pixels(&bytes, path)?)) {
            Ok(pixels) => read.push((path, pixels)),
            Err(error) => predictions.fail(path, reason(&error)),
        }
    }
    let images: Vec<_> = read.iter().map(|(_, pixels)| pixels.clone()).collect();
    let rows: Vec<_> = match classifier.classify(&images) {
        Ok(rows) => rows.into_iter().map(Ok).collect(),
        // One by one, to say for which.
        Err(train::Error::NotFinite { .. }) => {
            let one = |pixels| classifier.classify(std::slice::from_ref(pixels));
            let rows = images.iter().map(one);
            rows.map(|rows| rows.map(|mut rows| rows.remove(0)))
                .collect()
        }
        Err(error) => return Err(error.into()),
    };
    for ((path, pixels), probabilities) in read.into_iter().zip(rows) {
        let probabilities = match probabilities {
            Ok(probabilities) => probabilities,
            Err(error) => {
                predictions.fail(path, error.to_string());
                continue;
            }
        };
        let mut classes: Vec<usize> = (0..probabilities.len()).collect();
        classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        let first = classes[0];
        let guesses = classes.into_iter().take(args.top).map(|class| Guess {
            class,
            name: classifier.names()[class].clone(),
            probability: probabilities[class],
        });
        let guesses: Vec<_> = guesses.collect();
        let occlusion = if args.occlusion_map {
            let mut shown = |done, of| progress.counting("occlusion map", done, of);
            let map = classifier.occlusion_map(&pixels, first, &mut shown)?;
            let out = occlusion_path(path);
            heat_map(&pixels, classifier.size(), &map.falls, map.columns)?.write_png(&out)?;
            Some(out)
        } else {
            None
        };
        progress.clear();
        predictions.add(path, &guesses, occlusion.as_deref())?;
    }
    Ok(())
}

/// How images are prepared: as asked for, else as in the run, else as is usual for the network, with a word.
fn recipe(args: &PredictArgs, weights: &Weights) -> Result<Recipe> {
    if let Some(name) = &args.recipe {
        return Ok(Recipe::named(name)?);
    }
    if let Some(recipe) = &weights.recipe {
        return Ok(recipe.clone());
    }
    let recipe = Classifier::default_recipe(&weights.path)?;
    if Preparation::in_file(&weights.path)?.is_some() {
        return Ok(recipe);
    }
    let text = format!(
        "neither the weight file nor its run says how images are prepared: as for {}",
        recipe.name
    );
    report::working(&text, args.output);
    Ok(recipe)
}

/// Names from the data set where the weights bring none, if it is at hand.
fn named(classifier: Classifier, recipe: &Recipe) -> Result<Classifier> {
    if classifier.has_own_names() {
        return Ok(classifier);
    }
    match recipe.open_data(false, &mut |_| {}) {
        Ok(data) if data.class_names().len() == classifier.names().len() => {
            Ok(classifier.with_names(data.class_names())?)
        }
        _ => Ok(classifier),
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    if path != Path::new("-") {
        return Ok(read_image(path)?);
    }
    let mut bytes = Vec::new();
    let stdin = std::io::stdin().lock();
    stdin
        .take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .context("standard input: cannot read")?;
    Ok(bytes)
}

/// Why an image was left out, without its name.
fn reason(error: &anyhow::Error) -> String {
    let cause = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<DataError>());
    match cause {
        Some(DataError::Image { reason, .. }) => reason.clone(),
        Some(DataError::Io { source, .. }) => source.to_string(),
        Some(DataError::File(error)) => error.source.to_string(),
        _ => match error.downcast_ref::<train::Error>() {
            Some(train::Error::Data(DataError::Image { reason, .. })) => reason.clone(),
            _ => format!("{error:#}"),
        },
    }
}

/// `rose.jpg` has its map in `rose.occlusion.png` beside it, standard input in `stdin.occlusion.png`.
fn occlusion_path(path: &Path) -> PathBuf {
    if path == Path::new("-") {
        PathBuf::from("stdin.occlusion.png")
    } else {
        path.with_extension("occlusion.png")
    }
}
