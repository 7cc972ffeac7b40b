//! What the dashboard shows of runs, as fragments of a page. Files are read again only when they have changed.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::json;
use train::{HistogramRow, StepRow};

use super::{runs, whole};
use crate::error::Result;
use crate::gallery::curves;
use crate::page::render;
use crate::page::tables::duration;
use crate::plots::ridges::ridges;
use crate::run::{Run, RunState};

const LIST: &str = include_str!("../../templates/runs.html");
const RUN: &str = include_str!("../../templates/run.html");

/// Steps in the log of a run.
const LOG: usize = 12;

/// A page's subject.
#[derive(Clone, Debug)]
pub(super) enum View {
    List,
    Run(String),
}

/// Runs as they were when last read.
#[derive(Debug, Default)]
pub(super) struct Known {
    runs: BTreeMap<String, (Signature, std::result::Result<Run, String>)>,
}

/// When a run's files were written, and how long they are: several writes may fall into one tick of the clock.
type Signature = Vec<Option<(SystemTime, u64)>>;

/// A run's line in the list.
#[derive(Clone, Debug, Default, Serialize)]
struct Line {
    name: String,
    /// Where its page is.
    href: String,
    state: String,
    network: String,
    dataset: String,
    device: String,
    epoch: String,
    loss: String,
    accuracy: String,
    best: String,
    test: String,
    images_per_s: String,
    eta: Option<String>,
    has_report: bool,
}

impl Known {
    /// What `view` shows now.
    pub(super) fn fragment(&mut self, folder: &Path, view: &View) -> Result<String> {
        let mut places = runs::runs(folder);
        if let View::Run(name) = view {
            places.retain(|(known, _)| known == name);
        }
        self.runs
            .retain(|name, _| places.iter().any(|(known, _)| known == name));
        for (name, path) in &places {
            let signature = signature(path);
            if self.runs.get(name).is_none_or(|(old, _)| *old != signature) {
                let run = Run::read(path).map_err(|error| whole(&error));
                self.runs.insert(name.clone(), (signature, run));
            }
        }
        match view {
            View::List => {
                let mut runs: Vec<_> = self.runs.iter().collect();
                // The latest first.
                runs.sort_by_key(|(_, (_, run))| {
                    std::cmp::Reverse(run.as_ref().ok().and_then(|run| run.changed))
                });
                let lines = runs
                    .into_iter()
                    .map(|(name, (_, run))| line(name, run.as_ref()));
                render(
                    "runs.html",
                    LIST,
                    &json!({ "runs": lines.collect::<Vec<_>>() }),
                )
            }
            View::Run(name) => match self.runs.get(name) {
                Some((_, Ok(known))) => run(known, name),
                Some((_, Err(reason))) => {
                    render("error", "<p>{{ reason }}</p>", &json!({ "reason": reason }))
                }
                None => render("gone", "<p>This run is no longer there.</p>", &json!({})),
            },
        }
    }
}

fn signature(run: &Path) -> Signature {
    let names = [
        "config.toml",
        "steps.jsonl",
        "metrics.jsonl",
        "histograms.jsonl",
        "summary.json",
        "report.html",
    ];
    let of = |name: &str| {
        let file = std::fs::metadata(run.join(name)).ok()?;
        Some((file.modified().ok()?, file.len()))
    };
    names.iter().map(|name| of(name)).collect()
}

fn line(name: &str, run: std::result::Result<&Run, &String>) -> Line {
    let Ok(run) = run else {
        return Line {
            name: name.to_owned(),
            href: href(name),
            state: "unreadable".to_owned(),
            ..Line::default()
        };
    };
    let (step, row) = (run.steps.last(), run.rows.last());
    let is_running = run.state() == RunState::Running;
    let number = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.4}"));
    let device = run
        .environment
        .as_ref()
        .and_then(|e| e.get("device")?.as_str());
    let images_per_s = step
        .map(|step| step.images_per_s)
        .or(row.map(|row| row.images_per_s));
    Line {
        name: name.to_owned(),
        href: href(name),
        state: state(run.state()).to_owned(),
        network: run.recipe.network.clone(),
        dataset: run.recipe.dataset.clone(),
        device: device.unwrap_or_default().to_owned(),
        epoch: match step {
            Some(step) if is_running => {
                format!(
                    "{}/{} step {}/{}",
                    step.epoch, run.recipe.epochs, step.done, step.of
                )
            }
            _ => format!("{}/{}", run.rows.len(), run.recipe.epochs),
        },
        // Of a run that goes on, the newest step's; else the last epoch's, as the report has it.
        loss: number(
            step.filter(|_| is_running || row.is_none())
                .map(|step| step.loss)
                .or(row.map(|row| row.train_loss)),
        ),
        accuracy: number(
            step.filter(|_| is_running || row.is_none())
                .map(|step| step.accuracy)
                .or(row.map(|row| row.train_accuracy)),
        ),
        best: number(run.best().and_then(|row| row.val_accuracy)),
        test: number(
            run.summary
                .as_ref()
                .and_then(|summary| summary.test_accuracy),
        ),
        images_per_s: images_per_s.map_or_else(String::new, |speed| format!("{speed:.0}")),
        eta: run.left_s().filter(|_| is_running).map(duration),
        has_report: runs::file(&run.path, crate::page::REPORT).is_some(),
    }
}

/// The address of a run's page: all but letters and digits as bytes.
fn href(name: &str) -> String {
    let mut href = "/runs/".to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            href.push(byte.into());
        } else {
            href.push_str(&format!("%{byte:02X}"));
        }
    }
    href + "/"
}

fn state(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Finished => "finished",
        RunState::Stopped => "stopped",
    }
}

fn run(run: &Run, name: &str) -> Result<String> {
    let line = line(name, Ok(run));
    let cards = [
        ("epoch", &line.epoch),
        ("loss", &line.loss),
        ("training accuracy", &line.accuracy),
        ("best validation accuracy", &line.best),
        ("test accuracy", &line.test),
        ("images/s", &line.images_per_s),
    ];
    let cards: Vec<_> = cards
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let log: Vec<_> = run.steps.iter().rev().take(LOG).map(log_line).collect();
    let plots = curves(run)?;
    let curves: Vec<_> = plots
        .iter()
        .map(|plot| (plot.title(), plot.inline(), plot.values()))
        .collect();
    let files = runs::names(&run.path);
    let context = json!({
        "run": line,
        "cards": cards,
        "log": log,
        "curves": curves,
        "histograms": histograms(&run.histograms),
        "files": files,
    });
    render("run.html", RUN, &context)
}

/// The histograms of each parameter and of each gradient, in the network's order: what it is, and the drawing.
fn histograms(rows: &[HistogramRow]) -> Vec<(String, String)> {
    let mut found: Vec<(&str, bool, Vec<&HistogramRow>)> = Vec::new();
    for row in rows {
        let of = (row.parameter.as_str(), row.is_gradient);
        match found
            .iter_mut()
            .find(|(name, kind, _)| (*name, *kind) == of)
        {
            Some((.., own)) => own.push(row),
            None => found.push((of.0, of.1, vec![row])),
        }
    }
    // Parameters first, then gradients.
    found.sort_by_key(|(_, is_gradient, _)| *is_gradient);
    let drawn = found.into_iter().map(|(name, is_gradient, rows)| {
        let what = if is_gradient { ", gradient" } else { "" };
        (format!("{name}{what}"), ridges(&rows))
    });
    drawn.collect()
}

fn log_line(step: &StepRow) -> [String; 7] {
    [
        duration(step.time_s),
        step.epoch.to_string(),
        format!("{}/{}", step.done, step.of),
        format!("{:.4}", step.loss),
        format!("{:.4}", step.accuracy),
        format!("{:.3e}", step.lr),
        format!("{:.0}", step.images_per_s),
    ]
}
