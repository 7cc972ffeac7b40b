//! The table of a run's epochs: the columns that say something, and the best of them marked.

use serde::Serialize;
use train::Row;

use crate::run::Run;

/// A run's epochs.
#[derive(Serialize)]
pub(super) struct Epochs {
    columns: Vec<&'static str>,
    rows: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    cells: Vec<String>,
    best: bool,
}

/// A column: its head and what stands in it.
type Column = (&'static str, fn(&Row) -> String);

const COLUMNS: [Column; 13] = [
    ("epoch", |row| row.epoch.to_string()),
    ("step", |row| row.step.to_string()),
    ("lr", |row| format!("{:.3e}", row.lr)),
    ("train loss", |row| format!("{:.4}", row.train_loss)),
    ("train accuracy", |row| format!("{:.4}", row.train_accuracy)),
    ("val loss", |row| optional(row.val_loss)),
    ("val accuracy", |row| optional(row.val_accuracy)),
    ("val top 5", |row| optional(row.val_top5)),
    ("val F1", |row| optional(row.val_macro_f1)),
    ("test accuracy", |row| optional(row.test_accuracy)),
    ("test F1", |row| optional(row.test_macro_f1)),
    ("images/s", |row| format!("{:.0}", row.images_per_s)),
    ("seconds", |row| format!("{:.1}", row.seconds)),
];

fn optional(value: Option<f64>) -> String {
    value.map_or_else(String::new, |v| format!("{v:.4}"))
}

pub(super) fn epochs(run: &Run) -> Epochs {
    let best = run.best().map(|row| row.epoch);
    let says = |(head, cell): &Column| {
        let is_there = run.rows.iter().any(|row| !cell(row).is_empty());
        is_there && (*head != "val top 5" || run.has_top5())
    };
    let columns: Vec<_> = COLUMNS.into_iter().filter(says).collect();
    let rows = run.rows.iter().map(|row| {
        let best = best == Some(row.epoch);
        let mut cells: Vec<_> = columns.iter().map(|(_, cell)| cell(row)).collect();
        if best {
            cells[0].insert_str(0, "best ");
        }
        Line { cells, best }
    });
    Epochs {
        rows: rows.collect(),
        columns: columns.iter().map(|(head, _)| *head).collect(),
    }
}
