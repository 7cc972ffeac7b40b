//! `report.html`: one run, or several side by side, as one file that needs no network and no script.

pub(crate) mod tables;

use std::path::{Path, PathBuf};

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;
use serde_json::{Value, json};
use train::Row;

use self::tables::{
    ProfileTable, duration, metrics, percent, profile, side_by_side, speed, thousands,
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

const SECTIONS: [&str; 9] = [
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
const COLUMNS: [&str; 13] = [
    "epoch",
    "step",
    "lr",
    "train loss",
    "train accuracy",
    "val loss",
    "val accuracy",
    "val top 5",
    "val F1",
    "test accuracy",
    "test F1",
    "images/s",
    "seconds",
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
    let run = Run::read(folder)?;
    let gallery = Gallery::of(&run)?;
    gallery.save(&run)?;
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
    let configurations = runs.iter().map(|run| serde_json::to_value(&run.recipe));
    let configurations: Vec<_> = configurations
        .map(|value| value.unwrap_or_default())
        .collect();
    render(
        "report.html",
        TEMPLATE,
        &json!({
            "title": title,
            "subtitle": subtitle,
            "several": several,
            "style": STYLE,
            "sections": SECTIONS,
            "columns": COLUMNS,
            "runs": parts,
            "comparison": comparison.iter().map(figure).collect::<Vec<_>>(),
            "metrics": metrics(runs),
            "speed": speed(runs),
            "configuration": side_by_side(&configurations),
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
    epochs: Vec<EpochLine>,
    profile: Option<ProfileTable>,
}

#[derive(Serialize)]
struct Figure {
    id: String,
    title: String,
    svg: String,
    wide: bool,
    /// Pixels that it is enlarged to at most.
    most: u32,
}

#[derive(Serialize)]
struct EpochLine {
    cells: Vec<String>,
    best: bool,
}

fn part(run: &Run, gallery: &Gallery) -> Part {
    let best = run.best().map(|row| row.epoch);
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
        epochs: run.rows.iter().map(|row| epoch(row, best)).collect(),
        profile: run.profile.as_ref().map(profile),
    }
}

fn figure(plot: &Plot) -> Figure {
    let svg = plot.inline();
    let width = svg
        .split_once(WIDE)
        .and_then(|(_, rest)| rest.split_once('"'));
    let width: u32 = width.and_then(|(text, _)| text.parse().ok()).unwrap_or(0);
    Figure {
        id: format!("plot-{}", plot.name()),
        title: plot.title().to_owned(),
        svg: svg.to_owned(),
        wide: width > WIDE_PIXELS,
        most: width * 5 / 4,
    }
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

fn epoch(row: &Row, best: Option<u64>) -> EpochLine {
    let optional = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.4}"));
    EpochLine {
        cells: vec![
            row.epoch.to_string(),
            row.step.to_string(),
            format!("{:.3e}", row.lr),
            format!("{:.4}", row.train_loss),
            format!("{:.4}", row.train_accuracy),
            optional(row.val_loss),
            optional(row.val_accuracy),
            optional(row.val_top5),
            optional(row.val_macro_f1),
            optional(row.test_accuracy),
            optional(row.test_macro_f1),
            format!("{:.0}", row.images_per_s),
            format!("{:.1}", row.seconds),
        ],
        best: best == Some(row.epoch),
    }
}
