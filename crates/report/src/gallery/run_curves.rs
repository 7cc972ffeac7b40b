//! The curves of one run over its epochs, with what its recipe's source has published beside them.

use train::{Published, PublishedEpoch};

use super::{at, epochs, line, most_loss, rate_steps, rates, step_losses};
use crate::error::Result;
use crate::plots::curves::{Curves, Look, Note};
use crate::run::Run;
use crate::svg::{BLUE, GREEN, GREY, ORANGE, Plot, RED};

/// The curves of one run: loss, accuracy, macro F1, learning rate.
pub(crate) fn curves(run: &Run) -> Result<Vec<Plot>> {
    let marks = rate_steps(run);
    let published = Published::of(&run.recipe.name).ok().flatten();
    let published = published.as_ref();
    let mut plots = Vec::new();
    let notes = notes(run);
    for mut curves in [
        loss(run, published),
        accuracy(run, published),
        f1(run, published),
        learning_rate(run),
    ] {
        curves.series.retain(|series| !series.points.is_empty());
        curves.marks.clone_from(&marks);
        if curves.name != "learning-rate" {
            curves.notes.clone_from(&notes);
        }
        plots.extend(curves.plot()?);
    }
    Ok(plots)
}

/// The best epoch, and the one since which the run overfits.
fn notes(run: &Run) -> Vec<Note> {
    let best = run.best().map(|row| Note {
        at: at(row.epoch),
        label: format!("best epoch {}", row.epoch),
        colour: GREEN,
    });
    let overfits = run.overfits_since().map(|epoch| Note {
        at: at(epoch),
        label: format!("overfits since epoch {epoch}"),
        colour: RED,
    });
    best.into_iter().chain(overfits).collect()
}

/// A figure of the epochs that were published, up to the last of the run's own, or all where that is shorter than two.
fn beside(
    run: &Run,
    published: Option<&Published>,
    value: fn(&PublishedEpoch) -> Option<f64>,
) -> Vec<(f64, f64)> {
    let last = run
        .rows
        .last()
        .map_or(0, |row| row.epoch)
        .max(run.recipe.epochs);
    let epochs = published
        .into_iter()
        .flat_map(|published| &published.epochs);
    let within = epochs.filter(|epoch| epoch.epoch <= last);
    let points = within.map(|epoch| Some((at(epoch.epoch), value(epoch)?)));
    points.flatten().collect()
}

fn loss(run: &Run, published: Option<&Published>) -> Curves {
    // Losses are compared with their like: Keras' have the penalty.
    let with_penalty = published.is_some_and(|published| published.losses_include_penalty);
    let (train, validation, suffix) = if with_penalty {
        let train = epochs(run, |row| Some(row.train_loss + row.penalty.unwrap_or(0.0)));
        let validation = epochs(run, |row| Some(row.val_loss? + row.penalty.unwrap_or(0.0)));
        (train, validation, ", with penalty")
    } else {
        let train = epochs(run, |row| Some(row.train_loss));
        (train, epochs(run, |row| row.val_loss), "")
    };
    let test = epochs(run, |row| row.test_loss);
    Curves {
        name: "loss",
        title: format!("Loss{suffix}"),
        y: "loss",
        series: vec![
            line("", BLUE, step_losses(run), Look::Faint),
            line("train", BLUE, train, Look::Solid),
            line("validation", ORANGE, validation, Look::Solid),
            line("test", GREEN, test, Look::Solid),
            line(
                "published train",
                BLUE,
                beside(run, published, |it| it.train_loss),
                Look::Dashed,
            ),
            line(
                "published validation",
                ORANGE,
                beside(run, published, |it| it.val_loss),
                Look::Dashed,
            ),
        ],
        marks: Vec::new(),
        notes: Vec::new(),
        most: Some(most_loss(run)),
    }
}

fn accuracy(run: &Run, published: Option<&Published>) -> Curves {
    let train = epochs(run, |row| Some(row.train_accuracy));
    let validation = epochs(run, |row| row.val_accuracy);
    // Of five classes, each is among the first five.
    let top5 = if run.has_top5() {
        epochs(run, |row| row.val_top5)
    } else {
        Vec::new()
    };
    let test = epochs(run, |row| row.test_accuracy);
    let mut series = vec![
        line("train", BLUE, train, Look::Solid),
        line("validation", ORANGE, validation, Look::Solid),
        line("test", GREEN, test, Look::Solid),
    ];
    // One dashed line in a colour: where there is something to compare with, that is it.
    let figures = [
        line(
            "published train",
            BLUE,
            beside(run, published, |it| it.train_accuracy),
            Look::Dashed,
        ),
        line(
            "published validation",
            ORANGE,
            beside(run, published, |it| it.val_accuracy),
            Look::Dashed,
        ),
        line(
            "published test",
            GREEN,
            beside(run, published, |it| it.test_accuracy),
            Look::Dashed,
        ),
    ];
    if figures.iter().all(|series| series.points.is_empty()) {
        series.push(line("validation top 5", ORANGE, top5, Look::Dashed));
    }
    series.extend(figures);
    Curves {
        name: "accuracy",
        title: "Accuracy".to_owned(),
        y: "accuracy",
        series,
        marks: Vec::new(),
        notes: Vec::new(),
        most: Some(1.0),
    }
}

fn f1(run: &Run, published: Option<&Published>) -> Curves {
    Curves {
        name: "f1",
        title: "Macro F1".to_owned(),
        y: "macro F1",
        series: vec![
            line(
                "validation",
                ORANGE,
                epochs(run, |row| row.val_macro_f1),
                Look::Solid,
            ),
            line(
                "test",
                GREEN,
                epochs(run, |row| row.test_macro_f1),
                Look::Solid,
            ),
            line(
                "published test",
                RED,
                beside(run, published, |it| it.test_macro_f1),
                Look::Dashed,
            ),
        ],
        marks: Vec::new(),
        notes: Vec::new(),
        most: Some(1.0),
    }
}

fn learning_rate(run: &Run) -> Curves {
    Curves {
        name: "learning-rate",
        title: "Learning rate".to_owned(),
        y: "learning rate",
        series: vec![line("", GREY, rates(run), Look::Solid)],
        marks: Vec::new(),
        notes: Vec::new(),
        most: None,
    }
}
