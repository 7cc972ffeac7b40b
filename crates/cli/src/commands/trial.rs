//! `alexnet train --fast-dev-run`, `--overfit-one-batch` and `--find-lr`.

use std::process::ExitCode;

use anyhow::Result;
use data::DataSet;
use tensor::Device;
use train::{Outcome, RateSearch, Recipe, RunDir, Trainer, has_learnt_batch};

use super::INTERRUPTED;
use crate::args::{TrainArgs, TrialArgs};
use crate::progress::Progress;
use crate::report;
use crate::signals::Stop;

/// Steps on the one batch, unless `--epochs` says otherwise.
const STEPS: u64 = 200;

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Fast,
    OneBatch,
    Rate,
}

impl Kind {
    /// What the arguments ask for, if anything.
    pub(super) fn of(args: TrialArgs) -> Option<Self> {
        let TrialArgs {
            fast_dev_run,
            overfit_one_batch,
            find_lr,
        } = args;
        match (fast_dev_run, overfit_one_batch, find_lr) {
            (true, ..) => Some(Self::Fast),
            (_, true, _) => Some(Self::OneBatch),
            (.., true) => Some(Self::Rate),
            _ => None,
        }
    }

    /// What trains, from what a whole run would train.
    pub(super) fn trainer(
        self,
        args: &TrainArgs,
        recipe: Recipe,
        data: DataSet,
        device: &Device,
    ) -> Result<Trainer> {
        let (recipe, data) = match self {
            Self::Fast => (recipe.for_fast_run(), data),
            Self::OneBatch => recipe.for_one_batch(&data, args.epochs.unwrap_or(STEPS))?,
            Self::Rate => (recipe, data),
        };
        Ok(Trainer::new(recipe, data, device)?)
    }
}

pub(super) fn run(
    kind: Kind,
    args: &TrainArgs,
    trainer: Trainer,
    stop: &Stop,
    progress: Progress,
) -> Result<ExitCode> {
    if matches!(kind, Kind::Rate) {
        return find_rate(args, trainer, stop, progress);
    }
    train(kind, args, trainer, stop, progress)
}

/// Trains in memory, and reports the outcome.
fn train(
    kind: Kind,
    args: &TrainArgs,
    mut trainer: Trainer,
    stop: &Stop,
    mut progress: Progress,
) -> Result<ExitCode> {
    let mut listener = |event: train::Event<'_>| progress.event(&event);
    let outcome = stop.heeded(|stop| trainer.run(stop, &mut listener))?;
    progress.clear();
    let Outcome::Finished(summary) = outcome else {
        report::working(
            "interrupted; a trial leaves nothing to go on from",
            args.output,
        );
        return Ok(ExitCode::from(INTERRUPTED));
    };
    if matches!(kind, Kind::Fast) {
        report::fast_run(&summary, args.output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let is_learnt = has_learnt_batch(&summary);
    report::one_batch(&summary, is_learnt, args.output)?;
    Ok(if is_learnt {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Looks for a learning rate, and keeps what was found in a run folder.
fn find_rate(
    args: &TrainArgs,
    mut trainer: Trainer,
    stop: &Stop,
    mut progress: Progress,
) -> Result<ExitCode> {
    trainer.load_initial_weights()?;
    let folder = match &args.out {
        Some(out) => out.clone(),
        None => RunDir::fresh_path(&format!("{}-lr", trainer.recipe().name)),
    };
    // Held while the search goes on: it is the right to write there.
    let run = RunDir::create(&folder, trainer.recipe())?;
    super::train::warn_if_unlocked(&run, args);
    let mut listener = |event: train::Event<'_>| progress.event(&event);
    let search = RateSearch::default();
    let finding = stop.heeded(|stop| trainer.find_rate(&search, stop, &mut listener))?;
    progress.clear();
    finding.write(&folder)?;
    report::rate_finding(&finding, &folder, args.output)?;
    Ok(ExitCode::SUCCESS)
}
