//! What can go wrong in this crate.

use crate::shape::Shape;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a tensor operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tensor has a shape that the operation can't take.
    #[error("{op}: {argument}: expected shape {expected}, got {got}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// Which of its tensors.
        argument: &'static str,
        /// The shape or relation that it needs.
        expected: String,
        /// The shape it got.
        got: Shape,
    },
    /// A tensor has elements of another type than the operation takes.
    #[error("{op}: {argument}: expected {expected} elements, got {got}")]
    DType {
        /// The operation.
        op: &'static str,
        /// Which of its tensors.
        argument: &'static str,
        /// The type it needs.
        expected: &'static str,
        /// The type it got.
        got: &'static str,
    },
    /// Two tensors of one operation are on different devices.
    #[error("{op}: {argument} is on another device ({got}) than the first tensor ({expected})")]
    Device {
        /// The operation.
        op: &'static str,
        /// Which of its tensors.
        argument: &'static str,
        /// The first tensor's device.
        expected: String,
        /// This tensor's device.
        got: String,
    },
    /// A label out of range.
    #[error("labels: row {row}: expected a class below {classes}, got {label}")]
    Label {
        /// Its place.
        row: usize,
        /// The label.
        label: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// Backward was asked of a tensor that no parameter leads to.
    #[error("backward: the tensor depends on no parameter (was it made under no_grad?)")]
    NoTape,
    /// A kernel, its device or its arguments failed.
    #[error(transparent)]
    Kernel(#[from] kernels::Error),
}

impl Error {
    /// An [`Error::Shape`].
    pub fn shape(
        op: &'static str,
        argument: &'static str,
        expected: impl Into<String>,
        got: &Shape,
    ) -> Self {
        Self::Shape {
            op,
            argument,
            expected: expected.into(),
            got: got.clone(),
        }
    }
}
