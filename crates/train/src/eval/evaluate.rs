//! Evaluating weights that are on disk: a run, one of its checkpoints, or a weight file by itself.

use std::path::{Path, PathBuf};

use data::{DataSet, Split};
use model::Network;
use tensor::Device;

use crate::error::{Error, Result};
use crate::eval::class_names::match_images;
use crate::eval::evaluator::Evaluator;
use crate::eval::score::Score;
use crate::recipe::Recipe;
use crate::run::checkpoint::{self, Part};
use crate::run::dir::RunDir;

/// Weights on disk, and how they were trained, if that is known.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The weight file.
    pub path: PathBuf,
    /// The recipe of the run that the file lies in.
    pub recipe: Option<Recipe>,
    /// Whether they are a checkpoint's from before there were checksums, so that nothing tells whether they are whole.
    pub is_unchecked: bool,
}

/// The scores of weights on a split.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The figures.
    pub score: Score,
    /// The names of the classes that the figures are of, in the order of the network's logits.
    pub classes: Vec<String>,
    /// How classes were matched, if that is not as anybody would think.
    pub note: Option<String>,
}

impl Weights {
    /// Finds the weights that `path` means: a run's best checkpoint (its last, if none is better), a checkpoint
    /// folder's, or the file itself. Those of a checkpoint are checked against its checksums.
    ///
    /// ```
    /// use model::layers::{Dense, Flatten};
    /// use train::{RunDir, Trainer, Weights};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let run = folder.path().join("run");
    /// let data = data::Shapes10::default().with_sizes(32, 16, 16).generate()?;
    /// let trainer = Trainer::builder(data).layers("linear", vec![Flatten::new().into(), Dense::new(10).into()])?;
    /// let mut trainer = trainer.epochs(1).build(&tensor::Device::cpu())?;
    /// trainer.save_to(RunDir::create(&run, trainer.recipe())?)?;
    /// trainer.run(&false.into(), &mut |_: train::Event<'_>| {})?;
    /// assert_eq!(Weights::find(&run)?.path, run.join("checkpoints/best/model.safetensors"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoRun`] if a folder has no weights; [`Error::Damaged`] if they are not those that were saved; if the run's
    /// recipe can't be read.
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
            let folder = checkpoint::present(&run.checkpoint(name));
            if folder.exists() {
                return Ok(Self {
                    path: checkpoint::model_path(&folder),
                    recipe: Some(run.recipe()?),
                    is_unchecked: !checkpoint::verify(&folder, &[Part::Model])?,
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
        // Under another name it is a copy, and has its own digest.
        let folder = path.parent().unwrap_or(path);
        let is_of_checkpoint =
            checkpoint::model_path(folder) == path && checkpoint::is_checkpoint(folder);
        Ok(Self {
            path: path.to_owned(),
            recipe,
            is_unchecked: is_of_checkpoint && !checkpoint::verify(folder, &[Part::Model])?,
        })
    }
}

/// Scores the weights in a file on one split of a data set, prepared as `recipe` says, in its `input_size` where it has one.
/// `progress` is called with batches done and in all. Classes are matched by their names, where the weights have them.
///
/// ```
/// use data::{Shapes10, Split};
/// use model::{Architecture, Format, Network, layers::{Dense, Flatten}};
/// use tensor::Device;
///
/// let folder = tempfile::tempdir()?;
/// let weights = folder.path().join("linear.safetensors");
/// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
/// let architecture = Architecture::from_layers("linear", [32, 32, 3], layers)?;
/// Network::new(architecture, 1, &Device::cpu())?.export(Format::Safetensors, None, &weights)?;
///
/// let data = Shapes10::default().with_sizes(20, 10, 10).generate()?;
/// let recipe = train::Recipe::named("shapes10")?;
/// let scored = train::evaluate(&weights, &recipe, &data, Split::Test, &Device::cpu(), &mut |_, _| {})?;
/// assert_eq!((scored.score.images, scored.classes.len()), (10, 10));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the weights can't be read or do not suit the data set ([`Error::Classes`]), it has no such split, or the device fails;
/// [`Error::NotFinite`] if the weights give NaN.
pub fn evaluate(
    weights: &Path,
    recipe: &Recipe,
    data: &DataSet,
    split: Split,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Scored> {
    let network = open(weights, recipe, device)?;
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
    let classes = network.architecture().classes();
    let matched = match_images(weights, network.class_names(), classes, images)?;
    let tta = recipe.evaluation.tta;
    let score = Evaluator::new(&network, matched.images, &recipe, tta)?.run(progress)?;
    if !score.loss.is_finite() {
        return Err(Error::NotFinite {
            weights: weights.to_owned(),
            found: match score.confusion.unanswered() {
                0 => format!("a loss of {}", score.loss),
                n => format!("NaN for {n} of {} images", score.images),
            },
        });
    }
    Ok(Scored {
        score,
        classes: matched.classes,
        note: matched.note,
    })
}

/// The network in a weight file, for images of the recipe's size.
pub(crate) fn open(weights: &Path, recipe: &Recipe, device: &Device) -> Result<Network> {
    let network = Network::open(weights, device)?;
    Ok(match recipe.input_size {
        Some(size) => network.for_input_size(size)?,
        None => network,
    })
}
