//! The training step, captured once and replayed: augment, forward, loss, backward, update, and the sums of loss and
//! accuracy.
//!
//! Before a replay only the batch and the step's scalars are written, and nothing is waited for: the sums stay on the
//! device and are read every few steps, a little later.

use std::collections::VecDeque;

use data::Batch;
use model::{Mode, Network};
use tensor::ops::accuracy::{Accuracy, Totals};
use tensor::ops::cross_entropy::CrossEntropy;
use tensor::update::StepScalars;
use tensor::{PendingRead, Recording, Tensor};

use crate::error::Result;
use crate::input::Input;
use crate::optimizer::Optimizer;
use crate::recipe::ImagesRecipe;

/// Steps between two readings of the sums on a GPU, where a reading costs a submission. The CPU device has them at hand.
const EVERY: u64 = 8;
/// Readings that may be under way before the host waits for the first: enough to hide a read-back, and few enough that an
/// interrupt is answered at once.
const AHEAD: usize = 2;

/// A captured training step.
#[derive(Debug)]
pub(crate) struct TrainStep {
    input: Input,
    sums: Accuracy,
    recording: Recording,
    every: u64,
    under_way: VecDeque<(u64, PendingRead)>,
}

/// The sums of an epoch, after a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) step: u64,
    pub(crate) totals: Totals,
}

impl TrainStep {
    /// Captures a step of `network` on batches of `n` images of `size`.
    pub(crate) fn capture(
        network: &Network,
        optimizer: &Optimizer,
        images: &ImagesRecipe,
        (n, size): (usize, [usize; 2]),
    ) -> Result<Self> {
        let device = network.device();
        let input = Input::new(device, n, size)?;
        let architecture = network.architecture();
        let sums = Accuracy::new(device, architecture.classes(), false)?;
        let side = architecture.input_size();
        let ((), recording) = device.capture(|| -> tensor::Result<()> {
            let x = input.for_training(images, side)?;
            let mode = Mode::Train {
                step: input.step().tensor(),
            };
            let logits = network.forward(&x, mode)?;
            let loss = logits.cross_entropy(input.labels(), &CrossEntropy::default())?;
            sums.add(&logits, input.labels(), &loss)?;
            optimizer.update(&loss.backward()?, input.step())
        })?;
        let is_waiting_cheap = device.is_cpu() || device.is_software();
        Ok(Self {
            input,
            sums,
            recording,
            every: if is_waiting_cheap { 1 } else { EVERY },
            under_way: VecDeque::new(),
        })
    }

    /// How many steps may lie between two readings.
    pub(crate) fn every(&self) -> u64 {
        self.every
    }

    /// Begins the sums of an epoch with what it has come to.
    pub(crate) fn set_sums(&self, totals: &Totals) -> Result<()> {
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

    /// Runs step number `step` on a batch.
    pub(crate) fn run(&mut self, step: u64, batch: &Batch, scalars: &StepScalars) -> Result<()> {
        let device = self.sums.totals().device();
        self.input.write(batch)?;
        self.input.step().write(scalars)?;
        self.recording.replay(device).map_err(tensor::Error::from)?;
        if step.is_multiple_of(self.every) {
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
        self.under_way.push_back((step, read));
        Ok(())
    }

    /// The next reading that is due: waits for it if too many are under way.
    pub(crate) fn reading(&mut self) -> Result<Option<Reading>> {
        let most = if self.every == 1 { 0 } else { AHEAD };
        if self.under_way.len() > most {
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
        let Some((step, read)) = self.under_way.pop_front() else {
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
        Ok(Some(Reading { step, totals }))
    }
}
