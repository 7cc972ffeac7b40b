//! The first layer's kernels: as they are at the end, by epoch, and how far they are from where they began.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use model::{Network, TensorFile};

use super::{byte, rgb};
use crate::error::{Error, Result};
use crate::plots::sheet::{Grid, Tile, sheet};
use crate::run::Run;
use crate::svg::{INK, Plot};

/// Kernels that are shown.
const MOST_KERNELS: usize = 256;
/// Kernels of an epoch, and epochs, where they stand side by side.
const IN_A_ROW: usize = 12;
const MOST_ROWS: usize = 12;
/// How the folders of kept checkpoints begin.
const EPOCH: &str = "epoch-";

/// The kernels of a convolution that sees grey or three colours, at some time.
struct Kernels {
    /// `[height, width, channels, filters]`.
    shape: [usize; 4],
    values: Vec<f32>,
}

/// The scale that kernels are shown on: grey is zero.
#[derive(Clone, Copy)]
enum Scale {
    /// Each from its own largest magnitude.
    Own,
    /// All from this one.
    One(f32),
}

impl Kernels {
    /// How many there are.
    fn filters(&self) -> usize {
        self.shape[3]
    }

    fn most(&self) -> f32 {
        let magnitudes = self.values.iter().map(|x| x.abs());
        magnitudes.fold(f32::MIN_POSITIVE, f32::max)
    }

    /// The difference from others of the same shape.
    fn minus(&self, other: &Self) -> Self {
        let pairs = self.values.iter().zip(&other.values);
        Self {
            shape: self.shape,
            values: pairs.map(|(a, b)| a - b).collect(),
        }
    }

    /// The root of the mean square.
    fn rms(&self) -> f64 {
        let squares = self.values.iter().map(|x| f64::from(*x).powi(2));
        let n = crate::plots::count(self.values.len().max(1));
        (squares.sum::<f64>() / n).sqrt()
    }

    fn tile(&self, filter: usize, scale: Scale, lines: Vec<String>) -> Tile {
        let [height, width, channels, filters] = self.shape;
        let kernel: Vec<f32> = self
            .values
            .iter()
            .skip(filter)
            .step_by(filters)
            .copied()
            .collect();
        let most = match scale {
            Scale::Own => kernel.iter().fold(f32::MIN_POSITIVE, |m, x| m.max(x.abs())),
            Scale::One(most) => most,
        };
        let shade = |x: &f32| vec![byte(0.5 + 0.5 * *x / most); 3 / channels];
        let bytes: Vec<u8> = kernel.iter().flat_map(shade).collect();
        Tile {
            image: Arc::new(rgb(&bytes, [height, width])),
            lines: lines.into_iter().map(|line| (line, INK)).collect(),
        }
    }

    fn sheet(&self, name: &str, title: &str, scale: Scale) -> Result<Option<Plot>> {
        let tiles = (0..self.filters().min(MOST_KERNELS))
            .map(|filter| self.tile(filter, scale, Vec::new()));
        let (columns, tile) = if self.filters() > 64 {
            (16, 33)
        } else {
            (8, 66)
        };
        sheet(
            name,
            title,
            Grid {
                columns,
                tile,
                flows: true,
            },
            &tiles.collect::<Vec<_>>(),
        )
    }
}

/// The kernels' name and shape in a network, if its first filters see grey or three colours.
fn place(network: &Network) -> Option<(String, [usize; 4])> {
    network.parameters().iter().find_map(|(name, tensor)| {
        match (name.ends_with(".weight"), &tensor.shape()[..]) {
            (true, &[height, width, channels @ (1 | 3), filters]) => {
                Some((name.clone(), [height, width, channels, filters]))
            }
            _ => None,
        }
    })
}

/// The sheets of a run's kernels: each at its own scale, all on one, their change since the start, and by epoch where
/// checkpoints of epochs are kept.
pub(super) fn plots(run: &Run, network: &Network) -> Result<Vec<Plot>> {
    let Some((name, shape)) = place(network) else {
        return Ok(Vec::new());
    };
    let found = network
        .parameters()
        .iter()
        .find(|(known, _)| *known == name);
    let values = found.map(|(_, tensor)| tensor.to_vec::<f32>());
    let values = values.transpose().map_err(train::Error::from)?;
    let now = Kernels {
        shape,
        values: values.unwrap_or_default(),
    };
    let [height, width, _, filters] = shape;
    let about = format!("The first layer's {filters} kernels of {height}x{width}");
    let most = now.most();
    let mut plots = Vec::new();
    plots.extend(now.sheet("kernels", &format!("{about}, grey is zero"), Scale::Own)?);
    let title = format!("{about} on one scale, from -{most:.3} to {most:.3}");
    plots.extend(now.sheet("kernels-one-scale", &title, Scale::One(most))?);
    let start = start(run, network, &name, shape);
    if let Some(start) = &start {
        let change = now.minus(start);
        let largest = change.most();
        let share = 100.0 * change.rms() / start.rms().max(f64::MIN_POSITIVE);
        let title = format!(
            "What training added to them, on one scale, from -{largest:.3} to {largest:.3}: {share:.0} % of what they began with"
        );
        plots.extend(change.sheet("kernels-change", &title, Scale::One(largest))?);
    }
    let kept = kept(run, &name, shape)?;
    if !kept.is_empty() {
        let began = start.map(|start| ("start".to_owned(), start));
        let rows: Vec<_> = began.into_iter().chain(kept).collect();
        plots.extend(by_epoch(&rows, &about)?);
    }
    Ok(plots)
}

/// A row for each time, on one scale.
fn by_epoch(rows: &[(String, Kernels)], about: &str) -> Result<Option<Plot>> {
    let most = rows
        .iter()
        .map(|(_, kernels)| kernels.most())
        .fold(0.0, f32::max);
    let every = rows.len().div_ceil(MOST_ROWS).max(1);
    // The last one is shown whatever the step.
    let shown = rows
        .iter()
        .rev()
        .step_by(every)
        .collect::<Vec<_>>()
        .into_iter()
        .rev();
    let mut tiles = Vec::new();
    for (label, kernels) in shown {
        let columns = kernels.filters().min(IN_A_ROW);
        for filter in 0..columns {
            let line = if filter == 0 {
                label.clone()
            } else {
                String::new()
            };
            tiles.push(kernels.tile(filter, Scale::One(most), vec![line]));
        }
    }
    let columns = rows
        .first()
        .map_or(1, |(_, kernels)| kernels.filters().min(IN_A_ROW));
    let title = format!("{about} by epoch, the first {columns} of them, on one scale");
    let grid = Grid {
        columns,
        tile: 48,
        flows: false,
    };
    sheet("kernels-epochs", &title, grid, &tiles)
}

/// The kernels that the run began with: its seed draws them again. None if it began with weights of a file.
fn start(run: &Run, network: &Network, name: &str, shape: [usize; 4]) -> Option<Kernels> {
    let recipe = &run.recipe;
    if recipe.from.is_some() {
        return None;
    }
    let own = network.architecture();
    let [_, _, channels] = own.input();
    let by_recipe = recipe.architecture(own.classes(), channels);
    let architecture = by_recipe.as_ref().unwrap_or(own);
    let (found, values) = architecture.initial_values(recipe.seed, name)?;
    (found[..] == shape[..]).then_some(Kernels { shape, values })
}

/// The kernels of the epochs whose checkpoints are kept, by epoch.
fn kept(run: &Run, name: &str, shape: [usize; 4]) -> Result<Vec<(String, Kernels)>> {
    let folder = run.path.join("checkpoints");
    let Ok(entries) = fs::read_dir(&folder) else {
        return Ok(Vec::new());
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let number = |path: &PathBuf| -> Option<u64> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix(EPOCH)?.parse().ok()
    };
    let mut epochs: Vec<_> = paths
        .filter_map(|path| Some((number(&path)?, path)))
        .collect();
    epochs.sort();
    let mut kept = Vec::new();
    for (epoch, path) in epochs {
        let file = TensorFile::open(&path.join("model.safetensors")).map_err(Error::from)?;
        let (mut found, _) = file
            .read_matching(&[(name.to_owned(), shape.to_vec())])
            .map_err(Error::from)?;
        if let Some(values) = found.pop().flatten() {
            kept.push((format!("epoch {epoch}"), Kernels { shape, values }));
        }
    }
    Ok(kept)
}
