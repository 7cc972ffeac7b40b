//! What a run had spent when it was as accurate: an entry for each tenth of accuracy.

use serde::{Deserialize, Serialize};

use super::rows::{Row, rounded};

/// What was spent until an accuracy was reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// A tenth of accuracy, as a fraction: 0.1, 0.2 and so on.
    pub accuracy: f64,
    /// The first epoch at whose end it was reached.
    pub epoch: u64,
    /// The training arithmetic until then: see [`crate::Summary::training_flops`].
    pub flops: u64,
    /// Seconds of training steps until then.
    pub seconds: f64,
}

/// The milestones of a run's epochs, of each of which `flops` tells the arithmetic until its end: by the test accuracy where every
/// epoch is tested, else by the validation accuracy, else by that of the test at the end.
pub(crate) fn milestones(
    rows: &[Row],
    test: Option<f64>,
    flops: impl Fn(&Row) -> u64,
) -> Vec<Milestone> {
    let mut found: Vec<Milestone> = Vec::new();
    let mut seconds = 0.0;
    for (idx, row) in rows.iter().enumerate() {
        seconds += row.seconds;
        let at_the_end = test.filter(|_| idx + 1 == rows.len());
        let accuracy = row.test_accuracy.or(row.val_accuracy).or(at_the_end);
        while let Some(accuracy) = accuracy
            && let next = tenth(found.len() + 1)
            && next <= 1.0
            && accuracy >= next
        {
            found.push(Milestone {
                accuracy: next,
                epoch: row.epoch,
                flops: flops(row),
                seconds: rounded(seconds),
            });
        }
    }
    found
}

/// So many tenths, as they are written.
fn tenth(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from) / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(epoch: u64, val: Option<f64>, test: Option<f64>) -> Row {
        Row {
            epoch,
            seconds: 2.5,
            val_accuracy: val,
            test_accuracy: test,
            ..Row::default()
        }
    }

    fn found(rows: &[Row], test: Option<f64>) -> Vec<(f64, u64, u64, f64)> {
        let all = milestones(rows, test, |row| 100 * row.epoch);
        let of = |it: Milestone| (it.accuracy, it.epoch, it.flops, it.seconds);
        all.into_iter().map(of).collect()
    }

    #[test]
    fn each_tenth_is_of_the_first_epoch_that_reaches_it() {
        let rows = [0.05, 0.3, 0.25, 0.42, 1.0].map(Some);
        let rows: Vec<Row> = (1..).zip(rows).map(|(n, val)| row(n, val, None)).collect();
        let epochs: Vec<u64> = found(&rows, Some(0.99)).iter().map(|it| it.1).collect();
        assert_eq!(epochs, [2, 2, 2, 4, 5, 5, 5, 5, 5, 5]);
        assert_eq!(found(&rows, None)[3], (0.4, 4, 400, 10.0));
        // The test of every epoch counts, and without either the one at the end.
        let rows = [row(1, Some(0.9), Some(0.1)), row(2, Some(0.9), Some(0.2))];
        assert_eq!(found(&rows, None), [(0.1, 1, 100, 2.5), (0.2, 2, 200, 5.0)]);
        let rows = [row(1, None, None), row(2, None, None)];
        assert_eq!(found(&rows, Some(0.15)), [(0.1, 2, 200, 5.0)]);
        assert_eq!(found(&rows, None), []);
        assert_eq!(found(&[row(1, Some(f64::NAN), None)], None), []);
    }
}
