//! The choices among a recipe's settings of images.

use data::{Fit, Interpolation};
use serde::{Deserialize, Serialize};
use tensor::pixels::Beside;

/// How an image of any shape becomes one of the wanted shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FitKind {
    /// The largest centred part of that shape, scaled.
    #[default]
    Crop,
    /// All of it, each side scaled by itself.
    Stretch,
}

/// How pixels between pixels are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum InterpolationKind {
    /// A triangle, as wide as the scale where an image becomes smaller: `BILINEAR` of Pillow and torchvision.
    #[default]
    BilinearAntialias,
    /// Between the four nearest pixels: `INTER_LINEAR` of `OpenCV`, and PyTorch without antialiasing.
    Bilinear,
    /// The nearest pixel: `NEAREST` of Pillow, and Keras' `flow_from_directory`.
    Nearest,
    /// Cubic with antialiasing: `BICUBIC` of Pillow and torchvision.
    Bicubic,
}

impl InterpolationKind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl From<InterpolationKind> for Interpolation {
    fn from(kind: InterpolationKind) -> Self {
        match kind {
            InterpolationKind::BilinearAntialias => Self::BilinearAntialias,
            InterpolationKind::Bilinear => Self::Bilinear,
            InterpolationKind::Nearest => Self::Nearest,
            InterpolationKind::Bicubic => Self::Bicubic,
        }
    }
}

/// How training images are cropped. Evaluation takes the centre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CropKind {
    /// The centre of the resized image.
    #[default]
    Centre,
    /// Any place of the resized and padded image.
    Random,
    /// A part of random area and shape, resized (Szegedy 2015).
    Area,
}

/// What is added around an image before a random crop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PadKind {
    /// Black pixels.
    #[default]
    Black,
    /// The image's reflection in its edges, which are not repeated: `reflect` of PyTorch and numpy.
    Reflection,
}

impl PadKind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn is_black(&self) -> bool {
        *self == Self::Black
    }
}

impl From<PadKind> for Beside {
    fn from(kind: PadKind) -> Self {
        match kind {
            PadKind::Black => Self::Black,
            PadKind::Reflection => Self::Reflection,
        }
    }
}

impl From<FitKind> for Fit {
    fn from(fit: FitKind) -> Self {
        match fit {
            FitKind::Crop => Self::Crop,
            FitKind::Stretch => Self::Stretch,
        }
    }
}
