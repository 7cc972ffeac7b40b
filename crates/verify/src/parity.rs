//! Cases recorded from other frameworks, run through the public API of `tensor`, `model` and
//! `train`: `alexnet parity DIR`.
//!
//! A folder of cases is `manifest.json` beside `.safetensors` files, in one of two formats: PyTorch's cases by group, or
//! the ONNX backend suite. Both are read with every bound checked, so that a damaged folder is an error. The recorded
//! tolerances are taken as they are. Not for the kernels' own proof, which is [`crate::operators`].

mod array;
mod attributes;
mod compare;
mod layout;
mod manifest;
mod onnx;
mod recorded;
mod report;
mod torch;

use std::path::Path;

use tensor::Device;
use train::globs;

pub use report::{Group, Report, Verdict};

/// The result of reading and running cases.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why cases could not be read, or one could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is unreadable.
    #[error("{path}")]
    Io {
        /// The file.
        path: String,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A file is damaged, or of another format.
    #[error("{place}: {message}")]
    Damaged {
        /// The file, and the case in it.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// A case asks for something that there is not.
    #[error("{0}")]
    Unknown(String),
    /// An operator refused its arguments, or a device failed.
    #[error(transparent)]
    Tensor(#[from] tensor::Error),
}

impl Error {
    pub(crate) fn damaged(place: impl Into<String>, message: impl ToString) -> Self {
        Self::Damaged {
            place: place.into(),
            message: message.to_string(),
        }
    }
}

/// Runs the cases of `folder` whose names (`group/case`, or the suite's own) match `only`: `*` stands for any text, and a
/// bare group name for all of it. `progress` is called with each finished case.
///
/// # Errors
/// If the folder is unreadable, damaged or of another format, or no case matches. A case that fails is in the report.
pub fn run(
    folder: &Path,
    device: &Device,
    only: Option<&str>,
    mut progress: impl FnMut(&str, &Verdict),
) -> Result<Report> {
    let manifest = manifest::Manifest::read(folder)?;
    let mut report = Report::default();
    for case in manifest.cases() {
        if only.is_some_and(|pattern| !is_match(pattern, &case.name)) {
            continue;
        }
        let verdict = manifest.verdict(case, device);
        progress(&case.name, &verdict);
        report.add(case, verdict);
    }
    if report.is_empty() {
        let message = format!("no case matches '{}'", only.unwrap_or("*"));
        return Err(Error::damaged(files::shown(folder), message));
    }
    Ok(report)
}

/// Whether `name` matches `pattern`; a pattern without a star may also be the group.
fn is_match(pattern: &str, name: &str) -> bool {
    globs::is_match(pattern, name) || name.split('/').next() == Some(pattern)
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn patterns_match_names() {
        for (pattern, name, expected) in [
            ("conv2d", "conv2d/k3", true),
            ("conv2d/k3", "conv2d/k3", true),
            ("conv2d", "conv2d_x/k3", false),
            ("*", "anything", true),
            ("conv*", "conv2d/k3", true),
            ("*k3", "conv2d/k3", true),
            ("*k3*s2", "max_pool/k3s1", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(is_match(pattern, name), expected, "{pattern} {name}");
        }
    }
}
