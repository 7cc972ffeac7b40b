//! The contents of a run's folder: the files that `train` writes, read for looking at. A run may still be going on, so that
//! every file but `config.toml` may be absent, and the last line of a growing one incomplete.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use train::{Evaluation, HistogramRow, Recipe, Row, RunDir, StepRow, Summary};

use crate::error::{Error, Result};

/// A longer line was not written by this program.
const MOST_LINE_BYTES: u64 = 64 << 10;
/// Confusion of 1,000 classes and every epoch's figures are far below this.
const MOST_JSON_BYTES: u64 = 64 << 20;
/// A run without a summary whose files have not changed for this long is taken for stopped.
const QUIET: Duration = Duration::from_secs(300);

/// Epochs after the least validation loss before a run is said to overfit.
const LATER_EPOCHS: u64 = 2;
/// The share by which the validation loss must have risen for that.
const WORSE: f64 = 0.01;

/// Everything that a run's folder tells.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder.
    pub path: PathBuf,
    /// The folder's name.
    pub name: String,
    /// `config.toml`.
    pub recipe: Recipe,
    /// `environment.json`.
    pub environment: Option<Value>,
    /// `metrics.jsonl`: a row for each epoch.
    pub rows: Vec<Row>,
    /// `steps.jsonl`: a row every few steps.
    pub steps: Vec<StepRow>,
    /// `histograms.jsonl`: of each parameter in each epoch.
    pub histograms: Vec<HistogramRow>,
    /// `summary.json`, when the run is complete.
    pub summary: Option<Summary>,
    /// `evaluation.json`, when the run is complete.
    pub evaluation: Option<Evaluation>,
    /// `profile.json`, if kernels were timed.
    pub profile: Option<Profile>,
    /// `lr_find.csv`: learning rates and losses, if a learning rate was looked for.
    pub rates: Vec<(f64, f64)>,
    /// When the folder's growing files were last written.
    pub changed: Option<SystemTime>,
}

/// `profile.json`: the kernels of a training step against the device's measured limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the names say it, and they are the file's keys"
)]
pub struct Profile {
    pub device: String,
    #[serde(default)]
    pub roofline_gflops: Option<f64>,
    #[serde(default)]
    pub roofline_gb_s: Option<f64>,
    pub kernels: Vec<KernelShare>,
}

/// A kernel's part of a training step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the names say it, and they are the file's keys"
)]
pub struct KernelShare {
    pub name: String,
    pub calls: f64,
    pub ms: f64,
    #[serde(default)]
    pub gflops: Option<f64>,
    #[serde(default)]
    pub gb_s: Option<f64>,
    /// The share of the roofline that is reached, from 0 to 1.
    #[serde(default)]
    pub share: Option<f64>,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RunState {
    /// Nothing says that it is over.
    Running,
    /// All epochs are done.
    Finished,
    /// Not complete, and silent for some minutes.
    Stopped,
}

impl Run {
    /// Reads the folder of a run.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("run");
    /// train::RunDir::create(&path, &train::Recipe::named("shapes10")?)?;
    /// let run = report::Run::read(&path)?;
    /// assert_eq!((run.name.as_str(), run.rows.len(), run.state()), ("run", 0, report::RunState::Running));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If it is not a run, or a file is damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let recipe = RunDir::open(path)?.recipe()?;
        let file = |name: &str| path.join(name);
        let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = full.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            name: name.into_owned(),
            recipe,
            environment: json(&file("environment.json"))?,
            rows: lines(&file("metrics.jsonl"))?,
            steps: lines(&file("steps.jsonl"))?,
            histograms: lines(&file("histograms.jsonl"))?,
            summary: json(&file("summary.json"))?,
            evaluation: json(&file("evaluation.json"))?,
            profile: json(&file("profile.json"))?,
            rates: text(&file("lr_find.csv"))?.map_or_else(Vec::new, |text| rates(&text)),
            changed: changed(path),
            path: path.to_owned(),
        })
    }

    /// How the run stands.
    #[must_use]
    pub fn state(&self) -> RunState {
        let epochs = self.rows.last().map_or(0, |row| row.epoch);
        let silence = self.changed.and_then(|at| at.elapsed().ok());
        match &self.summary {
            // One of fewer epochs is from before the run went on. Early stopping leaves epochs of the recipe undone.
            Some(summary) if summary.epochs >= epochs => RunState::Finished,
            _ if silence.is_some_and(|silence| silence < QUIET) => RunState::Running,
            _ => RunState::Stopped,
        }
    }

    /// Seconds until all epochs are done, at the speed so far; `None` if nothing tells.
    #[must_use]
    pub fn left_s(&self) -> Option<f64> {
        let last = self.steps.last()?;
        #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
        let [done, all] = [last.step, last.of as u64 * self.recipe.epochs].map(|n| n as f64);
        (done > 0.0).then(|| last.time_s * (all - done).max(0.0) / done)
    }

    /// Training images a second over all epochs, as the summary counts them; none before the first epoch is done.
    #[must_use]
    pub fn images_per_s(&self) -> Option<f64> {
        let seconds: f64 = self.rows.iter().map(|row| row.seconds).sum();
        let images = self.rows.iter().map(|row| row.images_per_s * row.seconds);
        (seconds > 0.0).then(|| images.sum::<f64>() / seconds)
    }

    /// Milliseconds of a training step over all epochs; none before the first epoch is done.
    #[must_use]
    pub fn ms_per_step(&self) -> Option<f64> {
        let seconds: f64 = self.rows.iter().map(|row| row.seconds).sum();
        #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
        let steps = self.rows.last()?.step as f64;
        (steps > 0.0).then(|| 1e3 * seconds / steps)
    }

    /// The epoch since which the run overfits: that of the least validation loss, if at least two epochs came after it, whose
    /// training loss is less and whose validation loss is more than a hundredth above.
    #[must_use]
    pub fn overfits_since(&self) -> Option<u64> {
        overfits_since(&self.rows)
    }

    /// Whether top-5 accuracy says anything: of five classes, each is among the first five.
    pub(crate) fn has_top5(&self) -> bool {
        let classes = self.evaluation.as_ref().map(|own| own.classes.len());
        let is_partial = |row: &Row| row.val_top5.is_some_and(|share| share < 1.0);
        classes.map_or_else(|| self.rows.iter().any(is_partial), |n| n > 5)
    }

    /// The row of the best epoch, by the metric of the recipe, as training chooses its best checkpoint.
    #[must_use]
    pub fn best(&self) -> Option<&Row> {
        self.recipe.best_row(&self.rows)
    }
}

/// See [`Run::overfits_since`].
fn overfits_since(rows: &[Row]) -> Option<u64> {
    let losses = rows
        .iter()
        .filter_map(|row| Some((row, row.val_loss.filter(|loss| loss.is_finite())?)));
    let (best, least) = losses.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let last = rows.last()?;
    let is_later = last.epoch >= best.epoch + LATER_EPOCHS;
    let is_worse = last.val_loss? > least * (1.0 + WORSE);
    (is_later && is_worse && last.train_loss < best.train_loss).then_some(best.epoch)
}

/// When one of the files that grow while a run goes on was last written.
pub(crate) fn changed(folder: &Path) -> Option<SystemTime> {
    let files = [
        "steps.jsonl",
        "metrics.jsonl",
        "summary.json",
        "config.toml",
    ];
    let times = files
        .iter()
        .filter_map(|name| fs::metadata(folder.join(name)).ok()?.modified().ok());
    times.max()
}

/// The text of a file, or `None` if there is none.
fn text(path: &Path) -> Result<Option<String>> {
    match files::read_text(path, MOST_JSON_BYTES) {
        Err(error) if error.is_not_found() => Ok(None),
        text => Ok(Some(text?)),
    }
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let parsed = text(path)?.map(|text| serde_json::from_str(&text));
    parsed.transpose().map_err(|error| Error::Format {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

/// The lines of a growing file; one without its end is still being written. A long run's log is long: it is read line by
/// line.
fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let mut lines = match files::lines(path, MOST_LINE_BYTES) {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        lines => lines?,
    };
    let mut rows = Vec::new();
    while let Some(line) = lines.next().transpose()? {
        if !lines.is_whole() {
            break;
        }
        rows.push(
            serde_json::from_slice(&line).map_err(|error| Error::Format {
                path: path.to_owned(),
                message: format!("line {}: {error}", rows.len() + 1),
            })?,
        );
    }
    Ok(rows)
}

/// Pairs of learning rate and loss below a header that names both.
fn rates(text: &str) -> Vec<(f64, f64)> {
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap_or_default().split(',').collect();
    let column = |name: &str| header.iter().position(|title| title.trim() == name);
    let (Some(lr), Some(loss)) = (column("lr"), column("loss")) else {
        return Vec::new();
    };
    let pairs = lines.filter_map(|line| {
        let cells: Vec<_> = line.split(',').collect();
        let number = |idx: usize| cells.get(idx)?.trim().parse().ok();
        Some((number(lr)?, number(loss)?))
    });
    pairs
        .filter(|(lr, loss): &(f64, f64)| *lr > 0.0 && loss.is_finite())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_overfits_since_its_least_validation_loss() {
        let rows = |losses: &[(f64, f64)]| -> Vec<Row> {
            let row = |(&(train_loss, val_loss), epoch)| Row {
                epoch,
                train_loss,
                val_loss: Some(val_loss),
                ..Row::default()
            };
            losses.iter().zip(1..).map(row).collect()
        };
        for (losses, since) in [
            (&[][..], None),
            (&[(2.0, 2.0), (1.0, 1.0), (0.5, 0.9)], None),
            (&[(2.0, 2.0), (1.0, 1.0), (0.5, 1.2), (0.2, 1.4)], Some(2)),
            // Only one epoch after the best, a loss that has hardly risen, training that is no better.
            (&[(2.0, 2.0), (1.0, 1.0), (0.5, 1.2)], None),
            (&[(2.0, 2.0), (1.0, 1.0), (0.5, 1.001), (0.4, 1.002)], None),
            (&[(2.0, 2.0), (1.0, 1.0), (1.1, 1.2), (1.2, 1.4)], None),
            (
                &[(2.0, f64::NAN), (1.0, 1.0), (0.5, 1.2), (0.4, 1.3)],
                Some(2),
            ),
        ] {
            assert_eq!(overfits_since(&rows(losses)), since, "{losses:?}");
        }
    }
}
