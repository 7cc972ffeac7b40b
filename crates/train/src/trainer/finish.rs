//! The end of a run: the test, and the summary.

use data::Split;

use super::{BEST, Trainer};
use crate::callback::{Event, Listener};
use crate::checkpoint;
use crate::environment::peak_host_bytes;
use crate::error::Result;
use crate::evaluator::Evaluator;
use crate::run_dir::{Summary, rounded};
use crate::score::{Score, ratio_of};

impl Trainer {
    /// Tests the best weights, or the last where nothing says which are best, and writes the summary.
    pub(super) fn finish(&mut self, listener: &mut dyn Listener) -> Result<Summary> {
        if let (Some(run), Some(_)) = (&self.run, self.state.best) {
            let best = run.checkpoint(BEST);
            self.network.load(&checkpoint::model_path(&best))?;
        }
        let test = match self.data.test.clone() {
            Some(images) => {
                let views = self.recipe.evaluation.views;
                let mut evaluator = Evaluator::new(&self.network, images, &self.recipe, views)?;
                Some(evaluator.run(&mut |done, of| {
                    listener.event(Event::Evaluating {
                        split: Split::Test,
                        done,
                        of,
                    });
                })?)
            }
            None => None,
        };
        let wall_s = self.state.wall_s + self.began.elapsed().as_secs_f64();
        let summary = self.summary(test.as_ref(), wall_s);
        if let Some(run) = &self.run {
            run.write_json("summary.json", &summary)?;
        }
        Ok(summary)
    }

    fn summary(&self, test: Option<&Score>, wall_s: f64) -> Summary {
        let last = self.state.rows.last();
        let batches = self.state.epoch * self.loader.n_batches() as u64;
        let images = batches * self.recipe.batch_size as u64;
        let of_test = |figure: fn(&Score) -> f64| test.map(|score| rounded(figure(score)));
        Summary {
            recipe: self.recipe.name.clone(),
            network: self.network.architecture().name().to_owned(),
            dataset: self.data.name.clone(),
            device: self.device.name().to_owned(),
            parameters: self.network.architecture().summary().parameters() as u64,
            epochs: self.state.epoch,
            steps: self.state.step,
            images_per_s: rounded(ratio_of(images) / self.state.train_s.max(1e-9)),
            wall_s: rounded(wall_s),
            train_loss: last.map_or(f64::NAN, |row| row.train_loss),
            train_accuracy: last.map_or(f64::NAN, |row| row.train_accuracy),
            val_loss: last.and_then(|row| row.val_loss),
            val_accuracy: last.and_then(|row| row.val_accuracy),
            best_epoch: self.state.best.map(|best| best.epoch),
            best_val_accuracy: self.state.best.map(|best| best.accuracy),
            test_loss: of_test(|score| score.loss),
            test_accuracy: of_test(|score| score.accuracy),
            test_top5: of_test(|score| score.top5),
            test_macro_f1: of_test(Score::macro_f1),
            peak_host_bytes: peak_host_bytes(),
            peak_device_bytes: self.device.memory().1,
        }
    }
}
