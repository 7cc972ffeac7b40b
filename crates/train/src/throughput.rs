//! How fast a network trains and infers on a device, with one batch of noise: for benches and `alexnet bench`.
//!
//! The step is the trainer's own, captured and replayed, with the loss read after every step; what is left out is the
//! loading of other batches, which goes on beside it. On a GPU the images stay on the device, as those of all but large data sets do.
//!
//! Why it is here and not beside the verb: it times the very `TrainStep` that the trainer captures, which nobody else is to see,
//! and [`crate::tune`] and `cargo bench -p train` time the same one.

use std::time::Instant;

use data::{Batch, Images};
use model::{Architecture, Mode, Network};
use tensor::pixels::Augment;
use tensor::{Device, Profile, Recording, Tensor, no_grad};

use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::step::input::Input;
use crate::step::recipe_optimizer::RecipeOptimizer;
use crate::step::{Place, TrainStep};

/// A network ready to be timed.
#[derive(Debug)]
pub struct Throughput {
    device: Device,
    optimizer: RecipeOptimizer,
    train: Captured,
    inference: Inference,
}

/// A captured training step with the batch it runs on.
#[derive(Debug)]
pub(crate) struct Captured {
    step: TrainStep,
    batch: Batch,
    steps: u32,
}

#[derive(Debug)]
struct Inference {
    input: Input,
    batch: Batch,
    logits: Tensor,
    recording: Recording,
}

impl Throughput {
    /// Captures the training step and the forward pass of `architecture` for batches of `n` images.
    ///
    /// ```
    /// use model::{Architecture, layers::{Dense, Flatten}};
    /// use train::{Recipe, throughput::Throughput};
    ///
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let architecture = Architecture::from_layers("linear", [32, 32, 3], layers)?;
    /// let recipe = Recipe::named("shapes10")?;
    /// let mut throughput = Throughput::new(&architecture, &recipe, 16, &tensor::Device::cpu())?;
    /// throughput.train_step()?; // to warm up
    /// println!("{:.0} images/s in training", 16.0 / throughput.train_step()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        let [height, width, channels] = architecture.input();
        let size = [height, width];
        let (mean, std) = (vec![0.5; channels], vec![0.25; channels]);
        let optimizer = RecipeOptimizer::new(recipe, &network)?;
        let noise = Noise::new(architecture, n)?;
        let train = captured(&network, &optimizer, recipe, &noise)?;
        let input = noise.input(device)?;
        let spec = Augment {
            resident: noise.resident(device),
            ..Augment::plain(size, size, mean, std)
        };
        let forward = || {
            let images = || input.images(&spec)?.cast(recipe.precision.dtype());
            no_grad(|| network.forward(&images()?, Mode::Eval))
        };
        let (logits, recording) = device.capture(forward)?;
        Ok(Self {
            device: device.clone(),
            optimizer,
            train,
            inference: Inference {
                batch: noise.batch(device),
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
        self.train.train(&self.optimizer)
    }

    /// Runs the network forward on the batch and waits for its logits. Returns seconds.
    ///
    /// # Errors
    /// If the device fails.
    pub fn infer(&mut self) -> Result<f64> {
        let start = Instant::now();
        self.inference.input.write(&self.inference.batch)?;
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

impl Captured {
    /// Trains one step and waits for its loss. Returns seconds.
    pub(crate) fn train(&mut self, optimizer: &RecipeOptimizer) -> Result<f64> {
        let start = Instant::now();
        self.steps += 1;
        let (number, place) = (u64::from(self.steps), Place::only(self.batch.n_images));
        let scalars = optimizer.scalars(1, self.steps, 1e-3);
        self.step.run(number, place, &self.batch, &scalars)?;
        drop(self.step.last_readings(number)?);
        Ok(start.elapsed().as_secs_f64())
    }
}

/// Captures a training step on `noise`.
pub(crate) fn captured(
    network: &Network,
    optimizer: &RecipeOptimizer,
    recipe: &Recipe,
    noise: &Noise,
) -> Result<Captured> {
    let input = noise.input(network.device())?;
    Ok(Captured {
        step: TrainStep::capture(network, optimizer, recipe, input, None)?,
        batch: noise.batch(network.device()),
        steps: 0,
    })
}

/// Images whose pixels no kernel can guess.
pub(crate) struct Noise {
    /// Height, width, channels.
    shape: [usize; 3],
    pixels: Vec<u8>,
    labels: Vec<u32>,
}

impl Noise {
    /// `n` images of the size of the network's input.
    pub(crate) fn new(architecture: &Architecture, n: usize) -> Result<Self> {
        let shape = architecture.input();
        let image_len = shape.iter().product::<usize>();
        let mut pixels = Vec::new();
        let reserved = n
            .checked_mul(image_len)
            .map(|len| pixels.try_reserve_exact(len));
        if !matches!(reserved, Some(Ok(()))) {
            let expected = format!("images of {image_len} bytes that fit into memory");
            return Err(Error::setting("batch_size", expected, n));
        }
        let mut word = 1_u32;
        pixels.extend((0..n * image_len).map(|_| {
            // Numerical Recipes' linear congruential generator; its high byte is random enough.
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            word.to_be_bytes()[0]
        }));
        let classes = u32::try_from(architecture.classes()).unwrap_or(u32::MAX);
        Ok(Self {
            shape,
            pixels,
            labels: (0_u32..).take(n).map(|i| i % classes).collect(),
        })
    }

    /// How many images stay on `device`, if they do.
    fn resident(&self, device: &Device) -> Option<usize> {
        (!device.is_cpu()).then_some(self.labels.len())
    }

    /// Room for the batch on `device`, with the images if they are to stay there.
    fn input(&self, device: &Device) -> Result<Input> {
        let n = self.labels.len();
        if self.resident(device).is_none() {
            return Ok(Input::new(device, n, self.shape)?);
        }
        let names = (0..=self.labels.iter().copied().max().unwrap_or(0)).map(|i| i.to_string());
        let (pixels, labels) = (self.pixels.clone(), self.labels.clone());
        let images = Images::from_pixels(self.shape, pixels, labels, names.collect())?;
        Input::of(device, n, &images, true)
    }

    fn batch(&self, device: &Device) -> Batch {
        let is_resident = self.resident(device).is_some();
        Batch {
            pixels: if is_resident {
                Vec::new()
            } else {
                self.pixels.clone()
            },
            labels: self.labels.clone(),
            samples: (0_u32..).take(self.labels.len()).collect(),
            n_images: self.labels.len(),
            epoch: 0,
            index: 0,
        }
    }
}
