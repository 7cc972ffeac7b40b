//! All plots of a run: from its files alone, and from its weights and images.

mod run_curves;

use plotters::style::RGBColor;
use train::StepRow;

use crate::error::Result;
use crate::plots::curves::{Curves, Look, Series, rate_finder};
use crate::plots::{bars, confusion, count};
use crate::run::Run;
use crate::sheets::{Sheets, Shown};
use crate::svg::{Plot, SERIES};

pub(crate) use run_curves::curves;

/// The folder of a run's plots.
pub(crate) const PLOTS: &str = "plots";

/// The plots of a run.
#[derive(Clone, Debug, Default)]
pub struct Gallery {
    /// What there is.
    pub plots: Vec<Plot>,
    /// Why the sheets of images are not there.
    pub missing: Option<String>,
}

impl Gallery {
    /// Draws everything that a run's folder gives. Where the weights or images can't be had, the sheets that need them are
    /// left out, and [`Gallery::missing`] says why.
    ///
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("run");
    /// train::RunDir::create(&path, &train::Recipe::named("shapes10")?)?;
    /// let gallery = report::Gallery::of(&report::Run::read(&path)?)?;
    /// println!("left out: {:?}", gallery.missing);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If a plot can't be drawn.
    pub fn of(run: &Run) -> Result<Self> {
        Self::drawn(run, &mut |_, _, _| {})
    }

    /// The same; `tell` hears how far it is.
    pub(crate) fn drawn(run: &Run, tell: &mut dyn FnMut(&str, usize, usize)) -> Result<Self> {
        let mut plots = curves(run)?;
        plots.extend(rate_finder(&run.rates)?);
        if let Some(evaluation) = &run.evaluation {
            plots.extend(confusion::confusion(
                &evaluation.classes,
                &evaluation.confusion,
            )?);
            plots.extend(bars::classes(&evaluation.per_class)?);
        }
        let sheets = Sheets::open(run).and_then(|sheets| sheets.plots(tell));
        let missing = match sheets {
            Ok(sheets) => {
                plots.extend(sheets);
                None
            }
            Err(error) => Some(error.to_string()),
        };
        Ok(Self { plots, missing })
    }

    /// What a layer, by name, makes of one image, drawn from a run's best weights.
    ///
    /// # Errors
    /// If there is no such layer or image, or the weights or images can't be had.
    pub fn activations(run: &Run, layer: &str, image: Shown<'_>) -> Result<Option<Plot>> {
        Sheets::open(run)?.activations_of(layer, &image)
    }

    /// The plot of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Plot> {
        self.plots.iter().find(|plot| plot.name() == name)
    }

    /// Writes each plot as SVG and PNG into `RUN/plots`.
    ///
    /// # Errors
    /// If a plot can't be rasterised, or a file can't be written.
    pub fn save(&self, run: &Run) -> Result<()> {
        self.save_telling(run, &mut |_, _, _| {})
    }

    /// The same; `tell` hears how far it is.
    pub(crate) fn save_telling(
        &self,
        run: &Run,
        tell: &mut dyn FnMut(&str, usize, usize),
    ) -> Result<()> {
        let folder = run.path.join(PLOTS);
        files::create_folder(&folder)?;
        for (plot, done) in self.plots.iter().zip(0..) {
            tell("plots", done, self.plots.len());
            plot.save(&folder)?;
        }
        tell("plots", self.plots.len(), self.plots.len());
        Ok(())
    }
}

fn line(label: &str, colour: RGBColor, points: Vec<(f64, f64)>, look: Look) -> Series {
    Series {
        label: label.to_owned(),
        colour,
        points,
        look,
    }
}

/// A figure of an epoch, if it has it.
type Value = fn(&train::Row) -> Option<f64>;

/// Several runs in one plot each: validation accuracy and loss where there are any, training's otherwise.
pub(crate) fn comparison(runs: &[Run]) -> Result<Vec<Plot>> {
    let has_validation = runs
        .iter()
        .any(|run| run.rows.iter().any(|row| row.val_accuracy.is_some()));
    let split = if has_validation {
        "validation"
    } else {
        "training"
    };
    let series = |value: Value| {
        let lines = runs.iter().enumerate().map(|(idx, run)| Series {
            label: crate::plots::shortened(&run.name, 28),
            colour: SERIES[idx % SERIES.len()],
            points: epochs(run, value),
            look: Look::Solid,
        });
        lines.filter(|line| !line.points.is_empty()).collect()
    };
    let most = runs.iter().map(most_loss).fold(0.0, f64::max);
    let curves = |name, title, y, most, value: Value| Curves {
        name,
        title,
        y,
        series: series(value),
        marks: Vec::new(),
        notes: Vec::new(),
        most,
    };
    let [accuracy, loss]: [Value; 2] = if has_validation {
        [|row| row.val_accuracy, |row| row.val_loss]
    } else {
        [|row| Some(row.train_accuracy), |row| Some(row.train_loss)]
    };
    let [train_loss, rate]: [Value; 2] = [|row| Some(row.train_loss), |row| Some(row.lr)];
    let title = |of| format!("{split} {of}");
    let mut all = vec![
        curves(
            "compare-accuracy",
            title("accuracy"),
            "accuracy",
            Some(1.0),
            accuracy,
        ),
        curves("compare-loss", title("loss"), "loss", Some(most), loss),
    ];
    if has_validation {
        let title = "training loss".to_owned();
        all.push(curves(
            "compare-train-loss",
            title,
            "loss",
            Some(most),
            train_loss,
        ));
    }
    let title = "learning rate".to_owned();
    all.push(curves("compare-learning-rate", title, "rate", None, rate));
    let plots = all.iter().map(Curves::plot).collect::<Result<Vec<_>>>()?;
    Ok(plots.into_iter().flatten().collect())
}

fn epochs(run: &Run, value: fn(&train::Row) -> Option<f64>) -> Vec<(f64, f64)> {
    let points = run
        .rows
        .iter()
        .map(|row| Some((at(row.epoch), value(row)?)));
    points.flatten().collect()
}

#[expect(clippy::cast_precision_loss, reason = "epochs and steps are small")]
fn at(n: u64) -> f64 {
    n as f64
}

/// Steps of an epoch lie between its predecessor's number and its own.
fn place(step: &StepRow) -> f64 {
    at(step.epoch) - 1.0 + count(step.done) / count(step.of.max(1))
}

fn step_losses(run: &Run) -> Vec<(f64, f64)> {
    let points = run.steps.iter().map(|step| (place(step), step.loss));
    points.collect()
}

/// From the steps where they are known: within an epoch the rate may rise and fall.
fn rates(run: &Run) -> Vec<(f64, f64)> {
    if run.steps.len() > run.rows.len() {
        return run
            .steps
            .iter()
            .map(|step| (place(step), step.lr))
            .collect();
    }
    epochs(run, |row| Some(row.lr))
}

/// Single steps may lose far more than any epoch does; they are cut off at one and a half times the worst epoch.
fn most_loss(run: &Run) -> f64 {
    let losses = run
        .rows
        .iter()
        .flat_map(|row| [Some(row.train_loss), row.val_loss])
        .flatten();
    let worst = losses.filter(|loss| loss.is_finite()).fold(0.0, f64::max);
    if worst > 0.0 { 1.5 * worst } else { f64::MAX }
}

/// Where a piecewise constant learning rate changes: between epochs. A rate that changes all the time has no steps.
fn rate_steps(run: &Run) -> Vec<f64> {
    let rates: Vec<f64> = run.rows.iter().map(|row| row.lr).collect();
    let changed = |idx: usize| -> Option<bool> {
        let (before, after) = (*rates.get(idx.checked_sub(1)?)?, *rates.get(idx)?);
        Some((after - before).abs() > 1e-3 * before.abs())
    };
    let is_step = |idx: usize| {
        let stable = |idx: Option<usize>| idx.and_then(changed) == Some(false);
        changed(idx) == Some(true) && (stable(idx.checked_sub(1)) || stable(Some(idx + 1)))
    };
    let steps = (1..rates.len()).filter(|idx| is_step(*idx));
    steps
        .map(|idx| at(run.rows[idx].epoch) - 1.0)
        .take(12)
        .collect()
}

/// The mean of a figure over the epochs, weighted equally.
pub(crate) fn mean(run: &Run, value: fn(&train::Row) -> f64) -> Option<f64> {
    let sum: f64 = run.rows.iter().map(value).sum();
    (!run.rows.is_empty()).then(|| sum / count(run.rows.len()))
}
