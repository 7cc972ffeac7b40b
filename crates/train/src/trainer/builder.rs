//! A [`Trainer`] from its parts: a data set, a network and settings, each from wherever the caller has it. A recipe is one
//! way to give all settings at once.

use data::DataSet;
use model::{Architecture, Layer};
use tensor::Device;

use super::Trainer;
use crate::error::Result;
use crate::recipe::{ImagesRecipe, OptimizerRecipe, Recipe};
use crate::schedule::ScheduleRecipe;

/// The parts of a [`Trainer`]: see [`Trainer::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing is trained before `build`"]
pub struct TrainerBuilder {
    recipe: Recipe,
    data: DataSet,
    network: Option<Architecture>,
}

impl Trainer {
    /// Begins a trainer on `data`, which may be images of your own ([`data::Images::from_fn`]), of any size and of 1, 3 or 4
    /// channels. Without more it would train `alexnet-cifar` by Adam with a learning rate of 0.001 for 10 epochs, in batches
    /// of 64, and not augment.
    ///
    /// ```
    /// use data::{DataSet, Images};
    /// use model::layers::{Conv2d, Dense, Flatten, Module as _};
    /// use tensor::Device;
    /// use train::{OptimizerRecipe, Trainer};
    ///
    /// // Oblong grey images, made here: dark ones and light ones.
    /// let names = ["dark", "light"].map(str::to_owned).to_vec();
    /// let labels = (0..64).map(|index| index % 2).collect();
    /// let shade = |index: usize, out: &mut [u8]| out.fill(if index % 2 == 0 { 10 } else { 240 });
    /// let images = Images::from_fn([8, 12, 1], labels, names, shade)?;
    /// let data = DataSet::new("shades", images).with_validation(16, 0)?;
    ///
    /// let layers = vec![
    ///     Conv2d::new(4, 3).stride(2).relu().into(),
    ///     Flatten::new().into(),
    ///     Dense::new(2).named("logits"),
    /// ];
    /// let mut trainer = Trainer::builder(data)
    ///     .layers("tiny", layers)?
    ///     .optimizer(OptimizerRecipe::sgd(0.01, 0.9))
    ///     .epochs(5)
    ///     .batch_size(16)
    ///     .build(&Device::cpu())?;
    /// trainer.run(&false.into(), &mut |_: train::Event<'_>| {})?;
    /// assert_eq!(trainer.network().architecture().input(), [8, 12, 1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(data: DataSet) -> TrainerBuilder {
        TrainerBuilder {
            recipe: Recipe::plain(&data.name),
            data,
            network: None,
        }
    }
}

impl TrainerBuilder {
    /// All settings of a recipe, in place of those that were given before. Its data set is not opened, and its network counts
    /// only if no other is given.
    pub fn recipe(self, recipe: Recipe) -> Self {
        Self { recipe, ..self }
    }

    /// The network.
    pub fn network(self, network: Architecture) -> Self {
        Self {
            network: Some(network),
            ..self
        }
    }

    /// A network of layers, one after another, on images of the data set's size. Every `Module` is a layer, one of your own
    /// too; the last one gives a logit a class.
    ///
    /// # Errors
    /// As [`Architecture::from_layers`].
    pub fn layers(self, name: &str, layers: Vec<Layer>) -> Result<Self> {
        let network = Architecture::from_layers(name, self.data.train.shape(), layers)?;
        Ok(self.network(network))
    }

    /// How the weights are updated.
    pub fn optimizer(mut self, optimizer: OptimizerRecipe) -> Self {
        self.recipe.optimizer = optimizer;
        self
    }

    /// The learning rate schedule.
    pub fn schedule(mut self, schedule: ScheduleRecipe) -> Self {
        self.recipe.schedule = schedule;
        self
    }

    /// How images are augmented and normalised.
    pub fn images(mut self, images: ImagesRecipe) -> Self {
        self.recipe.images = images;
        self
    }

    /// Passes over the training images.
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.recipe.epochs = epochs;
        self
    }

    /// Images in a batch.
    pub fn batch_size(mut self, images: usize) -> Self {
        self.recipe.batch_size = images;
        self
    }

    /// The seed of everything random.
    pub fn seed(mut self, seed: u64) -> Self {
        self.recipe.seed = seed;
        self
    }

    /// Any other setting of the recipe.
    pub fn with(mut self, change: impl FnOnce(&mut Recipe)) -> Self {
        change(&mut self.recipe);
        self
    }

    /// Makes everything ready to train, in memory: see [`Trainer::new`].
    ///
    /// # Errors
    /// As [`Trainer::with_network`].
    pub fn build(self, device: &Device) -> Result<Trainer> {
        match self.network {
            Some(network) => Trainer::with_network(self.recipe, network, self.data, device),
            None => Trainer::new(self.recipe, self.data, device),
        }
    }
}
