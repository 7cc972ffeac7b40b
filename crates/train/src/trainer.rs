//! The training loop: epochs of captured steps, validation, checkpoints, and the test at the end.

mod builder;
pub(crate) mod callback;
mod epoch;
mod finish;
mod initial;
pub(crate) mod memory;
mod rate_search;
mod resume;
mod steps;
pub(crate) mod trial;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use data::{DataSet, Loader, LoaderOptions, Tail};
use model::{Architecture, DropoutPlace, Network};
use tensor::Device;

use crate::error::{Error, Result};
use crate::eval::evaluator::Evaluator;
use crate::recipe::{DROPOUT_MOVED, Recipe, ValidationKind};
use crate::run::checkpoint::State;
use crate::run::dir::RunDir;
use crate::run::environment::Environment;
use crate::run::histograms::HistogramLog;
use crate::run::profiler::Profiler;
use crate::run::step_log::StepLog;
use crate::run::validation_log::ValidationLog;
use crate::schedule::Schedule;
use crate::step::TrainStep;
use crate::step::input::Input;
use crate::step::recipe_optimizer::RecipeOptimizer;
use crate::trainer::callback::{Ended, Event, FineTuning, Listener, Outcome, RateChange, Start};
use crate::trainer::memory::Ahead;

use initial::initial_network;

pub use builder::TrainerBuilder;
pub use rate_search::{RateFinding, RatePoint, RateSearch};
pub use resume::ResumeOptions;

/// The names of the checkpoints.
const LAST: &str = "last";
const BEST: &str = "best";

/// A run: a network in training on a data set.
#[derive(Debug)]
pub struct Trainer {
    recipe: Recipe,
    data: DataSet,
    device: Device,
    /// The one to evaluate: the EMA of the one in training if enabled.
    network: Network,
    optimizer: RecipeOptimizer,
    step: TrainStep,
    loader: Loader,
    schedule: Schedule,
    validation: Option<Evaluator>,
    /// Of the test split, if every epoch is tested.
    test: Option<Evaluator>,
    memory_ahead: Ahead,
    run: Option<RunDir>,
    profiler: Option<Profiler>,
    log: Option<StepLog>,
    validation_log: Option<ValidationLog>,
    histograms: Option<HistogramLog>,
    state: State,
    /// What the weights at the run's beginning were taken from.
    initial: Option<FineTuning>,
    /// The jump of the learning rate where the run resumes, if there is one.
    rate_change: Option<RateChange>,
    max_time: Option<Duration>,
    /// What the last step that was read back lost.
    last_loss: f64,
    /// When this part of the run began, or was last saved.
    began: Instant,
}

/// The caller has asked to stop in the middle of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stopped;

/// Why the steps of an epoch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    /// They are all done.
    Epoch,
    /// The caller has asked to stop.
    Interrupt,
    /// The time is up.
    Time,
}

impl Trainer {
    /// Makes everything ready to train, in memory. Nothing is written to disk without a run folder: see
    /// [`Trainer::save_to`] and [`Trainer::resume`].
    ///
    /// ```
    /// use train::{Recipe, Trainer};
    ///
    /// let data = data::Shapes10::default().with_sizes(8, 4, 4).generate()?;
    /// let recipe = Recipe::named("shapes10")?.with_settings(&["batch_size=8"])?;
    /// let trainer = Trainer::new(recipe, data, &tensor::Device::cpu())?;
    /// assert_eq!(trainer.network().architecture().name(), "alexnet-small");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If a setting of `recipe` makes no sense, or not with these images; if the device has no room.
    pub fn new(recipe: Recipe, data: DataSet, device: &Device) -> Result<Self> {
        recipe.check()?;
        let (classes, channels) = (data.class_names().len(), data.train.channels().count());
        let architecture = recipe.architecture(classes, channels)?;
        Self::with_network(recipe, architecture, data, device)
    }

    /// As [`Trainer::new`], with a network of your own in place of the recipe's. Its weight files say what it is made of, so
    /// that the `alexnet` program evaluates, reports and exports it too, unless a layer is of a type of your own.
    ///
    /// ```
    /// use model::{Architecture, layers::{Dense, Flatten}};
    /// use train::{Recipe, Trainer};
    ///
    /// let data = data::Shapes10::default().with_sizes(64, 16, 16).generate()?;
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let architecture = Architecture::from_layers("linear", [32, 32, 3], layers)?;
    /// let recipe = Recipe::named("shapes10")?.with_settings(&["epochs=1"])?;
    /// let mut trainer = Trainer::with_network(recipe, architecture, data, &tensor::Device::cpu())?;
    /// trainer.run(&false.into(), &mut |_: train::Event<'_>| {})?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Trainer::new`]; [`Error::Setting`] if the network has not the data set's classes, or takes images of other
    /// channels.
    pub fn with_network(
        recipe: Recipe,
        architecture: Architecture,
        data: DataSet,
        device: &Device,
    ) -> Result<Self> {
        recipe.check()?;
        let (recipe, data) = resolved(recipe, &architecture, data)?;
        // The loader checks the batch size against the images, before the larger allocations.
        let is_resident = recipe.runtime.resident.keeps(&data.train, device)?;
        let (n, left) = batch_sizes(&recipe, data.train.len());
        let options = LoaderOptions {
            threads: recipe.runtime.loader_threads,
            pixels: !is_resident,
            tail: if recipe.drop_last {
                Tail::Drop
            } else {
                Tail::Pad
            },
            shuffle: recipe.shuffle.then_some(recipe.seed),
            ..LoaderOptions::training(n, recipe.seed)
        };
        let loader = Loader::new(data.train.clone(), options)?;
        let trained = initial_network(architecture, &recipe, &data, device)?;
        let epochs = usize::try_from(recipe.epochs).unwrap_or(usize::MAX);
        let steps = loader.n_batches().div_ceil(recipe.optimizer.accumulate);
        let all_steps = recipe.epochs.saturating_mul(steps as u64);
        let optimizer = RecipeOptimizer::new(&recipe, &trained)?.with_steps(all_steps);
        let input = Input::of(device, n, &data.train, is_resident)?;
        let partial = (left > 0).then(|| input.smaller(left)).transpose()?;
        let step = TrainStep::capture(&trained, &optimizer, &recipe, input, partial)?;
        let network = optimizer.model().clone();
        let rate = recipe.optimizer.learning_rate;
        let schedule = recipe.schedule.schedule(rate, epochs, steps);
        let state = State::new(recipe.schedule.plateau_after(rate, &[]));
        let validation = data.validation.clone();
        let validation = validation.map(|images| Evaluator::for_epochs(&network, images, &recipe));
        let validation = validation.transpose()?;
        let test = data.test.clone();
        let test = test.filter(|_| recipe.evaluation.test_every_epoch);
        let test = test.map(|images| Evaluator::for_epochs(&network, images, &recipe));
        Ok(Self {
            test: test.transpose()?,
            memory_ahead: Ahead::measure(&network, &optimizer, &data, &recipe)?,
            validation,
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
            log: None,
            validation_log: None,
            histograms: None,
            state,
            initial: None,
            rate_change: None,
            max_time: None,
            last_loss: f64::NAN,
            began: Instant::now(),
        })
    }

    /// Begins to keep the run in a folder that [`RunDir::create`] made.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn save_to(&mut self, run: RunDir) -> Result<()> {
        let run = run.locked()?;
        run.write_recipe(&self.recipe)?;
        self.record_data(&run)?;
        self.state.config = Some(self.recipe.to_toml()?);
        run.write_json("environment.json", &Environment::of(&self.device))?;
        self.open_logs(&run)?;
        self.run = Some(run);
        Ok(())
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

    /// Ends [`Trainer::run`] after this time, with everything saved and tested, ready to be resumed: at the first step's end
    /// that is later.
    pub fn set_max_time(&mut self, max_time: Duration) {
        self.max_time = Some(max_time);
    }

    /// The network to evaluate: the EMA if enabled, else the one in training.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The recipe, with everything resolved.
    #[must_use]
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Trains until all epochs are done, the recipe's early stopping is due or the time is up; or until `stop` is set:
    /// then the step in hand is finished, or the evaluation in hand given up, and everything saved.
    ///
    /// # Errors
    /// [`Error::Diverged`] when the loss is NaN or infinite, with the step; if images, device or run folder fail.
    pub fn run(&mut self, stop: &AtomicBool, listener: &mut dyn Listener) -> Result<Outcome> {
        self.load_initial_weights()?;
        self.began = Instant::now();
        let (deadline, begun_at) = (self.max_time.map(|time| self.began + time), self.state.step);
        listener.event(Event::Started(&self.start()));
        let ended = loop {
            let stopping = self.recipe.early_stopping;
            if self.state.epoch >= self.recipe.epochs {
                break Ended::Epochs;
            }
            if stopping.is_some_and(|stopping| stopping.is_due(&self.state.rows)) {
                break Ended::EarlyStopping;
            }
            let is_late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if is_late && self.state.step > begun_at {
                break Ended::MaxTime;
            }
            let ended = match self.train_epoch(stop, deadline, listener)? {
                Pause::Epoch => self.end_epoch(stop, listener)?,
                Pause::Time => {
                    self.save(false)?;
                    break Ended::MaxTime;
                }
                Pause::Interrupt => Err(Stopped),
            };
            if let Err(Stopped) = ended {
                self.save(false)?;
                return Ok(self.interrupted());
            }
        };
        let Ok(summary) = self.finish(ended, stop, listener)? else {
            return Ok(self.interrupted());
        };
        listener.event(Event::Finished(&summary));
        Ok(Outcome::Finished(Box::new(summary)))
    }

    fn interrupted(&self) -> Outcome {
        let step = self.state.step;
        Outcome::Interrupted { step }
    }

    fn start(&self) -> Start {
        let len = |images: &Option<data::Images>| images.as_ref().map_or(0, data::Images::len);
        let evaluators = self.validation.iter().chain(&self.test);
        let of_evaluation: u64 = evaluators.map(Evaluator::resident_bytes).sum();
        let resident_bytes = self.step.resident_bytes() + of_evaluation;
        let saves = self.run.is_some();
        Start {
            recipe: self.recipe.name.clone(),
            network: self.network.architecture().to_string(),
            parameters: self.network.architecture().summary().parameters(),
            device: self.device.name().to_owned(),
            memory: self
                .memory_ahead
                .memory(&self.device, saves, resident_bytes),
            resident_bytes,
            is_software: self.device.is_software(),
            dataset: self.data.name.clone(),
            images: [
                self.data.train.len(),
                len(&self.data.validation),
                len(&self.data.test),
            ],
            images_per_epoch: self.loader.images_in(self.loader.n_batches()),
            best_by: self.recipe.best_metric(),
            rate_change: self.rate_change,
            steps_per_epoch: self.steps_of(self.loader.n_batches()),
            epochs: self.recipe.epochs,
            epochs_done: self.state.epoch,
            initial: self.initial.clone(),
        }
    }
}

/// Images in a batch, and in a smaller last one of an epoch, if there is one. Fewer images than a batch has are one batch,
/// unless an incomplete one is to be left out.
fn batch_sizes(recipe: &Recipe, images: usize) -> (usize, usize) {
    if recipe.drop_last {
        return (recipe.batch_size, 0);
    }
    let n = recipe.batch_size.min(images).max(1);
    (n, images % n)
}

/// The recipe with all that follows from network and images, and the images within its limit.
fn resolved(
    mut recipe: Recipe,
    architecture: &Architecture,
    data: DataSet,
) -> Result<(Recipe, DataSet)> {
    check_network(architecture, &data)?;
    architecture.name().clone_into(&mut recipe.network);
    if recipe.network == DROPOUT_MOVED {
        let place = recipe.layers.dropout_place;
        recipe.layers.dropout_place = place.or(Some(DropoutPlace::After));
    }
    // As many as before the limit: that opens the same split again.
    if !matches!(recipe.validation, Some(ValidationKind::File(_))) {
        let n = data.validation.as_ref().map_or(0, data::Images::len);
        recipe.validation = Some(n.into());
    }
    let data = match recipe.limit {
        Some(limit) => data.limit(limit)?,
        None => data,
    };
    recipe.check_metrics(data.validation.is_some())?;
    recipe.images.channels = data.train.channels().count();
    if data::image_size(&recipe.dataset).is_none() {
        // Images of the caller's own have a size that images in files are to be brought to.
        recipe.images.source_size = data.train.size().into();
    }
    recipe.images.resolve(&data.train)?;
    let [height, width, _] = architecture.input();
    recipe.input_size = Some([height, width].into());
    Ok((recipe, data))
}

/// An error if a network is not one for these images.
fn check_network(architecture: &Architecture, data: &DataSet) -> Result<()> {
    let (classes, [_, _, channels]) = (data.class_names().len(), architecture.input());
    if architecture.classes() != classes {
        let expected = format!("one for {classes} classes, as {} has", data.name);
        return Err(Error::setting("network", expected, architecture));
    }
    let own = data.train.channels();
    if channels != own.count() {
        let expected = format!(
            "one for {own} images of {} channels, as {} has",
            own.count(),
            data.name
        );
        return Err(Error::setting("network", expected, architecture));
    }
    Ok(())
}
