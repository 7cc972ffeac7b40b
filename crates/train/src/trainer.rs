//! The training loop: epochs of captured steps, validation, checkpoints, and the test at the end.

mod epoch;
mod finish;
mod steps;

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use data::{DataSet, Loader, LoaderOptions};
use model::{Architecture, Network};
use tensor::Device;

use crate::callback::{Event, Listener, Outcome, Start};
use crate::checkpoint::{self, State};
use crate::environment::Environment;
use crate::error::Result;
use crate::evaluator::Evaluator;
use crate::optimizer::Optimizer;
use crate::recipe::{InitKind, Recipe, Views};
use crate::run_dir::RunDir;
use crate::schedule::Schedule;
use crate::step::TrainStep;

/// The names of the checkpoints.
const LAST: &str = "last";
const BEST: &str = "best";

/// A run: a network in training on a data set.
#[derive(Debug)]
pub struct Trainer {
    recipe: Recipe,
    data: DataSet,
    device: Device,
    /// The one that is meant to be used: an average of the one in training, if the recipe averages.
    network: Network,
    optimizer: Optimizer,
    step: TrainStep,
    loader: Loader,
    schedule: Schedule,
    validation: Option<Evaluator>,
    run: Option<RunDir>,
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
        recipe.images.resolve(&data.train)?;
        let architecture = architecture(&recipe, &data)?;
        recipe.input_size = Some(architecture.input_size());
        // The loader checks the batch size against the images, before the larger allocations.
        let options = LoaderOptions {
            threads: recipe.machine.loader_threads,
            ..LoaderOptions::training(recipe.batch_size, recipe.seed)
        };
        let loader = Loader::new(data.train.clone(), options)?;
        let mut trained = Network::new(architecture, recipe.seed, device)?;
        trained.freeze(|name| recipe.optimizer.freezes(name));
        let optimizer = Optimizer::new(&recipe, &trained)?;
        let sizes = (recipe.batch_size, data.train.size());
        let step = TrainStep::capture(&trained, &optimizer, &recipe, sizes)?;
        let network = optimizer.model().clone();
        let epochs = usize::try_from(recipe.epochs).unwrap_or(usize::MAX);
        let rate = recipe.optimizer.learning_rate;
        let steps = loader.n_batches().div_ceil(recipe.optimizer.accumulate);
        let schedule = recipe.schedule.schedule(rate, epochs, steps);
        let validation = data.validation.clone();
        let validation =
            validation.map(|images| Evaluator::new(&network, images, &recipe, Views::Plain));
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

    /// The network in training; the one with averaged weights, if the recipe averages.
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
    /// [`crate::Error::Diverged`] when the loss is no number, with the step; if images, device or run folder fail.
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
            steps_per_epoch: self.steps_of(self.loader.n_batches()),
            epochs: self.recipe.epochs,
            epochs_done: self.state.epoch,
        }
    }
}

/// The network of a recipe for a data set.
fn architecture(recipe: &Recipe, data: &DataSet) -> Result<Architecture> {
    let classes = data.class_names().len();
    let architecture = Architecture::new(&recipe.network, Some(classes), recipe.input_size)?;
    let architecture = match recipe.init {
        InitKind::Network => architecture,
        InitKind::Paper => architecture.with_paper_init(),
    };
    Ok(match recipe.dropout {
        Some(share) => architecture.with_dropout(share)?,
        None => architecture,
    })
}
