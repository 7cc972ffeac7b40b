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
    /// A recipe has no such setting.
    #[error("{place}: no setting '{}'", files::escape(key))]
    UnknownSetting {
        /// A file with the place in it, or the flag.
        place: String,
        /// The setting's name, with those of the tables around it where they are known.
        key: String,
        /// The settings that can be in its place.
        known: Vec<String>,
    },
    /// Training diverged: a loss or a weight is not finite. Checkpoints keep the last finite state.
    #[error("training diverged: {of} is {found} {}", steps(*first, *step))]
    Diverged {
        /// What: `the loss` of training, `the validation loss`, `the test loss`, or a parameter.
        of: String,
        /// The first step that can have caused it: losses are read back every few steps, on the CPU after each.
        first: u64,
        /// The step after which it was seen, counted from 1 over the whole run.
        step: u64,
        /// `NaN`, `inf` or `-inf`, and of a parameter at which element.
        found: String,
    },
    /// A network's output is not finite.
    #[error("{}: expected finite logits, found {found}", files::shown(weights))]
    NotFinite {
        /// The weight file.
        weights: PathBuf,
        /// Which output, and for which image.
        found: String,
    },
    /// The folder for a new run is not empty.
    #[error("{}: there is a run already", files::shown(path))]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that should hold a run does not.
    #[error("{}: no run here: expected {expected}", files::shown(path))]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// What should be in it.
        expected: &'static str,
    },
    /// A file of a run or a recipe is damaged or of another version.
    #[error("{}: {message}", files::shown(path))]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// Images are of a class that the network does not know.
    #[error(
        "{}: the network knows no class '{}'",
        files::shown(path),
        files::escape(class)
    )]
    Classes {
        /// The weight file.
        path: PathBuf,
        /// The class, as the data set calls it.
        class: String,
        /// The classes that it knows.
        known: Vec<String>,
    },
    /// A file of a checkpoint is not the one that was saved: its checksum differs.
    #[error(
        "{}: damaged: its SHA-256 is {found}, where {expected} was saved",
        files::shown(path)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The digest in `state.json`.
        expected: String,
        /// The file's.
        found: String,
    },
    /// Another process is training in this folder.
    #[error("{}: in use by {holder}", files::shown(path))]
    InUse {
        /// The run's folder.
        path: PathBuf,
        /// Who trains there: process, machine, since when.
        holder: String,
    },
    /// The images differ from those that the run began with.
    #[error(
        "{}: the images are not those of this run: {changes}",
        files::shown(path)
    )]
    DataChanged {
        /// The file that remembers them.
        path: PathBuf,
        /// What changed, before and after.
        changes: String,
        /// Whether the run can go on with them, as its classes are the same.
        can_go_on: bool,
    },
    /// Settings changed that must stay the same within a run.
    #[error(
        "{}: these settings can't change when a run is resumed: {changes}",
        files::shown(path)
    )]
    ConfigChanged {
        /// The run's `config.toml`.
        path: PathBuf,
        /// Keys, with the values that the run began with and those that are there now.
        changes: String,
    },
    /// The operating system refused an operation on a file or folder.
    #[error("{}: cannot {action}", files::shown(path))]
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
