//! `alexnet sweep`.

use std::path::Path;
use std::process::ExitCode;

use ::report::TensorBoard;
use anyhow::{Context as _, Result};
use data::DataSet;
use tensor::Device;
use train::{
    FolderLock, Outcome, Recipe, ResumeOptions, RunDir, Summary, Sweep, SweepRow, Trainer,
};

use super::{INTERRUPTED, look_back};
use crate::args::SweepArgs;
use crate::progress::Progress;
use crate::report;
use crate::signals::{Stop, listen};

pub(crate) fn run(args: &SweepArgs) -> Result<ExitCode> {
    let sweep = find(&args.sweep)?;
    let mut recipes = Vec::new();
    for recipe in &sweep.runs {
        let mut recipe = recipe.with_settings(&args.settings)?;
        super::apply(&args.runtime, &mut recipe);
        super::check_names(&recipe)?;
        recipes.push(recipe);
    }
    let folder = match (&args.resume, &args.out) {
        (Some(folder), _) if !folder.is_dir() => {
            anyhow::bail!("{}: no sweep here to resume", report::shown(folder))
        }
        (Some(folder), _) | (None, Some(folder)) => folder.clone(),
        (None, None) => sweep.fresh_path(),
    };
    files::create_folder(&folder)?;
    let _lock = FolderLock::take(&folder)?;
    let stop = listen()?;
    let mut progress = Progress::new(args.output);
    let mut rows = Vec::new();
    let share = share(&recipes);
    for (recipe, number) in recipes.into_iter().zip(1..) {
        let name = recipe.name.clone();
        progress.line(&format!("run {number}/{}: {name}", sweep.runs.len()));
        let result = match Sweep::finished(&folder, &name) {
            Ok(Some(summary)) => Ok(Some(summary)),
            Ok(None) => match open(&recipe, args, &mut progress) {
                // The others would fail alike.
                Err(error) if share => return Err(error),
                Err(error) => Err(error),
                Ok(opened) => {
                    let folder = folder.join(&name);
                    train(recipe, opened, &folder, args, &stop, &mut progress)
                }
            },
            Err(error) => Err(error.into()),
        };
        let result = match result {
            Ok(Some(summary)) => Ok(summary),
            Ok(None) => {
                progress.clear();
                report::sweep_interrupted(args, &folder);
                return Ok(ExitCode::from(INTERRUPTED));
            }
            Err(error) => {
                let message = report::one_line(&format!("{error:#}"));
                progress.line(&format!(
                    "run {number}/{}: {name} failed: {message}",
                    sweep.runs.len()
                ));
                Err(message)
            }
        };
        rows.push(SweepRow { name, result });
        Sweep::write_comparison(&folder, &rows)?;
    }
    compare(&rows, &folder, args, &mut progress);
    report::sweep(&rows, &folder, args.output)?;
    let has_failed = rows.iter().any(|row| row.result.is_err());
    Ok(if has_failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The sweep in a file, or the built-in one of this name.
fn find(name: &Path) -> Result<Sweep> {
    if let Some(sweep) = name.to_str().map(Sweep::named).transpose()?.flatten() {
        return Ok(sweep);
    }
    let text = files::read_text(name, files::MOST_TEXT_BYTES).with_context(|| {
        let known: Vec<_> = Sweep::names().collect();
        format!("no sweep to read; built-in sweeps are {}", known.join(", "))
    })?;
    Ok(Sweep::parse(&text, name)?)
}

/// Whether all runs have one device and one data set.
fn share(recipes: &[Recipe]) -> bool {
    let of = |recipe: &Recipe| (recipe.runtime.device.clone(), recipe.dataset.clone());
    recipes.windows(2).all(|pair| of(&pair[0]) == of(&pair[1]))
}

/// A run's device and its images.
struct Opened {
    device: Device,
    data: DataSet,
}

/// Opens a run's device and its images.
fn open(recipe: &Recipe, args: &SweepArgs, progress: &mut Progress) -> Result<Opened> {
    let device = recipe.open_device()?;
    super::device::heed(&device, args.output)?;
    let data = recipe.open_data(!args.runtime.no_download, &mut |event| {
        progress.download(&event);
    })?;
    progress.left_out(&data);
    Ok(Opened { device, data })
}

/// Writes the page that compares the runs that are complete. That it can't be drawn loses none of them: it is a warning.
fn compare(rows: &[SweepRow], folder: &Path, args: &SweepArgs, progress: &mut Progress) {
    let whole = rows.iter().filter(|row| row.failure().is_none());
    let runs: Vec<_> = whole.map(|row| folder.join(&row.name)).collect();
    if runs.len() > 1 {
        progress.drawing("comparison", 0, 1);
        let written = ::report::write_comparison(&runs, &folder.join("comparison.html"));
        progress.clear();
        if let Err(error) = written {
            report::warning(&error.into(), args.output);
        }
    }
    progress.clear();
}

/// Trains one run to its end, from where it was stopped before, if it was. Nothing if it is interrupted.
fn train(
    recipe: Recipe,
    Opened { device, data }: Opened,
    folder: &Path,
    args: &SweepArgs,
    stop: &Stop,
    progress: &mut Progress,
) -> Result<Option<Summary>> {
    let mut trainer = Trainer::new(recipe, data, &device)?;
    match RunDir::open(folder) {
        Ok(run) => {
            let notes = trainer.resume_with(run, &ResumeOptions::default())?;
            notes.iter().for_each(|note| progress.line(note));
        }
        Err(_) => {
            trainer.load_initial_weights()?;
            trainer.save_to(RunDir::create(folder, trainer.recipe())?)?;
        }
    }
    let mut tensorboard = TensorBoard::new(folder);
    let mut listener = |event: train::Event<'_>| {
        progress.event(&event);
        tensorboard.event(&event);
    };
    let outcome = stop.heeded(|stop| trainer.run(stop, &mut listener))?;
    match outcome {
        Outcome::Finished(summary) => {
            look_back(folder, tensorboard, progress, args.output)?;
            Ok(Some(*summary))
        }
        Outcome::Interrupted { .. } => Ok(None),
    }
}
