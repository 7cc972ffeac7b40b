//! What can go wrong with a file, with its path.

use std::io;
use std::path::{Path, PathBuf};

use crate::names::shown;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The operating system refused an operation on a file, or the file is not of the kind that is opened.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot {action}", shown(path))]
pub struct Error {
    /// The file.
    pub path: PathBuf,
    /// What was tried, as a verb.
    pub action: &'static str,
    /// Why it failed.
    pub source: io::Error,
}

impl Error {
    /// Makes the closure that turns an [`io::Error`] on `path` into an [`Error`].
    pub fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self {
            path,
            action,
            source,
        }
    }

    /// Whether the file is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}
