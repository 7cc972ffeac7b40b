//! `alexnet train`.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use train::{OptimizerKind, Outcome, Recipe, RunDir, Trainer};

use crate::args::{OptimizerArg, TrainArgs};
use crate::progress::Progress;
use crate::report;

/// The exit code of a run that was interrupted: 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;

pub(crate) fn run(args: &TrainArgs) -> Result<ExitCode> {
    let resumed = args.resume.as_deref().map(RunDir::open).transpose()?;
    let recipe = match &resumed {
        Some(run) => with_flags(run.recipe()?, args),
        None => with_flags(chosen(args)?, args),
    };
    recipe.check()?;
    let device = recipe.open_device()?;
    let mut progress = Progress::new(args.output);
    let data = recipe.open_data(!args.machine.no_download, &mut |event| {
        progress.download(&event);
    })?;
    let mut trainer = Trainer::new(recipe, data, &device)?;
    let folder = match resumed {
        Some(run) => {
            let folder = run.path().to_owned();
            trainer.resume(run)?;
            folder
        }
        None => {
            let folder = match &args.out {
                Some(out) => out.clone(),
                None => RunDir::fresh_path(&trainer.recipe().name),
            };
            trainer.save_to(RunDir::create(&folder, trainer.recipe())?)?;
            folder
        }
    };
    if args.profile {
        trainer.profile()?;
    }
    let stop = stop_flag()?;
    match trainer.run(&stop, &mut |event: train::Event<'_>| progress.event(&event))? {
        Outcome::Finished(summary) => {
            report::finished(&summary, &folder, args.output)?;
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Interrupted { step } => {
            report::interrupted(step, &folder, args.output);
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// The recipe that the arguments name, before flags.
fn chosen(args: &TrainArgs) -> Result<Recipe> {
    let dataset = args.dataset.as_deref();
    let mut recipe = match &args.recipe {
        Some(name) => Recipe::named(name)?,
        None => Recipe::for_dataset(dataset.unwrap_or("shapes10"))?,
    };
    if let Some(path) = &args.config {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{}: cannot read", path.display()))?;
        recipe = recipe.overridden_by(&text, path)?;
    }
    if let Some(dataset) = dataset {
        dataset.clone_into(&mut recipe.dataset);
    }
    Ok(recipe)
}

fn with_flags(mut recipe: Recipe, args: &TrainArgs) -> Recipe {
    super::apply(&args.machine, &mut recipe);
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
    recipe.limit = args.limit.or(recipe.limit);
    recipe.validation = args.validation.or(recipe.validation);
    recipe
}

/// A flag that Ctrl-C sets. The second Ctrl-C ends the program at once.
fn stop_flag() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            #[expect(clippy::exit, reason = "the user has asked twice, and waits")]
            std::process::exit(INTERRUPTED.into());
        }
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(stop)
}
