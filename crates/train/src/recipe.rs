//! Recipes: every hyper-parameter of a run, as TOML. The built-in ones are files in `recipes/`; the run folder's
//! `config.toml` is the recipe that was run, with everything resolved.

mod built_in;
mod changes;
mod checkpoints;
mod early_stopping;
mod ema;
mod evaluation;
mod groups;
mod image_kinds;
mod images;
mod layers;
mod metric;
mod mix;
mod old_names;
mod open;
mod optimizer;
mod overrides;
mod precision;
mod preparation;
mod published;
mod runtime;
mod text;
mod validation;
mod whitening;

use std::path::Path;

use model::{DropoutPlace, ImageSize};
use serde::{Deserialize, Serialize};
use tensor::{Device, DeviceOptions};

use crate::error::{Error, Result};
use crate::schedule::ScheduleRecipe;

pub use checkpoints::CheckpointsRecipe;
pub use early_stopping::EarlyStoppingRecipe;
pub use ema::EmaRecipe;
pub use evaluation::{EvaluationRecipe, Tta};
pub use groups::GroupRecipe;
pub use image_kinds::{CropKind, FitKind, InterpolationKind, PadKind};
pub use images::{EraseRecipe, ImagesRecipe};
pub(crate) use layers::DROPOUT_MOVED;
pub use layers::LayersRecipe;
pub use metric::Metric;
pub use mix::MixRecipe;
pub use optimizer::{OptimizerKind, OptimizerRecipe};
pub(crate) use overrides::merge;
pub use precision::Precision;
pub use published::{Published, PublishedEpoch};
pub use runtime::{Residency, RuntimeRecipe, Winograd};
pub(crate) use text::fault;
pub use validation::ValidationKind;
pub use whitening::WhiteningRecipe;

/// Everything that determines a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The recipe's name: the first part of the run folder's.
    pub name: String,
    /// A line of description, with the source of its numbers.
    #[serde(default)]
    pub about: String,
    /// The data set: a name, a folder with a folder per class, or a list of images and labels.
    pub dataset: String,
    /// Where the images of a data set that is a list are, if not beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images_dir: Option<String>,
    /// The network.
    pub network: String,
    /// What is changed of its layers.
    #[serde(default, skip_serializing_if = "LayersRecipe::is_default")]
    pub layers: LayersRecipe,
    /// How its weights are initialised.
    #[serde(default)]
    pub init: InitKind,
    /// Initial weights of the first convolution from the training images; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whitening: Option<WhiteningRecipe>,
    /// The dropout rate; the network's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f32>,
    /// The side of the images that the network gets, or their `[height, width]`; the network's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_size: Option<ImageSize>,
    /// The seed of everything random: initial weights, shuffles, splits, dropout, augmentation.
    pub seed: u64,
    /// Passes over the training images.
    pub epochs: u64,
    /// Images in a batch, and in a step unless the optimizer accumulates several batches.
    pub batch_size: usize,
    /// Whether training images come in another order in each epoch; if not, in that of their files.
    #[serde(
        default = "validation::yes",
        skip_serializing_if = "validation::is_yes"
    )]
    pub shuffle: bool,
    /// Whether the images that don't fill an epoch's last batch are left out of the epoch. If not, they are a smaller batch
    /// of their own, whose loss is the mean over its own images. A `config.toml` of a time before this setting left them
    /// out: see [`Recipe::of_run`].
    #[serde(default)]
    pub drop_last: bool,
    /// Images that validation and test take at once.
    #[serde(default = "default_evaluation_batch_size")]
    pub evaluation_batch_size: usize,
    /// At most this many images of each split; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Training images set aside for validation: a number, a share such as `"20%"`, or one of CIFAR-10's files, such as
    /// `"data_batch_5"`; the data set's own number if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationKind>,
    /// Whether images of a folder that can't be read are left out; an error if not.
    #[serde(default)]
    pub skip_unreadable: bool,
    /// Trained weights to begin with instead of random ones: a run's folder, a checkpoint's folder or a weight file. Layers
    /// that the other network does not have in the same shape begin anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Label smoothing, in training only. The training loss includes it.
    #[serde(default)]
    pub label_smoothing: f32,
    /// The dtype of activations and their gradients in training. Weights, and all of evaluation, are in f32.
    #[serde(default, skip_serializing_if = "Precision::is_single")]
    pub precision: Precision,
    /// How the weights are updated.
    pub optimizer: OptimizerRecipe,
    /// The EMA of the weights; none if absent.
    #[serde(default, alias = "average", skip_serializing_if = "Option::is_none")]
    pub ema: Option<EmaRecipe>,
    /// The learning rate schedule.
    #[serde(default)]
    pub schedule: ScheduleRecipe,
    /// When to stop before the last epoch; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingRecipe>,
    /// Which checkpoints are kept besides the last and the best.
    #[serde(default)]
    pub checkpoints: CheckpointsRecipe,
    /// How pixels become the network's input.
    #[serde(default)]
    pub images: ImagesRecipe,
    /// How batches are mixed with themselves.
    #[serde(default)]
    pub mix: MixRecipe,
    /// How a split is scored.
    #[serde(default)]
    pub evaluation: EvaluationRecipe,
    /// Settings of the runtime: they change the speed of a run and not its result.
    #[serde(default, alias = "machine")]
    pub runtime: RuntimeRecipe,
}

/// How weights are initialised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum InitKind {
    /// As the network says.
    #[default]
    Network,
    /// As Krizhevsky 2012, section 5: normal of standard deviation 0.01; biases one in conv2, conv4, conv5 and the hidden dense
    /// layers, else zero.
    Paper,
    /// As the network says, but of normal values those beyond two standard deviations are drawn again, as TensorFlow does.
    Truncated,
    /// As PyTorch's layers begin, whatever the network says: weights and biases uniform in `+-1 / sqrt(fan_in)`.
    Torch,
    /// Weights as PyTorch's, but the first filters of each convolution pass a channel on each; biases are zero.
    Identity,
}

const fn default_evaluation_batch_size() -> usize {
    200
}

impl Recipe {
    /// A recipe from TOML; `path` is where it came from, for messages.
    ///
    /// ```
    /// use train::Recipe;
    ///
    /// let recipe = Recipe::named("shapes10")?;
    /// let text = recipe.to_toml()?;
    /// assert_eq!(Recipe::parse(&text, "config.toml".as_ref())?, recipe);
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Format`] with the place in the text, for a number out of range too.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        Self::read(text, text, path)
    }

    /// A recipe from the TOML text `all`, which is `source` from `path` with the settings that it leaves out.
    fn read(all: &str, source: &str, path: &Path) -> Result<Self> {
        let wrong = |message: String| Error::Format {
            path: path.to_owned(),
            message,
        };
        let recipe: Self =
            toml::from_str(all).map_err(|error| text::error_of_key(&error, all, source, path))?;
        recipe.check().map_err(|error| match &error {
            Error::Setting { setting, .. } => {
                wrong(format!("{}{error}", text::place_of_key(source, setting)))
            }
            _ => error,
        })?;
        Ok(recipe)
    }

    /// The recipe of a run from its `config.toml`, which means what it meant when it was written: without `drop_last` it is
    /// of a time when every run left out an incomplete last batch, without `runtime.winograd` of one when convolutions were
    /// computed directly, and without `layers.dropout_place` of one when `alexnet-bn1` had dropout before its hidden layers.
    ///
    /// # Errors
    /// As [`Recipe::parse`].
    pub fn of_run(text: &str, path: &Path) -> Result<Self> {
        let mut recipe = Self::parse(text, path)?;
        let table: toml::Table = text.parse().unwrap_or_default();
        recipe.drop_last |= !table.contains_key("drop_last");
        let runtime = table.get("runtime").or_else(|| table.get("machine"));
        if runtime.is_none_or(|runtime| runtime.get("winograd").is_none()) {
            recipe.runtime.winograd = Winograd::Never;
        }
        // Since a dropout's place is told of this network, it has it after the hidden layers.
        if recipe.network == DROPOUT_MOVED {
            let place = recipe.layers.dropout_place;
            recipe.layers.dropout_place = place.or(Some(DropoutPlace::Before));
        }
        Ok(recipe)
    }

    /// The recipe as TOML.
    ///
    /// # Errors
    /// [`Error::Setting`] if a number is too large for TOML.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self)
            .map_err(|error| Error::setting("recipe", "numbers that TOML holds", error))
    }

    /// Opens the recipe's device.
    ///
    /// # Errors
    /// [`Error::Device`] if no device answers to the selector.
    pub fn open_device(&self) -> Result<Device> {
        let options = DeviceOptions {
            winograd: self.runtime.winograd.into(),
            ..DeviceOptions::default()
        };
        Device::open_with(&self.runtime.device, options)
            .map_err(|error| Error::Device(error.into()))
    }

    /// An error if `device` can't train in the recipe's precision.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(crate) fn check_precision(&self, device: &Device) -> Result<()> {
        if self.precision.is_single() || device.has_f16() {
            return Ok(());
        }
        let expected = format!("f32 on {}, which has no f16", device.name());
        Err(Error::setting("precision", expected, "f16"))
    }

    /// An error if a setting makes no sense whatever the data.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self) -> Result<()> {
        for (setting, value) in [
            ("batch_size", self.batch_size),
            ("evaluation_batch_size", self.evaluation_batch_size),
            ("limit", self.limit.unwrap_or(1)),
            ("loader_threads", self.runtime.loader_threads),
        ] {
            if value == 0 {
                return Err(Error::setting(setting, "at least 1", 0));
            }
        }
        self.runtime.check()?;
        // TOML's integers have 63 bits, and config.toml must hold the seed.
        if i64::try_from(self.seed).is_err() {
            return Err(Error::setting("seed", "below 2^63", self.seed));
        }
        if self.epochs == 0 {
            return Err(Error::setting("epochs", "at least 1", 0));
        }
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            let expected = "a number from 0 to 1";
            let got = self.label_smoothing;
            return Err(Error::setting("label_smoothing", expected, got));
        }
        self.schedule.check()?;
        self.checkpoints.check()?;
        if let Some(stopping) = &self.early_stopping {
            stopping.check()?;
        }
        self.optimizer.check()?;
        if let Some(ema) = self.ema {
            ema.check()?;
        }
        if let Some(whitening) = self.whitening {
            whitening.check()?;
        }
        self.images.check()?;
        self.mix.check()?;
        self.evaluation.check()
    }
}

#[cfg(test)]
mod tests;
