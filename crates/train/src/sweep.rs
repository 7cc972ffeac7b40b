//! Sweeps: many runs of one recipe, each with settings of its own, and one table of what they came to.
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

use std::cmp::Ordering;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::recipe::{Recipe, fault, merge};
use crate::record::Summary;
use crate::run_dir::{RunDir, fresh_path};

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

/// What became of a run of a sweep.
#[derive(Clone, Debug)]
pub struct SweepRow {
    /// The run.
    pub name: String,
    /// What it came to, or why it failed.
    pub result: Result<Summary, String>,
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
    /// # Errors
    /// None, unless this program was built with a bad sweep.
    pub fn named(name: &str) -> Result<Option<Self>> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let parsed = found.map(|(name, text)| Self::parse(text, Path::new(name)));
        parsed.transpose()
    }

    /// A sweep from TOML; `path` is where it came from: its name without an ending is the sweep's.
    ///
    /// # Errors
    /// [`Error::Format`] if the text is no sweep; as [`Recipe::parse`] for the settings of a run, whose name is told.
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
            let of_run = PathBuf::from(format!("{}: run '{name}'", path.display()));
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

    /// What the run `name` in the sweep's folder came to, if it is complete.
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

    /// Writes `comparison.csv` into the sweep's folder: a line for each run, the best first.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write_comparison(folder: &Path, rows: &[SweepRow]) -> Result<()> {
        let mut csv = "run,best_val_accuracy,best_epoch,test_accuracy,test_loss,test_top5,test_macro_f1,train_loss,\
                       epochs,images_per_s,wall_s,error\n"
            .to_owned();
        for row in ranked(rows) {
            csv.push_str(&csv_line(row));
        }
        Ok(files::replace(
            &folder.join("comparison.csv"),
            csv.as_bytes(),
        )?)
    }
}

impl SweepRow {
    /// Why the run has no result: its error, or the loss that is not finite. `None` if it has one.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let it = match &self.result {
            Ok(summary) => summary,
            Err(error) => return Some(error.clone()),
        };
        // Older programs called a run complete that computed NaN, and gave it an accuracy of 1.
        let losses = [
            ("train loss", Some(it.train_loss)),
            ("validation loss", it.val_loss),
            ("test loss", it.test_loss),
        ];
        let bad = losses
            .into_iter()
            .find(|(_, loss)| loss.is_some_and(|loss| !loss.is_finite()));
        // A loss that is not finite is null in the file, as one of a split that is not there.
        let is_null = it.test_loss.is_none() && it.test_accuracy.is_some()
            || it.val_loss.is_none() && it.val_accuracy.is_some();
        let text = |(of, loss): (&str, Option<f64>)| match loss {
            Some(loss) => format!("diverged: the {of} is {loss}"),
            None => format!("diverged: the {of} is not finite"),
        };
        bad.map(text)
            .or_else(|| is_null.then(|| "diverged: a loss is not finite".to_owned()))
    }
}

/// The rows, the best first: by validation accuracy, then by test accuracy. Those that diverged or failed come last, as
/// they were run.
#[must_use]
pub fn ranked(rows: &[SweepRow]) -> Vec<&SweepRow> {
    let worth = |row: &SweepRow| match &row.result {
        Ok(it) if row.failure().is_none() => {
            let worth = |accuracy: Option<f64>| accuracy.unwrap_or(-1.0);
            [1.0, worth(it.best_val_accuracy), worth(it.test_accuracy)]
        }
        _ => [0.0; 3],
    };
    let mut sorted: Vec<_> = rows.iter().collect();
    sorted.sort_by(|a, b| {
        let orders = worth(b).into_iter().zip(worth(a));
        let order = orders.map(|(b, a)| b.total_cmp(&a));
        order.fold(Ordering::Equal, Ordering::then)
    });
    sorted
}

fn csv_line(row: &SweepRow) -> String {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let cells = match &row.result {
        Ok(it) => [
            number(it.best_val_accuracy),
            it.best_epoch.map_or_else(String::new, |n| n.to_string()),
            number(it.test_accuracy),
            number(it.test_loss),
            number(it.test_top5),
            number(it.test_macro_f1),
            it.train_loss.to_string(),
            it.epochs.to_string(),
            it.images_per_s.to_string(),
            it.wall_s.to_string(),
            row.failure().as_deref().map_or_else(String::new, quoted),
        ],
        Err(error) => {
            let mut cells = [const { String::new() }; 11];
            cells[10] = quoted(error);
            cells
        }
    };
    format!("{},{}\n", quoted(&row.name), cells.join(","))
}

/// A cell as RFC 4180 has it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
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

    #[test]
    fn the_table_has_the_best_first_and_failures_last() {
        let summary = |val: Option<f64>, test: f64| Summary {
            recipe: "r".to_owned(),
            network: "n".to_owned(),
            dataset: "d".to_owned(),
            device: "cpu".to_owned(),
            parameters: 1,
            epochs: 1,
            steps: 1,
            images_per_s: 1.0,
            wall_s: 1.0,
            train_loss: 1.0,
            train_accuracy: 0.5,
            val_loss: None,
            val_accuracy: None,
            best_epoch: None,
            best_val_accuracy: val,
            test_loss: Some(1.0),
            test_accuracy: Some(test),
            test_top5: None,
            test_macro_f1: None,
            peak_host_bytes: None,
            peak_device_bytes: 0,
            ended: crate::Ended::Epochs,
            weights: "last".to_owned(),
        };
        let row = |name: &str, result: Result<Summary, String>| SweepRow {
            name: name.to_owned(),
            result,
        };
        // As e25ac3f wrote it of a run of NaN weights.
        let nan = Summary {
            test_loss: Some(f64::NAN),
            ..summary(Some(1.0), 1.0)
        };
        let json = serde_json::to_string(&nan).unwrap();
        let null: Summary = serde_json::from_str(&json).unwrap();
        assert_eq!(null.test_loss, None, "JSON has no NaN");
        let rows = [
            row("nan", Ok(nan)),
            row("null", Ok(null)),
            row("failed", Err("no, not \"that\"".to_owned())),
            row("low", Ok(summary(Some(0.5), 0.9))),
            row("high", Ok(summary(Some(0.6), 0.1))),
            row("high,too", Ok(summary(Some(0.6), 0.2))),
        ];
        let names: Vec<_> = ranked(&rows).iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["high,too", "high", "low", "nan", "null", "failed"]);
        let folder = tempfile::tempdir().unwrap();
        Sweep::write_comparison(folder.path(), &rows).unwrap();
        let csv = std::fs::read_to_string(folder.path().join("comparison.csv")).unwrap();
        let lines: Vec<_> = csv.lines().collect();
        assert!(lines[1].starts_with("\"high,too\",0.6,,0.2,"), "{csv}");
        assert!(
            lines[4].ends_with(",diverged: the test loss is NaN"),
            "{csv}"
        );
        assert!(
            lines[5].ends_with(",diverged: a loss is not finite"),
            "{csv}"
        );
        assert!(lines[6].ends_with(",\"no, not \"\"that\"\"\""), "{csv}");
        assert_eq!(lines[0].split(',').count(), lines[2].split(',').count());
    }
}
