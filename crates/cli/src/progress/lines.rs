//! The lines that tell of a run's epochs.

use train::{Metric, Published, RateCut, Row, ValidationRow};

/// The validation split's scores within an epoch.
pub(super) fn validated(row: &ValidationRow, epochs: u64) -> String {
    format!(
        "epoch {}/{epochs} step {} loss {:.4} val_loss {:.4} val_accuracy {:.4} val_macro_f1 {:.4}",
        row.epoch, row.step, row.loss, row.val_loss, row.val_accuracy, row.val_macro_f1
    )
}

/// A learning rate that falls.
pub(super) fn rate_cut(cut: &RateCut) -> String {
    format!(
        "epoch {}: {} has stopped improving: the learning rate falls from {:.3e} to {:.3e}",
        cut.epoch,
        metric_name(cut.metric),
        cut.old,
        cut.new
    )
}

/// A metric's name, as recipes have it.
fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::ValLoss => "val_loss",
        Metric::ValAccuracy => "val_accuracy",
        Metric::ValError => "val_error",
        Metric::ValLossWithPenalty => "val_loss_with_penalty",
        Metric::TrainLossWithPenalty => "train_loss_with_penalty",
        _ => "train_loss",
    }
}

/// An epoch as a line that `grep` finds.
pub(super) fn epoch(row: &Row, epochs: u64) -> String {
    let more = optional_figures(row);
    format!(
        "epoch {}/{epochs} step {} lr {:.1e} loss {:.4} accuracy {:.4}{more} images/s {:.0} seconds {:.1}",
        row.epoch,
        row.step,
        row.lr,
        row.train_loss,
        row.train_accuracy,
        row.images_per_s,
        row.seconds
    )
}

/// An epoch's figures that not every run has, each under its name.
fn optional_figures(row: &Row) -> String {
    let figures = [
        ("val_loss", row.val_loss),
        ("val_accuracy", row.val_accuracy),
        ("test_loss", row.test_loss),
        ("test_accuracy", row.test_accuracy),
        ("test_macro_f1", row.test_macro_f1),
        ("penalty", row.penalty),
    ];
    let there = figures.into_iter();
    there
        .filter_map(|(name, value)| Some(format!(" {name} {:.4}", value?)))
        .collect()
}

/// An epoch as a line of the table; a star marks the best so far.
pub(super) fn table(row: &Row, is_best: bool) -> String {
    let optional = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.4}"));
    format!(
        "{} {:>5} {:>8.4} {:>6.4} {:>8} {:>7} {:>6} {:>8.2e} {:>8.0} {:>3.0}% {:>7.1}s",
        if is_best { '*' } else { ' ' },
        row.epoch,
        row.train_loss,
        row.train_accuracy,
        optional(row.val_loss),
        optional(row.val_accuracy),
        optional(row.val_top5),
        row.lr,
        row.images_per_s,
        100.0 * row.data_wait_fraction,
        row.seconds
    )
}

/// What the table has no column for: the test of an epoch, and the penalty.
pub(super) fn below_table(row: &Row) -> Option<String> {
    let rest = Row {
        val_loss: None,
        val_accuracy: None,
        ..row.clone()
    };
    let figures = optional_figures(&rest);
    (!figures.is_empty()).then(|| format!("       {figures}"))
}

/// What was published of an epoch, beside the time of one of its `steps` here.
pub(super) fn published(published: &Published, row: &Row, steps: u64) -> Option<String> {
    let epoch = published.epoch(row.epoch)?;
    let figures = epoch.figures().into_iter();
    let mut text: String = figures
        .map(|(name, value)| format!(" {name} {value:.4}"))
        .collect();
    if let (Some(ms), true) = (epoch.ms_per_step, steps > 0) {
        #[expect(clippy::cast_precision_loss, reason = "steps of an epoch")]
        let own = 1e3 * row.seconds / steps as f64;
        text.push_str(&format!(" {ms:.0} ms/step, here {own:.0}"));
    }
    if published.losses_include_penalty {
        text.push_str(" (losses with penalty)");
    }
    Some(format!("  published, epoch {}:{text}", row.epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_epoch_stands_beside_ours() {
        let keras = Published::of("keras-cifar10").unwrap().unwrap();
        let row = Row {
            epoch: 3,
            seconds: 250.0,
            ..Row::default()
        };
        let text = published(&keras, &row, 625).unwrap();
        let expected = "  published, epoch 3: loss 1.3162 accuracy 0.5385 val_loss 2.1401 val_accuracy 0.3861 266 ms/step, \
                        here 400 (losses with penalty)";
        assert_eq!(text, expected);
        let later = Row { epoch: 29, ..row };
        assert_eq!(published(&keras, &later, 625), None, "not printed");
    }

    #[test]
    fn figures_that_are_there_are_told_by_name() {
        let row = Row {
            test_accuracy: Some(0.25),
            test_macro_f1: Some(0.125),
            penalty: Some(0.5),
            ..Row::default()
        };
        let text = epoch(&row, 9);
        let slow = Row {
            lr: 0.000_000_000_503_551,
            ..row.clone()
        };
        assert!(epoch(&slow, 9).contains(" lr 5.0e-10 loss"), "{slow:?}");
        assert!(
            text.contains(" test_accuracy 0.2500 test_macro_f1 0.1250 penalty 0.5000 images/s"),
            "{text}"
        );
        assert!(below_table(&row).unwrap().contains("penalty 0.5000"));
        assert_eq!(below_table(&Row::default()), None);
    }
}
