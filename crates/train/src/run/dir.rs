//! Run folders: what is in them, and how it gets there so that a kill at any moment leaves a run that can be resumed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::Architecture;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::run::lock::FolderLock;
use crate::run::rows::{COLUMNS, Row, Summary, csv_line};

/// The file that makes a folder a run.
const CONFIG: &str = "config.toml";
/// The files that a run's end writes.
pub(crate) const SUMMARY: &str = "summary.json";
pub(crate) const EVALUATION: &str = "evaluation.json";
/// How the names of checkpoints begin that stay of every so many epochs.
pub(crate) const EPOCH: &str = "epoch-";

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    /// The right to write, for those who do.
    lock: Option<Arc<FolderLock>>,
}

impl RunDir {
    /// Makes the folder of a new run, locks it and puts its `config.toml` there.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let recipe = train::Recipe::named("shapes10")?;
    /// let run = train::RunDir::create(&folder.path().join("run"), &recipe)?;
    /// assert!(run.is_locked() && run.path().join("config.toml").is_file());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RunExists`]; [`Error::InUse`] if another process trains there; [`Error::Io`] if it can't be written.
    pub fn create(path: &Path, recipe: &Recipe) -> Result<Self> {
        let text = recipe.to_toml()?;
        let existed = path.join(CONFIG).exists();
        if !existed {
            files::create_folder(path)?;
        }
        let lock = FolderLock::take(path)?;
        // Asked again: it may have come while this process waited for the folder.
        if existed || path.join(CONFIG).exists() {
            return Err(Error::RunExists {
                path: path.to_owned(),
            });
        }
        let run = Self {
            path: path.to_owned(),
            lock: Some(Arc::new(lock)),
        };
        files::replace(&run.path.join(CONFIG), text.as_bytes())?;
        Ok(run)
    }

    /// A new folder name for a recipe: `runs/NAME-YYYYMMDD-HHMMSS` in UTC, with a number behind it if that is taken.
    #[must_use]
    pub fn fresh_path(recipe: &str) -> PathBuf {
        fresh_path(Path::new("runs"), recipe)
    }

    /// The folder of a run that exists.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("run");
    /// let recipe = train::Recipe::named("shapes10")?;
    /// train::RunDir::create(&path, &recipe)?;
    /// let run = train::RunDir::open(&path)?;
    /// assert_eq!((run.recipe()?, run.summary()?), (recipe, None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
            lock: None,
        })
    }

    /// The run, locked for writing by this process for as long as it is open.
    ///
    /// # Errors
    /// [`Error::InUse`] if another has it; [`Error::Io`].
    pub fn locked(mut self) -> Result<Self> {
        if self.lock.is_none() {
            self.lock = Some(Arc::new(FolderLock::take(&self.path)?));
        }
        Ok(self)
    }

    /// Whether nobody else can write to it meanwhile: not on a file system without locks, nor before [`RunDir::locked`].
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.is_held())
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
        let text = files::read_text(&path, files::MOST_TEXT_BYTES)?;
        Recipe::of_run(&text, &path)
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
        Ok(files::replace(&self.path.join(name), bytes)?)
    }

    /// The run's summary, if it is complete.
    ///
    /// # Errors
    /// If `summary.json` can't be read or is damaged.
    pub fn summary(&self) -> Result<Option<Summary>> {
        let path = self.path.join(SUMMARY);
        let text = match files::read_text(&path, files::MOST_TEXT_BYTES) {
            Err(error) if error.is_not_found() => return Ok(None),
            text => text?,
        };
        let wrong = |error: serde_json::Error| Error::Format {
            path: path.clone(),
            message: error.to_string(),
        };
        Ok(Some(serde_json::from_str(&text).map_err(wrong)?))
    }

    /// Removes what an end of the run has left, as it goes on.
    pub(crate) fn remove_results(&self) -> Result<()> {
        for name in [SUMMARY, EVALUATION] {
            let path = self.path.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io(&path, "remove")(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the checkpoints of epochs whose names are not to be kept, and what a kill has left of any.
    pub(crate) fn keep_epochs(&self, is_kept: impl Fn(&str) -> bool) -> Result<()> {
        let folder = self.path.join("checkpoints");
        for entry in fs::read_dir(&folder).map_err(Error::io(&folder, "read"))? {
            let path = entry.map_err(Error::io(&folder, "read"))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_of_epoch = name.trim_start_matches('.').starts_with(EPOCH);
            if is_of_epoch && !is_kept(&name) {
                files::remove_folder(&path).map_err(Error::io(&path, "remove"))?;
            }
        }
        Ok(())
    }

    /// Where a checkpoint is.
    #[must_use]
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.path.join("checkpoints").join(name)
    }

    /// The network of a run that was begun with one of its own ([`crate::Trainer::with_network`]), from its last checkpoint;
    /// none if the run's recipe names it, or if there is no checkpoint yet.
    ///
    /// # Errors
    /// If the recipe or the weights can't be read.
    pub fn own_network(&self) -> Result<Option<Architecture>> {
        let name = self.recipe()?.network;
        let path = crate::run::checkpoint::model_path(&self.checkpoint("last"));
        if model::networks().any(|(known, _)| known == name) || !path.is_file() {
            return Ok(None);
        }
        Ok(Some(Architecture::in_file(&path)?))
    }
}

/// `FOLDER/NAME-YYYYMMDD-HHMMSS` in UTC, with a number behind it if that is taken.
pub(crate) fn fresh_path(folder: &Path, name: &str) -> PathBuf {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let base = format!(
        "{name}-{}",
        timestamp(since_epoch.unwrap_or(Duration::ZERO))
    );
    let mut path = folder.join(&base);
    let mut number = 2;
    while path.exists() {
        path = folder.join(format!("{base}-{number}"));
        number += 1;
    }
    path
}

fn unserialisable(error: serde_json::Error) -> Error {
    Error::setting("metrics", "numbers that JSON holds", error)
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(unserialisable)
}

/// `YYYYMMDD-HHMMSS` in UTC, by Hinnant's `civil_from_days`.
pub(crate) fn timestamp(since_epoch: Duration) -> String {
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
}
