//! What can go wrong with a data set, as one type. Each message is one line that names the place, what was expected and
//! what was found; the cause underneath, when there is one, is in `source()` and not repeated.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// The error of every fallible function in this crate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system refused an operation on a file or folder.
    #[error("{}: cannot {action}", files::shown(path))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb: "read", "create".
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A file can't be opened, read or replaced.
    #[error(transparent)]
    File(#[from] files::Error),
    /// A file's bytes are not what its format says.
    #[error(
        "{}: at byte {offset}: expected {expected}, found {found}",
        files::shown(path)
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Where in the file, in bytes from its start.
        offset: u64,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A file of pickled images is not what was expected, or asks for what is not run.
    #[error("{}: expected a pickle of CIFAR's images or names, found {found}", path.display())]
    Pickle {
        /// The file.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// An argument, or the combination of a data set and an argument, makes no sense.
    #[error("{argument}: expected {expected}, found {found}")]
    Argument {
        /// The argument's name.
        argument: &'static str,
        /// What it has to be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A data set is not where it was looked for, and was not to be, or could not be, downloaded.
    #[error(
        "{data_set}: no {}; download {url} to {}",
        files::shown(looked_for),
        files::shown(put_at)
    )]
    Missing {
        /// The data set's name.
        data_set: String,
        /// The file that is missing.
        looked_for: PathBuf,
        /// What to download.
        url: String,
        /// Where to put it: an archive is then checked and unpacked from there.
        put_at: PathBuf,
        /// The download's failure, when one was tried.
        source: Option<Box<Self>>,
    },
    /// A name that is neither a built-in data set nor a folder.
    #[error("{name}: no such data set or folder; built-in data sets are {known}")]
    UnknownDataSet {
        /// What was asked for.
        name: String,
        /// The names that exist, comma-separated.
        known: String,
    },
    /// A folder's structure is not that of a class-per-folder data set.
    #[error("{}: expected {expected}, found {found}", files::shown(path))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What a data set needs there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A line of a list makes no sense.
    #[error(
        "{}: line {line}: expected {expected}, found {found}",
        files::shown(path)
    )]
    Line {
        /// The list.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
        /// What a list has there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// An image file can't be decoded.
    #[error("{}: not a readable image: {reason}", files::shown(path))]
    Image {
        /// The file.
        path: PathBuf,
        /// The decoder's reason, or the limit that the file goes over.
        reason: String,
    },
    /// A transfer failed after its retries; what arrived is kept for the next attempt.
    #[error("{url}: download failed after {received} bytes: {reason}")]
    Download {
        /// The address.
        url: String,
        /// Bytes that are on disk.
        received: u64,
        /// The last attempt's reason.
        reason: String,
    },
    /// A file would have to be downloaded, and the program was built without the feature `download`.
    #[error("{url}: this program was built without downloads")]
    NoDownload {
        /// The address.
        url: String,
    },
    /// A downloaded file is not the one that was published.
    #[error("{url}: expected MD5 {expected}, found {found}; the file was discarded")]
    Checksum {
        /// The address.
        url: String,
        /// The published checksum.
        expected: String,
        /// The checksum of what arrived.
        found: String,
    },
    /// An archive's entry must not be unpacked.
    #[error(
        "{}: entry {entry:?}: expected {expected}, found {found}",
        files::shown(path)
    )]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The entry's name in the archive.
        entry: String,
        /// What an entry may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A loader thread panicked in a source of images.
    #[error("loader: a worker panicked at epoch {epoch}, batch {batch}: {message}")]
    Worker {
        /// The epoch whose batch was being made.
        epoch: u64,
        /// The batch in that epoch.
        batch: usize,
        /// The panic's message.
        message: String,
    },
}

impl DataError {
    /// Makes the closure that turns an [`io::Error`] on `path` into [`DataError::Io`].
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

    /// An [`DataError::Argument`] from anything that prints.
    pub(crate) fn argument(
        argument: &'static str,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> Self {
        Self::Argument {
            argument,
            expected: expected.into(),
            found: found.to_string(),
        }
    }
}
