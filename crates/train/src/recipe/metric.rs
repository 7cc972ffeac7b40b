//! The metric by which a run decides: when to stop early, which epoch is the best, when a plateau is reached.

use serde::{Deserialize, Serialize};

use super::Recipe;
use crate::error::{Error, Result};
use crate::run::rows::Row;

/// A metric that something is decided by, named as the column of `metrics.csv` if it is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metric {
    /// Mean validation loss.
    #[default]
    ValLoss,
    /// Validation accuracy.
    ValAccuracy,
    /// Validation error: the share of images whose label has not the largest logit.
    ValError,
    /// Mean validation loss and the l2 penalty: what Keras calls the validation loss where weights have a regulariser.
    ValLossWithPenalty,
    /// Mean training loss, dropout and augmentation on.
    TrainLoss,
    /// Mean training loss and the l2 penalty at the epoch's end.
    TrainLossWithPenalty,
}

impl Metric {
    /// Its value in an epoch, if it has one.
    #[must_use]
    pub fn of(self, row: &Row) -> Option<f64> {
        let penalty = row.penalty.unwrap_or(0.0);
        match self {
            Self::ValLoss => row.val_loss,
            Self::ValAccuracy => row.val_accuracy,
            Self::ValError => row.val_accuracy.map(|accuracy| 1.0 - accuracy),
            Self::ValLossWithPenalty => row.val_loss.map(|loss| loss + penalty),
            Self::TrainLoss => Some(row.train_loss),
            Self::TrainLossWithPenalty => Some(row.train_loss + penalty),
        }
    }

    /// Whether `row` is better than `before`. Of equal ones by the validation accuracy the one with the lower validation
    /// loss is better, else the one with the higher accuracy. What is not finite is worse than everything.
    #[must_use]
    pub fn is_better(self, row: &Row, before: &Row) -> bool {
        let tie = match self {
            Self::ValAccuracy | Self::ValError => Self::ValLoss,
            _ => Self::ValAccuracy,
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
        !matches!(self, Self::TrainLoss | Self::TrainLossWithPenalty)
    }
}

impl Recipe {
    /// An error if something is decided by a metric of the validation split, and there is none.
    pub(crate) fn check_metrics(&self, has_validation: bool) -> Result<()> {
        let of_stopping = self.early_stopping.map(|stopping| stopping.metric);
        for (setting, metric) in [
            ("schedule.metric", self.schedule.watched()),
            ("early_stopping.metric", of_stopping),
        ] {
            if metric.is_some_and(Metric::is_of_validation) && !has_validation {
                let expected = "train_loss, as there are no validation images";
                return Err(Error::setting(setting, expected, "a metric of theirs"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_penalties_follow_from_a_row() {
        let row = Row {
            train_loss: 1.0,
            val_loss: Some(2.0),
            val_accuracy: Some(0.75),
            penalty: Some(0.5),
            ..Row::default()
        };
        let none = Row {
            penalty: None,
            ..row.clone()
        };
        for (metric, value, without) in [
            (Metric::ValError, 0.25, 0.25),
            (Metric::ValLossWithPenalty, 2.5, 2.0),
            (Metric::TrainLossWithPenalty, 1.5, 1.0),
            (Metric::ValLoss, 2.0, 2.0),
        ] {
            assert_eq!(metric.of(&row), Some(value), "{metric:?}");
            assert_eq!(metric.of(&none), Some(without), "{metric:?}");
            assert!(!metric.is_larger_better(), "{metric:?}");
        }
        assert!(
            Metric::ValLossWithPenalty.is_better(&none, &row),
            "less is better"
        );
        assert!(!Metric::TrainLossWithPenalty.is_of_validation());
    }
}
