//! When to stop before the last epoch.
//!
//! It follows from the rows of the epochs that are done. These are in every checkpoint, so that a resumed run decides as
//! one that never stopped.

use serde::{Deserialize, Serialize};

use super::Metric;
use crate::error::{Error, Result};
use crate::run::rows::Row;

/// When a run stops before its last epoch. The test then takes the best weights, as it always does: by the same metric,
/// unless [`CheckpointsRecipe::best`](crate::CheckpointsRecipe::best) names another.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(val_losses: &[f64]) -> Vec<Row> {
        let row = |(&loss, epoch): (&f64, u64)| Row {
            epoch,
            train_loss: 1.0,
            val_loss: Some(loss),
            val_accuracy: Some(1.0 - loss),
            ..Row::default()
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
}
