//! How a split is scored.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How a split is scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationRecipe {
    /// Test-time augmentation: the views of each image whose probabilities the test averages. Validation uses the centre alone.
    #[serde(alias = "views")]
    pub tta: Tta,
    /// The shorter side that images are resized to before the crop; that of `images.resize` if absent, else the network's
    /// input. Where a recipe has it, it keeps its ratio to the side that training images are resized to (`images.resize`, or
    /// `input_size` without that or with area crops) when a setting changes that side and not this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<usize>,
    /// Steps after which the validation split is scored within an epoch too: `validation.jsonl`. Only at its end if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_steps: Option<u64>,
    /// Whether the test split is scored at the end of every epoch too, by the plain view.
    #[serde(skip_serializing_if = "is_false")]
    pub test_every_epoch: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Test-time augmentation: the views of an image whose probabilities are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Tta {
    /// The centre.
    #[default]
    #[serde(alias = "plain")]
    None,
    /// The centre, and its mirror image.
    Flip,
    /// The centre, and moved by a pixel up and left and down and right, beside which its reflection is, and their mirror
    /// images: the centre counts as much as both others together (Jordan 2024, arXiv 2404.00498, section 3.5).
    FlipShift,
    /// The four corners and the centre, and their mirror images (Krizhevsky 2012, section 4.1).
    TenCrop,
}

impl EvaluationRecipe {
    /// An error if a number makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        if self.resize == Some(0) {
            return Err(Error::setting("evaluation.resize", "at least 1", 0));
        }
        if self.every_steps == Some(0) {
            return Err(Error::setting("evaluation.every_steps", "at least 1", 0));
        }
        Ok(())
    }
}
