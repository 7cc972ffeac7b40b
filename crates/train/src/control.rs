//! What a run decides by as it goes on: the metric that is watched, when to stop early, which checkpoints stay.
//!
//! All of it follows from the rows of the epochs that are done. These are in every checkpoint, so that a resumed run
//! decides as one that never stopped.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::record::Row;

/// A metric that something is decided by, named as the column of `metrics.csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metric {
    /// Mean validation loss.
    #[default]
    ValLoss,
    /// Validation accuracy.
    ValAccuracy,
    /// Mean training loss, dropout and augmentation on.
    TrainLoss,
}

impl Metric {
    /// Its value in an epoch, if it has one.
    #[must_use]
    pub fn of(self, row: &Row) -> Option<f64> {
        match self {
            Self::ValLoss => row.val_loss,
            Self::ValAccuracy => row.val_accuracy,
            Self::TrainLoss => Some(row.train_loss),
        }
    }

    /// Whether `row` is better than `before`. Of equal ones by the validation accuracy the one with the lower validation
    /// loss is better, else the one with the higher accuracy. What is not finite is worse than everything.
    #[must_use]
    pub fn is_better(self, row: &Row, before: &Row) -> bool {
        let tie = match self {
            Self::ValAccuracy => Self::ValLoss,
            Self::ValLoss | Self::TrainLoss => Self::ValAccuracy,
        };
        let worth = |metric: Self, row: &Row| {
            let value = metric.of(row).filter(|value| value.is_finite());
            let sign = if metric.is_larger_better() { 1.0 } else { -1.0 };
            value.map_or(f64::NEG_INFINITY, |value| sign * value)
        };
        let [now, then] = [row, before].map(|row| worth(self, row));
        now > then || now == then && worth(tie, row) > worth(tie, before)
    }

    /// Whether more of it is better.
    #[must_use]
    pub fn is_larger_better(self) -> bool {
        self == Self::ValAccuracy
    }

    /// Whether it needs a validation split.
    #[must_use]
    pub fn is_of_validation(self) -> bool {
        self != Self::TrainLoss
    }
}

/// When a run stops before its last epoch. The test then takes the best weights, as it always does: by the same metric,
/// unless [`CheckpointsRecipe::best`] names another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingRecipe {
    /// Epochs in a row without an improvement after which the run stops (as Keras and Lightning count).
    pub patience: u64,
    /// What must improve.
    #[serde(default)]
    pub metric: Metric,
    /// By how much, at least, to count.
    #[serde(default)]
    pub min_delta: f64,
}

impl EarlyStoppingRecipe {
    /// Whether the run is to stop after these epochs.
    #[must_use]
    pub fn is_due(&self, rows: &[Row]) -> bool {
        let (mut best, mut bad) = (None, 0);
        for row in rows {
            let value = self.metric.of(row).unwrap_or(f64::NAN);
            // The first of all must be finite too.
            let is_better = best.is_none_or(|best: f64| {
                if self.metric.is_larger_better() {
                    value > best + self.min_delta
                } else {
                    value < best - self.min_delta
                }
            });
            if is_better && value.is_finite() {
                (best, bad) = (Some(value), 0);
            } else {
                bad += 1;
            }
        }
        bad >= self.patience
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.patience == 0 {
            return Err(Error::setting("early_stopping.patience", "at least 1", 0));
        }
        if !(0.0..f64::INFINITY).contains(&self.min_delta) {
            let expected = "a number from 0";
            return Err(Error::setting(
                "early_stopping.min_delta",
                expected,
                self.min_delta,
            ));
        }
        Ok(())
    }
}

/// Which checkpoints are kept besides the last and the best: `checkpoints/epoch-0010` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointsRecipe {
    /// The metric that says which epoch is the best; if absent, that of early stopping, else the validation accuracy. Of
    /// equal accuracies the lower validation loss is better, of equal losses the higher accuracy, then the earlier epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<Metric>,
    /// Epochs between two of them; none if 0.
    pub every: u64,
    /// How many of them stay: the newest.
    pub keep: u64,
}

impl Default for CheckpointsRecipe {
    fn default() -> Self {
        Self {
            best: None,
            every: 0,
            keep: 3,
        }
    }
}

impl CheckpointsRecipe {
    /// The epochs whose checkpoints a run has that has done `epoch` epochs.
    pub(crate) fn kept(&self, epoch: u64) -> impl Iterator<Item = u64> + use<> {
        let every = self.every.max(1);
        let newest = if self.every == 0 { 0 } else { epoch / every };
        (newest.saturating_sub(self.keep) + 1..=newest).map(move |number| number * every)
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.keep == 0 {
            return Err(Error::setting("checkpoints.keep", "at least 1", 0));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(val_losses: &[f64]) -> Vec<Row> {
        let row = |(&loss, epoch): (&f64, u64)| Row {
            epoch,
            step: epoch,
            lr: 1e-3,
            train_loss: 1.0,
            train_accuracy: 0.5,
            val_loss: Some(loss),
            val_accuracy: Some(1.0 - loss),
            val_top5: None,
            images_per_s: 1.0,
            data_wait_fraction: 0.0,
            seconds: 1.0,
        };
        val_losses.iter().zip(1..).map(row).collect()
    }

    #[test]
    fn a_run_stops_after_so_many_epochs_without_an_improvement() {
        let stopping = EarlyStoppingRecipe {
            patience: 2,
            metric: Metric::ValLoss,
            min_delta: 0.05,
        };
        for (losses, is_due) in [
            (&[][..], false),
            (&[0.9], false),
            (&[0.9, 0.9], false),
            (&[0.9, 0.9, 0.9], true),
            // Too small a step counts as none.
            (&[0.9, 0.87, 0.86], true),
            (&[0.9, 0.87, 0.84], false),
            (&[0.9, 0.95, 0.8, 0.9], false),
            (&[0.9, f64::NAN, f64::NAN], true),
        ] {
            assert_eq!(stopping.is_due(&rows(losses)), is_due, "{losses:?}");
            let by_accuracy = EarlyStoppingRecipe {
                metric: Metric::ValAccuracy,
                ..stopping
            };
            assert_eq!(by_accuracy.is_due(&rows(losses)), is_due, "{losses:?}");
        }
        let by_training = EarlyStoppingRecipe {
            metric: Metric::TrainLoss,
            ..stopping
        };
        assert!(
            by_training.is_due(&rows(&[0.9, 0.5, 0.1])),
            "it stands still"
        );
    }

    #[test]
    fn the_newest_epochs_are_kept() {
        let kept = |every, keep, epoch| {
            let recipe = CheckpointsRecipe {
                best: None,
                every,
                keep,
            };
            recipe.kept(epoch).collect::<Vec<_>>()
        };
        assert_eq!(kept(0, 3, 10), [0; 0], "none are asked for");
        assert_eq!(kept(2, 3, 1), [0; 0], "the first is not due");
        assert_eq!(kept(2, 3, 5), [2, 4]);
        assert_eq!(kept(2, 3, 10), [6, 8, 10]);
    }
}
