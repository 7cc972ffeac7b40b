//! What can go wrong in this crate, by cause.

use std::io;
use std::path::PathBuf;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a training run, a recipe or a run folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting makes no sense, alone or together with the data set.
    #[error("{setting}: expected {expected}, got {got}")]
    Setting {
        /// The setting, as it is called in a recipe.
        setting: &'static str,
        /// What it must be.
        expected: String,
        /// What it was.
        got: String,
    },
    /// No recipe has this name.
    #[error("no recipe '{name}'; there are {known}")]
    UnknownRecipe {
        /// The name as given.
        name: String,
        /// The names there are, comma-separated.
        known: String,
    },
    /// A loss is not finite any more. Checkpoints are still those of before.
    #[error("training diverged: the {of} is {loss} {}", steps(*first, *step))]
    Diverged {
        /// Which: `loss` of training, `validation loss`, `test loss`, or `sum of the weights`.
        of: &'static str,
        /// The first step whose loss can be meant: the losses are read every few steps, on the CPU after each.
        first: u64,
        /// The step after which it was seen, counted from 1 over the whole run.
        step: u64,
        /// Not a number, or infinite.
        loss: f64,
    },
    /// A network computes what is not finite.
    #[error("{}: expected finite logits, found {found}", weights.display())]
    NotFinite {
        /// The weight file.
        weights: PathBuf,
        /// What it computes, and of which image.
        found: String,
    },
    /// A folder for a new run holds something already.
    #[error("{}: there is a run already", path.display())]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that should hold a run does not.
    #[error("{}: no run here: expected {expected}", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// What should be in it.
        expected: &'static str,
    },
    /// A file of a run or a recipe is damaged or of another version.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// The operating system refused an operation on a file or folder.
    #[error("{}: cannot {action}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The device can't be had.
    #[error(transparent)]
    Device(tensor::Error),
    /// A file can't be opened, read or replaced.
    #[error(transparent)]
    File(#[from] files::Error),
    /// The data set can't be read.
    #[error(transparent)]
    Data(#[from] data::DataError),
    /// The network, or a weight file.
    #[error(transparent)]
    Model(#[from] model::Error),
    /// A tensor operation, or the device.
    #[error(transparent)]
    Tensor(#[from] tensor::Error),
}

impl Error {
    /// Makes the closure that turns an [`io::Error`] on `path` into [`Error::Io`].
    pub(crate) fn io(
        path: impl Into<PathBuf>,
        action: &'static str,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            path,
            action,
            source,
        }
    }

    /// An [`Error::Setting`].
    pub(crate) fn setting(
        setting: &'static str,
        expected: impl Into<String>,
        got: impl ToString,
    ) -> Self {
        Self::Setting {
            setting,
            expected: expected.into(),
            got: got.to_string(),
        }
    }
}

fn steps(first: u64, last: u64) -> String {
    if first == last {
        format!("at step {last}")
    } else {
        format!("between steps {first} and {last}")
    }
}
