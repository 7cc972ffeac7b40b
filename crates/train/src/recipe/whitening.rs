//! Initial weights of the first convolution that whiten patches of the training images.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The first convolution's initial weights: the eigenvectors of the covariance of patches of the training images, as large as
/// its window, each divided by the root of its eigenvalue, and their negatives (Jordan 2024, arXiv 2404.00498, section 3.1). With
/// `optimizer.freeze` they stay so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhiteningRecipe {
    /// Added to each eigenvalue, so that directions in which patches hardly vary are not blown up.
    pub epsilon: f64,
    /// At most so many training images, evenly spread, are looked at.
    pub images: usize,
}

impl Default for WhiteningRecipe {
    fn default() -> Self {
        Self {
            epsilon: 5e-4,
            images: 5000,
        }
    }
}

impl WhiteningRecipe {
    /// An error if a number makes no sense.
    pub(crate) fn check(self) -> Result<()> {
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            let expected = "a positive number";
            return Err(Error::setting("whitening.epsilon", expected, self.epsilon));
        }
        if self.images == 0 {
            return Err(Error::setting("whitening.images", "at least 1", 0));
        }
        Ok(())
    }
}
