//! `alexnet train`.

use std::process::ExitCode;

use ::report::TensorBoard;
use anyhow::Result;
use data::DataSet;
use tensor::Device;
use train::{
    EarlyStoppingRecipe, Metric, OptimizerKind, Outcome, Recipe, ResumeOptions, RunDir, Trainer,
};

use super::{INTERRUPTED, look_back, trial};
use crate::args::{ControlArgs, OptimizerArg, TrainArgs};
use crate::progress::Progress;
use crate::report;
use crate::signals::listen;

pub(crate) fn run(args: &TrainArgs) -> Result<ExitCode> {
    let mut progress = Progress::new(args.output);
    // Locked at once, before images are read.
    let resumed = args.resume.as_deref();
    let resumed = resumed.map(|path| RunDir::open(path)?.locked());
    let resumed = resumed.transpose()?;
    let recipe = match &resumed {
        Some(run) => with_flags(resumed_with(&run.recipe()?, &args.control.settings)?, args),
        None => with_flags(chosen(args)?.with_settings(&args.control.settings)?, args),
    };
    recipe.check().map_err(|error| named(error, args))?;
    if resumed.is_none() {
        check_new(&recipe, args)?;
    }
    let device = recipe.open_device().map_err(|error| named(error, args))?;
    super::device::heed(&device, args.output)?;
    let data = recipe
        .open_data(!args.runtime.no_download, &mut |event| {
            progress.download(&event);
        })
        .map_err(|error| named(error, args))?;
    progress.left_out(&data);
    let stop = listen()?;
    if let Some(kind) = trial::Kind::of(args.control.trial) {
        let trainer = kind.trainer(args, recipe, data, &device);
        let tried = trainer.and_then(|it| trial::run(kind, args, it, &stop, progress));
        return tried.map_err(|error| named(error, args));
    }
    let trainer = trainer(resumed.as_ref(), recipe, data, &device);
    let mut trainer = trainer.map_err(|error| named(error, args))?;
    if let Some(time) = args.control.max_time {
        trainer.set_max_time(time);
    }
    let folder = match resumed {
        Some(run) => {
            let folder = run.path().to_owned();
            warn_if_unlocked(&run, args);
            for note in trainer.resume_with(run, &resume_options(args))? {
                progress.line(&note);
            }
            folder
        }
        None => {
            // Before anything is written.
            trainer.load_initial_weights()?;
            let run = new_run(args, trainer.recipe())?;
            let folder = run.path().to_owned();
            trainer.save_to(run)?;
            folder
        }
    };
    if args.profile {
        trainer.profile()?;
    }
    let mut tensorboard = TensorBoard::new(&folder);
    let mut listener = |event: train::Event<'_>| {
        progress.event(&event);
        tensorboard.event(&event);
    };
    let outcome = stop.heeded(|stop| trainer.run(stop, &mut listener))?;
    match outcome {
        Outcome::Finished(summary) => {
            report::finished(&summary, &folder, args.output)?;
            look_back(&folder, tensorboard, &mut progress, args.output)?;
            report::closing(&progress.times(), &folder, args.output)?;
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Interrupted { step } => {
            progress.clear();
            report::interrupted(step, &folder, args.output);
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// Refuses a new run for what needs neither device nor images to be seen.
fn check_new(recipe: &Recipe, args: &TrainArgs) -> Result<()> {
    super::check_names(recipe).map_err(|error| named(error, args))?;
    if let Some(out) = args.out.as_deref().filter(|out| RunDir::open(out).is_ok()) {
        // It refuses a folder that has a run.
        RunDir::create(out, recipe)?;
    }
    Ok(())
}

/// Where a new run is kept.
fn new_run(args: &TrainArgs, recipe: &Recipe) -> Result<RunDir> {
    let folder = match &args.out {
        Some(out) => out.clone(),
        None => RunDir::fresh_path(&recipe.name),
    };
    let run = RunDir::create(&folder, recipe)?;
    warn_if_unlocked(&run, args);
    Ok(run)
}

/// The trainer of a recipe, and of a resumed run that another program began with a network of its own.
fn trainer(
    resumed: Option<&RunDir>,
    recipe: Recipe,
    data: DataSet,
    device: &Device,
) -> train::Result<Trainer> {
    match resumed.map(RunDir::own_network).transpose()?.flatten() {
        Some(network) => Trainer::with_network(recipe, network, data, device),
        None => Trainer::new(recipe, data, device),
    }
}

fn resume_options(args: &TrainArgs) -> ResumeOptions {
    ResumeOptions {
        checkpoint: args.going_on.checkpoint.clone(),
        accept_changed_data: args.going_on.accept_changed_data,
    }
}

/// Some network file systems have no locks: two processes on one run would not notice each other.
pub(super) fn warn_if_unlocked(run: &RunDir, args: &TrainArgs) {
    if !run.is_locked() {
        let folder = report::shown(run.path());
        let text = format!("{folder}: this file system has no locks: start no other run there");
        report::working(&text, args.output);
    }
}

/// What is wrong with the settings of a file, under the file's name: most of them are checked where they are used.
fn named(error: impl Into<anyhow::Error>, args: &TrainArgs) -> anyhow::Error {
    let error = error.into();
    let file = match (&args.config, &args.resume) {
        (Some(config), _) => report::shown(config),
        (_, Some(run)) => report::shown(&run.join("config.toml")),
        _ => return error,
    };
    if format!("{error:#}").contains(&file) {
        return error;
    }
    error.context(file)
}

/// The recipe that the arguments name, before flags.
fn chosen(args: &TrainArgs) -> Result<Recipe> {
    let dataset = args.dataset.as_deref();
    let mut recipe = match &args.recipe {
        Some(name) => Recipe::named(name)?,
        None => Recipe::for_dataset(dataset.unwrap_or("shapes10"))?,
    };
    if let Some(path) = &args.config {
        let text = files::read_text(path, files::MOST_TEXT_BYTES)?;
        recipe = recipe.overridden_by(&text, path)?;
    }
    if let Some(dataset) = dataset {
        dataset.clone_into(&mut recipe.dataset);
    }
    Ok(recipe)
}

/// The recipe of a resumed run, with settings that may change on the way: when it stops early follows from its epochs
/// anew, and their weights do not depend on it.
fn resumed_with(recipe: &Recipe, settings: &[String]) -> Result<Recipe> {
    for setting in settings {
        anyhow::ensure!(
            setting.trim_start().starts_with("early_stopping."),
            "--set {setting}: expected a setting of early_stopping with --resume, as a run's other settings stay"
        );
    }
    Ok(recipe.with_settings(settings)?)
}

fn with_flags(mut recipe: Recipe, args: &TrainArgs) -> Recipe {
    super::apply(&args.runtime, &mut recipe);
    control(&args.control, &mut recipe);
    if let Some(network) = &args.network {
        recipe.network.clone_from(network);
    }
    if let Some(kind) = args.optimizer {
        recipe.optimizer.kind = match kind {
            OptimizerArg::Sgd => OptimizerKind::Sgd,
            OptimizerArg::Adam => OptimizerKind::Adam,
            OptimizerArg::Adamw => OptimizerKind::AdamW,
        };
    }
    recipe.epochs = args.epochs.unwrap_or(recipe.epochs);
    recipe.batch_size = args.batch_size.unwrap_or(recipe.batch_size);
    recipe.optimizer.learning_rate = args.lr.unwrap_or(recipe.optimizer.learning_rate);
    recipe.seed = args.seed.unwrap_or(recipe.seed);
    recipe.precision = args.precision.map_or(recipe.precision, Into::into);
    recipe.limit = args.limit.or(recipe.limit);
    recipe.validation = args.validation.clone().or(recipe.validation);
    recipe
}

/// Puts the flags that say what a run starts from, when it stops and what it notes into a recipe.
fn control(args: &ControlArgs, recipe: &mut Recipe) {
    if let Some(from) = &args.from {
        recipe.from = Some(from.clone());
    }
    if !args.freeze.is_empty() {
        recipe.optimizer.freeze.clone_from(&args.freeze);
    }
    if let Some(patience) = args.early_stopping {
        let before = recipe.early_stopping;
        recipe.early_stopping = Some(EarlyStoppingRecipe {
            patience,
            metric: before.map_or(Metric::ValLoss, |before| before.metric),
            min_delta: before.map_or(0.0, |before| before.min_delta),
        });
    }
    if let Some(every) = args.checkpoint_every {
        recipe.checkpoints.every = every;
    }
    if let Some(keep) = args.keep {
        recipe.checkpoints.keep = keep;
    }
    recipe.runtime.norms |= args.norms;
}
