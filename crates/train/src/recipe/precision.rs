//! The precision that a network is trained in.

use serde::{Deserialize, Serialize};
use tensor::DType;

/// The precision that a network is trained in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// f32 throughout.
    #[default]
    F32,
    /// Mixed precision (Micikevicius 2018): f16 for activations and their gradients, with a scaled loss; weights and
    /// sums in 32 bits. On GPUs whose shaders have f16.
    F16,
}

impl Precision {
    /// Whether it is 32 bits throughout.
    #[must_use]
    pub fn is_single(&self) -> bool {
        *self == Self::F32
    }

    /// The network's input.
    pub(crate) fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
        }
    }
}
