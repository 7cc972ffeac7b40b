//! Sweeps: many runs of one recipe, each with settings of its own, and one table of their results.
//!
//! A sweep is TOML. `recipe` names what all start from, `base` has settings for all. Then either `[[run]]` tables, each
//! with a `name` and settings, or a `[grid]` of settings with a list of values each, of which every combination is run:
//!
//! ```toml
//! recipe = "small-cifar10"
//! base = { epochs = 5 }
//! [grid]
//! "optimizer.learning_rate" = [1e-3, 3e-4]
//! batch_size = [64, 128]
//! ```

mod comparison;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::recipe::{Recipe, fault, merge};
use crate::run::rows::Summary;

use crate::run::dir::{RunDir, fresh_path};
pub use comparison::{SweepRow, ranked};

/// The built-in sweeps by name.
const BUILT_IN: &[(&str, &str)] = &[(
    "torch-cifar100",
    include_str!("../recipes/sweeps/torch-cifar100.toml"),
)];
/// More runs than this are refused: they would take years.
const MOST_RUNS: usize = 10_000;

/// A sweep: its runs, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Its name: the first part of its folder's.
    pub name: String,
    /// The runs. Each recipe has the run's name.
    pub runs: Vec<Recipe>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    recipe: String,
    #[serde(default)]
    base: Table,
    #[serde(default)]
    run: Vec<Table>,
    #[serde(default)]
    grid: Table,
}

impl Sweep {
    /// The names of the built-in sweeps.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The built-in sweep `name`, if there is one.
    ///
    /// ```
    /// for name in train::Sweep::names() {
    ///     let sweep = train::Sweep::named(name)?.expect("a built-in sweep");
    ///     println!("{name}: {} runs", sweep.runs.len());
    /// }
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// None, unless this program was built with a bad sweep.
    pub fn named(name: &str) -> Result<Option<Self>> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let parsed = found.map(|(name, text)| Self::parse(text, Path::new(name)));
        parsed.transpose()
    }

    /// A sweep from TOML; `path` is where it came from: its name without an ending is the sweep's.
    ///
    /// ```
    /// let text = r#"
    /// recipe = "shapes10"
    /// base = { epochs = 5 }
    /// [grid]
    /// batch_size = [16, 32, 64]
    /// "#;
    /// let sweep = train::Sweep::parse(text, "batches.toml".as_ref())?;
    /// let sizes: Vec<_> = sweep.runs.iter().map(|recipe| (recipe.epochs, recipe.batch_size)).collect();
    /// assert_eq!((sweep.name.as_str(), sizes), ("batches", vec![(5, 16), (5, 32), (5, 64)]));
    /// # Ok::<(), train::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Format`] if the text is not a sweep; as [`Recipe::parse`] for the settings of a run, whose name is told.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let wrong = |message: String| Error::Format {
            path: path.to_owned(),
            message,
        };
        let file: File = toml::from_str(text).map_err(|error| wrong(fault(&error, text)))?;
        let base = Recipe::named(&file.recipe)?.with_table(file.base, path)?;
        let settings = match (file.run.is_empty(), file.grid.is_empty()) {
            (false, true) => listed(file.run).map_err(wrong)?,
            (true, false) => combined(&file.grid).map_err(wrong)?,
            _ => {
                return Err(wrong(
                    "expected either [[run]] tables or a [grid]".to_owned(),
                ));
            }
        };
        let (mut runs, mut names) = (Vec::new(), HashSet::new());
        for (name, mut table) in settings {
            if !names.insert(name.clone()) {
                return Err(wrong(format!("two runs are named '{name}'")));
            }
            table.insert("name".to_owned(), Value::from(name.as_str()));
            let of_run = PathBuf::from(format!("{}: run '{name}'", files::shown(path)));
            runs.push(base.with_table(table, &of_run)?);
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Self {
            name: name.into_owned(),
            runs,
        })
    }

    /// A new folder name for the sweep: `sweeps/NAME-YYYYMMDD-HHMMSS` in UTC.
    #[must_use]
    pub fn fresh_path(&self) -> PathBuf {
        fresh_path(Path::new("sweeps"), &self.name)
    }

    /// The summary of the run `name` in the sweep's folder, if it is complete.
    ///
    /// # Errors
    /// If its summary is damaged.
    pub fn finished(folder: &Path, name: &str) -> Result<Option<Summary>> {
        match RunDir::open(&folder.join(name)) {
            Ok(run) => run.summary(),
            Err(Error::NoRun { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Names and settings of `[[run]]` tables.
fn listed(runs: Vec<Table>) -> Result<Vec<(String, Table)>, String> {
    if runs.len() > MOST_RUNS {
        let n = runs.len();
        return Err(format!("run: expected {MOST_RUNS} runs at most, found {n}"));
    }
    let named = runs.into_iter().zip(1..).map(|(mut run, number)| {
        let name = match run.remove("name") {
            Some(Value::String(name)) if is_file_name(&name) => name,
            Some(other) => {
                let expected = "expected a name that a folder can have";
                return Err(format!("run {number}: {expected}, found {other}"));
            }
            None => return Err(format!("run {number}: expected a name")),
        };
        Ok((name, run))
    });
    named.collect()
}

/// Whether a folder inside the sweep's can have the name.
fn is_file_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.+= ".contains(c);
    !name.is_empty() && name.chars().all(is_plain) && !name.starts_with('.')
}

/// Names and settings of every combination of a grid's values; the last setting changes fastest.
fn combined(grid: &Table) -> Result<Vec<(String, Table)>, String> {
    let mut all = vec![(String::new(), Table::new())];
    for (key, values) in flattened(grid, "") {
        let Value::Array(values) = values else {
            return Err(format!(
                "grid: {key}: expected a list of values, found {values}"
            ));
        };
        if values.is_empty() || all.len().saturating_mul(values.len()) > MOST_RUNS {
            let n = values.len();
            return Err(format!(
                "grid: {key}: expected 1 value at least and {MOST_RUNS} runs at most, found {n} values"
            ));
        }
        let last = key.rsplit('.').next().unwrap_or_default();
        let mut next = Vec::new();
        for (name, settings) in &all {
            for value in values {
                let mut settings = settings.clone();
                merge(&mut settings, nested(&key, value));
                let part = format!("{last}={}", plain(value));
                let name = [name.as_str(), &part].join(if name.is_empty() { "" } else { "," });
                next.push((name, settings));
            }
        }
        all = next;
    }
    Ok(all)
}

/// The settings of a grid, which may be written with dots or as tables.
fn flattened<'a>(grid: &'a Table, prefix: &str) -> Vec<(String, &'a Value)> {
    let parts = grid.iter().map(|(key, value)| {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(table) => flattened(table, &format!("{key}.")),
            value => vec![(key, value)],
        }
    });
    parts.flatten().collect()
}

/// `a.b` and a value as a table in a table.
fn nested(key: &str, value: &Value) -> Table {
    let mut parts = key.rsplit('.');
    let mut table = Table::new();
    table.insert(parts.next().unwrap_or_default().to_owned(), value.clone());
    for part in parts {
        let inner = std::mem::take(&mut table);
        table.insert(part.to_owned(), Value::Table(inner));
    }
    table
}

/// A value as a part of a folder's name.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mark = |c: char| {
        if c.is_alphanumeric() || "-_.+".contains(c) {
            c
        } else {
            '_'
        }
    };
    text.chars().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Sweep> {
        Sweep::parse(text, Path::new("dir/rates.toml"))
    }

    #[test]
    fn a_list_gives_its_runs_in_order() {
        let sweep = parse(
            "recipe = 'shapes10'\nbase = { epochs = 2 }\n[[run]]\nname = 'b'\nseed = 7\n[[run]]\nname = 'a'\n\
             optimizer = { kind = 'sgd', momentum = 0.9 }\n",
        )
        .unwrap();
        assert_eq!(sweep.name, "rates");
        let [b, a] = sweep.runs.as_slice() else {
            panic!("two runs: {sweep:?}");
        };
        assert_eq!((b.name.as_str(), b.epochs, b.seed), ("b", 2, 7));
        assert_eq!((a.name.as_str(), a.epochs, a.seed), ("a", 2, 42));
        assert_eq!((a.optimizer.momentum, b.optimizer.momentum), (0.9, 0.0));
    }

    #[test]
    fn a_grid_gives_every_combination() {
        let sweep = parse(
            "recipe = 'shapes10'\n[grid]\n'optimizer.learning_rate' = [1e-3, 3e-4]\nbatch_size = [16, 32, 64]\n",
        )
        .unwrap();
        let names: Vec<_> = sweep.runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names.len(), 6, "{names:?}");
        let last = sweep
            .runs
            .iter()
            .find(|run| run.optimizer.learning_rate == 3e-4 && run.batch_size == 64);
        let name = &last.unwrap().name;
        assert!(
            name.contains("learning_rate=0.0003") && name.contains("batch_size=64"),
            "{name}"
        );
        let dotted =
            parse("recipe = 'shapes10'\n[grid]\noptimizer.momentum = [0.0, 0.9]\n").unwrap();
        assert_eq!(dotted.runs[1].optimizer.momentum, 0.9);
    }

    #[test]
    fn what_is_no_sweep_is_an_error_that_says_why() {
        for (text, part) in [
            ("recipe = 'shapes10'", "either [[run]] tables or a [grid]"),
            ("recipe = 'nope'\n[grid]\nseed = [1]", "nope"),
            ("recipe = 'shapes10'\n[[run]]\nseed = 1", "expected a name"),
            (
                "recipe = 'shapes10'\n[[run]]\nname = '../a'",
                "a folder can have",
            ),
            (
                "recipe = 'shapes10'\n[[run]]\nname = 'a'\n[[run]]\nname = 'a'",
                "two runs",
            ),
            (
                "recipe = 'shapes10'\n[[run]]\nname = 'a'\nsed = 1",
                "run 'a'",
            ),
            ("recipe = 'shapes10'\n[grid]\nseed = 1", "a list of values"),
            ("recipe = 'shapes10'\n[grid]\nseed = []", "1 value at least"),
            ("recipe = 'shapes10'\nruns = 3", "runs"),
            (
                &format!("recipe = 'shapes10'\n{}", "[[run]]\n".repeat(10_001)),
                "10000 runs at most, found 10001",
            ),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn the_built_in_sweeps_are_valid() {
        for name in Sweep::names() {
            assert!(
                !Sweep::named(name).unwrap().unwrap().runs.is_empty(),
                "{name}"
            );
        }
        assert_eq!(Sweep::named("nope").unwrap(), None);
    }
}
