//! What can go wrong in the proof of operators and networks.

/// The result of every fallible function of this crate but those of `parity`, which has errors of its own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be proven either way; a wrong result is not an error but a row that did not pass.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line of an operator's case file can't be read.
    #[error("{message}")]
    Cases {
        /// The file, the line and what is wrong with it.
        message: String,
    },
    /// No operator has this name.
    #[error("no operator '{name}'; there are {known}")]
    UnknownOperator {
        /// The name as given.
        name: String,
        /// The names there are, comma-separated.
        known: String,
    },
    /// No lesson has this name.
    #[error("no operator '{name}' to learn; there are {known}")]
    UnknownTopic {
        /// The name as given.
        name: String,
        /// The names there are, comma-separated.
        known: String,
    },
    /// A kernel, its device or its arguments failed.
    #[error(transparent)]
    Kernel(#[from] kernels::Error),
    /// A tensor operation failed.
    #[cfg(feature = "network")]
    #[error(transparent)]
    Tensor(#[from] tensor::Error),
    /// A network could not be built or run.
    #[cfg(feature = "network")]
    #[error(transparent)]
    Model(#[from] model::Error),
}
