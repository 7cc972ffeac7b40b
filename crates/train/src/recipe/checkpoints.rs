//! Which of a run's epochs is the best, and which checkpoints stay.
//!
//! Both follow from the rows of the epochs that are done. These are in every checkpoint, so that a resumed run decides as
//! one that never stopped.

use serde::{Deserialize, Serialize};

use super::{Metric, Recipe};
use crate::error::{Error, Result};
use crate::run::rows::Row;

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

impl Recipe {
    /// The metric that says which epoch of a run is the best: see [`CheckpointsRecipe::best`].
    #[must_use]
    pub fn best_metric(&self) -> Metric {
        let stopping = self.early_stopping.map(|stopping| stopping.metric);
        let watched = self.checkpoints.best.or(stopping);
        watched.unwrap_or(Metric::ValAccuracy)
    }

    /// The best of a run's epochs; none without a validation split.
    #[must_use]
    pub fn best_row<'a>(&self, rows: &'a [Row]) -> Option<&'a Row> {
        let metric = self.best_metric();
        let is_scored = |row: &&Row| {
            let is_finite = |value: Option<f64>| value.is_some_and(f64::is_finite);
            // Older programs wrote an accuracy of 1 beside a loss of NaN.
            is_finite(row.val_loss) && is_finite(row.val_accuracy) && is_finite(metric.of(row))
        };
        let better = |best: &'a Row, row: &'a Row| {
            if metric.is_better(row, best) {
                row
            } else {
                best
            }
        };
        rows.iter().filter(is_scored).reduce(better)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
