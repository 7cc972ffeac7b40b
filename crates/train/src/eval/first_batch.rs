//! The first batch of training as its first step sees it, before any training: what augmentation and normalisation make of
//! images.

use data::{Batch, DataSet, Images, Loader, LoaderOptions};
use tensor::Device;
use tensor::update::StepScalars;

use crate::error::Result;
use crate::recipe::Recipe;
use crate::step::input::Input;

/// A batch that the network gets.
#[derive(Clone, Debug)]
pub struct FirstBatch {
    /// The network's input, `[n, height, width, channels]`, as 32-bit floats.
    pub shape: [usize; 4],
    /// Batches in an epoch.
    pub n_batches: usize,
    /// Of each channel.
    pub channels: Vec<ChannelSummary>,
    /// The augmented images with their labels, the normalisation undone: as they look.
    pub images: Images,
}

/// Numbers about one channel of a batch, as the network gets it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelSummary {
    /// The least value.
    pub min: f32,
    /// The largest value.
    pub max: f32,
    /// The mean.
    pub mean: f64,
    /// The standard deviation (the population's).
    pub std: f64,
}

impl FirstBatch {
    /// Makes the batch with the recipe's own shuffle, augmentation and seed.
    ///
    /// ```
    /// let recipe = train::Recipe::named("shapes10")?;
    /// let data = data::DataSet {
    ///     ..data::Shapes10::default().with_sizes(64, 8, 8).generate()?
    /// };
    /// let batch = train::FirstBatch::new(&recipe, &data, &tensor::Device::cpu())?;
    /// assert_eq!(batch.shape[1..], [32, 32, 3]);
    /// assert_eq!(batch.channels.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If a setting makes no sense for the images, one can't be read, or the device fails.
    pub fn new(recipe: &Recipe, data: &DataSet, device: &Device) -> Result<Self> {
        let mut recipe = recipe.clone();
        recipe.images.channels = data.train.channels().count();
        recipe.images.resolve(&data.train)?;
        recipe.check()?;
        let (classes, channels) = (data.class_names().len(), data.train.channels().count());
        let [height, width, _] = recipe.architecture(classes, channels)?.input();
        let n = recipe.batch_size.min(data.train.len()).max(1);
        let options = LoaderOptions {
            shuffle: recipe.shuffle.then_some(recipe.seed),
            ..LoaderOptions::training(n, recipe.seed)
        };
        let mut loader = Loader::new(data.train.clone(), options)?;
        let n_batches = if recipe.drop_last {
            loader.n_batches()
        } else {
            data.train.len().div_ceil(n)
        };
        let input = Input::new(device, n, data.train.shape())?;
        let batch: &Batch = loader.next_batch()?;
        let labels = batch.labels.clone();
        input.write(batch)?;
        input.step().write(&StepScalars::new(recipe.seed, 1, 0.0))?;
        let spec = input.for_training(&recipe.images, [height, width])?;
        let values: Vec<f32> = input.images(&spec)?.to_vec()?;
        let [mean, std] = recipe.images.normalisation()?;
        let channels = mean.len();
        let names = data.class_names().to_vec();
        let shown = super::preview::to_pixels(&values, [mean, std]);
        Ok(Self {
            shape: [n, height, width, channels],
            n_batches,
            channels: (0..channels)
                .map(|c| summary(&values, c, channels))
                .collect(),
            images: Images::from_pixels([height, width, channels], shown, labels, names)?,
        })
    }
}

fn summary(values: &[f32], channel: usize, channels: usize) -> ChannelSummary {
    let own = || values.iter().skip(channel).step_by(channels);
    let wide = || own().map(|&value| f64::from(value));
    let n = (values.len() / channels.max(1)).max(1) as f64;
    let mean = wide().sum::<f64>() / n;
    let variance = wide().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    ChannelSummary {
        min: own().copied().fold(f32::INFINITY, f32::min),
        max: own().copied().fold(f32::NEG_INFINITY, f32::max),
        mean,
        std: variance.sqrt(),
    }
}
