//! What the source of a recipe has published: its log, epoch by epoch where it prints one, and its result.

use std::path::Path;

use serde::Deserialize;

use super::Recipe;
use crate::error::{Error, Result};

/// The published logs by recipe.
const PUBLISHED: &[(&str, &str)] = &[
    (
        "keras-cifar10",
        include_str!("../../recipes/published/keras-cifar10.toml"),
    ),
    (
        "torch-cifar100",
        include_str!("../../recipes/published/torch-cifar100.toml"),
    ),
    (
        "flowers",
        include_str!("../../recipes/published/flowers.toml"),
    ),
    (
        "small-cifar10",
        include_str!("../../recipes/published/small-cifar10.toml"),
    ),
];
/// The end of the names of recipes that are ours for a walk-through.
const BEST: &str = "-best";

/// A published run.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Where in the source its figures are.
    pub source: String,
    /// What came of it, in words.
    pub result: String,
    /// Whether its losses include the l2 penalty of the weights.
    pub losses_include_penalty: bool,
    /// Milliseconds of a training step.
    pub ms_per_step: Option<f64>,
    /// Seconds of an epoch, its test included.
    pub seconds_per_epoch: Option<f64>,
    /// The epochs that are printed.
    pub epochs: Vec<PublishedEpoch>,
}

/// An epoch of a published log.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the names are those of metrics.csv")]
pub struct PublishedEpoch {
    pub epoch: u64,
    pub train_loss: Option<f64>,
    pub train_accuracy: Option<f64>,
    pub val_loss: Option<f64>,
    pub val_accuracy: Option<f64>,
    pub test_accuracy: Option<f64>,
    pub test_macro_f1: Option<f64>,
    /// Milliseconds of a training step in this epoch.
    pub ms_per_step: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: String,
    result: String,
    #[serde(default)]
    losses_include_penalty: bool,
    ms_per_step: Option<f64>,
    seconds_per_epoch: Option<f64>,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    rows: Vec<Vec<f64>>,
}

impl Published {
    /// What was published of the run that the recipe `name` means, or that the recipe `NAME-best` is ours for.
    ///
    /// ```
    /// let published = train::Published::of("keras-cifar10")?.expect("it has a log");
    /// assert_eq!((published.epochs[23].val_accuracy, published.ms_per_step), (Some(0.7381), Some(264.0)));
    /// assert_eq!(train::Published::of("shapes10")?, None);
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// None, unless this program was built with a bad log.
    pub fn of(name: &str) -> Result<Option<Self>> {
        let name = name.strip_suffix(BEST).unwrap_or(name);
        let found = PUBLISHED.iter().find(|(known, _)| *known == name);
        found
            .map(|(name, text)| Self::parse(text, name))
            .transpose()
    }

    fn parse(text: &str, name: &str) -> Result<Self> {
        let wrong = |message: String| Error::Format {
            path: Path::new(name).to_owned(),
            message,
        };
        let file: File = toml::from_str(text).map_err(|error| wrong(super::fault(&error, text)))?;
        let epoch = |row: &Vec<f64>| {
            let mut epoch = PublishedEpoch::default();
            for (column, value) in file.columns.iter().zip(row) {
                epoch
                    .set(column, *value)
                    .ok_or_else(|| wrong(format!("unknown column {column}")))?;
            }
            Ok(epoch)
        };
        Ok(Self {
            epochs: file.rows.iter().map(epoch).collect::<Result<_>>()?,
            source: file.source,
            result: file.result,
            losses_include_penalty: file.losses_include_penalty,
            ms_per_step: file.ms_per_step,
            seconds_per_epoch: file.seconds_per_epoch,
        })
    }

    /// What was published of an epoch.
    #[must_use]
    pub fn epoch(&self, number: u64) -> Option<&PublishedEpoch> {
        self.epochs.iter().find(|epoch| epoch.epoch == number)
    }
}

impl PublishedEpoch {
    fn set(&mut self, column: &str, value: f64) -> Option<()> {
        let field = match column {
            "epoch" => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a small whole number"
                )]
                let number = value as u64;
                self.epoch = number;
                return Some(());
            }
            "train_loss" => &mut self.train_loss,
            "train_accuracy" => &mut self.train_accuracy,
            "val_loss" => &mut self.val_loss,
            "val_accuracy" => &mut self.val_accuracy,
            "test_accuracy" => &mut self.test_accuracy,
            "test_macro_f1" => &mut self.test_macro_f1,
            "ms_per_step" => &mut self.ms_per_step,
            _ => return None,
        };
        *field = Some(value);
        Some(())
    }

    /// Its figures under their names, in the order of a row.
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, f64)> {
        let figures = [
            ("loss", self.train_loss),
            ("accuracy", self.train_accuracy),
            ("val_loss", self.val_loss),
            ("val_accuracy", self.val_accuracy),
            ("test_accuracy", self.test_accuracy),
            ("test_macro_f1", self.test_macro_f1),
        ];
        let figures = figures.into_iter();
        figures
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

impl Recipe {
    /// The file of a built-in recipe, with its comments, and below it, as comments, the settings that it leaves at their
    /// defaults.
    ///
    /// ```
    /// let text = train::Recipe::file_text("small-cifar10")?;
    /// assert!(text.contains("\"3. Implementation\": AdamOptimizer") && text.contains("# optimizer.beta1 = 0.9"));
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownRecipe`].
    pub fn file_text(name: &str) -> Result<String> {
        let resolved = Self::named(name)?.to_toml()?;
        let text = super::built_in::text_of(name).unwrap_or_default();
        let parse = |text: &str| text.parse::<toml::Table>().unwrap_or_default();
        let (mut own, mut all) = (Vec::new(), Vec::new());
        super::changes::flatten(&parse(text), "", &mut own);
        super::changes::flatten(&parse(&resolved), "", &mut all);
        let mut out = format!("{}\n\n# The rest is by default:\n", text.trim_end());
        let is_own = |key: &str| own.iter().any(|(known, _)| known == key);
        for (key, value) in all.iter().filter(|(key, _)| !is_own(key)) {
            out.push_str(&format!("# {key} = {value}\n"));
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_log_is_of_a_recipe_and_its_epochs_rise() {
        for (name, _) in PUBLISHED {
            Recipe::named(name).unwrap();
            let published = Published::of(name).unwrap().unwrap();
            assert_eq!(
                Published::of(&format!("{name}{BEST}")).unwrap().as_ref(),
                Some(&published)
            );
            assert!(
                !published.source.is_empty() && !published.result.is_empty(),
                "{name}"
            );
            let epochs: Vec<_> = published.epochs.iter().map(|epoch| epoch.epoch).collect();
            assert!(
                epochs.is_sorted() && !epochs.contains(&0),
                "{name}: {epochs:?}"
            );
            for epoch in &published.epochs {
                assert!(!epoch.figures().is_empty(), "{name}: {epoch:?}");
            }
        }
        let keras = Published::of("keras-cifar10").unwrap().unwrap();
        assert_eq!(keras.epochs.len(), 24);
        assert_eq!(keras.epoch(7).unwrap().val_accuracy, Some(0.4167));
        assert!(
            Published::parse(
                "source = ''\nresult = ''\ncolumns = ['loss']\nrows = [[1]]",
                "x"
            )
            .is_err()
        );
    }

    #[test]
    fn a_recipes_source_is_the_recipe() {
        for recipe in Recipe::built_in().unwrap() {
            let text = Recipe::file_text(&recipe.name).unwrap();
            assert_eq!(
                Recipe::parse(&text, Path::new("again.toml")).unwrap(),
                recipe
            );
            // With the defaults switched on, it is the same again.
            let (own, rest) = text.split_once("\n# The rest is by default:\n").unwrap();
            let rest = rest.replace("# ", "");
            let settings: Vec<&str> = rest.lines().collect();
            let all = Recipe::parse(own, Path::new("own.toml")).unwrap();
            assert_eq!(all.with_settings(&settings).unwrap(), recipe);
        }
    }

    /// Every setting of a walk-through's recipe says where it is from, in the same line or in one of those before it.
    #[test]
    fn settings_of_walk_throughs_cite_their_sections() {
        for name in [
            "keras-cifar10",
            "torch-cifar100",
            "flowers",
            "flowers-paper-init",
            "small-cifar10",
            "small-cifar10-pca",
            "torch-cifar10",
        ] {
            let text = crate::recipe::built_in::text_of(name).unwrap();
            let settings = text
                .lines()
                .filter(|line| line.contains(" = ") && !line.starts_with('#'));
            for line in
                settings.filter(|line| !line.starts_with("name") && !line.starts_with("about"))
            {
                assert!(line.contains(" # "), "{name}: {line}");
            }
        }
    }
}
