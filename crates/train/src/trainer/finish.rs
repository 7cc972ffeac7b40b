//! The end of a run: the test, and the summary.

use std::sync::atomic::AtomicBool;

use data::Split;

use super::{BEST, LAST, Stopped, Trainer};
use crate::error::Result;
use crate::eval::evaluation::Evaluation;
use crate::eval::evaluator::Evaluator;
use crate::eval::score::{Score, ratio_of};
use crate::run::checkpoint::{self, Best, Part};
use crate::run::dir::{EVALUATION, SUMMARY};
use crate::run::environment::peak_host_bytes;
use crate::run::milestones::milestones;
use crate::run::rows::{Row, Summary, rounded};
use crate::trainer::callback::{Ended, Event, Listener};

/// The outcome of a run.
#[derive(Debug)]
struct Ending {
    ended: Ended,
    rows: Vec<Row>,
    best: Option<Best>,
    /// The checkpoint whose weights are tested.
    weights: &'static str,
}

impl Trainer {
    /// Tests the best weights, or the last where nothing says which are best, and writes what came of the run. Writes nothing
    /// if it is to stop meanwhile.
    pub(super) fn finish(
        &mut self,
        ended: Ended,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Result<Summary, Stopped>> {
        let ending = match self.ending(ended, stop, listener)? {
            Ok(ending) => ending,
            Err(stopped) => return Ok(Err(stopped)),
        };
        if let (Some(run), BEST) = (&self.run, ending.weights) {
            let best = run.checkpoint(BEST);
            checkpoint::verify(&best, &[Part::Model])?;
            self.network.load(&checkpoint::model_path(&best))?;
        }
        let split = if self.data.test.is_some() {
            Split::Test
        } else {
            Split::Validation
        };
        let score = match self.score(split, stop, listener)? {
            Ok(score) => score,
            Err(stopped) => return Ok(Err(stopped)),
        };
        let test = score.as_ref().filter(|_| split == Split::Test);
        let summary = self.summary(&ending, test);
        if let Some(run) = &self.run {
            if let Some(score) = &score {
                let evaluation = Evaluation::new(split, self.data.class_names(), score);
                run.write_json(EVALUATION, &evaluation)?;
            }
            run.write_metrics(&ending.rows)?;
            run.write_json(SUMMARY, &summary)?;
        }
        Ok(Ok(summary))
    }

    /// The outcome of the run. An epoch that the end of the time has cut short gets a row too; it is in no checkpoint,
    /// so that the run can go on as if it had never stopped.
    fn ending(
        &mut self,
        ended: Ended,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Result<Ending, Stopped>> {
        let mut ending = Ending {
            ended,
            rows: self.state.rows.clone(),
            best: self.state.best,
            weights: LAST,
        };
        if self.run.is_some() && ending.best.is_some() {
            ending.weights = BEST;
        }
        if self.state.batch > 0 {
            let validation = match self.validate(stop, listener)? {
                Ok(validation) => validation,
                Err(stopped) => return Ok(Err(stopped)),
            };
            let row = self.row(validation.as_ref(), None)?;
            if let Some(best) =
                Best::after(ending.best, &ending.rows, &row, self.recipe.best_metric())
            {
                (ending.best, ending.weights) = (Some(best), LAST);
            }
            listener.event(Event::Epoch(&row));
            ending.rows.push(row);
        }
        Ok(Ok(ending))
    }

    /// Scores the current weights on a split, if there is one.
    fn score(
        &mut self,
        split: Split,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Result<Option<Score>, Stopped>> {
        if split == Split::Validation {
            return self.validate(stop, listener);
        }
        let Some(images) = self.data.split(split).cloned() else {
            return Ok(Ok(None));
        };
        let tta = self.recipe.evaluation.tta;
        let mut evaluator = Evaluator::new(&self.network, images, &self.recipe, tta)?;
        let mut tell = |done, of| listener.event(Event::Evaluating { split, done, of });
        let Some(score) = evaluator.run_until(stop, &mut tell)? else {
            return Ok(Err(Stopped));
        };
        self.check_finite("the test loss", score.loss)?;
        Ok(Ok(Some(score)))
    }

    fn summary(&self, ending: &Ending, test: Option<&Score>) -> Summary {
        let last = ending.rows.last();
        let train_s = self.state.train_s + self.state.partial.seconds;
        let wall_s = self.state.wall_s + self.began.elapsed().as_secs_f64();
        let images_in = |batches| self.loader.images_in(batches) as u64;
        let whole = self.state.epoch * images_in(self.loader.n_batches());
        let images = whole + images_in(self.state.batch);
        let flops = 3 * self.network.architecture().summary().flops();
        // A row of an epoch that was cut short is the last.
        let until = |row: &Row| match row.epoch {
            whole if whole <= self.state.epoch => whole * images_in(self.loader.n_batches()),
            _ => images,
        };
        let accuracy = test.map(|score| score.accuracy);
        let spent = |row: &Row| flops.saturating_mul(until(row));
        let of_test = |figure: fn(&Score) -> f64| test.map(|score| rounded(figure(score)));
        Summary {
            recipe: self.recipe.name.clone(),
            network: self.network.architecture().name().to_owned(),
            dataset: self.data.name.clone(),
            device: self.device.name().to_owned(),
            parameters: self.network.architecture().summary().parameters() as u64,
            epochs: self.state.epoch,
            steps: self.state.step,
            images_per_s: rounded(ratio_of(images) / train_s.max(1e-9)),
            wall_s: rounded(wall_s),
            train_loss: last.map_or(f64::NAN, |row| row.train_loss),
            train_accuracy: last.map_or(f64::NAN, |row| row.train_accuracy),
            val_loss: last.and_then(|row| row.val_loss),
            val_accuracy: last.and_then(|row| row.val_accuracy),
            best_epoch: ending.best.map(|best| best.epoch),
            best_val_accuracy: ending.best.map(|best| best.accuracy),
            test_loss: of_test(|score| score.loss),
            test_accuracy: of_test(|score| score.accuracy),
            test_top5: of_test(|score| score.top5),
            test_macro_f1: of_test(Score::macro_f1),
            peak_host_bytes: peak_host_bytes(),
            peak_device_bytes: self.device.memory().1,
            training_flops: flops.saturating_mul(images),
            milestones: milestones(&ending.rows, accuracy, spent),
            ended: ending.ended,
            weights: ending.weights.to_owned(),
        }
    }
}
