//! The words of the live view: what is trained and how it stands, and the newest epochs.

use ratatui::style::Stylize as _;
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph};
use report::Run;
use train::Row;

use crate::report::state_name;

/// The columns of the table of epochs.
const EPOCHS: &str = "  epoch     loss    acc val loss val acc       lr images/s     time";

/// What is trained and how it stands, in as many lines as the width asks for.
pub(super) fn header(run: &Run, width: usize) -> Vec<Line<'static>> {
    let device = run
        .environment
        .as_ref()
        .and_then(|e| e.get("device")?.as_str());
    let device = device.unwrap_or("unknown device");
    let recipe = &run.recipe;
    let title = [
        run.name.clone(),
        format!("{} on {},", recipe.network, recipe.dataset),
        device.to_owned(),
    ];
    let mut state = vec![state_name(run.state()).to_owned()];
    if let Some(step) = run.steps.last() {
        state.push(format!("loss {:.4}", step.loss));
        state.push(format!("accuracy {:.4}", step.accuracy));
        state.push(format!("lr {:.2e}", step.lr));
    }
    if let Some(best) = run.best() {
        let accuracy = best.val_accuracy.unwrap_or(f64::NAN);
        state.push(format!("best {accuracy:.4} in epoch {}", best.epoch));
    }
    let summary = run.summary.as_ref();
    if let Some(test) = summary.and_then(|summary| summary.test_accuracy) {
        state.push(format!("test {test:.4}"));
    }
    state.push("(q quits)".to_owned());
    let title = packed(&title, width).into_iter();
    let title = title.map(|line| Line::from(line).bold());
    title
        .chain(packed(&state, width).into_iter().map(Line::from))
        .collect()
}

/// Parts beside each other, in lines of this width.
fn packed(parts: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if Line::from(format!("{line}  {part}")).width() <= width => {
                line.push_str("  ");
                line.push_str(part);
            }
            _ => lines.push(part.clone()),
        }
    }
    lines
}

/// The newest epochs.
pub(super) fn entries(run: &Run, height: u16) -> Paragraph<'static> {
    let best = run.best().map(|best| best.epoch);
    let optional = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.4}"));
    let line = |row: &Row| {
        Line::from(format!(
            "{} {:>5} {:>8.4} {:>6.4} {:>8} {:>7} {:>8.2e} {:>8.0} {:>7.1}s",
            if best == Some(row.epoch) { '*' } else { ' ' },
            row.epoch,
            row.train_loss,
            row.train_accuracy,
            optional(row.val_loss),
            optional(row.val_accuracy),
            row.lr,
            row.images_per_s,
            row.seconds
        ))
    };
    let room = usize::from(height.saturating_sub(3));
    let rows = &run.rows[run.rows.len().saturating_sub(room)..];
    let lines = std::iter::once(Line::from(EPOCHS).dim()).chain(rows.iter().map(line));
    Paragraph::new(lines.collect::<Vec<_>>())
        .block(Block::bordered().title("epochs, the best with a star"))
}
