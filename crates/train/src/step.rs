//! The training step, captured once and replayed: augment, mix, forward, loss, backward, update, and the sums of loss and
//! accuracy. A step that takes several batches is two recordings: one for each batch, whose gradients add up, and one for
//! the update. A smaller last batch of an epoch is one more, with buffers of its own: its loss, its gradients and the
//! statistics of batch normalisation are of its images alone.
//!
//! Before a replay only the batch and the step's scalars are written, and nothing is waited for: the sums stay on the
//! device and are read every few steps, a little later.

pub(crate) mod input;
pub(crate) mod recipe_optimizer;

use std::collections::VecDeque;

use data::Batch;
use model::{Mode, Network};
use tensor::ops::accuracy::{Accuracy, Totals};
use tensor::ops::cross_entropy::CrossEntropy;
use tensor::ops::elementwise::full;
use tensor::pixels::mix;
use tensor::update::StepScalars;
use tensor::{Gradients, PendingRead, Recording, Shape, Tensor};

use crate::error::Result;
use crate::recipe::{MixRecipe, Recipe};
use crate::step::input::Input;
use crate::step::recipe_optimizer::RecipeOptimizer;

/// Steps between two readings of the sums on a GPU, where a reading costs a submission. The CPU device has them at hand, and
/// long steps are read one by one.
const EVERY: u64 = 8;
/// Readings that may be under way before the host waits for the first: enough to hide a read-back.
const AHEAD: usize = 2;

/// A captured training step.
#[derive(Debug)]
pub(crate) struct TrainStep {
    full: BatchStep,
    /// Of the last batch of an epoch, where that is smaller.
    partial: Option<BatchStep>,
    sums: Accuracy,
    update: Option<OptimizerStep>,
    accumulate: u32,
    mix: MixRecipe,
    every: u64,
    /// The last step whose sums are read, or about to be.
    read: u64,
    /// Whether the first reading is here. It is taken after the first step and waited for, so that there is a loss to tell of from then on.
    has_read: bool,
    under_way: VecDeque<UnderWay>,
}

/// A reading on its way: of the sums after `step`, where `first` is the first step that no earlier reading has.
#[derive(Debug)]
struct UnderWay {
    first: u64,
    step: u64,
    read: PendingRead,
}

/// What is recorded for batches of one size.
#[derive(Debug)]
struct BatchStep {
    input: Input,
    /// From a batch to its gradients, and to the update unless a step takes several batches. None only while it is captured
    /// anew.
    recording: Option<Recording>,
    /// Those of the last batch, where they are asked for.
    gradients: Option<Gradients>,
}

/// What the steps of all batch sizes are captured from.
struct Parts<'a> {
    network: &'a Network,
    optimizer: &'a RecipeOptimizer,
    recipe: &'a Recipe,
    sums: &'a Accuracy,
    share: Option<&'a Tensor>,
}

/// The update of a step that takes several batches.
#[derive(Debug)]
struct OptimizerStep {
    recording: Recording,
    /// A batch's share of the step's loss: its images among the step's.
    share: Tensor,
}

/// Which of a step's batches one is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Its number in the step, from 0.
    pub(crate) idx: usize,
    /// How many the step takes: the recipe's number, or what is left of the epoch.
    pub(crate) of: usize,
    /// Images in all of them.
    pub(crate) images: usize,
}

impl Place {
    /// The one batch of a step, of so many images.
    pub(crate) const fn only(images: usize) -> Self {
        let (idx, of) = (0, 1);
        Self { idx, of, images }
    }
}

/// The running totals of an epoch, after a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// The first step that the reading before has not.
    pub(crate) first: u64,
    pub(crate) step: u64,
    pub(crate) totals: Totals,
}

impl TrainStep {
    /// Captures a step of `network` on batches that come through `full`, and on smaller last ones through `partial`.
    pub(crate) fn capture(
        network: &Network,
        optimizer: &RecipeOptimizer,
        recipe: &Recipe,
        full: Input,
        partial: Option<Input>,
    ) -> Result<Self> {
        let device = network.device();
        recipe.check_precision(device)?;
        let accumulate = u32::try_from(recipe.optimizer.accumulate).unwrap_or(u32::MAX);
        let architecture = network.architecture();
        let sums = Accuracy::new(device, architecture.classes(), false)?;
        let update = (accumulate > 1).then(|| OptimizerStep::capture(optimizer, &full));
        let update = update.transpose()?;
        let parts = Parts {
            network,
            optimizer,
            recipe,
            sums: &sums,
            share: update.as_ref().map(|update| &update.share),
        };
        let full = BatchStep::capture(&parts, full)?;
        let partial = partial.map(|input| BatchStep::capture(&parts, input));
        let partial = partial.transpose()?;
        let is_waiting_cheap = device.is_cpu() || device.is_software();
        Ok(Self {
            full,
            partial,
            sums,
            update,
            accumulate,
            mix: recipe.mix,
            every: if is_waiting_cheap { 1 } else { EVERY },
            read: 0,
            has_read: false,
            under_way: VecDeque::new(),
        })
    }

    /// Captures the same step anew, for a network of which other parameters are trained now: for the same batches, with the
    /// same sums. What was captured before is given back first.
    pub(crate) fn capture_anew(
        &mut self,
        network: &Network,
        optimizer: &RecipeOptimizer,
        recipe: &Recipe,
    ) -> Result<()> {
        let parts = Parts {
            network,
            optimizer,
            recipe,
            sums: &self.sums,
            share: self.update.as_ref().map(|update| &update.share),
        };
        let steps = std::iter::once(&mut self.full).chain(&mut self.partial);
        let mut steps: Vec<_> = steps.collect();
        // All of them first: their memory is for the new ones.
        for step in &mut steps {
            (step.recording, step.gradients) = (None, None);
        }
        for step in steps {
            *step = BatchStep::capture(&parts, step.input.clone())?;
        }
        if let Some(update) = &mut self.update {
            update.recording = OptimizerStep::record(optimizer, &self.full.input)?;
        }
        Ok(())
    }

    /// Bytes of the training images that stay on the device.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.full.input.resident_bytes()
    }

    /// The gradients of an epoch's last batch, at its end, if the recipe asks for norms.
    pub(crate) fn last_gradients(&self) -> Option<&Gradients> {
        let last = self.partial.as_ref().unwrap_or(&self.full);
        last.gradients.as_ref()
    }

    /// Restores an epoch's running totals, as they are after `step`.
    pub(crate) fn set_sums(&mut self, step: u64, totals: &Totals) -> Result<()> {
        self.read = step;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "they were f32 on the device"
        )]
        let words = [
            totals.loss,
            totals.correct,
            totals.correct_in_five,
            totals.count,
        ]
        .map(|sum| sum as f32);
        Ok(self.sums.totals().write(&words)?)
    }

    /// Runs one batch of step number `step`; with the last of them the step is done.
    pub(crate) fn run(
        &mut self,
        step: u64,
        place: Place,
        batch: &Batch,
        scalars: &StepScalars,
    ) -> Result<()> {
        let device = self.sums.totals().device();
        let of_size = match &self.partial {
            Some(partial) if batch.n_images < self.full.input.batch_size() => partial,
            _ => &self.full,
        };
        of_size.input.write(batch)?;
        // Random numbers are drawn anew for each batch.
        let idx = u32::try_from(place.idx).unwrap_or(u32::MAX);
        let before = scalars.step.wrapping_sub(1).wrapping_mul(self.accumulate);
        let number = before.wrapping_add(idx).wrapping_add(1);
        let of_batch = StepScalars {
            step: number,
            mix: self.mix.draw(scalars.seed, number),
            ..*scalars
        };
        of_size.input.step().write(&of_batch)?;
        let is_last = place.idx + 1 == place.of;
        match &self.update {
            None => {
                let recording = of_size.recording();
                recording.replay(device).map_err(tensor::Error::from)?;
            }
            Some(update) => {
                #[expect(clippy::cast_precision_loss, reason = "images of a step")]
                let share = batch.n_images as f32 / place.images as f32;
                update.share.write(&[share])?;
                let recording = of_size.recording();
                recording.replay(device).map_err(tensor::Error::from)?;
                if is_last {
                    self.full.input.step().write(scalars)?;
                    let update = &update.recording;
                    update.replay(device).map_err(tensor::Error::from)?;
                }
            }
        }
        let is_due = step.is_multiple_of(self.every) || of_size.recording().is_long(device);
        if is_last && (is_due || !self.has_read) {
            self.begin_reading(step)?;
        }
        Ok(())
    }

    fn begin_reading(&mut self, step: u64) -> Result<()> {
        let sums: &Tensor = self.sums.totals();
        let read = sums
            .device()
            .read_later(sums.buffer())
            .map_err(tensor::Error::from)?;
        let first = (self.read + 1).min(step);
        self.under_way.push_back(UnderWay { first, step, read });
        self.read = step;
        Ok(())
    }

    /// The next reading that is here: waits for it if too many are under way.
    pub(crate) fn reading(&mut self) -> Result<Option<Reading>> {
        let is_waited_for = self.every == 1 || !self.has_read;
        let most = if is_waited_for { 0 } else { AHEAD };
        let device = self.sums.totals().device();
        let is_here = |first: &UnderWay| first.read.is_ready(device);
        if self.under_way.len() > most || self.under_way.front().is_some_and(is_here) {
            self.take()
        } else {
            Ok(None)
        }
    }

    /// The readings that are still under way, and one after `step`, the last that was run.
    pub(crate) fn last_readings(&mut self, step: u64) -> Result<Vec<Reading>> {
        self.begin_reading(step)?;
        let mut readings = Vec::new();
        while let Some(reading) = self.take()? {
            readings.push(reading);
        }
        Ok(readings)
    }

    fn take(&mut self) -> Result<Option<Reading>> {
        let Some(UnderWay { first, step, read }) = self.under_way.pop_front() else {
            return Ok(None);
        };
        let device = self.sums.totals().device();
        let words: Vec<f32> = read.wait(device).map_err(tensor::Error::from)?;
        let sum = |idx: usize| words.get(idx).copied().map_or(f64::NAN, f64::from);
        let totals = Totals {
            loss: sum(0),
            correct: sum(1),
            correct_in_five: sum(2),
            count: sum(3),
        };
        self.has_read = true;
        Ok(Some(Reading {
            first,
            step,
            totals,
        }))
    }
}

impl BatchStep {
    fn recording(&self) -> &Recording {
        let recording = self.recording.as_ref();
        recording.expect("a step that could not be captured anew ends the run")
    }

    fn capture(parts: &Parts<'_>, input: Input) -> Result<Self> {
        let Parts {
            network,
            optimizer,
            recipe,
            sums,
            share,
        } = parts;
        let architecture = network.architecture();
        let [height, width, _] = architecture.input();
        let spec = input.for_training(&recipe.images, [height, width])?;
        let loss_of = CrossEntropy {
            label_smoothing: recipe.label_smoothing,
            ..CrossEntropy::default()
        };
        let (gradients, recording) =
            network.device().capture(|| -> tensor::Result<Gradients> {
                let labels = input.labels();
                let mut x = input.images(&spec)?;
                let mut targets = labels.clone();
                if recipe.mix.is_on() {
                    (x, targets) = mix(&x, labels, architecture.classes(), input.step())?;
                }
                let mode = Mode::Train { step: input.step() };
                let logits = network.forward(&x.cast(recipe.precision.dtype())?, mode)?;
                let loss = logits.cross_entropy(&targets, &loss_of)?;
                // Accuracy on mixed images uses the original label.
                sums.add(&logits, labels, &loss)?;
                let mut factors = share.iter().copied().chain(optimizer.loss_scale());
                let objective = factors.try_fold(loss, |loss, factor| loss.mul(factor))?;
                let gradients = objective.backward()?;
                match share {
                    Some(_) => optimizer.accumulate(&gradients)?,
                    None => optimizer.update(&gradients, input.step())?,
                }
                Ok(gradients)
            })?;
        Ok(Self {
            input,
            recording: Some(recording),
            // Else their memory is free for what follows.
            gradients: recipe.runtime.norms.then_some(gradients),
        })
    }
}

impl OptimizerStep {
    fn capture(optimizer: &RecipeOptimizer, input: &Input) -> Result<Self> {
        Ok(Self {
            recording: Self::record(optimizer, input)?,
            share: full(input.labels().device(), Shape::default(), 1.0)?,
        })
    }

    fn record(optimizer: &RecipeOptimizer, input: &Input) -> Result<Recording> {
        let step = input.step();
        let device = step.tensor().device();
        let ((), recording) = device.capture(|| optimizer.update_by_sums(step))?;
        Ok(recording)
    }
}
