//! Run folders: what is in them, and how it gets there so that a kill at any moment leaves a run that can go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use model::replace_file;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::recipe::Recipe;

/// The file that makes a folder a run.
const CONFIG: &str = "config.toml";

/// A row of the metrics: what an epoch came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Steps over the whole run.
    pub step: u64,
    /// The learning rate of the epoch's last step.
    pub lr: f64,
    /// Mean loss over the epoch's training batches, dropout on.
    pub train_loss: f64,
    /// Accuracy over the same.
    pub train_accuracy: f64,
    /// Mean validation loss, if there is a validation split.
    pub val_loss: Option<f64>,
    /// Validation accuracy.
    pub val_accuracy: Option<f64>,
    /// Validation top-5 accuracy.
    pub val_top5: Option<f64>,
    /// Training images a second.
    pub images_per_s: f64,
    /// The share of the training time that was spent waiting for batches.
    pub data_wait_fraction: f64,
    /// Seconds that the epoch's training took.
    pub seconds: f64,
}

/// The keys of [`Row`], as the header of `metrics.csv` has them.
const COLUMNS: &str = "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,val_top5,images_per_s,data_wait_fraction,seconds";

/// What a whole run came to: `summary.json`. Accuracies are fractions; `None` where a split is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the names say it, and they are the file's keys"
)]
pub struct Summary {
    pub recipe: String,
    pub network: String,
    pub dataset: String,
    pub device: String,
    pub parameters: u64,
    pub epochs: u64,
    pub steps: u64,
    /// Training images a second over all epochs, validation not counted.
    pub images_per_s: f64,
    /// Seconds in all, validation and test included, over all parts of a resumed run.
    pub wall_s: f64,
    pub train_loss: f64,
    pub train_accuracy: f64,
    pub val_loss: Option<f64>,
    pub val_accuracy: Option<f64>,
    pub best_epoch: Option<u64>,
    pub best_val_accuracy: Option<f64>,
    /// The test figures are those of the best checkpoint, or of the last where there is no validation split.
    pub test_loss: Option<f64>,
    pub test_accuracy: Option<f64>,
    pub test_top5: Option<f64>,
    pub test_macro_f1: Option<f64>,
    pub peak_host_bytes: Option<u64>,
    pub peak_device_bytes: u64,
}

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes the folder of a new run and puts its `config.toml` there.
    ///
    /// # Errors
    /// [`Error::RunExists`]; [`Error::Io`] if it can't be written.
    pub fn create(path: &Path, recipe: &Recipe) -> Result<Self> {
        if path.join(CONFIG).exists() {
            return Err(Error::RunExists {
                path: path.to_owned(),
            });
        }
        let text = recipe.to_toml()?;
        fs::create_dir_all(path).map_err(Error::io(path, "create the folder"))?;
        let run = Self {
            path: path.to_owned(),
        };
        replace_file(&run.path.join(CONFIG), text.as_bytes())?;
        Ok(run)
    }

    /// A new folder name for a recipe: `runs/NAME-YYYYMMDD-HHMMSS` in UTC, with a number behind it if that is taken.
    #[must_use]
    pub fn fresh_path(recipe: &str) -> PathBuf {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let base = format!(
            "{recipe}-{}",
            timestamp(since_epoch.unwrap_or(Duration::ZERO))
        );
        let mut path = Path::new("runs").join(&base);
        let mut number = 2;
        while path.exists() {
            path = Path::new("runs").join(format!("{base}-{number}"));
            number += 1;
        }
        path
    }

    /// The folder of a run that exists.
    ///
    /// # Errors
    /// [`Error::NoRun`] if it does not.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.join(CONFIG).is_file() {
            return Err(Error::NoRun {
                path: path.to_owned(),
                expected: CONFIG,
            });
        }
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The recipe that is run here.
    ///
    /// # Errors
    /// If `config.toml` can't be read or is damaged.
    pub fn recipe(&self) -> Result<Recipe> {
        let path = self.path.join(CONFIG);
        let text = fs::read_to_string(&path).map_err(Error::io(&path, "read"))?;
        Recipe::parse(&text, &path)
    }

    pub(crate) fn write_recipe(&self, recipe: &Recipe) -> Result<()> {
        self.write(CONFIG, recipe.to_toml()?.as_bytes())
    }

    /// Writes `metrics.csv` and `metrics.jsonl` anew: each is whole at any moment, and has no row that a resumed run
    /// has not.
    pub(crate) fn write_metrics(&self, rows: &[Row]) -> Result<()> {
        let mut csv = format!("{COLUMNS}\n");
        let mut lines = String::new();
        for row in rows {
            csv.push_str(&csv_line(row));
            lines.push_str(&json(row)?);
            lines.push('\n');
        }
        self.write("metrics.csv", csv.as_bytes())?;
        self.write("metrics.jsonl", lines.as_bytes())
    }

    /// Writes a value as indented JSON.
    pub(crate) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value).map_err(unserialisable)?;
        text.push('\n');
        self.write(name, text.as_bytes())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        Ok(replace_file(&self.path.join(name), bytes)?)
    }

    /// Where a checkpoint is.
    #[must_use]
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.path.join("checkpoints").join(name)
    }
}

fn unserialisable(error: serde_json::Error) -> Error {
    Error::setting("metrics", "numbers that JSON holds", error)
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(unserialisable)
}

fn csv_line(row: &Row) -> String {
    let optional = |value: Option<f64>| value.map_or_else(String::new, |v| v.to_string());
    let cells = [
        row.epoch.to_string(),
        row.step.to_string(),
        row.lr.to_string(),
        row.train_loss.to_string(),
        row.train_accuracy.to_string(),
        optional(row.val_loss),
        optional(row.val_accuracy),
        optional(row.val_top5),
        row.images_per_s.to_string(),
        row.data_wait_fraction.to_string(),
        row.seconds.to_string(),
    ];
    format!("{}\n", cells.join(","))
}

/// Six decimals: what a reader needs, and few enough digits that JSON gives back the same number.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// `YYYYMMDD-HHMMSS` in UTC, by Hinnant's `civil_from_days`.
fn timestamp(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days are counted from 1 March of the year 0, so that leap days end years; an era is 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = 400 * era + year_of_era + carry;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_calendars_have_them() {
        for (seconds, expected) in [
            (0, "19700101-000000"),
            (951_782_399, "20000228-235959"),
            (951_782_400, "20000229-000000"),
            (1_795_291_679, "20261121-200759"),
        ] {
            assert_eq!(timestamp(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_row_has_as_many_cells_as_there_are_columns() {
        let row = Row {
            epoch: 1,
            step: 62,
            lr: 1e-3,
            train_loss: 1.5,
            train_accuracy: 0.5,
            val_loss: None,
            val_accuracy: None,
            val_top5: None,
            images_per_s: 100.0,
            data_wait_fraction: 0.0,
            seconds: 1.0,
        };
        assert_eq!(csv_line(&row), "1,62,0.001,1.5,0.5,,,,100,0,1\n");
        assert_eq!(
            csv_line(&row).split(',').count(),
            COLUMNS.split(',').count()
        );
        let keys: Vec<_> = json(&row).unwrap().split(',').map(str::to_owned).collect();
        for (column, pair) in COLUMNS.split(',').zip(keys) {
            assert!(
                pair.contains(&format!("\"{column}\":")),
                "{column} in {pair}"
            );
        }
    }
}
