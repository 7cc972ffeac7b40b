//! The built-in recipes: which there are, and which a data set is trained with when none is asked for.

use std::path::Path;

use data::Channels;

use super::{
    EvaluationRecipe, ImagesRecipe, InitKind, LayersRecipe, MixRecipe, OptimizerRecipe, Precision,
    Recipe, RuntimeRecipe, default_evaluation_batch_size,
};
use crate::error::{Error, Result};
use crate::recipe::CheckpointsRecipe;
use crate::schedule::ScheduleRecipe;

macro_rules! recipes {
    ($($name:literal),+ $(,)?) => {
        /// The built-in recipes by name.
        pub(super) const BUILT_IN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../recipes/", $name, ".toml")))),+];
    };
}

recipes!(
    "shapes10",
    "cifar10",
    "cifar10-quick",
    "cifar100",
    "small-cifar10",
    "small-cifar10-best",
    "small-cifar10-pca",
    "small-cifar10-pca-best",
    "keras-cifar10",
    "torch-cifar10",
    "torch-cifar10-best",
    "torch-cifar100",
    "torch-cifar100-best",
    "flowers",
    "flowers-best",
    "flowers-paper-init",
    "paper-imagenet",
    "folder",
);

/// The file of a built-in recipe.
pub(super) fn text_of(name: &str) -> Option<&'static str> {
    let found = BUILT_IN.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}

impl Recipe {
    /// The built-in recipes, each with a line on what it is.
    ///
    /// ```
    /// for recipe in train::Recipe::built_in()? {
    ///     println!("{}: {}", recipe.name, recipe.about);
    /// }
    /// # Ok::<(), train::Error>(())
    /// ```
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
    /// ```
    /// let recipe = train::Recipe::named("small-cifar10")?;
    /// assert_eq!((recipe.dataset.as_str(), recipe.network.as_str()), ("cifar10", "alexnet-small"));
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownRecipe`].
    pub fn named(name: &str) -> Result<Self> {
        match text_of(name) {
            Some(text) => Self::parse(text, Path::new(name)),
            None => {
                let known: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
                Err(Error::UnknownRecipe {
                    name: name.to_owned(),
                    known: known.join(", "),
                })
            }
        }
    }

    /// A recipe without anybody's numbers, for a data set of the caller's own: Adam, ten epochs, no augmentation.
    pub(crate) fn plain(dataset: &str) -> Self {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        Self {
            name: dataset.chars().map(plain).collect(),
            about: String::new(),
            dataset: dataset.to_owned(),
            images_dir: None,
            network: "alexnet-cifar".to_owned(),
            layers: LayersRecipe::default(),
            init: InitKind::default(),
            whitening: None,
            dropout: None,
            input_size: None,
            seed: 0,
            epochs: 10,
            batch_size: 64,
            shuffle: true,
            drop_last: false,
            evaluation_batch_size: default_evaluation_batch_size(),
            limit: None,
            validation: None,
            skip_unreadable: false,
            from: None,
            label_smoothing: 0.0,
            precision: Precision::default(),
            optimizer: OptimizerRecipe::adam(1e-3),
            ema: None,
            schedule: ScheduleRecipe::default(),
            early_stopping: None,
            checkpoints: CheckpointsRecipe::default(),
            images: ImagesRecipe::default(),
            mix: MixRecipe::default(),
            evaluation: EvaluationRecipe::default(),
            runtime: RuntimeRecipe::default(),
        }
    }

    /// The recipe that a data set is trained with when none is asked for: its own; that of CIFAR-10, without its means,
    /// for small images; that of `folder`, under the folder's name, for images.
    ///
    /// ```
    /// let recipe = train::Recipe::for_dataset("images/birds")?;
    /// assert_eq!((recipe.name.as_str(), recipe.dataset.as_str()), ("birds", "images/birds"));
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Recipe::named`].
    pub fn for_dataset(dataset: &str) -> Result<Self> {
        let own = match dataset {
            "cifar100-coarse" => "cifar100",
            "mnist" | "fashion-mnist" => "cifar10",
            "imagenet" => "paper-imagenet",
            "flowers" => "flowers-best",
            "shapes10" | "cifar10" | "cifar100" => dataset,
            _ => "folder",
        };
        let mut recipe = Self::named(own)?;
        if dataset != recipe.dataset {
            let name = Path::new(dataset).file_name().unwrap_or_default();
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
            recipe.name = name.to_string_lossy().chars().map(plain).collect();
            recipe.about.clear();
        }
        if dataset.ends_with("mnist") {
            (recipe.images.mean, recipe.images.std) = (None, None);
            recipe.images.channels = Channels::Grey.count();
            // A mirrored digit is another digit, or none.
            recipe.images.flip = dataset != "mnist";
        }
        dataset.clone_into(&mut recipe.dataset);
        Ok(recipe)
    }
}
