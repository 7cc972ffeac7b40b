//! Settings in place of a recipe's own: from a file, from `KEY=VALUE` flags.

use std::path::Path;

use model::{Architecture, ImageSize};
use toml::{Table, Value};

use super::{CropKind, Recipe, fault, old_names};
use crate::error::{Error, Result};

impl Recipe {
    /// The recipe with the settings of a TOML text in place of its own; `path` is where the text came from.
    ///
    /// ```
    /// let text = "epochs = 3\n[optimizer]\nlearning_rate = 1e-3\n";
    /// let recipe = train::Recipe::named("shapes10")?.overridden_by(text, "mine.toml".as_ref())?;
    /// assert_eq!((recipe.epochs, recipe.batch_size), (3, 32));
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Recipe::parse`].
    pub fn overridden_by(&self, text: &str, path: &Path) -> Result<Self> {
        self.with_text(table(text, path)?, text, path)
    }

    /// The recipe with `evaluation.resize` in the ratio that it had in `before`, whose settings were replaced by others
    /// without one.
    fn with_evaluation_like(mut self, before: &Self) -> Self {
        let sides = [before.training_side(), self.training_side()];
        if let (Some(resize), [Some(old), Some(new)]) = (before.evaluation.resize, sides)
            && old > 0
        {
            self.evaluation.resize = Some((resize.saturating_mul(new) + old / 2) / old);
        }
        self
    }

    /// The side that training images are resized to before crops of the network's input are taken.
    fn training_side(&self) -> Option<usize> {
        let resize = self
            .images
            .resize
            .filter(|_| self.images.crop != CropKind::Area);
        let own = || {
            let own = Architecture::new(&self.network, None, None).ok()?;
            Some(own.input_size())
        };
        let input = self.input_size.map(ImageSize::shorter);
        resize.or(input).or_else(own)
    }

    /// The recipe with these settings, each `KEY=VALUE`: the key as in a recipe's file, with dots (`optimizer.momentum`),
    /// the value in TOML. Anything else is taken as a string: `network=alexnet-bn`.
    ///
    /// ```
    /// let recipe = train::Recipe::named("shapes10")?;
    /// let recipe = recipe.with_settings(&["epochs=3", "optimizer.learning_rate=1e-3", "network=alexnet-bn"])?;
    /// assert_eq!((recipe.epochs, recipe.network.as_str()), (3, "alexnet-bn"));
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Recipe::parse`]; [`Error::Setting`] if one has no `=`.
    pub fn with_settings<S: AsRef<str>>(&self, settings: &[S]) -> Result<Self> {
        let mut recipe = self.clone();
        let mut sets_resize = false;
        for setting in settings {
            let setting = setting.as_ref();
            let Some((key, value)) = setting.split_once('=') else {
                return Err(Error::setting("--set", "KEY=VALUE", setting));
            };
            let (key, value) = (key.trim(), value.trim());
            let is_toml = format!("value = {value}").parse::<Table>().is_ok();
            let value = if is_toml {
                value.to_owned()
            } else {
                Value::from(value).to_string()
            };
            let (text, path) = (format!("{key} = {value}"), format!("--set {setting}"));
            let table = table(&text, Path::new(&path))?;
            sets_resize |= has_evaluation_resize(&table);
            recipe = recipe.with_exactly(table, "", Path::new(&path))?;
        }
        if sets_resize {
            return Ok(recipe);
        }
        Ok(recipe.with_evaluation_like(self))
    }

    /// The recipe with the settings of a table in place of its own.
    pub(crate) fn with_table(&self, settings: Table, path: &Path) -> Result<Self> {
        self.with_text(settings, "", path)
    }

    /// As [`Recipe::with_table`], with the text that the table was in, for messages.
    fn with_text(&self, settings: Table, text: &str, path: &Path) -> Result<Self> {
        let sets_resize = has_evaluation_resize(&settings);
        let recipe = self.with_exactly(settings, text, path)?;
        if sets_resize {
            return Ok(recipe);
        }
        Ok(recipe.with_evaluation_like(self))
    }

    /// The same, and nothing that follows from them.
    fn with_exactly(&self, mut settings: Table, text: &str, path: &Path) -> Result<Self> {
        old_names::replace(&mut settings);
        let mut all = table(&self.to_toml()?, path)?;
        forget_channels(&mut all, &settings);
        merge(&mut all, settings);
        Self::read(&all.to_string(), text, path)
    }
}

/// Takes out what a recipe says of each channel, if it gets images of others.
fn forget_channels(recipe: &mut Table, settings: &Table) {
    let channels = |table: &Table| table.get("images")?.get("channels").cloned();
    let new = channels(settings);
    let own = channels(recipe).unwrap_or(Value::Integer(3));
    if let Some(Value::Table(images)) = recipe.get_mut("images")
        && new.is_some_and(|new| new != own)
    {
        for key in ["mean", "std", "colour_components"] {
            images.remove(key);
        }
    }
}

fn has_evaluation_resize(settings: &Table) -> bool {
    let evaluation = settings.get("evaluation").and_then(Value::as_table);
    evaluation.is_some_and(|evaluation| evaluation.contains_key("resize"))
}

fn table(text: &str, path: &Path) -> Result<Table> {
    text.parse()
        .map_err(|error: toml::de::Error| Error::Format {
            path: path.to_owned(),
            message: fault(&error, text),
        })
}

/// Puts the values of `from` into `into`, table by table.
pub(crate) fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::OptimizerKind;

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
    fn the_resize_of_evaluation_follows_what_training_images_are_resized_to() {
        let with = |name: &str, settings: &[&str]| {
            let recipe = Recipe::named(name).unwrap().with_settings(settings);
            recipe.unwrap().evaluation.resize
        };
        // The recipe for folders looks at 128 of 144: 224 of 252, and 64 of 72. By hand: 144 * 224 / 128.
        for (settings, expected) in [
            (&["epochs=3"][..], Some(144)),
            (&["input_size=128"], Some(144)),
            (&["input_size=224"], Some(252)),
            (&["input_size=64"], Some(72)),
            (&["input_size=64", "input_size=224"], Some(252)),
            (&["input_size=224", "evaluation.resize=256"], Some(256)),
            (&["evaluation.resize=256", "input_size=224"], Some(256)),
            (&["evaluation={resize=230}", "input_size=224"], Some(230)),
        ] {
            assert_eq!(with("folder", settings), expected, "{settings:?}");
        }
        // Where training resizes, the test resizes alike.
        assert_eq!(
            with("flowers-best", &["input_size=131", "images.resize=150"]),
            None
        );
        let flowers = Recipe::named("flowers-best").unwrap();
        let both = flowers.with_settings(&["evaluation.resize=256"]).unwrap();
        for (settings, expected) in [
            (&["input_size=131"][..], 256),
            (&["input_size=131", "images.resize=150"], 150),
        ] {
            let resize = both.with_settings(settings).unwrap().evaluation.resize;
            assert_eq!(resize, Some(expected), "{settings:?}");
        }
        let text = "input_size = 224\n";
        let folder = Recipe::named("folder").unwrap();
        let changed = folder.overridden_by(text, Path::new("mine.toml")).unwrap();
        assert_eq!(changed.evaluation.resize, Some(252), "in a file as well");
    }

    #[test]
    fn settings_may_be_numbers_lists_tables_and_bare_words() {
        let recipe = Recipe::named("shapes10").unwrap();
        let settings = [
            "optimizer.kind=sgd",
            "optimizer.learning_rate = 1e-2",
            "network=alexnet-cifar",
            "schedule={kind = \"multi-step\", milestones = [2, 4]}",
            "early_stopping.patience=3",
        ];
        let changed = recipe.with_settings(&settings).unwrap();
        assert_eq!(changed.optimizer.kind, OptimizerKind::Sgd);
        assert_eq!(changed.optimizer.learning_rate, 1e-2);
        assert_eq!(changed.network, "alexnet-cifar");
        assert_eq!(changed.schedule.milestones, [2, 4]);
        assert_eq!(changed.schedule.warmup_steps, recipe.schedule.warmup_steps);
        assert_eq!(changed.early_stopping.unwrap().patience, 3);
        for (setting, part) in [
            ("epochs", "KEY=VALUE"),
            ("epoch=3", "epoch"),
            ("optimizer.rate=3", "rate"),
            ("epochs=many", "epochs"),
            ("epochs=0", "epochs"),
            ("=3", "=3"),
            ("a b=3", "a b=3"),
        ] {
            let message = recipe.with_settings(&[setting]).unwrap_err().to_string();
            assert!(message.contains(part), "{setting}: {message}");
        }
    }
}
