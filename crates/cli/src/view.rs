//! The live view of `alexnet watch`: curves of loss and accuracy, throughput, and a log, from what a run's files tell.

mod text;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, Paragraph, Sparkline};
use report::Run;
use train::{Published, PublishedEpoch, Row, StepRow};

use self::text::{entries, header};

/// Points of a curve of steps: more than a terminal has columns.
const MOST_POINTS: usize = 400;

/// A curve: its name, colour and points.
struct Curve {
    name: &'static str,
    colour: Color,
    points: Vec<(f64, f64)>,
}

/// Terminals of fewer rows show no curves, and of fewer columns none beside each other.
const CHART_ROWS: u16 = 16;
const CHART_COLUMNS: u16 = 60;

/// Draws a run.
pub(crate) fn draw(frame: &mut Frame<'_>, run: &Run) {
    let area = frame.area();
    let heading = header(run, area.width.into());
    let has_charts = area.height >= CHART_ROWS;
    let rows = |of_charts, n| Constraint::Length(if of_charts && !has_charts { 0 } else { n });
    let [head, bar, charts, speed, log] = Layout::vertical([
        rows(false, u16::try_from(heading.len()).unwrap_or(2)),
        rows(false, 1),
        if has_charts {
            Constraint::Fill(3)
        } else {
            Constraint::Length(0)
        },
        rows(true, 3),
        Constraint::Fill(2),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(heading), head);
    frame.render_widget(progress(run), bar);
    frame.render_widget(entries(run, log.height), log);
    if has_charts {
        curves(frame, charts, run);
        throughput(frame, speed, run);
    }
}

/// Draws loss and accuracy.
fn curves(frame: &mut Frame<'_>, area: Rect, run: &Run) {
    let halves = if area.width >= CHART_COLUMNS {
        Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)])
    } else {
        Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)])
    };
    let [left, right] = halves.areas(area);
    let steps = thinned(&run.steps);
    let losses = [
        Curve {
            name: "train",
            colour: Color::Blue,
            points: over(&steps, &run.rows, |step| step.loss, |row| row.train_loss),
        },
        Curve {
            name: "validation",
            colour: Color::Yellow,
            points: epochs(&run.rows, |row| row.val_loss),
        },
        published(run, |epoch| epoch.val_loss),
    ];
    chart(frame, left, "loss", &losses, None);
    let accuracies = [
        Curve {
            name: "train",
            colour: Color::Blue,
            points: epochs(&run.rows, |row| Some(row.train_accuracy)),
        },
        Curve {
            name: "validation",
            colour: Color::Yellow,
            points: epochs(&run.rows, |row| row.val_accuracy),
        },
        Curve {
            name: "test",
            colour: Color::Green,
            points: epochs(&run.rows, |row| row.test_accuracy),
        },
        published(run, |epoch| epoch.val_accuracy.or(epoch.test_accuracy)),
    ];
    chart(frame, right, "accuracy", &accuracies, Some(1.0));
}

fn progress(run: &Run) -> Gauge<'static> {
    let epochs = real(run.recipe.epochs).max(1.0);
    let done = match (run.steps.last(), run.rows.last()) {
        (Some(step), _) => {
            real(step.epoch) - 1.0 + real(step.done as u64) / real(step.of as u64).max(1.0)
        }
        (None, Some(row)) => real(row.epoch),
        (None, None) => 0.0,
    };
    let label = format!("epoch {done:.1} of {epochs}");
    Gauge::default()
        .gauge_style(Style::new().fg(Color::Blue).bg(Color::DarkGray))
        .ratio((done / epochs).clamp(0.0, 1.0))
        .label(label)
}

fn chart(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &'static str,
    curves: &[Curve],
    most: Option<f64>,
) {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let right = points().map(|point| point.0).fold(1.0, f64::max);
    let top = points()
        .map(|point| point.1)
        .filter(|y| y.is_finite())
        .fold(0.0, f64::max);
    let top = most.map_or(top, |most| (1.1 * top).min(most)).max(1e-6);
    let data = curves
        .iter()
        .filter(|curve| !curve.points.is_empty())
        .map(|curve| {
            Dataset::default()
                .name(curve.name)
                .marker(Marker::Braille)
                .graph_type(GraphType::Line)
                .style(Style::new().fg(curve.colour))
                .data(&curve.points)
        });
    let x = Axis::default()
        .bounds([0.0, right])
        .labels(["0".to_owned(), format!("epoch {right:.1}")])
        .style(Style::new().fg(Color::Gray));
    let y = Axis::default()
        .bounds([0.0, top])
        .labels([
            "0".to_owned(),
            format!("{:.2}", top / 2.0),
            format!("{top:.2}"),
        ])
        .style(Style::new().fg(Color::Gray));
    let chart = Chart::new(data.collect())
        .block(Block::bordered().title(title))
        .x_axis(x)
        .y_axis(y);
    frame.render_widget(chart, area);
}

fn throughput(frame: &mut Frame<'_>, area: Rect, run: &Run) {
    let speeds: Vec<f64> = if run.steps.is_empty() {
        run.rows.iter().map(|row| row.images_per_s).collect()
    } else {
        run.steps.iter().map(|step| step.images_per_s).collect()
    };
    let shown = usize::from(area.width.saturating_sub(2));
    let last = speeds.last().copied().unwrap_or(0.0);
    let wait = run.rows.last().map_or(0.0, |row| row.data_wait_fraction);
    let title = format!("images/s {last:.0}, waiting for data {:.1} %", 100.0 * wait);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "speeds are small and positive, and a bar needs no fraction"
    )]
    let bars = speeds
        .iter()
        .skip(speeds.len().saturating_sub(shown))
        .map(|speed| *speed as u64);
    let sparkline = Sparkline::default()
        .data(bars)
        .style(Style::new().fg(Color::Green))
        .block(Block::bordered().title(title));
    frame.render_widget(sparkline, area);
}

/// At most [`MOST_POINTS`] of the steps.
fn thinned(steps: &[StepRow]) -> Vec<&StepRow> {
    let every = steps.len().div_ceil(MOST_POINTS).max(1);
    steps.iter().step_by(every).collect()
}

/// A figure over the steps where they are known, else over the epochs.
fn over(
    steps: &[&StepRow],
    rows: &[Row],
    of_step: fn(&StepRow) -> f64,
    of_row: fn(&Row) -> f64,
) -> Vec<(f64, f64)> {
    if steps.is_empty() {
        return rows
            .iter()
            .map(|row| (real(row.epoch), of_row(row)))
            .collect();
    }
    let place = |step: &StepRow| {
        real(step.epoch) - 1.0 + real(step.done as u64) / real(step.of as u64).max(1.0)
    };
    steps
        .iter()
        .map(|step| (place(step), of_step(step)))
        .collect()
}

/// What the source of the run's recipe has published.
fn published(run: &Run, value: fn(&PublishedEpoch) -> Option<f64>) -> Curve {
    let published = Published::of(&run.recipe.name).ok().flatten();
    let epochs = published.into_iter().flat_map(|published| published.epochs);
    let points = epochs.map(|epoch| Some((real(epoch.epoch), value(&epoch)?)));
    Curve {
        name: "published",
        colour: Color::Magenta,
        points: points.flatten().collect(),
    }
}

fn epochs(rows: &[Row], value: fn(&Row) -> Option<f64>) -> Vec<(f64, f64)> {
    let points = rows.iter().map(|row| Some((real(row.epoch), value(row)?)));
    points.flatten().collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of steps")]
fn real(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use train::{Recipe, RunDir};

    use super::*;

    /// What the view of a run with this many epochs and steps looks like.
    fn screen(epochs: u64, steps: u64, [width, height]: [u16; 2]) -> String {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a-run");
        RunDir::create(&folder, &Recipe::named("shapes10").unwrap()).unwrap();
        let rows = (1..=epochs).map(|epoch| {
            format!(
                "{{\"epoch\":{epoch},\"step\":{},\"lr\":0.01,\"train_loss\":{},\"train_accuracy\":0.5,\"val_loss\":1.5,\
                 \"val_accuracy\":0.{epoch},\"val_top5\":0.9,\"images_per_s\":800,\"data_wait_fraction\":0.02,\"seconds\":3}}\n",
                10 * epoch,
                2.0 / real(epoch)
            )
        });
        fs::write(folder.join("metrics.jsonl"), rows.collect::<String>()).unwrap();
        let steps = (1..=steps).map(|step| {
            format!(
                "{{\"time_s\":{step},\"epoch\":{},\"step\":{step},\"done\":{},\"of\":10,\"loss\":{},\"accuracy\":0.4,\
                 \"lr\":0.01,\"images_per_s\":777}}\n",
                (step - 1) / 10 + 1,
                (step - 1) % 10 + 1,
                3.0 / real(step)
            )
        });
        fs::write(folder.join("steps.jsonl"), steps.collect::<String>()).unwrap();
        let run = Run::read(&folder).unwrap();
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, &run)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_run_in_training_is_on_one_screen() {
        let screen = screen(3, 35, [110, 36]);
        for part in [
            "a-run",
            "running",
            "best 0.3000 in epoch 3",
            "epoch 3.5 of 6",
            "loss",
            "accuracy",
            "images/s 777",
            "waiting for data 2.0 %",
            "*     3   0.6667 0.5000   1.5000  0.3000  1.00e-2      800     3.0s",
            "q quits",
        ] {
            assert!(screen.contains(part), "no '{part}' in\n{screen}");
        }
        let dots = screen
            .chars()
            .filter(|c| ('\u{2801}'..='\u{28FF}').contains(c));
        assert!(dots.count() > 40, "curves in\n{screen}");
    }

    #[test]
    fn eighty_columns_show_curves_the_whole_state_and_the_newest_epochs() {
        let screen = screen(9, 90, [80, 24]);
        for part in [
            "best 0.9000 in epoch 9",
            "(q quits)",
            "*     9 ",
            "      8 ",
            "   3.0s",
        ] {
            assert!(screen.contains(part), "no '{part}' in\n{screen}");
        }
        let is_dot = |c| ('\u{2801}'..='\u{28FF}').contains(&c);
        let rows = screen.lines().filter(|line| line.contains(is_dot));
        assert!(rows.count() >= 6, "curves in\n{screen}");
    }

    #[test]
    fn small_terminals_and_empty_runs_are_drawn_too() {
        for (epochs, steps) in [(0, 0), (0, 1), (1, 0), (9, 90)] {
            for size in [[20, 5], [1, 1], [80, 24], [300, 100]] {
                let screen = screen(epochs, steps, size);
                assert!(!screen.is_empty(), "{epochs} {steps} {size:?}");
            }
        }
    }
}
