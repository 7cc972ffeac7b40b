//! What can go wrong in this crate, by cause.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a plot, a page, the dashboard or TensorBoard's file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
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
    /// A file of a run is damaged or of another version.
    #[error("{}: {message}", files::shown(path))]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// An image can't be drawn.
    #[error("plot {plot}: {message}")]
    Plot {
        /// Its name.
        plot: String,
        /// What is in the way.
        message: String,
    },
    /// A page can't be written.
    #[error("page: {0}")]
    Page(#[from] minijinja::Error),
    /// The dashboard can't listen.
    #[error("{address}: cannot listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The run folder, its recipe or its device.
    #[error(transparent)]
    Train(#[from] train::Error),
    /// The network, or a file.
    #[error(transparent)]
    Model(#[from] model::Error),
    /// A file can't be opened, read or replaced.
    #[error(transparent)]
    File(#[from] files::Error),
    /// The data set.
    #[error(transparent)]
    Data(#[from] data::DataError),
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

    /// An [`Error::Plot`].
    pub(crate) fn plot(plot: &str, message: impl ToString) -> Self {
        Self::Plot {
            plot: plot.to_owned(),
            message: message.to_string(),
        }
    }
}
