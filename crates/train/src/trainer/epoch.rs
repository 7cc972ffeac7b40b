//! The end of an epoch: validation, its row, and the checkpoints.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use data::Split;

use super::{BEST, LAST, Trainer};
use crate::error::{Error, Result};
use crate::eval::score::Score;
use crate::run::checkpoint::{self, Best, Checkpoint, Partial};
use crate::run::dir::EPOCH;
use crate::run::histograms::LastGradients;
use crate::run::norms;
use crate::run::rows::{Row, rounded, significant};
use crate::run::validation_log::ValidationRow;
use crate::trainer::Stopped;
use crate::trainer::callback::{Event, Listener, RateCut};

impl Trainer {
    /// Validates, and saves the epoch that is done; or leaves it as it is, if it is to stop meanwhile.
    pub(super) fn end_epoch(
        &mut self,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Result<(), Stopped>> {
        let validation = match self.validate(stop, listener)? {
            Ok(validation) => validation,
            Err(stopped) => return Ok(Err(stopped)),
        };
        let test = match self.test_epoch(stop, listener)? {
            Ok(test) => test,
            Err(stopped) => return Ok(Err(stopped)),
        };
        let row = self.row(validation.as_ref(), test.as_ref())?;
        let best = Best::after(
            self.state.best,
            &self.state.rows,
            &row,
            self.recipe.best_metric(),
        );
        let improved = best.is_some();
        self.state.best = best.or(self.state.best);
        self.state.train_s += self.state.partial.seconds;
        self.state.partial = Partial::default();
        (self.state.epoch, self.state.batch) = (row.epoch, 0);
        let cut = self.observe_plateau(&row);
        self.state.rows.push(row.clone());
        if let (Some(run), Some(gradients)) = (&self.run, self.step.last_gradients()) {
            let unscale = self.optimizer.unscale();
            norms::note(
                run.path(),
                row.epoch,
                row.step,
                self.optimizer.trained(),
                gradients,
                unscale,
            )?;
        }
        self.note_histograms(&row)?;
        self.save(improved)?;
        listener.event(Event::Epoch(&row));
        if let Some(cut) = cut {
            listener.event(Event::RateCut(cut));
        }
        Ok(Ok(()))
    }

    /// Writes down how the weights are distributed, and their gradients where the recipe asks for those.
    fn note_histograms(&mut self, row: &Row) -> Result<()> {
        let Some(log) = &mut self.histograms else {
            return Ok(());
        };
        let unscale = self.optimizer.unscale();
        let last = self.step.last_gradients();
        let last = last.map(|gradients| LastGradients { gradients, unscale });
        log.note(row.epoch, row.step, self.optimizer.trained(), last)
    }

    /// Lets the schedule look at an epoch.
    fn observe_plateau(&mut self, row: &Row) -> Option<RateCut> {
        let rate = |trainer: &Self| trainer.state.plateau.map_or(f64::NAN, |it| it.rate);
        let old = rate(self);
        let schedule = &self.recipe.schedule;
        schedule
            .observe(&mut self.state.plateau, row)
            .then(|| RateCut {
                epoch: row.epoch,
                metric: self.recipe.schedule.metric,
                old,
                new: rate(self),
            })
    }

    /// Scores the current weights on the test split, if the recipe asks for it every epoch.
    fn test_epoch(
        &mut self,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Result<Option<Score>, Stopped>> {
        let split = Split::Test;
        let mut tell = |done, of| listener.event(Event::Evaluating { split, done, of });
        let Some(test) = &mut self.test else {
            return Ok(Ok(None));
        };
        let score = test.run_until(stop, &mut tell)?;
        Ok(score.map(Some).ok_or(Stopped))
    }

    /// Scores the validation split within an epoch, and notes it down.
    pub(super) fn validate_within(
        &mut self,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Result<(), Stopped>> {
        let score = match self.validate(stop, listener)? {
            Ok(Some(score)) => score,
            Ok(None) => return Ok(Ok(())),
            Err(stopped) => return Ok(Err(stopped)),
        };
        let row = ValidationRow {
            epoch: self.state.epoch + 1,
            step: self.state.step,
            loss: rounded(self.last_loss),
            val_loss: rounded(score.loss),
            val_accuracy: rounded(score.accuracy),
            val_macro_f1: rounded(score.macro_f1()),
        };
        if let Some(log) = &mut self.validation_log {
            log.note(&row)?;
        }
        listener.event(Event::Validated(row));
        Ok(Ok(()))
    }

    /// Scores the current weights on the validation split, if there is one.
    ///
    /// [`Error::Diverged`] if its loss is not finite: then nothing of these weights is to be saved.
    pub(super) fn validate(
        &mut self,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Result<Option<Score>, Stopped>> {
        let split = Split::Validation;
        let mut tell = |done, of| listener.event(Event::Evaluating { split, done, of });
        let Some(validation) = &mut self.validation else {
            return Ok(Ok(None));
        };
        let Some(score) = validation.run_until(stop, &mut tell)? else {
            return Ok(Err(Stopped));
        };
        self.check_finite("the validation loss", score.loss)?;
        Ok(Ok(Some(score)))
    }

    /// [`Error::Diverged`] if a loss after the present step is not finite.
    pub(super) fn check_finite(&self, of: &str, loss: f64) -> Result<()> {
        if loss.is_finite() {
            return Ok(());
        }
        Err(self.diverged(of.to_owned(), loss.to_string()))
    }

    /// What is not finite after the current step.
    fn diverged(&self, of: String, found: String) -> Error {
        let step = self.state.step;
        Error::Diverged {
            of,
            first: step,
            step,
            found,
        }
    }

    /// The current weights as a file. The losses of the last steps were finite before their updates, and a run may have no
    /// validation: this tells whether the weights still are.
    fn model_bytes(&self) -> Result<Vec<u8>> {
        self.network.to_bytes().map_err(|error| match error {
            model::Error::NotFinite { tensor, found } => self.diverged(tensor, found),
            error => error.into(),
        })
    }

    /// The row of the epoch that ends, with the scores of the weights at its end.
    pub(super) fn row(&self, validation: Option<&Score>, test: Option<&Score>) -> Result<Row> {
        let partial = &self.state.partial;
        let images = partial.images.max(1.0);
        let seconds = partial.seconds.max(1e-9);
        Ok(Row {
            epoch: self.state.epoch + 1,
            step: self.state.step,
            lr: significant(self.learning_rate(self.state.step)),
            train_loss: rounded(partial.loss / images),
            train_accuracy: rounded(partial.correct / images),
            val_loss: validation.map(|score| rounded(score.loss)),
            val_accuracy: validation.map(|score| rounded(score.accuracy)),
            val_top5: validation.map(|score| rounded(score.top5)),
            images_per_s: rounded(images / seconds),
            data_wait_fraction: rounded(partial.waited_s / seconds),
            seconds: rounded(seconds),
            val_macro_f1: validation.map(|score| rounded(score.macro_f1())),
            test_loss: test.map(|score| rounded(score.loss)),
            test_accuracy: test.map(|score| rounded(score.accuracy)),
            test_top5: test.map(|score| rounded(score.top5)),
            test_macro_f1: test.map(|score| rounded(score.macro_f1())),
            penalty: self.optimizer.penalty()?.map(rounded),
        })
    }

    /// Saves the run: the best checkpoint first, so that a kill in between leaves none that the last does not know of.
    pub(super) fn save(&mut self, is_best: bool) -> Result<()> {
        let Some(run) = &self.run else { return Ok(()) };
        self.state.wall_s += self.began.elapsed().as_secs_f64();
        self.began = Instant::now();
        let (model, optimizer) = (self.model_bytes()?, self.optimizer.to_bytes()?);
        let checkpoint = Checkpoint {
            model: &model,
            optimizer: &optimizer,
            state: &self.state,
        };
        if is_best {
            checkpoint::save(&run.checkpoint(BEST), &checkpoint)?;
        }
        let epoch = self.state.epoch;
        let kept: Vec<_> = self.recipe.checkpoints.kept(epoch).collect();
        if self.state.batch == 0 && kept.contains(&epoch) {
            checkpoint::save(&run.checkpoint(&epoch_name(epoch)), &checkpoint)?;
        }
        checkpoint::save(&run.checkpoint(LAST), &checkpoint)?;
        run.keep_epochs(|name| kept.iter().any(|&epoch| name == epoch_name(epoch)))?;
        run.write_metrics(&self.state.rows)
    }
}

/// The name of the checkpoint that stays of an epoch.
fn epoch_name(epoch: u64) -> String {
    format!("{EPOCH}{epoch:04}")
}
