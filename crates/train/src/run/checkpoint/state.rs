//! Where a run is, as `state.json` holds it.

use serde::{Deserialize, Serialize};

use super::FORMAT;
use crate::recipe::Metric;
use crate::run::rows::{Row, number_or_null};
use crate::schedule::PlateauState;

/// Where a run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) format: u32,
    /// Epochs that are done, validation included.
    pub(crate) epoch: u64,
    /// Batches of the epoch after those that are done.
    pub(crate) batch: usize,
    /// Steps over the whole run.
    pub(crate) step: u64,
    /// Running totals of the current epoch.
    pub(crate) partial: Partial,
    /// The epochs that are done.
    pub(crate) rows: Vec<Row>,
    /// The best of them: see [`Best::after`].
    pub(crate) best: Option<Best>,
    /// Where a plateau schedule is; absent with another one, and in checkpoints of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plateau: Option<PlateauState>,
    /// Seconds of training steps so far.
    pub(crate) train_s: f64,
    /// Seconds of everything so far.
    pub(crate) wall_s: f64,
    /// The run's settings, as `config.toml` had them; none in format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<String>,
    /// The checksums. There are some in the file alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<Digests>,
}

/// The SHA-256 of a checkpoint's files, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Digests {
    #[serde(rename = "model.safetensors")]
    pub(super) model: String,
    #[serde(rename = "optimizer.safetensors")]
    pub(super) optimizer: String,
    #[serde(rename = "state.json")]
    pub(super) state: String,
}

/// Running totals over the batches of the current epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Partial {
    /// The device's f32 sums. JSON may change the last bit of an f64, which rounding to f32 takes away again.
    #[serde(deserialize_with = "number_or_null")]
    pub(crate) loss: f64,
    pub(crate) correct: f64,
    pub(crate) correct_in_five: f64,
    pub(crate) images: f64,
    pub(crate) seconds: f64,
    pub(crate) waited_s: f64,
}

/// The best epoch so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Best {
    pub(crate) epoch: u64,
    pub(crate) accuracy: f64,
}

impl Best {
    /// The epoch of `row`, if it is better by `metric` than the best of the epochs before, whose `rows` these are. Of equal
    /// ones by accuracy the one with the lower loss is better, of equal ones by loss the one with the higher accuracy, and
    /// then the earlier one. A metric that is not finite is never better.
    pub(crate) fn after(
        best: Option<Self>,
        rows: &[Row],
        row: &Row,
        metric: Metric,
    ) -> Option<Self> {
        let accuracy = row.val_accuracy?;
        let new = Self {
            epoch: row.epoch,
            accuracy,
        };
        let is_finite = |value: Option<f64>| value.is_some_and(f64::is_finite);
        if !is_finite(row.val_loss) || !is_finite(metric.of(row)) {
            return None;
        }
        let before = best.and_then(|best| rows.iter().find(|row| row.epoch == best.epoch));
        let is_better = match (best, before) {
            (None, _) => true,
            (Some(best), None) => accuracy > best.accuracy,
            (Some(_), Some(before)) => metric.is_better(row, before),
        };
        is_better.then_some(new)
    }
}

impl State {
    /// A run's before its first step.
    pub(crate) fn new(plateau: Option<PlateauState>) -> Self {
        Self {
            plateau,
            ..Self::default()
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            format: FORMAT,
            epoch: 0,
            batch: 0,
            step: 0,
            partial: Partial::default(),
            rows: Vec::new(),
            best: None,
            plateau: None,
            train_s: 0.0,
            wall_s: 0.0,
            config: None,
            sha256: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_epoch_is_by_the_metric_then_by_the_other_then_the_earliest() {
        let row = |epoch, loss, accuracy| Row {
            epoch,
            val_loss: Some(loss),
            val_accuracy: Some(accuracy),
            ..Row::default()
        };
        let nan = f64::NAN;
        let rows = [
            row(1, 0.9, 0.5),
            row(2, 0.7, 0.8),
            row(3, 0.6, 0.8),
            row(4, 0.6, 0.7),
            row(5, 0.6, 0.8),
            row(6, nan, 1.0),
            row(7, 0.5, 0.6),
        ];
        let best = |metric| {
            let mut best: Option<Best> = None;
            let mut epochs = Vec::new();
            for (idx, row) in rows.iter().enumerate() {
                best = Best::after(best, &rows[..idx], row, metric).or(best);
                epochs.extend(best.map(|best| best.epoch));
            }
            epochs
        };
        assert_eq!(best(Metric::ValLoss), [1, 2, 3, 3, 3, 3, 7]);
        assert_eq!(best(Metric::ValAccuracy), [1, 2, 3, 3, 3, 3, 3]);
    }
}
