//! `alexnet predict`.

mod outputs;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use data::{DataError, LeftOut, heat_map, images_under, read_image};
use model::Preparation;
use train::{Classifier, Recipe, Weights};

use self::outputs::{Input, Outputs};
use crate::args::PredictArgs;
use crate::hint;
use crate::progress::Progress;
use crate::report::{self, Guess, Predictions};

/// More bytes of an image on standard input are refused.
const MAX_BYTES: u64 = 256 << 20;

pub(crate) fn run(args: &PredictArgs) -> Result<ExitCode> {
    if args.top == Some(0) {
        return Err(hint::error(
            "--top: expected at least 1 class, got 0",
            "`--top 3` names the three most probable",
        ));
    }
    let weights = super::weights(&args.weights, args.output)?;
    let mut recipe = recipe(args, &weights)?;
    recipe.input_size = None;
    args.preparation.apply(&mut recipe);
    recipe.check()?;
    let outputs = Outputs::new(args);
    let (mut skipped, mut left_out) = (Vec::new(), LeftOut::default());
    let inputs = inputs(args, &outputs, &mut skipped, &mut left_out)?;
    let device = super::device::open(&args.device, args.output)?;
    let classifier = named(Classifier::open(&weights, &recipe, &device)?, &recipe)?;
    let top = args.top.unwrap_or(match (args.csv, inputs.len()) {
        (true, _) => 1,
        (false, 2..) if !args.output.json => 1,
        _ => 5,
    });
    let mut predictions = Predictions::new(args, left_out, inputs.len());
    predictions.begin(top.min(classifier.names().len()))?;
    for (path, reason) in skipped {
        predictions.fail(&path, reason);
    }
    let mut job = Job {
        classifier: &classifier,
        args,
        top,
        outputs,
        predictions: &mut predictions,
        progress: Progress::new(args.output),
    };
    let mut done = 0;
    for chunk in inputs.chunks(classifier.batch_size()) {
        job.progress.counting("predict", done, inputs.len());
        job.predict(chunk)?;
        done += chunk.len();
    }
    job.progress.clear();
    predictions.finish(inputs.len())
}

/// The images that are asked for, without what this command has written before. What can't be looked into is `skipped`,
/// what has no image's name is counted.
fn inputs(
    args: &PredictArgs,
    outputs: &Outputs,
    skipped: &mut Vec<(PathBuf, String)>,
    left_out: &mut LeftOut,
) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in &args.images {
        if !path.is_dir() {
            inputs.push(Input::file(path));
            continue;
        }
        let mut found = images_under(path);
        let all = found.files.len();
        found.files.retain(|file| !outputs.are_own(file));
        report::passed_over(path, &found.left_out, all - found.files.len(), args.output);
        for (ending, count) in found.left_out.files {
            *left_out.files.entry(ending).or_default() += count;
        }
        skipped.extend(found.skipped.into_iter().map(|it| (it.path, it.reason)));
        if found.files.is_empty() {
            let folder = report::shown(path);
            return Err(hint::error(
                format!("{folder}: no JPEG, PNG, WebP, BMP, GIF or TIFF here"),
                "images are told by the ends of their names; folders in it are searched too",
            ));
        }
        let files = found.files.into_iter();
        inputs.extend(files.map(|file| Input::inside(file, path)));
    }
    Ok(inputs)
}

/// What is needed for every image.
struct Job<'a> {
    classifier: &'a Classifier,
    args: &'a PredictArgs,
    top: usize,
    outputs: Outputs,
    predictions: &'a mut Predictions,
    progress: Progress,
}

impl Job<'_> {
    /// Classifies as many images as fit at once.
    fn predict(&mut self, inputs: &[Input]) -> Result<()> {
        let mut read = Vec::new();
        for input in inputs {
            let path = &input.path;
            let pixels =
                bytes_of(path).and_then(|bytes| Ok((self.classifier.pixels(&bytes, path)?, bytes)));
            match pixels {
                Ok((pixels, bytes)) => read.push((input, pixels, bytes)),
                Err(error) => self.predictions.fail(path, reason(&error)),
            }
        }
        let images: Vec<_> = read.iter().map(|(_, pixels, _)| pixels.clone()).collect();
        let rows: Vec<_> = match self.classifier.classify(&images) {
            Ok(rows) => rows.into_iter().map(Ok).collect(),
            // One by one, to say for which.
            Err(train::Error::NotFinite { .. }) => {
                let one = |pixels| self.classifier.classify(std::slice::from_ref(pixels));
                let rows = images.iter().map(one);
                rows.map(|rows| rows.map(|mut rows| rows.remove(0)))
                    .collect()
            }
            Err(error) => return Err(error.into()),
        };
        for ((input, pixels, bytes), probabilities) in read.into_iter().zip(rows) {
            match probabilities {
                Ok(probabilities) => self.tell(input, &pixels, &bytes, &probabilities)?,
                Err(error) => self.predictions.fail(&input.path, error.to_string()),
            }
        }
        Ok(())
    }

    /// Tells what one image is, and writes what is asked for.
    fn tell(
        &mut self,
        input: &Input,
        pixels: &[u8],
        bytes: &[u8],
        probabilities: &[f32],
    ) -> Result<()> {
        let mut classes: Vec<usize> = (0..probabilities.len()).collect();
        classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        let guesses = classes.into_iter().take(self.top).map(|class| Guess {
            class,
            name: self.classifier.names()[class].clone(),
            probability: probabilities[class],
        });
        let guesses: Vec<_> = guesses.collect();
        let mut written = Vec::new();
        if self.args.occlusion_map {
            written.push(("occlusion_map", self.draw_map(input, pixels, &guesses[0])?));
        }
        if let Some(copy) = self.outputs.sort(input, &guesses[0].name, bytes)? {
            written.push(("sorted_into", copy));
        }
        self.progress.clear();
        self.predictions.add(&input.path, &guesses, &written)
    }

    /// Draws the image beside what its first class depends on.
    fn draw_map(&mut self, input: &Input, pixels: &[u8], first: &Guess) -> Result<PathBuf> {
        let mut shown = |done, of| self.progress.counting("occlusion map", done, of);
        let map = self
            .classifier
            .occlusion_map(pixels, first.class, &mut shown)?;
        let out = self.outputs.map(input)?;
        let caption = [
            format!("{} {:.4}", first.name, first.probability),
            "red: covered, it is less so".to_owned(),
        ];
        heat_map(pixels, self.classifier.size(), &map.falls, map.columns)?
            .with_caption(&[&caption[0], &caption[1]])
            .write_png(&out)?;
        Ok(out)
    }
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
