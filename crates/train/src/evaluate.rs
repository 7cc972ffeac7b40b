//! Evaluating weights that are on disk: a run, one of its checkpoints, or a weight file by itself.

use std::path::{Path, PathBuf};

use data::{DataSet, Split};
use model::Network;
use tensor::Device;

use crate::checkpoint;
use crate::error::{Error, Result};
use crate::evaluator::Evaluator;
use crate::recipe::Recipe;
use crate::run_dir::RunDir;
use crate::score::Score;

/// Weights on disk, and how they were trained, if that is known.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The weight file.
    pub path: PathBuf,
    /// The recipe of the run that the file lies in.
    pub recipe: Option<Recipe>,
}

impl Weights {
    /// Finds the weights that `path` means: a run's best checkpoint (its last, if none is better), a checkpoint
    /// folder's, or the file itself.
    ///
    /// # Errors
    /// [`Error::NoRun`] if a folder has no weights; if the run's recipe can't be read.
    pub fn find(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Self::in_file(path);
        }
        let Ok(run) = RunDir::open(path) else {
            let file = checkpoint::model_path(path);
            if file.is_file() {
                return Self::in_file(&file);
            }
            return Err(Error::NoRun {
                path: path.to_owned(),
                expected: "config.toml or model.safetensors",
            });
        };
        // Of a run that its time ended, the last weights may be better than those of any whole epoch.
        let is_last_tested = run
            .summary()?
            .is_some_and(|summary| summary.weights == "last");
        let names = if is_last_tested {
            ["last", "best"]
        } else {
            ["best", "last"]
        };
        for name in names {
            let folder = run.checkpoint(name);
            checkpoint::recover(&folder)?;
            let file = checkpoint::model_path(&folder);
            if file.is_file() {
                return Ok(Self {
                    path: file,
                    recipe: Some(run.recipe()?),
                });
            }
        }
        Err(Error::NoRun {
            path: path.to_owned(),
            expected: "a checkpoint: the run was stopped before its first",
        })
    }

    /// A weight file, which may lie in `RUN/checkpoints/NAME`.
    fn in_file(path: &Path) -> Result<Self> {
        let run = path.ancestors().nth(3).map(RunDir::open);
        let recipe = match run {
            Some(Ok(run)) => Some(run.recipe()?),
            _ => None,
        };
        Ok(Self {
            path: path.to_owned(),
            recipe,
        })
    }
}

/// Scores the weights in a file on one split of a data set, prepared as `recipe` says, in its `input_size` where it has one. `progress` is told of batches done
/// and batches in all.
///
/// # Errors
/// If the weights can't be read or do not suit the data set, it has no such split, or the device fails.
pub fn evaluate(
    weights: &Path,
    recipe: &Recipe,
    (data, split): (&DataSet, Split),
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Score> {
    let network = open(weights, recipe, device)?;
    let (classes, known) = (data.class_names().len(), network.architecture().classes());
    if classes != known {
        let expected = format!("{known} classes, as {} has", weights.display());
        let got = format!("{classes} in {}", data.name);
        return Err(Error::setting("data set", expected, got));
    }
    let images = data.split(split).ok_or_else(|| {
        Error::setting(
            "split",
            "one that the data set has",
            format!("{split:?}").to_lowercase(),
        )
    })?;
    let images = match recipe.limit {
        Some(limit) => images.limit(limit)?,
        None => images.clone(),
    };
    let mut recipe = recipe.clone();
    recipe.images.resolve(&data.train)?;
    Evaluator::new(&network, images, &recipe, recipe.evaluation.views)?.run(progress)
}

/// The network in a weight file, for images of the recipe's size.
pub(crate) fn open(weights: &Path, recipe: &Recipe, device: &Device) -> Result<Network> {
    let network = Network::open(weights, device)?;
    Ok(match recipe.input_size {
        Some(size) if size != network.architecture().input_size() => {
            network.for_input_size(size)?
        }
        _ => network,
    })
}
