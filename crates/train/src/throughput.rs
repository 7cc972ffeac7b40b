//! How fast a network trains and infers on a device, with one batch of noise: for benches and `alexnet bench`.
//!
//! The step is the trainer's own, captured and replayed, with the loss read after every step; what is left out is the
//! loading of other batches, which goes on beside it.

use std::time::Instant;

use data::{Batch, CHANNELS};
use model::{Architecture, Mode, Network};
use tensor::pixels::Augment;
use tensor::{Device, Profile, Recording, Tensor, no_grad};

use crate::error::Result;
use crate::input::Input;
use crate::recipe::Recipe;
use crate::step::{Place, TrainStep};
use crate::updater::Updater;

/// A network ready to be timed.
#[derive(Debug)]
pub struct Throughput {
    device: Device,
    optimizer: Updater,
    train: TrainStep,
    batch: Batch,
    steps: u32,
    inference: Inference,
}

#[derive(Debug)]
struct Inference {
    input: Input,
    logits: Tensor,
    recording: Recording,
}

impl Throughput {
    /// Captures the training step and the forward pass of `architecture` for batches of `n` images.
    ///
    /// # Errors
    /// If the device has no room, or fails.
    pub fn new(
        architecture: &Architecture,
        recipe: &Recipe,
        n: usize,
        device: &Device,
    ) -> Result<Self> {
        let network = Network::new(architecture.clone(), recipe.seed, device)?;
        let side = architecture.input_size();
        let optimizer = Updater::new(recipe, &network)?;
        let input = Input::new(device, n, [side; 2])?;
        let train = TrainStep::capture(&network, &optimizer, recipe, input, None)?;
        let batch = noise(n, side, architecture.classes());
        let input = Input::new(device, n, [side; 2])?;
        let spec = Augment::plain([side; 2], [side; 2], [0.5; 3], [0.25; 3]);
        let forward = || {
            let images = || input.images(&spec)?.cast(recipe.precision.element());
            no_grad(|| network.forward(&images()?, Mode::Eval))
        };
        let (logits, recording) = device.capture(forward)?;
        input.write(&batch)?;
        Ok(Self {
            device: device.clone(),
            optimizer,
            train,
            batch,
            steps: 0,
            inference: Inference {
                input,
                logits,
                recording,
            },
        })
    }

    /// Trains one step on the batch and waits for its loss. Returns seconds.
    ///
    /// # Errors
    /// If the device fails.
    pub fn train_step(&mut self) -> Result<f64> {
        let start = Instant::now();
        self.steps += 1;
        let scalars = self.optimizer.scalars(1, self.steps, 1e-3);
        self.train.run(
            u64::from(self.steps),
            Place::only(self.batch.n_images),
            &self.batch,
            &scalars,
        )?;
        drop(self.train.last_readings(u64::from(self.steps))?);
        Ok(start.elapsed().as_secs_f64())
    }

    /// Runs the network forward on the batch and waits for its logits. Returns seconds.
    ///
    /// # Errors
    /// If the device fails.
    pub fn infer(&mut self) -> Result<f64> {
        let start = Instant::now();
        self.inference.input.write(&self.batch)?;
        self.inference
            .recording
            .replay(&self.device)
            .map_err(tensor::Error::from)?;
        drop(self.inference.logits.to_vec::<f32>()?);
        Ok(start.elapsed().as_secs_f64())
    }

    /// Trains `steps` steps with each kernel timed: the longest first.
    ///
    /// # Errors
    /// If the device fails.
    pub fn profile(&mut self, steps: usize) -> Result<Profile> {
        self.device.start_profile();
        for _ in 0..steps {
            self.train_step()?;
        }
        Ok(self.device.finish_profile().map_err(tensor::Error::from)?)
    }
}

/// A batch whose pixels no kernel can guess.
fn noise(n: usize, side: usize, classes: usize) -> Batch {
    let mut word = 1_u32;
    let pixels = (0..n * side * side * CHANNELS).map(|_| {
        // Numerical Recipes' linear congruential generator; its high byte is random enough.
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        word.to_be_bytes()[0]
    });
    let classes = u32::try_from(classes).unwrap_or(u32::MAX);
    let indices = || (0_u32..).take(n);
    Batch {
        pixels: pixels.collect(),
        labels: indices().map(|i| i % classes).collect(),
        samples: indices().collect(),
        n_images: n,
        epoch: 0,
        index: 0,
    }
}
