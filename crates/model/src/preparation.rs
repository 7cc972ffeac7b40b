//! How images become a network's input: what a weight file must say for its answers to be repeated without the run.
//!
//! Not here: doing it, which takes images.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::image_size::ImageSize;
use crate::network::architecture_of;
use crate::weights::TensorFile;

/// The key of a weight file's metadata for the preparation: a JSON object.
pub(crate) const IMAGES_KEY: &str = "images";

/// The largest side and resize that are taken: far beyond use.
const MOST_SIDE: usize = 32_767;

/// How an image becomes a network's input in evaluation: brought to `source` as `fit` says, resized so that its shorter
/// side is `resize`, its centre of `input_size` taken, then minus `mean`, divided by `std`, channel by channel.
///
/// ```
/// let grey = model::Preparation {
///     source: [28; 2],
///     resize: None,
///     input_size: 28.into(),
///     mean: vec![0.13],
///     std: vec![0.31],
///     ..model::Preparation::torchvision()
/// };
/// assert_eq!(grey.fit, model::Fit::Crop);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// Height and width at which images are decoded.
    pub source: [usize; 2],
    /// How an image of another shape becomes that.
    pub fit: Fit,
    /// The shorter side before the centre is taken; without one, the whole image is resized to the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<usize>,
    /// Height and width of the network's input.
    pub input_size: ImageSize,
    /// Subtracted from each channel, with pixels in 0 to 1: one number for grey images, three for red, green and blue, four
    /// with opacity.
    pub mean: Vec<f32>,
    /// What each is divided by then.
    pub std: Vec<f32>,
    /// Between pixels, where images are decoded.
    pub interpolation: Interpolation,
    /// Whether images are turned upright as their EXIF data say.
    pub exif_rotation: bool,
    /// Test-time augmentation: the views whose probabilities evaluation averages.
    #[serde(default, alias = "views")]
    pub tta: PreparedTta,
}

/// How an image of any shape becomes one of the wanted shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Its centre is scaled: nothing is distorted, edges are lost.
    #[default]
    Crop,
    /// All of it is scaled, each side by itself.
    Stretch,
}

/// How pixels between pixels are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Interpolation {
    /// A triangle, as wide as the scale where an image becomes smaller: Pillow's and torchvision's bilinear with
    /// antialiasing.
    #[default]
    BilinearAntialias,
    /// Between the four nearest pixels, also where an image becomes smaller: `OpenCV`'s bilinear.
    Bilinear,
    /// The nearest pixel: Pillow's, and what Keras' `flow_from_directory` does.
    Nearest,
    /// Cubic with antialiasing: Pillow's and torchvision's.
    Bicubic,
}

/// Test-time augmentation: the views of an image that evaluation averages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PreparedTta {
    /// The centre.
    #[default]
    #[serde(alias = "plain")]
    None,
    /// The centre, and its mirror image.
    Flip,
    /// The centre, which counts half, and moved by a pixel both ways along its diagonal, and their mirror images.
    FlipShift,
    /// The four corners and the centre, and their mirror images.
    TenCrop,
}

impl Preparation {
    /// Torchvision's for `AlexNet_Weights.IMAGENET1K_V1`: the shorter side to 256, the centre 224, ImageNet's mean and
    /// standard deviation. It leaves images as they are stored, whatever their EXIF data say.
    ///
    /// ```
    /// use model::{Preparation, PreparedTta};
    ///
    /// // Torchvision's way, with each image and its mirror image.
    /// let preparation = Preparation { tta: PreparedTta::Flip, ..Preparation::torchvision() };
    /// assert_eq!((preparation.resize, preparation.input_size.sides()), (Some(256), [224, 224]));
    /// ```
    #[must_use]
    pub fn torchvision() -> Self {
        Self {
            source: [256; 2],
            fit: Fit::Crop,
            resize: Some(256),
            input_size: ImageSize::from(224),
            mean: vec![0.485, 0.456, 0.406],
            std: vec![0.229, 0.224, 0.225],
            interpolation: Interpolation::BilinearAntialias,
            exif_rotation: false,
            tta: PreparedTta::None,
        }
    }

    /// What a weight file says, if it says so.
    ///
    /// ```
    /// use model::layers::{Dense, Flatten};
    /// use model::{Architecture, Network, Preparation};
    ///
    /// let preparation = Preparation { input_size: 8.into(), ..Preparation::torchvision() };
    /// let layers = vec![Flatten::new().into(), Dense::new(10).into()];
    /// let architecture = Architecture::from_layers("linear", [8, 8, 3], layers)?;
    /// let network = Network::new(architecture, 42, &tensor::Device::cpu())?;
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("linear.safetensors");
    /// std::fs::write(&path, network.with_preparation(preparation.clone()).to_bytes()?)?;
    /// assert_eq!(Preparation::in_file(&path)?, Some(preparation));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the file can't be read, or says what makes no sense.
    pub fn in_file(path: &Path) -> Result<Option<Self>, Error> {
        let file = TensorFile::open(path)?;
        let Some(json) = file.metadata(IMAGES_KEY) else {
            return Ok(None);
        };
        let input = architecture_of(&file)?.input();
        let own = Self::from_json(json, input).map_err(|fault| {
            let expected = format!("metadata {IMAGES_KEY} that say how images are prepared");
            Error::format(path, expected, fault)
        })?;
        Ok(Some(own))
    }

    /// The preparation as JSON.
    pub(crate) fn to_json(&self) -> String {
        // Finite numbers and words always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The preparation in a JSON text of a weight file for inputs `[height, width, channels]`, or what is wrong with it.
    pub(crate) fn from_json(json: &str, input: [usize; 3]) -> Result<Self, String> {
        let preparation: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        preparation.check(input)?;
        Ok(preparation)
    }

    /// What is wrong with the numbers, if anything is.
    fn check(&self, [height, width, channels]: [usize; 3]) -> Result<(), String> {
        let mut sides = self.source.iter().chain(&self.resize);
        if let Some(side) = sides.find(|side| !(1..=MOST_SIDE).contains(*side)) {
            return Err(format!("a side of {side}, where 1 to {MOST_SIDE} can be"));
        }
        let input_size = ImageSize::from([height, width]);
        if self.input_size != input_size {
            let found = self.input_size;
            return Err(format!("input_size {found} of a network for {input_size}"));
        }
        if self
            .resize
            .is_some_and(|resize| resize < input_size.shorter())
        {
            return Err(format!("resize below the input, {input_size}"));
        }
        let counts = [self.mean.len(), self.std.len()];
        if counts != [channels; 2] {
            return Err(format!(
                "{} numbers of mean and {} of std for {channels} channels",
                counts[0], counts[1]
            ));
        }
        let is_positive = |x: &f32| *x > 0.0 && x.is_finite();
        if !self.mean.iter().all(|x| x.is_finite()) || !self.std.iter().all(is_positive) {
            return Err("mean and std that are not finite numbers, std above 0".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preparation_survives_json_and_bad_ones_say_what_is_wrong() {
        let own = Preparation {
            mean: vec![0.123_456_79, 1.0 / 3.0, 0.1],
            ..Preparation::torchvision()
        };
        let json = own.to_json();
        assert_eq!(Preparation::from_json(&json, [224, 224, 3]).unwrap(), own);
        for (from, to, part) in [
            ("224", "227", "input_size 227"),
            ("[256,256]", "[0,256]", "side of 0"),
            ("0.229", "0.0", "std"),
            ("0.229,", "", "2 of std for 3 channels"),
            ("\"crop\"", "\"pad\"", "pad"),
            ("bilinear-antialias", "lanczos", "lanczos"),
            ("\"fit\"", "\"fitt\"", "fitt"),
        ] {
            let message =
                Preparation::from_json(&json.replace(from, to), [224, 224, 3]).unwrap_err();
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}
