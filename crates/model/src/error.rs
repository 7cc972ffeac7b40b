//! What can go wrong in this crate, by cause.

use std::io;
use std::path::PathBuf;

use files::{escape, shown};

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a network or a weight file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No network has this name.
    #[error("no network '{}'; there are {known}", escape(name))]
    UnknownNetwork {
        /// The name as given.
        name: String,
        /// The names there are, comma-separated.
        known: String,
    },
    /// A number that a network is built with makes no sense.
    #[error("{network}: {argument}: expected {expected}, got {got}")]
    Argument {
        /// The network.
        network: String,
        /// Which number.
        argument: &'static str,
        /// What it must be.
        expected: String,
        /// What it was.
        got: String,
    },
    /// A layer can't take the size of image that reaches it.
    #[error("{network}: layer {layer} can't take an input of {input}: {reason}")]
    LayerInput {
        /// The network.
        network: String,
        /// The layer's name.
        layer: String,
        /// The shape that reaches it, of one image.
        input: String,
        /// What it needs.
        reason: String,
    },
    /// The operating system refused an operation on a file.
    #[error("{}: cannot {action}", shown(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried, as a verb.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A file is not a weight file of this program, or is damaged.
    #[error(
        "{}: expected {}, found {}",
        shown(path),
        escape(expected),
        escape(found)
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What it must hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// A weight file's tensor is not the one that the network has.
    #[error(
        "{}: tensor {}: expected {}, found {}",
        shown(path),
        escape(tensor),
        escape(expected),
        escape(found)
    )]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// The shape that the network has, or "no such tensor".
        expected: String,
        /// The shape in the file, or "no such tensor".
        found: String,
    },
    /// A parameter is NaN or infinite.
    #[error("{tensor} holds {found}, where finite numbers are expected")]
    NotFinite {
        /// The parameter's name.
        tensor: String,
        /// What it holds, and where.
        found: String,
    },
    /// A weight file holds another network than the one it is read into.
    #[error(
        "{}: expected weights of {}, found weights of {}",
        shown(path),
        escape(expected),
        escape(found)
    )]
    OtherNetwork {
        /// The file.
        path: PathBuf,
        /// The network at hand.
        expected: String,
        /// The network in the file.
        found: String,
    },
    /// What was written does not compute what the network computes. Nothing was kept.
    #[error(
        "{}: not kept: read back, its logits differ from the network's by {difference:e}, where {tolerance:e} is rounding",
        shown(path)
    )]
    Export {
        /// The file.
        path: PathBuf,
        /// The largest difference of a logit.
        difference: f32,
        /// What rounding explains.
        tolerance: f32,
    },
    /// A file can't be opened, read or replaced.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A tensor operation failed.
    #[error(transparent)]
    Tensors(#[from] tensor::Error),
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

    /// An [`Error::Format`].
    pub(crate) fn format(
        path: impl Into<PathBuf>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Format {
            path: path.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}
