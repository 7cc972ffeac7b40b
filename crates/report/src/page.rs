//! `report.html`: one run, or several side by side, as one file that needs no network and no script.

mod epochs;
mod settings;
pub(crate) mod tables;

use std::path::{Path, PathBuf};

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;
use serde_json::{Value, json};

use self::epochs::{Epochs, epochs};
use self::settings::settings;
use self::tables::{
    ProfileTable, duration, megabytes, metrics, percent, profile, side_by_side, speed, thousands,
};
use crate::error::Result;
use crate::gallery::{Gallery, comparison};
use crate::run::{Run, RunState};
use crate::svg::Plot;

const TEMPLATE: &str = include_str!("../templates/report.html");
/// The style sheet that all pages share.
pub(crate) const STYLE: &str = include_str!("../templates/style.css");

/// The file of a run's report.
pub(crate) const REPORT: &str = "report.html";

const SECTIONS: [&str; 10] = [
    "Commands",
    "Curves",
    "Metrics",
    "Confusion matrix",
    "Samples",
    "Mistakes",
    "Kernels",
    "Speed",
    "Configuration",
    "Environment",
];
/// Plots by section, and what is said where there are none.
const FIGURES: [(&str, &[&str], &str); 5] = [
    (
        "curves",
        &["loss", "accuracy", "f1", "learning-rate", "lr-finder"],
        "No epoch is done yet.",
    ),
    (
        "confusion",
        &["confusion", "classes"],
        "There is no evaluation.json in the run's folder: it was stopped before its end, or is of an older version.",
    ),
    ("samples", &["samples"], "No samples."),
    (
        "mistakes",
        &["mistakes"],
        "No mistakes among the images that were asked.",
    ),
    (
        "kernels",
        &[
            "kernels",
            "kernels-one-scale",
            "kernels-change",
            "kernels-epochs",
            "activations",
            "augmented",
        ],
        "The first layer does not see colours.",
    ),
];
/// The sections whose plots need weights and images.
const IMAGES: [&str; 3] = ["samples", "mistakes", "kernels"];
/// Wider plots take a line of their own.
const WIDE: &str = "width=\"";
const WIDE_PIXELS: u32 = 640;

/// What was written for a run.
#[derive(Clone, Debug)]
pub struct Written {
    /// `report.html`.
    pub report: PathBuf,
    /// The plots, which lie in `plots/`.
    pub gallery: Gallery,
}

/// Draws a run's plots into `RUN/plots` and writes `RUN/report.html`.
///
/// ```
/// use model::layers::{Dense, Flatten};
/// use train::{RunDir, Trainer};
///
/// let folder = tempfile::tempdir()?;
/// let run = folder.path().join("run");
/// let data = data::Shapes10::default().with_sizes(32, 16, 16).generate()?;
/// let trainer = Trainer::builder(data).layers("linear", vec![Flatten::new().into(), Dense::new(10).into()])?;
/// let mut trainer = trainer.epochs(2).build(&tensor::Device::cpu())?;
/// trainer.save_to(RunDir::create(&run, trainer.recipe())?)?;
/// trainer.run(&false.into(), &mut |_: train::Event<'_>| {})?;
/// let written = report::write_report(&run)?;
/// assert!(written.report.is_file() && written.gallery.get("loss").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the folder is not a run, or a file can't be read, drawn or written.
pub fn write_report(folder: &Path) -> Result<Written> {
    write_report_telling(folder, &mut |_, _, _| {})
}

/// As [`write_report`]; `tell` hears how far it is: what is drawn, how much of it is done, and how much there is.
///
/// # Errors
/// As [`write_report`].
pub fn write_report_telling(
    folder: &Path,
    tell: &mut dyn FnMut(&str, usize, usize),
) -> Result<Written> {
    let run = Run::read(folder)?;
    let gallery = Gallery::drawn(&run, tell)?;
    gallery.save_telling(&run, tell)?;
    let report = folder.join(REPORT);
    files::replace(
        &report,
        page(&[run], std::slice::from_ref(&gallery))?.as_bytes(),
    )?;
    Ok(Written { report, gallery })
}

/// Writes one page about several runs, side by side, to `out`.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let recipe = train::Recipe::named("shapes10")?;
/// let runs = ["first", "second"].map(|name| folder.path().join(name));
/// for run in &runs {
///     train::RunDir::create(run, &recipe)?;
/// }
/// let page = folder.path().join("comparison.html");
/// report::write_comparison(&runs, &page)?;
/// assert!(page.metadata()?.len() > 1000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`write_report`].
pub fn write_comparison(folders: &[PathBuf], out: &Path) -> Result<()> {
    let runs = folders.iter().map(|folder| Run::read(folder));
    let runs = runs.collect::<Result<Vec<_>>>()?;
    let galleries = runs.iter().map(Gallery::of).collect::<Result<Vec<_>>>()?;
    Ok(files::replace(out, page(&runs, &galleries)?.as_bytes())?)
}

/// The page.
fn page(runs: &[Run], galleries: &[Gallery]) -> Result<String> {
    let several = runs.len() > 1;
    let comparison = if several {
        comparison(runs)?
    } else {
        Vec::new()
    };
    let parts: Vec<_> = runs
        .iter()
        .zip(galleries)
        .map(|(run, gallery)| part(run, gallery))
        .collect();
    let title = match runs {
        [run] => run.name.clone(),
        _ => format!("{} runs compared", runs.len()),
    };
    let subtitle = match runs {
        [run] => subtitle(run),
        _ => {
            let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
            names.join(", ")
        }
    };
    let environments = runs.iter().map(|run| run.environment.clone());
    let environments: Vec<_> = environments.map(Option::unwrap_or_default).collect();
    render(
        "report.html",
        TEMPLATE,
        &json!({
            "title": title,
            "subtitle": subtitle,
            "several": several,
            "style": STYLE,
            "sections": SECTIONS,
            "runs": parts,
            "comparison": comparison.iter().map(figure).collect::<Vec<_>>(),
            "metrics": metrics(runs),
            "speed": speed(runs),
            "settings": settings(runs),
            "commands": commands(runs),
            "environment": side_by_side(&environments),
        }),
    )
}

/// A page from a template; everything is escaped but what the template calls safe.
pub(crate) fn render(name: &str, template: &str, context: &impl Serialize) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    Ok(environment.render_named_str(name, template, Serde(context))?)
}

#[derive(Serialize)]
struct Part {
    name: String,
    /// What is said in a section without figures.
    absent: serde_json::Map<String, Value>,
    cards: Vec<(&'static str, String)>,
    figures: serde_json::Map<String, Value>,
    epochs: Epochs,
    profile: Option<ProfileTable>,
}

#[derive(Serialize)]
struct Figure {
    id: String,
    title: String,
    svg: String,
    wide: bool,
    /// Whether it is one picture; else its parts are laid out by the page.
    is_drawn: bool,
    /// Pixels that it is enlarged to at most.
    most: u32,
}

fn part(run: &Run, gallery: &Gallery) -> Part {
    let (mut figures, mut absent) = (serde_json::Map::new(), serde_json::Map::new());
    for (section, names, reason) in FIGURES {
        let plots = names.iter().filter_map(|name| gallery.get(name));
        let plots: Vec<_> = plots.map(figure).collect();
        let plots = serde_json::to_value(plots).unwrap_or_default();
        figures.insert(section.to_owned(), plots);
        let reason = match &gallery.missing {
            Some(reason) if IMAGES.contains(&section) => {
                format!("Images could not be drawn: {reason}")
            }
            _ => reason.to_owned(),
        };
        absent.insert(section.to_owned(), Value::String(reason));
    }
    Part {
        name: run.name.clone(),
        absent,
        cards: cards(run),
        figures,
        epochs: epochs(run),
        profile: run.profile.as_ref().map(profile),
    }
}

fn figure(plot: &Plot) -> Figure {
    let svg = plot.inline();
    let width = svg
        .split_once(WIDE)
        .and_then(|(_, rest)| rest.split_once('"'));
    let width: u32 = width.and_then(|(text, _)| text.parse().ok()).unwrap_or(0);
    let tiles = plot.html();
    Figure {
        id: format!("plot-{}", plot.name()),
        title: plot.title().to_owned(),
        svg: tiles.unwrap_or(svg).to_owned(),
        wide: width > WIDE_PIXELS || tiles.is_some(),
        is_drawn: tiles.is_none(),
        most: width * 5 / 4,
    }
}

/// What can be done with the runs, to be pasted into a shell.
fn commands(runs: &[Run]) -> Vec<String> {
    let path = |run: &Run| files::pasted(&files::shown(&run.path));
    let [run] = runs else {
        let paths: Vec<_> = runs.iter().map(path).collect();
        return vec![
            format!("alexnet report {}", paths.join(" ")),
            format!("alexnet predict {} IMAGE...", paths[0]),
        ];
    };
    let path = path(run);
    let mut commands = vec![
        format!("alexnet predict {path} IMAGE..."),
        format!("alexnet evaluate {path} --per-class"),
        format!("alexnet export {path} --format onnx --out model.onnx"),
    ];
    if run.state() == RunState::Stopped {
        commands.insert(0, format!("alexnet train --resume {path}"));
    }
    commands
}

fn subtitle(run: &Run) -> String {
    let state = match run.state() {
        RunState::Running => "still running when this was written",
        RunState::Finished => "complete",
        RunState::Stopped => "stopped before its end",
    };
    let recipe = &run.recipe;
    format!(
        "{} on {}, {} of {} epochs, {state}",
        recipe.network,
        recipe.dataset,
        run.rows.len(),
        recipe.epochs
    )
}

/// What a run takes on disk, but for its report.
fn bytes_of(run: &Run) -> Option<u64> {
    let all = files::folder_bytes(&run.path).ok()?;
    let report = std::fs::metadata(run.path.join(REPORT));
    Some(all.saturating_sub(report.map_or(0, |file| file.len())))
}

fn cards(run: &Run) -> Vec<(&'static str, String)> {
    let summary = run.summary.as_ref();
    let test = summary.and_then(|summary| summary.test_accuracy);
    let best = run.best();
    let cards = [
        ("test accuracy", test.map(percent)),
        (
            "test macro F1",
            summary
                .and_then(|s| s.test_macro_f1)
                .map(|f1| format!("{f1:.4}")),
        ),
        (
            "best validation accuracy",
            best.and_then(|row| row.val_accuracy).map(percent),
        ),
        ("best epoch", best.map(|row| row.epoch.to_string())),
        (
            "images/s in training",
            run.images_per_s().map(|speed| format!("{speed:.0}")),
        ),
        ("time", summary.map(|s| duration(s.wall_s))),
        ("parameters", summary.map(|s| thousands(s.parameters))),
        ("on disk, without this page", bytes_of(run).map(megabytes)),
        (
            "overfits since epoch",
            run.overfits_since().map(|epoch| epoch.to_string()),
        ),
    ];
    let cards = cards.into_iter();
    cards
        .filter_map(|(label, value)| Some((label, value?)))
        .collect()
}
