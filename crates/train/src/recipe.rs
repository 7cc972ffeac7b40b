//! Recipes: every hyper-parameter of a run, as TOML. The built-in ones are files in `recipes/`; the run folder's
//! `config.toml` is the recipe that was run, with everything resolved.

use std::path::{Path, PathBuf};

use data::{DataSet, FolderOptions, OpenOptions, Unreadable, Validation};
use serde::{Deserialize, Serialize};
use tensor::Device;
use toml::{Table, Value};

use crate::control::{CheckpointsRecipe, EarlyStoppingRecipe};
use crate::error::{Error, Result};
use crate::rate::ScheduleRecipe;

/// The built-in recipes by name.
const BUILT_IN: &[(&str, &str)] = &[
    ("shapes10", include_str!("../recipes/shapes10.toml")),
    (
        "small-cifar10",
        include_str!("../recipes/small-cifar10.toml"),
    ),
];

/// Everything that decides how a run goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The recipe's name: the first part of the run folder's.
    pub name: String,
    /// A line on what it is and whose numbers it repeats.
    #[serde(default)]
    pub about: String,
    /// The data set: a name, or a folder with a folder per class.
    pub dataset: String,
    /// The network.
    pub network: String,
    /// The side of the images that the network gets; the network's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_size: Option<usize>,
    /// The seed of everything random: initial weights, shuffles, splits, dropout, augmentation.
    pub seed: u64,
    /// Passes over the training images.
    pub epochs: u64,
    /// Images in a step.
    pub batch_size: usize,
    /// Images that validation and test take at once.
    #[serde(default = "default_evaluation_batch_size")]
    pub evaluation_batch_size: usize,
    /// At most this many images of each split; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Training images set aside for validation; the data set's own number if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
    /// Whether pictures of a folder that can't be read are left out; an error if not.
    #[serde(default)]
    pub skip_unreadable: bool,
    /// Trained weights to begin with instead of random ones: a run's folder, a checkpoint's folder or a weight file. Layers
    /// that the other network does not have in the same shape begin anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How the weights are updated.
    pub optimizer: OptimizerRecipe,
    /// How the learning rate goes over the run.
    #[serde(default)]
    pub schedule: ScheduleRecipe,
    /// When to stop before the last epoch; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingRecipe>,
    /// Which checkpoints are kept besides the last and the best.
    #[serde(default)]
    pub checkpoints: CheckpointsRecipe,
    /// How pixels become the network's input.
    pub images: ImagesRecipe,
    /// What changes how fast a run goes, and not where it ends.
    #[serde(default)]
    pub machine: MachineRecipe,
}

/// The optimizer and its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerRecipe {
    /// Which one.
    pub kind: OptimizerKind,
    /// The learning rate.
    pub learning_rate: f64,
    /// The coefficient of weight decay.
    #[serde(default)]
    pub weight_decay: f64,
    /// SGD: the share of the last velocity that is kept.
    #[serde(default)]
    pub momentum: f64,
    /// SGD: whether to look ahead along the velocity.
    #[serde(default)]
    pub nesterov: bool,
    /// Adam: decay of the gradient's mean.
    #[serde(default = "default_beta1")]
    pub beta1: f64,
    /// Adam: decay of the squared gradient's mean.
    #[serde(default = "default_beta2")]
    pub beta2: f64,
    /// Adam: what is added to the root of the variance.
    #[serde(default = "default_epsilon")]
    pub epsilon: f64,
}

/// Which optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OptimizerKind {
    /// Stochastic gradient descent.
    Sgd,
    /// Adam, with weight decay added to the gradient.
    Adam,
    /// Adam with decoupled weight decay.
    AdamW,
}

/// How pixels become the network's input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagesRecipe {
    /// Subtracted from each channel, with pixels in 0 to 1.
    pub mean: [f32; 3],
    /// What each channel is divided by then.
    pub deviation: [f32; 3],
    /// Training images are padded by this many black pixels and cropped at random.
    #[serde(default)]
    pub pad: usize,
    /// Training images are mirrored half of the time.
    #[serde(default)]
    pub flip: bool,
}

/// What changes how fast a run goes, and not where it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MachineRecipe {
    /// The device, as `--device` takes it.
    pub device: String,
    /// Threads that make batches.
    pub loader_threads: usize,
    /// The data directory, if not the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<String>,
}

impl Default for MachineRecipe {
    fn default() -> Self {
        Self {
            device: "auto".to_owned(),
            loader_threads: 2,
            data_dir: None,
        }
    }
}

const fn default_evaluation_batch_size() -> usize {
    200
}

const fn default_beta1() -> f64 {
    0.9
}

const fn default_beta2() -> f64 {
    0.999
}

const fn default_epsilon() -> f64 {
    1e-8
}

impl Recipe {
    /// The built-in recipes, each with a line on what it is.
    ///
    /// # Errors
    /// None, unless this program was built with a bad recipe.
    pub fn built_in() -> Result<Vec<Self>> {
        let parsed = BUILT_IN
            .iter()
            .map(|(name, text)| Self::parse(text, Path::new(name)));
        parsed.collect()
    }

    /// The built-in recipe `name`.
    ///
    /// # Errors
    /// [`Error::UnknownRecipe`].
    pub fn named(name: &str) -> Result<Self> {
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(text, Path::new(name)),
            None => Err(Error::UnknownRecipe {
                name: name.to_owned(),
                known: names(),
            }),
        }
    }

    /// The recipe that a data set is trained with when none is asked for: its own, or that of CIFAR-10 under the name of
    /// the data set or folder, without CIFAR's means.
    ///
    /// # Errors
    /// As [`Recipe::named`].
    pub fn for_dataset(dataset: &str) -> Result<Self> {
        let mut recipe = match dataset {
            "shapes10" => Self::named("shapes10")?,
            _ => Self::named("small-cifar10")?,
        };
        if !matches!(dataset, "shapes10" | "cifar10") {
            let name = Path::new(dataset).file_name().unwrap_or_default();
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
            recipe.name = name.to_string_lossy().chars().map(plain).collect();
            recipe.about.clear();
            (recipe.images.mean, recipe.images.deviation) = ([0.5; 3], [0.25; 3]);
        }
        dataset.clone_into(&mut recipe.dataset);
        Ok(recipe)
    }

    /// A recipe from TOML; `path` is where it came from, for messages.
    ///
    /// # Errors
    /// [`Error::Format`] with the place in the text; [`Error::Setting`] for a number out of range.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let recipe: Self = toml::from_str(text).map_err(|error| Error::Format {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        recipe.check()?;
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

    /// Opens the recipe's data set. One that is not there is downloaded, if `download` says so; `progress` is told how
    /// that goes.
    ///
    /// # Errors
    /// If there is no such data set, it can't be had, or its files are bad.
    pub fn open_data(
        &self,
        download: bool,
        progress: &mut dyn FnMut(data::Progress<'_>),
    ) -> Result<DataSet> {
        let options = OpenOptions {
            data_dir: self.machine.data_dir.as_ref().map(PathBuf::from),
            validation: self
                .validation
                .map_or(Validation::Default, Validation::Count),
            seed: self.seed,
            download,
            folder: FolderOptions {
                unreadable: if self.skip_unreadable {
                    Unreadable::Skip
                } else {
                    Unreadable::Fail
                },
                ..FolderOptions::default()
            },
        };
        Ok(data::open(Path::new(&self.dataset), &options, progress)?)
    }

    /// Opens the recipe's device.
    ///
    /// # Errors
    /// [`Error::Device`] if no device answers to the selector.
    pub fn open_device(&self) -> Result<Device> {
        Device::open(&self.machine.device).map_err(|error| Error::Device(error.into()))
    }

    /// The recipe with the settings of a TOML text in place of its own; `path` is where the text came from.
    ///
    /// # Errors
    /// As [`Recipe::parse`].
    pub fn overridden_by(&self, text: &str, path: &Path) -> Result<Self> {
        let wrong = |message: String| Error::Format {
            path: path.to_owned(),
            message: message.trim_end().to_owned(),
        };
        let table = |text: &str| {
            text.parse::<Table>()
                .map_err(|error| wrong(error.to_string()))
        };
        let mut all = table(&self.to_toml()?)?;
        merge(&mut all, table(text)?);
        Self::parse(&all.to_string(), path)
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
            ("loader_threads", self.machine.loader_threads),
        ] {
            if value == 0 {
                return Err(Error::setting(setting, "at least 1", 0));
            }
        }
        // TOML's integers have 63 bits, and config.toml must hold the seed.
        if i64::try_from(self.seed).is_err() {
            return Err(Error::setting("seed", "below 2^63", self.seed));
        }
        if self.epochs == 0 {
            return Err(Error::setting("epochs", "at least 1", 0));
        }
        self.schedule.check()?;
        self.checkpoints.check()?;
        if let Some(stopping) = &self.early_stopping {
            stopping.check()?;
        }
        let o = &self.optimizer;
        let rates = [
            ("learning_rate", o.learning_rate, f64::INFINITY),
            ("weight_decay", o.weight_decay, f64::INFINITY),
            ("momentum", o.momentum, 1.0),
            ("beta1", o.beta1, 1.0),
            ("beta2", o.beta2, 1.0),
            ("epsilon", o.epsilon, f64::INFINITY),
        ];
        for (setting, value, below) in rates {
            if !(0.0..below).contains(&value) {
                let expected = format!("a number from 0 to below {below}");
                return Err(Error::setting(setting, expected, value));
            }
        }
        if self
            .images
            .deviation
            .iter()
            .any(|&d| d <= 0.0 || !d.is_finite())
        {
            let got = format!("{:?}", self.images.deviation);
            return Err(Error::setting("deviation", "three positive numbers", got));
        }
        Ok(())
    }
}

/// Puts the values of `from` into `into`, table by table.
fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn names() -> String {
    let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_recipes_are_valid_and_survive_a_round_trip() {
        for (recipe, (name, _)) in Recipe::built_in().unwrap().iter().zip(BUILT_IN) {
            assert_eq!(recipe.name, *name, "a recipe's file and its name");
            let text = recipe.to_toml().unwrap();
            assert_eq!(
                *recipe,
                Recipe::parse(&text, Path::new("config.toml")).unwrap()
            );
        }
    }

    #[test]
    fn a_folder_gets_a_recipe_under_its_own_name() {
        let recipe = Recipe::for_dataset("/home/me/my pictures/").unwrap();
        assert_eq!(
            (recipe.name.as_str(), recipe.dataset.as_str()),
            ("my-pictures", "/home/me/my pictures/")
        );
        recipe.check().unwrap();
        assert_eq!(
            Recipe::for_dataset("cifar10").unwrap().name,
            "small-cifar10",
            "a set's own"
        );
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_names_it() {
        let text = Recipe::named("shapes10").unwrap().to_toml().unwrap();
        let text = text.replace("batch_size = ", "batch_sise = ");
        let message = Recipe::parse(&text, Path::new("mine.toml"))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("batch_sise") && message.contains("mine.toml"),
            "{message}"
        );
    }

    #[test]
    fn settings_of_a_file_replace_the_recipes_one_by_one() {
        let recipe = Recipe::named("shapes10").unwrap();
        let text = "epochs = 3\n[optimizer]\nlearning_rate = 0.5\n";
        let changed = recipe.overridden_by(text, Path::new("mine.toml")).unwrap();
        assert_eq!((changed.epochs, changed.optimizer.learning_rate), (3, 0.5));
        assert_eq!(
            (changed.optimizer.kind, changed.seed),
            (recipe.optimizer.kind, recipe.seed)
        );
        assert!(
            recipe
                .overridden_by("epoch = 3", Path::new("mine.toml"))
                .is_err()
        );
    }

    #[test]
    fn numbers_out_of_range_are_errors() {
        type Change = fn(&mut Recipe);
        let changes: [(&str, Change); 6] = [
            ("limit", |r| r.limit = Some(0)),
            ("batch_size", |r| r.batch_size = 0),
            ("epochs", |r| r.epochs = 0),
            ("seed", |r| r.seed = u64::MAX),
            ("learning_rate", |r| r.optimizer.learning_rate = f64::NAN),
            ("deviation", |r| r.images.deviation[1] = 0.0),
        ];
        for (setting, change) in changes {
            let mut recipe = Recipe::named("shapes10").unwrap();
            change(&mut recipe);
            let message = recipe.check().unwrap_err().to_string();
            assert!(message.starts_with(setting), "{message}");
        }
    }
}
