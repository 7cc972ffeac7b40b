//! The training loop: epochs of captured steps, validation, checkpoints, and the test at the end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use data::{DataSet, Loader, LoaderOptions, Split};
use model::{Architecture, Network};
use tensor::Device;
use tensor::ops::accuracy::Totals;

use crate::callback::{Event, Listener, Outcome, Start, Step};
use crate::checkpoint::{self, Best, Checkpoint, Partial, State};
use crate::environment::{Environment, peak_host_bytes};
use crate::error::{Error, Result};
use crate::evaluator::Evaluator;
use crate::optimizer::Optimizer;
use crate::profiler::Profiler;
use crate::recipe::Recipe;
use crate::run_dir::{Row, RunDir, Summary, rounded, significant};
use crate::schedule::Schedule;
use crate::score::{Score, ratio_of};
use crate::step::{Reading, TrainStep};

/// The names of the checkpoints.
const LAST: &str = "last";
const BEST: &str = "best";

/// A run: a network in training on a data set.
#[derive(Debug)]
pub struct Trainer {
    recipe: Recipe,
    data: DataSet,
    device: Device,
    network: Network,
    optimizer: Optimizer,
    step: TrainStep,
    loader: Loader,
    schedule: Schedule,
    validation: Option<Evaluator>,
    run: Option<RunDir>,
    profiler: Option<Profiler>,
    state: State,
    /// What the last step that was read back lost.
    last_loss: f64,
    began: Instant,
}

impl Trainer {
    /// Makes everything ready to train, in memory. Nothing is written to disk without a run folder: see
    /// [`Trainer::save_to`] and [`Trainer::resume`].
    ///
    /// # Errors
    /// If a setting of `recipe` makes no sense, or not with these images; if the device has no room.
    pub fn new(mut recipe: Recipe, data: DataSet, device: &Device) -> Result<Self> {
        recipe.check()?;
        // As many as before the limit: that opens the same split again.
        recipe.validation = Some(data.validation.as_ref().map_or(0, data::Images::len));
        let data = match recipe.limit {
            Some(limit) => data.limit(limit)?,
            None => data,
        };
        let architecture = architecture(&recipe, &data)?;
        recipe.input_size = Some(architecture.input_size());
        // The loader checks the batch size against the images, before the larger allocations.
        let options = LoaderOptions {
            threads: recipe.machine.loader_threads,
            ..LoaderOptions::training(recipe.batch_size, recipe.seed)
        };
        let loader = Loader::new(data.train.clone(), options)?;
        let network = Network::new(architecture, recipe.seed, device)?;
        let optimizer = Optimizer::new(&recipe.optimizer, &network)?;
        let sizes = (recipe.batch_size, data.train.size());
        let step = TrainStep::capture(&network, &optimizer, &recipe.images, sizes)?;
        let epochs = usize::try_from(recipe.epochs).unwrap_or(usize::MAX);
        let rate = recipe.optimizer.learning_rate;
        let schedule = recipe.schedule.schedule(rate, epochs, loader.n_batches());
        let validation = data.validation.clone();
        let validation = validation.map(|images| Evaluator::new(&network, images, &recipe));
        Ok(Self {
            validation: validation.transpose()?,
            recipe,
            data,
            device: device.clone(),
            network,
            optimizer,
            step,
            loader,
            schedule,
            run: None,
            profiler: None,
            state: State::default(),
            last_loss: f64::NAN,
            began: Instant::now(),
        })
    }

    /// Begins to keep the run in a folder that [`RunDir::create`] made.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn save_to(&mut self, run: RunDir) -> Result<()> {
        run.write_recipe(&self.recipe)?;
        run.write_json("environment.json", &Environment::of(&self.device))?;
        self.run = Some(run);
        Ok(())
    }

    /// Goes on with the run in a folder, from its last checkpoint: same bits as if it had never stopped. A run that was
    /// killed before its first checkpoint starts again.
    ///
    /// # Errors
    /// If the checkpoint can't be read, is damaged or of another network.
    pub fn resume(&mut self, run: RunDir) -> Result<()> {
        let folder = run.checkpoint(LAST);
        if let Some(state) = checkpoint::load_state(&folder)? {
            self.network.load(&checkpoint::model_path(&folder))?;
            self.optimizer.load(&checkpoint::optimizer_path(&folder))?;
            self.loader.seek(state.epoch, state.batch)?;
            self.state = state;
        }
        checkpoint::recover(&run.checkpoint(BEST))?;
        run.write_metrics(&self.state.rows)?;
        self.save_to(run)
    }

    /// Has the kernels of a few of the next steps timed: `profile.json` and `trace.json` go into the run folder. The
    /// device's ceilings are measured first, and the steps that are timed take longer.
    ///
    /// # Errors
    /// If the device fails.
    pub fn profile(&mut self) -> Result<()> {
        self.profiler = Some(Profiler::new(&self.device)?);
        Ok(())
    }

    /// The network in training.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The recipe, with everything resolved.
    #[must_use]
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Trains until all epochs are done, or until `stop` is set: then the step in hand is finished and everything saved.
    ///
    /// # Errors
    /// [`Error::Diverged`] when the loss is no number, with the step; if images, device or run folder fail.
    pub fn run(&mut self, stop: &AtomicBool, listener: &mut dyn Listener) -> Result<Outcome> {
        self.began = Instant::now();
        listener.event(Event::Started(&self.start()));
        while self.state.epoch < self.recipe.epochs {
            if !self.train_epoch(stop, listener)? {
                self.save(false)?;
                return Ok(Outcome::Interrupted {
                    step: self.state.step,
                });
            }
            self.end_epoch(listener)?;
        }
        let summary = self.finish(listener)?;
        listener.event(Event::Finished(&summary));
        Ok(Outcome::Finished(Box::new(summary)))
    }

    fn start(&self) -> Start {
        let len = |images: &Option<data::Images>| images.as_ref().map_or(0, data::Images::len);
        Start {
            network: self.network.architecture().to_string(),
            parameters: self.network.architecture().summary().parameters(),
            device: self.device.name().to_owned(),
            is_software: self.device.is_software(),
            dataset: self.data.name.clone(),
            images: [
                self.data.train.len(),
                len(&self.data.validation),
                len(&self.data.test),
            ],
            steps_per_epoch: self.loader.n_batches(),
            epochs: self.recipe.epochs,
            epochs_done: self.state.epoch,
        }
    }

    /// Runs the rest of an epoch's steps. False if it was asked to stop before the last.
    fn train_epoch(&mut self, stop: &AtomicBool, listener: &mut dyn Listener) -> Result<bool> {
        let n_batches = self.loader.n_batches();
        let (began, waited) = (Instant::now(), self.loader.waited());
        let before = self.state.partial;
        self.step.set_sums(&totals(&before))?;
        while self.state.batch < n_batches && !stop.load(Ordering::Relaxed) {
            if let Some(profiler) = &mut self.profiler {
                profiler.before_step(self.run.as_ref())?;
            }
            let number = self.state.step + 1;
            let index = u32::try_from(number).unwrap_or(u32::MAX);
            let rate = self.learning_rate(number);
            let scalars = self.optimizer.scalars(self.recipe.seed, index, rate);
            self.step.run(number, self.loader.next_batch()?, &scalars)?;
            (self.state.step, self.state.batch) = (number, self.state.batch + 1);
            while let Some(reading) = self.step.reading()? {
                self.take_in(&reading)?;
            }
            let partial = &mut self.state.partial;
            partial.seconds = before.seconds + began.elapsed().as_secs_f64();
            partial.waited_s = before.waited_s + (self.loader.waited() - waited).as_secs_f64();
            listener.event(Event::Step(self.progress(n_batches)));
        }
        if let Some(profiler) = &mut self.profiler {
            profiler.finish(self.run.as_ref())?;
        }
        for reading in self.step.last_readings(self.state.step)? {
            self.take_in(&reading)?;
        }
        self.state.partial.seconds = before.seconds + began.elapsed().as_secs_f64();
        Ok(self.state.batch == n_batches)
    }

    fn take_in(&mut self, Reading { step, totals }: &Reading) -> Result<()> {
        let partial = &mut self.state.partial;
        if !totals.loss.is_finite() {
            return Err(Error::Diverged {
                first: step.saturating_sub(self.step.every() - 1).max(1),
                step: *step,
                loss: totals.loss,
            });
        }
        let images = totals.count - partial.images;
        if images > 0.0 {
            self.last_loss = (totals.loss - partial.loss) / images;
        }
        (partial.loss, partial.images) = (totals.loss, totals.count);
        (partial.correct, partial.correct_in_five) = (totals.correct, totals.correct_in_five);
        Ok(())
    }

    /// The learning rate of step number `step`, from 1.
    fn learning_rate(&self, step: u64) -> f64 {
        let t = usize::try_from(step.saturating_sub(1)).unwrap_or(usize::MAX);
        self.schedule.rate(self.recipe.optimizer.learning_rate, t)
    }

    fn progress(&self, of: usize) -> Step {
        let partial = &self.state.partial;
        Step {
            step: self.state.step,
            epoch: self.state.epoch + 1,
            done: self.state.batch,
            of,
            loss: self.last_loss,
            accuracy: partial.correct / partial.images.max(1.0),
            images_per_s: partial.images / partial.seconds.max(1e-9),
            learning_rate: self.learning_rate(self.state.step),
        }
    }

    /// Validates, and saves the epoch that is done.
    fn end_epoch(&mut self, listener: &mut dyn Listener) -> Result<()> {
        let validation = match &mut self.validation {
            Some(evaluator) => Some(evaluator.run(&mut |done, of| {
                listener.event(Event::Evaluating {
                    split: Split::Validation,
                    done,
                    of,
                });
            })?),
            None => None,
        };
        let row = self.row(validation.as_ref());
        let improved = row
            .val_accuracy
            .is_some_and(|accuracy| self.state.best.is_none_or(|best| accuracy > best.accuracy));
        if let (true, Some(accuracy)) = (improved, row.val_accuracy) {
            self.state.best = Some(Best {
                epoch: row.epoch,
                accuracy,
            });
        }
        self.state.train_s += self.state.partial.seconds;
        self.state.partial = Partial::default();
        (self.state.epoch, self.state.batch) = (row.epoch, 0);
        self.state.rows.push(row.clone());
        self.save(improved)?;
        listener.event(Event::Epoch(&row));
        Ok(())
    }

    fn row(&self, validation: Option<&Score>) -> Row {
        let partial = &self.state.partial;
        let images = partial.images.max(1.0);
        let seconds = partial.seconds.max(1e-9);
        Row {
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
        }
    }

    /// Saves the run: the best checkpoint first, so that a kill in between leaves none that the last does not know of.
    fn save(&mut self, is_best: bool) -> Result<()> {
        let Some(run) = &self.run else { return Ok(()) };
        self.state.wall_s += self.began.elapsed().as_secs_f64();
        self.began = Instant::now();
        let (model, optimizer) = (self.network.to_bytes()?, self.optimizer.to_bytes()?);
        let checkpoint = Checkpoint {
            model: &model,
            optimizer: &optimizer,
            state: &self.state,
        };
        if is_best {
            checkpoint::save(&run.checkpoint(BEST), &checkpoint)?;
        }
        checkpoint::save(&run.checkpoint(LAST), &checkpoint)?;
        run.write_metrics(&self.state.rows)
    }

    /// Tests the best weights, or the last where nothing says which are best, and writes the summary.
    fn finish(&mut self, listener: &mut dyn Listener) -> Result<Summary> {
        if let (Some(run), Some(_)) = (&self.run, self.state.best) {
            let best = run.checkpoint(BEST);
            self.network.load(&checkpoint::model_path(&best))?;
        }
        let test = match self.data.test.clone() {
            Some(images) => {
                let mut evaluator = Evaluator::new(&self.network, images, &self.recipe)?;
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
        let images = self.state.step * self.recipe.batch_size as u64;
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

/// The device's sums of a begun epoch.
fn totals(partial: &Partial) -> Totals {
    Totals {
        loss: partial.loss,
        correct: partial.correct,
        correct_in_five: partial.correct_in_five,
        count: partial.images,
    }
}

/// The network of a recipe for a data set.
fn architecture(recipe: &Recipe, data: &DataSet) -> Result<Architecture> {
    let classes = data.class_names().len();
    Ok(Architecture::new(
        &recipe.network,
        Some(classes),
        recipe.input_size,
    )?)
}
