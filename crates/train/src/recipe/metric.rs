//! The metric by which a run decides: when to stop early, which epoch is the best, when a plateau is reached.

use serde::{Deserialize, Serialize};

use crate::run::rows::Row;

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
