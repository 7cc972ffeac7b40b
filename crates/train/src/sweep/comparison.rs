//! The results of a sweep, ranked: `comparison.csv`.

use std::cmp::Ordering;
use std::path::Path;

use super::Sweep;
use crate::error::Result;
use crate::run::rows::Summary;

/// The outcome of one run of a sweep.
#[derive(Clone, Debug)]
pub struct SweepRow {
    /// The run.
    pub name: String,
    /// Its summary, or why it failed.
    pub result: Result<Summary, String>,
}

impl Sweep {
    /// Writes `comparison.csv` into the sweep's folder: a line for each run, the best first.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write_comparison(folder: &Path, rows: &[SweepRow]) -> Result<()> {
        let mut csv = "run,best_val_accuracy,best_epoch,test_accuracy,test_loss,test_top5,test_macro_f1,train_loss,\
                       epochs,images_per_s,wall_s,error\n"
            .to_owned();
        for row in ranked(rows) {
            csv.push_str(&csv_line(row));
        }
        Ok(files::replace(
            &folder.join("comparison.csv"),
            csv.as_bytes(),
        )?)
    }
}

impl SweepRow {
    /// Why the run has no result: its error, or the loss that is not finite. `None` if it has one.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let it = match &self.result {
            Ok(summary) => summary,
            Err(error) => return Some(error.clone()),
        };
        // Older programs called a run complete that computed NaN, and gave it an accuracy of 1.
        let losses = [
            ("train loss", Some(it.train_loss)),
            ("validation loss", it.val_loss),
            ("test loss", it.test_loss),
        ];
        let bad = losses
            .into_iter()
            .find(|(_, loss)| loss.is_some_and(|loss| !loss.is_finite()));
        // A loss that is not finite is null in the file, as one of a split that is not there.
        let is_null = it.test_loss.is_none() && it.test_accuracy.is_some()
            || it.val_loss.is_none() && it.val_accuracy.is_some();
        let text = |(of, loss): (&str, Option<f64>)| match loss {
            Some(loss) => format!("diverged: the {of} is {loss}"),
            None => format!("diverged: the {of} is not finite"),
        };
        bad.map(text)
            .or_else(|| is_null.then(|| "diverged: a loss is not finite".to_owned()))
    }
}

/// The rows, the best first: by validation accuracy, then by test accuracy. Those that diverged or failed come last, as
/// they were run.
#[must_use]
pub fn ranked(rows: &[SweepRow]) -> Vec<&SweepRow> {
    let worth = |row: &SweepRow| match &row.result {
        Ok(it) if row.failure().is_none() => {
            let worth = |accuracy: Option<f64>| accuracy.unwrap_or(-1.0);
            [1.0, worth(it.best_val_accuracy), worth(it.test_accuracy)]
        }
        _ => [0.0; 3],
    };
    let mut sorted: Vec<_> = rows.iter().collect();
    sorted.sort_by(|a, b| {
        let orders = worth(b).into_iter().zip(worth(a));
        let order = orders.map(|(b, a)| b.total_cmp(&a));
        order.fold(Ordering::Equal, Ordering::then)
    });
    sorted
}

fn csv_line(row: &SweepRow) -> String {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let cells = match &row.result {
        Ok(it) => [
            number(it.best_val_accuracy),
            it.best_epoch.map_or_else(String::new, |n| n.to_string()),
            number(it.test_accuracy),
            number(it.test_loss),
            number(it.test_top5),
            number(it.test_macro_f1),
            it.train_loss.to_string(),
            it.epochs.to_string(),
            it.images_per_s.to_string(),
            it.wall_s.to_string(),
            row.failure().as_deref().map_or_else(String::new, quoted),
        ],
        Err(error) => {
            let mut cells = [const { String::new() }; 11];
            cells[10] = quoted(error);
            cells
        }
    };
    format!("{},{}\n", quoted(&row.name), cells.join(","))
}

/// A cell as RFC 4180 has it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_best_first_and_failures_last() {
        let summary = |val: Option<f64>, test: f64| Summary {
            recipe: "r".to_owned(),
            network: "n".to_owned(),
            dataset: "d".to_owned(),
            device: "cpu".to_owned(),
            parameters: 1,
            epochs: 1,
            steps: 1,
            images_per_s: 1.0,
            wall_s: 1.0,
            train_loss: 1.0,
            train_accuracy: 0.5,
            val_loss: None,
            val_accuracy: None,
            best_epoch: None,
            best_val_accuracy: val,
            test_loss: Some(1.0),
            test_accuracy: Some(test),
            test_top5: None,
            test_macro_f1: None,
            peak_host_bytes: None,
            peak_device_bytes: 0,
            training_flops: 0,
            milestones: Vec::new(),
            ended: crate::Ended::Epochs,
            weights: "last".to_owned(),
        };
        let row = |name: &str, result: Result<Summary, String>| SweepRow {
            name: name.to_owned(),
            result,
        };
        // As e25ac3f wrote it of a run of NaN weights.
        let nan = Summary {
            test_loss: Some(f64::NAN),
            ..summary(Some(1.0), 1.0)
        };
        let json = serde_json::to_string(&nan).unwrap();
        let null: Summary = serde_json::from_str(&json).unwrap();
        assert_eq!(null.test_loss, None, "JSON has no NaN");
        let rows = [
            row("nan", Ok(nan)),
            row("null", Ok(null)),
            row("failed", Err("no, not \"that\"".to_owned())),
            row("low", Ok(summary(Some(0.5), 0.9))),
            row("high", Ok(summary(Some(0.6), 0.1))),
            row("high,too", Ok(summary(Some(0.6), 0.2))),
        ];
        let names: Vec<_> = ranked(&rows).iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["high,too", "high", "low", "nan", "null", "failed"]);
        let folder = tempfile::tempdir().unwrap();
        Sweep::write_comparison(folder.path(), &rows).unwrap();
        let csv = std::fs::read_to_string(folder.path().join("comparison.csv")).unwrap();
        let lines: Vec<_> = csv.lines().collect();
        assert!(lines[1].starts_with("\"high,too\",0.6,,0.2,"), "{csv}");
        assert!(
            lines[4].ends_with(",diverged: the test loss is NaN"),
            "{csv}"
        );
        assert!(
            lines[5].ends_with(",diverged: a loss is not finite"),
            "{csv}"
        );
        assert!(lines[6].ends_with(",\"no, not \"\"that\"\"\""), "{csv}");
        assert_eq!(lines[0].split(',').count(), lines[2].split(',').count());
    }
}
