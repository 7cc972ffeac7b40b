//! What a run writes down: a row for each epoch, and the summary. Where it goes is `run_dir`'s business.

use serde::{Deserialize, Deserializer, Serialize};

use super::milestones::Milestone;
use crate::trainer::callback::Ended;

/// A row of the metrics: the results of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Steps over the whole run.
    pub step: u64,
    /// The learning rate of the epoch's last step.
    #[serde(deserialize_with = "number_or_null")]
    pub lr: f64,
    /// Mean loss over the epoch's training batches, dropout on.
    #[serde(deserialize_with = "number_or_null")]
    pub train_loss: f64,
    /// Accuracy over the same.
    #[serde(deserialize_with = "number_or_null")]
    pub train_accuracy: f64,
    /// Mean validation loss, if there is a validation split.
    pub val_loss: Option<f64>,
    /// Validation accuracy.
    pub val_accuracy: Option<f64>,
    /// Validation top-5 accuracy.
    pub val_top5: Option<f64>,
    /// Training images a second.
    #[serde(deserialize_with = "number_or_null")]
    pub images_per_s: f64,
    /// The share of the training time that was spent waiting for batches.
    #[serde(deserialize_with = "number_or_null")]
    pub data_wait_fraction: f64,
    /// Seconds that the epoch's training took.
    #[serde(deserialize_with = "number_or_null")]
    pub seconds: f64,
    /// The mean F1 of the validation's classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_macro_f1: Option<f64>,
    /// Mean test loss, if the recipe tests every epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_loss: Option<f64>,
    /// Test accuracy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
    /// Test top-5 accuracy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_top5: Option<f64>,
    /// The mean F1 of the test's classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_macro_f1: Option<f64>,
    /// The l2 penalty of the weights at the epoch's end, `weight_decay / 2` times the sum of the squares of what decays: none
    /// without decay in the loss. No loss above includes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
}

/// The keys of [`Row`], as the header of `metrics.csv` has them.
pub(crate) const COLUMNS: &str = "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,val_top5,images_per_s,data_wait_fraction,seconds,val_macro_f1,test_loss,test_accuracy,test_top5,test_macro_f1,penalty";

/// The result of a whole run: `summary.json`. Accuracies are fractions; `None` where a split is absent.
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
    #[serde(deserialize_with = "number_or_null")]
    pub images_per_s: f64,
    /// Seconds in all, validation and test included, over all parts of a resumed run.
    #[serde(deserialize_with = "number_or_null")]
    pub wall_s: f64,
    #[serde(deserialize_with = "number_or_null")]
    pub train_loss: f64,
    #[serde(deserialize_with = "number_or_null")]
    pub train_accuracy: f64,
    pub val_loss: Option<f64>,
    pub val_accuracy: Option<f64>,
    pub best_epoch: Option<u64>,
    pub best_val_accuracy: Option<f64>,
    /// The test figures are those of the best weights, or of the last where there is no validation split.
    pub test_loss: Option<f64>,
    pub test_accuracy: Option<f64>,
    pub test_top5: Option<f64>,
    pub test_macro_f1: Option<f64>,
    pub peak_host_bytes: Option<u64>,
    pub peak_device_bytes: u64,
    /// Multiplications and additions of all training steps: three times those of the network's forward pass for each image, as
    /// a backward pass takes two of a forward pass.
    #[serde(default)]
    pub training_flops: u64,
    /// What was spent until each tenth of accuracy was reached.
    #[serde(default)]
    pub milestones: Vec<Milestone>,
    /// Why it ended.
    #[serde(default)]
    pub ended: Ended,
    /// The checkpoint that the test figures are of: best or last.
    #[serde(default)]
    pub weights: String,
}

/// A number; JSON's `null`, which stands for one that is not finite, is read as NaN.
pub(crate) fn number_or_null<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

pub(crate) fn csv_line(row: &Row) -> String {
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
        optional(row.val_macro_f1),
        optional(row.test_loss),
        optional(row.test_accuracy),
        optional(row.test_top5),
        optional(row.test_macro_f1),
        optional(row.penalty),
    ];
    format!("{}\n", cells.join(","))
}

/// Six decimals: what a reader needs, and few enough digits that JSON gives back the same number.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// Six significant digits, for rates: as [`rounded`], whatever the magnitude.
pub(crate) fn significant(value: f64) -> f64 {
    // A number that was just written is one.
    format!("{value:.5e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_numbers_are_short_and_come_back_the_same() {
        for value in [1.990_000_000_000_000_3e-5, 1.0 / 3.0, 0.0, 123_456_789.0] {
            let short = significant(value);
            assert!((short - value).abs() <= 1e-5 * value, "{value}");
            let again: f64 = serde_json::from_str(&short.to_string()).unwrap();
            assert_eq!(again.to_bits(), short.to_bits(), "{value}");
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
            ..Row::default()
        };
        assert_eq!(csv_line(&row), "1,62,0.001,1.5,0.5,,,,100,0,1,,,,,,\n");
        assert_eq!(
            csv_line(&row).split(',').count(),
            COLUMNS.split(',').count()
        );
        let json = serde_json::to_string(&row).unwrap();
        let keys: Vec<_> = json.split(',').map(str::to_owned).collect();
        for (column, pair) in COLUMNS.split(',').zip(keys) {
            assert!(
                pair.contains(&format!("\"{column}\":")),
                "{column} in {pair}"
            );
        }
    }
}
